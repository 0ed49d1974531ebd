/* Poll the audit log from the last entry seen, and show what has come. */
#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "database.h"
#include "definition.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define WATCH_PAGE 1000
/* Lines of the terminal that are not rows of steps: head, blank line, rest, cursor. */
#define WATCH_FRAME_LINES 4

/* The table of a large task may be this many times as old as it takes to read it. */
#define WATCH_READ_SHARE 10

static int64_t watch_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int watch_task_read(cli_watch *watch)
{
    sw_result *result = NULL;
    size_t count = 0;
    int64_t started_us = watch_clock_us();
    int status = cli_task_read(watch->engine, &watch->task_id, &result);
    if (status != CLI_EXIT_OK)
        return status;
    watch->stale = false;
    watch->read_again_us = watch_clock_us();
    watch->read_again_us += WATCH_READ_SHARE * (watch->read_again_us - started_us);
    sw_result_free(watch->result);
    watch->result = result;
    watch->task = sw_tasks(result, &count);
    watch->steps = sw_steps(result, &watch->step_count);
    watch->ended = sw_task_state_terminal(watch->task->state);
    return CLI_EXIT_OK;
}

static const sw_step_row *watch_step_find(const cli_watch *watch, int64_t step_id)
{
    const cli_span *span = cli_history_span(&watch->history, step_id);
    return span ? &watch->steps[span->row] : NULL;
}

static void watch_entry_show(const cli_watch *watch, const sw_audit_entry *entry)
{
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_entry(&json, entry, watch->history.start_us);
        cli_json_end(&json);
    } else if (!cli_out()->quiet && !cli_out()->live && cli_entry_notable(entry)) {
        cli_entry_print(stdout, &watch->history, entry, watch_step_find(watch, entry->step_id), 0);
        fflush(stdout);
    }
}

static bool watch_entry_ours(const cli_watch *watch, const sw_audit_entry *entry)
{
    return memcmp(entry->task_id.bytes, watch->task_id.bytes, sizeof(entry->task_id.bytes)) == 0;
}

