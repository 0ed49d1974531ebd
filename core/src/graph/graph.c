/* Building a graph: compressed rows in both directions, by counting sort.
 *
 * Every pass is a loop over the arrays, so the depth of a graph costs no stack. Scratch arrays
 * live in an arena of their own that dies with the call: the caller's arena may be a definition's
 * and live for days. Not here: what a node is; names and messages belong to the model.
 */
#include "graph/graph.h"

#include "base/error.h"

/* One direction while it is filled. row may be NULL. */
typedef struct graph_rows {
    int32_t *start;
    int32_t *node;
    int32_t *row;
} graph_rows;

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

/* Check every edge and count those of each node; start gets node_count + 1 elements, the count of
 * a node behind its place. */
static int edges_count(int32_t node_count, const int32_t *from, const int32_t *to,
                       size_t edge_count, int32_t *out_start, int32_t *in_start, sw_error *err)
{
    for (size_t i = 0; i < edge_count; i++) {
        bool valid = (uint32_t)from[i] < (uint32_t)node_count &&
                     (uint32_t)to[i] < (uint32_t)node_count && from[i] != to[i];
        if (!valid)
            return edge_check(node_count, from[i], to[i], i, err);
        out_start[from[i] + 1]++;
        in_start[to[i] + 1]++;
    }
    return SW_OK;
}

static void counts_sum(int32_t node_count, int32_t *start)
{
    for (int32_t node = 0; node < node_count; node++)
        start[node + 1] += start[node];
}

/* Filling moved every start to its successor's place. */
static void starts_restore(int32_t node_count, int32_t *start)
{
    for (int32_t node = node_count; node > 0; node--)
        start[node] = start[node - 1];
    start[0] = 0;
}

/* Put every edge into its group in both directions. The sort is stable. */
static void edges_group(int32_t node_count, const int32_t *from, const int32_t *to,
                        size_t edge_count, const graph_rows *out, const graph_rows *in)
{
    counts_sum(node_count, out->start);
    counts_sum(node_count, in->start);
    for (size_t i = 0; i < edge_count; i++) {
        int32_t slot = out->start[from[i]]++;
        out->node[slot] = to[i];
        out->row[slot] = (int32_t)i;
        in->node[in->start[to[i]]++] = from[i];
    }
    starts_restore(node_count, out->start);
    starts_restore(node_count, in->start);
}

/* The lowest row that repeats an earlier edge, or -1. mark has node_count zeroed elements. */
static int64_t edge_repeated(int32_t node_count, const graph_rows *out, int32_t *mark)
{
    int64_t repeated = -1;
    for (int32_t node = 0; node < node_count; node++) {
        for (int32_t i = out->start[node]; i < out->start[node + 1]; i++) {
            int32_t to = out->node[i];
            if (mark[to] == node + 1 && (repeated < 0 || out->row[i] < repeated))
                repeated = out->row[i];
            mark[to] = node + 1;
        }
    }
    return repeated;
}

/* Close the gaps that edges given twice leave in one direction; the first of each stays. sign
 * tells the marks of one direction from those of the other. Returns how many edges are left. */
static int32_t repeats_drop(int32_t node_count, const graph_rows *rows, int32_t *mark, int32_t sign)
{
    int32_t kept = 0, next = 0;
    for (int32_t node = 0; node < node_count; node++) {
        int32_t end = rows->start[node + 1];
        rows->start[node] = kept;
        for (int32_t i = next; i < end; i++) {
            int32_t other = rows->node[i];
            if (mark[other] == sign * (node + 1))
                continue;
            mark[other] = sign * (node + 1);
            rows->node[kept] = other;
            if (rows->row)
                rows->row[kept] = rows->row[i];
            kept++;
        }
        next = end;
    }
    rows->start[node_count] = kept;
    return kept;
}

