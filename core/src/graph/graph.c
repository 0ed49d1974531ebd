/* Dependency graphs: compressed rows by counting sort, Kahn's order, a short cycle, levels.
 *
 * Every pass is a loop over the arrays, so the depth of a graph costs no stack. Scratch arrays
 * live in an arena of their own that dies with the call: the caller's arena may be a definition's
 * and live for days. Not here: what a node is; names and messages belong to the model.
 */
#include "graph/graph.h"

#include <stdbool.h>

#include "base/error.h"

/* The candidates for the next place in the order, as a binary heap of keys with the smallest on
 * top. A key is the inverted priority above the number of the node, so that one comparison
 * answers both questions. */
typedef struct graph_heap {
    uint64_t *keys;
    size_t count;
} graph_heap;

static int edge_check(int32_t node_count, int32_t from, int32_t to, size_t row, sw_error *err)
{
    if (from < 0 || from >= node_count)
        return sw__fail_row(err, SW_EINVAL, row, "edge %zu starts at node %d, but there are %d",
                            row, from, node_count);
    if (to < 0 || to >= node_count)
        return sw__fail_row(err, SW_EINVAL, row, "edge %zu ends at node %d, but there are %d", row,
                            to, node_count);
    if (from == to)
        return sw__fail_row(err, SW_EINVAL, row, "edge %zu leads from node %d to itself", row,
                            from);
    return SW_OK;
}

/* Counting sort of one column: rows of edges grouped by key, in their own order inside a group.
 * start gets node_count + 1 elements; sorted[] is the other column, and rows[] (may be NULL) the
 * number of the edge. */
static void edges_group(int32_t node_count, const int32_t *key, const int32_t *other,
                        size_t edge_count, int32_t *start, int32_t *sorted, int32_t *rows)
{
    for (size_t i = 0; i < edge_count; i++)
        start[key[i] + 1]++;
    for (int32_t node = 0; node < node_count; node++)
        start[node + 1] += start[node];
    for (size_t i = 0; i < edge_count; i++) {
        int32_t slot = start[key[i]]++;
        sorted[slot] = other[i];
        if (rows)
            rows[slot] = (int32_t)i;
    }
    /* Filling moved every start to its successor's place. */
    for (int32_t node = node_count; node > 0; node--)
        start[node] = start[node - 1];
    start[0] = 0;
}

/* The lowest row that repeats an earlier edge, or -1. mark has node_count zeroed elements. */
static int64_t edge_repeated(const sw__graph *graph, const int32_t *rows, int32_t *mark)
{
    int64_t repeated = -1;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t to = graph->out_node[i];
            if (mark[to] == node + 1 && (repeated < 0 || rows[i] < repeated))
                repeated = rows[i];
            mark[to] = node + 1;
        }
    }
    return repeated;
}

static int graph_fill(sw__arena *arena, sw__arena *scratch, const int32_t *from, const int32_t *to,
                      sw__graph *graph, sw_error *err)
{
    size_t nodes = (size_t)graph->node_count, edges = (size_t)graph->edge_count;
    int32_t *out_start = sw__arena_array(arena, nodes + 1, sizeof(int32_t));
    int32_t *out_node = sw__arena_array(arena, edges, sizeof(int32_t));
    int32_t *in_start = sw__arena_array(arena, nodes + 1, sizeof(int32_t));
    int32_t *in_node = sw__arena_array(arena, edges, sizeof(int32_t));
    int32_t *rows = sw__arena_array(scratch, edges, sizeof(int32_t));
    int32_t *mark = sw__arena_array(scratch, nodes, sizeof(int32_t));
    if (!out_start || !out_node || !in_start || !in_node || !rows || !mark)
        return sw__fail(err, SW_ENOMEM, NULL);

    edges_group(graph->node_count, from, to, edges, out_start, out_node, rows);
    edges_group(graph->node_count, to, from, edges, in_start, in_node, NULL);
    graph->out_start = out_start;
    graph->out_node = out_node;
    graph->in_start = in_start;
    graph->in_node = in_node;

    int64_t row = edge_repeated(graph, rows, mark);
    if (row >= 0)
        return sw__fail_row(err, SW_EINVAL, (size_t)row,
                            "edge %lld from node %d to %d is given twice", (long long)row,
                            from[row], to[row]);
    return SW_OK;
}

int sw__graph_build(sw__arena *arena, int32_t node_count, const int32_t *from, const int32_t *to,
                    size_t edge_count, sw__graph *out, sw_error *err)
{
    *out = (sw__graph){0};
    if (node_count < 0)
        return sw__fail(err, SW_EINVAL, "a graph cannot have %d nodes", node_count);
    if (node_count == INT32_MAX || edge_count >= INT32_MAX)
        return sw__fail(err, SW_ELIMIT, "%zu edges are more than a graph can hold", edge_count);
    for (size_t i = 0; i < edge_count; i++) {
        int code = edge_check(node_count, from[i], to[i], i, err);
        if (code < 0)
            return code;
    }

    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__graph graph = {.node_count = node_count, .edge_count = (int32_t)edge_count};
    int code = graph_fill(arena, scratch, from, to, &graph, err);
    if (code == SW_OK)
        *out = graph;
    sw__arena_free(scratch);
    return code;
}

