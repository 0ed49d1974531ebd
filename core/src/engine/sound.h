/* Rows as they come from a store, before the engine reckons with them: in a damaged or edited
 * database a number may be anything, and must end in an error, not in a wild index or an overflow.
 *
 * Not here: whether rows agree with each other and with their history, which the audit log shows.
 * Every function answers SW_OK, or SW_ECORRUPT with what was found.
 */
#ifndef SW_ENGINE_SOUND_H
#define SW_ENGINE_SOUND_H

#include "engine/catalog.h"
#include "stepwell/error.h"
#include "store/store.h"

/* Number and state, before the definition that the row names is looked for. */
int sw__sound_task(const sw__task_hot *row, sw_error *err);
/* Counts against the task's definition. */
int sw__sound_counts(const sw__task_hot *row, const sw__plan *plan, sw_error *err);
/* A step of a task that runs this definition. */
int sw__sound_step(const sw__step_hot *row, const sw__plan *plan, sw_error *err);
/* The workers in the store, all of them sound. */
int sw__sound_workers(sw__store *store, sw__arena *arena, sw__worker_rec **rows, size_t *count,
                      sw_error *err);
int sw__sound_breaker(const sw__breaker_rec *rec, sw_error *err);
int sw__sound_deadline(const sw__deadline *row, sw_error *err);
int sw__sound_anchor(const sw__anchor *anchor, sw_error *err);

#endif
