/* Dependency graphs on int arrays: build, order, levels. Pure: arrays in, arrays out.
 *
 * Nodes are 0..node_count-1. An edge (from, to) means: to depends on from. Linear time, no
 * recursion. Not here: knots.h (cycles), time.h (durations), width.h, reach.h, edit.h.
 */
#ifndef SW_GRAPH_GRAPH_H
#define SW_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "stepwell/error.h"

/* Compressed rows in both directions; neighbours of a node keep the order of the edge list. */
typedef struct sw__graph {
    int32_t node_count;
    int32_t edge_count;
    const int32_t *out_start; /* node_count + 1 */
    const int32_t *out_node;  /* edge_count */
    const int32_t *in_start;
    const int32_t *in_node;
    const int32_t *out_row; /* which edge of the list each is; NULL unless built with rows */
} sw__graph;

/* errors: SW_EINVAL with the row of an edge that is out of range, on itself or given twice;
 * SW_ELIMIT; SW_ENOMEM. */
int sw__graph_build(sw__arena *arena, int32_t node_count, const int32_t *from, const int32_t *to,
                    size_t edge_count, sw__graph *out, sw_error *err);
/* The same with out_row. repeats: of edges given twice the first one counts. */
int sw__graph_build_rows(sw__arena *arena, int32_t node_count, const int32_t *from,
                         const int32_t *to, size_t edge_count, bool repeats, sw__graph *out,
                         sw_error *err);

/* The graph with every edge turned round. */
sw__graph sw__graph_reversed(const sw__graph *graph);

/* Topological order; among the nodes that could come next, the one with the higher priority, then
 * the lower number, comes first. priority may be NULL. order has node_count elements.
 * On a cycle returns SW_EDEFINITION and one cycle: *cycle_count nodes in *cycle, each depending on
 * the one before it and the first on the last. */
int sw__graph_order(sw__arena *arena, const sw__graph *graph, const int32_t *priority,
                    int32_t *order, int32_t **cycle, int32_t *cycle_count);

/* Topological order by level, inside a level by the place of the last dependency: the fastest one.
 * open has node_count elements and afterwards holds, for each node without a place, how many
 * dependencies without a place it has. Returns how many found a place: fewer than there are nodes
 * mean a cycle. */
int32_t sw__graph_order_levels(const sw__graph *graph, int32_t *open, int32_t *order);

/* Longest distance from a root (roots are 0), for every node; order is a topological order. */
void sw__graph_levels(const sw__graph *graph, const int32_t *order, int32_t *levels);
/* Shortest distance from a root. */
void sw__graph_shortest(const sw__graph *graph, const int32_t *order, int32_t *shortest);

/* Weakly connected components: component gets, for each node, the number of its component, in the
 * order of their lowest nodes. queue has node_count elements. Returns how many there are. */
int32_t sw__graph_components(const sw__graph *graph, int32_t *component, int32_t *queue);

#endif
