/* Projections as the store keeps them: opening, saving, listing, forgetting.
 *
 * Not here: folding events into one; lib/stepwell/projection.rb does.
 */
#include "rsw.h"

typedef struct projection_call {
    rsw_call call;
    sw_projection row;
    int64_t from;
    VALUE texts[2]; /* on the stack of the method: pins the strings */
} projection_call;

static VALUE projection_element(const void *rows, size_t index)
{
    const sw_projection *row = (const sw_projection *)rows + index;

    return rsw_row_new(RSW_PROJECTION_ROW, 6,
                       (VALUE[]){rsw_name(row->name), rsw_name(row->version), LL2NUM(row->epoch),
                                 LL2NUM(row->position), LL2NUM(row->changed_us),
                                 rsw_str(row->state)});
}

static VALUE projections_convert(VALUE data)
{
    size_t count;
    const sw_projection *rows = sw_projections(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, projection_element);
}

static sw_str projection_text(projection_call *projection, int index, VALUE value, const char *what)
{
    projection->texts[index] = value;
    return rsw_text(&projection->texts[index], what);
}

/* ---- projection_open ---- */

static int open_run(rsw_call *call)
{
    const sw_projection *row = &((projection_call *)call)->row;

    return sw_projection_open(call->handle->engine, row->name, row->version, &call->result,
                              &call->error);
}

static VALUE open_convert(VALUE data)
{
    return projection_element(sw_projections(((rsw_call *)data)->result, NULL), 0);
}

static VALUE engine_projection_open(VALUE self, VALUE name, VALUE version)
{
    projection_call open = {.call = {.handle = rsw_engine_get(self), .run = open_run}};
    VALUE answer;

    open.row.name = projection_text(&open, 0, name, "name");
    open.row.version = projection_text(&open, 1, version, "version");
    answer = rsw_call_finish(&open.call, open_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- projection_save ---- */

static int save_run(rsw_call *call)
{
    const projection_call *save = (const projection_call *)call;

    return sw_projection_save(call->handle->engine, &save->row, save->from, &call->error);
}

static VALUE engine_projection_save(VALUE self, VALUE name, VALUE epoch, VALUE from, VALUE position,
                                    VALUE state)
{
    projection_call save = {.call = {.handle = rsw_engine_get(self), .run = save_run}};

    save.row.name = projection_text(&save, 0, name, "name");
    save.row.epoch = rsw_int64(epoch, -1, "epoch");
    save.from = rsw_int64(from, -1, "from");
    save.row.position = rsw_int64(position, -1, "position");
    save.row.state = projection_text(&save, 1, state, "state");
    rsw_call_finish(&save.call, NULL);
    RB_GC_GUARD(self);
    return Qnil;
}

/* ---- projection_list, projection_delete ---- */

static int list_run(rsw_call *call)
{
    return sw_projection_list(call->handle->engine, &call->result, &call->error);
}

static VALUE engine_projection_list(VALUE self)
{
    rsw_call list = {.handle = rsw_engine_get(self), .run = list_run};
    VALUE answer = rsw_call_finish(&list, projections_convert);

    RB_GC_GUARD(self);
    return answer;
}

static int delete_run(rsw_call *call)
{
    return sw_projection_delete(call->handle->engine, ((projection_call *)call)->row.name,
                                &call->error);
}

static VALUE engine_projection_delete(VALUE self, VALUE name)
{
    projection_call forget = {.call = {.handle = rsw_engine_get(self), .run = delete_run}};

    forget.row.name = projection_text(&forget, 0, name, "name");
    rsw_call_finish(&forget.call, NULL);
    RB_GC_GUARD(self);
    return Qnil;
}

void rsw_projection_init(void)
{
    rb_define_method(rsw_cEngine, "projection_open", engine_projection_open, 2);
    rb_define_method(rsw_cEngine, "projection_save", engine_projection_save, 5);
    rb_define_method(rsw_cEngine, "projection_list", engine_projection_list, 0);
    rb_define_method(rsw_cEngine, "projection_delete", engine_projection_delete, 1);
}
