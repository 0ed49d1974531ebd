/* Opening a store, definitions, tasks, and everything that is read; see calls.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/calls_inner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANY 20
#define LARGE 60000

static const char mission[] = "name: m\nversion: '1.0'\nconfig: {max_parallel_steps: 2}\nsteps:\n"
                              "  - {id: one, name: One, step_type: noop, parameters: {}}\n"
                              "  - id: two\n    name: Two\n    step_type: command\n"
                              "    depends_on: [one]\n"
                              "    parameters: {command: echo, args: [\"a\", \"b\"]}\n";

static const char broken[] = "name: m\nversion: '1.0'\nsteps:\n"
                             "  - {id: one, name: One, step_type: nop, parameters: {}}\n"
                             "  - {id: one, name: Two, step_type: noop, depends_on: [three]}\n";

/* Preparations. */

static void prepare_fresh(calls_world *w)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-life", "-bell"};
    char path[200];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", w->fresh, endings[i]);
        unlink(path);
    }
}

static void prepare_ended(calls_world *w)
{
    sw_error error;
    sw_cancel_row row = {.actor = CALLS_TEXT("ann"), .reason = CALLS_TEXT("over")};
    calls_task(w);
    row.task_id = w->task;
    calls_must(sw_task_cancel(w->engine, &row, 1, &error), &error);
}

/* Opening. */

static int open_and_close(calls_world *w, const char *store, int must_exist, sw_error *err)
{
    sw_engine *engine = NULL;
    int rc = calls_engine_open(w, store, must_exist, &engine, err);
    assert_int_equal(engine == NULL, rc < 0);
    sw_engine_close(engine);
    return rc;
}

static int act_create(calls_world *w, sw_error *err)
{
    return open_and_close(w, w->fresh, 0, err);
}

static int act_open(calls_world *w, sw_error *err)
{
    return open_and_close(w, w->store, 1, err);
}

/* Definitions. */

static int load_and_free(calls_world *w, sw_str text, sw_error *err)
{
    sw_workflow *workflow = NULL;
    int rc = calls_load(w, text, &workflow, err);
    assert_int_equal(workflow == NULL, rc < 0);
    sw_workflow_free(workflow);
    return rc;
}

static int act_load_json(calls_world *w, sw_error *err)
{
    return load_and_free(w, (sw_str){calls_definition, strlen(calls_definition)}, err);
}

static int act_load_yaml(calls_world *w, sw_error *err)
{
    return load_and_free(w, CALLS_TEXT(mission), err);
}

static int act_load_broken(calls_world *w, sw_error *err)
{
    return calls_refused(load_and_free(w, CALLS_TEXT(broken), err), SW_EDEFINITION);
}

/* A definition that the store does not know, and one that it does. */
static int act_register_new(calls_world *w, sw_error *err)
{
    static int number;
    char text[128];
    sw_workflow *workflow = NULL;
    int length = snprintf(text, sizeof(text),
                          "{\"stepwell\":1,\"name\":\"new\",\"version\":\"%d\",\"steps\":"
                          "[{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]}]}",
                          ++number);
    int rc = calls_load(w, (sw_str){text, (size_t)length}, &workflow, err);
    if (rc < 0)
        return rc;
    const sw_workflow *workflows[] = {w->workflow, workflow};
    rc = sw_workflow_register(w->engine, workflows, 2, err);
    sw_workflow_free(workflow);
    return rc;
}

static int get_and_free(calls_world *w, sw_str name, sw_error *err)
{
    sw_workflow *workflow = NULL;
    int rc = sw_workflow_get(w->engine, name, (sw_str){0}, &workflow, err);
    sw_workflow_free(workflow);
    return rc;
}

static int act_workflow_get(calls_world *w, sw_error *err)
{
    return get_and_free(w, CALLS_TEXT("w"), err);
}

static int act_workflow_miss(calls_world *w, sw_error *err)
{
    return calls_refused(get_and_free(w, CALLS_TEXT("nowhere"), err), SW_ENOTFOUND);
}

/* Tasks. */

static int submit(calls_world *w, const sw_task_submit_row *rows, size_t count, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_task_submit(w->engine, rows, count, &result, err);
    assert_int_equal(result == NULL, rc < 0);
    sw_result_free(result);
    return rc;
}

static int act_submit(calls_world *w, sw_error *err)
{
    static const sw_str tags[] = {{"x", 1}, {"y", 1}};
    sw_task_submit_row row = {.workflow = CALLS_TEXT("w"),
                              .input = CALLS_TEXT("{\"deep\":[[[{}]]]}"),
                              .initiator = CALLS_TEXT("ann"),
                              .reason = CALLS_TEXT("why not"),
                              .correlation_id = CALLS_TEXT("c-1"),
                              .tags = tags,
                              .tag_count = 2,
                              .priority = 7};
    return submit(w, &row, 1, err);
}

