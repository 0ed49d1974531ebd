/* Control reports of an engine and of its export: equal bytes, hostile names, what is refused,
 * signatures, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/control.h"
#include "base/str.h"
#include "helper/rig.h"

#define DEFINITION "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}"
#define HOSTILE "<script>alert(1)</script>\"'&|`*_[x](y)\n# \xe2\x80\xae\xff"

typedef struct reported {
    rig r;
    char folder[64];
    char key_path[96];
    char export_path[96];
    sw_result *key;
    sw_result *sealed;
    sw_audit_trust trust;
} reported;

static void reported_submit(reported *p, sw_str initiator)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {
        .workflow = SW__LIT("w"), .initiator = initiator, .input = SW__LIT("{}")};
    assert_int_equal(sw_task_submit(p->r.engine, &row, 1, &result, NULL), SW_OK);
    sw_cancel_row cancel = {.task_id = sw_task_submissions(result, NULL)->task_id,
                            .actor = SW__LIT("ann|<b>"),
                            .reason = SW__LIT("<img src=x>")};
    sw_result_free(result);
    assert_int_equal(sw_task_cancel(p->r.engine, &cancel, 1, NULL), SW_OK);
}

static void reported_seal(reported *p)
{
    sw_result_free(p->sealed);
    assert_int_equal(sw_audit_seal(p->r.engine, sw__str(p->key_path), &p->sealed, NULL), SW_OK);
    p->trust.checkpoints = &sw_audit_checkpoints(p->sealed, NULL)->note;
    assert_int_equal(
        sw_audit_export(p->r.engine, sw__str(p->export_path), p->trust.checkpoints[0], NULL),
        SW_OK);
}

static int reported_setup(void **state)
{
    reported *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    rig_open(&p->r, "memory:", DEFINITION);
    strcpy(p->folder, "/tmp/stepwell-control-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->key_path, sizeof(p->key_path), "%s/key", p->folder);
    snprintf(p->export_path, sizeof(p->export_path), "%s/export", p->folder);
    assert_int_equal(
        sw_audit_keygen((sw_str)SW__LIT("example.com/w"), sw__str(p->key_path), &p->key, NULL),
        SW_OK);
    reported_submit(p, (sw_str)SW__LIT("bea"));
    p->trust = (sw_audit_trust)SW_AUDIT_TRUST_INIT;
    p->trust.keys = &sw_audit_keys(p->key, NULL)->verifier;
    p->trust.key_count = 1;
    p->trust.checkpoint_count = 1;
    reported_seal(p);
    *state = p;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static int reported_teardown(void **state)
{
    reported *p = *state;
    sw_result_free(p->sealed);
    sw_result_free(p->key);
    rig_close(&p->r);
    assert_int_equal(nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(p);
    return 0;
}

static sw_control_options options_of(int format)
{
    sw_control_options options = SW_CONTROL_OPTIONS_INIT;
    options.format = format;
    return options;
}

/* From the database; the export says the same, byte for byte. */
static sw_result *report(reported *p, const sw_control_options *options)
{
    sw_result *result = NULL;
    sw_result *exported = NULL;
    sw_audit_trust trust = p->trust;
    assert_int_equal(sw_control_report(p->r.engine, &p->trust, options, &result, NULL), SW_OK);
    trust.checkpoint_count = 0;
    assert_int_equal(
        sw_control_report_export(sw__str(p->export_path), &trust, options, &exported, NULL), SW_OK);
    assert_true(sw__str_equal(sw_control_summaries(result, NULL)->text,
                              sw_control_summaries(exported, NULL)->text));
    sw_result_free(exported);
    return result;
}

static int answer(const sw_result *result, int standard, const char *id)
{
    size_t count = 0;
    const sw_control_row *rows = sw_control_rows(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].control->standard == standard && sw__str_is(rows[i].control->id, id))
            return rows[i].answer;
    }
    return -1;
}

