/* Tasks: submit, look at, wait for, cancel.
 *
 * Not here: the work on their steps (step.c) and their history (audit.c).
 */
#include "module.h"

const char swpy_submit_doc[] =
    "submit($self, rows, /)\n--\n\n"
    "Start tasks in one transaction. A row is a tuple (workflow, input=None, key=None,\n"
    "version=None, tags=None, priority=0, initiator=None, reason=None, correlation_id=None,\n"
    "deadline_ms=None, deadline_us=None, parent=None), input is JSON text; one of the deadlines "
    "at\n"
    "most; parent is the task that starts it, or its id. One Submitted per row.";

const char swpy_get_doc[] = "get($self, task_id, /)\n--\n\n"
                            "One task with its steps: (TaskRow, list of StepRow).";

const char swpy_list_doc[] =
    "list($self, *, workflow=None, state=None, tag=None, correlation_id=None, before=None, "
    "limit=0, created_after_us=None, created_before_us=None, parent=None)\n--\n\n"
    "Tasks that match, newest first, as TaskRow.";

const char swpy_count_doc[] =
    "count($self, *, workflow=None, state=None, tag=None, correlation_id=None, "
    "created_after_us=None, created_before_us=None, parent=None)\n--\n\n"
    "How many tasks match, as a dict by state.";

const char swpy_wait_doc[] =
    "wait($self, task_id, wait_ms, /)\n--\n\n"
    "Wait until a task has ended: (TaskRow, list of StepRow), also when the time is over or\n"
    "wake() was called. A negative wait_ms waits without end.";

const char swpy_cancel_doc[] = "cancel($self, rows, /)\n--\n\n"
                               "Cancel tasks in one transaction, all or none. A row is a tuple\n"
                               "(task_id, actor=None, reason=None).";

/* Rows of submit as read from Python; keep and tags hold what the strings are borrowed from. */
typedef struct submit_batch {
    PyObject *keep;
    sw_task_submit_row *rows;
    swpy_strings *tags;
    size_t count;
} submit_batch;

static void submit_batch_free(submit_batch *batch)
{
    for (size_t i = 0; batch->tags != NULL && i < batch->count; i++)
        swpy_strings_free(&batch->tags[i]);
    PyMem_Free(batch->tags);
    PyMem_Free(batch->rows);
    Py_XDECREF(batch->keep);
}

static bool submit_number_read(swpy_state *state, PyObject *value, const char *what, int64_t *out)
{
    return value == Py_None || swpy_int64_read(state, value, what, out);
}

/* A task that is given by its id, or itself: then it has one. None is none. */
static bool task_given_read(swpy_state *state, PyObject *value, const char *what, sw_uuid *out)
{
    if (value == NULL || value == Py_None)
        return true;
    if (PyUnicode_Check(value) || !PyObject_HasAttrString(value, "id"))
        return swpy_uuid_read(state, value, what, out);
    PyObject *id = PyObject_GetAttrString(value, "id");
    bool read = id != NULL && swpy_uuid_read(state, id, what, out);
    Py_XDECREF(id);
    return read;
}

static bool submit_row_read(swpy_state *state, PyObject *tuple, sw_task_submit_row *row,
                            swpy_strings *tags)
{
    PyObject *priority = NULL;

    if (!swpy_row_check(tuple, "a row", 1, 12))
        return false;
    priority = swpy_row_item(tuple, 5);
    if (!swpy_str_read(state, swpy_row_item(tuple, 0), "workflow", &row->workflow) ||
        !swpy_str_read_maybe(state, swpy_row_item(tuple, 1), "input", &row->input) ||
        !swpy_str_read_maybe(state, swpy_row_item(tuple, 2), "key", &row->key) ||
        !swpy_str_read_maybe(state, swpy_row_item(tuple, 3), "version", &row->version) ||
        !swpy_strings_read(state, swpy_row_item(tuple, 4), "tags", tags) ||
        (priority != Py_None && !swpy_int32_read(state, priority, "priority", &row->priority)) ||
        !swpy_str_read_maybe(state, swpy_row_item(tuple, 6), "initiator", &row->initiator) ||
        !swpy_str_read_maybe(state, swpy_row_item(tuple, 7), "reason", &row->reason) ||
        !swpy_str_read_maybe(state, swpy_row_item(tuple, 8), "correlation_id",
                             &row->correlation_id) ||
        !submit_number_read(state, swpy_row_item(tuple, 9), "deadline_ms", &row->deadline_ms) ||
        !submit_number_read(state, swpy_row_item(tuple, 10), "deadline_us", &row->deadline_us) ||
        !task_given_read(state, swpy_row_item(tuple, 11), "parent", &row->parent_id))
        return false;
    row->tags = tags->items;
    row->tag_count = tags->count;
    return true;
}

