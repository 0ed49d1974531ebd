/* Operations: where tasks stand, what to do about them, and doing it, in the words that Tasker's
 * users know.
 *
 * Not here: one task as stored (task.h), why a step does not run in sentences (step.h).
 */
#ifndef STEPWELL_OPS_H
#define STEPWELL_OPS_H

#include "engine.h"
#include "error.h"
#include "types.h"

/* How a task goes on; the first that holds.
 * HAS_READY_STEPS: a worker may take a step now, whatever else has failed.
 * PROCESSING: steps run.
 * WAITING_FOR_DEPENDENCIES: what goes on next waits, for its next attempt or an event.
 * ALL_COMPLETE: every step succeeded, was resolved or skipped, or may fail (on_failure: continue).
 * BLOCKED_BY_FAILURES: nothing goes on by itself, because steps have failed or were cancelled. */
#define SW_EXECUTION_STATUS_MAP(XX)                                                                \
    XX(HAS_READY_STEPS, 0, "has_ready_steps")                                                      \
    XX(PROCESSING, 1, "processing")                                                                \
    XX(BLOCKED_BY_FAILURES, 2, "blocked_by_failures")                                              \
    XX(ALL_COMPLETE, 3, "all_complete")                                                            \
    XX(WAITING_FOR_DEPENDENCIES, 4, "waiting_for_dependencies")

/* What an execution status asks for, one to one and in the same order.
 * HANDLE_FAILURES: retry, resolve or skip what blocks the task, or leave it.
 * FINALIZE_TASK: nothing; the engine has ended the task together with its last step. */
#define SW_RECOMMENDED_ACTION_MAP(XX)                                                              \
    XX(EXECUTE_READY_STEPS, 0, "execute_ready_steps")                                              \
    XX(WAIT_FOR_COMPLETION, 1, "wait_for_completion")                                              \
    XX(HANDLE_FAILURES, 2, "handle_failures")                                                      \
    XX(FINALIZE_TASK, 3, "finalize_task")                                                          \
    XX(WAIT_FOR_DEPENDENCIES, 4, "wait_for_dependencies")

/* HEALTHY: nothing is wrong. RECOVERING: the task goes on, though an attempt has failed or a step
 * was cancelled. BLOCKED: it goes on only when somebody does something. */
#define SW_HEALTH_STATUS_MAP(XX)                                                                   \
    XX(HEALTHY, 0, "healthy")                                                                      \
    XX(RECOVERING, 1, "recovering")                                                                \
    XX(BLOCKED, 2, "blocked")

/* How a batch is written. ALL_OR_NOTHING: one row that is refused refuses all. PARTIAL: the other
 * rows are written, in one transaction all the same. */
#define SW_BATCH_MODE_MAP(XX)                                                                      \
    XX(ALL_OR_NOTHING, 0, "all_or_nothing")                                                        \
    XX(PARTIAL, 1, "partial")

/* Tasker's states of a step; the Rails engine has pending, in_progress, complete, error, cancelled
 * and resolved_manually. */
#define SW_TASKER_STATE_MAP(XX)                                                                    \
    XX(PENDING, 0, "pending")                                                                      \
    XX(ENQUEUED, 1, "enqueued")                                                                    \
    XX(IN_PROGRESS, 2, "in_progress")                                                              \
    XX(ENQUEUED_FOR_ORCHESTRATION, 3, "enqueued_for_orchestration")                                \
    XX(ENQUEUED_AS_ERROR, 4, "enqueued_as_error_for_orchestration")                                \
    XX(WAITING_FOR_RETRY, 5, "waiting_for_retry")                                                  \
    XX(COMPLETE, 6, "complete")                                                                    \
    XX(ERROR, 7, "error")                                                                          \
    XX(CANCELLED, 8, "cancelled")                                                                  \
    XX(RESOLVED_MANUALLY, 9, "resolved_manually")

/* Tasker's two rules: of the Rails engine, and of tasker-core. */
#define SW_TASKER_RULE_MAP(XX)                                                                     \
    XX(RAILS, 0, "rails")                                                                          \
    XX(CORE, 1, "core")

typedef enum sw_tasker_state {
#define SW_ENUM_VALUE(name, value, text) SW_TASKER_##name = value,
    SW_TASKER_STATE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_TASKER_STATE_COUNT = 10
} sw_tasker_state;

typedef enum sw_tasker_rule {
#define SW_ENUM_VALUE(name, value, text) SW_TASKER_##name = value,
    SW_TASKER_RULE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_TASKER_RULE_COUNT = 2
} sw_tasker_rule;

