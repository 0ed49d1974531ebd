/* Operators: they deploy, cancel tasks, open and close circuit breakers, and erase; in half of the
 * runs they also bring steps into other states by hand, take dead letters up again, and prune.
 *
 * A task that was operated on may go on after its end, so that nothing is concluded any more from
 * somebody having been told of it.
 */
#include <stdio.h>
#include <string.h>

#include "sim/actor.h"

#define OPERATOR_PATIENCE 300 /* ms */

/* Tasks. */

/* Any task, or one in which something has failed; over: also one that has ended. */
static ledger_task *operate_choose(actor *self, bool over)
{
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    bool failed = choice_draw(c, CHOICE_DETAIL, over ? 4 : 2);
    int least = SW_OUTCOME_FAILED + choice_once_in(c, CHOICE_DETAIL, 2);
    for (size_t i = l->claim_count; failed && i > 0; i--) {
        const ledger_claim *claim = &l->claims[i - 1];
        int index = ledger_find_task(l, &claim->task_id);
        if (claim->applied && claim->outcome >= least && claim->outcome != SW_OUTCOME_RELEASED &&
            index >= 0 && (over || !l->tasks[index].ended))
            return &l->tasks[index];
    }
    return &l->tasks[choice_draw(c, CHOICE_DETAIL, (uint32_t)l->task_count)];
}

static int operate_cancel(actor *self, ledger_task *task, sw_error *error)
{
    sw_cancel_row row = {.task_id = task->id, .actor = LIT("ann"), .reason = LIT("simulated")};
    task->cancel_asked = true;
    actor_arm_memory(self);
    world_note(self->world, "cancels %s", task->key);
    int rc = sw_task_cancel(self->engine, &row, 1, error);
    task->cancel_acknowledged = task->cancel_acknowledged || rc == 0;
    if (rc == 0 || rc == SW_ESTATE)
        ledger_ended(actor_ledger(self), task);
    return rc == SW_ESTATE || (rc == SW_ENOTFOUND && task->prune_asked) ? 0 : rc;
}

/* A second version of every workflow, while tasks of the first run. */
static void operate_deploy(actor *self)
{
    ledger *l = actor_ledger(self);
    while (!l->registered && !l->stop)
        world_sleep(self->world, 20000);
    if (l->version_acknowledged == 1 || l->stop)
        return;
    actor_sleep_up_to(self, 600);
    l->version_asked = 1;
    /* What is being submitted may come before it or after it, also when its process dies then. */
    for (int i = 0; i < l->task_count; i++)
        l->tasks[i].versions |= l->tasks[i].asked && !l->tasks[i].acknowledged ? 1u << 1 : 0;
    actor_register(self, 1);
    l->version_acknowledged = 1;
}

/* Circuit breakers. */

/* Open or close a circuit breaker. One that may have been opened has to be closed, whatever the
 * answer was. */
static int operate_breaker(actor *self, int number, int state, sw_error *error)
{
    char name[16];
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    snprintf(name, sizeof name, "b%d", number + 1);
    sw_breaker_override_row row = {
        .name = actor_str(name), .state = state, .actor = LIT("ann"), .reason = LIT("simulated")};
    if (state == SW_BREAKER_OPEN)
        row.open_ms = 100 * (int64_t)choice_draw(&self->world->choice, CHOICE_DETAIL, 3);
    l->breakers[number].forced = l->breakers[number].forced || state == SW_BREAKER_OPEN;
    actor_arm_memory(self);
    world_note(self->world, "%s breaker %s", state == SW_BREAKER_OPEN ? "opens" : "closes", name);
    int rc = sw_breaker_override(self->engine, &row, 1, &result, error);
    if (rc == 0 && state == SW_BREAKER_CLOSED)
        l->breakers[number].forced = false;
    sw_result_free(result);
    return rc == SW_ENOTFOUND && !l->registered ? 0 : rc;
}

static void operate_breakers(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    uint32_t times = l->has_breakers ? choice_draw(c, CHOICE_WORKLOAD, 3) : 0;
    for (uint32_t i = 0; i < times && !l->stop; i++) {
        actor_sleep_up_to(self, 500);
        int number = (int)choice_draw(c, CHOICE_DETAIL, LEDGER_BREAKERS);
        int state = choice_draw(c, CHOICE_DETAIL, 3) ? SW_BREAKER_OPEN : SW_BREAKER_CLOSED;
        int rc = l->registered ? operate_breaker(self, number, state, &error) : 0;
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
    }
}

