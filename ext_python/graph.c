/* The type Graph: making it from edges or from a definition, and what it knows of itself.
 *
 * It works with numbers of nodes; stepwell.Graph gives and takes labels. Calls on graphs of some
 * size release the GIL: a million nodes take a good part of a second, while for a few taking the
 * GIL back beside a busy thread would take longer than the work. Not here: what a graph can be
 * asked (graph_analyze.c, graph_verbs.c), changes (graph_edit.c).
 */
#include "module.h"

#include <string.h>

/* Nodes and edges, about a tenth of a millisecond of linear work. */
#define GRAPH_SMALL_NEW 10000

static const char graph_doc[] =
    "Graph(edges, nodes=None, repeats=False)\n--\n\n"
    "A graph from pairs, a dict from node to dependencies, or two buffers. Methods take and give "
    "numbers of nodes; labels says what they are called.";

static const char graph_of_doc[] = "of(definition, /)\n--\n\n"
                                   "The graph of a definition in JSON or YAML.";

static const char graph_view_doc[] =
    "view($self, /)\n--\n\n"
    "The arrays out_start, out_node, out_row, in_start and in_node as memoryviews.";

PyThreadState *swpy_graph_enter(size_t size, size_t small)
{
    return size > small ? PyEval_SaveThread() : NULL;
}

void swpy_graph_leave(PyThreadState *thread)
{
    if (thread != NULL)
        PyEval_RestoreThread(thread);
}

size_t swpy_graph_size(const swpy_graph *self)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    sw_graph_view_get(self->graph, &view, NULL);
    return (size_t)view.node_count + (size_t)view.edge_count;
}

PyObject *swpy_graph_new(swpy_state *state, sw_graph *graph, sw_workflow *workflow,
                         PyObject *labels, bool arrays)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(state->graph_type, Py_tp_alloc);
    swpy_graph *self = (swpy_graph *)allocate(state->graph_type, 0);

    if (self == NULL) {
        sw_graph_free(graph);
        sw_workflow_free(workflow);
        return NULL;
    }
    self->state = state;
    self->graph = graph;
    self->workflow = workflow;
    self->labels = labels == NULL ? Py_None : labels;
    Py_INCREF(self->labels);
    self->arrays = arrays;
    return (PyObject *)self;
}

/* ---- with names ---- */

sw_str *swpy_labels_read(swpy_state *state, PyObject *labels, PyObject **keep)
{
    Py_ssize_t count = PyList_Size(labels);
    sw_str *names = PyMem_Calloc((size_t)count + 1, sizeof(*names));

    *keep = PyTuple_New(count);
    if (names == NULL || *keep == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++) {
        PyObject *label = PyList_GetItem(labels, i);
        PyObject *text = label == NULL ? NULL : PyObject_Str(label);
        if (text != NULL && swpy_str_read(state, text, "a node", &names[i]))
            PyTuple_SetItem(*keep, i, text);
        else
            Py_XDECREF(text);
    }
    if (!PyErr_Occurred())
        return names;
    PyMem_Free(names);
    Py_CLEAR(*keep);
    return NULL;
}

/* A graph whose nodes are called like the labels. */
static int graph_name(const sw_graph_options *options, const sw_str *names, size_t name_count,
                      const int32_t *from, const int32_t *to, size_t count, sw_graph **out,
                      sw_error *error)
{
    sw_str *ends = PyMem_Malloc((2 * count + 1) * sizeof(*ends));

    if (ends == NULL) {
        *error = (sw_error){.code = SW_ENOMEM, .row = -1};
        return SW_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        ends[i] = names[from[i]];
        ends[count + i] = names[to[i]];
    }
    int code =
        sw_graph_new_named(options, names, name_count, ends, ends + count, count, out, error);
    PyMem_Free(ends);
    return code;
}

/* For each row of the list a graph was made from, where its edge is in out_node, -1: it was left
 * out as a repetition; *count gets the number of rows. Free with PyMem_Free. */
static int32_t *graph_rows(const sw_graph_view *view, size_t *count)
{
    int32_t top = -1;

    for (int32_t i = 0; i < view->edge_count; i++)
        top = view->out_row[i] > top ? view->out_row[i] : top;
    *count = (size_t)(top + 1);
    int32_t *rows = PyMem_Malloc((*count + 1) * sizeof(*rows));
    for (size_t row = 0; rows != NULL && row < *count; row++)
        rows[row] = -1;
    for (int32_t i = 0; rows != NULL && i < view->edge_count; i++)
        rows[view->out_row[i]] = i;
    return rows;
}

