/* Claims: which ready steps a worker gets, and everything its handlers need to run them.
 *
 * The queue is read lane by lane and merged by rank, then by step number, so that older tasks come
 * first. Steps that became ready in this very transaction take part from memory: a chain costs one
 * write per step, not two.
 */
#include "engine/deadline.h"
#include "engine/flow.h"

#include <stdlib.h>

#include "base/plant.h"
#include "base/probe.h"
#include "engine/breaker.h"
#include "engine/heartbeat.h"
#include "model/trigger.h"

/* Steps to choose from. */
typedef struct claim_pool {
    sw__queued *rows;
    size_t count;
    size_t capacity;
    size_t dropped; /* rows of the store that this transaction has moved */
    size_t others;  /* rows of tasks that the worker may not take */
} claim_pool;

/* Lines to claim from: one set, unless circuit breakers limit what some of them give. */
typedef struct claim_lines {
    const sw__claim_set *sets;
    size_t set_count;
    size_t lane_count; /* in all */
} claim_lines;

/* Memory of one claim's rows. */
typedef struct claim_build {
    sw__work *work;
    sw__arena *arena; /* of the result */
    sw_step_claim *claims;
    size_t count;
    sw__map tasks;   /* task_no to index of its first claim */
    sw__map results; /* step_id to index in payloads */
    sw__payload *payloads;
} claim_build;

/* Lanes of a worker. */

static bool claim_lane_matches(const sw__member *member, const sw__lane_row *lane)
{
    if (!sw__strmap_find(&member->handlers, lane->handler) && !SW__PLANT(CLAIM_HANDLER))
        return false;
    return member->queues.count == 0 || SW__PLANT(CLAIM_QUEUE) ||
           sw__strmap_find(&member->queues, lane->queue);
}

static int claim_match_lanes(sw__work *work, sw__member *member, sw_error *err)
{
    sw__catalog *catalog = &work->engine->catalog;
    int rc = SW_OK;
    if (catalog->lanes_stale || catalog->lane_count == 0)
        rc = sw__catalog_lanes(catalog, work->engine->store, err);
    if (rc < 0 || member->lanes_version == catalog->lanes_version)
        return rc;
    size_t size = (catalog->lane_count + 1) * sizeof *member->lanes;
    int64_t *lanes = sw__resize(work->engine->env, member->lanes, size);
    if (!lanes)
        return sw__fail(err, SW_ENOMEM, NULL);
    member->lanes = lanes;
    member->lane_count = 0;
    member->guarded = false;
    for (size_t i = 0; i < catalog->lane_count; i++) {
        if (!claim_lane_matches(member, &catalog->lane_rows[i]))
            continue;
        lanes[member->lane_count++] = catalog->lane_rows[i].lane;
        member->guarded = member->guarded || catalog->lane_rows[i].breaker.len > 0;
    }
    member->lanes_version = catalog->lanes_version;
    return SW_OK;
}

