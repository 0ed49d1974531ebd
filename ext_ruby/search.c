/* Searching the audit log: pages of entries, counts, and pages as text.
 */
#include "rsw.h"

enum { SEARCH_TEXT_COUNT = 4, SEARCH_NUMBER_COUNT = 4, SEARCH_COUNT = 10 };

typedef struct search_call {
    rsw_call call;
    sw_audit_filter filter;
    int32_t format;
    int32_t heads;
    VALUE texts[SEARCH_TEXT_COUNT]; /* on the stack of the method: pins the strings */
} search_call;

static bool search_given(VALUE value)
{
    return value != Qundef && !NIL_P(value);
}

/* Keywords to the filter; nil leaves out. */
static void search_read(search_call *search, VALUE keywords)
{
    static const char *const names[SEARCH_COUNT] = {
        "actor",     "step",           "outcome", "correlation_id", "after_us",
        "before_us", "after_entry_no", "limit",   "kind",           "task_id"};
    sw_audit_filter *filter = &search->filter;
    sw_str *texts[] = {&filter->actor, &filter->step, &filter->outcome, &filter->correlation_id};
    int64_t *numbers[] = {&filter->after_us, &filter->before_us, &filter->after_entry_no,
                          &filter->limit};
    ID ids[SEARCH_COUNT];
    VALUE values[SEARCH_COUNT];

    *filter = (sw_audit_filter)SW_AUDIT_FILTER_INIT;
    for (int i = 0; i < SEARCH_COUNT; i++) {
        ids[i] = rb_intern(names[i]);
        values[i] = Qundef;
    }
    if (!NIL_P(keywords))
        rb_get_kwargs(keywords, ids, 0, SEARCH_COUNT, values);
    for (int i = 0; i < SEARCH_TEXT_COUNT; i++) {
        VALUE value = search_given(values[i]) ? values[i] : Qnil;

        search->texts[i] = SYMBOL_P(value) ? rb_sym2str(value) : value;
        *texts[i] = rsw_text(&search->texts[i], names[i]);
    }
    for (int i = 0; i < SEARCH_NUMBER_COUNT; i++) {
        if (search_given(values[SEARCH_TEXT_COUNT + i]))
            *numbers[i] =
                rsw_int64(values[SEARCH_TEXT_COUNT + i], -1, names[SEARCH_TEXT_COUNT + i]);
    }
    if (search_given(values[8]))
        filter->kind = rsw_name_find(values[8], sw_audit_kind_find, "kind of an entry");
    if (search_given(values[9]))
        filter->task_id = rsw_uuid(values[9], -1, "task_id");
}

/* ---- audit_search ---- */

static int search_run(rsw_call *call)
{
    return sw_audit_search(call->handle->engine, &((search_call *)call)->filter, &call->result,
                           &call->error);
}

static VALUE search_convert(VALUE data)
{
    size_t count;
    const sw_audit_entry *rows = sw_audit_entries(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, rsw_entry_element);
}

static VALUE engine_audit_search(int argc, VALUE *argv, VALUE self)
{
    search_call search = {.call = {.handle = rsw_engine_get(self), .run = search_run}};
    VALUE keywords, answer;

    rb_scan_args(argc, argv, "0:", &keywords);
    search_read(&search, keywords);
    answer = rsw_call_finish(&search.call, search_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- audit_count ---- */

static int count_run(rsw_call *call)
{
    return sw_audit_count(call->handle->engine, &((search_call *)call)->filter, &call->result,
                          &call->error);
}

static VALUE group_element(const void *rows, size_t index)
{
    const sw_audit_group *row = (const sw_audit_group *)rows + index;
    VALUE outcome = row->to < 0 ? Qnil : rsw_entry_state(row->kind, row->to);

    return rsw_row_new(RSW_AUDIT_GROUP, 5,
                       (VALUE[]){rsw_audit_kind(row->kind), outcome, LL2NUM(row->count),
                                 LL2NUM(row->oldest_us), LL2NUM(row->newest_us)});
}

static VALUE actor_element(const void *rows, size_t index)
{
    const sw_audit_actor *row = (const sw_audit_actor *)rows + index;

    return rsw_row_new(RSW_AUDIT_ACTOR, 4,
                       (VALUE[]){rsw_name(row->actor), LL2NUM(row->count), LL2NUM(row->oldest_us),
                                 LL2NUM(row->newest_us)});
}

static VALUE count_convert(VALUE data)
{
    size_t count;
    const sw_result *result = ((rsw_call *)data)->result;
    const sw_audit_group *groups = sw_audit_groups(result, &count);
    VALUE kinds = rsw_array(count, groups, group_element);
    const sw_audit_actor *actors = sw_audit_actors(result, &count);

    return rb_ary_new_from_args(2, kinds, rsw_array(count, actors, actor_element));
}

static VALUE engine_audit_count(int argc, VALUE *argv, VALUE self)
{
    search_call count = {.call = {.handle = rsw_engine_get(self), .run = count_run}};
    VALUE keywords, answer;

    rb_scan_args(argc, argv, "0:", &keywords);
    search_read(&count, keywords);
    answer = rsw_call_finish(&count.call, count_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- audit_dump ---- */

static int dump_run(rsw_call *call)
{
    const search_call *dump = (const search_call *)call;

    return sw_audit_dump(call->handle->engine, &dump->filter, dump->format, dump->heads,
                         &call->result, &call->error);
}

/* [text, number of entries, number of the last one]. */
static VALUE dump_convert(VALUE data)
{
    const sw_audit_text *row = sw_audit_texts(((rsw_call *)data)->result, NULL);

    return rb_ary_new_from_args(3, rsw_str(row->text), LL2NUM(row->entry_count),
                                LL2NUM(row->last_entry_no));
}

static VALUE engine_audit_dump(int argc, VALUE *argv, VALUE self)
{
    search_call dump = {.call = {.handle = rsw_engine_get(self), .run = dump_run}};
    VALUE format, heads, keywords, answer;

    rb_scan_args(argc, argv, "11:", &format, &heads, &keywords);
    dump.format = rsw_name_find(format, sw_audit_format_find, "format of the audit log");
    dump.heads = NIL_P(heads) || rsw_bool(heads, "heads");
    search_read(&dump, keywords);
    answer = rsw_call_finish(&dump.call, dump_convert);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_search_init(void)
{
    rb_define_method(rsw_cEngine, "audit_search", engine_audit_search, -1);
    rb_define_method(rsw_cEngine, "audit_count", engine_audit_count, -1);
    rb_define_method(rsw_cEngine, "audit_dump", engine_audit_dump, -1);
}
