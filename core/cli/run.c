/* stepwell run: from a file to an ended task, or on from where one was left.
 *
 * One thread does the steps of built-in kinds (the runner has its own pool below it), the main
 * thread watches. Not here: how the watching looks (watch.c), what is said at the end (ending.c).
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "ending.h"
#include "interrupt.h"
#include "json.h"
#include "out.h"
#include "text.h"
#include "watch.h"
#include "worker.h"

#define RUN_POLL_MS 100

/* The runner on its own thread. done is set when it has returned, error says how. */
typedef struct run_pool {
    pthread_t thread;
    sw_runner *runner;
    sw_uuid task_id;
    sw_error error;
    int code;
    _Atomic int done;
} run_pool;

/* What is run. */
typedef struct run_target {
    sw_engine *engine;
    sw_uuid task_id;
    sw_uuid parent_id; /* of a new task; all zero: none */
    int64_t max_parallel;
    bool from_start; /* show the history that is there already */
} run_target;

static int64_t run_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void run_sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

static void *run_pool_main(void *context)
{
    run_pool *pool = context;
    pool->code = sw_runner_run(pool->runner, &pool->task_id, &pool->error);
    pool->done = 1;
    return NULL;
}

/* --deadline: a time, or minus the microseconds from now on; 0 when it is not given or no time. */
static int64_t run_deadline_read(const cli_call *call)
{
    int64_t deadline_us = 0;
    const char *text = call->values[CLI_OPTION_DEADLINE].text;
    return text && cli_time_read(text, 0, &deadline_us) ? deadline_us : 0;
}

static int run_deadline_check(const cli_call *call)
{
    if (!cli_given(call, CLI_OPTION_DEADLINE) || run_deadline_read(call) != 0)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "a deadline is 90s, 15m, 2h, 7d, or the time 2026-01-31",
                    "option '--deadline' needs a time that is to come, not '%s'",
                    call->values[CLI_OPTION_DEADLINE].text);
}

/* Register the definition and submit one task of it. */
static int run_submit(const cli_call *call, const sw_workflow *workflow, sw_str input,
                      run_target *target)
{
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    const cli_value *tags = &call->values[CLI_OPTION_TAG];
    sw_str *names = cli_alloc(tags->item_count * sizeof(*names));
    for (size_t i = 0; i < tags->item_count; i++)
        names[i] = cli_str(tags->items[i]);
    int64_t deadline_us = run_deadline_read(call);
    sw_task_submit_row row = {.workflow = sw_workflow_name(workflow),
                              .version = sw_workflow_version(workflow),
                              .input = input,
                              .key = cli_str(call->values[CLI_OPTION_KEY].text),
                              .initiator = cli_str(cli_user()),
                              .reason = cli_str(call->values[CLI_OPTION_REASON].text),
                              .tags = names,
                              .tag_count = tags->item_count,
                              .deadline_ms = deadline_us < 0 ? -deadline_us / 1000 : 0,
                              .deadline_us = deadline_us > 0 ? deadline_us : 0,
                              .parent_id = target->parent_id};
    int code = sw_workflow_register(target->engine, &workflow, 1, &error);
    if (code >= 0)
        code = sw_task_submit(target->engine, &row, 1, &result, &error);
    free(names);
    if (code < 0 && row.key.ptr)
        return cli_fail_error(&error, NULL, "cannot submit a task with the key '%s'", row.key.ptr);
    if (code < 0)
        return cli_fail_error(&error, NULL, "cannot submit a task");
    const sw_task_submitted *answer = sw_task_submissions(result, &count);
    target->task_id = answer[0].task_id;
    target->from_start = answer[0].created;
    if (!answer[0].created)
        cli_note("a task with the key '%s' exists already; following it",
                 call->values[CLI_OPTION_KEY].text);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

static void run_print_detached(const run_target *target)
{
    char id[37];
    sw_uuid_format(&target->task_id, id);
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_text(&json, "task", id);
        cli_json_bool(&json, "created", target->from_start);
        cli_json_end(&json);
    } else {
        printf("%s\n", id);
    }
}

