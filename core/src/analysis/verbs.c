/* One question each: order, knots, reach, common, reduction, makespan.
 *
 * Every verb checks its input, asks the pure functions of graph/ and puts the rows into a result.
 * Not here: the analysis of everything at once (analyze.c).
 */
#include "analysis/analysis.h"
#include "base/error.h"
#include "base/str.h"
#include "graph/knots.h"
#include "graph/ranks.h"
#include "graph/reach.h"
#include "graph/time.h"

bool sw__answer_begin(const sw_graph *graph, sw_result **result, sw__arena **scratch)
{
    *result = sw__result_new(sw__graph_env(graph));
    *scratch = *result ? sw__arena_new(sw__graph_env(graph)) : NULL;
    if (*scratch)
        return true;
    sw_result_free(*result);
    return false;
}

int sw__answer_end(int code, sw_result *result, sw__arena *scratch, sw_result **out)
{
    sw__arena_free(scratch);
    if (code == SW_OK)
        *out = result;
    else
        sw_result_free(result);
    return code;
}

/* What every verb with a result begins with. */
static int verb_check(const sw_graph *graph, sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    if (!graph || !out)
        return sw__fail(err, SW_EINVAL, "the graph or out is missing");
    *out = NULL;
    return SW_OK;
}

static int order_by_priority(const sw_graph *graph, sw__arena *scratch, const int32_t *priority,
                             int32_t *order, sw_error *err)
{
    int32_t *cycle, count;
    int code = sw__graph_order(scratch, &graph->graph, priority, order, &cycle, &count);
    if (code == SW_EDEFINITION)
        return sw__cycle_fail(graph, cycle, count, err);
    return code < 0 ? sw__fail(err, code, NULL) : SW_OK;
}

