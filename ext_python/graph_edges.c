/* Edges as Python gives them: pairs, a dict from node to dependencies, or two buffers.
 *
 * Nodes are named by str or by int. Names are numbered in the order in which they come: those of
 * nodes first, then the keys of a dict, then the others. Ints need not be consecutive: they are
 * numbered in ascending order, and when they are 0, 1, 2, ... they are the numbers themselves.
 * In buffers they always are. Reading may run Python code of the caller (the iterator of a
 * container), hence every borrowed item is held while it is used. Not here: numbers for ints, and
 * buffers (graph_ints.c).
 */
#include "edges.h"

/* Dependencies of a node that are asked for at once, from so many names on: below, the table is in
 * the cache. */
#define SEEN_PREFETCH 8
#define SEEN_PREFETCH_FROM 4096

/* ---- nodes ---- */

static bool ints_push(int64_t **items, size_t *count, size_t *room, int64_t item)
{
    if (*count == *room) {
        size_t more = *room == 0 ? 256 : *room * 2;
        int64_t *grown = PyMem_Realloc(*items, more * sizeof(**items));
        if (grown == NULL) {
            PyErr_NoMemory();
            return false;
        }
        *items = grown;
        *room = more;
    }
    (*items)[(*count)++] = item;
    return true;
}

/* Where the search for a name begins. */
static const swpy_seen_name *seen_home(const swpy_edge_reader *reader, const PyObject *name)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)name >> 4) * 0x9e3779b97f4a7c15u >> 20;

    return &reader->seen[(size_t)mixed & (reader->seen_room - 1)];
}

/* The place of a name in the table, or the free one where it belongs. */
static swpy_seen_name *seen_place(const swpy_edge_reader *reader, const PyObject *name)
{
    size_t mask = reader->seen_room - 1;
    size_t at = (size_t)(seen_home(reader, name) - reader->seen);

    while (reader->seen[at].name != NULL && reader->seen[at].name != name)
        at = (at + 1) & mask;
    return &reader->seen[at];
}

static bool seen_grow(swpy_edge_reader *reader, size_t room)
{
    swpy_edge_reader old = *reader;

    reader->seen_room = room;
    reader->seen = PyMem_Calloc(reader->seen_room, sizeof(*reader->seen));
    if (reader->seen == NULL) {
        reader->seen = old.seen;
        reader->seen_room = old.seen_room;
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < old.seen_room; i++) {
        if (old.seen[i].name != NULL)
            *seen_place(reader, old.seen[i].name) = old.seen[i];
    }
    PyMem_Free(old.seen);
    return true;
}

static bool seen_add(swpy_edge_reader *reader, const PyObject *name, int64_t number)
{
    size_t room = reader->seen_room == 0 ? 256 : reader->seen_room * 2;

    if (reader->seen_count * 2 >= reader->seen_room && !seen_grow(reader, room))
        return false;
    *seen_place(reader, name) = (swpy_seen_name){name, number};
    reader->seen_count++;
    return true;
}

static bool seen_find(const swpy_edge_reader *reader, const PyObject *name, int64_t *out)
{
    if (reader->seen_count == 0)
        return false;
    const swpy_seen_name *place = seen_place(reader, name);
    *out = place->number;
    return place->name != NULL;
}

static bool index_add(PyObject *index, PyObject *name, Py_ssize_t place)
{
    PyObject *number = PyLong_FromSsize_t(place);
    bool added = number != NULL && PyDict_SetItem(index, name, number) == 0;

    Py_XDECREF(number);
    return added;
}

PyObject *swpy_index_new(PyObject *labels)
{
    PyObject *index = PyDict_New();
    bool good = index != NULL;

    for (Py_ssize_t i = 0; good && i < PyList_Size(labels); i++)
        good = index_add(index, PyList_GetItem(labels, i), i);
    if (!good)
        Py_CLEAR(index);
    return index;
}

static bool name_add(swpy_edge_reader *reader, PyObject *name, int64_t *out)
{
    sw_str text;

    *out = PyList_Size(reader->labels);
    return swpy_str_read(reader->state, name, "a node", &text) &&
           PyList_Append(reader->labels, name) == 0 && seen_add(reader, name, *out) &&
           (reader->index == NULL || index_add(reader->index, name, *out));
}

