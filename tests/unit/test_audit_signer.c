/* Who signs, what it refuses to sign, and verification with what was signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/signer.h"
#include "audit/leaves.h"
#include "base/file.h"
#include "base/str.h"
#include "helper/audit_log.h"
#include "helper/fault_env.h"

#define NOTES_MAX 8

/* A log, a folder with a key, and the checkpoints that were signed. */
typedef struct signing {
    audit_log log;
    char folder[64];
    char path[96];
    char state_path[112];
    sw__buf key; /* the verifier key */
    char *notes[NOTES_MAX];
    size_t note_count;
} signing;

static int signing_setup(void **state)
{
    signing *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    audit_log_open(&s->log, AUDIT_LOG_DIAMOND);
    strcpy(s->folder, "/tmp/stepwell-signer-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof(s->path), "%s/key", s->folder);
    snprintf(s->state_path, sizeof(s->state_path), "%s/key.state", s->folder);
    sw__buf_init(&s->key, sw_env_system());
    assert_int_equal(sw__signer_create(sw_env_system(), s->log.hasher,
                                       (sw_str)SW__LIT("example.com/orders"), s->path, &s->key,
                                       NULL),
                     SW_OK);
    *state = s;
    return 0;
}

static int signing_teardown(void **state)
{
    signing *s = *state;
    for (size_t i = 0; i < s->note_count; i++)
        free(s->notes[i]);
    sw__buf_free(&s->key);
    unlink(s->path);
    unlink(s->state_path);
    assert_int_equal(rmdir(s->folder), 0);
    audit_log_close(&s->log);
    free(s);
    return 0;
}

static int seal_with(signing *s, const sw_env *env, int64_t *size, sw_error *err)
{
    sw__signer signer;
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    int rc = sw__signer_open(&signer, env, hasher, s->path, (sw__signer_call){0}, err);
    if (rc == SW_OK) {
        assert_int_equal(s->log.store->ops->begin(s->log.store, false, NULL), SW_OK);
        rc = sw__signer_follow(&signer, s->log.store, err);
        s->log.store->ops->rollback(s->log.store);
    }
    if (rc == SW_OK)
        rc = sw__signer_sign(&signer, err);
    if (rc == SW_OK && size) {
        *size = signer.tree.size;
        assert_true(s->note_count < NOTES_MAX);
        s->notes[s->note_count++] = strndup((const char *)signer.note.ptr, signer.note.len);
    }
    sw__signer_close(&signer);
    sw__hasher_free(hasher);
    return rc;
}

static int64_t seal(signing *s)
{
    int64_t size = 0;
    sw_error err;
    if (seal_with(s, sw_env_system(), &size, &err) != SW_OK)
        fail_msg("%s", err.message);
    return size;
}

static void assert_refused(signing *s, int code, const char *words)
{
    sw_error err;
    assert_int_equal(seal_with(s, sw_env_system(), NULL, &err), code);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" lacks \"%s\"", err.message, words);
}

/* Verification with all checkpoints. */
static int verify_with(signing *s, const sw_env *env, sw_audit_report *report)
{
    sw_str notes[NOTES_MAX];
    sw_str key = sw__buf_str(&s->key);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    *report = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    for (size_t i = 0; i < s->note_count; i++)
        notes[i] = sw__str(s->notes[i]);
    trust.checkpoints = notes;
    trust.checkpoint_count = s->note_count;
    trust.keys = &key;
    trust.key_count = 1;
    assert_int_equal(s->log.store->ops->begin(s->log.store, false, NULL), SW_OK);
    int rc = sw__audit_verify(s->log.store, s->log.hasher, env, &trust, 1, report, NULL);
    s->log.store->ops->rollback(s->log.store);
    return rc;
}

static int verify(signing *s, sw_audit_report *report)
{
    return verify_with(s, sw_env_system(), report);
}

static void assert_found(signing *s, const char *words, int64_t first, int64_t last)
{
    sw_audit_report report;
    assert_int_equal(verify(s, &report), SW_EAUDIT);
    if (!strstr(report.message, words))
        fail_msg("\"%s\" lacks \"%s\"", report.message, words);
    assert_int_equal(report.level, SW_AUDIT_NONE);
    assert_int_equal(report.first_bad_entry, first);
    assert_int_equal(report.last_bad_entry, last);
}

static void test_sealing_follows_the_log(void **state)
{
    signing *s = *state;
    sw_audit_report report;
    assert_int_equal(seal(s), 2);
    audit_log_run(&s->log);
    int64_t first = seal(s);
    assert_int_equal(first, 16);
    assert_int_equal(seal(s), first);
    assert_string_equal(s->notes[1], s->notes[2]);
    audit_log_play(&s->log, 4);
    int64_t second = seal(s);
    assert_true(second > first);
    audit_log_run(&s->log);
    assert_int_equal(verify(s, &report), SW_OK);
    assert_int_equal(report.level, SW_AUDIT_SIGNED);
    assert_int_equal(report.signed_count, second);
    assert_true(report.entry_count > second);
    assert_non_null(strstr(report.message, "are those of 4 checkpoints, "));
    assert_non_null(strstr(report.message, " after them not signed yet; integrity (L1): "));
    assert_int_equal(strlen(report.root), 64);
}

