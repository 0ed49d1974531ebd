/* Workers: open, claim, report, close and open again. Not here: what they do with the steps that
 * they hold meanwhile (worker_hold.c). */
#include <stdio.h>

#include "sim/probe.h"
#include "sim/worker.h"

#define WORKER_ROWS_MAX (WORKER_HELD_MAX + 1)

/* The rows of one exchange. */
typedef struct worker_report {
    sw_step_outcome rows[WORKER_ROWS_MAX];
    char results[WORKER_ROWS_MAX][64];
    const worker_hold *holds[WORKER_ROWS_MAX]; /* NULL: the row is there a second time */
    size_t count;
} worker_report;

/* Opening and closing. */

static int worker_open_once(worker_state *state, sw_error *error)
{
    actor *self = state->self;
    const ledger *l = actor_ledger(self);
    const ledger_crew *crew = &l->crew[self->number];
    char names[LEDGER_SHAPES * LEDGER_STEPS][8];
    sw_str handlers[LEDGER_SHAPES * LEDGER_STEPS];
    const sw_str queue = LIT("default");
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    for (int shape = 0; shape < LEDGER_SHAPES; shape++) {
        for (int step = 0; step < LEDGER_STEPS; step++) {
            if (!(crew->steps[shape] >> step & 1))
                continue;
            snprintf(names[options.handler_count], 8, "w%d.%c", shape, 'a' + step);
            handlers[options.handler_count] = actor_str(names[options.handler_count]);
            options.handler_count++;
        }
    }
    options.name = actor_str(self->role);
    options.handlers = handlers;
    options.queues = crew->default_queue_only ? &queue : NULL;
    options.queue_count = crew->default_queue_only;
    options.lease_ms = l->lease_ms;
    return sw_worker_open(self->engine, &options, &state->ref, error);
}

static void worker_open(worker_state *state)
{
    sw_error error;
    for (;;) {
        actor_arm_memory(state->self);
        int rc = worker_open_once(state, &error);
        if (rc == 0)
            break;
        actor_bear(state->self, &state->errors, rc, &error);
    }
    state->errors = 0;
    state->count = 0;
    ledger_opened(actor_ledger(state->self), state->ref.worker_id);
}

/* What it holds goes back into the line. */
static void worker_close(worker_state *state)
{
    sw_error error;
    for (;;) {
        actor_arm_memory(state->self);
        int rc = sw_worker_close(state->self->engine, &state->ref, &error);
        if (rc == 0)
            break;
        probe_hit(SIM_CLOSE_FAILED);
        actor_bear(state->self, &state->errors, rc, &error);
    }
    state->errors = 0;
    state->count = 0;
}

/* Exchanges. */

static void worker_gather(const worker_state *state, worker_report *report)
{
    actor *self = state->self;
    report->count = 0;
    for (size_t i = 0; i < state->count; i++) {
        if (state->held[i].due_us > self->world->now_us)
            continue;
        sw_step_outcome *row = &report->rows[report->count];
        *row = state->held[i].row;
        if (row->outcome == SW_OUTCOME_SUCCEEDED)
            row->result = ledger_result(report->results[report->count], row->step_id, row->epoch);
        ledger_sent(actor_ledger(self), row);
        report->holds[report->count++] = &state->held[i];
    }
    /* The same thing twice in one call. */
    if (report->count > 0 && choice_once_in(&self->world->choice, CHOICE_DETAIL, 12)) {
        report->holds[report->count] = NULL;
        report->rows[report->count++] = report->rows[0];
    }
}

/* How long to wait for work; 0 when there is something to say, or something due. */
static int64_t worker_wait_ms(const worker_state *state, const worker_report *report)
{
    static const int64_t waits[] = {0, 50, WORKER_FOR_EVER_MS, WORKER_FOR_EVER_MS};
    const actor *self = state->self;
    int64_t wait_ms = waits[choice_draw(&self->world->choice, CHOICE_DETAIL, 4)];
    for (size_t i = 0; i < state->count; i++) {
        int64_t left_ms = (worker_due_us(&state->held[i]) - self->world->now_us) / 1000;
        if (left_ms < wait_ms)
            wait_ms = left_ms > 0 ? left_ms : 0;
    }
    return report->count || actor_ledger(self)->stop ? 0 : wait_ms;
}

