/* The memory store: opening, closing, and transactions. It lives and dies with its engine.
 *
 * Not here: rows and verbs.
 */
#include "store/memory.h"

#include <string.h>

static const sw__store_ops memory_ops = {.name = "memory",
#define SW__MEMORY_ENTRY(verb) .verb = sw__memory_##verb,
                                         SW__STORE_VERB_MAP(SW__MEMORY_ENTRY)
#undef SW__MEMORY_ENTRY
};

int sw__store_memory_open(const sw__store_options *options, sw__store **out, sw_error *err)
{
    *out = NULL;
    sw__memory *self = sw__calloc(options->env, 1, sizeof(*self));
    if (!self)
        return sw__fail(err, SW_ENOMEM, NULL);
    self->base = (sw__store){.ops = &memory_ops, .env = options->env};
    for (int i = 0; i < SW__SEQUENCE_COUNT; i++)
        self->sequences[i] = sw__sequence_start((sw__sequence)i);
    *out = &self->base;
    return SW_OK;
}

/* Rows that are one block each. */
static void memory_free_table(sw__memory *self, sw__table *table)
{
    for (size_t i = 0; i < table->count; i++)
        sw__free(self->base.env, table->items[i].row);
    sw__free(self->base.env, table->items);
}

static void memory_free_scopes(sw__memory *self)
{
    for (size_t i = 0; i < self->task_scopes.capacity; i++) {
        sw__index_link *link = self->task_scopes.chains[i];
        while (link) {
            sw__index_link *next = link->next;
            sw__free(self->base.env, link->row);
            link = next;
        }
    }
    sw__free(self->base.env, self->task_scopes.chains);
}

void sw__memory_close(sw__store *store)
{
    sw__memory *self = (sw__memory *)store;
    sw__memory_rollback(store);
    for (size_t i = 0; i < self->tasks.count; i++)
        sw__memory_task_free(self, self->tasks.items[i].row);
    sw__free(store->env, self->tasks.items);
    memory_free_table(self, &self->workflows);
    memory_free_table(self, &self->lanes);
    memory_free_table(self, &self->breakers);
    memory_free_table(self, &self->deadlines);
    memory_free_table(self, &self->workers);
    memory_free_table(self, &self->segments);
    memory_free_table(self, &self->events);
    memory_free_table(self, &self->projections);
    memory_free_scopes(self);
    sw__free(store->env, self->workflow_digests.chains);
    sw__free(store->env, self->task_ids.chains);
    sw__free(store->env, self->event_keys.chains);
    sw__undo_free(self);
    sw__free(store->env, self);
}

/* The rows may have been in the middle of a change when the process forked, so they are left where
 * they are. */
void sw__memory_forget(sw__store *store)
{
    sw__free(store->env, store);
}

int sw__memory_enter(const sw__memory *self, sw__store_mode mode, const char *place, sw_error *err)
{
    sw__yield(self->base.env, place);
    if (self->mode < mode)
        return sw__fail(err, SW_EPOISONED, "%s was called outside of its transaction", place);
    return SW_OK;
}

int sw__memory_begin(sw__store *store, bool write, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    (void)err;
    sw__yield(store->env, "store.begin");
    sw__undo_rollback(self);
    self->mode = write ? SW__STORE_WRITING : SW__STORE_READING;
    return SW_OK;
}

int sw__memory_commit(sw__store *store, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.commit", err);
    if (rc < 0)
        return rc;
    sw__undo_commit(self);
    self->mode = SW__STORE_IDLE;
    return SW_OK;
}

void sw__memory_rollback(sw__store *store)
{
    sw__memory *self = (sw__memory *)store;
    sw__yield(store->env, "store.rollback");
    sw__undo_rollback(self);
    self->mode = SW__STORE_IDLE;
}

/* Nobody else can commit. */
int sw__memory_version(sw__store *store, int64_t *out, sw_error *err)
{
    (void)err;
    sw__yield(store->env, "store.version");
    *out = 0;
    return SW_OK;
}

int sw__memory_anchor_get(sw__store *store, sw__anchor *out, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.anchor_get", err);
    if (rc < 0)
        return rc;
    if (!self->anchored)
        return sw__fail(err, SW_ENOTFOUND, "the clock of this store has no anchor yet");
    *out = self->anchor;
    return SW_OK;
}

int sw__memory_anchor_put(sw__store *store, const sw__anchor *anchor, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.anchor_put", err);
    if (rc < 0)
        return rc;
    if (sw__undo_reserve(self, 2, sizeof(self->anchor) + sizeof(self->anchored)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, &self->anchor, sizeof(self->anchor));
    sw__undo_bytes(self, &self->anchored, sizeof(self->anchored));
    self->anchor = *anchor;
    self->anchored = true;
    return SW_OK;
}

int sw__memory_sequence_take(sw__store *store, sw__sequence sequence, int64_t count, int64_t *first,
                             sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.sequence_take", err);
    int64_t next = self->sequences[sequence];
    if (rc == SW_OK)
        rc = sw__sequence_advance(&next, count, err);
    if (rc < 0)
        return rc;
    if (sw__undo_reserve(self, 1, sizeof(next)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, &self->sequences[sequence], sizeof(next));
    *first = self->sequences[sequence];
    self->sequences[sequence] = next;
    return SW_OK;
}
