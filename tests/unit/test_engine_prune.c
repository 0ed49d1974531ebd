/* Pruning: which tasks go, what goes with them, what the log makes of it, and what is left when
 * memory or the disk gives out in the middle. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "engine/engine.h"
#include "helper/fault_vfs.h"
#include "helper/live.h"
#include "helper/rig.h"

#define WORKFLOW                                                                                   \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]" \
    "}]}"
#define HOUR_US INT64_C(3600000000)
#define BIG 5000

static const int32_t only_cancelled[] = {SW_TASK_CANCELLED};
static const int32_t only_succeeded[] = {SW_TASK_SUCCEEDED};

typedef struct folder {
    char path[64];
    char store[96];
} folder;

static void folder_make(folder *f)
{
    live_directory_make_fast(f->path);
    snprintf(f->store, sizeof(f->store), "%s/p.db", f->path);
}

static int64_t now_us(rig *r)
{
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    assert_int_equal(sw_engine_info_get(r->engine, &info, &r->error), 0);
    return info.now_us;
}

static int cancel(rig *r, const sw_uuid *task)
{
    sw_cancel_row row = {.task_id = *task};
    return sw_task_cancel(r->engine, &row, 1, &r->error);
}

/* A task that was cancelled, with an input of this size and perhaps a key and a tag. */
static sw_uuid ended(rig *r, size_t size, const char *key)
{
    static char text[3 * BIG];
    static const sw_str tag = {"red", 3};
    sw_result *result = NULL;
    size_t count = 0;
    memset(text, 'x', sizeof(text));
    text[0] = text[size - 1] = '"';
    sw_task_submit_row row = {.workflow = {"w", 1}, .input = {text, size}, .tags = &tag};
    row.key = (sw_str){key, key ? strlen(key) : 0};
    row.tag_count = 1;
    assert_int_equal(sw_task_submit(r->engine, &row, 1, &result, &r->error), 0);
    sw_uuid task = sw_task_submissions(result, &count)->task_id;
    sw_result_free(result);
    assert_int_equal(cancel(r, &task), 0);
    return task;
}

/* A task that succeeded with a result of this size. */
static sw_uuid succeeded(rig *r, sw_worker_ref *worker, size_t size)
{
    static char text[3 * BIG];
    memset(text, 'y', sizeof(text));
    text[0] = text[size - 1] = '"';
    sw_uuid task = rig_submit(r);
    for (int i = 0; i < 2; i++) {
        rig_claims(r, worker, i ? "b" : "a");
        sw_step_outcome row = rig_outcome(r, i ? "b" : "a", SW_OUTCOME_SUCCEEDED);
        row.result = (sw_str){text, size};
        rig_report(r, worker, row, SW_ROW_APPLIED);
    }
    return task;
}

static sw_prune_options before(rig *r, int64_t age_us)
{
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    options.finished_before_us = now_us(r) - age_us + 1;
    return options;
}

static sw_prune_report prune(rig *r, const sw_prune_options *options)
{
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    if (sw_task_prune(r->engine, options, &report, &r->error) < 0)
        fail_msg("%s", r->error.message);
    return report;
}

static bool is_there(rig *r, const sw_uuid *task)
{
    sw_result *result = NULL;
    int rc = sw_task_get(r->engine, task, &result, &r->error);
    sw_result_free(result);
    assert_true(rc == SW_OK || rc == SW_ENOTFOUND);
    return rc == SW_OK;
}

