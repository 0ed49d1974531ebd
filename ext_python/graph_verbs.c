/* One question each: order, cycles, reach, common, reduce, makespan, diff.
 *
 * Not here: the analysis of everything at once (graph_analyze.c), changes (graph_edit.c).
 */
#include "module.h"

/* Nodes and edges up to which the GIL is kept, by how the time of the work grows. */
#define VERB_SMALL_LINEAR 10000
#define VERB_SMALL 500

const char swpy_graph_order_doc[] = "order($self, priority=None, /)\n--\n\n"
                                    "A topological order, as a memoryview.";

const char swpy_graph_cycles_doc[] = "cycles($self, /)\n--\n\nThe knots with their cuts.";

const char swpy_graph_reach_doc[] =
    "reach($self, direction, nodes, /)\n--\n\n"
    "The nodes that each of nodes reaches: 0 dependents, 1 dependencies.";

const char swpy_graph_common_doc[] = "common($self, direction, nodes, /)\n--\n\n"
                                     "The nodes that all of nodes reach, and the nearest of them.";

const char swpy_graph_reduce_doc[] = "reduce($self, /)\n--\n\nThe redundant edges.";

const char swpy_graph_makespan_doc[] =
    "makespan($self, duration=None, workers=0, resources=(), /)\n--\n\n"
    "How long a run takes, and its schedule; resources are (name, capacity, demand).";

const char swpy_graph_diff_doc[] = "diff($self, other, /)\n--\n\n"
                                   "The edits that turn this graph into the other.";

PyObject *swpy_graph_order(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    PyObject *given = NULL;
    PyObject *answer = NULL;
    swpy_array priority;
    sw_error error;

    if (!PyArg_ParseTuple(args, "|O:order", &given) ||
        !swpy_node_array_read(self, given, "priority", sizeof(int32_t), &priority))
        return NULL;
    sw_graph_view_get(self->graph, &view, NULL);
    int32_t *order = PyMem_Malloc(((size_t)view.node_count + 1) * sizeof(*order));
    if (order == NULL) {
        swpy_array_free(&priority);
        return PyErr_NoMemory();
    }
    PyThreadState *thread = swpy_graph_enter(swpy_graph_size(self), VERB_SMALL_LINEAR);
    int code = sw_graph_order(self->graph, priority.items, order, &error);
    swpy_graph_leave(thread);
    if (code < 0)
        swpy_raise(self->state, &error);
    else
        answer = swpy_array_new(order, (size_t)view.node_count, "i");
    PyMem_Free(order);
    swpy_array_free(&priority);
    return answer;
}

/* ---- cycles ---- */

static PyObject *cut_new(swpy_state *state, const void *row)
{
    const sw_cut *cut = row;

    (void)state;
    return Py_BuildValue("(iiis)", cut->from, cut->to, cut->row, sw_cut_reason_name(cut->reason));
}

static PyObject *knot_new(swpy_state *state, const void *row)
{
    const sw_knot *knot = row;

    return Py_BuildValue(
        "(NLNNLNN)", swpy_array_new(knot->nodes, knot->node_count, "i"),
        (long long)knot->edge_count, swpy_array_new(knot->cycle, knot->cycle_count, "i"),
        swpy_list_new(state, knot->cuts, sizeof(*knot->cuts), knot->cut_count, cut_new),
        (long long)knot->cut_least, PyBool_FromLong(knot->cycle_shortest),
        PyBool_FromLong(knot->cut_smallest));
}

PyObject *swpy_knots_new(swpy_state *state, const sw_knot *knots, size_t count)
{
    return swpy_list_new(state, knots, sizeof(*knots), count, knot_new);
}

PyObject *swpy_graph_cycles(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    sw_result *result = NULL;
    sw_error error;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, ":cycles"))
        return NULL;
    PyThreadState *thread = swpy_graph_enter(swpy_graph_size(self), VERB_SMALL);
    int code = sw_graph_cycles(self->graph, &result, &error);
    swpy_graph_leave(thread);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_knot *knots = sw_knots(result, &count);
    PyObject *answer = swpy_knots_new(self->state, knots, count);
    sw_result_free(result);
    return answer;
}

/* ---- reach ---- */

