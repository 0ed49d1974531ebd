/* Deadlines in SQLite: a table apart, which is empty where no workflow has one. */
#include "store/sqlite.h"

static int due_write(sw__sqlite *self, const sw__deadline *row, sw_error *err)
{
    sw__bind bind =
        sw__bind_start(self, row->due_us ? SW__SQL_DEADLINE_PUT : SW__SQL_DEADLINE_DELETE);
    sw__bind_int(&bind, row->subject);
    if (row->due_us)
        sw__bind_int(&bind, row->due_us);
    return sw__bind_run(self, &bind, err);
}

int sw__sqlite_deadlines_put(sw__store *store, const sw__deadline *rows, size_t count,
                             sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.deadlines_put", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = due_write(self, &rows[i], err);
    return rc;
}

int sw__sqlite_deadlines_get(sw__store *store, const int64_t *subjects, size_t count,
                             int64_t *due_us, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.deadlines_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_DEADLINE_GET);
        sw__bind_int(&bind, subjects[i]);
        rc = sw__bind_next(self, &bind, err);
        due_us[i] = rc > 0 ? sqlite3_column_int64(bind.statement, 0) : 0;
        if (rc > 0)
            sw__bind_end(&bind);
        rc = rc > 0 ? SW_OK : rc;
    }
    return rc;
}

int sw__sqlite_deadlines_due(sw__store *store, int64_t due_max, sw__deadline *rows, size_t limit,
                             size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    *count = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.deadlines_due", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_DEADLINE_DUE);
    sw__bind_int(&bind, due_max);
    sw__bind_int(&bind, (int64_t)limit);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__column column = {.statement = bind.statement};
        rows[*count].subject = sw__column_int(&column);
        rows[*count].due_us = sw__column_int(&column);
        ++*count;
    }
    return rc;
}
