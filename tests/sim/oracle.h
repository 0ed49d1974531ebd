/* What must hold after every crash and at the end, read through a fresh engine. */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "sim/replay.h"

typedef struct oracle {
    ledger *l;
    sw_engine *engine;
    sw_error error;
    replay replay;
    sw_uuid ids[LEDGER_TASKS]; /* of the tasks that are stored */
    bool without_input[LEDGER_TASKS];
    int parents[LEDGER_TASKS]; /* indexes, -1: none */
    sw_result *workers;
    sw_result *dead; /* letters, all of them */
    sw_result *log;
    const sw_audit_entry *entries; /* in it, the first to the newest */
    size_t entry_count;
    int64_t past_no; /* a position, a different one with every check, */
    replay_task past[LEDGER_TASKS]; /* and the tasks as they were there */
    int64_t found[STREAM_ROWS];     /* the entry of each row of the stream, 0: none */
} oracle;

/* Check everything. A database that another actor is just making or recovering cannot be read:
 * then nothing is checked. */
void oracle_check(ledger *l);
/* An engine for the oracle's own questions, NULL when the database cannot be opened now. */
sw_engine *oracle_open(ledger *l);
void oracle_close(ledger *l, sw_engine *engine);
/* Make the database and open it. */
sw_engine *oracle_make(ledger *l);
/* Whether every task has ended. */
bool oracle_all_ended(ledger *l, sw_engine *engine);

/* Hold the rows and answers about one task against its history (oracle_rows.c). */
int oracle_check_task(oracle *o, int index);
/* What operators are told of it (oracle_ops.c). */
void oracle_check_ops(oracle *o, int index);
/* The events that were appended (oracle_events.c), what lists of events say (oracle_lists.c), and
 * tasks as they were, and the projection (oracle_past.c). */
void oracle_check_events(oracle *o);
void oracle_check_lists(oracle *o);
void oracle_check_children(oracle *o);
void oracle_check_past(oracle *o);
void oracle_check_fold(oracle *o);
/* Index of the task of an entry, or -1. */
int oracle_find(const oracle *o, const sw_uuid *id);
/* Whether payloads of the task are gone: it was erased or pruned. */
bool oracle_is_bare(const oracle *o, int index);
void oracle_violate(const oracle *o, const char *rule, int index, const char *text);

#endif