/* A name whose object was not seen may be an equal one, which the index tells. Most programs have
 * one object for each name, and the index is never made. */
static bool name_find(swpy_edge_reader *reader, PyObject *name, int64_t *out)
{
    if (reader->index == NULL && PyList_Size(reader->labels) > 0)
        reader->index = swpy_index_new(reader->labels);
    PyObject *number = reader->index == NULL ? NULL : PyDict_GetItemWithError(reader->index, name);
    if (number == NULL)
        return false;
    *out = PyLong_AsLongLong(number);
    return true;
}

static bool name_read(swpy_edge_reader *reader, PyObject *name, int64_t *out)
{
    if (!reader->distinct && name_find(reader, name, out))
        return true;
    return !PyErr_Occurred() && name_add(reader, name, out);
}

static bool kind_refuse(const swpy_edge_reader *reader, PyObject *node)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(node), "__name__");
    const char *expected = reader->kind == NULL              ? "str or int"
                           : reader->kind == &PyUnicode_Type ? "str like the first one"
                                                             : "int like the first one";
    if (name != NULL)
        PyErr_Format(PyExc_TypeError, "a node must be %s, not %U", expected, name);
    Py_XDECREF(name);
    return false;
}

static bool node_read(swpy_edge_reader *reader, PyObject *node, int64_t *out)
{
    if (seen_find(reader, node, out))
        return true;
    PyTypeObject *kind = PyUnicode_Check(node)                       ? &PyUnicode_Type
                         : PyLong_Check(node) && !PyBool_Check(node) ? &PyLong_Type
                                                                     : NULL;

    if (kind == NULL || (reader->kind != NULL && reader->kind != kind))
        return kind_refuse(reader, node);
    reader->kind = kind;
    if (kind == &PyUnicode_Type)
        return name_read(reader, node, out);
    return swpy_int64_read(reader->state, node, "a node", out);
}

/* A node that need not be the end of an edge. */
static bool node_mention(swpy_edge_reader *reader, PyObject *node)
{
    int64_t number = 0;

    if (!node_read(reader, node, &number))
        return false;
    return reader->kind == &PyUnicode_Type ||
           ints_push(&reader->others, &reader->other_count, &reader->other_room, number);
}

/* ---- containers ---- */

typedef bool (*item_take)(swpy_edge_reader *reader, PyObject *item, void *context);

/* Call take for every item; an exception gets the index of its item when rows is true. */
static bool items_each(swpy_edge_reader *reader, PyObject *items, item_take take, void *context,
                       bool rows)
{
    PyObject *iterator = PyObject_GetIter(items);
    PyObject *item = NULL;
    size_t row = 0;
    bool good = iterator != NULL;

    while (good && (item = PyIter_Next(iterator)) != NULL) {
        good = take(reader, item, context);
        Py_DECREF(item);
        if (!good && rows)
            swpy_row_fail(row);
        row++;
    }
    Py_XDECREF(iterator);
    return good && !PyErr_Occurred();
}

static bool container_check(PyObject *value, const char *what, const char *expected)
{
    if (!PyUnicode_Check(value) && !PyBytes_Check(value) &&
        (PySequence_Check(value) || PyObject_HasAttrString(value, "__iter__")))
        return true;
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
    if (name != NULL)
        PyErr_Format(PyExc_TypeError, "%s must be %s, not %U", what, expected, name);
    Py_XDECREF(name);
    return false;
}

static bool edge_push(swpy_edge_reader *reader, int64_t from, int64_t to)
{
    return ints_push(&reader->ends, &reader->end_count, &reader->end_room, from) &&
           ints_push(&reader->ends, &reader->end_count, &reader->end_room, to);
}

