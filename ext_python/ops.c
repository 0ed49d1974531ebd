/* Operations: where tasks stand, which of their steps may start, changing steps by hand, and taking
 * out what ended long ago.
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

const char swpy_override_doc[] =
    "override($self, rows, mode='all_or_nothing', /)\n--\n\n"
    "Bring steps into other states by hand, in one transaction. A row is a tuple (step_id, state,\n"
    "actor, reason, result), of which the last may be left out. One Overridden per row.";

const char swpy_task_prune_doc[] =
    "task_prune($self, finished_before_us, /, *, workflow=None, states=(), limit=0, "
    "dry_run=False, actor=None, reason=None)\n--\n\n"
    "Take out tasks that ended before a time; a Pruned. What was committed before an exception\n"
    "stays done.";

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
        PyLong_FromLongLong(row->deadline_us),
        PyLong_FromLongLong(row->next_deadline_us),
    };
    return swpy_record_new(state, SWPY_CONTEXT, values, 17);
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

bool swpy_step_state_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    if (!swpy_str_read(state, value, "state", &name))
        return false;
    *out = sw_step_state_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "state is '%.*s', which is no state of a step",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

bool swpy_batch_mode_read(swpy_state *state, PyObject *value, int *out)
{
    sw_str name;

    *out = SW_BATCH_ALL_OR_NOTHING;
    if (value == NULL || value == Py_None)
        return true;
    if (!swpy_str_read(state, value, "mode", &name))
        return false;
    *out = sw_batch_mode_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "mode is '%.*s', expected all_or_nothing or partial",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

static bool override_rows_read(swpy_state *state, PyObject *keep, sw_step_override_row *rows)
{
    Py_ssize_t count = PyTuple_Size(keep);

    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *tuple = PyTuple_GetItem(keep, i);
        if (!swpy_row_check(tuple, "a row", 4, 5) ||
            !swpy_int64_read(state, PyTuple_GetItem(tuple, 0), "step_id", &rows[i].step_id) ||
            !swpy_step_state_read(state, PyTuple_GetItem(tuple, 1), &rows[i].state) ||
            !swpy_str_read_maybe(state, PyTuple_GetItem(tuple, 2), "actor", &rows[i].actor) ||
            !swpy_str_read_maybe(state, PyTuple_GetItem(tuple, 3), "reason", &rows[i].reason) ||
            !swpy_str_read_maybe(state, swpy_row_item(tuple, 4), "result", &rows[i].result))
            return swpy_row_fail((size_t)i);
    }
    return true;
}

/* Name of a state, None where there is no such step. */
static PyObject *overridden_state_new(swpy_state *state, int step_state)
{
    return step_state < 0 ? swpy_str_new((sw_str){NULL, 0})
                          : swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, step_state);
}

static PyObject *overridden_new(swpy_state *state, const void *item)
{
    const sw_step_overridden *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        swpy_name_new(state->row_statuses, SW_ROW_STATUS_COUNT, row->status),
        overridden_state_new(state, row->from),
        overridden_state_new(state, row->state),
        PyLong_FromLong(row->code),
        swpy_str_new(row->message),
    };
    return swpy_record_new(state, SWPY_OVERRIDDEN, values, 6);
}

PyObject *swpy_overridden_list_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_step_overridden *rows = sw_step_overrides(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, overridden_new);
}

/* The call itself, with rows that are read. */
static PyObject *override_call(swpy_engine *self, const sw_step_override_row *rows, size_t count,
                               int mode)
{
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, count, false))
        return NULL;
    int code = sw_step_override(call.engine, rows, count, mode, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *answer = swpy_overridden_list_new(self->state, result);
    sw_result_free(result);
    return answer;
}

PyObject *swpy_override(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *mode_value = NULL;
    PyObject *answer = NULL;
    int mode = 0;

    if (!PyArg_ParseTuple(args, "O|O:override", &value, &mode_value) ||
        !swpy_batch_mode_read(self->state, mode_value, &mode))
        return NULL;
    PyObject *keep = swpy_rows_read(value, "rows");
    if (keep == NULL)
        return NULL;
    size_t count = (size_t)PyTuple_Size(keep);
    sw_step_override_row *rows = PyMem_Calloc(count + 1, sizeof(*rows));
    if (rows == NULL)
        PyErr_NoMemory();
    else if (override_rows_read(self->state, keep, rows))
        answer = override_call(self, rows, count, mode);
    PyMem_Free(rows);
    Py_DECREF(keep);
    return answer;
}

/* Numbers of the states in which tasks end, or NULL with an exception; PyMem_Free releases them. */
static int32_t *prune_states_read(swpy_state *state, PyObject *value, size_t *count)
{
    swpy_strings names = {0};
    if (value != NULL && value != Py_None && !swpy_strings_read(state, value, "states", &names))
        return NULL;
    int32_t *states = PyMem_Calloc(names.count + 1, sizeof(*states));
    if (states == NULL)
        PyErr_NoMemory();
    *count = names.count;
    for (size_t i = 0; states != NULL && i < names.count; i++) {
        states[i] = sw_task_state_find(names.items[i]);
        if (states[i] < 0) {
            swpy_refuse(state, SW_EINVAL, -1, "state is '%.*s', which is no state of a task",
                        (int)(names.items[i].len < 64 ? names.items[i].len : 64),
                        names.items[i].ptr);
            PyMem_Free(states);
            states = NULL;
        }
    }
    swpy_strings_free(&names);
    return states;
}

/* The call itself, with options that are read. */
static PyObject *prune_call(swpy_engine *self, const sw_prune_options *options)
{
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, 0, true))
        return NULL;
    int code = sw_task_prune(call.engine, options, &report, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *values[] = {
        PyLong_FromLongLong(report.task_count),
        PyLong_FromLongLong(report.step_count),
        PyLong_FromLongLong(report.freed_bytes),
    };
    return swpy_record_new(self->state, SWPY_PRUNED, values, 3);
}

PyObject *swpy_task_prune(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "workflow", "states", "limit", "dry_run", "actor", "reason", NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[6] = {NULL};
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    int dry_run = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOpOO:task_prune", names, &values[0],
                                     &values[1], &values[2], &values[3], &dry_run, &values[4],
                                     &values[5]) ||
        !swpy_int64_read(self->state, values[0], "finished_before_us",
                         &options.finished_before_us) ||
        !swpy_str_read_maybe(self->state, values[1], "workflow", &options.workflow) ||
        (values[3] != NULL && !swpy_int64_read(self->state, values[3], "limit", &options.limit)) ||
        !swpy_str_read_maybe(self->state, values[4], "actor", &options.actor) ||
        !swpy_str_read_maybe(self->state, values[5], "reason", &options.reason))
        return NULL;
    int32_t *states = prune_states_read(self->state, values[2], &options.state_count);
    if (states == NULL)
        return NULL;
    options.states = states;
    options.dry_run = dry_run;
    PyObject *answer = prune_call(self, &options);
    PyMem_Free(states);
    return answer;
}
