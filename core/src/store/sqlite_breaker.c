/* Circuit breakers in SQLite. */
#include "store/sqlite.h"

static int breaker_put(sw__sqlite *self, const sw__breaker_rec *rec, sw_error *err)
{
    const sw_breaker_row *row = &rec->row;
    sw__bind bind = sw__bind_start(self, SW__SQL_BREAKER_PUT);
    sw__bind_int(&bind, rec->breaker_no);
    sw__bind_name(&bind, row->settings.name);
    sw__bind_int(&bind, row->settings.failure_threshold);
    sw__bind_int(&bind, row->settings.success_threshold);
    sw__bind_int(&bind, row->settings.probes);
    sw__bind_int(&bind, row->settings.open_ms);
    sw__bind_int(&bind, row->settings.max_open_ms);
    sw__bind_int(&bind, row->state);
    sw__bind_int(&bind, row->failures);
    sw__bind_int(&bind, row->successes);
    sw__bind_int(&bind, row->probing);
    sw__bind_int(&bind, row->openings);
    sw__bind_int(&bind, row->forced);
    sw__bind_int(&bind, row->until_us);
    sw__bind_int(&bind, row->changed_us);
    sw__bind_text(&bind, row->error_class);
    return sw__bind_run(self, &bind, err);
}

int sw__sqlite_breakers_put(sw__store *store, const sw__breaker_rec *rows, size_t count,
                            sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.breakers_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = breaker_put(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static void breaker_read_row(const sw__bind *bind, sw__arena *arena, sw__breaker_rec *rec)
{
    sw__column column = {.statement = bind->statement};
    sw_breaker_row *row = &rec->row;
    rec->breaker_no = sw__column_int(&column);
    row->settings.name = sw__arena_str(arena, sw__column_text(&column));
    row->settings.failure_threshold = sw__column_int32(&column);
    row->settings.success_threshold = sw__column_int32(&column);
    row->settings.probes = sw__column_int32(&column);
    row->settings.open_ms = sw__column_int(&column);
    row->settings.max_open_ms = sw__column_int(&column);
    row->state = sw__column_int32(&column);
    row->failures = sw__column_int32(&column);
    row->successes = sw__column_int32(&column);
    row->probing = sw__column_int32(&column);
    row->openings = sw__column_int32(&column);
    row->forced = sw__column_int32(&column);
    row->until_us = sw__column_int(&column);
    row->changed_us = sw__column_int(&column);
    row->error_class = sw__arena_str(arena, sw__column_text(&column));
}

int sw__sqlite_breakers_list(sw__store *store, sw__arena *arena, sw__breaker_rec **rows,
                             size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__buf found;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.breakers_list", err);
    if (rc < 0)
        return rc;
    sw__buf_init(&found, store->env);
    sw__bind bind = sw__bind_start(self, SW__SQL_BREAKER_LIST);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__breaker_rec rec = {0};
        breaker_read_row(&bind, arena, &rec);
        sw__buf_put(&found, &rec, sizeof(rec));
    }
    return sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
}
