/* What the simulated processes do: work, submit, cancel, ask.
 *
 * A role never trusts an error: it tries again with the same rows, and after several errors it
 * gives its process up, as a supervisor would.
 */
#include "sim/ledger.h"

#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "store/sqlite.h"

#define ACTOR_ERRORS_MAX 6
#define WORKER_CLAIMS_MAX 5
#define LIT(text) ((sw_str){(text), sizeof(text) - 1})

static ledger *actor_ledger(const actor *self)
{
    return self->world->ledger;
}

static sw_str actor_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

/* An error happened: wait a little, and after too many give the process up. */
static void actor_bear(actor *self, int *errors, int code, const sw_error *error)
{
    world_note(self->world, "%s: %s", sw_code_name(code), error->message);
    if (++*errors > ACTOR_ERRORS_MAX || code == SW_EPOISONED)
        world_die(self->world);
    world_sleep(self->world, 5000 * *errors);
}

/* Memory may run out inside any call. */
static void actor_arm_memory(actor *self)
{
    world_point(self->world, 1u << WORLD_NO_MEMORY, "call");
}

static void actor_rare_settings(actor *self)
{
    sqlite3 *db = ((sw__sqlite *)self->engine->store)->db;
    if (!actor_ledger(self)->rare_settings)
        return;
    sqlite3_exec(db, "PRAGMA cache_size = 1", NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA wal_autocheckpoint = 2", NULL, NULL, NULL);
}

static void actor_open(actor *self)
{
    sw_error error;
    int errors = 0;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = LIT("/sim.db");
    options.env = &self->env;
    options.busy_timeout_ms = 400;
    for (;;) {
        actor_arm_memory(self);
        int rc = sw_engine_open(&options, &self->engine, &error);
        if (rc == 0)
            break;
        actor_bear(self, &errors, rc, &error);
    }
    actor_rare_settings(self);
}

static void actor_close(actor *self)
{
    sw_engine *engine = self->engine;
    self->engine = NULL;
    sw_engine_close(engine);
    if (self->heap.blocks)
        world_violate(self->world, "O10", "%s leaves %zu blocks of memory", self->role,
                      self->heap.blocks);
}

static int actor_register(actor *self, sw_error *error)
{
    sw_workflow *workflows[LEDGER_SHAPES] = {0};
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    int rc = 0;
    options.env = &self->env;
    for (int i = 0; rc == 0 && i < LEDGER_SHAPES; i++)
        rc = sw_workflow_load(&options, actor_str(actor_ledger(self)->shapes[i].text),
                              &workflows[i], NULL, error);
    if (rc == 0)
        rc = sw_workflow_register(self->engine, (const sw_workflow *const *)workflows,
                                  LEDGER_SHAPES, error);
    for (int i = 0; i < LEDGER_SHAPES; i++)
        sw_workflow_free(workflows[i]);
    return rc;
}

/* Workers. */

/* A worker's state between exchanges; on its coroutine's stack, so that it dies with it. */
typedef struct worker_state {
    sw_worker_ref ref;
    sw_step_outcome rows[WORKER_CLAIMS_MAX];
    char results[WORKER_CLAIMS_MAX][64];
    size_t count;
    int errors;
} worker_state;

static int worker_open(actor *self, worker_state *state, sw_error *error)
{
    char names[LEDGER_SHAPES * LEDGER_STEPS][8];
    sw_str handlers[LEDGER_SHAPES * LEDGER_STEPS];
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    for (int i = 0; i < LEDGER_SHAPES * LEDGER_STEPS; i++) {
        snprintf(names[i], sizeof names[i], "w%d.%c", i / LEDGER_STEPS, 'a' + i % LEDGER_STEPS);
        handlers[i] = actor_str(names[i]);
    }
    options.name = actor_str(self->role);
    options.handlers = handlers;
    options.handler_count = LEDGER_SHAPES * LEDGER_STEPS;
    options.lease_ms = actor_ledger(self)->lease_ms;
    return sw_worker_open(self->engine, &options, &state->ref, error);
}

/* The inputs of a claim are what the newest attempts of its dependencies reported. */
static void worker_check_inputs(actor *self, const sw_step_claim *claim)
{
    char expected[64];
    const ledger *l = actor_ledger(self);
    for (size_t i = 0; i < claim->input_count; i++) {
        const sw_step_input *input = &claim->inputs[i];
        int64_t from = claim->step_id;
        bool known = false;
        for (size_t k = 0; k < l->claim_count && input->result.ptr; k++) {
            from = l->claims[k].step_id;
            sw_str text = ledger_result(expected, from, l->claims[k].epoch);
            known = known || (text.len == input->result.len &&
                              memcmp(text.ptr, input->result.ptr, text.len) == 0);
        }
        if (input->state == SW_STEP_SUCCEEDED && !known)
            world_violate(self->world, "O8", "step %lld was given a result that nobody reported",
                          (long long)claim->step_id);
    }
}

/* What a handler does with its step: mostly it succeeds, at once. */
static void worker_handle(actor *self, worker_state *state, size_t index,
                          const sw_step_claim *claim)
{
    choice *c = &self->world->choice;
    ledger *l = actor_ledger(self);
    sw_step_outcome *row = &state->rows[index];
    uint32_t fate = self->world->healed ? 0 : choice_draw(c, 16);
    *row = (sw_step_outcome){.step_id = claim->step_id, .epoch = claim->epoch};
    if (fate == 15) {
        row->outcome = SW_OUTCOME_FAILED_FOR_GOOD;
    } else if (fate >= 12) {
        row->outcome = SW_OUTCOME_FAILED;
        row->error_class = LIT("Sim::Error");
        row->retry_after_ms = choice_draw(c, 2) * 30;
    } else if (fate == 11) {
        row->outcome = SW_OUTCOME_RELEASED;
    } else {
        row->result = ledger_result(state->results[index], claim->step_id, claim->epoch);
    }
    if (fate == 10)
        world_die(self->world);
    if (fate == 9) /* a pause beyond the lease: somebody else takes over */
        world_sleep(self->world, l->lease_ms * 1000 * (1 + choice_draw(c, 4)));
    else if (fate >= 7)
        world_sleep(self->world, 20000);
}

static void worker_take(actor *self, worker_state *state, const sw_result *result)
{
    size_t count = 0;
    size_t answered = 0;
    ledger *l = actor_ledger(self);
    const sw_step_applied *applied = sw_step_applications(result, &answered);
    const sw_step_claim *claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < answered; i++)
        ledger_answered(l, &state->rows[i], &applied[i]);
    for (size_t i = 0; i < count; i++) {
        ledger_claimed(l, self, &claims[i]);
        worker_check_inputs(self, &claims[i]);
    }
    for (size_t i = 0; i < count; i++)
        worker_handle(self, state, i, &claims[i]);
    state->count = count;
}

