/* Tasks: submit, look at, wait for and cancel executions of workflows.
 *
 * Not here: the work on their steps (step.h) and their history (audit.h).
 */
#ifndef STEPWELL_TASK_H
#define STEPWELL_TASK_H

#include "engine.h"
#include "error.h"
#include "types.h"
#include "workflow.h"

/* Before the id of the parent, in the tag that a task keeps of it. */
#define SW_PARENT_TAG "parent:"

/* A task to start. Only workflow is required.
 *
 * The parent is the task that started this one, in whatever state; nothing follows from it but that
 * this one is found by it: neither waits for the other, and cancelling one does not cancel the other.
 * It is kept as one of the tags, "parent:" and the id, and outlives the parent when that is pruned.
 * Such a tag among tags names the parent just as well. A row whose key is known starts nothing, and
 * its parent need not be there.
 */
typedef struct sw_task_submit_row {
    sw_str workflow;       /* name of a registered workflow */
    sw_str version;        /* absent: the newest registered */
    sw_str input;          /* JSON; absent means null */
    sw_str key;            /* idempotency key within the workflow name; absent: always a new task */
    sw_str initiator;      /* who asked, for the audit log */
    sw_str reason;         /* why, for the audit log */
    sw_str correlation_id; /* of the request that caused it */
    const sw_str *tags;
    size_t tag_count;
    int32_t priority; /* -32768..32767, added to the priority of each step */
    int32_t reserved;
    int64_t deadline_ms; /* the task has to end within so long from now; 0: what its workflow says */
    int64_t deadline_us; /* or by this time; 0: none. One that has passed already fails it at once */
    sw_uuid parent_id;   /* the task that started this one; all zero: none */
} sw_task_submit_row;

/* The answer to one submitted row. created is 0 when the key named an existing task. */
typedef struct sw_task_submitted {
    sw_uuid task_id;
    int32_t created;
    int32_t state; /* sw_task_state */
} sw_task_submitted;

/* A task as stored. Times are 0 when they have not come yet. */
typedef struct sw_task_row {
    sw_uuid task_id;
    sw_str workflow;
    sw_str version;
    sw_str digest; /* SHA-256 of the definition it runs, hex */
    sw_str input;
    sw_str key;
    sw_str initiator;
    sw_str reason;
    sw_str correlation_id;
    const sw_str *tags;
    size_t tag_count;
    int32_t state; /* sw_task_state */
    int32_t priority;
    int64_t created_us;
    int64_t started_us;
    int64_t finished_us;
    int64_t step_count;
    int64_t step_counts[9]; /* by sw_step_state; their sum is step_count */
    int64_t deadline_us;    /* by when it has to end, 0: by no time */
    sw_uuid parent_id;      /* as its tag says; all zero: none. That task may be gone (pruned) */
} sw_task_row;

/* A step of a task as stored. */
typedef struct sw_step_row {
    int64_t step_id;
    sw_str name;
    sw_str title;
    sw_str handler;
    sw_str queue;
    int32_t state;   /* sw_step_state */
    int32_t attempt; /* attempts started; one that was released is taken back */
    int32_t max_attempts; /* attempts that may fail; one ended by a lost lease does not count */
    int32_t open_deps; /* pending: dependencies that its trigger rule still needs */
    int32_t level;
    int32_t reserved;
    int64_t epoch;         /* grows with every claim; the fencing token of the newest one */
    int64_t changed_us;    /* last transition */
    int64_t not_before_us; /* a retry waits until then, 0 otherwise */
    int64_t deadline_us;   /* when the running attempt times out or was silent for too long,
                              0: never */
    int64_t worker_id;     /* who runs it, 0 when nobody */
    sw_str result;         /* JSON, absent until it succeeded with something other than null */
    sw_str error_class;    /* of the last failed attempt */
    sw_str error_message;
    sw_str error_detail; /* backtrace or captured output */
    int64_t fails_us;    /* when its own deadline fails it; 0: it has none, is not ready, or has
                            ended */
} sw_step_row;

