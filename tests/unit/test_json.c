/* The JSON check against tables and against jansson, and writing strings and numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "helper/mutate.h"

typedef struct bad_text {
    const char *text;
    size_t offset;
    const char *why;
} bad_text;

static const char *const good[] = {
    "0",
    "-0",
    "1.5",
    "-1.5e10",
    "1E+2",
    "0e-0",
    "123456789012345678901234567890",
    "1e99999",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a b\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\uffff\\ue000\\ud7ff\"",
    "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\"",
    "[]",
    "{}",
    "[[],{},\"\",0]",
    " [ 1 , 2 ] ",
    "\t{\r\n\"a\" : { \"b\" : [ null ] } , \"c\":1}\n",
    "{\"a\":1,\"a\":2}",
    "{\"\":0}",
};

static const bad_text bad[] = {
    {"", 0, "expected a value, found the end"},
    {"  ", 2, "expected a value, found the end"},
    {"[1", 2, "expected ',' or ']'"},
    {"[1,", 3, "expected a value, found the end"},
    {"[1,]", 3, "expected a value"},
    {"[,1]", 1, "expected a value"},
    {"[1 2]", 3, "expected ',' or ']'"},
    {"[1}", 2, "expected ',' or ']'"},
    {"{\"a\":1]", 6, "expected ',' or '}'"},
    {"{\"a\":1,}", 7, "expected a key in quotes"},
    {"{a:1}", 1, "expected a key in quotes"},
    {"{1:1}", 1, "expected a key in quotes"},
    {"{\"a\"}", 4, "expected ':'"},
    {"{\"a\" 1}", 5, "expected ':'"},
    {"{\"a\":}", 5, "expected a value"},
    {"{", 1, "expected a key in quotes"},
    {"]", 0, "expected a value"},
    {"}", 0, "expected a value"},
    {"1 2", 2, "expected the end of the text"},
    {"{}{}", 2, "expected the end of the text"},
    {"[]]", 2, "expected the end of the text"},
    {"tru", 0, "expected a value"},
    {"nul", 0, "expected a value"},
    {"True", 0, "expected a value"},
    {"truex", 4, "expected the end of the text"},
    {"NaN", 0, "expected a value"},
    {"Infinity", 0, "expected a value"},
    {"-Infinity", 1, "expected a digit"},
    {"'a'", 0, "expected a value"},
    {"// x\n1", 0, "expected a value"},
    {"01", 1, "a number may not start with a zero"},
    {"-01", 2, "a number may not start with a zero"},
    {"+1", 0, "expected a value"},
    {".5", 0, "expected a value"},
    {"5.", 2, "expected a digit"},
    {"5.e1", 2, "expected a digit"},
    {"1e", 2, "expected a digit"},
    {"1e+", 3, "expected a digit"},
    {"-", 1, "expected a digit"},
    {"0x10", 1, "expected the end of the text"},
    {"\"abc", 4, "expected '\"', found the end"},
    {"\"a\nb\"", 2, "a control character in a string must be escaped"},
    {"\"a\tb\"", 2, "a control character in a string must be escaped"},
    {"\"\\x41\"", 2, "unknown escape"},
    {"\"\\", 2, "unknown escape"},
    {"\"\\u12\"", 5, "expected four hex digits after \\u"},
    {"\"\\u12g4\"", 5, "expected four hex digits after \\u"},
    {"\"\\ud800\"", 1, "half of a surrogate pair"},
    {"\"\\ud800x\"", 1, "half of a surrogate pair"},
    {"\"\\ud800\\n\"", 1, "half of a surrogate pair"},
    {"\"\\ud800\\ud800\"", 1, "half of a surrogate pair"},
    {"\"\\ud800\\u0041\"", 1, "half of a surrogate pair"},
    {"\"\\ud800\\u00\"", 11, "expected four hex digits after \\u"},
    {"\"\\udc00\"", 1, "half of a surrogate pair"},
    {"\"a\\udfff\"", 2, "half of a surrogate pair"},
    {"\"\xff\"", 1, "invalid UTF-8"},
    {"\"\xc3\"", 1, "invalid UTF-8"},
    {"\"\xed\xa0\x80\"", 1, "invalid UTF-8"},
    {"\xef\xbb\xbf{}", 0, "expected a value"},
    {"[1\xc2\xa0]", 2, "expected ',' or ']'"},
};

static void test_good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(sw__json_check(sw__str(good[i]), NULL, NULL));
}

static void test_bad_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t offset = 999;
        const char *why = NULL;
        assert_false(sw__json_check(sw__str(bad[i].text), &offset, &why));
        assert_string_equal(why, bad[i].why);
        assert_int_equal(offset, bad[i].offset);
        assert_false(sw__json_check(sw__str(bad[i].text), NULL, NULL));
    }
}

static void test_zero_bytes_and_absent_text(void **state)
{
    (void)state;
    assert_false(sw__json_check((sw_str){NULL, 0}, NULL, NULL));
    assert_false(sw__json_check((sw_str){"1\0", 2}, NULL, NULL));
    assert_false(sw__json_check((sw_str){"\"a\0\"", 4}, NULL, NULL));
    assert_false(sw__json_check((sw_str){"\"\\\0\"", 4}, NULL, NULL));
    assert_true(sw__json_check((sw_str){"12", 1}, NULL, NULL));
}

static size_t nested(char *text, size_t depth, bool objects)
{
    size_t at = 0;
    for (size_t i = 0; i < depth; i++)
        at += (size_t)sprintf(text + at, "%s", objects && i % 2 ? "{\"k\":" : "[");
    at += (size_t)sprintf(text + at, "1");
    for (size_t i = depth; i > 0; i--)
        text[at++] = objects && (i - 1) % 2 ? '}' : ']';
    return at;
}

static void test_depth_around_the_limit(void **state)
{
    (void)state;
    char text[1000];
    for (int objects = 0; objects < 2; objects++) {
        for (size_t depth = SW__DEPTH_MAX - 1; depth <= SW__DEPTH_MAX + 1; depth++) {
            const char *why = "";
            sw_str all = {text, nested(text, depth, objects)};
            assert_int_equal(sw__json_check(all, NULL, &why), depth <= SW__DEPTH_MAX);
            assert_string_equal(why, depth <= SW__DEPTH_MAX ? "" : SW__JSON_TOO_DEEP);
        }
    }
}

/* A million brackets on the smallest stack that any host gives. */
static void *check_bomb(void *context)
{
    const sw_str *bomb = context;
    size_t offset = 0;
    bool ok = sw__json_check(*bomb, &offset, NULL);
    return !ok && offset == SW__DEPTH_MAX ? context : NULL;
}

