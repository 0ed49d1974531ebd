/* SHA-256 through libcrypto. Not here: what is hashed, and in which order. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/env.h"
#include "base/hex.h"
#include "stepwell/error.h"

#define HASH_SHORT                                                                                 \
    256 /* bytes of a message that is put together first: a call less for each part */

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
    if (!hasher->digest || !hasher->state ||
        EVP_DigestInit_ex2(hasher->state, hasher->digest, NULL) != 1) {
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

/* The parts in one piece when they are short: then *message is all of them. */
static bool hash_gather(const sw_str *parts, size_t part_count, char room[HASH_SHORT],
                        sw_str *message)
{
    *message = (sw_str){room, 0};
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > HASH_SHORT - message->len)
            return false;
        if (parts[i].len > 0)
            memcpy(room + message->len, parts[i].ptr, parts[i].len);
        message->len += parts[i].len;
    }
    return true;
}

/* The digest was named when the state was made; each new start keeps it. */
int sw__hash(sw__hasher *hasher, const sw_str *parts, size_t part_count, uint8_t digest[32])
{
    char room[HASH_SHORT];
    sw_str message;
    int ok = EVP_DigestInit_ex2(hasher->state, NULL, NULL);
    if (part_count > 1 && hash_gather(parts, part_count, room, &message)) {
        parts = &message;
        part_count = 1;
    }
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

#undef HASH_SHORT