static bool submit_batch_read(swpy_state *state, PyObject *value, submit_batch *batch)
{
    *batch = (submit_batch){.keep = swpy_rows_read(value, "rows")};
    if (batch->keep == NULL)
        return false;
    batch->count = (size_t)PyTuple_Size(batch->keep);
    batch->rows = PyMem_Calloc(batch->count + 1, sizeof(*batch->rows));
    batch->tags = PyMem_Calloc(batch->count + 1, sizeof(*batch->tags));
    if (batch->rows == NULL || batch->tags == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    for (size_t i = 0; i < batch->count; i++) {
        PyObject *tuple = PyTuple_GetItem(batch->keep, (Py_ssize_t)i);
        if (!submit_row_read(state, tuple, &batch->rows[i], &batch->tags[i])) {
            swpy_row_fail(i);
            goto failed;
        }
    }
    return true;
failed:
    submit_batch_free(batch);
    return false;
}

static PyObject *submitted_new(swpy_state *state, const void *item)
{
    const sw_task_submitted *row = item;
    PyObject *values[] = {
        swpy_uuid_new(&row->task_id),
        PyBool_FromLong(row->created),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
    };
    return swpy_record_new(state, SWPY_SUBMITTED, values, 3);
}

PyObject *swpy_submit(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *rows = NULL;
    PyObject *answer = NULL;
    sw_result *result = NULL;
    submit_batch batch;
    sw_error error;
    swpy_call call;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, "O:submit", &rows) || !submit_batch_read(self->state, rows, &batch))
        return NULL;
    if (!swpy_call_begin(&call, self, batch.count, false))
        goto done;
    int code = sw_task_submit(call.engine, batch.rows, batch.count, &result, &error);
    swpy_call_end(&call);
    if (code < 0) {
        swpy_raise(self->state, &error);
        goto done;
    }
    const sw_task_submitted *submitted = sw_task_submissions(result, &count);
    answer = swpy_list_new(self->state, submitted, sizeof(*submitted), count, submitted_new);
    sw_result_free(result);
done:
    submit_batch_free(&batch);
    return answer;
}

