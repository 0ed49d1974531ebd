/* stepwell prune: take out tasks that ended long ago. */
#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void prune_print_json(const sw_prune_options *options, const sw_prune_report *report)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_bool(&json, "dry_run", options->dry_run != 0);
    cli_json_int(&json, "tasks", report->task_count);
    cli_json_int(&json, "steps", report->step_count);
    cli_json_int(&json, "freed_bytes", report->freed_bytes);
    cli_json_end(&json);
}

static void prune_print(const sw_prune_options *options, const sw_prune_report *report)
{
    printf("%lld task%s with %lld step%s %s", (long long)report->task_count,
           report->task_count == 1 ? "" : "s", (long long)report->step_count,
           report->step_count == 1 ? "" : "s", options->dry_run ? "would be pruned" : "pruned");
    if (report->freed_bytes > 0)
        printf(", %.1f MiB given back", (double)report->freed_bytes / 1048576);
    fputc('\n', stdout);
}

static int prune_time(const cli_call *call, sw_engine *engine, int64_t *before_us)
{
    sw_error error = {0};
    const char *text = call->values[CLI_OPTION_OLDER_THAN].text;
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    if (sw_engine_info_get(engine, &info, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot prune tasks");
    if (cli_time_read(text, info.now_us, before_us))
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "an age is 90s, 15m, 2h, 7d, or the time 2026-01-31",
                    "option '--older-than' needs an age, not '%s'", text);
}

/* What was done before an error was done. */
static int prune_run(const cli_call *call, sw_engine *engine, sw_prune_options *options)
{
    sw_error error = {0};
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    int status = prune_time(call, engine, &options->finished_before_us);
    if (status != CLI_EXIT_OK)
        return status;
    int code = sw_task_prune(engine, options, &report, &error);
    if (code < 0)
        status = cli_fail_error(&error, "the next call goes on", "%lld tasks were pruned",
                                (long long)report.task_count);
    else if (cli_out()->json)
        prune_print_json(options, &report);
    else if (!cli_out()->quiet)
        prune_print(options, &report);
    return status;
}

int cli_command_prune(const cli_call *call)
{
    sw_engine *engine = NULL;
    const char *state = call->values[CLI_OPTION_STATE].text;
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    const int32_t states[] = {state ? sw_task_state_find(cli_str(state)) : -1};
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    if (!cli_given(call, CLI_OPTION_OLDER_THAN))
        return cli_fail(CLI_EXIT_USAGE, "try: stepwell prune --older-than 30d --dry-run",
                        "'prune' needs --older-than");
    if (state && !sw_task_state_terminal(states[0]))
        return cli_fail(CLI_EXIT_USAGE, "succeeded, failed, cancelled and resolved are ends",
                        "a task that is %s has not ended and cannot be pruned", state);
    options.states = states;
    options.state_count = state ? 1 : 0;
    options.workflow = cli_str(call->values[CLI_OPTION_WORKFLOW].text);
    options.limit = cli_number(call, CLI_OPTION_LIMIT, 0);
    options.dry_run = cli_given(call, CLI_OPTION_DRY_RUN);
    options.actor = cli_str(actor ? actor : cli_user());
    options.reason = cli_str(call->values[CLI_OPTION_REASON].text);
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = prune_run(call, engine, &options);
    sw_engine_close(engine);
    return status;
}
