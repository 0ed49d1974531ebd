/* Numbers and byte strings as the audit log writes them: minimal LEB128, lengths in front.
 *
 * Inline because a verification reads a dozen of them per entry. Reading stops at the first fault:
 * the reader keeps a static phrase that says why, and every later take fails too. */
#ifndef SW_AUDIT_WIRE_H
#define SW_AUDIT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stepwell/types.h"

#define SW__WIRE_NUMBER_MAX 10 /* bytes of the longest number */

typedef struct sw__wire {
    const uint8_t *at;
    const uint8_t *end;
    const char *why; /* NULL while all is well */
} sw__wire;

static inline uint8_t *sw__wire_put(uint8_t *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    *at++ = (uint8_t)number;
    return at;
}

/* An absent string is 0; a present one is its length plus one, then its bytes. */
static inline uint8_t *sw__wire_put_str(uint8_t *at, sw_str text)
{
    if (!text.ptr)
        return sw__wire_put(at, 0);
    at = sw__wire_put(at, (uint64_t)text.len + 1);
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static inline bool sw__wire_refuse(sw__wire *wire, const char *why)
{
    if (!wire->why)
        wire->why = why;
    wire->at = wire->end;
    return false;
}

/* Eight bytes, the lowest first. A loop over them is not always made into one load. */
static inline uint64_t sw__wire_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* A number of two to eight bytes that has eight behind it: its bytes at once. Times and numbers of
 * steps are such. */
static inline bool sw__wire_take_word(sw__wire *wire, int64_t *number)
{
    uint64_t word = sw__wire_word(wire->at);
    uint64_t ends = ~word & UINT64_C(0x8080808080808080);
    if (ends == 0)
        return false;
    int bits = __builtin_ctzll(ends) + 1;
    uint64_t value = word & (UINT64_MAX >> (64 - bits));
    if (value >> (bits - 8) == 0)
        return false;
    value &= UINT64_C(0x7f7f7f7f7f7f7f7f);
    value = (value & UINT64_C(0x007f007f007f007f)) | (value & UINT64_C(0x7f007f007f007f00)) >> 1;
    value = (value & UINT64_C(0x00003fff00003fff)) | (value & UINT64_C(0x3fff00003fff0000)) >> 2;
    value = (value & UINT64_C(0x000000000fffffff)) | (value & UINT64_C(0x0fffffff00000000)) >> 4;
    wire->at += bits / 8;
    *number = (int64_t)value;
    return true;
}

/* A call, so that taking a number of one byte, as most are, is small enough to need none. */
__attribute__((noinline, unused)) static bool sw__wire_take_long(sw__wire *wire, int64_t *number)
{
    if (wire->end - wire->at >= 8 && sw__wire_take_word(wire, number))
        return true;
    uint64_t value = 0;
    const uint8_t *at = wire->at;
    for (int shift = 0;; shift += 7) {
        if (at == wire->end)
            return sw__wire_refuse(wire, "it ends inside a number");
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (byte == 0 && shift > 0)
                return sw__wire_refuse(wire, "a number is longer than it needs to be");
            break;
        }
        if (shift == 56)
            return sw__wire_refuse(wire, "a number is out of range");
    }
    wire->at = at;
    *number = (int64_t)value;
    return true;
}

/* A number from 0 to INT64_MAX, which is what nine bytes hold. */
static inline bool sw__wire_take(sw__wire *wire, int64_t *number)
{
    if (wire->at < wire->end && *wire->at < 0x80) {
        *number = *wire->at++;
        return true;
    }
    return sw__wire_take_long(wire, number);
}

/* A number from 0 to below limit. */
static inline bool sw__wire_take_int(sw__wire *wire, int64_t limit, int32_t *number)
{
    int64_t value = 0;
    if (!sw__wire_take(wire, &value))
        return false;
    if (value >= limit)
        return sw__wire_refuse(wire, "a number is out of range");
    *number = (int32_t)value;
    return true;
}

static inline bool sw__wire_take_bytes(sw__wire *wire, int64_t size, const uint8_t **bytes)
{
    if (size > wire->end - wire->at)
        return sw__wire_refuse(wire, "it ends inside a text");
    *bytes = wire->at;
    wire->at += size;
    return true;
}

/* The string points into the bytes that are read. */
static inline bool sw__wire_take_str(sw__wire *wire, sw_str *text)
{
    int64_t size = 0;
    const uint8_t *bytes = NULL;
    if (!sw__wire_take(wire, &size))
        return false;
    *text = (sw_str){NULL, 0};
    if (size == 0)
        return true;
    if (!sw__wire_take_bytes(wire, size - 1, &bytes))
        return false;
    *text = (sw_str){(const char *)bytes, (size_t)(size - 1)};
    return true;
}

#endif
