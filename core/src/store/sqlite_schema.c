/* The schema of the database file, and bringing an older one up to date.
 *
 * A database is ours when its application_id says so; user_version is the number of migrations it
 * has had. Migrations are numbered from 1, never change once released, and run in one transaction
 * together, so that a file has all of them or is as it was.
 *
 * What changes at every transition lies in narrow rows (step, task, worker_lease), and steps of a
 * task side by side; what is written once lies apart. There is one index on the state of steps and
 * it holds only those that stand in a line. Tasks have one on their state (sqlite_list.c says how
 * it serves every list) and one row for each tag.
 */
#include "store/sqlite.h"

#include <string.h>

#include "base/probe.h"
#include "base/str.h"

#define SW__APPLICATION_ID 1398034519 /* "STPW" */
#define SW__SCHEMA_OBJECTS_MAX 64     /* tables and indexes of all migrations */
#define SW__TEXT_OF(value) #value
#define SW__TEXT_OF_MACRO(value) SW__TEXT_OF(value)

static const char schema_1[] =
    "CREATE TABLE anchor ("
    "  anchor_no INTEGER PRIMARY KEY CHECK (anchor_no = 1),"
    "  boot_id BLOB NOT NULL,"
    "  boot_us INTEGER NOT NULL,"
    "  base_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE sequence ("
    "  sequence INTEGER PRIMARY KEY,"
    "  next_no INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE workflow ("
    "  workflow_no INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  version TEXT NOT NULL,"
    "  digest BLOB NOT NULL UNIQUE,"
    "  registered_us INTEGER NOT NULL,"
    "  json TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX workflow_name ON workflow (name, registered_us);"
    "CREATE TABLE lane ("
    "  lane INTEGER PRIMARY KEY,"
    "  queue TEXT NOT NULL,"
    "  handler TEXT NOT NULL,"
    "  breaker TEXT NOT NULL,"
    "  UNIQUE (queue, handler, breaker)"
    ") STRICT;"
    "CREATE TABLE breaker ("
    "  breaker_no INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  failure_threshold INTEGER NOT NULL,"
    "  success_threshold INTEGER NOT NULL,"
    "  probes INTEGER NOT NULL,"
    "  open_ms INTEGER NOT NULL,"
    "  max_open_ms INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL,"
    "  successes INTEGER NOT NULL,"
    "  probing INTEGER NOT NULL,"
    "  openings INTEGER NOT NULL,"
    "  forced INTEGER NOT NULL,"
    "  until_us INTEGER NOT NULL,"
    "  changed_us INTEGER NOT NULL,"
    "  error_class TEXT"
    ") STRICT;"
    "CREATE TABLE task ("
    "  task_no INTEGER PRIMARY KEY,"
    "  task_id BLOB NOT NULL UNIQUE,"
    "  workflow_no INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  priority INTEGER NOT NULL,"
    "  pending INTEGER NOT NULL,"
    "  ready INTEGER NOT NULL,"
    "  running INTEGER NOT NULL,"
    "  waiting INTEGER NOT NULL,"
    "  succeeded INTEGER NOT NULL,"
    "  failed INTEGER NOT NULL,"
    "  skipped INTEGER NOT NULL,"
    "  cancelled INTEGER NOT NULL,"
    "  resolved INTEGER NOT NULL,"
    "  fatal INTEGER NOT NULL,"
    "  audit_segment INTEGER NOT NULL,"
    "  created_us INTEGER NOT NULL,"
    "  started_us INTEGER NOT NULL,"
    "  changed_us INTEGER NOT NULL,"
    "  deadline_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX task_state ON task (workflow_no, state);"
    "CREATE TABLE task_info ("
    "  task_no INTEGER PRIMARY KEY,"
    "  input_salt BLOB NOT NULL,"
    "  idempotency_key TEXT,"
    "  initiator TEXT,"
    "  reason TEXT,"
    "  correlation_id TEXT,"
    "  tags TEXT,"
    "  input_blob INTEGER,"
    "  input TEXT"
    ") STRICT;"
    "CREATE INDEX task_info_correlation ON task_info (correlation_id)"
    "  WHERE correlation_id IS NOT NULL;"
    "CREATE TABLE task_tag ("
    "  tag TEXT NOT NULL,"
    "  task_no INTEGER NOT NULL,"
    "  PRIMARY KEY (tag, task_no)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE task_key ("
    "  scope BLOB PRIMARY KEY,"
    "  task_no INTEGER NOT NULL,"
    "  input_digest BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE step ("
    "  step_id INTEGER PRIMARY KEY,"
    "  state INTEGER NOT NULL,"
    "  open_deps INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  crashes INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL,"
    "  lane INTEGER NOT NULL,"
    "  rank INTEGER NOT NULL,"
    "  changed_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX step_queue ON step (lane, rank) WHERE lane <> 0;"
    "CREATE TABLE result ("
    "  step_id INTEGER PRIMARY KEY,"
    "  salt BLOB NOT NULL,"
    "  blob_no INTEGER,"
    "  body TEXT"
    ") STRICT;"
    "CREATE TABLE failure ("
    "  step_id INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL,"
    "  salt BLOB NOT NULL,"
    "  error_class TEXT,"
    "  message TEXT,"
    "  detail TEXT,"
    "  PRIMARY KEY (step_id, epoch)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE deadline ("
    "  subject INTEGER PRIMARY KEY,"
    "  due_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX deadline_due ON deadline (due_us);"
    "CREATE TABLE blob ("
    "  blob_no INTEGER PRIMARY KEY,"
    "  digest BLOB NOT NULL UNIQUE,"
    "  uses INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE blob_body ("
    "  blob_no INTEGER PRIMARY KEY,"
    "  body TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE rest ("
    "  task_no INTEGER PRIMARY KEY"
    ") STRICT;"
    "CREATE TABLE worker ("
    "  worker_no INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  host TEXT NOT NULL,"
    "  pid INTEGER NOT NULL,"
    "  boot_id BLOB NOT NULL,"
    "  lease_ms INTEGER NOT NULL,"
    "  watched INTEGER NOT NULL,"
    "  handlers TEXT NOT NULL,"
    "  queues TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE worker_lease ("
    "  worker_no INTEGER PRIMARY KEY,"
    "  lease_until_us INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE segment ("
    "  segment_no INTEGER PRIMARY KEY,"
    "  entry_first INTEGER NOT NULL,"
    "  entry_count INTEGER NOT NULL,"
    "  time_us INTEGER NOT NULL,"
    "  previous BLOB NOT NULL,"
    "  hash BLOB NOT NULL,"
    "  body BLOB NOT NULL"
    ") STRICT;"
    "PRAGMA application_id = " SW__TEXT_OF_MACRO(SW__APPLICATION_ID) ";"
                                                                     "PRAGMA user_version = 1;";

