/* stepwell task export, task verify; and a task file in the place of a database. */
#include "task_file.h"

#include <stdlib.h>

#include "database.h"
#include "definition.h"
#include "json.h"
#include "out.h"
#include "text.h"
#include "trust.h"

#define TASK_FILE_MAX ((size_t)256 * 1024 * 1024 + 1) /* what the library reads, and one more */

int cli_task_file_open(const cli_call *call, sw_engine **out)
{
    char *text = NULL;
    size_t size = 0;
    sw_error error = {0};
    const char *path = call->values[CLI_OPTION_FILE].text;
    sw_task_file_options options = SW_TASK_FILE_OPTIONS_INIT;
    if (!path)
        return cli_fail(CLI_EXIT_USAGE, "a database knows a task only as it is",
                        "--at-entry needs --file");
    if (cli_given(call, CLI_OPTION_DB))
        return cli_fail(CLI_EXIT_USAGE, NULL, "--file and --db cannot be given together");
    int status = cli_file_load_large(path, TASK_FILE_MAX, &text, &size);
    if (status != CLI_EXIT_OK)
        return status;
    options.source = cli_str(path);
    options.entry_no = cli_number(call, CLI_OPTION_AT_ENTRY, 0);
    int code = sw_task_file_open(&options, (sw_str){text, size}, out, &error);
    free(text);
    return code < 0 ? cli_fail_error(&error, NULL, "cannot open the task file") : CLI_EXIT_OK;
}

/* Export. */

static void export_note(const sw_task_file *row)
{
    char id[37];
    sw_uuid_format(&row->task_id, id);
    if (!row->is_signed)
        cli_note("the root of the log is not signed: --checkpoint takes one that is");
    else if (row->proved_count < row->entry_count)
        cli_note("%lld newer entries are not signed yet and not proved",
                 (long long)(row->entry_count - row->proved_count));
    cli_note("task %s with %lld entries", id, (long long)row->entry_count);
}

static void export_print_json(const cli_call *call, const sw_task_file *row)
{
    char id[37];
    cli_json json = cli_json_begin(stdout);
    sw_uuid_format(&row->task_id, id);
    cli_json_text(&json, "task", id);
    cli_json_text(&json, "file", call->values[CLI_OPTION_OUTPUT].text);
    cli_json_int(&json, "entries", row->entry_count);
    cli_json_int(&json, "proved", row->proved_count);
    cli_json_int(&json, "log_entries", row->log_count);
    cli_json_bool(&json, "signed", row->is_signed != 0);
    cli_json_end(&json);
}

/* The text to standard output, or a file that the library has written. */
static int export_tell(const cli_call *call, const sw_task_file *row)
{
    int status = CLI_EXIT_OK;
    if (!cli_given(call, CLI_OPTION_OUTPUT))
        status = cli_file_write(call, row->text);
    else if (cli_out()->json)
        export_print_json(call, row);
    if (status == CLI_EXIT_OK)
        export_note(row);
    if (cli_given(call, CLI_OPTION_OUTPUT))
        cli_note("wrote %s", call->values[CLI_OPTION_OUTPUT].text);
    return status;
}

static int export_task(const cli_call *call, sw_engine *engine, const cli_trust *trust)
{
    sw_uuid task_id;
    sw_error error = {0};
    sw_result *result = NULL;
    const sw_audit_trust *given = &trust->given;
    sw_str checkpoint = given->checkpoint_count > 0 ? given->checkpoints[0] : cli_str(NULL);
    sw_str path = cli_str(call->values[CLI_OPTION_OUTPUT].text);
    int status =
        cli_task_find(engine, call->argument_count > 0 ? call->arguments[0] : NULL, &task_id);
    if (status != CLI_EXIT_OK)
        return status;
    if (sw_task_export(engine, &task_id, checkpoint, path, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot export the task");
    status = export_tell(call, sw_task_files(result, NULL));
    sw_result_free(result);
    return status;
}

int cli_command_task_export(const cli_call *call)
{
    cli_trust trust = {0};
    sw_engine *engine = NULL;
    int status = cli_trust_read(&trust, call);
    if (status == CLI_EXIT_OK && trust.given.checkpoint_count > 1)
        status = cli_fail(CLI_EXIT_USAGE, NULL, "proofs lead to one --checkpoint");
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = export_task(call, engine, &trust);
    sw_engine_close(engine);
    cli_trust_close(&trust);
    return status;
}

/* Verify. */

static void verify_print_json(const sw_audit_report *report)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_bool(&json, "ok", report->ok != 0);
    cli_json_text(&json, "level", sw_audit_level_name(report->level));
    cli_json_int(&json, "entries", report->entry_count);
    cli_json_int(&json, "signed", report->signed_count);
    cli_json_int(&json, "steps", report->step_count);
    cli_json_int(&json, "commits", report->commit_count);
    cli_json_int(&json, "fenced", report->fenced_count);
    cli_json_int(&json, "reclaimed", report->reclaim_count);
    cli_json_bool(&json, "erased", report->erased_count > 0);
    cli_json_time(&json, "anchored", report->anchored_us);
    cli_json_text(&json, "root", report->root);
    if (!report->ok && report->first_bad_entry > 0)
        cli_json_int(&json, "first_bad_entry", report->first_bad_entry);
    cli_json_text(&json, "message", report->message);
    cli_json_end(&json);
}

static void verify_print(const sw_audit_report *report)
{
    printf("%sOK%s  ", cli_style_on(CLI_GREEN), cli_style_off(CLI_GREEN));
    cli_text_wrap(stdout, cli_str(report->message), 4, cli_out_width());
    printf("    root sha256:%s\n", report->root);
}

static int verify_tell(int code, const char *path, const sw_audit_report *report,
                       const sw_error *error)
{
    if (code < 0 && code != SW_EAUDIT)
        return cli_fail_error(error, NULL, "cannot verify the task file");
    if (cli_out()->json)
        verify_print_json(report);
    else if (report->ok && !cli_out()->quiet)
        verify_print(report);
    if (report->ok)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_AUDIT, "ask for it again where the task is", "%s: %s", path,
                    report->message);
}

static int verify_file(const cli_call *call, const sw_audit_trust *trust)
{
    char *text = NULL;
    size_t size = 0;
    sw_error error = {0};
    const char *path = call->arguments[0];
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int status = cli_file_load_large(path, TASK_FILE_MAX, &text, &size);
    if (status != CLI_EXIT_OK)
        return status;
    int code = sw_task_file_verify(cli_str(path), (sw_str){text, size}, trust, &report, &error);
    free(text);
    return verify_tell(code, path, &report, &error);
}

int cli_command_task_verify(const cli_call *call)
{
    cli_trust trust = {0};
    int status = cli_trust_read(&trust, call);
    bool more = trust.given.checkpoint_count > 0 || cli_given(call, CLI_OPTION_ANCHOR);
    if (status == CLI_EXIT_OK && more && trust.given.key_count == 0)
        status = cli_fail(CLI_EXIT_USAGE, "stepwell audit keygen printed it",
                          "--checkpoint and --anchor need --vkey: the key that the log is signed "
                          "by");
    if (status == CLI_EXIT_OK && cli_given(call, CLI_OPTION_ANCHOR))
        status = cli_trust_anchors(&trust, call);
    if (status == CLI_EXIT_OK)
        status = verify_file(call, trust.given.key_count > 0 ? &trust.given : NULL);
    cli_trust_close(&trust);
    return status;
}
