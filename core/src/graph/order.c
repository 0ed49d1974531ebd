/* Orders of a graph: by priority and number, by level at the speed of memory, and what follows from
 * an order.
 *
 * Both orders are Kahn's algorithm; they differ in which of the nodes that could come next does.
 * Not here: the cycle that keeps a graph from having an order (cycle.c).
 */
#include "graph/graph.h"

#include "graph/knots.h"
#include "graph/ranks.h"

/* How far ahead in the order the three prefetches of order_run look. Each needs the answer
 * of the one before it. */
#define ORDER_AHEAD_START 24
#define ORDER_AHEAD_EDGES 16
#define ORDER_AHEAD_COUNTERS 8
#define ORDER_NEAR_MAX 16384 /* nodes whose counters stay in the nearest caches by themselves */

/* Nodes by falling priority, then by number, and the place of each among them. */
static bool nodes_rank(sw__arena *scratch, int32_t node_count, const int32_t *priority,
                       int32_t **by_rank, int32_t **rank)
{
    uint64_t *keys = sw__arena_array(scratch, (size_t)node_count, sizeof(uint64_t));
    if (!keys)
        return false;
    for (int32_t node = 0; node < node_count; node++)
        keys[node] = ~((uint32_t)priority[node] ^ UINT32_C(0x80000000));
    return sw__keys_rank(scratch, keys, node_count, by_rank, rank);
}

/* Place the best candidate again and again. open gets the number of unplaced predecessors of each
 * node; what is left above zero lies on a cycle or behind one. by_rank and rank are NULL where the
 * number of a node is its rank. Returns how many nodes found a place. */
static int32_t nodes_place(const sw__graph *graph, const int32_t *by_rank, const int32_t *rank,
                           sw__ranks *candidates, int32_t *open, int32_t *order)
{
    for (int32_t node = 0; node < graph->node_count; node++) {
        open[node] = graph->in_start[node + 1] - graph->in_start[node];
        if (open[node] == 0)
            sw__ranks_put(candidates, (uint32_t)(rank ? rank[node] : node));
    }
    int32_t placed = 0;
    while (!sw__ranks_empty(candidates)) {
        int32_t node = (int32_t)sw__ranks_take_least(candidates);
        if (by_rank)
            node = by_rank[node];
        order[placed++] = node;
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t to = graph->out_node[i];
            if (--open[to] == 0)
                sw__ranks_put(candidates, (uint32_t)(rank ? rank[to] : to));
        }
    }
    return placed;
}

int sw__graph_order(sw__arena *arena, const sw__graph *graph, const int32_t *priority,
                    int32_t *order, int32_t **cycle, int32_t *cycle_count)
{
    *cycle = NULL;
    *cycle_count = 0;
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return SW_ENOMEM;

    int code = SW_ENOMEM;
    size_t nodes = (size_t)graph->node_count;
    int32_t *by_rank = NULL, *rank = NULL;
    sw__ranks candidates;
    int32_t *open = sw__arena_array(scratch, nodes, sizeof(int32_t));
    if (!open || !sw__ranks_init(&candidates, scratch, nodes) ||
        (priority && !nodes_rank(scratch, graph->node_count, priority, &by_rank, &rank)))
        goto done;
    code = SW_OK;
    if (nodes_place(graph, by_rank, rank, &candidates, open, order) < graph->node_count)
        code = sw__graph_cycle(arena, graph, open, cycle, cycle_count);
    if (code == SW_OK && *cycle)
        code = SW_EDEFINITION;
done:
    sw__arena_free(scratch);
    return code;
}

/* How the end of a dependency is looked at. GUESS: by a jump, which costs next to nothing where it
 * always goes the same way, as in chains and trees. ADD: a dependent is written behind the end of
 * the order in any case, and stays there if this was its last open dependency; that costs less
 * than jumps which go this way and that. There is always room to write, because the last place is
 * taken only with the last edge. */
typedef enum order_way { ORDER_GUESS, ORDER_ADD } order_way;

static inline int32_t node_release(const sw__graph *graph, int32_t node, int32_t *restrict open,
                                   int32_t *restrict order, int32_t tail, order_way way)
{
    int32_t end = graph->out_start[node + 1];
    for (int32_t i = graph->out_start[node]; i < end; i++) {
        int32_t to = graph->out_node[i];
        if (way == ORDER_ADD) {
            order[tail] = to;
            tail += --open[to] == 0;
        } else if (--open[to] == 0) {
            order[tail++] = to;
        }
    }
    return tail;
}

