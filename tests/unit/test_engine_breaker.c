/* Circuit breakers: what opens and closes them, what is claimed meanwhile, what operators do, and
 * what the audit log proves of them; on both stores. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"
#include "stepwell.h"

/* Two failures open it for a second, then two, then three; two probes close it, one at a time. */
#define SETTINGS                                                                                   \
    "\"breakers\":{\"pay\":{\"failure_threshold\":2,\"success_threshold\":2,\"open_ms\":1000,"     \
    "\"max_open_ms\":3000}},"
#define STEP(name)                                                                                 \
    "{\"name\":\"" name                                                                            \
    "\",\"breaker\":\"pay\",\"retry\":{\"max_attempts\":9,\"backoff\":\"none\"}}"
#define WORKFLOW(steps) "{\"stepwell\":1,\"name\":\"w\"," SETTINGS "\"steps\":[" steps "]}"
#define FOUR WORKFLOW(STEP("a") "," STEP("b") "," STEP("c") "," STEP("d"))
#define MIXED WORKFLOW(STEP("a") "," STEP("b") ",{\"name\":\"free\"}")
#define SECOND 1000000

static sw_str str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

static const char *const breaker_stores[] = {"memory:", "file"};

/* A rig on a store; its file is removed by rig_end. */
typedef struct breaker_rig {
    rig r;
    char directory[64];
    sw_uuid task;
    sw_worker_ref worker;
    sw_breaker_row row;
} breaker_rig;

static void begin(breaker_rig *b, const char *store, const char *definition)
{
    char file[96];
    *b = (breaker_rig){0};
    strcpy(b->directory, "/tmp/stepwell-breaker-XXXXXX");
    assert_non_null(mkdtemp(b->directory));
    snprintf(file, sizeof file, "%s/w.db", b->directory);
    rig_open(&b->r, strcmp(store, "file") == 0 ? file : store, definition);
    b->task = rig_submit(&b->r);
    b->worker = rig_worker(&b->r, 3600000);
}

static void end(breaker_rig *b)
{
    char command[96];
    rig_verify(&b->r);
    rig_close(&b->r);
    snprintf(command, sizeof command, "rm -r %s", b->directory);
    assert_int_equal(system(command), 0);
}

/* The one breaker there is. */
static const sw_breaker_row *breaker(breaker_rig *b)
{
    size_t count = 0;
    sw_result *result = NULL;
    if (sw_breaker_list(b->r.engine, &result, &b->r.error) < 0)
        fail_msg("%s", b->r.error.message);
    const sw_breaker_row *rows = sw_breakers(result, &count);
    assert_int_equal(count, 1);
    assert_memory_equal(rows->settings.name.ptr, "pay", 3);
    b->row = *rows;
    b->row.settings.name = b->row.error_class = (sw_str){0};
    sw_result_free(result);
    return &b->row;
}

static void assert_breaker(breaker_rig *b, int state, int failures)
{
    assert_string_equal(sw_breaker_state_name(breaker(b)->state), sw_breaker_state_name(state));
    assert_int_equal(b->row.failures, failures);
}

/* End the attempt of a step that the newest exchange gave. */
static void report(breaker_rig *b, const char *step, int outcome)
{
    sw_step_outcome row = rig_outcome(&b->r, step, outcome);
    if (outcome == SW_OUTCOME_FAILED)
        row.error_class = str("Down");
    fault_env_advance(&b->r.fault, 1000);
    rig_exchange(&b->r, &b->worker, &row, 1, 0);
}

static void claim(breaker_rig *b, const char *steps)
{
    fault_env_advance(&b->r.fault, 1000);
    rig_claims(&b->r, &b->worker, steps);
}

/* Claim one step and end it so. */
static void attempt(breaker_rig *b, const char *step, int outcome)
{
    fault_env_advance(&b->r.fault, 1000);
    rig_exchange(&b->r, &b->worker, NULL, 0, 1);
    assert_non_null(rig_claim(&b->r, step));
    report(b, step, outcome);
}

/* Two failures, with "pay" open for a second. */
static void break_it(breaker_rig *b)
{
    attempt(b, "a", SW_OUTCOME_FAILED);
    attempt(b, "a", SW_OUTCOME_FAILED);
    assert_breaker(b, SW_BREAKER_OPEN, 2);
}

