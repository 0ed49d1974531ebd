/* Tests of a disk that fails at each of its operations: the caller is told, nothing is half
 * written, and no lock stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/str.h"
#include "helper/fault_vfs.h"
#include "helper/store_script.h"

static int setup(void **state)
{
    store_rig *rig = malloc(sizeof(*rig));
    fault_vfs_register();
    fault_vfs_arm(0, 0, 0, false);
    store_rig_prepare(rig, STORE_RIG_SQLITE);
    rig->fault.env.vfs_name = FAULT_VFS_NAME;
    store_rig_reopen(rig);
    store_fill(rig);
    *state = rig;
    return 0;
}

/* Another connection, which the faults do not reach, can write at once and finds a whole file. */
static void assert_free_and_whole(store_rig *rig)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void assert_dump(store_rig *rig, const sw__buf *expected)
{
    sw__buf dump = store_dump(rig);
    assert_string_equal((char *)dump.ptr, (char *)expected->ptr);
    sw__buf_free(&dump);
}

/* What a transaction with a fault in it may answer. */
static bool is_expected(int rc, int expected)
{
    return rc == expected || (expected == SW_EIO && (rc == SW_EACCESS || rc == SW_ENOMEM));
}

/* Fail operation 1, 2, ... of a transaction until it gets by; each time all or nothing is there.
 * Returns the number of failures. */
static size_t fail_each_write(store_rig *rig, int kinds, int code, int expected, bool for_ever)
{
    sw__buf before = store_dump(rig);
    size_t nth = 0;
    int rc;
    do {
        fault_vfs_arm(kinds, ++nth, code, for_ever);
        rc = store_write_through(rig);
        bool failed = fault_vfs_failed() > 0;
        fault_vfs_arm(0, 0, 0, false);
        if (rc != SW_OK && (!failed || !is_expected(rc, expected)))
            fail_msg("operation %zu: code %d: %s", nth, rc, rig->err.message);
        assert_free_and_whole(rig);
        if (rc != SW_OK)
            assert_dump(rig, &before);
    } while (rc != SW_OK);
    sw__buf_free(&before);
    return nth - 1;
}

static void reset(store_rig *rig)
{
    rig->store->ops->close(rig->store);
    rig->store = NULL;
    unlink(rig->path);
    store_rig_reopen(rig);
    store_fill(rig);
}

static void test_full_disk_is_told_and_undone(void **state)
{
    store_rig *rig = *state;
    assert_true(fail_each_write(rig, FAULT_VFS_WRITE, SQLITE_FULL, SW_EFULL, false) > 3);
    reset(rig);
    assert_true(fail_each_write(rig, FAULT_VFS_WRITE, SQLITE_FULL, SW_EFULL, true) > 3);
    reset(rig);
    fault_vfs_arm(FAULT_VFS_WRITE, 1, SQLITE_FULL, true);
    assert_int_equal(store_write_through(rig), SW_EFULL);
    fault_vfs_arm(0, 0, 0, false);
    assert_non_null(strstr(rig->err.message, "is full; free some space and try again"));
    assert_non_null(strstr(rig->err.message, rig->path));
    assert_int_equal(store_write_through(rig), SW_OK);
}

static void test_write_errors_are_told_and_undone(void **state)
{
    store_rig *rig = *state;
    assert_true(fail_each_write(rig, FAULT_VFS_WRITE, SQLITE_IOERR_WRITE, SW_EIO, false) > 3);
    reset(rig);
    assert_true(fail_each_write(rig, FAULT_VFS_WRITE, SQLITE_IOERR_WRITE, SW_EIO, true) > 3);
    reset(rig);
    fault_vfs_arm(FAULT_VFS_WRITE, 1, SQLITE_IOERR_WRITE, true);
    assert_int_equal(store_write_through(rig), SW_EIO);
    fault_vfs_arm(0, 0, 0, false);
    assert_non_null(strstr(rig->err.message, "reading or writing failed on"));
    assert_non_null(strstr(rig->err.message, "(SQLite error 778)"));
}

