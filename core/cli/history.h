/* A task's history for people: when attempts ran, and each audit entry as a phrase.
 *
 * Used by `run`, entry by entry as they come, and by `show`, all at once.
 */
#ifndef STEPWELL_CLI_HISTORY_H
#define STEPWELL_CLI_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

#include <stepwell.h>

#include "names.h"
#include "text.h"

/* The times of one step. */
typedef struct cli_span {
    int64_t step_id;
    size_t row;         /* index of the step among the rows */
    int64_t started_us; /* of the running attempt, 0 when none runs */
    int64_t last_us;    /* how long the attempt that ended last took */
    int64_t worked_us;  /* all ended attempts together */
    int32_t lost;       /* attempts that ended because their worker was lost */
} cli_span;

typedef struct cli_history {
    cli_span *spans; /* sorted by step_id */
    size_t span_count;
    int64_t start_us; /* first entry; other times are shown relative to it */
    size_t name_width;
    cli_names names; /* of workers */
} cli_history;

/* steps are the rows of the task. */
void cli_history_open(cli_history *history, sw_engine *engine, const sw_step_row *steps,
                      size_t count);
void cli_history_close(cli_history *history);

/* Take an entry into account; entries come oldest first. */
void cli_history_take(cli_history *history, const sw_audit_entry *entry);

/* The times of a step, NULL for none of this task. */
const cli_span *cli_history_span(const cli_history *history, int64_t step_id);

/* "2/5": attempts started, and how many there can be; those of lost workers do not count. */
void cli_attempts(const sw_step_row *step, const cli_span *span, char text[CLI_DURATION_SIZE]);

/* Whether people want to see the entry: a step that has become ready is nothing to tell. */
bool cli_entry_notable(const sw_audit_entry *entry);

/* "+0.118s ✓ fetch  succeeded in 0.116s". row is the step as stored, which has the message of
 * its last error, or NULL. The line is cut at width (0: not at all). */
void cli_entry_print(FILE *stream, const cli_history *history, const sw_audit_entry *entry,
                     const sw_step_row *row, size_t width);

#endif
