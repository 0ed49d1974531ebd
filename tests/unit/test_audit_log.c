/* Collecting, sealing and reading the audit log: numbers, chain, histories, digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "audit/segment.h"
#include "base/str.h"
#include "helper/audit_log.h"
#include "helper/fault_env.h"

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

/* Read a range; rows live in arena. */
static int read_range(audit_log *log, int64_t entry_no, size_t limit, sw__arena *arena,
                      sw_audit_entry **rows, size_t *count)
{
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_read(log->store, entry_no, limit, arena, rows, count, NULL);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return rc;
}

static int read_task(audit_log *log, int64_t task_no, sw__arena *arena, sw_audit_entry **rows,
                     size_t *count, sw_error *err)
{
    sw__task_hot task = audit_log_task(log, task_no);
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_read_task(log->store, &task, arena, rows, count, err);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return rc;
}

static sw__segment last_segment(audit_log *log)
{
    sw__segment last;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(log->store->ops->segment_last(log->store, &last, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return last;
}

static void test_entries_are_numbered_without_gaps(void **state)
{
    audit_log *log = *state;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    audit_log_run(log);
    audit_log_run(log);
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(read_range(log, 1, 1000, arena, &rows, &count), SW_OK);
    assert_int_equal(count, last_segment(log).entry_first);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].entry_no, i + 1);
    assert_int_equal(rows[0].kind, SW_AUDIT_WORKFLOW_REGISTERED);
    assert_int_equal(rows[count - 1].kind, SW_AUDIT_TASK_CHANGED);
    sw__arena_free(arena);
}

static void test_a_range_starts_and_ends_inside_segments(void **state)
{
    audit_log *log = *state;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    audit_log_run(log);
    int64_t last = last_segment(log).entry_first;
    sw__arena *arena = sw__arena_new(sw_env_system());
    for (int64_t from = 1; from <= last; from++) {
        for (size_t limit = 0; limit < 6; limit++) {
            size_t left = (size_t)(last - from + 1);
            assert_int_equal(read_range(log, from, limit, arena, &rows, &count), SW_OK);
            assert_int_equal(count, limit < left ? limit : left);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(rows[i].entry_no, from + (int64_t)i);
        }
    }
    assert_int_equal(read_range(log, last + 1, 5, arena, &rows, &count), SW_OK);
    assert_int_equal(count, 0);
    sw__arena_free(arena);
}

static void test_a_task_has_its_own_history(void **state)
{
    audit_log *log = *state;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    audit_log_begin(log);
    int64_t first = audit_log_submit(log, NULL);
    int64_t second = audit_log_submit(log, NULL);
    audit_log_commit(log);
    audit_log_begin(log);
    audit_log_move(log, second, 0, SW_STEP_RUNNING, NULL);
    audit_log_commit(log);
    audit_log_begin(log);
    audit_log_move(log, first, 0, SW_STEP_RUNNING, NULL);
    audit_log_move(log, second, 0, SW_STEP_READY, "released");
    audit_log_move(log, first, 0, SW_STEP_SUCCEEDED, NULL);
    audit_log_commit(log);
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(read_task(log, second, arena, &rows, &count, NULL), SW_OK);
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].kind, SW_AUDIT_TASK_SUBMITTED);
    assert_int_equal(rows[1].to, SW_STEP_RUNNING);
    assert_int_equal(rows[2].to, SW_STEP_READY);
    assert_true(sw__str_is(rows[2].reason, "released"));
    assert_true(sw__str_is(rows[2].step, "top"));
    assert_int_equal(read_task(log, first, arena, &rows, &count, NULL), SW_OK);
    assert_int_equal(count, 3);
    assert_int_equal(rows[2].to, SW_STEP_SUCCEEDED);
    sw__arena_free(arena);
}

static void test_a_transaction_without_entries_leaves_no_segment(void **state)
{
    audit_log *log = *state;
    int64_t before = last_segment(log).segment_no;
    audit_log_begin(log);
    audit_log_commit(log);
    assert_int_equal(last_segment(log).segment_no, before);
}

static void test_times_never_go_back(void **state)
{
    audit_log *log = *state;
    int64_t before = last_segment(log).time_us;
    log->now_us -= 3600 * 1000000LL;
    audit_log_run(log);
    assert_int_equal(last_segment(log).time_us, before);
    sw_audit_report report;
    assert_int_equal(audit_log_verify(log, &report), SW_OK);
}

static void test_an_entry_that_cannot_be_written_is_refused(void **state)
{
    audit_log *log = *state;
    sw_error err;
    sw_audit_entry entry = {.kind = SW_AUDIT_WORKER_LOST, .worker_id = -1};
    int64_t before = last_segment(log).segment_no;
    audit_log_begin(log);
    assert_int_equal(sw__audit_add(&log->audit, &entry, NULL, &err), SW_EINVAL);
    assert_non_null(strstr(err.message, "out of range"));
    audit_log_commit(log);
    assert_int_equal(last_segment(log).segment_no, before);
}

