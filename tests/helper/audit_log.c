/* Writing honest audit logs by hand, and changing them behind the store's back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/audit_log.h"

#include <stdio.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/segment.h"
#include "base/str.h"

#define LOG_WORKER 5
#define LOG_STEPS 4

const char AUDIT_LOG_DIAMOND[] =
    "{\"stepwell\": 1, \"name\": \"diamond\", \"steps\": ["
    "{\"name\": \"top\"},"
    "{\"name\": \"left\", \"after\": [\"top\"], \"on_failure\": \"continue\"},"
    "{\"name\": \"right\", \"after\": [\"top\"], \"on_failure\": \"continue\"},"
    "{\"name\": \"bottom\", \"after\": [\"left\", \"right\"]}]}";

static void log_register(audit_log *log)
{
    sw__worker_rec worker = {.worker_no = LOG_WORKER,
                             .name = SW__LIT("ann@host"),
                             .host = SW__LIT("host"),
                             .handlers = SW__LIT("[]"),
                             .queues = SW__LIT("[]")};
    sw__workflow_rec rec = {
        .workflow_no = 1,
        .name = log->workflow->name,
        .version = log->workflow->version,
        .json = log->workflow->json,
    };
    sw_audit_entry entry = {
        .kind = SW_AUDIT_WORKFLOW_REGISTERED,
        .subject = SW__LIT("diamond@"),
        .digest = {(const char *)log->workflow->digest, sizeof(log->workflow->digest)},
    };
    memcpy(rec.digest, log->workflow->digest, sizeof(rec.digest));
    audit_log_begin(log);
    assert_int_equal(log->store->ops->workflows_put(log->store, &rec, 1, NULL), SW_OK);
    audit_log_add(log, &entry, 0);
    entry = (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED,
                             .worker_id = LOG_WORKER,
                             .actor = SW__LIT("ann@host"),
                             .subject = SW__LIT("pid 12 on host")};
    audit_log_add(log, &entry, 0);
    assert_int_equal(log->store->ops->worker_put(log->store, &worker, NULL), SW_OK);
    audit_log_commit(log);
    log->workflow_no = 1;
}

void audit_log_open(audit_log *log, const char *definition)
{
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    sw__store_options store_options = {.env = sw_env_system()};
    *log = (audit_log){.now_us = 1750000000000000, .seed = 88172645463325252};
    assert_int_equal(sw_workflow_load(&options, sw__str(definition), &log->workflow, NULL, NULL),
                     SW_OK);
    assert_int_equal(sw__store_memory_open(&store_options, &log->store, NULL), SW_OK);
    log->hasher = sw__hasher_new(sw_env_system());
    assert_non_null(log->hasher);
    sw__audit_init(&log->audit, sw_env_system(), log->hasher);
    log_register(log);
}

void audit_log_close(audit_log *log)
{
    if (log->honest)
        log->store->ops = log->honest;
    sw__arena_free(log->arena);
    sw__audit_free(&log->audit);
    sw__hasher_free(log->hasher);
    log->store->ops->close(log->store);
    sw_workflow_free(log->workflow);
}

void audit_log_begin(audit_log *log)
{
    log->now_us += 1000;
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    assert_int_equal(sw__audit_begin(&log->audit, log->store, log->now_us, NULL), SW_OK);
}

void audit_log_commit(audit_log *log)
{
    assert_int_equal(sw__audit_seal(&log->audit, log->store, NULL), SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
}

/* Rows, inside a transaction. */

static sw__task_hot log_task(audit_log *log, int64_t task_no)
{
    sw__task_hot row;
    assert_int_equal(log->store->ops->tasks_get(log->store, &task_no, 1, &row, NULL), SW_OK);
    assert_int_equal(row.task_no, task_no);
    return row;
}

static void log_task_update(audit_log *log, const sw__task_hot *row)
{
    assert_int_equal(log->store->ops->tasks_update(log->store, row, 1, NULL), SW_OK);
}

static sw__step_hot log_step(audit_log *log, int64_t task_no, int index)
{
    sw__step_hot row;
    int64_t step_id = SW__STEP_ID(task_no, index);
    assert_int_equal(log->store->ops->steps_get(log->store, &step_id, 1, &row, NULL), SW_OK);
    assert_int_equal(row.step_id, step_id);
    return row;
}

