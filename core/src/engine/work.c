/* The transaction for writing: loading, changing in memory, writing once. */
#include "engine/work.h"

#include <stdlib.h>

#include "base/plant.h"
#include "base/probe.h"
#include "engine/breaker.h"
#include "engine/deadline.h"
#include "engine/event.h"
#include "engine/flow.h"
#include "engine/sound.h"
#include "model/states.h"

/* Memory. */

void *sw__work_grow(const sw__work *work, void *rows, size_t *capacity, size_t need, size_t size)
{
    size_t wanted = *capacity ? *capacity : 64;
    while (wanted < need)
        wanted *= 2;
    if (wanted == *capacity)
        return rows;
    void *grown = sw__resize(work->engine->env, rows, wanted * size);
    if (grown)
        *capacity = wanted;
    return grown;
}

static void work_free(sw__work *work)
{
    const sw_env *env = work->engine->env;
    sw__free(env, work->steps);
    sw__free(env, work->tasks);
    sw__free(env, work->results);
    sw__free(env, work->failures);
    sw__free(env, work->ended);
    sw__free(env, work->stopped);
    sw__free(env, work->deadlines);
    sw__notices_free(work->notices);
    sw__map_free(&work->step_index);
    sw__map_free(&work->task_index);
    sw__arena_free(work->arena);
    *work = (sw__work){0};
}

/* Begin and end. */

