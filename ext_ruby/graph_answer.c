/* What a Stepwell::Graph can be asked: each verb of the core as a private method that takes and
 * gives numbers of nodes, in Arrays and Hashes of plain values.
 *
 * Not here: labels, defaults and the classes of the rows, which are Ruby (lib/stepwell/graph.rb).
 */
#include "rsw.h"

/* The memory of the arguments of one call; holder keeps it. */
typedef struct answer_call {
    rsw_graph_call call;
    rsw_arena *arena;
    VALUE holder;
    const int32_t *nodes;
    size_t node_count;
    int direction;
    int32_t *order;
    size_t graph_nodes;
    sw_analysis_options analysis;
    sw_makespan_options makespan;
} answer_call;

static void answer_begin(answer_call *answer, VALUE self)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    answer->call.graph = rsw_graph_get(self)->graph;
    answer->holder = rsw_arena_new(&answer->arena);
    sw_graph_view_get(answer->call.graph, &view, NULL);
    answer->graph_nodes = (size_t)view.node_count;
}

static VALUE answer_finish(answer_call *answer, VALUE (*convert)(VALUE call), VALUE self)
{
    VALUE value = rsw_graph_finish(&answer->call, convert);

    rsw_arena_free(answer->holder);
    RB_GC_GUARD(answer->holder);
    RB_GC_GUARD(self);
    return value;
}

/* ---- arguments ---- */

static const int32_t *int32s_read(rsw_arena *arena, VALUE values, const char *what, size_t *count)
{
    int32_t *items;

    *count = 0;
    if (NIL_P(values))
        return NULL;
    if (!RB_TYPE_P(values, T_ARRAY))
        rsw_error_type(values, -1, what, "an Array of Integers");
    *count = (size_t)RARRAY_LEN(values);
    items = rsw_arena_rows(arena, *count + 1, sizeof(*items));
    for (size_t i = 0; i < *count; i++)
        items[i] = rsw_int32(rb_ary_entry(values, (long)i), (int64_t)i, what);
    return items;
}

static void length_check(const answer_call *answer, size_t count, const char *what)
{
    if (count != answer->graph_nodes)
        rsw_error_fail(SW_EINVAL, -1, "%s has %zu items for %zu nodes", what, count,
                       answer->graph_nodes);
}

static const int32_t *priority_read(answer_call *answer, VALUE values)
{
    size_t count;
    const int32_t *items = int32s_read(answer->arena, values, "priority", &count);

    if (items)
        length_check(answer, count, "priority");
    return items;
}

static const int64_t *int64s_read(answer_call *answer, VALUE values, const char *what)
{
    int64_t *items;

    if (NIL_P(values))
        return NULL;
    if (!RB_TYPE_P(values, T_ARRAY))
        rsw_error_type(values, -1, what, "an Array of Integers");
    length_check(answer, (size_t)RARRAY_LEN(values), what);
    items = rsw_arena_rows(answer->arena, answer->graph_nodes + 1, sizeof(*items));
    for (size_t i = 0; i < answer->graph_nodes; i++)
        items[i] = rsw_int64(rb_ary_entry(values, (long)i), (int64_t)i, what);
    return items;
}

/* ---- plain values ---- */

static VALUE int32s_new(const int32_t *items, size_t count)
{
    VALUE array = rb_ary_new_capa((long)count), some[RSW_ARRAY_STEP];

    for (size_t i = 0; i < count;) {
        long taken = 0;

        for (; taken < RSW_ARRAY_STEP && i < count; i++)
            some[taken++] = INT2FIX(items[i]);
        rb_ary_cat(array, some, taken);
    }
    return rb_obj_freeze(array);
}

static VALUE int64s_new(const int64_t *items, size_t count)
{
    VALUE array = rb_ary_new_capa((long)count);

    for (size_t i = 0; i < count; i++)
        rb_ary_push(array, LL2NUM(items[i]));
    return rb_obj_freeze(array);
}

static VALUE symbol_new(const char *name)
{
    return ID2SYM(rb_intern(name));
}

/* ---- order ---- */

static int order_run(rsw_graph_call *call)
{
    answer_call *answer = (answer_call *)call;

    return sw_graph_order(call->graph, answer->analysis.priority, answer->order, &call->error);
}

static VALUE order_convert(VALUE data)
{
    answer_call *answer = (answer_call *)data;

    return int32s_new(answer->order, answer->graph_nodes);
}

