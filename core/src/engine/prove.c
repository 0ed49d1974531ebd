/* The public face of proofs. */
#include "audit/proof.h"
#include "audit/trust.h"
#include "base/limits.h"
#include "engine/query.h"

typedef struct prove_ask {
    sw_str checkpoint;
    const int64_t *entry_nos; /* NULL: a proof of consistency with old */
    size_t count;
    sw_str old;
} prove_ask;

static int prove_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const prove_ask *ask = context;
    sw_audit_proof *rows = NULL;
    int rc = ask->entry_nos
                 ? sw__prove_inclusion(engine->store, engine->hasher, result->arena,
                                       ask->checkpoint, ask->entry_nos, ask->count, &rows, err)
                 : sw__prove_consistency(engine->store, engine->hasher, result->arena, ask->old,
                                         ask->checkpoint, &rows, err);
    sw__result_set(result, SW__PROOFS, rows, ask->entry_nos ? ask->count : 1);
    return rc;
}

int sw_audit_prove(sw_engine *engine, sw_str checkpoint, const int64_t *entry_nos, size_t count,
                   sw_result **out, sw_error *err)
{
    if (!entry_nos || count == 0)
        return sw__fail(err, SW_EINVAL, "there is no entry to prove");
    if (count > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d entries are proved at a time", SW__BATCH_MAX);
    prove_ask ask = {.checkpoint = checkpoint, .entry_nos = entry_nos, .count = count};
    return sw__query(engine, prove_fill, &ask, out, err);
}

int sw_audit_prove_consistency(sw_engine *engine, sw_str old, sw_str checkpoint, sw_result **out,
                               sw_error *err)
{
    prove_ask ask = {.checkpoint = checkpoint, .old = old};
    return sw__query(engine, prove_fill, &ask, out, err);
}

typedef struct prove_doubt {
    const sw_audit_trust *trust;
    sw_str proof;
} prove_doubt;

static int prove_check(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    const prove_doubt *doubt = context;
    sw_audit_shown *row = sw__arena_alloc(result->arena, sizeof(*row));
    if (!row)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__result_set(result, SW__SHOWN, row, 1);
    return sw__proof_check(doubt->trust, doubt->proof, hasher, result->arena, row, err);
}

int sw_audit_check(const sw_audit_trust *trust, sw_str proof, sw_result **out, sw_error *err)
{
    prove_doubt doubt = {trust, proof};
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__trust_given(trust, err);
    return rc < 0 ? rc : sw__query_apart(sw_env_system(), prove_check, &doubt, out, err);
}
