/* The anchor of the store's clock, and the counters, in SQLite. */
#include "store/sqlite.h"

#include "base/plant.h"

int sw__sqlite_anchor_get(sw__store *store, sw__anchor *out, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.anchor_get", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_ANCHOR_GET);
    rc = sw__bind_next(self, &bind, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return sw__fail(err, SW_ENOTFOUND, "the clock of this store has no anchor yet");
    sw__column column = {.statement = bind.statement};
    sw__column_blob(&column, out->boot_id, sizeof(out->boot_id));
    out->boot_us = sw__column_int(&column);
    out->base_us = sw__column_int(&column);
    sw__bind_end(&bind);
    return SW_OK;
}

int sw__sqlite_anchor_put(sw__store *store, const sw__anchor *anchor, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.anchor_put", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_ANCHOR_PUT);
    sw__bind_blob(&bind, anchor->boot_id, sizeof(anchor->boot_id));
    sw__bind_int(&bind, anchor->boot_us);
    sw__bind_int(&bind, anchor->base_us);
    return sw__bind_run(self, &bind, err);
}

static int number_next(sw__sqlite *self, sw__sequence sequence, int64_t *next, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_SEQUENCE_GET);
    sw__bind_int(&bind, sequence);
    int rc = sw__bind_next(self, &bind, err);
    if (rc < 0)
        return rc;
    *next = rc == 0 ? sw__sequence_start(sequence) : sqlite3_column_int64(bind.statement, 0);
    sw__bind_end(&bind);
    return SW_OK;
}

int sw__sqlite_sequence_take(sw__store *store, sw__sequence sequence, int64_t count, int64_t *first,
                             sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int64_t next = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.sequence_take", err);
    if (rc == SW_OK)
        rc = number_next(self, sequence, &next, err);
    if (rc < 0)
        return rc;
    *first = next;
    rc = sw__sequence_advance(&next, count, err);
    if (rc < 0 || (sequence == SW__SEQUENCE_WORKER && SW__PLANT(NUMBER_REUSED)))
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_SEQUENCE_PUT);
    sw__bind_int(&bind, sequence);
    sw__bind_int(&bind, next);
    return sw__bind_run(self, &bind, err);
}
