/* Threads that run attempts, and lists of attempts. Not here: claiming and reporting (runner.c). */
#include "worker/pool.h"

#include <errno.h>
#include <string.h>

#include "base/env.h"
#include "base/error.h"
#include "base/thread.h"
#include "worker/kinds.h"

sw__job *sw__job_new(const sw_env *env, const sw_step_claim *claim)
{
    sw__arena *arena = sw__arena_new(env);
    sw__job *job = arena ? sw__arena_alloc(arena, sizeof(*job)) : NULL;
    if (!job) {
        sw__arena_free(arena);
        return NULL;
    }
    job->arena = arena;
    job->claim = (sw_step_claim){
        .step_id = claim->step_id,
        .epoch = claim->epoch,
        .task_id = claim->task_id,
        .name = sw__arena_str(arena, claim->name),
        .handler = sw__arena_str(arena, claim->handler),
        .parameters = sw__arena_str(arena, claim->parameters),
        .idempotency_key = sw__arena_str(arena, claim->idempotency_key),
        .attempt = claim->attempt,
        .max_attempts = claim->max_attempts,
        .timeout_ms = claim->timeout_ms,
    };
    if (sw__arena_failed(arena)) {
        sw__arena_free(arena);
        return NULL;
    }
    return job;
}

void sw__job_free(sw__job *job)
{
    if (job)
        sw__arena_free(job->arena);
}

static void job_list_add(sw__job_list *list, sw__job *job)
{
    job->next = NULL;
    if (list->last)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
}

static sw__job *job_list_take(sw__job_list *list)
{
    sw__job *job = list->first;
    if (!job)
        return NULL;
    list->first = job->next;
    if (!list->first)
        list->last = NULL;
    job->next = NULL;
    return job;
}

static void job_list_remove(sw__job_list *list, const sw__job *job)
{
    sw__job *before = NULL;
    sw__job **link = &list->first;
    while (*link != job) {
        before = *link;
        link = &before->next;
    }
    *link = job->next;
    if (list->last == job)
        list->last = before;
}

void sw__job_list_free(sw__job_list *list)
{
    sw__job *job;
    while ((job = job_list_take(list)))
        sw__job_free(job);
}

/* The lock is held. */
static void pool_finish(sw__pool *pool, sw__job *job)
{
    job_list_add(&pool->finished, job);
    pool->busy--;
    pthread_cond_broadcast(&pool->done);
}

/* The lock is held. An attempt that has not begun is given back. */
static void pool_release(sw__pool *pool, sw__job *job)
{
    job->outcome = (sw_step_outcome){
        .step_id = job->claim.step_id, .epoch = job->claim.epoch, .outcome = SW_OUTCOME_RELEASED};
    pool_finish(pool, job);
}

static void pool_run_job(sw__pool_thread *self, sw__job *job)
{
    sw__attempt attempt = {
        .env = self->pool->env,
        .arena = job->arena,
        .place = self->pool->place,
        .claim = &job->claim,
        .interrupt = &self->interrupt,
        .outcome = &job->outcome,
    };
    sw__attempt_run(&attempt);
}

/* The lock is held before and after. */
static void pool_work(sw__pool_thread *self, sw__job *job)
{
    sw__pool *pool = self->pool;
    if (job->why != SW__WHY_NONE) {
        pool_release(pool, job);
    } else {
        sw__interrupt_reset(&self->interrupt);
        job->interrupt = &self->interrupt;
        job_list_add(&pool->running, job);
        pthread_mutex_unlock(&pool->lock);
        pool_run_job(self, job);
        pthread_mutex_lock(&pool->lock);
        job->interrupt = NULL;
        job_list_remove(&pool->running, job);
        pool_finish(pool, job);
    }
    if (pool->outside) {
        pthread_mutex_unlock(&pool->lock);
        pool->report(pool->report_context);
        pthread_mutex_lock(&pool->lock);
    }
}

