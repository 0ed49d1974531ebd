/* Recording through SQLite's preupdate hook, and the bare loop. Errors end the program: a bench
 * has nobody to report to. */
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include "trace.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRACE_TABLES 16
#define TRACE_COLUMNS 24

typedef enum trace_kind { TRACE_INSERT, TRACE_UPDATE, TRACE_DELETE, TRACE_COMMIT } trace_kind;

typedef struct trace_value {
    int type;
    int64_t number;  /* an integer, or the length of bytes */
    size_t position; /* of the bytes */
} trace_value;

typedef struct trace_write {
    trace_kind kind;
    int table;
    int64_t rowid;
    size_t values; /* index of the first one */
} trace_write;

typedef struct trace_table {
    char name[32];
    int columns;
    char column_names[TRACE_COLUMNS][32];
} trace_table;

typedef struct trace_list {
    void *items;
    size_t count;
    size_t capacity;
} trace_list;

struct trace {
    trace_list writes;
    trace_list values;
    trace_list bytes;
    trace_table tables[TRACE_TABLES];
    int table_count;
    char *schema;
};

static trace *recording;

static void trace_die(const char *what, sqlite3 *db)
{
    fprintf(stderr, "bench: %s: %s\n", what, db ? sqlite3_errmsg(db) : "failed");
    exit(1);
}

static void *list_add(trace_list *list, size_t count, size_t size)
{
    while (list->count + count > list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 4096;
        list->items = realloc(list->items, list->capacity * size);
        if (!list->items)
            trace_die("no memory", NULL);
    }
    void *added = (char *)list->items + list->count * size;
    list->count += count;
    return added;
}

static int table_find(trace *t, const char *name)
{
    for (int i = 0; i < t->table_count; i++) {
        if (strcmp(t->tables[i].name, name) == 0)
            return i;
    }
    if (t->table_count == TRACE_TABLES)
        trace_die("too many tables", NULL);
    snprintf(t->tables[t->table_count].name, sizeof(t->tables[0].name), "%s", name);
    return t->table_count++;
}

static void record_value(trace *t, sqlite3_value *value)
{
    trace_value *kept = list_add(&t->values, 1, sizeof(*kept));
    kept->type = sqlite3_value_type(value);
    kept->number = sqlite3_value_int64(value);
    if (kept->type == SQLITE_TEXT || kept->type == SQLITE_BLOB) {
        const void *bytes = sqlite3_value_blob(value);
        size_t len = (size_t)sqlite3_value_bytes(value);
        kept->number = (int64_t)len;
        kept->position = t->bytes.count;
        void *copy = list_add(&t->bytes, len, 1);
        if (len > 0)
            memcpy(copy, bytes, len);
    }
}

static void record_write(void *context, sqlite3 *db, int op, const char *schema, const char *name,
                         sqlite3_int64 old_rowid, sqlite3_int64 new_rowid)
{
    trace *t = recording;
    (void)context;
    if (!t || strcmp(schema, "main") != 0)
        return;
    trace_write write = {.table = table_find(t, name), .values = t->values.count};
    write.kind = op == SQLITE_INSERT   ? TRACE_INSERT
                 : op == SQLITE_UPDATE ? TRACE_UPDATE
                                       : TRACE_DELETE;
    write.rowid = op == SQLITE_INSERT ? new_rowid : old_rowid;
    int columns = op == SQLITE_DELETE ? 0 : sqlite3_preupdate_count(db);
    for (int i = 0; i < columns; i++) {
        sqlite3_value *value = NULL;
        sqlite3_preupdate_new(db, i, &value);
        record_value(t, value);
    }
    *(trace_write *)list_add(&t->writes, 1, sizeof(write)) = write;
}

/* The engine has SQLite's only hook of commits itself. One that wrote nothing is none to play. */
static int record_commit(unsigned kind, void *context, void *statement, void *text)
{
    trace *t = recording;
    (void)kind;
    (void)context;
    (void)statement;
    if (!t || strcmp(text, "COMMIT") != 0 || t->writes.count == 0)
        return 0;
    const trace_write *writes = t->writes.items;
    if (writes[t->writes.count - 1].kind != TRACE_COMMIT)
        *(trace_write *)list_add(&t->writes, 1, sizeof(trace_write)) =
            (trace_write){.kind = TRACE_COMMIT};
    return 0;
}

