/* Eight threads on one engine: submitting, exchanging, cancelling, reading and verifying at once.
 * No step is lost, none runs twice, every task ends, the history verifies. Meant to be run under
 * the thread sanitizer, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/live.h"

#define THREADS 8
#define TASKS 60
#define STEPS 6
#define CLAIMS_MAX 7

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
    "{\"name\":\"a\"},"
    "{\"name\":\"b\",\"after\":[\"a\"]},{\"name\":\"c\",\"after\":[\"a\"]},"
    "{\"name\":\"d\",\"after\":[\"a\"],\"retry\":{\"max_attempts\":5,\"backoff\":\"none\"}},"
    "{\"name\":\"e\",\"after\":[\"b\",\"c\"]},"
    "{\"name\":\"f\",\"after\":[\"d\",\"e\"]}]}";

static const sw_str handlers[STEPS] = {{"w.a", 3}, {"w.b", 3}, {"w.c", 3},
                                       {"w.d", 3}, {"w.e", 3}, {"w.f", 3}};

typedef struct crowd {
    live shop;
    sw_uuid tasks[TASKS];
    /* Attempts that were told to have been applied, by task and step. */
    atomic_int done[TASKS][STEPS];
    atomic_int failed[TASKS];
    atomic_int ended; /* tasks reported as finished; threads that have begun to wait */
    atomic_bool over;
    atomic_int errors;
} crowd;

typedef struct member {
    crowd *crowd;
    pthread_t thread;
    int index;
    sw_worker_ref worker;
} member;

static void complain(crowd *c, const char *call, int rc, const sw_error *error)
{
    print_error("%s: %s: %s\n", call, sw_code_name(rc), error->message);
    atomic_fetch_add(&c->errors, 1);
}

static int task_index(const crowd *c, const sw_uuid *task)
{
    for (int i = 0; i < TASKS; i++) {
        if (memcmp(&c->tasks[i], task, sizeof(*task)) == 0)
            return i;
    }
    return -1;
}

/* What a claim is answered with: step d fails at its first attempt, all else succeeds. */
static sw_step_outcome answer(const sw_step_claim *claim)
{
    bool fails = claim->name.ptr[0] == 'd' && claim->attempt == 1;
    return (sw_step_outcome){
        .step_id = claim->step_id,
        .epoch = claim->epoch,
        .outcome = fails ? SW_OUTCOME_FAILED : SW_OUTCOME_SUCCEEDED,
        .result = fails ? (sw_str){0} : (sw_str){"{\"ok\":1}", 8},
        .error_class = fails ? (sw_str){"Flaky", 5} : (sw_str){0},
    };
}

/* Remember what was applied; the result of the claims is still at hand. */
static void remember(crowd *c, const sw_step_claim *claims, const sw_step_outcome *rows,
                     size_t count, const sw_result *result)
{
    size_t applied_count = 0;
    const sw_step_applied *applied = sw_step_applications(result, &applied_count);
    for (size_t i = 0; i < count; i++) {
        int task = task_index(c, &claims[i].task_id);
        if (applied[i].status != SW_ROW_APPLIED)
            continue;
        if (rows[i].outcome == SW_OUTCOME_SUCCEEDED)
            atomic_fetch_add(&c->done[task][claims[i].name.ptr[0] - 'a'], 1);
        else
            atomic_fetch_add(&c->failed[task], 1);
    }
    size_t finished = 0;
    sw_tasks_finished(result, &finished);
    atomic_fetch_add(&c->ended, (int)finished);
}

/* One turn: report what the last turn claimed, claim more. */
static sw_result *turn(member *m, sw_result *before)
{
    size_t count = 0;
    sw_error error;
    sw_result *result = NULL;
    sw_step_outcome rows[CLAIMS_MAX];
    const sw_step_claim *claims = sw_step_claims(before, &count);
    for (size_t i = 0; i < count; i++)
        rows[i] = answer(&claims[i]);
    int rc = sw_step_exchange(m->crowd->shop.engine, &m->worker, rows, count,
                              (size_t)(m->index % CLAIMS_MAX) + 1, 5, &result, &error);
    if (rc < 0)
        complain(m->crowd, "exchange", rc, &error);
    else
        remember(m->crowd, claims, rows, count, result);
    sw_result_free(before);
    return result;
}

static void *work(void *argument)
{
    member *m = argument;
    crowd *c = m->crowd;
    sw_error error;
    sw_result *result = NULL;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = STEPS;
    int rc = sw_worker_open(c->shop.engine, &options, &m->worker, &error);
    if (rc < 0)
        complain(c, "open a worker", rc, &error);
    while (atomic_load(&c->ended) < TASKS && atomic_load(&c->errors) == 0)
        result = turn(m, result);
    sw_result_free(result);
    rc = sw_worker_close(c->shop.engine, &m->worker, &error);
    if (rc < 0)
        complain(c, "close a worker", rc, &error);
    return NULL;
}

