/* Projections in SQLite: position and state in one row. */
#include "base/str.h"
#include "store/sqlite.h"

int sw__sqlite_projection_put(sw__store *store, const sw_projection *row, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.projection_put", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_PROJECTION_PUT);
    sw__bind_name(&bind, row->name);
    sw__bind_name(&bind, row->version);
    sw__bind_int(&bind, row->epoch);
    sw__bind_int(&bind, row->position);
    sw__bind_int(&bind, row->changed_us);
    sw__bind_text(&bind, row->state);
    return sw__bind_run(self, &bind, err);
}

static void projection_read(const sw__bind *bind, sw__arena *arena, sw_projection *row)
{
    sw__column column = {.statement = bind->statement};
    row->name = sw__arena_str(arena, sw__column_text(&column));
    row->version = sw__arena_str(arena, sw__column_text(&column));
    row->epoch = sw__column_int(&column);
    row->position = sw__column_int(&column);
    row->changed_us = sw__column_int(&column);
    row->state = sw__arena_str(arena, sw__column_text(&column));
}

int sw__sqlite_projection_find(sw__store *store, sw_str name, sw__arena *arena, sw_projection *out,
                               sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.projection_find", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_PROJECTION_FIND);
    sw__bind_name(&bind, name);
    rc = sw__bind_next(self, &bind, err);
    if (rc == 0)
        return sw__fail(err, SW_ENOTFOUND, "there is no projection \"%.*s\"", SW__FMT(name));
    if (rc < 0)
        return rc;
    projection_read(&bind, arena, out);
    sw__bind_end(&bind);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__sqlite_projections_list(sw__store *store, sw__arena *arena, sw_projection **rows,
                                size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__buf found;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.projections_list", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&found, store->env);
    sw__bind bind = sw__bind_start(self, SW__SQL_PROJECTION_LIST);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw_projection row = {0};
        projection_read(&bind, arena, &row);
        sw__buf_put(&found, &row, sizeof(row));
    }
    return sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
}

int sw__sqlite_projection_delete(sw__store *store, sw_str name, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.projection_delete", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_PROJECTION_DELETE);
    sw__bind_name(&bind, name);
    rc = sw__bind_run(self, &bind, err);
    if (rc == SW_OK && sqlite3_changes(self->db) == 0)
        return sw__fail(err, SW_ENOTFOUND, "there is no projection \"%.*s\"", SW__FMT(name));
    return rc;
}

int sw__sqlite_projections_forget(sw__sqlite *self, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_PROJECTION_FORGET);
    return sw__bind_run(self, &bind, err);
}
