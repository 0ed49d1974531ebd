/* Stepwell::Graph: making it, and the calls into the core. It works with numbers of nodes; the
 * Ruby part (lib/stepwell/graph.rb) gives and takes labels.
 *
 * A graph never changes after it was made. The GVL is released for graphs of some size, and for
 * these the wait cannot be interrupted: a million nodes take about a second. Not here: reading of
 * edges (graph_edges.c), making of answers (graph_answer.c), edits (graph_edit.c).
 */
#include "rsw.h"

#include <ruby/thread.h>
#include <stdlib.h>

#define GRAPH_SMALL 10000 /* nodes and edges, about a tenth of a millisecond of linear work */

VALUE rsw_cGraph;

static void graph_dfree(void *data)
{
    rsw_graph *graph = data;

    sw_graph_free(graph->named);
    sw_graph_free(graph->graph);
    sw_workflow_free(graph->workflow);
    xfree(graph);
}

static void graph_mark(void *data)
{
    rsw_graph *graph = data;

    rb_gc_mark(graph->labels);
    rb_gc_mark(graph->index);
}

static size_t graph_dsize(const void *data)
{
    const rsw_graph *graph = data;
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    if (!graph->graph)
        return sizeof(*graph);
    sw_graph_view_get(graph->graph, &view, NULL);
    return sizeof(*graph) + (size_t)view.node_count * 8 + (size_t)view.edge_count * 12;
}

static const rb_data_type_t graph_type = {
    .wrap_struct_name = "Stepwell::Graph",
    .function = {.dmark = graph_mark, .dfree = graph_dfree, .dsize = graph_dsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE graph_alloc(VALUE class)
{
    rsw_graph *graph;
    VALUE object = TypedData_Make_Struct(class, rsw_graph, &graph_type, graph);

    graph->labels = graph->index = Qnil;
    return object;
}

rsw_graph *rsw_graph_get(VALUE self)
{
    rsw_graph *graph = rb_check_typeddata(self, &graph_type);

    if (!graph->graph)
        rsw_error_fail(SW_ESTATE, -1, "the graph was not made");
    return graph;
}

VALUE rsw_graph_wrap(sw_graph *made, sw_workflow *workflow, VALUE labels, VALUE index)
{
    VALUE object = graph_alloc(rsw_cGraph);
    rsw_graph *graph = RTYPEDDATA_DATA(object);

    graph->graph = made;
    graph->workflow = workflow;
    graph->labels = labels;
    graph->index = index;
    return object;
}

sw_graph **rsw_graph_place(VALUE self)
{
    return &((rsw_graph *)RTYPEDDATA_DATA(self))->graph;
}

/* ---- calls ---- */

static void *graph_invoke(void *data)
{
    rsw_graph_call *call = data;

    call->code = call->run(call);
    return NULL;
}

void rsw_graph_run(rsw_graph_call *call)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    size_t size = call->size;

    if (call->graph) {
        sw_graph_view_get(call->graph, &view, NULL);
        size = (size_t)view.node_count + (size_t)view.edge_count;
    }
    if (size > GRAPH_SMALL)
        rb_nogvl(graph_invoke, call, NULL, NULL, 0);
    else
        graph_invoke(call);
}

static VALUE graph_result_free(VALUE data)
{
    sw_result_free(((rsw_graph_call *)data)->result);
    return Qnil;
}

VALUE rsw_graph_finish(rsw_graph_call *call, VALUE (*convert)(VALUE call))
{
    rsw_graph_run(call);
    if (call->code < 0)
        rsw_error_raise(&call->error);
    return rb_ensure(convert, (VALUE)call, graph_result_free, (VALUE)call);
}

/* ---- with names ---- */

typedef struct named_request {
    rsw_arena *arena;
    VALUE holder;
    sw_graph_options options;
    const int32_t *from;
    const int32_t *to;
    size_t count;
} named_request;

static sw_graph *named_new(const named_request *request, VALUE labels, sw_error *error)
{
    size_t name_count = (size_t)RARRAY_LEN(labels);
    sw_str *names = rsw_arena_rows(request->arena, name_count + 1, sizeof(*names));
    sw_str *ends = rsw_arena_rows(request->arena, 2 * request->count + 1, sizeof(*ends));
    sw_graph *graph = NULL;

    for (size_t i = 0; i < name_count; i++) {
        VALUE text = rb_obj_as_string(rb_ary_entry(labels, (long)i));

        names[i] = rsw_arena_text(request->arena, text, -1, "a node");
    }
    for (size_t i = 0; i < request->count; i++) {
        ends[i] = names[request->from[i]];
        ends[request->count + i] = names[request->to[i]];
    }
    sw_graph_new_named(&request->options, names, name_count, ends, ends + request->count,
                       request->count, &graph, error);
    return graph;
}

static int edge_compare(const void *a, const void *b)
{
    const int32_t *left = a, *right = b;

    return (left[0] > right[0]) - (left[0] < right[0]);
}

/* The edges in the order of their rows: row, from, to. */
static int32_t (*graph_edges_sorted(const sw_graph *graph, rsw_arena *arena, size_t *count))[3]
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    int32_t(*edges)[3];

    sw_graph_view_get(graph, &view, NULL);
    *count = (size_t)view.edge_count;
    edges = rsw_arena_rows(arena, *count + 1, sizeof(*edges));
    for (int32_t node = 0; node < view.node_count; node++) {
        for (int32_t i = view.out_start[node]; i < view.out_start[node + 1]; i++) {
            edges[i][0] = view.out_row[i];
            edges[i][1] = node;
            edges[i][2] = view.out_node[i];
        }
    }
    qsort(edges, *count, sizeof(*edges), edge_compare);
    return edges;
}

