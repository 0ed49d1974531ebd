/* Tasks: submit, get, list, count, wait for and cancel them.
 *
 * Inputs are JSON text in both directions; Stepwell::Task and Stepwell::Workflow turn values into
 * text and back.
 */
#include "rsw.h"

#include <stddef.h>

/* ---- rows ---- */

static VALUE step_row_element(const void *rows, size_t index)
{
    const sw_step_row *row = (const sw_step_row *)rows + index;

    return rsw_row_new(RSW_STEP_ROW, 20,
                       (VALUE[]){LL2NUM(row->step_id),
                                 rsw_name(row->name),
                                 rsw_name(row->title),
                                 rsw_name(row->handler),
                                 rsw_name(row->queue),
                                 rsw_step_state(row->state),
                                 INT2NUM(row->attempt),
                                 INT2NUM(row->max_attempts),
                                 INT2NUM(row->open_deps),
                                 INT2NUM(row->level),
                                 LL2NUM(row->epoch),
                                 rsw_number(row->changed_us),
                                 rsw_number(row->not_before_us),
                                 rsw_number(row->deadline_us),
                                 rsw_number(row->worker_id),
                                 rsw_str(row->result),
                                 rsw_name(row->error_class),
                                 rsw_str(row->error_message),
                                 rsw_str(row->error_detail),
                                 rsw_number(row->fails_us)});
}

/* {state => number of steps} without the states that no step is in. */
static VALUE step_counts_new(const sw_task_row *row)
{
    VALUE counts = rb_hash_new();

    for (int i = 0; i < SW_STEP_STATE_COUNT; i++) {
        if (row->step_counts[i] > 0)
            rb_hash_aset(counts, rsw_step_state(i), LL2NUM(row->step_counts[i]));
    }
    return rb_obj_freeze(counts);
}

/* nil where all zero stands for no task. */
static VALUE task_id_or_nil(const sw_uuid *id)
{
    static const sw_uuid none;

    return memcmp(id, &none, sizeof(none)) == 0 ? Qnil : rsw_id(id);
}

static VALUE task_row_new(const sw_task_row *row, VALUE steps)
{
    return rsw_row_new(RSW_TASK_ROW, 20,
                       (VALUE[]){rsw_id(&row->task_id),        rsw_name(row->workflow),
                                 rsw_name(row->version),       rsw_name(row->digest),
                                 rsw_str(row->input),          rsw_str(row->key),
                                 rsw_str(row->initiator),      rsw_str(row->reason),
                                 rsw_str(row->correlation_id), rsw_strs(row->tags, row->tag_count),
                                 rsw_task_state(row->state),   INT2NUM(row->priority),
                                 rsw_number(row->created_us),  rsw_number(row->started_us),
                                 rsw_number(row->finished_us), LL2NUM(row->step_count),
                                 step_counts_new(row),         steps,
                                 rsw_number(row->deadline_us), task_id_or_nil(&row->parent_id)});
}

static VALUE task_row_element(const void *rows, size_t index)
{
    return task_row_new((const sw_task_row *)rows + index, Qnil);
}

/* The task of sw_task_get and sw_task_wait with its steps. */
static VALUE task_convert(VALUE data)
{
    const sw_result *result = ((rsw_call *)data)->result;
    size_t count;
    const sw_step_row *steps = sw_steps(result, &count);
    VALUE step_rows = rsw_array(count, steps, step_row_element);
    const sw_task_row *rows = sw_tasks(result, &count);

    return count == 0 ? Qnil : task_row_new(rows, step_rows);
}

/* ---- submit ---- */

typedef struct submit_call {
    rsw_call call;
    sw_task_submit_row *rows;
    size_t row_count;
} submit_call;

static int submit_run(rsw_call *call)
{
    submit_call *submit = (submit_call *)call;

    return sw_task_submit(call->handle->engine, submit->rows, submit->row_count, &call->result,
                          &call->error);
}

typedef struct submit_reader {
    rsw_arena *arena;
    sw_task_submit_row *row;
    int64_t index;
} submit_reader;

/* The keys of a row that are texts. id is filled when the extension is loaded. */
static struct {
    const char *name;
    size_t offset;
    ID id;
} submit_texts[] = {
    {"workflow", offsetof(sw_task_submit_row, workflow), 0},
    {"version", offsetof(sw_task_submit_row, version), 0},
    {"input_json", offsetof(sw_task_submit_row, input), 0},
    {"key", offsetof(sw_task_submit_row, key), 0},
    {"initiator", offsetof(sw_task_submit_row, initiator), 0},
    {"reason", offsetof(sw_task_submit_row, reason), 0},
    {"correlation_id", offsetof(sw_task_submit_row, correlation_id), 0},
};
enum { SUBMIT_TEXT_COUNT = sizeof(submit_texts) / sizeof(*submit_texts) };

