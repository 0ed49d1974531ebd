/* The inside of a runner, and the loop that claims, hands out and reports.
 *
 * Threads of a run: the caller runs the loop, the pool's threads run attempts, the keeper renews
 * the lease and passes a stop on. What they share is in the pool under its lock, or atomic.
 */
#ifndef SW_WORKER_LOOP_H
#define SW_WORKER_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "stepwell/runner.h"
#include "stepwell/worker.h"
#include "worker/guard.h"
#include "worker/pool.h"

struct sw_runner {
    const sw_env *env;
    sw_engine *engine;
    sw__arena *arena; /* the environment of commands */
    sw_worker_ref worker;
    bool entered; /* worker is open */
    int64_t lease_ms;
    size_t thread_count;
    sw__workplace place;
    sw__guard guard;

    int bell_fd;          /* eventfd: rung when one of the three below is set */
    atomic_bool stop;     /* sw_runner_stop was called; stays until a run has ended by it */
    atomic_bool complete; /* the task that this run waits for has ended */
    atomic_bool over;     /* no attempt runs any more, the keeper is to end */

    /* Of the present run. */
    sw__pool pool;
    sw_uuid until;
    bool has_until;
    int64_t look_us;     /* monotonic: when to ask for the task again */
    int64_t contact_us;  /* monotonic: when the store last took an exchange */
    sw_step_hold *holds; /* of the keeper; thread_count of them */
};

/* Ring the bell. May be called from a signal handler. */
void sw__runner_ring(sw_runner *runner);

/* Claim and report until the runner is stopped or the task has ended. 0 or a negative code. */
int sw__loop_run(sw_runner *runner, sw_error *err);
/* Report what is finished; the pool's threads call it too, and leave errors to the loop. */
int sw__loop_report(sw_runner *runner, sw_error *err);
/* Set runner->complete when the task that is waited for has ended. */
int sw__loop_look(sw_runner *runner, sw_error *err);

#endif
