/* Tasks in SQLite: the narrow row, what is written once, idempotency keys, lists. */
#include "store/sqlite.h"

#include <string.h>

#include "base/json.h"
#include "base/plant.h"

static void task_bind_counts(sw__bind *bind, const sw__task_hot *row)
{
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
        sw__bind_int(bind, row->counts[state]);
}

static int task_insert_hot(sw__sqlite *self, const sw__task_hot *row, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INSERT);
    sw__bind_int(&bind, row->task_no);
    sw__bind_blob(&bind, row->task_id.bytes, sizeof(row->task_id.bytes));
    sw__bind_int(&bind, row->workflow_no);
    sw__bind_int(&bind, row->state);
    sw__bind_int(&bind, row->priority);
    sw__bind_int(&bind, row->fatal);
    sw__bind_int(&bind, row->audit_segment);
    sw__bind_int(&bind, row->created_us);
    sw__bind_int(&bind, row->started_us);
    sw__bind_int(&bind, row->changed_us);
    task_bind_counts(&bind, row);
    return sw__bind_run(self, &bind, err);
}

static int task_insert_info(sw__sqlite *self, const sw__task_info *row, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INFO_PUT);
    sw__bind_int(&bind, row->task_no);
    sw__bind_blob(&bind, row->input_salt, sizeof(row->input_salt));
    sw__bind_text(&bind, row->key);
    sw__bind_text(&bind, row->initiator);
    sw__bind_text(&bind, row->reason);
    sw__bind_text(&bind, row->correlation_id);
    sw__bind_text(&bind, row->tags);
    sw__bind_text(&bind, row->input);
    return sw__bind_run(self, &bind, err);
}

int sw__sqlite_tasks_insert(sw__store *store, const sw__task_hot *hot, const sw__task_info *info,
                            size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.tasks_insert", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = task_insert_hot(self, &hot[i], err);
        if (rc == SW_OK)
            rc = task_insert_info(self, &info[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static void task_read_hot(const sw__bind *bind, sw__task_hot *row)
{
    sw__column column = {.statement = bind->statement};
    row->task_no = sw__column_int(&column);
    sw__column_blob(&column, row->task_id.bytes, sizeof(row->task_id.bytes));
    row->workflow_no = sw__column_int(&column);
    row->state = sw__column_int32(&column);
    row->priority = sw__column_int32(&column);
    row->fatal = sw__column_int32(&column);
    row->audit_segment = sw__column_int(&column);
    row->created_us = sw__column_int(&column);
    row->started_us = sw__column_int(&column);
    row->changed_us = sw__column_int(&column);
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
        row->counts[state] = sw__column_int32(&column);
}

int sw__sqlite_tasks_get(sw__store *store, const int64_t *task_nos, size_t count,
                         sw__task_hot *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_GET);
        sw__bind_int(&bind, task_nos[i]);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            task_read_hot(&bind, &rows[i]);
            sw__bind_end(&bind);
            rc = SW_OK;
        } else {
            rows[i] = (sw__task_hot){0};
        }
    }
    return rc;
}

static int task_update(sw__sqlite *self, const sw__task_hot *row, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_UPDATE);
    sw__bind_int(&bind, row->workflow_no);
    sw__bind_int(&bind, row->state);
    sw__bind_int(&bind, row->priority);
    sw__bind_int(&bind, row->fatal);
    sw__bind_int(&bind, row->audit_segment);
    sw__bind_int(&bind, row->started_us);
    sw__bind_int(&bind, row->changed_us);
    task_bind_counts(&bind, row);
    sw__bind_int(&bind, row->task_no);
    int rc = sw__bind_run(self, &bind, err);
    if (rc == SW_OK && sqlite3_changes(self->db) == 0)
        rc = sw__fail(err, SW_ENOTFOUND, "task %lld is not stored", (long long)row->task_no);
    return rc;
}

int sw__sqlite_tasks_update(sw__store *store, const sw__task_hot *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.tasks_update", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = task_update(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static void task_read_info(const sw__bind *bind, sw__arena *arena, sw__task_info *row)
{
    sw__column column = {.statement = bind->statement};
    row->task_no = sw__column_int(&column);
    sw__column_blob(&column, row->input_salt, sizeof(row->input_salt));
    row->key = sw__arena_str(arena, sw__column_text(&column));
    row->initiator = sw__arena_str(arena, sw__column_text(&column));
    row->reason = sw__arena_str(arena, sw__column_text(&column));
    row->correlation_id = sw__arena_str(arena, sw__column_text(&column));
    row->tags = sw__arena_str(arena, sw__column_text(&column));
    row->input = sw__arena_str(arena, sw__column_text(&column));
}

int sw__sqlite_tasks_info(sw__store *store, const int64_t *task_nos, size_t count, sw__arena *arena,
                          sw__task_info *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_info", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rows[i] = (sw__task_info){0};
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INFO_GET);
        sw__bind_int(&bind, task_nos[i]);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            task_read_info(&bind, arena, &rows[i]);
            sw__bind_end(&bind);
            rc = sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
        }
    }
    return rc;
}

