/* Reading a task as a whole; see survey.h.
 *
 * That a dependency is open is known from the counter of each row. Only what is behind a failed or
 * cancelled step has to be looked for along the dependencies.
 */
#include "engine/survey.h"

#include "base/plant.h"

static sw__effect survey_effect(const sw__survey *survey, const sw_workflow_step *step,
                                int32_t dependency)
{
    const sw_workflow_step *steps = survey->plan->workflow->steps;
    return sw__trigger_effect(step, &steps[dependency], survey->rows[dependency].state);
}

sw__tally sw__survey_tally(const sw__survey *survey, size_t index)
{
    sw__tally tally = {0};
    const sw_workflow_step *step = &survey->plan->workflow->steps[index];
    for (size_t i = 0; i < step->after_count; i++)
        sw__tally_add(&tally, survey_effect(survey, step, step->after[i]));
    return tally;
}

/* Too few dependencies count or may still come to: others have ended, or are blocked themselves. */
static bool survey_is_blocked(const sw__survey *survey, const sw_workflow_step *step)
{
    sw__tally hopes = {0};
    for (size_t i = 0; i < step->after_count; i++) {
        int32_t from = step->after[i];
        bool ended = sw_step_state_terminal(survey->rows[from].state);
        bool goes_on = !ended && (!survey->blocked[from] || SW__PLANT(BLOCKED_NEAR));
        sw__tally_add(&hopes, goes_on ? SW__EFFECT_COUNTS : survey_effect(survey, step, from));
    }
    return !sw__tally_is_met(hopes, step);
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
    if (rc == SW_OK && sw__breaker_named(survey->plan->workflow))
        rc = sw__breakers_list(engine->store, survey->scratch, &survey->breakers, err);
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

static bool survey_waits(const sw__survey *survey, size_t index)
{
    const sw__step_hot *row = &survey->rows[index];
    return row->lane == SW__LANE_TIMER && row->rank > survey->now_us;
}

static const sw__work_breaker *survey_breaker(const sw__survey *survey, size_t index)
{
    sw_str name = survey->plan->workflow->steps[index].breaker;
    return name.ptr ? sw__breakers_find(&survey->breakers, name) : NULL;
}

bool sw__survey_held(const sw__survey *survey, size_t index)
{
    return survey->rows[index].state == SW_STEP_READY && !survey_waits(survey, index) &&
           sw__breaker_holds(survey_breaker(survey, index), survey->now_us);
}

int64_t sw__survey_retry_us(const sw__survey *survey, size_t index)
{
    if (survey_waits(survey, index))
        return survey->rows[index].rank;
    return sw__survey_held(survey, index) ? survey_breaker(survey, index)->rec.row.until_us : 0;
}

bool sw__survey_ready(const sw__survey *survey, size_t index)
{
    return survey->rows[index].state == SW_STEP_READY && !survey_waits(survey, index) &&
           !sw__survey_held(survey, index);
}
