/* What operators do to single steps: each change by the transition table, with a name and a reason.
 *
 * Rows are applied one after the other, so that each meets what those before it have brought about.
 * A task that had failed or was cancelled goes on when a step of it may. Not here: outcomes of
 * attempts, which their worker reports (report.c), and cancelling whole tasks (cancel.c).
 */
#include "engine/flow.h"

#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"
#include "model/states.h"
#include "model/trigger.h"
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
    sw__error_clear(err);
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    int rc = sw__check_batch(rows, count, mode, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = operate_check_row(engine, &rows[i], i, err);
    return rc;
}

/* One change. */

typedef struct operate_change {
    int64_t step_id;
    int from;
    int to;
    sw__cause cause;
    const sw_workflow_step *definition;
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
        .cause = {.by = SW_BY_OPERATOR, .actor = row->actor, .reason = row->reason},
        .definition = definition,
        .result = row->result,
        .dependents = graph->out_node + start[0],
        .dependent_count = (size_t)(start[1] - start[0]),
    };
}

static sw_str operate_name(const sw__work *work, int64_t step_id)
{
    return sw__work_definition(work, step_id)->name;
}

/* Neighbours of a changed step: what depends on it, what it depends on. */
static int operate_load(sw__work *work, const operate_change *change, const int32_t *indices,
                        size_t count, sw_error *err)
{
    int64_t *ids = sw__arena_array(work->arena, count, sizeof *ids);
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = SW__STEP_ID(SW__STEP_TASK(change->step_id), indices[i]);
    int rc = sw__work_load(work, ids, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (!sw__work_step_find(work, ids[i]))
            rc = sw__fail(err, SW_ECORRUPT, "a step of a task is missing");
    }
    return rc;
}

static sw__work_step *operate_neighbour(const sw__work *work, const operate_change *change,
                                        int32_t index)
{
    return sw__work_step_find(work, SW__STEP_ID(SW__STEP_TASK(change->step_id), index));
}

/* What the changed step does for one that depends on it when it is in this state. */
static sw__effect operate_effect(const sw__work *work, const operate_change *change,
                                 const sw__work_step *dependent, int state)
{
    return sw__trigger_effect(sw__work_definition(work, dependent->row.step_id), change->definition,
                              state);
}

/* What has begun because this step counted cannot be undone. */
static int operate_check_taken_back(const sw__work *work, const operate_change *change,
                                    sw_error *err)
{
    for (size_t i = 0; i < change->dependent_count; i++) {
        const sw__work_step *dependent = operate_neighbour(work, change, change->dependents[i]);
        int state = dependent->row.state;
        bool begun = state != SW_STEP_PENDING && state != SW_STEP_SKIPPED &&
                     state != SW_STEP_CANCELLED && state != SW_STEP_RESOLVED;
        if (begun && operate_effect(work, change, dependent, change->from) == SW__EFFECT_COUNTS &&
            operate_effect(work, change, dependent, change->to) != SW__EFFECT_COUNTS)
            return sw__fail(
                err, SW_ESTATE,
                "step %.*s is %s and cannot be taken up again: %.*s, which depends on it, is %s",
                SW__FMT(change->definition->name), sw_step_state_name(change->from),
                SW__FMT(operate_name(work, dependent->row.step_id)), sw_step_state_name(state));
    }
    return SW_OK;
}

static sw__tally operate_tally(const sw__work *work, const operate_change *change)
{
    sw__tally tally = {0};
    const sw_workflow_step *step = change->definition;
    for (size_t i = 0; i < step->after_count; i++) {
        const sw__work_step *dependency = operate_neighbour(work, change, step->after[i]);
        const sw_workflow_step *definition = sw__work_definition(work, dependency->row.step_id);
        sw__tally_add(&tally, sw__trigger_effect(step, definition, dependency->row.state));
    }
    return tally;
}

