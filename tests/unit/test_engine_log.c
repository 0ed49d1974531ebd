/* Log records of the engine: what is said, when, and that nothing is locked meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/fault_env.h"
#include "stepwell.h"

#define LIT(text) ((sw_str){(text), sizeof(text) - 1})

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"retry\":{\"max_attempts\":2,"
    "\"backoff\":\"none\"}}]}";

typedef struct sink {
    sw_engine *engine;
    char said[512];
} sink;

/* A sink may use the engine: it is never called while the engine's lock is held. */
static void sink_write(void *context, int level, const char *event, const sw_log_field *fields,
                       size_t field_count)
{
    sink *s = context;
    sw_error error;
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    assert_int_equal(sw_engine_info_get(s->engine, &info, &error), 0);
    assert_true(field_count > 0);
    size_t used = strlen(s->said);
    snprintf(s->said + used, sizeof s->said - used, "%s:%s ", sw_log_level_name(level), event);
    for (size_t i = 0; i < field_count; i++)
        assert_non_null(fields[i].key);
}

typedef struct stage {
    fault_env fault;
    sink sink;
    sw_log log;
    sw_worker_ref worker;
    sw_error error;
} stage;

static void stage_open(stage *s, int level)
{
    memset(s, 0, sizeof *s);
    fault_env_init(&s->fault);
    s->log =
        (sw_log){.size = sizeof s->log, .level = level, .context = &s->sink, .write = sink_write};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = LIT("memory:");
    options.env = &s->fault.env;
    options.log = &s->log;
    assert_int_equal(sw_engine_open(&options, &s->sink.engine, &s->error), 0);
    sw_workflow *workflow = NULL;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    assert_int_equal(sw_workflow_load(&load, LIT(definition), &workflow, NULL, &s->error), 0);
    const sw_workflow *workflows[] = {workflow};
    assert_int_equal(sw_workflow_register(s->sink.engine, workflows, 1, &s->error), 0);
    sw_workflow_free(workflow);
    sw_str handler = LIT("w.a");
    sw_worker_options join = SW_WORKER_OPTIONS_INIT;
    join.handlers = &handler;
    join.handler_count = 1;
    assert_int_equal(sw_worker_open(s->sink.engine, &join, &s->worker, &s->error), 0);
}

static void stage_submit(stage *s)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = LIT("w")};
    assert_int_equal(sw_task_submit(s->sink.engine, &row, 1, &result, &s->error), 0);
    sw_result_free(result);
}

/* Report a failure of row, when there is one, and claim the next attempt into it. */
static void stage_fail(stage *s, sw_step_outcome *row)
{
    size_t count = 0;
    sw_result *result = NULL;
    row->outcome = SW_OUTCOME_FAILED;
    row->error_class = LIT("Boom");
    assert_int_equal(sw_step_exchange(s->sink.engine, &s->worker, row, row->step_id != 0, 1, 0,
                                      &result, &s->error),
                     0);
    const sw_step_claim *claims = sw_step_claims(result, &count);
    if (count) {
        row->step_id = claims[0].step_id;
        row->epoch = claims[0].epoch;
    }
    sw_result_free(result);
}

static void log_tells_a_failing_task(void **state)
{
    (void)state;
    stage s;
    sw_step_outcome row = {0};
    stage_open(&s, SW_LOG_DEBUG);
    stage_submit(&s);
    stage_fail(&s, &row);
    assert_string_equal(s.sink.said, "");
    stage_fail(&s, &row);
    assert_string_equal(s.sink.said, "info:step.retried ");
    stage_fail(&s, &row);
    assert_string_equal(s.sink.said, "info:step.retried warn:step.failed info:task.finished ");
    s.sink.said[0] = '\0';
    stage_fail(&s, &row);
    assert_string_equal(s.sink.said, "warn:report.fenced ");
    sw_engine_close(s.sink.engine);
    assert_int_equal(s.fault.live, 0);
}

static void log_level_leaves_out(void **state)
{
    (void)state;
    stage s;
    sw_step_outcome row = {0};
    stage_open(&s, SW_LOG_WARN);
    stage_submit(&s);
    for (int i = 0; i < 3; i++)
        stage_fail(&s, &row);
    assert_string_equal(s.sink.said, "warn:step.failed ");
    sw_engine_close(s.sink.engine);
}

static void log_tells_a_lost_worker(void **state)
{
    (void)state;
    stage s;
    sw_str handler = LIT("w.a");
    sw_worker_ref other;
    sw_step_outcome none = {0};
    stage_open(&s, SW_LOG_WARN);
    sw_worker_options join = SW_WORKER_OPTIONS_INIT;
    join.handlers = &handler;
    join.handler_count = 1;
    join.lease_ms = 1000;
    assert_int_equal(sw_worker_open(s.sink.engine, &join, &other, &s.error), 0);
    fault_env_advance(&s.fault, 5000000);
    stage_fail(&s, &none);
    assert_string_equal(s.sink.said, "warn:worker.lost ");
    sw_engine_close(s.sink.engine);
}

/* What was not committed is not said. */
static void log_of_a_failed_call_is_silent(void **state)
{
    (void)state;
    stage s;
    sw_step_outcome row = {0};
    sw_result *result = NULL;
    stage_open(&s, SW_LOG_DEBUG);
    stage_submit(&s);
    stage_fail(&s, &row);
    sw_step_outcome rows[] = {row, {.step_id = 1LL << 60, .outcome = SW_OUTCOME_FAILED}};
    assert_int_equal(sw_step_exchange(s.sink.engine, &s.worker, rows, 2, 0, 0, &result, &s.error),
                     SW_ENOTFOUND);
    assert_string_equal(s.sink.said, "");
    sw_engine_close(s.sink.engine);
    assert_int_equal(s.fault.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_tells_a_failing_task),
        cmocka_unit_test(log_level_leaves_out),
        cmocka_unit_test(log_tells_a_lost_worker),
        cmocka_unit_test(log_of_a_failed_call_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