int sw__sqlite_tasks_find(sw__store *store, const sw_uuid *ids, size_t count, int64_t *task_nos,
                          sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_find", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        task_nos[i] = 0;
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_FIND);
        sw__bind_blob(&bind, ids[i].bytes, sizeof(ids[i].bytes));
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            task_nos[i] = sqlite3_column_int64(bind.statement, 0);
            sw__bind_end(&bind);
            rc = SW_OK;
        }
    }
    return rc;
}

int sw__sqlite_task_keys_put(sw__store *store, const sw__task_key *rows, size_t count,
                             sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.task_keys_put", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_KEY_PUT);
        sw__bind_blob(&bind, rows[i].scope.ptr, rows[i].scope.len);
        sw__bind_int(&bind, rows[i].task_no);
        sw__bind_blob(&bind, rows[i].input_digest, sizeof(rows[i].input_digest));
        rc = sw__bind_run(self, &bind, err);
    }
    return rc;
}

int sw__sqlite_task_keys_find(sw__store *store, sw__task_key *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.task_keys_find", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rows[i].task_no = 0;
        memset(rows[i].input_digest, 0, sizeof(rows[i].input_digest));
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_KEY_FIND);
        sw__bind_blob(&bind, rows[i].scope.ptr, rows[i].scope.len);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            sw__column column = {.statement = bind.statement};
            rows[i].task_no = sw__column_int(&column);
            sw__column_blob(&column, rows[i].input_digest, sizeof(rows[i].input_digest));
            sw__bind_end(&bind);
            rc = SW_OK;
        }
    }
    return rc;
}

/* Bind a filter; needle keeps the tag in the form in which it stands in the row. */
static void task_bind_filter(sw__bind *bind, const sw_task_filter *filter, sw__buf *needle)
{
    if (filter->tag.ptr)
        sw__json_put_str(needle, filter->tag);
    if (needle->failed)
        bind->rc = SQLITE_NOMEM;
    sw__bind_int(bind, SW__PLANT(LIST_FILTER) ? -1 : filter->state);
    sw__bind_text(bind, filter->workflow);
    sw__bind_text(bind, filter->tag.ptr ? sw__buf_str(needle) : filter->tag);
    if (filter->correlation_id.ptr)
        sw__bind_text(bind, filter->correlation_id);
    else
        bind->at++;
}

static void task_bind_range(sw__bind *bind, sw__task_range range)
{
    sw__bind_int(bind, range.above > 0 ? range.above : INT64_MIN);
    sw__bind_int(bind, range.below > 0 ? range.below - SW__PLANT(LIST_LEAVES_OUT) : INT64_MAX);
}

int sw__sqlite_tasks_list(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                          sw__arena *arena, sw__task_hot **rows, size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__buf needle;
    sw__buf found;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_list", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&needle, store->env);
    sw__buf_init(&found, store->env);
    sw__bind bind = sw__bind_start(self, filter->correlation_id.ptr ? SW__SQL_TASK_LIST_CORRELATED
                                                                    : SW__SQL_TASK_LIST);
    task_bind_filter(&bind, filter, &needle);
    task_bind_range(&bind, range);
    sw__bind_int(&bind, sw__filter_limit(filter));
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__task_hot row;
        task_read_hot(&bind, &row);
        sw__buf_put(&found, &row, sizeof(row));
    }
    rc = sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
    sw__buf_free(&needle);
    return rc;
}

int sw__sqlite_tasks_count(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                           int64_t counts[SW_TASK_STATE_COUNT], sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__buf needle;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_count", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&needle, store->env);
    sw__bind bind = sw__bind_start(self, filter->correlation_id.ptr ? SW__SQL_TASK_COUNT_CORRELATED
                                                                    : SW__SQL_TASK_COUNT);
    task_bind_filter(&bind, filter, &needle);
    task_bind_range(&bind, range);
    rc = sw__bind_next(self, &bind, err);
    if (rc == 1) {
        sw__column column = {.statement = bind.statement, .at = 1};
        for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
            counts[state] = sw__column_int(&column);
        sw__bind_end(&bind);
        rc = SW_OK;
    }
    sw__buf_free(&needle);
    return rc;
}
