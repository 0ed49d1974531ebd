/* Control reports: of an engine and of an export, the list of controls, signatures. */
#include "module.h"

const char swpy_control_report_doc[] =
    "control_report($self, format, standards, after_us, before_us, checkpoints, keys, /)\n--\n\n"
    "What the log holds as evidence for controls, up to the newest checkpoint; a ControlReport.";

const char swpy_control_report_export_doc[] =
    "control_report_export($type, folder, format, standards, after_us, before_us, checkpoints,\n"
    "                      keys, /)\n--\n\n"
    "The same of a folder that audit_export wrote.";

const char swpy_control_list_doc[] = "control_list($type, /)\n--\n\n"
                                     "All controls; a list of Control.";

const char swpy_control_sign_doc[] = "control_sign($type, path, text, /)\n--\n\n"
                                     "Sign a report with the key at path; a ControlSignature.";

const char swpy_control_check_doc[] =
    "control_check($type, text, note, keys, /)\n--\n\n"
    "Whose signature of a report it is; a ControlSignature. Raises AuditError when it is none.";

/* What is asked for. */
typedef struct control_ask {
    sw_control_options options;
    swpy_trust trust;
    sw_audit_signing signing;
    sw_str folder;
    sw_str text;
    sw_str note;
} control_ask;

/* ---- rows ---- */

static PyObject *numbers_new(const int64_t *numbers, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);

    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *number = PyLong_FromLongLong(numbers[i]);

        if (number == NULL || PyList_SetItem(list, (Py_ssize_t)i, number) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *answer_new(swpy_state *state, const void *item)
{
    const sw_control_row *row = item;
    PyObject *values[] = {
        PyUnicode_FromString(sw_standard_name(row->control->standard)),
        swpy_str_new(row->control->id),
        swpy_str_new(row->control->title),
        swpy_str_new(row->control->question),
        PyUnicode_FromString(sw_answer_name(row->answer)),
        numbers_new(row->entry_nos, row->entry_no_count),
    };
    return swpy_record_new(state, SWPY_CONTROL_ANSWER, values, 6);
}

static PyObject *evidence_new(swpy_state *state, const void *item)
{
    const sw_evidence_row *row = item;
    PyObject *values[] = {
        PyUnicode_FromString(sw_evidence_name(row->evidence)),
        PyUnicode_FromString(sw_evidence_question(row->evidence)),
        PyUnicode_FromString(sw_answer_name(row->answer)),
        PyLong_FromLongLong(row->entry_count),
        numbers_new(row->entry_nos, (size_t)row->entry_no_count),
        PyLong_FromLongLong(row->against_count),
        numbers_new(row->against_nos, (size_t)row->against_no_count),
    };
    return swpy_record_new(state, SWPY_EVIDENCE, values, 7);
}

static PyObject *report_new(swpy_state *state, const sw_result *result)
{
    size_t answer_count = 0;
    size_t evidence_count = 0;
    const sw_control_summary *row = sw_control_summaries(result, NULL);
    const sw_control_row *answers = sw_control_rows(result, &answer_count);
    const sw_evidence_row *evidence = sw_evidence_rows(result, &evidence_count);
    PyObject *values[] = {
        swpy_str_new(row->origin),
        PyLong_FromLongLong(row->entry_count),
        PyLong_FromLongLong(row->window_count),
        PyLong_FromLongLong(row->as_of_us),
        swpy_name_new(state->audit_levels, SW_AUDIT_LEVEL_COUNT, row->level),
        PyLong_FromLong(row->found),
        PyLong_FromLong(row->not_found),
        PyLong_FromLong(row->not_applicable),
        swpy_list_new(state, answers, sizeof(*answers), answer_count, answer_new),
        swpy_list_new(state, evidence, sizeof(*evidence), evidence_count, evidence_new),
        swpy_str_new(row->text),
    };
    return swpy_record_new(state, SWPY_CONTROL_REPORT, values, 11);
}

static PyObject *kinds_new(int64_t kinds)
{
    PyObject *list = PyList_New(0);

    for (int kind = 0; list != NULL && kind < SW_EVIDENCE_COUNT; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        PyObject *name = PyUnicode_FromString(sw_evidence_name(kind));

        if (name == NULL || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *control_new(swpy_state *state, const void *item)
{
    const sw_control *row = item;
    PyObject *values[] = {
        PyUnicode_FromString(sw_standard_name(row->standard)),
        PyUnicode_FromString(sw_standard_title(row->standard)),
        swpy_str_new(row->id),
        swpy_str_new(row->title),
        swpy_str_new(row->question),
        kinds_new(row->evidence),
    };
    return swpy_record_new(state, SWPY_CONTROL, values, 6);
}

PyObject *swpy_control_list(PyObject *type, PyObject *args)
{
    size_t count = 0;
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    const sw_control *rows = sw_control_list(&count);

    if (state == NULL || !PyArg_ParseTuple(args, ":control_list"))
        return NULL;
    return swpy_list_new(state, rows, sizeof(*rows), count, control_new);
}

/* ---- reports ---- */

/* The number of a name, which is looked for by find. */
static bool name_find(swpy_state *state, sw_str name, int (*find)(sw_str), const char *what,
                      int32_t *out)
{
    *out = find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "%s is '%.*s', which is none that there is", what,
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

static bool standards_read(swpy_state *state, PyObject *value, int64_t *out)
{
    swpy_strings names;
    int32_t standard = 0;
    bool read = swpy_strings_read(state, value, "standards", &names);

    if (!read)
        return false;
    for (size_t i = 0; read && i < names.count; i++) {
        read = name_find(state, names.items[i], sw_standard_find, "a standard", &standard);
        if (read)
            *out |= INT64_C(1) << standard;
    }
    swpy_strings_free(&names);
    return read;
}

static bool time_read(swpy_state *state, PyObject *value, const char *what, int64_t *out)
{
    return value == Py_None || swpy_int64_read(state, value, what, out);
}

/* format, standards, after_us, before_us, checkpoints, keys. */
static bool ask_read(swpy_state *state, PyObject *const *values, control_ask *ask)
{
    sw_str format;

    ask->options = (sw_control_options)SW_CONTROL_OPTIONS_INIT;
    return swpy_str_read(state, values[0], "format", &format) &&
           name_find(state, format, sw_control_format_find, "format", &ask->options.format) &&
           standards_read(state, values[1], &ask->options.standards) &&
           time_read(state, values[2], "after_us", &ask->options.after_us) &&
           time_read(state, values[3], "before_us", &ask->options.before_us) &&
           swpy_trust_read(state, values[4], values[5], NULL, &ask->trust);
}

static int report_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const control_ask *ask = context;

    return sw_control_report(engine, &ask->trust.given, &ask->options, out, error);
}

PyObject *swpy_control_report(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *v[6];
    control_ask ask;

    if (!PyArg_ParseTuple(args, "OOOOOO:control_report", &v[0], &v[1], &v[2], &v[3], &v[4],
                          &v[5]) ||
        !ask_read(self->state, v, &ask))
        return NULL;
    PyObject *answer = swpy_call_ask(self, 0, true, report_run, &ask, report_new);
    swpy_trust_free(&ask.trust);
    return answer;
}

static int export_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const control_ask *ask = context;

    (void)engine;
    return sw_control_report_export(ask->folder, &ask->trust.given, &ask->options, out, error);
}

PyObject *swpy_control_report_export(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *v[7];
    control_ask ask;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOOOOOO:control_report_export", &v[0], &v[1], &v[2], &v[3], &v[4],
                          &v[5], &v[6]) ||
        !swpy_str_read(state, v[0], "folder", &ask.folder) || !ask_read(state, v + 1, &ask))
        return NULL;
    PyObject *answer = swpy_call_apart(state, export_run, &ask, report_new);
    swpy_trust_free(&ask.trust);
    return answer;
}

/* ---- signatures ---- */

static PyObject *signature_new(swpy_state *state, const sw_result *result)
{
    const sw_control_signature *row = sw_control_signatures(result, NULL);
    PyObject *values[] = {
        swpy_str_new(row->name),
        swpy_hex_new(row->digest, sizeof(row->digest)),
        swpy_str_new(row->note),
    };
    return swpy_record_new(state, SWPY_CONTROL_SIGNATURE, values, 3);
}

static int sign_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const control_ask *ask = context;

    (void)engine;
    return sw_control_sign(&ask->signing, ask->text, out, error);
}

