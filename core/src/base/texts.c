/* Writing and reading lists of texts; see texts.h.
 *
 * Every task that is listed has its tags, every worker its handlers, and almost all of them are
 * plain ASCII as sw__texts_write wrote them: those are cut where they stand. Whatever else is in
 * the file takes the way of every document (node.c).
 */
#include "base/texts.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/node.h"

sw_str sw__texts_write(sw__arena *arena, const sw_str *texts, size_t count)
{
    sw__buf text;
    sw__buf_init(&text, sw__arena_env(arena));
    sw__buf_put_byte(&text, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sw__buf_put_byte(&text, ',');
        sw__json_put_str(&text, texts[i]);
    }
    sw__buf_put_byte(&text, ']');
    sw_str copy = text.failed ? (sw_str){0} : sw__arena_str(arena, sw__buf_str(&text));
    sw__buf_free(&text);
    return copy;
}

/* Where the quote is that ends the text beginning at `at`; the end of the list when something in it
 * has to be read with more care. */
static size_t texts_plain_end(sw_str json, size_t at)
{
    while (at < json.len && json.ptr[at] >= ' ' && json.ptr[at] <= '~' && json.ptr[at] != '"' &&
           json.ptr[at] != '\\')
        at++;
    return at < json.len && json.ptr[at] == '"' ? at : json.len;
}

/* How many texts a list of plain ones has without a space between them; 0 for any other list. */
static size_t texts_count_plain(sw_str json)
{
    size_t at = 0;
    for (size_t count = 1; json.len - at >= 4 && json.ptr[at] == (count > 1 ? ',' : '['); count++) {
        if (json.ptr[at + 1] != '"')
            return 0;
        at = texts_plain_end(json, at + 2) + 1;
        if (at + 1 == json.len && json.ptr[at] == ']')
            return count;
        if (at >= json.len)
            return 0;
    }
    return 0;
}

static int texts_cut(sw__arena *arena, sw_str json, sw_str *texts, size_t count, sw_error *err)
{
    char *at = sw__arena_alloc(arena, json.len);
    if (!at || !texts)
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(at, json.ptr, json.len);
    for (size_t i = 0; i < count; i++) {
        char *start = at + 2;
        at = strchr(start, '"');
        texts[i] = (sw_str){start, (size_t)(at - start)};
        *at++ = '\0';
    }
    return SW_OK;
}

int sw__texts_read(sw__arena *arena, sw_str json, sw_str **texts, size_t *count, sw_error *err)
{
    sw__node *list = NULL;
    *count = texts_count_plain(json);
    if (*count > 0) {
        *texts = sw__arena_array(arena, *count, sizeof **texts);
        return texts_cut(arena, json, *texts, *count, err);
    }
    int rc = sw__node_load(arena, SW_FORMAT_JSON, (sw_str){0}, json, &list, err);
    if (rc == SW_ENOMEM)
        return rc;
    if (rc < 0 || list->kind != SW__NODE_LIST)
        return sw__fail(err, SW_ECORRUPT, "a stored list of names is damaged");
    *texts = sw__arena_array(arena, list->count, sizeof **texts);
    if (!*texts)
        return sw__fail(err, SW_ENOMEM, NULL);
    *count = list->count;
    for (size_t i = 0; i < *count; i++)
        (*texts)[i] = list->items[i]->text;
    return SW_OK;
}
