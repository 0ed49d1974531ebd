/* Workers as the store knows them: open, renew, keep, close, list.
 *
 * Not here: Stepwell::Worker, which runs handlers on threads; it is Ruby code on top of this.
 */
#include "rsw.h"

typedef struct worker_call {
    rsw_call call;
    sw_worker_options options;
    sw_worker_ref worker;
    sw_step_hold *held;
    size_t held_count;
} worker_call;

/* ---- open ---- */

static int open_run(rsw_call *call)
{
    worker_call *worker = (worker_call *)call;

    return sw_worker_open(call->handle->engine, &worker->options, &worker->worker, &call->error);
}

static void open_options_read(sw_worker_options *options, rsw_arena *arena, VALUE keywords)
{
    static const char *const names[] = {"handlers", "name", "queues", "lease_ms"};
    ID ids[4];
    VALUE values[4];

    for (int i = 0; i < 4; i++)
        ids[i] = rb_intern(names[i]);
    rb_get_kwargs(keywords, ids, 1, 3, values);
    for (int i = 1; i < 4; i++)
        values[i] = values[i] == Qundef ? Qnil : values[i];
    options->handlers = rsw_arena_texts(arena, values[0], -1, "handlers", &options->handler_count);
    options->name = rsw_arena_text(arena, values[1], -1, "name");
    options->queues = rsw_arena_texts(arena, values[2], -1, "queues", &options->queue_count);
    if (!NIL_P(values[3]))
        options->lease_ms = rsw_int64(values[3], -1, "lease_ms");
}

static VALUE engine_worker_open(int argc, VALUE *argv, VALUE self)
{
    worker_call worker = {.call = {.handle = rsw_engine_get(self), .run = open_run},
                          .options = SW_WORKER_OPTIONS_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE keywords;

    rb_scan_args(argc, argv, "0:", &keywords);
    open_options_read(&worker.options, arena, NIL_P(keywords) ? rb_hash_new() : keywords);
    rsw_call_finish(&worker.call, NULL);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return LL2NUM(worker.worker.worker_id);
}

/* ---- renew ---- */

static int renew_run(rsw_call *call)
{
    const worker_call *worker = (const worker_call *)call;

    return sw_worker_renew(call->handle->engine, &worker->worker, worker->held, worker->held_count,
                           &call->result, &call->error);
}

sw_step_hold *rsw_holds_read(rsw_arena *arena, VALUE held, const char *what, size_t *count)
{
    sw_step_hold *rows;

    if (!RB_TYPE_P(held, T_ARRAY))
        rsw_error_type(held, -1, what, "an Array of Arrays");
    *count = (size_t)RARRAY_LEN(held);
    rows = rsw_arena_rows(arena, *count, sizeof(*rows));
    for (size_t i = 0; i < *count; i++) {
        VALUE row = rb_ary_entry(held, (long)i);
        int64_t index = (int64_t)i;

        if (!RB_TYPE_P(row, T_ARRAY))
            rsw_error_type(row, index, "a held step", "an Array");
        rows[i].step_id = rsw_int64(rb_ary_entry(row, 0), index, "step_id");
        rows[i].epoch = rsw_int64(rb_ary_entry(row, 1), index, "epoch");
    }
    return rows;
}

static VALUE hold_element(const void *rows, size_t index)
{
    const sw_step_hold *hold = (const sw_step_hold *)rows + index;

    return rb_obj_freeze(rb_assoc_new(LL2NUM(hold->step_id), LL2NUM(hold->epoch)));
}

static VALUE renew_convert(VALUE data)
{
    size_t count;
    const sw_step_hold *holds = sw_step_holds(((rsw_call *)data)->result, &count);

    return rsw_array(count, holds, hold_element);
}

static VALUE engine_worker_renew(VALUE self, VALUE worker_id, VALUE held)
{
    worker_call worker = {.call = {.handle = rsw_engine_get(self), .run = renew_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    worker.worker.worker_id = rsw_int64(worker_id, -1, "worker_id");
    worker.held = rsw_holds_read(arena, held, "held", &worker.held_count);
    answer = rsw_call_finish(&worker.call, renew_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- keep, close ---- */

static int keep_run(rsw_call *call)
{
    return sw_worker_keep(call->handle->engine, &((worker_call *)call)->worker, &call->error);
}

static int close_run(rsw_call *call)
{
    return sw_worker_close(call->handle->engine, &((worker_call *)call)->worker, &call->error);
}

static VALUE worker_tell(VALUE self, VALUE worker_id, int (*run)(rsw_call *))
{
    worker_call worker = {.call = {.handle = rsw_engine_get(self), .run = run}};

    worker.worker.worker_id = rsw_int64(worker_id, -1, "worker_id");
    rsw_call_finish(&worker.call, NULL);
    RB_GC_GUARD(self);
    return Qnil;
}

static VALUE engine_worker_keep(VALUE self, VALUE worker_id)
{
    return worker_tell(self, worker_id, keep_run);
}

static VALUE engine_worker_close(VALUE self, VALUE worker_id)
{
    return worker_tell(self, worker_id, close_run);
}

/* ---- list ---- */

static int list_run(rsw_call *call)
{
    return sw_worker_list(call->handle->engine, &call->result, &call->error);
}

static VALUE worker_element(const void *rows, size_t index)
{
    const sw_worker_row *row = (const sw_worker_row *)rows + index;

    return rsw_row_new(RSW_WORKER_ROW, 8,
                       (VALUE[]){LL2NUM(row->worker_id), rsw_str(row->name), rsw_str(row->host),
                                 LL2NUM(row->pid), rsw_number(row->lease_until_us),
                                 LL2NUM(row->held), row->alive ? Qtrue : Qfalse,
                                 rsw_strs(row->handlers, row->handler_count)});
}

static VALUE list_convert(VALUE data)
{
    size_t count;
    const sw_worker_row *rows = sw_workers(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, worker_element);
}

static VALUE engine_worker_list(VALUE self)
{
    rsw_call call = {.handle = rsw_engine_get(self), .run = list_run};
    VALUE answer = rsw_call_finish(&call, list_convert);

    RB_GC_GUARD(self);
    return answer;
}

void rsw_worker_init(void)
{
    rb_define_method(rsw_cEngine, "worker_open", engine_worker_open, -1);
    rb_define_method(rsw_cEngine, "worker_renew", engine_worker_renew, 2);
    rb_define_method(rsw_cEngine, "worker_keep", engine_worker_keep, 1);
    rb_define_method(rsw_cEngine, "worker_close", engine_worker_close, 1);
    rb_define_method(rsw_cEngine, "worker_list", engine_worker_list, 0);
}
