/* What the steps of a workflow take, from its ended tasks, without a task to forecast.
 *
 * Not here: the learning (past.c), what follows for a task (forecast.c).
 */
#include "engine/past.h"
#include "engine/query.h"
#include "stepwell/forecast.h"

#define DURATIONS_HISTORY 50
#define DURATIONS_HISTORY_MAX 1000
#define DURATIONS_DEFAULT_US 60000000
#define DURATIONS_NO_TASK (-1)

typedef struct durations_question {
    const sw_workflow *workflow;
    size_t history;
} durations_question;

static int durations_rows(sw__arena *arena, const sw_workflow *workflow, const sw__past *past,
                          sw_result *result)
{
    size_t count = workflow->step_count;
    sw__durations known;
    sw_step_duration *rows = sw__arena_array(result->arena, count, sizeof *rows);
    if (!rows || sw__past_durations(arena, past, NULL, workflow, DURATIONS_DEFAULT_US, &known) < 0)
        return SW_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int source = known.sources[i];
        bool seen = source == SW_DURATION_FROM_STEP || source == SW_DURATION_FROM_HANDLER;
        rows[i] = (sw_step_duration){
            .name = sw__arena_str(result->arena, workflow->steps[i].name),
            .source = source,
            .sample_count = seen ? known.spans[i].count : 0,
            .p50_us = sw__durations_at(&known, i, 0.5),
            .p95_us = sw__durations_at(&known, i, 0.95),
        };
    }
    sw__result_set(result, SW__DURATIONS, rows, count);
    return SW_OK;
}

static int durations_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const durations_question *question = context;
    sw__past past = {0};
    sw__arena *arena = sw__arena_new(engine->env);
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__past_read(engine, arena, question->workflow->name, DURATIONS_NO_TASK,
                           question->history, SW__PAST_STEPS_MAX, &past, err);
    if (rc == SW_OK && durations_rows(arena, question->workflow, &past, result) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__past_free(&past);
    sw__arena_free(arena);
    return rc;
}

int sw_workflow_durations(sw_engine *engine, const sw_workflow *workflow, int32_t history,
                          sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    if (!engine || !workflow)
        return sw__fail(err, SW_EINVAL, "engine or workflow is NULL");
    if (history < 0 || history > DURATIONS_HISTORY_MAX)
        return sw__fail(err, SW_EINVAL, "history is within 0 and %d, not %d", DURATIONS_HISTORY_MAX,
                        history);
    durations_question question = {workflow, history ? (size_t)history : DURATIONS_HISTORY};
    return sw__query(engine, durations_fill, &question, out, err);
}
