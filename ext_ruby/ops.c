/* Operations: where tasks stand, which of their steps may start, changing steps by hand, and taking
 * out what ended long ago.
 *
 * Not here: the names that Tasker's users know; lib/stepwell/ops.rb has them.
 */
#include "rsw.h"

/* ---- task_context ---- */

typedef struct tasks_call {
    rsw_call call;
    sw_uuid *task_ids;
    size_t task_count;
} tasks_call;

static void tasks_read(tasks_call *tasks, rsw_arena *arena, VALUE task_ids)
{
    if (!RB_TYPE_P(task_ids, T_ARRAY))
        rsw_error_type(task_ids, -1, "task_ids", "an Array of Strings");
    tasks->task_count = (size_t)RARRAY_LEN(task_ids);
    tasks->task_ids = rsw_arena_rows(arena, tasks->task_count, sizeof(*tasks->task_ids));
    for (size_t i = 0; i < tasks->task_count; i++)
        tasks->task_ids[i] = rsw_uuid(rb_ary_entry(task_ids, (long)i), (int64_t)i, "task_id");
}

static int context_run(rsw_call *call)
{
    const tasks_call *tasks = (const tasks_call *)call;

    return sw_task_context(call->handle->engine, tasks->task_ids, tasks->task_count, &call->result,
                           &call->error);
}

VALUE rsw_step_counts(const int64_t *step_counts)
{
    VALUE counts = rb_hash_new();

    for (int i = 0; i < SW_STEP_STATE_COUNT; i++)
        rb_hash_aset(counts, rsw_step_state(i), LL2NUM(step_counts[i]));
    return rb_obj_freeze(counts);
}

static VALUE context_element(const void *rows, size_t index)
{
    const sw_task_context_row *row = (const sw_task_context_row *)rows + index;

    return rsw_row_new(
        RSW_TASK_CONTEXT, 17,
        (VALUE[]){rsw_id(&row->task_id), rsw_name(row->workflow), rsw_name(row->version),
                  rsw_task_state(row->state), rsw_execution_status(row->execution_status),
                  rsw_recommended_action(row->recommended_action),
                  rsw_health_status(row->health_status), DBL2NUM(row->completion_percentage),
                  LL2NUM(row->step_count), rsw_step_counts(row->step_counts),
                  LL2NUM(row->ready_count), rsw_number(row->next_retry_us),
                  rsw_strs(row->next_steps, row->next_step_count),
                  rsw_strs(row->blocking_steps, row->blocking_step_count),
                  rsw_strs(row->blocked_steps, row->blocked_step_count),
                  rsw_number(row->deadline_us), rsw_number(row->next_deadline_us)});
}

static VALUE context_convert(VALUE data)
{
    size_t count;
    const sw_task_context_row *rows = sw_task_contexts(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, context_element);
}

