/* Tests of SQLite running out of memory of its own, at each allocation: the caller is told, the
 * transaction is undone, and the writer's lock is given back, above all when it is the ROLLBACK
 * that finds no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/str.h"
#include "helper/store_script.h"
#include "store/sqlite.h"

static sqlite3_mem_methods real_memory;

static struct {
    size_t asked;
    size_t fail_at;
    bool for_ever;
    size_t failed;
} memory_plan;

static bool memory_fails(void)
{
    if (memory_plan.fail_at == 0)
        return false;
    memory_plan.asked++;
    bool fails = memory_plan.asked == memory_plan.fail_at ||
                 (memory_plan.for_ever && memory_plan.asked > memory_plan.fail_at);
    memory_plan.failed += fails;
    return fails;
}

static void *memory_malloc(int size)
{
    return memory_fails() ? NULL : real_memory.xMalloc(size);
}

static void *memory_realloc(void *block, int size)
{
    return memory_fails() ? NULL : real_memory.xRealloc(block, size);
}

static void memory_arm(size_t nth, bool for_ever)
{
    memory_plan.asked = 0;
    memory_plan.fail_at = nth;
    memory_plan.for_ever = for_ever;
    memory_plan.failed = 0;
}

static void memory_hook(void)
{
    sqlite3_mem_methods methods;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    methods = real_memory;
    methods.xMalloc = memory_malloc;
    methods.xRealloc = memory_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

static int setup(void **state)
{
    store_rig *rig = malloc(sizeof(*rig));
    store_rig_open(rig, STORE_RIG_SQLITE);
    store_fill(rig);
    *state = rig;
    return 0;
}

static void assert_dump(store_rig *rig, const sw__buf *expected)
{
    sw__buf dump = store_dump(rig);
    assert_string_equal((char *)dump.ptr, (char *)expected->ptr);
    sw__buf_free(&dump);
}

/* Nobody holds the writer's lock. */
static void assert_free(sw__store *other)
{
    assert_int_equal(other->ops->begin(other, true, NULL), SW_OK);
    assert_int_equal(other->ops->commit(other, NULL), SW_OK);
}

static void fail_each_allocation(store_rig *rig, sw__store *other, bool for_ever)
{
    sw__buf before = store_dump(rig);
    size_t nth = 0;
    int rc;
    do {
        memory_arm(++nth, for_ever);
        rc = store_write_through(rig);
        bool failed = memory_plan.failed > 0;
        memory_arm(0, false);
        assert_free(other);
        if (rc != SW_OK) {
            assert_int_equal(rc, SW_ENOMEM);
            assert_true(failed);
            assert_dump(rig, &before);
        }
    } while (rc != SW_OK);
    assert_true(nth > 5);
    sw__buf_free(&before);
}

static sw__store *open_other(store_rig *rig)
{
    sw__store_options options = store_rig_options(rig);
    sw__store *other = NULL;
    assert_int_equal(sw__store_sqlite_open(&options, &other, &rig->err), SW_OK);
    return other;
}

static void test_writes_survive_missing_memory(void **state)
{
    store_rig *rig = *state;
    sw__store *other = open_other(rig);
    fail_each_allocation(rig, other, false);
    other->ops->close(other);
}

static void test_writes_survive_memory_that_never_comes_back(void **state)
{
    store_rig *rig = *state;
    sw__store *other = open_other(rig);
    fail_each_allocation(rig, other, true);
    other->ops->close(other);
}

static void rebuild(store_rig *rig)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "VACUUM", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* After somebody has rebuilt the file SQLite compiles each statement again, in the middle of the
 * transaction, and begins it again. */
static void test_writes_to_a_rebuilt_file_survive_missing_memory(void **state)
{
    store_rig *rig = *state;
    sw__buf before = store_dump(rig);
    size_t nth = 0;
    int rc;
    do {
        rebuild(rig);
        memory_arm(++nth, false);
        rc = store_write_through(rig);
        bool failed = memory_plan.failed > 0;
        memory_arm(0, false);
        assert_true(rc == SW_OK || (failed && (rc == SW_ENOMEM || rc == SW_EPOISONED)));
        if (rc != SW_OK)
            assert_dump(rig, &before);
    } while (rc != SW_OK);
    assert_true(nth > 5);
    sw__buf_free(&before);
}

/* SQLite undoes a transaction by itself and runs the statement again that was in it: alone it must
 * not stay. */
