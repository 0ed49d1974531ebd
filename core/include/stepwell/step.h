/* Steps: the exchange between a worker and the engine, and why a step does not run.
 *
 * A worker loop is one call: outcomes of the last batch go down, newly claimed steps come up, in
 * one transaction with one sync. The engine never calls handlers.
 *
 *     sw_step_outcome *outcomes = NULL;
 *     size_t count = 0;
 *     while (!stopping) {
 *         sw_result *result = NULL;
 *         if (sw_step_exchange(engine, &worker, outcomes, count, 100, 1000, &result, &err) < 0)
 *             ...
 *         const sw_step_claim *claims = sw_step_claims(result, &claim_count);
 *         ... run the handlers, fill outcomes ...
 *         sw_result_free(result);
 *     }
 */
#ifndef STEPWELL_STEP_H
#define STEPWELL_STEP_H

#include "engine.h"
#include "error.h"
#include "types.h"
#include "worker.h"

/* How an attempt ended.
 * SUCCEEDED: result is kept. FAILED: retried while attempts are left. FAILED_FOR_GOOD: not retried.
 * RELEASED: given back unworked; the attempt does not count. */
#define SW_OUTCOME_MAP(XX)                                                                         \
    XX(SUCCEEDED, 0, "succeeded")                                                                  \
    XX(FAILED, 1, "failed")                                                                        \
    XX(FAILED_FOR_GOOD, 2, "failed_for_good")                                                      \
    XX(RELEASED, 3, "released")

typedef enum sw_outcome {
#define SW_ENUM_VALUE(name, value, text) SW_OUTCOME_##name = value,
    SW_OUTCOME_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_OUTCOME_COUNT = 4
} sw_outcome;

/* What became of one reported row.
 * APPLIED: committed; of a heartbeat: the attempt still counts. FENCED: a newer attempt holds the step, it has ended, or its task was
 * pruned; nothing changed.
 * REFUSED: not possible in the state of the step or task; nothing changed (sw_step_override). */
#define SW_ROW_STATUS_MAP(XX)                                                                      \
    XX(APPLIED, 0, "applied")                                                                      \
    XX(FENCED, 1, "fenced")                                                                        \
    XX(REFUSED, 2, "refused")

typedef enum sw_row_status {
#define SW_ENUM_VALUE(name, value, text) SW_ROW_##name = value,
    SW_ROW_STATUS_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_ROW_STATUS_COUNT = 3
} sw_row_status;

/* Report of one attempt. */
typedef struct sw_step_outcome {
    int64_t step_id;
    int64_t epoch; /* from the claim */
    int32_t outcome;
    int32_t reserved;
    int64_t retry_after_ms; /* FAILED: wait at least so long before the next attempt */
    sw_str result;          /* SUCCEEDED: JSON; absent means null */
    sw_str error_class;
    sw_str error_message;
    sw_str error_detail;
} sw_step_outcome;

/* What became of a report. */
typedef struct sw_step_applied {
    int64_t step_id;
    int64_t epoch;         /* the newest of the step */
    int64_t not_before_us; /* a retry waits until then, 0 otherwise */
    int32_t status;        /* sw_row_status */
    int32_t state;         /* sw_step_state after the call */
} sw_step_applied;

/* A direct dependency as it was when the step was claimed. */
typedef struct sw_step_input {
    sw_str name;
    sw_str result; /* JSON; absent means null, or that it has not succeeded */
    int32_t state; /* sw_step_state: SUCCEEDED, FAILED with on_failure continue, or whatever else
                      the trigger rule of the claimed step lets it start with */
    int32_t reserved;
} sw_step_input;

/* A step that this worker now holds. */
typedef struct sw_step_claim {
    int64_t step_id;
    int64_t epoch; /* fencing token: grows with every claim of the step */
    sw_uuid task_id;
    sw_str workflow;
    sw_str version;
    sw_str name;
    sw_str handler;
    sw_str queue;
    sw_str parameters;      /* JSON object of the definition, absent when empty */
    sw_str input;           /* JSON input of the task; absent means null */
    sw_str idempotency_key; /* the same for every attempt of this step */
    sw_str correlation_id;
    const sw_step_input *inputs; /* one per direct dependency */
    size_t input_count;
    int32_t attempt; /* 1 for the first */
    int32_t max_attempts;
    int64_t timeout_ms; /* of this attempt, 0: none; no longer than the deadlines of the step and
                           its task leave it */
    int64_t heartbeat_ms; /* how long it may say nothing (sw_step_heartbeat), 0: it need not */
} sw_step_claim;

/* A task that ended in this call. */
typedef struct sw_task_finished {
    sw_uuid task_id;
    int32_t state;
    int32_t reserved;
} sw_task_finished;

