/* The event store: the audit log, read as events and written to by applications.
 *
 * A stream is a task. Every entry of the log is an event: transitions have fixed type names
 * ("step.completed"), applications append events with names of their own ("order.shipped"). The
 * position of an event is the number of its entry; the version of a stream is the position of its
 * newest event, so that "append if nothing has happened since I looked" is exact and costs no
 * counter. A projection is a fold over events whose position and state are kept together.
 *
 *     sw_event_filter filter = SW_EVENT_FILTER_INIT;
 *     filter.after = position;                        what came after it, oldest first
 *     sw_event_list(engine, &filter, &result, &err);
 *     sw_event_wait(engine, position, wait_ms, &newest, &err);   until there is more
 *
 * Not here: whether the log can be trusted (audit.h), looking for entries by actor (search.h).
 */
#ifndef STEPWELL_EVENT_H
#define STEPWELL_EVENT_H

#include "audit.h"
#include "ops.h"

/* Types of the engine's own events: XX(kind, state that it leads to or -1 for any, type). An
 * application's type must not begin with the same word and a dot. */
#define SW_EVENT_TYPE_MAP(XX)                                                                      \
    XX(SW_AUDIT_WORKFLOW_REGISTERED, -1, "workflow.registered")                                    \
    XX(SW_AUDIT_TASK_SUBMITTED, -1, "task.submitted")                                              \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_PENDING, "task.pending")                                     \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_RUNNING, "task.started")                                     \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_PAUSED, "task.paused")                                       \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_SUCCEEDED, "task.completed")                                 \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_FAILED, "task.failed")                                       \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_CANCELLED, "task.cancelled")                                 \
    XX(SW_AUDIT_TASK_CHANGED, SW_TASK_RESOLVED, "task.resolved")                                   \
    XX(SW_AUDIT_TASK_PRUNED, -1, "task.pruned")                                                    \
    XX(SW_AUDIT_TASK_ERASED, -1, "task.erased")                                                    \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_PENDING, "step.pending")                                     \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_READY, "step.ready")                                         \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_RUNNING, "step.started")                                     \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_WAITING, "step.waiting")                                     \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_SUCCEEDED, "step.completed")                                 \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_FAILED, "step.failed")                                       \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_SKIPPED, "step.skipped")                                     \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_CANCELLED, "step.cancelled")                                 \
    XX(SW_AUDIT_STEP_CHANGED, SW_STEP_RESOLVED, "step.resolved")                                   \
    XX(SW_AUDIT_STEP_FENCED, -1, "step.fenced")                                                    \
    XX(SW_AUDIT_WORKER_OPENED, -1, "worker.opened")                                                \
    XX(SW_AUDIT_WORKER_CLOSED, -1, "worker.closed")                                                \
    XX(SW_AUDIT_WORKER_LOST, -1, "worker.lost")                                                    \
    XX(SW_AUDIT_BREAKER_CHANGED, SW_BREAKER_CLOSED, "breaker.closed")                              \
    XX(SW_AUDIT_BREAKER_CHANGED, SW_BREAKER_OPEN, "breaker.opened")                                \
    XX(SW_AUDIT_BREAKER_CHANGED, SW_BREAKER_HALF_OPEN, "breaker.half_opened")

/* What became of a row of an append. DUPLICATE: the task has an event with this key, type and
 * data already. */
#define SW_APPEND_STATUS_MAP(XX)                                                                   \
    XX(APPENDED, 0, "appended")                                                                    \
    XX(DUPLICATE, 1, "duplicate")                                                                  \
    XX(REFUSED, 2, "refused")

typedef enum sw_append_status {
#define SW_ENUM_VALUE(name, value, text) SW_APPEND_##name = value,
    SW_APPEND_STATUS_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_APPEND_STATUS_COUNT = 3
} sw_append_status;

