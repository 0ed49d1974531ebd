/* Strongly connected components (Tarjan 1972, with a stack of its own) and the report on each.
 *
 * Not here: how to find a short cycle (cycle.c) and the edges to take away (cut.c).
 */
#include "graph/knots.h"

/* Tarjan's search. A node is on the stack from its first visit until its component is known;
 * low is the earliest visited node of the stack that it is known to lead to. */
typedef struct tarjan {
    const sw__graph *graph;
    int32_t *visited; /* number of the visit, from 1; 0: none yet */
    int32_t *low;
    int32_t *edge;  /* the next edge to follow */
    int32_t *path;  /* nodes whose edges are being followed */
    int32_t *stack; /* nodes without a component */
    int32_t *knot;  /* the answer; INT32_MAX while on the stack or not visited */
    int32_t path_count;
    int32_t stack_count;
    int32_t visits;
    int32_t knots;
} tarjan;

static bool tarjan_init(tarjan *search, sw__arena *scratch, const sw__graph *graph, int32_t *knot)
{
    size_t nodes = (size_t)graph->node_count;
    *search = (tarjan){
        .graph = graph,
        .visited = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .low = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .edge = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .path = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .stack = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .knot = knot,
    };
    return search->visited && search->low && search->edge && search->path && search->stack;
}

static void tarjan_enter(tarjan *search, int32_t node)
{
    search->visited[node] = ++search->visits;
    search->low[node] = search->visits;
    search->edge[node] = search->graph->out_start[node];
    search->path[search->path_count++] = node;
    search->stack[search->stack_count++] = node;
}

static void low_take(tarjan *search, int32_t node, int32_t value)
{
    if (value < search->low[node])
        search->low[node] = value;
}

/* All edges of the node on top are followed: its component ends here if it leads to none before
 * it. */
static void tarjan_leave(tarjan *search)
{
    int32_t node = search->path[--search->path_count];
    if (search->path_count > 0)
        low_take(search, search->path[search->path_count - 1], search->low[node]);
    if (search->low[node] != search->visited[node])
        return;
    bool alone = search->stack[search->stack_count - 1] == node;
    int32_t knot = alone ? -1 : search->knots++, member;
    do {
        member = search->stack[--search->stack_count];
        search->knot[member] = knot;
    } while (member != node);
}

static void tarjan_run(tarjan *search, int32_t start)
{
    const sw__graph *graph = search->graph;
    tarjan_enter(search, start);
    while (search->path_count > 0) {
        int32_t node = search->path[search->path_count - 1];
        if (search->edge[node] == graph->out_start[node + 1]) {
            tarjan_leave(search);
            continue;
        }
        int32_t to = graph->out_node[search->edge[node]++];
        if (search->visited[to] == 0)
            tarjan_enter(search, to);
        else if (search->knot[to] == INT32_MAX)
            low_take(search, node, search->visited[to]);
    }
}

/* Number the knots by their lowest nodes; number has room for each knot. */
static void knots_renumber(int32_t node_count, int32_t *knot, int32_t *number, int32_t knots)
{
    int32_t next = 0;
    for (int32_t i = 0; i < knots; i++)
        number[i] = -1;
    for (int32_t node = 0; node < node_count; node++) {
        if (knot[node] < 0)
            continue;
        if (number[knot[node]] < 0)
            number[knot[node]] = next++;
        knot[node] = number[knot[node]];
    }
}

int32_t sw__graph_knot_numbers(sw__arena *scratch, const sw__graph *graph, int32_t *knot)
{
    tarjan search;
    if (!tarjan_init(&search, scratch, graph, knot))
        return SW_ENOMEM;
    for (int32_t node = 0; node < graph->node_count; node++)
        knot[node] = INT32_MAX;
    for (int32_t node = 0; node < graph->node_count; node++) {
        if (search.visited[node] == 0)
            tarjan_run(&search, node);
    }
    knots_renumber(graph->node_count, knot, search.low, search.knots);
    return search.knots;
}

/* The nodes of all knots, knot by knot, and what each edge inside a knot is. */
typedef struct knot_parts {
    int32_t *knot;  /* of each node */
    int32_t *local; /* its number inside the knot */
    int32_t *start; /* of each knot in nodes */
    int32_t *nodes;
} knot_parts;

