/* Rules of the history, of tasks and of what moves their steps; see replay.h. Not here: what an
 * attempt may begin and end with (replay_attempt.c). */
#include "sim/replay.h"

#include <string.h>

#include "sim/probe.h"
#include "sim/replay_attempt.h"

void replay_violate(const replay *r, const char *rule, const replay_task *task, int step,
                    const char *text)
{
    world_violate(r->l->world, rule, "task %s of %s, step %c: %s", task->task->key,
                  task->shape->name, step < 0 ? '-' : 'a' + step, text);
}

void replay_know(replay *r, int index, int version)
{
    replay_task *task = &r->tasks[index];
    task->task = &r->l->tasks[index];
    task->shape = &r->l->shapes[task->task->shape][version];
    task->state = SW_TASK_PENDING;
    for (int i = 0; i < task->shape->step_count; i++)
        task->steps[i].state = task->shape->steps[i].after ? SW_STEP_PENDING : SW_STEP_READY;
}

/* When deadlines begin to count. */

static void replay_await(replay_task *task, int index, int64_t time_us)
{
    int64_t deadline_ms = task->shape->steps[index].deadline_ms;
    task->steps[index].due_us = deadline_ms ? time_us + deadline_ms * 1000 : 0;
}

static void replay_submit(replay_task *task, int64_t time_us)
{
    int64_t deadline_ms =
        task->task->deadline_ms ? task->task->deadline_ms : task->shape->deadline_ms;
    task->due_us = deadline_ms ? time_us + deadline_ms * 1000 : 0;
    for (int i = 0; i < task->shape->step_count; i++) {
        task->steps[i].available_us = time_us;
        if (!task->shape->steps[i].after)
            replay_await(task, i, time_us);
    }
}

/* Entries. */

static bool replay_is_by_hand(const sw_audit_entry *entry)
{
    return entry->actor.len == strlen(LEDGER_OPERATOR) &&
           memcmp(entry->actor.ptr, LEDGER_OPERATOR, entry->actor.len) == 0;
}

static bool replay_is_stopped(const replay_task *task)
{
    for (int i = 0; i < task->shape->step_count; i++) {
        if (task->steps[i].state == SW_STEP_FAILED &&
            task->shape->steps[i].on_failure == SW_ON_FAILURE_FAIL_TASK)
            return true;
    }
    return false;
}

/* Nobody takes back what has succeeded or was resolved, or starts what still has to wait. */
static void replay_operate(replay *r, replay_task *task, int index, const sw_audit_entry *entry)
{
    replay_step *step = &task->steps[index];
    if (!task->task->operated)
        replay_violate(r, "O13", task, index, "an operator is said to have changed it");
    if (step->state == SW_STEP_SUCCEEDED || step->state == SW_STEP_RESOLVED)
        replay_violate(r, "O2", task, index, "what was done is taken back");
    if (task->state == SW_TASK_SUCCEEDED)
        replay_violate(r, "O2", task, index, "it goes on in a task that has succeeded");
    if (entry->to == SW_STEP_READY && !replay_may_start(task, index))
        replay_violate(r, "O13", task, index, "it is ready by hand before its rule lets it start");
    if (entry->epoch != step->epoch || entry->attempt != step->attempt)
        replay_violate(r, "O13", task, index, "an operator changes its attempts");
    if (step->state == SW_STEP_RUNNING && task->shape->steps[index].breaker)
        replay_breaker_end(r, task->shape->steps[index].breaker, step, entry);
    if (sw_step_state_terminal(step->state) && !sw_step_state_terminal(entry->to))
        probe_hit(SIM_TAKEN_UP);
    if (entry->to == SW_STEP_RESOLVED)
        probe_hit(SIM_RESOLVED);
    if (entry->to == SW_STEP_READY)
        replay_await(task, index, entry->time_us);
    step->state = entry->to;
    step->stopped = false;
    step->by_hand = entry->to == SW_STEP_READY || entry->to == SW_STEP_PENDING;
    step->available_us = entry->time_us;
    step->not_before_us = 0;
    task->stopped = replay_is_stopped(task);
}

