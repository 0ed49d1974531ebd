/* The hand of an attacker who changes one bit of a row behind the log: the store of a log shows its
 * rows with that bit flipped, in every field that verification answers for.
 *
 *     audit_flip_open(&log);
 *     size_t bits = audit_flip_count(&log, AUDIT_FLIP_STEP);
 *     audit_flip_set(AUDIT_FLIP_STEP, bit);    then verify
 *     audit_flip_close(&log);
 */
#ifndef HELPER_AUDIT_FLIP_H
#define HELPER_AUDIT_FLIP_H

#include "helper/audit_log.h"

/* XX(NAME, words): the rows, and which of their fields */
#define AUDIT_FLIP_MAP(XX)                                                                         \
    XX(TASK, "a task's row (number, identifier, definition, state, counts, newest segment)")       \
    XX(STEP, "a step's row (number, state, attempt, lost leases, epoch; open dependencies)")       \
    XX(INPUT, "an input, its salt, its initiator")                                                 \
    XX(RESULT, "a result and its salt")                                                            \
    XX(FAILURE, "a newest error, its salt and epoch")                                              \
    XX(WORKFLOW, "a definition and its digest")                                                    \
    XX(WORKER, "the number of an open worker")

typedef enum audit_flip_table {
    AUDIT_FLIP_NONE,
#define AUDIT_FLIP_VALUE(name, words) AUDIT_FLIP_##name,
    AUDIT_FLIP_MAP(AUDIT_FLIP_VALUE)
#undef AUDIT_FLIP_VALUE
    AUDIT_FLIP_END
} audit_flip_table;

/* One log at a time. */
void audit_flip_open(audit_log *log);
void audit_flip_close(audit_log *log);
/* How many bits a verification of the log reads from a table, once each. */
size_t audit_flip_count(audit_log *log, audit_flip_table table);
/* Every verification from now on reads this bit flipped; AUDIT_FLIP_NONE: all as they are. */
void audit_flip_set(audit_flip_table table, size_t bit);

#endif
