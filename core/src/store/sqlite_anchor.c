/* The database of anchors; see anchor_db.h. Opened for one statement and closed. */
#include <sqlite3.h>

#include "base/error.h"
#include "store/anchor_db.h"

#define ANCHOR_BUSY_MS 5000

static int anchor_code(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SW_EBUSY;
    case SQLITE_NOMEM:
        return SW_ENOMEM;
    case SQLITE_CANTOPEN:
        return SW_ENOTFOUND;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return SW_EACCESS;
    case SQLITE_FULL:
        return SW_EFULL;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return SW_ECORRUPT;
    default:
        return SW_EIO;
    }
}

static int anchor_fail(sqlite3 *db, const char *path, sw_error *err)
{
    return sw__fail(err, anchor_code(db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM),
                    "the database of anchors \"%s\": %s", path,
                    db ? sqlite3_errmsg(db) : "out of memory");
}

static int anchor_open(const char *path, int flags, sqlite3 **db, sw_error *err)
{
    int code = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_FULLMUTEX, NULL);
    if (code != SQLITE_OK)
        return anchor_fail(*db, path, err);
    sqlite3_busy_timeout(*db, ANCHOR_BUSY_MS);
    return SW_OK;
}

int sw__anchor_db_put(const char *path, sw_str origin, const sw_audit_anchor *row, sw_error *err)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = anchor_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, err);
    if (rc == SW_OK &&
        (sqlite3_exec(
             db,
             "CREATE TABLE IF NOT EXISTS anchor (origin TEXT NOT NULL, entries INTEGER NOT "
             "NULL, time_us INTEGER NOT NULL, note TEXT NOT NULL) STRICT",
             NULL, NULL, NULL) != SQLITE_OK ||
         sqlite3_prepare_v2(db, "INSERT INTO anchor VALUES (?, ?, ?, ?)", -1, &statement, NULL) !=
             SQLITE_OK ||
         sqlite3_bind_text(statement, 1, origin.ptr, (int)origin.len, SQLITE_STATIC) != SQLITE_OK ||
         sqlite3_bind_int64(statement, 2, row->entry_count) != SQLITE_OK ||
         sqlite3_bind_int64(statement, 3, row->time_us) != SQLITE_OK ||
         sqlite3_bind_text(statement, 4, row->note.ptr, (int)row->note.len, SQLITE_STATIC) !=
             SQLITE_OK ||
         sqlite3_step(statement) != SQLITE_DONE))
        rc = anchor_fail(db, path, err);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return rc;
}

int sw__anchor_db_get(const char *path, sw_str origin, sw__arena *arena, sw_audit_anchor *row,
                      sw_error *err)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_ERROR;
    int rc = anchor_open(path, SQLITE_OPEN_READONLY, &db, err);
    if (rc == SW_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT entries, time_us, note FROM anchor WHERE origin = ? "
                           "ORDER BY entries DESC, rowid DESC LIMIT 1",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_text(statement, 1, origin.ptr, (int)origin.len, SQLITE_STATIC) == SQLITE_OK)
        code = sqlite3_step(statement);
    if (rc == SW_OK && code == SQLITE_DONE)
        rc = sw__fail(err, SW_ENOTFOUND, "\"%s\" holds no anchor of \"%.*s\"", path,
                      (int)origin.len, origin.ptr);
    else if (rc == SW_OK && code != SQLITE_ROW)
        rc = anchor_fail(db, path, err);
    if (rc == SW_OK) {
        sw_str note = {(const char *)sqlite3_column_text(statement, 2),
                       (size_t)sqlite3_column_bytes(statement, 2)};
        row->entry_count = sqlite3_column_int64(statement, 0);
        row->time_us = sqlite3_column_int64(statement, 1);
        row->note = sw__arena_str(arena, note);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return rc;
}

#undef ANCHOR_BUSY_MS
