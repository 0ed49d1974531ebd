/* Definitions and lanes in SQLite. */
#include "store/sqlite.h"

static int workflow_put(sw__sqlite *self, const sw__workflow_rec *row, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_WORKFLOW_PUT);
    sw__bind_int(&bind, row->workflow_no);
    sw__bind_name(&bind, row->name);
    sw__bind_name(&bind, row->version);
    sw__bind_blob(&bind, row->digest, sizeof(row->digest));
    sw__bind_name(&bind, row->json);
    sw__bind_int(&bind, row->registered_us);
    return sw__bind_run(self, &bind, err);
}

int sw__sqlite_workflows_put(sw__store *store, const sw__workflow_rec *rows, size_t count,
                             sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.workflows_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = workflow_put(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

/* The one row of a bound statement. */
static int workflow_read(sw__sqlite *self, sw__bind *bind, sw__arena *arena, sw__workflow_rec *out,
                         sw_error *err)
{
    int rc = sw__bind_next(self, bind, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return sw__fail(err, SW_ENOTFOUND, "no such workflow is registered");
    sw__column column = {.statement = bind->statement};
    out->workflow_no = sw__column_int(&column);
    out->name = sw__arena_str(arena, sw__column_text(&column));
    out->version = sw__arena_str(arena, sw__column_text(&column));
    sw__column_blob(&column, out->digest, sizeof(out->digest));
    out->json = sw__arena_str(arena, sw__column_text(&column));
    out->registered_us = sw__column_int(&column);
    sw__bind_end(bind);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__sqlite_workflow_find(sw__store *store, int64_t workflow_no, sw_str name, sw_str version,
                             sw__arena *arena, sw__workflow_rec *out, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.workflow_find", err);
    if (rc < 0)
        return rc;
    sw__bind bind =
        sw__bind_start(self, workflow_no > 0 ? SW__SQL_WORKFLOW_GET : SW__SQL_WORKFLOW_NEWEST);
    if (workflow_no > 0) {
        sw__bind_int(&bind, workflow_no);
    } else {
        sw__bind_name(&bind, name);
        sw__bind_text(&bind, version);
    }
    return workflow_read(self, &bind, arena, out, err);
}

int sw__sqlite_workflow_digest_find(sw__store *store, const uint8_t digest[32], sw__arena *arena,
                                    sw__workflow_rec *out, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.workflow_digest_find", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_WORKFLOW_DIGEST);
    sw__bind_blob(&bind, digest, 32);
    return workflow_read(self, &bind, arena, out, err);
}

int sw__sqlite_lanes_put(sw__store *store, const sw__lane_row *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.lanes_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_LANE_PUT);
        sw__bind_int(&bind, rows[i].lane);
        sw__bind_name(&bind, rows[i].queue);
        sw__bind_name(&bind, rows[i].handler);
        sw__bind_name(&bind, rows[i].breaker);
        rc = sw__bind_run(self, &bind, err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__sqlite_lanes_list(sw__store *store, int64_t above, sw__arena *arena, sw__lane_row **rows,
                          size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__buf found;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.lanes_list", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&found, store->env);
    sw__bind bind = sw__bind_start(self, SW__SQL_LANE_LIST);
    sw__bind_int(&bind, above);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__column column = {.statement = bind.statement};
        sw__lane_row row = {.lane = sw__column_int(&column)};
        row.queue = sw__arena_str(arena, sw__column_text(&column));
        row.handler = sw__arena_str(arena, sw__column_text(&column));
        row.breaker = sw__arena_str(arena, sw__column_text(&column));
        sw__buf_put(&found, &row, sizeof(row));
    }
    return sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
}
