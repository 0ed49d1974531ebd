/* SHA-256 against the published examples, and libcrypto failing at each of its calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

/* The program's own functions come before those of libcrypto; each passes its call on, except the
 * one whose name is in failing. */
static const char *failing = "";

static void *crypto_function(const char *name)
{
    return strcmp(failing, name) == 0 ? NULL : dlsym(RTLD_NEXT, name);
}

EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *library, const char *algorithm, const char *properties)
{
    EVP_MD *(*real)(OSSL_LIB_CTX *, const char *, const char *);
    *(void **)&real = crypto_function("EVP_MD_fetch");
    return real ? real(library, algorithm, properties) : NULL;
}

EVP_MD_CTX *EVP_MD_CTX_new(void)
{
    EVP_MD_CTX *(*real)(void);
    *(void **)&real = crypto_function("EVP_MD_CTX_new");
    return real ? real() : NULL;
}

int EVP_DigestInit_ex2(EVP_MD_CTX *state, const EVP_MD *digest, const OSSL_PARAM *params)
{
    int (*real)(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM *);
    *(void **)&real = crypto_function("EVP_DigestInit_ex2");
    return real ? real(state, digest, params) : 0;
}

int EVP_DigestUpdate(EVP_MD_CTX *state, const void *bytes, size_t size)
{
    int (*real)(EVP_MD_CTX *, const void *, size_t);
    *(void **)&real = crypto_function("EVP_DigestUpdate");
    return real ? real(state, bytes, size) : 0;
}

int EVP_DigestFinal_ex(EVP_MD_CTX *state, unsigned char *digest, unsigned int *size)
{
    int (*real)(EVP_MD_CTX *, unsigned char *, unsigned int *);
    *(void **)&real = crypto_function("EVP_DigestFinal_ex");
    return real ? real(state, digest, size) : 0;
}

/* The call that hashes a short message; marked as old, and only that. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
int SHA256_Update(SHA256_CTX *state, const void *bytes, size_t size)
{
    int (*real)(SHA256_CTX *, const void *, size_t);
    *(void **)&real = crypto_function("SHA256_Update");
    return real ? real(state, bytes, size) : 0;
}
#pragma GCC diagnostic pop

/* What the provider of a fetched digest is called; NULL for what it is. */
static const char *provider = NULL;

const char *OSSL_PROVIDER_get0_name(const OSSL_PROVIDER *found)
{
    const char *(*real)(const OSSL_PROVIDER *);
    *(void **)&real = crypto_function("OSSL_PROVIDER_get0_name");
    return provider ? provider : real(found);
}

static void assert_hash(sw__hasher *hasher, const sw_str *parts, size_t count, const char *expected)
{
    uint8_t digest[32];
    char text[65];
    assert_int_equal(sw__hash(hasher, parts, count, digest), SW_OK);
    sw__hash_hex(digest, text);
    assert_string_equal(text, expected);
}

/* FIPS 180-2 gives these three; the same hasher is used for all. */
static void test_published_examples(void **state)
{
    (void)state;
    static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char long_text[] =
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    assert_non_null(hasher);
    assert_hash(hasher, NULL, 0, empty);
    assert_hash(hasher, &(sw_str){"abc", 3}, 1, abc);
    assert_hash(hasher, &(sw_str){"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
                1, long_text);
    const sw_str parts[] = {SW__LIT("a"), {NULL, 0}, SW__LIT("bc")};
    assert_hash(hasher, parts, 3, abc);
    sw__hasher_free(hasher);
    sw__hasher_free(NULL);
}

static void test_new_fails_cleanly(void **state)
{
    (void)state;
    static const char *const calls[] = {"EVP_MD_fetch", "EVP_MD_CTX_new"};
    fault_env fault;
    fault_env_init(&fault);
    for (size_t i = 0; i < 2; i++) {
        failing = calls[i];
        assert_null(sw__hasher_new(&fault.env));
    }
    failing = "";
    fault_env_arm(&fault, 1, false);
    assert_null(sw__hasher_new(&fault.env));
    assert_int_equal(fault.live, 0);
}

/* Short messages and long ones are hashed in different ways; around each end of a block, in one
 * part and in two, all have the digest of libcrypto's own interface. */
static void test_every_length_has_its_digest(void **state)
{
    (void)state;
    uint8_t found[32];
    uint8_t expected[32];
    char text[1100];
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7 + i / 256);
    for (size_t size = 0; size <= sizeof(text); size++) {
        size_t cut = size / 3;
        const sw_str parts[] = {{text, cut}, {text + cut, size - cut}};
        assert_int_equal(EVP_Digest(text, size, expected, NULL, EVP_sha256(), NULL), 1);
        assert_int_equal(sw__hash(hasher, &(sw_str){text, size}, 1, found), SW_OK);
        assert_memory_equal(found, expected, sizeof(found));
        assert_int_equal(sw__hash(hasher, parts, 2, found), SW_OK);
        assert_memory_equal(found, expected, sizeof(found));
    }
    sw__hasher_free(hasher);
}

static void assert_hash_recovers(const char *const *calls, size_t count, sw_str part)
{
    uint8_t first[32];
    uint8_t again[32];
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    assert_int_equal(sw__hash(hasher, &part, 1, first), SW_OK);
    for (size_t i = 0; i < count; i++) {
        failing = calls[i];
        assert_int_equal(sw__hash(hasher, &part, 1, again), SW_ENOMEM);
        failing = "";
        assert_int_equal(sw__hash(hasher, &part, 1, again), SW_OK);
        assert_memory_equal(first, again, 32);
    }
    sw__hasher_free(hasher);
}

static const char *const digest_calls[] = {"EVP_DigestInit_ex2", "EVP_DigestUpdate",
                                           "EVP_DigestFinal_ex"};

static void test_hash_fails_cleanly_and_recovers(void **state)
{
    (void)state;
    static const char *const block_calls[] = {"SHA256_Update"};
    static const char text[2000] = "long";
    assert_hash_recovers(digest_calls, 3, (sw_str){text, sizeof(text)});
    assert_hash_recovers(block_calls, 1, (sw_str)SW__LIT("part"));
}

/* A program that is configured to hash with a provider of its own, say a validated one, has short
 * messages hashed by that as well. */
static void test_another_provider_hashes_everything(void **state)
{
    (void)state;
    provider = "fips";
    assert_hash_recovers(digest_calls, 3, (sw_str)SW__LIT("part"));
    provider = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_examples),
        cmocka_unit_test(test_new_fails_cleanly),
        cmocka_unit_test(test_every_length_has_its_digest),
        cmocka_unit_test(test_hash_fails_cleanly_and_recovers),
        cmocka_unit_test(test_another_provider_hashes_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