static void test_depth_bomb_on_a_small_stack(void **state)
{
    (void)state;
    size_t size = 1000000;
    char *text = malloc(size);
    memset(text, '[', size);
    sw_str bomb = {text, size};
    pthread_attr_t attributes;
    pthread_t thread;
    void *answer = NULL;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, check_bomb, &bomb), 0);
    pthread_join(thread, &answer);
    pthread_attr_destroy(&attributes);
    assert_ptr_equal(answer, &bomb);
    free(text);
}

/* jansson's verdict: 1 or 0, or -1 where it has a limit that payloads do not have. */
static int jansson_says(sw_str text)
{
    json_error_t error;
    json_t *tree =
        json_loadb(text.ptr ? text.ptr : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    json_decref(tree);
    if (tree)
        return 1;
    switch (json_error_code(&error)) {
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
        return -1;
    default:
        return 0;
    }
}

static const char syntax[] = "{}[]\",:\\u0123456789eE+-.dDtfn\xc3\xa9\xed\xa0\x80 \n";

/* The mutated texts have no zero bytes, which jansson takes for the end of the text. */
static void test_agrees_with_jansson(void **state)
{
    (void)state;
    const size_t good_count = sizeof(good) / sizeof(good[0]);
    const size_t bad_count = sizeof(bad) / sizeof(bad[0]);
    uint64_t seed = 7;
    int verdicts[2] = {0, 0};
    for (size_t i = 0; i < 200000; i++) {
        char text[256];
        const char *from = i % 3 ? good[i % good_count] : bad[i % bad_count].text;
        size_t len = strlen(from);
        memcpy(text, from, len);
        if (i >= good_count * bad_count)
            len = mutate(&seed, syntax, text, len, sizeof(text));
        int expected = jansson_says((sw_str){text, len});
        bool ok = sw__json_check((sw_str){text, len}, NULL, NULL);
        if (expected >= 0 && ok != expected)
            fail_msg("\"%.*s\": the check says %d, jansson %d", (int)len, text, ok, expected);
        verdicts[ok]++;
    }
    assert_true(verdicts[0] > 20000 && verdicts[1] > 20000);
}

static void assert_written(sw_str text, const char *expected)
{
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    sw__json_put_str(&buf, text);
    assert_false(buf.failed);
    assert_int_equal(buf.len, strlen(expected));
    assert_memory_equal(buf.ptr, expected, buf.len);
    assert_true(sw__json_check(sw__buf_str(&buf), NULL, NULL));
    sw__buf_free(&buf);
}

static void test_strings_are_escaped(void **state)
{
    (void)state;
    assert_written((sw_str){NULL, 0}, "\"\"");
    assert_written(sw__str("plain /"), "\"plain /\"");
    assert_written(sw__str("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    assert_written((sw_str){"\0\x01\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\x7f\"");
    assert_written(sw__str("gr\xc3\xbc\xf0\x9f\x98\x80"), "\"gr\xc3\xbc\xf0\x9f\x98\x80\"");
    assert_written(sw__str("a\xff"
                           "b\xc3"),
                   "\"a\xef\xbf\xbd"
                   "b\xef\xbf\xbd\"");
    assert_written(sw__str("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_strings_read_back(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 2000; i++) {
        char text[64];
        size_t len = draw(&seed, sizeof(text));
        for (size_t k = 0; k < len; k++)
            text[k] = (char)draw(&seed, 128);
        sw__buf buf;
        sw__buf_init(&buf, sw_env_system());
        sw__json_put_str(&buf, (sw_str){text, len});
        json_t *value =
            json_loadb((const char *)buf.ptr, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        assert_int_equal(json_string_length(value), len);
        assert_memory_equal(json_string_value(value), text, len);
        json_decref(value);
        sw__buf_free(&buf);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    const double numbers[] = {1, 0.5, INFINITY, -INFINITY, NAN, 1e300};
    for (size_t i = 0; i < 6; i++) {
        sw__json_put_double(&buf, numbers[i]);
        sw__buf_put_byte(&buf, ' ');
    }
    assert_true(sw__str_is(sw__buf_str(&buf), "1 0.5 null null null 1e+300 "));
    sw__buf_free(&buf);
}

static void test_writing_without_memory_fails_the_buffer(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__buf buf;
    sw__buf_init(&buf, &fault.env);
    fault_env_arm(&fault, 1, true);
    sw__json_put_str(&buf, sw__str("a\xff\n"));
    sw__json_put_double(&buf, 1);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 0);
    sw__buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_zero_bytes_and_absent_text),
        cmocka_unit_test(test_depth_around_the_limit),
        cmocka_unit_test(test_depth_bomb_on_a_small_stack),
        cmocka_unit_test(test_agrees_with_jansson),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_strings_read_back),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_writing_without_memory_fails_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
