/* Reachability: breadth-first for a few nodes; for many, 64 at once along an order.
 *
 * Not here: which direction is meant; callers turn the graph round (sw__graph_reversed).
 */
#include "graph/reach.h"

#define REACH_AHEAD_START 8 /* nodes of the queue to look ahead */
#define REACH_AHEAD_EDGES 4

static inline uint64_t bit_of(int32_t node)
{
    return UINT64_C(1) << (node & 63);
}

/* Every neighbour is written behind the end of the queue, and stays there if it is new. */
int32_t sw__graph_search(const sw__graph *graph, int32_t source, uint64_t *bits, int32_t *queue)
{
    int32_t head = 0, tail = 0;
    for (int32_t node = source;; node = queue[head++]) {
        if (head + REACH_AHEAD_START < tail)
            __builtin_prefetch(&graph->out_start[queue[head + REACH_AHEAD_START]]);
        if (head + REACH_AHEAD_EDGES < tail)
            __builtin_prefetch(&graph->out_node[graph->out_start[queue[head + REACH_AHEAD_EDGES]]]);
        int32_t end = graph->out_start[node + 1];
        for (int32_t i = graph->out_start[node]; i < end; i++) {
            int32_t to = graph->out_node[i];
            uint64_t word = bits[to >> 6];
            queue[tail] = to;
            tail += (word & bit_of(to)) == 0;
            bits[to >> 6] = word | bit_of(to);
        }
        if (head == tail)
            return tail;
    }
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
        int32_t *queue = sw__arena_array(scratch, nodes + 1, sizeof(int32_t));
        if (!queue)
            return SW_ENOMEM;
        for (size_t i = 0; i < source_count; i++)
            counts[i] = sw__graph_search(graph, sources[i], bits + i * words, queue);
        return SW_OK;
    }
    uint64_t *from = sw__arena_array(scratch, nodes, sizeof(uint64_t));
    if (!from)
        return SW_ENOMEM;
    for (size_t i = 0; i < source_count; i += 64) {
        size_t count = source_count - i < 64 ? source_count - i : 64;
        sources_flow(graph, order, sources + i, count, from);
        sources_write(graph, from, count, bits + i * words, counts + i);
    }
    return SW_OK;
}
