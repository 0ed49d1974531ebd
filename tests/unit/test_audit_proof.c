/* Proofs as text: made from a log, checked without it, and every bit of them flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/leaves.h"
#include "audit/proof.h"
#include "base/str.h"
#include "helper/audit_log.h"
#include "helper/fault_env.h"

/* A log and the checkpoints of two moments of it. */
typedef struct proving {
    audit_log log;
    sw__note_signer signer;
    sw__buf key;
    sw__buf notes[2];
    int64_t sizes[2];
    sw__arena *arena;
} proving;

static void proving_sign(proving *p, int at)
{
    sw__tree tree = {0};
    uint8_t root[32];
    sw__leaves leaves = {.tree = &tree, .hasher = p->log.hasher};
    assert_int_equal(p->log.store->ops->begin(p->log.store, false, NULL), SW_OK);
    assert_int_equal(sw__leaves_walk(&leaves, p->log.store, NULL), SW_OK);
    p->log.store->ops->rollback(p->log.store);
    assert_int_equal(sw__tree_root(&tree, p->log.hasher, root), SW_OK);
    sw__buf_init(&p->notes[at], sw_env_system());
    assert_int_equal(sw__checkpoint_sign(&p->notes[at], &p->signer, tree.size, root), SW_OK);
    p->sizes[at] = tree.size;
}

static int proving_setup(void **state)
{
    static const uint8_t secret[32] = {7};
    proving *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    audit_log_open(&p->log, AUDIT_LOG_DIAMOND);
    assert_int_equal(
        sw__note_signer_make(p->log.hasher, (sw_str)SW__LIT("example.com/log"), secret, &p->signer),
        SW_OK);
    sw__buf_init(&p->key, sw_env_system());
    sw__note_put_key(&p->key, &p->signer.key);
    p->arena = sw__arena_new(sw_env_system());
    audit_log_run(&p->log);
    proving_sign(p, 0);
    audit_log_run(&p->log);
    proving_sign(p, 1);
    audit_log_run(&p->log);
    *state = p;
    return 0;
}

static int proving_teardown(void **state)
{
    proving *p = *state;
    sw__arena_free(p->arena);
    sw__buf_free(&p->notes[1]);
    sw__buf_free(&p->notes[0]);
    sw__buf_free(&p->key);
    audit_log_close(&p->log);
    free(p);
    return 0;
}

static int prove(proving *p, const int64_t *entry_nos, size_t count, sw_audit_proof **rows,
                 sw_error *err)
{
    assert_int_equal(p->log.store->ops->begin(p->log.store, false, NULL), SW_OK);
    int rc = sw__prove_inclusion(p->log.store, p->log.hasher, p->arena, sw__buf_str(&p->notes[1]),
                                 entry_nos, count, rows, err);
    p->log.store->ops->rollback(p->log.store);
    return rc;
}

static int prove_continued(proving *p, sw_str old, sw_audit_proof **row, sw_error *err)
{
    assert_int_equal(p->log.store->ops->begin(p->log.store, false, NULL), SW_OK);
    int rc = sw__prove_consistency(p->log.store, p->log.hasher, p->arena, old,
                                   sw__buf_str(&p->notes[1]), row, err);
    p->log.store->ops->rollback(p->log.store);
    return rc;
}

static int check(proving *p, sw_str text, sw_audit_shown *shown)
{
    sw_str key = sw__buf_str(&p->key);
    sw_str old = sw__buf_str(&p->notes[0]);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.keys = &key;
    trust.key_count = 1;
    trust.checkpoints = &old;
    trust.checkpoint_count = 1;
    sw__arena *arena = sw__arena_new(sw_env_system());
    int rc = sw__proof_check(&trust, text, p->log.hasher, arena, shown, NULL);
    sw__arena_free(arena);
    return rc;
}

