/* The audit log: every transition, in the transaction that made it, in a SHA-256 chain.
 *
 * Entries are packed into one segment per commit; a segment's hash covers its predecessor's.
 * Level proved: integrity (L1). Somebody who can write the database and recompute the chain is
 * found with signed checkpoints only (L2, checkpoint.h), and one who has the key, too, with anchors
 * (L3, anchor.h).
 */
#ifndef STEPWELL_AUDIT_H
#define STEPWELL_AUDIT_H

#include "engine.h"
#include "error.h"
#include "types.h"

#define SW_AUDIT_KIND_MAP(XX)                                                                      \
    XX(WORKFLOW_REGISTERED, 1, "workflow_registered")                                              \
    XX(TASK_SUBMITTED, 2, "task_submitted")                                                        \
    XX(TASK_CHANGED, 3, "task_changed")                                                            \
    XX(STEP_CHANGED, 4, "step_changed")                                                            \
    XX(STEP_FENCED, 5, "step_fenced")                                                              \
    XX(WORKER_OPENED, 6, "worker_opened")                                                          \
    XX(WORKER_CLOSED, 7, "worker_closed")                                                          \
    XX(WORKER_LOST, 8, "worker_lost")                                                              \
    XX(TASK_PRUNED, 9, "task_pruned")                                                              \
    XX(BREAKER_CHANGED, 10, "breaker_changed")                                                     \
    XX(TASK_ERASED, 11, "task_erased")                                                             \
    XX(EVENT, 12, "event")

typedef enum sw_audit_kind {
#define SW_ENUM_VALUE(name, value, text) SW_AUDIT_##name = value,
    SW_AUDIT_KIND_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_AUDIT_KIND_COUNT = 12
} sw_audit_kind;

/* One entry. Fields that a kind does not have are 0 or absent. */
typedef struct sw_audit_entry {
    int64_t entry_no; /* dense, from 1 */
    int64_t time_us;
    int32_t kind;    /* sw_audit_kind */
    int32_t from;    /* state before (of the step, task or breaker) */
    int32_t to;      /* state after */
    int32_t attempt; /* BREAKER_CHANGED: failures in a row that led to it */
    int64_t epoch;   /* BREAKER_CHANGED: time until which it is open, 0 for none */
    int64_t step_id;
    int64_t worker_id;
    sw_uuid task_id;
    sw_str step;   /* name */
    sw_str actor;  /* who: initiator, operator, worker name; absent for the engine itself */
    sw_str reason; /* why: "retry", "attempts used up", "released", "lease expired",
                      "worker died", "timeout", "heartbeat missed", "worker closed", ..., or the
                      operator's words */
    sw_str subject; /* TASK_SUBMITTED: the definition's digest in hex; WORKFLOW_REGISTERED: its
                       name and version; WORKER_OPENED: host and process number; STEP_CHANGED: error class;
                       BREAKER_CHANGED: its name; EVENT: its type (event.h) */
    sw_str digest; /* 32 bytes: SHA-256(salt || payload) of the input, result, error or event;
                      the definition's digest for WORKFLOW_REGISTERED */
} sw_audit_entry;

/* How much a verification proved, beginning with nothing. INTEGRITY: the log holds together and
 * agrees with the state. SIGNED: besides, its beginning is what checkpoints signed. ANCHORED:
 * besides, somebody outside holds such a checkpoint (anchor.h). */
#define SW_AUDIT_LEVEL_MAP(XX)                                                                     \
    XX(NONE, 0, "none")                                                                            \
    XX(INTEGRITY, 1, "integrity")                                                                  \
    XX(SIGNED, 2, "signed")                                                                        \
    XX(ANCHORED, 3, "anchored")

typedef enum sw_audit_level {
#define SW_ENUM_VALUE(name, value, text) SW_AUDIT_##name = value,
    SW_AUDIT_LEVEL_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_AUDIT_LEVEL_COUNT = 4
} sw_audit_level;

/* What a verification found. ok is 1 when nothing is wrong. */
typedef struct sw_audit_report {
    uint32_t size;
    int32_t ok;
    int64_t entry_count;
    int64_t segment_count;
    int64_t step_count;     /* steps whose history was replayed and compared with the state rows */
    int64_t commit_count;   /* attempts whose outcome was committed */
    int64_t fenced_count;   /* reports of superseded attempts that were refused */
    int64_t reclaim_count;  /* attempts ended by a lost lease, a timeout, a deadline or
                               silence */
    int64_t first_bad_entry; /* 0 when none */
    int64_t last_bad_entry;  /* end of the range that cannot be trusted */
    char head[65];           /* hash of the last segment, hex */
    char message[512];       /* what is wrong, or what was proved */
    int32_t level;           /* sw_audit_level */
    int64_t signed_count;    /* entries that a checkpoint covers, from the first on; the others are
                                the unsealed tail */
    char root[65];           /* of the tree of all entries, hex; empty without checkpoints */
    int64_t pruned_count;    /* tasks that were pruned: replayed, and without rows */
    int64_t erased_count;    /* tasks that were erased: replayed, and without payloads */
    int64_t anchored_count;  /* entries that an anchor covers, from the first on */
    int64_t anchored_us;     /* when the newest anchor was set, as it says; 0 without anchors */
} sw_audit_report;

#define SW_AUDIT_REPORT_INIT {.size = sizeof(sw_audit_report)}

SW_BEGIN_DECLS

/* Name of a kind, "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_audit_kind_name(int kind);

/* Name of a level in lower case ("signed"), "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_audit_level_name(int level);

/* Recompute the chain, replay every step's history against the transition table (no outcome of a
 * superseded attempt, nothing after the end, epochs only grow) and compare with the state rows. A
 * task that was pruned has no rows, one that was erased no payloads; their history is replayed all
 * the same. A payload that is there although its task was erased is found.
 *
 * owns:    report is borrowed until return; set report->size first.
 * threads: any thread, concurrently.
 * blocks:  disk; reads the whole log.
 * errors:  SW_EAUDIT (report says where and what), SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_verify(sw_engine *engine, sw_audit_report *report, sw_error *err);

/* The entries of one task, oldest first; sw_audit_entries reads them.
 *
 * owns:    task_id is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_ENOTFOUND, SW_EAUDIT (an entry cannot be read), SW_EBUSY, SW_EIO, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_audit_task(sw_engine *engine, const sw_uuid *task_id, sw_result **out, sw_error *err);

/* Entries of the whole log from entry_no on, at most limit; sw_audit_entries reads them.
 *
 * owns:    *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EAUDIT, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_list(sw_engine *engine, int64_t entry_no, int64_t limit, sw_result **out,
                         sw_error *err);

/* Rows of a result of sw_audit_task or sw_audit_list.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_audit_entry *sw_audit_entries(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
