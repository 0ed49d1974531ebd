/* Pages of events: from the histories of some tasks, from an index, or from the log itself.
 *
 * A time is made into a position first, so that everything else goes by positions. Where an event
 * may come from several places (the tasks of a correlation id, and events with one of their own),
 * all are gathered, put in order, and cut. Not here: appending (append.c), waiting (listen.c).
 */
#include "audit/event.h"

#include <stdlib.h>

#include "audit/scan.h"
#include "engine/event.h"
#include "engine/query.h"

#define EVENT_LIMIT_DEFAULT 100
#define EVENT_LIMIT_MAX 10000
#define EVENT_TYPES_MAX 1000

typedef struct event_page {
    sw_engine *engine;
    const sw_event_filter *filter;
    sw__arena *arena;
    size_t limit;
    int64_t after; /* of the filter, less what its times leave out */
    int64_t before;
    sw__buf rows;   /* sw__event_found */
    size_t target;  /* the walk may end at so many rows */
    bool own_types; /* all types are of applications */
} event_page;

/* Checks. */

static int event_check_types(const sw_event_filter *filter, sw_error *err)
{
    if (!filter->types && filter->type_count > 0)
        return sw__fail(err, SW_EINVAL, "types is NULL");
    if (filter->type_count > EVENT_TYPES_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d types", EVENT_TYPES_MAX);
    for (size_t i = 0; i < filter->type_count; i++) {
        if (!sw__str_is_name(filter->types[i]))
            return sw__fail_row(err, SW_EINVAL, i, "type %zu is no name of a type", i);
    }
    return SW_OK;
}

static int event_check(const sw_event_filter *filter, sw_error *err)
{
    if (!filter || filter->size < sizeof *filter)
        return sw__fail(err, SW_EINVAL, "filter must start with SW_EVENT_FILTER_INIT");
    if (filter->limit < 0 || filter->limit > EVENT_LIMIT_MAX)
        return sw__fail(err, SW_EINVAL, "limit %lld is not within 0 and %d",
                        (long long)filter->limit, EVENT_LIMIT_MAX);
    if (filter->after < 0 || filter->before < 0 || filter->after_us < 0 || filter->before_us < 0)
        return sw__fail(err, SW_EINVAL, "a position or a time is negative");
    return event_check_types(filter, err);
}

/* Gathering. */

static bool event_wants(const event_page *page, const sw_audit_entry *entry)
{
    static const sw_uuid any = {{0}};
    const sw_event_filter *filter = page->filter;
    if (memcmp(&filter->task_id, &any, sizeof any) != 0 &&
        memcmp(&filter->task_id, &entry->task_id, sizeof any) != 0)
        return false;
    sw_str type = sw__event_type(entry);
    bool wanted = filter->type_count == 0;
    for (size_t i = 0; !wanted && i < filter->type_count; i++)
        wanted = sw__str_equal(filter->types[i], type);
    return wanted;
}

static int event_take(void *context, int64_t task_no, const sw_audit_entry *entry, sw_error *err)
{
    event_page *page = context;
    if (!event_wants(page, entry))
        return SW_OK;
    sw__event_found found = {.task_no = task_no, .event = {.entry = *entry}};
    sw_audit_entry *row = &found.event.entry;
    sw_str *const texts[] = {&row->step, &row->actor, &row->reason, &row->subject, &row->digest};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = sw__arena_str(page->arena, *texts[i]);
    found.event.type = sw__event_type(row);
    sw__buf_put(&page->rows, &found, sizeof found);
    if (page->rows.failed || sw__arena_failed(page->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    return page->rows.len / sizeof found >= page->target;
}

static sw__stream event_stream(const event_page *page)
{
    return (sw__stream){.store = page->engine->store, .after = page->after, .before = page->before};
}

/* A history leads backwards: oldest first, all of it behind the position is gathered. */
static int event_task(event_page *page, const sw__task_hot *task, sw_error *err)
{
    sw__stream stream = event_stream(page);
    size_t have = page->rows.len / sizeof(sw__event_found);
    stream.task_no = task->task_no;
    stream.segment_no = task->audit_segment;
    page->target = page->filter->newest_first ? have + page->limit : SIZE_MAX;
    return sw__stream_back(&stream, event_take, page, err);
}

static int event_log(event_page *page, sw_error *err)
{
    sw__stream stream = event_stream(page);
    page->target = page->limit;
    if (!page->filter->newest_first)
        return sw__stream_forth(&stream, event_take, page, err);
    int rc = sw__stream_seek(page->engine->store, page->before - 1, &stream.segment_no, err);
    return rc == SW_OK ? sw__stream_back(&stream, event_take, page, err) : rc;
}

static int event_compare_numbers(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Up to limit numbers that an index has. With types to be looked at, too, all of them. */
static int event_index(event_page *page, sw__event_by by, sw_str text, size_t limit, sw_error *err)
{
    size_t count = limit;
    int rc = SW_OK;
    sw__store *store = page->engine->store;
    sw__event_range range = {
        .by = by,
        .falling = page->filter->newest_first,
        .text = text,
        .after = page->after,
        .before = page->before,
    };
    bool all = by != SW__EVENT_BY_TYPE && page->filter->type_count > 0;
    int64_t *numbers = sw__arena_array_raw(page->arena, limit, sizeof *numbers);
    if (!numbers)
        return sw__fail(err, SW_ENOMEM, NULL);
    page->target = SIZE_MAX;
    do {
        rc = store->ops->events_scan(store, &range, numbers, limit, &count, err);
        if (rc < 0 || count == 0)
            return rc;
        if (range.falling)
            range.before = numbers[count - 1];
        else
            range.after = numbers[count - 1];
        qsort(numbers, count, sizeof *numbers, event_compare_numbers);
        rc = sw__stream_pick(store, numbers, count, event_take, page, err);
    } while (rc == SW_OK && all && count == limit);
    return rc;
}

static int event_types(event_page *page, sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < page->filter->type_count; i++)
        rc = event_index(page, SW__EVENT_BY_TYPE, page->filter->types[i], page->limit, err);
    return rc;
}

static int event_correlated(event_page *page, sw_error *err)
{
    sw__map tasks;
    sw__store *store = page->engine->store;
    sw__map_init(&tasks, page->engine->env);
    int rc = sw__search_correlated(page->engine, page->filter->correlation_id, &tasks, err);
    for (size_t i = 0; rc == SW_OK && i < tasks.capacity; i++) {
        sw__task_hot task = {0};
        if (!tasks.slots[i].used)
            continue;
        rc = store->ops->tasks_get(store, &tasks.slots[i].key, 1, &task, err);
        if (rc == SW_OK && task.task_no > 0)
            rc = event_task(page, &task, err);
    }
    sw__map_free(&tasks);
    return rc == SW_OK ? event_index(page, SW__EVENT_BY_CORRELATION, page->filter->correlation_id,
                                     page->limit, err)
                       : rc;
}

/* A task that was pruned is known to the log alone. */
static int event_of_task(event_page *page, sw_error *err)
{
    sw__task_hot task = {0};
    const sw__plan *plan = NULL;
    int rc = sw__query_task(page->engine, &page->filter->task_id, &task, &plan, err);
    if (rc == SW_ENOTFOUND) {
        sw__error_clear(err);
        return event_log(page, err);
    }
    return rc == SW_OK ? event_task(page, &task, err) : rc;
}

static int event_gather(event_page *page, sw_error *err)
{
    static const sw_uuid any = {{0}};
    if (page->filter->correlation_id.ptr)
        return event_correlated(page, err);
    if (memcmp(&page->filter->task_id, &any, sizeof any) != 0)
        return event_of_task(page, err);
    return page->own_types ? event_types(page, err) : event_log(page, err);
}

/* The times of the filter as positions; *nothing: no event can match. */
static int event_bounds(event_page *page, bool *nothing, sw_error *err)
{
    int64_t number = 0;
    const sw_event_filter *filter = page->filter;
    sw__store *store = page->engine->store;
    page->after = filter->after;
    page->before = filter->before > 0 ? filter->before : INT64_MAX;
    *nothing = false;
    int rc = SW_OK;
    if (filter->after_us > 0) {
        rc = sw__scan_begin(store, filter->after_us, &number, err);
        *nothing = number == 0;
        page->after = number > page->after ? number - 1 : page->after;
    }
    if (rc == SW_OK && filter->before_us > 0) {
        rc = sw__scan_begin(store, filter->before_us, &number, err);
        page->before = number > 0 && number < page->before ? number : page->before;
    }
    return rc;
}

/* Order. */

static int event_compare(const void *a, const void *b)
{
    const sw__event_found *left = a;
    const sw__event_found *right = b;
    return event_compare_numbers(&left->event.entry.entry_no, &right->event.entry.entry_no);
}

/* In the order that is asked for, each once, no more than the limit. */
static size_t event_order(const event_page *page)
{
    sw__event_found *rows = (sw__event_found *)(void *)page->rows.ptr;
    size_t count = page->rows.len / sizeof *rows;
    size_t kept = 0;
    if (count > 1)
        qsort(rows, count, sizeof *rows, event_compare);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || rows[i].event.entry.entry_no != rows[kept - 1].event.entry.entry_no)
            rows[kept++] = rows[i];
    }
    size_t cut = kept < page->limit ? kept : page->limit;
    if (!page->filter->newest_first)
        return cut;
    for (size_t i = 0; i < kept / 2; i++) {
        const sw__event_found other = rows[i];
        rows[i] = rows[kept - 1 - i];
        rows[kept - 1 - i] = other;
    }
    return cut;
}

static int event_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    event_page page = {.engine = engine, .filter = context, .arena = result->arena};
    bool nothing = false;
    page.limit = page.filter->limit ? (size_t)page.filter->limit : EVENT_LIMIT_DEFAULT;
    page.own_types = page.filter->type_count > 0;
    for (size_t i = 0; i < page.filter->type_count; i++)
        page.own_types = page.own_types && !sw__event_type_reserved(page.filter->types[i]);
    sw__buf_init(&page.rows, engine->env);
    int rc = event_bounds(&page, &nothing, err);
    if (rc == SW_OK && !nothing && page.before > page.after + 1)
        rc = event_gather(&page, err);
    size_t count = rc == SW_OK ? event_order(&page) : 0;
    sw_event *rows = sw__arena_array(result->arena, count, sizeof *rows);
    const sw__event_found *found = (const sw__event_found *)(const void *)page.rows.ptr;
    for (size_t i = 0; rc == SW_OK && rows && i < count; i++) {
        rows[i] = found[i].event;
        rc = sw__event_data(engine, result->arena, found[i].task_no, &rows[i], err);
    }
    sw__result_set(result, SW__EVENTS, rows, rows ? count : 0);
    sw__buf_free(&page.rows);
    return rc;
}

int sw_event_list(sw_engine *engine, const sw_event_filter *filter, sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    int rc = event_check(filter, err);
    return rc == SW_OK ? sw__query(engine, event_fill, filter, out, err) : rc;
}

#undef EVENT_LIMIT_DEFAULT
#undef EVENT_LIMIT_MAX
#undef EVENT_TYPES_MAX
