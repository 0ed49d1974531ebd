/* Pictures: what each format escapes, that the same rows give the same bytes, and every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "helper/fault_env.h"
#include "helper/pictures.h"
#include "picture/glyph.h"
#include "stepwell.h"

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        count++;
    return count;
}

/* No format lets a control character or broken UTF-8 through. */
static void test_hostile_names(void **state)
{
    picture_rows rows;
    (void)state;
    picture_rows_hostile(&rows);
    for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++) {
        sw_result *result = NULL;
        const char *text = picture_format_rendered(&rows, format, &result);
        assert_int_equal(sw__utf8_check((sw_str){text, strlen(text)}), strlen(text));
        for (const char *at = text; *at; at++)
            assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        if (format != SW_PICTURE_JSON)
            assert_text_lacks(text, "\xe2\x80\xae");
        sw_result_free(result);
    }
}

/* A small check of XML: elements nest, attributes are quoted, no stray markup. */
static void assert_xml(const char *text)
{
    char open[32][16];
    size_t depth = 0;
    for (const char *at = text; *at; at++) {
        if (*at == '&')
            assert_true(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
                        strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&quot;", 6) == 0 ||
                        strncmp(at, "&#39;", 5) == 0);
        assert_true(*at != '>');
        if (*at != '<')
            continue;
        bool closing = at[1] == '/';
        size_t length = strspn(at + 1 + closing, "abcdefghijklmnopqrstuvwxyz");
        assert_true(length > 0 && length < sizeof(open[0]) && depth < 31);
        snprintf(open[31], sizeof(open[31]), "%.*s", (int)length, at + 1 + closing);
        for (bool quoted = false; quoted || *at != '>'; at++) {
            assert_true(*at && (*at != '<' || !quoted));
            quoted = quoted != (*at == '"');
        }
        if (closing)
            assert_string_equal(open[--depth], open[31]);
        else if (at[-1] != '/')
            memcpy(open[depth++], open[31], sizeof(open[0]));
    }
    assert_int_equal(depth, 0);
}

static void test_svg(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    (void)state;
    picture_rows_diamond(&rows);
    const char *text = picture_format_rendered(&rows, SW_PICTURE_SVG, &result);
    assert_xml(text);
    assert_text_has(text, "role=\"img\"");
    assert_text_has(text, "<title>nightly &quot;&lt;&amp;&gt;&quot;</title>");
    assert_text_has(text, "4 steps in 3 levels, 5 dependencies: 1 pending, 1 running, 1 succeeded, "
                          "1 failed. Critical path: fetch, check, send.");
    assert_text_has(text, "@media (prefers-color-scheme:dark)");
    assert_text_has(text, "<title>check, failed \xC2\xB7 1m 15s, on the critical path</title>");
    assert_int_equal(occurrences(text, "<rect class=\"sw-box\""), 4);
    assert_int_equal(occurrences(text, "<path class=\"sw-edge"), 7); /* two in the legend */
    assert_int_equal(occurrences(text, "<path class=\"sw-tip"), 3);
    assert_int_equal(occurrences(text, "<path class=\"sw-mark\""), 4);
    assert_text_lacks(text, "<script");
    assert_text_lacks(text, " id=");
    assert_text_lacks(text, "url(");
    sw_result_free(result);

    picture_rows_hostile(&rows);
    text = picture_format_rendered(&rows, SW_PICTURE_SVG, &result);
    assert_xml(text);
    assert_text_has(text, "&lt;b&gt;&amp;amp;&lt;/b&gt;");
    assert_text_has(text, "bad \xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd");
    assert_text_has(text, "two lines and tab");
    sw_result_free(result);
}

static void test_mermaid(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    (void)state;
    picture_rows_diamond(&rows);
    const char *text = picture_format_rendered(&rows, SW_PICTURE_MERMAID, &result);
    assert_text_has(text, "---\ntitle: \"nightly \\\"<&>\\\"\"\n---\nflowchart TD\n");
    assert_text_has(text, "    n0[\"\xE2\x9C\x93 fetch<br/>0.412s\"]:::succeeded\n");
    assert_text_has(text, "    n0 ==> n1\n    n0 --> n2\n    n0 -.-> n3\n");
    assert_text_has(text, "    class n0,n1,n3 critical\n");
    assert_text_has(text, "    classDef failed fill:");
    assert_text_lacks(text, "classDef waiting");
    sw_result_free(result);

    picture_rows_hostile(&rows);
    text = picture_format_rendered(&rows, SW_PICTURE_MERMAID, &result);
    assert_text_has(text, " end<br/>");
    assert_text_has(text, "a#34;b");
    assert_text_has(text, "#60;b#62;#38;amp#59;#60;#47;b#62;");
    assert_text_has(text, "back#92;slash#92;n");
    assert_text_has(text, "1#46; list");
    assert_text_has(text, "#45; item");
    assert_text_has(text, "#35;35#59; #35;quot#59;");
    assert_text_has(text, "#95;under#95;");
    sw_result_free(result);
}

