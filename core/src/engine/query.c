/* Reading tasks: get, list, count, wait. */
#include "engine/query.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/texts.h"
#include "base/thread.h"
#include "engine/deadline.h"
#include "engine/member.h"
#include "engine/parent.h"
#include "engine/sound.h"
#include "stepwell/checkpoint.h"

#define QUERY_LIST_DEFAULT 100
#define QUERY_LIST_MAX 10000
/* How often a wait looks at the version of a store whose changes nobody rings for. */
#define QUERY_POLL_MIN_US 1000
#define QUERY_POLL_MAX_US 25000
#define QUERY_NAP_US 1000000  /* how long a wait sleeps in one go */
#define QUERY_LOOK_US 5000000 /* a ring may be lost: look so often without one */

/* Paths. */

int sw__query_path(sw__arena *arena, sw_str path, const char *what, const char **out, sw_error *err)
{
    if (path.len == 0 || memchr(path.ptr, '\0', path.len))
        return sw__fail(err, SW_EINVAL, "the path of the %s is empty or holds a zero byte", what);
    *out = sw__arena_str(arena, path).ptr;
    return *out ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

int sw__query_folder(sw__arena *arena, sw_str folder, const char **out, sw_error *err)
{
    while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
        folder.len--;
    return sw__query_path(arena, folder, "folder", out, err);
}

int sw__query_jobs(int32_t *jobs, sw_error *err)
{
    if (*jobs < 0 || *jobs > SW_AUDIT_JOBS_MAX)
        return sw__fail(err, SW_EINVAL, "jobs must be 0 to %d", SW_AUDIT_JOBS_MAX);
    if (*jobs == 0)
        *jobs = sw__thread_processors(SW_AUDIT_JOBS_DEFAULT);
    return SW_OK;
}

/* Rows. */

int sw__query_task(sw_engine *engine, const sw_uuid *task_id, sw__task_hot *row,
                   const sw__plan **plan, sw_error *err)
{
    char text[37];
    int64_t task_no = 0;
    sw__store *store = engine->store;
    int rc = store->ops->tasks_find(store, task_id, 1, &task_no, err);
    if (rc == SW_OK && task_no > 0)
        rc = store->ops->tasks_get(store, &task_no, 1, row, err);
    if (rc < 0)
        return rc;
    if (task_no == 0 || row->task_no == 0) {
        sw_uuid_format(task_id, text);
        return sw__fail(err, SW_ENOTFOUND, "there is no task %s", text);
    }
    rc = sw__sound_task(row, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, store, row->workflow_no, plan, err);
    return rc == SW_OK ? sw__sound_counts(row, *plan, err) : rc;
}

/* The rows of one task on their way to a visitor. */
typedef struct query_steps {
    const sw__plan *plan;
    sw__query_step visit;
    void *context;
    size_t seen;
} query_steps;

static int query_step_visit(void *context, const sw__step_hot *row, sw_error *err)
{
    query_steps *steps = context;
    int rc = sw__sound_step(row, steps->plan, err);
    if (rc < 0)
        return rc;
    steps->visit(steps->context, (size_t)SW__STEP_INDEX(row->step_id), row);
    steps->seen++;
    return SW_OK;
}

int sw__query_each_step(sw_engine *engine, const sw__task_hot *task, const sw__plan *plan,
                        sw__query_step visit, void *context, sw_error *err)
{
    sw__store *store = engine->store;
    query_steps steps = {.plan = plan, .visit = visit, .context = context};
    size_t count = plan->workflow->step_count;
    int rc = store->ops->steps_each(store, task->task_no, query_step_visit, &steps, err);
    if (rc == SW_OK && steps.seen != count)
        return sw__fail(err, SW_ECORRUPT, "a task of %zu steps has %zu rows", count, steps.seen);
    return rc;
}

static void query_step_copy(void *context, size_t index, const sw__step_hot *row)
{
    sw__step_hot *rows = context;
    rows[index] = *row;
}

int sw__query_steps(sw_engine *engine, sw__arena *arena, const sw__task_hot *task,
                    const sw__plan *plan, sw__step_hot **rows, sw_error *err)
{
    *rows = sw__arena_array(arena, plan->workflow->step_count, sizeof **rows);
    if (!*rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sw__query_each_step(engine, task, plan, query_step_copy, *rows, err);
}

/* Tasks. */

static int query_fill_tags(sw__arena *arena, sw_str json, sw_task_row *out, sw_error *err)
{
    sw_str *tags = NULL;
    if (!json.len)
        return SW_OK;
    int rc = sw__texts_read(arena, json, &tags, &out->tag_count, err);
    out->tags = tags;
    if (rc == SW_OK)
        out->parent_id = sw__parent_of_tags(out->tags, out->tag_count);
    return rc;
}

static void query_fill_hot(sw__arena *arena, const sw__task_hot *hot, const sw_workflow *workflow,
                           sw_task_row *out)
{
    out->task_id = hot->task_id;
    out->workflow = sw__arena_str(arena, workflow->name);
    out->version = sw__arena_str(arena, workflow->version);
    out->digest = sw__arena_str(arena, sw__str(workflow->digest_hex));
    out->state = hot->state;
    out->priority = hot->priority;
    out->created_us = hot->created_us;
    out->started_us = hot->started_us;
    out->finished_us = sw_task_state_terminal(hot->state) ? hot->changed_us : 0;
    out->deadline_us = hot->deadline_us;
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++) {
        out->step_counts[state] = hot->counts[state];
        out->step_count += hot->counts[state];
    }
}

static int query_fill_task(sw_engine *engine, sw__arena *arena, const sw__task_hot *hot,
                           const sw__task_info *info, sw_task_row *out, sw_error *err)
{
    const sw__plan *plan = NULL;
    int rc = sw__sound_task(hot, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, engine->store, hot->workflow_no, &plan, err);
    if (rc == SW_OK)
        rc = sw__sound_counts(hot, plan, err);
    if (rc < 0)
        return rc;
    query_fill_hot(arena, hot, plan->workflow, out);
    out->input = info->input;
    out->key = info->key;
    out->initiator = info->initiator;
    out->reason = info->reason;
    out->correlation_id = info->correlation_id;
    return query_fill_tags(arena, info->tags, out, err);
}

static int query_compare(const void *a, const void *b)
{
    int64_t left = ((const sw__task_info *)a)->task_no;
    int64_t right = ((const sw__task_info *)b)->task_no;
    return (left > right) - (left < right);
}

static int query_fill_tasks(sw_engine *engine, sw_result *result, const sw__task_hot *hot,
                            size_t count, sw_error *err)
{
    sw__arena *arena = result->arena;
    sw_task_row *rows = sw__arena_array(arena, count, sizeof *rows);
    int64_t *task_nos = sw__arena_array(arena, count, sizeof *task_nos);
    sw__task_info *infos = sw__arena_array(arena, count, sizeof *infos);
    if (!rows || !task_nos || !infos)
        return sw__fail(err, SW_ENOMEM, NULL);
    /* hot comes newest first, the store wants ascending numbers. */
    for (size_t i = 0; i < count; i++)
        task_nos[i] = hot[count - 1 - i].task_no;
    int rc = engine->store->ops->tasks_info(engine->store, task_nos, count, arena, infos, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__task_info key = {.task_no = hot[i].task_no};
        const sw__task_info *info = bsearch(&key, infos, count, sizeof key, query_compare);
        rc = info ? query_fill_task(engine, arena, &hot[i], info, &rows[i], err)
                  : sw__fail(err, SW_ECORRUPT, "task %lld has no description",
                             (long long)hot[i].task_no);
    }
    sw__result_set(result, SW__TASKS, rows, count);
    return rc;
}

/* Steps. */

static void query_fill_step(sw__arena *arena, const sw_workflow_step *definition,
                            const sw__step_hot *hot, sw_step_row *out)
{
    out->step_id = hot->step_id;
    out->name = sw__arena_str(arena, definition->name);
    out->title = sw__arena_str(arena, definition->title);
    out->handler = sw__arena_str(arena, definition->handler);
    out->queue = sw__arena_str(arena, definition->queue);
    out->state = hot->state;
    out->attempt = hot->attempt;
    out->max_attempts = definition->max_attempts;
    out->open_deps = hot->open_deps;
    out->level = definition->level;
    out->epoch = hot->epoch;
    out->changed_us = hot->changed_us;
    if (hot->lane == SW__LANE_TIMER)
        out->not_before_us = hot->rank;
    if (hot->lane < 0) {
        out->worker_id = -hot->lane;
        out->deadline_us = hot->rank == INT64_MAX ? 0 : hot->rank;
    }
}

static int query_fill_payloads(sw_engine *engine, sw__arena *arena, sw_step_row *rows, size_t count,
                               sw_error *err)
{
    sw__store *store = engine->store;
    int64_t *ids = sw__arena_array(arena, count, sizeof *ids);
    sw__payload *results = sw__arena_array(arena, count, sizeof *results);
    sw__failure *failures = sw__arena_array(arena, count, sizeof *failures);
    if (!ids || !results || !failures)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].step_id;
    int rc = store->ops->results_get(store, ids, count, arena, results, err);
    if (rc == SW_OK)
        rc = store->ops->failures_get(store, ids, count, arena, failures, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rows[i].result = results[i].body;
        rows[i].error_class = failures[i].error_class;
        rows[i].error_message = failures[i].message;
        rows[i].error_detail = failures[i].detail;
    }
    return rc;
}

