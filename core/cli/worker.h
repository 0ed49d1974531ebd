/* A runner with the options of a command, for `run` and `worker`. */
#ifndef STEPWELL_CLI_WORKER_H
#define STEPWELL_CLI_WORKER_H

#include <stepwell.h>

#include "command.h"

/* Threads when --threads is not given. */
#define CLI_THREADS 4

/* Whether --root can be used, before anything is stored; 0 or an exit status. */
int cli_root_check(const cli_call *call);

/* Open a runner for one task (NULL: for every task); with threads_max > 0 it has no more threads.
 * 0 or an exit status; what is wrong is printed. */
int cli_runner_open(const cli_call *call, sw_engine *engine, const sw_uuid *task,
                    int64_t threads_max, sw_runner **out);

#endif
