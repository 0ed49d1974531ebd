/* Dead letters: finding the steps that have failed for good, counting them, and doing the same to
 * many.
 *
 * They stand in a line of their own, newest first, which a failing step enters with the very write
 * that makes it failed: no index of theirs, and nothing to pay for steps that do not fail. Whoever
 * reads the line goes through it in batches and looks up only what is in them. Not here: what
 * becomes of one step (operate.c).
 */
#include "engine/flow.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/plant.h"
#include "engine/check.h"
#include "engine/query.h"
#include "engine/sound.h"
#include "engine/survey.h"
#include "stepwell/dead.h"

#define DEAD_BATCH ((size_t)256)
#define DEAD_LIMIT_DEFAULT 100
#define DEAD_LIMIT_MAX 10000

/* A step of the line with what belongs to it. */
typedef struct dead_found {
    sw__step_hot row;
    sw__task_hot task;
    sw__failure failure; /* of the last attempt; epoch 0: none is kept */
    const sw__plan *plan;
} dead_found;

/* 1 when enough was seen. What found points to lives until the visitor returns. */
typedef int (*dead_visit)(void *context, const dead_found *found, sw_error *err);

/* One walk along the line. */
typedef struct dead_walk {
    sw_engine *engine;
    const sw_dead_filter *filter;
    dead_visit visit;
    void *context;
    sw__queued place; /* behind which the next batch begins */
    int64_t rank_max;
} dead_walk;

/* Rows of one batch: ids ascending, the others by them. */
typedef struct dead_batch {
    sw__queued queued[DEAD_BATCH]; /* as they stand in line */
    size_t count;
    int64_t ids[DEAD_BATCH];
    sw__step_hot rows[DEAD_BATCH];
    sw__task_hot tasks[DEAD_BATCH];
    sw__failure failures[DEAD_BATCH];
} dead_batch;

void sw__dead_stand(const sw__work *work, sw__work_step *step)
{
    if (step->row.state != SW_STEP_FAILED || SW__PLANT(DEAD_LOST))
        return;
    if (sw__trigger_is_well(sw__work_definition(work, step->row.step_id), SW_STEP_FAILED))
        return;
    step->row.lane = SW__LANE_DEAD;
    step->row.rank = -step->row.changed_us;
}

/* Walking. */

static int dead_load(const dead_walk *walk, sw__arena *arena, dead_batch *batch, sw_error *err)
{
    int64_t task_nos[DEAD_BATCH];
    sw__store *store = walk->engine->store;
    for (size_t i = 0; i < batch->count; i++)
        batch->ids[i] = batch->queued[i].step_id;
    sw__work_sort_ids(batch->ids, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        task_nos[i] = SW__STEP_TASK(batch->ids[i]);
    int rc = store->ops->steps_get(store, batch->ids, batch->count, batch->rows, err);
    if (rc == SW_OK)
        rc = store->ops->tasks_get(store, task_nos, batch->count, batch->tasks, err);
    if (rc == SW_OK)
        rc = store->ops->failures_get(store, batch->ids, batch->count, arena, batch->failures, err);
    return rc;
}

static int dead_compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* A step without a task is the rest of one that was pruned, and waits to be taken out. */
static int dead_check_rest(const dead_walk *walk, int64_t step_id, sw_error *err)
{
    bool rest = false;
    sw__store *store = walk->engine->store;
    int rc = store->ops->rest_find(store, SW__STEP_TASK(step_id), &rest, err);
    if (rc == SW_OK && !rest)
        return sw__fail(err, SW_ECORRUPT, "step %lld is part of no task", (long long)step_id);
    return rc;
}

/* What belongs to a step of the batch, checked like every row that comes from a file: 1, or 0 for a
 * step that belongs to nothing any more. */
static int dead_find(const dead_walk *walk, const dead_batch *batch, int64_t step_id,
                     dead_found *found, sw_error *err)
{
    sw_engine *engine = walk->engine;
    const int64_t *id =
        bsearch(&step_id, batch->ids, batch->count, sizeof step_id, dead_compare_ids);
    size_t index = id ? (size_t)(id - batch->ids) : 0;
    *found = (dead_found){
        .row = batch->rows[index], .task = batch->tasks[index], .failure = batch->failures[index]};
    if (!id || found->row.step_id != step_id || found->task.task_no == 0)
        return dead_check_rest(walk, step_id, err);
    int rc = sw__sound_task(&found->task, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, engine->store, found->task.workflow_no,
                              &found->plan, err);
    if (rc == SW_OK)
        rc = sw__sound_counts(&found->task, found->plan, err);
    if (rc == SW_OK)
        rc = sw__sound_step(&found->row, found->plan, err);
    return rc == SW_OK ? 1 : rc;
}

static bool dead_text_matches(sw_str wanted, sw_str text)
{
    return !wanted.ptr || sw__str_equal(wanted, text);
}

static const sw_workflow_step *dead_definition(const dead_found *found)
{
    return &found->plan->workflow->steps[SW__STEP_INDEX(found->row.step_id)];
}

/* A task that was cancelled was given up together with what had failed in it. */
static bool dead_matches(const sw_dead_filter *filter, const dead_found *found)
{
    const sw_workflow_step *step = dead_definition(found);
    bool given_up = found->task.state == SW_TASK_CANCELLED && !SW__PLANT(DEAD_CANCELLED);
    return found->row.state == SW_STEP_FAILED && !given_up &&
           dead_text_matches(filter->workflow, found->plan->workflow->name) &&
           dead_text_matches(filter->handler, step->handler) &&
           dead_text_matches(filter->step, step->name) &&
           dead_text_matches(filter->error_class, found->failure.error_class);
}

static int dead_visit_batch(const dead_walk *walk, const dead_batch *batch, sw_error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        dead_found found;
        int rc = dead_find(walk, batch, batch->queued[i].step_id, &found, err);
        if (rc == 1)
            rc = dead_matches(walk->filter, &found) ? walk->visit(walk->context, &found, err)
                                                    : SW_OK;
        if (rc != SW_OK)
            return rc;
    }
    return SW_OK;
}

