/* Opening, closing, entering and waking an engine.
 *
 * Not here: what it does once entered. The engine starts no thread; waiting happens in the threads
 * of its callers.
 */
#include "engine/engine.h"

#include <errno.h>
#include <time.h>

#include "audit/segment.h"
#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/member.h"
#include "engine/past.h"
#include "engine/sound.h"

static const char engine_memory_name[] = "memory:";
static const char engine_sqlite_prefix[] = "sqlite:///";

static int engine_check_options(const sw_engine_options *options, sw_error *err)
{
    if (!options || options->size < sizeof(sw_engine_options))
        return sw__fail(err, SW_EINVAL, "options must start with SW_ENGINE_OPTIONS_INIT");
    if (!options->store.ptr || options->store.len == 0)
        return sw__fail(err, SW_EINVAL, "the store has no name: give a path or \"memory:\"");
    if (memchr(options->store.ptr, 0, options->store.len))
        return sw__fail(err, SW_EINVAL, "the store's name contains a zero byte");
    if (options->durability < 0 || options->durability >= SW_DURABILITY_COUNT)
        return sw__fail(err, SW_EINVAL, "durability %d is none of strict, relaxed, memory",
                        options->durability);
    if (options->busy_timeout_ms < 0 || options->busy_timeout_ms > SW__LEASE_MAX_MS)
        return sw__fail(err, SW_EINVAL, "busy_timeout_ms %lld is out of range",
                        (long long)options->busy_timeout_ms);
    if (options->payload_max < 0 || options->payload_max > 1024LL * 1024 * 1024)
        return sw__fail(err, SW_EINVAL, "payload_max %lld is out of range",
                        (long long)options->payload_max);
    return SW_OK;
}

static bool engine_is_memory(sw_str store)
{
    return sw__str_is(store, engine_memory_name) || sw__str_is(store, ":memory:");
}

static sw_str engine_path(sw_str store)
{
    size_t prefix = sizeof(engine_sqlite_prefix) - 1;
    if (store.len > prefix && memcmp(store.ptr, engine_sqlite_prefix, prefix) == 0)
        return (sw_str){store.ptr + prefix, store.len - prefix};
    return store;
}

static int engine_open_store(sw_engine *engine, const sw_engine_options *options, sw_error *err)
{
    sw__store_options open = {
        .path = engine_path(options->store),
        .durability = options->durability,
        .busy_timeout_ms = options->busy_timeout_ms ? options->busy_timeout_ms : 5000,
        .must_exist = options->must_exist != 0,
        .env = engine->env,
    };
    if (engine_is_memory(options->store) || options->durability == SW_DURABILITY_MEMORY) {
        engine->durability = SW_DURABILITY_MEMORY;
        return sw__store_memory_open(&open, &engine->store, err);
    }
    engine->durability = options->durability;
    engine->path = sw__calloc(engine->env, open.path.len + 1, 1);
    if (!engine->path)
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(engine->path, open.path.ptr, open.path.len);
    return sw__store_sqlite_open(&open, &engine->store, err);
}

static void engine_init_locks(sw_engine *engine)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&engine->lock, NULL);
    pthread_mutex_init(&engine->gate, NULL);
    pthread_cond_init(&engine->changed, &monotonic);
    pthread_cond_init(&engine->kept, &monotonic);
    pthread_cond_init(&engine->idle, NULL);
    pthread_cond_init(&engine->group.over, NULL);
    engine->group.last = &engine->group.first;
    pthread_condattr_destroy(&monotonic);
}

/* Frees all but the store. */
static void engine_free(sw_engine *engine)
{
    while (engine->members) {
        sw__member *member = engine->members;
        engine->members = member->next;
        sw__member_life(engine, member, SW_LIFE_DROP);
        sw__strmap_free(&member->handlers);
        sw__strmap_free(&member->queues);
        sw__free(engine->env, member->lanes);
        sw__arena *arena = member->arena;
        sw__arena_free(arena);
    }
    sw__bell_close(engine, false);
    sw__free(engine->env, engine->watch.workers);
    sw__lessons_free(&engine->lessons, engine->env);
    sw__recording_free(engine);
    sw__catalog_free(&engine->catalog);
    sw__audit_free(&engine->audit);
    sw__hasher_free(engine->hasher);
    sw__notices_free(engine->notices);
    sw__free(engine->env, engine->path);
    sw__free(engine->env, engine);
}

