/* Comparing borrowed strings, and what may be a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/str.h"

static void test_equal(void **state)
{
    (void)state;
    assert_true(sw__str_equal(sw__str("ab"), (sw_str){"abc", 2}));
    assert_false(sw__str_equal(sw__str("ab"), sw__str("abc")));
    assert_false(sw__str_equal(sw__str("ab"), sw__str("ac")));
    assert_true(sw__str_equal(sw__str(NULL), sw__str("")));
    assert_true(sw__str_is(sw__str("x"), "x"));
    assert_false(sw__str_is((sw_str){"x\0y", 3}, "x"));
    assert_null(sw__str(NULL).ptr);
}

static void test_compare_orders_bytes_then_length(void **state)
{
    (void)state;
    static const char *const ordered[] = {"", "a", "aZ", "ab", "ab1", "b", "\x80", "\xff"};
    const int count = (int)(sizeof(ordered) / sizeof(ordered[0]));
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count; k++)
            assert_int_equal(sw__str_compare(sw__str(ordered[i]), sw__str(ordered[k])),
                             (i > k) - (i < k));
    }
    assert_int_equal(sw__str_compare(sw__str(NULL), sw__str("")), 0);
}

static void test_every_byte_in_a_name(void **state)
{
    (void)state;
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    for (int byte = 0; byte < 256; byte++) {
        char text[3] = {'a', (char)byte, 'b'};
        bool expected = byte != 0 && strchr(allowed, byte);
        assert_int_equal(sw__str_is_name((sw_str){text, 3}), expected);
    }
}

static void test_length_of_a_name(void **state)
{
    (void)state;
    char text[SW__NAME_MAX + 1];
    memset(text, 'n', sizeof(text));
    assert_false(sw__str_is_name((sw_str){text, 0}));
    assert_true(sw__str_is_name((sw_str){text, 1}));
    assert_true(sw__str_is_name((sw_str){text, SW__NAME_MAX - 1}));
    assert_true(sw__str_is_name((sw_str){text, SW__NAME_MAX}));
    assert_false(sw__str_is_name((sw_str){text, SW__NAME_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_compare_orders_bytes_then_length),
        cmocka_unit_test(test_every_byte_in_a_name),
        cmocka_unit_test(test_length_of_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
