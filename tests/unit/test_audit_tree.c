/* The Merkle tree against the published examples, and against the definitions of RFC 9162 written
 * down as they stand there, for all sizes up to 300. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "audit/tree.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

#define SIZE_MAX_TESTED 300

static sw__hasher *hasher;
static uint8_t leaves[SIZE_MAX_TESTED][32];
static sw__tree trees[SIZE_MAX_TESTED + 1];
static uint8_t roots[SIZE_MAX_TESTED + 1][32];

/* MTH of RFC 9162, 2.1.1. */
static void plain_root(int64_t begin, int64_t end, uint8_t root[32])
{
    uint8_t left[32];
    uint8_t right[32];
    int64_t split = 1;
    if (end - begin == 1) {
        memcpy(root, leaves[begin], 32);
        return;
    }
    while (split * 2 < end - begin)
        split *= 2;
    plain_root(begin, begin + split, left);
    plain_root(begin + split, end, right);
    assert_int_equal(sw__tree_join(hasher, left, right, root), SW_OK);
}

/* PATH of 2.1.3.1. */
static void plain_inclusion(int64_t m, int64_t begin, int64_t end, sw__tree_proof *proof)
{
    int64_t split = 1;
    if (end - begin == 1)
        return;
    while (split * 2 < end - begin)
        split *= 2;
    bool left = m < split;
    plain_inclusion(left ? m : m - split, left ? begin : begin + split, left ? begin + split : end,
                    proof);
    plain_root(left ? begin + split : begin, left ? end : begin + split,
               proof->hashes[proof->count++]);
}

/* SUBPROOF of 2.1.4.1. */
static void plain_consistency(int64_t m, int64_t begin, int64_t end, bool whole,
                              sw__tree_proof *proof)
{
    int64_t split = 1;
    if (m == end - begin) {
        if (!whole)
            plain_root(begin, end, proof->hashes[proof->count++]);
        return;
    }
    while (split * 2 < end - begin)
        split *= 2;
    bool left = m <= split;
    plain_consistency(left ? m : m - split, left ? begin : begin + split,
                      left ? begin + split : end, left && whole, proof);
    plain_root(left ? begin + split : begin, left ? end : begin + split,
               proof->hashes[proof->count++]);
}

static int trees_setup(void **state)
{
    (void)state;
    hasher = sw__hasher_new(sw_env_system());
    for (int i = 0; i < SIZE_MAX_TESTED; i++) {
        char text[12];
        int len = snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(sw__tree_leaf(hasher, (sw_str){text, (size_t)len}, leaves[i]), SW_OK);
        trees[i + 1] = trees[i];
        assert_int_equal(sw__tree_add(&trees[i + 1], hasher, leaves[i], NULL), SW_OK);
    }
    for (int i = 0; i <= SIZE_MAX_TESTED; i++)
        assert_int_equal(sw__tree_root(&trees[i], hasher, roots[i]), SW_OK);
    return 0;
}

static int trees_teardown(void **state)
{
    (void)state;
    sw__hasher_free(hasher);
    return 0;
}

/* All that was wished for passes by. */
static void wish_fill(sw__tree_wish *wish, int64_t size)
{
    sw__tree tree = {0};
    for (int64_t i = 0; i < size; i++)
        assert_int_equal(sw__tree_add(&tree, hasher, leaves[i], wish), SW_OK);
}

static void assert_proof(const sw__tree_proof *proof, const sw__tree_proof *expected)
{
    assert_int_equal(proof->count, expected->count);
    assert_memory_equal(proof->hashes, expected->hashes, (size_t)expected->count * 32);
}

