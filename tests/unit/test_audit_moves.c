/* Entries that the engine could not have written, in a chain whose hashes are right: what each
 * may say after the entries before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "helper/audit_log.h"

static void assert_entry_detected(audit_log *log, const sw_audit_entry *entry, int64_t task_no,
                                  const char *words)
{
    audit_log_begin(log);
    audit_log_add(log, entry, task_no);
    audit_log_commit(log);
    audit_log_is_detected(log, words);
}

static void test_a_superseded_attempt_cannot_have_committed(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.to = SW_STEP_SUCCEEDED;
    entry.epoch = 1;
    assert_entry_detected(log, &entry, task_no, "under epoch 1, but the newest epoch is 2");
}

static void test_epochs_and_attempts_grow_by_one(void **state)
{
    const struct {
        int64_t epoch;
        int32_t attempt;
        int64_t worker;
        const char *words;
    } cases[] = {
        {2, 1, 5, "starts under epoch 2, expected 1"},
        {0, 1, 5, "starts under epoch 0, expected 1"},
        {1, 2, 5, "starts attempt 2, expected 1"},
        {1, 1, 0, "starts under worker 0, which is not open"},
        {1, 1, 6, "starts under worker 6, which is not open"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        audit_log log;
        audit_log_open(&log, AUDIT_LOG_DIAMOND);
        audit_log_begin(&log);
        int64_t task_no = audit_log_submit(&log, NULL);
        audit_log_commit(&log);
        sw_audit_entry entry = audit_log_entry(&log, task_no, 0);
        entry.to = SW_STEP_RUNNING;
        entry.epoch = cases[i].epoch;
        entry.attempt = cases[i].attempt;
        entry.worker_id = cases[i].worker;
        assert_entry_detected(&log, &entry, task_no, cases[i].words);
        audit_log_close(&log);
    }
}

static void test_an_attempt_is_given_back_only_unworked(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.to = SW_STEP_READY;
    entry.attempt = 1;
    entry.reason = (sw_str)SW__LIT("lease expired");
    assert_entry_detected(log, &entry, task_no, "names attempt 1, expected 2");
}

static void test_a_step_waits_for_its_dependencies(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 1);
    entry.to = SW_STEP_READY;
    assert_entry_detected(log, &entry, task_no, "becomes ready while \"top\"");
}

/* Two roots that may fail, a quorum of both, and a step that either starts. */
static const char rules_definition[] =
    "{\"stepwell\": 1, \"name\": \"r\", \"steps\": ["
    "{\"name\": \"a\", \"on_failure\": \"continue\"}, {\"name\": \"b\"},"
    "{\"name\": \"both\", \"after\": [\"a\", \"b\"], \"trigger\": {\"quorum\": 2}},"
    "{\"name\": \"one\", \"after\": [\"a\", \"b\"], \"trigger\": \"any_succeeded\"}]}";

/* After step a has ended so, step index cannot go there. */
static void assert_rule_detected(int a_to, int index, int to, const char *words)
{
    audit_log log;
    audit_log_open(&log, rules_definition);
    audit_log_begin(&log);
    int64_t task_no = audit_log_submit(&log, NULL);
    audit_log_move_task(&log, task_no, SW_TASK_RUNNING, NULL);
    audit_log_move(&log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_move(&log, task_no, 0, a_to, a_to == SW_STEP_FAILED ? "failed for good" : NULL);
    audit_log_commit(&log);
    sw_audit_entry entry = audit_log_entry(&log, task_no, index);
    entry.to = to;
    assert_entry_detected(&log, &entry, task_no, words);
    audit_log_close(&log);
}

static void test_a_trigger_rule_is_met(void **state)
{
    (void)state;
    assert_rule_detected(SW_STEP_SUCCEEDED, 2, SW_STEP_READY, "becomes ready while \"b\"");
    assert_rule_detected(SW_STEP_FAILED, 3, SW_STEP_READY, "becomes ready while \"a\"");
}

static void test_a_step_is_skipped_when_nothing_else_is_left(void **state)
{
    (void)state;
    assert_rule_detected(SW_STEP_SUCCEEDED, 2, SW_STEP_SKIPPED,
                         "is skipped while its rule, quorum, can still be met");
    assert_rule_detected(SW_STEP_FAILED, 3, SW_STEP_SKIPPED,
                         "is skipped while its rule, any_succeeded, can still be met");
}

static void test_a_step_moves_from_where_it_is(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.from = SW_STEP_READY;
    entry.to = SW_STEP_RUNNING;
    assert_entry_detected(log, &entry, task_no, "but the step was running");
}

static void test_the_transition_table_holds(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 1);
    entry.to = SW_STEP_SUCCEEDED;
    assert_entry_detected(log, &entry, task_no, "cannot go from pending to succeeded");
}

static void test_only_a_named_operator_does_an_operators_work(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.to = SW_STEP_CANCELLED;
    assert_entry_detected(log, &entry, task_no, "without an operator");
}

