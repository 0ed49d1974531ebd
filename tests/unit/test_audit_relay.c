/* A database that several threads verify: the same answer as one, whatever was changed and wherever
 * in the log; threads, memory and libcrypto that fail. The log has more segments than the batches
 * that lie in memory at a time. Not here: what is found at all (test_audit_levels.c and its
 * neighbours, which verify by one thread and by two). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audit/leaves.h"
#include "base/error.h"
#include "base/str.h"
#include "helper/audit_siege.h"
#include "helper/fault_env.h"

#define RUNS 120  /* of 12 segments each: six batches */
#define PLAYED 20 /* tasks in segments of many entries */

static atomic_int threads_begun;
static int threads_left = 1000; /* that the machine gives */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (threads_left-- <= 0)
        return EAGAIN;
    atomic_fetch_add(&threads_begun, 1);
    return real(thread, attributes, body, argument);
}

static atomic_long hashes_left = LONG_MAX; /* until libcrypto has no memory */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
int SHA256_Update(SHA256_CTX *state, const void *bytes, size_t size)
{
    int (*real)(SHA256_CTX *, const void *, size_t);
    *(void **)&real = dlsym(RTLD_NEXT, "SHA256_Update");
    return atomic_fetch_sub(&hashes_left, 1) > 0 ? real(state, bytes, size) : 0;
}
#pragma GCC diagnostic pop

typedef struct relay_test {
    audit_siege siege;
    sw__store_ops ops;
    const sw_audit_trust *trust; /* or NULL */
    sw_str vkey;
    sw_str notes[2];
    sw_audit_trust given;
    sw__buf middle; /* the checkpoint of a tree that ends inside of a segment */
    int64_t entry_count;
} relay_test;

static int64_t stop_at;

static int stop_visit(void *context, int64_t index, sw_str entry, sw_error *err)
{
    (void)context;
    (void)entry;
    (void)err;
    return index == stop_at;
}

static void sign_first(relay_test *t, int64_t size)
{
    sw__tree tree = {0};
    uint8_t root[32];
    audit_log *log = &t->siege.log;
    sw__leaves leaves = {.tree = &tree, .hasher = log->hasher, .visit = stop_visit};
    stop_at = size;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__leaves_walk(&leaves, log->store, NULL), SW_OK);
    log->store->ops->rollback(log->store);
    assert_int_equal(tree.size, size);
    assert_int_equal(sw__tree_root(&tree, log->hasher, root), SW_OK);
    assert_int_equal(sw__checkpoint_sign(&t->middle, &t->siege.signer, size, root), SW_OK);
}

/* The first entry but one of a segment of at least three, from a place in the log on. */
static int64_t entry_inside(const audit_log *log, size_t from)
{
    while (log->segments[from].entry_count < 3)
        from++;
    return log->segments[from].entry_first + 1;
}

static int relay_setup(void **state)
{
    relay_test *t = calloc(1, sizeof(*t));
    static const uint8_t secret[32] = {9};
    const sw_str name = SW__LIT("example.com/log");
    audit_log *log = &t->siege.log;
    audit_log_open(log, AUDIT_LOG_DIAMOND);
    for (int i = 0; i < RUNS; i++)
        audit_log_run(log);
    audit_log_play(log, PLAYED);
    assert_int_equal(sw__note_signer_make(log->hasher, name, secret, &t->siege.signer), SW_OK);
    sw__buf_init(&t->siege.key, sw_env_system());
    sw__buf_init(&t->siege.note, sw_env_system());
    sw__buf_init(&t->middle, sw_env_system());
    sw__note_put_key(&t->siege.key, &t->siege.signer.key);
    siege_sign(&t->siege, log, &t->siege.note);
    audit_log_attack(log);
    sign_first(t, entry_inside(log, log->segment_count / 2));
    t->vkey = sw__buf_str(&t->siege.key);
    t->notes[0] = sw__buf_str(&t->siege.note);
    t->notes[1] = sw__buf_str(&t->middle);
    t->given = (sw_audit_trust)SW_AUDIT_TRUST_INIT;
    t->given.checkpoints = t->notes;
    t->given.checkpoint_count = 2;
    t->given.keys = &t->vkey;
    t->given.key_count = 1;
    *state = t;
    return 0;
}

