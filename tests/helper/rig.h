/* A small rig for tests of the engine: an engine on test clocks, one registered workflow, and
 * short forms of the calls that tests make all the time. Every call asserts that it succeeded.
 *
 *     rig r;
 *     rig_open(&r, "memory:", "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}");
 *     sw_uuid task = rig_submit(&r);
 *     sw_worker_ref worker = rig_worker(&r, 1000);
 *     rig_claims(&r, &worker, "a");
 *     rig_close(&r);
 */
#ifndef HELPER_RIG_H
#define HELPER_RIG_H

#include "helper/fault_env.h"
#include "stepwell.h"

typedef struct rig {
    fault_env fault;
    sw_engine *engine;
    sw_workflow *workflow;
    sw_result *last; /* of the newest exchange */
    sw_error error;
} rig;

void rig_open(rig *r, const char *store, const char *definition);
/* Open again as after a restart of the machine: another boot, its clocks start anew. */
void rig_reboot(rig *r, const char *store, const char *definition);
void rig_close(rig *r); /* also checks that all memory was given back */

sw_uuid rig_submit(rig *r);
/* A worker for every handler of the workflow. */
sw_worker_ref rig_worker(rig *r, int64_t lease_ms);

/* Exchange without waiting; the answer is r->last. */
void rig_exchange(rig *r, const sw_worker_ref *worker, const sw_step_outcome *rows, size_t count,
                  size_t claim_max);
/* Claim everything that is ready and compare names, given in order and separated by blanks. */
void rig_claims(rig *r, const sw_worker_ref *worker, const char *names);
/* The claim of a step in r->last. */
const sw_step_claim *rig_claim(const rig *r, const char *step);
/* An outcome for the claim of a step in r->last. */
sw_step_outcome rig_outcome(const rig *r, const char *step, int outcome);
/* Report one outcome and expect this row status. */
void rig_report(rig *r, const sw_worker_ref *worker, sw_step_outcome row, int status);

/* A row of the task; the strings live until the next call. */
sw_step_row rig_step(rig *r, const sw_uuid *task, const char *step);
int rig_task_state(rig *r, const sw_uuid *task);
/* The audit log verifies. */
void rig_verify(rig *r);

#endif
