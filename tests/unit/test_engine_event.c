/* The event store: appending with versions and keys, reading every way, and what erasing and
 * pruning leave. In memory and in a file alike. Not here: what is made of events, see
 * test_engine_projection.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "engine/engine.h"
#include "helper/event_rig.h"

/* The types of what a filter finds, with blanks between them. */
static const char *types(events *e, const sw_event_filter *filter)
{
    static char text[2000];
    size_t used = 0;
    size_t count = 0;
    const sw_event *rows = events_list(e, filter, &count);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", i ? " " : "",
                                 SW__FMT(rows[i].type));
    return text;
}

static void test_an_event_is_an_entry_with_its_payload(void **state)
{
    size_t count = 0;
    events *e = *state;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    sw_event_row row = events_row(e, "order.shipped", "{\"parcel\": 7}");
    row.key = sw__str("k1");
    row.correlation_id = sw__str("c1");
    row.step = sw__str("b");
    row.actor = sw__str("ann");
    row.reason = sw__str("asked");
    int64_t position = events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_OK)->position;
    filter.after = position - 1;
    const sw_event *event = events_list(e, &filter, &count);
    assert_int_equal(count, 1);
    assert_int_equal(event->entry.entry_no, position);
    assert_int_equal(event->entry.kind, SW_AUDIT_EVENT);
    assert_true(sw__str_is(event->type, "order.shipped"));
    assert_true(sw__str_is(event->data, "{\"parcel\": 7}"));
    assert_true(sw__str_is(event->key, "k1"));
    assert_true(sw__str_is(event->correlation_id, "c1"));
    assert_true(sw__str_is(event->entry.step, "b"));
    assert_true(sw__str_is(event->entry.actor, "ann"));
    assert_true(sw__str_is(event->entry.reason, "asked"));
    assert_int_equal(event->entry.digest.len, 32);
    assert_memory_equal(&event->entry.task_id, &e->task, sizeof(e->task));
}

static void test_a_version_is_the_newest_entry_of_the_task(void **state)
{
    events *e = *state;
    int64_t first = events_append_one(e, "x", NULL);
    sw_event_row row = events_row(e, "x", "1");
    row.expected_version = first;
    const sw_event_appended *answer = events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_OK);
    int64_t second = answer->version;
    assert_int_equal(second, first + 1);
    events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_EOUTDATED);
    assert_int_equal(e->rig.error.row, 0);
    answer = events_append(e, &row, 1, SW_BATCH_PARTIAL, SW_OK);
    assert_int_equal(answer->status, SW_APPEND_REFUSED);
    assert_int_equal(answer->code, SW_EOUTDATED);
    assert_int_equal(answer->version, second);
    assert_int_equal(answer->position, 0);
    assert_true(answer->message.len > 0);
    /* A transition counts, too. */
    row.expected_version = second;
    events_work(e);
    events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_EOUTDATED);
}

/* A transition of another task does not. */
static void test_streams_are_apart(void **state)
{
    events *e = *state;
    sw_event_row row = events_row(e, "x", "1");
    row.expected_version = events_append_one(e, "x", NULL);
    rig_submit(&e->rig);
    assert_int_equal(events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_OK)->status,
                     SW_APPEND_APPENDED);
}

static void test_rows_of_a_batch_see_those_before_them(void **state)
{
    events *e = *state;
    sw_event_row rows[4] = {events_row(e, "x", "1"), events_row(e, "x", "2"),
                            events_row(e, "x", "3"), events_row(e, "x", "4")};
    rows[0].expected_version = events_append_one(e, "x", NULL);
    rows[2].expected_version = rows[0].expected_version;
    rows[3].task_id.bytes[3] ^= 1;
    const sw_event_appended *answers = events_append(e, rows, 4, SW_BATCH_PARTIAL, SW_OK);
    assert_int_equal(answers[0].status, SW_APPEND_APPENDED);
    assert_int_equal(answers[1].status, SW_APPEND_APPENDED);
    assert_int_equal(answers[2].code, SW_EOUTDATED);
    assert_int_equal(answers[2].version, answers[1].position);
    assert_int_equal(answers[3].code, SW_ENOTFOUND);
    assert_int_equal(answers[3].version, 0);
    /* All or nothing: the first two are not written, either. */
    int64_t before = events_append_one(e, "y", NULL);
    rows[0].expected_version = before;
    events_append(e, rows, 4, SW_BATCH_ALL_OR_NOTHING, SW_EOUTDATED);
    assert_int_equal(e->rig.error.row, 2);
    assert_int_equal(events_append_one(e, "y", NULL), before + 1);
}

