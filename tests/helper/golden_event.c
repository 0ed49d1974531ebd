/* The golden player's operations on events: appending, and reading what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/golden.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 16

static sw_event_row row_read(golden *player, const json_t *row, char **text)
{
    const char *task = json_string_value(json_object_get(row, "task"));
    const json_t *data = json_object_get(row, "data");
    *text = data ? json_dumps(data, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    return (sw_event_row){
        .task_id = golden_task_find(player, task ? task : "t1")->id,
        .type = golden_str(json_string_value(json_object_get(row, "type"))),
        .key = golden_str(json_string_value(json_object_get(row, "key"))),
        .data = golden_str(*text),
        .expected_version = json_integer_value(json_object_get(row, "expected_version")),
    };
}

static void appended_compare(golden *player, const json_t *operation, const sw_result *result)
{
    size_t count = 0;
    const sw_event_appended *rows = sw_events_appended(result, &count);
    json_t *statuses = json_array();
    json_t *versions = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(statuses, json_string(sw_append_status_name(rows[i].status)));
        json_array_append_new(versions, json_integer(rows[i].version));
    }
    golden_compare(player, "statuses", json_object_get(operation, "statuses"), statuses);
    golden_compare(player, "versions", json_object_get(operation, "versions"), versions);
}

void golden_append(golden *player, const json_t *operation, const json_t *append)
{
    sw_event_row rows[ROWS_MAX];
    char *texts[ROWS_MAX];
    size_t index;
    json_t *row;
    sw_result *result = NULL;
    size_t count = json_array_size(append);
    const char *mode = json_string_value(json_object_get(operation, "mode"));
    assert_true(count <= ROWS_MAX);
    json_array_foreach(append, index, row)
    {
        rows[index] = row_read(player, row, &texts[index]);
    }
    int code =
        sw_event_append(player->engine, rows, count,
                        mode ? sw_batch_mode_find(golden_str(mode)) : 0, &result, &player->err);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    if (golden_answered(player, operation, code))
        appended_compare(player, operation, result);
    sw_result_free(result);
}

void golden_events(golden *player, const json_t *operation, const json_t *which)
{
    sw_str types[ROWS_MAX];
    size_t index, count = 0;
    json_t *type;
    json_t *found = json_array();
    sw_result *result = NULL;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    const char *task = json_string_value(json_object_get(operation, "task"));
    if (task)
        filter.task_id = golden_task_find(player, task)->id;
    json_array_foreach(json_object_get(which, "types"), index, type)
    {
        types[filter.type_count++] = golden_str(json_string_value(type));
    }
    filter.types = types;
    filter.after = json_integer_value(json_object_get(which, "after"));
    filter.newest_first = json_is_true(json_object_get(which, "newest_first"));
    int code = sw_event_list(player->engine, &filter, &result, &player->err);
    const sw_event *rows = result ? sw_events(result, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(found,
                              json_sprintf("%lld %.*s%s%.*s", (long long)rows[i].entry.entry_no,
                                           (int)rows[i].type.len, rows[i].type.ptr,
                                           rows[i].data.ptr ? " " : "", (int)rows[i].data.len,
                                           rows[i].data.ptr ? rows[i].data.ptr : ""));
    if (golden_answered(player, operation, code))
        golden_compare(player, "found", json_object_get(operation, "found"), found);
    else
        json_decref(found);
    sw_result_free(result);
}