static int hook_connection(sqlite3 *db, const char **message,
                           const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    sqlite3_preupdate_hook(db, record_write, NULL);
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, record_commit, NULL);
    return SQLITE_OK;
}

trace *trace_new(void)
{
    trace *made = calloc(1, sizeof(*made));
    if (!made)
        trace_die("no memory", NULL);
    sqlite3_auto_extension((void (*)(void))hook_connection);
    return made;
}

void trace_start(trace *recorded)
{
    recording = recorded;
}

/* A row that was replaced was deleted and inserted under one number: one statement does both. */
static void join_replacements(trace *t)
{
    trace_write *writes = t->writes.items;
    size_t kept = 0;
    for (size_t i = 0; i < t->writes.count; i++) {
        if (i + 1 < t->writes.count && writes[i].kind == TRACE_DELETE &&
            writes[i + 1].kind == TRACE_INSERT && writes[i].table == writes[i + 1].table &&
            writes[i].rowid == writes[i + 1].rowid)
            continue;
        writes[kept++] = writes[i];
    }
    t->writes.count = kept;
}

static void read_columns(sqlite3 *db, trace_table *table)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info(?) ORDER BY cid", -1, &statement,
                           NULL) != SQLITE_OK)
        trace_die("columns", db);
    sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
    while (sqlite3_step(statement) == SQLITE_ROW && table->columns < TRACE_COLUMNS)
        snprintf(table->column_names[table->columns++], 32, "%s",
                 (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

void trace_stop(trace *recorded, const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    recording = NULL;
    sqlite3_reset_auto_extension();
    join_replacements(recorded);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db,
                           "SELECT group_concat(sql, ';') FROM sqlite_schema "
                           "WHERE name NOT LIKE 'sqlite_%'",
                           -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        trace_die(path, db);
    recorded->schema = strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    for (int i = 0; i < recorded->table_count; i++)
        read_columns(db, &recorded->tables[i]);
    sqlite3_close(db);
}

void trace_free(trace *recorded)
{
    if (!recorded)
        return;
    free(recorded->writes.items);
    free(recorded->values.items);
    free(recorded->bytes.items);
    free(recorded->schema);
    free(recorded);
}

trace_counts trace_count(const trace *recorded)
{
    trace_counts counts = {0};
    const trace_write *writes = recorded->writes.items;
    for (size_t i = 0; i < recorded->writes.count; i++) {
        counts.inserts += writes[i].kind == TRACE_INSERT;
        counts.updates += writes[i].kind == TRACE_UPDATE;
        counts.deletes += writes[i].kind == TRACE_DELETE;
        counts.commits += writes[i].kind == TRACE_COMMIT;
    }
    return counts;
}

/* Replaying. */

typedef struct replay_table {
    sqlite3_stmt *statements[3]; /* by kind */
    int updated[TRACE_COLUMNS];  /* the columns an update sets, in order */
    int updated_count;
} replay_table;

typedef struct replay {
    sqlite3 *db;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    replay_table tables[TRACE_TABLES];
} replay;

static void replay_exec(replay *r, const char *sql)
{
    if (sqlite3_exec(r->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        trace_die(sql, r->db);
}

static sqlite3_stmt *replay_prepare(replay *r, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK)
        trace_die(sql, r->db);
    return statement;
}

/* Columns that are never updated: the key, and what the store writes once. */
static int is_fixed(const char *column, int at)
{
    return at == 0 || strcmp(column, "task_id") == 0 || strcmp(column, "created_us") == 0;
}

static void replay_prepare_table(replay *r, const trace_table *table, replay_table *out)
{
    char sql[2000];
    int len = snprintf(sql, sizeof(sql), "INSERT %s INTO %s VALUES (",
                       strcmp(table->name, "step") && strncmp(table->name, "task", 4) &&
                               strcmp(table->name, "segment")
                           ? "OR REPLACE"
                           : "",
                       table->name);
    for (int i = 0; i < table->columns; i++)
        len += snprintf(sql + len, sizeof(sql) - (size_t)len, i ? ",?" : "?");
    snprintf(sql + len, sizeof(sql) - (size_t)len, ")");
    out->statements[TRACE_INSERT] = replay_prepare(r, sql);
    len = snprintf(sql, sizeof(sql), "UPDATE %s SET ", table->name);
    for (int i = 0; i < table->columns; i++) {
        if (is_fixed(table->column_names[i], i))
            continue;
        len += snprintf(sql + len, sizeof(sql) - (size_t)len, "%s%s=?",
                        out->updated_count ? "," : "", table->column_names[i]);
        out->updated[out->updated_count++] = i;
    }
    snprintf(sql + len, sizeof(sql) - (size_t)len, " WHERE %s = ?", table->column_names[0]);
    out->statements[TRACE_UPDATE] = replay_prepare(r, sql);
    snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE %s = ?", table->name, table->column_names[0]);
    out->statements[TRACE_DELETE] = replay_prepare(r, sql);
}

static void replay_bind(const trace *t, sqlite3_stmt *statement, int at, const trace_value *value)
{
    const char *bytes = (const char *)t->bytes.items + value->position;
    switch (value->type) {
    case SQLITE_INTEGER:
        sqlite3_bind_int64(statement, at, value->number);
        break;
    case SQLITE_TEXT:
        sqlite3_bind_text64(statement, at, bytes, (sqlite3_uint64)value->number, SQLITE_STATIC,
                            SQLITE_UTF8);
        break;
    case SQLITE_BLOB:
        sqlite3_bind_blob64(statement, at, bytes, (sqlite3_uint64)value->number, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(statement, at);
        break;
    }
}

static void replay_step(replay *r, sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    if (rc != SQLITE_DONE)
        trace_die(sqlite3_sql(statement), r->db);
    sqlite3_reset(statement);
}

static void replay_write(replay *r, const trace *t, const trace_write *write)
{
    replay_table *table = &r->tables[write->table];
    sqlite3_stmt *statement = table->statements[write->kind];
    const trace_value *values = (const trace_value *)t->values.items + write->values;
    int at = 0;
    if (write->kind == TRACE_INSERT) {
        for (int i = 0; i < t->tables[write->table].columns; i++)
            replay_bind(t, statement, ++at, &values[i]);
    } else {
        for (int i = 0; write->kind == TRACE_UPDATE && i < table->updated_count; i++)
            replay_bind(t, statement, ++at, &values[table->updated[i]]);
        sqlite3_bind_int64(statement, ++at, write->rowid);
    }
    replay_step(r, statement);
}

static void replay_open(replay *r, const trace *t, const char *path, int strict)
{
    unlink(path);
    if (sqlite3_open_v2(path, &r->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        trace_die(path, r->db);
    replay_exec(r, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;"
                   "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192");
    replay_exec(r, strict ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    replay_exec(r, t->schema);
    r->begin = replay_prepare(r, "BEGIN IMMEDIATE");
    r->commit = replay_prepare(r, "COMMIT");
    for (int i = 0; i < t->table_count; i++)
        replay_prepare_table(r, &t->tables[i], &r->tables[i]);
}

static void replay_close(replay *r, const trace *t)
{
    for (int i = 0; i < t->table_count; i++) {
        for (int kind = 0; kind < 3; kind++)
            sqlite3_finalize(r->tables[i].statements[kind]);
    }
    sqlite3_finalize(r->begin);
    sqlite3_finalize(r->commit);
    sqlite3_close(r->db);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double trace_replay(const trace *recorded, const char *path, int strict)
{
    replay r = {0};
    const trace_write *writes = recorded->writes.items;
    int open = 0;
    replay_open(&r, recorded, path, strict);
    double started = seconds();
    for (size_t i = 0; i < recorded->writes.count; i++) {
        if (!open)
            replay_step(&r, r.begin);
        open = writes[i].kind != TRACE_COMMIT;
        if (open)
            replay_write(&r, recorded, &writes[i]);
        else
            replay_step(&r, r.commit);
    }
    if (open)
        replay_step(&r, r.commit);
    double took = seconds() - started;
    replay_close(&r, recorded);
    return took;
}
