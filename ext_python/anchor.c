/* Anchors of the audit log: checkpoints given to places outside, and read back from there.
 *
 * An anchor is given as a tuple, like every row: (place, note, entry_count, time_us).
 */
#include "module.h"

const char swpy_audit_anchor_put_doc[] =
    "audit_anchor_put($self, place, checkpoint, keys, /)\n--\n\n"
    "Give a checkpoint to a place outside; an AuditAnchor.";

const char swpy_audit_anchor_get_doc[] = "audit_anchor_get($type, place, origin, /)\n--\n\n"
                                         "The newest anchor of a log at a place; an AuditAnchor.";

static bool anchor_read(swpy_state *state, PyObject *row, sw_audit_anchor *out)
{
    return swpy_row_check(row, "an anchor", 4, 4) &&
           swpy_str_read(state, PyTuple_GetItem(row, 0), "place", &out->place) &&
           swpy_str_read(state, PyTuple_GetItem(row, 1), "note", &out->note) &&
           swpy_int64_read(state, PyTuple_GetItem(row, 2), "entry_count", &out->entry_count) &&
           swpy_int64_read(state, PyTuple_GetItem(row, 3), "time_us", &out->time_us);
}

bool swpy_anchors_read(swpy_state *state, PyObject *value, swpy_anchors *out)
{
    *out = (swpy_anchors){.count = 0};
    if (value == NULL || value == Py_None)
        return true;
    out->keep = swpy_rows_read(value, "anchors");
    if (out->keep == NULL)
        return false;
    out->count = (size_t)PyTuple_Size(out->keep);
    out->items = PyMem_Calloc(out->count + 1, sizeof(*out->items));
    bool read = out->items != NULL;
    if (!read)
        PyErr_NoMemory();
    for (size_t i = 0; read && i < out->count; i++) {
        PyObject *row = PyTuple_GetItem(out->keep, (Py_ssize_t)i);
        read = anchor_read(state, row, &out->items[i]) || swpy_row_fail(i);
    }
    if (!read)
        swpy_anchors_free(out);
    return read;
}

void swpy_anchors_free(swpy_anchors *anchors)
{
    PyMem_Free(anchors->items);
    Py_XDECREF(anchors->keep);
    *anchors = (swpy_anchors){.count = 0};
}

static PyObject *anchor_new(swpy_state *state, const sw_result *result)
{
    const sw_audit_anchor *row = sw_audit_anchors(result, NULL);
    PyObject *values[] = {
        swpy_str_new(row->place),
        swpy_str_new(row->note),
        PyLong_FromLongLong(row->entry_count),
        PyLong_FromLongLong(row->time_us),
    };
    return swpy_record_new(state, SWPY_ANCHOR, values, 4);
}

typedef struct anchor_ask {
    swpy_trust trust;
    sw_str place;
    sw_str text; /* the checkpoint that is given, or the origin that is looked for */
} anchor_ask;

static int put_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const anchor_ask *ask = context;

    return sw_audit_anchor_put(engine, ask->place, &ask->trust.given, ask->text, out, error);
}

PyObject *swpy_audit_anchor_put(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[3];
    anchor_ask ask;

    if (!PyArg_ParseTuple(args, "OOO:audit_anchor_put", &values[0], &values[1], &values[2]) ||
        !swpy_str_read(self->state, values[0], "place", &ask.place) ||
        !swpy_str_read(self->state, values[1], "checkpoint", &ask.text) ||
        !swpy_trust_read(self->state, NULL, values[2], NULL, &ask.trust))
        return NULL;
    PyObject *answer = swpy_call_ask(self, 0, true, put_run, &ask, anchor_new);
    swpy_trust_free(&ask.trust);
    return answer;
}

static int get_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const anchor_ask *ask = context;

    (void)engine;
    return sw_audit_anchor_get(ask->place, ask->text, out, error);
}

PyObject *swpy_audit_anchor_get(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[2];
    anchor_ask ask;

    if (state == NULL || !PyArg_ParseTuple(args, "OO:audit_anchor_get", &values[0], &values[1]) ||
        !swpy_str_read(state, values[0], "place", &ask.place) ||
        !swpy_str_read(state, values[1], "origin", &ask.text))
        return NULL;
    return swpy_call_apart(state, get_run, &ask, anchor_new);
}
