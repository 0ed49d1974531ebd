/* stepwell audit list, audit stats: entries that match, as a table or for other programs, and how
 * many there are. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define SEARCH_LIST_LIMIT 20
#define SEARCH_PAGE 1000

static int search_filter(const cli_call *call, sw_engine *engine, sw_audit_filter *filter)
{
    sw_error error = {0};
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    const char *kind = call->values[CLI_OPTION_KIND].text;
    *filter = (sw_audit_filter)SW_AUDIT_FILTER_INIT;
    filter->kind = kind ? sw_audit_kind_find(cli_str(kind)) : 0;
    filter->actor = cli_str(call->values[CLI_OPTION_ACTOR].text);
    filter->step = cli_str(call->values[CLI_OPTION_STEP].text);
    filter->outcome = cli_str(call->values[CLI_OPTION_OUTCOME].text);
    filter->correlation_id = cli_str(call->values[CLI_OPTION_CORRELATION_ID].text);
    if (sw_engine_info_get(engine, &info, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the audit log");
    int status = cli_entry_option(call, CLI_OPTION_AFTER, &filter->after_entry_no);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_SINCE, info.now_us, &filter->after_us);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_UNTIL, info.now_us, &filter->before_us);
    if (status == CLI_EXIT_OK && call->argument_count > 0)
        status = cli_task_logged(engine, call->arguments[0], &filter->task_id);
    return status;
}

/* A table for people. */

static const char *search_state(const sw_audit_entry *entry, int32_t state)
{
    return entry->kind == SW_AUDIT_TASK_CHANGED ? sw_task_state_name(state)
                                                : sw_step_state_name(state);
}

static void search_add(cli_grid *grid, const sw_audit_entry *entry)
{
    static const sw_uuid none = {{0}};
    char id[37] = "";
    char time[CLI_TIME_SIZE];
    bool moves = entry->kind == SW_AUDIT_STEP_CHANGED || entry->kind == SW_AUDIT_TASK_CHANGED;
    if (memcmp(&entry->task_id, &none, sizeof(none)) != 0)
        sw_uuid_format(&entry->task_id, id);
    cli_grid_addf(grid, CLI_DIM, "%" PRId64, entry->entry_no);
    cli_grid_add(grid, CLI_PLAIN, cli_str(cli_time_local(entry->time_us, time)));
    cli_grid_add(grid, CLI_PLAIN, cli_str(id));
    cli_grid_add(grid, CLI_BOLD, entry->step);
    if (moves)
        cli_grid_addf(grid, CLI_PLAIN, "%s to %s", search_state(entry, entry->from),
                      search_state(entry, entry->to));
    else
        cli_grid_add(grid, CLI_PLAIN, cli_str(sw_audit_kind_name(entry->kind)));
    cli_grid_add(grid, CLI_PLAIN, entry->actor);
    cli_grid_add(grid, CLI_DIM, entry->reason);
}

