/* Remembering definitions and lanes; see catalog.h for when a memory is trusted. */
#include "engine/catalog.h"

#include <string.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/str.h"

int sw__catalog_init(sw__catalog *catalog, const sw_env *env)
{
    *catalog = (sw__catalog){.env = env, .lanes_version = 1, .store_version = -1};
    sw__map_init(&catalog->plans, env);
    sw__strmap_init(&catalog->newest, env);
    sw__strmap_init(&catalog->lanes, env);
    catalog->arena = sw__arena_new(env);
    return catalog->arena ? SW_OK : SW_ENOMEM;
}

void sw__catalog_free(sw__catalog *catalog)
{
    for (size_t i = 0; i < catalog->plans.capacity; i++) {
        if (catalog->plans.slots[i].used)
            sw_workflow_free(((sw__plan *)(intptr_t)catalog->plans.slots[i].value)->workflow);
    }
    sw__map_free(&catalog->plans);
    sw__strmap_free(&catalog->newest);
    sw__strmap_free(&catalog->lanes);
    sw__free(catalog->env, catalog->lane_rows);
    sw__arena_free(catalog->arena);
    catalog->arena = NULL;
}

void sw__catalog_reset(sw__catalog *catalog)
{
    const sw_env *env = catalog->env;
    uint64_t version = catalog->lanes_version;
    sw__catalog_free(catalog);
    /* Without memory for an arena every later use answers SW_ENOMEM and tries again. */
    (void)sw__catalog_init(catalog, env);
    catalog->lanes_version = version + 1;
}

static bool catalog_usable(const sw__catalog *catalog)
{
    return catalog->arena && !sw__arena_failed(catalog->arena);
}

void sw__catalog_forget_newest(sw__catalog *catalog)
{
    sw__strmap_free(&catalog->newest);
    sw__strmap_init(&catalog->newest, catalog->env);
}

int sw__catalog_check(sw__catalog *catalog, sw__store *store, sw_error *err)
{
    int64_t version = 0;
    SW__PROBE_IF(CATALOG_LOST, !catalog_usable(catalog));
    if (!catalog_usable(catalog))
        sw__catalog_reset(catalog);
    if (!catalog_usable(catalog))
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->version(store, &version, err);
    if (rc == SW_OK && version != catalog->store_version) {
        if (!SW__PLANT(VERSION_STALE))
            sw__catalog_forget_newest(catalog);
        catalog->lanes_stale = !SW__PLANT(LANES_STALE);
        catalog->store_version = version;
    }
    return rc;
}

/* Names with a zero byte between them, which no name contains. */
static sw_str catalog_key(sw__arena *arena, const sw_str *names, size_t count)
{
    size_t size = count - 1;
    for (size_t i = 0; i < count; i++)
        size += names[i].len;
    char *text = sw__arena_alloc(arena, size);
    char *at = text;
    for (size_t i = 0; text && i < count; i++) {
        if (names[i].len)
            memcpy(at, names[i].ptr, names[i].len);
        at += names[i].len + 1;
    }
    return (sw_str){text, text ? size : 0};
}

/* Look such a key up; *value is NULL when it is not there. SW_OK or SW_ENOMEM. */
static int catalog_key_find(const sw__catalog *catalog, const sw__strmap *map, const sw_str *names,
                            size_t count, int64_t **value)
{
    sw__buf key;
    sw__buf_init(&key, catalog->env);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sw__buf_put_byte(&key, 0);
        sw__buf_put_str(&key, names[i]);
    }
    bool failed = key.failed;
    *value = failed ? NULL : sw__strmap_find(map, sw__buf_str(&key));
    sw__buf_free(&key);
    return failed ? SW_ENOMEM : SW_OK;
}

/* The map and the list know the same lanes, whatever fails. */
static int catalog_lane_keep(sw__catalog *catalog, const sw__lane_row *row)
{
    const sw_str names[] = {row->queue, row->handler, row->breaker};
    sw_str key = catalog_key(catalog->arena, names, 3);
    if (!key.ptr)
        return SW_ENOMEM;
    if (catalog->lane_count == catalog->lane_capacity) {
        size_t capacity = catalog->lane_capacity ? catalog->lane_capacity * 2 : 64;
        sw__lane_row *rows = sw__resize(catalog->env, catalog->lane_rows, capacity * sizeof *rows);
        if (!rows)
            return SW_ENOMEM;
        catalog->lane_rows = rows;
        catalog->lane_capacity = capacity;
    }
    if (sw__strmap_put(&catalog->lanes, key, row->lane) < 0)
        return SW_ENOMEM;
    catalog->lane_rows[catalog->lane_count++] = (sw__lane_row){
        .lane = row->lane,
        .queue = {key.ptr, row->queue.len},
        .handler = {key.ptr + row->queue.len + 1, row->handler.len},
        .breaker = {key.ptr + key.len - row->breaker.len, row->breaker.len},
    };
    return SW_OK;
}

