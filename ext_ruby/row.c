/* C rows to frozen Ruby objects: one Struct class per kind of row, made here and filled eagerly, so
 * that no object points into the memory of the core.
 *
 * The list of a class's members is the order in which its maker passes the values. Methods and
 * documentation of the classes are in lib/stepwell/rows.rb.
 */
#include "rsw.h"

static VALUE row_classes[RSW_ROW_CLASS_COUNT];

VALUE rsw_row_new(rsw_row_class row_class, int count, const VALUE *values)
{
    VALUE row = rb_struct_alloc_noinit(row_classes[row_class]);

    for (int i = 0; i < count; i++)
        RSTRUCT_SET(row, i, values[i]);
    return rb_obj_freeze(row);
}

VALUE rsw_str(sw_str text)
{
    if (!text.ptr)
        return Qnil;
    return rb_obj_freeze(rb_utf8_str_new(text.ptr, (long)text.len));
}

VALUE rsw_name(sw_str text)
{
    if (!text.ptr)
        return Qnil;
    return rb_enc_interned_str(text.ptr, (long)text.len, rb_utf8_encoding());
}

VALUE rsw_id(const sw_uuid *uuid)
{
    char text[37];

    sw_uuid_format(uuid, text);
    return rsw_str((sw_str){text, 36});
}

VALUE rsw_number(int64_t number)
{
    return number == 0 ? Qnil : LL2NUM(number);
}

VALUE rsw_array(size_t count, const void *rows, VALUE (*element)(const void *rows, size_t index))
{
    VALUE array = rb_ary_new_capa((long)count);

    for (size_t i = 0; i < count; i++)
        rb_ary_push(array, element(rows, i));
    return rb_obj_freeze(array);
}

VALUE rsw_hex(const void *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *byte = bytes;
    char hex[64];

    if (count != 32)
        return Qnil;
    for (size_t i = 0; i < count; i++) {
        hex[2 * i] = digits[byte[i] >> 4];
        hex[2 * i + 1] = digits[byte[i] & 15];
    }
    return rsw_str((sw_str){hex, sizeof(hex)});
}

static VALUE str_element(const void *rows, size_t index)
{
    return rsw_name(((const sw_str *)rows)[index]);
}

VALUE rsw_strs(const sw_str *texts, size_t count)
{
    return rsw_array(count, texts, str_element);
}

static void row_define(rsw_row_class row_class, const char *name, VALUE class)
{
    rb_define_const(rsw_mStepwell, name, class);
    rb_gc_register_mark_object(class);
    row_classes[row_class] = class;
}

/* Define class name with the given members. */
#define ROW(row_class, name, ...)                                                                  \
    row_define(row_class, name, rb_struct_define(NULL, __VA_ARGS__, NULL))