static int act_submit_many(calls_world *w, sw_error *err)
{
    sw_task_submit_row rows[MANY];
    for (size_t i = 0; i < MANY; i++)
        rows[i] = (sw_task_submit_row){.workflow = i % 2 ? CALLS_TEXT("w") : CALLS_TEXT("one")};
    return submit(w, rows, MANY, err);
}

static int act_submit_keyed(calls_world *w, sw_error *err)
{
    static int number;
    char key[32];
    int length = snprintf(key, sizeof(key), "key-%d", ++number);
    sw_task_submit_row rows[2] = {{.workflow = CALLS_TEXT("one")}, {.workflow = CALLS_TEXT("one")}};
    rows[0].key = rows[1].key = (sw_str){key, (size_t)length};
    return submit(w, rows, 2, err);
}

static int act_submit_large(calls_world *w, sw_error *err)
{
    static char input[LARGE];
    sw_task_submit_row row = {.workflow = CALLS_TEXT("one"), .input = {input, LARGE}};
    memset(input, 'x', LARGE);
    input[0] = input[LARGE - 1] = '"';
    return submit(w, &row, 1, err);
}

static int act_submit_conflict(calls_world *w, sw_error *err)
{
    sw_task_submit_row row = {
        .workflow = CALLS_TEXT("w"), .key = CALLS_TEXT("known"), .input = CALLS_TEXT("[1]")};
    return calls_refused(submit(w, &row, 1, err), SW_ECONFLICT);
}

/* The first row of two is good; neither is written. */
static int act_submit_nowhere(calls_world *w, sw_error *err)
{
    sw_task_submit_row rows[2] = {{.workflow = CALLS_TEXT("w")},
                                  {.workflow = CALLS_TEXT("nowhere")}};
    return calls_refused(submit(w, rows, 2, err), SW_ENOTFOUND);
}

static int cancel(calls_world *w, sw_error *err)
{
    sw_cancel_row row = {
        .task_id = w->task, .actor = CALLS_TEXT("ann"), .reason = CALLS_TEXT("enough")};
    return sw_task_cancel(w->engine, &row, 1, err);
}

static int act_cancel_ended(calls_world *w, sw_error *err)
{
    return calls_refused(cancel(w, err), SW_ESTATE);
}

static int act_wait(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_task_wait(w->engine, &w->task, 0, &result, err);
    sw_result_free(result);
    return calls_refused(rc, SW_ETIMEOUT);
}

static int act_count(calls_world *w, sw_error *err)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.tag = CALLS_TEXT("red");
    filter.created_after_us = 1;
    return sw_task_count(w->engine, &filter, counts, err);
}

static int act_verify(calls_world *w, sw_error *err)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    return sw_audit_verify(w->engine, &report, err);
}

/* Steps by hand. */

/* The first step of a task, in w->hold. */
static void hold_first(calls_world *w)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    calls_must(sw_step_readiness(w->engine, &w->task, &result, &error), &error);
    w->hold.step_id = sw_readiness_rows(result, &count)->step_id;
    sw_result_free(result);
}

static void prepare_first(calls_world *w)
{
    calls_task(w);
    hold_first(w);
}

static void prepare_first_cancelled(calls_world *w)
{
    prepare_ended(w);
    hold_first(w);
}

static int override(calls_world *w, int state, size_t count, int mode, sw_error *err)
{
    sw_result *result = NULL;
    sw_step_override_row row = {.step_id = w->hold.step_id,
                                .state = state,
                                .actor = CALLS_TEXT("ann"),
                                .reason = CALLS_TEXT("by hand")};
    const sw_step_override_row rows[] = {row, row};
    int rc = sw_step_override(w->engine, rows, count, mode, &result, err);
    assert_int_equal(result == NULL, rc < 0);
    sw_result_free(result);
    return rc;
}

static int act_skip(calls_world *w, sw_error *err)
{
    return override(w, SW_STEP_SKIPPED, 1, SW_BATCH_ALL_OR_NOTHING, err);
}

/* The second row of two is refused, and with it the first. */
static int act_skip_twice(calls_world *w, sw_error *err)
{
    return calls_refused(override(w, SW_STEP_SKIPPED, 2, SW_BATCH_ALL_OR_NOTHING, err), SW_ESTATE);
}

