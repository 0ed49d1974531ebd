/* Circuit breakers: listing them, opening and closing them by hand.
 *
 * Not here: the friendlier forms, which the package has (_breaker.py).
 */
#include "module.h"

const char swpy_breaker_list_doc[] =
    "breaker_list($self, /)\n--\n\n"
    "Every circuit breaker that a registered workflow names, by name; a list of BreakerRow.";

const char swpy_breaker_override_doc[] =
    "breaker_override($self, rows, /)\n--\n\n"
    "Open or close circuit breakers by hand, all or none. A row is a tuple (name, state, actor,\n"
    "reason, open_ms), of which the last may be left out; the state is 'open' or 'closed'. One\n"
    "BreakerRow per row.";

static PyObject *breaker_new(swpy_state *state, const void *item)
{
    const sw_breaker_row *row = item;
    PyObject *values[] = {
        swpy_str_new(row->settings.name),
        swpy_name_new(state->breaker_states, SW_BREAKER_STATE_COUNT, row->state),
        PyLong_FromLong(row->failures),
        PyLong_FromLong(row->successes),
        PyLong_FromLong(row->probing),
        PyLong_FromLong(row->openings),
        PyBool_FromLong(row->forced),
        PyLong_FromLongLong(row->until_us),
        PyLong_FromLongLong(row->changed_us),
        swpy_str_new(row->error_class),
        PyLong_FromLong(row->settings.failure_threshold),
        PyLong_FromLong(row->settings.success_threshold),
        PyLong_FromLong(row->settings.probes),
        PyLong_FromLongLong(row->settings.open_ms),
        PyLong_FromLongLong(row->settings.max_open_ms),
    };
    return swpy_record_new(state, SWPY_BREAKER, values, 15);
}

static PyObject *breaker_rows_new(swpy_state *state, sw_result *result)
{
    size_t count = 0;
    const sw_breaker_row *rows = sw_breakers(result, &count);
    PyObject *answer = swpy_list_new(state, rows, sizeof(*rows), count, breaker_new);

    sw_result_free(result);
    return answer;
}

PyObject *swpy_breaker_list(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, ":breaker_list") || !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_breaker_list(call.engine, &result, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : breaker_rows_new(self->state, result);
}

static bool breaker_state_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    if (!swpy_str_read(state, value, "state", &name))
        return false;
    *out = sw_breaker_state_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "state is '%.*s', which is no state of a breaker",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

static bool breaker_row_read(swpy_state *state, PyObject *tuple, sw_breaker_override_row *row)
{
    if (!swpy_row_check(tuple, "a row", 4, 5) ||
        !swpy_str_read(state, PyTuple_GetItem(tuple, 0), "name", &row->name) ||
        !breaker_state_read(state, PyTuple_GetItem(tuple, 1), &row->state) ||
        !swpy_str_read_maybe(state, PyTuple_GetItem(tuple, 2), "actor", &row->actor) ||
        !swpy_str_read_maybe(state, PyTuple_GetItem(tuple, 3), "reason", &row->reason))
        return false;
    PyObject *open_ms = swpy_row_item(tuple, 4);
    return open_ms == Py_None || swpy_int64_read(state, open_ms, "open_ms", &row->open_ms);
}

/* The call itself, with rows that are read. */
static PyObject *breaker_override_call(swpy_engine *self, const sw_breaker_override_row *rows,
                                       size_t count)
{
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, count, false))
        return NULL;
    int code = sw_breaker_override(call.engine, rows, count, &result, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : breaker_rows_new(self->state, result);
}

PyObject *swpy_breaker_override(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *answer = NULL;
    size_t read = 0;

    if (!PyArg_ParseTuple(args, "O:breaker_override", &value))
        return NULL;
    PyObject *keep = swpy_rows_read(value, "rows");
    if (keep == NULL)
        return NULL;
    size_t count = (size_t)PyTuple_Size(keep);
    sw_breaker_override_row *rows = PyMem_Calloc(count + 1, sizeof(*rows));
    if (rows == NULL)
        PyErr_NoMemory();
    while (rows != NULL && read < count &&
           breaker_row_read(self->state, PyTuple_GetItem(keep, (Py_ssize_t)read), &rows[read]))
        read++;
    if (rows != NULL && read == count)
        answer = breaker_override_call(self, rows, count);
    else if (rows != NULL)
        swpy_row_fail(read);
    PyMem_Free(rows);
    Py_DECREF(keep);
    return answer;
}
