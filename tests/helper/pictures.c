/* Rows of pictures for tests. */
#include "helper/pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

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
    ("\xe2\x80\xae"
     "right to left"),
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

uint32_t picture_random(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % limit;
}

void picture_node_add(picture_rows *rows, const char *name, int state, int flags,
                      int64_t duration_us)
{
    rows->nodes[rows->node_count++] = (sw_picture_node){
        .name = {name, strlen(name)}, .state = state, .flags = flags, .duration_us = duration_us};
}

void picture_edge_add(picture_rows *rows, int32_t from, int32_t to, int32_t flags)
{
    rows->edges[rows->edge_count++] = (sw_picture_edge){.from = from, .to = to, .flags = flags};
}

void picture_rows_diamond(picture_rows *rows)
{
    *rows = (picture_rows){0};
    picture_node_add(rows, "fetch", SW_STEP_SUCCEEDED, SW_PICTURE_CRITICAL, 412000);
    picture_node_add(rows, "check", SW_STEP_FAILED, SW_PICTURE_CRITICAL, 75000000);
    picture_node_add(rows, "sum", SW_STEP_RUNNING, 0, -1);
    picture_node_add(rows, "send", SW_STEP_PENDING, SW_PICTURE_CRITICAL, -1);
    picture_edge_add(rows, 0, 1, SW_PICTURE_CRITICAL);
    picture_edge_add(rows, 0, 2, 0);
    picture_edge_add(rows, 1, 3, SW_PICTURE_CRITICAL);
    picture_edge_add(rows, 2, 3, 0);
    picture_edge_add(rows, 0, 3, SW_PICTURE_REDUNDANT);
}

void picture_rows_hostile(picture_rows *rows)
{
    *rows = (picture_rows){0};
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        picture_node_add(rows, hostile[i], (int)(i % SW_STEP_STATE_COUNT), (int)(i % 2),
                         (int64_t)i * 1000);
        if (i > 0)
            picture_edge_add(rows, (int32_t)(i / 2), (int32_t)i, (int32_t)(i % 4));
    }
}

int picture_code(const picture_rows *rows, const sw_picture_options *options, sw_result **out,
                 sw_error *error)
{
    return sw_picture_render(options, rows->nodes, rows->node_count, rows->edges, rows->edge_count,
                             out, error);
}

const char *picture_rendered(const picture_rows *rows, const sw_picture_options *options,
                             sw_result **result)
{
    sw_error error;
    size_t count = 0;
    if (picture_code(rows, options, result, &error) != SW_OK)
        fail_msg("%s", error.message);
    const sw_picture *picture = sw_pictures(*result, &count);
    assert_int_equal(count, 1);
    assert_int_equal(picture->format, options->format);
    assert_int_equal(strlen(picture->text.ptr), picture->text.len);
    return picture->text.ptr;
}

const char *picture_format_rendered(const picture_rows *rows, int format, sw_result **result)
{
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = format;
    options.title = PICTURE_TEXT("nightly \"<&>\"");
    options.columns = 400;
    return picture_rendered(rows, &options, result);
}

void assert_text_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("'%s' is not in:\n%s", what, text);
}

void assert_text_lacks(const char *text, const char *what)
{
    if (strstr(text, what))
        fail_msg("'%s' is in:\n%s", what, text);
}
