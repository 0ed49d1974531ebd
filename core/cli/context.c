/* stepwell context: where a task stands, what blocks it and what comes next. */
#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void context_print_json(const sw_task_context_row *row)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", &row->task_id);
    cli_json_str(&json, "workflow", row->workflow);
    cli_json_str(&json, "version", row->version);
    cli_json_text(&json, "state", sw_task_state_name(row->state));
    cli_json_text(&json, "execution_status", sw_execution_status_name(row->execution_status));
    cli_json_text(&json, "recommended_action", sw_recommended_action_name(row->recommended_action));
    cli_json_text(&json, "health_status", sw_health_status_name(row->health_status));
    cli_json_number(&json, "completion_percentage", row->completion_percentage);
    cli_json_int(&json, "step_count", row->step_count);
    cli_json_step_counts(&json, row->step_counts);
    cli_json_int(&json, "ready_count", row->ready_count);
    cli_json_time(&json, "next_retry_at", row->next_retry_us);
    cli_json_strs(&json, "next_steps", row->next_steps, row->next_step_count);
    cli_json_strs(&json, "blocking_steps", row->blocking_steps, row->blocking_step_count);
    cli_json_strs(&json, "blocked_steps", row->blocked_steps, row->blocked_step_count);
    cli_json_time(&json, "deadline", row->deadline_us);
    cli_json_time(&json, "next_deadline", row->next_deadline_us);
    cli_json_end(&json);
}

static void context_print_fact(const char *name)
{
    printf("  %s%-10s%s", cli_style_on(CLI_DIM), name, cli_style_off(CLI_DIM));
}

/* "2 ready, 1 failed": the states that a step is in. */
static void context_print_counts(const sw_task_context_row *row)
{
    const char *comma = "";
    context_print_fact("steps");
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++) {
        if (row->step_counts[state] == 0)
            continue;
        printf("%s%s%lld %s%s", comma, cli_style_on(cli_step_style(state)),
               (long long)row->step_counts[state], sw_step_state_name(state),
               cli_style_off(cli_step_style(state)));
        comma = ", ";
    }
    fputc('\n', stdout);
}

static void context_print_names(const char *name, const sw_str *steps, size_t count)
{
    if (count == 0)
        return;
    context_print_fact(name);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", stdout);
        cli_text_put(stdout, steps[i], CLI_TEXT_NO_LIMIT);
    }
    fputc('\n', stdout);
}

static cli_style context_style(int health)
{
    static const cli_style styles[SW_HEALTH_STATUS_COUNT] = {CLI_GREEN, CLI_YELLOW, CLI_RED};
    return styles[health];
}

static void context_print_time(const char *name, int64_t time_us)
{
    char time[CLI_TIME_SIZE];
    if (time_us == 0)
        return;
    context_print_fact(name);
    printf("%s\n", cli_time_local(time_us, time));
}

static void context_print(const sw_task_context_row *row)
{
    cli_style style = context_style(row->health_status);
    fputs(cli_style_on(CLI_BOLD), stdout);
    cli_text_put(stdout, row->workflow, CLI_TEXT_NO_LIMIT);
    printf("%s: %s%s%s, %s\n", cli_style_off(CLI_BOLD), cli_style_on(style),
           sw_health_status_name(row->health_status), cli_style_off(style),
           sw_execution_status_name(row->execution_status));
    context_print_fact("done");
    printf("%.2f %%\n", row->completion_percentage);
    context_print_counts(row);
    context_print_names("next", row->next_steps, row->next_step_count);
    context_print_names("blocking", row->blocking_steps, row->blocking_step_count);
    context_print_names("blocked", row->blocked_steps, row->blocked_step_count);
    context_print_time("retry at", row->next_retry_us);
    context_print_time("deadline", row->deadline_us);
    if (row->next_deadline_us != row->deadline_us)
        context_print_time("fails at", row->next_deadline_us);
    context_print_fact("to do");
    printf("%s\n", sw_recommended_action_name(row->recommended_action));
}

static int context_run(sw_engine *engine, const sw_uuid *task_id)
{
    size_t count = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_task_context(engine, task_id, 1, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot look at the task");
    const sw_task_context_row *row = sw_task_contexts(result, &count);
    if (cli_out()->json)
        context_print_json(row);
    else if (!cli_out()->quiet)
        context_print(row);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_context(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = context_run(engine, &task_id);
    sw_engine_close(engine);
    return status;
}
