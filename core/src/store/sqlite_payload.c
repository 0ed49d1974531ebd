/* Results and failures in SQLite: the wide rows, apart from the state of their steps. */
#include "store/sqlite.h"

#define RESULT_PAGE_LEAST 8 /* ranges; the page costs as much as starting eight statements */

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

/* Results that were asked for, those that are there in the same order. */
typedef struct result_wanted {
    sw__payload *rows;
    size_t count;
    size_t at;
    sw__arena *arena;
} result_wanted;

static int result_visit(void *context, sw__row *row, sw_error *err)
{
    result_wanted *wanted = context;
    int64_t step_id = sw__row_int(row);
    (void)err;
    while (wanted->at < wanted->count && wanted->rows[wanted->at].step_id != step_id)
        wanted->at++;
    if (wanted->at == wanted->count)
        return SW_OK;
    sw__payload *out = &wanted->rows[wanted->at++];
    sw__row_blob(row, out->salt, sizeof(out->salt));
    out->body = sw__arena_str(wanted->arena, sw__row_text(row));
    return SW_OK;
}

/* The end of the range of keys without a gap that begins at one of them. */
static size_t result_range(const sw__payload *rows, size_t at, size_t count)
{
    for (at++; at < count; at++) {
        if ((uint64_t)rows[at].step_id - (uint64_t)rows[at - 1].step_id != 1)
            break;
    }
    return at;
}

static void result_bind(sw__bind *bind, const sw__payload *rows, size_t first, size_t end)
{
    const sw_str none = {NULL, 0};
    if (first < end) {
        sw__bind_int(bind, rows[first].step_id);
        sw__bind_int(bind, rows[end - 1].step_id);
    } else {
        sw__bind_text(bind, none);
        sw__bind_text(bind, none);
    }
}

/* One range, or as many as a page has when there are some. *at moves behind them. */
static int result_read(sw__sqlite *self, const result_wanted *all, size_t *at, sw_error *err)
{
    size_t ends[SW__RESULT_RANGE_COUNT + 1] = {*at};
    size_t ranges = 0;
    for (; ranges < SW__RESULT_RANGE_COUNT && ends[ranges] < all->count; ranges++)
        ends[ranges + 1] = result_range(all->rows, ends[ranges], all->count);
    bool page = ranges >= RESULT_PAGE_LEAST;
    size_t bound = page ? SW__RESULT_RANGE_COUNT : 1;
    sw__bind bind = sw__bind_start(self, page ? SW__SQL_RESULT_PAGE : SW__SQL_RESULT_GET);
    for (size_t i = 0; i < bound; i++)
        result_bind(&bind, all->rows, ends[i < ranges ? i : ranges],
                    ends[i < ranges ? i + 1 : ranges]);
    *at = ends[page ? ranges : 1];
    result_wanted wanted = {
        .rows = all->rows + ends[0], .count = *at - ends[0], .arena = all->arena};
    return sw__bind_each(self, &bind, result_visit, &wanted, err);
}

int sw__sqlite_results_get(sw__store *store, const int64_t *step_ids, size_t count,
                           sw__arena *arena, sw__payload *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.results_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rows[i] = (sw__payload){.step_id = step_ids[i]};
    result_wanted wanted = {.rows = rows, .count = count, .arena = arena};
    for (size_t at = 0; rc == SW_OK && at < count;)
        rc = result_read(self, &wanted, &at, err);
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

#undef RESULT_PAGE_LEAST
