/* Taking back what a transaction has changed, newest change first, without needing memory. */
#include <string.h>

#include "store/memory.h"

/* A log that one large transaction has blown up is given back after it. */
#define SW__UNDO_KEEP ((size_t)1024 * 1024)

static int undo_grow(const sw_env *env, void **block, size_t *capacity, size_t needed, size_t size)
{
    size_t bytes;
    size_t wanted = *capacity ? *capacity : 64;
    while (wanted < needed) {
        if (__builtin_mul_overflow(wanted, 2, &wanted))
            return SW_ENOMEM;
    }
    if (__builtin_mul_overflow(wanted, size, &bytes))
        return SW_ENOMEM;
    void *grown = sw__resize(env, *block, bytes);
    if (!grown)
        return SW_ENOMEM;
    *block = grown;
    *capacity = wanted;
    return SW_OK;
}

int sw__undo_reserve(sw__memory *self, size_t records, size_t bytes)
{
    sw__undo_log *log = &self->undo;
    size_t needed;
    if (log->capacity - log->count < records) {
        if (__builtin_add_overflow(log->count, records, &needed) ||
            undo_grow(self->base.env, (void **)&log->records, &log->capacity, needed,
                      sizeof(*log->records)) < 0)
            return SW_ENOMEM;
    }
    if (log->saved_capacity - log->saved_len < bytes) {
        if (__builtin_add_overflow(log->saved_len, bytes, &needed) ||
            undo_grow(self->base.env, (void **)&log->saved, &log->saved_capacity, needed, 1) < 0)
            return SW_ENOMEM;
    }
    return SW_OK;
}

void sw__undo_note(sw__memory *self, sw__undo undo)
{
    self->undo.records[self->undo.count++] = undo;
}

static void undo_save(sw__memory *self, int kind, void *where, size_t size)
{
    sw__undo_log *log = &self->undo;
    memcpy(log->saved + log->saved_len, where, size);
    log->saved_len += size;
    sw__undo_note(self, (sw__undo){.kind = kind, .size = (uint32_t)size, .where = where});
}

void sw__undo_bytes(sw__memory *self, void *where, size_t size)
{
    undo_save(self, SW__UNDO_BYTES, where, size);
}

void sw__undo_step(sw__memory *self, sw__memory_step *step)
{
    undo_save(self, SW__UNDO_STEP, step, sizeof(step->hot));
}

static void undo_restore_step(sw__memory *self, sw__memory_step *step, const uint8_t *saved)
{
    if (step->hot.lane != SW__LANE_NONE)
        sw__queue_remove(&self->queue, step);
    memcpy(&step->hot, saved, sizeof(step->hot));
    if (step->hot.lane != SW__LANE_NONE)
        sw__queue_add(&self->queue, step);
}

static void undo_take_back(sw__memory *self, const sw__undo *undo)
{
    self->undo.saved_len -= undo->size;
    const uint8_t *saved = self->undo.saved + self->undo.saved_len;
    switch ((sw__undo_kind)undo->kind) {
    case SW__UNDO_BYTES:
        memcpy(undo->where, saved, undo->size);
        break;
    case SW__UNDO_STEP:
        undo_restore_step(self, undo->where, saved);
        break;
    case SW__UNDO_ADDED:
        sw__table_take(undo->where, undo->key);
        break;
    case SW__UNDO_TAKEN:
        sw__table_add(undo->where, undo->key, undo->row);
        break;
    case SW__UNDO_LINKED:
        sw__index_remove(undo->where, undo->row);
        break;
    case SW__UNDO_CUT: {
        sw__index_link *link = undo->row;
        sw__index_add(undo->where, link, link->key, link->row);
        break;
    }
    case SW__UNDO_RUN:
        sw__table_take(undo->where, undo->key);
        sw__memory_run_free(self, undo->row);
        break;
    case SW__UNDO_TASK:
        sw__memory_task_free(self, undo->where);
        break;
    case SW__UNDO_MADE:
        sw__free(self->base.env, undo->where);
        break;
    case SW__UNDO_DROPPED:
    case SW__UNDO_ENDED:
        break;
    }
}

static void undo_clear(sw__memory *self)
{
    self->undo.count = 0;
    self->undo.saved_len = 0;
    if (self->undo.capacity * sizeof(sw__undo) + self->undo.saved_capacity > SW__UNDO_KEEP)
        sw__undo_free(self);
}

void sw__undo_rollback(sw__memory *self)
{
    while (self->undo.count > 0) {
        const sw__undo undo = self->undo.records[--self->undo.count];
        undo_take_back(self, &undo);
    }
    undo_clear(self);
}

void sw__undo_commit(sw__memory *self)
{
    for (size_t i = 0; i < self->undo.count; i++) {
        const sw__undo *undo = &self->undo.records[i];
        if (undo->kind == SW__UNDO_DROPPED)
            sw__free(self->base.env, undo->where);
        if (undo->kind == SW__UNDO_ENDED)
            sw__memory_task_free(self, undo->where);
    }
    undo_clear(self);
}

void sw__undo_free(sw__memory *self)
{
    sw__free(self->base.env, self->undo.records);
    sw__free(self->base.env, self->undo.saved);
    self->undo = (sw__undo_log){0};
}
