/* A sequence of calls of the public interface on the memory store, with arguments from the bytes.
 *
 * Whatever the arguments: no crash, errors of the documented codes without a result, results that
 * agree with each other, no step claimed or committed against the rules, an audit log that
 * verifies, and every byte of memory given back. Not here: the calls of workers (api_work.c), of
 * the event store (api_events.c) and those that look ahead (api_look.c).
 */
#include <string.h>

#include "base/str.h"
#include "fuzz/api_run.h"

#define CALLS_MAX 64

static const char *const definitions[DEFINITIONS] = {
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"top\",\"retry\":{\"max_attempts\":3,"
    "\"jitter\":0.5}},{\"name\":\"left\",\"after\":[\"top\"],\"on_failure\":\"continue\","
    "\"heartbeat_ms\":1000},"
    "{\"name\":\"right\",\"after\":[\"top\"],\"priority\":5,\"timeout_ms\":1000,"
    "\"deadline_ms\":2000},"
    "{\"name\":\"bottom\",\"after\":[\"left\",\"right\"]}]}",
    "{\"stepwell\":1,\"name\":\"w\",\"version\":\"2\",\"steps\":[{\"name\":\"a\",\"queue\":\"q\","
    "\"on_failure\":\"fail_task\"},{\"name\":\"b\"},{\"name\":\"c\",\"after\":[\"b\"]}]}",
    "{\"stepwell\":1,\"name\":\"v\",\"steps\":[{\"name\":\"a\",\"handler\":\"w.top\",\"retry\":"
    "{\"max_attempts\":1000,\"backoff\":\"fibonacci\",\"base_ms\":1}},{\"name\":\"b\","
    "\"after\":[\"a\"],\"handler\":\"noop\"}]}",
};

void call_check(const call_run *run, int rc, const void *out)
{
    fuzz_check_error(rc, &run->err);
    fuzz_require(rc == SW_OK || rc == SW_EINVAL || rc == SW_ENOTFOUND || rc == SW_ECONFLICT ||
                     rc == SW_ELIMIT || rc == SW_ESTATE || rc == SW_ETIMEOUT,
                 "%s: %s", sw_code_name(rc), run->err.message);
    fuzz_require(rc == SW_OK || rc == SW_ETIMEOUT || !out, "%s with a result", sw_code_name(rc));
}

void call_check_or(const call_run *run, int rc, int code, const void *out)
{
    if (rc != code) {
        call_check(run, rc, out);
        return;
    }
    fuzz_check_error(rc, &run->err);
    fuzz_require(!out, "%s with a result", sw_code_name(rc));
}

/* Calls. */

static void call_register(call_run *run)
{
    const sw_workflow *rows[ROWS_MAX] = {NULL};
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    size_t count = fuzz_pick(&run->bytes, ROWS_MAX + 1);
    options.env = &run->world.fault.env;
    for (size_t i = 0; i < count; i++) {
        size_t which = fuzz_pick(&run->bytes, DEFINITIONS);
        sw_workflow **workflow = &run->workflows[which];
        if (!*workflow)
            fuzz_require(sw_workflow_load(&options, sw__str(definitions[which]), workflow, NULL,
                                          &run->err) == SW_OK,
                         "%s", run->err.message);
        rows[i] = *workflow;
    }
    call_check(run, sw_workflow_register(run->engine, rows, count, &run->err), NULL);
}

static void call_workflow_get(call_run *run)
{
    sw_workflow *workflow = NULL;
    sw_str name = pick_name(&run->bytes);
    int rc = sw_workflow_get(run->engine, name, pick_name(&run->bytes), &workflow, &run->err);
    call_check(run, rc, workflow);
    if (rc == SW_OK)
        fuzz_require(sw__str_equal(sw_workflow_name(workflow), name), "another workflow");
    sw_workflow_free(workflow);
}

static void submissions_note(call_run *run, const sw_result *result, size_t row_count)
{
    size_t count = 0;
    const sw_task_submitted *rows = sw_task_submissions(result, &count);
    fuzz_require(count == row_count, "%zu answers to %zu rows", count, row_count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].created && run->task_count < TASKS_MAX)
            run->tasks[run->task_count++] = rows[i].task_id;
    }
}

