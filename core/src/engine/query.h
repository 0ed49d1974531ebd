/* Reading: one read transaction around a function that fills a result. */
#ifndef SW_ENGINE_QUERY_H
#define SW_ENGINE_QUERY_H

#include "engine/engine.h"

typedef int (*sw__query_fill)(sw_engine *engine, sw_result *result, const void *context,
                              sw_error *err);

/* Enter, begin for reading, fill, end, leave. *out is NULL on error. */
int sw__query(sw_engine *engine, sw__query_fill fill, const void *context, sw_result **out,
              sw_error *err);
/* The same when entered already. */
int sw__query_entered(sw_engine *engine, sw__query_fill fill, const void *context, sw_result **out,
                      sw_error *err);

/* A function that answers otherwise than by a result, in a read transaction: enter, begin, read,
 * end, leave. */
typedef int (*sw__query_look)(sw_engine *engine, void *context, sw_error *err);
int sw__query_read(sw_engine *engine, sw__query_look look, void *context, sw_error *err);

/* A result that is made outside of the lock, with a hasher of its own: that of the engine belongs
 * to whoever holds the lock. *out is NULL on error. */
typedef int (*sw__query_make)(sw_result *result, sw__hasher *hasher, void *context, sw_error *err);
int sw__query_apart(const sw_env *env, sw__query_make make, void *context, sw_result **out,
                    sw_error *err);

/* A path that a caller gave, with a zero behind it, in the arena; what names it in the message. A
 * folder's loses the slashes at its end. SW_EINVAL, SW_ENOMEM. */
int sw__query_path(sw__arena *arena, sw_str path, const char *what, const char **out,
                   sw_error *err);
int sw__query_folder(sw__arena *arena, sw_str folder, const char **out, sw_error *err);
/* The threads that a caller asks a verification for; 0 becomes the number of processors. SW_EINVAL.
 */
int sw__query_jobs(int32_t *jobs, sw_error *err);

/* Inside a read transaction: the hot row and definition of a task by its id. SW_ENOTFOUND. */
int sw__query_task(sw_engine *engine, const sw_uuid *task_id, sw__task_hot *row,
                   const sw__plan **plan, sw_error *err);
/* Each hot row of a task with its index, once, in any order. */
typedef void (*sw__query_step)(void *context, size_t index, const sw__step_hot *row);
int sw__query_each_step(sw_engine *engine, const sw__task_hot *task, const sw__plan *plan,
                        sw__query_step visit, void *context, sw_error *err);
/* All hot rows of a task in an arena. */
int sw__query_steps(sw_engine *engine, sw__arena *arena, const sw__task_hot *task,
                    const sw__plan *plan, sw__step_hot **rows, sw_error *err);

/* search.c: the numbers of all tasks with a correlation id, as keys; inside a transaction. */
int sw__search_correlated(sw_engine *engine, sw_str correlation_id, sw__map *tasks, sw_error *err);

/* The greatest number up to which every task was created before a time; inside a transaction. */
int sw__query_bound(sw_engine *engine, int64_t time_us, int64_t *bound, sw_error *err);

#endif
