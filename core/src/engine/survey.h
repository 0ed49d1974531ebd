/* All steps of one task at one moment, and which of them cannot go on by themselves. What context.c
 * and readiness.c say about a task is taken from it.
 */
#ifndef SW_ENGINE_SURVEY_H
#define SW_ENGINE_SURVEY_H

#include "engine/breaker.h"
#include "engine/query.h"
#include "model/trigger.h"

typedef struct sw__survey {
    sw__arena *scratch; /* of rows and blocked */
    int64_t now_us;
    sw__task_hot task;
    const sw__plan *plan;
    size_t count;
    sw__work_breakers breakers; /* none when no step names one */
    sw__step_hot *rows; /* by index */
    bool *blocked;      /* by index: pending, and nothing that goes on by itself lets it start */
} sw__survey;

/* Inside a read transaction; close in any case. SW_ENOTFOUND. */
int sw__survey_open(sw__survey *survey, sw_engine *engine, const sw_uuid *task_id, sw_error *err);
void sw__survey_close(sw__survey *survey);

/* How the dependencies of a step stand. */
sw__tally sw__survey_tally(const sw__survey *survey, size_t index);
/* Whether its time has come, and only a circuit breaker keeps the step from starting. */
bool sw__survey_held(const sw__survey *survey, size_t index);
/* Whether a worker may take the step now. */
bool sw__survey_ready(const sw__survey *survey, size_t index);
/* When the step may start again, by its retry or its breaker; 0: it waits for no time. */
int64_t sw__survey_retry_us(const sw__survey *survey, size_t index);

#endif