void rsw_row_init(void)
{
    ROW(RSW_INFO, "Info", "durability", "schema_version", "sqlite", "now_us");
    ROW(RSW_DEFINITION, "Definition", "name", "version", "digest", "json", "max_parallel",
        "findings", "deadline_ms");
    ROW(RSW_SUBMITTED, "Submitted", "task_id", "created", "state");
    ROW(RSW_TASK_ROW, "TaskRow", "task_id", "workflow", "version", "digest", "input_json", "key",
        "initiator", "reason", "correlation_id", "tags", "state", "priority", "created_us",
        "started_us", "finished_us", "step_count", "step_counts", "steps", "deadline_us",
        "parent_id");
    ROW(RSW_STEP_ROW, "StepRow", "step_id", "name", "title", "handler", "queue", "state", "attempt",
        "max_attempts", "open_deps", "level", "epoch", "changed_us", "not_before_us", "deadline_us",
        "worker_id", "result_json", "error_class", "error_message", "error_detail", "fails_us");
    ROW(RSW_REASON, "Reason", "step", "state", "reason", "subject", "message", "until_us");
    ROW(RSW_APPLIED, "Applied", "step_id", "epoch", "status", "state", "not_before_us");
    ROW(RSW_CLAIM, "Claim", "step_id", "epoch", "task_id", "workflow", "version", "step", "handler",
        "queue", "parameters_json", "input_json", "idempotency_key", "correlation_id", "inputs",
        "attempt", "max_attempts", "timeout_ms", "heartbeat_ms");
    ROW(RSW_STEP_INPUT, "StepInput", "step", "result_json", "state");
    ROW(RSW_TASK_FINISHED, "TaskFinished", "task_id", "state");
    ROW(RSW_EXCHANGE, "Exchange", "applied", "claims", "finished");
    ROW(RSW_TASK_CONTEXT, "TaskContext", "task_id", "workflow", "version", "state",
        "execution_status", "recommended_action", "health_status", "completion_percentage",
        "step_count", "step_counts", "ready_count", "next_retry_us", "next_steps", "blocking_steps",
        "blocked_steps", "deadline_us", "next_deadline_us");
    ROW(RSW_STEP_READINESS, "StepReadiness", "step_id", "step", "state", "ready", "reason",
        "dependencies_satisfied", "retry_eligible", "attempts", "max_attempts", "total_parents",
        "completed_parents", "next_retry_us");
    ROW(RSW_OVERRIDDEN, "Overridden", "step_id", "status", "from", "state", "code", "message");
    ROW(RSW_DEAD_ROW, "DeadRow", "step_id", "task_id", "workflow", "version", "step", "handler",
        "queue", "error_class", "error_message", "error_detail", "failed_us", "attempt",
        "max_attempts", "crashes", "task_state");
    ROW(RSW_DEAD_GROUP, "DeadGroup", "error_class", "handler", "count", "oldest_us", "newest_us");
    ROW(RSW_BREAKER_ROW, "BreakerRow", "name", "state", "failures", "successes", "probing",
        "openings", "forced", "until_us", "changed_us", "error_class", "failure_threshold",
        "success_threshold", "probes", "open_ms", "max_open_ms");
    ROW(RSW_TASKER_READINESS, "TaskerReadiness", "ready", "dependencies_satisfied",
        "retry_eligible", "total_parents", "completed_parents", "next_retry_us");
    ROW(RSW_PRUNED, "Pruned", "task_count", "step_count", "freed_bytes");
    ROW(RSW_ERASED, "Erased", "task_count", "erased_count", "clean");
    ROW(RSW_WORKER_ROW, "WorkerRow", "worker_id", "name", "host", "pid", "lease_until_us", "held",
        "alive", "handlers");
    ROW(RSW_AUDIT_ENTRY, "AuditEntry", "entry_no", "time_us", "kind", "from", "to", "attempt",
        "epoch", "step_id", "worker_id", "task_id", "step", "actor", "reason", "subject", "digest");
    ROW(RSW_AUDIT_REPORT, "AuditReport", "ok", "entry_count", "segment_count", "step_count",
        "commit_count", "fenced_count", "reclaim_count", "first_bad_entry", "last_bad_entry",
        "head", "message", "level", "signed_count", "root", "pruned_count", "erased_count",
        "anchored_count", "anchored_us");
    ROW(RSW_AUDIT_GROUP, "AuditGroup", "kind", "outcome", "count", "oldest_us", "newest_us");
    ROW(RSW_AUDIT_ACTOR, "AuditActor", "actor", "count", "oldest_us", "newest_us");
    ROW(RSW_AUDIT_KEY, "AuditKey", "name", "vkey");
    ROW(RSW_AUDIT_CHECKPOINT, "AuditCheckpoint", "origin", "entry_count", "entries_new", "root",
        "note");
    ROW(RSW_AUDIT_ANCHOR, "AuditAnchor", "place", "note", "entry_count", "time_us");
    ROW(RSW_AUDIT_PROOF, "AuditProof", "entry", "text");
    ROW(RSW_AUDIT_SHOWN, "AuditShown", "origin", "entry_count", "old_count", "entry");
    ROW(RSW_CONTROL, "Control", "standard", "cites", "control", "title", "question", "evidence");
    ROW(RSW_CONTROL_REPORT, "ControlReport", "origin", "entry_count", "window_count", "as_of_us",
        "level", "found", "not_found", "not_applicable", "controls", "evidence", "text");
    ROW(RSW_CONTROL_ANSWER, "ControlAnswer", "standard", "control", "title", "question", "answer",
        "entry_nos");
    ROW(RSW_EVIDENCE, "Evidence", "evidence", "question", "answer", "entry_count", "entry_nos",
        "against_count", "against_nos");
    ROW(RSW_CONTROL_SIGNATURE, "ControlSignature", "name", "digest", "note");
    ROW(RSW_APPENDED, "Appended", "position", "version", "status", "code", "message");
    ROW(RSW_EVENT, "Event", "position", "time_us", "type", "task_id", "step", "data_json", "key",
        "correlation_id", "entry");
    ROW(RSW_TASK_PAST, "TaskPast", "task_id", "workflow", "version", "state", "position", "time_us",
        "step_counts", "steps");
    ROW(RSW_STEP_PAST, "StepPast", "step_id", "name", "state", "attempt", "epoch", "position",
        "changed_us");
    ROW(RSW_PROJECTION_ROW, "ProjectionRow", "name", "version", "epoch", "position", "changed_us",
        "state_json");
    ROW(RSW_FORECAST, "Forecast", "task_id", "state", "changed", "now_us", "elapsed_us",
        "step_count", "ended_count", "history_count", "draws", "workers_learnt", "base", "what_if",
        "difference_us", "calibration", "steps");
    ROW(RSW_FORECAST_CASE, "ForecastCase", "state", "workers", "left_us", "p50_between_us",
        "work_us", "never_count", "path", "progress");
    ROW(RSW_FORECAST_STEP, "ForecastStep", "name", "state", "source", "sample_count", "p50_us",
        "p95_us", "elapsed_us", "runs", "runs_what_if", "overdue", "decides", "decides_what_if");
    ROW(RSW_CALIBRATION, "Calibration", "task_count", "within_count", "error", "trusted");
    ROW(RSW_STEP_DURATION, "StepDuration", "name", "source", "sample_count", "p50_us", "p95_us");
}
#undef ROW
