/* Dead letters: which steps are, in which order and pages, how they are counted, and what retrying
 * and resolving one or many does; on both stores. */
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

#define WORKFLOW(steps) "{\"stepwell\":1,\"name\":\"w\",\"steps\":[" steps "]}"
#define CHAIN WORKFLOW("{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]}")
#define WIDE                                                                                       \
    WORKFLOW("{\"name\":\"a\",\"handler\":\"w.h1\"},{\"name\":\"b\",\"handler\":\"w.h2\"},"        \
             "{\"name\":\"lax\",\"on_failure\":\"continue\"},{\"name\":\"rest\"}")
#define TWICE WORKFLOW("{\"name\":\"a\",\"retry\":{\"max_attempts\":2,\"backoff\":\"none\"}}")

static sw_dead_filter any(void)
{
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;
    return filter;
}

static sw_str str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

static sw_dead_action action(int state)
{
    return (sw_dead_action){.state = state, .actor = {"ann", 3}, .reason = {"by hand", 7}};
}

/* Claim everything; fail the named step with a class, give the others back. */
static void fail_step(rig *r, const sw_worker_ref *worker, const char *step,
                      const char *error_class)
{
    size_t count = 0;
    sw_step_outcome rows[16];
    rig_exchange(r, worker, NULL, 0, 16);
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_it = claims[i].name.len == strlen(step) &&
                     memcmp(claims[i].name.ptr, step, claims[i].name.len) == 0;
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id,
            .epoch = claims[i].epoch,
            .outcome = is_it ? SW_OUTCOME_FAILED_FOR_GOOD : SW_OUTCOME_RELEASED,
            .error_class = str(error_class),
            .error_message = str("said why"),
        };
    }
    fault_env_advance(&r->fault, 1000);
    rig_exchange(r, worker, rows, count, 0);
}

/* Steps of the letters of a filter, in their order. */
static void assert_letters(rig *r, const sw_dead_filter *filter, const char *expected)
{
    char found[256] = "";
    size_t count = 0;
    sw_result *result = NULL;
    if (sw_dead_list(r->engine, filter, &result, &r->error) < 0)
        fail_msg("%s", r->error.message);
    const sw_dead_letter *rows = sw_dead_letters(result, &count);
    for (size_t i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.*s", i ? " " : "",
                 (int)rows[i].step.len, rows[i].step.ptr);
    assert_string_equal(found, expected);
    sw_result_free(result);
}

static void letter_tells_what_failed(rig *r)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_dead_filter filter = any();
    sw_uuid task = rig_submit(r);
    sw_worker_ref worker = rig_worker(r, 60000);
    assert_letters(r, &filter, "");
    fail_step(r, &worker, "a", "Declined");
    assert_int_equal(sw_dead_list(r->engine, &filter, &result, &r->error), 0);
    const sw_dead_letter *row = sw_dead_letters(result, &count);
    assert_int_equal(count, 1);
    assert_int_equal(row->step_id, rig_step(r, &task, "a").step_id);
    assert_memory_equal(&row->task_id, &task, sizeof task);
    assert_memory_equal(row->error_class.ptr, "Declined", 8);
    assert_memory_equal(row->error_message.ptr, "said why", 8);
    assert_null(row->error_detail.ptr);
    assert_memory_equal(row->workflow.ptr, "w", 1);
    assert_memory_equal(row->handler.ptr, "w.a", 3);
    assert_int_equal(row->attempt, 1);
    assert_int_equal(row->crashes, 0);
    assert_int_equal(row->task_state, SW_TASK_FAILED);
    assert_int_equal(row->failed_us, rig_step(r, &task, "a").changed_us);
    sw_result_free(result);
}

static void dead_letter_tells_what_failed(void **state)
{
    rig r;
    (void)state;
    rig_open(&r, "memory:", CHAIN);
    letter_tells_what_failed(&r);
    rig_close(&r);
}

static void dead_letter_is_kept_in_a_file(void **state)
{
    rig r;
    char path[] = "/tmp/stepwell-dead-XXXXXX";
    char file[64];
    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/dead.db", path);
    rig_open(&r, file, CHAIN);
    letter_tells_what_failed(&r);
    rig_verify(&r);
    rig_close(&r);
    rig_open(&r, file, CHAIN);
    sw_dead_filter filter = any();
    assert_letters(&r, &filter, "a");
    rig_close(&r);
}

/* Six letters of three tasks: "b" and "a" of each, the newest first. */
static void fill(rig *r, const sw_worker_ref *worker, sw_uuid *tasks)
{
    for (int i = 0; i < 3; i++) {
        tasks[i] = rig_submit(r);
        fail_step(r, worker, "a", i == 0 ? "Early" : "Late");
        fail_step(r, worker, "b", "Late");
    }
}

