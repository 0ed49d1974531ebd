/* Projections: opening, saving, listing, forgetting. Folding is the host's business; here a state
 * is bytes, and what matters is that it and its position change together, once. */
#include "engine/group.h"
#include "engine/query.h"

#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"
#include "stepwell/event.h"

typedef struct projection_ask {
    sw_str name;
    sw_str version;
} projection_ask;

static int projection_check(sw_str name, sw_str version, sw_error *err)
{
    int rc = sw__check_text(name, SW__TEXT_MAX, "name", 0, err);
    if (rc == SW_OK)
        rc = sw__check_text(version, SW__TEXT_MAX, "version", 0, err);
    if (rc == SW_OK && name.len == 0)
        rc = sw__fail(err, SW_EINVAL, "a projection needs a name");
    return rc;
}

/* Opening. */

static int projection_answer(sw_engine *engine, sw_result *result, const projection_ask *ask,
                             sw_projection **row, sw_error *err)
{
    *row = sw__arena_alloc(result->arena, sizeof(**row));
    if (!*row)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__result_set(result, SW__PROJECTIONS, *row, 1);
    sw__store *store = engine->store;
    return store->ops->projection_find(store, ask->name, result->arena, *row, err);
}

static int projection_find(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const projection_ask *ask = context;
    sw_projection *row = NULL;
    int rc = projection_answer(engine, result, ask, &row, err);
    if (rc == SW_OK && !sw__str_equal(row->version, ask->version))
        rc = sw__fail(err, SW_ENOTFOUND, "the projection is of another version");
    return rc;
}

static int projection_epoch(sw_engine *engine, int64_t *epoch, sw_error *err)
{
    uint64_t bits = 0;
    if (sw__rand_bytes(&engine->rand, (uint8_t *)&bits, sizeof bits) < 0)
        return sw__fail(err, SW_EIO, "the system has no random bytes");
    *epoch = (int64_t)(bits >> 2) + 1;
    return SW_OK;
}

/* Another process may have been quicker. */
static int projection_make(sw__work *work, sw_result *result, const void *context, sw_error *err)
{
    const projection_ask *ask = context;
    sw_projection *row = NULL;
    sw__store *store = work->engine->store;
    int rc = projection_answer(work->engine, result, ask, &row, err);
    SW__PROBE_IF(PROJECTION_RACED, rc == SW_OK && sw__str_equal(row->version, ask->version));
    if (rc == SW_OK && sw__str_equal(row->version, ask->version))
        return SW_OK;
    if (rc < 0 && rc != SW_ENOTFOUND)
        return rc;
    *row = (sw_projection){
        .name = sw__arena_str(result->arena, ask->name),
        .version = sw__arena_str(result->arena, ask->version.ptr ? ask->version : sw__str("")),
        .changed_us = work->now_us,
    };
    rc = projection_epoch(work->engine, &row->epoch, err);
    return rc == SW_OK ? store->ops->projection_put(store, row, err) : rc;
}

int sw_projection_open(sw_engine *engine, sw_str name, sw_str version, sw_result **out,
                       sw_error *err)
{
    const projection_ask ask = {.name = name, .version = version};
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = projection_check(name, version, err);
    if (rc == SW_OK)
        rc = sw__query(engine, projection_find, &ask, out, err);
    if (rc != SW_ENOTFOUND)
        return rc;
    sw__error_clear(err);
    return sw__work_answer(engine, projection_make, &ask, out, err);
}

/* Saving. */

typedef struct projection_save {
    const sw_projection *row;
    int64_t from;
} projection_save;

static int projection_outdated(const sw_projection *row, const sw_projection *known, int rc,
                               sw_error *err)
{
    SW__PROBE_IF(PROJECTION_GONE, rc == SW_ENOTFOUND || known->epoch != row->epoch);
    SW__PROBE_IF(PROJECTION_LATE, rc == SW_OK && known->epoch == row->epoch);
    if (rc == SW_ENOTFOUND)
        return sw__fail(err, SW_EOUTDATED,
                        "projection \"%.*s\" was forgotten meanwhile: open it again",
                        SW__FMT(row->name));
    if (known->epoch != row->epoch)
        return sw__fail(err, SW_EOUTDATED, "projection \"%.*s\" was begun anew meanwhile",
                        SW__FMT(row->name));
    return sw__fail(err, SW_EOUTDATED, "projection \"%.*s\" is at position %lld already",
                    SW__FMT(row->name), (long long)known->position);
}

static int projection_flow(sw__work *work, void *context, sw_error *err)
{
    const projection_save *save = context;
    const sw_projection *row = save->row;
    sw_projection known = {0};
    sw__store *store = work->engine->store;
    int rc = store->ops->projection_find(store, row->name, work->arena, &known, err);
    if (rc < 0 && rc != SW_ENOTFOUND)
        return rc;
    bool same = known.epoch == row->epoch && known.position == save->from;
    if (rc == SW_ENOTFOUND || (!same && !SW__PLANT(PROJECTION_TWICE)))
        return projection_outdated(row, &known, rc, err);
    if (row->position >= work->engine->audit.entry_next)
        return sw__fail(err, SW_EINVAL, "there is no event at position %lld yet",
                        (long long)row->position);
    known.position = row->position;
    known.state = row->state;
    known.changed_us = work->now_us;
    return store->ops->projection_put(store, &known, err);
}

int sw_projection_save(sw_engine *engine, const sw_projection *row, int64_t from, sw_error *err)
{
    projection_save save = {.row = row, .from = from};
    sw__part part = {.flow = projection_flow, .context = &save, .err = err};
    sw__error_clear(err);
    if (!row)
        return sw__fail(err, SW_EINVAL, "row is NULL");
    if (from < 0 || row->position < from)
        return sw__fail(err, SW_EINVAL, "a projection goes on from position %lld to %lld",
                        (long long)from, (long long)row->position);
    int rc = projection_check(row->name, row->version, err);
    if (rc == SW_OK)
        rc = sw__check_payload(row->state, SW__DEFINITION_MAX, "state", 0, err);
    return rc == SW_OK ? sw__group_write(engine, &part) : rc;
}

/* Listing and forgetting. */

static int projection_rows(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw_projection *rows = NULL;
    size_t count = 0;
    sw__store *store = engine->store;
    (void)context;
    int rc = store->ops->projections_list(store, result->arena, &rows, &count, err);
    sw__result_set(result, SW__PROJECTIONS, rows, count);
    return rc;
}

int sw_projection_list(sw_engine *engine, sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    return sw__query(engine, projection_rows, NULL, out, err);
}

static int projection_drop(sw__work *work, void *context, sw_error *err)
{
    sw__store *store = work->engine->store;
    return store->ops->projection_delete(store, *(const sw_str *)context, err);
}

int sw_projection_delete(sw_engine *engine, sw_str name, sw_error *err)
{
    sw__part part = {.flow = projection_drop, .context = &name, .err = err};
    sw__error_clear(err);
    int rc = projection_check(name, (sw_str){0}, err);
    return rc == SW_OK ? sw__group_write(engine, &part) : rc;
}
