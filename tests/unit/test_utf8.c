/* UTF-8 validity against an encoder: every code point, every pair of bytes, every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

static size_t encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x200000; point++) {
        char text[4];
        size_t len = encode(point, text);
        bool valid = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
        assert_int_equal(sw__utf8_check((sw_str){text, len}), valid ? len : 0);
    }
}

/* The longer of two encodings of one character is how filters are got around. */
static void test_overlong_forms(void **state)
{
    (void)state;
    static const char *const overlong[] = {"\xc0\x80",     "\xc1\xbf",         "\xe0\x80\x80",
                                           "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof(overlong) / sizeof(overlong[0]); i++)
        assert_int_equal(sw__utf8_check(sw__str(overlong[i])), 0);
}

static void test_stray_and_missing_bytes(void **state)
{
    (void)state;
    static const char *const broken[] = {"\x80",      "\xbf",     "\xfe",         "\xff",
                                         "\xc3",      "\xe2\x82", "\xf0\x9f\x98", "\xc3(",
                                         "\xe2(\xac", "\xe2\x82("};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        char text[64] = "0123456789abcdef";
        for (size_t before = 0; before <= 16; before++) {
            strcpy(text + before, broken[i]);
            assert_int_equal(sw__utf8_check(sw__str(text)), before);
            strcpy(text, "0123456789abcdef");
        }
    }
}

static void test_text_has_no_control_characters(void **state)
{
    (void)state;
    for (int byte = 0; byte < 0x80; byte++) {
        char text[2] = {'a', (char)byte};
        assert_int_equal(sw__utf8_is_text((sw_str){text, 2}), byte >= 0x20 && byte != 0x7f);
    }
    assert_true(sw__utf8_is_text(sw__str("gr\xc3\xbc\xc3\x9f"
                                         "e")));
    assert_false(sw__utf8_is_text(sw__str("gr\xfc")));
    assert_true(sw__utf8_is_text((sw_str){NULL, 0}));
}

/* Every length of a text with characters of one to four bytes: the cut falls on the last start
 * of a character that fits. */
static void test_cut_falls_between_characters(void **state)
{
    (void)state;
    sw_str text = SW__LIT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};
    for (size_t max = 0; max < sizeof(expected) / sizeof(expected[0]); max++) {
        sw_str cut = sw__utf8_cut(text, max);
        assert_ptr_equal(cut.ptr, text.ptr);
        assert_int_equal(cut.len, expected[max]);
    }
    assert_int_equal(sw__utf8_cut((sw_str){NULL, 0}, 5).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_overlong_forms),
        cmocka_unit_test(test_stray_and_missing_bytes),
        cmocka_unit_test(test_text_has_no_control_characters),
        cmocka_unit_test(test_cut_falls_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
