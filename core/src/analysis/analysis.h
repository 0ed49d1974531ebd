/* The inside of a graph handle: arrays, names, a count of its holders. */
#ifndef SW_ANALYSIS_ANALYSIS_H
#define SW_ANALYSIS_ANALYSIS_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/result.h"
#include "graph/graph.h"
#include "stepwell/graph.h"

#define SW__CYCLE_NAMES_MAX 12 /* nodes of a cycle that a message spells out */

/* Immutable once it is made. */
struct sw_graph {
    sw__arena *arena;
    atomic_int references;
    sw__graph graph; /* with out_row */
    sw_str *names;   /* NULL for a graph made from numbers */
    sw__strmap numbers;
};

/* A graph without edges or names to fill; NULL: no memory. */
sw_graph *sw__graph_handle_new(const sw_env *env);
/* Share a graph; release with sw_graph_free. */
void sw__graph_handle_keep(sw_graph *graph);
/* Name node 0 and so on; copies the names. errors: SW_EINVAL with the row of a name that is absent
 * or given twice, SW_ENOMEM. */
int sw__graph_handle_name(sw_graph *graph, const sw_str *names, int32_t count, sw_error *err);
/* Fill in the arrays. errors: as sw_graph_new. */
int sw__graph_handle_build(sw_graph *graph, int32_t node_count, const int32_t *from,
                           const int32_t *to, size_t edge_count, bool repeats, sw_error *err);
const sw_env *sw__graph_env(const sw_graph *graph);

/* SW_EDEFINITION with a message that names the nodes of a cycle. */
int sw__cycle_fail(const sw_graph *graph, const int32_t *cycle, int32_t count, sw_error *err);
/* Some topological order into order[node_count]. errors: SW_EDEFINITION, SW_ENOMEM. */
int sw__graph_handle_order(const sw_graph *graph, sw__arena *scratch, int32_t *order,
                           sw_error *err);

/* The redundant edges in the order of their rows; order is a topological order. SW_ENOMEM. */
int sw__redundant_find(sw__arena *arena, sw__arena *scratch, const sw__graph *graph,
                       const int32_t *order, const sw_graph_edge **edges, int32_t *count);

/* A result and scratch memory for a verb; false: no memory, and neither is left. */
bool sw__answer_begin(const sw_graph *graph, sw_result **result, sw__arena **scratch);
/* Give up the scratch memory, and the result too unless code is SW_OK; *out gets it then.
 * Returns code. */
int sw__answer_end(int code, sw_result *result, sw__arena *scratch, sw_result **out);

#endif
