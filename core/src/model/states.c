/* The transition tables of steps and tasks. They are the only statement of what may follow what:
 * the guards below, the audit's replay and the bindings all read them.
 *
 * Not here: when a transition happens and what comes with it, which is the engine's business.
 */
#include "model/states.h"

/* Ordered by from, to, by. A step that succeeded or was resolved has no row: its result may have
 * been used, so that nobody takes it back. */
#define STATES_STEP_MOVES(XX)                                                                      \
    XX(PENDING, READY, ENGINE)       /* the last dependency is done */                             \
    XX(PENDING, SKIPPED, ENGINE)     /* a branch that is not taken */                              \
    XX(PENDING, SKIPPED, OPERATOR)   /* left out on purpose */                                     \
    XX(PENDING, CANCELLED, ENGINE)   /* another step failed the task */                            \
    XX(PENDING, CANCELLED, OPERATOR) /* the task is cancelled */                                   \
    XX(PENDING, RESOLVED, OPERATOR)  /* done by hand */                                            \
    XX(READY, RUNNING, WORKER)       /* the claim that makes a worker the holder */                \
    XX(READY, FAILED, ENGINE)        /* its deadline has passed */                                 \
    XX(READY, SKIPPED, OPERATOR)                                                                   \
    XX(READY, CANCELLED, ENGINE)                                                                   \
    XX(READY, CANCELLED, OPERATOR)                                                                 \
    XX(READY, RESOLVED, OPERATOR)                                                                  \
    XX(RUNNING, READY, ENGINE)   /* lease lost or timeout, and tried again */                      \
    XX(RUNNING, READY, WORKER)   /* failed and tried again, or given back */                       \
    XX(RUNNING, WAITING, WORKER) /* the handler waits for something outside */                     \
    XX(RUNNING, SUCCEEDED, WORKER)                                                                 \
    XX(RUNNING, FAILED, ENGINE) /* lease lost, timeout or deadline, not tried again */             \
    XX(RUNNING, FAILED, WORKER)                                                                    \
    XX(RUNNING, CANCELLED, ENGINE)   /* the deadline of its task has passed */                     \
    XX(RUNNING, CANCELLED, OPERATOR) /* the attempt is fenced */                                   \
    XX(WAITING, READY, ENGINE)       /* what it waited for has come */                             \
    XX(WAITING, READY, OPERATOR)                                                                   \
    XX(WAITING, SUCCEEDED, ENGINE) /* a child task or an approval ended it */                      \
    XX(WAITING, FAILED, ENGINE)    /* rejected, or the wait ran out */                             \
    XX(WAITING, SKIPPED, ENGINE)                                                                   \
    XX(WAITING, SKIPPED, OPERATOR)                                                                 \
    XX(WAITING, CANCELLED, ENGINE)                                                                 \
    XX(WAITING, CANCELLED, OPERATOR)                                                               \
    XX(WAITING, RESOLVED, OPERATOR)                                                                \
    XX(FAILED, READY, OPERATOR) /* tried again */                                                  \
    XX(FAILED, RESOLVED, OPERATOR)                                                                 \
    XX(SKIPPED, PENDING, OPERATOR) /* taken up again, dependencies open */                         \
    XX(SKIPPED, READY, OPERATOR)   /* taken up again, dependencies done */                         \
    XX(SKIPPED, RESOLVED, OPERATOR)                                                                \
    XX(CANCELLED, PENDING, OPERATOR)                                                               \
    XX(CANCELLED, READY, OPERATOR)                                                                 \
    XX(CANCELLED, RESOLVED, OPERATOR)

/* Ordered likewise. A task may end while it is paused: pausing stops claims, not the attempts
 * that run already. */
#define STATES_TASK_MOVES(XX)                                                                      \
    XX(PENDING, RUNNING, ENGINE)                                                                   \
    XX(PENDING, PAUSED, OPERATOR)                                                                  \
    XX(PENDING, CANCELLED, OPERATOR)                                                               \
    XX(RUNNING, PAUSED, OPERATOR)                                                                  \
    XX(RUNNING, SUCCEEDED, ENGINE)                                                                 \
    XX(RUNNING, FAILED, ENGINE)                                                                    \
    XX(RUNNING, CANCELLED, OPERATOR)                                                               \
    XX(PAUSED, RUNNING, OPERATOR)                                                                  \
    XX(PAUSED, SUCCEEDED, ENGINE)                                                                  \
    XX(PAUSED, FAILED, ENGINE)                                                                     \
    XX(PAUSED, CANCELLED, OPERATOR)                                                                \
    XX(FAILED, RUNNING, OPERATOR) /* one of its steps is tried again */                            \
    XX(FAILED, RESOLVED, OPERATOR)                                                                 \
    XX(CANCELLED, RUNNING, OPERATOR)                                                               \
    XX(CANCELLED, RESOLVED, OPERATOR)

#define STATES_STEP_ROW(from, to, by) {SW_STEP_##from, SW_STEP_##to, SW_BY_##by, 0},

static const sw_transition step_moves[] = {STATES_STEP_MOVES(STATES_STEP_ROW)};

/* The same rows as a choice between numbers: a verification asks for each entry of the log. */
#define STATES_KEY(from, to, by) ((from) << 16 | (to) << 8 | (by))
#define STATES_STEP_CASE(from, to, by) case STATES_KEY(SW_STEP_##from, SW_STEP_##to, SW_BY_##by):
#define STATES_TASK_CASE(from, to, by) case STATES_KEY(SW_TASK_##from, SW_TASK_##to, SW_BY_##by):

bool sw__step_may(int from, int to, int by)
{
    if (from < 0 || from >= SW_STEP_STATE_COUNT || to < 0 || to >= SW_STEP_STATE_COUNT)
        return false;
    switch (STATES_KEY(from, to, by)) {
        STATES_STEP_MOVES(STATES_STEP_CASE)
        return true;
    default:
        return false;
    }
}

bool sw__task_may(int from, int to, int by)
{
    if (from < 0 || from >= SW_TASK_STATE_COUNT || to < 0 || to >= SW_TASK_STATE_COUNT)
        return false;
    switch (STATES_KEY(from, to, by)) {
        STATES_TASK_MOVES(STATES_TASK_CASE)
        return true;
    default:
        return false;
    }
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

#undef STATES_STEP_MOVES
#undef STATES_TASK_MOVES
#undef STATES_STEP_ROW
#undef STATES_KEY
#undef STATES_STEP_CASE
#undef STATES_TASK_CASE
