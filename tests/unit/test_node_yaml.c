/* Reading YAML documents: the core schema, what is refused and how, and libyaml without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/node.h"
#include "base/str.h"
#include "helper/node_text.h"

typedef struct yaml_row {
    const char *text;
    const char *expected;
} yaml_row;

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_plain_scalars_follow_the_core_schema(void **state)
{
    (void)state;
    static const yaml_row rows[] = {
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nULL", "\"nULL\""},
        {"a:", "{\"a\":null}"},
        {"true", "true"},
        {"True", "true"},
        {"FALSE", "false"},
        {"tRUE", "\"tRUE\""},
        {"yes", "\"yes\""},
        {"no", "\"no\""},
        {"on", "\"on\""},
        {"y", "\"y\""},
        {"0", "0"},
        {"007", "7"},
        {"+12", "12"},
        {"-0", "0"},
        {"- -", "[[null]]"},
        {"+", "\"+\""},
        {"0x1F", "31"},
        {"0x", "\"0x\""},
        {"0xg", "\"0xg\""},
        {"-0x1", "\"-0x1\""},
        {"0X1", "\"0X1\""},
        {"0o17", "15"},
        {"0o8", "\"0o8\""},
        {"0b1", "\"0b1\""},
        {"1_000", "\"1_000\""},
        {"1,000", "\"1,000\""},
        {"12:30", "\"12:30\""},
        {"2024-01-31", "\"2024-01-31\""},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"0x7fffffffffffffff", "9223372036854775807"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"5.", "5"},
        {"-.5", "-0.5"},
        {"1e3", "1000"},
        {"1.e3", "1000"},
        {"1E-2", "0.01"},
        {"+1e+2", "100"},
        {".", "\".\""},
        {".e1", "\".e1\""},
        {"1e", "\"1e\""},
        {"1e+", "\"1e+\""},
        {"1.2.3", "\"1.2.3\""},
        {"e1", "\"e1\""},
        {"-", "[null]"},
        {"inf", "\"inf\""},
        {"nan", "\"nan\""},
        {"'1'", "\"1\""},
        {"\"true\"", "\"true\""},
        {"''", "\"\""},
        {"|\n  1\n", "\"1\\n\""},
        {">-\n  a\n  b\n", "\"a b\""},
        {"a b", "\"a b\""},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_document(SW_FORMAT_YAML, rows[i].text, rows[i].expected);
}

static void test_documents(void **state)
{
    (void)state;
    static const yaml_row rows[] = {
        {"a: 1\nb:\n  - x\n  - y: 2\n    z: [p, {q: r}]\n",
         "{\"a\":1,\"b\":[\"x\",{\"y\":2,\"z\":[\"p\",{\"q\":\"r\"}]}]}"},
        {"1: a\ntrue: b\nnull: c\n~: d\n1.0: e\n",
         "{\"1\":\"a\",\"1.0\":\"e\",\"null\":\"c\",\"true\":\"b\",\"~\":\"d\"}"},
        {"---\na: 1\n", "{\"a\":1}"},
        {"--- {a: 1}\n", "{\"a\":1}"},
        {"a: 1\n...\n# end\n\n", "{\"a\":1}"},
        {"# only\n\n  # comments\na: 1 # and one more", "{\"a\":1}"},
        {"\xef\xbb\xbf"
         "a: 1",
         "{\"a\":1}"},
        {"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
        {"? a\n: 1\n? b\n", "{\"a\":1,\"b\":null}"},
        {"\"%TAG\": 1", "{\"%TAG\":1}"},
        {"a: 50%\n", "{\"a\":\"50%\"}"},
        {"\"x\n%y\"", "\"x %y\""},
        {"<<: 1", "{\"<<\":1}"},
        {"---", "null"},
        {"{a, b: }", "{\"a\":null,\"b\":null}"},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_document(SW_FORMAT_YAML, rows[i].text, rows[i].expected);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const yaml_row rows[] = {
        {"", "1:1: the text is empty"},
        {"# nothing\n\n \t# more", "1:1: the text is empty"},
        {"\n\xef\xbb\xbf", "1:1: the text is empty"},
        {"%YAML 1.2\n---\na: 1", "1:1: directives (%YAML, %TAG) are not allowed; remove the line"},
        {"# a\r\n\n%TAG ! b\n---\na: 1",
         "3:1: directives (%YAML, %TAG) are not allowed; remove the line"},
        {"#\xc2\x85%TAG ! b\n---\na: 1",
         "1:3: directives (%YAML, %TAG) are not allowed; remove the line"},
        {"a: 1\n---\nb: 2", "2:1: text after the end of the document; one file holds one document"},
        {"a: 1\n...\n%TAG ! b\n",
         "3:1: text after the end of the document; one file holds one document"},
        {"\xc3\xa9: 1\n...\n  b: 1\n",
         "3:3: text after the end of the document; one file holds one document"},
        {"[1] x", "1:5: text after the end of the document; one file holds one document"},
        {"a: &x 1", "1:4: the anchor &x is not allowed; write the value out"},
        {"a: &x [1]", "1:4: the anchor &x is not allowed; write the value out"},
        {"- &x {a: 1}", "1:3: the anchor &x is not allowed; write the value out"},
        {"&x a: 1", "1:1: the anchor &x is not allowed; write the value out"},
        {"- *x", "1:3: the alias *x is not allowed; write the value out"},
        {"*x : 1", "1:1: the alias *x is not allowed; write the value out"},
        {"a: !!str 1",
         "1:4: the tag tag:yaml.org,2002:str is not allowed; put text in quotes instead"},
        {"a: !ruby/object {}",
         "1:4: the tag !ruby/object is not allowed; put text in quotes instead"},
        {"a: ! x", "1:4: the tag ! is not allowed; put text in quotes instead"},
        {"a: !!seq [1]",
         "1:4: the tag tag:yaml.org,2002:seq is not allowed; put text in quotes instead"},
        {"a: 1\nb: 2\na: 3\nb: 4", "3:1: the key \"a\" appears twice"},
        {"{\"a\": 1, 'a': 2}", "1:10: the key \"a\" appears twice"},
        {"? [a]\n: 1", "1:3: a key must be text, found a list"},
        {"? {a: 1}\n: 1", "1:3: a key must be text, found a map"},
        {"\"a\\0\": 1", "1:1: a key may not contain a zero byte"},
        {"a: 9223372036854775808",
         "1:4: the number 9223372036854775808 is out of range; put it in quotes"},
        {"a: -9223372036854775809",
         "1:4: the number -9223372036854775809 is out of range; put it in quotes"},
        {"a: 0x8000000000000000",
         "1:4: the number 0x8000000000000000 is out of range; put it in quotes"},
        {"a: 99999999999999999999999999",
         "1:4: the number 99999999999999999999999999 is out of range; put it in quotes"},
        {"- 1e400", "1:3: the number 1e400 is out of range; put it in quotes"},
        {"- .inf", "1:3: the number .inf is out of range; put it in quotes"},
        {"- -.Inf", "1:3: the number -.Inf is out of range; put it in quotes"},
        {"- .NAN", "1:3: the number .NAN is out of range; put it in quotes"},
        {"a:\n\tb: 1", "2:1: a tab cannot be used for indentation; use spaces"},
        {"a: @x", "1:4: text cannot start with '@'; put it in quotes"},
        {"a: `x`", "1:4: text cannot start with '`'; put it in quotes"},
        {"\xc3\xa9: %x", "1:4: text cannot start with '%'; put it in quotes"},
        {"a: b: c", "1:5: mapping values are not allowed in this context"},
        {"[1, 2", "1:6: did not find expected ',' or ']' while parsing a flow sequence"},
        {"\"abc", "1:5: found unexpected end of stream while scanning a quoted scalar"},
        {"a: \x01", "1:4: the character U+0001 is not allowed"},
        {"a\nb: \x7f", "2:4: the character U+007F is not allowed"},
        {"\"\\ud800\"", "1:4: found invalid Unicode character escape code while parsing a quoted "
                        "scalar"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char message[300] = "a.yaml:";
        strcat(message, rows[i].expected);
        assert_refused(SW_FORMAT_YAML, rows[i].text, SW_EDEFINITION, message);
    }
}

static void test_places(void **state)
{
    (void)state;
    sw__node *root = NULL;
    sw_error error;
    sw__arena *arena = sw__arena_new(sw_env_system());
    const char *text = "# first\nsteps:\n  - id: gr\xc3\xbcn\n    after: [a, b]\n";
    assert_int_equal(
        sw__node_load(arena, SW_FORMAT_YAML, sw__str("x"), sw__str(text), &root, &error), SW_OK);
    assert_int_equal(root->line, 2);
    assert_int_equal(root->column, 1);
    assert_int_equal(root->pairs[0].line, 2);
    sw__node *step = sw__node_get(root, "steps")->items[0];
    assert_int_equal(step->line, 3);
    assert_int_equal(step->column, 5);
    assert_int_equal(step->pairs[1].line, 4);
    assert_int_equal(step->pairs[1].column, 5);
    sw__node *after = sw__node_get(step, "after");
    assert_int_equal(after->items[1]->line, 4);
    assert_int_equal(after->items[1]->column, 16);
    sw__arena_free(arena);
}

/* Text as it was written stays known, so that a version of 1.10 is not mistaken for 1.1. */
static void test_numbers_keep_their_text(void **state)
{
    (void)state;
    sw__node *root = NULL;
    sw_error error;
    sw__arena *arena = sw__arena_new(sw_env_system());
    sw__node_load(arena, SW_FORMAT_YAML, sw__str("x"), sw__str("[1.10, 0x1f, True, ~]"), &root,
                  &error);
    assert_true(sw__str_is(root->items[0]->text, "1.10"));
    assert_true(sw__str_is(root->items[1]->text, "0x1f"));
    assert_true(sw__str_is(root->items[2]->text, "True"));
    assert_true(sw__str_is(root->items[3]->text, "~"));
    sw__arena_free(arena);
}