static inline void counters_prefetch(const sw__graph *graph, int32_t node, const int32_t *open)
{
    int32_t end = graph->out_start[node + 1];
    for (int32_t i = graph->out_start[node]; i < end; i++)
        __builtin_prefetch(&open[graph->out_node[i]], 1);
}

/* The order is its own queue. far: nodes to come are brought near, first where their edges start,
 * then their edges, then the counters of their dependents. */
static inline int32_t order_run(const sw__graph *graph, int32_t *restrict open,
                                int32_t *restrict order, int32_t tail, order_way way, bool far)
{
    for (int32_t head = 0; head < tail; head++) {
        if (far && head + ORDER_AHEAD_START < tail) {
            int32_t edges = graph->out_start[order[head + ORDER_AHEAD_EDGES]];
            __builtin_prefetch(&graph->out_start[order[head + ORDER_AHEAD_START]]);
            __builtin_prefetch(&graph->out_node[edges]);
            counters_prefetch(graph, order[head + ORDER_AHEAD_COUNTERS], open);
        }
        tail = node_release(graph, order[head], open, order, tail, way);
    }
    return tail;
}

int32_t sw__graph_order_levels(const sw__graph *graph, int32_t *open, int32_t *order)
{
    int32_t tail = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        open[node] = graph->in_start[node + 1] - graph->in_start[node];
        if (open[node] == 0)
            order[tail++] = node;
    }
    /* In a graph with few edges most nodes have one dependency, and the end of it is their turn. */
    bool few = graph->edge_count / 2 <= graph->node_count;
    bool far = graph->node_count > ORDER_NEAR_MAX;
    if (few)
        return far ? order_run(graph, open, order, tail, ORDER_GUESS, true)
                   : order_run(graph, open, order, tail, ORDER_GUESS, false);
    return far ? order_run(graph, open, order, tail, ORDER_ADD, true)
               : order_run(graph, open, order, tail, ORDER_ADD, false);
}

void sw__graph_levels(const sw__graph *graph, const int32_t *order, int32_t *levels)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        int32_t node = order[i], level = 0;
        for (int32_t k = graph->in_start[node]; k < graph->in_start[node + 1]; k++) {
            int32_t above = levels[graph->in_node[k]] + 1;
            if (above > level)
                level = above;
        }
        levels[node] = level;
    }
}

void sw__graph_shortest(const sw__graph *graph, const int32_t *order, int32_t *shortest)
{
    for (int32_t i = 0; i < graph->node_count; i++) {
        int32_t node = order[i], begin = graph->in_start[node], end = graph->in_start[node + 1];
        int32_t distance = begin == end ? 0 : INT32_MAX;
        for (int32_t k = begin; k < end; k++) {
            int32_t above = shortest[graph->in_node[k]] + 1;
            if (above < distance)
                distance = above;
        }
        shortest[node] = distance;
    }
}

/* Give a number to the neighbours of a node that have none yet, and queue them. */
static int32_t neighbours_join(const int32_t *start, const int32_t *neighbour, int32_t node,
                               int32_t number, int32_t *component, int32_t *queue, int32_t tail)
{
    for (int32_t i = start[node]; i < start[node + 1]; i++) {
        if (component[neighbour[i]] < 0) {
            component[neighbour[i]] = number;
            queue[tail++] = neighbour[i];
        }
    }
    return tail;
}

int32_t sw__graph_components(const sw__graph *graph, int32_t *component, int32_t *queue)
{
    int32_t count = 0;
    for (int32_t node = 0; node < graph->node_count; node++)
        component[node] = -1;
    for (int32_t first = 0; first < graph->node_count; first++) {
        if (component[first] >= 0)
            continue;
        int32_t head = 0, tail = 0;
        component[first] = count;
        queue[tail++] = first;
        while (head < tail) {
            int32_t node = queue[head++];
            tail = neighbours_join(graph->out_start, graph->out_node, node, count, component, queue,
                                   tail);
            tail = neighbours_join(graph->in_start, graph->in_node, node, count, component, queue,
                                   tail);
        }
        count++;
    }
    return count;
}
