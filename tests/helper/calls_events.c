/* Appending and reading events, and projections; see calls.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/calls_inner.h"

#include <string.h>

#define LARGE 60000

/* The projection that was opened last, and how far it is. */
static struct {
    int64_t epoch;
    int64_t position;
} held;

/* Appending. */

static sw_event_row row_of(const calls_world *w, sw_str key)
{
    return (sw_event_row){.task_id = w->task,
                          .type = CALLS_TEXT("order.paid"),
                          .data = CALLS_TEXT("{\"sum\":7}"),
                          .key = key,
                          .correlation_id = CALLS_TEXT("c-3"),
                          .actor = CALLS_TEXT("eve"),
                          .reason = CALLS_TEXT("paid")};
}

static int append(calls_world *w, const sw_event_row *rows, size_t count, int mode, sw_error *err)
{
    size_t answered = 0;
    sw_result *result = NULL;
    int rc = sw_event_append(w->engine, rows, count, mode, &result, err);
    sw_events_appended(result, &answered);
    assert_int_equal(answered, rc == SW_OK ? count : 0);
    sw_result_free(result);
    return rc;
}

static int append_known(calls_world *w, sw_error *err)
{
    const sw_event_row row = row_of(w, CALLS_TEXT("known"));
    return append(w, &row, 1, SW_BATCH_ALL_OR_NOTHING, err);
}

/* A task of which an event is known by its key, and another one without. */
static void prepare_known(calls_world *w)
{
    sw_error error;
    calls_task(w);
    calls_must(append_known(w, &error), &error);
    const sw_event_row other = row_of(w, (sw_str){0});
    calls_must(append(w, &other, 1, SW_BATCH_ALL_OR_NOTHING, &error), &error);
}

static int act_append(calls_world *w, sw_error *err)
{
    sw_event_row row = row_of(w, (sw_str){0});
    row.step = CALLS_TEXT("b");
    return append(w, &row, 1, SW_BATCH_ALL_OR_NOTHING, err);
}

/* Several rows, one of them large, two of them the same. */
static int act_append_many(calls_world *w, sw_error *err)
{
    static char data[LARGE];
    sw_event_row rows[] = {row_of(w, CALLS_TEXT("k1")), row_of(w, CALLS_TEXT("k1")),
                           row_of(w, CALLS_TEXT("k2")), row_of(w, (sw_str){0})};
    memset(data, 'x', LARGE);
    data[0] = data[LARGE - 1] = '"';
    rows[2].data = (sw_str){data, LARGE};
    rows[3].data = (sw_str){0};
    return append(w, rows, sizeof(rows) / sizeof(rows[0]), SW_BATCH_ALL_OR_NOTHING, err);
}

/* The first row is refused, and the second one written. */
static int act_append_partly(calls_world *w, sw_error *err)
{
    sw_event_row rows[] = {row_of(w, (sw_str){0}), row_of(w, (sw_str){0})};
    rows[0].expected_version = 1;
    return append(w, rows, 2, SW_BATCH_PARTIAL, err);
}

/* The first row is good; neither is written. */
static int act_append_outdated(calls_world *w, sw_error *err)
{
    sw_event_row rows[] = {row_of(w, (sw_str){0}), row_of(w, (sw_str){0})};
    rows[1].expected_version = 1;
    return calls_refused(append(w, rows, 2, SW_BATCH_ALL_OR_NOTHING, err), SW_EOUTDATED);
}

static int act_append_conflict(calls_world *w, sw_error *err)
{
    sw_event_row row = row_of(w, CALLS_TEXT("known"));
    row.data = CALLS_TEXT("[]");
    return calls_refused(append(w, &row, 1, SW_BATCH_ALL_OR_NOTHING, err), SW_ECONFLICT);
}

/* Reading. */

static int list(calls_world *w, const sw_event_filter *filter, sw_error *err)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_event_list(w->engine, filter, &result, err);
    sw_events(result, &count);
    assert_true(count > 0 || rc < 0);
    sw_result_free(result);
    return rc;
}

static int act_list(calls_world *w, sw_error *err)
{
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.newest_first = 1;
    filter.limit = 20;
    return list(w, &filter, err);
}