static int relay_teardown(void **state)
{
    relay_test *t = *state;
    sw__buf_free(&t->middle);
    sw__buf_free(&t->siege.key);
    sw__buf_free(&t->siege.note);
    audit_log_close(&t->siege.log);
    free(t);
    threads_left = 1000;
    return 0;
}

static int verify(relay_test *t, const sw_env *env, int32_t jobs, sw_audit_report *report,
                  sw_error *err)
{
    audit_log *log = &t->siege.log;
    *report = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_verify(log->store, log->hasher, env, t->trust, jobs, report, err);
    log->store->ops->rollback(log->store);
    return rc;
}

/* What one thread says is what all others say. */
static int verify_alike(relay_test *t, sw_audit_report *report)
{
    static const int32_t jobs[] = {2, 3, 64};
    sw_error alone = {0};
    int rc = verify(t, sw_env_system(), 1, report, &alone);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        sw_error err = {0};
        sw_audit_report other;
        assert_int_equal(verify(t, sw_env_system(), jobs[i], &other, &err), rc);
        assert_memory_equal(&other, report, sizeof(other));
        assert_int_equal(err.code, alone.code);
        assert_string_equal(err.message, alone.message);
    }
    return rc;
}

static void test_an_honest_log(void **state)
{
    relay_test *t = *state;
    sw_audit_report report;
    threads_begun = 0;
    assert_int_equal(verify_alike(t, &report), SW_OK);
    assert_int_equal(report.level, SW_AUDIT_INTEGRITY);
    assert_int_equal(threads_begun, 0);
    t->trust = &t->given;
    assert_int_equal(verify_alike(t, &report), SW_OK);
    assert_true(threads_begun > 1 + 2 + 2 && threads_begun < 1 + 2 + 63); /* as many as batches */
    assert_int_equal(report.level, SW_AUDIT_SIGNED);
    assert_int_equal(report.signed_count, report.entry_count);
    assert_non_null(strstr(report.message, "those of 2 checkpoints"));
}

/* A byte of a body, with every hash that follows made anew or not. */
static void edit(relay_test *t, size_t at, bool rehash, int64_t first_bad)
{
    sw_audit_report report;
    audit_log *log = &t->siege.log;
    sw__segment honest = log->segments[at];
    char *body = (char *)(intptr_t)honest.body.ptr;
    body[honest.body.len - 1] ^= 1;
    if (rehash)
        audit_log_rehash(log, at);
    assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
    assert_true(!first_bad || report.first_bad_entry == first_bad);
    body[honest.body.len - 1] ^= 1;
    if (rehash)
        audit_log_rehash(log, at);
}

static void test_an_edit_anywhere(void **state)
{
    relay_test *t = *state;
    audit_log *log = &t->siege.log;
    for (int trusts = 0; trusts < 2; trusts++) {
        t->trust = trusts ? &t->given : NULL;
        for (size_t at = 1; at < log->segment_count; at += log->segment_count / 9) {
            edit(t, at, false, log->segments[at].entry_first);
            edit(t, at, true, 0);
        }
    }
}

static void test_a_segment_gone_or_moved(void **state)
{
    relay_test *t = *state;
    sw_audit_report report;
    audit_log *log = &t->siege.log;
    size_t at = log->segment_count / 3;
    sw__segment taken = log->segments[at];
    log->segments[at] = log->segments[at + 1];
    log->segments[at + 1] = taken;
    assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
    memmove(&log->segments[at + 1], &log->segments[at + 2],
            (--log->segment_count - at - 1) * sizeof(taken));
    assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
    assert_non_null(strstr(report.message, "are missing"));
}