static void test_read_errors_are_told_and_undone(void **state)
{
    store_rig *rig = *state;
    fail_each_write(rig, FAULT_VFS_READ, SQLITE_IOERR_READ, SW_EIO, false);
    store_rig_reopen(rig);
    store_begin(rig, false);
    fault_vfs_arm(FAULT_VFS_READ, 1, SQLITE_IOERR_READ, true);
    assert_int_equal(store_read_all(rig), SW_EIO);
    fault_vfs_arm(0, 0, 0, false);
    store_rollback(rig);
    store_begin(rig, false);
    assert_int_equal(store_read_all(rig), SW_OK);
    store_commit(rig);
}

static void test_lock_errors_are_told_and_undone(void **state)
{
    store_rig *rig = *state;
    assert_true(fail_each_write(rig, FAULT_VFS_LOCK, SQLITE_IOERR_LOCK, SW_EIO, false) > 0);
    reset(rig);
    fail_each_write(rig, FAULT_VFS_LOCK, SQLITE_BUSY, SW_EBUSY, false);
}

/* In strict mode a commit that could not be synced is not acknowledged. */
static void test_sync_errors_are_told_and_undone(void **state)
{
    store_rig *rig = *state;
    sw__store_options options = store_rig_options(rig);
    options.durability = SW_DURABILITY_STRICT;
    rig->store->ops->close(rig->store);
    assert_int_equal(sw__store_sqlite_open(&options, &rig->store, &rig->err), SW_OK);
    assert_true(fail_each_write(rig, FAULT_VFS_SYNC, SQLITE_IOERR_FSYNC, SW_EIO, false) > 0);
}

/* The log is moved into the file behind a commit; failing there does not undo the commit. */
static void test_errors_behind_a_commit_do_not_undo_it(void **state)
{
    store_rig *rig = *state;
    char *body = malloc(2000000);
    memset(body, 'x', 2000000);
    for (size_t nth = 1; nth <= 40; nth++) {
        sw__payload result = {.step_id = SW__STEP_ID(1, nth % 4), .body = {body, 2000000}};
        sw__payload found;
        memset(result.salt, (int)nth, sizeof(result.salt));
        store_begin(rig, true);
        assert_int_equal(rig->store->ops->results_put(rig->store, &result, 1, &rig->err), SW_OK);
        fault_vfs_arm(FAULT_VFS_SYNC | FAULT_VFS_READ, nth, SQLITE_IOERR_FSYNC, true);
        int rc = rig->store->ops->commit(rig->store, &rig->err);
        fault_vfs_arm(0, 0, 0, false);
        assert_int_equal(rc, SW_OK);
        store_begin(rig, false);
        assert_int_equal(rig->store->ops->results_get(rig->store, &result.step_id, 1, rig->arena,
                                                      &found, &rig->err),
                         SW_OK);
        assert_int_equal(found.salt[0], nth);
        store_commit(rig);
        assert_free_and_whole(rig);
    }
    free(body);
}

/* What another connection, which the faults do not reach, is told in one column of the first row.
 */
static int ask_beside(store_rig *rig, const char *sql, int column)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int told = sqlite3_column_int(statement, column);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return told;
}

/* Frames in the log. Asking moves them into the file, so it is the last thing a test does. */
static int log_frames(store_rig *rig)
{
    return ask_beside(rig, "PRAGMA wal_checkpoint", 1);
}

/* Pages of the database, those in its log included. */
static int store_pages(store_rig *rig)
{
    return ask_beside(rig, "PRAGMA page_count", 0);
}

/* A transaction that writes about ten pages, other ones each time. */
static int write_some(store_rig *rig)
{
    static char body[40000];
    snprintf(body, sizeof(body), "%d", body[0] ? atoi(body) + 1 : 1);
    sw__payload result = {.step_id = SW__STEP_ID(1, 1), .body = {body, sizeof(body)}};
    int rc = rig->store->ops->begin(rig->store, true, &rig->err);
    if (rc < 0)
        return rc;
    rc = rig->store->ops->results_put(rig->store, &result, 1, &rig->err);
    if (rc == SW_OK)
        return rig->store->ops->commit(rig->store, &rig->err);
    rig->store->ops->rollback(rig->store);
    return rc;
}

