/* Submitting and looking: keys, filters, pages, waiting, explanations, the clock. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper/rig.h"

#define TWO_STEPS                                                                                  \
    "{\"stepwell\":1,\"name\":\"w\",\"version\":\"1\",\"steps\":[{\"name\":\"a\"},"                \
    "{\"name\":\"b\",\"after\":[\"a\"],\"queue\":\"slow\"}]}"
#define LIT(text) ((sw_str){(text), sizeof(text) - 1})

static int submit_rows(rig *r, const sw_task_submit_row *rows, size_t count,
                       sw_task_submitted *answers)
{
    size_t found = 0;
    sw_result *result = NULL;
    int rc = sw_task_submit(r->engine, rows, count, &result, &r->error);
    const sw_task_submitted *submitted = sw_task_submissions(result, &found);
    if (rc == 0) {
        assert_int_equal(found, count);
        memcpy(answers, submitted, count * sizeof *answers);
    }
    sw_result_free(result);
    return rc;
}

static void submit_key_names_one_task(void **state)
{
    (void)state;
    rig r;
    sw_task_submitted first[3];
    sw_task_submitted second[1];
    rig_open(&r, "memory:", TWO_STEPS);
    sw_task_submit_row row = {.workflow = LIT("w"), .input = LIT("{\"n\":1}"), .key = LIT("k")};
    sw_task_submit_row other = row;
    other.key = LIT("other");
    const sw_task_submit_row rows[] = {row, other, row};
    assert_int_equal(submit_rows(&r, rows, 3, first), 0);
    assert_int_equal(first[0].created, 1);
    assert_int_equal(first[2].created, 0);
    assert_memory_equal(&first[0].task_id, &first[2].task_id, sizeof(sw_uuid));
    assert_memory_not_equal(&first[0].task_id, &first[1].task_id, sizeof(sw_uuid));
    assert_int_equal(submit_rows(&r, &row, 1, second), 0);
    assert_int_equal(second[0].created, 0);
    assert_memory_equal(&first[0].task_id, &second[0].task_id, sizeof(sw_uuid));
    rig_verify(&r);
    rig_close(&r);
}

static void submit_key_with_another_input_conflicts(void **state)
{
    (void)state;
    rig r;
    sw_task_submitted answers[2];
    rig_open(&r, "memory:", TWO_STEPS);
    sw_task_submit_row row = {.workflow = LIT("w"), .input = LIT("1"), .key = LIT("k")};
    sw_task_submit_row changed = row;
    changed.input = LIT("2");
    const sw_task_submit_row both[] = {row, changed};
    assert_int_equal(submit_rows(&r, both, 2, answers), SW_ECONFLICT);
    assert_int_equal(r.error.row, 1);
    assert_int_equal(submit_rows(&r, &row, 1, answers), 0);
    assert_int_equal(submit_rows(&r, &changed, 1, answers), SW_ECONFLICT);
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    assert_int_equal(sw_task_count(r.engine, &filter, counts, &r.error), 0);
    assert_int_equal(counts[SW_TASK_PENDING], 1);
    rig_close(&r);
}

static void submit_refuses_bad_rows(void **state)
{
    (void)state;
    rig r;
    sw_task_submitted answers[1];
    rig_open(&r, "memory:", TWO_STEPS);
    const struct {
        sw_task_submit_row row;
        int code;
    } bad[] = {
        {{.workflow = {0}}, SW_EINVAL},
        {{.workflow = LIT("no such")}, SW_EINVAL},
        {{.workflow = LIT("unknown")}, SW_ENOTFOUND},
        {{.workflow = LIT("w"), .version = LIT("9")}, SW_ENOTFOUND},
        {{.workflow = LIT("w"), .input = LIT("{")}, SW_EINVAL},
        {{.workflow = LIT("w"), .key = LIT("a\nb")}, SW_EINVAL},
        {{.workflow = LIT("w"), .priority = 40000}, SW_EINVAL},
        {{.workflow = LIT("w"), .tag_count = 2}, SW_ELIMIT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int rc = submit_rows(&r, &bad[i].row, 1, answers);
        assert_string_equal(sw_code_name(rc), sw_code_name(bad[i].code));
        assert_int_equal(r.error.row, 0);
    }
    rig_close(&r);
}

static void submit_newest_definition_wins(void **state)
{
    (void)state;
    rig r;
    sw_task_submitted answers[1];
    sw_workflow *changed = NULL;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    rig_open(&r, "memory:", TWO_STEPS);
    load.env = &r.fault.env;
    assert_int_equal(sw_workflow_load(&load,
                                      LIT("{\"stepwell\":1,\"name\":\"w\",\"version\":\"2\","
                                          "\"steps\":[{\"name\":\"only\"}]}"),
                                      &changed, NULL, &r.error),
                     0);
    const sw_workflow *workflows[] = {changed};
    sw_uuid old = rig_submit(&r);
    assert_int_equal(sw_workflow_register(r.engine, workflows, 1, &r.error), 0);
    sw_task_submit_row newest = {.workflow = LIT("w")};
    assert_int_equal(submit_rows(&r, &newest, 1, answers), 0);
    assert_int_equal(rig_step(&r, &answers[0].task_id, "only").state, SW_STEP_READY);
    sw_task_submit_row pinned = {.workflow = LIT("w"), .version = LIT("1")};
    assert_int_equal(submit_rows(&r, &pinned, 1, answers), 0);
    assert_int_equal(rig_step(&r, &answers[0].task_id, "a").state, SW_STEP_READY);
    assert_int_equal(rig_step(&r, &old, "a").state, SW_STEP_READY);
    sw_workflow_free(changed);
    rig_close(&r);
}

/* A task keeps its definition when a newer one of the same name comes. */
static void submit_keeps_its_definition(void **state)
{
    (void)state;
    rig r;
    sw_workflow *found = NULL, *newer = NULL;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    rig_open(&r, "memory:", TWO_STEPS);
    const sw_uuid task = rig_submit(&r), nobody = {{0}};
    sw_str text = LIT("{\"stepwell\":1,\"name\":\"w\",\"version\":\"1\",\"steps\":"
                      "[{\"name\":\"z\"}]}");
    assert_int_equal(sw_workflow_load(&options, text, &newer, NULL, &r.error), 0);
    assert_int_equal(
        sw_workflow_register(r.engine, (const sw_workflow *const *)&newer, 1, &r.error), 0);
    assert_int_equal(sw_task_workflow(r.engine, &task, &found, &r.error), 0);
    assert_memory_equal(sw_workflow_digest(found).ptr, sw_workflow_digest(r.workflow).ptr, 64);
    sw_workflow_free(found);
    assert_int_equal(sw_task_workflow(r.engine, &nobody, &found, &r.error), SW_ENOTFOUND);
    assert_null(found);
    assert_int_equal(sw_task_workflow(r.engine, NULL, &found, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_workflow(r.engine, &task, NULL, &r.error), SW_EINVAL);
    sw_workflow_free(newer);
    rig_close(&r);
}

static void assert_created_between(rig *r, int64_t after_us, int64_t before_us, int64_t expected)
{
    size_t count = 0;
    int64_t total = 0;
    sw_result *result = NULL;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.created_after_us = after_us;
    filter.created_before_us = before_us;
    assert_int_equal(sw_task_list(r->engine, &filter, &result, &r->error), 0);
    const sw_task_row *rows = sw_tasks(result, &count);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        assert_true(rows[i].created_us >= after_us &&
                    (before_us == 0 || rows[i].created_us < before_us));
    sw_result_free(result);
    assert_int_equal(sw_task_count(r->engine, &filter, counts, &r->error), 0);
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
        total += counts[state];
    assert_int_equal(total, expected);
}

static int64_t engine_now_us(rig *r)
{
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    assert_int_equal(sw_engine_info_get(r->engine, &info, &r->error), 0);
    return info.now_us;
}

/* Three tasks at each of nine times, a second apart. */
static void submit_lists_by_time(void **state)
{
    (void)state;
    rig r;
    const int64_t second_us = 1000000;
    rig_open(&r, "memory:", TWO_STEPS);
    assert_created_between(&r, 1, 0, 0);
    int64_t start_us = engine_now_us(&r);
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 3; k++)
            rig_submit(&r);
        fault_env_advance(&r.fault, second_us);
    }
    for (int64_t from = 0; from <= 10; from++) {
        for (int64_t to = from; to <= 10; to++) {
            int64_t expected = 3 * ((to < 9 ? to : 9) - (from < 9 ? from : 9));
            assert_created_between(&r, start_us + from * second_us, start_us + to * second_us,
                                   expected);
        }
        assert_created_between(&r, start_us + from * second_us, 0, 3 * (from < 9 ? 9 - from : 0));
        assert_created_between(&r, 0, start_us + from * second_us, 3 * (from < 9 ? from : 9));
        assert_created_between(&r, start_us + from * second_us - 1, start_us + from * second_us + 1,
                               from < 9 ? 3 : 0);
    }
    assert_created_between(&r, INT64_MAX, 0, 0);
    assert_created_between(&r, 0, INT64_MAX, 27);
    rig_close(&r);
}