static void test_nothing_follows_the_end_of_a_task(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move_task(log, task_no, SW_TASK_CANCELLED, "ann");
    audit_log_commit(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.to = SW_STEP_RUNNING;
    entry.epoch = entry.attempt = 1;
    entry.worker_id = 5;
    assert_entry_detected(log, &entry, task_no, "after its task has ended");
}

static void test_a_task_succeeds_with_its_steps_only(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    audit_log_begin(log);
    audit_log_move_task(log, task_no, SW_TASK_SUCCEEDED, NULL);
    audit_log_commit(log);
    audit_log_is_detected(log, "succeeds while step \"top\" is running");
}

static void test_a_task_moves_by_its_table(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move_task(log, task_no, SW_TASK_SUCCEEDED, NULL);
    audit_log_commit(log);
    audit_log_is_detected(log, "a task cannot go from pending to succeeded");
}

static void test_a_task_moves_from_where_it_is(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw__task_hot task = audit_log_task(log, task_no);
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_CHANGED,
                            .from = SW_TASK_PENDING,
                            .to = SW_TASK_RUNNING,
                            .task_id = task.task_id};
    assert_entry_detected(log, &entry, task_no, "but the task was running");
}

static void test_the_newest_epoch_is_never_refused(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    audit_log_begin(log);
    audit_log_fence(log, task_no, 0, 2);
    audit_log_commit(log);
    audit_log_is_detected(log, "refuses a report of the newest epoch");
}

static void test_entries_name_what_exists(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry honest = audit_log_entry(log, task_no, 0);
    honest.kind = SW_AUDIT_STEP_FENCED;
    honest.to = honest.from;
    honest.epoch = 1;
    sw_audit_entry entry = honest;
    entry.step = (sw_str)SW__LIT("left");
    assert_entry_detected(log, &entry, task_no, "has no such step");
}

static void test_an_entry_belongs_to_its_task(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.to = SW_STEP_READY;
    entry.task_id.bytes[15] ^= 1;
    assert_entry_detected(log, &entry, task_no, "names another task");
}

static void test_an_entry_needs_a_submitted_task(void **state)
{
    audit_log *log = *state;
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_CHANGED, .to = SW_TASK_RUNNING};
    assert_entry_detected(log, &entry, 0, "names no task");
}

static void test_a_task_is_submitted_once(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw__task_hot task = audit_log_task(log, task_no);
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED,
                            .task_id = task.task_id,
                            .subject = sw_workflow_digest(log->workflow)};
    assert_entry_detected(log, &entry, task_no, "was submitted before");
}

static void test_other_entries_name_what_they_are_about(void **state)
{
    audit_log *log = *state;
    sw_audit_entry entry = {.kind = SW_AUDIT_WORKER_LOST};
    assert_entry_detected(log, &entry, 0, "was never opened");
}

static void test_a_definition_is_registered_with_its_digest(void **state)
{
    audit_log *log = *state;
    sw_audit_entry entry = {.kind = SW_AUDIT_WORKFLOW_REGISTERED};
    assert_entry_detected(log, &entry, 0, "without its digest");
}

static void test_a_worker_that_has_left_starts_nothing(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw_audit_entry left = {.kind = SW_AUDIT_WORKER_LOST, .worker_id = 5};
    audit_log_begin(log);
    audit_log_move(log, task_no, 0, SW_STEP_READY, "lease expired");
    audit_log_add(log, &left, 0);
    assert_int_equal(log->store->ops->worker_delete(log->store, 5, NULL), SW_OK);
    audit_log_commit(log);
    audit_log_is_honest(log);
    audit_log_begin(log);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_commit(log);
    audit_log_is_detected(log, "starts under worker 5, which is not open");
}

#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, audit_log_setup, audit_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(test_a_superseded_attempt_cannot_have_committed),
        cmocka_unit_test(test_epochs_and_attempts_grow_by_one),
        AUDIT_TEST(test_an_attempt_is_given_back_only_unworked),
        AUDIT_TEST(test_a_step_waits_for_its_dependencies),
        cmocka_unit_test(test_a_trigger_rule_is_met),
        cmocka_unit_test(test_a_step_is_skipped_when_nothing_else_is_left),
        AUDIT_TEST(test_a_step_moves_from_where_it_is),
        AUDIT_TEST(test_the_transition_table_holds),
        AUDIT_TEST(test_only_a_named_operator_does_an_operators_work),
        AUDIT_TEST(test_nothing_follows_the_end_of_a_task),
        AUDIT_TEST(test_a_task_succeeds_with_its_steps_only),
        AUDIT_TEST(test_a_task_moves_by_its_table),
        AUDIT_TEST(test_a_task_moves_from_where_it_is),
        AUDIT_TEST(test_the_newest_epoch_is_never_refused),
        AUDIT_TEST(test_entries_name_what_exists),
        AUDIT_TEST(test_an_entry_belongs_to_its_task),
        AUDIT_TEST(test_an_entry_needs_a_submitted_task),
        AUDIT_TEST(test_a_task_is_submitted_once),
        AUDIT_TEST(test_other_entries_name_what_they_are_about),
        AUDIT_TEST(test_a_definition_is_registered_with_its_digest),
        AUDIT_TEST(test_a_worker_that_has_left_starts_nothing),
    };
    return cmocka_run_group_tests_name("audit_moves", tests, NULL, NULL);
}
