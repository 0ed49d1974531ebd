/* Forecasts of tasks on test clocks: every duration of the history is made by hand, so that the
 * answers can be computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "helper/rig.h"

#define TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})
#define SECOND INT64_C(1000000)
#define LEASE_MS 600000

/* fetch, then left and right side by side, then join. */
static const char diamond[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
    "{\"name\":\"fetch\"},"
    "{\"name\":\"left\",\"after\":[\"fetch\"],\"handler\":\"w.h\"},"
    "{\"name\":\"right\",\"after\":[\"fetch\"],\"handler\":\"w.h\",\"on_failure\":\"fail_task\"},"
    "{\"name\":\"join\",\"after\":[\"left\",\"right\"],\"on_failure\":\"continue\"},"
    "{\"name\":\"tail\",\"after\":[\"join\"],\"timeout_ms\":7000}]}";

typedef struct scene {
    rig r;
    sw_worker_ref worker;
    sw_uuid task;
    sw_result *result;
    const sw_forecast *forecast;
    const sw_forecast_step *steps;
} scene;

static void scene_open(scene *s, const char *definition)
{
    memset(s, 0, sizeof(*s));
    rig_open(&s->r, "memory:", definition);
    s->worker = rig_worker(&s->r, LEASE_MS);
}

static void scene_close(scene *s)
{
    sw_result_free(s->result);
    rig_close(&s->r);
}

static void pass(scene *s, int64_t seconds)
{
    fault_env_advance(&s->r.fault, seconds * SECOND);
}

/* Claim one step that is alone in being ready, let it take its time, report it. */
static void do_step(scene *s, const char *step, int64_t seconds, int outcome)
{
    rig_claims(&s->r, &s->worker, step);
    sw_step_outcome row = rig_outcome(&s->r, step, outcome);
    pass(s, seconds);
    rig_report(&s->r, &s->worker, row, SW_ROW_APPLIED);
}

/* left takes so long, right one second more. */
static void do_middle(scene *s, int64_t left)
{
    rig_claims(&s->r, &s->worker, "left right");
    sw_step_outcome rows[] = {rig_outcome(&s->r, "left", SW_OUTCOME_SUCCEEDED),
                              rig_outcome(&s->r, "right", SW_OUTCOME_SUCCEEDED)};
    pass(s, left);
    rig_report(&s->r, &s->worker, rows[0], SW_ROW_APPLIED);
    pass(s, 1);
    rig_report(&s->r, &s->worker, rows[1], SW_ROW_APPLIED);
}

/* A whole task: 10 s + (left + 1) + 2 s + 3 s. */
static sw_uuid do_task(scene *s, int64_t left)
{
    sw_uuid task = rig_submit(&s->r);
    do_step(s, "fetch", 10, SW_OUTCOME_SUCCEEDED);
    do_middle(s, left);
    do_step(s, "join", 2, SW_OUTCOME_SUCCEEDED);
    do_step(s, "tail", 3, SW_OUTCOME_SUCCEEDED);
    return task;
}

static int ask(scene *s, const sw_forecast_options *options)
{
    sw_result_free(s->result);
    s->forecast = NULL;
    int rc = sw_task_forecast(s->r.engine, options, &s->task, &s->result, &s->r.error);
    assert_int_equal(s->result == NULL, rc < 0);
    if (rc == SW_OK) {
        s->forecast = sw_forecasts(s->result, NULL);
        s->steps = sw_forecast_steps(s->result, NULL);
    }
    return rc;
}

static void ask_plain(scene *s)
{
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    assert_int_equal(ask(s, &options), SW_OK);
    assert_false(s->forecast->changed);
    assert_int_equal(s->forecast->difference_us[1], 0);
    assert_int_equal(s->forecast->what_if.left_us[1], s->forecast->base.left_us[1]);
}

static void ask_change(scene *s, sw_forecast_change change)
{
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.changes = &change;
    options.change_count = 1;
    assert_int_equal(ask(s, &options), SW_OK);
    assert_true(s->forecast->changed);
}

static const sw_forecast_step *step_of(const scene *s, const char *name)
{
    for (int64_t i = 0; i < s->forecast->step_count; i++) {
        sw_str found = s->steps[i].name;
        if (found.len == strlen(name) && memcmp(found.ptr, name, found.len) == 0)
            return &s->steps[i];
    }
    fail_msg("no step %s", name);
    return NULL;
}

static void assert_path(const sw_forecast_case *side, const char *expected)
{
    char text[256] = "";
    for (size_t i = 0; i < side->path_count; i++) {
        strcat(text, i ? " " : "");
        strncat(text, side->path[i].ptr, side->path[i].len);
    }
    assert_string_equal(text, expected);
}

static void assert_left(const sw_forecast_case *side, int64_t p10, int64_t p50, int64_t p90)
{
    assert_int_equal(side->left_us[0], p10 * SECOND);
    assert_int_equal(side->left_us[1], p50 * SECOND);
    assert_int_equal(side->left_us[2], p90 * SECOND);
}

static void test_without_history(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_int_equal(s.forecast->state, SW_TASK_PENDING);
    assert_int_equal(s.forecast->history_count, 0);
    assert_int_equal(s.forecast->workers_learnt, 0);
    assert_int_equal(s.forecast->base.workers, 1); /* one live worker */
    assert_int_equal(s.forecast->elapsed_us, 0);
    assert_int_equal(step_of(&s, "fetch")->source, SW_DURATION_FROM_DEFAULT);
    assert_int_equal(step_of(&s, "fetch")->sample_count, 0);
    assert_int_equal(step_of(&s, "fetch")->p50_us, 60 * SECOND);
    assert_int_equal(step_of(&s, "tail")->source, SW_DURATION_FROM_TIMEOUT);
    assert_int_equal(step_of(&s, "tail")->p95_us, 7 * SECOND);
    assert_left(&s.forecast->base, 247, 247, 247);
    assert_int_equal(s.forecast->calibration.task_count, 0);
    assert_int_equal(s.forecast->calibration.trusted, 0);
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.default_us = SECOND;
    options.workers = 2;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_left(&s.forecast->base, 10, 10, 10);
    scene_close(&s);
}

static void test_learns_from_ended_tasks(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int64_t left = 1; left <= 3; left++)
        do_task(&s, left);
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_int_equal(s.forecast->history_count, 3);
    assert_int_equal(s.forecast->workers_learnt, 1);
    assert_int_equal(s.forecast->base.workers, 2);
    const sw_forecast_step *left = step_of(&s, "left");
    assert_int_equal(left->source, SW_DURATION_FROM_STEP);
    assert_int_equal(left->sample_count, 3);
    assert_int_equal(left->p50_us, 2 * SECOND);
    assert_int_equal(left->p95_us, 3 * SECOND);
    assert_int_equal(step_of(&s, "right")->p50_us, 3 * SECOND);
    assert_left(&s.forecast->base, 17, 18, 19);
    assert_path(&s.forecast->base, "fetch right join tail");
    assert_int_equal(s.forecast->base.state, SW_TASK_SUCCEEDED);
    assert_int_equal(s.forecast->base.never_count, 0);
    assert_true(s.forecast->base.progress < 1e-9);
    assert_true(step_of(&s, "fetch")->decides > 0.999);
    assert_true(step_of(&s, "right")->decides > 0.6);
    double either = step_of(&s, "right")->decides + step_of(&s, "left")->decides;
    assert_true(fabs(either - 1) < 1e-9);
    scene_close(&s);
}

