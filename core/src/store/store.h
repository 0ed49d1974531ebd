/* The store: what the engine asks of a database, in batches.
 *
 * Every function but open and close is called inside begin and commit or rollback, under the
 * engine's lock, from one thread at a time. The store knows no rule of the engine: it keeps rows.
 * Batches of ids come sorted ascending. Rows read into an arena are copies.
 *
 * What holds for every verb: a row that is there already answers SW_ECONFLICT to an insert, a row
 * that is not there answers SW_ENOTFOUND to an update, both with err->row. After any error
 * but SW_ENOTFOUND for a single row the transaction can only be rolled back. A write outside of a
 * write transaction, or any verb after the database has given the transaction up, answers
 * SW_EPOISONED. Steps belong to tasks, results and failures to steps that are there.
 *
 * Two implementations with one behaviour (tests/store runs on both): sqlite and memory.
 */
#ifndef SW_STORE_STORE_H
#define SW_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "stepwell/breaker.h"
#include "stepwell/engine.h"
#include "stepwell/event.h"
#include "stepwell/task.h"
#include "stepwell/types.h"

/* A step is numbered task_no << SW__STEP_BITS | index in topological order: the steps of a task
 * lie side by side. */
#define SW__STEP_BITS 20
#define SW__STEP_ID(task_no, index) (((int64_t)(task_no) << SW__STEP_BITS) | (int64_t)(index))
#define SW__STEP_TASK(step_id) ((step_id) >> SW__STEP_BITS)
#define SW__STEP_INDEX(step_id) ((step_id) & ((1 << SW__STEP_BITS) - 1))

/* What a step stands in line for. One partial index on (lane, rank, step_id) where lane <> 0
 * answers all four questions: what is ready, which timers are due, what does a worker hold, what
 * has failed. */
#define SW__LANE_NONE 0
#define SW__LANE_TIMER 1 /* rank: not before this time */
#define SW__LANE_FIRST 2 /* ready for one (queue, handler, breaker); rank: minus priority */
#define SW__LANE_DEAD INT64_MAX /* failed, and not allowed to; rank: minus the time of that */
/* running: minus the worker's number; rank: when the attempt times out, or has been silent for too
 * long; INT64_MAX for never */
/* Of a cancelled step: it was cancelled because another one failed its task (on_failure: fail_task),
 * and goes on with that one. */
#define SW__RANK_STOPPED 1

/* What a deadline is about: a step by its number, or a whole task by the number of a step that no
 * task has. */
#define SW__DEADLINE_TASK(task_no) SW__STEP_ID(task_no, SW__STEP_INDEX(-1))

/* The narrow row that changes with every transition. */
typedef struct sw__step_hot {
    int64_t step_id;
    int32_t state;
    int32_t open_deps; /* pending: dependencies that must still count (model/trigger.h) */
    int32_t attempt; /* attempts started; a released one is taken back */
    int32_t crashes; /* attempts of these that ended by a lost lease */
    int64_t epoch;
    int64_t lane;
    int64_t rank; /* in its lane; where it stands in none: pending: dependencies that are lost;
                     cancelled: SW__RANK_STOPPED or 0 */
    int64_t changed_us;
} sw__step_hot;

typedef struct sw__task_hot {
    int64_t task_no;
    int64_t workflow_no;
    sw_uuid task_id;
    int32_t state;
    int32_t priority;
    int32_t counts[SW_STEP_STATE_COUNT]; /* steps by state */
    int32_t fatal;                       /* failed steps that fail the task */
    int64_t audit_segment;               /* newest segment with an entry of this task */
    int64_t created_us;
    int64_t started_us;
    int64_t changed_us;
    int64_t deadline_us; /* given at submit, 0: none */
    int32_t state_read; /* filled by readers: spares an index where an update leaves the state */
} sw__task_hot;

/* What is written once, at submit. */
typedef struct sw__task_info {
    int64_t task_no;
    sw_str input;
    uint8_t input_salt[32];
    sw_str key;
    sw_str initiator;
    sw_str reason;
    sw_str correlation_id;
    sw_str tags; /* JSON array of strings, absent when none */
} sw__task_info;

/* The salt of the input of a task whose payloads were erased; no random one is it. */
extern const uint8_t sw__salt_erased[32];
bool sw__task_erased(const sw__task_info *info);

/* Numbers of tasks: above < task_no < below; below 0: to the newest. */
typedef struct sw__task_range {
    int64_t above;
    int64_t below;
    bool rising; /* a list starts with the oldest */
} sw__task_range;

