/* Tests of several connections to one file: waiting, versions, creation at once, fork. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/str.h"
#include "helper/store_script.h"

static int setup(void **state)
{
    store_rig *rig = malloc(sizeof(*rig));
    store_rig_open(rig, STORE_RIG_SQLITE);
    *state = rig;
    return 0;
}

/* A second connection of the same process. */
static sw__store *open_second(store_rig *rig)
{
    sw__store_options options = store_rig_options(rig);
    sw__store *store = NULL;
    if (sw__store_sqlite_open(&options, &store, &rig->err) != SW_OK)
        fail_msg("%s", rig->err.message);
    return store;
}

static int64_t version_of(sw__store *store)
{
    int64_t version = 0;
    assert_int_equal(store->ops->version(store, &version, NULL), SW_OK);
    return version;
}

static void test_second_writer_waits_and_is_told(void **state)
{
    store_rig *rig = *state;
    char expected[200];
    const sw_env *real = sw_env_system();
    sw__store *second = open_second(rig);
    store_begin(rig, true);
    int64_t started_us = real->clock_mono_us(NULL);
    assert_int_equal(second->ops->begin(second, true, &rig->err), SW_EBUSY);
    int64_t took_us = real->clock_mono_us(NULL) - started_us;
    assert_true(took_us >= 90 * 1000 && took_us < 5000 * 1000);
    snprintf(expected, sizeof(expected),
             "another process holds the write lock of '%s' for longer than 100 ms; try again",
             rig->path);
    assert_string_equal(rig->err.message, expected);
    assert_int_equal(second->ops->begin(second, false, &rig->err), SW_OK);
    assert_int_equal(second->ops->commit(second, &rig->err), SW_OK);
    store_commit(rig);
    assert_int_equal(second->ops->begin(second, true, &rig->err), SW_OK);
    assert_int_equal(second->ops->commit(second, &rig->err), SW_OK);
    second->ops->close(second);
}

static void test_readers_see_one_state(void **state)
{
    store_rig *rig = *state;
    sw__store *second = open_second(rig);
    const int64_t task_no = 1;
    sw__task_hot row;
    assert_int_equal(second->ops->begin(second, false, NULL), SW_OK);
    assert_int_equal(second->ops->tasks_get(second, &task_no, 1, &row, NULL), SW_OK);
    assert_int_equal(row.task_no, 0);
    store_begin(rig, true);
    store_add_task(rig, "1", 0);
    store_commit(rig);
    assert_int_equal(second->ops->tasks_get(second, &task_no, 1, &row, NULL), SW_OK);
    assert_int_equal(row.task_no, 0);
    assert_int_equal(second->ops->commit(second, NULL), SW_OK);
    assert_int_equal(second->ops->begin(second, false, NULL), SW_OK);
    assert_int_equal(second->ops->tasks_get(second, &task_no, 1, &row, NULL), SW_OK);
    assert_int_equal(row.task_no, 1);
    assert_int_equal(second->ops->commit(second, NULL), SW_OK);
    second->ops->close(second);
}

static void test_version_changes_with_the_commits_of_others(void **state)
{
    store_rig *rig = *state;
    sw__store *second = open_second(rig);
    int64_t before = version_of(second);
    assert_int_equal(version_of(second), before);
    store_begin(rig, true);
    store_take(rig, SW__SEQUENCE_TASK);
    store_rollback(rig);
    assert_int_equal(version_of(second), before);
    store_begin(rig, true);
    store_take(rig, SW__SEQUENCE_TASK);
    store_commit(rig);
    int64_t after = version_of(second);
    assert_int_not_equal(after, before);
    int64_t own = version_of(rig->store);
    store_begin(rig, true);
    store_take(rig, SW__SEQUENCE_TASK);
    store_commit(rig);
    assert_int_equal(version_of(rig->store), own);
    second->ops->close(second);
}

/* Run body in a child, which answers with its exit status. */
static pid_t start_child(store_rig *rig, int (*body)(store_rig *rig, int in, int out), int in,
                         int out)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(body(rig, in, out));
    assert_true(child > 0);
    return child;
}

static int end_child(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Open the file, take 20 numbers in as many transactions, close. */
static int take_twenty(store_rig *rig, int in, int out)
{
    sw__store_options options = store_rig_options(rig);
    sw__store *store = NULL;
    char go;
    (void)out;
    options.busy_timeout_ms = 20000;
    options.env = sw_env_system();
    if (read(in, &go, 1) != 1)
        return 1;
    if (sw__store_sqlite_open(&options, &store, &rig->err) != SW_OK) {
        fprintf(stderr, "%s\n", rig->err.message);
        return 2;
    }
    for (int i = 0; i < 20; i++) {
        int64_t first;
        if (store->ops->begin(store, true, &rig->err) != SW_OK ||
            store->ops->sequence_take(store, SW__SEQUENCE_TASK, 1, &first, &rig->err) != SW_OK ||
            store->ops->commit(store, &rig->err) != SW_OK)
            return 3;
    }
    store->ops->close(store);
    return 0;
}

/* Processes that find no file all make it at once; none fails and no number is lost. */
static void test_many_processes_make_one_file(void **state)
{
    store_rig *rig = *state;
    for (int round = 0; round < 5; round++) {
        pid_t children[6];
        int gate[2];
        rig->store->ops->close(rig->store);
        rig->store = NULL;
        unlink(rig->path);
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < 6; i++)
            children[i] = start_child(rig, take_twenty, gate[0], -1);
        assert_int_equal(write(gate[1], "xxxxxx", 6), 6);
        for (int i = 0; i < 6; i++)
            assert_int_equal(end_child(children[i]), 0);
        close(gate[0]);
        close(gate[1]);
        store_rig_reopen(rig);
        store_begin(rig, true);
        assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 121);
        store_rollback(rig);
    }
}

