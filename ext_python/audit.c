/* The audit log: verify it, read the history of a task, read the whole log. */
#include "module.h"

const char swpy_audit_verify_doc[] =
    "audit_verify($self, /)\n--\n\n"
    "Recompute the log and compare it with the state; an AuditReport. A log that does not verify\n"
    "raises AuditError, whose attribute report says where.";

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
    };
    return swpy_record_new(state, SWPY_REPORT, values, 11);
}

PyObject *swpy_audit_verify(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, ":audit_verify") || !swpy_call_begin(&call, self, 0, true))
        return NULL;
    int code = sw_audit_verify(call.engine, &report, &error);
    swpy_call_end(&call);
    if (code < 0 && code != SW_EAUDIT)
        return swpy_raise(self->state, &error);
    PyObject *record = report_new(self->state, &report);
    if (code == SW_OK || record == NULL)
        return record;
    return swpy_raise_with(self->state, &error, "report", record);
}

/* Name of the state before or after; what it is a state of depends on the kind. */
static PyObject *entry_state_new(swpy_state *state, int kind, int value)
{
    switch (kind) {
    case SW_AUDIT_STEP_CHANGED:
    case SW_AUDIT_STEP_FENCED:
        return swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, value);
    case SW_AUDIT_TASK_CHANGED:
    case SW_AUDIT_TASK_PRUNED:
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

static PyObject *entry_new(swpy_state *state, const void *item)
{
    const sw_audit_entry *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->entry_no),
        PyLong_FromLongLong(row->time_us),
        swpy_name_new(state->audit_kinds, SW_AUDIT_KIND_COUNT + 1, row->kind),
        entry_task_new(&row->task_id),
        PyLong_FromLongLong(row->step_id),
        swpy_str_new(row->step),
        entry_state_new(state, row->kind, row->from),
        entry_state_new(state, row->kind, row->to),
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

/* The list of entries of a result, which is freed. */
static PyObject *entries_new(swpy_state *state, sw_result *result)
{
    size_t count = 0;
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    PyObject *answer = swpy_list_new(state, rows, sizeof(*rows), count, entry_new);

    sw_result_free(result);
    return answer;
}

PyObject *swpy_audit_task(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    sw_result *result = NULL;
    sw_uuid task_id;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "O:audit_task", &value) ||
        !swpy_uuid_read(self->state, value, "task_id", &task_id) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_audit_task(call.engine, &task_id, &result, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : entries_new(self->state, result);
}

PyObject *swpy_audit_list(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[2] = {NULL, NULL};
    sw_result *result = NULL;
    int64_t entry_no = 1;
    int64_t limit = 1000;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "|OO:audit_list", &values[0], &values[1]) ||
        (values[0] != NULL && !swpy_int64_read(self->state, values[0], "entry_no", &entry_no)) ||
        (values[1] != NULL && !swpy_int64_read(self->state, values[1], "limit", &limit)) ||
        !swpy_call_begin(&call, self, 1, true))
        return NULL;
    int code = sw_audit_list(call.engine, entry_no, limit, &result, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : entries_new(self->state, result);
}
