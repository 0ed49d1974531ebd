/* The public face of the signer: keys, and checkpoints of an engine's log. */
#include "audit/signer.h"
#include "engine/query.h"
#include "stepwell/checkpoint.h"

static int seal_path(sw__arena *arena, sw_str path, const char **out, sw_error *err)
{
    return sw__query_path(arena, path, "key", out, err);
}

/* What is asked for; each question uses a part of it. */
typedef struct seal_ask {
    sw_engine *engine;
    sw_str name; /* of a key to make */
    sw_str path; /* where to */
    const sw_audit_signing *signing;
    const sw_audit_signing *next; /* the key that takes over */
} seal_ask;

static int seal_make_key(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    sw__buf verifier;
    const char *file = NULL;
    const seal_ask *ask = context;
    const sw_env *env = sw__arena_env(result->arena);
    sw_audit_key *key = sw__arena_alloc(result->arena, sizeof(*key));
    sw__buf_init(&verifier, env);
    int rc = key ? seal_path(result->arena, ask->path, &file, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__signer_create(env, hasher, ask->name, file, &verifier, err);
    if (rc == SW_OK) {
        key->name = sw__arena_str(result->arena, ask->name);
        key->verifier = sw__arena_str(result->arena, sw__buf_str(&verifier));
        sw__result_set(result, SW__KEYS, key, 1);
    }
    sw__buf_free(&verifier);
    return rc;
}

int sw_audit_keygen(sw_str name, sw_str path, sw_result **out, sw_error *err)
{
    seal_ask ask = {.name = name, .path = path};
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    return sw__query_apart(sw_env_system(), seal_make_key, &ask, out, err);
}

/* The engine's lock is held while new entries are read, not while the state is written. */
static int seal_follow(sw_engine *engine, void *context, sw_error *err)
{
    return sw__signer_follow(context, engine->store, err);
}

static int seal_fill(sw_result *result, sw__signer *signer, int64_t before, sw_error *err)
{
    sw_audit_checkpoint *row = sw__arena_alloc(result->arena, sizeof(*row));
    if (!row || sw__tree_root(&signer->tree, signer->hasher, row->root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    row->origin = sw__arena_str(result->arena, signer->signer.key.name);
    row->entry_count = signer->tree.size;
    row->entries_new = signer->tree.size - before;
    row->note = sw__arena_str(result->arena, sw__buf_str(&signer->note));
    sw__result_set(result, SW__CHECKPOINTS, row, 1);
    return SW_OK;
}

static int seal_open(const seal_ask *ask, sw_result *result, sw__hasher *hasher,
                     const sw_audit_signing *signing, sw__signer *signer, sw_error *err)
{
    const char *file = NULL;
    const sw__signer_call call = {signing->sign, signing->context};
    *signer = (sw__signer){.fd = -1};
    int rc = seal_path(result->arena, signing->path, &file, err);
    return rc == SW_OK ? sw__signer_open(signer, ask->engine->env, hasher, file, call, err) : rc;
}

static int seal_sign(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    sw__signer signer;
    const seal_ask *ask = context;
    int rc = seal_open(ask, result, hasher, ask->signing, &signer, err);
    int64_t before = signer.tree.size;
    if (rc == SW_OK)
        rc = sw__query_read(ask->engine, seal_follow, &signer, err);
    if (rc == SW_OK)
        rc = sw__signer_sign(&signer, err);
    if (rc == SW_OK)
        rc = seal_fill(result, &signer, before, err);
    sw__signer_close(&signer);
    return rc;
}

/* The key that takes over: one that is there, or a new one of the same name. */
static int seal_open_next(const seal_ask *ask, sw_result *result, sw__hasher *hasher, sw_str name,
                          sw__signer *signer, sw_error *err)
{
    int rc = seal_open(ask, result, hasher, ask->next, signer, err);
    if (rc != SW_ENOTFOUND || ask->next->sign)
        return rc;
    sw__signer_close(signer);
    seal_ask make = {.name = name, .path = ask->next->path};
    rc = seal_make_key(result, hasher, &make, err);
    return rc == SW_OK ? seal_open(ask, result, hasher, ask->next, signer, err) : rc;
}

static int seal_keep_key(sw_result *result, const sw__signer *signer, sw_error *err)
{
    sw__buf verifier;
    sw_audit_key *key = sw__arena_alloc(result->arena, sizeof(*key));
    sw__buf_init(&verifier, sw__arena_env(result->arena));
    sw__note_put_key(&verifier, &signer->signer.key);
    int rc = key && !verifier.failed ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK) {
        key->name = sw__arena_str(result->arena, signer->signer.key.name);
        key->verifier = sw__arena_str(result->arena, sw__buf_str(&verifier));
        sw__result_set(result, SW__KEYS, key, 1);
    }
    sw__buf_free(&verifier);
    return rc;
}

static int seal_rotate(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    sw__signer old;
    sw__signer taking = {.fd = -1};
    const seal_ask *ask = context;
    int rc = seal_open(ask, result, hasher, ask->signing, &old, err);
    int64_t before = old.tree.size;
    if (rc == SW_OK)
        rc = sw__query_read(ask->engine, seal_follow, &old, err);
    if (rc == SW_OK)
        rc = seal_open_next(ask, result, hasher, old.signer.key.name, &taking, err);
    if (rc == SW_OK)
        rc = sw__signer_rotate(&old, &taking, err);
    if (rc == SW_OK)
        rc = seal_fill(result, &taking, before, err);
    if (rc == SW_OK)
        rc = seal_keep_key(result, &taking, err);
    sw__signer_close(&taking);
    sw__signer_close(&old);
    return rc;
}

static int seal_answer(seal_ask *ask, sw__query_make make, sw_result **out, sw_error *err)
{
    if (!out || !ask->engine)
        return sw__fail(err, SW_EINVAL, "engine and out are needed");
    *out = NULL;
    int rc = sw__engine_come(ask->engine, err); /* before any file is touched */
    if (rc < 0)
        return rc;
    rc = sw__query_apart(ask->engine->env, make, ask, out, err);
    sw__engine_go(ask->engine);
    return rc;
}

static int seal_check(const sw_audit_signing *signing, sw_error *err)
{
    return signing && signing->size >= sizeof(*signing)
               ? SW_OK
               : sw__fail(err, SW_EINVAL, "signing must start with SW_AUDIT_SIGNING_INIT");
}

int sw_audit_seal(sw_engine *engine, sw_str path, sw_result **out, sw_error *err)
{
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    signing.path = path;
    return sw_audit_seal_with(engine, &signing, out, err);
}

int sw_audit_seal_with(sw_engine *engine, const sw_audit_signing *signing, sw_result **out,
                       sw_error *err)
{
    seal_ask ask = {.engine = engine, .signing = signing};
    int rc = seal_check(signing, err);
    return rc == SW_OK ? seal_answer(&ask, seal_sign, out, err) : rc;
}

int sw_audit_rotate(sw_engine *engine, const sw_audit_signing *signing,
                    const sw_audit_signing *next, sw_result **out, sw_error *err)
{
    seal_ask ask = {.engine = engine, .signing = signing, .next = next};
    int rc = seal_check(signing, err);
    if (rc == SW_OK)
        rc = seal_check(next, err);
    return rc == SW_OK ? seal_answer(&ask, seal_rotate, out, err) : rc;
}

int sw_audit_enrol(sw_str verifier, sw_str path, sw_error *err)
{
    const char *file = NULL;
    const sw_env *env = sw_env_system();
    sw__arena *arena = sw__arena_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    int rc = arena && hasher ? seal_path(arena, path, &file, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__signer_enrol(env, hasher, verifier, file, err);
    sw__hasher_free(hasher);
    sw__arena_free(arena);
    return rc;
}
