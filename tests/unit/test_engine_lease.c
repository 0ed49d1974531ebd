/* Leases, epochs and deadlines: who may commit, and what happens to the steps of the lost. */
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

#define ONE_STEP "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}"
#define TIMED_STEP                                                                                 \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"timeout_ms\":500,"                \
    "\"retry\":{\"max_attempts\":2,\"backoff\":\"none\"}}]}"

#define MS 1000

/* A worker that was silent for its lease loses its step; its late report changes nothing. */
static void lease_lost_worker_is_fenced(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref slow = rig_worker(&r, 1000);
    sw_worker_ref fast = rig_worker(&r, 1000);
    rig_claims(&r, &slow, "a");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    fault_env_advance(&r.fault, 1500 * MS);
    rig_claims(&r, &fast, "a");
    assert_int_equal(rig_claim(&r, "a")->epoch, 2);
    assert_int_equal(rig_claim(&r, "a")->attempt, 2);
    sw_step_outcome good = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    rig_report(&r, &slow, late, SW_ROW_FENCED);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_RUNNING);
    rig_report(&r, &fast, good, SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_SUCCEEDED);
    rig_verify(&r);
    rig_close(&r);
}

/* While nobody has taken the step over, a late report is still the newest attempt's. */
static void lease_late_report_without_successor_commits(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 1000);
    rig_claims(&r, &worker, "a");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    fault_env_advance(&r.fault, 60000 * MS);
    rig_report(&r, &worker, late, SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_SUCCEEDED);
    rig_close(&r);
}

static void lease_renewal_keeps_the_step(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    rig_submit(&r);
    sw_worker_ref busy = rig_worker(&r, 1000);
    sw_worker_ref idle = rig_worker(&r, 1000);
    rig_claims(&r, &busy, "a");
    sw_step_hold held = {rig_claim(&r, "a")->step_id, rig_claim(&r, "a")->epoch};
    for (int i = 0; i < 5; i++) {
        size_t lost = 0;
        sw_result *result = NULL;
        fault_env_advance(&r.fault, 700 * MS);
        assert_int_equal(sw_worker_renew(r.engine, &busy, &held, 1, &result, &r.error), 0);
        sw_step_holds(result, &lost);
        assert_int_equal(lost, 0);
        sw_result_free(result);
        rig_claims(&r, &idle, "");
    }
    rig_close(&r);
}

/* A step whose worker dies again and again fails in the end instead of killing workers for ever. */
static void lease_crash_budget_ends(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    int crashes = 0;
    while (rig_task_state(&r, &task) != SW_TASK_FAILED && crashes < 20) {
        sw_worker_ref victim = rig_worker(&r, 1000);
        rig_claims(&r, &victim, "a");
        fault_env_advance(&r.fault, 5000 * MS);
        sw_worker_ref other = rig_worker(&r, 1000);
        rig_exchange(&r, &other, NULL, 0, 0);
        crashes++;
    }
    assert_int_equal(crashes, 6);
    assert_int_equal(rig_step(&r, &task, "a").state, SW_STEP_FAILED);
    sw_result *result = NULL;
    size_t count = 0;
    assert_int_equal(sw_step_explain(r.engine, &task, (sw_str){"a", 1}, &result, &r.error), 0);
    const sw_step_reason *reason = sw_step_reasons(result, &count);
    assert_int_equal(reason->reason, SW_REASON_CRASHES_USED_UP);
    assert_non_null(strstr(reason->message.ptr, "6 attempts ended because their worker was lost"));
    sw_result_free(result);
    assert_int_equal(sw_step_readiness(r.engine, &task, &result, &r.error), 0);
    assert_int_equal(sw_readiness_rows(result, &count)->reason, SW_REASON_CRASHES_USED_UP);
    sw_result_free(result);
    rig_verify(&r);
    rig_close(&r);
}

