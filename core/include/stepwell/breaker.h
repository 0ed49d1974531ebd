/* Circuit breakers: while an external service fails, the steps that need it are not started.
 *
 * A step names the breaker of the service it needs ("breaker: payments"); steps of all workflows
 * that name it share it, and so do all processes of a database, where its state is a row that
 * outlives them. Closed, it counts the failures in a row: failed attempts that may be tried again,
 * and timeouts. What a handler gives up for good, a lost worker, a released or a cancelled attempt
 * says nothing about the service and counts neither way. After failure_threshold failures it opens:
 * the steps stay ready, without an attempt and in their places in line, until open_ms are over.
 * Then it is half-open: at most `probes` steps run at a time; success_threshold successes close it,
 * one failure opens it again, for twice as long up to max_open_ms. An outcome counts only when its
 * attempt was started in the present state.
 *
 * Settings stand in a definition's "breakers"; the newest registered one that has a breaker there
 * decides, and a step may name one that nobody sets: then the values below hold.
 *
 *     sw_breaker_override_row row = {.name = name, .state = SW_BREAKER_OPEN, .actor = actor,
 *                                    .reason = reason};
 *     sw_breaker_override(engine, &row, 1, &result, &err);   nothing that needs it is started
 */
#ifndef STEPWELL_BREAKER_H
#define STEPWELL_BREAKER_H

#include "engine.h"
#include "error.h"
#include "types.h"

#define SW_BREAKER_STATE_MAP(XX)                                                                   \
    XX(CLOSED, 0, "closed")                                                                        \
    XX(OPEN, 1, "open")                                                                            \
    XX(HALF_OPEN, 2, "half_open")

typedef enum sw_breaker_state {
#define SW_ENUM_VALUE(name, value, text) SW_BREAKER_##name = value,
    SW_BREAKER_STATE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_BREAKER_STATE_COUNT = 3
} sw_breaker_state;

/* Settings of a breaker that no definition has. */
#define SW_BREAKER_FAILURES_DEFAULT 5
#define SW_BREAKER_SUCCESSES_DEFAULT 2
#define SW_BREAKER_PROBES_DEFAULT 1
#define SW_BREAKER_OPEN_MS_DEFAULT 30000

typedef struct sw_breaker_settings {
    sw_str name;
    int32_t failure_threshold; /* failures in a row that open it, from 1 */
    int32_t success_threshold; /* successes while half-open that close it, from 1 */
    int32_t probes;            /* steps that run at a time while half-open, from 1 */
    int32_t reserved;
    int64_t open_ms;     /* how long it is open before probes start, from 1 */
    int64_t max_open_ms; /* each failure of a probe doubles open_ms up to this; equal: it stays */
} sw_breaker_settings;

typedef struct sw_breaker_row {
    sw_breaker_settings settings;
    int32_t state;      /* sw_breaker_state; OPEN also when until_us has come and no step asked */
    int32_t failures;   /* in a row: while closed, or those that opened it */
    int32_t successes;  /* half-open: so far */
    int32_t probing;    /* half-open: steps that run */
    int32_t openings;   /* in a row, without having been closed */
    int32_t forced;     /* 1: an operator has opened it */
    int64_t until_us;   /* open: when it becomes half-open; 0: when an operator closes it */
    int64_t changed_us; /* since when it is in its state; 0: it never was in another */
    sw_str error_class; /* of the last failure that counted, may be absent */
} sw_breaker_row;

/* What an operator does to one breaker. */
typedef struct sw_breaker_override_row {
    sw_str name;
    int32_t state; /* OPEN, also when it is open already; CLOSED: nothing is counted against it */
    int32_t reserved;
    int64_t open_ms; /* OPEN: so long; 0: until an operator closes it */
    sw_str actor;    /* who, for the audit log */
    sw_str reason;   /* why, for the audit log */
} sw_breaker_override_row;

SW_BEGIN_DECLS

/* Name of a state in lower case ("half_open"), "unknown" for any other number; and the state with
 * a name.
 *
 * owns:    never freed (static); name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND of sw_breaker_state_find.
 */
SW_API const char *sw_breaker_state_name(int state);
SW_API int sw_breaker_state_find(sw_str name);

/* Every breaker that a registered definition names, by name. sw_breakers reads the rows.
 *
 * owns:    *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_breaker_list(sw_engine *engine, sw_result **out, sw_error *err);

/* Open or close breakers by hand, all rows or none, in their order; each is audited with its actor
 * and reason. Attempts that run go on, and their outcomes do not count any more. sw_breakers reads
 * what the breakers of the rows are after the call, in the order of the rows.
 *
 * owns:    rows and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  with err->row: SW_EINVAL (no actor, no reason, another state, open_ms out of range or
 *          not for OPEN), SW_ENOTFOUND (no such breaker); SW_ELIMIT, SW_EBUSY, SW_EIO, SW_EFULL,
 *          SW_ENOMEM, SW_EFORKED. On error nothing was written.
 */
SW_API int sw_breaker_override(sw_engine *engine, const sw_breaker_override_row *rows,
                               size_t row_count, sw_result **out, sw_error *err);

/* Rows of a result of sw_breaker_list or sw_breaker_override.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_breaker_row *sw_breakers(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
