/* What an engine remembers of ended tasks, so that a question that is asked again does not read
 * their histories again.
 *
 * A lesson holds for one task as it was when its history ended with one segment of the log: a task
 * that is taken up again gets a longer history, and is read again. Which tasks there are is asked
 * of the store each time, so a pruned one teaches nothing any more. Guarded by the engine's lock.
 * Not here: reading (past.c).
 */
#ifndef SW_ENGINE_LESSON_H
#define SW_ENGINE_LESSON_H

#include "base/env.h"
#include "store/store.h"

#define SW__LESSONS 1024          /* places, by task number: a task takes that of another */
#define SW__LESSONS_STEPS 1000000 /* of all lessons together, 8 bytes each */

typedef struct sw__lesson {
    sw_uuid task_id;
    int64_t audit_segment;
    int64_t *took_us; /* of each step; see past.h */
    size_t step_count;
    int32_t peak;
} sw__lesson;

/* Zeroed: empty. */
typedef struct sw__lessons {
    sw__lesson *places; /* SW__LESSONS of them, or NULL before the first */
    size_t steps;
} sw__lessons;

/* The lesson of a task with so many steps as its row says it is now; NULL: it has to be read. */
const sw__lesson *sw__lessons_find(const sw__lessons *lessons, const sw__task_hot *task,
                                   size_t step_count);
/* Remember a copy. One that has no room makes all others go; one that never has is not kept.
 * SW_ENOMEM. */
int sw__lessons_keep(sw__lessons *lessons, const sw_env *env, const sw__task_hot *task,
                     const int64_t *took_us, size_t step_count, int32_t peak);
/* Forget everything. */
void sw__lessons_free(sw__lessons *lessons, const sw_env *env);

#endif
