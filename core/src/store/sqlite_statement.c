/* Preparing statements once, and running them without allocation.
 *
 * Not here: which statement a verb runs, and transactions.
 */
#include "store/sqlite.h"

#include <string.h>

static const char *const sqlite_texts[] = {
#define SW__SQL_TEXT(name, text) text,
    SW__SQL_MAP(SW__SQL_TEXT)
#undef SW__SQL_TEXT
};

const char *sw__sql_text(sw__sql which)
{
    return sqlite_texts[which];
}

static int statement_prepare(sw__sqlite *self, sw__sql which)
{
    return sqlite3_prepare_v3(self->db, sqlite_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                              &self->statements[which], NULL);
}

/* What ends a transaction, and what every exchange runs, must not need memory when it is short.
 * The rest is compiled at its first use: most processes never run half of it, and a command should
 * start at once. */
int sw__sqlite_prepare(sw__sqlite *self, sw_error *err)
{
    static const sw__sql hot[] = {
        SW__SQL_BEGIN,        SW__SQL_BEGIN_WRITE,       SW__SQL_COMMIT,
        SW__SQL_ROLLBACK,     SW__SQL_VERSION,           SW__SQL_STEP_GET,
        SW__SQL_STEP_UPDATE,  SW__SQL_QUEUE_SCAN,        SW__SQL_TASK_GET,
        SW__SQL_TASK_UPDATE,  SW__SQL_TASK_UPDATE_MOVED, SW__SQL_SEGMENT_PUT,
        SW__SQL_SEGMENT_LAST, SW__SQL_DEADLINE_DUE,      SW__SQL_PAGE_COUNT,
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof(hot) / sizeof(hot[0]); i++)
        rc = statement_prepare(self, hot[i]);
    return rc == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, rc, err);
}

sw__bind sw__bind_prepare(sw__sqlite *self, sw__sql which)
{
    int rc = statement_prepare(self, which);
    return (sw__bind){.statement = self->statements[which], .rc = rc};
}

void sw__sqlite_finalize(sw__sqlite *self)
{
    for (int i = 0; i < SW__SQL_COUNT; i++) {
        sqlite3_finalize(self->statements[i]);
        self->statements[i] = NULL;
    }
}

int sw__sqlite_exec(sw__sqlite *self, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW && out)
        *out = sqlite3_column_int64(statement, 0);
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int sw__sqlite_enter(const sw__sqlite *self, sw__store_mode mode, const char *place, sw_error *err)
{
    sw__yield(self->base.env, place);
    if (!self->db)
        return sw__fail(err, SW_EPOISONED,
                        "'%s' had to be closed after a failed rollback; "
                        "open it again",
                        self->path);
    if (self->mode < mode)
        return sw__fail(err, SW_EPOISONED, "%s was called outside of its transaction", place);
    if (sqlite3_get_autocommit(self->db))
        return sw__fail(err, SW_EPOISONED, "%s was called after the transaction had been undone",
                        place);
    return SW_OK;
}

static void bind_check(sw__bind *bind, int rc)
{
    if (bind->rc == SQLITE_OK)
        bind->rc = rc;
}

void sw__bind_text(sw__bind *bind, sw_str text)
{
    bind->at++;
    if (text.ptr)
        bind_check(bind, sqlite3_bind_text64(bind->statement, bind->at, text.ptr, text.len,
                                             SQLITE_STATIC, SQLITE_UTF8));
    else
        bind_check(bind, sqlite3_bind_null(bind->statement, bind->at));
}

void sw__bind_name(sw__bind *bind, sw_str text)
{
    sw__bind_text(bind, text.ptr ? text : (sw_str){"", 0});
}

void sw__bind_blob(sw__bind *bind, const void *bytes, size_t size)
{
    const void *start = bytes ? bytes : "";
    bind_check(bind, sqlite3_bind_blob64(bind->statement, ++bind->at, start, size, SQLITE_STATIC));
}

static int bind_fail(sw__sqlite *self, int rc, sw_error *err)
{
    self->full = self->full || rc == SQLITE_FULL;
    return sw__sqlite_fail(self, rc, err);
}

int sw__bind_run(sw__sqlite *self, sw__bind *bind, sw_error *err)
{
    int rc = bind->rc;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(bind->statement);
        sqlite3_reset(bind->statement);
    }
    return rc == SQLITE_DONE ? SW_OK : bind_fail(self, rc, err);
}

int sw__bind_next(sw__sqlite *self, sw__bind *bind, sw_error *err)
{
    int rc = bind->rc;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(bind->statement);
    if (rc == SQLITE_ROW)
        return 1;
    sqlite3_reset(bind->statement);
    return rc == SQLITE_DONE ? 0 : bind_fail(self, rc, err);
}

void sw__bind_end(const sw__bind *bind)
{
    sqlite3_reset(bind->statement);
}

/* sqlite3_column_blob gives the bytes of a text as they are stored, where sqlite3_column_text
 * would copy them to put a zero behind; of an empty value it gives NULL. */
sw_str sw__column_text(sw__column *column)
{
    int at = column->at++;
    if (sqlite3_column_type(column->statement, at) == SQLITE_NULL)
        return (sw_str){NULL, 0};
    const char *bytes = sqlite3_column_blob(column->statement, at);
    size_t len = (size_t)sqlite3_column_bytes(column->statement, at);
    return bytes ? (sw_str){bytes, len} : (sw_str){"", 0};
}

void sw__column_blob(sw__column *column, void *bytes, size_t size)
{
    int at = column->at++;
    const void *stored = sqlite3_column_blob(column->statement, at);
    if (stored && (size_t)sqlite3_column_bytes(column->statement, at) == size)
        memcpy(bytes, stored, size);
    else
        memset(bytes, 0, size);
}