/* A column that is NULL in Tasker's tables. */
#define SW_TASKER_NULL (-1)

/* A step as Tasker's tables have it. Numbers may be SW_TASKER_NULL. */
typedef struct sw_tasker_step {
    int32_t state; /* sw_tasker_state */
    int32_t processed;
    int32_t in_process;
    int32_t retryable;
    int64_t attempts;
    int64_t retry_limit; /* of the Rails engine; max_attempts of tasker-core */
    int64_t backoff_request_seconds;
    int64_t last_attempted_us;
    int64_t failed_us;      /* of the current (Rails) or last (core) error */
    const int32_t *parents; /* indices of the steps it depends on */
    size_t parent_count;
} sw_tasker_step;

/* What Tasker's row of a step says. */
typedef struct sw_tasker_readiness {
    int32_t dependencies_satisfied;
    int32_t retry_eligible;
    int32_t ready; /* ready_for_execution */
    int32_t total_parents;
    int32_t completed_parents;
    int32_t reserved;
    int64_t next_retry_us; /* end of the waits, also when it is over; SW_TASKER_NULL: none */
} sw_tasker_readiness;

typedef enum sw_execution_status {
#define SW_ENUM_VALUE(name, value, text) SW_EXECUTION_##name = value,
    SW_EXECUTION_STATUS_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_EXECUTION_STATUS_COUNT = 5
} sw_execution_status;

typedef enum sw_recommended_action {
#define SW_ENUM_VALUE(name, value, text) SW_ACTION_##name = value,
    SW_RECOMMENDED_ACTION_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_RECOMMENDED_ACTION_COUNT = 5
} sw_recommended_action;

typedef enum sw_health_status {
#define SW_ENUM_VALUE(name, value, text) SW_HEALTH_##name = value,
    SW_HEALTH_STATUS_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_HEALTH_STATUS_COUNT = 3
} sw_health_status;

typedef enum sw_batch_mode {
#define SW_ENUM_VALUE(name, value, text) SW_BATCH_##name = value,
    SW_BATCH_MODE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_BATCH_MODE_COUNT = 2
} sw_batch_mode;

/* Where a task stands. Lists of steps hold names in topological order, unless they say another. */
typedef struct sw_task_context_row {
    sw_uuid task_id;
    sw_str workflow;
    sw_str version;
    int32_t state;              /* sw_task_state */
    int32_t execution_status;   /* sw_execution_status */
    int32_t recommended_action; /* sw_recommended_action */
    int32_t health_status;      /* sw_health_status */
    int64_t step_count;
    int64_t step_counts[9]; /* by sw_step_state; their sum is step_count */
    int64_t ready_count;    /* ready steps whose time has come; the others wait for a retry or a
                               circuit breaker */
    int64_t next_retry_us;  /* when the next of these may start, 0: none waits */
    /* Steps that count as done for those that depend on them, of 100, cut to two digits: 100 only
     * when that is every step. */
    double completion_percentage;
    const sw_str *next_steps; /* ready, their time has come; as workers get them: by priority */
    size_t next_step_count;
    const sw_str *blocking_steps; /* failed for good (unless they may fail), or cancelled */
    size_t blocking_step_count;
    const sw_str *blocked_steps; /* pending, and cannot go on by themselves because of these */
    size_t blocked_step_count;
    int64_t deadline_us;      /* by when it has to end, 0: by no time */
    int64_t next_deadline_us; /* the first deadline to pass of those of the task and of its steps,
                                 0: none will */
} sw_task_context_row;

/* Whether a step may start. Counts are those of direct dependencies. */
typedef struct sw_step_readiness_row {
    int64_t step_id;
    sw_str step;
    int32_t state;                  /* sw_step_state */
    int32_t reason;                 /* sw_reason, see sw_step_readiness */
    int32_t ready;                  /* 1: a worker may take it now */
    int32_t dependencies_satisfied; /* 1: its trigger rule is met */
    int32_t retry_eligible;         /* 1: it has not ended, and an attempt may still start */
    int32_t attempts;               /* that count: not those ended by a lost lease */
    int32_t max_attempts;
    int32_t total_parents;
    int32_t completed_parents; /* that count for its trigger rule */
    int32_t reserved;
    int64_t next_retry_us; /* a retry waits until then, 0 otherwise */
} sw_step_readiness_row;

