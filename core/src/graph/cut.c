/* Which edges of a knot to take away so that no cycle is left: a feedback arc set.
 *
 * To find a smallest one is NP-hard. So: one edge, if there is one on every cycle; else, in small
 * knots, a smallest set by dynamic programming over the sets of nodes that come first in an order
 * (Lawler 1964); else the backward edges of one of three orders, whichever has the fewest: that of
 * the numbers, which is right but for a few edges where somebody wrote the nodes down in a sensible
 * order; the reverse of the order in which a depth-first search leaves nodes, which goes wrong only
 * where the search did; and that of Eades, Lin and Smyth (1993), with at most half of all edges
 * (edges / 2 - nodes / 6 where no edge has its opposite). All are linear. Of the backward edges
 * each one that closes no cycle with those that stay is given back.
 */
#include "graph/edit.h"
#include "graph/knots.h"

/* Whether the graph without one edge (a place in out_node) has an order. open and order have
 * node_count elements. */
static bool acyclic_without(const sw__graph *graph, int32_t edge, int32_t *open, int32_t *order)
{
    int32_t tail = 0;
    for (int32_t node = 0; node < graph->node_count; node++)
        open[node] = graph->in_start[node + 1] - graph->in_start[node];
    open[graph->out_node[edge]]--;
    for (int32_t node = 0; node < graph->node_count; node++) {
        if (open[node] == 0)
            order[tail++] = node;
    }
    for (int32_t head = 0; head < tail; head++) {
        int32_t node = order[head];
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            if (i != edge && --open[graph->out_node[i]] == 0)
                order[tail++] = graph->out_node[i];
        }
    }
    return tail == graph->node_count;
}

static int32_t edge_place(const sw__graph *graph, int32_t from, int32_t to)
{
    int32_t i = graph->out_start[from];
    while (graph->out_node[i] != to)
        i++;
    return i;
}

/* An edge of the cycle that is on every cycle, or -1. The edge that points back the furthest by
 * number is tried first: of a definition written top down it is the one that looks wrong. */
static int32_t cut_alone(const sw__graph *graph, const int32_t *cycle, int32_t cycle_count,
                         int64_t *effort, int32_t *open, int32_t *order)
{
    int32_t furthest = 0;
    for (int32_t i = 1; i < cycle_count; i++) {
        if (cycle[i] - cycle[(i + 1) % cycle_count] >
            cycle[furthest] - cycle[(furthest + 1) % cycle_count])
            furthest = i;
    }
    for (int32_t tried = 0; tried<cycle_count && * effort> 0; tried++) {
        int32_t i = (furthest + tried) % cycle_count;
        int32_t edge = edge_place(graph, cycle[i], cycle[(i + 1) % cycle_count]);
        *effort -= graph->edge_count;
        if (acyclic_without(graph, edge, open, order))
            return edge;
    }
    return -1;
}

/* Pairs of opposite edges: one edge of each must go. mark has node_count elements. */
static int32_t pairs_count(const sw__graph *graph, int32_t *mark)
{
    int32_t pairs = 0;
    for (int32_t node = 0; node < graph->node_count; node++)
        mark[node] = -1;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++)
            mark[graph->in_node[i]] = node;
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++)
            pairs += graph->out_node[i] > node && mark[graph->out_node[i]] == node;
    }
    return pairs;
}

/* Fewest backward edges of any order of a set of nodes, for every set: the last node of the order
 * has its edges into the others backward. least has 2^node_count elements. */
static void sets_solve(int32_t node_count, const uint32_t *leads_to, uint8_t *least)
{
    for (uint32_t set = 1; set < UINT32_C(1) << node_count; set++) {
        int best = UINT8_MAX;
        for (uint32_t left = set; left; left &= left - 1) {
            int last = __builtin_ctz(left);
            uint32_t others = set & ~(UINT32_C(1) << last);
            int backward = least[others] + __builtin_popcount(leads_to[last] & others);
            if (backward < best)
                best = backward;
        }
        least[set] = (uint8_t)best;
    }
}

/* The order that sets_solve has found, the higher numbers as late as can be. */
static void sets_read(int32_t node_count, const uint32_t *leads_to, const uint8_t *least,
                      int32_t *place)
{
    uint32_t set = (UINT32_C(1) << node_count) - 1;
    for (int32_t at = node_count - 1; at >= 0; at--) {
        int32_t last = node_count;
        uint32_t others = set;
        do {
            last--;
            others = set & ~(UINT32_C(1) << last);
        } while (others == set ||
                 least[others] + __builtin_popcount(leads_to[last] & others) != least[set]);
        place[last] = at;
        set = others;
    }
}

static bool place_exactly(sw__arena *scratch, const sw__graph *graph, int32_t *place)
{
    uint32_t leads_to[SW__KNOT_EXACT_NODES] = {0};
    uint8_t *least = sw__arena_array(scratch, (size_t)1 << graph->node_count, 1);
    if (!least)
        return false;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++)
            leads_to[node] |= UINT32_C(1) << graph->out_node[i];
    }
    sets_solve(graph->node_count, leads_to, least);
    sets_read(graph->node_count, leads_to, least, place);
    return true;
}