static int act_skip_partly(calls_world *w, sw_error *err)
{
    return override(w, SW_STEP_SKIPPED, 2, SW_BATCH_PARTIAL, err);
}

static int act_take_up(calls_world *w, sw_error *err)
{
    return override(w, SW_STEP_READY, 1, SW_BATCH_ALL_OR_NOTHING, err);
}

static int act_resolve(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    sw_step_override_row row = {.step_id = w->hold.step_id,
                                .state = SW_STEP_RESOLVED,
                                .actor = CALLS_TEXT("ann"),
                                .reason = CALLS_TEXT("by hand"),
                                .result = CALLS_TEXT("{\"paid\":true}")};
    int rc = sw_step_override(w->engine, &row, 1, SW_BATCH_ALL_OR_NOTHING, &result, err);
    sw_result_free(result);
    return rc;
}

/* Dead letters. */

static const sw_dead_filter filter_dead = {
    .size = sizeof(sw_dead_filter), .error_class = {"Boom", 4}, .limit = 5};

/* The newest task's first step has failed for good. */
static void prepare_dead(calls_world *w)
{
    sw_error error;
    calls_claim(w);
    calls_must(calls_report(w, SW_OUTCOME_FAILED_FOR_GOOD, (sw_str){0}, &error), &error);
}

static int dead_override(calls_world *w, const sw_dead_action *action, sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_dead_override(w->engine, &filter_dead, action, &result, err);
    assert_int_equal(result == NULL, rc < 0);
    sw_result_free(result);
    return rc;
}

static int act_dead_retry(calls_world *w, sw_error *err)
{
    const sw_dead_action action = {
        .state = SW_STEP_READY, .actor = CALLS_TEXT("ann"), .reason = CALLS_TEXT("again")};
    return dead_override(w, &action, err);
}

