/* Erasing what is known of a subject.
 */
#include "rsw.h"

typedef struct erase_call {
    rsw_call call;
    sw_erase_options options;
    sw_erase_report report;
    VALUE texts[3]; /* on the stack of the method: pins the strings */
} erase_call;

static int erase_run(rsw_call *call)
{
    erase_call *erase = (erase_call *)call;

    return sw_task_erase(call->handle->engine, &erase->options, &erase->report, &call->error);
}

static int32_t erase_flag(VALUE value, const char *what)
{
    return value != Qundef && !NIL_P(value) && rsw_bool(value, what);
}

static VALUE engine_task_erase(int argc, VALUE *argv, VALUE self)
{
    static const char *const names[] = {"subject", "actor", "reason"};
    erase_call erase = {.call = {.handle = rsw_engine_get(self), .run = erase_run},
                        .options = SW_ERASE_OPTIONS_INIT,
                        .report = SW_ERASE_REPORT_INIT};
    sw_str *texts[] = {&erase.options.subject, &erase.options.actor, &erase.options.reason};
    ID ids[] = {rb_intern("dry_run"), rb_intern("quick")};
    VALUE values[] = {Qundef, Qundef};
    VALUE keywords;

    rb_scan_args(argc, argv, "3:", &erase.texts[0], &erase.texts[1], &erase.texts[2], &keywords);
    for (int i = 0; i < 3; i++)
        *texts[i] = rsw_text(&erase.texts[i], names[i]);
    if (!NIL_P(keywords))
        rb_get_kwargs(keywords, ids, 0, 2, values);
    erase.options.dry_run = erase_flag(values[0], "dry_run");
    erase.options.quick = erase_flag(values[1], "quick");
    rsw_call_finish(&erase.call, NULL);
    RB_GC_GUARD(self);
    return rsw_row_new(RSW_ERASED, 3,
                       (VALUE[]){LL2NUM(erase.report.task_count), LL2NUM(erase.report.erased_count),
                                 erase.report.clean ? Qtrue : Qfalse});
}

void rsw_erase_init(void)
{
    rb_define_method(rsw_cEngine, "task_erase", engine_task_erase, -1);
}
