/* What a worker does with the steps that it holds: their handlers, renewals and heartbeats; see
 * worker.h. */
#include "sim/worker.h"

#include <string.h>

/* Handlers. */

static bool worker_is_deadly(const actor *self, const sw_step_claim *claim)
{
    const ledger *l = actor_ledger(self);
    int shape = claim->workflow.ptr[1] - '0';
    int version = claim->version.ptr[0] - '1';
    return l->shapes[shape][version].steps[ledger_step_index(claim->name)].deadly;
}

/* What gives heartbeats hangs more often: nothing else keeps an attempt alive that hangs. */
static fate worker_draw_fate(const actor *self, const sw_step_claim *claim)
{
    uint32_t each[] = {
#define FATE_WEIGHT(name, weight) weight,
        FATE_MAP(FATE_WEIGHT)
#undef FATE_WEIGHT
    };
    uint32_t may = self->world->healed ? 0 : actor_ledger(self)->fates;
    each[FATE_HANG - 1] *= claim->heartbeat_ms ? 4 : 1;
    choice_weights weights = choice_weights_of(each, FATE_COUNT);
    return (fate)choice_weigh(&self->world->choice, CHOICE_FATE, &weights, may);
}

/* Of all handlers of a delivery, when what they need is not there, say. */
static fate worker_draw_common(const actor *self, size_t count)
{
    static const uint32_t each[FATE_COUNT] = {
        [FATE_SLOW - 1] = 3000, [FATE_FAIL - 1] = 3000, [FATE_FAIL_FOR_GOOD - 1] = 8000};
    uint32_t may = self->world->healed ? 0 : actor_ledger(self)->fates;
    choice_weights weights = choice_weights_of(each, FATE_COUNT);
    return count > 1 ? (fate)choice_weigh(&self->world->choice, CHOICE_FATE, &weights, may)
                     : FATE_NONE;
}

/* Some handlers say nothing, whatever is asked of them. */
static void worker_plan_beats(actor *self, worker_hold *hold, int64_t heartbeat_ms)
{
    choice *c = &self->world->choice;
    hold->heartbeat_us = heartbeat_ms * 1000;
    hold->beat_due_us = INT64_MAX;
    if (heartbeat_ms && !choice_once_in(c, CHOICE_DETAIL, 3))
        hold->beat_due_us = self->world->now_us + hold->heartbeat_us / 3;
}

/* How long a handler takes that hangs. Where nothing but the lease would end it, it comes back. */
static int64_t worker_hang_us(const worker_hold *hold, int64_t timeout_ms, int64_t lease_us)
{
    if (hold->beat_due_us != INT64_MAX && !timeout_ms)
        return hold->heartbeat_us * 4;
    return timeout_ms || hold->heartbeat_us ? WORKER_FOR_EVER_MS * INT64_C(1000) : lease_us * 3 / 2;
}

/* What the handler will report, and when. */
static void worker_plan(actor *self, worker_hold *hold, fate drawn, int64_t timeout_ms)
{
    choice *c = &self->world->choice;
    int64_t now_us = self->world->now_us;
    int64_t lease_us = actor_ledger(self)->lease_ms * 1000;
    hold->due_us = now_us;
    if (drawn == FATE_SLOW)
        hold->due_us = now_us + 20000;
    else if (drawn == FATE_SLOWER)
        hold->due_us = now_us + 150000;
    else if (drawn == FATE_HANG)
        hold->due_us = now_us + worker_hang_us(hold, timeout_ms, lease_us);
    if (drawn == FATE_FAIL || drawn == FATE_FAIL_AND_WAIT) {
        hold->row.outcome = SW_OUTCOME_FAILED;
        hold->row.error_class = LIT("Sim::Error");
        hold->row.error_message = LIT("drawn");
        hold->row.retry_after_ms =
            drawn == FATE_FAIL ? 0 : 30 + 30 * choice_draw(c, CHOICE_DETAIL, 8);
    } else if (drawn == FATE_FAIL_FOR_GOOD) {
        hold->row.outcome = SW_OUTCOME_FAILED_FOR_GOOD;
        hold->row.error_class = LIT("Sim::Fatal");
    } else if (drawn == FATE_RELEASE) {
        hold->row.outcome = SW_OUTCOME_RELEASED;
        hold->due_us = now_us + 30000 * (int64_t)choice_draw(c, CHOICE_DETAIL, 4);
    }
}

static void worker_handle_one(worker_state *state, const sw_step_claim *claim, fate common,
                              int64_t safe_until_us)
{
    actor *self = state->self;
    worker_hold *hold = &state->held[state->count++];
    fate drawn = common ? common : worker_draw_fate(self, claim);
    *hold = (worker_hold){
        .base = {claim->step_id, claim->epoch, safe_until_us, false},
        .row = {.step_id = claim->step_id, .epoch = claim->epoch},
    };
    world_note(self->world, "claims %.*s of %.*s, step %lld epoch %lld", (int)claim->name.len,
               claim->name.ptr, (int)claim->workflow.len, claim->workflow.ptr,
               (long long)claim->step_id, (long long)claim->epoch);
    worker_plan_beats(self, hold, claim->heartbeat_ms);
    worker_plan(self, hold, drawn, claim->timeout_ms);
    if (drawn == FATE_DIE || worker_is_deadly(self, claim))
        world_die(self->world);
    if (drawn == FATE_PAUSE)
        world_sleep(self->world, actor_ledger(self)->lease_ms * 1000 *
                                     (1 + choice_draw(&self->world->choice, CHOICE_DETAIL, 4)));
}

