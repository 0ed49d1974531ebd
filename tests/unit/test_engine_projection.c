/* What is made of the event store: a task as it was, projections, and waiting for what is new. In
 * memory and in a file alike. Not here: appending and reading, see test_engine_event.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/str.h"
#include "helper/event_rig.h"

/* A task as it was. */

static void past(events *e, int64_t until, const char *expected)
{
    char text[200];
    size_t count = 0;
    sw_result_free(e->result);
    e->result = NULL;
    assert_int_equal(sw_event_replay(e->rig.engine, &e->task, until, &e->result, &e->rig.error),
                     SW_OK);
    const sw_step_past *steps = sw_steps_past(e->result, &count);
    const sw_task_past *task = sw_tasks_past(e->result, NULL);
    assert_int_equal(count, 2);
    snprintf(text, sizeof(text), "%s: %s %d, %s %d", sw_task_state_name(task->state),
             sw_step_state_name(steps[0].state), steps[0].attempt,
             sw_step_state_name(steps[1].state), steps[1].attempt);
    assert_string_equal(text, expected);
    if (until > 0)
        assert_true(task->position <= until);
}

static void test_a_task_is_seen_as_it_was(void **state)
{
    size_t count = 0;
    int64_t at[8];
    events *e = *state;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.task_id = e->task;
    events_work(e);
    const sw_event *rows = events_list(e, &filter, &count);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++)
        at[i] = rows[i].entry.entry_no;
    past(e, at[0], "pending: ready 0, pending 0");
    past(e, at[1], "pending: running 1, pending 0");
    past(e, at[2], "running: running 1, pending 0");
    past(e, at[3], "running: succeeded 1, pending 0");
    past(e, at[4], "running: succeeded 1, ready 0");
    past(e, at[5], "running: succeeded 1, running 1");
    past(e, at[6], "running: succeeded 1, failed 1");
    past(e, at[7], "failed: succeeded 1, failed 1");
    past(e, INT64_MAX, "failed: succeeded 1, failed 1");
    past(e, 0, "failed: succeeded 1, failed 1");
    assert_int_equal(sw_tasks_past(e->result, NULL)->position, at[7]);
    assert_int_equal(sw_tasks_past(e->result, NULL)->step_counts[SW_STEP_SUCCEEDED], 1);
    sw_result *none = NULL;
    assert_int_equal(sw_event_replay(e->rig.engine, &e->task, at[0] - 1, &none, NULL),
                     SW_ENOTFOUND);
    assert_int_equal(sw_event_replay(e->rig.engine, &e->task, -1, &none, NULL), SW_EINVAL);
    const sw_uuid other = {{1}};
    assert_int_equal(sw_event_replay(e->rig.engine, &other, 0, &none, NULL), SW_ENOTFOUND);
}

/* Projections. */

static void test_a_projection_goes_on_once(void **state)
{
    events *e = *state;
    sw_engine *engine = e->rig.engine;
    events_append_one(e, "x", NULL);
    sw_projection p = events_projection(e, "1");
    assert_int_equal(p.position, 0);
    assert_null(p.state.ptr);
    p.position = 2;
    p.state = sw__str("{\"n\": 2}");
    assert_int_equal(sw_projection_save(engine, &p, 0, &e->rig.error), SW_OK);
    assert_int_equal(sw_projection_save(engine, &p, 0, &e->rig.error), SW_EOUTDATED);
    sw_projection again = events_projection(e, "1");
    assert_int_equal(again.position, 2);
    assert_int_equal(again.epoch, p.epoch);
    assert_true(sw__str_is(again.state, "{\"n\": 2}"));
    again.position = 99;
    assert_int_equal(sw_projection_save(engine, &again, 2, &e->rig.error), SW_EINVAL);
    again.position = 1;
    assert_int_equal(sw_projection_save(engine, &again, 2, &e->rig.error), SW_EINVAL);
    again.position = 3;
    again.state = sw__str("{");
    assert_int_equal(sw_projection_save(engine, &again, 2, &e->rig.error), SW_EINVAL);
}

static void test_another_version_begins_anew(void **state)
{
    size_t count = 0;
    events *e = *state;
    sw_engine *engine = e->rig.engine;
    sw_projection old = events_projection(e, "1");
    old.position = 1;
    old.state = sw__str("1");
    assert_int_equal(sw_projection_save(engine, &old, 0, &e->rig.error), SW_OK);
    sw_projection made = events_projection(e, "2");
    assert_int_equal(made.position, 0);
    assert_null(made.state.ptr);
    assert_int_not_equal(made.epoch, old.epoch);
    old.name = sw__str("p");
    old.version = sw__str("1");
    old.state = sw__str("2");
    assert_int_equal(sw_projection_save(engine, &old, 1, &e->rig.error), SW_EOUTDATED);
    sw_result_free(e->result);
    assert_int_equal(sw_projection_list(engine, &e->result, &e->rig.error), SW_OK);
    assert_true(sw__str_is(sw_projections(e->result, &count)->version, "2"));
    assert_int_equal(count, 1);
    const sw_str name = SW__LIT("p");
    assert_int_equal(sw_projection_delete(engine, name, &e->rig.error), SW_OK);
    assert_int_equal(sw_projection_delete(engine, name, &e->rig.error), SW_ENOTFOUND);
    old.name = name;
    assert_int_equal(sw_projection_save(engine, &old, 1, &e->rig.error), SW_EOUTDATED);
    const sw_str none = {NULL, 0};
    sw_result *nothing = NULL;
    assert_int_equal(sw_projection_open(engine, none, none, &nothing, NULL), SW_EINVAL);
}

/* An epoch is drawn, so that nobody takes the projection of before for the new one. */
static void test_a_projection_needs_random_bytes(void **state)
{
    int rc = SW_OK;
    size_t count = 0;
    events *e = *state;
    sw_engine *engine = e->rig.engine;
    e->rig.fault.random_fails = true;
    for (int i = 0; i < 1000 && rc == SW_OK; i++) {
        sw_result_free(e->result);
        rc = sw_projection_open(engine, sw__str("p"), sw__str(i % 2 ? "1" : "2"), &e->result,
                                &e->rig.error);
    }
    e->rig.fault.random_fails = false;
    assert_int_equal(rc, SW_EIO);
    assert_null(e->result);
    assert_int_equal(sw_projection_list(engine, &e->result, &e->rig.error), SW_OK);
    sw_projections(e->result, &count);
    assert_true(count <= 1);
    events_projection(e, "3");
}

/* Waiting. */

static void test_a_wait_ends_at_once_or_in_time(void **state)
{
    int64_t newest = 0;
    events *e = *state;
    sw_engine *engine = e->rig.engine;
    int64_t position = events_append_one(e, "x", NULL);
    assert_int_equal(sw_event_wait(engine, position - 1, -1, &newest, &e->rig.error), SW_OK);
    assert_int_equal(newest, position);
    assert_int_equal(sw_event_wait(engine, position, 0, &newest, &e->rig.error), SW_OK);
    assert_int_equal(newest, position);
    assert_int_equal(sw_event_wait(engine, -1, 0, &newest, &e->rig.error), SW_EINVAL);
    assert_int_equal(sw_event_wait(engine, 0, 0, NULL, &e->rig.error), SW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENTS_ON_BOTH(test_a_task_is_seen_as_it_was),
        EVENTS_ON_BOTH(test_a_projection_goes_on_once),
        EVENTS_ON_BOTH(test_another_version_begins_anew),
        EVENTS_ON_BOTH(test_a_projection_needs_random_bytes),
        EVENTS_ON_BOTH(test_a_wait_ends_at_once_or_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
