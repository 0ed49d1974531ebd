/* worker/runner with a whole engine: running, stopping, cancelling, and dying. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/live.h"
#include "worker/attempt.h"

static char directory[64];

static int setup(void **state)
{
    (void)state;
    live_directory_make(directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    live_directory_remove(directory);
    return 0;
}

static sw_runner *runner_open(live *l, int threads, int64_t lease_ms)
{
    sw_runner *runner = NULL;
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    options.threads = threads;
    options.lease_ms = lease_ms;
    options.root = (sw_str){directory, strlen(directory)};
    if (sw_runner_open(l->engine, &options, &runner, &l->error) < 0)
        fail_msg("%s", l->error.message);
    return runner;
}

static void run_until(live *l, sw_runner *runner, const sw_uuid *task)
{
    if (sw_runner_run(runner, task, &l->error) < 0)
        fail_msg("%s", l->error.message);
}

/* A runner on a thread of its own. */
typedef struct background {
    pthread_t thread;
    sw_runner *runner;
    const sw_uuid *until;
    int rc;
    sw_error error;
} background;

static void *background_main(void *argument)
{
    background *b = argument;
    b->rc = sw_runner_run(b->runner, b->until, &b->error);
    return NULL;
}

static void background_start(background *b, sw_runner *runner, const sw_uuid *until)
{
    *b = (background){.runner = runner, .until = until};
    assert_int_equal(pthread_create(&b->thread, NULL, background_main, b), 0);
}

static void background_join(background *b)
{
    pthread_join(b->thread, NULL);
    if (b->rc < 0)
        fail_msg("%s: %s", sw_code_name(b->rc), b->error.message);
}

static void wait_for_state(live *l, const sw_uuid *task, const char *step, int state)
{
    for (int i = 0; i < 1000 && live_step(l, task, step)->state != state; i++)
        live_sleep_ms(10);
    assert_int_equal(live_step(l, task, step)->state, state);
}

/* The number that a command writes into a file of the root. */
static long written_pid(const char *name)
{
    char path[128];
    long pid = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    for (int i = 0; i < 1000 && pid == 0; i++) {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%ld", &pid) != 1)
            live_sleep_ms(10);
        if (file)
            fclose(file);
    }
    assert_true(pid > 1);
    return pid;
}

static void forget_pids(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/pid", directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/child", directory);
    unlink(path);
}

static void assert_dies(long pid)
{
    for (int i = 0; i < 500 && live_process_runs(pid); i++)
        live_sleep_ms(10);
    assert_false(live_process_runs(pid));
}

static const char all_kinds[] =
    "{\"stepwell\":1,\"name\":\"all\",\"steps\":["
    "{\"name\":\"start\",\"handler\":\"noop\"},"
    "{\"name\":\"pause\",\"handler\":\"wait\",\"after\":[\"start\"],\"parameters\":{\"seconds\":0."
    "05}},"
    "{\"name\":\"write\",\"handler\":\"create_file\",\"after\":[\"pause\"],"
    "\"parameters\":{\"path\":\"out/a.txt\",\"content\":\"hi\"}},"
    "{\"name\":\"show\",\"handler\":\"command\",\"after\":[\"write\"],"
    "\"parameters\":{\"command\":\"cat\",\"args\":[\"out/a.txt\"]}},"
    "{\"name\":\"read\",\"handler\":\"read_file\",\"after\":[\"write\"],"
    "\"parameters\":{\"path\":\"out/a.txt\"}},"
    "{\"name\":\"remove\",\"handler\":\"delete_file\",\"after\":[\"show\",\"read\"],"
    "\"parameters\":{\"path\":\"out/a.txt\"}}]}";

static void all_kinds_on(const char *store)
{
    live l;
    live_open(&l, store, all_kinds);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 2, 0);
    run_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    assert_non_null(strstr(live_step(&l, &task, "show")->result.ptr, "\"stdout\":\"hi\""));
    assert_string_equal(live_step(&l, &task, "remove")->result.ptr,
                        "{\"path\":\"out/a.txt\",\"existed\":true,\"deleted\":true}");
    assert_null(live_step(&l, &task, "pause")->result.ptr);
    /* A task that has ended is not waited for. */
    run_until(&l, runner, &task);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_runs_every_kind(void **state)
{
    (void)state;
    char store[128];
    snprintf(store, sizeof(store), "%s/all.db", directory);
    all_kinds_on("memory:");
    all_kinds_on(store);
}