static int claim_compare_lanes(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool claim_has_lane(const sw__claim_set *set, int64_t lane)
{
    return bsearch(&lane, set->lanes, set->lane_count, sizeof lane, claim_compare_lanes);
}

/* whole becomes the one set that there mostly is. */
static int claim_find_lines(sw__work *work, const sw__member *member, sw__claim_set *whole,
                            claim_lines *lines, sw_error *err)
{
    sw__claim_set *sets = whole;
    size_t count = 1;
    whole->claim_max = SIZE_MAX;
    int rc = member->guarded ? sw__breaker_sets(work, member, &sets, &count, err) : SW_OK;
    *lines = (claim_lines){.sets = sets, .set_count = count};
    for (size_t i = 0; i < count; i++)
        lines->lane_count += sets[i].lane_count;
    return rc;
}

/* Choosing. */

static int claim_compare(const void *a, const void *b)
{
    const sw__queued *left = a;
    const sw__queued *right = b;
    if (left->rank != right->rank && !SW__PLANT(CLAIM_ORDER))
        return left->rank < right->rank ? -1 : 1;
    return (left->step_id > right->step_id) - (left->step_id < right->step_id);
}

static sw__queued *claim_room(sw__work *work, claim_pool *pool, size_t more)
{
    if (!pool->rows || pool->count + more > pool->capacity) {
        size_t capacity = (pool->count + more) * 2;
        sw__queued *rows = sw__arena_array(work->arena, capacity, sizeof *rows);
        if (!rows)
            return NULL;
        if (pool->count)
            memcpy(rows, pool->rows, pool->count * sizeof *rows);
        pool->rows = rows;
        pool->capacity = capacity;
    }
    return pool->rows + pool->count;
}

static bool claim_may_take(const sw__member *member, int64_t step_id)
{
    return member->task_no == 0 || member->task_no == SW__STEP_TASK(step_id);
}

/* Add the first `limit` rows of a lane; *full says that there may be more. */
static int claim_scan_lane(sw__work *work, const sw__member *member, claim_pool *pool, int64_t lane,
                           size_t limit, bool *full, sw_error *err)
{
    size_t found = 0;
    sw__store *store = work->engine->store;
    sw__queued *rows = claim_room(work, pool, limit);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->queue_scan(store, lane, INT64_MAX, rows, limit, &found, err);
    if (rc < 0)
        return rc;
    *full = found == limit;
    for (size_t i = 0; i < found; i++) {
        const sw__work_step *step = sw__work_step_find(work, rows[i].step_id);
        if (step && step->dirty && !SW__PLANT(CLAIM_STALE))
            pool->dropped++;
        else if (claim_may_take(member, rows[i].step_id))
            pool->rows[pool->count++] = rows[i];
        else
            pool->others++;
    }
    SW__PROBE_IF(CLAIM_MOVED, pool->dropped > 0);
    return SW_OK;
}

static int claim_add_fresh(sw__work *work, const sw__member *member, const sw__claim_set *set,
                           claim_pool *pool, sw_error *err)
{
    if (!claim_room(work, pool, work->step_count))
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < work->step_count; i++) {
        const sw__step_hot *row = &work->steps[i].row;
        if (work->steps[i].dirty && row->state == SW_STEP_READY && claim_has_lane(set, row->lane) &&
            claim_may_take(member, row->step_id))
            pool->rows[pool->count++] = (sw__queued){row->step_id, row->rank};
    }
    return SW_OK;
}

static void claim_sort(claim_pool *pool, size_t from)
{
    if (pool->count - from > 1)
        qsort(pool->rows + from, pool->count - from, sizeof *pool->rows, claim_compare);
}

/* Of the rows that a set has added, keep the first that it may give. */
static void claim_limit(claim_pool *pool, size_t from, const sw__claim_set *set)
{
    if (pool->count - from <= set->claim_max)
        return;
    claim_sort(pool, from);
    pool->count = from + set->claim_max;
}

static int claim_fill_set(sw__work *work, const sw__member *member, const sw__claim_set *set,
                          size_t chunk, claim_pool *pool, bool *cut, sw_error *err)
{
    size_t from = pool->count;
    size_t limit = chunk < set->claim_max ? chunk : set->claim_max;
    int rc = claim_add_fresh(work, member, set, pool, err);
    for (size_t i = 0; rc == SW_OK && i < set->lane_count; i++) {
        bool full = false;
        rc = claim_scan_lane(work, member, pool, set->lanes[i], limit, &full, err);
        *cut = *cut || full;
    }
    claim_limit(pool, from, set);
    return rc;
}

static int claim_fill(sw__work *work, const sw__member *member, const claim_lines *lines,
                      size_t chunk, claim_pool *pool, bool *cut, sw_error *err)
{
    int rc = SW_OK;
    *pool = (claim_pool){0};
    *cut = false;
    for (size_t i = 0; rc == SW_OK && i < lines->set_count; i++)
        rc = claim_fill_set(work, member, &lines->sets[i], chunk, pool, cut, err);
    claim_sort(pool, 0);
    return rc;
}

/* The worker's one task lies behind steps of others: look at its own rows instead of theirs. */
static int claim_fill_task(sw__work *work, const sw__member *member, const claim_lines *lines,
                           claim_pool *pool, sw_error *err)
{
    *pool = (claim_pool){0};
    int rc = sw__work_load_all(work, member->task_no, err);
    if (rc == SW_OK && !claim_room(work, pool, work->step_count))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    for (size_t k = 0; rc == SW_OK && k < lines->set_count; k++) {
        const sw__claim_set *set = &lines->sets[k];
        size_t from = pool->count;
        for (size_t i = 0; i < work->step_count; i++) {
            const sw__step_hot *row = &work->steps[i].row;
            if (row->state == SW_STEP_READY && claim_has_lane(set, row->lane) &&
                claim_may_take(member, row->step_id))
                pool->rows[pool->count++] = (sw__queued){row->step_id, row->rank};
        }
        claim_limit(pool, from, set);
    }
    claim_sort(pool, 0);
    return rc;
}

