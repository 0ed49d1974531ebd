/* Reading maps by tables: every kind of field with good and bad values, and the keys themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "helper/documents.h"
#include "model/fields.h"

typedef struct sample {
    sw_str name;
    sw_str line;
    sw_str text;
    int64_t integer;
    int64_t delay_ms;
    double number;
    bool flag;
    int32_t backoff;
    const sw__node *list;
    const sw__node *map;
    const sw__node *any;
} sample;

static const sw__field sample_fields[] = {
    {.key = "name", .kind = SW__FIELD_NAME, .offset = offsetof(sample, name), .required = true},
    {.key = "label", .kind = SW__FIELD_NAME, .offset = offsetof(sample, name)},
    {.key = "line", .kind = SW__FIELD_LINE, .offset = offsetof(sample, line), .max = 8},
    {.key = "text", .kind = SW__FIELD_TEXT, .offset = offsetof(sample, text)},
    {.key = "integer",
     .kind = SW__FIELD_INTEGER,
     .offset = offsetof(sample, integer),
     .min = -2,
     .max = 10},
    {.key = "delay", .kind = SW__FIELD_SECONDS, .offset = offsetof(sample, delay_ms), .max = 2500},
    {.key = "number", .kind = SW__FIELD_NUMBER, .offset = offsetof(sample, number), .max = 1},
    {.key = "flag", .kind = SW__FIELD_BOOL, .offset = offsetof(sample, flag)},
    {.key = "backoff",
     .kind = SW__FIELD_CHOICE,
     .offset = offsetof(sample, backoff),
     .max = SW_BACKOFF_COUNT,
     .choice = sw_backoff_name},
    {.key = "list", .kind = SW__FIELD_LIST, .offset = offsetof(sample, list)},
    {.key = "map", .kind = SW__FIELD_MAP, .offset = offsetof(sample, map)},
    {.key = "any", .kind = SW__FIELD_ANY, .offset = offsetof(sample, any)},
    {.key = "extra", .kind = SW__FIELD_IGNORED, .advice = "it has no meaning"},
    {.key = "order", .kind = SW__FIELD_REFUSED, .advice = "write \"list\""},
};

static sample sample_read(const char *text, const char *findings)
{
    document doc;
    sample read = {.integer = 7, .delay_ms = 7, .number = 0.5, .backoff = SW_BACKOFF_LINEAR};
    document_open(&doc, text);
    sw__fields_read(&doc.findings, NULL, doc.root, sample_fields, SW__FIELD_COUNT(sample_fields),
                    &read);
    assert_string_equal(document_findings(&doc), findings);
    document_close(&doc);
    return read;
}

static void assert_refused(const char *text, const char *findings)
{
    sample read = sample_read(text, findings);
    assert_int_equal(read.integer, 7);
    assert_int_equal(read.delay_ms, 7);
    assert_true(read.number > 0.49 && read.number < 0.51);
    assert_int_equal(read.backoff, SW_BACKOFF_LINEAR);
    assert_false(read.flag);
    assert_null(read.list);
    assert_null(read.map);
    assert_null(read.line.ptr);
}

static void test_good_values(void **state)
{
    (void)state;
    sample read = sample_read("{name: a.B_c-1, line: grüßen, text: \"a\\nb\", integer: -2,\n"
                              " delay: 1.2345, number: 1, flag: true, backoff: fibonacci,\n"
                              " list: [], map: {}, any: 3}",
                              "");
    assert_int_equal(read.name.len, 7);
    assert_int_equal(read.line.len, 8);
    assert_int_equal(read.text.len, 3);
    assert_int_equal(read.integer, -2);
    assert_int_equal(read.delay_ms, 1235);
    assert_true(read.number > 0.99);
    assert_true(read.flag);
    assert_int_equal(read.backoff, SW_BACKOFF_FIBONACCI);
    assert_non_null(read.list);
    assert_non_null(read.map);
    assert_non_null(read.any);
}

static void test_null_counts_as_missing(void **state)
{
    (void)state;
    assert_refused("{name: a, integer: null, line: ~, flag: }", "");
    assert_refused("{name: null}", "1:1 : the key \"name\" is missing\n");
}

static void test_wrong_types(void **state)
{
    (void)state;
    assert_refused("{name: 5}", "1:8 name: expected a name, found an integer; put it in quotes\n");
    assert_refused("{name: [a]}", "1:8 name: expected a name, found a list\n");
    assert_refused("{name: a, line: 1.0}",
                   "1:17 line: expected text, found a number; put it in quotes\n");
    assert_refused("{name: a, text: {}}", "1:17 text: expected text, found a map\n");
    assert_refused("{name: a, integer: x}", "1:20 integer: expected an integer, found text\n");
    assert_refused("{name: a, integer: 1.5}",
                   "1:20 integer: expected an integer, found a number\n");
    assert_refused("{name: a, delay: x}", "1:18 delay: expected a number, found text\n");
    assert_refused("{name: a, number: true}",
                   "1:19 number: expected a number, found true or false\n");
    assert_refused("{name: a, flag: 1}", "1:17 flag: expected true or false, found an integer\n");
    assert_refused("{name: a, backoff: 1}",
                   "1:20 backoff: expected text, found an integer; put it in quotes\n");
    assert_refused("{name: a, list: x}", "1:17 list: expected a list, found text\n");
    assert_refused("{name: a, map: []}", "1:16 map: expected a map, found a list\n");
}

static void test_values_out_of_range(void **state)
{
    (void)state;
    assert_refused("{name: \"a b\"}", "1:8 name: \"a b\" is not a name: 1 to 128 letters, digits, "
                                      "'_', '-' or '.'\n");
    assert_refused("{name: a, line: ninebytes}",
                   "1:17 line: the text has 9 bytes, 8 are allowed\n");
    assert_refused("{name: a, line: \"a\\tb\"}",
                   "1:17 line: the text has a line break or another control character\n");
    assert_refused("{name: a, integer: 11}", "1:20 integer: 11 is out of range: -2 to 10\n");
    assert_refused("{name: a, integer: -3}", "1:20 integer: -3 is out of range: -2 to 10\n");
    assert_refused("{name: a, delay: 2.6}", "1:18 delay: 2.6 is out of range: 0 to 2.5\n");
    assert_refused("{name: a, delay: -1}", "1:18 delay: -1 is out of range: 0 to 2.5\n");
    assert_refused("{name: a, number: 1.01}", "1:19 number: 1.01 is out of range: 0 to 1\n");
    assert_refused("{name: a, backoff: quick}", "1:20 backoff: \"quick\" is none of these: none, "
                                                "linear, exponential, fibonacci\n");
}

static void test_keys(void **state)
{
    (void)state;
    assert_refused("{name: a, naem: b}",
                   "1:11 naem: warning: unknown key \"naem\"; did you mean \"name\"?\n");
    assert_refused("{name: a, colour: b}", "1:11 colour: warning: unknown key \"colour\"\n");
    assert_refused("{name: a, extra: 1}",
                   "1:11 extra: warning: \"extra\" is ignored: it has no meaning\n");
    assert_refused("{name: a, order: 1}",
                   "1:11 order: \"order\" is not understood here: write \"list\"\n");
    assert_refused("{integer: null}", "1:1 : the key \"name\" is missing\n");
}

static void test_two_spellings_of_one_field(void **state)
{
    (void)state;
    assert_int_equal(sample_read("{label: abc}", "").name.len, 3);
    sample read = sample_read("{name: a,\n label: abc}",
                              "2:2 label: \"label\" says again what \"name\" in line 1 says; keep "
                              "one\n");
    assert_int_equal(read.name.len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_values), cmocka_unit_test(test_null_counts_as_missing),
        cmocka_unit_test(test_wrong_types), cmocka_unit_test(test_values_out_of_range),
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_two_spellings_of_one_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
