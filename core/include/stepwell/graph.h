/* Graphs: everything one can ask of dependencies, with an engine or without one.
 *
 *     const int32_t from[] = {0, 0, 1, 2}, to[] = {1, 2, 3, 3};
 *     sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
 *     sw_graph *graph = NULL;
 *     if (sw_graph_new(&options, 4, from, to, 4, &graph, &err) < 0)
 *         ...
 *     sw_analysis_options what = SW_ANALYSIS_OPTIONS_INIT;
 *     what.duration_us = durations;
 *     sw_result *result = NULL;
 *     if (sw_graph_analyze(graph, &what, &result, &err) < 0)
 *         ...
 *     const sw_analysis *answer = sw_analyses(result, NULL);
 *     ... answer->span_us, answer->critical_path, answer->width ...
 *     sw_result_free(result);
 *     sw_graph_free(graph);
 *
 * Nodes are numbered from 0; an edge (from, to) means that `to` depends on `from`. Durations are
 * microseconds, or any other unit: answers are in the unit of the question. A graph never changes,
 * so that threads may ask it at once; sw_graph_edit makes a new one from it. The same question
 * always gets the same answer. Not here: pictures (picture.h).
 */
#ifndef STEPWELL_GRAPH_H
#define STEPWELL_GRAPH_H

#include "error.h"
#include "sys/env.h"
#include "types.h"
#include "workflow.h"

typedef struct sw_graph sw_graph;
typedef struct sw_graph_edit sw_graph_edit;

typedef struct sw_graph_options {
    uint32_t size;
    int32_t repeats;   /* edges given twice: 0: an error, 1: the first one counts */
    const sw_env *env; /* NULL: sw_env_system(); must outlive the graph and its results */
} sw_graph_options;

#define SW_GRAPH_OPTIONS_INIT {.size = sizeof(sw_graph_options)}

/* The edges, grouped by their start and by their end. A node's dependents are
 * out_node[out_start[node]] up to, without it, out_node[out_start[node + 1]]; its dependencies
 * lie in in_node likewise. Inside a group the edges keep the order in which they were given, and
 * out_row says which one of the given ones each is. */
typedef struct sw_graph_view {
    uint32_t size;
    int32_t node_count;
    int32_t edge_count;
    int32_t reserved;
    const int32_t *out_start; /* node_count + 1 */
    const int32_t *out_node;  /* edge_count */
    const int32_t *out_row;   /* edge_count */
    const int32_t *in_start;  /* node_count + 1 */
    const int32_t *in_node;   /* edge_count */
} sw_graph_view;

#define SW_GRAPH_VIEW_INIT {.size = sizeof(sw_graph_view)}

/* An edge; row is its place in the list the graph was made from. */
typedef struct sw_graph_edge {
    int32_t from;
    int32_t to;
    int32_t row;
} sw_graph_edge;

/* What to find out, one bit each. All take time linear in nodes and edges but WIDTH and REDUNDANT
 * (see there). A graph with a cycle has components and cycles, ends and no more. */
#define SW_ANALYSIS_PART_MAP(XX)                                                                   \
    XX(ORDER, 1, "order")                                                                          \
    XX(LEVELS, 2, "levels")                                                                        \
    XX(ENDS, 4, "ends")                                                                            \
    XX(COMPONENTS, 8, "components")                                                                \
    XX(CYCLES, 16, "cycles")                                                                       \
    XX(SPAN, 32, "span")                                                                           \
    XX(TIME, 64, "time")                                                                           \
    XX(BOTTLENECKS, 128, "bottlenecks")                                                            \
    XX(WIDTH, 256, "width")                                                                        \
    XX(REDUNDANT, 512, "redundant")

typedef enum sw_analysis_part {
#define SW_ENUM_VALUE(name, value, text) SW_ANALYSIS_##name = value,
    SW_ANALYSIS_PART_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_ANALYSIS_ALL = 1023
} sw_analysis_part;

