/* What both stores share, so that they cannot differ in it. Not for other floors. */
#ifndef SW_STORE_SHARED_H
#define SW_STORE_SHARED_H

#include "base/buf.h"
#include "base/error.h"
#include "store/store.h"

/* What is open between begin and commit or rollback. */
typedef enum sw__store_mode { SW__STORE_IDLE, SW__STORE_READING, SW__STORE_WRITING } sw__store_mode;

/* Name the element of the batch that failed; returns code. */
static inline int sw__fail_at(sw_error *err, int code, size_t row)
{
    if (err)
        err->row = (int64_t)row;
    return code;
}

/* The first number a sequence gives out. */
int64_t sw__sequence_start(sw__sequence sequence);
/* Move *next on by count; SW_ELIMIT when the numbers are used up, SW_ECORRUPT when there never was
 * such a number. */
int sw__sequence_advance(int64_t *next, int64_t count, sw_error *err);

/* The next of tags, a JSON array of strings in canonical form, from the offset *at on, as it stands
 * there: with its quotes. The absent array holds nothing. */
bool sw__tags_next(sw_str tags, size_t *at, sw_str *tag);
/* Whether tags holds needle, which is a tag as sw__json_put_str writes it. */
bool sw__tags_hold(sw_str tags, sw_str needle);

/* Append the scope of an idempotency key. */
void sw__key_scope(sw__buf *buf, sw_str workflow, sw_str key);

/* Number of rows a filter asks for at most. */
int64_t sw__filter_limit(const sw_task_filter *filter);

/* Move rows of `size` bytes that were collected in a buffer into an arena; frees the buffer. rc is
 * how collecting ended and is passed on when it is an error. */
int sw__rows_finish(sw__buf *collected, size_t size, int rc, sw__arena *arena, void **rows,
                    size_t *count, sw_error *err);

#endif