static void worker_note_report(const actor *self, const sw_step_outcome *row,
                               const sw_step_applied *applied)
{
    world_note(self->world, "reports step %lld epoch %lld %s: %s, %s", (long long)row->step_id,
               (long long)row->epoch, sw_outcome_name(row->outcome),
               sw_row_status_name(applied->status), sw_step_state_name(applied->state));
}

static void worker_take_answers(worker_state *state, const worker_report *report,
                                const sw_result *result)
{
    size_t count = 0;
    const sw_step_applied *applied = sw_step_applications(result, &count);
    for (size_t i = 0; i < count; i++) {
        const worker_hold *hold = report->holds[i];
        worker_note_report(state->self, &report->rows[i], &applied[i]);
        if (hold && hold->base.lost)
            probe_hit(SIM_LATE_REPORT);
        ledger_answered(actor_ledger(state->self), hold ? &hold->base : NULL, &report->rows[i],
                        &applied[i]);
    }
    for (size_t i = report->count; i > 0; i--) {
        if (report->holds[i - 1])
            worker_forget(state, (size_t)(report->holds[i - 1] - state->held));
    }
}

static void worker_take_finished(const worker_state *state, const sw_result *result)
{
    size_t count = 0;
    ledger *l = actor_ledger(state->self);
    const sw_task_finished *finished = sw_tasks_finished(result, &count);
    for (size_t i = 0; i < count; i++) {
        int index = ledger_find_task(l, &finished[i].task_id);
        if (index >= 0)
            ledger_ended(l, &l->tasks[index]);
    }
}

static void worker_take_claims(worker_state *state, const sw_result *result,
                               const ledger_call *call)
{
    size_t count = 0;
    ledger *l = actor_ledger(state->self);
    int64_t safe_until_us = call->asked_us + l->lease_ms * 1000 * 2 / 3;
    const sw_step_claim *claims = sw_step_claims(result, &count);
    ledger_check_order(l, claims, count);
    for (size_t i = 0; i < count; i++)
        ledger_claimed(l, state->self, call, &claims[i]);
    for (size_t i = 0; i < state->count; i++)
        ledger_promise(l, &state->held[i].base, safe_until_us);
    worker_handle(state, claims, count, safe_until_us);
}

/* An answer that was lost or not believed: the same report again, to whoever serves now. */
static void worker_repeat(worker_state *state, const worker_report *report)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    if (report->count == 0 || !choice_once_in(&state->self->world->choice, CHOICE_DETAIL, 8))
        return;
    actor_arm_memory(state->self);
    int rc = sw_step_update_batch(state->self->engine, report->rows, 1, &result, &error);
    if (rc == 0)
        ledger_answered(actor_ledger(state->self), NULL, &report->rows[0],
                        sw_step_applications(result, &count));
    sw_result_free(result);
    if (rc < 0)
        actor_bear(state->self, &state->errors, rc, &error);
}

/* Only what was written for good lets the clock go on from there after a restart. */
static void worker_check_clock(const worker_state *state, const sw_result *result, int64_t asked_us)
{
    size_t answers = 0;
    size_t claims = 0;
    sw_step_applications(result, &answers);
    sw_step_claims(result, &claims);
    ledger_check_clock(actor_ledger(state->self), state->self->engine,
                       answers + claims > 0 ? asked_us : 0);
}

