/* Taking tasks out of SQLite, and giving the room back.
 *
 * The row of a task goes in one transaction with its names; its steps follow bit by bit, because a
 * task may have a million of them and nobody may wait that long for the writer's lock. Until they
 * are gone the table of rests remembers the task.
 */
#include "store/sqlite.h"

/* Run a statement whose parameters are numbers. */
static int delete_run(sw__sqlite *self, sw__sql which, const int64_t *numbers, size_t count,
                      sw_error *err)
{
    sw__bind bind = sw__bind_start(self, which);
    for (size_t i = 0; i < count; i++)
        sw__bind_int(&bind, numbers[i]);
    return sw__bind_run(self, &bind, err);
}

/* The first column of the first row: 1, 0 when there is no row, or an error. */
static int delete_ask(sw__sqlite *self, sw__sql which, const int64_t *numbers, size_t count,
                      int64_t *answer, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, which);
    for (size_t i = 0; i < count; i++)
        sw__bind_int(&bind, numbers[i]);
    int rc = sw__bind_next(self, &bind, err);
    if (rc > 0) {
        *answer = sqlite3_column_int64(bind.statement, 0);
        sw__bind_end(&bind);
    }
    return rc;
}

/* Tasks. */

int sw__sqlite_key_run(sw__sqlite *self, sw__sql which, int64_t task_no, sw_str workflow,
                       sw_str key, sw_error *err)
{
    sw__buf scope;
    if (!key.ptr || !workflow.ptr)
        return SW_OK;
    sw__buf_init(&scope, self->base.env);
    sw__key_scope(&scope, workflow, key);
    sw__bind bind = sw__bind_start(self, which);
    sw__bind_blob(&bind, scope.ptr, scope.len);
    sw__bind_int(&bind, task_no);
    int rc = scope.failed ? sw__fail(err, SW_ENOMEM, NULL) : sw__bind_run(self, &bind, err);
    sw__buf_free(&scope);
    return rc;
}

static int delete_tags(sw__sqlite *self, int64_t task_no, sw_str tags, sw_error *err)
{
    size_t at = 0;
    sw_str tag;
    int rc = SW_OK;
    while (rc == SW_OK && sw__tags_next(tags, &at, &tag)) {
        sw__bind bind = sw__bind_start(self, SW__SQL_TASK_TAG_DELETE);
        sw__bind_text(&bind, tag);
        sw__bind_int(&bind, task_no);
        rc = sw__bind_run(self, &bind, err);
    }
    return rc;
}

/* What other tables know of a task by other names than its number. */
static int delete_names(sw__sqlite *self, int64_t task_no, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_INFO_NAMES);
    sw__bind_int(&bind, task_no);
    int rc = sw__bind_next(self, &bind, err);
    if (rc <= 0)
        return rc;
    sw__column column = {.statement = bind.statement};
    sw_str key = sw__column_text(&column);
    sw_str tags = sw__column_text(&column);
    int64_t blob_no = sw__column_int(&column);
    sw_str workflow = sw__column_text(&column);
    rc = sw__sqlite_key_run(self, SW__SQL_TASK_KEY_DELETE, task_no, workflow, key, err);
    if (rc == SW_OK)
        rc = delete_tags(self, task_no, tags, err);
    if (rc == SW_OK)
        rc = sw__blob_release(self, blob_no, err);
    sw__bind_end(&bind);
    return rc;
}

static int delete_task(sw__sqlite *self, int64_t task_no, sw_error *err)
{
    const int64_t between[] = {SW__STEP_ID(task_no, 0), SW__DEADLINE_TASK(task_no)};
    int rc = delete_names(self, task_no, err);
    if (rc == SW_OK)
        rc = delete_run(self, SW__SQL_DEADLINES_DELETE, between, 2, err);
    if (rc == SW_OK)
        rc = sw__sqlite_events_strip(self, task_no, err);
    if (rc == SW_OK)
        rc = delete_run(self, SW__SQL_TASK_INFO_DELETE, &task_no, 1, err);
    if (rc == SW_OK)
        rc = delete_run(self, SW__SQL_TASK_DELETE, &task_no, 1, err);
    if (rc == SW_OK && sqlite3_changes(self->db) == 0)
        return sw__fail(err, SW_ENOTFOUND, "task %lld is not stored", (long long)task_no);
    return rc == SW_OK ? delete_run(self, SW__SQL_REST_PUT, &task_no, 1, err) : rc;
}

