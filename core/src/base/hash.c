/* SHA-256 through libcrypto. Not here: what is hashed, and in which order. */
#include "base/hash.h"

#include <openssl/evp.h>

#include "base/env.h"
#include "base/hex.h"
#include "stepwell/error.h"

struct sw__hasher {
    const sw_env *env;
    EVP_MD *digest;
    EVP_MD_CTX *state;
};

sw__hasher *sw__hasher_new(const sw_env *env)
{
    sw__hasher *hasher = sw__calloc(env, 1, sizeof(*hasher));
    if (!hasher)
        return NULL;
    hasher->env = env;
    hasher->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->state = EVP_MD_CTX_new();
    if (!hasher->digest || !hasher->state) {
        sw__hasher_free(hasher);
        return NULL;
    }
    return hasher;
}

void sw__hasher_free(sw__hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->state);
    EVP_MD_free(hasher->digest);
    sw__free(hasher->env, hasher);
}

int sw__hash(sw__hasher *hasher, const sw_str *parts, size_t part_count, uint8_t digest[32])
{
    int ok = EVP_DigestInit_ex2(hasher->state, hasher->digest, NULL);
    for (size_t i = 0; ok == 1 && i < part_count; i++)
        ok = EVP_DigestUpdate(hasher->state, parts[i].ptr, parts[i].len);
    if (ok == 1)
        ok = EVP_DigestFinal_ex(hasher->state, digest, NULL);
    return ok == 1 ? SW_OK : SW_ENOMEM;
}

void sw__hash_hex(const uint8_t digest[32], char text[65])
{
    for (int i = 0; i < 32; i++)
        sw__hex_put(digest[i], text + 2 * i);
    text[64] = '\0';
}
