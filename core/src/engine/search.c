/* The public face of searches in the audit log: pages, counts, texts. */
#include "audit/scan.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "engine/query.h"

#define SEARCH_LIMIT_DEFAULT 100
#define SEARCH_LIMIT_MAX 10000
#define SEARCH_TASKS 1000 /* tasks of a correlation id that are read at a time */

typedef struct search_ask {
    const sw_audit_filter *filter;
    int32_t format;
    int32_t heads;
} search_ask;

static int search_check(const sw_audit_filter *filter, sw_error *err)
{
    if (!filter || filter->size < sizeof *filter)
        return sw__fail(err, SW_EINVAL, "filter must start with SW_AUDIT_FILTER_INIT");
    if (filter->limit < 0 || filter->limit > SEARCH_LIMIT_MAX)
        return sw__fail(err, SW_EINVAL, "limit %lld is not within 0 and %d",
                        (long long)filter->limit, SEARCH_LIMIT_MAX);
    if (filter->after_us < 0 || filter->before_us < 0 || filter->after_entry_no < 0)
        return sw__fail(err, SW_EINVAL, "a time or the number of an entry is negative");
    if (filter->kind < 0 || filter->kind > SW_AUDIT_KIND_COUNT)
        return sw__fail(err, SW_EINVAL, "%d is no kind of an entry", filter->kind);
    sw_str outcome = sw__utf8_cut(filter->outcome, 64);
    if (outcome.ptr && sw_step_state_find(outcome) < 0 && sw_task_state_find(outcome) < 0)
        return sw__fail(err, SW_EINVAL, "\"%.*s\" is no state of a step or task", SW__FMT(outcome));
    return SW_OK;
}

int sw__search_correlated(sw_engine *engine, sw_str correlation_id, sw__map *tasks, sw_error *err)
{
    int rc = SW_OK;
    size_t count = SEARCH_TASKS;
    sw__task_range range = {0};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.correlation_id = correlation_id;
    filter.limit = SEARCH_TASKS;
    while (rc == SW_OK && count == SEARCH_TASKS) {
        sw__task_hot *rows = NULL;
        sw__arena *scratch = sw__arena_new(engine->env);
        rc = scratch ? engine->store->ops->tasks_list(engine->store, &filter, range, scratch, &rows,
                                                      &count, err)
                     : sw__fail(err, SW_ENOMEM, NULL);
        for (size_t i = 0; rc == SW_OK && i < count; i++) {
            range.below = rows[i].task_no;
            if (sw__map_put(tasks, rows[i].task_no, 1) < 0)
                rc = sw__fail(err, SW_ENOMEM, NULL);
        }
        sw__arena_free(scratch);
    }
    return rc;
}

/* Along the history of the one task; SW_ENOTFOUND when the store has forgotten it. */
static int search_task(sw_engine *engine, const sw_audit_filter *filter, sw__scan_take take,
                       void *context, sw_error *err)
{
    sw__task_hot task = {0};
    const sw__plan *plan = NULL;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    sw__arena *scratch = sw__arena_new(engine->env);
    int rc = scratch ? sw__query_task(engine, &filter->task_id, &task, &plan, err)
                     : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__audit_read_task(engine->store, &task, scratch, &rows, &count, err);
    if (rc == SW_OK)
        rc = sw__scan_rows(rows, count, filter, take, context, err);
    sw__arena_free(scratch);
    return rc;
}

static int search_entries(sw_engine *engine, const sw_audit_filter *filter, sw__scan_take take,
                          void *context, sw_error *err)
{
    static const sw_uuid any = {{0}};
    sw__map tasks;
    if (memcmp(&filter->task_id, &any, sizeof(any)) != 0 && !filter->correlation_id.ptr) {
        int rc = search_task(engine, filter, take, context, err);
        if (rc != SW_ENOTFOUND)
            return rc;
    }
    sw__map_init(&tasks, engine->env);
    int rc = SW_OK;
    if (filter->correlation_id.ptr)
        rc = sw__search_correlated(engine, filter->correlation_id, &tasks, err);
    if (rc == SW_OK && !(filter->correlation_id.ptr && tasks.count == 0))
        rc = sw__scan_walk(engine->store, filter, filter->correlation_id.ptr ? &tasks : NULL, take,
                           context, err);
    sw__map_free(&tasks);
    return rc;
}

/* Pages. */

