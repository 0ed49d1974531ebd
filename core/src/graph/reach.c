/* Reachability: breadth-first for a few nodes; for many, 64 at once along an order.
 *
 * Not here: which direction is meant; callers turn the graph round (sw__graph_reversed).
 */
#include "graph/reach.h"

#define REACH_AHEAD_START 8 /* nodes of the queue to look ahead */
#define REACH_AHEAD_EDGES 4
#define REACH_NEAR_MAX 16384 /* nodes whose edges stay in the nearest caches by themselves */

static inline uint64_t bit_of(int32_t node)
{
    return UINT64_C(1) << (node & 63);
}

/* Put the neighbours of a node that are new behind the end of the queue. few: by a jump; otherwise
 * every neighbour is written there and stays if it is new (order.c says when which is faster). */
static inline int32_t neighbours_mark(const sw__graph *graph, int32_t node, uint64_t *restrict bits,
                                      int32_t *restrict queue, int32_t tail, bool few)
{
    int32_t end = graph->out_start[node + 1];
    for (int32_t i = graph->out_start[node]; i < end; i++) {
        int32_t to = graph->out_node[i];
        uint64_t word = bits[to >> 6];
        bool known = word & bit_of(to);
        if (few && known)
            continue;
        queue[tail] = to;
        tail += few || !known;
        bits[to >> 6] = word | bit_of(to);
    }
    return tail;
}

static inline int32_t search_run(const sw__graph *graph, int32_t source, uint64_t *restrict bits,
                                 int32_t *restrict queue, bool few)
{
    int32_t head = 0, tail = neighbours_mark(graph, source, bits, queue, 0, few);
    bool far = graph->node_count > REACH_NEAR_MAX;
    while (head < tail) {
        if (far && head + REACH_AHEAD_START < tail) {
            int32_t edges = graph->out_start[queue[head + REACH_AHEAD_EDGES]];
            __builtin_prefetch(&graph->out_start[queue[head + REACH_AHEAD_START]]);
            __builtin_prefetch(&graph->out_node[edges]);
        }
        tail = neighbours_mark(graph, queue[head++], bits, queue, tail, few);
    }
    return tail;
}

int32_t sw__graph_search(const sw__graph *graph, int32_t source, uint64_t *bits, int32_t *queue)
{
    return graph->edge_count / 2 <= graph->node_count
               ? search_run(graph, source, bits, queue, true)
               : search_run(graph, source, bits, queue, false);
}

/* Turn a square of 64 x 64 bits over its diagonal, by halves, quarters and so on. */
static void square_turn(uint64_t square[64])
{
    uint64_t mask = UINT64_C(0x00000000ffffffff);
    for (int width = 32; width > 0; width >>= 1, mask ^= mask << width) {
        for (int row = 0; row < 64; row = ((row | width) + 1) & ~width) {
            uint64_t moved = (square[row] >> width ^ square[row | width]) & mask;
            square[row] ^= moved << width;
            square[row | width] ^= moved;
        }
    }
}

/* Let up to 64 sources flow along the order: bit s of from[node] says that source s leads to it. */
static void sources_flow(const sw__graph *graph, const int32_t *order, const int32_t *sources,
                         size_t count, uint64_t *from)
{
    for (int32_t node = 0; node < graph->node_count; node++)
        from[node] = 0;
    for (size_t i = 0; i < count; i++)
        from[sources[i]] |= UINT64_C(1) << i;
    for (int32_t at = 0; at < graph->node_count; at++) {
        int32_t node = order[at];
        if (from[node] == 0)
            continue;
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++)
            from[graph->out_node[i]] |= from[node];
    }
    /* No node without a cycle reaches itself. The same source may be given twice. */
    for (size_t i = 0; i < count; i++)
        from[sources[i]] &= ~(UINT64_C(1) << i);
}

/* Write what the sources reach into their rows of bits. */
static void sources_write(const sw__graph *graph, const uint64_t *from, size_t count,
                          uint64_t *bits, int32_t *counts)
{
    size_t words = sw__words(graph->node_count);
    for (size_t word = 0; word < words; word++) {
        uint64_t square[64] = {0};
        for (size_t i = 0; i < 64 && word * 64 + i < (size_t)graph->node_count; i++)
            square[i] = from[word * 64 + i];
        square_turn(square);
        for (size_t i = 0; i < count; i++) {
            bits[i * words + word] = square[i];
            counts[i] += __builtin_popcountll(square[i]);
        }
    }
}

int sw__graph_reach(sw__arena *scratch, const sw__graph *graph, const int32_t *order,
                    const int32_t *sources, size_t source_count, uint64_t *bits, int32_t *counts)
{
    size_t words = sw__words(graph->node_count), nodes = (size_t)graph->node_count;
    if (!order || source_count <= SW__REACH_FEW) {
        int32_t *queue = sw__arena_array_raw(scratch, nodes + 1, sizeof(int32_t));
        if (!queue)
            return SW_ENOMEM;
        for (size_t i = 0; i < source_count; i++)
            counts[i] = sw__graph_search(graph, sources[i], bits + i * words, queue);
        return SW_OK;
    }
    uint64_t *from = sw__arena_array_raw(scratch, nodes, sizeof(uint64_t));
    if (!from)
        return SW_ENOMEM;
    for (size_t i = 0; i < source_count; i += 64) {
        size_t count = source_count - i < 64 ? source_count - i : 64;
        sources_flow(graph, order, sources + i, count, from);
        sources_write(graph, from, count, bits + i * words, counts + i);
    }
    return SW_OK;
}
