/* The scripts. Numbers are fixed: store_fill leaves 2 workflows, 3 lanes, 3 tasks of 4 steps, 2
 * workers and 3 segments. */
#include "helper/store_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static int script_numbers(store_rig *rig, int64_t time_us)
{
    sw__anchor anchor = {.boot_us = time_us, .base_us = time_us};
    int64_t first = 0;
    int rc = rig->store->ops->anchor_put(rig->store, &anchor, &rig->err);
    for (int i = 0; rc == SW_OK && i < SW__SEQUENCE_COUNT; i++)
        rc = rig->store->ops->sequence_take(rig->store, (sw__sequence)i, 3, &first, &rig->err);
    return rc;
}

static int script_definitions(store_rig *rig, int64_t number, int64_t time_us)
{
    sw__workflow_rec workflow = {
        .workflow_no = number,
        .name = SW__LIT("order"),
        .version = sw__arena_format(rig->arena, "%lld", (long long)number),
        .digest = {(uint8_t)number},
        .json = SW__LIT("{\"stepwell\":1,\"name\":\"order\"}"),
        .registered_us = time_us,
    };
    sw__lane_row lane = {
        .lane = number + 1,
        .queue = SW__LIT("default"),
        .handler = sw__arena_format(rig->arena, "order.%lld", (long long)number),
    };
    sw__breaker_rec breaker = {.breaker_no = number};
    breaker.row.settings.name = lane.handler;
    if (sw__arena_failed(rig->arena))
        return SW_ENOMEM;
    int rc = rig->store->ops->workflows_put(rig->store, &workflow, 1, &rig->err);
    if (rc == SW_OK)
        rc = rig->store->ops->lanes_put(rig->store, &lane, 1, &rig->err);
    if (rc == SW_OK)
        rc = rig->store->ops->breakers_put(rig->store, &breaker, 1, &rig->err);
    return rc;
}

static int script_task(store_rig *rig, int64_t task_no)
{
    sw__task_hot hot = {.task_no = task_no, .task_id = store_uuid(task_no), .workflow_no = 1};
    sw__task_info info = {.task_no = task_no,
                          .input = SW__LIT("{\"n\":1}"),
                          .key = SW__LIT("k"),
                          .initiator = SW__LIT("ann"),
                          .reason = SW__LIT("because"),
                          .correlation_id = SW__LIT("c-1"),
                          .tags = SW__LIT("[\"red\"]")};
    char scope[] = {'k', 'e', 'y', (char)('0' + task_no % 10), '\0'};
    sw__task_key key = {.scope = sw__str(scope), .task_no = task_no};
    sw__step_hot steps[4];
    for (int i = 0; i < 4; i++)
        steps[i] = (sw__step_hot){
            .step_id = SW__STEP_ID(task_no, i), .lane = i % 2 ? 0 : 2 + i % 3, .rank = -i};
    int rc = rig->store->ops->tasks_insert(rig->store, &hot, &info, 1, &rig->err);
    if (rc == SW_OK)
        rc = rig->store->ops->task_keys_put(rig->store, &key, 1, &rig->err);
    if (rc == SW_OK)
        rc = rig->store->ops->steps_insert(rig->store, steps, 4, &rig->err);
    return rc;
}

static int script_payloads(store_rig *rig, int64_t task_no, int64_t epoch)
{
    sw__payload result = {.step_id = SW__STEP_ID(task_no, 0), .body = SW__LIT("{\"ok\":true}")};
    sw__failure failure = {.step_id = SW__STEP_ID(task_no, 1),
                           .epoch = epoch,
                           .error_class = SW__LIT("Error"),
                           .message = SW__LIT("it failed"),
                           .detail = SW__LIT("line 1\nline 2")};
    int rc = rig->store->ops->results_put(rig->store, &result, 1, &rig->err);
    if (rc == SW_OK)
        rc = rig->store->ops->failures_put(rig->store, &failure, 1, &rig->err);
    return rc;
}

