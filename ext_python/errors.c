/* Exceptions: the classes, made from the core's list, and the one function that raises them.
 *
 * Every class derives from stepwell.Error and carries code and name; an instance carries row, the
 * index of the offending element of a batch, or None. SW_ENOMEM is Python's own MemoryError.
 * Not here: TypeError for a value of the wrong type, which convert.c raises where it is found.
 */
#include "module.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Codes whose class is also one of Python's own, so that ordinary except clauses catch it. */
static PyObject *error_builtin(int code)
{
    switch (code) {
    case SW_EINVAL:
        return PyExc_ValueError;
    case SW_ENOTFOUND:
        return PyExc_LookupError;
    case SW_EACCESS:
        return PyExc_PermissionError;
    case SW_ETIMEOUT:
        return PyExc_TimeoutError;
    default:
        return NULL;
    }
}

static PyObject *error_class(const swpy_state *state, int code)
{
    if (code < 0 && -code <= SWPY_ERROR_COUNT && state->errors[-code] != NULL)
        return state->errors[-code];
    return state->error;
}

static bool error_set_row(PyObject *exception, int64_t row)
{
    if (row < 0)
        return true; /* the class answers None */
    PyObject *number = PyLong_FromLongLong(row);
    if (number == NULL)
        return false;
    int result = PyObject_SetAttrString(exception, "row", number);
    Py_DECREF(number);
    return result == 0;
}

static PyObject *error_new(const swpy_state *state, const sw_error *error)
{
    const char *text = error->message[0] != '\0' ? error->message : sw_code_text(error->code);
    PyObject *message = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    if (message == NULL)
        return NULL;
    PyObject *exception =
        PyObject_CallFunctionObjArgs(error_class(state, error->code), message, NULL);
    Py_DECREF(message);
    if (exception != NULL && !error_set_row(exception, error->row))
        Py_CLEAR(exception);
    return exception;
}

PyObject *swpy_raise_with(swpy_state *state, const sw_error *error, const char *attribute,
                          PyObject *value)
{
    PyObject *exception = NULL;

    if (error->code == SW_ENOMEM) {
        PyErr_NoMemory();
        goto done;
    }
    exception = error_new(state, error);
    if (exception == NULL)
        goto done;
    if (value != NULL && PyObject_SetAttrString(exception, attribute, value) < 0)
        goto done;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
done:
    Py_XDECREF(exception);
    Py_XDECREF(value);
    return NULL;
}

PyObject *swpy_raise(swpy_state *state, const sw_error *error)
{
    return swpy_raise_with(state, error, NULL, NULL);
}

PyObject *swpy_refuse(swpy_state *state, int code, Py_ssize_t row, const char *format, ...)
{
    sw_error error = {.code = code, .row = row};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error.message, sizeof(error.message), format, arguments);
    va_end(arguments);
    return swpy_raise(state, &error);
}

/* The attributes of one class; row, findings, cycle and versions are what instances override. */
static PyObject *error_attributes(int code)
{
    if (code == SW_OK)
        return Py_BuildValue("{sOsOsO}", "code", Py_None, "name", Py_None, "row", Py_None);
    if (code == SW_EDEFINITION)
        return Py_BuildValue("{sisss()sO}", "code", code, "name", sw_code_name(code), "findings",
                             "cycle", Py_None);
    if (code == SW_EOUTDATED)
        return Py_BuildValue("{sisssOsO}", "code", code, "name", sw_code_name(code), "version",
                             Py_None, "expected_version", Py_None);
    return Py_BuildValue("{siss}", "code", code, "name", sw_code_name(code));
}

/* Make a class and add it to the module; a new reference. */
static PyObject *error_class_new(PyObject *module, const char *name, PyObject *bases, int code)
{
    char full_name[96];
    PyObject *type = NULL;
    PyObject *attributes = error_attributes(code);

    if (attributes == NULL)
        return NULL;
    snprintf(full_name, sizeof(full_name), "stepwell.%s", name);
    type = PyErr_NewExceptionWithDoc(
        full_name, code == SW_OK ? "Base class of the errors of stepwell." : sw_code_text(code),
        bases, attributes);
    Py_DECREF(attributes);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0)
        Py_CLEAR(type);
    return type;
}

static bool error_class_setup(PyObject *module, swpy_state *state, int code)
{
    if (code == SW_ENOMEM)
        return true;
    PyObject *builtin = error_builtin(code);
    PyObject *bases =
        builtin == NULL ? PyTuple_Pack(1, state->error) : PyTuple_Pack(2, state->error, builtin);
    if (bases == NULL)
        return false;
    state->errors[-code] = error_class_new(module, sw_code_class(code), bases, code);
    Py_DECREF(bases);
    return state->errors[-code] != NULL;
}

bool swpy_errors_setup(PyObject *module, swpy_state *state)
{
    state->error = error_class_new(module, "Error", NULL, SW_OK);
    if (state->error == NULL)
        return false;
    for (int code = -1; code >= -SWPY_ERROR_COUNT; code--) {
        if (!error_class_setup(module, state, code))
            return false;
    }
    return true;
}
