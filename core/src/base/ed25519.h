/* Ed25519 signatures (RFC 8032) by libcrypto. Not here: what is signed, how keys are written. */
#ifndef SW_BASE_ED25519_H
#define SW_BASE_ED25519_H

#include <stdint.h>

#include "stepwell/types.h"

#define SW__ED25519_KEY_SIZE 32
#define SW__ED25519_SIGNATURE_SIZE 64

/* The public key of a secret one; 0 or SW_ENOMEM. */
int sw__ed25519_public(const uint8_t secret[32], uint8_t public_key[32]);
/* Sign a message; 0 or SW_ENOMEM. */
int sw__ed25519_sign(const uint8_t secret[32], sw_str message, uint8_t signature[64]);
/* Whether the signature is good: 1 or 0, or SW_ENOMEM. */
int sw__ed25519_check(const uint8_t public_key[32], sw_str message, const uint8_t signature[64]);

#endif