static void test_a_key_appends_once(void **state)
{
    events *e = *state;
    sw_event_row rows[2] = {events_row(e, "x", "1"), events_row(e, "x", "1")};
    rows[0].key = rows[1].key = sw__str("once");
    const sw_event_appended *answers = events_append(e, rows, 2, SW_BATCH_ALL_OR_NOTHING, SW_OK);
    int64_t position = answers[0].position;
    assert_int_equal(answers[1].status, SW_APPEND_DUPLICATE);
    assert_int_equal(answers[1].position, position);
    events_append_one(e, "x", NULL);
    rows[0].expected_version = position - 1; /* what the first call was made with */
    answers = events_append(e, rows, 1, SW_BATCH_ALL_OR_NOTHING, SW_OK);
    assert_int_equal(answers[0].status, SW_APPEND_DUPLICATE);
    assert_int_equal(answers[0].position, position);
    assert_int_equal(answers[0].version, position + 1);
    rows[0].data = sw__str("2");
    events_append(e, rows, 1, SW_BATCH_ALL_OR_NOTHING, SW_ECONFLICT);
    rows[0].data = sw__str("1");
    rows[0].type = sw__str("z");
    events_append(e, rows, 1, SW_BATCH_ALL_OR_NOTHING, SW_ECONFLICT);
    /* Of another task it is another key. */
    rows[1].task_id = rig_submit(&e->rig);
    assert_int_equal(events_append(e, &rows[1], 1, SW_BATCH_PARTIAL, SW_OK)->status,
                     SW_APPEND_APPENDED);
}

static void test_what_cannot_be_appended_is_refused(void **state)
{
    events *e = *state;
    sw_event_row row = events_row(e, "step.completed", "1");
    events_append(e, &row, 1, SW_BATCH_PARTIAL, SW_EINVAL);
    row.type = sw__str("a b");
    events_append(e, &row, 1, SW_BATCH_PARTIAL, SW_EINVAL);
    row.type = sw__str("");
    events_append(e, &row, 1, SW_BATCH_PARTIAL, SW_EINVAL);
    row = events_row(e, "x", "{");
    events_append(e, &row, 1, SW_BATCH_PARTIAL, SW_EINVAL);
    row = events_row(e, "x", "1");
    row.expected_version = -1;
    events_append(e, &row, 1, SW_BATCH_PARTIAL, SW_EINVAL);
    row = events_row(e, "x", "1");
    row.step = sw__str("nowhere");
    events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_ESTATE);
    events_append(e, &row, 1, 9, SW_EINVAL);
    events_append(e, NULL, 1, 0, SW_EINVAL);
    assert_int_equal(sw_event_append(e->rig.engine, &row, 1, 0, NULL, &e->rig.error), SW_EINVAL);
}

