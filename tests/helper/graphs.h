/* Graphs for tests: random ones, every small one, and slow, obvious answers about them.
 *
 *     graph_case set;
 *     graph_case_random(&set, 12, true);
 *     ... set.from, set.to, set.count; set.reaches[a][b] ...
 */
#ifndef HELPER_GRAPHS_H
#define HELPER_GRAPHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell/graph.h"

#define GRAPH_NODES_MOST 24

typedef struct graph_case {
    int32_t nodes;
    size_t count;
    int32_t from[GRAPH_NODES_MOST * GRAPH_NODES_MOST];
    int32_t to[GRAPH_NODES_MOST * GRAPH_NODES_MOST];
    int64_t duration[GRAPH_NODES_MOST];
    bool edge[GRAPH_NODES_MOST][GRAPH_NODES_MOST];
    bool reaches[GRAPH_NODES_MOST][GRAPH_NODES_MOST]; /* over one edge or more */
} graph_case;

/* A number below limit; the same ones in every run of a program. */
uint32_t graph_random(uint32_t limit);

void graph_case_init(graph_case *set, int32_t nodes);
/* Add an edge and bring reaches up to date. */
void graph_case_add(graph_case *set, int32_t from, int32_t to);
/* Between 1 and most nodes under random numbers, a random density, edges in a random order,
 * durations of 0 to 9. */
void graph_case_random(graph_case *set, int32_t most, bool acyclic);
/* Whether some node reaches itself. */
bool graph_case_cyclic(const graph_case *set);

/* Call check with every graph of so many nodes (at most 5), with cycles or without. Returns how
 * many there were. */
size_t graph_case_each(int32_t nodes, bool acyclic, void (*check)(const graph_case *set));

/* A handle from a case, which must be valid; released with sw_graph_free. */
sw_graph *graph_case_open(const graph_case *set, const sw_env *env);

#endif
