/* Tasker's two readiness rules over plain rows; no engine is asked.
 *
 * Not here: reading the columns by their names; lib/stepwell/tasker.rb does.
 */
#include "rsw.h"

enum { TASKER_COLUMNS = 10 };

static VALUE tasker_bool(int32_t value)
{
    return value ? Qtrue : Qfalse;
}

/* A column that may be NULL. */
static int64_t tasker_number(VALUE value, int64_t index, const char *what)
{
    return NIL_P(value) ? SW_TASKER_NULL : rsw_int64(value, index, what);
}

static const int32_t *tasker_numbers(rsw_arena *arena, VALUE values, int64_t index,
                                     const char *what, size_t *count)
{
    int32_t *numbers;

    if (!RB_TYPE_P(values, T_ARRAY))
        rsw_error_type(values, index, what, "an Array of Integers");
    *count = (size_t)RARRAY_LEN(values);
    numbers = rsw_arena_rows(arena, *count, sizeof(*numbers));
    for (size_t i = 0; i < *count; i++)
        numbers[i] = rsw_int32(rb_ary_entry(values, (long)i), index, what);
    return numbers;
}

/* A row is [state, parents, processed, in_process, retryable, attempts, retry_limit,
 * backoff_request_seconds, last_attempted_us, failed_us]. */
static void tasker_row_read(sw_tasker_step *step, rsw_arena *arena, VALUE row, int64_t index)
{
    if (!RB_TYPE_P(row, T_ARRAY))
        rsw_error_type(row, index, "a step", "an Array");
    if (RARRAY_LEN(row) != TASKER_COLUMNS)
        rsw_error_fail(SW_EINVAL, index, "a step has %ld columns, expected %d", RARRAY_LEN(row),
                       TASKER_COLUMNS);
    step->state =
        rsw_name_find_row(RARRAY_AREF(row, 0), index, sw_tasker_state_find, "state of Tasker");
    step->parents =
        tasker_numbers(arena, RARRAY_AREF(row, 1), index, "parents", &step->parent_count);
    step->processed = RTEST(RARRAY_AREF(row, 2));
    step->in_process = RTEST(RARRAY_AREF(row, 3));
    step->retryable = RTEST(RARRAY_AREF(row, 4));
    step->attempts = tasker_number(RARRAY_AREF(row, 5), index, "attempts");
    step->retry_limit = tasker_number(RARRAY_AREF(row, 6), index, "retry_limit");
    step->backoff_request_seconds =
        tasker_number(RARRAY_AREF(row, 7), index, "backoff_request_seconds");
    step->last_attempted_us = tasker_number(RARRAY_AREF(row, 8), index, "last_attempted_us");
    step->failed_us = tasker_number(RARRAY_AREF(row, 9), index, "failed_us");
}

static VALUE tasker_element(const void *rows, size_t index)
{
    const sw_tasker_readiness *row = (const sw_tasker_readiness *)rows + index;

    return rsw_row_new(
        RSW_TASKER_READINESS, 6,
        (VALUE[]){tasker_bool(row->ready), tasker_bool(row->dependencies_satisfied),
                  tasker_bool(row->retry_eligible), INT2NUM(row->total_parents),
                  INT2NUM(row->completed_parents),
                  row->next_retry_us == SW_TASKER_NULL ? Qnil : LL2NUM(row->next_retry_us)});
}

static VALUE tasker_readiness_rows(VALUE self, VALUE rule, VALUE rows, VALUE now_us, VALUE asked)
{
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    int rule_number = rsw_name_find(rule, sw_tasker_rule_find, "rule of Tasker");
    int64_t now = rsw_int64(now_us, -1, "now_us");
    const int32_t *asked_steps = NULL;
    size_t count, asked_count = 0;
    sw_tasker_step *steps;
    sw_tasker_readiness *out;
    sw_error error;
    VALUE answer;

    (void)self;
    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Arrays");
    count = (size_t)RARRAY_LEN(rows);
    steps = rsw_arena_rows(arena, count, sizeof(*steps));
    for (size_t i = 0; i < count; i++)
        tasker_row_read(&steps[i], arena, rb_ary_entry(rows, (long)i), (int64_t)i);
    if (!NIL_P(asked))
        asked_steps = tasker_numbers(arena, asked, -1, "asked", &asked_count);
    out = rsw_arena_rows(arena, asked_steps ? asked_count : count, sizeof(*out));
    if (sw_tasker_readiness_of(rule_number, steps, count, asked_steps, asked_count, now, out,
                               &error) < 0)
        rsw_error_raise(&error);
    answer = rsw_array(asked_steps ? asked_count : count, out, tasker_element);
    rsw_arena_free(memory);
    return answer;
}

void rsw_tasker_init(void)
{
    rb_define_module_function(rsw_mStepwell, "tasker_readiness_rows", tasker_readiness_rows, 4);
}
