/* Integers in buffers (array.array, memoryview, numpy arrays and the like), in both directions.
 *
 * What has the size and the place that C needs is read where it lies; the buffer stays exported,
 * so its owner cannot move it. Anything else is converted into memory of our own. Answers are
 * memoryviews of bytes, which cost one copy. Not here: lists, which graph_edges.c reads.
 */
#include "module.h"

#include <stdint.h>
#include <string.h>

/* Shows which end of a number comes first on this machine. */
union format_order {
    uint16_t number;
    char first;
};

/* Bytes of one item of a format of signed integers in the order of this machine, 0 for others. */
static size_t format_size(const char *format, Py_ssize_t item_size)
{
    const char native = (union format_order){1}.first == 1 ? '<' : '>';

    if (format == NULL)
        return 0;
    if (*format == '@' || *format == '=' || *format == native)
        format++;
    if (*format == '\0' || strchr("ilq", *format) == NULL || format[1] != '\0')
        return 0;
    return item_size == 4 || item_size == 8 ? (size_t)item_size : 0;
}

static int64_t item_read(const char *place, size_t size)
{
    int32_t narrow = 0;
    int64_t wide = 0;

    if (size == sizeof(wide)) {
        memcpy(&wide, place, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, place, sizeof(narrow));
    return narrow;
}

/* Fill own with the items of the buffer, which lie stride bytes apart. */
static bool items_convert(swpy_state *state, const char *what, size_t size, size_t found,
                          swpy_array *out)
{
    const char *place = out->view.buf;
    Py_ssize_t stride = out->view.strides != NULL ? out->view.strides[0] : (Py_ssize_t)found;

    for (size_t i = 0; i < out->count; i++, place += stride) {
        int64_t item = item_read(place, found);
        if (size == sizeof(int64_t)) {
            ((int64_t *)out->own)[i] = item;
        } else if (item >= INT32_MIN && item <= INT32_MAX) {
            ((int32_t *)out->own)[i] = (int32_t)item;
        } else {
            swpy_refuse(state, SW_EINVAL, (Py_ssize_t)i,
                        "row %zu: %s holds %lld, which does not fit into 32 bits", i, what,
                        (long long)item);
            return false;
        }
    }
    return true;
}

static bool items_take(swpy_state *state, const char *what, size_t size, size_t found,
                       swpy_array *out)
{
    const swpy_buffer *view = &out->view;
    bool dense = out->count < 2 || view->strides == NULL || view->strides[0] == view->itemsize;

    if (found == size && dense && (uintptr_t)view->buf % size == 0) {
        out->items = view->buf;
        return true;
    }
    out->own = PyMem_Calloc(out->count + 1, size);
    if (out->own == NULL) {
        PyErr_NoMemory();
        return false;
    }
    out->items = out->own;
    return items_convert(state, what, size, found, out);
}

bool swpy_array_check(PyObject *value)
{
    PyObject *view = PyMemoryView_FromObject(value);

    PyErr_Clear();
    Py_XDECREF(view);
    return view != NULL;
}

bool swpy_array_read(swpy_state *state, PyObject *value, const char *what, size_t size,
                     swpy_array *out)
{
    *out = (swpy_array){.items = NULL};
    if (value == NULL || value == Py_None)
        return true;
    if (PyObject_GetBuffer(value, &out->view, SWPY_BUFFER_FLAGS) < 0)
        return false;
    size_t found = format_size(out->view.format, out->view.itemsize);
    if (out->view.ndim != 1 || found == 0) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be a buffer of one dimension with signed integers of 32 or 64 bits, "
                     "not of format '%s' with %d dimensions",
                     what, out->view.format == NULL ? "B" : out->view.format, out->view.ndim);
        swpy_array_free(out);
        return false;
    }
    out->count = (size_t)(out->view.len / out->view.itemsize);
    if (items_take(state, what, size, found, out))
        return true;
    swpy_array_free(out);
    return false;
}

void swpy_array_free(swpy_array *array)
{
    PyMem_Free(array->own);
    if (array->view.obj != NULL)
        PyBuffer_Release(&array->view);
    *array = (swpy_array){.items = NULL};
}

PyObject *swpy_array_new(const void *items, size_t count, const char *format)
{
    size_t size = *format == 'q' ? sizeof(int64_t) : sizeof(int32_t);
    PyObject *bytes =
        PyBytes_FromStringAndSize(count == 0 ? "" : items, (Py_ssize_t)(count * size));
    if (bytes == NULL)
        return NULL;
    PyObject *view = PyMemoryView_FromObject(bytes);
    Py_DECREF(bytes);
    if (view == NULL)
        return NULL;
    PyObject *answer = PyObject_CallMethod(view, "cast", "s", format);
    Py_DECREF(view);
    return answer;
}