static void log_step_update(audit_log *log, const sw__step_hot *row)
{
    assert_int_equal(log->store->ops->steps_update(log->store, row, 1, NULL), SW_OK);
}

sw__task_hot audit_log_task(audit_log *log, int64_t task_no)
{
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    sw__task_hot row = log_task(log, task_no);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return row;
}

sw__step_hot audit_log_step(audit_log *log, int64_t task_no, int index)
{
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    sw__step_hot row = log_step(log, task_no, index);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return row;
}

void audit_log_put_task(audit_log *log, const sw__task_hot *row)
{
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    log_task_update(log, row);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
}

void audit_log_put_step(audit_log *log, const sw__step_hot *row)
{
    assert_int_equal(log->store->ops->begin(log->store, true, NULL), SW_OK);
    log_step_update(log, row);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
}

/* Moves. */

void audit_log_add(audit_log *log, const sw_audit_entry *entry, int64_t task_no)
{
    if (task_no == 0) {
        assert_int_equal(sw__audit_add(&log->audit, entry, NULL, NULL), SW_OK);
        return;
    }
    sw__task_hot task = log_task(log, task_no);
    assert_int_equal(sw__audit_add(&log->audit, entry, &task, NULL), SW_OK);
    log_task_update(log, &task);
}

/* The rows of a new task's steps, counted in the task. */
static size_t log_first_steps(const audit_log *log, sw__task_hot *task, sw__step_hot *rows)
{
    size_t count = log->workflow->step_count;
    assert_true(count <= LOG_STEPS);
    for (size_t i = 0; i < count; i++) {
        size_t after = log->workflow->steps[i].after_count;
        rows[i] = (sw__step_hot){.step_id = SW__STEP_ID(task->task_no, i)};
        rows[i].state = after > 0 ? SW_STEP_PENDING : SW_STEP_READY;
        rows[i].open_deps = (int32_t)after;
        task->counts[rows[i].state]++;
    }
    return count;
}

int64_t audit_log_submit(audit_log *log, const char *input)
{
    uint8_t digest[32];
    int64_t task_no = 0;
    assert_int_equal(
        log->store->ops->sequence_take(log->store, SW__SEQUENCE_TASK, 1, &task_no, NULL), SW_OK);
    sw__task_info info = {.task_no = task_no, .input = sw__str(input), .initiator = SW__LIT("bob")};
    memset(info.input_salt, (int)task_no, sizeof(info.input_salt));
    sw__task_hot task = {
        .task_no = task_no, .workflow_no = log->workflow_no, .created_us = log->now_us};
    memset(task.task_id.bytes, 0x70, sizeof(task.task_id.bytes));
    memcpy(task.task_id.bytes, &task_no, sizeof(task_no));
    sw_audit_entry entry = {
        .kind = SW_AUDIT_TASK_SUBMITTED,
        .task_id = task.task_id,
        .actor = info.initiator,
        .subject = sw_workflow_digest(log->workflow),
    };
    if (input) {
        assert_int_equal(sw__audit_digest(log->hasher, info.input_salt, &info.input, 1, digest),
                         SW_OK);
        entry.digest = (sw_str){(const char *)digest, sizeof(digest)};
    }
    sw__step_hot steps[LOG_STEPS];
    size_t step_count = log_first_steps(log, &task, steps);
    assert_int_equal(sw__audit_add(&log->audit, &entry, &task, NULL), SW_OK);
    assert_int_equal(log->store->ops->tasks_insert(log->store, &task, &info, 1, NULL), SW_OK);
    assert_int_equal(log->store->ops->steps_insert(log->store, steps, step_count, NULL), SW_OK);
    return task_no;
}

