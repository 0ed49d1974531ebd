/* Group commit: calls that come while a transaction is written share the next one, and none bears
 * the error of another.
 *
 * The test holds the engine's lock, as a transaction does, until every call waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/group.h"
#include "helper/live.h"

#define CALLS_MAX 16
#define DEFINITION "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"

typedef struct call {
    pthread_t thread;
    sw_engine *engine;
    const char *workflow; /* submit a task of it, or, when NULL, report outcome */
    sw_step_outcome outcome;
    int rc;
    int32_t status; /* of the reported row */
    sw_error error;
} call;

static void *call_main(void *argument)
{
    call *c = argument;
    sw_result *result = NULL;
    size_t count = 0;
    if (c->workflow) {
        sw_task_submit_row row = {.workflow = {c->workflow, strlen(c->workflow)}};
        c->rc = sw_task_submit(c->engine, &row, 1, &result, &c->error);
    } else {
        c->rc = sw_step_update_batch(c->engine, &c->outcome, 1, &result, &c->error);
        const sw_step_applied *applied = sw_step_applications(result, &count);
        c->status = count == 1 ? applied[0].status : -1;
    }
    sw_result_free(result);
    return NULL;
}

static int calls_waiting(sw_engine *engine)
{
    int count = 0;
    pthread_mutex_lock(&engine->gate);
    for (const sw__part *part = engine->group.first; part; part = part->next)
        count++;
    pthread_mutex_unlock(&engine->gate);
    return count;
}

/* Start all calls at once, let them go on when all wait; how many transactions it took. */
static uint64_t calls_together(call *calls, int count)
{
    sw_engine *engine = calls[0].engine;
    uint64_t before = engine->commit_count;
    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&calls[i].thread, NULL, call_main, &calls[i]), 0);
    while (calls_waiting(engine) < count)
        live_sleep_ms(1);
    pthread_mutex_unlock(&engine->lock);
    for (int i = 0; i < count; i++)
        pthread_join(calls[i].thread, NULL);
    return engine->commit_count - before;
}

static int64_t tasks_in(live *l, int state)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    assert_int_equal(sw_task_count(l->engine, &filter, counts, &l->error), 0);
    return counts[state];
}

/* Both stores. */
static void on_stores(void (*body)(live *l))
{
    char folder[64];
    char file[80];
    live_directory_make_fast(folder);
    snprintf(file, sizeof file, "%s/group.db", folder);
    const char *stores[] = {"memory:", file};
    for (int i = 0; i < 2; i++) {
        live l;
        live_open(&l, stores[i], DEFINITION);
        body(&l);
        live_verify(&l);
        live_close(&l);
    }
    live_directory_remove(folder);
}

static void submit_all(live *l)
{
    call calls[CALLS_MAX];
    for (int i = 0; i < CALLS_MAX; i++)
        calls[i] = (call){.engine = l->engine, .workflow = "w"};
    assert_int_equal(calls_together(calls, CALLS_MAX), 1);
    for (int i = 0; i < CALLS_MAX; i++)
        assert_int_equal(calls[i].rc, SW_OK);
    assert_int_equal(tasks_in(l, SW_TASK_PENDING), CALLS_MAX);
}

static void group_is_one_transaction(void **state)
{
    (void)state;
    on_stores(submit_all);
}

static void submit_with_mistakes(live *l)
{
    call calls[CALLS_MAX];
    for (int i = 0; i < CALLS_MAX; i++)
        calls[i] = (call){.engine = l->engine, .workflow = i % 4 == 1 ? "nonsense" : "w"};
    assert_int_equal(calls_together(calls, CALLS_MAX), CALLS_MAX * 3 / 4);
    for (int i = 0; i < CALLS_MAX; i++) {
        assert_int_equal(calls[i].rc, i % 4 == 1 ? SW_ENOTFOUND : SW_OK);
        assert_int_equal(strstr(calls[i].error.message, "nonsense") != NULL, i % 4 == 1);
    }
    assert_int_equal(tasks_in(l, SW_TASK_PENDING), CALLS_MAX * 3 / 4);
}

static void group_keeps_errors_apart(void **state)
{
    (void)state;
    on_stores(submit_with_mistakes);
}