/* An event to append. */
typedef struct sw_event_row {
    sw_uuid task_id;          /* its stream */
    sw_str type;              /* 1 to 128 characters of A-Z a-z 0-9 _ . - */
    sw_str data;              /* JSON; absent means null */
    sw_str key;               /* known again within the task, so that a second append does nothing;
                                 absent: none */
    sw_str correlation_id;    /* absent: found by that of its task alone */
    sw_str step;              /* name of the step it is about; absent: the task */
    sw_str actor;             /* for the audit log, like the reason; may be absent */
    sw_str reason;
    int64_t expected_version; /* the version that the stream must have, 0: any */
} sw_event_row;

/* Answer to one appended row. */
typedef struct sw_event_appended {
    int64_t position; /* of the event; of the first one for DUPLICATE, 0 for REFUSED */
    int64_t version;  /* of the stream after this row; 0 where there is no such task */
    int32_t status;   /* sw_append_status */
    int32_t code;     /* REFUSED: SW_EOUTDATED, SW_ENOTFOUND, SW_ESTATE or SW_ECONFLICT; else 0 */
    sw_str message;   /* REFUSED: why */
} sw_event_appended;

/* Which events: those that match everything that is given. */
typedef struct sw_event_filter {
    uint32_t size;
    int32_t newest_first;  /* 1: from the newest to the oldest */
    const sw_str *types;   /* any of these; NULL: any */
    size_t type_count;
    sw_str correlation_id; /* of the task or of the event itself; absent: any */
    sw_uuid task_id;       /* all zero: any */
    int64_t after;         /* behind this position */
    int64_t before;        /* in front of this position, 0: up to the newest */
    int64_t after_us;      /* at this time or later, 0: at any time */
    int64_t before_us;     /* before this time, 0: at any time */
    int64_t limit;         /* at most 10000; 0: 100 */
} sw_event_filter;

#define SW_EVENT_FILTER_INIT {.size = sizeof(sw_event_filter)}

/* An event. data is what its payload was sealed as: of an appended event what was appended, of
 * task.submitted the input, of step.completed and step.resolved the result, of step.failed an
 * object with class, message and detail; absent where there is none, where a later attempt has
 * replaced it, and where the task was pruned or erased. */
typedef struct sw_event {
    sw_audit_entry entry;  /* entry_no is its position */
    sw_str type;
    sw_str data;
    sw_str key;            /* of an appended event, like correlation_id; may be absent */
    sw_str correlation_id;
} sw_event;

/* A task, and a step, as an event left them. */
typedef struct sw_task_past {
    sw_uuid task_id;
    sw_str workflow;
    sw_str version;   /* of the workflow */
    int32_t state;    /* sw_task_state */
    int32_t reserved;
    int64_t position; /* of the newest event of the task that counts: its version then */
    int64_t time_us;  /* of that event */
    int64_t step_counts[9]; /* by sw_step_state */
} sw_task_past;

typedef struct sw_step_past {
    int64_t step_id;
    sw_str name;
    int32_t state;      /* sw_step_state */
    int32_t attempt;    /* attempts started */
    int64_t epoch;
    int64_t position;   /* of the event that brought it there, 0: the submission of the task */
    int64_t changed_us;
} sw_step_past;

/* A projection: how far it has read, and what it made of it. */
typedef struct sw_projection {
    sw_str name;
    sw_str version;     /* of the code that folds */
    int64_t epoch;      /* of this run of it; another one after it was made anew */
    int64_t position;   /* of the newest event in state, 0: none yet */
    int64_t changed_us;
    sw_str state;       /* JSON; absent: none yet */
} sw_projection;

SW_BEGIN_DECLS