static void test_same_question_same_answer(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int64_t left = 1; left <= 6; left++)
        do_task(&s, left * left);
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    sw_forecast first = *s.forecast;
    double decides = step_of(&s, "left")->decides;
    ask_plain(&s);
    assert_memory_equal(first.base.left_us, s.forecast->base.left_us, sizeof(first.base.left_us));
    assert_int_equal(first.base.work_us, s.forecast->base.work_us);
    assert_true(fabs(decides - step_of(&s, "left")->decides) < 1e-12);
    scene_close(&s);
}

/* The second question finds what the first one has read: fewer blocks of memory tell. */
static void test_remembers_ended_tasks(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    do_task(&s, 1);
    s.task = rig_submit(&s.r);
    fault_env_arm(&s.r.fault, 0, false);
    ask_plain(&s);
    size_t first = s.r.fault.asked;
    int64_t left = s.forecast->base.left_us[1];
    fault_env_arm(&s.r.fault, 0, false);
    ask_plain(&s);
    assert_true(s.r.fault.asked + 3 < first);
    assert_int_equal(s.forecast->base.left_us[1], left);
    assert_int_equal(s.forecast->base.workers, 2);
    do_step(&s, "fetch", 10, SW_OUTCOME_SUCCEEDED);
    do_middle(&s, 3);
    do_step(&s, "join", 2, SW_OUTCOME_SUCCEEDED);
    do_step(&s, "tail", 3, SW_OUTCOME_SUCCEEDED);
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_int_equal(s.forecast->history_count, 2);
    assert_int_equal(step_of(&s, "left")->p95_us, 3 * SECOND);
    scene_close(&s);
}

