/* UTF-8 validity.
 *
 * Not here: normalisation or any knowledge of characters beyond their encoding.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The second byte's range carries all special cases: overlong forms, surrogates, and the end of the
 * code space. */
size_t sw__utf8_char_len(const uint8_t *bytes, size_t left)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80)
        return 1;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t len;
    if (lead >= 0xc2 && lead <= 0xdf) {
        len = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        len = 3;
        low = lead == 0xe0 ? 0xa0 : 0x80;
        high = lead == 0xed ? 0x9f : 0xbf;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        len = 4;
        low = lead == 0xf0 ? 0x90 : 0x80;
        high = lead == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < len || bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

size_t sw__utf8_check(sw_str text)
{
    const uint8_t *bytes = (const uint8_t *)text.ptr;
    size_t at = 0;
    while (at < text.len) {
        if (text.len - at >= sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, bytes + at, sizeof(word));
            if (!(word & UINT64_C(0x8080808080808080))) {
                at += sizeof(word);
                continue;
            }
        }
        size_t len = sw__utf8_char_len(bytes + at, text.len - at);
        if (len == 0)
            return at;
        at += len;
    }
    return at;
}

bool sw__utf8_is_text(sw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        if (byte < 0x20 || byte == 0x7f)
            return false;
    }
    return sw__utf8_check(text) == text.len;
}

sw_str sw__utf8_cut(sw_str text, size_t max)
{
    if (text.len <= max)
        max = text.len;
    /* Step back over the bytes of at most one character, and keep it when it is whole. */
    size_t start = max;
    while (start > 0 && max - start < 3 && ((uint8_t)text.ptr[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (uint8_t)text.ptr[start - 1] >= 0xc0) {
        start--;
        size_t len = sw__utf8_char_len((const uint8_t *)text.ptr + start, max - start);
        if (len == 0)
            max = start;
    }
    return (sw_str){text.ptr, max};
}
