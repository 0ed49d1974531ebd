/* What follows from ended steps: dependents become ready or are skipped, tasks stop or end.
 *
 * Readiness is two counters per step, of the dependencies that must still count and of those that
 * are lost, kept in the transaction in which a dependency ends; a step is never looked for, and
 * its dependencies are never read again. What a rule makes of an end is model/trigger.h's business.
 */
#include "engine/flow.h"

#include <stdlib.h>

#include "base/plant.h"
#include "base/probe.h"
#include "model/trigger.h"

/* What the end of a dependency does for a step. */
typedef struct settle_edge {
    int64_t step_id;
    int64_t from; /* the dependency */
    bool lost;
} settle_edge;

static size_t settle_edges_count(const sw__work *work)
{
    size_t total = 0;
    for (size_t i = 0; i < work->ended_count; i++) {
        int64_t step_id = work->ended[i];
        const sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(step_id));
        const int32_t *start = task->plan->workflow->graph.out_start + SW__STEP_INDEX(step_id);
        total += (size_t)(start[1] - start[0]);
    }
    return total;
}

static sw__effect settle_effect(const sw_workflow_step *step, const sw_workflow_step *dependency,
                                int state)
{
    sw__effect effect = sw__trigger_effect(step, dependency, state);
    bool held = effect == SW__EFFECT_OPEN && state == SW_STEP_FAILED;
    SW__PROBE_IF(DEPENDENT_HELD, held);
    return held && SW__PLANT(HELD_LOST) ? SW__EFFECT_LOST : effect;
}

/* What one ended step does for each of its dependents; where it does nothing, that is left out. */
static void settle_add_edges(const sw__work *work, int64_t step_id, settle_edge *edges,
                             size_t *count)
{
    int64_t task_no = SW__STEP_TASK(step_id);
    int64_t index = SW__STEP_INDEX(step_id);
    int state = sw__work_step_find(work, step_id)->row.state;
    const sw_workflow *workflow = sw__work_task_find(work, task_no)->plan->workflow;
    const int32_t *start = workflow->graph.out_start + index;
    for (int32_t edge = start[0]; edge < start[1]; edge++) {
        int32_t to = workflow->graph.out_node[edge];
        sw__effect effect = settle_effect(&workflow->steps[to], &workflow->steps[index], state);
        if (effect != SW__EFFECT_OPEN)
            edges[(*count)++] = (settle_edge){
                .step_id = SW__STEP_ID(task_no, to),
                .from = step_id,
                .lost = effect == SW__EFFECT_LOST,
            };
    }
}

static int settle_compare(const void *a, const void *b)
{
    const settle_edge *left = a;
    const settle_edge *right = b;
    if (left->step_id != right->step_id)
        return left->step_id < right->step_id ? -1 : 1;
    return (left->from > right->from) - (left->from < right->from);
}

/* Most batches are sorted already. */
static void settle_sort(settle_edge *edges, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (edges[i - 1].step_id > edges[i].step_id) {
            qsort(edges, count, sizeof *edges, settle_compare);
            return;
        }
    }
}

