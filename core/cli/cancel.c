/* stepwell cancel: end a task, with a name and a reason for the audit log. */
#include "command.h"
#include "database.h"
#include "json.h"
#include "out.h"
#include "text.h"

static int cancel_run(sw_engine *engine, const cli_call *call, const sw_uuid *task_id)
{
    char id[37];
    sw_error error = {0};
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    sw_cancel_row row = {.task_id = *task_id};
    row.actor = cli_str(actor ? actor : cli_user());
    row.reason = cli_str(call->values[CLI_OPTION_REASON].text);
    sw_uuid_format(task_id, id);
    if (sw_task_cancel(engine, &row, 1, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot cancel %s", id);
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_text(&json, "task", id);
        cli_json_text(&json, "state", sw_task_state_name(SW_TASK_CANCELLED));
        cli_json_str(&json, "actor", row.actor);
        cli_json_str(&json, "reason", row.reason);
        cli_json_end(&json);
    } else if (!cli_out()->quiet) {
        printf("cancelled %s\n", id);
    }
    return CLI_EXIT_OK;
}

int cli_command_cancel(const cli_call *call)
{
    sw_uuid task_id;
    sw_engine *engine = NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, call->arguments[0], &task_id);
    if (status == CLI_EXIT_OK)
        status = cancel_run(engine, call, &task_id);
    sw_engine_close(engine);
    return status;
}
