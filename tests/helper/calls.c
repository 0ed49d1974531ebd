/* The public calls of an engine; see calls.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/calls.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
    "{\"name\":\"a\",\"retry\":{\"max_attempts\":3},\"parameters\":{\"k\":[1,2,{\"x\":\"y\"}]}},"
    "{\"name\":\"b\",\"after\":[\"a\"],\"timeout_ms\":60000},"
    "{\"name\":\"c\",\"after\":[\"a\"],\"priority\":3},"
    "{\"name\":\"d\",\"after\":[\"b\",\"c\"]}]}";

static const char mission[] = "name: m\nversion: '1.0'\nconfig: {max_parallel_steps: 2}\nsteps:\n"
                              "  - {id: one, name: One, step_type: noop, parameters: {}}\n"
                              "  - id: two\n    name: Two\n    step_type: command\n"
                              "    depends_on: [one]\n"
                              "    parameters: {command: echo, args: [\"a\", \"b\"]}\n";

static const char broken[] = "name: m\nversion: '1.0'\nsteps:\n"
                             "  - {id: one, name: One, step_type: nop, parameters: {}}\n"
                             "  - {id: one, name: Two, step_type: noop, depends_on: [three]}\n";

#define TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})

void calls_must(int rc, const sw_error *error)
{
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), error->message);
}

static int engine_open(calls_world *w, const char *store, sw_engine **engine, sw_error *err)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){store, strlen(store)};
    options.durability = SW_DURABILITY_RELAXED;
    options.env = &w->fault.env;
    return sw_engine_open(&options, engine, err);
}

static int definition_load(calls_world *w, sw_str text, sw_workflow **out, sw_error *err)
{
    sw_result *findings = NULL;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.env = &w->fault.env;
    options.source = TEXT("source");
    int rc = sw_workflow_load(&options, text, out, &findings, err);
    sw_result_free(findings);
    return rc;
}

static int worker_open(calls_world *w, sw_worker_ref *worker, sw_error *err)
{
    static const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3},  {"w.c", 3},
                                      {"w.d", 3}, {"noop", 4}, {"command", 7}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.name = TEXT("someone");
    options.handlers = handlers;
    options.handler_count = sizeof(handlers) / sizeof(handlers[0]);
    return sw_worker_open(w->engine, &options, worker, err);
}

/* Preparations: with memory. Each leaves w->task, and some w->hold. */

static void prepare_nothing(calls_world *w)
{
    (void)w;
}

static void prepare_fresh(calls_world *w)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char path[200];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", w->fresh, endings[i]);
        unlink(path);
    }
}

static void prepare_task(calls_world *w)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    static const sw_str tags[] = {{"red", 3}, {"blue", 4}};
    sw_task_submit_row row = {
        .workflow = TEXT("w"), .input = TEXT("{\"n\":1}"), .tags = tags, .tag_count = 2};
    calls_must(sw_task_submit(w->engine, &row, 1, &result, &error), &error);
    w->task = sw_task_submissions(result, &count)[0].task_id;
    sw_result_free(result);
}

/* The newest task's step a is held. */
static void prepare_claim(calls_world *w)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    prepare_task(w);
    memset(&w->hold, 0, sizeof(w->hold));
    calls_must(sw_step_exchange(w->engine, &w->worker, NULL, 0, 100000, 0, &result, &error),
               &error);
    const sw_step_claim *claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&claims[i].task_id, &w->task, sizeof(w->task)) == 0)
            w->hold = (sw_step_hold){claims[i].step_id, claims[i].epoch};
    }
    assert_true(w->hold.step_id > 0);
    sw_result_free(result);
}

/* A worker that holds one step: those of the last one were given back, and the more there are, the
 * more memory the call needs. */
static void prepare_worker(calls_world *w)
{
    sw_error error;
    sw_cancel_row row = {.task_id = w->task, .actor = TEXT("ann"), .reason = TEXT("next")};
    if (w->hold.step_id > 0)
        calls_must(sw_task_cancel(w->engine, &row, 1, &error), &error);
    calls_must(worker_open(w, &w->worker, &error), &error);
    prepare_claim(w);
}

/* The calls. Each gives back what it got. */

static int act_open_named(calls_world *w, const char *store, sw_error *err)
{
    sw_engine *engine = NULL;
    int rc = engine_open(w, store, &engine, err);
    assert_int_equal(engine == NULL, rc < 0);
    sw_engine_close(engine);
    return rc;
}

static int act_create(calls_world *w, sw_error *err)
{
    return act_open_named(w, w->fresh, err);
}