static int script_deadlines(store_rig *rig, int64_t task_no, int64_t due_us)
{
    const sw__deadline rows[] = {{SW__STEP_ID(task_no, 0), due_us},
                                 {SW__STEP_ID(task_no, 1), due_us},
                                 {SW__DEADLINE_TASK(task_no), due_us + 1},
                                 {SW__STEP_ID(task_no, 1), 0}};
    return rig->store->ops->deadlines_put(rig->store, rows, 4, &rig->err);
}

static int script_worker(store_rig *rig, int64_t worker_no)
{
    sw__worker_rec row = {.worker_no = worker_no,
                          .name = SW__LIT("w"),
                          .host = SW__LIT("h"),
                          .handlers = SW__LIT("[\"order.1\"]"),
                          .queues = SW__LIT("[]")};
    return rig->store->ops->worker_put(rig->store, &row, &rig->err);
}

static int script_segment(store_rig *rig, int64_t segment_no)
{
    sw__segment row = {.segment_no = segment_no,
                       .entry_first = segment_no * 3 - 2,
                       .entry_count = 3,
                       .hash = {(uint8_t)segment_no},
                       .body = SW__LIT("entries")};
    return rig->store->ops->segment_put(rig->store, &row, &rig->err);
}

static int script_fill(store_rig *rig)
{
    int rc = script_numbers(rig, 1000);
    for (int64_t i = 1; rc == SW_OK && i <= 2; i++)
        rc = script_definitions(rig, i, i);
    for (int64_t i = 1; rc == SW_OK && i <= 3; i++)
        rc = script_task(rig, i);
    for (int64_t i = 1; rc == SW_OK && i <= 2; i++)
        rc = script_payloads(rig, i, i);
    for (int64_t i = 1; rc == SW_OK && i <= 3; i++)
        rc = script_deadlines(rig, i, 100 - i);
    for (int64_t i = 1; rc == SW_OK && i <= 2; i++)
        rc = script_worker(rig, i);
    for (int64_t i = 1; rc == SW_OK && i <= 3; i++)
        rc = script_segment(rig, i);
    return rc;
}

void store_fill(store_rig *rig)
{
    store_begin(rig, true);
    assert_int_equal(script_fill(rig), SW_OK);
    store_commit(rig);
}

static int script_change_task(store_rig *rig, int64_t task_no)
{
    sw__task_hot row = {.task_no = task_no, .workflow_no = 1, .state = SW_TASK_RUNNING};
    sw__step_hot steps[3];
    for (int i = 0; i < 3; i++)
        steps[i] = (sw__step_hot){
            .step_id = SW__STEP_ID(task_no, i), .epoch = 7, .lane = i - 1, .rank = 10 - i};
    int rc = rig->store->ops->tasks_update(rig->store, &row, 1, &rig->err);
    if (rc == SW_OK)
        rc = rig->store->ops->steps_update(rig->store, steps, 3, &rig->err);
    return rc;
}

/* A large result of the task first, so that there is something to give up. */
static int script_delete(store_rig *rig, int64_t task_no)
{
    static char text[5000];
    const sw__store_ops *ops = rig->store->ops;
    sw__payload large[] = {{.step_id = SW__STEP_ID(task_no - 1, 2), .body = {text, sizeof(text)}},
                           {.step_id = SW__STEP_ID(task_no, 2), .body = {text, sizeof(text)}}};
    bool left = true;
    int64_t bytes = 0;
    memset(text, 'x', sizeof(text));
    int rc = ops->results_put(rig->store, large, 2, &rig->err);
    if (rc == SW_OK)
        rc = ops->results_put(rig->store, large, 1, &rig->err);
    if (rc == SW_OK)
        rc = ops->tasks_delete(rig->store, &task_no, 1, &rig->err);
    while (rc == SW_OK && left)
        rc = ops->rests_delete(rig->store, 3, &left, &rig->err);
    return rc == SW_OK ? ops->shrink(rig->store, &bytes, &rig->err) : rc;
}

