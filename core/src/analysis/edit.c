/* Changing a graph edge by edge, with its order kept up to date.
 *
 * The order and the check for cycles are graph/edit.c's; here are names, all-or-none batches and
 * the new graph at the end.
 */
#include <stdio.h>

#include "analysis/analysis.h"
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "graph/edit.h"
#include "graph/ranks.h"

struct sw_graph_edit {
    sw_graph *graph;
    sw__edit edit;
    sw__arena *names_arena; /* of the new names */
    sw__buf names;          /* sw_str: of the new nodes, absent for one without a name */
    sw__strmap numbers;     /* of the new names */
};

static sw_str *edit_names(const sw_graph_edit *edit)
{
    return (sw_str *)(void *)edit->names.ptr;
}

void sw_graph_edit_free(sw_graph_edit *edit)
{
    if (!edit)
        return;
    const sw_env *env = sw__graph_env(edit->graph);
    sw_graph *graph = edit->graph;
    if (edit->edit.env)
        sw__edit_free(&edit->edit);
    sw__arena_free(edit->names_arena);
    sw__buf_free(&edit->names);
    sw__strmap_free(&edit->numbers);
    sw__free(env, edit);
    sw_graph_free(graph);
}

static int edit_begin(sw_graph_edit *edit, sw__arena *scratch, sw_error *err)
{
    size_t nodes = (size_t)edit->graph->graph.node_count;
    int32_t *order = sw__arena_array(scratch, nodes, sizeof(int32_t));
    edit->names_arena = sw__arena_new(sw__graph_env(edit->graph));
    if (!order || !edit->names_arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int code = sw__graph_handle_order(edit->graph, scratch, order, err);
    if (code < 0)
        return code;
    code = sw__edit_init(&edit->edit, sw__graph_env(edit->graph), &edit->graph->graph, order);
    return code < 0 ? sw__fail(err, code, NULL) : SW_OK;
}

int sw_graph_edit_new(const sw_graph *graph, sw_graph_edit **out, sw_error *err)
{
    sw__error_clear(err);
    if (!graph || !out)
        return sw__fail(err, SW_EINVAL, "the graph or out is missing");
    *out = NULL;
    const sw_env *env = sw__graph_env(graph);
    sw__arena *scratch = sw__arena_new(env);
    sw_graph_edit *edit = scratch ? sw__calloc(env, 1, sizeof(*edit)) : NULL;
    if (!edit) {
        sw__arena_free(scratch);
        return sw__fail(err, SW_ENOMEM, NULL);
    }
    /* Only the count of holders changes, which is what every graph is shared by. */
    edit->graph = (sw_graph *)(uintptr_t)graph;
    sw__graph_handle_keep(edit->graph);
    sw__buf_init(&edit->names, env);
    sw__strmap_init(&edit->numbers, env);
    int code = edit_begin(edit, scratch, err);
    sw__arena_free(scratch);
    if (code == SW_OK)
        *out = edit;
    else
        sw_graph_edit_free(edit);
    return code;
}

static sw_str edit_name(const sw_graph_edit *edit, int32_t node)
{
    int32_t known = edit->graph->graph.node_count;
    return node < known ? sw_graph_name(edit->graph, node) : edit_names(edit)[node - known];
}

/* A node in a message: its name, or its number. */
static sw_str edit_label(const sw_graph_edit *edit, int32_t node, char number[16])
{
    sw_str name = edit_name(edit, node);
    if (name.ptr)
        return name;
    int len = snprintf(number, 16, "%d", node);
    return (sw_str){number, len > 0 ? (size_t)len : 0};
}

/* Whether a name is taken. A name whose batch failed stays in the map with a negative number. */
static bool edit_name_taken(const sw_graph_edit *edit, sw_str name)
{
    const int64_t *number = sw__strmap_find(&edit->numbers, name);
    return (number && *number >= 0) || sw_graph_find(edit->graph, name) >= 0;
}

/* Names of a batch: all there, none taken, none given twice. */
static int edit_names_check(const sw_graph_edit *edit, const sw_str *names, int32_t count,
                            sw_error *err)
{
    sw__strmap batch;
    sw__strmap_init(&batch, sw__graph_env(edit->graph));
    int code = SW_OK;
    for (int32_t i = 0; i < count && code == SW_OK; i++) {
        size_t row = (size_t)i;
        if (!names[i].ptr)
            code = sw__fail_row(err, SW_EINVAL, row, "name %d is missing", i);
        else if (edit_name_taken(edit, names[i]) || sw__strmap_find(&batch, names[i]))
            code = sw__fail_row(err, SW_EINVAL, row, "name %d \"%.*s\" is there already", i,
                                SW__FMT(names[i]));
        else if (sw__strmap_put(&batch, names[i], i) < 0)
            code = sw__fail(err, SW_ENOMEM, NULL);
    }
    sw__strmap_free(&batch);
    return code;
}

/* Copy the names of new nodes (NULL: they have none), numbered from first on. */
static int edit_names_put(sw_graph_edit *edit, const sw_str *names, int32_t first, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        sw_str kept = {NULL, 0};
        if (names) {
            kept = sw__arena_str(edit->names_arena, names[i]);
            if (!kept.ptr || sw__strmap_put(&edit->numbers, kept, (int64_t)first + i) < 0)
                return SW_ENOMEM;
        }
        sw__buf_put(&edit->names, &kept, sizeof(kept));
    }
    return edit->names.failed ? SW_ENOMEM : SW_OK;
}

