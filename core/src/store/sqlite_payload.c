/* Results and failures in SQLite: the wide rows, apart from the state of their steps. */
#include "store/sqlite.h"

/* 1 when the row was written: there was none, or which is RESULT_REPLACE. */
static int result_write(sw__sqlite *self, sw__sql which, const sw__payload *row,
                        const sw__kept *kept, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, which);
    sw__bind_int(&bind, row->step_id);
    sw__bind_blob(&bind, row->salt, sizeof(row->salt));
    sw__bind_kept(&bind, kept);
    int rc = sw__bind_run(self, &bind, err);
    return rc == SW_OK ? sqlite3_changes(self->db) : rc;
}

/* A second result of one step is rare, and what the first one named must be given up for it. */
static int result_replace(sw__sqlite *self, const sw__payload *row, const sw__kept *kept,
                          sw_error *err)
{
    int64_t blob_no = 0;
    sw__bind bind = sw__bind_start(self, SW__SQL_RESULT_BLOB);
    sw__bind_int(&bind, row->step_id);
    int rc = sw__bind_next(self, &bind, err);
    if (rc > 0) {
        blob_no = sqlite3_column_int64(bind.statement, 0);
        sw__bind_end(&bind);
    }
    if (rc >= 0)
        rc = result_write(self, SW__SQL_RESULT_REPLACE, row, kept, err);
    return rc < 0 ? rc : sw__blob_release(self, blob_no, err);
}

static int result_keep(sw__sqlite *self, const sw__payload *row, sw_error *err)
{
    sw__kept kept;
    int rc = sw__blob_keep(self, row->body, &kept, err);
    if (rc < 0)
        return rc;
    rc = result_write(self, SW__SQL_RESULT_PUT, row, &kept, err);
    if (rc == 0)
        return result_replace(self, row, &kept, err);
    return rc < 0 ? rc : SW_OK;
}

int sw__sqlite_results_put(sw__store *store, const sw__payload *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.results_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = result_keep(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static void result_read(const sw__bind *bind, sw__arena *arena, sw__payload *row)
{
    sw__column column = {.statement = bind->statement, .at = 1};
    sw__column_blob(&column, row->salt, sizeof(row->salt));
    row->body = sw__arena_str(arena, sw__column_text(&column));
}

static int result_get(sw__sqlite *self, sw__arena *arena, sw__payload *row, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_RESULT_GET);
    sw__bind_int(&bind, row->step_id);
    int rc = sw__bind_next(self, &bind, err);
    if (rc != 1)
        return rc;
    result_read(&bind, arena, row);
    sw__bind_end(&bind);
    return SW_OK;
}

/* Those that are there come in the order in which they were asked for. */
static int result_page(sw__sqlite *self, sw__arena *arena, sw__payload *rows, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_RESULT_PAGE);
    for (size_t i = 0; i < SW__RESULT_KEY_COUNT; i++)
        sw__bind_int(&bind, rows[i].step_id);
    int rc;
    size_t at = 0;
    while ((rc = sw__bind_next(self, &bind, err)) == 1) {
        int64_t step_id = sqlite3_column_int64(bind.statement, 0);
        while (at < SW__RESULT_KEY_COUNT && rows[at].step_id != step_id)
            at++;
        if (at < SW__RESULT_KEY_COUNT)
            result_read(&bind, arena, &rows[at++]);
    }
    return rc;
}

int sw__sqlite_results_get(sw__store *store, const int64_t *step_ids, size_t count,
                           sw__arena *arena, sw__payload *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.results_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rows[i] = (sw__payload){.step_id = step_ids[i]};
    for (size_t i = 0; rc == SW_OK && i < count;) {
        bool page = count - i >= SW__RESULT_KEY_COUNT;
        rc =
            page ? result_page(self, arena, &rows[i], err) : result_get(self, arena, &rows[i], err);
        i += page ? SW__RESULT_KEY_COUNT : 1;
    }
    return rc == SW_OK && sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : rc;
}

int sw__sqlite_failures_put(sw__store *store, const sw__failure *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.failures_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_FAILURE_PUT);
        sw__bind_int(&bind, rows[i].step_id);
        sw__bind_int(&bind, rows[i].epoch);
        sw__bind_blob(&bind, rows[i].salt, sizeof(rows[i].salt));
        sw__bind_text(&bind, rows[i].error_class);
        sw__bind_text(&bind, rows[i].message);
        sw__bind_text(&bind, rows[i].detail);
        rc = sw__bind_run(self, &bind, err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static void failure_read(const sw__bind *bind, sw__arena *arena, sw__failure *row)
{
    sw__column column = {.statement = bind->statement};
    row->step_id = sw__column_int(&column);
    row->epoch = sw__column_int(&column);
    sw__column_blob(&column, row->salt, sizeof(row->salt));
    row->error_class = sw__arena_str(arena, sw__column_text(&column));
    row->message = sw__arena_str(arena, sw__column_text(&column));
    row->detail = sw__arena_str(arena, sw__column_text(&column));
}

int sw__sqlite_failures_get(sw__store *store, const int64_t *step_ids, size_t count,
                            sw__arena *arena, sw__failure *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.failures_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rows[i] = (sw__failure){.step_id = step_ids[i]};
        sw__bind bind = sw__bind_start(self, SW__SQL_FAILURE_GET);
        sw__bind_int(&bind, step_ids[i]);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            failure_read(&bind, arena, &rows[i]);
            sw__bind_end(&bind);
            rc = sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
        }
    }
    return rc;
}
