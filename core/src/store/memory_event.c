/* Events of applications in memory. Ranges by type and correlation id are walked along the numbers:
 * what is in memory is short. */
#include "base/str.h"
#include "store/memory.h"

static void event_scope(sw__buf *buf, int64_t task_no, sw_str key)
{
    sw__buf_put(buf, &task_no, sizeof(task_no));
    sw__buf_put_str(buf, key);
}

static sw__memory_event *event_make(const sw_env *env, const sw__event_rec *row, sw_str scope)
{
    sw__block block = {0};
    const sw_str texts[] = {row->type, row->key, row->correlation_id, row->body, scope};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        sw__block_need(&block, texts[i]);
    sw__memory_event *made = sw__block_make(&block, env, sizeof(*made));
    if (!made)
        return NULL;
    made->row = *row;
    made->row.kept = true;
    made->row.type = sw__block_copy_name(&block, row->type);
    made->row.key = sw__block_copy(&block, row->key);
    made->row.correlation_id = sw__block_copy(&block, row->correlation_id);
    made->row.body = sw__block_copy(&block, row->body);
    made->by_key.key = sw__block_copy(&block, scope);
    return made;
}

static void event_link(sw__memory *self, sw__memory_event *made)
{
    sw__index_add(&self->event_keys, &made->by_key, made->by_key.key, made);
    sw__undo_note(self, (sw__undo){
                            .kind = SW__UNDO_LINKED,
                            .where = &self->event_keys,
                            .row = &made->by_key,
                        });
}

static int event_add(sw__memory *self, const sw__event_rec *row, sw_str scope, sw_error *err)
{
    const sw_env *env = self->base.env;
    if (sw__table_find(&self->events, row->entry_no) ||
        (scope.ptr && sw__index_find(&self->event_keys, scope)))
        return sw__fail(err, SW_ECONFLICT, "event %lld is already stored",
                        (long long)row->entry_no);
    if (sw__undo_reserve(self, 3, 0) < 0 || sw__table_reserve(&self->events, env) < 0 ||
        (scope.ptr && sw__index_reserve(&self->event_keys, env) < 0))
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_event *made = event_make(env, row, scope);
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__table_add(&self->events, row->entry_no, made);
    sw__undo_note(self,
                  (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->events, .key = row->entry_no});
    if (scope.ptr)
        event_link(self, made);
    return SW_OK;
}

static int event_put(sw__memory *self, const sw__event_rec *row, sw_error *err)
{
    sw__buf scope;
    if (!row->key.ptr)
        return event_add(self, row, (sw_str){NULL, 0}, err);
    sw__buf_init(&scope, self->base.env);
    event_scope(&scope, row->task_no, row->key);
    int rc = scope.failed ? sw__fail(err, SW_ENOMEM, NULL)
                          : event_add(self, row, sw__buf_str(&scope), err);
    sw__buf_free(&scope);
    return rc;
}

int sw__memory_events_put(sw__store *store, const sw__event_rec *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.events_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = event_put(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__memory_events_get(sw__store *store, const int64_t *entry_nos, size_t count,
                          sw__arena *arena, sw__event_rec *rows, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.events_get", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const sw__memory_event *event = sw__table_find(&self->events, entry_nos[i]);
        rows[i] = (sw__event_rec){0};
        if (!event)
            continue;
        rows[i] = event->row;
        rows[i].type = sw__arena_str(arena, event->row.type);
        rows[i].key = sw__arena_str(arena, event->row.key);
        rows[i].correlation_id = sw__arena_str(arena, event->row.correlation_id);
        rows[i].body = sw__arena_str(arena, event->row.body);
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__memory_events_find(sw__store *store, sw__event_rec *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    sw__buf scope;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.events_find", err);
    sw__buf_init(&scope, store->env);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__buf_clear(&scope);
        event_scope(&scope, rows[i].task_no, rows[i].key);
        if (scope.failed) {
            rc = sw__fail(err, SW_ENOMEM, NULL);
            break;
        }
        const sw__memory_event *event = sw__index_find(&self->event_keys, sw__buf_str(&scope));
        rows[i].entry_no = event ? event->row.entry_no : 0;
    }
    sw__buf_free(&scope);
    return rc;
}

static bool event_matches(const sw__event_range *range, const sw__event_rec *row)
{
    if (range->by == SW__EVENT_BY_TYPE)
        return sw__str_equal(row->type, range->text);
    if (range->by == SW__EVENT_BY_CORRELATION)
        return row->correlation_id.ptr && sw__str_equal(row->correlation_id, range->text);
    return true;
}

int sw__memory_events_scan(sw__store *store, const sw__event_range *range, int64_t *entry_nos,
                           size_t limit, size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.events_scan", err);
    *count = 0;
    if (rc < 0 || range->before <= range->after)
        return rc;
    size_t first = sw__table_seek(&self->events, range->after + 1);
    size_t end = sw__table_seek(&self->events, range->before);
    for (size_t i = first; i < end && *count < limit; i++) {
        const sw__memory_event *event =
            self->events.items[range->falling ? first + end - 1 - i : i].row;
        if (event_matches(range, &event->row))
            entry_nos[(*count)++] = event->row.entry_no;
    }
    return SW_OK;
}

static int event_strip(sw__memory *self, sw__memory_event *event, sw_error *err)
{
    sw__event_rec *row = &event->row;
    if (sw__undo_reserve(self, 2, sizeof(*row)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (row->key.ptr) {
        sw__undo_note(self, (sw__undo){
                                .kind = SW__UNDO_CUT,
                                .where = &self->event_keys,
                                .row = &event->by_key,
                            });
        sw__index_remove(&self->event_keys, &event->by_key);
    }
    sw__undo_bytes(self, row, sizeof(*row));
    *row = (sw__event_rec){.entry_no = row->entry_no, .task_no = row->task_no, .type = row->type};
    return SW_OK;
}

int sw__memory_events_strip(sw__memory *self, int64_t task_no, sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < self->events.count; i++) {
        sw__memory_event *event = self->events.items[i].row;
        if (event->row.task_no == task_no && event->row.kept)
            rc = event_strip(self, event, err);
    }
    return rc;
}