/* The numbers of the nodes whose bits are set. */
static PyObject *reach_nodes_new(const sw_reach *reach)
{
    int32_t *nodes = PyMem_Malloc(((size_t)reach->count + 1) * sizeof(*nodes));
    int32_t filled = 0;

    if (nodes == NULL)
        return PyErr_NoMemory();
    for (size_t word = 0; filled < reach->count; word++) {
        for (uint64_t bits = reach->bits[word]; bits != 0; bits &= bits - 1)
            nodes[filled++] = (int32_t)(word * 64) + __builtin_ctzll(bits);
    }
    PyObject *answer = swpy_array_new(nodes, (size_t)filled, "i");
    PyMem_Free(nodes);
    return answer;
}

static PyObject *reach_new(swpy_state *state, const void *row)
{
    (void)state;
    return reach_nodes_new(row);
}

typedef int (*reach_verb)(const sw_graph *graph, int direction, const int32_t *nodes,
                          size_t node_count, sw_result **out, sw_error *err);

/* The answer of a verb that gives rows of nodes, as a list of memoryviews. */
static PyObject *reach_call(swpy_graph *self, PyObject *args, const char *format, reach_verb verb)
{
    PyObject *given = NULL;
    sw_result *result = NULL;
    swpy_array nodes;
    sw_error error;
    size_t count = 0;
    int direction = 0;

    if (!PyArg_ParseTuple(args, format, &direction, &given) ||
        !swpy_array_read(self->state, given, "nodes", sizeof(int32_t), &nodes))
        return NULL;
    PyThreadState *thread =
        swpy_graph_enter(swpy_graph_size(self) * (nodes.count + 1), VERB_SMALL_LINEAR);
    int code = verb(self->graph, direction, nodes.items, nodes.count, &result, &error);
    swpy_graph_leave(thread);
    swpy_array_free(&nodes);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_reach *rows = sw_reaches(result, &count);
    PyObject *answer = swpy_list_new(self->state, rows, sizeof(*rows), count, reach_new);
    sw_result_free(result);
    return answer;
}

PyObject *swpy_graph_reach(PyObject *object, PyObject *args)
{
    return reach_call((swpy_graph *)object, args, "iO:reach", sw_graph_reach);
}

PyObject *swpy_graph_common(PyObject *object, PyObject *args)
{
    return reach_call((swpy_graph *)object, args, "iO:common", sw_graph_common);
}

/* ---- reduce ---- */

static PyObject *edge_new(swpy_state *state, const void *row)
{
    const sw_graph_edge *edge = row;

    (void)state;
    return Py_BuildValue("(iii)", edge->from, edge->to, edge->row);
}

PyObject *swpy_graph_edges_new(swpy_state *state, const sw_graph_edge *edges, size_t count)
{
    return swpy_list_new(state, edges, sizeof(*edges), count, edge_new);
}

PyObject *swpy_graph_reduce(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    sw_result *result = NULL;
    sw_error error;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, ":reduce"))
        return NULL;
    PyThreadState *thread = swpy_graph_enter(swpy_graph_size(self), VERB_SMALL);
    int code = sw_graph_reduce(self->graph, &result, &error);
    swpy_graph_leave(thread);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_graph_edge *edges = sw_graph_edges(result, &count);
    PyObject *answer = swpy_graph_edges_new(self->state, edges, count);
    sw_result_free(result);
    return answer;
}

/* ---- makespan ---- */

/* The resources of one call; arrays hold the demands, keep the names. */
typedef struct makespan_request {
    sw_makespan_options options;
    sw_graph_resource *resources;
    swpy_array *demands;
    PyObject *keep;
} makespan_request;

static bool resource_read(swpy_graph *self, makespan_request *request, size_t i)
{
    PyObject *row = PyTuple_GetItem(request->keep, (Py_ssize_t)i);
    sw_graph_resource *resource = &request->resources[i];

    if (!swpy_row_check(row, "a resource", 3, 3) ||
        !swpy_str_read(self->state, PyTuple_GetItem(row, 0), "a name", &resource->name) ||
        !swpy_int64_read(self->state, PyTuple_GetItem(row, 1), "capacity", &resource->capacity) ||
        !swpy_node_array_read(self, PyTuple_GetItem(row, 2), "demand", sizeof(int64_t),
                              &request->demands[i]))
        return false;
    resource->demand = request->demands[i].items;
    return true;
}

static bool resources_read(swpy_graph *self, PyObject *given, makespan_request *request)
{
    request->keep = given == NULL ? PyTuple_New(0) : swpy_rows_read(given, "resources");
    if (request->keep == NULL)
        return false;
    size_t count = (size_t)PyTuple_Size(request->keep);
    request->resources = PyMem_Calloc(count + 1, sizeof(*request->resources));
    request->demands = PyMem_Calloc(count + 1, sizeof(*request->demands));
    if (request->resources == NULL || request->demands == NULL) {
        PyErr_NoMemory();
        return false;
    }
    request->options.resources = request->resources;
    request->options.resource_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!resource_read(self, request, i))
            return swpy_row_fail(i);
    }
    return true;
}

