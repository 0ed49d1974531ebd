/* An order of a growing graph, kept up to date edge by edge (Pearce and Kelly, "A dynamic
 * topological sort algorithm for directed acyclic graphs", 2007).
 *
 * The graph it began with stays as it is; new edges hang in lists beside it. Pure.
 */
#ifndef SW_GRAPH_EDIT_H
#define SW_GRAPH_EDIT_H

#include "base/buf.h"
#include "graph/graph.h"

/* A new edge, in the list of its start and in that of its end. */
typedef struct sw__edit_edge {
    int32_t from;
    int32_t to;
    int32_t out_next; /* the one added before it at the same start, -1: none */
    int32_t in_next;
} sw__edit_edge;

/* What is known of a node: its place in the order, its newest edges, and room for a search. */
typedef struct sw__edit_node {
    int64_t seen; /* number of the search that came here last */
    int32_t parent;
    int32_t place;
    int32_t out_newest;
    int32_t in_newest;
} sw__edit_node;

typedef struct sw__edit {
    const sw_env *env;
    const sw__graph *base;
    int32_t node_count;
    int32_t edge_count; /* new ones */
    sw__buf nodes;      /* sw__edit_node */
    sw__buf edges;      /* sw__edit_edge */
    sw__buf order;      /* int32_t: nodes by place */
    sw__buf found;      /* int32_t: a search's queue; after a cycle its nodes */
    sw__buf sorted;     /* int32_t: places to hand out anew */
    sw__buf log;        /* int32_t pairs: what stood where before, since the last mark */
    int32_t cycle_count;
    int64_t searches;
    int64_t looked_at; /* edges, by all searches */
} sw__edit;

/* order is a topological order of base, which must outlive the edit. SW_ENOMEM. */
int sw__edit_init(sw__edit *edit, const sw_env *env, const sw__graph *base, const int32_t *order);
void sw__edit_free(sw__edit *edit);

/* Forget how to undo; what comes now can be undone together. */
void sw__edit_mark(sw__edit *edit);
/* Take back all nodes and edges since the mark; the counts are those of that time. */
void sw__edit_undo(sw__edit *edit, int32_t node_count, int32_t edge_count);

/* Nodes at the end of the order. SW_ELIMIT, SW_ENOMEM. */
int sw__edit_add_nodes(sw__edit *edit, int32_t count);
/* An edge between two nodes that there are. SW_ECONFLICT: it is there already. SW_EDEFINITION: it
 * would close a cycle, which is in edit->found: cycle_count nodes, each depending on the one before
 * it and the first on the last, from first. SW_ELIMIT, SW_ENOMEM. On error nothing changes. */
int sw__edit_add_edge(sw__edit *edit, int32_t from, int32_t to);

const sw__edit_edge *sw__edit_edges(const sw__edit *edit);
const int32_t *sw__edit_order(const sw__edit *edit);
/* After SW_EDEFINITION. */
const int32_t *sw__edit_cycle(const sw__edit *edit);

#endif
