/* stepwell readiness: which steps of a task may start, and why the others may not. Not here: what
 * Tasker would say, with --rule (readiness_tasker.c).
 */
#include "readiness.h"

#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void readiness_print_json(const sw_uuid *task_id, const sw_step_readiness_row *rows,
                                 size_t count)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", task_id);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(&json, NULL);
        cli_json_int(&json, "step_id", rows[i].step_id);
        cli_json_str(&json, "step", rows[i].step);
        cli_json_text(&json, "state", sw_step_state_name(rows[i].state));
        cli_json_bool(&json, "ready", rows[i].ready);
        cli_json_text(&json, "reason", sw_reason_name(rows[i].reason));
        cli_json_bool(&json, "dependencies_satisfied", rows[i].dependencies_satisfied);
        cli_json_bool(&json, "retry_eligible", rows[i].retry_eligible);
        cli_json_int(&json, "attempts", rows[i].attempts);
        cli_json_int(&json, "max_attempts", rows[i].max_attempts);
        cli_json_int(&json, "total_parents", rows[i].total_parents);
        cli_json_int(&json, "completed_parents", rows[i].completed_parents);
        cli_json_time(&json, "next_retry_at", rows[i].next_retry_us);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void readiness_add_heads(cli_grid *grid)
{
    static const char *const heads[] = {"STEP",     "STATE",   "READY",   "REASON",
                                        "ATTEMPTS", "PARENTS", "RETRY AT"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(grid, CLI_DIM, cli_str(heads[i]));
}

static void readiness_add_row(cli_grid *grid, const sw_step_readiness_row *row)
{
    char time[CLI_TIME_SIZE];
    cli_grid_add(grid, CLI_BOLD, row->step);
    cli_grid_add(grid, cli_step_style(row->state), cli_str(sw_step_state_name(row->state)));
    cli_grid_add(grid, row->ready ? CLI_GREEN : CLI_PLAIN, cli_str(row->ready ? "yes" : "no"));
    cli_grid_add(grid, CLI_PLAIN, cli_str(sw_reason_name(row->reason)));
    cli_grid_addf(grid, CLI_PLAIN, "%d/%d", row->attempts, row->max_attempts);
    cli_grid_addf(grid, CLI_PLAIN, "%d/%d", row->completed_parents, row->total_parents);
    cli_grid_add(grid, CLI_PLAIN,
                 cli_str(row->next_retry_us > 0 ? cli_time_local(row->next_retry_us, time) : ""));
}

static void readiness_print(const sw_step_readiness_row *rows, size_t count)
{
    cli_grid grid = cli_grid_open("llllrrl");
    readiness_add_heads(&grid);
    for (size_t i = 0; i < count; i++)
        readiness_add_row(&grid, &rows[i]);
    cli_grid_close(&grid, stdout, 0, cli_out_width());
}

static int readiness_run(sw_engine *engine, const sw_uuid *task_id)
{
    size_t count = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_step_readiness(engine, task_id, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot look at the task");
    const sw_step_readiness_row *rows = sw_readiness_rows(result, &count);
    if (cli_out()->json)
        readiness_print_json(task_id, rows, count);
    else if (!cli_out()->quiet)
        readiness_print(rows, count);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_readiness(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    const char *rule = call->values[CLI_OPTION_RULE].text;
    if (status == CLI_EXIT_OK)
        status =
            rule ? cli_readiness_tasker(engine, &task_id, rule) : readiness_run(engine, &task_id);
    sw_engine_close(engine);
    return status;
}
