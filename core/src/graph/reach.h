/* Who is reached from whom, and which edges say nothing new. Pure.
 *
 * Sets of nodes are bits: bit n % 64 of word n / 64 stands for node n. */
#ifndef SW_GRAPH_REACH_H
#define SW_GRAPH_REACH_H

#include "graph/graph.h"
#include "stepwell/graph.h"

static inline size_t sw__words(int32_t node_count)
{
    return ((size_t)node_count + 63) / 64;
}

#define SW__REACH_FEW 4 /* sources for which a search each is no dearer than a pass over an order */

/* Mark what a source reaches over one edge or more in bits; queue has node_count + 1 elements.
 * Returns how many nodes were not marked before. */
int32_t sw__graph_search(const sw__graph *graph, int32_t source, uint64_t *bits, int32_t *queue);

/* The nodes that each source reaches over one edge or more: sw__words(node_count) zeroed words per
 * source, and their number. order is a topological order, or NULL. SW_ENOMEM. */
int sw__graph_reach(sw__arena *scratch, const sw__graph *graph, const int32_t *order,
                    const int32_t *sources, size_t source_count, uint64_t *bits, int32_t *counts);

/* The edges that follow from others, as flags by place in out_node (edge_count zeroed elements);
 * order is a topological order. Returns their number, or SW_ENOMEM. */
int32_t sw__graph_redundant(sw__arena *scratch, const sw__graph *graph, const int32_t *order,
                            uint8_t *redundant);

/* How many edges that will look at, some of them many times: beforehand, to decide whether to.
 * place has node_count elements, edges one more. */
int64_t sw__graph_reduce_effort(const sw__graph *graph, const int32_t *order, int32_t *place,
                                int32_t *edges);

#endif
