/* Documents: what is the same for every syntax, and writing a tree as canonical JSON.
 *
 * Not here: syntax (node_json.c, node_yaml.c) and building (node_build.c).
 */
#include "base/node.h"

#include <string.h>

#include "base/env.h"
#include "base/json.h"
#include "base/node_build.h"
#include "base/str.h"
#include "base/utf8.h"

static sw_str node_text_without_bom(sw_str text)
{
    static const sw_str bom = SW__LIT("\xef\xbb\xbf");
    if (text.len >= bom.len && memcmp(text.ptr, bom.ptr, bom.len) == 0)
        return (sw_str){text.ptr + bom.len, text.len - bom.len};
    return text;
}

static int node_text_check(sw__build *build, sw_str text, size_t size_max)
{
    if (text.len > size_max)
        return sw__build_fail(build, SW_ELIMIT, (sw__place){1, 1},
                              "the text has %zu bytes, but at most %zu are allowed", text.len,
                              size_max);
    const char *zero = text.len ? memchr(text.ptr, 0, text.len) : NULL;
    size_t valid = sw__utf8_check(text);
    if (zero && (size_t)(zero - text.ptr) < valid)
        return sw__build_fail(build, SW_EDEFINITION, sw__place_of(text, (size_t)(zero - text.ptr)),
                              "found a zero byte; this is not a text file");
    if (valid < text.len)
        return sw__build_fail(build, SW_EDEFINITION, sw__place_of(text, valid),
                              "found the byte 0x%02x, which is not UTF-8; save the file as UTF-8",
                              (unsigned)(unsigned char)text.ptr[valid]);
    return SW_OK;
}

static bool node_text_is_json(int format, sw_str text)
{
    if (format == SW_FORMAT_JSON || format == SW_FORMAT_YAML)
        return format == SW_FORMAT_JSON;
    size_t at = 0;
    while (at < text.len && strchr(" \t\r\n", text.ptr[at]))
        at++;
    return at < text.len && text.ptr[at] == '{';
}

int sw__node_load(sw__arena *arena, int format, sw_str source, sw_str text, sw__node **out,
                  sw_error *err)
{
    sw__build build;
    sw__build_init(&build, arena, source, err);
    text = node_text_without_bom(text);
    int rc = node_text_check(&build, text, SW__DEFINITION_MAX);
    if (rc == SW_OK && node_text_is_json(format, text))
        rc = sw__build_from_json(&build, text);
    else if (rc == SW_OK)
        rc = sw__build_from_yaml(&build, text);
    *out = rc == SW_OK ? build.root : NULL;
    sw__build_free(&build);
    return rc;
}

int sw__node_load_canonical(sw__arena *arena, sw_str text, sw__node **out, sw_error *err)
{
    size_t values_left = SW__CANONICAL_NODES_MAX;
    return sw__node_load_piece(arena, text, &values_left, out, err);
}

int sw__node_load_piece(sw__arena *arena, sw_str text, size_t *values_left, sw__node **out,
                        sw_error *err)
{
    sw__build build;
    sw__build_init(&build, arena, (sw_str){0}, err);
    build.node_max = *values_left;
    int rc = text.len > SW__CANONICAL_MAX
                 ? sw__build_fail(&build, SW_ELIMIT, (sw__place){1, 1},
                                  "the text has %zu bytes, but at most %d are allowed", text.len,
                                  SW__CANONICAL_MAX)
                 : sw__build_from_json(&build, text);
    *out = rc == SW_OK ? build.root : NULL;
    *values_left -= build.node_count;
    sw__build_free(&build);
    return rc;
}

int sw__node_load_json(sw__arena *arena, const sw__node_limits *limits, sw_str source, sw_str text,
                       sw__node **out, sw_error *err)
{
    sw__build build;
    sw__build_init(&build, arena, source, err);
    build.node_max = limits->node_max;
    build.scalar_max = limits->scalar_max;
    int rc = node_text_check(&build, text, limits->size_max);
    if (rc == SW_OK)
        rc = sw__build_from_json(&build, text);
    *out = rc == SW_OK ? build.root : NULL;
    sw__build_free(&build);
    return rc;
}