int sw__sqlite_tasks_delete(sw__store *store, const int64_t *task_nos, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.tasks_delete", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = delete_task(self, task_nos[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

/* Rests. */

static int rest_blobs(sw__sqlite *self, const int64_t *between, sw_error *err)
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

/* Take out the steps with numbers from between[0] to between[1], and what hangs at them. */
static int rest_steps(sw__sqlite *self, const int64_t *between, int64_t *steps, sw_error *err)
{
    int rc = rest_blobs(self, between, err);
    if (rc == SW_OK)
        rc = delete_run(self, SW__SQL_REST_RESULTS_DELETE, between, 2, err);
    if (rc == SW_OK)
        rc = delete_run(self, SW__SQL_REST_FAILURES_DELETE, between, 2, err);
    if (rc == SW_OK)
        rc = delete_run(self, SW__SQL_REST_STEPS_DELETE, between, 2, err);
    *steps += rc == SW_OK ? sqlite3_changes(self->db) : 0;
    return rc;
}

/* Some steps of a rest; the rest itself when no more are there. */
static int rest_take(sw__sqlite *self, int64_t task_no, int64_t step_max, int64_t *steps,
                     sw_error *err)
{
    if (task_no < 1 || task_no > INT64_MAX >> SW__STEP_BITS)
        return sw__fail(err, SW_ECORRUPT, "the table of rests names task %lld, which cannot be",
                        (long long)task_no);
    int64_t last = SW__STEP_ID(task_no, (1 << SW__STEP_BITS) - 1);
    int64_t between[] = {SW__STEP_ID(task_no, 0), last};
    int rc = delete_ask(self, SW__SQL_REST_STEP, between, 2, &between[0], err);
    if (rc == 0)
        return delete_run(self, SW__SQL_REST_DELETE, &task_no, 1, err);
    if (rc > 0) {
        between[1] = last - between[0] < step_max ? last : between[0] + step_max - 1;
        rc = rest_steps(self, between, steps, err);
    }
    return rc;
}

int sw__sqlite_rests_delete(sw__store *store, int64_t step_max, bool *left, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int64_t steps = 0;
    int64_t task_no = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.rests_delete", err);
    *left = false;
    if (rc < 0)
        return rc;
    while ((rc = delete_ask(self, SW__SQL_REST_FIRST, NULL, 0, &task_no, err)) > 0) {
        *left = steps >= step_max;
        rc = *left ? SW_OK : rest_take(self, task_no, step_max - steps, &steps, err);
        if (rc < 0 || *left)
            return rc;
    }
    return rc;
}

int sw__sqlite_rest_find(sw__store *store, int64_t task_no, bool *found, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int64_t one = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.rest_find", err);
    if (rc == SW_OK)
        rc = delete_ask(self, SW__SQL_REST_FIND, &task_no, 1, &one, err);
    *found = rc > 0;
    return rc < 0 ? rc : SW_OK;
}

/* Room. */

static int shrink_vacuum(sw__sqlite *self, sw_error *err)
{
    int rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_VACUUM);
    do {
        rc = sw__bind_next(self, &bind, err);
    } while (rc > 0);
    return rc;
}

/* The file itself becomes shorter when its log is next moved into it. */
int sw__sqlite_shrink(sw__store *store, int64_t *bytes, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int64_t before = 0;
    int64_t after = 0;
    int64_t size = 0;
    *bytes = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.shrink", err);
    if (rc == SW_OK)
        rc = delete_ask(self, SW__SQL_PAGE_COUNT, NULL, 0, &before, err);
    if (rc >= 0)
        rc = shrink_vacuum(self, err);
    if (rc >= 0)
        rc = delete_ask(self, SW__SQL_PAGE_COUNT, NULL, 0, &after, err);
    if (rc >= 0)
        rc = delete_ask(self, SW__SQL_PAGE_SIZE, NULL, 0, &size, err);
    if (rc < 0)
        return rc;
    *bytes = (before - after) * size;
    return SW_OK;
}
