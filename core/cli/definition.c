/* Read and write files, load definitions, print findings. */
#include "definition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "json.h"
#include "out.h"
#include "text.h"

/* Far above what the loader takes; keeps /dev/zero from filling the memory. */
#define FILE_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define FILE_CHUNK ((size_t)64 * 1024)

/* Exit status for a file that cannot be opened or read. */
static int file_status(int reason)
{
    if (reason == ENOENT || reason == ENOTDIR)
        return CLI_EXIT_NOT_FOUND;
    return reason == EISDIR ? CLI_EXIT_DEFINITION : CLI_EXIT_STORAGE;
}

static int file_read_all(FILE *stream, size_t max, char **text, size_t *size)
{
    char *bytes = NULL;
    size_t room = 0;
    *size = 0;
    do {
        char *grown = realloc(bytes, room + FILE_CHUNK);
        if (!grown) {
            free(bytes);
            return ENOMEM;
        }
        bytes = grown;
        room += FILE_CHUNK;
        *size += fread(bytes + *size, 1, FILE_CHUNK, stream);
    } while (*size == room && room < max);
    *text = bytes;
    if (ferror(stream))
        return errno ? errno : EIO;
    return *size >= max ? EFBIG : 0;
}

static int file_read(const char *path, size_t max, char **text, size_t *size, char *problem,
                     size_t problem_size)
{
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *stream = from_stdin ? stdin : fopen(path, "rbe");
    int reason = stream ? 0 : errno;
    struct stat info;
    if (stream && fstat(fileno(stream), &info) == 0 && S_ISDIR(info.st_mode))
        reason = EISDIR;
    if (stream && reason == 0)
        reason = file_read_all(stream, max, text, size);
    if (stream && !from_stdin)
        fclose(stream);
    if (reason == 0)
        return CLI_EXIT_OK;
    if (reason == EISDIR)
        snprintf(problem, problem_size, "'%s' is a directory, not a file", path);
    else if (reason == EFBIG)
        snprintf(problem, problem_size, "'%s' has more than %zu MiB", path, max / 1024 / 1024);
    else
        snprintf(problem, problem_size, "cannot read '%s': %s", path, strerror(reason));
    return file_status(reason);
}

int cli_file_read(const char *path, char **text, size_t *size, char *problem, size_t problem_size)
{
    return file_read(path, FILE_SIZE_MAX, text, size, problem, problem_size);
}

int cli_file_load(const char *path, char **text, size_t *size)
{
    return cli_file_load_large(path, FILE_SIZE_MAX, text, size);
}

int cli_file_load_large(const char *path, size_t max, char **text, size_t *size)
{
    char problem[640];
    int status = file_read(path, max, text, size, problem, sizeof(problem));
    if (status == CLI_EXIT_OK)
        return CLI_EXIT_OK;
    return cli_fail(status == CLI_EXIT_DEFINITION ? CLI_EXIT_USAGE : (cli_exit)status, NULL, "%s",
                    problem);
}

int cli_json_read(const cli_call *call, cli_option_id id, sw_str *text, char **owned)
{
    char problem[640];
    size_t size = 0;
    const char *given = call->values[id].text;
    *text = cli_str(given);
    if (!given || (given[0] != '@' && strcmp(given, "-") != 0))
        return CLI_EXIT_OK;
    const char *path = given[0] == '@' ? given + 1 : given;
    int status = cli_file_read(path, owned, &size, problem, sizeof(problem));
    if (status != CLI_EXIT_OK)
        return cli_fail((cli_exit)status, NULL, "--%s: %s", cli_option_get(id)->name, problem);
    *text = (sw_str){*owned, size};
    return CLI_EXIT_OK;
}

int cli_file_write(const cli_call *call, sw_str text)
{
    const char *path = call->values[CLI_OPTION_OUTPUT].text;
    if (path)
        return cli_file_put(path, text);
    if (!cli_out()->quiet)
        fwrite(text.ptr, 1, text.len, stdout);
    return CLI_EXIT_OK;
}

