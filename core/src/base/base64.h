/* Base64 of RFC 4648, section 4, with padding: one way to write each run of bytes, and nothing else
 * is read. */
#ifndef SW_BASE_BASE64_H
#define SW_BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Characters that size bytes take. */
#define SW__BASE64_LENGTH(size) (((size) + 2) / 3 * 4)

/* Appends; buf->failed says whether it could. */
void sw__base64_put(sw__buf *buf, const void *bytes, size_t size);
/* Read all of text into at most room bytes; false when it is not what sw__base64_put writes, or is
 * longer. */
bool sw__base64_read(sw_str text, uint8_t *bytes, size_t room, size_t *size);

#endif
