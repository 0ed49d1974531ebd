/* Segments of the audit log in memory. */
#include "store/memory.h"

int sw__memory_segment_put(sw__store *store, const sw__segment *segment, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    sw__block block = {0};
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.segment_put", err);
    if (rc < 0)
        return rc;
    if (sw__table_find(&self->segments, segment->segment_no))
        return sw__fail(err, SW_ECONFLICT, "segment %lld is already stored",
                        (long long)segment->segment_no);
    sw__block_need(&block, segment->body);
    if (sw__undo_reserve(self, 2, 0) < 0 || sw__table_reserve(&self->segments, store->env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__segment *made = sw__block_make(&block, store->env, sizeof(*made));
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    *made = *segment;
    made->body = sw__block_copy_name(&block, segment->body);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__table_add(&self->segments, segment->segment_no, made);
    sw__undo_note(
        self,
        (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->segments, .key = segment->segment_no});
    return SW_OK;
}

int sw__memory_segment_last(sw__store *store, sw__segment *out, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.segment_last", err);
    if (rc < 0)
        return rc;
    *out = (sw__segment){0};
    if (self->segments.count > 0) {
        *out = *(const sw__segment *)self->segments.items[self->segments.count - 1].row;
        out->body = (sw_str){NULL, 0};
    }
    return SW_OK;
}

int sw__memory_segment_get(sw__store *store, int64_t segment_no, sw__arena *arena, sw__segment *out,
                           sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.segment_get", err);
    if (rc < 0)
        return rc;
    const sw__segment *segment = sw__table_find(&self->segments, segment_no);
    if (!segment)
        return sw__fail(err, SW_ENOTFOUND, "segment %lld is not in the audit log",
                        (long long)segment_no);
    *out = *segment;
    out->body = sw__arena_str(arena, segment->body);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

/* Entries rise with segments. */
static size_t segment_at_entry(const sw__memory *self, int64_t entry_no)
{
    size_t low = 0;
    size_t high = self->segments.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const sw__segment *segment = self->segments.items[middle].row;
        if (segment->entry_first + segment->entry_count <= entry_no)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int sw__memory_segments_each(sw__store *store, int64_t entry_no, sw__segment_visit visit,
                             void *context, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.segments_each", err);
    if (rc < 0)
        return rc;
    for (size_t i = entry_no > 1 ? segment_at_entry(self, entry_no) : 0; i < self->segments.count;
         i++) {
        rc = visit(context, self->segments.items[i].row, err);
        if (rc != 0)
            return rc < 0 ? rc : SW_OK;
    }
    return SW_OK;
}
