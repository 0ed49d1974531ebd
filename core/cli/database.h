/* The database of a command, and the task it is about.
 *
 * Both functions print what is wrong and return an exit status, 0 when all is well.
 */
#ifndef STEPWELL_CLI_DATABASE_H
#define STEPWELL_CLI_DATABASE_H

#include <stepwell.h>

#include "command.h"

/* Whether a command may make a database that is not there. */
typedef enum cli_database_use { CLI_DATABASE_LOOK, CLI_DATABASE_MAKE } cli_database_use;

/* Open the database of --db, $STEPWELL_DB or ./stepwell.db. */
int cli_database_open(const cli_call *call, cli_database_use use, sw_engine **out);

/* The task that text names: an id, the beginning of one, or with NULL the newest. */
int cli_task_find(sw_engine *engine, const char *text, sw_uuid *out);

/* The same for what the log says of it: a whole id is not looked up, because its task may be pruned
 * while its entries are there. */
int cli_task_logged(sw_engine *engine, const char *text, sw_uuid *out);

/* The newest task that has not ended. */
int cli_task_find_unfinished(sw_engine *engine, sw_uuid *out);

/* A task and its steps; sw_result_free releases them. */
int cli_task_read(sw_engine *engine, const sw_uuid *task_id, sw_result **out);

/* The name of the user, for the audit log. */
const char *cli_user(void);

#endif
