/* Dead letters: listing, counting, and changing all that a filter finds.
 *
 * Not here: letters that can be asked to be retried; lib/stepwell/dead_letters.rb has them.
 */
#include "rsw.h"

enum { DEAD_TEXT_COUNT = 4, DEAD_NUMBER_COUNT = 5 };

typedef struct dead_call {
    rsw_call call;
    sw_dead_filter filter;
    sw_dead_action action;
    VALUE texts[DEAD_TEXT_COUNT + 3]; /* on the stack of the method: pins the strings */
} dead_call;

static void dead_text(dead_call *dead, int index, VALUE value, sw_str *text, const char *what)
{
    dead->texts[index] = value == Qundef ? Qnil : value;
    *text = rsw_text(&dead->texts[index], what);
}

static void dead_number(VALUE value, int64_t *number, const char *what)
{
    if (value != Qundef && !NIL_P(value))
        *number = rsw_int64(value, -1, what);
}

/* Keywords to the filter; nil leaves out. */
static void dead_filter_read(dead_call *dead, VALUE keywords)
{
    static const char *const names[] = {"workflow",    "handler",         "step",
                                        "error_class", "failed_after_us", "failed_before_us",
                                        "after_us",    "after_step_id",   "limit"};
    enum { FILTER_COUNT = DEAD_TEXT_COUNT + DEAD_NUMBER_COUNT };
    sw_dead_filter *filter = &dead->filter;
    sw_str *texts[] = {&filter->workflow, &filter->handler, &filter->step, &filter->error_class};
    int64_t *numbers[] = {&filter->failed_after_us, &filter->failed_before_us, &filter->after_us,
                          &filter->after_step_id, &filter->limit};
    ID ids[FILTER_COUNT];
    VALUE values[FILTER_COUNT];

    *filter = (sw_dead_filter)SW_DEAD_FILTER_INIT;
    for (int i = 0; i < FILTER_COUNT; i++) {
        ids[i] = rb_intern(names[i]);
        values[i] = Qundef;
    }
    if (!NIL_P(keywords))
        rb_get_kwargs(keywords, ids, 0, FILTER_COUNT, values);
    for (int i = 0; i < DEAD_TEXT_COUNT; i++)
        dead_text(dead, i, values[i], texts[i], names[i]);
    for (int i = 0; i < DEAD_NUMBER_COUNT; i++)
        dead_number(values[DEAD_TEXT_COUNT + i], numbers[i], names[DEAD_TEXT_COUNT + i]);
}

/* ---- dead_list ---- */

static int list_run(rsw_call *call)
{
    return sw_dead_list(call->handle->engine, &((dead_call *)call)->filter, &call->result,
                        &call->error);
}

static VALUE dead_row_element(const void *rows, size_t index)
{
    const sw_dead_letter *row = (const sw_dead_letter *)rows + index;

    return rsw_row_new(RSW_DEAD_ROW, 15,
                       (VALUE[]){LL2NUM(row->step_id), rsw_id(&row->task_id),
                                 rsw_name(row->workflow), rsw_name(row->version),
                                 rsw_name(row->step), rsw_name(row->handler), rsw_name(row->queue),
                                 rsw_str(row->error_class), rsw_str(row->error_message),
                                 rsw_str(row->error_detail), LL2NUM(row->failed_us),
                                 INT2NUM(row->attempt), INT2NUM(row->max_attempts),
                                 INT2NUM(row->crashes), rsw_task_state(row->task_state)});
}

static VALUE list_convert(VALUE data)
{
    size_t count;
    const sw_dead_letter *rows = sw_dead_letters(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, dead_row_element);
}

static VALUE engine_dead_list(int argc, VALUE *argv, VALUE self)
{
    dead_call list = {.call = {.handle = rsw_engine_get(self), .run = list_run}};
    VALUE keywords, answer;

    rb_scan_args(argc, argv, "0:", &keywords);
    dead_filter_read(&list, keywords);
    answer = rsw_call_finish(&list.call, list_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- dead_count ---- */

static int count_run(rsw_call *call)
{
    return sw_dead_count(call->handle->engine, &((dead_call *)call)->filter, &call->result,
                         &call->error);
}

static VALUE group_element(const void *rows, size_t index)
{
    const sw_dead_group *row = (const sw_dead_group *)rows + index;

    return rsw_row_new(RSW_DEAD_GROUP, 5,
                       (VALUE[]){rsw_str(row->error_class), rsw_name(row->handler),
                                 LL2NUM(row->count), LL2NUM(row->oldest_us),
                                 LL2NUM(row->newest_us)});
}

static VALUE count_convert(VALUE data)
{
    size_t count;
    const sw_dead_group *rows = sw_dead_groups(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, group_element);
}

static VALUE engine_dead_count(int argc, VALUE *argv, VALUE self)
{
    dead_call count = {.call = {.handle = rsw_engine_get(self), .run = count_run}};
    VALUE keywords, answer;

    rb_scan_args(argc, argv, "0:", &keywords);
    dead_filter_read(&count, keywords);
    answer = rsw_call_finish(&count.call, count_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- dead_override ---- */

static int override_run(rsw_call *call)
{
    dead_call *dead = (dead_call *)call;

    return sw_dead_override(call->handle->engine, &dead->filter, &dead->action, &call->result,
                            &call->error);
}

static VALUE override_convert(VALUE data)
{
    size_t count;
    const sw_result *result = ((rsw_call *)data)->result;
    const sw_dead_letter *letters = sw_dead_letters(result, &count);
    VALUE found = rsw_array(count, letters, dead_row_element);
    const sw_step_overridden *rows = sw_step_overrides(result, &count);

    return rb_ary_new_from_args(2, found, rsw_array(count, rows, rsw_overridden_element));
}

static VALUE engine_dead_override(int argc, VALUE *argv, VALUE self)
{
    dead_call dead = {.call = {.handle = rsw_engine_get(self), .run = override_run}};
    VALUE state, actor, reason, result, keywords, answer;

    rb_scan_args(argc, argv, "31:", &state, &actor, &reason, &result, &keywords);
    dead.action.state = rsw_name_find(state, sw_step_state_find, "step state");
    dead_text(&dead, DEAD_TEXT_COUNT, actor, &dead.action.actor, "actor");
    dead_text(&dead, DEAD_TEXT_COUNT + 1, reason, &dead.action.reason, "reason");
    dead_text(&dead, DEAD_TEXT_COUNT + 2, result, &dead.action.result, "result");
    dead_filter_read(&dead, keywords);
    answer = rsw_call_finish(&dead.call, override_convert);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_dead_init(void)
{
    rb_define_method(rsw_cEngine, "dead_list", engine_dead_list, -1);
    rb_define_method(rsw_cEngine, "dead_count", engine_dead_count, -1);
    rb_define_method(rsw_cEngine, "dead_override", engine_dead_override, -1);
}
