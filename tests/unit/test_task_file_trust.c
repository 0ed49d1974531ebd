/* What trust adds to a task file, what is said of one that is broken, edited or erased, and what
 * happens where memory or the disk give out. Not here: what a good one holds (test_task_file.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/task_file.h"
#include "base/node.h"
#include "base/str.h"
#include "helper/filed.h"
#include "helper/live.h"

/* Trust. */

typedef struct keyed {
    char folder[64];
    char path[2][96];
    sw_result *keys[2];
    sw_result *sealed;
    sw_result *file;
} keyed;

static keyed *keyed_open(filed *f)
{
    keyed *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    live_directory_make_fast(k->folder);
    for (int i = 0; i < 2; i++) {
        snprintf(k->path[i], sizeof(k->path[i]), "%s/key%d", k->folder, i);
        assert_int_equal(sw_audit_keygen((sw_str)SW__LIT("example.com/o"), sw__str(k->path[i]),
                                         &k->keys[i], &f->rig.error),
                         SW_OK);
    }
    assert_int_equal(sw_audit_seal(f->rig.engine, sw__str(k->path[0]), &k->sealed, &f->rig.error),
                     SW_OK);
    sw_str note = sw_audit_checkpoints(k->sealed, NULL)->note;
    assert_int_equal(
        sw_task_export(f->rig.engine, &f->task, note, (sw_str){NULL, 0}, &k->file, &f->rig.error),
        SW_OK);
    return k;
}

static void keyed_close(keyed *k)
{
    sw_result_free(k->file);
    sw_result_free(k->sealed);
    sw_result_free(k->keys[0]);
    sw_result_free(k->keys[1]);
    live_directory_remove(k->folder);
    free(k);
}

static int verify(sw_str text, const sw_audit_trust *trust, sw_audit_report *out, sw_error *err)
{
    *out = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    return sw_task_file_verify((sw_str)SW__LIT("t.json"), text, trust, out, err);
}

static void test_trust_says_the_level(void **state)
{
    filed *f = *state;
    sw_error err;
    sw_audit_report found;
    keyed *k = keyed_open(f);
    sw_str own = sw_audit_keys(k->keys[0], NULL)->verifier;
    sw_str other = sw_audit_keys(k->keys[1], NULL)->verifier;
    sw_str note = sw_audit_checkpoints(k->sealed, NULL)->note;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.keys = &own;
    trust.key_count = 1;
    sw_str text = filed_text(k->file), unsigned_text = filed_text(f->moments[f->count - 1]);

    assert_int_equal(verify(text, NULL, &found, &err), SW_OK);
    assert_int_equal(found.level, SW_AUDIT_INTEGRITY);
    assert_int_equal(verify(text, &trust, &found, &err), SW_OK);
    assert_int_equal(found.level, SW_AUDIT_SIGNED);
    assert_int_equal(found.signed_count, found.entry_count);
    assert_non_null(strstr(found.message, "Not shown: that no entry was left out"));
    assert_int_equal(verify(unsigned_text, &trust, &found, &err), SW_EAUDIT);
    assert_non_null(strstr(found.message, "is not signed"));
    trust.checkpoints = &note;
    trust.checkpoint_count = 1;
    assert_int_equal(verify(unsigned_text, &trust, &found, &err), SW_OK);
    assert_int_equal(found.level, SW_AUDIT_SIGNED);
    sw_audit_anchor anchor = {.place = SW__LIT("file:x"), .note = note, .time_us = 5};
    trust.anchors = &anchor;
    trust.anchor_count = 1;
    assert_int_equal(verify(text, &trust, &found, &err), SW_OK);
    assert_int_equal(found.level, SW_AUDIT_ANCHORED);
    assert_int_equal(found.anchored_us, 5);
    trust = (sw_audit_trust)SW_AUDIT_TRUST_INIT;
    trust.keys = &other;
    trust.key_count = 1;
    assert_int_equal(verify(text, &trust, &found, &err), SW_EAUDIT);
    assert_non_null(strstr(found.message, "cannot be trusted"));
    keyed_close(k);
}

