/* Signed notes and checkpoints: a published example, and every bit of a checkpoint flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "base/str.h"
#include "helper/fault_env.h"

#define DASH "\xe2\x80\x94 "

/* The example of the note format's first implementation, golang.org/x/mod/sumdb/note. */
static const char peter_secret[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char peter_key[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char peter_text[] = "If you think cryptography is the answer to your problem,\n"
                                 "then you don't know what your problem is.\n";
static const char peter_signature[] =
    "\n" DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdn"
    "gotpRZb6KE6RyyBwJnAM=\n";

static sw__hasher *hasher;
static sw__buf note;

static int note_setup(void **state)
{
    (void)state;
    hasher = sw__hasher_new(sw_env_system());
    sw__buf_init(&note, sw_env_system());
    return 0;
}

static int note_teardown(void **state)
{
    (void)state;
    sw__buf_free(&note);
    sw__hasher_free(hasher);
    return 0;
}

static sw__note_signer signer_of(const char *name, uint8_t seed)
{
    uint8_t secret[32];
    sw__note_signer signer;
    memset(secret, seed, sizeof(secret));
    assert_int_equal(sw__note_signer_make(hasher, sw__str(name), secret, &signer), SW_OK);
    return signer;
}

static void test_published_example(void **state)
{
    sw__note_signer signer;
    sw__note_key key;
    sw_str text;
    sw__note_signed who;
    const char *why = NULL;
    (void)state;
    assert_true(sw__note_read_signer(hasher, sw__str(peter_secret), &signer, &why));
    assert_true(sw__note_read_key(hasher, sw__str(peter_key), &key, &why));
    assert_memory_equal(key.public_key, signer.key.public_key, 32);
    sw__buf_clear(&note);
    sw__buf_put_text(&note, peter_text);
    assert_int_equal(sw__note_sign(&note, &signer), SW_OK);
    size_t text_len = sizeof(peter_text) - 1;
    assert_int_equal(note.len, text_len + sizeof(peter_signature) - 1);
    assert_memory_equal(note.ptr + text_len, peter_signature, sizeof(peter_signature) - 1);
    assert_int_equal(sw__note_open(sw__buf_str(&note), &key, 1, &text, &who, &why), SW_OK);
    assert_true(sw__str_is(text, peter_text));
    sw__buf_clear(&note);
    sw__note_put_signer(&note, &signer);
    assert_true(sw__str_is(sw__buf_str(&note), peter_secret));
    sw__buf_clear(&note);
    sw__note_put_key(&note, &key);
    assert_true(sw__str_is(sw__buf_str(&note), peter_key));
}

static void test_keys_that_cannot_be_read(void **state)
{
    static const char *const keys[] = {
        "",
        "x",
        "+",
        "a+b+c",
        "no-plus-in-these-words",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20ag+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10==",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter\xe2\x80\x83Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
    };
    sw__note_key key;
    sw__note_signer signer;
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *why = NULL;
        assert_false(sw__note_read_key(hasher, sw__str(keys[i]), &key, &why));
        assert_non_null(why);
        assert_false(sw__note_read_signer(hasher, sw__str(keys[i]), &signer, &why));
        assert_non_null(why);
    }
}

static void test_names_of_keys(void **state)
{
    char longest[SW__NOTE_NAME_MAX + 2];
    (void)state;
    memset(longest, 'n', sizeof(longest));
    assert_true(sw__note_name_fits((sw_str)SW__LIT("example.com/orders")));
    assert_true(sw__note_name_fits((sw_str){longest, SW__NOTE_NAME_MAX}));
    assert_false(sw__note_name_fits((sw_str){longest, SW__NOTE_NAME_MAX + 1}));
    assert_false(sw__note_name_fits((sw_str)SW__LIT("")));
    assert_false(sw__note_name_fits((sw_str)SW__LIT("a+b")));
    assert_false(sw__note_name_fits((sw_str)SW__LIT("a b")));
    assert_false(sw__note_name_fits((sw_str)SW__LIT("a\nb")));
    assert_false(sw__note_name_fits((sw_str)SW__LIT("a\xc3\xa4")));
}

static int open_with(sw_str text, const sw__note_signer *signer, sw__checkpoint *out)
{
    const char *why = NULL;
    int rc = sw__checkpoint_open(text, &signer->key, 1, out, &why);
    assert_true(rc == SW_OK || why);
    return rc;
}

static void test_a_checkpoint_comes_back(void **state)
{
    static const int64_t sizes[] = {0, 1, 10, INT64_MAX};
    uint8_t root[32];
    (void)state;
    sw__note_signer signer = signer_of("example.com/orders", 7);
    memset(root, 0xa5, sizeof(root));
    for (size_t i = 0; i < 4; i++) {
        sw__checkpoint checkpoint;
        sw__buf_clear(&note);
        assert_int_equal(sw__checkpoint_sign(&note, &signer, sizes[i], root), SW_OK);
        assert_int_equal(open_with(sw__buf_str(&note), &signer, &checkpoint), SW_OK);
        assert_true(sw__str_is(checkpoint.origin, "example.com/orders"));
        assert_int_equal(checkpoint.size, sizes[i]);
        assert_memory_equal(checkpoint.root, root, 32);
    }
}

/* No bit can be changed, no byte removed, no beginning passes for the whole. */
static void test_every_bit_of_a_checkpoint_counts(void **state)
{
    uint8_t root[32] = {1};
    sw__checkpoint checkpoint;
    (void)state;
    sw__note_signer signer = signer_of("example.com/orders", 7);
    sw__buf_clear(&note);
    assert_int_equal(sw__checkpoint_sign(&note, &signer, 4711, root), SW_OK);
    for (size_t bit = 0; bit < note.len * 8; bit++) {
        note.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(open_with(sw__buf_str(&note), &signer, &checkpoint), SW_EINVAL);
        note.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < note.len; len++) {
        char *copy = malloc(note.len);
        assert_non_null(copy);
        assert_int_equal(open_with((sw_str){(char *)note.ptr, len}, &signer, &checkpoint),
                         SW_EINVAL);
        memcpy(copy, note.ptr, len);
        memcpy(copy + len, note.ptr + len + 1, note.len - len - 1);
        assert_int_equal(open_with((sw_str){copy, note.len - 1}, &signer, &checkpoint), SW_EINVAL);
        free(copy);
    }
}

/* Signatures of others are passed over; a bad one of ours is not. */
static void test_several_signatures(void **state)
{
    uint8_t root[32] = {2};
    sw__checkpoint checkpoint;
    const char *why = NULL;
    (void)state;
    sw__note_signer ours = signer_of("example.com/orders", 7);
    sw__note_signer other = signer_of("witness.example", 8);
    sw__note_signer twin = signer_of("example.com/orders", 9);
    const sw__note_key keys[] = {other.key, ours.key};
    sw__buf_clear(&note);
    assert_int_equal(sw__checkpoint_sign(&note, &ours, 3, root), SW_OK);
    assert_int_equal(open_with(sw__buf_str(&note), &other, &checkpoint), SW_EINVAL);
    assert_int_equal(open_with(sw__buf_str(&note), &twin, &checkpoint), SW_EINVAL);
    assert_int_equal(sw__checkpoint_open(sw__buf_str(&note), keys, 2, &checkpoint, &why), SW_OK);
    assert_int_equal(checkpoint.who.key_index, 1);
    size_t len = note.len;
    sw__buf_put_text(&note, DASH "somebody AAAAAAE=\n");
    assert_int_equal(open_with(sw__buf_str(&note), &ours, &checkpoint), SW_OK);
    note.len = len;
    sw__buf_put_text(&note, DASH "somebody AAAAAA==\n");
    assert_int_equal(open_with(sw__buf_str(&note), &ours, &checkpoint), SW_EINVAL);
    note.len = len;
    sw__buf_put_text(&note, DASH "example.com/orders ");
    size_t at = len - 1;
    while (note.ptr[at - 1] != ' ')
        at--;
    sw__buf_put(&note, note.ptr + at, len - at - 6);
    sw__buf_put_text(&note, "AAAA=\n");
    assert_int_equal(open_with(sw__buf_str(&note), &ours, &checkpoint), SW_EINVAL);
}

/* Signed by the key, but not what a checkpoint says. */
static void test_signed_texts_that_are_no_checkpoint(void **state)
{
    static const char *const texts[] = {
        "example.com/orders\n",
        "example.com/orders\n3\n",
        "example.com/orders\n3\nAAAA\n",
        "example.com/orders\n03\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "example.com/orders\n\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "example.com/orders\n-3\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "example.com/orders\n9223372036854775808\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "\n3\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "example.com/orders\n3\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nextension\n",
        "example.com/others\n3\nAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    };
    sw__checkpoint checkpoint;
    (void)state;
    sw__note_signer signer = signer_of("example.com/orders", 7);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sw__buf_clear(&note);
        sw__buf_put_text(&note, texts[i]);
        assert_int_equal(sw__note_sign(&note, &signer), SW_OK);
        assert_int_equal(open_with(sw__buf_str(&note), &signer, &checkpoint), SW_EINVAL);
    }
    sw__buf_clear(&note);
    sw__buf_put_text(&note, "example.com/orders\n3\n"
                            "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nan extension\n");
    assert_int_equal(sw__note_sign(&note, &signer), SW_OK);
    assert_int_equal(open_with(sw__buf_str(&note), &signer, &checkpoint), SW_OK);
}

static int sign_with(const sw_env *env, void *context)
{
    sw__buf buf;
    uint8_t root[32] = {0};
    sw__buf_init(&buf, env);
    int rc = sw__checkpoint_sign(&buf, context, 1, root);
    sw__buf_free(&buf);
    return rc;
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    (void)state;
    sw__note_signer signer = signer_of("example.com/orders", 7);
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, sign_with, &signer) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_example),
        cmocka_unit_test(test_keys_that_cannot_be_read),
        cmocka_unit_test(test_names_of_keys),
        cmocka_unit_test(test_a_checkpoint_comes_back),
        cmocka_unit_test(test_every_bit_of_a_checkpoint_counts),
        cmocka_unit_test(test_several_signatures),
        cmocka_unit_test(test_signed_texts_that_are_no_checkpoint),
        cmocka_unit_test(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, note_setup, note_teardown);
}
