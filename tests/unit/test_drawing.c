/* Pictures of graphs and of tasks: marks that an analysis finds, states and times of a history made
 * by hand, what steps are learnt to take, and every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "helper/pictures.h"
#include "helper/rig.h"

#define TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})
#define SECOND INT64_C(1000000)
#define LEASE_MS 600000
#define MARKS_ALL                                                                                  \
    (SW_PICTURE_CRITICAL | SW_PICTURE_REDUNDANT | SW_PICTURE_SLACK | SW_PICTURE_DURATION)

static const char diamond[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"fetch\"},"
    "{\"name\":\"left\",\"after\":[\"fetch\"],\"retry\":{\"max_attempts\":2,"
    "\"backoff\":\"none\"}},"
    "{\"name\":\"right\",\"after\":[\"fetch\"],\"timeout_ms\":7000},"
    "{\"name\":\"join\",\"after\":[\"left\",\"right\",\"fetch\"]}]}";

/* 0 -> 1 -> 3, 0 -> 2 -> 3, 0 -> 3. */
static sw_graph *graph_make(const sw_env *env)
{
    static const int32_t from[] = {0, 0, 1, 2, 0}, to[] = {1, 2, 3, 3, 3};
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    options.env = env;
    sw_graph_new(&options, 4, from, to, 5, &graph, NULL);
    return graph;
}

static const char *picture_text(const sw_result *result)
{
    size_t count = 0;
    const sw_picture *picture = sw_pictures(result, &count);
    assert_int_equal(count, 1);
    return picture->text.ptr;
}

static const char *graph_drawn(int format, int32_t marks, const int64_t *durations,
                               sw_result **result)
{
    sw_graph *graph = graph_make(NULL);
    sw_error error;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = format;
    options.marks = marks;
    if (sw_graph_picture(graph, &options, durations, result, &error) != SW_OK)
        fail_msg("%s", error.message);
    sw_graph_free(graph);
    return picture_text(*result);
}

static const int64_t durations[] = {SECOND, 5 * SECOND, 2 * SECOND, SECOND};

static void test_a_graph_with_marks(void **state)
{
    (void)state;
    sw_result *result = NULL;
    const char *json = graph_drawn(SW_PICTURE_JSON, MARKS_ALL, durations, &result);
    assert_text_has(json, "\"name\":\"1\",\"label\":\"1\",\"state\":null,\"critical\":true,"
                          "\"duration_us\":5000000,\"slack_us\":0");
    assert_text_has(json, "\"name\":\"2\",\"label\":\"2\",\"state\":null,\"critical\":false,"
                          "\"duration_us\":2000000,\"slack_us\":3000000");
    assert_text_has(json, "{\"from\":0,\"to\":1,\"critical\":true,\"redundant\":false");
    assert_text_has(json, "{\"from\":0,\"to\":3,\"critical\":false,\"redundant\":true");
    sw_result_free(result);
}

/* Nothing is marked that was not asked for. */
static void test_a_graph_without_marks(void **state)
{
    (void)state;
    sw_result *result = NULL;
    const char *json = graph_drawn(SW_PICTURE_JSON, 0, durations, &result);
    assert_text_lacks(json, "true");
    assert_text_has(json, "\"duration_us\":null,\"slack_us\":null");
    sw_result_free(result);
    json = graph_drawn(SW_PICTURE_JSON, MARKS_ALL, NULL, &result);
    assert_text_has(json, "\"critical\":true,\"duration_us\":null,\"slack_us\":null");
    sw_result_free(result);
}

