/* Floating-point numbers as text.
 *
 * printf and strtod follow the locale of the host, which may write a comma for the point; the
 * thread's locale is therefore set to "C" around them. Numbers with a few digits, which are nearly
 * all that files have, do without either.
 */
#include "base/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SW__NUMBER_EXACT 0x1.0p53
#define NUMBER_DIGITS 15 /* a decimal of so many digits is nearest to one double, and back */
#define NUMBER_SHORT_DECIMALS 4
#define NUMBER_SHORT_SCALE 1e4
#define NUMBER_SHORT_MAX 1e9

/* The "C" locale is static in the C library, so this neither allocates nor fails there. Where it
 * did, uselocale(0) changes nothing and the locale of the host stays. */
static locale_t number_locale_enter(locale_t *neutral)
{
    *neutral = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return uselocale(*neutral);
}

static void number_locale_leave(locale_t neutral, locale_t before)
{
    uselocale(before);
    if (neutral)
        freelocale(neutral);
}

size_t sw__number_format_int(int64_t number, char text[SW__NUMBER_TEXT])
{
    char digits[SW__NUMBER_TEXT];
    size_t at = sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    memcpy(text, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

/* Integers, and what is the nearest double to a number with up to four decimals, which is then its
 * shortest form; 0 for others. */
static size_t number_format_short(double number, char text[SW__NUMBER_TEXT])
{
    double size = fabs(number);
    if (size < SW__NUMBER_EXACT && number == trunc(number))
        return sw__number_format_int((int64_t)number, text);
    double scaled = size < NUMBER_SHORT_MAX ? round(size * NUMBER_SHORT_SCALE) : 0;
    if (FLT_EVAL_METHOD != 0 || scaled < 1 || scaled / NUMBER_SHORT_SCALE != size)
        return 0;
    int64_t whole = (int64_t)(scaled / NUMBER_SHORT_SCALE);
    int64_t decimals = (int64_t)scaled - whole * (int64_t)NUMBER_SHORT_SCALE;
    size_t len = number < 0;
    text[0] = '-';
    len += sw__number_format_int(whole, text + len);
    text[len] = '.';
    for (size_t i = NUMBER_SHORT_DECIMALS; i > 0; i--, decimals /= 10)
        text[len + i] = (char)('0' + decimals % 10);
    len += 1 + NUMBER_SHORT_DECIMALS;
    while (text[len - 1] == '0')
        len--;
    return len;
}

/* 17 digits always read back the same, and mostly 15 or 16 do. Zero keeps its sign by a point,
 * because "-0" is read as an integer, which has no such value. */
size_t sw__number_format(double number, char text[SW__NUMBER_TEXT])
{
    locale_t neutral;
    int len, digits = NUMBER_DIGITS;
    if (number == 0 && signbit(number))
        return (size_t)snprintf(text, SW__NUMBER_TEXT, "-0.0");
    size_t short_len = number_format_short(number, text);
    if (short_len > 0) {
        text[short_len] = 0;
        return short_len;
    }
    locale_t before = number_locale_enter(&neutral);
    do {
        len = snprintf(text, SW__NUMBER_TEXT, "%.*g", digits, number);
    } while (strtod(text, NULL) != number && ++digits <= 17);
    number_locale_leave(neutral, before);
    return (size_t)len;
}

/* Digits with at most one point, few enough that they and the power of ten below them are exact:
 * one division rounds once, as strtod does. */
static bool number_parse_short(const char *text, double *number)
{
    int digits = 0;
    int64_t sum = 0;
    double scale = 0;
    const char *at = text + (text[0] == '-');
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && scale == 0); at++) {
        if (*at == '.') {
            scale = 1;
            continue;
        }
        sum = sum * 10 + (*at - '0');
        scale *= 10;
        if (++digits > NUMBER_DIGITS)
            return false;
    }
    if (FLT_EVAL_METHOD != 0 || *at != 0 || digits == 0)
        return false;
    double size = (double)sum / (scale > 0 ? scale : 1);
    *number = text[0] == '-' ? -size : size;
    return true;
}

double sw__number_parse(const char *text)
{
    double exact;
    if (number_parse_short(text, &exact))
        return exact;
    locale_t neutral;
    locale_t before = number_locale_enter(&neutral);
    double number = strtod(text, NULL);
    number_locale_leave(neutral, before);
    return number;
}