/* A step to bring into another state by hand. */
typedef struct sw_step_override_row {
    int64_t step_id;
    int32_t state; /* sw_step_state to bring it into */
    int32_t reserved;
    sw_str actor;  /* who, for the audit log */
    sw_str reason; /* why, for the audit log */
    sw_str result; /* RESOLVED: JSON that dependents read; absent means null */
} sw_step_override_row;

/* What became of a row. */
typedef struct sw_step_overridden {
    int64_t step_id;
    int32_t status; /* sw_row_status: APPLIED or REFUSED */
    int32_t code;   /* 0, or why it was refused: SW_ENOTFOUND, SW_ESTATE */
    int32_t from;   /* sw_step_state before the row, -1 when there is no such step */
    int32_t state;  /* sw_step_state after the call, -1 likewise */
    sw_str message; /* why it was refused, absent when it was applied */
} sw_step_overridden;

/* Which tasks to prune: those that have ended, and everything else that is said of them. */
typedef struct sw_prune_options {
    uint32_t size;
    int32_t dry_run;            /* 1: count, and change nothing */
    int64_t finished_before_us; /* only tasks that ended before this time; required */
    sw_str workflow;            /* name; absent: of every workflow */
    const int32_t *states;      /* sw_task_state, in which a task ends */
    size_t state_count;         /* 0: every state in which a task ends */
    int64_t limit;              /* tasks at most; 0: all */
    sw_str actor;               /* who, for the audit log; absent: "operator" */
    sw_str reason;              /* why, for the audit log */
} sw_prune_options;

#define SW_PRUNE_OPTIONS_INIT {.size = sizeof(sw_prune_options)}

/* What was pruned, or would be. */
typedef struct sw_prune_report {
    uint32_t size;
    int32_t reserved;
    int64_t task_count;
    int64_t step_count;  /* of these tasks */
    int64_t freed_bytes; /* by which the database file becomes smaller */
} sw_prune_report;

#define SW_PRUNE_REPORT_INIT {.size = sizeof(sw_prune_report)}

SW_BEGIN_DECLS

/* Name of a status, action, mode, state or rule in lower case, "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_execution_status_name(int status);
SW_API const char *sw_recommended_action_name(int action);
SW_API const char *sw_health_status_name(int status);
SW_API const char *sw_batch_mode_name(int mode);
SW_API const char *sw_tasker_state_name(int state);
SW_API const char *sw_tasker_rule_name(int rule);

/* Number of the mode, state or rule with this name, or SW_ENOTFOUND.
 *
 * owns:    name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND.
 */
SW_API int sw_batch_mode_find(sw_str name);
SW_API int sw_tasker_state_find(sw_str name);
SW_API int sw_tasker_rule_find(sw_str name);

/* Where tasks stand: Tasker's get_task_execution_context, for many tasks at one moment.
 * sw_task_contexts reads the rows. Takes O(steps) and, in a task with failed or cancelled steps,
 * O(dependencies) for each.
 *
 * owns:    task_ids are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  with err->row: SW_ENOTFOUND; SW_EINVAL, SW_ELIMIT, SW_EBUSY, SW_EIO, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_task_context(sw_engine *engine, const sw_uuid *task_ids, size_t task_count,
                           sw_result **out, sw_error *err);

/* Rows of a result of sw_task_context, in the order of its input.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_task_context_row *sw_task_contexts(const sw_result *result, size_t *count);

/* Whether each step of a task may start, in topological order: Tasker's discover_viable_steps.
 * sw_readiness_rows reads the rows. The reason is QUEUED for a step that is ready, NOT_BEFORE while
 * it waits for its retry, BREAKER_OPEN while its circuit breaker keeps it, OPEN_DEPENDENCY, FAILED_DEPENDENCY behind a step that has failed or was
 * cancelled, at whatever distance, RUNNING, ATTEMPTS_USED_UP, CRASHES_USED_UP, FAILED_FOR_GOOD, or
 * ENDED.
 * sw_step_explain says more: which dependencies, and whether a worker handles the step. Takes
 * O(steps) and, in a task with failed or cancelled steps, O(dependencies).
 *
 * owns:    task_id is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_ENOTFOUND, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_step_readiness(sw_engine *engine, const sw_uuid *task_id, sw_result **out,
                             sw_error *err);

/* Rows of a result of sw_step_readiness.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_step_readiness_row *sw_readiness_rows(const sw_result *result, size_t *count);

/* Bring steps into other states by hand, in one transaction: Tasker's batch_update_step_states.
 *
 * It is the operator's verb beside sw_step_update_batch, in which workers report the attempts that
 * they hold. Each row is checked against the transition table (sw_step_transitions, SW_BY_OPERATOR)
 * and what the rows before it have brought about, and is audited with its actor and reason.
 *   READY      a failed, skipped or cancelled step whose trigger rule is met may start (again) at
 *              once: for the attempts that are left, or one more.
 *   PENDING    a skipped or cancelled step whose rule is not met waits for its dependencies again.
 *   SKIPPED    it is left out.
 *   RESOLVED   it was done by other means: as if it had succeeded. It may have a result, which the
 *              log keeps the digest of.
 *   CANCELLED  it does not start any more; a running attempt is fenced.
 * What follows for the steps that depend on it is what their trigger rules say (sw_trigger): those
 * that cannot start any more are skipped. These stay so when it is taken up again, until they are
 * taken up themselves; one that has begun because of its end keeps it from being taken up. With the
 * last failed step that stops its task (on_failure fail_task) goes on, after all rows, what was
 * cancelled because of such a failure: it becomes READY or PENDING with the actor and the reason of
 * the row, unless its own rule cannot be met any more, or the task was then cancelled or late. A task
 * that had failed or was cancelled goes on; one that has succeeded refuses every change. When
 * nothing of a task can go on it ends, as failed if a step of it has failed, was cancelled or still
 * waits. sw_step_overrides reads the rows of the answer.
 *
 * owns:    rows and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  with err->row: SW_EINVAL (no actor, no reason, no state, a result that is not JSON or
 *          not for RESOLVED), SW_ELIMIT, and in the mode ALL_OR_NOTHING SW_ENOTFOUND and SW_ESTATE
 *          (message says why); SW_EINVAL, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED. On
 *          error nothing was written.
 */
