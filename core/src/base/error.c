/* Error records and the three expansions of SW_ERROR_MAP.
 *
 * Not here: mapping to exceptions, which each binding does from sw_code_class.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

const char *sw_code_name(int code)
{
    switch (code) {
    case SW_OK:
        return "OK";
#define SW__CODE_CASE(name, value, class_name, text)                                               \
    case value:                                                                                    \
        return #name;
        SW_ERROR_MAP(SW__CODE_CASE)
#undef SW__CODE_CASE
    default:
        return "UNKNOWN";
    }
}

const char *sw_code_text(int code)
{
    switch (code) {
    case SW_OK:
        return "no error";
#define SW__CODE_CASE(name, value, class_name, text)                                               \
    case value:                                                                                    \
        return text;
        SW_ERROR_MAP(SW__CODE_CASE)
#undef SW__CODE_CASE
    default:
        return "unknown error";
    }
}

const char *sw_code_class(int code)
{
    switch (code) {
#define SW__CODE_CASE(name, value, class_name, text)                                               \
    case value:                                                                                    \
        return #class_name;
        SW_ERROR_MAP(SW__CODE_CASE)
#undef SW__CODE_CASE
    default:
        return NULL;
    }
}

/* Make a message safe to print and to hand to a language that insists on UTF-8: names quoted in
 * it may hold anything, and the cut at the end may have split a character. */
static void message_clean(char *message, size_t len)
{
    size_t start = 0;
    for (;;) {
        size_t bad = sw__utf8_check((sw_str){message + start, len - start}) + start;
        if (bad >= len)
            break;
        message[bad] = '?';
        start = bad + 1;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)message[i];
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f)
            message[i] = '?';
    }
}

bool sw__message_format(char *message, size_t size, const char *format, va_list args)
{
    int made = vsnprintf(message, size, format, args);
    if (made < 0)
        return false;
    size_t len = strlen(message);
    if ((size_t)made >= size)
        len = sw__utf8_cut((sw_str){message, len}, len).len;
    message[len] = '\0';
    message_clean(message, len);
    return true;
}

/* The arguments may point into err->message itself, so the text is made beside it first. */
static void error_write(sw_error *err, int code, int64_t row, const char *format, va_list args)
{
    char message[sizeof(err->message)];
    if (!format || !sw__message_format(message, sizeof(message), format, args))
        snprintf(message, sizeof(message), "%s", sw_code_text(code));
    err->code = code;
    err->reserved = 0;
    err->row = row;
    memcpy(err->message, message, strlen(message) + 1);
}

int sw__fail(sw_error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        error_write(err, code, -1, format, args);
        va_end(args);
    }
    return code;
}

int sw__fail_row(sw_error *err, int code, size_t row, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        error_write(err, code, (int64_t)row, format, args);
        va_end(args);
    }
    return code;
}

void sw__error_clear(sw_error *err)
{
    if (!err)
        return;
    err->code = SW_OK;
    err->reserved = 0;
    err->row = -1;
    err->message[0] = '\0';
}
