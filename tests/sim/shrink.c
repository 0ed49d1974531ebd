/* Shrinking by trying; see shrink.h.
 *
 * A candidate leaves draws out, lowers them or moves them forward, is played, and is kept when it
 * breaks the same rule and is simpler: fewer events, then fewer draws, then a shorter run, then
 * lower values. What is kept is what the run really drew, so that whatever no longer matters is
 * gone at once (MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation", ECOOP 2020).
 */
#include "sim/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/run.h"

typedef struct shrink {
    char rule[16];
    choice_list best;
    choice_list trial;
    size_t events;
    uint64_t points;
    uint64_t sum; /* of all values */
    uint64_t runs;
    double start;
    double end;
    char violation[1024];
} shrink;

void shrink_rule(const char *violation, char rule[16])
{
    size_t size = strcspn(violation, ":");
    snprintf(rule, 16, "%.*s", (int)(size < 15 ? size : 15), violation);
}

static double shrink_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool shrink_is_over(const shrink *s)
{
    return shrink_now() >= s->end;
}

/* Judging a candidate. */

static uint64_t shrink_sum(const choice_list *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        sum += list->entries[i].value;
    return sum;
}

static bool shrink_is_simpler(const shrink *s, const run_result *result)
{
    size_t events = choice_list_events(&result->drawn);
    if (events != s->events)
        return events < s->events;
    if (result->drawn.count != s->best.count)
        return result->drawn.count < s->best.count;
    if (result->points != s->points)
        return result->points < s->points;
    return shrink_sum(&result->drawn) < s->sum;
}

static void shrink_take(shrink *s, run_result *result)
{
    choice_list_free(&s->best);
    s->best = result->drawn;
    result->drawn = (choice_list){0};
    s->events = choice_list_events(&s->best);
    s->points = result->points;
    s->sum = shrink_sum(&s->best);
    memcpy(s->violation, result->violation, sizeof s->violation);
}

static bool shrink_try(shrink *s, const choice_list *candidate)
{
    char rule[16];
    run_result result;
    s->runs++;
    run_schedule(0, candidate, false, &result);
    shrink_rule(result.violation, rule);
    bool taken = strcmp(rule, s->rule) == 0 && shrink_is_simpler(s, &result);
    if (taken)
        shrink_take(s, &result);
    choice_list_free(&result.drawn);
    return taken;
}

/* Passes. Each answers whether something was kept. */

typedef bool shrink_filter(const choice_entry *entry);

static bool filter_events(const choice_entry *entry)
{
    return choice_is_event(entry);
}

static bool filter_rest(const choice_entry *entry)
{
    return !choice_is_event(entry);
}

/* Leave out `size` of the draws that the filter names, beginning with the one numbered `from`. */
static bool shrink_try_without(shrink *s, shrink_filter *filter, size_t from, size_t size)
{
    size_t number = 0;
    s->trial.count = 0;
    for (size_t i = 0; i < s->best.count; i++) {
        const choice_entry *entry = &s->best.entries[i];
        bool out = filter(entry) && number >= from && number < from + size;
        number += filter(entry);
        if (!out)
            choice_list_add(&s->trial, entry);
    }
    return shrink_try(s, &s->trial);
}

static size_t shrink_count(const shrink *s, shrink_filter *filter)
{
    size_t count = 0;
    for (size_t i = 0; i < s->best.count; i++)
        count += filter(&s->best.entries[i]);
    return count;
}

/* Chunks of half the draws, of a quarter and so on, the last ones first: they depend on those
 * before them. */
static bool shrink_leave_out(shrink *s, shrink_filter *filter)
{
    bool better = false;
    for (size_t size = shrink_count(s, filter); size > 0; size /= 2) {
        size_t end = shrink_count(s, filter);
        while (end > 0 && !shrink_is_over(s)) {
            size_t from = end > size ? end - size : 0;
            if (shrink_try_without(s, filter, from, end - from))
                better = true;
            end = shrink_count(s, filter) < from ? shrink_count(s, filter) : from;
        }
    }
    return better;
}

static void shrink_copy(shrink *s)
{
    s->trial.count = 0;
    for (size_t i = 0; i < s->best.count; i++)
        choice_list_add(&s->trial, &s->best.entries[i]);
}

static bool shrink_try_value(shrink *s, size_t index, uint32_t value)
{
    shrink_copy(s);
    s->trial.entries[index].value = value;
    return shrink_try(s, &s->trial);
}

/* Draws of one kind by one actor; of faults, those of one sort. */
static bool shrink_is_alike(const choice_entry *a, const choice_entry *b)
{
    return a->kind == b->kind && a->drawer == b->drawer &&
           (a->kind != CHOICE_EVENT || a->value == b->value);
}

