/* stepwell gantt: the attempts of a task along a time line, taken from its history. */
#include "command.h"
#include "database.h"
#include "definition.h"
#include "out.h"
#include "picture.h"

#define GANTT_COLUMNS_LEAST 40

static int gantt_of_task(const cli_call *call, sw_engine *engine, const sw_uuid *task_id)
{
    sw_error error = {0};
    sw_result *result = NULL;
    bool file = cli_given(call, CLI_OPTION_OUTPUT);
    size_t width = cli_out_width();
    bool narrow = width > 0 && width < GANTT_COLUMNS_LEAST;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    options.format = cli_picture_format(call, SW_PICTURE_TEXT);
    options.columns = narrow ? GANTT_COLUMNS_LEAST : (int32_t)width;
    options.ascii = !file && !cli_out()->unicode;
    options.color = !file && cli_out()->colour;
    if (options.format == SW_PICTURE_FORMAT_COUNT)
        return cli_fail(CLI_EXIT_USAGE, "add --svg, or a name that ends in .svg, .json or .txt",
                        "'%s' does not tell what to write", call->values[CLI_OPTION_OUTPUT].text);
    if (sw_task_gantt(engine, &options, task_id, &result, &error) < 0)
        return cli_fail_error(&error, NULL, NULL);
    int status = cli_file_write(call, sw_pictures(result, NULL)->text);
    sw_result_free(result);
    return status;
}

int cli_command_gantt(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = gantt_of_task(call, engine, &task_id);
    sw_engine_close(engine);
    return status;
}
