/* Graph handles: made from numbers, names or a definition, shared by count.
 *
 * Not here: any question to a graph (analyze.c, verbs.c) and its change (edit.c).
 */
#include <string.h>

#include "analysis/analysis.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

sw_graph *sw__graph_handle_new(const sw_env *env)
{
    sw__arena *arena = sw__arena_new(env);
    sw_graph *graph = arena ? sw__arena_alloc(arena, sizeof(*graph)) : NULL;
    if (!graph) {
        sw__arena_free(arena);
        return NULL;
    }
    graph->arena = arena;
    atomic_init(&graph->references, 1);
    sw__strmap_init(&graph->numbers, env);
    return graph;
}

void sw__graph_handle_keep(sw_graph *graph)
{
    atomic_fetch_add_explicit(&graph->references, 1, memory_order_relaxed);
}

void sw_graph_free(sw_graph *graph)
{
    if (!graph)
        return;
    /* The last holder must see all that the others did before they gave up. */
    if (atomic_fetch_sub_explicit(&graph->references, 1, memory_order_acq_rel) > 1)
        return;
    sw__strmap_free(&graph->numbers);
    sw__arena_free(graph->arena);
}

const sw_env *sw__graph_env(const sw_graph *graph)
{
    return sw__arena_env(graph->arena);
}

static int graph_options_check(const sw_graph_options *options, sw_graph **out, sw_error *err)
{
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is missing");
    *out = NULL;
    if (!options || options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "graph options without their size");
    return SW_OK;
}

static sw_graph *graph_begin(const sw_graph_options *options)
{
    return sw__graph_handle_new(options->env ? options->env : sw_env_system());
}

/* Hand a graph over, or give it up. */
static int graph_end(int code, sw_graph *graph, sw_graph **out)
{
    if (code == SW_OK)
        *out = graph;
    else
        sw_graph_free(graph);
    return code;
}

/* An edge is given twice: the message with names in place of numbers. */
static int edge_fail_named(const sw_graph *graph, int32_t from, int32_t to, sw_error *err)
{
    sw_str start = graph->names[from], end = graph->names[to];
    size_t row = (size_t)err->row;
    return sw__fail_row(err, SW_EINVAL, row, "edge %zu from \"%.*s\" to \"%.*s\" is given twice",
                        row, SW__FMT(start), SW__FMT(end));
}

int sw__graph_handle_build(sw_graph *graph, int32_t node_count, const int32_t *from,
                           const int32_t *to, size_t edge_count, bool repeats, sw_error *err)
{
    if (edge_count > 0 && (!from || !to))
        return sw__fail(err, SW_EINVAL, "the edges are missing");
    int code = sw__graph_build_rows(graph->arena, node_count, from, to, edge_count, repeats,
                                    &graph->graph, err);
    if (code == SW_EINVAL && graph->names && err && err->row >= 0)
        code = edge_fail_named(graph, from[err->row], to[err->row], err);
    return code;
}

int sw_graph_new(const sw_graph_options *options, int32_t node_count, const int32_t *from,
                 const int32_t *to, size_t edge_count, sw_graph **out, sw_error *err)
{
    int code = graph_options_check(options, out, err);
    if (code < 0)
        return code;
    sw_graph *graph = graph_begin(options);
    if (!graph)
        return sw__fail(err, SW_ENOMEM, NULL);
    code =
        sw__graph_handle_build(graph, node_count, from, to, edge_count, options->repeats != 0, err);
    return graph_end(code, graph, out);
}

