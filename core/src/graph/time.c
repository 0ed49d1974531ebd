/* The critical path method: earliest and latest times, slack, and who causes most delay.
 *
 * Not here: limited workers (schedule.c).
 */
#include "graph/time.h"

#include "base/error.h"

#define TIME_AHEAD 8        /* nodes of the order whose neighbours are brought near */
#define TIME_NEAR_MAX 16384 /* nodes whose times stay in the nearest caches by themselves */

int sw__graph_work(const sw__graph *graph, const int64_t *duration, int64_t *work, sw_error *err)
{
    int64_t sum = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        int64_t took = sw__duration(duration, node);
        if (took < 0)
            return sw__fail_row(err, SW_EINVAL, (size_t)node, "node %d takes %lld, less than 0",
                                node, (long long)took);
        if (__builtin_add_overflow(sum, took, &sum))
            return sw__fail_row(err, SW_ELIMIT, (size_t)node,
                                "the sum of durations passes 2^63 - 1 at node %d", node);
    }
    *work = sum;
    return SW_OK;
}

static inline void times_prefetch(const int32_t *start, const int32_t *neighbour, int32_t node,
                                  const int64_t *times)
{
    for (int32_t i = start[node]; i < start[node + 1]; i++)
        __builtin_prefetch(&times[neighbour[i]]);
}

static inline int64_t times_latest(const int32_t *start, const int32_t *neighbour, int32_t node,
                                   const int64_t *times)
{
    int64_t latest = 0;
    int32_t end = start[node + 1];
    for (int32_t i = start[node]; i < end; i++) {
        int64_t time = times[neighbour[i]];
        latest = time > latest ? time : latest;
    }
    return latest;
}

int64_t sw__graph_finish(const sw__graph *graph, const int32_t *order, const int64_t *duration,
                         int64_t *finish)
{
    const int32_t *start = graph->in_start, *neighbour = graph->in_node;
    int32_t count = graph->node_count, ahead = count > TIME_NEAR_MAX ? TIME_AHEAD : count;
    int64_t span = 0;
    for (int32_t i = 0; i < count; i++) {
        if (i < count - ahead)
            times_prefetch(start, neighbour, order[i + ahead], finish);
        int32_t node = order[i];
        int64_t ends = times_latest(start, neighbour, node, finish) + sw__duration(duration, node);
        finish[node] = ends;
        span = ends > span ? ends : span;
    }
    return span;
}

void sw__graph_tail(const sw__graph *graph, const int32_t *order, const int64_t *duration,
                    int64_t *tail)
{
    const int32_t *start = graph->out_start, *neighbour = graph->out_node;
    int32_t count = graph->node_count, ahead = count > TIME_NEAR_MAX ? TIME_AHEAD : count;
    for (int32_t i = count - 1; i >= 0; i--) {
        if (i >= ahead)
            times_prefetch(start, neighbour, order[i - ahead], tail);
        int32_t node = order[i];
        tail[node] = times_latest(start, neighbour, node, tail) + sw__duration(duration, node);
    }
}

/* Backwards from the leaf that ends last, always to the dependency that ends last; of equals to
 * the lower number. */
int32_t sw__graph_critical(const sw__graph *graph, const int64_t *finish, int32_t *path)
{
    int32_t last = -1, count = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        bool leaf = graph->out_start[node] == graph->out_start[node + 1];
        if (leaf && (last < 0 || finish[node] > finish[last]))
            last = node;
    }
    for (int32_t node = last; node >= 0; node = last) {
        path[count++] = node;
        last = -1;
        for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++) {
            int32_t from = graph->in_node[i];
            if (last < 0 || finish[from] > finish[last] ||
                (finish[from] == finish[last] && from < last))
                last = from;
        }
    }
    for (int32_t i = 0; i < count / 2; i++) {
        int32_t swap = path[i];
        path[i] = path[count - 1 - i];
        path[count - 1 - i] = swap;
    }
    return count;
}

void sw__graph_float(const sw__graph *graph, const int64_t *duration, const int64_t *finish,
                     int64_t span, int64_t *floats)
{
    for (int32_t node = 0; node < graph->node_count; node++) {
        int64_t first = span;
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t to = graph->out_node[i];
            int64_t begins = finish[to] - sw__duration(duration, to);
            first = begins < first ? begins : first;
        }
        floats[node] = first - finish[node];
    }
}

/* Whether a comes after b in the list of bottlenecks. */
static bool bottleneck_after(const sw_bottleneck *a, const sw_bottleneck *b)
{
    return a->score < b->score || (a->score == b->score && a->node > b->node);
}

/* Move a row down a heap that has the last of the list on top. */
static void bottlenecks_sift(sw_bottleneck *rows, size_t count, sw_bottleneck row)
{
    size_t at = 0;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && bottleneck_after(&rows[child + 1], &rows[child]))
            child++;
        if (!bottleneck_after(&rows[child], &row))
            break;
        rows[at] = rows[child];
        at = child;
    }
    rows[at] = row;
}

static void bottlenecks_push(sw_bottleneck *rows, size_t count, sw_bottleneck row)
{
    size_t at = count;
    while (at > 0 && bottleneck_after(&row, &rows[(at - 1) / 2])) {
        rows[at] = rows[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    rows[at] = row;
}

/* Take the last of the list off the heap again and again. */
static void bottlenecks_sort(sw_bottleneck *rows, size_t count)
{
    for (size_t left = count; left > 1; left--) {
        sw_bottleneck last = rows[0], moved = rows[left - 1];
        bottlenecks_sift(rows, left - 1, moved);
        rows[left - 1] = last;
    }
}

static sw_bottleneck bottleneck_make(const sw__graph *graph, int32_t node, int64_t took,
                                     int64_t slack, int64_t span)
{
    int32_t dependents = graph->out_start[node + 1] - graph->out_start[node];
    double share = (double)took / (double)span;
    return (sw_bottleneck){
        .node = node,
        .dependents = dependents,
        .duration_us = took,
        .slack_us = slack,
        .share = share,
        .score = share * (1 - (double)slack / (double)span) * (1 + (double)dependents),
    };
}

size_t sw__graph_bottlenecks(const sw__graph *graph, const int64_t *duration, const int64_t *finish,
                             const int64_t *tail, int64_t span, sw_bottleneck *rows, size_t most)
{
    size_t count = 0;
    for (int32_t node = 0; node < graph->node_count && most > 0; node++) {
        int64_t took = sw__duration(duration, node);
        int64_t slack = span - tail[node] - (finish[node] - took);
        if (took == 0)
            continue;
        sw_bottleneck row = bottleneck_make(graph, node, took, slack, span);
        if (count < most)
            bottlenecks_push(rows, count++, row);
        else if (bottleneck_after(&rows[0], &row))
            bottlenecks_sift(rows, count, row);
    }
    bottlenecks_sort(rows, count);
    return count;
}