/* Entries behind the checkpoint are there, and said to be without a proof. */
static void test_entries_behind_the_checkpoint(void **state)
{
    filed *f = calloc(1, sizeof(*f));
    sw_error err;
    sw_audit_report found;
    (void)state;
    assert_non_null(f);
    rig_open(&f->rig, "memory:", FILED_WORKFLOW);
    filed_play(f);
    keyed *k = keyed_open(f);
    sw_result *old = k->file;
    filed_finish(f);
    sw_str own = sw_audit_keys(k->keys[0], NULL)->verifier;
    sw_str note = sw_audit_checkpoints(k->sealed, NULL)->note;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.keys = &own;
    trust.key_count = 1;
    assert_int_equal(
        sw_task_export(f->rig.engine, &f->task, note, (sw_str){NULL, 0}, &k->file, &f->rig.error),
        SW_OK);
    assert_true(sw_task_files(k->file, NULL)->proved_count <
                sw_task_files(k->file, NULL)->entry_count);
    assert_int_equal(verify(filed_text(k->file), &trust, &found, &err), SW_OK);
    assert_int_equal(found.signed_count, sw_task_files(old, NULL)->entry_count);
    assert_non_null(strstr(found.message, "newer than the checkpoint and not proved"));
    sw_result_free(old);
    keyed_close(k);
    void *left = f;
    filed_teardown(&left);
}

/* A checkpoint from before the task proves nothing of it, even a good one. */
static void test_a_checkpoint_from_before_the_task(void **state)
{
    filed *f = calloc(1, sizeof(*f));
    sw_error err;
    sw_audit_report found;
    (void)state;
    assert_non_null(f);
    rig_open(&f->rig, "memory:", FILED_WORKFLOW);
    f->task = filed_submit(&f->rig);
    keyed *k = keyed_open(f);
    f->task = rig_submit(&f->rig);
    sw_str note = sw_audit_checkpoints(k->sealed, NULL)->note;
    assert_int_equal(
        sw_task_export(f->rig.engine, &f->task, note, (sw_str){NULL, 0}, &f->moments[0], &err),
        SW_EINVAL);
    /* Forged: the file of the newer task with the older checkpoint and without proofs. */
    filed_export(f);
    sw__task_file file;
    sw__buf text;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(
        sw__task_file_read(arena, (sw_str){NULL, 0}, filed_text(f->moments[0]), &file, &err),
        SW_OK);
    sw__task_file old;
    assert_int_equal(sw__task_file_read(arena, (sw_str){NULL, 0}, filed_text(k->file), &old, &err),
                     SW_OK);
    memcpy(file.root, old.root, sizeof(file.root));
    file.log_count = old.log_count;
    file.checkpoint = old.checkpoint;
    file.entries[0] = old.entries[0];
    file.entries[1].proved = false;
    sw__buf_init(&text, sw_env_system());
    assert_int_equal(sw__task_file_write(&text, &file, &err), SW_OK);
    assert_int_equal(verify(sw__buf_str(&text), NULL, &found, &err), SW_EAUDIT);
    assert_non_null(strstr(found.message, "nothing of it is proved"));
    sw__buf_free(&text);
    sw_workflow_free(file.workflow);
    sw_workflow_free(old.workflow);
    sw__arena_free(arena);
    keyed_close(k);
    void *left = f;
    filed_teardown(&left);
}

static void test_an_erased_task(void **state)
{
    filed *f = calloc(1, sizeof(*f));
    sw_error err;
    sw_audit_report found;
    (void)state;
    assert_non_null(f);
    rig_open(&f->rig, "memory:", FILED_WORKFLOW);
    filed_play(f);
    filed_finish(f);
    sw_erase_options erase = SW_ERASE_OPTIONS_INIT;
    sw_erase_report erased = SW_ERASE_REPORT_INIT;
    erase.subject = sw__str("ann");
    erase.actor = sw__str("dpo");
    erase.reason = sw__str("asked");
    assert_int_equal(sw_task_erase(f->rig.engine, &erase, &erased, &err), SW_OK);
    filed_export(f);
    sw_str text = filed_text(f->moments[f->count - 1]);
    char *copy = strndup(text.ptr, text.len);
    assert_null(strstr(copy, "who"));
    assert_non_null(strstr(copy, "{\"digest\": "));
    assert_int_equal(verify(text, NULL, &found, &err), SW_OK);
    assert_int_equal(found.erased_count, 1);
    sw_engine *opened = filed_open_at(f, text, 0);
    filed_assert_same(&f->task, f->rig.engine, opened, false);
    sw_engine_close(opened);
    /* With a digit of a digest changed it is another payload that was erased. */
    char *digit = strstr(copy, "{\"digest\": ") + 20;
    *digit = *digit == '0' ? '1' : '0';
    assert_int_equal(verify((sw_str){copy, text.len}, NULL, &found, &err), SW_EAUDIT);
    assert_non_null(strstr(found.message, "another digest"));
    free(copy);
    void *left = f;
    filed_teardown(&left);
}