/* Events of applications, and projections. A row of an event without salt has lost its payload. */
static const char schema_2[] =
    "CREATE TABLE event ("
    "  entry_no INTEGER PRIMARY KEY,"
    "  task_no INTEGER NOT NULL,"
    "  type TEXT NOT NULL,"
    "  event_key TEXT,"
    "  correlation_id TEXT,"
    "  salt BLOB,"
    "  blob_no INTEGER,"
    "  body TEXT"
    ") STRICT;"
    "CREATE INDEX event_type ON event (type);"
    "CREATE INDEX event_task ON event (task_no) WHERE salt IS NOT NULL;"
    "CREATE UNIQUE INDEX event_by_key ON event (task_no, event_key) WHERE event_key IS NOT NULL;"
    "CREATE INDEX event_correlation ON event (correlation_id)"
    "  WHERE correlation_id IS NOT NULL;"
    "CREATE TABLE projection ("
    "  name TEXT PRIMARY KEY,"
    "  version TEXT NOT NULL,"
    "  epoch INTEGER NOT NULL,"
    "  position INTEGER NOT NULL,"
    "  changed_us INTEGER NOT NULL,"
    "  state TEXT"
    ") STRICT;"
    "PRAGMA user_version = 2;";

/* Migration number i + 1 sets user_version to i + 1 as its last statement. */
static const char *const schema_migrations[] = {schema_1, schema_2};