typedef struct sw_task_filter {
    uint32_t size;
    int32_t state;   /* sw_task_state, -1: any */
    sw_str workflow; /* absent: any */
    sw_str tag;      /* absent: any */
    sw_str correlation_id;
    sw_uuid before; /* page on: only tasks submitted before this one; all zero: from the newest */
    int64_t limit;  /* rows at most; 0 means 100, 10,000 at most */
    int64_t created_after_us;  /* only tasks created at this time or later; 0: any */
    int64_t created_before_us; /* only tasks created before this time; 0: any */
    sw_uuid parent_id; /* only tasks that this one started, there or not; all zero: any */
} sw_task_filter;

#define SW_TASK_FILTER_INIT {.size = sizeof(sw_task_filter), .state = -1}

typedef struct sw_cancel_row {
    sw_uuid task_id;
    sw_str actor;
    sw_str reason;
} sw_cancel_row;

SW_BEGIN_DECLS

/* Start tasks in one transaction. A row whose key is known answers the task that has it, with the
 * deadline that this one was given.
 *
 * owns:    rows and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  with err->row: SW_EINVAL (input is not JSON, two parents, a tag "parent:" without a task
 *          id), SW_ENOTFOUND (workflow, parent), SW_ECONFLICT (key known with another input),
 *          SW_ELIMIT (64 tags, that of the parent included); SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM,
 *          SW_EFORKED. On error nothing was written.
 */
SW_API int sw_task_submit(sw_engine *engine, const sw_task_submit_row *rows, size_t row_count,
                          sw_result **out, sw_error *err);

/* Rows of a result of sw_task_submit, in the order of its input.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_task_submitted *sw_task_submissions(const sw_result *result, size_t *count);

/* One task with its steps in topological order: sw_tasks gives one row, sw_steps the steps.
 *
 * owns:    task_id is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_ENOTFOUND, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_task_get(sw_engine *engine, const sw_uuid *task_id, sw_result **out, sw_error *err);

/* The definition that a task runs, which need not be the newest of its name. Its steps are in the
 * order of the rows of sw_task_get.
 *
 * owns:    task_id is borrowed until return; *out is the caller's (sw_workflow_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_ENOTFOUND, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED. On error *out is NULL.
 */
SW_API int sw_task_workflow(sw_engine *engine, const sw_uuid *task_id, sw_workflow **out,
                            sw_error *err);

/* Tasks that match, newest first, without their steps.
 *
 * owns:    filter is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_task_list(sw_engine *engine, const sw_task_filter *filter, sw_result **out,
                        sw_error *err);

/* How many tasks match, by state: counts has SW_TASK_STATE_COUNT elements. before and limit of
 * the filter are not used.
 *
 * owns:    filter and counts are borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_task_count(sw_engine *engine, const sw_task_filter *filter, int64_t *counts,
                         sw_error *err);

/* Rows of a result of sw_task_get or sw_task_list.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_task_row *sw_tasks(const sw_result *result, size_t *count);
SW_API const sw_step_row *sw_steps(const sw_result *result, size_t *count);

/* Wait until a task is in a terminal state, then answer what sw_task_get answers. A wait_ms of 0
 * asks once, a negative one waits without end; sw_engine_wake ends the wait early.
 *
 * owns:    task_id is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  waits wait_ms.
 * errors:  SW_ETIMEOUT (not terminal; *out is still filled), SW_ENOTFOUND, SW_EBUSY, SW_EIO,
 *          SW_ENOMEM, SW_EFORKED, SW_ECLOSED.
 */
SW_API int sw_task_wait(sw_engine *engine, const sw_uuid *task_id, int64_t wait_ms,
                        sw_result **out, sw_error *err);

/* Cancel tasks in one transaction: every step that has not ended becomes cancelled; a running
 * attempt is fenced, its worker hears of it at its next renewal. All rows or none.
 *
 * owns:    rows and their strings are borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  with err->row: SW_ENOTFOUND, SW_ESTATE (it has ended already); SW_EBUSY, SW_EIO,
 *          SW_EFULL, SW_ENOMEM, SW_EFORKED. On error nothing was written.
 */
SW_API int sw_task_cancel(sw_engine *engine, const sw_cancel_row *rows, size_t row_count,
                          sw_error *err);

SW_END_DECLS

#endif
