/* Numbering, tags and limits, the same for every store. */
#include "store/shared.h"

#include <string.h>

#include "base/str.h"

/* The number of a task has to leave room for that of a step behind it. */
#define SHARED_NUMBER_MAX (INT64_MAX >> SW__STEP_BITS)

int64_t sw__sequence_start(sw__sequence sequence)
{
    return sequence == SW__SEQUENCE_LANE ? SW__LANE_FIRST : 1;
}

int sw__sequence_advance(int64_t *next, int64_t count, sw_error *err)
{
    if (*next < 1)
        return sw__fail(err, SW_ECORRUPT, "the counters of the store are damaged");
    if (count < 0 || __builtin_add_overflow(*next, count, next) || *next > SHARED_NUMBER_MAX)
        return sw__fail(err, SW_ELIMIT, "no numbers are left in this store");
    return SW_OK;
}

/* The offset behind the string that starts at `at`, with its quotes; len when it does not end. */
static size_t tag_end(sw_str tags, size_t at)
{
    for (at++; at < tags.len && tags.ptr[at] != '"'; at++) {
        if (tags.ptr[at] == '\\')
            at++;
    }
    return at < tags.len ? at + 1 : tags.len;
}

bool sw__tags_next(sw_str tags, size_t *at, sw_str *tag)
{
    while (*at < tags.len && tags.ptr[*at] != '"')
        ++*at;
    if (*at >= tags.len)
        return false;
    size_t end = tag_end(tags, *at);
    *tag = (sw_str){tags.ptr + *at, end - *at};
    *at = end;
    return true;
}

bool sw__tags_hold(sw_str tags, sw_str needle)
{
    size_t at = 0;
    sw_str tag;
    while (sw__tags_next(tags, &at, &tag)) {
        if (sw__str_equal(tag, needle))
            return true;
    }
    return false;
}

void sw__key_scope(sw__buf *buf, sw_str workflow, sw_str key)
{
    sw__buf_put_str(buf, workflow);
    sw__buf_put_byte(buf, 0);
    sw__buf_put_str(buf, key);
}

int64_t sw__filter_limit(const sw_task_filter *filter)
{
    if (filter->limit <= 0)
        return 100;
    return filter->limit < 10000 ? filter->limit : 10000;
}

int sw__rows_finish(sw__buf *collected, size_t size, int rc, sw__arena *arena, void **rows,
                    size_t *count, sw_error *err)
{
    if (rc == SW_OK) {
        *count = collected->len / size;
        *rows = sw__arena_array(arena, *count, size);
        if (collected->failed || sw__arena_failed(arena))
            rc = sw__fail(err, SW_ENOMEM, NULL);
        else if (*count > 0)
            memcpy(*rows, collected->ptr, collected->len);
    }
    if (rc < 0) {
        *count = 0;
        *rows = NULL;
    }
    sw__buf_free(collected);
    return rc;
}

#undef SHARED_NUMBER_MAX

const uint8_t sw__salt_erased[32] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

bool sw__task_erased(const sw__task_info *info)
{
    return memcmp(info->input_salt, sw__salt_erased, sizeof(info->input_salt)) == 0;
}