/* The one number of a query on the file, by another connection. */
static int64_t ask(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t answer = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

static const char *const stores[] = {"memory:", NULL};

/* Run a test on both stores. */
static void on_both(void (*body)(rig *r))
{
    for (size_t i = 0; i < 2; i++) {
        rig r;
        folder f;
        folder_make(&f);
        rig_open(&r, stores[i] ? stores[i] : f.store, WORKFLOW);
        body(&r);
        rig_verify(&r);
        rig_close(&r);
        live_directory_remove(f.path);
    }
}

/* Which tasks. */

static void only_old_ended_tasks_go(rig *r)
{
    sw_worker_ref worker = rig_worker(r, 1000 * 3600 * 24);
    sw_uuid old = ended(r, 10, NULL);
    sw_uuid good = succeeded(r, &worker, 10);
    sw_uuid open = rig_submit(r);
    fault_env_advance(&r->fault, HOUR_US);
    sw_uuid young = ended(r, 10, NULL);
    sw_prune_options options = before(r, HOUR_US);
    options.dry_run = 1;
    sw_prune_report report = prune(r, &options);
    assert_int_equal(report.task_count, 2);
    assert_int_equal(report.step_count, 4);
    assert_true(is_there(r, &old));
    options.dry_run = 0;
    report = prune(r, &options);
    assert_int_equal(report.task_count, 2);
    assert_int_equal(report.step_count, 4);
    assert_false(is_there(r, &old));
    assert_false(is_there(r, &good));
    assert_true(is_there(r, &open));
    assert_true(is_there(r, &young));
    assert_int_equal(prune(r, &options).task_count, 0);
}

static void test_only_old_ended_tasks_go(void **state)
{
    (void)state;
    on_both(only_old_ended_tasks_go);
}

static void state_workflow_and_limit_choose(rig *r)
{
    sw_worker_ref worker = rig_worker(r, 1000 * 3600 * 24);
    sw_uuid first = ended(r, 10, NULL);
    sw_uuid second = ended(r, 10, NULL);
    sw_uuid good = succeeded(r, &worker, 10);
    sw_prune_options options = before(r, 0);
    options.workflow = (sw_str){"other", 5};
    assert_int_equal(prune(r, &options).task_count, 0);
    options.workflow = (sw_str){"w", 1};
    options.states = only_cancelled;
    options.state_count = 1;
    options.limit = 1;
    assert_int_equal(prune(r, &options).task_count, 1);
    assert_false(is_there(r, &first)); /* the oldest */
    assert_true(is_there(r, &second));
    assert_int_equal(prune(r, &options).task_count, 1);
    assert_int_equal(prune(r, &options).task_count, 0);
    assert_true(is_there(r, &good));
    options.states = only_succeeded;
    assert_int_equal(prune(r, &options).task_count, 1);
}

static void test_state_workflow_and_limit_choose(void **state)
{
    (void)state;
    on_both(state_workflow_and_limit_choose);
}

/* More than one page of candidates, most of which stay. */
static void many_tasks_go(rig *r)
{
    sw_uuid kept = ended(r, 10, NULL);
    for (int i = 0; i < 110; i++)
        ended(r, 10, NULL);
    sw_prune_options options = before(r, 0);
    options.limit = 105;
    assert_int_equal(prune(r, &options).task_count, 105);
    assert_false(is_there(r, &kept));
    options.limit = 0;
    assert_int_equal(prune(r, &options).task_count, 6);
}

static void test_many_tasks_go(void **state)
{
    (void)state;
    on_both(many_tasks_go);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    static const int32_t running[] = {SW_TASK_RUNNING};
    (void)state;
    rig r;
    rig_open(&r, "memory:", WORKFLOW);
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    assert_int_equal(sw_task_prune(r.engine, &options, &report, &r.error), SW_EINVAL);
    options.finished_before_us = 1;
    assert_int_equal(sw_task_prune(r.engine, &options, &report, &r.error), 0);
    options.states = running;
    options.state_count = 1;
    assert_int_equal(sw_task_prune(r.engine, &options, &report, &r.error), SW_EINVAL);
    assert_string_equal(r.error.message, "no task ends as running");
    options.state_count = 0;
    options.limit = -1;
    assert_int_equal(sw_task_prune(r.engine, &options, &report, &r.error), SW_EINVAL);
    options.limit = 0;
    options.reason = (sw_str){"two\nlines", 9};
    assert_int_equal(sw_task_prune(r.engine, &options, &report, &r.error), SW_EINVAL);
    options.reason = (sw_str){0};
    assert_int_equal(sw_task_prune(r.engine, NULL, &report, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_prune(r.engine, &options, NULL, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_prune(NULL, &options, &report, &r.error), SW_EINVAL);
    rig_close(&r);
}

/* What goes with them. */

static void keys_and_tags_go_too(rig *r)
{
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_result *result = NULL;
    size_t count = 0;
    sw_uuid old = ended(r, 10, "k");
    sw_prune_options options = before(r, 0);
    prune(r, &options);
    sw_uuid again = ended(r, 20, "k"); /* the key is free, for another input too */
    assert_memory_not_equal(&old, &again, sizeof(old));
    filter.tag = (sw_str){"red", 3};
    assert_int_equal(sw_task_list(r->engine, &filter, &result, &r->error), 0);
    sw_tasks(result, &count);
    assert_int_equal(count, 1);
    sw_result_free(result);
}

static void test_keys_and_tags_go_too(void **state)
{
    (void)state;
    on_both(keys_and_tags_go_too);
}

static void a_late_report_is_fenced(rig *r)
{
    sw_worker_ref worker = rig_worker(r, 1000 * 3600 * 24);
    sw_uuid task = rig_submit(r);
    rig_claims(r, &worker, "a");
    sw_step_outcome late = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    assert_int_equal(cancel(r, &task), 0);
    sw_prune_options options = before(r, 0);
    assert_int_equal(prune(r, &options).task_count, 1);
    rig_report(r, &worker, late, SW_ROW_FENCED);
    sw_result *result = NULL;
    size_t count = 0;
    sw_step_hold held = {late.step_id, late.epoch};
    assert_int_equal(sw_step_heartbeat(r->engine, &held, 1, &result, &r->error), 0);
    assert_int_equal(sw_step_applications(result, &count)->status, SW_ROW_FENCED);
    assert_int_equal(sw_step_applications(result, &count)->state, SW_STEP_CANCELLED);
    sw_result_free(result);
    late.step_id = held.step_id = INT64_C(77) << 20; /* of a task that never was */
    assert_int_equal(sw_step_update_batch(r->engine, &late, 1, &result, &r->error), SW_ENOTFOUND);
    assert_int_equal(sw_step_heartbeat(r->engine, &held, 1, &result, &r->error), SW_ENOTFOUND);
}

static void test_a_late_report_is_fenced(void **state)
{
    (void)state;
    on_both(a_late_report_is_fenced);
}

/* A process was killed after it had taken a task out and before it took the steps out. */
static void test_a_rest_is_no_dead_letter(void **state)
{
    (void)state;
    rig r;
    folder f;
    size_t count = 1;
    int64_t task_no = 1;
    sw_result *letters = NULL;
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;
    folder_make(&f);
    rig_open(&r, f.store, WORKFLOW);
    sw_worker_ref worker = rig_worker(&r, 1000);
    rig_submit(&r);
    rig_claims(&r, &worker, "a");
    rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_FAILED_FOR_GOOD), SW_ROW_APPLIED);
    sw__store *store = r.engine->store;
    assert_int_equal(store->ops->begin(store, true, &r.error), 0);
    assert_int_equal(store->ops->tasks_delete(store, &task_no, 1, &r.error), 0);
    assert_int_equal(store->ops->commit(store, &r.error), 0);
    assert_int_equal(sw_dead_list(r.engine, &filter, &letters, &r.error), 0);
    sw_dead_letters(letters, &count);
    assert_int_equal(count, 0);
    sw_result_free(letters);
    rig_close(&r);
    live_directory_remove(f.path);
}

/* The log. */

static void test_the_log_says_who_and_why(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", WORKFLOW);
    sw_uuid task = ended(&r, 10, NULL);
    sw_prune_options options = before(&r, 0);
    options.actor = (sw_str){"ann", 3};
    options.reason = (sw_str){"30 days", 7};
    prune(&r, &options);
    assert_int_equal(sw_audit_list(r.engine, 1, 100, &result, &r.error), 0);
    const sw_audit_entry *last = sw_audit_entries(result, &count);
    last += count - 1;
    assert_string_equal(sw_audit_kind_name(last->kind), "task_pruned");
    assert_memory_equal(&last->task_id, &task, sizeof(task));
    assert_int_equal(last->from, SW_TASK_CANCELLED);
    assert_int_equal(last->to, SW_TASK_CANCELLED);
    assert_memory_equal(last->actor.ptr, "ann", 3);
    assert_memory_equal(last->reason.ptr, "30 days", 7);
    sw_result_free(result);
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    assert_int_equal(sw_audit_verify(r.engine, &report, &r.error), 0);
    assert_int_equal(report.pruned_count, 1);
    assert_non_null(strstr(report.message, "but for 1 pruned task;"));
    rig_close(&r);
}

static void expect_doubt(rig *r, const char *why)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    assert_int_equal(sw_audit_verify(r->engine, &report, &r->error), SW_EAUDIT);
    if (!strstr(report.message, why))
        fail_msg("\"%s\" lacks \"%s\"", report.message, why);
}

