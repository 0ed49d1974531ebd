/* The SQLite store: opening, closing, forgetting, and transactions.
 *
 * A connection that cannot roll back would hold the writer's lock for ever and stop every worker,
 * so a ROLLBACK that fails twice ends in closing the connection, which cannot fail; from then on
 * every call answers SW_EPOISONED. Not here: the verbs.
 */
#include "store/sqlite.h"

#include <limits.h>
#include <string.h>

#include "base/plant.h"
#include "base/probe.h"

/* A prefix for paths that SQLite would not read as the name of a file. */
static const char sqlite_here[] = "./";

static int sqlite_copy_path(sw__sqlite *self, sw_str path, sw_error *err)
{
    if (!path.ptr || path.len == 0 || memchr(path.ptr, 0, path.len))
        return sw__fail(err, SW_EINVAL, "the path of the database is empty or has a zero byte");
    size_t prefix = path.ptr[0] == '/' ? 0 : sizeof(sqlite_here) - 1;
    size_t size;
    if (__builtin_add_overflow(path.len, prefix + 1, &size))
        return sw__fail(err, SW_EINVAL, "the path of the database is too long");
    self->path_real = sw__resize(self->base.env, NULL, size);
    if (!self->path_real)
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(self->path_real, sqlite_here, prefix);
    memcpy(self->path_real + prefix, path.ptr, path.len);
    self->path_real[prefix + path.len] = '\0';
    self->path = self->path_real + prefix;
    return SW_OK;
}

/* The engine's lock lets one thread in at a time, so the connection needs no mutex of its own. */
static int sqlite_open_file(sw__sqlite *self, bool must_exist, sw_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (!must_exist)
        flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(self->path_real, &self->db, flags, self->base.env->vfs_name);
    if (rc != SQLITE_OK)
        return sw__sqlite_fail(self, self->db ? sqlite3_extended_errcode(self->db) : rc, err);
    /* Where a file cannot be written, SQLite opens it for reading without saying so. */
    if (sqlite3_db_readonly(self->db, "main") == 1)
        return sw__sqlite_fail(self, SQLITE_READONLY, err);
    return sw__sqlite_opened_add(self) < 0 ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

/* SQLite may undo a transaction and still run the statement that it was in again, by itself: when
 * another process has rebuilt the file and memory is short at that moment. The statement would then
 * be a transaction of its own, and stay without what belongs to it. Not 0 lets SQLite undo it. */
static int sqlite_may_commit(void *context)
{
    const sw__sqlite *self = context;
    return self->mode == SW__STORE_WRITING && !self->committing && !SW__PLANT(MEMORY_SWALLOWED);
}

/* The file may come from anywhere: nothing in its schema may run code or reach other tables. */
static int sqlite_configure(sw__sqlite *self, sw_error *err)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 0},    {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    int64_t wait_ms = self->busy_timeout_ms;
    sqlite3_extended_result_codes(self->db, 1);
    sqlite3_commit_hook(self->db, sqlite_may_commit, self);
    int rc = sqlite3_busy_timeout(self->db, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof(options) / sizeof(options[0]); i++)
        rc = sqlite3_db_config(self->db, options[i].option, options[i].value, NULL);
    if (rc == SQLITE_OK)
        rc = sw__sqlite_row_register(self->db, self);
    return rc == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, rc, err);
}

/* Measured with tests/bench: a checkpoint every 4,000 pages (16 MB) gives 10 to 30 % more steps per
 * second than SQLite's 1,000; larger caches gain nothing while a task's rows fit into 8 MB. */