int sw__work_begin(sw__work *work, sw_engine *engine, sw_error *err)
{
    *work = (sw__work){.engine = engine};
    sw__map_init(&work->step_index, engine->env);
    sw__map_init(&work->task_index, engine->env);
    work->arena = sw__arena_new(engine->env);
    if (!work->arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = engine->store->ops->begin(engine->store, true, err);
    if (rc < 0) {
        work_free(work);
        return rc;
    }
    rc = sw__catalog_check(&engine->catalog, engine->store, err);
    if (rc == SW_OK)
        rc = sw__engine_now(engine, true, &work->now_us, err);
    if (rc == SW_OK)
        rc = sw__audit_begin(&engine->audit, engine->store, work->now_us, err);
    if (rc < 0)
        sw__work_abort(work);
    return rc;
}

/* What an engine remembers of a transaction that is no more: nothing. */
static void work_forget(sw_engine *engine)
{
    engine->anchored = false;
    if (!SW__PLANT(SWEEP_ROLLED_BACK))
        engine->sweep_due_us = 0;
    if (!SW__PLANT(CATALOG_KEPT))
        sw__catalog_reset(&engine->catalog);
}

void sw__work_abort(sw__work *work)
{
    work->engine->store->ops->rollback(work->engine->store);
    work_forget(work->engine);
    work_free(work);
}

static int work_compare_steps(const void *a, const void *b)
{
    int64_t left = ((const sw__step_hot *)a)->step_id;
    int64_t right = ((const sw__step_hot *)b)->step_id;
    return (left > right) - (left < right);
}

int sw__work_flush_steps(sw__work *work, sw_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < work->step_count; i++)
        count += work->steps[i].dirty;
    if (count == 0)
        return SW_OK;
    sw__step_hot *rows = sw__arena_array(work->arena, count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    count = 0;
    for (size_t i = 0; i < work->step_count; i++) {
        if (work->steps[i].dirty)
            rows[count++] = work->steps[i].row;
        work->steps[i].dirty = false;
    }
    qsort(rows, count, sizeof *rows, work_compare_steps);
    return work->engine->store->ops->steps_update(work->engine->store, rows, count, err);
}

static int work_flush_tasks(sw__work *work, sw_error *err)
{
    size_t count = 0;
    sw__task_hot *rows = sw__arena_array(work->arena, work->task_count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < work->task_count; i++) {
        if (work->tasks[i].dirty)
            rows[count++] = work->tasks[i].row;
    }
    return work->engine->store->ops->tasks_update(work->engine->store, rows, count, err);
}

int sw__work_flush_results(sw__work *work, sw_error *err)
{
    sw__store *store = work->engine->store;
    size_t count = work->result_count;
    work->result_count = 0;
    return count && !SW__PLANT(RESULT_LOST)
               ? store->ops->results_put(store, work->results, count, err)
               : SW_OK;
}

static int work_flush(sw__work *work, sw_error *err)
{
    sw__store *store = work->engine->store;
    int rc = sw__work_flush_steps(work, err);
    if (rc == SW_OK)
        rc = SW__PLANT_CUT(COMMIT_TWICE, store, err);
    if (rc == SW_OK && work->task_count)
        rc = work_flush_tasks(work, err);
    if (rc == SW_OK)
        rc = sw__work_flush_results(work, err);
    if (rc == SW_OK && work->failure_count && !SW__PLANT(FAILURE_LOST))
        rc = store->ops->failures_put(store, work->failures, work->failure_count, err);
    if (rc == SW_OK && work->breakers)
        rc = sw__breakers_flush(work, err);
    if (rc == SW_OK)
        rc = sw__deadline_flush(work, err);
    if (rc == SW_OK)
        rc = SW__PLANT_CUT(AUDIT_APART, store, err);
    if (rc == SW_OK)
        rc = sw__audit_seal(&work->engine->audit, store, err);
    return rc;
}

/* What others may want to know of a transaction. */
static uint32_t work_tones(const sw__work *work)
{
    uint32_t tones = work->tones;
    for (size_t i = 0; i < work->step_count; i++) {
        const sw__step_hot *row = &work->steps[i].row;
        if (!work->steps[i].queued)
            continue;
        if (row->lane >= SW__LANE_FIRST)
            tones |= SW__TONE_LANE(row->lane);
        else if (row->lane == SW__LANE_TIMER && (work->timer_us == 0 || row->rank < work->timer_us))
            tones |= SW__TONE_PLANS;
    }
    return tones;
}

int sw__work_commit(sw__work *work, sw_error *err)
{
    sw_engine *engine = work->engine;
    bool changed = work->changed;
    uint32_t tones = work_tones(work);
    int rc = work_flush(work, err);
    if (rc < 0) {
        sw__work_abort(work);
        return rc;
    }
    rc = engine->store->ops->commit(engine->store, err);
    if (SW__PLANT(COMMIT_BELIEVED))
        rc = SW_OK;
    if (rc < 0) {
        SW__PROBE(COMMIT_FAILED);
        work_forget(engine); /* the store has rolled back already */
    } else {
        engine->commit_count += changed;
        if (engine->audit.entry_count > 0 && sw__event_heard(engine))
            tones |= SW__TONE_EVENTS;
        if (tones && !SW__PLANT(BELL_NOT_RUNG))
            sw__bell_ring(engine, tones);
    }
    if (rc == SW_OK) {
        engine->notices = sw__notices_join(engine->notices, work->notices);
        work->notices = NULL;
    }
    work_free(work);
    return rc;
}

int sw__work_end(sw__work *work, int rc, sw_error *err)
{
    if (rc >= 0)
        return sw__work_commit(work, err);
    SW__PROBE_IF(MEMORY_SHORT, rc == SW_ENOMEM);
    sw__work_abort(work);
    return rc;
}

/* Loading. */

static int work_compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void sw__work_sort_ids(int64_t *ids, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (ids[i - 1] > ids[i]) {
            qsort(ids, count, sizeof *ids, work_compare_ids);
            return;
        }
    }
}

/* Sorted ids that are not loaded yet, each once. */
static int64_t *work_missing(sw__work *work, const sw__map *index, const int64_t *ids, size_t count,
                             size_t *missing)
{
    int64_t *wanted = sw__arena_array(work->arena, count, sizeof *wanted);
    if (!wanted)
        return NULL;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool repeated = found > 0 && wanted[found - 1] == ids[i];
        if (!repeated && !sw__map_find(index, ids[i]))
            wanted[found++] = ids[i];
    }
    sw__work_sort_ids(wanted, found);
    *missing = 0;
    for (size_t i = 0; i < found; i++) {
        if (*missing == 0 || wanted[*missing - 1] != wanted[i])
            wanted[(*missing)++] = wanted[i];
    }
    return wanted;
}

