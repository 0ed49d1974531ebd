/* JSON text: a validity check for payloads, which stay opaque, and writing values.
 *
 * The check is ours and not jansson's because it runs on every result of every step: it builds no
 * tree and allocates nothing. Reading documents into trees is node.h. */
#ifndef SW_BASE_JSON_H
#define SW_BASE_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "stepwell/types.h"

/* What sw__json_check says of text that is nested deeper than SW__DEPTH_MAX; a limit, not a mistake
 * in the syntax, so callers may want to tell it apart. */
#define SW__JSON_TOO_DEEP "nested more than 64 deep"

/* Whether text is one RFC 8259 value in valid UTF-8, nested at most SW__DEPTH_MAX deep, without
 * lone surrogate escapes. Numbers may have any size: payloads are passed on as they are.
 * On failure *offset is where and *why a static phrase ("expected ',' or ']'"). */
bool sw__json_check(sw_str text, size_t *offset, const char **why);

/* Append text as a JSON string with quotes; invalid UTF-8 becomes U+FFFD. */
void sw__json_put_str(sw__buf *buf, sw_str text);
/* Append a double so that it reads back the same; integers below 2^53 without a point. What JSON
 * cannot write (infinities, NaN) becomes null. */
void sw__json_put_double(sw__buf *buf, double number);

#endif
