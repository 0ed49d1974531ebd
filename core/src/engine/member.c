/* Opening, renewing, closing and listing workers. */
#include "engine/member.h"

#include <unistd.h>

#include "base/env.h"
#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/texts.h"
#include "engine/check.h"
#include "engine/flow.h"
#include "engine/query.h"
#include "engine/sound.h"

#define MEMBER_LEASE_MS 15000
#define MEMBER_HELD_SHOWN 10000

/* Opening. */

static int member_check_names(const sw_str *names, size_t count, const char *field, sw_error *err)
{
    if (!names && count > 0)
        return sw__fail(err, SW_EINVAL, "%s is NULL", field);
    if (count > SW__HANDLERS_MAX)
        return sw__fail(err, SW_ELIMIT, "%zu %s, at most %d are allowed", count, field,
                        SW__HANDLERS_MAX);
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = sw__check_name(names[i], field, i, err);
    return rc;
}

static int member_check(const sw_worker_options *options, sw_worker_ref *out, sw_error *err)
{
    sw__error_clear(err);
    if (!options || options->size < sizeof *options || !out)
        return sw__fail(err, SW_EINVAL, "options must start with SW_WORKER_OPTIONS_INIT");
    if (options->handler_count == 0)
        return sw__fail(err, SW_EINVAL, "a worker needs at least one handler");
    if (options->lease_ms < 0 || options->lease_ms > SW__LEASE_MAX_MS)
        return sw__fail(err, SW_EINVAL, "lease_ms %lld is not within 1 and %lld",
                        (long long)options->lease_ms, (long long)SW__LEASE_MAX_MS);
    int rc = member_check_names(options->handlers, options->handler_count, "handlers", err);
    if (rc == SW_OK)
        rc = member_check_names(options->queues, options->queue_count, "queues", err);
    if (rc == SW_OK)
        rc = sw__check_text(options->name, SW__TEXT_MAX, "name", 0, err);
    return rc;
}

static int member_set(sw__strmap *map, sw__arena *arena, const sw_str *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sw_str name = sw__arena_str(arena, names[i]);
        if (!name.ptr || sw__strmap_put(map, name, 1) < 0)
            return SW_ENOMEM;
    }
    return SW_OK;
}

static void member_free(sw__member *member, const sw_env *env)
{
    sw__strmap_free(&member->handlers);
    sw__strmap_free(&member->queues);
    sw__free(env, member->lanes);
    sw__arena_free(member->arena);
}

static void member_describe(sw__member *member, const sw_worker_options *options)
{
    char host[256] = "localhost";
    sw__worker_rec *record = &member->record;
    if (gethostname(host, sizeof host) < 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof "localhost");
    host[sizeof host - 1] = '\0';
    record->host = sw__arena_str(member->arena, sw__str(host));
    record->pid = sw__process_id();
    record->name = options->name.len
                       ? sw__arena_str(member->arena, options->name)
                       : sw__arena_format(member->arena, "%lld@%s", (long long)record->pid, host);
    record->lease_ms = options->lease_ms ? options->lease_ms : MEMBER_LEASE_MS;
    record->handlers = sw__texts_write(member->arena, options->handlers, options->handler_count);
    record->queues = sw__texts_write(member->arena, options->queues, options->queue_count);
}

static sw__member *member_new(const sw_env *env, const sw_worker_options *options)
{
    sw__arena *arena = sw__arena_new(env);
    sw__member *member = arena ? sw__arena_alloc(arena, sizeof *member) : NULL;
    if (!member) {
        sw__arena_free(arena);
        return NULL;
    }
    member->arena = arena;
    sw__strmap_init(&member->handlers, env);
    sw__strmap_init(&member->queues, env);
    member_describe(member, options);
    bool described = member->record.handlers.ptr && member->record.queues.ptr;
    int rc = member_set(&member->handlers, arena, options->handlers, options->handler_count);
    if (rc == SW_OK)
        rc = member_set(&member->queues, arena, options->queues, options->queue_count);
    if (rc < 0 || !described || sw__arena_failed(arena)) {
        member_free(member, env);
        return NULL;
    }
    return member;
}

