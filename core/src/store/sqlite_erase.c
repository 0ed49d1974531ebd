/* Destroying the payloads of tasks in SQLite, whose rows stay; and every copy of what was
 * destroyed.
 *
 * What a page no longer holds stays readable in it until it is written over, and in the log until
 * that is emptied. secure_delete has what is deleted overwritten; what was moved about before, only
 * writing the whole file anew takes away.
 */
#include "base/plant.h"
#include "store/sqlite.h"

static int erase_run(sw__sqlite *self, sw__sql which, const int64_t *numbers, size_t count,
                     sw_error *err)
{
    sw__bind bind = sw__bind_start(self, which);
    for (size_t i = 0; i < count; i++)
        sw__bind_int(&bind, numbers[i]);
    return sw__bind_run(self, &bind, err);
}

/* Give up every blob that the rows of a statement name. */
static int erase_blobs(sw__sqlite *self, const int64_t *between, sw_error *err)
{
    int rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_REST_BLOBS);
    sw__bind_int(&bind, between[0]);
    sw__bind_int(&bind, between[1]);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        rc = sw__blob_release(self, sqlite3_column_int64(bind.statement, 0), err);
        if (rc < 0) {
            sw__bind_end(&bind);
            return rc;
        }
    }
    return rc;
}

static int erase_input(sw__sqlite *self, int64_t task_no, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INFO_NAMES);
    sw__bind_int(&bind, task_no);
    int rc = sw__bind_next(self, &bind, err);
    if (rc == 0)
        return sw__fail(err, SW_ENOTFOUND, "task %lld is not stored", (long long)task_no);
    if (rc < 0)
        return rc;
    sw__column column = {.statement = bind.statement};
    sw_str key = sw__column_text(&column);
    sw__column_text(&column); /* tags */
    int64_t blob_no = sw__column_int(&column);
    sw_str workflow = sw__column_text(&column);
    /* The key keeps the name of the task, and forgets what its input was. */
    rc = sw__sqlite_key_run(self, SW__SQL_TASK_KEY_ERASE, task_no, workflow, key, err);
    sw__bind_end(&bind);
    if (rc < 0)
        return rc;
    rc = sw__blob_release(self, blob_no, err);
    bind = sw__bind_start(self, SW__SQL_TASK_INFO_ERASE);
    sw__bind_int(&bind, task_no);
    sw__bind_blob(&bind, sw__salt_erased, sizeof(sw__salt_erased));
    return rc == SW_OK ? sw__bind_run(self, &bind, err) : rc;
}

static int erase_task(sw__sqlite *self, int64_t task_no, sw_error *err)
{
    const int64_t between[] = {SW__STEP_ID(task_no, 0),
                               SW__STEP_ID(task_no, (1 << SW__STEP_BITS) - 1)};
    int rc = erase_input(self, task_no, err);
    if (rc == SW_OK)
        rc = erase_blobs(self, between, err);
    if (rc == SW_OK && !SW__PLANT(ERASE_RESULTS))
        rc = erase_run(self, SW__SQL_REST_RESULTS_DELETE, between, 2, err);
    if (rc == SW_OK)
        rc = erase_run(self, SW__SQL_REST_FAILURES_DELETE, between, 2, err);
    return rc == SW_OK && !SW__PLANT(ERASE_EVENTS) ? sw__sqlite_events_strip(self, task_no, err)
                                                   : rc;
}

static int erase_setting(sw__sqlite *self, const char *sql, int64_t *out, sw_error *err)
{
    int rc = sw__sqlite_exec(self, sql, out);
    return rc == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, rc, err);
}

static int erase_rows(sw__sqlite *self, const int64_t *task_nos, size_t count, sw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int rc = erase_task(self, task_nos[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return sw__sqlite_projections_forget(self, err);
}

/* The setting is of the connection, which others use next, also after a failure. */
int sw__sqlite_tasks_erase(sw__store *store, const int64_t *task_nos, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int64_t before = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.tasks_erase", err);
    if (rc == SW_OK)
        rc = erase_setting(self, "PRAGMA secure_delete", &before, err);
    if (rc == SW_OK)
        rc = erase_setting(self, "PRAGMA secure_delete = ON", NULL, err);
    if (rc < 0)
        return rc;
    rc = erase_rows(self, task_nos, count, err);
    if (before == 0) {
        sw_error last;
        int restored =
            erase_setting(self, "PRAGMA secure_delete = OFF", NULL, rc < 0 ? &last : err);
        rc = rc < 0 ? rc : restored;
    }
    return rc;
}

/* The setting for temporary files is of the connection: a copy of the whole file does not belong
 * into memory. A machine that is simulated has no other place. */
static int scrub_rewrite(sw__sqlite *self)
{
    bool files = !self->base.env->vfs_name;
    int rc = files ? sw__sqlite_exec(self, "PRAGMA temp_store = file", NULL) : SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = sw__sqlite_exec(self, "VACUUM", NULL);
    int kept = files ? sw__sqlite_exec(self, "PRAGMA temp_store = memory", NULL) : SQLITE_OK;
    return rc == SQLITE_OK ? kept : rc;
}

/* SQLite cuts the log off after its last sync: a machine that stops now could bring it back, with
 * whatever was written to it since it was emptied last. */
static int scrub_log(sw__sqlite *self)
{
    sqlite3_file *log = NULL;
    int rc = sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_file_control(self->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc == SQLITE_OK && log && log->pMethods)
        rc = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    return rc;
}

int sw__sqlite_scrub(sw__store *store, bool *clean, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    *clean = SW__PLANT(ERASE_COPIES);
    if (*clean)
        return SW_OK;
    int rc = sw__sqlite_outside_begin(self, "store.scrub", err);
    if (rc < 0)
        return rc;
    int code = scrub_rewrite(self);
    if (code == SQLITE_OK) {
        code = scrub_log(self);
        *clean = code == SQLITE_OK;
        if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
            code = SQLITE_OK; /* others read what was before */
    }
    rc = code == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, code, err);
    sw__sqlite_outside_end(self);
    return rc;
}
