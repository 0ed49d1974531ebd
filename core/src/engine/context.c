/* Where a task stands: counts, how it goes on, what blocks it, what comes next.
 *
 * Not here: the state of the task, which settle.c derives. The words are Tasker's, the rules are
 * not: a failed step does not hide ready steps of other branches, and every state is counted.
 */
#include "engine/deadline.h"
#include "engine/survey.h"

#include <stdlib.h>

#include "base/limits.h"
#include "stepwell/ops.h"

/* A step that may start, in the order of claims. */
typedef struct context_next {
    int32_t priority;
    int32_t index;
} context_next;

static int context_compare(const void *a, const void *b)
{
    const context_next *left = a;
    const context_next *right = b;
    if (left->priority != right->priority)
        return left->priority < right->priority ? 1 : -1;
    return (left->index > right->index) - (left->index < right->index);
}

static sw_str context_name(const sw__survey *survey, sw__arena *arena, size_t index)
{
    return sw__arena_str(arena, survey->plan->workflow->steps[index].name);
}

static int context_fill_next(const sw__survey *survey, sw__arena *arena, sw_task_context_row *out,
                             sw_error *err)
{
    size_t count = 0;
    context_next *next = sw__arena_array(survey->scratch, survey->count, sizeof *next);
    if (!next)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < survey->count; i++) {
        int64_t retry_us = sw__survey_retry_us(survey, i);
        if (retry_us > 0 && (out->next_retry_us == 0 || retry_us < out->next_retry_us))
            out->next_retry_us = retry_us;
        if (sw__survey_ready(survey, i))
            next[count++] = (context_next){survey->plan->workflow->steps[i].priority, (int32_t)i};
    }
    qsort(next, count, sizeof *next, context_compare);
    sw_str *names = sw__arena_array(arena, count, sizeof *names);
    if (!names)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        names[i] = context_name(survey, arena, (size_t)next[i].index);
    out->next_steps = names;
    out->next_step_count = count;
    out->ready_count = (int64_t)count;
    return SW_OK;
}

static bool context_is_blocking(const sw__survey *survey, size_t index)
{
    int state = survey->rows[index].state;
    return sw_step_state_terminal(state) &&
           !sw__trigger_is_well(&survey->plan->workflow->steps[index], state);
}

static int context_fill_blocked(const sw__survey *survey, sw__arena *arena,
                                sw_task_context_row *out, sw_error *err)
{
    size_t blocking = 0;
    size_t blocked = 0;
    for (size_t i = 0; i < survey->count; i++) {
        blocking += context_is_blocking(survey, i);
        blocked += survey->blocked[i];
    }
    sw_str *names = sw__arena_array(arena, blocking + blocked, sizeof *names);
    if (!names)
        return sw__fail(err, SW_ENOMEM, NULL);
    out->blocking_steps = names;
    out->blocked_steps = names + blocking;
    for (size_t i = 0; i < survey->count; i++) {
        if (context_is_blocking(survey, i))
            names[out->blocking_step_count++] = context_name(survey, arena, i);
        if (survey->blocked[i])
            names[blocking + out->blocked_step_count++] = context_name(survey, arena, i);
    }
    return SW_OK;
}

/* Steps that count as done for those behind them. */
static int64_t context_done(const sw__task_hot *task)
{
    return (int64_t)task->counts[SW_STEP_SUCCEEDED] + task->counts[SW_STEP_RESOLVED] +
           task->counts[SW_STEP_SKIPPED] + task->counts[SW_STEP_FAILED] - task->fatal;
}

static int context_status(const sw_task_context_row *row, int64_t done)
{
    if (row->ready_count > 0)
        return SW_EXECUTION_HAS_READY_STEPS;
    if (row->step_counts[SW_STEP_RUNNING] > 0)
        return SW_EXECUTION_PROCESSING;
    if (row->step_counts[SW_STEP_READY] > 0 || row->step_counts[SW_STEP_WAITING] > 0)
        return SW_EXECUTION_WAITING_FOR_DEPENDENCIES;
    return done == row->step_count ? SW_EXECUTION_ALL_COMPLETE : SW_EXECUTION_BLOCKED_BY_FAILURES;
}

