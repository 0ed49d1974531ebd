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
    sw_result *workers;
    sw_result *dead; /* letters, all of them */
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
void oracle_violate(const oracle *o, const char *rule, int index, const char *text);

#endif
