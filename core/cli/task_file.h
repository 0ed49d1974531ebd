/* Task files in the place of a database. */
#ifndef STEPWELL_CLI_TASK_FILE_H
#define STEPWELL_CLI_TASK_FILE_H

#include <stepwell.h>

#include "command.h"

/* Open the file of --file, as it stood at --at-entry. Prints what is wrong and returns an exit status,
 * 0 when all is well. */
int cli_task_file_open(const cli_call *call, sw_engine **out);

#endif