/* What was opened until somebody closes it would hold its steps up for ever. */
static void operate_close_breakers(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    for (int i = 0; i < LEDGER_BREAKERS;) {
        int rc = l->breakers[i].forced ? operate_breaker(self, i, SW_BREAKER_CLOSED, &error) : 0;
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
        else
            i++;
    }
}

/* Steps by hand. */

static void operate_mark(ledger_task *task)
{
    task->operated = true;
    task->ended = false;
}

static int operate_override(actor *self, ledger_task *task, const sw_step_override_row *row,
                            sw_error *error)
{
    sw_result *result = NULL;
    operate_mark(task);
    actor_arm_memory(self);
    int rc = sw_step_override(self->engine, row, 1, SW_BATCH_PARTIAL, &result, error);
    sw_result_free(result);
    return rc;
}

/* Whether a step still waits that comes after it: that one was told of its end, or is to be. */
static bool operate_is_awaited(const ledger_shape *shape, const sw_step_row *steps, size_t count,
                               sw_str name)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t after = shape->steps[ledger_step_index(steps[i].name)].after;
        if (steps[i].state == SW_STEP_PENDING && after >> ledger_step_index(name) & 1)
            return true;
    }
    return false;
}

/* Mostly a step that has ended without having done its work, best one that others wait for. */
static int64_t operate_choose_step(choice *c, const ledger_shape *shape, const sw_step_row *steps,
                                   size_t count)
{
    uint32_t wishes = choice_draw(c, CHOICE_DETAIL, 4);
    size_t index = choice_draw(c, CHOICE_DETAIL, (uint32_t)count);
    for (size_t i = 0; i < count * wishes; i++) {
        int state = steps[index].state;
        bool wanted = i >= count || operate_is_awaited(shape, steps, count, steps[index].name);
        if (sw_step_state_terminal(state) && state != SW_STEP_SUCCEEDED && wanted)
            break;
        index = (index + 1) % count;
    }
    return steps[index].step_id;
}

/* Any state, also those that are refused. */
static int operate_step(actor *self, ledger_task *task, sw_error *error)
{
    static const int states[] = {SW_STEP_READY,    SW_STEP_READY,   SW_STEP_RESOLVED,
                                 SW_STEP_RESOLVED, SW_STEP_SKIPPED, SW_STEP_CANCELLED,
                                 SW_STEP_PENDING};
    size_t count = 0;
    sw_result *result = NULL;
    choice *c = &self->world->choice;
    int rc = sw_task_get(self->engine, &task->id, &result, error);
    const sw_step_row *steps = sw_steps(result, &count);
    if (rc == 0 && count > 0) {
        sw_step_override_row row = {
            .step_id =
                operate_choose_step(c, ledger_shape_of(actor_ledger(self), task), steps, count),
            .state = states[choice_draw(c, CHOICE_DETAIL, 7)],
            .actor = LIT(LEDGER_OPERATOR),
            .reason = LIT("simulated"),
        };
        if (row.state == SW_STEP_RESOLVED)
            row.result = LIT(LEDGER_RESOLVED);
        world_note(self->world, "brings step %lld of %s to %s", (long long)row.step_id, task->key,
                   sw_step_state_name(row.state));
        rc = operate_override(self, task, &row, error);
    }
    sw_result_free(result);
    return rc == SW_ENOTFOUND && task->prune_asked ? 0 : rc;
}

/* The dead letters of one workflow, all at once. */
static int operate_dead(actor *self, ledger_task *task, sw_error *error)
{
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;
    sw_dead_action action = {.actor = LIT(LEDGER_OPERATOR), .reason = LIT("simulated")};
    filter.workflow = actor_str(l->shapes[task->shape][0].name);
    action.state =
        choice_once_in(&self->world->choice, CHOICE_DETAIL, 2) ? SW_STEP_RESOLVED : SW_STEP_READY;
    if (action.state == SW_STEP_RESOLVED)
        action.result = LIT(LEDGER_RESOLVED);
    for (int i = 0; i < l->task_count; i++) {
        if (l->tasks[i].shape == task->shape)
            operate_mark(&l->tasks[i]);
    }
    world_note(self->world, "brings the dead letters of w%d to %s", task->shape,
               sw_step_state_name(action.state));
    actor_arm_memory(self);
    int rc = sw_dead_override(self->engine, &filter, &action, &result, error);
    sw_result_free(result);
    return rc;
}