typedef struct sw_analysis_options {
    uint32_t size;
    int32_t parts;              /* sw_analysis_part, or'ed; 0: all */
    const int64_t *duration_us; /* of each node, 0 or more; NULL: 1 each */
    const int32_t *priority;    /* of each node, higher first, where the order is open; or NULL */
    const int32_t *roots;       /* where work may begin, for unreachable; NULL: not asked */
    size_t root_count;
    int64_t bottleneck_max; /* rows at most; 0 means 10 */
    int64_t width_effort;    /* edges that the search for the exact width may look at before it
                               settles for bounds; 0 means 100,000,000; -1: no end */
} sw_analysis_options;

#define SW_ANALYSIS_OPTIONS_INIT {.size = sizeof(sw_analysis_options)}

/* A step whose delay or loss hurts. score = (duration / span) x (1 - slack / span) x
 * (1 + dependents): its share of the shortest possible run, how little room it has, and how many
 * steps wait for it directly. */
typedef struct sw_bottleneck {
    int32_t node;
    int32_t dependents; /* direct ones */
    int64_t duration_us;
    int64_t slack_us;
    double share; /* duration / span, 0..1 */
    double score;
} sw_bottleneck;

/* Why an edge is in the set whose removal breaks the cycles of a component.
 * EVERY_CYCLE: all cycles of the component pass through it; it alone is enough. SMALLEST: part of
 * a set than which none is smaller. TWO_WAY: its opposite edge is there too, and one of the two
 * must go. BACKWARD: it points backward in an order in which most edges point forward. */
#define SW_CUT_REASON_MAP(XX)                                                                      \
    XX(EVERY_CYCLE, 0, "every_cycle")                                                              \
    XX(SMALLEST, 1, "smallest")                                                                    \
    XX(TWO_WAY, 2, "two_way")                                                                      \
    XX(BACKWARD, 3, "backward")

typedef enum sw_cut_reason {
#define SW_ENUM_VALUE(name, value, text) SW_CUT_##name = value,
    SW_CUT_REASON_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_CUT_REASON_COUNT = 4
} sw_cut_reason;

/* An edge to remove. */
typedef struct sw_cut {
    int32_t from;
    int32_t to;
    int32_t row;
    int32_t reason; /* sw_cut_reason */
} sw_cut;

/* A knot: a strongly connected component of two nodes or more. */
typedef struct sw_knot {
    const int32_t *nodes; /* ascending */
    size_t node_count;
    int64_t edge_count;   /* inside it */
    const int32_t *cycle; /* each depends on the one before it, the first on the last; the lowest
                             node is first */
    size_t cycle_count;
    const sw_cut *cuts; /* removing these edges leaves no cycle in it */
    size_t cut_count;
    int64_t cut_least;      /* no smaller set can do */
    int32_t cycle_shortest; /* 1: no shorter cycle is in it; 0: the search ended at its limit */
    int32_t cut_smallest;   /* 1: cut_count = cut_least */
} sw_knot;

/* The answer to one question. Parts that were not asked for or do not exist (on a graph with a
 * cycle) are zero; parts has the bits of those that are there. Arrays "of each node" have
 * node_count elements. */
