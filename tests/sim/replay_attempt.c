/* Attempts of steps as the history tells them: when one may start, and what it may end with; see
 * replay_attempt.h. */
#include "sim/replay_attempt.h"

#include <stdio.h>
#include <string.h>

static bool reason_is(const sw_audit_entry *entry, const char *text)
{
    return entry->reason.len == strlen(text) &&
           memcmp(entry->reason.ptr, text, entry->reason.len) == 0;
}

static bool reason_is_crash(const sw_audit_entry *entry)
{
    return reason_is(entry, "lease expired") || reason_is(entry, "worker died");
}

static bool reason_gives_back(const sw_audit_entry *entry)
{
    return reason_is(entry, "released") || reason_is(entry, "worker closed");
}

bool replay_is_late(const sw_audit_entry *entry)
{
    return reason_is(entry, "deadline exceeded");
}

/* Nobody has reported the attempt: its time was over, or it was silent for too long. */
static bool reason_is_time(const sw_audit_entry *entry)
{
    return reason_is(entry, "timeout") || reason_is(entry, "heartbeat missed");
}

/* Deadlines: nothing starts and nothing succeeds after them, and nothing fails by them before. */

bool replay_is_due(int64_t due_us, const sw_audit_entry *entry)
{
    return due_us && entry->time_us >= due_us;
}

bool replay_task_is_due(const replay_task *task, const sw_audit_entry *entry)
{
    return !task->overdue && replay_is_due(task->due_us, entry);
}

static void replay_in_time(const replay *r, const replay_task *task, int index,
                           const sw_audit_entry *entry)
{
    if (replay_is_due(task->steps[index].due_us, entry))
        replay_violate(r, "O12", task, index, "it goes on after its deadline");
    if (replay_task_is_due(task, entry))
        replay_violate(r, "O12", task, index, "it goes on after the deadline of its task");
}

/* Starts. */

void replay_start(replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    replay_step *step = &task->steps[index];
    if (entry->epoch != step->epoch + 1)
        replay_violate(r, "O3", task, index, "an epoch was left out or given twice");
    if (entry->attempt != step->attempt + 1)
        replay_violate(r, "O9", task, index, "an attempt was left out or counted twice");
    task->begun = true;
    replay_in_time(r, task, index, entry);
    if (!replay_may_start(task, index))
        replay_violate(r, "O4", task, index, "it starts before its rule lets it");
    if (task->stopped && !step->by_hand)
        replay_violate(r, "O4", task, index, "it starts after its task was stopped");
    step->by_hand = false;
    const ledger_claim *claim = ledger_find(r->l, entry->step_id, entry->epoch);
    if (claim && claim->boots == step->not_before_boots && claim->claimed_us < step->not_before_us)
        replay_violate(r, "O12", task, index, "it is tried again before its time");
    const char *fault = claim ? replay_check_inputs(task, claim) : NULL;
    if (fault)
        replay_violate(r, "O9", task, index, fault);
    step->epoch = entry->epoch;
    step->attempt = entry->attempt;
    step->started_us = entry->time_us;
    step->started_no = entry->entry_no;
    if (task->shape->steps[index].breaker)
        replay_breaker_start(r, task->shape->steps[index].breaker, &step->available_us);
    if (entry->epoch < REPLAY_EPOCHS) {
        step->attempts[entry->epoch] = entry->attempt;
        step->waited_us[entry->epoch] = entry->time_us - step->available_us;
    }
}

/* Ends of attempts. */

static void replay_note_failure(replay_step *step, const sw_audit_entry *entry)
{
    step->failed_epoch = entry->epoch;
    snprintf(step->error_class, sizeof step->error_class, "%.*s", (int)entry->subject.len,
             entry->subject.ptr ? entry->subject.ptr : "");
}

static bool replay_used_up(const replay_task *task, int index)
{
    const replay_step *step = &task->steps[index];
    return step->attempt - step->crashes >= task->shape->steps[index].max_attempts;
}

/* When it may start again: the definition asks for a delay, give or take a tenth, and the report
 * may ask for more. An end that the ledger knows nothing of bounds nothing, and neither does one
 * before a restart of the machine, after which the wall clock decides what time it is. */
static void replay_delay(replay_task *task, int index, const sw_audit_entry *entry,
                         const ledger_claim *claim)
{
    replay_step *step = &task->steps[index];
    const ledger_step *definition = &task->shape->steps[index];
    bool ended = reason_is_time(entry);
    int64_t delay_us = definition->base_ms * (step->attempt - step->crashes) * 1000;
    int64_t asked_us = claim && !ended ? claim->retry_after_ms * 1000 : 0;
    int64_t least_us = delay_us * 9 / 10 - 1000;
    int64_t most_us = delay_us * 11 / 10 + 1000;
    step->available_us = entry->time_us + (most_us > asked_us ? most_us : asked_us);
    if (!claim)
        return;
    step->not_before_us = claim->sent_us;
    if (reason_is(entry, "timeout"))
        step->not_before_us = claim->asked_us + definition->timeout_ms * 1000;
    else if (ended)
        step->not_before_us = ledger_last_word(claim) + definition->heartbeat_ms * 1000;
    step->not_before_us += least_us > asked_us ? least_us : asked_us;
    step->not_before_boots = claim->boots;
}

static void replay_timeout(const replay *r, const replay_task *task, int index,
                           const sw_audit_entry *entry)
{
    int64_t timeout_us = task->shape->steps[index].timeout_ms * 1000;
    if (!timeout_us || entry->time_us < task->steps[index].started_us + timeout_us)
        replay_violate(r, "O12", task, index, "it timed out before its time");
}

