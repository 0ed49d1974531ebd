/* Tasks that a failure has stopped (on_failure: fail_task): what goes on with the failed step when
 * an operator takes it up again, and what stays cancelled; on both stores.
 *
 * Not here: what such a failure stops (test_engine_exchange.c), dead letters that stop nothing
 * (test_engine_dead.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"
#include "stepwell.h"

/* vital stops the task; side may run on when it does, and stops it too. */
#define STOPS                                                                                      \
    "{\"stepwell\":1,\"name\":\"w\",\"deadline_ms\":3600000,\"steps\":["                           \
    "{\"name\":\"vital\",\"on_failure\":\"fail_task\"},"                                           \
    "{\"name\":\"side\",\"on_failure\":\"fail_task\"},"                                            \
    "{\"name\":\"lax\",\"on_failure\":\"skip_dependents\"},"                                       \
    "{\"name\":\"free\",\"handler\":\"other.h\"},"                                                 \
    "{\"name\":\"ship\",\"after\":[\"vital\"]},{\"name\":\"tell\",\"after\":[\"side\"]},"          \
    "{\"name\":\"rest\",\"after\":[\"lax\"]}]}"

typedef struct stopped {
    rig r;
    sw_uuid task;
    sw_worker_ref worker;
} stopped;

static sw_str str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

/* A worker for everything but the handler of free. */
static void open_stopped(stopped *s, const char *store)
{
    sw_str handlers[] = {str("w.vital"), str("w.side"), str("w.lax"),
                         str("w.ship"),  str("w.tell"), str("w.rest")};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    rig_open(&s->r, store, STOPS);
    s->task = rig_submit(&s->r);
    options.handlers = handlers;
    options.handler_count = 6;
    options.lease_ms = 36000000;
    assert_int_equal(sw_worker_open(s->r.engine, &options, &s->worker, &s->r.error), 0);
    rig_exchange(&s->r, &s->worker, NULL, 0, 10);
}

static void close_stopped(stopped *s)
{
    rig_verify(&s->r);
    rig_close(&s->r);
}

/* Report an attempt that runs. */
static void report(stopped *s, const char *step, int outcome)
{
    sw_step_row row = rig_step(&s->r, &s->task, step);
    sw_step_outcome rows[] = {{.step_id = row.step_id,
                               .epoch = row.epoch,
                               .outcome = outcome,
                               .error_class = str("Broken")}};
    assert_int_equal(row.state, SW_STEP_RUNNING);
    rig_exchange(&s->r, &s->worker, rows, 1, 0);
}

static void put(stopped *s, const char *step, int state)
{
    sw_result *result = NULL;
    sw_step_override_row row = {.step_id = rig_step(&s->r, &s->task, step).step_id,
                                .state = state,
                                .actor = {"ann", 3},
                                .reason = {"by hand", 7}};
    if (sw_step_override(s->r.engine, &row, 1, SW_BATCH_ALL_OR_NOTHING, &result, &s->r.error) < 0)
        fail_msg("%s", s->r.error.message);
    sw_result_free(result);
}

/* The dead letters of a step, NULL: of all. */
static int take_up(stopped *s, const char *step, int state)
{
    sw_result *result = NULL;
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;
    sw_dead_action action = {.state = state, .actor = {"bob", 3}, .reason = {"mended", 6}};
    if (step)
        filter.step = str(step);
    int rc = sw_dead_override(s->r.engine, &filter, &action, &result, &s->r.error);
    sw_result_free(result);
    return rc;
}

/* The states of all steps in their order, three letters of each. */
static void assert_states(stopped *s, const char *expected)
{
    char found[128] = "";
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_task_get(s->r.engine, &s->task, &result, &s->r.error), 0);
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.3s", i ? " " : "",
                 sw_step_state_name(rows[i].state));
    assert_string_equal(found, expected);
    sw_result_free(result);
}