/* What pruning takes out is no loss; the same taken out by hand is. */
static void test_a_row_removed_by_hand_is_still_found(void **state)
{
    static const struct {
        const char *sql;
        const char *why;
    } attacks[] = {
        {"DELETE FROM task_info", "is missing from the store, with all that it says"},
        {"DELETE FROM task", "the row of task"},
        {"DELETE FROM step", "the row of step \"a\""},
        {"DELETE FROM blob_body", "is missing from the store"},
        {"UPDATE blob_body SET body = '1'", "was changed without an entry"},
        {"INSERT INTO task SELECT task_no - 1, randomblob(16), workflow_no, state, 0, pending, "
         "ready, running, waiting, succeeded, failed, skipped, cancelled, resolved, fatal, "
         "audit_segment - 1, created_us, started_us, changed_us, deadline_us FROM task",
         "is there again, after it was pruned"},
        {"INSERT INTO step SELECT step_id - 1048576, state, open_deps, attempt, crashes, epoch, "
         "lane, rank, changed_us FROM step",
         "whose task was pruned"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        rig r;
        folder f;
        folder_make(&f);
        rig_open(&r, f.store, WORKFLOW);
        ended(&r, BIG, NULL);
        sw_prune_options options = before(&r, 0);
        prune(&r, &options);
        ended(&r, BIG, NULL);
        rig_verify(&r);
        ask(f.store, attacks[i].sql);
        expect_doubt(&r, attacks[i].why);
        rig_close(&r);
        live_directory_remove(f.path);
    }
}

/* Payloads and the file. */

static void test_a_large_payload_is_stored_once(void **state)
{
    (void)state;
    rig r;
    folder f;
    folder_make(&f);
    rig_open(&r, f.store, WORKFLOW);
    sw_worker_ref worker = rig_worker(&r, 1000 * 3600 * 24);
    for (int i = 0; i < 20; i++)
        ended(&r, BIG, NULL);
    succeeded(&r, &worker, 2 * BIG);
    ended(&r, 100, NULL);
    assert_int_equal(ask(f.store, "SELECT count(*) FROM blob"), 2);
    assert_int_equal(ask(f.store, "SELECT count(*) FROM blob_body"), 2);
    assert_int_equal(ask(f.store, "SELECT max(uses) FROM blob"), 20);
    rig_verify(&r);
    sw_prune_options options = before(&r, 0);
    options.limit = 19;
    options.states = only_cancelled;
    options.state_count = 1;
    prune(&r, &options);
    assert_int_equal(ask(f.store, "SELECT min(uses) FROM blob"), 1);
    assert_int_equal(ask(f.store, "SELECT count(*) FROM blob_body"), 2);
    rig_verify(&r);
    options = before(&r, 0);
    prune(&r, &options);
    assert_int_equal(ask(f.store, "SELECT count(*) FROM blob"), 0);
    assert_int_equal(ask(f.store, "SELECT count(*) FROM blob_body"), 0);
    rig_verify(&r);
    rig_close(&r);
    live_directory_remove(f.path);
}

static void assert_empty(const char *path)
{
    static const char *const tables[] = {"task", "task_info", "task_tag", "task_key",
                                         "step", "result",    "failure",  "rest",
                                         "blob", "blob_body"};
    char sql[64];
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
        assert_int_equal(ask(path, sql), 0);
    }
}

