/* Reading JSON documents: messages and their places, what jansson refuses, and jansson without
 * memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/node.h"
#include "base/str.h"
#include "helper/node_text.h"

static void test_syntax_errors_say_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"", "a.yaml:1:1: expected a value, found the end"},
        {"{\n  \"a\": 1,\n}", "a.yaml:3:1: expected a key in quotes, found '}'"},
        {"{\"gr\xc3\xbcn\": #}", "a.yaml:1:10: expected a value, found '#'"},
        {"{\"a\" 1}", "a.yaml:1:6: expected ':', found '1'"},
        {"[1\n 2]", "a.yaml:2:2: expected ',' or ']', found '2'"},
        {"[1\x01]", "a.yaml:1:3: expected ',' or ']'"},
        {"[1] x", "a.yaml:1:5: expected the end of the text, found 'x'"},
        {"[01]", "a.yaml:1:3: a number may not start with a zero"},
        {"[\"\\ud800\"]", "a.yaml:1:3: half of a surrogate pair"},
        {"\"a\nb\"", "a.yaml:1:3: a control character in a string must be escaped"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(SW_FORMAT_JSON, rows[i].text, SW_EDEFINITION, rows[i].message);
}

/* The place is that of the token and not the one behind it, in the middle of a text and at its
 * end. */
static void test_valid_json_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"9223372036854775808",
         "a.yaml:1:1: the number 9223372036854775808 is out of range; put it in quotes"},
        {"[1,\n -9223372036854775809 , 2]",
         "a.yaml:2:2: the number -9223372036854775809 is out of range; put it in quotes"},
        {"{\"x\": [true, 1e400]}",
         "a.yaml:1:14: the number 1e400 is out of range; put it in quotes"},
        {"[100000000000000000000000000000000000000000000000000]",
         "a.yaml:1:2: the number 1000000000000000000000000000000000000000 is out of range; put it "
         "in quotes"},
        {"{\"a\": 1, \"b\": {\"c\": [], \"\\u0063\": 2}}",
         "a.yaml:1:25: the key \"\\u0063\" appears twice"},
        {"{\"a\": 1,\n\"a\": 2}", "a.yaml:2:1: the key \"a\" appears twice"},
        {"[{\"a\\u0000\": 1}]", "a.yaml:1:3: a key may not contain a zero byte"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(SW_FORMAT_JSON, rows[i].text, SW_EDEFINITION, rows[i].message);
}

static void test_places_after_escapes_and_blanks(void **state)
{
    (void)state;
    sw__node *root = NULL;
    sw_error error;
    sw__arena *arena = sw__arena_new(sw_env_system());
    const char *text = "[ \"a\\\"]\\\\\" ,\t{\"k\\u00e9,:\"\n :\n[]},null]";
    assert_int_equal(
        sw__node_load(arena, SW_FORMAT_JSON, sw__str("x"), sw__str(text), &root, &error), SW_OK);
    assert_int_equal(root->count, 3);
    assert_true(sw__str_is(root->items[0]->text, "a\"]\\"));
    assert_int_equal(root->items[0]->column, 3);
    assert_int_equal(root->items[1]->column, 14);
    assert_true(sw__str_is(root->items[1]->pairs[0].key, "k\xc3\xa9,:"));
    assert_int_equal(root->items[1]->pairs[0].line, 1);
    assert_int_equal(root->items[1]->pairs[0].column, 15);
    assert_int_equal(root->items[1]->pairs[0].value->line, 3);
    assert_int_equal(root->items[1]->pairs[0].value->column, 1);
    assert_int_equal(root->items[2]->line, 3);
    assert_int_equal(root->items[2]->column, 5);
    assert_true(sw__str_is(root->items[2]->text, "null"));
    sw__arena_free(arena);
}

static int jansson_left; /* allocations until one fails */

static void *jansson_malloc(size_t size)
{
    return jansson_left-- == 0 ? NULL : malloc(size);
}

static void test_jansson_without_memory(void **state)
{
    (void)state;
    int tried = 0;
    json_set_alloc_funcs(jansson_malloc, free);
    for (int rc = SW_ENOMEM; rc != SW_OK; tried++) {
        sw__node *node = NULL;
        sw_error error = {0};
        sw__arena *arena = sw__arena_new(sw_env_system());
        jansson_left = tried;
        rc = sw__node_load(arena, SW_FORMAT_JSON, sw__str("x"),
                           sw__str("{\"a\": [1, \"two\", 3.5, null, {\"b\": true}]}"), &node,
                           &error);
        assert_true(rc == SW_OK || rc == SW_ENOMEM);
        assert_int_equal(error.code, rc);
        assert_int_equal(node == NULL, rc != SW_OK);
        sw__arena_free(arena);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(tried > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax_errors_say_where_and_what),
        cmocka_unit_test(test_valid_json_that_is_refused),
        cmocka_unit_test(test_places_after_escapes_and_blanks),
        cmocka_unit_test(test_jansson_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
