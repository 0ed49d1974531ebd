/* stepwell show: one task with its steps, its timeline and its results. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "history.h"
#include "json.h"
#include "out.h"
#include "text.h"

/* Columns of a result on one line when stdout is not a terminal. */
#define SHOW_RESULT_WIDTH 100
#define SHOW_DETAIL_LINES 12

/* A task as read: its row, its steps, its audit entries. */
typedef struct show_view {
    sw_engine *engine;
    sw_result *result;
    sw_result *entries_result;
    const sw_task_row *task;
    const sw_step_row *steps;
    const sw_audit_entry *entries;
    size_t step_count;
    size_t entry_count;
    cli_history history;
} show_view;

static int show_view_open(show_view *view, sw_engine *engine, const sw_uuid *task_id)
{
    size_t count = 0;
    sw_error error = {0};
    view->engine = engine;
    int status = cli_task_read(engine, task_id, &view->result);
    if (status != CLI_EXIT_OK)
        return status;
    view->task = sw_tasks(view->result, &count);
    view->steps = sw_steps(view->result, &view->step_count);
    if (sw_audit_task(engine, task_id, &view->entries_result, &error) < 0)
        return cli_fail_error(&error, "`stepwell audit verify` says what is wrong",
                              "cannot read the history of the task");
    view->entries = sw_audit_entries(view->entries_result, &view->entry_count);
    cli_history_open(&view->history, engine, view->steps, view->step_count);
    for (size_t i = 0; i < view->entry_count; i++)
        cli_history_take(&view->history, &view->entries[i]);
    return CLI_EXIT_OK;
}

static void show_view_close(show_view *view)
{
    cli_history_close(&view->history);
    sw_result_free(view->entries_result);
    sw_result_free(view->result);
}

/* "  created     2026-01-31 13:05:09" */
static void show_fact(const char *name, sw_str text)
{
    if (text.len == 0)
        return;
    printf("  %s%-12s%s", cli_style_on(CLI_DIM), name, cli_style_off(CLI_DIM));
    size_t width = cli_out_width();
    cli_text_put(stdout, text, width > 24 ? width - 14 : CLI_TEXT_NO_LIMIT);
    fputc('\n', stdout);
}

static void show_time(const char *name, int64_t time_us)
{
    char text[CLI_TIME_SIZE];
    if (time_us)
        show_fact(name, cli_str(cli_time_local(time_us, text)));
}

static void show_tags(const sw_task_row *task)
{
    if (task->tag_count == 0)
        return;
    printf("  %s%-12s%s", cli_style_on(CLI_DIM), "tags", cli_style_off(CLI_DIM));
    for (size_t i = 0; i < task->tag_count; i++) {
        fputs(i ? ", " : "", stdout);
        cli_text_put(stdout, task->tags[i], CLI_TEXT_NO_LIMIT);
    }
    fputc('\n', stdout);
}

static void show_parent(const sw_task_row *task)
{
    static const sw_uuid none;
    char id[37];
    sw_uuid_format(&task->parent_id, id);
    if (memcmp(&task->parent_id, &none, sizeof(none)) != 0)
        show_fact("parent", cli_str(id));
}

/* When the deadlines of its steps pass. */
static void show_deadlines(const show_view *view)
{
    char time[CLI_TIME_SIZE];
    for (size_t i = 0; i < view->step_count; i++) {
        if (view->steps[i].fails_us == 0)
            continue;
        printf("  %s%-12s%s", cli_style_on(CLI_DIM), "deadline", cli_style_off(CLI_DIM));
        printf("%s of ", cli_time_local(view->steps[i].fails_us, time));
        cli_text_put(stdout, view->steps[i].name, CLI_TEXT_NO_LIMIT);
        fputc('\n', stdout);
    }
}

static void show_head(const show_view *view)
{
    char id[37];
    char text[CLI_DURATION_SIZE];
    const sw_task_row *task = view->task;
    cli_style style = cli_task_style(task->state);
    sw_uuid_format(&task->task_id, id);
    fputs(cli_style_on(CLI_BOLD), stdout);
    cli_text_put(stdout, task->workflow, CLI_TEXT_NO_LIMIT);
    fputs(task->version.len ? " " : "", stdout);
    cli_text_put(stdout, task->version, CLI_TEXT_NO_LIMIT);
    printf("%s: %s%s%s", cli_style_off(CLI_BOLD), cli_style_on(style),
           sw_task_state_name(task->state), cli_style_off(style));
    if (task->finished_us)
        printf(" after %s", cli_duration(task->finished_us - task->created_us, text));
    fputc('\n', stdout);
    show_fact("task", cli_str(id));
    show_time("created", task->created_us);
    show_time("started", task->started_us);
    show_time("finished", task->finished_us);
    show_time("deadline", task->deadline_us);
    show_deadlines(view);
    show_fact("initiator", task->initiator);
    show_fact("reason", task->reason);
    show_fact("key", task->key);
    show_fact("correlation", task->correlation_id);
    show_parent(task);
    show_tags(task);
    show_fact("input", task->input);
}

static void show_section(const char *name)
{
    printf("\n%s%s%s\n", cli_style_on(CLI_BOLD), name, cli_style_off(CLI_BOLD));
}

