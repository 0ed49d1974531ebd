/* worker/capture: which part of an output is kept, and how it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"
#include "worker/capture.h"

/* Put text in pieces of the given size and compare what is kept. */
static bool keep(const char *text, size_t piece, size_t max, size_t limit, const char *expected)
{
    sw__capture capture;
    sw__buf out;
    assert_int_equal(sw__capture_open(&capture, sw_env_system(), max), 0);
    sw__buf_init(&out, sw_env_system());
    for (size_t at = 0, len = strlen(text); at < len; at += piece)
        sw__capture_put(&capture, text + at, at + piece < len ? piece : len - at);
    bool cut = sw__capture_text(&capture, limit, &out);
    sw__buf_put_byte(&out, 0);
    assert_string_equal(sw__buf_str(&out).ptr, expected);
    sw__buf_free(&out);
    sw__capture_close(&capture);
    return cut;
}

static void test_capture_keeps_all(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 11; piece++) {
        assert_false(keep("0123456789", piece, 10, 10, "0123456789"));
        assert_false(keep("0123456789", piece, 11, 99, "0123456789"));
        assert_false(keep("0123456789", piece, 19, 19, "0123456789"));
    }
    assert_false(keep("", 1, 10, 10, ""));
}

static void test_capture_keeps_both_ends(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 27; piece++) {
        assert_true(keep("abcdefghijklmnopqrstuvwxyz", piece, 8, 8,
                         "abcd\n[... 18 bytes left out ...]\nwxyz"));
        assert_true(keep("abcdefghijklmnopqrstuvwxyz", piece, 25, 25,
                         "abcdefghijkl\n[... 1 bytes left out ...]\nnopqrstuvwxyz"));
        assert_true(keep("abcdefghijklmnopqrstuvwxyz", piece, 7, 7,
                         "abc\n[... 19 bytes left out ...]\nwxyz"));
        assert_true(keep("abc", piece, 1, 1, "\n[... 2 bytes left out ...]\nc"));
        assert_true(keep("abc", piece, 0, 0, "\n[... 3 bytes left out ...]\n"));
    }
}

static void test_capture_shows_less_than_it_keeps(void **state)
{
    (void)state;
    assert_true(
        keep("abcdefghijklmnopqrstuvwxyz", 5, 100, 6, "abc\n[... 20 bytes left out ...]\nxyz"));
    assert_true(
        keep("abcdefghijklmnopqrstuvwxyz", 5, 20, 6, "abc\n[... 20 bytes left out ...]\nxyz"));
}

static void test_capture_does_not_cut_characters(void **state)
{
    (void)state;
    /* Five euro signs, three bytes each. */
    const char *euros = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC";
    assert_true(keep(euros, 15, 8, 8, "\xE2\x82\xAC\n[... 9 bytes left out ...]\n\xE2\x82\xAC"));
    assert_true(keep(euros, 1, 10, 10, "\xE2\x82\xAC\n[... 9 bytes left out ...]\n\xE2\x82\xAC"));
    /* What is no UTF-8 stays as it is. */
    assert_true(keep("\x80\x80\x80\x80\x80\x80\x80\x80\x80", 9, 8, 8,
                     "\x80\x80\x80\x80\n[... 4 bytes left out ...]\n\x80"));
}

static void test_capture_counts_beyond_memory(void **state)
{
    (void)state;
    static char block[1 << 16];
    sw__capture capture;
    sw__buf out;
    memset(block, 'x', sizeof(block));
    assert_int_equal(sw__capture_open(&capture, sw_env_system(), 4), 0);
    for (int i = 0; i < 1 << 10; i++)
        sw__capture_put(&capture, block, sizeof(block));
    sw__buf_init(&out, sw_env_system());
    assert_true(sw__capture_text(&capture, 4, &out));
    sw__buf_put_byte(&out, 0);
    assert_string_equal(sw__buf_str(&out).ptr, "xx\n[... 67108860 bytes left out ...]\nxx");
    sw__buf_free(&out);
    sw__capture_close(&capture);
}

static int without_memory(const sw_env *env, void *context)
{
    (void)context;
    sw__capture capture;
    sw__buf out;
    int rc = sw__capture_open(&capture, env, 64);
    if (rc < 0)
        return rc;
    sw__buf_init(&out, env);
    sw__capture_put(&capture, "hello", 5);
    sw__capture_text(&capture, 64, &out);
    rc = out.failed ? SW_ENOMEM : SW_OK;
    sw__buf_free(&out);
    sw__capture_close(&capture);
    return rc;
}

static void test_capture_without_memory(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, without_memory, NULL) >= 3);
}

static void clean(const char *bytes, size_t len, const char *expected)
{
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_string_equal(sw__text_clean(arena, (sw_str){bytes, len}).ptr, expected);
    sw__arena_free(arena);
}

static void test_text_clean(void **state)
{
    (void)state;
    clean("", 0, "");
    clean("a\tb\nc", 5, "a\tb\nc");
    clean("\x1B[31mred", 8, "\xEF\xBF\xBD[31mred");
    clean("a\0b", 3,
          "a\xEF\xBF\xBD"
          "b");
    clean("\xFF\xFE", 2, "\xEF\xBF\xBD\xEF\xBF\xBD");
    clean("\x7F\xC3\xBC", 3, "\xEF\xBF\xBD\xC3\xBC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture_keeps_all),
        cmocka_unit_test(test_capture_keeps_both_ends),
        cmocka_unit_test(test_capture_shows_less_than_it_keeps),
        cmocka_unit_test(test_capture_does_not_cut_characters),
        cmocka_unit_test(test_capture_counts_beyond_memory),
        cmocka_unit_test(test_capture_without_memory),
        cmocka_unit_test(test_text_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
