/* Hexadecimal digits, for identifiers, digests and escapes. */
#ifndef SW_BASE_HEX_H
#define SW_BASE_HEX_H

#include <stdint.h>

/* Value of a digit of either case, or -1. */
static inline int sw__hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Write a byte as two lower-case digits, without a terminating zero. */
static inline void sw__hex_put(uint8_t byte, char *text)
{
    text[0] = "0123456789abcdef"[byte >> 4];
    text[1] = "0123456789abcdef"[byte & 15];
}

#endif