/* The next batch; 1 at the end of the line. */
static int dead_step(dead_walk *walk, sw_error *err)
{
    sw__store *store = walk->engine->store;
    sw__arena *arena = sw__arena_new(walk->engine->env);
    dead_batch *batch = arena ? sw__arena_alloc(arena, sizeof *batch) : NULL;
    int rc = batch ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = store->ops->queue_after(store, SW__LANE_DEAD, walk->place, walk->rank_max,
                                     batch->queued, DEAD_BATCH, &batch->count, err);
    if (rc == SW_OK)
        rc = dead_load(walk, arena, batch, err);
    if (rc == SW_OK)
        rc = dead_visit_batch(walk, batch, err);
    if (rc == SW_OK && batch->count < DEAD_BATCH)
        rc = 1;
    if (rc == SW_OK)
        walk->place = batch->queued[batch->count - 1];
    sw__arena_free(arena);
    return rc;
}

/* Newest first is by rank: those that failed before a time lie behind it, the oldest last. */
static int dead_walk_line(dead_walk *walk, sw_error *err)
{
    const sw_dead_filter *filter = walk->filter;
    int rc = SW_OK;
    walk->place = (sw__queued){.step_id = -1, .rank = -INT64_MAX};
    walk->rank_max = filter->failed_after_us ? -filter->failed_after_us : INT64_MAX;
    if (filter->failed_before_us)
        walk->place = (sw__queued){.step_id = INT64_MAX, .rank = -filter->failed_before_us};
    if (filter->after_step_id && -filter->after_us >= walk->place.rank)
        walk->place = (sw__queued){.step_id = filter->after_step_id, .rank = -filter->after_us};
    while (rc == SW_OK)
        rc = dead_step(walk, err);
    return rc < 0 ? rc : SW_OK;
}

static int dead_check_filter(const sw_dead_filter *filter, sw_error *err)
{
    sw__error_clear(err);
    if (!filter || filter->size < sizeof *filter)
        return sw__fail(err, SW_EINVAL, "filter must start with SW_DEAD_FILTER_INIT");
    if (filter->limit < 0 || filter->limit > DEAD_LIMIT_MAX)
        return sw__fail(err, SW_EINVAL, "limit %lld is not within 0 and %d",
                        (long long)filter->limit, DEAD_LIMIT_MAX);
    if (filter->failed_after_us < 0 || filter->failed_before_us < 0 || filter->after_us < 0)
        return sw__fail(err, SW_EINVAL, "a time of failure is negative");
    return SW_OK;
}