/* The seven inputs that implementations of RFC 6962 share, and an eighth; the roots after each. */
static void test_published_roots(void **state)
{
    static const sw_str entries[] = {
        SW__LIT(""),
        SW__LIT("\x00"),
        SW__LIT("\x10"),
        SW__LIT("\x20\x21"),
        SW__LIT("\x30\x31"),
        SW__LIT("\x40\x41\x42\x43"),
        SW__LIT("\x50\x51\x52\x53\x54\x55\x56\x57"),
        SW__LIT("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
    };
    static const char *const expected[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    sw__tree tree = {0};
    (void)state;
    for (size_t i = 0; i <= 8; i++) {
        uint8_t root[32];
        char text[65];
        assert_int_equal(sw__tree_root(&tree, hasher, root), SW_OK);
        sw__hash_hex(root, text);
        assert_string_equal(text, expected[i]);
        if (i < 8 && sw__tree_leaf(hasher, entries[i], root) == SW_OK)
            assert_int_equal(sw__tree_add(&tree, hasher, root, NULL), SW_OK);
    }
}

/* RFC 9162, 2.1.5 draws a tree of seven leaves and names its nodes; the proofs it lists. */
static void assert_example(bool consistency, int64_t at, const char *names)
{
    static const struct {
        char name;
        int64_t begin;
        int64_t end;
    } nodes[] = {{'a', 0, 1}, {'b', 1, 2}, {'c', 2, 3}, {'d', 3, 4}, {'e', 4, 5}, {'f', 5, 6},
                 {'g', 0, 2}, {'h', 2, 4}, {'i', 4, 6}, {'j', 6, 7}, {'k', 0, 4}, {'l', 4, 7}};
    sw__tree_wish wish;
    sw__tree_proof proof;
    sw__tree_wish_init(&wish, sw_env_system());
    if (consistency)
        assert_int_equal(sw__tree_wish_consistency(&wish, 0, at, 7), SW_OK);
    else
        assert_int_equal(sw__tree_wish_inclusion(&wish, 0, at, 7), SW_OK);
    wish_fill(&wish, 7);
    assert_int_equal(sw__tree_wish_proof(&wish, hasher, 0, &proof), SW_OK);
    assert_int_equal(proof.count, strlen(names));
    for (int32_t i = 0; i < proof.count; i++) {
        for (size_t j = 0; j < sizeof(nodes) / sizeof(nodes[0]); j++) {
            uint8_t root[32];
            if (nodes[j].name != names[i])
                continue;
            plain_root(nodes[j].begin, nodes[j].end, root);
            assert_memory_equal(proof.hashes[i], root, 32);
        }
    }
    sw__tree_wish_free(&wish);
}

static void test_published_proofs(void **state)
{
    (void)state;
    assert_example(false, 0, "bhl");
    assert_example(false, 3, "cgl");
    assert_example(false, 4, "fjk");
    assert_example(false, 6, "ik");
    assert_example(true, 3, "cdgl");
    assert_example(true, 4, "l");
    assert_example(true, 6, "ijk");
}

static void test_roots_of_all_sizes(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= SIZE_MAX_TESTED; size++) {
        uint8_t root[32];
        plain_root(0, size, root);
        assert_memory_equal(root, roots[size], 32);
    }
}

/* Some sizes in between keep the brute force short; every proof of each is compared. */
static void test_inclusion_is_what_the_rfc_says(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= SIZE_MAX_TESTED; size += size < 70 ? 1 : 23) {
        sw__tree_wish wish;
        sw__tree_wish_init(&wish, sw_env_system());
        for (int64_t i = 0; i < size; i++)
            assert_int_equal(sw__tree_wish_inclusion(&wish, (int32_t)i, i, size), SW_OK);
        wish_fill(&wish, size);
        for (int64_t i = 0; i < size; i++) {
            sw__tree_proof proof;
            sw__tree_proof expected = {0};
            plain_inclusion(i, 0, size, &expected);
            assert_int_equal(sw__tree_wish_proof(&wish, hasher, (int32_t)i, &proof), SW_OK);
            assert_proof(&proof, &expected);
        }
        sw__tree_wish_free(&wish);
    }
}

static void test_consistency_is_what_the_rfc_says(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= SIZE_MAX_TESTED; size += size < 70 ? 1 : 23) {
        sw__tree_wish wish;
        sw__tree_wish_init(&wish, sw_env_system());
        for (int64_t old = 1; old <= size; old++)
            assert_int_equal(sw__tree_wish_consistency(&wish, (int32_t)old, old, size), SW_OK);
        wish_fill(&wish, size);
        for (int64_t old = 1; old <= size; old++) {
            sw__tree_proof proof;
            sw__tree_proof expected = {0};
            plain_consistency(old, 0, size, true, &expected);
            assert_int_equal(sw__tree_wish_proof(&wish, hasher, (int32_t)old, &proof), SW_OK);
            assert_proof(&proof, &expected);
        }
        sw__tree_wish_free(&wish);
    }
}