/* Whether a worker lives that does the steps of a handler. */
static bool run_handler_served(const sw_worker_row *workers, size_t count, sw_str handler)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; workers[i].alive && j < workers[i].handler_count; j++) {
            if (cli_str_equal(workers[i].handlers[j], handler))
                return true;
        }
    }
    return false;
}

static void run_note_handler(sw_str handler)
{
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_text(&json, "event", "waiting_for_worker");
        cli_json_str(&json, "handler", handler);
        cli_json_end(&json);
        return;
    }
    cli_note("waiting for a worker that handles %.*s: start one of your application on this "
             "database",
             (int)handler.len, handler.ptr);
}

/* Say which handlers no living worker has: the task would wait for them without a word. */
static void run_note_missing(sw_engine *engine, const sw_step_row *steps, size_t step_count)
{
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    if (sw_worker_list(engine, &result, &error) < 0)
        return;
    const sw_worker_row *workers = sw_workers(result, &count);
    for (size_t i = 0; i < step_count; i++) {
        bool seen = cli_kind_known(steps[i].handler) || sw_step_state_terminal(steps[i].state) ||
                    run_handler_served(workers, count, steps[i].handler);
        for (size_t j = 0; j < i && !seen; j++)
            seen = cli_str_equal(steps[j].handler, steps[i].handler);
        if (!seen)
            run_note_handler(steps[i].handler);
    }
    sw_result_free(result);
}

/* Watch until the task has ended, or there is a reason to stop. */
static int run_watch(cli_watch *watch, const run_pool *pool, int64_t deadline_ms)
{
    for (;;) {
        int status = cli_watch_poll(watch);
        if (status != CLI_EXIT_OK || watch->ended)
            return status;
        if (cli_interrupted() || cli_out_broken())
            return CLI_EXIT_INTERRUPTED;
        if (run_clock_ms() >= deadline_ms)
            return CLI_EXIT_TIMEOUT;
        if (pool->done && pool->code < 0)
            return CLI_EXIT_STORAGE;
        run_sleep_ms(RUN_POLL_MS);
    }
}

static int run_follow(const cli_call *call, cli_watch *watch, run_pool *pool)
{
    int64_t timeout_ms = cli_number(call, CLI_OPTION_TIMEOUT, 0) * 1000;
    int64_t deadline_ms = timeout_ms > 0 ? run_clock_ms() + timeout_ms : INT64_MAX;
    int reason = pthread_create(&pool->thread, NULL, run_pool_main, pool);
    if (reason != 0)
        return cli_fail(CLI_EXIT_STORAGE, NULL, "cannot start a thread: %s", strerror(reason));
    int status = run_watch(watch, pool, deadline_ms);
    if (cli_interrupted() && !watch->ended)
        cli_note("stopping; Ctrl-C again ends at once");
    sw_runner_stop(pool->runner);
    pthread_join(pool->thread, NULL);
    int last = status == CLI_EXIT_STORAGE ? status : cli_watch_finish(watch);
    if (pool->code < 0 && !watch->ended)
        return cli_fail_error(&pool->error, "`stepwell run --resume` goes on where it stopped",
                              "the work had to stop");
    if (last != CLI_EXIT_OK)
        return last;
    return watch->ended ? cli_ending_report(watch) : cli_ending_stop(watch, status);
}

/* Work on the task and watch it until it has ended. */
static int run_target_follow(const cli_call *call, const run_target *target)
{
    cli_watch watch;
    run_pool pool = {.task_id = target->task_id};
    int status = cli_watch_open(&watch, target->engine, &target->task_id, target->from_start);
    if (status == CLI_EXIT_OK && watch.ended)
        status = cli_ending_report(&watch);
    else if (status == CLI_EXIT_OK)
        status = cli_runner_open(call, target->engine, &target->task_id, target->max_parallel,
                                 &pool.runner);
    if (pool.runner) {
        cli_interrupt_catch(pool.runner);
        run_note_missing(target->engine, watch.steps, watch.step_count);
        status = run_follow(call, &watch, &pool);
        cli_interrupt_forget();
    }
    sw_runner_close(pool.runner);
    cli_watch_close(&watch);
    return status;
}

