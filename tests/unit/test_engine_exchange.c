/* The exchange: readiness, order of claims, failures and what follows from them, bad arguments. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define MS 1000
#define STEPS(list) "{\"stepwell\":1,\"name\":\"w\",\"steps\":[" list "]}"
#define RETRY(attempts, backoff, base)                                                             \
    "\"retry\":{\"max_attempts\":" attempts ",\"backoff\":\"" backoff "\",\"base_ms\":" base       \
    ",\"max_ms\":60000,\"jitter\":0}"

static void exchange_claims_by_priority_then_age(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"low\",\"priority\":-5},{\"name\":\"mid\"},"
                   "{\"name\":\"top\",\"priority\":9}"));
    rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "top mid low");
    rig_close(&r);
}

/* With many lanes, a short look at each must not hide a better row further down in one. */
static void exchange_claims_best_over_many_lanes(void **state)
{
    (void)state;
    rig r;
    char definition[16384] = "{\"stepwell\":1,\"name\":\"w\",\"steps\":[";
    for (int i = 0; i < 100; i++) {
        char step[160];
        snprintf(step, sizeof step, "%s{\"name\":\"s%d\",\"handler\":\"w.%s\",\"priority\":%d}",
                 i ? "," : "", i,
                 i < 60  ? "many"
                 : i % 2 ? "odd"
                         : "even",
                 i < 60 ? 100 : 1);
        strcat(definition, step);
    }
    strcat(definition, "]}");
    rig_open(&r, "memory:", definition);
    rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    size_t count = 0;
    rig_exchange(&r, &worker, NULL, 0, 60);
    const sw_step_claim *claims = sw_step_claims(r.last, &count);
    assert_int_equal(count, 60);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(claims[i].handler.len, strlen("w.many"));
    rig_close(&r);
}

/* A worker for one task takes nothing of another, however many stand before it. */
static void exchange_worker_for_one_task(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_worker_ref worker;
    sw_str handler = {"w.a", 3};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    rig_open(&r, "memory:", STEPS("{\"name\":\"a\"}"));
    for (int i = 0; i < 20; i++)
        rig_submit(&r);
    sw_uuid mine = rig_submit(&r);
    options.handlers = &handler;
    options.handler_count = 1;
    options.task = &mine;
    assert_int_equal(sw_worker_open(r.engine, &options, &worker, &r.error), 0);
    rig_exchange(&r, &worker, NULL, 0, 3);
    const sw_step_claim *claims = sw_step_claims(r.last, &count);
    assert_int_equal(count, 1);
    assert_memory_equal(&claims[0].task_id, &mine, sizeof mine);
    rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED), SW_ROW_APPLIED);
    rig_claims(&r, &worker, "");
    mine.bytes[15] ^= 1;
    assert_int_equal(sw_worker_open(r.engine, &options, &worker, &r.error), SW_ENOTFOUND);
    rig_close(&r);
}

/* A join waits for all, and completions of one batch fire it once. */
static void exchange_join_fires_once(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_step_outcome rows[3];
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},"
                   "{\"name\":\"join\",\"after\":[\"a\",\"b\",\"c\"]}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "a b c");
    rows[0] = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    rows[1] = rig_outcome(&r, "b", SW_OUTCOME_SUCCEEDED);
    rows[2] = rig_outcome(&r, "c", SW_OUTCOME_SUCCEEDED);
    rows[1].result = (sw_str){"{\"b\":1}", 7};
    rig_exchange(&r, &worker, rows, 3, 10);
    const sw_step_claim *claims = sw_step_claims(r.last, &count);
    assert_int_equal(count, 1);
    assert_int_equal(claims[0].input_count, 3);
    assert_null(claims[0].inputs[0].result.ptr);
    assert_memory_equal(claims[0].inputs[1].result.ptr, "{\"b\":1}", 7);
    assert_int_equal(rig_step(&r, &task, "join").open_deps, 0);
    rig_verify(&r);
    rig_close(&r);
}

/* The second of two reports of one attempt is fenced: it would complete the step twice. */
static void exchange_duplicate_report_is_fenced(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]},"
                   "{\"name\":\"c\",\"after\":[\"a\",\"b\"]}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "a");
    sw_step_outcome row = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    sw_step_outcome twice[] = {row, row};
    rig_exchange(&r, &worker, twice, 2, 0);
    const sw_step_applied *applied = sw_step_applications(r.last, &count);
    assert_int_equal(applied[0].status, SW_ROW_APPLIED);
    assert_int_equal(applied[1].status, SW_ROW_FENCED);
    rig_report(&r, &worker, row, SW_ROW_FENCED);
    assert_int_equal(rig_step(&r, &task, "c").open_deps, 1);
    rig_verify(&r);
    rig_close(&r);
}

