/* What must hold after every crash and at the end, read through a fresh engine.
 *
 * The history of each task is replayed here from the audit entries by rules of its own, which
 * share no code with the engine; the state rows and every query must then say the same.
 */
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "sim/ledger.h"
#include "store/sqlite.h"

#define ORACLE_PAGE 100000
#define LIT(text) ((sw_str){(text), sizeof(text) - 1})

/* A task as its history tells it. */
typedef struct replayed {
    int state;
    int submissions;
    int steps[LEDGER_STEPS];
    int64_t epochs[LEDGER_STEPS];
    int64_t succeeded_epochs[LEDGER_STEPS];
    int attempts[LEDGER_STEPS];
} replayed;

typedef struct oracle {
    ledger *l;
    sw_engine *engine;
    sw_error error;
    replayed tasks[LEDGER_TASKS];
} oracle;

static void oracle_violate(const oracle *o, const char *rule, const ledger_task *task,
                           const char *text)
{
    world_violate(o->l->world, rule, "task %s: %s", task ? task->key : "?", text);
}

/* Replay. */

static int oracle_find(const oracle *o, const sw_uuid *id)
{
    for (int i = 0; i < o->l->task_count; i++) {
        const ledger_task *task = &o->l->tasks[i];
        if (task->acknowledged && memcmp(&task->id, id, sizeof *id) == 0)
            return i;
    }
    return -1;
}

static bool oracle_satisfied(const ledger_shape *shape, const replayed *task, int step)
{
    return task->steps[step] == SW_STEP_SUCCEEDED ||
           (task->steps[step] == SW_STEP_FAILED &&
            shape->on_failure[step] == SW_ON_FAILURE_CONTINUE);
}

static void replay_start(const oracle *o, const ledger_task *known, replayed *task, int step,
                         const sw_audit_entry *entry)
{
    const ledger_shape *shape = &o->l->shapes[known->shape];
    if (entry->epoch != task->epochs[step] + 1)
        oracle_violate(o, "O3", known, "an epoch was left out or given twice");
    if (task->succeeded_epochs[step])
        oracle_violate(o, "O2", known, "a step starts after it succeeded");
    for (int from = 0; from < step; from++) {
        if (shape->after[step] & 1u << from && !oracle_satisfied(shape, task, from))
            oracle_violate(o, "O4", known, "a step starts before its dependency has ended");
    }
    task->epochs[step] = entry->epoch;
    task->attempts[step] = entry->attempt;
}

static void replay_step(const oracle *o, const ledger_task *known, replayed *task,
                        const sw_audit_entry *entry)
{
    int step = ledger_step(entry->step);
    if (step < 0) {
        oracle_violate(o, "O5", known, "an entry names an unknown step");
        return;
    }
    if (entry->from != task->steps[step])
        oracle_violate(o, "O5", known, "an entry starts from a state the step was not in");
    if (sw_step_state_terminal(task->steps[step]))
        oracle_violate(o, "O2", known, "a step leaves a terminal state");
    if (entry->to == SW_STEP_RUNNING)
        replay_start(o, known, task, step, entry);
    if (entry->to == SW_STEP_SUCCEEDED && entry->epoch != task->epochs[step])
        oracle_violate(o, "O3", known, "a superseded attempt completed a step");
    if (entry->to == SW_STEP_SUCCEEDED)
        task->succeeded_epochs[step] = entry->epoch;
    task->steps[step] = entry->to;
    task->attempts[step] = entry->attempt;
}

static void replay_entry(oracle *o, const sw_audit_entry *entry)
{
    int index = oracle_find(o, &entry->task_id);
    if (index < 0)
        return;
    replayed *task = &o->tasks[index];
    const ledger_task *known = &o->l->tasks[index];
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED && ++task->submissions > 1)
        oracle_violate(o, "O1", known, "submitted twice");
    if (entry->kind == SW_AUDIT_TASK_CHANGED)
        task->state = entry->to;
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        replay_step(o, known, task, entry);
}

static void replay_begin(oracle *o)
{
    for (int i = 0; i < o->l->task_count; i++) {
        const ledger_shape *shape = &o->l->shapes[o->l->tasks[i].shape];
        for (int step = 0; step < shape->step_count; step++)
            o->tasks[i].steps[step] = shape->after[step] ? SW_STEP_PENDING : SW_STEP_READY;
    }
}

