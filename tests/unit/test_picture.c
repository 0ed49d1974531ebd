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
#include "picture/glyph.h"
#include "stepwell.h"

#define TEXT(text) ((sw_str){(text), sizeof(text) - 1})
#define NODES_MOST 64
#define GRID_ROWS 256
#define GRID_COLUMNS 256

/* Rows of one picture. */
typedef struct picture_rows {
    sw_picture_node nodes[NODES_MOST];
    sw_picture_edge edges[NODES_MOST * 4];
    size_t node_count;
    size_t edge_count;
} picture_rows;

static const char *const hostile[] = {
    "end",
    "graph",
    "a\"b",
    "<b>&amp;</b>",
    "back\\slash\\n",
    "two\nlines\tand tab",
    "Grün – 日本語 ✓",
    "bad \xff\xc3(\xe2\x82",
    "\x1b[31mred\x1b[0m\x07\x01",
    "\xe2\x80\xae"
    "right to left",
    "'quoted' `code` *bold* _under_",
    "1. list",
    "- item",
    "#35; #quot;",
    "{}[]()|;:%% comment",
    "]]>",
    "--></script>",
    "",
};
#define HOSTILE_COUNT (sizeof(hostile) / sizeof(hostile[0]))

static uint64_t random_state = 20250102;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % limit;
}

static void node_add(picture_rows *rows, const char *name, int state, int flags,
                     int64_t duration_us)
{
    rows->nodes[rows->node_count++] = (sw_picture_node){
        .name = {name, strlen(name)}, .state = state, .flags = flags, .duration_us = duration_us};
}

static void edge_add(picture_rows *rows, int32_t from, int32_t to, int32_t flags)
{
    rows->edges[rows->edge_count++] = (sw_picture_edge){.from = from, .to = to, .flags = flags};
}

/* fetch -> check, sum -> send, and a line past the middle. */
static void rows_diamond(picture_rows *rows)
{
    *rows = (picture_rows){0};
    node_add(rows, "fetch", SW_STEP_SUCCEEDED, SW_PICTURE_CRITICAL, 412000);
    node_add(rows, "check", SW_STEP_FAILED, SW_PICTURE_CRITICAL, 75000000);
    node_add(rows, "sum", SW_STEP_RUNNING, 0, -1);
    node_add(rows, "send", SW_STEP_PENDING, SW_PICTURE_CRITICAL, -1);
    edge_add(rows, 0, 1, SW_PICTURE_CRITICAL);
    edge_add(rows, 0, 2, 0);
    edge_add(rows, 1, 3, SW_PICTURE_CRITICAL);
    edge_add(rows, 2, 3, 0);
    edge_add(rows, 0, 3, SW_PICTURE_REDUNDANT);
}

static void rows_hostile(picture_rows *rows)
{
    *rows = (picture_rows){0};
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        node_add(rows, hostile[i], (int)(i % SW_STEP_STATE_COUNT), (int)(i % 2), (int64_t)i * 1000);
        if (i > 0)
            edge_add(rows, (int32_t)(i / 2), (int32_t)i, (int32_t)(i % 4));
    }
    for (size_t i = 0; i < rows->edge_count; i++) {
        if (rows->edges[i].from == rows->edges[i].to)
            rows->edges[i] = rows->edges[--rows->edge_count];
    }
}

static int render_code(const picture_rows *rows, const sw_picture_options *options, sw_result **out,
                       sw_error *error)
{
    return sw_picture_render(options, rows->nodes, rows->node_count, rows->edges, rows->edge_count,
                             out, error);
}

/* The text of a picture, zero-terminated; result keeps it. */
static const char *rendered(const picture_rows *rows, const sw_picture_options *options,
                            sw_result **result)
{
    sw_error error;
    size_t count = 0;
    if (render_code(rows, options, result, &error) != SW_OK)
        fail_msg("%s", error.message);
    const sw_picture *picture = sw_pictures(*result, &count);
    assert_int_equal(count, 1);
    assert_int_equal(picture->format, options->format);
    assert_int_equal(strlen(picture->text.ptr), picture->text.len);
    return picture->text.ptr;
}