static uint64_t graph_heap_key(const int32_t *priority, int32_t node)
{
    uint32_t rank = priority ? (uint32_t)priority[node] ^ 0x80000000u : 0;
    return (uint64_t)~rank << 32 | (uint32_t)node;
}

static void graph_heap_push(graph_heap *heap, uint64_t key)
{
    size_t at = heap->count++;
    while (at > 0 && heap->keys[(at - 1) / 2] > key) {
        heap->keys[at] = heap->keys[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->keys[at] = key;
}

static int32_t graph_heap_pop(graph_heap *heap)
{
    uint64_t top = heap->keys[0];
    uint64_t last = heap->keys[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && heap->keys[child + 1] < heap->keys[child])
            child++;
        if (heap->keys[child] >= last)
            break;
        heap->keys[at] = heap->keys[child];
        at = child;
    }
    heap->keys[at] = last;
    return (int32_t)(uint32_t)top;
}

/* Kahn's algorithm. open gets the number of unplaced predecessors of each node; what is left above
 * zero lies on a cycle or behind one. Returns how many nodes found a place. */
static int32_t nodes_place(const sw__graph *graph, const int32_t *priority, int32_t *open,
                           uint64_t *keys, int32_t *order)
{
    graph_heap heap = {.keys = keys};
    for (int32_t node = 0; node < graph->node_count; node++) {
        open[node] = graph->in_start[node + 1] - graph->in_start[node];
        if (open[node] == 0)
            graph_heap_push(&heap, graph_heap_key(priority, node));
    }
    int32_t placed = 0;
    while (heap.count > 0) {
        int32_t node = graph_heap_pop(&heap);
        order[placed++] = node;
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t to = graph->out_node[i];
            if (--open[to] == 0)
                graph_heap_push(&heap, graph_heap_key(priority, to));
        }
    }
    return placed;
}

/* A node on a cycle: every unplaced node has an unplaced predecessor, so that walking backwards
 * must come to a node for the second time. seen has node_count zeroed elements. */
static int32_t cycle_node(const sw__graph *graph, const int32_t *open, bool *seen)
{
    int32_t node = 0;
    while (open[node] == 0)
        node++;
    while (!seen[node]) {
        seen[node] = true;
        int32_t i = graph->in_start[node];
        while (open[graph->in_node[i]] == 0)
            i++;
        node = graph->in_node[i];
    }
    return node;
}

/* Breadth-first from start until an edge leads back to it: the last node of a shortest cycle
 * through start. parent gets the way there, -1 where the search has not been. */
static int32_t cycle_search(const sw__graph *graph, const int32_t *open, int32_t start,
                            int32_t *parent, int32_t *queue)
{
    for (int32_t node = 0; node < graph->node_count; node++)
        parent[node] = -1;
    int32_t head = 0, tail = 0;
    queue[tail++] = start;
    while (head < tail) {
        int32_t node = queue[head++];
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t to = graph->out_node[i];
            if (to == start)
                return node;
            if (open[to] > 0 && parent[to] < 0) {
                parent[to] = node;
                queue[tail++] = to;
            }
        }
    }
    return start; /* unreachable: start lies on a cycle */
}

/* Write the nodes from start to last, the lowest number first, so that the same cycle reads the
 * same wherever the search came upon it. */
static int cycle_write(sw__arena *arena, int32_t start, int32_t last, const int32_t *parent,
                       int32_t **cycle, int32_t *cycle_count)
{
    int32_t count = 1, lowest_at = 0, lowest = start;
    for (int32_t node = last; node != start; node = parent[node])
        count++;
    int32_t at = count - 1;
    for (int32_t node = last; node != start; node = parent[node], at--) {
        if (node < lowest) {
            lowest = node;
            lowest_at = at;
        }
    }
    int32_t *nodes = sw__arena_array(arena, (size_t)count, sizeof(int32_t));
    if (!nodes)
        return SW_ENOMEM;
    at = count - 1;
    for (int32_t node = last; at >= 0; node = parent[node], at--)
        nodes[(at - lowest_at + count) % count] = node;
    *cycle = nodes;
    *cycle_count = count;
    return SW_OK;
}

static int cycle_find(sw__arena *arena, sw__arena *scratch, const sw__graph *graph,
                      const int32_t *open, int32_t **cycle, int32_t *cycle_count)
{
    size_t nodes = (size_t)graph->node_count;
    bool *seen = sw__arena_array(scratch, nodes, sizeof(bool));
    int32_t *parent = sw__arena_array(scratch, nodes, sizeof(int32_t));
    int32_t *queue = sw__arena_array(scratch, nodes, sizeof(int32_t));
    if (!seen || !parent || !queue)
        return SW_ENOMEM;
    int32_t start = cycle_node(graph, open, seen);
    int32_t last = cycle_search(graph, open, start, parent, queue);
    return cycle_write(arena, start, last, parent, cycle, cycle_count);
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
    int32_t *open = sw__arena_array(scratch, nodes, sizeof(int32_t));
    uint64_t *keys = sw__arena_array(scratch, nodes, sizeof(uint64_t));
    if (!open || !keys)
        goto done;
    code = SW_OK;
    if (nodes_place(graph, priority, open, keys, order) == graph->node_count)
        goto done;
    code = cycle_find(arena, scratch, graph, open, cycle, cycle_count);
    if (code == SW_OK)
        code = SW_EDEFINITION;
done:
    sw__arena_free(scratch);
    return code;
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
