/* Until when steps and tasks have time: what every transaction keeps of it, and what happens then.
 *
 * A step's own deadline is counted from when it first became ready, over all its attempts and the
 * waits between them; a task's is a point in time, given at submit. The store has a row for each
 * that is running, and none for those of steps that wait for others or have ended.
 */
#ifndef SW_ENGINE_DEADLINE_H
#define SW_ENGINE_DEADLINE_H

#include "engine/work.h"

/* A loaded step, which has a deadline, has moved from another state. */
int sw__deadline_follow(sw__work *work, const sw__work_step *step, int from, sw_error *err);
/* A task that has a deadline has moved from another state. */
int sw__deadline_follow_task(sw__work *work, const sw__task_hot *task, int from, sw_error *err);
/* A new task and its steps that are ready. */
int sw__deadline_begin(sw__work *work, const sw__task_hot *task, const sw__plan *plan,
                       sw_error *err);
/* Write what is kept, so that the store's answers in this transaction hold it. */
int sw__deadline_flush(sw__work *work, sw_error *err);

/* End every step and task whose deadline has passed; reports that come later are fenced. The
 * engine is to sweep again when the next one is due. */
int sw__deadline_sweep(sw__work *work, sw_error *err);
/* When a deadline is due, 0: there is none. */
int sw__deadline_read(sw__store *store, int64_t subject, int64_t *due_us, sw_error *err);
/* What is left of the time of a claimed step and its task, in milliseconds, rounded up; 0: they have
 * no deadline. */
int sw__deadline_left(sw__work *work, int64_t step_id, int64_t *left_ms, sw_error *err);

#endif