/* The deadline of an attempt counts even while its worker lives; then it is an ordinary failure. */
static void lease_deadline_ends_the_attempt(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", TIMED_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref hung = rig_worker(&r, 600000);
    sw_worker_ref other = rig_worker(&r, 600000);
    rig_claims(&r, &hung, "a");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    fault_env_advance(&r.fault, 1000 * MS);
    rig_claims(&r, &other, "a");
    rig_report(&r, &hung, late, SW_ROW_FENCED);
    fault_env_advance(&r.fault, 1000 * MS);
    rig_exchange(&r, &other, NULL, 0, 0);
    sw_step_row row = rig_step(&r, &task, "a");
    assert_int_equal(row.state, SW_STEP_FAILED);
    assert_memory_equal(row.error_class.ptr, "Timeout", 7);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_FAILED);
    rig_verify(&r);
    rig_close(&r);
}

/* A worker that leaves gives its steps back at once and takes no attempt from them. */
static void lease_close_releases(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref leaving = rig_worker(&r, 600000);
    rig_claims(&r, &leaving, "a");
    assert_int_equal(sw_worker_close(r.engine, &leaving, &r.error), 0);
    assert_int_equal(rig_step(&r, &task, "a").attempt, 0);
    assert_int_equal(sw_worker_close(r.engine, &leaving, &r.error), SW_ENOTFOUND);
    sw_worker_ref next = rig_worker(&r, 600000);
    rig_claims(&r, &next, "a");
    assert_int_equal(rig_claim(&r, "a")->attempt, 1);
    assert_int_equal(rig_claim(&r, "a")->epoch, 2);
    rig_verify(&r);
    rig_close(&r);
}

/* A worker that was declared lost and comes back is entered again and can go on. */
static void lease_lost_worker_returns(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", ONE_STEP);
    sw_worker_ref zombie = rig_worker(&r, 1000);
    sw_worker_ref other = rig_worker(&r, 600000);
    fault_env_advance(&r.fault, 5000 * MS);
    rig_exchange(&r, &other, NULL, 0, 0);
    rig_submit(&r);
    rig_claims(&r, &zombie, "a");
    rig_report(&r, &zombie, rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED), SW_ROW_APPLIED);
    rig_verify(&r);
    rig_close(&r);
}

/* The wall clock decides nothing: ten years forward or back take no lease away. */
static void lease_ignores_the_wall_clock(void **state)
{
    (void)state;
    rig r;
    const int64_t ten_years_us = 10LL * 365 * 86400 * 1000 * MS;
    rig_open(&r, "memory:", ONE_STEP);
    rig_submit(&r);
    sw_worker_ref holder = rig_worker(&r, 60000);
    sw_worker_ref other = rig_worker(&r, 60000);
    rig_claims(&r, &holder, "a");
    sw_step_outcome outcome = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    r.fault.wall_us += ten_years_us;
    fault_env_advance(&r.fault, 1000 * MS);
    rig_claims(&r, &other, "");
    r.fault.wall_us -= 2 * ten_years_us;
    fault_env_advance(&r.fault, 1000 * MS);
    rig_claims(&r, &other, "");
    rig_report(&r, &holder, outcome, SW_ROW_APPLIED);
    rig_close(&r);
}

/* After a restart of the machine every older lease is over at once. */
static void lease_ends_with_the_boot(void **state)
{
    (void)state;
    rig r;
    char path[] = "/tmp/stepwell-lease-XXXXXX";
    char file[64];
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/lease.db", path);
    rig_open(&r, file, ONE_STEP);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref holder = rig_worker(&r, 3600000);
    rig_claims(&r, &holder, "a");
    rig_reboot(&r, file, ONE_STEP);
    sw_worker_ref next = rig_worker(&r, 3600000);
    fault_env_advance(&r.fault, 1000 * MS);
    rig_claims(&r, &next, "a");
    assert_int_equal(rig_claim(&r, "a")->epoch, 2);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_RUNNING);
    rig_verify(&r);
    rig_close(&r);
    unlink(file);
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lease_lost_worker_is_fenced),
        cmocka_unit_test(lease_late_report_without_successor_commits),
        cmocka_unit_test(lease_renewal_keeps_the_step),
        cmocka_unit_test(lease_crash_budget_ends),
        cmocka_unit_test(lease_deadline_ends_the_attempt),
        cmocka_unit_test(lease_close_releases),
        cmocka_unit_test(lease_lost_worker_returns),
        cmocka_unit_test(lease_ignores_the_wall_clock),
        cmocka_unit_test(lease_ends_with_the_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