/* An idempotency key; scope is workflow name, a zero byte, key (sw__key_scope). */
typedef struct sw__task_key {
    sw_str scope;
    int64_t task_no;
    uint8_t input_digest[32]; /* SHA-256 of the input without salt */
} sw__task_key;

typedef struct sw__workflow_rec {
    int64_t workflow_no;
    sw_str name;
    sw_str version;
    uint8_t digest[32];
    sw_str json;
    int64_t registered_us;
} sw__workflow_rec;

typedef struct sw__lane_row {
    int64_t lane;
    sw_str queue;
    sw_str handler;
    sw_str breaker; /* absent or empty: none */
} sw__lane_row;

typedef struct sw__breaker_rec {
    int64_t breaker_no; /* dense, from 1 */
    sw_breaker_row row;
} sw__breaker_rec;

typedef struct sw__payload {
    int64_t step_id;
    uint8_t salt[32];
    sw_str body;
} sw__payload;

/* The error of one attempt, known by its epoch. */
typedef struct sw__failure {
    int64_t step_id;
    int64_t epoch;
    uint8_t salt[32];
    sw_str error_class;
    sw_str message;
    sw_str detail;
} sw__failure;

/* An event that an application has appended. Its row outlives its task, so that it is found by its
 * type as long as the log has its entry; when the task is erased or pruned it keeps no more than
 * that. */
typedef struct sw__event_rec {
    int64_t entry_no;
    int64_t task_no;
    sw_str type;
    sw_str key;
    sw_str correlation_id;
    sw_str body;
    bool kept; /* salt, key, correlation id and body are there */
    uint8_t salt[32];
} sw__event_rec;

/* Which of these: numbers of entries, after < entry_no < before. */
typedef enum sw__event_by {
    SW__EVENT_BY_NUMBER,
    SW__EVENT_BY_TYPE,
    SW__EVENT_BY_CORRELATION
} sw__event_by;

typedef struct sw__event_range {
    sw__event_by by;
    bool falling;
    sw_str text; /* the type or the correlation id */
    int64_t after;
    int64_t before;
} sw__event_range;

/* When a step or a task has to have ended. */
typedef struct sw__deadline {
    int64_t subject; /* step_id, or SW__DEADLINE_TASK */
    int64_t due_us;
} sw__deadline;

typedef struct sw__worker_rec {
    int64_t worker_no;
    sw_str name;
    sw_str host;
    int64_t pid;
    uint8_t boot_id[16];
    int64_t lease_ms;
    int64_t lease_until_us;
    int32_t watched; /* 1: it holds a sign of life, so that its absence is a death */
    sw_str handlers; /* JSON array of strings */
    sw_str queues;   /* JSON array of strings, "[]" for every queue */
} sw__worker_rec;

/* One commit's entries. */
typedef struct sw__segment {
    int64_t segment_no; /* dense, from 1 */
    int64_t entry_first;
    int64_t entry_count;
    int64_t time_us;
    uint8_t previous[32]; /* hash of the segment before, zeros for the first */
    uint8_t hash[32];
    sw_str body;
} sw__segment;

/* Anchor of the store's clock: store time = base_us + (boot clock - boot_us) while boot_id holds.
 */
typedef struct sw__anchor {
    uint8_t boot_id[16];
    int64_t boot_us;
    int64_t base_us;
} sw__anchor;

/* Counters whose numbers are given out once and never again. */
typedef enum sw__sequence {
    SW__SEQUENCE_TASK,
    SW__SEQUENCE_WORKFLOW,
    SW__SEQUENCE_LANE, /* starts at SW__LANE_FIRST */
    SW__SEQUENCE_WORKER,
    SW__SEQUENCE_COUNT
} sw__sequence;

typedef struct sw__queued {
    int64_t step_id;
    int64_t rank;
} sw__queued;

typedef struct sw__store sw__store;
typedef int (*sw__step_visit)(void *context, const sw__step_hot *row, sw_error *err);
typedef int (*sw__segment_visit)(void *context, const sw__segment *segment, sw_error *err);