static VALUE engine_task_context(VALUE self, VALUE task_ids)
{
    tasks_call tasks = {.call = {.handle = rsw_engine_get(self), .run = context_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    tasks_read(&tasks, arena, task_ids);
    answer = rsw_call_finish(&tasks.call, context_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- step_readiness ---- */

typedef struct readiness_call {
    rsw_call call;
    sw_uuid task_id;
} readiness_call;

static int readiness_run(rsw_call *call)
{
    return sw_step_readiness(call->handle->engine, &((readiness_call *)call)->task_id,
                             &call->result, &call->error);
}

static VALUE ops_bool(int32_t value)
{
    return value ? Qtrue : Qfalse;
}

static VALUE readiness_element(const void *rows, size_t index)
{
    const sw_step_readiness_row *row = (const sw_step_readiness_row *)rows + index;

    return rsw_row_new(RSW_STEP_READINESS, 12,
                       (VALUE[]){LL2NUM(row->step_id), rsw_name(row->step),
                                 rsw_step_state(row->state), ops_bool(row->ready),
                                 rsw_reason(row->reason), ops_bool(row->dependencies_satisfied),
                                 ops_bool(row->retry_eligible), INT2NUM(row->attempts),
                                 INT2NUM(row->max_attempts), INT2NUM(row->total_parents),
                                 INT2NUM(row->completed_parents), rsw_number(row->next_retry_us)});
}

static VALUE readiness_convert(VALUE data)
{
    size_t count;
    const sw_step_readiness_row *rows = sw_readiness_rows(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, readiness_element);
}

static VALUE engine_step_readiness(VALUE self, VALUE task_id)
{
    readiness_call readiness = {.call = {.handle = rsw_engine_get(self), .run = readiness_run}};
    VALUE answer;

    readiness.task_id = rsw_uuid(task_id, -1, "task_id");
    answer = rsw_call_finish(&readiness.call, readiness_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- override ---- */

typedef struct override_call {
    rsw_call call;
    sw_step_override_row *rows;
    size_t row_count;
    int mode;
} override_call;

static int override_run(rsw_call *call)
{
    const override_call *override = (const override_call *)call;

    return sw_step_override(call->handle->engine, override->rows, override->row_count,
                            override->mode, &call->result, &call->error);
}

/* A row is [step_id, state, actor, reason, result_json]; the last may be left out. */
static void override_row_read(sw_step_override_row *out, rsw_arena *arena, VALUE row, int64_t index)
{
    if (!RB_TYPE_P(row, T_ARRAY))
        rsw_error_type(row, index, "a row", "an Array");
    if (RARRAY_LEN(row) != 4 && RARRAY_LEN(row) != 5)
        rsw_error_fail(SW_EINVAL, index, "a row has %ld elements, expected 4 or 5",
                       RARRAY_LEN(row));
    out->step_id = rsw_int64(RARRAY_AREF(row, 0), index, "step_id");
    out->state = rsw_name_find_row(RARRAY_AREF(row, 1), index, sw_step_state_find, "step state");
    out->actor = rsw_arena_text(arena, RARRAY_AREF(row, 2), index, "actor");
    out->reason = rsw_arena_text(arena, RARRAY_AREF(row, 3), index, "reason");
    if (RARRAY_LEN(row) > 4)
        out->result = rsw_arena_text(arena, RARRAY_AREF(row, 4), index, "result");
}

static void override_rows_read(override_call *override, rsw_arena *arena, VALUE rows)
{
    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Arrays");
    override->row_count = (size_t)RARRAY_LEN(rows);
    override->rows = rsw_arena_rows(arena, override->row_count, sizeof(*override->rows));
    for (size_t i = 0; i < override->row_count; i++)
        override_row_read(&override->rows[i], arena, rb_ary_entry(rows, (long)i), (int64_t)i);
}

static VALUE overridden_code(int code)
{
    return code < 0 ? ID2SYM(rb_intern(sw_code_name(code))) : Qnil;
}

VALUE rsw_overridden_element(const void *rows, size_t index)
{
    const sw_step_overridden *row = (const sw_step_overridden *)rows + index;

    return rsw_row_new(RSW_OVERRIDDEN, 6,
                       (VALUE[]){LL2NUM(row->step_id), rsw_row_status(row->status),
                                 rsw_step_state(row->from), rsw_step_state(row->state),
                                 overridden_code(row->code), rsw_str(row->message)});
}

static VALUE override_convert(VALUE data)
{
    size_t count;
    const sw_step_overridden *rows = sw_step_overrides(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, rsw_overridden_element);
}

static VALUE engine_override(int argc, VALUE *argv, VALUE self)
{
    override_call override = {.call = {.handle = rsw_engine_get(self), .run = override_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE rows, mode, answer;

    rb_scan_args(argc, argv, "11", &rows, &mode);
    if (!NIL_P(mode))
        override.mode = rsw_name_find(mode, sw_batch_mode_find, "batch mode");
    override_rows_read(&override, arena, rows);
    answer = rsw_call_finish(&override.call, override_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- task_prune ---- */

typedef struct prune_call {
    rsw_call call;
    sw_prune_options options;
    sw_prune_report report;
} prune_call;

static int prune_run(rsw_call *call)
{
    prune_call *prune = (prune_call *)call;

    return sw_task_prune(call->handle->engine, &prune->options, &prune->report, &call->error);
}

static void prune_states_read(sw_prune_options *options, rsw_arena *arena, VALUE values)
{
    VALUE list = NIL_P(values)                ? rb_ary_new()
                 : RB_TYPE_P(values, T_ARRAY) ? values
                                              : rb_ary_new_from_args(1, values);
    int32_t *states;

    options->state_count = (size_t)RARRAY_LEN(list);
    states = rsw_arena_rows(arena, options->state_count, sizeof(*states));
    for (size_t i = 0; i < options->state_count; i++)
        states[i] = rsw_name_find(rb_ary_entry(list, (long)i), sw_task_state_find, "task state");
    options->states = states;
}

static void prune_read(sw_prune_options *options, rsw_arena *arena, VALUE keywords)
{
    static const char *const names[] = {"workflow", "states", "limit",
                                        "dry_run",  "actor",  "reason"};
    enum { PRUNE_COUNT = sizeof(names) / sizeof(*names) };
    ID ids[PRUNE_COUNT];
    VALUE values[PRUNE_COUNT];

    for (int i = 0; i < PRUNE_COUNT; i++)
        ids[i] = rb_intern(names[i]);
    rb_get_kwargs(keywords, ids, 0, PRUNE_COUNT, values);
    for (int i = 0; i < PRUNE_COUNT; i++)
        values[i] = values[i] == Qundef ? Qnil : values[i];
    options->workflow = rsw_arena_text(arena, values[0], -1, "workflow");
    prune_states_read(options, arena, values[1]);
    if (!NIL_P(values[2]))
        options->limit = rsw_int64(values[2], -1, "limit");
    options->dry_run = !NIL_P(values[3]) && rsw_bool(values[3], "dry_run");
    options->actor = rsw_arena_text(arena, values[4], -1, "actor");
    options->reason = rsw_arena_text(arena, values[5], -1, "reason");
}

static VALUE engine_task_prune(int argc, VALUE *argv, VALUE self)
{
    prune_call prune = {.call = {.handle = rsw_engine_get(self), .run = prune_run},
                        .options = SW_PRUNE_OPTIONS_INIT,
                        .report = SW_PRUNE_REPORT_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE before, keywords;

    rb_scan_args(argc, argv, "1:", &before, &keywords);
    prune.options.finished_before_us = rsw_int64(before, -1, "finished_before_us");
    prune_read(&prune.options, arena, NIL_P(keywords) ? rb_hash_new() : keywords);
    rsw_call_finish(&prune.call, NULL);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return rsw_row_new(RSW_PRUNED, 3,
                       (VALUE[]){LL2NUM(prune.report.task_count), LL2NUM(prune.report.step_count),
                                 LL2NUM(prune.report.freed_bytes)});
}

void rsw_ops_init(void)
{
    rb_define_method(rsw_cEngine, "override", engine_override, -1);
    rb_define_method(rsw_cEngine, "step_readiness", engine_step_readiness, 1);
    rb_define_method(rsw_cEngine, "task_context", engine_task_context, 1);
    rb_define_method(rsw_cEngine, "task_prune", engine_task_prune, -1);
}
