/* stepwell audit report: what evidence the log holds for the controls of standards. Not here: what
 * is asked of the log, and how a report looks as a document (the library). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "database.h"
#include "definition.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define CONTROL_TABLE SW_CONTROL_FORMAT_COUNT /* no document: a table for people */
#define CONTROL_HINT "soc2, iso27001, hipaa, pci, nist or gdpr"

/* The standards that are asked for, 0 for all. */
static int control_standards(const cli_call *call, int64_t *standards)
{
    const cli_value *value = &call->values[CLI_OPTION_STANDARD];
    *standards = 0;
    for (size_t i = 0; i < value->item_count; i++) {
        int standard = sw_standard_find(cli_str(value->items[i]));
        if (standard < 0)
            return cli_fail(CLI_EXIT_USAGE, CONTROL_HINT, "there is no standard '%s' here",
                            value->items[i]);
        *standards |= INT64_C(1) << standard;
    }
    return CLI_EXIT_OK;
}

/* The list of controls. */

static bool control_wanted(const sw_control *control, int64_t standards)
{
    return standards == 0 || (standards >> control->standard & 1);
}

static void control_list_json(int64_t standards)
{
    size_t count = 0;
    const sw_control *rows = sw_control_list(&count);
    for (size_t i = 0; i < count; i++) {
        if (!control_wanted(&rows[i], standards))
            continue;
        cli_json json = cli_json_begin(stdout);
        cli_json_text(&json, "standard", sw_standard_name(rows[i].standard));
        cli_json_text(&json, "cites", sw_standard_title(rows[i].standard));
        cli_json_str(&json, "control", rows[i].id);
        cli_json_str(&json, "title", rows[i].title);
        cli_json_str(&json, "question", rows[i].question);
        cli_json_array(&json, "evidence");
        for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
            if (rows[i].evidence >> kind & 1)
                cli_json_text(&json, NULL, sw_evidence_name(kind));
        }
        cli_json_end(&json);
    }
}

static int control_list(const cli_call *call)
{
    int64_t standards = 0;
    size_t count = 0;
    const sw_control *rows = sw_control_list(&count);
    int status = control_standards(call, &standards);
    if (status != CLI_EXIT_OK)
        return status;
    if (cli_out()->json) {
        control_list_json(standards);
        return CLI_EXIT_OK;
    }
    cli_grid grid = cli_grid_open("llll");
    for (size_t i = 0; i < count; i++) {
        if (!control_wanted(&rows[i], standards))
            continue;
        cli_grid_add(&grid, CLI_PLAIN, cli_str(sw_standard_name(rows[i].standard)));
        cli_grid_add(&grid, CLI_BOLD, rows[i].id);
        cli_grid_add(&grid, CLI_PLAIN, rows[i].title);
        cli_grid_add(&grid, CLI_DIM, rows[i].question);
    }
    cli_grid_close(&grid, stdout, 0, cli_out_width());
    return CLI_EXIT_OK;
}

/* A report. */

/* What --as, --json or the name of --output say. */
static int control_format(const cli_call *call, int *format)
{
    const char *as = call->values[CLI_OPTION_AS].text;
    const char *name = call->values[CLI_OPTION_OUTPUT].text;
    const char *ending = name ? strrchr(name, '.') : NULL;
    *format = CONTROL_TABLE;
    if (as)
        *format = sw_control_format_find(cli_str(as));
    else if (ending && (strcmp(ending, ".html") == 0 || strcmp(ending, ".htm") == 0))
        *format = SW_CONTROL_HTML;
    else if (ending && strcmp(ending, ".md") == 0)
        *format = SW_CONTROL_MARKDOWN;
    else if (cli_out()->json || (ending && strcmp(ending, ".json") == 0))
        *format = SW_CONTROL_JSON;
    if (*format >= 0 && !(name && *format == CONTROL_TABLE))
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "--as json, --as markdown or --as html",
                    "a report is written as JSON, Markdown or HTML");
}

static cli_style control_style(int answer)
{
    static const cli_style styles[SW_ANSWER_COUNT] = {CLI_DIM, CLI_RED, CLI_GREEN};
    return styles[answer];
}

static const char *control_words(int answer)
{
    static const char *const words[SW_ANSWER_COUNT] = {"not applicable", "not found", "found"};
    return words[answer];
}

static void control_add_entries(cli_grid *grid, const sw_control_row *row)
{
    char text[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < row->entry_no_count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%" PRId64, i ? ", " : "",
                                 row->entry_nos[i]);
    cli_grid_add(grid, CLI_DIM, cli_str(text));
}

static void control_print(const sw_result *result)
{
    static const char *const heads[] = {"STANDARD", "CONTROL", "ANSWER", "TITLE", "ENTRIES"};
    size_t count = 0;
    const sw_control_row *rows = sw_control_rows(result, &count);
    const sw_control_summary *summary = sw_control_summaries(result, NULL);
    cli_grid grid = cli_grid_open("lllll");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (size_t i = 0; i < count; i++) {
        cli_grid_add(&grid, CLI_PLAIN, cli_str(sw_standard_name(rows[i].control->standard)));
        cli_grid_add(&grid, CLI_BOLD, rows[i].control->id);
        cli_grid_add(&grid, control_style(rows[i].answer), cli_str(control_words(rows[i].answer)));
        cli_grid_add(&grid, CLI_PLAIN, rows[i].control->title);
        control_add_entries(&grid, &rows[i]);
    }
    cli_grid_close(&grid, stdout, 0, cli_out_width());
    cli_note("%d found, %d not found, %d not applicable, in the %lld entries that the checkpoint "
             "covers; --as html, markdown or json shows the evidence and its proofs",
             summary->found, summary->not_found, summary->not_applicable,
             (long long)summary->entry_count);
}