static const char *render(const picture_rows *rows, int format, sw_result **result)
{
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = format;
    options.title = TEXT("nightly \"<&>\"");
    options.columns = 400;
    return rendered(rows, &options, result);
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        count++;
    return count;
}

static void assert_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("'%s' is not in:\n%s", what, text);
}

static void assert_lacks(const char *text, const char *what)
{
    if (strstr(text, what))
        fail_msg("'%s' is in:\n%s", what, text);
}

/* No format lets a control character or broken UTF-8 through. */
static void test_hostile_names(void **state)
{
    picture_rows rows;
    (void)state;
    rows_hostile(&rows);
    for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++) {
        sw_result *result = NULL;
        const char *text = render(&rows, format, &result);
        assert_int_equal(sw__utf8_check((sw_str){text, strlen(text)}), strlen(text));
        for (const char *at = text; *at; at++)
            assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        if (format != SW_PICTURE_JSON)
            assert_lacks(text, "\xe2\x80\xae");
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
    rows_diamond(&rows);
    const char *text = render(&rows, SW_PICTURE_SVG, &result);
    assert_xml(text);
    assert_has(text, "role=\"img\"");
    assert_has(text, "<title>nightly &quot;&lt;&amp;&gt;&quot;</title>");
    assert_has(text, "4 steps in 3 levels, 5 dependencies: 1 pending, 1 running, 1 succeeded, "
                     "1 failed. Critical path: fetch, check, send.");
    assert_has(text, "@media (prefers-color-scheme:dark)");
    assert_has(text, "<title>check, failed \xC2\xB7 1m 15s, on the critical path</title>");
    assert_int_equal(occurrences(text, "<rect class=\"sw-box\""), 4);
    assert_int_equal(occurrences(text, "<path class=\"sw-edge"), 7); /* two in the legend */
    assert_int_equal(occurrences(text, "<path class=\"sw-tip"), 3);
    assert_int_equal(occurrences(text, "<path class=\"sw-mark\""), 4);
    assert_lacks(text, "<script");
    assert_lacks(text, " id=");
    assert_lacks(text, "url(");
    sw_result_free(result);

    rows_hostile(&rows);
    text = render(&rows, SW_PICTURE_SVG, &result);
    assert_xml(text);
    assert_has(text, "&lt;b&gt;&amp;amp;&lt;/b&gt;");
    assert_has(text, "bad \xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd");
    assert_has(text, "two lines and tab");
    sw_result_free(result);
}

static void test_mermaid(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    (void)state;
    rows_diamond(&rows);
    const char *text = render(&rows, SW_PICTURE_MERMAID, &result);
    assert_has(text, "---\ntitle: \"nightly \\\"<&>\\\"\"\n---\nflowchart TD\n");
    assert_has(text, "    n0[\"\xE2\x9C\x93 fetch<br/>0.412s\"]:::succeeded\n");
    assert_has(text, "    n0 ==> n1\n    n0 --> n2\n    n0 -.-> n3\n");
    assert_has(text, "    class n0,n1,n3 critical\n");
    assert_has(text, "    classDef failed fill:");
    assert_lacks(text, "classDef waiting");
    sw_result_free(result);

    rows_hostile(&rows);
    text = render(&rows, SW_PICTURE_MERMAID, &result);
    assert_has(text, " end<br/>");
    assert_has(text, "a#34;b");
    assert_has(text, "#60;b#62;#38;amp#59;#60;#47;b#62;");
    assert_has(text, "back#92;slash#92;n");
    assert_has(text, "1#46; list");
    assert_has(text, "#45; item");
    assert_has(text, "#35;35#59; #35;quot#59;");
    assert_has(text, "#95;under#95;");
    sw_result_free(result);
}

