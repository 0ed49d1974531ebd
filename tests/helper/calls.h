/* The public calls of an engine as functions that can be repeated, with what they need around them:
 * a workflow, a worker, tasks. For tests that let the calls fail.
 */
#ifndef HELPER_CALLS_H
#define HELPER_CALLS_H

#include "helper/fault_env.h"
#include "stepwell.h"

/* What the scenarios work on. */
typedef struct calls_world {
    fault_env fault;
    const char *store;
    char fresh[160]; /* a database that does not exist yet, or in memory */
    sw_engine *engine;
    sw_workflow *workflow;
    sw_worker_ref worker;
    sw_uuid task;
    sw_step_hold hold;
    int64_t entries; /* of the history, at the last look */
} calls_world;

/* One call: what comes before it, with memory, and the call, which gives back what it got. */
typedef struct calls_scenario {
    const char *name;
    void (*prepare)(calls_world *w);
    int (*act)(calls_world *w, sw_error *err);
} calls_scenario;

extern const calls_scenario calls_scenarios[];
extern const size_t calls_scenario_count;

/* The scenario of this name. */
const calls_scenario *calls_find(const char *name);

/* Open the engine on a store, register the workflow, open the worker. w->fault is the caller's, and
 * w->fresh may name another database. */
void calls_open(calls_world *w, const char *store);
void calls_close(calls_world *w);

/* Fail the test when rc is an error. */
void calls_must(int rc, const sw_error *error);

#endif