int sw__catalog_lanes(sw__catalog *catalog, sw__store *store, sw_error *err)
{
    sw__lane_row *rows = NULL;
    size_t count = 0;
    int64_t above = catalog->lane_count ? catalog->lane_rows[catalog->lane_count - 1].lane : 0;
    sw__arena *scratch = catalog_usable(catalog) ? sw__arena_new(catalog->env) : NULL;
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->lanes_list(store, above, scratch, &rows, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (catalog_lane_keep(catalog, &rows[i]) < 0)
            rc = sw__fail(err, SW_ENOMEM, NULL);
    }
    if (count > 0)
        catalog->lanes_version++;
    if (rc == SW_OK)
        catalog->lanes_stale = false;
    sw__arena_free(scratch);
    return rc;
}

/* Collect what steps of a definition stand in line for and has no lane yet. */
static int catalog_lanes_missing(sw__catalog *catalog, const sw_workflow *workflow,
                                 sw__arena *arena, sw__lane_row *rows, size_t *count)
{
    sw__strmap seen;
    int rc = SW_OK;
    sw__strmap_init(&seen, catalog->env);
    for (size_t i = 0; rc == SW_OK && i < workflow->step_count; i++) {
        const sw_workflow_step *step = &workflow->steps[i];
        const sw_str names[] = {step->queue, step->handler, step->breaker};
        sw_str key = catalog_key(arena, names, 3);
        if (!key.ptr)
            rc = SW_ENOMEM;
        else if (!sw__strmap_find(&catalog->lanes, key) && !sw__strmap_find(&seen, key)) {
            rows[(*count)++] = (sw__lane_row){
                .queue = step->queue, .handler = step->handler, .breaker = step->breaker};
            rc = sw__strmap_put(&seen, key, 1);
        }
    }
    sw__strmap_free(&seen);
    return rc;
}

int sw__catalog_lanes_add(sw__catalog *catalog, sw__store *store, const sw_workflow *workflow,
                          sw_error *err)
{
    sw__lane_row *rows = NULL;
    size_t count = 0;
    int64_t first = 0;
    int rc = sw__catalog_lanes(catalog, store, err);
    if (rc < 0)
        return rc;
    sw__arena *scratch = sw__arena_new(catalog->env);
    if (scratch)
        rows = sw__arena_array(scratch, workflow->step_count, sizeof *rows);
    if (!rows || catalog_lanes_missing(catalog, workflow, scratch, rows, &count) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK && count > 0) {
        rc = store->ops->sequence_take(store, SW__SEQUENCE_LANE, (int64_t)count, &first, err);
        for (size_t i = 0; i < count; i++)
            rows[i].lane = first + (int64_t)i;
        if (rc == SW_OK)
            rc = store->ops->lanes_put(store, rows, count, err);
        if (rc == SW_OK)
            rc = sw__catalog_lanes(catalog, store, err);
    }
    sw__arena_free(scratch);
    return rc;
}

