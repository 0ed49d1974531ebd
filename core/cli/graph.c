/* stepwell graph: steps and their dependencies as a picture, of a file or of a task as it stands.
 */
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "durations.h"
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

static int graph_options_read(const cli_call *call, sw_picture_options *options)
{
    bool file = cli_given(call, CLI_OPTION_OUTPUT);
    *options = (sw_picture_options)SW_PICTURE_OPTIONS_INIT;
    options->format = cli_picture_format(call, SW_PICTURE_TEXT);
    options->columns = (int32_t)cli_out_width();
    options->ascii = !file && !cli_out()->unicode;
    options->color = !file && cli_out()->colour;
    options->marks = cli_picture_marks(call);
    if (cli_given(call, CLI_OPTION_SVG) && cli_given(call, CLI_OPTION_FORMAT))
        return cli_fail(CLI_EXIT_USAGE, NULL, "--svg is a format of its own; leave out --format");
    if (options->format == SW_PICTURE_FORMAT_COUNT)
        return cli_fail(CLI_EXIT_USAGE,
                        "add --format, or a name that ends in .svg, .mmd, .dot, "
                        ".json or .txt",
                        "'%s' does not tell what to write", call->values[CLI_OPTION_OUTPUT].text);
    if (cli_given(call, CLI_OPTION_DIRECTION))
        options->direction = strcmp(call->values[CLI_OPTION_DIRECTION].text, "right") == 0
                                 ? SW_PICTURE_RIGHT
                                 : SW_PICTURE_DOWN;
    return CLI_EXIT_OK;
}

/* What the core has drawn, or why it has not. Takes result. */
static int graph_finish(const cli_call *call, int code, const sw_error *error, int format,
                        sw_result *result)
{
    if (code < 0)
        return graph_fail(error, format);
    int status = cli_file_write(call, sw_pictures(result, NULL)->text);
    sw_result_free(result);
    return status;
}

static int graph_of_workflow(const cli_call *call, const sw_workflow *workflow)
{
    sw_error error = {0};
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    cli_durations durations;
    sw_picture_options options;
    sw_graph_options graph_options = SW_GRAPH_OPTIONS_INIT;
    int status = graph_options_read(call, &options);
    if (status != CLI_EXIT_OK)
        return status;
    options.title = sw_workflow_name(workflow);
    status = cli_durations_open(&durations, call, workflow, NULL);
    if (status == CLI_EXIT_OK) {
        int code = sw_graph_new_workflow(&graph_options, workflow, &graph, &error);
        if (code == SW_OK)
            code = sw_graph_picture(graph, &options, durations.us, &result, &error);
        status = graph_finish(call, code, &error, options.format, result);
    }
    sw_graph_free(graph);
    cli_durations_close(&durations);
    return status;
}

static int graph_of_file(const cli_call *call)
{
    cli_definition definition;
    cli_definition_open(&definition, call->arguments[0], cli_given(call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&definition);
    if (status == CLI_EXIT_OK)
        status = graph_of_workflow(call, definition.workflow);
    cli_definition_close(&definition);
    return status;
}

/* Durations of the steps that have not ended, when an option asks for any but what is learnt. */
static int graph_durations(const cli_call *call, sw_engine *engine, const sw_uuid *task_id,
                           cli_durations *durations)
{
    sw_error error = {0};
    sw_workflow *workflow = NULL;
    *durations = (cli_durations){0};
    if (!cli_given(call, CLI_OPTION_DURATIONS) && !cli_given(call, CLI_OPTION_DURATION))
        return CLI_EXIT_OK;
    if (sw_task_workflow(engine, task_id, &workflow, &error) < 0)
        return cli_fail_error(&error, "`stepwell list` shows the tasks",
                              "cannot read the definition of the task");
    int status = cli_durations_open(durations, call, workflow, engine);
    sw_workflow_free(workflow);
    return status;
}

static int graph_of_task(const cli_call *call)
{
    sw_uuid task_id;
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_result *result = NULL;
    cli_durations durations = {0};
    sw_picture_options options;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = graph_options_read(call, &options);
    if (status == CLI_EXIT_OK)
        status = graph_durations(call, engine, &task_id, &durations);
    if (status == CLI_EXIT_OK) {
        int code = sw_task_picture(engine, &options, durations.us, &task_id, &result, &error);
        status = graph_finish(call, code, &error, options.format, result);
    }
    cli_durations_close(&durations);
    sw_engine_close(engine);
    return status;
}

int cli_command_graph(const cli_call *call)
{
    if (call->argument_count > 0 && graph_file_named(call->arguments[0]))
        return graph_of_file(call);
    return graph_of_task(call);
}
