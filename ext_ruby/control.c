/* Control reports: of an engine and of an export, the list of controls, signatures.
 *
 * What needs no engine is defined on the class.
 */
#include "rsw.h"

typedef struct control_call {
    rsw_call call;
    sw_audit_trust trust;
    sw_control_options options;
    sw_str folder;
    sw_str text;
    sw_str note;
    sw_audit_signing signing;
} control_call;

static VALUE control_symbol(const char *name)
{
    return ID2SYM(rb_intern(name));
}

/* ---- rows ---- */

static VALUE numbers_new(const int64_t *numbers, size_t count)
{
    VALUE all = rb_ary_new_capa((long)count);

    for (size_t i = 0; i < count; i++)
        rb_ary_push(all, LL2NUM(numbers[i]));
    return rb_obj_freeze(all);
}

static VALUE answer_element(const void *rows, size_t index)
{
    const sw_control_row *row = (const sw_control_row *)rows + index;

    return rsw_row_new(RSW_CONTROL_ANSWER, 6,
                       (VALUE[]){control_symbol(sw_standard_name(row->control->standard)),
                                 rsw_name(row->control->id), rsw_name(row->control->title),
                                 rsw_name(row->control->question),
                                 control_symbol(sw_answer_name(row->answer)),
                                 numbers_new(row->entry_nos, row->entry_no_count)});
}

static VALUE evidence_element(const void *rows, size_t index)
{
    const sw_evidence_row *row = (const sw_evidence_row *)rows + index;
    const char *question = sw_evidence_question(row->evidence);

    return rsw_row_new(RSW_EVIDENCE, 7,
                       (VALUE[]){control_symbol(sw_evidence_name(row->evidence)),
                                 rsw_name((sw_str){question, strlen(question)}),
                                 control_symbol(sw_answer_name(row->answer)),
                                 LL2NUM(row->entry_count),
                                 numbers_new(row->entry_nos, (size_t)row->entry_no_count),
                                 LL2NUM(row->against_count),
                                 numbers_new(row->against_nos, (size_t)row->against_no_count)});
}

static VALUE report_convert(VALUE data)
{
    size_t count;
    const sw_result *result = ((rsw_call *)data)->result;
    const sw_control_summary *row = sw_control_summaries(result, NULL);
    const sw_control_row *controls = sw_control_rows(result, &count);
    VALUE answers = rsw_array(count, controls, answer_element);
    const sw_evidence_row *evidence = sw_evidence_rows(result, &count);

    return rsw_row_new(RSW_CONTROL_REPORT, 11,
                       (VALUE[]){rsw_str(row->origin), LL2NUM(row->entry_count),
                                 LL2NUM(row->window_count), LL2NUM(row->as_of_us),
                                 rsw_audit_level(row->level), INT2NUM(row->found),
                                 INT2NUM(row->not_found), INT2NUM(row->not_applicable), answers,
                                 rsw_array(count, evidence, evidence_element), rsw_str(row->text)});
}

static VALUE control_element(const void *rows, size_t index)
{
    const sw_control *row = (const sw_control *)rows + index;
    const char *cites = sw_standard_title(row->standard);
    VALUE kinds = rb_ary_new();

    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        if (row->evidence >> kind & 1)
            rb_ary_push(kinds, control_symbol(sw_evidence_name(kind)));
    }
    return rsw_row_new(RSW_CONTROL, 6,
                       (VALUE[]){control_symbol(sw_standard_name(row->standard)),
                                 rsw_name((sw_str){cites, strlen(cites)}), rsw_name(row->id),
                                 rsw_name(row->title), rsw_name(row->question),
                                 rb_obj_freeze(kinds)});
}

static VALUE control_list(VALUE class)
{
    size_t count;
    const sw_control *rows = sw_control_list(&count);

    (void)class;
    return rsw_array(count, rows, control_element);
}

/* ---- reports ---- */

