/* Operations: where tasks stand, and which of their steps may start.
 *
 * Not here: the names that Tasker's users know, which the package has (engine.py).
 */
#include "module.h"

const char swpy_task_context_doc[] =
    "task_context($self, task_ids, /)\n--\n\n"
    "Where tasks stand: one TaskContext per identifier, all of one moment.";

const char swpy_step_readiness_doc[] =
    "step_readiness($self, task_id, /)\n--\n\n"
    "Whether each step of a task may start, in topological order; a list of StepReadiness.";

/* Identifiers of tasks as read from Python, or NULL with an exception; PyMem_Free releases them. */
static sw_uuid *task_ids_read(swpy_state *state, PyObject *value, size_t *count)
{
    PyObject *keep = swpy_rows_read(value, "task_ids");
    if (keep == NULL)
        return NULL;
    *count = (size_t)PyTuple_Size(keep);
    sw_uuid *ids = PyMem_Calloc(*count + 1, sizeof(*ids));
    if (ids == NULL)
        PyErr_NoMemory();
    for (size_t i = 0; ids != NULL && i < *count; i++) {
        if (!swpy_uuid_read(state, PyTuple_GetItem(keep, (Py_ssize_t)i), "task_id", &ids[i])) {
            swpy_row_fail(i);
            PyMem_Free(ids);
            ids = NULL;
        }
    }
    Py_DECREF(keep);
    return ids;
}

static PyObject *context_new(swpy_state *state, const void *item)
{
    const sw_task_context_row *row = item;
    PyObject *values[] = {
        swpy_uuid_new(&row->task_id),
        swpy_str_new(row->workflow),
        swpy_str_new(row->version),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
        swpy_name_new(state->execution_statuses, SW_EXECUTION_STATUS_COUNT, row->execution_status),
        swpy_name_new(state->recommended_actions, SW_RECOMMENDED_ACTION_COUNT,
                      row->recommended_action),
        swpy_name_new(state->health_statuses, SW_HEALTH_STATUS_COUNT, row->health_status),
        PyFloat_FromDouble(row->completion_percentage),
        PyLong_FromLongLong(row->step_count),
        swpy_step_counts_new(state, row->step_counts),
        PyLong_FromLongLong(row->ready_count),
        PyLong_FromLongLong(row->next_retry_us),
        swpy_strings_new(row->next_steps, row->next_step_count),
        swpy_strings_new(row->blocking_steps, row->blocking_step_count),
        swpy_strings_new(row->blocked_steps, row->blocked_step_count),
    };
    return swpy_record_new(state, SWPY_CONTEXT, values, 15);
}

PyObject *swpy_task_context(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *answer = NULL;
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, "O:task_context", &value))
        return NULL;
    sw_uuid *ids = task_ids_read(self->state, value, &count);
    if (ids == NULL)
        return NULL;
    if (!swpy_call_begin(&call, self, count, false))
        goto done;
    int code = sw_task_context(call.engine, ids, count, &result, &error);
    swpy_call_end(&call);
    if (code < 0) {
        swpy_raise(self->state, &error);
        goto done;
    }
    const sw_task_context_row *rows = sw_task_contexts(result, &count);
    answer = swpy_list_new(self->state, rows, sizeof(*rows), count, context_new);
    sw_result_free(result);
done:
    PyMem_Free(ids);
    return answer;
}

static PyObject *readiness_new(swpy_state *state, const void *item)
{
    const sw_step_readiness_row *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        swpy_str_new(row->step),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
        PyBool_FromLong(row->ready),
        swpy_name_new(state->reasons, SW_REASON_COUNT, row->reason),
        PyBool_FromLong(row->dependencies_satisfied),
        PyBool_FromLong(row->retry_eligible),
        PyLong_FromLong(row->attempts),
        PyLong_FromLong(row->max_attempts),
        PyLong_FromLong(row->total_parents),
        PyLong_FromLong(row->completed_parents),
        PyLong_FromLongLong(row->next_retry_us),
    };
    return swpy_record_new(state, SWPY_READINESS, values, 12);
}

PyObject *swpy_step_readiness(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    sw_result *result = NULL;
    sw_uuid task_id;
    sw_error error;
    swpy_call call;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, "O:step_readiness", &value) ||
        !swpy_uuid_read(self->state, value, "task_id", &task_id) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_step_readiness(call.engine, &task_id, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_step_readiness_row *rows = sw_readiness_rows(result, &count);
    PyObject *answer = swpy_list_new(self->state, rows, sizeof(*rows), count, readiness_new);
    sw_result_free(result);
    return answer;
}
