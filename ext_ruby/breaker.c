/* Circuit breakers: listing them, opening and closing them by hand.
 *
 * Not here: the friendlier forms; lib/stepwell/breakers.rb has them.
 */
#include "rsw.h"

typedef struct breaker_call {
    rsw_call call;
    sw_breaker_override_row *rows;
    size_t row_count;
} breaker_call;

static VALUE breaker_element(const void *rows, size_t index)
{
    const sw_breaker_row *row = (const sw_breaker_row *)rows + index;

    return rsw_row_new(
        RSW_BREAKER_ROW, 15,
        (VALUE[]){rsw_name(row->settings.name), rsw_breaker_state(row->state),
                  INT2NUM(row->failures), INT2NUM(row->successes), INT2NUM(row->probing),
                  INT2NUM(row->openings), row->forced ? Qtrue : Qfalse, rsw_number(row->until_us),
                  rsw_number(row->changed_us), rsw_str(row->error_class),
                  INT2NUM(row->settings.failure_threshold),
                  INT2NUM(row->settings.success_threshold), INT2NUM(row->settings.probes),
                  LL2NUM(row->settings.open_ms), LL2NUM(row->settings.max_open_ms)});
}

static VALUE breaker_convert(VALUE data)
{
    size_t count;
    const sw_breaker_row *rows = sw_breakers(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, breaker_element);
}

/* ---- breaker_list ---- */

static int breaker_list_run(rsw_call *call)
{
    return sw_breaker_list(call->handle->engine, &call->result, &call->error);
}

static VALUE engine_breaker_list(VALUE self)
{
    rsw_call call = {.handle = rsw_engine_get(self), .run = breaker_list_run};
    VALUE answer = rsw_call_finish(&call, breaker_convert);

    RB_GC_GUARD(self);
    return answer;
}

/* ---- breaker_override ---- */

static int breaker_override_run(rsw_call *call)
{
    const breaker_call *breaker = (const breaker_call *)call;

    return sw_breaker_override(call->handle->engine, breaker->rows, breaker->row_count,
                               &call->result, &call->error);
}

/* A row is [name, state, actor, reason, open_ms]; the last may be left out or nil. */
static void breaker_row_read(sw_breaker_override_row *out, rsw_arena *arena, VALUE row,
                             int64_t index)
{
    VALUE name;

    if (!RB_TYPE_P(row, T_ARRAY))
        rsw_error_type(row, index, "a row", "an Array");
    if (RARRAY_LEN(row) != 4 && RARRAY_LEN(row) != 5)
        rsw_error_fail(SW_EINVAL, index, "a row has %ld elements, expected 4 or 5",
                       RARRAY_LEN(row));
    name = RARRAY_AREF(row, 0);
    out->name = rsw_arena_text(arena, SYMBOL_P(name) ? rb_sym2str(name) : name, index, "name");
    out->state =
        rsw_name_find_row(RARRAY_AREF(row, 1), index, sw_breaker_state_find, "breaker state");
    out->actor = rsw_arena_text(arena, RARRAY_AREF(row, 2), index, "actor");
    out->reason = rsw_arena_text(arena, RARRAY_AREF(row, 3), index, "reason");
    if (RARRAY_LEN(row) > 4 && !NIL_P(RARRAY_AREF(row, 4)))
        out->open_ms = rsw_int64(RARRAY_AREF(row, 4), index, "open_ms");
}

static VALUE engine_breaker_override(VALUE self, VALUE rows)
{
    breaker_call breaker = {.call = {.handle = rsw_engine_get(self), .run = breaker_override_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Arrays");
    breaker.row_count = (size_t)RARRAY_LEN(rows);
    breaker.rows = rsw_arena_rows(arena, breaker.row_count, sizeof(*breaker.rows));
    for (size_t i = 0; i < breaker.row_count; i++)
        breaker_row_read(&breaker.rows[i], arena, rb_ary_entry(rows, (long)i), (int64_t)i);
    answer = rsw_call_finish(&breaker.call, breaker_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_breaker_init(void)
{
    rb_define_method(rsw_cEngine, "breaker_list", engine_breaker_list, 0);
    rb_define_method(rsw_cEngine, "breaker_override", engine_breaker_override, 1);
}
