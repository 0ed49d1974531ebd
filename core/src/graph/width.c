/* The width of a graph: a maximum antichain.
 *
 * By Dilworth's theorem it has as many nodes as the fewest chains that cover the graph, where a
 * chain may leap over nodes of other chains. Every node is the upper end of one link at most and
 * the lower end of one at most; each link makes one chain of two, so that the fewest chains come
 * from the most links: a maximum matching on the transitive closure. The closure is not built.
 * Instead a link is a unit of flow that enters at the upper half of a node, passes edges as it
 * likes (through lower halves into upper halves again) and leaves at a lower half. The flow is
 * enlarged along shortest paths, all of one length in a phase (Dinic 1970). When no path is left,
 * the nodes whose upper half can still be reached and whose lower half cannot are an antichain
 * (Koenig 1931).
 *
 * Halves are numbered: upper half of node v is v, lower half node_count + v.
 */
#include "graph/width.h"

typedef struct width_work {
    const sw__graph *graph;
    int32_t nodes;
    int32_t *by_end_from; /* edges by their ends: the start of each, */
    int32_t *by_end_edge; /* and its place in out_node */
    int32_t *flow;        /* on each edge */
    int32_t *passing;     /* from the lower half of a node to its upper half */
    bool *used_upper;     /* whether the node has a link downwards */
    bool *used_lower;
    int32_t *depth; /* of each half in this phase, -1: not reached */
    int32_t *next;  /* way out of each half that is tried next */
    int32_t *queue; /* and the path of a search */
    int64_t effort;
} width_work;

static bool width_init(width_work *work, sw__arena *scratch, const sw__graph *graph, int64_t effort)
{
    size_t nodes = (size_t)graph->node_count, edges = (size_t)graph->edge_count;
    *work = (width_work){
        .graph = graph,
        .nodes = graph->node_count,
        .by_end_from = sw__arena_array(scratch, edges, sizeof(int32_t)),
        .by_end_edge = sw__arena_array(scratch, edges, sizeof(int32_t)),
        .flow = sw__arena_array(scratch, edges, sizeof(int32_t)),
        .passing = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .used_upper = sw__arena_array(scratch, nodes, sizeof(bool)),
        .used_lower = sw__arena_array(scratch, nodes, sizeof(bool)),
        .depth = sw__arena_array(scratch, 2 * nodes, sizeof(int32_t)),
        .next = sw__arena_array(scratch, 2 * nodes, sizeof(int32_t)),
        .queue = sw__arena_array(scratch, 2 * nodes, sizeof(int32_t)),
        .effort = effort,
    };
    return work->by_end_from && work->by_end_edge && work->flow && work->passing &&
           work->used_upper && work->used_lower && work->depth && work->next && work->queue;
}

static void width_edges_by_end(width_work *work)
{
    const sw__graph *graph = work->graph;
    for (int32_t node = 0; node < work->nodes; node++)
        work->next[node] = graph->in_start[node];
    for (int32_t node = 0; node < work->nodes; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t slot = work->next[graph->out_node[i]]++;
            work->by_end_from[slot] = node;
            work->by_end_edge[slot] = i;
        }
    }
}

/* Link each node to the first dependent that has no link yet. Returns how many links there are. */
static int32_t width_greedy(width_work *work, const int32_t *order)
{
    const sw__graph *graph = work->graph;
    int32_t links = 0;
    for (int32_t at = 0; at < work->nodes; at++) {
        int32_t node = order[at], i = graph->out_start[node];
        while (i < graph->out_start[node + 1] && work->used_lower[graph->out_node[i]])
            i++;
        if (i == graph->out_start[node + 1])
            continue;
        work->flow[i] = 1;
        work->used_upper[node] = true;
        work->used_lower[graph->out_node[i]] = true;
        links++;
    }
    return links;
}

/* Way number `way` out of a half: where it leads, -1 if it is closed, -2 if there are no more.
 * Upper: along its edges, then back to its own lower half against flow. Lower: to its own upper
 * half, then back along edges with flow. */
static int32_t way_out(const width_work *work, int32_t half, int32_t way)
{
    const sw__graph *graph = work->graph;
    if (half < work->nodes) {
        int32_t i = graph->out_start[half] + way, end = graph->out_start[half + 1];
        if (i < end)
            return work->nodes + graph->out_node[i];
        if (i > end)
            return -2;
        return work->passing[half] > 0 ? work->nodes + half : -1;
    }
    int32_t node = half - work->nodes;
    if (way == 0)
        return node;
    int32_t i = graph->in_start[node] + way - 1;
    if (i >= graph->in_start[node + 1])
        return -2;
    return work->flow[work->by_end_edge[i]] > 0 ? work->by_end_from[i] : -1;
}

/* One unit more on a way out. */
static void way_take(width_work *work, int32_t half, int32_t way)
{
    const sw__graph *graph = work->graph;
    if (half < work->nodes) {
        int32_t i = graph->out_start[half] + way;
        if (i < graph->out_start[half + 1])
            work->flow[i]++;
        else
            work->passing[half]--;
        return;
    }
    int32_t node = half - work->nodes;
    if (way == 0)
        work->passing[node]++;
    else
        work->flow[work->by_end_edge[graph->in_start[node] + way - 1]]--;
}

