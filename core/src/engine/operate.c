/* What operators do to single steps: each change by the transition table, with a name and a reason.
 *
 * Rows are applied one after the other, so that each meets what those before it have brought about.
 * A task that had failed or was cancelled goes on when a step of it may. Not here: outcomes of
 * attempts, which their worker reports (report.c), and cancelling whole tasks (cancel.c).
 */
#include "engine/flow.h"

#include "base/limits.h"
#include "base/plant.h"
#include "engine/check.h"
#include "engine/survey.h"
#include "model/states.h"
#include "stepwell/ops.h"

/* Checks before the transaction. */

static int operate_check_row(const sw_engine *engine, const sw_step_override_row *row, size_t index,
                             sw_error *err)
{
    if (row->state < 0 || row->state >= SW_STEP_STATE_COUNT)
        return sw__fail_row(err, SW_EINVAL, index, "state %d is no state of a step", row->state);
    int rc = sw__check_text(row->actor, SW__TEXT_MAX, "actor", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->reason, SW__TEXT_MAX, "reason", index, err);
    if (rc == SW_OK && (row->actor.len == 0 || row->reason.len == 0))
        rc = sw__fail_row(err, SW_EINVAL, index, "%s is missing: the audit log keeps %s",
                          row->actor.len == 0 ? "actor" : "reason",
                          row->actor.len == 0 ? "who did it" : "why");
    if (rc == SW_OK && row->result.ptr && row->state != SW_STEP_RESOLVED)
        rc = sw__fail_row(err, SW_EINVAL, index,
                          "only a resolved step has a result, not one that "
                          "is made %s",
                          sw_step_state_name(row->state));
    if (rc == SW_OK)
        rc = sw__check_payload(row->result, engine->payload_max, "result", index, err);
    return rc;
}

int sw__operate_check(const sw_engine *engine, const sw_step_override_row *rows, size_t count,
                      int mode, sw_error *err)
{
    int rc = SW_OK;
    sw__error_clear(err);
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    if (!rows && count > 0)
        return sw__fail(err, SW_EINVAL, "rows is NULL");
    if (mode < 0 || mode >= SW_BATCH_MODE_COUNT)
        return sw__fail(err, SW_EINVAL, "mode %d is no mode of a batch", mode);
    if (count > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d rows in one call", SW__BATCH_MAX);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = operate_check_row(engine, &rows[i], i, err);
    return rc;
}

/* One change. */

typedef struct operate_change {
    int64_t step_id;
    int from;
    int to;
    bool was_done; /* for the steps that depend on it */
    bool is_done;
    sw__cause cause;
    sw_str result;
    const int32_t *dependents; /* indices */
    size_t dependent_count;
} operate_change;

static operate_change operate_change_of(const sw__work *work, const sw__work_step *step,
                                        const sw_step_override_row *row)
{
    const sw_workflow_step *definition = sw__work_definition(work, row->step_id);
    const sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(row->step_id));
    const sw__graph *graph = &task->plan->workflow->graph;
    const int32_t *start = graph->out_start + SW__STEP_INDEX(row->step_id);
    return (operate_change){
        .step_id = row->step_id,
        .from = step->row.state,
        .to = row->state,
        .was_done = sw__step_done(definition, step->row.state),
        .is_done = sw__step_done(definition, row->state),
        .cause = {.by = SW_BY_OPERATOR, .actor = row->actor, .reason = row->reason},
        .result = row->result,
        .dependents = graph->out_node + start[0],
        .dependent_count = (size_t)(start[1] - start[0]),
    };
}

static sw_str operate_name(const sw__work *work, int64_t step_id)
{
    return sw__work_definition(work, step_id)->name;
}

static int operate_load_dependents(sw__work *work, const operate_change *change, sw_error *err)
{
    int64_t *ids = sw__arena_array(work->arena, change->dependent_count, sizeof *ids);
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < change->dependent_count; i++)
        ids[i] = SW__STEP_ID(SW__STEP_TASK(change->step_id), change->dependents[i]);
    return sw__work_load(work, ids, change->dependent_count, err);
}

static sw__work_step *operate_dependent(const sw__work *work, const operate_change *change,
                                        size_t index)
{
    int64_t task_no = SW__STEP_TASK(change->step_id);
    return sw__work_step_find(work, SW__STEP_ID(task_no, change->dependents[index]));
}

