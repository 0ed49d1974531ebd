/* The inside of the SQLite store: what its files share.
 *
 * sqlite.c opens, closes and runs transactions · sqlite_room.c keeps room for them on the disk ·
 * sqlite_path.c says why a file cannot be opened · sqlite_fork.c deals with what a forked child
 * inherits · sqlite_schema.c creates and migrates · sqlite_sql.h has every statement,
 * sqlite_statement.c prepares and runs them, sqlite_row.c reads many rows · sqlite_error.c turns
 * SQLite's codes into ours · the other files hold the verbs, by subject.
 *
 * This floor is the only one that includes sqlite3.h.
 */
#ifndef SW_STORE_SQLITE_H
#define SW_STORE_SQLITE_H

#include <sqlite3.h>

#include "base/env.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/shared.h"
#include "store/sqlite_sql.h"

typedef struct sw__sqlite_opened sw__sqlite_opened;
typedef struct sw__row_walk sw__row_walk;

typedef struct sw__sqlite {
    sw__store base;
    sqlite3 *db;
    char *path_real;  /* what SQLite gets */
    const char *path; /* as given, for messages; lies in path_real */
    int64_t busy_timeout_ms;
    sw__store_mode mode;
    sw__sqlite_opened *opened; /* its entry in the list of sqlite_fork.c */
    bool inside;               /* this connection keeps the process from forking */
    bool committing;           /* see sqlite_may_commit */
    bool full;                 /* the disk had no room; see sqlite_relieve */
    int64_t page_size;         /* in bytes */
    int64_t room_pages;        /* for which the file had room at the last commit */
    sw__hasher *hasher;        /* of blobs; NULL until the first */
    sw__row_walk *walk;        /* what sw_row is for at the moment (sqlite_row.c), or NULL */
    sqlite3_stmt *statements[SW__SQL_COUNT];
} sw__sqlite;

#define SW__SQLITE_VERB(verb) __typeof__(*((sw__store_ops *)NULL)->verb) sw__sqlite_##verb;
SW__STORE_VERB_MAP(SW__SQLITE_VERB)
#undef SW__SQLITE_VERB

/* sqlite_error.c: report a code of SQLite that is not OK; returns the sw_code. */
int sw__sqlite_fail(const sw__sqlite *self, int sqlite_code, sw_error *err);
/* Report a row that lies outside of the range that was asked for: SW_ECORRUPT. SQLite looks for one
 * end of a range and goes on from there, so an index out of order leads anywhere, also back to where
 * a caller was that reads page after page. */
int sw__sqlite_fail_order(const sw__sqlite *self, sw_error *err);

/* sqlite_path.c: refuse what SQLite would open and should not, or could block on; and explain why
 * SQLite could not open a file. Only for the default VFS: others have files of their own. */
int sw__sqlite_path_check(const char *path, bool must_exist, sw_error *err);
int sw__sqlite_path_explain(const char *path, sw_error *err);
/* Bytes that the disk below it still has; the most there can be when it does not say. */
int64_t sw__sqlite_path_room(const char *path);

/* sqlite_fork.c: remember a connection, forget it, and give up those inherited over fork. */
int sw__sqlite_opened_add(sw__sqlite *self);
void sw__sqlite_opened_remove(sw__sqlite *self);
/* Forget every open connection, for a simulator whose processes die in the middle of anything. */
void sw__sqlite_opened_reset(void);
void sw__sqlite_inherited_disown(void);
/* Between these a fork waits. Entering twice is entering once. */
void sw__sqlite_gate_enter(sw__sqlite *self);
void sw__sqlite_gate_leave(sw__sqlite *self);

/* sqlite.c: put on the disk what is in the log. Once every process has died that had the database
 * open, SQLite believes what the log holds, also what the last of them had not synced yet: nobody
 * may be told of it before. */
int sw__sqlite_sync_log(sw__sqlite *self, sw_error *err);

/* sqlite_room.c: before a commit, the file gets room for every page that it will have. SW_EFULL when
 * there is none. */
int sw__sqlite_room_reserve(sw__sqlite *self, sw_error *err);

/* sqlite_schema.c: make sure that the open file is ours and has the newest schema. */
int sw__sqlite_schema_open(sw__sqlite *self, bool must_exist, sw_error *err);

/* sqlite_statement.c */
int sw__sqlite_prepare(sw__sqlite *self, sw_error *err);
void sw__sqlite_finalize(sw__sqlite *self);
/* Run SQL without parameters, of which only the first column of the first row matters; out may be
 * NULL. For opening only. Returns a code of SQLite. */
int sw__sqlite_exec(sw__sqlite *self, const char *sql, int64_t *out);

/* Check at the start of every verb that the transaction the engine believes in is still there:
 * after some errors SQLite gives it up by itself. */
int sw__sqlite_enter(const sw__sqlite *self, sw__store_mode mode, const char *place, sw_error *err);

