/* Tasks in memory: the rows, idempotency keys, lists. */
#include <string.h>

#include "base/str.h"
#include "store/memory.h"
#include "store/parent.h"

sw__memory_task *sw__memory_task_find(const sw__memory *self, int64_t task_no)
{
    return sw__table_find(&self->tasks, task_no);
}

static void task_free_payloads(sw__memory *self, sw__memory_step *step)
{
    sw__free(self->base.env, step->result);
    while (step->failures) {
        sw__memory_failure *older = step->failures->older;
        sw__free(self->base.env, step->failures);
        step->failures = older;
    }
}

/* The lines are not cared for: at rollback no run is left, at the end nobody looks at them. */
void sw__memory_task_free(sw__memory *self, sw__memory_task *task)
{
    for (size_t i = 0; i < task->runs.count; i++) {
        sw__memory_run *run = task->runs.items[i].row;
        for (size_t j = 0; j < run->count; j++)
            task_free_payloads(self, &run->steps[j]);
        sw__free(self->base.env, run);
    }
    sw__free(self->base.env, task->runs.items);
    sw__free(self->base.env, task);
}

static sw__memory_task *task_make(const sw_env *env, const sw__task_hot *hot,
                                  const sw__task_info *info)
{
    const sw_str texts[] = {info->input,  info->key,  info->initiator,
                            info->reason, info->tags, info->correlation_id};
    sw__block block = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        sw__block_need(&block, texts[i]);
    sw__memory_task *task = sw__block_make(&block, env, sizeof(*task));
    if (!task)
        return NULL;
    task->hot = *hot;
    task->info = *info;
    task->info.input = sw__block_copy(&block, info->input);
    task->info.key = sw__block_copy(&block, info->key);
    task->info.initiator = sw__block_copy(&block, info->initiator);
    task->info.reason = sw__block_copy(&block, info->reason);
    task->info.correlation_id = sw__block_copy(&block, info->correlation_id);
    task->info.tags = sw__block_copy(&block, info->tags);
    return task;
}

static sw_str task_id_key(const sw_uuid *id)
{
    return (sw_str){(const char *)id->bytes, sizeof(id->bytes)};
}

static int task_insert(sw__memory *self, const sw__task_hot *hot, const sw__task_info *info,
                       sw_error *err)
{
    const sw_env *env = self->base.env;
    if (sw__table_find(&self->tasks, hot->task_no) ||
        sw__index_find(&self->task_ids, task_id_key(&hot->task_id)))
        return sw__fail(err, SW_ECONFLICT, "task %lld is already stored", (long long)hot->task_no);
    if (sw__undo_reserve(self, 3, 0) < 0 || sw__table_reserve(&self->tasks, env) < 0 ||
        sw__index_reserve(&self->task_ids, env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_task *task = task_make(env, hot, info);
    if (!task)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_TASK, .where = task});
    sw__table_add(&self->tasks, hot->task_no, task);
    sw__undo_note(self,
                  (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->tasks, .key = hot->task_no});
    sw__index_add(&self->task_ids, &task->by_id, task_id_key(&task->hot.task_id), task);
    sw__undo_note(
        self, (sw__undo){.kind = SW__UNDO_LINKED, .where = &self->task_ids, .row = &task->by_id});
    return SW_OK;
}

int sw__memory_tasks_insert(sw__store *store, const sw__task_hot *hot, const sw__task_info *info,
                            size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.tasks_insert", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = task_insert(self, &hot[i], &info[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__memory_tasks_get(sw__store *store, const int64_t *task_nos, size_t count,
                         sw__task_hot *rows, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.tasks_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__memory_task *task = sw__memory_task_find(self, task_nos[i]);
        rows[i] = task ? task->hot : (sw__task_hot){0};
    }
    return rc;
}

static void task_replace(sw__memory_task *task, const sw__task_hot *row)
{
    sw__task_hot before = task->hot;
    task->hot = *row;
    task->hot.task_id = before.task_id;
    task->hot.created_us = before.created_us;
}

int sw__memory_tasks_update(sw__store *store, const sw__task_hot *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.tasks_update", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        sw__memory_task *task = sw__memory_task_find(self, rows[i].task_no);
        if (!task)
            return sw__fail_row(err, SW_ENOTFOUND, i, "task %lld is not stored",
                                (long long)rows[i].task_no);
        if (sw__undo_reserve(self, 1, sizeof(task->hot)) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        sw__undo_bytes(self, &task->hot, sizeof(task->hot));
        task_replace(task, &rows[i]);
    }
    return SW_OK;
}

static void task_copy_info(const sw__task_info *info, sw__arena *arena, sw__task_info *out)
{
    *out = *info;
    out->input = sw__arena_str(arena, info->input);
    out->key = sw__arena_str(arena, info->key);
    out->initiator = sw__arena_str(arena, info->initiator);
    out->reason = sw__arena_str(arena, info->reason);
    out->correlation_id = sw__arena_str(arena, info->correlation_id);
    out->tags = sw__arena_str(arena, info->tags);
}