static int query_fill_steps(sw_engine *engine, sw_result *result, const sw__task_hot *task,
                            const sw__plan *plan, sw_error *err)
{
    sw__step_hot *hot = NULL;
    size_t count = plan->workflow->step_count;
    int rc = sw__query_steps(engine, result->arena, task, plan, &hot, err);
    sw_step_row *rows = rc == SW_OK ? sw__arena_array(result->arena, count, sizeof *rows) : NULL;
    if (!rows)
        return rc < 0 ? rc : sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        query_fill_step(result->arena, &plan->workflow->steps[i], &hot[i], &rows[i]);
    sw__result_set(result, SW__STEPS, rows, count);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (plan->workflow->steps[i].deadline_ms > 0 && !sw_step_state_terminal(rows[i].state))
            rc = sw__deadline_read(engine->store, rows[i].step_id, &rows[i].fails_us, err);
    }
    return rc == SW_OK ? query_fill_payloads(engine, result->arena, rows, count, err) : rc;
}

/* Get. */

/* The task with its steps; without them when only its end is waited for, until it has ended. */
static int query_task(sw_engine *engine, sw_result *result, const sw_uuid *task_id, bool steps,
                      sw_error *err)
{
    sw__task_hot *hot = sw__arena_alloc(result->arena, sizeof *hot);
    const sw__plan *plan = NULL;
    if (!hot)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__query_task(engine, task_id, hot, &plan, err);
    if (rc == SW_OK)
        rc = query_fill_tasks(engine, result, hot, 1, err);
    if (rc == SW_OK && (steps || sw_task_state_terminal(hot->state)))
        rc = query_fill_steps(engine, result, hot, plan, err);
    return rc;
}

