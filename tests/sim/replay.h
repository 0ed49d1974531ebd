/* The tasks of a run as their history tells them, by rules that share no code with the engine.
 *
 * Entries are fed in their order; each must be allowed after those before it, and after each commit
 * nothing may be left undone (replay.c). Not here: holding the result against rows and answers.
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "sim/ledger.h"

#define REPLAY_EPOCHS 64 /* attempts of one step that are remembered one by one */

typedef struct replay_step {
    int state;
    int64_t epoch;
    int attempt;
    int crashes;
    int64_t succeeded_epoch;
    bool by_hand;          /* an operator has made it ready, or resolved it */
    int64_t failed_epoch;  /* of the newest failure, 0: none */
    char error_class[24];  /* of it */
    int64_t started_no;    /* the entry of its newest start */
    int64_t due_us;        /* store times: of its deadline, 0: none or not begun; */
    int64_t started_us;
    int64_t available_us;  /* since when it waits for a worker */
    int64_t not_before_us; /* virtual time, in the boot of this number */
    int not_before_boots;
    int attempts[REPLAY_EPOCHS];      /* the attempt's number by epoch */
    int64_t waited_us[REPLAY_EPOCHS]; /* how long it was available before it started */
    bool stopped; /* cancelled by a failure that stops its task, and not given up since */
} replay_step;

typedef struct replay_task {
    const ledger_task *task; /* NULL: not stored */
    const ledger_shape *shape;
    int state;
    int submissions;
    int64_t entries;
    int64_t due_us; /* store time of its deadline, 0: none */
    bool begun;     /* a step of it has started */
    bool late;      /* that has passed, and ended it */
    bool overdue;   /* that had passed before an operator took the task up: it says nothing more */
    bool stopped;   /* a failure stopped it */
    bool reopened;  /* by an operator */
    bool touched; /* in the commit at hand */
    replay_step steps[LEDGER_STEPS];
    bool erased;
} replay_task;

/* A circuit breaker. */
typedef struct replay_breaker {
    int state;
    int failures;
    int successes;
    int openings;
    int probing;
    bool counted;      /* a failure was, in the commit at hand */
    int64_t entry_no;  /* the first entry of the time of its newest change */
    int64_t until_us;
    int64_t since_us;  /* since when a step that waits for it may start; INT64_MAX: not yet */
} replay_breaker;
/* How a task ended, also one that is no longer stored. */
typedef struct replay_end_of {
    int state;
    int64_t time_us;
    bool pruned;
    int64_t started_no[LEDGER_STEPS]; /* the entry of each step's newest start */
} replay_end_of;

typedef struct replay {
    ledger *l;
    replay_breaker breakers[LEDGER_BREAKERS];
    int64_t time_entry_no; /* the first entry of the commit at hand */
    replay_task tasks[LEDGER_TASKS];
    replay_end_of ends[LEDGER_TASKS];
    int64_t entry_no;
    int64_t time_us; /* of the commit at hand */
} replay;

/* Say that a task is stored, and which version of its workflow it runs. */
void replay_know(replay *r, int index, int version);
void replay_entry(replay *r, const sw_audit_entry *entry, const sw_uuid *ids);
void replay_end(replay *r);
/* Say what is wrong with a step of a task; step -1: with the task itself. */
void replay_violate(const replay *r, const char *rule, const replay_task *task, int step,
                    const char *text);

/* Circuit breakers (replay_breaker.c): a change of one, the start and the end of an attempt of a step
 * that names one, and the end of a commit. */
void replay_breaker_change(replay *r, const sw_audit_entry *entry);
void replay_breaker_start(replay *r, int breaker, int64_t *available_us);
void replay_breaker_end(replay *r, int breaker, const replay_step *step,
                        const sw_audit_entry *entry);
/* What the steps of a task that is no longer stored did to it. */
void replay_breaker_of_pruned(replay *r, const sw_audit_entry *entry);
void replay_breaker_settle(replay *r);

/* The dependencies of a step, by how they have ended (replay_rule.c). */
typedef struct replay_tally {
    int all;
    int open;
    int succeeded;
    int passed; /* failed with on_failure continue */
    int held;   /* failed with on_failure block or fail_task */
    int failed; /* failed with on_failure skip_dependents */
    int skipped;
    int cancelled;
} replay_tally;

replay_tally replay_count(const replay_task *task, int step);
/* Whether a step's rule lets it start, whether it cannot be met any more, how many dependencies it
 * still needs, and how many it waits for. */
bool replay_may_start(const replay_task *task, int step);
bool replay_is_hopeless(const replay_task *task, int step);
/* Whether nothing but an operator can make a pending step start or skip it. */
bool replay_is_blocked(const replay_task *task, int step);
/* Whether a step is cancelled because of a failure, and nothing but that keeps it. */
bool replay_is_left_behind(const replay_task *task, int step);
/* Whether a task may succeed with a step as it is. */
bool replay_is_well(const replay_task *task, int step);
/* How many dependencies have done what the rule of a step asks for. */
int replay_counted(const replay_task *task, int step);
int replay_needed(const replay_task *task, int step);
int replay_waits(const replay_task *task, int step);
/* What a claim was given, against the states of the dependencies when it was made; NULL or what is
 * wrong. */
const char *replay_check_inputs(const replay_task *task, const ledger_claim *claim);

#endif
