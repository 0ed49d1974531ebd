/* A database file from anywhere: one that the library made, changed as the bytes say, then opened
 * and used through the public interface. Errors of the list are the answer, never a crash, an
 * endless loop or endless memory.
 *
 * Changes are of two kinds: rows written with SQL by somebody who knows the schema but not the
 * rules, and bytes overwritten in the file or in its write-ahead log.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz/database_image.h"
#include "fuzz/memory_vfs.h"

#define COLUMNS_MAX 256
#define SQL_VALUE_MAX 1000000 /* bytes that the changes may make of one value */

typedef struct database_column {
    char table[32];
    char name[32];
} database_column;

static database_column columns[COLUMNS_MAX];
static size_t column_count;

static void columns_read(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    fuzz_require(sqlite3_open(DATABASE_FILE, &db) == SQLITE_OK, "SQLite opens nothing");
    int rc = sqlite3_prepare_v2(db,
                                "SELECT m.name, c.name FROM sqlite_schema AS m, "
                                "pragma_table_info(m.name) AS c WHERE m.type = 'table' "
                                "UNION ALL SELECT 'sqlite_schema', name "
                                "FROM pragma_table_info('sqlite_schema')",
                                -1, &rows, NULL);
    fuzz_require(rc == SQLITE_OK, "SQLite says: %s", sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW && column_count < COLUMNS_MAX) {
        database_column *column = &columns[column_count++];
        snprintf(column->table, sizeof(column->table), "%s", sqlite3_column_text(rows, 0));
        snprintf(column->name, sizeof(column->name), "%s", sqlite3_column_text(rows, 1));
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    fuzz_require(column_count > 50 && column_count < COLUMNS_MAX, "%zu columns", column_count);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    memory_vfs_register();
    database_images_make();
    columns_read();
    return 0;
}

/* Changes. */

static void value_bind(fuzz_bytes *bytes, sqlite3_stmt *statement)
{
    static const int64_t numbers[] = {0, 1, -1, 8, 9, INT32_MAX, INT64_MAX, INT64_MIN};
    static const char *const texts[] = {"", "{}", "[1]", "{\"a\":1}", "[\"w.top\"]", "null"};
    sw_str text;
    switch (fuzz_pick(bytes, 7)) {
    case 0:
        sqlite3_bind_int64(statement, 1, numbers[fuzz_pick(bytes, 8)]);
        break;
    case 1:
        sqlite3_bind_int64(statement, 1, (int64_t)fuzz_take(bytes, 8));
        break;
    case 2:
        text = sw__str(texts[fuzz_pick(bytes, 6)]);
        sqlite3_bind_text(statement, 1, text.ptr, (int)text.len, SQLITE_STATIC);
        break;
    case 3:
        text = fuzz_take_text(bytes, 64);
        sqlite3_bind_text(statement, 1, text.ptr, (int)text.len, SQLITE_STATIC);
        break;
    case 4:
        text = fuzz_take_text(bytes, 64);
        sqlite3_bind_blob(statement, 1, text.ptr, (int)text.len, SQLITE_STATIC);
        break;
    case 5:
        sqlite3_bind_zeroblob(statement, 1, (int)fuzz_pick(bytes, 100));
        break;
    default:
        sqlite3_bind_null(statement, 1);
    }
}

/* Things that are none of the library's. Their values are refused here by the limit on lengths, at
 * once: printf() would count to 900000000 first. */
static void schema_change(fuzz_bytes *bytes, sqlite3 *db)
{
    static const char *const changes[] = {
        "CREATE INDEX evil ON step (length(hex(zeroblob(450000000))) + state)",
        "CREATE INDEX evil ON segment (segment_no) WHERE length(zeroblob(900000000)) > 3",
        "ALTER TABLE step ADD COLUMN evil TEXT AS (hex(zeroblob(450000000))) VIRTUAL",
        "ALTER TABLE worker ADD COLUMN evil TEXT CHECK (length(zeroblob(900000000)) > 3)",
        "DROP TABLE lane; CREATE VIEW lane AS SELECT 2 AS lane, 'a' AS queue, 'b' AS handler",
        "CREATE TRIGGER evil AFTER UPDATE ON step BEGIN DELETE FROM step; END",
        "CREATE UNIQUE INDEX evil ON step (state)",
        "CREATE TABLE other (a)",
    };
    size_t which = fuzz_pick(bytes, sizeof(changes) / sizeof(changes[0]));
    /* Making them must not cost what using them would. */
    sqlite3_exec(db, which < 2 ? "DELETE FROM step; DELETE FROM segment" : "", NULL, NULL, NULL);
    sqlite3_exec(db, changes[which], NULL, NULL, NULL);
}

/* Write a column of one row or of all, or remove a row. What SQLite refuses stays as it is. */
static void row_change(fuzz_bytes *bytes, sqlite3 *db)
{
    char sql[256];
    char where[96] = "";
    sqlite3_stmt *statement = NULL;
    const database_column *column = &columns[fuzz_pick(bytes, column_count)];
    size_t row = fuzz_pick(bytes, 32);
    if (row == 31) {
        schema_change(bytes, db);
        return;
    }
    if (row < 15)
        snprintf(where, sizeof(where), " WHERE rowid = (SELECT rowid FROM %s LIMIT 1 OFFSET %zu)",
                 column->table, row);
    if (fuzz_pick(bytes, 8) == 7)
        snprintf(sql, sizeof(sql), "DELETE FROM %s%s", column->table, where);
    else
        snprintf(sql, sizeof(sql), "UPDATE %s SET %s = ?1%s", column->table, column->name, where);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
        value_bind(bytes, statement);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
}

static void rows_change(fuzz_bytes *bytes, size_t count)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(DATABASE_FILE, &db) == SQLITE_OK) {
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, SQL_VALUE_MAX);
        sqlite3_exec(db,
                     "PRAGMA writable_schema = ON; PRAGMA ignore_check_constraints = ON;"
                     "PRAGMA synchronous = OFF; BEGIN",
                     NULL, NULL, NULL);
        for (size_t i = 0; i < count; i++)
            row_change(bytes, db);
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    sqlite3_close(db);
}