typedef struct sw_analysis {
    int32_t parts;
    int32_t acyclic; /* always there */
    int32_t node_count;
    int32_t edge_count;

    /* ORDER: dependencies first; ties by priority, then the lower number. */
    const int32_t *order;

    /* LEVELS: longest and shortest distance of each node from a root; nodes per level. */
    const int32_t *level;
    const int32_t *shortest;
    const int32_t *level_width; /* level_count */
    int32_t level_count;        /* the depth: nodes on a longest path */
    int32_t level_widest;       /* the number of the widest level; the first of equals */

    /* ENDS: nodes without dependencies, without dependents, without either; nodes that no root of
     * the options leads to. An orphan is a root and a leaf too. */
    const int32_t *roots;
    const int32_t *leaves;
    const int32_t *orphans;
    const int32_t *unreachable;
    int32_t root_count;
    int32_t leaf_count;
    int32_t orphan_count;
    int32_t unreachable_count;

    /* COMPONENTS: which part of each node, if edges are followed both ways; numbered by their
     * lowest nodes. */
    const int32_t *component;
    int32_t component_count;

    /* CYCLES: ordered by their lowest nodes; none on an acyclic graph. */
    int32_t knot_count;
    const sw_knot *knots;

    /* SPAN, with any number of workers: the longest path by duration, which no run can beat. */
    const int32_t *critical_path; /* from a root to a leaf; of equals the lower numbers */
    int32_t critical_count;
    int32_t reserved;
    int64_t work_us;    /* sum of all durations */
    int64_t span_us;    /* sum along the critical path */
    double parallelism; /* work / span: workers that can be kept busy; 0 for no work */

    /* TIME: when each node begins at the earliest and, without delaying the end, at the latest;
     * slack (latest - earliest); and free float: how much later than at the earliest it may end
     * without delaying a dependent or the end. */
    const int64_t *earliest_us;
    const int64_t *latest_us;
    const int64_t *slack_us;
    const int64_t *float_us;

    /* BOTTLENECKS: highest score first. */
    const sw_bottleneck *bottlenecks;
    size_t bottleneck_count;

    /* WIDTH: the largest set of nodes none of which depends on another (a maximum antichain, by
     * Dilworth's theorem as a minimum chain cover, found by augmenting paths). width_exact is 1
     * when width_least = width_most; otherwise the true width lies between them: the search was
     * stopped by width_effort. antichain is such a set of width_least nodes, ascending. */
    const int32_t *antichain;
    int32_t width_least;
    int32_t width_most;
    int32_t width_exact;

    /* REDUNDANT: edges that follow from others (the complement of the transitive reduction), in
     * the order of the list. Time grows with edges x the nodes that edges leap over / 512; where
     * that is above 500 million, the part is left out, and sw_graph_reduce still answers. */
    int32_t redundant_count;
    const sw_graph_edge *redundant;
} sw_analysis;

/* Which way to go. DEPENDENTS: who is blocked if a node fails. DEPENDENCIES: who must finish
 * before it. */
typedef enum sw_reach_direction {
    SW_REACH_DEPENDENTS = 0,
    SW_REACH_DEPENDENCIES = 1
} sw_reach_direction;

/* The nodes on one side of a node, without itself unless it is on a cycle. Bit n % 64 of word
 * n / 64 stands for node n. */
typedef struct sw_reach {
    int32_t node;
    int32_t count;
    const uint64_t *bits; /* (node_count + 63) / 64 words */
} sw_reach;

/* Something that steps take up while they run; capacity is how much there is of it. */
typedef struct sw_graph_resource {
    int64_t capacity;
    const int64_t *demand; /* of each node, 0..capacity */
    sw_str name;           /* for messages; may be absent */
} sw_graph_resource;

typedef struct sw_makespan_options {
    uint32_t size;
    int32_t workers;            /* steps that may run at once; 0: any number */
    const int64_t *duration_us; /* of each node, 0 or more; NULL: 1 each */
    const sw_graph_resource *resources;
    size_t resource_count;
} sw_makespan_options;

#define SW_MAKESPAN_OPTIONS_INIT {.size = sizeof(sw_makespan_options)}

/* When a step runs in the schedule, and on which worker (from 0; the lowest free one). */
typedef struct sw_graph_slot {
    int32_t node;
    int32_t worker;
    int64_t start_us;
    int64_t end_us;
} sw_graph_slot;

/* How long a run takes. Found by list scheduling (Graham 1969): whenever something is free, the
 * ready step with the longest way to the end begins. With workers alone it is at most
 * 2 - 1/workers times as long as the shortest possible run; no run is shorter than bound_us. */
