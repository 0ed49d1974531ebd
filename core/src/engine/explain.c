/* Why a step does not run: the exact things it waits for, in sentences. */
#include "base/plant.h"
#include "base/texts.h"
#include "engine/breaker.h"
#include "engine/deadline.h"
#include "engine/member.h"
#include "engine/query.h"
#include "engine/sound.h"
#include "model/trigger.h"

/* One call: the task, its rows, the workers, and the reasons found. */
typedef struct explain_call {
    sw_engine *engine;
    sw__arena *arena;
    int64_t now_us;
    sw__task_hot task;
    const sw__plan *plan;
    sw__step_hot *rows;
    sw__worker_rec *workers;
    size_t worker_count;
    sw__work_breakers breakers; /* none when no step names one */
    sw_step_reason *reasons;
    size_t count;
    sw_str until; /* of the step at hand: what its deadlines add to a sentence */
} explain_call;

typedef struct explain_question {
    const sw_uuid *task_id;
    sw_str step;
} explain_question;

static const sw_workflow_step *explain_step(const explain_call *call, int64_t index)
{
    return &call->plan->workflow->steps[index];
}

static void explain_add(explain_call *call, int64_t index, int reason, sw_str subject,
                        sw_str message, int64_t until_us)
{
    call->reasons[call->count++] = (sw_step_reason){
        .step = sw__arena_str(call->arena, explain_step(call, index)->name),
        .subject = sw__arena_str(call->arena, subject),
        .message = call->until.ptr ? sw__arena_format(call->arena, "%.*s%.*s", SW__FMT(message),
                                                      SW__FMT(call->until))
                                   : message,
        .until_us = until_us,
        .reason = reason,
        .state = call->rows[index].state,
    };
}

/* From a time to a later one. The difference of two times of a damaged database may be none. */
static double explain_seconds(int64_t from_us, int64_t until_us)
{
    return until_us > from_us ? ((double)until_us - (double)from_us) / 1e6 : 0.0;
}

static sw__effect explain_effect(const explain_call *call, const sw_workflow_step *step,
                                 int32_t dependency)
{
    return sw__trigger_effect(step, explain_step(call, dependency), call->rows[dependency].state);
}

/* " (2 more must succeed)" where a step does not wait for all of its dependencies. */
static sw_str explain_needed(const explain_call *call, int64_t index)
{
    if (sw__trigger_spare(explain_step(call, index)) == 0)
        return (sw_str){0};
    return sw__arena_format(call->arena, " (%d more must succeed)", call->rows[index].open_deps);
}

/* A dependency that counts or is lost is waited for no longer. */
static void explain_pending(explain_call *call, int64_t index)
{
    const sw_workflow_step *step = explain_step(call, index);
    sw_str needed = explain_needed(call, index);
    for (size_t i = 0; i < step->after_count; i++) {
        int32_t from = step->after[i];
        int state = call->rows[from].state;
        if (explain_effect(call, step, from) != SW__EFFECT_OPEN)
            continue;
        sw_str name = explain_step(call, from)->name;
        bool ended = sw_step_state_terminal(state);
        sw_str message = sw__arena_format(call->arena,
                                          ended ? "%.*s needs %.*s, which has ended: %s%.*s"
                                                : "%.*s waits for %.*s, which is %s%.*s",
                                          SW__FMT(step->name), SW__FMT(name),
                                          sw_step_state_name(state), SW__FMT(needed));
        explain_add(call, index, ended ? SW_REASON_FAILED_DEPENDENCY : SW_REASON_OPEN_DEPENDENCY,
                    name, message, 0);
        if (SW__PLANT(EXPLAIN_LEAVES_OUT))
            break;
    }
}

static bool explain_lists(explain_call *call, sw_str json, sw_str name, bool when_empty)
{
    sw_str *names = NULL;
    size_t count = 0;
    if (sw__texts_read(call->arena, json, &names, &count, NULL) < 0 || count == 0)
        return when_empty;
    for (size_t i = 0; i < count; i++) {
        if (sw__str_equal(names[i], name))
            return true;
    }
    return false;
}

