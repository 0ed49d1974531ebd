/* Steps in SQLite: the narrow row that changes with every transition, and the lines.
 *
 * An update names lane and rank every time: SQLite leaves the index alone for a step that stands
 * in no line before and after.
 */
#include "store/sqlite.h"

#include "base/plant.h"

static void step_bind(sw__bind *bind, const sw__step_hot *row)
{
    sw__bind_int(bind, row->state);
    sw__bind_int(bind, row->open_deps);
    sw__bind_int(bind, row->attempt);
    sw__bind_int(bind, row->crashes);
    sw__bind_int(bind, row->epoch);
    sw__bind_int(bind, row->lane);
    sw__bind_int(bind, row->rank);
    sw__bind_int(bind, row->changed_us);
}

/* SW__COLUMNS_STEP in their order: of a statement (sw__column) or of a walk (sw__row). */
#define STEP_READ(kind, from, step)                                                                \
    do {                                                                                           \
        (step)->step_id = kind##_int(from);                                                        \
        (step)->state = kind##_int32(from);                                                        \
        (step)->open_deps = kind##_int32(from);                                                    \
        (step)->attempt = kind##_int32(from);                                                      \
        (step)->crashes = kind##_int32(from);                                                      \
        (step)->epoch = kind##_int(from);                                                          \
        (step)->lane = kind##_int(from);                                                           \
        (step)->rank = kind##_int(from);                                                           \
        (step)->changed_us = kind##_int(from);                                                     \
    } while (0)

int sw__sqlite_steps_insert(sw__store *store, const sw__step_hot *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.steps_insert", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_STEP_INSERT);
        sw__bind_int(&bind, rows[i].step_id);
        step_bind(&bind, &rows[i]);
        rc = sw__bind_run(self, &bind, err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__sqlite_steps_get(sw__store *store, const int64_t *step_ids, size_t count,
                         sw__step_hot *rows, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.steps_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_STEP_GET);
        sw__bind_int(&bind, step_ids[i]);
        rc = sw__bind_next(self, &bind, err);
        if (rc == 1) {
            sw__column column = {.statement = bind.statement};
            STEP_READ(sw__column, &column, &rows[i]);
            sw__bind_end(&bind);
            rc = SW_OK;
        } else {
            rows[i] = (sw__step_hot){.step_id = -1};
        }
    }
    return rc;
}

int sw__sqlite_steps_update(sw__store *store, const sw__step_hot *rows, size_t count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.steps_update", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        sw__bind bind = sw__bind_start(self, SW__SQL_STEP_UPDATE);
        step_bind(&bind, &rows[i]);
        sw__bind_int(&bind, rows[i].step_id);
        rc = sw__bind_run(self, &bind, err);
        if (rc == SW_ENOMEM && SW__PLANT(MEMORY_SWALLOWED))
            continue;
        if (rc == SW_OK && sqlite3_changes(self->db) == 0)
            rc = sw__fail(err, SW_ENOTFOUND, "step %lld is not stored", (long long)rows[i].step_id);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

typedef struct step_walk {
    sw__step_visit visit;
    void *context;
} step_walk;

static int step_visit(void *context, sw__row *row, sw_error *err)
{
    const step_walk *walk = context;
    sw__step_hot step;
    STEP_READ(sw__row, row, &step);
    return walk->visit(walk->context, &step, err);
}

int sw__sqlite_steps_each(sw__store *store, int64_t task_no, sw__step_visit visit, void *context,
                          sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    step_walk walk = {.visit = visit, .context = context};
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.steps_each", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_STEP_EACH);
    sw__bind_int(&bind, task_no > 0 ? SW__STEP_ID(task_no, 0) : INT64_MIN);
    sw__bind_int(&bind, task_no > 0 ? SW__STEP_ID(task_no, SW__STEP_INDEX(-1)) : INT64_MAX);
    rc = sw__bind_each(self, &bind, step_visit, &walk, err);
    return rc < 0 ? rc : SW_OK;
}

/* The rows of a bound scan of a line, each behind the one before; after is where the scan begins.
 */
static int step_queue_read(sw__sqlite *self, sw__bind *bind, sw__queued after, sw__queued *rows,
                           size_t *count, sw_error *err)
{
    int rc;
    while ((rc = sw__bind_next(self, bind, err)) > 0) {
        sw__column column = {.statement = bind->statement};
        sw__queued row = {.step_id = sw__column_int(&column)};
        row.rank = sw__column_int(&column);
        if (row.rank < after.rank || (row.rank == after.rank && row.step_id <= after.step_id)) {
            sw__bind_end(bind);
            return sw__sqlite_fail_order(self, err);
        }
        after = rows[(*count)++] = row;
    }
    return rc;
}

static int64_t step_queue_limit(size_t limit)
{
    return limit < INT64_MAX ? (int64_t)limit : INT64_MAX;
}

int sw__sqlite_queue_scan(sw__store *store, int64_t lane, int64_t rank_max, sw__queued *rows,
                          size_t limit, size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    *count = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.queue_scan", err);
    if (rc < 0 || limit == 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_QUEUE_SCAN);
    sw__bind_int(&bind, lane);
    sw__bind_int(&bind, rank_max);
    sw__bind_int(&bind, step_queue_limit(limit));
    sw__queued before_all = {.step_id = INT64_MIN, .rank = INT64_MIN};
    return step_queue_read(self, &bind, before_all, rows, count, err);
}

int sw__sqlite_queue_after(sw__store *store, int64_t lane, sw__queued after, int64_t rank_max,
                           sw__queued *rows, size_t limit, size_t *count, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    *count = 0;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.queue_after", err);
    if (rc < 0 || limit == 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_QUEUE_AFTER);
    sw__bind_int(&bind, lane);
    sw__bind_int(&bind, after.rank);
    sw__bind_int(&bind, after.step_id);
    sw__bind_int(&bind, rank_max);
    sw__bind_int(&bind, step_queue_limit(limit));
    return step_queue_read(self, &bind, after, rows, count, err);
}

#undef STEP_READ
