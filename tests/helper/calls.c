/* What the calls need around them; see calls.h. The calls themselves are in calls_client.c,
 * calls_worker.c and calls_events.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/calls_inner.h"

#include <string.h>

#define LEASE_MS 60000

const char calls_definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":["
    "{\"name\":\"a\",\"retry\":{\"max_attempts\":3},\"parameters\":{\"k\":[1,2,{\"x\":\"y\"}]}},"
    "{\"name\":\"b\",\"after\":[\"a\"],\"timeout_ms\":60000},"
    "{\"name\":\"c\",\"after\":[\"a\"],\"priority\":3},"
    "{\"name\":\"d\",\"after\":[\"b\",\"c\"]}]}";

/* A single step; one whose failure ends the task; one whose failure is allowed; one whose failure
 * skips others and lets the last one start; one that is out of time soon, and one that is
 * soon silent for too long. */
static const char *const other_definitions[] = {
    "{\"stepwell\":1,\"name\":\"one\",\"steps\":[{\"name\":\"a\"}]}",
    "{\"stepwell\":1,\"name\":\"strict\",\"steps\":[{\"name\":\"a\",\"on_failure\":\"fail_task\"},"
    "{\"name\":\"b\",\"after\":[\"a\"]},{\"name\":\"c\",\"handler\":\"elsewhere.c\"}]}",
    "{\"stepwell\":1,\"name\":\"lax\",\"steps\":[{\"name\":\"a\",\"on_failure\":\"continue\"},"
    "{\"name\":\"b\",\"after\":[\"a\"]}]}",
    "{\"stepwell\":1,\"name\":\"skips\",\"on_failure\":\"skip_dependents\",\"steps\":["
    "{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]},{\"name\":\"c\",\"after\":[\"b\"]},"
    "{\"name\":\"d\",\"after\":[\"a\",\"c\"],\"trigger\":\"all_done\"}]}",
    "{\"stepwell\":1,\"name\":\"hasty\",\"steps\":[{\"name\":\"a\",\"timeout_ms\":1000}]}",
    "{\"stepwell\":1,\"name\":\"silent\",\"steps\":[{\"name\":\"a\",\"heartbeat_ms\":1000}]}",
};

void calls_must(int rc, const sw_error *error)
{
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), error->message);
}

int calls_refused(int rc, int code)
{
    if (rc >= 0)
        fail_msg("the call went through, expected was %s", sw_code_name(code));
    return rc == code ? SW_OK : rc;
}

int calls_engine_open(calls_world *w, const char *store, int must_exist, sw_engine **engine,
                      sw_error *err)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){store, strlen(store)};
    options.durability = w->durability;
    options.must_exist = must_exist;
    options.env = &w->fault.env;
    return sw_engine_open(&options, engine, err);
}

int calls_load(calls_world *w, sw_str text, sw_workflow **out, sw_error *err)
{
    sw_result *findings = NULL;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.env = &w->fault.env;
    options.source = CALLS_TEXT("source");
    int rc = sw_workflow_load(&options, text, out, &findings, err);
    sw_result_free(findings);
    return rc;
}

int calls_worker_open(calls_world *w, int64_t lease_ms, sw_worker_ref *worker, sw_error *err)
{
    static const sw_str handlers[] = {
        {"w.a", 3},     {"w.b", 3},     {"w.c", 3},      {"w.d", 3},      {"one.a", 5},
        {"lax.a", 5},   {"lax.b", 5},   {"strict.a", 8}, {"strict.b", 8}, {"hasty.a", 7},
        {"skips.a", 7}, {"skips.d", 7}, {"silent.a", 8}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.name = CALLS_TEXT("someone");
    options.handlers = handlers;
    options.handler_count = sizeof(handlers) / sizeof(handlers[0]);
    options.lease_ms = lease_ms;
    return sw_worker_open(w->engine, &options, worker, err);
}

int calls_register(calls_world *w, sw_error *err)
{
    const sw_workflow *workflows[] = {w->workflow};
    return sw_workflow_register(w->engine, workflows, 1, err);
}

int calls_submit_known(calls_world *w, sw_error *err)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = CALLS_TEXT("w"), .key = CALLS_TEXT("known")};
    int rc = sw_task_submit(w->engine, &row, 1, &result, err);
    sw_result_free(result);
    return rc;
}

/* Preparations. */

void calls_nothing(calls_world *w)
{
    (void)w;
}