static VALUE graph_order(VALUE self, VALUE priority)
{
    answer_call answer = {.call = {.run = order_run}};

    answer_begin(&answer, self);
    answer.analysis.priority = priority_read(&answer, priority);
    answer.order = rsw_arena_rows(answer.arena, answer.graph_nodes + 1, sizeof(*answer.order));
    return answer_finish(&answer, order_convert, self);
}

/* ---- cycles ---- */

static VALUE cut_element(const void *rows, size_t index)
{
    const sw_cut *cut = (const sw_cut *)rows + index;

    return rb_ary_new_from_args(4, INT2FIX(cut->from), INT2FIX(cut->to), INT2FIX(cut->row),
                                symbol_new(sw_cut_reason_name(cut->reason)));
}

static VALUE knot_element(const void *rows, size_t index)
{
    const sw_knot *knot = (const sw_knot *)rows + index;

    return rb_ary_new_from_args(
        7, int32s_new(knot->nodes, knot->node_count), LL2NUM(knot->edge_count),
        int32s_new(knot->cycle, knot->cycle_count),
        rsw_array(knot->cut_count, knot->cuts, cut_element), LL2NUM(knot->cut_least),
        (knot->cycle_shortest ? Qtrue : Qfalse), (knot->cut_smallest ? Qtrue : Qfalse));
}

static int cycles_run(rsw_graph_call *call)
{
    return sw_graph_cycles(call->graph, &call->result, &call->error);
}

static VALUE cycles_convert(VALUE data)
{
    size_t count;
    const sw_knot *knots = sw_knots(((rsw_graph_call *)data)->result, &count);

    return rsw_array(count, knots, knot_element);
}

static VALUE graph_cycles(VALUE self)
{
    answer_call answer = {.call = {.run = cycles_run}};

    answer_begin(&answer, self);
    return answer_finish(&answer, cycles_convert, self);
}

/* ---- reach, common ---- */

static VALUE reach_element(const void *rows, size_t index)
{
    const sw_reach *reach = (const sw_reach *)rows + index;
    VALUE nodes = rb_ary_new_capa(reach->count);
    int32_t found = 0;

    for (size_t word = 0; found < reach->count; word++) {
        for (uint64_t bits = reach->bits[word]; bits != 0; bits &= bits - 1, found++)
            rb_ary_push(nodes, LONG2FIX((long)(word * 64) + __builtin_ctzll(bits)));
    }
    return nodes;
}

static VALUE reach_convert(VALUE data)
{
    size_t count;
    const sw_reach *rows = sw_reaches(((rsw_graph_call *)data)->result, &count);

    return rsw_array(count, rows, reach_element);
}

static int reach_run(rsw_graph_call *call)
{
    answer_call *answer = (answer_call *)call;

    return sw_graph_reach(call->graph, answer->direction, answer->nodes, answer->node_count,
                          &call->result, &call->error);
}

static int common_run(rsw_graph_call *call)
{
    answer_call *answer = (answer_call *)call;

    return sw_graph_common(call->graph, answer->direction, answer->nodes, answer->node_count,
                           &call->result, &call->error);
}

static VALUE reach_call(VALUE self, VALUE direction, VALUE nodes, int (*run)(rsw_graph_call *))
{
    answer_call answer = {.call = {.run = run}};

    answer_begin(&answer, self);
    answer.direction = rsw_int32(direction, -1, "direction");
    answer.nodes = int32s_read(answer.arena, nodes, "nodes", &answer.node_count);
    return answer_finish(&answer, reach_convert, self);
}

static VALUE graph_reach(VALUE self, VALUE direction, VALUE nodes)
{
    return reach_call(self, direction, nodes, reach_run);
}

static VALUE graph_common(VALUE self, VALUE direction, VALUE nodes)
{
    return reach_call(self, direction, nodes, common_run);
}

/* ---- reduce ---- */

static VALUE edge_element(const void *rows, size_t index)
{
    const sw_graph_edge *edge = (const sw_graph_edge *)rows + index;

    return rb_ary_new_from_args(2, INT2FIX(edge->from), INT2FIX(edge->to));
}

static int reduce_run(rsw_graph_call *call)
{
    return sw_graph_reduce(call->graph, &call->result, &call->error);
}

static VALUE reduce_convert(VALUE data)
{
    size_t count;
    const sw_graph_edge *edges = sw_graph_edges(((rsw_graph_call *)data)->result, &count);

    return rsw_array(count, edges, edge_element);
}

static VALUE graph_reduce(VALUE self)
{
    answer_call answer = {.call = {.run = reduce_run}};

    answer_begin(&answer, self);
    return answer_finish(&answer, reduce_convert, self);
}