static void test_slack_in_every_format(void **state)
{
    (void)state;
    sw_result *result = NULL;
    assert_text_has(graph_drawn(SW_PICTURE_SVG, MARKS_ALL, durations, &result),
                    ">2.000s, slack 3.000s<");
    assert_text_has(picture_text(result), ">1.000s, no slack<");
    sw_result_free(result);
    assert_text_has(graph_drawn(SW_PICTURE_MERMAID, MARKS_ALL, durations, &result),
                    "n2[\"2<br/>2.000s, slack 3.000s\"]");
    assert_text_has(picture_text(result), "n0 -.-> n3");
    sw_result_free(result);
    assert_text_has(graph_drawn(SW_PICTURE_DOT, SW_PICTURE_SLACK, durations, &result),
                    "label=\"2\\nslack 3.000s\"");
    sw_result_free(result);
    assert_string_equal(graph_drawn(SW_PICTURE_TEXT, MARKS_ALL, durations, &result),
                        "           ┏━━━┓\n"
                        "           ┃ 0 ┃\n"
                        "           ┗━┯━┛\n"
                        "  ╭──────────┼┄┄┄┄┄┄┄┄╮\n"
                        "┏━┷━┓  ╭─────┴─────╮  ┊\n"
                        "┃ 1 ┃  │ 2 +3.000s │  ┊\n"
                        "┗━┯━┛  ╰─────┬─────╯  ┊\n"
                        "  ╰──────────┼┄┄┄┄┄┄┄┄╯\n"
                        "           ┏━┷━┓\n"
                        "           ┃ 3 ┃\n"
                        "           ┗━━━┛\n");
    sw_result_free(result);
}

static void test_errors_of_a_graph(void **state)
{
    (void)state;
    static const int32_t from[] = {0, 1}, to[] = {1, 0};
    static const int64_t negative[] = {1, -1, 1, 1};
    sw_graph_options graph_options = SW_GRAPH_OPTIONS_INIT;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    sw_graph *graph = graph_make(NULL), *circle = NULL;
    sw_result *result = NULL;
    sw_error error;
    assert_int_equal(sw_graph_picture(graph, &options, NULL, NULL, &error), SW_EINVAL);
    assert_int_equal(sw_graph_picture(NULL, &options, NULL, &result, &error), SW_EINVAL);
    assert_int_equal(sw_graph_picture(graph, NULL, NULL, &result, &error), SW_EINVAL);
    assert_int_equal(sw_graph_picture(graph, &options, negative, &result, &error), SW_EINVAL);
    assert_int_equal(error.row, 1);
    options.marks = 16;
    assert_int_equal(sw_graph_picture(graph, &options, NULL, &result, &error), SW_EINVAL);
    options.marks = MARKS_ALL;
    assert_int_equal(sw_graph_new(&graph_options, 2, from, to, 2, &circle, &error), SW_OK);
    assert_int_equal(sw_graph_picture(circle, &options, NULL, &result, &error), SW_EDEFINITION);
    sw_graph_free(circle);
    assert_int_equal(sw_graph_new(&graph_options, 1000000, NULL, NULL, 0, &circle, &error), SW_OK);
    assert_int_equal(sw_graph_picture(circle, &options, NULL, &result, &error), SW_ELIMIT);
    sw_graph_free(circle);
    assert_null(result);
    sw_graph_free(graph);
}

static int draw_in(const sw_env *env, void *context)
{
    (void)context;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.env = env;
    options.format = SW_PICTURE_TEXT;
    options.marks = MARKS_ALL;
    sw_graph *graph = graph_make(env);
    int rc = graph ? sw_graph_picture(graph, &options, durations, &result, NULL) : SW_ENOMEM;
    sw_result_free(result);
    sw_graph_free(graph);
    return rc;
}

static void test_no_memory(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, draw_in, NULL) > 10);
}

/* Tasks. */

static void work(rig *r, const sw_worker_ref *worker, const char *step, int64_t seconds,
                 int outcome)
{
    sw_step_outcome row = rig_outcome(r, step, outcome);
    if (outcome == SW_OUTCOME_FAILED)
        row.error_class = TEXT("TimeoutError");
    fault_env_advance(&r->fault, seconds * SECOND);
    rig_report(r, worker, row, SW_ROW_APPLIED);
}