static void assert_reason(breaker_rig *b, const char *step, int reason, const char *message)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_step_explain(b->r.engine, &b->task, str(step), &result, &b->r.error);
    assert_int_equal(rc, SW_OK);
    const sw_step_reason *rows = sw_step_reasons(result, &count);
    assert_int_equal(count, 1);
    assert_string_equal(sw_reason_name(rows->reason), sw_reason_name(reason));
    if (message) {
        assert_memory_equal(rows->message.ptr, message, strlen(message));
        assert_memory_equal(rows->subject.ptr, "pay", 3);
    }
    sw_result_free(result);
}

static void failures_open_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        breaker_rig b;
        begin(&b, breaker_stores[i], MIXED);
        assert_breaker(&b, SW_BREAKER_CLOSED, 0);
        break_it(&b);
        assert_int_equal(b.row.until_us, b.row.changed_us + SECOND);
        assert_int_equal(b.row.openings, 1);
        assert_int_equal(b.row.forced, 0);
        claim(&b, "free");
        claim(&b, "");
        assert_int_equal(rig_step(&b.r, &b.task, "a").state, SW_STEP_READY);
        assert_int_equal(rig_step(&b.r, &b.task, "a").attempt, 2);
        assert_reason(&b, "b", SW_REASON_BREAKER_OPEN,
                      "b is ready, but the circuit pay is open for another 1.0 s: 2 failures in a "
                      "row, the last one Down");
        end(&b);
    }
}

static void success_between_failures_starts_anew(void **state)
{
    breaker_rig b;
    (void)state;
    begin(&b, "memory:", FOUR);
    attempt(&b, "a", SW_OUTCOME_FAILED);
    attempt(&b, "a", SW_OUTCOME_SUCCEEDED);
    assert_breaker(&b, SW_BREAKER_CLOSED, 0);
    attempt(&b, "b", SW_OUTCOME_FAILED);
    assert_breaker(&b, SW_BREAKER_CLOSED, 1);
    end(&b);
}

static void what_says_nothing_of_the_service_does_not_count(void **state)
{
    breaker_rig b;
    (void)state;
    begin(&b, "memory:", FOUR);
    attempt(&b, "a", SW_OUTCOME_FAILED);
    attempt(&b, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    attempt(&b, "b", SW_OUTCOME_RELEASED);
    attempt(&b, "b", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_breaker(&b, SW_BREAKER_CLOSED, 1);
    end(&b);
}

static void probes_close_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        breaker_rig b;
        begin(&b, breaker_stores[i], FOUR);
        break_it(&b);
        fault_env_advance(&b.r.fault, SECOND);
        claim(&b, "a");
        assert_breaker(&b, SW_BREAKER_HALF_OPEN, 2);
        assert_int_equal(b.row.probing, 1);
        sw_step_outcome first = rig_outcome(&b.r, "a", SW_OUTCOME_SUCCEEDED);
        claim(&b, "");
        assert_reason(&b, "b", SW_REASON_BREAKER_OPEN,
                      "b is ready, but the circuit pay is half-open: 1 of 1 probes run");
        rig_exchange(&b.r, &b.worker, &first, 1, 9);
        assert_non_null(rig_claim(&b.r, "b"));
        assert_breaker(&b, SW_BREAKER_HALF_OPEN, 2);
        assert_int_equal(b.row.successes, 1);
        report(&b, "b", SW_OUTCOME_SUCCEEDED);
        assert_breaker(&b, SW_BREAKER_CLOSED, 0);
        assert_int_equal(b.row.openings, 0);
        claim(&b, "c d");
        end(&b);
    }
}

static void failed_probe_opens_it_for_longer(void **state)
{
    static const int64_t opens[] = {2000, 3000, 3000};
    breaker_rig b;
    (void)state;
    begin(&b, "memory:", FOUR);
    break_it(&b);
    for (size_t i = 0; i < 3; i++) {
        fault_env_advance(&b.r.fault, b.row.until_us - b.row.changed_us);
        attempt(&b, "a", SW_OUTCOME_FAILED);
        assert_breaker(&b, SW_BREAKER_OPEN, (int)i + 3);
        assert_int_equal(b.row.until_us - b.row.changed_us, opens[i] * 1000);
        assert_int_equal(b.row.openings, i + 2);
    }
    end(&b);
}