#define SW__SCHEMA_VERSION ((int)(sizeof(schema_migrations) / sizeof(schema_migrations[0])))

int sw__store_schema_version(void)
{
    return SW__SCHEMA_VERSION;
}

/* What stands in the file; version 0 is a file that nobody has used yet. */
static int schema_read(sw__sqlite *self, int64_t *version, sw_error *err)
{
    int64_t application = 0;
    int64_t objects = 0;
    int rc = sw__sqlite_exec(self, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = sw__sqlite_exec(self, "PRAGMA user_version", version);
    if (rc == SQLITE_OK && application == 0)
        rc = sw__sqlite_exec(self, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, rc, err);
    if (application == 0 && *version == 0 && objects == 0)
        return SW_OK;
    if (application != SW__APPLICATION_ID)
        return sw__fail(err, SW_EFOREIGN,
                        "'%s' is a SQLite database of another application "
                        "(application_id %lld), not a stepwell database",
                        self->path, (long long)application);
    if (*version < 1)
        return sw__fail(err, SW_ECORRUPT, "'%s' has lost the version of its schema", self->path);
    if (*version > SW__SCHEMA_VERSION)
        return sw__fail(err, SW_EVERSION,
                        "'%s' has schema version %lld, written by a newer "
                        "stepwell; this one knows versions up to %d: update it",
                        self->path, (long long)*version, SW__SCHEMA_VERSION);
    return SW_OK;
}

/* Returns rc, or why the transaction could not be ended: what follows must not run inside it. */
static int schema_undo(sw__sqlite *self, int rc, sw_error *err)
{
    if (sqlite3_get_autocommit(self->db))
        return rc;
    int undone = sw__sqlite_exec(self, "ROLLBACK", NULL);
    return rc < 0 || undone == SQLITE_OK ? rc : sw__sqlite_fail(self, undone, err);
}

/* The three numbers are read in one transaction: another process may be creating the file. */
static int schema_look(sw__sqlite *self, int64_t *version, sw_error *err)
{
    int rc = sw__sqlite_exec(self, "BEGIN", NULL);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, rc, err);
    rc = schema_read(self, version, err);
    return schema_undo(self, rc, err);
}

static int schema_wait(const sw__sqlite *self, int64_t until_us)
{
    const sw_env *env = self->base.env;
    sqlite3_vfs *vfs = sqlite3_vfs_find(env->vfs_name);
    if (!vfs || env->clock_mono_us(env->context) >= until_us)
        return SQLITE_BUSY;
    vfs->xSleep(vfs, 2000);
    return SQLITE_OK;
}

/* The mode of the journal, with a terminating zero, as far as it fits. SQLite says the mode first
 * and changes the file after that, so the mode is worth nothing before the statement has ended
 * well. */
static int schema_journal(sw__sqlite *self, char mode[16])
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(self->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        strncpy(mode, text ? text : "", 15);
        mode[15] = '\0';
    }
    int ended = sqlite3_finalize(statement);
    return rc == SQLITE_OK ? ended : rc;
}

/* Changing the mode of a new file needs it alone for a moment, and SQLite does not wait for that
 * when another process is doing the same. */
