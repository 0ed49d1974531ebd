/* Taking tasks out of memory: at once, so that nothing is ever left of one. */
#include "store/memory.h"

int sw__memory_key_of(const sw__memory *self, const sw__memory_task *task, sw__memory_key **key,
                      sw_error *err)
{
    sw__buf scope;
    const sw__memory_workflow *workflow = sw__table_find(&self->workflows, task->hot.workflow_no);
    *key = NULL;
    if (!task->info.key.ptr || !workflow)
        return SW_OK;
    sw__buf_init(&scope, self->base.env);
    sw__key_scope(&scope, workflow->row.name, task->info.key);
    bool failed = scope.failed;
    if (!failed)
        *key = sw__index_find(&self->task_scopes, sw__buf_str(&scope));
    sw__buf_free(&scope);
    if (*key && (*key)->row.task_no != task->hot.task_no)
        *key = NULL;
    return failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static void remove_take_link(sw__memory *self, sw__index *index, sw__index_link *link)
{
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_CUT, .where = index, .row = link});
    sw__index_remove(index, link);
}

static size_t remove_count_queued(const sw__memory_task *task)
{
    size_t count = 0;
    for (size_t i = 0; i < task->runs.count; i++) {
        const sw__memory_run *run = task->runs.items[i].row;
        for (size_t j = 0; j < run->count; j++)
            count += run->steps[j].hot.lane != SW__LANE_NONE;
    }
    return count;
}

static void remove_leave_lines(sw__memory *self, const sw__memory_task *task)
{
    for (size_t i = 0; i < task->runs.count; i++) {
        sw__memory_run *run = task->runs.items[i].row;
        for (size_t j = 0; j < run->count; j++) {
            sw__memory_step *step = &run->steps[j];
            if (step->hot.lane == SW__LANE_NONE)
                continue;
            sw__undo_step(self, step);
            sw__queue_remove(&self->queue, step);
            step->hot.lane = SW__LANE_NONE;
        }
    }
}

static int remove_task(sw__memory *self, int64_t task_no, sw_error *err)
{
    sw__memory_key *key = NULL;
    sw__memory_task *task = sw__memory_task_find(self, task_no);
    if (!task)
        return sw__fail(err, SW_ENOTFOUND, "task %lld is not stored", (long long)task_no);
    size_t queued = remove_count_queued(task);
    int rc = sw__memory_key_of(self, task, &key, err);
    if (rc == SW_OK)
        rc = sw__memory_events_strip(self, task_no, err);
    if (rc < 0)
        return rc;
    size_t deadlines = sw__memory_deadlines_count(self, task_no);
    if (sw__undo_reserve(self, queued + 5 + 3 * deadlines,
                         (queued + deadlines) * sizeof(sw__step_hot)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (key) {
        remove_take_link(self, &self->task_scopes, &key->by_scope);
        sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = key});
    }
    remove_leave_lines(self, task);
    sw__memory_deadlines_take(self, task_no);
    remove_take_link(self, &self->task_ids, &task->by_id);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_TAKEN,
                                   .where = &self->tasks,
                                   .key = task_no,
                                   .row = sw__table_take(&self->tasks, task_no)});
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_ENDED, .where = task});
    return SW_OK;
}

int sw__memory_tasks_delete(sw__store *store, const int64_t *task_nos, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.tasks_delete", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = remove_task(self, task_nos[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__memory_rests_delete(sw__store *store, int64_t step_max, bool *left, sw_error *err)
{
    (void)step_max;
    *left = false;
    return sw__memory_enter((sw__memory *)store, SW__STORE_WRITING, "store.rests_delete", err);
}

int sw__memory_rest_find(sw__store *store, int64_t task_no, bool *found, sw_error *err)
{
    (void)task_no;
    *found = false;
    return sw__memory_enter((sw__memory *)store, SW__STORE_READING, "store.rest_find", err);
}

int sw__memory_shrink(sw__store *store, int64_t *bytes, sw_error *err)
{
    *bytes = 0;
    return sw__memory_enter((sw__memory *)store, SW__STORE_WRITING, "store.shrink", err);
}
