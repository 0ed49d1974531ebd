/* Values that every subject shares: strings, identifiers, states and their names.
 *
 * Not here: rows of a subject (task.h, step.h, ...).
 * Times are int64 microseconds UTC on the store's clock, durations carry their unit in the name.
 */
#ifndef STEPWELL_TYPES_H
#define STEPWELL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/* A borrowed run of bytes, UTF-8 where it is text; not zero-terminated. {NULL, 0} means absent. */
typedef struct sw_str {
    const char *ptr;
    size_t len;
} sw_str;

/* A UUIDv7 (RFC 9562): sorts by creation time. */
typedef struct sw_uuid {
    uint8_t bytes[16];
} sw_uuid;

/* XX(NAME, value, name in text). Terminal states come last. */
#define SW_STEP_STATE_MAP(XX)                                                                      \
    XX(PENDING, 0, "pending")                                                                      \
    XX(READY, 1, "ready")                                                                          \
    XX(RUNNING, 2, "running")                                                                      \
    XX(WAITING, 3, "waiting")                                                                      \
    XX(SUCCEEDED, 4, "succeeded")                                                                  \
    XX(FAILED, 5, "failed")                                                                        \
    XX(SKIPPED, 6, "skipped")                                                                      \
    XX(CANCELLED, 7, "cancelled")                                                                  \
    XX(RESOLVED, 8, "resolved")

#define SW_TASK_STATE_MAP(XX)                                                                      \
    XX(PENDING, 0, "pending")                                                                      \
    XX(RUNNING, 1, "running")                                                                      \
    XX(PAUSED, 2, "paused")                                                                        \
    XX(SUCCEEDED, 3, "succeeded")                                                                  \
    XX(FAILED, 4, "failed")                                                                        \
    XX(CANCELLED, 5, "cancelled")                                                                  \
    XX(RESOLVED, 6, "resolved")

/* How durable an acknowledged commit is. STRICT: on disk. RELAXED: survives the death of the
 * process, a power loss may take the last commits. MEMORY: lives and dies with the engine. */
#define SW_DURABILITY_MAP(XX)                                                                      \
    XX(STRICT, 0, "strict")                                                                        \
    XX(RELAXED, 1, "relaxed")                                                                      \
    XX(MEMORY, 2, "memory")

typedef enum sw_step_state {
#define SW_ENUM_VALUE(name, value, text) SW_STEP_##name = value,
    SW_STEP_STATE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_STEP_STATE_COUNT = 9
} sw_step_state;

typedef enum sw_task_state {
#define SW_ENUM_VALUE(name, value, text) SW_TASK_##name = value,
    SW_TASK_STATE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_TASK_STATE_COUNT = 7
} sw_task_state;

typedef enum sw_durability {
#define SW_ENUM_VALUE(name, value, text) SW_DURABILITY_##name = value,
    SW_DURABILITY_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_DURABILITY_COUNT = 3
} sw_durability;

/* One allowed change of a step's state; by says who may make it. */
typedef enum sw_transition_by {
    SW_BY_ENGINE = 0,  /* readiness, expiry, retry, task completion */
    SW_BY_WORKER = 1,  /* the holder of the newest lease */
    SW_BY_OPERATOR = 2 /* a named actor with a reason, always audited */
} sw_transition_by;

typedef struct sw_transition {
    int32_t from;
    int32_t to;
    int32_t by;
    int32_t reserved;
} sw_transition;

/* The answer of a call that returns rows; sw_result_free releases it and all it points to. */
typedef struct sw_result sw_result;

SW_BEGIN_DECLS

/* Name of a state or mode in lower case ("ready"), "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_step_state_name(int state);
SW_API const char *sw_task_state_name(int state);
SW_API const char *sw_durability_name(int durability);

/* Number of the state with this name, or SW_ENOTFOUND.
 *
 * owns:    name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND.
 */
SW_API int sw_step_state_find(sw_str name);
SW_API int sw_task_state_find(sw_str name);
SW_API int sw_durability_find(sw_str name);

/* Whether nothing but an operator can move a step or task out of this state (1 or 0).
 *
 * owns:    nothing.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; 0 for a number that is no state.
 */
SW_API int sw_step_state_terminal(int state);
SW_API int sw_task_state_terminal(int state);

/* The one transition table of steps (model.md); *count rows, ordered by from, to, by.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const sw_transition *sw_step_transitions(size_t *count);

/* Write the 36-character form of a UUID and a terminating zero into text (37 bytes).
 *
 * owns:    nothing.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_uuid_format(const sw_uuid *uuid, char *text);

/* Read the 36-character form, upper or lower case.
 *
 * owns:    text is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL.
 */
SW_API int sw_uuid_parse(sw_str text, sw_uuid *uuid);

/* Release a result and everything it points to. NULL is allowed.
 *
 * owns:    result is taken.
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_result_free(sw_result *result);

SW_END_DECLS

#endif
