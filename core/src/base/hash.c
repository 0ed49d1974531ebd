/* SHA-256 through libcrypto. A message of a few hundred bytes, as leaves and nodes of a tree are,
 * costs the interface of digests more than the hashing does: such a one is padded here, and only
 * its blocks are given to libcrypto. Not here: what is hashed, and in which order. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "base/env.h"
#include "base/hex.h"
#include "stepwell/error.h"

#define HASH_SHORT 512 /* bytes of a message that is put together and padded here */
#define HASH_BLOCK 64
#define HASH_LENGTH 8 /* bytes at the end of the last block that say how long the message is */
#define HASH_ROOM (HASH_SHORT + HASH_BLOCK + HASH_LENGTH)

struct sw__hasher {
    const sw_env *env;
    EVP_MD *digest;
    EVP_MD_CTX *state;
    bool by_blocks; /* no other provider was configured to do the hashing, which must then do it */
};

static bool hash_is_plain(const EVP_MD *digest)
{
    const char *name = OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(digest));
    return strcmp(name, "default") == 0;
}

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
    hasher->by_blocks = hash_is_plain(hasher->digest);
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

/* The parts of a node are one byte and 32 bytes long: those are copied without a call. */
static void hash_copy(uint8_t *to, sw_str part)
{
    if (part.len == 1)
        *to = (uint8_t)*part.ptr;
    else if (part.len == 32)
        memcpy(to, part.ptr, 32);
    else if (part.len > 0)
        memcpy(to, part.ptr, part.len);
}

/* The parts in one piece when they are short: then *size is that of all of them. */
static bool hash_gather(const sw_str *parts, size_t part_count, uint8_t room[HASH_ROOM],
                        size_t *size)
{
    size_t used = 0;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > HASH_SHORT - used)
            return false;
        hash_copy(room + used, parts[i]);
        used += parts[i].len;
    }
    *size = used;
    return true;
}

/* A one, zeros, and the length in bits, highest byte first, so that the last block is full. */
static size_t hash_pad(uint8_t room[HASH_ROOM], size_t size)
{
    size_t end = (size + HASH_LENGTH + HASH_BLOCK) / HASH_BLOCK * HASH_BLOCK;
    memset(room + size, 0, HASH_BLOCK + HASH_LENGTH); /* so much at most; a length that is known */
    room[size] = 0x80;
    room[end - 2] = (uint8_t)(size * 8 >> 8);
    room[end - 1] = (uint8_t)(size * 8);
    return end;
}

static uint32_t hash_big_endian(uint32_t word)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(word) : word;
}

/* The compression of libcrypto is what its interface of digests runs too; the functions that reach
 * it without that are marked as old, and only that. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static bool hash_blocks(uint8_t room[HASH_ROOM], size_t size, uint8_t digest[32])
{
    SHA256_CTX state;
    if (SHA256_Init(&state) != 1 || SHA256_Update(&state, room, hash_pad(room, size)) != 1)
        return false;
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = hash_big_endian(state.h[i]);
        memcpy(digest + i * sizeof(word), &word, sizeof(word));
    }
    return true;
}
#pragma GCC diagnostic pop

/* The digest was named when the state was made; each new start keeps it. */
int sw__hash(sw__hasher *hasher, const sw_str *parts, size_t part_count, uint8_t digest[32])
{
    uint8_t room[HASH_ROOM];
    size_t size = 0;
    if (hasher->by_blocks && hash_gather(parts, part_count, room, &size))
        return hash_blocks(room, size, digest) ? SW_OK : SW_ENOMEM;
    int ok = EVP_DigestInit_ex2(hasher->state, NULL, NULL);
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
#undef HASH_BLOCK
#undef HASH_LENGTH
#undef HASH_ROOM
