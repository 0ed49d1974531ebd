/* Deadlines of steps and tasks: when they begin, what their passing does, and who sees it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper/rig.h"

#define STEP(name, more) "{\"name\":\"" name "\"" more "}"
#define DEFINITION(more, steps) "{\"stepwell\":1,\"name\":\"w\"" more ",\"steps\":[" steps "]}"
#define DEADLINE ",\"deadline_ms\":1000"
#define RETRY ",\"retry\":{\"max_attempts\":5,\"backoff\":\"linear\",\"base_ms\":400,\"jitter\":0}"
#define ONE_STEP DEFINITION("", STEP("a", DEADLINE RETRY))
#define ONE_TASK                                                                                   \
    DEFINITION(",\"deadline_ms\":1000",                                                            \
               STEP("a", "") "," STEP("b", "") "," STEP("c", ",\"after\":[\"a\"]"))

#define MS 1000
#define LEASE_MS 60000

static void wait_ms(rig *r, int64_t ms)
{
    fault_env_advance(&r->fault, ms * MS);
}

static void exchange(rig *r, const sw_worker_ref *worker)
{
    rig_exchange(r, worker, NULL, 0, 0);
}

static void assert_failed(rig *r, const sw_uuid *task, const char *step, int attempt)
{
    sw_step_row row = rig_step(r, task, step);
    assert_int_equal(row.state, SW_STEP_FAILED);
    assert_int_equal(row.attempt, attempt);
    assert_int_equal(row.error_class.len, strlen("DeadlineExceeded"));
    assert_memory_equal(row.error_class.ptr, "DeadlineExceeded", row.error_class.len);
    assert_int_equal(row.fails_us, 0);
}

static sw_task_row task_row(rig *r, const sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_task_get(r->engine, task, &result, &r->error), 0);
    sw_task_row row = *sw_tasks(result, &count);
    sw_result_free(result);
    return row;
}

static int64_t submit_row(rig *r, sw_task_submit_row row, sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    row.workflow = sw_workflow_name(r->workflow);
    int rc = sw_task_submit(r->engine, &row, 1, &result, &r->error);
    if (rc == 0)
        *task = sw_task_submissions(result, &count)[0].task_id;
    sw_result_free(result);
    return rc;
}

/* An operator moves one step of a task. */
static void override(rig *r, const sw_uuid *task, const char *step, int state)
{
    sw_result *result = NULL;
    sw_step_override_row row = {.step_id = rig_step(r, task, step).step_id,
                                .state = state,
                                .actor = {"ann", 3},
                                .reason = {"again", 5}};
    assert_int_equal(sw_step_override(r->engine, &row, 1, 0, &result, &r->error), 0);
    sw_result_free(result);
}

static void deadline_fails_a_step_that_nobody_takes(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    int64_t created_us = task_row(&r, &task).created_us;
    assert_int_equal(rig_step(&r, &task, "a").fails_us, created_us + 1000 * MS);
    wait_ms(&r, 999);
    exchange(&r, &worker);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_READY);
    wait_ms(&r, 1);
    rig_claims(&r, &worker, "");
    assert_failed(&r, &task, "a", 0);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* What its worker reports later is fenced, even by a call that claims nothing. */
static void deadline_fences_the_running_attempt(void **state)
{
    (void)state;
    rig r;
    size_t lost = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    sw_step_hold held = {late.step_id, late.epoch};
    wait_ms(&r, 1000);
    assert_int_equal(sw_step_update_batch(r.engine, &late, 1, &result, &r.error), 0);
    assert_int_equal(sw_step_applications(result, &lost)->status, SW_ROW_FENCED);
    assert_int_equal(sw_step_applications(result, &lost)->state, SW_STEP_FAILED);
    sw_result_free(result);
    assert_int_equal(sw_worker_renew(r.engine, &worker, &held, 1, &result, &r.error), 0);
    sw_step_holds(result, &lost);
    assert_int_equal(lost, 1);
    sw_result_free(result);
    assert_failed(&r, &task, "a", 1);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

static void report_in_time_counts(rig *r, const sw_worker_ref *worker, const sw_uuid *task)
{
    sw_step_outcome good = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    wait_ms(r, 999);
    rig_report(r, worker, good, SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(r, task), SW_TASK_SUCCEEDED);
    wait_ms(r, 5000);
    exchange(r, worker);
    assert_int_equal(rig_task_state(r, task), SW_TASK_SUCCEEDED);
}

static void deadline_that_is_kept_changes_nothing(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    report_in_time_counts(&r, &worker, &task);
    rig_verify(&r);
    rig_close(&r);
}

/* It is counted over all attempts and the waits between them: 0 + 400 + 800 ms. */
static void deadline_counts_attempts_and_waits_together(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    int64_t fails_us = rig_step(&r, &task, "a").fails_us;
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->timeout_ms, 1000);
    rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_FAILED), SW_ROW_APPLIED);
    wait_ms(&r, 400);
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->timeout_ms, 600);
    rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_FAILED), SW_ROW_APPLIED);
    assert_int_equal(rig_step(&r, &task, "a").fails_us, fails_us);
    wait_ms(&r, 600);
    exchange(&r, &worker);
    assert_failed(&r, &task, "a", 2);
    rig_verify(&r);
    rig_close(&r);
}