/* Overwrite a few bytes, mostly such that mean something; or cut the file. */
static void bytes_change(fuzz_bytes *bytes, const database_image *image, uint8_t *file,
                         size_t *file_size, uint8_t *log, size_t *log_size)
{
    size_t place = (size_t)fuzz_take(bytes, 2);
    size_t kind = fuzz_pick(bytes, 16);
    sw_str text = fuzz_take_text(bytes, 8);
    if (kind == 15 && *file_size > 0) {
        *file_size = place * 16 % *file_size;
        return;
    }
    if (kind == 14 && *log_size > 0) {
        *log_size = place * 16 % *log_size;
        return;
    }
    size_t at = image->places[place % image->place_count];
    for (size_t i = 0; i < text.len; i++, at++) {
        if (at < *file_size)
            file[at] = (uint8_t)text.ptr[i];
        else if (at >= image->file_size && at - image->file_size < *log_size)
            log[at - image->file_size] = (uint8_t)text.ptr[i];
    }
}

static void database_put(fuzz_bytes *bytes)
{
    uint64_t head = fuzz_take(bytes, 1);
    const database_image *image = head & 1 ? &database_torn : &database_closed;
    size_t row_changes = head >> 1 & 7;
    size_t byte_changes = head >> 4;
    memory_vfs_reset();
    memory_vfs_put(DATABASE_FILE, image->file, image->file_size);
    if (image->log_size > 0)
        memory_vfs_put(DATABASE_LOG, image->log, image->log_size);
    if (row_changes > 0)
        rows_change(bytes, row_changes);
    if (byte_changes == 0)
        return;
    size_t file_size;
    size_t log_size;
    uint8_t *file = database_copy(DATABASE_FILE, &file_size);
    uint8_t *log = database_copy(DATABASE_LOG, &log_size);
    for (size_t i = 0; i < byte_changes; i++)
        bytes_change(bytes, image, file, &file_size, log, &log_size);
    memory_vfs_put(DATABASE_FILE, file, file_size);
    if (log_size > 0)
        memory_vfs_put(DATABASE_LOG, log, log_size);
    free(file);
    free(log);
}

/* Use. */

typedef struct database_use {
    sw_engine *engine;
    sw_worker_ref worker;
    sw_result *last; /* of the newest exchange */
    sw_error err;
} database_use;

/* result may be NULL; what it points to is released. */
static void use_check(const database_use *use, int rc, sw_result **result)
{
    fuzz_check_error(rc, &use->err);
    fuzz_require(rc == SW_OK || !result || !*result, "%s with a result", sw_code_name(rc));
    fuzz_require(rc != SW_EPOISONED && rc != SW_ENOMEM && rc != SW_EFORKED && rc != SW_ECLOSED,
                 "%s: %s", sw_code_name(rc), use->err.message);
    if (!result)
        return;
    sw_result_free(*result);
    *result = NULL;
}

static void use_reading(database_use *use)
{
    sw_result *result = NULL;
    sw_workflow *workflow = NULL;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    use_check(use, sw_engine_info_get(use->engine, &info, &use->err), NULL);
    use_check(use, sw_task_list(use->engine, &filter, &result, &use->err), &result);
    filter.tag = sw__str("red");
    filter.correlation_id = sw__str("c");
    filter.workflow = sw__str("w");
    use_check(use, sw_task_count(use->engine, &filter, counts, &use->err), NULL);
    use_check(use, sw_worker_list(use->engine, &result, &use->err), &result);
    use_check(use, sw_audit_list(use->engine, 3, 1000, &result, &use->err), &result);
    use_check(use, sw_workflow_get(use->engine, filter.workflow, (sw_str){0}, &workflow, &use->err),
              NULL);
    sw_workflow_free(workflow);
}

