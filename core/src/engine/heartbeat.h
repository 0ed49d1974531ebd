/* How long an attempt may work, and how long it may say nothing meanwhile.
 *
 * Both are one number, the rank of its step in the line of its worker: the earlier of the two. It
 * is made of the definition and of when the step began to run (changed_us), so that no row has a
 * place for either, and a heartbeat writes the rank and nothing else.
 */
#ifndef SW_ENGINE_HEARTBEAT_H
#define SW_ENGINE_HEARTBEAT_H

#include "engine/work.h"

/* When the attempt of a running step is to be ended that last said something then; INT64_MAX:
 * never. */
int64_t sw__heartbeat_due(const sw_workflow_step *step, const sw__step_hot *row, int64_t said_us);
/* Whether a running attempt whose time has come was silent for too long, and not only too slow. */
bool sw__heartbeat_missed(const sw_workflow_step *step, const sw__step_hot *row);

#endif
