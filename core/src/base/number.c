/* Floating-point numbers as text.
 *
 * printf and strtod follow the locale of the host, which may write a comma for the point; the
 * thread's locale is therefore set to "C" around them. Not here: integers, which no locale changes.
 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SW__NUMBER_EXACT 0x1.0p53

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

/* 17 digits always read back the same, and mostly 15 or 16 do. Zero keeps its sign by a point,
 * because "-0" is read as an integer, which has no such value. */
size_t sw__number_format(double number, char text[SW__NUMBER_TEXT])
{
    locale_t neutral;
    locale_t before = number_locale_enter(&neutral);
    int len;
    if (number == 0 && signbit(number)) {
        len = snprintf(text, SW__NUMBER_TEXT, "-0.0");
    } else if (fabs(number) < SW__NUMBER_EXACT && number == trunc(number)) {
        len = snprintf(text, SW__NUMBER_TEXT, "%.0f", number);
    } else {
        int digits = 15;
        do {
            len = snprintf(text, SW__NUMBER_TEXT, "%.*g", digits, number);
        } while (strtod(text, NULL) != number && ++digits <= 17);
    }
    number_locale_leave(neutral, before);
    return (size_t)len;
}

double sw__number_parse(const char *text)
{
    locale_t neutral;
    locale_t before = number_locale_enter(&neutral);
    double number = strtod(text, NULL);
    number_locale_leave(neutral, before);
    return number;
}
