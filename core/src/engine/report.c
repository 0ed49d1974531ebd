/* Reports: what the end of an attempt does to its own step.
 *
 * Not here: what follows for other steps and the task (settle.c).
 */
#include "engine/flow.h"

#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"
#include "model/workflow.h"

static int report_fenced(sw__work *work, const sw__work_step *step, const sw_step_outcome *row,
                         int64_t worker_id, sw_error *err)
{
    char task_id[37];
    uint8_t digest[32];
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(row->step_id));
    sw_uuid_format(&task->row.task_id, task_id);
    sw__work_log(work, SW_LOG_WARN, "report.fenced", {"task", sw__str(task_id), 0},
                 {"step", sw__work_definition(work, row->step_id)->name, 0},
                 {"epoch", {0}, row->epoch}, {"worker", {0}, worker_id});
    sw_audit_entry entry = {
        .kind = SW_AUDIT_STEP_FENCED,
        .from = step->row.state,
        .to = step->row.state,
        .attempt = step->row.attempt,
        .epoch = row->epoch,
        .step_id = row->step_id,
        .worker_id = worker_id,
        .task_id = task->row.task_id,
        .step = sw__work_definition(work, row->step_id)->name,
        .reason = sw__str(sw_outcome_name(row->outcome)),
    };
    SW__PROBE_IF(FENCED_RUNNING, step->row.state == SW_STEP_RUNNING);
    SW__PROBE_IF(FENCED_WAITING, step->row.state == SW_STEP_READY);
    SW__PROBE_IF(FENCED_CANCELLED, step->row.state == SW_STEP_CANCELLED);
    if (SW__PLANT(RESULT_OVERWRITTEN))
        sw__work_add_result(work, row->step_id, row->result, digest, err);
    return sw__work_note(work, &entry, task, err);
}

static int report_succeeded(sw__work *work, sw__work_step *step, const sw_step_outcome *row,
                            int64_t worker_id, sw_error *err)
{
    uint8_t digest[32];
    sw__cause cause = {.by = SW_BY_WORKER, .worker_id = worker_id};
    int rc = SW_OK;
    if (!sw__check_is_null(row->result)) {
        rc = sw__work_add_result(work, row->step_id, row->result, digest, err);
        cause.digest = digest;
    }
    if (rc == SW_OK)
        rc = sw__work_move(work, step, SW_STEP_SUCCEEDED, &cause, err);
    return rc == SW_OK ? sw__work_add_ended(work, row->step_id, err) : rc;
}

/* Only a task in which a step has failed is read as a whole. */
int sw__task_stopped(sw__work *work, int64_t task_no, bool *stopped, sw_error *err)
{
    const sw__work_task *task = sw__work_task_find(work, task_no);
    *stopped = false;
    if (task->row.fatal == 0)
        return SW_OK;
    size_t count = task->plan->workflow->step_count;
    int rc = sw__work_load_all(work, task_no, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        int64_t step_id = SW__STEP_ID(task_no, i);
        const sw__work_step *step = sw__work_step_find(work, step_id);
        if (step && step->row.state == SW_STEP_FAILED &&
            sw__work_definition(work, step_id)->on_failure == SW_ON_FAILURE_FAIL_TASK)
            *stopped = true;
    }
    return rc;
}

static int report_stop(sw__work *work, int64_t task_no, sw_error *err)
{
    SW__PROBE(TASK_STOPPED);
    if (SW__PLANT(FAIL_TASK_IGNORED))
        return SW_OK;
    return sw__work_add_stopped(work, task_no, err);
}

/* In a task that was stopped it is cancelled with everything else that does not run. */
int sw__step_release(sw__work *work, sw__work_step *step, const char *reason, int by,
                     int64_t worker_id, sw_error *err)
{
    sw__cause cause = {.by = by, .reason = sw__str(reason), .worker_id = worker_id};
    int64_t step_id = step->row.step_id;
    bool stopped = false;
    int rc = sw__task_stopped(work, SW__STEP_TASK(step_id), &stopped, err);
    if (rc < 0)
        return rc;
    SW__PROBE_IF(RELEASED_STOPPED, stopped);
    step = sw__work_step_find(work, step_id);
    if (!SW__PLANT(RELEASE_COUNTED))
        step->row.attempt--;
    if (SW__PLANT(EPOCH_TAKEN_BACK))
        step->row.epoch--;
    rc = sw__work_move(work, step, SW_STEP_READY, &cause, err);
    if (rc == SW_OK && stopped && !SW__PLANT(STOPPED_RELEASED))
        return report_stop(work, SW__STEP_TASK(step_id), err);
    if (rc == SW_OK)
        sw__work_queue(work, step, 0);
    return rc;
}

