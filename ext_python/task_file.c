/* A task as a file: written from an engine, verified and opened without one. */
#include "module.h"

#include <unistd.h>

const char swpy_task_export_doc[] =
    "task_export($self, task_id, checkpoint=None, path=None, /)\n--\n\n"
    "The text of a task file, which is written to path as well.";

const char swpy_task_file_verify_doc[] =
    "task_file_verify($type, text, source, checkpoints, keys, anchors=None, /)\n--\n\n"
    "Verify such a text; an AuditReport, or AuditError with the attribute report.";

const char swpy_task_file_open_doc[] =
    "task_file_open($type, text, source=None, entry_no=None, /)\n--\n\n"
    "Open such a text as an engine in memory, as the task stood after an entry.";

typedef struct export_ask {
    sw_uuid task_id;
    sw_str texts[2];
} export_ask;

static int export_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const export_ask *ask = context;

    return sw_task_export(engine, &ask->task_id, ask->texts[0], ask->texts[1], out, error);
}

static PyObject *text_new(swpy_state *state, const sw_result *result)
{
    (void)state;
    return swpy_str_new(sw_task_files(result, NULL)->text);
}

PyObject *swpy_task_export(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[3] = {NULL, Py_None, Py_None};
    export_ask ask;

    if (!PyArg_ParseTuple(args, "O|OO:task_export", &values[0], &values[1], &values[2]) ||
        !swpy_uuid_read(self->state, values[0], "task_id", &ask.task_id) ||
        !swpy_str_read_maybe(self->state, values[1], "checkpoint", &ask.texts[0]) ||
        !swpy_str_read_maybe(self->state, values[2], "path", &ask.texts[1]))
        return NULL;
    return swpy_call_ask(self, 0, true, export_run, &ask, text_new);
}

PyObject *swpy_task_file_verify(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    PyObject *values[5] = {NULL};
    sw_str texts[2];
    swpy_trust trust;
    sw_error error;
    int code;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOOO|O:task_file_verify", &values[0], &values[1], &values[2],
                          &values[3], &values[4]) ||
        !swpy_str_read(state, values[0], "text", &texts[0]) ||
        !swpy_str_read_maybe(state, values[1], "source", &texts[1]) ||
        !swpy_trust_read(state, values[2], values[3], values[4], &trust))
        return NULL;
    bool trusts =
        trust.given.checkpoint_count + trust.given.key_count + trust.given.anchor_count > 0;
    Py_BEGIN_ALLOW_THREADS
    code = sw_task_file_verify(texts[1], texts[0], trusts ? &trust.given : NULL, &report, &error);
    Py_END_ALLOW_THREADS
    swpy_trust_free(&trust);
    return swpy_report_answer(state, code, &report, &error);
}

/* The object is there before the engine, which it then has whatever comes. */
PyObject *swpy_task_file_open(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    sw_task_file_options options = SW_TASK_FILE_OPTIONS_INIT;
    PyObject *values[3] = {NULL, Py_None, Py_None};
    sw_engine *engine = NULL;
    sw_error error;
    sw_str text;
    int code;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "O|OO:task_file_open", &values[0], &values[1], &values[2]) ||
        !swpy_str_read(state, values[0], "text", &text) ||
        !swpy_str_read_maybe(state, values[1], "source", &options.source) ||
        (values[2] != Py_None && !swpy_int64_read(state, values[2], "entry_no", &options.entry_no)))
        return NULL;
    PyObject *object = PyObject_CallMethod(type, "__new__", "O", type);
    if (object == NULL)
        return NULL;
    swpy_engine *self = (swpy_engine *)object;
    Py_BEGIN_ALLOW_THREADS
    code = sw_task_file_open(&options, text, &engine, &error);
    Py_END_ALLOW_THREADS
    if (code < 0) {
        Py_DECREF(object);
        return swpy_raise(state, &error);
    }
    self->memory = true;
    self->pid = getpid();
    atomic_store(&self->handle, engine);
    return object;
}