/* The history before the watch began. */
static int watch_past_read(cli_watch *watch, bool from_start)
{
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    if (sw_audit_task(watch->engine, &watch->task_id, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the history of the task");
    const sw_audit_entry *entries = sw_audit_entries(result, &count);
    for (size_t i = 0; i < count; i++) {
        cli_history_take(&watch->history, &entries[i]);
        watch->next_entry = entries[i].entry_no + 1;
        if (from_start)
            watch_entry_show(watch, &entries[i]);
    }
    sw_result_free(result);
    return CLI_EXIT_OK;
}

int cli_watch_open(cli_watch *watch, sw_engine *engine, const sw_uuid *task_id, bool from_start)
{
    *watch = (cli_watch){.engine = engine, .task_id = *task_id, .next_entry = 1};
    int status = watch_task_read(watch);
    if (status != CLI_EXIT_OK)
        return status;
    cli_history_open(&watch->history, engine, watch->steps, watch->step_count);
    return watch_past_read(watch, from_start);
}

/* Entries that have come since the last poll; *out is the caller's. */
static int watch_page_read(cli_watch *watch, sw_result **out, size_t *count)
{
    sw_error error = {0};
    if (sw_audit_list(watch->engine, watch->next_entry, WATCH_PAGE, out, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the audit log");
    sw_audit_entries(*out, count);
    return CLI_EXIT_OK;
}

/* Whether the rows of the task say more of an entry than itself: the message of an error, when the
 * next attempt is, how the task has ended. */
static bool watch_entry_lacks(const sw_audit_entry *entry)
{
    return entry->kind == SW_AUDIT_TASK_CHANGED ||
           (entry->kind == SW_AUDIT_STEP_CHANGED && entry->from == SW_STEP_RUNNING &&
            entry->to != SW_STEP_SUCCEEDED);
}

/* Rows are read after the entries, so that the message of an error is there when its entry is. */
static int watch_page_show(cli_watch *watch, const sw_result *page)
{
    size_t count = 0;
    bool lacks = false;
    const sw_audit_entry *entries = sw_audit_entries(page, &count);
    for (size_t i = 0; i < count; i++) {
        bool ours = watch_entry_ours(watch, &entries[i]);
        watch->stale |= ours;
        lacks |= ours && watch_entry_lacks(&entries[i]);
    }
    int status = lacks ? watch_task_read(watch) : CLI_EXIT_OK;
    for (size_t i = 0; status == CLI_EXIT_OK && i < count; i++) {
        watch->next_entry = entries[i].entry_no + 1;
        cli_names_take(&watch->history.names, &entries[i]);
        if (!watch_entry_ours(watch, &entries[i]))
            continue;
        cli_history_take(&watch->history, &entries[i]);
        watch_entry_show(watch, &entries[i]);
    }
    return status;
}

/* How much a step matters on a screen that has no room for all; 0 matters most. */
static int watch_step_rank(int state)
{
    switch (state) {
    case SW_STEP_RUNNING:
        return 0;
    case SW_STEP_FAILED:
        return 1;
    case SW_STEP_READY:
    case SW_STEP_WAITING:
        return 2;
    case SW_STEP_PENDING:
        return 4;
    default:
        return 3;
    }
}

/* The rank up to which steps are drawn, and how many of that rank, when room rows are free. */
static void watch_choose(const cli_watch *watch, size_t room, int *rank, size_t *of_rank)
{
    size_t counts[5] = {0};
    for (size_t i = 0; i < watch->step_count; i++)
        counts[watch_step_rank(watch->steps[i].state)]++;
    *rank = 0;
    while (*rank < 4 && counts[*rank] <= room)
        room -= counts[(*rank)++];
    *of_rank = room;
}

/* What a step waits for or how it failed, short. */
static void watch_add_remark(const cli_watch *watch, cli_grid *grid, const sw_step_row *step,
                             int64_t now_us)
{
    char text[CLI_DURATION_SIZE];
    if (step->state == SW_STEP_READY && step->not_before_us > now_us)
        cli_grid_addf(grid, CLI_YELLOW, "again in %s: %.*s",
                      cli_duration(step->not_before_us - now_us, text), (int)step->error_class.len,
                      step->error_class.ptr);
    else if (step->state == SW_STEP_READY && !cli_kind_known(step->handler))
        cli_grid_addf(grid, CLI_YELLOW, "needs a worker that handles %.*s", (int)step->handler.len,
                      step->handler.ptr);
    else if (step->error_message.len > 0 && step->state != SW_STEP_SUCCEEDED)
        cli_grid_add(grid, CLI_RED, step->error_message);
    else if (watch->ended && step->state == SW_STEP_PENDING)
        cli_grid_add(grid, CLI_DIM, cli_str("did not run: a step before it failed"));
    else
        cli_grid_add(grid, CLI_PLAIN, cli_str(""));
}

/* How long the running attempt takes, or the last one took; "" when there was none. */
static const char *watch_elapsed(const cli_span *span, int64_t now_us, char text[CLI_DURATION_SIZE])
{
    if (span && span->started_us)
        return cli_duration_running(now_us - span->started_us, text);
    return span && span->last_us > 0 ? cli_duration(span->last_us, text) : "";
}

/* Cells have the width of the longest usual text, so that columns stay where they are. */
static void watch_add_step(const cli_watch *watch, cli_grid *grid, const sw_step_row *step,
                           int64_t now_us)
{
    char text[CLI_DURATION_SIZE];
    const cli_span *span = cli_history_span(&watch->history, step->step_id);
    cli_style style = cli_step_style(step->state);
    cli_grid_add(grid, style, cli_str(cli_mark(step->state)));
    cli_grid_add(grid, CLI_PLAIN, step->name);
    cli_grid_addf(grid, style, "%-9s", sw_step_state_name(step->state));
    cli_attempts(step, span, text);
    cli_grid_addf(grid, CLI_DIM, "%3s", step->attempt > 0 ? text : "");
    cli_grid_addf(grid, CLI_DIM, "%6s", watch_elapsed(span, now_us, text));
    watch_add_remark(watch, grid, step, now_us);
}

static void watch_draw_steps(const cli_watch *watch, FILE *stream, int64_t now_us, size_t width)
{
    int rank;
    size_t of_rank;
    size_t height = cli_out_height();
    size_t room = height > WATCH_FRAME_LINES + 3 ? height - WATCH_FRAME_LINES : 3;
    size_t hidden = 0;
    cli_grid grid = cli_grid_open("lllrrl");
    watch_choose(watch, room, &rank, &of_rank);
    for (size_t i = 0; i < watch->step_count; i++) {
        int step_rank = watch_step_rank(watch->steps[i].state);
        bool drawn = step_rank < rank || (step_rank == rank && of_rank > 0);
        of_rank -= drawn && step_rank == rank;
        hidden += !drawn;
        if (drawn)
            watch_add_step(watch, &grid, &watch->steps[i], now_us);
    }
    cli_grid_close(&grid, stream, 1, width);
    if (hidden > 0)
        fprintf(stream, "   and %zu more\n", hidden);
}

static void watch_draw_head(const cli_watch *watch, FILE *stream, int64_t now_us, size_t width)
{
    char text[CLI_DURATION_SIZE];
    char id[37];
    const sw_task_row *task = watch->task;
    cli_grid grid = cli_grid_open("lllll");
    sw_uuid_format(&task->task_id, id);
    cli_grid_add(&grid, CLI_BOLD, task->workflow);
    cli_grid_add(&grid, cli_task_style(task->state), cli_str(sw_task_state_name(task->state)));
    cli_grid_addf(
        &grid, CLI_PLAIN, "%lld/%lld steps",
        (long long)(task->step_counts[SW_STEP_SUCCEEDED] + task->step_counts[SW_STEP_RESOLVED]),
        (long long)task->step_count);
    if (watch->ended)
        cli_duration(task->finished_us - watch->history.start_us, text);
    else
        cli_duration_running(now_us - watch->history.start_us, text);
    cli_grid_add(&grid, CLI_PLAIN, cli_str(text));
    cli_grid_addf(&grid, CLI_DIM, "%.13s", id);
    cli_grid_close(&grid, stream, 0, width);
}

static char *watch_picture(const cli_watch *watch, int64_t now_us)
{
    char *picture = NULL;
    size_t size = 0;
    size_t width = cli_out_width();
    FILE *stream = open_memstream(&picture, &size);
    if (!stream)
        return cli_copy("");
    watch_draw_head(watch, stream, now_us, width);
    fputc('\n', stream);
    watch_draw_steps(watch, stream, now_us, width);
    fclose(stream);
    return picture;
}

/* Put a picture where the last one is. Lines are overwritten, not erased first, so that nothing
 * flickers. */
static void watch_redraw(cli_watch *watch, char *picture)
{
    size_t lines = 0;
    if (watch->drawn_lines > 0)
        printf("\r\033[%zuA", watch->drawn_lines);
    for (const char *line = picture; *line; lines++) {
        size_t length = strcspn(line, "\n");
        fwrite(line, 1, length, stdout);
        fputs("\033[K\n", stdout);
        line += length + (line[length] == '\n');
    }
    fputs("\033[J", stdout);
    fflush(stdout);
    free(watch->drawn);
    watch->drawn = picture;
    watch->drawn_lines = lines;
}

static int watch_draw(cli_watch *watch)
{
    sw_error error = {0};
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    if (sw_engine_info_get(watch->engine, &info, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the clock of the database");
    char *picture = watch_picture(watch, info.now_us);
    if (watch->drawn && strcmp(watch->drawn, picture) == 0)
        free(picture);
    else
        watch_redraw(watch, picture);
    return CLI_EXIT_OK;
}

static int watch_entries(cli_watch *watch)
{
    size_t count = 0;
    do {
        sw_result *page = NULL;
        int status = watch_page_read(watch, &page, &count);
        if (status == CLI_EXIT_OK)
            status = watch_page_show(watch, page);
        sw_result_free(page);
        if (status != CLI_EXIT_OK)
            return status;
    } while (count == WATCH_PAGE);
    return CLI_EXIT_OK;
}

static bool watch_has_table(void)
{
    const cli_out_mode *out = cli_out();
    return out->live && !out->json && !out->quiet;
}

int cli_watch_poll(cli_watch *watch)
{
    int status = watch_entries(watch);
    if (status != CLI_EXIT_OK || !watch_has_table())
        return status;
    if (watch->stale && watch_clock_us() >= watch->read_again_us)
        status = watch_task_read(watch);
    return status == CLI_EXIT_OK ? watch_draw(watch) : status;
}

int cli_watch_finish(cli_watch *watch)
{
    int status = watch_entries(watch);
    if (status == CLI_EXIT_OK && watch->stale)
        status = watch_task_read(watch);
    return status == CLI_EXIT_OK && watch_has_table() ? watch_draw(watch) : status;
}

void cli_watch_close(cli_watch *watch)
{
    cli_history_close(&watch->history);
    sw_result_free(watch->result);
    free(watch->drawn);
    *watch = (cli_watch){0};
}
