/* Honest audit logs for tests: a store, one definition, and moves of its steps that write state
 * rows, payloads and entries together, as the engine does, but one at a time and by hand. And the
 * hand of an attacker, who changes segments behind the store's back.
 *
 *     audit_log log;
 *     audit_log_open(&log, AUDIT_LOG_DIAMOND);
 *     audit_log_begin(&log);
 *     int64_t task = audit_log_submit(&log, "{\"n\":1}");
 *     audit_log_commit(&log);
 */
#ifndef HELPER_AUDIT_LOG_H
#define HELPER_AUDIT_LOG_H

#include "audit/audit.h"
#include "model/workflow.h"

/* top, then left and right (which may fail: on_failure continue), then bottom. */
extern const char AUDIT_LOG_DIAMOND[];

typedef struct audit_log {
    sw__store *store;
    sw__hasher *hasher;
    sw__audit audit;
    sw_workflow *workflow;
    int64_t workflow_no;
    int64_t now_us;
    uint64_t seed; /* of the random history */
    int64_t first_played; /* its first task, and how many there are */
    int played;
    /* for the attacker */
    sw__store_ops ops;
    const sw__store_ops *honest;
    sw__arena *arena;
    sw__segment *segments;
    size_t segment_count;
} audit_log;

void audit_log_open(audit_log *log, const char *definition);
void audit_log_close(audit_log *log);

void audit_log_begin(audit_log *log);
void audit_log_commit(audit_log *log);

/* Each of these belongs between begin and commit. */
int64_t audit_log_submit(audit_log *log, const char *input); /* input NULL: none */
/* Move a step, with its counts and its payload: a result when it succeeds, an error when an
 * attempt fails. */
void audit_log_move(audit_log *log, int64_t task_no, int index, int to, const char *reason);
void audit_log_move_task(audit_log *log, int64_t task_no, int to, const char *actor);
void audit_log_fence(audit_log *log, int64_t task_no, int index, int64_t epoch);
/* An entry as it is; task_no 0 for none. */
void audit_log_add(audit_log *log, const sw_audit_entry *entry, int64_t task_no);

/* A task whose first step runs its second attempt, under epoch 2. */
int64_t audit_log_second_attempt(audit_log *log);
/* A STEP_CHANGED entry that starts from what the rows say; the test sets where it leads. */
sw_audit_entry audit_log_entry(audit_log *log, int64_t task_no, int index);
/* One task from submission to success, each step in a transaction of its own: 12 segments. */
int64_t audit_log_run(audit_log *log);
/* tasks random but honest histories: retries, lost leases, releases, fenced reports, failures. */
void audit_log_play(audit_log *log, int tasks);
/* The same, as it is after so many transactions; all are AUDIT_LOG_ROUNDS + tasks. */
#define AUDIT_LOG_ROUNDS 12
void audit_log_play_rounds(audit_log *log, int tasks, int rounds);
/* Prune the played tasks that have ended, in one transaction; how many. */
int audit_log_prune(audit_log *log);

sw__task_hot audit_log_task(audit_log *log, int64_t task_no);
sw__step_hot audit_log_step(audit_log *log, int64_t task_no, int index);
/* Change a row without an entry. */
void audit_log_put_task(audit_log *log, const sw__task_hot *row);
void audit_log_put_step(audit_log *log, const sw__step_hot *row);

int audit_log_verify(audit_log *log, sw_audit_report *report);
/* The same with what is trusted, or NULL, and by so many threads. */
int audit_log_verify_by(audit_log *log, const sw_audit_trust *trust, int32_t jobs,
                        sw_audit_report *report, sw_error *err);
/* By one thread and by two, which must answer alike. */
int audit_log_verify_alike(audit_log *log, const sw_audit_trust *trust, sw_audit_report *report);
/* The log verifies; something is found, and the report has these words. */
void audit_log_is_honest(audit_log *log);
void audit_log_is_detected(audit_log *log, const char *words);

/* Setup and teardown of a test on a diamond log; *state is the audit_log. */
int audit_log_setup(void **state);
int audit_log_teardown(void **state);

/* The attacker: copies every segment into log->segments; from then on the store shows these. A
 * second time for the same log: its turn again, after another one was attacked. */
void audit_log_attack(audit_log *log);
/* Make hashes right again from segments[at] on. */
void audit_log_rehash(audit_log *log, size_t at);
/* Rewrite segments[at] with its entries in another order, by their places from 0; one may be left
 * out or stand there several times. */
void audit_log_reorder(audit_log *log, size_t at, const int64_t *order, size_t count);
/* Rewrite segments[at] with each entry passed through edit, which answers whether it stays. */
void audit_log_edit(audit_log *log, size_t at, bool (*edit)(sw_audit_entry *entry));

#endif