static int run_file(const cli_call *call)
{
    char *owned = NULL;
    sw_str input;
    cli_definition definition;
    run_target target = {0};
    const char *parent = call->values[CLI_OPTION_PARENT].text;
    cli_definition_open(&definition, call->arguments[0], cli_given(call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&definition);
    if (status == CLI_EXIT_OK)
        status = run_deadline_check(call);
    if (status == CLI_EXIT_OK)
        status = cli_json_read(call, CLI_OPTION_INPUT, &input, &owned);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_MAKE, &target.engine);
    if (status == CLI_EXIT_OK && parent)
        status = cli_task_find(target.engine, parent, &target.parent_id);
    if (status == CLI_EXIT_OK)
        status = run_submit(call, definition.workflow, input, &target);
    if (status == CLI_EXIT_OK)
        target.max_parallel = sw_workflow_max_parallel(definition.workflow);
    cli_definition_close(&definition);
    free(owned);
    if (status == CLI_EXIT_OK && cli_given(call, CLI_OPTION_DETACH))
        run_print_detached(&target);
    else if (status == CLI_EXIT_OK)
        status = run_target_follow(call, &target);
    sw_engine_close(target.engine);
    return status;
}

/* What the definition of a stored task allows at once; 0 when it cannot be told. */
static int64_t run_stored_max_parallel(sw_engine *engine, const sw_uuid *task_id)
{
    sw_error error = {0};
    sw_result *result = NULL;
    sw_workflow *workflow = NULL;
    int64_t most = 0;
    size_t count = 0;
    if (sw_task_get(engine, task_id, &result, &error) < 0)
        return 0;
    const sw_task_row *task = sw_tasks(result, &count);
    if (sw_workflow_get(engine, task->workflow, task->version, &workflow, &error) >= 0 &&
        cli_str_equal(sw_workflow_digest(workflow), task->digest))
        most = sw_workflow_max_parallel(workflow);
    sw_workflow_free(workflow);
    sw_result_free(result);
    return most;
}

static int run_resume(const cli_call *call)
{
    run_target target = {0};
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &target.engine);
    if (status == CLI_EXIT_OK)
        status = call->argument_count > 0
                     ? cli_task_find(target.engine, call->arguments[0], &target.task_id)
                     : cli_task_find_unfinished(target.engine, &target.task_id);
    if (status == CLI_EXIT_OK) {
        target.max_parallel = run_stored_max_parallel(target.engine, &target.task_id);
        status = run_target_follow(call, &target);
    }
    sw_engine_close(target.engine);
    return status;
}

/* Options that make no sense together. */
static int run_check(const cli_call *call)
{
    const cli_value *input = &call->values[CLI_OPTION_INPUT];
    if (cli_given(call, CLI_OPTION_RESUME)) {
        static const cli_option_id others[] = {
            CLI_OPTION_INPUT,  CLI_OPTION_KEY,    CLI_OPTION_TAG,    CLI_OPTION_PARENT,
            CLI_OPTION_REASON, CLI_OPTION_DETACH, CLI_OPTION_DRY_RUN};
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            if (cli_given(call, others[i]))
                return cli_fail(CLI_EXIT_USAGE, "try: stepwell run --help",
                                "--resume goes on with a stored task; --%s is for new ones",
                                cli_option_get(others[i])->name);
        }
        return CLI_EXIT_OK;
    }
    if (call->argument_count == 0)
        return cli_fail(CLI_EXIT_USAGE, "try: stepwell run --help",
                        "'run' needs the argument FILE, or --resume");
    if (input->given && strcmp(input->text, "-") == 0 && strcmp(call->arguments[0], "-") == 0)
        return cli_fail(CLI_EXIT_USAGE, "write the input to a file: --input @FILE",
                        "workflow and input cannot both come from standard input");
    return CLI_EXIT_OK;
}

int cli_command_run(const cli_call *call)
{
    int status = run_check(call);
    if (status != CLI_EXIT_OK)
        return status;
    if (cli_given(call, CLI_OPTION_DRY_RUN))
        return cli_command_plan(call);
    status = cli_root_check(call);
    if (status != CLI_EXIT_OK)
        return status;
    return cli_given(call, CLI_OPTION_RESUME) ? run_resume(call) : run_file(call);
}
