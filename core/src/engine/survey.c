/* Reading a task as a whole; see survey.h.
 *
 * That a dependency is open is known from the counter of each row. Only what is behind a failed or
 * cancelled step has to be looked for along the dependencies.
 */
#include "engine/survey.h"

#include "base/plant.h"

bool sw__step_done(const sw_workflow_step *step, int state)
{
    return state == SW_STEP_SUCCEEDED || state == SW_STEP_RESOLVED || state == SW_STEP_SKIPPED ||
           (state == SW_STEP_FAILED && step->on_failure == SW_ON_FAILURE_CONTINUE);
}

/* A step stands in the way of this one: it has ended undone, or is blocked itself. */
static bool survey_is_blocked(const sw__survey *survey, const sw_workflow_step *step)
{
    for (size_t i = 0; i < step->after_count; i++) {
        int32_t from = step->after[i];
        int state = survey->rows[from].state;
        bool undone = sw_step_state_terminal(state) &&
                      !sw__step_done(&survey->plan->workflow->steps[from], state);
        if (undone || (survey->blocked[from] && !SW__PLANT(BLOCKED_NEAR)))
            return true;
    }
    return false;
}

/* In topological order, so that what a step depends on is known before. */
static void survey_block(sw__survey *survey)
{
    const int32_t *counts = survey->task.counts;
    if (survey->task.fatal == 0 && counts[SW_STEP_CANCELLED] == 0)
        return;
    for (size_t i = 0; i < survey->count; i++)
        survey->blocked[i] = survey->rows[i].state == SW_STEP_PENDING &&
                             survey_is_blocked(survey, &survey->plan->workflow->steps[i]);
}

int sw__survey_open(sw__survey *survey, sw_engine *engine, const sw_uuid *task_id, sw_error *err)
{
    *survey = (sw__survey){.scratch = sw__arena_new(engine->env)};
    if (!survey->scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__query_task(engine, task_id, &survey->task, &survey->plan, err);
    if (rc == SW_OK)
        rc = sw__engine_now(engine, false, &survey->now_us, err);
    if (rc == SW_OK)
        rc = sw__query_steps(engine, survey->scratch, &survey->task, survey->plan, &survey->rows,
                             err);
    if (rc < 0)
        return rc;
    survey->count = survey->plan->workflow->step_count;
    survey->blocked = sw__arena_array(survey->scratch, survey->count, sizeof *survey->blocked);
    if (!survey->blocked)
        return sw__fail(err, SW_ENOMEM, NULL);
    survey_block(survey);
    return SW_OK;
}

void sw__survey_close(sw__survey *survey)
{
    sw__arena_free(survey->scratch);
}

int64_t sw__survey_retry_us(const sw__survey *survey, size_t index)
{
    const sw__step_hot *row = &survey->rows[index];
    return row->lane == SW__LANE_TIMER && row->rank > survey->now_us ? row->rank : 0;
}

bool sw__survey_ready(const sw__survey *survey, size_t index)
{
    return survey->rows[index].state == SW_STEP_READY && sw__survey_retry_us(survey, index) == 0;
}