int sw_engine_open(const sw_engine_options *options, sw_engine **out, sw_error *err)
{
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = engine_check_options(options, err);
    if (rc < 0)
        return rc;
    const sw_env *env = options->env ? options->env : sw_env_system();
    sw_engine *engine = sw__calloc(env, 1, sizeof *engine);
    if (!engine)
        return sw__fail(err, SW_ENOMEM, NULL);
    engine->env = env;
    engine->log = options->log;
    engine->fork_generation = sw__fork_generation();
    engine->payload_max = options->payload_max ? options->payload_max : SW__PAYLOAD_MAX;
    engine->sweep_batch = SW__SWEEP_BATCH;
    engine->hasher = sw__hasher_new(env);
    sw__rand_init(&engine->rand, env);
    sw__audit_init(&engine->audit, env, engine->hasher);
    rc = sw__catalog_init(&engine->catalog, env);
    if (rc < 0 || !engine->hasher)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    else
        rc = engine_open_store(engine, options, err);
    if (rc < 0) {
        engine_free(engine);
        return rc;
    }
    engine_init_locks(engine);
    *out = engine;
    return SW_OK;
}

void sw_engine_close(sw_engine *engine)
{
    if (!engine)
        return;
    if (engine->fork_generation != sw__fork_generation()) {
        /* A thread that does not exist here may have held the lock, in the middle of a change: what
         * the engine points to cannot be walked, not even to free it. It is lost to the child. */
        sw__bell_close(engine, true);
        engine->store->ops->forget(engine->store);
        sw__free(engine->env, engine);
        return;
    }
    pthread_mutex_lock(&engine->gate);
    atomic_store(&engine->closing, true);
    pthread_mutex_unlock(&engine->gate);
    pthread_mutex_lock(&engine->lock);
    sw__bell_wake(engine);
    pthread_cond_broadcast(&engine->kept);
    pthread_mutex_unlock(&engine->lock);
    pthread_mutex_lock(&engine->gate);
    while (engine->inside > 0)
        pthread_cond_wait(&engine->idle, &engine->gate);
    pthread_mutex_unlock(&engine->gate);
    for (sw__member *member = engine->members; member; member = member->next)
        sw__keeper_join(&member->keeper);
    engine->store->ops->close(engine->store);
    pthread_cond_destroy(&engine->group.over);
    pthread_cond_destroy(&engine->idle);
    pthread_cond_destroy(&engine->kept);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->gate);
    pthread_mutex_destroy(&engine->lock);
    engine_free(engine);
}

int sw__engine_come(sw_engine *engine, sw_error *err)
{
    sw__error_clear(err);
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    if (engine->fork_generation != sw__fork_generation())
        return sw__fail(err, SW_EFORKED,
                        "this engine was opened before a fork; open one in the child");
    pthread_mutex_lock(&engine->gate);
    bool closing = atomic_load(&engine->closing);
    engine->inside += !closing;
    pthread_mutex_unlock(&engine->gate);
    return closing ? sw__fail(err, SW_ECLOSED, NULL) : SW_OK;
}

/* Once the last caller has gone, another thread may free the engine. */
void sw__engine_go(sw_engine *engine)
{
    pthread_mutex_lock(&engine->gate);
    if (--engine->inside == 0 && atomic_load(&engine->closing))
        pthread_cond_signal(&engine->idle);
    pthread_mutex_unlock(&engine->gate);
}

int sw__engine_enter(sw_engine *engine, sw_error *err)
{
    int rc = sw__engine_come(engine, err);
    if (rc == SW_OK)
        pthread_mutex_lock(&engine->lock);
    return rc;
}

sw__notices *sw__engine_unlock(sw_engine *engine)
{
    sw__notices *notices = engine->notices;
    engine->notices = NULL;
    pthread_mutex_unlock(&engine->lock);
    return notices;
}

