/* What follows from ended steps: dependents become ready, tasks stop or end.
 *
 * Readiness is a counter per step, decremented once per satisfied dependency in the transaction
 * that satisfied it; a step is never looked for.
 */
#include "engine/flow.h"

#include "base/plant.h"
#include "base/probe.h"

static size_t settle_dependents_count(const sw__work *work)
{
    size_t total = 0;
    for (size_t i = 0; i < work->satisfied_count; i++) {
        int64_t step_id = work->satisfied[i];
        const sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(step_id));
        const int32_t *start = task->plan->workflow->graph.out_start + SW__STEP_INDEX(step_id);
        total += (size_t)(start[1] - start[0]);
    }
    return total;
}

/* Dependents of all satisfied steps, sorted; one that waits for several is there as often. */
static int64_t *settle_dependents(const sw__work *work, size_t *count)
{
    size_t total = settle_dependents_count(work);
    int64_t *ids = sw__arena_array(work->arena, total, sizeof *ids);
    if (!ids)
        return NULL;
    *count = 0;
    for (size_t i = 0; i < work->satisfied_count; i++) {
        int64_t task_no = SW__STEP_TASK(work->satisfied[i]);
        int64_t index = SW__STEP_INDEX(work->satisfied[i]);
        const sw__graph *graph = &sw__work_task_find(work, task_no)->plan->workflow->graph;
        for (int32_t edge = graph->out_start[index]; edge < graph->out_start[index + 1]; edge++)
            ids[(*count)++] = SW__STEP_ID(task_no, graph->out_node[edge]);
    }
    sw__work_sort_ids(ids, *count);
    return ids;
}

static int settle_ready(sw__work *work, sw_error *err)
{
    size_t count = 0;
    int64_t *ids = settle_dependents(work, &count);
    work->satisfied_count = 0;
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__work_load(work, ids, count, err);
    for (size_t i = 0, next; rc == SW_OK && i < count; i = next) {
        for (next = i + 1; next < count && ids[next] == ids[i];)
            next++;
        sw__work_step *step = sw__work_step_find(work, ids[i]);
        if (!step)
            return sw__fail(err, SW_ECORRUPT, "step %lld of a task is missing", (long long)ids[i]);
        SW__PROBE_IF(JOIN, next - i > 1);
        step->row.open_deps -= SW__PLANT(DEPENDENCY_ONCE) ? 1 : (int32_t)(next - i);
        if (SW__PLANT(DEPENDENCY_TWICE))
            step->row.open_deps--;
        step->dirty = true;
        bool waits = step->row.open_deps > 0 && !SW__PLANT(DEPENDENCY_IGNORED);
        if (waits || step->row.state != SW_STEP_PENDING)
            continue;
        sw__cause cause = {.by = SW_BY_ENGINE};
        rc = sw__work_move(work, step, SW_STEP_READY, &cause, err);
        if (rc == SW_OK)
            sw__work_queue(work, step, 0);
    }
    return rc;
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
        if (!step || sw_step_state_terminal(step->row.state))
            continue;
        if (step->row.state != SW_STEP_RUNNING || running_too)
            rc = sw__work_move(work, step, SW_STEP_CANCELLED, cause, err);
    }
    return rc;
}

int sw__settle_steps(sw__work *work, sw_error *err)
{
    sw__cause cause = {.by = SW_BY_ENGINE, .reason = sw__str("task failed")};
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < work->stopped_count; i++)
        rc = sw__settle_cancel(work, work->stopped[i], &cause, SW__PLANT(FAIL_TASK_TOO_MUCH), err);
    work->stopped_count = 0;
    if (rc == SW_OK && work->satisfied_count)
        rc = settle_ready(work, err);
    return rc;
}

/* The state a task ends in, or -1 while something of it can go on. */
static int settle_outcome(const sw__task_hot *row)
{
    int32_t active =
        row->counts[SW_STEP_READY] + row->counts[SW_STEP_RUNNING] + row->counts[SW_STEP_WAITING];
    if ((active > 0 && !SW__PLANT(TASK_ENDS_EARLY)) || sw_task_state_terminal(row->state))
        return -1;
    bool failed =
        row->fatal > 0 || row->counts[SW_STEP_PENDING] > 0 || row->counts[SW_STEP_CANCELLED] > 0;
    return failed && !SW__PLANT(TASK_OUTCOME) ? SW_TASK_FAILED : SW_TASK_SUCCEEDED;
}

static void settle_log(sw__work *work, const sw_task_finished *task)
{
    char task_id[37];
    sw_uuid_format(&task->task_id, task_id);
    sw__work_log(work, SW_LOG_INFO, "task.finished", {"task", sw__str(task_id), 0},
                 {"state", sw__str(sw_task_state_name(task->state)), 0});
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
        int outcome = task->dirty && !SW__PLANT(TASK_ENDS_NEVER) ? settle_outcome(&task->row) : -1;
        if (outcome < 0)
            continue;
        sw__cause cause = {.by = SW_BY_ENGINE};
        int rc = sw__work_move_task(work, task, outcome, &cause, err);
        if (rc < 0)
            return rc;
        rows[count++] = (sw_task_finished){.task_id = task->row.task_id, .state = outcome};
        settle_log(work, &rows[count - 1]);
    }
    if (result)
        sw__result_set(result, SW__FINISHED, rows, count);
    return SW_OK;
}