void calls_start(calls_world *w, const char *workflow)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    static const sw_str tags[] = {{"red", 3}, {"blue", 4}};
    sw_task_submit_row row = {.workflow = {workflow, strlen(workflow)},
                              .input = CALLS_TEXT("{\"n\":1}"),
                              .correlation_id = CALLS_TEXT("c-2"),
                              .tags = tags,
                              .tag_count = 2};
    calls_must(sw_task_submit(w->engine, &row, 1, &result, &error), &error);
    w->task = sw_task_submissions(result, &count)[0].task_id;
    sw_result_free(result);
}

void calls_task(calls_world *w)
{
    calls_start(w, "w");
}

void calls_hold(calls_world *w, const sw_worker_ref *worker)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    memset(&w->hold, 0, sizeof(w->hold));
    calls_must(sw_step_exchange(w->engine, worker, NULL, 0, 10000, 0, &result, &error), &error);
    const sw_step_claim *claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&claims[i].task_id, &w->task, sizeof(w->task)) == 0)
            w->hold = (sw_step_hold){claims[i].step_id, claims[i].epoch};
    }
    assert_true(w->hold.step_id > 0);
    sw_result_free(result);
}

void calls_claim_of(calls_world *w, const char *workflow)
{
    calls_start(w, workflow);
    calls_hold(w, &w->worker);
}

void calls_claim(calls_world *w)
{
    calls_claim_of(w, "w");
}

int calls_exchange(calls_world *w, const sw_step_outcome *rows, size_t count, size_t claim_max,
                   sw_error *err)
{
    sw_result *result = NULL;
    int rc = sw_step_exchange(w->engine, &w->worker, rows, count, claim_max, 0, &result, err);
    assert_int_equal(result == NULL, rc < 0);
    sw_result_free(result);
    return rc;
}

int calls_report(calls_world *w, int outcome, sw_str result, sw_error *err)
{
    sw_step_outcome row = {
        .step_id = w->hold.step_id, .epoch = w->hold.epoch, .outcome = outcome, .result = result};
    if (outcome != SW_OUTCOME_SUCCEEDED && outcome != SW_OUTCOME_RELEASED)
        row.error_class = CALLS_TEXT("Boom");
    return calls_exchange(w, &row, 1, 10, err);
}

/* The world. */

size_t calls_count(void)
{
    return calls_of_clients_count + calls_of_workers_count + calls_of_events_count;
}

const calls_scenario *calls_at(size_t index)
{
    if (index < calls_of_clients_count)
        return &calls_of_clients[index];
    index -= calls_of_clients_count;
    return index < calls_of_workers_count ? &calls_of_workers[index]
                                          : &calls_of_events[index - calls_of_workers_count];
}

const calls_scenario *calls_find(const char *name)
{
    for (size_t i = 0; i < calls_count(); i++) {
        if (strcmp(calls_at(i)->name, name) == 0)
            return calls_at(i);
    }
    fail_msg("there is no call \"%s\"", name);
    return NULL;
}

static void others_register(calls_world *w)
{
    sw_error error;
    for (size_t i = 0; i < sizeof(other_definitions) / sizeof(other_definitions[0]); i++) {
        sw_workflow *workflow = NULL;
        sw_str text = {other_definitions[i], strlen(other_definitions[i])};
        calls_must(calls_load(w, text, &workflow, &error), &error);
        const sw_workflow *workflows[] = {workflow};
        calls_must(sw_workflow_register(w->engine, workflows, 1, &error), &error);
        sw_workflow_free(workflow);
    }
}

void calls_open(calls_world *w, const char *store)
{
    sw_error error;
    sw_str text = {calls_definition, strlen(calls_definition)};
    w->store = store;
    w->hold = (sw_step_hold){0};
    w->entries = 0;
    calls_must(calls_engine_open(w, store, 0, &w->engine, &error), &error);
    calls_must(calls_load(w, text, &w->workflow, &error), &error);
    calls_must(calls_register(w, &error), &error);
    others_register(w);
    calls_must(calls_submit_known(w, &error), &error);
    calls_must(calls_worker_open(w, LEASE_MS, &w->worker, &error), &error);
}

void calls_close(calls_world *w)
{
    sw_workflow_free(w->workflow);
    sw_engine_close(w->engine);
    w->workflow = NULL;
    w->engine = NULL;
}

void calls_verify(calls_world *w)
{
    sw_error error;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw_audit_verify(w->engine, &report, &error);
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), report.message[0] ? report.message : error.message);
}

size_t calls_entries_added(calls_world *w)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    calls_must(sw_audit_list(w->engine, w->entries + 1, 10000, &result, &error), &error);
    sw_audit_entries(result, &count);
    sw_result_free(result);
    w->entries += (int64_t)count;
    return count;
}