int store_write_all(store_rig *rig)
{
    const sw__store_ops *ops = rig->store->ops;
    int rc = script_numbers(rig, 2000);
    if (rc == SW_OK)
        rc = script_definitions(rig, 3, 5);
    if (rc == SW_OK)
        rc = script_task(rig, 4);
    for (int64_t i = 1; rc == SW_OK && i <= 4; i++)
        rc = script_change_task(rig, i);
    for (int64_t i = 1; rc == SW_OK && i <= 4; i++)
        rc = script_payloads(rig, i, 2);
    for (int64_t i = 2; rc == SW_OK && i <= 4; i++)
        rc = script_deadlines(rig, i, 100 + i);
    for (int64_t i = 2; rc == SW_OK && i <= 3; i++)
        rc = script_worker(rig, i);
    if (rc == SW_OK)
        rc = ops->worker_renew(rig->store, 3, 5000, &rig->err);
    if (rc == SW_OK)
        rc = ops->worker_delete(rig->store, 1, &rig->err);
    if (rc == SW_OK)
        rc = ops->worker_delete(rig->store, 3, &rig->err);
    if (rc == SW_OK)
        rc = script_segment(rig, 4);
    return rc == SW_OK ? script_delete(rig, 3) : rc;
}

int store_write_through(store_rig *rig)
{
    int rc = rig->store->ops->begin(rig->store, true, &rig->err);
    if (rc < 0)
        return rc;
    rc = store_write_all(rig);
    if (rc == SW_OK)
        return rig->store->ops->commit(rig->store, &rig->err);
    rig->store->ops->rollback(rig->store);
    return rc;
}

/* Reading. */

/* A walk along the steps that reads something else for each. */
static int script_visit_step(void *context, const sw__step_hot *row, sw_error *err)
{
    sw__payload result;
    store_rig *rig = context;
    return rig->store->ops->results_get(rig->store, &row->step_id, 1, rig->arena, &result, err);
}

/* More ranges than a page of them has. */
static int script_read_results(store_rig *rig)
{
    int64_t ids[40];
    sw__payload results[40];
    for (int i = 0; i < 40; i++)
        ids[i] = SW__STEP_ID(1 + i / 2, i % 2 * 2);
    return rig->store->ops->results_get(rig->store, ids, 40, rig->arena, results, &rig->err);
}

static int script_ignore_segment(void *context, const sw__segment *segment, sw_error *err)
{
    (void)context;
    (void)segment;
    (void)err;
    return 0;
}

static int script_read_definitions(store_rig *rig)
{
    const sw__store_ops *ops = rig->store->ops;
    const sw_str name = SW__LIT("order");
    const sw_str any = {NULL, 0};
    const uint8_t digest[32] = {1};
    sw__anchor anchor;
    sw__workflow_rec workflow;
    sw__lane_row *lanes = NULL;
    sw__breaker_rec *breakers = NULL;
    size_t count = 0;
    int rc = ops->anchor_get(rig->store, &anchor, &rig->err);
    if (rc == SW_OK)
        rc = ops->workflow_find(rig->store, 1, any, any, rig->arena, &workflow, &rig->err);
    if (rc == SW_OK)
        rc = ops->workflow_find(rig->store, 0, name, any, rig->arena, &workflow, &rig->err);
    if (rc == SW_OK)
        rc = ops->workflow_digest_find(rig->store, digest, rig->arena, &workflow, &rig->err);
    if (rc == SW_OK)
        rc = ops->lanes_list(rig->store, 0, rig->arena, &lanes, &count, &rig->err);
    if (rc == SW_OK)
        rc = ops->breakers_list(rig->store, rig->arena, &breakers, &count, &rig->err);
    return rc;
}