static void test_what_a_report_says(void **state)
{
    reported *p = *state;
    size_t count = 0;
    sw_control_options options = options_of(SW_CONTROL_JSON);
    sw_result *result = report(p, &options);
    const sw_control_summary *summary = sw_control_summaries(result, &count);
    assert_int_equal(count, 1);
    assert_true(sw__str_is(summary->origin, "example.com/w"));
    assert_int_equal(summary->entry_count, sw_audit_checkpoints(p->sealed, NULL)->entry_count);
    assert_int_equal(summary->window_count, summary->entry_count);
    assert_int_equal(summary->level, SW_AUDIT_SIGNED);
    const sw_evidence_row *evidence = sw_evidence_rows(result, &count);
    assert_int_equal(count, SW_EVIDENCE_COUNT);
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++)
        assert_int_equal(evidence[kind].evidence, kind);
    assert_int_equal(answer(result, SW_STANDARD_PCI, "10.2.1.2"), SW_ANSWER_FOUND);
    assert_int_equal(answer(result, SW_STANDARD_PCI, "10.2.1.1"), SW_ANSWER_NOT_APPLICABLE);
    assert_int_equal(answer(result, SW_STANDARD_PCI, "10.3.4"), SW_ANSWER_NOT_FOUND);
    assert_int_equal(answer(result, SW_STANDARD_GDPR, "17"), SW_ANSWER_NOT_APPLICABLE);
    sw_control_list(&count);
    assert_int_equal(summary->found + summary->not_found + summary->not_applicable, count);
    sw_result_free(result);
}

/* An entry without a name of who asked speaks against it. */
static void test_a_task_that_nobody_asked_for(void **state)
{
    reported *p = *state;
    sw_control_options options = options_of(SW_CONTROL_MARKDOWN);
    reported_submit(p, (sw_str){NULL, 0});
    reported_seal(p);
    sw_result *result = report(p, &options);
    const sw_evidence_row *row = &sw_evidence_rows(result, NULL)[SW_EVIDENCE_REQUESTS];
    assert_int_equal(row->answer, SW_ANSWER_NOT_FOUND);
    assert_int_equal(row->entry_count, 1);
    assert_int_equal(row->against_count, 1);
    assert_int_equal(answer(result, SW_STANDARD_SOC2, "CC6.1"), SW_ANSWER_NOT_FOUND);
    sw_result_free(result);
}

static void test_a_standard_and_a_time(void **state)
{
    reported *p = *state;
    size_t count = 0;
    sw_control_options options = options_of(SW_CONTROL_HTML);
    options.standards = INT64_C(1) << SW_STANDARD_HIPAA;
    options.before_us = 1;
    sw_result *result = report(p, &options);
    const sw_control_row *rows = sw_control_rows(result, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].control->standard, SW_STANDARD_HIPAA);
    assert_int_equal(sw_control_summaries(result, NULL)->window_count, 0);
    assert_int_equal(answer(result, SW_STANDARD_HIPAA, "164.312(b)"), SW_ANSWER_NOT_FOUND);
    sw_result_free(result);
}

static void assert_lacks(sw_str text, const char *part)
{
    if (memmem(text.ptr, text.len, part, strlen(part)))
        fail_msg("the report holds %s", part);
}

