/* The golden player's lists of tasks. Not here: the other operations (golden.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/golden.h"

sw_uuid golden_parent(golden *player, const json_t *operation)
{
    const char *name = json_string_value(json_object_get(operation, "parent"));
    return name ? golden_task_find(player, name)->id : (sw_uuid){{0}};
}

size_t golden_tags(const json_t *operation, sw_str tags[GOLDEN_NAMES_MAX])
{
    const json_t *names = json_object_get(operation, "tags");
    size_t index;
    json_t *name;
    assert_true(json_array_size(names) <= GOLDEN_NAMES_MAX);
    json_array_foreach(names, index, name)
    {
        tags[index] = golden_str(json_string_value(name));
    }
    return json_array_size(names);
}

/* As many as sw_task_count says, whatever their states are. */
static void count_compare(golden *player, const sw_task_filter *filter, size_t expected)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    int64_t total = 0;
    if (sw_task_count(player->engine, filter, counts, &player->err) < 0)
        golden_fail(player, "%s", player->err.message);
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
        total += counts[state];
    if (total != (int64_t)expected)
        golden_fail(player, "the count is %lld", (long long)total);
}

void golden_list(golden *player, const json_t *operation, const json_t *which)
{
    size_t count = 0;
    json_t *found = json_array();
    sw_result *result = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    const char *before = json_string_value(json_object_get(which, "before"));
    filter.parent_id = golden_parent(player, which);
    filter.tag = golden_str(json_string_value(json_object_get(which, "tag")));
    filter.limit = json_integer_value(json_object_get(which, "limit"));
    if (before)
        filter.before = golden_task_find(player, before)->id;
    int code = sw_task_list(player->engine, &filter, &result, &player->err);
    const sw_task_row *rows = result ? sw_tasks(result, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(found, json_string(golden_task_name(player, &rows[i].task_id)));
    if (!golden_answered(player, operation, code)) {
        json_decref(found);
    } else {
        golden_compare(player, "found", json_object_get(operation, "found"), found);
        if (!before && !filter.limit)
            count_compare(player, &filter, count);
    }
    sw_result_free(result);
}
