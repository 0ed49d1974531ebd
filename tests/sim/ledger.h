/* What the harness knows: what was asked, and what was acknowledged. Survives every fault.
 *
 * The engine must never contradict it: an acknowledged submission, completion or cancellation is
 * in the database for ever, and an attempt is taken from its worker only for a reason.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "sim/disk.h"
#include "sim/stream.h"
#include "sim/world.h"

#define LEDGER_SHAPES 2
#define LEDGER_VERSIONS 2
#define LEDGER_STEPS 8
#define LEDGER_TASKS 8
#define LEDGER_CREW 3
#define LEDGER_BREAKERS 2
/* Nobody who waits hears of a thing later than this: four times the longest poll, and what threads of
 * one process stand still meanwhile. */
#define LEDGER_LATE_US 320000
#define LEDGER_OPERATOR "bob"
#define LEDGER_RESOLVED "{\"by\":\"bob\"}"
#define LIT(text) ((sw_str){(text), sizeof(text) - 1})

/* How a handler may end, but for doing its work at once. XX(NAME, chance in 65,536) */
#define FATE_MAP(XX)                                                                               \
    XX(SLOW, 6000)                                                                                 \
    XX(SLOWER, 4000)                                                                               \
    XX(FAIL, 7000)                                                                                 \
    XX(FAIL_AND_WAIT, 4000)                                                                        \
    XX(FAIL_FOR_GOOD, 3500)                                                                        \
    XX(RELEASE, 9000)                                                                              \
    XX(DIE, 3000)                                                                                  \
    XX(PAUSE, 3000) /* the whole process, beyond its lease */                                      \
    XX(HANG, 4000)  /* beyond its timeout, while the lease is kept */

typedef enum fate {
    FATE_NONE,
#define FATE_VALUE(name, weight) FATE_##name,
    FATE_MAP(FATE_VALUE)
#undef FATE_VALUE
        FATE_END
} fate;

#define FATE_COUNT (FATE_END - 1)

/* A step of a workflow of the run. */
typedef struct ledger_step {
    uint32_t after; /* bit i: depends on step i */
    int on_failure;
    int trigger;
    int quorum;
    int max_attempts;
    int max_crashes;
    int64_t base_ms; /* of the linear backoff */
    int64_t timeout_ms;
    int64_t heartbeat_ms; /* 0: its attempts may be silent */
    int64_t deadline_ms; /* 0: none */
    int priority;
    bool slow_queue;
    bool moved; /* to a slow queue of the second version's own */
    int breaker; /* 0: none; else its number, from 1 */
    bool deadly; /* its handler kills the worker */
} ledger_step;

/* Settings of a circuit breaker, the same in all workflows. */
typedef struct ledger_breaker {
    int failures;
    int successes;
    int probes;
    int64_t open_ms;
    int64_t max_open_ms;
    bool forced; /* by an operator, who will close it */
} ledger_breaker;

/* One version of a workflow. */
typedef struct ledger_shape {
    char name[4];
    char version[4];
    char text[4096];
    int step_count;
    int64_t deadline_ms; /* of its tasks, 0: none */
    ledger_step steps[LEDGER_STEPS];
    sw_workflow *workflow; /* of the harness */
} ledger_shape;

typedef struct ledger_task {
    char key[16];
    char input[32];
    char tag[16]; /* whom it is about */
    uint32_t parents; /* bit 0: submitted without a parent, bit 1: with its own (ledger_parent) */
    int shape;
    int priority;
    int64_t deadline_ms; /* given at submit, 0: none */
    uint32_t versions; /* bit i: version i may have been the newest */
    bool asked;
    bool acknowledged;
    bool ended; /* a call said so */
    int64_t ended_us;
    bool cancel_asked;
    bool cancel_acknowledged;
    bool erase_asked;
    bool erase_acknowledged;
    bool operated; /* by hand: it may go on after its end */
    bool prune_asked;
    sw_uuid id;
} ledger_task;

/* What a worker handles. */
typedef struct ledger_crew {
    uint32_t steps[LEDGER_SHAPES]; /* bit i: step i */
    bool default_queue_only;
} ledger_crew;

/* An attempt that was handed to a worker. */
typedef struct ledger_claim {
    int64_t step_id;
    int64_t epoch;
    int64_t worker_id;
    sw_uuid task_id;
    int step;
    int attempt;
    int64_t asked_us;   /* virtual times: at which the call began that brought it, */
    int64_t claimed_us; /* and at which it ended; */
    int64_t waiting_us; /* since when its worker had waited, 0: it had not */
    int64_t sent_us;    /* at which it was reported for the first time */
    int64_t beat_us;    /* at which the newest heartbeat that counted was sent, 0: none; */
    int64_t beat_store_us; /* the same in store time */
    int boots;          /* of all of these */
    bool beaten;        /* a heartbeat of it was begun */
    bool sent;          /* a report of it was begun */
    bool reported;      /* a report of it has ended, with an answer or not */
    bool applied;       /* a report was answered so */
    uint64_t succeeded; /* order of its acknowledgement, 0: none */
    int outcome;        /* of the report */
    int64_t retry_after_ms;
    uint32_t inputs;                    /* bit i: it was given an input of step i */
    int input_states[LEDGER_STEPS];     /* that the input was said to come from */
    int64_t input_epochs[LEDGER_STEPS]; /* the attempt whose result was handed over; 0: none */
} ledger_claim;