/* The newest entry of a step says who moved it, and why. */
static void assert_moved_by(stopped *s, const char *step, const char *actor, const char *reason)
{
    size_t count = 0;
    sw_result *result = NULL;
    const sw_audit_entry *last = NULL;
    assert_int_equal(sw_audit_task(s->r.engine, &s->task, &result, &s->r.error), 0);
    const sw_audit_entry *entries = sw_audit_entries(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].step.len == strlen(step) &&
            memcmp(entries[i].step.ptr, step, entries[i].step.len) == 0)
            last = &entries[i];
    }
    assert_non_null(last);
    assert_int_equal(last->actor.len, strlen(actor));
    assert_memory_equal(last->actor.ptr, actor, strlen(actor));
    assert_memory_equal(last->reason.ptr, reason, strlen(reason));
    sw_result_free(result);
}

static void goes_on_whole(const char *store)
{
    stopped s;
    open_stopped(&s, store);
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    report(&s, "side", SW_OUTCOME_SUCCEEDED);
    report(&s, "lax", SW_OUTCOME_SUCCEEDED);
    assert_states(&s, "fai suc suc can can can can");
    assert_int_equal(rig_task_state(&s.r, &s.task), SW_TASK_FAILED);
    assert_int_equal(take_up(&s, NULL, SW_STEP_READY), 0);
    assert_states(&s, "rea suc suc rea pen rea rea");
    assert_int_equal(rig_task_state(&s.r, &s.task), SW_TASK_RUNNING);
    assert_moved_by(&s, "ship", "bob", "mended");
    assert_moved_by(&s, "free", "bob", "mended");
    rig_verify(&s.r);
    rig_exchange(&s.r, &s.worker, NULL, 0, 10);
    report(&s, "vital", SW_OUTCOME_SUCCEEDED);
    report(&s, "tell", SW_OUTCOME_SUCCEEDED);
    report(&s, "rest", SW_OUTCOME_SUCCEEDED);
    rig_exchange(&s.r, &s.worker, NULL, 0, 10);
    report(&s, "ship", SW_OUTCOME_SUCCEEDED);
    put(&s, "free", SW_STEP_RESOLVED);
    assert_int_equal(rig_task_state(&s.r, &s.task), SW_TASK_SUCCEEDED);
    close_stopped(&s);
}

static void stopped_task_goes_on_whole(void **state)
{
    (void)state;
    goes_on_whole("memory:");
}

static void stopped_task_goes_on_whole_in_a_file(void **state)
{
    char path[] = "/tmp/stepwell-stopped-XXXXXX";
    char file[64];
    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/stopped.db", path);
    goes_on_whole(file);
}

static void stopped_task_goes_on_when_resolved(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_states(&s, "fai run run can can can can");
    assert_int_equal(take_up(&s, NULL, SW_STEP_RESOLVED), 0);
    assert_states(&s, "res run run rea rea pen pen");
    close_stopped(&s);
}

/* Also by hand, one step at a time; what a person has cancelled is not touched. */
static void stopped_by_hand_stays_cancelled(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    put(&s, "free", SW_STEP_CANCELLED);
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    put(&s, "tell", SW_STEP_PENDING);
    put(&s, "tell", SW_STEP_CANCELLED);
    put(&s, "vital", SW_STEP_READY);
    assert_states(&s, "rea run run can pen can pen");
    close_stopped(&s);
}

/* Of two failures that stop the task the last one takes the others with it. */
static void stopped_twice_goes_on_with_the_last(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    report(&s, "side", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_int_equal(take_up(&s, "vital", SW_STEP_READY), 0);
    assert_states(&s, "rea fai run can can can can");
    assert_int_equal(take_up(&s, "side", SW_STEP_READY), 0);
    assert_states(&s, "rea rea run rea pen pen pen");
    close_stopped(&s);
}

static void stopped_both_at_once_goes_on(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "side", SW_OUTCOME_FAILED_FOR_GOOD);
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_int_equal(take_up(&s, NULL, SW_STEP_READY), 0);
    assert_states(&s, "rea rea run rea pen pen pen");
    close_stopped(&s);
}

