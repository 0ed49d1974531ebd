/* Floating-point numbers as text, whatever locale the host has set. */
#ifndef SW_BASE_NUMBER_H
#define SW_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define SW__NUMBER_TEXT 32

/* The shortest decimal form that reads back as the same number: integers below 2^53 without a
 * point or exponent. Returns its length, without the terminating zero. number is finite. */
size_t sw__number_format(double number, char text[SW__NUMBER_TEXT]);

/* An integer in decimal; returns its length, there is no terminating zero. */
size_t sw__number_format_int(int64_t number, char text[SW__NUMBER_TEXT]);

/* Read zero-terminated text that is known to be a decimal number; infinite when it is too large. */
double sw__number_parse(const char *text);

#endif