/* Two tasks of the workflow have succeeded, the third is at its beginning. */
static void prepare_succeeded(calls_world *w)
{
    sw_error error;
    for (int i = 0; i < 2; i++) {
        calls_claim_of(w, "one");
        calls_must(calls_report(w, SW_OUTCOME_SUCCEEDED, (sw_str){0}, &error), &error);
    }
    calls_claim_of(w, "one");
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

static const sw_uuid nobody = {{1, 2, 3}};
static const sw_task_filter filter_tagged = {
    .size = sizeof(sw_task_filter), .state = -1, .tag = {"red", 3}, .limit = 5};
static const sw_task_filter filter_ended = {
    .size = sizeof(sw_task_filter), .state = SW_TASK_CANCELLED, .workflow = {"w", 1}, .limit = 5};
static const sw_task_filter filter_correlated = {
    .size = sizeof(sw_task_filter), .state = -1, .correlation_id = {"c-2", 3}, .limit = 5};

ACT_READ(get, sw_task_get(w->engine, &w->task, &result, err))
ACT_READ(get_nobody, calls_refused(sw_task_get(w->engine, &nobody, &result, err), SW_ENOTFOUND))
ACT_READ(wait_ended, sw_task_wait(w->engine, &w->task, 1000, &result, err))
ACT_READ(list, sw_task_list(w->engine, &filter_tagged, &result, err))
ACT_READ(list_ended, sw_task_list(w->engine, &filter_ended, &result, err))
ACT_READ(list_correlated, sw_task_list(w->engine, &filter_correlated, &result, err))
ACT_READ(workers, sw_worker_list(w->engine, &result, err))
ACT_READ(explain, sw_step_explain(w->engine, &w->task, (sw_str){0}, &result, err))
ACT_READ(explain_one, sw_step_explain(w->engine, &w->task, CALLS_TEXT("d"), &result, err))
ACT_READ(context, sw_task_context(w->engine, &w->task, 1, &result, err))
ACT_READ(context_nobody,
         calls_refused(sw_task_context(w->engine, &nobody, 1, &result, err), SW_ENOTFOUND))
ACT_READ(dead_list, sw_dead_list(w->engine, &filter_dead, &result, err))
ACT_READ(readiness, sw_step_readiness(w->engine, &w->task, &result, err))

static int act_forecast(calls_world *w, sw_error *err)
{
    static const sw_str step = {"a", 1};
    static const sw_forecast_change change = {
        .step = {"a", 1}, .kind = SW_FORECAST_SLOWER, .factor = 2};
    static const sw_forecast_resource resource = {.steps = &step, .step_count = 1, .seats = 1};
    static const sw_forecast_options options = {.size = sizeof(sw_forecast_options),
                                                .draws = 10,
                                                .history = 4,
                                                .changes = &change,
                                                .change_count = 1,
                                                .resources = &resource,
                                                .resource_count = 1};
    sw_result *result = NULL;
    int rc = sw_task_forecast(w->engine, &options, &w->task, &result, err);
    sw_result_free(result);
    return rc;
}

static const sw_picture_options picture_options = {.size = sizeof(sw_picture_options),
                                                   .format = SW_PICTURE_MERMAID,
                                                   .marks = SW_PICTURE_CRITICAL | SW_PICTURE_SLACK};
static const sw_gantt_options gantt_options = {.size = sizeof(sw_gantt_options),
                                               .format = SW_PICTURE_JSON};

ACT_READ(picture, sw_task_picture(w->engine, &picture_options, NULL, &w->task, &result, err))
ACT_READ(gantt, sw_task_gantt(w->engine, &gantt_options, &w->task, &result, err))
ACT_READ(durations, sw_workflow_durations(w->engine, w->workflow, 4, &result, err))
/* Counting; what pruning does when it is broken off is in tests/unit/test_engine_prune.c. */
static int act_prune_dry(calls_world *w, sw_error *err)
{
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    options.finished_before_us = INT64_MAX / 8;
    options.workflow = CALLS_TEXT("w");
    options.limit = 1; /* the world has many */
    options.dry_run = 1;
    int rc = sw_task_prune(w->engine, &options, &report, err);
    assert_true(rc < 0 || report.task_count > 0);
    return rc;
}

ACT_READ(history, sw_audit_task(w->engine, &w->task, &result, err))
ACT_READ(entries, sw_audit_list(w->engine, 1, 50, &result, err))

const calls_scenario calls_of_clients[] = {
    {"create", prepare_fresh, act_create},
    {"open", calls_nothing, act_open},
    {"load JSON", calls_nothing, act_load_json},
    {"load YAML", calls_nothing, act_load_yaml},
    {"load a broken definition", calls_nothing, act_load_broken},
    {"register", calls_nothing, calls_register},
    {"register a new version", calls_nothing, act_register_new},
    {"get a workflow", calls_nothing, act_workflow_get},
    {"get a workflow that is not there", calls_nothing, act_workflow_miss},
    {"submit", calls_nothing, act_submit},
    {"submit many", calls_nothing, act_submit_many},
    {"submit a new key", calls_nothing, act_submit_keyed},
    {"submit a known key", calls_nothing, calls_submit_known},
    {"submit a large input", calls_nothing, act_submit_large},
    {"submit a key with another input", calls_nothing, act_submit_conflict},
    {"submit to nowhere", calls_nothing, act_submit_nowhere},
    {"cancel", calls_claim, cancel},
    {"cancel a task that waits", calls_task, cancel},
    {"cancel an ended task", prepare_ended, act_cancel_ended},
    {"skip a step", prepare_first, act_skip},
    {"skip a step twice", prepare_first, act_skip_twice},
    {"skip a step partly", prepare_first, act_skip_partly},
    {"take a cancelled step up", prepare_first_cancelled, act_take_up},
    {"resolve a step with a result", prepare_first, act_resolve},
    {"list dead letters", prepare_dead, act_dead_list},
    {"retry dead letters", prepare_dead, act_dead_retry},
    {"get a task", calls_claim, act_get},
    {"get a task that is not there", calls_nothing, act_get_nobody},
    {"wait for a task", calls_task, act_wait},
    {"wait for an ended task", prepare_ended, act_wait_ended},
    {"list tasks", calls_nothing, act_list},
    {"list ended tasks", prepare_ended, act_list_ended},
    {"list correlated tasks", calls_task, act_list_correlated},
    {"count tasks", calls_nothing, act_count},
    {"list workers", calls_nothing, act_workers},
    {"explain", calls_claim, act_explain},
    {"explain one step", calls_claim, act_explain_one},
    {"context", calls_claim, act_context},
    {"context of an ended task", prepare_ended, act_context},
    {"context of a task that is not there", calls_nothing, act_context_nobody},
    {"readiness", calls_claim, act_readiness},
    {"readiness of an ended task", prepare_ended, act_readiness},
    {"forecast a task", prepare_succeeded, act_forecast},
    {"draw a task", prepare_succeeded, act_picture},
    {"draw its attempts", calls_claim, act_gantt},
    {"learn durations", prepare_succeeded, act_durations},
    {"prune nothing yet", prepare_ended, act_prune_dry},
    {"history of a task", calls_claim, act_history},
    {"list entries", calls_nothing, act_entries},
    {"verify", calls_nothing, act_verify},
};

const size_t calls_of_clients_count = sizeof(calls_of_clients) / sizeof(calls_of_clients[0]);
