/* Task files: what goes into one comes out of it, at the end and at every entry before; forecasts
 * there know how it went on. Not here: trust, and broken files (test_task_file_trust.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "helper/filed.h"

static void assert_same_reasons(const sw_uuid *task, sw_engine *a, sw_engine *b)
{
    size_t counts[2];
    sw_error err;
    sw_result *left = NULL, *right = NULL;
    sw_str none = {NULL, 0};
    assert_int_equal(sw_step_explain(a, task, none, &left, &err), SW_OK);
    assert_int_equal(sw_step_explain(b, task, none, &right, &err), SW_OK);
    const sw_step_reason *reasons = sw_step_reasons(left, &counts[0]);
    const sw_step_reason *others = sw_step_reasons(right, &counts[1]);
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++)
        filed_assert_str(reasons[i].message, others[i].message);
    sw_result_free(left);
    sw_result_free(right);
}

/* Right after the export both clocks stand where they stood. */
static void test_a_file_is_the_task(void **state)
{
    filed *f = *state;
    sw_engine *copy = filed_open_at(f, filed_text(f->moments[f->count - 1]), 0);
    filed_assert_same(&f->task, f->rig.engine, copy, false);
    assert_same_reasons(&f->task, f->rig.engine, copy);
    sw_engine_close(copy);
}

static void test_a_task_that_goes_on(void **state)
{
    filed *f = calloc(1, sizeof(*f));
    (void)state;
    assert_non_null(f);
    rig_open(&f->rig, "memory:", FILED_WORKFLOW);
    filed_play(f);
    for (int i = 0; i < 2; i++) {
        sw_engine *copy = filed_open_at(f, filed_text(f->moments[f->count - 1]), 0);
        filed_assert_same(&f->task, f->rig.engine, copy, false);
        assert_same_reasons(&f->task, f->rig.engine, copy);
        fault_env_advance(&f->rig.fault, 10000000);
        assert_same_reasons(&f->task, f->rig.engine, copy);
        sw_engine_close(copy);
        sw_breaker_override_row row = {.name = SW__LIT("mail"),
                                       .state = SW_BREAKER_OPEN,
                                       .open_ms = 60000,
                                       .actor = SW__LIT("ann"),
                                       .reason = SW__LIT("down")};
        sw_result *result = NULL;
        assert_int_equal(sw_breaker_override(f->rig.engine, &row, 1, &result, &f->rig.error),
                         SW_OK);
        sw_result_free(result);
        filed_export(f);
    }
    void *left = f;
    filed_teardown(&left);
}

static int64_t last_entry(sw_engine *engine, const sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_audit_task(engine, task, &result, NULL), SW_OK);
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    int64_t last = rows[count - 1].entry_no;
    sw_result_free(result);
    return last;
}

/* The last file, put back to the last entry of an earlier one, is that one. */
static void test_every_moment_comes_back(void **state)
{
    filed *f = *state;
    sw_str whole = filed_text(f->moments[f->count - 1]);
    for (size_t i = 0; i + 1 < f->count; i++) {
        sw_engine *then = filed_open_at(f, filed_text(f->moments[i]), 0);
        sw_engine *back = filed_open_at(f, whole, last_entry(then, &f->task));
        filed_assert_same(&f->task, then, back, true);
        sw_engine_close(back);
        sw_engine_close(then);
    }
}

static void test_moments_outside_are_refused(void **state)
{
    filed *f = *state;
    sw_engine *engine = NULL;
    sw_task_file_options options = SW_TASK_FILE_OPTIONS_INIT;
    const int64_t numbers[] = {1, 100000, -1};
    const int codes[] = {SW_ENOTFOUND, SW_ENOTFOUND, SW_EINVAL};
    for (int i = 0; i < 3; i++) {
        options.entry_no = numbers[i];
        assert_int_equal(sw_task_file_open(&options, filed_text(f->moments[f->count - 1]), &engine,
                                           &f->rig.error),
                         codes[i]);
        assert_null(engine);
    }
}

