/* The layout of a picture: layers, cut edges, order, places, and then the other direction. */
#include "graph/layout.h"

#include "graph/layered.h"

/* How much longer than high a run to the side may be before the gap between two layers grows. */
#define GAP_SLOPE 8

/* Start a node as late as its dependents allow when more lines lead down from it than up: every
 * such move shortens lines in all (the balancing of Gansner et al. 1993, without its simplex). */
static void layers_compact(const sw__graph *graph, const int32_t *order, int32_t *layer)
{
    for (int32_t i = graph->node_count - 1; i >= 0; i--) {
        int32_t node = order[i];
        int32_t first = graph->out_start[node], end = graph->out_start[node + 1];
        if (end - first <= graph->in_start[node + 1] - graph->in_start[node])
            continue;
        int32_t latest = INT32_MAX;
        for (int32_t k = first; k < end; k++) {
            if (layer[graph->out_node[k]] < latest)
                latest = layer[graph->out_node[k]];
        }
        layer[node] = latest - 1;
    }
}

/* Size of a vertex along the direction of the drawing. */
static int32_t vertex_depth(const sw__layered *layered, const sw__layout_options *options,
                            int32_t vertex)
{
    if (vertex >= layered->node_count)
        return 0;
    return options->rightward ? options->width[vertex] : options->height[vertex];
}

/* Space between a layer and the next, more where lines lead far to the side. */
static int32_t layer_gap(const sw__layered *layered, const sw__layout_options *options,
                         const int32_t *across, int32_t layer)
{
    int32_t longest = 0;
    for (int32_t i = layered->layer_start[layer]; i < layered->layer_start[layer + 1]; i++) {
        int32_t vertex = layered->order[i];
        for (int32_t k = layered->down_start[vertex]; k < layered->down_start[vertex + 1]; k++) {
            int32_t run = across[layered->down[k]] - across[vertex];
            run = run < 0 ? -run : run;
            longest = run > longest ? run : longest;
        }
    }
    int32_t gap = longest / GAP_SLOPE;
    gap = gap < options->layer_gap ? options->layer_gap : gap;
    return gap > options->layer_gap_max ? options->layer_gap_max : gap;
}

/* Near and far edge of every layer, and the middles of its vertices; how far it all reaches. */
static int32_t layers_stack(const sw__layered *layered, const sw__layout_options *options,
                            const int32_t *across, int32_t *along, int32_t *near, int32_t *far)
{
    int32_t at = 0;
    for (int32_t layer = 0; layer < layered->layer_count; layer++) {
        int32_t depth = 0;
        for (int32_t i = layered->layer_start[layer]; i < layered->layer_start[layer + 1]; i++) {
            int32_t own = vertex_depth(layered, options, layered->order[i]);
            depth = own > depth ? own : depth;
        }
        near[layer] = at;
        far[layer] = at + depth;
        for (int32_t i = layered->layer_start[layer]; i < layered->layer_start[layer + 1]; i++)
            along[layered->order[i]] = at + depth / 2;
        at += depth;
        if (layer + 1 < layered->layer_count)
            at += layer_gap(layered, options, across, layer);
    }
    return at;
}

/* Bring the leftmost border to 0. */
static void across_normalise(const sw__layered *layered, const sw__spacing *spacing,
                             int32_t *across)
{
    int32_t border = INT32_MAX;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++) {
        int32_t left = across[vertex] - sw__layered_left(layered, spacing, vertex);
        border = left < border ? left : border;
    }
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        across[vertex] -= border;
}

static int32_t across_width(const sw__layered *layered, const sw__spacing *spacing,
                            const int32_t *across)
{
    int32_t width = 0;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++) {
        int32_t right = across[vertex] + sw__layered_right(layered, spacing, vertex);
        width = right > width ? right : width;
    }
    return width;
}

static int layout_fill(sw__arena *arena, sw__arena *scratch, const sw__layered *layered,
                       const sw__layout_options *options, sw__layout *out)
{
    const sw__spacing spacing = {.width = options->rightward ? options->height : options->width,
                                 .bend_width = options->bend_width,
                                 .node_gap = options->node_gap,
                                 .bend_gap = options->bend_gap};
    size_t vertices = (size_t)layered->vertex_count, layers = (size_t)layered->layer_count;
    int32_t *across = sw__arena_array(arena, vertices, sizeof(int32_t));
    int32_t *along = sw__arena_array(arena, vertices, sizeof(int32_t));
    int32_t *near = sw__arena_array(arena, layers, sizeof(int32_t));
    int32_t *far = sw__arena_array(arena, layers, sizeof(int32_t));
    if (sw__arena_failed(arena) || sw__layered_place(scratch, layered, &spacing, across) < 0 ||
        sw__layered_straighten(scratch, layered, &spacing, across) < 0)
        return SW_ENOMEM;

    across_normalise(layered, &spacing, across);
    int32_t depth = layers_stack(layered, options, across, along, near, far);
    int32_t width = across_width(layered, &spacing, across);
    *out = (sw__layout){.vertex_count = layered->vertex_count,
                        .layer_count = layered->layer_count,
                        .layer = layered->layer,
                        .x = options->rightward ? along : across,
                        .y = options->rightward ? across : along,
                        .chain_start = layered->chain_start,
                        .layer_start = layered->layer_start,
                        .order = layered->order,
                        .layer_near = near,
                        .layer_far = far,
                        .width = options->rightward ? depth : width,
                        .height = options->rightward ? width : depth};
    return SW_OK;
}

static int layout_scratch(sw__arena *arena, sw__arena *scratch, const sw__graph *graph,
                          const int32_t *order, const sw__layout_options *options, sw__layout *out)
{
    sw__layered layered;
    int64_t before = 0, after = 0;
    int32_t *layer = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int32_t));
    if (!layer)
        return SW_ENOMEM;
    sw__graph_levels(graph, order, layer);
    if (options->compact)
        layers_compact(graph, order, layer);
    int code = sw__layered_build(arena, graph, layer, options->vertices_max, &layered);
    if (code == SW_OK)
        code = sw__layered_arrange(scratch, &layered, &before, &after);
    if (code == SW_OK)
        code = layout_fill(arena, scratch, &layered, options, out);
    out->crossings_before = before;
    out->crossings = after;
    return code;
}

int sw__layout_make(sw__arena *arena, const sw__graph *graph, const int32_t *order,
                    const sw__layout_options *options, sw__layout *out)
{
    *out = (sw__layout){0};
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return SW_ENOMEM;
    int code = layout_scratch(arena, scratch, graph, order, options, out);
    sw__arena_free(scratch);
    return code;
}