static int member_note(sw__work *work, int kind, const sw__member *member, sw_error *err)
{
    sw_audit_entry entry = {
        .kind = kind,
        .worker_id = member->record.worker_no,
        .actor = member->record.name,
        .subject = sw__arena_format(work->arena, "process %lld on %.*s",
                                    (long long)member->record.pid, SW__FMT(member->record.host)),
    };
    return sw__work_note(work, &entry, NULL, err);
}

/* The one task that the worker is for, when it is for one. */
static int member_find_task(sw__work *work, sw__member *member, const sw_uuid *task, sw_error *err)
{
    sw__store *store = work->engine->store;
    if (!task)
        return SW_OK;
    int rc = store->ops->tasks_find(store, task, 1, &member->task_no, err);
    if (rc == SW_OK && member->task_no == 0)
        return sw__fail(err, SW_ENOTFOUND, "the task that the worker is for does not exist");
    return rc;
}

static int member_enter(sw__work *work, sw__member *member, sw_error *err)
{
    sw_engine *engine = work->engine;
    sw__worker_rec *record = &member->record;
    int rc = engine->store->ops->sequence_take(engine->store, SW__SEQUENCE_WORKER, 1,
                                               &record->worker_no, err);
    if (rc < 0)
        return rc;
    memcpy(record->boot_id, engine->anchor.boot_id, sizeof record->boot_id);
    record->lease_until_us = work->now_us + record->lease_ms * 1000;
    record->watched = sw__member_life(engine, member, SW_LIFE_HOLD) == SW_OK;
    work->tones |= SW__TONE_PLANS;
    rc = engine->store->ops->worker_put(engine->store, record, err);
    return rc == SW_OK ? member_note(work, SW_AUDIT_WORKER_OPENED, member, err) : rc;
}

int sw__member_life(const sw_engine *engine, const sw__member *member, int question)
{
    if (!engine->path || !engine->env->life)
        return SW_ENOTFOUND;
    return engine->env->life(engine->env->context, question, engine->path,
                             member->record.worker_no);
}

int sw_worker_open(sw_engine *engine, const sw_worker_options *options, sw_worker_ref *out,
                   sw_error *err)
{
    sw__work work;
    sw__member *member = NULL;
    int rc = member_check(options, out, err);
    if (rc == SW_OK)
        rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    member = member_new(engine->env, options);
    rc = member ? sw__work_begin(&work, engine, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK) {
        rc = member_find_task(&work, member, options->task, err);
        if (rc == SW_OK)
            rc = member_enter(&work, member, err);
        rc = sw__work_end(&work, rc, err);
    }
    if (rc == SW_OK) {
        member->next = engine->members;
        engine->members = member;
        out->worker_id = member->record.worker_no;
    } else if (member) {
        sw__member_life(engine, member, SW_LIFE_DROP);
        member_free(member, engine->env);
    }
    sw__engine_leave(engine);
    return rc;
}

/* Renewing. */

int sw__member_renew(sw__work *work, sw__member *member, sw_error *err)
{
    sw_engine *engine = work->engine;
    sw__worker_rec *record = &member->record;
    record->lease_until_us =
        work->now_us + record->lease_ms * (SW__PLANT(LEASE_SHORT) ? 300 : 1000);
    int rc = engine->store->ops->worker_renew(engine->store, record->worker_no,
                                              record->lease_until_us, err);
    if (rc != SW_ENOTFOUND)
        return rc;
    sw__error_clear(err);
    SW__PROBE(WORKER_BACK);
    if (SW__PLANT(LATE_WORKER))
        return SW_OK;
    memcpy(record->boot_id, engine->anchor.boot_id, sizeof record->boot_id);
    work->tones |= SW__TONE_PLANS;
    rc = engine->store->ops->worker_put(engine->store, record, err);
    return rc == SW_OK ? member_note(work, SW_AUDIT_WORKER_OPENED, member, err) : rc;
}

void sw__member_doubt(sw__member *member)
{
    member->record.lease_until_us = 0;
}

