/* Coordinates for drawing a graph in layers. Pure: arrays in, arrays out, the same every time.
 *
 * Not here: what nodes look like, how large their text is, any file format (picture/). */
#ifndef SW_GRAPH_LAYOUT_H
#define SW_GRAPH_LAYOUT_H

#include <stdbool.h>

#include "graph/graph.h"

/* Sizes and gaps are in the units of the drawing. */
typedef struct sw__layout_options {
    const int32_t *width; /* of each node */
    const int32_t *height;
    int32_t bend_width;    /* of a line that passes a layer */
    int32_t node_gap;      /* between nodes of a layer */
    int32_t bend_gap;      /* beside a passing line */
    int32_t layer_gap;     /* between layers; grows where lines lead far to the side, */
    int32_t layer_gap_max; /* up to this */
    int32_t vertices_max;  /* nodes and bends */
    bool rightward;        /* layers from left to right instead of from top to bottom */
    bool compact;          /* start nodes as late as their dependents allow, for shorter lines */
} sw__layout_options;

/* Where everything is. Vertices 0..node_count-1 are the nodes; behind them come the bends, one for
 * each layer that an edge passes: those of edge i (in the order of graph->out_node) are
 * node_count + chain_start[i] up to, without it, node_count + chain_start[i + 1]. */
typedef struct sw__layout {
    int32_t vertex_count;
    int32_t layer_count;
    const int32_t *layer; /* of each vertex */
    const int32_t *x;     /* middle of each vertex */
    const int32_t *y;
    const int32_t *chain_start;
    const int32_t *layer_start; /* layer_count + 1: places of a layer in order */
    const int32_t *order;       /* vertices, layer by layer */
    const int32_t *layer_near;  /* edges of each layer, along the direction of the drawing */
    const int32_t *layer_far;
    int32_t width; /* of the drawing */
    int32_t height;
    int64_t crossings_before;
    int64_t crossings;
} sw__layout;

/* order is a topological order of graph. errors: SW_ELIMIT (more than vertices_max vertices),
 * SW_ENOMEM. */
int sw__layout_make(sw__arena *arena, const sw__graph *graph, const int32_t *order,
                    const sw__layout_options *options, sw__layout *out);

#endif