static int work_keep_task(sw__work *work, const sw__task_hot *row, sw_error *err)
{
    const sw__plan *plan = NULL;
    sw_engine *engine = work->engine;
    int rc = sw__sound_task(row, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, engine->store, row->workflow_no, &plan, err);
    if (rc == SW_OK)
        rc = sw__sound_counts(row, plan, err);
    if (rc < 0)
        return rc;
    work->tasks[work->task_count] = (sw__work_task){.row = *row, .plan = plan};
    if (sw__map_put(&work->task_index, row->task_no, (int64_t)work->task_count) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    work->task_count++;
    return SW_OK;
}

int sw__work_load_tasks(sw__work *work, const int64_t *task_nos, size_t count, sw_error *err)
{
    size_t missing = 0;
    sw__store *store = work->engine->store;
    int64_t *wanted = work_missing(work, &work->task_index, task_nos, count, &missing);
    sw__task_hot *rows = wanted ? sw__arena_array(work->arena, missing, sizeof *rows) : NULL;
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->tasks_get(store, wanted, missing, rows, err);
    if (rc < 0)
        return rc;
    sw__work_task *tasks = sw__work_grow(work, work->tasks, &work->task_capacity,
                                         work->task_count + missing, sizeof *tasks);
    if (!tasks)
        return sw__fail(err, SW_ENOMEM, NULL);
    work->tasks = tasks;
    for (size_t i = 0; rc == SW_OK && i < missing; i++) {
        if (rows[i].task_no > 0)
            rc = work_keep_task(work, &rows[i], err);
    }
    return rc;
}

/* 1 for a step to keep, 0 for one whose task was pruned and that only waits to be taken out. */
static int work_check_step(const sw__work *work, const sw__step_hot *row, sw_error *err)
{
    bool rest = false;
    sw__store *store = work->engine->store;
    int64_t task_no = SW__STEP_TASK(row->step_id);
    const sw__work_task *task = sw__work_task_find(work, task_no);
    int rc = task ? sw__sound_step(row, task->plan, err)
                  : store->ops->rest_find(store, task_no, &rest, err);
    if (rc == SW_OK && !task && !rest)
        return sw__fail(err, SW_ECORRUPT, "step %lld is part of no task", (long long)row->step_id);
    return rc == SW_OK ? !rest : rc;
}

static int work_keep_steps(sw__work *work, const sw__step_hot *rows, size_t count, sw_error *err)
{
    sw__work_step *steps = sw__work_grow(work, work->steps, &work->step_capacity,
                                         work->step_count + count, sizeof *steps);
    if (!steps)
        return sw__fail(err, SW_ENOMEM, NULL);
    work->steps = steps;
    for (size_t i = 0; i < count; i++) {
        int rc = rows[i].step_id < 0 ? 0 : work_check_step(work, &rows[i], err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        work->steps[work->step_count] = (sw__work_step){.row = rows[i]};
        if (sw__map_put(&work->step_index, rows[i].step_id, (int64_t)work->step_count) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        work->step_count++;
    }
    return SW_OK;
}

int sw__work_load(sw__work *work, const int64_t *step_ids, size_t count, sw_error *err)
{
    size_t missing = 0;
    sw__store *store = work->engine->store;
    int64_t *wanted = work_missing(work, &work->step_index, step_ids, count, &missing);
    sw__step_hot *rows = wanted ? sw__arena_array(work->arena, missing, sizeof *rows) : NULL;
    int64_t *task_nos = rows ? sw__arena_array(work->arena, missing, sizeof *task_nos) : NULL;
    if (!task_nos)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->steps_get(store, wanted, missing, rows, err);
    for (size_t i = 0; i < missing; i++)
        task_nos[i] = SW__STEP_TASK(wanted[i]);
    if (rc == SW_OK)
        rc = sw__work_load_tasks(work, task_nos, missing, err);
    if (rc == SW_OK)
        rc = work_keep_steps(work, rows, missing, err);
    return rc;
}

int sw__work_load_all(sw__work *work, int64_t task_no, sw_error *err)
{
    int rc = sw__work_load_tasks(work, &task_no, 1, err);
    if (rc < 0)
        return rc;
    const sw__work_task *task = sw__work_task_find(work, task_no);
    if (!task)
        return sw__fail(err, SW_ECORRUPT, "task number %lld has no row", (long long)task_no);
    size_t count = task->plan->workflow->step_count;
    int64_t *ids = sw__arena_array(work->arena, count, sizeof *ids);
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = SW__STEP_ID(task_no, i);
    return sw__work_load(work, ids, count, err);
}

sw__work_step *sw__work_step_find(const sw__work *work, int64_t step_id)
{
    const int64_t *index = sw__map_find(&work->step_index, step_id);
    return index ? &work->steps[*index] : NULL;
}

sw__work_task *sw__work_task_find(const sw__work *work, int64_t task_no)
{
    const int64_t *index = sw__map_find(&work->task_index, task_no);
    return index ? &work->tasks[*index] : NULL;
}

const sw_workflow_step *sw__work_definition(const sw__work *work, int64_t step_id)
{
    const sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(step_id));
    return &task->plan->workflow->steps[SW__STEP_INDEX(step_id)];
}

/* Changing. */

int sw__work_note(sw__work *work, const sw_audit_entry *entry, sw__work_task *task, sw_error *err)
{
    if (task)
        task->dirty = true;
    work->changed = true;
    return sw__audit_add(&work->engine->audit, entry, task ? &task->row : NULL, err);
}

int sw__work_move(sw__work *work, sw__work_step *step, int to, const sw__cause *cause,
                  sw_error *err)
{
    int from = step->row.state;
    sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(step->row.step_id));
    if (!sw__step_may(from, to, cause->by))
        return sw__fail(err, SW_ECORRUPT, "a step is %s and cannot become %s",
                        sw_step_state_name(from), sw_step_state_name(to));
    const sw_workflow_step *definition =
        &task->plan->workflow->steps[SW__STEP_INDEX(step->row.step_id)];
    int rc = SW_OK;
    if (definition->breaker.ptr && (from == SW_STEP_RUNNING || to == SW_STEP_RUNNING))
        rc = sw__breaker_moved(work, step, to, cause, err);
    if (rc < 0)
        return rc;
    step->row.state = to;
    step->row.changed_us = work->now_us;
    step->row.lane = SW__LANE_NONE;
    step->row.rank = cause->stops ? SW__RANK_STOPPED : 0;
    sw__dead_stand(work, step);
    step->dirty = true;
    task->row.counts[from]--;
    task->row.counts[to] += !SW__PLANT(COUNT_LOST);
    if (definition->deadline_ms > 0)
        rc = sw__deadline_follow(work, step, from, err);
    if (rc < 0)
        return rc;
    sw_audit_entry entry = {
        .kind = SW_AUDIT_STEP_CHANGED,
        .from = SW__PLANT(AUDIT_FROM) ? to : from,
        .to = to,
        .attempt = step->row.attempt,
        .epoch = step->row.epoch,
        .step_id = step->row.step_id,
        .worker_id = cause->worker_id,
        .task_id = task->row.task_id,
        .step = definition->name,
        .actor = cause->actor,
        .reason = cause->reason,
        .subject = cause->error_class,
    };
    if (cause->digest)
        entry.digest = (sw_str){(const char *)cause->digest, 32};
    if (SW__PLANT(AUDIT_LEFT_OUT) && from == SW_STEP_RUNNING && to == SW_STEP_READY)
        return SW_OK;
    return sw__work_note(work, &entry, task, err);
}

void sw__work_queue(sw__work *work, sw__work_step *step, int64_t not_before_us)
{
    const sw__work_task *task = sw__work_task_find(work, SW__STEP_TASK(step->row.step_id));
    int64_t index = SW__STEP_INDEX(step->row.step_id);
    step->dirty = true;
    step->queued = true;
    if (not_before_us > work->now_us) {
        step->row.lane = SW__LANE_TIMER;
        step->row.rank = not_before_us;
        return;
    }
    step->row.lane = task->plan->lanes[index];
    step->row.rank = -((int64_t)task->row.priority + task->plan->workflow->steps[index].priority);
}

int sw__work_move_task(sw__work *work, sw__work_task *task, int to, const sw__cause *cause,
                       sw_error *err)
{
    int from = task->row.state;
    if (!sw__task_may(from, to, cause->by))
        return sw__fail(err, SW_ECORRUPT, "a task is %s and cannot become %s",
                        sw_task_state_name(from), sw_task_state_name(to));
    task->row.state = to;
    task->row.changed_us = work->now_us;
    if (to == SW_TASK_RUNNING && task->row.started_us == 0)
        task->row.started_us = work->now_us;
    if (sw_task_state_terminal(to))
        work->tones |= SW__TONE_TASK(&task->row.task_id);
    int rc = task->row.deadline_us ? sw__deadline_follow_task(work, &task->row, from, err) : SW_OK;
    if (rc < 0)
        return rc;
    sw_audit_entry entry = {
        .kind = SW_AUDIT_TASK_CHANGED,
        .from = from,
        .to = to,
        .task_id = task->row.task_id,
        .actor = cause->actor,
        .reason = cause->reason,
    };
    return sw__work_note(work, &entry, task, err);
}

static int work_append(const sw__work *work, int64_t **ids, size_t *count, size_t *capacity,
                       int64_t id, sw_error *err)
{
    int64_t *grown = sw__work_grow(work, *ids, capacity, *count + 1, sizeof *grown);
    if (!grown)
        return sw__fail(err, SW_ENOMEM, NULL);
    *ids = grown;
    grown[(*count)++] = id;
    return SW_OK;
}

int sw__work_add_ended(sw__work *work, int64_t step_id, sw_error *err)
{
    return work_append(work, &work->ended, &work->ended_count, &work->ended_capacity, step_id, err);
}

int sw__work_add_stopped(sw__work *work, int64_t task_no, sw_error *err)
{
    return work_append(work, &work->stopped, &work->stopped_count, &work->stopped_capacity, task_no,
                       err);
}

int sw__work_add_result(sw__work *work, int64_t step_id, sw_str body, uint8_t *digest,
                        sw_error *err)
{
    sw__payload *rows = sw__work_grow(work, work->results, &work->result_capacity,
                                      work->result_count + 1, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    work->results = rows;
    sw__payload *row = &rows[work->result_count++];
    *row = (sw__payload){.step_id = step_id, .body = body};
    if (sw__rand_bytes(&work->engine->rand, row->salt, sizeof row->salt) < 0)
        return sw__fail(err, SW_EIO, "the system has no random bytes");
    return sw__audit_digest(work->engine->hasher, row->salt, &row->body, 1, digest);
}

int sw__work_add_failure(sw__work *work, const sw__failure *failure, uint8_t *digest, sw_error *err)
{
    sw__failure *rows = sw__work_grow(work, work->failures, &work->failure_capacity,
                                      work->failure_count + 1, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    work->failures = rows;
    sw__failure *row = &rows[work->failure_count++];
    *row = *failure;
    if (sw__rand_bytes(&work->engine->rand, row->salt, sizeof row->salt) < 0)
        return sw__fail(err, SW_EIO, "the system has no random bytes");
    sw_str parts[] = {row->error_class, row->message, row->detail};
    return sw__audit_digest(work->engine->hasher, row->salt, parts, 3, digest);
}