/* What an exchange promises about the lease is what the store says. */
static void worker_check_lease(worker_state *state, int64_t asked_us)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    actor *self = state->self;
    const ledger *l = actor_ledger(self);
    int64_t until_us = asked_us + l->lease_ms * 1000 * 2 / 3;
    int64_t stored_us = 0;
    if (!choice_once_in(&self->world->choice, CHOICE_DETAIL, 12))
        return;
    /* Nobody has read the clock of this boot yet, because others held the lock. */
    if (l->clock_boots != self->world->boots)
        return;
    int rc = sw_worker_list(self->engine, &result, &error);
    const sw_worker_row *rows = sw_workers(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].worker_id == state->ref.worker_id)
            stored_us = rows[i].lease_until_us - l->clock_offset_us;
    }
    sw_result_free(result);
    if (rc < 0)
        actor_bear(self, &state->errors, rc, &error);
    else if (self->world->now_us <= until_us && stored_us < until_us)
        world_violate(self->world, "O11", "worker %lld is promised a lease that is not stored",
                      (long long)state->ref.worker_id);
}

static void worker_exchange(worker_state *state)
{
    sw_error error;
    worker_report report;
    sw_result *result = NULL;
    actor *self = state->self;
    ledger *l = actor_ledger(self);
    size_t room = WORKER_HELD_MAX - state->count;
    worker_gather(state, &report);
    size_t most = room ? 1 + choice_draw(&self->world->choice, CHOICE_DETAIL, (uint32_t)room) : 0;
    int64_t wait_ms = room ? worker_wait_ms(state, &report) : 0;
    actor_arm_memory(self);
    ledger_call call = {state->ref.worker_id, self->world->now_us, 0};
    int rc = sw_step_exchange(self->engine, &state->ref, report.rows, report.count,
                              l->stop ? 0 : most, wait_ms, &result, &error);
    if (rc < 0) {
        for (size_t i = 0; i < report.count; i++)
            ledger_doubted(l, &report.rows[i]);
        actor_bear(self, &state->errors, rc, &error);
        return;
    }
    state->errors = 0;
    if (call.asked_us < self->woke_us) {
        call.waiting_us = call.asked_us;
        call.asked_us = self->woke_us;
    }
    l->exchanged_boots = self->world->boots;
    worker_check_clock(state, result, call.asked_us);
    worker_take_answers(state, &report, result);
    worker_take_finished(state, result);
    worker_take_claims(state, result, &call);
    sw_result_free(result);
    worker_check_lease(state, call.asked_us);
    worker_repeat(state, &report);
}

/* The loop. */

/* Until the next handler ends, or a third of the lease is over. */
static void worker_rest(const worker_state *state)
{
    world *w = state->self->world;
    int64_t lease_us = actor_ledger(state->self)->lease_ms * 1000;
    bool careless = choice_once_in(&w->choice, CHOICE_DETAIL, 8);
    int64_t rest_us = careless ? lease_us * 6 / 10 : lease_us / 3;
    if (!careless && rest_us > 40000 && state->count < WORKER_HELD_MAX)
        rest_us = 40000;
    for (size_t i = 0; i < state->count; i++) {
        int64_t left_us = worker_due_us(&state->held[i]) - w->now_us;
        rest_us = left_us < rest_us ? left_us : rest_us;
    }
    world_sleep(w, rest_us > 1000 ? rest_us : 1000);
}

static void worker_reopen(worker_state *state)
{
    actor *self = state->self;
    switch (choice_draw(&self->world->choice, CHOICE_DETAIL, 3)) {
    case 0: /* leaves in good order and comes back */
        worker_close(state);
        break;
    case 1: /* forgets to leave */
        break;
    default: /* its process ends and another one begins */
        actor_close(self);
        actor_open(self);
    }
    worker_open(state);
}

void actor_work(actor *self)
{
    worker_state state = {.self = self};
    choice *c = &self->world->choice;
    actor_open(self);
    if (!actor_ledger(self)->two_versions && choice_once_in(c, CHOICE_DETAIL, 2))
        actor_register(self, 0);
    worker_open(&state);
    while (!actor_ledger(self)->stop) {
        worker_exchange(&state);
        worker_beat(&state);
        if (state.count > 0 && choice_once_in(c, CHOICE_DETAIL, 6))
            worker_renew(&state);
        if (!self->world->healed && choice_once_in(c, CHOICE_FATE, 60))
            worker_reopen(&state);
        worker_rest(&state);
    }
    worker_close(&state);
    actor_close(self);
}
