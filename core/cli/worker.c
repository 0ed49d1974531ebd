/* stepwell worker: the runner with the built-in kinds, until a signal comes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "database.h"
#include "interrupt.h"
#include "json.h"
#include "out.h"
#include "text.h"
#include "worker.h"

int cli_root_check(const cli_call *call)
{
    struct stat info;
    const char *root = call->values[CLI_OPTION_ROOT].text;
    if (!root)
        return CLI_EXIT_OK;
    if (stat(root, &info) < 0)
        return cli_fail(errno == ENOENT ? CLI_EXIT_NOT_FOUND : CLI_EXIT_STORAGE, NULL,
                        "--root: cannot use '%s': %s", root, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return cli_fail(CLI_EXIT_USAGE, NULL, "--root: '%s' is not a directory", root);
    return CLI_EXIT_OK;
}

int cli_runner_open(const cli_call *call, sw_engine *engine, const sw_uuid *task,
                    int64_t threads_max, sw_runner **out)
{
    sw_error error = {0};
    const cli_value *queues = &call->values[CLI_OPTION_QUEUE];
    const char *root = call->values[CLI_OPTION_ROOT].text;
    int64_t threads = cli_number(call, CLI_OPTION_THREADS, CLI_THREADS);
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    sw_str *names = cli_alloc(queues->item_count * sizeof(*names));
    for (size_t i = 0; i < queues->item_count; i++)
        names[i] = cli_str(queues->items[i]);
    options.threads = (int32_t)(threads_max > 0 && threads_max < threads ? threads_max : threads);
    options.name = cli_str(call->values[CLI_OPTION_NAME].text);
    options.root = cli_str(root);
    options.queues = names;
    options.queue_count = queues->item_count;
    options.task = task;
    options.lease_ms = cli_number(call, CLI_OPTION_LEASE_SECONDS, 0) * 1000;
    int code = sw_runner_open(engine, &options, out, &error);
    free(names);
    if (code >= 0)
        return CLI_EXIT_OK;
    return cli_fail_error(&error, NULL,
                          root ? "cannot start a worker in '%s'" : "cannot start a worker", root);
}

static void worker_say(const char *event)
{
    if (!cli_out()->json)
        return;
    cli_json json = cli_json_begin(stdout);
    cli_json_text(&json, "event", event);
    cli_json_end(&json);
}

static void worker_greet(void)
{
    size_t count = 0;
    char kinds[256] = "";
    size_t used = 0;
    const sw_str *names = sw_runner_kinds(&count);
    for (size_t i = 0; i < count && used < sizeof(kinds) - 1; i++)
        used += (size_t)snprintf(kinds + used, sizeof(kinds) - used, "%s%.*s", i ? ", " : "",
                                 (int)names[i].len, names[i].ptr);
    cli_note("working on %s; Ctrl-C stops", kinds);
    worker_say("worker_started");
}

int cli_command_worker(const cli_call *call)
{
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_runner *runner = NULL;
    int status = cli_root_check(call);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_MAKE, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_runner_open(call, engine, NULL, 0, &runner);
    if (status == CLI_EXIT_OK) {
        cli_interrupt_catch(runner);
        worker_greet();
        if (sw_runner_run(runner, NULL, &error) < 0)
            status = cli_fail_error(&error, NULL, "the worker had to stop");
        cli_interrupt_forget();
        worker_say("worker_stopped");
        cli_note("stopped; what it held was given back");
    }
    sw_runner_close(runner);
    sw_engine_close(engine);
    return status;
}