static void dead_list_filters(void **state)
{
    rig r;
    sw_uuid tasks[3];
    (void)state;
    rig_open(&r, "memory:", WIDE);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    fill(&r, &worker, tasks);
    sw_dead_filter filter = any();
    assert_letters(&r, &filter, "b a b a b a");
    filter.error_class = str("Late");
    assert_letters(&r, &filter, "b a b a b");
    filter.handler = str("w.h1");
    assert_letters(&r, &filter, "a a");
    filter = any();
    filter.step = str("b");
    assert_letters(&r, &filter, "b b b");
    filter.workflow = str("w");
    assert_letters(&r, &filter, "b b b");
    filter.workflow = str("another");
    assert_letters(&r, &filter, "");
    filter = any();
    filter.failed_before_us = rig_step(&r, &tasks[1], "b").changed_us;
    assert_letters(&r, &filter, "a b a");
    filter.failed_after_us = rig_step(&r, &tasks[0], "b").changed_us;
    assert_letters(&r, &filter, "a b");
    filter.failed_after_us = filter.failed_before_us;
    assert_letters(&r, &filter, "");
    rig_close(&r);
}

static void dead_list_has_pages(void **state)
{
    rig r;
    sw_uuid tasks[3];
    char found[64] = "";
    (void)state;
    rig_open(&r, "memory:", WIDE);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    fill(&r, &worker, tasks);
    sw_dead_filter filter = any();
    filter.limit = 2;
    for (size_t count = 2; count == 2;) {
        sw_result *result = NULL;
        assert_int_equal(sw_dead_list(r.engine, &filter, &result, &r.error), 0);
        const sw_dead_letter *rows = sw_dead_letters(result, &count);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%zu ", count);
        if (count > 0) {
            filter.after_us = rows[count - 1].failed_us;
            filter.after_step_id = rows[count - 1].step_id;
        }
        sw_result_free(result);
    }
    assert_string_equal(found, "2 2 2 0 ");
    rig_close(&r);
}

static void dead_list_leaves_out_what_is_allowed_or_given_up(void **state)
{
    rig r;
    (void)state;
    rig_open(&r, "memory:", WIDE);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    sw_dead_filter filter = any();
    fail_step(&r, &worker, "lax", "Allowed");
    assert_letters(&r, &filter, "");
    fail_step(&r, &worker, "a", "Late");
    assert_letters(&r, &filter, "a");
    sw_cancel_row row = {.task_id = task, .actor = {"ann", 3}, .reason = {"why", 3}};
    assert_int_equal(sw_task_cancel(r.engine, &row, 1, &r.error), 0);
    assert_letters(&r, &filter, "");
    rig_close(&r);
}

static void dead_count_groups(void **state)
{
    rig r;
    sw_uuid tasks[3];
    size_t count = 0;
    sw_result *result = NULL;
    (void)state;
    rig_open(&r, "memory:", WIDE);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    fill(&r, &worker, tasks);
    sw_dead_filter filter = any();
    filter.limit = 1; /* counts everything all the same */
    assert_int_equal(sw_dead_count(r.engine, &filter, &result, &r.error), 0);
    const sw_dead_group *rows = sw_dead_groups(result, &count);
    assert_int_equal(count, 3);
    assert_memory_equal(rows[0].error_class.ptr, "Late", 4);
    assert_memory_equal(rows[0].handler.ptr, "w.h2", 4);
    assert_int_equal(rows[0].count, 3);
    assert_int_equal(rows[0].oldest_us, rig_step(&r, &tasks[0], "b").changed_us);
    assert_int_equal(rows[0].newest_us, rig_step(&r, &tasks[2], "b").changed_us);
    assert_int_equal(rows[1].count, 2);
    assert_memory_equal(rows[2].error_class.ptr, "Early", 5);
    assert_int_equal(rows[2].count, 1);
    sw_result_free(result);
    rig_close(&r);
}

/* Not among the calls of tests/fault, whose stores grow with every failure that they try. */
static void dead_count_survives_lack_of_memory(void **state)
{
    rig r;
    sw_uuid tasks[3];
    int rc = SW_ENOMEM;
    (void)state;
    rig_open(&r, "memory:", WIDE);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    fill(&r, &worker, tasks);
    sw_dead_filter filter = any();
    for (size_t nth = 1; rc < 0; nth++) {
        sw_result *result = NULL;
        fault_env_arm(&r.fault, nth, false);
        rc = sw_dead_count(r.engine, &filter, &result, &r.error);
        fault_env_arm(&r.fault, 0, false);
        assert_true(rc == 0 || (rc == SW_ENOMEM && !result));
        sw_result_free(result);
        assert_true(nth < 100);
    }
    rig_close(&r);
}