static void show_add_step(const show_view *view, cli_grid *grid, const sw_step_row *step)
{
    char text[CLI_DURATION_SIZE];
    const cli_span *span = cli_history_span(&view->history, step->step_id);
    cli_style style = cli_step_style(step->state);
    bool failing = step->state != SW_STEP_SUCCEEDED && step->error_class.len > 0;
    cli_grid_add(grid, style, cli_str(cli_mark(step->state)));
    cli_grid_add(grid, CLI_PLAIN, step->name);
    cli_grid_add(grid, style, cli_str(sw_step_state_name(step->state)));
    cli_attempts(step, span, text);
    cli_grid_add(grid, CLI_PLAIN, cli_str(text));
    cli_grid_add(grid, CLI_PLAIN,
                 cli_str(span && span->worked_us > 0 ? cli_duration(span->worked_us, text) : ""));
    cli_grid_add(grid, CLI_DIM, step->handler);
    cli_grid_addf(grid, CLI_RED, "%.*s%s%.*s", failing ? (int)step->error_class.len : 0,
                  step->error_class.ptr, failing && step->error_message.len ? ": " : "",
                  failing ? (int)step->error_message.len : 0, step->error_message.ptr);
}

static void show_steps(const show_view *view)
{
    cli_grid grid = cli_grid_open("lllrrll");
    show_section("Steps");
    for (size_t i = 0; i < view->step_count; i++)
        show_add_step(view, &grid, &view->steps[i]);
    cli_grid_close(&grid, stdout, 1, cli_out_width());
}

/* Durations of attempts are those at the time of each entry, so the history is told anew. */
static void show_timeline(const show_view *view)
{
    cli_history history;
    show_section("Timeline");
    cli_history_open(&history, view->engine, view->steps, view->step_count);
    cli_names_search(&history.names, view->engine, view->entries, view->entry_count);
    for (size_t i = 0; i < view->entry_count; i++) {
        const cli_span *span = cli_history_span(&history, view->entries[i].step_id);
        cli_history_take(&history, &view->entries[i]);
        if (cli_entry_notable(&view->entries[i]))
            cli_entry_print(stdout, &history, &view->entries[i],
                            span ? &view->steps[span->row] : NULL, cli_out_width());
    }
    cli_history_close(&history);
}

/* The first lines of a backtrace or of what a command wrote. */
static void show_detail(sw_str detail)
{
    size_t width = cli_out_width();
    size_t at = 0;
    for (int lines = 0; at < detail.len && lines < SHOW_DETAIL_LINES; lines++) {
        const char *end = memchr(detail.ptr + at, '\n', detail.len - at);
        size_t length = end ? (size_t)(end - detail.ptr) - at : detail.len - at;
        fputs("    ", stdout);
        cli_text_put(stdout, (sw_str){detail.ptr + at, length},
                     width > 24 ? width - 4 : CLI_TEXT_NO_LIMIT);
        fputc('\n', stdout);
        at += length + 1;
    }
    if (at < detail.len)
        printf("    and more; --json has all of it\n");
}

/* Errors in full, which the table and the timeline have to cut. */
static void show_errors(const show_view *view)
{
    bool any = false;
    for (size_t i = 0; i < view->step_count; i++) {
        const sw_step_row *step = &view->steps[i];
        if (step->error_class.len == 0)
            continue;
        if (!any)
            show_section("Errors");
        any = true;
        fputs("  ", stdout);
        size_t used = cli_text_put(stdout, step->name, CLI_TEXT_NO_LIMIT);
        printf("  %s", cli_style_on(CLI_RED));
        used += cli_text_put(stdout, step->error_class, CLI_TEXT_NO_LIMIT) + 4;
        printf("%s: ", cli_style_off(CLI_RED));
        cli_text_wrap(stdout, step->error_message, used + 2 > 40 ? 4 : used + 2, cli_out_width());
        if (step->state == SW_STEP_SUCCEEDED)
            printf("    and succeeded later\n");
        else
            show_detail(step->error_detail);
    }
}

static void show_results(const show_view *view)
{
    bool any = false;
    size_t width = cli_out_width();
    for (size_t i = 0; i < view->step_count; i++) {
        const sw_step_row *step = &view->steps[i];
        if (step->result.len == 0)
            continue;
        if (!any)
            show_section("Results");
        any = true;
        fputs("  ", stdout);
        size_t used = cli_text_put(stdout, step->name, view->history.name_width);
        printf("%*s  ", (int)(view->history.name_width - used), "");
        size_t column = view->history.name_width + 4;
        cli_text_put(stdout, step->result,
                     width > column + 10 ? width - column : SHOW_RESULT_WIDTH);
        fputc('\n', stdout);
    }
}

static void show_print_json(const show_view *view)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_task(&json, view->task);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < view->step_count; i++) {
        const cli_span *span = cli_history_span(&view->history, view->steps[i].step_id);
        cli_json_object(&json, NULL);
        cli_json_step(&json, &view->steps[i]);
        cli_json_seconds(&json, "worked_s", span ? span->worked_us : 0);
        cli_json_close(&json);
    }
    cli_json_close(&json);
    cli_json_array(&json, "timeline");
    for (size_t i = 0; i < view->entry_count; i++) {
        cli_json_object(&json, NULL);
        cli_json_entry(&json, &view->entries[i], view->history.start_us);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void show_print(const show_view *view)
{
    show_head(view);
    show_steps(view);
    show_timeline(view);
    show_errors(view);
    show_results(view);
}

int cli_command_show(const cli_call *call)
{
    sw_uuid task_id;
    show_view view = {0};
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = show_view_open(&view, engine, &task_id);
    if (status == CLI_EXIT_OK && cli_out()->json)
        show_print_json(&view);
    else if (status == CLI_EXIT_OK && !cli_out()->quiet)
        show_print(&view);
    show_view_close(&view);
    sw_engine_close(engine);
    return status;
}
