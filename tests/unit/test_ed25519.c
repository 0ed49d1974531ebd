/* Ed25519 against RFC 8032, and libcrypto failing at each of its calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/ed25519.h"
#include "base/hex.h"
#include "base/str.h"
#include "stepwell/error.h"

/* As in test_hash.c: the function whose name is in failing fails. */
static const char *failing = "";

static void *crypto_function(const char *name)
{
    return strcmp(failing, name) == 0 ? NULL : dlsym(RTLD_NEXT, name);
}

EVP_PKEY *EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *bytes,
                                       size_t size)
{
    EVP_PKEY *(*real)(int, ENGINE *, const unsigned char *, size_t);
    *(void **)&real = crypto_function("EVP_PKEY_new_raw_private_key");
    return real ? real(type, engine, bytes, size) : NULL;
}

EVP_PKEY *EVP_PKEY_new_raw_public_key(int type, ENGINE *engine, const unsigned char *bytes,
                                      size_t size)
{
    EVP_PKEY *(*real)(int, ENGINE *, const unsigned char *, size_t);
    *(void **)&real = crypto_function("EVP_PKEY_new_raw_public_key");
    return real ? real(type, engine, bytes, size) : NULL;
}

EVP_MD_CTX *EVP_MD_CTX_new(void)
{
    EVP_MD_CTX *(*real)(void);
    *(void **)&real = crypto_function("EVP_MD_CTX_new");
    return real ? real() : NULL;
}

static void bytes_of(const char *hex, uint8_t *bytes)
{
    for (size_t i = 0; hex[2 * i]; i++)
        bytes[i] = (uint8_t)(sw__hex_digit(hex[2 * i]) << 4 | sw__hex_digit(hex[2 * i + 1]));
}

static const struct {
    const char *secret;
    const char *public_key;
    sw_str message;
    const char *signature;
} examples[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", SW__LIT(""),
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", SW__LIT("\x72"),
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
};

static void test_published_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t secret[32];
        uint8_t public_key[32];
        uint8_t made[32];
        uint8_t expected[64];
        uint8_t signature[64];
        bytes_of(examples[i].secret, secret);
        bytes_of(examples[i].public_key, public_key);
        bytes_of(examples[i].signature, expected);
        assert_int_equal(sw__ed25519_public(secret, made), SW_OK);
        assert_memory_equal(made, public_key, 32);
        assert_int_equal(sw__ed25519_sign(secret, examples[i].message, signature), SW_OK);
        assert_memory_equal(signature, expected, 64);
        assert_int_equal(sw__ed25519_check(public_key, examples[i].message, signature), 1);
        assert_int_equal(sw__ed25519_check(public_key, (sw_str)SW__LIT("x"), signature), 0);
        for (int bit = 0; bit < 512; bit++) {
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(sw__ed25519_check(public_key, examples[i].message, signature), 0);
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void test_a_failing_library_is_no_bad_signature(void **state)
{
    static const char *const calls[] = {"EVP_PKEY_new_raw_private_key", "EVP_MD_CTX_new",
                                        "EVP_PKEY_new_raw_public_key"};
    uint8_t secret[32];
    uint8_t public_key[32];
    uint8_t signature[64];
    (void)state;
    bytes_of(examples[0].secret, secret);
    assert_int_equal(sw__ed25519_public(secret, public_key), SW_OK);
    failing = calls[0];
    assert_int_equal(sw__ed25519_public(secret, public_key), SW_ENOMEM);
    for (int i = 0; i < 2; i++) {
        failing = calls[i];
        assert_int_equal(sw__ed25519_sign(secret, examples[0].message, signature), SW_ENOMEM);
        failing = calls[i + 1];
        assert_int_equal(sw__ed25519_check(public_key, examples[0].message, signature), SW_ENOMEM);
    }
    failing = "";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_examples),
        cmocka_unit_test(test_a_failing_library_is_no_bad_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