static void test_dot(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    (void)state;
    picture_rows_diamond(&rows);
    const char *text = picture_format_rendered(&rows, SW_PICTURE_DOT, &result);
    assert_text_has(text, "digraph \"nightly \\\"<&amp;>\\\"\" {\n");
    assert_text_has(text, "rankdir=TB");
    assert_text_has(text, "    n0 -> n1 [color=\"#bf3989\", penwidth=2.5];\n");
    assert_text_has(text, "    n0 -> n3 [style=dotted];\n");
    sw_result_free(result);

    picture_rows_hostile(&rows);
    text = picture_format_rendered(&rows, SW_PICTURE_DOT, &result);
    assert_text_has(text, "a\\\"b");
    assert_text_has(text, "back\\\\slash\\\\n");
    assert_text_has(text, "<b>&amp;amp;</b>");
    sw_result_free(result);
}

static void test_json(void **state)
{
    picture_rows rows;
    size_t offset = 0;
    const char *why = "";
    sw_result *result = NULL;
    (void)state;
    picture_rows_diamond(&rows);
    rows.nodes[2].label = PICTURE_TEXT("Sum it up");
    const char *text = picture_format_rendered(&rows, SW_PICTURE_JSON, &result);
    assert_true(sw__json_check((sw_str){text, strlen(text)}, &offset, &why));
    assert_text_has(text, "{\"title\":\"nightly \\\"<&>\\\"\",\"direction\":\"down\"");
    assert_text_has(text, "\"levels\":3,\"crossings\":0");
    assert_text_has(text, "{\"name\":\"sum\",\"label\":\"Sum it up\",\"state\":\"running\","
                          "\"critical\":false,\"duration_us\":null,\"slack_us\":null,\"level\":1,");
    assert_text_has(text,
                    "{\"from\":0,\"to\":3,\"critical\":false,\"redundant\":true,\"points\":[[");
    sw_result_free(result);

    picture_rows_hostile(&rows);
    text = picture_format_rendered(&rows, SW_PICTURE_JSON, &result);
    if (!sw__json_check((sw_str){text, strlen(text)}, &offset, &why))
        fail_msg("%s at %zu", why, offset);
    assert_text_has(text, "\"two\\nlines\\tand tab\"");
    sw_result_free(result);
}

/* Any bytes for names, any graph: every format stays what it is. */
static void test_random_rows(void **state)
{
    char bytes[PICTURE_NODES_MOST][12];
    (void)state;
    for (int round = 0; round < 400; round++) {
        picture_rows rows = {0};
        int32_t nodes = 1 + (int32_t)picture_random(12);
        for (int32_t i = 0; i < nodes; i++) {
            for (size_t k = 0; k < sizeof(bytes[i]); k++)
                bytes[i][k] = (char)picture_random(256);
            picture_node_add(&rows, "", (int)picture_random(10) - 1, (int)picture_random(2), i);
            rows.nodes[i].name = (sw_str){bytes[i], picture_random(sizeof(bytes[i]) + 1)};
            for (int32_t k = 0; k < i; k++) {
                if (picture_random(4) == 0)
                    picture_edge_add(&rows, k, i, (int32_t)picture_random(4));
            }
        }
        for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++) {
            size_t offset = 0;
            const char *why = "";
            sw_result *result = NULL;
            sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
            options.format = format;
            options.columns = 400;
            /* Lines that cross too much cannot be told apart in a terminal. */
            if (format == SW_PICTURE_TEXT &&
                picture_code(&rows, &options, &result, NULL) == SW_ELIMIT)
                continue;
            sw_result_free(result);
            const char *text = picture_rendered(&rows, &options, &result);
            assert_int_equal(sw__utf8_check((sw_str){text, strlen(text)}), strlen(text));
            if (format == SW_PICTURE_SVG)
                assert_xml(text);
            if (format == SW_PICTURE_JSON)
                assert_true(sw__json_check((sw_str){text, strlen(text)}, &offset, &why));
            sw_result_free(result);
        }
    }
}

static void test_tiny(void **state)
{
    picture_rows rows = {0};
    (void)state;
    for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++) {
        sw_result *result = NULL;
        rows.node_count = 0;
        const char *text = picture_format_rendered(&rows, format, &result);
        assert_int_equal(strlen(text) > 0, format != SW_PICTURE_TEXT);
        sw_result_free(result);
        picture_node_add(&rows, "only", -1, 0, -1);
        text = picture_format_rendered(&rows, format, &result);
        assert_text_has(text, "only");
        sw_result_free(result);
    }
}

