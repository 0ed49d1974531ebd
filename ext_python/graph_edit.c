/* The type GraphEdit: nodes and edges added to a graph, with an order that is kept up to date.
 *
 * The core lets one thread at a time use an edit; a second one is refused instead of waiting.
 * Calls keep the GIL, because they touch few nodes.
 */
#include "module.h"

typedef struct swpy_edit {
    PyObject_HEAD
    swpy_state *state;
    sw_graph_edit *edit;
    atomic_int node_count;
    atomic_flag busy;
} swpy_edit;

const char swpy_graph_edit_doc[] = "edit($self, /)\n--\n\nBegin to change the graph: a GraphEdit.";

static const char edit_doc[] = "Nodes and edges added to a graph. Made by Graph.edit.";

static const char edit_insert_doc[] =
    "insert($self, node_count, names, from_nodes, to_nodes, /)\n--\n\n"
    "Add nodes, then edges; all or none.";

static const char edit_order_doc[] = "order($self, /)\n--\n\n"
                                     "The order that the edit keeps, as a memoryview.";

static const char edit_finish_doc[] = "finish($self, labels, /)\n--\n\n"
                                      "The graph as it is by now; labels are its own.";

static bool edit_enter(swpy_edit *self)
{
    if (!atomic_flag_test_and_set(&self->busy))
        return true;
    swpy_refuse(self->state, SW_ESTATE, -1, "another thread is using this edit");
    return false;
}

PyObject *swpy_graph_edit(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    PyTypeObject *type = self->state->graph_edit_type;
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    sw_graph_edit *edit = NULL;
    sw_error error;

    if (!PyArg_ParseTuple(args, ":edit"))
        return NULL;
    const sw_graph *graph = swpy_graph_named(self);
    if (graph == NULL)
        return NULL;
    if (sw_graph_edit_new(graph, &edit, &error) < 0)
        return swpy_raise(self->state, &error);
    sw_graph_view_get(graph, &view, NULL);
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    swpy_edit *answer = (swpy_edit *)allocate(type, 0);
    if (answer == NULL) {
        sw_graph_edit_free(edit);
        return NULL;
    }
    answer->state = self->state;
    answer->edit = edit;
    atomic_store(&answer->node_count, view.node_count);
    return (PyObject *)answer;
}

static PyObject *edit_insert_rows(swpy_edit *self, int node_count, const swpy_strings *names,
                                  const swpy_array *from, const swpy_array *to)
{
    sw_error error;

    if (from->count != to->count || (names->items != NULL && names->count != (size_t)node_count))
        return swpy_refuse(self->state, SW_EINVAL, -1, "the lengths of the arguments differ");
    if (!edit_enter(self))
        return NULL;
    int code = sw_graph_edit_insert(self->edit, node_count, names->items, from->items, to->items,
                                    from->count, &error);
    if (code == SW_OK)
        atomic_fetch_add(&self->node_count, node_count);
    atomic_flag_clear(&self->busy);
    if (code < 0)
        return swpy_raise(self->state, &error);
    Py_RETURN_NONE;
}

static PyObject *edit_insert(PyObject *object, PyObject *args)
{
    swpy_edit *self = (swpy_edit *)object;
    PyObject *given[3];
    PyObject *answer = NULL;
    swpy_strings names = {0};
    swpy_array from = {0};
    swpy_array to = {0};
    int node_count = 0;

    if (!PyArg_ParseTuple(args, "iOOO:insert", &node_count, &given[0], &given[1], &given[2]))
        return NULL;
    if (swpy_strings_read(self->state, given[0], "names", &names) &&
        swpy_array_read(self->state, given[1], "from_nodes", sizeof(int32_t), &from) &&
        swpy_array_read(self->state, given[2], "to_nodes", sizeof(int32_t), &to))
        answer = edit_insert_rows(self, node_count, &names, &from, &to);
    swpy_strings_free(&names);
    swpy_array_free(&from);
    swpy_array_free(&to);
    return answer;
}

static PyObject *edit_order(PyObject *object, PyObject *args)
{
    swpy_edit *self = (swpy_edit *)object;
    PyObject *answer = NULL;
    sw_error error;

    if (!PyArg_ParseTuple(args, ":order") || !edit_enter(self))
        return NULL;
    size_t count = (size_t)atomic_load(&self->node_count);
    int32_t *order = PyMem_Malloc((count + 1) * sizeof(*order));
    if (order == NULL)
        PyErr_NoMemory();
    else if (sw_graph_edit_order(self->edit, order, &error) < 0)
        swpy_raise(self->state, &error);
    else
        answer = swpy_array_new(order, count, "i");
    PyMem_Free(order);
    atomic_flag_clear(&self->busy);
    return answer;
}

static PyObject *edit_finish(PyObject *object, PyObject *args)
{
    swpy_edit *self = (swpy_edit *)object;
    PyObject *labels = NULL;
    sw_graph *graph = NULL;
    sw_error error;

    if (!PyArg_ParseTuple(args, "O:finish", &labels) || !edit_enter(self))
        return NULL;
    int code = sw_graph_edit_finish(self->edit, &graph, &error);
    atomic_flag_clear(&self->busy);
    if (code < 0)
        return swpy_raise(self->state, &error);
    return swpy_graph_new(self->state, graph, NULL, labels, false);
}

static PyMethodDef edit_methods[] = {
    {"insert", edit_insert, METH_VARARGS, edit_insert_doc},
    {"order", edit_order, METH_VARARGS, edit_order_doc},
    {"finish", edit_finish, METH_VARARGS, edit_finish_doc},
    {NULL, NULL, 0, NULL},
};

static int edit_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static void edit_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    sw_graph_edit_free(((swpy_edit *)object)->edit);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyObject *edit_refuse(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)type;
    (void)args;
    (void)kwargs;
    PyErr_SetString(PyExc_TypeError, "an edit is made by Graph.edit");
    return NULL;
}

static PyType_Slot edit_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)edit_doc},
    {Py_tp_new, edit_refuse},
    {Py_tp_traverse, edit_traverse},
    {Py_tp_dealloc, edit_dealloc},
    {Py_tp_methods, edit_methods},
    {0, NULL},
};

static PyType_Spec edit_spec = {
    .name = "stepwell._core.GraphEdit",
    .basicsize = sizeof(swpy_edit),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = edit_slots,
};

bool swpy_graph_edit_setup(PyObject *module, swpy_state *state)
{
    state->graph_edit_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &edit_spec, NULL);
    return state->graph_edit_type != NULL && PyModule_AddType(module, state->graph_edit_type) == 0;
}