/* Short scans first: with many lanes, most of what a full scan of each would read is not taken.
 * A short scan that was cut may have hidden a better row, so then every lane is read in full. A
 * worker of one task that met steps of others cannot know how many more of them come. */
static int claim_choose(sw__work *work, const sw__member *member, const claim_lines *lines,
                        size_t limit, claim_pool *pool, sw_error *err)
{
    bool cut = false;
    size_t chunk = lines->lane_count > 1 ? limit / lines->lane_count + 16 : limit;
    chunk = chunk < limit ? chunk : limit;
    int rc = claim_fill(work, member, lines, chunk, pool, &cut, err);
    if (rc == SW_OK && cut && !pool->others && (pool->dropped || chunk < limit)) {
        rc = pool->dropped ? sw__work_flush_steps(work, err) : SW_OK;
        if (rc == SW_OK)
            rc = claim_fill(work, member, lines, limit, pool, &cut, err);
    }
    if (rc == SW_OK && cut && pool->others)
        rc = claim_fill_task(work, member, lines, pool, err);
    pool->count = pool->count < limit ? pool->count : limit;
    return rc;
}

/* Taking. */

static int claim_start_task(sw__work *work, int64_t task_no, sw_error *err)
{
    sw__work_task *task = sw__work_task_find(work, task_no);
    if (task->row.state != SW_TASK_PENDING || SW__PLANT(TASK_NOT_STARTED))
        return SW_OK;
    sw__cause cause = {.by = SW_BY_ENGINE};
    return sw__work_move_task(work, task, SW_TASK_RUNNING, &cause, err);
}

static int claim_take(sw__work *work, const sw__member *member, int64_t step_id, sw_error *err)
{
    sw__work_step *step = sw__work_step_find(work, step_id);
    if (!step)
        return sw__fail(err, SW_ECORRUPT, "step %lld of the queue is missing", (long long)step_id);
    sw__cause cause = {.by = SW_BY_WORKER, .worker_id = member->record.worker_no};
    if (!SW__PLANT(ATTEMPT_NOT_COUNTED))
        step->row.attempt++;
    if (!SW__PLANT(EPOCH_NOT_RAISED))
        step->row.epoch++;
    int rc = sw__work_move(work, step, SW_STEP_RUNNING, &cause, err);
    if (rc < 0)
        return rc;
    step->row.lane = -member->record.worker_no;
    step->row.rank =
        sw__heartbeat_due(sw__work_definition(work, step_id), &step->row, work->now_us);
    sw__sweep_deadline(work->engine, step->row.rank);
    return claim_start_task(work, SW__STEP_TASK(step_id), err);
}

static int claim_take_all(sw__work *work, const sw__member *member, const claim_pool *pool,
                          sw_error *err)
{
    int64_t *ids = sw__arena_array(work->arena, pool->count, sizeof *ids);
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < pool->count; i++)
        ids[i] = pool->rows[i].step_id;
    int rc = sw__work_load(work, ids, pool->count, err);
    if (rc == SW_OK)
        rc = SW__PLANT_CUT(CLAIM_UNLOCKED, work->engine->store, err);
    for (size_t i = 0; rc == SW_OK && i < pool->count; i++)
        rc = claim_take(work, member, pool->rows[i].step_id, err);
    return rc;
}

/* Filling rows. */

static sw_str claim_key(sw__arena *arena, const sw_uuid *task_id, sw_str step)
{
    char *text = sw__arena_alloc(arena, 37 + step.len);
    if (!text)
        return (sw_str){0};
    sw_uuid_format(task_id, text);
    text[36] = ':';
    memcpy(text + 37, step.ptr, step.len);
    return (sw_str){text, 37 + step.len};
}

