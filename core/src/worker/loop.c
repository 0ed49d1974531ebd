/* Exchanging with the engine on behalf of the pool.
 *
 * One exchange reports all attempts that have finished and claims for all threads that are free.
 * While the loop waits inside an exchange, threads report by themselves, so that neither an
 * outcome waits for new work nor new work for an outcome. Not here: stopping (runner.c).
 */
#include "worker/loop.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "stepwell/task.h"

#define SW__LOOP_WAIT_MAX_MS 5000
#define SW__LOOP_LOOK_MS 500      /* between two looks at the task that is waited for */
#define SW__LOOP_LOOK_SHARE 20    /* and so many times what a look takes */
#define SW__LOOP_BUSY_PAUSE_MS 50 /* before a busy store is tried again */

/* What a round reports: one row per job that is still worth a report. */
typedef struct loop_report {
    sw_step_outcome *rows;
    sw__job **jobs;
    size_t count;
} loop_report;

static int64_t loop_now_us(const sw_runner *runner)
{
    return runner->env->clock_mono_us(runner->env->context);
}

/* An attempt that was ended because it was lost has nothing to give back. */
static bool loop_is_moot(const sw__job *job)
{
    return job->why == SW__WHY_LOST && job->outcome.outcome == SW_OUTCOME_RELEASED;
}

static int loop_report_open(loop_report *report, const sw_runner *runner, const sw__job_list *jobs,
                            sw_error *err)
{
    size_t count = 0;
    for (const sw__job *job = jobs->first; job; job = job->next)
        count++;
    *report = (loop_report){0};
    if (count == 0)
        return SW_OK;
    report->rows = sw__calloc(runner->env, count, sizeof(*report->rows));
    report->jobs = sw__calloc(runner->env, count, sizeof(*report->jobs));
    if (!report->rows || !report->jobs)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (sw__job *job = jobs->first; job; job = job->next) {
        if (loop_is_moot(job))
            continue;
        report->rows[report->count] = job->outcome;
        report->jobs[report->count++] = job;
    }
    return SW_OK;
}

static void loop_report_close(loop_report *report, const sw_runner *runner)
{
    sw__free(runner->env, report->jobs);
    sw__free(runner->env, report->rows);
}

/* The engine refuses the whole batch for one row, and that row must harm its own step only: a
 * result it cannot keep becomes a failure, a step that does not exist is left out. */
static void loop_report_mend(loop_report *report, const sw_error *refusal)
{
    size_t at = (size_t)refusal->row;
    sw__job *job = report->jobs[at];
    sw_step_outcome *row = &report->rows[at];
    sw_str message = sw__arena_str(job->arena, sw__str(refusal->message));
    sw_step_outcome mended = sw__class_outcome(&job->claim, SW__CLASS_RESULT_REFUSED, message);
    bool again = sw__str_equal(row->error_class, mended.error_class);
    if (refusal->code != SW_ENOTFOUND && !again && message.ptr) {
        *row = mended;
        return;
    }
    report->count--;
    memmove(row, row + 1, (report->count - at) * sizeof(*row));
    memmove(&report->jobs[at], &report->jobs[at + 1],
            (report->count - at) * sizeof(report->jobs[0]));
}

static int loop_exchange(sw_runner *runner, loop_report *report, size_t claim_max, int64_t wait_ms,
                         sw_result **out, sw_error *err)
{
    sw_error local;
    for (;;) {
        int rc = sw_step_exchange(runner->engine, &runner->worker, report->rows, report->count,
                                  claim_max, report->count ? 0 : wait_ms, out, &local);
        bool row = rc < 0 && local.row >= 0 && (size_t)local.row < report->count;
        if (row) {
            loop_report_mend(report, &local);
            continue;
        }
        if (rc < 0)
            return sw__fail(err, rc, "%s", local.message);
        return SW_OK;
    }
}

static void loop_note_finished(sw_runner *runner, const sw_result *result)
{
    size_t count = 0;
    const sw_task_finished *tasks = sw_tasks_finished(result, &count);
    for (size_t i = 0; runner->has_until && i < count; i++) {
        if (memcmp(&tasks[i].task_id, &runner->until, sizeof(runner->until)) == 0) {
            atomic_store(&runner->complete, true);
            sw__runner_ring(runner);
        }
    }
}

/* A command needs the guard. Without it the step fails; it does not run unguarded. */
static bool loop_guard(sw_runner *runner, sw__job *job)
{
    sw_error error;
    if (!sw__str_is(job->claim.handler, "command"))
        return true;
    if (sw__guard_start(&runner->guard, &error) == SW_OK) {
        if (runner->place.guard_fd < 0)
            runner->place.guard_fd = runner->guard.fd;
        return true;
    }
    job->outcome = sw__class_outcome(&job->claim, SW__CLASS_COMMAND_NOT_STARTED,
                                     sw__arena_str(job->arena, sw__str(error.message)));
    return false;
}

