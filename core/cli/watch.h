/* Follow a task while it runs: a live table on a terminal, one line per transition elsewhere, one
 * JSON object per transition with --json, nothing with --quiet.
 *
 * Reads the audit log and the task through the public interface, so it shows what any process
 * does. Not here: doing the work (run.c).
 */
#ifndef STEPWELL_CLI_WATCH_H
#define STEPWELL_CLI_WATCH_H

#include <stdbool.h>

#include <stepwell.h>

#include "history.h"

typedef struct cli_watch {
    sw_engine *engine;
    sw_uuid task_id;
    sw_result *result; /* of the newest sw_task_get */
    const sw_task_row *task;
    const sw_step_row *steps;
    size_t step_count;
    cli_history history;
    int64_t next_entry;
    char *drawn; /* the live table on the screen */
    size_t drawn_lines;
    int64_t read_again_us; /* monotonic; not before is the task read for the table alone */
    bool stale;            /* something has come since */
    bool ended;
} cli_watch;

/* Begin. With from_start the entries that are there already are shown, too. 0 or an exit status;
 * what is wrong is printed. */
int cli_watch_open(cli_watch *watch, sw_engine *engine, const sw_uuid *task_id, bool from_start);

/* Show what is new. 0 or an exit status. The rows of the steps may be a little older, because those
 * of a large task are not read for each transition; they are new when the task has ended. */
int cli_watch_poll(cli_watch *watch);

/* The same, and the rows are new. */
int cli_watch_finish(cli_watch *watch);

void cli_watch_close(cli_watch *watch);

#endif
