/* stepwell event append|list|replay|projections: the audit log as streams of events. Not here: what
 * an event is (stepwell/event.h), whether the log can be trusted (audit.c). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

static sw_event_row append_row(const cli_call *call, const sw_uuid *task_id, sw_str data)
{
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    return (sw_event_row){
        .task_id = *task_id,
        .type = cli_str(call->arguments[1]),
        .data = data,
        .key = cli_str(call->values[CLI_OPTION_KEY].text),
        .correlation_id = cli_str(call->values[CLI_OPTION_CORRELATION_ID].text),
        .step = cli_str(call->values[CLI_OPTION_STEP].text),
        .actor = cli_str(actor ? actor : cli_user()),
        .reason = cli_str(call->values[CLI_OPTION_REASON].text),
        .expected_version = cli_number(call, CLI_OPTION_EXPECT, 0),
    };
}

static void append_tell(const sw_uuid *task_id, const sw_event_appended *row)
{
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_uuid(&json, "task", task_id);
        cli_json_text(&json, "status", sw_append_status_name(row->status));
        cli_json_int(&json, "position", row->position);
        cli_json_int(&json, "version", row->version);
        cli_json_end(&json);
    } else if (!cli_out()->quiet) {
        printf("%" PRId64 "%s\n", row->position,
               row->status == SW_APPEND_DUPLICATE ? " was there already" : "");
    }
}

static int append_run(sw_engine *engine, const cli_call *call, const sw_uuid *task_id, sw_str data)
{
    size_t count = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    sw_event_row row = append_row(call, task_id, data);
    if (sw_event_append(engine, &row, 1, SW_BATCH_ALL_OR_NOTHING, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "nothing was appended");
    append_tell(task_id, sw_events_appended(result, &count));
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_event_append(const cli_call *call)
{
    sw_uuid task_id;
    sw_str data = {0};
    char *owned = NULL;
    sw_engine *engine = NULL;
    int status = cli_json_read(call, CLI_OPTION_DATA, &data, &owned);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, call->arguments[0], &task_id);
    if (status == CLI_EXIT_OK)
        status = append_run(engine, call, &task_id, data);
    sw_engine_close(engine);
    free(owned);
    return status;
}

/* A task as it was. */

static void replay_json(const sw_task_past *task, const sw_step_past *steps, size_t count)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", &task->task_id);
    cli_json_str(&json, "workflow", task->workflow);
    cli_json_str(&json, "workflow_version", task->version);
    cli_json_text(&json, "state", sw_task_state_name(task->state));
    cli_json_int(&json, "position", task->position);
    cli_json_time(&json, "time", task->time_us);
    cli_json_step_counts(&json, task->step_counts);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(&json, NULL);
        cli_json_str(&json, "step", steps[i].name);
        cli_json_text(&json, "state", sw_step_state_name(steps[i].state));
        cli_json_int(&json, "attempts", steps[i].attempt);
        cli_json_int(&json, "position", steps[i].position);
        cli_json_time(&json, "changed", steps[i].changed_us);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void replay_print(const sw_task_past *task, const sw_step_past *steps, size_t count)
{
    char id[37];
    char time[CLI_TIME_SIZE];
    sw_uuid_format(&task->task_id, id);
    printf("%s%s%s %s%s%s as event %" PRId64 " left it, %s\n\n", cli_style_on(CLI_BOLD), id,
           cli_style_off(CLI_BOLD), cli_style_on(cli_task_style(task->state)),
           sw_task_state_name(task->state), cli_style_off(cli_task_style(task->state)),
           task->position, cli_time_local(task->time_us, time));
    cli_grid grid = cli_grid_open("llrrl");
    for (size_t i = 0; i < count; i++) {
        cli_grid_add(&grid, CLI_BOLD, steps[i].name);
        cli_grid_add(&grid, cli_step_style(steps[i].state),
                     cli_str(sw_step_state_name(steps[i].state)));
        cli_grid_addf(&grid, CLI_PLAIN, "%d", steps[i].attempt);
        cli_grid_addf(&grid, CLI_DIM, "%" PRId64, steps[i].position);
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_time_local(steps[i].changed_us, time)));
    }
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static int replay_run(sw_engine *engine, const sw_uuid *task_id, int64_t until)
{
    size_t count = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_event_replay(engine, task_id, until, &result, &error) < 0)
        return cli_fail_error(&error, "`stepwell event list TASK` shows its events",
                              "cannot replay the task");
    const sw_task_past *task = sw_tasks_past(result, &count);
    const sw_step_past *steps = sw_steps_past(result, &count);
    if (cli_out()->json)
        replay_json(task, steps, count);
    else if (!cli_out()->quiet)
        replay_print(task, steps, count);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_event_replay(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, call->argument_count ? call->arguments[0] : NULL, &task_id);
    if (status == CLI_EXIT_OK)
        status = replay_run(engine, &task_id, cli_number(call, CLI_OPTION_POSITION, 0));
    sw_engine_close(engine);
    return status;
}

/* What projections there are. */

static void projections_json(const sw_projection *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cli_json json = cli_json_begin(stdout);
        cli_json_str(&json, "projection", rows[i].name);
        cli_json_str(&json, "version", rows[i].version);
        cli_json_int(&json, "position", rows[i].position);
        cli_json_time(&json, "changed", rows[i].changed_us);
        cli_json_raw(&json, "state", rows[i].state);
        cli_json_end(&json);
    }
}

static void projections_print(const sw_projection *rows, size_t count, int64_t newest)
{
    static const char *const heads[] = {"PROJECTION", "VERSION", "POSITION", "BEHIND", "SAVED"};
    char time[CLI_TIME_SIZE];
    cli_grid grid = cli_grid_open("llrrl");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (size_t i = 0; i < count; i++) {
        cli_grid_add(&grid, CLI_BOLD, rows[i].name);
        cli_grid_add(&grid, CLI_PLAIN, rows[i].version);
        cli_grid_addf(&grid, CLI_PLAIN, "%" PRId64, rows[i].position);
        cli_grid_addf(&grid, CLI_PLAIN, "%" PRId64, newest - rows[i].position);
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_time_local(rows[i].changed_us, time)));
    }
    cli_grid_close(&grid, stdout, 0, cli_out_width());
}

static int projections_run(sw_engine *engine)
{
    size_t count = 0;
    int64_t newest = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_event_wait(engine, 0, 0, &newest, &error) < 0 ||
        sw_projection_list(engine, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot list the projections");
    const sw_projection *rows = sw_projections(result, &count);
    if (cli_out()->json)
        projections_json(rows, count);
    else if (count == 0)
        cli_note("no projection is kept");
    else if (!cli_out()->quiet)
        projections_print(rows, count, newest);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_event_projections(const cli_call *call)
{
    sw_engine *engine = NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = projections_run(engine);
    sw_engine_close(engine);
    return status;
}