static void claim_fill_row(claim_build *build, sw_step_claim *claim, int64_t step_id)
{
    const sw__step_hot *row = &sw__work_step_find(build->work, step_id)->row;
    const sw_workflow_step *step = sw__work_definition(build->work, step_id);
    const sw__work_task *task = sw__work_task_find(build->work, SW__STEP_TASK(step_id));
    claim->step_id = step_id;
    claim->epoch = row->epoch;
    claim->attempt = row->attempt;
    claim->max_attempts = step->max_attempts + row->crashes;
    claim->timeout_ms = step->timeout_ms;
    claim->heartbeat_ms = step->heartbeat_ms;
    claim->task_id = task->row.task_id;
    claim->name = sw__arena_str(build->arena, step->name);
    claim->handler = sw__arena_str(build->arena, step->handler);
    claim->queue = sw__arena_str(build->arena, step->queue);
    claim->parameters = sw__arena_str(build->arena, step->parameters);
    claim->idempotency_key = claim_key(build->arena, &task->row.task_id, step->name);
}

/* No attempt has longer than what the deadlines of its step and task leave it. */
static int claim_fill_time(claim_build *build, sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < build->count; i++) {
        int64_t left_ms = 0;
        sw_step_claim *claim = &build->claims[i];
        rc = sw__deadline_left(build->work, claim->step_id, &left_ms, err);
        if (left_ms && (claim->timeout_ms == 0 || left_ms < claim->timeout_ms))
            claim->timeout_ms = left_ms;
    }
    return rc;
}

/* Texts that all claims of a task share are read once. */
static int claim_fill_tasks(claim_build *build, sw_error *err)
{
    sw__store *store = build->work->engine->store;
    int64_t *task_nos = sw__arena_array(build->work->arena, build->count, sizeof *task_nos);
    sw__task_info *infos = sw__arena_array(build->work->arena, build->count, sizeof *infos);
    size_t count = 0;
    if (!task_nos || !infos)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < build->count; i++) {
        int64_t task_no = SW__STEP_TASK(build->claims[i].step_id);
        if (sw__map_find(&build->tasks, task_no))
            continue;
        task_nos[count++] = task_no;
        if (sw__map_put(&build->tasks, task_no, 0) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    sw__work_sort_ids(task_nos, count);
    int rc = store->ops->tasks_info(store, task_nos, count, build->arena, infos, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (sw__map_put(&build->tasks, task_nos[i], (int64_t)(intptr_t)&infos[i]) < 0)
            rc = sw__fail(err, SW_ENOMEM, NULL);
    }
    return rc;
}

static void claim_fill_texts(claim_build *build)
{
    sw_str name = {0};
    sw_str version = {0};
    const sw__plan *last = NULL;
    for (size_t i = 0; i < build->count; i++) {
        int64_t task_no = SW__STEP_TASK(build->claims[i].step_id);
        const sw__task_info *info =
            (const sw__task_info *)(intptr_t)*sw__map_find(&build->tasks, task_no);
        const sw__plan *plan = sw__work_task_find(build->work, task_no)->plan;
        if (plan != last) {
            name = sw__arena_str(build->arena, plan->workflow->name);
            version = sw__arena_str(build->arena, plan->workflow->version);
            last = plan;
        }
        build->claims[i].workflow = name;
        build->claims[i].version = version;
        build->claims[i].input = info->input;
        build->claims[i].correlation_id = info->correlation_id;
    }
}

/* Whether a dependency of a step that starts may be in another state than succeeded. */
static bool claim_is_doubtful(const sw__work_task *task, const sw_workflow_step *step,
                              int32_t dependency)
{
    return task->row.counts[SW_STEP_RESOLVED] > 0 ||
           sw__trigger_is_lenient(step, &task->plan->workflow->steps[dependency]);
}

/* Dependencies of all claims, each once and sorted; those that are doubtful are loaded. */
static int claim_dependencies(claim_build *build, int64_t **ids, size_t *count, sw_error *err)
{
    size_t total = 0;
    size_t doubtful = 0;
    for (size_t i = 0; i < build->count; i++)
        total += sw__work_definition(build->work, build->claims[i].step_id)->after_count;
    *ids = sw__arena_array(build->work->arena, total, sizeof **ids);
    int64_t *load = sw__arena_array(build->work->arena, total, sizeof *load);
    if (!*ids || !load)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < build->count; i++) {
        int64_t step_id = build->claims[i].step_id;
        const sw_workflow_step *step = sw__work_definition(build->work, step_id);
        const sw__work_task *task = sw__work_task_find(build->work, SW__STEP_TASK(step_id));
        for (size_t k = 0; k < step->after_count; k++) {
            int64_t from = SW__STEP_ID(SW__STEP_TASK(step_id), step->after[k]);
            if (claim_is_doubtful(task, step, step->after[k]))
                load[doubtful++] = from;
            if (sw__map_find(&build->results, from))
                continue;
            (*ids)[(*count)++] = from;
            if (sw__map_put(&build->results, from, -1) < 0)
                return sw__fail(err, SW_ENOMEM, NULL);
        }
    }
    sw__work_sort_ids(*ids, *count);
    return sw__work_load(build->work, load, doubtful, err);
}

