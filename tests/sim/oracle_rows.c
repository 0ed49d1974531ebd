/* The rows of one task, and what the queries say of it, against its history. */
#include <string.h>

#include "sim/oracle.h"

static bool rows_text_is(sw_str text, const char *expected)
{
    size_t size = strlen(expected);
    return text.len == size && (size == 0 || memcmp(text.ptr, expected, size) == 0);
}

/* A running step belongs to a worker that is there, whose end somebody will notice. */
static void rows_check_worker(const oracle *o, int index, const sw_step_row *row)
{
    size_t count = 0;
    const sw_worker_row *workers = sw_workers(o->workers, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || workers[i].worker_id == row->worker_id;
    if ((row->state == SW_STEP_RUNNING) != (row->worker_id != 0))
        oracle_violate(o, "O6", index, "a step is held by a worker, and does not run");
    if (row->worker_id && !found)
        oracle_violate(o, "O6", index, "a step runs on a worker that is not there");
}

static void rows_check_result(const oracle *o, int index, const replay_step *step,
                              const sw_step_row *row)
{
    char text[64];
    if (o->replay.tasks[index].erased) {
        if (row->result.ptr || row->error_class.ptr || row->error_message.ptr)
            oracle_violate(o, "O13", index, "a result or an error is left after it was erased");
        return;
    }
    if (row->state == SW_STEP_SUCCEEDED) {
        sw_str result = ledger_result(text, row->step_id, step->succeeded_epoch);
        if (row->result.len != result.len || memcmp(row->result.ptr, result.ptr, result.len) != 0)
            oracle_violate(o, "O9", index, "a result is not that of the attempt that committed");
    } else if (row->state == SW_STEP_RESOLVED) {
        if (!rows_text_is(row->result, LEDGER_RESOLVED))
            oracle_violate(o, "O13", index, "a result is not what the operator gave");
    } else if (row->result.ptr) {
        oracle_violate(o, "O9", index, "a step has a result, and has not succeeded");
    }
    if (!rows_text_is(row->error_class, step->error_class))
        oracle_violate(o, "O9", index, "an error is not that of the newest failure");
}

/* When a running attempt is to be ended. A heartbeat that nobody was answered may have counted, and
 * when one that was answered was committed is only known to be after it was sent. */
static void rows_check_deadline(const oracle *o, int index, const sw_step_row *row,
                                const replay_step *step, const ledger_step *definition)
{
    const ledger_claim *claim = ledger_find(o->l, row->step_id, row->epoch);
    int64_t timeout_us =
        definition->timeout_ms ? step->started_us + definition->timeout_ms * 1000 : INT64_MAX;
    int64_t said_us = step->started_us;
    if (claim && claim->beat_store_us > said_us)
        said_us = claim->beat_store_us;
    int64_t least_us = INT64_MAX;
    if (definition->heartbeat_ms)
        least_us = said_us + definition->heartbeat_ms * 1000;
    least_us = least_us < timeout_us ? least_us : timeout_us;
    bool beaten = claim && claim->beaten && definition->heartbeat_ms;
    int64_t found_us = row->deadline_us ? row->deadline_us : INT64_MAX;
    if (found_us < least_us || found_us > (beaten ? timeout_us : least_us))
        oracle_violate(o, "O6", index, "the deadline of a step is wrong");
    if (definition->heartbeat_ms && row->deadline_us == 0)
        oracle_violate(o, "O6", index, "an attempt may say nothing for ever");
}

static void rows_check_step(const oracle *o, int index, const sw_step_row *row, int number)
{
    const replay_task *task = &o->replay.tasks[index];
    const replay_step *step = &task->steps[number];
    const ledger_step *definition = &task->shape->steps[number];
    if (row->state != step->state)
        oracle_violate(o, "O5", index, "a step's row differs from its history");
    if (row->epoch != step->epoch || row->attempt != step->attempt)
        oracle_violate(o, "O5", index, "a step's epoch or attempt differs from its history");
    if (row->open_deps != replay_needed(task, number) && row->state == SW_STEP_PENDING)
        oracle_violate(o, "O6", index, "the count of open dependencies is wrong");
    if (row->max_attempts != definition->max_attempts)
        oracle_violate(o, "O8", index, "a step has another number of attempts than defined");
    if (row->state == SW_STEP_RUNNING)
        rows_check_deadline(o, index, row, step, definition);
    else if (row->deadline_us)
        oracle_violate(o, "O6", index, "a step that does not run has a deadline");
    bool begun = row->state == SW_STEP_READY || row->state == SW_STEP_RUNNING;
    if (row->fails_us != (begun ? step->due_us : 0))
        oracle_violate(o, "O6", index, "when a step fails is wrong");
    rows_check_worker(o, index, row);
    rows_check_result(o, index, step, row);
}

/* Reasons. */

static int rows_reasons(const replay_task *task, int step)
{
    int state = task->steps[step].state;
    return state == SW_STEP_PENDING ? replay_waits(task, step) : !sw_step_state_terminal(state);
}

static void rows_check_reasons(oracle *o, int index)
{
    size_t count = 0;
    int found[LEDGER_STEPS] = {0};
    sw_result *result = NULL;
    const replay_task *task = &o->replay.tasks[index];
    if (sw_step_explain(o->engine, &o->ids[index], (sw_str){0}, &result, &o->error) < 0)
        return;
    const sw_step_reason *reasons = sw_step_reasons(result, &count);
    for (size_t i = 0; i < count; i++) {
        int step = ledger_step_index(reasons[i].step);
        if (step >= 0 && reasons[i].state == task->steps[step].state)
            found[step]++;
    }
    for (int i = 0; i < task->shape->step_count; i++) {
        if (found[i] != rows_reasons(task, i))
            oracle_violate(o, "O8", index, "explain does not name everything a step waits for");
    }
    sw_result_free(result);
}

/* One step by its name, a different one with every check. */
static void rows_check_reason(oracle *o, int index)
{
    size_t count = 0;
    sw_result *result = NULL;
    const replay_task *task = &o->replay.tasks[index];
    int step = (int)(o->l->checks % (uint64_t)task->shape->step_count);
    char name[] = {(char)('a' + step), '\0'};
    if (sw_step_explain(o->engine, &o->ids[index], (sw_str){name, 1}, &result, &o->error) < 0)
        return;
    const sw_step_reason *reasons = sw_step_reasons(result, &count);
    if (count == 0 || reasons[0].state != task->steps[step].state)
        oracle_violate(o, "O8", index, "explain does not say what the row says");
    sw_result_free(result);
}

/* The task. */

static void rows_check_history(oracle *o, int index)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_audit_task(o->engine, &o->ids[index], &result, &o->error);
    sw_audit_entries(result, &count);
    if (rc == SW_EAUDIT || (rc == 0 && (int64_t)count != o->replay.tasks[index].entries))
        oracle_violate(o, "O5", index, "its own history lacks entries of the log");
    sw_result_free(result);
}