static int sqlite_tune(sw__sqlite *self, int durability, sw_error *err)
{
    static const char *const settings[] = {
        "PRAGMA wal_autocheckpoint = 4000", "PRAGMA journal_size_limit = 67108864",
        "PRAGMA cache_size = -8192",        "PRAGMA mmap_size = 0",
        "PRAGMA temp_store = memory",
    };
    int rc = sw__sqlite_exec(self,
                             durability == SW_DURABILITY_STRICT && !SW__PLANT(SYNC_NORMAL)
                                 ? "PRAGMA synchronous = FULL"
                                 : "PRAGMA synchronous = NORMAL",
                             NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof(settings) / sizeof(settings[0]); i++)
        rc = sw__sqlite_exec(self, settings[i], NULL);
    if (rc == SQLITE_OK)
        rc = sw__sqlite_exec(self, "PRAGMA page_size", &self->page_size);
    if (rc == SQLITE_OK && SW__PLANT(SYNC_OFF))
        rc = sw__sqlite_exec(self, "PRAGMA synchronous = OFF", NULL);
    return rc == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, rc, err);
}

int sw__sqlite_sync_log(sw__sqlite *self, sw_error *err)
{
    sqlite3_file *log = NULL;
    sqlite3_int64 size = 0;
    int rc = sqlite3_file_control(self->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc == SQLITE_OK && log && log->pMethods)
        rc = log->pMethods->xFileSize(log, &size);
    if (rc == SQLITE_OK && size > 0)
        rc = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    return rc == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, rc, err);
}

static void sqlite_disconnect(sw__sqlite *self)
{
    sw__sqlite_finalize(self);
    sw__sqlite_opened_remove(self);
    sqlite3_close_v2(self->db);
    self->db = NULL;
}

static const sw__store_ops sqlite_ops = {.name = "sqlite",
#define SW__SQLITE_ENTRY(verb) .verb = sw__sqlite_##verb,
                                         SW__STORE_VERB_MAP(SW__SQLITE_ENTRY)
#undef SW__SQLITE_ENTRY
};

int sw__store_sqlite_open(const sw__store_options *options, sw__store **out, sw_error *err)
{
    *out = NULL;
    sw__sqlite *self = sw__calloc(options->env, 1, sizeof(*self));
    if (!self)
        return sw__fail(err, SW_ENOMEM, NULL);
    self->base = (sw__store){.ops = &sqlite_ops, .env = options->env};
    self->busy_timeout_ms = options->busy_timeout_ms;
    int rc = sqlite_copy_path(self, options->path, err);
    if (rc == SW_OK && !options->env->vfs_name)
        rc = sw__sqlite_path_check(self->path, options->must_exist, err);
    sw__sqlite_gate_enter(self);
    if (rc == SW_OK) {
        sw__sqlite_inherited_disown();
        rc = sqlite_open_file(self, options->must_exist, err);
    }
    if (rc == SW_OK)
        rc = sqlite_configure(self, err);
    if (rc == SW_OK)
        rc = sw__sqlite_schema_open(self, options->must_exist, err);
    if (rc == SW_OK)
        rc = sqlite_tune(self, options->durability, err);
    if (rc == SW_OK && options->durability == SW_DURABILITY_STRICT)
        rc = sw__sqlite_sync_log(self, err);
    if (rc == SW_OK)
        rc = sw__sqlite_prepare(self, err);
    if (rc < 0) {
        sw__sqlite_close(&self->base);
        return rc;
    }
    sw__sqlite_gate_leave(self);
    *out = &self->base;
    return SW_OK;
}

void sw__sqlite_close(sw__store *store)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__sqlite_gate_enter(self);
    sqlite_disconnect(self);
    sw__sqlite_gate_leave(self);
    sw__hasher_free(self->hasher);
    sw__free(self->base.env, self->path_real);
    sw__free(self->base.env, self);
}

/* Neither the statements nor the connection are given back: both would reach for the parent's
 * file, and sqlite_fork.c says what becomes of it. */
void sw__sqlite_forget(sw__store *store)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__hasher_free(self->hasher);
    sw__free(self->base.env, self->path_real);
    sw__free(self->base.env, self);
}

static int sqlite_fail_closed(const sw__sqlite *self, sw_error *err)
{
    return sw__fail(err, SW_EPOISONED,
                    "'%s' had to be closed after a failed rollback; open it again", self->path);
}

