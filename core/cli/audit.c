/* stepwell audit verify: does the history hold together, and does it agree with the state? */
#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void audit_print_json(const sw_audit_report *report)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_bool(&json, "ok", report->ok != 0);
    cli_json_text(&json, "level", "L1 integrity");
    cli_json_int(&json, "entries", report->entry_count);
    cli_json_int(&json, "segments", report->segment_count);
    cli_json_int(&json, "steps", report->step_count);
    cli_json_int(&json, "commits", report->commit_count);
    cli_json_int(&json, "fenced", report->fenced_count);
    cli_json_int(&json, "reclaimed", report->reclaim_count);
    cli_json_text(&json, "head", report->head);
    if (!report->ok) {
        cli_json_int(&json, "first_bad_entry", report->first_bad_entry);
        cli_json_int(&json, "last_bad_entry", report->last_bad_entry);
    }
    cli_json_text(&json, "message", report->message);
    cli_json_end(&json);
}

static void audit_print_ok(const sw_audit_report *report)
{
    printf("%sOK%s  ", cli_style_on(CLI_GREEN), cli_style_off(CLI_GREEN));
    cli_text_wrap(stdout, cli_str(report->message), 4, cli_out_width());
    printf("    head sha256:%s\n", report->head);
}

static int audit_fail(const sw_audit_report *report)
{
    if (report->first_bad_entry == 0)
        return cli_fail(CLI_EXIT_AUDIT, "restore the database from a backup that verifies", "%s",
                        report->message);
    return cli_fail(CLI_EXIT_AUDIT, "restore the database from a backup that verifies",
                    "entries %lld..%lld cannot be trusted: %s", (long long)report->first_bad_entry,
                    (long long)report->last_bad_entry, report->message);
}

int cli_command_audit_verify(const cli_call *call)
{
    sw_engine *engine = NULL;
    sw_error error = {0};
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status != CLI_EXIT_OK)
        return status;
    int code = sw_audit_verify(engine, &report, &error);
    sw_engine_close(engine);
    if (code < 0 && code != SW_EAUDIT)
        return cli_fail_error(&error, NULL, "cannot verify the audit log");
    if (cli_out()->json)
        audit_print_json(&report);
    else if (report.ok && !cli_out()->quiet)
        audit_print_ok(&report);
    return report.ok ? (int)CLI_EXIT_OK : audit_fail(&report);
}