static void test_runner_options(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", NULL);
    sw_runner *runner = NULL;
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    options.root = (sw_str){"/no/such/directory", 18};
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EACCESS);
    assert_non_null(strstr(l.error.message, "/no/such/directory"));
    options = (sw_runner_options)SW_RUNNER_OPTIONS_INIT;
    options.threads = 1025;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options.threads = -1;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options = (sw_runner_options)SW_RUNNER_OPTIONS_INIT;
    options.output_max = 16 * 1024 * 1024 + 1;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options = (sw_runner_options)SW_RUNNER_OPTIONS_INIT;
    options.lease_ms = -1;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options.size = 4;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    assert_int_equal(sw_runner_open(NULL, &options, &runner, &l.error), SW_EINVAL);
    assert_null(runner);
    assert_int_equal(sw_runner_run(NULL, NULL, &l.error), SW_EINVAL);
    sw_runner_stop(NULL);
    sw_runner_close(NULL);
    size_t count = 0;
    const sw_str *kinds = sw_runner_kinds(&count);
    assert_int_equal(count, 6);
    assert_memory_equal(kinds[2].ptr, "command", 7);
    live_close(&l);
}

static void test_runner_until_an_unknown_task(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", all_kinds);
    sw_runner *runner = runner_open(&l, 1, 0);
    sw_uuid task = {{1}};
    assert_int_equal(sw_runner_run(runner, &task, &l.error), SW_ENOTFOUND);
    sw_runner_close(runner);
    live_close(&l);
}

/* Outcomes do not wait for new work, and new work does not wait for outcomes. */
static void test_runner_keeps_all_threads_busy(void **state)
{
    (void)state;
    char definition[2048] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"long\",\"handler\":\"wait\",\"parameters\":{\"seconds\":1.2}}";
    for (int i = 0; i < 10; i++)
        sprintf(definition + strlen(definition),
                ",{\"name\":\"s%d\",\"handler\":\"wait\",\"parameters\":{\"seconds\":0.05}%s%d%s}",
                i, i ? ",\"after\":[\"s" : ",\"priority\":", i ? i - 1 : 1, i ? "\"]" : "");
    strcat(definition, "]}");
    live l;
    live_open(&l, "memory:", definition);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 4, 0);
    int64_t before_ms = live_now_ms();
    run_until(&l, runner, &task);
    int64_t took_ms = live_now_ms() - before_ms;
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    /* The chain of ten ran beside the long wait. */
    assert_true(took_ms >= 1200 && took_ms < 1900);
    sw_runner_close(runner);
    live_close(&l);
}

