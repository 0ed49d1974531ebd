/* The public calls of an engine as functions that can be repeated, with what they need around them:
 * workflows, a worker, tasks. For tests that let the calls fail.
 *
 *     calls_open(&w, store);
 *     for (size_t i = 0; i < calls_count(); i++) {
 *         calls_at(i)->prepare(&w);
 *         ... break something ...
 *         int rc = calls_at(i)->act(&w, &error);
 *     }
 *     calls_close(&w);
 */
#ifndef HELPER_CALLS_H
#define HELPER_CALLS_H

#include "helper/fault_env.h"
#include "stepwell.h"

/* What the scenarios work on. */
typedef struct calls_world {
    fault_env fault;
    int durability; /* of the engine */
    const char *store;
    char fresh[160]; /* a database that does not exist yet, or in memory */
    sw_engine *engine;
    sw_workflow *workflow;
    sw_worker_ref worker;
    sw_uuid task;
    sw_step_hold hold;
    int64_t entries; /* of the history, at the last look */
} calls_world;

/* One call: what comes before it, with nothing broken, and the call, which gives back what it got.
 * A call that is meant to be refused answers SW_OK when it is. */
typedef struct calls_scenario {
    const char *name;
    void (*prepare)(calls_world *w);
    int (*act)(calls_world *w, sw_error *err);
} calls_scenario;

size_t calls_count(void);
const calls_scenario *calls_at(size_t index);
/* The scenario of this name. */
const calls_scenario *calls_find(const char *name);

/* Open the engine on a store, register the workflows, open the worker. w->fault is the caller's, as
 * are w->durability and w->fresh, which may name another database. */
void calls_open(calls_world *w, const char *store);
void calls_close(calls_world *w);

/* Fail the test when rc is an error. */
void calls_must(int rc, const sw_error *error);
/* The history verifies. */
void calls_verify(calls_world *w);
/* Entries that were added to the history since the last look. */
size_t calls_entries_added(calls_world *w);

#endif
