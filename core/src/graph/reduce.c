/* Transitive reduction: the edges that follow from others.
 *
 * Nodes are renumbered by their place in an order, and the edges of each node sorted by it. Then an
 * edge is redundant exactly if an earlier edge of the same node leads to something that reaches its
 * end. Reachability is kept as bits, for 512 ends at a time (one cache line a node): only nodes
 * between the first dependency of these ends and the last of them matter, so that a graph whose
 * edges do not leap far costs little more than a look at each edge.
 */
#include "graph/reach.h"

#define REDUCE_WORDS 8
#define REDUCE_ENDS (64 * REDUCE_WORDS)

typedef struct reduce_bits {
    uint64_t word[REDUCE_WORDS];
} reduce_bits;

/* The graph with places for nodes. */
typedef struct reduce {
    int32_t node_count;
    int32_t *place;  /* of each node */
    int32_t *start;  /* of the edges of each place */
    int32_t *end;    /* where each edge leads, ascending for each start */
    int32_t *edge;   /* its place in out_node */
    int32_t *before; /* the earliest dependency of each place with more than one, or itself */
    reduce_bits *reached;
} reduce;

/* The edges by their ends: where each starts, and its place in out_node. next has node_count
 * elements. */
static void edges_by_end(const sw__graph *graph, int32_t *from, int32_t *edge, int32_t *next)
{
    for (int32_t node = 0; node < graph->node_count; node++)
        next[node] = graph->in_start[node];
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t slot = next[graph->out_node[i]]++;
            from[slot] = node;
            edge[slot] = i;
        }
    }
}

/* The earliest place of the dependencies of a node with more than one; its own for others, because
 * nothing else can lead to an end with a single edge. */
static int32_t place_before(const sw__graph *graph, int32_t node, const int32_t *place, int32_t at)
{
    int32_t begin = graph->in_start[node], end = graph->in_start[node + 1];
    for (int32_t i = begin; end - begin > 1 && i < end; i++)
        at = place[graph->in_node[i]] < at ? place[graph->in_node[i]] : at;
    return at;
}

/* Ends come up in their order, so that each start gets them sorted. */
static void reduce_edges(reduce *work, const sw__graph *graph, const int32_t *order,
                         const int32_t *from, const int32_t *edge)
{
    for (int32_t at = 0; at < work->node_count; at++) {
        int32_t node = order[at];
        work->start[at + 1] = work->start[at] + graph->out_start[node + 1] - graph->out_start[node];
    }
    for (int32_t at = 0; at < work->node_count; at++) {
        int32_t node = order[at];
        work->before[at] = place_before(graph, node, work->place, at);
        for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++) {
            int32_t first = work->place[from[i]], slot = work->start[first]++;
            work->end[slot] = at;
            work->edge[slot] = edge[i];
        }
    }
    for (int32_t at = work->node_count; at > 0; at--)
        work->start[at] = work->start[at - 1];
    work->start[0] = 0;
}

static bool reduce_init(reduce *work, sw__arena *scratch, const sw__graph *graph,
                        const int32_t *order)
{
    size_t nodes = (size_t)graph->node_count, edges = (size_t)graph->edge_count;
    int32_t *from = sw__arena_array(scratch, edges, sizeof(int32_t));
    int32_t *edge = sw__arena_array(scratch, edges, sizeof(int32_t));
    *work = (reduce){
        .node_count = graph->node_count,
        .place = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .start = sw__arena_array(scratch, nodes + 1, sizeof(int32_t)),
        .end = sw__arena_array(scratch, edges, sizeof(int32_t)),
        .edge = sw__arena_array(scratch, edges, sizeof(int32_t)),
        .before = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .reached = sw__arena_array(scratch, nodes, sizeof(reduce_bits)),
    };
    if (!from || !edge || !work->place || !work->start || !work->end || !work->edge ||
        !work->before || !work->reached)
        return false;
    edges_by_end(graph, from, edge, work->before);
    for (int32_t at = 0; at < graph->node_count; at++)
        work->place[order[at]] = at;
    reduce_edges(work, graph, order, from, edge);
    return true;
}

/* Which of the ends first..last the node at a place reaches; edges of it that lead to one that an
 * earlier edge leads to as well are redundant. */
static int32_t reduce_place(reduce *work, int32_t at, int32_t first, int32_t last,
                            uint8_t *redundant)
{
    reduce_bits reached = {{0}};
    int32_t found = 0;
    for (int32_t i = work->start[at]; i < work->start[at + 1] && work->end[i] < last; i++) {
        int32_t end = work->end[i];
        if (end >= first) {
            uint64_t *word = &reached.word[(end - first) / 64];
            uint64_t bit = UINT64_C(1) << ((end - first) & 63);
            if (*word & bit) {
                redundant[work->edge[i]] = 1;
                found++;
                continue;
            }
            *word |= bit;
        }
        for (int k = 0; k < REDUCE_WORDS; k++)
            reached.word[k] |= work->reached[end].word[k];
    }
    work->reached[at] = reached;
    return found;
}

int32_t sw__graph_redundant(sw__arena *scratch, const sw__graph *graph, const int32_t *order,
                            uint8_t *redundant)
{
    reduce work;
    int32_t found = 0;
    if (!reduce_init(&work, scratch, graph, order))
        return SW_ENOMEM;
    for (int32_t first = 0; first < graph->node_count; first += REDUCE_ENDS) {
        int32_t last =
            graph->node_count - first < REDUCE_ENDS ? graph->node_count : first + REDUCE_ENDS;
        int32_t lowest = first;
        for (int32_t at = first; at < last; at++)
            lowest = work.before[at] < lowest ? work.before[at] : lowest;
        for (int32_t at = last - 1; at >= lowest; at--)
            found += reduce_place(&work, at, first, last, redundant);
    }
    return found;
}

int64_t sw__graph_reduce_effort(const sw__graph *graph, const int32_t *order, int32_t *place,
                                int32_t *edges)
{
    int64_t effort = 0;
    edges[0] = 0;
    for (int32_t at = 0; at < graph->node_count; at++) {
        int32_t node = order[at];
        place[node] = at;
        edges[at + 1] = edges[at] + graph->out_start[node + 1] - graph->out_start[node];
    }
    for (int32_t first = 0; first < graph->node_count; first += REDUCE_ENDS) {
        int32_t last =
            graph->node_count - first < REDUCE_ENDS ? graph->node_count : first + REDUCE_ENDS;
        int32_t lowest = first;
        for (int32_t at = first; at < last; at++) {
            int32_t earliest = place_before(graph, order[at], place, at);
            lowest = earliest < lowest ? earliest : lowest;
        }
        effort += edges[last] - edges[lowest];
    }
    return effort;
}