static int oracle_replay(oracle *o)
{
    size_t count = 0;
    sw_result *result = NULL;
    replay_begin(o);
    int rc = sw_audit_list(o->engine, 1, ORACLE_PAGE, &result, &o->error);
    const sw_audit_entry *entries = sw_audit_entries(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].entry_no != (int64_t)i + 1)
            world_violate(o->l->world, "O5", "entry %zu has the number %lld", i + 1,
                          (long long)entries[i].entry_no);
        replay_entry(o, &entries[i]);
    }
    sw_result_free(result);
    return rc;
}

/* The ledger against the history. */

static int oracle_task_of(const oracle *o, int64_t step_id, int64_t *first_ids)
{
    for (int i = 0; i < o->l->task_count; i++) {
        if (first_ids[i] && SW__STEP_TASK(step_id) == SW__STEP_TASK(first_ids[i]))
            return i;
    }
    return -1;
}

static void oracle_check_claims(const oracle *o, int64_t *first_ids, int (*order)[LEDGER_STEPS])
{
    for (size_t i = 0; i < o->l->claim_count; i++) {
        const ledger_claim *claim = &o->l->claims[i];
        int index = oracle_task_of(o, claim->step_id, first_ids);
        if (index < 0) /* its submission was never acknowledged */
            continue;
        const ledger_task *known = &o->l->tasks[index];
        int step = order[index][SW__STEP_INDEX(claim->step_id)];
        if (claim->epoch > o->tasks[index].epochs[step])
            oracle_violate(o, "O9", known, "an attempt that was handed out is not in the history");
        if (claim->succeeded && o->tasks[index].succeeded_epochs[step] != claim->epoch)
            oracle_violate(o, "O1", known, "an acknowledged completion is not in the history");
    }
}

/* Rows against the history. */

static void oracle_check_row(const oracle *o, int index, const sw_step_row *row, int step)
{
    char text[64];
    const replayed *task = &o->tasks[index];
    const ledger_task *known = &o->l->tasks[index];
    if (row->state != task->steps[step])
        oracle_violate(o, "O5", known, "a step's row differs from its history");
    if (row->epoch != task->epochs[step] || row->attempt != task->attempts[step])
        oracle_violate(o, "O5", known, "a step's epoch or attempt differs from its history");
    if (row->state != SW_STEP_SUCCEEDED)
        return;
    sw_str result = ledger_result(text, row->step_id, task->succeeded_epochs[step]);
    if (row->result.len != result.len || memcmp(row->result.ptr, result.ptr, result.len) != 0)
        oracle_violate(o, "O9", known, "a result is not that of the attempt that committed");
}

static void oracle_check_deps(const oracle *o, int index, const sw_step_row *row, int step)
{
    int open = 0;
    const ledger_task *known = &o->l->tasks[index];
    const ledger_shape *shape = &o->l->shapes[known->shape];
    for (int from = 0; from < step; from++)
        open +=
            (shape->after[step] >> from & 1) && !oracle_satisfied(shape, &o->tasks[index], from);
    if (row->state == SW_STEP_PENDING && row->open_deps != open)
        oracle_violate(o, "O6", known, "the count of open dependencies is wrong");
    if (row->state == SW_STEP_PENDING && open == 0)
        oracle_violate(o, "O6", known, "a step whose dependencies have ended is not ready");
}

static void oracle_check_reasons(oracle *o, const ledger_task *known, const sw_step_row *row)
{
    size_t count = 0;
    sw_result *result = NULL;
    if (sw_step_explain(o->engine, &known->id, row->name, &result, &o->error) < 0)
        return;
    const sw_step_reason *reasons = sw_step_reasons(result, &count);
    if (count == 0 || reasons[0].state != row->state)
        oracle_violate(o, "O8", known, "explain does not say what the row says");
    if (row->state == SW_STEP_PENDING && (int)count != row->open_deps)
        oracle_violate(o, "O8", known, "explain does not name every open dependency");
    sw_result_free(result);
}

