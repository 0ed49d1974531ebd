/* Ed25519; see ed25519.h. libcrypto says 0 for everything that fails, which is memory here: every
 * 32 bytes are a secret key. */
#include "base/ed25519.h"

#include <openssl/evp.h>
#include <string.h>

#include "stepwell/error.h"

int sw__ed25519_public(const uint8_t secret[32], uint8_t public_key[32])
{
    size_t size = SW__ED25519_KEY_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, size);
    int ok = key && EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1;
    EVP_PKEY_free(key);
    return ok ? SW_OK : SW_ENOMEM;
}

int sw__ed25519_sign(const uint8_t secret[32], sw_str message, uint8_t signature[64])
{
    size_t size = SW__ED25519_SIGNATURE_SIZE;
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, SW__ED25519_KEY_SIZE);
    EVP_MD_CTX *context = key ? EVP_MD_CTX_new() : NULL;
    int ok =
        context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestSign(context, signature, &size, (const uint8_t *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok ? SW_OK : SW_ENOMEM;
}

/* A public key that is no point of the curve signs nothing. */
int sw__ed25519_check(const uint8_t public_key[32], sw_str message, const uint8_t signature[64])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SW__ED25519_KEY_SIZE);
    EVP_MD_CTX *context = key ? EVP_MD_CTX_new() : NULL;
    int ready = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1;
    int good = ready && EVP_DigestVerify(context, signature, SW__ED25519_SIGNATURE_SIZE,
                                         (const uint8_t *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ready ? good : SW_ENOMEM;
}
