/* What moves when: the parts of an exchange, in the order in which it makes them.
 *
 * report: outcomes of attempts · settle: what follows from them for dependents and tasks ·
 * sweep: lost workers, timeouts, timers · claim: new attempts. What operators do to single steps
 * (operate.c) and to dead letters (dead.c) is settled likewise.
 */
#ifndef SW_ENGINE_FLOW_H
#define SW_ENGINE_FLOW_H

#include "engine/work.h"
#include "stepwell/ops.h"

/* How an attempt failed, reported or found by the sweep. */
typedef struct sw__fault {
    sw_str error_class;
    sw_str message;
    sw_str detail;
    sw_str reason;          /* audit reason when it is retried */
    sw_str reason_final;    /* audit reason when it is not */
    int64_t retry_after_ms; /* at least */
    bool for_good;
    bool crash; /* the lease was lost: counts against max_crashes, not max_attempts */
} sw__fault;

/* How a worker is gone. Who has left gives attempts back; the others have crashed. */
typedef enum sw__departure {
    SW__PRESENT,
    SW__CLOSED, /* it has left */
    SW__SILENT, /* its lease is over */
    SW__DIED    /* its process has ended without leaving */
} sw__departure;

/* Apply reports in their order. applied has count rows. */
int sw__report_apply(sw__work *work, const sw_step_outcome *rows, size_t count, int64_t worker_id,
                     sw_step_applied *applied, sw_error *err);
/* Fill the row of an attempt whose step is not there: its task was pruned, or SW_ENOTFOUND. */
int sw__report_pruned(const sw__work *work, const sw_step_hold *row, size_t index,
                      sw_step_applied *applied, sw_error *err);
/* State of the reported steps after everything. */
void sw__report_finish(const sw__work *work, sw_step_applied *applied, size_t count);
/* End a running attempt with a failure: retry, or fail. */
int sw__step_fail(sw__work *work, sw__work_step *step, const sw__fault *fault, int by,
                  int64_t worker_id, sw_error *err);
/* Give a running attempt back without counting it. */
int sw__step_release(sw__work *work, sw__work_step *step, const char *reason, int by,
                     int64_t worker_id, sw_error *err);

/* Whether a failure of some step has stopped this task: nothing of it starts again by itself. */
int sw__task_stopped(sw__work *work, int64_t task_no, bool *stopped, sw_error *err);

/* What follows: stop tasks, then make dependents ready. */
int sw__settle_steps(sw__work *work, sw_error *err);
/* End the tasks in which nothing can go on; fills the FINISHED section of result, if any. */
int sw__settle_tasks(sw__work *work, sw_result *result, sw_error *err);
/* Cancel the steps of a task that have not ended, except running ones unless running_too. Unless the
 * cause is a failure that stops the task, what such a failure had cancelled is given up with them. */
int sw__settle_cancel(sw__work *work, int64_t task_no, const sw__cause *cause, bool running_too,
                      sw_error *err);

/* Reclaim the steps of lost workers and end attempts that ran out of time, when it is due. */
int sw__sweep(sw__work *work, int64_t calling_worker, sw_error *err);
/* Whether it is due: asks for signs of life now and then, and makes no query. */
bool sw__sweep_due(sw_engine *engine, int64_t now_us);
/* Microseconds until it has to be asked again; 0 or less: now. */
int64_t sw__sweep_pause(const sw_engine *engine, int64_t now_us);
/* The next sweep is not later. */
void sw__sweep_by(sw_engine *engine, int64_t due_us);
/* An attempt of this engine runs out of time then; INT64_MAX: never. */
void sw__sweep_deadline(sw_engine *engine, int64_t deadline_us);
/* Put steps in line whose time has come; *next_us is when the next one comes (INT64_MAX: none). */
int sw__sweep_timers(sw__work *work, int64_t *next_us, sw_error *err);
/* Take every step from a worker that is gone, in batches. */
int sw__sweep_worker(sw__work *work, const sw__worker_rec *worker, sw__departure how,
                     sw_error *err);

/* What operators do to single steps (operate.c): rows are checked before the transaction, and applied
 * in their order; fills the OVERRIDES section of result. */
int sw__operate_check(const sw_engine *engine, const sw_step_override_row *rows, size_t count,
                      int mode, sw_error *err);
int sw__operate(sw__work *work, const sw_step_override_row *rows, size_t count, int mode,
                sw_result *result, sw_error *err);

/* A step that has just failed stands in the line of dead letters, unless it may fail (dead.c). */
void sw__dead_stand(const sw__work *work, sw__work_step *step);

/* Claim up to limit steps; fills the CLAIMS section of result. */
int sw__claim(sw__work *work, sw__member *member, size_t limit, sw_result *result, sw_error *err);

#endif
