/* Projections in memory. They are few, and looked for one by one. */
#include <stdlib.h>

#include "base/str.h"
#include "store/memory.h"

static const sw__table_item *saved_find(const sw__memory *self, sw_str name)
{
    for (size_t i = 0; i < self->projections.count; i++) {
        const sw_projection *row = self->projections.items[i].row;
        if (sw__str_equal(row->name, name))
            return &self->projections.items[i];
    }
    return NULL;
}

static int saved_missing(sw_str name, sw_error *err)
{
    return sw__fail(err, SW_ENOTFOUND, "there is no projection \"%.*s\"", SW__FMT(name));
}

static sw_projection *saved_make(const sw_env *env, const sw_projection *row)
{
    sw__block block = {0};
    sw__block_need(&block, row->name);
    sw__block_need(&block, row->version);
    sw__block_need(&block, row->state);
    sw_projection *made = sw__block_make(&block, env, sizeof(*made));
    if (!made)
        return NULL;
    *made = *row;
    made->name = sw__block_copy_name(&block, row->name);
    made->version = sw__block_copy_name(&block, row->version);
    made->state = sw__block_copy(&block, row->state);
    return made;
}

/* After two records were reserved. */
static void saved_take(sw__memory *self, int64_t number)
{
    void *row = sw__table_take(&self->projections, number);
    sw__undo_note(self, (sw__undo){
                            .kind = SW__UNDO_TAKEN,
                            .where = &self->projections,
                            .key = number,
                            .row = row,
                        });
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = row});
}

int sw__memory_projection_put(sw__store *store, const sw_projection *row, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    sw__table *table = &self->projections;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.projection_put", err);
    if (rc < 0)
        return rc;
    if (sw__undo_reserve(self, 4, 0) < 0 || sw__table_reserve(table, store->env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw_projection *made = saved_make(store->env, row);
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    const sw__table_item *known = saved_find(self, row->name);
    int64_t number = table->count > 0 ? table->items[table->count - 1].key + 1 : 1;
    if (known) {
        number = known->key;
        saved_take(self, number);
    }
    sw__table_add(table, number, made);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_ADDED, .where = table, .key = number});
    return SW_OK;
}

static void saved_copy(const sw_projection *row, sw__arena *arena, sw_projection *out)
{
    *out = *row;
    out->name = sw__arena_str(arena, row->name);
    out->version = sw__arena_str(arena, row->version);
    out->state = sw__arena_str(arena, row->state);
}

int sw__memory_projection_find(sw__store *store, sw_str name, sw__arena *arena, sw_projection *out,
                               sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.saved_find", err);
    if (rc < 0)
        return rc;
    const sw__table_item *item = saved_find(self, name);
    if (!item)
        return saved_missing(name, err);
    saved_copy(item->row, arena, out);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int saved_compare(const void *a, const void *b)
{
    return sw__str_compare(((const sw_projection *)a)->name, ((const sw_projection *)b)->name);
}

int sw__memory_projections_list(sw__store *store, sw__arena *arena, sw_projection **rows,
                                size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.projections_list", err);
    if (rc < 0)
        return rc;
    *count = self->projections.count;
    *rows = sw__arena_array(arena, *count, sizeof(**rows));
    for (size_t i = 0; *rows && i < *count; i++)
        saved_copy(self->projections.items[i].row, arena, &(*rows)[i]);
    if (sw__arena_failed(arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    if (*count > 1)
        qsort(*rows, *count, sizeof(**rows), saved_compare);
    return SW_OK;
}

int sw__memory_projection_delete(sw__store *store, sw_str name, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.projection_delete", err);
    if (rc < 0)
        return rc;
    const sw__table_item *item = saved_find(self, name);
    if (!item)
        return saved_missing(name, err);
    if (sw__undo_reserve(self, 2, 0) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    saved_take(self, item->key);
    return SW_OK;
}

int sw__memory_projections_forget(sw__memory *self, sw_error *err)
{
    if (sw__undo_reserve(self, 2 * self->projections.count, 0) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    while (self->projections.count > 0)
        saved_take(self, self->projections.items[self->projections.count - 1].key);
    return SW_OK;
}
