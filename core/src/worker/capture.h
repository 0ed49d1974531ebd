/* The beginning and the end of an output without end: what lies between is counted and dropped. */
#ifndef SW_WORKER_CAPTURE_H
#define SW_WORKER_CAPTURE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

typedef struct sw__capture {
    const sw_env *env;
    char *bytes; /* the head, then the tail as a ring */
    size_t head_max;
    size_t head_len;
    size_t tail_max;
    size_t tail_at; /* where the next byte of the tail goes */
    size_t tail_len;
    uint64_t total; /* bytes seen */
} sw__capture;

/* Keep at most max bytes, half from the start and half from the end. 0 or SW_ENOMEM. */
int sw__capture_open(sw__capture *capture, const sw_env *env, size_t max);
void sw__capture_close(sw__capture *capture);
void sw__capture_put(sw__capture *capture, const char *bytes, size_t size);
/* Append what is kept, at most limit bytes of it, with a line between the parts that says how much
 * is missing. Returns whether something is. Characters are not cut, other bytes stay as they are.
 */
bool sw__capture_text(const sw__capture *capture, size_t limit, sw__buf *out);

/* Text for people out of any bytes: U+FFFD for what is no UTF-8 or no printable character; line
 * ends and tabs stay. */
sw_str sw__text_clean(sw__arena *arena, sw_str bytes);

#endif