/* Look for edges given twice: they are dropped, or the first repetition is named. */
static int repeats_settle(sw__graph *graph, const int32_t *from, const int32_t *to,
                          const graph_rows *out, const graph_rows *in, int32_t *mark, bool repeats,
                          sw_error *err)
{
    int64_t row = edge_repeated(graph->node_count, out, mark);
    if (row < 0)
        return SW_OK;
    if (!repeats)
        return sw__fail_row(err, SW_EINVAL, (size_t)row,
                            "edge %lld from node %d to %d is given twice", (long long)row,
                            from[row], to[row]);
    for (int32_t node = 0; node < graph->node_count; node++)
        mark[node] = 0;
    graph->edge_count = repeats_drop(graph->node_count, out, mark, 1);
    repeats_drop(graph->node_count, in, mark, -1);
    return SW_OK;
}

static int graph_fill(sw__arena *arena, sw__arena *scratch, const int32_t *from, const int32_t *to,
                      bool with_rows, bool repeats, sw__graph *graph, sw_error *err)
{
    size_t nodes = (size_t)graph->node_count, edges = (size_t)graph->edge_count;
    graph_rows out = {
        .start = sw__arena_array(arena, nodes + 1, sizeof(int32_t)),
        .node = sw__arena_array_raw(arena, edges, sizeof(int32_t)),
        .row = sw__arena_array_raw(with_rows ? arena : scratch, edges, sizeof(int32_t)),
    };
    graph_rows in = {
        .start = sw__arena_array(arena, nodes + 1, sizeof(int32_t)),
        .node = sw__arena_array_raw(arena, edges, sizeof(int32_t)),
    };
    int32_t *mark = sw__arena_array(scratch, nodes, sizeof(int32_t));
    if (!out.start || !out.node || !out.row || !in.start || !in.node || !mark)
        return sw__fail(err, SW_ENOMEM, NULL);

    int code = edges_count(graph->node_count, from, to, edges, out.start, in.start, err);
    if (code < 0)
        return code;
    edges_group(graph->node_count, from, to, edges, &out, &in);
    code = repeats_settle(graph, from, to, &out, &in, mark, repeats, err);
    graph->out_start = out.start;
    graph->out_node = out.node;
    graph->out_row = with_rows ? out.row : NULL;
    graph->in_start = in.start;
    graph->in_node = in.node;
    return code;
}

static int graph_build(sw__arena *arena, int32_t node_count, const int32_t *from, const int32_t *to,
                       size_t edge_count, bool with_rows, bool repeats, sw__graph *out,
                       sw_error *err)
{
    *out = (sw__graph){0};
    if (node_count < 0)
        return sw__fail(err, SW_EINVAL, "a graph cannot have %d nodes", node_count);
    if (node_count == INT32_MAX)
        return sw__fail(err, SW_ELIMIT, "%d nodes are more than a graph can hold", node_count);
    if (edge_count >= INT32_MAX)
        return sw__fail(err, SW_ELIMIT, "%zu edges are more than a graph can hold", edge_count);

    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__graph graph = {.node_count = node_count, .edge_count = (int32_t)edge_count};
    int code = graph_fill(arena, scratch, from, to, with_rows, repeats, &graph, err);
    if (code == SW_OK)
        *out = graph;
    sw__arena_free(scratch);
    return code;
}

int sw__graph_build(sw__arena *arena, int32_t node_count, const int32_t *from, const int32_t *to,
                    size_t edge_count, sw__graph *out, sw_error *err)
{
    return graph_build(arena, node_count, from, to, edge_count, false, false, out, err);
}

int sw__graph_build_rows(sw__arena *arena, int32_t node_count, const int32_t *from,
                         const int32_t *to, size_t edge_count, bool repeats, sw__graph *out,
                         sw_error *err)
{
    return graph_build(arena, node_count, from, to, edge_count, true, repeats, out, err);
}

sw__graph sw__graph_reversed(const sw__graph *graph)
{
    return (sw__graph){
        .node_count = graph->node_count,
        .edge_count = graph->edge_count,
        .out_start = graph->in_start,
        .out_node = graph->in_node,
        .in_start = graph->out_start,
        .in_node = graph->out_node,
    };
}