/* A task that is given by its id, or itself: then it has one. */
static sw_uuid task_given(VALUE value, int64_t row, const char *what)
{
    if (!RB_TYPE_P(value, T_STRING) && rb_respond_to(value, rb_intern("id")))
        value = rb_funcall(value, rb_intern("id"), 0);
    return rsw_uuid(value, row, what);
}

static int submit_reader_pair(VALUE key, VALUE value, VALUE data)
{
    const submit_reader *reader = (const submit_reader *)data;
    sw_task_submit_row *row = reader->row;
    ID id;

    if (!SYMBOL_P(key))
        rsw_error_type(key, reader->index, "a key", "a Symbol");
    id = SYM2ID(key);
    for (int i = 0; i < SUBMIT_TEXT_COUNT; i++) {
        if (id == submit_texts[i].id) {
            sw_str *text = (sw_str *)((char *)row + submit_texts[i].offset);

            *text = rsw_arena_text(reader->arena, value, reader->index, submit_texts[i].name);
            return ST_CONTINUE;
        }
    }
    if (id == rb_intern("tags"))
        row->tags = rsw_arena_texts(reader->arena, value, reader->index, "tags", &row->tag_count);
    else if (id == rb_intern("priority"))
        row->priority = rsw_int32(value, reader->index, "priority");
    else if (id == rb_intern("deadline_ms"))
        row->deadline_ms = rsw_int64(value, reader->index, "deadline_ms");
    else if (id == rb_intern("deadline_us"))
        row->deadline_us = rsw_int64(value, reader->index, "deadline_us");
    else if (id == rb_intern("parent"))
        row->parent_id = NIL_P(value) ? (sw_uuid){{0}} : task_given(value, reader->index, "parent");
    else
        rsw_error_fail(SW_EINVAL, reader->index, "unknown key %s", rb_id2name(id));
    return ST_CONTINUE;
}

static void submit_rows_read(submit_call *submit, rsw_arena *arena, VALUE rows)
{
    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Hashes");
    submit->row_count = (size_t)RARRAY_LEN(rows);
    submit->rows = rsw_arena_rows(arena, submit->row_count, sizeof(*submit->rows));
    for (size_t i = 0; i < submit->row_count; i++) {
        VALUE row = rb_ary_entry(rows, (long)i);
        submit_reader reader = {.arena = arena, .row = &submit->rows[i], .index = (int64_t)i};

        if (!RB_TYPE_P(row, T_HASH))
            rsw_error_type(row, reader.index, "a row", "a Hash");
        rb_hash_foreach(row, submit_reader_pair, (VALUE)&reader);
    }
}

static VALUE submitted_element(const void *rows, size_t index)
{
    const sw_task_submitted *row = (const sw_task_submitted *)rows + index;

    return rsw_row_new(RSW_SUBMITTED, 3,
                       (VALUE[]){rsw_id(&row->task_id), row->created ? Qtrue : Qfalse,
                                 rsw_task_state(row->state)});
}

static VALUE submit_convert(VALUE data)
{
    size_t count;
    const sw_task_submitted *rows = sw_task_submissions(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, submitted_element);
}