static void test_the_file_becomes_smaller(void **state)
{
    (void)state;
    rig r;
    folder f;
    folder_make(&f);
    rig_open(&r, f.store, WORKFLOW);
    for (size_t i = 0; i < 60; i++)
        ended(&r, BIG + i, NULL);
    int64_t pages = ask(f.store, "PRAGMA page_count");
    sw_prune_options options = before(&r, 0);
    sw_prune_report report = prune(&r, &options);
    assert_int_equal(ask(f.store, "PRAGMA page_count") * 4096, pages * 4096 - report.freed_bytes);
    assert_true(report.freed_bytes > 60 * BIG);
    assert_int_equal(ask(f.store, "PRAGMA freelist_count"), 0);
    assert_empty(f.store);
    rig_verify(&r);
    rig_close(&r);
    live_directory_remove(f.path);
}

/* A file that was made without incremental vacuum keeps its size, and everything else works. */
static void test_a_file_that_cannot_shrink(void **state)
{
    (void)state;
    rig r;
    folder f;
    folder_make(&f);
    rig_open(&r, f.store, WORKFLOW);
    rig_close(&r);
    ask(f.store, "PRAGMA journal_mode = DELETE");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f.store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA auto_vacuum = NONE; VACUUM", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    rig_open(&r, f.store, WORKFLOW);
    assert_int_equal(ask(f.store, "PRAGMA auto_vacuum"), 0);
    for (size_t i = 0; i < 20; i++)
        ended(&r, BIG + i, NULL);
    sw_prune_options options = before(&r, 0);
    sw_prune_report report = prune(&r, &options);
    assert_int_equal(report.task_count, 20);
    assert_int_equal(report.freed_bytes, 0);
    assert_true(ask(f.store, "PRAGMA freelist_count") > 20);
    assert_empty(f.store);
    rig_close(&r);
    live_directory_remove(f.path);
}