static void worker_exchange(actor *self, worker_state *state)
{
    sw_error error;
    sw_result *result = NULL;
    choice *c = &self->world->choice;
    size_t claim_max = actor_ledger(self)->stop ? 0 : 1 + choice_draw(c, WORKER_CLAIMS_MAX);
    actor_arm_memory(self);
    int rc = sw_step_exchange(self->engine, &state->ref, state->rows, state->count, claim_max, 0,
                              &result, &error);
    if (rc < 0) {
        actor_bear(self, &state->errors, rc, &error);
        return;
    }
    state->errors = 0;
    worker_take(self, state, result);
    sw_result_free(result);
    /* Saying a thing twice must change nothing. */
    if (state->count > 0 && choice_once_in(c, 8)) {
        sw_result *again = NULL;
        if (sw_step_update_batch(self->engine, state->rows, 1, &again, &error) == 0) {
            size_t count = 0;
            ledger_answered(actor_ledger(self), &state->rows[0],
                            sw_step_applications(again, &count));
        }
        sw_result_free(again);
    }
}

void actor_work(actor *self)
{
    sw_error error;
    worker_state state = {0};
    int rc = 0;
    actor_open(self);
    do {
        actor_arm_memory(self);
        rc = actor_register(self, &error);
        if (rc == 0)
            rc = worker_open(self, &state, &error);
        if (rc < 0)
            actor_bear(self, &state.errors, rc, &error);
    } while (rc < 0);
    while (!actor_ledger(self)->stop || state.count > 0) {
        worker_exchange(self, &state);
        world_sleep(self->world, state.count ? 1000 : 40000);
    }
    while ((rc = sw_worker_close(self->engine, &state.ref, &error)) < 0)
        actor_bear(self, &state.errors, rc, &error);
    actor_close(self);
}

