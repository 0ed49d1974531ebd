/* What operators are told of one task, against its history. */
#include <string.h>

#include "sim/oracle.h"

/* A step that has ended and keeps its task from success. */
static bool ops_is_blocking(const replay_task *task, int step)
{
    return sw_step_state_terminal(task->steps[step].state) && !replay_is_well(task, step);
}

/* Whether a list of names is exactly the steps for which is() holds. */
static bool ops_list_is(const replay_task *task, const sw_str *names, size_t count,
                        bool (*is)(const replay_task *, int))
{
    uint32_t listed = 0;
    uint32_t expected = 0;
    for (size_t i = 0; i < count; i++)
        listed |= 1u << ledger_step_index(names[i]);
    for (int i = 0; i < task->shape->step_count; i++)
        expected |= (uint32_t)is(task, i) << i;
    return listed == expected;
}

/* A step that is ready, but for a circuit breaker that is not closed: that one may have a place for
 * it or not, and a time or none. */
static bool ops_is_held(const oracle *o, const replay_task *task)
{
    for (int i = 0; i < task->shape->step_count; i++) {
        int breaker = task->shape->steps[i].breaker;
        if (task->steps[i].state == SW_STEP_READY && breaker &&
            o->replay.breakers[breaker - 1].state != SW_BREAKER_CLOSED)
            return true;
    }
    return false;
}

static void ops_check_status(const oracle *o, int index, const sw_task_context_row *row)
{
    const replay_task *task = &o->replay.tasks[index];
    int64_t ready = row->step_counts[SW_STEP_READY];
    bool goes_on = ready + row->step_counts[SW_STEP_RUNNING] > 0;
    bool complete = true;
    for (int i = 0; i < task->shape->step_count; i++)
        complete = complete && replay_is_well(task, i);
    if (complete != (row->execution_status == SW_EXECUTION_ALL_COMPLETE) ||
        complete != (row->completion_percentage == 100.0))
        oracle_violate(o, "O8", index, "it is said to be complete, or is and is not said to be");
    if ((!goes_on && !complete) != (row->execution_status == SW_EXECUTION_BLOCKED_BY_FAILURES))
        oracle_violate(o, "O8", index, "it is said to be blocked, or is and is not said to be");
    if ((row->ready_count > 0) != (row->execution_status == SW_EXECUTION_HAS_READY_STEPS) ||
        row->ready_count > ready ||
        ((row->ready_count < ready) != (row->next_retry_us > 0) && !ops_is_held(o, task)))
        oracle_violate(o, "O8", index, "its ready steps are told wrongly");
}

static void ops_check_context(oracle *o, int index)
{
    size_t count = 0;
    sw_result *result = NULL;
    int64_t by_state[SW_STEP_STATE_COUNT] = {0};
    const replay_task *task = &o->replay.tasks[index];
    if (sw_task_context(o->engine, &o->ids[index], 1, &result, &o->error) < 0)
        return;
    const sw_task_context_row *row = sw_task_contexts(result, &count);
    for (int i = 0; i < task->shape->step_count; i++)
        by_state[task->steps[i].state]++;
    if (memcmp(by_state, row->step_counts, sizeof by_state) != 0 || row->state != task->state)
        oracle_violate(o, "O8", index, "its context counts other steps than its history");
    if (!ops_list_is(task, row->blocking_steps, row->blocking_step_count, ops_is_blocking) ||
        !ops_list_is(task, row->blocked_steps, row->blocked_step_count, replay_is_blocked))
        oracle_violate(o, "O8", index, "its context does not name what blocks it");
    ops_check_status(o, index, row);
    sw_result_free(result);
}

static void ops_check_step(const oracle *o, int index, int step, const sw_step_readiness_row *row)
{
    const replay_task *task = &o->replay.tasks[index];
    int total = __builtin_popcount(task->shape->steps[step].after);
    bool blocked = replay_is_blocked(task, step);
    if (row->state != task->steps[step].state || row->total_parents != total ||
        row->completed_parents != replay_counted(task, step))
        oracle_violate(o, "O8", index, "the readiness of a step differs from its history");
    if (row->ready && (row->state != SW_STEP_READY || !row->dependencies_satisfied ||
                       !row->retry_eligible || row->next_retry_us != 0))
        oracle_violate(o, "O8", index, "a step is said to be ready against what else is said");
    if (row->attempts != task->steps[step].attempt - task->steps[step].crashes)
        oracle_violate(o, "O8", index, "the attempts of a step are counted wrongly");
    if (blocked != (row->reason == SW_REASON_FAILED_DEPENDENCY))
        oracle_violate(o, "O8", index, "a step is said to be behind a failure, or is and is not");
}

static void ops_check_readiness(oracle *o, int index)
{
    size_t count = 0;
    sw_result *result = NULL;
    const replay_task *task = &o->replay.tasks[index];
    if (sw_step_readiness(o->engine, &o->ids[index], &result, &o->error) < 0)
        return;
    const sw_step_readiness_row *rows = sw_readiness_rows(result, &count);
    if ((int)count != task->shape->step_count)
        oracle_violate(o, "O8", index, "the readiness of a step is not told");
    for (size_t i = 0; i < count; i++)
        ops_check_step(o, index, ledger_step_index(rows[i].step), &rows[i]);
    sw_result_free(result);
}

/* A dead letter: failed, and its failure was not allowed, in a task that nobody gave up. */
static bool ops_is_dead(const replay_task *task, int step)
{
    return task->steps[step].state == SW_STEP_FAILED && !replay_is_well(task, step) &&
           task->state != SW_TASK_CANCELLED;
}

static void ops_check_dead(oracle *o, int index)
{
    size_t count = 0;
    uint32_t listed = 0;
    uint32_t expected = 0;
    const replay_task *task = &o->replay.tasks[index];
    const sw_dead_letter *rows = sw_dead_letters(o->dead, &count);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&rows[i].task_id, &o->ids[index], sizeof(sw_uuid)) == 0)
            listed |= 1u << ledger_step_index(rows[i].step);
        if (i > 0 && rows[i].failed_us > rows[i - 1].failed_us)
            oracle_violate(o, "O8", index, "a dead letter is listed before a newer one");
    }
    for (int i = 0; i < task->shape->step_count; i++)
        expected |= (uint32_t)ops_is_dead(task, i) << i;
    if (listed != expected)
        oracle_violate(o, "O8", index, "its dead letters are told wrongly");
}

void oracle_check_ops(oracle *o, int index)
{
    ops_check_dead(o, index);
    ops_check_readiness(o, index);
    ops_check_context(o, index);
}