/* A step that waits for others has no deadline yet. */
static void deadline_begins_when_the_step_is_ready(void **state)
{
    (void)state;
    rig r;
    rig_open(&r,
             "memory:", DEFINITION("", STEP("a", "") "," STEP("b", ",\"after\":[\"a\"]" DEADLINE)));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_outcome good = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    wait_ms(&r, 5000);
    assert_int_equal(rig_step(&r, &task, "b").fails_us, 0);
    rig_report(&r, &worker, good, SW_ROW_APPLIED);
    sw_step_row row = rig_step(&r, &task, "b");
    assert_int_equal(row.fails_us, row.changed_us + 1000 * MS);
    wait_ms(&r, 1000);
    rig_claims(&r, &worker, "");
    assert_failed(&r, &task, "b", 0);
    rig_close(&r);
}

/* A step that is claimed in the transaction that makes it ready has its whole time. */
static void deadline_of_a_step_that_is_claimed_at_once(void **state)
{
    (void)state;
    rig r;
    rig_open(&r,
             "memory:", DEFINITION("", STEP("a", "") "," STEP("b", ",\"after\":[\"a\"]" DEADLINE)));
    rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_outcome good = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    rig_exchange(&r, &worker, &good, 1, 10);
    assert_int_equal(rig_claim(&r, "b")->timeout_ms, 1000);
    rig_close(&r);
}

/* on_failure of the step decides what its deadline does to the others. */
static void deadline_is_a_failure_like_others(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             DEFINITION("", STEP("a", DEADLINE ",\"on_failure\":\"continue\"") "," STEP(
                                "b", ",\"after\":[\"a\"]") "," STEP("c", DEADLINE)));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 1000);
    rig_claims(&r, &worker, "b");
    sw_step_outcome good = rig_outcome(&r, "b", SW_OUTCOME_SUCCEEDED);
    assert_failed(&r, &task, "a", 0);
    assert_failed(&r, &task, "c", 0);
    rig_report(&r, &worker, good, SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

static void deadline_stops_a_task_whose_step_says_so(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             DEFINITION("", STEP("a", DEADLINE ",\"on_failure\":\"fail_task\"") "," STEP("b", "")));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 1000);
    rig_claims(&r, &worker, "");
    assert_failed(&r, &task, "a", 0);
    assert_int_equal(rig_step(&r, &task, "b").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* Who takes it up again gives it its whole time again. */
static void deadline_begins_anew_when_a_step_is_taken_up(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 3000);
    exchange(&r, &worker);
    assert_failed(&r, &task, "a", 0);
    wait_ms(&r, 500);
    override(&r, &task, "a", SW_STEP_READY);
    sw_step_row row = rig_step(&r, &task, "a");
    assert_int_equal(row.fails_us, row.changed_us + 1000 * MS);
    rig_claims(&r, &worker, "a");
    report_in_time_counts(&r, &worker, &task);
    rig_verify(&r);
    rig_close(&r);
}

/* Tasks. */

static void deadline_of_a_task_cancels_what_has_not_ended(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_TASK);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    sw_task_row row = task_row(&r, &task);
    assert_int_equal(row.deadline_us, row.created_us + 1000 * MS);
    rig_exchange(&r, &worker, NULL, 0, 1);
    assert_int_equal(rig_claim(&r, "a")->timeout_ms, 1000);
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    wait_ms(&r, 1000);
    rig_report(&r, &worker, late, SW_ROW_FENCED);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_step(&r, &task, "b").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_step(&r, &task, "c").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    assert_int_equal(task_row(&r, &task).deadline_us, row.deadline_us);
    rig_verify(&r);
    rig_close(&r);
}