/* A probe that neither succeeds nor fails leaves its place to the next one. */
static void place_of_a_probe_is_freed(void **state)
{
    (void)state;
    static const int outcomes[] = {SW_OUTCOME_RELEASED, SW_OUTCOME_FAILED_FOR_GOOD};
    for (size_t i = 0; i < 2; i++) {
        breaker_rig b;
        begin(&b, breaker_stores[i], FOUR);
        break_it(&b);
        fault_env_advance(&b.r.fault, SECOND);
        claim(&b, "a");
        report(&b, "a", outcomes[i]);
        assert_breaker(&b, SW_BREAKER_HALF_OPEN, 2);
        assert_int_equal(b.row.probing, 0);
        claim(&b, i == 0 ? "a" : "b");
        sw_cancel_row cancel = {.task_id = b.task, .actor = str("ann"), .reason = str("why")};
        assert_int_equal(sw_task_cancel(b.r.engine, &cancel, 1, &b.r.error), SW_OK);
        assert_int_equal(breaker(&b)->probing, 0);
        end(&b);
    }
}

static void lost_worker_frees_the_place_of_its_probe(void **state)
{
    breaker_rig b;
    (void)state;
    begin(&b, "memory:", FOUR);
    break_it(&b);
    fault_env_advance(&b.r.fault, SECOND);
    sw_worker_ref doomed = rig_worker(&b.r, 1000);
    rig_claims(&b.r, &doomed, "a");
    claim(&b, "");
    fault_env_advance(&b.r.fault, 7 * SECOND);
    claim(&b, "a");
    assert_breaker(&b, SW_BREAKER_HALF_OPEN, 2);
    assert_int_equal(b.row.probing, 1);
    end(&b);
}

/* Attempts of before say nothing about the state that followed. */
static void late_outcomes_do_not_count(void **state)
{
    breaker_rig b;
    (void)state;
    begin(&b, "memory:", FOUR);
    claim(&b, "a b c d");
    sw_step_outcome rows[4];
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        rows[i] = rig_outcome(&b.r, names[i], i < 3 ? SW_OUTCOME_FAILED : SW_OUTCOME_SUCCEEDED);
    fault_env_advance(&b.r.fault, 1000);
    rig_exchange(&b.r, &b.worker, rows, 3, 0);
    assert_breaker(&b, SW_BREAKER_OPEN, 2);
    fault_env_advance(&b.r.fault, SECOND);
    claim(&b, "a");
    rig_exchange(&b.r, &b.worker, rows + 3, 1, 9);
    assert_breaker(&b, SW_BREAKER_HALF_OPEN, 2);
    assert_int_equal(b.row.successes, 0);
    assert_int_equal(b.row.probing, 1);
    end(&b);
}

/* Attempts that nobody reports. */
static void assert_silence_counts(const char *definition)
{
    breaker_rig b;
    begin(&b, "memory:", definition);
    for (int i = 1; i <= 2; i++) {
        claim(&b, "a");
        assert_breaker(&b, SW_BREAKER_CLOSED, i - 1);
        fault_env_advance(&b.r.fault, 7 * SECOND);
        rig_exchange(&b.r, &b.worker, NULL, 0, 0);
    }
    assert_breaker(&b, SW_BREAKER_OPEN, 2);
    end(&b);
}

#define PATIENT(key)                                                                               \
    WORKFLOW("{\"name\":\"a\",\"breaker\":\"pay\",\"" key "\":100,"                                \
             "\"retry\":{\"max_attempts\":9,\"backoff\":\"none\"}}")

static void timeouts_count(void **state)
{
    (void)state;
    assert_silence_counts(PATIENT("timeout_ms"));
}

static void missed_heartbeats_count(void **state)
{
    (void)state;
    assert_silence_counts(PATIENT("heartbeat_ms"));
}

static void state_outlives_the_process(void **state)
{
    char file[96];
    breaker_rig b;
    (void)state;
    begin(&b, "file", FOUR);
    break_it(&b);
    int64_t until_us = b.row.until_us;
    snprintf(file, sizeof file, "%s/w.db", b.directory);
    rig_close(&b.r);
    rig_open(&b.r, file, FOUR);
    assert_breaker(&b, SW_BREAKER_OPEN, 2);
    assert_int_equal(b.row.until_us, until_us);
    end(&b);
}

/* Operators. */

static int override(breaker_rig *b, int to, int64_t open_ms)
{
    sw_result *result = NULL;
    sw_breaker_override_row row = {.name = str("pay"),
                                   .state = to,
                                   .open_ms = open_ms,
                                   .actor = str("ann"),
                                   .reason = str("by hand")};
    fault_env_advance(&b->r.fault, 1000);
    int rc = sw_breaker_override(b->r.engine, &row, 1, &result, &b->r.error);
    sw_result_free(result);
    return rc;
}

