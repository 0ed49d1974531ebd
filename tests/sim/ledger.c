/* What was acknowledged, and what follows from it; see ledger.h. */
#include "sim/ledger.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "sim/wrap.h"

void ledger_init(ledger *l, world *w)
{
    memset(l, 0, sizeof *l);
    l->world = w;
    process_init(&l->harness, w);
    process_init(&l->oracle, w);
    heap_choose(&l->oracle.heap);
    disk_init(&l->disk, w);
}

void ledger_free(ledger *l)
{
    heap_drop(&l->harness.heap);
    heap_drop(&l->oracle.heap);
    disk_free(&l->disk);
    free(l->claims);
}

void ledger_ended(const ledger *l, ledger_task *task)
{
    if (task->operated)
        return;
    if (!task->ended)
        task->ended_us = l->world->now_us;
    task->ended = true;
}

bool ledger_in_time(const ledger *l)
{
    return !l->world->has_bell || l->world->rings_lost == 0;
}

bool ledger_all_known(const ledger *l)
{
    for (int i = 0; i < l->task_count; i++) {
        if (!l->tasks[i].ended)
            return false;
    }
    return true;
}

/* Names and results. */

int ledger_step_index(sw_str name)
{
    return name.len == 1 && name.ptr[0] >= 'a' && name.ptr[0] < 'a' + LEDGER_STEPS
               ? name.ptr[0] - 'a'
               : -1;
}

sw_str ledger_result(char text[64], int64_t step_id, int64_t epoch)
{
    int size =
        snprintf(text, 64, "{\"step\":%lld,\"epoch\":%lld}", (long long)step_id, (long long)epoch);
    return (sw_str){text, (size_t)size};
}