static void test_dot(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    (void)state;
    rows_diamond(&rows);
    const char *text = render(&rows, SW_PICTURE_DOT, &result);
    assert_has(text, "digraph \"nightly \\\"<&amp;>\\\"\" {\n");
    assert_has(text, "rankdir=TB");
    assert_has(text, "    n0 -> n1 [color=\"#bf3989\", penwidth=2.5];\n");
    assert_has(text, "    n0 -> n3 [style=dotted];\n");
    sw_result_free(result);

    rows_hostile(&rows);
    text = render(&rows, SW_PICTURE_DOT, &result);
    assert_has(text, "a\\\"b");
    assert_has(text, "back\\\\slash\\\\n");
    assert_has(text, "<b>&amp;amp;</b>");
    sw_result_free(result);
}

static void test_json(void **state)
{
    picture_rows rows;
    size_t offset = 0;
    const char *why = "";
    sw_result *result = NULL;
    (void)state;
    rows_diamond(&rows);
    rows.nodes[2].label = TEXT("Sum it up");
    const char *text = render(&rows, SW_PICTURE_JSON, &result);
    assert_true(sw__json_check((sw_str){text, strlen(text)}, &offset, &why));
    assert_has(text, "{\"title\":\"nightly \\\"<&>\\\"\",\"direction\":\"down\"");
    assert_has(text, "\"levels\":3,\"crossings\":0");
    assert_has(text, "{\"name\":\"sum\",\"label\":\"Sum it up\",\"state\":\"running\","
                     "\"critical\":false,\"duration_us\":null,\"level\":1,");
    assert_has(text, "{\"from\":0,\"to\":3,\"critical\":false,\"redundant\":true,\"points\":[[");
    sw_result_free(result);

    rows_hostile(&rows);
    text = render(&rows, SW_PICTURE_JSON, &result);
    if (!sw__json_check((sw_str){text, strlen(text)}, &offset, &why))
        fail_msg("%s at %zu", why, offset);
    assert_has(text, "\"two\\nlines\\tand tab\"");
    sw_result_free(result);
}

static void test_text(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    (void)state;
    rows_diamond(&rows);
    rows.edge_count = 4;
    options.format = SW_PICTURE_TEXT;
    assert_string_equal(rendered(&rows, &options, &result), "      ┏━━━━━━━━━┓\n"
                                                            "      ┃ ✓ fetch ┃\n"
                                                            "      ┗━━━━┯━━━━┛\n"
                                                            "     ╭─────┴─────╮\n"
                                                            "┏━━━━┷━━━━┓  ╭───┴───╮\n"
                                                            "┃ ✗ check ┃  │ ▸ sum │\n"
                                                            "┗━━━━┯━━━━┛  ╰───┬───╯\n"
                                                            "     ╰─────┬─────╯\n"
                                                            "      ┏━━━━┷━━━┓\n"
                                                            "      ┃ · send ┃\n"
                                                            "      ┗━━━━━━━━┛\n");
    sw_result_free(result);
    options.ascii = 1;
    const char *text = rendered(&rows, &options, &result);
    for (const char *at = text; *at; at++)
        assert_true((unsigned char)*at < 0x80);
    assert_has(text, "# x check #  | > sum |\n");
    sw_result_free(result);
    options.color = 1;
    text = rendered(&rows, &options, &result);
    assert_has(text, "\033[31m");
    assert_has(text, "\033[1;35m");
    sw_result_free(result);
}

/* One drawing as a grid of characters. */
typedef struct text_grid {
    uint32_t cells[GRID_ROWS][GRID_COLUMNS];
    int32_t rows;
} text_grid;

/* Where a box is: its name is one letter, so that its borders are two columns away. */
typedef struct box {
    int32_t row;
    int32_t column;
} box;

static void grid_read(text_grid *grid, const char *text)
{
    memset(grid, 0, sizeof(*grid));
    int32_t column = 0;
    for (size_t at = 0, size = strlen(text); at < size;) {
        if (text[at] == '\n') {
            grid->rows++;
            column = 0;
            at++;
            continue;
        }
        assert_true(grid->rows < GRID_ROWS && column < GRID_COLUMNS);
        grid->cells[grid->rows][column++] = sw__glyph_next((sw_str){text, size}, &at);
    }
}