/* Claims that are not handed out for want of memory stay with the worker, and closing it gives
 * them back. */
static int loop_hand_out(sw_runner *runner, const sw_result *result, sw_error *err)
{
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < count; i++) {
        sw__job *job = sw__job_new(runner->env, &claims[i]);
        if (!job)
            return sw__fail(err, SW_ENOMEM, NULL);
        sw__job_list failed = {job, job};
        if (loop_guard(runner, job))
            sw__pool_put(&runner->pool, job);
        else
            sw__pool_put_back(&runner->pool, &failed);
    }
    return SW_OK;
}

/* One exchange. Takes jobs; on error they are finished jobs of the pool again. */
static int loop_round(sw_runner *runner, sw__job_list *jobs, size_t claim_max, int64_t wait_ms,
                      sw_error *err)
{
    sw_result *result = NULL;
    loop_report report;
    int rc = loop_report_open(&report, runner, jobs, err);
    if (rc == SW_OK)
        rc = loop_exchange(runner, &report, claim_max, wait_ms, &result, err);
    loop_report_close(&report, runner);
    if (rc < 0) {
        sw__pool_put_back(&runner->pool, jobs);
        return rc;
    }
    sw__job_list_free(jobs);
    loop_note_finished(runner, result);
    rc = loop_hand_out(runner, result, err);
    sw_result_free(result);
    return rc;
}

int sw__loop_report(sw_runner *runner, sw_error *err)
{
    sw__job_list jobs = sw__pool_take(&runner->pool, false);
    return jobs.first ? loop_round(runner, &jobs, 0, 0, err) : SW_OK;
}

int sw__loop_look(sw_runner *runner, sw_error *err)
{
    size_t count = 0;
    sw_result *result = NULL;
    int64_t started_us = loop_now_us(runner);
    int rc = sw_task_get(runner->engine, &runner->until, &result, err);
    const sw_task_row *rows = sw_tasks(result, &count);
    if (rc == SW_OK && count > 0 && sw_task_state_terminal(rows[0].state))
        atomic_store(&runner->complete, true);
    sw_result_free(result);
    int64_t ended_us = loop_now_us(runner);
    runner->look_us = ended_us + SW__LOOP_LOOK_MS * 1000;
    runner->look_us += SW__LOOP_LOOK_SHARE * (ended_us - started_us);
    return rc;
}

/* The lease must be renewed in time, and the task be looked at. */
static int64_t loop_wait_ms(const sw_runner *runner)
{
    int64_t wait_ms = runner->lease_ms / 3;
    int64_t longest_ms = runner->has_until ? SW__LOOP_LOOK_MS : SW__LOOP_WAIT_MAX_MS;
    return wait_ms < longest_ms ? wait_ms : longest_ms;
}

/* A busy store is tried again for as long as the lease can have held. */
static bool loop_is_passing(const sw_runner *runner, int code)
{
    return code == SW_EBUSY && loop_now_us(runner) - runner->contact_us < runner->lease_ms * 1000;
}

static bool loop_is_over(sw_runner *runner)
{
    return atomic_load(&runner->stop) || atomic_load(&runner->complete) ||
           sw__pool_stopping(&runner->pool);
}

static int loop_turn(sw_runner *runner, sw_error *err)
{
    const struct timespec pause = {.tv_nsec = SW__LOOP_BUSY_PAUSE_MS * 1000000L};
    size_t free = sw__pool_wait(&runner->pool);
    if (loop_is_over(runner))
        return SW_OK;
    sw__job_list jobs = sw__pool_take(&runner->pool, free > 0);
    int rc = SW_OK;
    /* Attempts are given back only after the stop: none of them may be claimed again. */
    if (loop_is_over(runner))
        free = 0;
    if (jobs.first || free > 0)
        rc = loop_round(runner, &jobs, free, loop_wait_ms(runner), err);
    sw__pool_inside(&runner->pool);
    if (rc == SW_OK)
        runner->contact_us = loop_now_us(runner);
    if (rc == SW_OK && runner->has_until && loop_now_us(runner) >= runner->look_us)
        rc = sw__loop_look(runner, err);
    if (rc < 0 && loop_is_passing(runner, rc)) {
        nanosleep(&pause, NULL);
        rc = SW_OK;
    }
    return rc;
}

int sw__loop_run(sw_runner *runner, sw_error *err)
{
    int rc = SW_OK;
    runner->contact_us = loop_now_us(runner);
    while (rc == SW_OK && !loop_is_over(runner))
        rc = loop_turn(runner, err);
    return rc;
}
