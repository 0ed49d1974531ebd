/* Results and failures in memory; they hang at their steps. */
#include <string.h>

#include "store/memory.h"

static int payload_step(const sw__memory *self, int64_t step_id, size_t row, sw__memory_step **step,
                        sw_error *err)
{
    *step = sw__memory_step_find(self, step_id);
    if (!*step)
        return sw__fail_row(err, SW_ENOTFOUND, row, "step %lld is not stored", (long long)step_id);
    return SW_OK;
}

static int result_put(sw__memory *self, sw__memory_step *step, const sw__payload *row,
                      sw_error *err)
{
    sw__block block = {0};
    sw__block_need(&block, row->body);
    if (sw__undo_reserve(self, 3, sizeof(step->result)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_payload *made = sw__block_make(&block, self->base.env, sizeof(*made));
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(made->salt, row->salt, sizeof(made->salt));
    made->body = sw__block_copy(&block, row->body);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = step->result});
    sw__undo_bytes(self, &step->result, sizeof(step->result));
    step->result = made;
    return SW_OK;
}

int sw__memory_results_put(sw__store *store, const sw__payload *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.results_put", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__memory_step *step = NULL;
        rc = payload_step(self, rows[i].step_id, i, &step, err);
        if (rc == SW_OK)
            rc = result_put(self, step, &rows[i], err);
    }
    return rc;
}

int sw__memory_results_get(sw__store *store, const int64_t *step_ids, size_t count,
                           sw__arena *arena, sw__payload *rows, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.results_get", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const sw__memory_step *step = sw__memory_step_find(self, step_ids[i]);
        rows[i] = (sw__payload){.step_id = step_ids[i]};
        if (step && step->result) {
            memcpy(rows[i].salt, step->result->salt, sizeof(rows[i].salt));
            rows[i].body = sw__arena_str(arena, step->result->body);
        }
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static sw__memory_failure *failure_make(const sw_env *env, const sw__failure *row)
{
    sw__block block = {0};
    sw__block_need(&block, row->error_class);
    sw__block_need(&block, row->message);
    sw__block_need(&block, row->detail);
    sw__memory_failure *made = sw__block_make(&block, env, sizeof(*made));
    if (!made)
        return NULL;
    made->row = *row;
    made->row.error_class = sw__block_copy(&block, row->error_class);
    made->row.message = sw__block_copy(&block, row->message);
    made->row.detail = sw__block_copy(&block, row->detail);
    return made;
}

/* Newest first; a failure of the same epoch is replaced. */
static int failure_put(sw__memory *self, sw__memory_step *step, const sw__failure *row,
                       sw_error *err)
{
    if (sw__undo_reserve(self, 3, sizeof(step->failures)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_failure *made = failure_make(self->base.env, row);
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_failure **at = &step->failures;
    while (*at && (*at)->row.epoch > row->epoch)
        at = &(*at)->older;
    sw__memory_failure *next = *at;
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    if (next && next->row.epoch == row->epoch) {
        sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = next});
        next = next->older;
    }
    sw__undo_bytes(self, at, sizeof(*at));
    made->older = next;
    *at = made;
    return SW_OK;
}

int sw__memory_failures_put(sw__store *store, const sw__failure *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.failures_put", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__memory_step *step = NULL;
        rc = payload_step(self, rows[i].step_id, i, &step, err);
        if (rc == SW_OK)
            rc = failure_put(self, step, &rows[i], err);
    }
    return rc;
}

int sw__memory_failures_get(sw__store *store, const int64_t *step_ids, size_t count,
                            sw__arena *arena, sw__failure *rows, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.failures_get", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const sw__memory_step *step = sw__memory_step_find(self, step_ids[i]);
        rows[i] = (sw__failure){.step_id = step_ids[i]};
        if (!step || !step->failures)
            continue;
        rows[i] = step->failures->row;
        rows[i].error_class = sw__arena_str(arena, rows[i].error_class);
        rows[i].message = sw__arena_str(arena, rows[i].message);
        rows[i].detail = sw__arena_str(arena, rows[i].detail);
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}