static void replay_change_step(replay *r, replay_task *task, const sw_audit_entry *entry)
{
    int index = ledger_step_index(entry->step);
    if (index < 0 || index >= task->shape->step_count) {
        replay_violate(r, "O5", task, -1, "an entry names an unknown step");
        return;
    }
    replay_step *step = &task->steps[index];
    if (entry->from != step->state)
        replay_violate(r, "O5", task, index, "an entry starts from a state it was not in");
    if (replay_is_by_hand(entry)) {
        replay_operate(r, task, index, entry);
        return;
    }
    if (sw_step_state_terminal(step->state))
        replay_violate(r, "O2", task, index, "it goes on after its end");
    if (sw_task_state_terminal(task->state))
        replay_violate(r, "O2", task, index, "it moves after the end of its task");
    if (entry->to == SW_STEP_READY)
        step->available_us = entry->time_us;
    if (entry->to == SW_STEP_READY && step->state == SW_STEP_PENDING)
        replay_await(task, index, entry->time_us);
    if (entry->to == SW_STEP_CANCELLED)
        replay_cancel(r, task, index, entry);
    if (entry->to == SW_STEP_RUNNING)
        replay_start(r, task, index, entry);
    else if (step->state == SW_STEP_RUNNING)
        replay_leave_running(r, task, index, entry);
    else if (entry->to == SW_STEP_FAILED)
        replay_fail_waiting(r, task, index, entry);
    else if (entry->to == SW_STEP_READY && !replay_may_start(task, index))
        replay_violate(r, "O4", task, index, "it is ready before its rule lets it start");
    else if (entry->to == SW_STEP_SKIPPED && !replay_is_hopeless(task, index))
        replay_violate(r, "O4", task, index, "it is skipped while its rule can be met");
    step->state = entry->to;
    if (entry->to == SW_STEP_FAILED &&
        task->shape->steps[index].on_failure == SW_ON_FAILURE_FAIL_TASK)
        task->stopped = true;
}

/* The state that a task must be in, by its steps. */
static int replay_outcome(const replay_task *task)
{
    bool active = false;
    bool fatal = false;
    for (int i = 0; i < task->shape->step_count; i++) {
        int state = task->steps[i].state;
        active = active || state == SW_STEP_READY || state == SW_STEP_RUNNING;
        fatal =
            fatal || state == SW_STEP_PENDING || state == SW_STEP_CANCELLED ||
            (state == SW_STEP_FAILED && task->shape->steps[i].on_failure != SW_ON_FAILURE_CONTINUE);
    }
    if (task->late)
        return SW_TASK_FAILED;
    if (active)
        return task->begun || task->reopened ? SW_TASK_RUNNING : SW_TASK_PENDING;
    return fatal ? SW_TASK_FAILED : SW_TASK_SUCCEEDED;
}

static void replay_change_task(const replay *r, replay_task *task, const sw_audit_entry *entry)
{
    if (entry->from != task->state)
        replay_violate(r, "O5", task, -1, "an entry starts from a state the task was not in");
    if (sw_task_state_terminal(task->state) && !replay_is_by_hand(entry))
        replay_violate(r, "O2", task, -1, "the task goes on after its end");
    if (replay_is_by_hand(entry)) {
        probe_hit(SIM_REOPENED);
        task->reopened = true;
        task->late = false;
        task->overdue = replay_is_due(task->due_us, entry);
    }
    if (entry->to == SW_TASK_CANCELLED && !task->task->cancel_asked)
        replay_violate(r, "O5", task, -1, "it was cancelled, which nobody asked for");
    task->late = task->late || replay_is_late(entry);
    for (int i = 0; i < task->shape->step_count; i++)
        task->steps[i].stopped =
            task->steps[i].stopped && entry->to != SW_TASK_CANCELLED && !replay_is_late(entry);
    if (replay_is_late(entry) && !replay_task_is_due(task, entry))
        replay_violate(r, "O12", task, -1, "it ends before its deadline");
    task->state = entry->to;
}

/* Once, after the end of the task, when somebody asked for it. */
static void replay_erase(const replay *r, replay_task *task, const sw_audit_entry *entry)
{
    if (!task->task->erase_asked || entry->actor.len == 0 || entry->reason.len == 0)
        replay_violate(r, "O5", task, -1, "it was erased, which nobody asked for");
    if (!sw_task_state_terminal(task->state))
        replay_violate(r, "O2", task, -1, "it was erased before its end");
    if (task->erased)
        replay_violate(r, "O5", task, -1, "it was erased twice");
    task->erased = true;
}

