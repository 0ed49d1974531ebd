/* Events: appending them, pages of them, waiting for more, and a task as one left it.
 *
 * Not here: folding events (lib/stepwell/projection.rb), keeping what came of it (projection.c).
 */
#include "rsw.h"

enum { EVENT_NUMBER_COUNT = 5, EVENT_KEYWORD_COUNT = 9 };

/* ---- event_append ---- */

typedef struct append_call {
    rsw_call call;
    sw_event_row *rows;
    size_t row_count;
    int mode;
} append_call;

static int append_run(rsw_call *call)
{
    const append_call *append = (const append_call *)call;

    return sw_event_append(call->handle->engine, append->rows, append->row_count, append->mode,
                           &call->result, &call->error);
}

/* A row is [task_id, type, data_json, expected_version, key, correlation_id, step, actor, reason];
 * all but the first two may be left out, nil is none. */
static void append_row_read(sw_event_row *out, rsw_arena *arena, VALUE row, int64_t index)
{
    static const char *const names[] = {"key", "correlation_id", "step", "actor", "reason"};
    sw_str *texts[] = {&out->key, &out->correlation_id, &out->step, &out->actor, &out->reason};
    VALUE version;

    if (!RB_TYPE_P(row, T_ARRAY))
        rsw_error_type(row, index, "a row", "an Array");
    if (RARRAY_LEN(row) < 2 || RARRAY_LEN(row) > 9)
        rsw_error_fail(SW_EINVAL, index, "a row has %ld elements, expected 2 to 9",
                       RARRAY_LEN(row));
    out->task_id = rsw_uuid(rb_ary_entry(row, 0), index, "task_id");
    out->type = rsw_arena_text(arena, rb_ary_entry(row, 1), index, "type");
    out->data = rsw_arena_text(arena, rb_ary_entry(row, 2), index, "data");
    version = rb_ary_entry(row, 3);
    if (!NIL_P(version))
        out->expected_version = rsw_int64(version, index, "expected_version");
    for (int i = 0; i < 5; i++)
        *texts[i] = rsw_arena_text(arena, rb_ary_entry(row, 4 + i), index, names[i]);
}

static VALUE appended_element(const void *rows, size_t index)
{
    const sw_event_appended *row = (const sw_event_appended *)rows + index;
    VALUE code = row->code < 0 ? ID2SYM(rb_intern(sw_code_name(row->code))) : Qnil;

    return rsw_row_new(RSW_APPENDED, 5,
                       (VALUE[]){rsw_number(row->position), rsw_number(row->version),
                                 rsw_append_status(row->status), code, rsw_str(row->message)});
}

static VALUE append_convert(VALUE data)
{
    size_t count;
    const sw_event_appended *rows = sw_events_appended(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, appended_element);
}

