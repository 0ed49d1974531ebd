/* The runner: a worker in C that executes the built-in step kinds on a pool of threads.
 *
 * Kinds: noop, wait, command, create_file, read_file, delete_file
 * (docs/reference/step-kinds.md). Commands are argument vectors, never a shell line; they run in
 * their own process group, which is killed on timeout and cancellation. File kinds cannot leave
 * the root directory. Not here: handlers in Ruby or Python, which their own workers run.
 */
#ifndef STEPWELL_RUNNER_H
#define STEPWELL_RUNNER_H

#include "engine.h"
#include "error.h"
#include "types.h"

typedef struct sw_runner sw_runner;

typedef struct sw_runner_options {
    uint32_t size;
    int32_t threads; /* steps at once; 0 means 4 */
    sw_str name;     /* of the worker, for people */
    sw_str root;     /* directory of the file kinds and of commands; absent: the current one */
    const sw_str *queues;
    size_t queue_count;  /* 0: every queue */
    int64_t lease_ms;    /* 0 means 15,000 */
    int64_t output_max;  /* bytes of stdout and of stderr kept per command; 0 means 64 KiB */
    const sw_uuid *task; /* claim steps of this task only; NULL: of every task */
} sw_runner_options;

#define SW_RUNNER_OPTIONS_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(sw_runner_options)                                                          \
    }

SW_BEGIN_DECLS

/* Names of the built-in kinds, which are their handler names.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const sw_str *sw_runner_kinds(size_t *count);

/* Open a runner; it starts no thread yet.
 *
 * owns:    options and its strings are borrowed until return; engine must outlive the runner; *out
 *          is the caller's (sw_runner_close).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit).
 * errors:  SW_EINVAL, SW_ELIMIT, SW_EACCESS (root), SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_runner_open(sw_engine *engine, const sw_runner_options *options, sw_runner **out,
                          sw_error *err);

/* Claim and execute steps on the pool until sw_runner_stop, or, when until is not NULL, until
 * that task has ended. Returns when all threads have ended; outcomes that are ready are reported,
 * running commands are killed and their steps released, so that the attempt does not count. A busy
 * store is tried again for as long as the lease lasts; any other error ends the run.
 *
 * owns:    until is borrowed until return.
 * threads: any thread, one at a time.
 * blocks:  unbounded (interruptible by sw_runner_stop).
 * errors:  SW_EINVAL, SW_ENOTFOUND (until), SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED,
 *          SW_ECLOSED.
 */
SW_API int sw_runner_run(sw_runner *runner, const sw_uuid *until, sw_error *err);

/* Ask sw_runner_run to return, or the next one when none runs. May be called from a signal
 * handler.
 *
 * owns:    nothing.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_runner_stop(sw_runner *runner);

/* Close the worker and free the runner. NULL is allowed.
 *
 * owns:    runner is taken.
 * threads: any thread, one at a time; not while sw_runner_run runs.
 * blocks:  disk (one commit).
 * errors:  none.
 */
SW_API void sw_runner_close(sw_runner *runner);

SW_END_DECLS

#endif
