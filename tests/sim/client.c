/* Those who submit tasks and wait for them. */
#include <stdio.h>
#include <string.h>

#include "sim/actor.h"

#define CLIENT_BATCH_MAX 3
#define SUBMIT_PATIENCE 50

/* Submitters. */

static void submit_fill(const ledger *l, const ledger_task *task, sw_str *tag,
                        sw_task_submit_row *row)
{
    int parent = ledger_parent((int)(task - l->tasks));
    *tag = actor_str(task->tag);
    *row = (sw_task_submit_row){
        .tags = tag,
        .tag_count = 1,
        .workflow = actor_str(l->shapes[task->shape][0].name),
        .key = actor_str(task->key),
        .input = actor_str(task->input),
        .initiator = LIT("sim"),
        .reason = LIT("simulated"),
        .priority = task->priority,
        .deadline_ms = task->deadline_ms,
    };
    if (parent >= 0 && l->tasks[parent].acknowledged)
        row->parent_id = l->tasks[parent].id;
}

static void submit_take(const actor *self, ledger_task *task, const sw_task_submitted *answer)
{
    if (task->acknowledged && memcmp(&task->id, &answer->task_id, sizeof task->id) != 0)
        world_violate(self->world, "O1", "key %s names two tasks", task->key);
    if (task->acknowledged && answer->created)
        world_violate(self->world, "O1", "the task of key %s was lost", task->key);
    task->id = answer->task_id;
    task->acknowledged = true;
}

/* A row may stand twice in a batch: both answers name one task. */
static int submit_batch(actor *self, ledger_task **tasks, size_t count, sw_error *error)
{
    size_t answers = 0;
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    int low = l->version_acknowledged;
    sw_str tags[CLIENT_BATCH_MAX + 1];
    sw_task_submit_row rows[CLIENT_BATCH_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        submit_fill(l, tasks[i], &tags[i], &rows[i]);
        tasks[i]->asked = true;
        tasks[i]->versions |= 1u << low | 1u << l->version_asked;
        tasks[i]->parents |= ledger_has_parent(&rows[i].parent_id) ? 2 : 1;
    }
    actor_arm_memory(self);
    int rc = sw_task_submit(self->engine, rows, count, &result, error);
    const sw_task_submitted *submitted = sw_task_submissions(result, &answers);
    for (size_t i = 0; i < answers; i++)
        submit_take(self, tasks[i], &submitted[i]);
    sw_result_free(result);
    return rc;
}

/* Whether a task of the batch was erased while the batch was on its way. */
static bool submit_is_erased(ledger_task *const *tasks, size_t count)
{
    bool erased = false;
    for (size_t i = 0; i < count; i++)
        erased = erased || tasks[i]->erase_asked;
    return erased;
}

/* In half of the runs that have a second version, half of the tasks are of that one. */
static void submit_await_version(const actor *self)
{
    const ledger *l = actor_ledger(self);
    for (int i = 0; i < SUBMIT_PATIENCE && !l->version_acknowledged && !l->stop; i++)
        world_sleep(self->world, 20000);
}

static void submit_all(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    bool awaits = l->two_versions && choice_once_in(c, CHOICE_DETAIL, 2);
    for (int i = 0; i < l->task_count;) {
        if (awaits && i >= l->task_count / 2)
            submit_await_version(self);
        ledger_task *tasks[CLIENT_BATCH_MAX + 1];
        size_t count = 0;
        /* Its key is a conflict with any input from now on. */
        if (l->tasks[i].erase_asked) {
            i++;
            continue;
        }
        int most = 1 + (int)choice_draw(c, CHOICE_DETAIL, CLIENT_BATCH_MAX);
        while (count < (size_t)most && i + (int)count < l->task_count &&
               !l->tasks[i + (int)count].erase_asked) {
            tasks[count] = &l->tasks[i + (int)count];
            count++;
        }
        bool twice = choice_once_in(c, CHOICE_DETAIL, 8);
        tasks[count] = tasks[0];
        int rc = submit_batch(self, tasks, count + twice, &error);
        if (rc == SW_ECONFLICT && submit_is_erased(tasks, count))
            continue;
        if (rc < 0) {
            actor_bear(self, &errors, rc, &error);
            continue;
        }
        errors = 0;
        /* Submitting again must answer the same tasks. */
        i += choice_once_in(c, CHOICE_DETAIL, 6) ? 0 : (int)count;
        actor_sleep_up_to(self, 300);
    }
}

