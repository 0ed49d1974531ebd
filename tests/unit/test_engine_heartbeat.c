/* Heartbeats: when an attempt that says nothing is ended, what keeps it, and who is believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper/rig.h"

#define STEP(name, more) "{\"name\":\"" name "\"" more "}"
#define DEFINITION(steps) "{\"stepwell\":1,\"name\":\"w\",\"steps\":[" steps "]}"
#define RETRY ",\"retry\":{\"max_attempts\":2,\"backoff\":\"none\"}"
#define SILENT DEFINITION(STEP("a", ",\"heartbeat_ms\":1000" RETRY))
#define TIMED DEFINITION(STEP("a", ",\"heartbeat_ms\":1000,\"timeout_ms\":2500" RETRY))
#define PLAIN DEFINITION(STEP("a", RETRY))

#define MS 1000
#define GRACE_MS 500 /* after which the sweep of others ends what its own worker has not */
#define LEASE_MS 600000

static void wait_ms(rig *r, int64_t ms)
{
    fault_env_advance(&r->fault, ms * MS);
}

static void exchange(rig *r, const sw_worker_ref *worker)
{
    rig_exchange(r, worker, NULL, 0, 0);
}

static sw_step_hold hold_of(const rig *r, const char *step)
{
    const sw_step_claim *claim = rig_claim(r, step);
    return (sw_step_hold){claim->step_id, claim->epoch};
}

static sw_step_applied beat(rig *r, const sw_step_hold *hold)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_step_heartbeat(r->engine, hold, 1, &result, &r->error), SW_OK);
    sw_step_applied row = *sw_step_applications(result, &count);
    assert_int_equal(count, 1);
    assert_int_equal(row.step_id, hold->step_id);
    sw_result_free(result);
    return row;
}

static void assert_beat(rig *r, const sw_step_hold *hold, int status, int state)
{
    sw_step_applied row = beat(r, hold);
    assert_int_equal(row.status, status);
    assert_int_equal(row.state, state);
}

static void assert_error(rig *r, const sw_uuid *task, const char *error_class, const char *message)
{
    sw_step_row row = rig_step(r, task, "a");
    assert_int_equal(row.error_class.len, strlen(error_class));
    assert_memory_equal(row.error_class.ptr, error_class, row.error_class.len);
    assert_int_equal(row.error_message.len, strlen(message));
    assert_memory_equal(row.error_message.ptr, message, row.error_message.len);
}

static int64_t count_entries(rig *r, const sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_audit_task(r->engine, task, &result, &r->error), SW_OK);
    sw_audit_entries(result, &count);
    sw_result_free(result);
    return (int64_t)count;
}

static int64_t count_reclaimed(rig *r)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    assert_int_equal(sw_audit_verify(r->engine, &report, &r->error), SW_OK);
    return report.reclaim_count;
}

/* Not a moment sooner; and what the ended attempt reports later changes nothing. */
static void silence_ends_an_attempt(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", SILENT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->heartbeat_ms, 1000);
    assert_int_equal(rig_claim(&r, "a")->timeout_ms, 0);
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    sw_step_hold old = hold_of(&r, "a");
    sw_step_row row = rig_step(&r, &task, "a");
    assert_int_equal(row.deadline_us, row.changed_us + 1000 * MS);
    wait_ms(&r, 1000 + GRACE_MS - 1);
    exchange(&r, &worker);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_RUNNING);
    wait_ms(&r, 1);
    exchange(&r, &worker);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_READY);
    assert_error(&r, &task, "HeartbeatMissed", "no heartbeat within 1000 ms");
    rig_claims(&r, &worker, "a");
    assert_beat(&r, &old, SW_ROW_FENCED, SW_STEP_RUNNING);
    rig_report(&r, &worker, late, SW_ROW_FENCED);
    assert_int_equal(count_reclaimed(&r), 1);
    rig_verify(&r);
    rig_close(&r);
}

/* The attempts are used up like those that failed otherwise. */
static void silence_uses_attempts_up(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", SILENT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    for (int attempt = 1; attempt <= 2; attempt++) {
        rig_claims(&r, &worker, "a");
        assert_int_equal(rig_claim(&r, "a")->attempt, attempt);
        wait_ms(&r, 1000 + GRACE_MS);
        exchange(&r, &worker);
    }
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_FAILED);
    assert_error(&r, &task, "HeartbeatMissed", "no heartbeat within 1000 ms");
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* For as long as they come, and no entry of the log tells of them. */
static void heartbeats_keep_an_attempt(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", SILENT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_hold held = hold_of(&r, "a");
    sw_step_outcome good = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    int64_t entries = count_entries(&r, &task);
    for (int i = 0; i < 20; i++) {
        wait_ms(&r, 900);
        assert_beat(&r, &held, SW_ROW_APPLIED, SW_STEP_RUNNING);
        exchange(&r, &worker);
        wait_ms(&r, GRACE_MS);
        exchange(&r, &worker);
    }
    assert_int_equal(count_entries(&r, &task), entries);
    rig_report(&r, &worker, good, SW_ROW_APPLIED);
    assert_beat(&r, &held, SW_ROW_FENCED, SW_STEP_SUCCEEDED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_SUCCEEDED);
    rig_verify(&r);
    rig_close(&r);
}