static bool report_crashes_used_up(const sw__step_hot *row, const sw_workflow_step *definition)
{
    int32_t max = SW__PLANT(CRASHES_DEFAULT) ? SW_CRASHES_DEFAULT : definition->max_crashes;
    return row->crashes > max + SW__PLANT(CRASHES_ONE_MORE);
}

static bool report_may_retry(const sw__step_hot *row, const sw_workflow_step *definition,
                             const sw__fault *fault)
{
    if (fault->for_good && !SW__PLANT(FOR_GOOD_IGNORED))
        return false;
    if (fault->crash)
        return !report_crashes_used_up(row, definition) || SW__PLANT(CRASH_WITHOUT_END);
    return row->attempt - row->crashes < definition->max_attempts || SW__PLANT(RETRY_WITHOUT_END);
}

static void report_log(sw__work *work, const sw__work_step *step, int level, const char *event,
                       sw_str error_class)
{
    char task_id[37];
    int64_t step_id = step->row.step_id;
    sw_uuid_format(&sw__work_task_find(work, SW__STEP_TASK(step_id))->row.task_id, task_id);
    sw__work_log(work, level, event, {"task", sw__str(task_id), 0},
                 {"step", sw__work_definition(work, step_id)->name, 0},
                 {"attempt", {0}, step->row.attempt}, {"error_class", error_class, 0});
}

static int report_final(sw__work *work, sw__work_step *step, const sw__cause *cause, sw_error *err)
{
    int64_t step_id = step->row.step_id;
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(step_id));
    int on_failure = sw__work_definition(work, step_id)->on_failure;
    int rc = sw__work_move(work, step, SW_STEP_FAILED, cause, err);
    if (rc < 0)
        return rc;
    report_log(work, step, SW_LOG_WARN, "step.failed", cause->error_class);
    bool forgiven =
        on_failure == SW_ON_FAILURE_SKIP_DEPENDENTS && SW__PLANT(SKIP_DEPENDENTS_FORGIVEN);
    task->row.fatal += on_failure != SW_ON_FAILURE_CONTINUE && !forgiven;
    rc = sw__work_add_ended(work, step_id, err);
    if (rc == SW_OK && on_failure == SW_ON_FAILURE_FAIL_TASK)
        rc = report_stop(work, task->row.task_no, err);
    return rc;
}

static int64_t report_retry_time(sw__work *work, const sw__step_hot *row,
                                 const sw_workflow_step *definition, const sw__fault *fault)
{
    int64_t delay_ms = 0;
    if (!fault->crash)
        delay_ms = sw__retry_delay_ms(definition, row->attempt - row->crashes,
                                      sw__rand_unit(&work->engine->rand));
    if (delay_ms < fault->retry_after_ms && !SW__PLANT(RETRY_AFTER_IGNORED))
        delay_ms = fault->retry_after_ms;
    return delay_ms > 0 && !SW__PLANT(RETRY_AT_ONCE) ? work->now_us + delay_ms * 1000 : 0;
}

int sw__step_fail(sw__work *work, sw__work_step *step, const sw__fault *fault, int by,
                  int64_t worker_id, sw_error *err)
{
    uint8_t digest[32];
    int64_t step_id = step->row.step_id;
    bool stopped = false;
    sw__failure failure = {
        .step_id = step_id,
        .epoch = step->row.epoch,
        .error_class = fault->error_class,
        .message = fault->message,
        .detail = fault->detail,
    };
    int rc = sw__work_add_failure(work, &failure, digest, err);
    if (rc == SW_OK)
        rc = sw__task_stopped(work, SW__STEP_TASK(step_id), &stopped, err);
    if (rc < 0)
        return rc;
    step = sw__work_step_find(work, step_id);
    step->row.crashes += fault->crash && !SW__PLANT(CRASH_COUNTED);
    sw__cause cause = {
        .by = by, .error_class = fault->error_class, .worker_id = worker_id, .digest = digest};
    const sw_workflow_step *definition = sw__work_definition(work, step_id);
    SW__PROBE_IF(FAILED_STOPPED, stopped);
    SW__PROBE_IF(CRASHES_USED_UP, report_crashes_used_up(&step->row, definition));
    if ((stopped && !SW__PLANT(STOPPED_IGNORED)) ||
        !report_may_retry(&step->row, definition, fault)) {
        cause.reason = fault->reason_final;
        return report_final(work, step, &cause, err);
    }
    cause.reason = fault->reason;
    report_log(work, step, SW_LOG_INFO, "step.retried", cause.error_class);
    int64_t not_before_us = report_retry_time(work, &step->row, definition, fault);
    rc = sw__work_move(work, step, SW_STEP_READY, &cause, err);
    if (rc == SW_OK)
        sw__work_queue(work, step, not_before_us);
    return rc;
}

