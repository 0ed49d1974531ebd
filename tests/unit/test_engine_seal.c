/* Keys, checkpoints and signed verification through the public interface: arguments, and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell.h"

static const char definition[] =
    "{\"stepwell\": 1, \"name\": \"w\", \"steps\": [{\"name\": \"a\"}]}";

typedef struct sealing {
    char folder[64];
    char path[96];
    sw_engine *engine;
    sw_result *key;
} sealing;

static sw_engine *engine_new(const sw_env *env)
{
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str)SW__LIT("memory:");
    options.env = env;
    assert_int_equal(sw_engine_open(&options, &engine, NULL), SW_OK);
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_workflow *workflow = NULL;
    assert_int_equal(sw_workflow_load(&load, sw__str(definition), &workflow, NULL, NULL), SW_OK);
    assert_int_equal(sw_workflow_register(engine, (const sw_workflow *const *)&workflow, 1, NULL),
                     SW_OK);
    sw_workflow_free(workflow);
    return engine;
}

static int sealing_setup(void **state)
{
    sealing *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    strcpy(s->folder, "/tmp/stepwell-seal-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof(s->path), "%s/key", s->folder);
    assert_int_equal(
        sw_audit_keygen((sw_str)SW__LIT("example.com/w"), sw__str(s->path), &s->key, NULL), SW_OK);
    s->engine = engine_new(NULL);
    *state = s;
    return 0;
}

static int sealing_teardown(void **state)
{
    sealing *s = *state;
    char name[128];
    sw_engine_close(s->engine);
    sw_result_free(s->key);
    unlink(s->path);
    snprintf(name, sizeof(name), "%s.state", s->path);
    unlink(name);
    assert_int_equal(rmdir(s->folder), 0);
    free(s);
    return 0;
}

static void test_sealed_and_verified(void **state)
{
    sealing *s = *state;
    size_t count = 0;
    sw_result *sealed = NULL;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    const sw_audit_key *key = sw_audit_keys(s->key, &count);
    assert_int_equal(count, 1);
    assert_true(sw__str_is(key->name, "example.com/w"));
    assert_int_equal(sw_audit_seal(s->engine, sw__str(s->path), &sealed, NULL), SW_OK);
    const sw_audit_checkpoint *checkpoint = sw_audit_checkpoints(sealed, &count);
    assert_int_equal(count, 1);
    assert_int_equal(checkpoint->entry_count, 1);
    assert_int_equal(checkpoint->entries_new, 1);
    trust.checkpoints = &checkpoint->note;
    trust.checkpoint_count = 1;
    trust.keys = &key->verifier;
    trust.key_count = 1;
    assert_int_equal(sw_audit_verify_signed(s->engine, &trust, &report, NULL), SW_OK);
    assert_int_equal(report.level, SW_AUDIT_SIGNED);
    assert_int_equal(report.signed_count, 1);
    sw_result_free(sealed);
}

static void test_arguments(void **state)
{
    sealing *s = *state;
    sw_error err;
    sw_result *result = NULL;
    sw_str path = sw__str(s->path);
    sw_str none = SW__LIT("");
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    assert_int_equal(sw_audit_seal(s->engine, none, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_seal(s->engine, (sw_str)SW__LIT("a\0b"), &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_seal(NULL, path, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_seal(s->engine, path, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_audit_keygen(none, path, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_keygen((sw_str)SW__LIT("n"), none, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_keygen((sw_str)SW__LIT("n"), path, NULL, &err), SW_EINVAL);
    assert_null(result);
    assert_int_equal(sw_audit_verify_signed(s->engine, NULL, &report, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_signed(s->engine, &trust, &report, &err), SW_EINVAL);
    trust.checkpoints = &none;
    trust.checkpoint_count = 1;
    assert_int_equal(sw_audit_verify_signed(s->engine, &trust, &report, &err), SW_EINVAL);
    trust.keys = &none;
    trust.key_count = 1;
    assert_int_equal(sw_audit_verify_signed(s->engine, &trust, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_signed(s->engine, &trust, &report, &err), SW_EINVAL);
    assert_int_equal(err.row, 0);
}

static void test_arguments_of_proofs_and_exports(void **state)
{
    sealing *s = *state;
    sw_error err;
    sw_result *result = NULL;
    int64_t entry_no = 1;
    sw_str none = SW__LIT("");
    sw_str folder = SW__LIT("/tmp/stepwell-none");
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    assert_int_equal(sw_audit_prove(s->engine, none, NULL, 1, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_prove(s->engine, none, &entry_no, 0, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_prove(s->engine, none, &entry_no, 1 << 20, &result, &err), SW_ELIMIT);
    assert_int_equal(sw_audit_prove(s->engine, none, &entry_no, 1, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_audit_prove(s->engine, none, &entry_no, 1, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_prove_consistency(s->engine, none, none, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_check(&trust, none, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_check(NULL, none, &result, &err), SW_EINVAL);
    assert_int_equal(sw_audit_export(NULL, folder, none, &err), SW_EINVAL);
    assert_int_equal(sw_audit_export(s->engine, none, none, &err), SW_EINVAL);
    assert_int_equal(sw_audit_export(s->engine, folder, none, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_export(folder, NULL, 0, &report, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_export(folder, &trust, 0, &report, &err), SW_EINVAL);
    trust.keys = &sw_audit_keys(s->key, NULL)->verifier;
    trust.key_count = 1;
    assert_int_equal(sw_audit_check(&trust, none, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_audit_check(&trust, none, &result, &err), SW_EAUDIT);
    assert_int_equal(sw_audit_verify_export(none, &trust, 0, &report, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_export(folder, &trust, 0, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_export(folder, &trust, -1, &report, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_export(folder, &trust, SW_AUDIT_JOBS_MAX + 1, &report, &err),
                     SW_EINVAL);
    assert_string_equal(err.message, "jobs must be 0 to 64");
    assert_int_equal(sw_audit_verify_export(folder, &trust, SW_AUDIT_JOBS_MAX, &report, &err),
                     SW_ENOTFOUND);
    assert_int_equal(sw_audit_verify_export(folder, &trust, 0, &report, &err), SW_ENOTFOUND);
    assert_null(result);
}

/* As many threads as are asked for, with checkpoints and without. */
static void test_a_database_by_several(void **state)
{
    sealing *s = *state;
    static const int32_t jobs[] = {0, 1, 2, SW_AUDIT_JOBS_MAX};
    static const int32_t wrong[] = {-1, SW_AUDIT_JOBS_MAX + 1};
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_audit_report other = SW_AUDIT_REPORT_INIT;
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    assert_int_equal(sw_audit_verify(s->engine, &report, &err), SW_OK);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        assert_int_equal(sw_audit_verify_by(s->engine, NULL, jobs[i], &other, &err), SW_OK);
        assert_memory_equal(&other, &report, sizeof(other));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(sw_audit_verify_by(s->engine, NULL, wrong[i], &report, &err), SW_EINVAL);
        assert_string_equal(err.message, "jobs must be 0 to 64");
    }
    assert_int_equal(sw_audit_verify_by(s->engine, &trust, 1, &report, &err), SW_EINVAL);
    assert_int_equal(sw_audit_verify_by(s->engine, NULL, 1, NULL, &err), SW_EINVAL);
}

static void test_memory_fails(void **state)
{
    sealing *s = *state;
    fault_env fault;
    fault_env_init(&fault);
    sw_engine *engine = engine_new(&fault.env);
    for (size_t nth = 1;; nth++) {
        sw_result *result = NULL;
        fault_env_arm(&fault, nth, false);
        int rc = sw_audit_seal(engine, sw__str(s->path), &result, NULL);
        bool failed = fault.failed > 0;
        fault_env_arm(&fault, 0, false);
        assert_int_equal(rc, failed ? SW_ENOMEM : SW_OK);
        sw_result_free(result);
        if (!failed)
            break;
    }
    sw_engine_close(engine);
    assert_int_equal(fault.live, 0);
}

#define SEAL_TEST(name) cmocka_unit_test_setup_teardown(name, sealing_setup, sealing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEAL_TEST(test_sealed_and_verified),
        SEAL_TEST(test_arguments),
        SEAL_TEST(test_arguments_of_proofs_and_exports),
        SEAL_TEST(test_a_database_by_several),
        SEAL_TEST(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
