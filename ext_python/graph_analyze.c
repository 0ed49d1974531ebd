/* Everything at once: the method analyze of Graph, whose answer is a dict of plain values.
 *
 * Arrays come as memoryviews, because most callers look at a few of them only; what was not asked
 * for is not in the dict. Not here: one question each (graph_verbs.c).
 */
#include "module.h"

/* Nodes and edges; the exact width and the redundant edges are more than linear work. */
#define ANALYZE_SMALL 500

const char swpy_graph_analyze_doc[] =
    "analyze($self, parts=0, duration=None, priority=None, roots=None, bottleneck_max=0, "
    "width_effort=0, /)\n--\n\n"
    "The answers to all questions whose bits are in parts (0: all), as a dict.";

/* XX(field, number of elements): arrays of int32_t, absent where they are NULL. */
#define ANALYZE_INTS_MAP(XX)                                                                       \
    XX(order, node_count)                                                                          \
    XX(level, node_count)                                                                          \
    XX(shortest, node_count)                                                                       \
    XX(level_width, level_count)                                                                   \
    XX(component, node_count)

/* XX(field, number of elements, part): arrays of int32_t that are NULL when they are empty. */
#define ANALYZE_SETS_MAP(XX)                                                                       \
    XX(roots, root_count, SW_ANALYSIS_ENDS)                                                        \
    XX(leaves, leaf_count, SW_ANALYSIS_ENDS)                                                       \
    XX(orphans, orphan_count, SW_ANALYSIS_ENDS)                                                    \
    XX(unreachable, unreachable_count, SW_ANALYSIS_ENDS)                                           \
    XX(critical_path, critical_count, SW_ANALYSIS_SPAN)                                            \
    XX(antichain, width_least, SW_ANALYSIS_WIDTH)

/* XX(field): arrays of int64_t, one element per node. */
#define ANALYZE_TIMES_MAP(XX)                                                                      \
    XX(earliest_us)                                                                                \
    XX(latest_us)                                                                                  \
    XX(slack_us)                                                                                   \
    XX(float_us)

/* XX(field, part): whole numbers. */
#define ANALYZE_NUMBERS_MAP(XX)                                                                    \
    XX(level_count, SW_ANALYSIS_LEVELS)                                                            \
    XX(level_widest, SW_ANALYSIS_LEVELS)                                                           \
    XX(component_count, SW_ANALYSIS_COMPONENTS)                                                    \
    XX(work_us, SW_ANALYSIS_SPAN)                                                                  \
    XX(span_us, SW_ANALYSIS_SPAN)                                                                  \
    XX(width_least, SW_ANALYSIS_WIDTH)                                                             \
    XX(width_most, SW_ANALYSIS_WIDTH)                                                              \
    XX(width_exact, SW_ANALYSIS_WIDTH)

/* Put a value, which is taken, into a dict. */
static bool answer_put(PyObject *answer, const char *key, PyObject *value)
{
    bool good = value != NULL && PyDict_SetItemString(answer, key, value) == 0;
    Py_XDECREF(value);
    return good;
}

