/* Pictures: of graphs, of tasks, of the attempts of a task; and what steps are learnt to take.
 *
 * The Ruby part (lib/stepwell/pictures.rb) gives numbers for formats' options, and gets texts.
 */
#include "rsw.h"

enum { PICTURE_ASCII = 1, PICTURE_COLOR = 2, PICTURE_COMPACT = 4 };

/* Borrow the text of *title, which the caller keeps on its stack. */
static void options_read(sw_picture_options *options, VALUE format, VALUE marks, VALUE *title,
                         VALUE direction, VALUE columns, VALUE flags)
{
    int32_t bits = rsw_int32(flags, -1, "flags");

    options->format = rsw_name_find(format, sw_picture_format_find, "format");
    options->marks = rsw_int32(marks, -1, "marks");
    options->direction = rsw_int32(direction, -1, "direction");
    options->columns = rsw_int32(columns, -1, "columns");
    options->ascii = (bits & PICTURE_ASCII) != 0;
    options->color = (bits & PICTURE_COLOR) != 0;
    options->compact = (bits & PICTURE_COMPACT) != 0;
    options->title = rsw_text(title, "title");
}

/* ---- graphs ---- */

typedef struct graph_picture_call {
    rsw_graph_call call;
    sw_picture_options options;
    const int64_t *durations;
} graph_picture_call;

static int graph_picture_run(rsw_graph_call *call)
{
    const graph_picture_call *picture = (graph_picture_call *)call;

    return sw_graph_picture(call->graph, &picture->options, picture->durations, &call->result,
                            &call->error);
}

static VALUE graph_picture_convert(VALUE data)
{
    return rsw_str(sw_pictures(((rsw_graph_call *)data)->result, NULL)->text);
}

static const int64_t *durations_read(rsw_arena *arena, const sw_graph *graph, VALUE values)
{
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    int64_t *durations;

    if (NIL_P(values))
        return NULL;
    Check_Type(values, T_ARRAY);
    sw_graph_view_get(graph, &view, NULL);
    if (RARRAY_LEN(values) != view.node_count)
        rsw_error_fail(SW_EINVAL, -1, "duration has %ld items for %d nodes", RARRAY_LEN(values),
                       view.node_count);
    durations = rsw_arena_rows(arena, (size_t)view.node_count + 1, sizeof(*durations));
    for (int32_t i = 0; i < view.node_count; i++)
        durations[i] = rsw_int64(rb_ary_entry(values, i), i, "duration");
    return durations;
}

static VALUE graph_picture(VALUE self, VALUE format, VALUE marks, VALUE durations, VALUE title,
                           VALUE direction, VALUE columns, VALUE flags)
{
    graph_picture_call picture = {.call = {.run = graph_picture_run},
                                  .options = SW_PICTURE_OPTIONS_INIT};
    rsw_graph *graph = rsw_graph_get(self);
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena), text;

    options_read(&picture.options, format, marks, &title, direction, columns, flags);
    picture.durations = durations_read(arena, graph->graph, durations);
    picture.call.graph = rsw_graph_named(graph);
    text = rsw_graph_finish(&picture.call, graph_picture_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(memory);
    RB_GC_GUARD(title);
    RB_GC_GUARD(self);
    return text;
}

/* ---- tasks ---- */

typedef struct task_picture_call {
    rsw_call call;
    sw_uuid task_id;
    sw_picture_options options;
    sw_gantt_options gantt;
} task_picture_call;

static int task_picture_run(rsw_call *call)
{
    const task_picture_call *picture = (task_picture_call *)call;

    return sw_task_picture(call->handle->engine, &picture->options, NULL, &picture->task_id,
                           &call->result, &call->error);
}

static int task_gantt_run(rsw_call *call)
{
    const task_picture_call *picture = (task_picture_call *)call;

    return sw_task_gantt(call->handle->engine, &picture->gantt, &picture->task_id, &call->result,
                         &call->error);
}