bool ledger_result_read(sw_str text, int64_t *step_id, int64_t *epoch)
{
    char copy[64];
    long long step = 0;
    long long number = 0;
    int end = 0;
    if (!text.ptr || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (sscanf(copy, "{\"step\":%lld,\"epoch\":%lld}%n", &step, &number, &end) != 2 ||
        (size_t)end != text.len)
        return false;
    *step_id = step;
    *epoch = number;
    return true;
}

int64_t ledger_succeeded(const ledger *l, const sw_uuid *task_id)
{
    int64_t count = 0;
    for (size_t i = 0; i < l->claim_count; i++)
        count += l->claims[i].succeeded > 0 &&
                 memcmp(&l->claims[i].task_id, task_id, sizeof *task_id) == 0;
    return count;
}

const ledger_shape *ledger_shape_of(const ledger *l, const ledger_task *task)
{
    return &l->shapes[task->shape][task->versions >> 1 & 1];
}

int ledger_parent(int task)
{
    return task % 3 == 0 ? -1 : task / 3;
}

bool ledger_has_parent(const sw_uuid *parent_id)
{
    static const sw_uuid none;
    return memcmp(parent_id, &none, sizeof none) != 0;
}

int ledger_find_task(const ledger *l, const sw_uuid *id)
{
    for (int i = 0; i < l->task_count; i++) {
        if (l->tasks[i].acknowledged && memcmp(&l->tasks[i].id, id, sizeof *id) == 0)
            return i;
    }
    return -1;
}

ledger_claim *ledger_find(const ledger *l, int64_t step_id, int64_t epoch)
{
    for (size_t i = l->claim_count; i > 0; i--) {
        if (l->claims[i - 1].step_id == step_id && l->claims[i - 1].epoch == epoch)
            return &l->claims[i - 1];
    }
    return NULL;
}

/* Codes. */

void ledger_check_code(ledger *l, int code, const sw_error *error)
{
    switch (code) {
    case SW_EBUSY:
    case SW_EIO:
    case SW_EFULL:
    case SW_ENOMEM:
    case SW_EPOISONED:
    case SW_ETIMEOUT:
        return;
    default:
        world_violate(l->world, "O8", "a call answers %s, which no fault explains: %s",
                      sw_code_name(code), error->message);
    }
}

/* The clock. */

/* What a transaction of another thread is about to change is not known yet. */
void ledger_check_clock(ledger *l, sw_engine *engine, int64_t logged_us)
{
    world *w = l->world;
    if (!engine->anchored || wrap_is_locked(&engine->lock))
        return;
    int64_t offset_us = engine->anchor.base_us - engine->anchor.boot_us - w->boot_started_us;
    if (l->clock_boots == w->boots && offset_us != l->clock_offset_us)
        world_violate(w, "CLOCK", "two processes differ by %lld us about the store's time",
                      (long long)(offset_us - l->clock_offset_us));
    if (w->now_us + offset_us < l->clock_last_us)
        world_violate(w, "CLOCK", "the store's time goes back by %lld us",
                      (long long)(l->clock_last_us - w->now_us - offset_us));
    l->clock_boots = w->boots;
    l->clock_offset_us = offset_us;
    if (logged_us > 0)
        l->clock_last_us = logged_us + offset_us;
}

/* Workers. */

void ledger_opened(ledger *l, int64_t worker_id)
{
    uint64_t bit = worker_id < 64 ? UINT64_C(1) << worker_id : 0;
    if (l->worker_ids & bit)
        world_violate(l->world, "O3", "worker %lld was opened twice", (long long)worker_id);
    l->worker_ids |= bit;
    if (worker_id > l->worker_ids_max)
        l->worker_ids_max = worker_id;
}

/* Claims. */

static ledger_claim *ledger_add(ledger *l, const sw_step_claim *claim)
{
    if (l->claim_count == l->claim_capacity) {
        l->claim_capacity = l->claim_capacity ? l->claim_capacity * 2 : 256;
        l->claims = realloc(l->claims, l->claim_capacity * sizeof *l->claims);
        if (!l->claims)
            abort();
    }
    ledger_claim *added = &l->claims[l->claim_count++];
    *added = (ledger_claim){
        .step_id = claim->step_id,
        .epoch = claim->epoch,
        .task_id = claim->task_id,
        .step = ledger_step_index(claim->name),
        .attempt = claim->attempt,
    };
    return added;
}

/* What it was given is kept, and held against the history later. */
static void ledger_add_inputs(ledger *l, ledger_claim *added, const sw_step_claim *claim)
{
    for (size_t i = 0; i < claim->input_count; i++) {
        const sw_step_input *input = &claim->inputs[i];
        int64_t step_id = 0;
        int64_t epoch = 0;
        int from = ledger_step_index(input->name);
        if (from < 0) {
            world_violate(l->world, "O8", "step %lld has an input without a name",
                          (long long)claim->step_id);
            continue;
        }
        added->inputs |= 1u << from;
        added->input_states[from] = input->state;
        if (ledger_result_read(input->result, &step_id, &epoch))
            added->input_epochs[from] = epoch;
    }
}

/* Deliveries may come late, after somebody else took over; but one epoch has one holder. */
static void ledger_check_claim(ledger *l, const actor *worker, const ledger_claim *added,
                               const sw_step_claim *claim)
{
    int index = ledger_find_task(l, &claim->task_id);
    const ledger_task *task = index < 0 ? NULL : &l->tasks[index];
    const ledger_crew *crew = &l->crew[worker->number];
    bool slow = claim->queue.len == 4;
    int shape = claim->workflow.len == 2 ? claim->workflow.ptr[1] - '0' : 0;
    if (added->step < 0 || !(crew->steps[shape] >> added->step & 1) ||
        (slow && crew->default_queue_only))
        world_violate(l->world, "O8", "a worker is given the step %.*s, which it does not handle",
                      (int)claim->name.len, claim->name.ptr);
    if (task && (claim->input.len != strlen(task->input) ||
                 memcmp(claim->input.ptr, task->input, claim->input.len) != 0))
        world_violate(l->world, "O8", "a step is given another input than its task's");
}

void ledger_claimed(ledger *l, const actor *worker, const ledger_call *call,
                    const sw_step_claim *claim)
{
    if (ledger_find(l, claim->step_id, claim->epoch))
        world_violate(l->world, "O3", "epoch %lld of step %lld was handed out twice",
                      (long long)claim->epoch, (long long)claim->step_id);
    ledger_claim *added = ledger_add(l, claim);
    added->worker_id = call->worker_id;
    added->asked_us = call->asked_us;
    added->waiting_us = call->waiting_us;
    added->claimed_us = l->world->now_us;
    added->boots = l->world->boots;
    ledger_add_inputs(l, added, claim);
    ledger_check_claim(l, worker, added, claim);
}

static int ledger_priority(const ledger *l, const sw_step_claim *claim)
{
    int index = ledger_find_task(l, &claim->task_id);
    int shape = claim->workflow.ptr[1] - '0';
    int version = claim->version.ptr[0] - '1';
    const ledger_step *step = &l->shapes[shape][version].steps[ledger_step_index(claim->name)];
    return index < 0 ? INT_MIN : l->tasks[index].priority + step->priority;
}

void ledger_check_order(const ledger *l, const sw_step_claim *claims, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int before = ledger_priority(l, &claims[i - 1]);
        int after = ledger_priority(l, &claims[i]);
        bool known = before != INT_MIN && after != INT_MIN;
        if (known &&
            (before < after || (before == after && claims[i - 1].step_id > claims[i].step_id)))
            world_violate(l->world, "O8", "a step is claimed before one that is more urgent");
    }
}

