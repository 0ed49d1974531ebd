/* Conversions between Python values and the C types of the public header.
 *
 * A value of the wrong type is a TypeError that names the argument; a value of the right type
 * that C cannot hold (too large, a lone surrogate) is an InvalidArgumentError. Only exact kinds
 * are read: nothing here calls __index__, __str__ or __float__, so no Python code of the caller
 * runs while rows are half read. Strings are borrowed: the object must outlive the C value.
 * Not here: JSON, which is text on both sides of this file.
 */
#include "module.h"

#include <string.h>

bool swpy_type_refuse(const char *what, const char *expected, PyObject *value)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
    if (name != NULL)
        PyErr_Format(PyExc_TypeError, "%s must be %s, not %U", what, expected, name);
    Py_XDECREF(name);
    return false;
}

bool swpy_int64_read(swpy_state *state, PyObject *value, const char *what, int64_t *out)
{
    int overflow = 0;

    if (!PyLong_Check(value))
        return swpy_type_refuse(what, "int", value);
    *out = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0)
        swpy_refuse(state, SW_EINVAL, -1, "%s does not fit into 64 bits", what);
    return overflow == 0;
}

bool swpy_int32_read(swpy_state *state, PyObject *value, const char *what, int32_t *out)
{
    int64_t wide = 0;

    if (!swpy_int64_read(state, value, what, &wide))
        return false;
    if (wide < INT32_MIN || wide > INT32_MAX) {
        swpy_refuse(state, SW_EINVAL, -1, "%s is %lld, which does not fit into 32 bits", what,
                    (long long)wide);
        return false;
    }
    *out = (int32_t)wide;
    return true;
}

bool swpy_size_read(swpy_state *state, PyObject *value, const char *what, size_t *out)
{
    int64_t wide = 0;

    if (!swpy_int64_read(state, value, what, &wide))
        return false;
    if (wide < 0) {
        swpy_refuse(state, SW_EINVAL, -1, "%s is %lld, expected 0 or more", what, (long long)wide);
        return false;
    }
    *out = (size_t)wide;
    return true;
}

bool swpy_str_read(swpy_state *state, PyObject *value, const char *what, sw_str *out)
{
    Py_ssize_t size = 0;

    if (!PyUnicode_Check(value))
        return swpy_type_refuse(what, "str", value);
    out->ptr = PyUnicode_AsUTF8AndSize(value, &size);
    out->len = (size_t)size;
    if (out->ptr != NULL)
        return true;
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        swpy_refuse(state, SW_EINVAL, -1,
                    "%s holds a lone surrogate, which is not valid Unicode text", what);
    }
    return false;
}

bool swpy_str_read_maybe(swpy_state *state, PyObject *value, const char *what, sw_str *out)
{
    if (value == NULL || value == Py_None) {
        *out = (sw_str){NULL, 0};
        return true;
    }
    if (!PyUnicode_Check(value))
        return swpy_type_refuse(what, "str or None", value);
    return swpy_str_read(state, value, what, out);
}

bool swpy_uuid_read(swpy_state *state, PyObject *value, const char *what, sw_uuid *out)
{
    sw_str text;

    if (!swpy_str_read(state, value, what, &text))
        return false;
    if (sw_uuid_parse(text, out) == SW_OK)
        return true;
    swpy_refuse(state, SW_EINVAL, -1, "%s is '%.*s', expected a UUID of 36 characters", what,
                (int)(text.len < 64 ? text.len : 64), text.ptr);
    return false;
}

PyObject *swpy_rows_read(PyObject *value, const char *what)
{
    if (PyUnicode_Check(value) || PyBytes_Check(value) || !PySequence_Check(value)) {
        swpy_type_refuse(what, "a list or tuple", value);
        return NULL;
    }
    return PySequence_Tuple(value);
}

bool swpy_row_check(PyObject *row, const char *what, Py_ssize_t least, Py_ssize_t most)
{
    if (!PyTuple_Check(row))
        return swpy_type_refuse(what, "a tuple", row);
    Py_ssize_t size = PyTuple_Size(row);
    if (size >= least && size <= most)
        return true;
    PyErr_Format(PyExc_TypeError, "%s must be a tuple of %zd to %zd items, not %zd", what, least,
                 most, size);
    return false;
}

PyObject *swpy_row_item(PyObject *row, Py_ssize_t index)
{
    return index < PyTuple_Size(row) ? PyTuple_GetItem(row, index) : Py_None;
}

bool swpy_row_fail(size_t index)
{
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *trace = NULL;

    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *number = PyLong_FromSize_t(index);
    if (value != NULL && number != NULL)
        PyObject_SetAttrString(value, "row", number);
    Py_XDECREF(number);
    PyErr_Restore(type, value, trace);
    return false;
}

bool swpy_strings_read(swpy_state *state, PyObject *value, const char *what, swpy_strings *out)
{
    *out = (swpy_strings){NULL, 0, NULL};
    if (value == NULL || value == Py_None)
        return true;
    out->keep = swpy_rows_read(value, what);
    if (out->keep == NULL)
        return false;
    Py_ssize_t count = PyTuple_Size(out->keep);
    out->items = PyMem_Calloc((size_t)count + 1, sizeof(sw_str));
    if (out->items == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!swpy_str_read(state, PyTuple_GetItem(out->keep, i), what, &out->items[i]))
            goto failed;
    }
    out->count = (size_t)count;
    return true;
failed:
    swpy_strings_free(out);
    return false;
}

void swpy_strings_free(swpy_strings *strings)
{
    PyMem_Free(strings->items);
    Py_XDECREF(strings->keep);
    *strings = (swpy_strings){NULL, 0, NULL};
}

PyObject *swpy_str_new(sw_str text)
{
    if (text.ptr == NULL) {
        Py_INCREF(Py_None);
        return Py_None;
    }
    return PyUnicode_DecodeUTF8(text.ptr, (Py_ssize_t)text.len, "replace");
}

PyObject *swpy_uuid_new(const sw_uuid *uuid)
{
    char text[37];

    sw_uuid_format(uuid, text);
    return PyUnicode_FromStringAndSize(text, 36);
}

PyObject *swpy_name_new(PyObject *const *names, int count, int value)
{
    if (value < 0 || value >= count)
        return PyUnicode_FromString("unknown");
    Py_INCREF(names[value]);
    return names[value];
}

PyObject *swpy_strings_new(const sw_str *items, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);

    for (size_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *item = swpy_str_new(items[i]);
        if (item == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, item) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}
