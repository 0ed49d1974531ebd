/* worker/runner: stopping, cancelling, keeping the lease, being forked and being killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/running.h"

static const char two_kinds[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"handler\":\"noop\"},"
    "{\"name\":\"b\",\"handler\":\"command\",\"after\":[\"a\"],"
    "\"parameters\":{\"command\":\"true\"}}]}";

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
    sw_runner *runner = running_open(&l, 2, 0);
    background_start(&b, runner, &task);
    long pid = running_pid("pid");
    long child = running_pid("child");
    int64_t before_ms = live_now_ms();
    sw_runner_stop(runner);
    background_join(&b);
    assert_true(live_now_ms() - before_ms < 15000);
    assert_false(live_process_runs(pid));
    running_dies(child);
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
    snprintf(store, sizeof(store), "%s/stop.db", running_directory);
    stop_on("memory:");
    running_forget_pids();
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
    sw_runner *runner = running_open(&l, 1, 300);
    /* Another worker would take over a step whose lease has run out. */
    sw_runner *rival = running_open(&l, 1, 300);
    background b;
    background_start(&b, rival, &task);
    running_until(&l, runner, &task);
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
    live_open(&l, "memory:", two_kinds);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 2, 0);
    sw_runner_stop(runner);
    running_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_PENDING);
    running_until(&l, runner, &task); /* the stop is used up */
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
    sw_runner *runner = running_open(&l, 3, 0);
    for (int i = 0; i < 100; i++) {
        tasks[i] = live_submit(&l);
        background_start(&b, runner, i % 2 ? &tasks[i] : NULL);
        live_sleep_ms(i % 7);
        sw_runner_stop(runner);
        background_join(&b);
    }
    for (int i = 0; i < 100; i++) {
        running_until(&l, runner, &tasks[i]);
        /* A stop that came when the run had ended by itself ends the next one. */
        running_until(&l, runner, &tasks[i]);
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
    signalled = running_open(&l, 2, 0);
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &soon, NULL);
    int64_t before_ms = live_now_ms();
    running_until(&l, signalled, NULL); /* nothing to do: it waits inside an exchange */
    int64_t took_ms = live_now_ms() - before_ms;
    signal(SIGALRM, SIG_DFL);
    assert_true(took_ms >= 190 && took_ms < 4000); /* a wait would take 5 s */
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
    sw_runner *runner = running_open(&l, 2, 0);
    background_start(&b, runner, &task);
    long child = running_pid("child");
    long pid = running_pid("pid");
    int64_t before_ms = live_now_ms();
    live_cancel(&l, &task);
    background_join(&b);
    assert_true(live_now_ms() - before_ms < 15000);
    assert_false(live_process_runs(pid));
    running_dies(child);
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
    sw_runner *runner = running_open(&l, 1, 0);
    background_start(&b, runner, NULL);
    long pid = running_pid("pid");
    live_cancel(&l, &task);
    running_dies(pid);
    sw_uuid other = live_submit(&l);
    running_wait_for(&l, &other, "sleep", SW_STEP_RUNNING);
    sw_runner_stop(runner);
    background_join(&b);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void run_and_be_killed(const char *store)
{
    live l;
    live_open(&l, store, NULL);
    sw_runner *runner = running_open(&l, 2, 1000);
    sw_runner_run(runner, NULL, NULL);
    _exit(1);
}

/* kill -9 in the middle of a step: its command dies with it, and the step runs again. */
static void test_runner_is_killed(void **state)
{
    (void)state;
    char store[128];
    live l;
    snprintf(store, sizeof(store), "%s/kill.db", running_directory);
    live_open(&l, store, sleeper);
    sw_uuid task = live_submit(&l);
    pid_t victim = fork();
    if (victim == 0)
        run_and_be_killed(store);
    long pid = running_pid("pid");
    long child = running_pid("child");
    kill(victim, SIGKILL);
    assert_int_equal(waitpid(victim, NULL, 0), victim);
    running_dies(pid);
    running_dies(child);
    background b;
    sw_runner *runner = running_open(&l, 1, 0);
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
    live_open(&l, "memory:", two_kinds);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 1, 0);
    pid_t child = fork();
    if (child == 0) {
        int rc = sw_runner_run(runner, &task, NULL);
        sw_runner_close(runner);
        _exit(rc == SW_EFORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    running_until(&l, runner, &task);
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
    sw_runner *runner = running_open(&l, 1, 0);
    background_start(&b, runner, &task);
    long pid = running_pid("pid");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runner_stops),
        TEST(test_runner_renews_its_lease),
        TEST(test_runner_stop_comes_first),
        TEST(test_runner_start_and_stop_often),
        TEST(test_runner_stops_by_signal),
        TEST(test_runner_cancels),
        TEST(test_runner_goes_on_after_a_cancel),
        TEST(test_runner_is_killed),
        TEST(test_runner_in_a_forked_child),
        TEST(test_runner_without_an_engine_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
