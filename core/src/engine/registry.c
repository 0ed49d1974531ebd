/* Registering definitions in a store and reading them back. */
#include "engine/query.h"
#include "engine/breaker.h"
#include "engine/work.h"

/* Whether tasks that name this workflow, with or without its version, get this very definition.
 * Then it is remembered, so that nobody has to read it back. */
static int registry_is_newest(sw__work *work, const sw_workflow *workflow, bool *newest,
                              sw_error *err)
{
    sw_engine *engine = work->engine;
    sw__store *store = engine->store;
    sw_str versions[] = {{0}, workflow->version};
    sw__workflow_rec record = {0};
    *newest = true;
    for (size_t i = 0; *newest && i < 2; i++) {
        int rc = store->ops->workflow_find(store, 0, workflow->name, versions[i], work->arena,
                                           &record, err);
        if (rc < 0 && rc != SW_ENOTFOUND)
            return rc;
        *newest = rc == SW_OK && memcmp(record.digest, workflow->digest, 32) == 0;
    }
    sw__error_clear(err);
    return *newest ? sw__catalog_adopt(&engine->catalog, store, record.workflow_no, workflow, err)
                   : SW_OK;
}

static int registry_note(sw__work *work, const sw_workflow *workflow, sw_error *err)
{
    sw_audit_entry entry = {
        .kind = SW_AUDIT_WORKFLOW_REGISTERED,
        .subject = sw__arena_format(work->arena, "%.*s@%.*s", SW__FMT(workflow->name),
                                    SW__FMT(workflow->version)),
        .digest = {(const char *)workflow->digest, 32},
    };
    return sw__work_note(work, &entry, NULL, err);
}

static int registry_put(sw__work *work, const sw_workflow *workflow, sw_error *err)
{
    sw__store *store = work->engine->store;
    sw__workflow_rec record = {0};
    int rc = store->ops->workflow_digest_find(store, workflow->digest, work->arena, &record, err);
    if (rc == SW_ENOTFOUND)
        rc = store->ops->sequence_take(store, SW__SEQUENCE_WORKFLOW, 1, &record.workflow_no, err);
    if (rc < 0)
        return rc;
    record.name = workflow->name;
    record.version = workflow->version;
    record.json = workflow->json;
    record.registered_us = work->now_us;
    memcpy(record.digest, workflow->digest, sizeof record.digest);
    rc = store->ops->workflows_put(store, &record, 1, err);
    if (rc == SW_OK)
        rc = sw__catalog_lanes_add(&work->engine->catalog, store, workflow, err);
    if (rc == SW_OK)
        rc = sw__breaker_register(work, workflow, err);
    work->tones |= SW__TONE_PLANS; /* waiting workers match their handlers with the lines again */
    if (rc == SW_OK)
        rc = sw__catalog_adopt(&work->engine->catalog, store, record.workflow_no, workflow, err);
    return rc == SW_OK ? registry_note(work, workflow, err) : rc;
}

static int registry_put_all(sw__work *work, const sw_workflow *const *workflows, size_t count,
                            sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        bool newest = false;
        rc = registry_is_newest(work, workflows[i], &newest, err);
        if (rc == SW_OK && !newest)
            rc = registry_put(work, workflows[i], err);
        sw__catalog_forget_newest(&work->engine->catalog);
    }
    return rc;
}

int sw_workflow_register(sw_engine *engine, const sw_workflow *const *workflows,
                         size_t workflow_count, sw_error *err)
{
    sw__work work;
    sw__error_clear(err);
    if (!workflows && workflow_count > 0)
        return sw__fail(err, SW_EINVAL, "workflows is NULL");
    for (size_t i = 0; i < workflow_count; i++) {
        if (!workflows[i])
            return sw__fail_row(err, SW_EINVAL, i, "workflow is NULL");
    }
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = sw__work_begin(&work, engine, err);
    if (rc == SW_OK)
        rc = sw__work_end(&work, registry_put_all(&work, workflows, workflow_count, err), err);
    sw__engine_leave(engine);
    return rc;
}

static int registry_get(sw_engine *engine, sw_str name, sw_str version, sw_workflow **out,
                        sw_error *err)
{
    const sw__plan *plan = NULL;
    sw__store *store = engine->store;
    int rc = store->ops->begin(store, false, err);
    if (rc < 0)
        return rc;
    rc = sw__catalog_check(&engine->catalog, store, err);
    if (rc == SW_OK)
        rc = sw__catalog_newest(&engine->catalog, store, name, version, &plan, err);
    if (rc == SW_OK)
        *out = sw__workflow_keep(plan->workflow);
    store->ops->rollback(store);
    if (rc == SW_ENOTFOUND)
        return sw__fail(err, SW_ENOTFOUND, "no workflow '%.*s' is registered", SW__FMT(name));
    return rc;
}

int sw_workflow_get(sw_engine *engine, sw_str name, sw_str version, sw_workflow **out,
                    sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = registry_get(engine, name, version, out, err);
    sw__engine_leave(engine);
    return rc;
}

static int registry_get_of_task(sw_engine *engine, const sw_uuid *task_id, sw_workflow **out,
                                sw_error *err)
{
    sw__task_hot hot;
    const sw__plan *plan = NULL;
    sw__store *store = engine->store;
    int rc = store->ops->begin(store, false, err);
    if (rc < 0)
        return rc;
    rc = sw__catalog_check(&engine->catalog, store, err);
    if (rc == SW_OK)
        rc = sw__query_task(engine, task_id, &hot, &plan, err);
    if (rc == SW_OK)
        *out = sw__workflow_keep(plan->workflow);
    store->ops->rollback(store);
    return rc;
}

int sw_task_workflow(sw_engine *engine, const sw_uuid *task_id, sw_workflow **out, sw_error *err)
{
    if (!out || !task_id)
        return sw__fail(err, SW_EINVAL, "%s is NULL", out ? "task_id" : "out");
    *out = NULL;
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = registry_get_of_task(engine, task_id, out, err);
    sw__engine_leave(engine);
    return rc;
}