static void dead_override_retries(void **state)
{
    rig r;
    sw_uuid tasks[3];
    size_t count = 0;
    sw_result *result = NULL;
    (void)state;
    rig_open(&r, "memory:", WIDE);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    fill(&r, &worker, tasks);
    sw_dead_filter filter = any();
    sw_dead_action retry = action(SW_STEP_READY);
    filter.handler = str("w.h1");
    filter.limit = 2;
    assert_int_equal(sw_dead_override(r.engine, &filter, &retry, &result, &r.error), 0);
    const sw_dead_letter *letters = sw_dead_letters(result, &count);
    assert_int_equal(count, 2);
    const sw_step_overridden *rows = sw_step_overrides(result, &count);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].step_id, letters[i].step_id);
        assert_int_equal(rows[i].status, SW_ROW_APPLIED);
        assert_int_equal(rows[i].from, SW_STEP_FAILED);
        assert_int_equal(rows[i].state, SW_STEP_READY);
    }
    sw_result_free(result);
    filter.limit = 0;
    assert_letters(&r, &filter, "a");
    rig_verify(&r);
    rig_close(&r);
}

static void dead_letter_fails_again_and_is_newer(void **state)
{
    rig r;
    sw_result *result = NULL;
    (void)state;
    rig_open(&r, "memory:", TWICE);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    sw_dead_filter filter = any();
    sw_dead_action retry = action(SW_STEP_READY);
    fail_step(&r, &worker, "a", "First");
    int64_t first_us = rig_step(&r, &task, "a").changed_us;
    assert_int_equal(sw_dead_override(r.engine, &filter, &retry, &result, &r.error), 0);
    sw_result_free(result);
    assert_letters(&r, &filter, "");
    fail_step(&r, &worker, "a", "Second");
    assert_true(rig_step(&r, &task, "a").changed_us > first_us);
    filter.error_class = str("First");
    assert_letters(&r, &filter, "");
    filter.error_class = str("Second");
    assert_letters(&r, &filter, "a");
    assert_int_equal(rig_step(&r, &task, "a").attempt, 2);
    rig_verify(&r);
    rig_close(&r);
}

static void dead_override_resolves_with_a_result(void **state)
{
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    (void)state;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    sw_dead_filter filter = any();
    sw_dead_action resolve = action(SW_STEP_RESOLVED);
    resolve.result = str("{\"paid\":true}");
    fail_step(&r, &worker, "a", "Declined");
    assert_int_equal(sw_dead_override(r.engine, &filter, &resolve, &result, &r.error), 0);
    sw_result_free(result);
    assert_letters(&r, &filter, "");
    sw_step_row row = rig_step(&r, &task, "a");
    assert_int_equal(row.state, SW_STEP_RESOLVED);
    assert_memory_equal(row.result.ptr, "{\"paid\":true}", 13);
    rig_claims(&r, &worker, "b");
    const sw_step_claim *claim = sw_step_claims(r.last, &count);
    assert_int_equal(claim->inputs[0].state, SW_STEP_RESOLVED);
    assert_memory_equal(claim->inputs[0].result.ptr, "{\"paid\":true}", 13);
    rig_verify(&r);
    rig_close(&r);
}

/* The log keeps the digest of the result, so that another result is found. */
static void resolved_result_is_sealed(void **state)
{
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    (void)state;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000000);
    fail_step(&r, &worker, "a", "Declined");
    sw_step_override_row row = {.step_id = rig_step(&r, &task, "a").step_id,
                                .state = SW_STEP_RESOLVED,
                                .actor = {"ann", 3},
                                .reason = {"paid", 4},
                                .result = {"7", 1}};
    assert_int_equal(sw_step_override(r.engine, &row, 1, 0, &result, &r.error), 0);
    sw_result_free(result);
    assert_int_equal(sw_audit_task(r.engine, &task, &result, &r.error), 0);
    const sw_audit_entry *entries = sw_audit_entries(result, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].to == SW_STEP_RESOLVED && entries[i].kind == SW_AUDIT_STEP_CHANGED) {
            assert_int_equal(entries[i].digest.len, 32);
            found = true;
        }
    }
    assert_true(found);
    sw_result_free(result);
    rig_verify(&r);
    rig_close(&r);
}

/* A call that must be refused with a code and words of which these are some. */
static void refuse(rig *r, const sw_dead_filter *filter, const sw_dead_action *what, int code,
                   const char *why)
{
    sw_result *result = NULL;
    assert_int_equal(sw_dead_override(r->engine, filter, what, &result, &r->error), code);
    assert_null(result);
    if (!strstr(r->error.message, why))
        fail_msg("\"%s\" lacks \"%s\"", r->error.message, why);
}

