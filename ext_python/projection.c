/* Projections as the store keeps them: opening, saving, listing, forgetting.
 *
 * Not here: folding events into one (wheels/stepwell/src/stepwell/projection.py).
 */
#include "module.h"

const char swpy_projection_open_doc[] =
    "projection_open($self, name, version, /)\n--\n\n"
    "The projection of this name, made anew when there is none of this version of the code; a\n"
    "ProjectionRow.";

const char swpy_projection_save_doc[] =
    "projection_save($self, name, epoch, start, position, state, /)\n--\n\n"
    "Replace position and state of the projection with this epoch that still is at the position\n"
    "start; state is JSON text.";

const char swpy_projection_list_doc[] = "projection_list($self, /)\n--\n\n"
                                        "All projections by name, as ProjectionRow.";

const char swpy_projection_delete_doc[] = "projection_delete($self, name, /)\n--\n\n"
                                          "Forget a projection.";

static PyObject *projection_new(swpy_state *state, const void *item)
{
    const sw_projection *row = item;
    PyObject *values[] = {
        swpy_str_new(row->name),
        swpy_str_new(row->version),
        PyLong_FromLongLong(row->epoch),
        PyLong_FromLongLong(row->position),
        PyLong_FromLongLong(row->changed_us),
        swpy_str_new(row->state),
    };
    return swpy_record_new(state, SWPY_PROJECTION, values, 6);
}

/* ---- open ---- */

static int open_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const sw_str *names = context;

    return sw_projection_open(engine, names[0], names[1], out, error);
}

static PyObject *opened_new(swpy_state *state, const sw_result *result)
{
    return projection_new(state, sw_projections(result, NULL));
}

PyObject *swpy_projection_open(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *name = NULL;
    PyObject *version = NULL;
    sw_str names[2];

    if (!PyArg_ParseTuple(args, "OO:projection_open", &name, &version) ||
        !swpy_str_read(self->state, name, "name", &names[0]) ||
        !swpy_str_read(self->state, version, "version", &names[1]))
        return NULL;
    return swpy_call_ask(self, 1, false, open_run, names, opened_new);
}

/* ---- save ---- */

PyObject *swpy_projection_save(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *v[5];
    sw_projection row = {.epoch = 0};
    int64_t from = 0;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "OOOOO:projection_save", &v[0], &v[1], &v[2], &v[3], &v[4]) ||
        !swpy_str_read(self->state, v[0], "name", &row.name) ||
        !swpy_int64_read(self->state, v[1], "epoch", &row.epoch) ||
        !swpy_int64_read(self->state, v[2], "start", &from) ||
        !swpy_int64_read(self->state, v[3], "position", &row.position) ||
        !swpy_str_read_maybe(self->state, v[4], "state", &row.state) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_projection_save(call.engine, &row, from, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    Py_INCREF(Py_None);
    return Py_None;
}

/* ---- list, delete ---- */

static int list_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    (void)context;
    return sw_projection_list(engine, out, error);
}

static PyObject *projections_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_projection *rows = sw_projections(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, projection_new);
}

PyObject *swpy_projection_list(PyObject *object, PyObject *args)
{
    if (!PyArg_ParseTuple(args, ":projection_list"))
        return NULL;
    return swpy_call_ask((swpy_engine *)object, 1, false, list_run, NULL, projections_new);
}

PyObject *swpy_projection_delete(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    sw_str name;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "O:projection_delete", &value) ||
        !swpy_str_read(self->state, value, "name", &name) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_projection_delete(call.engine, name, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    Py_INCREF(Py_None);
    return Py_None;
}