static void test_transitions_have_types(void **state)
{
    size_t count = 0;
    events *e = *state;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.task_id = e->task;
    events_work(e);
    events_append_one(e, "order.closed", NULL);
    assert_string_equal(types(e, &filter),
                        "task.submitted step.started task.started step.completed step.ready "
                        "step.started step.failed task.failed order.closed");
    filter.newest_first = 1;
    filter.limit = 3;
    assert_string_equal(types(e, &filter), "order.closed task.failed step.failed");
    const sw_str wanted[] = {SW__LIT("step.completed"), SW__LIT("step.failed"),
                             SW__LIT("order.closed")};
    filter.types = wanted;
    filter.type_count = 3;
    filter.newest_first = 0;
    const sw_event *rows = events_list(e, &filter, &count);
    assert_int_equal(count, 3);
    assert_true(sw__str_is(rows[0].data, "{\"sum\":7}"));
    assert_true(
        sw__str_is(rows[1].data, "{\"class\":\"Boom\",\"message\":\"no\",\"detail\":null}"));
    assert_null(rows[2].data.ptr);
    assert_string_equal(sw_event_type_name(SW_AUDIT_STEP_CHANGED, SW_STEP_SUCCEEDED),
                        "step.completed");
    assert_string_equal(sw_event_type_name(SW_AUDIT_STEP_FENCED, 3), "step.fenced");
    assert_string_equal(sw_event_type_name(99, 0), "unknown");
}

/* Every way of reading gives what the whole log gives, cut to it. */
static void check_pages(events *e, sw_event_filter filter, const char *expected)
{
    char text[2000] = "";
    size_t used = 0;
    size_t count = 1;
    filter.limit = 2;
    while (count > 0) {
        const sw_event *rows = events_list(e, &filter, &count);
        for (size_t i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", used ? " " : "",
                                     SW__FMT(rows[i].data.ptr ? rows[i].data : rows[i].type));
        if (count > 0 && filter.newest_first)
            filter.before = rows[count - 1].entry.entry_no;
        else if (count > 0)
            filter.after = rows[count - 1].entry.entry_no;
    }
    assert_string_equal(text, expected);
}

static void test_pages_follow_each_other(void **state)
{
    events *e = *state;
    const sw_uuid first = e->task;
    const sw_str two[] = {SW__LIT("x"), SW__LIT("y")};
    for (int i = 0; i < 6; i++) {
        char data[8];
        snprintf(data, sizeof(data), "%d", i);
        if (i == 3)
            e->task = rig_submit(&e->rig);
        events_append_one(e, i % 2 ? "x" : "y", data);
    }
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.types = two;
    filter.type_count = 2;
    check_pages(e, filter, "0 1 2 3 4 5");
    filter.newest_first = 1;
    check_pages(e, filter, "5 4 3 2 1 0");
    filter.type_count = 1;
    check_pages(e, filter, "5 3 1");
    filter.task_id = first;
    check_pages(e, filter, "1");
    filter.types = NULL;
    filter.type_count = 0;
    check_pages(e, filter, "2 1 0 task.submitted");
    filter.newest_first = 0;
    check_pages(e, filter, "task.submitted 0 1 2");
    filter.task_id = (sw_uuid){{0}};
    check_pages(e, filter, "workflow.registered task.submitted 0 1 2 task.submitted 3 4 5");
    filter.newest_first = 1;
    check_pages(e, filter, "5 4 3 task.submitted 2 1 0 task.submitted workflow.registered");
}

static void test_a_correlation_id_finds_tasks_and_events(void **state)
{
    events *e = *state;
    rig *r = &e->rig;
    sw_result *result = NULL;
    const sw_uuid first = e->task;
    sw_task_submit_row task = {.workflow = SW__LIT("w"), .correlation_id = SW__LIT("c")};
    assert_int_equal(sw_task_submit(r->engine, &task, 1, &result, &r->error), SW_OK);
    e->task = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
    events_append_one(e, "x", "1");
    sw_event_row row = {.task_id = first, .type = SW__LIT("x"), .data = SW__LIT("2")};
    events_append(e, &row, 1, 0, SW_OK);
    row.data = sw__str("3");
    row.correlation_id = sw__str("c");
    events_append(e, &row, 1, 0, SW_OK);
    row.task_id = e->task;
    row.data = sw__str("4");
    events_append(e, &row, 1, 0, SW_OK);
    row.type = sw__str("y");
    row.data = sw__str("5");
    events_append(e, &row, 1, 0, SW_OK);
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.correlation_id = sw__str("c");
    check_pages(e, filter, "task.submitted 1 3 4 5");
    filter.newest_first = 1;
    check_pages(e, filter, "5 4 3 1 task.submitted");
    const sw_str wanted[] = {SW__LIT("x")};
    filter.types = wanted;
    filter.type_count = 1;
    check_pages(e, filter, "4 3 1");
    filter.task_id = first;
    check_pages(e, filter, "3");
    filter.correlation_id = sw__str("d");
    check_pages(e, filter, "");
}

