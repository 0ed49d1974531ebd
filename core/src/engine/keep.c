/* The keeper: a native thread that renews the lease of one worker.
 *
 * A handler that holds the lock of its language (GVL, GIL) for a minute stops every thread of that
 * language, the one that would renew included; this thread needs no such lock. It writes nothing
 * while exchanges renew the lease anyway. Not here: telling which steps were lost, which the
 * worker asks by sw_worker_renew.
 */
#include "base/thread.h"
#include "engine/member.h"

/* What is left of the lease when it is renewed: less than when an exchange renews it (two thirds),
 * and not the same for all workers. */
#define KEEP_LEFT_MIN 0.5
#define KEEP_LEFT_MAX 0.6
#define KEEP_AGAIN_PARTS 12 /* of the lease, after a renewal that failed */
/* A sweep that is due is left to callers who wait for work, when there are any. */
#define KEEP_SWEEP_US 100000

typedef struct keep_thread {
    sw_engine *engine;
    int64_t worker_id;
    int64_t left_us; /* of the lease, when it is renewed */
} keep_thread;

/* How long the keeper may sleep; 0: the lease is to be renewed, or a sweep is due that nobody
 * makes, because every thread is busy. */
static int64_t keep_pause(sw_engine *engine, const keep_thread *keep, const sw__member *member)
{
    int64_t now_us = 0;
    if (!engine->anchored || sw__engine_now(engine, false, &now_us, NULL) < 0)
        return 0;
    int64_t pause_us = member->record.lease_until_us - now_us - keep->left_us;
    int64_t sweep_us = engine->sweep_due_us - now_us + KEEP_SWEEP_US;
    if (sweep_us < pause_us && sw__bell_reaches(engine))
        pause_us = sweep_us;
    return pause_us > 0 ? pause_us : 0;
}

static void keep_sleep(sw_engine *engine, int64_t us)
{
    sw__engine_wait_kept(engine, engine->env->clock_mono_us(engine->env->context) + us);
}

static void keep_renew(sw_engine *engine, const keep_thread *keep, int64_t lease_us)
{
    sw_error err;
    int rc = sw__member_keep(engine, keep->worker_id, &err);
    if (rc == SW_OK)
        return;
    if (engine->log && engine->log->level <= SW_LOG_WARN) {
        const sw_log_field said[] = {{"worker", {0}, keep->worker_id},
                                     {"error", sw__str(err.message), 0}};
        sw__notices_add(&engine->notices, engine->env, SW_LOG_WARN, "worker.not_renewed", said, 2);
    }
    keep_sleep(engine, lease_us / KEEP_AGAIN_PARTS);
}

/* One look at the lease; false when the worker is closed or the engine closes. */
static bool keep_round(sw_engine *engine, const keep_thread *keep)
{
    if (sw__engine_enter(engine, NULL) < 0)
        return false;
    sw__member *member = sw__engine_member(engine, keep->worker_id);
    if (member) {
        int64_t pause_us = keep_pause(engine, keep, member);
        if (pause_us > 0)
            keep_sleep(engine, pause_us);
        else
            keep_renew(engine, keep, member->record.lease_ms * 1000);
    }
    sw__engine_leave(engine);
    return member != NULL;
}

static void *keep_main(void *argument)
{
    keep_thread keep = *(keep_thread *)argument;
    sw__free(keep.engine->env, argument);
    while (keep_round(keep.engine, &keep)) {
    }
    return NULL;
}

static int keep_start(sw_engine *engine, sw__member *member, sw_error *err)
{
    double part = KEEP_LEFT_MIN + (KEEP_LEFT_MAX - KEEP_LEFT_MIN) * sw__rand_unit(&engine->rand);
    keep_thread *keep = sw__calloc(engine->env, 1, sizeof *keep);
    if (!keep)
        return sw__fail(err, SW_ENOMEM, NULL);
    keep->engine = engine;
    keep->worker_id = member->record.worker_no;
    keep->left_us = (int64_t)((double)member->record.lease_ms * 1000 * part);
    int rc = sw__thread_start(&member->keeper.thread, keep_main, keep, err);
    member->keeper.runs = rc == SW_OK;
    if (rc < 0)
        sw__free(engine->env, keep);
    return rc;
}

void sw__keeper_join(sw__keeper *keeper)
{
    if (keeper->runs)
        pthread_join(keeper->thread, NULL);
    keeper->runs = false;
}

int sw_worker_keep(sw_engine *engine, const sw_worker_ref *worker, sw_error *err)
{
    if (!worker)
        return sw__fail(err, SW_EINVAL, "worker is NULL");
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    sw__member *member = sw__engine_member(engine, worker->worker_id);
    if (!member)
        rc = sw__fail(err, SW_ENOTFOUND, "worker %lld is not open in this engine",
                      (long long)worker->worker_id);
    else if (!member->keeper.runs)
        rc = keep_start(engine, member, err);
    sw__engine_leave(engine);
    return rc;
}