/* Rows say what becomes of the steps that they name. */
static void stopped_rows_go_first(void **state)
{
    stopped s;
    size_t count = 0;
    sw_result *result = NULL;
    const char *const names[] = {"vital", "free", "tell"};
    const int states[] = {SW_STEP_READY, SW_STEP_RESOLVED, SW_STEP_PENDING};
    sw_step_override_row rows[3];
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    for (int i = 0; i < 3; i++)
        rows[i] = (sw_step_override_row){.step_id = rig_step(&s.r, &s.task, names[i]).step_id,
                                         .state = states[i],
                                         .actor = {"ann", 3},
                                         .reason = {"by hand", 7}};
    assert_int_equal(sw_step_override(s.r.engine, rows, 3, 0, &result, &s.r.error), 0);
    const sw_step_overridden *out = sw_step_overrides(result, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(out[i].state, states[i]);
    sw_result_free(result);
    assert_states(&s, "rea run run res pen pen pen");
    close_stopped(&s);
}

/* What it needs has failed meanwhile. */
static void stopped_that_cannot_go_on_stays(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    report(&s, "lax", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_int_equal(take_up(&s, "vital", SW_STEP_READY), 0);
    assert_states(&s, "rea run fai rea pen pen can");
    close_stopped(&s);
}

/* Who cancels the task means all of it, and who takes up one step then means that one. */
static void stopped_and_cancelled_is_given_up(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    sw_cancel_row row = {.task_id = s.task, .actor = {"ann", 3}, .reason = {"why", 3}};
    assert_int_equal(sw_task_cancel(s.r.engine, &row, 1, &s.r.error), 0);
    put(&s, "vital", SW_STEP_READY);
    assert_states(&s, "rea can can can can can can");
    close_stopped(&s);
}

static void stopped_and_late_is_given_up(void **state)
{
    stopped s;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    fault_env_advance(&s.r.fault, INT64_C(3600000001));
    rig_exchange(&s.r, &s.worker, NULL, 0, 1);
    assert_states(&s, "fai can can can can can can");
    put(&s, "vital", SW_STEP_READY);
    assert_states(&s, "rea can can can can can can");
    close_stopped(&s);
}

/* All or nothing, wherever memory ends. */
static void stopped_survives_lack_of_memory(void **state)
{
    stopped s;
    int rc = SW_ENOMEM;
    (void)state;
    open_stopped(&s, "memory:");
    report(&s, "vital", SW_OUTCOME_FAILED_FOR_GOOD);
    for (size_t nth = 1; rc < 0; nth++) {
        assert_states(&s, "fai run run can can can can");
        fault_env_arm(&s.r.fault, nth, false);
        rc = take_up(&s, NULL, SW_STEP_READY);
        fault_env_arm(&s.r.fault, 0, false);
        assert_true(rc == 0 || rc == SW_ENOMEM);
        assert_true(nth < 1000);
    }
    assert_states(&s, "rea run run rea pen pen pen");
    close_stopped(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_task_goes_on_whole),
        cmocka_unit_test(stopped_task_goes_on_whole_in_a_file),
        cmocka_unit_test(stopped_task_goes_on_when_resolved),
        cmocka_unit_test(stopped_by_hand_stays_cancelled),
        cmocka_unit_test(stopped_twice_goes_on_with_the_last),
        cmocka_unit_test(stopped_both_at_once_goes_on),
        cmocka_unit_test(stopped_rows_go_first),
        cmocka_unit_test(stopped_that_cannot_go_on_stays),
        cmocka_unit_test(stopped_and_cancelled_is_given_up),
        cmocka_unit_test(stopped_and_late_is_given_up),
        cmocka_unit_test(stopped_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