/* Sealing bit by bit gives the checkpoint that a fresh key gives at the end. */
static void test_the_tree_is_that_of_the_whole_log(void **state)
{
    signing *s = *state;
    for (int i = 0; i < 5; i++) {
        audit_log_play(&s->log, 1);
        seal(s);
    }
    sw_audit_report report;
    sw__tree tree = {0};
    uint8_t root[32];
    char text[65];
    sw__leaves leaves = {.tree = &tree, .hasher = s->log.hasher};
    assert_int_equal(s->log.store->ops->begin(s->log.store, false, NULL), SW_OK);
    assert_int_equal(sw__leaves_walk(&leaves, s->log.store, NULL), SW_OK);
    s->log.store->ops->rollback(s->log.store);
    assert_int_equal(sw__tree_root(&tree, s->log.hasher, root), SW_OK);
    sw__hash_hex(root, text);
    assert_int_equal(verify(s, &report), SW_OK);
    assert_string_equal(report.root, text);
    assert_int_equal(report.signed_count, report.entry_count);
}

static bool edit_actor(sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_TASK_CHANGED)
        entry->reason = (sw_str)SW__LIT("as told");
    return true;
}

/* Everything after the change is recomputed, and no row contradicts it: only the key holds. */
static void test_a_recomputed_chain(void **state)
{
    signing *s = *state;
    audit_log_run(&s->log);
    int64_t first = seal(s);
    audit_log_run(&s->log);
    int64_t second = seal(s);
    audit_log_attack(&s->log);
    size_t at = s->log.segment_count - 1;
    audit_log_edit(&s->log, at, edit_actor);
    audit_log_rehash(&s->log, at);
    sw_audit_report report;
    assert_int_equal(audit_log_verify(&s->log, &report), SW_OK);
    assert_found(s, "they were rewritten", first + 1, second);
    assert_refused(s, SW_EAUDIT, "entries were rewritten");
    assert_int_equal(verify(s, &report), SW_EAUDIT);
    assert_int_equal(report.signed_count, first);
}

static void test_a_tail_that_is_cut_off(void **state)
{
    signing *s = *state;
    audit_log_run(&s->log);
    int64_t size = seal(s);
    audit_log_attack(&s->log);
    for (size_t count = s->log.segment_count; count-- > 0;) {
        s->log.segment_count = count;
        const sw__segment *end = &s->log.segments[count];
        assert_found(s, "its end was cut off", end->entry_first, size);
        assert_refused(s, SW_EAUDIT, "the log holds fewer");
    }
}

/* The copy is honest in itself; that it is old, only a checkpoint shows. */
static void test_an_older_copy(void **state)
{
    signing *s = *state;
    audit_log old;
    sw_audit_report report;
    audit_log_play(&s->log, 3);
    seal(s);
    audit_log_open(&old, AUDIT_LOG_DIAMOND);
    audit_log_play(&old, 1);
    audit_log newer = s->log;
    s->log = old;
    assert_int_equal(audit_log_verify(&s->log, &report), SW_OK);
    assert_int_equal(verify(s, &report), SW_EAUDIT);
    assert_int_equal(seal_with(s, sw_env_system(), NULL, NULL), SW_EAUDIT);
    s->log = newer;
    audit_log_close(&old);
}

static void test_an_edit_before_the_signature_is_found_by_the_chain(void **state)
{
    signing *s = *state;
    audit_log_run(&s->log);
    seal(s);
    audit_log_attack(&s->log);
    ((char *)(uintptr_t)s->log.segments[3].body.ptr)[s->log.segments[3].body.len - 1] ^= 1;
    assert_found(s, "was edited", s->log.segments[3].entry_first,
                 s->log.segments[3].entry_first + s->log.segments[3].entry_count - 1);
}

/* A new segment that was edited is not signed. */
static void test_a_broken_chain_is_not_signed(void **state)
{
    signing *s = *state;
    audit_log_run(&s->log);
    seal(s);
    audit_log_run(&s->log);
    audit_log_attack(&s->log);
    sw__segment *last = &s->log.segments[s->log.segment_count - 1];
    last->time_us++;
    assert_refused(s, SW_EAUDIT, "was edited");
    last->time_us--;
    last->previous[0] ^= 1;
    audit_log_rehash(&s->log, s->log.segment_count);
    assert_refused(s, SW_EAUDIT, "segment");
}