/* Forget the names of a batch; len is what the names took before it. */
static void edit_names_drop(sw_graph_edit *edit, const sw_str *names, int32_t added, size_t len)
{
    for (int32_t i = 0; names && i < added; i++) {
        int64_t *number = sw__strmap_find(&edit->numbers, names[i]);
        if (number)
            *number = -1;
    }
    edit->names.len = len;
    edit->names.failed = false;
}

/* The way from the end of an edge to its start, which the edge would close. */
static int edit_cycle_fail(const sw_graph_edit *edit, size_t row, sw_error *err)
{
    char number[16];
    const int32_t *cycle = sw__edit_cycle(&edit->edit);
    sw__buf text;
    sw__buf_init(&text, sw__graph_env(edit->graph));
    for (int32_t i = 0; i < edit->edit.cycle_count && i < SW__CYCLE_NAMES_MAX; i++) {
        sw__buf_put_str(&text, edit_label(edit, cycle[i], number));
        sw__buf_put_text(&text, " -> ");
    }
    if (edit->edit.cycle_count > SW__CYCLE_NAMES_MAX)
        sw__buf_printf(&text, "(%d more) -> ", edit->edit.cycle_count - SW__CYCLE_NAMES_MAX);
    sw__buf_put_str(&text, edit_label(edit, cycle[0], number));
    int code = text.failed ? sw__fail(err, SW_ENOMEM, NULL)
                           : sw__fail_row(err, SW_EDEFINITION, row, "edge %zu closes a cycle: %.*s",
                                          row, SW__FMT(sw__buf_str(&text)));
    sw__buf_free(&text);
    return code;
}

static int edit_edge_fail(const sw_graph_edit *edit, int code, size_t row, int32_t from, int32_t to,
                          sw_error *err)
{
    char from_number[16], to_number[16];
    sw_str start = edit_label(edit, from, from_number), end = edit_label(edit, to, to_number);
    if (code == SW_ENOMEM)
        return sw__fail(err, code, NULL);
    if (code == SW_ELIMIT)
        return sw__fail_row(err, code, row, "edge %zu is more than a graph can hold", row);
    if (code == SW_ECONFLICT)
        return sw__fail_row(err, SW_EINVAL, row,
                            "edge %zu from \"%.*s\" to \"%.*s\" is there already", row,
                            SW__FMT(start), SW__FMT(end));
    return edit_cycle_fail(edit, row, err);
}

static int edit_edges_add(sw_graph_edit *edit, const int32_t *from, const int32_t *to, size_t count,
                          sw_error *err)
{
    int32_t nodes = edit->edit.node_count;
    for (size_t i = 0; i < count; i++) {
        if (from[i] < 0 || from[i] >= nodes || to[i] < 0 || to[i] >= nodes)
            return sw__fail_row(err, SW_EINVAL, i,
                                "edge %zu from node %d to node %d, but there are %d nodes", i,
                                from[i], to[i], nodes);
        if (from[i] == to[i])
            return sw__fail_row(err, SW_EINVAL, i, "edge %zu leads from node %d to itself", i,
                                from[i]);
        int code = sw__edit_add_edge(&edit->edit, from[i], to[i]);
        if (code < 0)
            return edit_edge_fail(edit, code, i, from[i], to[i], err);
    }
    return SW_OK;
}