static box grid_find(const text_grid *grid, uint32_t name)
{
    for (int32_t row = 0; row < grid->rows; row++) {
        for (int32_t column = 0; column < GRID_COLUMNS; column++) {
            if (grid->cells[row][column] == name)
                return (box){row, column};
        }
    }
    fail_msg("there is no box '%c'", (char)name);
    return (box){0};
}

/* Ways out of a character: up 1, down 2, left 4, right 8. */
static int grid_arms(uint32_t glyph)
{
    static const struct {
        uint32_t glyph;
        int arms;
    } arms[] = {{0x2502, 3},  {0x2500, 12}, {0x256D, 10}, {0x256E, 6},  {0x2570, 9}, {0x256F, 5},
                {0x251C, 11}, {0x2524, 7},  {0x252C, 14}, {0x2534, 13}, {0x253C, 15}};
    for (size_t i = 0; i < sizeof(arms) / sizeof(arms[0]); i++) {
        if (arms[i].glyph == glyph)
            return arms[i].arms;
    }
    return 0;
}

/* Follow lines as a reader would, down and to the side but never up, from a cell that was entered
 * from `from`; marks the boxes that are met. */
static void grid_follow(const text_grid *grid, int32_t row, int32_t column, int from,
                        const box *boxes, size_t count, bool *met)
{
    int arms = grid_arms(grid->cells[row][column]);
    for (size_t i = 0; i < count; i++) {
        if (row == boxes[i].row - 1 && abs(column - boxes[i].column) <= 2) {
            assert_int_equal(from, 1);
            assert_true(arms & 1);
            met[i] = true;
            return;
        }
    }
    if (arms == 3 && from != 1) { /* another line passes over this one */
        grid_follow(grid, row, column + (from == 4 ? 1 : -1), from, boxes, count, met);
        return;
    }
    if (!(arms & from))
        fail_msg("a line ends in row %d, column %d", row, column);
    if (arms & 2)
        grid_follow(grid, row + 1, column, 1, boxes, count, met);
    if ((arms & 4) && from != 4)
        grid_follow(grid, row, column - 1, 8, boxes, count, met);
    if ((arms & 8) && from != 8)
        grid_follow(grid, row, column + 1, 4, boxes, count, met);
}

/* What a reader sees to depend on what is what depends on it. */
static void assert_drawing_says(const picture_rows *rows, const char *text)
{
    static text_grid grid;
    box boxes[NODES_MOST];
    grid_read(&grid, text);
    for (size_t i = 0; i < rows->node_count; i++)
        boxes[i] = grid_find(&grid, (uint8_t)rows->nodes[i].name.ptr[0]);
    for (size_t i = 0; i < rows->node_count; i++) {
        bool met[NODES_MOST] = {false}, wanted[NODES_MOST] = {false};
        for (int32_t column = boxes[i].column - 1; column <= boxes[i].column + 1; column++) {
            if (grid.cells[boxes[i].row + 1][column] == 0x252C)
                grid_follow(&grid, boxes[i].row + 2, column, 1, boxes, rows->node_count, met);
        }
        for (size_t k = 0; k < rows->edge_count; k++) {
            if (rows->edges[k].from == (int32_t)i)
                wanted[rows->edges[k].to] = true;
        }
        for (size_t k = 0; k < rows->node_count; k++) {
            if (met[k] != wanted[k])
                fail_msg("%s -> %s is %s:\n%s", rows->nodes[i].name.ptr, rows->nodes[k].name.ptr,
                         met[k] ? "drawn and not so" : "so and not drawn", text);
        }
    }
}

