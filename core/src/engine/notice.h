/* Log records of a transaction: made while the lock is held, written after it is given up, and
 * only when the transaction was committed. */
#ifndef SW_ENGINE_NOTICE_H
#define SW_ENGINE_NOTICE_H

#include "base/arena.h"
#include "stepwell/sys/log.h"

#define SW__NOTICE_FIELDS_MAX 4

typedef struct sw__notice {
    struct sw__notice *next;
    const char *event;
    int level;
    size_t field_count;
    sw_log_field fields[SW__NOTICE_FIELDS_MAX];
} sw__notice;

/* The records of one transaction, or of several that wait to be written. */
typedef struct sw__notices {
    struct sw__notices *next;
    sw__arena *arena; /* of this and of its records */
    sw__notice *first;
    sw__notice **last;
} sw__notices;

/* Add a record; texts are copied. Without memory for it the record is left out: a log may have
 * gaps. *notices is made when it is NULL. */
void sw__notices_add(sw__notices **notices, const sw_env *env, int level, const char *event,
                     const sw_log_field *fields, size_t field_count);
/* Put newer behind older; either may be NULL. */
sw__notices *sw__notices_join(sw__notices *older, sw__notices *newer);
/* Write all to the sink, and free. */
void sw__notices_write(const sw_log *log, sw__notices *notices);
void sw__notices_free(sw__notices *notices);

#endif
