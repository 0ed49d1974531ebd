/* What differs between two graphs, as Arrays of plain values; the Ruby part makes rows of them. */
#include "rsw.h"

static VALUE change_symbol(const char *name)
{
    return ID2SYM(rb_intern(name));
}

typedef struct diff_call {
    rsw_graph_call call;
    const rsw_graph *before, *after;
    const sw_graph *named_before, *named_after;
} diff_call;

static VALUE change_element(const void *rows, size_t index)
{
    const sw_change *change = (const sw_change *)rows + index;
    VALUE fields = rb_ary_new();

    for (int bit = 0; bit < 31; bit++) {
        if (change->fields >> bit & 1)
            rb_ary_push(fields, change_symbol(sw_change_field_name(1 << bit)));
    }
    return rb_ary_new_from_args(4, change_symbol(sw_change_kind_name(change->kind)),
                                rb_obj_freeze(fields), rsw_str(change->name),
                                rsw_str(change->name_from));
}

static int diff_run(rsw_graph_call *call)
{
    const diff_call *diff = (diff_call *)call;

    if (diff->before->workflow && diff->after->workflow)
        return sw_workflow_diff(diff->before->workflow, diff->after->workflow, &call->result,
                                &call->error);
    return sw_graph_diff(diff->named_before, diff->named_after, &call->result, &call->error);
}

static VALUE diff_convert(VALUE data)
{
    size_t count;
    const sw_change *changes = sw_changes(((rsw_graph_call *)data)->result, &count);

    return rsw_array(count, changes, change_element);
}

static VALUE graph_diff(VALUE self, VALUE other)
{
    rsw_graph *before = rsw_graph_get(self), *after = rsw_graph_get(other);
    diff_call diff = {
        .call = {.run = diff_run, .graph = before->graph}, .before = before, .after = after};
    VALUE changes;

    diff.named_before = rsw_graph_named(before);
    diff.named_after = rsw_graph_named(after);
    changes = rsw_graph_finish(&diff.call, diff_convert);
    RB_GC_GUARD(self);
    RB_GC_GUARD(other);
    return changes;
}

void rsw_graph_diff_init(void)
{
    rb_define_private_method(rsw_cGraph, "native_diff", graph_diff, 1);
}
