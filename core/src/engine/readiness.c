/* Whether the steps of a task may start, and why not, one row per step. From the counters of the
 * rows, without asking for workers.
 *
 * Not here: the sentences, each single thing that a step waits for, and whether a worker is there
 * that handles it (explain.c).
 */
#include "engine/survey.h"
#include "stepwell/ops.h"

static int readiness_reason(const sw__survey *survey, size_t index)
{
    const sw__step_hot *row = &survey->rows[index];
    switch (row->state) {
    case SW_STEP_READY:
        if (sw__survey_held(survey, index))
            return SW_REASON_BREAKER_OPEN;
        return sw__survey_ready(survey, index) ? SW_REASON_QUEUED : SW_REASON_NOT_BEFORE;
    case SW_STEP_RUNNING:
        return SW_REASON_RUNNING;
    case SW_STEP_FAILED:
        if (row->crashes > survey->plan->workflow->steps[index].max_crashes)
            return SW_REASON_CRASHES_USED_UP;
        return row->attempt - row->crashes < survey->plan->workflow->steps[index].max_attempts
                   ? SW_REASON_FAILED_FOR_GOOD
                   : SW_REASON_ATTEMPTS_USED_UP;
    case SW_STEP_PENDING:
    case SW_STEP_WAITING:
        return survey->blocked[index] ? SW_REASON_FAILED_DEPENDENCY : SW_REASON_OPEN_DEPENDENCY;
    default:
        return SW_REASON_ENDED;
    }
}

static void readiness_fill_row(const sw__survey *survey, sw__arena *arena, size_t index,
                               sw_step_readiness_row *out)
{
    const sw__step_hot *row = &survey->rows[index];
    const sw_workflow_step *step = &survey->plan->workflow->steps[index];
    sw__tally tally = sw__survey_tally(survey, index);
    out->step_id = row->step_id;
    out->step = sw__arena_str(arena, step->name);
    out->state = row->state;
    out->reason = readiness_reason(survey, index);
    out->ready = sw__survey_ready(survey, index);
    out->dependencies_satisfied = sw__tally_is_met(tally, step);
    out->attempts = row->attempt - row->crashes;
    out->max_attempts = step->max_attempts;
    /* An operator may have made a step ready that has no attempt left. */
    out->retry_eligible = !sw_step_state_terminal(row->state) &&
                          (row->state == SW_STEP_READY || out->attempts < step->max_attempts);
    out->total_parents = (int32_t)step->after_count;
    out->completed_parents = tally.counted;
    out->next_retry_us = sw__survey_retry_us(survey, index);
}

static int readiness_fill_rows(const sw__survey *survey, sw_result *result, sw_error *err)
{
    sw_step_readiness_row *rows = sw__arena_array(result->arena, survey->count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < survey->count; i++)
        readiness_fill_row(survey, result->arena, i, &rows[i]);
    sw__result_set(result, SW__READINESS, rows, survey->count);
    return SW_OK;
}

static int readiness_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw__survey survey;
    int rc = sw__survey_open(&survey, engine, context, err);
    if (rc == SW_OK)
        rc = readiness_fill_rows(&survey, result, err);
    sw__survey_close(&survey);
    return rc;
}

int sw_step_readiness(sw_engine *engine, const sw_uuid *task_id, sw_result **out, sw_error *err)
{
    if (!task_id)
        return sw__fail(err, SW_EINVAL, "task_id is NULL");
    return sw__query(engine, readiness_fill, task_id, out, err);
}
