/* Tasks in SQLite: the narrow row, what is written once, idempotency keys. Not here: lists
 * (sqlite_list.c). */
#include "store/sqlite.h"

#include <string.h>

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
    sw__bind_int(&bind, row->deadline_us);
    task_bind_counts(&bind, row);
    return sw__bind_run(self, &bind, err);
}

static int task_insert_info(sw__sqlite *self, const sw__task_info *row, sw_error *err)
{
    sw__kept input;
    int rc = sw__blob_keep(self, row->input, &input, err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INFO_PUT);
    sw__bind_int(&bind, row->task_no);
    sw__bind_blob(&bind, row->input_salt, sizeof(row->input_salt));
    sw__bind_text(&bind, row->key);
    sw__bind_text(&bind, row->initiator);
    sw__bind_text(&bind, row->reason);
    sw__bind_text(&bind, row->correlation_id);
    sw__bind_text(&bind, row->tags);
    sw__bind_kept(&bind, &input);
    return sw__bind_run(self, &bind, err);
}

static int task_insert_tags(sw__sqlite *self, const sw__task_info *row, sw_error *err)
{
    size_t at = 0;
    sw_str tag;
    int rc = SW_OK;
    while (rc == SW_OK && sw__tags_next(row->tags, &at, &tag)) {
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_TAG_PUT);
        sw__bind_text(&bind, tag);
        sw__bind_int(&bind, row->task_no);
        rc = sw__bind_run(self, &bind, err);
    }
    return rc;
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
        if (rc == SW_OK)
            rc = task_insert_tags(self, &info[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

void sw__sqlite_read_task(const sw__bind *bind, sw__task_hot *row)
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
    row->deadline_us = sw__column_int(&column);
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
        row->counts[state] = sw__column_int32(&column);
    row->state_read = row->state;
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
            sw__sqlite_read_task(&bind, &rows[i]);
            sw__bind_end(&bind);
            rc = SW_OK;
        } else {
            rows[i] = (sw__task_hot){0};
        }
    }
    return rc;
}

/* 1 when there was such a row. */
static int task_update_by(sw__sqlite *self, sw__sql which, const sw__task_hot *row, sw_error *err)
{
    bool moved = which == SW__SQL_TASK_UPDATE_MOVED;
    sw__bind bind = sw__bind_start(self, which);
    sw__bind_int(&bind, row->priority);
    sw__bind_int(&bind, row->fatal);
    sw__bind_int(&bind, row->audit_segment);
    sw__bind_int(&bind, row->started_us);
    sw__bind_int(&bind, row->changed_us);
    task_bind_counts(&bind, row);
    if (!moved)
        sw__bind_int(&bind, row->task_no);
    sw__bind_int(&bind, row->workflow_no);
    sw__bind_int(&bind, row->state);
    if (moved)
        sw__bind_int(&bind, row->task_no);
    int rc = sw__bind_run(self, &bind, err);
    return rc == SW_OK ? sqlite3_changes(self->db) : rc;
}

/* SQLite rewrites an index whenever a column of it is assigned to, so the state is left alone where
 * it has not changed. What the reader was told is a hint: the row itself decides. */
static int task_update(sw__sqlite *self, const sw__task_hot *row, sw_error *err)
{
    int rc = 0;
    if (row->state == row->state_read)
        rc = task_update_by(self, SW__SQL_TASK_UPDATE, row, err);
    if (rc == 0)
        rc = task_update_by(self, SW__SQL_TASK_UPDATE_MOVED, row, err);
    if (rc == 0)
        return sw__fail(err, SW_ENOTFOUND, "task %lld is not stored", (long long)row->task_no);
    return rc < 0 ? rc : SW_OK;
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

/* Those of a range of numbers without a gap; one that is not there has no row. */
static int task_info_range(sw__sqlite *self, const int64_t *task_nos, size_t count,
                           sw__arena *arena, sw__task_info *rows, sw_error *err)
{
    int rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INFO_GET);
    sw__bind_int(&bind, task_nos[0]);
    sw__bind_int(&bind, task_nos[count - 1]);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        int64_t task_no = sqlite3_column_int64(bind.statement, 0);
        if (task_no < task_nos[0] || task_no > task_nos[count - 1]) {
            sw__bind_end(&bind);
            return sw__sqlite_fail_order(self, err);
        }
        task_read_info(&bind, arena, &rows[task_no - task_nos[0]]);
    }
    return rc;
}

int sw__sqlite_tasks_info(sw__store *store, const int64_t *task_nos, size_t count, sw__arena *arena,
                          sw__task_info *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.tasks_info", err);
    for (size_t i = 0, end; rc == SW_OK && i < count; i = end) {
        for (end = i + 1;
             end < count && (uint64_t)task_nos[end] - (uint64_t)task_nos[i] == end - i;)
            end++;
        memset(rows + i, 0, (end - i) * sizeof(*rows));
        rc = task_info_range(self, task_nos + i, end - i, arena, rows + i, err);
    }
    return rc == SW_OK && sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : rc;
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
