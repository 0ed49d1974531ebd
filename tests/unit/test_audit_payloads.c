/* Payloads that wait to be compared while more segments are followed: which one is named when
 * several were changed, and what comes before another doubt; more of them than may wait; the memory
 * that they take. Not here: that each is sealed at all (test_audit_rows.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "audit/entry.h"
#include "base/str.h"
#include "helper/audit_log.h"

static void put_result(audit_log *log, int64_t task_no, int index, const char *body)
{
    sw__payload row = {.step_id = SW__STEP_ID(task_no, index), .body = sw__str(body)};
    memset(row.salt, 0x33, sizeof(row.salt));
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->results_put(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
}

static void put_error(audit_log *log, int64_t task_no, int64_t epoch, const char *message)
{
    sw__failure row = {.step_id = SW__STEP_ID(task_no, 0),
                       .epoch = epoch,
                       .error_class = SW__LIT("Oops"),
                       .message = sw__str(message)};
    memset(row.salt, 0x44, sizeof(row.salt));
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(log->store->ops->failures_put(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
}

static int64_t submit(audit_log *log)
{
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, "{\"n\":1}");
    audit_log_commit(log);
    return task_no;
}

static void move(audit_log *log, int64_t task_no, int to, const char *reason)
{
    audit_log_begin(log);
    audit_log_move(log, task_no, 0, to, reason);
    audit_log_commit(log);
}

/* Inside a transaction: two steps wait for this one. */
static void succeed_now(audit_log *log, int64_t task_no)
{
    audit_log_move(log, task_no, 0, SW_STEP_SUCCEEDED, NULL);
    audit_log_move(log, task_no, 1, SW_STEP_READY, NULL);
    audit_log_move(log, task_no, 2, SW_STEP_READY, NULL);
}

/* Four entries, of which the second seals the result. */
static void succeed(audit_log *log, int64_t task_no)
{
    move(log, task_no, SW_STEP_RUNNING, NULL);
    audit_log_begin(log);
    succeed_now(log, task_no);
    audit_log_commit(log);
}

static void assert_doubt(audit_log *log, const char *words, int64_t first, int64_t last)
{
    sw_audit_report report;
    assert_int_equal(audit_log_verify_alike(log, NULL, &report), SW_EAUDIT);
    if (!strstr(report.message, words))
        fail_msg("\"%s\" lacks \"%s\"", report.message, words);
    assert_int_equal(report.first_bad_entry, first);
    assert_int_equal(report.last_bad_entry, last);
}

/* The log holds the later task's result first, the store the earlier task's. */
static void test_the_first_in_the_log_is_named(void **state)
{
    audit_log *log = *state;
    int64_t early = submit(log); /* entry 3 */
    int64_t late = submit(log);
    succeed(log, late);
    succeed(log, early);
    audit_log_is_honest(log);
    put_result(log, early, 0, "{\"ok\":false}");
    assert_doubt(log, "(entry 10)", 10, 10);
    put_result(log, late, 0, "{\"ok\":false}");
    assert_doubt(log, "(entry 6)", 6, 6);
}

/* Nor by their kind: results come before errors in the store. */
static void test_the_first_of_several_kinds_is_named(void **state)
{
    audit_log *log = *state;
    int64_t fails = submit(log);
    int64_t succeeds = submit(log);
    move(log, fails, SW_STEP_RUNNING, NULL);
    move(log, fails, SW_STEP_READY, "retry"); /* entry 6 */
    succeed(log, succeeds);                   /* entry 8 */
    audit_log_is_honest(log);
    put_result(log, succeeds, 0, "{\"ok\":false}");
    assert_doubt(log, "(entry 8)", 8, 8);
    put_error(log, fails, 1, "it broke badly");
    assert_doubt(log, "the error of step \"top\"", 6, 6);
}

/* Each attempt seals its own error, and the store gives the newest. */
static void test_the_errors_of_one_step(void **state)
{
    audit_log *log = *state;
    int64_t task_no = submit(log);
    for (int attempt = 0; attempt < 5; attempt++) {
        move(log, task_no, SW_STEP_RUNNING, NULL);
        move(log, task_no, SW_STEP_READY, "retry");
        audit_log_is_honest(log);
    }
    put_error(log, task_no, 6, "it never broke");
    assert_doubt(log, "the error of step \"top\"", 13, 13);
}

/* An entry that cannot be, or a segment whose hash does not fit, far behind the payload. */
static void test_what_comes_before_another_doubt(void **state)
{
    audit_log *log = *state;
    int64_t task_no = submit(log);
    succeed(log, task_no); /* its result: entry 5 */
    audit_log_run(log);
    put_result(log, task_no, 0, "{\"ok\":false}");
    audit_log_begin(log);
    sw_audit_entry entry = {.kind = SW_AUDIT_WORKER_CLOSED, .worker_id = 77};
    audit_log_add(log, &entry, 0);
    int64_t odd = log->audit.entry_next;
    audit_log_commit(log);
    audit_log_run(log);
    audit_log_attack(log);
    const sw__segment *last = &log->segments[log->segment_count - 1];
    assert_doubt(log, "the result of step \"top\"", 5, odd);
    ((char *)(intptr_t)last->body.ptr)[last->body.len - 1] ^= 1;
    assert_doubt(log, "the result of step \"top\"", 5, last->entry_first);
}

