/* Lists and counts of tasks in SQLite, none of which walks the whole table.
 *
 * A list starts at one of four places: the index on correlation ids, the rows of a tag (that of a
 * parent before another one), the table itself when nothing is asked for, or the index on
 * (workflow_no, state). That one index serves every question about states and workflows: it is a
 * stream of numbers for each pair, and the streams that match are merged here. More indexes would
 * be written at every end of a task; merging costs one search for each pair, of which there are as
 * many as definitions and states.
 */
#include "store/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/plant.h"
#include "store/parent.h"

/* Filters and ranges. */

static sw_task_filter list_filter(const sw_task_filter *filter)
{
    sw_task_filter asked = *filter;
    if (SW__PLANT(LIST_FILTER))
        asked.state = -1;
    if (SW__PLANT(LIST_PARENT))
        asked.parent_id = (sw_uuid){{0}};
    return asked;
}

/* The same range with both ends, which are not part of it. */
static sw__task_range list_range(sw__task_range range)
{
    range.above = range.above > 0 ? range.above : INT64_MIN;
    range.below = range.below > 0 ? range.below - SW__PLANT(LIST_LEAVES_OUT) : INT64_MAX;
    return range;
}

static bool list_by_state(const sw_task_filter *filter)
{
    return !filter->correlation_id.ptr && !sw__filter_tagged(filter) &&
           (filter->state != -1 || filter->workflow.ptr);
}

/* Bind a filter with its tags, and a range. */
static void list_bind(sw__bind *bind, const sw_task_filter *filter, const sw__needles *needles,
                      sw__task_range range)
{
    if (sw__needles_failed(needles))
        bind->rc = SQLITE_NOMEM;
    sw__bind_int(bind, filter->state);
    sw__bind_text(bind, filter->workflow);
    sw__bind_text(bind, sw__needle(needles, 0));
    sw__bind_text(bind, filter->correlation_id);
    sw__bind_int(bind, range.above);
    sw__bind_int(bind, range.below);
    sw__bind_text(bind, sw__needle(needles, 1));
}

/* Streams. */

/* The best `room` keys that were seen, the worst of them first (a heap). A key is a task's number,
 * negated where small numbers are the better ones. */
typedef struct list_best {
    int64_t *keys;
    size_t count;
    size_t room;
} list_best;

static void best_swap(int64_t *a, int64_t *b)
{
    int64_t kept = *a;
    *a = *b;
    *b = kept;
}