static int member_check_holds(sw__work *work, const sw_step_hold *held, size_t count,
                              sw_result *result, sw_error *err)
{
    size_t lost = 0;
    sw_step_hold *rows = sw__arena_array(result->arena, count, sizeof *rows);
    int64_t *ids = sw__arena_array(work->arena, count, sizeof *ids);
    if (!rows || !ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = held[i].step_id;
    int rc = sw__work_load(work, ids, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__work_step *step = sw__work_step_find(work, held[i].step_id);
        bool kept = step && step->row.state == SW_STEP_RUNNING && step->row.epoch == held[i].epoch;
        if (SW__PLANT(HOLD_WRONG) || (!kept && !SW__PLANT(HOLD_NOT_TOLD)))
            rows[lost++] = held[i];
    }
    SW__PROBE_IF(HOLD_LOST, lost > 0);
    sw__result_set(result, SW__HOLDS, rows, lost);
    return rc;
}

static int member_renew_flow(sw_engine *engine, int64_t worker_id, const sw_step_hold *held,
                             size_t held_count, sw_result *result, sw_error *err)
{
    sw__work work;
    sw__member *member = sw__engine_member(engine, worker_id);
    if (!member)
        return sw__fail(err, SW_ENOTFOUND, "worker %lld is not open in this engine",
                        (long long)worker_id);
    int rc = sw__work_begin(&work, engine, err);
    if (rc < 0)
        return rc;
    rc = sw__member_renew(&work, member, err);
    /* A worker whose threads are all busy makes no exchange, and its hung steps time out too. */
    if (rc == SW_OK)
        rc = sw__sweep(&work, worker_id, err);
    if (rc == SW_OK)
        rc = sw__settle_steps(&work, err);
    if (rc == SW_OK)
        rc = sw__settle_tasks(&work, result, err);
    if (rc == SW_OK)
        rc = member_check_holds(&work, held, held_count, result, err);
    rc = sw__work_end(&work, rc, err);
    if (rc < 0)
        sw__member_doubt(member);
    return rc;
}

int sw__member_keep(sw_engine *engine, int64_t worker_id, sw_error *err)
{
    sw_result *result = sw__result_new(engine->env);
    int rc = result ? member_renew_flow(engine, worker_id, NULL, 0, result, err)
                    : sw__fail(err, SW_ENOMEM, NULL);
    sw_result_free(result);
    return rc;
}

int sw_worker_renew(sw_engine *engine, const sw_worker_ref *worker, const sw_step_hold *held,
                    size_t held_count, sw_result **out, sw_error *err)
{
    if (out)
        *out = NULL;
    if (!worker || (!held && held_count > 0))
        return sw__fail(err, SW_EINVAL, "worker or held is NULL");
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    sw_result *result = sw__result_new(engine->env);
    rc = result ? member_renew_flow(engine, worker->worker_id, held, held_count, result, err)
                : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK && out)
        *out = result;
    else
        sw_result_free(result);
    sw__engine_leave(engine);
    return rc;
}

/* Closing. */

/* The worker's keeper ends as soon as the lock is given up; it is the caller's to join. */
static sw__keeper member_unlink(sw_engine *engine, sw__member *member)
{
    sw__keeper keeper = member->keeper;
    sw__member **link = &engine->members;
    while (*link != member)
        link = &(*link)->next;
    *link = member->next;
    sw__member_life(engine, member, SW_LIFE_DROP);
    member_free(member, engine->env);
    pthread_cond_broadcast(&engine->kept);
    return keeper;
}

static int member_close_flow(sw__work *work, sw__member *member, sw_error *err)
{
    sw__store *store = work->engine->store;
    int rc = SW_OK;
    if (!SW__PLANT(CLOSE_KEEPS))
        rc = sw__sweep_worker(work, &member->record, SW__CLOSED, err);
    SW__PROBE_IF(CLOSED_HOLDING, work->step_count > 0);
    if (rc == SW_OK)
        rc = sw__settle_steps(work, err);
    if (rc == SW_OK)
        rc = sw__settle_tasks(work, NULL, err);
    if (rc == SW_OK)
        rc = store->ops->worker_delete(store, member->record.worker_no, err);
    if (rc == SW_ENOTFOUND) {
        sw__error_clear(err);
        rc = SW_OK;
    }
    return rc == SW_OK ? member_note(work, SW_AUDIT_WORKER_CLOSED, member, err) : rc;
}