int sw__graph_handle_name(sw_graph *graph, const sw_str *names, int32_t count, sw_error *err)
{
    graph->names = sw__arena_array(graph->arena, (size_t)count, sizeof(sw_str));
    if (!graph->names)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (int32_t i = 0; i < count; i++) {
        if (!names[i].ptr)
            return sw__fail_row(err, SW_EINVAL, (size_t)i, "name %d is missing", i);
        if (sw__strmap_find(&graph->numbers, names[i]))
            return sw__fail_row(err, SW_EINVAL, (size_t)i, "name %d \"%.*s\" is given twice", i,
                                SW__FMT(names[i]));
        graph->names[i] = sw__arena_str(graph->arena, names[i]);
        if (!graph->names[i].ptr || sw__strmap_put(&graph->numbers, graph->names[i], i) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    return SW_OK;
}

/* The numbers of the ends of named edges, while names get their numbers. */
typedef struct naming {
    sw_graph *graph;
    sw__arena *scratch;
    int32_t *from;
    int32_t *to;
    sw_str *names; /* room for every name there can be */
    int64_t count;
} naming;

/* The number of a name, a new one if it is the first. Negative: no memory. */
static int64_t naming_number(naming *work, sw_str name)
{
    const int64_t *known = sw__strmap_find(&work->graph->numbers, name);
    if (known)
        return *known;
    sw_str kept = sw__arena_str(work->graph->arena, name);
    if (!kept.ptr || sw__strmap_put(&work->graph->numbers, kept, work->count) < 0)
        return SW_ENOMEM;
    work->names[work->count] = kept;
    return work->count++;
}

static int naming_list(naming *work, const sw_str *names, size_t count, sw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!names[i].ptr)
            return sw__fail_row(err, SW_EINVAL, i, "name %zu is missing", i);
        int64_t number = naming_number(work, names[i]);
        if (number < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        if (number != (int64_t)i)
            return sw__fail_row(err, SW_EINVAL, i, "name %zu \"%.*s\" is given twice", i,
                                SW__FMT(names[i]));
    }
    return SW_OK;
}

static int naming_edges(naming *work, const sw_str *from, const sw_str *to, size_t count,
                        sw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!from[i].ptr || !to[i].ptr)
            return sw__fail_row(err, SW_EINVAL, i, "edge %zu has an end without a name", i);
        int64_t start = naming_number(work, from[i]);
        int64_t end = start < 0 ? start : naming_number(work, to[i]);
        if (end < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        if (start == end)
            return sw__fail_row(err, SW_EINVAL, i, "edge %zu leads from \"%.*s\" to itself", i,
                                SW__FMT(from[i]));
        work->from[i] = (int32_t)start;
        work->to[i] = (int32_t)end;
    }
    return SW_OK;
}

static int naming_run(naming *work, const sw_str *names, size_t name_count, const sw_str *from,
                      const sw_str *to, size_t edge_count, sw_error *err)
{
    work->from = sw__arena_array(work->scratch, edge_count, sizeof(int32_t));
    work->to = sw__arena_array(work->scratch, edge_count, sizeof(int32_t));
    work->names = sw__arena_array(work->scratch, name_count + 2 * edge_count, sizeof(sw_str));
    if (!work->from || !work->to || !work->names)
        return sw__fail(err, SW_ENOMEM, NULL);
    int code = naming_list(work, names, name_count, err);
    if (code == SW_OK)
        code = naming_edges(work, from, to, edge_count, err);
    if (code < 0)
        return code;
    size_t size = (size_t)work->count * sizeof(sw_str);
    work->graph->names = sw__arena_alloc(work->graph->arena, size);
    if (!work->graph->names)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (size > 0)
        memcpy(work->graph->names, work->names, size);
    return SW_OK;
}

int sw_graph_new_named(const sw_graph_options *options, const sw_str *names, size_t name_count,
                       const sw_str *from, const sw_str *to, size_t edge_count, sw_graph **out,
                       sw_error *err)
{
    int code = graph_options_check(options, out, err);
    if (code < 0)
        return code;
    if ((name_count > 0 && !names) || (edge_count > 0 && (!from || !to)))
        return sw__fail(err, SW_EINVAL, "the names or the edges are missing");
    if (name_count >= INT32_MAX || edge_count >= INT32_MAX / 2 - name_count / 2)
        return sw__fail(err, SW_ELIMIT, "%zu names and %zu edges are more than a graph can hold",
                        name_count, edge_count);
    sw_graph *graph = graph_begin(options);
    if (!graph)
        return sw__fail(err, SW_ENOMEM, NULL);
    naming work = {.graph = graph, .scratch = sw__arena_new(sw__graph_env(graph))};
    if (!work.scratch)
        return graph_end(sw__fail(err, SW_ENOMEM, NULL), graph, out);
    code = naming_run(&work, names, name_count, from, to, edge_count, err);
    if (code == SW_OK)
        code = sw__graph_handle_build(graph, (int32_t)work.count, work.from, work.to, edge_count,
                                      options->repeats != 0, err);
    sw__arena_free(work.scratch);
    return graph_end(code, graph, out);
}