static void test_times_bound_what_is_read(void **state)
{
    size_t count = 0;
    events *e = *state;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    int64_t times[3];
    for (int i = 0; i < 3; i++) {
        const char *const data[] = {"0", "1", "2"};
        fault_env_advance(&e->rig.fault, 1000000);
        filter.after = events_append_one(e, "x", data[i]) - 1;
        times[i] = events_list(e, &filter, &count)->entry.time_us;
    }
    filter.after = 0;
    filter.after_us = times[1];
    check_pages(e, filter, "1 2");
    filter.before_us = times[2];
    check_pages(e, filter, "1");
    filter.newest_first = 1;
    check_pages(e, filter, "1");
    filter.after_us = times[2] + 1;
    filter.before_us = 0;
    check_pages(e, filter, "");
    filter.after_us = 0;
    filter.before_us = times[0] + 1;
    check_pages(e, filter, "0 task.submitted workflow.registered");
}

static void test_a_filter_is_checked(void **state)
{
    events *e = *state;
    sw_result *result = NULL;
    sw_engine *engine = e->rig.engine;
    sw_event_filter filter = {0};
    assert_int_equal(sw_event_list(engine, &filter, &result, NULL), SW_EINVAL);
    filter = (sw_event_filter)SW_EVENT_FILTER_INIT;
    filter.limit = 10001;
    assert_int_equal(sw_event_list(engine, &filter, &result, NULL), SW_EINVAL);
    filter.limit = 0;
    filter.after = -1;
    assert_int_equal(sw_event_list(engine, &filter, &result, NULL), SW_EINVAL);
    filter.after = 0;
    filter.type_count = 1;
    assert_int_equal(sw_event_list(engine, &filter, &result, NULL), SW_EINVAL);
    filter.types = &(sw_str){"a b", 3};
    assert_int_equal(sw_event_list(engine, &filter, &result, NULL), SW_EINVAL);
    assert_null(result);
}

/* Erasing and pruning. */

static void submit_subject(events *e)
{
    rig *r = &e->rig;
    sw_result *result = NULL;
    const sw_str tags[] = {SW__LIT("subject:ann")};
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .tags = tags, .tag_count = 1};
    const sw_cancel_row other = {
        .task_id = e->task, .actor = SW__LIT("t"), .reason = SW__LIT("only one is to work")};
    assert_int_equal(sw_task_cancel(r->engine, &other, 1, &r->error), SW_OK);
    assert_int_equal(sw_task_submit(r->engine, &row, 1, &result, &r->error), SW_OK);
    e->task = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
}

static void test_erasing_takes_payloads_and_projections(void **state)
{
    size_t count = 0;
    events *e = *state;
    rig *r = &e->rig;
    submit_subject(e);
    events_work(e);
    char big[9000];
    memset(big, 'x', sizeof(big));
    big[0] = big[sizeof(big) - 2] = '"';
    big[sizeof(big) - 1] = '\0';
    sw_event_row row = events_row(e, "note", big);
    row.key = sw__str("k");
    events_append(e, &row, 1, 0, SW_OK);
    events_append_one(e, "note", "\"SECRET\"");
    sw_projection p = events_projection(e, "1");
    p.position = 3;
    sw_erase_options options = SW_ERASE_OPTIONS_INIT;
    sw_erase_report report = SW_ERASE_REPORT_INIT;
    options.subject = sw__str("ann");
    options.actor = sw__str("dpo");
    options.reason = sw__str("asked");
    assert_int_equal(sw_task_erase(r->engine, &options, &report, &r->error), SW_OK);
    assert_int_equal(sw_projection_save(r->engine, &p, 0, &r->error), SW_EOUTDATED);
    events_append(e, &row, 1, 0, SW_ESTATE);
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    const sw_str wanted[] = {SW__LIT("note")};
    filter.types = wanted;
    filter.type_count = 1;
    const sw_event *rows = events_list(e, &filter, &count);
    assert_int_equal(count, 2);
    assert_null(rows[0].data.ptr);
    assert_null(rows[0].key.ptr);
    assert_null(rows[1].data.ptr);
}

