/* Workflow definitions: register a text, read a registered one back.
 *
 * Findings of a refused definition go to the exception as dicts, all of them.
 */
#include "module.h"

#include <stdio.h>

const char swpy_register_doc[] =
    "register($self, definition, /, *, source=None, strict=False)\n--\n\n"
    "Load a definition from JSON or YAML text and store it; a Registered.";

const char swpy_definition_doc[] = "definition($self, name, version=None, /)\n--\n\n"
                                   "The newest registered definition of a name, as a Definition.";

static PyObject *finding_new(swpy_state *state, const void *row)
{
    const sw_finding *finding = row;
    const char *severity = finding->severity == SW_SEVERITY_ERROR ? "error" : "warning";

    (void)state;
    return Py_BuildValue("{s:s,s:i,s:i,s:N,s:N}", "severity", severity, "line", finding->line,
                         "column", finding->column, "path", swpy_str_new(finding->path), "message",
                         swpy_str_new(finding->message));
}

static PyObject *findings_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_finding *rows = result == NULL ? NULL : sw_findings(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, finding_new);
}

sw_workflow *swpy_workflow_load(swpy_state *state, const sw_workflow_options *options, sw_str text,
                                PyObject **warnings)
{
    sw_workflow *workflow = NULL;
    sw_result *result = NULL;
    sw_error error;

    int code = sw_workflow_load(options, text, &workflow, &result, &error);
    *warnings = findings_new(state, result);
    sw_result_free(result);
    if (*warnings == NULL) {
        sw_workflow_free(workflow);
        return NULL;
    }
    if (code < 0) {
        swpy_raise_with(state, &error, "findings", *warnings);
        *warnings = NULL;
        return NULL;
    }
    return workflow;
}

static int workflow_store(swpy_engine *self, const sw_workflow *workflow)
{
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, 1, false))
        return -1;
    int code = sw_workflow_register(call.engine, &workflow, 1, &error);
    swpy_call_end(&call);
    if (code < 0)
        swpy_raise(self->state, &error);
    return code;
}

/* A Registered; warnings is taken. */
static PyObject *registered_new(swpy_state *state, const sw_workflow *workflow, PyObject *warnings)
{
    PyObject *values[] = {
        swpy_str_new(sw_workflow_name(workflow)),
        swpy_str_new(sw_workflow_version(workflow)),
        swpy_str_new(sw_workflow_digest(workflow)),
        warnings,
    };
    return swpy_record_new(state, SWPY_REGISTERED, values, 4);
}

PyObject *swpy_register(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "source", "strict", NULL};
    swpy_engine *self = (swpy_engine *)object;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    PyObject *definition = NULL;
    PyObject *source = NULL;
    PyObject *warnings = NULL;
    PyObject *answer = NULL;
    int strict = 0;
    sw_str text;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$Op:register", names, &definition, &source,
                                     &strict) ||
        !swpy_str_read(self->state, definition, "definition", &text) ||
        !swpy_str_read_maybe(self->state, source, "source", &options.source))
        return NULL;
    options.strict = strict;
    sw_workflow *workflow = swpy_workflow_load(self->state, &options, text, &warnings);
    if (workflow == NULL)
        return NULL;
    if (workflow_store(self, workflow) < 0)
        Py_CLEAR(warnings);
    else
        answer = registered_new(self->state, workflow, warnings);
    sw_workflow_free(workflow);
    return answer;
}

static PyObject *definition_new(swpy_state *state, const sw_workflow *workflow)
{
    PyObject *values[] = {
        swpy_str_new(sw_workflow_name(workflow)),
        swpy_str_new(sw_workflow_version(workflow)),
        swpy_str_new(sw_workflow_digest(workflow)),
        swpy_str_new(sw_workflow_json(workflow)),
        swpy_str_new(sw_workflow_input_schema(workflow)),
        PyLong_FromLongLong(sw_workflow_max_parallel(workflow)),
        PyLong_FromLongLong(sw_workflow_deadline_ms(workflow)),
    };
    return swpy_record_new(state, SWPY_DEFINITION, values, 7);
}

PyObject *swpy_definition(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_workflow *workflow = NULL;
    PyObject *name_value = NULL;
    PyObject *version_value = NULL;
    sw_str name;
    sw_str version;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "O|O:definition", &name_value, &version_value) ||
        !swpy_str_read(self->state, name_value, "name", &name) ||
        !swpy_str_read_maybe(self->state, version_value, "version", &version) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_workflow_get(call.engine, name, version, &workflow, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *answer = definition_new(self->state, workflow);
    sw_workflow_free(workflow);
    return answer;
}