/* sqlite.c: what cannot run inside of a transaction lies between these. SW_EPOISONED. */
int sw__sqlite_outside_begin(sw__sqlite *self, const char *place, sw_error *err);
void sw__sqlite_outside_end(sw__sqlite *self);

/* A statement whose parameters are being bound, one after the other. A failure is kept until the
 * statement is run. */
typedef struct sw__bind {
    sqlite3_stmt *statement;
    int at;
    int rc;
} sw__bind;

/* Compile a statement that is used for the first time; a failure shows in the bind's rc. */
sw__bind sw__bind_prepare(sw__sqlite *self, sw__sql which);

static inline sw__bind sw__bind_start(sw__sqlite *self, sw__sql which)
{
    if (!self->statements[which])
        return sw__bind_prepare(self, which);
    return (sw__bind){.statement = self->statements[which], .rc = SQLITE_OK};
}

static inline void sw__bind_int(sw__bind *bind, int64_t value)
{
    int rc = sqlite3_bind_int64(bind->statement, ++bind->at, value);
    if (bind->rc == SQLITE_OK)
        bind->rc = rc;
}

/* Borrowed until the statement is run; absent becomes NULL. */
void sw__bind_text(sw__bind *bind, sw_str text);
/* The same for a column that is never NULL: absent becomes empty. */
void sw__bind_name(sw__bind *bind, sw_str text);
void sw__bind_blob(sw__bind *bind, const void *bytes, size_t size);

/* Run a statement that gives no rows. */
int sw__bind_run(sw__sqlite *self, sw__bind *bind, sw_error *err);
/* The next row: 1, 0 when there is none, or a negative sw_code. The statement must be reset with
 * sw__bind_end when it is not read to its end. */
int sw__bind_next(sw__sqlite *self, sw__bind *bind, sw_error *err);
void sw__bind_end(const sw__bind *bind);

/* The columns of the row at hand, read one after the other. */
typedef struct sw__column {
    sqlite3_stmt *statement;
    int at;
} sw__column;

static inline int64_t sw__column_int(sw__column *column)
{
    return sqlite3_column_int64(column->statement, column->at++);
}

static inline int32_t sw__column_int32(sw__column *column)
{
    return (int32_t)sw__column_int(column);
}

/* Borrowed until the next row; absent for NULL. */
sw_str sw__column_text(sw__column *column);
/* A row of the table of tasks, read by a statement that gives its columns first. */
void sw__sqlite_read_task(const sw__bind *bind, sw__task_hot *row);
/* A blob that has to have this size; zeros for one of another size, which only damage explains. */
void sw__column_blob(sw__column *column, void *bytes, size_t size);

/* sqlite_row.c: a row that SQLite hands over, its columns read one after the other, as above. What
 * is borrowed lives until the visit returns. */
typedef struct sw__row {
    sqlite3_value **next;
} sw__row;

static inline int64_t sw__row_int(sw__row *row)
{
    return sqlite3_value_int64(*row->next++);
}

static inline int32_t sw__row_int32(sw__row *row)
{
    return (int32_t)sw__row_int(row);
}

sw_str sw__row_text(sw__row *row);
void sw__row_blob(sw__row *row, void *bytes, size_t size);

/* Not 0 ends the walk and is its answer. The visit may run other statements. */
typedef int (*sw__row_visit)(void *context, sw__row *row, sw_error *err);

/* Visit each row of a statement whose columns go to sw_row. */
int sw__bind_each(sw__sqlite *self, sw__bind *bind, sw__row_visit visit, void *context,
                  sw_error *err);
/* Make sw_row known to the connection of a store. Returns a code of SQLite. */
int sw__sqlite_row_register(sqlite3 *db, sw__sqlite *self);

/* sqlite_blob.c: what a row keeps of a payload: its text, or the number of a blob, which is stored
 * once however many rows name it. */
typedef struct sw__kept {
    int64_t blob_no; /* 0: none */
    sw_str inside;
} sw__kept;

int sw__blob_keep(sw__sqlite *self, sw_str body, sw__kept *out, sw_error *err);
/* Two columns: the number, then the text. */
void sw__bind_kept(sw__bind *bind, const sw__kept *kept);
/* A row that named a blob is gone, 0 being none; the blob goes with the last one. */
int sw__blob_release(sw__sqlite *self, int64_t blob_no, sw_error *err);
/* sqlite_event.c: forget all but number, task and type of the events of a task. */
int sw__sqlite_events_strip(sw__sqlite *self, int64_t task_no, sw_error *err);
/* sqlite_projection.c: forget all of them. */
int sw__sqlite_projections_forget(sw__sqlite *self, sw_error *err);
/* sqlite_prune.c: run a statement over the key of a task (scope, task_no), if it has one. */
int sw__sqlite_key_run(sw__sqlite *self, sw__sql which, int64_t task_no, sw_str workflow,
                       sw_str key, sw_error *err);

#endif
