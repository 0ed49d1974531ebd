/* stepwell event list: events that match, as a table or one JSON object per line, and what comes
 * after them. Not here: the other commands of events (event.c). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "interrupt.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define EVENT_LIST_LIMIT 20
#define EVENT_PAGE 1000
#define EVENT_SLICE_MS 200

/* Events that are asked for, and how many more of them. */
typedef struct event_search {
    sw_engine *engine;
    sw_event_filter filter;
    sw_str *types;
    int64_t left;
} event_search;

static int event_search_open(event_search *search, const cli_call *call)
{
    sw_error error = {0};
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    sw_event_filter *filter = &search->filter;
    const cli_value *types = &call->values[CLI_OPTION_TYPE];
    *filter = (sw_event_filter)SW_EVENT_FILTER_INIT;
    search->left = cli_number(
        call, CLI_OPTION_LIMIT,
        cli_out()->json || cli_given(call, CLI_OPTION_FOLLOW) ? INT64_MAX : EVENT_LIST_LIMIT);
    search->types = cli_alloc((types->item_count + 1) * sizeof(*search->types));
    for (size_t i = 0; i < types->item_count; i++)
        search->types[i] = cli_str(types->items[i]);
    filter->types = search->types;
    filter->type_count = types->item_count;
    filter->correlation_id = cli_str(call->values[CLI_OPTION_CORRELATION_ID].text);
    if (sw_engine_info_get(search->engine, &info, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the events");
    int status = cli_entry_option(call, CLI_OPTION_AFTER, &filter->after);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_SINCE, info.now_us, &filter->after_us);
    if (status == CLI_EXIT_OK)
        status = cli_time_option(call, CLI_OPTION_UNTIL, info.now_us, &filter->before_us);
    if (status == CLI_EXIT_OK && call->argument_count > 0)
        status = cli_task_logged(search->engine, call->arguments[0], &filter->task_id);
    return status;
}

static void event_json(const sw_event *event)
{
    static const sw_uuid none = {{0}};
    cli_json json = cli_json_begin(stdout);
    cli_json_int(&json, "position", event->entry.entry_no);
    cli_json_time(&json, "time", event->entry.time_us);
    cli_json_str(&json, "type", event->type);
    if (memcmp(&event->entry.task_id, &none, sizeof(none)) != 0)
        cli_json_uuid(&json, "task", &event->entry.task_id);
    else
        cli_json_null(&json, "task");
    cli_json_str(&json, "step", event->entry.step);
    cli_json_raw(&json, "data", event->data);
    cli_json_str(&json, "key", event->key);
    cli_json_str(&json, "correlation_id", event->correlation_id);
    cli_json_str(&json, "actor", event->entry.actor);
    cli_json_str(&json, "reason", event->entry.reason);
    cli_json_end(&json);
}

static void event_add(cli_grid *grid, const sw_event *event)
{
    static const sw_uuid none = {{0}};
    char id[37] = "";
    char time[CLI_TIME_SIZE];
    if (memcmp(&event->entry.task_id, &none, sizeof(none)) != 0)
        sw_uuid_format(&event->entry.task_id, id);
    cli_grid_addf(grid, CLI_DIM, "%" PRId64, event->entry.entry_no);
    cli_grid_add(grid, CLI_PLAIN, cli_str(cli_time_local(event->entry.time_us, time)));
    cli_grid_add(grid, CLI_PLAIN, cli_str(id));
    cli_grid_add(grid, CLI_BOLD, event->type);
    cli_grid_add(grid, CLI_PLAIN, event->entry.step);
    cli_grid_add(grid, CLI_PLAIN, event->data);
}

static void event_page_print(const sw_event *rows, size_t count, bool heads)
{
    static const char *const names[] = {"EVENT", "TIME", "TASK", "TYPE", "STEP", "DATA"};
    cli_grid grid = cli_grid_open("rlllll");
    for (size_t i = 0; heads && i < sizeof(names) / sizeof(names[0]); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(names[i]));
    for (size_t i = 0; i < count; i++)
        event_add(&grid, &rows[i]);
    cli_grid_close(&grid, stdout, 0, cli_out_width());
}

/* Print all pages there are by now. */
static int event_pages(event_search *search, bool heads)
{
    for (;;) {
        size_t count = 0;
        sw_error error = {0};
        sw_result *result = NULL;
        search->filter.limit = search->left < EVENT_PAGE ? search->left : EVENT_PAGE;
        if (sw_event_list(search->engine, &search->filter, &result, &error) < 0)
            return cli_fail_error(&error, NULL, "cannot read the events");
        const sw_event *rows = sw_events(result, &count);
        if (cli_out()->json) {
            for (size_t i = 0; i < count; i++)
                event_json(&rows[i]);
        } else if (count > 0 && !cli_out()->quiet) {
            event_page_print(rows, count, heads);
        }
        if (count > 0)
            search->filter.after = rows[count - 1].entry.entry_no;
        sw_result_free(result);
        search->left -= (int64_t)count;
        heads = false;
        if ((int64_t)count < search->filter.limit || search->left == 0 || cli_out_broken())
            return CLI_EXIT_OK;
    }
}

/* Wait for events behind *position, which moves; whether there are some. */
static int event_hear(sw_engine *engine, int64_t *position, bool *heard)
{
    int64_t newest = *position;
    sw_error error = {0};
    if (sw_event_wait(engine, *position, EVENT_SLICE_MS, &newest, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot wait for events");
    *heard = newest > *position;
    *position = newest;
    return CLI_EXIT_OK;
}

/* --follow: until Ctrl-C, --limit or --timeout seconds without an event, which are all the ends
 * that were asked for. */
static int event_follow(event_search *search, int64_t timeout_seconds)
{
    int status = CLI_EXIT_OK;
    int64_t position = 0;
    int64_t idle_ms = 0;
    bool heads = true;
    while (status == CLI_EXIT_OK && !cli_interrupted() && search->left > 0 && !cli_out_broken()) {
        bool heard = false;
        status = event_hear(search->engine, &position, &heard);
        idle_ms = heard ? 0 : idle_ms + EVENT_SLICE_MS;
        if (status != CLI_EXIT_OK || idle_ms >= timeout_seconds * 1000)
            return status;
        if (heard)
            status = event_pages(search, heads);
        if (search->filter.after < position)
            search->filter.after = position; /* none of those before it is asked for */
        heads = heads && !heard;
        fflush(stdout);
    }
    return status;
}

static int event_list_run(event_search *search, const cli_call *call)
{
    if (cli_given(call, CLI_OPTION_FOLLOW)) {
        cli_interrupt_catch(NULL);
        return event_follow(search, cli_number(call, CLI_OPTION_TIMEOUT, INT64_MAX / 1000));
    }
    int64_t first = search->left;
    int status = event_pages(search, true);
    if (status == CLI_EXIT_OK && search->left == 0)
        cli_note("--after %" PRId64 " shows the next ones", search->filter.after);
    else if (status == CLI_EXIT_OK && search->left == first)
        cli_note("no event matches");
    return status;
}

int cli_command_event_list(const cli_call *call)
{
    event_search search = {0};
    if (cli_given(call, CLI_OPTION_TIMEOUT) && !cli_given(call, CLI_OPTION_FOLLOW))
        return cli_fail(CLI_EXIT_USAGE, NULL, "--timeout is how long --follow waits for an event");
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &search.engine);
    if (status == CLI_EXIT_OK)
        status = event_search_open(&search, call);
    if (status == CLI_EXIT_OK)
        status = event_list_run(&search, call);
    free(search.types);
    sw_engine_close(search.engine);
    return status;
}