static int yaml_left = -1; /* allocations until one fails; negative: none does */

/* These come before the library's own functions of the same names. */
__attribute__((visibility("default"))) void *yaml_malloc(size_t size);
__attribute__((visibility("default"))) void *yaml_realloc(void *block, size_t size);

void *yaml_malloc(size_t size)
{
    if (yaml_left >= 0 && yaml_left-- == 0)
        return NULL;
    return malloc(size ? size : 1);
}

void *yaml_realloc(void *block, size_t size)
{
    if (yaml_left >= 0 && yaml_left-- == 0)
        return NULL;
    return block ? realloc(block, size ? size : 1) : malloc(size ? size : 1);
}

static void test_libyaml_without_memory(void **state)
{
    (void)state;
    int tried = 0;
    for (int rc = SW_ENOMEM; rc != SW_OK; tried++) {
        sw__node *node = NULL;
        sw_error error = {0};
        sw__arena *arena = sw__arena_new(sw_env_system());
        yaml_left = tried;
        rc = sw__node_load(arena, SW_FORMAT_YAML, sw__str("x"),
                           sw__str("a: [1, 'two', {b: \"x\\n\"}]\nc: |\n  d\n"), &node, &error);
        yaml_left = -1;
        assert_true(rc == SW_OK || rc == SW_ENOMEM);
        assert_int_equal(error.code, rc);
        assert_int_equal(node == NULL, rc != SW_OK);
        sw__arena_free(arena);
    }
    assert_true(tried > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_scalars_follow_the_core_schema),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_numbers_keep_their_text),
        cmocka_unit_test(test_libyaml_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
