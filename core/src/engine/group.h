/* Group commit: calls of several threads that write at one time share a transaction. */
#ifndef SW_ENGINE_GROUP_H
#define SW_ENGINE_GROUP_H

#include "engine/work.h"

/* What one call contributes to a transaction. */
typedef struct sw__part {
    /* Make the changes; an sw_code. May run a second time, after a transaction that was undone. */
    int (*flow)(sw__work *work, void *context, sw_error *err);
    /* Forget what flow left in memory: its transaction was undone. May be NULL. */
    void (*undone)(sw_engine *engine, void *context);
    void *context;
    sw_error *err;
    /* filled by sw__group_write */
    struct sw__part *next;
    int rc;
    bool done;
} sw__part;

/* Enter, make the changes in one transaction, alone or with the parts of other threads, leave.
 * One call at a time leads: it takes along every part that came while the transaction before was
 * written. A transaction of several parts that fails is undone, and each part gets one of its own,
 * so that nobody bears the error of another. errors: of enter, of the flow, of the commit. */
int sw__group_write(sw_engine *engine, sw__part *part);

/* The same for a call that answers: fill gets a result that is made anew each time it runs. *out is
 * the caller's; nothing is put there on error. */
int sw__group_answer(sw_engine *engine, sw__work_fill fill, const void *context, sw_result **out,
                     sw_error *err);

#endif