static bool shrink_has(const shrink *s, const choice_entry *alike)
{
    for (size_t i = 0; i < s->best.count; i++) {
        if (shrink_is_alike(&s->best.entries[i], alike))
            return true;
    }
    return false;
}

static bool shrink_try_without_all(shrink *s, const choice_entry *alike)
{
    s->trial.count = 0;
    for (size_t i = 0; i < s->best.count; i++) {
        if (!shrink_is_alike(&s->best.entries[i], alike))
            choice_list_add(&s->trial, &s->best.entries[i]);
    }
    return shrink_try(s, &s->trial);
}

/* All that is alike at once: most kinds of faults have nothing to do with a bug. */
static bool shrink_leave_out_alike(shrink *s)
{
    bool better = false;
    for (int drawer = 0; drawer < CHOICE_DRAWERS_MAX; drawer++) {
        for (int kind = CHOICE_SWITCH; kind <= CHOICE_FATE; kind++) {
            uint32_t values = kind == CHOICE_EVENT ? WORLD_FAULT_COUNT + 1 : 1;
            for (uint32_t value = values; value > 0 && !shrink_is_over(s); value--) {
                choice_entry alike = {0, value, (uint8_t)drawer, (uint8_t)kind};
                if (shrink_has(s, &alike) && shrink_try_without_all(s, &alike))
                    better = true;
            }
        }
    }
    return better;
}

/* Lower values, but for events, whose values are names. */
static bool shrink_lower(shrink *s)
{
    bool better = false;
    for (size_t i = 0; i < s->best.count && !shrink_is_over(s); i++) {
        while (i < s->best.count && filter_rest(&s->best.entries[i]) &&
               s->best.entries[i].value > 1 && !shrink_is_over(s)) {
            uint32_t value = s->best.entries[i].value;
            if (!shrink_try_value(s, i, 1) &&
                (i >= s->best.count || !shrink_try_value(s, i, value / 2)) &&
                (i >= s->best.count || !shrink_try_value(s, i, value - 1)))
                break;
            better = true;
        }
    }
    return better;
}

/* Move a draw, and those that follow it in its stream, to earlier places. */
static bool shrink_try_earlier(shrink *s, size_t index, uint32_t by)
{
    shrink_copy(s);
    const choice_entry moved = s->best.entries[index];
    for (size_t i = index; i < s->trial.count; i++) {
        choice_entry *entry = &s->trial.entries[i];
        if (entry->drawer == moved.drawer && entry->kind == moved.kind)
            entry->at -= by;
    }
    return shrink_try(s, &s->trial);
}

/* How many zeros are drawn between this draw and the one before it in its stream. */
static uint32_t shrink_gap(const shrink *s, size_t index)
{
    const choice_entry *entry = &s->best.entries[index];
    for (size_t i = index; i > 0; i--) {
        const choice_entry *before = &s->best.entries[i - 1];
        if (before->drawer == entry->drawer && before->kind == entry->kind)
            return entry->at - before->at - 1;
    }
    return entry->at;
}

static bool shrink_move(shrink *s)
{
    bool better = false;
    for (size_t i = 0; i < s->best.count && !shrink_is_over(s); i++) {
        for (uint32_t by = shrink_gap(s, i); by > 0 && !shrink_is_over(s); by /= 2) {
            if (!shrink_try_earlier(s, i, by))
                continue;
            better = true;
            break;
        }
    }
    return better;
}

static bool shrink_pass(shrink *s)
{
    bool better = shrink_leave_out_alike(s);
    better = shrink_leave_out(s, filter_events) || better;
    better = shrink_leave_out(s, filter_rest) || better;
    better = shrink_lower(s) || better;
    return shrink_move(s) || better;
}

bool shrink_schedule(const choice_list *drawn, const char *rule, double seconds, shrunk *out)
{
    shrink s = {.events = SIZE_MAX, .start = shrink_now()};
    s.end = s.start + seconds;
    snprintf(s.rule, sizeof s.rule, "%s", rule);
    memset(out, 0, sizeof *out);
    bool breaks = shrink_try(&s, drawn);
    out->events_before = s.events;
    while (breaks && !shrink_is_over(&s) && shrink_pass(&s))
        continue;
    choice_list_free(&s.trial);
    out->drawn = s.best;
    out->events = s.events;
    out->runs = s.runs;
    out->seconds = shrink_now() - s.start;
    memcpy(out->violation, s.violation, sizeof out->violation);
    return breaks;
}
