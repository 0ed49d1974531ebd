/* Proofs about the audit log: made with an engine or out of an export, checked without either. */
#include "module.h"

const char swpy_audit_prove_doc[] =
    "audit_prove($self, checkpoint, entry_nos, /)\n--\n\n"
    "Prove that entries are in the log that a checkpoint signed; a list of AuditProof.";

const char swpy_audit_prove_consistency_doc[] =
    "audit_prove_consistency($self, old, checkpoint, /)\n--\n\n"
    "Prove that the log of a checkpoint continues that of an older one; an AuditProof whose entry\n"
    "is None.";

const char swpy_audit_prove_export_doc[] =
    "audit_prove_export($type, folder, checkpoint, entry_nos, /)\n--\n\n"
    "Prove out of an export that entries are in the log of a checkpoint, or of the folder's own "
    "for\n"
    "None; a list of AuditProof.";

const char swpy_audit_prove_export_consistency_doc[] =
    "audit_prove_export_consistency($type, folder, old, checkpoint, /)\n--\n\n"
    "Prove out of an export that the log of a checkpoint, or of the folder's own for None, "
    "continues\n"
    "that of an older one; an AuditProof whose entry is None.";

const char swpy_audit_check_doc[] =
    "audit_check($type, proof, checkpoints, keys, /)\n--\n\n"
    "Check a proof of either kind; an AuditShown. Raises AuditError when it proves nothing.";

/* What is asked for. */
typedef struct proof_ask {
    sw_str folder;
    sw_str checkpoint;
    sw_str old;
    int64_t *entry_nos;
    size_t count;
} proof_ask;

/* The entry of a proof; None where it is about no entry. */
static PyObject *proof_entry_new(swpy_state *state, const sw_audit_entry *entry)
{
    return entry->entry_no > 0 ? swpy_entry_new(state, entry) : Py_BuildValue("");
}

static PyObject *proof_new(swpy_state *state, const void *item)
{
    const sw_audit_proof *row = item;
    PyObject *values[] = {proof_entry_new(state, &row->entry), swpy_str_new(row->text)};

    return swpy_record_new(state, SWPY_PROOF, values, 2);
}

static int prove_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const proof_ask *ask = context;

    return sw_audit_prove(engine, ask->checkpoint, ask->entry_nos, ask->count, out, error);
}

static PyObject *proofs_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_audit_proof *rows = sw_audit_proofs(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, proof_new);
}

/* The numbers of entries, in memory that the caller frees. */
static bool entry_nos_read(swpy_state *state, PyObject *value, proof_ask *ask)
{
    PyObject *items = swpy_rows_read(value, "entry_nos");

    if (items == NULL)
        return false;
    ask->count = (size_t)PyTuple_Size(items);
    ask->entry_nos = PyMem_Malloc((ask->count + 1) * sizeof(*ask->entry_nos));
    bool read = ask->entry_nos != NULL;
    if (!read)
        PyErr_NoMemory();
    for (size_t i = 0; read && i < ask->count; i++) {
        read = swpy_int64_read(state, PyTuple_GetItem(items, (Py_ssize_t)i), "an entry number",
                               &ask->entry_nos[i]) ||
               swpy_row_fail(i);
    }
    Py_DECREF(items);
    return read;
}

PyObject *swpy_audit_prove(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[2], *answer = NULL;
    proof_ask ask = {.count = 0};

    if (!PyArg_ParseTuple(args, "OO:audit_prove", &values[0], &values[1]) ||
        !swpy_str_read(self->state, values[0], "checkpoint", &ask.checkpoint))
        return NULL;
    if (entry_nos_read(self->state, values[1], &ask))
        answer = swpy_call_ask(self, 0, true, prove_run, &ask, proofs_new);
    PyMem_Free(ask.entry_nos);
    return answer;
}

static int consistency_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const proof_ask *ask = context;

    return sw_audit_prove_consistency(engine, ask->old, ask->checkpoint, out, error);
}

static PyObject *consistency_new(swpy_state *state, const sw_result *result)
{
    return proof_new(state, sw_audit_proofs(result, NULL));
}

PyObject *swpy_audit_prove_consistency(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[2];
    proof_ask ask = {.count = 0};

    if (!PyArg_ParseTuple(args, "OO:audit_prove_consistency", &values[0], &values[1]) ||
        !swpy_str_read(self->state, values[0], "old", &ask.old) ||
        !swpy_str_read(self->state, values[1], "checkpoint", &ask.checkpoint))
        return NULL;
    return swpy_call_ask(self, 0, true, consistency_run, &ask, consistency_new);
}

/* ---- out of an export ---- */

static int prove_export_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const proof_ask *ask = context;

    (void)engine;
    return sw_audit_prove_export(ask->folder, ask->checkpoint, ask->entry_nos, ask->count, out,
                                 error);
}

PyObject *swpy_audit_prove_export(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[3], *answer = NULL;
    proof_ask ask = {.count = 0};

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOO:audit_prove_export", &values[0], &values[1], &values[2]) ||
        !swpy_str_read(state, values[0], "folder", &ask.folder) ||
        !swpy_str_read_maybe(state, values[1], "checkpoint", &ask.checkpoint))
        return NULL;
    if (entry_nos_read(state, values[2], &ask))
        answer = swpy_call_apart(state, prove_export_run, &ask, proofs_new);
    PyMem_Free(ask.entry_nos);
    return answer;
}

static int export_consistency_run(sw_engine *engine, void *context, sw_result **out,
                                  sw_error *error)
{
    const proof_ask *ask = context;

    (void)engine;
    return sw_audit_prove_export_consistency(ask->folder, ask->old, ask->checkpoint, out, error);
}

PyObject *swpy_audit_prove_export_consistency(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[3];
    proof_ask ask = {.count = 0};

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOO:audit_prove_export_consistency", &values[0], &values[1],
                          &values[2]) ||
        !swpy_str_read(state, values[0], "folder", &ask.folder) ||
        !swpy_str_read(state, values[1], "old", &ask.old) ||
        !swpy_str_read_maybe(state, values[2], "checkpoint", &ask.checkpoint))
        return NULL;
    return swpy_call_apart(state, export_consistency_run, &ask, consistency_new);
}

/* ---- checking ---- */

typedef struct check_ask {
    swpy_trust trust;
    sw_str proof;
} check_ask;

static int check_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const check_ask *ask = context;

    (void)engine;
    return sw_audit_check(&ask->trust.given, ask->proof, out, error);
}

static PyObject *shown_new(swpy_state *state, const sw_result *result)
{
    const sw_audit_shown *row = sw_audit_shown_rows(result, NULL);
    PyObject *values[] = {
        swpy_str_new(row->origin),
        PyLong_FromLongLong(row->entry_count),
        PyLong_FromLongLong(row->old_count),
        proof_entry_new(state, &row->entry),
    };
    return swpy_record_new(state, SWPY_SHOWN, values, 4);
}

PyObject *swpy_audit_check(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[3];
    check_ask ask;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOO:audit_check", &values[0], &values[1], &values[2]) ||
        !swpy_str_read(state, values[0], "proof", &ask.proof) ||
        !swpy_trust_read(state, values[1], values[2], NULL, &ask.trust))
        return NULL;
    PyObject *answer = swpy_call_apart(state, check_run, &ask, shown_new);
    swpy_trust_free(&ask.trust);
    return answer;
}
