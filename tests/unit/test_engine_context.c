/* Where tasks stand: each status, action and health, counts of every state, what blocks and what
 * comes next. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define SECOND_US INT64_C(1000000)
#define STEP(name, rest) "{\"name\":\"" name "\"" rest "}"
#define WORKFLOW(steps) "{\"stepwell\":1,\"name\":\"w\",\"version\":\"7\",\"steps\":[" steps "]}"

/* Two branches, a to c and b to d, that meet in e. */
#define BRANCHES                                                                                   \
    WORKFLOW(STEP("a", "") "," STEP("b", ",\"priority\":5") "," STEP(                              \
        "c",                                                                                       \
        ",\"after\":[\"a\"]") "," STEP("d",                                                        \
                                       ",\"after\":[\"b\"]") "," STEP("e",                         \
                                                                      ",\"after\":[\"c\",\"d\"]"))
#define RETRIED                                                                                    \
    WORKFLOW(STEP("a", ",\"retry\":{\"max_attempts\":2,\"backoff\":\"linear\",\"base_ms\":5000,"   \
                       "\"jitter\":0}") "," STEP("b", ",\"after\":[\"a\"]"))
#define ALLOWED                                                                                    \
    WORKFLOW(STEP("a", ",\"on_failure\":\"continue\"") "," STEP("b", "") "," STEP(                 \
        "c", ",\"after\":[\"a\",\"b\"]"))

/* The row of one task; its texts live until the next call. */
static const sw_task_context_row *context_of(rig *r, const sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    if (sw_task_context(r->engine, task, 1, &result, &r->error) < 0)
        fail_msg("%s", r->error.message);
    sw_result_free(r->last);
    r->last = result;
    const sw_task_context_row *row = sw_task_contexts(result, &count);
    assert_int_equal(count, 1);
    assert_memory_equal(&row->task_id, task, sizeof *task);
    int64_t total = 0;
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
        total += row->step_counts[state];
    assert_int_equal(total, row->step_count);
    return row;
}

static void assert_stands(const sw_task_context_row *row, int status, int health, double percent)
{
    assert_string_equal(sw_execution_status_name(row->execution_status),
                        sw_execution_status_name(status));
    assert_string_equal(sw_health_status_name(row->health_status), sw_health_status_name(health));
    assert_int_equal(row->recommended_action, status);
    assert_float_equal(row->completion_percentage, percent, 1e-9);
}

/* Names of a list, separated by blanks. */
static void assert_names(const sw_str *names, size_t count, const char *expected)
{
    char found[256] = "";
    for (size_t i = 0; i < count; i++) {
        strncat(found, i ? " " : "", sizeof found - strlen(found) - 1);
        strncat(found, names[i].ptr, names[i].len);
    }
    assert_string_equal(found, expected);
}

static void assert_lists(const sw_task_context_row *row, const char *next, const char *blocking,
                         const char *blocked)
{
    assert_names(row->next_steps, row->next_step_count, next);
    assert_names(row->blocking_steps, row->blocking_step_count, blocking);
    assert_names(row->blocked_steps, row->blocked_step_count, blocked);
    assert_int_equal(row->ready_count, row->next_step_count);
}

/* Claim everything that is ready, report one of it and give the rest back. */
static void finish(rig *r, const sw_worker_ref *worker, const char *step, int outcome)
{
    size_t count = 0;
    sw_step_outcome rows[16];
    rig_exchange(r, worker, NULL, 0, 16);
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    rig_claim(r, step);
    for (size_t i = 0; i < count; i++) {
        bool chosen =
            claims[i].name.len == strlen(step) && memcmp(claims[i].name.ptr, step, 1) == 0;
        rows[i] = (sw_step_outcome){.step_id = claims[i].step_id,
                                    .epoch = claims[i].epoch,
                                    .outcome = chosen ? outcome : SW_OUTCOME_RELEASED};
    }
    rig_exchange(r, worker, rows, count, 0);
}

