/* Rows, payloads and definitions that were changed behind the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "helper/audit_log.h"

/* Rows that were changed without an entry. */

static void assert_step_row_guarded(size_t offset, const char *words)
{
    audit_log log;
    audit_log_open(&log, AUDIT_LOG_DIAMOND);
    int64_t task_no = audit_log_second_attempt(&log);
    sw__step_hot row = audit_log_step(&log, task_no, 0);
    int32_t value;
    memcpy(&value, (char *)&row + offset, sizeof(value));
    value++;
    memcpy((char *)&row + offset, &value, sizeof(value));
    audit_log_put_step(&log, &row);
    audit_log_is_detected(&log, words);
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
    int64_t task_no = audit_log_second_attempt(log);
    sw__step_hot row = audit_log_step(log, task_no, 3);
    assert_int_equal(row.open_deps, 2);
    row.open_deps = 1;
    audit_log_put_step(log, &row);
    audit_log_is_detected(log, "step \"bottom\"");
}

static void test_lost_dependencies_are_guarded(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw__step_hot row = audit_log_step(log, task_no, 3);
    assert_int_equal(row.rank, 0);
    row.rank = 1;
    audit_log_put_step(log, &row);
    audit_log_is_detected(log, "step \"bottom\"");
}

static void test_a_flipped_result_is_seen_from_the_message(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw__step_hot row = audit_log_step(log, task_no, 0);
    row.state = SW_STEP_SUCCEEDED;
    audit_log_put_step(log, &row);
    audit_log_is_detected(log,
                          "is succeeded in its row (attempt 2, epoch 2), but running (attempt 2, "
                          "epoch 2) since entry 7 of the log");
}

static void assert_task_row_guarded(void (*change)(sw__task_hot *row), const char *words)
{
    audit_log log;
    audit_log_open(&log, AUDIT_LOG_DIAMOND);
    int64_t task_no = audit_log_second_attempt(&log);
    sw__task_hot row = audit_log_task(&log, task_no);
    change(&row);
    audit_log_put_task(&log, &row);
    audit_log_is_detected(&log, words);
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
    audit_log_is_detected(log, "names another definition");
}

static void test_rows_without_entries_are_found(void **state)
{
    audit_log *log = *state;
    audit_log_second_attempt(log);
    sw__task_hot task = {.task_no = 900, .workflow_no = 1};
    sw__task_info info = {.task_no = 900};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->tasks_insert(log->store, &task, &info, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    audit_log_is_detected(log, "no entry says that it was submitted");
}

static void test_step_rows_without_entries_are_found(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw__step_hot row = {.step_id = SW__STEP_ID(task_no, 4)};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->steps_insert(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    audit_log_is_detected(log, "which no task of the log has");
}

static void test_entries_without_rows_are_found(void **state)
{
    audit_log *log = *state;
    audit_log_second_attempt(log);
    audit_log_begin(log);
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED,
                            .subject = sw_workflow_digest(log->workflow)};
    sw__task_hot task = {.task_no = 901};
    assert_int_equal(sw__audit_add(&log->audit, &entry, &task, NULL), SW_OK);
    audit_log_commit(log);
    audit_log_is_detected(log, "is missing");
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
    audit_log_is_detected(log, "the result of step \"right\"");
    put_result(log, task_no, 2, "{\"ok\":true}");
    audit_log_is_honest(log);
}

static void test_errors_are_sealed(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
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
    audit_log_is_detected(log, "the error of step \"top\"");
}

/* A later error would stand before the sealed one for all who ask for the newest. */
static void test_errors_do_not_appear_from_nowhere(void **state)
{
    audit_log *log = *state;
    int64_t task_no = audit_log_second_attempt(log);
    sw__failure row = {
        .step_id = SW__STEP_ID(task_no, 0),
        .epoch = 2,
        .error_class = SW__LIT("Oops"),
        .message = SW__LIT("it never broke"),
    };
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->failures_put(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    audit_log_is_detected(log, "the error of step \"top\"");
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
        audit_log_is_detected(&log, cases[i].words);
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
    sw_audit_entry entry = audit_log_entry(log, task_no, 0);
    entry.to = SW_STEP_SUCCEEDED;
    audit_log_begin(log);
    audit_log_add(log, &entry, task_no);
    audit_log_commit(log);
    put_result(log, task_no, 0, "{\"ok\":true}");
    audit_log_is_detected(log, "was added without an entry");
}

static void test_a_failed_step_has_no_result(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_FAILED, "attempts used up");
    audit_log_commit(log);
    audit_log_is_honest(log);
    put_result(log, task_no, 0, "{\"ok\":true}");
    audit_log_is_detected(log, "was added without an entry");
}

static void test_a_cancelled_step_has_no_result(void **state)
{
    audit_log *log = *state;
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    for (int step = 0; step < 4; step++)
        audit_log_move(log, task_no, step, SW_STEP_CANCELLED, "task failed");
    audit_log_commit(log);
    audit_log_is_honest(log);
    put_result(log, task_no, 0, "{\"ok\":true}");
    audit_log_is_detected(log, "was added without an entry");
}

static void test_worker_rows_are_guarded(void **state)
{
    audit_log *log = *state;
    sw__worker_rec extra = {.worker_no = 6, .handlers = SW__LIT("[]"), .queues = SW__LIT("[]")};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->worker_put(log->store, &extra, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    audit_log_is_detected(log, "worker 6 has a row");
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->worker_delete(log->store, 6, NULL), SW_OK);
    assert_int_equal(log->store->ops->worker_delete(log->store, 5, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    audit_log_is_detected(log, "1 workers are open in the log, 0 have a row");
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
    audit_log_is_detected(log, "the stored definition of workflow \"other\" was changed");
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
        audit_log_is_detected(&log, i == 0 ? "is missing from the store"
                                           : "does not name the definition");
        audit_log_close(&log);
    }
}

#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, audit_log_setup, audit_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_rows_are_guarded),
        AUDIT_TEST(test_open_dependencies_are_guarded),
        AUDIT_TEST(test_lost_dependencies_are_guarded),
        AUDIT_TEST(test_a_flipped_result_is_seen_from_the_message),
        cmocka_unit_test(test_task_rows_are_guarded),
        AUDIT_TEST(test_a_task_runs_the_definition_of_its_submission),
        AUDIT_TEST(test_rows_without_entries_are_found),
        AUDIT_TEST(test_step_rows_without_entries_are_found),
        AUDIT_TEST(test_entries_without_rows_are_found),
        AUDIT_TEST(test_results_are_sealed),
        AUDIT_TEST(test_errors_are_sealed),
        AUDIT_TEST(test_errors_do_not_appear_from_nowhere),
        cmocka_unit_test(test_inputs_are_sealed),
        AUDIT_TEST(test_payloads_do_not_appear_from_nowhere),
        AUDIT_TEST(test_a_failed_step_has_no_result),
        AUDIT_TEST(test_a_cancelled_step_has_no_result),
        AUDIT_TEST(test_worker_rows_are_guarded),
        AUDIT_TEST(test_a_changed_definition_is_found),
        cmocka_unit_test(test_a_missing_definition_is_found),
    };
    return cmocka_run_group_tests_name("audit_rows", tests, NULL, NULL);
}