static bool explain_has_worker(explain_call *call, const sw_workflow_step *step)
{
    for (size_t i = 0; i < call->worker_count; i++) {
        const sw__worker_rec *worker = &call->workers[i];
        if (sw__member_alive(call->engine, worker, call->now_us) &&
            explain_lists(call, worker->handlers, step->handler, false) &&
            explain_lists(call, worker->queues, step->queue, true))
            return true;
    }
    return false;
}

static sw_str explain_open(const explain_call *call, const sw_workflow_step *step,
                           const sw_breaker_row *row)
{
    sw__arena *arena = call->arena;
    sw_str until = row->until_us ? sw__arena_format(arena, "for another %.1f s",
                                                    explain_seconds(call->now_us, row->until_us))
                                 : sw__str("until an operator closes it");
    if (row->forced)
        return sw__arena_format(arena,
                                "%.*s is ready, but the circuit %.*s is open %.*s: it was "
                                "opened by hand",
                                SW__FMT(step->name), SW__FMT(step->breaker), SW__FMT(until));
    return sw__arena_format(
        arena, "%.*s is ready, but the circuit %.*s is open %.*s: %d failure%s in a row%s%.*s",
        SW__FMT(step->name), SW__FMT(step->breaker), SW__FMT(until), row->failures,
        row->failures == 1 ? "" : "s", row->error_class.len ? ", the last one " : "",
        SW__FMT(row->error_class));
}

/* Whether it is a circuit breaker that keeps the step from starting. */
static bool explain_breaker(explain_call *call, int64_t index)
{
    const sw_workflow_step *step = explain_step(call, index);
    const sw__work_breaker *breaker =
        step->breaker.ptr ? sw__breakers_find(&call->breakers, step->breaker) : NULL;
    if (!sw__breaker_holds(breaker, call->now_us))
        return false;
    const sw_breaker_row *row = &breaker->rec.row;
    sw_str message = explain_open(call, step, row);
    if (row->state == SW_BREAKER_HALF_OPEN)
        message = sw__arena_format(
            call->arena, "%.*s is ready, but the circuit %.*s is half-open: %d of %d probes run",
            SW__FMT(step->name), SW__FMT(step->breaker), row->probing, row->settings.probes);
    explain_add(call, index, SW_REASON_BREAKER_OPEN, step->breaker, message, row->until_us);
    return true;
}

static void explain_ready(explain_call *call, int64_t index)
{
    const sw_workflow_step *step = explain_step(call, index);
    const sw__step_hot *row = &call->rows[index];
    if (row->lane == SW__LANE_TIMER && row->rank > call->now_us) {
        sw_str message = sw__arena_format(
            call->arena, "%.*s waits %.1f s for its next attempt (attempt %d of %d)",
            SW__FMT(step->name), explain_seconds(call->now_us, row->rank), row->attempt + 1,
            step->max_attempts + row->crashes);
        explain_add(call, index, SW_REASON_NOT_BEFORE, (sw_str){0}, message, row->rank);
        return;
    }
    if (explain_breaker(call, index))
        return;
    if (explain_has_worker(call, step)) {
        sw_str message = sw__arena_format(call->arena, "%.*s is ready and waits for a free worker",
                                          SW__FMT(step->name));
        explain_add(call, index, SW_REASON_QUEUED, step->queue, message, 0);
        return;
    }
    sw_str message = sw__arena_format(
        call->arena, "%.*s is ready, but no live worker handles '%.*s' in queue '%.*s'",
        SW__FMT(step->name), SW__FMT(step->handler), SW__FMT(step->queue));
    explain_add(call, index, SW_REASON_MISSING_HANDLER, step->handler, message, 0);
}