static int report_failed(sw__work *work, sw__work_step *step, const sw_step_outcome *row,
                         int64_t worker_id, sw_error *err)
{
    bool for_good = row->outcome == SW_OUTCOME_FAILED_FOR_GOOD;
    sw__fault fault = {
        .error_class = row->error_class,
        .message = row->error_message,
        .detail = row->error_detail,
        .reason = sw__str("retry"),
        .reason_final = sw__str(for_good ? "failed for good" : "attempts used up"),
        .retry_after_ms = row->retry_after_ms,
        .for_good = for_good,
    };
    return sw__step_fail(work, step, &fault, SW_BY_WORKER, worker_id, err);
}

static int report_row(sw__work *work, sw__work_step *step, const sw_step_outcome *row,
                      int64_t worker_id, sw_error *err)
{
    switch (row->outcome) {
    case SW_OUTCOME_SUCCEEDED:
        return report_succeeded(work, step, row, worker_id, err);
    case SW_OUTCOME_RELEASED:
        return sw__step_release(work, step, "released", SW_BY_WORKER, worker_id, err);
    default:
        return report_failed(work, step, row, worker_id, err);
    }
}

/* Only the newest attempt of a running step may end it. */
static bool report_is_current(const sw__step_hot *step, const sw_step_outcome *row)
{
    return (step->state == SW_STEP_RUNNING || SW__PLANT(STATE_NOT_CHECKED)) &&
           (step->epoch == row->epoch || SW__PLANT(EPOCH_NOT_CHECKED));
}

/* A task that has a number and no row any more was pruned. Nobody can tell which attempt ended its
 * step, only that this one did not. */
int sw__report_pruned(const sw__work *work, const sw_step_hold *row, size_t index,
                      sw_step_applied *applied, sw_error *err)
{
    int64_t next = 0;
    int64_t task_no = SW__STEP_TASK(row->step_id);
    sw__store *store = work->engine->store;
    int rc = store->ops->sequence_take(store, SW__SEQUENCE_TASK, 0, &next, err);
    if (rc < 0)
        return rc;
    if (task_no < 1 || task_no >= next || sw__work_task_find(work, task_no))
        return sw__fail_row(err, SW_ENOTFOUND, index, "there is no step %lld",
                            (long long)row->step_id);
    applied->status = SW_ROW_FENCED;
    applied->epoch = row->epoch;
    applied->state = SW_STEP_CANCELLED;
    return SW_OK;
}

int sw__report_apply(sw__work *work, const sw_step_outcome *rows, size_t count, int64_t worker_id,
                     sw_step_applied *applied, sw_error *err)
{
    int64_t *ids = sw__arena_array(work->arena, count, sizeof *ids);
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].step_id;
    int rc = sw__work_load(work, ids, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__work_step *step = sw__work_step_find(work, rows[i].step_id);
        applied[i].step_id = rows[i].step_id;
        if (!step) {
            sw_step_hold hold = {rows[i].step_id, rows[i].epoch};
            rc = sw__report_pruned(work, &hold, i, &applied[i], err);
            continue;
        }
        bool current = report_is_current(&step->row, &rows[i]);
        applied[i].status = current ? SW_ROW_APPLIED : SW_ROW_FENCED;
        rc = current ? report_row(work, step, &rows[i], worker_id, err)
                     : report_fenced(work, step, &rows[i], worker_id, err);
    }
    return rc;
}

void sw__report_finish(const sw__work *work, sw_step_applied *applied, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const sw__work_step *step = sw__work_step_find(work, applied[i].step_id);
        if (!step)
            continue;
        const sw__step_hot *row = &step->row;
        applied[i].epoch = row->epoch;
        applied[i].state = row->state;
        applied[i].not_before_us = row->lane == SW__LANE_TIMER ? row->rank : 0;
    }
}