/* OUTPUT.sig beside the report. */
static int control_sign(const cli_call *call, sw_str text)
{
    sw_error error = {0};
    sw_result *result = NULL;
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    const char *output = call->values[CLI_OPTION_OUTPUT].text;
    signing.path = cli_str(call->values[CLI_OPTION_SIGNER].text);
    if (sw_control_sign(&signing, text, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot sign the report");
    size_t size = strlen(output) + sizeof(".sig");
    char *path = cli_alloc(size);
    snprintf(path, size, "%s.sig", output);
    int status = cli_file_put(path, sw_control_signatures(result, NULL)->note);
    free(path);
    sw_result_free(result);
    return status;
}

static int control_write(const cli_call *call, const sw_result *result, int format)
{
    const sw_control_summary *summary = sw_control_summaries(result, NULL);
    if (format == CONTROL_TABLE) {
        if (!cli_out()->quiet)
            control_print(result);
        return CLI_EXIT_OK;
    }
    int status = cli_file_write(call, summary->text);
    if (status == CLI_EXIT_OK && cli_given(call, CLI_OPTION_SIGNER))
        status = control_sign(call, summary->text);
    return status;
}

static int control_options(const cli_call *call, int format, sw_control_options *options)
{
    int64_t now_us = (int64_t)time(NULL) * 1000000;
    *options = (sw_control_options)SW_CONTROL_OPTIONS_INIT;
    options->format = format == CONTROL_TABLE ? SW_CONTROL_JSON : format;
    int status = control_standards(call, &options->standards);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_SINCE, now_us, &options->after_us);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_UNTIL, now_us, &options->before_us);
    return status;
}

static int control_ask(const cli_call *call, const cli_trust *trust,
                       const sw_control_options *options, sw_result **result)
{
    sw_error error = {0};
    sw_engine *engine = NULL;
    const char *folder = call->values[CLI_OPTION_EXPORT].text;
    int status = folder ? (int)CLI_EXIT_OK : cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK) {
        int code = folder ? sw_control_report_export(cli_str(folder), &trust->given, options,
                                                     result, &error)
                          : sw_control_report(engine, &trust->given, options, result, &error);
        status = code < 0 ? cli_fail_error(&error, NULL, "no report is made") : (int)CLI_EXIT_OK;
    }
    sw_engine_close(engine);
    return status;
}

/* What cannot be made sense of, before anything is read. */
static int control_check_call(const cli_call *call)
{
    bool checkpoint = cli_given(call, CLI_OPTION_CHECKPOINT) || cli_given(call, CLI_OPTION_ANCHOR);
    if (!cli_given(call, CLI_OPTION_VKEY) || !(checkpoint || cli_given(call, CLI_OPTION_EXPORT)))
        return cli_fail(CLI_EXIT_USAGE, "stepwell audit seal makes a checkpoint",
                        "'audit report' needs --vkey, and --checkpoint, --anchor or --export: "
                        "evidence is what was signed");
    if (cli_given(call, CLI_OPTION_SIGNER) && !cli_given(call, CLI_OPTION_OUTPUT))
        return cli_fail(CLI_EXIT_USAGE, NULL,
                        "--signer needs --output: the signature is written beside it");
    return CLI_EXIT_OK;
}

int cli_command_audit_report(const cli_call *call)
{
    int format = CONTROL_TABLE;
    cli_trust trust = {0};
    sw_result *result = NULL;
    sw_control_options options;
    if (cli_given(call, CLI_OPTION_LIST))
        return control_list(call);
    int status = control_check_call(call);
    if (status == CLI_EXIT_OK)
        status = control_format(call, &format);
    if (status == CLI_EXIT_OK)
        status = control_options(call, format, &options);
    if (status != CLI_EXIT_OK)
        return status;
    status = cli_trust_read(&trust, call);
    if (status == CLI_EXIT_OK)
        status = cli_trust_anchors(&trust, call);
    if (status == CLI_EXIT_OK)
        status = control_ask(call, &trust, &options, &result);
    if (status == CLI_EXIT_OK)
        status = control_write(call, result, format);
    sw_result_free(result);
    cli_trust_close(&trust);
    return status;
}

/* Checking a signature. */

static int control_check(const cli_trust *trust, sw_str report, sw_str note)
{
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_control_check(trust->given.keys, trust->given.key_count, report, note, &result, &error) <
        0)
        return cli_fail_error(&error, NULL, NULL);
    sw_str name = sw_control_signatures(result, NULL)->name;
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_bool(&json, "ok", true);
        cli_json_str(&json, "signed_by", name);
        cli_json_end(&json);
    } else if (!cli_out()->quiet) {
        printf("%sOK%s  the report is as ", cli_style_on(CLI_GREEN), cli_style_off(CLI_GREEN));
        cli_text_put(stdout, name, CLI_TEXT_NO_LIMIT);
        fputs(" signed it\n", stdout);
    }
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_control_check(const cli_call *call, const cli_trust *trust)
{
    char *report = NULL;
    char *note = NULL;
    size_t report_size = 0;
    size_t note_size = 0;
    int status = cli_file_load(call->arguments[0], &report, &report_size);
    if (status == CLI_EXIT_OK)
        status = cli_file_load(call->values[CLI_OPTION_SIGNATURE].text, &note, &note_size);
    if (status == CLI_EXIT_OK)
        status = control_check(trust, (sw_str){report, report_size}, (sw_str){note, note_size});
    free(note);
    free(report);
    return status;
}
