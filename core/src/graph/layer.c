/* Cutting a graph into pieces between neighbouring layers.
 *
 * Pieces need no list of their own: a node has as many pieces above and below as it has edges, a
 * bend has one of each, so that the rows of the graph itself serve as those of its vertices. */
#include "graph/layered.h"

/* Bends of each edge, added up; their number, or -1 when there are too many. */
static int64_t chains_count(const sw__graph *graph, const int32_t *layer, int32_t room,
                            int32_t *chain_start)
{
    int64_t bends = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            bends += layer[graph->out_node[i]] - layer[node] - 1;
            if (bends > room)
                return -1;
            chain_start[i + 1] = (int32_t)bends;
        }
    }
    return bends;
}

static int layered_alloc(sw__arena *arena, sw__layered *layered)
{
    size_t vertices = (size_t)layered->vertex_count, pieces = (size_t)layered->piece_count;
    layered->layer = sw__arena_array(arena, vertices, sizeof(int32_t));
    layered->layer_start =
        sw__arena_array(arena, (size_t)layered->layer_count + 1, sizeof(int32_t));
    layered->order = sw__arena_array(arena, vertices, sizeof(int32_t));
    layered->position = sw__arena_array(arena, vertices, sizeof(int32_t));
    layered->up_start = sw__arena_array(arena, vertices + 1, sizeof(int32_t));
    layered->up = sw__arena_array(arena, pieces, sizeof(int32_t));
    layered->down_start = sw__arena_array(arena, vertices + 1, sizeof(int32_t));
    layered->down = sw__arena_array(arena, pieces, sizeof(int32_t));
    layered->fill = sw__arena_array(arena, vertices, sizeof(int32_t));
    return sw__arena_failed(arena) ? SW_ENOMEM : SW_OK;
}

static void rows_begin(const sw__graph *graph, sw__layered *layered)
{
    for (int32_t node = 0; node < graph->node_count; node++) {
        layered->up_start[node] = graph->in_start[node];
        layered->down_start[node] = graph->out_start[node];
    }
    int32_t bends = layered->vertex_count - layered->node_count;
    for (int32_t i = 0; i <= bends; i++) {
        layered->up_start[layered->node_count + i] = graph->edge_count + i;
        layered->down_start[layered->node_count + i] = graph->edge_count + i;
    }
}

/* The pieces of one edge, from node to node over its bends. */
static void chain_fill(const sw__graph *graph, sw__layered *layered, int32_t from, int32_t edge)
{
    int32_t to = graph->out_node[edge];
    int32_t last = from;
    int32_t slot = edge;
    for (int32_t i = layered->chain_start[edge]; i < layered->chain_start[edge + 1]; i++) {
        int32_t bend = layered->node_count + i;
        layered->layer[bend] = layered->layer[last] + 1;
        layered->down[slot] = bend;
        layered->up[layered->up_start[bend]] = last;
        last = bend;
        slot = layered->down_start[bend];
    }
    layered->down[slot] = to;
    layered->up[layered->up_start[to] + layered->fill[to]++] = last;
}

static void layers_count(sw__layered *layered)
{
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        layered->layer_start[layered->layer[vertex] + 1]++;
    for (int32_t i = 0; i < layered->layer_count; i++)
        layered->layer_start[i + 1] += layered->layer_start[i];
}

int sw__layered_build(sw__arena *arena, const sw__graph *graph, const int32_t *layer,
                      int32_t vertices_max, sw__layered *out)
{
    *out = (sw__layered){.node_count = graph->node_count};
    out->chain_start = sw__arena_array(arena, (size_t)graph->edge_count + 1, sizeof(int32_t));
    if (!out->chain_start)
        return SW_ENOMEM;
    int64_t bends = chains_count(graph, layer, vertices_max - graph->node_count, out->chain_start);
    if (graph->node_count > vertices_max || bends < 0)
        return SW_ELIMIT;
    out->vertex_count = graph->node_count + (int32_t)bends;
    out->piece_count = graph->edge_count + (int32_t)bends;
    for (int32_t node = 0; node < graph->node_count; node++)
        out->layer_count = layer[node] >= out->layer_count ? layer[node] + 1 : out->layer_count;
    if (layered_alloc(arena, out) < 0)
        return SW_ENOMEM;

    for (int32_t node = 0; node < graph->node_count; node++)
        out->layer[node] = layer[node];
    rows_begin(graph, out);
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++)
            chain_fill(graph, out, node, i);
    }
    for (int32_t node = 0; node < graph->node_count; node++)
        out->fill[node] = 0;
    layers_count(out);
    return SW_OK;
}

/* Walk over one layer from left to right and tell every neighbour of each vertex: what they hear
 * of is sorted. start and node are the rows of the walked layer, told_start and told those of the
 * neighbours. */
static void neighbours_tell(sw__layered *layered, int32_t layer, const int32_t *start,
                            const int32_t *node, const int32_t *told_start, int32_t *told)
{
    for (int32_t i = layered->layer_start[layer]; i < layered->layer_start[layer + 1]; i++) {
        int32_t vertex = layered->order[i];
        for (int32_t k = start[vertex]; k < start[vertex + 1]; k++)
            told[told_start[node[k]] + layered->fill[node[k]]++] = vertex;
    }
    for (int32_t i = layered->layer_start[layer]; i < layered->layer_start[layer + 1]; i++) {
        int32_t vertex = layered->order[i];
        for (int32_t k = start[vertex]; k < start[vertex + 1]; k++)
            layered->fill[node[k]] = 0;
    }
}

void sw__layered_sort_up(sw__layered *layered, int32_t layer)
{
    if (layer > 0)
        neighbours_tell(layered, layer - 1, layered->down_start, layered->down, layered->up_start,
                        layered->up);
}

void sw__layered_sort_down(sw__layered *layered, int32_t layer)
{
    if (layer + 1 < layered->layer_count)
        neighbours_tell(layered, layer + 1, layered->up_start, layered->up, layered->down_start,
                        layered->down);
}