static int script_read_tasks(store_rig *rig)
{
    const sw__store_ops *ops = rig->store->ops;
    const int64_t task_nos[] = {1, 2, 3};
    const sw_uuid ids[] = {store_uuid(1), store_uuid(9)};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_key key = {.scope = SW__LIT("key1")};
    sw__task_hot hot[3];
    sw__task_info infos[3];
    sw__task_hot *rows = NULL;
    size_t count = 0;
    int64_t found[2];
    int64_t counts[SW_TASK_STATE_COUNT];
    filter.tag = (sw_str)SW__LIT("red");
    int rc = ops->tasks_get(rig->store, task_nos, 3, hot, &rig->err);
    if (rc == SW_OK)
        rc = ops->tasks_info(rig->store, task_nos, 3, rig->arena, infos, &rig->err);
    if (rc == SW_OK)
        rc = ops->tasks_find(rig->store, ids, 2, found, &rig->err);
    if (rc == SW_OK)
        rc = ops->task_keys_find(rig->store, &key, 1, &rig->err);
    if (rc == SW_OK)
        rc = ops->tasks_list(rig->store, &filter, (sw__task_range){0}, rig->arena, &rows, &count,
                             &rig->err);
    if (rc == SW_OK)
        rc = ops->tasks_count(rig->store, &filter, (sw__task_range){0}, counts, &rig->err);
    filter = (sw_task_filter)SW_TASK_FILTER_INIT;
    filter.workflow = (sw_str)SW__LIT("order");
    if (rc == SW_OK)
        rc = ops->tasks_list(rig->store, &filter, (sw__task_range){.rising = true}, rig->arena,
                             &rows, &count, &rig->err);
    if (rc == SW_OK)
        rc = ops->tasks_count(rig->store, &filter, (sw__task_range){0}, counts, &rig->err);
    return rc;
}

static int script_read_steps(store_rig *rig)
{
    const sw__store_ops *ops = rig->store->ops;
    const int64_t ids[] = {SW__STEP_ID(1, 0), SW__STEP_ID(1, 1)};
    sw__step_hot steps[2];
    sw__queued queued[8];
    sw__failure failures[2];
    sw__deadline deadlines[8];
    int64_t due_us[2];
    size_t count = 0;
    bool found = false;
    int rc = ops->steps_get(rig->store, ids, 2, steps, &rig->err);
    if (rc == SW_OK)
        rc = ops->rest_find(rig->store, 9, &found, &rig->err);
    if (rc == SW_OK)
        rc = ops->steps_each(rig->store, 0, script_visit_step, rig, &rig->err);
    if (rc == SW_OK)
        rc = ops->queue_scan(rig->store, 2, INT64_MAX, queued, 8, &count, &rig->err);
    if (rc == SW_OK)
        rc = ops->queue_after(rig->store, 2, (sw__queued){0, -1}, INT64_MAX, queued, 8, &count,
                              &rig->err);
    if (rc == SW_OK)
        rc = script_read_results(rig);
    if (rc == SW_OK)
        rc = ops->failures_get(rig->store, ids, 2, rig->arena, failures, &rig->err);
    if (rc == SW_OK)
        rc = ops->deadlines_get(rig->store, ids, 2, due_us, &rig->err);
    if (rc == SW_OK)
        rc = ops->deadlines_due(rig->store, INT64_MAX, deadlines, 8, &count, &rig->err);
    return rc;
}

int store_read_all(store_rig *rig)
{
    const sw__store_ops *ops = rig->store->ops;
    sw__worker_rec *workers = NULL;
    size_t count = 0;
    sw__segment segment;
    int rc = script_read_definitions(rig);
    if (rc == SW_OK)
        rc = script_read_tasks(rig);
    if (rc == SW_OK)
        rc = script_read_steps(rig);
    if (rc == SW_OK)
        rc = ops->workers_list(rig->store, rig->arena, &workers, &count, &rig->err);
    if (rc == SW_OK)
        rc = ops->segment_last(rig->store, &segment, &rig->err);
    if (rc == SW_OK)
        rc = ops->segment_get(rig->store, 2, rig->arena, &segment, &rig->err);
    if (rc == SW_OK)
        rc = ops->segments_each(rig->store, 5, script_ignore_segment, NULL, &rig->err);
    return rc;
}
