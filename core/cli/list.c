/* stepwell list: the newest tasks, and how many there are in each state. */
#include <string.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define LIST_LIMIT 20
#define LIST_ID_LENGTH 36
#define LIST_ID_SHORTEST 13 /* the part of an id that holds its time */

static size_t id_common_length(const char *a, const char *b)
{
    size_t length = 0;
    while (length < LIST_ID_LENGTH && a[length] == b[length])
        length++;
    return length;
}

/* How much of the ids must be shown to tell them apart. Ids in a list lie in order, so it is
 * enough to compare neighbours. */
static size_t list_id_length(const sw_task_row *rows, size_t count)
{
    size_t needed = LIST_ID_SHORTEST;
    char texts[2][LIST_ID_LENGTH + 1];
    for (size_t i = 1; i < count; i++) {
        sw_uuid_format(&rows[i - 1].task_id, texts[0]);
        sw_uuid_format(&rows[i].task_id, texts[1]);
        size_t common = id_common_length(texts[0], texts[1]);
        needed = common + 1 > needed ? common + 1 : needed;
    }
    return needed > LIST_ID_LENGTH ? LIST_ID_LENGTH : needed;
}

static void list_add_heads(cli_grid *grid)
{
    static const char *const heads[] = {"TASK", "WORKFLOW", "STATE", "STEPS",
                                        "AGE",  "TOOK",     "TAGS"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(grid, CLI_DIM, cli_str(heads[i]));
}

static void list_add_tags(cli_grid *grid, const sw_task_row *task)
{
    char text[256] = "";
    for (size_t i = 0; i < task->tag_count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%.*s", i ? "," : "", (int)task->tags[i].len,
                 task->tags[i].ptr);
    }
    cli_grid_add(grid, CLI_DIM, cli_str(text));
}

static void list_add_task(cli_grid *grid, const sw_task_row *task, size_t id_length, int64_t now_us)
{
    char id[LIST_ID_LENGTH + 1];
    char age[CLI_DURATION_SIZE];
    char took[CLI_DURATION_SIZE] = "";
    int64_t done = task->step_counts[SW_STEP_SUCCEEDED] + task->step_counts[SW_STEP_RESOLVED];
    sw_uuid_format(&task->task_id, id);
    cli_grid_addf(grid, CLI_PLAIN, "%.*s", (int)id_length, id);
    cli_grid_addf(grid, CLI_BOLD, "%.*s%s%.*s", (int)task->workflow.len, task->workflow.ptr,
                  task->version.len ? " " : "", (int)task->version.len, task->version.ptr);
    cli_grid_add(grid, cli_task_style(task->state), cli_str(sw_task_state_name(task->state)));
    cli_grid_addf(grid, CLI_PLAIN, "%lld/%lld", (long long)done, (long long)task->step_count);
    cli_grid_add(grid, CLI_PLAIN, cli_str(cli_age(now_us - task->created_us, age)));
    if (task->finished_us)
        cli_duration(task->finished_us - task->created_us, took);
    cli_grid_add(grid, CLI_PLAIN, cli_str(took));
    list_add_tags(grid, task);
}

static void list_print_tasks(const sw_task_row *rows, size_t count, int64_t now_us)
{
    size_t id_length = list_id_length(rows, count);
    cli_grid grid = cli_grid_open("lllrrrl");
    list_add_heads(&grid);
    for (size_t i = 0; i < count; i++)
        list_add_task(&grid, &rows[i], id_length, now_us);
    cli_grid_close(&grid, stdout, 0, cli_out_width());
    fputc('\n', stdout);
}

static void list_print_counts(size_t shown, const int64_t *counts)
{
    int64_t total = 0;
    const char *comma = ": ";
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
        total += counts[state];
    printf("%lld task%s", (long long)total, total == 1 ? "" : "s");
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++) {
        if (counts[state] == 0)
            continue;
        printf("%s%s%lld %s%s", comma, cli_style_on(cli_task_style(state)),
               (long long)counts[state], sw_task_state_name(state),
               cli_style_off(cli_task_style(state)));
        comma = ", ";
    }
    if ((int64_t)shown < total)
        printf("; the newest %zu are shown, --limit N shows more", shown);
    fputc('\n', stdout);
}

static void list_print_json(const sw_task_row *rows, size_t count, const int64_t *counts)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_array(&json, "tasks");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(&json, NULL);
        cli_json_task(&json, &rows[i]);
        cli_json_close(&json);
    }
    cli_json_close(&json);
    cli_json_object(&json, "counts");
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
        cli_json_int(&json, sw_task_state_name(state), counts[state]);
    cli_json_end(&json);
}

/* What the filter says that takes an engine to know: times before now, and
 * the tasks that it names. */
static int list_filter(const cli_call *call, sw_engine *engine, sw_task_filter *filter)
{
    sw_error error = {0};
    const char *after = call->values[CLI_OPTION_AFTER].text;
    const char *parent = call->values[CLI_OPTION_PARENT].text;
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    if (sw_engine_info_get(engine, &info, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot list tasks");
    int status = cli_time_option(call, CLI_OPTION_SINCE, info.now_us, &filter->created_after_us);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_UNTIL, info.now_us, &filter->created_before_us);
    if (status == CLI_EXIT_OK && after)
        status = cli_task_find(engine, after, &filter->before);
    if (status == CLI_EXIT_OK && parent)
        status = cli_task_find(engine, parent, &filter->parent_id);
    return status;
}

static int list_run(const cli_call *call, sw_engine *engine, sw_task_filter *filter)
{
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    int64_t counts[SW_TASK_STATE_COUNT] = {0};
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    int status = list_filter(call, engine, filter);
    if (status != CLI_EXIT_OK)
        return status;
    if (sw_engine_info_get(engine, &info, &error) < 0 ||
        sw_task_list(engine, filter, &result, &error) < 0 ||
        sw_task_count(engine, filter, counts, &error) < 0) {
        sw_result_free(result);
        return cli_fail_error(&error, NULL, "cannot list tasks");
    }
    const sw_task_row *rows = sw_tasks(result, &count);
    if (cli_out()->json)
        list_print_json(rows, count, counts);
    else if (!cli_out()->quiet && count > 0)
        list_print_tasks(rows, count, info.now_us);
    if (!cli_out()->json && !cli_out()->quiet)
        list_print_counts(count, counts);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_list(const cli_call *call)
{
    sw_engine *engine = NULL;
    const char *state = call->values[CLI_OPTION_STATE].text;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    if (call->values[CLI_OPTION_TAG].item_count > 1)
        return cli_fail(CLI_EXIT_USAGE, NULL, "'list' looks for one --tag");
    filter.state = state ? sw_task_state_find(cli_str(state)) : -1;
    filter.workflow = cli_str(call->values[CLI_OPTION_WORKFLOW].text);
    filter.tag = cli_str(call->values[CLI_OPTION_TAG].text);
    filter.correlation_id = cli_str(call->values[CLI_OPTION_CORRELATION_ID].text);
    filter.limit = cli_number(call, CLI_OPTION_LIMIT, LIST_LIMIT);
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = list_run(call, engine, &filter);
    sw_engine_close(engine);
    return status;
}
