/* The transition tables of steps and tasks, and their questions. Pure. */
#ifndef SW_MODEL_STATES_H
#define SW_MODEL_STATES_H

#include <stdbool.h>

#include "stepwell/types.h"

/* Whether a step may go from one state to another; by is an sw_transition_by. */
bool sw__step_may(int from, int to, int by);
/* Whether a task may; the engine derives task states from steps, an operator cancels. */
bool sw__task_may(int from, int to, int by);

#endif
