/* The parent that a submitted row names. Not here: the form of its tag (store/parent.h). */
#include "engine/parent.h"

#include <string.h>

#include "base/limits.h"
#include "base/plant.h"
#include "engine/check.h"
#include "store/parent.h"

/* Take up the parent that one tag says. */
static int parent_take(sw__parent *parent, sw_str tag, size_t index, sw_error *err)
{
    sw_uuid read;
    if (!sw__parent_read(tag, &read))
        return sw__fail_row(err, SW_EINVAL, index,
                            "the tag '%.*s' must name a task by its id in small letters",
                            SW__FMT(tag));
    if (sw__parent_given(&parent->id) && memcmp(&parent->id, &read, sizeof(read)) != 0)
        return sw__fail_row(err, SW_EINVAL, index, "two parents are given; keep one");
    parent->id = read;
    parent->tagged = true;
    return SW_OK;
}

int sw__parent_of_row(const sw_task_submit_row *row, size_t index, sw__parent *out, sw_error *err)
{
    int rc = SW_OK;
    *out = (sw__parent){.id = row->parent_id};
    for (size_t i = 0; rc == SW_OK && i < row->tag_count; i++) {
        if (sw__parent_is_tag(row->tags[i]))
            rc = parent_take(out, row->tags[i], index, err);
    }
    if (rc == SW_OK && sw__parent_given(&out->id) && !out->tagged && row->tag_count >= SW__TAGS_MAX)
        rc =
            sw__fail_row(err, SW_ELIMIT, index,
                         "a task has at most %d tags, and its parent is one of them", SW__TAGS_MAX);
    return rc;
}

int sw__parent_find(sw_engine *engine, const sw_uuid *parent_id, size_t index, sw_error *err)
{
    char text[37];
    int64_t task_no = 0;
    int rc = engine->store->ops->tasks_find(engine->store, parent_id, 1, &task_no, err);
    if (rc < 0 || task_no > 0 || SW__PLANT(PARENT_UNKNOWN))
        return rc;
    sw_uuid_format(parent_id, text);
    return sw__fail_row(err, SW_ENOTFOUND, index, "there is no task %s to be the parent", text);
}

sw_uuid sw__parent_of_tags(const sw_str *tags, size_t count)
{
    sw_uuid parent = {{0}};
    for (size_t i = 0; i < count && !sw__parent_read(tags[i], &parent); i++)
        continue;
    return parent;
}