typedef struct sw_makespan {
    int64_t makespan_us;
    int64_t bound_us;          /* the greatest of the next three */
    int64_t bound_span_us;     /* the critical path */
    int64_t bound_workers_us;  /* work / workers, rounded up; 0 for any number of workers */
    int64_t bound_resource_us; /* sum of duration x demand / capacity of the tightest resource */
    int64_t work_us;
    int32_t resource; /* index of the tightest one, -1: none */
    int32_t workers;  /* most that were busy at once */
    double used;      /* work / (makespan x workers allowed, or busy at once), 0..1 */
} sw_makespan;

/* What differs between two graphs, by name. */
#define SW_CHANGE_KIND_MAP(XX)                                                                     \
    XX(NODE_ADDED, 0, "node_added")                                                                \
    XX(NODE_REMOVED, 1, "node_removed")                                                            \
    XX(NODE_CHANGED, 2, "node_changed")                                                            \
    XX(EDGE_ADDED, 3, "edge_added")                                                                \
    XX(EDGE_REMOVED, 4, "edge_removed")

typedef enum sw_change_kind {
#define SW_ENUM_VALUE(name, value, text) SW_CHANGE_##name = value,
    SW_CHANGE_KIND_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_CHANGE_KIND_COUNT = 5
} sw_change_kind;

/* What differs between two steps of the same name, one bit each. */
#define SW_CHANGE_FIELD_MAP(XX)                                                                    \
    XX(TITLE, 1, "title")                                                                          \
    XX(HANDLER, 2, "handler")                                                                      \
    XX(QUEUE, 4, "queue")                                                                          \
    XX(PARAMETERS, 8, "parameters")                                                                \
    XX(PRIORITY, 16, "priority")                                                                   \
    XX(RETRY, 32, "retry")                                                                         \
    XX(TIMEOUT, 64, "timeout")                                                                     \
    XX(ON_FAILURE, 128, "on_failure")                                                              \
    XX(TRIGGER, 256, "trigger")                                                                    \
    XX(BREAKER, 512, "breaker")

typedef enum sw_change_field {
#define SW_ENUM_VALUE(name, value, text) SW_CHANGE_IN_##name = value,
    SW_CHANGE_FIELD_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_CHANGE_IN_NOTHING = 0
} sw_change_field;

/* One edit. For a node: its number in both graphs, -1 where it is not. For an edge: the numbers of
 * its end in both, and where it starts in name_from. */
typedef struct sw_change {
    int32_t kind;   /* sw_change_kind */
    int32_t fields; /* NODE_CHANGED: sw_change_field, or'ed */
    int32_t before;
    int32_t after;
    sw_str name;
    sw_str name_from; /* absent for nodes */
} sw_change;

SW_BEGIN_DECLS

/* Name of a part, a reason, a kind or a field, "unknown" for any other number; the part with a
 * name.
 *
 * owns:    never freed (static); name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND of sw_analysis_part_find.
 */
SW_API const char *sw_analysis_part_name(int part);
SW_API int sw_analysis_part_find(sw_str name);
SW_API const char *sw_cut_reason_name(int reason);
SW_API const char *sw_change_kind_name(int kind);
SW_API const char *sw_change_field_name(int field);

/* Make a graph from numbers. The edges may come in any order and may form cycles.
 *
 * owns:    options, from and to are borrowed until return: they are read where they lie, and the
 *          graph keeps a form of its own; *out is the caller's (sw_graph_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: an edge out of range, from a node to itself, or given twice),
 *          SW_ELIMIT (2^31 - 1 nodes or edges), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_new(const sw_graph_options *options, int32_t node_count, const int32_t *from,
                        const int32_t *to, size_t edge_count, sw_graph **out, sw_error *err);

/* Make a graph from names: nodes are numbered as in names, then in the order in which the edges
 * name others, start before end. names may be NULL with a name_count of 0.
 *
 * owns:    options, names, from, to and all strings are borrowed until return; *out is the
 *          caller's (sw_graph_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: of names for a name absent or given twice, of edges for an end
 *          that is absent, an edge from a node to itself or given twice; the message says which),
 *          SW_ELIMIT, SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_new_named(const sw_graph_options *options, const sw_str *names,
                              size_t name_count, const sw_str *from, const sw_str *to,
                              size_t edge_count, sw_graph **out, sw_error *err);

/* Make a graph from a definition: its steps in their order, with their names. The row of an edge
 * counts over the `after` lists of the steps, one after the other.
 *
 * owns:    options and workflow are borrowed until return; *out is the caller's (sw_graph_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL, SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_new_workflow(const sw_graph_options *options, const sw_workflow *workflow,
                                 sw_graph **out, sw_error *err);

/* Give up a graph. NULL is allowed. Results and edits outlive it.
 *
 * owns:    graph is taken.
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_graph_free(sw_graph *graph);

/* The arrays of a graph. Set view->size first.
 *
 * owns:    view is borrowed until return; its arrays are borrowed until graph is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL.
 */
