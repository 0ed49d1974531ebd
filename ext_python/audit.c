/* The audit log: verify it, read the history of a task, read the whole log. */
#include "module.h"

const char swpy_audit_verify_doc[] =
    "audit_verify($self, checkpoints=None, keys=None, anchors=None, jobs=None, /)\n--\n\n"
    "Recompute the log, compare it with the state and with "
    "checkpoints that were signed with one of\n"
    "the keys, by jobs threads; an AuditReport. A log that does not verify raises "
    "AuditError, whose attribute report\n"
    "says where.";

const char swpy_audit_task_doc[] = "audit_task($self, task_id, /)\n--\n\n"
                                   "The entries of one task, oldest first, as AuditEntry.";

const char swpy_audit_list_doc[] =
    "audit_list($self, entry_no=1, limit=1000, /)\n--\n\n"
    "Entries of the whole log from entry_no on, at most limit, as AuditEntry.";

static PyObject *report_new(swpy_state *state, const sw_audit_report *report)
{
    PyObject *values[] = {
        PyBool_FromLong(report->ok),
        PyLong_FromLongLong(report->entry_count),
        PyLong_FromLongLong(report->segment_count),
        PyLong_FromLongLong(report->step_count),
        PyLong_FromLongLong(report->commit_count),
        PyLong_FromLongLong(report->fenced_count),
        PyLong_FromLongLong(report->reclaim_count),
        PyLong_FromLongLong(report->first_bad_entry),
        PyLong_FromLongLong(report->last_bad_entry),
        PyUnicode_FromString(report->head),
        PyUnicode_FromString(report->message),
        swpy_name_new(state->audit_levels, SW_AUDIT_LEVEL_COUNT, report->level),
        PyLong_FromLongLong(report->signed_count),
        Py_BuildValue("z", report->root[0] ? report->root : NULL),
        PyLong_FromLongLong(report->pruned_count),
        PyLong_FromLongLong(report->erased_count),
        PyLong_FromLongLong(report->anchored_count),
        PyLong_FromLongLong(report->anchored_us),
    };
    return swpy_record_new(state, SWPY_REPORT, values, 18);
}

PyObject *swpy_report_answer(swpy_state *state, int code, const sw_audit_report *report,
                             const sw_error *error)
{
    if (code < 0 && code != SW_EAUDIT)
        return swpy_raise(state, error);
    PyObject *record = report_new(state, report);
    if (code == SW_OK || record == NULL)
        return record;
    return swpy_raise_with(state, error, "report", record);
}

PyObject *swpy_audit_verify(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[4] = {NULL};
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    swpy_trust trust;
    int32_t jobs = 0;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "|OOOO:audit_verify", &values[0], &values[1], &values[2],
                          &values[3]) ||
        !swpy_jobs_read(self->state, values[3], &jobs) ||
        !swpy_trust_read(self->state, values[0], values[1], values[2], &trust))
        return NULL;
    bool begun = swpy_call_begin(&call, self, 0, true);
    int code = SW_OK;
    if (begun) {
        bool trusts =
            trust.given.checkpoint_count + trust.given.key_count + trust.given.anchor_count > 0;
        code = sw_audit_verify_by(call.engine, trusts ? &trust.given : NULL, jobs, &report, &error);
        swpy_call_end(&call);
    }
    swpy_trust_free(&trust);
    return begun ? swpy_report_answer(self->state, code, &report, &error) : NULL;
}

/* Name of the state before or after; what it is a state of depends on the kind. */
PyObject *swpy_entry_state_new(swpy_state *state, int kind, int value)
{
    switch (kind) {
    case SW_AUDIT_STEP_CHANGED:
    case SW_AUDIT_STEP_FENCED:
        return swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, value);
    case SW_AUDIT_TASK_CHANGED:
    case SW_AUDIT_TASK_PRUNED:
    case SW_AUDIT_TASK_ERASED:
        return swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, value);
    case SW_AUDIT_BREAKER_CHANGED:
        return swpy_name_new(state->breaker_states, SW_BREAKER_STATE_COUNT, value);
    default:
        return Py_BuildValue("");
    }
}

/* None where the entry is about no task, whose identifier is then all zero. */
static PyObject *entry_task_new(const sw_uuid *uuid)
{
    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        if (uuid->bytes[i] != 0)
            return swpy_uuid_new(uuid);
    }
    return Py_BuildValue("");
}

PyObject *swpy_entry_new(swpy_state *state, const void *item)
{
    const sw_audit_entry *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->entry_no),
        PyLong_FromLongLong(row->time_us),
        swpy_name_new(state->audit_kinds, SW_AUDIT_KIND_COUNT + 1, row->kind),
        entry_task_new(&row->task_id),
        PyLong_FromLongLong(row->step_id),
        swpy_str_new(row->step),
        swpy_entry_state_new(state, row->kind, row->from),
        swpy_entry_state_new(state, row->kind, row->to),
        PyLong_FromLong(row->attempt),
        PyLong_FromLongLong(row->epoch),
        PyLong_FromLongLong(row->worker_id),
        swpy_str_new(row->actor),
        swpy_str_new(row->reason),
        swpy_str_new(row->subject),
        PyBytes_FromStringAndSize(row->digest.ptr, (Py_ssize_t)row->digest.len),
    };
    return swpy_record_new(state, SWPY_ENTRY, values, 15);
}

static PyObject *entries_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_audit_entry *rows = sw_audit_entries(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, swpy_entry_new);
}

static int audit_task_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_audit_task(engine, context, out, error);
}

PyObject *swpy_audit_task(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    sw_uuid task_id;

    if (!PyArg_ParseTuple(args, "O:audit_task", &value) ||
        !swpy_uuid_read(self->state, value, "task_id", &task_id))
        return NULL;
    return swpy_call_ask(self, 1, false, audit_task_run, &task_id, entries_new);
}

static int audit_list_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const int64_t *range = context;

    return sw_audit_list(engine, range[0], range[1], out, error);
}

PyObject *swpy_audit_list(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[2] = {NULL, NULL};
    int64_t range[2] = {1, 1000};

    if (!PyArg_ParseTuple(args, "|OO:audit_list", &values[0], &values[1]) ||
        (values[0] != NULL && !swpy_int64_read(self->state, values[0], "entry_no", &range[0])) ||
        (values[1] != NULL && !swpy_int64_read(self->state, values[1], "limit", &range[1])))
        return NULL;
    return swpy_call_ask(self, 1, true, audit_list_run, range, entries_new);
}