/* The payloads of before are in a file of before, as in any copy. */
static void test_exports_are_refused(void **state)
{
    filed *f = *state;
    sw_error err;
    sw_result *out = NULL;
    sw_uuid nobody = {{9}};
    sw_str none = {NULL, 0};
    sw_engine *engine = f->rig.engine;
    assert_int_equal(sw_task_export(engine, &nobody, none, none, &out, &err), SW_ENOTFOUND);
    assert_int_equal(sw_task_export(engine, NULL, none, none, &out, &err), SW_EINVAL);
    assert_int_equal(sw_task_export(NULL, &f->task, none, none, &out, &err), SW_EINVAL);
    assert_int_equal(sw_task_export(engine, &f->task, sw__str("x"), none, &out, &err), SW_EINVAL);
    assert_int_equal(sw_task_export(engine, &f->task, none, sw__str(""), &out, &err), SW_EINVAL);
    assert_int_equal(sw_task_export(engine, &f->task, none, sw__str("/nowhere/f"), &out, &err),
                     SW_ENOTFOUND);
    assert_null(out);
}

/* The file is there whole, or what was there before. */
static void test_a_file_appears_whole(void **state)
{
    filed *f = *state;
    char folder[64], path[96], temporary[112];
    sw_result *out = NULL;
    live_directory_make(folder);
    snprintf(path, sizeof(path), "%s/task.json", folder);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sw_task_export(f->rig.engine, &f->task, (sw_str){NULL, 0}, sw__str(path),
                                        &out, &f->rig.error),
                         SW_OK);
        struct stat about;
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal((size_t)about.st_size, filed_text(out).len);
        assert_int_equal(access(temporary, F_OK), -1);
        sw_result_free(out);
    }
    /* A folder stands where the temporary name should: nothing is written, nothing is lost. */
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(mkdir(temporary, 0700), 0);
    assert_int_not_equal(sw_task_export(f->rig.engine, &f->task, (sw_str){NULL, 0}, sw__str(path),
                                        &out, &f->rig.error),
                         SW_OK);
    assert_null(out);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    live_directory_remove(folder);
}

/* Memory. */

static int export_under(const sw_env *env, void *context)
{
    filed *f = context;
    sw_error err;
    sw_result *out = NULL;
    (void)env;
    int rc =
        sw_task_export(f->rig.engine, &f->task, (sw_str){NULL, 0}, (sw_str){NULL, 0}, &out, &err);
    sw_result_free(out);
    return rc;
}

static int open_under(const sw_env *env, void *context)
{
    filed *f = context;
    sw_error err;
    sw_engine *engine = NULL;
    sw_task_file_options options = SW_TASK_FILE_OPTIONS_INIT;
    options.env = env;
    options.entry_no = 20;
    int rc = sw_task_file_open(&options, filed_text(f->moments[f->count - 1]), &engine, &err);
    sw_engine_close(engine);
    return rc;
}

static void test_out_of_memory(void **state)
{
    filed *f = *state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, open_under, f) > 30);
    assert_int_equal(fault.live, 0);
    for (size_t nth = 1;; nth++) {
        fault_env_arm(&f->rig.fault, nth, false);
        int rc = export_under(NULL, f);
        bool failed = f->rig.fault.failed > 0;
        fault_env_arm(&f->rig.fault, 0, false);
        assert_int_equal(rc, failed ? SW_ENOMEM : SW_OK);
        if (!failed)
            break;
    }
}

/* Texts that are no task files. */

