/* Buffered random bytes, and UUIDs of version 7 made from them.
 *
 * Not here: the source of the bytes (sw_env).
 */
#include "base/rand.h"

#include <string.h>

#include "stepwell/error.h"

#define SW__UUID_SEQUENCE_MAX 0xfffu

void sw__rand_init(sw__rand *source, const sw_env *env)
{
    memset(source, 0, sizeof(*source));
    source->env = env;
    source->used = sizeof(source->buffer);
}

/* Bytes given out are wiped, so that a key or salt does not stay behind in the buffer. */
static void rand_take(sw__rand *source, uint8_t *out, size_t size)
{
    memcpy(out, source->buffer + source->used, size);
    memset(source->buffer + source->used, 0, size);
    source->used += size;
}

int sw__rand_bytes(sw__rand *source, void *out, size_t size)
{
    const sw_env *env = source->env;
    if (size > sizeof(source->buffer))
        return env->random(env->context, out, size);
    size_t left = sizeof(source->buffer) - source->used;
    if (size > left) {
        int rc = env->random(env->context, source->buffer, source->used);
        if (rc < 0)
            return rc;
        source->used = 0;
    }
    rand_take(source, out, size);
    return SW_OK;
}

double sw__rand_unit(sw__rand *source)
{
    uint64_t bits;
    if (sw__rand_bytes(source, &bits, sizeof(bits)) < 0)
        return 0.5;
    return (double)(bits >> 11) * 0x1.0p-53;
}

/* The counter starts anywhere in the lower half of its range each millisecond, which leaves room
 * to count; when the room is used up, or the clock has gone back, the time of the last UUID is
 * carried on instead of the clock's. */
int sw__uuid7_new(sw__rand *source, int64_t time_us, sw_uuid *out)
{
    uint64_t ms = time_us > 0 ? (uint64_t)time_us / 1000 : 0;
    uint8_t fresh[10];
    int rc = sw__rand_bytes(source, fresh, sizeof(fresh));
    if (rc < 0)
        return rc;
    uint16_t start = (uint16_t)(((unsigned)fresh[8] << 8 | fresh[9]) & (SW__UUID_SEQUENCE_MAX / 2));
    if (ms > source->last_ms) {
        source->last_ms = ms;
        source->sequence = start;
    } else if (source->sequence < SW__UUID_SEQUENCE_MAX) {
        source->sequence++;
    } else {
        source->last_ms++;
        source->sequence = start;
    }
    for (int i = 0; i < 6; i++)
        out->bytes[i] = (uint8_t)(source->last_ms >> (40 - 8 * i));
    out->bytes[6] = (uint8_t)(0x70 | source->sequence >> 8);
    out->bytes[7] = (uint8_t)source->sequence;
    memcpy(out->bytes + 8, fresh, 8);
    out->bytes[8] = (uint8_t)(0x80 | (out->bytes[8] & 0x3f));
    return SW_OK;
}