static bool parts_fill(knot_parts *parts, sw__arena *arena, int32_t node_count, int32_t knots,
                       sw__arena *scratch)
{
    parts->local = sw__arena_array(scratch, (size_t)node_count, sizeof(int32_t));
    parts->start = sw__arena_array(scratch, (size_t)knots + 2, sizeof(int32_t));
    if (!parts->local || !parts->start)
        return false;
    for (int32_t node = 0; node < node_count; node++) {
        if (parts->knot[node] >= 0)
            parts->local[node] = parts->start[parts->knot[node] + 2]++;
    }
    for (int32_t i = 2; i < knots + 2; i++)
        parts->start[i] += parts->start[i - 1];
    parts->nodes = sw__arena_array(arena, (size_t)parts->start[knots + 1], sizeof(int32_t));
    if (!parts->nodes)
        return false;
    for (int32_t node = 0; node < node_count; node++) {
        if (parts->knot[node] >= 0)
            parts->nodes[parts->start[parts->knot[node] + 1]++] = node;
    }
    return true;
}

/* Edges of a knot's node to nodes of the same knot, in one direction, into neighbour and place
 * (where the edge stands in the whole graph; may be NULL). Returns how many there are. */
static int32_t knot_edges(const knot_parts *parts, const int32_t *start, const int32_t *node_of,
                          int32_t node, int32_t *neighbour, int32_t *place)
{
    int32_t count = 0;
    for (int32_t i = start[node]; i < start[node + 1]; i++) {
        if (parts->knot[node_of[i]] != parts->knot[node])
            continue;
        if (place)
            place[count] = i;
        neighbour[count++] = parts->local[node_of[i]];
    }
    return count;
}

/* A knot as a graph of its own; out_row leads to the edges of the whole graph. */
static bool knot_graph(const sw__graph *graph, const knot_parts *parts, const int32_t *nodes,
                       int32_t node_count, sw__arena *scratch, sw__graph *out)
{
    size_t count = (size_t)node_count, out_most = 0, in_most = 0;
    for (size_t i = 0; i < count; i++) {
        out_most += (size_t)(graph->out_start[nodes[i] + 1] - graph->out_start[nodes[i]]);
        in_most += (size_t)(graph->in_start[nodes[i] + 1] - graph->in_start[nodes[i]]);
    }
    int32_t *out_start = sw__arena_array(scratch, count + 1, sizeof(int32_t));
    int32_t *out_node = sw__arena_array(scratch, out_most, sizeof(int32_t));
    int32_t *out_row = sw__arena_array(scratch, out_most, sizeof(int32_t));
    int32_t *in_start = sw__arena_array(scratch, count + 1, sizeof(int32_t));
    int32_t *in_node = sw__arena_array(scratch, in_most, sizeof(int32_t));
    if (!out_start || !out_node || !out_row || !in_start || !in_node)
        return false;
    for (size_t i = 0; i < count; i++) {
        int32_t out_at = out_start[i], in_at = in_start[i];
        out_start[i + 1] = out_at + knot_edges(parts, graph->out_start, graph->out_node, nodes[i],
                                               out_node + out_at, out_row + out_at);
        in_start[i + 1] = in_at + knot_edges(parts, graph->in_start, graph->in_node, nodes[i],
                                             in_node + in_at, NULL);
    }
    *out =
        (sw__graph){node_count, out_start[count], out_start, out_node, in_start, in_node, out_row};
    return true;
}

static bool edge_has_opposite(const sw__graph *graph, int32_t from, int32_t to)
{
    for (int32_t i = graph->out_start[to]; i < graph->out_start[to + 1]; i++) {
        if (graph->out_node[i] == from)
            return true;
    }
    return false;
}

static sw_cut_reason cut_reason(const sw__graph *graph, const sw__cuts *cuts, int32_t from,
                                int32_t to)
{
    if (cuts->count == 1)
        return SW_CUT_EVERY_CYCLE;
    if (edge_has_opposite(graph, from, to))
        return SW_CUT_TWO_WAY;
    return cuts->count == cuts->least ? SW_CUT_SMALLEST : SW_CUT_BACKWARD;
}