/* Nodes that have no place yet, in lists: sinks, sources, and the others by how many more edges
 * leave them than enter. */
typedef struct eades {
    const sw__graph *graph;
    int32_t *out_left; /* edges to nodes without a place */
    int32_t *in_left;
    int32_t *list; /* of each node; -1: it has a place */
    int32_t *next; /* in its list, -1: none */
    int32_t *prev;
    int32_t *first;  /* of each list, -1: none */
    int32_t fullest; /* no list above it has a node */
} eades;

enum { EADES_SINKS, EADES_SOURCES, EADES_OTHERS };

static int32_t eades_list_of(const eades *search, int32_t node)
{
    if (search->out_left[node] == 0)
        return EADES_SINKS;
    if (search->in_left[node] == 0)
        return EADES_SOURCES;
    return EADES_OTHERS + search->graph->node_count + search->out_left[node] -
           search->in_left[node];
}

static void eades_unlink(eades *search, int32_t node)
{
    int32_t next = search->next[node], prev = search->prev[node];
    if (prev >= 0)
        search->next[prev] = next;
    else
        search->first[search->list[node]] = next;
    if (next >= 0)
        search->prev[next] = prev;
}

static void eades_link(eades *search, int32_t node)
{
    int32_t list = eades_list_of(search, node), next = search->first[list];
    search->list[node] = list;
    search->next[node] = next;
    search->prev[node] = -1;
    if (next >= 0)
        search->prev[next] = node;
    search->first[list] = node;
    if (list > search->fullest)
        search->fullest = list;
}

static bool eades_init(eades *search, sw__arena *scratch, const sw__graph *graph)
{
    size_t nodes = (size_t)graph->node_count, lists = EADES_OTHERS + 2 * nodes;
    *search = (eades){
        .graph = graph,
        .out_left = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .in_left = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .list = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .next = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .prev = sw__arena_array(scratch, nodes, sizeof(int32_t)),
        .first = sw__arena_array(scratch, lists, sizeof(int32_t)),
    };
    if (!search->out_left || !search->in_left || !search->list || !search->next || !search->prev ||
        !search->first)
        return false;
    for (size_t i = 0; i < lists; i++)
        search->first[i] = -1;
    for (int32_t node = graph->node_count - 1; node >= 0; node--) {
        search->out_left[node] = graph->out_start[node + 1] - graph->out_start[node];
        search->in_left[node] = graph->in_start[node + 1] - graph->in_start[node];
        eades_link(search, node);
    }
    return true;
}

/* A node gets its place: the edges of its neighbours become fewer. */
static void eades_take(eades *search, int32_t node)
{
    const sw__graph *graph = search->graph;
    eades_unlink(search, node);
    search->list[node] = -1;
    for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
        int32_t to = graph->out_node[i];
        if (search->list[to] < 0)
            continue;
        eades_unlink(search, to);
        search->in_left[to]--;
        eades_link(search, to);
    }
    for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++) {
        int32_t from = graph->in_node[i];
        if (search->list[from] < 0)
            continue;
        eades_unlink(search, from);
        search->out_left[from]--;
        eades_link(search, from);
    }
}

static bool place_fast(sw__arena *scratch, const sw__graph *graph, int32_t *place)
{
    eades search;
    if (!eades_init(&search, scratch, graph))
        return false;
    int32_t front = 0, back = graph->node_count;
    while (front < back) {
        while (search.fullest > EADES_OTHERS && search.first[search.fullest] < 0)
            search.fullest--;
        int32_t list = EADES_SINKS;
        if (search.first[EADES_SINKS] < 0)
            list = search.first[EADES_SOURCES] >= 0 ? EADES_SOURCES : search.fullest;
        int32_t node = search.first[list];
        place[node] = list == EADES_SINKS ? --back : front++;
        eades_take(&search, node);
    }
    return true;
}

/* Places by a depth-first search from every node that is not visited yet: the later it is left, the
 * earlier its place. */
static bool place_deep(sw__arena *scratch, const sw__graph *graph, int32_t *place)
{
    int32_t *edge = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int32_t));
    int32_t *path = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int32_t));
    int32_t left = graph->node_count;
    if (!edge || !path)
        return false;
    for (int32_t node = 0; node < graph->node_count; node++)
        edge[node] = -1;
    for (int32_t start = 0; start < graph->node_count; start++) {
        int32_t length = 0;
        if (edge[start] < 0) {
            edge[start] = graph->out_start[start];
            path[length++] = start;
        }
        while (length > 0) {
            int32_t node = path[length - 1];
            if (edge[node] == graph->out_start[node + 1]) {
                place[node] = --left;
                length--;
                continue;
            }
            int32_t to = graph->out_node[edge[node]++];
            if (edge[to] < 0) {
                edge[to] = graph->out_start[to];
                path[length++] = to;
            }
        }
    }
    return true;
}

static int32_t backward_count(const sw__graph *graph, const int32_t *place)
{
    int32_t count = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++)
            count += place[graph->out_node[i]] < place[node];
    }
    return count;
}

