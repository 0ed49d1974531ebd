/* The public face of exports: a folder of the log, and whether it is one. */
#include "audit/export.h"
#include "audit/proof.h"
#include "audit/trust.h"
#include "base/limits.h"
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

/* Proofs out of a folder. */

typedef struct export_ask {
    sw_str checkpoint;
    const int64_t *entry_nos; /* NULL: a proof of consistency with old */
    size_t count;
    sw_str old;
} export_ask;

static int export_prove(sw_result *result, sw__hasher *hasher, sw_str folder, const export_ask *ask,
                        sw_error *err)
{
    sw__tiled tiled;
    const char *path = NULL;
    sw_audit_proof *rows = NULL;
    int rc = export_folder(result->arena, folder, &path, err);
    if (rc < 0)
        return rc;
    rc = sw__tiled_open(&tiled, sw__arena_env(result->arena), hasher, path, err);
    if (rc == SW_OK && ask->entry_nos)
        rc = sw__prove_tiled_inclusion(&tiled, result->arena, ask->checkpoint, ask->entry_nos,
                                       ask->count, &rows, err);
    else if (rc == SW_OK)
        rc = sw__prove_tiled_consistency(&tiled, result->arena, ask->old, ask->checkpoint, &rows,
                                         err);
    if (rc == SW_OK && sw__arena_failed(result->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__result_set(result, SW__PROOFS, rows, ask->entry_nos ? ask->count : 1);
    sw__tiled_close(&tiled);
    return rc;
}

static int export_answer(sw_str folder, const export_ask *ask, sw_result **out, sw_error *err)
{
    const sw_env *env = sw_env_system();
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    sw_result *result = sw__result_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    int rc = result && hasher ? export_prove(result, hasher, folder, ask, err)
                              : sw__fail(err, SW_ENOMEM, NULL);
    sw__hasher_free(hasher);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    return rc;
}

int sw_audit_prove_export(sw_str folder, sw_str checkpoint, const int64_t *entry_nos, size_t count,
                          sw_result **out, sw_error *err)
{
    if (!entry_nos || count == 0)
        return sw__fail(err, SW_EINVAL, "there is no entry to prove");
    if (count > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d entries are proved at a time", SW__BATCH_MAX);
    const export_ask ask = {.checkpoint = checkpoint, .entry_nos = entry_nos, .count = count};
    return export_answer(folder, &ask, out, err);
}

int sw_audit_prove_export_consistency(sw_str folder, sw_str old, sw_str checkpoint, sw_result **out,
                                      sw_error *err)
{
    const export_ask ask = {.checkpoint = checkpoint, .old = old};
    return export_answer(folder, &ask, out, err);
}
