/* Values of a document; see form.h. Not here: syntax (base/node.h), and what the values mean. */
#include "audit/form.h"

#include <stdarg.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/str.h"

int sw__form_fail(const sw__form *form, const sw__node *node, const char *format, ...)
{
    char message[300];
    va_list args;
    va_start(args, format);
    sw__message_format(message, sizeof(message), format, args);
    va_end(args);
    return sw__node_fail(form->err, SW_EINVAL, form->source, node->line, node->column, message);
}

int sw__form_no_memory(const sw__form *form)
{
    return sw__fail(form->err, SW_ENOMEM, NULL);
}

/* The key of a map that is in no table. */
static int form_stranger(const sw__form *form, const sw__node *map, const sw__form_key *keys,
                         size_t count)
{
    for (size_t i = 0; i < map->count; i++) {
        bool known = false;
        for (size_t j = 0; j < count && !known; j++)
            known = sw__str_is(map->pairs[i].key, keys[j].name);
        if (!known) {
            const sw__node at = {.line = map->pairs[i].line, .column = map->pairs[i].column};
            return sw__form_fail(form, &at, "there is no key \"%.*s\" here",
                                 SW__FMT(map->pairs[i].key));
        }
    }
    return SW_OK;
}

/* All values of a map, in the order of its keys. */
int sw__form_map(const sw__form *form, const sw__node *map, const sw__form_key *keys, size_t count,
                 const sw__node **values)
{
    if (map->kind != SW__NODE_MAP)
        return sw__form_fail(form, map, "expected a map, found %s", sw__node_kind_name(map->kind));
    for (size_t i = 0; i < count; i++) {
        values[i] = sw__node_get(map, keys[i].name);
        if (!values[i])
            return sw__form_fail(form, map, "the key \"%s\" is missing", keys[i].name);
        if (!(keys[i].kinds >> values[i]->kind & 1))
            return sw__form_fail(form, values[i], "\"%s\" cannot be %s", keys[i].name,
                                 sw__node_kind_name(values[i]->kind));
    }
    return map->count == count ? SW_OK : form_stranger(form, map, keys, count);
}

/* Scalars. */

int sw__form_int(const sw__form *form, const sw__node *node, int64_t most, int64_t *out)
{
    *out = node->integer;
    if (node->integer < 0 || node->integer > most)
        return sw__form_fail(form, node, "the number %lld is out of range",
                             (long long)node->integer);
    return SW_OK;
}

int sw__form_int32(const sw__form *form, const sw__node *node, int32_t *out)
{
    int64_t number = 0;
    int rc = sw__form_int(form, node, INT32_MAX, &number);
    *out = (int32_t)number;
    return rc;
}

int sw__form_base64(const sw__form *form, const sw__node *node, sw_str *out)
{
    size_t size = 0;
    uint8_t *room = sw__arena_alloc(form->arena, node->text.len);
    if (!room)
        return sw__form_no_memory(form);
    if (!sw__base64_read(node->text, room, node->text.len, &size))
        return sw__form_fail(form, node, "this is not base64");
    *out = (sw_str){(const char *)room, size};
    return SW_OK;
}

/* Text, or null for the absent string. */
sw_str sw__form_str(const sw__node *node)
{
    return node->kind == SW__NODE_STR ? node->text : (sw_str){NULL, 0};
}

int sw__form_hash(const sw__form *form, const sw__node *node, uint8_t hash[32])
{
    sw_str bytes;
    int rc = sw__form_base64(form, node, &bytes);
    if (rc == SW_OK && bytes.len != 32)
        rc = sw__form_fail(form, node, "a hash has 32 bytes, not %zu", bytes.len);
    if (rc == SW_OK)
        memcpy(hash, bytes.ptr, 32);
    return rc;
}

/* Lower case only: there is one way to write a digest. */
int sw__form_hex(const sw__form *form, const sw__node *node, uint8_t out[32])
{
    char again[65];
    bool good = node->text.len == 64;
    for (size_t i = 0; good && i < 32; i++) {
        int high = sw__hex_digit(node->text.ptr[2 * i]);
        int low = sw__hex_digit(node->text.ptr[2 * i + 1]);
        good = high >= 0 && low >= 0;
        out[i] = (uint8_t)(good ? high * 16 + low : 0);
    }
    if (good)
        sw__hash_hex(out, again);
    return good && sw__str_is(node->text, again)
               ? SW_OK
               : sw__form_fail(form, node, "expected 64 hex digits in lower case");
}

/* A name by one of the sw_*_find functions. */
int sw__form_state(const sw__form *form, const sw__node *node, int (*find)(sw_str name),
                   int32_t *out)
{
    *out = find(node->text);
    return *out >= 0 ? SW_OK
                     : sw__form_fail(form, node, "there is no state \"%.*s\"", SW__FMT(node->text));
}

/* A list of names, as the canonical text that the store keeps. */
int sw__form_names(const sw__form *form, const sw__node *list, sw_str *out)
{
    sw__buf text;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind != SW__NODE_STR || list->items[i]->text.len > SW__TEXT_MAX)
            return sw__form_fail(form, list->items[i], "expected a name");
    }
    sw__buf_init(&text, sw__arena_env(form->arena));
    sw__node_put_json(&text, list);
    *out = text.failed ? (sw_str){NULL, 0} : sw__arena_str(form->arena, sw__buf_str(&text));
    sw__buf_free(&text);
    return out->ptr ? SW_OK : sw__form_no_memory(form);
}
