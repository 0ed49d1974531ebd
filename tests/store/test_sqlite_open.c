/* Tests of opening a database file: new, old, foreign, damaged, unreachable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/str.h"
#include "helper/store_script.h"

static int prepare(void **state)
{
    store_rig *rig = malloc(sizeof(*rig));
    store_rig_prepare(rig, STORE_RIG_SQLITE);
    *state = rig;
    return 0;
}

/* Open and close; the message is left in rig->err. */
static int try_open_at(store_rig *rig, const char *path, bool must_exist)
{
    sw__store_options options = store_rig_options(rig);
    sw__store *store = NULL;
    options.path = sw__str(path);
    options.must_exist = must_exist;
    rig->err.message[0] = '\0';
    int rc = sw__store_sqlite_open(&options, &store, &rig->err);
    assert_int_equal(rc == SW_OK, store != NULL);
    if (store)
        store->ops->close(store);
    return rc;
}

static int try_open(store_rig *rig)
{
    return try_open_at(rig, rig->path, false);
}

static void assert_says(const store_rig *rig, const char *part)
{
    if (!strstr(rig->err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", rig->err.message, part);
}

static void write_file(const store_rig *rig, const char *bytes, size_t size)
{
    FILE *file = fopen(rig->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* The whole file; freed by the caller. */
static char *read_file(const store_rig *rig, size_t *size)
{
    struct stat found;
    assert_int_equal(stat(rig->path, &found), 0);
    *size = (size_t)found.st_size;
    char *bytes = malloc(*size + 1);
    FILE *file = fopen(rig->path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

/* Run SQL of another program on the file. */
static void run_sql(const store_rig *rig, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t ask_sql(const store_rig *rig, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

/* A database with rows in it, closed. */
static void make_database(store_rig *rig)
{
    store_rig_reopen(rig);
    store_fill(rig);
    rig->store->ops->close(rig->store);
    rig->store = NULL;
}

static void test_new_file_is_made(void **state)
{
    store_rig *rig = *state;
    assert_int_equal(try_open(rig), SW_OK);
    assert_int_equal(ask_sql(rig, "PRAGMA user_version"), sw__store_schema_version());
    assert_int_equal(ask_sql(rig, "PRAGMA application_id"), 1398034519);
}

static void test_zero_length_file_is_taken(void **state)
{
    store_rig *rig = *state;
    write_file(rig, "", 0);
    assert_int_equal(try_open(rig), SW_OK);
    assert_int_equal(try_open_at(rig, rig->path, true), SW_OK);
}

static void test_database_without_tables_is_taken(void **state)
{
    store_rig *rig = *state;
    run_sql(rig, "CREATE TABLE t (a); DROP TABLE t; VACUUM");
    assert_int_equal(try_open(rig), SW_OK);
    assert_int_equal(ask_sql(rig, "PRAGMA user_version"), sw__store_schema_version());
}

static void test_rows_are_there_after_reopening(void **state)
{
    store_rig *rig = *state;
    store_rig_reopen(rig);
    store_fill(rig);
    sw__buf before = store_dump(rig);
    store_rig_reopen(rig);
    sw__buf after = store_dump(rig);
    assert_string_equal((char *)after.ptr, (char *)before.ptr);
    sw__buf_free(&before);
    sw__buf_free(&after);
}

static void test_file_has_the_promised_form(void **state)
{
    store_rig *rig = *state;
    make_database(rig);
    assert_int_equal(ask_sql(rig, "PRAGMA page_size"), 4096);
    assert_int_equal(ask_sql(rig, "SELECT count(*) FROM pragma_journal_mode "
                                  "WHERE journal_mode = 'wal'"),
                     1);
    assert_int_equal(ask_sql(rig, "SELECT count(*) FROM pragma_table_list "
                                  "WHERE schema = 'main' AND type = 'table' AND NOT strict "
                                  "AND name NOT LIKE 'sqlite_%'"),
                     0);
    assert_int_equal(ask_sql(rig, "SELECT count(*) FROM pragma_index_list('step')"), 1);
    assert_int_equal(ask_sql(rig, "SELECT partial FROM pragma_index_list('step')"), 1);
    assert_int_equal(ask_sql(rig, "SELECT cid = max(cid) OVER () FROM pragma_table_info('segment') "
                                  "ORDER BY cid DESC LIMIT 1"),
                     1);
    assert_int_equal(ask_sql(rig, "SELECT name = 'body' FROM pragma_table_info('segment') "
                                  "ORDER BY cid DESC LIMIT 1"),
                     1);
}

static void test_foreign_database_is_left_alone(void **state)
{
    store_rig *rig = *state;
    size_t size_before;
    size_t size_after;
    run_sql(rig, "CREATE TABLE customer (name TEXT); INSERT INTO customer VALUES ('ann')");
    char *before = read_file(rig, &size_before);
    assert_int_equal(try_open(rig), SW_EFOREIGN);
    assert_says(rig, rig->path);
    assert_says(rig, "SQLite database of another application");
    char *after = read_file(rig, &size_after);
    assert_int_equal(size_before, size_after);
    assert_memory_equal(before, after, size_before);
    free(before);
    free(after);
}

static void test_database_of_another_application_is_foreign(void **state)
{
    store_rig *rig = *state;
    run_sql(rig, "PRAGMA application_id = 252006674");
    assert_int_equal(try_open(rig), SW_EFOREIGN);
    assert_says(rig, "application_id 252006674");
}

static void test_database_with_a_version_and_no_tables_is_foreign(void **state)
{
    store_rig *rig = *state;
    run_sql(rig, "PRAGMA user_version = 3");
    assert_int_equal(try_open(rig), SW_EFOREIGN);
}

static void test_newer_schema_names_both_versions(void **state)
{
    store_rig *rig = *state;
    char expected[64];
    make_database(rig);
    run_sql(rig, "PRAGMA user_version = 4711");
    assert_int_equal(try_open(rig), SW_EVERSION);
    assert_says(rig, "schema version 4711");
    snprintf(expected, sizeof(expected), "up to %d", sw__store_schema_version());
    assert_says(rig, expected);
}

static void test_lost_version_is_damage(void **state)
{
    store_rig *rig = *state;
    make_database(rig);
    run_sql(rig, "PRAGMA user_version = 0");
    assert_int_equal(try_open(rig), SW_ECORRUPT);
    run_sql(rig, "PRAGMA user_version = -1");
    assert_int_equal(try_open(rig), SW_ECORRUPT);
}

static void test_missing_table_is_damage(void **state)
{
    store_rig *rig = *state;
    make_database(rig);
    run_sql(rig, "DROP TABLE failure");
    assert_int_equal(try_open(rig), SW_ECORRUPT);
    assert_says(rig, "failure is missing");
}

/* What runs with every row that is written, at a cost that its author chose. */
static void test_schema_that_computes_is_refused(void **state)
{
    static const char *const changes[] = {
        "CREATE INDEX evil ON step (length(printf('%.*c', 900, 'x')) + state)",
        "CREATE INDEX evil ON segment (segment_no) WHERE length(zeroblob(900)) > 3",
        "CREATE UNIQUE INDEX evil ON task_key (scope, hex(scope))",
        "ALTER TABLE step ADD COLUMN evil TEXT AS (printf('%.*c', 900, 'x')) VIRTUAL",
        "ALTER TABLE worker ADD COLUMN evil TEXT CHECK (length(zeroblob(900)) > 3)",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET "
        "sql = replace(sql, 'state INTEGER', 'state INTEGER CHECK (hex(zeroblob(9)) > 3)')",
        "DROP INDEX step_queue",
        "DROP INDEX step_queue; CREATE INDEX step_queue ON step (lane, rank)",
        "DROP TABLE lane; CREATE VIEW lane AS SELECT 2 AS lane, 'a' AS queue, 'b' AS handler",
    };
    store_rig *rig = *state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        unlink(rig->path);
        make_database(rig);
        run_sql(rig, changes[i]);
        if (try_open(rig) != SW_ECORRUPT)
            fail_msg("%s: opened", changes[i]);
        assert_says(rig, "schema of");
    }
}

static void test_what_others_add_is_left_alone(void **state)
{
    static const char *const additions[] = {
        "CREATE TABLE customer (name TEXT, CHECK (length(name) < 9))",
        "CREATE INDEX by_state ON task (state, created_us)",
        "CREATE VIEW failed AS SELECT * FROM task WHERE state = 4",
        "CREATE TRIGGER watch AFTER UPDATE ON step BEGIN SELECT 1; END",
        "ANALYZE",
    };
    store_rig *rig = *state;
    make_database(rig);
    for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++) {
        run_sql(rig, additions[i]);
        assert_int_equal(try_open(rig), SW_OK);
    }
}

static void test_garbage_is_foreign(void **state)
{
    static const char *const contents[] = {"x", "name: order\nsteps: []\n", "SQLite format 3",
                                           "#!/bin/sh\nexit 0\n"};
    store_rig *rig = *state;
    char large[8192];
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        write_file(rig, contents[i], strlen(contents[i]));
        assert_int_equal(try_open(rig), SW_EFOREIGN);
        assert_says(rig, "not a stepwell database");
        size_t size;
        char *after = read_file(rig, &size);
        assert_int_equal(size, strlen(contents[i]));
        assert_memory_equal(after, contents[i], size);
        free(after);
    }
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 37 + 11);
    write_file(rig, large, sizeof(large));
    assert_int_equal(try_open(rig), SW_EFOREIGN);
}

/* Wherever at least one page is cut off, opening or reading everything says so. */
static void test_truncated_file_is_damage(void **state)
{
    store_rig *rig = *state;
    size_t size;
    make_database(rig);
    char *whole = read_file(rig, &size);
    for (size_t cut = 100; cut + 4096 <= size; cut += 1999) {
        write_file(rig, whole, cut);
        sw__store_options options = store_rig_options(rig);
        int rc = sw__store_sqlite_open(&options, &rig->store, &rig->err);
        if (rc == SW_OK) {
            store_begin(rig, false);
            rc = store_read_all(rig);
            store_rollback(rig);
            rig->store->ops->close(rig->store);
            rig->store = NULL;
        }
        if (rc != SW_ECORRUPT && rc != SW_EFOREIGN)
            fail_msg("cut to %zu of %zu bytes: code %d", cut, size, rc);
    }
    free(whole);
}

/* Flip bytes here and there: never a crash, never an endless loop, always a known code. */
static void test_damaged_file_never_crashes(void **state)
{
    store_rig *rig = *state;
    size_t size;
    make_database(rig);
    char *whole = read_file(rig, &size);
    unsigned random = 12345;
    for (int round = 0; round < 150; round++) {
        char *damaged = malloc(size);
        memcpy(damaged, whole, size);
        for (int i = 0; i < 20; i++) {
            random = random * 1103515245u + 12345u;
            damaged[(random >> 8) % size] = (char)(random >> 3);
        }
        write_file(rig, damaged, size);
        free(damaged);
        sw__store_options options = store_rig_options(rig);
        if (sw__store_sqlite_open(&options, &rig->store, &rig->err) != SW_OK)
            continue;
        if (rig->store->ops->begin(rig->store, true, &rig->err) == SW_OK) {
            (void)store_read_all(rig);
            (void)store_write_all(rig);
        }
        store_rollback(rig);
        rig->store->ops->close(rig->store);
        rig->store = NULL;
    }
    free(whole);
}

static void test_folder_is_refused(void **state)
{
    store_rig *rig = *state;
    assert_int_equal(try_open_at(rig, rig->folder, false), SW_EFOREIGN);
    assert_says(rig, "is a folder");
}

static void test_pipes_and_devices_are_refused(void **state)
{
    store_rig *rig = *state;
    assert_int_equal(mkfifo(rig->path, 0600), 0);
    assert_int_equal(try_open(rig), SW_EFOREIGN);
    assert_says(rig, "is a pipe");
    assert_int_equal(try_open_at(rig, "/dev/null", false), SW_EFOREIGN);
    assert_says(rig, "is a device");
}

static void test_missing_things_are_named(void **state)
{
    store_rig *rig = *state;
    char path[200];
    assert_int_equal(try_open_at(rig, rig->path, true), SW_ENOTFOUND);
    assert_says(rig, "there is no database at");
    assert_int_not_equal(access(rig->path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/no/such.db", rig->folder);
    assert_int_equal(try_open_at(rig, path, false), SW_ENOTFOUND);
    assert_says(rig, "/no' does not exist");
    assert_int_equal(try_open_at(rig, path, true), SW_ENOTFOUND);
    write_file(rig, "", 0);
    assert_int_equal(try_open_at(rig, rig->path, true), SW_ENOTFOUND);
    assert_says(rig, "is empty");
    snprintf(path, sizeof(path), "%s/below.db", rig->path);
    assert_int_equal(try_open_at(rig, path, false), SW_ENOTFOUND);
    assert_says(rig, "a part of its path is a file");
}

static void test_odd_paths_are_refused(void **state)
{
    store_rig *rig = *state;
    char long_path[6000];
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(try_open_at(rig, "", false), SW_EINVAL);
    assert_int_equal(try_open_at(rig, NULL, false), SW_EINVAL);
    assert_int_equal(try_open_at(rig, long_path, false), SW_EINVAL);
    sw__store_options options = store_rig_options(rig);
    sw__store *store = NULL;
    options.path = (sw_str){"a\0b", 3};
    assert_int_equal(sw__store_sqlite_open(&options, &store, &rig->err), SW_EINVAL);
}

/* SQLite gives these names a meaning of their own; here they are names of files. */
static void test_names_of_files_are_only_that(void **state)
{
    static const char *const names[] = {":memory:", "file:x.db?mode=memory", "x y'\"%.db"};
    store_rig *rig = *state;
    char here[256];
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(rig->folder), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(try_open_at(rig, names[i], false), SW_OK);
        assert_int_equal(access(names[i], F_OK), 0);
        unlink(names[i]);
    }
    assert_int_equal(chdir(here), 0);
}

static void test_new_file_obeys_umask(void **state)
{
    store_rig *rig = *state;
    struct stat found;
    mode_t before = umask(0077);
    assert_int_equal(try_open(rig), SW_OK);
    umask(before);
    assert_int_equal(stat(rig->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
}

/* As somebody whom permissions hold back, in a process of its own: 0 when code and text fit. */
static int as_nobody(store_rig *rig, int expected, const char *part)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
            _exit(3);
        int rc = try_open(rig);
        _exit(rc != expected ? 1 : strstr(rig->err.message, part) ? 0 : 2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_permissions_are_explained(void **state)
{
    store_rig *rig = *state;
    make_database(rig);
    assert_int_equal(chmod(rig->folder, 0777), 0);
    assert_int_equal(chmod(rig->path, 0000), 0);
    assert_int_equal(as_nobody(rig, SW_EACCESS, "cannot be read and written"), 0);
    assert_int_equal(chmod(rig->path, 0444), 0);
    assert_int_equal(as_nobody(rig, SW_EACCESS, "cannot be written"), 0);
    assert_int_equal(chmod(rig->path, 0666), 0);
    assert_int_equal(as_nobody(rig, SW_OK, ""), 0);
    assert_int_equal(chmod(rig->folder, 0555), 0);
    assert_int_equal(as_nobody(rig, SW_EACCESS, "cannot be written"), 0);
    assert_int_equal(chmod(rig->folder, 0000), 0);
    assert_int_equal(as_nobody(rig, SW_EACCESS, "permission denied on a folder"), 0);
    assert_int_equal(chmod(rig->folder, 0555), 0);
    assert_int_equal(unlink(rig->path), 0);
    assert_int_equal(as_nobody(rig, SW_EACCESS, "cannot be created"), 0);
    assert_int_equal(chmod(rig->folder, 0700), 0);
}

#define OPEN_TEST(function)                                                                        \
    {                                                                                              \
#function, function, prepare, store_rig_teardown, NULL                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(test_new_file_is_made),
        OPEN_TEST(test_zero_length_file_is_taken),
        OPEN_TEST(test_database_without_tables_is_taken),
        OPEN_TEST(test_rows_are_there_after_reopening),
        OPEN_TEST(test_file_has_the_promised_form),
        OPEN_TEST(test_foreign_database_is_left_alone),
        OPEN_TEST(test_database_of_another_application_is_foreign),
        OPEN_TEST(test_database_with_a_version_and_no_tables_is_foreign),
        OPEN_TEST(test_newer_schema_names_both_versions),
        OPEN_TEST(test_lost_version_is_damage),
        OPEN_TEST(test_missing_table_is_damage),
        OPEN_TEST(test_schema_that_computes_is_refused),
        OPEN_TEST(test_what_others_add_is_left_alone),
        OPEN_TEST(test_garbage_is_foreign),
        OPEN_TEST(test_truncated_file_is_damage),
        OPEN_TEST(test_damaged_file_never_crashes),
        OPEN_TEST(test_folder_is_refused),
        OPEN_TEST(test_pipes_and_devices_are_refused),
        OPEN_TEST(test_missing_things_are_named),
        OPEN_TEST(test_odd_paths_are_refused),
        OPEN_TEST(test_names_of_files_are_only_that),
        OPEN_TEST(test_new_file_obeys_umask),
        OPEN_TEST(test_permissions_are_explained),
    };
    return cmocka_run_group_tests_name("sqlite_open", tests, NULL, NULL);
}
