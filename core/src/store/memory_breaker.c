/* Circuit breakers in memory. */
#include "store/memory.h"

static sw__breaker_rec *breaker_make(const sw_env *env, const sw__breaker_rec *rec)
{
    sw__block block = {0};
    sw__block_need(&block, rec->row.settings.name);
    sw__block_need(&block, rec->row.error_class);
    sw__breaker_rec *made = sw__block_make(&block, env, sizeof(*made));
    if (!made)
        return NULL;
    *made = *rec;
    made->row.settings.name = sw__block_copy_name(&block, rec->row.settings.name);
    made->row.error_class = sw__block_copy(&block, rec->row.error_class);
    return made;
}

static int breaker_put_one(sw__memory *self, const sw__breaker_rec *rec, sw_error *err)
{
    int64_t number = rec->breaker_no;
    sw__table *table = &self->breakers;
    if (sw__undo_reserve(self, 4, 0) < 0 || sw__table_reserve(table, self->base.env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__breaker_rec *made = breaker_make(self->base.env, rec);
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    if (sw__table_find(table, number)) {
        void *old = sw__table_take(table, number);
        sw__undo_note(
            self, (sw__undo){.kind = SW__UNDO_TAKEN, .where = table, .key = number, .row = old});
        sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = old});
    }
    sw__table_add(table, number, made);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_ADDED, .where = table, .key = number});
    return SW_OK;
}

int sw__memory_breakers_put(sw__store *store, const sw__breaker_rec *rows, size_t count,
                            sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.breakers_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = breaker_put_one(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__memory_breakers_list(sw__store *store, sw__arena *arena, sw__breaker_rec **rows,
                             size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.breakers_list", err);
    if (rc < 0)
        return rc;
    *count = self->breakers.count;
    *rows = sw__arena_array(arena, *count, sizeof(**rows));
    for (size_t i = 0; *rows && i < *count; i++) {
        sw__breaker_rec *copy = &(*rows)[i];
        *copy = *(const sw__breaker_rec *)self->breakers.items[i].row;
        copy->row.settings.name = sw__arena_str(arena, copy->row.settings.name);
        copy->row.error_class = sw__arena_str(arena, copy->row.error_class);
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}
