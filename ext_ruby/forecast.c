/* Forecasts: when a task ends, and what a change would do to it.
 *
 * The changes come as keywords by kind; the core gets them as rows in the order fail, skip, slower,
 * which is what the row of an error counts.
 */
#include "rsw.h"

typedef struct forecast_call {
    rsw_call call;
    sw_uuid task_id;
    sw_forecast_options options;
} forecast_call;

static int forecast_run(rsw_call *call)
{
    const forecast_call *forecast = (const forecast_call *)call;

    return sw_task_forecast(call->handle->engine, &forecast->options, &forecast->task_id,
                            &call->result, &call->error);
}

/* ---- the question ---- */

/* Where the rows of a question are written. */
typedef struct forecast_reader {
    rsw_arena *arena;
    sw_forecast_change *changes;
    size_t change_count;
} forecast_reader;

static sw_str step_read(rsw_arena *arena, VALUE step, const char *what)
{
    VALUE name = SYMBOL_P(step) ? rb_sym2str(step) : step;

    if (!RB_TYPE_P(name, T_STRING))
        rsw_error_type(step, -1, what, "a Symbol or String");
    return rsw_arena_text(arena, name, -1, what);
}

/* One step or an Array of them; nil is none. */
static size_t steps_count(VALUE steps)
{
    if (NIL_P(steps))
        return 0;
    return RB_TYPE_P(steps, T_ARRAY) ? (size_t)RARRAY_LEN(steps) : 1;
}

static void steps_read(forecast_reader *reader, VALUE steps, size_t count, int kind,
                       const char *what)
{
    for (size_t i = 0; i < count; i++) {
        VALUE step = RB_TYPE_P(steps, T_ARRAY) ? rb_ary_entry(steps, (long)i) : steps;
        reader->changes[reader->change_count++] = (sw_forecast_change){
            .step = step_read(reader->arena, step, what),
            .kind = kind,
        };
    }
}

static int slower_read_pair(VALUE step, VALUE factor, VALUE data)
{
    forecast_reader *reader = (forecast_reader *)data;
    sw_forecast_change *change = &reader->changes[reader->change_count++];

    change->kind = SW_FORECAST_SLOWER;
    change->step = step_read(reader->arena, step, "a step of slower");
    if (RB_FLOAT_TYPE_P(factor))
        change->factor = RFLOAT_VALUE(factor);
    else if (FIXNUM_P(factor))
        change->factor = (double)FIX2LONG(factor);
    else
        rsw_error_type(factor, -1, "a factor of slower", "a Float or Integer");
    return ST_CONTINUE;
}

static void changes_read(forecast_call *forecast, rsw_arena *arena, VALUE fail, VALUE skip,
                         VALUE resolve, VALUE slower)
{
    forecast_reader reader = {.arena = arena};
    size_t fails = steps_count(fail), skips = steps_count(skip), slows = 0;
    size_t resolves = steps_count(resolve);

    if (!NIL_P(slower) && !RB_TYPE_P(slower, T_HASH))
        rsw_error_type(slower, -1, "slower", "a Hash of steps and factors");
    if (!NIL_P(slower))
        slows = RHASH_SIZE(slower);
    reader.changes =
        rsw_arena_rows(arena, fails + skips + resolves + slows, sizeof(*reader.changes));
    steps_read(&reader, fail, fails, SW_FORECAST_FAIL, "fail");
    steps_read(&reader, skip, skips, SW_FORECAST_SKIP, "skip");
    steps_read(&reader, resolve, resolves, SW_FORECAST_RESOLVE, "resolve");
    if (slows > 0)
        rb_hash_foreach(slower, slower_read_pair, (VALUE)&reader);
    forecast->options.changes = reader.changes;
    forecast->options.change_count = reader.change_count;
}

/* [seats, [step, ...]] */
static void resource_read(rsw_arena *arena, VALUE value, int64_t row, sw_forecast_resource *out)
{
    VALUE steps;
    sw_str *names;

    if (!RB_TYPE_P(value, T_ARRAY) || RARRAY_LEN(value) != 2)
        rsw_error_type(value, row, "a resource", "an Array of seats and steps");
    out->seats = rsw_int32(rb_ary_entry(value, 0), row, "seats");
    steps = rb_ary_entry(value, 1);
    if (!RB_TYPE_P(steps, T_ARRAY))
        rsw_error_type(steps, row, "the steps of a resource", "an Array");
    out->step_count = (size_t)RARRAY_LEN(steps);
    names = rsw_arena_rows(arena, out->step_count, sizeof(*names));
    for (size_t i = 0; i < out->step_count; i++)
        names[i] = step_read(arena, rb_ary_entry(steps, (long)i), "a step of a resource");
    out->steps = names;
}

static void resources_read(forecast_call *forecast, rsw_arena *arena, VALUE value)
{
    sw_forecast_resource *resources;
    size_t count;

    if (NIL_P(value))
        return;
    if (!RB_TYPE_P(value, T_ARRAY))
        rsw_error_type(value, -1, "resources", "an Array");
    count = (size_t)RARRAY_LEN(value);
    resources = rsw_arena_rows(arena, count, sizeof(*resources));
    for (size_t i = 0; i < count; i++)
        resource_read(arena, rb_ary_entry(value, (long)i), (int64_t)i, &resources[i]);
    forecast->options.resources = resources;
    forecast->options.resource_count = count;
}

