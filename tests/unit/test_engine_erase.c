/* Erasing a subject: what goes and what stays, that no byte of it is left in the files, that proofs
 * and checkpoints from before still hold, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "helper/disk_image.h"
#include "helper/fault_vfs.h"
#include "helper/live.h"
#include "helper/rig.h"

#define WORKFLOW                                                                                   \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]" \
    "}]}"
#define BIG 9000

/* A database in a folder, a key, and proofs that were made before anything was erased. */
typedef struct erased {
    rig rig;
    char folder[64];
    char store[96];
    char key_path[96];
    sw_result *key;
    sw_result *sealed;
    sw_result *proofs;
    sw_uuid tasks[8];
    size_t count;
} erased;

/* A payload with the mark of its subject in it, long enough to be kept apart when i is even. */
static sw_str payload(char text[BIG + 64], const char *mark, int i)
{
    int size = i % 2 ? 40 : BIG;
    int used = snprintf(text, BIG + 64, "\"%s-%d-", mark, i);
    memset(text + used, 'x', (size_t)size);
    snprintf(text + used + size, 64, "-%s\"", mark);
    return sw__str(text);
}

static sw_uuid submit(rig *r, const char *subject, const char *mark, int i, const char *key)
{
    char text[BIG + 64];
    char tag[64];
    sw_result *result = NULL;
    snprintf(tag, sizeof(tag), "subject:%s", subject);
    const sw_str tags[] = {SW__LIT("red"), {tag, strlen(tag)}};
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .input = payload(text, mark, i)};
    row.tags = tags;
    row.tag_count = 2;
    row.key = sw__str(key);
    int rc = sw_task_submit(r->engine, &row, 1, &result, &r->error);
    sw_uuid task = {{0}};
    if (rc == SW_OK)
        task = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
    return task;
}

/* The first step gets a result, the second one fails: the task has failed. */
static void work(rig *r, const char *mark, int i)
{
    char text[BIG + 64];
    sw_worker_ref worker = rig_worker(r, 60000);
    rig_claims(r, &worker, "a");
    sw_step_outcome row = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    row.result = payload(text, mark, i + 1);
    rig_report(r, &worker, row, SW_ROW_APPLIED);
    rig_claims(r, &worker, "b");
    row = rig_outcome(r, "b", SW_OUTCOME_FAILED);
    row.error_class = (sw_str)SW__LIT("Boom");
    row.error_message = payload(text, mark, 1);
    row.error_detail = row.error_message;
    rig_report(r, &worker, row, SW_ROW_APPLIED);
    assert_int_equal(sw_worker_close(r->engine, &worker, &r->error), SW_OK);
}

static void play(erased *e)
{
    static const char *const subjects[] = {"ann", "bob", "ann", "ann"};
    static const char *const marks[] = {"SECRETANN", "SECRETBOB", "SECRETANN", "SECRETANN"};
    for (int i = 0; i < 4; i++) {
        e->tasks[e->count++] = submit(&e->rig, subjects[i], marks[i], i, i == 2 ? "once" : NULL);
        work(&e->rig, marks[i], i);
    }
}

static void prove(erased *e)
{
    const int64_t entries[] = {2, 5, 9};
    rig *r = &e->rig;
    snprintf(e->key_path, sizeof(e->key_path), "%s/key", e->folder);
    assert_int_equal(
        sw_audit_keygen((sw_str)SW__LIT("example.com/w"), sw__str(e->key_path), &e->key, &r->error),
        SW_OK);
    assert_int_equal(sw_audit_seal(r->engine, sw__str(e->key_path), &e->sealed, &r->error), SW_OK);
    assert_int_equal(sw_audit_prove(r->engine, sw_audit_checkpoints(e->sealed, NULL)->note, entries,
                                    3, &e->proofs, &r->error),
                     SW_OK);
}

static erased *open_store(bool memory)
{
    erased *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    live_directory_make_fast(e->folder);
    snprintf(e->store, sizeof(e->store), "%s/e.db", e->folder);
    rig_open(&e->rig, memory ? "memory:" : e->store, WORKFLOW);
    play(e);
    prove(e);
    return e;
}

