/* Dead letters: steps that have failed for good and hold up or failed their task, over all tasks.
 *
 * A step is one when its attempts or its crashes are used up, or its handler gave it up, unless its
 * failure is allowed (on_failure: continue) or its task was cancelled. It stays one until somebody
 * tries it again, resolves it, or cancels its task. Not here: changing single steps by their
 * numbers, which works for dead letters too (sw_step_override in ops.h).
 *
 *     sw_dead_filter filter = SW_DEAD_FILTER_INIT;
 *     filter.error_class = (sw_str){"CardDeclined", 12};
 *     sw_dead_list(engine, &filter, &result, &err);           what there is
 *     sw_dead_override(engine, &filter, &action, &result, &err);   and the same ones, retried
 */
#ifndef STEPWELL_DEAD_H
#define STEPWELL_DEAD_H

#include "engine.h"
#include "error.h"
#include "types.h"

/* Which dead letters: those that match everything that is given. */
typedef struct sw_dead_filter {
    uint32_t size;
    uint32_t reserved;
    sw_str workflow; /* texts match as a whole; absent: any */
    sw_str handler;
    sw_str step;
    sw_str error_class;       /* of the last attempt */
    int64_t failed_after_us;  /* at this time or later, 0: at any time */
    int64_t failed_before_us; /* before this time, 0: at any time */
    int64_t after_us;         /* of a next page: failed_us and step_id of the last letter before */
    int64_t after_step_id;    /* 0: from the newest */
    int64_t limit;            /* at most 10000; 0: 100 */
} sw_dead_filter;

#define SW_DEAD_FILTER_INIT                                                                        \
    {                                                                                              \
        .size = sizeof(sw_dead_filter)                                                             \
    }

typedef struct sw_dead_letter {
    int64_t step_id;
    sw_uuid task_id;
    sw_str workflow;
    sw_str version;
    sw_str step;
    sw_str handler;
    sw_str queue;
    sw_str error_class; /* of the last attempt, like the other two; may be absent */
    sw_str error_message;
    sw_str error_detail;
    int64_t failed_us;
    int32_t attempt;      /* attempts that were started */
    int32_t max_attempts; /* as defined; attempts lost with their worker do not count */
    int32_t crashes;      /* attempts that were lost with their worker */
    int32_t task_state;   /* sw_task_state */
} sw_dead_letter;

/* Dead letters with the same error class and handler. */
typedef struct sw_dead_group {
    sw_str error_class; /* may be absent */
    sw_str handler;
    int64_t count;
    int64_t oldest_us; /* when the first and the last of them failed */
    int64_t newest_us;
} sw_dead_group;

/* What becomes of dead letters. */
typedef struct sw_dead_action {
    int32_t state; /* SW_STEP_READY: tried again; SW_STEP_RESOLVED: done by other means */
    int32_t reserved;
    sw_str result; /* RESOLVED: JSON that dependents read; absent means null */
    sw_str actor;  /* who, for the audit log */
    sw_str reason; /* why, for the audit log */
} sw_dead_action;

SW_BEGIN_DECLS

/* Dead letters, newest first, then by step number. sw_dead_letters reads the rows. Takes O(dead
 * letters that are looked at), however many tasks there are.
 *
 * owns:    filter is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_dead_list(sw_engine *engine, const sw_dead_filter *filter, sw_result **out,
                        sw_error *err);

/* Rows of a result of sw_dead_list or sw_dead_override.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_dead_letter *sw_dead_letters(const sw_result *result, size_t *count);

/* How many dead letters there are of each error class and handler, the largest group first. limit
 * and after of the filter are not looked at. sw_dead_groups reads the rows. Takes O(dead letters).
 *
 * owns:    filter is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_dead_count(sw_engine *engine, const sw_dead_filter *filter, sw_result **out,
                         sw_error *err);

/* Rows of a result of sw_dead_count.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_dead_group *sw_dead_groups(const sw_result *result, size_t *count);

/* Do the same to all dead letters that a filter finds, up to its limit, in one transaction: what
 * sw_step_override does in the mode PARTIAL, each audited with the actor and the reason. A step
 * that is tried again gets the attempts that are left, or one more. Steps that were cancelled because
 * it had failed (on_failure fail_task) go on with it; they are no rows of the answer. sw_dead_letters reads what was
 * found, sw_step_overrides what became of it, in the same order. To go on behind the limit, give the
 * last letter as after: a step that fails again meanwhile is newer, and does not come up twice.
 *
 * owns:    filter and action are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL (no actor, no reason, another state, a result that is not JSON or not for
 *          RESOLVED), SW_ELIMIT, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED. On error
 *          nothing was written.
 */
SW_API int sw_dead_override(sw_engine *engine, const sw_dead_filter *filter,
                            const sw_dead_action *action, sw_result **out, sw_error *err);

SW_END_DECLS

#endif