const sw_graph *rsw_graph_named(rsw_graph *graph)
{
    named_request request = {.options = SW_GRAPH_OPTIONS_INIT};
    int32_t(*edges)[3];
    int32_t *from, *to;
    sw_error error = {0};

    if (NIL_P(graph->labels) || graph->workflow)
        return graph->graph;
    if (graph->named)
        return graph->named;
    request.holder = rsw_arena_new(&request.arena);
    edges = graph_edges_sorted(graph->graph, request.arena, &request.count);
    from = rsw_arena_rows(request.arena, request.count + 1, sizeof(*from));
    to = rsw_arena_rows(request.arena, request.count + 1, sizeof(*to));
    for (size_t i = 0; i < request.count; i++) {
        from[i] = edges[i][1];
        to[i] = edges[i][2];
    }
    request.from = from;
    request.to = to;
    graph->named = named_new(&request, graph->labels, &error);
    rsw_arena_free(request.holder);
    RB_GC_GUARD(request.holder);
    if (!graph->named)
        rsw_error_raise(&error);
    return graph->named;
}

/* ---- from edges ---- */

typedef struct new_call {
    rsw_graph_call call;
    sw_graph_options options;
    rsw_edges edges;
    rsw_graph *target;
    VALUE given;
    VALUE nodes;
} new_call;

static int new_run(rsw_graph_call *call)
{
    new_call *make = (new_call *)call;

    return sw_graph_new(&make->options, make->edges.node_count, make->edges.from, make->edges.to,
                        make->edges.count, &make->target->graph, &call->error);
}

/* The same error with labels in its message. */
static void new_explain(new_call *make)
{
    named_request request = {.options = make->options,
                             .from = make->edges.from,
                             .to = make->edges.to,
                             .count = make->edges.count};

    request.holder = rsw_arena_new(&request.arena);
    sw_graph_free(named_new(&request, make->edges.labels, &make->call.error));
    rsw_arena_free(request.holder);
    RB_GC_GUARD(request.holder);
}

static VALUE new_body(VALUE data)
{
    new_call *make = (new_call *)data;

    rsw_edges_read(make->given, make->nodes, &make->edges);
    make->call.size = make->edges.count + (size_t)make->edges.node_count;
    rsw_graph_run(&make->call);
    if (make->call.code == SW_EINVAL && !NIL_P(make->edges.labels))
        new_explain(make);
    if (make->call.code < 0)
        rsw_error_raise(&make->call.error);
    make->target->labels = make->edges.labels;
    make->target->index = make->edges.index;
    return Qnil;
}

static VALUE new_free(VALUE data)
{
    rsw_edges_free(&((new_call *)data)->edges);
    return Qnil;
}

static VALUE graph_initialize(VALUE self, VALUE edges, VALUE nodes, VALUE repeats)
{
    new_call make = {.call = {.run = new_run}, .options = SW_GRAPH_OPTIONS_INIT};

    make.target = rb_check_typeddata(self, &graph_type);
    if (make.target->graph)
        rsw_error_fail(SW_ESTATE, -1, "this graph was made already");
    make.given = edges;
    make.nodes = nodes;
    make.options.repeats = rsw_bool(repeats, "repeats");
    rb_ensure(new_body, (VALUE)&make, new_free, (VALUE)&make);
    RB_GC_GUARD(make.edges.labels);
    RB_GC_GUARD(make.edges.index);
    RB_GC_GUARD(self);
    return Qnil;
}