static int query_get(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    return query_task(engine, result, context, true, err);
}

static int query_glance(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    return query_task(engine, result, context, false, err);
}

int sw_task_get(sw_engine *engine, const sw_uuid *task_id, sw_result **out, sw_error *err)
{
    if (!task_id)
        return sw__fail(err, SW_EINVAL, "task_id is NULL");
    return sw__query(engine, query_get, task_id, out, err);
}

/* List and count. */

static bool query_uuid_zero(const sw_uuid *id)
{
    static const sw_uuid zero;
    return memcmp(id, &zero, sizeof zero) == 0;
}

static int query_check_filter(const sw_task_filter *filter, sw_error *err)
{
    if (!filter || filter->size < sizeof *filter)
        return sw__fail(err, SW_EINVAL, "filter must start with SW_TASK_FILTER_INIT");
    if (filter->state < -1 || filter->state >= SW_TASK_STATE_COUNT)
        return sw__fail(err, SW_EINVAL, "state %d is no state of a task", filter->state);
    if (filter->limit < 0 || filter->limit > QUERY_LIST_MAX)
        return sw__fail(err, SW_EINVAL, "limit %lld is not within 0 and %d",
                        (long long)filter->limit, QUERY_LIST_MAX);
    if (filter->created_after_us < 0 || filter->created_before_us < 0)
        return sw__fail(err, SW_EINVAL, "a time of creation is negative");
    return SW_OK;
}

/* The newest task of a range; task_no 0 when there is none. */
static int query_newest(sw_engine *engine, sw__task_range range, sw__task_hot *row, sw_error *err)
{
    sw__task_hot *rows = NULL;
    size_t count = 0;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.limit = 1;
    *row = (sw__task_hot){0};
    sw__arena *scratch = sw__arena_new(engine->env);
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc =
        engine->store->ops->tasks_list(engine->store, &filter, range, scratch, &rows, &count, err);
    if (rc == SW_OK && count > 0) {
        *row = rows[0];
        rc = sw__sound_task(row, err);
    }
    sw__arena_free(scratch);
    return rc;
}

