/* stepwell dead: steps that have failed for good in any task; list, retry and resolve them. */
#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define DEAD_LIST_LIMIT 20
#define DEAD_BATCH 1000 /* letters that one transaction changes */

/* Options of which one must say what is meant, before much is changed. */
static const cli_option_id dead_choices[] = {
    CLI_OPTION_WORKFLOW, CLI_OPTION_HANDLER, CLI_OPTION_STEP, CLI_OPTION_ERROR_CLASS,
    CLI_OPTION_SINCE,    CLI_OPTION_UNTIL,   CLI_OPTION_ALL};

static int dead_filter(const cli_call *call, const sw_engine_info *info, sw_dead_filter *filter)
{
    *filter = (sw_dead_filter)SW_DEAD_FILTER_INIT;
    filter->workflow = cli_str(call->values[CLI_OPTION_WORKFLOW].text);
    filter->handler = cli_str(call->values[CLI_OPTION_HANDLER].text);
    filter->step = cli_str(call->values[CLI_OPTION_STEP].text);
    filter->error_class = cli_str(call->values[CLI_OPTION_ERROR_CLASS].text);
    int status = cli_time_option(call, CLI_OPTION_SINCE, info->now_us, &filter->failed_after_us);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_UNTIL, info->now_us, &filter->failed_before_us);
    return status;
}

/* Listing. */

static void dead_json_letter(cli_json *json, const sw_dead_letter *row)
{
    cli_json_object(json, NULL);
    cli_json_uuid(json, "task", &row->task_id);
    cli_json_int(json, "step_id", row->step_id);
    cli_json_str(json, "step", row->step);
    cli_json_str(json, "workflow", row->workflow);
    cli_json_str(json, "version", row->version);
    cli_json_str(json, "handler", row->handler);
    cli_json_str(json, "queue", row->queue);
    cli_json_str(json, "error_class", row->error_class);
    cli_json_str(json, "error_message", row->error_message);
    cli_json_int(json, "attempt", row->attempt);
    cli_json_int(json, "max_attempts", row->max_attempts);
    cli_json_int(json, "crashes", row->crashes);
    cli_json_time(json, "failed", row->failed_us);
    cli_json_text(json, "task_state", sw_task_state_name(row->task_state));
    cli_json_close(json);
}