/* A task that nobody has ever worked on ends too, and those who wait for it hear of it. */
static void deadline_of_a_task_that_never_began(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    rig_open(&r, "memory:", ONE_TASK);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 1000);
    rig_claims(&r, &worker, "");
    const sw_task_finished *finished = sw_tasks_finished(r.last, &count);
    assert_int_equal(count, 1);
    assert_int_equal(finished->state, SW_TASK_FAILED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

static void deadline_of_a_submission_overrides_the_workflow(void **state)
{
    (void)state;
    rig r;
    sw_uuid longer, until, past;
    rig_open(&r, "memory:", ONE_TASK);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    sw_uuid plain = rig_submit(&r);
    int64_t now_us = task_row(&r, &plain).created_us;
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_ms = 5000}, &longer), 0);
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_us = now_us + 7000}, &until), 0);
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_us = 1}, &past), 0);
    assert_int_equal(task_row(&r, &longer).deadline_us, now_us + 5000 * MS);
    assert_int_equal(task_row(&r, &until).deadline_us, now_us + 7000);
    exchange(&r, &worker);
    assert_int_equal(rig_task_state(&r, &past), SW_TASK_FAILED);
    assert_int_equal(rig_task_state(&r, &until), SW_TASK_PENDING);
    wait_ms(&r, 7);
    exchange(&r, &worker);
    assert_int_equal(rig_task_state(&r, &until), SW_TASK_FAILED);
    wait_ms(&r, 993);
    exchange(&r, &worker);
    assert_int_equal(rig_task_state(&r, &plain), SW_TASK_FAILED);
    assert_int_equal(rig_task_state(&r, &longer), SW_TASK_PENDING);
    rig_verify(&r);
    rig_close(&r);
}

static void deadline_of_a_submission_is_checked(void **state)
{
    (void)state;
    rig r;
    sw_uuid task;
    rig_open(&r, "memory:", ONE_TASK);
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_ms = -1}, &task), SW_EINVAL);
    assert_int_equal(r.error.row, 0);
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_ms = INT64_MAX}, &task),
                     SW_EINVAL);
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_us = -1}, &task), SW_EINVAL);
    assert_int_equal(submit_row(&r, (sw_task_submit_row){.deadline_us = INT64_MAX}, &task),
                     SW_EINVAL);
    assert_int_equal(
        submit_row(&r, (sw_task_submit_row){.deadline_ms = 1, .deadline_us = 1}, &task), SW_EINVAL);
    assert_non_null(strstr(r.error.message, "both given"));
    rig_close(&r);
}

/* A deadline that has passed has had its effect; one that has not counts on. */
static void deadline_of_a_task_that_is_taken_up(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_TASK);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 1000);
    exchange(&r, &worker);
    override(&r, &task, "a", SW_STEP_READY);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_RUNNING);
    wait_ms(&r, 60000);
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->timeout_ms, 0);
    rig_verify(&r);
    rig_close(&r);

    rig_open(&r, "memory:", ONE_TASK);
    task = rig_submit(&r);
    worker = rig_worker(&r, LEASE_MS);
    sw_cancel_row cancel = {.task_id = task};
    assert_int_equal(sw_task_cancel(r.engine, &cancel, 1, &r.error), 0);
    override(&r, &task, "a", SW_STEP_READY);
    wait_ms(&r, 1000);
    exchange(&r, &worker);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* Both pass in one sweep: a step fails of its own, the rest is cancelled. */
static void deadlines_of_step_and_task_together(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             DEFINITION(",\"deadline_ms\":1500",
                        STEP("a", DEADLINE
                             ",\"on_failure\":\"continue\"") "," STEP("b", ",\"after\":[\"a\"]")));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 2000);
    exchange(&r, &worker);
    assert_failed(&r, &task, "a", 0);
    assert_int_equal(rig_step(&r, &task, "b").state, SW_STEP_CANCELLED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* Time. */

/* A database keeps them over a restart of the machine. */
static void deadline_outlives_a_restart(void **state)
{
    (void)state;
    rig r;
    char path[] = "/tmp/stepwell_deadline_XXXXXX";
    char file[64];
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/x.db", path);
    rig_open(&r, file, ONE_TASK);
    sw_uuid task = rig_submit(&r);
    rig_reboot(&r, file, ONE_TASK);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 1000);
    rig_claims(&r, &worker, "");
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
    unlink(file);
    rmdir(path);
}

/* Many at once: more than a sweep ends in one batch. */
static void deadlines_pass_in_batches(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    enum { TASKS = 1500 };
    sw_task_submit_row *rows = calloc(TASKS, sizeof *rows);
    sw_result *result = NULL;
    rig_open(&r, "memory:", ONE_STEP);
    for (int i = 0; i < TASKS; i++)
        rows[i].workflow = sw_workflow_name(r.workflow);
    assert_int_equal(sw_task_submit(r.engine, rows, TASKS, &result, &r.error), 0);
    sw_result_free(result);
    free(rows);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    wait_ms(&r, 1000);
    rig_claims(&r, &worker, "");
    sw_tasks_finished(r.last, &count);
    assert_int_equal(count, TASKS);
    rig_verify(&r);
    rig_close(&r);
}