/* Submitters. */

static int submit_one(actor *self, ledger_task *task, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_task_submit_row row = {
        .workflow = actor_str(actor_ledger(self)->shapes[task->shape].name),
        .key = actor_str(task->key),
        .input = LIT("{\"n\":1}"),
        .initiator = LIT("sim"),
    };
    actor_arm_memory(self);
    int rc = sw_task_submit(self->engine, &row, 1, &result, error);
    if (rc == 0) {
        const sw_task_submitted *submitted = sw_task_submissions(result, &count);
        if (task->acknowledged && memcmp(&task->id, &submitted->task_id, sizeof task->id) != 0)
            world_violate(self->world, "O1", "key %s names two tasks", task->key);
        if (task->acknowledged && submitted->created)
            world_violate(self->world, "O1", "the task of key %s was lost", task->key);
        task->id = submitted->task_id;
        task->acknowledged = true;
    }
    sw_result_free(result);
    return rc;
}

void actor_submit(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    actor_open(self);
    for (int rc = -1; rc < 0;) {
        rc = actor_register(self, &error);
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
    }
    for (int i = 0; i < l->task_count;) {
        int rc = submit_one(self, &l->tasks[i], &error);
        if (rc < 0) {
            actor_bear(self, &errors, rc, &error);
            continue;
        }
        errors = 0;
        /* Submitting again must answer the same task. */
        i += choice_once_in(&self->world->choice, 6) ? 0 : 1;
        world_sleep(self->world, 1000 * (int64_t)choice_draw(&self->world->choice, 300));
    }
    actor_close(self);
}

/* Operators. */

static int operate_one(actor *self, ledger_task *task, sw_error *error)
{
    sw_cancel_row row = {.task_id = task->id, .actor = LIT("ann"), .reason = LIT("simulated")};
    task->cancel_asked = true;
    actor_arm_memory(self);
    int rc = sw_task_cancel(self->engine, &row, 1, error);
    task->cancel_acknowledged = task->cancel_acknowledged || rc == 0;
    return rc == SW_ESTATE ? 0 : rc;
}

void actor_operate(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    actor_open(self);
    while (!l->stop && !self->world->healed) {
        world_sleep(self->world, 100000 + 1000 * (int64_t)choice_draw(c, 2000));
        ledger_task *task = &l->tasks[choice_draw(c, (uint32_t)l->task_count)];
        if (!task->acknowledged || !choice_once_in(c, 3))
            continue;
        int rc = operate_one(self, task, &error);
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
    }
    actor_close(self);
}

/* Readers. */

/* What was acknowledged before the question was asked must be in the answer. */
static void ask_check_step(actor *self, const sw_step_row *row, uint64_t asked)
{
    const ledger *l = actor_ledger(self);
    for (size_t i = 0; i < l->claim_count; i++) {
        const ledger_claim *claim = &l->claims[i];
        if (claim->step_id == row->step_id && claim->succeeded && claim->succeeded <= asked &&
            row->state != SW_STEP_SUCCEEDED)
            world_violate(self->world, "O1", "step %lld is %s after its success was acknowledged",
                          (long long)row->step_id, sw_step_state_name(row->state));
    }
}

static int ask_task(actor *self, const ledger_task *task, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    uint64_t asked = actor_ledger(self)->acknowledged;
    int rc = sw_task_get(self->engine, &task->id, &result, error);
    if (rc == SW_ENOTFOUND)
        world_violate(self->world, "O1", "the task of key %s is not found", task->key);
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++)
        ask_check_step(self, &rows[i], asked);
    sw_result_free(result);
    return rc == SW_ENOTFOUND ? 0 : rc;
}

void actor_ask(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    actor_open(self);
    while (!l->stop) {
        world_sleep(self->world, 50000 + 1000 * (int64_t)choice_draw(c, 1000));
        const ledger_task *task = &l->tasks[choice_draw(c, (uint32_t)l->task_count)];
        actor_arm_memory(self);
        int rc = task->acknowledged ? ask_task(self, task, &error) : 0;
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
    }
    actor_close(self);
}
