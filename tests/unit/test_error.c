/* Error records: what is written, how it is cut and cleaned, and the list of codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"

static void test_fail_fills_record(void **state)
{
    (void)state;
    sw_error error;
    assert_int_equal(sw__fail(&error, SW_EBUSY, "lock %d of %s", 7, "a.db"), SW_EBUSY);
    assert_int_equal(error.code, SW_EBUSY);
    assert_int_equal(error.row, -1);
    assert_string_equal(error.message, "lock 7 of a.db");
}

static void test_fail_row_names_the_element(void **state)
{
    (void)state;
    sw_error error;
    assert_int_equal(sw__fail_row(&error, SW_EINVAL, 41, "bad"), SW_EINVAL);
    assert_int_equal(error.row, 41);
    assert_string_equal(error.message, "bad");
}

static void test_fail_without_format_uses_default_text(void **state)
{
    (void)state;
    sw_error error;
    sw__fail(&error, SW_EFULL, NULL);
    assert_string_equal(error.message, "the disk is full");
}

static void test_fail_without_record(void **state)
{
    (void)state;
    assert_int_equal(sw__fail(NULL, SW_EIO, "x"), SW_EIO);
    assert_int_equal(sw__fail_row(NULL, SW_EIO, 1, "x"), SW_EIO);
    sw__error_clear(NULL);
}

static void test_fail_may_quote_its_own_message(void **state)
{
    (void)state;
    sw_error error;
    sw__fail(&error, SW_EIO, "inner");
    sw__fail(&error, SW_EIO, "outer: %s", error.message);
    assert_string_equal(error.message, "outer: inner");
}

/* The cut falls into the middle of each kind of character in turn. */
static void test_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[700];
        sw_error error;
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac\0", 4);
        sw__fail(&error, SW_EIO, "%s", text);
        size_t len = strlen(error.message);
        assert_in_range(len, sizeof(error.message) - 3, sizeof(error.message) - 1);
        assert_int_equal((len - shift) % 3, 0);
        assert_null(strchr(error.message, '?'));
    }
}

static void test_message_is_clean_text(void **state)
{
    (void)state;
    sw_error error;
    sw__fail(&error, SW_EIO, "%s", "a\x1b[31m\xff z\xc3\xa9\x7f\n\xc3");
    assert_string_equal(error.message, "a?[31m? z\xc3\xa9?\n?");
}

static void test_clear_resets(void **state)
{
    (void)state;
    sw_error error;
    sw__fail_row(&error, SW_EIO, 3, "x");
    sw__error_clear(&error);
    assert_int_equal(error.code, SW_OK);
    assert_int_equal(error.row, -1);
    assert_string_equal(error.message, "");
}

static void test_codes_have_name_text_and_class(void **state)
{
    (void)state;
    assert_string_equal(sw_code_name(SW_EBUSY), "EBUSY");
    assert_string_equal(sw_code_class(SW_EBUSY), "BusyError");
    assert_string_equal(sw_code_text(SW_EBUSY), "another process holds the write lock");
    assert_string_equal(sw_code_name(SW_EACCESS), "EACCESS");
    assert_string_equal(sw_code_class(SW_EACCESS), "AccessError");
    assert_string_equal(sw_code_name(SW_OK), "OK");
    assert_string_equal(sw_code_text(SW_OK), "no error");
    assert_null(sw_code_class(SW_OK));
}

static void test_unknown_codes(void **state)
{
    (void)state;
    const int unknown[] = {1, -1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_string_equal(sw_code_name(unknown[i]), "UNKNOWN");
        assert_string_equal(sw_code_text(unknown[i]), "unknown error");
        assert_null(sw_code_class(unknown[i]));
    }
}

/* Codes are negative and dense, so that a binding may keep its classes in an array. */
static void test_codes_are_dense(void **state)
{
    (void)state;
    int count = 0;
#define COUNT_CODE(name, value, class_name, text) count++;
    SW_ERROR_MAP(COUNT_CODE)
#undef COUNT_CODE
    for (int code = -1; code >= -count; code--)
        assert_non_null(sw_code_class(code));
    assert_null(sw_code_class(-count - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_record),
        cmocka_unit_test(test_fail_row_names_the_element),
        cmocka_unit_test(test_fail_without_format_uses_default_text),
        cmocka_unit_test(test_fail_without_record),
        cmocka_unit_test(test_fail_may_quote_its_own_message),
        cmocka_unit_test(test_long_message_is_cut_between_characters),
        cmocka_unit_test(test_message_is_clean_text),
        cmocka_unit_test(test_clear_resets),
        cmocka_unit_test(test_codes_have_name_text_and_class),
        cmocka_unit_test(test_unknown_codes),
        cmocka_unit_test(test_codes_are_dense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