static void test_midway(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int64_t left = 1; left <= 3; left++)
        do_task(&s, left * 10); /* left 10, 20, 30; right 11, 21, 31 */
    s.task = rig_submit(&s.r);
    do_step(&s, "fetch", 10, SW_OUTCOME_SUCCEEDED);
    rig_claims(&s.r, &s.worker, "left right");
    pass(&s, 25); /* both outlast all but the longest: 5 s and 6 s to go */
    ask_plain(&s);
    assert_int_equal(s.forecast->state, SW_TASK_RUNNING);
    assert_int_equal(s.forecast->elapsed_us, 35 * SECOND);
    assert_int_equal(s.forecast->ended_count, 1);
    assert_left(&s.forecast->base, 11, 11, 11);
    assert_int_equal(s.forecast->base.work_us, 16 * SECOND);
    /* 10 + 25 + 25 done, 5 + 6 + 2 + 3 to come */
    assert_true(fabs(s.forecast->base.progress - 60.0 / 76.0) < 1e-9);
    assert_path(&s.forecast->base, "right join tail");
    const sw_forecast_step *fetch = step_of(&s, "fetch");
    assert_int_equal(fetch->source, SW_DURATION_FROM_ENDED);
    assert_int_equal(fetch->p50_us, 10 * SECOND);
    assert_int_equal(fetch->runs, 0);
    assert_int_equal(step_of(&s, "left")->elapsed_us, 25 * SECOND);
    assert_int_equal(step_of(&s, "left")->overdue, 0);
    pass(&s, 15); /* 40 s: longer than ever; up to as long again */
    ask_plain(&s);
    assert_int_equal(step_of(&s, "left")->overdue, 1);
    assert_true(s.forecast->base.left_us[0] > 5 * SECOND);
    assert_true(s.forecast->base.left_us[2] < 45 * SECOND);
    scene_close(&s);
}