int cli_file_put(const char *path, sw_str text)
{
    FILE *file = fopen(path, "wbe");
    bool done = file && fwrite(text.ptr, 1, text.len, file) == text.len;
    int reason = errno;
    if (file && fclose(file) != 0 && done) {
        done = false;
        reason = errno;
    }
    if (!done)
        return cli_fail(reason == ENOENT ? CLI_EXIT_NOT_FOUND : CLI_EXIT_STORAGE, NULL,
                        "cannot write '%s': %s", path, strerror(reason));
    cli_note("wrote %s", path);
    return CLI_EXIT_OK;
}

void cli_definition_open(cli_definition *definition, const char *path, bool strict)
{
    char *text = NULL;
    size_t size = 0;
    sw_error error = {0};
    *definition = (cli_definition){.path = path};
    definition->status =
        cli_file_read(path, &text, &size, definition->problem, sizeof(definition->problem));
    if (definition->status == CLI_EXIT_OK) {
        sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
        options.strict = strict;
        options.source = cli_str(path);
        int code = sw_workflow_load(&options, (sw_str){text, size}, &definition->workflow,
                                    &definition->findings, &error);
        if (code < 0) {
            snprintf(definition->problem, sizeof(definition->problem), "%s",
                     error.message[0] ? error.message : sw_code_text(code));
            definition->status =
                code == SW_ENOMEM ? (int)CLI_EXIT_STORAGE : (int)CLI_EXIT_DEFINITION;
        }
    }
    free(text);
}

void cli_definition_close(cli_definition *definition)
{
    sw_result_free(definition->findings);
    sw_workflow_free(definition->workflow);
    *definition = (cli_definition){0};
}

void cli_definition_print(const cli_definition *definition, FILE *stream, bool colour)
{
    size_t count = 0;
    const sw_finding *findings = sw_findings(definition->findings, &count);
    for (size_t i = 0; i < count; i++) {
        bool error = findings[i].severity == SW_SEVERITY_ERROR;
        fprintf(stream, "%s:%d:%d: ", definition->path, findings[i].line, findings[i].column);
        fputs(!colour ? "" : error ? "\033[31m" : "\033[33m", stream);
        fprintf(stream, "%s:%s ", error ? "error" : "warning", colour ? "\033[0m" : "");
        cli_text_put(stream, findings[i].message, CLI_TEXT_NO_LIMIT);
        fputc('\n', stream);
    }
}

/* How many findings are errors. */
static size_t definition_error_count(const cli_definition *definition)
{
    size_t count = 0;
    size_t errors = 0;
    const sw_finding *findings = sw_findings(definition->findings, &count);
    for (size_t i = 0; i < count; i++)
        errors += findings[i].severity == SW_SEVERITY_ERROR;
    return errors;
}

/* Warnings of a valid definition are a message, too, but no problem. */
static void definition_report_json(const cli_definition *definition)
{
    size_t count = 0;
    const sw_finding *findings = sw_findings(definition->findings, &count);
    const cli_exit_row *row = cli_exit_get((cli_exit)definition->status);
    if (definition->status == CLI_EXIT_OK && count == 0)
        return;
    cli_json json = cli_json_begin(stderr);
    if (definition->status != CLI_EXIT_OK)
        cli_json_problem(&json, &(cli_problem){.status = definition->status,
                                               .code = row->slug,
                                               .title = row->meaning,
                                               .detail = definition->problem});
    cli_json_text(&json, "file", definition->path);
    cli_json_findings(&json, findings, count);
    cli_json_end(&json);
}

int cli_definition_report(const cli_definition *definition)
{
    size_t errors = definition_error_count(definition);
    if (cli_out()->json) {
        definition_report_json(definition);
        return definition->status;
    }
    if (!cli_out()->quiet || errors > 0)
        cli_definition_print(definition, stderr, cli_out()->colour_errors);
    if (definition->status == CLI_EXIT_OK)
        return CLI_EXIT_OK;
    if (errors == 0)
        return cli_fail((cli_exit)definition->status, NULL, "%s", definition->problem);
    return cli_fail((cli_exit)definition->status, NULL, "'%s' has %zu error%s; nothing was run",
                    definition->path, errors, errors == 1 ? "" : "s");
}

bool cli_kind_known(sw_str handler)
{
    size_t count = 0;
    const sw_str *kinds = sw_runner_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        if (cli_str_equal(kinds[i], handler))
            return true;
    }
    return false;
}
