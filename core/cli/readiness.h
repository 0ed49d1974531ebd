/* What Tasker would say about the steps of a task (readiness_tasker.c), for stepwell readiness. */
#ifndef STEPWELL_CLI_READINESS_H
#define STEPWELL_CLI_READINESS_H

#include "command.h"

/* Print what a rule, tasker-rails or tasker-core, says about each step; an exit status. */
int cli_readiness_tasker(sw_engine *engine, const sw_uuid *task_id, const char *rule);

#endif