sw__node *sw__node_get(const sw__node *map, const char *key)
{
    for (size_t i = 0; map->kind == SW__NODE_MAP && i < map->count; i++) {
        if (sw__str_is(map->pairs[i].key, key))
            return map->pairs[i].value;
    }
    return NULL;
}

const char *sw__node_kind_name(sw__node_kind kind)
{
    switch (kind) {
    case SW__NODE_NULL:
        return "null";
    case SW__NODE_BOOL:
        return "true or false";
    case SW__NODE_INT:
        return "an integer";
    case SW__NODE_REAL:
        return "a number";
    case SW__NODE_STR:
        return "text";
    case SW__NODE_LIST:
        return "a list";
    case SW__NODE_MAP:
        return "a map";
    }
    return "an unknown value";
}

/* Equal keys compare by place, which keeps the sort stable. */
static bool node_pair_before(const sw__node_pair *a, const sw__node_pair *b)
{
    int order = sw__str_compare(a->key, b->key);
    return order < 0 || (order == 0 && a < b);
}

static void node_heap_sink(const sw__node_pair **heap, size_t at, size_t count)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && node_pair_before(heap[child], heap[child + 1]))
            child++;
        if (!node_pair_before(heap[at], heap[child]))
            return;
        const sw__node_pair *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

/* Heap sort: qsort may allocate behind the back of sw_env, and its worst case is the writer of
 * the file's to choose. */
void sw__node_sort(const sw__node *map, const sw__node_pair **order)
{
    size_t count = map->count;
    for (size_t i = 0; i < count; i++)
        order[i] = &map->pairs[i];
    for (size_t i = count / 2; i > 0; i--)
        node_heap_sink(order, i - 1, count);
    for (size_t end = count; end > 1; end--) {
        const sw__node_pair *last = order[0];
        order[0] = order[end - 1];
        order[end - 1] = last;
        node_heap_sink(order, 0, end - 1);
    }
}

static void node_put_map(sw__buf *buf, const sw__node *map)
{
    const sw__node_pair **order = sw__calloc(buf->env, map->count, sizeof(*order));
    if (!order) {
        buf->failed = true;
        return;
    }
    sw__node_sort(map, order);
    sw__buf_put_byte(buf, '{');
    for (size_t i = 0; i < map->count; i++) {
        if (i > 0)
            sw__buf_put_byte(buf, ',');
        sw__json_put_str(buf, order[i]->key);
        sw__buf_put_byte(buf, ':');
        sw__node_put_json(buf, order[i]->value);
    }
    sw__buf_put_byte(buf, '}');
    sw__free(buf->env, order);
}

static void node_put_list(sw__buf *buf, const sw__node *list)
{
    sw__buf_put_byte(buf, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            sw__buf_put_byte(buf, ',');
        sw__node_put_json(buf, list->items[i]);
    }
    sw__buf_put_byte(buf, ']');
}

void sw__node_put_json(sw__buf *buf, const sw__node *node)
{
    switch (node->kind) {
    case SW__NODE_NULL:
        sw__buf_put_text(buf, "null");
        break;
    case SW__NODE_BOOL:
        sw__buf_put_text(buf, node->boolean ? "true" : "false");
        break;
    case SW__NODE_INT:
        sw__buf_put_int(buf, node->integer);
        break;
    case SW__NODE_REAL:
        sw__json_put_double(buf, node->real);
        break;
    case SW__NODE_STR:
        sw__json_put_str(buf, node->text);
        break;
    case SW__NODE_LIST:
        node_put_list(buf, node);
        break;
    case SW__NODE_MAP:
        node_put_map(buf, node);
        break;
    }
}