static void operator_opens_and_closes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        breaker_rig b;
        begin(&b, breaker_stores[i], FOUR);
        assert_int_equal(override(&b, SW_BREAKER_OPEN, 0), SW_OK);
        assert_breaker(&b, SW_BREAKER_OPEN, 0);
        assert_int_equal(b.row.forced, 1);
        assert_int_equal(b.row.until_us, 0);
        fault_env_advance(&b.r.fault, 1000 * SECOND);
        claim(&b, "");
        assert_reason(&b, "a", SW_REASON_BREAKER_OPEN,
                      "a is ready, but the circuit pay is open until an operator closes it: it was "
                      "opened by hand");
        assert_int_equal(override(&b, SW_BREAKER_OPEN, 5000), SW_OK);
        assert_breaker(&b, SW_BREAKER_OPEN, 0);
        assert_int_equal(b.row.until_us, b.row.changed_us + 5 * SECOND);
        fault_env_advance(&b.r.fault, 5 * SECOND);
        claim(&b, "a");
        assert_breaker(&b, SW_BREAKER_HALF_OPEN, 0);
        assert_int_equal(override(&b, SW_BREAKER_CLOSED, 0), SW_OK);
        assert_breaker(&b, SW_BREAKER_CLOSED, 0);
        claim(&b, "b c d");
        end(&b);
    }
}

