/* stepwell audit verify: does the history hold together, does it agree with the state, and is it
 * the one that was signed? */
#include <time.h>

#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"
#include "trust.h"

static const char *const level_names[SW_AUDIT_LEVEL_COUNT] = {"none", "L1 integrity", "L2 signed",
                                                              "L3 anchored"};

/* 0 when its clock is ahead of ours. */
static int64_t audit_age_us(const sw_audit_report *report)
{
    int64_t age_us = (int64_t)time(NULL) * 1000000 - report->anchored_us;
    return age_us > 0 ? age_us : 0;
}

/* Always told: a log whose anchors are old may have been rolled back since. */
static void audit_print_age(const sw_audit_report *report)
{
    char age[CLI_DURATION_SIZE];
    char when[CLI_TIME_SIZE];
    if (report->anchored_us == 0)
        printf("    last anchor: none\n");
    else
        printf("    last anchor: %s old, %s\n", cli_duration(audit_age_us(report), age),
               cli_time_rfc3339(report->anchored_us, when));
}

static void audit_print_json(const sw_audit_report *report)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_bool(&json, "ok", report->ok != 0);
    cli_json_text(&json, "level", level_names[report->level]);
    cli_json_int(&json, "entries", report->entry_count);
    cli_json_int(&json, "segments", report->segment_count);
    cli_json_int(&json, "steps", report->step_count);
    cli_json_int(&json, "commits", report->commit_count);
    cli_json_int(&json, "fenced", report->fenced_count);
    cli_json_int(&json, "reclaimed", report->reclaim_count);
    cli_json_int(&json, "erased_tasks", report->erased_count);
    cli_json_text(&json, "head", report->head);
    cli_json_int(&json, "signed", report->signed_count);
    cli_json_int(&json, "unsealed_tail", report->entry_count - report->signed_count);
    cli_json_int(&json, "anchored", report->anchored_count);
    cli_json_time(&json, "last_anchor", report->anchored_us);
    if (report->anchored_us > 0)
        cli_json_seconds(&json, "last_anchor_age_seconds", audit_age_us(report));
    if (report->root[0])
        cli_json_text(&json, "root", report->root);
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
    if (report->head[0])
        printf("    head sha256:%s\n", report->head);
    if (report->root[0])
        printf("    root sha256:%s\n", report->root);
    audit_print_age(report);
}

static int audit_fail(const sw_audit_report *report)
{
    if (report->first_bad_entry == 0)
        return cli_fail(CLI_EXIT_AUDIT, NULL, "%s", report->message);
    return cli_fail(CLI_EXIT_AUDIT, "restore it from a copy that verifies",
                    "entries %lld..%lld cannot be trusted: %s", (long long)report->first_bad_entry,
                    (long long)report->last_bad_entry, report->message);
}

/* Say what a verification that ended with code has found. */
static int audit_tell(int code, const sw_audit_report *report, const sw_error *error)
{
    if (code < 0 && code != SW_EAUDIT)
        return cli_fail_error(error, NULL, "cannot verify the audit log");
    if (cli_out()->json)
        audit_print_json(report);
    else if (report->ok && !cli_out()->quiet)
        audit_print_ok(report);
    return report->ok ? (int)CLI_EXIT_OK : audit_fail(report);
}

static int audit_verify_database(const cli_call *call)
{
    cli_trust trust;
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int status = cli_trust_open(&trust, call);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK) {
        bool trusts = trust.given.checkpoint_count + trust.given.anchor_count > 0;
        int32_t jobs = (int32_t)cli_number(call, CLI_OPTION_JOBS, 0);
        int code = sw_audit_verify_by(engine, trusts ? &trust.given : NULL, jobs, &report, &error);
        status = audit_tell(code, &report, &error);
    }
    sw_engine_close(engine);
    cli_trust_close(&trust);
    return status;
}

static int audit_verify_export(const cli_call *call)
{
    cli_trust trust;
    sw_error error = {0};
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int status = cli_trust_read(&trust, call);
    if (status == CLI_EXIT_OK && trust.given.key_count == 0)
        status = cli_fail(CLI_EXIT_USAGE, "stepwell audit keygen printed it",
                          "--export needs --vkey: the key that the log is signed by");
    if (status == CLI_EXIT_OK)
        status = cli_trust_anchors(&trust, call);
    if (status == CLI_EXIT_OK) {
        sw_str folder = cli_str(call->values[CLI_OPTION_EXPORT].text);
        int32_t jobs = (int32_t)cli_number(call, CLI_OPTION_JOBS, 0);
        int code = sw_audit_verify_export(folder, &trust.given, jobs, &report, &error);
        status = audit_tell(code, &report, &error);
    }
    cli_trust_close(&trust);
    return status;
}

int cli_command_audit_verify(const cli_call *call)
{
    return cli_given(call, CLI_OPTION_EXPORT) ? audit_verify_export(call)
                                              : audit_verify_database(call);
}

int cli_command_audit_export(const cli_call *call)
{
    cli_trust trust;
    sw_error error = {0};
    sw_engine *engine = NULL;
    int status = cli_trust_read(&trust, call);
    if (status == CLI_EXIT_OK && trust.given.checkpoint_count != 1)
        status = cli_fail(CLI_EXIT_USAGE, "stepwell audit seal makes one",
                          "'audit export' needs one --checkpoint: what to export");
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK && sw_audit_export(engine, cli_str(call->arguments[0]),
                                                 trust.given.checkpoints[0], &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot export the audit log");
    if (status == CLI_EXIT_OK && cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_text(&json, "folder", call->arguments[0]);
        cli_json_end(&json);
    }
    if (status == CLI_EXIT_OK)
        cli_note("wrote %s", call->arguments[0]);
    sw_engine_close(engine);
    cli_trust_close(&trust);
    return status;
}
