/* Filling the caller's sw_error. Every failing function ends in `return sw__fail(...)`. */
#ifndef SW_BASE_ERROR_H
#define SW_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "stepwell/error.h"

/* Write code and a formatted message (row -1) and return the code. format NULL: the default text.
 * err may be NULL. */
int sw__fail(sw_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, naming the offending element of a batch. */
int sw__fail_row(sw_error *err, int code, size_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Format a message of at most size - 1 bytes that is valid UTF-8 without control characters but
 * line ends, whatever the arguments hold. false: it cannot be formatted. */
bool sw__message_format(char *message, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Reset err to SW_OK; for the start of a public function. */
void sw__error_clear(sw_error *err);

#endif
