/* Short cycles: one that is cheap to find, and the shortest of a knot.
 *
 * Not here: which nodes are on cycles at all (knot.c).
 */
#include "graph/knots.h"

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

int sw__graph_cycle(sw__arena *arena, const sw__graph *graph, const int32_t *open, int32_t **cycle,
                    int32_t *cycle_count)
{
    size_t nodes = (size_t)graph->node_count;
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return SW_ENOMEM;
    int code = SW_ENOMEM;
    bool *seen = sw__arena_array(scratch, nodes, sizeof(bool));
    int32_t *parent = sw__arena_array(scratch, nodes, sizeof(int32_t));
    int32_t *queue = sw__arena_array(scratch, nodes, sizeof(int32_t));
    if (seen && parent && queue) {
        int32_t start = cycle_node(graph, open, seen);
        int32_t last = cycle_search(graph, open, start, parent, queue);
        code = cycle_write(arena, start, last, parent, cycle, cycle_count);
    }
    sw__arena_free(scratch);
    return code;
}

/* A search for a cycle through start that is shorter than best, among start and higher nodes:
 * cycles through lower ones were looked for before. */
typedef struct girth {
    const sw__graph *graph;
    int32_t *parent;
    int32_t *depth; /* from start */
    int32_t *seen;  /* start + 1 of the search that was here last */
    int32_t *queue;
    int32_t best;
    int64_t effort;
} girth;

/* The node from which an edge closes such a cycle, or -1. */
static int32_t girth_search(girth *search, int32_t start)
{
    const sw__graph *graph = search->graph;
    int32_t head = 0, tail = 0;
    search->queue[tail++] = start;
    search->depth[start] = 1;
    while (head < tail) {
        int32_t node = search->queue[head++];
        if (search->depth[node] >= search->best)
            return -1;
        int32_t end = graph->out_start[node + 1];
        search->effort -= end - graph->out_start[node];
        for (int32_t i = graph->out_start[node]; i < end; i++) {
            int32_t to = graph->out_node[i];
            if (to == start)
                return node;
            if (to < start || search->seen[to] == start + 1)
                continue;
            search->seen[to] = start + 1;
            search->parent[to] = node;
            search->depth[to] = search->depth[node] + 1;
            search->queue[tail++] = to;
        }
    }
    return -1;
}

static void girth_keep(girth *search, int32_t start, int32_t last, int32_t *cycle)
{
    search->best = search->depth[last];
    for (int32_t at = search->best - 1, node = last; at > 0; at--, node = search->parent[node])
        cycle[at] = node;
    cycle[0] = start;
}

int32_t sw__graph_girth(sw__arena *scratch, const sw__graph *graph, int64_t *effort, int32_t *cycle,
                        int32_t *shortest)
{
    size_t nodes = (size_t)graph->node_count;
    girth search = {
        .graph = graph,
        .parent = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .depth = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .seen = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .queue = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .best = INT32_MAX,
        .effort = *effort,
    };
    if (!search.parent || !search.depth || !search.seen || !search.queue)
        return SW_ENOMEM;
    /* As many edges as nodes: the knot is one cycle, and the first search has found it. */
    bool simple = graph->edge_count == graph->node_count;
    int32_t start = 0;
    for (; start < graph->node_count && search.best > 2; start++) {
        if (start > 0 && (simple || search.effort <= 0))
            break;
        int32_t last = girth_search(&search, start);
        if (last >= 0)
            girth_keep(&search, start, last, cycle);
    }
    *shortest = simple || search.best == 2 || start == graph->node_count;
    *effort = search.effort;
    return search.best;
}
