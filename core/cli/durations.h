/* What each step of a workflow takes: what --duration says, what --durations names, else its
 * timeout, else a second.
 *
 * Used by `analyze` and `graph`. Not here: forecasts of a task (whatif).
 */
#ifndef STEPWELL_CLI_DURATIONS_H
#define STEPWELL_CLI_DURATIONS_H

#include <stepwell.h>

#include "command.h"

typedef enum cli_basis {
    CLI_BASIS_ASSUMED,
    CLI_BASIS_TIMEOUT,
    CLI_BASIS_LEARNT, /* from ended tasks: its own times, or those of its handler */
    CLI_BASIS_GIVEN
} cli_basis;

/* Of each step, in the order of the definition. */
typedef struct cli_durations {
    int64_t *us;
    cli_basis *bases;
    size_t count;
} cli_durations;

/* Read the options; engine is where --durations p50 looks, NULL: in the database of --db. 0 or an
 * exit status with its message printed. Close in either case. */
int cli_durations_open(cli_durations *durations, const cli_call *call, const sw_workflow *workflow,
                       sw_engine *engine);
void cli_durations_close(cli_durations *durations);

/* "given", "learnt", ... */
const char *cli_basis_name(cli_basis basis);

#endif