/* After a commit: whatever can go on has been made to, and nothing else. */
static void replay_settle(const replay *r, replay_task *task)
{
    task->touched = false;
    for (int i = 0; i < task->shape->step_count; i++) {
        int state = task->steps[i].state;
        bool waits = state == SW_STEP_PENDING || state == SW_STEP_READY;
        if (state == SW_STEP_PENDING && replay_may_start(task, i))
            replay_violate(r, "O6", task, i, "its rule lets it start, and it is not ready");
        if (state == SW_STEP_PENDING && replay_is_hopeless(task, i))
            replay_violate(r, "O6", task, i, "its rule cannot be met, and it is not skipped");
        if (!task->stopped && replay_is_left_behind(task, i))
            replay_violate(r, "O6", task, i,
                           "the failure that cancelled it is taken up without it");
        task->steps[i].stopped = task->steps[i].stopped && task->stopped;
        if (waits && task->stopped && !task->steps[i].by_hand)
            replay_violate(r, "O6", task, i, "it waits in a task that was stopped");
        if ((task->state == SW_TASK_CANCELLED || task->late) && !sw_step_state_terminal(state))
            replay_violate(r, "O6", task, i, "it goes on in a task that was cancelled or is late");
    }
    if (task->state != SW_TASK_CANCELLED && task->state != replay_outcome(task))
        replay_violate(r, "O6", task, -1, "the task is not in the state that its steps say");
}

void replay_end(replay *r)
{
    for (int i = 0; i < r->l->task_count; i++) {
        if (r->tasks[i].touched)
            replay_settle(r, &r->tasks[i]);
    }
    replay_breaker_settle(r);
}

static replay_task *replay_find(replay *r, const sw_audit_entry *entry, const sw_uuid *ids)
{
    for (int i = 0; i < r->l->task_count; i++) {
        if (r->tasks[i].task && memcmp(&ids[i], &entry->task_id, sizeof ids[i]) == 0)
            return &r->tasks[i];
    }
    return NULL;
}

/* Only what has ended is pruned, and nothing that ended later than was asked for. */
static void replay_prune(const replay *r, int index)
{
    const replay_end_of *end = &r->ends[index];
    const ledger_task *task = &r->l->tasks[index];
    if (!task->prune_asked || !sw_task_state_terminal(end->state) ||
        end->time_us >= r->l->prune_before_us)
        world_violate(r->l->world, "O14", "task %s of w%d: it is pruned, and should not be",
                      task->key, task->shape);
}

static void replay_note_end(replay *r, const sw_audit_entry *entry)
{
    int index = ledger_find_task(r->l, &entry->task_id);
    if (index < 0)
        return;
    replay_end_of *end = &r->ends[index];
    if (end->pruned && entry->kind != SW_AUDIT_STEP_FENCED)
        world_violate(r->l->world, "O14", "task %s of w%d: it goes on after it was pruned",
                      r->l->tasks[index].key, r->l->tasks[index].shape);
    if (entry->kind == SW_AUDIT_TASK_PRUNED) {
        probe_hit(SIM_PRUNED);
        replay_prune(r, index);
        end->pruned = true;
    }
    if (entry->kind == SW_AUDIT_TASK_CHANGED) {
        end->state = entry->to;
        end->time_us = entry->time_us;
    }
}

void replay_entry(replay *r, const sw_audit_entry *entry, const sw_uuid *ids)
{
    if (entry->entry_no != ++r->entry_no)
        world_violate(r->l->world, "O5", "entry %lld has the number %lld", (long long)r->entry_no,
                      (long long)entry->entry_no);
    if (entry->time_us < r->time_us)
        world_violate(r->l->world, "O5", "the history goes back in time at entry %lld",
                      (long long)entry->entry_no);
    if (entry->time_us != r->time_us) {
        replay_end(r);
        r->time_entry_no = entry->entry_no;
    }
    r->time_us = entry->time_us;
    if (entry->kind == SW_AUDIT_BREAKER_CHANGED)
        replay_breaker_change(r, entry);
    replay_note_end(r, entry);
    replay_task *task = replay_find(r, entry, ids);
    if (!task) {
        replay_breaker_of_pruned(r, entry);
        return;
    }
    task->touched = true;
    task->entries++;
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED && ++task->submissions > 1)
        replay_violate(r, "O1", task, -1, "submitted twice");
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        replay_submit(task, entry->time_us);
    if (entry->kind == SW_AUDIT_TASK_ERASED)
        replay_erase(r, task, entry);
    if (entry->kind == SW_AUDIT_TASK_CHANGED)
        replay_change_task(r, task, entry);
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        replay_change_step(r, task, entry);
}
