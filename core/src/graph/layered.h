/* A graph made ready for drawing: every node in a layer, every long edge cut into pieces that lead
 * from one layer to the next. Internal to the layout (layout.h); one file per step of it.
 *
 * The framework is that of Sugiyama, Tagawa and Toda (1981). Vertices 0..node_count-1 are the nodes
 * of the graph; the others are bends, one for each layer that an edge passes, numbered along the
 * edge. All passes are loops over arrays. */
#ifndef SW_GRAPH_LAYERED_H
#define SW_GRAPH_LAYERED_H

#include "graph/graph.h"

typedef struct sw__layered {
    int32_t node_count;
    int32_t vertex_count;
    int32_t piece_count;
    int32_t layer_count;
    int32_t *layer;       /* of each vertex */
    int32_t *chain_start; /* edge_count + 1: bends of edge i are node_count + chain_start[i].. */
    int32_t *layer_start; /* layer_count + 1: places of a layer in order */
    int32_t *order;       /* vertices, layer by layer, from left to right */
    int32_t *position;    /* of each vertex in its layer */
    int32_t *up_start;    /* vertex_count + 1 */
    int32_t *up;          /* neighbours in the layer above */
    int32_t *down_start;
    int32_t *down;
    int32_t *fill; /* vertex_count elements of scratch, zero between calls */
} sw__layered;

/* Distances between the middles of neighbours in a layer. */
typedef struct sw__spacing {
    const int32_t *width; /* of each node */
    int32_t bend_width;
    int32_t node_gap; /* between two nodes */
    int32_t bend_gap; /* beside a bend */
} sw__spacing;

/* Cut long edges; layer has a layer for each node, lower for the start of an edge than for its
 * end. SW_ELIMIT when that takes more than vertices_max vertices; SW_ENOMEM. */
int sw__layered_build(sw__arena *arena, const sw__graph *graph, const int32_t *layer,
                      int32_t vertices_max, sw__layered *out);

/* Bring the neighbours of the vertices of one layer into the order of the layer above or below. */
void sw__layered_sort_up(sw__layered *layered, int32_t layer);
void sw__layered_sort_down(sw__layered *layered, int32_t layer);

/* Order every layer for few crossings, never more than before. Leaves all neighbours sorted. */
int sw__layered_arrange(sw__arena *scratch, sw__layered *layered, int64_t *before, int64_t *after);

/* Crossings between all layers; tree has vertex_count + 1 elements of scratch. */
int64_t sw__layered_crossings(sw__layered *layered, int32_t *tree);

/* Middle of every vertex across the layers, from any origin; neighbours must be sorted. */
int sw__layered_place(sw__arena *scratch, const sw__layered *layered, const sw__spacing *spacing,
                      int32_t *x);

/* Move vertices a little where that makes lines straight, at most by node_gap; never closer to each
 * other than they have to stand. */
int sw__layered_straighten(sw__arena *scratch, const sw__layered *layered,
                           const sw__spacing *spacing, int32_t *x);

/* Left and right half of a vertex. */
static inline int32_t sw__layered_left(const sw__layered *layered, const sw__spacing *spacing,
                                       int32_t vertex)
{
    int32_t width =
        vertex < layered->node_count ? spacing->width[vertex] : spacing->bend_width;
    return width / 2;
}

static inline int32_t sw__layered_right(const sw__layered *layered, const sw__spacing *spacing,
                                        int32_t vertex)
{
    int32_t width =
        vertex < layered->node_count ? spacing->width[vertex] : spacing->bend_width;
    return width - width / 2;
}

#endif