static void dead_override_checks_what_it_is_given(void **state)
{
    rig r;
    sw_result *result = NULL;
    (void)state;
    rig_open(&r, "memory:", CHAIN);
    sw_dead_filter filter = any();
    sw_dead_action what = action(SW_STEP_SKIPPED);
    refuse(&r, &filter, &what, SW_EINVAL, "not skipped");
    what = action(SW_STEP_READY);
    what.result = str("1");
    refuse(&r, &filter, &what, SW_EINVAL, "only a resolved step");
    what.state = SW_STEP_RESOLVED;
    what.result = str("{");
    refuse(&r, &filter, &what, SW_EINVAL, "not JSON");
    what.result = (sw_str){0};
    what.actor = (sw_str){0};
    refuse(&r, &filter, &what, SW_EINVAL, "actor is missing");
    refuse(&r, &filter, NULL, SW_EINVAL, "action is NULL");
    what = action(SW_STEP_READY);
    filter.limit = 10001;
    refuse(&r, &filter, &what, SW_EINVAL, "limit 10001");
    filter = any();
    filter.failed_after_us = -1;
    refuse(&r, &filter, &what, SW_EINVAL, "negative");
    assert_int_equal(sw_dead_list(r.engine, NULL, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_dead_override(r.engine, &filter, &what, NULL, &r.error), SW_EINVAL);
    filter = any();
    assert_int_equal(sw_dead_override(NULL, &filter, &what, &result, &r.error), SW_EINVAL);
    rig_close(&r);
}

/* More letters than a batch of the walk holds, in one task. */
static void dead_list_goes_on_behind_a_batch(void **state)
{
    enum { STEPS = 600 };
    static char text[STEPS * 48 + 64];
    sw_step_outcome rows[100];
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    (void)state;
    strcpy(text, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < STEPS; i++)
        snprintf(text + strlen(text), 48, "%s{\"name\":\"s%03d\",\"handler\":\"w.h\"}",
                 i ? "," : "", i);
    strcat(text, "]}");
    rig_open(&r, "memory:", text);
    rig_submit(&r);
    sw_str handler = str("w.h");
    sw_worker_ref worker;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    assert_int_equal(sw_worker_open(r.engine, &options, &worker, &r.error), 0);
    for (int left = STEPS; left > 0; left -= 100) {
        rig_exchange(&r, &worker, NULL, 0, 100);
        const sw_step_claim *claims = sw_step_claims(r.last, &count);
        assert_int_equal(count, 100);
        for (size_t i = 0; i < count; i++)
            rows[i] = (sw_step_outcome){.step_id = claims[i].step_id,
                                        .epoch = claims[i].epoch,
                                        .outcome = SW_OUTCOME_FAILED_FOR_GOOD};
        rig_exchange(&r, &worker, rows, count, 0);
    }
    sw_dead_filter filter = any();
    filter.limit = 10000;
    assert_int_equal(sw_dead_list(r.engine, &filter, &result, &r.error), 0);
    const sw_dead_letter *letters = sw_dead_letters(result, &count);
    assert_int_equal(count, STEPS);
    for (size_t i = 1; i < count; i++)
        assert_true(letters[i].failed_us < letters[i - 1].failed_us ||
                    (letters[i].failed_us == letters[i - 1].failed_us &&
                     letters[i].step_id > letters[i - 1].step_id));
    sw_result_free(result);
    assert_int_equal(sw_dead_count(r.engine, &filter, &result, &r.error), 0);
    assert_int_equal(sw_dead_groups(result, &count)->count, STEPS);
    assert_int_equal(count, 1);
    sw_result_free(result);
    sw_dead_action retry = action(SW_STEP_READY);
    assert_int_equal(sw_dead_override(r.engine, &filter, &retry, &result, &r.error), 0);
    sw_step_overrides(result, &count);
    assert_int_equal(count, STEPS);
    sw_result_free(result);
    rig_verify(&r);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_letter_tells_what_failed),
        cmocka_unit_test(dead_letter_is_kept_in_a_file),
        cmocka_unit_test(dead_list_filters),
        cmocka_unit_test(dead_list_has_pages),
        cmocka_unit_test(dead_list_leaves_out_what_is_allowed_or_given_up),
        cmocka_unit_test(dead_count_groups),
        cmocka_unit_test(dead_count_survives_lack_of_memory),
        cmocka_unit_test(dead_override_retries),
        cmocka_unit_test(dead_letter_fails_again_and_is_newer),
        cmocka_unit_test(dead_override_resolves_with_a_result),
        cmocka_unit_test(resolved_result_is_sealed),
        cmocka_unit_test(dead_override_checks_what_it_is_given),
        cmocka_unit_test(dead_list_goes_on_behind_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
