/* The terminal: what goes to stdout and stderr, in which colours and marks, and how errors look.
 *
 * Data goes to stdout, messages to stderr. Not here: JSON (json.h), tables (grid.h).
 */
#ifndef STEPWELL_CLI_OUT_H
#define STEPWELL_CLI_OUT_H

#include <stdbool.h>
#include <stdio.h>

#include <stepwell.h>

#include "command.h"

typedef enum cli_style {
    CLI_PLAIN,
    CLI_BOLD,
    CLI_DIM,
    CLI_RED,
    CLI_GREEN,
    CLI_YELLOW,
    CLI_CYAN
} cli_style;

/* How this process writes; set up once by cli_out_open, read everywhere. */
typedef struct cli_out_mode {
    bool json;
    bool quiet;
    bool unicode;       /* the locale is UTF-8 */
    bool colour;        /* of stdout */
    bool colour_errors; /* of stderr */
    bool live;          /* stdout is a terminal whose cursor can be moved */
} cli_out_mode;

/* Look at the environment, the locale and both streams. */
void cli_out_open(bool json, bool quiet, bool no_color);

const cli_out_mode *cli_out(void);

/* Columns and rows of the terminal on stdout; width is 0 (no limit) when it is none. */
size_t cli_out_width(void);
size_t cli_out_height(void);

/* Escape sequences that turn a style on and off on stdout, "" without colours. */
const char *cli_style_on(cli_style style);
const char *cli_style_off(cli_style style);

/* Mark and colour of a state. */
const char *cli_mark(int step_state);
cli_style cli_step_style(int step_state);
cli_style cli_task_style(int task_state);

/* Print a line to stderr unless --quiet; JSON output has no such lines. */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print an error, as an RFC 9457 object with --json, and return the exit status. hint is the next
 * thing to do, NULL when there is none. */
int cli_fail(cli_exit status, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an error of the engine; its code decides the exit status. context says what was
 * tried ("cannot open 'x.db'"), NULL when the message says enough. */
int cli_fail_error(const sw_error *error, const char *hint, const char *context, ...)
    __attribute__((format(printf, 3, 4)));

/* Exit status of an error code. */
cli_exit cli_exit_of(int code);

/* End the process with a message when memory is used up: a command has nothing to save that the
 * store does not hold already. */
void *cli_alloc(size_t size);
char *cli_copy(const char *text);

/* Whether nobody reads stdout any more, or it cannot be written. */
bool cli_out_broken(void);

/* Write out what stdout holds; the exit status, CLI_EXIT_STORAGE when it could not be written. */
int cli_out_close(int status);

#endif