static void call_submit(call_run *run)
{
    sw_result *result = NULL;
    sw_str tags[ROWS_MAX];
    sw_task_submit_row rows[ROWS_MAX];
    fuzz_bytes *bytes = &run->bytes;
    size_t count = fuzz_pick(bytes, ROWS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        tags[i] = pick_name(bytes);
        rows[i] = (sw_task_submit_row){.workflow = pick_name(bytes)};
        rows[i].input = pick_json(bytes);
        rows[i].version = fuzz_pick(bytes, 4) ? (sw_str){0} : pick_name(bytes);
        rows[i].key = fuzz_pick(bytes, 2) ? (sw_str){0} : pick_name(bytes);
        rows[i].initiator = pick_text(bytes);
        rows[i].reason = pick_text(bytes);
        rows[i].correlation_id = pick_text(bytes);
        rows[i].priority = (int32_t)pick_number(bytes);
        rows[i].deadline_ms = fuzz_pick(bytes, 4) ? 0 : pick_number(bytes);
        rows[i].deadline_us = fuzz_pick(bytes, 8) ? 0 : pick_number(bytes);
        rows[i].tags = tags;
        rows[i].tag_count = fuzz_pick(bytes, i + 2);
    }
    int rc = sw_task_submit(run->engine, rows, count, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK)
        submissions_note(run, result, count);
    sw_result_free(result);
}

static void call_cancel(call_run *run)
{
    sw_cancel_row rows[ROWS_MAX];
    size_t count = fuzz_pick(&run->bytes, 3);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (sw_cancel_row){.task_id = pick_task(run)};
        rows[i].actor = pick_text(&run->bytes);
        rows[i].reason = pick_text(&run->bytes);
    }
    call_check(run, sw_task_cancel(run->engine, rows, count, &run->err), NULL);
}

static void call_explain(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    sw_uuid task = pick_task(run);
    int rc = sw_step_explain(run->engine, &task, pick_name(&run->bytes), &result, &run->err);
    call_check(run, rc, result);
    const sw_step_reason *rows = sw_step_reasons(result, &count);
    for (size_t i = 0; i < count; i++) {
        fuzz_require(rows[i].message.len > 0, "a reason without a word");
        fuzz_check_text(rows[i].message);
        fuzz_check_text(rows[i].subject);
    }
    sw_result_free(result);
}

/* The counts of a task are those of its steps. */
static void task_check(const sw_task_row *task, const sw_step_row *steps, size_t count)
{
    int64_t found[SW_STEP_STATE_COUNT] = {0};
    fuzz_require(task->step_count == (int64_t)count, "%lld of %zu steps",
                 (long long)task->step_count, count);
    for (size_t i = 0; i < count; i++) {
        found[steps[i].state]++;
        fuzz_check_text(steps[i].result);
        fuzz_check_text(steps[i].error_message);
    }
    fuzz_require(memcmp(found, task->step_counts, sizeof(found)) == 0, "counts that are not true");
}

static void call_get(call_run *run)
{
    sw_result *result = NULL;
    size_t task_count = 0;
    size_t step_count = 0;
    sw_uuid task = pick_task(run);
    int rc = fuzz_pick(&run->bytes, 2) ? sw_task_get(run->engine, &task, &result, &run->err)
                                       : sw_task_wait(run->engine, &task, 0, &result, &run->err);
    call_check(run, rc, result);
    const sw_task_row *tasks = sw_tasks(result, &task_count);
    const sw_step_row *steps = sw_steps(result, &step_count);
    if (result)
        task_check(&tasks[0], steps, step_count);
    sw_result_free(result);
}

static void call_list(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    int64_t counts[SW_TASK_STATE_COUNT] = {0};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    fuzz_bytes *bytes = &run->bytes;
    filter.state = (int32_t)fuzz_pick(bytes, SW_TASK_STATE_COUNT + 2) - 1;
    filter.workflow = fuzz_pick(bytes, 2) ? (sw_str){0} : pick_name(bytes);
    filter.tag = fuzz_pick(bytes, 2) ? (sw_str){0} : pick_name(bytes);
    filter.correlation_id = pick_text(bytes);
    call_check(run, sw_task_count(run->engine, &filter, counts, &run->err), NULL);
    filter.limit = pick_number(bytes);
    if (fuzz_pick(bytes, 2))
        filter.before = pick_task(run);
    int rc = sw_task_list(run->engine, &filter, &result, &run->err);
    call_check(run, rc, result);
    const sw_task_row *rows = sw_tasks(result, &count);
    fuzz_require(filter.limit <= 0 || count <= (size_t)filter.limit, "%zu rows", count);
    for (size_t i = 0; i < count; i++)
        fuzz_require(filter.state < 0 || rows[i].state == filter.state, "a wrong state");
    sw_result_free(result);
}

/* A step is taken from its success by nobody, whatever is asked for. */
static void overrides_note(call_run *run, const sw_result *result, size_t row_count)
{
    size_t count = 0;
    const sw_step_overridden *rows = sw_step_overrides(result, &count);
    fuzz_require(count == row_count, "%zu answers to %zu rows", count, row_count);
    for (size_t i = 0; i < count; i++) {
        const call_claim *claim = claim_find(run, rows[i].step_id);
        bool applied = rows[i].status == SW_ROW_APPLIED;
        fuzz_require(applied == (rows[i].code == 0), "a row is refused without a reason");
        fuzz_require(!applied || !claim || !claim->committed, "a success is overridden");
        fuzz_check_text(rows[i].message);
        run->overridden = run->overridden || applied;
    }
}