/* The starts of the edges in the order of their rows, then their ends. Free with PyMem_Free. */
static int32_t *graph_ends(const sw_graph_view *view)
{
    size_t edges = (size_t)view->edge_count;
    size_t row_count = 0;
    size_t filled = 0;
    int32_t *rows = graph_rows(view, &row_count);
    int32_t *starts = PyMem_Malloc((edges + 1) * sizeof(*starts));
    int32_t *ends = PyMem_Malloc((2 * edges + 1) * sizeof(*ends));

    if (rows == NULL || starts == NULL || ends == NULL) {
        PyMem_Free(ends);
        ends = NULL;
        goto done;
    }
    for (int32_t node = 0; node < view->node_count; node++) {
        for (int32_t i = view->out_start[node]; i < view->out_start[node + 1]; i++)
            starts[i] = node;
    }
    for (size_t row = 0; row < row_count; row++) {
        if (rows[row] < 0)
            continue;
        ends[filled] = starts[rows[row]];
        ends[edges + filled++] = view->out_node[rows[row]];
    }
done:
    PyMem_Free(rows);
    PyMem_Free(starts);
    return ends;
}

static sw_graph *named_make(swpy_graph *self)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    sw_error error = {.code = SW_ENOMEM, .row = -1};
    sw_graph *graph = NULL;
    PyObject *keep = NULL;
    int code = SW_ENOMEM;

    sw_graph_view_get(self->graph, &view, NULL);
    sw_str *names = swpy_labels_read(self->state, self->labels, &keep);
    if (names == NULL)
        return NULL;
    int32_t *ends = graph_ends(&view);
    if (ends != NULL)
        code = graph_name(&options, names, (size_t)view.node_count, ends, ends + view.edge_count,
                          (size_t)view.edge_count, &graph, &error);
    PyMem_Free(ends);
    PyMem_Free(names);
    Py_DECREF(keep);
    if (code < 0)
        swpy_raise(self->state, &error);
    return graph;
}

const sw_graph *swpy_graph_named(swpy_graph *self)
{
    sw_graph *none = NULL;

    if (self->labels == Py_None || self->workflow != NULL)
        return self->graph;
    if (atomic_load(&self->named) != NULL)
        return atomic_load(&self->named);
    sw_graph *made = named_make(self);
    if (made != NULL && !atomic_compare_exchange_strong(&self->named, &none, made)) {
        sw_graph_free(made); /* another thread was faster */
        made = none;
    }
    return made;
}

/* ---- from edges ---- */

/* Raise what is wrong with edges, with their labels in the message. Always NULL. */
static PyObject *edges_fail(swpy_state *state, const sw_graph_options *options,
                            const swpy_edges *edges, sw_error *error)
{
    PyObject *keep = NULL;
    sw_graph *graph = NULL;

    if (edges->labels == NULL || error->code != SW_EINVAL)
        return swpy_raise(state, error);
    sw_str *names = swpy_labels_read(state, edges->labels, &keep);
    if (names == NULL)
        return NULL;
    graph_name(options, names, (size_t)edges->node_count, edges->from, edges->to, edges->count,
               &graph, error);
    sw_graph_free(graph);
    PyMem_Free(names);
    Py_DECREF(keep);
    return swpy_raise(state, error);
}

static PyObject *graph_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"edges", "nodes", "repeats", NULL};
    swpy_state *state = swpy_state_find(type);
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    PyObject *given = NULL;
    PyObject *nodes = Py_None;
    PyObject *answer = NULL;
    sw_graph *graph = NULL;
    swpy_edges edges;
    sw_error error;
    int repeats = 0;

    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O|Op:Graph", keywords, &given, &nodes,
                                     &repeats) ||
        !swpy_edges_read(state, given, nodes, &edges))
        return NULL;
    options.repeats = repeats;
    PyThreadState *thread =
        swpy_graph_enter(edges.count + (size_t)edges.node_count, GRAPH_SMALL_NEW);
    int code =
        sw_graph_new(&options, edges.node_count, edges.from, edges.to, edges.count, &graph, &error);
    swpy_graph_leave(thread);
    if (code < 0)
        edges_fail(state, &options, &edges, &error);
    else
        answer = swpy_graph_new(state, graph, NULL, edges.labels, edges.arrays);
    swpy_edges_free(&edges);
    return answer;
}

/* ---- from a definition ---- */

/* The names of the steps as a list. */
static bool steps_label(const sw_workflow *workflow, PyObject *labels)
{
    size_t count = 0;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);

    for (size_t i = 0; i < count; i++) {
        PyObject *label = swpy_str_new(steps[i].name);
        bool added = label != NULL && PyList_Append(labels, label) == 0;
        Py_XDECREF(label);
        if (!added)
            return false;
    }
    return true;
}

/* workflow is taken. */
static PyObject *graph_of_workflow(swpy_state *state, sw_workflow *workflow)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    PyObject *labels = PyList_New(0);
    PyObject *answer = NULL;
    sw_graph *graph = NULL;
    sw_error error;

    if (labels != NULL && steps_label(workflow, labels)) {
        if (sw_graph_new_workflow(&options, workflow, &graph, &error) < 0) {
            swpy_raise(state, &error);
        } else {
            answer = swpy_graph_new(state, graph, workflow, labels, false);
            workflow = NULL;
        }
    }
    Py_XDECREF(labels);
    sw_workflow_free(workflow);
    return answer;
}

