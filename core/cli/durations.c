/* Durations from options, from a file, from ended tasks. */
#include "durations.h"

#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "definition.h"
#include "out.h"
#include "text.h"

#define SECOND_US 1000000

typedef struct durations_reader {
    cli_durations *durations;
    const sw_workflow_step *steps;
    const char *path; /* of a file; NULL: an option */
    int line;
} durations_reader;

const char *cli_basis_name(cli_basis basis)
{
    static const char *const names[] = {"assumed", "timeout", "learnt", "given"};
    return names[basis];
}

static int duration_bad(const durations_reader *reader, const char *text)
{
    if (reader->path)
        return cli_fail(CLI_EXIT_USAGE, NULL, "%s:%d: expected STEP=SECONDS, not '%s'",
                        reader->path, reader->line, text);
    return cli_fail(
        CLI_EXIT_USAGE, NULL,
        "option '--duration' needs STEP=SECONDS with 0 or more seconds, fewer than 1e12, not '%s'",
        text);
}

static int duration_unknown(const durations_reader *reader, const char *name, size_t length)
{
    if (reader->path)
        return cli_fail(CLI_EXIT_NOT_FOUND, NULL, "%s:%d: there is no step '%.*s'", reader->path,
                        reader->line, (int)length, name);
    return cli_fail(CLI_EXIT_NOT_FOUND, NULL, "there is no step '%.*s'", (int)length, name);
}

/* "fetch=2.5" */
static int duration_take(const durations_reader *reader, const char *text)
{
    const char *equals = strrchr(text, '=');
    char *end = NULL;
    if (!equals || equals == text || equals[1] == '\0')
        return duration_bad(reader, text);
    double seconds = strtod(equals + 1, &end);
    if (*end != '\0' || !(seconds >= 0 && seconds < 1e12))
        return duration_bad(reader, text);
    size_t length = (size_t)(equals - text), step = 0;
    while (step < reader->durations->count &&
           !cli_str_equal(reader->steps[step].name, (sw_str){text, length}))
        step++;
    if (step == reader->durations->count)
        return duration_unknown(reader, text, length);
    reader->durations->us[step] = (int64_t)(seconds * SECOND_US + 0.5);
    reader->durations->bases[step] = CLI_BASIS_GIVEN;
    return CLI_EXIT_OK;
}

static void durations_declared(const durations_reader *reader)
{
    for (size_t i = 0; i < reader->durations->count; i++) {
        int64_t timeout_ms = reader->steps[i].timeout_ms;
        reader->durations->us[i] = timeout_ms > 0 ? timeout_ms * 1000 : SECOND_US;
        reader->durations->bases[i] = timeout_ms > 0 ? CLI_BASIS_TIMEOUT : CLI_BASIS_ASSUMED;
    }
}

/* A line each; blank ones and those that begin with # say nothing. */
static int durations_file(durations_reader *reader, const char *path)
{
    char *text = NULL, problem[640] = "";
    size_t size = 0;
    int status = cli_file_read(path, &text, &size, problem, sizeof(problem));
    reader->path = path;
    if (status != CLI_EXIT_OK)
        cli_fail((cli_exit)status, "--durations takes declared, p50, p95 or a file", "%s", problem);
    for (size_t at = 0; status == CLI_EXIT_OK && at < size;) {
        const char *newline = memchr(text + at, '\n', size - at);
        size_t length = newline ? (size_t)(newline - text) - at : size - at;
        char *line = cli_alloc(length + 1);
        memcpy(line, text + at, length);
        size_t end = strlen(line);
        while (end > 0 && strchr(" \t\r", line[end - 1]))
            line[--end] = '\0';
        reader->line++;
        const char *begin = line + strspn(line, " \t");
        if (*begin != '\0' && *begin != '#')
            status = duration_take(reader, begin);
        free(line);
        at += length + 1;
    }
    free(text);
    reader->path = NULL;
    return status;
}

static int durations_learn(durations_reader *reader, const sw_workflow *workflow, sw_engine *engine,
                           bool late)
{
    sw_result *result = NULL;
    sw_error error = {0};
    size_t count = 0;
    if (sw_workflow_durations(engine, workflow, 0, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot learn from earlier tasks");
    const sw_step_duration *rows = sw_step_durations(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].sample_count == 0)
            continue;
        reader->durations->us[i] = late ? rows[i].p95_us : rows[i].p50_us;
        reader->durations->bases[i] = CLI_BASIS_LEARNT;
    }
    sw_result_free(result);
    return CLI_EXIT_OK;
}

static int durations_named(durations_reader *reader, const cli_call *call,
                           const sw_workflow *workflow, sw_engine *engine)
{
    const char *text = call->values[CLI_OPTION_DURATIONS].text;
    sw_engine *opened = NULL;
    int status = CLI_EXIT_OK;
    if (!text || strcmp(text, "declared") == 0)
        return CLI_EXIT_OK;
    bool late = strcmp(text, "p95") == 0;
    if (!late && strcmp(text, "p50") != 0)
        return durations_file(reader, text);
    if (!engine)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &opened);
    if (status == CLI_EXIT_OK)
        status = durations_learn(reader, workflow, engine ? engine : opened, late);
    sw_engine_close(opened);
    return status;
}

int cli_durations_open(cli_durations *durations, const cli_call *call, const sw_workflow *workflow,
                       sw_engine *engine)
{
    const cli_value *given = &call->values[CLI_OPTION_DURATION];
    durations_reader reader = {.durations = durations};
    *durations = (cli_durations){0};
    reader.steps = sw_workflow_steps(workflow, &durations->count);
    durations->us = cli_alloc((durations->count + 1) * sizeof(*durations->us));
    durations->bases = cli_alloc((durations->count + 1) * sizeof(*durations->bases));
    durations_declared(&reader);
    int status = durations_named(&reader, call, workflow, engine);
    for (size_t i = 0; status == CLI_EXIT_OK && i < given->item_count; i++)
        status = duration_take(&reader, given->items[i]);
    return status;
}

void cli_durations_close(cli_durations *durations)
{
    free(durations->us);
    free(durations->bases);
    *durations = (cli_durations){0};
}