/* Reports. */

int64_t ledger_last_word(const ledger_claim *claim)
{
    return claim->beat_us > claim->asked_us ? claim->beat_us : claim->asked_us;
}

/* Whether the step may have run out of time, or been silent; of a task whose version is not sure,
 * in any. Deadlines may pass at any time: the history knows when they began (replay.c). */
static bool ledger_may_time_out(const ledger *l, const ledger_claim *claim, const ledger_task *task)
{
    for (int version = 0; version <= l->two_versions; version++) {
        const ledger_shape *shape = &l->shapes[task->shape][version];
        int64_t timeout_ms = shape->steps[claim->step].timeout_ms;
        if (task->deadline_ms || shape->deadline_ms || shape->steps[claim->step].deadline_ms)
            return true;
        if (timeout_ms && claim->asked_us + timeout_ms * 1000 <= l->world->now_us)
            return true;
        int64_t silent_ms = shape->steps[claim->step].heartbeat_ms;
        if (silent_ms && ledger_last_word(claim) + silent_ms * 1000 <= l->world->now_us)
            return true;
    }
    return false;
}

/* Whether this attempt may be over by now: it was reported before, somebody cancelled its task, it
 * ran out of time, or its worker's lease may have ended. */
static bool ledger_may_be_over(const ledger *l, const ledger_hold *hold, const ledger_claim *claim)
{
    int index = ledger_find_task(l, &claim->task_id);
    return claim->reported || index < 0 || l->tasks[index].cancel_asked ||
           l->tasks[index].operated || l->world->now_us > hold->safe_until_us ||
           ledger_may_time_out(l, claim, &l->tasks[index]);
}

static void ledger_check_fenced(const ledger *l, const ledger_hold *hold, const ledger_claim *claim,
                                const sw_step_applied *applied)
{
    if (!hold || ledger_may_be_over(l, hold, claim))
        return;
    world_violate(l->world, "O11",
                  "epoch %lld of step %lld was taken from its worker %lld ms before its lease "
                  "could end; the step is %s",
                  (long long)claim->epoch, (long long)claim->step_id,
                  (long long)(hold->safe_until_us - l->world->now_us) / 1000,
                  sw_step_state_name(applied->state));
}