static void submit_lists_in_pages(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    size_t seen = 0;
    rig_open(&r, "memory:", TWO_STEPS);
    for (int i = 0; i < 7; i++)
        rig_submit(&r);
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.limit = 3;
    filter.workflow = LIT("w");
    do {
        sw_result *result = NULL;
        assert_int_equal(sw_task_list(r.engine, &filter, &result, &r.error), 0);
        const sw_task_row *rows = sw_tasks(result, &count);
        for (size_t i = 1; i < count; i++)
            assert_true(memcmp(&rows[i].task_id, &rows[i - 1].task_id, sizeof(sw_uuid)) < 0);
        if (count)
            filter.before = rows[count - 1].task_id;
        seen += count;
        sw_result_free(result);
    } while (count > 0);
    assert_int_equal(seen, 7);
    filter.state = 99;
    sw_result *none = NULL;
    assert_int_equal(sw_task_list(r.engine, &filter, &none, &r.error), SW_EINVAL);
    rig_close(&r);
}

static void expect_reason(rig *r, const sw_uuid *task, const char *step, int reason)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_step_explain(r->engine, task, (sw_str){step, strlen(step)}, &result, &r->error);
    assert_int_equal(rc, 0);
    const sw_step_reason *rows = sw_step_reasons(result, &count);
    assert_int_equal(count, 1);
    assert_string_equal(sw_reason_name(rows[0].reason), sw_reason_name(reason));
    assert_true(rows[0].message.len > 10);
    sw_result_free(result);
}