static void *pool_thread_main(void *argument)
{
    sw__pool_thread *self = argument;
    sw__pool *pool = self->pool;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        sw__job *job = job_list_take(&pool->queued);
        if (job)
            pool_work(self, job);
        else if (pool->closing)
            break;
        else
            pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int pool_thread_start(sw__pool_thread *self, sw_error *err)
{
    int rc = sw__interrupt_open(&self->interrupt, err);
    if (rc < 0)
        return rc;
    rc = sw__thread_start(&self->thread, pool_thread_main, self, err);
    if (rc < 0)
        sw__interrupt_close(&self->interrupt);
    return rc;
}

int sw__pool_open(sw__pool *pool, const sw_env *env, const sw__workplace *place,
                  size_t thread_count, sw_error *err)
{
    int rc = SW_OK;
    *pool = (sw__pool){.env = env, .place = place};
    pool->threads = sw__calloc(env, thread_count, sizeof(*pool->threads));
    if (!pool->threads)
        return sw__fail(err, SW_ENOMEM, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (size_t i = 0; i < thread_count && rc == SW_OK; i++) {
        pool->threads[i].pool = pool;
        rc = pool_thread_start(&pool->threads[i], err);
        if (rc == SW_OK)
            pool->thread_count++;
    }
    if (rc < 0)
        sw__pool_close(pool);
    return rc;
}

void sw__pool_close(sw__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i].thread, NULL);
        sw__interrupt_close(&pool->threads[i].interrupt);
    }
    sw__job_list_free(&pool->finished);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    sw__free(pool->env, pool->threads);
}

void sw__pool_put(sw__pool *pool, sw__job *job)
{
    pthread_mutex_lock(&pool->lock);
    pool->busy++;
    if (pool->stopping) {
        pool_release(pool, job);
    } else {
        job_list_add(&pool->queued, job);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
}

void sw__pool_put_back(sw__pool *pool, sw__job_list *jobs)
{
    sw__job *job;
    pthread_mutex_lock(&pool->lock);
    while ((job = job_list_take(jobs)))
        job_list_add(&pool->finished, job);
    pthread_mutex_unlock(&pool->lock);
}

sw__job_list sw__pool_take(sw__pool *pool, bool outside)
{
    pthread_mutex_lock(&pool->lock);
    sw__job_list jobs = pool->finished;
    pool->finished = (sw__job_list){0};
    if (outside && !jobs.first)
        pool->outside = true;
    pthread_mutex_unlock(&pool->lock);
    return jobs;
}

void sw__pool_inside(sw__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->outside = false;
    pthread_mutex_unlock(&pool->lock);
}

bool sw__pool_is_outside(sw__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool outside = pool->outside;
    pthread_mutex_unlock(&pool->lock);
    return outside;
}

size_t sw__pool_wait(sw__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->finished.first && !pool->stopping && pool->busy >= pool->thread_count)
        pthread_cond_wait(&pool->done, &pool->lock);
    size_t free = pool->busy < pool->thread_count ? pool->thread_count - pool->busy : 0;
    pthread_mutex_unlock(&pool->lock);
    return free;
}

void sw__pool_drain(sw__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

/* The lock is held. */
static void pool_interrupt(sw__job *job, sw__why why)
{
    job->why = why;
    if (job->interrupt)
        sw__interrupt_raise(job->interrupt, why);
}

/* The lock is held. */
static void pool_interrupt_held(sw__job_list *jobs, const sw_step_hold *hold)
{
    for (sw__job *job = jobs->first; job; job = job->next) {
        if (job->claim.step_id == hold->step_id && job->claim.epoch == hold->epoch)
            pool_interrupt(job, SW__WHY_LOST);
    }
}

void sw__pool_cancel(sw__pool *pool, const sw_step_hold *hold)
{
    pthread_mutex_lock(&pool->lock);
    pool_interrupt_held(&pool->queued, hold);
    pool_interrupt_held(&pool->running, hold);
    pthread_mutex_unlock(&pool->lock);
}

void sw__pool_stop(sw__pool *pool)
{
    sw__job *job;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    while ((job = job_list_take(&pool->queued)))
        pool_release(pool, job);
    for (job = pool->running.first; job; job = job->next)
        pool_interrupt(job, SW__WHY_STOP);
    pthread_cond_broadcast(&pool->done);
    pthread_mutex_unlock(&pool->lock);
}

bool sw__pool_stopping(sw__pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool stopping = pool->stopping;
    pthread_mutex_unlock(&pool->lock);
    return stopping;
}

size_t sw__pool_holds(sw__pool *pool, sw_step_hold *holds, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&pool->lock);
    const sw__job *lists[] = {pool->queued.first, pool->running.first};
    for (size_t i = 0; i < 2; i++) {
        for (const sw__job *job = lists[i]; job && count < max; job = job->next)
            holds[count++] = (sw_step_hold){job->claim.step_id, job->claim.epoch};
    }
    pthread_mutex_unlock(&pool->lock);
    return count;
}
