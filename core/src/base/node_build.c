/* Building the tree of a document. Not here: syntax (node_json.c, node_yaml.c). */
#include "base/node_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "base/utf8.h"

#define SW__BUILD_PENDING_FIRST ((size_t)64)
#define SW__BUILD_SOURCE_SHOWN ((size_t)160) /* bytes of a file name in a message */

void sw__build_init(sw__build *build, sw__arena *arena, sw_str source, sw_error *err)
{
    memset(build, 0, sizeof(*build));
    build->arena = arena;
    build->source = source;
    build->node_max = SW__NODES_MAX;
    build->scalar_max = SW__SCALAR_MAX;
    build->err = err;
}

void sw__build_free(sw__build *build)
{
    sw__free(sw__arena_env(build->arena), build->pending);
}

/* A long path loses its beginning: its end names the file, and the message must keep its room. */
int sw__node_fail(sw_error *err, int code, sw_str source, int32_t line, int32_t column,
                  const char *message)
{
    const char *cut = "";
    if (source.len == 0)
        source = (sw_str)SW__LIT("<text>");
    if (source.len > SW__BUILD_SOURCE_SHOWN) {
        cut = "...";
        source.ptr += source.len - SW__BUILD_SOURCE_SHOWN;
        source.len = SW__BUILD_SOURCE_SHOWN;
    }
    return sw__fail_row(err, code, (size_t)line, "%s%.*s:%d:%d: %s", cut, SW__FMT(source), line,
                        column, message);
}

int sw__build_fail(sw__build *build, int code, sw__place place, const char *format, ...)
{
    char message[sizeof(build->err->message)];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return sw__node_fail(build->err, code, build->source, place.line, place.column, message);
}

int sw__build_no_memory(sw__build *build)
{
    return sw__fail(build->err, SW_ENOMEM, NULL);
}

sw__place sw__place_of(sw_str text, size_t offset)
{
    sw__place place = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n')
            place = (sw__place){place.line + 1, 1};
        else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80)
            place.column++;
    }
    return place;
}

static int build_push(sw__build *build, sw__node_pair pair)
{
    const sw_env *env = sw__arena_env(build->arena);
    if (build->pending_count == build->pending_capacity) {
        size_t capacity =
            build->pending_capacity ? build->pending_capacity * 2 : SW__BUILD_PENDING_FIRST;
        sw__node_pair *grown = sw__resize(env, build->pending, capacity * sizeof(*grown));
        if (!grown)
            return sw__build_no_memory(build);
        build->pending = grown;
        build->pending_capacity = capacity;
    }
    build->pending[build->pending_count++] = pair;
    return SW_OK;
}

bool sw__build_wants_key(const sw__build *build)
{
    if (build->depth == 0 || build->open[build->depth - 1].node->kind != SW__NODE_MAP)
        return false;
    return build->pending_count == build->open[build->depth - 1].start ||
           build->pending[build->pending_count - 1].value;
}

int sw__build_key(sw__build *build, sw__place place, sw_str key)
{
    if (key.len > SW__KEY_MAX)
        return sw__build_fail(build, SW_ELIMIT, place,
                              "a key of %zu bytes, but at most %d are allowed", key.len,
                              SW__KEY_MAX);
    if (memchr(key.ptr, 0, key.len))
        return sw__build_fail(build, SW_EDEFINITION, place, "a key may not contain a zero byte");
    sw_str copy = sw__arena_str(build->arena, key);
    if (!copy.ptr)
        return sw__build_no_memory(build);
    return build_push(build, (sw__node_pair){copy, place.line, place.column, NULL});
}

int sw__build_value(sw__build *build, sw__place place, sw__node_kind kind, sw__node **out)
{
    if (build->node_count == build->node_max)
        return sw__build_fail(build, SW_ELIMIT, place, "more than %zu values in one text",
                              build->node_max);
    sw__node *node = sw__arena_alloc(build->arena, sizeof(*node));
    if (!node)
        return sw__build_no_memory(build);
    node->kind = kind;
    node->line = place.line;
    node->column = place.column;
    build->node_count++;
    *out = node;
    if (build->depth == 0) {
        build->root = node;
        return SW_OK;
    }
    if (build->open[build->depth - 1].node->kind == SW__NODE_LIST)
        return build_push(build, (sw__node_pair){.value = node});
    build->pending[build->pending_count - 1].value = node;
    return SW_OK;
}

int sw__build_scalar(sw__build *build, sw__place place, sw__node_kind kind, sw_str text,
                     sw__node **out)
{
    if (text.len > build->scalar_max)
        return sw__build_fail(build, SW_ELIMIT, place,
                              "a value of %zu bytes, but at most %zu are allowed", text.len,
                              build->scalar_max);
    int rc = sw__build_value(build, place, kind, out);
    if (rc < 0)
        return rc;
    (*out)->text = sw__arena_str(build->arena, text);
    return (*out)->text.ptr ? SW_OK : sw__build_no_memory(build);
}

int sw__build_open(sw__build *build, sw__place place, sw__node_kind kind)
{
    if (build->depth == SW__DEPTH_MAX)
        return sw__build_fail(build, SW_ELIMIT, place, "nested more than %d deep", SW__DEPTH_MAX);
    sw__node *node = NULL;
    int rc = sw__build_value(build, place, kind, &node);
    if (rc < 0)
        return rc;
    build->open[build->depth].node = node;
    build->open[build->depth].start = build->pending_count;
    build->depth++;
    return SW_OK;
}

/* Of several repeated keys, the one that stands first in the text is reported. */
static int build_keys_check(sw__build *build, const sw__node *map)
{
    const sw__node_pair **order = sw__arena_array(build->arena, map->count, sizeof(*order));
    const sw__node_pair *again = NULL;
    if (!order)
        return sw__build_no_memory(build);
    sw__node_sort(map, order);
    for (size_t i = 1; i < map->count; i++) {
        bool repeated = sw__str_equal(order[i - 1]->key, order[i]->key);
        if (repeated && (!again || order[i] < again))
            again = order[i];
    }
    if (!again)
        return SW_OK;
    return sw__build_fail(build, SW_EDEFINITION, (sw__place){again->line, again->column},
                          "the key \"%.*s\" appears twice", SW__FMT(again->key));
}

int sw__build_close(sw__build *build)
{
    build->depth--;
    sw__node *node = build->open[build->depth].node;
    size_t start = build->open[build->depth].start;
    const sw__node_pair *children = build->pending ? build->pending + start : NULL;
    node->count = build->pending_count - start;
    build->pending_count = start;
    if (node->count == 0)
        return SW_OK;
    if (node->kind == SW__NODE_MAP) {
        node->pairs = sw__arena_array(build->arena, node->count, sizeof(*node->pairs));
        if (!node->pairs)
            return sw__build_no_memory(build);
        memcpy(node->pairs, children, node->count * sizeof(*node->pairs));
        return build_keys_check(build, node);
    }
    node->items = sw__arena_array(build->arena, node->count, sizeof(*node->items));
    if (!node->items)
        return sw__build_no_memory(build);
    for (size_t i = 0; i < node->count; i++)
        node->items[i] = children[i].value;
    return SW_OK;
}