static sw__tree_proof proof_take(sw__tree_wish *wish, int64_t number, sw__buf *all)
{
    sw__tree_proof proof;
    assert_int_equal(sw__tree_wish_proof(wish, hasher, (int32_t)number, &proof), SW_OK);
    sw__buf_put(all, proof.hashes, (size_t)proof.count * 32);
    return proof;
}

static void all_proofs_of(int64_t size, sw__buf *all)
{
    sw__tree_wish wish;
    sw__tree_wish_init(&wish, sw_env_system());
    for (int64_t i = 0; i < size; i++) {
        int32_t number = (int32_t)i;
        assert_int_equal(sw__tree_wish_inclusion(&wish, number, i, size), SW_OK);
        assert_int_equal(sw__tree_wish_consistency(&wish, number + SIZE_MAX_TESTED, i + 1, size),
                         SW_OK);
    }
    wish_fill(&wish, size);
    for (int64_t i = 0; i < size; i++) {
        sw__tree_proof proof = proof_take(&wish, i, all);
        assert_int_equal(sw__tree_check_inclusion(hasher, leaves[i], i, size, &proof, roots[size]),
                         1);
    }
    for (int64_t i = 0; i < size; i++) {
        sw__tree_proof proof = proof_take(&wish, i + SIZE_MAX_TESTED, all);
        assert_int_equal(
            sw__tree_check_consistency(hasher, i + 1, size, &proof, roots[i + 1], roots[size]), 1);
    }
    sw__tree_wish_free(&wish);
}

/* All pairs up to 300, 45,150 proofs of each kind. Python and Ruby arrive at the same digest with
 * code of their own: pytests/test_audit_proof.py, spec/audit_proof_spec.rb. */
static void test_all_proofs_of_all_sizes(void **state)
{
    sw__buf all;
    uint8_t digest[32];
    char text[65];
    (void)state;
    sw__buf_init(&all, sw_env_system());
    for (int64_t size = 1; size <= SIZE_MAX_TESTED; size++) {
        sw__buf_put(&all, roots[size], 32);
        all_proofs_of(size, &all);
    }
    sw_str bytes = sw__buf_str(&all);
    assert_int_equal(sw__hash(hasher, &bytes, 1, digest), SW_OK);
    sw__hash_hex(digest, text);
    assert_string_equal(text, "a582741dce61c06f4c91bde55cb12cf03246ad39100d6b10328f41bfc040af54");
    sw__buf_free(&all);
}

static void make_proofs(int64_t index, int64_t old, int64_t size, sw__tree_proof *inclusion,
                        sw__tree_proof *consistency)
{
    sw__tree_wish wish;
    sw__tree_wish_init(&wish, sw_env_system());
    assert_int_equal(sw__tree_wish_inclusion(&wish, 0, index, size), SW_OK);
    assert_int_equal(sw__tree_wish_consistency(&wish, 1, old, size), SW_OK);
    wish_fill(&wish, size);
    assert_int_equal(sw__tree_wish_proof(&wish, hasher, 0, inclusion), SW_OK);
    assert_int_equal(sw__tree_wish_proof(&wish, hasher, 1, consistency), SW_OK);
    sw__tree_wish_free(&wish);
}

/* A proof is of one leaf at one place of one tree; every bit of it counts. */
static void test_every_bit_of_a_proof_counts(void **state)
{
    static const int64_t sizes[] = {2, 5, 7, 8, 11, 16, 37};
    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        int64_t size = sizes[s];
        for (int64_t i = 0; i < size - 1; i++) {
            sw__tree_proof in;
            sw__tree_proof con;
            make_proofs(i, i + 1, size, &in, &con);
            for (int32_t bit = 0; bit < in.count * 256; bit++) {
                in.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(
                    sw__tree_check_inclusion(hasher, leaves[i], i, size, &in, roots[size]), 0);
                in.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
            }
            for (int32_t bit = 0; bit < con.count * 256; bit++) {
                con.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(sw__tree_check_consistency(hasher, i + 1, size, &con, roots[i + 1],
                                                            roots[size]),
                                 0);
                con.hashes[bit / 256][bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
            }
        }
    }
}