static void test_deterministic(void **state)
{
    picture_rows rows;
    (void)state;
    picture_rows_hostile(&rows);
    for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++) {
        sw_result *first = NULL, *second = NULL;
        assert_string_equal(picture_format_rendered(&rows, format, &first),
                            picture_format_rendered(&rows, format, &second));
        sw_result_free(first);
        sw_result_free(second);
    }
}

static void test_direction(void **state)
{
    picture_rows rows = {0};
    sw_result *result = NULL;
    size_t count = 0;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    (void)state;
    picture_node_add(&rows, "start", -1, 0, -1);
    for (int32_t i = 1; i < 40; i++) {
        picture_node_add(&rows, "part", -1, 0, -1);
        picture_edge_add(&rows, 0, i, 0);
    }
    options.format = SW_PICTURE_JSON;
    assert_text_has(picture_rendered(&rows, &options, &result), "\"direction\":\"right\"");
    assert_true(sw_pictures(result, &count)->height > sw_pictures(result, &count)->width);
    sw_result_free(result);
    options.direction = SW_PICTURE_DOWN;
    assert_text_has(picture_rendered(&rows, &options, &result), "\"direction\":\"down\"");
    assert_true(sw_pictures(result, &count)->height < sw_pictures(result, &count)->width);
    sw_result_free(result);
}

/* code, row and a part of the message of rows that are wrong. */
static void assert_refused(const picture_rows *rows, const sw_picture_options *options, int code,
                           int64_t row, const char *message)
{
    sw_error error;
    sw_result *result = (sw_result *)rows;
    assert_int_equal(picture_code(rows, options, &result, &error), code);
    assert_null(result);
    assert_int_equal(error.code, code);
    assert_int_equal(error.row, row);
    assert_text_has(error.message, message);
}

static void test_bad_rows(void **state)
{
    static char long_name[SW__TEXT_MAX + 1];
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    picture_rows rows;
    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    picture_rows_diamond(&rows);
    rows.nodes[2].name = (sw_str){NULL, 5};
    assert_refused(&rows, &options, SW_EINVAL, 2, "at no address");
    rows.nodes[2].name = (sw_str){long_name, sizeof(long_name)};
    assert_refused(&rows, &options, SW_ELIMIT, 2, "1024 are allowed");
    rows.nodes[2].name = (sw_str){long_name, sizeof(long_name) - 1};
    rows.nodes[1].label = (sw_str){NULL, SIZE_MAX};
    assert_refused(&rows, &options, SW_EINVAL, 1, "a label");
    picture_rows_diamond(&rows);
    rows.nodes[3].state = SW_STEP_STATE_COUNT;
    assert_refused(&rows, &options, SW_EINVAL, 3, "no state 9");
    picture_rows_diamond(&rows);
    rows.edges[1].to = 4;
    assert_refused(&rows, &options, SW_EINVAL, 1, "ends at node 4");
    rows.edges[1].to = -1;
    assert_refused(&rows, &options, SW_EINVAL, 1, "ends at node -1");
    rows.edges[1].to = 0;
    assert_refused(&rows, &options, SW_EINVAL, 1, "to itself");
    rows.edges[1].to = 1;
    assert_refused(&rows, &options, SW_EINVAL, 1, "given twice");
    picture_rows_diamond(&rows);
    picture_edge_add(&rows, 3, 0, 0);
    assert_refused(&rows, &options, SW_EDEFINITION, -1, "fetch -> send -> fetch");
}

static void test_bad_options(void **state)
{
    picture_rows rows;
    sw_error error;
    sw_result *result = NULL;
    (void)state;
    picture_rows_diamond(&rows);
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.size = 8;
    assert_refused(&rows, &options, SW_EINVAL, -1, "size is 8");
    options = (sw_picture_options)SW_PICTURE_OPTIONS_INIT;
    options.format = SW_PICTURE_FORMAT_COUNT;
    assert_refused(&rows, &options, SW_EINVAL, -1, "format 5");
    options.format = -1;
    assert_refused(&rows, &options, SW_EINVAL, -1, "format -1");
    options = (sw_picture_options)SW_PICTURE_OPTIONS_INIT;
    options.direction = 3;
    assert_refused(&rows, &options, SW_EINVAL, -1, "direction 3");
    options = (sw_picture_options)SW_PICTURE_OPTIONS_INIT;
    options.columns = -1;
    assert_refused(&rows, &options, SW_EINVAL, -1, "-1 columns");
    options.columns = 12;
    options.format = SW_PICTURE_TEXT;
    assert_refused(&rows, &options, SW_ELIMIT, -1, "in 12 columns");
    options = (sw_picture_options)SW_PICTURE_OPTIONS_INIT;
    options.title = (sw_str){NULL, 1};
    assert_refused(&rows, &options, SW_EINVAL, -1, "the title");
    options = (sw_picture_options)SW_PICTURE_OPTIONS_INIT;
    assert_int_equal(sw_picture_render(&options, NULL, 3, NULL, 0, &result, &error), SW_EINVAL);
    assert_int_equal(
        sw_picture_render(&options, rows.nodes, SW__STEPS_MAX + 1, NULL, 0, &result, &error),
        SW_ELIMIT);
    assert_int_equal(
        sw_picture_render(&options, rows.nodes, 4, rows.edges, SW__EDGES_MAX + 1, &result, NULL),
        SW_ELIMIT);
}