/* Sorted by step, loaded; a step that waited for several of the ended ones is there as often. */
static int settle_edges(sw__work *work, settle_edge **out, size_t *count, sw_error *err)
{
    size_t total = settle_edges_count(work);
    settle_edge *edges = sw__arena_array(work->arena, total, sizeof *edges);
    int64_t *ids = sw__arena_array(work->arena, total, sizeof *ids);
    if (!edges || !ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    *count = 0;
    for (size_t i = 0; i < work->ended_count; i++)
        settle_add_edges(work, work->ended[i], edges, count);
    settle_sort(edges, *count);
    for (size_t i = 0; i < *count; i++)
        ids[i] = edges[i].step_id;
    *out = edges;
    return sw__work_load(work, ids, *count, err);
}

/* The reason is the dependency that decided. Dependents hear of it in the next wave. */
static int settle_skip(sw__work *work, sw__work_step *step, int64_t from, sw_error *err)
{
    int64_t step_id = step->row.step_id;
    int state = sw__work_step_find(work, from)->row.state;
    sw__cause cause = {.by = SW_BY_ENGINE};
    cause.reason =
        sw__arena_format(work->arena, "%.*s %s", SW__FMT(sw__work_definition(work, from)->name),
                         sw_step_state_name(state));
    SW__PROBE(STEP_SKIPPED);
    if (!cause.reason.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (SW__PLANT(SKIP_FORGOTTEN))
        return SW_OK;
    int rc = sw__work_move(work, step, SW_STEP_SKIPPED, &cause, err);
    return rc == SW_OK && !SW__PLANT(SKIP_NOT_PASSED) ? sw__work_add_ended(work, step_id, err) : rc;
}

/* Of several that end together, a rule may need fewer than there are. */
static void settle_count(sw__step_hot *row, int32_t counted, int32_t lost)
{
    SW__PROBE_IF(JOIN, counted > 1);
    if (SW__PLANT(DEPENDENCY_ONCE) && counted > 1)
        counted = 1;
    if (SW__PLANT(DEPENDENCY_TWICE) && counted > 0)
        counted++;
    SW__PROBE_IF(MORE_THAN_NEEDED, counted > row->open_deps);
    if (counted > row->open_deps && !SW__PLANT(COUNTED_BEYOND))
        counted = row->open_deps;
    row->open_deps -= counted;
    row->rank += SW__PLANT(LOST_ONCE) && lost > 1 ? 1 : lost;
}

/* Tell a step of the dependencies that have ended. One that has started, or was skipped, has
 * nothing to wait for. */
static int settle_step(sw__work *work, const settle_edge *edges, size_t count, sw_error *err)
{
    int32_t lost = 0;
    int64_t last_lost = 0;
    sw__cause cause = {.by = SW_BY_ENGINE};
    sw__work_step *step = sw__work_step_find(work, edges->step_id);
    if (!step)
        return sw__fail(err, SW_ECORRUPT, "step %lld of a task is missing",
                        (long long)edges->step_id);
    for (size_t i = 0; i < count; i++) {
        lost += edges[i].lost;
        last_lost = edges[i].lost ? edges[i].from : last_lost;
    }
    bool waits = step->row.state == SW_STEP_PENDING;
    SW__PROBE_IF(STARTED_EARLIER, step->row.state == SW_STEP_RUNNING);
    if (!waits && !SW__PLANT(READY_TWICE))
        return SW_OK;
    settle_count(&step->row, (int32_t)count - lost, lost);
    step->dirty = true;
    if (lost > 0 && step->row.rank > sw__trigger_spare(sw__work_definition(work, edges->step_id)))
        return settle_skip(work, step, last_lost, err);
    if (step->row.open_deps > 0 && !SW__PLANT(DEPENDENCY_IGNORED))
        return SW_OK;
    int rc = sw__work_move(work, step, SW_STEP_READY, &cause, err);
    if (rc == SW_OK)
        sw__work_queue(work, step, 0);
    return rc;
}

/* One wave: what has ended since the last one, told to all dependents at once. */
static int settle_wave(sw__work *work, sw_error *err)
{
    size_t count = 0;
    settle_edge *edges = NULL;
    int rc = settle_edges(work, &edges, &count, err);
    work->ended_count = 0;
    for (size_t i = 0, next; rc == SW_OK && i < count; i = next) {
        for (next = i + 1; next < count && edges[next].step_id == edges[i].step_id;)
            next++;
        rc = settle_step(work, edges + i, next - i, err);
    }
    return rc;
}

/* Who cancels a whole task gives up what a failure had stopped in it before, too. */
static void settle_give_up(sw__work_step *step)
{
    if (step->row.state != SW_STEP_CANCELLED || step->row.rank == 0)
        return;
    step->row.rank = 0;
    step->dirty = true;
}

int sw__settle_cancel(sw__work *work, int64_t task_no, const sw__cause *cause, bool running_too,
                      sw_error *err)
{
    int rc = sw__work_load_all(work, task_no, err);
    if (rc < 0)
        return rc;
    size_t count = sw__work_task_find(work, task_no)->plan->workflow->step_count;
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__work_step *step = sw__work_step_find(work, SW__STEP_ID(task_no, i));
        if (step && !cause->stops)
            settle_give_up(step);
        if (!step || sw_step_state_terminal(step->row.state))
            continue;
        if (step->row.state != SW_STEP_RUNNING || running_too)
            rc = sw__work_move(work, step, SW_STEP_CANCELLED, cause, err);
    }
    return rc;
}

int sw__settle_steps(sw__work *work, sw_error *err)
{
    sw__cause cause = {.by = SW_BY_ENGINE, .reason = sw__str("task failed"), .stops = true};
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < work->stopped_count; i++)
        rc = sw__settle_cancel(work, work->stopped[i], &cause, SW__PLANT(FAIL_TASK_TOO_MUCH), err);
    work->stopped_count = 0;
    while (rc == SW_OK && work->ended_count)
        rc = settle_wave(work, err);
    return rc;
}

