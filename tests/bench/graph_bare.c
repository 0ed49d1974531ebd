/* Bare loops over a graph: the floor of bench_graph. */
#include "graph_bare.h"

#include <stdlib.h>
#include <string.h>

static void bare_group(int32_t nodes, int32_t edges, const int32_t *key, const int32_t *other,
                       int32_t *start, int32_t *sorted, int32_t *rows)
{
    memset(start, 0, ((size_t)nodes + 1) * sizeof(int32_t));
    for (int32_t i = 0; i < edges; i++)
        start[key[i] + 1]++;
    for (int32_t node = 0; node < nodes; node++)
        start[node + 1] += start[node];
    for (int32_t i = 0; i < edges; i++) {
        int32_t slot = start[key[i]]++;
        sorted[slot] = other[i];
        if (rows)
            rows[slot] = i;
    }
    memmove(start + 1, start, (size_t)nodes * sizeof(int32_t));
    start[0] = 0;
}

bool bare_build(bare_graph *graph, const int32_t *from, const int32_t *to)
{
    size_t nodes = (size_t)graph->nodes, edges = (size_t)graph->edges + 1;
    graph->out_start = malloc((nodes + 1) * sizeof(int32_t));
    graph->out_node = malloc(edges * sizeof(int32_t));
    graph->out_row = malloc(edges * sizeof(int32_t));
    graph->in_start = malloc((nodes + 1) * sizeof(int32_t));
    graph->in_node = malloc(edges * sizeof(int32_t));
    if (!graph->out_start || !graph->out_node || !graph->out_row || !graph->in_start ||
        !graph->in_node)
        return false;
    bare_group(graph->nodes, graph->edges, from, to, graph->out_start, graph->out_node,
               graph->out_row);
    bare_group(graph->nodes, graph->edges, to, from, graph->in_start, graph->in_node, NULL);
    return true;
}

void bare_free(bare_graph *graph)
{
    free(graph->out_start);
    free(graph->out_node);
    free(graph->out_row);
    free(graph->in_start);
    free(graph->in_node);
}

int32_t bare_order(const bare_graph *graph, bare_room *room)
{
    int32_t tail = 0;
    for (int32_t node = 0; node < graph->nodes; node++) {
        room->open[node] = graph->in_start[node + 1] - graph->in_start[node];
        if (room->open[node] == 0)
            room->order[tail++] = node;
    }
    for (int32_t head = 0; head < tail; head++) {
        int32_t node = room->order[head];
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            if (--room->open[graph->out_node[i]] == 0)
                room->order[tail++] = graph->out_node[i];
        }
    }
    return tail;
}

int64_t bare_span(const bare_graph *graph, const int64_t *duration, bare_room *room)
{
    int64_t span = 0;
    int32_t count = bare_order(graph, room), last = -1;
    for (int32_t i = 0; i < count; i++) {
        int32_t node = room->order[i];
        int64_t begin = 0;
        for (int32_t k = graph->in_start[node]; k < graph->in_start[node + 1]; k++) {
            if (room->finish[graph->in_node[k]] > begin)
                begin = room->finish[graph->in_node[k]];
        }
        room->finish[node] = begin + duration[node];
        if (room->finish[node] > span) {
            span = room->finish[node];
            last = node;
        }
    }
    /* The way back goes where the order was. */
    for (int32_t at = 0; last >= 0; at++) {
        int32_t node = last;
        room->order[at] = node;
        last = -1;
        for (int32_t k = graph->in_start[node]; k < graph->in_start[node + 1]; k++) {
            int32_t from = graph->in_node[k];
            if (room->finish[from] == room->finish[node] - duration[node])
                last = from;
        }
    }
    return span;
}

int32_t bare_descendants(const bare_graph *graph, int32_t source, bare_room *room)
{
    int32_t head = 0, tail = 0;
    memset(room->seen, 0, (size_t)graph->nodes);
    room->order[tail++] = source;
    room->seen[source] = 1;
    while (head < tail) {
        int32_t node = room->order[head++];
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t to = graph->out_node[i];
            if (!room->seen[to]) {
                room->seen[to] = 1;
                room->order[tail++] = to;
            }
        }
    }
    return tail - 1;
}

/* Edges by place; ends come up in their order, so that each start gets them sorted. */
static void bare_sort(const bare_graph *graph, bare_graph *sorted, bare_room *room)
{
    int32_t *place = room->open, *start = sorted->out_start;
    bare_order(graph, room);
    for (int32_t at = 0; at < graph->nodes; at++)
        place[room->order[at]] = at;
    start[0] = 0;
    for (int32_t at = 0; at < graph->nodes; at++)
        start[at + 1] =
            start[at] + graph->out_start[room->order[at] + 1] - graph->out_start[room->order[at]];
    for (int32_t at = 0; at < graph->nodes; at++) {
        int32_t node = room->order[at];
        for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++)
            sorted->out_node[start[place[graph->in_node[i]]]++] = at;
    }
    memmove(start + 1, start, (size_t)graph->nodes * sizeof(int32_t));
    start[0] = 0;
}

int32_t bare_reduce(const bare_graph *graph, bare_graph *sorted, bare_room *room)
{
    size_t words = ((size_t)graph->nodes + 63) / 64;
    int32_t found = 0;
    bare_sort(graph, sorted, room);
    for (int32_t node = graph->nodes - 1; node >= 0; node--) {
        uint64_t *reached = room->bits + (size_t)node * words;
        memset(reached, 0, words * sizeof(uint64_t));
        for (int32_t i = sorted->out_start[node]; i < sorted->out_start[node + 1]; i++) {
            int32_t to = sorted->out_node[i];
            const uint64_t *further = room->bits + (size_t)to * words;
            if (reached[to / 64] >> (to % 64) & 1) {
                found++;
                continue;
            }
            for (size_t k = (size_t)to / 64; k < words; k++)
                reached[k] |= further[k];
            reached[to / 64] |= UINT64_C(1) << (to % 64);
        }
    }
    return found;
}