/* Names come from strangers; and no rendering says what only auditors can. */
static void test_hostile_names(void **state)
{
    reported *p = *state;
    static const char *const never[SW_CONTROL_FORMAT_COUNT][8] = {
        {"complian", "Complian", "\xff"},
        {"complian", "Complian", "\xff", "<script", "ann|", "](y)", "\n# \xe2", "\xe2\x80\xae"},
        {"complian", "Complian", "\xff", "<script", "<b>", "\"'", "://", "\xe2\x80\xae"},
    };
    sw_audit_entry hostile = {.kind = SW_AUDIT_TASK_SUBMITTED,
                              .entry_no = 1,
                              .step = SW__LIT(HOSTILE),
                              .actor = SW__LIT(HOSTILE),
                              .reason = SW__LIT("ann|<b>")};
    sw__arena *arena = sw__arena_new(sw_env_system());
    for (int format = 0; format < SW_CONTROL_FORMAT_COUNT; format++) {
        sw__buf text;
        sw__evidence evidence;
        sw__control_note note = {.text = SW__LIT("example.com/w\n1\nAAAA\n\nsigned\n")};
        sw__control_base base = {.notes = &note, .count = 1, .named = &note};
        sw_control_options options = options_of(format);
        sw_control_summary summary = {.origin = SW__LIT(HOSTILE)};
        sw_audit_proof proof = {.entry = hostile, .text = SW__LIT("head\nx\n\nnote\n")};
        sw__control_page page = {.options = &options,
                                 .base = &base,
                                 .evidence = &evidence,
                                 .summary = &summary,
                                 .proofs = &proof,
                                 .proof_count = 1};
        sw__buf_init(&text, sw_env_system());
        sw__evidence_init(&evidence, &options, &base, arena);
        sw__evidence_end(&evidence);
        sw__control_put(&text, &page);
        assert_false(text.failed);
        for (size_t i = 0; i < 8 && never[format][i]; i++)
            assert_lacks(sw__buf_str(&text), never[format][i]);
        sw__evidence_free(&evidence);
        sw__buf_free(&text);
    }
    sw__arena_free(arena);
    for (int format = 0; format < SW_CONTROL_FORMAT_COUNT; format++) {
        sw_control_options options = options_of(format);
        sw_result *result = report(p, &options);
        assert_lacks(sw_control_summaries(result, NULL)->text, "complian");
        assert_lacks(sw_control_summaries(result, NULL)->text, "Complian");
        sw_result_free(result);
    }
}

static void refuse(reported *p, const sw_audit_trust *trust, const sw_control_options *options)
{
    sw_result *result = NULL;
    assert_int_equal(sw_control_report(p->r.engine, trust, options, &result, NULL), SW_EINVAL);
    assert_null(result);
    assert_int_equal(
        sw_control_report_export(sw__str(p->export_path), trust, options, &result, NULL),
        SW_EINVAL);
    assert_null(result);
}

static void test_refused(void **state)
{
    reported *p = *state;
    sw_result *result = NULL;
    sw_control_options good = options_of(SW_CONTROL_JSON);
    sw_control_options bad = options_of(SW_CONTROL_FORMAT_COUNT);
    refuse(p, &p->trust, &bad);
    bad = options_of(-1);
    refuse(p, &p->trust, &bad);
    bad = good;
    bad.size = 4;
    refuse(p, &p->trust, &bad);
    refuse(p, &p->trust, NULL);
    refuse(p, NULL, &good);
    bad = good;
    bad.standards = INT64_C(1) << SW_STANDARD_COUNT;
    refuse(p, &p->trust, &bad);
    bad.standards = -1;
    refuse(p, &p->trust, &bad);
    bad = good;
    bad.after_us = -1;
    refuse(p, &p->trust, &bad);
    bad.after_us = 0;
    bad.before_us = -1;
    refuse(p, &p->trust, &bad);
    sw_audit_trust trust = p->trust;
    trust.checkpoint_count = 0;
    assert_int_equal(sw_control_report(p->r.engine, &trust, &good, &result, NULL), SW_EINVAL);
    trust.key_count = 0;
    refuse(p, &trust, &good);
    assert_int_equal(sw_control_report(p->r.engine, &p->trust, &good, NULL, NULL), SW_EINVAL);
    assert_int_equal(sw_control_report(NULL, &p->trust, &good, &result, NULL), SW_EINVAL);
    assert_int_equal(
        sw_control_report_export(sw__str(p->export_path), &p->trust, &good, NULL, NULL), SW_EINVAL);
    assert_int_equal(sw_control_report_export((sw_str)SW__LIT(""), &p->trust, &good, &result, NULL),
                     SW_EINVAL);
    assert_int_equal(
        sw_control_report_export((sw_str)SW__LIT("/no/folder"), &p->trust, &good, &result, NULL),
        SW_ENOTFOUND);
    assert_null(result);
}

