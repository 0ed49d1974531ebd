/* One engine, many threads: workers exchange while others submit, look, renew, wake and verify.
 * Run it under ThreadSanitizer as well (script/test does). */
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
#include <unistd.h>

#include "stepwell.h"

#define THREADS_WORKERS 6
#define THREADS_TASKS 400
#define THREADS_STEPS 4
#define THREADS_CLAIM_MAX 7
#define THREADS_WAIT_MS 20

static const char threads_definition[] =
    "{\"stepwell\": 1, \"name\": \"diamond\", \"steps\": ["
    "{\"name\": \"top\"}, {\"name\": \"left\", \"after\": [\"top\"]},"
    "{\"name\": \"right\", \"after\": [\"top\"]},"
    "{\"name\": \"bottom\", \"after\": [\"left\", \"right\"]}]}";

/* What all threads share. Threads count what went wrong; only the main thread asserts. */
typedef struct crowd {
    sw_engine *engine;
    sw_workflow *workflow;
    atomic_int wrong;
    atomic_int finished;  /* tasks */
    atomic_int succeeded; /* steps */
    atomic_int released;  /* attempts given back */
} crowd;

static void crowd_check(crowd *all, int rc, const sw_error *err)
{
    if (rc < 0 && atomic_fetch_add(&all->wrong, 1) == 0)
        fprintf(stderr, "%s: %s\n", sw_code_name(rc), err->message);
}

/* Every fifth attempt is given back at first sight, so that claims move between workers. */
static size_t crowd_report(crowd *all, const sw_result *result, sw_step_outcome *rows)
{
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < count; i++) {
        bool release = claims[i].epoch == 1 && claims[i].step_id % 5 == 0;
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id,
            .epoch = claims[i].epoch,
            .outcome = release ? SW_OUTCOME_RELEASED : SW_OUTCOME_SUCCEEDED,
            .result = {"{\"done\":true}", 13},
        };
        atomic_fetch_add(release ? &all->released : &all->succeeded, 1);
    }
    return count;
}

static void crowd_look(crowd *all, const sw_result *result)
{
    size_t count = 0;
    const sw_step_applied *applied = sw_step_applications(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (applied[i].status != SW_ROW_APPLIED)
            atomic_fetch_add(&all->wrong, 1);
    }
    sw_tasks_finished(result, &count);
    atomic_fetch_add(&all->finished, (int)count);
}

static void *crowd_work(void *context)
{
    crowd *all = context;
    sw_error err;
    size_t step_count = 0;
    size_t reported = 0;
    sw_step_outcome rows[THREADS_CLAIM_MAX];
    sw_str handlers[THREADS_STEPS];
    sw_worker_ref worker = {0};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    const sw_workflow_step *steps = sw_workflow_steps(all->workflow, &step_count);
    for (size_t i = 0; i < step_count; i++)
        handlers[i] = steps[i].handler;
    options.handlers = handlers;
    options.handler_count = step_count;
    options.lease_ms = 600000;
    crowd_check(all, sw_worker_open(all->engine, &options, &worker, &err), &err);
    while (atomic_load(&all->finished) < THREADS_TASKS && atomic_load(&all->wrong) == 0) {
        sw_result *result = NULL;
        int rc = sw_step_exchange(all->engine, &worker, rows, reported, THREADS_CLAIM_MAX,
                                  THREADS_WAIT_MS, &result, &err);
        crowd_check(all, rc, &err);
        if (rc < 0)
            break;
        crowd_look(all, result);
        reported = crowd_report(all, result, rows);
        sw_result_free(result);
    }
    crowd_check(all, sw_worker_close(all->engine, &worker, &err), &err);
    return NULL;
}

static void *crowd_submit(void *context)
{
    crowd *all = context;
    sw_error err;
    for (int i = 0; i < THREADS_TASKS && atomic_load(&all->wrong) == 0; i++) {
        sw_result *result = NULL;
        sw_task_submit_row row = {.workflow = sw_workflow_name(all->workflow),
                                  .input = {"{\"n\":1}", 7}};
        crowd_check(all, sw_task_submit(all->engine, &row, 1, &result, &err), &err);
        sw_result_free(result);
    }
    return NULL;
}

static void *crowd_watch(void *context)
{
    crowd *all = context;
    sw_error err;
    int64_t counts[SW_TASK_STATE_COUNT];
    while (atomic_load(&all->finished) < THREADS_TASKS && atomic_load(&all->wrong) == 0) {
        sw_task_filter filter = SW_TASK_FILTER_INIT;
        sw_audit_report report = SW_AUDIT_REPORT_INIT;
        sw_result *tasks = NULL;
        sw_result *workers = NULL;
        crowd_check(all, sw_task_count(all->engine, &filter, counts, &err), &err);
        crowd_check(all, sw_task_list(all->engine, &filter, &tasks, &err), &err);
        crowd_check(all, sw_worker_list(all->engine, &workers, &err), &err);
        crowd_check(all, sw_audit_verify(all->engine, &report, &err), &err);
        sw_engine_wake(all->engine);
        sw_result_free(workers);
        sw_result_free(tasks);
        usleep(2000);
    }
    return NULL;
}