/* Lane of every step; reads lanes again once when one is not known. */
static int catalog_plan_lanes(sw__catalog *catalog, sw__store *store, sw__plan *plan, sw_error *err)
{
    bool again = false;
    for (size_t i = 0; i < plan->workflow->step_count;) {
        int64_t *lane = NULL;
        const sw_workflow_step *step = &plan->workflow->steps[i];
        const sw_str names[] = {step->queue, step->handler, step->breaker};
        if (catalog_key_find(catalog, &catalog->lanes, names, 3, &lane) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        if (lane) {
            plan->lanes[i++] = *lane;
            continue;
        }
        if (again)
            return sw__fail(err, SW_ECORRUPT, "no lane is stored for handler '%.*s'",
                            SW__FMT(step->handler));
        again = true;
        SW__PROBE(LANES_AGAIN);
        int rc = sw__catalog_lanes(catalog, store, err);
        if (rc < 0)
            return rc;
    }
    return SW_OK;
}

/* Make a plan of a definition; takes the reference to it, even on failure. */
static int catalog_plan_make(sw__catalog *catalog, sw__store *store, int64_t workflow_no,
                             sw_workflow *workflow, const sw__plan **out, sw_error *err)
{
    sw__plan *plan = sw__arena_alloc(catalog->arena, sizeof *plan);
    int64_t *lanes = sw__arena_array(catalog->arena, workflow->step_count, sizeof *lanes);
    int rc = plan && lanes ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK) {
        *plan = (sw__plan){.workflow_no = workflow_no, .workflow = workflow, .lanes = lanes};
        rc = catalog_plan_lanes(catalog, store, plan, err);
    }
    if (rc == SW_OK && sw__map_put(&catalog->plans, workflow_no, (int64_t)(intptr_t)plan) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc < 0)
        sw_workflow_free(workflow);
    else
        *out = plan;
    return rc;
}

/* Take a stored record into memory. */
static int catalog_plan_keep(sw__catalog *catalog, sw__store *store, const sw__workflow_rec *record,
                             const sw__plan **out, sw_error *err)
{
    sw_workflow *workflow = NULL;
    int rc = sw__workflow_load_canonical(catalog->env, record->json, &workflow, err);
    if (rc == SW_EDEFINITION || rc == SW_ELIMIT)
        return sw__fail(err, SW_ECORRUPT, "the stored definition %lld cannot be read",
                        (long long)record->workflow_no);
    if (rc < 0)
        return rc;
    return catalog_plan_make(catalog, store, record->workflow_no, workflow, out, err);
}

int sw__catalog_adopt(sw__catalog *catalog, sw__store *store, int64_t workflow_no,
                      const sw_workflow *workflow, sw_error *err)
{
    const sw__plan *plan = NULL;
    if (sw__map_find(&catalog->plans, workflow_no))
        return SW_OK;
    /* Sharing counts references and changes nothing else. */
    sw_workflow *shared = sw__workflow_keep((sw_workflow *)(uintptr_t)workflow);
    return catalog_plan_make(catalog, store, workflow_no, shared, &plan, err);
}

static int catalog_plan_read(sw__catalog *catalog, sw__store *store, int64_t workflow_no,
                             sw_str name, sw_str version, const sw__plan **out, sw_error *err)
{
    sw__workflow_rec record = {0};
    sw__arena *scratch = catalog_usable(catalog) ? sw__arena_new(catalog->env) : NULL;
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->workflow_find(store, workflow_no, name, version, scratch, &record, err);
    if (rc == SW_OK) {
        int64_t *known = sw__map_find(&catalog->plans, record.workflow_no);
        if (known)
            *out = (const sw__plan *)(intptr_t)*known;
        else
            rc = catalog_plan_keep(catalog, store, &record, out, err);
    }
    sw__arena_free(scratch);
    return rc;
}

int sw__catalog_plan(sw__catalog *catalog, sw__store *store, int64_t workflow_no,
                     const sw__plan **out, sw_error *err)
{
    int64_t *known = sw__map_find(&catalog->plans, workflow_no);
    if (known) {
        *out = (const sw__plan *)(intptr_t)*known;
        return SW_OK;
    }
    int rc = catalog_plan_read(catalog, store, workflow_no, (sw_str){0}, (sw_str){0}, out, err);
    if (rc == SW_ENOTFOUND)
        return sw__fail(err, SW_ECORRUPT, "definition %lld of a task is not stored",
                        (long long)workflow_no);
    return rc;
}

int sw__catalog_newest(sw__catalog *catalog, sw__store *store, sw_str name, sw_str version,
                       const sw__plan **out, sw_error *err)
{
    int64_t *known = NULL;
    const sw_str names[] = {name, version};
    if (catalog_key_find(catalog, &catalog->newest, names, 2, &known) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (known) {
        *out = (const sw__plan *)(intptr_t)*known;
        return SW_OK;
    }
    int rc = catalog_plan_read(catalog, store, 0, name, version, out, err);
    if (rc < 0)
        return rc;
    sw_str key = catalog_key(catalog->arena, names, 2);
    if (!key.ptr || sw__strmap_put(&catalog->newest, key, (int64_t)(intptr_t)*out) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}