SW_API int sw_graph_view_get(const sw_graph *graph, sw_graph_view *view, sw_error *err);

/* Name of a node; absent for a graph made from numbers and for a number that is no node.
 *
 * owns:    borrowed until graph is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API sw_str sw_graph_name(const sw_graph *graph, int32_t node);

/* Number of the node with a name.
 *
 * owns:    name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND.
 */
SW_API int32_t sw_graph_find(const sw_graph *graph, sw_str name);

/* A topological order of the nodes into order[node_count]. With priorities: ties by priority, then
 * the lower number, O(E + V log V). With NULL: some order, always the same, in O(E + V) at the
 * speed of memory.
 *
 * owns:    priority and order are borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EDEFINITION (a cycle; the message names it), SW_ENOMEM.
 */
SW_API int sw_graph_order(const sw_graph *graph, const int32_t *priority, int32_t *order,
                          sw_error *err);

/* Find out all that options ask for; sw_analyses gives one row.
 *
 * owns:    options and its arrays are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: of nodes for a negative duration, of roots for a number that is no
 *          node; -1 for parts), SW_ELIMIT (err->row: the node at which the sum of durations passes
 *          2^63 - 1), SW_ENOMEM. A cycle is no error. On error *out is NULL.
 */
SW_API int sw_graph_analyze(const sw_graph *graph, const sw_analysis_options *options,
                            sw_result **out, sw_error *err);

/* The knots of a graph with guidance how to break them; sw_knots gives one row each. If one edge
 * is on every cycle of a knot, it is the answer; else, for knots of up to 16 nodes, a smallest set
 * (dynamic programming over subsets, Lawler 1964); beyond, the backward edges of the best of three
 * orders: that of the numbers, of a depth-first search, and of Eades, Lin and Smyth (1993), which
 * has at most half of the edges, edges / 2 - nodes / 6 where no edge has its opposite. Edges that
 * need not go are given back. A call looks at 50 million edges or so; what is not proven by then
 * is marked so (cycle_shortest, cut_smallest), and some edges may not be needed.
 *
 * owns:    *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOMEM. No knot is no error. On error *out is NULL.
 */
SW_API int sw_graph_cycles(const sw_graph *graph, sw_result **out, sw_error *err);

/* The nodes that each of some nodes reaches; sw_reaches gives one row per node, in their order.
 *
 * owns:    nodes are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: a number that is no node; -1: direction), SW_ENOMEM. On error *out
 *          is NULL.
 */
SW_API int sw_graph_reach(const sw_graph *graph, int direction, const int32_t *nodes,
                          size_t node_count, sw_result **out, sw_error *err);

/* The nodes that all of some nodes reach: with SW_REACH_DEPENDENCIES their common ancestors.
 * sw_reaches gives two rows with node -1: all of them, and of these the nearest ones, between which
 * and the nodes no other common one lies. Nothing is common to no nodes.
 *
 * owns:    nodes are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: a number that is no node; -1: direction), SW_ENOMEM. On error *out
 *          is NULL.
 */
SW_API int sw_graph_common(const sw_graph *graph, int direction, const int32_t *nodes,
                           size_t node_count, sw_result **out, sw_error *err);