/* A sweep that finds no memory has ended nothing; the next one ends everything. */
static size_t pass_without_memory(rig *r, const sw_worker_ref *worker)
{
    size_t failures = 0;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        sw_uuid task;
        sw_result *result = NULL;
        int rc = SW_ENOMEM;
        assert_int_equal(submit_row(r, (sw_task_submit_row){0}, &task), 0);
        wait_ms(r, 2000);
        for (size_t nth = 1; rc == SW_ENOMEM; nth++) {
            fault_env_arm(&r->fault, nth, for_ever);
            rc = sw_step_exchange(r->engine, worker, NULL, 0, 0, 0, &result, &r->error);
            fault_env_arm(&r->fault, 0, false);
            failures += rc == SW_ENOMEM;
            assert_int_equal(rig_task_state(r, &task),
                             rc == SW_OK ? SW_TASK_FAILED : SW_TASK_PENDING);
        }
        assert_int_equal(rc, SW_OK);
        sw_result_free(result);
        assert_failed(r, &task, "a", 0);
        assert_int_equal(rig_step(r, &task, "b").state, SW_STEP_CANCELLED);
    }
    rig_verify(r);
    return failures;
}

static void deadline_passes_without_memory(void **state)
{
    (void)state;
    rig r;
    char path[] = "/tmp/stepwell_deadline_XXXXXX";
    char file[64];
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/x.db", path);
    const char *const stores[] = {"memory:", file};
    for (int i = 0; i < 2; i++) {
        rig_open(&r, stores[i],
                 DEFINITION(",\"deadline_ms\":1500",
                            STEP("a", DEADLINE) "," STEP("b", "") "," STEP("c", DEADLINE)));
        sw_worker_ref worker = rig_worker(&r, LEASE_MS);
        assert_true(pass_without_memory(&r, &worker) > 10);
        rig_close(&r);
    }
    unlink(file);
    rmdir(path);
}

static void assert_explains(rig *r, const sw_uuid *task, int reason, const char *part)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_step_explain(r->engine, task, (sw_str){"a", 1}, &result, &r->error), 0);
    const sw_step_reason *row = sw_step_reasons(result, &count);
    assert_int_equal(count, 1);
    assert_int_equal(row->reason, reason);
    assert_non_null(memmem(row->message.ptr, row->message.len, part, strlen(part)));
    sw_result_free(result);
}

static void deadline_is_explained(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    sw_uuid task = rig_submit(&r);
    wait_ms(&r, 250);
    assert_explains(&r, &task, SW_REASON_QUEUED, "; it fails at its deadline, in 0.8 s");
    wait_ms(&r, 750);
    exchange(&r, &worker);
    assert_explains(&r, &task, SW_REASON_DEADLINE_EXCEEDED, "not done within 1000 ms");
    rig_close(&r);
    rig_open(&r, "memory:", ONE_TASK);
    task = rig_submit(&r);
    assert_explains(&r, &task, SW_REASON_MISSING_HANDLER,
                    "; its task fails at its deadline, in 1.0");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_fails_a_step_that_nobody_takes),
        cmocka_unit_test(deadline_fences_the_running_attempt),
        cmocka_unit_test(deadline_that_is_kept_changes_nothing),
        cmocka_unit_test(deadline_counts_attempts_and_waits_together),
        cmocka_unit_test(deadline_begins_when_the_step_is_ready),
        cmocka_unit_test(deadline_of_a_step_that_is_claimed_at_once),
        cmocka_unit_test(deadline_is_a_failure_like_others),
        cmocka_unit_test(deadline_stops_a_task_whose_step_says_so),
        cmocka_unit_test(deadline_begins_anew_when_a_step_is_taken_up),
        cmocka_unit_test(deadline_of_a_task_cancels_what_has_not_ended),
        cmocka_unit_test(deadline_of_a_task_that_never_began),
        cmocka_unit_test(deadline_of_a_submission_overrides_the_workflow),
        cmocka_unit_test(deadline_of_a_submission_is_checked),
        cmocka_unit_test(deadline_of_a_task_that_is_taken_up),
        cmocka_unit_test(deadlines_of_step_and_task_together),
        cmocka_unit_test(deadline_outlives_a_restart),
        cmocka_unit_test(deadlines_pass_in_batches),
        cmocka_unit_test(deadline_passes_without_memory),
        cmocka_unit_test(deadline_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