static int act_list_type(calls_world *w, sw_error *err)
{
    static const sw_str type = {"order.paid", 10};
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.types = &type;
    filter.type_count = 1;
    filter.limit = 5;
    return list(w, &filter, err);
}

static int act_list_of_task(calls_world *w, sw_error *err)
{
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.task_id = w->task;
    return list(w, &filter, err);
}

static int act_list_correlated(calls_world *w, sw_error *err)
{
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.correlation_id = CALLS_TEXT("c-3");
    filter.newest_first = 1;
    filter.limit = 5;
    return list(w, &filter, err);
}

static int act_replay(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_event_replay(w->engine, &w->task, 0, &result, err);
    sw_result_free(result);
    return rc;
}

static int act_wait(calls_world *w, sw_error *err)
{
    int64_t newest = 0;
    int rc = sw_event_wait(w->engine, 0, 0, &newest, err);
    assert_true(rc < 0 || newest > 0);
    return rc;
}

/* Projections. */

static int open_projection(calls_world *w, sw_str version, sw_error *err)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_projection_open(w->engine, CALLS_TEXT("p"), version, &result, err);
    const sw_projection *row = sw_projections(result, &count);
    if (rc == SW_OK) {
        held.epoch = row->epoch;
        held.position = row->position;
    }
    sw_result_free(result);
    return rc;
}

static void prepare_projection(calls_world *w)
{
    sw_error error;
    prepare_known(w);
    calls_must(open_projection(w, CALLS_TEXT("1"), &error), &error);
}

static int act_open(calls_world *w, sw_error *err)
{
    return open_projection(w, CALLS_TEXT("1"), err);
}

/* By another version of the code, so that it is begun anew. */
static int act_open_anew(calls_world *w, sw_error *err)
{
    return open_projection(w, CALLS_TEXT("2"), err);
}

static int save(calls_world *w, int64_t from, sw_error *err)
{
    const sw_projection row = {.name = CALLS_TEXT("p"),
                               .version = CALLS_TEXT("1"),
                               .epoch = held.epoch,
                               .position = from,
                               .state = CALLS_TEXT("{\"sum\":14}")};
    return sw_projection_save(w->engine, &row, from, err);
}

static int act_save(calls_world *w, sw_error *err)
{
    return save(w, held.position, err);
}

static int act_save_late(calls_world *w, sw_error *err)
{
    return calls_refused(save(w, held.position + 1, err), SW_EOUTDATED);
}

/* What a fold goes through; only the last call of it writes to the log. */
static int act_fold(calls_world *w, sw_error *err)
{
    int rc = act_wait(w, err);
    if (rc == SW_OK)
        rc = act_list_of_task(w, err);
    if (rc == SW_OK)
        rc = act_save(w, err);
    if (rc == SW_OK)
        rc = act_replay(w, err);
    return rc == SW_OK ? act_append(w, err) : rc;
}

static int act_list_projections(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_projection_list(w->engine, &result, err);
    sw_result_free(result);
    return rc;
}

static int act_forget(calls_world *w, sw_error *err)
{
    return sw_projection_delete(w->engine, CALLS_TEXT("p"), err);
}

const calls_scenario calls_of_events[] = {
    {"append an event", calls_task, act_append},
    {"append events", calls_task, act_append_many},
    {"append a known event", prepare_known, append_known},
    {"append events partly", calls_task, act_append_partly},
    {"append at an old version", calls_task, act_append_outdated},
    {"append a key with other data", prepare_known, act_append_conflict},
    {"list events", prepare_known, act_list},
    {"list events of a type", prepare_known, act_list_type},
    {"list events of a task", prepare_known, act_list_of_task},
    {"list events of a correlation id", prepare_known, act_list_correlated},
    {"replay a task", calls_claim, act_replay},
    {"open a projection", prepare_projection, act_open},
    {"begin a projection anew", prepare_projection, act_open_anew},
    {"save a projection", prepare_projection, act_save},
    {"save a projection too late", prepare_projection, act_save_late},
    {"fold, save, replay and append", prepare_projection, act_fold},
    {"list projections", prepare_projection, act_list_projections},
    {"forget a projection", prepare_projection, act_forget},
};

const size_t calls_of_events_count = sizeof(calls_of_events) / sizeof(calls_of_events[0]);
