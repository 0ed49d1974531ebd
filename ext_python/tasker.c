/* Tasker's two readiness rules over plain rows; no engine is asked.
 *
 * Not here: reading the columns by their names, which the package does (_tasker.py).
 */
#include "module.h"

enum { TASKER_COLUMNS = 10 };

const char swpy_tasker_readiness_doc[] =
    "tasker_readiness(rule, rows, now_us, asked=None, /)\n--\n\n"
    "Which steps Tasker would find ready by its rule 'rails' or 'core'; a list of\n"
    "TaskerReadiness. A row is a tuple (state, parents, processed, in_process, retryable,\n"
    "attempts, retry_limit, backoff_request_seconds, last_attempted_us, failed_us); asked holds\n"
    "indices of rows.";

/* Everything that was read from Python. */
typedef struct tasker_read {
    sw_tasker_step *steps;
    size_t count;
    int32_t *asked; /* NULL: all */
    size_t asked_count;
} tasker_read;

static void tasker_free(tasker_read *read)
{
    for (size_t i = 0; read->steps != NULL && i < read->count; i++)
        PyMem_Free((int32_t *)read->steps[i].parents);
    PyMem_Free(read->steps);
    PyMem_Free(read->asked);
}

/* Numbers in new memory, or NULL with an exception. */
static int32_t *tasker_numbers(swpy_state *state, PyObject *value, const char *what, size_t *count)
{
    PyObject *keep = swpy_rows_read(value, what);
    if (keep == NULL)
        return NULL;
    size_t size = (size_t)PyTuple_Size(keep);
    int32_t *numbers = PyMem_Calloc(size + 1, sizeof(*numbers));
    if (numbers == NULL)
        PyErr_NoMemory();
    for (size_t i = 0; numbers != NULL && i < size; i++) {
        if (!swpy_int32_read(state, PyTuple_GetItem(keep, (Py_ssize_t)i), what, &numbers[i])) {
            PyMem_Free(numbers);
            numbers = NULL;
        }
    }
    Py_DECREF(keep);
    *count = size;
    return numbers;
}

static bool tasker_number(swpy_state *state, PyObject *value, const char *what, int64_t *out)
{
    *out = SW_TASKER_NULL;
    return value == Py_None || swpy_int64_read(state, value, what, out);
}

static bool tasker_flag(PyObject *value, int32_t *out)
{
    *out = PyObject_IsTrue(value);
    return *out >= 0;
}

static bool tasker_name(swpy_state *state, PyObject *value, const char *what, int (*find)(sw_str),
                        int *out)
{
    sw_str name;

    if (!swpy_str_read(state, value, what, &name))
        return false;
    *out = find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "%s is '%.*s', which Tasker does not know", what,
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

static bool tasker_row_read(swpy_state *state, PyObject *row, sw_tasker_step *step)
{
    if (!swpy_row_check(row, "a step", TASKER_COLUMNS, TASKER_COLUMNS) ||
        !tasker_name(state, PyTuple_GetItem(row, 0), "state", sw_tasker_state_find, &step->state))
        return false;
    step->parents = tasker_numbers(state, PyTuple_GetItem(row, 1), "parents", &step->parent_count);
    return step->parents != NULL && tasker_flag(PyTuple_GetItem(row, 2), &step->processed) &&
           tasker_flag(PyTuple_GetItem(row, 3), &step->in_process) &&
           tasker_flag(PyTuple_GetItem(row, 4), &step->retryable) &&
           tasker_number(state, PyTuple_GetItem(row, 5), "attempts", &step->attempts) &&
           tasker_number(state, PyTuple_GetItem(row, 6), "retry_limit", &step->retry_limit) &&
           tasker_number(state, PyTuple_GetItem(row, 7), "backoff_request_seconds",
                         &step->backoff_request_seconds) &&
           tasker_number(state, PyTuple_GetItem(row, 8), "last_attempted_us",
                         &step->last_attempted_us) &&
           tasker_number(state, PyTuple_GetItem(row, 9), "failed_us", &step->failed_us);
}

static bool tasker_rows_read(swpy_state *state, PyObject *value, tasker_read *read)
{
    PyObject *keep = swpy_rows_read(value, "rows");
    if (keep == NULL)
        return false;
    bool good = true;
    read->count = (size_t)PyTuple_Size(keep);
    read->steps = PyMem_Calloc(read->count + 1, sizeof(*read->steps));
    if (read->steps == NULL) {
        PyErr_NoMemory();
        good = false;
    }
    for (size_t i = 0; good && i < read->count; i++)
        good = tasker_row_read(state, PyTuple_GetItem(keep, (Py_ssize_t)i), &read->steps[i]) ||
               swpy_row_fail(i);
    Py_DECREF(keep);
    return good;
}

static PyObject *tasker_new(swpy_state *state, const void *item)
{
    const sw_tasker_readiness *row = item;
    PyObject *values[] = {
        PyBool_FromLong(row->ready),
        PyBool_FromLong(row->dependencies_satisfied),
        PyBool_FromLong(row->retry_eligible),
        PyLong_FromLong(row->total_parents),
        PyLong_FromLong(row->completed_parents),
        row->next_retry_us == SW_TASKER_NULL ? Py_BuildValue("")
                                             : PyLong_FromLongLong(row->next_retry_us),
    };
    return swpy_record_new(state, SWPY_TASKER, values, 6);
}

static PyObject *tasker_answer(swpy_state *state, int rule, const tasker_read *read, int64_t now_us)
{
    sw_error error;
    PyObject *answer = NULL;
    size_t count = read->asked != NULL ? read->asked_count : read->count;
    sw_tasker_readiness *rows = PyMem_Calloc(count + 1, sizeof(*rows));

    if (rows == NULL)
        return PyErr_NoMemory();
    if (sw_tasker_readiness_of(rule, read->steps, read->count, read->asked, read->asked_count,
                               now_us, rows, &error) < 0)
        swpy_raise(state, &error);
    else
        answer = swpy_list_new(state, rows, sizeof(*rows), count, tasker_new);
    PyMem_Free(rows);
    return answer;
}

PyObject *swpy_tasker_readiness(PyObject *module, PyObject *args)
{
    swpy_state *state = PyModule_GetState(module);
    PyObject *rule_value, *rows, *now, *asked = Py_None;
    PyObject *answer = NULL;
    tasker_read read = {0};
    int64_t now_us = 0;
    int rule = 0;

    if (!PyArg_ParseTuple(args, "OOO|O:tasker_readiness", &rule_value, &rows, &now, &asked) ||
        !tasker_name(state, rule_value, "rule", sw_tasker_rule_find, &rule) ||
        !swpy_int64_read(state, now, "now_us", &now_us))
        return NULL;
    if (asked != Py_None)
        read.asked = tasker_numbers(state, asked, "asked", &read.asked_count);
    if ((asked == Py_None || read.asked != NULL) && tasker_rows_read(state, rows, &read))
        answer = tasker_answer(state, rule, &read, now_us);
    tasker_free(&read);
    return answer;
}