typedef struct ledger {
    world *world;
    disk disk;
    bool alike;            /* the database has the schema that images were taken with (image.h) */
    process harness;       /* engine of the oracle; has no actor */
    process oracle;        /* the memory of its connection */
    size_t harness_blocks; /* memory that it keeps for the whole run */
    ledger_shape shapes[LEDGER_SHAPES][LEDGER_VERSIONS];
    ledger_breaker breakers[LEDGER_BREAKERS];
    bool has_breakers; /* some steps name one */
    bool has_operator;
    bool by_hand;      /* operators change steps and prune */
    bool two_versions; /* the second ones are registered midway, by the operator */
    bool registered;   /* the first ones, by the submitter */
    bool submitted;    /* every task, for good */
    int64_t prune_before_us; /* the latest time that was asked for */
    int version_asked;
    int version_acknowledged;
    ledger_task tasks[LEDGER_TASKS];
    int task_count;
    ledger_crew crew[LEDGER_CREW];
    ledger_claim *claims;
    size_t claim_count;
    size_t claim_capacity;
    uint64_t worker_ids;       /* bit i: worker i was opened, as far as there are bits */
    int64_t worker_ids_max;    /* the highest number that was given out */
    int64_t worker_ids_booted; /* the same when the machine was started */
    stream stream; /* events of applications */
    int exchanged_boots;       /* the boot in which an exchange was last answered */
    int64_t lease_ms;
    uint32_t fates;          /* which ends of handlers there are */
    bool stop;               /* actors end */
    bool rare_settings;      /* a tiny cache, a tiny log, small batches */
    bool short_log;          /* which is moved to the database after a few transactions */
    int64_t clock_offset_us; /* store time minus virtual time, in this boot */
    int clock_boots;         /* the boot in which it was learned */
    int64_t clock_last_us;   /* the latest store time that was seen */
    uint64_t acknowledged;   /* completions */
    uint64_t fenced;         /* reports refused */
    uint64_t checks;
} ledger;

/* An attempt as its worker holds it. */
typedef struct ledger_hold {
    int64_t step_id;
    int64_t epoch;
    int64_t safe_until_us; /* virtual time to which the lease is promised */
    bool lost;             /* a renewal said so */
} ledger_hold;

void ledger_init(ledger *l, world *w);
void ledger_free(ledger *l);
/* Draw the workflows, workers and tasks of a run (workload.c). */
void ledger_draw(ledger *l);
/* A call said that a task has ended. */
void ledger_ended(const ledger *l, ledger_task *task);
/* Whether every task has ended as far as calls have said. */
bool ledger_all_known(const ledger *l);
/* Whether everybody hears in time: nobody rings for what a process has committed that then died. */
bool ledger_in_time(const ledger *l);

/* A worker was entered under this number. */
void ledger_opened(ledger *l, int64_t worker_id);
/* How a call came to its claims. */
typedef struct ledger_call {
    int64_t worker_id;
    int64_t asked_us;   /* when it began, or woke up for the last time */
    int64_t waiting_us; /* when it began to wait, 0: it did not */
} ledger_call;

/* A claim was handed out; checks that nobody else holds this epoch and that it fits the worker. */
void ledger_claimed(ledger *l, const actor *worker, const ledger_call *call,
                    const sw_step_claim *claim);
/* The claims of one call come by priority, then by age. */
void ledger_check_order(const ledger *l, const sw_step_claim *claims, size_t count);
/* A report is about to be sent. */
void ledger_sent(ledger *l, const sw_step_outcome *row);
/* Its call has failed, and may have been committed nevertheless. */
void ledger_doubted(ledger *l, const sw_step_outcome *row);
/* A report was answered; hold is what the worker knew, NULL when it sent it a second time. */
void ledger_answered(ledger *l, const ledger_hold *hold, const sw_step_outcome *row,
                     const sw_step_applied *applied);
/* A heartbeat was answered, which was sent at asked_us. */
void ledger_beaten(ledger *l, const ledger_hold *hold, int64_t asked_us,
                   const sw_step_applied *applied);
/* A renewal was answered; called once per hold that it was asked about. */
void ledger_renewed(ledger *l, const ledger_hold *hold, bool lost, bool was_cancelled);
/* The lease was promised until then, by an answer that came now. */
void ledger_promise(const ledger *l, ledger_hold *hold, int64_t until_us);
/* The last virtual time at which an attempt is known to have said something. */
int64_t ledger_last_word(const ledger_claim *claim);
ledger_claim *ledger_find(const ledger *l, int64_t step_id, int64_t epoch);
/* Steps of a task whose success was acknowledged. */
int64_t ledger_succeeded(const ledger *l, const sw_uuid *task_id);
/* What there is to do in a task, in the newest version that it may have. */
const ledger_shape *ledger_shape_of(const ledger *l, const ledger_task *task);
/* Index of a task that was acknowledged, or -1. */
int ledger_find_task(const ledger *l, const sw_uuid *id);
/* The task that is submitted as the parent of this one once it is known, -1: none is. */
int ledger_parent(int task);
bool ledger_has_parent(const sw_uuid *parent_id);
/* An engine tells what its clock says, and that it has written to the log since logged_us. */
void ledger_check_clock(ledger *l, sw_engine *engine, int64_t logged_us);
/* Codes that no fault explains. */
void ledger_check_code(ledger *l, int code, const sw_error *error);

/* Index of a step name ("a".."h"), or -1. */
int ledger_step_index(sw_str name);
/* The result that an attempt reports, as JSON; and the attempt back, false for anything else. */
sw_str ledger_result(char text[64], int64_t step_id, int64_t epoch);
bool ledger_result_read(sw_str text, int64_t *step_id, int64_t *epoch);

/* The bodies of the roles (worker.c, client.c, operator.c, reader.c). */
void actor_work(actor *self);
void actor_submit(actor *self);
void actor_operate(actor *self);
void actor_erase(actor *self);
void actor_ask(actor *self);

#endif
