/* worker/runner with a whole engine: what it runs, and what it does with the outcomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "helper/running.h"
#include "worker/attempt.h"

static const char all_kinds[] =
    "{\"stepwell\":1,\"name\":\"all\",\"steps\":["
    "{\"name\":\"start\",\"handler\":\"noop\"},"
    "{\"name\":\"pause\",\"handler\":\"wait\",\"after\":[\"start\"],\"parameters\":{\"seconds\":0."
    "05}},"
    "{\"name\":\"write\",\"handler\":\"create_file\",\"after\":[\"pause\"],"
    "\"parameters\":{\"path\":\"out/a.txt\",\"content\":\"hi\"}},"
    "{\"name\":\"show\",\"handler\":\"command\",\"after\":[\"write\"],"
    "\"parameters\":{\"command\":\"cat\",\"args\":[\"out/a.txt\"]}},"
    "{\"name\":\"read\",\"handler\":\"read_file\",\"after\":[\"write\"],"
    "\"parameters\":{\"path\":\"out/a.txt\"}},"
    "{\"name\":\"remove\",\"handler\":\"delete_file\",\"after\":[\"show\",\"read\"],"
    "\"parameters\":{\"path\":\"out/a.txt\"}}]}";

static void all_kinds_on(const char *store)
{
    live l;
    live_open(&l, store, all_kinds);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 2, 0);
    running_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    assert_non_null(strstr(live_step(&l, &task, "show")->result.ptr, "\"stdout\":\"hi\""));
    assert_string_equal(live_step(&l, &task, "remove")->result.ptr,
                        "{\"path\":\"out/a.txt\",\"existed\":true,\"deleted\":true}");
    assert_null(live_step(&l, &task, "pause")->result.ptr);
    /* A task that has ended is not waited for. */
    running_until(&l, runner, &task);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_runs_every_kind(void **state)
{
    (void)state;
    char store[128];
    snprintf(store, sizeof(store), "%s/all.db", running_directory);
    all_kinds_on("memory:");
    all_kinds_on(store);
}

static void test_runner_options(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", NULL);
    sw_runner *runner = NULL;
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    options.root = (sw_str){"/no/such/directory", 18};
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EACCESS);
    assert_non_null(strstr(l.error.message, "/no/such/directory"));
    options = (sw_runner_options)SW_RUNNER_OPTIONS_INIT;
    options.threads = 1025;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options.threads = -1;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options = (sw_runner_options)SW_RUNNER_OPTIONS_INIT;
    options.output_max = 16 * 1024 * 1024 + 1;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options = (sw_runner_options)SW_RUNNER_OPTIONS_INIT;
    options.lease_ms = -1;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    options.size = 4;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), SW_EINVAL);
    assert_int_equal(sw_runner_open(NULL, &options, &runner, &l.error), SW_EINVAL);
    assert_null(runner);
    assert_int_equal(sw_runner_run(NULL, NULL, &l.error), SW_EINVAL);
    sw_runner_stop(NULL);
    sw_runner_close(NULL);
    size_t count = 0;
    const sw_str *kinds = sw_runner_kinds(&count);
    assert_int_equal(count, 6);
    assert_memory_equal(kinds[2].ptr, "command", 7);
    live_close(&l);
}

static void test_runner_of_one_task(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", all_kinds);
    sw_uuid other = live_submit(&l);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = NULL;
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    options.root = (sw_str){running_directory, strlen(running_directory)};
    options.task = &task;
    assert_int_equal(sw_runner_open(l.engine, &options, &runner, &l.error), 0);
    running_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    assert_int_equal(live_state(&l, &other), SW_TASK_PENDING);
    sw_runner_close(runner);
    live_close(&l);
}

static void test_runner_until_an_unknown_task(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", all_kinds);
    sw_runner *runner = running_open(&l, 1, 0);
    sw_uuid task = {{1}};
    assert_int_equal(sw_runner_run(runner, &task, &l.error), SW_ENOTFOUND);
    sw_runner_close(runner);
    live_close(&l);
}

/* Outcomes do not wait for new work, and new work does not wait for outcomes. */
static void test_runner_keeps_all_threads_busy(void **state)
{
    (void)state;
    char definition[2048] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"long\",\"handler\":\"wait\",\"parameters\":{\"seconds\":2}}";
    for (int i = 0; i < 10; i++)
        sprintf(definition + strlen(definition),
                ",{\"name\":\"s%d\",\"handler\":\"wait\",\"parameters\":{\"seconds\":0.15}%s%d%s}",
                i, i ? ",\"after\":[\"s" : ",\"priority\":", i ? i - 1 : 1, i ? "\"]" : "");
    strcat(definition, "]}");
    live l;
    live_open(&l, "memory:", definition);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 4, 0);
    int64_t before_ms = live_now_ms();
    running_until(&l, runner, &task);
    int64_t took_ms = live_now_ms() - before_ms;
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    /* The chain of ten ran beside the long wait. */
    assert_true(took_ms >= 2000 && took_ms < 3400);
    sw_runner_close(runner);
    live_close(&l);
}

