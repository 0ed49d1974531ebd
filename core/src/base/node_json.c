/* Reading JSON documents.
 *
 * jansson decodes, after sw__json_check has refused what is too deep for it; jansson does not say
 * where a value stood, so the text is walked once more beside jansson's tree. Not here: payloads.
 */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/node_build.h"
#include "base/str.h"

typedef struct json_walk {
    sw__build *build;
    sw_str text;
    size_t at;
    sw__place place;
} json_walk;

static void json_walk_move(json_walk *walk, size_t count)
{
    sw__place moved = sw__place_of((sw_str){walk->text.ptr + walk->at, count}, count);
    walk->at += count;
    walk->place.column = moved.column + (moved.line == 1 ? walk->place.column - 1 : 0);
    walk->place.line += moved.line - 1;
}

/* To the next token, over white space and the punctuation between values. */
static void json_walk_to_token(json_walk *walk)
{
    size_t count = 0;
    while (walk->at + count < walk->text.len &&
           strchr(" \t\r\n,:", walk->text.ptr[walk->at + count]))
        count++;
    json_walk_move(walk, count);
}

/* Length of the token at offset at: a bracket, a string, a number or a word. */
static size_t json_token_len(sw_str text, size_t at)
{
    size_t end = at + 1;
    if (strchr("[]{}", text.ptr[at]))
        return 1;
    if (text.ptr[at] == '"') {
        while (text.ptr[end] != '"')
            end += text.ptr[end] == '\\' ? 2 : 1;
        return end + 1 - at;
    }
    while (end < text.len && !strchr(" \t\r\n,:[]{}", text.ptr[end]))
        end++;
    return end - at;
}

/* Move over the token and give its text. */
static sw_str json_walk_token(json_walk *walk)
{
    sw_str token = {walk->text.ptr + walk->at, json_token_len(walk->text, walk->at)};
    json_walk_move(walk, token.len);
    return token;
}

static int json_walk_value(json_walk *walk, json_t *value);

static int json_walk_object(json_walk *walk, json_t *object)
{
    int rc = SW_OK;
    for (void *pair = json_object_iter(object); pair && rc == SW_OK;
         pair = json_object_iter_next(object, pair)) {
        json_walk_to_token(walk);
        rc = sw__build_key(walk->build, walk->place, sw__str(json_object_iter_key(pair)));
        json_walk_token(walk);
        if (rc == SW_OK)
            rc = json_walk_value(walk, json_object_iter_value(pair));
    }
    return rc;
}

static int json_walk_array(json_walk *walk, json_t *array)
{
    int rc = SW_OK;
    for (size_t i = 0; i < json_array_size(array) && rc == SW_OK; i++)
        rc = json_walk_value(walk, json_array_get(array, i));
    return rc;
}

static int json_walk_container(json_walk *walk, json_t *value)
{
    bool object = json_is_object(value);
    int rc = sw__build_open(walk->build, walk->place, object ? SW__NODE_MAP : SW__NODE_LIST);
    json_walk_token(walk);
    if (rc == SW_OK)
        rc = object ? json_walk_object(walk, value) : json_walk_array(walk, value);
    if (rc < 0)
        return rc;
    json_walk_to_token(walk);
    json_walk_token(walk);
    return sw__build_close(walk->build);
}

static sw__node_kind json_scalar_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return SW__NODE_STR;
    case JSON_INTEGER:
        return SW__NODE_INT;
    case JSON_REAL:
        return SW__NODE_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return SW__NODE_BOOL;
    default:
        return SW__NODE_NULL;
    }
}

static int json_walk_value(json_walk *walk, json_t *value)
{
    json_walk_to_token(walk);
    if (json_is_object(value) || json_is_array(value))
        return json_walk_container(walk, value);
    sw__place place = walk->place;
    sw_str text = json_walk_token(walk);
    if (json_is_string(value))
        text = (sw_str){json_string_value(value), json_string_length(value)};
    sw__node *node;
    int rc = sw__build_scalar(walk->build, place, json_scalar_kind(value), text, &node);
    if (rc < 0)
        return rc;
    node->boolean = json_is_true(value);
    node->integer = json_integer_value(value);
    node->real = json_real_value(value);
    return SW_OK;
}

/* jansson reports the offset behind the token it dislikes; people want its start. */
static sw_str json_token_before(sw_str text, size_t offset, sw__place *place)
{
    json_walk walk = {.text = text, .place = {1, 1}};
    sw_str token;
    do {
        json_walk_to_token(&walk);
        *place = walk.place;
        token = json_walk_token(&walk);
    } while (walk.at < offset);
    return token;
}

/* The text is valid, so that apart from these three only memory can be what jansson lacks, which
 * it does not always say. */
static int json_decode_fail(sw__build *build, sw_str text, json_error_t *error)
{
    sw__place place;
    sw_str token;
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
        token = json_token_before(text, (size_t)error->position, &place);
        return sw__build_fail(build, SW_EDEFINITION, place,
                              "the number %.*s is out of range; put it in quotes",
                              token.len > 40 ? 40 : (int)token.len, token.ptr);
    case json_error_duplicate_key:
        token = json_token_before(text, (size_t)error->position, &place);
        return sw__build_fail(build, SW_EDEFINITION, place, "the key %.*s appears twice",
                              SW__FMT(token));
    case json_error_null_byte_in_key:
        json_token_before(text, (size_t)error->position, &place);
        return sw__build_fail(build, SW_EDEFINITION, place, "a key may not contain a zero byte");
    default:
        return sw__build_no_memory(build);
    }
}

static int json_check_fail(sw__build *build, sw_str text, size_t offset, const char *why)
{
    int code = strcmp(why, SW__JSON_TOO_DEEP) == 0 ? SW_ELIMIT : SW_EDEFINITION;
    char found = offset < text.len ? text.ptr[offset] : 0;
    bool visible = found > ' ' && found <= '~';
    if (visible && strncmp(why, "expected", strlen("expected")) == 0)
        return sw__build_fail(build, code, sw__place_of(text, offset), "%s, found '%c'", why,
                              found);
    return sw__build_fail(build, code, sw__place_of(text, offset), "%s", why);
}

int sw__build_from_json(sw__build *build, sw_str text)
{
    size_t offset;
    const char *why;
    if (!sw__json_check(text, &offset, &why))
        return json_check_fail(build, text, offset, why);
    json_error_t error = {0}; /* jansson leaves the code as it was when memory runs out */
    json_t *tree = json_loadb(text.ptr, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!tree)
        return json_decode_fail(build, text, &error);
    json_walk walk = {.build = build, .text = text, .place = {1, 1}};
    int rc = json_walk_value(&walk, tree);
    json_decref(tree);
    return rc;
}