static void test_pruned_events_are_still_told(void **state)
{
    size_t count = 0;
    events *e = *state;
    rig *r = &e->rig;
    events_work(e);
    events_append_one(e, "note", "1");
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    options.finished_before_us = INT64_MAX / 4;
    options.actor = sw__str("ops");
    assert_int_equal(sw_task_prune(r->engine, &options, &report, &r->error), SW_OK);
    assert_int_equal(report.task_count, 1);
    const sw_event_row row = events_row(e, "note", "2");
    events_append(e, &row, 1, 0, SW_ENOTFOUND);
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    const sw_str wanted[] = {SW__LIT("note")};
    filter.types = wanted;
    filter.type_count = 1;
    assert_null(events_list(e, &filter, &count)->data.ptr);
    assert_int_equal(count, 1);
    filter.types = NULL;
    filter.type_count = 0;
    filter.task_id = e->task;
    events_list(e, &filter, &count);
    assert_int_equal(count, 10);
    assert_int_equal(r->error.code, SW_OK); /* that the task is not stored is no error here */
}

/* A process was killed after it had taken a task out and before it took the steps out: what these
 * had is gone for whoever asks. */
static void test_a_rest_tells_no_payload(void **state)
{
    size_t count = 0;
    events *e = events_open(false);
    const int64_t task_no = 1;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    sw__store *store = e->rig.engine->store;
    (void)state;
    events_work(e);
    const sw_event *rows = events_list(e, &filter, &count);
    size_t told = 0;
    for (size_t i = 0; i < count; i++)
        told += rows[i].data.ptr != NULL;
    assert_int_equal(told, 2); /* a result and an error */
    assert_int_equal(store->ops->begin(store, true, &e->rig.error), SW_OK);
    assert_int_equal(store->ops->tasks_delete(store, &task_no, 1, &e->rig.error), SW_OK);
    assert_int_equal(store->ops->commit(store, &e->rig.error), SW_OK);
    rows = events_list(e, &filter, &count);
    for (size_t i = 0; i < count; i++)
        assert_null(rows[i].data.ptr);
    events_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENTS_ON_BOTH(test_an_event_is_an_entry_with_its_payload),
        EVENTS_ON_BOTH(test_a_version_is_the_newest_entry_of_the_task),
        EVENTS_ON_BOTH(test_streams_are_apart),
        EVENTS_ON_BOTH(test_rows_of_a_batch_see_those_before_them),
        EVENTS_ON_BOTH(test_a_key_appends_once),
        EVENTS_ON_BOTH(test_what_cannot_be_appended_is_refused),
        EVENTS_ON_BOTH(test_transitions_have_types),
        EVENTS_ON_BOTH(test_pages_follow_each_other),
        EVENTS_ON_BOTH(test_a_correlation_id_finds_tasks_and_events),
        EVENTS_ON_BOTH(test_times_bound_what_is_read),
        EVENTS_ON_BOTH(test_a_filter_is_checked),
        EVENTS_ON_BOTH(test_erasing_takes_payloads_and_projections),
        EVENTS_ON_BOTH(test_pruned_events_are_still_told),
        cmocka_unit_test(test_a_rest_tells_no_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