typedef struct sw__store_ops {
    const char *name;
    void (*close)(sw__store *store);
    /* Give up the memory of a store inherited over fork; touches no file or connection. */
    void (*forget)(sw__store *store);

    /* SW_EPOISONED when an earlier transaction cannot be ended. */
    int (*begin)(sw__store *store, bool write, sw_error *err);
    int (*commit)(sw__store *store, sw_error *err); /* on failure it has rolled back */
    void (*rollback)(sw__store *store);
    /* A number that changes when another connection or process commits; cheap. In a transaction,
     * the number of what it sees. */
    int (*version)(sw__store *store, int64_t *out, sw_error *err);

    int (*anchor_get)(sw__store *store, sw__anchor *out, sw_error *err); /* SW_ENOTFOUND at first */
    int (*anchor_put)(sw__store *store, const sw__anchor *anchor, sw_error *err);
    /* First of count new numbers. */
    int (*sequence_take)(sw__store *store, sw__sequence sequence, int64_t count, int64_t *first,
                         sw_error *err);

    int (*workflows_put)(sw__store *store, const sw__workflow_rec *rows, size_t count,
                         sw_error *err); /* a known digest: its registered_us is renewed */
    /* The one with this number (> 0); else the newest with name and version (absent: any). */
    int (*workflow_find)(sw__store *store, int64_t workflow_no, sw_str name, sw_str version,
                         sw__arena *arena, sw__workflow_rec *out, sw_error *err);
    /* By digest; SW_ENOTFOUND. */
    int (*workflow_digest_find)(sw__store *store, const uint8_t digest[32], sw__arena *arena,
                                sw__workflow_rec *out, sw_error *err);

    int (*lanes_put)(sw__store *store, const sw__lane_row *rows, size_t count, sw_error *err);
    /* Lanes above a number, ascending. */
    int (*lanes_list)(sw__store *store, int64_t above, sw__arena *arena, sw__lane_row **rows,
                      size_t *count, sw_error *err);

    /* A known breaker_no is replaced. */
    int (*breakers_put)(sw__store *store, const sw__breaker_rec *rows, size_t count, sw_error *err);
    int (*breakers_list)(sw__store *store, sw__arena *arena, sw__breaker_rec **rows, size_t *count,
                         sw_error *err); /* by breaker_no */

    int (*tasks_insert)(sw__store *store, const sw__task_hot *hot, const sw__task_info *info,
                        size_t count, sw_error *err);
    /* rows[i] for task_nos[i]; a missing one has task_no 0. */
    int (*tasks_get)(sw__store *store, const int64_t *task_nos, size_t count, sw__task_hot *rows,
                     sw_error *err);
    /* task_id, created_us and deadline_us stay what they were. */
    int (*tasks_update)(sw__store *store, const sw__task_hot *rows, size_t count, sw_error *err);
    int (*tasks_info)(sw__store *store, const int64_t *task_nos, size_t count, sw__arena *arena,
                      sw__task_info *rows, sw_error *err); /* a missing one has task_no 0 */
    /* task_nos[i] for ids[i]; 0 where there is none. */
    int (*tasks_find)(sw__store *store, const sw_uuid *ids, size_t count, int64_t *task_nos,
                      sw_error *err);
    /* A known scope names the new task from now on. */
    int (*task_keys_put)(sw__store *store, const sw__task_key *rows, size_t count, sw_error *err);
    /* rows[i].scope is given; task_no becomes 0 where there is none. */
    int (*task_keys_find)(sw__store *store, sw__task_key *rows, size_t count, sw_error *err);
    /* Matching tasks of a range by falling (or rising) number, at most filter->limit. What the
     * filter says of other tasks and of times is not looked at; the range says it in numbers. */
    int (*tasks_list)(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                      sw__arena *arena, sw__task_hot **rows, size_t *count, sw_error *err);
    int (*tasks_count)(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                       int64_t counts[SW_TASK_STATE_COUNT], sw_error *err);

    /* Take tasks out: their rows, what was written once, their tags, and their keys where these
     * still name them. Their steps, results and failures go with them, at once or bit by bit; what
     * is left of a task is its rest. SW_ENOTFOUND. */
    int (*tasks_delete)(sw__store *store, const int64_t *task_nos, size_t count, sw_error *err);
    /* Take about step_max steps out of rests, with what hangs at them; *left: whether more are
     * left. */
    int (*rests_delete)(sw__store *store, int64_t step_max, bool *left, sw_error *err);
    /* Destroy inputs, results, failures and events of tasks, with their salts and the digests of their
     * keys; the salts of the inputs become sw__salt_erased. All projections are forgotten, for they may
     * hold what was. SW_ENOTFOUND. */
    int (*tasks_erase)(sw__store *store, const int64_t *task_nos, size_t count, sw_error *err);
    /* Outside of a transaction: write the whole store anew, so that nothing of what was deleted can
     * be found in its files; *clean is false when others kept that from being done. */
    int (*scrub)(sw__store *store, bool *clean, sw_error *err);
    /* Whether something is left of a task that was taken out. */
    int (*rest_find)(sw__store *store, int64_t task_no, bool *found, sw_error *err);
    /* Give back some of the file's unused room; *bytes is how much, 0 when there is none or the
     * file cannot give any. */
    int (*shrink)(sw__store *store, int64_t *bytes, sw_error *err);

    int (*steps_insert)(sw__store *store, const sw__step_hot *rows, size_t count, sw_error *err);
    /* rows[i] for step_ids[i]; a missing one has step_id -1. */
    int (*steps_get)(sw__store *store, const int64_t *step_ids, size_t count, sw__step_hot *rows,
                     sw_error *err);
    int (*steps_update)(sw__store *store, const sw__step_hot *rows, size_t count, sw_error *err);
    /* All steps of a task (task_no > 0) or of all tasks (0), ascending. A visitor that returns 1
     * ends the walk without an error; it may read, but not start a second walk of steps. */
    int (*steps_each)(sw__store *store, int64_t task_no, sw__step_visit visit, void *context,
                      sw_error *err);
    /* The first `limit` steps of a lane with rank <= rank_max, by rank, then step_id. */
    int (*queue_scan)(sw__store *store, int64_t lane, int64_t rank_max, sw__queued *rows,
                      size_t limit, size_t *count, sw_error *err);
    /* The same for the steps of a lane behind a place in it. */
    int (*queue_after)(sw__store *store, int64_t lane, sw__queued after, int64_t rank_max,
                       sw__queued *rows, size_t limit, size_t *count, sw_error *err);

    int (*results_put)(sw__store *store, const sw__payload *rows, size_t count, sw_error *err);
    /* rows[i] for step_ids[i]; a missing one has an absent body. */
    int (*results_get)(sw__store *store, const int64_t *step_ids, size_t count, sw__arena *arena,
                       sw__payload *rows, sw_error *err);
    int (*failures_put)(sw__store *store, const sw__failure *rows, size_t count, sw_error *err);
    /* The newest failure of each step; a missing one has epoch 0. */
    int (*failures_get)(sw__store *store, const int64_t *step_ids, size_t count, sw__arena *arena,
                        sw__failure *rows, sw_error *err);

    int (*events_put)(sw__store *store, const sw__event_rec *rows, size_t count, sw_error *err);
    /* rows[i] for entry_nos[i]; a missing one has entry_no 0. */
    int (*events_get)(sw__store *store, const int64_t *entry_nos, size_t count, sw__arena *arena,
                      sw__event_rec *rows, sw_error *err);
    /* task_no and key of rows[i] are given; entry_no becomes 0 where there is none. */
    int (*events_find)(sw__store *store, sw__event_rec *rows, size_t count, sw_error *err);
    /* The first `limit` of a range, ascending or falling. */
    int (*events_scan)(sw__store *store, const sw__event_range *range, int64_t *entry_nos,
                       size_t limit, size_t *count, sw_error *err);

    /* A known name is replaced. */
    int (*projection_put)(sw__store *store, const sw_projection *row, sw_error *err);
    int (*projection_find)(sw__store *store, sw_str name, sw__arena *arena, sw_projection *out,
                           sw_error *err); /* SW_ENOTFOUND */
    int (*projections_list)(sw__store *store, sw__arena *arena, sw_projection **rows, size_t *count,
                            sw_error *err); /* by name */
    int (*projection_delete)(sw__store *store, sw_str name, sw_error *err); /* SW_ENOTFOUND */

    /* In the order of the rows, which may name a subject twice; a due_us of 0 takes it out. */
    int (*deadlines_put)(sw__store *store, const sw__deadline *rows, size_t count, sw_error *err);
    /* due_us[i] for subjects[i]; 0 where there is none. */
    int (*deadlines_get)(sw__store *store, const int64_t *subjects, size_t count, int64_t *due_us,
                         sw_error *err);
    /* The first `limit` that are due by due_max, by due_us, then subject. */
    int (*deadlines_due)(sw__store *store, int64_t due_max, sw__deadline *rows, size_t limit,
                         size_t *count, sw_error *err);

    int (*worker_put)(sw__store *store, const sw__worker_rec *row, sw_error *err);
    int (*worker_renew)(sw__store *store, int64_t worker_no, int64_t lease_until_us,
                        sw_error *err);                                       /* SW_ENOTFOUND */
    int (*worker_delete)(sw__store *store, int64_t worker_no, sw_error *err); /* if it is there */
    int (*workers_list)(sw__store *store, sw__arena *arena, sw__worker_rec **rows, size_t *count,
                        sw_error *err);

    int (*segment_put)(sw__store *store, const sw__segment *segment, sw_error *err);
    /* The newest without its body; segment_no 0 when the log is empty. */
    int (*segment_last)(sw__store *store, sw__segment *out, sw_error *err);
    int (*segment_get)(sw__store *store, int64_t segment_no, sw__arena *arena, sw__segment *out,
                       sw_error *err); /* SW_ENOTFOUND */
    /* From the segment that holds entry_no (1: from the first), ascending; the visitor's body is
     * borrowed. A visitor that returns 1 ends the walk without an error. */
    int (*segments_each)(sw__store *store, int64_t entry_no, sw__segment_visit visit, void *context,
                         sw_error *err);
} sw__store_ops;