/* ---- analyze ---- */

/* XX(field, number of elements): Arrays of one Integer per node or level. */
#define ANALYZE_INTS_MAP(XX)                                                                       \
    XX(order, node_count)                                                                          \
    XX(level, node_count)                                                                          \
    XX(shortest, node_count)                                                                       \
    XX(component, node_count)

/* XX(field, number of elements, part): Arrays of nodes, which may be empty. */
#define ANALYZE_SETS_MAP(XX)                                                                       \
    XX(roots, root_count, SW_ANALYSIS_ENDS)                                                        \
    XX(leaves, leaf_count, SW_ANALYSIS_ENDS)                                                       \
    XX(orphans, orphan_count, SW_ANALYSIS_ENDS)                                                    \
    XX(unreachable, unreachable_count, SW_ANALYSIS_ENDS)                                           \
    XX(critical_path, critical_count, SW_ANALYSIS_SPAN)                                            \
    XX(antichain, width_least, SW_ANALYSIS_WIDTH)

/* XX(field, part): Integers. */
#define ANALYZE_NUMBERS_MAP(XX)                                                                    \
    XX(level_count, SW_ANALYSIS_LEVELS)                                                            \
    XX(level_widest, SW_ANALYSIS_LEVELS)                                                           \
    XX(component_count, SW_ANALYSIS_COMPONENTS)                                                    \
    XX(work_us, SW_ANALYSIS_SPAN)                                                                  \
    XX(span_us, SW_ANALYSIS_SPAN)                                                                  \
    XX(width_least, SW_ANALYSIS_WIDTH)                                                             \
    XX(width_most, SW_ANALYSIS_WIDTH)                                                              \
    XX(width_exact, SW_ANALYSIS_WIDTH)

#define ANALYZE_TIMES_MAP(XX) XX(earliest_us) XX(latest_us) XX(slack_us) XX(float_us)

static VALUE bottleneck_element(const void *rows, size_t index)
{
    const sw_bottleneck *row = (const sw_bottleneck *)rows + index;

    return rb_ary_new_from_args(6, INT2FIX(row->node), INT2FIX(row->dependents),
                                LL2NUM(row->duration_us), LL2NUM(row->slack_us),
                                DBL2NUM(row->share), DBL2NUM(row->score));
}

static void answer_put(VALUE hash, const char *key, VALUE value)
{
    rb_hash_aset(hash, symbol_new(key), value);
}

static void analyze_rows(VALUE hash, const sw_analysis *found)
{
    if (found->parts & SW_ANALYSIS_SPAN)
        answer_put(hash, "parallelism", DBL2NUM(found->parallelism));
    if (found->parts & SW_ANALYSIS_BOTTLENECKS)
        answer_put(hash, "bottlenecks",
                   rsw_array(found->bottleneck_count, found->bottlenecks, bottleneck_element));
    if (found->parts & SW_ANALYSIS_CYCLES)
        answer_put(hash, "cycles",
                   rsw_array((size_t)found->knot_count, found->knots, knot_element));
    if (found->parts & SW_ANALYSIS_REDUNDANT)
        answer_put(hash, "redundant",
                   rsw_array((size_t)found->redundant_count, found->redundant, edge_element));
}

