/* The parent of a task in its tag, and the tags that a filter asks for. Not here: how a list finds
 * them (sqlite_list.c, memory_task.c).
 */
#include "store/parent.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

bool sw__parent_given(const sw_uuid *parent_id)
{
    static const sw_uuid none;
    return memcmp(parent_id, &none, sizeof(none)) != 0;
}

void sw__parent_tag(const sw_uuid *parent_id, char text[SW__PARENT_TAG_SIZE])
{
    memcpy(text, SW_PARENT_TAG, sizeof(SW_PARENT_TAG) - 1);
    sw_uuid_format(parent_id, text + sizeof(SW_PARENT_TAG) - 1);
}

bool sw__parent_is_tag(sw_str tag)
{
    return tag.len >= sizeof(SW_PARENT_TAG) - 1 &&
           memcmp(tag.ptr, SW_PARENT_TAG, sizeof(SW_PARENT_TAG) - 1) == 0;
}

bool sw__parent_read(sw_str tag, sw_uuid *parent_id)
{
    char text[SW__PARENT_TAG_SIZE];
    size_t prefix = sizeof(SW_PARENT_TAG) - 1;
    sw_uuid read = {{0}};
    if (!sw__parent_is_tag(tag))
        return false;
    if (sw_uuid_parse((sw_str){tag.ptr + prefix, tag.len - prefix}, &read) < 0)
        return false;
    /* Great letters would be another tag, which no filter finds. */
    sw__parent_tag(&read, text);
    if (!sw__parent_given(&read) || !sw__str_equal(tag, sw__str(text)))
        return false;
    *parent_id = read;
    return true;
}

bool sw__filter_tagged(const sw_task_filter *filter)
{
    return filter->tag.ptr || sw__parent_given(&filter->parent_id);
}

void sw__needles_init(sw__needles *needles, const sw_env *env, const sw_task_filter *filter)
{
    char text[SW__PARENT_TAG_SIZE];
    needles->count = 0;
    for (size_t i = 0; i < 2; i++)
        sw__buf_init(&needles->texts[i], env);
    if (sw__parent_given(&filter->parent_id)) {
        sw__parent_tag(&filter->parent_id, text);
        sw__json_put_str(&needles->texts[needles->count++], sw__str(text));
    }
    if (filter->tag.ptr)
        sw__json_put_str(&needles->texts[needles->count++], filter->tag);
}

void sw__needles_free(sw__needles *needles)
{
    for (size_t i = 0; i < 2; i++)
        sw__buf_free(&needles->texts[i]);
}

bool sw__needles_failed(const sw__needles *needles)
{
    return needles->texts[0].failed || needles->texts[1].failed;
}

sw_str sw__needle(const sw__needles *needles, size_t at)
{
    return at < needles->count ? sw__buf_str(&needles->texts[at]) : (sw_str){0};
}
