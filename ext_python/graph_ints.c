/* Nodes that are ints: 0, 1, 2, ... as they are, others numbered in ascending order, and those in
 * two buffers. Not here: the containers they come in (graph_edges.c).
 */
#include "edges.h"

#include <stdlib.h>
#include <string.h>

/* Ints up to that many times as many as there are ends are ranked by a table. */
#define RANK_TABLE_FACTOR 4

static int int64_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The different ints, ascending; their number in *count. NULL: no memory. */
static int64_t *ints_distinct(const swpy_edge_reader *reader, size_t *count)
{
    size_t total = reader->end_count + reader->other_count;
    int64_t *sorted = PyMem_Malloc((total + 1) * sizeof(*sorted));

    *count = 0;
    if (sorted == NULL)
        return NULL;
    if (reader->end_count > 0)
        memcpy(sorted, reader->ends, reader->end_count * sizeof(*sorted));
    if (reader->other_count > 0)
        memcpy(sorted + reader->end_count, reader->others, reader->other_count * sizeof(*sorted));
    qsort(sorted, total, sizeof(*sorted), int64_compare);
    for (size_t i = 0; i < total; i++) {
        if (*count == 0 || sorted[*count - 1] != sorted[i])
            sorted[(*count)++] = sorted[i];
    }
    return sorted;
}

static bool ints_label(swpy_edge_reader *reader, const int64_t *sorted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PyObject *label = PyLong_FromLongLong(sorted[i]);
        bool added = label != NULL && PyList_Append(reader->labels, label) == 0;
        Py_XDECREF(label);
        if (!added)
            return false;
    }
    return true;
}

/* Whether the ints are 0, 1, 2, ... without a gap; *count gets how many. */
static bool ints_consecutive(const swpy_edge_reader *reader, size_t *count)
{
    size_t total = reader->end_count + reader->other_count;
    size_t most = total * RANK_TABLE_FACTOR;
    char *seen = PyMem_Calloc(most + 1, 1);
    size_t different = 0;
    size_t top = 0;
    bool good = seen != NULL;

    for (size_t i = 0; good && i < total; i++) {
        int64_t item =
            i < reader->end_count ? reader->ends[i] : reader->others[i - reader->end_count];
        good = item >= 0 && (uint64_t)item < most;
        if (good && !seen[item]) {
            seen[item] = 1;
            different++;
            top = (size_t)item >= top ? (size_t)item + 1 : top;
        }
    }
    PyMem_Free(seen);
    *count = top;
    return good && top == different;
}

bool swpy_ints_rank(swpy_edge_reader *reader, size_t *count)
{
    if (ints_consecutive(reader, count)) {
        Py_CLEAR(reader->labels);
        return true;
    }
    int64_t *sorted = ints_distinct(reader, count);
    if (sorted == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < reader->end_count; i++) {
        const int64_t *place =
            bsearch(&reader->ends[i], sorted, *count, sizeof(*sorted), int64_compare);
        reader->ends[i] = place - sorted;
    }
    bool good = ints_label(reader, sorted, *count);
    PyMem_Free(sorted);
    return good;
}

bool swpy_node_count_read(swpy_state *state, PyObject *nodes, int32_t *out)
{
    if (!swpy_int32_read(state, nodes, "nodes", out))
        return false;
    if (*out >= 0)
        return true;
    swpy_refuse(state, SW_EINVAL, -1, "nodes is %d, expected 0 or more", *out);
    return false;
}

/* ---- buffers ---- */

static int32_t array_top(const swpy_array *array)
{
    const int32_t *items = array->items;
    int32_t top = -1;

    for (size_t i = 0; i < array->count; i++)
        top = items[i] > top ? items[i] : top;
    return top;
}

bool swpy_buffers_read(swpy_state *state, PyObject *from, PyObject *to, PyObject *nodes,
                       swpy_edges *out)
{
    if (!swpy_array_read(state, from, "from", sizeof(int32_t), &out->from_array) ||
        !swpy_array_read(state, to, "to", sizeof(int32_t), &out->to_array))
        return false;
    if (out->from_array.count != out->to_array.count) {
        swpy_refuse(state, SW_EINVAL, -1, "from has %zu items and to has %zu",
                    out->from_array.count, out->to_array.count);
        return false;
    }
    if (out->from_array.count >= INT32_MAX) {
        /* Said here, and by the core too: before gigabytes are read to find the highest node. */
        swpy_refuse(state, SW_ELIMIT, -1, "%zu edges are more than a graph can hold",
                    out->from_array.count);
        return false;
    }
    out->arrays = true;
    out->from = out->from_array.items;
    out->to = out->to_array.items;
    out->count = out->from_array.count;
    if (nodes != Py_None)
        return swpy_node_count_read(state, nodes, &out->node_count);
    int32_t top = array_top(&out->from_array);
    int32_t other = array_top(&out->to_array);
    top = other > top ? other : top;
    out->node_count = top == INT32_MAX ? top : top + 1;
    return true;
}

bool swpy_buffers_find(PyObject *edges, PyObject **from, PyObject **to)
{
    *from = *to = NULL;
    if ((!PyTuple_Check(edges) && !PyList_Check(edges)) || PySequence_Size(edges) != 2)
        return false;
    *from = PySequence_GetItem(edges, 0);
    *to = PySequence_GetItem(edges, 1);
    if (*from != NULL && *to != NULL && swpy_array_check(*from) && swpy_array_check(*to))
        return true;
    PyErr_Clear();
    Py_CLEAR(*from);
    Py_CLEAR(*to);
    return false;
}