/* Say the cuts of a knot in terms of the whole graph. */
static bool cuts_write(const sw__graph *graph, const sw__graph *part, const sw__cuts *cuts,
                       sw__arena *arena, sw_knot *knot)
{
    sw_cut *rows = sw__arena_array(arena, (size_t)cuts->count, sizeof(sw_cut));
    if (!rows)
        return false;
    int32_t from = 0;
    for (int32_t i = 0; i < cuts->count; i++) {
        int32_t edge = cuts->edges[i], whole = part->out_row[edge];
        while (part->out_start[from + 1] <= edge)
            from++;
        rows[i] = (sw_cut){
            .from = knot->nodes[from],
            .to = graph->out_node[whole],
            .row = graph->out_row ? graph->out_row[whole] : whole,
            .reason = (int32_t)cut_reason(part, cuts, from, part->out_node[edge]),
        };
    }
    knot->cuts = rows;
    knot->cut_count = (size_t)cuts->count;
    knot->cut_least = cuts->least;
    knot->cut_smallest = cuts->count == cuts->least;
    return true;
}

static int knot_fill(const sw__graph *graph, const sw__graph *part, sw__arena *arena,
                     sw__arena *scratch, int64_t *effort, sw_knot *knot)
{
    sw__cuts cuts;
    int32_t *cycle = sw__arena_array(scratch, (size_t)part->node_count, sizeof(int32_t));
    if (!cycle)
        return SW_ENOMEM;
    /* Half of what is left, so that the cuts get their share. */
    int64_t half = *effort / 2, left = half;
    int32_t length = sw__graph_girth(scratch, part, &left, cycle, &knot->cycle_shortest);
    *effort -= half - left;
    if (length < 0)
        return length;
    int32_t *named = sw__arena_array(arena, (size_t)length, sizeof(int32_t));
    if (!named)
        return SW_ENOMEM;
    for (int32_t i = 0; i < length; i++)
        named[i] = knot->nodes[cycle[i]];
    knot->cycle = named;
    knot->cycle_count = (size_t)length;
    knot->edge_count = part->edge_count;
    int code = sw__graph_cuts(scratch, part, cycle, length, effort, &cuts);
    if (code == SW_OK && !cuts_write(graph, part, &cuts, arena, knot))
        code = SW_ENOMEM;
    return code;
}

/* Each knot gets scratch memory of its own, or a thousand of them would pile up. */
static int knot_report(const sw__graph *graph, const knot_parts *parts, int32_t number,
                       sw__arena *arena, int64_t *effort, sw_knot *knot)
{
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return SW_ENOMEM;
    sw__graph part;
    int32_t begin = parts->start[number], count = parts->start[number + 1] - begin;
    knot->nodes = parts->nodes + begin;
    knot->node_count = (size_t)count;
    int code = SW_ENOMEM;
    if (knot_graph(graph, parts, knot->nodes, count, scratch, &part))
        code = knot_fill(graph, &part, arena, scratch, effort, knot);
    sw__arena_free(scratch);
    return code;
}

int sw__graph_knots(sw__arena *arena, const sw__graph *graph, const sw_knot **knots, int32_t *count)
{
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return SW_ENOMEM;
    int code = SW_ENOMEM;
    knot_parts parts = {
        .knot = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int32_t)),
    };
    int32_t found = parts.knot ? sw__graph_knot_numbers(scratch, graph, parts.knot) : SW_ENOMEM;
    sw_knot *rows = found < 0 ? NULL : sw__arena_array(arena, (size_t)found, sizeof(sw_knot));
    if (!rows || !parts_fill(&parts, arena, graph->node_count, found, scratch))
        goto done;
    code = SW_OK;
    int64_t effort = SW__KNOT_EFFORT;
    for (int32_t i = 0; i < found && code == SW_OK; i++)
        code = knot_report(graph, &parts, i, arena, &effort, &rows[i]);
    *knots = rows;
    *count = found;
done:
    sw__arena_free(scratch);
    return code;
}