static void dead_print_json(const sw_dead_letter *rows, size_t count, const sw_dead_group *groups,
                            size_t group_count)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_array(&json, "dead_letters");
    for (size_t i = 0; i < count; i++)
        dead_json_letter(&json, &rows[i]);
    cli_json_close(&json);
    cli_json_array(&json, "counts");
    for (size_t i = 0; i < group_count; i++) {
        cli_json_object(&json, NULL);
        cli_json_str(&json, "error_class", groups[i].error_class);
        cli_json_str(&json, "handler", groups[i].handler);
        cli_json_int(&json, "count", groups[i].count);
        cli_json_time(&json, "oldest", groups[i].oldest_us);
        cli_json_time(&json, "newest", groups[i].newest_us);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void dead_add_letter(cli_grid *grid, const sw_dead_letter *row, int64_t now_us)
{
    char id[37];
    char age[CLI_DURATION_SIZE];
    sw_uuid_format(&row->task_id, id);
    cli_grid_addf(grid, CLI_PLAIN, "%s", id);
    cli_grid_add(grid, CLI_BOLD, row->workflow);
    cli_grid_add(grid, CLI_PLAIN, row->step);
    cli_grid_addf(grid, CLI_PLAIN, "%d", row->attempt);
    cli_grid_add(grid, CLI_PLAIN, cli_str(cli_age(now_us - row->failed_us, age)));
    cli_grid_add(grid, CLI_RED, row->error_class);
    cli_grid_add(grid, CLI_DIM, row->error_message);
}

static void dead_print_letters(const sw_dead_letter *rows, size_t count, int64_t now_us)
{
    static const char *const heads[] = {"TASK", "WORKFLOW", "STEP",   "ATTEMPTS",
                                        "AGE",  "ERROR",    "MESSAGE"};
    cli_grid grid = cli_grid_open("lllrrll");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (size_t i = 0; i < count; i++)
        dead_add_letter(&grid, &rows[i], now_us);
    cli_grid_close(&grid, stdout, 0, cli_out_width());
    fputc('\n', stdout);
}

static void dead_print_groups(const sw_dead_group *groups, size_t count, size_t shown)
{
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += groups[i].count;
    printf("%lld dead letter%s", (long long)total, total == 1 ? "" : "s");
    if ((int64_t)shown < total)
        printf("; the newest %zu are shown, --limit N shows more", shown);
    fputc('\n', stdout);
    for (size_t i = 0; i < count; i++) {
        sw_str error = groups[i].error_class.len ? groups[i].error_class : cli_str("no class");
        printf("  %lld  ", (long long)groups[i].count);
        cli_text_put(stdout, error, CLI_TEXT_NO_LIMIT);
        fputs(" in ", stdout);
        cli_text_put(stdout, groups[i].handler, CLI_TEXT_NO_LIMIT);
        fputc('\n', stdout);
    }
}

static int dead_list(sw_engine *engine, const sw_dead_filter *filter, int64_t now_us)
{
    size_t count = 0;
    size_t group_count = 0;
    sw_error error = {0};
    sw_result *listed = NULL;
    sw_result *counted = NULL;
    int status = CLI_EXIT_OK;
    if (sw_dead_list(engine, filter, &listed, &error) < 0 ||
        sw_dead_count(engine, filter, &counted, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot list dead letters");
    const sw_dead_letter *rows = listed ? sw_dead_letters(listed, &count) : NULL;
    const sw_dead_group *groups = counted ? sw_dead_groups(counted, &group_count) : NULL;
    if (status == CLI_EXIT_OK && cli_out()->json)
        dead_print_json(rows, count, groups, group_count);
    else if (status == CLI_EXIT_OK && !cli_out()->quiet) {
        if (count > 0)
            dead_print_letters(rows, count, now_us);
        dead_print_groups(groups, group_count, count);
    }
    sw_result_free(counted);
    sw_result_free(listed);
    return status;
}

/* Changing. */

typedef struct dead_change {
    sw_dead_action action;
    int64_t limit; /* letters to change at most */
    int64_t found;
    int64_t applied;
    bool begun; /* something was changed, or there was nothing to change */
    cli_json json;
} dead_change;

static void dead_tell(dead_change *change, const sw_dead_letter *row, const sw_step_overridden *out)
{
    char id[37];
    bool applied = out->status == SW_ROW_APPLIED;
    sw_uuid_format(&row->task_id, id);
    change->found++;
    change->applied += applied;
    if (cli_out()->json) {
        cli_json_object(&change->json, NULL);
        cli_json_text(&change->json, "task", id);
        cli_json_str(&change->json, "step", row->step);
        cli_json_text(&change->json, "status", sw_row_status_name(out->status));
        cli_json_text(&change->json, "state", sw_step_state_name(out->state));
        cli_json_str(&change->json, "message", out->message);
        cli_json_close(&change->json);
    } else if (!cli_out()->quiet) {
        printf("%s ", id);
        cli_text_put(stdout, row->step, CLI_TEXT_NO_LIMIT);
        fputs(applied ? ": now " : ": ", stdout);
        cli_text_put(stdout, applied ? cli_str(sw_step_state_name(out->state)) : out->message,
                     CLI_TEXT_NO_LIMIT);
        fputc('\n', stdout);
    }
}

/* One transaction; *more says whether another one may find something. */
static int dead_change_batch(sw_engine *engine, dead_change *change, sw_dead_filter *filter,
                             bool *more, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    int64_t left = change->limit - change->found;
    filter->limit = left < DEAD_BATCH ? left : DEAD_BATCH;
    int rc = sw_dead_override(engine, filter, &change->action, &result, error);
    if (rc < 0)
        return rc;
    if (!change->begun && cli_out()->json) {
        change->json = cli_json_begin(stdout);
        cli_json_array(&change->json, "dead_letters");
    }
    change->begun = true;
    const sw_step_overridden *out = sw_step_overrides(result, &count);
    const sw_dead_letter *rows = sw_dead_letters(result, &count);
    for (size_t i = 0; i < count; i++)
        dead_tell(change, &rows[i], &out[i]);
    *more = (int64_t)count == filter->limit && change->found < change->limit;
    if (count > 0) {
        filter->after_us = rows[count - 1].failed_us;
        filter->after_step_id = rows[count - 1].step_id;
    }
    sw_result_free(result);
    return rc;
}

/* What was done is told also when a later transaction has failed. */
static void dead_tell_all(dead_change *change)
{
    if (!change->begun)
        return;
    if (cli_out()->json) {
        cli_json_close(&change->json);
        cli_json_int(&change->json, "updated", change->applied);
        cli_json_end(&change->json);
    } else if (!cli_out()->quiet) {
        printf("%lld of %lld dead letters: now %s\n", (long long)change->applied,
               (long long)change->found, sw_step_state_name(change->action.state));
    }
}

static int dead_change_all(sw_engine *engine, dead_change *change, sw_dead_filter *filter)
{
    bool more = true;
    int rc = 0;
    sw_error error = {0};
    while (rc == 0 && more)
        rc = dead_change_batch(engine, change, filter, &more, &error);
    dead_tell_all(change);
    if (rc < 0)
        return cli_fail_error(&error, NULL, "cannot change dead letters");
    if (change->applied < change->found)
        return cli_fail(CLI_EXIT_REFUSED, NULL, "%lld of %lld dead letters are changed",
                        (long long)change->applied, (long long)change->found);
    return CLI_EXIT_OK;
}

/* Commands. */

static int dead_open(const cli_call *call, sw_engine **engine, sw_engine_info *info,
                     sw_dead_filter *filter)
{
    sw_error error = {0};
    *info = (sw_engine_info)SW_ENGINE_INFO_INIT;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, engine);
    if (status == CLI_EXIT_OK && sw_engine_info_get(*engine, info, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot look for dead letters");
    return status == CLI_EXIT_OK ? dead_filter(call, info, filter) : status;
}

int cli_command_dead_list(const cli_call *call)
{
    sw_engine *engine = NULL;
    sw_engine_info info;
    sw_dead_filter filter;
    int status = dead_open(call, &engine, &info, &filter);
    filter.limit = cli_number(call, CLI_OPTION_LIMIT, DEAD_LIST_LIMIT);
    if (status == CLI_EXIT_OK)
        status = dead_list(engine, &filter, info.now_us);
    sw_engine_close(engine);
    return status;
}

static int dead_check(const cli_call *call)
{
    bool chosen = false;
    for (size_t i = 0; i < sizeof(dead_choices) / sizeof(dead_choices[0]); i++)
        chosen = chosen || cli_given(call, dead_choices[i]);
    if (!chosen)
        return cli_fail(CLI_EXIT_USAGE, "--dry-run shows what would be changed",
                        "say which dead letters: --workflow, --handler, --step, --error-class, "
                        "--since, --until or --all");
    if (!cli_given(call, CLI_OPTION_REASON) && !cli_given(call, CLI_OPTION_DRY_RUN))
        return cli_fail(CLI_EXIT_USAGE, "the audit log keeps why", "'%s' needs --reason",
                        call->command->name);
    return CLI_EXIT_OK;
}

static int dead_command(const cli_call *call, int state)
{
    sw_engine *engine = NULL;
    sw_engine_info info;
    sw_dead_filter filter;
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    dead_change change = {.limit = cli_number(call, CLI_OPTION_LIMIT, INT64_MAX)};
    change.action = (sw_dead_action){
        .state = state,
        .result = cli_str(call->values[CLI_OPTION_RESULT].text),
        .actor = cli_str(actor ? actor : cli_user()),
        .reason = cli_str(call->values[CLI_OPTION_REASON].text),
    };
    int status = dead_check(call);
    if (status == CLI_EXIT_OK)
        status = dead_open(call, &engine, &info, &filter);
    if (status == CLI_EXIT_OK && cli_given(call, CLI_OPTION_DRY_RUN)) {
        filter.limit = cli_number(call, CLI_OPTION_LIMIT, DEAD_LIST_LIMIT);
        status = dead_list(engine, &filter, info.now_us);
    } else if (status == CLI_EXIT_OK) {
        status = dead_change_all(engine, &change, &filter);
    }
    sw_engine_close(engine);
    return status;
}

int cli_command_dead_retry(const cli_call *call)
{
    return dead_command(call, SW_STEP_READY);
}

int cli_command_dead_resolve(const cli_call *call)
{
    return dead_command(call, SW_STEP_RESOLVED);
}
