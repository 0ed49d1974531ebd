/* What verification says of honest logs, of entries that no engine would write, and of rows that
 * were changed behind the log. Attacks on the chain itself are in test_audit_attack.c. */
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

static audit_log shared;

static int open_log(void **state)
{
    audit_log_open(&shared, AUDIT_LOG_DIAMOND);
    *state = &shared;
    return 0;
}

static int close_log(void **state)
{
    audit_log_close(*state);
    return 0;
}

static void assert_detected(audit_log *log, const char *words)
{
    sw_audit_report report;
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    assert_int_equal(report.ok, 0);
    assert_true(report.first_bad_entry > 0);
    assert_true(report.last_bad_entry >= report.first_bad_entry);
    if (!strstr(report.message, words))
        fail_msg("expected \"%s\" in: %s", words, report.message);
}

static void assert_honest(audit_log *log)
{
    sw_audit_report report;
    if (audit_log_verify(log, &report) != SW_OK)
        fail_msg("false alarm: %s", report.message);
    assert_int_equal(report.first_bad_entry, 0);
    assert_int_equal(report.last_bad_entry, 0);
    assert_int_equal(strlen(report.head), 64);
}

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
    assert_int_equal(sw__audit_verify(store, hasher, sw_env_system(), &report, NULL), SW_OK);
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
    assert_honest(log);
}

/* Entries that the engine could not have written, in a chain whose hashes are right. */

static sw_audit_entry step_entry(audit_log *log, int64_t task_no, int index)
{
    sw__task_hot task = audit_log_task(log, task_no);
    sw__step_hot step = audit_log_step(log, task_no, index);
    return (sw_audit_entry){
        .kind = SW_AUDIT_STEP_CHANGED,
        .from = step.state,
        .attempt = step.attempt,
        .epoch = step.epoch,
        .step_id = step.step_id,
        .task_id = task.task_id,
        .step = log->workflow->steps[index].name,
    };
}

static void assert_entry_detected(audit_log *log, const sw_audit_entry *entry, int64_t task_no,
                                  const char *words)
{
    audit_log_begin(log);
    audit_log_add(log, entry, task_no);
    audit_log_commit(log);
    assert_detected(log, words);
}

/* A task whose first step runs its second attempt, under epoch 2. */
static int64_t start_second_attempt(audit_log *log)
{
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move_task(log, task_no, SW_TASK_RUNNING, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_READY, "retry");
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_commit(log);
    return task_no;
}

static void test_a_superseded_attempt_cannot_have_committed(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 0);
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
        sw_audit_entry entry = step_entry(&log, task_no, 0);
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
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 0);
    entry.to = SW_STEP_READY;
    entry.attempt = 1;
    entry.reason = (sw_str)SW__LIT("lease expired");
    assert_entry_detected(log, &entry, task_no, "names attempt 1, expected 2");
}

static void test_a_step_waits_for_its_dependencies(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 1);
    entry.to = SW_STEP_READY;
    assert_entry_detected(log, &entry, task_no, "becomes ready while \"top\"");
}

static void test_a_step_moves_from_where_it_is(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 0);
    entry.from = SW_STEP_READY;
    entry.to = SW_STEP_RUNNING;
    assert_entry_detected(log, &entry, task_no, "but the step was running");
}

static void test_the_transition_table_holds(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 1);
    entry.to = SW_STEP_SUCCEEDED;
    assert_entry_detected(log, &entry, task_no, "cannot go from pending to succeeded");
}

static void test_only_a_named_operator_does_an_operators_work(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 0);
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
    sw_audit_entry entry = step_entry(log, task_no, 0);
    entry.to = SW_STEP_RUNNING;
    entry.epoch = entry.attempt = 1;
    entry.worker_id = 5;
    assert_entry_detected(log, &entry, task_no, "after its task has ended");
}

static void test_a_task_succeeds_with_its_steps_only(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    audit_log_begin(log);
    audit_log_move_task(log, task_no, SW_TASK_SUCCEEDED, NULL);
    audit_log_commit(log);
    assert_detected(log, "succeeds while step \"top\" is running");
}

static void test_a_task_moves_by_its_table(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move_task(log, task_no, SW_TASK_SUCCEEDED, NULL);
    audit_log_commit(log);
    assert_detected(log, "a task cannot go from pending to succeeded");
}

static void test_a_task_moves_from_where_it_is(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
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
    int64_t task_no = start_second_attempt(log);
    audit_log_begin(log);
    audit_log_fence(log, task_no, 0, 2);
    audit_log_commit(log);
    assert_detected(log, "refuses a report of the newest epoch");
}