/* The edges that follow from others; without them the graph is its own transitive reduction.
 * sw_graph_edges gives them in the order of the list the graph was made from.
 *
 * owns:    *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EDEFINITION (a cycle; the message names it), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_reduce(const sw_graph *graph, sw_result **out, sw_error *err);

/* How long a run takes with limited workers and resources; sw_makespans gives one row,
 * sw_graph_slots the schedule in the order of its starts.
 *
 * owns:    options and its arrays are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EDEFINITION (a cycle; the message names it), SW_EINVAL (err->row: of nodes for a
 *          negative duration or a demand that is negative or above the capacity, of resources for
 *          a capacity below 1 or a demand that is missing; -1 for workers), SW_ELIMIT (err->row:
 *          the node at which a sum passes 2^63 - 1), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_makespan(const sw_graph *graph, const sw_makespan_options *options,
                             sw_result **out, sw_error *err);

/* The edits that turn one graph into another, by name: nodes removed, changed and added, then
 * edges removed and added. sw_graph_diff sees no changes in nodes, sw_workflow_diff compares the
 * steps too. sw_changes gives the rows.
 *
 * owns:    both are borrowed until return; *out is the caller's (sw_result_free) and has copies of
 *          the names.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (a node without a name), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_diff(const sw_graph *before, const sw_graph *after, sw_result **out,
                         sw_error *err);
SW_API int sw_workflow_diff(const sw_workflow *before, const sw_workflow *after, sw_result **out,
                            sw_error *err);

/* Begin to change a graph that has no cycle. The edit keeps an order of the nodes up to date, so
 * that a new edge costs time in the nodes between its ends, not in all (Pearce and Kelly 2007).
 *
 * owns:    graph is borrowed until return; *out is the caller's (sw_graph_edit_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EDEFINITION (a cycle; the message names it), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_edit_new(const sw_graph *graph, sw_graph_edit **out, sw_error *err);

/* Add nodes, numbered on from those there are, then edges. All of them or none. names may be NULL:
 * the nodes have none.
 *
 * owns:    names, from and to are borrowed until return.
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  with err->row of edges: SW_EDEFINITION (the edge closes a cycle; the message names it),
 *          SW_EINVAL (out of range, from a node to itself, or there already); of names: SW_EINVAL
 *          (absent, or there already); SW_ELIMIT, SW_ENOMEM. On error nothing was added.
 */
SW_API int sw_graph_edit_insert(sw_graph_edit *edit, int32_t node_count, const sw_str *names,
                                const int32_t *from, const int32_t *to, size_t edge_count,
                                sw_error *err);

/* The order that the edit keeps, into order[]: as many elements as there are nodes by now. Nodes
 * that no new edge touches stay where they were.
 *
 * owns:    order is borrowed until return.
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  none.
 */
SW_API int sw_graph_edit_order(const sw_graph_edit *edit, int32_t *order, sw_error *err);

/* The graph as it is by now. Rows count anew: the old edges in their order, then the new ones in
 * the order in which they came. The edit goes on.
 *
 * owns:    *out is the caller's (sw_graph_free).
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_edit_finish(const sw_graph_edit *edit, sw_graph **out, sw_error *err);

/* Give up an edit. NULL is allowed.
 *
 * owns:    edit is taken.
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_graph_edit_free(sw_graph_edit *edit);

/* Rows of a result of the verbs above.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_analysis *sw_analyses(const sw_result *result, size_t *count);
SW_API const sw_knot *sw_knots(const sw_result *result, size_t *count);
SW_API const sw_reach *sw_reaches(const sw_result *result, size_t *count);
SW_API const sw_graph_edge *sw_graph_edges(const sw_result *result, size_t *count);
SW_API const sw_makespan *sw_makespans(const sw_result *result, size_t *count);
SW_API const sw_graph_slot *sw_graph_slots(const sw_result *result, size_t *count);
SW_API const sw_change *sw_changes(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
