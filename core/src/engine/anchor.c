/* The public face of anchors. */
#include "audit/anchor.h"
#include "audit/proof.h"
#include "audit/trust.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "stepwell/anchor.h"

typedef struct anchor_ask {
    sw_engine *engine;
    sw_str checkpoint;
} anchor_ask;

/* "old N", the hashes and the checkpoint: that it continues the one of old entries. */
static int anchor_prove(void *context, int64_t old, sw__buf *request, sw_error *err)
{
    const anchor_ask *ask = context;
    sw_audit_proof *row = NULL;
    sw__checkpoint checkpoint;
    sw_engine *engine = ask->engine;
    if (!sw__checkpoint_peek(ask->checkpoint, &checkpoint))
        return sw__fail(err, SW_EINVAL, "the text is no checkpoint");
    if (old > checkpoint.size)
        return sw__fail(err, SW_EAUDIT,
                        "the witness saw %lld entries of the log already, the checkpoint is of "
                        "%lld: an older one, or the log was rolled back",
                        (long long)old, (long long)checkpoint.size);
    if (old == 0 || old == checkpoint.size) {
        const sw__tree_proof none = {0};
        sw__proof_put(request, old, (sw_str){NULL, 0}, &none, ask->checkpoint);
        return request->failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
    }
    if (!engine)
        return sw__fail(err, SW_EINVAL, "a witness needs the engine, for a proof");
    sw__arena *arena = sw__arena_new(sw_env_system());
    int rc = arena ? sw__engine_enter(engine, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK) {
        sw__store *store = engine->store;
        rc = store->ops->begin(store, false, err);
        if (rc == SW_OK) {
            rc = sw__prove_growth(store, engine->hasher, arena, old, ask->checkpoint, &row, err);
            store->ops->rollback(store);
        }
        sw__engine_leave(engine);
    }
    if (rc == SW_OK)
        sw__buf_put_str(request, row->text);
    if (rc == SW_OK && request->failed)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__arena_free(arena);
    return rc;
}

/* The note is signed by a key of a log; a witness, moreover, by one of a witness. */
static int anchor_check(const sw_audit_trust *trusted, sw_str note, bool witnessed,
                        sw__hasher *hasher, sw__arena *arena, sw__checkpoint *out, sw_error *err)
{
    sw__trust trust;
    sw__doubt doubt = {0};
    const char *why = NULL;
    int rc = sw__trust_load(&trust, trusted, hasher, arena, &doubt, err);
    if (rc < 0)
        return doubt.raised ? sw__fail(err, SW_EAUDIT, "%s", doubt.message) : rc;
    rc = sw__trust_open(&trust, note, out, &why);
    if (rc == SW_EINVAL)
        return sw__fail(err, SW_EAUDIT, "the checkpoint cannot be anchored: %s", why);
    if (rc < 0)
        return sw__fail(err, rc, NULL);
    if (witnessed && out->who.witness_count == 0)
        return sw__fail(err, SW_EAUDIT,
                        "the witness has answered, but with no cosignature by a key given");
    return SW_OK;
}

static int anchor_find(sw_str place, sw__arena *arena, const sw__anchor_kind **kind,
                       const char **target, sw_error *err)
{
    *kind = sw__anchor_find(place, arena, target);
    if (!*kind)
        return sw__fail(
            err, SW_EINVAL,
            "a place is file:PATH, db:PATH, git:FOLDER, syslog:PATH or the address of a witness");
    return *target ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

static int anchor_put(const anchor_ask *ask, sw_str place, const sw_audit_trust *trust,
                      sw_result *result, sw__hasher *hasher, sw_error *err)
{
    sw__checkpoint checkpoint;
    const sw__anchor_kind *kind = NULL;
    sw_audit_anchor *row = sw__arena_alloc(result->arena, sizeof(*row));
    sw__anchoring anchoring = {.env = sw_env_system(),
                               .command_ms = SW__ANCHOR_COMMAND_MAX_MS,
                               .hasher = hasher,
                               .arena = result->arena,
                               .row = row,
                               .prove = anchor_prove,
                               .context = (void *)(uintptr_t)ask};
    if (!row)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = anchor_find(place, result->arena, &kind, &anchoring.target, err);
    if (rc == SW_OK)
        rc = anchor_check(trust, ask->checkpoint, false, hasher, result->arena, &checkpoint, err);
    if (rc < 0)
        return rc;
    anchoring.origin = checkpoint.origin;
    *row = (sw_audit_anchor){.place = sw__arena_str(result->arena, place),
                             .note = ask->checkpoint,
                             .entry_count = checkpoint.size,
                             .time_us = anchoring.env->clock_wall_us(anchoring.env->context)};
    rc = kind->put(&anchoring, err);
    if (rc == SW_OK && kind->whole)
        rc = anchor_check(trust, row->note, true, hasher, result->arena, &checkpoint, err);
    if (rc == SW_OK && kind->whole)
        row->time_us = checkpoint.who.witnessed_us;
    row->note = sw__arena_str(result->arena, row->note);
    sw__result_set(result, SW__ANCHORS, row, 1);
    return rc == SW_OK && sw__arena_failed(result->arena) ? sw__fail(err, SW_ENOMEM, NULL) : rc;
}

int sw_audit_anchor_put(sw_engine *engine, sw_str place, const sw_audit_trust *trust,
                        sw_str checkpoint, sw_result **out, sw_error *err)
{
    const sw_env *env = sw_env_system();
    const anchor_ask ask = {engine, checkpoint};
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__trust_given(trust, err);
    if (rc == SW_OK && engine)
        rc = sw__engine_come(engine, err); /* before any file is touched */
    if (rc < 0)
        return rc;
    sw_result *result = sw__result_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    rc = result && hasher ? anchor_put(&ask, place, trust, result, hasher, err)
                          : sw__fail(err, SW_ENOMEM, NULL);
    sw__hasher_free(hasher);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    if (engine)
        sw__engine_go(engine);
    return rc;
}

static int anchor_get(sw_str place, sw_str origin, sw_result *result, sw__hasher *hasher,
                      sw_error *err)
{
    const sw__anchor_kind *kind = NULL;
    sw_audit_anchor *row = sw__arena_alloc(result->arena, sizeof(*row));
    sw__anchoring anchoring = {.env = sw_env_system(),
                               .command_ms = SW__ANCHOR_COMMAND_MAX_MS,
                               .hasher = hasher,
                               .arena = result->arena,
                               .row = row,
                               .origin = origin};
    if (!row)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = anchor_find(place, result->arena, &kind, &anchoring.target, err);
    if (rc == SW_OK)
        rc = kind->get(&anchoring, err);
    row->place = sw__arena_str(result->arena, place);
    sw__result_set(result, SW__ANCHORS, row, 1);
    return rc == SW_OK && sw__arena_failed(result->arena) ? sw__fail(err, SW_ENOMEM, NULL) : rc;
}

int sw_audit_anchor_get(sw_str place, sw_str origin, sw_result **out, sw_error *err)
{
    const sw_env *env = sw_env_system();
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    sw_result *result = sw__result_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    int rc = result && hasher ? anchor_get(place, origin, result, hasher, err)
                              : sw__fail(err, SW_ENOMEM, NULL);
    sw__hasher_free(hasher);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    return rc;
}