/* The best of the three orders. */
static bool place_well(sw__arena *scratch, const sw__graph *graph, int32_t *place)
{
    int32_t *other = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int32_t));
    if (!other || !place_fast(scratch, graph, place) || !place_deep(scratch, graph, other))
        return false;
    int32_t fewest = backward_count(graph, place), deep = backward_count(graph, other);
    for (int32_t node = 0; deep < fewest && node < graph->node_count; node++)
        place[node] = other[node];
    fewest = deep < fewest ? deep : fewest;
    for (int32_t node = 0; node < graph->node_count; node++)
        other[node] = node;
    bool numbers = backward_count(graph, other) <= fewest;
    for (int32_t node = 0; numbers && node < graph->node_count; node++)
        place[node] = node;
    return true;
}

/* The graph without the edges that point backward in an order. */
static bool forward_graph(sw__arena *scratch, const sw__graph *graph, const int32_t *place,
                          sw__graph *out)
{
    size_t nodes = (size_t)graph->node_count, edges = (size_t)graph->edge_count;
    int32_t *out_start = sw__arena_array(scratch, nodes + 1, sizeof(int32_t));
    int32_t *out_node = sw__arena_array(scratch, edges, sizeof(int32_t));
    int32_t *in_start = sw__arena_array(scratch, nodes + 1, sizeof(int32_t));
    int32_t *in_node = sw__arena_array(scratch, edges, sizeof(int32_t));
    if (!out_start || !out_node || !in_start || !in_node)
        return false;
    int32_t out_at = 0, in_at = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            if (place[node] < place[graph->out_node[i]])
                out_node[out_at++] = graph->out_node[i];
        }
        for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++) {
            if (place[graph->in_node[i]] < place[node])
                in_node[in_at++] = graph->in_node[i];
        }
        out_start[node + 1] = out_at;
        in_start[node + 1] = in_at;
    }
    *out = (sw__graph){.node_count = graph->node_count,
                       .edge_count = out_at,
                       .out_start = out_start,
                       .out_node = out_node,
                       .in_start = in_start,
                       .in_node = in_node};
    return true;
}

/* Every edge that points backward, ascending; with an edit, only those that it refuses. */
static int cuts_collect(const sw__graph *graph, const int32_t *place, sw__edit *edit,
                        int64_t *effort, sw__cuts *out)
{
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            if (place[node] < place[graph->out_node[i]])
                continue;
            int code = SW_EDEFINITION;
            if (edit && edit->looked_at < *effort)
                code = sw__edit_add_edge(edit, node, graph->out_node[i]);
            if (code == SW_ENOMEM)
                return code;
            if (code == SW_EDEFINITION)
                out->edges[out->count++] = i;
            if (edit)
                sw__edit_mark(edit);
        }
    }
    if (edit)
        *effort -= edit->looked_at;
    return SW_OK;
}

/* The backward edges that are needed. */
static int cuts_thin_out(sw__arena *scratch, const sw__graph *graph, const int32_t *place,
                         int32_t *order, int64_t *effort, sw__cuts *out)
{
    sw__graph forward;
    sw__edit edit;
    if (!forward_graph(scratch, graph, place, &forward))
        return SW_ENOMEM;
    for (int32_t node = 0; node < graph->node_count; node++)
        order[place[node]] = node;
    int code = sw__edit_init(&edit, sw__arena_env(scratch), &forward, order);
    if (code < 0)
        return code;
    code = cuts_collect(graph, place, &edit, effort, out);
    sw__edit_free(&edit);
    return code;
}

int sw__graph_cuts(sw__arena *scratch, const sw__graph *graph, const int32_t *cycle,
                   int32_t cycle_count, int64_t *effort, sw__cuts *out)
{
    size_t nodes = (size_t)graph->node_count;
    int32_t *open = sw__arena_array(scratch, nodes, sizeof(int32_t));
    int32_t *order = sw__arena_array(scratch, nodes, sizeof(int32_t));
    int32_t *edges = sw__arena_array(scratch, (size_t)graph->edge_count, sizeof(int32_t));
    if (!open || !order || !edges)
        return SW_ENOMEM;
    *out = (sw__cuts){.edges = edges, .least = 1};
    int64_t half = *effort / 2, left = half;
    int32_t alone = cut_alone(graph, cycle, cycle_count, &left, open, order);
    *effort -= half - left;
    if (alone >= 0) {
        edges[out->count++] = alone;
        return SW_OK;
    }
    int32_t *place = open;
    /* A look at a subset costs far less than one at an edge. */
    int64_t subsets = graph->node_count > SW__KNOT_EXACT_NODES
                          ? INT64_MAX
                          : (int64_t)graph->node_count << graph->node_count >> 3;
    int code = SW_ENOMEM;
    if (subsets <= *effort) {
        *effort -= subsets;
        if (place_exactly(scratch, graph, place))
            code = cuts_collect(graph, place, NULL, effort, out);
        out->least = out->count;
        return code;
    }
    out->least = pairs_count(graph, order);
    if (out->least == 0)
        out->least = 1;
    if (!place_well(scratch, graph, place))
        return SW_ENOMEM;
    return cuts_thin_out(scratch, graph, place, order, effort, out);
}
