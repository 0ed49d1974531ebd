/* Workers in memory. */
#include "store/memory.h"

static sw__worker_rec *worker_make(const sw_env *env, const sw__worker_rec *row)
{
    sw__block block = {0};
    sw__block_need(&block, row->name);
    sw__block_need(&block, row->host);
    sw__block_need(&block, row->handlers);
    sw__block_need(&block, row->queues);
    sw__worker_rec *made = sw__block_make(&block, env, sizeof(*made));
    if (!made)
        return NULL;
    *made = *row;
    made->name = sw__block_copy_name(&block, row->name);
    made->host = sw__block_copy_name(&block, row->host);
    made->handlers = sw__block_copy_name(&block, row->handlers);
    made->queues = sw__block_copy_name(&block, row->queues);
    return made;
}

/* Take a row out; there is room for two records. */
static void worker_take(sw__memory *self, int64_t worker_no)
{
    sw__worker_rec *row = sw__table_take(&self->workers, worker_no);
    sw__undo_note(
        self,
        (sw__undo){.kind = SW__UNDO_TAKEN, .where = &self->workers, .key = worker_no, .row = row});
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = row});
}

int sw__memory_worker_put(sw__store *store, const sw__worker_rec *row, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.worker_put", err);
    if (rc < 0)
        return rc;
    if (sw__undo_reserve(self, 4, 0) < 0 || sw__table_reserve(&self->workers, store->env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__worker_rec *made = worker_make(store->env, row);
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    if (sw__table_find(&self->workers, row->worker_no))
        worker_take(self, row->worker_no);
    sw__table_add(&self->workers, row->worker_no, made);
    sw__undo_note(
        self, (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->workers, .key = row->worker_no});
    return SW_OK;
}

int sw__memory_worker_renew(sw__store *store, int64_t worker_no, int64_t lease_until_us,
                            sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.worker_renew", err);
    if (rc < 0)
        return rc;
    sw__worker_rec *row = sw__table_find(&self->workers, worker_no);
    if (!row)
        return sw__fail(err, SW_ENOTFOUND, "worker %lld is not open", (long long)worker_no);
    if (sw__undo_reserve(self, 1, sizeof(row->lease_until_us)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, &row->lease_until_us, sizeof(row->lease_until_us));
    row->lease_until_us = lease_until_us;
    return SW_OK;
}

int sw__memory_worker_delete(sw__store *store, int64_t worker_no, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.worker_delete", err);
    if (rc < 0 || !sw__table_find(&self->workers, worker_no))
        return rc;
    if (sw__undo_reserve(self, 2, 0) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    worker_take(self, worker_no);
    return SW_OK;
}

int sw__memory_workers_list(sw__store *store, sw__arena *arena, sw__worker_rec **rows,
                            size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.workers_list", err);
    if (rc < 0)
        return rc;
    *count = self->workers.count;
    *rows = sw__arena_array(arena, *count, sizeof(**rows));
    for (size_t i = 0; *rows && i < *count; i++) {
        const sw__worker_rec *row = self->workers.items[i].row;
        sw__worker_rec *copy = &(*rows)[i];
        *copy = *row;
        copy->name = sw__arena_str(arena, row->name);
        copy->host = sw__arena_str(arena, row->host);
        copy->handlers = sw__arena_str(arena, row->handlers);
        copy->queues = sw__arena_str(arena, row->queues);
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}