/* Store what an attempt left behind; digest is filled when there is something. */
static bool log_put_payload(audit_log *log, const sw__step_hot *step, int to, uint8_t digest[32])
{
    if (to == SW_STEP_SUCCEEDED) {
        sw__payload row = {.step_id = step->step_id, .body = SW__LIT("{\"ok\":true}")};
        memset(row.salt, 0x33, sizeof(row.salt));
        assert_int_equal(log->store->ops->results_put(log->store, &row, 1, NULL), SW_OK);
        assert_int_equal(sw__audit_digest(log->hasher, row.salt, &row.body, 1, digest), SW_OK);
        return true;
    }
    sw__failure row = {
        .step_id = step->step_id,
        .epoch = step->epoch,
        .error_class = SW__LIT("Oops"),
        .message = SW__LIT("it broke"),
    };
    const sw_str parts[] = {row.error_class, row.message, row.detail};
    memset(row.salt, 0x44, sizeof(row.salt));
    assert_int_equal(log->store->ops->failures_put(log->store, &row, 1, NULL), SW_OK);
    assert_int_equal(sw__audit_digest(log->hasher, row.salt, parts, 3, digest), SW_OK);
    return true;
}

static bool log_is_fault(int from, int to, sw_str reason)
{
    bool given_back = sw__str_is(reason, "released") || sw__str_is(reason, "worker closed");
    return from == SW_STEP_RUNNING && !given_back &&
           (to == SW_STEP_READY || to == SW_STEP_FAILED || to == SW_STEP_SUCCEEDED);
}

/* The dependents of a step that is done count one dependency less. */
static void log_satisfy(audit_log *log, int64_t task_no, int index)
{
    const sw__graph *graph = &log->workflow->graph;
    for (int32_t at = graph->out_start[index]; at < graph->out_start[index + 1]; at++) {
        sw__step_hot row = log_step(log, task_no, graph->out_node[at]);
        row.open_deps--;
        log_step_update(log, &row);
    }
}

void audit_log_move(audit_log *log, int64_t task_no, int index, int to, const char *reason)
{
    uint8_t digest[32];
    sw__task_hot task = log_task(log, task_no);
    sw__step_hot step = log_step(log, task_no, index);
    sw_audit_entry entry = {
        .kind = SW_AUDIT_STEP_CHANGED,
        .from = step.state,
        .to = to,
        .step_id = step.step_id,
        .task_id = task.task_id,
        .step = log->workflow->steps[index].name,
        .reason = sw__str(reason),
        .worker_id = to == SW_STEP_RUNNING ? LOG_WORKER : 0,
    };
    step.epoch += to == SW_STEP_RUNNING;
    step.attempt += to == SW_STEP_RUNNING;
    if (log_is_fault(step.state, to, entry.reason) && log_put_payload(log, &step, to, digest))
        entry.digest = (sw_str){(const char *)digest, sizeof(digest)};
    else if (step.state == SW_STEP_RUNNING && to == SW_STEP_READY)
        step.attempt--;
    step.crashes +=
        sw__str_is(entry.reason, "lease expired") || sw__str_is(entry.reason, "worker died");
    task.counts[step.state]--;
    task.counts[to]++;
    task.fatal +=
        to == SW_STEP_FAILED && log->workflow->steps[index].on_failure != SW_ON_FAILURE_CONTINUE;
    step.state = to;
    entry.attempt = step.attempt;
    entry.epoch = step.epoch;
    log_step_update(log, &step);
    log_task_update(log, &task);
    audit_log_add(log, &entry, task_no);
    if (to == SW_STEP_SUCCEEDED ||
        (to == SW_STEP_FAILED && log->workflow->steps[index].on_failure == SW_ON_FAILURE_CONTINUE))
        log_satisfy(log, task_no, index);
}

void audit_log_move_task(audit_log *log, int64_t task_no, int to, const char *actor)
{
    sw__task_hot task = log_task(log, task_no);
    sw_audit_entry entry = {
        .kind = SW_AUDIT_TASK_CHANGED,
        .from = task.state,
        .to = to,
        .task_id = task.task_id,
        .actor = sw__str(actor),
    };
    task.state = to;
    log_task_update(log, &task);
    audit_log_add(log, &entry, task_no);
}

void audit_log_fence(audit_log *log, int64_t task_no, int index, int64_t epoch)
{
    sw__task_hot task = log_task(log, task_no);
    sw__step_hot step = log_step(log, task_no, index);
    sw_audit_entry entry = {
        .kind = SW_AUDIT_STEP_FENCED,
        .from = step.state,
        .to = step.state,
        .attempt = step.attempt,
        .epoch = epoch,
        .step_id = step.step_id,
        .task_id = task.task_id,
        .step = log->workflow->steps[index].name,
        .worker_id = LOG_WORKER,
    };
    audit_log_add(log, &entry, task_no);
}