/* Listing. */

typedef struct dead_rows {
    sw__arena *arena;
    sw_dead_letter *rows;
    size_t count;
    size_t capacity;
    size_t limit;
} dead_rows;

/* Most lists are much shorter than their limit, so room for all of it is not taken before. */
static int dead_rows_room(dead_rows *list, sw_error *err)
{
    if (list->count < list->capacity)
        return SW_OK;
    size_t capacity = list->capacity ? list->capacity * 4 : 32;
    sw_dead_letter *rows = sw__arena_array(list->arena, capacity, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (list->count)
        memcpy(rows, list->rows, list->count * sizeof *rows);
    list->rows = rows;
    list->capacity = capacity;
    return SW_OK;
}

static int dead_add(void *context, const dead_found *found, sw_error *err)
{
    dead_rows *list = context;
    sw__arena *arena = list->arena;
    const sw_workflow_step *step = dead_definition(found);
    int rc = dead_rows_room(list, err);
    if (rc < 0)
        return rc;
    list->rows[list->count++] = (sw_dead_letter){
        .step_id = found->row.step_id,
        .task_id = found->task.task_id,
        .workflow = sw__arena_str(arena, found->plan->workflow->name),
        .version = sw__arena_str(arena, found->plan->workflow->version),
        .step = sw__arena_str(arena, step->name),
        .handler = sw__arena_str(arena, step->handler),
        .queue = sw__arena_str(arena, step->queue),
        .error_class = sw__arena_str(arena, found->failure.error_class),
        .error_message = sw__arena_str(arena, found->failure.message),
        .error_detail = sw__arena_str(arena, found->failure.detail),
        .failed_us = found->row.changed_us,
        .attempt = found->row.attempt,
        .max_attempts = step->max_attempts,
        .crashes = found->row.crashes,
        .task_state = found->task.state,
    };
    return list->count == list->limit;
}

/* Inside a transaction. */
static int dead_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    dead_rows list = {.arena = result->arena};
    dead_walk walk = {.engine = engine, .filter = context, .visit = dead_add, .context = &list};
    list.limit = walk.filter->limit ? (size_t)walk.filter->limit : DEAD_LIMIT_DEFAULT;
    int rc = dead_walk_line(&walk, err);
    sw__result_set(result, SW__DEAD_LETTERS, list.rows, list.count);
    return rc;
}

int sw_dead_list(sw_engine *engine, const sw_dead_filter *filter, sw_result **out, sw_error *err)
{
    int rc = dead_check_filter(filter, err);
    return rc == SW_OK ? sw__query(engine, dead_fill, filter, out, err) : rc;
}

/* Counting. */

typedef struct dead_groups {
    sw__arena *arena;
    sw__strmap index; /* error class, zero byte, handler to index in rows */
    sw_dead_group *rows;
    size_t count;
    size_t capacity;
} dead_groups;

static sw_dead_group *dead_groups_room(dead_groups *groups)
{
    if (groups->count < groups->capacity)
        return &groups->rows[groups->count];
    size_t capacity = groups->capacity ? groups->capacity * 2 : 16;
    sw_dead_group *rows = sw__arena_array(groups->arena, capacity, sizeof *rows);
    if (!rows)
        return NULL;
    if (groups->count)
        memcpy(rows, groups->rows, groups->count * sizeof *rows);
    groups->rows = rows;
    groups->capacity = capacity;
    return &groups->rows[groups->count];
}

/* The group of a letter, made when it is the first; NULL when there is no memory. An absent error
 * class is not the empty one. */
static sw_dead_group *dead_group_of(dead_groups *groups, sw_str error_class, sw_str handler)
{
    sw_str key = sw__arena_format(groups->arena, "%c%.*s%c%.*s", error_class.ptr ? '1' : '0',
                                  SW__FMT(error_class), '\0', SW__FMT(handler));
    if (!key.ptr)
        return NULL;
    const int64_t *known = sw__strmap_find(&groups->index, key);
    if (known)
        return &groups->rows[*known];
    sw_dead_group *group = dead_groups_room(groups);
    if (!group || sw__strmap_put(&groups->index, key, (int64_t)groups->count) < 0)
        return NULL;
    *group = (sw_dead_group){.error_class = sw__arena_str(groups->arena, error_class),
                             .handler = sw__arena_str(groups->arena, handler),
                             .oldest_us = INT64_MAX};
    groups->count++;
    return group;
}