static void exchange_retry_waits_for_its_time(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", STEPS("{\"name\":\"a\"," RETRY("3", "exponential", "1000") "}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    const int64_t delays_ms[] = {1000, 2000};
    for (int i = 0; i < 2; i++) {
        rig_claims(&r, &worker, "a");
        sw_step_outcome row = rig_outcome(&r, "a", SW_OUTCOME_FAILED);
        row.error_class = (sw_str){"Net::Error", 10};
        rig_report(&r, &worker, row, SW_ROW_APPLIED);
        fault_env_advance(&r.fault, delays_ms[i] * MS - 1);
        rig_claims(&r, &worker, "");
        fault_env_advance(&r.fault, 1);
    }
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->attempt, 3);
    rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_FAILED), SW_ROW_APPLIED);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_FAILED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

static void exchange_retry_after_is_honoured(void **state)
{
    (void)state;
    rig r;
    const int64_t two_hours_ms = 2 * 3600 * 1000;
    rig_open(&r, "memory:", STEPS("{\"name\":\"a\"," RETRY("2", "none", "0") "}"));
    rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_claims(&r, &worker, "a");
    sw_step_outcome row = rig_outcome(&r, "a", SW_OUTCOME_FAILED);
    row.retry_after_ms = two_hours_ms;
    rig_report(&r, &worker, row, SW_ROW_APPLIED);
    fault_env_advance(&r.fault, two_hours_ms * MS - 1);
    rig_claims(&r, &worker, "");
    fault_env_advance(&r.fault, 1);
    rig_claims(&r, &worker, "a");
    rig_close(&r);
}

static void exchange_released_attempt_does_not_count(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", STEPS("{\"name\":\"a\"}"));
    rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    for (int i = 1; i <= 3; i++) {
        rig_claims(&r, &worker, "a");
        assert_int_equal(rig_claim(&r, "a")->attempt, 1);
        assert_int_equal(rig_claim(&r, "a")->epoch, i);
        rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_RELEASED), SW_ROW_APPLIED);
    }
    rig_verify(&r);
    rig_close(&r);
}

