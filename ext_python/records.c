/* The rows that go up to Python: struct sequences, which are tuples with named fields and are
 * built as fast as tuples.
 *
 * One table says what fields each kind has; the files of the subjects fill them. Results are
 * converted at once, so that no Python object points into memory of the core.
 */
#include "module.h"

#define RECORD_FIELDS(name, ...)                                                                   \
    static PyStructSequence_Field record_fields_##name[] = {__VA_ARGS__, {NULL, NULL}};

RECORD_FIELDS(INFO, {"durability", NULL}, {"schema_version", NULL}, {"sqlite", NULL},
              {"now_us", NULL})
RECORD_FIELDS(REGISTERED, {"name", NULL}, {"version", NULL}, {"digest", NULL}, {"warnings", NULL})
RECORD_FIELDS(DEFINITION, {"name", NULL}, {"version", NULL}, {"digest", NULL}, {"json", NULL},
              {"input_schema", NULL}, {"max_parallel", NULL}, {"deadline_ms", NULL})
RECORD_FIELDS(SUBMITTED, {"task_id", NULL}, {"created", NULL}, {"state", NULL})
RECORD_FIELDS(TASK, {"task_id", NULL}, {"workflow", NULL}, {"version", NULL}, {"digest", NULL},
              {"state", NULL}, {"input", NULL}, {"key", NULL}, {"tags", NULL}, {"priority", NULL},
              {"initiator", NULL}, {"reason", NULL}, {"correlation_id", NULL}, {"created_us", NULL},
              {"started_us", NULL}, {"finished_us", NULL}, {"step_count", NULL},
              {"step_counts", NULL}, {"deadline_us", NULL}, {"parent_id", NULL})
RECORD_FIELDS(STEP, {"step_id", NULL}, {"name", NULL}, {"title", NULL}, {"handler", NULL},
              {"queue", NULL}, {"state", NULL}, {"attempt", NULL}, {"max_attempts", NULL},
              {"open_deps", NULL}, {"level", NULL}, {"epoch", NULL}, {"changed_us", NULL},
              {"not_before_us", NULL}, {"deadline_us", NULL}, {"worker_id", NULL}, {"result", NULL},
              {"error_class", NULL}, {"error_message", NULL}, {"error_detail", NULL},
              {"fails_us", NULL})
RECORD_FIELDS(APPLIED, {"step_id", NULL}, {"epoch", NULL}, {"status", NULL}, {"state", NULL},
              {"not_before_us", NULL})
RECORD_FIELDS(INPUT, {"name", NULL}, {"result", NULL}, {"state", NULL})
RECORD_FIELDS(CLAIM, {"step_id", NULL}, {"epoch", NULL}, {"task_id", NULL}, {"workflow", NULL},
              {"version", NULL}, {"name", NULL}, {"handler", NULL}, {"queue", NULL},
              {"parameters", NULL}, {"input", NULL}, {"idempotency_key", NULL},
              {"correlation_id", NULL}, {"inputs", NULL}, {"attempt", NULL}, {"max_attempts", NULL},
              {"timeout_ms", NULL}, {"heartbeat_ms", NULL})
RECORD_FIELDS(FINISHED, {"task_id", NULL}, {"state", NULL})
RECORD_FIELDS(EXCHANGE, {"applied", NULL}, {"claims", NULL}, {"finished", NULL})
RECORD_FIELDS(REASON, {"step", NULL}, {"state", NULL}, {"reason", NULL}, {"subject", NULL},
              {"message", NULL}, {"until_us", NULL})
RECORD_FIELDS(CONTEXT, {"task_id", NULL}, {"workflow", NULL}, {"version", NULL}, {"state", NULL},
              {"execution_status", NULL}, {"recommended_action", NULL}, {"health_status", NULL},
              {"completion_percentage", NULL}, {"step_count", NULL}, {"step_counts", NULL},
              {"ready_count", NULL}, {"next_retry_us", NULL}, {"next_steps", NULL},
              {"blocking_steps", NULL}, {"blocked_steps", NULL}, {"deadline_us", NULL},
              {"next_deadline_us", NULL})
RECORD_FIELDS(READINESS, {"step_id", NULL}, {"step", NULL}, {"state", NULL}, {"ready", NULL},
              {"reason", NULL}, {"dependencies_satisfied", NULL}, {"retry_eligible", NULL},
              {"attempts", NULL}, {"max_attempts", NULL}, {"total_parents", NULL},
              {"completed_parents", NULL}, {"next_retry_us", NULL})
RECORD_FIELDS(OVERRIDDEN, {"step_id", NULL}, {"status", NULL}, {"from_state", NULL},
              {"state", NULL}, {"code", NULL}, {"message", NULL})