int sw__memory_tasks_info(sw__store *store, const int64_t *task_nos, size_t count, sw__arena *arena,
                          sw__task_info *rows, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.tasks_info", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const sw__memory_task *task = sw__memory_task_find(self, task_nos[i]);
        rows[i] = (sw__task_info){0};
        if (task)
            task_copy_info(&task->info, arena, &rows[i]);
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__memory_tasks_find(sw__store *store, const sw_uuid *ids, size_t count, int64_t *task_nos,
                          sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.tasks_find", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__memory_task *task = sw__index_find(&self->task_ids, task_id_key(&ids[i]));
        task_nos[i] = task ? task->hot.task_no : 0;
    }
    return rc;
}

static int task_key_add(sw__memory *self, const sw__task_key *row, sw_error *err)
{
    sw__block block = {0};
    sw__block_need(&block, row->scope);
    if (sw__undo_reserve(self, 2, 0) < 0 ||
        sw__index_reserve(&self->task_scopes, self->base.env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_key *made = sw__block_make(&block, self->base.env, sizeof(*made));
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    made->row = *row;
    made->row.scope = sw__block_copy_name(&block, row->scope);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__index_add(&self->task_scopes, &made->by_scope, made->row.scope, made);
    sw__undo_note(
        self,
        (sw__undo){.kind = SW__UNDO_LINKED, .where = &self->task_scopes, .row = &made->by_scope});
    return SW_OK;
}

static int task_key_put(sw__memory *self, const sw__task_key *row, sw_error *err)
{
    sw__memory_key *known = sw__index_find(&self->task_scopes, row->scope);
    if (!known)
        return task_key_add(self, row, err);
    if (sw__undo_reserve(self, 1, sizeof(known->row)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, &known->row, sizeof(known->row));
    known->row.task_no = row->task_no;
    memcpy(known->row.input_digest, row->input_digest, sizeof(row->input_digest));
    return SW_OK;
}

int sw__memory_task_keys_put(sw__store *store, const sw__task_key *rows, size_t count,
                             sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.task_keys_put", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = task_key_put(self, &rows[i], err);
    return rc;
}

int sw__memory_task_keys_find(sw__store *store, sw__task_key *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.task_keys_find", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__memory_key *known = sw__index_find(&self->task_scopes, rows[i].scope);
        sw_str scope = rows[i].scope;
        rows[i] = known ? known->row : (sw__task_key){0};
        rows[i].scope = scope;
    }
    return rc;
}

static bool task_passes(const sw__memory *self, const sw__memory_task *task,
                        const sw_task_filter *filter, const sw__needles *needles)
{
    if (filter->state != -1 && filter->state != task->hot.state)
        return false;
    if (filter->workflow.ptr) {
        const sw__memory_workflow *workflow =
            sw__table_find(&self->workflows, task->hot.workflow_no);
        if (!workflow || !sw__str_equal(workflow->row.name, filter->workflow))
            return false;
    }
    if (filter->correlation_id.ptr &&
        (!task->info.correlation_id.ptr ||
         !sw__str_equal(task->info.correlation_id, filter->correlation_id)))
        return false;
    for (size_t i = 0; i < needles->count; i++) {
        if (!sw__tags_hold(task->info.tags, sw__needle(needles, i)))
            return false;
    }
    return true;
}

/* Places of a range in the table of tasks: from the first one to behind the last one. */
static size_t task_range_start(const sw__memory *self, sw__task_range range)
{
    return range.above > 0 ? sw__table_seek(&self->tasks, range.above + 1) : 0;
}

static size_t task_range_end(const sw__memory *self, sw__task_range range)
{
    return range.below > 0 ? sw__table_seek(&self->tasks, range.below) : self->tasks.count;
}

int sw__memory_tasks_list(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                          sw__arena *arena, sw__task_hot **rows, size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    sw__needles needles;
    sw__buf found;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.tasks_list", err);
    if (rc < 0)
        return rc;
    sw__needles_init(&needles, store->env, filter);
    sw__buf_init(&found, store->env);
    size_t room = (size_t)sw__filter_limit(filter);
    size_t end = task_range_end(self, range);
    size_t start = task_range_start(self, range);
    while (room > 0 && end > start) {
        const sw__memory_task *task = self->tasks.items[range.rising ? start++ : --end].row;
        if (task_passes(self, task, filter, &needles)) {
            sw__buf_put(&found, &task->hot, sizeof(task->hot));
            room--;
        }
    }
    if (sw__needles_failed(&needles))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__needles_free(&needles);
    return sw__rows_finish(&found, sizeof(**rows), rc, arena, (void **)rows, count, err);
}

int sw__memory_tasks_count(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                           int64_t counts[SW_TASK_STATE_COUNT], sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    sw__needles needles;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.tasks_count", err);
    if (rc < 0)
        return rc;
    sw__needles_init(&needles, store->env, filter);
    memset(counts, 0, SW_TASK_STATE_COUNT * sizeof(counts[0]));
    size_t end = task_range_end(self, range);
    for (size_t i = task_range_start(self, range); i < end; i++) {
        const sw__memory_task *task = self->tasks.items[i].row;
        if (task_passes(self, task, filter, &needles) && task->hot.state >= 0 &&
            task->hot.state < SW_TASK_STATE_COUNT)
            counts[task->hot.state]++;
    }
    if (sw__needles_failed(&needles))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__needles_free(&needles);
    return rc;
}