/* Lines of random graphs lead where the edges do, and nowhere else. */
static void test_text_lines(void **state)
{
    static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l";
    int drawn = 0;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        picture_rows rows = {0};
        sw_result *result = NULL;
        sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
        int32_t nodes = 2 + (int32_t)random_below(10);
        for (int32_t i = 0; i < nodes; i++)
            node_add(&rows, names + 2 * i, -1, 0, -1);
        for (int32_t i = 1; i < nodes; i++) {
            for (int32_t k = 0; k < i; k++) {
                if (random_below(4) == 0)
                    edge_add(&rows, k, i, 0);
            }
        }
        options.format = SW_PICTURE_TEXT;
        options.columns = 200;
        if (render_code(&rows, &options, &result, NULL) == SW_OK) {
            size_t count = 0;
            assert_drawing_says(&rows, sw_pictures(result, &count)->text.ptr);
            drawn++;
        }
        sw_result_free(result);
    }
    assert_true(drawn > 2700);
}

/* Every line of every drawing has the columns that were asked for at most. */
static void test_text_width(void **state)
{
    picture_rows rows;
    sw_error error;
    int drawn = 0;
    (void)state;
    rows_hostile(&rows);
    for (int32_t columns = 1; columns < 160; columns++) {
        sw_result *result = NULL;
        size_t count = 0;
        sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
        options.format = SW_PICTURE_TEXT;
        options.columns = columns;
        int code = render_code(&rows, &options, &result, &error);
        if (code == SW_ELIMIT) {
            assert_null(result);
            continue;
        }
        assert_int_equal(code, SW_OK);
        drawn++;
        const sw_picture *picture = sw_pictures(result, &count);
        assert_true(picture->width <= columns);
        int32_t lines = 0;
        for (const char *at = picture->text.ptr; *at; lines++) {
            size_t length = strcspn(at, "\n");
            assert_true(sw__glyphs_width((sw_str){at, length}) <= columns);
            at += length + 1;
        }
        assert_int_equal(lines, picture->height);
        sw_result_free(result);
    }
    assert_true(drawn > 20);
}