static int act_open(calls_world *w, sw_error *err)
{
    return act_open_named(w, w->store, err);
}

static int act_load(calls_world *w, sw_str text, sw_error *err)
{
    sw_workflow *workflow = NULL;
    int rc = definition_load(w, text, &workflow, err);
    assert_int_equal(workflow == NULL, rc < 0);
    sw_workflow_free(workflow);
    return rc;
}

static int act_load_json(calls_world *w, sw_error *err)
{
    return act_load(w, TEXT(definition), err);
}

static int act_load_yaml(calls_world *w, sw_error *err)
{
    return act_load(w, TEXT(mission), err);
}

static int act_load_broken(calls_world *w, sw_error *err)
{
    int rc = act_load(w, TEXT(broken), err);
    return rc == SW_EDEFINITION ? SW_OK : rc;
}

static int act_register(calls_world *w, sw_error *err)
{
    const sw_workflow *workflows[] = {w->workflow};
    return sw_workflow_register(w->engine, workflows, 1, err);
}

static int act_workflow_get(calls_world *w, sw_error *err)
{
    sw_workflow *workflow = NULL;
    int rc = sw_workflow_get(w->engine, TEXT("w"), (sw_str){0}, &workflow, err);
    sw_workflow_free(workflow);
    return rc;
}

static int act_submit(calls_world *w, sw_error *err)
{
    static const sw_str tags[] = {{"x", 1}, {"y", 1}};
    sw_result *result = NULL;
    sw_task_submit_row rows[5];
    for (size_t i = 0; i < 5; i++)
        rows[i] = (sw_task_submit_row){.workflow = TEXT("w"),
                                       .input = TEXT("{\"deep\":[[[{}]]]}"),
                                       .initiator = TEXT("ann"),
                                       .reason = TEXT("why not"),
                                       .correlation_id = TEXT("c-1"),
                                       .tags = tags,
                                       .tag_count = i % 3};
    int rc = sw_task_submit(w->engine, rows, 5, &result, err);
    sw_result_free(result);
    return rc;
}

static int act_submit_known(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = TEXT("w"), .key = TEXT("known")};
    int rc = sw_task_submit(w->engine, &row, 1, &result, err);
    sw_result_free(result);
    return rc;
}

static int act_worker_open(calls_world *w, sw_error *err)
{
    sw_worker_ref worker;
    return worker_open(w, &worker, err);
}

static int exchange(calls_world *w, const sw_step_outcome *rows, size_t count, size_t claim_max,
                    sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_step_exchange(w->engine, &w->worker, rows, count, claim_max, 0, &result, err);
    assert_int_equal(result == NULL, rc < 0);
    sw_result_free(result);
    return rc;
}

static int act_claim(calls_world *w, sw_error *err)
{
    return exchange(w, NULL, 0, 10, err);
}

static int act_report(calls_world *w, sw_error *err)
{
    sw_step_outcome row = {.step_id = w->hold.step_id,
                           .epoch = w->hold.epoch,
                           .outcome = SW_OUTCOME_SUCCEEDED,
                           .result = TEXT("{\"answer\":42}")};
    return exchange(w, &row, 1, 10, err);
}

static int act_report_failure(calls_world *w, sw_error *err)
{
    sw_step_outcome row = {.step_id = w->hold.step_id,
                           .epoch = w->hold.epoch,
                           .outcome = SW_OUTCOME_FAILED,
                           .error_class = TEXT("Boom"),
                           .error_message = TEXT("it went wrong"),
                           .error_detail = TEXT("line 1\nline 2")};
    return exchange(w, &row, 1, 0, err);
}

static int act_report_stale(calls_world *w, sw_error *err)
{
    sw_step_outcome row = {.step_id = w->hold.step_id, .epoch = w->hold.epoch + 1};
    return exchange(w, &row, 1, 0, err);
}

static int act_update(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    sw_step_outcome row = {.step_id = w->hold.step_id,
                           .epoch = w->hold.epoch,
                           .outcome = SW_OUTCOME_FAILED_FOR_GOOD,
                           .error_class = TEXT("Boom")};
    int rc = sw_step_update_batch(w->engine, &row, 1, &result, err);
    sw_result_free(result);
    return rc;
}

static int act_renew(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    const sw_step_hold holds[] = {w->hold, {w->hold.step_id, w->hold.epoch + 1}};
    size_t count = 0;
    int rc = sw_worker_renew(w->engine, &w->worker, holds, 2, &result, err);
    sw_step_holds(result, &count);
    assert_int_equal(count, rc == SW_OK ? 1 : 0);
    sw_result_free(result);
    return rc;
}