static void test_what_if(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int i = 0; i < 3; i++)
        do_task(&s, 4); /* 10, 4 | 5, 2, 3: 20 s */
    s.task = rig_submit(&s.r);

    ask_change(&s,
               (sw_forecast_change){.step = TEXT("left"), .kind = SW_FORECAST_SLOWER, .factor = 2});
    assert_left(&s.forecast->base, 20, 20, 20);
    assert_left(&s.forecast->what_if, 23, 23, 23);
    assert_int_equal(s.forecast->difference_us[1], 3 * SECOND);
    assert_path(&s.forecast->what_if, "fetch left join tail");
    assert_true(step_of(&s, "left")->decides < 1e-9);
    assert_true(step_of(&s, "left")->decides_what_if > 0.999);

    ask_change(&s, (sw_forecast_change){.step = TEXT("right"), .kind = SW_FORECAST_RESOLVE});
    assert_left(&s.forecast->what_if, 19, 19, 19);
    assert_path(&s.forecast->what_if, "fetch left join tail");
    assert_int_equal(s.forecast->what_if.state, SW_TASK_SUCCEEDED);
    assert_int_equal(s.forecast->what_if.never_count, 1);

    /* What needs all of its dependencies to succeed is skipped with one of them. */
    ask_change(&s, (sw_forecast_change){.step = TEXT("right"), .kind = SW_FORECAST_SKIP});
    assert_left(&s.forecast->what_if, 14, 14, 14);
    assert_path(&s.forecast->what_if, "fetch left");
    assert_int_equal(s.forecast->what_if.state, SW_TASK_SUCCEEDED);
    assert_int_equal(s.forecast->what_if.never_count, 3);

    /* Its dependents never run; the other branch does. */
    ask_change(&s, (sw_forecast_change){.step = TEXT("left"), .kind = SW_FORECAST_FAIL});
    assert_left(&s.forecast->what_if, 15, 15, 15);
    assert_int_equal(s.forecast->what_if.state, SW_TASK_FAILED);
    assert_int_equal(s.forecast->what_if.never_count, 2);
    assert_int_equal(step_of(&s, "join")->runs, 1);
    assert_int_equal(step_of(&s, "join")->runs_what_if, 0);

    /* fail_task */
    ask_change(&s, (sw_forecast_change){.step = TEXT("right"), .kind = SW_FORECAST_FAIL});
    assert_left(&s.forecast->what_if, 15, 15, 15);
    assert_int_equal(s.forecast->what_if.state, SW_TASK_FAILED);

    /* continue */
    ask_change(&s, (sw_forecast_change){.step = TEXT("join"), .kind = SW_FORECAST_FAIL});
    assert_left(&s.forecast->what_if, 20, 20, 20);
    assert_int_equal(s.forecast->what_if.state, SW_TASK_SUCCEEDED);
    scene_close(&s);
}

static void test_workers_and_resources(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int i = 0; i < 3; i++)
        do_task(&s, 4);
    s.task = rig_submit(&s.r);
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.workers = 1;
    options.more_workers = 1;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_left(&s.forecast->base, 24, 24, 24);
    assert_left(&s.forecast->what_if, 20, 20, 20);
    assert_int_equal(s.forecast->what_if.workers, 2);
    assert_int_equal(s.forecast->difference_us[2], -4 * SECOND);

    options.what_if_workers = 5;
    options.more_workers = -9;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_int_equal(s.forecast->what_if.workers, 1);

    const sw_str both[] = {TEXT("left"), TEXT("right")};
    const sw_forecast_resource one = {.steps = both, .step_count = 2, .seats = 1};
    options = (sw_forecast_options)SW_FORECAST_OPTIONS_INIT;
    options.resources = &one;
    options.resource_count = 1;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_left(&s.forecast->base, 20, 20, 20);
    assert_left(&s.forecast->what_if, 24, 24, 24);
    assert_path(&s.forecast->what_if, "fetch left right join tail");
    scene_close(&s);
}