/* Any bytes for names, any graph: every format stays what it is. */
static void test_random_rows(void **state)
{
    char bytes[NODES_MOST][12];
    (void)state;
    for (int round = 0; round < 400; round++) {
        picture_rows rows = {0};
        int32_t nodes = 1 + (int32_t)random_below(12);
        for (int32_t i = 0; i < nodes; i++) {
            for (size_t k = 0; k < sizeof(bytes[i]); k++)
                bytes[i][k] = (char)random_below(256);
            node_add(&rows, "", (int)random_below(10) - 1, (int)random_below(2), i);
            rows.nodes[i].name = (sw_str){bytes[i], random_below(sizeof(bytes[i]) + 1)};
            for (int32_t k = 0; k < i; k++) {
                if (random_below(4) == 0)
                    edge_add(&rows, k, i, (int32_t)random_below(4));
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
                render_code(&rows, &options, &result, NULL) == SW_ELIMIT)
                continue;
            sw_result_free(result);
            const char *text = rendered(&rows, &options, &result);
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
        const char *text = render(&rows, format, &result);
        assert_int_equal(strlen(text) > 0, format != SW_PICTURE_TEXT);
        sw_result_free(result);
        node_add(&rows, "only", -1, 0, -1);
        text = render(&rows, format, &result);
        assert_has(text, "only");
        sw_result_free(result);
    }
}

static void test_deterministic(void **state)
{
    picture_rows rows;
    (void)state;
    rows_hostile(&rows);
    for (int format = 0; format < SW_PICTURE_FORMAT_COUNT; format++) {
        sw_result *first = NULL, *second = NULL;
        assert_string_equal(render(&rows, format, &first), render(&rows, format, &second));
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
    node_add(&rows, "start", -1, 0, -1);
    for (int32_t i = 1; i < 40; i++) {
        node_add(&rows, "part", -1, 0, -1);
        edge_add(&rows, 0, i, 0);
    }
    options.format = SW_PICTURE_JSON;
    assert_has(rendered(&rows, &options, &result), "\"direction\":\"right\"");
    assert_true(sw_pictures(result, &count)->height > sw_pictures(result, &count)->width);
    sw_result_free(result);
    options.direction = SW_PICTURE_DOWN;
    assert_has(rendered(&rows, &options, &result), "\"direction\":\"down\"");
    assert_true(sw_pictures(result, &count)->height < sw_pictures(result, &count)->width);
    sw_result_free(result);
}

/* code, row and a part of the message of rows that are wrong. */
static void assert_refused(const picture_rows *rows, const sw_picture_options *options, int code,
                           int64_t row, const char *message)
{
    sw_error error;
    sw_result *result = (sw_result *)rows;
    assert_int_equal(render_code(rows, options, &result, &error), code);
    assert_null(result);
    assert_int_equal(error.code, code);
    assert_int_equal(error.row, row);
    assert_has(error.message, message);
}

static void test_bad_rows(void **state)
{
    static char long_name[SW__TEXT_MAX + 1];
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    picture_rows rows;
    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    rows_diamond(&rows);
    rows.nodes[2].name = (sw_str){NULL, 5};
    assert_refused(&rows, &options, SW_EINVAL, 2, "at no address");
    rows.nodes[2].name = (sw_str){long_name, sizeof(long_name)};
    assert_refused(&rows, &options, SW_ELIMIT, 2, "1024 are allowed");
    rows.nodes[2].name = (sw_str){long_name, sizeof(long_name) - 1};
    rows.nodes[1].label = (sw_str){NULL, SIZE_MAX};
    assert_refused(&rows, &options, SW_EINVAL, 1, "a label");
    rows_diamond(&rows);
    rows.nodes[3].state = SW_STEP_STATE_COUNT;
    assert_refused(&rows, &options, SW_EINVAL, 3, "no state 9");
    rows_diamond(&rows);
    rows.edges[1].to = 4;
    assert_refused(&rows, &options, SW_EINVAL, 1, "ends at node 4");
    rows.edges[1].to = -1;
    assert_refused(&rows, &options, SW_EINVAL, 1, "ends at node -1");
    rows.edges[1].to = 0;
    assert_refused(&rows, &options, SW_EINVAL, 1, "to itself");
    rows.edges[1].to = 1;
    assert_refused(&rows, &options, SW_EINVAL, 1, "given twice");
    rows_diamond(&rows);
    edge_add(&rows, 3, 0, 0);
    assert_refused(&rows, &options, SW_EDEFINITION, -1, "fetch -> send -> fetch");
}

static void test_bad_options(void **state)
{
    picture_rows rows;
    sw_error error;
    sw_result *result = NULL;
    (void)state;
    rows_diamond(&rows);
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
        nodes[i] = (sw_picture_node){.name = TEXT("step"), .state = -1, .duration_us = -1};
        for (int32_t k = 0; k < i; k++)
            edges[count++] = (sw_picture_edge){.from = k, .to = i};
    }
    assert_int_equal(sw_picture_render(&options, nodes, NODES, edges, count, &result, &error),
                     SW_ELIMIT);
    assert_has(error.message, "format mermaid or dot");
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
    options.title = TEXT("nightly");
    rows_hostile(&rows);
    int code = render_code(&rows, &options, &result, NULL);
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
    rows_diamond(&rows);
    edge_add(&rows, 3, 0, 0);
    int code = render_code(&rows, &options, &result, NULL);
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
    assert_int_equal(sw__glyphs_width(TEXT("abc")), 3);
    assert_int_equal(sw__glyphs_width(TEXT("日本")), 4);
    assert_int_equal(sw__glyphs_width(TEXT("e\xcc\x81")), 1);
    assert_int_equal(sw__glyphs_width(TEXT("\xff\xfe")), 2);
    assert_int_equal(sw__glyphs_width((sw_str){NULL, 0}), 0);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(sw_picture_format_name(SW_PICTURE_MERMAID), "mermaid");
    assert_string_equal(sw_picture_format_name(99), "unknown");
    assert_int_equal(sw_picture_format_find(TEXT("dot")), SW_PICTURE_DOT);
    assert_int_equal(sw_picture_format_find(TEXT("gif")), SW_ENOTFOUND);
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
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_svg),
        cmocka_unit_test(test_mermaid),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_lines),
        cmocka_unit_test(test_text_width),
        cmocka_unit_test(test_random_rows),
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_out_of_memory_on_a_cycle),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