static void test_checkpoints_that_are_not_to_be_trusted(void **state)
{
    signing *s = *state;
    sw_audit_report report;
    audit_log_run(&s->log);
    seal(s);
    s->notes[0][0] = 'E';
    assert_found(s, "its signature is not good", 0, 0);
    s->notes[0][0] = 'e';
    assert_int_equal(verify(s, &report), SW_OK);
    sw__buf_clear(&s->key);
    sw__buf_put_text(&s->key, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    assert_found(s, "not signed by any of the keys", 0, 0);
    sw__buf_put_text(&s->key, "x");
    assert_int_equal(verify(s, &report), SW_EINVAL);
}

/* The key's files. */

static void test_files_are_private_and_stay(void **state)
{
    signing *s = *state;
    struct stat about;
    sw_error err;
    sw__buf key;
    sw__buf_init(&key, sw_env_system());
    assert_int_equal(stat(s->path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(stat(s->state_path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    sw_str name = SW__LIT("example.com/orders");
    assert_int_equal(sw__signer_create(sw_env_system(), s->log.hasher, name, s->path, &key, &err),
                     SW_ECONFLICT);
    unlink(s->state_path);
    assert_int_equal(sw__signer_create(sw_env_system(), s->log.hasher, name, s->path, &key, &err),
                     SW_ECONFLICT);
    assert_int_equal(access(s->state_path, F_OK), -1);
    assert_refused(s, SW_ENOTFOUND, "cannot sign without");
    assert_int_equal(sw__signer_create(sw_env_system(), s->log.hasher, (sw_str)SW__LIT("a b"),
                                       s->path, &key, &err),
                     SW_EINVAL);
    assert_int_equal(
        sw__signer_create(sw_env_system(), s->log.hasher, name, "/nowhere/key", &key, &err),
        SW_ENOTFOUND);
    sw__buf_free(&key);
}

static void test_a_key_that_others_may_read(void **state)
{
    signing *s = *state;
    assert_int_equal(chmod(s->path, 0640), 0);
    assert_refused(s, SW_EACCESS, "chmod 600");
}

static void test_one_process_signs_at_a_time(void **state)
{
    signing *s = *state;
    FILE *file = fopen(s->path, "r");
    assert_non_null(file);
    assert_int_equal(flock(fileno(file), LOCK_EX), 0);
    assert_refused(s, SW_EBUSY, "another process");
    fclose(file);
    seal(s);
}

static void test_a_file_that_is_no_key(void **state)
{
    signing *s = *state;
    FILE *file = fopen(s->path, "r+");
    assert_non_null(file);
    fputc('p', file);
    fclose(file);
    assert_refused(s, SW_EINVAL, "holds no key to sign with");
    unlink(s->path);
    assert_refused(s, SW_ENOTFOUND, "cannot open");
}

static void state_write(const signing *s, const void *bytes, size_t size)
{
    FILE *file = fopen(s->state_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* No bit of the state can be changed (every seventh is tried), and no
 * beginning of it passes for the whole. */
static void test_every_bit_of_the_state_counts(void **state)
{
    signing *s = *state;
    sw__buf text;
    audit_log_run(&s->log);
    seal(s);
    sw__buf_init(&text, sw_env_system());
    assert_int_equal(sw__file_read(s->state_path, 65536, &text, NULL), SW_OK);
    for (size_t bit = 0; bit < text.len * 8; bit += 7) {
        text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        state_write(s, text.ptr, text.len);
        int rc = seal_with(s, sw_env_system(), NULL, NULL);
        assert_true(rc == SW_ECORRUPT || rc == SW_EAUDIT);
        text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < text.len; len += 5) {
        state_write(s, text.ptr, len);
        assert_refused(s, SW_ECORRUPT, "was changed");
    }
    state_write(s, text.ptr, text.len);
    seal(s);
    sw__buf_free(&text);
}

static int seal_without_memory(const sw_env *env, void *context)
{
    signing *s = context;
    return seal_with(s, env, NULL, NULL);
}

static int verify_without_memory(const sw_env *env, void *context)
{
    sw_audit_report report;
    return verify_with(context, env, &report);
}

static void test_memory_fails(void **state)
{
    signing *s = *state;
    fault_env fault;
    audit_log_run(&s->log);
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, seal_without_memory, s) > 3);
    seal(s);
    assert_true(fault_env_each(&fault, verify_without_memory, s) > 10);
    assert_int_equal(fault.live, 0);
}

#define SIGNER_TEST(name) cmocka_unit_test_setup_teardown(name, signing_setup, signing_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNER_TEST(test_sealing_follows_the_log),
        SIGNER_TEST(test_the_tree_is_that_of_the_whole_log),
        SIGNER_TEST(test_a_recomputed_chain),
        SIGNER_TEST(test_a_tail_that_is_cut_off),
        SIGNER_TEST(test_an_older_copy),
        SIGNER_TEST(test_an_edit_before_the_signature_is_found_by_the_chain),
        SIGNER_TEST(test_a_broken_chain_is_not_signed),
        SIGNER_TEST(test_checkpoints_that_are_not_to_be_trusted),
        SIGNER_TEST(test_files_are_private_and_stay),
        SIGNER_TEST(test_a_key_that_others_may_read),
        SIGNER_TEST(test_one_process_signs_at_a_time),
        SIGNER_TEST(test_a_file_that_is_no_key),
        SIGNER_TEST(test_every_bit_of_the_state_counts),
        SIGNER_TEST(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