static int memory_setup(void **state)
{
    *state = open_store(true);
    return 0;
}

static int sqlite_setup(void **state)
{
    *state = open_store(false);
    return 0;
}

static int teardown(void **state)
{
    erased *e = *state;
    sw_result_free(e->proofs);
    sw_result_free(e->sealed);
    sw_result_free(e->key);
    rig_close(&e->rig);
    live_directory_remove(e->folder);
    free(e);
    return 0;
}

static int erase_with(sw_engine *engine, const char *subject, sw_erase_report *report,
                      sw_error *err)
{
    sw_erase_options options = SW_ERASE_OPTIONS_INIT;
    options.subject = sw__str(subject);
    options.actor = (sw_str)SW__LIT("eve");
    options.reason = (sw_str)SW__LIT("request 7");
    *report = (sw_erase_report)SW_ERASE_REPORT_INIT;
    return sw_task_erase(engine, &options, report, err);
}

static int erase(erased *e, const char *subject, sw_erase_report *report)
{
    return erase_with(e->rig.engine, subject, report, &e->rig.error);
}

/* The log verifies against the checkpoint from before, and the proofs from before hold. */
static void still_proved(erased *e, int64_t erased_count)
{
    rig *r = &e->rig;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    size_t count = 0;
    trust.checkpoints = &sw_audit_checkpoints(e->sealed, NULL)->note;
    trust.checkpoint_count = 1;
    trust.keys = &sw_audit_keys(e->key, NULL)->verifier;
    trust.key_count = 1;
    assert_int_equal(sw_audit_verify_signed(r->engine, &trust, &report, &r->error), SW_OK);
    assert_int_equal(report.level, SW_AUDIT_SIGNED);
    assert_int_equal(report.erased_count, erased_count);
    const sw_audit_proof *proofs = sw_audit_proofs(e->proofs, &count);
    for (size_t i = 0; i < count; i++) {
        sw_result *shown = NULL;
        sw_result *again = NULL;
        assert_int_equal(sw_audit_check(&trust, proofs[i].text, &shown, &r->error), SW_OK);
        assert_int_equal(sw_audit_prove(r->engine, trust.checkpoints[0], &proofs[i].entry.entry_no,
                                        1, &again, &r->error),
                         SW_OK);
        assert_true(sw__str_equal(sw_audit_proofs(again, NULL)->text, proofs[i].text));
        sw_result_free(again);
        sw_result_free(shown);
    }
}

static void test_payloads_go_and_proofs_hold(void **state)
{
    erased *e = *state;
    rig *r = &e->rig;
    sw_erase_report report;
    still_proved(e, 0);
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    assert_int_equal(report.task_count, 3);
    assert_int_equal(report.erased_count, 0);
    assert_int_equal(report.clean, 1);
    for (int i = 0; i < 4; i++) {
        sw_result *result = NULL;
        bool kept = i == 1;
        assert_int_equal(sw_task_get(r->engine, &e->tasks[i], &result, &r->error), SW_OK);
        assert_int_equal(sw_tasks(result, NULL)->state, SW_TASK_FAILED);
        assert_int_equal(sw_tasks(result, NULL)->input.ptr != NULL, kept);
        sw_result_free(result);
        sw_step_row step = rig_step(r, &e->tasks[i], "a");
        assert_int_equal(step.state, SW_STEP_SUCCEEDED);
        assert_int_equal(step.result.ptr != NULL, kept);
        step = rig_step(r, &e->tasks[i], "b");
        assert_int_equal(step.error_message.ptr != NULL, kept);
    }
    still_proved(e, 3);
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    assert_int_equal(report.task_count, 0);
    assert_int_equal(report.erased_count, 3);
    still_proved(e, 3);
}

