/* Hundreds of forks while threads and a runner are at work, several children at a time, each with
 * another life: none hangs, each can do what it wants, and the parent's work and file are whole.
 *
 * Not here: what each call answers in a child (test_fork.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/live.h"

#define FORKS 240
#define AT_ONCE 6
#define WATCHDOG_S 20
#define WORKERS 3
#define PAUSE_MS 4

/* Two steps for the threads, and one whose command makes the runner fork in its own way. */
static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]},"
    "{\"name\":\"c\",\"handler\":\"command\",\"parameters\":{\"command\":\"true\"}}]}";

static char directory[64];
static char store[128];

typedef struct load {
    live parent;
    pthread_t workers[WORKERS];
    pthread_t runner_thread;
    sw_runner *runner;
    atomic_bool stop;
    atomic_int wrong;
} load;

static void load_check(load *l, const char *what, int rc, const sw_error *error)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, sw_code_name(rc), error->message);
    atomic_fetch_add(&l->wrong, 1);
}

static int submit_one(sw_engine *engine, sw_error *error)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = {"w", 1}};
    int rc = sw_task_submit(engine, &row, 1, &result, error);
    sw_result_free(result);
    return rc;
}

/* Submit a task, do steps, report them in the next round. */
static void *worker_main(void *argument)
{
    load *l = argument;
    sw_error error;
    sw_worker_ref worker;
    sw_step_outcome rows[16];
    size_t count = 0;
    static const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    load_check(l, "opening", sw_worker_open(l->parent.engine, &options, &worker, &error), &error);
    while (!l->wrong && (!l->stop || count > 0)) {
        sw_result *result = NULL;
        if (!l->stop)
            load_check(l, "submitting", submit_one(l->parent.engine, &error), &error);
        int rc = sw_step_exchange(l->parent.engine, &worker, rows, count, l->stop ? 0 : 16, 0,
                                  &result, &error);
        load_check(l, "an exchange", rc, &error);
        const sw_step_claim *claims = sw_step_claims(result, &count);
        for (size_t i = 0; i < count; i++)
            rows[i] = (sw_step_outcome){.step_id = claims[i].step_id, .epoch = claims[i].epoch};
        sw_result_free(result);
        live_sleep_ms(1); /* the history is read in the end */
    }
    load_check(l, "leaving", sw_worker_close(l->parent.engine, &worker, &error), &error);
    return NULL;
}

static void *runner_main(void *argument)
{
    load *l = argument;
    sw_error error;
    load_check(l, "the runner", sw_runner_run(l->runner, NULL, &error), &error);
    return NULL;
}

static void load_start(load *l)
{
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    options.threads = 2;
    live_open(&l->parent, store, definition);
    assert_int_equal(sw_runner_open(l->parent.engine, &options, &l->runner, NULL), 0);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&l->workers[i], NULL, worker_main, l), 0);
    assert_int_equal(pthread_create(&l->runner_thread, NULL, runner_main, l), 0);
}

static void load_end(load *l)
{
    atomic_store(&l->stop, true);
    sw_runner_stop(l->runner);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(l->workers[i], NULL);
    pthread_join(l->runner_thread, NULL);
    sw_runner_close(l->runner);
    assert_int_equal(l->wrong, 0);
}

/* The lives of children; each answers its exit status. */

static sw_engine *own_engine(void)
{
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){store, strlen(store)};
    return sw_engine_open(&options, &engine, NULL) < 0 ? NULL : engine;
}

static int life_of_leaving(load *l)
{
    (void)l;
    return 0;
}

static int life_of_refusal(load *l)
{
    sw_error error;
    int rc = submit_one(l->parent.engine, &error);
    sw_engine_wake(l->parent.engine);
    sw_engine_close(l->parent.engine);
    return rc != SW_EFORKED;
}

static int life_of_its_own(load *l)
{
    sw_error error;
    sw_engine *engine = own_engine();
    if (!engine)
        return 1;
    int rc = submit_one(engine, &error);
    load_check(l, "in the child", rc, &error);
    sw_engine_close(engine);
    return rc < 0;
}

/* It dies with its engine open and a claim in its hands. */
static int life_cut_short(load *l)
{
    sw_worker_ref worker;
    sw_result *result = NULL;
    sw_engine *engine = own_engine();
    sw_str handler = {"w.a", 3};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    (void)l;
    if (!engine || sw_worker_open(engine, &options, &worker, NULL) < 0)
        return 1;
    return sw_step_exchange(engine, &worker, NULL, 0, 1, 0, &result, NULL) < 0;
}

static int life_of_a_parent(load *l)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(life_of_refusal(l) || life_of_its_own(l));
    return waitpid(child, &status, 0) != child || status != 0;
}

static int life_of_another(load *l)
{
    (void)l;
    execlp("true", "true", (char *)NULL);
    return 1;
}

static int (*const lives[])(load *l) = {
    life_of_leaving, life_of_refusal,  life_of_its_own,
    life_cut_short,  life_of_a_parent, life_of_another,
};

#define LIVES (sizeof(lives) / sizeof(lives[0]))

/* A child that hangs is killed by its alarm, which is a failure, too. */
static pid_t child_start(load *l, size_t number)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(WATCHDOG_S);
        _exit(lives[number % LIVES](l));
    }
    assert_true(child > 0);
    return child;
}

static void child_end(pid_t child, size_t number)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("child %zu, life %zu, ended with status %#x", number, number % LIVES, status);
}

static void assert_sound(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void test_forks_under_load(void **state)
{
    static load l;
    pid_t children[FORKS];
    (void)state;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    print_message("skipped: the allocators of sanitizers do not survive a fork beside threads\n");
    skip();
#endif
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/fork.db", directory);
    load_start(&l);
    for (size_t i = 0; i < FORKS; i++) {
        children[i] = child_start(&l, i);
        live_sleep_ms(PAUSE_MS);
        if (i >= AT_ONCE)
            child_end(children[i - AT_ONCE], i - AT_ONCE);
    }
    for (size_t i = FORKS - AT_ONCE; i < FORKS; i++)
        child_end(children[i], i);
    load_end(&l);
    sw_audit_report report = live_verify(&l.parent);
    print_message("%d forks, %lld attempts committed meanwhile\n", FORKS,
                  (long long)report.commit_count);
    assert_true(report.commit_count > FORKS);
    live_close(&l.parent);
    assert_sound();
    live_directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forks_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