void worker_handle(worker_state *state, const sw_step_claim *claims, size_t count,
                   int64_t safe_until_us)
{
    fate common = worker_draw_common(state->self, count);
    for (size_t i = 0; i < count; i++)
        worker_handle_one(state, &claims[i], common, safe_until_us);
}

void worker_forget(worker_state *state, size_t index)
{
    memmove(&state->held[index], &state->held[index + 1],
            (--state->count - index) * sizeof state->held[0]);
}

int64_t worker_due_us(const worker_hold *hold)
{
    return hold->beat_due_us < hold->due_us ? hold->beat_due_us : hold->due_us;
}

/* Renewals. */

static bool worker_lists(const sw_step_hold *lost, size_t count, const ledger_hold *hold)
{
    for (size_t i = 0; i < count; i++) {
        if (lost[i].step_id == hold->step_id && lost[i].epoch == hold->epoch)
            return true;
    }
    return false;
}

/* A worker that hears that a step is lost stops its handler, mostly. */
static void worker_take_lost(worker_state *state, const sw_result *result, const bool *cancelled,
                             int64_t safe_until_us)
{
    size_t count = 0;
    ledger *l = actor_ledger(state->self);
    const sw_step_hold *lost = sw_step_holds(result, &count);
    for (size_t i = state->count; i > 0; i--) {
        ledger_hold *hold = &state->held[i - 1].base;
        bool gone = worker_lists(lost, count, hold);
        ledger_renewed(l, hold, gone, cancelled[i - 1]);
        ledger_promise(l, hold, safe_until_us);
        hold->lost = hold->lost || gone;
        if (gone && !choice_once_in(&state->self->world->choice, CHOICE_DETAIL, 3))
            worker_forget(state, i - 1);
    }
}

void worker_renew(worker_state *state)
{
    sw_error error;
    sw_result *result = NULL;
    actor *self = state->self;
    const ledger *l = actor_ledger(self);
    bool cancelled[WORKER_HELD_MAX];
    sw_step_hold holds[WORKER_HELD_MAX];
    for (size_t i = 0; i < state->count; i++) {
        const ledger_hold *hold = &state->held[i].base;
        const ledger_claim *claim = ledger_find(l, hold->step_id, hold->epoch);
        int index = ledger_find_task(l, &claim->task_id);
        cancelled[i] =
            index >= 0 && l->tasks[index].cancel_acknowledged && !l->tasks[index].operated;
        holds[i] = (sw_step_hold){hold->step_id, hold->epoch};
    }
    actor_arm_memory(self);
    int64_t asked_us = self->world->now_us;
    int rc = sw_worker_renew(self->engine, &state->ref, holds, state->count, &result, &error);
    if (rc < 0) {
        actor_bear(self, &state->errors, rc, &error);
        return;
    }
    state->errors = 0;
    ledger_check_clock(actor_ledger(self), self->engine, 0);
    worker_take_lost(state, result, cancelled, asked_us + l->lease_ms * 1000);
    sw_result_free(result);
}

/* Heartbeats. */

/* The attempts that have to say something now. */
static size_t worker_gather_beats(worker_state *state, sw_step_hold *rows, ledger_hold **holds)
{
    size_t count = 0;
    const ledger *l = actor_ledger(state->self);
    int64_t now_us = state->self->world->now_us;
    for (size_t i = 0; i < state->count; i++) {
        worker_hold *hold = &state->held[i];
        if (hold->beat_due_us > now_us)
            continue;
        hold->beat_due_us = now_us + hold->heartbeat_us / 3;
        ledger_find(l, hold->base.step_id, hold->base.epoch)->beaten = true;
        rows[count] = (sw_step_hold){hold->base.step_id, hold->base.epoch};
        holds[count++] = &hold->base;
    }
    return count;
}

/* A handler that hears that its attempt counts no longer ends, mostly. */
static void worker_forget_fenced(worker_state *state)
{
    for (size_t i = state->count; i > 0; i--) {
        worker_hold *hold = &state->held[i - 1];
        if (!hold->base.lost || hold->beat_due_us == INT64_MAX)
            continue;
        if (choice_once_in(&state->self->world->choice, CHOICE_DETAIL, 3))
            hold->due_us = state->self->world->now_us;
        else
            worker_forget(state, i - 1);
    }
}

void worker_beat(worker_state *state)
{
    sw_error error;
    sw_result *result = NULL;
    actor *self = state->self;
    ledger *l = actor_ledger(self);
    sw_step_hold rows[WORKER_HELD_MAX];
    ledger_hold *holds[WORKER_HELD_MAX];
    size_t answers = 0;
    size_t count = worker_gather_beats(state, rows, holds);
    if (count == 0)
        return;
    actor_arm_memory(self);
    int64_t asked_us = self->world->now_us;
    int rc = sw_step_heartbeat(self->engine, rows, count, &result, &error);
    if (rc < 0) {
        actor_bear(self, &state->errors, rc, &error);
        return;
    }
    state->errors = 0;
    ledger_check_clock(l, self->engine, 0);
    const sw_step_applied *applied = sw_step_applications(result, &answers);
    for (size_t i = 0; i < answers; i++) {
        world_note(self->world, "heartbeat of step %lld epoch %lld: %s", (long long)rows[i].step_id,
                   (long long)rows[i].epoch, sw_row_status_name(applied[i].status));
        ledger_beaten(l, holds[i], asked_us, &applied[i]);
        holds[i]->lost = holds[i]->lost || applied[i].status == SW_ROW_FENCED;
    }
    sw_result_free(result);
    worker_forget_fenced(state);
}
