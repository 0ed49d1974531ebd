/* stepwell explain: the engine's reasons why steps do not run, and why they have failed. */
#include <stdlib.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

/* A task and the answers about its steps, one result per question. */
typedef struct explain_view {
    sw_result *task_result;
    const sw_task_row *task;
    const sw_step_row *steps;
    size_t step_count;
    sw_result **answers;
    size_t answer_count;
} explain_view;

/* Ask about one step, or with an absent name about all that have not ended. */
static int explain_ask(explain_view *view, sw_engine *engine, sw_str step)
{
    sw_error error = {0};
    sw_result **answer = &view->answers[view->answer_count];
    if (sw_step_explain(engine, &view->task->task_id, step, answer, &error) < 0)
        return cli_fail_error(&error, "`stepwell show` lists the steps", NULL);
    view->answer_count++;
    return CLI_EXIT_OK;
}

static int explain_view_open(explain_view *view, sw_engine *engine, const sw_uuid *task_id,
                             const char *step)
{
    size_t count = 0;
    int status = cli_task_read(engine, task_id, &view->task_result);
    if (status != CLI_EXIT_OK)
        return status;
    view->task = sw_tasks(view->task_result, &count);
    view->steps = sw_steps(view->task_result, &view->step_count);
    view->answers = cli_alloc((view->step_count + 1) * sizeof(*view->answers));
    if (step)
        return explain_ask(view, engine, cli_str(step));
    for (size_t i = 0; i < view->step_count && status == CLI_EXIT_OK; i++) {
        if (view->steps[i].state == SW_STEP_FAILED)
            status = explain_ask(view, engine, view->steps[i].name);
    }
    return status == CLI_EXIT_OK ? explain_ask(view, engine, cli_str(NULL)) : status;
}

static void explain_view_close(explain_view *view)
{
    for (size_t i = 0; i < view->answer_count; i++)
        sw_result_free(view->answers[i]);
    free(view->answers);
    sw_result_free(view->task_result);
}

/* The error a failed step ended with, absent for any other. */
static sw_str explain_error(const explain_view *view, const sw_step_reason *reason)
{
    for (size_t i = 0; i < view->step_count; i++) {
        if (reason->state == SW_STEP_FAILED && cli_str_equal(view->steps[i].name, reason->step))
            return view->steps[i].error_message;
    }
    return cli_str(NULL);
}

static void explain_json_reason(cli_json *json, const explain_view *view,
                                const sw_step_reason *reason)
{
    cli_json_object(json, NULL);
    cli_json_str(json, "step", reason->step);
    cli_json_text(json, "state", sw_step_state_name(reason->state));
    cli_json_text(json, "reason", sw_reason_name(reason->reason));
    cli_json_str(json, "subject", reason->subject);
    cli_json_str(json, "message", reason->message);
    cli_json_str(json, "error", explain_error(view, reason));
    cli_json_time(json, "until", reason->until_us);
    cli_json_close(json);
}

static void explain_print_json(const explain_view *view)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", &view->task->task_id);
    cli_json_text(&json, "state", sw_task_state_name(view->task->state));
    cli_json_array(&json, "reasons");
    for (size_t i = 0; i < view->answer_count; i++) {
        size_t count = 0;
        const sw_step_reason *reasons = sw_step_reasons(view->answers[i], &count);
        for (size_t j = 0; j < count; j++)
            explain_json_reason(&json, view, &reasons[j]);
    }
    cli_json_end(&json);
}

static void explain_print_reason(const explain_view *view, const sw_step_reason *reason)
{
    char *sentence = NULL;
    size_t size = 0;
    cli_style style = cli_step_style(reason->state);
    sw_str error = explain_error(view, reason);
    FILE *stream = open_memstream(&sentence, &size);
    if (!stream)
        return;
    cli_text_put(stream, reason->message, CLI_TEXT_NO_LIMIT);
    fputs(error.len > 0 ? ": " : "", stream);
    cli_text_put(stream, error, CLI_TEXT_NO_LIMIT);
    fclose(stream);
    printf("%s%s%s ", cli_style_on(style), cli_mark(reason->state), cli_style_off(style));
    cli_text_wrap(stdout, cli_str(sentence), 2, cli_out_width());
    free(sentence);
}

static void explain_print(const explain_view *view)
{
    size_t total = 0;
    for (size_t i = 0; i < view->answer_count; i++) {
        size_t count = 0;
        const sw_step_reason *reasons = sw_step_reasons(view->answers[i], &count);
        for (size_t j = 0; j < count; j++)
            explain_print_reason(view, &reasons[j]);
        total += count;
    }
    if (total == 0)
        printf("every step has ended; the task is %s\n", sw_task_state_name(view->task->state));
}

int cli_command_explain(const cli_call *call)
{
    sw_uuid task_id;
    explain_view view = {0};
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    const char *step = call->argument_count > 1 ? call->arguments[1] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = explain_view_open(&view, engine, &task_id, step);
    if (status == CLI_EXIT_OK && cli_out()->json)
        explain_print_json(&view);
    else if (status == CLI_EXIT_OK && !cli_out()->quiet)
        explain_print(&view);
    explain_view_close(&view);
    sw_engine_close(engine);
    return status;
}
