/* Files that users name: workflow definitions, inputs and outputs.
 *
 * Not here: what makes a definition valid; the engine's loader decides and finds the words.
 */
#ifndef STEPWELL_CLI_DEFINITION_H
#define STEPWELL_CLI_DEFINITION_H

#include <stdbool.h>
#include <stdio.h>

#include <stepwell.h>

#include "command.h"

/* A definition read from a file. status is an exit status; unless it is 0, workflow is NULL and
 * problem says why. */
typedef struct cli_definition {
    const char *path;
    sw_workflow *workflow;
    sw_result *findings;
    int status;
    char problem[640];
} cli_definition;

/* Read a file, "-" for standard input. 0, or an exit status with the reason in problem. */
int cli_file_read(const char *path, char **text, size_t *size, char *problem, size_t problem_size);

/* The same; 0, or an exit status with the error printed. */
int cli_file_load(const char *path, char **text, size_t *size);

/* The same for one that may be larger than a definition. */
int cli_file_load_large(const char *path, size_t max, char **text, size_t *size);

/* The text of an option that is JSON, @FILE, or - for standard input; absent when it is not given.
 * *owned is to be freed. 0, or an exit status with the error printed. */
int cli_json_read(const cli_call *call, cli_option_id id, sw_str *text, char **owned);

/* Write to the file of --output, or to standard output without it. 0, or an exit status with the
 * error printed. */
int cli_file_write(const cli_call *call, sw_str text);

/* Write a file; the same. */
int cli_file_put(const char *path, sw_str text);

/* Read and load a definition; prints nothing. */
void cli_definition_open(cli_definition *definition, const char *path, bool strict);
void cli_definition_close(cli_definition *definition);

/* Findings as file:line:column: error: message. */
void cli_definition_print(const cli_definition *definition, FILE *stream, bool colour);

/* Print findings and what is wrong to stderr; the exit status, 0 when the definition is valid. */
int cli_definition_report(const cli_definition *definition);

/* Whether a handler is a built-in kind. */
bool cli_kind_known(sw_str handler);

#endif