static void explain_running(explain_call *call, int64_t index)
{
    const sw__step_hot *row = &call->rows[index];
    const sw_workflow_step *step = explain_step(call, index);
    sw_str name = sw__str("lost");
    int64_t lease_us = 0;
    for (size_t i = 0; i < call->worker_count; i++) {
        if (call->workers[i].worker_no != -row->lane)
            continue;
        name = call->workers[i].name;
        lease_us = call->workers[i].lease_until_us;
    }
    sw_str message = sw__arena_format(
        call->arena, "%.*s has been running for %.1f s on worker %lld (%.*s), lease %.1f s",
        SW__FMT(step->name), explain_seconds(row->changed_us, call->now_us), (long long)-row->lane,
        SW__FMT(name), explain_seconds(call->now_us, lease_us));
    explain_add(call, index, SW_REASON_RUNNING, name, message,
                row->rank == INT64_MAX ? 0 : row->rank);
}

/* Which dependencies are to blame; false when it was an operator who skipped it. */
static bool explain_skipped(explain_call *call, int64_t index)
{
    const sw_workflow_step *step = explain_step(call, index);
    sw__tally tally = {0};
    sw_str first = {0};
    const char *how = "";
    for (size_t i = 0; i < step->after_count; i++) {
        int32_t from = step->after[i];
        sw__effect effect = explain_effect(call, step, from);
        sw__tally_add(&tally, effect);
        if (effect == SW__EFFECT_LOST && tally.lost == 1) {
            first = explain_step(call, from)->name;
            how = sw_step_state_name(call->rows[from].state);
        }
    }
    if (!sw__tally_is_void(tally, step))
        return false;
    sw_str message = sw__arena_format(
        call->arena,
        "%.*s was skipped: its rule %s cannot be met, %d of %zu dependencies are lost (%.*s "
        "has ended: %s)",
        SW__FMT(step->name), sw_trigger_name(step->trigger), tally.lost, step->after_count,
        SW__FMT(first), how);
    explain_add(call, index, SW_REASON_ENDED, first, message, 0);
    return true;
}

static void explain_ended(explain_call *call, int64_t index)
{
    const sw__step_hot *row = &call->rows[index];
    const sw_workflow_step *step = explain_step(call, index);
    if (row->state == SW_STEP_SKIPPED && explain_skipped(call, index))
        return;
    if (row->state != SW_STEP_FAILED) {
        sw_str message = sw__arena_format(call->arena, "%.*s has ended: %s", SW__FMT(step->name),
                                          sw_step_state_name(row->state));
        explain_add(call, index, SW_REASON_ENDED, (sw_str){0}, message, 0);
        return;
    }
    if (row->crashes > step->max_crashes) {
        sw_str message = sw__arena_format(
            call->arena, "%.*s has failed: %d attempts ended because their worker was lost, %d may",
            SW__FMT(step->name), row->crashes, step->max_crashes);
        explain_add(call, index, SW_REASON_CRASHES_USED_UP, (sw_str){0}, message, 0);
        return;
    }
    bool used_up = row->attempt - row->crashes >= step->max_attempts;
    sw_str message =
        sw__arena_format(call->arena,
                         used_up ? "%.*s has failed: no attempt is left after attempt %d"
                                 : "%.*s has failed for good in attempt %d",
                         SW__FMT(step->name), row->attempt);
    explain_add(call, index, used_up ? SW_REASON_ATTEMPTS_USED_UP : SW_REASON_FAILED_FOR_GOOD,
                (sw_str){0}, message, 0);
}

/* "; it fails at its deadline, in 12.0 s" where it has one, or its task. */
static int explain_until(explain_call *call, int64_t index, sw_error *err)
{
    int64_t due_us = 0;
    int64_t task_us = call->task.deadline_us;
    int rc = SW_OK;
    call->until = (sw_str){0};
    if (sw_step_state_terminal(call->rows[index].state))
        return SW_OK;
    if (explain_step(call, index)->deadline_ms > 0)
        rc = sw__deadline_read(call->engine->store, call->rows[index].step_id, &due_us, err);
    if (due_us && (task_us <= call->now_us || due_us <= task_us))
        call->until = sw__arena_format(call->arena, "; it fails at its deadline, in %.1f s",
                                       explain_seconds(call->now_us, due_us));
    else if (task_us > call->now_us)
        call->until = sw__arena_format(call->arena, "; its task fails at its deadline, in %.1f s",
                                       explain_seconds(call->now_us, task_us));
    return rc;
}