static void request_free(makespan_request *request)
{
    for (size_t i = 0; request->demands != NULL && i < request->options.resource_count; i++)
        swpy_array_free(&request->demands[i]);
    PyMem_Free(request->demands);
    PyMem_Free(request->resources);
    Py_XDECREF(request->keep);
}

static PyObject *slot_new(swpy_state *state, const void *row)
{
    const sw_graph_slot *slot = row;

    (void)state;
    return Py_BuildValue("(iiLL)", slot->node, slot->worker, (long long)slot->start_us,
                         (long long)slot->end_us);
}

static PyObject *makespan_new(swpy_state *state, const sw_result *result)
{
    const sw_makespan *found = sw_makespans(result, NULL);
    size_t count = 0;
    const sw_graph_slot *slots = sw_graph_slots(result, &count);

    return Py_BuildValue(
        "{sLsLsLsLsLsLsisisdsN}", "makespan_us", (long long)found->makespan_us, "bound_us",
        (long long)found->bound_us, "bound_span_us", (long long)found->bound_span_us,
        "bound_workers_us", (long long)found->bound_workers_us, "bound_resource_us",
        (long long)found->bound_resource_us, "work_us", (long long)found->work_us, "resource",
        found->resource, "workers", found->workers, "used", found->used, "slots",
        swpy_list_new(state, slots, sizeof(*slots), count, slot_new));
}

static PyObject *makespan_run(swpy_graph *self, const sw_makespan_options *options)
{
    sw_result *result = NULL;
    sw_error error;

    PyThreadState *thread = swpy_graph_enter(swpy_graph_size(self), VERB_SMALL);
    int code = sw_graph_makespan(self->graph, options, &result, &error);
    swpy_graph_leave(thread);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *answer = makespan_new(self->state, result);
    sw_result_free(result);
    return answer;
}

PyObject *swpy_graph_makespan(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    makespan_request request = {.options = SW_MAKESPAN_OPTIONS_INIT};
    PyObject *given = NULL;
    PyObject *resources = NULL;
    PyObject *answer = NULL;
    swpy_array duration;

    if (!PyArg_ParseTuple(args, "|OiO:makespan", &given, &request.options.workers, &resources) ||
        !swpy_node_array_read(self, given, "duration", sizeof(int64_t), &duration))
        return NULL;
    request.options.duration_us = duration.items;
    if (resources_read(self, resources, &request))
        answer = makespan_run(self, &request.options);
    request_free(&request);
    swpy_array_free(&duration);
    return answer;
}

/* ---- diff ---- */

/* The names of the fields whose bits are set, as a tuple. */
static PyObject *change_fields_new(int fields)
{
    PyObject *list = PyList_New(0);
    PyObject *tuple = NULL;

    for (int bit = 0; list != NULL && bit < 31; bit++) {
        if (!(fields >> bit & 1))
            continue;
        PyObject *name = PyUnicode_FromString(sw_change_field_name(1 << bit));
        if (name == NULL || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    if (list != NULL)
        tuple = PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

static PyObject *change_new(swpy_state *state, const void *row)
{
    const sw_change *change = row;

    (void)state;
    return Py_BuildValue("(sNiiNN)", sw_change_kind_name(change->kind),
                         change_fields_new(change->fields), change->before, change->after,
                         swpy_str_new(change->name), swpy_str_new(change->name_from));
}

PyObject *swpy_graph_diff(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    swpy_graph *other = NULL;
    sw_result *result = NULL;
    sw_error error;
    size_t count = 0;
    int code;

    if (!PyArg_ParseTuple(args, "O!:diff", self->state->graph_type, &other))
        return NULL;
    if (self->workflow != NULL && other->workflow != NULL) {
        code = sw_workflow_diff(self->workflow, other->workflow, &result, &error);
    } else {
        const sw_graph *before = swpy_graph_named(self);
        const sw_graph *after = before == NULL ? NULL : swpy_graph_named(other);
        if (after == NULL)
            return NULL;
        code = sw_graph_diff(before, after, &result, &error);
    }
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_change *changes = sw_changes(result, &count);
    PyObject *answer = swpy_list_new(self->state, changes, sizeof(*changes), count, change_new);
    sw_result_free(result);
    return answer;
}