RECORD_FIELDS(PRUNED, {"task_count", NULL}, {"step_count", NULL}, {"freed_bytes", NULL})
RECORD_FIELDS(ERASED, {"task_count", NULL}, {"erased_count", NULL}, {"clean", NULL})
RECORD_FIELDS(DEAD, {"step_id", NULL}, {"task_id", NULL}, {"workflow", NULL}, {"version", NULL},
              {"step", NULL}, {"handler", NULL}, {"queue", NULL}, {"error_class", NULL},
              {"error_message", NULL}, {"error_detail", NULL}, {"failed_us", NULL},
              {"attempt", NULL}, {"max_attempts", NULL}, {"crashes", NULL}, {"task_state", NULL})
RECORD_FIELDS(DEAD_GROUP, {"error_class", NULL}, {"handler", NULL}, {"count", NULL},
              {"oldest_us", NULL}, {"newest_us", NULL})
RECORD_FIELDS(TASKER, {"ready", NULL}, {"dependencies_satisfied", NULL}, {"retry_eligible", NULL},
              {"total_parents", NULL}, {"completed_parents", NULL}, {"next_retry_us", NULL})
RECORD_FIELDS(BREAKER, {"name", NULL}, {"state", NULL}, {"failures", NULL}, {"successes", NULL},
              {"probing", NULL}, {"openings", NULL}, {"forced", NULL}, {"until_us", NULL},
              {"changed_us", NULL}, {"error_class", NULL}, {"failure_threshold", NULL},
              {"success_threshold", NULL}, {"probes", NULL}, {"open_ms", NULL},
              {"max_open_ms", NULL})
RECORD_FIELDS(WORKER, {"worker_id", NULL}, {"name", NULL}, {"host", NULL}, {"pid", NULL},
              {"lease_until_us", NULL}, {"held", NULL}, {"alive", NULL}, {"handlers", NULL})
RECORD_FIELDS(ENTRY, {"entry_no", NULL}, {"time_us", NULL}, {"kind", NULL}, {"task_id", NULL},
              {"step_id", NULL}, {"step", NULL}, {"from_state", NULL}, {"to_state", NULL},
              {"attempt", NULL}, {"epoch", NULL}, {"worker_id", NULL}, {"actor", NULL},
              {"reason", NULL}, {"subject", NULL}, {"digest", NULL})
RECORD_FIELDS(REPORT, {"ok", NULL}, {"entry_count", NULL}, {"segment_count", NULL},
              {"step_count", NULL}, {"commit_count", NULL}, {"fenced_count", NULL},
              {"reclaim_count", NULL}, {"first_bad_entry", NULL}, {"last_bad_entry", NULL},
              {"head", NULL}, {"message", NULL}, {"level", NULL}, {"signed_count", NULL},
              {"root", NULL}, {"pruned_count", NULL}, {"erased_count", NULL},
              {"anchored_count", NULL}, {"anchored_us", NULL})
RECORD_FIELDS(AUDIT_GROUP, {"kind", NULL}, {"outcome", NULL}, {"count", NULL}, {"oldest_us", NULL},
              {"newest_us", NULL})
RECORD_FIELDS(AUDIT_ACTOR, {"actor", NULL}, {"count", NULL}, {"oldest_us", NULL},
              {"newest_us", NULL})
RECORD_FIELDS(AUDIT_KEY, {"name", NULL}, {"vkey", NULL})
RECORD_FIELDS(CHECKPOINT, {"origin", NULL}, {"entry_count", NULL}, {"entries_new", NULL},
              {"root", NULL}, {"note", NULL})
RECORD_FIELDS(ANCHOR, {"place", NULL}, {"note", NULL}, {"entry_count", NULL}, {"time_us", NULL})
RECORD_FIELDS(PROOF, {"entry", NULL}, {"text", NULL})
RECORD_FIELDS(SHOWN, {"origin", NULL}, {"entry_count", NULL}, {"old_count", NULL}, {"entry", NULL})
RECORD_FIELDS(CONTROL, {"standard", NULL}, {"cites", NULL}, {"control", NULL}, {"title", NULL},
              {"question", NULL}, {"evidence", NULL})
RECORD_FIELDS(CONTROL_REPORT, {"origin", NULL}, {"entry_count", NULL}, {"window_count", NULL},
              {"as_of_us", NULL}, {"level", NULL}, {"found", NULL}, {"not_found", NULL},
              {"not_applicable", NULL}, {"controls", NULL}, {"evidence", NULL}, {"text", NULL})
RECORD_FIELDS(CONTROL_ANSWER, {"standard", NULL}, {"control", NULL}, {"title", NULL},
              {"question", NULL}, {"answer", NULL}, {"entry_nos", NULL})
RECORD_FIELDS(EVIDENCE, {"evidence", NULL}, {"question", NULL}, {"answer", NULL},
              {"entry_count", NULL}, {"entry_nos", NULL}, {"against_count", NULL},
              {"against_nos", NULL})
