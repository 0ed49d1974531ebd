/* The rig of engine tests; see rig.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

static sw_str rig_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

static bool rig_is(sw_str text, const char *expected)
{
    return text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

static void rig_ok(const rig *r, int rc)
{
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), r->error.message);
}

static void rig_start(rig *r, const char *store, const char *definition)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = rig_str(store);
    options.env = &r->fault.env;
    rig_ok(r, sw_engine_open(&options, &r->engine, &r->error));
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    load.env = &r->fault.env;
    rig_ok(r, sw_workflow_load(&load, rig_str(definition), &r->workflow, NULL, &r->error));
    const sw_workflow *workflows[] = {r->workflow};
    rig_ok(r, sw_workflow_register(r->engine, workflows, 1, &r->error));
}

void rig_open(rig *r, const char *store, const char *definition)
{
    memset(r, 0, sizeof *r);
    fault_env_init(&r->fault);
    rig_start(r, store, definition);
}

void rig_reboot(rig *r, const char *store, const char *definition)
{
    rig_close(r);
    r->engine = NULL;
    r->workflow = NULL;
    r->last = NULL;
    r->fault.boot_id[0] ^= 1;
    r->fault.boot_us = 1;
    r->fault.mono_us = 1;
    rig_start(r, store, definition);
}

void rig_close(rig *r)
{
    sw_result_free(r->last);
    sw_workflow_free(r->workflow);
    sw_engine_close(r->engine);
    assert_int_equal(r->fault.live, 0);
}

sw_uuid rig_submit(rig *r)
{
    sw_result *result = NULL;
    size_t count = 0;
    sw_task_submit_row row = {.workflow = sw_workflow_name(r->workflow)};
    rig_ok(r, sw_task_submit(r->engine, &row, 1, &result, &r->error));
    sw_uuid id = sw_task_submissions(result, &count)[0].task_id;
    assert_int_equal(count, 1);
    sw_result_free(result);
    return id;
}

sw_worker_ref rig_worker(rig *r, int64_t lease_ms)
{
    size_t count = 0;
    sw_worker_ref worker;
    sw_str handlers[128];
    const sw_workflow_step *steps = sw_workflow_steps(r->workflow, &count);
    assert_true(count <= 128);
    for (size_t i = 0; i < count; i++)
        handlers[i] = steps[i].handler;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = count;
    options.lease_ms = lease_ms;
    rig_ok(r, sw_worker_open(r->engine, &options, &worker, &r->error));
    return worker;
}

void rig_exchange(rig *r, const sw_worker_ref *worker, const sw_step_outcome *rows, size_t count,
                  size_t claim_max)
{
    sw_result *result = NULL;
    rig_ok(r, sw_step_exchange(r->engine, worker, rows, count, claim_max, 0, &result, &r->error));
    sw_result_free(r->last);
    r->last = result;
}

void rig_claims(rig *r, const sw_worker_ref *worker, const char *names)
{
    char found[4096] = "";
    size_t count = 0;
    rig_exchange(r, worker, NULL, 0, 1000);
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    for (size_t i = 0; i < count; i++) {
        strncat(found, i ? " " : "", sizeof found - strlen(found) - 1);
        strncat(found, claims[i].name.ptr, claims[i].name.len);
    }
    assert_string_equal(found, names);
}

const sw_step_claim *rig_claim(const rig *r, const char *step)
{
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    for (size_t i = 0; i < count; i++) {
        if (rig_is(claims[i].name, step))
            return &claims[i];
    }
    fail_msg("step %s was not claimed", step);
    return NULL;
}

sw_step_outcome rig_outcome(const rig *r, const char *step, int outcome)
{
    const sw_step_claim *claim = rig_claim(r, step);
    return (sw_step_outcome){.step_id = claim->step_id, .epoch = claim->epoch, .outcome = outcome};
}

void rig_report(rig *r, const sw_worker_ref *worker, sw_step_outcome row, int status)
{
    size_t count = 0;
    rig_exchange(r, worker, &row, 1, 0);
    const sw_step_applied *applied = sw_step_applications(r->last, &count);
    assert_int_equal(count, 1);
    assert_string_equal(sw_row_status_name(applied[0].status), sw_row_status_name(status));
}

static const sw_step_row *rig_step_find(const sw_result *result, const char *step)
{
    size_t count = 0;
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (rig_is(rows[i].name, step))
            return &rows[i];
    }
    fail_msg("the task has no step %s", step);
    return NULL;
}

sw_step_row rig_step(rig *r, const sw_uuid *task, const char *step)
{
    sw_result *result = NULL;
    rig_ok(r, sw_task_get(r->engine, task, &result, &r->error));
    sw_step_row row = *rig_step_find(result, step);
    sw_result_free(r->last);
    r->last = result;
    return row;
}

int rig_task_state(rig *r, const sw_uuid *task)
{
    size_t count = 0;
    sw_result *result = NULL;
    rig_ok(r, sw_task_get(r->engine, task, &result, &r->error));
    int state = sw_tasks(result, &count)[0].state;
    sw_result_free(result);
    return state;
}

void rig_verify(rig *r)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw_audit_verify(r->engine, &report, &r->error);
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), report.message[0] ? report.message : r->error.message);
    assert_int_equal(report.ok, 1);
}