static void wide_on(const char *store, int tasks)
{
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"a\",\"handler\":\"noop\"},"
        "{\"name\":\"b\",\"handler\":\"noop\",\"after\":[\"a\"]},"
        "{\"name\":\"c\",\"handler\":\"noop\",\"after\":[\"a\"]},"
        "{\"name\":\"d\",\"handler\":\"noop\",\"after\":[\"b\",\"c\"]}]}";
    live l;
    live_open(&l, store, definition);
    sw_uuid ids[100];
    for (int i = 0; i < tasks; i++)
        ids[i] = live_submit(&l);
    sw_runner *runner = runner_open(&l, 8, 0);
    for (int i = 0; i < tasks; i++) {
        run_until(&l, runner, &ids[i]);
        assert_int_equal(live_state(&l, &ids[i]), SW_TASK_SUCCEEDED);
    }
    for (int i = 0; i < tasks; i++)
        assert_int_equal(live_step(&l, &ids[i], "d")->attempt, 1);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_many_tasks(void **state)
{
    (void)state;
    char store[128];
    snprintf(store, sizeof(store), "%s/wide.db", directory);
    wide_on("memory:", 100);
    wide_on(store, 20);
}

static const char sleeper[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
    "{\"name\":\"first\",\"handler\":\"noop\"},"
    "{\"name\":\"sleep\",\"handler\":\"command\",\"after\":[\"first\"],\"parameters\":{\"command\":"
    "\"sh\",\"args\":[\"-c\",\"echo $$ >pid; sleep 60 & echo $! >child; wait\"]}}]}";

static void stop_on(const char *store)
{
    live l;
    background b;
    live_open(&l, store, sleeper);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 2, 0);
    background_start(&b, runner, &task);
    long pid = written_pid("pid");
    long child = written_pid("child");
    int64_t before_ms = live_now_ms();
    sw_runner_stop(runner);
    background_join(&b);
    assert_true(live_now_ms() - before_ms < 1500);
    assert_false(live_process_runs(pid));
    assert_dies(child);
    /* Given back, and the attempt does not count. */
    const sw_step_row *step = live_step(&l, &task, "sleep");
    assert_int_equal(step->state, SW_STEP_READY);
    assert_int_equal(step->attempt, 0);
    assert_int_equal(step->epoch, 1);
    assert_int_equal(live_step(&l, &task, "first")->state, SW_STEP_SUCCEEDED);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_stops(void **state)
{
    (void)state;
    char store[128];
    snprintf(store, sizeof(store), "%s/stop.db", directory);
    stop_on("memory:");
    forget_pids();
    stop_on(store);
}

/* A lease that is much shorter than the command is renewed while it runs, and while it ends. */
static void test_runner_renews_its_lease(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"handler\":\"command\","
        "\"parameters\":{\"command\":\"sleep\",\"args\":[\"1.5\"]}}]}";
    live l;
    live_open(&l, "memory:", definition);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 1, 300);
    /* Another worker would take over a step whose lease has run out. */
    sw_runner *rival = runner_open(&l, 1, 300);
    background b;
    background_start(&b, rival, &task);
    run_until(&l, runner, &task);
    background_join(&b);
    assert_int_equal(live_step(&l, &task, "a")->epoch, 1);
    assert_int_equal(live_step(&l, &task, "a")->state, SW_STEP_SUCCEEDED);
    sw_runner_close(rival);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_stop_comes_first(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", all_kinds);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 2, 0);
    sw_runner_stop(runner);
    run_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_PENDING);
    run_until(&l, runner, &task); /* the stop is used up */
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    sw_runner_close(runner);
    live_close(&l);
}

/* Stopping at any moment loses nothing, runs nothing twice, and never hangs. */
static void test_runner_start_and_stop_often(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"a\",\"handler\":\"noop\"},"
        "{\"name\":\"b\",\"handler\":\"command\",\"after\":[\"a\"],\"parameters\":{\"command\":"
        "\"true\"}},"
        "{\"name\":\"c\",\"handler\":\"noop\",\"after\":[\"a\"]},"
        "{\"name\":\"d\",\"handler\":\"noop\",\"after\":[\"b\",\"c\"]}]}";
    live l;
    background b;
    sw_uuid tasks[100];
    live_open(&l, "memory:", definition);
    sw_runner *runner = runner_open(&l, 3, 0);
    for (int i = 0; i < 100; i++) {
        tasks[i] = live_submit(&l);
        background_start(&b, runner, i % 2 ? &tasks[i] : NULL);
        live_sleep_ms(i % 7);
        sw_runner_stop(runner);
        background_join(&b);
    }
    for (int i = 0; i < 100; i++) {
        run_until(&l, runner, &tasks[i]);
        /* A stop that came when the run had ended by itself ends the next one. */
        run_until(&l, runner, &tasks[i]);
        assert_int_equal(live_state(&l, &tasks[i]), SW_TASK_SUCCEEDED);
        assert_int_equal(live_step(&l, &tasks[i], "b")->attempt, 1);
        assert_int_equal(live_step(&l, &tasks[i], "d")->attempt, 1);
    }
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static sw_runner *signalled;

static void on_alarm(int number)
{
    (void)number;
    sw_runner_stop(signalled);
}

static void test_runner_stops_by_signal(void **state)
{
    (void)state;
    live l;
    const struct itimerval soon = {.it_value = {.tv_usec = 200000}};
    live_open(&l, "memory:", sleeper);
    signalled = runner_open(&l, 2, 0);
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &soon, NULL);
    int64_t before_ms = live_now_ms();
    run_until(&l, signalled, NULL); /* nothing to do: it waits inside an exchange */
    int64_t took_ms = live_now_ms() - before_ms;
    signal(SIGALRM, SIG_DFL);
    assert_true(took_ms >= 190 && took_ms < 1000);
    sw_runner_close(signalled);
    live_close(&l);
}

static void test_runner_cancels(void **state)
{
    (void)state;
    live l;
    background b;
    live_open(&l, "memory:", sleeper);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 2, 0);
    background_start(&b, runner, &task);
    long child = written_pid("child");
    long pid = written_pid("pid");
    int64_t before_ms = live_now_ms();
    live_cancel(&l, &task);
    background_join(&b);
    assert_true(live_now_ms() - before_ms < 3000);
    assert_false(live_process_runs(pid));
    assert_dies(child);
    assert_int_equal(live_step(&l, &task, "sleep")->state, SW_STEP_CANCELLED);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

/* The kept-alive runner of one task goes on with others when one is cancelled. */
static void test_runner_goes_on_after_a_cancel(void **state)
{
    (void)state;
    live l;
    background b;
    live_open(&l, "memory:", sleeper);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 1, 0);
    background_start(&b, runner, NULL);
    long pid = written_pid("pid");
    live_cancel(&l, &task);
    assert_dies(pid);
    sw_uuid other = live_submit(&l);
    wait_for_state(&l, &other, "sleep", SW_STEP_RUNNING);
    sw_runner_stop(runner);
    background_join(&b);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_failures(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"again\",\"handler\":\"command\",\"parameters\":{\"command\":\"sh\",\"args\":"
        "[\"-c\",\"[ $STEPWELL_ATTEMPT = 3 ]\"]},\"retry\":{\"max_attempts\":3,\"base_ms\":10}},"
        "{\"name\":\"never\",\"handler\":\"command\",\"parameters\":{\"command\":\"no-such-program-"
        "1\"},"
        "\"retry\":{\"max_attempts\":3,\"base_ms\":10}},"
        "{\"name\":\"slow\",\"handler\":\"command\",\"timeout_ms\":200,\"parameters\":"
        "{\"command\":\"sleep\",\"args\":[\"30\"]}},"
        "{\"name\":\"out\",\"handler\":\"read_file\",\"parameters\":{\"path\":\"../secret\"}}]}";
    live l;
    live_open(&l, "memory:", definition);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 4, 0);
    run_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_FAILED);
    assert_int_equal(live_step(&l, &task, "again")->state, SW_STEP_SUCCEEDED);
    assert_int_equal(live_step(&l, &task, "again")->attempt, 3);
    assert_string_equal(live_step(&l, &task, "never")->error_class.ptr, "CommandNotFound");
    assert_int_equal(live_step(&l, &task, "never")->attempt, 1);
    assert_string_equal(live_step(&l, &task, "slow")->error_class.ptr, "Timeout");
    assert_string_equal(live_step(&l, &task, "out")->error_class.ptr, "PathRefused");
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