/* A pending step waits for something that may still come, a ready one for nothing. */
static int operate_check_deps(const sw__work *work, const operate_change *change, sw_error *err)
{
    sw__tally tally = operate_tally(work, change);
    sw_str name = change->definition->name;
    bool met = sw__tally_is_met(tally, change->definition);
    if (!met && sw__tally_is_void(tally, change->definition))
        return sw__fail(
            err, SW_ESTATE,
            "step %.*s cannot become %s: %d of its dependencies were skipped, cancelled "
            "or have failed, and its rule is %s; take them up first, or resolve it",
            SW__FMT(name), sw_step_state_name(change->to), tally.lost,
            sw_trigger_name(change->definition->trigger));
    if (change->to == SW_STEP_READY && !met)
        return sw__fail(err, SW_ESTATE,
                        "step %.*s cannot become ready: %d of its dependencies are open; pending "
                        "makes it wait for them",
                        SW__FMT(name), sw__trigger_needed(change->definition) - tally.counted);
    if (change->to == SW_STEP_PENDING && met)
        return sw__fail(err, SW_ESTATE,
                        "step %.*s cannot become pending: it waits for none of its dependencies; "
                        "it can become ready",
                        SW__FMT(name));
    return SW_OK;
}

static int operate_check_change(sw__work *work, const operate_change *change, sw_error *err)
{
    int task_state = sw__work_task_find(work, SW__STEP_TASK(change->step_id))->row.state;
    if (task_state == SW_TASK_SUCCEEDED || task_state == SW_TASK_RESOLVED)
        return sw__fail(err, SW_ESTATE, "the task of step %.*s has ended: it is %s",
                        SW__FMT(change->definition->name), sw_task_state_name(task_state));
    if (!sw__step_may(change->from, change->to, SW_BY_OPERATOR))
        return sw__fail(err, SW_ESTATE, "step %.*s is %s; an operator cannot make it %s",
                        SW__FMT(change->definition->name), sw_step_state_name(change->from),
                        sw_step_state_name(change->to));
    int rc = operate_load(work, change, change->dependents, change->dependent_count, err);
    if (rc == SW_OK)
        rc = operate_load(work, change, change->definition->after, change->definition->after_count,
                          err);
    if (rc == SW_OK && (change->to == SW_STEP_READY || change->to == SW_STEP_PENDING) &&
        !SW__PLANT(OVERRIDE_UNMET))
        rc = operate_check_deps(work, change, err);
    return rc == SW_OK ? operate_check_taken_back(work, change, err) : rc;
}

/* A task that has failed or was cancelled goes on when one of its steps is changed; where nothing
 * of it can, it ends again in the same call. */
static int operate_reopen(sw__work *work, const operate_change *change, sw_error *err)
{
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(change->step_id));
    sw__task_info info;
    sw__store *store = work->engine->store;
    if (!sw_task_state_terminal(task->row.state))
        return SW_OK;
    int rc = store->ops->tasks_info(store, &task->row.task_no, 1, work->arena, &info, err);
    if (rc == SW_OK && sw__task_erased(&info))
        rc = sw__fail(err, SW_ESTATE,
                      "the payloads of the task were erased: step %.*s cannot be taken up again",
                      SW__FMT(change->definition->name));
    return rc == SW_OK ? sw__work_move_task(work, task, SW_TASK_RUNNING, &change->cause, err) : rc;
}

/* Dependents that wait forget what its old state did for them; its new one they are told. */
static void operate_take_back(sw__work *work, const operate_change *change)
{
    for (size_t i = 0; i < change->dependent_count; i++) {
        sw__work_step *dependent = operate_neighbour(work, change, change->dependents[i]);
        sw__effect effect = operate_effect(work, change, dependent, change->from);
        if (dependent->row.state != SW_STEP_PENDING || effect == SW__EFFECT_OPEN ||
            SW__PLANT(OVERRIDE_KEPT))
            continue;
        dependent->row.open_deps += effect == SW__EFFECT_COUNTS;
        dependent->row.rank -= effect == SW__EFFECT_LOST;
        dependent->dirty = true;
    }
}

/* A step that is taken up again counts its dependencies anew. */
static void operate_take_up(sw__work *work, const operate_change *change, sw__work_step *step)
{
    sw__tally tally = operate_tally(work, change);
    int32_t open = sw__trigger_needed(change->definition) - tally.counted;
    step->row.open_deps = open > 0 ? open : 0;
    if (change->to == SW_STEP_PENDING)
        step->row.rank = tally.lost;
    else
        sw__work_queue(work, step, 0);
}