/* The steps' lists of dependencies as one list of edges. */
static int workflow_edges(const sw_workflow_step *steps, size_t step_count, sw__arena *scratch,
                          int32_t **from, int32_t **to, size_t *edge_count)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < step_count; i++)
        count += steps[i].after_count;
    *from = sw__arena_array(scratch, count, sizeof(int32_t));
    *to = sw__arena_array(scratch, count, sizeof(int32_t));
    if (!*from || !*to)
        return SW_ENOMEM;
    for (size_t i = 0; i < step_count; i++) {
        for (size_t k = 0; k < steps[i].after_count; k++, at++) {
            (*from)[at] = steps[i].after[k];
            (*to)[at] = (int32_t)i;
        }
    }
    *edge_count = count;
    return SW_OK;
}

static int workflow_graph(sw_graph *graph, const sw_workflow *workflow, sw__arena *scratch,
                          sw_error *err)
{
    size_t step_count, edge_count;
    int32_t *from, *to;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &step_count);
    sw_str *names = sw__arena_array(scratch, step_count, sizeof(sw_str));
    if (!names || workflow_edges(steps, step_count, scratch, &from, &to, &edge_count) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < step_count; i++)
        names[i] = steps[i].name;
    int code = sw__graph_handle_name(graph, names, (int32_t)step_count, err);
    if (code < 0)
        return code;
    return sw__graph_handle_build(graph, (int32_t)step_count, from, to, edge_count, false, err);
}

int sw_graph_new_workflow(const sw_graph_options *options, const sw_workflow *workflow,
                          sw_graph **out, sw_error *err)
{
    int code = graph_options_check(options, out, err);
    if (code < 0)
        return code;
    if (!workflow)
        return sw__fail(err, SW_EINVAL, "the workflow is missing");
    sw_graph *graph = graph_begin(options);
    sw__arena *scratch = graph ? sw__arena_new(sw__graph_env(graph)) : NULL;
    code = SW_ENOMEM;
    if (scratch)
        code = workflow_graph(graph, workflow, scratch, err);
    else
        sw__fail(err, SW_ENOMEM, NULL);
    sw__arena_free(scratch);
    return graph_end(code, graph, out);
}

int sw_graph_view_get(const sw_graph *graph, sw_graph_view *view, sw_error *err)
{
    sw__error_clear(err);
    if (!graph || !view || view->size < sizeof(*view))
        return sw__fail(err, SW_EINVAL, "the graph or the size of the view is missing");
    *view = (sw_graph_view){
        .size = view->size,
        .node_count = graph->graph.node_count,
        .edge_count = graph->graph.edge_count,
        .out_start = graph->graph.out_start,
        .out_node = graph->graph.out_node,
        .out_row = graph->graph.out_row,
        .in_start = graph->graph.in_start,
        .in_node = graph->graph.in_node,
    };
    return SW_OK;
}

sw_str sw_graph_name(const sw_graph *graph, int32_t node)
{
    if (!graph->names || node < 0 || node >= graph->graph.node_count)
        return (sw_str){NULL, 0};
    return graph->names[node];
}

int32_t sw_graph_find(const sw_graph *graph, sw_str name)
{
    const int64_t *number = sw__strmap_find(&graph->numbers, name);
    return number ? (int32_t)*number : SW_ENOTFOUND;
}

static void cycle_put_node(sw__buf *text, const sw_graph *graph, int32_t node)
{
    sw_str name = sw_graph_name(graph, node);
    if (name.ptr)
        sw__buf_put_str(text, name);
    else
        sw__buf_printf(text, "%d", node);
}

/* The nodes of a cycle with the first one again at the end; the middle of a long one is left
 * out. */
static void cycle_put(sw__buf *text, const sw_graph *graph, const int32_t *cycle, int32_t count)
{
    for (int32_t i = 0; i < count && i < SW__CYCLE_NAMES_MAX; i++) {
        cycle_put_node(text, graph, cycle[i]);
        sw__buf_put_text(text, " -> ");
    }
    if (count > SW__CYCLE_NAMES_MAX)
        sw__buf_printf(text, "(%d more) -> ", count - SW__CYCLE_NAMES_MAX);
    cycle_put_node(text, graph, cycle[0]);
}

int sw__cycle_fail(const sw_graph *graph, const int32_t *cycle, int32_t count, sw_error *err)
{
    sw__buf text;
    sw__buf_init(&text, sw__graph_env(graph));
    cycle_put(&text, graph, cycle, count);
    int code = text.failed ? sw__fail(err, SW_ENOMEM, NULL)
                           : sw__fail(err, SW_EDEFINITION, "the graph has a cycle: %.*s",
                                      SW__FMT(sw__buf_str(&text)));
    sw__buf_free(&text);
    return code;
}