static void assert_broken(const char *text, const char *words)
{
    sw_error err = {0};
    sw_audit_report found;
    int rc = verify(sw__str(text), NULL, &found, &err);
    assert_int_equal(rc, SW_EINVAL);
    assert_int_equal(err.code, SW_EINVAL);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* The text with the first place of `from` replaced. */
static char *replaced(sw_str text, const char *from, const char *to)
{
    char *copy = strndup(text.ptr, text.len);
    char *at = strstr(copy, from);
    if (!at)
        fail_msg("there is no %s", from);
    char *out = malloc(text.len + strlen(to) + 1);
    assert_non_null(out);
    sprintf(out, "%.*s%s%s", (int)(at - copy), copy, to, at + strlen(from));
    free(copy);
    return out;
}

static void test_broken_files_name_the_place(void **state)
{
    static const char *const cases[][3] = {
        {"\"version\": 1", "\"version\": 2", "t.json:2:46: version 2 of the format"},
        {"\"format\": \"stepwell", "\"format\": \"other", "this is no task file"},
        {"\"id\": \"", "\"id\": \"z", "t.json:3:18: this is not the id of a task"},
        {"\"state\": \"succeeded\"", "\"state\": \"gone\"", "there is no state \"gone\""},
        {"\"attempt\": 1", "\"attempt\": \"1\"", "\"attempt\" cannot be text"},
        {"\"attempt\": 1", "\"attempts\": 1", "the key \"attempt\" is missing"},
        {"\"no\": 1,", "\"no\": 1, \"x\": 1,", "there is no key \"x\" here"},
        {"\"no\": 1,", "\"no\": 2,", "these are the bytes of entry 1, not 2"},
        {"\"bytes\": \"", "\"bytes\": \"?", "this is not base64"},
        {"\"root\": \"", "\"root\": \"AAAA", "a hash has 32 bytes, not 35"},
        {"\"salt\": \"", "\"salt\": \"A", "expected 64 hex digits"},
        {"\"name\": \"top\"", "\"name\": \"tip\"", "expected step \"top\""},
        {"\\\"name\\\":\\\"order\\\"", "\\\"name\\\":\\\"Order\\\"", "of another workflow"},
        {"\"version\": \"2\"", "\"version\": \"3\"", "of another workflow or version"},
        {"\"definition\": \"{", "\"definition\": \" {", "is not in its canonical form"},
        {"\"changed_us\": ", "\"changed_us\": -", "is out of range"},
    };
    filed *f = *state;
    sw_str text = filed_text(f->moments[f->count - 1]);
    assert_broken("", "t.json:1:1: ");
    assert_broken("{", "t.json:1:2: ");
    assert_broken("[]", "this is no task file");
    assert_broken("{\"format\": \"stepwell-task-file\"}", "the key \"version\" is missing");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *broken = replaced(text, cases[i][0], cases[i][1]);
        assert_broken(broken, cases[i][2]);
        free(broken);
    }
}

/* The limits of a task file are far away; those of a document are the same code. */
static void test_limits(void **state)
{
    static const struct {
        sw__node_limits limits;
        const char *words;
    } cases[] = {
        {{15, 5, 5}, "the text has 16 bytes, but at most 15 are allowed"},
        {{16, 4, 5}, "more than 4 values in one text"},
        {{16, 5, 4}, "a value of 5 bytes, but at most 4 are allowed"},
        {{16, 5, 5}, ""},
    };
    const sw_str text = SW__LIT("[\"abcde\",1,2,3]\n");
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sw_error err = {0};
        sw__node *root = NULL;
        sw__arena *arena = sw__arena_new(sw_env_system());
        int rc = sw__node_load_json(arena, &cases[i].limits, (sw_str){NULL, 0}, text, &root, &err);
        assert_int_equal(rc, cases[i].words[0] ? SW_ELIMIT : SW_OK);
        assert_non_null(strstr(err.message, cases[i].words));
        sw__arena_free(arena);
    }
}

static void test_arguments(void **state)
{
    filed *f = *state;
    sw_error err;
    sw_str text = filed_text(f->moments[0]);
    sw_engine *engine = NULL;
    sw_audit_report small = {.size = 4};
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_audit_report found = SW_AUDIT_REPORT_INIT;
    sw_task_file_options options = {.size = 4};
    assert_int_equal(sw_task_file_verify(text, text, NULL, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_task_file_verify(text, text, NULL, &small, &err), SW_EINVAL);
    assert_int_equal(sw_task_file_verify(text, text, &trust, &found, &err), SW_EINVAL);
    assert_int_equal(sw_task_file_open(NULL, text, &engine, &err), SW_EINVAL);
    assert_int_equal(sw_task_file_open(&options, text, &engine, &err), SW_EINVAL);
    assert_int_equal(sw_task_file_open(&options, text, NULL, &err), SW_EINVAL);
    size_t count = 1;
    assert_null(sw_task_files(NULL, &count));
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trust_says_the_level, filed_setup, filed_teardown),
        cmocka_unit_test(test_entries_behind_the_checkpoint),
        cmocka_unit_test(test_a_checkpoint_from_before_the_task),
        cmocka_unit_test(test_an_erased_task),
        cmocka_unit_test_setup_teardown(test_exports_are_refused, filed_setup, filed_teardown),
        cmocka_unit_test_setup_teardown(test_a_file_appears_whole, filed_setup, filed_teardown),
        cmocka_unit_test_setup_teardown(test_out_of_memory, filed_setup, filed_teardown),
        cmocka_unit_test_setup_teardown(test_broken_files_name_the_place, filed_setup,
                                        filed_teardown),
        cmocka_unit_test(test_limits),
        cmocka_unit_test_setup_teardown(test_arguments, filed_setup, filed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