/* Retries and the waits between them are part of a duration. */
static void test_retries(void **state)
{
    (void)state;
    static const char retried[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"retry\":{\"max_attempts\":3,"
        "\"backoff\":\"linear\",\"base_ms\":20000,\"jitter\":0}}]}";
    scene s;
    scene_open(&s, retried);
    rig_submit(&s.r);
    do_step(&s, "a", 5, SW_OUTCOME_FAILED);
    pass(&s, 20);
    do_step(&s, "a", 5, SW_OUTCOME_SUCCEEDED); /* 30 s in all */
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_left(&s.forecast->base, 30, 30, 30);
    do_step(&s, "a", 8, SW_OUTCOME_FAILED);
    pass(&s, 1);
    ask_plain(&s); /* it waits for its next attempt */
    assert_int_equal(step_of(&s, "a")->state, SW_STEP_READY);
    assert_int_equal(step_of(&s, "a")->elapsed_us, 9 * SECOND);
    assert_left(&s.forecast->base, 21, 21, 21);
    scene_close(&s);
}

/* An attempt that was given back has not begun. */
static void test_released_attempt_is_no_begin(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    s.task = rig_submit(&s.r);
    do_step(&s, "fetch", 100, SW_OUTCOME_RELEASED);
    ask_plain(&s);
    assert_int_equal(step_of(&s, "fetch")->elapsed_us, 0);
    do_step(&s, "fetch", 4, SW_OUTCOME_SUCCEEDED);
    ask_plain(&s);
    assert_int_equal(step_of(&s, "fetch")->p50_us, 4 * SECOND);
    scene_close(&s);
}

static void operate(scene *s, int64_t step_id, int state)
{
    sw_result *result = NULL;
    sw_step_override_row row = {
        .step_id = step_id, .state = state, .actor = TEXT("ann"), .reason = TEXT("again")};
    assert_int_equal(
        sw_step_override(s->r.engine, &row, 1, SW_BATCH_ALL_OR_NOTHING, &result, &s->r.error),
        SW_OK);
    sw_result_free(result);
}

/* A first run of `may` that fails after 3 s, as it may, and is taken up again long after; its
 * step_id. `must` keeps the task open. */
static int64_t do_in_vain(scene *s)
{
    s->task = rig_submit(&s->r);
    rig_claims(&s->r, &s->worker, "may must");
    sw_step_outcome row = rig_outcome(&s->r, "may", SW_OUTCOME_FAILED_FOR_GOOD);
    pass(s, 3);
    rig_report(&s->r, &s->worker, row, SW_ROW_APPLIED);
    pass(s, 100);
    operate(s, row.step_id, SW_STEP_READY);
    return row.step_id;
}

/* A step that is taken up again took as long as its newest run that has come to an end, and what
 * lies between two runs is no part of any. */
static void test_taken_up_again(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
                   "{\"name\":\"may\",\"on_failure\":\"continue\"},{\"name\":\"must\"}]}");
    do_in_vain(&s);
    ask_plain(&s);
    assert_int_equal(step_of(&s, "may")->elapsed_us, 0);
    do_step(&s, "may", 5, SW_OUTCOME_SUCCEEDED);
    ask_plain(&s);
    assert_int_equal(step_of(&s, "may")->p50_us, 5 * SECOND);

    operate(&s, do_in_vain(&s), SW_STEP_SKIPPED);
    ask_plain(&s);
    assert_int_equal(step_of(&s, "may")->p50_us, 3 * SECOND);
    scene_close(&s);
}

/* What the same handler took elsewhere stands in for a step that never ran. */
static void test_other_steps_of_the_handler(void **state)
{
    (void)state;
    static const char next[] =
        "{\"stepwell\":1,\"name\":\"w\",\"version\":\"2\",\"steps\":["
        "{\"name\":\"fetch\"},{\"name\":\"more\",\"after\":[\"fetch\"],\"handler\":\"w.h\"},"
        "{\"name\":\"left\",\"after\":[\"more\"],\"handler\":\"w.other\"}]}";
    scene s;
    scene_open(&s, diamond);
    do_task(&s, 4);
    sw_workflow_free(s.r.workflow);
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    load.env = &s.r.fault.env;
    sw_str text = {next, strlen(next)};
    assert_int_equal(sw_workflow_load(&load, text, &s.r.workflow, NULL, &s.r.error), 0);
    const sw_workflow *workflows[] = {s.r.workflow};
    assert_int_equal(sw_workflow_register(s.r.engine, workflows, 1, &s.r.error), 0);
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_int_equal(step_of(&s, "fetch")->source, SW_DURATION_FROM_STEP);
    assert_int_equal(step_of(&s, "more")->source, SW_DURATION_FROM_HANDLER);
    assert_int_equal(step_of(&s, "more")->sample_count, 2);
    assert_int_equal(step_of(&s, "more")->p50_us, 4 * SECOND);
    /* The same name, but other work. */
    assert_int_equal(step_of(&s, "left")->source, SW_DURATION_FROM_DEFAULT);
    scene_close(&s);
}