PyObject *swpy_step_counts_new(swpy_state *state, const int64_t *counts)
{
    PyObject *dict = PyDict_New();

    for (int i = 0; dict != NULL && i < SW_STEP_STATE_COUNT; i++) {
        PyObject *number = PyLong_FromLongLong(counts[i]);
        if (number == NULL || PyDict_SetItem(dict, state->step_states[i], number) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return dict;
}

/* None where all zero stands for no task. */
static PyObject *task_id_or_none(const sw_uuid *id)
{
    static const sw_uuid none;

    if (memcmp(id, &none, sizeof(none)) != 0)
        return swpy_uuid_new(id);
    Py_RETURN_NONE;
}

static PyObject *task_row_new(swpy_state *state, const void *item)
{
    const sw_task_row *row = item;
    PyObject *values[] = {
        swpy_uuid_new(&row->task_id),
        swpy_str_new(row->workflow),
        swpy_str_new(row->version),
        swpy_str_new(row->digest),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
        swpy_str_new(row->input),
        swpy_str_new(row->key),
        swpy_strings_new(row->tags, row->tag_count),
        PyLong_FromLong(row->priority),
        swpy_str_new(row->initiator),
        swpy_str_new(row->reason),
        swpy_str_new(row->correlation_id),
        PyLong_FromLongLong(row->created_us),
        PyLong_FromLongLong(row->started_us),
        PyLong_FromLongLong(row->finished_us),
        PyLong_FromLongLong(row->step_count),
        swpy_step_counts_new(state, row->step_counts),
        PyLong_FromLongLong(row->deadline_us),
        task_id_or_none(&row->parent_id),
    };
    return swpy_record_new(state, SWPY_TASK, values, 19);
}

static PyObject *step_row_new(swpy_state *state, const void *item)
{
    const sw_step_row *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        swpy_str_new(row->name),
        swpy_str_new(row->title),
        swpy_str_new(row->handler),
        swpy_str_new(row->queue),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
        PyLong_FromLong(row->attempt),
        PyLong_FromLong(row->max_attempts),
        PyLong_FromLong(row->open_deps),
        PyLong_FromLong(row->level),
        PyLong_FromLongLong(row->epoch),
        PyLong_FromLongLong(row->changed_us),
        PyLong_FromLongLong(row->not_before_us),
        PyLong_FromLongLong(row->deadline_us),
        PyLong_FromLongLong(row->worker_id),
        swpy_str_new(row->result),
        swpy_str_new(row->error_class),
        swpy_str_new(row->error_message),
        swpy_str_new(row->error_detail),
        PyLong_FromLongLong(row->fails_us),
    };
    return swpy_record_new(state, SWPY_STEP, values, 20);
}

/* The pair (TaskRow, list of StepRow) of a result, which is freed. */
static PyObject *task_pair_new(swpy_state *state, sw_result *result)
{
    size_t task_count = 0;
    size_t step_count = 0;
    const sw_task_row *tasks = sw_tasks(result, &task_count);
    const sw_step_row *steps = sw_steps(result, &step_count);
    PyObject *task = task_count == 1 ? task_row_new(state, tasks) : PyList_New(0);
    PyObject *list = swpy_list_new(state, steps, sizeof(*steps), step_count, step_row_new);

    sw_result_free(result);
    if (task == NULL || list == NULL) {
        Py_XDECREF(task);
        Py_XDECREF(list);
        return NULL;
    }
    return Py_BuildValue("(NN)", task, list);
}

PyObject *swpy_get(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    sw_result *result = NULL;
    sw_uuid task_id;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "O:get", &value) ||
        !swpy_uuid_read(self->state, value, "task_id", &task_id) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_task_get(call.engine, &task_id, &result, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : task_pair_new(self->state, result);
}

static bool task_state_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    if (value == NULL || value == Py_None)
        return true;
    if (!swpy_str_read(state, value, "state", &name))
        return false;
    *out = sw_task_state_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "state is '%.*s', which is no state of a task",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

static bool task_time_read(swpy_state *state, PyObject *value, const char *what, int64_t *out)
{
    return value == NULL || value == Py_None || swpy_int64_read(state, value, what, out);
}

/* Fill a filter from the values of list: the ones of count, and two more behind them. */
static bool task_filter_read(swpy_state *state, PyObject *const *values, sw_task_filter *filter)
{
    return swpy_str_read_maybe(state, values[0], "workflow", &filter->workflow) &&
           task_state_read(state, values[1], &filter->state) &&
           swpy_str_read_maybe(state, values[2], "tag", &filter->tag) &&
           swpy_str_read_maybe(state, values[3], "correlation_id", &filter->correlation_id) &&
           task_time_read(state, values[4], "created_after_us", &filter->created_after_us) &&
           task_time_read(state, values[5], "created_before_us", &filter->created_before_us) &&
           task_given_read(state, values[6], "parent", &filter->parent_id) &&
           (values[7] == NULL || values[7] == Py_None ||
            swpy_uuid_read(state, values[7], "before", &filter->before)) &&
           (values[8] == NULL || swpy_int64_read(state, values[8], "limit", &filter->limit));
}

PyObject *swpy_list(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "workflow",          "state",  "tag",    "correlation_id", "created_after_us",
        "created_before_us", "parent", "before", "limit",          NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[9] = {NULL};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;
    size_t count = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOOOOOOO:list", names, &values[0],
                                     &values[1], &values[2], &values[3], &values[4], &values[5],
                                     &values[6], &values[7], &values[8]) ||
        !task_filter_read(self->state, values, &filter) || !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_task_list(call.engine, &filter, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_task_row *rows = sw_tasks(result, &count);
    PyObject *answer = swpy_list_new(self->state, rows, sizeof(*rows), count, task_row_new);
    sw_result_free(result);
    return answer;
}

static PyObject *task_counts_new(swpy_state *state, const int64_t *counts)
{
    PyObject *dict = PyDict_New();

    for (int i = 0; dict != NULL && i < SW_TASK_STATE_COUNT; i++) {
        PyObject *number = PyLong_FromLongLong(counts[i]);
        if (number == NULL || PyDict_SetItem(dict, state->task_states[i], number) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return dict;
}

PyObject *swpy_count(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "workflow",          "state",  "tag", "correlation_id", "created_after_us",
        "created_before_us", "parent", NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[9] = {NULL};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int64_t counts[SW_TASK_STATE_COUNT] = {0};
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOOOOO:count", names, &values[0], &values[1],
                                     &values[2], &values[3], &values[4], &values[5], &values[6]) ||
        !task_filter_read(self->state, values, &filter) || !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_task_count(call.engine, &filter, counts, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : task_counts_new(self->state, counts);
}

/* One wait of at most slice_ms; *ended says whether there is nothing left to wait for. NULL with
 * an exception. */
static sw_result *task_wait_slice(swpy_engine *self, const sw_uuid *task_id, int64_t slice_ms,
                                  bool *ended)
{
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, 1, slice_ms != 0))
        return NULL;
    int64_t start_ms = swpy_now_ms();
    int code = sw_task_wait(call.engine, task_id, slice_ms, &result, &error);
    bool woken = swpy_woken(start_ms, slice_ms);
    swpy_call_end(&call);
    if (code < 0 && code != SW_ETIMEOUT) {
        swpy_raise(self->state, &error);
        return NULL;
    }
    *ended = code == SW_OK || woken;
    return result;
}

PyObject *swpy_wait(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *id_value = NULL;
    PyObject *wait_value = NULL;
    sw_uuid task_id;
    int64_t wait_ms = 0;

    if (!PyArg_ParseTuple(args, "OO:wait", &id_value, &wait_value) ||
        !swpy_uuid_read(self->state, id_value, "task_id", &task_id) ||
        !swpy_int64_read(self->state, wait_value, "wait_ms", &wait_ms))
        return NULL;
    int64_t start_ms = swpy_now_ms();
    for (;;) {
        bool ended = false;
        int64_t left_ms = swpy_left_ms(start_ms, wait_ms);
        sw_result *result = task_wait_slice(self, &task_id, swpy_slice_ms(left_ms), &ended);
        if (result == NULL)
            return NULL;
        if (ended || left_ms == 0)
            return task_pair_new(self->state, result);
        sw_result_free(result);
        if (PyErr_CheckSignals() < 0)
            return NULL;
    }
}

static bool cancel_rows_read(swpy_state *state, PyObject *keep, sw_cancel_row *rows)
{
    Py_ssize_t count = PyTuple_Size(keep);

    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *tuple = PyTuple_GetItem(keep, i);
        if (!swpy_row_check(tuple, "a row", 1, 3) ||
            !swpy_uuid_read(state, swpy_row_item(tuple, 0), "task_id", &rows[i].task_id) ||
            !swpy_str_read_maybe(state, swpy_row_item(tuple, 1), "actor", &rows[i].actor) ||
            !swpy_str_read_maybe(state, swpy_row_item(tuple, 2), "reason", &rows[i].reason))
            return swpy_row_fail((size_t)i);
    }
    return true;
}

PyObject *swpy_cancel(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *answer = NULL;
    PyObject *keep = NULL;
    sw_cancel_row *rows = NULL;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "O:cancel", &value))
        return NULL;
    keep = swpy_rows_read(value, "rows");
    if (keep == NULL)
        return NULL;
    size_t count = (size_t)PyTuple_Size(keep);
    rows = PyMem_Calloc(count + 1, sizeof(*rows));
    if (rows == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (!cancel_rows_read(self->state, keep, rows) || !swpy_call_begin(&call, self, count, false))
        goto done;
    int code = sw_task_cancel(call.engine, rows, count, &error);
    swpy_call_end(&call);
    if (code < 0)
        swpy_raise(self->state, &error);
    else
        answer = Py_BuildValue("");
done:
    PyMem_Free(rows);
    Py_DECREF(keep);
    return answer;
}
