/* Audit entries as phrases, and the times of attempts taken from them. */
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "text.h"

#define HISTORY_NAME_WIDTH_MAX 28

static int span_compare(const void *a, const void *b)
{
    const int64_t left = ((const cli_span *)a)->step_id;
    const int64_t right = ((const cli_span *)b)->step_id;
    return (left > right) - (left < right);
}

static cli_span *span_find(const cli_history *history, int64_t step_id)
{
    cli_span key = {.step_id = step_id};
    return history->span_count == 0
               ? NULL
               : bsearch(&key, history->spans, history->span_count, sizeof(key), span_compare);
}

void cli_history_open(cli_history *history, sw_engine *engine, const sw_step_row *steps,
                      size_t count)
{
    *history = (cli_history){.span_count = count};
    history->spans = cli_alloc(count * sizeof(*history->spans));
    for (size_t i = 0; i < count; i++) {
        size_t width = cli_text_width(steps[i].name);
        history->spans[i].step_id = steps[i].step_id;
        history->spans[i].row = i;
        history->name_width = width > history->name_width ? width : history->name_width;
    }
    if (history->name_width > HISTORY_NAME_WIDTH_MAX)
        history->name_width = HISTORY_NAME_WIDTH_MAX;
    cli_names_open(&history->names, engine);
    qsort(history->spans, count, sizeof(*history->spans), span_compare);
}

void cli_history_close(cli_history *history)
{
    cli_names_close(&history->names);
    free(history->spans);
    *history = (cli_history){0};
}

/* The engine's words for the ways in which an attempt ends without a report. */
static bool entry_died(const sw_audit_entry *entry)
{
    return cli_str_equal(entry->reason, cli_str("worker died"));
}

static bool entry_lost(const sw_audit_entry *entry)
{
    return entry_died(entry) || cli_str_equal(entry->reason, cli_str("lease expired"));
}

static bool entry_timed_out(const sw_audit_entry *entry)
{
    return cli_str_equal(entry->reason, cli_str("timeout"));
}

static bool entry_silent(const sw_audit_entry *entry)
{
    return cli_str_equal(entry->reason, cli_str("heartbeat missed"));
}

/* Words that say more than the class of the error does. */
static bool entry_out_of_time(const sw_audit_entry *entry)
{
    return entry_timed_out(entry) || entry_silent(entry);
}

void cli_history_take(cli_history *history, const sw_audit_entry *entry)
{
    cli_names_take(&history->names, entry);
    if (history->start_us == 0)
        history->start_us = entry->time_us;
    cli_span *span =
        entry->kind == SW_AUDIT_STEP_CHANGED ? span_find(history, entry->step_id) : NULL;
    if (!span)
        return;
    if (entry->to == SW_STEP_RUNNING) {
        span->started_us = entry->time_us;
    } else if (entry->from == SW_STEP_RUNNING) {
        span->last_us = entry->time_us - span->started_us;
        span->worked_us += span->last_us;
        span->started_us = 0;
        span->lost += entry_lost(entry);
    }
}

const cli_span *cli_history_span(const cli_history *history, int64_t step_id)
{
    return span_find(history, step_id);
}

void cli_attempts(const sw_step_row *step, const cli_span *span, char text[CLI_DURATION_SIZE])
{
    snprintf(text, CLI_DURATION_SIZE, "%d/%d", step->attempt,
             step->max_attempts + (span ? span->lost : 0));
}

bool cli_entry_notable(const sw_audit_entry *entry)
{
    return entry->kind != SW_AUDIT_STEP_CHANGED || entry->from != SW_STEP_PENDING ||
           entry->to != SW_STEP_READY;
}

/* ": text" unless it is absent. */
static void phrase_add(FILE *stream, const char *before, sw_str text, const char *after)
{
    if (text.len == 0)
        return;
    fputs(before, stream);
    cli_text_put(stream, text, CLI_TEXT_NO_LIMIT);
    fputs(after, stream);
}

static void phrase_worker(FILE *stream, const cli_history *history, const sw_audit_entry *entry)
{
    if (!entry->worker_id)
        return;
    fprintf(stream, " by worker %" PRId64, entry->worker_id);
    phrase_add(stream, " \"", cli_names_find(&history->names, entry->worker_id), "\"");
}

/* How an attempt failed. The row has the message of the newest error, which belongs to this entry
 * only when the epoch says so. */
static void phrase_failure(FILE *stream, const cli_span *span, const sw_audit_entry *entry,
                           const sw_step_row *row)
{
    char text[CLI_DURATION_SIZE];
    bool newest = row && row->epoch == entry->epoch;
    fprintf(stream, "attempt %d %s", entry->attempt,
            entry_lost(entry)        ? "lost"
            : entry_timed_out(entry) ? "timed out"
            : entry_silent(entry)    ? "went silent"
                                     : "failed");
    if (span)
        fprintf(stream, " after %s", cli_duration(span->last_us, text));
    if (entry_lost(entry)) {
        fputs(entry_died(entry) ? ": its worker has died"
                                : ": its worker gave no sign of life, its lease expired",
              stream);
        return;
    }
    phrase_add(stream, ": ", entry_out_of_time(entry) ? cli_str(NULL) : entry->subject, "");
    phrase_add(stream, ": ", newest ? row->error_message : cli_str(NULL), "");
}