int sw__graph_handle_order(const sw_graph *graph, sw__arena *scratch, int32_t *order, sw_error *err)
{
    const sw__graph *arrays = &graph->graph;
    int32_t *cycle, count;
    int32_t *open = sw__arena_array_raw(scratch, (size_t)arrays->node_count, sizeof(int32_t));
    if (!open)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (sw__graph_order_levels(arrays, open, order) == arrays->node_count)
        return SW_OK;
    if (sw__graph_cycle(scratch, arrays, open, &cycle, &count) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sw__cycle_fail(graph, cycle, count, err);
}

int sw_graph_order(const sw_graph *graph, const int32_t *priority, int32_t *order, sw_error *err)
{
    sw__error_clear(err);
    if (!graph || !order)
        return sw__fail(err, SW_EINVAL, "the graph or the room for the order is missing");
    sw__arena *scratch = sw__arena_new(sw__graph_env(graph));
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    int code = priority ? order_by_priority(graph, scratch, priority, order, err)
                        : sw__graph_handle_order(graph, scratch, order, err);
    sw__arena_free(scratch);
    return code;
}

int sw_graph_cycles(const sw_graph *graph, sw_result **out, sw_error *err)
{
    int code = verb_check(graph, out, err);
    if (code < 0)
        return code;
    sw_result *result = sw__result_new(sw__graph_env(graph));
    if (!result)
        return sw__fail(err, SW_ENOMEM, NULL);
    const sw_knot *knots;
    int32_t count;
    code = sw__graph_knots(result->arena, &graph->graph, &knots, &count);
    if (code == SW_OK)
        sw__result_set(result, SW__KNOTS, knots, (size_t)count);
    else
        sw__fail(err, code, NULL);
    return sw__answer_end(code, result, NULL, out);
}

static int reach_check(const sw_graph *graph, int direction, const int32_t *nodes, size_t count,
                       sw_result **out, sw_error *err)
{
    int code = verb_check(graph, out, err);
    if (code < 0)
        return code;
    if (direction != SW_REACH_DEPENDENTS && direction != SW_REACH_DEPENDENCIES)
        return sw__fail(err, SW_EINVAL, "there is no direction %d", direction);
    if (count > 0 && !nodes)
        return sw__fail(err, SW_EINVAL, "the nodes are missing");
    for (size_t i = 0; i < count; i++) {
        if (nodes[i] < 0 || nodes[i] >= graph->graph.node_count)
            return sw__fail_row(err, SW_EINVAL, i, "node %d is none of the %d", nodes[i],
                                graph->graph.node_count);
    }
    return SW_OK;
}

/* The rows of bits of all nodes asked for; *counts gets the number of nodes in each. */
static int reach_find(const sw_graph *graph, int direction, const int32_t *nodes, size_t count,
                      sw__arena *arena, sw__arena *scratch, uint64_t **bits, int32_t **counts)
{
    size_t node_count = (size_t)graph->graph.node_count, words = sw__words((int32_t)node_count);
    sw__graph turned = sw__graph_reversed(&graph->graph);
    const sw__graph *way = direction == SW_REACH_DEPENDENTS ? &graph->graph : &turned;
    int32_t *open = sw__arena_array_raw(scratch, node_count, sizeof(int32_t));
    int32_t *order = sw__arena_array_raw(scratch, node_count, sizeof(int32_t));
    *counts = sw__arena_array(scratch, count, sizeof(int32_t));
    *bits = sw__arena_array(arena, count * words, sizeof(uint64_t));
    if (!open || !order || !*counts || !*bits)
        return SW_ENOMEM;
    bool many = count > SW__REACH_FEW;
    if (many && sw__graph_order_levels(way, open, order) < graph->graph.node_count)
        order = NULL;
    return sw__graph_reach(scratch, way, many ? order : NULL, nodes, count, *bits, *counts);
}

static int reach_answer(const sw_graph *graph, int direction, const int32_t *nodes, size_t count,
                        sw_result *result, sw__arena *scratch)
{
    uint64_t *bits;
    int32_t *counts;
    size_t words = sw__words(graph->graph.node_count), total;
    sw_reach *rows = sw__arena_array(result->arena, count, sizeof(sw_reach));
    if (!rows || __builtin_mul_overflow(count, words, &total) ||
        reach_find(graph, direction, nodes, count, result->arena, scratch, &bits, &counts) < 0)
        return SW_ENOMEM;
    for (size_t i = 0; i < count; i++)
        rows[i] = (sw_reach){.node = nodes[i], .count = counts[i], .bits = bits + i * words};
    sw__result_set(result, SW__REACHES, rows, count);
    return SW_OK;
}

int sw_graph_reach(const sw_graph *graph, int direction, const int32_t *nodes, size_t node_count,
                   sw_result **out, sw_error *err)
{
    sw_result *result;
    sw__arena *scratch;
    int code = reach_check(graph, direction, nodes, node_count, out, err);
    if (code < 0)
        return code;
    if (!sw__answer_begin(graph, &result, &scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    code = reach_answer(graph, direction, nodes, node_count, result, scratch);
    if (code < 0)
        sw__fail(err, code, NULL);
    return sw__answer_end(code, result, scratch, out);
}

static int32_t bits_count(const uint64_t *bits, size_t words)
{
    int32_t count = 0;
    for (size_t i = 0; i < words; i++)
        count += __builtin_popcountll(bits[i]);
    return count;
}

/* Of the nodes in all, those that no neighbour on the way back to the sources is in, too. */
static void nearest_find(const sw_graph *graph, int direction, const uint64_t *all,
                         uint64_t *nearest)
{
    sw__graph turned = sw__graph_reversed(&graph->graph);
    const sw__graph *back = direction == SW_REACH_DEPENDENTS ? &turned : &graph->graph;
    for (int32_t node = 0; node < back->node_count; node++) {
        bool common = all[node / 64] >> (node % 64) & 1;
        for (int32_t i = back->out_start[node]; common && i < back->out_start[node + 1]; i++) {
            int32_t next = back->out_node[i];
            common = !(all[next / 64] >> (next % 64) & 1);
        }
        nearest[node / 64] |= (uint64_t)common << (node % 64);
    }
}

/* One search after the other, so that a million nodes do not need a million rows of bits. */
static int common_answer(const sw_graph *graph, int direction, const int32_t *nodes, size_t count,
                         sw_result *result, sw__arena *scratch)
{
    size_t words = sw__words(graph->graph.node_count);
    sw__graph turned = sw__graph_reversed(&graph->graph);
    const sw__graph *way = direction == SW_REACH_DEPENDENTS ? &graph->graph : &turned;
    sw_reach *rows = sw__arena_array(result->arena, 2, sizeof(sw_reach));
    uint64_t *all = sw__arena_array(result->arena, words, sizeof(uint64_t));
    uint64_t *nearest = sw__arena_array(result->arena, words, sizeof(uint64_t));
    uint64_t *one = sw__arena_array(scratch, words, sizeof(uint64_t));
    int32_t *queue = sw__arena_array_raw(scratch, (size_t)way->node_count + 1, sizeof(int32_t));
    if (!rows || !all || !nearest || !one || !queue)
        return SW_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < words; k++)
            one[k] = 0;
        sw__graph_search(way, nodes[i], one, queue);
        for (size_t k = 0; k < words; k++)
            all[k] = i == 0 ? one[k] : all[k] & one[k];
    }
    nearest_find(graph, direction, all, nearest);
    rows[0] = (sw_reach){.node = -1, .count = bits_count(all, words), .bits = all};
    rows[1] = (sw_reach){.node = -1, .count = bits_count(nearest, words), .bits = nearest};
    sw__result_set(result, SW__REACHES, rows, 2);
    return SW_OK;
}

int sw_graph_common(const sw_graph *graph, int direction, const int32_t *nodes, size_t node_count,
                    sw_result **out, sw_error *err)
{
    sw_result *result;
    sw__arena *scratch;
    int code = reach_check(graph, direction, nodes, node_count, out, err);
    if (code < 0)
        return code;
    if (!sw__answer_begin(graph, &result, &scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    code = common_answer(graph, direction, nodes, node_count, result, scratch);
    if (code < 0)
        sw__fail(err, code, NULL);
    return sw__answer_end(code, result, scratch, out);
}

/* Turn flags by place in out_node into edges by row. */
static int redundant_rows(sw__arena *arena, sw__arena *scratch, const sw__graph *graph,
                          const uint8_t *redundant, const sw_graph_edge **edges, int32_t count)
{
    sw_graph_edge *rows = sw__arena_array(arena, (size_t)count, sizeof(sw_graph_edge));
    uint64_t *keys = sw__arena_array(scratch, (size_t)count, sizeof(uint64_t));
    sw_graph_edge *found = sw__arena_array(scratch, (size_t)count, sizeof(sw_graph_edge));
    int32_t *by_rank, *rank, at = 0;
    if (!rows || !keys || !found)
        return SW_ENOMEM;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            if (!redundant[i])
                continue;
            keys[at] = (uint64_t)graph->out_row[i];
            found[at++] = (sw_graph_edge){node, graph->out_node[i], graph->out_row[i]};
        }
    }
    if (!sw__keys_rank(scratch, keys, count, &by_rank, &rank))
        return SW_ENOMEM;
    for (int32_t i = 0; i < count; i++)
        rows[i] = found[by_rank[i]];
    *edges = rows;
    return SW_OK;
}

int sw__redundant_find(sw__arena *arena, sw__arena *scratch, const sw__graph *graph,
                       const int32_t *order, const sw_graph_edge **edges, int32_t *count)
{
    uint8_t *redundant = sw__arena_array(scratch, (size_t)graph->edge_count, 1);
    if (!redundant)
        return SW_ENOMEM;
    *count = sw__graph_redundant(scratch, graph, order, redundant);
    if (*count < 0)
        return SW_ENOMEM;
    return redundant_rows(arena, scratch, graph, redundant, edges, *count);
}

static int reduce_answer(const sw_graph *graph, sw_result *result, sw__arena *scratch,
                         sw_error *err)
{
    const sw_graph_edge *edges;
    int32_t count;
    int32_t *order = sw__arena_array_raw(scratch, (size_t)graph->graph.node_count, sizeof(int32_t));
    if (!order)
        return sw__fail(err, SW_ENOMEM, NULL);
    int code = sw__graph_handle_order(graph, scratch, order, err);
    if (code < 0)
        return code;
    code = sw__redundant_find(result->arena, scratch, &graph->graph, order, &edges, &count);
    if (code < 0)
        return sw__fail(err, code, NULL);
    sw__result_set(result, SW__EDGES, edges, (size_t)count);
    return SW_OK;
}

int sw_graph_reduce(const sw_graph *graph, sw_result **out, sw_error *err)
{
    sw_result *result;
    sw__arena *scratch;
    int code = verb_check(graph, out, err);
    if (code < 0)
        return code;
    if (!sw__answer_begin(graph, &result, &scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    code = reduce_answer(graph, result, scratch, err);
    return sw__answer_end(code, result, scratch, out);
}

static int resource_check(const sw_graph *graph, const sw_graph_resource *resource, size_t row,
                          sw_error *err)
{
    if (resource->capacity < 1)
        return sw__fail_row(err, SW_EINVAL, row, "resource %zu \"%.*s\" has a capacity of %lld",
                            row, SW__FMT(resource->name), (long long)resource->capacity);
    if (!resource->demand && graph->graph.node_count > 0)
        return sw__fail_row(err, SW_EINVAL, row, "resource %zu \"%.*s\" has no demand", row,
                            SW__FMT(resource->name));
    for (int32_t node = 0; node < graph->graph.node_count; node++) {
        int64_t demand = resource->demand[node];
        if (demand < 0 || demand > resource->capacity)
            return sw__fail_row(err, SW_EINVAL, (size_t)node,
                                "node %d demands %lld of resource \"%.*s\", which has %lld", node,
                                (long long)demand, SW__FMT(resource->name),
                                (long long)resource->capacity);
    }
    return SW_OK;
}

static int makespan_check(const sw_graph *graph, const sw_makespan_options *options, sw_error *err)
{
    if (!options || options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "makespan options without their size");
    if (options->workers < 0)
        return sw__fail(err, SW_EINVAL, "there cannot be %d workers", options->workers);
    if (options->resource_count > 0 && !options->resources)
        return sw__fail(err, SW_EINVAL, "the resources are missing");
    for (size_t i = 0; i < options->resource_count; i++) {
        int code = resource_check(graph, &options->resources[i], i, err);
        if (code < 0)
            return code;
    }
    return SW_OK;
}

static int makespan_answer(const sw_graph *graph, const sw_makespan_options *options,
                           sw_result *result, sw__arena *scratch, sw_error *err)
{
    size_t nodes = (size_t)graph->graph.node_count;
    int32_t *order = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    sw_graph_slot *slots = sw__arena_array(result->arena, nodes, sizeof(sw_graph_slot));
    sw_makespan *row = sw__arena_alloc(result->arena, sizeof(*row));
    if (!order || !slots || !row)
        return sw__fail(err, SW_ENOMEM, NULL);
    int code = sw__graph_handle_order(graph, scratch, order, err);
    if (code == SW_OK)
        code = sw__graph_schedule(scratch, &graph->graph, order, options, slots, row, err);
    if (code < 0)
        return code;
    sw__result_set(result, SW__MAKESPANS, row, 1);
    sw__result_set(result, SW__SLOTS, slots, nodes);
    return SW_OK;
}

int sw_graph_makespan(const sw_graph *graph, const sw_makespan_options *options, sw_result **out,
                      sw_error *err)
{
    sw_result *result;
    sw__arena *scratch;
    int code = verb_check(graph, out, err);
    if (code == SW_OK)
        code = makespan_check(graph, options, err);
    if (code < 0)
        return code;
    if (!sw__answer_begin(graph, &result, &scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    code = makespan_answer(graph, options, result, scratch, err);
    return sw__answer_end(code, result, scratch, out);
}