static void test_entries_name_what_exists(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry honest = step_entry(log, task_no, 0);
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
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry entry = step_entry(log, task_no, 0);
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
    int64_t task_no = start_second_attempt(log);
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
    int64_t task_no = start_second_attempt(log);
    sw_audit_entry left = {.kind = SW_AUDIT_WORKER_LOST, .worker_id = 5};
    audit_log_begin(log);
    audit_log_move(log, task_no, 0, SW_STEP_READY, "lease expired");
    audit_log_add(log, &left, 0);
    assert_int_equal(log->store->ops->worker_delete(log->store, 5, NULL), SW_OK);
    audit_log_commit(log);
    assert_honest(log);
    audit_log_begin(log);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_commit(log);
    assert_detected(log, "starts under worker 5, which is not open");
}

static void test_worker_rows_are_guarded(void **state)
{
    audit_log *log = *state;
    sw__worker_rec extra = {.worker_no = 6, .handlers = SW__LIT("[]"), .queues = SW__LIT("[]")};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->worker_put(log->store, &extra, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    assert_detected(log, "worker 6 has a row");
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->worker_delete(log->store, 6, NULL), SW_OK);
    assert_int_equal(log->store->ops->worker_delete(log->store, 5, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    assert_detected(log, "1 workers are open in the log, 0 have a row");
}

/* Rows that were changed without an entry. */

static void assert_step_row_guarded(size_t offset, const char *words)
{
    audit_log log;
    audit_log_open(&log, AUDIT_LOG_DIAMOND);
    int64_t task_no = start_second_attempt(&log);
    sw__step_hot row = audit_log_step(&log, task_no, 0);
    int32_t value;
    memcpy(&value, (char *)&row + offset, sizeof(value));
    value++;
    memcpy((char *)&row + offset, &value, sizeof(value));
    audit_log_put_step(&log, &row);
    assert_detected(&log, words);
    audit_log_close(&log);
}

static void test_step_rows_are_guarded(void **state)
{
    (void)state;
    const char *words = "the row was changed without an entry";
    assert_step_row_guarded(offsetof(sw__step_hot, state), words);
    assert_step_row_guarded(offsetof(sw__step_hot, attempt), words);
    assert_step_row_guarded(offsetof(sw__step_hot, crashes), words);
    assert_step_row_guarded(offsetof(sw__step_hot, epoch), words);
}

static void test_open_dependencies_are_guarded(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw__step_hot row = audit_log_step(log, task_no, 3);
    assert_int_equal(row.open_deps, 2);
    row.open_deps = 1;
    audit_log_put_step(log, &row);
    assert_detected(log, "step \"bottom\"");
}

static void test_a_flipped_result_is_seen_from_the_message(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw__step_hot row = audit_log_step(log, task_no, 0);
    row.state = SW_STEP_SUCCEEDED;
    audit_log_put_step(log, &row);
    assert_detected(log, "is succeeded in its row (attempt 2, epoch 2), but running (attempt 2, "
                         "epoch 2) since entry 7 of the log");
}

static void assert_task_row_guarded(void (*change)(sw__task_hot *row), const char *words)
{
    audit_log log;
    audit_log_open(&log, AUDIT_LOG_DIAMOND);
    int64_t task_no = start_second_attempt(&log);
    sw__task_hot row = audit_log_task(&log, task_no);
    change(&row);
    audit_log_put_task(&log, &row);
    assert_detected(&log, words);
    audit_log_close(&log);
}

static void change_task_state(sw__task_hot *row)
{
    row->state = SW_TASK_SUCCEEDED;
}

static void change_task_counts(sw__task_hot *row)
{
    row->counts[SW_STEP_PENDING]--;
    row->counts[SW_STEP_SUCCEEDED]++;
}

static void change_task_fatal(sw__task_hot *row)
{
    row->fatal++;
}

static void change_task_chain(sw__task_hot *row)
{
    row->audit_segment--;
}

static void change_task_chain_forward(sw__task_hot *row)
{
    row->audit_segment++;
}

static void test_task_rows_are_guarded(void **state)
{
    (void)state;
    assert_task_row_guarded(change_task_state, "the row was changed without an entry");
    assert_task_row_guarded(change_task_counts, "counts its steps by state differently");
    assert_task_row_guarded(change_task_fatal, "counts its steps by state differently");
    assert_task_row_guarded(change_task_chain, "does not lead to its newest entries");
    assert_task_row_guarded(change_task_chain_forward, "its end was cut off");
}

static void test_a_task_runs_the_definition_of_its_submission(void **state)
{
    audit_log *log = *state;
    sw__task_info info = {.task_no = 50};
    sw__task_hot task = {.task_no = 50, .workflow_no = 77};
    sw__step_hot steps[4];
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED,
                            .subject = sw_workflow_digest(log->workflow)};
    for (int i = 0; i < 4; i++)
        steps[i] = (sw__step_hot){.step_id = SW__STEP_ID(50, i)};
    task.counts[SW_STEP_READY] = 1;
    task.counts[SW_STEP_PENDING] = 3;
    audit_log_begin(log);
    assert_int_equal(sw__audit_add(&log->audit, &entry, &task, NULL), SW_OK);
    assert_int_equal(log->store->ops->tasks_insert(log->store, &task, &info, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->steps_insert(log->store, steps, 4, NULL), SW_OK);
    audit_log_commit(log);
    assert_detected(log, "names another definition");
}

static void test_rows_without_entries_are_found(void **state)
{
    audit_log *log = *state;
    start_second_attempt(log);
    sw__task_hot task = {.task_no = 900, .workflow_no = 1};
    sw__task_info info = {.task_no = 900};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->tasks_insert(log->store, &task, &info, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    assert_detected(log, "no entry says that it was submitted");
}

static void test_step_rows_without_entries_are_found(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw__step_hot row = {.step_id = SW__STEP_ID(task_no, 4)};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->steps_insert(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    assert_detected(log, "which no task of the log has");
}

static void test_entries_without_rows_are_found(void **state)
{
    audit_log *log = *state;
    start_second_attempt(log);
    audit_log_begin(log);
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED,
                            .subject = sw_workflow_digest(log->workflow)};
    sw__task_hot task = {.task_no = 901};
    assert_int_equal(sw__audit_add(&log->audit, &entry, &task, NULL), SW_OK);
    audit_log_commit(log);
    assert_detected(log, "is missing");
}

/* Payloads. */

static void put_result(audit_log *log, int64_t task_no, int index, const char *body)
{
    sw__payload row = {.step_id = SW__STEP_ID(task_no, index), .body = sw__str(body)};
    memset(row.salt, 0x33, sizeof(row.salt));
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->results_put(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
}

static void test_results_are_sealed(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_run(log);
    put_result(log, task_no, 2, "{\"ok\":false}");
    assert_detected(log, "the result of step \"right\"");
    put_result(log, task_no, 2, "{\"ok\":true}");
    assert_honest(log);
}

static void test_errors_are_sealed(void **state)
{
    audit_log *log = *state;
    int64_t task_no = start_second_attempt(log);
    sw__failure row = {
        .step_id = SW__STEP_ID(task_no, 0),
        .epoch = 1,
        .error_class = SW__LIT("Oops"),
        .message = SW__LIT("it broke badly"),
    };
    memset(row.salt, 0x44, sizeof(row.salt));
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->failures_put(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    assert_detected(log, "the error of step \"top\"");
}

static void test_inputs_are_sealed(void **state)
{
    const struct {
        const char *input;
        const char *initiator;
        const char *words;
    } cases[] = {
        {"{\"n\":2}", "bob", "the input of task"},
        {NULL, "bob", "is missing from the store"},
        {"{\"n\":1}", "eve", "another initiator or reason"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        audit_log log;
        audit_log_open(&log, AUDIT_LOG_DIAMOND);
        audit_log_begin(&log);
        /* The entry is honest, the row is not: a task row written beside its entry. */
        int64_t task_no = 300;
        uint8_t digest[32];
        sw__task_info info = {.task_no = task_no,
                              .input = SW__LIT("{\"n\":1}"),
                              .initiator = sw__str(cases[i].initiator)};
        sw__task_hot task = {.task_no = task_no, .workflow_no = 1};
        sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED,
                                .actor = SW__LIT("bob"),
                                .subject = sw_workflow_digest(log.workflow)};
        assert_int_equal(sw__audit_digest(log.hasher, info.input_salt, &info.input, 1, digest),
                         SW_OK);
        entry.digest = (sw_str){(const char *)digest, sizeof(digest)};
        info.input = sw__str(cases[i].input);
        assert_int_equal(sw__audit_add(&log.audit, &entry, &task, NULL), SW_OK);
        assert_int_equal(log.store->ops->tasks_insert(log.store, &task, &info, 1, NULL), SW_OK);
        audit_log_commit(&log);
        assert_detected(&log, cases[i].words);
        audit_log_close(&log);
    }
}

static void test_payloads_do_not_appear_from_nowhere(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_commit(log);
    /* A step that succeeded with null has neither a result nor a digest. */
    sw_audit_entry entry = step_entry(log, task_no, 0);
    entry.to = SW_STEP_SUCCEEDED;
    audit_log_begin(log);
    audit_log_add(log, &entry, task_no);
    audit_log_commit(log);
    put_result(log, task_no, 0, "{\"ok\":true}");
    assert_detected(log, "was added without an entry");
}

static void test_a_failed_step_has_no_result(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_FAILED, "attempts used up");
    audit_log_commit(log);
    assert_honest(log);
    put_result(log, task_no, 0, "{\"ok\":true}");
    assert_detected(log, "was added without an entry");
}

/* Definitions. */

static void test_a_changed_definition_is_found(void **state)
{
    audit_log *log = *state;
    sw__workflow_rec rec = {.workflow_no = 2, .name = SW__LIT("other"), .json = SW__LIT("{}")};
    static const char hex[] = "00000000000000000000000000000000000000000000000000000000000000ff";
    rec.digest[31] = 0xff;
    audit_log_begin(log);
    assert_int_equal(log->store->ops->workflows_put(log->store, &rec, 1, NULL), SW_OK);
    sw__task_hot task = {.task_no = 40};
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED, .subject = SW__LIT(hex)};
    assert_int_equal(sw__audit_add(&log->audit, &entry, &task, NULL), SW_OK);
    audit_log_commit(log);
    assert_detected(log, "the stored definition of workflow \"other\" was changed");
}

static void test_a_missing_definition_is_found(void **state)
{
    static const char hex[] = "00000000000000000000000000000000000000000000000000000000000000ff";
    const sw_str subjects[] = {SW__LIT(hex), SW__LIT("no digest"), {NULL, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        audit_log log;
        sw__task_hot task = {.task_no = 40};
        sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED, .subject = subjects[i]};
        audit_log_open(&log, AUDIT_LOG_DIAMOND);
        audit_log_begin(&log);
        assert_int_equal(sw__audit_add(&log.audit, &entry, &task, NULL), SW_OK);
        audit_log_commit(&log);
        assert_detected(&log,
                        i == 0 ? "is missing from the store" : "does not name the definition");
        audit_log_close(&log);
    }
}

/* Memory. */

static int verify_without_memory(const sw_env *env, void *context)
{
    audit_log *log = context;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_verify(log->store, log->hasher, env, &report, NULL);
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

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, open_log, close_log)
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_the_report_counts_what_it_proved),
        LOG_TEST(test_an_operator_may_cancel),
        LOG_TEST(test_a_superseded_attempt_cannot_have_committed),
        LOG_TEST(test_an_attempt_is_given_back_only_unworked),
        LOG_TEST(test_a_step_waits_for_its_dependencies),
        LOG_TEST(test_a_step_moves_from_where_it_is),
        LOG_TEST(test_the_transition_table_holds),
        LOG_TEST(test_only_a_named_operator_does_an_operators_work),
        LOG_TEST(test_nothing_follows_the_end_of_a_task),
        LOG_TEST(test_a_task_succeeds_with_its_steps_only),
        LOG_TEST(test_a_task_moves_by_its_table),
        LOG_TEST(test_a_task_moves_from_where_it_is),
        LOG_TEST(test_the_newest_epoch_is_never_refused),
        LOG_TEST(test_entries_name_what_exists),
        LOG_TEST(test_an_entry_belongs_to_its_task),
        LOG_TEST(test_an_entry_needs_a_submitted_task),
        LOG_TEST(test_a_task_is_submitted_once),
        LOG_TEST(test_other_entries_name_what_they_are_about),
        LOG_TEST(test_a_definition_is_registered_with_its_digest),
        LOG_TEST(test_a_worker_that_has_left_starts_nothing),
        LOG_TEST(test_worker_rows_are_guarded),
        LOG_TEST(test_open_dependencies_are_guarded),
        LOG_TEST(test_a_flipped_result_is_seen_from_the_message),
        LOG_TEST(test_a_task_runs_the_definition_of_its_submission),
        LOG_TEST(test_rows_without_entries_are_found),
        LOG_TEST(test_step_rows_without_entries_are_found),
        LOG_TEST(test_entries_without_rows_are_found),
        LOG_TEST(test_results_are_sealed),
        LOG_TEST(test_errors_are_sealed),
        LOG_TEST(test_payloads_do_not_appear_from_nowhere),
        LOG_TEST(test_a_failed_step_has_no_result),
        LOG_TEST(test_a_changed_definition_is_found),
        LOG_TEST(test_missing_memory_is_no_alarm),
        cmocka_unit_test(test_an_empty_log_verifies),
        cmocka_unit_test(test_honest_logs_raise_no_alarm),
        cmocka_unit_test(test_epochs_and_attempts_grow_by_one),
        cmocka_unit_test(test_step_rows_are_guarded),
        cmocka_unit_test(test_task_rows_are_guarded),
        cmocka_unit_test(test_inputs_are_sealed),
        cmocka_unit_test(test_a_missing_definition_is_found),
    };
#undef LOG_TEST
    return cmocka_run_group_tests_name("audit_verify", tests, NULL, NULL);
}