/* Why a step does not run; subject names what it waits for. */
#define SW_REASON_MAP(XX)                                                                          \
    XX(OPEN_DEPENDENCY, 0, "open_dependency")                                                      \
    XX(FAILED_DEPENDENCY, 1, "failed_dependency")                                                  \
    XX(NOT_BEFORE, 2, "not_before")                                                                \
    XX(RUNNING, 3, "running")                                                                      \
    XX(MISSING_HANDLER, 4, "missing_handler")                                                      \
    XX(QUEUED, 5, "queued")                                                                        \
    XX(ATTEMPTS_USED_UP, 6, "attempts_used_up")                                                    \
    XX(FAILED_FOR_GOOD, 7, "failed_for_good")                                                      \
    XX(ENDED, 8, "ended")                                                                          \
    XX(CRASHES_USED_UP, 9, "crashes_used_up")                                                      \
    XX(BREAKER_OPEN, 10, "breaker_open")                                                           \
    XX(DEADLINE_EXCEEDED, 11, "deadline_exceeded")

typedef enum sw_reason {
#define SW_ENUM_VALUE(name, value, text) SW_REASON_##name = value,
    SW_REASON_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_REASON_COUNT = 12
} sw_reason;

typedef struct sw_step_reason {
    sw_str step;
    sw_str subject;   /* dependency, worker, handler or breaker; may be absent */
    sw_str message;   /* one sentence for people */
    int64_t until_us; /* when it resolves by itself, 0 when unknown */
    int32_t reason;   /* sw_reason */
    int32_t state;    /* sw_step_state of the step */
} sw_step_reason;

SW_BEGIN_DECLS

/* Name of an outcome, a row status or a reason, "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_outcome_name(int outcome);
SW_API const char *sw_row_status_name(int status);
SW_API const char *sw_reason_name(int reason);

/* Number of the outcome with this name, or SW_ENOTFOUND.
 *
 * owns:    name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND.
 */
SW_API int sw_outcome_find(sw_str name);

/* Report outcomes and claim new steps in one transaction.
 *
 * Rows whose attempt is no longer the newest are reported as fenced instead of failing the batch,
 * because a worker that lost its lease must not undo the work of its successor. Dependents whose
 * trigger rule is met by a report become ready and may be claimed by this very call. The worker's
 * lease is renewed. When nothing was reported and nothing is ready, the call waits up to wait_ms
 * for work (negative: without end).
 *
 * owns:    worker, rows and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free); sw_step_applications, sw_step_claims, sw_tasks_finished read it.
 * threads: any thread, concurrently, on one engine.
 * blocks:  disk (one commit), then waits wait_ms; may wait for another writer up to
 *          busy_timeout_ms.
 * errors:  with err->row: SW_EINVAL (result is not JSON, unknown outcome), SW_ENOTFOUND (no such
 *          step), SW_ELIMIT; SW_ENOTFOUND (worker is closed), SW_EBUSY, SW_EIO, SW_EFULL,
 *          SW_ENOMEM, SW_EFORKED, SW_ECLOSED. On error nothing was written.
 */
SW_API int sw_step_exchange(sw_engine *engine, const sw_worker_ref *worker,
                            const sw_step_outcome *rows, size_t row_count, size_t claim_max,
                            int64_t wait_ms, sw_result **out, sw_error *err);

/* Report outcomes without claiming: sw_step_exchange with a claim_max of 0 and without a worker.
 *
 * owns:    rows and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently, on one engine.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  as sw_step_exchange.
 */
SW_API int sw_step_update_batch(sw_engine *engine, const sw_step_outcome *rows, size_t row_count,
                                sw_result **out, sw_error *err);

/* Say that attempts go on, and learn whether they still count. An attempt of a step with a
 * heartbeat_ms is ended as HeartbeatMissed when nothing was said of it for so long; what this says
 * counts from now on, and carries no attempt beyond its timeout. One call in each third of
 * heartbeat_ms is plenty: each is a commit, though calls of several threads share one.
 * sw_step_applications reads one row per attempt: APPLIED, it holds its step; FENCED, it does no
 * longer (cancelled, timed out, silent for too long, or its worker was lost), and what it reports
 * would change nothing. Attempts of steps without heartbeat_ms are answered likewise, and nothing
 * is written of them. The log has no entry about it, and the lease of the worker is another matter.
 *
 * owns:    rows are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently, on one engine.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  with err->row: SW_EINVAL (epoch), SW_ENOTFOUND (no such step); SW_EINVAL (NULL), SW_ELIMIT,
 *          SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED, SW_ECLOSED. On error nothing was
 *          written.
 */
SW_API int sw_step_heartbeat(sw_engine *engine, const sw_step_hold *rows, size_t row_count,
                             sw_result **out, sw_error *err);

/* Parts of the answer of an exchange: one application per reported row in its order, the claims
 * in the order of priority, the tasks that ended.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_step_applied *sw_step_applications(const sw_result *result, size_t *count);
SW_API const sw_step_claim *sw_step_claims(const sw_result *result, size_t *count);
SW_API const sw_task_finished *sw_tasks_finished(const sw_result *result, size_t *count);

/* Why a step is not running, or, with an absent step name, why each step that has not ended is
 * not; sw_step_reasons reads the rows. A step has one row per thing it waits for.
 *
 * owns:    task_id and step are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_ENOTFOUND, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_step_explain(sw_engine *engine, const sw_uuid *task_id, sw_str step, sw_result **out,
                           sw_error *err);

/* Rows of a result of sw_step_explain.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_step_reason *sw_step_reasons(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