static void test_the_log_says_who_and_why(void **state)
{
    erased *e = *state;
    sw_erase_report report;
    sw_result *result = NULL;
    size_t count = 0;
    sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    filter.kind = SW_AUDIT_TASK_ERASED;
    assert_int_equal(sw_audit_search(e->rig.engine, &filter, &result, &e->rig.error), SW_OK);
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_true(sw__str_is(rows[i].actor, "eve") && sw__str_is(rows[i].reason, "request 7"));
        assert_true(rows[i].from == SW_TASK_FAILED && rows[i].to == SW_TASK_FAILED);
        assert_null(rows[i].subject.ptr);
    }
    sw_result_free(result);
}

static void test_what_was_erased_never_goes_on(void **state)
{
    erased *e = *state;
    rig *r = &e->rig;
    sw_erase_report report;
    sw_result *result = NULL;
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    sw_step_override_row row = {.step_id = rig_step(r, &e->tasks[0], "b").step_id,
                                .state = SW_STEP_READY,
                                .actor = SW__LIT("ann"),
                                .reason = SW__LIT("why")};
    assert_int_equal(sw_step_override(r->engine, &row, 1, 0, &result, &r->error), SW_ESTATE);
    assert_non_null(strstr(r->error.message, "were erased"));
    row.step_id = rig_step(r, &e->tasks[1], "b").step_id;
    assert_int_equal(sw_step_override(r->engine, &row, 1, 0, &result, &r->error), SW_OK);
    sw_result_free(result);
    /* The key is not forgotten: what was done once is not done again. */
    submit(r, "ann", "SECRETANN", 2, "once");
    assert_int_equal(r->error.code, SW_ECONFLICT);
    still_proved(e, 3);
}

static void test_refused(void **state)
{
    erased *e = *state;
    rig *r = &e->rig;
    sw_erase_report report;
    sw_erase_options options = SW_ERASE_OPTIONS_INIT;
    sw_uuid running = submit(r, "ann", "SECRETANN", 5, NULL);
    assert_int_equal(erase(e, "ann", &report), SW_ESTATE);
    assert_non_null(strstr(r->error.message, "cancel it"));
    still_proved(e, 0);
    sw_cancel_row cancel = {.task_id = running};
    assert_int_equal(sw_task_cancel(r->engine, &cancel, 1, &r->error), SW_OK);
    assert_int_equal(erase(e, "nobody", &report), SW_OK);
    assert_int_equal(report.task_count, 0);
    assert_int_equal(erase(e, "", &report), SW_EINVAL);
    assert_int_equal(erase(e, "a\nb", &report), SW_EINVAL);
    options.subject = (sw_str)SW__LIT("ann");
    options.reason = (sw_str)SW__LIT("why");
    assert_int_equal(sw_task_erase(r->engine, &options, &report, &r->error), SW_EINVAL);
    options.actor = options.reason;
    options.reason = (sw_str){NULL, 0};
    assert_int_equal(sw_task_erase(r->engine, &options, &report, &r->error), SW_EINVAL);
    options.dry_run = 1;
    assert_int_equal(sw_task_erase(r->engine, &options, &report, &r->error), SW_OK);
    assert_int_equal(report.task_count, 4);
    still_proved(e, 0);
    report.size = 0;
    assert_int_equal(sw_task_erase(r->engine, &options, &report, &r->error), SW_EINVAL);
    options.size = 0;
    assert_int_equal(sw_task_erase(r->engine, &options, &report, &r->error), SW_EINVAL);
}

static void test_pruned_later(void **state)
{
    erased *e = *state;
    sw_erase_report report;
    sw_prune_options prune = SW_PRUNE_OPTIONS_INIT;
    sw_prune_report pruned = SW_PRUNE_REPORT_INIT;
    prune.finished_before_us = INT64_MAX / 4;
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    assert_int_equal(sw_task_prune(e->rig.engine, &prune, &pruned, &e->rig.error), SW_OK);
    assert_int_equal(pruned.task_count, 4);
    still_proved(e, 3);
}

/* How often a text stands in a file. */
static size_t found(const char *path, const char *text)
{
    size_t count = 0;
    size_t length = strlen(text);
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    rewind(file);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    for (size_t i = 0; i + length <= size; i++)
        count += memcmp(bytes + i, text, length) == 0;
    free(bytes);
    return count;
}

