/* stepwell override: bring steps of a task into another state by hand, with a name and a reason. */
#include <stdlib.h>

#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"

/* A task, the steps that are named, and what becomes of them. */
typedef struct override_view {
    sw_result *task_result;
    sw_result *answer;
    const sw_step_row *steps;
    size_t step_count;
    sw_step_override_row *rows;
    size_t row_count;
} override_view;

static const sw_step_row *override_step(const override_view *view, sw_str name)
{
    for (size_t i = 0; i < view->step_count; i++) {
        if (cli_str_equal(view->steps[i].name, name))
            return &view->steps[i];
    }
    return NULL;
}

static int override_view_open(override_view *view, sw_engine *engine, const cli_call *call,
                              const sw_uuid *task_id)
{
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    int status = cli_task_read(engine, task_id, &view->task_result);
    if (status != CLI_EXIT_OK)
        return status;
    view->steps = sw_steps(view->task_result, &view->step_count);
    view->row_count = call->argument_count - 1;
    view->rows = cli_alloc(view->row_count * sizeof(*view->rows));
    for (size_t i = 0; i < view->row_count; i++) {
        const sw_step_row *step = override_step(view, cli_str(call->arguments[i + 1]));
        if (!step)
            return cli_fail(CLI_EXIT_NOT_FOUND, "`stepwell show` lists the steps",
                            "the task has no step '%s'", call->arguments[i + 1]);
        view->rows[i] = (sw_step_override_row){
            .step_id = step->step_id,
            .state = sw_step_state_find(cli_str(call->values[CLI_OPTION_TO].text)),
            .actor = cli_str(actor ? actor : cli_user()),
            .reason = cli_str(call->values[CLI_OPTION_REASON].text),
            .result = cli_str(call->values[CLI_OPTION_RESULT].text),
        };
    }
    return CLI_EXIT_OK;
}

static void override_view_close(override_view *view)
{
    free(view->rows);
    sw_result_free(view->answer);
    sw_result_free(view->task_result);
}

static void override_print_json(const cli_call *call, const sw_uuid *task_id,
                                const sw_step_overridden *rows, size_t count, int64_t applied)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", task_id);
    cli_json_int(&json, "updated", applied);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(&json, NULL);
        cli_json_text(&json, "step", call->arguments[i + 1]);
        cli_json_text(&json, "status", sw_row_status_name(rows[i].status));
        cli_json_text(&json, "from", sw_step_state_name(rows[i].from));
        cli_json_text(&json, "state", sw_step_state_name(rows[i].state));
        cli_json_str(&json, "message", rows[i].message);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void override_print(const cli_call *call, const sw_step_overridden *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cli_style style = cli_step_style(rows[i].state);
        if (rows[i].status != SW_ROW_APPLIED)
            continue;
        cli_text_put(stdout, cli_str(call->arguments[i + 1]), CLI_TEXT_NO_LIMIT);
        printf(": %s, now %s%s%s\n", sw_step_state_name(rows[i].from), cli_style_on(style),
               sw_step_state_name(rows[i].state), cli_style_off(style));
    }
}

/* What was refused is an error, after what was done was told. */
static int override_tell(const cli_call *call, const sw_uuid *task_id, const sw_result *answer)
{
    size_t count = 0;
    int64_t applied = 0;
    const sw_step_overridden *refused = NULL;
    const sw_step_overridden *rows = sw_step_overrides(answer, &count);
    for (size_t i = 0; i < count; i++) {
        applied += rows[i].status == SW_ROW_APPLIED;
        refused = rows[i].status == SW_ROW_APPLIED ? refused : &rows[i];
    }
    if (cli_out()->json)
        override_print_json(call, task_id, rows, count, applied);
    else if (!cli_out()->quiet)
        override_print(call, rows, count);
    if (!refused)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_REFUSED, NULL, "%lld of %zu steps are changed: %.*s",
                    (long long)applied, count, (int)refused->message.len, refused->message.ptr);
}

static int override_run(sw_engine *engine, const cli_call *call, const sw_uuid *task_id)
{
    override_view view = {0};
    sw_error error = {0};
    int mode = cli_given(call, CLI_OPTION_PARTIAL) ? SW_BATCH_PARTIAL : SW_BATCH_ALL_OR_NOTHING;
    int status = override_view_open(&view, engine, call, task_id);
    if (status == CLI_EXIT_OK &&
        sw_step_override(engine, view.rows, view.row_count, mode, &view.answer, &error) < 0)
        status =
            cli_fail_error(&error, "`stepwell readiness` shows the steps", "no step was changed");
    if (status == CLI_EXIT_OK)
        status = override_tell(call, task_id, view.answer);
    override_view_close(&view);
    return status;
}

int cli_command_override(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    if (!cli_given(call, CLI_OPTION_TO) || !cli_given(call, CLI_OPTION_REASON))
        return cli_fail(CLI_EXIT_USAGE, "try: stepwell override --help",
                        "'override' needs --to and --reason");
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, call->arguments[0], &task_id);
    if (status == CLI_EXIT_OK)
        status = override_run(engine, call, &task_id);
    sw_engine_close(engine);
    return status;
}
