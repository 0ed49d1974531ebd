/* SHA-256 by libcrypto, with the digest fetched once and the context reused (a third of the cost
 * of the one-shot call for short messages). One hasher belongs to one engine or one call. */
#ifndef SW_BASE_HASH_H
#define SW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "stepwell/sys/env.h"
#include "stepwell/types.h"

typedef struct sw__hasher sw__hasher;

sw__hasher *sw__hasher_new(const sw_env *env); /* NULL when libcrypto or memory fails */
void sw__hasher_free(sw__hasher *hasher);
/* Digest of the concatenation of part_count parts; 0 or SW_ENOMEM. */
int sw__hash(sw__hasher *hasher, const sw_str *parts, size_t part_count, uint8_t digest[32]);
/* 64 lower-case hex digits and a terminating zero. */
void sw__hash_hex(const uint8_t digest[32], char text[65]);

#endif