/* Of a log that does not verify nothing is said. */
static void test_a_log_that_does_not_verify(void **state)
{
    char path[160];
    reported *p = *state;
    sw_result *result = NULL;
    sw_control_options options = options_of(SW_CONTROL_JSON);
    char forged[512];
    sw_str note = p->trust.checkpoints[0];
    memcpy(forged, note.ptr, note.len);
    forged[0] = 'E';
    sw_audit_trust trust = p->trust;
    note.ptr = forged;
    trust.checkpoints = &note;
    assert_int_equal(sw_control_report(p->r.engine, &trust, &options, &result, NULL), SW_EAUDIT);
    assert_null(result);
    snprintf(path, sizeof(path), "%s/tile/entries/000.p/%lld", p->export_path,
             (long long)sw_audit_checkpoints(p->sealed, NULL)->entry_count);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 40, SEEK_SET), 0);
    assert_int_equal(fputc('!', file), '!');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(
        sw_control_report_export(sw__str(p->export_path), &p->trust, &options, &result, NULL),
        SW_EAUDIT);
    assert_null(result);
}

static void test_the_newest_checkpoint_is_spoken_of(void **state)
{
    reported *p = *state;
    sw_result *older = p->sealed;
    sw_result *result = NULL;
    sw_control_options options = options_of(SW_CONTROL_JSON);
    p->sealed = NULL;
    reported_submit(p, (sw_str)SW__LIT("cid"));
    reported_seal(p);
    const sw_audit_checkpoint *newest = sw_audit_checkpoints(p->sealed, NULL);
    const sw_str both[] = {newest->note, sw_audit_checkpoints(older, NULL)->note, newest->note};
    const sw_audit_anchor anchor = {
        .place = SW__LIT("file:x"), .note = sw_audit_checkpoints(older, NULL)->note, .time_us = 5};
    sw_audit_trust trust = p->trust;
    trust.checkpoints = both;
    trust.checkpoint_count = 3;
    trust.anchors = &anchor;
    trust.anchor_count = 1;
    assert_int_equal(sw_control_report(p->r.engine, &trust, &options, &result, NULL), SW_OK);
    const sw_control_summary *summary = sw_control_summaries(result, NULL);
    assert_int_equal(summary->entry_count, newest->entry_count);
    assert_int_equal(summary->level, SW_AUDIT_ANCHORED);
    const sw_evidence_row *row = &sw_evidence_rows(result, NULL)[SW_EVIDENCE_ANCHORED];
    assert_int_equal(row->answer, SW_ANSWER_NOT_FOUND);
    assert_int_equal(row->entry_count, sw_audit_checkpoints(older, NULL)->entry_count);
    row = &sw_evidence_rows(result, NULL)[SW_EVIDENCE_CLOCK];
    assert_int_equal(row->answer, SW_ANSWER_NOT_FOUND); /* it is older than what it covers */
    sw_result_free(result);
    sw_result_free(older);
}

/* Signatures. */

static int check(reported *p, sw_str text, sw_str note, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_control_check(p->trust.keys, 1, text, note, &result, err);
    if (rc == SW_OK)
        assert_true(sw__str_is(sw_control_signatures(result, NULL)->name, "example.com/w"));
    sw_result_free(result);
    return rc;
}

