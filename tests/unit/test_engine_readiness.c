/* Whether steps may start: each reason, the counts of parents and attempts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define SECOND_US INT64_C(1000000)
#define DEFINITION                                                                                 \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["                                                   \
    "{\"name\":\"a\",\"retry\":{\"max_attempts\":2,\"backoff\":\"linear\",\"base_ms\":5000,"       \
    "\"jitter\":0}},{\"name\":\"b\"},{\"name\":\"c\",\"after\":[\"a\",\"b\"]},"                    \
    "{\"name\":\"d\",\"after\":[\"c\"]},{\"name\":\"e\",\"after\":[\"b\"]}]}"

/* What a row must say. */
typedef struct expected {
    int reason;
    bool ready;
    bool satisfied;
    bool eligible;
    int attempts;
    int completed;
    int total;
} expected;

static const sw_step_readiness_row *rows_of(rig *r, const sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    if (sw_step_readiness(r->engine, task, &result, &r->error) < 0)
        fail_msg("%s", r->error.message);
    sw_result_free(r->last);
    r->last = result;
    const sw_step_readiness_row *rows = sw_readiness_rows(result, &count);
    assert_int_equal(count, 5);
    return rows;
}

static void assert_step(rig *r, const sw_uuid *task, char step, expected e)
{
    int state = rig_step(r, task, (char[]){step, 0}).state;
    const sw_step_readiness_row *row = rows_of(r, task);
    while (row->step.ptr[0] != step)
        row++;
    assert_string_equal(sw_reason_name(row->reason), sw_reason_name(e.reason));
    assert_int_equal(row->ready, e.ready);
    assert_int_equal(row->dependencies_satisfied, e.satisfied);
    assert_int_equal(row->retry_eligible, e.eligible);
    assert_int_equal(row->attempts, e.attempts);
    assert_int_equal(row->completed_parents, e.completed);
    assert_int_equal(row->total_parents, e.total);
    assert_int_equal(row->max_attempts, step == 'a' ? 2 : 1);
    assert_int_equal(row->state, state);
}

/* Claim everything; the outcome of one step is reported, the others are given back. */
static void finish(rig *r, const sw_worker_ref *worker, const char *step, int outcome)
{
    size_t count = 0;
    sw_step_outcome rows[5];
    rig_exchange(r, worker, NULL, 0, 5);
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    rig_claim(r, step);
    for (size_t i = 0; i < count; i++)
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id,
            .epoch = claims[i].epoch,
            .outcome = claims[i].name.ptr[0] == *step ? outcome : SW_OUTCOME_RELEASED};
    rig_exchange(r, worker, rows, count, 0);
}

static void readiness_of_a_task_that_goes_well(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", DEFINITION);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    assert_step(&r, &task, 'a', (expected){SW_REASON_QUEUED, true, true, true, 0, 0, 0});
    assert_step(&r, &task, 'c', (expected){SW_REASON_OPEN_DEPENDENCY, false, false, true, 0, 0, 2});
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    assert_step(&r, &task, 'b', (expected){SW_REASON_ENDED, false, true, false, 1, 0, 0});
    assert_step(&r, &task, 'c', (expected){SW_REASON_OPEN_DEPENDENCY, false, false, true, 0, 1, 2});
    assert_step(&r, &task, 'e', (expected){SW_REASON_QUEUED, true, true, true, 0, 1, 1});
    rig_claims(&r, &worker, "a e");
    assert_step(&r, &task, 'a', (expected){SW_REASON_RUNNING, false, true, true, 1, 0, 0});
    assert_step(&r, &task, 'e', (expected){SW_REASON_RUNNING, false, true, false, 1, 1, 1});
    rig_close(&r);
}

static void readiness_of_retries_and_failures(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", DEFINITION);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED);
    assert_step(&r, &task, 'a', (expected){SW_REASON_NOT_BEFORE, false, true, true, 1, 0, 0});
    int64_t not_before_us = rig_step(&r, &task, "a").not_before_us;
    assert_int_equal(rows_of(&r, &task)->next_retry_us, not_before_us);
    fault_env_advance(&r.fault, 5 * SECOND_US);
    assert_step(&r, &task, 'a', (expected){SW_REASON_QUEUED, true, true, true, 1, 0, 0});
    assert_int_equal(rows_of(&r, &task)->next_retry_us, 0);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED);
    assert_step(&r, &task, 'a',
                (expected){SW_REASON_ATTEMPTS_USED_UP, false, true, false, 2, 0, 0});
    assert_step(&r, &task, 'c',
                (expected){SW_REASON_FAILED_DEPENDENCY, false, false, true, 0, 0, 2});
    assert_step(&r, &task, 'd',
                (expected){SW_REASON_FAILED_DEPENDENCY, false, false, true, 0, 0, 1});
    assert_step(&r, &task, 'e', (expected){SW_REASON_OPEN_DEPENDENCY, false, false, true, 0, 0, 1});
    sw_uuid other = rig_submit(&r);
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED); /* of both */
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_step(&r, &other, 'a',
                (expected){SW_REASON_FAILED_FOR_GOOD, false, true, false, 1, 0, 0});
    rig_close(&r);
}

/* A lost lease uses no attempt up. */
static void readiness_does_not_count_lost_leases(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", DEFINITION);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref lost = rig_worker(&r, 1000);
    rig_claims(&r, &lost, "a b");
    fault_env_advance(&r.fault, 2 * SECOND_US);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_exchange(&r, &worker, NULL, 0, 0);
    assert_int_equal(rig_step(&r, &task, "a").attempt, 1);
    assert_step(&r, &task, 'a', (expected){SW_REASON_QUEUED, true, true, true, 0, 0, 0});
    rig_close(&r);
}

static void readiness_of_a_cancelled_task(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", DEFINITION);
    sw_uuid task = rig_submit(&r);
    sw_cancel_row row = {.task_id = task, .actor = {"ann", 3}, .reason = {"enough", 6}};
    assert_int_equal(sw_task_cancel(r.engine, &row, 1, &r.error), 0);
    for (char step = 'a'; step <= 'e'; step++) {
        bool root = step < 'c';
        assert_step(&r, &task, step,
                    (expected){SW_REASON_ENDED, false, root, false, 0, 0,
                               root          ? 0
                               : step == 'c' ? 2
                                             : 1});
    }
    rig_close(&r);
}

static void readiness_refuses(void **state)
{
    (void)state;
    rig r;
    sw_result *result = NULL;
    static const sw_uuid nobody = {{7}};
    rig_open(&r, "memory:", DEFINITION);
    assert_int_equal(sw_step_readiness(r.engine, &nobody, &result, &r.error), SW_ENOTFOUND);
    assert_null(result);
    assert_int_equal(sw_step_readiness(r.engine, NULL, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_step_readiness(r.engine, &nobody, NULL, &r.error), SW_EINVAL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness_of_a_task_that_goes_well),
        cmocka_unit_test(readiness_of_retries_and_failures),
        cmocka_unit_test(readiness_does_not_count_lost_leases),
        cmocka_unit_test(readiness_of_a_cancelled_task),
        cmocka_unit_test(readiness_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
