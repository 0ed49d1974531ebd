/* stepwell graph: steps and their dependencies as a picture, of a file or of a task as it stands.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "history.h"
#include "out.h"
#include "picture.h"
#include "text.h"

/* Whether the argument names a file rather than a task. */
static bool graph_file_named(const char *name)
{
    bool task_like = strspn(name, "0123456789abcdefABCDEF-") == strlen(name);
    return strcmp(name, "-") == 0 || access(name, F_OK) == 0 || !task_like;
}

static int graph_fail(const sw_error *error, int format)
{
    bool narrow = error->code == SW_ELIMIT && format == SW_PICTURE_TEXT;
    return cli_fail_error(
        error, narrow ? "draw it with --format svg, or see `stepwell plan`" : NULL, NULL);
}

static int graph_render(const cli_call *call, cli_picture *rows, const sw_workflow *workflow)
{
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    bool file = cli_given(call, CLI_OPTION_OUTPUT);
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = cli_picture_format(call, SW_PICTURE_TEXT);
    options.title = sw_workflow_name(workflow);
    options.columns = (int32_t)cli_out_width();
    options.ascii = !file && !cli_out()->unicode;
    options.color = !file && cli_out()->colour;
    if (cli_given(call, CLI_OPTION_SVG) && cli_given(call, CLI_OPTION_FORMAT))
        return cli_fail(CLI_EXIT_USAGE, NULL, "--svg is a format of its own; leave out --format");
    if (options.format == SW_PICTURE_FORMAT_COUNT)
        return cli_fail(CLI_EXIT_USAGE,
                        "add --format, or a name that ends in .svg, .mmd, .dot, "
                        ".json or .txt",
                        "'%s' does not tell what to write", call->values[CLI_OPTION_OUTPUT].text);
    if (cli_given(call, CLI_OPTION_DIRECTION))
        options.direction = strcmp(call->values[CLI_OPTION_DIRECTION].text, "right") == 0
                                ? SW_PICTURE_RIGHT
                                : SW_PICTURE_DOWN;
    if (cli_given(call, CLI_OPTION_CRITICAL))
        cli_picture_mark_critical(rows, workflow);
    if (sw_picture_render(&options, rows->nodes, rows->node_count, rows->edges, rows->edge_count,
                          &result, &error) < 0)
        return graph_fail(&error, options.format);
    int status = cli_file_write(call, sw_pictures(result, &count)->text);
    sw_result_free(result);
    return status;
}

static int graph_of_file(const cli_call *call)
{
    cli_picture rows;
    cli_definition definition;
    cli_definition_open(&definition, call->arguments[0], cli_given(call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&definition);
    if (status == CLI_EXIT_OK) {
        cli_picture_open(&rows, definition.workflow);
        status = graph_render(call, &rows, definition.workflow);
        cli_picture_close(&rows);
    }
    cli_definition_close(&definition);
    return status;
}

/* States and durations of the steps of a task into the rows of its definition. */
static int graph_states_fill(sw_engine *engine, const sw_uuid *task_id, cli_picture *rows)
{
    sw_error error = {0};
    sw_result *task = NULL, *log = NULL;
    cli_history history;
    size_t count = 0, entry_count = 0;
    int status = cli_task_read(engine, task_id, &task);
    if (status != CLI_EXIT_OK)
        return status;
    const sw_step_row *steps = sw_steps(task, &count);
    if (sw_audit_task(engine, task_id, &log, &error) < 0) {
        sw_result_free(task);
        return cli_fail_error(&error, "`stepwell audit verify` says what is wrong",
                              "cannot read the history of the task");
    }
    const sw_audit_entry *entries = sw_audit_entries(log, &entry_count);
    cli_history_open(&history, engine, steps, count);
    for (size_t i = 0; i < entry_count; i++)
        cli_history_take(&history, &entries[i]);
    for (size_t i = 0; i < count && i < rows->node_count; i++) {
        const cli_span *span = cli_history_span(&history, steps[i].step_id);
        rows->nodes[i].state = steps[i].state;
        if (span && span->worked_us > 0)
            rows->nodes[i].duration_us = span->worked_us;
    }
    cli_history_close(&history);
    sw_result_free(log);
    sw_result_free(task);
    return CLI_EXIT_OK;
}

static int graph_of_task(const cli_call *call)
{
    sw_uuid task_id;
    cli_picture rows;
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_workflow *workflow = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK && sw_task_workflow(engine, &task_id, &workflow, &error) < 0)
        status = cli_fail_error(&error, "`stepwell list` shows the tasks",
                                "cannot read the definition of the task");
    if (status == CLI_EXIT_OK) {
        cli_picture_open(&rows, workflow);
        status = graph_states_fill(engine, &task_id, &rows);
        if (status == CLI_EXIT_OK)
            status = graph_render(call, &rows, workflow);
        cli_picture_close(&rows);
    }
    sw_workflow_free(workflow);
    sw_engine_close(engine);
    return status;
}

int cli_command_graph(const cli_call *call)
{
    if (call->argument_count > 0 && graph_file_named(call->arguments[0]))
        return graph_of_file(call);
    return graph_of_task(call);
}