static void test_every_entry_can_be_proved(void **state)
{
    proving *p = *state;
    int64_t entry_nos[64] = {0};
    sw_audit_proof *rows = NULL;
    size_t count = (size_t)p->sizes[1];
    for (size_t i = 0; i < count; i++)
        entry_nos[i] = (int64_t)(count - i); /* in any order */
    assert_int_equal(prove(p, entry_nos, count, &rows, NULL), SW_OK);
    for (size_t i = 0; i < count; i++) {
        sw_audit_shown shown;
        assert_int_equal(rows[i].entry.entry_no, entry_nos[i]);
        assert_int_equal(check(p, rows[i].text, &shown), SW_OK);
        assert_int_equal(shown.entry.entry_no, entry_nos[i]);
        assert_int_equal(shown.entry_count, p->sizes[1]);
        assert_int_equal(shown.old_count, 0);
    }
}

static void test_a_newer_checkpoint_continues_an_older_one(void **state)
{
    proving *p = *state;
    sw_audit_proof *row = NULL;
    sw_audit_shown shown;
    assert_int_equal(prove_continued(p, sw__buf_str(&p->notes[0]), &row, NULL), SW_OK);
    assert_int_equal(check(p, row->text, &shown), SW_OK);
    assert_int_equal(shown.old_count, p->sizes[0]);
    assert_int_equal(shown.entry_count, p->sizes[1]);
    assert_int_equal(row->entry.entry_no, 0);
    assert_int_equal(prove_continued(p, sw__buf_str(&p->notes[1]), &row, NULL), SW_OK);
}