/* What a segment seals whose entries are in doubt is not compared: they may say anything. */
static void test_what_comes_with_another_doubt(void **state)
{
    audit_log *log = *state;
    int64_t task_no = submit(log);
    move(log, task_no, SW_STEP_RUNNING, NULL);
    audit_log_begin(log);
    succeed_now(log, task_no); /* entries 5 to 7 */
    sw_audit_entry entry = {.kind = SW_AUDIT_WORKER_CLOSED, .worker_id = 77};
    audit_log_add(log, &entry, 0);
    audit_log_commit(log);
    put_result(log, task_no, 0, "{\"ok\":false}");
    assert_doubt(log, "worker 77 has left", 8, 8);
}

/* More than may wait, in segments of five at most and in one of all of them. */
#define MANY 1000

static void test_more_than_may_wait(void **state)
{
    audit_log *log = *state;
    int64_t first = audit_log_run(log);
    int64_t last = first;
    for (int i = 1; i < MANY; i++)
        last = audit_log_run(log);
    audit_log_is_honest(log);
    put_result(log, last, 3, "{\"ok\":false}");
    audit_log_is_detected(log, "the result of step \"bottom\"");
    put_result(log, first, 3, "{\"ok\":false}");
    assert_doubt(log, "the result of step \"bottom\"", 15, 15);
}

static void test_more_than_may_wait_at_once(void **state)
{
    audit_log *log = *state;
    int64_t task_no = 0;
    audit_log_begin(log);
    for (int i = 0; i < 5 * MANY; i++) {
        task_no = audit_log_submit(log, "{\"n\":1}");
        audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
        succeed_now(log, task_no);
    }
    audit_log_commit(log);
    audit_log_is_honest(log);
    put_result(log, task_no, 0, "{\"ok\":false}");
    assert_doubt(log, "the result of step \"top\"", 25 * MANY, 25 * MANY);
}

/* Bytes in use, and the most there were. */
static size_t bytes_used;
static size_t bytes_most;

static void *count_resize(void *context, void *block, size_t size)
{
    const sw_env *system = sw_env_system();
    (void)context;
    bytes_used -= block ? malloc_usable_size(block) : 0;
    block = system->resize(system->context, block, size);
    bytes_used += block ? malloc_usable_size(block) : 0;
    bytes_most = bytes_used > bytes_most ? bytes_used : bytes_most;
    return block;
}

/* Submissions say why, in as many words as an entry holds. */
static void test_what_waits_takes_little_memory(void **state)
{
    audit_log *log = *state;
    static char reason[SW__ENTRY_MAX - 500];
    sw_env env = *sw_env_system();
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    env.resize = count_resize;
    memset(reason, 'x', sizeof(reason));
    for (int64_t task_no = 1000; task_no < 1200; task_no++) {
        sw__task_info info = {.task_no = task_no, .reason = {reason, sizeof(reason)}};
        sw__task_hot task = {.task_no = task_no, .workflow_no = 1, .counts = {3, 1}};
        sw__step_hot steps[4] = {{.step_id = SW__STEP_ID(task_no, 0), .state = SW_STEP_READY}};
        for (int i = 1; i < 4; i++)
            steps[i] =
                (sw__step_hot){.step_id = SW__STEP_ID(task_no, i), .open_deps = i == 3 ? 2 : 1};
        sw_audit_entry entry = {.kind = SW_AUDIT_TASK_SUBMITTED,
                                .task_id.bytes = {(uint8_t)task_no},
                                .subject = sw_workflow_digest(log->workflow),
                                .reason = info.reason};
        task.task_id = entry.task_id;
        audit_log_begin(log);
        assert_int_equal(sw__audit_add(&log->audit, &entry, &task, NULL), SW_OK);
        assert_int_equal(log->store->ops->tasks_insert(log->store, &task, &info, 1, NULL), SW_OK);
        assert_int_equal(log->store->ops->steps_insert(log->store, steps, 4, NULL), SW_OK);
        audit_log_commit(log);
    }
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__audit_verify(log->store, log->hasher, &env, NULL, 1, &report, NULL),
                     SW_OK);
    log->store->ops->rollback(log->store);
    assert_int_equal(report.step_count, 4 * 200);
    assert_true(bytes_most > 1 << 20 && bytes_most < 4 << 20); /* of 13 MB */
    assert_int_equal(bytes_used, 0);
}

#define PAYLOAD_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, audit_log_setup, audit_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAYLOAD_TEST(test_the_first_in_the_log_is_named),
        PAYLOAD_TEST(test_the_first_of_several_kinds_is_named),
        PAYLOAD_TEST(test_the_errors_of_one_step),
        PAYLOAD_TEST(test_what_comes_before_another_doubt),
        PAYLOAD_TEST(test_what_comes_with_another_doubt),
        PAYLOAD_TEST(test_more_than_may_wait),
        PAYLOAD_TEST(test_more_than_may_wait_at_once),
        PAYLOAD_TEST(test_what_waits_takes_little_memory),
    };
    return cmocka_run_group_tests_name("audit_payloads", tests, NULL, NULL);
}
