/* The threads of a runner and the attempts they work on.
 *
 * An attempt is a job: queued, then running, then finished, then taken to be reported. The pool
 * knows nothing of the engine. Lock order: there is one lock, pool->lock; no call leaves the pool
 * with it held, and raising an interrupt under it is fine.
 */
#ifndef SW_WORKER_POOL_H
#define SW_WORKER_POOL_H

#include <pthread.h>

#include "stepwell/worker.h"
#include "worker/attempt.h"

typedef struct sw__job {
    struct sw__job *next;
    sw__arena *arena;        /* holds the job itself and all that it points to */
    sw_step_claim claim;     /* what the kinds need of it; inputs of other steps are left out */
    sw_step_outcome outcome; /* once it is finished */
    /* guarded by pool->lock */
    sw__why why;              /* it is to end early */
    sw__interrupt *interrupt; /* of the thread that runs it */
} sw__job;

/* First in, first out. */
typedef struct sw__job_list {
    sw__job *first;
    sw__job *last;
} sw__job_list;

typedef struct sw__pool sw__pool;

typedef struct sw__pool_thread {
    sw__pool *pool;
    pthread_t thread;
    sw__interrupt interrupt;
} sw__pool_thread;

struct sw__pool {
    const sw_env *env;
    const sw__workplace *place;
    void (*report)(void *context); /* on a pool thread, without the lock; see sw__pool_take */
    void *report_context;
    sw__pool_thread *threads;
    size_t thread_count; /* started */

    pthread_mutex_t lock;
    pthread_cond_t work; /* a job is queued, or the pool is closing */
    pthread_cond_t done; /* a job is finished, or the pool is stopping */
    /* guarded by lock */
    sw__job_list queued;
    sw__job_list running;
    sw__job_list finished;
    size_t busy;   /* jobs queued and running */
    bool outside;  /* the owner waits elsewhere */
    bool stopping; /* jobs end early, none begin */
    bool closing;  /* threads end once nothing is queued */
};

/* A copy of a claim in an arena of its own; NULL when there is no memory. */
sw__job *sw__job_new(const sw_env *env, const sw_step_claim *claim);
void sw__job_free(sw__job *job);
void sw__job_list_free(sw__job_list *list);

/* Start thread_count threads. On error nothing is left. errors: SW_ENOMEM, SW_EIO. */
int sw__pool_open(sw__pool *pool, const sw_env *env, const sw__workplace *place,
                  size_t thread_count, sw_error *err);
/* Wait for every job, end the threads, give up what was not taken. */
void sw__pool_close(sw__pool *pool);

/* Run a job; the pool owns it until it is taken. One that comes after sw__pool_stop is released. */
void sw__pool_put(sw__pool *pool, sw__job *job);
/* Give finished jobs back to be taken again. */
void sw__pool_put_back(sw__pool *pool, sw__job_list *jobs);
/* Take the finished jobs. When there are none and outside is set, the owner waits outside until
 * sw__pool_inside: meanwhile pool->report is called for jobs that finish, on their threads. */
sw__job_list sw__pool_take(sw__pool *pool, bool outside);
void sw__pool_inside(sw__pool *pool);
bool sw__pool_is_outside(sw__pool *pool);
/* Wait until a job is finished, a thread is free, or the pool is stopping; returns how many
 * threads are free. */
size_t sw__pool_wait(sw__pool *pool);
/* Wait until no job is queued or running. */
void sw__pool_drain(sw__pool *pool);

/* End one attempt early, if it is still queued or running. */
void sw__pool_cancel(sw__pool *pool, const sw_step_hold *hold);
/* End all of them early, and every later one. */
void sw__pool_stop(sw__pool *pool);
bool sw__pool_stopping(sw__pool *pool);
/* What is queued and running, at most max. */
size_t sw__pool_holds(sw__pool *pool, sw_step_hold *holds, size_t max);

#endif
