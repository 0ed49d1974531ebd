/* Destroying the payloads of tasks in memory. */
#include <string.h>

#include "store/memory.h"

static int forget_key(sw__memory *self, const sw__memory_task *task, sw_error *err)
{
    sw__memory_key *key = NULL;
    int rc = sw__memory_key_of(self, task, &key, err);
    if (rc < 0 || !key)
        return rc;
    if (sw__undo_reserve(self, 1, sizeof(key->row.input_digest)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, key->row.input_digest, sizeof(key->row.input_digest));
    memset(key->row.input_digest, 0, sizeof(key->row.input_digest));
    return SW_OK;
}

static int forget_input(sw__memory *self, sw__memory_task *task, sw_error *err)
{
    sw__task_info *info = &task->info;
    if (sw__undo_reserve(self, 2, sizeof(info->input) + sizeof(info->input_salt)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, &info->input, sizeof(info->input));
    sw__undo_bytes(self, info->input_salt, sizeof(info->input_salt));
    info->input = (sw_str){NULL, 0};
    memcpy(info->input_salt, sw__salt_erased, sizeof(info->input_salt));
    return SW_OK;
}

static int forget_step(sw__memory *self, sw__memory_step *step, sw_error *err)
{
    size_t count = 0;
    for (const sw__memory_failure *row = step->failures; row; row = row->older)
        count++;
    if (sw__undo_reserve(self, count + 3, sizeof(step->result) + sizeof(step->failures)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (sw__memory_failure *row = step->failures; row; row = row->older)
        sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = row});
    if (step->result)
        sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = step->result});
    sw__undo_bytes(self, &step->result, sizeof(step->result));
    sw__undo_bytes(self, &step->failures, sizeof(step->failures));
    step->result = NULL;
    step->failures = NULL;
    return SW_OK;
}

static int forget_task(sw__memory *self, int64_t task_no, sw_error *err)
{
    sw__memory_task *task = sw__memory_task_find(self, task_no);
    if (!task)
        return sw__fail(err, SW_ENOTFOUND, "task %lld is not stored", (long long)task_no);
    int rc = forget_key(self, task, err);
    if (rc == SW_OK)
        rc = forget_input(self, task, err);
    for (size_t i = 0; rc == SW_OK && i < task->runs.count; i++) {
        sw__memory_run *run = task->runs.items[i].row;
        for (size_t j = 0; rc == SW_OK && j < run->count; j++)
            rc = forget_step(self, &run->steps[j], err);
    }
    return rc == SW_OK ? sw__memory_events_strip(self, task_no, err) : rc;
}

int sw__memory_tasks_erase(sw__store *store, const int64_t *task_nos, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.tasks_erase", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rc = forget_task(self, task_nos[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return rc == SW_OK ? sw__memory_projections_forget(self, err) : rc;
}

int sw__memory_scrub(sw__store *store, bool *clean, sw_error *err)
{
    (void)store;
    (void)err;
    *clean = true;
    return SW_OK;
}