static void cancel(rig *r, const sw_uuid *task)
{
    sw_cancel_row row = {.task_id = *task, .actor = {"ann", 3}, .reason = {"enough", 6}};
    assert_int_equal(sw_task_cancel(r->engine, &row, 1, &r->error), 0);
}

static void context_of_a_task_that_goes_well(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", BRANCHES);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    const sw_task_context_row *row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_HEALTHY, 0.0);
    assert_lists(row, "b a", "", "");
    assert_names(&row->workflow, 1, "w");
    assert_names(&row->version, 1, "7");
    assert_int_equal(row->state, SW_TASK_PENDING);
    assert_int_equal(row->step_counts[SW_STEP_PENDING], 3);
    rig_exchange(&r, &worker, NULL, 0, 1);
    sw_step_outcome b = rig_outcome(&r, "b", SW_OUTCOME_SUCCEEDED);
    assert_stands(context_of(&r, &task), SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_HEALTHY, 0.0);
    rig_exchange(&r, &worker, NULL, 0, 1);
    sw_step_outcome a = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_PROCESSING, SW_HEALTH_HEALTHY, 0.0);
    assert_lists(row, "", "", "");
    rig_report(&r, &worker, b, SW_ROW_APPLIED);
    rig_report(&r, &worker, a, SW_ROW_APPLIED);
    finish(&r, &worker, "c", SW_OUTCOME_SUCCEEDED);
    finish(&r, &worker, "d", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_HEALTHY, 80.0);
    assert_lists(row, "e", "", "");
    finish(&r, &worker, "e", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_ALL_COMPLETE, SW_HEALTH_HEALTHY, 100.0);
    assert_int_equal(row->state, SW_TASK_SUCCEEDED);
    rig_close(&r);
}

/* Checklist rows 45 and 96: Tasker says blocked_by_failures while another branch has ready steps.
 */
static void row_45_a_failed_branch_hides_no_ready_steps(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", BRANCHES);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    const sw_task_context_row *row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_RECOVERING, 0.0);
    assert_string_equal(sw_recommended_action_name(row->recommended_action), "execute_ready_steps");
    assert_lists(row, "b", "a", "c e");
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    finish(&r, &worker, "d", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_BLOCKED_BY_FAILURES, SW_HEALTH_BLOCKED, 40.0);
    assert_string_equal(sw_recommended_action_name(row->recommended_action), "handle_failures");
    assert_lists(row, "", "a", "c e");
    assert_int_equal(row->state, SW_TASK_FAILED);
    rig_close(&r);
}

/* Checklist row 96: Tasker counts a step that waits for its retry nowhere. */
static void row_96_a_step_that_waits_for_its_retry_is_counted(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", RETRIED);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED);
    const sw_task_context_row *row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_WAITING_FOR_DEPENDENCIES, SW_HEALTH_RECOVERING, 0.0);
    assert_lists(row, "", "", "");
    assert_int_equal(row->step_counts[SW_STEP_READY], 1);
    assert_true(row->next_retry_us > 0);
    fault_env_advance(&r.fault, 5 * SECOND_US);
    row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_RECOVERING, 0.0);
    assert_int_equal(row->next_retry_us, 0);
    assert_lists(row, "a", "", "");
    rig_claims(&r, &worker, "a");
    sw_step_outcome second = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    assert_stands(context_of(&r, &task), SW_EXECUTION_PROCESSING, SW_HEALTH_RECOVERING, 0.0);
    rig_report(&r, &worker, second, SW_ROW_APPLIED);
    assert_stands(context_of(&r, &task), SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_HEALTHY, 50.0);
    rig_close(&r);
}

/* Checklist row 96: a cancelled step leaves Tasker's task "healthy" and waiting. */
static void row_96_a_cancelled_task_is_not_healthy(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", BRANCHES);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_SUCCEEDED);
    cancel(&r, &task);
    const sw_task_context_row *row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_BLOCKED_BY_FAILURES, SW_HEALTH_BLOCKED, 20.0);
    assert_int_equal(row->step_counts[SW_STEP_CANCELLED], 4);
    assert_lists(row, "", "b c d e", "");
    rig_close(&r);
}