static void wide_on(const char *store, int tasks)
{
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"a\",\"handler\":\"noop\"},"
        "{\"name\":\"b\",\"handler\":\"noop\",\"after\":[\"a\"]},"
        "{\"name\":\"c\",\"handler\":\"noop\",\"after\":[\"a\"]},"
        "{\"name\":\"d\",\"handler\":\"noop\",\"after\":[\"b\",\"c\"]}]}";
    live l;
    live_open(&l, store, definition);
    sw_uuid ids[100];
    for (int i = 0; i < tasks; i++)
        ids[i] = live_submit(&l);
    sw_runner *runner = running_open(&l, 8, 0);
    for (int i = 0; i < tasks; i++) {
        running_until(&l, runner, &ids[i]);
        assert_int_equal(live_state(&l, &ids[i]), SW_TASK_SUCCEEDED);
    }
    for (int i = 0; i < tasks; i++)
        assert_int_equal(live_step(&l, &ids[i], "d")->attempt, 1);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

static void test_runner_many_tasks(void **state)
{
    (void)state;
    char store[128];
    snprintf(store, sizeof(store), "%s/wide.db", running_directory);
    wide_on("memory:", 100);
    wide_on(store, 20);
}

static void test_runner_failures(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"again\",\"handler\":\"command\",\"parameters\":{\"command\":\"sh\",\"args\":"
        "[\"-c\",\"[ $STEPWELL_ATTEMPT = 3 ]\"]},\"retry\":{\"max_attempts\":3,\"base_ms\":10}},"
        "{\"name\":\"never\",\"handler\":\"command\",\"parameters\":{\"command\":\"no-such-program-"
        "1\"},"
        "\"retry\":{\"max_attempts\":3,\"base_ms\":10}},"
        "{\"name\":\"slow\",\"handler\":\"command\",\"timeout_ms\":200,\"parameters\":"
        "{\"command\":\"sleep\",\"args\":[\"30\"]}},"
        "{\"name\":\"out\",\"handler\":\"read_file\",\"parameters\":{\"path\":\"../secret\"}}]}";
    live l;
    live_open(&l, "memory:", definition);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 4, 0);
    running_until(&l, runner, &task);
    assert_int_equal(live_state(&l, &task), SW_TASK_FAILED);
    assert_int_equal(live_step(&l, &task, "again")->state, SW_STEP_SUCCEEDED);
    assert_int_equal(live_step(&l, &task, "again")->attempt, 3);
    assert_string_equal(live_step(&l, &task, "never")->error_class.ptr, "CommandNotFound");
    assert_int_equal(live_step(&l, &task, "never")->attempt, 1);
    assert_string_equal(live_step(&l, &task, "slow")->error_class.ptr, "Timeout");
    assert_string_equal(live_step(&l, &task, "out")->error_class.ptr, "PathRefused");
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&l);
}

/* A result that the engine refuses harms its own step only. */
static void test_runner_result_is_refused(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
        "{\"name\":\"large\",\"handler\":\"command\",\"parameters\":{\"command\":\"head\",\"args\":"
        "[\"-c\",\"2000\",\"/dev/zero\"]}},"
        "{\"name\":\"small\",\"handler\":\"command\",\"parameters\":{\"command\":\"true\"}}]}";
    live l = {0};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){"memory:", 7};
    options.payload_max = 1000;
    assert_int_equal(sw_engine_open(&options, &l.engine, &l.error), 0);
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    assert_int_equal(sw_workflow_load(&load, (sw_str){definition, strlen(definition)}, &l.workflow,
                                      NULL, &l.error),
                     0);
    const sw_workflow *workflows[] = {l.workflow};
    assert_int_equal(sw_workflow_register(l.engine, workflows, 1, &l.error), 0);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 2, 0);
    running_until(&l, runner, &task);
    assert_int_equal(live_step(&l, &task, "large")->state, SW_STEP_FAILED);
    assert_string_equal(live_step(&l, &task, "large")->error_class.ptr, "ResultRefused");
    assert_int_equal(live_step(&l, &task, "small")->state, SW_STEP_SUCCEEDED);
    sw_runner_close(runner);
    live_close(&l);
}

static void test_runner_task_ended_by_another(void **state)
{
    (void)state;
    char store[128];
    background b;
    live l;
    live other;
    snprintf(store, sizeof(store), "%s/two.db", running_directory);
    live_open(&l, store, all_kinds);
    live_open(&other, store, NULL);
    sw_uuid task = live_submit(&l);
    sw_runner *runner = running_open(&l, 1, 0);
    sw_runner *rival = running_open(&other, 1, 0);
    background_start(&b, rival, &task);
    running_until(&l, runner, &task);
    background_join(&b);
    assert_int_equal(live_state(&l, &task), SW_TASK_SUCCEEDED);
    sw_runner_close(rival);
    sw_runner_close(runner);
    live_verify(&l);
    live_close(&other);
    live_close(&l);
}

/* The reference page lists every kind, every error class and whether it is tried again. */
static void test_reference_page(void **state)
{
    (void)state;
    static char page[1 << 16];
    char row[256];
    size_t count = 0;
    FILE *file = fopen(SW_SOURCE_DIR "/docs/reference/step-kinds.md", "r");
    assert_non_null(file);
    assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
    fclose(file);
    const sw_str *kinds = sw_runner_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        snprintf(row, sizeof(row), "\n## `%s`\n", kinds[i].ptr);
        assert_non_null(strstr(page, row));
    }
#define CLASS_ROW(name, text, outcome)                                                             \
    snprintf(row, sizeof(row), "\n| `%s` | %s |", text,                                            \
             SW_OUTCOME_##outcome == SW_OUTCOME_FAILED ? "yes" : "no");                            \
    if (!strstr(page, row))                                                                        \
        fail_msg("the page lacks: %s", row);
    SW__CLASS_MAP(CLASS_ROW)
#undef CLASS_ROW
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runner_runs_every_kind),
        TEST(test_runner_options),
        TEST(test_runner_of_one_task),
        TEST(test_runner_until_an_unknown_task),
        TEST(test_runner_keeps_all_threads_busy),
        TEST(test_runner_many_tasks),
        TEST(test_runner_failures),
        TEST(test_runner_result_is_refused),
        TEST(test_runner_task_ended_by_another),
        TEST(test_reference_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