/* An attempt has ended and the step is ready again. */
static void phrase_again(FILE *stream, const cli_span *span, const sw_audit_entry *entry,
                         const sw_step_row *row)
{
    char text[CLI_DURATION_SIZE];
    if (entry->subject.len == 0) {
        fputs("given back", stream);
        phrase_add(stream, " (", entry->reason, ")");
        return;
    }
    phrase_failure(stream, span, entry, row);
    if (row && row->not_before_us > entry->time_us && row->epoch == entry->epoch)
        fprintf(stream, "; again in %s", cli_duration(row->not_before_us - entry->time_us, text));
    else
        fputs("; trying again", stream);
}

static void phrase_ended(FILE *stream, const cli_span *span, const sw_audit_entry *entry,
                         const sw_step_row *row)
{
    char text[CLI_DURATION_SIZE];
    if (entry->to == SW_STEP_FAILED)
        phrase_failure(stream, span, entry, row);
    else
        fputs(sw_step_state_name(entry->to), stream);
    if (entry->to == SW_STEP_SUCCEEDED && span)
        fprintf(stream, " in %s", cli_duration(span->last_us, text));
    phrase_add(stream, " by ", entry->actor, "");
    if (!entry_lost(entry) && !entry_out_of_time(entry))
        phrase_add(stream, " (", entry->reason, ")");
}

static void phrase_step(FILE *stream, const cli_history *history, const sw_audit_entry *entry,
                        const sw_step_row *row)
{
    const cli_span *span = span_find(history, entry->step_id);
    if (entry->to == SW_STEP_RUNNING) {
        fprintf(stream, "attempt %d started", entry->attempt);
        phrase_worker(stream, history, entry);
    } else if (entry->to == SW_STEP_READY && entry->from == SW_STEP_RUNNING) {
        phrase_again(stream, span, entry, row);
    } else if (sw_step_state_terminal(entry->to)) {
        phrase_ended(stream, span, entry, row);
    } else {
        fputs(sw_step_state_name(entry->to), stream);
        phrase_add(stream, " by ", entry->actor, "");
        phrase_add(stream, " (", entry->reason, ")");
    }
}

static void phrase_entry(FILE *stream, const cli_history *history, const sw_audit_entry *entry,
                         const sw_step_row *row)
{
    switch (entry->kind) {
    case SW_AUDIT_STEP_CHANGED:
        phrase_step(stream, history, entry, row);
        return;
    case SW_AUDIT_STEP_FENCED:
        fprintf(stream, "refused: a superseded attempt (epoch %" PRId64 ")", entry->epoch);
        phrase_add(stream, " reported ", entry->reason, "");
        phrase_worker(stream, history, entry);
        return;
    case SW_AUDIT_TASK_SUBMITTED:
        fputs("submitted", stream);
        break;
    case SW_AUDIT_TASK_CHANGED:
        fputs(sw_task_state_name(entry->to), stream);
        break;
    default:
        fputs(sw_audit_kind_name(entry->kind), stream);
        break;
    }
    phrase_add(stream, " by ", entry->actor, "");
    phrase_add(stream, ": ", entry->reason, "");
}

/* Mark and colour: of the state an entry leads to; refused reports stand out. */
static const char *entry_mark(const sw_audit_entry *entry, cli_style *style)
{
    *style = CLI_PLAIN;
    if (entry->kind == SW_AUDIT_STEP_FENCED) {
        *style = CLI_YELLOW;
        return "!";
    }
    if (entry->kind != SW_AUDIT_STEP_CHANGED) {
        *style = entry->kind == SW_AUDIT_TASK_CHANGED ? cli_task_style(entry->to) : CLI_DIM;
        return " ";
    }
    if (entry->to == SW_STEP_READY && entry->from == SW_STEP_RUNNING) {
        *style = CLI_YELLOW;
        return cli_out()->unicode ? "↻" : "~";
    }
    *style = cli_step_style(entry->to);
    return cli_mark(entry->to);
}

void cli_entry_print(FILE *stream, const cli_history *history, const sw_audit_entry *entry,
                     const sw_step_row *row, size_t width)
{
    char elapsed[CLI_DURATION_SIZE];
    char *phrase = NULL;
    size_t size = 0;
    cli_style style;
    const char *mark = entry_mark(entry, &style);
    FILE *memory = open_memstream(&phrase, &size);
    if (!memory)
        return;
    phrase_entry(memory, history, entry, row);
    fclose(memory);
    sw_str name = entry->step.ptr ? entry->step : cli_str("task");
    cli_duration(entry->time_us - history->start_us, elapsed);
    int used =
        fprintf(stream, "%s+%-8s%s ", cli_style_on(CLI_DIM), elapsed, cli_style_off(CLI_DIM)) -
        (int)strlen(cli_style_on(CLI_DIM)) - (int)strlen(cli_style_off(CLI_DIM));
    fprintf(stream, "%s%s%s ", cli_style_on(style), mark, cli_style_off(style));
    size_t shown = cli_text_put(stream, name, history->name_width);
    size_t pad = history->name_width > shown ? history->name_width - shown : 0;
    fprintf(stream, "%*s  ", (int)pad, "");
    size_t column = (size_t)used + 4 + shown + pad;
    cli_text_put(stream, cli_str(phrase), width > column + 10 ? width - column : CLI_TEXT_NO_LIMIT);
    fputc('\n', stream);
    free(phrase);
}