/* Pruning. */

/* What ended before one of the tasks did, or with it. */
static int operate_prune(actor *self, ledger_task *task, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    int rc = sw_task_get(self->engine, &task->id, &result, error);
    const sw_task_row *rows = sw_tasks(result, &count);
    if (rc == 0 && count > 0 && rows[0].finished_us)
        options.finished_before_us = rows[0].finished_us + 1;
    sw_result_free(result);
    if (!options.finished_before_us)
        return rc == SW_ENOTFOUND && task->prune_asked ? 0 : rc;
    if (options.finished_before_us > l->prune_before_us)
        l->prune_before_us = options.finished_before_us;
    for (int i = 0; i < l->task_count; i++)
        l->tasks[i].prune_asked = true;
    options.limit = choice_draw(&self->world->choice, CHOICE_DETAIL, 3);
    world_note(self->world, "prunes what ended before %lld", (long long)options.finished_before_us);
    actor_arm_memory(self);
    return sw_task_prune(self->engine, &options, &report, error);
}

/* What operators do. */

typedef int (*operate_action)(actor *self, ledger_task *task, sw_error *error);

/* Nothing is taken up again once there are no faults any more: everything has to end. */
static operate_action operate_draw(actor *self)
{
    static const operate_action actions[] = {operate_cancel, operate_cancel, operate_cancel,
                                             operate_step,   operate_step,   operate_step,
                                             operate_step,   operate_dead,   operate_prune};
    operate_action action = actions[choice_draw(&self->world->choice, CHOICE_DETAIL, 9)];
    if (action == operate_prune && !actor_ledger(self)->submitted)
        return operate_cancel;
    return self->world->healed && action != operate_prune ? operate_cancel : action;
}

static size_t operate_count_failures(const ledger *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->claim_count; i++)
        count += l->claims[i].applied && l->claims[i].outcome == SW_OUTCOME_FAILED_FOR_GOOD;
    return count;
}

/* Whether a step fails for good before long: who comes at once finds others still to come that the
 * same steps wait for. */
static bool operate_catches(actor *self)
{
    const ledger *l = actor_ledger(self);
    size_t known = operate_count_failures(l);
    for (int i = 0; i < OPERATOR_PATIENCE && !l->stop && !self->world->healed; i++) {
        if (operate_count_failures(l) > known)
            return true;
        world_sleep(self->world, 1000);
    }
    return false;
}

/* Half of those who work by hand lie in wait for a failure, the others come at any time. */
static operate_action operate_await(actor *self)
{
    const ledger *l = actor_ledger(self);
    bool lies_in_wait = l->by_hand && choice_draw(&self->world->choice, CHOICE_DETAIL, 2);
    if (lies_in_wait && operate_catches(self))
        return operate_step;
    if (!lies_in_wait)
        actor_sleep_up_to(self, l->by_hand ? 500 : 1500);
    return l->by_hand ? operate_draw(self) : operate_cancel;
}

static void operate_tasks(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    uint32_t actions = choice_draw(&self->world->choice, CHOICE_WORKLOAD, l->by_hand ? 10 : 4);
    for (uint32_t i = 0; i < actions && !l->stop; i++) {
        operate_action action = operate_await(self);
        ledger_task *task = operate_choose(self, action != operate_cancel);
        self->operates = true;
        int rc = task->acknowledged ? action(self, task, &error) : 0;
        self->operates = false;
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
    }
}

void actor_operate(actor *self)
{
    ledger *l = actor_ledger(self);
    actor_open(self);
    if (l->two_versions)
        operate_deploy(self);
    operate_breakers(self);
    operate_tasks(self);
    operate_close_breakers(self);
    if (choice_once_in(&self->world->choice, CHOICE_WORKLOAD, 2))
        actor_erase(self);
    actor_close(self);
}