PyObject *swpy_control_sign(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    control_ask ask = {.signing = SW_AUDIT_SIGNING_INIT};
    PyObject *values[2];

    if (state == NULL || !PyArg_ParseTuple(args, "OO:control_sign", &values[0], &values[1]) ||
        !swpy_str_read(state, values[0], "path", &ask.signing.path) ||
        !swpy_str_read(state, values[1], "text", &ask.text))
        return NULL;
    return swpy_call_apart(state, sign_run, &ask, signature_new);
}

static int check_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const control_ask *ask = context;
    const sw_audit_trust *trust = &ask->trust.given;

    (void)engine;
    return sw_control_check(trust->keys, trust->key_count, ask->text, ask->note, out, error);
}

PyObject *swpy_control_check(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    PyObject *values[3];
    control_ask ask;

    if (state == NULL ||
        !PyArg_ParseTuple(args, "OOO:control_check", &values[0], &values[1], &values[2]) ||
        !swpy_str_read(state, values[0], "text", &ask.text) ||
        !swpy_str_read(state, values[1], "note", &ask.note) ||
        !swpy_trust_read(state, NULL, values[2], NULL, &ask.trust))
        return NULL;
    PyObject *answer = swpy_call_apart(state, check_run, &ask, signature_new);
    swpy_trust_free(&ask.trust);
    return answer;
}