/* What gives out in the middle. */

#define WIDE 1100 /* steps: more than one transaction takes out */

static char *wide_definition(void)
{
    size_t size = 64 + WIDE * 24;
    char *text = malloc(size);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < WIDE; i++)
        len += (size_t)snprintf(text + len, size - len, "%s{\"name\":\"s%d\"}", i ? "," : "", i);
    snprintf(text + len, size - len, "]}");
    return text;
}

/* A prune that a fault ends goes on where it was, and at no moment does the log disagree. */
static void prune_until_nothing_fails(rig *r, void (*arm)(rig *r, size_t nth), const char *path,
                                      size_t least)
{
    size_t failures = 0;
    int64_t pruned = 0;
    int rc = SW_ENOMEM;
    sw_prune_options options = before(r, 0);
    ended(r, BIG, NULL);
    ended(r, BIG, NULL);
    for (size_t nth = 1; rc < 0; nth += 1 + nth / 4) {
        sw_prune_report report = SW_PRUNE_REPORT_INIT;
        arm(r, nth);
        rc = sw_task_prune(r->engine, &options, &report, &r->error);
        arm(r, 0);
        assert_true(rc == 0 || rc == SW_ENOMEM || rc == SW_EFULL || rc == SW_EIO);
        pruned += report.task_count;
        failures += rc < 0;
        rig_verify(r);
    }
    assert_true(failures >= least);
    assert_int_equal(pruned, 2);
    if (path)
        assert_empty(path);
}

static void arm_memory(rig *r, size_t nth)
{
    fault_env_arm(&r->fault, nth, true);
}

static void arm_disk(rig *r, size_t nth)
{
    (void)r;
    fault_vfs_arm(FAULT_VFS_WRITE, nth, SQLITE_FULL, true);
}

static void test_memory_gives_out(void **state)
{
    (void)state;
    rig r;
    folder f;
    folder_make(&f);
    rig_open(&r, "memory:", WORKFLOW);
    prune_until_nothing_fails(&r, arm_memory, NULL, 6);
    rig_close(&r);
    rig_open(&r, f.store, WORKFLOW);
    prune_until_nothing_fails(&r, arm_memory, f.store, 6);
    rig_close(&r);
    live_directory_remove(f.path);
}

static void test_the_disk_is_full(void **state)
{
    (void)state;
    rig r;
    folder f;
    folder_make(&f);
    fault_vfs_register();
    fault_vfs_arm(0, 0, 0, false);
    sqlite3_vfs_register(sqlite3_vfs_find(FAULT_VFS_NAME), 1);
    char *definition = wide_definition();
    rig_open(&r, f.store, definition);
    free(definition);
    prune_until_nothing_fails(&r, arm_disk, f.store, 8);
    rig_close(&r);
    sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
    live_directory_remove(f.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_old_ended_tasks_go),
        cmocka_unit_test(test_state_workflow_and_limit_choose),
        cmocka_unit_test(test_many_tasks_go),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_keys_and_tags_go_too),
        cmocka_unit_test(test_a_late_report_is_fenced),
        cmocka_unit_test(test_a_rest_is_no_dead_letter),
        cmocka_unit_test(test_the_log_says_who_and_why),
        cmocka_unit_test(test_a_row_removed_by_hand_is_still_found),
        cmocka_unit_test(test_a_large_payload_is_stored_once),
        cmocka_unit_test(test_the_file_becomes_smaller),
        cmocka_unit_test(test_a_file_that_cannot_shrink),
        cmocka_unit_test(test_memory_gives_out),
        cmocka_unit_test(test_the_disk_is_full),
    };
    return cmocka_run_group_tests_name("engine_prune", tests, NULL, NULL);
}
