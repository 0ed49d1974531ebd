/* What `run` says when the task has ended, or when it stops before. Both return the exit status.
 */
#ifndef STEPWELL_CLI_ENDING_H
#define STEPWELL_CLI_ENDING_H

#include "watch.h"

/* The task has ended: never a word of success when it has failed. */
int cli_ending_report(const cli_watch *watch);

/* The task has not ended, but this process stops; status says why. */
int cli_ending_stop(const cli_watch *watch, int status);

#endif