/* format, standards, after_us, before_us. */
static void options_read(control_call *report, VALUE *values)
{
    sw_control_options *options = &report->options;

    *options = (sw_control_options)SW_CONTROL_OPTIONS_INIT;
    options->format =
        rsw_name_find(values[0], sw_control_format_find, "format of a control report");
    if (!NIL_P(values[1]) && !RB_TYPE_P(values[1], T_ARRAY))
        rsw_error_type(values[1], -1, "standards", "an Array of Symbols");
    for (long i = 0; !NIL_P(values[1]) && i < RARRAY_LEN(values[1]); i++)
        options->standards |= INT64_C(1) << rsw_name_find_row(rb_ary_entry(values[1], i), i,
                                                              sw_standard_find, "standard");
    if (!NIL_P(values[2]))
        options->after_us = rsw_int64(values[2], -1, "after_us");
    if (!NIL_P(values[3]))
        options->before_us = rsw_int64(values[3], -1, "before_us");
}

static int report_run(rsw_call *call)
{
    const control_call *report = (const control_call *)call;

    return sw_control_report(call->handle->engine, &report->trust, &report->options, &call->result,
                             &call->error);
}

static VALUE engine_control_report(VALUE self, VALUE format, VALUE standards, VALUE after_us,
                                   VALUE before_us, VALUE checkpoints, VALUE keys)
{
    control_call report = {.call = {.handle = rsw_engine_get(self), .run = report_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    options_read(&report, (VALUE[]){format, standards, after_us, before_us});
    rsw_trust_read(arena, checkpoints, keys, Qnil, &report.trust);
    answer = rsw_call_finish(&report.call, report_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

static int report_export_run(rsw_call *call)
{
    const control_call *report = (const control_call *)call;

    return sw_control_report_export(report->folder, &report->trust, &report->options, &call->result,
                                    &call->error);
}

static VALUE control_report_export(VALUE class, VALUE folder, VALUE format, VALUE standards,
                                   VALUE after_us, VALUE before_us, VALUE checkpoints, VALUE keys)
{
    control_call report = {.call = {.run = report_export_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    report.folder = rsw_arena_text(arena, folder, -1, "folder");
    options_read(&report, (VALUE[]){format, standards, after_us, before_us});
    rsw_trust_read(arena, checkpoints, keys, Qnil, &report.trust);
    answer = rsw_call_finish(&report.call, report_convert);
    rsw_arena_free(memory);
    return answer;
}

/* ---- signatures ---- */

static VALUE signature_convert(VALUE data)
{
    const sw_control_signature *row = sw_control_signatures(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_CONTROL_SIGNATURE, 3,
                       (VALUE[]){rsw_str(row->name), rsw_hex(row->digest, sizeof(row->digest)),
                                 rsw_str(row->note)});
}

static int sign_run(rsw_call *call)
{
    const control_call *sign = (const control_call *)call;

    return sw_control_sign(&sign->signing, sign->text, &call->result, &call->error);
}

static VALUE control_sign(VALUE class, VALUE path, VALUE text)
{
    control_call sign = {.call = {.run = sign_run}, .signing = SW_AUDIT_SIGNING_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    sign.signing.path = rsw_arena_text(arena, path, -1, "path");
    sign.text = rsw_arena_text(arena, text, -1, "text");
    answer = rsw_call_finish(&sign.call, signature_convert);
    rsw_arena_free(memory);
    return answer;
}

static int check_run(rsw_call *call)
{
    const control_call *check = (const control_call *)call;

    return sw_control_check(check->trust.keys, check->trust.key_count, check->text, check->note,
                            &call->result, &call->error);
}

static VALUE control_check(VALUE class, VALUE text, VALUE note, VALUE keys)
{
    control_call check = {.call = {.run = check_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    check.text = rsw_arena_text(arena, text, -1, "text");
    check.note = rsw_arena_text(arena, note, -1, "note");
    rsw_trust_read(arena, Qnil, keys, Qnil, &check.trust);
    answer = rsw_call_finish(&check.call, signature_convert);
    rsw_arena_free(memory);
    return answer;
}

void rsw_control_init(void)
{
    rb_define_singleton_method(rsw_cEngine, "control_list", control_list, 0);
    rb_define_singleton_method(rsw_cEngine, "control_report_export", control_report_export, 7);
    rb_define_singleton_method(rsw_cEngine, "control_sign", control_sign, 2);
    rb_define_singleton_method(rsw_cEngine, "control_check", control_check, 3);
    rb_define_method(rsw_cEngine, "control_report", engine_control_report, 6);
}