/* Name of a status ("duplicate"), "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_append_status_name(int status);

/* Type of the engine's event of a kind that leads to a state (any number where the kind has none),
 * "unknown" for any other numbers; of SW_AUDIT_EVENT, whose entries name their type, too.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_event_type_name(int kind, int to);

/* Append events in one transaction, each checked after the rows before it. mode is a
 * sw_batch_mode: with ALL_OR_NOTHING the first row that is refused fails the call, with its index
 * in err->row. Calls of several threads share a commit. sw_events_appended reads the answers, in
 * the order of the rows. An event may be appended to a task that has ended.
 *
 * A row is refused when its task is unknown or was pruned (SW_ENOTFOUND), was erased or has no such
 * step (SW_ESTATE), has another version than is expected (SW_EOUTDATED), or when the key is known
 * with another type, data or correlation id (SW_ECONFLICT). To append several events to one stream
 * at a version, expect it in the first row, and any (0) in the others: nobody comes between.
 *
 * owns:    rows and all they point to are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL (data that is not JSON, a type of the engine), SW_ELIMIT, in ALL_OR_NOTHING
 *          the codes above, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED. On error nothing
 *          was written.
 */
SW_API int sw_event_append(sw_engine *engine, const sw_event_row *rows, size_t count, int mode,
                           sw_result **out, sw_error *err);

/* Rows of a result of sw_event_append.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_event_appended *sw_events_appended(const sw_result *result, size_t *count);

/* A page of events; sw_events reads them. The next page starts with after (or before, newest first)
 * at the position of the last one. Of a task or a correlation id it takes O(their history between
 * the newest event and the end of the page), of types that are all appended ones O(events of these
 * types), else O(events that are passed).
 *
 * owns:    filter and all it points to are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EAUDIT (an entry cannot be read), SW_EBUSY, SW_EIO, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_event_list(sw_engine *engine, const sw_event_filter *filter, sw_result **out,
                         sw_error *err);

/* Rows of a result of sw_event_list.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_event *sw_events(const sw_result *result, size_t *count);

/* Wait until there is an event behind a position; *newest is the position of the newest one, which
 * is not behind it when wait_ms (negative: for ever) is over or the engine was woken.
 *
 * owns:    newest is borrowed until return.
 * threads: any thread, concurrently; others use the engine meanwhile.
 * blocks:  waits at most wait_ms.
 * errors:  SW_EINVAL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_ECLOSED, SW_EFORKED.
 */
SW_API int sw_event_wait(sw_engine *engine, int64_t after, int64_t wait_ms, int64_t *newest,
                         sw_error *err);

/* A task as it was once the event at a position had happened (until 0: as it is); sw_tasks_past
 * reads its row, sw_steps_past its steps in topological order. What is told comes from the log
 * alone. Takes O(history of the task from its newest event back).
 *
 * owns:    task_id is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_ENOTFOUND (no such task, or not yet at that position), SW_EAUDIT,
 *          SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_event_replay(sw_engine *engine, const sw_uuid *task_id, int64_t until,
                           sw_result **out, sw_error *err);

/* Rows of a result of sw_event_replay.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_task_past *sw_tasks_past(const sw_result *result, size_t *count);
SW_API const sw_step_past *sw_steps_past(const sw_result *result, size_t *count);

/* The projection of this name; it is made at position 0, without state, when there is none or when
 * it was of another version of the code. sw_projections reads it.
 *
 * owns:    name and version are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk (one commit when it is made); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL, SW_ELIMIT, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_projection_open(sw_engine *engine, sw_str name, sw_str version, sw_result **out,
                              sw_error *err);

/* Replace position and state of a projection, in one transaction: of the one with this epoch that
 * still is at position from. Whoever comes second gets SW_EOUTDATED, so that no event counts twice;
 * so does whoever folded while somebody was erased, because the state may hold what was.
 *
 * owns:    row and its texts are borrowed until return; changed_us is not looked at.
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL, SW_ELIMIT, SW_EOUTDATED, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_projection_save(sw_engine *engine, const sw_projection *row, int64_t from,
                              sw_error *err);

/* All projections, by name; sw_projections reads them.
 *
 * owns:    *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_projection_list(sw_engine *engine, sw_result **out, sw_error *err);

/* Rows of a result of sw_projection_open or sw_projection_list.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_projection *sw_projections(const sw_result *result, size_t *count);

/* Forget a projection: who opens it next begins with the first event.
 *
 * owns:    name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL, SW_ENOTFOUND, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_projection_delete(sw_engine *engine, sw_str name, sw_error *err);

SW_END_DECLS

#endif