static VALUE analyze_convert(VALUE data)
{
    const sw_analysis *found = sw_analyses(((rsw_graph_call *)data)->result, NULL);
    VALUE hash = rb_hash_new();

    answer_put(hash, "parts", INT2FIX(found->parts));
    answer_put(hash, "acyclic", (found->acyclic ? Qtrue : Qfalse));
#define ANALYZE_PUT(field, count)                                                                  \
    if (found->field)                                                                              \
        answer_put(hash, #field, int32s_new(found->field, (size_t)found->count));
    ANALYZE_INTS_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
#define ANALYZE_PUT(field, count, part)                                                            \
    if (found->parts & (part))                                                                     \
        answer_put(hash, #field, int32s_new(found->field, (size_t)found->count));
    ANALYZE_SETS_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
#define ANALYZE_PUT(field, part)                                                                   \
    if (found->parts & (part))                                                                     \
        answer_put(hash, #field, LL2NUM(found->field));
    ANALYZE_NUMBERS_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
#define ANALYZE_PUT(field)                                                                         \
    if (found->parts & SW_ANALYSIS_TIME)                                                           \
        answer_put(hash, #field, int64s_new(found->field, (size_t)found->node_count));
    ANALYZE_TIMES_MAP(ANALYZE_PUT)
#undef ANALYZE_PUT
    analyze_rows(hash, found);
    return hash;
}

static int analyze_run(rsw_graph_call *call)
{
    return sw_graph_analyze(call->graph, &((answer_call *)call)->analysis, &call->result,
                            &call->error);
}

static VALUE graph_analyze(VALUE self, VALUE parts, VALUE duration, VALUE priority, VALUE roots,
                           VALUE most, VALUE effort)
{
    answer_call answer = {.call = {.run = analyze_run}, .analysis = SW_ANALYSIS_OPTIONS_INIT};

    answer_begin(&answer, self);
    answer.analysis.parts = rsw_int32(parts, -1, "parts");
    answer.analysis.duration_us = int64s_read(&answer, duration, "duration");
    answer.analysis.priority = priority_read(&answer, priority);
    answer.analysis.roots = int32s_read(answer.arena, roots, "roots", &answer.analysis.root_count);
    answer.analysis.bottleneck_max = rsw_int64(most, -1, "bottlenecks");
    answer.analysis.width_effort = rsw_int64(effort, -1, "width_effort");
    return answer_finish(&answer, analyze_convert, self);
}

/* ---- makespan ---- */

static void resources_read(answer_call *answer, VALUE rows)
{
    size_t count = (size_t)RARRAY_LEN(rows);
    sw_graph_resource *resources = rsw_arena_rows(answer->arena, count + 1, sizeof(*resources));

    for (size_t i = 0; i < count; i++) {
        VALUE row = rb_ary_entry(rows, (long)i);

        if (!RB_TYPE_P(row, T_ARRAY) || RARRAY_LEN(row) != 3)
            rsw_error_type(row, (int64_t)i, "a resource", "an Array of 3");
        resources[i].name =
            rsw_arena_text(answer->arena, rb_ary_entry(row, 0), (int64_t)i, "a name");
        resources[i].capacity = rsw_int64(rb_ary_entry(row, 1), (int64_t)i, "capacity");
        resources[i].demand = int64s_read(answer, rb_ary_entry(row, 2), "demand");
    }
    answer->makespan.resources = resources;
    answer->makespan.resource_count = count;
}

static VALUE slot_element(const void *rows, size_t index)
{
    const sw_graph_slot *slot = (const sw_graph_slot *)rows + index;

    return rb_ary_new_from_args(4, INT2FIX(slot->node), INT2FIX(slot->worker),
                                LL2NUM(slot->start_us), LL2NUM(slot->end_us));
}

static int makespan_run(rsw_graph_call *call)
{
    return sw_graph_makespan(call->graph, &((answer_call *)call)->makespan, &call->result,
                             &call->error);
}

static VALUE makespan_convert(VALUE data)
{
    const sw_result *result = ((rsw_graph_call *)data)->result;
    const sw_makespan *found = sw_makespans(result, NULL);
    size_t count;
    const sw_graph_slot *slots = sw_graph_slots(result, &count);

    return rb_ary_new_from_args(10, LL2NUM(found->makespan_us), LL2NUM(found->bound_us),
                                LL2NUM(found->bound_span_us), LL2NUM(found->bound_workers_us),
                                LL2NUM(found->bound_resource_us), LL2NUM(found->work_us),
                                INT2FIX(found->resource), INT2FIX(found->workers),
                                DBL2NUM(found->used), rsw_array(count, slots, slot_element));
}

static VALUE graph_makespan(VALUE self, VALUE duration, VALUE workers, VALUE resources)
{
    answer_call answer = {.call = {.run = makespan_run}, .makespan = SW_MAKESPAN_OPTIONS_INIT};

    answer_begin(&answer, self);
    answer.makespan.duration_us = int64s_read(&answer, duration, "duration");
    answer.makespan.workers = rsw_int32(workers, -1, "workers");
    Check_Type(resources, T_ARRAY);
    resources_read(&answer, resources);
    return answer_finish(&answer, makespan_convert, self);
}

void rsw_graph_answer_init(void)
{
    rb_define_private_method(rsw_cGraph, "native_order", graph_order, 1);
    rb_define_private_method(rsw_cGraph, "native_cycles", graph_cycles, 0);
    rb_define_private_method(rsw_cGraph, "native_reach", graph_reach, 2);
    rb_define_private_method(rsw_cGraph, "native_common", graph_common, 2);
    rb_define_private_method(rsw_cGraph, "native_reduce", graph_reduce, 0);
    rb_define_private_method(rsw_cGraph, "native_analyze", graph_analyze, 6);
    rb_define_private_method(rsw_cGraph, "native_makespan", graph_makespan, 3);
}
