/* Workers: who claims steps, for which handlers, and for how long without a sign of life.
 *
 * A worker is an entry in the store; its lease covers every step it holds. Opening one starts no
 * thread: the lease is renewed by each exchange, by sw_worker_renew, and, once it is asked for, by
 * a native thread (sw_worker_keep), because handlers may run longer than the lease.
 * Not here: the runner with the built-in kinds (runner.h).
 */
#ifndef STEPWELL_WORKER_H
#define STEPWELL_WORKER_H

#include "engine.h"
#include "error.h"
#include "types.h"

/* Names an open worker; a plain value. */
typedef struct sw_worker_ref {
    int64_t worker_id;
} sw_worker_ref;

typedef struct sw_worker_options {
    uint32_t size;
    int32_t reserved;
    sw_str name; /* for people; absent: "pid@host" */
    const sw_str *handlers;
    size_t handler_count; /* steps with other handlers are never claimed */
    const sw_str *queues;
    size_t queue_count;  /* 0: every queue */
    int64_t lease_ms;    /* 0 means 15,000 */
    const sw_uuid *task; /* claim steps of this task only; NULL: of every task */
} sw_worker_options;

#define SW_WORKER_OPTIONS_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(sw_worker_options)                                                          \
    }

/* A worker as stored. */
typedef struct sw_worker_row {
    int64_t worker_id;
    sw_str name;
    sw_str host;
    int64_t pid;
    int64_t lease_until_us;
    int64_t held; /* steps it holds */
    int32_t alive;
    int32_t reserved;
    const sw_str *handlers;
    size_t handler_count;
} sw_worker_row;

/* A held step, to be checked by a renewal or kept by a heartbeat. */
typedef struct sw_step_hold {
    int64_t step_id;
    int64_t epoch;
} sw_step_hold;

SW_BEGIN_DECLS

/* Enter a worker into the store. The number of a worker is never used again.
 *
 * owns:    options and its strings are borrowed until return; *out is the caller's
 *          (sw_worker_close).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL, SW_ENOTFOUND (task), SW_ELIMIT, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_worker_open(sw_engine *engine, const sw_worker_options *options, sw_worker_ref *out,
                          sw_error *err);

/* Renew the lease and learn which of the held steps are held no longer (cancelled, timed out, or
 * taken over after the lease ran out); sw_step_holds reads the lost ones.
 *
 * owns:    worker and held are borrowed until return; *out is the caller's (sw_result_free), out
 *          may be NULL.
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_ENOTFOUND (worker is closed), SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_worker_renew(sw_engine *engine, const sw_worker_ref *worker, const sw_step_hold *held,
                           size_t held_count, sw_result **out, sw_error *err);

/* Rows of a result of sw_worker_renew: the holds that are lost.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_step_hold *sw_step_holds(const sw_result *result, size_t *count);

/* Renew the lease from a native thread until the worker or the engine is closed, so that a handler
 * that holds the lock of its language (GVL, GIL) for longer than the lease keeps its steps. The
 * thread takes no signals, writes nothing while exchanges renew the lease anyway, and tells what
 * went wrong to the log of the engine (worker.not_renewed). What is lost is still learned from
 * sw_worker_renew. Asking again is no error. A forked child has no such thread.
 *
 * owns:    worker is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no (waits while another call of this engine works in a transaction).
 * errors:  SW_EINVAL, SW_ENOTFOUND (worker is closed), SW_EIO (no thread can be started),
 *          SW_ENOMEM, SW_EFORKED, SW_ECLOSED.
 */
SW_API int sw_worker_keep(sw_engine *engine, const sw_worker_ref *worker, sw_error *err);

/* Leave: every step the worker still holds becomes ready again without counting an attempt.
 *
 * owns:    worker is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_ENOTFOUND (closed already), SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_worker_close(sw_engine *engine, const sw_worker_ref *worker, sw_error *err);

/* The workers in the store; sw_workers reads the rows.
 *
 * owns:    *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_worker_list(sw_engine *engine, sw_result **out, sw_error *err);

/* Rows of a result of sw_worker_list.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_worker_row *sw_workers(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