/* Numbers and times of creation grow together, so that halving finds the bound, and no index is
 * kept for it. */
int sw__query_bound(sw_engine *engine, int64_t time_us, int64_t *bound, sw_error *err)
{
    sw__task_hot row;
    int64_t low = 0;
    int rc = query_newest(engine, (sw__task_range){0}, &row, err);
    int64_t high = row.task_no + 1; /* from here on no task was created before */
    while (rc == SW_OK && high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        rc = query_newest(engine, (sw__task_range){.above = low, .below = middle + 1}, &row, err);
        if (row.task_no > low && row.created_us >= time_us)
            high = row.task_no;
        else
            low = middle;
    }
    *bound = low;
    return rc;
}

/* What the filter says of other tasks and of times, in numbers. */
static int query_range(sw_engine *engine, const sw_task_filter *filter, bool paged,
                       sw__task_range *range, sw_error *err)
{
    int64_t bound = 0;
    int rc = SW_OK;
    *range = (sw__task_range){0};
    if (paged && !query_uuid_zero(&filter->before)) {
        rc = engine->store->ops->tasks_find(engine->store, &filter->before, 1, &range->below, err);
        if (rc == SW_OK && range->below == 0)
            return sw__fail(err, SW_ENOTFOUND, "the task to list before does not exist");
    }
    if (rc == SW_OK && filter->created_after_us > 0)
        rc = sw__query_bound(engine, filter->created_after_us, &range->above, err);
    if (rc == SW_OK && filter->created_before_us > 0) {
        rc = sw__query_bound(engine, filter->created_before_us, &bound, err);
        if (range->below == 0 || bound + 1 < range->below)
            range->below = bound + 1;
    }
    return rc;
}

static int query_list(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw_task_filter filter = *(const sw_task_filter *)context;
    sw__store *store = engine->store;
    sw__task_hot *hot = NULL;
    size_t count = 0;
    sw__task_range range;
    int rc = query_range(engine, &filter, true, &range, err);
    filter.limit = filter.limit ? filter.limit : QUERY_LIST_DEFAULT;
    if (rc == SW_OK)
        rc = store->ops->tasks_list(store, &filter, range, result->arena, &hot, &count, err);
    return rc == SW_OK ? query_fill_tasks(engine, result, hot, count, err) : rc;
}

int sw_task_list(sw_engine *engine, const sw_task_filter *filter, sw_result **out, sw_error *err)
{
    int rc = query_check_filter(filter, err);
    return rc == SW_OK ? sw__query(engine, query_list, filter, out, err) : rc;
}

int sw_task_count(sw_engine *engine, const sw_task_filter *filter, int64_t *counts, sw_error *err)
{
    sw__task_range range;
    int rc = query_check_filter(filter, err);
    if (rc == SW_OK && !counts)
        rc = sw__fail(err, SW_EINVAL, "counts is NULL");
    if (rc == SW_OK)
        rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    memset(counts, 0, SW_TASK_STATE_COUNT * sizeof *counts);
    rc = engine->store->ops->begin(engine->store, false, err);
    if (rc == SW_OK) {
        rc = query_range(engine, filter, false, &range, err);
        if (rc == SW_OK)
            rc = engine->store->ops->tasks_count(engine->store, filter, range, counts, err);
        engine->store->ops->rollback(engine->store);
    }
    sw__engine_leave(engine);
    return rc;
}

/* Wait. */

static bool query_ended(const sw_result *result)
{
    size_t count = 0;
    const sw_task_row *rows = sw_tasks(result, &count);
    return count > 0 && sw_task_state_terminal(rows[0].state);
}

/* A wait for the end of a task. */
typedef struct query_watch {
    const sw_uuid *task_id;
    int64_t deadline_us; /* monotonic, INT64_MAX: none */
    int64_t version;     /* of the store before the last look */
    sw__rings rings;     /* likewise */
    uint32_t tones;
    uint64_t wakes;
} query_watch;

static int64_t query_mono(const sw_engine *engine)
{
    return engine->env->clock_mono_us(engine->env->context);
}