static void test_ended_tasks(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    s.task = do_task(&s, 4);
    pass(&s, 1000);
    ask_plain(&s);
    assert_int_equal(s.forecast->state, SW_TASK_SUCCEEDED);
    assert_int_equal(s.forecast->base.state, SW_TASK_SUCCEEDED);
    assert_int_equal(s.forecast->elapsed_us, 20 * SECOND);
    assert_int_equal(s.forecast->history_count, 0); /* not from itself */
    assert_left(&s.forecast->base, 0, 0, 0);
    assert_int_equal(s.forecast->base.path_count, 0);
    assert_true(fabs(s.forecast->base.progress - 1) < 1e-9);

    s.task = rig_submit(&s.r);
    do_step(&s, "fetch", 1, SW_OUTCOME_FAILED_FOR_GOOD);
    ask_plain(&s);
    assert_int_equal(s.forecast->base.state, SW_TASK_FAILED);
    assert_int_equal(s.forecast->base.never_count, 4);
    assert_left(&s.forecast->base, 0, 0, 0);

    s.task = rig_submit(&s.r);
    sw_cancel_row cancel = {.task_id = s.task, .actor = TEXT("ann"), .reason = TEXT("why")};
    assert_int_equal(sw_task_cancel(s.r.engine, &cancel, 1, &s.r.error), 0);
    ask_plain(&s);
    assert_int_equal(s.forecast->base.state, SW_TASK_CANCELLED);
    assert_left(&s.forecast->base, 0, 0, 0);

    sw_forecast_change change = {.step = TEXT("left"), .kind = SW_FORECAST_SKIP};
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.changes = &change;
    options.change_count = 1;
    assert_int_equal(ask(&s, &options), SW_ESTATE);
    assert_int_equal(s.r.error.row, 0);
    scene_close(&s);
}

static void test_failed_step_in_a_running_task(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int i = 0; i < 2; i++)
        do_task(&s, 4);
    s.task = rig_submit(&s.r);
    do_step(&s, "fetch", 10, SW_OUTCOME_SUCCEEDED);
    rig_claims(&s.r, &s.worker, "left right");
    sw_step_outcome row = rig_outcome(&s.r, "left", SW_OUTCOME_FAILED_FOR_GOOD);
    rig_report(&s.r, &s.worker, row, SW_ROW_APPLIED);
    ask_plain(&s);
    assert_int_equal(s.forecast->state, SW_TASK_RUNNING);
    assert_int_equal(s.forecast->base.state, SW_TASK_FAILED);
    assert_int_equal(s.forecast->base.never_count, 2);
    assert_left(&s.forecast->base, 5, 5, 5);
    scene_close(&s);
}

static void test_calibration(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    for (int i = 0; i < 4; i++)
        do_task(&s, 4); /* 20 s */
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_int_equal(s.forecast->calibration.task_count, 4);
    assert_int_equal(s.forecast->calibration.within_count, 4);
    assert_int_equal(s.forecast->calibration.trusted, 0);
    sw_cancel_row cancel = {.task_id = s.task, .actor = TEXT("ann"), .reason = TEXT("why")};
    assert_int_equal(sw_task_cancel(s.r.engine, &cancel, 1, &s.r.error), 0);
    do_task(&s, 4);
    do_task(&s, 24); /* 40 s, which none of the others expects */
    s.task = rig_submit(&s.r);
    ask_plain(&s);
    assert_int_equal(s.forecast->calibration.task_count, 6);
    assert_int_equal(s.forecast->calibration.trusted, 1);
    assert_int_equal(s.forecast->calibration.within_count, 5);
    assert_true(s.forecast->calibration.error < 1e-9); /* the median of 0, 0, 0, 0, 0, 0.5 */
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.calibrate = 1;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_int_equal(s.forecast->calibration.task_count, 1);
    assert_int_equal(s.forecast->calibration.within_count, 0);
    assert_true(fabs(s.forecast->calibration.error - 0.5) < 1e-9); /* |20 - 40| / 40 */
    options.calibrate = -1;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_int_equal(s.forecast->calibration.task_count, 0);
    options.history = 1;
    assert_int_equal(ask(&s, &options), SW_OK);
    assert_int_equal(s.forecast->history_count, 1);
    assert_left(&s.forecast->base, 40, 40, 40);
    scene_close(&s);
}

static void refuse(scene *s, const sw_forecast_options *options, int code, int64_t row)
{
    assert_int_equal(ask(s, options), code);
    assert_int_equal(s->r.error.row, row);
}

static void test_bad_questions(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, diamond);
    s.task = rig_submit(&s.r);
    do_step(&s, "fetch", 1, SW_OUTCOME_SUCCEEDED);
    const sw_forecast_options plain = SW_FORECAST_OPTIONS_INIT;
    sw_forecast_options options = plain;
