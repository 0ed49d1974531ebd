/* What the harness knows: what was asked, and what was acknowledged. Survives every fault.
 *
 * The engine must never contradict it: an acknowledged submission, completion or cancellation is
 * in the database for ever.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "sim/disk.h"
#include "sim/world.h"

#define LEDGER_SHAPES 2
#define LEDGER_STEPS 6
#define LEDGER_TASKS 8

/* A workflow of the run. */
typedef struct ledger_shape {
    char name[8];
    char text[2048];
    int step_count;
    uint32_t after[LEDGER_STEPS]; /* bit i: depends on step i */
    int on_failure[LEDGER_STEPS];
    int max_attempts[LEDGER_STEPS];
} ledger_shape;

typedef struct ledger_task {
    char key[16];
    int shape;
    bool acknowledged;
    bool cancel_asked;
    bool cancel_acknowledged;
    sw_uuid id;
} ledger_task;

/* An attempt that was handed to a worker. */
typedef struct ledger_claim {
    int64_t step_id;
    int64_t epoch;
    int worker; /* index of the actor */
    int life;
    uint64_t succeeded; /* order of its acknowledgement, 0: not acknowledged */
} ledger_claim;

typedef struct ledger {
    world *world;
    disk disk;
    actor harness; /* engine of the oracle; never scheduled */
    ledger_shape shapes[LEDGER_SHAPES];
    ledger_task tasks[LEDGER_TASKS];
    int task_count;
    ledger_claim *claims;
    size_t claim_count;
    size_t claim_capacity;
    int64_t lease_ms;
    bool stop; /* actors end */
    bool rare_settings;
    uint64_t acknowledged; /* completions */
    uint64_t fenced;       /* reports refused */
    uint64_t checks;
} ledger;

void ledger_init(ledger *l, world *w);
void ledger_free(ledger *l);
/* Draw the workflows and tasks of a run. */
void ledger_draw(ledger *l);
/* A claim was handed out; checks that nobody else holds this epoch and nothing is done twice. */
void ledger_claimed(ledger *l, const actor *worker, const sw_step_claim *claim);
/* A report was answered. */
void ledger_answered(ledger *l, const sw_step_outcome *row, const sw_step_applied *applied);
ledger_claim *ledger_find(const ledger *l, int64_t step_id, int64_t epoch);
/* Index of a step name ("a".."f"), or -1. */
int ledger_step(sw_str name);
/* The result that an attempt reports, as JSON. */
sw_str ledger_result(char text[64], int64_t step_id, int64_t epoch);

/* The bodies of the roles (actors.c). */
void actor_work(actor *self);
void actor_submit(actor *self);
void actor_operate(actor *self);
void actor_ask(actor *self);

/* Everything that must hold, read through a fresh engine (oracle.c). A database that another actor
 * is just making or recovering cannot be read: then nothing is checked. */
void oracle_check(ledger *l);
/* An engine for the oracle's own questions, NULL when the database cannot be opened now. */
sw_engine *oracle_open(ledger *l);
void oracle_close(ledger *l, sw_engine *engine);
/* Whether every task has ended. */
bool oracle_all_ended(ledger *l, sw_engine *engine);

#endif
