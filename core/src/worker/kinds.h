/* Running an attempt by the kind of its step. The list of kinds and the reading of their
 * parameters are in model/kinds.h. */
#ifndef SW_WORKER_KINDS_H
#define SW_WORKER_KINDS_H

#include "worker/attempt.h"

/* Read the parameters, run the kind, and leave an answer in attempt->outcome in any case. */
void sw__attempt_run(sw__attempt *attempt);

/* The kinds (docs/reference/step-kinds.md). */
void sw__run_command(sw__attempt *attempt);
void sw__run_create_file(sw__attempt *attempt);
void sw__run_read_file(sw__attempt *attempt);
void sw__run_delete_file(sw__attempt *attempt);

#endif
