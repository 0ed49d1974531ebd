/* stepwell explain: the engine's reasons why steps do not run. */
#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void explain_print_json(const sw_uuid *task_id, const sw_task_row *task,
                               const sw_step_reason *reasons, size_t count)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", task_id);
    cli_json_text(&json, "state", sw_task_state_name(task->state));
    cli_json_array(&json, "reasons");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(&json, NULL);
        cli_json_str(&json, "step", reasons[i].step);
        cli_json_text(&json, "state", sw_step_state_name(reasons[i].state));
        cli_json_text(&json, "reason", sw_reason_name(reasons[i].reason));
        cli_json_str(&json, "subject", reasons[i].subject);
        cli_json_str(&json, "message", reasons[i].message);
        cli_json_time(&json, "until", reasons[i].until_us);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void explain_print(const sw_task_row *task, const sw_step_reason *reasons, size_t count)
{
    cli_grid grid = cli_grid_open("lll");
    if (count == 0) {
        printf("every step has ended; the task is %s\n", sw_task_state_name(task->state));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        cli_grid_add(&grid, cli_step_style(reasons[i].state), cli_str(cli_mark(reasons[i].state)));
        cli_grid_add(&grid, CLI_BOLD, reasons[i].step);
        cli_grid_add(&grid, CLI_PLAIN, reasons[i].message);
    }
    /* A sentence that is cut explains nothing, so long lines are left to the terminal. */
    cli_grid_close(&grid, stdout, 0, 0);
}

static int explain_run(sw_engine *engine, const sw_uuid *task_id, const char *step)
{
    sw_error error = {0};
    sw_result *task_result = NULL;
    sw_result *result = NULL;
    size_t count = 0;
    int status = cli_task_read(engine, task_id, &task_result);
    if (status == CLI_EXIT_OK &&
        sw_step_explain(engine, task_id, cli_str(step), &result, &error) < 0)
        status = cli_fail_error(&error, "`stepwell show` lists the steps", NULL);
    if (status == CLI_EXIT_OK) {
        const sw_task_row *task = sw_tasks(task_result, &count);
        const sw_step_reason *reasons = sw_step_reasons(result, &count);
        if (cli_out()->json)
            explain_print_json(task_id, task, reasons, count);
        else if (!cli_out()->quiet)
            explain_print(task, reasons, count);
    }
    sw_result_free(result);
    sw_result_free(task_result);
    return status;
}

int cli_command_explain(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    const char *step = call->argument_count > 1 ? call->arguments[1] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = explain_run(engine, &task_id, step);
    sw_engine_close(engine);
    return status;
}