/* A failed branch blocks its dependents only; the task ends when nothing else can go on. */
static void exchange_independent_branch_goes_on(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"bad\"},{\"name\":\"good\"},"
                   "{\"name\":\"after_bad\",\"after\":[\"bad\"]},"
                   "{\"name\":\"after_good\",\"after\":[\"good\"]}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_claims(&r, &worker, "bad good");
    sw_step_outcome good = rig_outcome(&r, "good", SW_OUTCOME_SUCCEEDED);
    rig_report(&r, &worker, rig_outcome(&r, "bad", SW_OUTCOME_FAILED_FOR_GOOD), SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_RUNNING);
    rig_report(&r, &worker, good, SW_ROW_APPLIED);
    rig_claims(&r, &worker, "after_good");
    rig_report(&r, &worker, rig_outcome(&r, "after_good", SW_OUTCOME_SUCCEEDED), SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    assert_int_equal(rig_step(&r, &task, "after_bad").state, SW_STEP_PENDING);
    rig_verify(&r);
    rig_close(&r);
}

static void exchange_fail_task_stops_what_does_not_run(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"bad\",\"on_failure\":\"fail_task\"},"
                   "{\"name\":\"busy\"," RETRY(
                       "9", "none",
                       "0") "},"
                            "{\"name\":\"later\",\"after\":[\"busy\"]},{\"name\":\"other\"}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_exchange(&r, &worker, NULL, 0, 2);
    sw_step_outcome busy = rig_outcome(&r, "busy", SW_OUTCOME_FAILED);
    rig_report(&r, &worker, rig_outcome(&r, "bad", SW_OUTCOME_FAILED_FOR_GOOD), SW_ROW_APPLIED);
    assert_int_equal(rig_step(&r, &task, "later").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_step(&r, &task, "other").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_RUNNING);
    /* The running one may end, but it is not tried again. */
    rig_report(&r, &worker, busy, SW_ROW_APPLIED);
    assert_int_equal(rig_step(&r, &task, "busy").state, SW_STEP_FAILED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* Nothing starts again in a task that was stopped: what is given back is cancelled. */
static void exchange_stopped_task_takes_nothing_back(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"bad\",\"on_failure\":\"fail_task\"},"
                   "{\"name\":\"released\"},{\"name\":\"left\"}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_claims(&r, &worker, "bad released left");
    sw_step_outcome released = rig_outcome(&r, "released", SW_OUTCOME_RELEASED);
    rig_report(&r, &worker, rig_outcome(&r, "bad", SW_OUTCOME_FAILED), SW_ROW_APPLIED);
    rig_report(&r, &worker, released, SW_ROW_APPLIED);
    assert_int_equal(rig_step(&r, &task, "released").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_RUNNING);
    assert_int_equal(sw_worker_close(r.engine, &worker, &r.error), 0);
    assert_int_equal(rig_step(&r, &task, "left").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

static void exchange_continue_satisfies_dependents(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"try\",\"on_failure\":\"continue\"},"
                   "{\"name\":\"then\",\"after\":[\"try\"]}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_claims(&r, &worker, "try");
    rig_report(&r, &worker, rig_outcome(&r, "try", SW_OUTCOME_FAILED), SW_ROW_APPLIED);
    rig_claims(&r, &worker, "then");
    assert_int_equal(rig_claim(&r, "then")->inputs[0].state, SW_STEP_FAILED);
    rig_report(&r, &worker, rig_outcome(&r, "then", SW_OUTCOME_SUCCEEDED), SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_SUCCEEDED);
    rig_verify(&r);
    rig_close(&r);
}

static void exchange_cancel_fences_the_running(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", STEPS("{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_claims(&r, &worker, "a");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    sw_step_hold held = {late.step_id, late.epoch};
    sw_cancel_row row = {.task_id = task, .actor = {"ann", 3}, .reason = {"no need", 7}};
    assert_int_equal(sw_task_cancel(r.engine, &row, 1, &r.error), 0);
    size_t lost = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_worker_renew(r.engine, &worker, &held, 1, &result, &r.error), 0);
    sw_step_holds(result, &lost);
    assert_int_equal(lost, 1);
    sw_result_free(result);
    rig_report(&r, &worker, late, SW_ROW_FENCED);
    assert_int_equal(rig_step(&r, &task, "b").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_CANCELLED);
    assert_int_equal(sw_task_cancel(r.engine, &row, 1, &r.error), SW_ESTATE);
    assert_int_equal(r.error.row, 0);
    rig_verify(&r);
    rig_close(&r);
}

/* One bad row, and nothing of the batch is written. */
static void exchange_bad_row_writes_nothing(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", STEPS("{\"name\":\"a\"},{\"name\":\"b\"}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 600000);
    rig_claims(&r, &worker, "a b");
    sw_step_outcome good = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    const struct {
        sw_step_outcome row;
        int code;
    } bad[] = {
        {{.step_id = good.step_id, .outcome = 17}, SW_EINVAL},
        {{.step_id = good.step_id, .result = {"{\"a\":", 5}}, SW_EINVAL},
        {{.step_id = good.step_id, .result = {"\"\xff\"", 3}}, SW_EINVAL},
        {{.step_id = good.step_id, .retry_after_ms = -1}, SW_EINVAL},
        {{.step_id = good.step_id, .epoch = -1}, SW_EINVAL},
        {{.step_id = good.step_id, .error_message = {"\xc3", 1}}, SW_EINVAL},
        {{.step_id = good.step_id, .result = {NULL, 9}}, SW_EINVAL},
        {{.step_id = 1LL << 60}, SW_ENOTFOUND},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sw_result *result = NULL;
        sw_step_outcome rows[] = {good, bad[i].row};
        int rc = sw_step_exchange(r.engine, &worker, rows, 2, 10, 0, &result, &r.error);
        assert_string_equal(sw_code_name(rc), sw_code_name(bad[i].code));
        assert_int_equal(r.error.row, 1);
        assert_null(strstr(r.error.message, "audit entry"));
        assert_null(result);
        assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_RUNNING);
    }
    rig_report(&r, &worker, good, SW_ROW_APPLIED);
    rig_verify(&r);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchange_claims_by_priority_then_age),
        cmocka_unit_test(exchange_claims_best_over_many_lanes),
        cmocka_unit_test(exchange_worker_for_one_task),
        cmocka_unit_test(exchange_join_fires_once),
        cmocka_unit_test(exchange_duplicate_report_is_fenced),
        cmocka_unit_test(exchange_retry_waits_for_its_time),
        cmocka_unit_test(exchange_retry_after_is_honoured),
        cmocka_unit_test(exchange_released_attempt_does_not_count),
        cmocka_unit_test(exchange_independent_branch_goes_on),
        cmocka_unit_test(exchange_fail_task_stops_what_does_not_run),
        cmocka_unit_test(exchange_stopped_task_takes_nothing_back),
        cmocka_unit_test(exchange_continue_satisfies_dependents),
        cmocka_unit_test(exchange_cancel_fences_the_running),
        cmocka_unit_test(exchange_bad_row_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