/* A failure that is allowed is done, and two digits never round up to what is not there. */
static void context_of_an_allowed_failure(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ALLOWED);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    const sw_task_context_row *row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_RECOVERING, 33.33);
    assert_lists(row, "b", "", "");
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    assert_stands(context_of(&r, &task), SW_EXECUTION_HAS_READY_STEPS, SW_HEALTH_RECOVERING, 66.66);
    finish(&r, &worker, "c", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_stands(row, SW_EXECUTION_ALL_COMPLETE, SW_HEALTH_HEALTHY, 100.0);
    assert_int_equal(row->step_counts[SW_STEP_FAILED], 1);
    rig_close(&r);
}

static void context_of_many_tasks(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_uuid tasks[3];
    sw_result *result = NULL;
    rig_open(&r, "memory:", BRANCHES);
    for (int i = 0; i < 3; i++)
        tasks[i] = rig_submit(&r);
    cancel(&r, &tasks[1]);
    assert_int_equal(sw_task_context(r.engine, tasks, 3, &result, &r.error), 0);
    const sw_task_context_row *rows = sw_task_contexts(result, &count);
    assert_int_equal(count, 3);
    for (int i = 0; i < 3; i++) {
        assert_memory_equal(&rows[i].task_id, &tasks[i], sizeof(sw_uuid));
        assert_int_equal(rows[i].health_status, i == 1 ? SW_HEALTH_BLOCKED : SW_HEALTH_HEALTHY);
    }
    sw_result_free(result);
    assert_int_equal(sw_task_context(r.engine, NULL, 0, &result, &r.error), 0);
    sw_task_contexts(result, &count);
    assert_int_equal(count, 0);
    sw_result_free(result);
    rig_close(&r);
}

static void context_refuses(void **state)
{
    (void)state;
    rig r;
    sw_result *result = NULL;
    rig_open(&r, "memory:", BRANCHES);
    sw_uuid tasks[2] = {rig_submit(&r), {{7}}};
    assert_int_equal(sw_task_context(r.engine, tasks, 2, &result, &r.error), SW_ENOTFOUND);
    assert_int_equal(r.error.row, 1);
    assert_null(result);
    assert_int_equal(sw_task_context(r.engine, NULL, 1, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_context(NULL, tasks, 1, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_context(r.engine, tasks, 1, NULL, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_context(r.engine, tasks, 100001, &result, &r.error), SW_ELIMIT);
    rig_close(&r);
}

/* Of the task and its steps: only those that can still pass, the first one of them. */
static void context_tells_deadlines(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             "{\"stepwell\":1,\"name\":\"w\",\"deadline_ms\":5000,\"steps\":[{\"name\":\"a\","
             "\"deadline_ms\":1000},{\"name\":\"b\",\"after\":[\"a\"],\"deadline_ms\":9000}]}");
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    int64_t ready_us = rig_step(&r, &task, "a").changed_us;
    const sw_task_context_row *row = context_of(&r, &task);
    assert_int_equal(row->deadline_us, ready_us + 5 * SECOND_US);
    assert_int_equal(row->next_deadline_us, ready_us + SECOND_US);
    finish(&r, &worker, "a", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_int_equal(row->next_deadline_us, row->deadline_us);
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    row = context_of(&r, &task);
    assert_int_equal(row->deadline_us, ready_us + 5 * SECOND_US);
    assert_int_equal(row->next_deadline_us, 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_of_a_task_that_goes_well),
        cmocka_unit_test(row_45_a_failed_branch_hides_no_ready_steps),
        cmocka_unit_test(row_96_a_step_that_waits_for_its_retry_is_counted),
        cmocka_unit_test(row_96_a_cancelled_task_is_not_healthy),
        cmocka_unit_test(context_of_an_allowed_failure),
        cmocka_unit_test(context_of_many_tasks),
        cmocka_unit_test(context_refuses),
        cmocka_unit_test(context_tells_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
