/* What verification says of honest logs, and of missing memory. Dishonest entries are in
 * test_audit_moves.c, changed rows in test_audit_rows.c, attacks on the chain in
 * test_audit_attack.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "helper/audit_log.h"
#include "helper/fault_env.h"

#define HONEST_LOGS 2000

/* Honest logs. */

static void test_the_report_counts_what_it_proved(void **state)
{
    audit_log *log = *state;
    sw_audit_report report;
    int64_t task_no = audit_log_run(log);
    audit_log_begin(log);
    audit_log_fence(log, task_no, 2, 1);
    audit_log_commit(log);
    assert_int_equal(audit_log_verify(log, &report), SW_OK);
    assert_int_equal(report.ok, 1);
    assert_int_equal(report.entry_count, 17);
    assert_int_equal(report.segment_count, 15);
    assert_int_equal(report.step_count, 4);
    assert_int_equal(report.commit_count, 4);
    assert_int_equal(report.fenced_count, 1);
    assert_int_equal(report.reclaim_count, 0);
    assert_string_equal(report.message,
                        "integrity (L1): 17 entries in 15 segments; 4 steps replayed and equal to "
                        "the state rows; 4 committed attempts, each by the newest epoch; 1 report "
                        "of a superseded attempt refused");
}

static void test_an_empty_log_verifies(void **state)
{
    (void)state;
    sw__store *store = NULL;
    sw__store_options options = {.env = sw_env_system()};
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    assert_int_equal(sw__store_memory_open(&options, &store, NULL), SW_OK);
    assert_int_equal(store->ops->begin(store, false, NULL), SW_OK);
    assert_int_equal(sw__audit_verify(store, hasher, sw_env_system(), NULL, 1, &report, NULL),
                     SW_OK);
    assert_int_equal(store->ops->commit(store, NULL), SW_OK);
    assert_int_equal(report.ok, 1);
    assert_int_equal(report.entry_count, 0);
    assert_string_equal(report.head, "");
    store->ops->close(store);
    sw__hasher_free(hasher);
}

static void test_honest_logs_raise_no_alarm(void **state)
{
    (void)state;
    int64_t fenced = 0;
    int64_t reclaimed = 0;
    for (int i = 0; i < HONEST_LOGS; i++) {
        audit_log log;
        sw_audit_report report;
        audit_log_open(&log, AUDIT_LOG_DIAMOND);
        log.seed += (uint64_t)i * 7919;
        audit_log_play(&log, 1 + i % 6);
        if (audit_log_verify(&log, &report) != SW_OK)
            fail_msg("false alarm in log %d: %s", i, report.message);
        fenced += report.fenced_count;
        reclaimed += report.reclaim_count;
        audit_log_close(&log);
    }
    /* The histories must hold what could be mistaken for a fault. */
    assert_true(fenced > HONEST_LOGS);
    assert_true(reclaimed > HONEST_LOGS);
}

static void test_an_operator_may_cancel(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move_task(log, task_no, SW_TASK_CANCELLED, "ann");
    audit_log_commit(log);
    audit_log_is_honest(log);
}

/* Memory. */

static int verify_without_memory(const sw_env *env, void *context)
{
    audit_log *log = context;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_verify(log->store, log->hasher, env, NULL, 1, &report, NULL);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return rc;
}

static void test_missing_memory_is_no_alarm(void **state)
{
    audit_log *log = *state;
    fault_env fault;
    audit_log_play(log, 3);
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, verify_without_memory, log) > 10);
    assert_int_equal(fault.live, 0);
}

#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, audit_log_setup, audit_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(test_the_report_counts_what_it_proved),
        cmocka_unit_test(test_an_empty_log_verifies),
        cmocka_unit_test(test_honest_logs_raise_no_alarm),
        AUDIT_TEST(test_an_operator_may_cancel),
        AUDIT_TEST(test_missing_memory_is_no_alarm),
    };
    return cmocka_run_group_tests_name("audit_verify", tests, NULL, NULL);
}
