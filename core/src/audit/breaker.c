/* Circuit breakers as the log has them: what changes of theirs it may name, and what attempts do to
 * them between two changes. What comes out must be what their rows say.
 *
 * Not here: settings, which stand in definitions; so the log alone does not say how many failures
 * are enough.
 */
#include "audit/replay.h"

#include "base/error.h"
#include "base/str.h"
#include "model/breaker.h"
#include "stepwell/breaker.h"

/* The record of a breaker, made when the log first has to do with it; NULL without memory. */
static sw__replay_breaker *breaker_record(sw__replay *replay, sw_str name)
{
    const int64_t *known = sw__strmap_find(&replay->breakers, name);
    if (known)
        return (sw__replay_breaker *)(intptr_t)*known;
    sw__replay_breaker *breaker = sw__arena_alloc(replay->arena, sizeof(*breaker));
    sw_str copy = sw__arena_str(replay->arena, name);
    if (!breaker || !copy.ptr || sw__strmap_put(&replay->breakers, copy, (intptr_t)breaker) < 0)
        return NULL;
    breaker->name = copy;
    breaker->next = replay->breaker_first;
    replay->breaker_first = breaker;
    return breaker;
}

static int breaker_doubt(sw__replay *replay, const sw_audit_entry *entry, const char *why)
{
    return sw__doubt_raise(&replay->doubt, entry->entry_no, entry->entry_no,
                           "entry %lld (breaker %.*s, from %s to %s): %s",
                           (long long)entry->entry_no, SW__FMT(entry->subject),
                           sw_breaker_state_name(entry->from), sw_breaker_state_name(entry->to),
                           why);
}

/* The entry of the failure that opens a breaker follows that of the breaker. */
static const char *breaker_refuse(const sw__replay_breaker *breaker, const sw_audit_entry *entry)
{
    bool fails = entry->to == SW_BREAKER_OPEN;
    if (entry->from != breaker->state)
        return "it was in another state";
    if (entry->actor.len > 0)
        return entry->to == SW_BREAKER_HALF_OPEN ? "no operator can do that" : NULL;
    bool follows = fails
                       ? entry->from != SW_BREAKER_OPEN
                       : entry->from == (entry->to == SW_BREAKER_HALF_OPEN ? SW_BREAKER_OPEN
                                                                           : SW_BREAKER_HALF_OPEN);
    if (!follows)
        return "it cannot go so without an operator";
    if (entry->to == SW_BREAKER_HALF_OPEN &&
        (breaker->until_us == 0 || entry->time_us < breaker->until_us))
        return "its time was not over";
    if (fails && entry->attempt != breaker->failures + 1)
        return "it names another number of failures than there were";
    return NULL;
}

int sw__replay_breaker_changed(sw__replay *replay, const sw_audit_entry *entry, sw_error *err)
{
    sw__replay_breaker *breaker = breaker_record(replay, entry->subject);
    if (!breaker)
        return sw__fail(err, SW_ENOMEM, NULL);
    const char *why = breaker_refuse(breaker, entry);
    if (why)
        return breaker_doubt(replay, entry, why);
    bool by_hand = entry->actor.len > 0;
    if (entry->to == SW_BREAKER_OPEN)
        breaker->openings = by_hand ? 1 : breaker->openings + (breaker->openings < INT32_MAX);
    if (entry->to == SW_BREAKER_CLOSED)
        breaker->openings = 0;
    if (by_hand || entry->to != SW_BREAKER_HALF_OPEN)
        breaker->failures = entry->attempt;
    breaker->forced = by_hand && entry->to == SW_BREAKER_OPEN;
    breaker->state = entry->to;
    breaker->until_us = entry->epoch;
    breaker->successes = 0;
    breaker->probing = 0;
    breaker->entry_no = entry->entry_no;
    breaker->since_entry_no = replay->time_entry_no;
    return SW_OK;
}

static void breaker_count(sw__replay_breaker *breaker, const sw_audit_entry *entry)
{
    if (breaker->state == SW_BREAKER_HALF_OPEN && breaker->probing > 0)
        breaker->probing--;
    if (entry->to == SW_STEP_SUCCEEDED && breaker->state == SW_BREAKER_HALF_OPEN)
        breaker->successes++;
    else if (entry->to == SW_STEP_SUCCEEDED && breaker->state == SW_BREAKER_CLOSED)
        breaker->failures = 0;
    else if (breaker->state != SW_BREAKER_OPEN && sw__breaker_counts(entry->to, entry->reason))
        breaker->failures += breaker->failures < INT32_MAX;
}

int sw__replay_breaker_moved(sw__replay *replay, const sw__replay_step *step, sw_str name,
                             const sw_audit_entry *entry, sw_error *err)
{
    sw__replay_breaker *breaker = breaker_record(replay, name);
    if (!breaker)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (entry->to != SW_STEP_RUNNING) {
        if (step->entry_no >= breaker->since_entry_no)
            breaker_count(breaker, entry);
        return SW_OK;
    }
    if (breaker->state == SW_BREAKER_OPEN)
        return sw__doubt_raise(&replay->doubt, entry->entry_no, entry->entry_no,
                               "entry %lld: step \"%.*s\" starts while its breaker %.*s is open "
                               "(since entry %lld)",
                               (long long)entry->entry_no, SW__FMT(entry->step), SW__FMT(name),
                               (long long)breaker->entry_no);
    breaker->probing += breaker->state == SW_BREAKER_HALF_OPEN;
    return SW_OK;
}

/* Comparing. */

static bool breaker_equals(const sw__replay_breaker *breaker, const sw_breaker_row *row)
{
    return row->state == breaker->state && row->failures == breaker->failures &&
           row->successes == breaker->successes && row->probing == breaker->probing &&
           row->openings == breaker->openings && row->forced == breaker->forced &&
           row->until_us == breaker->until_us;
}

static int breaker_compare_row(sw__replay *replay, const sw_breaker_row *row, int64_t entry_last)
{
    static const sw__replay_breaker untouched = {0};
    const int64_t *known = sw__strmap_find(&replay->breakers, row->settings.name);
    sw__replay_breaker *breaker = known ? (sw__replay_breaker *)(intptr_t)*known : NULL;
    const sw__replay_breaker *told = breaker ? breaker : &untouched;
    if (breaker)
        breaker->met = true;
    if (breaker_equals(told, row))
        return SW_OK;
    int64_t entry_no = told->entry_no > 0 ? told->entry_no : entry_last;
    return sw__doubt_raise(
        &replay->doubt, entry_no, entry_no,
        "breaker %.*s is %s in its row (%d failures, %d successes, %d probes), but %s (%d, %d, %d) "
        "in the log: the row was changed without an entry",
        SW__FMT(row->settings.name), sw_breaker_state_name(row->state), row->failures,
        row->successes, row->probing, sw_breaker_state_name(told->state), told->failures,
        told->successes, told->probing);
}

int sw__replay_breakers(sw__replay *replay, int64_t entry_last, sw_error *err)
{
    sw__breaker_rec *recs = NULL;
    size_t count = 0;
    sw__arena *arena = sw__arena_new(replay->env);
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->breakers_list(replay->store, arena, &recs, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = breaker_compare_row(replay, &recs[i].row, entry_last);
    for (const sw__replay_breaker *at = replay->breaker_first; rc == SW_OK && at; at = at->next) {
        if (!at->met)
            rc = sw__doubt_raise(&replay->doubt, entry_last, entry_last,
                                 "the row of breaker %.*s is missing", SW__FMT(at->name));
    }
    sw__arena_free(arena);
    return rc;
}
