/* One function turns the codes of SQLite into ours, with a message for people.
 *
 * Not here: why a file could not be opened at all (sqlite_path.c).
 */
#include "store/sqlite.h"

/* What SQLite itself says, with its number for those who want to look it up. */
static int sqlite_fail_other(const sw__sqlite *self, int sqlite_code, int code, const char *what,
                             sw_error *err)
{
    return sw__fail(err, code, "%s '%s': %s (SQLite error %d)", what, self->path,
                    self->db ? sqlite3_errmsg(self->db) : sqlite3_errstr(sqlite_code), sqlite_code);
}

static int sqlite_fail_io(const sw__sqlite *self, int sqlite_code, sw_error *err)
{
    if (sqlite_code == SQLITE_IOERR_NOMEM)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sqlite_fail_other(self, sqlite_code, SW_EIO, "reading or writing failed on", err);
}

static int sqlite_fail_readonly(const sw__sqlite *self, int sqlite_code, sw_error *err)
{
    if (sqlite_code == SQLITE_READONLY_DBMOVED)
        return sw__fail(err, SW_EIO, "'%s' was moved or deleted while it was open", self->path);
    return sw__fail(err, SW_EACCESS,
                    "'%s' cannot be written: check the permissions of the file "
                    "and of its folder",
                    self->path);
}

static int sqlite_fail_cantopen(const sw__sqlite *self, int sqlite_code, sw_error *err)
{
    int rc = self->base.env->vfs_name ? SW_OK : sw__sqlite_path_explain(self->path, err);
    if (rc < 0)
        return rc;
    return sqlite_fail_other(self, sqlite_code, SW_EIO, "cannot open", err);
}

static int sqlite_fail_constraint(const sw__sqlite *self, int sqlite_code, sw_error *err)
{
    if (sqlite_code == SQLITE_CONSTRAINT_COMMITHOOK)
        return sw__fail(err, SW_EPOISONED, "a transaction on '%s' had been undone before its end",
                        self->path);
    return sqlite_fail_other(self, sqlite_code, SW_ECONFLICT, "a row is already in", err);
}

int sw__sqlite_fail(const sw__sqlite *self, int sqlite_code, sw_error *err)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return sw__fail(err, SW_EBUSY,
                        "another process holds the write lock of '%s' for longer "
                        "than %lld ms; try again",
                        self->path, (long long)self->busy_timeout_ms);
    case SQLITE_NOMEM:
        return sw__fail(err, SW_ENOMEM, NULL);
    case SQLITE_FULL:
        return sw__fail(err, SW_EFULL,
                        "the disk that holds '%s' is full; free some space and "
                        "try again",
                        self->path);
    case SQLITE_NOTADB:
        return sw__fail(err, SW_EFOREIGN,
                        "'%s' is not a stepwell database: it is a file of "
                        "another kind",
                        self->path);
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: /* the schema lacks something, which only damage explains */
        return sqlite_fail_other(self, sqlite_code, SW_ECORRUPT, "the database is damaged:", err);
    case SQLITE_IOERR:
        return sqlite_fail_io(self, sqlite_code, err);
    case SQLITE_CANTOPEN:
        return sqlite_fail_cantopen(self, sqlite_code, err);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return sqlite_fail_readonly(self, sqlite_code, err);
    case SQLITE_TOOBIG:
        return sw__fail(err, SW_ELIMIT, "a value is too large for '%s'", self->path);
    case SQLITE_CONSTRAINT:
        return sqlite_fail_constraint(self, sqlite_code, err);
    default:
        return sqlite_fail_other(self, sqlite_code, SW_EPOISONED, "an internal check failed on",
                                 err);
    }
}

int sw__sqlite_fail_order(const sw__sqlite *self, sw_error *err)
{
    return sw__fail(err, SW_ECORRUPT, "the database is damaged: '%s': an index is out of order",
                    self->path);
}