static PyObject *graph_of(PyObject *type, PyObject *args)
{
    swpy_state *state = swpy_state_find((PyTypeObject *)type);
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    PyObject *definition = NULL;
    PyObject *warnings = NULL;
    sw_str text;

    if (state == NULL || !PyArg_ParseTuple(args, "O:of", &definition) ||
        !swpy_str_read(state, definition, "definition", &text))
        return NULL;
    sw_workflow *workflow = swpy_workflow_load(state, &options, text, &warnings);
    Py_XDECREF(warnings);
    return workflow == NULL ? NULL : graph_of_workflow(state, workflow);
}

/* ---- what it knows of itself ---- */

static PyObject *graph_view(PyObject *object, PyObject *args)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    if (!PyArg_ParseTuple(args, ":view"))
        return NULL;
    sw_graph_view_get(((swpy_graph *)object)->graph, &view, NULL);
    size_t nodes = (size_t)view.node_count;
    size_t edges = (size_t)view.edge_count;
    return Py_BuildValue(
        "(NNNNN)", swpy_array_new(view.out_start, nodes + 1, "i"),
        swpy_array_new(view.out_node, edges, "i"), swpy_array_new(view.out_row, edges, "i"),
        swpy_array_new(view.in_start, nodes + 1, "i"), swpy_array_new(view.in_node, edges, "i"));
}

static PyObject *graph_node_count(PyObject *object, void *closure)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    (void)closure;
    sw_graph_view_get(((swpy_graph *)object)->graph, &view, NULL);
    return PyLong_FromLong(view.node_count);
}

static PyObject *graph_edge_count(PyObject *object, void *closure)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    (void)closure;
    sw_graph_view_get(((swpy_graph *)object)->graph, &view, NULL);
    return PyLong_FromLong(view.edge_count);
}

static PyObject *graph_labels(PyObject *object, void *closure)
{
    PyObject *labels = ((swpy_graph *)object)->labels;

    (void)closure;
    Py_INCREF(labels);
    return labels;
}

static PyObject *graph_index(PyObject *object, void *closure)
{
    swpy_graph *self = (swpy_graph *)object;
    PyObject *none = NULL;

    (void)closure;
    if (self->labels == Py_None)
        Py_RETURN_NONE;
    PyObject *index = atomic_load(&self->index);
    if (index == NULL && (index = swpy_index_new(self->labels)) != NULL &&
        !atomic_compare_exchange_strong(&self->index, &none, index)) {
        Py_DECREF(index); /* another thread was faster */
        index = none;
    }
    Py_XINCREF(index);
    return index;
}

static PyObject *graph_arrays(PyObject *object, void *closure)
{
    (void)closure;
    return PyBool_FromLong(((swpy_graph *)object)->arrays);
}

static PyGetSetDef graph_attributes[] = {
    {"node_count", graph_node_count, NULL, "How many nodes there are.", NULL},
    {"edge_count", graph_edge_count, NULL, "How many edges there are.", NULL},
    {"labels", graph_labels, NULL, "What the nodes are called, None: by their numbers.", NULL},
    {"index", graph_index, NULL, "The numbers of the labels, None without labels.", NULL},
    {"arrays", graph_arrays, NULL, "Whether the edges came as buffers.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define GRAPH_METHOD(name) {#name, swpy_graph_##name, METH_VARARGS, swpy_graph_##name##_doc},
/* clang-format off */
static PyMethodDef graph_methods[] = {
    SWPY_GRAPH_METHOD_MAP(GRAPH_METHOD)
    {"view", graph_view, METH_VARARGS, graph_view_doc},
    {"of", graph_of, METH_VARARGS | METH_CLASS, graph_of_doc},
    {NULL, NULL, 0, NULL},
};
/* clang-format on */
#undef GRAPH_METHOD

static int graph_traverse(PyObject *object, visitproc visit, void *arg)
{
    swpy_graph *self = (swpy_graph *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->labels);
    Py_VISIT(atomic_load(&self->index));
    return 0;
}

static void graph_dealloc(PyObject *object)
{
    swpy_graph *self = (swpy_graph *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    sw_graph_free(atomic_load(&self->named));
    sw_graph_free(self->graph);
    sw_workflow_free(self->workflow);
    Py_XDECREF(self->labels);
    Py_XDECREF(atomic_load(&self->index));
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyType_Slot graph_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)graph_doc},
    {Py_tp_new, graph_new},
    {Py_tp_traverse, graph_traverse},
    {Py_tp_dealloc, graph_dealloc},
    {Py_tp_methods, graph_methods},
    {Py_tp_getset, graph_attributes},
    {0, NULL},
};

static PyType_Spec graph_spec = {
    .name = "stepwell._core.Graph",
    .basicsize = sizeof(swpy_graph),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = graph_slots,
};

bool swpy_graph_setup(PyObject *module, swpy_state *state)
{
    state->graph_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &graph_spec, NULL);
    return state->graph_type != NULL && PyModule_AddType(module, state->graph_type) == 0;
}
