/* The state machine of every task and step, driven by the log alone.
 *
 * Each entry must be a move that the engine could have made (moves.c), each payload must be the one
 * its entry sealed (payload.c), and what comes out at the end must be what the rows of the store
 * say (compare.c). Memory grows with the number of steps, not of entries.
 *
 * Functions answer SW_EAUDIT when they have raised a doubt; then err is not filled. */
#ifndef SW_AUDIT_REPLAY_H
#define SW_AUDIT_REPLAY_H

#include "audit/doubt.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "model/trigger.h"
#include "model/workflow.h"
#include "store/store.h"

/* A step as the entries so far say. */
typedef struct sw__replay_step {
    int64_t epoch;
    int64_t entry_no; /* the newest about it, 0 for none */
    int64_t error_epoch; /* an error in the store that no entry has sealed yet, 0 for none */
    int32_t attempt;
    uint32_t crashes : 26; /* attempts ended by a lost lease */
    uint32_t state : 5;
    uint32_t met : 1; /* its row was met by the comparison */
} sw__replay_step;

/* What an entry says about a payload in the store. Texts point into the segment's body, after it
 * into the replay's own memory. */
typedef enum sw__seal_kind {
    SW__SEAL_INPUT,
    SW__SEAL_RESULT,
    SW__SEAL_FAILURE,
    SW__SEAL_EVENT
} sw__seal_kind;

typedef struct sw__seal {
    sw__seal_kind kind;
    int64_t key;   /* task_no of an input, entry_no of an event, else step_id */
    int64_t epoch; /* of a failure */
    int64_t entry_no;
    sw_str digest; /* absent: there is no payload */
    sw_str actor;  /* of an input */
    sw_str reason; /* of an input */
    struct sw__replay_task *task;
    sw_str type; /* of an event */
} sw__seal;

typedef struct sw__replay_task {
    struct sw__replay_task *next;
    int64_t task_no;
    int64_t segment_no; /* newest that has an entry of it */
    int64_t entry_no;   /* newest about the task itself */
    sw_uuid task_id;
    int32_t state;
    bool met;                    /* its row was met by the comparison */
    bool pruned;                 /* it has no rows, and nothing happens to it any more */
    int64_t erased_entry_no;     /* it has no payloads since, and is not taken up again; or 0 */
    int64_t kept_entry_no;       /* sealed a payload that the store has; or 0 */
    const sw_workflow *workflow; /* NULL until it was submitted */
    sw__replay_step *steps;
    const char *lost; /* NULL, or what is wrong with a payload, unless the task was pruned or erased
                         later */
    int64_t lost_key;
    int64_t lost_entry_no;
    sw__seal_kind lost_kind;
} sw__replay_task;

/* A circuit breaker. */
typedef struct sw__replay_breaker {
    struct sw__replay_breaker *next;
    sw_str name;
    int64_t entry_no;       /* newest about its state, 0 for none */
    int64_t since_entry_no; /* the first entry of that time: attempts from there on count */
    int64_t until_us;
    int32_t state;
    int32_t failures;
    int32_t successes;
    int32_t probing;
    int32_t openings;
    int32_t forced;
    bool met; /* its row was met by the comparison */
} sw__replay_breaker;

typedef struct sw__replay {
    sw__store *store;
    sw__hasher *hasher;
    const sw_env *env;
    sw__arena *arena;     /* of the records */
    sw__arena *scratch;   /* of rows that are held against them, a page at a time */
    sw__arena *sealed;    /* of what the seals of earlier segments say */
    size_t sealed_size;   /* its bytes */
    sw__map tasks;        /* task_no to sw__replay_task* */
    sw__strmap workflows; /* hex digest to sw_workflow* */
    sw__map workers;      /* worker_id to 1 while it is open, 0 after */
    int64_t worker_count; /* of the open ones */
    sw__strmap breakers;  /* name to sw__replay_breaker* */
    sw__replay_breaker *breaker_first;
    int64_t time_us;       /* of the entry at hand */
    int64_t time_entry_no; /* the first entry of this time */
    sw__replay_task *first;
    sw__replay_task **next;
    sw__buf places; /* sw__replay_task* by place of the segment being read */
    sw__buf seals;  /* sw__seal of payloads that wait to be compared, as the log has them */
    sw__buf order;  /* const sw__seal*, as the store has them */
    sw__doubt doubt;
    int64_t step_count;
    int64_t commit_count;
    int64_t fenced_count;
    int64_t reclaim_count;
    int64_t pruned_count;
    int64_t erased_count;
    int64_t event_count; /* appended by applications */
} sw__replay;

/* 0 or SW_ENOMEM; free in any case. */
int sw__replay_init(sw__replay *replay, sw__store *store, sw__hasher *hasher, const sw_env *env);
void sw__replay_free(sw__replay *replay);

/* Follow every entry of the next segment, whose hash has been checked. The payloads that it seals
 * may wait for those of later ones. */
int sw__replay_segment(sw__replay *replay, const sw__segment *segment, sw_error *err);
/* No segment is followed any more: compare the payloads that wait. Their segments come before
 * whatever has raised a doubt so far, so that one of theirs takes its place, and its end. */
int sw__replay_settle(sw__replay *replay, sw_error *err);
/* Hold the replayed states against the store; last is the log's newest segment. */
int sw__replay_compare(sw__replay *replay, const sw__segment *last, sw_error *err);

/* The definition with this digest in hex, checked against it; entry_no is the entry that needs
 * it. */
int sw__replay_workflow(sw__replay *replay, sw_str digest_hex, int64_t entry_no,
                        const sw_workflow **out, sw_error *err);
/* The record of a task, or NULL. */
sw__replay_task *sw__replay_task_find(const sw__replay *replay, int64_t task_no);
/* How the dependencies of a step stand. */
sw__tally sw__replay_count(const sw__replay_task *task, size_t index);

/* One entry; task is NULL for an entry without one. */
int sw__replay_move(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                    sw_error *err);
/* A change of a breaker; a step that names one starts or stops running (before its record is
 * changed); the rows at the end of the log. */
int sw__replay_breaker_changed(sw__replay *replay, const sw_audit_entry *entry, sw_error *err);
int sw__replay_breaker_moved(sw__replay *replay, const sw__replay_step *step, sw_str name,
                             const sw_audit_entry *entry, sw_error *err);
int sw__replay_breakers(sw__replay *replay, int64_t entry_last, sw_error *err);
/* event.c: an appended event; its payload beside the rows of the store; no rows beyond them. */
int sw__replay_event(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                     const char **why);
int sw__replay_event_rows(sw__replay *replay, const sw__seal *const *seals,
                          const int64_t *entry_nos, size_t count, sw__arena *arena, sw_error *err);
int sw__replay_events(sw__replay *replay, int64_t entry_last, sw_error *err);
/* The seals from this offset on are of a segment that was followed to its end: compare those that
 * wait once there are enough, else keep what they say. A payload that is missing is remembered with
 * its task, which may turn out to have been pruned. */
int sw__replay_payloads(sw__replay *replay, size_t offset, sw_error *err);
/* Compare one payload of a seal, of which present says whether the store has it. */
int sw__replay_payload(sw__replay *replay, const sw__seal *seal, bool present,
                       const uint8_t salt[32], const sw_str *parts, size_t part_count,
                       sw_error *err);
/* At the end of the log: a payload of this task is missing, or is there although it was erased.
 * Raises the doubt. */
int sw__replay_lost(sw__replay *replay, const sw__replay_task *task);
int sw__replay_kept(sw__replay *replay, const sw__replay_task *task);

#endif