/* Numbers that nothing can be reckoned with, which threads meet before anybody has judged them. */
static void test_numbers_that_cannot_be(void **state)
{
    relay_test *t = *state;
    static const int64_t numbers[] = {INT64_MIN, -1, 0, INT64_MAX, INT64_MAX / 4};
    audit_log *log = &t->siege.log;
    sw__segment *segment = &log->segments[log->segment_count / 2];
    sw__segment honest = *segment;
    sw_audit_report report;
    t->trust = &t->given;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        segment->entry_first = numbers[i];
        assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
        *segment = honest;
        segment->entry_count = numbers[i];
        assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
        *segment = honest;
    }
}

static void test_a_machine_without_threads(void **state)
{
    relay_test *t = *state;
    sw_audit_report report;
    t->trust = &t->given;
    for (threads_left = 0; threads_left < 1;) {
        threads_begun = 0;
        assert_int_equal(verify_alike(t, &report), SW_OK);
        assert_int_equal(threads_begun, 0);
        threads_left = 1;
    }
    assert_int_equal(verify_alike(t, &report), SW_OK);
    assert_int_equal(threads_begun, 1);
}

static int verify_by_three(const sw_env *env, void *context)
{
    sw_error err;
    sw_audit_report report;
    return verify(context, env, 3, &report, &err);
}

static void test_missing_memory_is_no_alarm(void **state)
{
    relay_test *t = *state;
    fault_env fault;
    t->trust = &t->given;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, verify_by_three, t) > 20);
    assert_int_equal(fault.live, 0);
}

/* Wherever it is that the threads have come to. */
static void test_hashing_fails_in_any_thread(void **state)
{
    relay_test *t = *state;
    t->trust = &t->given;
    for (long left = 0; left < 3000; left += 211) {
        hashes_left = left;
        int rc = verify_by_three(sw_env_system(), t);
        hashes_left = LONG_MAX;
        assert_int_equal(rc, SW_ENOMEM);
    }
}

/* A store that can be read to its middle only. */
static relay_test *broken;

static int broken_each(sw__store *store, int64_t entry_no, sw__segment_visit visit, void *context,
                       sw_error *err)
{
    const audit_log *log = &broken->siege.log;
    (void)store;
    (void)entry_no;
    for (size_t i = 0; i < log->segment_count / 2; i++) {
        int rc = visit(context, &log->segments[i], err);
        if (rc != 0)
            return rc < 0 ? rc : SW_OK;
    }
    return sw__fail(err, SW_EIO, "the disk cannot be read");
}

static void test_a_store_that_breaks_off(void **state)
{
    relay_test *t = *state;
    sw_audit_report report;
    sw_error err;
    audit_log *log = &t->siege.log;
    broken = t;
    t->ops = log->ops;
    t->ops.segments_each = broken_each;
    log->store->ops = &t->ops;
    t->trust = &t->given;
    for (int32_t jobs = 1; jobs < 4; jobs++) {
        assert_int_equal(verify(t, sw_env_system(), jobs, &report, &err), SW_EIO);
        assert_string_equal(err.message, "the disk cannot be read");
    }
    log->store->ops = &log->ops;
}

#define RELAY_TEST(name) cmocka_unit_test_setup_teardown(name, relay_setup, relay_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(test_an_honest_log),
        RELAY_TEST(test_an_edit_anywhere),
        RELAY_TEST(test_a_segment_gone_or_moved),
        RELAY_TEST(test_numbers_that_cannot_be),
        RELAY_TEST(test_a_machine_without_threads),
        RELAY_TEST(test_missing_memory_is_no_alarm),
        RELAY_TEST(test_hashing_fails_in_any_thread),
        RELAY_TEST(test_a_store_that_breaks_off),
    };
    return cmocka_run_group_tests_name("audit_relay", tests, NULL, NULL);
}