#define REFUSE_NUMBER(field, value)                                                                \
    options = plain;                                                                               \
    options.field = (value);                                                                       \
    refuse(&s, &options, SW_EINVAL, -1);
    REFUSE_NUMBER(size, 4)
    REFUSE_NUMBER(workers, -1)
    REFUSE_NUMBER(what_if_workers, 2000000)
    REFUSE_NUMBER(more_workers, -2000000)
    REFUSE_NUMBER(draws, 100001)
    REFUSE_NUMBER(history, 1001)
    REFUSE_NUMBER(calibrate, -2)
    REFUSE_NUMBER(default_us, -1)
    REFUSE_NUMBER(change_count, 1)
    REFUSE_NUMBER(resource_count, 1)
    sw_forecast_change changes[] = {{.step = TEXT("left"), .kind = SW_FORECAST_SKIP},
                                    {.step = TEXT("left"), .kind = SW_FORECAST_SKIP}};
    options = plain;
    options.changes = changes;
    options.change_count = 2;
    refuse(&s, &options, SW_EINVAL, 1);
    changes[1].step = TEXT("nobody");
    refuse(&s, &options, SW_ENOTFOUND, 1);
    changes[1].step = TEXT("fetch");
    refuse(&s, &options, SW_ESTATE, 1);
    changes[1].kind = SW_FORECAST_KIND_COUNT;
    refuse(&s, &options, SW_EINVAL, 1);
    const double factors[] = {0, -1, 1e7, NAN, INFINITY};
    changes[1] = (sw_forecast_change){.step = TEXT("right"), .kind = SW_FORECAST_SLOWER};
    for (int i = 0; i < 5; i++) {
        changes[1].factor = factors[i];
        refuse(&s, &options, SW_EINVAL, 1);
    }
    const sw_str nobody[] = {TEXT("nobody")};
    sw_forecast_resource resources[9] = {{.steps = nobody, .step_count = 1, .seats = 1}};
    options = plain;
    options.resources = resources;
    options.resource_count = 1;
    refuse(&s, &options, SW_ENOTFOUND, -1);
    resources[0].seats = 0;
    refuse(&s, &options, SW_EINVAL, 0);
    resources[0] = (sw_forecast_resource){.step_count = 1, .seats = 1};
    refuse(&s, &options, SW_EINVAL, 0);
    options.resource_count = 9;
    refuse(&s, &options, SW_EINVAL, -1);
    s.task.bytes[0] ^= 1;
    refuse(&s, &plain, SW_ENOTFOUND, -1);
    sw_result *out = NULL;
    assert_int_equal(sw_task_forecast(s.r.engine, &plain, NULL, &out, NULL), SW_EINVAL);
    assert_int_equal(sw_task_forecast(s.r.engine, &plain, &s.task, NULL, NULL), SW_EINVAL);
    assert_int_equal(sw_task_forecast(NULL, &plain, &s.task, &out, NULL), SW_EINVAL);
    scene_close(&s);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(sw_forecast_kind_name(SW_FORECAST_SLOWER), "slower");
    assert_string_equal(sw_forecast_kind_name(SW_FORECAST_KIND_COUNT), "unknown");
    assert_int_equal(sw_forecast_kind_find(TEXT("skip")), SW_FORECAST_SKIP);
    assert_int_equal(sw_forecast_kind_find(TEXT("skips")), SW_ENOTFOUND);
    assert_string_equal(sw_duration_source_name(SW_DURATION_FROM_TIMEOUT), "timeout");
    assert_string_equal(sw_duration_source_name(-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_history),
        cmocka_unit_test(test_learns_from_ended_tasks),
        cmocka_unit_test(test_same_question_same_answer),
        cmocka_unit_test(test_remembers_ended_tasks),
        cmocka_unit_test(test_midway),
        cmocka_unit_test(test_what_if),
        cmocka_unit_test(test_workers_and_resources),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_released_attempt_is_no_begin),
        cmocka_unit_test(test_taken_up_again),
        cmocka_unit_test(test_other_steps_of_the_handler),
        cmocka_unit_test(test_ended_tasks),
        cmocka_unit_test(test_failed_step_in_a_running_task),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_bad_questions),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