/* fetch takes a second, left fails after two and takes three, right takes six, join waits. */
static sw_uuid work_most(rig *r, const sw_worker_ref *worker)
{
    sw_uuid task = rig_submit(r);
    rig_claims(r, worker, "fetch");
    work(r, worker, "fetch", 1, SW_OUTCOME_SUCCEEDED);
    rig_claims(r, worker, "left right");
    sw_step_outcome right = rig_outcome(r, "right", SW_OUTCOME_SUCCEEDED);
    work(r, worker, "left", 2, SW_OUTCOME_FAILED);
    fault_env_advance(&r->fault, SECOND);
    rig_claims(r, worker, "left");
    work(r, worker, "left", 3, SW_OUTCOME_SUCCEEDED);
    rig_report(r, worker, right, SW_ROW_APPLIED);
    return task;
}

static const char *task_drawn(rig *r, const sw_uuid *task, int32_t marks, const int64_t *given,
                              sw_result **result)
{
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = SW_PICTURE_JSON;
    options.marks = marks;
    if (sw_task_picture(r->engine, &options, given, task, result, &r->error) != SW_OK)
        fail_msg("%s", r->error.message);
    return picture_text(*result);
}

static void test_a_task_as_it_stands(void **state)
{
    (void)state;
    rig r;
    sw_result *result = NULL;
    rig_open(&r, "memory:", diamond);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    sw_uuid task = work_most(&r, &worker);
    const char *json = task_drawn(&r, &task, 0, NULL, &result);
    assert_text_has(json, "{\"title\":\"w\",");
    assert_text_has(json, "\"name\":\"left\",\"label\":\"left\",\"state\":\"succeeded\","
                          "\"critical\":false,\"duration_us\":5000000,\"slack_us\":null");
    assert_text_has(json, "\"name\":\"join\",\"label\":\"join\",\"state\":\"ready\","
                          "\"critical\":false,\"duration_us\":null");
    sw_result_free(result);
    json = task_drawn(&r, &task, MARKS_ALL, NULL, &result);
    assert_text_has(json, "\"name\":\"left\",\"label\":\"left\",\"state\":\"succeeded\","
                          "\"critical\":false,\"duration_us\":5000000,\"slack_us\":1000000");
    assert_text_has(json, "\"name\":\"right\",\"label\":\"right\",\"state\":\"succeeded\","
                          "\"critical\":true,\"duration_us\":6000000,\"slack_us\":0");
    assert_text_has(json, "\"name\":\"join\",\"label\":\"join\",\"state\":\"ready\","
                          "\"critical\":true,\"duration_us\":60000000");
    sw_result_free(result);
    rig_close(&r);
}

/* What has not ended takes what ended tasks took, or what the caller says. */
static void test_what_is_to_come(void **state)
{
    (void)state;
    static const int64_t given[] = {9 * SECOND, 9 * SECOND, 9 * SECOND, 4 * SECOND};
    rig r;
    sw_result *result = NULL;
    rig_open(&r, "memory:", diamond);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    work_most(&r, &worker);
    rig_claims(&r, &worker, "join");
    work(&r, &worker, "join", 8, SW_OUTCOME_SUCCEEDED);
    sw_uuid task = rig_submit(&r);
    const char *json = task_drawn(&r, &task, MARKS_ALL, NULL, &result);
    assert_text_has(json, "\"name\":\"join\",\"label\":\"join\",\"state\":\"pending\","
                          "\"critical\":true,\"duration_us\":8000000");
    sw_result_free(result);
    json = task_drawn(&r, &task, MARKS_ALL, given, &result);
    assert_text_has(json, "\"name\":\"join\",\"label\":\"join\",\"state\":\"pending\","
                          "\"critical\":true,\"duration_us\":4000000");
    sw_result_free(result);
    rig_close(&r);
}