/* The right hashes with a wrong number, a wrong root, one more or one fewer prove nothing. A proof
 * of inclusion may hold for another size with a tree of the same shape along its path, but not with
 * the root of that size. */
static void test_a_proof_proves_nothing_else(void **state)
{
    (void)state;
    for (int64_t size = 2; size <= 24; size++) {
        for (int64_t i = 0; i < size - 1; i++) {
            sw__tree_proof in;
            sw__tree_proof con;
            make_proofs(i, i + 1, size, &in, &con);
            for (int64_t other = -1; other <= size + 1; other++) {
                const uint8_t *root = roots[other < 0 ? 0 : other];
                if (other != i)
                    assert_int_equal(
                        sw__tree_check_inclusion(hasher, leaves[i], other, size, &in, roots[size]),
                        0);
                if (other != size) {
                    assert_int_equal(
                        sw__tree_check_inclusion(hasher, leaves[i], i, other, &in, root), 0);
                    assert_int_equal(
                        sw__tree_check_consistency(hasher, i + 1, other, &con, roots[i + 1], root),
                        0);
                }
                if (other != i + 1)
                    assert_int_equal(
                        sw__tree_check_consistency(hasher, other, size, &con, root, roots[size]),
                        0);
            }
            for (int change = -1; change <= 1; change += 2) {
                in.count += change;
                con.count += change;
                assert_int_equal(
                    sw__tree_check_inclusion(hasher, leaves[i], i, size, &in, roots[size]), 0);
                assert_int_equal(sw__tree_check_consistency(hasher, i + 1, size, &con, roots[i + 1],
                                                            roots[size]),
                                 0);
                in.count -= change;
                con.count -= change;
            }
        }
    }
}

/* Numbers no log will reach, which a forged checkpoint may name. */
static void test_extreme_numbers(void **state)
{
    sw__tree_proof proof = {.count = SW__TREE_PROOF_MAX};
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 1, SW__TREE_SIZE_MAX, INT64_MAX};
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            assert_int_equal(sw__tree_check_inclusion(hasher, leaves[0], numbers[i], numbers[j],
                                                      &proof, roots[1]),
                             0);
            assert_int_equal(sw__tree_check_consistency(hasher, numbers[i], numbers[j], &proof,
                                                        roots[1], roots[2]),
                             0);
        }
    }
    sw__tree_wish wish;
    sw__tree_wish_init(&wish, sw_env_system());
    assert_int_equal(sw__tree_wish_inclusion(&wish, 0, SW__TREE_SIZE_MAX - 1, SW__TREE_SIZE_MAX),
                     SW_OK);
    assert_int_equal(wish.nodes.len / sizeof(sw__tree_node), SW__TREE_LEVELS);
    assert_int_equal(sw__tree_wish_proof(&wish, hasher, 0, &proof), SW_ENOTFOUND);
    sw__tree_wish_free(&wish);
}

static int wish_with(const sw_env *env, void *context)
{
    sw__tree_wish wish;
    (void)context;
    sw__tree_wish_init(&wish, env);
    int rc = sw__tree_wish_inclusion(&wish, 0, 100, 300);
    if (rc == SW_OK)
        rc = sw__tree_wish_consistency(&wish, 1, 100, 300);
    sw__tree_wish_free(&wish);
    return rc;
}

static void test_memory_fails(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, wish_with, NULL) > 0);
    assert_int_equal(fault.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_roots),
        cmocka_unit_test(test_published_proofs),
        cmocka_unit_test(test_roots_of_all_sizes),
        cmocka_unit_test(test_inclusion_is_what_the_rfc_says),
        cmocka_unit_test(test_consistency_is_what_the_rfc_says),
        cmocka_unit_test(test_all_proofs_of_all_sizes),
        cmocka_unit_test(test_every_bit_of_a_proof_counts),
        cmocka_unit_test(test_a_proof_proves_nothing_else),
        cmocka_unit_test(test_extreme_numbers),
        cmocka_unit_test(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, trees_setup, trees_teardown);
}