int sw_worker_close(sw_engine *engine, const sw_worker_ref *worker, sw_error *err)
{
    sw__work work;
    sw__keeper keeper = {.runs = false};
    if (!worker)
        return sw__fail(err, SW_EINVAL, "worker is NULL");
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    sw__member *member = sw__engine_member(engine, worker->worker_id);
    rc = member ? sw__work_begin(&work, engine, err)
                : sw__fail(err, SW_ENOTFOUND, "worker %lld is not open in this engine",
                           (long long)worker->worker_id);
    if (rc == SW_OK)
        rc = sw__work_end(&work, member_close_flow(&work, member, err), err);
    if (rc == SW_OK)
        keeper = member_unlink(engine, member);
    sw__engine_leave(engine);
    sw__keeper_join(&keeper);
    return rc;
}

/* Listing. */

static bool member_same_boot(const sw_engine *engine, const sw__worker_rec *record)
{
    return memcmp(record->boot_id, engine->anchor.boot_id, sizeof record->boot_id) == 0;
}

bool sw__member_watched(const sw_engine *engine, const sw__worker_rec *record)
{
    bool watched = record->watched || SW__PLANT(LIFE_UNWATCHED);
    return watched && engine->path && engine->env->life && member_same_boot(engine, record);
}

bool sw__member_gone(const sw_engine *engine, int64_t worker_no)
{
    return engine->env->life(engine->env->context, SW_LIFE_ASK, engine->path, worker_no) == 0;
}

bool sw__member_dead(const sw_engine *engine, const sw__worker_rec *record)
{
    return sw__member_watched(engine, record) && sw__member_gone(engine, record->worker_no);
}

bool sw__member_alive(const sw_engine *engine, const sw__worker_rec *record, int64_t now_us)
{
    return record->lease_until_us >= now_us && member_same_boot(engine, record) &&
           !sw__member_dead(engine, record);
}

static int member_row(sw_engine *engine, sw__arena *arena, int64_t now_us,
                      const sw__worker_rec *record, sw__queued *queued, sw_worker_row *row,
                      sw_error *err)
{
    size_t held = 0;
    sw_str *names = NULL;
    sw__store *store = engine->store;
    int rc = store->ops->queue_scan(store, -record->worker_no, INT64_MAX, queued, MEMBER_HELD_SHOWN,
                                    &held, err);
    if (rc == SW_OK)
        rc = sw__texts_read(arena, record->handlers, &names, &row->handler_count, err);
    row->worker_id = record->worker_no;
    row->name = record->name;
    row->host = record->host;
    row->pid = record->pid;
    row->lease_until_us = record->lease_until_us;
    row->held = (int64_t)held;
    row->alive = sw__member_alive(engine, record, now_us);
    row->handlers = names;
    return rc;
}

static int member_list(sw_engine *engine, sw_result *result, const void *unused, sw_error *err)
{
    int64_t now_us = 0;
    size_t count = 0;
    sw__worker_rec *records = NULL;
    sw__store *store = engine->store;
    (void)unused;
    int rc = sw__engine_now(engine, false, &now_us, err);
    if (rc == SW_OK)
        rc = sw__sound_workers(store, result->arena, &records, &count, err);
    if (rc < 0)
        return rc;
    sw_worker_row *rows = sw__arena_array(result->arena, count, sizeof *rows);
    sw__queued *queued = sw__resize(engine->env, NULL, MEMBER_HELD_SHOWN * sizeof *queued);
    if (!rows || !queued)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = member_row(engine, result->arena, now_us, &records[i], queued, &rows[i], err);
    sw__free(engine->env, queued);
    sw__result_set(result, SW__WORKERS, rows, count);
    return rc;
}

int sw_worker_list(sw_engine *engine, sw_result **out, sw_error *err)
{
    return sw__query(engine, member_list, NULL, out, err);
}
