/* Durations: longest paths, slack, bottlenecks, schedules. Pure.
 *
 * duration has a value of 0 or more for each node; NULL means 1 for each. */
#ifndef SW_GRAPH_TIME_H
#define SW_GRAPH_TIME_H

#include "graph/graph.h"
#include "stepwell/graph.h"

static inline int64_t sw__duration(const int64_t *duration, int32_t node)
{
    return duration ? duration[node] : 1;
}

/* Sum of all durations. errors: SW_EINVAL, SW_ELIMIT, both with the row of the node. */
int sw__graph_work(const sw__graph *graph, const int64_t *duration, int64_t *work, sw_error *err);

/* When each node ends if all begin as early as they can; order is a topological order. Returns the
 * end of all, which is the span. */
int64_t sw__graph_finish(const sw__graph *graph, const int32_t *order, const int64_t *duration,
                         int64_t *finish);

/* A longest path from a root to a leaf into path (node_count elements); returns its length. */
int32_t sw__graph_critical(const sw__graph *graph, const int64_t *finish, int32_t *path);

/* Longest way from the start of each node to the end of all, its own duration included. */
void sw__graph_tail(const sw__graph *graph, const int32_t *order, const int64_t *duration,
                    int64_t *tail);

/* Each node's end without delaying any dependent (or the end of all), from earliest ends. */
void sw__graph_float(const sw__graph *graph, const int64_t *duration, const int64_t *finish,
                     int64_t span, int64_t *floats);

/* The most nodes with the highest scores, highest first. tail and finish as above. rows has room
 * for most. Returns how many there are: those with a score above 0. */
size_t sw__graph_bottlenecks(const sw__graph *graph, const int64_t *duration,
                             const int64_t *finish, const int64_t *tail, int64_t span,
                             sw_bottleneck *rows, size_t most);

/* List scheduling; the options are valid. slots has node_count elements. errors: SW_ELIMIT with
 * row, SW_ENOMEM. */
int sw__graph_schedule(sw__arena *scratch, const sw__graph *graph, const int32_t *order,
                       const sw_makespan_options *options, sw_graph_slot *slots, sw_makespan *out,
                       sw_error *err);

#endif
