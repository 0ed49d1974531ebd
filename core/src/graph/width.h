/* The largest set of nodes none of which leads to another. Pure. */
#ifndef SW_GRAPH_WIDTH_H
#define SW_GRAPH_WIDTH_H

#include "graph/graph.h"

typedef struct sw__width {
    int32_t least; /* the true width is between these two */
    int32_t most;
    int32_t *antichain; /* least nodes of which none leads to another, ascending */
} sw__width;

/* order is a topological order and levels those of the graph; the search looks at effort edges at
 * most and settles for bounds then. The antichain is in arena. SW_ENOMEM. */
int sw__graph_width(sw__arena *arena, const sw__graph *graph, const int32_t *order,
                    const int32_t *levels, int64_t effort, sw__width *out);

#endif
