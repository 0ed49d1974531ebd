/* What one entry may say after all the entries before it. */
#include "audit/replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "model/states.h"
#include "model/trigger.h"

/* A doubt about one entry; the words follow "entry 17 (step "charge" of task 0192...): ". */
static int move_doubt(sw__replay *replay, const sw_audit_entry *entry, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int move_doubt(sw__replay *replay, const sw_audit_entry *entry, const char *format, ...)
{
    char task_id[37];
    char why[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    sw_uuid_format(&entry->task_id, task_id);
    if (entry->step.ptr)
        return sw__doubt_raise(&replay->doubt, entry->entry_no, entry->entry_no,
                               "entry %lld (step \"%.*s\" of task %s): %s",
                               (long long)entry->entry_no, SW__FMT(entry->step), task_id, why);
    return sw__doubt_raise(&replay->doubt, entry->entry_no, entry->entry_no,
                           "entry %lld (task %s): %s", (long long)entry->entry_no, task_id, why);
}

static void move_seal(sw__replay *replay, sw__replay_task *task, sw__seal_kind kind,
                      const sw_audit_entry *entry)
{
    sw__seal seal = {
        .kind = kind,
        .key = kind == SW__SEAL_INPUT ? task->task_no : entry->step_id,
        .task = task,
        .epoch = entry->epoch,
        .entry_no = entry->entry_no,
        .digest = entry->digest,
        .actor = entry->actor,
        .reason = entry->reason,
    };
    sw__buf_put(&replay->seals, &seal, sizeof(seal));
}

/* Tasks. */

static int move_submit(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                       sw_error *err)
{
    const sw_workflow *workflow = NULL;
    if (task->workflow)
        return move_doubt(replay, entry, "the task was submitted before");
    int rc = sw__replay_workflow(replay, entry->subject, entry->entry_no, &workflow, err);
    if (rc < 0)
        return rc;
    size_t count = 0;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    task->steps = sw__arena_array(replay->arena, count, sizeof(*task->steps));
    if (!task->steps)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        task->steps[i].state = steps[i].after_count > 0 ? SW_STEP_PENDING : SW_STEP_READY;
    task->workflow = workflow;
    task->task_id = entry->task_id;
    task->entry_no = entry->entry_no;
    task->state = SW_TASK_PENDING;
    replay->step_count += (int64_t)count;
    move_seal(replay, task, SW__SEAL_INPUT, entry);
    return SW_OK;
}

static int move_task(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry)
{
    int from = entry->from;
    int to = entry->to;
    if (from != task->state)
        return move_doubt(replay, entry, "it goes from %s to %s, but the task was %s",
                          sw_task_state_name(from), sw_task_state_name(to),
                          sw_task_state_name(task->state));
    if (!sw__task_may(from, to, SW_BY_ENGINE) && !sw__task_may(from, to, SW_BY_WORKER) &&
        !sw__task_may(from, to, SW_BY_OPERATOR))
        return move_doubt(replay, entry, "a task cannot go from %s to %s", sw_task_state_name(from),
                          sw_task_state_name(to));
    for (size_t i = 0; to == SW_TASK_SUCCEEDED && i < task->workflow->step_count; i++) {
        if (!sw__trigger_is_well(&task->workflow->steps[i], (int)task->steps[i].state))
            return move_doubt(replay, entry, "the task succeeds while step \"%.*s\" is %s",
                              SW__FMT(task->workflow->steps[i].name),
                              sw_step_state_name((int)task->steps[i].state));
    }
    task->state = to;
    task->entry_no = entry->entry_no;
    return SW_OK;
}

/* Only what has ended is pruned, and its entry says how it had. */
static int move_pruned(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry)
{
    if (entry->from != task->state || entry->to != task->state)
        return move_doubt(replay, entry, "it prunes a task that is %s, but the task was %s",
                          sw_task_state_name(entry->from), sw_task_state_name(task->state));
    if (!sw_task_state_terminal(task->state))
        return move_doubt(replay, entry, "it prunes a task that has not ended: it was %s",
                          sw_task_state_name(task->state));
    task->pruned = true;
    task->entry_no = entry->entry_no;
    replay->pruned_count++;
    return SW_OK;
}

/* Likewise. Payloads of what has not ended are needed, so that whatever is erased stays as it is.
 */
static int move_erased(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry)
{
    if (entry->from != task->state || entry->to != task->state)
        return move_doubt(replay, entry, "it erases a task that is %s, but the task was %s",
                          sw_task_state_name(entry->from), sw_task_state_name(task->state));
    if (!sw_task_state_terminal(task->state))
        return move_doubt(replay, entry, "it erases a task that has not ended: it was %s",
                          sw_task_state_name(task->state));
    if (entry->actor.len == 0 || entry->reason.len == 0)
        return move_doubt(replay, entry, "it does not say who erased the task, and why");
    task->erased_entry_no = entry->entry_no;
    replay->erased_count++;
    return SW_OK;
}

/* Steps. */

/* The step that an entry is about, or NULL when the definition has none like that. */
static sw__replay_step *move_find_step(const sw__replay_task *task, const sw_audit_entry *entry)
{
    int64_t index = SW__STEP_INDEX(entry->step_id);
    if (SW__STEP_TASK(entry->step_id) != task->task_no ||
        (size_t)index >= task->workflow->step_count ||
        !sw__str_equal(task->workflow->steps[index].name, entry->step))
        return NULL;
    return &task->steps[index];
}

/* Only by a deadline does the engine end what nobody has reported and no lease has lost. */
static bool move_is_of_engine(const sw_audit_entry *entry)
{
    bool late = (entry->from == SW_STEP_RUNNING && entry->to == SW_STEP_CANCELLED) ||
                (entry->from == SW_STEP_READY && entry->to == SW_STEP_FAILED);
    return sw__step_may(entry->from, entry->to, SW_BY_ENGINE) &&
           (!late || sw__str_is(entry->reason, "deadline exceeded"));
}

/* Whether the engine or a worker may move a step so, or an operator who is named. */
static bool move_is_allowed(const sw_audit_entry *entry)
{
    return move_is_of_engine(entry) || sw__step_may(entry->from, entry->to, SW_BY_WORKER) ||
           (entry->actor.len > 0 && sw__step_may(entry->from, entry->to, SW_BY_OPERATOR));
}

/* Only an attempt that was given back unworked is taken off the count. */
static bool move_gives_back(const sw_audit_entry *entry)
{
    return entry->from == SW_STEP_RUNNING && entry->to == SW_STEP_READY &&
           (sw__str_is(entry->reason, "released") || sw__str_is(entry->reason, "worker closed"));
}

static int move_start(sw__replay *replay, const sw__replay_step *step, const sw_audit_entry *entry)
{
    if (entry->epoch != step->epoch + 1)
        return move_doubt(replay, entry, "it starts under epoch %lld, expected %lld",
                          (long long)entry->epoch, (long long)step->epoch + 1);
    if (entry->attempt != step->attempt + 1)
        return move_doubt(replay, entry, "it starts attempt %d, expected %d", entry->attempt,
                          step->attempt + 1);
    const int64_t *open = sw__map_find(&replay->workers, entry->worker_id);
    if (!open || !*open)
        return move_doubt(replay, entry, "it starts under worker %lld, which is not open",
                          (long long)entry->worker_id);
    return SW_OK;
}

/* A deadline that passes between two attempts takes the epoch of the one that never comes. */
static bool move_is_between(const sw_audit_entry *entry)
{
    return (entry->from == SW_STEP_READY || entry->from == SW_STEP_WAITING) &&
           entry->to == SW_STEP_FAILED && sw__str_is(entry->reason, "deadline exceeded");
}

static int move_keep_numbers(sw__replay *replay, const sw__replay_step *step,
                             const sw_audit_entry *entry)
{
    int32_t given_back = move_gives_back(entry) ? 1 : 0;
    int64_t epoch = step->epoch + move_is_between(entry);
    if (entry->epoch != epoch)
        return move_doubt(replay, entry,
                          "it goes from %s to %s under epoch %lld, but the newest epoch is %lld",
                          sw_step_state_name(entry->from), sw_step_state_name(entry->to),
                          (long long)entry->epoch, (long long)epoch);
    if (entry->attempt != step->attempt - given_back)
        return move_doubt(replay, entry, "it names attempt %d, expected %d", entry->attempt,
                          step->attempt - given_back);
    return SW_OK;
}

static sw__effect move_effect(const sw__replay_task *task, const sw_workflow_step *step,
                              int32_t dependency)
{
    return sw__trigger_effect(step, &task->workflow->steps[dependency],
                              (int)task->steps[dependency].state);
}

sw__tally sw__replay_count(const sw__replay_task *task, size_t index)
{
    sw__tally tally = {0};
    const sw_workflow_step *step = &task->workflow->steps[index];
    for (size_t i = 0; i < step->after_count; i++)
        sw__tally_add(&tally, move_effect(task, step, step->after[i]));
    return tally;
}

/* A step becomes ready when its rule is met. One that is not met needs at most all dependencies,
 * so that there is one to name. */
static int move_check_ready(sw__replay *replay, const sw__replay_task *task,
                            const sw_audit_entry *entry)
{
    size_t i = 0;
    size_t index = (size_t)SW__STEP_INDEX(entry->step_id);
    const sw_workflow_step *steps = task->workflow->steps;
    const sw_workflow_step *step = &steps[index];
    if (sw__tally_is_met(sw__replay_count(task, index), step))
        return SW_OK;
    while (move_effect(task, step, step->after[i]) == SW__EFFECT_COUNTS)
        i++;
    return move_doubt(replay, entry, "it becomes ready while \"%.*s\", which it waits for, is %s",
                      SW__FMT(steps[step->after[i]].name),
                      sw_step_state_name((int)task->steps[step->after[i]].state));
}

/* The engine skips a step when its rule cannot be met any more, an operator at will. */
static int move_check_skipped(sw__replay *replay, const sw__replay_task *task,
                              const sw_audit_entry *entry)
{
    size_t index = (size_t)SW__STEP_INDEX(entry->step_id);
    const sw_workflow_step *step = &task->workflow->steps[index];
    if (entry->actor.len > 0 || sw__tally_is_void(sw__replay_count(task, index), step))
        return SW_OK;
    return move_doubt(replay, entry, "it is skipped while its rule, %s, can still be met",
                      sw_trigger_name(step->trigger));
}

static int move_check_pending(sw__replay *replay, const sw__replay_task *task,
                              const sw_audit_entry *entry)
{
    if (entry->to == SW_STEP_READY)
        return move_check_ready(replay, task, entry);
    return entry->to == SW_STEP_SKIPPED ? move_check_skipped(replay, task, entry) : SW_OK;
}

static int move_check_step(sw__replay *replay, const sw__replay_task *task,
                           const sw__replay_step *step, const sw_audit_entry *entry)
{
    const char *from = sw_step_state_name(entry->from);
    const char *to = sw_step_state_name(entry->to);
    if ((uint32_t)entry->from != step->state)
        return move_doubt(replay, entry, "it goes from %s to %s, but the step was %s", from, to,
                          sw_step_state_name((int)step->state));
    if (!move_is_allowed(entry))
        return move_doubt(replay, entry, "a step cannot go from %s to %s%s", from, to,
                          entry->actor.len > 0 ? "" : " without an operator");
    if (sw_task_state_terminal(task->state) && entry->actor.len == 0)
        return move_doubt(replay, entry, "it goes from %s to %s after its task has ended", from,
                          to);
    if (entry->to == SW_STEP_RUNNING)
        return move_start(replay, step, entry);
    int rc = move_keep_numbers(replay, step, entry);
    if (rc == SW_OK && entry->from == SW_STEP_PENDING)
        rc = move_check_pending(replay, task, entry);
    return rc;
}

/* Count how an attempt ended, and note the payload that its end sealed. The reasons of these moves
 * are the engine's words; those of a cancellation are an operator's and may be anything. */
static void move_end_attempt(sw__replay *replay, sw__replay_task *task, sw__replay_step *step,
                             const sw_audit_entry *entry)
{
    bool lost =
        sw__str_is(entry->reason, "lease expired") || sw__str_is(entry->reason, "worker died");
    if (entry->to == SW_STEP_CANCELLED)
        return;
    step->crashes += lost;
    if (lost || sw__str_is(entry->reason, "timeout") ||
        sw__str_is(entry->reason, "heartbeat missed") ||
        sw__str_is(entry->reason, "deadline exceeded"))
        replay->reclaim_count++;
    else if (entry->to == SW_STEP_SUCCEEDED || entry->to == SW_STEP_FAILED)
        replay->commit_count++;
    if (entry->to == SW_STEP_SUCCEEDED)
        move_seal(replay, task, SW__SEAL_RESULT, entry);
    else if (entry->digest.ptr)
        move_seal(replay, task, SW__SEAL_FAILURE, entry);
}

static int move_step(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                     sw_error *err)
{
    sw__replay_step *step = move_find_step(task, entry);
    if (!step)
        return move_doubt(replay, entry, "the task's definition has no such step");
    sw_str breaker = task->workflow->steps[SW__STEP_INDEX(entry->step_id)].breaker;
    int rc = move_check_step(replay, task, step, entry);
    if (rc == SW_OK && breaker.ptr &&
        (entry->from == SW_STEP_RUNNING || entry->to == SW_STEP_RUNNING))
        rc = sw__replay_breaker_moved(replay, step, breaker, entry, err);
    if (rc < 0)
        return rc;
    if (entry->from == SW_STEP_RUNNING)
        move_end_attempt(replay, task, step, entry);
    else if (entry->to == SW_STEP_FAILED)
        move_seal(replay, task, SW__SEAL_FAILURE, entry);
    if (entry->to == SW_STEP_RESOLVED)
        move_seal(replay, task, SW__SEAL_RESULT, entry);
    step->state = (uint32_t)entry->to & 0x1f;
    step->epoch = entry->epoch;
    step->attempt = entry->attempt;
    step->entry_no = entry->entry_no;
    return SW_OK;
}

static int move_fenced(sw__replay *replay, const sw__replay_task *task, const sw_audit_entry *entry)
{
    const sw__replay_step *step = move_find_step(task, entry);
    if (!step)
        return move_doubt(replay, entry, "the task's definition has no such step");
    if (step->state == SW_STEP_RUNNING && entry->epoch == step->epoch)
        return move_doubt(replay, entry, "it refuses a report of the newest epoch, %lld",
                          (long long)entry->epoch);
    replay->fenced_count++;
    return SW_OK;
}

static int move_event(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry)
{
    const char *why = NULL;
    if (entry->step.ptr && !move_find_step(task, entry))
        return move_doubt(replay, entry, "the task's definition has no such step");
    return sw__replay_event(replay, task, entry, &why) < 0 ? move_doubt(replay, entry, "%s", why)
                                                           : SW_OK;
}

static int move_of_task(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                        sw_error *err)
{
    if (!task)
        return move_doubt(replay, entry, "it names no task");
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        return move_submit(replay, task, entry, err);
    if (!task->workflow)
        return move_doubt(replay, entry, "the task was not submitted before");
    if (memcmp(&task->task_id, &entry->task_id, sizeof(task->task_id)) != 0)
        return move_doubt(replay, entry, "it names another task than its segment does");
    if (task->pruned)
        return move_doubt(replay, entry, "the task was pruned before");
    if (entry->kind == SW_AUDIT_TASK_PRUNED)
        return move_pruned(replay, task, entry);
    if (task->erased_entry_no > 0 && entry->kind != SW_AUDIT_STEP_FENCED)
        return move_doubt(replay, entry, "the task was erased before");
    if (entry->kind == SW_AUDIT_TASK_ERASED)
        return move_erased(replay, task, entry);
    if (entry->kind == SW_AUDIT_EVENT)
        return move_event(replay, task, entry);
    if (entry->kind == SW_AUDIT_TASK_CHANGED)
        return move_task(replay, task, entry);
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        return move_step(replay, task, entry, err);
    return move_fenced(replay, task, entry);
}

/* Workers. One that was lost may come back under its number, and be closed after it was lost. */
static int move_worker(sw__replay *replay, const sw_audit_entry *entry, sw_error *err)
{
    int64_t open = entry->kind == SW_AUDIT_WORKER_OPENED;
    const int64_t *known = sw__map_find(&replay->workers, entry->worker_id);
    if (entry->worker_id == 0 || (!known && !open))
        return sw__doubt_raise(&replay->doubt, entry->entry_no, entry->entry_no,
                               "entry %lld says that worker %lld has left, which was never opened",
                               (long long)entry->entry_no, (long long)entry->worker_id);
    replay->worker_count += open - (known ? *known : 0);
    if (sw__map_put(&replay->workers, entry->worker_id, open) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

static int move_workflow(sw__replay *replay, const sw_audit_entry *entry)
{
    if (entry->digest.ptr)
        return SW_OK;
    return sw__doubt_raise(&replay->doubt, entry->entry_no, entry->entry_no,
                           "entry %lld registers a definition without its digest",
                           (long long)entry->entry_no);
}

int sw__replay_move(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                    sw_error *err)
{
    if (entry->time_us != replay->time_us || replay->time_entry_no == 0) {
        replay->time_us = entry->time_us;
        replay->time_entry_no = entry->entry_no;
    }
    switch (entry->kind) {
    case SW_AUDIT_TASK_SUBMITTED:
    case SW_AUDIT_TASK_CHANGED:
    case SW_AUDIT_STEP_CHANGED:
    case SW_AUDIT_STEP_FENCED:
    case SW_AUDIT_TASK_PRUNED:
    case SW_AUDIT_TASK_ERASED:
    case SW_AUDIT_EVENT:
        return move_of_task(replay, task, entry, err);
    case SW_AUDIT_WORKFLOW_REGISTERED:
        return move_workflow(replay, entry);
    case SW_AUDIT_BREAKER_CHANGED:
        return sw__replay_breaker_changed(replay, entry, err);
    default:
        return move_worker(replay, entry, err);
    }
}
