/* Cycles: one, all knots of them, and which edges to take away. Pure. */
#ifndef SW_GRAPH_KNOTS_H
#define SW_GRAPH_KNOTS_H

#include "graph/graph.h"
#include "stepwell/graph.h"

/* How much work the answers about knots may take; beyond, they are not proven to be the best and
 * say so. */
#define SW__KNOT_EXACT_NODES 16     /* for which a smallest set of cuts is looked for */
#define SW__KNOT_EFFORT 50000000LL /* edges, or eight subsets each, that one call looks at */

/* Read what is on a cycle or behind one from open (sw__graph_order_levels) and write one cycle, the
 * lowest node first, which is a shortest one through one of its nodes. SW_ENOMEM. */
int sw__graph_cycle(sw__arena *arena, const sw__graph *graph, const int32_t *open, int32_t **cycle,
                    int32_t *cycle_count);

/* Strongly connected components of two nodes or more: knot gets, for each node, the number of its
 * knot in the order of their lowest nodes, or -1. Returns how many there are, or SW_ENOMEM. */
int32_t sw__graph_knot_numbers(sw__arena *scratch, const sw__graph *graph, int32_t *knot);

/* Every knot with a short cycle and the edges to take away. SW_ENOMEM. */
int sw__graph_knots(sw__arena *arena, const sw__graph *graph, const sw_knot **knots,
                    int32_t *count);

/* The shortest cycle of a strongly connected graph into cycle (node_count elements), the lowest
 * node first. Takes what it needs from *effort and stops when that is used up; *shortest tells.
 * Returns its length, or SW_ENOMEM. */
int32_t sw__graph_girth(sw__arena *scratch, const sw__graph *graph, int64_t *effort,
                        int32_t *cycle, int32_t *shortest);

/* Edges whose removal leaves no cycle in a strongly connected graph, as places in out_node. */
typedef struct sw__cuts {
    int32_t *edges; /* ascending */
    int32_t count;
    int32_t least; /* no smaller set can do */
} sw__cuts;

/* cycle is one of the graph. SW_ENOMEM. */
int sw__graph_cuts(sw__arena *scratch, const sw__graph *graph, const int32_t *cycle,
                   int32_t cycle_count, int64_t *effort, sw__cuts *out);

#endif
