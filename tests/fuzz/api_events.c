/* Calls of the event store: appending, listing, tasks as they were, projections; see api_run.h. */
#include "fuzz/api_run.h"

#include <string.h>

#include "base/str.h"

static sw_str pick_type(fuzz_bytes *bytes)
{
    static const char *const types[] = {"note", "order.paid", "task.completed", "not a type"};
    size_t which = fuzz_pick(bytes, 6);
    return which < sizeof(types) / sizeof(types[0]) ? sw__str(types[which]) : sw__str("note");
}

/* Near a number, now and then far from it. */
static int64_t pick_near(fuzz_bytes *bytes, int64_t number)
{
    return (int64_t)((uint64_t)number + (uint64_t)pick_number(bytes));
}

static void pick_event(call_run *run, sw_event_row *row)
{
    fuzz_bytes *bytes = &run->bytes;
    *row = (sw_event_row){.task_id = pick_task(run), .type = pick_type(bytes)};
    row->data = pick_json(bytes);
    row->key = fuzz_pick(bytes, 2) ? (sw_str){0} : pick_name(bytes);
    row->correlation_id = pick_text(bytes);
    row->step = fuzz_pick(bytes, 4) ? (sw_str){0} : pick_name(bytes);
    row->actor = pick_text(bytes);
    row->reason = pick_text(bytes);
    row->expected_version = fuzz_pick(bytes, 3) ? 0 : pick_near(bytes, run->version);
}

/* Positions ascend over all calls, and a refused row says why. */
static void appended_note(call_run *run, const sw_result *result, size_t row_count, int mode)
{
    size_t count = 0;
    const sw_event_appended *rows = sw_events_appended(result, &count);
    fuzz_require(count == row_count, "%zu answers to %zu rows", count, row_count);
    for (size_t i = 0; i < count; i++) {
        bool refused = rows[i].status == SW_APPEND_REFUSED;
        fuzz_require(refused == (rows[i].code != 0), "a row is refused without a reason");
        fuzz_require(!refused || mode == SW_BATCH_PARTIAL, "a row of a whole batch is refused");
        fuzz_require(refused == (rows[i].position == 0), "a position, or none");
        fuzz_require(refused || rows[i].version >= rows[i].position, "a version of before");
        fuzz_check_text(rows[i].message);
        if (rows[i].status != SW_APPEND_APPENDED)
            continue;
        fuzz_require(rows[i].position > run->version, "a position twice");
        run->version = rows[i].position;
    }
}

void call_append(call_run *run)
{
    sw_result *result = NULL;
    sw_event_row rows[ROWS_MAX];
    size_t count = fuzz_pick(&run->bytes, ROWS_MAX + 1);
    int mode = (int)fuzz_pick(&run->bytes, SW_BATCH_MODE_COUNT + 1);
    for (size_t i = 0; i < count; i++)
        pick_event(run, &rows[i]);
    int rc = sw_event_append(run->engine, rows, count, mode, &result, &run->err);
    call_check_or(run, rc, SW_EOUTDATED, result);
    if (rc == SW_OK)
        appended_note(run, result, count, mode);
    sw_result_free(result);
}

static void events_check(const sw_event_filter *filter, const sw_result *result)
{
    size_t count = 0;
    size_t most = filter->limit ? (size_t)filter->limit : 100;
    const sw_event *rows = sw_events(result, &count);
    fuzz_require(count <= most, "%zu events", count);
    for (size_t i = 0; i < count; i++) {
        int64_t number = rows[i].entry.entry_no;
        fuzz_require(number > filter->after && (!filter->before || number < filter->before),
                     "an event beyond its bounds");
        fuzz_require(i == 0 || (number > rows[i - 1].entry.entry_no) == (filter->newest_first == 0),
                     "events in another order");
        fuzz_check_text(rows[i].type);
        fuzz_check_text(rows[i].data);
        fuzz_check_text(rows[i].key);
        fuzz_check_text(rows[i].correlation_id);
    }
}

void call_events(call_run *run)
{
    sw_str types[2];
    sw_result *result = NULL;
    int64_t newest = 0;
    fuzz_bytes *bytes = &run->bytes;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.newest_first = (int32_t)fuzz_pick(bytes, 2);
    filter.types = types;
    filter.type_count = fuzz_pick(bytes, 3);
    for (size_t i = 0; i < filter.type_count; i++)
        types[i] = pick_type(bytes);
    filter.correlation_id = pick_text(bytes);
    if (fuzz_pick(bytes, 2))
        filter.task_id = pick_task(run);
    filter.after = pick_number(bytes);
    filter.before = pick_number(bytes);
    filter.after_us = pick_number(bytes);
    filter.before_us = pick_number(bytes);
    filter.limit = pick_number(bytes);
    int rc = sw_event_list(run->engine, &filter, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK)
        events_check(&filter, result);
    sw_result_free(result);
    call_check(run, sw_event_wait(run->engine, 0, 0, &newest, &run->err), NULL);
    fuzz_require(newest >= run->version, "an event that nobody has heard of");
}

/* Every step is counted. */
void call_past(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    int64_t found[SW_STEP_STATE_COUNT] = {0};
    sw_uuid task = pick_task(run);
    int64_t until = pick_number(&run->bytes);
    int rc = sw_event_replay(run->engine, &task, until, &result, &run->err);
    call_check(run, rc, result);
    const sw_task_past *row = sw_tasks_past(result, &count);
    const sw_step_past *steps = sw_steps_past(result, &count);
    for (size_t i = 0; i < count; i++)
        found[steps[i].state]++;
    fuzz_require(rc < 0 || memcmp(found, row->step_counts, sizeof(found)) == 0, "other counts");
    fuzz_require(rc < 0 || until == 0 || row->position <= until, "a later time");
    sw_result_free(result);
}

/* What was saved is there when the projection is opened again, with the epoch that it had. */
void call_projection(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    fuzz_bytes *bytes = &run->bytes;
    sw_str name = pick_name(bytes);
    sw_str version = pick_text(bytes);
    int rc = sw_projection_open(run->engine, name, version, &result, &run->err);
    call_check(run, rc, result);
    if (rc < 0)
        return;
    sw_projection row = *sw_projections(result, &count);
    int64_t from = pick_near(bytes, row.position);
    row.position = pick_near(bytes, from);
    row.state = pick_json(bytes);
    row.epoch += fuzz_pick(bytes, 8) == 7;
    rc = sw_projection_save(run->engine, &row, from, &run->err);
    call_check_or(run, rc, SW_EOUTDATED, NULL);
    sw_result_free(result);
    result = NULL;
    call_check(run, sw_projection_list(run->engine, &result, &run->err), result);
    const sw_projection *all = sw_projections(result, &count);
    fuzz_require(count > 0, "it was opened, and is not there");
    for (size_t i = 0; i < count; i++)
        fuzz_check_text(all[i].state);
    sw_result_free(result);
    if (fuzz_pick(bytes, 4) == 3)
        call_check(run, sw_projection_delete(run->engine, name, &run->err), NULL);
}