static int operate_move(sw__work *work, const operate_change *change, sw_error *err)
{
    uint8_t digest[32];
    sw__cause cause = change->cause;
    sw__work_step *step = sw__work_step_find(work, change->step_id);
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(change->step_id));
    int rc = SW_OK;
    if (change->from == SW_STEP_FAILED && !sw__trigger_is_well(change->definition, change->from) &&
        !SW__PLANT(OVERRIDE_FATAL))
        task->row.fatal--;
    if (!sw__check_is_null(change->result) && !SW__PLANT(RESOLVED_RESULT)) {
        rc = sw__work_add_result(work, change->step_id, change->result, digest, err);
        cause.digest = digest;
    }
    if (rc == SW_OK)
        rc = sw__work_move(work, step, change->to, &cause, err);
    if (rc < 0)
        return rc;
    operate_take_back(work, change);
    if (change->to == SW_STEP_RESOLVED && SW__PLANT(RESOLVED_NOT_TOLD))
        return SW_OK;
    if (sw_step_state_terminal(change->to))
        return sw__work_add_ended(work, change->step_id, err);
    operate_take_up(work, change, step);
    return SW_OK;
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

/* Steps that a failure had cancelled. */

/* One that still cannot go on, because something else that it needs has failed or was cancelled,
 * stays cancelled. */
static int operate_resume_step(sw__work *work, int64_t step_id, const sw_step_override_row *row,
                               sw_error *err)
{
    sw_error why;
    sw_step_overridden out;
    sw_step_override_row again = {
        .step_id = step_id, .state = SW_STEP_READY, .actor = row->actor, .reason = row->reason};
    int rc = operate_row(work, &again, &out, &why);
    if (rc == SW_ESTATE) {
        again.state = SW_STEP_PENDING;
        rc = operate_row(work, &again, &out, &why);
    }
    SW__PROBE_IF(STOPPED_RESUMED, rc == SW_OK);
    return rc == SW_OK || rc == SW_ESTATE ? SW_OK : sw__fail(err, rc, "%s", why.message);
}

static int operate_resume_task(sw__work *work, int64_t task_no, const sw_step_override_row *row,
                               sw_error *err)
{
    int rc = sw__work_load_all(work, task_no, err);
    if (rc < 0 || SW__PLANT(STOPPED_FOR_EVER))
        return rc;
    size_t count = sw__work_task_find(work, task_no)->plan->workflow->step_count;
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__work_step *step = sw__work_step_find(work, SW__STEP_ID(task_no, i));
        if (step && step->row.state == SW_STEP_CANCELLED && step->row.rank == SW__RANK_STOPPED)
            rc = operate_resume_step(work, step->row.step_id, row, err);
    }
    return rc;
}

/* With the last failure that stops its task goes on what was cancelled because of it. Only after
 * all rows: they say of some of these steps what is to become of them. */
static int operate_resume(sw__work *work, const sw_step_override_row *row,
                          const sw_step_overridden *out, sw_error *err)
{
    bool stopped = false;
    int64_t task_no = SW__STEP_TASK(row->step_id);
    if (out->status != SW_ROW_APPLIED || out->from != SW_STEP_FAILED ||
        sw__work_definition(work, row->step_id)->on_failure != SW_ON_FAILURE_FAIL_TASK)
        return SW_OK;
    int rc = sw__task_stopped(work, task_no, &stopped, err);
    return rc == SW_OK && !stopped ? operate_resume_task(work, task_no, row, err) : rc;
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
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = operate_resume(work, &rows[i], &out[i], err);
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

typedef struct operate_call {
    const sw_step_override_row *rows;
    size_t count;
    int mode;
} operate_call;

static int operate_all(sw__work *work, sw_result *result, const void *context, sw_error *err)
{
    const operate_call *call = context;
    return sw__operate(work, call->rows, call->count, call->mode, result, err);
}

int sw_step_override(sw_engine *engine, const sw_step_override_row *rows, size_t row_count,
                     int mode, sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__operate_check(engine, rows, row_count, mode, err);
    const operate_call call = {rows, row_count, mode};
    return rc == SW_OK ? sw__work_answer(engine, operate_all, &call, out, err) : rc;
}