static void best_rise(list_best *best, size_t at)
{
    while (at > 0 && best->keys[at] < best->keys[(at - 1) / 2]) {
        best_swap(&best->keys[at], &best->keys[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void best_sink(list_best *best)
{
    for (size_t at = 0, least = 0;; at = least) {
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < best->count; child++) {
            if (best->keys[child] < best->keys[least])
                least = child;
        }
        if (least == at)
            return;
        best_swap(&best->keys[at], &best->keys[least]);
    }
}

/* false when the key, and with it every worse one, is not among the best. */
static bool best_offer(list_best *best, int64_t key)
{
    if (best->count < best->room) {
        best->keys[best->count] = key;
        best_rise(best, best->count++);
        return true;
    }
    if (best->room == 0 || key < best->keys[0])
        return false;
    best->keys[0] = key;
    best_sink(best);
    return true;
}

static int best_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

/* What is done with one (workflow_no, state). */
typedef int (*list_visit)(sw__sqlite *self, void *context, int64_t workflow_no, int state,
                          sw_error *err);

static int list_is_named(sw__sqlite *self, int64_t workflow_no, sw_str name, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_WORKFLOW_NAMED);
    sw__bind_int(&bind, workflow_no);
    sw__bind_text(&bind, name);
    int rc = sw__bind_next(self, &bind, err);
    if (rc > 0)
        sw__bind_end(&bind);
    return rc;
}

static int list_states(sw__sqlite *self, const sw_task_filter *filter, int64_t workflow_no,
                       list_visit visit, void *context, sw_error *err)
{
    int rc = 1;
    if (filter->workflow.ptr)
        rc = list_is_named(self, workflow_no, filter->workflow, err);
    if (rc <= 0)
        return rc;
    if (filter->state != -1)
        return visit(self, context, workflow_no, filter->state, err);
    rc = SW_OK;
    for (int state = 0; rc == SW_OK && state < SW_TASK_STATE_COUNT; state++)
        rc = visit(self, context, workflow_no, state, err);
    return rc;
}

/* The definition with the greatest number up to *workflow_no that has tasks: 1, 0 or an error. */
static int list_workflow(sw__sqlite *self, int64_t *workflow_no, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_WORKFLOW_LAST);
    sw__bind_int(&bind, *workflow_no);
    int rc = sw__bind_next(self, &bind, err);
    if (rc <= 0)
        return rc;
    int64_t found = sqlite3_column_int64(bind.statement, 0);
    sw__bind_end(&bind);
    if (found > *workflow_no)
        return sw__sqlite_fail_order(self, err);
    *workflow_no = found;
    return rc;
}

/* Every pair that matches, newest definitions first. */
static int list_pairs(sw__sqlite *self, const sw_task_filter *filter, list_visit visit,
                      void *context, sw_error *err)
{
    int64_t workflow_no = INT64_MAX;
    int rc;
    while ((rc = list_workflow(self, &workflow_no, err)) > 0) {
        rc = list_states(self, filter, workflow_no, visit, context, err);
        if (rc < 0 || workflow_no == INT64_MIN)
            break;
        workflow_no--;
    }
    return rc;
}

typedef struct list_merge {
    sw__task_range range;
    list_best best;
} list_merge;

static bool list_holds(sw__task_range range, int64_t task_no)
{
    return task_no > range.above && task_no < range.below;
}

static int list_stream(sw__sqlite *self, void *context, int64_t workflow_no, int state,
                       sw_error *err)
{
    list_merge *merge = context;
    bool rising = merge->range.rising;
    sw__bind bind = sw__bind_start(self, rising ? SW__SQL_TASK_STREAM_RISING : SW__SQL_TASK_STREAM);
    sw__bind_int(&bind, workflow_no);
    sw__bind_int(&bind, state);
    sw__bind_int(&bind, merge->range.above);
    sw__bind_int(&bind, merge->range.below);
    int rc;
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        int64_t task_no = sqlite3_column_int64(bind.statement, 0);
        bool held = list_holds(merge->range, task_no);
        if (held && best_offer(&merge->best, rising ? -task_no : task_no))
            continue;
        sw__bind_end(&bind);
        return held ? SW_OK : sw__sqlite_fail_order(self, err);
    }
    return rc;
}

/* Read the rows of the best keys, the best first. */
static int list_fetch(sw__sqlite *self, list_merge *merge, sw__buf *found, sw_error *err)
{
    sw__task_hot row;
    list_best *best = &merge->best;
    int rc = SW_OK;
    if (best->count > 1)
        qsort(best->keys, best->count, sizeof(best->keys[0]), best_compare);
    for (size_t i = 0; rc == SW_OK && i < best->count; i++) {
        int64_t task_no = merge->range.rising ? -best->keys[i] : best->keys[i];
        rc = sw__sqlite_tasks_get(&self->base, &task_no, 1, &row, err);
        sw__buf_put(found, &row, sizeof(row));
    }
    return rc;
}

static int list_merged(sw__sqlite *self, const sw_task_filter *filter, sw__task_range range,
                       sw__buf *found, sw_error *err)
{
    list_merge merge = {.range = range, .best.room = (size_t)sw__filter_limit(filter)};
    const sw_env *env = self->base.env;
    merge.best.keys = sw__resize(env, NULL, merge.best.room * sizeof(merge.best.keys[0]));
    if (!merge.best.keys)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = list_pairs(self, filter, list_stream, &merge, err);
    if (rc == SW_OK)
        rc = list_fetch(self, &merge, found, err);
    sw__free(env, merge.best.keys);
    return rc;
}

