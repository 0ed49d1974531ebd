/* Numbers as text: the shortest form, exact round trips, and the locale of the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

static void test_known_forms(void **state)
{
    (void)state;
    const struct {
        double number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-42, "-42"},
        {1e15, "1000000000000000"},
        {9007199254740991.0, "9007199254740991"},
        {-9007199254740991.0, "-9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {9007199254740994.0 * 10, "9.007199254740994e+16"},
        {1e21, "1e+21"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3.0, "0.3333333333333333"},
        {5e-324, "4.94065645841247e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MIN, "-2.2250738585072014e-308"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[SW__NUMBER_TEXT];
        assert_int_equal(sw__number_format(rows[i].number, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

/* Doubles of any bits read back the same, sign of zero included. */
static void test_every_number_reads_back(void **state)
{
    (void)state;
    uint64_t bits = 1;
    for (int i = 0; i < 200000; i++) {
        double number;
        char text[SW__NUMBER_TEXT];
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        assert_true(sw__number_format(number, text) < sizeof(text));
        double again = sw__number_parse(text);
        assert_memory_equal(&again, &number, sizeof(number));
    }
    assert_true(isinf(sw__number_parse("1e999")));
}

/* What the C library gives in its own locale, which this test runs in. */
static void assert_as_the_library(double number)
{
    char text[SW__NUMBER_TEXT], expected[64];
    int digits = 15;
    do
        snprintf(expected, sizeof(expected), "%.*g", digits, number);
    while (strtod(expected, NULL) != number && ++digits <= 17);
    if (fabs(number) < 0x1p53 && number == trunc(number))
        snprintf(expected, sizeof(expected), "%.0f", number);
    assert_int_equal(sw__number_format(number, text), strlen(expected));
    assert_string_equal(text, expected);
}

/* Numbers with few digits, which need no help of the C library, and their neighbours. */
static void test_short_numbers(void **state)
{
    (void)state;
    uint64_t bits = 3;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t number = bits >> (11 + bits % 50);
        int decimals = (int)((bits >> 7) % 17);
        int len = snprintf(text, sizeof(text), "%s%016llu", bits % 3 ? "" : "-",
                           (unsigned long long)number);
        memmove(text + len - decimals + 1, text + len - decimals, (size_t)decimals + 1);
        text[len - decimals] = '.';
        double expected = strtod(text, NULL), found = sw__number_parse(text);
        assert_memory_equal(&found, &expected, sizeof(found));
        if (expected == 0)
            continue;
        assert_as_the_library(expected);
        assert_as_the_library(nextafter(expected, 0));
        assert_as_the_library(nextafter(expected, INFINITY));
    }
    for (int i = 1; i < 200000; i++) {
        assert_as_the_library(i / 1e4);
        assert_as_the_library(-i / 1e5);
        assert_as_the_library(nextafter(i / 1e4, 0));
    }
}

static void test_integers(void **state)
{
    (void)state;
    const int64_t numbers[] = {0, 1, -1, 9, 10, -10, 1234567890123, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char text[SW__NUMBER_TEXT], expected[32];
        snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
        assert_int_equal(sw__number_format_int(numbers[i], text), strlen(expected));
        assert_memory_equal(text, expected, strlen(expected));
    }
}

/* Set a locale that writes 1,5: an installed one, or one made from its source. */
static bool comma_locale_set(char *folder)
{
    char command[256];
    if (setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8"))
        return true;
    snprintf(command, sizeof(command), "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null",
             folder);
    if (system(command) != 0)
        return false;
    setenv("LOCPATH", folder, 1);
    return setlocale(LC_ALL, "de_DE.UTF-8");
}

static void test_locale_of_the_host_does_not_matter(void **state)
{
    (void)state;
    char folder[] = "/tmp/stepwell-locale-XXXXXX";
    char text[64];
    assert_non_null(mkdtemp(folder));
    bool set = comma_locale_set(folder);
    snprintf(text, sizeof(text), "rm -r %s", folder);
    assert_int_equal(system(text), 0);
    if (!set) {
        print_message("no locale with a decimal comma, and no package \"locales\" to make one\n");
        skip();
    }
    snprintf(text, sizeof(text), "%g", 1.5);
    assert_string_equal(text, "1,5");
    sw__number_format(1.5, text);
    assert_string_equal(text, "1.5");
    assert_true(sw__number_parse("1.5") == 1.5);
    assert_true(strtod("1,5", NULL) == 1.5);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_forms),
        cmocka_unit_test(test_every_number_reads_back),
        cmocka_unit_test(test_short_numbers),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_locale_of_the_host_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
