/* A log that goes from key to key, and keys whose secret only an application has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/note.h"
#include "base/ed25519.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell.h"

#define NOTES_MAX 8

static const char definition[] =
    "{\"stepwell\": 1, \"name\": \"w\", \"steps\": [{\"name\": \"a\"}]}";

typedef struct rotating {
    char folder[64];
    sw_engine *engine;
    sw_str notes[NOTES_MAX]; /* what an auditor keeps */
    size_t note_count;
    sw_str keys[4];
    size_t key_count;
    sw_result *results[2 * NOTES_MAX];
    size_t result_count;
} rotating;

static void *keep(rotating *r, sw_result *result)
{
    assert_true(r->result_count < sizeof(r->results) / sizeof(r->results[0]));
    return r->results[r->result_count++] = result;
}

static void grow(rotating *r)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = SW__LIT("w")};
    assert_int_equal(sw_task_submit(r->engine, &row, 1, &result, NULL), SW_OK);
    sw_result_free(result);
}

static sw_audit_signing signing_of(rotating *r, const char *name, char path[128])
{
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    snprintf(path, 128, "%s/%s", r->folder, name);
    signing.path = sw__str(path);
    return signing;
}

static int rotating_setup(void **state)
{
    char path[128];
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_workflow *workflow = NULL;
    sw_result *key = NULL;
    rotating *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    strcpy(r->folder, "/tmp/stepwell-rotate-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    options.store = (sw_str)SW__LIT("memory:");
    assert_int_equal(sw_engine_open(&options, &r->engine, NULL), SW_OK);
    assert_int_equal(sw_workflow_load(&load, sw__str(definition), &workflow, NULL, NULL), SW_OK);
    assert_int_equal(
        sw_workflow_register(r->engine, (const sw_workflow *const *)&workflow, 1, NULL), SW_OK);
    sw_workflow_free(workflow);
    sw_audit_signing first = signing_of(r, "first", path);
    assert_int_equal(sw_audit_keygen((sw_str)SW__LIT("example.com/w"), first.path, &key, NULL),
                     SW_OK);
    r->keys[r->key_count++] = sw_audit_keys(keep(r, key), NULL)->verifier;
    *state = r;
    return 0;
}

static int rotating_remove(const char *path, const struct stat *about, int flag, struct FTW *walk)
{
    (void)about;
    (void)flag;
    (void)walk;
    return remove(path);
}

static int rotating_teardown(void **state)
{
    rotating *r = *state;
    sw_engine_close(r->engine);
    for (size_t i = 0; i < r->result_count; i++)
        sw_result_free(r->results[i]);
    int rc = nftw(r->folder, rotating_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(r);
    return rc;
}

static int seal(rotating *r, const char *name, sw_error *err)
{
    char path[128];
    sw_result *result = NULL;
    sw_audit_signing signing = signing_of(r, name, path);
    grow(r);
    int rc = sw_audit_seal_with(r->engine, &signing, &result, err);
    if (rc == SW_OK)
        r->notes[r->note_count++] = sw_audit_checkpoints(keep(r, result), NULL)->note;
    return rc;
}

static int rotate(rotating *r, const char *from, const char *to, sw_error *err)
{
    char old_path[128];
    char path[128];
    sw_result *result = NULL;
    sw_audit_signing signing = signing_of(r, from, old_path);
    sw_audit_signing next = signing_of(r, to, path);
    grow(r);
    int rc = sw_audit_rotate(r->engine, &signing, &next, &result, err);
    if (rc < 0)
        return rc;
    keep(r, result);
    assert_non_null(sw_audit_keys(result, NULL));
    r->notes[r->note_count++] = sw_audit_checkpoints(result, NULL)->note;
    return rc;
}

/* With the first key alone, and the notes from..end. */
static int verify(rotating *r, size_t from, sw_audit_report *report)
{
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    *report = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    trust.checkpoints = r->notes + from;
    trust.checkpoint_count = r->note_count - from;
    trust.keys = r->keys;
    trust.key_count = r->key_count;
    return sw_audit_verify_signed(r->engine, &trust, report, NULL);
}

static void assert_error(const sw_error *err, const char *words)
{
    if (!strstr(err->message, words))
        fail_msg("expected \"%s\" in: %s", words, err->message);
}

static void test_from_key_to_key(void **state)
{
    rotating *r = *state;
    sw_audit_report report;
    sw_error err = {0};
    assert_int_equal(seal(r, "first", NULL), SW_OK);
    assert_int_equal(rotate(r, "first", "second", NULL), SW_OK);
    assert_int_equal(seal(r, "second", NULL), SW_OK);
    assert_int_equal(rotate(r, "second", "third", NULL), SW_OK);
    assert_int_equal(seal(r, "third", NULL), SW_OK);
    /* Whoever trusts the first key and has both rotations trusts the third, in any order. */
    assert_int_equal(verify(r, 0, &report), SW_OK);
    assert_int_equal(report.level, SW_AUDIT_SIGNED);
    assert_int_equal(report.signed_count, report.entry_count);
    sw_str last = r->notes[4];
    r->notes[4] = r->notes[1];
    r->notes[1] = last;
    assert_int_equal(verify(r, 0, &report), SW_OK);
    /* Without the second one, nobody knows the third key. */
    r->note_count = 3;
    assert_int_equal(verify(r, 0, &report), SW_EAUDIT);
    assert_non_null(strstr(report.message, "not signed by any of the keys"));
    assert_int_equal(seal(r, "first", &err), SW_ECONFLICT);
    assert_error(&err, "another key has replaced");
    assert_int_equal(rotate(r, "second", "fourth", &err), SW_ECONFLICT);
}

/* The thief of a key that was replaced has its old state: what it signs is refused. */
static void test_a_replaced_key_signs_nothing_longer(void **state)
{
    rotating *r = *state;
    char command[512];
    sw_audit_report report;
    assert_int_equal(seal(r, "first", NULL), SW_OK);
    snprintf(command, sizeof(command), "cp %s/first.state %s/stolen", r->folder, r->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(rotate(r, "first", "second", NULL), SW_OK);
    snprintf(command, sizeof(command), "cp %s/stolen %s/first.state", r->folder, r->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(seal(r, "first", NULL), SW_OK);
    assert_int_equal(verify(r, 2, &report), SW_OK); /* who does not know of the rotation */
    assert_int_equal(verify(r, 0, &report), SW_EAUDIT);
    assert_non_null(strstr(report.message, "another one had replaced"));
    assert_int_equal(report.level, SW_AUDIT_NONE);
}

/* Every bit of a checkpoint that hands over counts, and neither signature can be left out. */
static void test_every_bit_of_a_rotation_counts(void **state)
{
    rotating *r = *state;
    sw_audit_report report;
    assert_int_equal(rotate(r, "first", "second", NULL), SW_OK);
    assert_int_equal(seal(r, "second", NULL), SW_OK);
    assert_int_equal(verify(r, 0, &report), SW_OK);
    sw_str honest = r->notes[0];
    char *copy = malloc(honest.len);
    assert_non_null(copy);
    memcpy(copy, honest.ptr, honest.len);
    r->notes[0].ptr = copy;
    for (size_t bit = 0; bit < honest.len * 8; bit += 3) {
        copy[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(verify(r, 0, &report), SW_EAUDIT);
        copy[bit / 8] ^= (char)(1 << bit % 8);
    }
    char *second = memrchr(copy, '\n', honest.len - 1);
    r->notes[0].len = (size_t)(second - copy) + 1;
    assert_int_equal(verify(r, 0, &report), SW_EAUDIT);
    assert_non_null(strstr(report.message, "a next key that has not signed it"));
    free(copy);
}

static void test_what_cannot_take_over(void **state)
{
    rotating *r = *state;
    char path[128];
    sw_error err = {0};
    sw_result *result = NULL;
    sw_audit_signing other = signing_of(r, "other", path);
    assert_int_equal(
        sw_audit_keygen((sw_str)SW__LIT("example.com/other"), other.path, &result, NULL), SW_OK);
    sw_result_free(result);
    assert_int_equal(rotate(r, "first", "other", &err), SW_ECONFLICT);
    assert_error(&err, "another name");
    assert_int_equal(rotate(r, "first", "first", &err), SW_EBUSY);
    assert_int_equal(rotate(r, "none", "second", &err), SW_ENOTFOUND);
    assert_int_equal(rotate(r, "first", "no/folder/key", &err), SW_ENOTFOUND);
    assert_int_equal(seal(r, "first", NULL), SW_OK);
    assert_int_equal(rotate(r, "first", "second", NULL), SW_OK);
    assert_int_equal(sw_audit_seal_with(r->engine, NULL, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_rotate(r->engine, &other, NULL, &result, &err), SW_EINVAL);
}

/* An application that keeps the secret. */

typedef struct vault {
    uint8_t secret[32];
    int answer; /* instead of signing */
    bool lies;
    int calls;
} vault;

static int vault_sign(void *context, sw_str message, uint8_t signature[64])
{
    vault *v = context;
    v->calls++;
    if (v->answer < 0)
        return v->answer;
    assert_int_equal(sw__ed25519_sign(v->secret, message, signature), SW_OK);
    signature[5] ^= v->lies;
    return 0;
}

static void vault_key(const vault *v, sw__buf *out)
{
    sw__note_signer signer;
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    const sw_str name = SW__LIT("example.com/w");
    assert_int_equal(sw__note_signer_make(hasher, name, v->secret, &signer), SW_OK);
    sw__note_put_key(out, &signer.key);
    sw__hasher_free(hasher);
}

static void test_an_application_signs(void **state)
{
    rotating *r = *state;
    vault v = {.secret = {9}};
    char path[128];
    char old_path[128];
    sw__buf key;
    sw_error err = {0};
    sw_result *result = NULL;
    sw_audit_report report;
    sw_audit_signing signing = signing_of(r, "vault", path);
    sw_audit_signing first = signing_of(r, "first", old_path);
    struct stat about;
    sw__buf_init(&key, sw_env_system());
    vault_key(&v, &key);
    assert_int_equal(sw_audit_enrol(sw__buf_str(&key), signing.path, NULL), SW_OK);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(sw_audit_enrol(sw__buf_str(&key), signing.path, NULL), SW_ECONFLICT);
    /* Nobody signs for it. */
    assert_int_equal(seal(r, "vault", &err), SW_EINVAL);
    assert_error(&err, "the application that has it must sign");
    signing.sign = vault_sign;
    signing.context = &v;
    assert_int_equal(sw_audit_rotate(r->engine, &first, &signing, &result, &err), SW_OK);
    r->notes[r->note_count++] = sw_audit_checkpoints(keep(r, result), NULL)->note;
    assert_int_equal(v.calls, 1);
    grow(r);
    v.answer = SW_EIO;
    assert_int_equal(sw_audit_seal_with(r->engine, &signing, &result, &err), SW_EIO);
    assert_error(&err, "did not sign");
    v.answer = 0;
    v.lies = true;
    assert_int_equal(sw_audit_seal_with(r->engine, &signing, &result, &err), SW_EINVAL);
    assert_error(&err, "is not good by the key");
    v.lies = false;
    assert_int_equal(sw_audit_seal_with(r->engine, &signing, &result, &err), SW_OK);
    r->notes[r->note_count++] = sw_audit_checkpoints(keep(r, result), NULL)->note;
    assert_int_equal(verify(r, 0, &report), SW_OK);
    assert_int_equal(report.signed_count, report.entry_count);
    sw__buf_free(&key);
}

static void test_keys_that_cannot_be_enrolled(void **state)
{
    rotating *r = *state;
    char path[128];
    sw_audit_signing signing = signing_of(r, "vault", path);
    sw_error err = {0};
    assert_int_equal(sw_audit_enrol((sw_str)SW__LIT("x"), signing.path, &err), SW_EINVAL);
    assert_error(&err, "no verifier key");
    /* A witness's key does not sign logs. */
    assert_int_equal(
        sw_audit_enrol(
            sw__str("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"),
            signing.path, &err),
        SW_EINVAL);
    assert_error(&err, "of a log");
    assert_int_equal(sw_audit_enrol(r->keys[0], (sw_str)SW__LIT(""), &err), SW_EINVAL);
}

#define ROTATION_TEST(name) cmocka_unit_test_setup_teardown(name, rotating_setup, rotating_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROTATION_TEST(test_from_key_to_key),
        ROTATION_TEST(test_a_replaced_key_signs_nothing_longer),
        ROTATION_TEST(test_every_bit_of_a_rotation_counts),
        ROTATION_TEST(test_what_cannot_take_over),
        ROTATION_TEST(test_an_application_signs),
        ROTATION_TEST(test_keys_that_cannot_be_enrolled),
    };
    return cmocka_run_group_tests_name("audit_rotation", tests, NULL, NULL);
}