static int search_table(sw_engine *engine, const sw_audit_filter *filter)
{
    static const char *const heads[] = {"ENTRY", "TIME", "TASK", "STEP", "WHAT", "ACTOR", "REASON"};
    size_t count = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_audit_search(engine, filter, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the audit log");
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    if (count > 0 && !cli_out()->quiet) {
        cli_grid grid = cli_grid_open("rllllll");
        for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
            cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
        for (size_t i = 0; i < count; i++)
            search_add(&grid, &rows[i]);
        cli_grid_close(&grid, stdout, 0, cli_out_width());
    }
    if ((int64_t)count == filter->limit)
        cli_note("--after %" PRId64 " shows the next ones", rows[count - 1].entry_no);
    else if (count == 0)
        cli_note("no entry matches");
    sw_result_free(result);
    return CLI_EXIT_OK;
}

/* All pages up to the limit, one after the other. */
static int search_dump(sw_engine *engine, sw_audit_filter *filter, int format, int64_t left)
{
    int status = CLI_EXIT_OK;
    bool heads = true;
    while (status == CLI_EXIT_OK && left > 0) {
        sw_error error = {0};
        sw_result *result = NULL;
        filter->limit = left < SEARCH_PAGE ? left : SEARCH_PAGE;
        if (sw_audit_dump(engine, filter, format, heads, &result, &error) < 0)
            return cli_fail_error(&error, NULL, "cannot read the audit log");
        const sw_audit_text *page = sw_audit_texts(result, NULL);
        fwrite(page->text.ptr, 1, page->text.len, stdout);
        left = page->entry_count < filter->limit ? 0 : left - page->entry_count;
        filter->after_entry_no = page->last_entry_no;
        heads = false;
        sw_result_free(result);
        if (cli_out_broken())
            break;
    }
    return status;
}

int cli_command_audit_list(const cli_call *call)
{
    sw_engine *engine = NULL;
    sw_audit_filter filter;
    const char *as = call->values[CLI_OPTION_AS].text;
    int format = as ? sw_audit_format_find(cli_str(as)) : SW_AUDIT_JSONL;
    if (format < 0)
        return cli_fail(CLI_EXIT_USAGE, NULL, "entries are written as jsonl, yaml or csv, not '%s'",
                        as);
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = search_filter(call, engine, &filter);
    if (status == CLI_EXIT_OK && (as || cli_out()->json)) {
        status =
            search_dump(engine, &filter, format, cli_number(call, CLI_OPTION_LIMIT, INT64_MAX));
    } else if (status == CLI_EXIT_OK) {
        filter.limit = cli_number(call, CLI_OPTION_LIMIT, SEARCH_LIST_LIMIT);
        status = search_table(engine, &filter);
    }
    sw_engine_close(engine);
    return status;
}

/* Counts. */

static const char *stats_outcome(const sw_audit_group *row)
{
    if (row->to < 0)
        return NULL;
    return row->kind == SW_AUDIT_TASK_CHANGED ? sw_task_state_name(row->to)
                                              : sw_step_state_name(row->to);
}

static void stats_json_times(cli_json *json, int64_t count, int64_t oldest_us, int64_t newest_us)
{
    cli_json_int(json, "count", count);
    cli_json_time(json, "oldest", oldest_us);
    cli_json_time(json, "newest", newest_us);
    cli_json_close(json);
}

static void stats_print_json(const sw_audit_group *groups, size_t group_count,
                             const sw_audit_actor *actors, size_t actor_count)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_array(&json, "kinds");
    for (size_t i = 0; i < group_count; i++) {
        cli_json_object(&json, NULL);
        cli_json_text(&json, "kind", sw_audit_kind_name(groups[i].kind));
        cli_json_str(&json, "outcome", cli_str(stats_outcome(&groups[i])));
        stats_json_times(&json, groups[i].count, groups[i].oldest_us, groups[i].newest_us);
    }
    cli_json_close(&json);
    cli_json_array(&json, "actors");
    for (size_t i = 0; i < actor_count; i++) {
        cli_json_object(&json, NULL);
        cli_json_str(&json, "actor", actors[i].actor);
        stats_json_times(&json, actors[i].count, actors[i].oldest_us, actors[i].newest_us);
    }
    cli_json_end(&json);
}

static void stats_print(const sw_audit_group *groups, size_t group_count,
                        const sw_audit_actor *actors, size_t actor_count)
{
    char oldest[CLI_TIME_SIZE];
    char newest[CLI_TIME_SIZE];
    cli_grid grid = cli_grid_open("rllll");
    for (size_t i = 0; i < group_count; i++) {
        cli_grid_addf(&grid, CLI_BOLD, "%" PRId64, groups[i].count);
        cli_grid_add(&grid, CLI_PLAIN, cli_str(sw_audit_kind_name(groups[i].kind)));
        cli_grid_add(&grid, CLI_PLAIN, cli_str(stats_outcome(&groups[i])));
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_time_local(groups[i].oldest_us, oldest)));
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_time_local(groups[i].newest_us, newest)));
    }
    for (size_t i = 0; i < actor_count; i++) {
        sw_str actor = actors[i].actor.ptr ? actors[i].actor : cli_str("(the engine)");
        cli_grid_addf(&grid, CLI_BOLD, "%" PRId64, actors[i].count);
        cli_grid_add(&grid, CLI_PLAIN, cli_str("by"));
        cli_grid_add(&grid, CLI_PLAIN, actor);
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_time_local(actors[i].oldest_us, oldest)));
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_time_local(actors[i].newest_us, newest)));
    }
    cli_grid_close(&grid, stdout, 0, cli_out_width());
}

static int stats_run(sw_engine *engine, const sw_audit_filter *filter)
{
    size_t group_count = 0;
    size_t actor_count = 0;
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_audit_count(engine, filter, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the audit log");
    const sw_audit_group *groups = sw_audit_groups(result, &group_count);
    const sw_audit_actor *actors = sw_audit_actors(result, &actor_count);
    if (cli_out()->json)
        stats_print_json(groups, group_count, actors, actor_count);
    else if (group_count == 0)
        cli_note("no entry matches");
    else if (!cli_out()->quiet)
        stats_print(groups, group_count, actors, actor_count);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_command_audit_stats(const cli_call *call)
{
    sw_engine *engine = NULL;
    sw_audit_filter filter;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = search_filter(call, engine, &filter);
    if (status == CLI_EXIT_OK)
        status = stats_run(engine, &filter);
    sw_engine_close(engine);
    return status;
}
