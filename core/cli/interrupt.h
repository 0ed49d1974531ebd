/* Ctrl-C, SIGTERM and SIGHUP: the first stops cleanly, the second ends the process at once. */
#ifndef STEPWELL_CLI_INTERRUPT_H
#define STEPWELL_CLI_INTERRUPT_H

#include <stdbool.h>

#include <stepwell.h>

/* Catch the signals from now on; the first one stops the runner. A closed pipe becomes a write
 * error instead of the end of the process, so that running commands are not left behind. */
void cli_interrupt_catch(sw_runner *runner);

/* Forget the runner, before it is closed. */
void cli_interrupt_forget(void);

/* Whether a signal has come. */
bool cli_interrupted(void);

#endif
