/* Base64; see base64.h. Not here: the alphabet for addresses, and line breaks. */
#include "base/base64.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sw__base64_put(sw__buf *buf, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t left = size; left > 0; left -= left < 3 ? left : 3, at += 3) {
        uint32_t group = (uint32_t)at[0] << 16;
        group |= left > 1 ? (uint32_t)at[1] << 8 : 0;
        group |= left > 2 ? at[2] : 0;
        sw__buf_put_byte(buf, (uint8_t)base64_digits[group >> 18]);
        sw__buf_put_byte(buf, (uint8_t)base64_digits[group >> 12 & 63]);
        sw__buf_put_byte(buf, (uint8_t)(left > 1 ? base64_digits[group >> 6 & 63] : '='));
        sw__buf_put_byte(buf, (uint8_t)(left > 2 ? base64_digits[group & 63] : '='));
    }
}

static int base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* Four characters to one to three bytes; 0 when they are none. The bits behind the last byte must
 * be 0, or two texts would say the same. */
static size_t base64_group(const char *text, bool last, uint8_t bytes[3])
{
    uint32_t group = 0;
    size_t padding = !last || text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? base64_value(text[i]) : 0;
        if (value < 0)
            return 0;
        group = group << 6 | (uint32_t)value;
    }
    if (group & ((1U << 8 * padding) - 1))
        return 0;
    bytes[0] = (uint8_t)(group >> 16);
    bytes[1] = (uint8_t)(group >> 8);
    bytes[2] = (uint8_t)group;
    return 3 - padding;
}

bool sw__base64_read(sw_str text, uint8_t *bytes, size_t room, size_t *size)
{
    *size = 0;
    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        uint8_t group[3];
        size_t count = base64_group(text.ptr + i, i + 4 == text.len, group);
        if (count == 0 || count > room - *size)
            return false;
        for (size_t j = 0; j < count; j++)
            bytes[(*size)++] = group[j];
    }
    return true;
}