static bool pair_take(swpy_edge_reader *reader, PyObject *pair, void *context)
{
    int64_t from = 0;
    int64_t to = 0;

    (void)context;
    if (PyTuple_Check(pair) && PyTuple_Size(pair) == 2) /* immutable: its items stay */
        return node_read(reader, PyTuple_GetItem(pair, 0), &from) &&
               node_read(reader, PyTuple_GetItem(pair, 1), &to) && edge_push(reader, from, to);
    if (!PyList_Check(pair) || PyList_Size(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "an edge must be a pair (from, to)");
        return false;
    }
    PyObject *copy = PyList_AsTuple(pair);
    bool good = copy != NULL && pair_take(reader, copy, NULL);
    Py_XDECREF(copy);
    return good;
}

static bool dependency_take(swpy_edge_reader *reader, PyObject *node, void *context)
{
    int64_t from = 0;

    return node_read(reader, node, &from) && edge_push(reader, from, *(const int64_t *)context);
}

/* Names lie anywhere in the table, so that each is a wait for memory: ask for a few at once. */
static void seen_prefetch(const swpy_edge_reader *reader, PyObject *list)
{
    Py_ssize_t count = PyList_Size(list);

    count = count > SEEN_PREFETCH ? SEEN_PREFETCH : count;
    for (Py_ssize_t i = 0; reader->seen_count > SEEN_PREFETCH_FROM && i < count; i++)
        __builtin_prefetch(seen_home(reader, PyList_GetItem(list, i)));
}

/* A list may change while Python code runs, hence its size is asked again every time. */
static bool dependency_list_read(swpy_edge_reader *reader, PyObject *list, int64_t to)
{
    int64_t from = 0;
    bool good = true;

    seen_prefetch(reader, list);
    for (Py_ssize_t i = 0; good && i < PyList_Size(list); i++) {
        PyObject *node = PyList_GetItem(list, i);
        if (seen_find(reader, node, &from)) {
            good = edge_push(reader, from, to);
            continue;
        }
        Py_INCREF(node);
        good = dependency_take(reader, node, &to);
        Py_DECREF(node);
    }
    return good;
}

static bool key_take(swpy_edge_reader *reader, PyObject *key, void *context)
{
    (void)context;
    return node_mention(reader, key);
}

/* A member of nodes, where a name may stand once. */
static bool listed_take(swpy_edge_reader *reader, PyObject *node, void *context)
{
    int64_t number = 0;

    (void)context;
    if (PyUnicode_Check(node) &&
        (seen_find(reader, node, &number) || name_find(reader, node, &number))) {
        swpy_refuse(reader->state, SW_EINVAL, -1, "a name is given twice in nodes");
        return false;
    }
    return node_mention(reader, node);
}

static bool entry_read(swpy_edge_reader *reader, PyObject *node, PyObject *dependencies)
{
    int64_t to = 0;

    if (!node_read(reader, node, &to))
        return false;
    if (PyList_CheckExact(dependencies))
        return dependency_list_read(reader, dependencies, to);
    return container_check(dependencies, "the dependencies of a node", "a list, tuple or set") &&
           items_each(reader, dependencies, dependency_take, &to, false);
}

/* Room for the keys of a dict, so that the table need not grow. */
static bool dict_prepare(swpy_edge_reader *reader, PyObject *dict)
{
    size_t count = (size_t)PyDict_Size(dict);
    size_t room = 256;

    while (room <= count * 2)
        room *= 2;
    return reader->seen_room != 0 || seen_grow(reader, room);
}

static bool dict_read(swpy_edge_reader *reader, PyObject *dict)
{
    PyObject *node = NULL;
    PyObject *dependencies = NULL;
    Py_ssize_t position = 0;
    bool good = dict_prepare(reader, dict);

    reader->distinct = PyDict_CheckExact(dict) && PyList_Size(reader->labels) == 0;
    good = good && items_each(reader, dict, key_take, NULL, false);
    reader->distinct = false;
    while (good && PyDict_Next(dict, &position, &node, &dependencies)) {
        Py_INCREF(node); /* iterators of the values may change the dict */
        Py_INCREF(dependencies);
        good = entry_read(reader, node, dependencies);
        Py_DECREF(node);
        Py_DECREF(dependencies);
    }
    return good;
}

/* ---- all together ---- */