/* What is written after a disk was full needs no room in the log: it is written from its beginning.
 */
static void test_the_log_does_not_grow_after_a_full_disk(void **state)
{
    store_rig *rig = *state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(write_some(rig), SW_OK);
    fault_vfs_arm(FAULT_VFS_WRITE, 1, SQLITE_FULL, true);
    assert_int_equal(write_some(rig), SW_EFULL);
    /* While there is no room to move the log into the file, nothing is added to it. */
    assert_int_equal(write_some(rig), SW_EFULL);
    assert_int_equal(fault_vfs_failed(), 2);
    fault_vfs_arm(0, 0, 0, false);
    assert_int_equal(write_some(rig), SW_OK);
    int frames = log_frames(rig);
    assert_true(frames > 0 && frames < 30);
    assert_free_and_whole(rig);
}

/* So the log can always be moved into the file, also when the disk is full. */
static void test_the_file_has_room_for_what_the_log_holds(void **state)
{
    store_rig *rig = *state;
    struct stat file;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(write_some(rig), SW_OK);
        assert_int_equal(stat(rig->path, &file), 0);
        assert_true(file.st_size >= 4096LL * store_pages(rig));
        assert_true(file.st_blocks * 512 >= 4096LL * store_pages(rig));
    }
    assert_true(log_frames(rig) > 300);
    assert_free_and_whole(rig);
}

/* Whether the file says that it has a write-ahead log (SQLite's file format, 1.3, offset 18). */
static bool file_has_wal(const store_rig *rig)
{
    unsigned char versions[2] = {0};
    FILE *file = fopen(rig->path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 18, SEEK_SET), 0);
    assert_int_equal(fread(versions, 1, 2, file), 2);
    fclose(file);
    return versions[0] == 2 && versions[1] == 2;
}

/* Making a database: whatever fails, the next attempt makes it, and one that is said to be made has
 * a write-ahead log. */
static void test_creation_can_be_repeated(void **state)
{
    store_rig *rig = *state;
    sw__store_options options = store_rig_options(rig);
    size_t nth = 0;
    int rc;
    rig->store->ops->close(rig->store);
    rig->store = NULL;
    do {
        unlink(rig->path);
        fault_vfs_arm(FAULT_VFS_ALL, ++nth, SQLITE_IOERR, false);
        rc = sw__store_sqlite_open(&options, &rig->store, &rig->err);
        bool failed = fault_vfs_failed() > 0;
        fault_vfs_arm(0, 0, 0, false);
        assert_true(rc == SW_OK || (failed && is_expected(rc, SW_EIO)));
        assert_int_equal(rc == SW_OK, rig->store != NULL);
        if (rc == SW_OK) {
            assert_true(file_has_wal(rig));
            rig->store->ops->close(rig->store);
        }
        rig->store = NULL;
        assert_int_equal(sw__store_sqlite_open(&options, &rig->store, &rig->err), SW_OK);
        store_fill(rig);
        assert_int_equal(store_write_through(rig), SW_OK);
        rig->store->ops->close(rig->store);
        rig->store = NULL;
        if (!failed)
            break;
    } while (nth < 2000);
    assert_true(nth > 20 && nth < 2000);
}

#define FAULT_TEST(function)                                                                       \
    {                                                                                              \
#function, function, setup, store_rig_teardown, NULL                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(test_full_disk_is_told_and_undone),
        FAULT_TEST(test_write_errors_are_told_and_undone),
        FAULT_TEST(test_read_errors_are_told_and_undone),
        FAULT_TEST(test_lock_errors_are_told_and_undone),
        FAULT_TEST(test_sync_errors_are_told_and_undone),
        FAULT_TEST(test_errors_behind_a_commit_do_not_undo_it),
        FAULT_TEST(test_the_log_does_not_grow_after_a_full_disk),
        FAULT_TEST(test_the_file_has_room_for_what_the_log_holds),
        FAULT_TEST(test_creation_can_be_repeated),
    };
    return cmocka_run_group_tests_name("sqlite_faults", tests, NULL, NULL);
}
