/* UTF-8 validity (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
#ifndef SW_BASE_UTF8_H
#define SW_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell/types.h"

/* Length of the valid character at the start of bytes, of which left are there (at least one); 0
 * when there is none. */
size_t sw__utf8_char_len(const uint8_t *bytes, size_t left);

/* Offset of the first invalid byte, or text.len. */
size_t sw__utf8_check(sw_str text);
/* Valid and without control characters (C0, DEL). */
bool sw__utf8_is_text(sw_str text);
/* The longest prefix of at most max bytes that does not cut a character. */
sw_str sw__utf8_cut(sw_str text, size_t max);

#endif