/* Move the ends into two arrays of 32 bits. */
static bool ends_split(swpy_edge_reader *reader, swpy_edges *out)
{
    size_t count = reader->end_count / 2;

    out->own = PyMem_Malloc((2 * count + 1) * sizeof(*out->own));
    if (out->own == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < 2 * count; i++) {
        if (reader->ends[i] < INT32_MIN || reader->ends[i] > INT32_MAX) {
            swpy_refuse(reader->state, SW_EINVAL, (Py_ssize_t)(i / 2),
                        "row %zu: node %lld does not fit into 32 bits", i / 2,
                        (long long)reader->ends[i]);
            return false;
        }
        out->own[i % 2 * count + i / 2] = (int32_t)reader->ends[i];
    }
    out->from = out->own;
    out->to = out->own + count;
    out->count = count;
    return true;
}

static bool counted_finish(swpy_edge_reader *reader, int32_t node_count, swpy_edges *out)
{
    if (reader->kind == &PyUnicode_Type) {
        PyErr_SetString(PyExc_TypeError, "nodes must be a list of names, not their number");
        return false;
    }
    for (size_t i = 0; i < reader->other_count; i++) {
        if (reader->others[i] < 0 || reader->others[i] >= node_count) {
            swpy_refuse(reader->state, SW_EINVAL, -1, "node %lld is none of the %d",
                        (long long)reader->others[i], node_count);
            return false;
        }
    }
    out->node_count = node_count;
    return ends_split(reader, out);
}

static bool reader_finish(swpy_edge_reader *reader, swpy_edges *out)
{
    size_t count = (size_t)PyList_Size(reader->labels);

    if (reader->kind != &PyUnicode_Type && !swpy_ints_rank(reader, &count))
        return false;
    if (count > INT32_MAX) {
        swpy_refuse(reader->state, SW_ELIMIT, -1, "%zu nodes are too many", count);
        return false;
    }
    if (!ends_split(reader, out))
        return false;
    out->node_count = (int32_t)count;
    out->labels = reader->labels;
    reader->labels = NULL;
    return true;
}

static bool reader_fill(swpy_edge_reader *reader, PyObject *edges, PyObject *nodes)
{
    if (nodes != Py_None && !PyLong_Check(nodes) &&
        (!container_check(nodes, "nodes", "a list of names or ints, or their number") ||
         !items_each(reader, nodes, listed_take, NULL, true)))
        return false;
    if (PyDict_Check(edges))
        return dict_read(reader, edges);
    return container_check(edges, "edges", "a list of pairs, a dict or a pair of buffers") &&
           items_each(reader, edges, pair_take, NULL, true);
}

static bool objects_read(swpy_state *state, PyObject *edges, PyObject *nodes, swpy_edges *out)
{
    swpy_edge_reader reader = {.state = state, .labels = PyList_New(0)};
    bool counted = PyLong_Check(nodes);
    int32_t node_count = 0;
    bool good = reader.labels != NULL &&
                (!counted || swpy_node_count_read(state, nodes, &node_count)) &&
                reader_fill(&reader, edges, nodes) &&
                (counted ? counted_finish(&reader, node_count, out) : reader_finish(&reader, out));

    PyMem_Free(reader.ends);
    PyMem_Free(reader.others);
    PyMem_Free(reader.seen);
    Py_XDECREF(reader.labels);
    Py_XDECREF(reader.index);
    return good;
}

bool swpy_edges_read(swpy_state *state, PyObject *edges, PyObject *nodes, swpy_edges *out)
{
    PyObject *from = NULL;
    PyObject *to = NULL;
    bool good = false;

    *out = (swpy_edges){.from = NULL};
    if (swpy_buffers_find(edges, &from, &to))
        good = swpy_buffers_read(state, from, to, nodes, out);
    else
        good = objects_read(state, edges, nodes, out);
    Py_XDECREF(from);
    Py_XDECREF(to);
    if (!good)
        swpy_edges_free(out);
    return good;
}

void swpy_edges_free(swpy_edges *edges)
{
    swpy_array_free(&edges->from_array);
    swpy_array_free(&edges->to_array);
    PyMem_Free(edges->own);
    Py_XDECREF(edges->labels);
    *edges = (swpy_edges){.from = NULL};
}
