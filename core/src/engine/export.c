/* The public face of exports: a folder of the log, and whether it is one. */
#include "audit/export.h"
#include "audit/trust.h"
#include "engine/engine.h"

/* The path with a zero behind it, and without a slash at its end, in the arena. */
static int export_folder(sw__arena *arena, sw_str folder, const char **out, sw_error *err)
{
    if (folder.len == 0 || memchr(folder.ptr, '\0', folder.len))
        return sw__fail(err, SW_EINVAL, "the path of the folder is empty or holds a zero byte");
    while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
        folder.len--;
    *out = sw__arena_str(arena, folder).ptr;
    return *out ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

static int export_run(sw_engine *engine, const char *folder, sw_str checkpoint, sw_error *err)
{
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    sw__store *store = engine->store;
    rc = store->ops->begin(store, false, err);
    if (rc == SW_OK) {
        rc = sw__export_write(store, engine->hasher, engine->env, folder, checkpoint, err);
        store->ops->rollback(store);
    }
    sw__engine_leave(engine);
    return rc;
}

int sw_audit_export(sw_engine *engine, sw_str folder, sw_str checkpoint, sw_error *err)
{
    const char *path = NULL;
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    sw__arena *arena = sw__arena_new(engine->env);
    int rc = arena ? export_folder(arena, folder, &path, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = export_run(engine, path, checkpoint, err);
    sw__arena_free(arena);
    return rc;
}

int sw_audit_verify_export(sw_str folder, const sw_audit_trust *trust, sw_audit_report *report,
                           sw_error *err)
{
    const char *path = NULL;
    const sw_env *env = sw_env_system();
    if (!report || report->size < sizeof *report)
        return sw__fail(err, SW_EINVAL, "report must start with SW_AUDIT_REPORT_INIT");
    int rc = sw__trust_given(trust, err);
    if (rc < 0)
        return rc;
    sw__arena *arena = sw__arena_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    rc =
        arena && hasher ? export_folder(arena, folder, &path, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__export_verify(env, hasher, path, trust, report, err);
    sw__hasher_free(hasher);
    sw__arena_free(arena);
    return rc;
}
