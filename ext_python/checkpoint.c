/* Keys and checkpoints of the audit log, and the log as a folder. */
#include "module.h"

const char swpy_audit_keygen_doc[] =
    "audit_keygen($type, name, path, /)\n--\n\n"
    "Make a key that signs the log called name; path gets the secret. An AuditKey.";

const char swpy_audit_seal_doc[] = "audit_seal($self, path, /)\n--\n\n"
                                   "Sign all entries of the log with the key at path; an "
                                   "AuditCheckpoint.";

const char swpy_audit_export_doc[] =
    "audit_export($self, folder, checkpoint, /)\n--\n\n"
    "Write the entries that a checkpoint covers into a folder, as C2SP tlog-tiles.";

const char swpy_audit_verify_export_doc[] =
    "audit_verify_export($type, folder, checkpoints, keys, /)\n--\n\n"
    "Verify such a folder; an AuditReport, or AuditError with the attribute report.";

bool swpy_trust_read(swpy_state *state, PyObject *checkpoints, PyObject *keys, swpy_trust *out)
{
    *out = (swpy_trust){.given = SW_AUDIT_TRUST_INIT};
    if (!swpy_strings_read(state, checkpoints == NULL ? Py_None : checkpoints, "checkpoints",
                           &out->checkpoints))
        return false;
    if (!swpy_strings_read(state, keys == NULL ? Py_None : keys, "keys", &out->keys)) {
        swpy_strings_free(&out->checkpoints);
        return false;
    }
    out->given.checkpoints = out->checkpoints.items;
    out->given.checkpoint_count = out->checkpoints.count;
    out->given.keys = out->keys.items;
    out->given.key_count = out->keys.count;
    return true;
}

void swpy_trust_free(swpy_trust *trust)
{
    swpy_strings_free(&trust->checkpoints);
    swpy_strings_free(&trust->keys);
}

/* ---- keys ---- */

static int keygen_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const sw_str *texts = context;

    (void)engine;
    return sw_audit_keygen(texts[0], texts[1], out, error);
}

static PyObject *key_new(swpy_state *state, const sw_result *result)
{
    const sw_audit_key *row = sw_audit_keys(result, NULL);
    PyObject *values[] = {swpy_str_new(row->name), swpy_str_new(row->verifier)};

    return swpy_record_new(state, SWPY_AUDIT_KEY, values, 2);
}

PyObject *swpy_audit_keygen(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[2];
    sw_str texts[2];

    if (state == NULL || !PyArg_ParseTuple(args, "OO:audit_keygen", &values[0], &values[1]) ||
        !swpy_str_read(state, values[0], "name", &texts[0]) ||
        !swpy_str_read(state, values[1], "path", &texts[1]))
        return NULL;
    return swpy_call_apart(state, keygen_run, texts, key_new);
}

/* ---- checkpoints ---- */

static int seal_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_audit_seal(engine, *(const sw_str *)context, out, error);
}

static PyObject *hex_new(const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char text[64];

    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)(2 * count));
}

static PyObject *checkpoint_new(swpy_state *state, const sw_result *result)
{
    const sw_audit_checkpoint *row = sw_audit_checkpoints(result, NULL);
    PyObject *values[] = {
        swpy_str_new(row->origin),
        PyLong_FromLongLong(row->entry_count),
        PyLong_FromLongLong(row->entries_new),
        hex_new(row->root, sizeof(row->root)),
        swpy_str_new(row->note),
    };
    return swpy_record_new(state, SWPY_CHECKPOINT, values, 5);
}

PyObject *swpy_audit_seal(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    sw_str path;

    if (!PyArg_ParseTuple(args, "O:audit_seal", &value) ||
        !swpy_str_read(self->state, value, "path", &path))
        return NULL;
    return swpy_call_ask(self, 0, true, seal_run, &path, checkpoint_new);
}

/* ---- the log as a folder ---- */

static int export_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const sw_str *texts = context;

    (void)out;
    return sw_audit_export(engine, texts[0], texts[1], error);
}

static PyObject *none_new(swpy_state *state, const sw_result *result)
{
    (void)state;
    (void)result;
    Py_RETURN_NONE;
}

PyObject *swpy_audit_export(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[2];
    sw_str texts[2];

    if (!PyArg_ParseTuple(args, "OO:audit_export", &values[0], &values[1]) ||
        !swpy_str_read(self->state, values[0], "folder", &texts[0]) ||
        !swpy_str_read(self->state, values[1], "checkpoint", &texts[1]))
        return NULL;
    return swpy_call_ask(self, 0, true, export_run, texts, none_new);
}

PyObject *swpy_audit_verify_export(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    PyObject *values[3];
    swpy_trust trust;
    sw_error error;
    sw_str folder;
    int code;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOO:audit_verify_export", &values[0], &values[1], &values[2]) ||
        !swpy_str_read(state, values[0], "folder", &folder) ||
        !swpy_trust_read(state, values[1], values[2], &trust))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    code = sw_audit_verify_export(folder, &trust.given, &report, &error);
    Py_END_ALLOW_THREADS
    swpy_trust_free(&trust);
    return swpy_report_answer(state, code, &report, &error);
}