static void test_digests_tell_their_parts_apart(void **state)
{
    audit_log *log = *state;
    const uint8_t salt[32] = {1};
    const sw_str left[] = {SW__LIT("ab"), SW__LIT("c")};
    const sw_str right[] = {SW__LIT("a"), SW__LIT("bc")};
    sw_str many[SW__AUDIT_PARTS_MAX + 1] = {{NULL, 0}};
    uint8_t a[32];
    uint8_t b[32];
    assert_int_equal(sw__audit_digest(log->hasher, salt, left, 2, a), SW_OK);
    assert_int_equal(sw__audit_digest(log->hasher, salt, right, 2, b), SW_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    /* One part is what anybody can compute with a salt, a payload and SHA-256. */
    const sw_str plain[] = {{(const char *)salt, sizeof(salt)}, SW__LIT("ab")};
    assert_int_equal(sw__audit_digest(log->hasher, salt, left, 1, a), SW_OK);
    assert_int_equal(sw__hash(log->hasher, plain, 2, b), SW_OK);
    assert_memory_equal(a, b, sizeof(a));
    assert_int_equal(sw__audit_digest(log->hasher, salt, many, SW__AUDIT_PARTS_MAX, a), SW_OK);
    assert_int_equal(sw__audit_digest(log->hasher, salt, many, SW__AUDIT_PARTS_MAX + 1, a),
                     SW_ELIMIT);
}

/* A broken history ends in an error, never in a loop or a silent gap. */
static void test_a_broken_history_is_told(void **state)
{
    audit_log *log = *state;
    sw_error err;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    int64_t task_no = audit_log_run(log);
    audit_log_run(log);
    sw__task_hot task = audit_log_task(log, task_no);
    sw__arena *arena = sw__arena_new(sw_env_system());
    audit_log_attack(log);
    /* It leads to a segment that has nothing of the task. */
    task.audit_segment = (int64_t)log->segment_count;
    audit_log_put_task(log, &task);
    assert_int_equal(read_task(log, task_no, arena, &rows, &count, &err), SW_EAUDIT);
    assert_non_null(strstr(err.message, "does not hold the task"));
    /* It leads beyond the end. */
    task.audit_segment = (int64_t)log->segment_count + 1;
    audit_log_put_task(log, &task);
    assert_int_equal(read_task(log, task_no, arena, &rows, &count, &err), SW_EAUDIT);
    assert_non_null(strstr(err.message, "is missing"));
    /* It leads to itself: a body whose table says that the previous segment is this one. */
    char circle[1024];
    sw_str body = log->segments[2].body;
    assert_in_range(body.len, 4, sizeof(circle));
    memcpy(circle, body.ptr, body.len);
    assert_int_equal(circle[1], 1);
    circle[2] = (char)task_no;
    circle[3] = 3;
    log->segments[2].body = (sw_str){circle, body.len};
    task.audit_segment = 3;
    audit_log_put_task(log, &task);
    assert_int_equal(read_task(log, task_no, arena, &rows, &count, &err), SW_EAUDIT);
    assert_non_null(strstr(err.message, "circle"));
    sw__arena_free(arena);
}

static void test_an_unreadable_segment_is_told(void **state)
{
    audit_log *log = *state;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    audit_log_run(log);
    sw__arena *arena = sw__arena_new(sw_env_system());
    audit_log_attack(log);
    sw_str honest = log->segments[3].body;
    for (size_t cut = 0; cut < honest.len; cut++) {
        log->segments[3].body.len = cut;
        assert_int_equal(read_range(log, 1, 1000, arena, &rows, &count), SW_EAUDIT);
    }
    log->segments[3].body = honest;
    assert_int_equal(read_range(log, 1, 1000, arena, &rows, &count), SW_OK);
    sw__arena_free(arena);
}

/* Every allocation of writing a transaction and of reading it back fails once and for ever. */

static int write_without_memory(const sw_env *env, void *context)
{
    audit_log *log = context;
    sw__audit audit;
    sw__task_hot task = {.task_no = 9};
    sw_audit_entry entry = {.kind = SW_AUDIT_TASK_CHANGED, .reason = SW__LIT("why")};
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    sw__audit_init(&audit, env, log->hasher);
    int rc = sw__audit_begin(&audit, log->store, log->now_us, NULL);
    for (int i = 0; rc == SW_OK && i < 200; i++) {
        task.task_no = 9 + i;
        rc = sw__audit_add(&audit, &entry, &task, NULL);
    }
    if (rc == SW_OK)
        rc = sw__audit_seal(&audit, log->store, NULL);
    sw__audit_free(&audit);
    log->store->ops->rollback(log->store);
    return rc;
}

static int read_without_memory(const sw_env *env, void *context)
{
    audit_log *log = context;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    sw__task_hot task = audit_log_task(log, 1);
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_read(log->store, 1, 100, arena, &rows, &count, NULL);
    if (rc == SW_OK)
        rc = sw__audit_read_task(log->store, &task, arena, &rows, &count, NULL);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    sw__arena_free(arena);
    return rc;
}

static void test_missing_memory_is_told(void **state)
{
    audit_log *log = *state;
    fault_env fault;
    audit_log_play(log, 5);
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, write_without_memory, log) > 4);
    assert_true(fault_env_each(&fault, read_without_memory, log) > 4);
    assert_int_equal(fault.live, 0);
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, open_log, close_log)
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_entries_are_numbered_without_gaps),
        LOG_TEST(test_a_range_starts_and_ends_inside_segments),
        LOG_TEST(test_a_task_has_its_own_history),
        LOG_TEST(test_a_transaction_without_entries_leaves_no_segment),
        LOG_TEST(test_times_never_go_back),
        LOG_TEST(test_an_entry_that_cannot_be_written_is_refused),
        LOG_TEST(test_digests_tell_their_parts_apart),
        LOG_TEST(test_a_broken_history_is_told),
        LOG_TEST(test_an_unreadable_segment_is_told),
        LOG_TEST(test_missing_memory_is_told),
    };
#undef LOG_TEST
    return cmocka_run_group_tests_name("audit_log", tests, NULL, NULL);
}
