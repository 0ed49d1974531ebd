/* Workers in SQLite. The lease, which is renewed at every exchange, lies in a row of its own: the
 * names of a worker's handlers may be long. */
#include "store/sqlite.h"

int sw__sqlite_worker_put(sw__store *store, const sw__worker_rec *row, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.worker_put", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_WORKER_PUT);
    sw__bind_int(&bind, row->worker_no);
    sw__bind_name(&bind, row->name);
    sw__bind_name(&bind, row->host);
    sw__bind_int(&bind, row->pid);
    sw__bind_blob(&bind, row->boot_id, sizeof(row->boot_id));
    sw__bind_int(&bind, row->lease_ms);
    sw__bind_int(&bind, row->watched);
    sw__bind_name(&bind, row->handlers);
    sw__bind_name(&bind, row->queues);
    rc = sw__bind_run(self, &bind, err);
    if (rc < 0)
        return rc;
    sw__bind lease = sw__bind_start(self, SW__SQL_WORKER_LEASE_PUT);
    sw__bind_int(&lease, row->worker_no);
    sw__bind_int(&lease, row->lease_until_us);
    return sw__bind_run(self, &lease, err);
}

int sw__sqlite_worker_renew(sw__store *store, int64_t worker_no, int64_t lease_until_us,
                            sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.worker_renew", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_WORKER_RENEW);
    sw__bind_int(&bind, lease_until_us);
    sw__bind_int(&bind, worker_no);
    rc = sw__bind_run(self, &bind, err);
    if (rc == SW_OK && sqlite3_changes(self->db) == 0)
        rc = sw__fail(err, SW_ENOTFOUND, "worker %lld is not open", (long long)worker_no);
    return rc;
}

int sw__sqlite_worker_delete(sw__store *store, int64_t worker_no, sw_error *err)
{
    static const sw__sql deletes[] = {SW__SQL_WORKER_DELETE, SW__SQL_WORKER_LEASE_DELETE};
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.worker_delete", err);
    for (size_t i = 0; rc == SW_OK && i < sizeof(deletes) / sizeof(deletes[0]); i++) {
        sw__bind bind = sw__bind_start(self, deletes[i]);
        sw__bind_int(&bind, worker_no);
        rc = sw__bind_run(self, &bind, err);
    }
    return rc;
}

static void worker_read(const sw__bind *bind, sw__arena *arena, sw__worker_rec *row)
{
    sw__column column = {.statement = bind->statement};
    row->worker_no = sw__column_int(&column);
    row->name = sw__arena_str(arena, sw__column_text(&column));
    row->host = sw__arena_str(arena, sw__column_text(&column));
    row->pid = sw__column_int(&column);
    sw__column_blob(&column, row->boot_id, sizeof(row->boot_id));
    row->lease_ms = sw__column_int(&column);
    row->watched = (int32_t)sw__column_int(&column);
    row->lease_until_us = sw__column_int(&column);
    row->handlers = sw__arena_str(arena, sw__column_text(&column));
    row->queues = sw__arena_str(arena, sw__column_text(&column));
}

int sw__sqlite_workers_list(sw__store *store, sw__arena *arena, sw__worker_rec **rows,
                            size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__buf found;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.workers_list", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&found, store->env);
    sw__bind bind = sw__bind_start(self, SW__SQL_WORKER_LIST);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__worker_rec row;
        worker_read(&bind, arena, &row);
        sw__buf_put(&found, &row, sizeof(row));
    }
    return sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
}
