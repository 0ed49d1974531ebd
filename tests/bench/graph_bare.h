/* Bare loops over a graph in compressed rows: what bench_graph compares the engine with. They check
 * nothing, and all but the first find their arrays there already. */
#ifndef BENCH_GRAPH_BARE_H
#define BENCH_GRAPH_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bare_graph {
    int32_t nodes;
    int32_t edges;
    int32_t *out_start;
    int32_t *out_node;
    int32_t *out_row;
    int32_t *in_start;
    int32_t *in_node;
} bare_graph;

/* Room for loops: each has an element per node, bits a bit for each pair of nodes. */
typedef struct bare_room {
    int32_t *open;
    int32_t *order;
    int64_t *finish;
    uint8_t *seen;
    uint64_t *bits;
} bare_room;

/* Arrays for so many nodes and edges, and two counting sorts; false: no memory. */
bool bare_build(bare_graph *graph, const int32_t *from, const int32_t *to);
void bare_free(bare_graph *graph);
/* Kahn's algorithm; returns how many nodes found a place. */
int32_t bare_order(const bare_graph *graph, bare_room *room);
/* The longest path by duration: an order, the ends, the way back. Returns the span. */
int64_t bare_span(const bare_graph *graph, const int64_t *duration, bare_room *room);
/* Breadth-first; returns how many nodes are reached. */
int32_t bare_descendants(const bare_graph *graph, int32_t source, bare_room *room);
/* An order, the edges of each node sorted by it, then a row of bits for each node, from the last
 * of the order to the first; returns how many edges follow from others. sorted has room for the
 * graph with places for nodes. */
int32_t bare_reduce(const bare_graph *graph, bare_graph *sorted, bare_room *room);

#endif
