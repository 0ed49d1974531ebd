/* Signing checkpoints of the audit log: with a key file, or with an application that has the
 * secret.
 *
 * The core asks for a signature on the thread that called it and without the GIL, which is taken
 * for that long only. What the application raises waits until the core has given everything back.
 */
#include "module.h"

#include <string.h>

const char swpy_audit_seal_doc[] =
    "audit_seal($self, path, sign=None, /)\n--\n\n"
    "Sign all entries of the log with the key at path; an AuditCheckpoint. sign makes the "
    "signature\n"
    "for a key whose secret is not in its file: it is called with bytes and answers 64 bytes.";

const char swpy_audit_rotate_doc[] =
    "audit_rotate($self, path, next_path, sign=None, next_sign=None, /)\n--\n\n"
    "Hand the log over to another key; an AuditKey and the AuditCheckpoint that both have signed.";

const char swpy_audit_enrol_doc[] =
    "audit_enrol($type, vkey, path, /)\n--\n\n"
    "Let a key sign whose secret only the application has; path gets the verifier key.";

typedef struct signing_call signing_call;

/* Who signs. */
typedef struct signer {
    signing_call *call;
    PyObject *sign; /* NULL: the file holds the secret */
} signer;

struct signing_call {
    swpy_call call;
    signer signers[2]; /* the second takes over in a rotation */
    sw_audit_signing signing[2];
    PyObject *raised[3]; /* type, value and traceback of what the application raised */
};

/* ---- asking the application ---- */

static bool signature_read(swpy_state *state, PyObject *answer, uint8_t signature[64])
{
    char *bytes = NULL;
    Py_ssize_t size = 0;

    if (!PyBytes_Check(answer))
        return swpy_type_refuse("a signature", "bytes", answer);
    if (PyBytes_AsStringAndSize(answer, &bytes, &size) < 0)
        return false;
    if (size != 64) {
        swpy_refuse(state, SW_EINVAL, -1, "a signature has 64 bytes, not %zd", size);
        return false;
    }
    memcpy(signature, bytes, 64);
    return true;
}

static bool signer_ask(swpy_state *state, PyObject *sign, sw_str message, uint8_t signature[64])
{
    PyObject *bytes = PyBytes_FromStringAndSize(message.ptr, (Py_ssize_t)message.len);
    PyObject *answer =
        bytes == NULL ? NULL : PyObject_CallFunctionObjArgs(sign, bytes, (PyObject *)NULL);
    bool good = answer != NULL && signature_read(state, answer, signature);

    Py_XDECREF(answer);
    Py_XDECREF(bytes);
    return good;
}

static int signer_sign(void *context, sw_str message, uint8_t signature[64])
{
    const signer *asked = context;
    signing_call *signing = asked->call;
    swpy_engine *owner = signing->call.owner;
    PyObject **raised = signing->raised;

    PyEval_RestoreThread(signing->call.thread);
    atomic_fetch_add(&owner->signing, 1);
    bool good = signer_ask(owner->state, asked->sign, message, signature);
    if (!good)
        PyErr_Fetch(&raised[0], &raised[1], &raised[2]);
    atomic_fetch_sub(&owner->signing, 1);
    signing->call.thread = PyEval_SaveThread();
    return good ? SW_OK : SW_EAUDIT;
}

/* ---- seal, rotate ---- */

static bool signer_read(swpy_state *state, signing_call *signing, int which, PyObject *path,
                        PyObject *sign, const char *what)
{
    sw_audit_signing *out = &signing->signing[which];

    if (sign == Py_None)
        sign = NULL;
    if (sign != NULL && !PyCallable_Check(sign))
        return swpy_type_refuse(what, "callable or None", sign);
    signing->signers[which] = (signer){.call = signing, .sign = sign};
    *out = (sw_audit_signing)SW_AUDIT_SIGNING_INIT;
    out->sign = sign == NULL ? NULL : signer_sign;
    out->context = &signing->signers[which];
    return swpy_str_read(state, path, "path", &out->path);
}

typedef int (*signing_run)(sw_engine *engine, const signing_call *signing, sw_result **out,
                           sw_error *error);

/* As swpy_call_ask; an exception of the application goes on, whatever the core made of it. */
static PyObject *signing_ask(swpy_engine *self, signing_call *signing, signing_run run,
                             swpy_convert convert)
{
    sw_result *result = NULL;
    sw_error error;

    if (!swpy_call_begin(&signing->call, self, 0, true))
        return NULL;
    int code = run(signing->call.engine, signing, &result, &error);
    swpy_call_end(&signing->call);
    if (signing->raised[0] == NULL)
        return swpy_call_answer(self->state, code, result, &error, convert);
    PyErr_Restore(signing->raised[0], signing->raised[1], signing->raised[2]);
    sw_result_free(result);
    return NULL;
}

static PyObject *checkpoint_new(swpy_state *state, const sw_result *result)
{
    const sw_audit_checkpoint *row = sw_audit_checkpoints(result, NULL);
    PyObject *values[] = {
        swpy_str_new(row->origin),
        PyLong_FromLongLong(row->entry_count),
        PyLong_FromLongLong(row->entries_new),
        swpy_hex_new(row->root, sizeof(row->root)),
        swpy_str_new(row->note),
    };
    return swpy_record_new(state, SWPY_CHECKPOINT, values, 5);
}

static int seal_run(sw_engine *engine, const signing_call *signing, sw_result **out,
                    sw_error *error)
{
    return sw_audit_seal_with(engine, &signing->signing[0], out, error);
}

PyObject *swpy_audit_seal(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *path = NULL, *sign = NULL;
    signing_call seal = {.raised = {NULL}};

    if (!PyArg_ParseTuple(args, "O|O:audit_seal", &path, &sign) ||
        !signer_read(self->state, &seal, 0, path, sign, "sign"))
        return NULL;
    return signing_ask(self, &seal, seal_run, checkpoint_new);
}

static int rotate_run(sw_engine *engine, const signing_call *signing, sw_result **out,
                      sw_error *error)
{
    return sw_audit_rotate(engine, &signing->signing[0], &signing->signing[1], out, error);
}

static PyObject *rotation_new(swpy_state *state, const sw_result *result)
{
    return Py_BuildValue("(NN)", swpy_key_new(state, result), checkpoint_new(state, result));
}

PyObject *swpy_audit_rotate(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *path = NULL, *next_path = NULL, *sign = NULL, *next_sign = NULL;
    signing_call rotate = {.raised = {NULL}};

    if (!PyArg_ParseTuple(args, "OO|OO:audit_rotate", &path, &next_path, &sign, &next_sign) ||
        !signer_read(self->state, &rotate, 0, path, sign, "sign") ||
        !signer_read(self->state, &rotate, 1, next_path, next_sign, "next_sign"))
        return NULL;
    return signing_ask(self, &rotate, rotate_run, rotation_new);
}

/* ---- enrol ---- */

static int enrol_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const sw_str *texts = context;

    (void)engine;
    (void)out;
    return sw_audit_enrol(texts[0], texts[1], error);
}

PyObject *swpy_audit_enrol(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[2];
    sw_str texts[2];

    if (state == NULL || !PyArg_ParseTuple(args, "OO:audit_enrol", &values[0], &values[1]) ||
        !swpy_str_read(state, values[0], "vkey", &texts[0]) ||
        !swpy_str_read(state, values[1], "path", &texts[1]))
        return NULL;
    return swpy_call_apart(state, enrol_run, texts, swpy_none_new);
}