static VALUE engine_event_append(int argc, VALUE *argv, VALUE self)
{
    append_call append = {.call = {.handle = rsw_engine_get(self), .run = append_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE rows, mode, answer;

    rb_scan_args(argc, argv, "11", &rows, &mode);
    if (!NIL_P(mode))
        append.mode = rsw_name_find(mode, sw_batch_mode_find, "batch mode");
    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Arrays");
    append.row_count = (size_t)RARRAY_LEN(rows);
    append.rows = rsw_arena_rows(arena, append.row_count, sizeof(*append.rows));
    for (size_t i = 0; i < append.row_count; i++)
        append_row_read(&append.rows[i], arena, rb_ary_entry(rows, (long)i), (int64_t)i);
    answer = rsw_call_finish(&append.call, append_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- event_list ---- */

typedef struct events_call {
    rsw_call call;
    sw_event_filter filter;
} events_call;

static bool events_given(VALUE value)
{
    return value != Qundef && !NIL_P(value);
}

/* Keywords to the filter; nil leaves out. */
static void events_read(events_call *events, rsw_arena *arena, VALUE keywords)
{
    static const char *const names[EVENT_KEYWORD_COUNT] = {
        "after", "before",  "after_us",       "before_us",   "limit",
        "types", "task_id", "correlation_id", "newest_first"};
    sw_event_filter *filter = &events->filter;
    int64_t *numbers[] = {&filter->after, &filter->before, &filter->after_us, &filter->before_us,
                          &filter->limit};
    ID ids[EVENT_KEYWORD_COUNT];
    VALUE values[EVENT_KEYWORD_COUNT];

    *filter = (sw_event_filter)SW_EVENT_FILTER_INIT;
    for (int i = 0; i < EVENT_KEYWORD_COUNT; i++) {
        ids[i] = rb_intern(names[i]);
        values[i] = Qundef;
    }
    if (!NIL_P(keywords))
        rb_get_kwargs(keywords, ids, 0, EVENT_KEYWORD_COUNT, values);
    for (int i = 0; i < EVENT_NUMBER_COUNT; i++) {
        if (events_given(values[i]))
            *numbers[i] = rsw_int64(values[i], -1, names[i]);
    }
    if (events_given(values[5]))
        filter->types = rsw_arena_texts(arena, values[5], -1, names[5], &filter->type_count);
    if (events_given(values[6]))
        filter->task_id = rsw_uuid(values[6], -1, names[6]);
    if (events_given(values[7]))
        filter->correlation_id = rsw_arena_text(arena, values[7], -1, names[7]);
    filter->newest_first = events_given(values[8]) && rsw_bool(values[8], names[8]);
}

static int events_run(rsw_call *call)
{
    return sw_event_list(call->handle->engine, &((events_call *)call)->filter, &call->result,
                         &call->error);
}

static VALUE event_element(const void *rows, size_t index)
{
    const sw_event *row = (const sw_event *)rows + index;
    VALUE entry = rsw_entry_element(&row->entry, 0);

    return rsw_row_new(RSW_EVENT, 9,
                       (VALUE[]){LL2NUM(row->entry.entry_no), LL2NUM(row->entry.time_us),
                                 rsw_name(row->type), RSTRUCT_GET(entry, 9),
                                 rsw_name(row->entry.step), rsw_str(row->data), rsw_str(row->key),
                                 rsw_name(row->correlation_id), entry});
}

static VALUE events_convert(VALUE data)
{
    size_t count;
    const sw_event *rows = sw_events(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, event_element);
}

static VALUE engine_event_list(int argc, VALUE *argv, VALUE self)
{
    events_call events = {.call = {.handle = rsw_engine_get(self), .run = events_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE keywords, answer;

    rb_scan_args(argc, argv, "0:", &keywords);
    events_read(&events, arena, keywords);
    answer = rsw_call_finish(&events.call, events_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- event_wait ---- */

typedef struct wait_call {
    rsw_call call;
    int64_t after;
    int64_t end_us; /* INT64_MAX: without end */
    int64_t newest;
} wait_call;

/* Wait in slices until there is more, the time is over, or somebody wants this thread. */
static int wait_run(rsw_call *call)
{
    wait_call *wait = (wait_call *)call;

    for (;;) {
        int64_t now_us = rsw_clock_us();
        int64_t left_ms = wait->end_us > now_us ? (wait->end_us - now_us) / 1000 : 0;
        int64_t slice_ms = left_ms > RSW_SLICE_MS ? RSW_SLICE_MS : left_ms;
        int code =
            sw_event_wait(call->handle->engine, wait->after, slice_ms, &wait->newest, &call->error);

        if (code < 0 || wait->newest > wait->after || rsw_clock_us() >= wait->end_us ||
            left_ms == 0 || rsw_engine_closed(call->handle) ||
            __atomic_load_n(&call->interrupted, __ATOMIC_SEQ_CST))
            return code;
    }
}

static VALUE engine_event_wait(VALUE self, VALUE after, VALUE wait_ms)
{
    wait_call wait = {.call = {.handle = rsw_engine_get(self), .run = wait_run, .waits = true},
                      .end_us = INT64_MAX};

    wait.after = rsw_int64(after, -1, "after");
    if (!NIL_P(wait_ms)) {
        int64_t length_ms = (int64_t)rsw_size(wait_ms, "wait_ms");

        if (length_ms > INT64_MAX / 2000)
            rb_raise(rb_eRangeError, "wait_ms is too large");
        wait.end_us = rsw_clock_us() + length_ms * 1000;
        wait.call.waits = length_ms > 0;
    }
    for (;;) {
        rsw_call_finish(&wait.call, NULL);
        if (wait.newest > wait.after || rsw_clock_us() >= wait.end_us)
            break;
        rb_thread_check_ints();
        rsw_engine_get(self);
        if (wait.end_us - rsw_clock_us() < 1000)
            break; /* less than the core can wait */
    }
    RB_GC_GUARD(self);
    return LL2NUM(wait.newest);
}

/* ---- event_replay ---- */

typedef struct replay_call {
    rsw_call call;
    sw_uuid task_id;
    int64_t until;
} replay_call;

static int replay_run(rsw_call *call)
{
    const replay_call *replay = (const replay_call *)call;

    return sw_event_replay(call->handle->engine, &replay->task_id, replay->until, &call->result,
                           &call->error);
}

static VALUE step_past_element(const void *rows, size_t index)
{
    const sw_step_past *row = (const sw_step_past *)rows + index;

    return rsw_row_new(RSW_STEP_PAST, 7,
                       (VALUE[]){LL2NUM(row->step_id), rsw_name(row->name),
                                 rsw_step_state(row->state), INT2NUM(row->attempt),
                                 LL2NUM(row->epoch), rsw_number(row->position),
                                 rsw_number(row->changed_us)});
}

static VALUE replay_convert(VALUE data)
{
    const sw_result *result = ((rsw_call *)data)->result;
    size_t count;
    const sw_step_past *steps = sw_steps_past(result, &count);
    VALUE step_rows = rsw_array(count, steps, step_past_element);
    const sw_task_past *row = sw_tasks_past(result, &count);

    return rsw_row_new(RSW_TASK_PAST, 8,
                       (VALUE[]){rsw_id(&row->task_id), rsw_name(row->workflow),
                                 rsw_name(row->version), rsw_task_state(row->state),
                                 LL2NUM(row->position), LL2NUM(row->time_us),
                                 rsw_step_counts(row->step_counts), step_rows});
}

static VALUE engine_event_replay(int argc, VALUE *argv, VALUE self)
{
    replay_call replay = {.call = {.handle = rsw_engine_get(self), .run = replay_run}};
    VALUE task_id, until, answer;

    rb_scan_args(argc, argv, "11", &task_id, &until);
    replay.task_id = rsw_uuid(task_id, -1, "task_id");
    if (!NIL_P(until))
        replay.until = rsw_int64(until, -1, "until");
    answer = rsw_call_finish(&replay.call, replay_convert);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_event_init(void)
{
    rb_define_method(rsw_cEngine, "event_append", engine_event_append, -1);
    rb_define_method(rsw_cEngine, "event_list", engine_event_list, -1);
    rb_define_method(rsw_cEngine, "event_wait", engine_event_wait, 2);
    rb_define_method(rsw_cEngine, "event_replay", engine_event_replay, -1);
}