/* In a database file and its log. */
static size_t found_in(const char *path, const char *text)
{
    char log[160];
    snprintf(log, sizeof(log), "%s-wal", path);
    return found(path, text) + found(log, text);
}

static size_t found_anywhere(const erased *e, const char *text)
{
    return found_in(e->store, text);
}

static void test_no_byte_is_left(void **state)
{
    erased *e = *state;
    sw_erase_report report;
    /* Many tasks that come and go, so that pages were split and freed. */
    for (int i = 0; i < 40; i++) {
        submit(&e->rig, i % 2 ? "ann" : "bob", i % 2 ? "SECRETANN" : "SECRETBOB", i, NULL);
        work(&e->rig, i % 2 ? "SECRETANN" : "SECRETBOB", i);
    }
    assert_true(found_anywhere(e, "SECRETANN") > 40);
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    assert_int_equal(report.task_count, 23);
    assert_int_equal(report.clean, 1);
    assert_int_equal(found_anywhere(e, "SECRETANN"), 0);
    assert_true(found_anywhere(e, "SECRETBOB") > 40);
    still_proved(e, 23);
}

static void database_edit(const erased *e, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(e->store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A payload that comes back, or that never went, is found. */
static void test_what_is_put_back_is_found(void **state)
{
    erased *e = *state;
    sw_erase_report report;
    sw_audit_report verified = SW_AUDIT_REPORT_INIT;
    database_edit(e, "CREATE TABLE keep AS SELECT * FROM result WHERE step_id >> 20 = 1");
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    database_edit(e, "INSERT INTO result SELECT * FROM keep WHERE body IS NOT NULL");
    database_edit(e, "DROP TABLE keep");
    assert_int_equal(sw_audit_verify(e->rig.engine, &verified, &e->rig.error), SW_EAUDIT);
    assert_non_null(strstr(verified.message, "but the store still has what entry"));
    database_edit(e, "DELETE FROM result WHERE step_id >> 20 = 1");
    still_proved(e, 3);
}

/* What the disk holds for certain: each file as it was synced last. */
typedef struct synced {
    disk_image image;
    const char *store;
} synced;

static void synced_moment(void *context)
{
    (void)context;
}

static void synced_take(void *context, const char *name)
{
    synced *s = context;
    disk_image_refresh(&s->image, s->store, name);
}

/* When the power fails right behind it, no byte comes back. */
static void test_no_byte_comes_back(void **state)
{
    (void)state;
    fault_vfs_register();
    fault_vfs_arm(0, 0, 0, false);
    sqlite3_vfs_register(sqlite3_vfs_find(FAULT_VFS_NAME), 1);
    erased *e = open_store(false);
    sw_erase_report report;
    char after[128];
    synced s = {.image = disk_image_take(e->store), .store = e->store};
    const fault_vfs_watch watch = {&s, synced_moment, synced_take};
    snprintf(after, sizeof(after), "%s/after.db", e->folder);
    disk_image_put(&s.image, after);
    fault_vfs_watch_by(&watch);
    int rc = erase(e, "ann", &report);
    fault_vfs_watch_by(NULL);
    assert_int_equal(rc, SW_OK);
    assert_int_equal(report.clean, 1);
    assert_true(found_in(after, "SECRETANN") > 0);
    disk_image_put(&s.image, after);
    assert_int_equal(found_in(after, "SECRETANN"), 0);
    assert_true(found_in(after, "SECRETBOB") > 0);
    disk_image_free(&s.image);
    void *opened = e;
    teardown(&opened);
    sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
}

/* Who has the database open, and reads nothing just now, keeps nothing. */
static void test_somebody_beside(void **state)
{
    erased *e = *state;
    sqlite3 *db = NULL;
    sw_erase_report report;
    assert_int_equal(sqlite3_open(e->store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT * FROM result", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    assert_int_equal(report.clean, 1);
    assert_int_equal(found_anywhere(e, "SECRETANN"), 0);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(found_anywhere(e, "SECRETANN"), 0);
}

/* While another connection reads, the log cannot be emptied: the report says so. */
static void test_a_reader_keeps_copies(void **state)
{
    erased *e = *state;
    sqlite3 *db = NULL;
    sw_engine *hasty = NULL;
    sw_erase_report report;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = sw__str(e->store);
    options.busy_timeout_ms = 20;
    assert_int_equal(sw_engine_open(&options, &hasty, NULL), SW_OK);
    assert_int_equal(sqlite3_open(e->store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM task", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(erase_with(hasty, "ann", &report, NULL), SW_OK);
    assert_int_equal(report.task_count, 3);
    assert_int_equal(report.clean, 0);
    assert_true(found_anywhere(e, "SECRETANN") > 0); /* the reader still sees it */
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    sw_engine_close(hasty);
    assert_int_equal(erase(e, "ann", &report), SW_OK);
    assert_int_equal(report.clean, 1);
    assert_int_equal(found_anywhere(e, "SECRETANN"), 0);
}

/* The memory of an erasure gives out: nothing is erased then, and nothing is noted. */
static void test_out_of_memory(void **state)
{
    erased *e = *state;
    size_t tried = 0;
    sw_erase_report report;
    int rc = SW_ENOMEM;
    for (size_t nth = 1; rc == SW_ENOMEM; nth++, tried++) {
        fault_env_arm(&e->rig.fault, nth, false);
        rc = erase(e, "ann", &report);
        fault_env_arm(&e->rig.fault, 0, false);
        assert_true(rc == SW_OK || rc == SW_ENOMEM);
        if (rc == SW_ENOMEM)
            still_proved(e, 0);
    }
    assert_true(tried > 5);
    still_proved(e, 3);
}

/* A disk that is full, or fails, from some write or sync on: the tasks are erased or are not, all
 * of them, and the next call finishes. */
static void disk_gives_out(int code)
{
    bool failed = true;
    fault_vfs_register();
    fault_vfs_arm(0, 0, 0, false);
    sqlite3_vfs_register(sqlite3_vfs_find(FAULT_VFS_NAME), 1);
    for (size_t nth = 1; failed; nth += nth < 12 ? 1 : 37) {
        sw_erase_report report;
        erased *e = open_store(false);
        fault_vfs_arm(FAULT_VFS_WRITE | FAULT_VFS_SYNC, nth, code, true);
        int rc = erase(e, "ann", &report);
        failed = fault_vfs_failed() > 0;
        fault_vfs_arm(0, 0, 0, false);
        assert_true(rc == SW_OK || failed);
        assert_true(report.task_count == 0 || report.task_count == 3);
        assert_true(!report.clean || rc == SW_OK);
        still_proved(e, report.task_count);
        assert_int_equal(erase(e, "ann", &report), SW_OK);
        assert_int_equal(report.clean, 1);
        assert_int_equal(found_anywhere(e, "SECRETANN"), 0);
        still_proved(e, 3);
        void *state = e;
        teardown(&state);
    }
    sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
}

static void test_the_disk_gives_out(void **state)
{
    (void)state;
    disk_gives_out(SQLITE_FULL);
    disk_gives_out(SQLITE_IOERR_WRITE);
}

#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, memory_setup, teardown),                                 \
        cmocka_unit_test_setup_teardown(test, sqlite_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_payloads_go_and_proofs_hold),
        BOTH(test_the_log_says_who_and_why),
        BOTH(test_what_was_erased_never_goes_on),
        BOTH(test_refused),
        BOTH(test_pruned_later),
        cmocka_unit_test_setup_teardown(test_no_byte_is_left, sqlite_setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_put_back_is_found, sqlite_setup, teardown),
        cmocka_unit_test(test_no_byte_comes_back),
        cmocka_unit_test_setup_teardown(test_somebody_beside, sqlite_setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_keeps_copies, sqlite_setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_memory, memory_setup, teardown),
        cmocka_unit_test(test_the_disk_gives_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
