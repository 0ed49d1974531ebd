/* What time does: workers lose their lease, attempts run out of time, retries come due.
 *
 * Whoever makes an exchange or renews a lease sweeps; there is no background thread. A lease is
 * over when its time has passed or the machine was restarted since. Between two sweeps the kernel
 * is asked for the signs of life of the workers that were there at the last one: a death is seen
 * soon and without a query.
 */
#include "engine/flow.h"

#include "base/plant.h"
#include "base/probe.h"
#include "engine/deadline.h"
#include "engine/heartbeat.h"
#include "engine/member.h"
#include "engine/sound.h"

#define SWEEP_INTERVAL_US 500000 /* when what other processes do is not heard */
#define SWEEP_SELDOM_US 5000000  /* when it is: a ring may be lost */
#define SWEEP_WATCH_US 250000    /* between two looks at the signs of life */
/* After its deadline an attempt can still be ended by its own worker, who knows more of it. */
#define SWEEP_GRACE_US 500000
#define SWEEP_FEW ((size_t)16)

/* The first steps of a lane. Mostly there are few, and room for a whole batch costs time. */
static int sweep_look_up(sw__work *work, int64_t lane, int64_t rank_max, sw__queued **queued,
                         size_t *count, sw_error *err)
{
    size_t batch = work->engine->sweep_batch;
    sw__store *store = work->engine->store;
    for (size_t room = batch < SWEEP_FEW ? batch : SWEEP_FEW;; room = batch) {
        *queued = sw__arena_array(work->arena, room, sizeof **queued);
        if (!*queued)
            return sw__fail(err, SW_ENOMEM, NULL);
        int rc = store->ops->queue_scan(store, lane, rank_max, *queued, room, count, err);
        if (rc < 0 || *count < room || room == batch)
            return rc;
    }
}

/* Load the first steps of a lane, leaving out those that this transaction has moved already. */
static int sweep_scan(sw__work *work, int64_t lane, int64_t rank_max, int64_t **ids, size_t *found,
                      bool *more, sw_error *err)
{
    size_t count = 0;
    sw__queued *queued = NULL;
    int rc = sweep_look_up(work, lane, rank_max, &queued, &count, err);
    if (rc < 0)
        return rc;
    int64_t *loaded = sw__arena_array(work->arena, count, sizeof *loaded);
    if (!loaded)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        loaded[i] = queued[i].step_id;
    rc = sw__work_load(work, loaded, count, err);
    if (rc < 0)
        return rc;
    *found = 0;
    *more = count == work->engine->sweep_batch;
    SW__PROBE_IF(SWEEP_FULL, *more);
    *ids = loaded;
    for (size_t i = 0; i < count; i++) {
        const sw__work_step *step = sw__work_step_find(work, queued[i].step_id);
        if (step && step->row.lane == lane)
            loaded[(*found)++] = queued[i].step_id;
    }
    return SW_OK;
}

/* Whether the worker is known to have died, or has only been silent for too long. */
static int sweep_lost_step(sw__work *work, sw__work_step *step, const sw__worker_rec *worker,
                           bool died, sw_error *err)
{
    sw_str reason = sw__str(died ? "worker died" : "lease expired");
    sw__fault fault = {
        .error_class = sw__str(died ? "WorkerDied" : "LeaseExpired"),
        .message = sw__arena_format(
            work->arena, died ? "worker %lld (%.*s) has died" : "worker %lld (%.*s) was lost",
            (long long)worker->worker_no, SW__FMT(worker->name)),
        .reason = reason,
        .reason_final = reason,
        .crash = true,
    };
    return sw__step_fail(work, step, &fault, SW_BY_ENGINE, worker->worker_no, err);
}

int sw__sweep_worker(sw__work *work, const sw__worker_rec *worker, sw__departure how, sw_error *err)
{
    int64_t *ids = NULL;
    size_t count = 0;
    bool more = true;
    int rc = SW_OK;
    while (rc == SW_OK && more) {
        rc = sweep_scan(work, -worker->worker_no, INT64_MAX, &ids, &count, &more, err);
        for (size_t i = 0; rc == SW_OK && i < count; i++) {
            sw__work_step *step = sw__work_step_find(work, ids[i]);
            rc = how == SW__CLOSED ? sw__step_release(work, step, "worker closed", SW_BY_ENGINE,
                                                      worker->worker_no, err)
                                   : sweep_lost_step(work, step, worker, how == SW__DIED, err);
        }
        more = more && !SW__PLANT(SWEEP_HALF);
        if (rc == SW_OK && more)
            rc = sw__work_flush_steps(work, err);
    }
    return rc;
}

