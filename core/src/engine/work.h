/* One transaction for writing: the rows it has loaded, what it changes, and its audit entries.
 *
 * Rows are loaded in batches, changed in memory, and written once at commit, however often they
 * were touched: a join of 10,000 completions is one write. Not here: what moves when (report.c,
 * claim.c, sweep.c, cancel.c).
 */
#ifndef SW_ENGINE_WORK_H
#define SW_ENGINE_WORK_H

#include "engine/engine.h"

typedef struct sw__work_task {
    sw__task_hot row;
    const sw__plan *plan;
    bool dirty;
    bool late; /* its deadline has just passed */
} sw__work_task;

typedef struct sw__work_step {
    sw__step_hot row;
    bool dirty;
    bool queued; /* put in line by this transaction */
} sw__work_step;

typedef struct sw__work {
    sw_engine *engine;
    sw__arena *arena; /* scratch; dies with the transaction */
    int64_t now_us;
    sw__map step_index; /* step_id to index */
    sw__map task_index; /* task_no to index */
    sw__work_step *steps;
    size_t step_count;
    size_t step_capacity;
    sw__work_task *tasks;
    size_t task_count;
    size_t task_capacity;
    sw__payload *results; /* to be written */
    size_t result_count;
    size_t result_capacity;
    sw__failure *failures; /* to be written */
    size_t failure_count;
    size_t failure_capacity;
    int64_t *ended; /* steps whose end their dependents have not been told */
    size_t ended_count;
    size_t ended_capacity;
    int64_t *stopped; /* tasks that a failure stops */
    size_t stopped_count;
    size_t stopped_capacity;
    sw__deadline *deadlines; /* to be written */
    size_t deadline_count;
    size_t deadline_capacity;
    int64_t due_us; /* the first of the stored ones, as others know it; 0: not read */
    sw__notices *notices;
    uint32_t tones;   /* what to ring for after the commit, besides the steps in line (bell.h) */
    int64_t timer_us; /* the first retry that comes due, as others know it; 0: not read */
    struct sw__work_breakers *breakers; /* NULL until one is needed (breaker.h) */
    bool changed;     /* something but a lease was written */
} sw__work;

/* Why a step moves; absent texts are fine. */
typedef struct sw__cause {
    int by; /* sw_transition_by */
    sw_str reason;
    sw_str actor;
    sw_str error_class;
    int64_t worker_id;
    const uint8_t *digest; /* 32 bytes or NULL */
    bool stops;            /* a failure that stops the task: who is cancelled by it goes on with it */
} sw__cause;

/* Begin; the engine is entered. On error nothing is open. */
int sw__work_begin(sw__work *work, sw_engine *engine, sw_error *err);
/* Write everything and commit. On error everything is rolled back. Frees the work. */
int sw__work_commit(sw__work *work, sw_error *err);
/* Undo everything. Frees the work. */
void sw__work_abort(sw__work *work);
/* commit when rc >= 0, else abort; returns the final code. */
int sw__work_end(sw__work *work, int rc, sw_error *err);

/* answer.c: a call that changes something and answers by a result. Enter, begin, fill, commit, leave;
 * *out, NULL before, is set when it was committed. */
typedef int (*sw__work_fill)(sw__work *work, sw_result *result, const void *context,
                             sw_error *err);
int sw__work_answer(sw_engine *engine, sw__work_fill fill, const void *context, sw_result **out,
                    sw_error *err);

/* Load steps with their tasks and definitions, in any order, with repetitions; missing steps are
 * not an error. Invalidates pointers from find. */
int sw__work_load(sw__work *work, const int64_t *step_ids, size_t count, sw_error *err);
int sw__work_load_tasks(sw__work *work, const int64_t *task_nos, size_t count, sw_error *err);
/* Load every step of a task. */
int sw__work_load_all(sw__work *work, int64_t task_no, sw_error *err);
/* A loaded row, or NULL. Valid until the next load. */
sw__work_step *sw__work_step_find(const sw__work *work, int64_t step_id);
sw__work_task *sw__work_task_find(const sw__work *work, int64_t task_no);
/* The definition of a loaded step. */
const sw_workflow_step *sw__work_definition(const sw__work *work, int64_t step_id);

/* Move a loaded step to another state: checks the transition, keeps the task's counts, leaves the
 * line it stood in, appends the audit entry. Attempt and epoch are set by the caller before. */
int sw__work_move(sw__work *work, sw__work_step *step, int to, const sw__cause *cause,
                  sw_error *err);
/* Put a ready step in line: for its handler, or for its time when not_before_us has not come. */
void sw__work_queue(sw__work *work, sw__work_step *step, int64_t not_before_us);
/* Move a loaded task to another state. */
int sw__work_move_task(sw__work *work, sw__work_task *task, int to, const sw__cause *cause,
                       sw_error *err);
/* Append an entry that is no transition. task may be NULL. */
int sw__work_note(sw__work *work, const sw_audit_entry *entry, sw__work_task *task, sw_error *err);
/* Sort ascending; cheap when they are sorted already, as most batches are. */
void sw__work_sort_ids(int64_t *ids, size_t count);
/* Room for need rows; NULL when there is no memory, rows stay valid then. */
void *sw__work_grow(const sw__work *work, void *rows, size_t *capacity, size_t need, size_t size);
/* Remember for settling: a step that has ended, a task that a failure stops. */
int sw__work_add_ended(sw__work *work, int64_t step_id, sw_error *err);
int sw__work_add_stopped(sw__work *work, int64_t task_no, sw_error *err);
/* Keep a result or an error for the commit; digest gets the 32 bytes for the audit entry. */
int sw__work_add_result(sw__work *work, int64_t step_id, sw_str body, uint8_t *digest,
                        sw_error *err);
int sw__work_add_failure(sw__work *work, const sw__failure *failure, uint8_t *digest,
                         sw_error *err);
/* Make a log record, written after the commit: sw__work_log(work, SW_LOG_WARN, "worker.lost",
 * {"worker", {0}, number}); at most SW__NOTICE_FIELDS_MAX fields. */
#define sw__work_log(work_, level_, event_, ...)                                                   \
    do {                                                                                           \
        const sw_engine *sw__of = (work_)->engine;                                                 \
        if (sw__of->log && (level_) >= sw__of->log->level) {                                       \
            const sw_log_field sw__said[] = {__VA_ARGS__};                                         \
            sw__notices_add(&(work_)->notices, sw__of->env, (level_), (event_), sw__said,          \
                            sizeof(sw__said) / sizeof(sw__said[0]));                               \
        }                                                                                          \
    } while (0)
/* Write now, so that the store's answers in this transaction hold it. */
int sw__work_flush_steps(sw__work *work, sw_error *err);
int sw__work_flush_results(sw__work *work, sw_error *err);

#endif