static void call_override(call_run *run)
{
    sw_result *result = NULL;
    sw_step_override_row rows[ROWS_MAX];
    fuzz_bytes *bytes = &run->bytes;
    size_t count = fuzz_pick(bytes, ROWS_MAX + 1);
    int mode = (int)fuzz_pick(bytes, SW_BATCH_MODE_COUNT + 1);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (sw_step_override_row){.step_id = pick_claim(run).step_id};
        rows[i].step_id += (int64_t)fuzz_pick(bytes, 4); /* steps of a task lie side by side */
        rows[i].state = (int32_t)fuzz_pick(bytes, SW_STEP_STATE_COUNT + 1);
        rows[i].actor = fuzz_pick(bytes, 8) ? sw__str("ann") : pick_text(bytes);
        rows[i].reason = fuzz_pick(bytes, 8) ? sw__str("because") : pick_text(bytes);
    }
    int rc = sw_step_override(run->engine, rows, count, mode, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK)
        overrides_note(run, result, count);
    sw_result_free(result);
}

/* Every step is counted, and a step is ready only when nothing else says otherwise. */
static void call_context(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    int64_t total = 0;
    sw_uuid task = pick_task(run);
    call_check(run, sw_task_context(run->engine, &task, 1, &result, &run->err), result);
    const sw_task_context_row *row = sw_task_contexts(result, &count);
    for (int state = 0; count > 0 && state < SW_STEP_STATE_COUNT; state++)
        total += row->step_counts[state];
    fuzz_require(count == 0 || total == row->step_count, "a step that is counted nowhere");
    sw_result_free(result);
    result = NULL;
    call_check(run, sw_step_readiness(run->engine, &task, &result, &run->err), result);
    const sw_step_readiness_row *rows = sw_readiness_rows(result, &count);
    for (size_t i = 0; i < count; i++)
        fuzz_require(!rows[i].ready || (rows[i].dependencies_satisfied && rows[i].retry_eligible &&
                                        rows[i].reason == SW_REASON_QUEUED),
                     "a step is ready and is not");
    sw_result_free(result);
}

static void call_history(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    sw_uuid task = pick_task(run);
    int64_t entry_no = pick_number(&run->bytes);
    int64_t limit = pick_number(&run->bytes);
    int rc = fuzz_pick(&run->bytes, 2)
                 ? sw_audit_task(run->engine, &task, &result, &run->err)
                 : sw_audit_list(run->engine, entry_no, limit, &result, &run->err);
    call_check(run, rc, result);
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    for (size_t i = 1; i < count; i++)
        fuzz_require(rows[i - 1].entry_no < rows[i].entry_no, "entries in another order");
    sw_result_free(result);
}

static void call_verify(call_run *run)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw_audit_verify(run->engine, &report, &run->err);
    fuzz_require(rc == SW_OK && report.ok, "%s: %s", sw_code_name(rc), report.message);
}

static void call_pass_time(call_run *run)
{
    static const int64_t steps_us[] = {1, 1000, 400000, 10000000, 20000000, 86400000000};
    fault_env_advance(&run->world.fault, steps_us[fuzz_pick(&run->bytes, 6)]);
    if (fuzz_pick(&run->bytes, 4) == 3)
        run->world.fault.wall_us = (int64_t)fuzz_take(&run->bytes, 7);
    sw_engine_wake(run->engine);
}

static void run_calls(call_run *run)
{
    static void (*const calls[])(call_run *) = {
        call_register, call_submit,    call_open_worker,  call_exchange,     call_update_batch,
        call_renew,    call_cancel,    call_explain,      call_get,          call_list,
        call_history,  call_pass_time, call_close_worker, call_list_workers, call_workflow_get,
        call_exchange, call_exchange,  call_verify,       call_override,     call_context,
        call_forecast, call_picture,   call_durations,    call_heartbeat,    call_append,
        call_events,   call_past,      call_projection,   call_append,
    };
    for (int i = 0; i < CALLS_MAX && !fuzz_done(&run->bytes); i++)
        calls[fuzz_pick(&run->bytes, sizeof(calls) / sizeof(calls[0]))](run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static call_run run;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    memset(&run, 0, sizeof(run));
    run.bytes = (fuzz_bytes){data, data + size};
    fuzz_world_open(&run.world);
    options.store = sw__str("memory:");
    options.env = &run.world.fault.env;
    options.payload_max = 32;
    call_check(&run, sw_engine_open(&options, &run.engine, &run.err), NULL);
    run_calls(&run);
    call_verify(&run);
    sw_engine_close(run.engine);
    for (size_t i = 0; i < DEFINITIONS; i++)
        sw_workflow_free(run.workflows[i]);
    fuzz_world_close(&run.world);
    return 0;
}