/* Depth of every half that nodes without a link downwards lead to. True when a free lower half is
 * among them. */
static bool width_phase(width_work *work)
{
    int32_t head = 0, tail = 0;
    bool found = false;
    for (int32_t half = 0; half < 2 * work->nodes; half++) {
        work->depth[half] = -1;
        work->next[half] = 0;
        if (half < work->nodes && !work->used_upper[half]) {
            work->depth[half] = 0;
            work->queue[tail++] = half;
        }
    }
    while (head < tail) {
        int32_t half = work->queue[head++];
        found = found || (half >= work->nodes && !work->used_lower[half - work->nodes]);
        for (int32_t way = 0, to; (to = way_out(work, half, way)) != -2; way++) {
            work->effort--;
            if (to < 0 || work->depth[to] >= 0)
                continue;
            work->depth[to] = work->depth[half] + 1;
            work->queue[tail++] = to;
        }
    }
    return found;
}

/* The next half on a path of this phase, or -1 when all ways out are tried. */
static int32_t path_step(width_work *work, int32_t half)
{
    for (;; work->next[half]++) {
        int32_t to = way_out(work, half, work->next[half]);
        work->effort--;
        if (to == -2)
            return -1;
        if (to >= 0 && work->depth[to] == work->depth[half] + 1)
            return to;
    }
}

/* Find a path from the upper half of a node to a free lower half, and a unit of flow along it. */
static bool path_find(width_work *work, int32_t start)
{
    int32_t *path = work->queue, length = 0;
    path[length++] = start;
    while (length > 0) {
        int32_t half = path[length - 1];
        if (half >= work->nodes && !work->used_lower[half - work->nodes]) {
            work->used_upper[start] = true;
            work->used_lower[half - work->nodes] = true;
            for (int32_t i = 0; i < length - 1; i++)
                way_take(work, path[i], work->next[path[i]]);
            return true;
        }
        int32_t to = path_step(work, half);
        if (to >= 0) {
            path[length++] = to;
        } else if (--length > 0) {
            work->next[path[length - 1]]++;
        }
    }
    return false;
}

static int32_t *level_widest(sw__arena *arena, const int32_t *levels, int32_t node_count,
                             int32_t *counts, int32_t *count)
{
    int32_t widest = 0, at = 0;
    for (int32_t node = 0; node < node_count; node++)
        counts[levels[node]]++;
    for (int32_t level = 1; level < node_count; level++) {
        if (counts[level] > counts[widest])
            widest = level;
    }
    *count = node_count > 0 ? counts[widest] : 0;
    int32_t *nodes = sw__arena_array(arena, (size_t)*count, sizeof(int32_t));
    for (int32_t node = 0; nodes && node < node_count; node++) {
        if (levels[node] == widest)
            nodes[at++] = node;
    }
    return nodes;
}

/* After the last phase: the nodes of which only the upper half is reached. */
static int32_t *antichain_read(sw__arena *arena, const width_work *work, int32_t count)
{
    int32_t *nodes = sw__arena_array(arena, (size_t)count, sizeof(int32_t)), at = 0;
    for (int32_t node = 0; nodes && node < work->nodes && at < count; node++) {
        if (work->depth[node] >= 0 && work->depth[work->nodes + node] < 0)
            nodes[at++] = node;
    }
    return nodes;
}

/* Enlarge the flow until it is the greatest or the effort is used up. True: it is the greatest. */
static bool width_enlarge(width_work *work, int32_t *links)
{
    while (work->effort > 0) {
        if (!width_phase(work))
            return true;
        for (int32_t node = 0; node < work->nodes && work->effort > 0; node++) {
            if (!work->used_upper[node])
                *links += path_find(work, node);
        }
    }
    return false;
}

static int width_solve(sw__arena *arena, sw__arena *scratch, const sw__graph *graph,
                       const int32_t *order, const int32_t *levels, int64_t effort, sw__width *out)
{
    width_work work;
    int32_t *counts = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int32_t));
    if (!counts || !width_init(&work, scratch, graph, effort))
        return SW_ENOMEM;
    out->antichain = level_widest(arena, levels, graph->node_count, counts, &out->least);
    if (!out->antichain)
        return SW_ENOMEM;
    int32_t links = width_greedy(&work, order);
    out->most = graph->node_count - links;
    if (out->most == out->least)
        return SW_OK;
    width_edges_by_end(&work);
    bool solved = width_enlarge(&work, &links);
    out->most = graph->node_count - links;
    if (!solved || out->most == out->least)
        return SW_OK;
    out->least = out->most;
    out->antichain = antichain_read(arena, &work, out->least);
    return out->antichain ? SW_OK : SW_ENOMEM;
}

int sw__graph_width(sw__arena *arena, const sw__graph *graph, const int32_t *order,
                    const int32_t *levels, int64_t effort, sw__width *out)
{
    *out = (sw__width){0};
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return SW_ENOMEM;
    int code = width_solve(arena, scratch, graph, order, levels, effort, out);
    sw__arena_free(scratch);
    return code;
}
