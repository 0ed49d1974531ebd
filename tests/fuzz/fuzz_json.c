/* Any bytes as JSON, read three times: by the check of payloads, by the reader of documents and by
 * jansson. They agree about what is JSON, except where a document has limits that a payload has
 * not, and a number of any size is JSON in a payload only. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/node.h"
#include "base/str.h"
#include "fuzz/fuzz.h"

/* jansson may refuse JSON only for what the two promise differently. It overlooks a zero byte
 * behind a number, so that its word about texts with zero bytes is not asked for. */
static void jansson_compare(sw_str text, bool valid, const char *why)
{
    if (text.len > 0 && memchr(text.ptr, 0, text.len)) {
        fuzz_require(!valid, "JSON with a zero byte");
        return;
    }
    json_error_t error;
    json_t *tree = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (tree)
        fuzz_require(valid || strcmp(why, SW__JSON_TOO_DEEP) == 0, "jansson reads it, but: %s",
                     why);
    else if (valid)
        fuzz_require(json_error_code(&error) == json_error_numeric_overflow ||
                         json_error_code(&error) == json_error_null_byte_in_key,
                     "it is JSON, but jansson says: %s", error.text);
    json_decref(tree);
}

static void document_check(const sw_env *env, sw_str text, bool valid, const char *why)
{
    sw__buf json;
    sw_error err;
    sw__node *root = NULL;
    size_t offset = 0;
    sw__arena *arena = sw__arena_new(env);
    int rc = sw__node_load(arena, SW_FORMAT_JSON, (sw_str){0}, text, &root, &err);
    fuzz_check_error(rc, &err);
    bool marked = text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0;
    if (rc == SW_OK && !marked)
        fuzz_require(valid, "a document that is no JSON: %s", why);
    if (rc < 0 && valid)
        fuzz_require(strstr(err.message, "out of range") || strstr(err.message, "appears twice") ||
                         strstr(err.message, "a zero byte") || rc == SW_ELIMIT,
                     "JSON is refused as a document: %s", err.message);
    sw__buf_init(&json, env);
    if (rc == SW_OK) {
        sw__node_put_json(&json, root);
        fuzz_require(sw__json_check(sw__buf_str(&json), &offset, &why),
                     "canonical JSON is none at byte %zu: %s", offset, why);
    }
    sw__buf_free(&json);
    sw__arena_free(arena);
}

/* Whatever the bytes, written as a string they are JSON, and jansson reads the same text. */
static void string_check(const sw_env *env, sw_str text, bool utf8)
{
    sw__buf buf;
    size_t offset = 0;
    const char *why = "";
    sw__buf_init(&buf, env);
    sw__json_put_str(&buf, text);
    sw_str json = sw__buf_str(&buf);
    fuzz_require(sw__json_check(json, &offset, &why), "a written string is no JSON: %s", why);
    json_t *read = json_loadb(json.ptr, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    fuzz_require(read, "jansson does not read a written string");
    sw_str found = {json_string_value(read), json_string_length(read)};
    fuzz_require(!utf8 || sw__str_equal(found, text), "a written string reads as something else");
    json_decref(read);
    sw__buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_world world;
    size_t offset = 0;
    const char *why = "";
    sw_str text = {(const char *)data, size};
    fuzz_world_open(&world);
    bool valid = sw__json_check(text, &offset, &why);
    fuzz_require(valid || (offset <= size && why[0]), "refused at byte %zu: %s", offset, why);
    jansson_compare(text, valid, why);
    document_check(&world.fault.env, text, valid, why);
    string_check(&world.fault.env, text, valid || strcmp(why, "invalid UTF-8") != 0);
    fuzz_world_close(&world);
    return 0;
}
