/* Buffered random bytes and monotonic UUIDv7 (RFC 9562, section 5.7, method 1 of 6.2).
 * One source belongs to one engine and is used under its lock. */
#ifndef SW_BASE_RAND_H
#define SW_BASE_RAND_H

#include "stepwell/sys/env.h"
#include "stepwell/types.h"

typedef struct sw__rand {
    const sw_env *env;
    size_t used; /* bytes of the buffer given out; starts at its size, so empty */
    uint64_t last_ms;
    uint16_t sequence;
    uint8_t buffer[2048];
} sw__rand;

void sw__rand_init(sw__rand *source, const sw_env *env);
/* 0 or a negative sw_code. */
int sw__rand_bytes(sw__rand *source, void *out, size_t size);
/* Uniform in [0, 1); 0.5 when the environment has no random bytes to give. */
double sw__rand_unit(sw__rand *source);
/* Greater than every UUID this source has made before; time_us is UTC. */
int sw__uuid7_new(sw__rand *source, int64_t time_us, sw_uuid *out);

#endif