/* The same key with something else to do is refused. */
static void submit_conflict(actor *self)
{
    sw_str tag;
    sw_error error;
    sw_task_submit_row row;
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    submit_fill(l, &l->tasks[choice_draw(c, CHOICE_DETAIL, (uint32_t)l->task_count)], &tag, &row);
    row.input = LIT("{\"n\":\"other\"}");
    actor_arm_memory(self);
    int rc = sw_task_submit(self->engine, &row, 1, &result, &error);
    if (rc == 0)
        world_violate(self->world, "O1", "a key is accepted with another input");
    else if (rc != SW_ECONFLICT)
        ledger_check_code(l, rc, &error);
    sw_result_free(result);
}

/* A parent that is not there is refused, and its child is not started. */
static void submit_orphan(actor *self)
{
    sw_error error;
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    sw_task_submit_row row = {.workflow = actor_str(l->shapes[0][0].name),
                              .parent_id = {.bytes = {1, 2, 3}}};
    actor_arm_memory(self);
    int rc = sw_task_submit(self->engine, &row, 1, &result, &error);
    if (rc == 0)
        world_violate(self->world, "O8", "a parent that is not there is accepted");
    else if (rc != SW_ENOTFOUND)
        ledger_check_code(l, rc, &error);
    sw_result_free(result);
}

/* Waits. */

int actor_wait(actor *self, ledger_task *task, int64_t wait_ms, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    bool ended = task->ended;
    actor_arm_memory(self);
    int64_t asked_us = self->world->now_us;
    self->watches = true;
    int rc = sw_task_wait(self->engine, &task->id, wait_ms, &result, error);
    self->watches = false;
    const sw_task_row *rows = sw_tasks(result, &count);
    if (rc == SW_ENOTFOUND && task->prune_asked)
        rc = 0;
    else if (rc == 0 && (count == 0 || !sw_task_state_terminal(rows[0].state)))
        world_violate(self->world, "O8", "a wait ends before its task does");
    if (rc == SW_ETIMEOUT && ended && !task->operated)
        world_violate(self->world, "O8", "a wait for a task that has ended times out");
    int64_t since_us = task->ended && task->ended_us > asked_us ? task->ended_us : asked_us;
    if (rc != SW_ETIMEOUT && rc < 0)
        since_us = INT64_MAX - LEDGER_LATE_US;
    if (task->ended && ledger_in_time(actor_ledger(self)) &&
        self->world->now_us > since_us + LEDGER_LATE_US)
        world_violate(self->world, "LATE", "a wait goes on %lld ms after the end of its task",
                      (long long)(self->world->now_us - since_us) / 1000);
    if (rc == 0)
        ledger_ended(actor_ledger(self), task);
    sw_result_free(result);
    return rc == SW_ETIMEOUT ? 0 : rc;
}

/* A wait without end is only safe because every task ends. */
static void wait_all(actor *self)
{
    static const int64_t waits[] = {-1, 0, 100, 3000};
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    choice *c = &self->world->choice;
    for (int i = 0; i < l->task_count && !l->stop;) {
        int rc = actor_wait(self, &l->tasks[i], waits[choice_draw(c, CHOICE_DETAIL, 4)], &error);
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
        else
            errors = 0;
        i += l->tasks[i].ended;
        actor_sleep_up_to(self, 100);
    }
}

void actor_submit(actor *self)
{
    ledger *l = actor_ledger(self);
    actor_open(self);
    if (!l->registered)
        actor_register(self, 0);
    l->registered = true;
    if (!l->submitted)
        submit_all(self);
    /* Once a task may be pruned, its key names another one. */
    if (!l->submitted && choice_once_in(&self->world->choice, CHOICE_WORKLOAD, 3)) {
        submit_conflict(self);
        submit_orphan(self);
    }
    l->submitted = true;
    if (choice_once_in(&self->world->choice, CHOICE_WORKLOAD, 2))
        wait_all(self);
    actor_close(self);
}