/* The state a task ends in, or -1 while something of it can go on. */
static int settle_outcome(const sw__work_task *task)
{
    const sw__task_hot *row = &task->row;
    int32_t active =
        row->counts[SW_STEP_READY] + row->counts[SW_STEP_RUNNING] + row->counts[SW_STEP_WAITING];
    if ((active > 0 && !SW__PLANT(TASK_ENDS_EARLY)) || sw_task_state_terminal(row->state))
        return -1;
    bool failed = row->fatal > 0 || row->counts[SW_STEP_PENDING] > 0 ||
                  row->counts[SW_STEP_CANCELLED] > 0 || task->late;
    return failed && !SW__PLANT(TASK_OUTCOME) ? SW_TASK_FAILED : SW_TASK_SUCCEEDED;
}

static void settle_log(sw__work *work, const sw_task_finished *task)
{
    char task_id[37];
    sw_uuid_format(&task->task_id, task_id);
    sw__work_log(work, SW_LOG_INFO, "task.finished", {"task", sw__str(task_id), 0},
                 {"state", sw__str(sw_task_state_name(task->state)), 0});
}

/* Only a task that runs can end; one of which no step was ever claimed has not begun. */
static int settle_end_task(sw__work *work, sw__work_task *task, int outcome, sw_error *err)
{
    int rc = SW_OK;
    sw__cause cause = {.by = SW_BY_ENGINE};
    if (task->row.state == SW_TASK_PENDING)
        rc = sw__work_move_task(work, task, SW_TASK_RUNNING, &cause, err);
    if (task->late)
        cause.reason = sw__str("deadline exceeded");
    return rc == SW_OK ? sw__work_move_task(work, task, outcome, &cause, err) : rc;
}

int sw__settle_tasks(sw__work *work, sw_result *result, sw_error *err)
{
    size_t count = 0;
    sw__arena *arena = result ? result->arena : work->arena;
    sw_task_finished *rows = sw__arena_array(arena, work->task_count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < work->task_count; i++) {
        sw__work_task *task = &work->tasks[i];
        int outcome = task->dirty && !SW__PLANT(TASK_ENDS_NEVER) ? settle_outcome(task) : -1;
        if (outcome < 0)
            continue;
        int rc = settle_end_task(work, task, outcome, err);
        if (rc < 0)
            return rc;
        rows[count++] = (sw_task_finished){.task_id = task->row.task_id, .state = outcome};
        settle_log(work, &rows[count - 1]);
    }
    if (result)
        sw__result_set(result, SW__FINISHED, rows, count);
    return SW_OK;
}