/* What has begun because this step was done cannot be undone. */
static int operate_check_taken_back(sw__work *work, const operate_change *change, sw_error *err)
{
    int rc = operate_load_dependents(work, change, err);
    for (size_t i = 0; rc == SW_OK && i < change->dependent_count; i++) {
        const sw__work_step *dependent = operate_dependent(work, change, i);
        if (!dependent)
            return sw__fail(err, SW_ECORRUPT, "a step of a task is missing");
        int state = dependent->row.state;
        if (state != SW_STEP_PENDING && state != SW_STEP_SKIPPED && state != SW_STEP_CANCELLED &&
            state != SW_STEP_RESOLVED)
            rc = sw__fail(
                err, SW_ESTATE,
                "step %.*s is %s and cannot be taken up again: %.*s, "
                "which depends on it, is %s",
                SW__FMT(operate_name(work, change->step_id)), sw_step_state_name(change->from),
                SW__FMT(operate_name(work, dependent->row.step_id)), sw_step_state_name(state));
    }
    return rc;
}

/* A pending step waits for something, a ready one for nothing. */
static int operate_check_deps(const sw__work *work, const operate_change *change, sw_error *err)
{
    sw_str name = operate_name(work, change->step_id);
    int32_t open = sw__work_step_find(work, change->step_id)->row.open_deps;
    if (change->to == SW_STEP_READY && open > 0)
        return sw__fail(err, SW_ESTATE,
                        "step %.*s cannot become ready: %d of its dependencies are open; pending "
                        "makes it wait for them",
                        SW__FMT(name), open);
    if (change->to == SW_STEP_PENDING && open == 0)
        return sw__fail(err, SW_ESTATE,
                        "step %.*s cannot become pending: none of its dependencies is open; it can "
                        "become ready",
                        SW__FMT(name));
    return SW_OK;
}

static int operate_check_change(sw__work *work, const operate_change *change, sw_error *err)
{
    int task_state = sw__work_task_find(work, SW__STEP_TASK(change->step_id))->row.state;
    if (task_state == SW_TASK_SUCCEEDED || task_state == SW_TASK_RESOLVED)
        return sw__fail(err, SW_ESTATE, "the task of step %.*s has ended: it is %s",
                        SW__FMT(operate_name(work, change->step_id)),
                        sw_task_state_name(task_state));
    if (!sw__step_may(change->from, change->to, SW_BY_OPERATOR))
        return sw__fail(err, SW_ESTATE, "step %.*s is %s; an operator cannot make it %s",
                        SW__FMT(operate_name(work, change->step_id)),
                        sw_step_state_name(change->from), sw_step_state_name(change->to));
    int rc = operate_check_deps(work, change, err);
    if (rc == SW_OK && change->was_done && !change->is_done)
        rc = operate_check_taken_back(work, change, err);
    return rc;
}

/* A task that has failed or was cancelled goes on when one of its steps does. */
static int operate_reopen(sw__work *work, const operate_change *change, sw_error *err)
{
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(change->step_id));
    if (!sw_task_state_terminal(task->row.state) || change->to == SW_STEP_CANCELLED)
        return SW_OK;
    return sw__work_move_task(work, task, SW_TASK_RUNNING, &change->cause, err);
}

static int operate_move(sw__work *work, const operate_change *change, sw_error *err)
{
    uint8_t digest[32];
    sw__cause cause = change->cause;
    sw__work_step *step = sw__work_step_find(work, change->step_id);
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(change->step_id));
    int rc = SW_OK;
    if (change->from == SW_STEP_FAILED && !change->was_done)
        task->row.fatal--;
    if (!sw__check_is_null(change->result)) {
        rc = sw__work_add_result(work, change->step_id, change->result, digest, err);
        cause.digest = digest;
    }
    if (rc == SW_OK)
        rc = sw__work_move(work, step, change->to, &cause, err);
    if (rc == SW_OK && change->to == SW_STEP_READY)
        sw__work_queue(work, step, 0);
    for (size_t i = 0; change->was_done && !change->is_done && i < change->dependent_count; i++) {
        sw__work_step *dependent = operate_dependent(work, change, i);
        dependent->row.open_deps++;
        dependent->dirty = true;
    }
    if (rc == SW_OK && change->is_done && !change->was_done)
        rc = sw__step_satisfied(work, change->step_id, err);
    return rc;
}

