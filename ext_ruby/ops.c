/* Operations: where tasks stand, and which of their steps may start.
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

/* {state => number of steps}, every state included. */
static VALUE context_counts_new(const int64_t *step_counts)
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
        RSW_TASK_CONTEXT, 15,
        (VALUE[]){rsw_id(&row->task_id), rsw_name(row->workflow), rsw_name(row->version),
                  rsw_task_state(row->state), rsw_execution_status(row->execution_status),
                  rsw_recommended_action(row->recommended_action),
                  rsw_health_status(row->health_status), DBL2NUM(row->completion_percentage),
                  LL2NUM(row->step_count), context_counts_new(row->step_counts),
                  LL2NUM(row->ready_count), rsw_number(row->next_retry_us),
                  rsw_strs(row->next_steps, row->next_step_count),
                  rsw_strs(row->blocking_steps, row->blocking_step_count),
                  rsw_strs(row->blocked_steps, row->blocked_step_count)});
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

void rsw_ops_init(void)
{
    rb_define_method(rsw_cEngine, "step_readiness", engine_step_readiness, 1);
    rb_define_method(rsw_cEngine, "task_context", engine_task_context, 1);
}
