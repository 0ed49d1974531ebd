/* The transition tables of steps and tasks. They are the only statement of what may follow what:
 * the guards below, the audit's replay and the bindings all read them.
 *
 * Not here: when a transition happens and what comes with it, which is the engine's business.
 */
#include "model/states.h"

#define SW__STEP_MOVE(from, to, by)                                                                \
    {                                                                                              \
        SW_STEP_##from, SW_STEP_##to, SW_BY_##by, 0                                                \
    }
#define SW__TASK_MOVE(from, to, by)                                                                \
    {                                                                                              \
        SW_TASK_##from, SW_TASK_##to, SW_BY_##by, 0                                                \
    }

/* Ordered by from, to, by. A step that succeeded or was resolved has no row: its result may have
 * been used, so that nobody takes it back. */
static const sw_transition step_moves[] = {
    SW__STEP_MOVE(PENDING, READY, ENGINE),       /* the last dependency is done */
    SW__STEP_MOVE(PENDING, SKIPPED, ENGINE),     /* a branch that is not taken */
    SW__STEP_MOVE(PENDING, SKIPPED, OPERATOR),   /* left out on purpose */
    SW__STEP_MOVE(PENDING, CANCELLED, ENGINE),   /* another step failed the task */
    SW__STEP_MOVE(PENDING, CANCELLED, OPERATOR), /* the task is cancelled */
    SW__STEP_MOVE(PENDING, RESOLVED, OPERATOR),  /* done by hand */
    SW__STEP_MOVE(READY, RUNNING, WORKER),       /* the claim that makes a worker the holder */
    SW__STEP_MOVE(READY, FAILED, ENGINE),        /* its deadline has passed */
    SW__STEP_MOVE(READY, SKIPPED, OPERATOR),
    SW__STEP_MOVE(READY, CANCELLED, ENGINE),
    SW__STEP_MOVE(READY, CANCELLED, OPERATOR),
    SW__STEP_MOVE(READY, RESOLVED, OPERATOR),
    SW__STEP_MOVE(RUNNING, READY, ENGINE),   /* lease lost or timeout, and tried again */
    SW__STEP_MOVE(RUNNING, READY, WORKER),   /* failed and tried again, or given back */
    SW__STEP_MOVE(RUNNING, WAITING, WORKER), /* the handler waits for something outside */
    SW__STEP_MOVE(RUNNING, SUCCEEDED, WORKER),
    SW__STEP_MOVE(RUNNING, FAILED, ENGINE), /* lease lost, timeout or deadline, not tried again */
    SW__STEP_MOVE(RUNNING, FAILED, WORKER),
    SW__STEP_MOVE(RUNNING, CANCELLED, ENGINE),   /* the deadline of its task has passed */
    SW__STEP_MOVE(RUNNING, CANCELLED, OPERATOR), /* the attempt is fenced */
    SW__STEP_MOVE(WAITING, READY, ENGINE),       /* what it waited for has come */
    SW__STEP_MOVE(WAITING, READY, OPERATOR),
    SW__STEP_MOVE(WAITING, SUCCEEDED, ENGINE), /* a child task or an approval ended it */
    SW__STEP_MOVE(WAITING, FAILED, ENGINE),    /* rejected, or the wait ran out */
    SW__STEP_MOVE(WAITING, SKIPPED, ENGINE),
    SW__STEP_MOVE(WAITING, SKIPPED, OPERATOR),
    SW__STEP_MOVE(WAITING, CANCELLED, ENGINE),
    SW__STEP_MOVE(WAITING, CANCELLED, OPERATOR),
    SW__STEP_MOVE(WAITING, RESOLVED, OPERATOR),
    SW__STEP_MOVE(FAILED, READY, OPERATOR), /* tried again */
    SW__STEP_MOVE(FAILED, RESOLVED, OPERATOR),
    SW__STEP_MOVE(SKIPPED, PENDING, OPERATOR), /* taken up again, dependencies open */
    SW__STEP_MOVE(SKIPPED, READY, OPERATOR),   /* taken up again, dependencies done */
    SW__STEP_MOVE(SKIPPED, RESOLVED, OPERATOR),
    SW__STEP_MOVE(CANCELLED, PENDING, OPERATOR),
    SW__STEP_MOVE(CANCELLED, READY, OPERATOR),
    SW__STEP_MOVE(CANCELLED, RESOLVED, OPERATOR),
};

/* Ordered likewise. A task may end while it is paused: pausing stops claims, not the attempts
 * that run already. */
static const sw_transition task_moves[] = {
    SW__TASK_MOVE(PENDING, RUNNING, ENGINE),
    SW__TASK_MOVE(PENDING, PAUSED, OPERATOR),
    SW__TASK_MOVE(PENDING, CANCELLED, OPERATOR),
    SW__TASK_MOVE(RUNNING, PAUSED, OPERATOR),
    SW__TASK_MOVE(RUNNING, SUCCEEDED, ENGINE),
    SW__TASK_MOVE(RUNNING, FAILED, ENGINE),
    SW__TASK_MOVE(RUNNING, CANCELLED, OPERATOR),
    SW__TASK_MOVE(PAUSED, RUNNING, OPERATOR),
    SW__TASK_MOVE(PAUSED, SUCCEEDED, ENGINE),
    SW__TASK_MOVE(PAUSED, FAILED, ENGINE),
    SW__TASK_MOVE(PAUSED, CANCELLED, OPERATOR),
    SW__TASK_MOVE(FAILED, RUNNING, OPERATOR), /* one of its steps is tried again */
    SW__TASK_MOVE(FAILED, RESOLVED, OPERATOR),
    SW__TASK_MOVE(CANCELLED, RUNNING, OPERATOR),
    SW__TASK_MOVE(CANCELLED, RESOLVED, OPERATOR),
};

#undef SW__STEP_MOVE
#undef SW__TASK_MOVE

static bool move_listed(const sw_transition *moves, size_t count, int from, int to, int by)
{
    for (size_t i = 0; i < count; i++) {
        if (moves[i].from == from && moves[i].to == to && moves[i].by == by)
            return true;
    }
    return false;
}

bool sw__step_may(int from, int to, int by)
{
    return move_listed(step_moves, sizeof(step_moves) / sizeof(step_moves[0]), from, to, by);
}

bool sw__task_may(int from, int to, int by)
{
    return move_listed(task_moves, sizeof(task_moves) / sizeof(task_moves[0]), from, to, by);
}

const sw_transition *sw_step_transitions(size_t *count)
{
    *count = sizeof(step_moves) / sizeof(step_moves[0]);
    return step_moves;
}

int sw_step_state_terminal(int state)
{
    return state >= SW_STEP_SUCCEEDED && state < SW_STEP_STATE_COUNT;
}

int sw_task_state_terminal(int state)
{
    return state >= SW_TASK_SUCCEEDED && state < SW_TASK_STATE_COUNT;
}