/* SW_ENOTFOUND and SW_ESTATE: the row is refused, and nothing has changed. */
static int operate_row(sw__work *work, const sw_step_override_row *row, sw_step_overridden *out,
                       sw_error *err)
{
    const sw__work_step *step = sw__work_step_find(work, row->step_id);
    out->step_id = row->step_id;
    out->from = step ? step->row.state : -1;
    if (!step)
        return sw__fail(err, SW_ENOTFOUND, "there is no step %lld", (long long)row->step_id);
    operate_change change = operate_change_of(work, step, row);
    int rc = operate_check_change(work, &change, err);
    if (rc == SW_OK)
        rc = operate_reopen(work, &change, err);
    if (rc == SW_OK)
        rc = operate_move(work, &change, err);
    return rc == SW_OK ? sw__settle_steps(work, err) : rc;
}

/* The batch. */

static int operate_rows(sw__work *work, const sw_step_override_row *rows, size_t count, int mode,
                        sw_result *result, sw_step_overridden *out, sw_error *err)
{
    sw_error why;
    for (size_t i = 0; i < count; i++) {
        int rc = operate_row(work, &rows[i], &out[i], &why);
        bool refused = rc == SW_ENOTFOUND || rc == SW_ESTATE;
        if (rc < 0 && !(refused && mode == SW_BATCH_PARTIAL))
            return refused ? sw__fail_row(err, rc, i, "%s", why.message)
                           : sw__fail(err, rc, "%s", why.message);
        out[i].code = rc;
        out[i].status = refused ? SW_ROW_REFUSED : SW_ROW_APPLIED;
        if (refused)
            out[i].message = sw__arena_str(result->arena, sw__str(why.message));
    }
    return SW_OK;
}

/* Only a task that runs can end; one of which no step was ever claimed has not begun. */
static int operate_start_tasks(sw__work *work, sw_error *err)
{
    int rc = SW_OK;
    sw__cause cause = {.by = SW_BY_ENGINE};
    for (size_t i = 0; rc == SW_OK && i < work->task_count; i++) {
        sw__work_task *task = &work->tasks[i];
        const int32_t *counts = task->row.counts;
        int32_t active = counts[SW_STEP_READY] + counts[SW_STEP_RUNNING] + counts[SW_STEP_WAITING];
        if (task->dirty && task->row.state == SW_TASK_PENDING && active == 0)
            rc = sw__work_move_task(work, task, SW_TASK_RUNNING, &cause, err);
    }
    return rc;
}

int sw__operate(sw__work *work, const sw_step_override_row *rows, size_t count, int mode,
                sw_result *result, sw_error *err)
{
    sw_step_overridden *out = sw__arena_array(result->arena, count, sizeof *out);
    int64_t *ids = sw__arena_array(work->arena, count, sizeof *ids);
    if (!out || !ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].step_id;
    int rc = sw__work_load(work, ids, count, err);
    if (rc == SW_OK)
        rc = operate_rows(work, rows, count, mode, result, out, err);
    if (rc == SW_OK)
        rc = operate_start_tasks(work, err);
    if (rc == SW_OK)
        rc = sw__settle_tasks(work, NULL, err);
    if (rc == SW_OK && sw__arena_failed(result->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__work_step *step = sw__work_step_find(work, rows[i].step_id);
        out[i].state = step ? step->row.state : -1;
    }
    sw__result_set(result, SW__OVERRIDES, out, count);
    return rc;
}

static int operate_entered(sw_engine *engine, const sw_step_override_row *rows, size_t count,
                           int mode, sw_result **out, sw_error *err)
{
    sw__work work;
    sw_result *result = sw__result_new(engine->env);
    if (!result)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__work_begin(&work, engine, err);
    if (rc == SW_OK)
        rc = sw__work_end(&work, sw__operate(&work, rows, count, mode, result, err), err);
    if (rc == SW_OK)
        *out = result;
    else
        sw_result_free(result);
    return rc;
}

int sw_step_override(sw_engine *engine, const sw_step_override_row *rows, size_t row_count,
                     int mode, sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__operate_check(engine, rows, row_count, mode, err);
    if (rc == SW_OK)
        rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = operate_entered(engine, rows, row_count, mode, out, err);
    sw__engine_leave(engine);
    return rc;
}