static int dead_count_one(void *context, const dead_found *found, sw_error *err)
{
    int64_t failed_us = found->row.changed_us;
    sw_dead_group *group =
        dead_group_of(context, found->failure.error_class, dead_definition(found)->handler);
    if (!group)
        return sw__fail(err, SW_ENOMEM, NULL);
    group->count++;
    group->oldest_us = failed_us < group->oldest_us ? failed_us : group->oldest_us;
    group->newest_us = failed_us > group->newest_us ? failed_us : group->newest_us;
    return SW_OK;
}

static int dead_group_compare(const void *a, const void *b)
{
    const sw_dead_group *left = a;
    const sw_dead_group *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    int order = sw__str_compare(left->error_class, right->error_class);
    return order ? order : sw__str_compare(left->handler, right->handler);
}

static int dead_fill_groups(sw_engine *engine, sw_result *result, const void *context,
                            sw_error *err)
{
    sw_dead_filter filter = *(const sw_dead_filter *)context;
    dead_groups groups = {.arena = result->arena};
    dead_walk walk = {
        .engine = engine, .filter = &filter, .visit = dead_count_one, .context = &groups};
    filter.after_step_id = 0;
    sw__strmap_init(&groups.index, engine->env);
    int rc = dead_walk_line(&walk, err);
    sw__strmap_free(&groups.index);
    if (groups.count > 1)
        qsort(groups.rows, groups.count, sizeof *groups.rows, dead_group_compare);
    sw__result_set(result, SW__DEAD_GROUPS, groups.rows, groups.count);
    return rc;
}

int sw_dead_count(sw_engine *engine, const sw_dead_filter *filter, sw_result **out, sw_error *err)
{
    int rc = dead_check_filter(filter, err);
    return rc == SW_OK ? sw__query(engine, dead_fill_groups, filter, out, err) : rc;
}

/* Doing the same to many. */

static sw_step_override_row dead_row_of(int64_t step_id, const sw_dead_action *action)
{
    return (sw_step_override_row){.step_id = step_id,
                                  .state = action->state,
                                  .actor = action->actor,
                                  .reason = action->reason,
                                  .result = action->result};
}

static int dead_check_action(const sw_engine *engine, const sw_dead_action *action, sw_error *err)
{
    if (!action)
        return sw__fail(err, SW_EINVAL, "action is NULL");
    if (action->state != SW_STEP_READY && action->state != SW_STEP_RESOLVED)
        return sw__fail(err, SW_EINVAL, "a dead letter becomes ready or resolved, not %s",
                        sw_step_state_name(action->state));
    sw_step_override_row row = dead_row_of(0, action);
    int rc = sw__operate_check(engine, &row, 1, SW_BATCH_PARTIAL, err);
    if (rc < 0 && err)
        err->row = -1;
    return rc;
}

typedef struct dead_override {
    const sw_dead_filter *filter;
    const sw_dead_action *action;
} dead_override;

static int dead_override_all(sw__work *work, sw_result *result, const void *context, sw_error *err)
{
    size_t count = 0;
    const dead_override *call = context;
    int rc = dead_fill(work->engine, result, call->filter, err);
    if (rc < 0)
        return rc;
    const sw_dead_letter *letters = sw_dead_letters(result, &count);
    sw_step_override_row *rows = sw__arena_array(work->arena, count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        rows[i] = dead_row_of(letters[i].step_id, call->action);
    return sw__operate(work, rows, count, SW_BATCH_PARTIAL, result, err);
}

int sw_dead_override(sw_engine *engine, const sw_dead_filter *filter, const sw_dead_action *action,
                     sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = dead_check_filter(filter, err);
    if (rc == SW_OK)
        rc = dead_check_action(engine, action, err);
    const dead_override call = {filter, action};
    return rc == SW_OK ? sw__work_answer(engine, dead_override_all, &call, out, err) : rc;
}

#undef DEAD_LIMIT_MAX
#undef DEAD_LIMIT_DEFAULT
#undef DEAD_BATCH