static int schema_enter_wal(sw__sqlite *self, sw_error *err)
{
    const sw_env *env = self->base.env;
    int64_t until_us = env->clock_mono_us(env->context) + self->busy_timeout_ms * 1000;
    char mode[16] = "";
    int rc = schema_journal(self, mode);
    SW__PROBE_IF(SCHEMA_WAIT, (rc & 0xff) == SQLITE_BUSY);
    while ((rc & 0xff) == SQLITE_BUSY && schema_wait(self, until_us) == SQLITE_OK)
        rc = schema_journal(self, mode);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, rc, err);
    if (strcmp(mode, "wal") != 0)
        return sw__fail(err, SW_EIO,
                        "'%s' cannot have a write-ahead log (journal mode '%s'): put "
                        "it on a local disk",
                        self->path, mode);
    return SW_OK;
}

static int schema_migrate_rest(sw__sqlite *self, int64_t version, sw_error *err)
{
    int rc = SQLITE_OK;
    for (int64_t i = version; rc == SQLITE_OK && i < SW__SCHEMA_VERSION; i++)
        rc = sqlite3_exec(self->db, schema_migrations[i], NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sw__sqlite_exec(self, "COMMIT", NULL);
    return rc == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, rc, err);
}

/* The version is read again under the writer's lock: another process may have been quicker. */
static int schema_migrate(sw__sqlite *self, sw_error *err)
{
    int64_t version = 0;
    int rc = sw__sqlite_exec(self, "BEGIN IMMEDIATE", NULL);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, rc, err);
    rc = schema_read(self, &version, err);
    SW__PROBE_IF(SCHEMA_RACE, rc == SW_OK && version == SW__SCHEMA_VERSION);
    if (rc == SW_OK)
        rc = schema_migrate_rest(self, version, err);
    return schema_undo(self, rc, err);
}

/* The next statement that makes a table or an index; false after the last. */
static bool schema_next(size_t *migration, const char **at, sw_str *statement)
{
    for (; *migration < SW__SCHEMA_VERSION; ++*migration, *at = NULL) {
        const char *start = strstr(*at ? *at : schema_migrations[*migration], "CREATE ");
        if (!start)
            continue;
        *statement = (sw_str){start, strcspn(start, ";")};
        *at = start + statement->len;
        return true;
    }
    return false;
}

/* The third word: CREATE TABLE name. */
static sw_str schema_name(sw_str statement)
{
    const char *start = strchr(strchr(statement.ptr, ' ') + 1, ' ') + 1;
    return (sw_str){start, strcspn(start, " ")};
}

/* Which statement of the migrations this is, or -1. */
static int schema_find(sw_str text)
{
    sw_str statement;
    size_t migration = 0;
    const char *at = NULL;
    for (int number = 0; schema_next(&migration, &at, &statement); number++) {
        if (number < SW__SCHEMA_OBJECTS_MAX && sw__str_equal(statement, text))
            return number;
    }
    return -1;
}

/* How often each statement of the migrations stands in the file, and whether others do. Objects
 * without a text come with a table. */
static int schema_match(sw__sqlite *self, uint8_t *seen, bool *others)
{
    sqlite3_stmt *query = NULL;
    int rc = sqlite3_prepare_v2(self->db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", -1,
                                &query, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(query)) == SQLITE_ROW) {
        const char *text = sqlite3_column_blob(query, 0);
        int number = schema_find((sw_str){text, (size_t)sqlite3_column_bytes(query, 0)});
        if (number < 0)
            *others = true;
        else if (seen[number] < 2)
            seen[number]++;
        rc = SQLITE_OK;
    }
    sqlite3_finalize(query);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Indexes of a table that compute something, less those that are ours. */