static void heartbeats_do_not_outlast_the_timeout(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", TIMED);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_hold held = hold_of(&r, "a");
    sw_step_row row = rig_step(&r, &task, "a");
    for (int i = 0; i < 4; i++) {
        wait_ms(&r, 600);
        assert_beat(&r, &held, SW_ROW_APPLIED, SW_STEP_RUNNING);
    }
    assert_int_equal(rig_step(&r, &task, "a").deadline_us, row.changed_us + 2500 * MS);
    wait_ms(&r, 100 + GRACE_MS - 1);
    assert_beat(&r, &held, SW_ROW_APPLIED, SW_STEP_RUNNING);
    wait_ms(&r, 1);
    exchange(&r, &worker);
    assert_error(&r, &task, "Timeout", "no outcome within 2500 ms");
    rig_claims(&r, &worker, "a");
    wait_ms(&r, 1000 + GRACE_MS);
    exchange(&r, &worker);
    assert_error(&r, &task, "HeartbeatMissed", "no heartbeat within 1000 ms");
    rig_verify(&r);
    rig_close(&r);
}

/* A handler that asks learns that nobody wants its result any more. */
static void heartbeat_tells_of_a_cancellation(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", PLAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->heartbeat_ms, 0);
    sw_step_hold held = hold_of(&r, "a");
    sw_cancel_row row = {.task_id = task};
    assert_beat(&r, &held, SW_ROW_APPLIED, SW_STEP_RUNNING);
    assert_int_equal(rig_step(&r, &task, "a").deadline_us, 0);
    assert_int_equal(sw_task_cancel(r.engine, &row, 1, &r.error), SW_OK);
    assert_beat(&r, &held, SW_ROW_FENCED, SW_STEP_CANCELLED);
    rig_verify(&r);
    rig_close(&r);
}

/* Between two attempts nobody holds the step. */
static void heartbeat_of_a_ready_step_is_fenced(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", SILENT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_hold held = hold_of(&r, "a");
    wait_ms(&r, 1000 + GRACE_MS);
    exchange(&r, &worker);
    assert_beat(&r, &held, SW_ROW_FENCED, SW_STEP_READY);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_READY);
    rig_close(&r);
}

/* What is said before the machine fails counts after it, for whoever opens the store then. */
static void heartbeat_is_stored(void **state)
{
    (void)state;
    char path[] = "/tmp/stepwell-heartbeat-XXXXXX";
    char file[64];
    rig r;
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/heartbeat.db", path);
    rig_open(&r, file, SILENT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_hold held = hold_of(&r, "a");
    int64_t due_us = rig_step(&r, &task, "a").deadline_us;
    wait_ms(&r, 800);
    beat(&r, &held);
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *other = NULL;
    sw_result *result = NULL;
    size_t count = 0;
    options.store = (sw_str){file, strlen(file)};
    options.env = &r.fault.env;
    assert_int_equal(sw_engine_open(&options, &other, &r.error), SW_OK);
    assert_int_equal(sw_task_get(other, &task, &result, &r.error), SW_OK);
    assert_int_equal(sw_steps(result, &count)->deadline_us, due_us + 800 * MS);
    sw_result_free(result);
    sw_engine_close(other);
    rig_verify(&r);
    rig_close(&r);
    unlink(file);
    rmdir(path);
}

/* Refusals name the row, and say nothing of the others. */
static void heartbeat_refuses_what_it_cannot_mean(void **state)
{
    (void)state;
    rig r;
    sw_result *result = NULL;
    rig_open(&r, "memory:", SILENT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    rig_claims(&r, &worker, "a");
    sw_step_hold held = hold_of(&r, "a");
    sw_step_hold rows[] = {held, {held.step_id, -1}};
    int64_t due_us = rig_step(&r, &task, "a").deadline_us;
    wait_ms(&r, 100);
    assert_int_equal(sw_step_heartbeat(r.engine, rows, 2, &result, &r.error), SW_EINVAL);
    assert_int_equal(r.error.row, 1);
    assert_null(result);
    rows[1] = (sw_step_hold){held.step_id + (INT64_C(1) << 20), 1};
    assert_int_equal(sw_step_heartbeat(r.engine, rows, 2, &result, &r.error), SW_ENOTFOUND);
    assert_int_equal(r.error.row, 1);
    assert_int_equal(rig_step(&r, &task, "a").deadline_us, due_us);
    assert_int_equal(sw_step_heartbeat(r.engine, NULL, 1, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_step_heartbeat(r.engine, rows, 1, NULL, &r.error), SW_EINVAL);
    assert_int_equal(sw_step_heartbeat(NULL, rows, 1, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_step_heartbeat(r.engine, rows, 100001, &result, &r.error), SW_ELIMIT);
    assert_int_equal(sw_step_heartbeat(r.engine, NULL, 0, &result, &r.error), SW_OK);
    sw_result_free(result);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends_an_attempt),
        cmocka_unit_test(silence_uses_attempts_up),
        cmocka_unit_test(heartbeats_keep_an_attempt),
        cmocka_unit_test(heartbeats_do_not_outlast_the_timeout),
        cmocka_unit_test(heartbeat_tells_of_a_cancellation),
        cmocka_unit_test(heartbeat_of_a_ready_step_is_fenced),
        cmocka_unit_test(heartbeat_is_stored),
        cmocka_unit_test(heartbeat_refuses_what_it_cannot_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
