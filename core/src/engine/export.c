/* The public face of exports: a folder of the log, and whether it is one. */
#include "audit/export.h"
#include "audit/proof.h"
#include "audit/trust.h"
#include "base/limits.h"
#include "engine/query.h"

typedef struct export_ask {
    const char *folder;
    sw_str checkpoint;
} export_ask;

static int export_write(sw_engine *engine, void *context, sw_error *err)
{
    const export_ask *ask = context;
    return sw__export_write(engine->store, engine->hasher, engine->env, ask->folder,
                            ask->checkpoint, err);
}

int sw_audit_export(sw_engine *engine, sw_str folder, sw_str checkpoint, sw_error *err)
{
    export_ask ask = {.checkpoint = checkpoint};
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    sw__arena *arena = sw__arena_new(engine->env);
    int rc =
        arena ? sw__query_folder(arena, folder, &ask.folder, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__query_read(engine, export_write, &ask, err);
    sw__arena_free(arena);
    return rc;
}

typedef struct export_doubt {
    sw_str folder;
    const sw_audit_trust *trust;
    int32_t jobs;
    sw_audit_report *report;
} export_doubt;

static int export_verify(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    const export_doubt *doubt = context;
    const char *path = NULL;
    int rc = sw__query_folder(result->arena, doubt->folder, &path, err);
    return rc < 0 ? rc
                  : sw__export_verify(sw__arena_env(result->arena), hasher, path, doubt->trust,
                                      doubt->jobs, doubt->report, err);
}

int sw_audit_verify_export(sw_str folder, const sw_audit_trust *trust, int32_t jobs,
                           sw_audit_report *report, sw_error *err)
{
    export_doubt doubt = {folder, trust, jobs, report};
    sw_result *result = NULL;
    if (!report || report->size < sizeof *report)
        return sw__fail(err, SW_EINVAL, "report must start with SW_AUDIT_REPORT_INIT");
    int rc = sw__query_jobs(&doubt.jobs, err);
    if (rc == SW_OK)
        rc = sw__trust_given(trust, err);
    if (rc == SW_OK)
        rc = sw__query_apart(sw_env_system(), export_verify, &doubt, &result, err);
    sw_result_free(result);
    return rc;
}

/* Proofs out of a folder. */

typedef struct proof_ask {
    sw_str folder;
    sw_str checkpoint;
    const int64_t *entry_nos; /* NULL: a proof of consistency with old */
    size_t count;
    sw_str old;
} proof_ask;

static int export_prove(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    sw__tiled tiled;
    const char *path = NULL;
    const proof_ask *ask = context;
    sw_audit_proof *rows = NULL;
    int rc = sw__query_folder(result->arena, ask->folder, &path, err);
    if (rc < 0)
        return rc;
    rc = sw__tiled_open(&tiled, sw__arena_env(result->arena), hasher, path, err);
    if (rc == SW_OK && ask->entry_nos)
        rc = sw__prove_tiled_inclusion(&tiled, result->arena, ask->checkpoint, ask->entry_nos,
                                       ask->count, &rows, err);
    else if (rc == SW_OK)
        rc = sw__prove_tiled_consistency(&tiled, result->arena, ask->old, ask->checkpoint, &rows,
                                         err);
    sw__result_set(result, SW__PROOFS, rows, ask->entry_nos ? ask->count : 1);
    sw__tiled_close(&tiled);
    return rc;
}

static int export_answer(proof_ask *ask, sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    return sw__query_apart(sw_env_system(), export_prove, ask, out, err);
}

int sw_audit_prove_export(sw_str folder, sw_str checkpoint, const int64_t *entry_nos, size_t count,
                          sw_result **out, sw_error *err)
{
    if (!entry_nos || count == 0)
        return sw__fail(err, SW_EINVAL, "there is no entry to prove");
    if (count > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d entries are proved at a time", SW__BATCH_MAX);
    proof_ask ask = {
        .folder = folder, .checkpoint = checkpoint, .entry_nos = entry_nos, .count = count};
    return export_answer(&ask, out, err);
}

int sw_audit_prove_export_consistency(sw_str folder, sw_str old, sw_str checkpoint, sw_result **out,
                                      sw_error *err)
{
    proof_ask ask = {.folder = folder, .checkpoint = checkpoint, .old = old};
    return export_answer(&ask, out, err);
}