static void replay_silence(const replay *r, const replay_task *task, int index,
                           const sw_audit_entry *entry)
{
    const replay_step *step = &task->steps[index];
    const ledger_claim *claim = ledger_find(r->l, entry->step_id, entry->epoch);
    int64_t silent_us = task->shape->steps[index].heartbeat_ms * 1000;
    int64_t said_us = step->started_us;
    if (claim && claim->beat_store_us > said_us)
        said_us = claim->beat_store_us;
    if (!silent_us || entry->time_us < said_us + silent_us)
        replay_violate(r, "O12", task, index, "it is ended for silence before its time");
    if (strcmp(step->error_class, "HeartbeatMissed") != 0)
        replay_violate(r, "O9", task, index, "it is ended for silence with another error");
}

/* What ends when its time is over. */
static void replay_time(const replay *r, const replay_task *task, int index,
                        const sw_audit_entry *entry)
{
    if (reason_is(entry, "timeout"))
        replay_timeout(r, task, index, entry);
    else if (reason_is_time(entry))
        replay_silence(r, task, index, entry);
}

static void replay_retry(const replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    replay_step *step = &task->steps[index];
    const ledger_claim *claim = ledger_find(r->l, entry->step_id, entry->epoch);
    step->not_before_us = 0;
    if (reason_gives_back(entry)) {
        step->attempt--;
        return;
    }
    replay_note_failure(step, entry);
    if (task->stopped)
        replay_violate(r, "O9", task, index, "it is tried again after its task was stopped");
    if (reason_is_crash(entry)) {
        if (++step->crashes > task->shape->steps[index].max_crashes)
            replay_violate(r, "O9", task, index, "it is tried again after too many lost leases");
        return;
    }
    if (!reason_is(entry, "retry") && !reason_is_time(entry))
        replay_violate(r, "O5", task, index, "it is tried again for an unknown reason");
    replay_time(r, task, index, entry);
    if (!reason_is_time(entry) && (!claim || !claim->sent || claim->outcome != SW_OUTCOME_FAILED))
        replay_violate(r, "O9", task, index, "it is tried again after a failure nobody reported");
    if (replay_used_up(task, index))
        replay_violate(r, "O9", task, index, "it is tried again without attempts left");
    replay_delay(task, index, entry, claim);
}

static void replay_too_late(const replay *r, const replay_task *task, int index,
                            const sw_audit_entry *entry)
{
    if (!replay_is_due(task->steps[index].due_us, entry))
        replay_violate(r, "O12", task, index, "it fails before its deadline");
    if (strcmp(task->steps[index].error_class, "DeadlineExceeded") != 0)
        replay_violate(r, "O9", task, index, "it is too late with another error");
}

void replay_fail_waiting(const replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    replay_step *step = &task->steps[index];
    if (entry->epoch != step->epoch + 1 || entry->attempt != step->attempt)
        replay_violate(r, "O3", task, index, "its deadline passes under a wrong epoch or attempt");
    replay_note_failure(step, entry);
    replay_too_late(r, task, index, entry);
    step->epoch = entry->epoch;
}

void replay_cancel(const replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    bool late = replay_is_late(entry);
    task->steps[index].stopped = reason_is(entry, "task failed");
    if (late && !replay_task_is_due(task, entry))
        replay_violate(r, "O12", task, index, "it is cancelled before the deadline of its task");
    if (!late && !task->task->cancel_asked && task->steps[index].state == SW_STEP_RUNNING)
        replay_violate(r, "O5", task, index, "it is cancelled while it runs, and nobody asked");
}

static void replay_fail(const replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    replay_step *step = &task->steps[index];
    const ledger_claim *claim = ledger_find(r->l, entry->step_id, entry->epoch);
    replay_note_failure(step, entry);
    if (reason_is_crash(entry)) {
        if (++step->crashes <= task->shape->steps[index].max_crashes && !task->stopped)
            replay_violate(r, "O9", task, index, "it fails after too few lost leases");
    } else if (replay_is_late(entry)) {
        replay_too_late(r, task, index, entry);
    } else if (reason_is(entry, "failed for good")) {
        if (!claim || !claim->sent || claim->outcome != SW_OUTCOME_FAILED_FOR_GOOD)
            replay_violate(r, "O9", task, index, "it fails for good, which nobody reported");
    } else if (!replay_used_up(task, index) && !task->stopped) {
        replay_violate(r, "O9", task, index, "it fails with attempts left");
    }
    replay_time(r, task, index, entry);
}

void replay_leave_running(replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    replay_step *step = &task->steps[index];
    const ledger_claim *claim = ledger_find(r->l, entry->step_id, entry->epoch);
    if (entry->epoch != step->epoch)
        replay_violate(r, "O3", task, index, "a superseded attempt ends it");
    /* After a restart the clock goes on from the newest entry, and a heartbeat has none. */
    if (claim && claim->boots == r->l->world->boots && claim->beat_store_us > entry->time_us)
        replay_violate(r, "O11", task, index, "a heartbeat counts after the end of its attempt");
    if (task->shape->steps[index].breaker)
        replay_breaker_end(r, task->shape->steps[index].breaker, step, entry);
    if (entry->to == SW_STEP_SUCCEEDED) {
        step->succeeded_epoch = entry->epoch;
        replay_in_time(r, task, index, entry);
    }
    if (entry->to == SW_STEP_READY)
        replay_retry(r, task, index, entry);
    if (entry->to == SW_STEP_FAILED)
        replay_fail(r, task, index, entry);
    if (entry->attempt != step->attempt)
        replay_violate(r, "O9", task, index, "its end counts attempts differently");
}