/* ---- from a definition ---- */

static VALUE graph_load(VALUE class, VALUE text)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    VALUE labels = rb_ary_new();
    VALUE object = rsw_graph_wrap(NULL, NULL, labels, Qnil);
    rsw_graph *graph = RTYPEDDATA_DATA(object);
    const sw_workflow_step *steps;
    sw_error error;
    size_t count;

    (void)class;
    graph->workflow = rsw_workflow_load(text);
    steps = sw_workflow_steps(graph->workflow, &count);
    for (size_t i = 0; i < count; i++)
        rb_ary_push(labels, rsw_str(steps[i].name));
    if (sw_graph_new_workflow(&options, graph->workflow, &graph->graph, &error) < 0)
        rsw_error_raise(&error);
    RB_GC_GUARD(object);
    return object;
}

/* ---- what it knows of itself ---- */

static VALUE graph_node_count(VALUE self)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    sw_graph_view_get(rsw_graph_get(self)->graph, &view, NULL);
    return INT2FIX(view.node_count);
}

static VALUE graph_edge_count(VALUE self)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;

    sw_graph_view_get(rsw_graph_get(self)->graph, &view, NULL);
    return INT2FIX(view.edge_count);
}

static VALUE graph_pairs(VALUE self)
{
    rsw_arena *arena;
    VALUE holder = rsw_arena_new(&arena), pairs;
    size_t count;
    int32_t(*edges)[3] = graph_edges_sorted(rsw_graph_get(self)->graph, arena, &count);

    pairs = rb_ary_new_capa((long)count);
    for (size_t i = 0; i < count; i++)
        rb_ary_push(pairs, rb_ary_new_from_args(2, INT2FIX(edges[i][1]), INT2FIX(edges[i][2])));
    rsw_arena_free(holder);
    RB_GC_GUARD(holder);
    RB_GC_GUARD(self);
    return pairs;
}

static VALUE graph_labels(VALUE self)
{
    return rsw_graph_get(self)->labels;
}

/* Most graphs are asked as a whole; only who asks by name needs the way from names to numbers. */
static VALUE graph_index(VALUE self)
{
    rsw_graph *graph = rsw_graph_get(self);
    VALUE index;

    if (NIL_P(graph->labels) || !NIL_P(graph->index))
        return graph->index;
    index = rb_hash_new();
    for (long i = 0; i < RARRAY_LEN(graph->labels); i++)
        rb_hash_aset(index, rb_ary_entry(graph->labels, i), LONG2FIX(i));
    return graph->index = index;
}

/* What the nodes of these numbers are called. One call for all, and not values_at(*numbers), for
 * which a hundred thousand numbers are more than the stack of Ruby holds. */
static VALUE graph_labelled(VALUE self, VALUE numbers)
{
    VALUE labels = rsw_graph_get(self)->labels, named, some[RSW_ARRAY_STEP];

    Check_Type(numbers, T_ARRAY);
    if (NIL_P(labels))
        return rb_obj_freeze(numbers);
    named = rb_ary_new_capa(RARRAY_LEN(numbers));
    for (long i = 0; i < RARRAY_LEN(numbers);) {
        long taken = 0;

        for (; taken < RSW_ARRAY_STEP && i < RARRAY_LEN(numbers); i++)
            some[taken++] = rb_ary_entry(labels, NUM2LONG(RARRAY_AREF(numbers, i)));
        rb_ary_cat(named, some, taken);
    }
    return rb_obj_freeze(named);
}

void rsw_graph_init(void)
{
    rsw_cGraph = rb_define_class_under(rsw_mStepwell, "Graph", rb_cObject);
    rb_gc_register_mark_object(rsw_cGraph);
    rb_define_alloc_func(rsw_cGraph, graph_alloc);
    rb_undef_method(rsw_cGraph, "initialize_copy");
    rb_define_private_method(rsw_cGraph, "native_initialize", graph_initialize, 3);
    rb_define_singleton_method(rsw_cGraph, "native_load", graph_load, 1);
    rb_define_method(rsw_cGraph, "node_count", graph_node_count, 0);
    rb_define_method(rsw_cGraph, "edge_count", graph_edge_count, 0);
    rb_define_private_method(rsw_cGraph, "native_edges", graph_pairs, 0);
    rb_define_private_method(rsw_cGraph, "labels", graph_labels, 0);
    rb_define_private_method(rsw_cGraph, "index", graph_index, 0);
    rb_define_private_method(rsw_cGraph, "labelled", graph_labelled, 1);
    rsw_graph_answer_init();
    rsw_graph_diff_init();
    rsw_graph_edit_init();
}