/* Every step-th bit, every step-th beginning. */
static void assert_bits_count(proving *p, sw_str text, size_t step)
{
    sw_audit_shown shown;
    char *copy = malloc(text.len);
    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    for (size_t bit = 0; bit < text.len * 8; bit += step) {
        copy[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(check(p, (sw_str){copy, text.len}, &shown), SW_EAUDIT);
        copy[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < text.len; len += step)
        assert_int_equal(check(p, (sw_str){copy, len}, &shown), SW_EAUDIT);
    free(copy);
}

static void test_every_bit_of_a_proof_counts(void **state)
{
    proving *p = *state;
    sw_audit_proof *rows = NULL;
    const int64_t entry_nos[] = {1, 9, p->sizes[1]};
    assert_int_equal(prove(p, entry_nos, 3, &rows, NULL), SW_OK);
    assert_bits_count(p, rows[0].text, 1);
    for (size_t i = 1; i < 3; i++)
        assert_bits_count(p, rows[i].text, 13);
    assert_int_equal(prove_continued(p, sw__buf_str(&p->notes[0]), &rows, NULL), SW_OK);
    assert_bits_count(p, rows->text, 3);
}

static void assert_not_shown(proving *p, const sw__proof *proof, sw_str entry)
{
    sw__buf text;
    sw_audit_shown shown;
    sw__buf_init(&text, sw_env_system());
    sw__proof_put(&text, proof->number, entry, &proof->hashes, proof->checkpoint);
    assert_int_equal(check(p, sw__buf_str(&text), &shown), SW_EAUDIT);
    sw__buf_free(&text);
}

/* What is well-formed and signed, but not true. */
static void test_proofs_of_what_is_not_so(void **state)
{
    proving *p = *state;
    sw__proof proof;
    sw_audit_proof *rows = NULL;
    static const int64_t entry_nos[] = {9, 10};
    assert_int_equal(prove(p, entry_nos, 2, &rows, NULL), SW_OK);
    assert_true(sw__proof_read(rows[0].text, &proof));
    assert_not_shown(p, &proof, (sw_str)SW__LIT(""));
    assert_not_shown(p, &proof, (sw_str)SW__LIT("no entry"));
    assert_int_equal(prove_continued(p, sw__buf_str(&p->notes[0]), &rows, NULL), SW_OK);
    assert_true(sw__proof_read(rows->text, &proof));
    proof.number--;
    assert_not_shown(p, &proof, (sw_str){NULL, 0});
    proof.number++;
    proof.hashes.count--;
    assert_not_shown(p, &proof, (sw_str){NULL, 0});
    proof.hashes.count++;
    proof.checkpoint = sw__buf_str(&p->notes[0]);
    assert_not_shown(p, &proof, (sw_str){NULL, 0});
}

static void assert_fails(int rc, int expected, const sw_error *err, const char *words)
{
    assert_int_equal(rc, expected);
    if (!strstr(err->message, words))
        fail_msg("\"%s\" lacks \"%s\"", err->message, words);
}

static void test_what_cannot_be_proved(void **state)
{
    proving *p = *state;
    sw_error err;
    sw_audit_proof *rows = NULL;
    const int64_t entry_nos[] = {1, p->sizes[1] + 1};
    assert_fails(prove(p, entry_nos, 2, &rows, &err), SW_EINVAL, &err, "none of the ");
    assert_int_equal(err.row, 1);
    assert_fails(prove_continued(p, (sw_str)SW__LIT("x"), &rows, &err), SW_EINVAL, &err,
                 "no checkpoint");
    sw__buf newer = p->notes[1];
    p->notes[1] = p->notes[0];
    assert_fails(prove_continued(p, sw__buf_str(&newer), &rows, &err), SW_EINVAL, &err,
                 "is not continued by");
    p->notes[1] = newer;
    p->notes[1].ptr[0] = '\n';
    assert_fails(prove(p, entry_nos, 1, &rows, &err), SW_EINVAL, &err, "no checkpoint");
    p->notes[1].ptr[0] = 'e';
}

/* The log was rewritten, or cut: no proof leaves. */
static void test_a_log_that_is_not_the_signed_one(void **state)
{
    proving *p = *state;
    sw_error err;
    sw_audit_proof *rows = NULL;
    const int64_t entry_no = 1;
    audit_log_attack(&p->log);
    p->log.segments[2].time_us++;
    audit_log_rehash(&p->log, 2);
    assert_int_equal(prove(p, &entry_no, 1, &rows, NULL), SW_OK);
    ((char *)(uintptr_t)p->log.segments[2].body.ptr)[p->log.segments[2].body.len - 3] ^= 1;
    audit_log_rehash(&p->log, 2);
    assert_fails(prove(p, &entry_no, 1, &rows, &err), SW_EAUDIT, &err, "is not the one");
    assert_fails(prove_continued(p, sw__buf_str(&p->notes[0]), &rows, &err), SW_EAUDIT, &err,
                 "is not the one");
    p->log.segment_count = 2;
    assert_fails(prove(p, &entry_no, 1, &rows, &err), SW_EAUDIT, &err, "the log holds ");
}

static int prove_without_memory(const sw_env *env, void *context)
{
    static const int64_t entry_nos[] = {1, 2, 3, 4, 5, 6};
    proving *p = context;
    sw__arena *kept = p->arena;
    sw_audit_proof *rows = NULL;
    p->arena = sw__arena_new(env);
    int rc = p->arena ? prove(p, entry_nos, 6, &rows, NULL) : SW_ENOMEM;
    if (rc == SW_OK)
        rc = prove_continued(p, sw__buf_str(&p->notes[0]), &rows, NULL);
    sw__arena_free(p->arena);
    p->arena = kept;
    return rc;
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, prove_without_memory, *state) > 10);
    assert_int_equal(fault.live, 0);
}

#define PROOF_TEST(name) cmocka_unit_test_setup_teardown(name, proving_setup, proving_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROOF_TEST(test_every_entry_can_be_proved),
        PROOF_TEST(test_a_newer_checkpoint_continues_an_older_one),
        PROOF_TEST(test_every_bit_of_a_proof_counts),
        PROOF_TEST(test_proofs_of_what_is_not_so),
        PROOF_TEST(test_what_cannot_be_proved),
        PROOF_TEST(test_a_log_that_is_not_the_signed_one),
        PROOF_TEST(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
