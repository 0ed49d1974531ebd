/* Keys of the audit log, what is trusted, and the log as a folder. Not here: signing (signing.c).
 */
#include "module.h"

const char swpy_audit_keygen_doc[] =
    "audit_keygen($type, name, path, /)\n--\n\n"
    "Make a key that signs the log called name; path gets the secret. An AuditKey.";

const char swpy_audit_export_doc[] =
    "audit_export($self, folder, checkpoint, /)\n--\n\n"
    "Write the entries that a checkpoint covers into a folder, as C2SP tlog-tiles.";

const char swpy_audit_verify_export_doc[] =
    "audit_verify_export($type, folder, checkpoints, keys, anchors=None, jobs=None, /)\n--\n\n"
    "Verify such a folder; an AuditReport, or AuditError with the attribute report.";

bool swpy_trust_read(swpy_state *state, PyObject *checkpoints, PyObject *keys, PyObject *anchors,
                     swpy_trust *out)
{
    *out = (swpy_trust){.given = SW_AUDIT_TRUST_INIT};
    if (!swpy_strings_read(state, checkpoints == NULL ? Py_None : checkpoints, "checkpoints",
                           &out->checkpoints) ||
        !swpy_strings_read(state, keys == NULL ? Py_None : keys, "keys", &out->keys) ||
        !swpy_anchors_read(state, anchors, &out->anchors)) {
        swpy_trust_free(out);
        return false;
    }
    out->given.checkpoints = out->checkpoints.items;
    out->given.checkpoint_count = out->checkpoints.count;
    out->given.keys = out->keys.items;
    out->given.key_count = out->keys.count;
    out->given.anchors = out->anchors.items;
    out->given.anchor_count = out->anchors.count;
    return true;
}

void swpy_trust_free(swpy_trust *trust)
{
    swpy_strings_free(&trust->checkpoints);
    swpy_strings_free(&trust->keys);
    swpy_anchors_free(&trust->anchors);
}

/* ---- keys ---- */

static int keygen_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const sw_str *texts = context;

    (void)engine;
    return sw_audit_keygen(texts[0], texts[1], out, error);
}

PyObject *swpy_key_new(swpy_state *state, const sw_result *result)
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
    return swpy_call_apart(state, keygen_run, texts, swpy_key_new);
}

PyObject *swpy_hex_new(const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char text[64];

    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)(2 * count));
}

/* ---- the log as a folder ---- */

static int export_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const sw_str *texts = context;

    (void)out;
    return sw_audit_export(engine, texts[0], texts[1], error);
}

PyObject *swpy_none_new(swpy_state *state, const sw_result *result)
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
    return swpy_call_ask(self, 0, true, export_run, texts, swpy_none_new);
}

bool swpy_jobs_read(swpy_state *state, PyObject *value, int32_t *jobs)
{
    return value == NULL || value == Py_None || swpy_int32_read(state, value, "jobs", jobs);
}

PyObject *swpy_audit_verify_export(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    PyObject *values[5] = {NULL};
    swpy_trust trust;
    sw_error error;
    sw_str folder;
    int32_t jobs = 0;
    int code;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOO|OO:audit_verify_export", &values[0], &values[1], &values[2],
                          &values[3], &values[4]) ||
        !swpy_jobs_read(state, values[4], &jobs) ||
        !swpy_str_read(state, values[0], "folder", &folder) ||
        !swpy_trust_read(state, values[1], values[2], values[3], &trust))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    code = sw_audit_verify_export(folder, &trust.given, jobs, &report, &error);
    Py_END_ALLOW_THREADS
    swpy_trust_free(&trust);
    return swpy_report_answer(state, code, &report, &error);
}