/* A chain in which everything depends on everything before: too many bends to draw, but Mermaid
 * and DOT need none. */
static void test_too_large(void **state)
{
    enum { NODES = 160 };
    static sw_picture_node nodes[NODES];
    static sw_picture_edge edges[NODES * NODES];
    size_t count = 0;
    sw_error error;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    (void)state;
    for (int32_t i = 0; i < NODES; i++) {
        nodes[i] = (sw_picture_node){.name = PICTURE_TEXT("step"), .state = -1, .duration_us = -1};
        for (int32_t k = 0; k < i; k++)
            edges[count++] = (sw_picture_edge){.from = k, .to = i};
    }
    assert_int_equal(sw_picture_render(&options, nodes, NODES, edges, count, &result, &error),
                     SW_ELIMIT);
    assert_text_has(error.message, "format mermaid or dot");
    options.format = SW_PICTURE_DOT;
    assert_int_equal(sw_picture_render(&options, nodes, NODES, edges, count, &result, &error),
                     SW_OK);
    sw_result_free(result);
}

static int render_under_fault(const sw_env *env, void *context)
{
    picture_rows rows;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = *(int *)context;
    options.env = env;
    options.columns = 400;
    options.title = PICTURE_TEXT("nightly");
    picture_rows_hostile(&rows);
    int code = picture_code(&rows, &options, &result, NULL);
    sw_result_free(result);
    return code;
}

static void test_out_of_memory(void **state)
{
    fault_env fault;
    (void)state;
    fault_env_init(&fault);
    for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++)
        assert_true(fault_env_each(&fault, render_under_fault, &format) > 5);
}

static int cycle_under_fault(const sw_env *env, void *context)
{
    picture_rows rows;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    (void)context;
    options.env = env;
    picture_rows_diamond(&rows);
    picture_edge_add(&rows, 3, 0, 0);
    int code = picture_code(&rows, &options, &result, NULL);
    return code == SW_EDEFINITION ? SW_OK : code;
}

static void test_out_of_memory_on_a_cycle(void **state)
{
    fault_env fault;
    (void)state;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, cycle_under_fault, NULL) > 3);
}

static void test_widths(void **state)
{
    (void)state;
    assert_int_equal(sw__glyphs_width(PICTURE_TEXT("abc")), 3);
    assert_int_equal(sw__glyphs_width(PICTURE_TEXT("日本")), 4);
    assert_int_equal(sw__glyphs_width(PICTURE_TEXT("e\xcc\x81")), 1);
    assert_int_equal(sw__glyphs_width(PICTURE_TEXT("\xff\xfe")), 2);
    assert_int_equal(sw__glyphs_width((sw_str){NULL, 0}), 0);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(sw_picture_format_name(SW_PICTURE_MERMAID), "mermaid");
    assert_string_equal(sw_picture_format_name(99), "unknown");
    assert_int_equal(sw_picture_format_find(PICTURE_TEXT("dot")), SW_PICTURE_DOT);
    assert_int_equal(sw_picture_format_find(PICTURE_TEXT("gif")), SW_ENOTFOUND);
    for (int step = 0; step < SW_STEP_STATE_COUNT; step++) {
        assert_int_equal(strlen(sw_step_state_mark(step, 1)), 1);
        assert_int_equal(sw__glyphs_width((sw_str){sw_step_state_mark(step, 0),
                                                   strlen(sw_step_state_mark(step, 0))}),
                         1);
    }
    assert_string_equal(sw_step_state_mark(-1, 0), "");
    assert_string_equal(sw_step_state_mark(SW_STEP_STATE_COUNT, 1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_svg),
        cmocka_unit_test(test_mermaid),       cmocka_unit_test(test_dot),
        cmocka_unit_test(test_json),          cmocka_unit_test(test_random_rows),
        cmocka_unit_test(test_tiny),          cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_direction),     cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_bad_options),   cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_out_of_memory_on_a_cycle),
        cmocka_unit_test(test_widths),        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
