/* Any bytes as a YAML document: a tree within the limits or an error that says where, and the tree
 * written as canonical JSON reads back as the same tree. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/node.h"
#include "base/str.h"
#include "fuzz/fuzz.h"

static const sw_str yaml_source = SW__LIT("fuzz");

/* Depth, sizes and places of a tree; returns how many values it has. */
static size_t tree_check(const sw__node *node, int depth)
{
    size_t values = 1;
    bool container = node->kind == SW__NODE_LIST || node->kind == SW__NODE_MAP;
    fuzz_require(depth + container <= SW__DEPTH_MAX, "a tree is %d deep", depth + container);
    fuzz_require(node->line > 0 && node->column > 0, "a value without a place");
    fuzz_require(node->text.len <= SW__SCALAR_MAX, "a scalar of %zu bytes", node->text.len);
    fuzz_check_text(node->text);
    for (size_t i = 0; node->kind == SW__NODE_LIST && i < node->count; i++)
        values += tree_check(node->items[i], depth + 1);
    for (size_t i = 0; node->kind == SW__NODE_MAP && i < node->count; i++) {
        fuzz_require(node->pairs[i].key.len <= SW__KEY_MAX, "a long key");
        fuzz_require(!memchr(node->pairs[i].key.ptr, 0, node->pairs[i].key.len), "a zero byte");
        fuzz_check_text(node->pairs[i].key);
        values += tree_check(node->pairs[i].value, depth + 1);
    }
    return values;
}

static void refusal_check(int rc, const sw_error *err, sw_str text)
{
    long long lines = 1;
    int line = 0;
    int column = 0;
    int end = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n' || text.ptr[i] == '\r' || (unsigned char)text.ptr[i] >= 0x80;
    fuzz_require(rc == SW_EDEFINITION || rc == SW_ELIMIT, "%s for a text", sw_code_name(rc));
    int parts = sscanf(err->message, "fuzz:%d:%d: %n", &line, &column, &end);
    fuzz_require(parts == 2 && end > 0, "no place in: %s", err->message);
    fuzz_require(line >= 1 && line <= lines && column >= 1, "a strange place: %s", err->message);
    fuzz_require(err->row == line, "row %lld for: %s", (long long)err->row, err->message);
}

static void json_check(const sw_env *env, const sw__node *root)
{
    sw__buf first;
    sw__buf second;
    sw_error err;
    sw__node *again = NULL;
    sw__arena *arena = sw__arena_new(env);
    sw__buf_init(&first, env);
    sw__buf_init(&second, env);
    sw__node_put_json(&first, root);
    int rc = sw__node_load_canonical(arena, sw__buf_str(&first), &again, &err);
    fuzz_require(rc == SW_OK, "canonical JSON is refused: %s", err.message);
    sw__node_put_json(&second, again);
    fuzz_require(sw__str_equal(sw__buf_str(&first), sw__buf_str(&second)),
                 "canonical JSON reads back as something else");
    sw__buf_free(&second);
    sw__buf_free(&first);
    sw__arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_world world;
    sw_error err;
    sw__node *root = NULL;
    sw_str text = {(const char *)data, size};
    fuzz_world_open(&world);
    sw__arena *arena = sw__arena_new(&world.fault.env);
    int rc = sw__node_load(arena, SW_FORMAT_YAML, yaml_source, text, &root, &err);
    fuzz_check_error(rc, &err);
    fuzz_require((rc == SW_OK) == (root != NULL), "code %d, but the tree says otherwise", rc);
    if (rc == SW_OK) {
        fuzz_require(tree_check(root, 0) <= SW__NODES_MAX, "too many values");
        json_check(&world.fault.env, root);
    } else {
        refusal_check(rc, &err, text);
    }
    sw__arena_free(arena);
    fuzz_world_close(&world);
    return 0;
}