static int oracle_check_task(oracle *o, int index, int64_t *first_id, int *order)
{
    size_t count = 0;
    size_t tasks = 0;
    sw_result *result = NULL;
    const ledger_task *known = &o->l->tasks[index];
    int rc = sw_task_get(o->engine, &known->id, &result, &o->error);
    if (rc < 0) {
        if (rc == SW_ENOTFOUND)
            oracle_violate(o, "O1", known, "an acknowledged task is lost");
        return rc;
    }
    const sw_step_row *rows = sw_steps(result, &count);
    const sw_task_row *task = sw_tasks(result, &tasks);
    if (task->state != o->tasks[index].state)
        oracle_violate(o, "O5", known, "the task's row differs from its history");
    if (known->cancel_acknowledged && task->state != SW_TASK_CANCELLED)
        oracle_violate(o, "O1", known, "an acknowledged cancellation is lost");
    int64_t by_state[SW_STEP_STATE_COUNT] = {0};
    *first_id = count ? rows[0].step_id : 0;
    for (size_t i = 0; i < count; i++) {
        int step = ledger_step(rows[i].name);
        order[i] = step;
        by_state[rows[i].state]++;
        oracle_check_row(o, index, &rows[i], step);
        oracle_check_deps(o, index, &rows[i], step);
        oracle_check_reasons(o, known, &rows[i]);
    }
    if (memcmp(by_state, task->step_counts, sizeof by_state) != 0)
        oracle_violate(o, "O6", known, "the task's counts differ from its steps");
    sw_result_free(result);
    return 0;
}

static void oracle_check_list(oracle *o)
{
    size_t count = 0;
    int64_t counts[SW_TASK_STATE_COUNT];
    int64_t total = 0;
    sw_result *result = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    if (sw_task_list(o->engine, &filter, &result, &o->error) < 0)
        return;
    sw_tasks(result, &count);
    sw_result_free(result);
    if (sw_task_count(o->engine, &filter, counts, &o->error) < 0)
        return;
    for (int i = 0; i < SW_TASK_STATE_COUNT; i++)
        total += counts[i];
    if ((int64_t)count != total)
        world_violate(o->l->world, "O8", "list finds %zu tasks, count says %lld", count,
                      (long long)total);
}

/* The file and the chain. */

static int oracle_integrity_row(void *context, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    if (strcmp(values[0], "ok") != 0)
        world_violate(context, "O7", "integrity_check: %s", values[0]);
    return 0;
}

static void oracle_check_file(oracle *o)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sqlite3 *db = ((sw__sqlite *)o->engine->store)->db;
    sqlite3_exec(db, "PRAGMA integrity_check", oracle_integrity_row, o->l->world, NULL);
    int rc = sw_audit_verify(o->engine, &report, &o->error);
    if (rc == SW_EAUDIT)
        world_violate(o->l->world, "O5", "audit: %s", report.message);
}

static void oracle_check_all(oracle *o)
{
    int64_t first_ids[LEDGER_TASKS] = {0};
    int order[LEDGER_TASKS][LEDGER_STEPS] = {0};
    oracle_check_file(o);
    if (oracle_replay(o) < 0)
        return;
    for (int i = 0; i < o->l->task_count; i++) {
        if (o->l->tasks[i].acknowledged && o->tasks[i].submissions == 0)
            oracle_violate(o, "O1", &o->l->tasks[i], "an acknowledged task is not in the history");
        if (o->l->tasks[i].acknowledged && oracle_check_task(o, i, &first_ids[i], order[i]) < 0)
            return;
    }
    oracle_check_claims(o, first_ids, order);
    oracle_check_list(o);
}

sw_engine *oracle_open(ledger *l)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = LIT("/sim.db");
    options.env = &l->harness.env;
    options.busy_timeout_ms = 1;
    options.must_exist = 1;
    int rc = sw_engine_open(&options, &engine, &error);
    if (rc == SW_ECORRUPT || rc == SW_EFOREIGN || rc == SW_EVERSION)
        world_violate(l->world, "O7", "the database cannot be opened: %s", error.message);
    return engine;
}

void oracle_close(ledger *l, sw_engine *engine)
{
    sw_engine_close(engine);
    if (l->harness.heap.blocks)
        world_violate(l->world, "O10", "reading leaves %zu blocks of memory",
                      l->harness.heap.blocks);
}

void oracle_check(ledger *l)
{
    oracle o = {.l = l, .engine = oracle_open(l)};
    if (!o.engine)
        return;
    l->checks++;
    oracle_check_all(&o);
    oracle_close(l, o.engine);
}

bool oracle_all_ended(ledger *l, sw_engine *engine)
{
    sw_error error;
    int64_t open = 0;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    for (int i = 0; i < l->task_count; i++) {
        if (!l->tasks[i].acknowledged)
            return false;
    }
    int rc = sw_task_count(engine, &filter, counts, &error);
    for (int state = 0; rc == 0 && state < SW_TASK_STATE_COUNT; state++)
        open += sw_task_state_terminal(state) ? 0 : counts[state];
    return rc == 0 && open == 0;
}