static int schema_count_computing(sqlite3_stmt *count, sw_str statement, int64_t *computing)
{
    int rc = SQLITE_OK;
    sw_str name = schema_name(statement);
    *computing -= memmem(name.ptr, statement.len - (size_t)(name.ptr - statement.ptr), " WHERE ",
                         strlen(" WHERE ")) != NULL;
    if (strncmp(statement.ptr, "CREATE TABLE", strlen("CREATE TABLE")) != 0)
        return SQLITE_OK;
    rc = sqlite3_bind_text64(count, 1, name.ptr, name.len, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK && (rc = sqlite3_step(count)) == SQLITE_ROW)
        *computing += sqlite3_column_int64(count, 0);
    int reset = sqlite3_reset(count);
    return rc == SQLITE_ROW ? SQLITE_OK : reset;
}

/* Others have added to the schema: tables of theirs and plain indexes do no harm. */
static int schema_check_others(sw__sqlite *self, sw_error *err)
{
    sqlite3_stmt *count = NULL;
    sw_str statement;
    int64_t computing = 0;
    size_t migration = 0;
    const char *at = NULL;
    int rc = sqlite3_prepare_v2(self->db,
                                "SELECT count(*) FROM pragma_index_list(?1) AS i WHERE i.partial "
                                "OR EXISTS (SELECT 1 FROM pragma_index_xinfo(i.name) "
                                "WHERE cid = -2)",
                                -1, &count, NULL);
    while (rc == SQLITE_OK && schema_next(&migration, &at, &statement))
        rc = schema_count_computing(count, statement, &computing);
    sqlite3_finalize(count);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, rc, err);
    if (computing != 0)
        return sw__fail(err, SW_ECORRUPT,
                        "the schema of '%s' was changed: there is an index on an expression",
                        self->path);
    return SW_OK;
}

static int schema_check_own(sw__sqlite *self, const uint8_t *seen, sw_error *err)
{
    sw_str statement;
    size_t migration = 0;
    const char *at = NULL;
    for (int number = 0; schema_next(&migration, &at, &statement); number++) {
        if (number == SW__SCHEMA_OBJECTS_MAX || seen[number] != 1)
            return sw__fail(err, SW_ECORRUPT,
                            "the schema of '%s' was changed: %.*s is missing or not "
                            "what it was",
                            self->path, SW__FMT(schema_name(statement)));
    }
    return SW_OK;
}

/* The schema of a file from elsewhere could do more than hold rows: checks, generated columns and
 * indexes on expressions run with every row that is written, for as long and with as much memory
 * as their author likes. A file that holds what the migrations made and nothing else is known by
 * its texts, at a price that every opening can pay. A migration that alters what an earlier one
 * made changes its text in the file, and this check has to learn it. */
static int schema_check(sw__sqlite *self, sw_error *err)
{
    bool others = false;
    uint8_t seen[SW__SCHEMA_OBJECTS_MAX] = {0};
    int rc = schema_match(self, seen, &others);
    rc = rc == SQLITE_OK ? schema_check_own(self, seen, err) : sw__sqlite_fail(self, rc, err);
    return rc == SW_OK && others ? schema_check_others(self, err) : rc;
}

int sw__sqlite_schema_open(sw__sqlite *self, bool must_exist, sw_error *err)
{
    int64_t version = 0;
    int rc = schema_look(self, &version, err);
    if (rc < 0)
        return rc;
    if (version == 0 && must_exist)
        return sw__fail(err, SW_ENOTFOUND, "'%s' is empty: no database has been made there",
                        self->path);
    /* Larger pages gain nothing in large batches and cost a third of the rate in small ones, whose
     * commits write whole pages. A file that was made without incremental vacuum cannot become
     * smaller; it reuses what pruning frees. */
    if (version == 0)
        rc = sw__sqlite_exec(self, "PRAGMA page_size = 4096", NULL);
    if (version == 0 && rc == SQLITE_OK)
        rc = sw__sqlite_exec(self, "PRAGMA auto_vacuum = INCREMENTAL", NULL);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, rc, err);
    rc = schema_enter_wal(self, err);
    if (rc == SW_OK && version < SW__SCHEMA_VERSION)
        rc = schema_migrate(self, err);
    return rc == SW_OK ? schema_check(self, err) : rc;
}