/* Lists. */

static sw__sql list_statement(const sw_task_filter *filter, bool rising)
{
    if (filter->correlation_id.ptr)
        return rising ? SW__SQL_TASK_LIST_CORRELATED_RISING : SW__SQL_TASK_LIST_CORRELATED;
    if (sw__filter_tagged(filter))
        return rising ? SW__SQL_TASK_LIST_TAGGED_RISING : SW__SQL_TASK_LIST_TAGGED;
    return rising ? SW__SQL_TASK_LIST_RISING : SW__SQL_TASK_LIST;
}

static int list_searched(sw__sqlite *self, const sw_task_filter *filter, sw__task_range range,
                         sw__buf *found, sw_error *err)
{
    sw__needles needles;
    sw__task_hot row;
    int rc;
    sw__needles_init(&needles, self->base.env, filter);
    sw__bind bind = sw__bind_start(self, list_statement(filter, range.rising));
    list_bind(&bind, filter, &needles, range);
    sw__bind_int(&bind, sw__filter_limit(filter));
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__sqlite_read_task(&bind, &row);
        if (!list_holds(range, row.task_no)) {
            sw__bind_end(&bind);
            rc = sw__sqlite_fail_order(self, err);
            break;
        }
        sw__buf_put(found, &row, sizeof(row));
    }
    sw__needles_free(&needles);
    return rc;
}

int sw__sqlite_tasks_list(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                          sw__arena *arena, sw__task_hot **rows, size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw_task_filter asked = list_filter(filter);
    sw__buf found;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_list", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&found, store->env);
    rc = list_by_state(&asked) ? list_merged(self, &asked, list_range(range), &found, err)
                               : list_searched(self, &asked, list_range(range), &found, err);
    return sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
}

/* Counts. */

typedef struct list_count {
    sw__task_range range;
    int64_t *counts;
} list_count;

static int list_count_pair(sw__sqlite *self, void *context, int64_t workflow_no, int state,
                           sw_error *err)
{
    list_count *count = context;
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_STREAM_COUNT);
    sw__bind_int(&bind, workflow_no);
    sw__bind_int(&bind, state);
    sw__bind_int(&bind, count->range.above);
    sw__bind_int(&bind, count->range.below);
    int rc = sw__bind_next(self, &bind, err);
    if (rc <= 0)
        return rc;
    count->counts[state] += sqlite3_column_int64(bind.statement, 0);
    sw__bind_end(&bind);
    return SW_OK;
}

static int list_count_searched(sw__sqlite *self, const sw_task_filter *filter, sw__task_range range,
                               int64_t *counts, sw_error *err)
{
    sw__needles needles;
    sw__needles_init(&needles, self->base.env, filter);
    sw__bind bind = sw__bind_start(self, filter->correlation_id.ptr ? SW__SQL_TASK_COUNT_CORRELATED
                                                                    : SW__SQL_TASK_COUNT_TAGGED);
    list_bind(&bind, filter, &needles, range);
    int rc = sw__bind_next(self, &bind, err);
    if (rc > 0) {
        sw__column column = {.statement = bind.statement, .at = 1};
        for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
            counts[state] = sw__column_int(&column);
        sw__bind_end(&bind);
        rc = SW_OK;
    }
    sw__needles_free(&needles);
    return rc;
}

int sw__sqlite_tasks_count(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                           int64_t counts[SW_TASK_STATE_COUNT], sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw_task_filter asked = list_filter(filter);
    list_count count = {.range = list_range(range), .counts = counts};
    memset(counts, 0, SW_TASK_STATE_COUNT * sizeof(counts[0]));
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_count", err);
    if (rc < 0)
        return rc;
    if (asked.correlation_id.ptr || sw__filter_tagged(&asked))
        return list_count_searched(self, &asked, count.range, counts, err);
    return list_pairs(self, &asked, list_count_pair, &count, err);
}
