/* Definitions and lanes in memory. */
#include "base/str.h"
#include "store/memory.h"

static sw_str workflow_digest_key(const sw__memory_workflow *workflow)
{
    return (sw_str){(const char *)workflow->row.digest, sizeof(workflow->row.digest)};
}

static sw__memory_workflow *workflow_make(const sw_env *env, const sw__workflow_rec *row)
{
    sw__block block = {0};
    sw__block_need(&block, row->name);
    sw__block_need(&block, row->version);
    sw__block_need(&block, row->json);
    sw__memory_workflow *made = sw__block_make(&block, env, sizeof(*made));
    if (!made)
        return NULL;
    made->row = *row;
    made->row.name = sw__block_copy_name(&block, row->name);
    made->row.version = sw__block_copy_name(&block, row->version);
    made->row.json = sw__block_copy_name(&block, row->json);
    return made;
}

static int workflow_add(sw__memory *self, const sw__workflow_rec *row, sw_error *err)
{
    const sw_env *env = self->base.env;
    if (sw__table_find(&self->workflows, row->workflow_no))
        return sw__fail(err, SW_ECONFLICT, "workflow %lld is already stored",
                        (long long)row->workflow_no);
    if (sw__undo_reserve(self, 3, 0) < 0 || sw__table_reserve(&self->workflows, env) < 0 ||
        sw__index_reserve(&self->workflow_digests, env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_workflow *made = workflow_make(env, row);
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__table_add(&self->workflows, row->workflow_no, made);
    sw__undo_note(
        self,
        (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->workflows, .key = row->workflow_no});
    sw__index_add(&self->workflow_digests, &made->by_digest, workflow_digest_key(made), made);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_LINKED,
                                   .where = &self->workflow_digests,
                                   .row = &made->by_digest});
    return SW_OK;
}

static int workflow_put_one(sw__memory *self, const sw__workflow_rec *row, sw_error *err)
{
    sw_str digest = {(const char *)row->digest, sizeof(row->digest)};
    sw__memory_workflow *known = sw__index_find(&self->workflow_digests, digest);
    if (!known)
        return workflow_add(self, row, err);
    if (sw__undo_reserve(self, 1, sizeof(known->row.registered_us)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__undo_bytes(self, &known->row.registered_us, sizeof(known->row.registered_us));
    known->row.registered_us = row->registered_us;
    return SW_OK;
}

int sw__memory_workflows_put(sw__store *store, const sw__workflow_rec *rows, size_t count,
                             sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.workflows_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = workflow_put_one(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

static sw__memory_workflow *workflow_newest(const sw__memory *self, sw_str name, sw_str version)
{
    sw__memory_workflow *newest = NULL;
    for (size_t i = 0; i < self->workflows.count; i++) {
        sw__memory_workflow *workflow = self->workflows.items[i].row;
        if (sw__str_equal(workflow->row.name, name) &&
            (!version.ptr || sw__str_equal(workflow->row.version, version)) &&
            (!newest || workflow->row.registered_us >= newest->row.registered_us))
            newest = workflow;
    }
    return newest;
}

static int workflow_copy(const sw__memory_workflow *workflow, sw__arena *arena,
                         sw__workflow_rec *out, sw_error *err)
{
    if (!workflow)
        return sw__fail(err, SW_ENOTFOUND, "no such workflow is registered");
    *out = workflow->row;
    out->name = sw__arena_str(arena, workflow->row.name);
    out->version = sw__arena_str(arena, workflow->row.version);
    out->json = sw__arena_str(arena, workflow->row.json);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__memory_workflow_find(sw__store *store, int64_t workflow_no, sw_str name, sw_str version,
                             sw__arena *arena, sw__workflow_rec *out, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.workflow_find", err);
    if (rc < 0)
        return rc;
    return workflow_copy(workflow_no > 0 ? sw__table_find(&self->workflows, workflow_no)
                                         : workflow_newest(self, name, version),
                         arena, out, err);
}

int sw__memory_workflow_digest_find(sw__store *store, const uint8_t digest[32], sw__arena *arena,
                                    sw__workflow_rec *out, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.workflow_digest_find", err);
    if (rc < 0)
        return rc;
    sw_str key = {(const char *)digest, 32};
    return workflow_copy(sw__index_find(&self->workflow_digests, key), arena, out, err);
}

static bool lane_known(const sw__memory *self, const sw__lane_row *row)
{
    for (size_t i = 0; i < self->lanes.count; i++) {
        const sw__lane_row *lane = self->lanes.items[i].row;
        if (lane->lane == row->lane ||
            (sw__str_equal(lane->queue, row->queue) && sw__str_equal(lane->handler, row->handler) &&
             sw__str_equal(lane->breaker, row->breaker)))
            return true;
    }
    return false;
}

static int lane_put(sw__memory *self, const sw__lane_row *row, sw_error *err)
{
    sw__block block = {0};
    if (lane_known(self, row))
        return sw__fail(err, SW_ECONFLICT, "lane %lld is already stored", (long long)row->lane);
    if (sw__undo_reserve(self, 2, 0) < 0 || sw__table_reserve(&self->lanes, self->base.env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__block_need(&block, row->queue);
    sw__block_need(&block, row->handler);
    sw__block_need(&block, row->breaker);
    sw__lane_row *made = sw__block_make(&block, self->base.env, sizeof(*made));
    if (!made)
        return sw__fail(err, SW_ENOMEM, NULL);
    made->lane = row->lane;
    made->queue = sw__block_copy_name(&block, row->queue);
    made->handler = sw__block_copy_name(&block, row->handler);
    made->breaker = sw__block_copy_name(&block, row->breaker);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__table_add(&self->lanes, row->lane, made);
    sw__undo_note(self,
                  (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->lanes, .key = row->lane});
    return SW_OK;
}

int sw__memory_lanes_put(sw__store *store, const sw__lane_row *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.lanes_put", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        rc = lane_put(self, &rows[i], err);
        if (rc < 0)
            return sw__fail_at(err, rc, i);
    }
    return SW_OK;
}

int sw__memory_lanes_list(sw__store *store, int64_t above, sw__arena *arena, sw__lane_row **rows,
                          size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.lanes_list", err);
    if (rc < 0)
        return rc;
    size_t first = above < INT64_MAX ? sw__table_seek(&self->lanes, above + 1) : self->lanes.count;
    *count = self->lanes.count - first;
    *rows = sw__arena_array(arena, *count, sizeof(**rows));
    for (size_t i = 0; *rows && i < *count; i++) {
        const sw__lane_row *lane = self->lanes.items[first + i].row;
        (*rows)[i] = (sw__lane_row){.lane = lane->lane,
                                    .queue = sw__arena_str(arena, lane->queue),
                                    .handler = sw__arena_str(arena, lane->handler),
                                    .breaker = sw__arena_str(arena, lane->breaker)};
    }
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}