static void test_what_runs_after_its_transaction_was_undone_does_not_stay(void **state)
{
    store_rig *rig = *state;
    sw__sqlite *self = (sw__sqlite *)rig->store;
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    assert_int_equal(store_write_all(rig), SW_OK);
    assert_int_equal(sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sw__bind bind = sw__bind_start(self, SW__SQL_TASK_KEY_PUT);
    sw__bind_blob(&bind, "a key", 5);
    sw__bind_int(&bind, 1);
    sw__bind_blob(&bind, "digest", 6);
    assert_int_equal(sw__bind_run(self, &bind, &rig->err), SW_EPOISONED);
    assert_non_null(strstr(rig->err.message, "had been undone"));
    store_rollback(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
}

/* Reads: SW_ENOMEM or the answer, and the next read works. */
static void test_reads_survive_missing_memory(void **state)
{
    store_rig *rig = *state;
    size_t nth = 0;
    bool failed;
    do {
        store_rig_reopen(rig);
        memory_arm(++nth, true);
        int rc = rig->store->ops->begin(rig->store, false, &rig->err);
        if (rc == SW_OK)
            rc = store_read_all(rig);
        failed = memory_plan.failed > 0;
        memory_arm(0, false);
        store_rollback(rig);
        assert_true(rc == SW_OK || (failed && rc == SW_ENOMEM));
        store_begin(rig, false);
        assert_int_equal(store_read_all(rig), SW_OK);
        store_commit(rig);
    } while (failed);
    assert_true(nth > 3);
}

static void test_opening_survives_missing_memory(void **state)
{
    store_rig *rig = *state;
    sw__store_options options = store_rig_options(rig);
    size_t nth = 0;
    int rc;
    do {
        sw__store *store = NULL;
        memory_arm(++nth, true);
        rc = sw__store_sqlite_open(&options, &store, &rig->err);
        bool failed = memory_plan.failed > 0;
        memory_arm(0, false);
        assert_true(rc == SW_OK || (failed && (rc == SW_ENOMEM || rc == SW_EIO)));
        if (store)
            store->ops->close(store);
    } while (rc != SW_OK);
    assert_true(nth > 100);
}

static int allow_all(void *context, int action, const char *a, const char *b, const char *c,
                     const char *d)
{
    (void)context;
    (void)action;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return SQLITE_OK;
}

/* An authorizer makes every prepared statement expire, so that even ROLLBACK has to be compiled
 * again, and there is no memory for that. */
static void test_rollback_without_memory_gives_the_lock_back(void **state)
{
    store_rig *rig = *state;
    sw__store *other = open_other(rig);
    sw__buf before = store_dump(rig);
    int64_t version;
    store_begin(rig, true);
    assert_int_equal(store_write_all(rig), SW_OK);
    sqlite3_set_authorizer(((sw__sqlite *)rig->store)->db, allow_all, NULL);
    memory_arm(1, true);
    store_rollback(rig);
    assert_true(memory_plan.failed > 0);
    memory_arm(0, false);
    assert_free(other);
    assert_int_equal(rig->store->ops->begin(rig->store, true, &rig->err), SW_EPOISONED);
    assert_non_null(strstr(rig->err.message, "open it again"));
    assert_int_equal(rig->store->ops->version(rig->store, &version, &rig->err), SW_EPOISONED);
    assert_int_equal(store_read_all(rig), SW_EPOISONED);
    assert_int_equal(rig->store->ops->commit(rig->store, &rig->err), SW_EPOISONED);
    store_rollback(rig);
    store_rig_reopen(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
    other->ops->close(other);
}

/* The same at a COMMIT. */
static void test_commit_without_memory_gives_the_lock_back(void **state)
{
    store_rig *rig = *state;
    sw__store *other = open_other(rig);
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    assert_int_equal(store_write_all(rig), SW_OK);
    sqlite3_set_authorizer(((sw__sqlite *)rig->store)->db, allow_all, NULL);
    memory_arm(1, true);
    assert_int_equal(rig->store->ops->commit(rig->store, &rig->err), SW_ENOMEM);
    memory_arm(0, false);
    assert_free(other);
    store_rig_reopen(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
    other->ops->close(other);
}

/* After SQLite has undone a transaction by itself, nothing is written outside of one. */
static void test_verbs_after_an_undone_transaction_are_refused(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    assert_int_equal(sqlite3_exec(((sw__sqlite *)rig->store)->db, "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(store_write_all(rig), SW_EPOISONED);
    assert_non_null(strstr(rig->err.message, "after the transaction had been undone"));
    assert_int_equal(rig->store->ops->commit(rig->store, &rig->err), SW_EPOISONED);
    assert_int_equal(store_write_through(rig), SW_OK);
}

#define MEMORY_TEST(function)                                                                      \
    {                                                                                              \
#function, function, setup, store_rig_teardown, NULL                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEMORY_TEST(test_writes_survive_missing_memory),
        MEMORY_TEST(test_writes_survive_memory_that_never_comes_back),
        MEMORY_TEST(test_writes_to_a_rebuilt_file_survive_missing_memory),
        MEMORY_TEST(test_what_runs_after_its_transaction_was_undone_does_not_stay),
        MEMORY_TEST(test_reads_survive_missing_memory),
        MEMORY_TEST(test_opening_survives_missing_memory),
        MEMORY_TEST(test_rollback_without_memory_gives_the_lock_back),
        MEMORY_TEST(test_commit_without_memory_gives_the_lock_back),
        MEMORY_TEST(test_verbs_after_an_undone_transaction_are_refused),
    };
    memory_hook();
    return cmocka_run_group_tests_name("sqlite_memory", tests, NULL, NULL);
}
