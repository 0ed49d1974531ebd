/* What workers do, and what time does to them; see calls.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/calls_inner.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)
#define LARGE 60000
#define BATCH 5

static const sw_str answer = {"{\"answer\":42}", 13};

/* Preparations. */

static void prepare_one(calls_world *w)
{
    calls_claim_of(w, "one");
}

static void prepare_strict(calls_world *w)
{
    calls_claim_of(w, "strict");
}

static void prepare_lax(calls_world *w)
{
    calls_claim_of(w, "lax");
}

static void prepare_skips(calls_world *w)
{
    calls_claim_of(w, "skips");
}

/* Report a step that is known to be held. */
static void finish(calls_world *w, int64_t step_id)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    sw_step_outcome row = {.step_id = step_id, .epoch = 1};
    calls_must(sw_step_update_batch(w->engine, &row, 1, &result, &error), &error);
    assert_int_equal(sw_step_applications(result, &count)[0].status, SW_ROW_APPLIED);
    sw_result_free(result);
}

/* Of b and c one is done and the other is held. The steps of a task have numbers in a row, with a
 * first. */
static void prepare_join(calls_world *w)
{
    calls_claim(w);
    int64_t a = w->hold.step_id;
    finish(w, a);
    calls_hold(w, &w->worker);
    finish(w, w->hold.step_id == a + 1 ? a + 2 : a + 1);
}

/* A worker that holds one step: those of the last one were given back, and the more there are, the
 * more memory the call needs. */
static void prepare_worker(calls_world *w)
{
    sw_error error;
    sw_cancel_row row = {
        .task_id = w->task, .actor = CALLS_TEXT("ann"), .reason = CALLS_TEXT("next")};
    if (w->hold.step_id > 0)
        calls_must(sw_task_cancel(w->engine, &row, 1, &error), &error);
    calls_must(calls_worker_open(w, 0, &w->worker, &error), &error);
    calls_claim(w);
}

/* Another worker held the step, and its lease is over. */
static void prepare_lost(calls_world *w)
{
    sw_error error;
    sw_worker_ref other;
    calls_must(calls_exchange(w, NULL, 0, 10000, &error), &error);
    calls_must(calls_worker_open(w, 1000, &other, &error), &error);
    calls_start(w, "one");
    calls_hold(w, &other);
    fault_env_advance(&w->fault, 2 * SECOND_US);
}

static void prepare_timeout(calls_world *w)
{
    calls_claim_of(w, "hasty");
    fault_env_advance(&w->fault, 2 * SECOND_US);
}

static void prepare_heartbeat(calls_world *w)
{
    calls_claim_of(w, "silent");
    fault_env_advance(&w->fault, SECOND_US / 2);
}

static void prepare_silence(calls_world *w)
{
    calls_claim_of(w, "silent");
    fault_env_advance(&w->fault, 2 * SECOND_US);
}

/* The step has failed once, and it is time to try again. */
static void prepare_retry(calls_world *w)
{
    sw_error error;
    calls_claim(w);
    sw_step_outcome row = {.step_id = w->hold.step_id,
                           .epoch = w->hold.epoch,
                           .outcome = SW_OUTCOME_FAILED,
                           .error_class = CALLS_TEXT("Boom"),
                           .retry_after_ms = 5000};
    calls_must(calls_exchange(w, &row, 1, 0, &error), &error);
    fault_env_advance(&w->fault, 6 * SECOND_US);
}

/* A third of the lease is over, so that the next exchange renews it. */
static void prepare_aged(calls_world *w)
{
    fault_env_advance(&w->fault, 25 * SECOND_US);
}

/* Entering and leaving. */

static int act_worker_open(calls_world *w, sw_error *err)
{
    sw_worker_ref worker;
    return calls_worker_open(w, 0, &worker, err);
}

static int act_worker_of_task(calls_world *w, sw_error *err)
{
    static const sw_str handlers[] = {{"w.a", 3}};
    static const sw_str queues[] = {{"default", 7}, {"other", 5}};
    sw_worker_ref worker;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 1;
    options.queues = queues;
    options.queue_count = 2;
    options.task = &w->task;
    return sw_worker_open(w->engine, &options, &worker, err);
}

static int act_worker_close(calls_world *w, sw_error *err)
{
    return sw_worker_close(w->engine, &w->worker, err);
}

static int act_runner(calls_world *w, sw_error *err)
{
    sw_runner *runner = NULL;
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    int rc = sw_runner_open(w->engine, &options, &runner, err);
    assert_int_equal(runner == NULL, rc < 0);
    sw_runner_close(runner);
    return rc;
}

/* Claiming. */

static int act_claim(calls_world *w, sw_error *err)
{
    return calls_exchange(w, NULL, 0, 10, err);
}

static int act_renew(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    const sw_step_hold holds[] = {w->hold, {w->hold.step_id, w->hold.epoch + 1}};
    size_t count = 0;
    int rc = sw_worker_renew(w->engine, &w->worker, holds, 2, &result, err);
    sw_step_holds(result, &count);
    assert_int_equal(count, rc == SW_OK ? 1 : 0);
    sw_result_free(result);
    return rc;
}

