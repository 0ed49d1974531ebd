/* stepwell gantt: the attempts of a task along a time line, taken from its history. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "out.h"
#include "picture.h"
#include "text.h"

/* Attempts as rows, and what is known of each step on the way. */
typedef struct gantt_view {
    const sw_step_row *steps;
    size_t step_count;
    int64_t *ready_us; /* of each step: since when it is ready, 0 when it is not */
    size_t *open;      /* of each step: its row that has not ended, or -1 */
    bool *seen;        /* of each step: whether it has a row */
    sw_gantt_row *rows;
    size_t row_count;
} gantt_view;

#define GANTT_NONE ((size_t)-1)

static int step_id_compare(const void *a, const void *b)
{
    int64_t left = ((const sw_step_row *)a)->step_id, right = ((const sw_step_row *)b)->step_id;
    return (left > right) - (left < right);
}

/* Index of a step among those of the task, whose ids grow with their order. */
static size_t gantt_step_find(const gantt_view *view, int64_t step_id)
{
    sw_step_row key = {.step_id = step_id};
    const sw_step_row *found =
        bsearch(&key, view->steps, view->step_count, sizeof(key), step_id_compare);
    return found ? (size_t)(found - view->steps) : GANTT_NONE;
}

static sw_gantt_row *gantt_row_add(gantt_view *view, size_t step)
{
    sw_gantt_row *row = &view->rows[view->row_count];
    *row = (sw_gantt_row){.name = view->steps[step].name,
                          .lane = (int32_t)step,
                          .state = view->steps[step].state,
                          .ready_us = view->ready_us[step]};
    view->open[step] = view->row_count++;
    view->seen[step] = true;
    return row;
}

/* What an attempt ended as: one that is tried again has failed, unless it was given back. */
static int32_t gantt_outcome(const sw_audit_entry *entry)
{
    bool lost = cli_str_equal(entry->reason, cli_str("worker died")) ||
                cli_str_equal(entry->reason, cli_str("lease expired")) ||
                cli_str_equal(entry->reason, cli_str("timeout"));
    if (entry->to != SW_STEP_READY)
        return entry->to;
    return lost || entry->subject.len > 0 ? SW_STEP_FAILED : SW_STEP_READY;
}

static void gantt_take(gantt_view *view, const sw_audit_entry *entry)
{
    size_t step =
        entry->kind == SW_AUDIT_STEP_CHANGED ? gantt_step_find(view, entry->step_id) : GANTT_NONE;
    if (step == GANTT_NONE)
        return;
    if (entry->from == SW_STEP_RUNNING && view->open[step] != GANTT_NONE) {
        sw_gantt_row *row = &view->rows[view->open[step]];
        row->end_us = entry->time_us > row->begin_us ? entry->time_us : row->begin_us;
        row->state = gantt_outcome(entry);
        view->open[step] = GANTT_NONE;
    }
    if (entry->to == SW_STEP_RUNNING) {
        sw_gantt_row *row = gantt_row_add(view, step);
        row->attempt = entry->attempt;
        row->begin_us = entry->time_us > row->ready_us ? entry->time_us : row->ready_us;
        row->state = SW_STEP_RUNNING;
    }
    view->ready_us[step] = entry->to == SW_STEP_READY ? entry->time_us : 0;
}

/* Steps that wait to begin, again or for the first time, and those that never did. */
static void gantt_rest(gantt_view *view)
{
    for (size_t i = 0; i < view->step_count; i++) {
        bool waits = view->steps[i].state == SW_STEP_READY;
        if (view->open[i] != GANTT_NONE || (view->seen[i] && !waits))
            continue;
        sw_gantt_row *row = gantt_row_add(view, i);
        row->ready_us = waits ? row->ready_us : 0;
    }
}

static void gantt_view_open(gantt_view *view, const sw_task_row *task,
                            const sw_audit_entry *entries, size_t entry_count)
{
    size_t count = view->step_count;
    view->ready_us = cli_alloc(count * sizeof(*view->ready_us));
    view->open = cli_alloc(count * sizeof(*view->open));
    view->seen = cli_alloc(count * sizeof(*view->seen));
    view->rows = cli_alloc((entry_count + count) * sizeof(*view->rows));
    for (size_t i = 0; i < count; i++) {
        view->open[i] = GANTT_NONE;
        view->ready_us[i] = view->steps[i].level == 0 ? task->created_us : 0;
    }
    for (size_t i = 0; i < entry_count; i++)
        gantt_take(view, &entries[i]);
    gantt_rest(view);
}

static void gantt_view_close(gantt_view *view)
{
    free(view->ready_us);
    free(view->open);
    free(view->seen);
    free(view->rows);
}

static int gantt_render(const cli_call *call, const gantt_view *view, const sw_task_row *task)
{
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    bool file = cli_given(call, CLI_OPTION_OUTPUT);
    size_t width = cli_out_width();
    const sw_env *env = sw_env_system();
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    options.format = cli_picture_format(call, SW_PICTURE_TEXT);
    options.title = task->workflow;
    options.columns = width == 0 || width >= 40 ? (int32_t)width : 40;
    options.ascii = !file && !cli_out()->unicode;
    options.color = !file && cli_out()->colour;
    if (!sw_task_state_terminal(task->state))
        options.now_us = env->clock_wall_us(env->context);
    if (options.format == SW_PICTURE_FORMAT_COUNT)
        return cli_fail(CLI_EXIT_USAGE, "add --svg, or a name that ends in .svg, .json or .txt",
                        "'%s' does not tell what to write", call->values[CLI_OPTION_OUTPUT].text);
    if (sw_gantt_render(&options, view->rows, view->row_count, &result, &error) < 0)
        return cli_fail_error(&error, NULL, NULL);
    int status = cli_file_write(call, sw_pictures(result, &count)->text);
    sw_result_free(result);
    return status;
}

static int gantt_of_task(const cli_call *call, sw_engine *engine, const sw_uuid *task_id)
{
    sw_error error = {0};
    gantt_view view = {0};
    size_t count = 0, entry_count = 0;
    sw_result *result = NULL, *log = NULL;
    int status = cli_task_read(engine, task_id, &result);
    if (status == CLI_EXIT_OK && sw_audit_task(engine, task_id, &log, &error) < 0)
        status = cli_fail_error(&error, "`stepwell audit verify` says what is wrong",
                                "cannot read the history of the task");
    if (status == CLI_EXIT_OK) {
        const sw_task_row *task = sw_tasks(result, &count);
        const sw_audit_entry *entries = sw_audit_entries(log, &entry_count);
        view.steps = sw_steps(result, &view.step_count);
        gantt_view_open(&view, task, entries, entry_count);
        status = gantt_render(call, &view, task);
        gantt_view_close(&view);
    }
    sw_result_free(log);
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