static void rows_check_counts(const oracle *o, int index, const sw_task_row *row)
{
    int64_t by_state[SW_STEP_STATE_COUNT] = {0};
    const replay_task *task = &o->replay.tasks[index];
    for (int i = 0; i < task->shape->step_count; i++)
        by_state[task->steps[i].state]++;
    if (row->state != task->state)
        oracle_violate(o, "O5", index, "the task's row differs from its history");
    if (memcmp(by_state, row->step_counts, sizeof by_state) != 0)
        oracle_violate(o, "O6", index, "the task's counts differ from its steps");
    if (row->deadline_us != task->due_us)
        oracle_violate(o, "O8", index, "its deadline was changed");
    if ((row->finished_us != 0) != sw_task_state_terminal(task->state))
        oracle_violate(o, "O8", index, "the time of the task's end is wrong");
}

int oracle_check_task(oracle *o, int index)
{
    size_t count = 0;
    size_t tasks = 0;
    sw_result *result = NULL;
    int rc = sw_task_get(o->engine, &o->ids[index], &result, &o->error);
    if (rc < 0)
        return rc;
    const sw_step_row *rows = sw_steps(result, &count);
    rows_check_counts(o, index, sw_tasks(result, &tasks));
    if ((int)count != o->replay.tasks[index].shape->step_count)
        oracle_violate(o, "O8", index, "it has another number of steps than defined");
    for (size_t i = 0; i < count; i++) {
        int number = ledger_step_index(rows[i].name);
        if (number >= 0)
            rows_check_step(o, index, &rows[i], number);
    }
    sw_result_free(result);
    rows_check_reasons(o, index);
    if (o->l->checks % (uint64_t)o->l->task_count == (uint64_t)index)
        rows_check_reason(o, index);
    rows_check_history(o, index);
    oracle_check_ops(o, index);
    return 0;
}