static void submit_explains_every_state(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", TWO_STEPS);
    sw_uuid task = rig_submit(&r);
    expect_reason(&r, &task, "a", SW_REASON_MISSING_HANDLER);
    expect_reason(&r, &task, "b", SW_REASON_OPEN_DEPENDENCY);
    sw_worker_ref worker = rig_worker(&r, 60000);
    expect_reason(&r, &task, "a", SW_REASON_QUEUED);
    rig_claims(&r, &worker, "a");
    expect_reason(&r, &task, "a", SW_REASON_RUNNING);
    rig_report(&r, &worker, rig_outcome(&r, "a", SW_OUTCOME_FAILED_FOR_GOOD), SW_ROW_APPLIED);
    expect_reason(&r, &task, "b", SW_REASON_FAILED_DEPENDENCY);
    sw_result *result = NULL;
    assert_int_equal(sw_step_explain(r.engine, &task, LIT("zz"), &result, &r.error), SW_ENOTFOUND);
    rig_close(&r);
}

static void submit_wait_times_out_with_the_task(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", TWO_STEPS);
    sw_uuid task = rig_submit(&r);
    assert_int_equal(sw_task_wait(r.engine, &task, 0, &result, &r.error), SW_ETIMEOUT);
    assert_int_equal(sw_tasks(result, &count)[0].state, SW_TASK_PENDING);
    assert_non_null(sw_steps(result, &count));
    assert_int_equal(count, 2);
    sw_result_free(result);
    sw_cancel_row row = {.task_id = task};
    assert_int_equal(sw_task_cancel(r.engine, &row, 1, &r.error), 0);
    assert_int_equal(sw_task_wait(r.engine, &task, -1, &result, &r.error), 0);
    assert_int_equal(sw_steps(result, &count)[1].state, SW_STEP_CANCELLED);
    sw_result_free(result);
    rig_close(&r);
}

/* The store's clock never goes back, whatever the wall clock says after a restart. */
static void submit_clock_survives_a_restart(void **state)
{
    (void)state;
    rig r;
    char path[] = "/tmp/stepwell-clock-XXXXXX";
    char file[64];
    sw_engine_info before = SW_ENGINE_INFO_INIT;
    sw_engine_info after = SW_ENGINE_INFO_INIT;
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/clock.db", path);
    rig_open(&r, file, TWO_STEPS);
    rig_submit(&r);
    assert_int_equal(sw_engine_info_get(r.engine, &before, &r.error), 0);
    r.fault.wall_us -= 3600LL * 1000000;
    rig_reboot(&r, file, TWO_STEPS);
    rig_submit(&r);
    assert_int_equal(sw_engine_info_get(r.engine, &after, &r.error), 0);
    assert_true(after.now_us >= before.now_us);
    rig_verify(&r);
    rig_close(&r);
    unlink(file);
    rmdir(path);
}

static void open_refuses_bad_options(void **state)
{
    (void)state;
    sw_error error;
    sw_engine *engine = (sw_engine *)&error;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    assert_int_equal(sw_engine_open(NULL, &engine, &error), SW_EINVAL);
    assert_null(engine);
    assert_int_equal(sw_engine_open(&options, &engine, &error), SW_EINVAL);
    options.store = (sw_str){"a\0b", 3};
    assert_int_equal(sw_engine_open(&options, &engine, &error), SW_EINVAL);
    options.store = LIT("memory:");
    options.durability = 9;
    assert_int_equal(sw_engine_open(&options, &engine, &error), SW_EINVAL);
    options.durability = 0;
    options.busy_timeout_ms = -1;
    assert_int_equal(sw_engine_open(&options, &engine, &error), SW_EINVAL);
    assert_int_equal(sw_task_submit(NULL, NULL, 0, NULL, &error), SW_EINVAL);
    sw_engine_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(submit_key_names_one_task),
        cmocka_unit_test(submit_key_with_another_input_conflicts),
        cmocka_unit_test(submit_refuses_bad_rows),
        cmocka_unit_test(submit_newest_definition_wins),
        cmocka_unit_test(submit_keeps_its_definition),
        cmocka_unit_test(submit_lists_by_time),
        cmocka_unit_test(submit_lists_in_pages),
        cmocka_unit_test(submit_explains_every_state),
        cmocka_unit_test(submit_wait_times_out_with_the_task),
        cmocka_unit_test(submit_clock_survives_a_restart),
        cmocka_unit_test(open_refuses_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
