/* Where structured log records go.
 *
 * Extension point. Not the audit log: these records help an operator and may be dropped. They are
 * written after the commit of what they tell:
 *
 *     warn  worker.lost     worker, name, how ("died" or "lease expired")
 *     warn  step.failed     task, step, attempt, error_class
 *     info  step.retried    task, step, attempt, error_class
 *     warn  report.fenced   task, step, epoch, worker
 *     info  task.finished   task, state
 *     warn  breaker.opened  breaker, failures, error_class
 *     info  breaker.half_opened, breaker.closed  the same
 *     warn  worker.not_renewed  worker, error (sw_worker_keep tries again)
 */
#ifndef STEPWELL_SYS_LOG_H
#define STEPWELL_SYS_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "../types.h"

#define SW_LOG_LEVEL_MAP(XX)                                                                       \
    XX(DEBUG, 0, "debug")                                                                          \
    XX(INFO, 1, "info")                                                                            \
    XX(WARN, 2, "warn")                                                                            \
    XX(ERROR, 3, "error")

typedef enum sw_log_level {
#define SW_ENUM_VALUE(name, value, text) SW_LOG_##name = value,
    SW_LOG_LEVEL_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_LOG_LEVEL_COUNT = 4
} sw_log_level;

/* One field of a record: a text, or a number when text is absent. */
typedef struct sw_log_field {
    const char *key;
    sw_str text;
    int64_t number;
} sw_log_field;

/* write is called on whichever thread made the call into the engine, or on the thread of
 * sw_worker_keep, never while a lock is held: it may call the engine. */
typedef struct sw_log {
    uint32_t size;
    int32_t level; /* records below it are not made */
    void *context;
    void (*write)(void *context, int level, const char *event, const sw_log_field *fields,
                  size_t field_count);
} sw_log;

SW_BEGIN_DECLS

/* Name of a level in lower case ("warn"), "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_log_level_name(int level);

SW_END_DECLS

#endif