void sw__sweep_by(sw_engine *engine, int64_t due_us)
{
    if (due_us >= engine->sweep_due_us)
        return;
    engine->sweep_due_us = due_us;
    pthread_cond_broadcast(&engine->kept); /* keepers sweep for workers that are busy */
}

void sw__sweep_deadline(sw_engine *engine, int64_t deadline_us)
{
    if (deadline_us < INT64_MAX - SWEEP_GRACE_US)
        sw__sweep_by(engine, deadline_us + SWEEP_GRACE_US);
}

/* Sweep when the next attempt of this worker runs out of time. */
static int sweep_next_deadline(sw__work *work, const sw__worker_rec *worker, sw_error *err)
{
    size_t count = 0;
    sw__queued next;
    sw__store *store = work->engine->store;
    int rc = store->ops->queue_scan(store, -worker->worker_no, INT64_MAX, &next, 1, &count, err);
    if (rc == SW_OK && count > 0)
        sw__sweep_deadline(work->engine, next.rank);
    return rc;
}

static sw__fault sweep_timeout(sw__work *work, const sw_workflow_step *definition)
{
    return (sw__fault){
        .error_class = sw__str("Timeout"),
        .message = sw__arena_format(work->arena, "no outcome within %lld ms",
                                    (long long)definition->timeout_ms),
        .reason = sw__str("timeout"),
        .reason_final = sw__str("timeout"),
    };
}

static sw__fault sweep_silence(sw__work *work, const sw_workflow_step *definition)
{
    SW__PROBE(HEARTBEAT_MISSED);
    return (sw__fault){
        .error_class = sw__str("HeartbeatMissed"),
        .message = sw__arena_format(work->arena, "no heartbeat within %lld ms",
                                    (long long)definition->heartbeat_ms),
        .reason = sw__str("heartbeat missed"),
        .reason_final = sw__str("heartbeat missed"),
    };
}

static int sweep_timeouts(sw__work *work, const sw__worker_rec *worker, sw_error *err)
{
    int64_t *ids = NULL;
    size_t count = 0;
    bool more = false;
    int64_t until_us = SW__PLANT(TIMEOUT_IGNORED) ? INT64_MIN : work->now_us - SWEEP_GRACE_US;
    int rc = sweep_scan(work, -worker->worker_no, until_us, &ids, &count, &more, err);
    SW__PROBE_IF(TIMED_OUT, count > 0);
    if (rc == SW_OK && count == 0)
        return sweep_next_deadline(work, worker, err);
    sw__sweep_by(work->engine, work->now_us + SWEEP_INTERVAL_US);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__work_step *step = sw__work_step_find(work, ids[i]);
        const sw_workflow_step *definition = sw__work_definition(work, ids[i]);
        sw__fault fault = sw__heartbeat_missed(definition, &step->row)
                              ? sweep_silence(work, definition)
                              : sweep_timeout(work, definition);
        rc = sw__step_fail(work, step, &fault, SW_BY_ENGINE, worker->worker_no, err);
    }
    return rc;
}

static int sweep_lost_worker(sw__work *work, const sw__worker_rec *worker, sw__departure how,
                             sw_error *err)
{
    sw__store *store = work->engine->store;
    int rc = sw__sweep_worker(work, worker, how, err);
    if (rc == SW_OK && !SW__PLANT(LOST_WORKER))
        rc = store->ops->worker_delete(store, worker->worker_no, err);
    if (rc < 0)
        return rc;
    sw__work_log(work, SW_LOG_WARN, "worker.lost", {"worker", {0}, worker->worker_no},
                 {"name", worker->name, 0},
                 {"how", sw__str(how == SW__DIED ? "died" : "lease expired"), 0});
    sw_audit_entry entry = {
        .kind = SW_AUDIT_WORKER_LOST, .worker_id = worker->worker_no, .actor = worker->name};
    return sw__work_note(work, &entry, NULL, err);
}

static sw__departure sweep_departure(const sw__work *work, const sw__worker_rec *worker)
{
    const sw_engine *engine = work->engine;
    bool rebooted = memcmp(worker->boot_id, engine->anchor.boot_id, sizeof worker->boot_id) != 0;
    bool died = sw__member_dead(engine, worker);
    SW__PROBE_IF(WORKER_DIED, died);
    SW__PROBE_IF(REBOOTED, rebooted);
    if (died)
        return SW__DIED;
    bool over = worker->lease_until_us < work->now_us && !SW__PLANT(LEASE_FOR_EVER);
    SW__PROBE_IF(LEASE_ENDED, over);
    return over || (rebooted && !SW__PLANT(BOOT_IGNORED)) ? SW__SILENT : SW__PRESENT;
}

