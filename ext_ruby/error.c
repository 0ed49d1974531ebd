/* Codes of the core to Ruby exceptions: one table, expanded from SW_ERROR_MAP, and one function
 * that raises from it.
 *
 * Not here: exceptions that only the Ruby layer knows (lib/stepwell/errors.rb).
 */
#include "rsw.h"

#include <stdarg.h>
#include <stdio.h>

#define ERROR_ONE(name, value, class_name, text) +1
enum { ERROR_COUNT = 0 SW_ERROR_MAP(ERROR_ONE) };
#undef ERROR_ONE

static VALUE error_base;
static VALUE error_classes[ERROR_COUNT + 1]; /* by -code */

static VALUE error_class(int code)
{
    if (code < 0 && code >= -ERROR_COUNT)
        return error_classes[-code];
    return error_base;
}

VALUE rsw_error_new(const sw_error *err)
{
    VALUE message = rb_utf8_str_new_cstr(err->message[0] ? err->message : sw_code_text(err->code));
    /* The core cuts long messages by bytes, which may split a character. */
    VALUE clean = rb_str_scrub(message, Qnil);
    VALUE error = rb_exc_new_str(error_class(err->code), NIL_P(clean) ? message : clean);

    rb_ivar_set(error, rb_intern("@row"), err->row < 0 ? Qnil : LL2NUM(err->row));
    return error;
}

void rsw_error_raise(const sw_error *err)
{
    rb_exc_raise(rsw_error_new(err));
}

void rsw_error_fail(int code, int64_t row, const char *format, ...)
{
    sw_error error = {.code = code, .row = row};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error.message, sizeof(error.message), format, arguments);
    va_end(arguments);
    rsw_error_raise(&error);
}

void rsw_error_type(VALUE value, int64_t row, const char *what, const char *expected)
{
    VALUE found = rb_class_path(rb_obj_class(value));

    if (row >= 0)
        rb_raise(rb_eTypeError, "row %lld: %s must be %s, not %" PRIsVALUE, (long long)row, what,
                 expected, found);
    rb_raise(rb_eTypeError, "%s must be %s, not %" PRIsVALUE, what, expected, found);
}

static void error_define(int code, const char *name)
{
    VALUE class;

    if (code == SW_ENOMEM) {
        class = rb_eNoMemError;
    } else {
        class = rb_define_class_under(rsw_mStepwell, name, error_base);
        rb_define_const(class, "CODE", ID2SYM(rb_intern(sw_code_name(code))));
    }
    rb_gc_register_mark_object(class);
    error_classes[-code] = class;
}

void rsw_error_init(void)
{
    error_base = rb_define_class_under(rsw_mStepwell, "Error", rb_eStandardError);
    rb_gc_register_mark_object(error_base);
    rb_define_const(error_base, "CODE", Qnil);
#define ERROR_DEFINE(name, value, class_name, text) error_define(value, #class_name);
    SW_ERROR_MAP(ERROR_DEFINE)
#undef ERROR_DEFINE
}