/* Histories. */

static void log_one_move(audit_log *log, int64_t task_no, int index, int to, const char *reason)
{
    audit_log_begin(log);
    audit_log_move(log, task_no, index, to, reason);
    audit_log_commit(log);
}

int64_t audit_log_run(audit_log *log)
{
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, "{\"n\":1}");
    audit_log_commit(log);
    for (int i = 0; i < LOG_STEPS; i++) {
        if (i > 0)
            log_one_move(log, task_no, i, SW_STEP_READY, NULL);
        audit_log_begin(log);
        audit_log_move(log, task_no, i, SW_STEP_RUNNING, NULL);
        if (i == 0)
            audit_log_move_task(log, task_no, SW_TASK_RUNNING, NULL);
        audit_log_commit(log);
        log_one_move(log, task_no, i, SW_STEP_SUCCEEDED, NULL);
    }
    audit_log_begin(log);
    audit_log_move_task(log, task_no, SW_TASK_SUCCEEDED, NULL);
    audit_log_commit(log);
    return task_no;
}

int64_t audit_log_second_attempt(audit_log *log)
{
    audit_log_begin(log);
    int64_t task_no = audit_log_submit(log, NULL);
    audit_log_move_task(log, task_no, SW_TASK_RUNNING, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_move(log, task_no, 0, SW_STEP_READY, "retry");
    audit_log_move(log, task_no, 0, SW_STEP_RUNNING, NULL);
    audit_log_commit(log);
    return task_no;
}

sw_audit_entry audit_log_entry(audit_log *log, int64_t task_no, int index)
{
    sw__task_hot task = audit_log_task(log, task_no);
    sw__step_hot step = audit_log_step(log, task_no, index);
    return (sw_audit_entry){
        .kind = SW_AUDIT_STEP_CHANGED,
        .from = step.state,
        .attempt = step.attempt,
        .epoch = step.epoch,
        .step_id = step.step_id,
        .task_id = task.task_id,
        .step = log->workflow->steps[index].name,
    };
}

static uint32_t log_draw(audit_log *log, uint32_t limit)
{
    log->seed ^= log->seed << 13;
    log->seed ^= log->seed >> 7;
    log->seed ^= log->seed << 17;
    return (uint32_t)(log->seed >> 33) % limit;
}

/* One move of a step that is ready or running; steps fail for good only where the task goes on. */
static void log_play_step(audit_log *log, int64_t task_no, int index)
{
    static const char *const reasons[] = {"retry",    "lease expired", "worker died",     "timeout",
                                          "released", "worker closed", "heartbeat missed"};
    sw__step_hot step = log_step(log, task_no, index);
    if (log_draw(log, 8) == 0)
        audit_log_fence(log, task_no, index,
                        step.state == SW_STEP_RUNNING ? step.epoch - 1 : step.epoch);
    if (step.state == SW_STEP_PENDING && step.open_deps == 0)
        audit_log_move(log, task_no, index, SW_STEP_READY, NULL);
    else if (step.state == SW_STEP_READY)
        audit_log_move(log, task_no, index, SW_STEP_RUNNING, NULL);
    else if (step.state == SW_STEP_RUNNING && log_draw(log, 3) == 0)
        audit_log_move(log, task_no, index, SW_STEP_READY, reasons[log_draw(log, 7)]);
    else if (step.state == SW_STEP_RUNNING && log_draw(log, 4) == 0 &&
             log->workflow->steps[index].on_failure == SW_ON_FAILURE_CONTINUE)
        audit_log_move(log, task_no, index, SW_STEP_FAILED, "attempts used up");
    else if (step.state == SW_STEP_RUNNING)
        audit_log_move(log, task_no, index, SW_STEP_SUCCEEDED, NULL);
}

static void log_play_task(audit_log *log, int64_t task_no)
{
    sw__task_hot task = log_task(log, task_no);
    if (sw_task_state_terminal(task.state))
        return;
    if (task.state == SW_TASK_PENDING)
        audit_log_move_task(log, task_no, SW_TASK_RUNNING, NULL);
    for (int i = 0; i < LOG_STEPS; i++)
        log_play_step(log, task_no, i);
    task = log_task(log, task_no);
    if (task.counts[SW_STEP_SUCCEEDED] + task.counts[SW_STEP_FAILED] == LOG_STEPS)
        audit_log_move_task(log, task_no, SW_TASK_SUCCEEDED, NULL);
}

static void log_play_round(audit_log *log, int tasks, int64_t *last)
{
    audit_log_begin(log);
    for (uint32_t more = log_draw(log, 3); more > 0 && log->played < tasks; more--) {
        *last = audit_log_submit(log, log_draw(log, 2) ? "{\"n\":2}" : NULL);
        log->first_played = log->first_played > 0 ? log->first_played : *last;
        log->played++;
    }
    for (int64_t task_no = log->first_played; task_no > 0 && task_no <= *last; task_no++) {
        if (log_draw(log, 3) > 0)
            log_play_task(log, task_no);
    }
    audit_log_commit(log);
}

void audit_log_play_rounds(audit_log *log, int tasks, int rounds)
{
    int64_t last = 0;
    log->played = 0;
    log->first_played = 0;
    for (int i = 0; i < rounds; i++)
        log_play_round(log, tasks, &last);
}

void audit_log_play(audit_log *log, int tasks)
{
    audit_log_play_rounds(log, tasks, AUDIT_LOG_ROUNDS + tasks);
}

int audit_log_prune(audit_log *log)
{
    int pruned = 0;
    audit_log_begin(log);
    for (int64_t task_no = log->first_played; pruned < log->played; task_no++) {
        sw__task_hot task;
        assert_int_equal(log->store->ops->tasks_get(log->store, &task_no, 1, &task, NULL), SW_OK);
        if (task.task_no == 0)
            break;
        if (!sw_task_state_terminal(task.state))
            continue;
        sw_audit_entry entry = {.kind = SW_AUDIT_TASK_PRUNED,
                                .from = task.state,
                                .to = task.state,
                                .task_id = task.task_id,
                                .actor = SW__LIT("ann"),
                                .reason = SW__LIT("older than a year")};
        audit_log_add(log, &entry, task_no);
        assert_int_equal(log->store->ops->tasks_delete(log->store, &task_no, 1, NULL), SW_OK);
        pruned++;
    }
    audit_log_commit(log);
    return pruned;
}

int audit_log_verify_by(audit_log *log, const sw_audit_trust *trust, int32_t jobs,
                        sw_audit_report *report, sw_error *err)
{
    *report = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_verify(log->store, log->hasher, sw_env_system(), trust, jobs, report, err);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    return rc;
}

int audit_log_verify_alike(audit_log *log, const sw_audit_trust *trust, sw_audit_report *report)
{
    sw_error err = {0};
    sw_error other_err = {0};
    sw_audit_report other;
    int rc = audit_log_verify_by(log, trust, 1, report, &err);
    assert_int_equal(audit_log_verify_by(log, trust, 2, &other, &other_err), rc);
    assert_memory_equal(&other, report, sizeof(other));
    assert_int_equal(err.code, other_err.code);
    assert_string_equal(err.message, other_err.message);
    return rc;
}

int audit_log_verify(audit_log *log, sw_audit_report *report)
{
    int rc = audit_log_verify_alike(log, NULL, report);
    assert_int_equal(rc, report->ok ? SW_OK : SW_EAUDIT);
    return rc;
}

void audit_log_is_detected(audit_log *log, const char *words)
{
    sw_audit_report report;
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    assert_int_equal(report.ok, 0);
    assert_true(report.first_bad_entry > 0);
    assert_true(report.last_bad_entry >= report.first_bad_entry);
    if (!strstr(report.message, words))
        fail_msg("expected \"%s\" in: %s", words, report.message);
}

void audit_log_is_honest(audit_log *log)
{
    sw_audit_report report;
    if (audit_log_verify(log, &report) != SW_OK)
        fail_msg("false alarm: %s", report.message);
    assert_int_equal(report.first_bad_entry, 0);
    assert_int_equal(report.last_bad_entry, 0);
    assert_int_equal(strlen(report.head), 64);
}

static audit_log log_shared;

int audit_log_setup(void **state)
{
    audit_log_open(&log_shared, AUDIT_LOG_DIAMOND);
    *state = &log_shared;
    return 0;
}

int audit_log_teardown(void **state)
{
    audit_log_close(*state);
    return 0;
}