static int act_heartbeat(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    const sw_step_hold holds[] = {w->hold, {w->hold.step_id, w->hold.epoch + 1}};
    size_t count = 0;
    int rc = sw_step_heartbeat(w->engine, holds, 2, &result, err);
    const sw_step_applied *rows = sw_step_applications(result, &count);
    assert_int_equal(count, rc == SW_OK ? 2 : 0);
    if (rc == SW_OK) {
        assert_int_equal(rows[0].status, SW_ROW_APPLIED);
        assert_int_equal(rows[1].status, SW_ROW_FENCED);
    }
    sw_result_free(result);
    return rc;
}

/* The renewal notices that the attempt is out of time. */
static int act_renew_lost(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    size_t count = 0;
    int rc = sw_worker_renew(w->engine, &w->worker, &w->hold, 1, &result, err);
    sw_step_holds(result, &count);
    assert_int_equal(count, rc == SW_OK ? 1 : 0);
    sw_result_free(result);
    return rc;
}

static int act_renew_nothing(calls_world *w, sw_error *err)
{
    return sw_worker_renew(w->engine, &w->worker, NULL, 0, NULL, err);
}

/* Reporting. */

static int act_report(calls_world *w, sw_error *err)
{
    return calls_report(w, SW_OUTCOME_SUCCEEDED, answer, err);
}

static int act_report_nothing(calls_world *w, sw_error *err)
{
    return calls_report(w, SW_OUTCOME_SUCCEEDED, (sw_str){0}, err);
}

static int act_report_large(calls_world *w, sw_error *err)
{
    static char result[LARGE];
    memset(result, 'x', LARGE);
    result[0] = result[LARGE - 1] = '"';
    return calls_report(w, SW_OUTCOME_SUCCEEDED, (sw_str){result, LARGE}, err);
}

static int act_report_failure(calls_world *w, sw_error *err)
{
    sw_step_outcome row = {.step_id = w->hold.step_id,
                           .epoch = w->hold.epoch,
                           .outcome = SW_OUTCOME_FAILED,
                           .error_class = CALLS_TEXT("Boom"),
                           .error_message = CALLS_TEXT("it went wrong"),
                           .error_detail = CALLS_TEXT("line 1\nline 2")};
    return calls_exchange(w, &row, 1, 0, err);
}

static int act_report_for_good(calls_world *w, sw_error *err)
{
    return calls_report(w, SW_OUTCOME_FAILED_FOR_GOOD, (sw_str){0}, err);
}

static int act_release(calls_world *w, sw_error *err)
{
    return calls_report(w, SW_OUTCOME_RELEASED, (sw_str){0}, err);
}

static int act_report_stale(calls_world *w, sw_error *err)
{
    sw_step_outcome row = {.step_id = w->hold.step_id, .epoch = w->hold.epoch + 1};
    return calls_exchange(w, &row, 1, 0, err);
}

/* Neither row is written. */
static int act_report_nowhere(calls_world *w, sw_error *err)
{
    sw_step_outcome rows[2] = {{.step_id = w->hold.step_id, .epoch = w->hold.epoch},
                               {.step_id = INT64_C(1) << 40, .epoch = 1}};
    return calls_refused(calls_exchange(w, rows, 2, 0, err), SW_ENOTFOUND);
}

static int act_update(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    sw_step_outcome rows[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        rows[i] = (sw_step_outcome){.step_id = w->hold.step_id,
                                    .epoch = w->hold.epoch,
                                    .outcome = SW_OUTCOME_FAILED_FOR_GOOD,
                                    .error_class = CALLS_TEXT("Boom")};
    int rc = sw_step_update_batch(w->engine, rows, BATCH, &result, err);
    sw_result_free(result);
    return rc;
}

const calls_scenario calls_of_workers[] = {
    {"open a worker", calls_nothing, act_worker_open},
    {"open a worker for a task", calls_task, act_worker_of_task},
    {"open a runner", calls_nothing, act_runner},
    {"claim", calls_task, act_claim},
    {"claim nothing", calls_claim, act_claim},
    {"claim and renew the lease", prepare_aged, act_claim},
    {"claim after a lost worker", prepare_lost, act_claim},
    {"claim after a timeout", prepare_timeout, act_claim},
    {"claim after a silence", prepare_silence, act_claim},
    {"claim a retry", prepare_retry, act_claim},
    {"renew", calls_claim, act_renew},
    {"renew after a timeout", prepare_timeout, act_renew_lost},
    {"send heartbeats", prepare_heartbeat, act_heartbeat},
    {"renew after a silence", prepare_silence, act_renew_lost},
    {"renew nothing", calls_nothing, act_renew_nothing},
    {"report success and claim", calls_claim, act_report},
    {"report success without result", calls_claim, act_report_nothing},
    {"report a large result", calls_claim, act_report_large},
    {"report the last step", prepare_one, act_report},
    {"report the last dependency", prepare_join, act_report},
    {"report a failure", calls_claim, act_report_failure},
    {"report the failure of a task", prepare_strict, act_report_for_good},
    {"report a failure that is allowed", prepare_lax, act_report_for_good},
    {"report a failure that skips others", prepare_skips, act_report_for_good},
    {"release", calls_claim, act_release},
    {"report for a superseded attempt", calls_claim, act_report_stale},
    {"report a step of nowhere", calls_claim, act_report_nowhere},
    {"update", calls_claim, act_update},
    {"close a worker", prepare_worker, act_worker_close}, /* the last: its worker is gone */
};

const size_t calls_of_workers_count = sizeof(calls_of_workers) / sizeof(calls_of_workers[0]);