static VALUE engine_submit(VALUE self, VALUE rows)
{
    submit_call submit = {.call = {.handle = rsw_engine_get(self), .run = submit_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    submit_rows_read(&submit, arena, rows);
    answer = rsw_call_finish(&submit.call, submit_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- get, wait ---- */

typedef struct task_call {
    rsw_call call;
    sw_uuid task_id;
    int64_t wait_ms; /* negative: without end */
    bool timed_out;
} task_call;

static int get_run(rsw_call *call)
{
    const task_call *get = (const task_call *)call;

    return sw_task_get(call->handle->engine, &get->task_id, &call->result, &call->error);
}

static VALUE engine_get(VALUE self, VALUE task_id)
{
    task_call get = {.call = {.handle = rsw_engine_get(self), .run = get_run}};
    VALUE answer;

    get.task_id = rsw_uuid(task_id, -1, "task_id");
    answer = rsw_call_finish(&get.call, task_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* Wait in slices until the task has ended, the time is over, or somebody wants this thread. */
static int wait_run(rsw_call *call)
{
    task_call *wait = (task_call *)call;
    int64_t end_us = rsw_clock_us() + wait->wait_ms * 1000;
    int code;

    for (;;) {
        int64_t left_ms = wait->wait_ms < 0 ? RSW_SLICE_MS : (end_us - rsw_clock_us() + 999) / 1000;
        int64_t slice_ms = left_ms > RSW_SLICE_MS ? RSW_SLICE_MS : left_ms;

        code = sw_task_wait(call->handle->engine, &wait->task_id, slice_ms > 0 ? slice_ms : 0,
                            &call->result, &call->error);
        wait->timed_out = code == SW_ETIMEOUT && wait->wait_ms >= 0 && rsw_clock_us() >= end_us;
        if (code != SW_ETIMEOUT || wait->timed_out || rsw_engine_closed(call->handle) ||
            __atomic_load_n(&call->interrupted, __ATOMIC_SEQ_CST))
            return code;
        sw_result_free(call->result);
        call->result = NULL;
    }
}

static VALUE engine_wait(VALUE self, VALUE task_id, VALUE wait_ms)
{
    task_call wait = {.call = {.handle = rsw_engine_get(self), .run = wait_run, .waits = true}};
    int64_t end_us;
    VALUE answer;

    wait.task_id = rsw_uuid(task_id, -1, "task_id");
    wait.wait_ms = NIL_P(wait_ms) ? -1 : (int64_t)rsw_size(wait_ms, "wait_ms");
    if (wait.wait_ms > INT64_MAX / 2000)
        rb_raise(rb_eRangeError, "wait_ms is too large");
    wait.call.waits = wait.wait_ms != 0;
    end_us = rsw_clock_us() + wait.wait_ms * 1000;
    for (;;) {
        rsw_call_run(&wait.call);
        if (wait.call.code != SW_ETIMEOUT || wait.timed_out)
            break;
        rsw_call_free((VALUE)&wait.call);
        rb_thread_check_ints();
        rsw_engine_get(self);
        if (wait.wait_ms >= 0)
            wait.wait_ms = end_us > rsw_clock_us() ? (end_us - rsw_clock_us()) / 1000 : 0;
    }
    if (wait.call.code < 0) {
        rsw_call_free((VALUE)&wait.call);
        if (wait.timed_out) /* the core knows the last slice only */
            rsw_error_fail(SW_ETIMEOUT, -1, "the task has not ended within %lld ms",
                           (long long)NUM2LL(wait_ms));
        rsw_error_raise(&wait.call.error);
    }
    answer = rb_ensure(task_convert, (VALUE)&wait, rsw_call_free, (VALUE)&wait);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- list, count ---- */

typedef struct filter_call {
    rsw_call call;
    sw_task_filter filter;
    int64_t counts[SW_TASK_STATE_COUNT];
    VALUE texts[3]; /* on the stack of the method: pins the strings of the filter */
} filter_call;

static int list_run(rsw_call *call)
{
    return sw_task_list(call->handle->engine, &((filter_call *)call)->filter, &call->result,
                        &call->error);
}

static int count_run(rsw_call *call)
{
    filter_call *count = (filter_call *)call;

    return sw_task_count(call->handle->engine, &count->filter, count->counts, &call->error);
}

static void filter_text(filter_call *call, int index, VALUE value, sw_str *text, const char *what)
{
    call->texts[index] = value == Qundef ? Qnil : value;
    *text = rsw_text(&call->texts[index], what);
}

static void filter_read(filter_call *call, int argc, VALUE *argv)
{
    static const char *const names[] = {"state",
                                        "workflow",
                                        "tag",
                                        "correlation_id",
                                        "before",
                                        "limit",
                                        "created_after_us",
                                        "created_before_us",
                                        "parent"};
    enum { FILTER_COUNT = sizeof(names) / sizeof(*names) };
    sw_task_filter *filter = &call->filter;
    ID ids[FILTER_COUNT];
    VALUE values[FILTER_COUNT];
    VALUE keywords;

    for (int i = 0; i < FILTER_COUNT; i++) {
        ids[i] = rb_intern(names[i]);
        values[i] = Qundef;
    }
    rb_scan_args(argc, argv, "0:", &keywords);
    if (!NIL_P(keywords))
        rb_get_kwargs(keywords, ids, 0, FILTER_COUNT, values);
    *filter = (sw_task_filter)SW_TASK_FILTER_INIT;
    if (values[0] != Qundef && !NIL_P(values[0]))
        filter->state = rsw_name_find(values[0], sw_task_state_find, "task state");
    filter_text(call, 0, values[1], &filter->workflow, "workflow");
    filter_text(call, 1, values[2], &filter->tag, "tag");
    filter_text(call, 2, values[3], &filter->correlation_id, "correlation_id");
    if (values[4] != Qundef && !NIL_P(values[4]))
        filter->before = rsw_uuid(values[4], -1, "before");
    if (values[5] != Qundef && !NIL_P(values[5]))
        filter->limit = (int64_t)rsw_size(values[5], "limit");
    if (values[6] != Qundef && !NIL_P(values[6]))
        filter->created_after_us = rsw_int64(values[6], -1, "created_after_us");
    if (values[7] != Qundef && !NIL_P(values[7]))
        filter->created_before_us = rsw_int64(values[7], -1, "created_before_us");
    if (values[8] != Qundef && !NIL_P(values[8]))
        filter->parent_id = task_given(values[8], -1, "parent");
}

static VALUE list_convert(VALUE data)
{
    size_t count;
    const sw_task_row *rows = sw_tasks(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, task_row_element);
}

static VALUE engine_list(int argc, VALUE *argv, VALUE self)
{
    filter_call list = {.call = {.handle = rsw_engine_get(self), .run = list_run}};
    VALUE answer;

    filter_read(&list, argc, argv);
    answer = rsw_call_finish(&list.call, list_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* {state => number of tasks}, every state included. */
static VALUE engine_count(int argc, VALUE *argv, VALUE self)
{
    filter_call count = {.call = {.handle = rsw_engine_get(self), .run = count_run}};
    VALUE counts = rb_hash_new();

    filter_read(&count, argc, argv);
    rsw_call_finish(&count.call, NULL);
    for (int i = 0; i < SW_TASK_STATE_COUNT; i++)
        rb_hash_aset(counts, rsw_task_state(i), LL2NUM(count.counts[i]));
    RB_GC_GUARD(self);
    return rb_obj_freeze(counts);
}

/* ---- cancel ---- */

typedef struct cancel_call {
    rsw_call call;
    sw_cancel_row *rows;
    size_t row_count;
} cancel_call;

static int cancel_run(rsw_call *call)
{
    const cancel_call *cancel = (const cancel_call *)call;

    return sw_task_cancel(call->handle->engine, cancel->rows, cancel->row_count, &call->error);
}

/* Rows are [task_id, actor, reason]. */
static void cancel_rows_read(cancel_call *cancel, rsw_arena *arena, VALUE rows)
{
    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Arrays");
    cancel->row_count = (size_t)RARRAY_LEN(rows);
    cancel->rows = rsw_arena_rows(arena, cancel->row_count, sizeof(*cancel->rows));
    for (size_t i = 0; i < cancel->row_count; i++) {
        VALUE row = rb_ary_entry(rows, (long)i);
        int64_t index = (int64_t)i;

        if (!RB_TYPE_P(row, T_ARRAY))
            rsw_error_type(row, index, "a row", "an Array");
        cancel->rows[i].task_id = rsw_uuid(rb_ary_entry(row, 0), index, "task_id");
        cancel->rows[i].actor = rsw_arena_text(arena, rb_ary_entry(row, 1), index, "actor");
        cancel->rows[i].reason = rsw_arena_text(arena, rb_ary_entry(row, 2), index, "reason");
    }
}

static VALUE engine_cancel(VALUE self, VALUE rows)
{
    cancel_call cancel = {.call = {.handle = rsw_engine_get(self), .run = cancel_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);

    cancel_rows_read(&cancel, arena, rows);
    rsw_call_finish(&cancel.call, NULL);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return Qnil;
}

void rsw_task_init(void)
{
    for (int i = 0; i < SUBMIT_TEXT_COUNT; i++)
        submit_texts[i].id = rb_intern(submit_texts[i].name);
    rb_define_method(rsw_cEngine, "submit", engine_submit, 1);
    rb_define_method(rsw_cEngine, "get", engine_get, 1);
    rb_define_method(rsw_cEngine, "wait", engine_wait, 2);
    rb_define_method(rsw_cEngine, "list", engine_list, -1);
    rb_define_method(rsw_cEngine, "count", engine_count, -1);
    rb_define_method(rsw_cEngine, "cancel", engine_cancel, 1);
}