static void ledger_check_applied(const ledger *l, const ledger_hold *hold,
                                 const sw_step_outcome *row, const sw_step_applied *applied)
{
    bool succeeded = row->outcome == SW_OUTCOME_SUCCEEDED;
    if (succeeded != (applied->state == SW_STEP_SUCCEEDED) ||
        (succeeded && applied->epoch != row->epoch))
        world_violate(l->world, "O1", "step %lld was reported as %s, but the answer says %s",
                      (long long)row->step_id, sw_outcome_name(row->outcome),
                      sw_step_state_name(applied->state));
    if (hold && hold->lost)
        world_violate(l->world, "O11", "step %lld was said to be lost, and then its report counted",
                      (long long)row->step_id);
}

void ledger_sent(ledger *l, const sw_step_outcome *row)
{
    ledger_claim *claim = ledger_find(l, row->step_id, row->epoch);
    if (!claim->sent)
        claim->sent_us = l->world->now_us;
    claim->sent = true;
    claim->outcome = row->outcome;
    claim->retry_after_ms = row->retry_after_ms;
}

void ledger_doubted(ledger *l, const sw_step_outcome *row)
{
    ledger_find(l, row->step_id, row->epoch)->reported = true;
}

void ledger_answered(ledger *l, const ledger_hold *hold, const sw_step_outcome *row,
                     const sw_step_applied *applied)
{
    ledger_claim *claim = ledger_find(l, row->step_id, row->epoch);
    if (applied->step_id != row->step_id)
        world_violate(l->world, "O8", "the answer to a report of step %lld is about step %lld",
                      (long long)row->step_id, (long long)applied->step_id);
    if (applied->status == SW_ROW_FENCED) {
        l->fenced++;
        ledger_check_fenced(l, hold, claim, applied);
    } else {
        if (claim->applied)
            world_violate(l->world, "O3", "epoch %lld of step %lld was ended twice",
                          (long long)row->epoch, (long long)row->step_id);
        ledger_check_applied(l, hold, row, applied);
        if (row->outcome == SW_OUTCOME_SUCCEEDED)
            claim->succeeded = ++l->acknowledged;
        claim->applied = true;
    }
    claim->reported = true;
}

/* When exactly it was committed is not known, but not before it was sent. */
void ledger_beaten(ledger *l, const ledger_hold *hold, int64_t asked_us,
                   const sw_step_applied *applied)
{
    ledger_claim *claim = ledger_find(l, hold->step_id, hold->epoch);
    if (applied->step_id != hold->step_id)
        world_violate(l->world, "O8", "the answer to a heartbeat of step %lld is about step %lld",
                      (long long)hold->step_id, (long long)applied->step_id);
    if (applied->status == SW_ROW_FENCED) {
        ledger_check_fenced(l, hold, claim, applied);
        return;
    }
    if (claim->applied || hold->lost)
        world_violate(l->world, "O11", "a heartbeat of step %lld counts after its attempt was over",
                      (long long)hold->step_id);
    if (applied->state != SW_STEP_RUNNING || applied->epoch != hold->epoch)
        world_violate(l->world, "O11", "a heartbeat of step %lld counts, and the step is %s",
                      (long long)hold->step_id, sw_step_state_name(applied->state));
    claim->beat_us = asked_us;
    if (l->clock_boots == l->world->boots)
        claim->beat_store_us = asked_us + l->clock_offset_us;
}

void ledger_renewed(ledger *l, const ledger_hold *hold, bool lost, bool was_cancelled)
{
    const ledger_claim *claim = ledger_find(l, hold->step_id, hold->epoch);
    if (!lost && was_cancelled)
        world_violate(l->world, "O11", "a renewal does not tell of a step that was cancelled");
    if (lost && !ledger_may_be_over(l, hold, claim))
        world_violate(l->world, "O11", "a renewal gives a step up that nobody took");
}

void ledger_promise(const ledger *l, ledger_hold *hold, int64_t until_us)
{
    /* Between two promises somebody may have taken the step. */
    hold->safe_until_us = l->world->now_us <= hold->safe_until_us ? until_us : 0;
}
