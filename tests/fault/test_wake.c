/* Waiting for other processes: a worker that waits makes no query, and what another process commits
 * wakes it and those who wait for tasks; also when the bell is missing or is taken away.
 *
 * Every wait here is far longer than a ring takes and far shorter than the time after which a
 * waiter looks by itself, so that a ring that is not heard fails the test.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"
#include "helper/live.h"
#include "store/sqlite.h"

#define LIT(text) ((sw_str){(text), sizeof(text) - 1})
#define HEARD_MS 3000

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
    "{\"name\":\"a\",\"timeout_ms\":100,\"retry\":{\"max_attempts\":9,\"backoff\":\"none\"}}]}";

static char directory[64];
static char store[96];
static char bell[112];

static int setup(void **state)
{
    live l;
    (void)state;
    live_directory_make(directory);
    snprintf(store, sizeof store, "%s/a.db", directory);
    snprintf(bell, sizeof bell, "%s-bell", store);
    live_open(&l, store, definition);
    live_close(&l);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    live_directory_remove(directory);
    return 0;
}

static sw_worker_ref worker_open(live *l)
{
    sw_worker_ref worker;
    sw_str handler = LIT("w.a");
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    options.lease_ms = 600000;
    assert_int_equal(sw_worker_open(l->engine, &options, &worker, &l->error), 0);
    return worker;
}

static sw_uuid submit(live *l)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = LIT("w")};
    assert_int_equal(sw_task_submit(l->engine, &row, 1, &result, &l->error), 0);
    sw_uuid task = sw_task_submissions(result, &count)[0].task_id;
    sw_result_free(result);
    return task;
}

/* Exchange without a report; the steps that were claimed, the first one in *claim. */
static size_t claim_within(live *l, const sw_worker_ref *worker, int64_t wait_ms,
                           sw_step_outcome *claim)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_step_exchange(l->engine, worker, NULL, 0, 1, wait_ms, &result, &l->error);
    assert_int_equal(rc, 0);
    const sw_step_claim *claims = sw_step_claims(result, &count);
    if (count > 0 && claim)
        *claim = (sw_step_outcome){.step_id = claims[0].step_id, .epoch = claims[0].epoch};
    sw_result_free(result);
    return count;
}

static void report(live *l, const sw_step_outcome *outcome)
{
    sw_result *result = NULL;
    assert_int_equal(sw_step_update_batch(l->engine, outcome, 1, &result, &l->error), 0);
    sw_result_free(result);
}

/* Another process does something after a moment, in which this one goes to wait. */
static pid_t elsewhere(void (*act)(live *l))
{
    pid_t child = fork();
    if (child == 0) {
        live l;
        live_sleep_ms(50);
        live_open(&l, store, NULL);
        act(&l);
        live_close(&l);
        _exit(0);
    }
    assert_true(child > 0);
    return child;
}

static void elsewhere_ended(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void act_submit(live *l)
{
    submit(l);
}

/* Claim the step that there is, and end it. */
static void act_complete(live *l)
{
    sw_step_outcome claim;
    sw_worker_ref worker = worker_open(l);
    assert_int_equal(claim_within(l, &worker, 0, &claim), 1);
    report(l, &claim);
}

/* Claim the step and fail it, so that it comes due a little later. */
static void act_submit_and_fail(live *l)
{
    sw_step_outcome claim;
    sw_worker_ref worker = worker_open(l);
    submit(l);
    assert_int_equal(claim_within(l, &worker, 0, &claim), 1);
    claim.outcome = SW_OUTCOME_FAILED;
    claim.error_class = LIT("E");
    claim.retry_after_ms = 50;
    report(l, &claim);
}

/* Statements that an engine's connection begins. */
static int count_statement(unsigned kind, void *context, void *statement, void *text)
{
    (void)kind;
    (void)statement;
    (void)text;
    ++*(int *)context;
    return 0;
}

static void count_statements(live *l, int *count)
{
    sqlite3 *db = ((sw__sqlite *)l->engine->store)->db;
    *count = 0;
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, count);
}