/* Both steps of one task are reported by different calls, one of them twice. */
static void report_apart(live *l)
{
    size_t count = 0;
    sw_worker_ref worker;
    sw_result *claimed = NULL;
    const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    sw_uuid task = live_submit(l);
    assert_int_equal(sw_worker_open(l->engine, &options, &worker, &l->error), 0);
    assert_int_equal(sw_step_exchange(l->engine, &worker, NULL, 0, 2, 0, &claimed, &l->error), 0);
    const sw_step_claim *claims = sw_step_claims(claimed, &count);
    assert_int_equal(count, 2);
    call calls[3];
    for (int i = 0; i < 3; i++)
        calls[i] = (call){.engine = l->engine,
                          .outcome = {.step_id = claims[i % 2].step_id,
                                      .epoch = claims[i % 2].epoch,
                                      .outcome = SW_OUTCOME_SUCCEEDED}};
    sw_result_free(claimed);
    assert_int_equal(calls_together(calls, 3), 1);
    assert_int_equal(calls[1].status, SW_ROW_APPLIED);
    assert_int_equal((calls[0].status == SW_ROW_APPLIED) + (calls[2].status == SW_ROW_APPLIED), 1);
    assert_int_equal(live_state(l, &task), SW_TASK_SUCCEEDED);
}

static void group_sees_what_its_parts_did(void **state)
{
    (void)state;
    on_stores(report_apart);
}

/* A worker looks for work, finds none, and the submission after it in the same transaction brings
 * some: it must not wait for another commit, of which there will be none. */
typedef struct seeker {
    sw_engine *engine;
    sw_worker_ref worker;
    size_t claims;
    sw_error error;
} seeker;

static void *seek_main(void *argument)
{
    seeker *s = argument;
    sw_result *result = NULL;
    if (sw_step_exchange(s->engine, &s->worker, NULL, 0, 1, 10000, &result, &s->error) == 0)
        sw_step_claims(result, &s->claims);
    sw_result_free(result);
    return NULL;
}

/* As if another call led: those that come wait for it, without the lock of the engine. */
static void lead(sw_engine *engine, bool led)
{
    pthread_mutex_lock(&engine->gate);
    engine->group.led = led;
    pthread_cond_broadcast(&engine->group.over);
    pthread_mutex_unlock(&engine->gate);
}

static void seek_before_submit(live *l)
{
    pthread_t thread;
    const sw_str handlers[] = {{"w.a", 3}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    seeker s = {.engine = l->engine};
    call submit = {.engine = l->engine, .workflow = "w"};
    options.handlers = handlers;
    options.handler_count = 1;
    options.lease_ms = 60000;
    assert_int_equal(sw_worker_open(l->engine, &options, &s.worker, &l->error), 0);
    l->engine->sweep_due_us = INT64_MAX; /* which would look as well, sooner or later */
    lead(l->engine, true);
    assert_int_equal(pthread_create(&thread, NULL, seek_main, &s), 0);
    while (calls_waiting(l->engine) < 1)
        live_sleep_ms(1);
    assert_int_equal(pthread_create(&submit.thread, NULL, call_main, &submit), 0);
    while (calls_waiting(l->engine) < 2)
        live_sleep_ms(1);
    lead(l->engine, false);
    pthread_join(submit.thread, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(s.claims, 1);
}

static void group_brings_news_to_its_own_parts(void **state)
{
    (void)state;
    on_stores(seek_before_submit);
}

/* Calls that wait when the engine is closed get their turn. */
static void *close_main(void *argument)
{
    sw_engine_close(argument);
    return NULL;
}

static void group_is_served_before_closing(void **state)
{
    (void)state;
    live l;
    pthread_t closer;
    call calls[CALLS_MAX];
    live_open(&l, "memory:", DEFINITION);
    sw_engine *engine = l.engine;
    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < CALLS_MAX; i++) {
        calls[i] = (call){.engine = engine, .workflow = "w"};
        assert_int_equal(pthread_create(&calls[i].thread, NULL, call_main, &calls[i]), 0);
    }
    while (calls_waiting(engine) < CALLS_MAX)
        live_sleep_ms(1);
    assert_int_equal(pthread_create(&closer, NULL, close_main, engine), 0);
    while (!atomic_load(&engine->closing))
        live_sleep_ms(1);
    pthread_mutex_unlock(&engine->lock);
    for (int i = 0; i < CALLS_MAX; i++) {
        pthread_join(calls[i].thread, NULL);
        assert_int_equal(calls[i].rc, SW_OK);
    }
    pthread_join(closer, NULL);
    sw_workflow_free(l.workflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_is_one_transaction),
        cmocka_unit_test(group_keeps_errors_apart),
        cmocka_unit_test(group_sees_what_its_parts_did),
        cmocka_unit_test(group_brings_news_to_its_own_parts),
        cmocka_unit_test(group_is_served_before_closing),
    };
    return cmocka_run_group_tests_name("engine_group", tests, NULL, NULL);
}