/* XX(verb): the vtable again, for declaring and listing an implementation's functions. */
#define SW__STORE_VERB_MAP(XX)                                                                     \
    XX(close)                                                                                      \
    XX(forget)                                                                                     \
    XX(begin)                                                                                      \
    XX(commit)                                                                                     \
    XX(rollback)                                                                                   \
    XX(version)                                                                                    \
    XX(anchor_get)                                                                                 \
    XX(anchor_put)                                                                                 \
    XX(sequence_take)                                                                              \
    XX(workflows_put)                                                                              \
    XX(workflow_find)                                                                              \
    XX(workflow_digest_find)                                                                       \
    XX(lanes_put)                                                                                  \
    XX(lanes_list)                                                                                 \
    XX(breakers_put)                                                                               \
    XX(breakers_list)                                                                              \
    XX(tasks_insert)                                                                               \
    XX(tasks_get)                                                                                  \
    XX(tasks_update)                                                                               \
    XX(tasks_info)                                                                                 \
    XX(tasks_find)                                                                                 \
    XX(task_keys_put)                                                                              \
    XX(task_keys_find)                                                                             \
    XX(tasks_list)                                                                                 \
    XX(tasks_count)                                                                                \
    XX(tasks_delete)                                                                               \
    XX(rests_delete)                                                                               \
    XX(tasks_erase)                                                                                \
    XX(scrub)                                                                                      \
    XX(rest_find)                                                                                  \
    XX(shrink)                                                                                     \
    XX(steps_insert)                                                                               \
    XX(steps_get)                                                                                  \
    XX(steps_update)                                                                               \
    XX(steps_each)                                                                                 \
    XX(queue_scan)                                                                                 \
    XX(queue_after)                                                                                \
    XX(results_put)                                                                                \
    XX(results_get)                                                                                \
    XX(failures_put)                                                                               \
    XX(failures_get)                                                                               \
    XX(events_put)                                                                                 \
    XX(events_get)                                                                                 \
    XX(events_find)                                                                                \
    XX(events_scan)                                                                                \
    XX(projection_put)                                                                             \
    XX(projection_find)                                                                            \
    XX(projections_list)                                                                           \
    XX(projection_delete)                                                                          \
    XX(deadlines_put)                                                                              \
    XX(deadlines_get)                                                                              \
    XX(deadlines_due)                                                                              \
    XX(worker_put)                                                                                 \
    XX(worker_renew)                                                                               \
    XX(worker_delete)                                                                              \
    XX(workers_list)                                                                               \
    XX(segment_put)                                                                                \
    XX(segment_last)                                                                               \
    XX(segment_get)                                                                                \
    XX(segments_each)

#define SW__STORE_VERB_COUNT(verb) +1
_Static_assert(sizeof(sw__store_ops) ==
                   (1 SW__STORE_VERB_MAP(SW__STORE_VERB_COUNT)) * sizeof(void (*)(void)),
               "SW__STORE_VERB_MAP names every function of the vtable");
#undef SW__STORE_VERB_COUNT

/* Every implementation's struct starts with this. */
struct sw__store {
    const sw__store_ops *ops;
    const sw_env *env;
};

typedef struct sw__store_options {
    sw_str path; /* for sqlite */
    int durability;
    int64_t busy_timeout_ms;
    bool must_exist;
    const sw_env *env;
} sw__store_options;

int sw__store_sqlite_open(const sw__store_options *options, sw__store **out, sw_error *err);
int sw__store_memory_open(const sw__store_options *options, sw__store **out, sw_error *err);
/* Version of the schema this build writes. */
int sw__store_schema_version(void);

#endif