static void test_a_signature_is_of_one_text(void **state)
{
    reported *p = *state;
    sw_error err;
    sw_result *result = NULL;
    sw_str text = SW__LIT("a report");
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    signing.path = sw__str(p->key_path);
    assert_int_equal(sw_control_sign(&signing, text, &result, NULL), SW_OK);
    sw_str note = sw_control_signatures(result, NULL)->note;
    assert_int_equal(check(p, text, note, NULL), SW_OK);
    assert_int_equal(check(p, (sw_str)SW__LIT("a Report"), note, &err), SW_EAUDIT);
    assert_non_null(strstr(err.message, "edited"));
    assert_int_equal(check(p, text, p->trust.checkpoints[0], &err), SW_EAUDIT);
    assert_int_equal(check(p, text, (sw_str){note.ptr, note.len - 9}, NULL), SW_EAUDIT);
    assert_int_equal(check(p, text, (sw_str){NULL, 0}, NULL), SW_EAUDIT);
    sw__checkpoint checkpoint;
    assert_false(sw__checkpoint_peek(note, &checkpoint)); /* and never a checkpoint */
    sw_result_free(result);
    result = NULL;
    assert_int_equal(sw_control_check(&text, 1, text, note, &result, &err), SW_EINVAL);
    assert_int_equal(err.row, 0);
    assert_int_equal(sw_control_check(&text, 0, text, note, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_control_check(NULL, 1, text, note, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_control_check(&text, 1, text, note, NULL, NULL), SW_EINVAL);
    assert_int_equal(sw_control_sign(&signing, text, NULL, NULL), SW_EINVAL);
    assert_int_equal(sw_control_sign(NULL, text, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_control_sign(&signing, (sw_str){NULL, 0}, &result, NULL), SW_EINVAL);
    signing.path = (sw_str)SW__LIT("/no/key");
    assert_int_equal(sw_control_sign(&signing, text, &result, NULL), SW_ENOTFOUND);
    signing.path = (sw_str)SW__LIT("");
    assert_int_equal(sw_control_sign(&signing, text, &result, NULL), SW_EINVAL);
    signing.size = 0;
    assert_int_equal(sw_control_sign(&signing, text, &result, NULL), SW_EINVAL);
    assert_null(result);
}

/* Memory. */

static int make_from_engine(const sw_env *env, void *context)
{
    reported *p = context;
    sw_result *result = NULL;
    sw_control_options options = options_of(SW_CONTROL_HTML);
    (void)env;
    int rc = sw_control_report(p->r.engine, &p->trust, &options, &result, NULL);
    sw_result_free(result);
    return rc;
}

static int make_from_export(const sw_env *env, void *context)
{
    reported *p = context;
    int rc = SW_ENOMEM;
    sw_control_options options = options_of(SW_CONTROL_MARKDOWN);
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    sw_result *result = sw__result_new(env);
    sw__hasher *hasher = result ? sw__hasher_new(env) : NULL;
    if (hasher)
        rc = sw__control_make_export(p->export_path, hasher, &p->trust, &options, result, NULL);
    if (rc == SW_OK)
        rc = sw__control_sign(p->key_path, hasher, &signing,
                              sw_control_summaries(result, NULL)->text, result, NULL);
    if (rc == SW_OK)
        rc = sw__control_check(p->trust.keys, 1, hasher, sw_control_summaries(result, NULL)->text,
                               sw_control_signatures(result, NULL)->note, result, NULL);
    sw__hasher_free(hasher);
    sw_result_free(result);
    return rc;
}

/* The engine keeps memory between calls: only what it answers is looked at. */
static void test_the_engine_without_memory(void **state)
{
    reported *p = *state;
    size_t tried = 0;
    for (bool for_ever = false;; for_ever = true) {
        for (size_t nth = 1;; nth++) {
            fault_env_arm(&p->r.fault, nth, for_ever);
            int rc = make_from_engine(NULL, p);
            bool failed = p->r.fault.failed > 0;
            fault_env_arm(&p->r.fault, 0, false);
            assert_int_equal(rc, failed ? SW_ENOMEM : SW_OK);
            if (!failed)
                break;
            tried++;
        }
        if (for_ever)
            break;
    }
    assert_true(tried > 20);
}

static void test_an_export_without_memory(void **state)
{
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, make_from_export, *state) > 20);
}

#define REPORTED(name) cmocka_unit_test_setup_teardown(name, reported_setup, reported_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPORTED(test_what_a_report_says),
        REPORTED(test_a_task_that_nobody_asked_for),
        REPORTED(test_a_standard_and_a_time),
        REPORTED(test_hostile_names),
        REPORTED(test_refused),
        REPORTED(test_a_log_that_does_not_verify),
        REPORTED(test_the_newest_checkpoint_is_spoken_of),
        REPORTED(test_a_signature_is_of_one_text),
        REPORTED(test_the_engine_without_memory),
        REPORTED(test_an_export_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
