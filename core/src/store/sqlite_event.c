/* Events of applications in SQLite. */
#include "store/sqlite.h"

static int event_write(sw__sqlite *self, const sw__event_rec *row, sw_error *err)
{
    sw__kept kept;
    int rc = sw__blob_keep(self, row->body, &kept, err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_EVENT_PUT);
    sw__bind_int(&bind, row->entry_no);
    sw__bind_int(&bind, row->task_no);
    sw__bind_name(&bind, row->type);
    sw__bind_text(&bind, row->key);
    sw__bind_text(&bind, row->correlation_id);
    sw__bind_blob(&bind, row->salt, sizeof(row->salt));
    sw__bind_kept(&bind, &kept);
    return sw__bind_run(self, &bind, err);
}

int sw__sqlite_events_put(sw__store *store, const sw__event_rec *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.events_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = event_write(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static void event_read(const sw__bind *bind, sw__arena *arena, sw__event_rec *row)
{
    sw__column column = {.statement = bind->statement};
    row->entry_no = sw__column_int(&column);
    row->task_no = sw__column_int(&column);
    row->type = sw__arena_str(arena, sw__column_text(&column));
    row->key = sw__arena_str(arena, sw__column_text(&column));
    row->correlation_id = sw__arena_str(arena, sw__column_text(&column));
    row->kept = sqlite3_column_type(bind->statement, column.at) != SQLITE_NULL;
    sw__column_blob(&column, row->salt, sizeof(row->salt));
    row->body = sw__arena_str(arena, sw__column_text(&column));
}

int sw__sqlite_events_get(sw__store *store, const int64_t *entry_nos, size_t count,
                          sw__arena *arena, sw__event_rec *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.events_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rows[i] = (sw__event_rec){0};
        sw__bind bind = sw__bind_start(self, SW__SQL_EVENT_GET);
        sw__bind_int(&bind, entry_nos[i]);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            event_read(&bind, arena, &rows[i]);
            sw__bind_end(&bind);
            rc = sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
        }
    }
    return rc;
}

int sw__sqlite_events_find(sw__store *store, sw__event_rec *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.events_find", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rows[i].entry_no = 0;
        sw__bind bind = sw__bind_start(self, SW__SQL_EVENT_FIND);
        sw__bind_int(&bind, rows[i].task_no);
        sw__bind_name(&bind, rows[i].key);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            rows[i].entry_no = sqlite3_column_int64(bind.statement, 0);
            sw__bind_end(&bind);
            rc = SW_OK;
        }
    }
    return rc;
}

static sw__sql event_scan(const sw__event_range *range)
{
    static const sw__sql statements[][2] = {
        [SW__EVENT_BY_NUMBER] = {SW__SQL_EVENT_SCAN, SW__SQL_EVENT_SCAN_FALLING},
        [SW__EVENT_BY_TYPE] = {SW__SQL_EVENT_SCAN_TYPE, SW__SQL_EVENT_SCAN_TYPE_FALLING},
        [SW__EVENT_BY_CORRELATION] = {SW__SQL_EVENT_SCAN_CORRELATION,
                                      SW__SQL_EVENT_SCAN_CORRELATION_FALLING},
    };
    return statements[range->by][range->falling];
}

int sw__sqlite_events_scan(sw__store *store, const sw__event_range *range, int64_t *entry_nos,
                           size_t limit, size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.events_scan", err);
    *count = 0;
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, event_scan(range));
    sw__bind_int(&bind, range->after);
    sw__bind_int(&bind, range->before);
    sw__bind_int(&bind, (int64_t)limit);
    if (range->by != SW__EVENT_BY_NUMBER)
        sw__bind_name(&bind, range->text);
    bool ordered = true;
    while (*count < limit && ordered && (rc = sw__bind_next(self, &bind, err)) > 0) {
        int64_t entry_no = sqlite3_column_int64(bind.statement, 0);
        ordered = entry_no > range->after && entry_no < range->before;
        entry_nos[(*count)++] = entry_no;
    }
    if (rc >= 0)
        sw__bind_end(&bind);
    if (!ordered)
        return sw__sqlite_fail_order(self, err);
    return rc < 0 ? rc : SW_OK;
}

static int event_blobs(sw__sqlite *self, int64_t task_no, sw_error *err)
{
    int rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_EVENT_BLOBS);
    sw__bind_int(&bind, task_no);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        rc = sw__blob_release(self, sqlite3_column_int64(bind.statement, 0), err);
        if (rc < 0) {
            sw__bind_end(&bind);
            return rc;
        }
    }
    return rc;
}

int sw__sqlite_events_strip(sw__sqlite *self, int64_t task_no, sw_error *err)
{
    int rc = event_blobs(self, task_no, err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_EVENT_STRIP);
    sw__bind_int(&bind, task_no);
    return sw__bind_run(self, &bind, err);
}
