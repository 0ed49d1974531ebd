/* Those who ask: every answer must hold what was acknowledged before the question. */
#include <string.h>

#include "sim/actor.h"

#define READER_PAGE 3
#define READER_PATIENCE 100

/* One task. */

static void ask_check_step(actor *self, const sw_step_row *row, const ledger_claim *claim,
                           bool succeeded)
{
    if (row->epoch < claim->epoch)
        world_violate(self->world, "O1", "step %lld is at epoch %lld after %lld was handed out",
                      (long long)row->step_id, (long long)row->epoch, (long long)claim->epoch);
    if (succeeded && row->state != SW_STEP_SUCCEEDED)
        world_violate(self->world, "O1", "step %lld is %s after its success was acknowledged",
                      (long long)row->step_id, sw_step_state_name(row->state));
}

/* What was known before the question: claims, and which of them were acknowledged by then. */
typedef struct ask_known {
    size_t claims;
    uint64_t acknowledged;
    bool ended;
} ask_known;

static void ask_check_task(actor *self, const ledger_task *task, const ask_known *known,
                           const sw_result *result)
{
    size_t steps = 0;
    size_t tasks = 0;
    const ledger *l = actor_ledger(self);
    const sw_step_row *rows = sw_steps(result, &steps);
    const sw_task_row *row = sw_tasks(result, &tasks);
    if (tasks > 0 && known->ended && !task->operated && !sw_task_state_terminal(row->state))
        world_violate(self->world, "O1", "the task of key %s goes on after its end", task->key);
    for (size_t i = 0; i < known->claims; i++) {
        const ledger_claim *claim = &l->claims[i];
        bool succeeded = claim->succeeded && claim->succeeded <= known->acknowledged;
        for (size_t k = 0; k < steps; k++) {
            if (rows[k].step_id == claim->step_id &&
                memcmp(&claim->task_id, &task->id, sizeof task->id) == 0)
                ask_check_step(self, &rows[k], claim, succeeded);
        }
    }
}

static int ask_task(actor *self, ledger_task *task, sw_error *error)
{
    sw_result *result = NULL;
    const ledger *l = actor_ledger(self);
    ask_known known = {l->claim_count, l->acknowledged, task->ended};
    int rc = sw_task_get(self->engine, &task->id, &result, error);
    if (rc == 0)
        ask_check_task(self, task, &known, result);
    sw_result_free(result);
    return rc;
}

static int ask_history(actor *self, ledger_task *task, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_audit_task(self->engine, &task->id, &result, error);
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    if (rc == 0 && (count == 0 || rows[0].kind != SW_AUDIT_TASK_SUBMITTED))
        world_violate(self->world, "O8", "the history of task %s has no beginning", task->key);
    for (size_t i = 1; i < count; i++) {
        if (rows[i].entry_no <= rows[i - 1].entry_no)
            world_violate(self->world, "O8", "the history of task %s is out of order", task->key);
    }
    sw_result_free(result);
    return rc;
}

static int ask_reasons(actor *self, ledger_task *task, sw_error *error)
{
    sw_result *result = NULL;
    int rc = sw_step_explain(self->engine, &task->id, (sw_str){0}, &result, error);
    sw_result_free(result);
    return rc;
}

/* What was acknowledged is counted, and nothing is left out. */
static int ask_context(actor *self, ledger_task *task, sw_error *error)
{
    size_t count = 0;
    int64_t total = 0;
    sw_result *result = NULL;
    bool ended = task->ended;
    int64_t succeeded = ledger_succeeded(actor_ledger(self), &task->id);
    int rc = sw_task_context(self->engine, &task->id, 1, &result, error);
    const sw_task_context_row *row = sw_task_contexts(result, &count);
    for (int state = 0; count > 0 && state < SW_STEP_STATE_COUNT; state++)
        total += row->step_counts[state];
    if (count > 0 && total != row->step_count)
        world_violate(self->world, "O8", "a step of task %s is counted nowhere", task->key);
    if (count > 0 && row->step_counts[SW_STEP_SUCCEEDED] < succeeded)
        world_violate(self->world, "O1", "of task %s %lld successes are counted, %lld are known",
                      task->key, (long long)row->step_counts[SW_STEP_SUCCEEDED],
                      (long long)succeeded);
    if (count > 0 && ended && !task->operated &&
        row->execution_status != SW_EXECUTION_ALL_COMPLETE &&
        row->execution_status != SW_EXECUTION_BLOCKED_BY_FAILURES)
        world_violate(self->world, "O8", "task %s has ended, but is %s", task->key,
                      sw_execution_status_name(row->execution_status));
    sw_result_free(result);
    return rc;
}