void sw__engine_leave(sw_engine *engine)
{
    const sw_log *log = engine->log;
    sw__notices *notices = sw__engine_unlock(engine);
    sw__engine_go(engine);
    sw__notices_write(log, notices);
}

void sw__engine_wait_kept(sw_engine *engine, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    if (!atomic_load(&engine->closing))
        pthread_cond_timedwait(&engine->kept, &engine->lock, &until);
}

void sw_engine_wake(sw_engine *engine)
{
    if (!engine || engine->fork_generation != sw__fork_generation())
        return;
    pthread_mutex_lock(&engine->lock);
    atomic_fetch_add(&engine->wake_count, 1);
    sw__bell_wake(engine);
    pthread_mutex_unlock(&engine->lock);
}

/* The clock goes on where the store's newest time stands, even when the wall clock is behind. */
static int engine_anchor_new(sw_engine *engine, const sw__anchor *fresh, sw_error *err)
{
    sw__segment last = {0};
    int rc = sw__segment_newest(engine->store, &last, err);
    if (rc < 0)
        return rc;
    engine->anchor = *fresh;
    engine->anchor.base_us = engine->env->clock_wall_us(engine->env->context);
    SW__PROBE_IF(CLOCK_RENEWED, last.segment_no > 0);
    SW__PROBE_IF(CLOCK_HELD, engine->anchor.base_us <= last.time_us);
    if (engine->anchor.base_us <= last.time_us && !SW__PLANT(CLOCK_BACK))
        engine->anchor.base_us = last.time_us + 1;
    return engine->store->ops->anchor_put(engine->store, &engine->anchor, err);
}

static int engine_anchor_load(sw_engine *engine, bool write, sw_error *err)
{
    sw__anchor fresh = {.boot_us = engine->env->clock_boot_us(engine->env->context)};
    engine->env->boot_id(engine->env->context, fresh.boot_id);
    int rc = engine->store->ops->anchor_get(engine->store, &engine->anchor, err);
    if (rc < 0 && rc != SW_ENOTFOUND)
        return rc;
    if (rc == SW_OK && memcmp(engine->anchor.boot_id, fresh.boot_id, 16) == 0) {
        rc = sw__sound_anchor(&engine->anchor, err);
        engine->anchored = rc == SW_OK;
        return rc;
    }
    sw__error_clear(err);
    if (write)
        return engine_anchor_new(engine, &fresh, err);
    /* Only a transaction for writing may anchor; until then the wall clock serves for display. */
    SW__PROBE(CLOCK_UNANCHORED);
    fresh.base_us = engine->env->clock_wall_us(engine->env->context);
    engine->anchor = fresh;
    return SW_OK;
}

int sw__engine_now(sw_engine *engine, bool write, int64_t *now_us, sw_error *err)
{
    if (!engine->anchored) {
        int rc = engine_anchor_load(engine, write, err);
        if (rc < 0)
            return rc;
    }
    int64_t boot_us = engine->env->clock_boot_us(engine->env->context);
    if (SW__PLANT(CLOCK_WALL))
        boot_us = engine->env->clock_wall_us(engine->env->context);
    *now_us = engine->anchor.base_us + (boot_us - engine->anchor.boot_us);
    return SW_OK;
}

int sw_engine_info_get(sw_engine *engine, sw_engine_info *info, sw_error *err)
{
    if (!info || info->size < sizeof *info)
        return sw__fail(err, SW_EINVAL, "info must start with SW_ENGINE_INFO_INIT");
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = engine->store->ops->begin(engine->store, false, err);
    if (rc == SW_OK) {
        rc = sw__engine_now(engine, false, &info->now_us, err);
        engine->store->ops->rollback(engine->store);
    }
    bool memory = engine->durability == SW_DURABILITY_MEMORY;
    info->durability = engine->durability;
    info->schema_version = memory ? 0 : sw__store_schema_version();
    info->sqlite = !memory;
    sw__engine_leave(engine);
    return rc;
}

sw__member *sw__engine_member(sw_engine *engine, int64_t worker_id)
{
    for (sw__member *member = engine->members; member; member = member->next) {
        if (member->record.worker_no == worker_id)
            return member;
    }
    return NULL;
}