static void use_tasks(database_use *use)
{
    sw_result *result = NULL;
    sw_forecast_options forecast = SW_FORECAST_OPTIONS_INIT;
    forecast.draws = 10;
    for (size_t i = 0; i < DATABASE_TASKS; i++) {
        const sw_uuid *id = &database_tasks[i];
        use_check(use, sw_task_get(use->engine, id, &result, &use->err), &result);
        use_check(use, sw_step_explain(use->engine, id, (sw_str){0}, &result, &use->err), &result);
        use_check(use, sw_step_explain(use->engine, id, sw__str("left"), &result, &use->err),
                  &result);
        use_check(use, sw_audit_task(use->engine, id, &result, &use->err), &result);
        use_check(use, sw_task_forecast(use->engine, &forecast, id, &result, &use->err), &result);
    }
}

static void use_verify(database_use *use)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    use_check(use, sw_audit_verify(use->engine, &report, &use->err), NULL);
}

static void use_submit(database_use *use)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .key = SW__LIT("key")};
    row.input = sw__str("{\"n\":1}");
    use_check(use, sw_task_submit(use->engine, &row, 1, &result, &use->err), &result);
    row.key = (sw_str){0};
    use_check(use, sw_task_submit(use->engine, &row, 1, &result, &use->err), &result);
}

static void use_exchange(database_use *use, int outcome)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_step_outcome rows[16];
    const sw_step_claim *claims = sw_step_claims(use->last, &count);
    for (size_t i = 0; i < count; i++)
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id, .epoch = claims[i].epoch, .outcome = outcome};
    int rc = sw_step_exchange(use->engine, &use->worker, rows, count, 16, 0, &result, &use->err);
    use_check(use, rc, NULL);
    fuzz_require(rc == SW_OK || !result, "%s with a result", sw_code_name(rc));
    sw_result_free(use->last);
    use->last = result;
}

static void use_worker(database_use *use, fuzz_world *world)
{
    sw_result *result = NULL;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.name = sw__str("eve");
    options.handlers = database_handlers;
    options.handler_count = DATABASE_HANDLERS;
    int rc = sw_worker_open(use->engine, &options, &use->worker, &use->err);
    use_check(use, rc, NULL);
    if (rc < 0)
        return;
    use_exchange(use, SW_OUTCOME_SUCCEEDED);
    use_exchange(use, SW_OUTCOME_SUCCEEDED);
    fault_env_advance(&world->fault, 61 * 1000000);
    use_exchange(use, SW_OUTCOME_FAILED);
    use_check(use, sw_worker_renew(use->engine, &use->worker, NULL, 0, &result, &use->err),
              &result);
    use_exchange(use, SW_OUTCOME_FAILED_FOR_GOOD);
    use_check(use, sw_worker_close(use->engine, &use->worker, &use->err), NULL);
}

static void use_cancel(database_use *use)
{
    for (size_t i = 0; i < DATABASE_TASKS; i++) {
        sw_cancel_row row = {.task_id = database_tasks[i], .reason = SW__LIT("enough")};
        use_check(use, sw_task_cancel(use->engine, &row, 1, &use->err), NULL);
    }
}

static void database_use_all(fuzz_world *world, unsigned which)
{
    database_use use = {0};
    int rc = database_open(world, &use.engine, &use.err);
    use_check(&use, rc, NULL);
    if (rc < 0)
        return;
    if (which & 1)
        use_reading(&use);
    if (which & 2)
        use_tasks(&use);
    if (which & 4)
        use_verify(&use);
    if (which & 8)
        use_submit(&use);
    if (which & 16)
        use_worker(&use, world);
    if (which & 32)
        use_cancel(&use);
    if (which & 64)
        use_tasks(&use);
    if (which & 128)
        use_verify(&use);
    sw_result_free(use.last);
    sw_engine_close(use.engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_world world;
    fuzz_bytes bytes = {data, data + size};
    sqlite3_int64 before = sqlite3_memory_used();
    unsigned which = (unsigned)fuzz_take(&bytes, 1);
    fuzz_world_open(&world);
    sqlite3_memory_highwater(1);
    database_put(&bytes);
    database_use_all(&world, which);
    fuzz_require((size_t)sqlite3_memory_highwater(0) <= FUZZ_MEMORY_MAX, "SQLite took %lld bytes",
                 (long long)sqlite3_memory_highwater(0));
    fuzz_require(sqlite3_memory_used() == before, "SQLite keeps %lld bytes",
                 (long long)(sqlite3_memory_used() - before));
    fuzz_world_close(&world);
    return 0;
}