/* A result that the engine refuses harms its own step only. */
static void test_runner_result_is_refused(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"large\",\"handler\":\"command\",\"parameters\":{\"command\":\"head\",\"args\":"
        "[\"-c\",\"2000\",\"/dev/zero\"]}},"
        "{\"name\":\"small\",\"handler\":\"command\",\"parameters\":{\"command\":\"true\"}}]}";
    live l = {0};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){"memory:", 7};
    options.payload_max = 1000;
    assert_int_equal(sw_engine_open(&options, &l.engine, &l.error), 0);
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    assert_int_equal(sw_workflow_load(&load, (sw_str){definition, strlen(definition)}, &l.workflow,
                                      NULL, &l.error),
                     0);
    const sw_workflow *workflows[] = {l.workflow};
    assert_int_equal(sw_workflow_register(l.engine, workflows, 1, &l.error), 0);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 2, 0);
    run_until(&l, runner, &task);
    assert_int_equal(live_step(&l, &task, "large")->state, SW_STEP_FAILED);
    assert_string_equal(live_step(&l, &task, "large")->error_class.ptr, "ResultRefused");
    assert_int_equal(live_step(&l, &task, "small")->state, SW_STEP_SUCCEEDED);
    sw_runner_close(runner);
    live_close(&l);
}

static void test_runner_task_ended_by_another(void **state)
{
    (void)state;
    char store[128];
    background b;
    live l;
    live other;
    snprintf(store, sizeof(store), "%s/two.db", directory);
    live_open(&l, store, all_kinds);
    live_open(&other, store, NULL);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 1, 0);
    sw_runner *rival = runner_open(&other, 1, 0);
    background_start(&b, rival, &task);
    run_until(&l, runner, &task);
    background_join(&b);
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    sw_runner_close(rival);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&other);
    live_close(&l);
}

static void run_and_be_killed(const char *store)
{
    live l;
    live_open(&l, store, NULL);
    sw_runner *runner = runner_open(&l, 2, 1000);
    sw_runner_run(runner, NULL, NULL);
    _exit(1);
}