/* An attempt of a step that has not ended was not the first one. */
static bool context_tries_again(const sw__survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        const sw__step_hot *row = &survey->rows[i];
        if ((row->state == SW_STEP_READY && row->attempt > 0) ||
            (row->state == SW_STEP_RUNNING && row->attempt > 1))
            return true;
    }
    return false;
}

static int context_health(const sw__survey *survey, const sw_task_context_row *row)
{
    if (row->execution_status == SW_EXECUTION_BLOCKED_BY_FAILURES)
        return SW_HEALTH_BLOCKED;
    if (row->execution_status == SW_EXECUTION_ALL_COMPLETE)
        return SW_HEALTH_HEALTHY;
    bool hurt = row->step_counts[SW_STEP_FAILED] > 0 || row->step_counts[SW_STEP_CANCELLED] > 0;
    return hurt || context_tries_again(survey) ? SW_HEALTH_RECOVERING : SW_HEALTH_HEALTHY;
}

static int context_fill_row(const sw__survey *survey, sw__arena *arena, sw_task_context_row *out,
                            sw_error *err)
{
    const sw__task_hot *task = &survey->task;
    int64_t done = context_done(task);
    out->task_id = task->task_id;
    out->workflow = sw__arena_str(arena, survey->plan->workflow->name);
    out->version = sw__arena_str(arena, survey->plan->workflow->version);
    out->state = task->state;
    out->step_count = (int64_t)survey->count;
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
        out->step_counts[state] = task->counts[state];
    int rc = context_fill_next(survey, arena, out, err);
    if (rc == SW_OK)
        rc = context_fill_blocked(survey, arena, out, err);
    if (rc < 0)
        return rc;
    out->completion_percentage = (double)(done * 10000 / out->step_count) / 100.0;
    out->execution_status = context_status(out, done);
    out->recommended_action = out->execution_status; /* two lists in one order */
    out->health_status = context_health(survey, out);
    return SW_OK;
}

static void context_due(const sw__survey *survey, sw_task_context_row *out, int64_t due_us)
{
    if (due_us > survey->now_us && (out->next_deadline_us == 0 || due_us < out->next_deadline_us))
        out->next_deadline_us = due_us;
}

/* Only a step that waits for a worker, or runs, has a deadline that will pass. */
static int context_fill_deadlines(const sw__survey *survey, sw__store *store,
                                  sw_task_context_row *out, sw_error *err)
{
    int rc = SW_OK;
    out->deadline_us = survey->task.deadline_us;
    if (sw_task_state_terminal(survey->task.state))
        return SW_OK;
    context_due(survey, out, out->deadline_us);
    for (size_t i = 0; rc == SW_OK && i < survey->count; i++) {
        int64_t due_us = 0;
        if (survey->plan->workflow->steps[i].deadline_ms > 0 &&
            !sw_step_state_terminal(survey->rows[i].state))
            rc = sw__deadline_read(store, survey->rows[i].step_id, &due_us, err);
        context_due(survey, out, due_us);
    }
    return rc;
}

/* What a call asks about. */
typedef struct context_question {
    const sw_uuid *task_ids;
    size_t count;
} context_question;

static int context_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const context_question *question = context;
    int rc = SW_OK;
    sw_task_context_row *rows = sw__arena_array(result->arena, question->count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < question->count; i++) {
        sw__survey survey;
        rc = sw__survey_open(&survey, engine, &question->task_ids[i], err);
        if (rc == SW_ENOTFOUND && err)
            err->row = (int64_t)i;
        if (rc == SW_OK)
            rc = context_fill_row(&survey, result->arena, &rows[i], err);
        if (rc == SW_OK)
            rc = context_fill_deadlines(&survey, engine->store, &rows[i], err);
        sw__survey_close(&survey);
    }
    sw__result_set(result, SW__CONTEXTS, rows, question->count);
    return rc;
}

int sw_task_context(sw_engine *engine, const sw_uuid *task_ids, size_t task_count, sw_result **out,
                    sw_error *err)
{
    context_question question = {task_ids, task_count};
    if (!task_ids && task_count > 0)
        return sw__fail(err, SW_EINVAL, "task_ids is NULL");
    if (task_count > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d tasks in one call", SW__BATCH_MAX);
    return sw__query(engine, context_fill, &question, out, err);
}
