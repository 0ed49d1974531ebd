/* Names of workers, which audit entries know by number.
 *
 * A name is in the store while its worker lives, and in the audit log for ever.
 */
#ifndef STEPWELL_CLI_NAMES_H
#define STEPWELL_CLI_NAMES_H

#include <stepwell.h>

typedef struct cli_name {
    int64_t worker_id;
    char *text;
} cli_name;

typedef struct cli_names {
    cli_name *rows;
    size_t count;
    size_t room;
} cli_names;

/* Begin with the workers in the store. */
void cli_names_open(cli_names *names, sw_engine *engine);
void cli_names_close(cli_names *names);

/* Learn from an entry when it is the opening of a worker. */
void cli_names_take(cli_names *names, const sw_audit_entry *entry);

/* Look in the log, from the last of these entries back, for the workers in them; gives up after a
 * while, because a name is not worth reading a whole log. */
void cli_names_search(cli_names *names, sw_engine *engine, const sw_audit_entry *entries,
                      size_t count);

/* Name of a worker, absent when it is not known. */
sw_str cli_names_find(const cli_names *names, int64_t worker_id);

#endif
