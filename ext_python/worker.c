/* Workers: open, renew, keep, close and list entries in the store.
 *
 * Not here: running handlers, which the class Worker of the package does in Python.
 */
#include "module.h"

const char swpy_worker_open_doc[] =
    "worker_open($self, handlers, *, name=None, queues=None, lease_ms=0)\n--\n\n"
    "Enter a worker into the store and answer its number.";

const char swpy_worker_renew_doc[] =
    "worker_renew($self, worker_id, held, /)\n--\n\n"
    "Renew the lease; held are tuples (step_id, epoch). The answer is a list of those that are\n"
    "held no longer.";

const char swpy_worker_keep_doc[] =
    "worker_keep($self, worker_id, /)\n--\n\n"
    "Renew the lease from a native thread until the worker or the engine is closed, also while a\n"
    "handler holds the interpreter's lock.";

const char swpy_worker_close_doc[] = "worker_close($self, worker_id, /)\n--\n\n"
                                     "Leave; steps still held become ready again.";

const char swpy_worker_list_doc[] = "worker_list($self, /)\n--\n\n"
                                    "The workers in the store, as WorkerRow.";

static bool lease_read(swpy_state *state, PyObject *value, int64_t *out)
{
    return value == NULL || swpy_int64_read(state, value, "lease_ms", out);
}

PyObject *swpy_worker_open(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"handlers", "name", "queues", "lease_ms", NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[4] = {NULL, NULL, NULL, NULL};
    PyObject *answer = NULL;
    swpy_strings handlers = {NULL, 0, NULL};
    swpy_strings queues = {NULL, 0, NULL};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    sw_worker_ref worker;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOO:worker_open", names, &values[0],
                                     &values[1], &values[2], &values[3]) ||
        !swpy_str_read_maybe(self->state, values[1], "name", &options.name) ||
        !lease_read(self->state, values[3], &options.lease_ms) ||
        !swpy_strings_read(self->state, values[0], "handlers", &handlers))
        return NULL;
    if (!swpy_strings_read(self->state, values[2], "queues", &queues))
        goto done;
    options.handlers = handlers.items;
    options.handler_count = handlers.count;
    options.queues = queues.items;
    options.queue_count = queues.count;
    if (!swpy_call_begin(&call, self, 1, false))
        goto done;
    int code = sw_worker_open(call.engine, &options, &worker, &error);
    swpy_call_end(&call);
    if (code < 0)
        swpy_raise(self->state, &error);
    else
        answer = PyLong_FromLongLong(worker.worker_id);
done:
    swpy_strings_free(&queues);
    swpy_strings_free(&handlers);
    return answer;
}

static bool holds_fill(swpy_state *state, PyObject *keep, sw_step_hold *rows)
{
    Py_ssize_t count = PyTuple_Size(keep);

    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *tuple = PyTuple_GetItem(keep, i);
        if (!swpy_row_check(tuple, "a hold", 2, 2) ||
            !swpy_int64_read(state, swpy_row_item(tuple, 0), "step_id", &rows[i].step_id) ||
            !swpy_int64_read(state, swpy_row_item(tuple, 1), "epoch", &rows[i].epoch))
            return swpy_row_fail((size_t)i);
    }
    return true;
}

sw_step_hold *swpy_holds_read(swpy_state *state, PyObject *value, size_t *count)
{
    PyObject *keep = swpy_rows_read(value, "held");

    if (keep == NULL)
        return NULL;
    *count = (size_t)PyTuple_Size(keep);
    sw_step_hold *rows = PyMem_Calloc(*count + 1, sizeof(*rows));
    if (rows == NULL)
        PyErr_NoMemory();
    else if (!holds_fill(state, keep, rows)) {
        PyMem_Free(rows);
        rows = NULL;
    }
    Py_DECREF(keep);
    return rows;
}

static PyObject *hold_new(swpy_state *state, const void *item)
{
    const sw_step_hold *row = item;

    (void)state;
    return Py_BuildValue("(LL)", (long long)row->step_id, (long long)row->epoch);
}

/* Renew with rows that are read; a list of the lost ones or NULL with an exception. */
static PyObject *worker_renew_rows(swpy_engine *self, const sw_worker_ref *worker,
                                   const sw_step_hold *rows, size_t count)
{
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;
    size_t lost = 0;

    if (!swpy_call_begin(&call, self, count, false))
        return NULL;
    int code = sw_worker_renew(call.engine, worker, rows, count, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_step_hold *holds = sw_step_holds(result, &lost);
    PyObject *answer = swpy_list_new(self->state, holds, sizeof(*holds), lost, hold_new);
    sw_result_free(result);
    return answer;
}

PyObject *swpy_worker_renew(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *id_value = NULL;
    PyObject *held_value = NULL;
    PyObject *answer = NULL;
    size_t count = 0;
    sw_worker_ref worker;

    if (!PyArg_ParseTuple(args, "OO:worker_renew", &id_value, &held_value) ||
        !swpy_int64_read(self->state, id_value, "worker_id", &worker.worker_id))
        return NULL;
    sw_step_hold *rows = swpy_holds_read(self->state, held_value, &count);
    if (rows != NULL)
        answer = worker_renew_rows(self, &worker, rows, count);
    PyMem_Free(rows);
    return answer;
}

/* format is what PyArg_ParseTuple takes. */
static PyObject *worker_tell(PyObject *object, PyObject *args, const char *format,
                             int (*verb)(sw_engine *, const sw_worker_ref *, sw_error *))
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *id_value = NULL;
    sw_worker_ref worker;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, format, &id_value) ||
        !swpy_int64_read(self->state, id_value, "worker_id", &worker.worker_id) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = verb(call.engine, &worker, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    Py_RETURN_NONE;
}

PyObject *swpy_worker_keep(PyObject *object, PyObject *args)
{
    return worker_tell(object, args, "O:worker_keep", sw_worker_keep);
}

PyObject *swpy_worker_close(PyObject *object, PyObject *args)
{
    return worker_tell(object, args, "O:worker_close", sw_worker_close);
}

static PyObject *worker_row_new(swpy_state *state, const void *item)
{
    const sw_worker_row *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->worker_id),
        swpy_str_new(row->name),
        swpy_str_new(row->host),
        PyLong_FromLongLong(row->pid),
        PyLong_FromLongLong(row->lease_until_us),
        PyLong_FromLongLong(row->held),
        PyBool_FromLong(row->alive),
        swpy_strings_new(row->handlers, row->handler_count),
    };
    return swpy_record_new(state, SWPY_WORKER, values, 8);
}

PyObject *swpy_worker_list(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, ":worker_list") || !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_worker_list(call.engine, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_worker_row *rows = sw_workers(result, &count);
    PyObject *answer = swpy_list_new(self->state, rows, sizeof(*rows), count, worker_row_new);
    sw_result_free(result);
    return answer;
}