/* kill -9 in the middle of a step: its command dies with it, and the step runs again. */
static void test_runner_is_killed(void **state)
{
    (void)state;
    char store[128];
    live l;
    snprintf(store, sizeof(store), "%s/kill.db", directory);
    live_open(&l, store, sleeper);
    sw_uuid task = live_submit(&l);
    pid_t victim = fork();
    if (victim == 0)
        run_and_be_killed(store);
    long pid = written_pid("pid");
    long child = written_pid("child");
    kill(victim, SIGKILL);
    assert_int_equal(waitpid(victim, NULL, 0), victim);
    assert_dies(pid);
    assert_dies(child);
    background b;
    sw_runner *runner = runner_open(&l, 1, 0);
    background_start(&b, runner, &task);
    for (int i = 0; i < 1000 && live_step(&l, &task, "sleep")->epoch < 2; i++)
        live_sleep_ms(10);
    assert_int_equal(live_step(&l, &task, "sleep")->epoch, 2);
    sw_runner_stop(runner);
    background_join(&b);
    sw_runner_close(runner);
    sw_audit_report report = live_verify(&l);
    assert_int_equal(report.reclaim_count, 1);
    live_close(&l);
}

static void test_runner_in_a_forked_child(void **state)
{
    (void)state;
    int status = 0;
    live l;
    live_open(&l, "memory:", all_kinds);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 1, 0);
    pid_t child = fork();
    if (child == 0) {
        int rc = sw_runner_run(runner, &task, NULL);
        sw_runner_close(runner);
        _exit(rc == SW_EFORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    run_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    sw_runner_close(runner);
    live_close(&l);
}

static void test_runner_without_an_engine_any_more(void **state)
{
    (void)state;
    live l;
    background b;
    live_open(&l, "memory:", sleeper);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = runner_open(&l, 1, 0);
    background_start(&b, runner, &task);
    long pid = written_pid("pid");
    /* The worker's number is taken from under the runner: its next exchange is refused. */
    sw_result *result = NULL;
    size_t count = 0;
    assert_int_equal(sw_worker_list(l.engine, &result, &l.error), 0);
    sw_worker_ref worker = {sw_workers(result, &count)[0].worker_id};
    sw_result_free(result);
    assert_int_equal(sw_worker_close(l.engine, &worker, &l.error), 0);
    sw_runner_stop(runner);
    pthread_join(b.thread, NULL);
    assert_int_equal(b.rc, SW_ENOTFOUND);
    assert_false(live_process_runs(pid));
    assert_int_equal(live_step(&l, &task, "sleep")->state, SW_STEP_READY);
    sw_runner_close(runner);
    live_close(&l);
}

/* The reference page lists every kind, every error class and whether it is tried again. */
static void test_reference_page(void **state)
{
    (void)state;
    static char page[1 << 16];
    char row[256];
    size_t count = 0;
    FILE *file = fopen(SW_SOURCE_DIR "/docs/reference/step-kinds.md", "r");
    assert_non_null(file);
    assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
    fclose(file);
    const sw_str *kinds = sw_runner_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        snprintf(row, sizeof(row), "\n## `%s`\n", kinds[i].ptr);
        assert_non_null(strstr(page, row));
    }
#define CLASS_ROW(name, text, outcome)                                                             \
    snprintf(row, sizeof(row), "\n| `%s` | %s |", text,                                            \
             SW_OUTCOME_##outcome == SW_OUTCOME_FAILED ? "yes" : "no");                            \
    if (!strstr(page, row))                                                                        \
        fail_msg("the page lacks: %s", row);
    SW__CLASS_MAP(CLASS_ROW)
#undef CLASS_ROW
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runner_runs_every_kind),
        TEST(test_runner_options),
        TEST(test_runner_until_an_unknown_task),
        TEST(test_runner_keeps_all_threads_busy),
        TEST(test_runner_many_tasks),
        TEST(test_runner_stops),
        TEST(test_runner_renews_its_lease),
        TEST(test_runner_stop_comes_first),
        TEST(test_runner_start_and_stop_often),
        TEST(test_runner_stops_by_signal),
        TEST(test_runner_cancels),
        TEST(test_runner_goes_on_after_a_cancel),
        TEST(test_runner_failures),
        TEST(test_runner_result_is_refused),
        TEST(test_runner_task_ended_by_another),
        TEST(test_runner_is_killed),
        TEST(test_runner_in_a_forked_child),
        TEST(test_runner_without_an_engine_any_more),
        TEST(test_reference_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