typedef struct search_page {
    sw__arena *arena;
    sw__buf rows;
    size_t limit;
} search_page;

static size_t search_limit(const sw_audit_filter *filter)
{
    return filter->limit ? (size_t)filter->limit : SEARCH_LIMIT_DEFAULT;
}

static int page_take(void *context, const sw_audit_entry *entry, sw_error *err)
{
    search_page *page = context;
    sw_audit_entry row = *entry;
    sw_str *const texts[] = {&row.step, &row.actor, &row.reason, &row.subject, &row.digest};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = sw__arena_str(page->arena, *texts[i]);
    sw__buf_put(&page->rows, &row, sizeof(row));
    if (page->rows.failed || sw__arena_failed(page->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    return page->rows.len / sizeof(row) == page->limit;
}

static int search_list(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const search_ask *ask = context;
    search_page page = {.arena = result->arena, .limit = search_limit(ask->filter)};
    sw__buf_init(&page.rows, engine->env);
    int rc = search_entries(engine, ask->filter, page_take, &page, err);
    size_t count = page.rows.len / sizeof(sw_audit_entry);
    sw_audit_entry *rows = sw__arena_array(result->arena, count, sizeof(*rows));
    if (rc == SW_OK && rows && count > 0)
        memcpy(rows, page.rows.ptr, page.rows.len);
    sw__result_set(result, SW__ENTRIES, rows, rows ? count : 0);
    sw__buf_free(&page.rows);
    return rc;
}

int sw_audit_search(sw_engine *engine, const sw_audit_filter *filter, sw_result **out,
                    sw_error *err)
{
    search_ask ask = {.filter = filter};
    int rc = search_check(filter, err);
    return rc == SW_OK ? sw__query(engine, search_list, &ask, out, err) : rc;
}

/* Counts. */

#define COUNT_STATES (SW_STEP_STATE_COUNT + 1) /* the last for none */

typedef struct search_counts {
    sw_audit_group groups[SW_AUDIT_KIND_COUNT + 1][COUNT_STATES];
    sw__strmap places; /* actor to its place in actors */
    sw__buf actors;
    sw__arena *arena;
} search_counts;

_Static_assert((int)SW_TASK_STATE_COUNT <= (int)SW_STEP_STATE_COUNT,
               "a state of a task has a column, too");

static int counts_actor(search_counts *counts, sw_str actor, sw_audit_actor **row, sw_error *err)
{
    int64_t place = (int64_t)(counts->actors.len / sizeof(**row));
    const sw_str key = actor.ptr ? actor : (sw_str){"", 0};
    const int64_t *known = sw__strmap_find(&counts->places, key);
    if (known) {
        *row = (sw_audit_actor *)(void *)counts->actors.ptr + *known;
        return SW_OK;
    }
    sw_audit_actor made = {.actor = sw__arena_str(counts->arena, actor)};
    sw__buf_put(&counts->actors, &made, sizeof(made));
    const sw_str kept = actor.ptr ? made.actor : key;
    if (counts->actors.failed || sw__arena_failed(counts->arena) ||
        sw__strmap_put(&counts->places, kept, place) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    *row = (sw_audit_actor *)(void *)counts->actors.ptr + place;
    return SW_OK;
}

/* Entries come oldest first. */
static void counts_add(int64_t *count, int64_t *oldest_us, int64_t *newest_us, int64_t time_us)
{
    if ((*count)++ == 0)
        *oldest_us = time_us;
    *newest_us = time_us;
}

static int counts_take(void *context, const sw_audit_entry *entry, sw_error *err)
{
    sw_str outcome;
    search_counts *counts = context;
    sw_audit_actor *actor = NULL;
    bool has_outcome = sw__entry_outcome(entry, &outcome);
    int32_t to = has_outcome ? entry->to : COUNT_STATES - 1;
    sw_audit_group *group = &counts->groups[entry->kind][to];
    group->kind = entry->kind;
    group->to = has_outcome ? to : -1;
    counts_add(&group->count, &group->oldest_us, &group->newest_us, entry->time_us);
    int rc = counts_actor(counts, entry->actor, &actor, err);
    if (rc == SW_OK)
        counts_add(&actor->count, &actor->oldest_us, &actor->newest_us, entry->time_us);
    return rc;
}

static int counts_order(int64_t left, int64_t right)
{
    return (left < right) - (left > right);
}

static int counts_by_group(const void *a, const void *b)
{
    const sw_audit_group *left = a;
    const sw_audit_group *right = b;
    if (left->count != right->count)
        return counts_order(left->count, right->count);
    return left->kind != right->kind ? counts_order(right->kind, left->kind)
                                     : counts_order(right->to, left->to);
}

static int counts_by_actor(const void *a, const void *b)
{
    const sw_audit_actor *left = a;
    const sw_audit_actor *right = b;
    if (left->count != right->count)
        return counts_order(left->count, right->count);
    return sw__str_compare(left->actor, right->actor);
}

static void counts_fill(const search_counts *counts, sw_result *result)
{
    size_t group_count = 0;
    size_t actor_count = counts->actors.len / sizeof(sw_audit_actor);
    sw_audit_group *groups =
        sw__arena_array(result->arena, (SW_AUDIT_KIND_COUNT + 1) * COUNT_STATES, sizeof(*groups));
    sw_audit_actor *actors = sw__arena_array(result->arena, actor_count, sizeof(*actors));
    if (!groups || !actors)
        return;
    for (int kind = 0; kind <= SW_AUDIT_KIND_COUNT; kind++) {
        for (int to = 0; to < COUNT_STATES; to++) {
            if (counts->groups[kind][to].count > 0)
                groups[group_count++] = counts->groups[kind][to];
        }
    }
    if (actor_count > 0)
        memcpy(actors, counts->actors.ptr, counts->actors.len);
    qsort(groups, group_count, sizeof(*groups), counts_by_group);
    qsort(actors, actor_count, sizeof(*actors), counts_by_actor);
    sw__result_set(result, SW__AUDIT_GROUPS, groups, group_count);
    sw__result_set(result, SW__AUDIT_ACTORS, actors, actor_count);
}

static int search_count(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const search_ask *ask = context;
    search_counts counts = {.arena = result->arena};
    sw__strmap_init(&counts.places, engine->env);
    sw__buf_init(&counts.actors, engine->env);
    int rc = search_entries(engine, ask->filter, counts_take, &counts, err);
    if (rc == SW_OK)
        counts_fill(&counts, result);
    sw__buf_free(&counts.actors);
    sw__strmap_free(&counts.places);
    return rc;
}

int sw_audit_count(sw_engine *engine, const sw_audit_filter *filter, sw_result **out, sw_error *err)
{
    search_ask ask = {.filter = filter};
    int rc = search_check(filter, err);
    return rc == SW_OK ? sw__query(engine, search_count, &ask, out, err) : rc;
}

/* Texts. */

typedef struct search_text {
    sw__buf buf;
    int32_t format;
    size_t limit;
    sw_audit_text *row;
} search_text;

static int text_take(void *context, const sw_audit_entry *entry, sw_error *err)
{
    search_text *text = context;
    sw__render_entry(&text->buf, text->format, entry);
    text->row->entry_count++;
    text->row->last_entry_no = entry->entry_no;
    if (text->buf.failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    return (size_t)text->row->entry_count == text->limit;
}

static int search_dump(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const search_ask *ask = context;
    search_text text = {.format = ask->format, .limit = search_limit(ask->filter)};
    text.row = sw__arena_alloc(result->arena, sizeof(*text.row));
    if (!text.row)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__buf_init(&text.buf, engine->env);
    if (ask->heads && ask->format == SW_AUDIT_CSV)
        sw__render_heads(&text.buf);
    int rc = search_entries(engine, ask->filter, text_take, &text, err);
    text.row->text = sw__arena_str(result->arena, sw__buf_str(&text.buf));
    sw__result_set(result, SW__AUDIT_TEXTS, text.row, 1);
    sw__buf_free(&text.buf);
    return rc;
}

int sw_audit_dump(sw_engine *engine, const sw_audit_filter *filter, int32_t format, int32_t heads,
                  sw_result **out, sw_error *err)
{
    search_ask ask = {.filter = filter, .format = format, .heads = heads};
    int rc = search_check(filter, err);
    if (rc == SW_OK && (format < 0 || format >= SW_AUDIT_FORMAT_COUNT))
        rc = sw__fail(err, SW_EINVAL, "%d is no format of the audit log", format);
    return rc == SW_OK ? sw__query(engine, search_dump, &ask, out, err) : rc;
}

#undef SEARCH_LIMIT_DEFAULT
#undef SEARCH_LIMIT_MAX
#undef SEARCH_TASKS
#undef COUNT_STATES