RECORD_FIELDS(CONTROL_SIGNATURE, {"name", NULL}, {"digest", NULL}, {"note", NULL})
RECORD_FIELDS(APPENDED, {"position", NULL}, {"version", NULL}, {"status", NULL}, {"code", NULL},
              {"message", NULL})
RECORD_FIELDS(EVENT, {"position", NULL}, {"time_us", NULL}, {"type", NULL}, {"task_id", NULL},
              {"step", NULL}, {"data", NULL}, {"key", NULL}, {"correlation_id", NULL},
              {"entry", NULL})
RECORD_FIELDS(TASK_PAST, {"task_id", NULL}, {"workflow", NULL}, {"version", NULL}, {"state", NULL},
              {"position", NULL}, {"time_us", NULL}, {"step_counts", NULL}, {"steps", NULL})
RECORD_FIELDS(STEP_PAST, {"step_id", NULL}, {"name", NULL}, {"state", NULL}, {"attempt", NULL},
              {"epoch", NULL}, {"position", NULL}, {"changed_us", NULL})
RECORD_FIELDS(PROJECTION, {"name", NULL}, {"version", NULL}, {"epoch", NULL}, {"position", NULL},
              {"changed_us", NULL}, {"state", NULL})
RECORD_FIELDS(FORECAST, {"task_id", NULL}, {"state", NULL}, {"changed", NULL}, {"now_us", NULL},
              {"elapsed_us", NULL}, {"step_count", NULL}, {"ended_count", NULL},
              {"history_count", NULL}, {"draws", NULL}, {"workers_learnt", NULL}, {"base", NULL},
              {"what_if", NULL}, {"difference_us", NULL}, {"calibration", NULL}, {"steps", NULL})
RECORD_FIELDS(FORECAST_CASE, {"state", NULL}, {"workers", NULL}, {"left_us", NULL},
              {"p50_between_us", NULL}, {"work_us", NULL}, {"never_count", NULL}, {"path", NULL},
              {"progress", NULL})
RECORD_FIELDS(FORECAST_STEP, {"name", NULL}, {"state", NULL}, {"source", NULL},
              {"sample_count", NULL}, {"p50_us", NULL}, {"p95_us", NULL}, {"elapsed_us", NULL},
              {"runs", NULL}, {"runs_what_if", NULL}, {"overdue", NULL}, {"decides", NULL},
              {"decides_what_if", NULL})
RECORD_FIELDS(CALIBRATION, {"task_count", NULL}, {"within_count", NULL}, {"error", NULL},
              {"trusted", NULL})
#undef RECORD_FIELDS

#define RECORD_DESC(NAME, type_name)                                                               \
    {type_name, NULL, record_fields_##NAME,                                                        \
     (int)(sizeof(record_fields_##NAME) / sizeof(PyStructSequence_Field)) - 1},
static PyStructSequence_Desc record_descs[SWPY_RECORD_COUNT] = {SWPY_RECORD_MAP(RECORD_DESC)};
#undef RECORD_DESC

PyObject *swpy_record_new(swpy_state *state, swpy_record kind, PyObject **values, int count)
{
    PyObject *record = NULL;
    int taken = 0;

    for (int i = 0; i < count; i++) {
        if (values[i] == NULL)
            goto done;
    }
    record = PyStructSequence_New(state->records[kind]);
    for (; record != NULL && taken < count; taken++)
        PyStructSequence_SetItem(record, taken, values[taken]);
done:
    for (; taken < count; taken++)
        Py_XDECREF(values[taken]);
    return record;
}

PyObject *swpy_list_new(swpy_state *state, const void *rows, size_t row_size, size_t count,
                        swpy_row_build build)
{
    PyObject *list = PyList_New((Py_ssize_t)count);

    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *row = build(state, (const char *)rows + i * row_size);
        if (row == NULL || PyList_SetItem(list, (Py_ssize_t)i, row) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static bool record_names_setup(PyObject **names, int count, const char *(*name)(int))
{
    for (int i = 0; i < count; i++) {
        names[i] = PyUnicode_InternFromString(name(i));
        if (names[i] == NULL)
            return false;
    }
    return true;
}

bool swpy_records_setup(PyObject *module, swpy_state *state)
{
    for (int i = 0; i < SWPY_RECORD_COUNT; i++) {
        state->records[i] = PyStructSequence_NewType(&record_descs[i]);
        if (state->records[i] == NULL || PyModule_AddType(module, state->records[i]) < 0)
            return false;
    }
#define RECORD_NAMES_SETUP(field, count, name)                                                     \
    if (!record_names_setup(state->field, count, name))                                            \
        return false;
    SWPY_NAMES_MAP(RECORD_NAMES_SETUP)
#undef RECORD_NAMES_SETUP
    return true;
}
