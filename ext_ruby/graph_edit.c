/* Stepwell::Graph::Edit: nodes and edges added to a graph, with an order that is kept up to date.
 *
 * Calls keep the GVL, because they touch few nodes; so one thread at a time is inside.
 */
#include "rsw.h"

typedef struct graph_edit {
    sw_graph_edit *edit;
    long node_count;
} graph_edit;

static void edit_dfree(void *data)
{
    sw_graph_edit_free(((graph_edit *)data)->edit);
    xfree(data);
}

static const rb_data_type_t edit_type = {
    .wrap_struct_name = "Stepwell::Graph::Edit",
    .function = {.dmark = NULL, .dfree = edit_dfree, .dsize = NULL},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE edit_alloc(VALUE class)
{
    graph_edit *edit;

    return TypedData_Make_Struct(class, graph_edit, &edit_type, edit);
}

static graph_edit *edit_get(VALUE self)
{
    graph_edit *edit = rb_check_typeddata(self, &edit_type);

    if (!edit->edit)
        rsw_error_fail(SW_ESTATE, -1, "the edit was not begun");
    return edit;
}

static VALUE edit_begin(VALUE self, VALUE graph)
{
    graph_edit *edit = rb_check_typeddata(self, &edit_type);
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    const sw_graph *named = rsw_graph_named(rsw_graph_get(graph));
    sw_error error;

    if (edit->edit)
        rsw_error_fail(SW_ESTATE, -1, "this edit was begun already");
    if (sw_graph_edit_new(named, &edit->edit, &error) < 0)
        rsw_error_raise(&error);
    sw_graph_view_get(named, &view, NULL);
    edit->node_count = view.node_count;
    RB_GC_GUARD(graph);
    return Qnil;
}

/* names is nil for nodes without names, ends the nodes of the edges one after the other. */
static VALUE edit_insert(VALUE self, VALUE node_count, VALUE names, VALUE ends)
{
    graph_edit *edit = edit_get(self);
    rsw_arena *arena;
    VALUE holder = rsw_arena_new(&arena);
    int32_t count = rsw_int32(node_count, -1, "nodes");
    size_t name_count;
    const sw_str *texts = rsw_arena_texts(arena, names, -1, "names", &name_count);
    size_t edges = (size_t)RARRAY_LEN(ends) / 2;
    int32_t *from = rsw_arena_rows(arena, edges + 1, sizeof(*from));
    int32_t *to = rsw_arena_rows(arena, edges + 1, sizeof(*to));
    sw_error error;
    int code;

    for (size_t i = 0; i < edges; i++) {
        from[i] = rsw_int32(rb_ary_entry(ends, (long)(2 * i)), (int64_t)i, "an end");
        to[i] = rsw_int32(rb_ary_entry(ends, (long)(2 * i + 1)), (int64_t)i, "an end");
    }
    code = sw_graph_edit_insert(edit->edit, count, texts, from, to, edges, &error);
    rsw_arena_free(holder);
    RB_GC_GUARD(holder);
    if (code < 0)
        rsw_error_raise(&error);
    edit->node_count += count;
    return Qnil;
}

static VALUE edit_order(VALUE self)
{
    graph_edit *edit = edit_get(self);
    VALUE buffer, order = rb_ary_new_capa(edit->node_count);
    int32_t *nodes = ALLOCV_N(int32_t, buffer, edit->node_count + 1);
    sw_error error;
    int code = sw_graph_edit_order(edit->edit, nodes, &error);

    for (long i = 0; code == SW_OK && i < edit->node_count; i++)
        rb_ary_push(order, INT2FIX(nodes[i]));
    ALLOCV_END(buffer);
    if (code < 0)
        rsw_error_raise(&error);
    return order;
}

static VALUE edit_finish(VALUE self, VALUE labels, VALUE index)
{
    VALUE graph = rsw_graph_wrap(NULL, NULL, labels, index);
    sw_error error;

    if (sw_graph_edit_finish(edit_get(self)->edit, rsw_graph_place(graph), &error) < 0)
        rsw_error_raise(&error);
    return graph;
}

void rsw_graph_edit_init(void)
{
    VALUE class = rb_define_class_under(rsw_cGraph, "Edit", rb_cObject);

    rb_define_alloc_func(class, edit_alloc);
    rb_undef_method(class, "initialize_copy");
    rb_define_private_method(class, "native_begin", edit_begin, 1);
    rb_define_private_method(class, "native_insert", edit_insert, 3);
    rb_define_private_method(class, "native_order", edit_order, 0);
    rb_define_private_method(class, "native_finish", edit_finish, 2);
}
