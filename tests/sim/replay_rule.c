/* Trigger rules in words of their own: when a step may start, and when it never will.
 *
 * They are written rule by rule, as the documentation has them, and not as the engine counts.
 */
#include "sim/replay.h"

static void tally_failure(replay_tally *tally, int on_failure)
{
    if (on_failure == SW_ON_FAILURE_CONTINUE)
        tally->passed++;
    else if (on_failure == SW_ON_FAILURE_SKIP_DEPENDENTS)
        tally->failed++;
    else
        tally->held++;
}

replay_tally replay_count(const replay_task *task, int step)
{
    replay_tally tally = {0};
    for (int from = 0; from < step; from++) {
        int state = task->steps[from].state;
        if (!(task->shape->steps[step].after >> from & 1))
            continue;
        tally.all++;
        tally.open += !sw_step_state_terminal(state);
        tally.succeeded += state == SW_STEP_SUCCEEDED || state == SW_STEP_RESOLVED;
        if (state == SW_STEP_FAILED)
            tally_failure(&tally, task->shape->steps[from].on_failure);
        tally.skipped += state == SW_STEP_SKIPPED;
        tally.cancelled += state == SW_STEP_CANCELLED;
    }
    return tally;
}

bool replay_may_start(const replay_task *task, int step)
{
    replay_tally of = replay_count(task, step);
    if (of.all == 0)
        return true;
    switch (task->shape->steps[step].trigger) {
    case SW_TRIGGER_ALL_DONE:
        return of.open == 0;
    case SW_TRIGGER_ANY_SUCCEEDED:
        return of.succeeded > 0;
    case SW_TRIGGER_NONE_FAILED:
        return of.open == 0 && of.held == 0 && of.failed == 0 && of.cancelled == 0;
    case SW_TRIGGER_QUORUM:
        return of.succeeded >= task->shape->steps[step].quorum;
    default:
        return of.succeeded + of.passed == of.all;
    }
}

/* A failure that holds its dependents up is not the last word: an operator may have the step tried
 * again. */
bool replay_is_hopeless(const replay_task *task, int step)
{
    replay_tally of = replay_count(task, step);
    int may_succeed = of.succeeded + of.open + of.held;
    switch (task->shape->steps[step].trigger) {
    case SW_TRIGGER_ALL_DONE:
        return false;
    case SW_TRIGGER_ANY_SUCCEEDED:
        return may_succeed == 0;
    case SW_TRIGGER_NONE_FAILED:
        return of.failed + of.cancelled > 0;
    case SW_TRIGGER_QUORUM:
        return may_succeed < task->shape->steps[step].quorum;
    default:
        return of.failed + of.skipped + of.cancelled > 0;
    }
}

int replay_counted(const replay_task *task, int step)
{
    replay_tally of = replay_count(task, step);
    switch (task->shape->steps[step].trigger) {
    case SW_TRIGGER_ALL_DONE:
        return of.all - of.open;
    case SW_TRIGGER_ANY_SUCCEEDED:
    case SW_TRIGGER_QUORUM:
        return of.succeeded;
    case SW_TRIGGER_NONE_FAILED:
        return of.succeeded + of.passed + of.skipped;
    default:
        return of.succeeded + of.passed;
    }
}

int replay_needed(const replay_task *task, int step)
{
    const ledger_step *definition = &task->shape->steps[step];
    int counted = replay_counted(task, step);
    switch (definition->trigger) {
    case SW_TRIGGER_ANY_SUCCEEDED:
        return 1 - counted;
    case SW_TRIGGER_QUORUM:
        return definition->quorum - counted;
    default:
        return __builtin_popcount(definition->after) - counted;
    }
}

/* What has begun because a step is cancelled keeps it so. Only all_done takes it for done. */
static bool is_relied_on(const replay_task *task, int step)
{
    for (int to = step + 1; to < task->shape->step_count; to++) {
        int state = task->steps[to].state;
        bool begun = state != SW_STEP_PENDING && state != SW_STEP_SKIPPED &&
                     state != SW_STEP_CANCELLED && state != SW_STEP_RESOLVED;
        if ((task->shape->steps[to].after >> step & 1) && begun &&
            task->shape->steps[to].trigger == SW_TRIGGER_ALL_DONE)
            return true;
    }
    return false;
}

bool replay_is_left_behind(const replay_task *task, int step)
{
    return task->steps[step].stopped && task->steps[step].state == SW_STEP_CANCELLED &&
           !replay_is_hopeless(task, step) && !is_relied_on(task, step);
}

bool replay_is_well(const replay_task *task, int step)
{
    int state = task->steps[step].state;
    return state == SW_STEP_SUCCEEDED || state == SW_STEP_RESOLVED || state == SW_STEP_SKIPPED ||
           (state == SW_STEP_FAILED &&
            task->shape->steps[step].on_failure == SW_ON_FAILURE_CONTINUE);
}

/* Even if everything that goes on should succeed. */
bool replay_is_blocked(const replay_task *task, int step)
{
    int stuck = 0;
    replay_tally of = replay_count(task, step);
    if (task->steps[step].state != SW_STEP_PENDING)
        return false;
    for (int from = 0; from < step; from++)
        stuck += (task->shape->steps[step].after >> from & 1) && replay_is_blocked(task, from);
    switch (task->shape->steps[step].trigger) {
    case SW_TRIGGER_ALL_DONE:
        return stuck > 0;
    case SW_TRIGGER_ANY_SUCCEEDED:
        return of.succeeded + of.open == stuck;
    case SW_TRIGGER_QUORUM:
        return of.succeeded + of.open - stuck < task->shape->steps[step].quorum;
    default:
        return of.held + stuck > 0;
    }
}

int replay_waits(const replay_task *task, int step)
{
    replay_tally of = replay_count(task, step);
    return of.open + (task->shape->steps[step].trigger == SW_TRIGGER_ALL_DONE ? 0 : of.held);
}

/* Inputs. What goes on may have been claimed by the same call, so that it only has to go on. */

static bool input_is_right(const replay_step *from, const ledger_claim *claim, int index)
{
    int state = claim->input_states[index];
    bool ended = sw_step_state_terminal(from->state);
    int64_t epoch = from->state == SW_STEP_SUCCEEDED ? from->succeeded_epoch : 0;
    return claim->input_epochs[index] == epoch &&
           (ended ? state == from->state : !sw_step_state_terminal(state));
}

const char *replay_check_inputs(const replay_task *task, const ledger_claim *claim)
{
    if (claim->inputs != task->shape->steps[claim->step].after)
        return "it was not given the results of the steps it comes after";
    for (int from = 0; from < claim->step; from++) {
        if ((claim->inputs >> from & 1) && !input_is_right(&task->steps[from], claim, from))
            return "it was given a result that nobody had committed";
    }
    return NULL;
}