static void crowd_open(crowd *all, const char *store)
{
    const sw_str text = {threads_definition, sizeof(threads_definition) - 1};
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    memset(all, 0, sizeof(*all));
    options.store = (sw_str){store, strlen(store)};
    options.durability = SW_DURABILITY_RELAXED;
    assert_int_equal(sw_engine_open(&options, &all->engine, NULL), SW_OK);
    assert_int_equal(sw_workflow_load(&load, text, &all->workflow, NULL, NULL), SW_OK);
    const sw_workflow *workflows[] = {all->workflow};
    assert_int_equal(sw_workflow_register(all->engine, workflows, 1, NULL), SW_OK);
}

/* Everything was done once, whoever did it. */
static void crowd_close(crowd *all)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    assert_int_equal(atomic_load(&all->wrong), 0);
    assert_int_equal(atomic_load(&all->finished), THREADS_TASKS);
    assert_int_equal(atomic_load(&all->succeeded), THREADS_TASKS * THREADS_STEPS);
    assert_true(atomic_load(&all->released) > 0);
    assert_int_equal(sw_task_count(all->engine, &filter, counts, NULL), SW_OK);
    assert_int_equal(counts[SW_TASK_SUCCEEDED], THREADS_TASKS);
    assert_int_equal(sw_audit_verify(all->engine, &report, NULL), SW_OK);
    assert_int_equal(report.commit_count, THREADS_TASKS * THREADS_STEPS);
    assert_int_equal(report.fenced_count, 0);
    sw_workflow_free(all->workflow);
    sw_engine_close(all->engine);
}

static void crowd_run(const char *store)
{
    crowd all;
    pthread_t threads[THREADS_WORKERS + 2];
    size_t count = 0;
    crowd_open(&all, store);
    for (; count < THREADS_WORKERS; count++)
        assert_int_equal(pthread_create(&threads[count], NULL, crowd_work, &all), 0);
    assert_int_equal(pthread_create(&threads[count++], NULL, crowd_submit, &all), 0);
    assert_int_equal(pthread_create(&threads[count++], NULL, crowd_watch, &all), 0);
    while (count > 0)
        pthread_join(threads[--count], NULL);
    crowd_close(&all);
}

static void test_exchanges_of_many_threads_in_memory(void **state)
{
    (void)state;
    crowd_run("memory:");
}

static void test_exchanges_of_many_threads_on_sqlite(void **state)
{
    (void)state;
    char folder[] = "/tmp/stepwell-threads-XXXXXX";
    char path[64];
    char side[80];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/store.db", folder);
    crowd_run(path);
    const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(side, sizeof(side), "%s%s", path, suffixes[i]);
        unlink(side);
    }
    rmdir(folder);
}

/* One claim, waited for; the number of steps claimed, or what went wrong. */
static void *waiter_main(void *context)
{
    sw_error err;
    size_t count = 0;
    sw_result *result = NULL;
    sw_worker_ref worker;
    crowd *all = context;
    sw_str handler = {"diamond.top", 11};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    crowd_check(all, sw_worker_open(all->engine, &options, &worker, &err), &err);
    crowd_check(all, sw_step_exchange(all->engine, &worker, NULL, 0, 1, 20000, &result, &err),
                &err);
    sw_step_claims(result, &count);
    sw_result_free(result);
    atomic_store(&all->finished, (int)count);
    return NULL;
}

/* A transaction that is undone makes the engine forget what it had read; who waits just then has
 * no transaction to read it again. */
static void test_a_failed_call_does_not_disturb_who_waits(void **state)
{
    crowd all;
    pthread_t waiter;
    sw_result *result = NULL;
    sw_task_submit_row rows[] = {{.workflow = {"nowhere", 7}}, {.workflow = {"diamond", 7}}};
    (void)state;
    crowd_open(&all, "memory:");
    assert_int_equal(pthread_create(&waiter, NULL, waiter_main, &all), 0);
    for (int i = 0; i < 20; i++) {
        usleep(5000);
        assert_int_equal(sw_task_submit(all.engine, &rows[0], 1, &result, NULL), SW_ENOTFOUND);
    }
    assert_int_equal(sw_task_submit(all.engine, &rows[1], 1, &result, NULL), SW_OK);
    sw_result_free(result);
    pthread_join(waiter, NULL);
    assert_int_equal(all.wrong, 0);
    assert_int_equal(all.finished, 1);
    sw_workflow_free(all.workflow);
    sw_engine_close(all.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchanges_of_many_threads_in_memory),
        cmocka_unit_test(test_exchanges_of_many_threads_on_sqlite),
        cmocka_unit_test(test_a_failed_call_does_not_disturb_who_waits),
    };
    return cmocka_run_group_tests_name("engine_threads", tests, NULL, NULL);
}