enum { FORECAST_KEYWORDS = 10, FORECAST_NUMBERS = 5 };

static void forecast_read(forecast_call *forecast, rsw_arena *arena, VALUE keywords)
{
    static const char *const names[FORECAST_KEYWORDS] = {
        "fail",    "skip",         "resolve", "slower",  "resources",
        "workers", "more_workers", "draws",   "history", "calibrate"};
    int32_t *const numbers[] = {&forecast->options.what_if_workers, &forecast->options.more_workers,
                                &forecast->options.draws, &forecast->options.history,
                                &forecast->options.calibrate};
    VALUE values[FORECAST_KEYWORDS];
    ID ids[FORECAST_KEYWORDS];

    for (int i = 0; i < FORECAST_KEYWORDS; i++)
        ids[i] = rb_intern(names[i]);
    rb_get_kwargs(keywords, ids, 0, FORECAST_KEYWORDS, values);
    for (int i = 0; i < FORECAST_KEYWORDS; i++)
        values[i] = values[i] == Qundef ? Qnil : values[i];
    changes_read(forecast, arena, values[0], values[1], values[2], values[3]);
    resources_read(forecast, arena, values[4]);
    for (int i = FORECAST_NUMBERS; i < FORECAST_KEYWORDS; i++) {
        if (!NIL_P(values[i]))
            *numbers[i - FORECAST_NUMBERS] = rsw_int32(values[i], -1, names[i]);
    }
}

/* ---- the answer ---- */

static VALUE number_element(const void *rows, size_t index)
{
    return LL2NUM(((const int64_t *)rows)[index]);
}

static VALUE forecast_case_new(const sw_forecast_case *row)
{
    return rsw_row_new(RSW_FORECAST_CASE, 8,
                       (VALUE[]){rsw_task_state(row->state), INT2NUM(row->workers),
                                 rsw_array(3, row->left_us, number_element),
                                 rsw_array(2, row->p50_between_us, number_element),
                                 LL2NUM(row->work_us), LL2NUM(row->never_count),
                                 rsw_strs(row->path, row->path_count), DBL2NUM(row->progress)});
}

static VALUE calibration_new(const sw_calibration *row)
{
    return rsw_row_new(RSW_CALIBRATION, 4,
                       (VALUE[]){LL2NUM(row->task_count), LL2NUM(row->within_count),
                                 DBL2NUM(row->error), row->trusted ? Qtrue : Qfalse});
}

static VALUE forecast_step_element(const void *rows, size_t index)
{
    const sw_forecast_step *row = (const sw_forecast_step *)rows + index;

    return rsw_row_new(RSW_FORECAST_STEP, 12,
                       (VALUE[]){rsw_name(row->name), rsw_step_state(row->state),
                                 rsw_duration_source(row->source), LL2NUM(row->sample_count),
                                 LL2NUM(row->p50_us), LL2NUM(row->p95_us), LL2NUM(row->elapsed_us),
                                 row->runs ? Qtrue : Qfalse, row->runs_what_if ? Qtrue : Qfalse,
                                 row->overdue ? Qtrue : Qfalse, DBL2NUM(row->decides),
                                 DBL2NUM(row->decides_what_if)});
}

static VALUE forecast_convert(VALUE data)
{
    const sw_result *result = ((rsw_call *)data)->result;
    size_t count;
    const sw_forecast *row = sw_forecasts(result, NULL);
    const sw_forecast_step *steps = sw_forecast_steps(result, &count);

    return rsw_row_new(
        RSW_FORECAST, 15,
        (VALUE[]){
            rsw_id(&row->task_id), rsw_task_state(row->state), row->changed ? Qtrue : Qfalse,
            LL2NUM(row->now_us), LL2NUM(row->elapsed_us), LL2NUM(row->step_count),
            LL2NUM(row->ended_count), LL2NUM(row->history_count), INT2NUM(row->draws),
            row->workers_learnt ? Qtrue : Qfalse, forecast_case_new(&row->base),
            forecast_case_new(&row->what_if), rsw_array(3, row->difference_us, number_element),
            calibration_new(&row->calibration), rsw_array(count, steps, forecast_step_element)});
}

static VALUE engine_forecast(int argc, VALUE *argv, VALUE self)
{
    forecast_call forecast = {.call = {.handle = rsw_engine_get(self), .run = forecast_run},
                              .options = SW_FORECAST_OPTIONS_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE task_id, keywords, answer;

    rb_scan_args(argc, argv, "1:", &task_id, &keywords);
    forecast.task_id = rsw_uuid(task_id, -1, "task_id");
    forecast_read(&forecast, arena, NIL_P(keywords) ? rb_hash_new() : keywords);
    answer = rsw_call_finish(&forecast.call, forecast_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_forecast_init(void)
{
    rb_define_method(rsw_cEngine, "forecast", engine_forecast, -1);
}