static bool answer_arrays(PyObject *answer, const sw_analysis *found)
{
    bool good = true;
    size_t nodes = (size_t)found->node_count;

#define ANALYZE_PUT(field, count)                                                                  \
    if (good && found->field != NULL)                                                              \
        good = answer_put(answer, #field, swpy_array_new(found->field, (size_t)found->count, "i"));
    ANALYZE_INTS_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
#define ANALYZE_PUT(field, count, part)                                                            \
    if (good && (found->parts & (part)))                                                           \
        good = answer_put(answer, #field, swpy_array_new(found->field, (size_t)found->count, "i"));
    ANALYZE_SETS_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
#define ANALYZE_PUT(field)                                                                         \
    if (good && (found->parts & SW_ANALYSIS_TIME))                                                 \
        good = answer_put(answer, #field, swpy_array_new(found->field, nodes, "q"));
    ANALYZE_TIMES_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
    return good;
}

static bool answer_numbers(PyObject *answer, const sw_analysis *found)
{
    bool good = answer_put(answer, "parts", PyLong_FromLong(found->parts)) &&
                answer_put(answer, "acyclic", PyBool_FromLong(found->acyclic));

#define ANALYZE_PUT(field, part)                                                                   \
    if (good && (found->parts & (part)))                                                           \
        good = answer_put(answer, #field, PyLong_FromLongLong(found->field));
    ANALYZE_NUMBERS_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
    if (good && (found->parts & SW_ANALYSIS_SPAN))
        good = answer_put(answer, "parallelism", PyFloat_FromDouble(found->parallelism));
    return good;
}

static PyObject *bottleneck_new(swpy_state *state, const void *row)
{
    const sw_bottleneck *found = row;

    (void)state;
    return Py_BuildValue("(iiLLdd)", found->node, found->dependents, (long long)found->duration_us,
                         (long long)found->slack_us, found->share, found->score);
}

static bool answer_rows(swpy_state *state, PyObject *answer, const sw_analysis *found)
{
    if ((found->parts & SW_ANALYSIS_BOTTLENECKS) &&
        !answer_put(answer, "bottlenecks",
                    swpy_list_new(state, found->bottlenecks, sizeof(*found->bottlenecks),
                                  found->bottleneck_count, bottleneck_new)))
        return false;
    if ((found->parts & SW_ANALYSIS_CYCLES) &&
        !answer_put(answer, "cycles",
                    swpy_knots_new(state, found->knots, (size_t)found->knot_count)))
        return false;
    return !(found->parts & SW_ANALYSIS_REDUNDANT) ||
           answer_put(
               answer, "redundant",
               swpy_graph_edges_new(state, found->redundant, (size_t)found->redundant_count));
}

static PyObject *answer_new(swpy_state *state, const sw_result *result)
{
    const sw_analysis *found = sw_analyses(result, NULL);
    PyObject *answer = PyDict_New();

    if (answer == NULL || !answer_numbers(answer, found) || !answer_arrays(answer, found) ||
        !answer_rows(state, answer, found))
        Py_CLEAR(answer);
    return answer;
}

/* Whether an array that is there has one item per node. */
static bool length_check(swpy_graph *self, const swpy_array *array, const char *what)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    sw_graph_view_get(self->graph, &view, NULL);
    if (array->items == NULL || array->count == (size_t)view.node_count)
        return true;
    swpy_refuse(self->state, SW_EINVAL, -1, "%s has %zu items for %d nodes", what, array->count,
                view.node_count);
    return false;
}

bool swpy_node_array_read(swpy_graph *self, PyObject *value, const char *what, size_t size,
                          swpy_array *out)
{
    if (!swpy_array_read(self->state, value, what, size, out))
        return false;
    if (length_check(self, out, what))
        return true;
    swpy_array_free(out);
    return false;
}

static PyObject *analyze_run(swpy_graph *self, const sw_analysis_options *options)
{
    sw_result *result = NULL;
    sw_error error;

    PyThreadState *thread = swpy_graph_enter(swpy_graph_size(self), ANALYZE_SMALL);
    int code = sw_graph_analyze(self->graph, options, &result, &error);
    swpy_graph_leave(thread);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *answer = answer_new(self->state, result);
    sw_result_free(result);
    return answer;
}

PyObject *swpy_graph_analyze(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    PyObject *given[3] = {NULL, NULL, NULL};
    swpy_array duration = {0};
    swpy_array priority = {0};
    swpy_array roots = {0};
    PyObject *answer = NULL;
    long long most = 0;
    long long effort = 0;

    if (!PyArg_ParseTuple(args, "|iOOOLL:analyze", &options.parts, &given[0], &given[1], &given[2],
                          &most, &effort))
        return NULL;
    if (swpy_node_array_read(self, given[0], "duration", sizeof(int64_t), &duration) &&
        swpy_node_array_read(self, given[1], "priority", sizeof(int32_t), &priority) &&
        swpy_array_read(self->state, given[2], "roots", sizeof(int32_t), &roots)) {
        options.duration_us = duration.items;
        options.priority = priority.items;
        options.roots = roots.items;
        options.root_count = roots.count;
        options.bottleneck_max = most;
        options.width_effort = effort;
        answer = analyze_run(self, &options);
    }
    swpy_array_free(&duration);
    swpy_array_free(&priority);
    swpy_array_free(&roots);
    return answer;
}