static int act_worker_close(calls_world *w, sw_error *err)
{
    return sw_worker_close(w->engine, &w->worker, err);
}

static int act_cancel(calls_world *w, sw_error *err)
{
    sw_cancel_row row = {.task_id = w->task, .actor = TEXT("ann"), .reason = TEXT("enough")};
    return sw_task_cancel(w->engine, &row, 1, err);
}

/* Reading calls differ in nothing but their name. */
#define ACT_READ(name, call)                                                                       \
    static int act_##name(calls_world *w, sw_error *err)                                           \
    {                                                                                              \
        sw_result *result = NULL;                                                                  \
        int rc = call;                                                                             \
        sw_result_free(result);                                                                    \
        return rc;                                                                                 \
    }

static const sw_task_filter filter_tagged = {
    .size = sizeof(sw_task_filter), .state = -1, .tag = {"red", 3}, .limit = 5};

ACT_READ(get, sw_task_get(w->engine, &w->task, &result, err))
ACT_READ(list, sw_task_list(w->engine, &filter_tagged, &result, err))
ACT_READ(workers, sw_worker_list(w->engine, &result, err))
ACT_READ(explain, sw_step_explain(w->engine, &w->task, (sw_str){0}, &result, err))
ACT_READ(history, sw_audit_task(w->engine, &w->task, &result, err))
ACT_READ(entries, sw_audit_list(w->engine, 1, 50, &result, err))

static int act_wait(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_task_wait(w->engine, &w->task, 0, &result, err);
    sw_result_free(result);
    return rc == SW_ETIMEOUT ? SW_OK : rc;
}

static int act_count(calls_world *w, sw_error *err)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    return sw_task_count(w->engine, &filter_tagged, counts, err);
}

static int act_verify(calls_world *w, sw_error *err)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    return sw_audit_verify(w->engine, &report, err);
}

const calls_scenario calls_scenarios[] = {
    {"create", prepare_fresh, act_create},
    {"open", prepare_nothing, act_open},
    {"load JSON", prepare_nothing, act_load_json},
    {"load YAML", prepare_nothing, act_load_yaml},
    {"load a broken definition", prepare_nothing, act_load_broken},
    {"register", prepare_nothing, act_register},
    {"get a workflow", prepare_nothing, act_workflow_get},
    {"submit", prepare_nothing, act_submit},
    {"submit a known key", prepare_nothing, act_submit_known},
    {"open a worker", prepare_nothing, act_worker_open},
    {"claim", prepare_task, act_claim},
    {"report success and claim", prepare_claim, act_report},
    {"report a failure", prepare_claim, act_report_failure},
    {"report for a superseded attempt", prepare_claim, act_report_stale},
    {"update", prepare_claim, act_update},
    {"renew", prepare_claim, act_renew},
    {"cancel", prepare_claim, act_cancel},
    {"get a task", prepare_claim, act_get},
    {"wait for a task", prepare_task, act_wait},
    {"list tasks", prepare_nothing, act_list},
    {"count tasks", prepare_nothing, act_count},
    {"list workers", prepare_nothing, act_workers},
    {"explain", prepare_claim, act_explain},
    {"history of a task", prepare_claim, act_history},
    {"list entries", prepare_nothing, act_entries},
    {"verify", prepare_nothing, act_verify},
    {"close a worker", prepare_worker, act_worker_close}, /* the last: its worker is gone */
};

const size_t calls_scenario_count = sizeof(calls_scenarios) / sizeof(calls_scenarios[0]);

const calls_scenario *calls_find(const char *name)
{
    for (size_t i = 0; i < calls_scenario_count; i++) {
        if (strcmp(calls_scenarios[i].name, name) == 0)
            return &calls_scenarios[i];
    }
    fail_msg("there is no call \"%s\"", name);
    return NULL;
}

void calls_open(calls_world *w, const char *store)
{
    sw_error error;
    w->store = store;
    w->hold = (sw_step_hold){0};
    calls_must(engine_open(w, store, &w->engine, &error), &error);
    calls_must(definition_load(w, TEXT(definition), &w->workflow, &error), &error);
    calls_must(act_register(w, &error), &error);
    calls_must(act_submit_known(w, &error), &error);
    calls_must(worker_open(w, &w->worker, &error), &error);
}

void calls_close(calls_world *w)
{
    sw_workflow_free(w->workflow);
    sw_engine_close(w->engine);
}