static VALUE task_picture_convert(VALUE data)
{
    return rsw_str(sw_pictures(((rsw_call *)data)->result, NULL)->text);
}

static VALUE engine_picture(VALUE self, VALUE task_id, VALUE format, VALUE marks, VALUE title,
                            VALUE direction, VALUE columns, VALUE flags)
{
    task_picture_call picture = {
        .call = {.handle = rsw_engine_get(self), .run = task_picture_run},
        .options = SW_PICTURE_OPTIONS_INIT,
    };
    VALUE text;

    picture.task_id = rsw_uuid(task_id, -1, "task_id");
    options_read(&picture.options, format, marks, &title, direction, columns, flags);
    text = rsw_call_finish(&picture.call, task_picture_convert);
    RB_GC_GUARD(title);
    RB_GC_GUARD(self);
    return text;
}

static VALUE engine_gantt(VALUE self, VALUE task_id, VALUE format, VALUE title, VALUE columns,
                          VALUE width, VALUE flags)
{
    task_picture_call picture = {
        .call = {.handle = rsw_engine_get(self), .run = task_gantt_run},
        .gantt = SW_GANTT_OPTIONS_INIT,
    };
    int32_t bits = rsw_int32(flags, -1, "flags");
    VALUE text;

    picture.task_id = rsw_uuid(task_id, -1, "task_id");
    picture.gantt.format = rsw_name_find(format, sw_picture_format_find, "format");
    picture.gantt.columns = rsw_int32(columns, -1, "columns");
    picture.gantt.width = rsw_int32(width, -1, "width");
    picture.gantt.ascii = (bits & PICTURE_ASCII) != 0;
    picture.gantt.color = (bits & PICTURE_COLOR) != 0;
    picture.gantt.title = rsw_text(&title, "title");
    text = rsw_call_finish(&picture.call, task_picture_convert);
    RB_GC_GUARD(title);
    RB_GC_GUARD(self);
    return text;
}

/* ---- durations ---- */

typedef struct durations_call {
    rsw_call call;
    sw_workflow *workflow;
    int32_t history;
} durations_call;

static int durations_run(rsw_call *call)
{
    const durations_call *durations = (durations_call *)call;

    return sw_workflow_durations(call->handle->engine, durations->workflow, durations->history,
                                 &call->result, &call->error);
}

static VALUE duration_element(const void *rows, size_t index)
{
    const sw_step_duration *row = (const sw_step_duration *)rows + index;

    return rsw_row_new(RSW_STEP_DURATION, 5,
                       (VALUE[]){rsw_name(row->name), rsw_duration_source(row->source),
                                 LL2NUM(row->sample_count), LL2NUM(row->p50_us),
                                 LL2NUM(row->p95_us)});
}

static VALUE durations_convert(VALUE data)
{
    size_t count;
    const sw_step_duration *rows = sw_step_durations(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, duration_element);
}

static VALUE durations_finish(VALUE data)
{
    return rsw_call_finish(&((durations_call *)data)->call, durations_convert);
}

static VALUE durations_free(VALUE data)
{
    sw_workflow_free(((durations_call *)data)->workflow);
    return Qnil;
}

static VALUE engine_durations(VALUE self, VALUE definition, VALUE history)
{
    durations_call durations = {.call = {.handle = rsw_engine_get(self), .run = durations_run}};
    VALUE rows;

    durations.history = rsw_int32(history, -1, "history");
    durations.workflow = rsw_workflow_load(definition);
    rows = rb_ensure(durations_finish, (VALUE)&durations, durations_free, (VALUE)&durations);
    RB_GC_GUARD(self);
    return rows;
}

void rsw_picture_init(void)
{
    rb_define_private_method(rsw_cGraph, "native_picture", graph_picture, 7);
    rb_define_private_method(rsw_cEngine, "native_picture", engine_picture, 7);
    rb_define_private_method(rsw_cEngine, "native_gantt", engine_gantt, 6);
    rb_define_private_method(rsw_cEngine, "native_durations", engine_durations, 2);
}