static void test_learnt_durations(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", diamond);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    assert_int_equal(sw_workflow_durations(r.engine, r.workflow, 0, &result, &r.error), SW_OK);
    const sw_step_duration *rows = sw_step_durations(result, &count);
    assert_int_equal(count, 4);
    assert_int_equal(rows[0].source, SW_DURATION_FROM_DEFAULT);
    assert_int_equal(rows[2].source, SW_DURATION_FROM_TIMEOUT);
    assert_int_equal(rows[2].sample_count, 0);
    assert_int_equal(rows[2].p50_us, 7 * SECOND);
    sw_result_free(result);
    work_most(&r, &worker);
    rig_claims(&r, &worker, "join");
    work(&r, &worker, "join", 8, SW_OUTCOME_SUCCEEDED);
    assert_int_equal(sw_workflow_durations(r.engine, r.workflow, 1, &result, &r.error), SW_OK);
    rows = sw_step_durations(result, &count);
    assert_int_equal(rows[1].source, SW_DURATION_FROM_STEP);
    assert_int_equal(rows[1].sample_count, 1);
    assert_int_equal(rows[1].p50_us, 6 * SECOND); /* with the wait between two attempts */
    assert_int_equal(rows[3].p95_us, 8 * SECOND);
    sw_result_free(result);
    assert_int_equal(sw_workflow_durations(r.engine, r.workflow, 1001, &result, &r.error),
                     SW_EINVAL);
    assert_int_equal(sw_workflow_durations(r.engine, NULL, 0, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_workflow_durations(r.engine, r.workflow, 0, NULL, &r.error), SW_EINVAL);
    rig_close(&r);
}

static void test_attempts_of_a_task(void **state)
{
    (void)state;
    rig r;
    sw_result *result = NULL;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    rig_open(&r, "memory:", diamond);
    sw_worker_ref worker = rig_worker(&r, LEASE_MS);
    sw_uuid task = work_most(&r, &worker);
    options.format = SW_PICTURE_JSON;
    assert_int_equal(sw_task_gantt(r.engine, &options, &task, &result, &r.error), SW_OK);
    const char *json = picture_text(result);
    assert_text_has(json, "\"name\":\"left\",\"line\":1,\"attempt\":1,\"state\":\"failed\"");
    assert_text_has(json, "\"attempt\":2,\"state\":\"succeeded\"");
    assert_text_has(json, "\"name\":\"join\",\"line\":3,\"attempt\":0,\"state\":\"ready\"");
    sw_result_free(result);
    options.format = SW_PICTURE_DOT;
    assert_int_equal(sw_task_gantt(r.engine, &options, &task, &result, &r.error), SW_EINVAL);
    assert_null(result);
    rig_close(&r);
}

static void test_errors_of_a_task(void **state)
{
    (void)state;
    rig r;
    sw_uuid nobody = {{1}};
    sw_result *result = NULL;
    sw_picture_options picture = SW_PICTURE_OPTIONS_INIT;
    sw_gantt_options gantt = SW_GANTT_OPTIONS_INIT;
    rig_open(&r, "memory:", diamond);
    assert_int_equal(sw_task_picture(r.engine, &picture, NULL, &nobody, &result, &r.error),
                     SW_ENOTFOUND);
    assert_int_equal(sw_task_picture(r.engine, NULL, NULL, &nobody, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_picture(r.engine, &picture, NULL, NULL, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_picture(r.engine, &picture, NULL, &nobody, NULL, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_gantt(r.engine, &gantt, &nobody, &result, &r.error), SW_ENOTFOUND);
    assert_int_equal(sw_task_gantt(r.engine, NULL, &nobody, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_task_gantt(NULL, &gantt, &nobody, &result, &r.error), SW_EINVAL);
    assert_null(result);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_graph_with_marks),
        cmocka_unit_test(test_a_graph_without_marks),
        cmocka_unit_test(test_slack_in_every_format),
        cmocka_unit_test(test_errors_of_a_graph),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_a_task_as_it_stands),
        cmocka_unit_test(test_what_is_to_come),
        cmocka_unit_test(test_learnt_durations),
        cmocka_unit_test(test_attempts_of_a_task),
        cmocka_unit_test(test_errors_of_a_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
