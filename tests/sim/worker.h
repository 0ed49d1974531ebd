/* A worker between its calls, and the steps that it holds: what their handlers do, and what keeps
 * them (worker_hold.c).
 *
 * Not here: claiming and reporting, and its life (worker.c).
 */
#ifndef SIM_WORKER_H
#define SIM_WORKER_H

#include "sim/actor.h"

#define WORKER_HELD_MAX 6
#define WORKER_FOR_EVER_MS 600000

/* A step whose handler runs. */
typedef struct worker_hold {
    ledger_hold base;
    int64_t due_us;       /* when the handler ends */
    int64_t beat_due_us;  /* when it sends the next heartbeat, INT64_MAX: never */
    int64_t heartbeat_us; /* how long it may say nothing, 0: for ever */
    sw_step_outcome row;
} worker_hold;

/* A worker between its calls; on its coroutine's stack, so that it dies with it. */
typedef struct worker_state {
    actor *self;
    sw_worker_ref ref;
    worker_hold held[WORKER_HELD_MAX];
    size_t count;
    int errors;
} worker_state;

/* Begin the handlers of a delivery: draw what they will report, and when. The process may die of
 * it. */
void worker_handle(worker_state *state, const sw_step_claim *claims, size_t count,
                   int64_t safe_until_us);
void worker_forget(worker_state *state, size_t index);
/* When it has to do something for a step that it holds. */
int64_t worker_due_us(const worker_hold *hold);

/* Calls that keep what it holds; what the answer says is lost is mostly forgotten. */
void worker_renew(worker_state *state);
/* Only for handlers that have to say something now. */
void worker_beat(worker_state *state);

#endif