SW_API int sw_step_override(sw_engine *engine, const sw_step_override_row *rows, size_t row_count,
                            int mode, sw_result **out, sw_error *err);

/* Rows of a result of sw_step_override, in the order of its input.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_step_overridden *sw_step_overrides(const sw_result *result, size_t *count);

/* Take out tasks that have ended: their rows, steps, inputs, results, errors, tags and idempotency
 * keys, so that a key may be used again. The audit log keeps what it says of them, with digests and
 * without payloads, and gets an entry for each (SW_AUDIT_TASK_PRUNED) with actor and reason;
 * sw_audit_verify still replays them, and still finds a row that was removed by other means.
 *
 * Goes state by state, the oldest tasks first, in many short transactions with pauses between them,
 * so that workers are never kept waiting for long. Then gives the room that has become free back to
 * the file system, where the file can: one that was made by a version without it keeps its size and
 * uses the room again. What was committed before an error, or before the process was killed, stays
 * done and is in the report; the next call goes on with what was left. A late report of a step of a
 * pruned task is fenced.
 *
 * owns:    options, its strings and states, and report are borrowed until return; set report->size
 *          first.
 * threads: any thread, concurrently.
 * blocks:  disk (many commits); each may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL (no time, a state in which no task ends), SW_ELIMIT, SW_EBUSY, SW_EIO,
 *          SW_EFULL, SW_ECORRUPT, SW_ENOMEM, SW_EFORKED, SW_ECLOSED.
 */
SW_API int sw_task_prune(sw_engine *engine, const sw_prune_options *options,
                         sw_prune_report *report, sw_error *err);

/* What Tasker says about the steps of one task, by one of its two published rules; pure, for those
 * who come from it and compare.
 *
 *   Rails  state in (pending, error), neither processed nor in_process, all parents complete or
 *          resolved_manually, COALESCE(attempts, 0) < COALESCE(retry_limit, 3), retryable,
 *          last_attempted + backoff_request_seconds <= now (when both are set),
 *          failed + LEAST(2 ^ attempts, 30) s <= now (when it has failed)
 *   core   state in (pending, waiting_for_retry), neither processed nor in_process, all parents
 *          complete or resolved_manually, attempts = 0 or retryable and
 *          attempts < COALESCE(max_attempts, 3), next retry <= now: last_attempted +
 *          backoff_request_seconds when both are set, else failed + LEAST(2 ^ attempts, 60) s
 *
 * In one thing it is not Tasker's: parents count also when they are not asked about. asked holds
 * indices of steps, out has room for one row each; NULL asks about all.
 *
 * owns:    everything is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: of steps, or of asked).
 */
SW_API int sw_tasker_readiness_of(int rule, const sw_tasker_step *steps, size_t step_count,
                                  const int32_t *asked, size_t asked_count, int64_t now_us,
                                  sw_tasker_readiness *out, sw_error *err);

SW_END_DECLS

#endif