static int ask_readiness(actor *self, ledger_task *task, sw_error *error)
{
    sw_result *result = NULL;
    int rc = sw_step_readiness(self->engine, &task->id, &result, error);
    sw_result_free(result);
    return rc;
}

/* The task whose step was handed out last, NULL when it has ended; if asked for, only one of which
 * nothing else is left to do. */
static ledger_task *ask_newest(ledger *l, bool last)
{
    const ledger_claim *claim = l->claim_count ? &l->claims[l->claim_count - 1] : NULL;
    int index = claim ? ledger_find_task(l, &claim->task_id) : -1;
    if (index < 0 || l->tasks[index].ended || (last && claim->applied))
        return NULL;
    int64_t left = ledger_shape_of(l, &l->tasks[index])->step_count;
    return !last || left - ledger_succeeded(l, &claim->task_id) == 1 ? &l->tasks[index] : NULL;
}

/* Whoever waits for a task is told of its end, whenever that comes: best at once, when a step of it
 * has just been handed out, perhaps its last one. */
static int ask_end(actor *self, ledger_task *task, sw_error *error)
{
    ledger *l = actor_ledger(self);
    size_t known = l->claim_count;
    bool last = choice_once_in(&self->world->choice, CHOICE_DETAIL, 2);
    ledger_task *newest = NULL;
    for (int i = 0; i < READER_PATIENCE && !newest && !l->stop; i++) {
        world_sleep(self->world, 2000);
        newest = l->claim_count > known ? ask_newest(l, last) : NULL;
    }
    return actor_wait(self, newest ? newest : task, 3000, error);
}

/* Lists. */

/* Page by page, while others submit: what was acknowledged before is on one page. */
static int ask_pages(actor *self, ledger_task *unused, sw_error *error)
{
    const ledger *l = actor_ledger(self);
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int seen[LEDGER_TASKS] = {0};
    bool known[LEDGER_TASKS];
    size_t count = READER_PAGE;
    int rc = 0;
    (void)unused;
    for (int i = 0; i < LEDGER_TASKS; i++)
        known[i] = l->tasks[i].acknowledged;
    filter.limit = READER_PAGE;
    while (rc == 0 && count == READER_PAGE) {
        sw_result *result = NULL;
        rc = sw_task_list(self->engine, &filter, &result, error);
        const sw_task_row *rows = sw_tasks(result, &count);
        for (size_t i = 0; i < count; i++) {
            int index = ledger_find_task(l, &rows[i].task_id);
            seen[index >= 0 ? index : 0] += index >= 0;
            filter.before = rows[i].task_id;
        }
        sw_result_free(result);
    }
    for (int i = 0; rc == 0 && i < l->task_count; i++) {
        if (known[i] && !l->tasks[i].prune_asked && seen[i] != 1)
            world_violate(self->world, "O8", "the task of key %s is on %d pages", l->tasks[i].key,
                          seen[i]);
    }
    return rc;
}

/* A restart of the machine ends every worker; the first exchange afterwards finds that. */
static int ask_workers(actor *self, ledger_task *unused, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    const ledger *l = actor_ledger(self);
    bool swept = l->exchanged_boots == self->world->boots;
    (void)unused;
    int rc = sw_worker_list(self->engine, &result, error);
    const sw_worker_row *rows = sw_workers(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].worker_id > l->worker_ids_booted)
            continue;
        if (rows[i].alive)
            world_violate(self->world, "O8", "worker %lld is alive after a restart of its machine",
                          (long long)rows[i].worker_id);
        if (swept)
            world_violate(self->world, "O11", "worker %lld is still there after a restart",
                          (long long)rows[i].worker_id);
    }
    sw_result_free(result);
    return rc;
}

void actor_ask(actor *self)
{
    static int (*const questions[])(actor *, ledger_task *, sw_error *) = {
        ask_task,    ask_pages,     ask_workers, ask_workers, ask_history, ask_reasons,
        ask_context, ask_readiness, ask_end,     ask_end,     ask_end};
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    actor_open(self);
    while (!l->stop) {
        actor_sleep_up_to(self, 600);
        ledger_task *task = &l->tasks[choice_draw(c, CHOICE_DETAIL, (uint32_t)l->task_count)];
        uint32_t question = choice_draw(c, CHOICE_DETAIL, sizeof questions / sizeof *questions);
        if (!task->acknowledged)
            continue;
        actor_arm_memory(self);
        int rc = questions[question](self, task, &error);
        if (rc == SW_ENOTFOUND && task->prune_asked)
            rc = 0;
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
        else
            errors = 0;
    }
    actor_close(self);
}
