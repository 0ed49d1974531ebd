/* Circuit breakers as the history tells them: none lets a step start while it is open, a half-open
 * one no more than its probes, and each opens and closes when its outcomes say so. */
#include <string.h>

#include "sim/replay.h"

static void breaker_violate(const replay *r, const replay_breaker *breaker, const char *text)
{
    world_violate(r->l->world, "O13", "breaker b%d: %s", (int)(breaker - r->breakers) + 1, text);
}

static bool breaker_reason(const sw_audit_entry *entry, const char *text)
{
    return entry->reason.len == strlen(text) &&
           memcmp(entry->reason.ptr, text, entry->reason.len) == 0;
}

static int64_t breaker_open_us(const ledger_breaker *set, int openings)
{
    int64_t open_ms = set->open_ms;
    for (int i = 1; i < openings; i++)
        open_ms = open_ms * 2 < set->max_open_ms ? open_ms * 2 : set->max_open_ms;
    return open_ms * 1000;
}

/* The outcome that brings a change follows in the log. */
static void breaker_check_engine(const replay *r, const replay_breaker *breaker,
                                 const ledger_breaker *set, const sw_audit_entry *entry)
{
    switch (entry->to) {
    case SW_BREAKER_OPEN:
        if (breaker->state == SW_BREAKER_OPEN ||
            (breaker->state == SW_BREAKER_CLOSED && breaker->failures + 1 < set->failures))
            breaker_violate(r, breaker, "it opens after too few failures");
        if (entry->epoch != entry->time_us + breaker_open_us(set, breaker->openings + 1))
            breaker_violate(r, breaker, "it opens for another time than its settings say");
        break;
    case SW_BREAKER_HALF_OPEN:
        if (breaker->state != SW_BREAKER_OPEN || breaker->until_us == 0 ||
            entry->time_us < breaker->until_us)
            breaker_violate(r, breaker, "it is half-open before its time");
        break;
    default:
        if (breaker->state != SW_BREAKER_HALF_OPEN || breaker->successes + 1 < set->successes)
            breaker_violate(r, breaker, "it closes after too few successes");
    }
}

void replay_breaker_change(replay *r, const sw_audit_entry *entry)
{
    int number = entry->subject.len == 2 ? entry->subject.ptr[1] - '1' : -1;
    if (number < 0 || number >= LEDGER_BREAKERS) {
        world_violate(r->l->world, "O13", "an entry names an unknown breaker");
        return;
    }
    replay_breaker *breaker = &r->breakers[number];
    bool by_hand = entry->actor.len > 0;
    if (entry->from != breaker->state)
        breaker_violate(r, breaker, "an entry starts from a state it was not in");
    if (!by_hand)
        breaker_check_engine(r, breaker, &r->l->breakers[number], entry);
    if (entry->to == SW_BREAKER_OPEN)
        breaker->openings = by_hand ? 1 : breaker->openings + 1;
    if (entry->to == SW_BREAKER_CLOSED)
        breaker->openings = 0;
    if (by_hand || entry->to == SW_BREAKER_CLOSED)
        breaker->failures = 0;
    breaker->state = entry->to;
    breaker->successes = 0;
    breaker->probing = 0;
    breaker->entry_no = r->time_entry_no;
    breaker->until_us = entry->epoch;
    if (entry->to == SW_BREAKER_OPEN)
        breaker->since_us = entry->epoch ? entry->epoch : INT64_MAX;
    else if (entry->to == SW_BREAKER_CLOSED)
        breaker->since_us = entry->time_us;
}

void replay_breaker_start(replay *r, int number, int64_t *available_us)
{
    replay_breaker *breaker = &r->breakers[number - 1];
    const ledger_breaker *set = &r->l->breakers[number - 1];
    if (breaker->state == SW_BREAKER_OPEN)
        breaker_violate(r, breaker, "a step starts while it is open");
    if (breaker->state == SW_BREAKER_HALF_OPEN && ++breaker->probing > set->probes)
        breaker_violate(r, breaker, "more steps run than it has probes");
    if (breaker->since_us > *available_us)
        *available_us = breaker->since_us;
}

void replay_breaker_end(replay *r, int number, const replay_step *step, const sw_audit_entry *entry)
{
    replay_breaker *breaker = &r->breakers[number - 1];
    bool tried = entry->to == SW_STEP_READY || entry->to == SW_STEP_FAILED;
    if (step->started_no < breaker->entry_no)
        return;
    if (breaker->state == SW_BREAKER_HALF_OPEN) {
        breaker->probing--;
        breaker->since_us = entry->time_us;
    }
    if (entry->to == SW_STEP_SUCCEEDED && breaker->state == SW_BREAKER_CLOSED)
        breaker->failures = 0;
    if (entry->to == SW_STEP_SUCCEEDED && breaker->state == SW_BREAKER_HALF_OPEN)
        breaker->successes++;
    if (tried && breaker->state != SW_BREAKER_OPEN &&
        (breaker_reason(entry, "retry") || breaker_reason(entry, "timeout") ||
         breaker_reason(entry, "heartbeat missed") || breaker_reason(entry, "attempts used up"))) {
        breaker->failures++;
        breaker->counted = true;
    }
}

/* Where operators prune, all versions of a workflow name the same breakers. */
static int breaker_of_step(const ledger *l, const ledger_task *task, int step)
{
    const ledger_shape *first = &l->shapes[task->shape][0];
    const ledger_shape *second = &l->shapes[task->shape][1];
    return step < first->step_count ? first->steps[step].breaker : second->steps[step].breaker;
}

void replay_breaker_of_pruned(replay *r, const sw_audit_entry *entry)
{
    int64_t available_us = 0;
    int task = ledger_find_task(r->l, &entry->task_id);
    int index = ledger_step_index(entry->step);
    if (entry->kind != SW_AUDIT_STEP_CHANGED || task < 0 || index < 0 || index >= LEDGER_STEPS)
        return;
    int number = breaker_of_step(r->l, &r->l->tasks[task], index);
    replay_step step = {.started_no = r->ends[task].started_no[index]};
    if (entry->to == SW_STEP_RUNNING)
        r->ends[task].started_no[index] = entry->entry_no;
    if (number && entry->to == SW_STEP_RUNNING)
        replay_breaker_start(r, number, &available_us);
    else if (number && entry->from == SW_STEP_RUNNING)
        replay_breaker_end(r, number, &step, entry);
}

/* What has happened in a commit has led to what it must. */
void replay_breaker_settle(replay *r)
{
    for (int i = 0; i < LEDGER_BREAKERS; i++) {
        replay_breaker *breaker = &r->breakers[i];
        const ledger_breaker *set = &r->l->breakers[i];
        if (breaker->state == SW_BREAKER_CLOSED && breaker->failures > 0 &&
            breaker->failures >= set->failures)
            breaker_violate(r, breaker, "it stays closed after enough failures");
        if (breaker->state == SW_BREAKER_HALF_OPEN && breaker->counted)
            breaker_violate(r, breaker, "a probe has failed, and it does not open again");
        if (breaker->state == SW_BREAKER_HALF_OPEN && breaker->successes >= set->successes)
            breaker_violate(r, breaker, "it stays half-open after enough successes");
        breaker->counted = false;
    }
}