/* From when nothing had run: as long as it really took, 2 + 9 + 5 s (right runs longer than left);
 * with left twice as slow, which then takes 16 s, 7 s longer. */
static void test_what_if_knows_how_it_went_on(void **state)
{
    filed *f = *state;
    sw_error err;
    sw_result *result = NULL;
    sw_engine *then = filed_open_at(f, filed_text(f->moments[0]), 0);
    sw_engine *back =
        filed_open_at(f, filed_text(f->moments[f->count - 1]), last_entry(then, &f->task));
    sw_forecast_change slower = {.step = SW__LIT("left"), .kind = SW_FORECAST_SLOWER, .factor = 2};
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.changes = &slower;
    options.change_count = 1;
    assert_int_equal(sw_task_forecast(back, &options, &f->task, &result, &err), SW_OK);
    const sw_forecast *forecast = sw_forecasts(result, NULL);
    assert_int_equal(forecast->history_count, 1);
    assert_int_equal(forecast->base.left_us[1] / 1000000, 16);
    assert_int_equal(forecast->difference_us[1] / 1000000, 7);
    assert_int_equal(sw_forecast_steps(result, NULL)[0].source, SW_DURATION_FROM_STEP);
    sw_result_free(result);
    sw_engine_close(back);
    sw_engine_close(then);
}

/* The copy is an engine: a worker takes over what nobody holds there, and the task ends. */
static void test_a_copy_can_be_played_on(void **state)
{
    filed *f = *state;
    rig copy = {.engine = filed_open_at(f, filed_text(f->moments[0]), 0),
                .workflow = f->rig.workflow};
    sw_worker_ref worker = rig_worker(&copy, 60000);
    rig_claims(&copy, &worker, "top");
    sw_step_outcome row = rig_outcome(&copy, "top", SW_OUTCOME_FAILED_FOR_GOOD);
    rig_report(&copy, &worker, row, SW_ROW_APPLIED);
    assert_int_equal(rig_task_state(&copy, &f->task), SW_TASK_FAILED);
    assert_int_equal(rig_task_state(&f->rig, &f->task), SW_TASK_SUCCEEDED);
    sw_result_free(copy.last);
    sw_engine_close(copy.engine);
}

/* A worker whose attempt ran at a moment that is past has no lease there. */
static void test_attempts_of_the_past_are_given_back(void **state)
{
    filed *f = *state;
    sw_engine *then = filed_open_at(f, filed_text(f->moments[1]), 0);
    int64_t entry_no = last_entry(then, &f->task);
    sw_engine_close(then);
    rig copy = {.engine = filed_open_at(f, filed_text(f->moments[f->count - 1]), entry_no),
                .workflow = f->rig.workflow};
    assert_int_equal(rig_step(&copy, &f->task, "top").state, SW_STEP_RUNNING);
    fault_env_advance(&f->rig.fault, 2000000);
    sw_worker_ref worker = rig_worker(&copy, 60000);
    rig_claims(&copy, &worker, "top");
    assert_true(worker.worker_id > f->worker.worker_id);
    sw_result_free(copy.last);
    sw_engine_close(copy.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file_is_the_task, filed_setup, filed_teardown),
        cmocka_unit_test(test_a_task_that_goes_on),
        cmocka_unit_test_setup_teardown(test_every_moment_comes_back, filed_setup, filed_teardown),
        cmocka_unit_test_setup_teardown(test_moments_outside_are_refused, filed_setup,
                                        filed_teardown),
        cmocka_unit_test_setup_teardown(test_what_if_knows_how_it_went_on, filed_setup,
                                        filed_teardown),
        cmocka_unit_test_setup_teardown(test_a_copy_can_be_played_on, filed_setup, filed_teardown),
        cmocka_unit_test_setup_teardown(test_attempts_of_the_past_are_given_back, filed_setup,
                                        filed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