/* What is counted before a look is not missed after it. */
static int query_listen(sw_engine *engine, query_watch *watch, sw_error *err)
{
    sw__bell_count(engine, &watch->rings);
    if (sw__bell_reaches(engine))
        return SW_OK;
    return engine->store->ops->version(engine->store, &watch->version, err);
}

/* Whether the task may have ended since; without a shared bell the store is asked for it. */
static int query_rang(sw_engine *engine, const query_watch *watch, bool *rang, sw_error *err)
{
    int64_t version = watch->version;
    int rc = SW_OK;
    if (!sw__bell_reaches(engine))
        rc = engine->store->ops->version(engine->store, &version, err);
    *rang = sw__bell_rang(engine, watch->tones, &watch->rings) ||
            (version != watch->version && !SW__PLANT(TASK_WAIT_FOR_SELF));
    return rc;
}

/* Wait for a reason to look again: a ring, or that there was none for long. *again is false when
 * the time is over or the engine is woken. */
static int query_sleep(sw_engine *engine, const query_watch *watch, bool *again, sw_error *err)
{
    bool rang = false;
    int64_t poll_us = sw__bell_reaches(engine) ? QUERY_NAP_US : QUERY_POLL_MIN_US;
    int64_t poll_max_us = sw__bell_reaches(engine) ? QUERY_NAP_US : QUERY_POLL_MAX_US;
    int64_t look_us = query_mono(engine) + QUERY_LOOK_US;
    int rc = query_rang(engine, watch, &rang, err);
    *again = false;
    while (rc == SW_OK && !rang) {
        int64_t now_us = query_mono(engine);
        if (now_us >= watch->deadline_us || atomic_load(&engine->wake_count) != watch->wakes)
            return SW_OK;
        if (now_us >= look_us)
            break;
        int64_t until_us = now_us + poll_us;
        sw__bell_wait(engine, watch->tones, &watch->rings,
                      until_us < watch->deadline_us ? until_us : watch->deadline_us);
        if (atomic_load(&engine->closing))
            return sw__fail(err, SW_ECLOSED, NULL);
        poll_us = poll_us * 2 < poll_max_us ? poll_us * 2 : poll_max_us;
        rc = query_rang(engine, watch, &rang, err);
    }
    SW__PROBE(TASK_WAIT_AGAIN);
    *again = rc == SW_OK;
    return rc;
}

static int query_look(sw_engine *engine, query_watch *watch, sw_result **out, sw_error *err)
{
    sw_result_free(*out);
    *out = NULL;
    int rc = query_listen(engine, watch, err);
    if (rc == SW_OK)
        rc = sw__query_entered(engine, query_glance, watch->task_id, out, err);
    if (rc == SW_OK && SW__PLANT(TASK_WAIT_RACE))
        rc = query_listen(engine, watch, err);
    return rc;
}

static int query_wait(sw_engine *engine, const sw_uuid *task_id, int64_t wait_ms, sw_result **out,
                      sw_error *err)
{
    bool again = true;
    query_watch watch = {.task_id = task_id,
                         .deadline_us = INT64_MAX,
                         .tones = SW__PLANT(TASK_WAIT_FOR_SELF) ? 0 : SW__TONE_TASK(task_id),
                         .wakes = atomic_load(&engine->wake_count)};
    int rc = SW_OK;
    if (wait_ms >= 0 && wait_ms < SW__DELAY_MAX_MS)
        watch.deadline_us = query_mono(engine) + wait_ms * 1000;
    while (rc == SW_OK && again) {
        rc = query_look(engine, &watch, out, err);
        if (rc < 0 || query_ended(*out))
            return rc;
        if (rc == SW_OK)
            rc = query_sleep(engine, &watch, &again, err);
    }
    sw_result_free(*out);
    *out = NULL;
    if (rc == SW_OK)
        rc = sw__query_entered(engine, query_get, task_id, out, err);
    if (rc < 0 || query_ended(*out))
        return rc;
    return sw__fail(err, SW_ETIMEOUT, "the task has not ended within %lld ms", (long long)wait_ms);
}

int sw_task_wait(sw_engine *engine, const sw_uuid *task_id, int64_t wait_ms, sw_result **out,
                 sw_error *err)
{
    if (!task_id || !out)
        return sw__fail(err, SW_EINVAL, "task_id or out is NULL");
    *out = NULL;
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = query_wait(engine, task_id, wait_ms, out, err);
    sw__engine_leave(engine);
    return rc;
}