/* End whatever transaction is open. True when none is afterwards. */
static bool sqlite_undo(sw__sqlite *self)
{
    self->mode = SW__STORE_IDLE;
    for (int i = 0; i < 2 && self->db && !sqlite3_get_autocommit(self->db); i++) {
        SW__PROBE(ROLLED_BACK);
        sqlite3_step(self->statements[SW__SQL_ROLLBACK]);
        sqlite3_reset(self->statements[SW__SQL_ROLLBACK]);
    }
    if (self->db && !sqlite3_get_autocommit(self->db))
        sqlite_disconnect(self);
    return self->db != NULL;
}

/* After a disk was full, the log is moved into the file, where there is room for it
 * (sqlite_room.c): then it is written from its beginning and needs no more. Nobody is waited for;
 * where others prevent it, they do it. */
static int sqlite_relieve(sw__sqlite *self, sw_error *err)
{
    int rc = sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc == SQLITE_FULL)
        return sw__sqlite_fail(self, rc, err);
    self->full = false;
    return SW_OK;
}

int sw__sqlite_begin(sw__store *store, bool write, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__yield(store->env, "store.begin");
    sw__sqlite_gate_enter(self);
    if (!sqlite_undo(self)) {
        sw__sqlite_gate_leave(self);
        return sqlite_fail_closed(self, err);
    }
    int rc = write && self->full ? sqlite_relieve(self, err) : SW_OK;
    if (rc == SW_OK) {
        sw__bind bind = sw__bind_start(self, write ? SW__SQL_BEGIN_WRITE : SW__SQL_BEGIN);
        rc = sw__bind_run(self, &bind, err);
    }
    if (rc == SW_OK) {
        self->mode = write ? SW__STORE_WRITING : SW__STORE_READING;
        return SW_OK;
    }
    sqlite_undo(self);
    sw__sqlite_gate_leave(self);
    return rc;
}

int sw__sqlite_outside_begin(sw__sqlite *self, const char *place, sw_error *err)
{
    sw__yield(self->base.env, place);
    sw__sqlite_gate_enter(self);
    if (sqlite_undo(self))
        return SW_OK;
    sw__sqlite_gate_leave(self);
    return sqlite_fail_closed(self, err);
}

void sw__sqlite_outside_end(sw__sqlite *self)
{
    sqlite_undo(self);
    sw__sqlite_gate_leave(self);
}

int sw__sqlite_commit(sw__store *store, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.commit", err);
    if (rc == SW_OK && self->mode == SW__STORE_WRITING)
        rc = sw__sqlite_room_reserve(self, err);
    if (rc == SW_OK) {
        sw__bind bind = sw__bind_start(self, SW__SQL_COMMIT);
        self->committing = true;
        rc = sw__bind_run(self, &bind, err);
        self->committing = false;
    }
    sqlite_undo(self);
    sw__sqlite_gate_leave(self);
    return rc;
}

void sw__sqlite_rollback(sw__store *store)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__yield(store->env, "store.rollback");
    if (!SW__PLANT(ROLLBACK_FORGOTTEN))
        sqlite_undo(self);
    sw__sqlite_gate_leave(self);
}

static int sqlite_read_version(sw__sqlite *self, int64_t *out, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_VERSION);
    int rc = sw__bind_next(self, &bind, err);
    if (rc <= 0)
        return rc;
    *out = sqlite3_column_int64(bind.statement, 0);
    sw__bind_end(&bind);
    return SW_OK;
}

int sw__sqlite_version(sw__store *store, int64_t *out, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    sw__yield(store->env, self->mode == SW__STORE_IDLE ? "store.version" : "store.version_seen");
    if (!self->db)
        return sqlite_fail_closed(self, err);
    bool outside = !self->inside;
    sw__sqlite_gate_enter(self);
    int rc = sqlite_read_version(self, out, err);
    if (outside)
        sw__sqlite_gate_leave(self);
    return rc;
}
