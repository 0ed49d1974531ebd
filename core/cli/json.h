/* JSON output: a streaming writer, and the engine's records as objects.
 *
 * The writer is ours because payloads must come out exactly as they were stored: integers of any
 * size, every digit of a number. Everything is written on one line (NDJSON). Not here: reading.
 */
#ifndef STEPWELL_CLI_JSON_H
#define STEPWELL_CLI_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include <stepwell.h>

#define CLI_JSON_DEPTH 16

typedef struct cli_json {
    FILE *stream;
    size_t depth;
    char closers[CLI_JSON_DEPTH];
    bool filled[CLI_JSON_DEPTH]; /* whether the open array or object has a member already */
} cli_json;

/* Begin a document with one object on stream; cli_json_end closes all that is open and ends the
 * line. */
cli_json cli_json_begin(FILE *stream);
void cli_json_end(cli_json *json);

/* Members. key is NULL inside of an array. */
void cli_json_object(cli_json *json, const char *key);
void cli_json_array(cli_json *json, const char *key);
void cli_json_close(cli_json *json);
void cli_json_str(cli_json *json, const char *key, sw_str text); /* absent: null */
void cli_json_text(cli_json *json, const char *key, const char *text);
void cli_json_int(cli_json *json, const char *key, int64_t number);
/* Two digits behind the point. */
void cli_json_number(cli_json *json, const char *key, double number);
void cli_json_bool(cli_json *json, const char *key, bool value);
void cli_json_null(cli_json *json, const char *key);
void cli_json_raw(cli_json *json, const char *key, sw_str value);     /* valid JSON; absent: null */
void cli_json_time(cli_json *json, const char *key, int64_t time_us); /* 0: null */
void cli_json_seconds(cli_json *json, const char *key, int64_t duration_us);
void cli_json_uuid(cli_json *json, const char *key, const sw_uuid *uuid);
void cli_json_strs(cli_json *json, const char *key, const sw_str *texts, size_t count);

/* An error. code is the name of the exit status; error the name of the engine's error, NULL when
 * it is not one of the engine. */
typedef struct cli_problem {
    int status;
    const char *code;
    const char *error;
    const char *title;
    const char *detail;
    const char *hint; /* the next thing to do, NULL when there is none */
} cli_problem;

/* The members of an RFC 9457 problem into the open object. */
void cli_json_problem(cli_json *json, const cli_problem *problem);

/* Records as members of the open object. */
void cli_json_task(cli_json *json, const sw_task_row *task);
void cli_json_step_counts(cli_json *json, const int64_t *counts);
void cli_json_step(cli_json *json, const sw_step_row *step);
/* start_us: of the task, 0 when it is not known. */
void cli_json_entry(cli_json *json, const sw_audit_entry *entry, int64_t start_us);
void cli_json_findings(cli_json *json, const sw_finding *findings, size_t count);

#endif