int sw_graph_edit_insert(sw_graph_edit *edit, int32_t node_count, const sw_str *names,
                         const int32_t *from, const int32_t *to, size_t edge_count, sw_error *err)
{
    sw__error_clear(err);
    if (!edit || node_count < 0 || (edge_count > 0 && (!from || !to)))
        return sw__fail(err, SW_EINVAL, "the edit, the edges or the number of nodes is wrong");
    int32_t nodes = edit->edit.node_count, edges = edit->edit.edge_count;
    size_t len = edit->names.len;
    int code = names ? edit_names_check(edit, names, node_count, err) : SW_OK;
    if (code < 0)
        return code;
    sw__edit_mark(&edit->edit);
    code = sw__edit_add_nodes(&edit->edit, node_count);
    if (code == SW_OK)
        code = edit_names_put(edit, names, nodes, node_count);
    if (code < 0)
        sw__fail(err, code, NULL);
    else
        code = edit_edges_add(edit, from, to, edge_count, err);
    if (code == SW_OK)
        return SW_OK;
    sw__edit_undo(&edit->edit, nodes, edges);
    edit_names_drop(edit, names, node_count, len);
    return code;
}

int sw_graph_edit_order(const sw_graph_edit *edit, int32_t *order, sw_error *err)
{
    sw__error_clear(err);
    if (!edit || !order)
        return sw__fail(err, SW_EINVAL, "the edit or the room for the order is missing");
    const int32_t *kept = sw__edit_order(&edit->edit);
    for (int32_t i = 0; i < edit->edit.node_count; i++)
        order[i] = kept[i];
    return SW_OK;
}

/* All edges as a list: old ones by their rows, then new ones. */
static bool edit_list(const sw_graph_edit *edit, sw__arena *scratch, int32_t *from, int32_t *to)
{
    const sw__graph *old = &edit->graph->graph;
    uint64_t *keys = sw__arena_array(scratch, (size_t)old->edge_count, sizeof(uint64_t));
    int32_t *by_rank, *rank, at = 0;
    if (!keys)
        return false;
    for (int32_t i = 0; i < old->edge_count; i++)
        keys[i] = (uint64_t)old->out_row[i];
    if (!sw__keys_rank(scratch, keys, old->edge_count, &by_rank, &rank))
        return false;
    for (int32_t node = 0; node < old->node_count; node++) {
        for (; at < old->out_start[node + 1]; at++) {
            from[rank[at]] = node;
            to[rank[at]] = old->out_node[at];
        }
    }
    const sw__edit_edge *added = sw__edit_edges(&edit->edit);
    for (int32_t i = 0; i < edit->edit.edge_count; i++) {
        from[old->edge_count + i] = added[i].from;
        to[old->edge_count + i] = added[i].to;
    }
    return true;
}

static bool edit_has_names(const sw_graph_edit *edit)
{
    bool named = edit->graph->names != NULL;
    for (size_t i = 0; i < edit->names.len / sizeof(sw_str); i++)
        named = named || edit_names(edit)[i].ptr;
    return named;
}

static int edit_names_copy(const sw_graph_edit *edit, sw_graph *graph)
{
    size_t nodes = (size_t)edit->edit.node_count;
    if (!edit_has_names(edit))
        return SW_OK;
    graph->names = sw__arena_array(graph->arena, nodes, sizeof(sw_str));
    for (size_t i = 0; graph->names && i < nodes; i++) {
        graph->names[i] = sw__arena_str(graph->arena, edit_name(edit, (int32_t)i));
        if (graph->names[i].ptr && sw__strmap_put(&graph->numbers, graph->names[i], (int64_t)i) < 0)
            return SW_ENOMEM;
    }
    return sw__arena_failed(graph->arena) ? SW_ENOMEM : SW_OK;
}

int sw_graph_edit_finish(const sw_graph_edit *edit, sw_graph **out, sw_error *err)
{
    sw__error_clear(err);
    if (!edit || !out)
        return sw__fail(err, SW_EINVAL, "the edit or out is missing");
    *out = NULL;
    const sw_env *env = sw__graph_env(edit->graph);
    size_t edges = (size_t)edit->graph->graph.edge_count + (size_t)edit->edit.edge_count;
    sw_graph *graph = sw__graph_handle_new(env);
    sw__arena *scratch = sw__arena_new(env);
    int code = SW_ENOMEM;
    if (graph && scratch) {
        int32_t *from = sw__arena_array(scratch, edges, sizeof(int32_t));
        int32_t *to = sw__arena_array(scratch, edges, sizeof(int32_t));
        if (from && to && edit_list(edit, scratch, from, to) &&
            edit_names_copy(edit, graph) == SW_OK)
            code =
                sw__graph_handle_build(graph, edit->edit.node_count, from, to, edges, false, NULL);
    }
    sw__arena_free(scratch);
    if (code == SW_OK)
        *out = graph;
    else
        sw_graph_free(graph);
    return code < 0 ? sw__fail(err, code, NULL) : SW_OK;
}