static void override_refuses(void **state)
{
    breaker_rig b;
    sw_result *result = NULL;
    (void)state;
    begin(&b, "memory:", FOUR);
    const sw_breaker_override_row good = {
        .name = str("pay"), .state = SW_BREAKER_OPEN, .actor = str("ann"), .reason = str("why")};
    sw_breaker_override_row wrong[6];
    for (size_t i = 0; i < 6; i++)
        wrong[i] = good;
    wrong[0].name = str("");
    wrong[1].state = SW_BREAKER_HALF_OPEN;
    wrong[2].open_ms = -1;
    wrong[3].state = SW_BREAKER_CLOSED;
    wrong[3].open_ms = 1;
    wrong[4].actor = (sw_str){0};
    wrong[5].reason = str("");
    for (size_t i = 0; i < 6; i++) {
        const sw_breaker_override_row rows[] = {good, wrong[i]};
        assert_int_equal(sw_breaker_override(b.r.engine, rows, 2, &result, &b.r.error), SW_EINVAL);
        assert_int_equal(b.r.error.row, 1);
        assert_null(result);
    }
    sw_breaker_override_row rows[] = {good, good};
    rows[1].name = str("other");
    assert_int_equal(sw_breaker_override(b.r.engine, rows, 2, &result, &b.r.error), SW_ENOTFOUND);
    assert_int_equal(b.r.error.row, 1);
    assert_breaker(&b, SW_BREAKER_CLOSED, 0);
    assert_int_equal(sw_breaker_override(b.r.engine, NULL, 1, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_breaker_override(NULL, rows, 1, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_breaker_override(b.r.engine, rows, 1, NULL, NULL), SW_EINVAL);
    assert_int_equal(sw_breaker_override(b.r.engine, rows, 100001, &result, NULL), SW_ELIMIT);
    end(&b);
}

/* Settings. */

static void defaults_hold_where_nobody_sets_any(void **state)
{
    breaker_rig b;
    (void)state;
    begin(&b, "memory:",
          "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"breaker\":\"pay\"}]}");
    const sw_breaker_settings *settings = &breaker(&b)->settings;
    assert_int_equal(settings->failure_threshold, SW_BREAKER_FAILURES_DEFAULT);
    assert_int_equal(settings->success_threshold, SW_BREAKER_SUCCESSES_DEFAULT);
    assert_int_equal(settings->probes, SW_BREAKER_PROBES_DEFAULT);
    assert_int_equal(settings->open_ms, SW_BREAKER_OPEN_MS_DEFAULT);
    assert_int_equal(settings->max_open_ms, SW_BREAKER_OPEN_MS_DEFAULT);
    end(&b);
}

/* Another definition sets the breaker anew; its state stays, and both share it. */
static void newest_settings_decide(void **state)
{
    breaker_rig b;
    sw_workflow *other = NULL;
    (void)state;
    begin(&b, "memory:", FOUR);
    break_it(&b);
    int rc =
        sw_workflow_load(NULL,
                         str("{\"stepwell\":1,\"name\":\"v\",\"breakers\":{\"pay\":{\"probes\":"
                             "3}},\"steps\":[{\"name\":\"z\",\"breaker\":\"pay\"}]}"),
                         &other, NULL, &b.r.error);
    assert_int_equal(rc, SW_OK);
    const sw_workflow *rows[] = {other};
    assert_int_equal(sw_workflow_register(b.r.engine, rows, 1, &b.r.error), SW_OK);
    assert_breaker(&b, SW_BREAKER_OPEN, 2);
    assert_int_equal(b.row.settings.probes, 3);
    assert_int_equal(b.row.settings.failure_threshold, SW_BREAKER_FAILURES_DEFAULT);
    fault_env_advance(&b.r.fault, SECOND);
    claim(&b, "a b c");
    sw_workflow_free(other);
    end(&b);
}

/* Memory: whatever fails, nothing is half done. */

static int whole_life(const sw_env *env, void *context)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_workflow *workflow = NULL;
    sw_result *result = NULL;
    sw_worker_ref worker;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_worker_options member = SW_WORKER_OPTIONS_INIT;
    sw_str handlers[] = {str("w.a"), str("w.b"), str("w.free")};
    sw_task_submit_row submit = {.workflow = str("w")};
    sw_breaker_override_row row = {
        .name = str("pay"), .state = SW_BREAKER_OPEN, .actor = str("ann"), .reason = str("why")};
    (void)context;
    load.env = options.env = env;
    options.store = str("memory:");
    member.handlers = handlers;
    member.handler_count = 3;
    int rc = sw_workflow_load(&load, str(MIXED), &workflow, NULL, &error);
    const sw_workflow *workflows[] = {workflow};
    if (rc == SW_OK)
        rc = sw_engine_open(&options, &engine, &error);
    if (rc == SW_OK)
        rc = sw_workflow_register(engine, workflows, 1, &error);
    if (rc == SW_OK)
        rc = sw_task_submit(engine, &submit, 1, &result, &error);
    sw_result_free(result);
    result = NULL;
    if (rc == SW_OK)
        rc = sw_worker_open(engine, &member, &worker, &error);
    for (int i = 0; rc == SW_OK && i < 3; i++) {
        size_t count = 0;
        rc = sw_step_exchange(engine, &worker, NULL, 0, 1, 0, &result, &error);
        const sw_step_claim *claim = sw_step_claims(result, &count);
        sw_step_outcome outcome = {.outcome = SW_OUTCOME_FAILED, .error_class = str("Down")};
        if (rc == SW_OK && count > 0) {
            outcome.step_id = claim->step_id;
            outcome.epoch = claim->epoch;
        }
        sw_result_free(result);
        result = NULL;
        if (rc == SW_OK && count > 0)
            rc = sw_step_update_batch(engine, &outcome, 1, &result, &error);
        sw_result_free(result);
        result = NULL;
    }
    if (rc == SW_OK)
        rc = sw_breaker_override(engine, &row, 1, &result, &error);
    sw_result_free(result);
    result = NULL;
    if (rc == SW_OK)
        rc = sw_breaker_list(engine, &result, &error);
    sw_result_free(result);
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    if (rc == SW_OK)
        rc = sw_audit_verify(engine, &report, &error);
    sw_engine_close(engine);
    sw_workflow_free(workflow);
    return rc;
}

static void nothing_is_half_done_without_memory(void **state)
{
    fault_env fault;
    (void)state;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, whole_life, NULL) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_open_it),
        cmocka_unit_test(success_between_failures_starts_anew),
        cmocka_unit_test(what_says_nothing_of_the_service_does_not_count),
        cmocka_unit_test(probes_close_it),
        cmocka_unit_test(failed_probe_opens_it_for_longer),
        cmocka_unit_test(place_of_a_probe_is_freed),
        cmocka_unit_test(lost_worker_frees_the_place_of_its_probe),
        cmocka_unit_test(late_outcomes_do_not_count),
        cmocka_unit_test(timeouts_count),
        cmocka_unit_test(missed_heartbeats_count),
        cmocka_unit_test(state_outlives_the_process),
        cmocka_unit_test(operator_opens_and_closes),
        cmocka_unit_test(override_refuses),
        cmocka_unit_test(defaults_hold_where_nobody_sets_any),
        cmocka_unit_test(newest_settings_decide),
        cmocka_unit_test(nothing_is_half_done_without_memory),
    };
    return cmocka_run_group_tests_name("engine_breaker", tests, NULL, NULL);
}