/* With the parent's store still open in memory: open one of its own, say so, wait, commit. */
static int commit_beside_parent(store_rig *rig, int in, int out)
{
    sw__store_options options = store_rig_options(rig);
    sw__store *store = NULL;
    char go;
    options.env = sw_env_system();
    if (sw__store_sqlite_open(&options, &store, &rig->err) != SW_OK)
        return 1;
    if (write(out, "o", 1) != 1 || read(in, &go, 1) != 1)
        return 2;
    int64_t first;
    if (store->ops->begin(store, true, &rig->err) != SW_OK ||
        store->ops->sequence_take(store, SW__SEQUENCE_TASK, 1, &first, &rig->err) != SW_OK ||
        store->ops->commit(store, &rig->err) != SW_OK)
        return 3;
    return first == 1 ? 0 : 4;
}

/* The parent closes what it believes to be the last connection while the child's is open. */
static void test_commit_of_a_child_outlives_the_parents_connection(void **state)
{
    store_rig *rig = *state;
    int to_child[2];
    int from_child[2];
    char ready;
    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(from_child), 0);
    pid_t child = start_child(rig, commit_beside_parent, to_child[0], from_child[1]);
    assert_int_equal(read(from_child[0], &ready, 1), 1);
    rig->store->ops->close(rig->store);
    rig->store = NULL;
    assert_int_equal(write(to_child[1], "g", 1), 1);
    assert_int_equal(end_child(child), 0);
    store_rig_reopen(rig);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 2);
    store_rollback(rig);
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(from_child[i]);
    }
}

/* The parent is inside a transaction at the fork: its lock must not look like the child's. */
static int write_after_parent(store_rig *rig, int in, int out)
{
    sw__store_options options = store_rig_options(rig);
    sw__store *store = NULL;
    char go;
    options.env = sw_env_system();
    rig->store->ops->forget(rig->store);
    if (sw__store_sqlite_open(&options, &store, &rig->err) != SW_OK)
        return 1;
    if (store->ops->begin(store, true, &rig->err) != SW_EBUSY)
        return 2;
    if (write(out, "b", 1) != 1 || read(in, &go, 1) != 1)
        return 3;
    if (store->ops->begin(store, true, &rig->err) != SW_OK ||
        store->ops->commit(store, &rig->err) != SW_OK)
        return 4;
    store->ops->close(store);
    return 0;
}

static void test_locks_are_not_inherited(void **state)
{
    store_rig *rig = *state;
    int to_child[2];
    int from_child[2];
    char ready;
    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(from_child), 0);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 1);
    pid_t child = start_child(rig, write_after_parent, to_child[0], from_child[1]);
    assert_int_equal(read(from_child[0], &ready, 1), 1);
    store_commit(rig);
    assert_int_equal(write(to_child[1], "g", 1), 1);
    assert_int_equal(end_child(child), 0);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 2);
    store_commit(rig);
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(from_child[i]);
    }
}

/* Forgetting frees our memory and leaves the parent's file alone. */
static int forget_only(store_rig *rig, int in, int out)
{
    (void)in;
    (void)out;
    size_t before = rig->fault.live;
    rig->store->ops->forget(rig->store);
    return rig->fault.live < before ? 0 : 1;
}

static void test_forgetting_leaves_the_parent_alone(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, "1", 2);
    assert_int_equal(end_child(start_child(rig, forget_only, -1, -1)), 0);
    store_commit(rig);
    store_rig_reopen(rig);
    store_begin(rig, false);
    assert_int_equal(store_task(rig, task_no).task_no, task_no);
    store_commit(rig);
}

/* 40 times: open, take a number, close. NULL when all went well. */
static void *open_and_take(void *context)
{
    static char failed_open[] = "open";
    static char failed_take[] = "take";
    store_rig *rig = context;
    sw__store_options options = store_rig_options(rig);
    options.busy_timeout_ms = 20000;
    options.env = sw_env_system();
    for (int i = 0; i < 40; i++) {
        sw__store *store = NULL;
        int64_t first;
        if (sw__store_sqlite_open(&options, &store, NULL) != SW_OK)
            return failed_open;
        if (store->ops->begin(store, true, NULL) != SW_OK ||
            store->ops->sequence_take(store, SW__SEQUENCE_TASK, 1, &first, NULL) != SW_OK ||
            store->ops->commit(store, NULL) != SW_OK)
            return failed_take;
        store->ops->close(store);
    }
    return NULL;
}

static void test_threads_open_and_close_beside_each_other(void **state)
{
    store_rig *rig = *state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_take, rig), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 161);
    store_rollback(rig);
}

#define SHARING_TEST(function)                                                                     \
    {                                                                                              \
#function, function, setup, store_rig_teardown, NULL                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHARING_TEST(test_second_writer_waits_and_is_told),
        SHARING_TEST(test_readers_see_one_state),
        SHARING_TEST(test_version_changes_with_the_commits_of_others),
        SHARING_TEST(test_many_processes_make_one_file),
        SHARING_TEST(test_commit_of_a_child_outlives_the_parents_connection),
        SHARING_TEST(test_locks_are_not_inherited),
        SHARING_TEST(test_forgetting_leaves_the_parent_alone),
        SHARING_TEST(test_threads_open_and_close_beside_each_other),
    };
    return cmocka_run_group_tests_name("sqlite_sharing", tests, NULL, NULL);
}
