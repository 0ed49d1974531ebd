/* stepwell erase: destroy what is known of a subject. */
#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void erase_print_json(const sw_erase_options *options, const sw_erase_report *report)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_bool(&json, "dry_run", options->dry_run != 0);
    cli_json_int(&json, "tasks", report->task_count);
    cli_json_int(&json, "erased_before", report->erased_count);
    cli_json_bool(&json, "clean", report->clean != 0);
    cli_json_end(&json);
}

static void erase_print(const sw_erase_options *options, const sw_erase_report *report)
{
    printf("%lld task%s %s", (long long)report->task_count, report->task_count == 1 ? "" : "s",
           options->dry_run ? "would be erased" : "erased");
    if (report->erased_count > 0)
        printf(", %lld had been before", (long long)report->erased_count);
    if (report->clean)
        fputs("; no copy is left in the database file", stdout);
    fputc('\n', stdout);
}

static int erase_run(sw_engine *engine, const sw_erase_options *options)
{
    sw_error error = {0};
    sw_erase_report report = SW_ERASE_REPORT_INIT;
    if (sw_task_erase(engine, options, &report, &error) < 0)
        return cli_fail_error(&error, NULL, "%lld tasks were erased", (long long)report.task_count);
    if (cli_out()->json)
        erase_print_json(options, &report);
    else if (!cli_out()->quiet)
        erase_print(options, &report);
    if (!report.clean && !options->dry_run && !options->quick)
        cli_note("copies may be left in the file, because others read it: erase again");
    return CLI_EXIT_OK;
}

int cli_command_erase(const cli_call *call)
{
    sw_engine *engine = NULL;
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    sw_erase_options options = SW_ERASE_OPTIONS_INIT;
    options.dry_run = cli_given(call, CLI_OPTION_DRY_RUN);
    options.quick = cli_given(call, CLI_OPTION_QUICK);
    options.subject = cli_str(call->arguments[0]);
    options.actor = cli_str(actor ? actor : cli_user());
    options.reason = cli_str(call->values[CLI_OPTION_REASON].text);
    if (!cli_given(call, CLI_OPTION_REASON) && !options.dry_run)
        return cli_fail(CLI_EXIT_USAGE, "--dry-run shows what would be erased",
                        "'erase' needs --reason: the audit log keeps why");
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = erase_run(engine, &options);
    sw_engine_close(engine);
    return status;
}