/* Looks at everything while it changes, and wakes those that wait. */
static void *look(void *argument)
{
    member *m = argument;
    crowd *c = m->crowd;
    for (int round = 0; !atomic_load(&c->over); round++) {
        sw_error error;
        sw_result *results[7] = {NULL};
        sw_audit_report report = SW_AUDIT_REPORT_INIT;
        sw_forecast_options forecast = SW_FORECAST_OPTIONS_INIT;
        forecast.draws = 20;
        const sw_uuid *task = &c->tasks[round % TASKS];
        int rc = sw_task_get(c->shop.engine, task, &results[0], &error);
        if (rc == SW_OK)
            rc = sw_step_explain(c->shop.engine, task, (sw_str){0}, &results[1], &error);
        if (rc == SW_OK)
            rc = sw_audit_task(c->shop.engine, task, &results[2], &error);
        if (rc == SW_OK)
            rc = sw_worker_list(c->shop.engine, &results[3], &error);
        if (rc == SW_OK)
            rc = sw_task_context(c->shop.engine, task, 1, &results[4], &error);
        if (rc == SW_OK)
            rc = sw_step_readiness(c->shop.engine, task, &results[5], &error);
        if (rc == SW_OK && round % 4 == 0)
            rc = sw_task_forecast(c->shop.engine, &forecast, task, &results[6], &error);
        if (rc == SW_OK && round % 8 == 0)
            rc = sw_audit_verify(c->shop.engine, &report, &error);
        if (rc < 0)
            complain(c, "look", rc, &error);
        sw_engine_wake(c->shop.engine);
        for (int i = 0; i < 7; i++)
            sw_result_free(results[i]);
    }
    return NULL;
}

static void crowd_run(crowd *c)
{
    member members[THREADS];
    pthread_t looker;
    member watcher = {.crowd = c};
    for (int i = 0; i < THREADS; i++) {
        members[i] = (member){.crowd = c, .index = i};
        assert_int_equal(pthread_create(&members[i].thread, NULL, work, &members[i]), 0);
    }
    assert_int_equal(pthread_create(&looker, NULL, look, &watcher), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(members[i].thread, NULL);
    atomic_store(&c->over, true);
    pthread_join(looker, NULL);
    assert_int_equal(c->errors, 0);
}

static void threads_on(const char *store)
{
    crowd *c = calloc(1, sizeof(*c));
    live_open(&c->shop, store, definition);
    for (int i = 0; i < TASKS; i++)
        c->tasks[i] = live_submit(&c->shop);
    crowd_run(c);
    assert_int_equal(c->ended, TASKS); /* each told once */
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(live_state(&c->shop, &c->tasks[i]), SW_TASK_SUCCEEDED);
        assert_int_equal(c->failed[i], 1);
        for (int step = 0; step < STEPS; step++)
            assert_int_equal(c->done[i][step], 1);
    }
    sw_audit_report report = live_verify(&c->shop);
    assert_int_equal(report.commit_count, TASKS * STEPS);
    assert_int_equal(report.reclaim_count, 0);
    assert_int_equal(report.fenced_count, 0);
    live_close(&c->shop);
    free(c);
}

static void test_threads_in_memory(void **state)
{
    (void)state;
    threads_on("memory:");
}

static void test_threads_in_sqlite(void **state)
{
    char directory[64];
    char store[128];
    (void)state;
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/threads.db", directory);
    threads_on(store);
    live_directory_remove(directory);
}

/* Closing waits for calls that run, and ends those that wait. */
static void *wait_for_work(void *argument)
{
    member *m = argument;
    sw_error error;
    sw_result *result = NULL;
    atomic_fetch_add(&m->crowd->ended, 1);
    int rc = sw_step_exchange(m->crowd->shop.engine, &m->worker, NULL, 0, 1, -1, &result, &error);
    sw_result_free(result);
    if (rc != SW_ECLOSED)
        complain(m->crowd, "exchange", rc, &error);
    return NULL;
}

/* Four threads wait for work; meanwhile something happens; closing ends them. */
static void wait_while(const char *store, void (*meanwhile)(live *shop))
{
    sw_error error;
    crowd c = {0};
    member members[4];
    live_open(&c.shop, store, definition);
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = STEPS;
    for (int i = 0; i < 4; i++) {
        members[i] = (member){.crowd = &c};
        assert_int_equal(sw_worker_open(c.shop.engine, &options, &members[i].worker, &error), 0);
        assert_int_equal(pthread_create(&members[i].thread, NULL, wait_for_work, &members[i]), 0);
    }
    while (atomic_load(&c.ended) < 4)
        live_sleep_ms(1);
    live_sleep_ms(200); /* from having started to waiting */
    meanwhile(&c.shop);
    live_close(&c.shop);
    for (int i = 0; i < 4; i++)
        pthread_join(members[i].thread, NULL);
    assert_int_equal(c.errors, 0);
}

static void let_be(live *shop)
{
    (void)shop;
}

static void test_closing_ends_waiting_calls(void **state)
{
    (void)state;
    wait_while("memory:", let_be);
}

/* What is undone makes the engine forget what it had read; those who wait have no transaction to
 * read it again. */
static void fail_often(live *shop)
{
    sw_error error;
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = {"nowhere", 7}};
    for (int i = 0; i < 20; i++) {
        assert_int_equal(sw_task_submit(shop->engine, &row, 1, &result, &error), SW_ENOTFOUND);
        live_sleep_ms(5);
    }
}

static void test_failed_calls_do_not_disturb_waiting_ones(void **state)
{
    char directory[64];
    char store[128];
    (void)state;
    wait_while("memory:", fail_often);
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/threads.db", directory);
    wait_while(store, fail_often);
    live_directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_in_memory),
        cmocka_unit_test(test_threads_in_sqlite),
        cmocka_unit_test(test_closing_ends_waiting_calls),
        cmocka_unit_test(test_failed_calls_do_not_disturb_waiting_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
