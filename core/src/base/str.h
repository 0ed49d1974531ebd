/* Helpers on borrowed strings. Those that compare are inline: most texts differ in length from the
 * literal that they are held against, which then costs no call. */
#ifndef SW_BASE_STR_H
#define SW_BASE_STR_H

#include <stdbool.h>
#include <string.h>

#include "stepwell/types.h"

/* A string literal as sw_str; also usable in static initialisers. */
#define SW__LIT(text) {(text), sizeof(text) - 1}
/* For printf's "%.*s". */
#define SW__FMT(text) (int)(text).len, (text).ptr ? (text).ptr : ""

/* NULL gives the absent string. */
static inline sw_str sw__str(const char *text)
{
    return (sw_str){text, text ? strlen(text) : 0};
}

/* Absent equals empty. */
static inline bool sw__str_equal(sw_str a, sw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool sw__str_is(sw_str a, const char *b)
{
    return sw__str_equal(a, sw__str(b));
}

int sw__str_compare(sw_str a, sw_str b); /* by bytes, then by length */
/* A name: 1 to SW__NAME_MAX bytes of [A-Za-z0-9_.-]. */
bool sw__str_is_name(sw_str text);

#endif
