/* Which ends of attempts say that an external service fails. Pure; the engine and the audit's
 * replay go by it. */
#ifndef SW_MODEL_BREAKER_H
#define SW_MODEL_BREAKER_H

#include <stdbool.h>

#include "stepwell/types.h"

/* Whether an attempt that ends so counts as a failure against the breaker of its step: one that may
 * be tried again, or could be if attempts were left, and one that ran out of time. to is the state
 * (sw_step_state) that the step gets, reason the word of its audit entry. */
bool sw__breaker_counts(int to, sw_str reason);

#endif