static void wake_idle_worker_makes_no_query(void **state)
{
    (void)state;
    live l;
    int count;
    live_open(&l, store, NULL);
    sw_worker_ref worker = worker_open(&l);
    assert_int_equal(claim_within(&l, &worker, 1, NULL), 0);
    count_statements(&l, &count);
    assert_int_equal(claim_within(&l, &worker, 600, NULL), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(claim_within(&l, &worker, 10, NULL), 0);
    assert_int_equal(count, 0);
    live_close(&l);
}

/* The same beside a worker of another process, whose signs of life are looked at. */
static void wake_idle_worker_watches_without_a_query(void **state)
{
    (void)state;
    live l;
    live other;
    int count;
    live_open(&l, store, NULL);
    live_open(&other, store, NULL);
    sw_worker_ref worker = worker_open(&l);
    sw_worker_ref beside = worker_open(&other);
    assert_int_equal(claim_within(&l, &worker, 1, NULL), 0);
    count_statements(&l, &count);
    assert_int_equal(claim_within(&l, &worker, 600, NULL), 0);
    assert_int_equal(count, 0);
    assert_int_equal(sw_worker_close(other.engine, &beside, &other.error), 0);
    live_close(&other);
    live_close(&l);
}

static void wake_by_a_submission(void **state)
{
    (void)state;
    live l;
    live_open(&l, store, NULL);
    sw_worker_ref worker = worker_open(&l);
    pid_t child = elsewhere(act_submit);
    assert_int_equal(claim_within(&l, &worker, HEARD_MS, NULL), 1);
    elsewhere_ended(child);
    live_close(&l);
}

static void wake_by_a_retry_that_comes_due(void **state)
{
    (void)state;
    live l;
    live_open(&l, store, NULL);
    sw_worker_ref worker = worker_open(&l);
    assert_int_equal(claim_within(&l, &worker, 1, NULL), 0);
    pid_t child = elsewhere(act_submit_and_fail);
    elsewhere_ended(child);
    assert_int_equal(claim_within(&l, &worker, HEARD_MS, NULL), 1);
    live_close(&l);
}

static void wake_by_the_end_of_a_task(void **state)
{
    (void)state;
    live l;
    sw_result *result = NULL;
    live_open(&l, store, NULL);
    sw_uuid task = submit(&l);
    pid_t child = elsewhere(act_complete);
    assert_int_equal(sw_task_wait(l.engine, &task, HEARD_MS, &result, &l.error), 0);
    sw_result_free(result);
    elsewhere_ended(child);
    live_close(&l);
}

/* Without a bell the store is asked again and again, as before there were bells. */
static void wake_without_a_bell(void **state)
{
    (void)state;
    unlink(bell);
    assert_int_equal(mkdir(bell, 0700), 0);
    wake_by_the_end_of_a_task(NULL);
    wake_by_a_submission(NULL);
    rmdir(bell);
}

static void act_cut_and_submit(live *l)
{
    assert_int_equal(truncate(bell, 0), 0);
    submit(l);
}

static void wake_with_a_bell_that_was_cut_short(void **state)
{
    (void)state;
    live l;
    live_open(&l, store, NULL);
    sw_worker_ref worker = worker_open(&l);
    pid_t child = elsewhere(act_cut_and_submit);
    assert_int_equal(claim_within(&l, &worker, HEARD_MS, NULL), 1);
    elsewhere_ended(child);
    live_close(&l);
}

/* Who only reads leaves no bell behind. */
static void wake_readers_make_no_bell(void **state)
{
    (void)state;
    live l;
    unlink(bell);
    live_open(&l, store, NULL);
    sw_uuid unknown = {{1}};
    sw_result *result = NULL;
    assert_int_equal(sw_task_get(l.engine, &unknown, &result, &l.error), SW_ENOTFOUND);
    live_close(&l);
    assert_int_equal(access(bell, F_OK), -1);
}

typedef struct waiting {
    live *l;
    sw_worker_ref worker;
    int rc;
} waiting;

static void *waiting_main(void *argument)
{
    waiting *self = argument;
    sw_error error;
    sw_result *result = NULL;
    self->rc = sw_step_exchange(self->l->engine, &self->worker, NULL, 0, 1, -1, &result, &error);
    sw_result_free(result);
    return NULL;
}

static void wake_of_the_engine_and_its_end(void **state)
{
    (void)state;
    live l;
    pthread_t thread;
    live_open(&l, store, NULL);
    waiting one = {.l = &l, .worker = worker_open(&l)};
    assert_int_equal(pthread_create(&thread, NULL, waiting_main, &one), 0);
    live_sleep_ms(50);
    sw_engine_wake(l.engine);
    pthread_join(thread, NULL);
    assert_int_equal(one.rc, 0);
    assert_int_equal(pthread_create(&thread, NULL, waiting_main, &one), 0);
    live_sleep_ms(50);
    live_close(&l);
    pthread_join(thread, NULL);
    assert_int_equal(one.rc, SW_ECLOSED);
}

/* A worker whose threads are all busy makes no exchange; its keeper ends what ran out of time. */
static void wake_of_a_keeper_by_a_deadline(void **state)
{
    (void)state;
    live l;
    live_open(&l, store, NULL);
    sw_uuid task = submit(&l);
    sw_worker_ref worker = worker_open(&l);
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
    live_sleep_ms(20);
    assert_int_equal(claim_within(&l, &worker, 0, NULL), 1);
    int64_t end_ms = live_now_ms() + HEARD_MS;
    while (live_step(&l, &task, "a")->state == SW_STEP_RUNNING && live_now_ms() < end_ms)
        live_sleep_ms(20);
    assert_int_equal(live_step(&l, &task, "a")->state, SW_STEP_READY);
    live_close(&l);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(wake_idle_worker_makes_no_query),
        TEST(wake_idle_worker_watches_without_a_query),
        TEST(wake_by_a_submission),
        TEST(wake_by_a_retry_that_comes_due),
        TEST(wake_by_the_end_of_a_task),
        TEST(wake_without_a_bell),
        TEST(wake_with_a_bell_that_was_cut_short),
        TEST(wake_readers_make_no_bell),
        TEST(wake_of_the_engine_and_its_end),
        TEST(wake_of_a_keeper_by_a_deadline),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