/* Whether the newest failure of a step is that of its deadline. */
static int explain_late(explain_call *call, int64_t index, bool *late, sw_error *err)
{
    sw__failure failure = {0};
    const sw__step_hot *row = &call->rows[index];
    sw__store *store = call->engine->store;
    int rc = SW_OK;
    if (row->state == SW_STEP_FAILED && explain_step(call, index)->deadline_ms > 0)
        rc = store->ops->failures_get(store, &row->step_id, 1, call->arena, &failure, err);
    *late = sw__str_is(failure.error_class, "DeadlineExceeded") && failure.epoch == row->epoch;
    return rc;
}

static void explain_too_late(explain_call *call, int64_t index)
{
    const sw_workflow_step *step = explain_step(call, index);
    sw_str message = sw__arena_format(
        call->arena, "%.*s has failed: it was not done within %lld ms of becoming ready",
        SW__FMT(step->name), (long long)step->deadline_ms);
    explain_add(call, index, SW_REASON_DEADLINE_EXCEEDED, (sw_str){0}, message, 0);
}

static void explain_state(explain_call *call, int64_t index)
{
    switch (call->rows[index].state) {
    case SW_STEP_PENDING:
        explain_pending(call, index);
        break;
    case SW_STEP_READY:
        explain_ready(call, index);
        break;
    case SW_STEP_RUNNING:
        explain_running(call, index);
        break;
    default:
        explain_ended(call, index);
    }
}

static int explain_one(explain_call *call, int64_t index, sw_error *err)
{
    bool late = false;
    int rc = explain_until(call, index, err);
    if (rc == SW_OK)
        rc = explain_late(call, index, &late, err);
    if (rc == SW_OK && late)
        explain_too_late(call, index);
    else if (rc == SW_OK)
        explain_state(call, index);
    return rc;
}

static int explain_load(explain_call *call, const sw_uuid *task_id, sw_error *err)
{
    sw_engine *engine = call->engine;
    sw__store *store = engine->store;
    int rc = sw__query_task(engine, task_id, &call->task, &call->plan, err);
    if (rc == SW_OK)
        rc = sw__engine_now(engine, false, &call->now_us, err);
    if (rc == SW_OK)
        rc = sw__query_steps(engine, call->arena, &call->task, call->plan, &call->rows, err);
    if (rc == SW_OK)
        rc = sw__sound_workers(store, call->arena, &call->workers, &call->worker_count, err);
    if (rc == SW_OK && sw__breaker_named(call->plan->workflow))
        rc = sw__breakers_list(store, call->arena, &call->breakers, err);
    if (rc < 0)
        return rc;
    const sw_workflow *workflow = call->plan->workflow;
    size_t most = workflow->step_count + (size_t)workflow->graph.edge_count;
    call->reasons = sw__arena_array(call->arena, most, sizeof *call->reasons);
    return call->reasons ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

static int explain_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const explain_question *question = context;
    explain_call call = {.engine = engine, .arena = result->arena};
    int rc = explain_load(&call, question->task_id, err);
    if (rc < 0)
        return rc;
    const sw_workflow *workflow = call.plan->workflow;
    if (question->step.len) {
        int64_t index = sw__workflow_find(workflow, question->step);
        if (index < 0)
            return sw__fail(err, SW_ENOTFOUND, "workflow '%.*s' has no step '%.*s'",
                            SW__FMT(workflow->name), SW__FMT(question->step));
        rc = explain_one(&call, index, err);
    }
    for (size_t i = 0; rc == SW_OK && !question->step.len && i < workflow->step_count; i++) {
        if (!sw_step_state_terminal(call.rows[i].state))
            rc = explain_one(&call, (int64_t)i, err);
    }
    sw__result_set(result, SW__REASONS, call.reasons, call.count);
    return rc;
}

int sw_step_explain(sw_engine *engine, const sw_uuid *task_id, sw_str step, sw_result **out,
                    sw_error *err)
{
    if (!task_id)
        return sw__fail(err, SW_EINVAL, "task_id is NULL");
    explain_question question = {task_id, step};
    return sw__query(engine, explain_fill, &question, out, err);
}