static int claim_read_results(claim_build *build, sw_error *err)
{
    int64_t *ids = NULL;
    size_t count = 0;
    sw__store *store = build->work->engine->store;
    int rc = claim_dependencies(build, &ids, &count, err);
    if (rc == SW_OK && count > 0)
        rc = sw__work_flush_results(build->work, err);
    if (rc < 0 || count == 0)
        return rc;
    build->payloads = sw__arena_array(build->work->arena, count, sizeof *build->payloads);
    if (!build->payloads)
        return sw__fail(err, SW_ENOMEM, NULL);
    rc = store->ops->results_get(store, ids, count, build->arena, build->payloads, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (sw__map_put(&build->results, ids[i], (int64_t)i) < 0)
            rc = sw__fail(err, SW_ENOMEM, NULL);
    }
    return rc;
}

static int claim_fill_inputs(claim_build *build, sw_step_claim *claim, sw_error *err)
{
    const sw_workflow_step *step = sw__work_definition(build->work, claim->step_id);
    const sw__work_task *task = sw__work_task_find(build->work, SW__STEP_TASK(claim->step_id));
    sw_step_input *inputs = sw__arena_array(build->arena, step->after_count, sizeof *inputs);
    if (!inputs)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t k = 0; k < step->after_count; k++) {
        int64_t from = SW__STEP_ID(SW__STEP_TASK(claim->step_id), step->after[k]);
        const sw__work_step *row = sw__work_step_find(build->work, from);
        bool doubtful = claim_is_doubtful(task, step, step->after[k]);
        inputs[k].name =
            sw__arena_str(build->arena, task->plan->workflow->steps[step->after[k]].name);
        inputs[k].state =
            doubtful && row && !SW__PLANT(INPUT_STATE) ? row->row.state : SW_STEP_SUCCEEDED;
        int64_t place = *sw__map_find(&build->results, from);
        inputs[k].result = build->payloads[SW__PLANT(INPUT_OF_OTHER) ? 0 : place].body;
    }
    claim->inputs = inputs;
    claim->input_count = step->after_count;
    return SW_OK;
}

static int claim_fill_all(claim_build *build, const claim_pool *pool, sw_error *err)
{
    build->claims = sw__arena_array(build->arena, pool->count, sizeof *build->claims);
    if (!build->claims)
        return sw__fail(err, SW_ENOMEM, NULL);
    build->count = pool->count;
    for (size_t i = 0; i < pool->count; i++)
        claim_fill_row(build, &build->claims[i], pool->rows[i].step_id);
    int rc = claim_fill_time(build, err);
    if (rc == SW_OK)
        rc = claim_fill_tasks(build, err);
    if (rc == SW_OK) {
        claim_fill_texts(build);
        rc = claim_read_results(build, err);
    }
    for (size_t i = 0; rc == SW_OK && i < build->count; i++)
        rc = claim_fill_inputs(build, &build->claims[i], err);
    if (rc == SW_OK && sw__arena_failed(build->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    return rc;
}

int sw__claim(sw__work *work, sw__member *member, size_t limit, sw_result *result, sw_error *err)
{
    claim_pool pool = {0};
    claim_build build = {.work = work, .arena = result->arena};
    claim_lines lines = {0};
    int rc = claim_match_lanes(work, member, err);
    sw__claim_set whole = {.lanes = member->lanes, .lane_count = member->lane_count};
    if (rc == SW_OK)
        rc = claim_find_lines(work, member, &whole, &lines, err);
    if (rc == SW_OK)
        rc = claim_choose(work, member, &lines, limit, &pool, err);
    if (rc < 0 || pool.count == 0)
        return rc;
    sw__map_init(&build.tasks, work->engine->env);
    sw__map_init(&build.results, work->engine->env);
    rc = claim_take_all(work, member, &pool, err);
    if (rc == SW_OK)
        rc = claim_fill_all(&build, &pool, err);
    sw__map_free(&build.tasks);
    sw__map_free(&build.results);
    if (rc == SW_OK)
        sw__result_set(result, SW__CLAIMS, build.claims, build.count);
    return rc;
}
