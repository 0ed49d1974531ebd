/* The last words of a run: the result as JSON, a summary for people, how to go on. */
#include "ending.h"

#include <stdlib.h>

#include "command.h"
#include "json.h"
#include "out.h"
#include "text.h"

static int ending_exit_of(int task_state)
{
    switch (task_state) {
    case SW_TASK_FAILED:
        return CLI_EXIT_FAILED;
    case SW_TASK_CANCELLED:
        return CLI_EXIT_CANCELLED;
    default:
        return CLI_EXIT_OK;
    }
}

static void ending_print_json(const cli_watch *watch, int status)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_text(&json, "event", "result");
    cli_json_int(&json, "exit_code", status);
    cli_json_task(&json, watch->task);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < watch->step_count; i++) {
        cli_json_object(&json, NULL);
        cli_json_step(&json, &watch->steps[i]);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

/* "3 succeeded, 1 failed, 1 pending" */
static void ending_print_counts(const sw_task_row *task)
{
    const char *comma = "";
    for (int state = SW_STEP_STATE_COUNT - 1; state >= 0; state--) {
        if (task->step_counts[state] == 0)
            continue;
        printf("%s%lld %s", comma, (long long)task->step_counts[state], sw_step_state_name(state));
        comma = ", ";
    }
}

static void ending_print_failure(const sw_step_row *step)
{
    char *sentence = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&sentence, &size);
    if (!stream)
        return;
    cli_text_put(stream, step->name, CLI_TEXT_NO_LIMIT);
    fprintf(stream, " failed after %d attempt%s: ", step->attempt, step->attempt == 1 ? "" : "s");
    cli_text_put(stream, step->error_class, CLI_TEXT_NO_LIMIT);
    fputs(step->error_message.len ? ": " : "", stream);
    cli_text_put(stream, step->error_message, CLI_TEXT_NO_LIMIT);
    fclose(stream);
    printf("  %s%s%s ", cli_style_on(CLI_RED), cli_mark(step->state), cli_style_off(CLI_RED));
    cli_text_wrap(stdout, cli_str(sentence), 4, cli_out_width());
    free(sentence);
}

static void ending_print_summary(const cli_watch *watch)
{
    char took[CLI_DURATION_SIZE];
    char id[37];
    const sw_task_row *task = watch->task;
    cli_style style = cli_task_style(task->state);
    sw_uuid_format(&task->task_id, id);
    cli_duration(task->finished_us - task->created_us, took);
    printf("\n%s", cli_style_on(CLI_BOLD));
    cli_text_put(stdout, task->workflow, CLI_TEXT_NO_LIMIT);
    printf("%s %s%s%s after %s: ", cli_style_off(CLI_BOLD), cli_style_on(style),
           sw_task_state_name(task->state), cli_style_off(style), took);
    ending_print_counts(task);
    fputc('\n', stdout);
    for (size_t i = 0; i < watch->step_count; i++) {
        if (watch->steps[i].state == SW_STEP_FAILED)
            ending_print_failure(&watch->steps[i]);
    }
    printf("%snext:%s stepwell show %s\n", cli_style_on(CLI_DIM), cli_style_off(CLI_DIM), id);
    if (task->state == SW_TASK_FAILED)
        printf("      stepwell explain %s\n", id);
}

/* With --quiet nothing was shown, so the reason goes to stderr like any error. */
static void ending_fail_quietly(const cli_watch *watch, int status)
{
    char hint[80];
    char id[37];
    sw_uuid_format(&watch->task_id, id);
    snprintf(hint, sizeof(hint), "stepwell show %s", id);
    cli_fail((cli_exit)status, hint, "the task %s is %s", id,
             sw_task_state_name(watch->task->state));
}

int cli_ending_report(const cli_watch *watch)
{
    int status = ending_exit_of(watch->task->state);
    if (cli_out()->json)
        ending_print_json(watch, status);
    else if (!cli_out()->quiet)
        ending_print_summary(watch);
    else if (status != CLI_EXIT_OK)
        ending_fail_quietly(watch, status);
    return status;
}

int cli_ending_stop(const cli_watch *watch, int status)
{
    char id[37];
    sw_uuid_format(&watch->task_id, id);
    if (cli_out()->json)
        ending_print_json(watch, status);
    else if (status == CLI_EXIT_TIMEOUT)
        fprintf(stderr, "--timeout has expired; continue with: stepwell run --resume %s\n", id);
    else
        fprintf(stderr, "stopped; continue with: stepwell run --resume %s\n", id);
    return status;
}
