/* What the roles share: opening and closing the engine of a process, and bearing errors.
 *
 * A role never trusts an error: it tries again with the same rows, and after several errors it
 * gives its process up, as a supervisor would.
 */
#ifndef SIM_ACTOR_H
#define SIM_ACTOR_H

#include "sim/ledger.h"

#define ACTOR_BUSY_MS 400

ledger *actor_ledger(const actor *self);
sw_str actor_str(const char *text);
/* An error happened: wait a little, and after too many give the process up. */
void actor_bear(actor *self, int *errors, int code, const sw_error *error);
/* Memory may run out inside any call; to be said before each. */
void actor_arm_memory(actor *self);
/* Open the engine of the process, or join those who use it already. */
void actor_open(actor *self);
void actor_close(actor *self);
/* Register one version of every workflow, until it is done. */
void actor_register(actor *self, int version);
/* Wait for a task to end, and hold what the call answers, and when, against what is known. */
int actor_wait(actor *self, ledger_task *task, int64_t wait_ms, sw_error *error);
/* To a point in virtual time, one to `most` milliseconds from now. */
void actor_sleep_up_to(actor *self, uint32_t most_ms);

#endif