/* Without memory for it the worker is looked at as if it gave no signs. */
static void sweep_watch(sw_engine *engine, const sw__worker_rec *worker)
{
    sw__watch *watch = &engine->watch;
    if (!sw__member_watched(engine, worker) || sw__engine_member(engine, worker->worker_no))
        return;
    if (watch->count == watch->capacity) {
        size_t capacity = watch->capacity ? watch->capacity * 2 : 16;
        int64_t *workers = sw__resize(engine->env, watch->workers, capacity * sizeof *workers);
        if (!workers) {
            sw__sweep_by(engine, 0);
            return;
        }
        watch->workers = workers;
        watch->capacity = capacity;
    }
    watch->workers[watch->count++] = worker->worker_no;
}

static int sweep_look(sw__work *work, const sw__worker_rec *worker, int64_t calling_worker,
                      sw_error *err)
{
    sw_engine *engine = work->engine;
    sw__store *store = engine->store;
    sw__departure how = SW__PRESENT;
    int64_t quarter_us = worker->lease_ms * 250;
    if (worker->worker_no != calling_worker)
        how = sweep_departure(work, worker);
    if (how == SW__PRESENT) {
        sw__sweep_by(engine, sw__bell_reaches(engine) ? worker->lease_until_us + 1
                                                      : work->now_us + quarter_us);
        sweep_watch(engine, worker);
    }
    if (how == SW__PRESENT && SW__PLANT(LEASE_BY_OTHERS))
        return store->ops->worker_renew(store, worker->worker_no, work->now_us + 4 * quarter_us,
                                        err);
    return how == SW__PRESENT ? sweep_timeouts(work, worker, err)
                              : sweep_lost_worker(work, worker, how, err);
}

/* Whether a worker that was there at the last sweep has died since, or another one has come. */
static bool sweep_sees(sw_engine *engine)
{
    sw__watch *watch = &engine->watch;
    int64_t mono_us = engine->env->clock_mono_us(engine->env->context);
    if (mono_us < watch->due_us)
        return false;
    watch->due_us = mono_us + SWEEP_WATCH_US;
    if (sw__bell_rang(engine, SW__TONE_PLANS, &watch->rings))
        return true;
    for (size_t i = 0; i < watch->count; i++) {
        if (sw__member_gone(engine, watch->workers[i]))
            return true;
    }
    return false;
}

bool sw__sweep_due(sw_engine *engine, int64_t now_us)
{
    if (now_us < engine->sweep_due_us && sweep_sees(engine))
        engine->sweep_due_us = now_us;
    return now_us >= engine->sweep_due_us;
}

int64_t sw__sweep_pause(const sw_engine *engine, int64_t now_us)
{
    int64_t mono_us = engine->env->clock_mono_us(engine->env->context);
    int64_t sweep_us = engine->sweep_due_us - now_us;
    int64_t watch_us = engine->watch.count ? engine->watch.due_us - mono_us : INT64_MAX;
    return sweep_us < watch_us ? sweep_us : watch_us;
}

int sw__sweep(sw__work *work, int64_t calling_worker, sw_error *err)
{
    sw_engine *engine = work->engine;
    sw__worker_rec *workers = NULL;
    size_t count = 0;
    if (!sw__sweep_due(engine, work->now_us))
        return SW_OK;
    bool reaches = sw__bell_reaches(engine);
    engine->sweep_due_us = work->now_us + (reaches ? SWEEP_SELDOM_US : SWEEP_INTERVAL_US);
    engine->watch.count = 0;
    engine->watch.due_us = engine->env->clock_mono_us(engine->env->context) + SWEEP_WATCH_US;
    sw__bell_count(engine, &engine->watch.rings);
    int rc = sw__deadline_sweep(work, err);
    if (rc == SW_OK)
        rc = sw__sound_workers(engine->store, work->arena, &workers, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = sweep_look(work, &workers[i], calling_worker, err);
    return rc;
}

int sw__sweep_timers(sw__work *work, int64_t *next_us, sw_error *err)
{
    int64_t *ids = NULL;
    size_t count = 0;
    bool more = false;
    sw__queued next = {.rank = INT64_MAX};
    sw__store *store = work->engine->store;
    int rc = store->ops->queue_scan(store, SW__LANE_TIMER, INT64_MAX, &next, 1, &count, err);
    *next_us = count ? next.rank : INT64_MAX;
    work->timer_us = *next_us;
    if (rc < 0 || *next_us > work->now_us)
        return rc;
    rc = sweep_scan(work, SW__LANE_TIMER, work->now_us, &ids, &count, &more, err);
    SW__PROBE(TIMER_DUE);
    for (size_t i = SW__PLANT(TIMER_LOST); rc == SW_OK && i < count; i++)
        sw__work_queue(work, sw__work_step_find(work, ids[i]), 0);
    return rc;
}
