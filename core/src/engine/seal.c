/* The public face of the signer: keys, and checkpoints of an engine's log. */
#include "audit/signer.h"
#include "engine/engine.h"
#include "stepwell/checkpoint.h"

/* The path with a zero behind it, in the arena. */
static int seal_path(sw__arena *arena, sw_str path, const char **out, sw_error *err)
{
    if (path.len == 0 || memchr(path.ptr, '\0', path.len))
        return sw__fail(err, SW_EINVAL, "the path of the key is empty or holds a zero byte");
    *out = sw__arena_str(arena, path).ptr;
    return *out ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

static int seal_keep(sw_result *result, sw__section section, const void *row, sw_error *err)
{
    if (!row || sw__arena_failed(result->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__result_set(result, section, row, 1);
    return SW_OK;
}

static int seal_make_key(sw_result *result, sw__hasher *hasher, sw_str name, sw_str path,
                         sw_error *err)
{
    sw__buf verifier;
    const char *file = NULL;
    const sw_env *env = sw__arena_env(result->arena);
    sw_audit_key *key = sw__arena_alloc(result->arena, sizeof(*key));
    sw__buf_init(&verifier, env);
    int rc = key ? seal_path(result->arena, path, &file, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__signer_create(env, hasher, name, file, &verifier, err);
    if (rc == SW_OK) {
        key->name = sw__arena_str(result->arena, name);
        key->verifier = sw__arena_str(result->arena, sw__buf_str(&verifier));
        rc = seal_keep(result, SW__KEYS, key, err);
    }
    sw__buf_free(&verifier);
    return rc;
}

int sw_audit_keygen(sw_str name, sw_str path, sw_result **out, sw_error *err)
{
    const sw_env *env = sw_env_system();
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    sw_result *result = sw__result_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    int rc = result && hasher ? seal_make_key(result, hasher, name, path, err)
                              : sw__fail(err, SW_ENOMEM, NULL);
    sw__hasher_free(hasher);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    return rc;
}

/* The engine's lock is held while new entries are read, not while the state is written. */
static int seal_follow(sw_engine *engine, sw__signer *signer, sw_error *err)
{
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    sw__store *store = engine->store;
    rc = store->ops->begin(store, false, err);
    if (rc == SW_OK) {
        rc = sw__signer_follow(signer, store, err);
        store->ops->rollback(store);
    }
    sw__engine_leave(engine);
    return rc;
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
    return seal_keep(result, SW__CHECKPOINTS, row, err);
}

static int seal_run(sw_engine *engine, sw_result *result, sw__hasher *hasher, sw_str path,
                    sw_error *err)
{
    sw__signer signer;
    const char *file = NULL;
    int rc = seal_path(result->arena, path, &file, err);
    if (rc < 0)
        return rc;
    rc = sw__signer_open(&signer, engine->env, hasher, file, err);
    int64_t before = signer.tree.size;
    if (rc == SW_OK)
        rc = seal_follow(engine, &signer, err);
    if (rc == SW_OK)
        rc = sw__signer_sign(&signer, err);
    if (rc == SW_OK)
        rc = seal_fill(result, &signer, before, err);
    sw__signer_close(&signer);
    return rc;
}

/* The engine's own hasher belongs to whoever holds its lock; the signer works without. */
int sw_audit_seal(sw_engine *engine, sw_str path, sw_result **out, sw_error *err)
{
    if (!out || !engine)
        return sw__fail(err, SW_EINVAL, "engine and out are needed");
    *out = NULL;
    int rc = sw__engine_come(engine, err); /* before any file is touched */
    if (rc < 0)
        return rc;
    sw_result *result = sw__result_new(engine->env);
    sw__hasher *hasher = sw__hasher_new(engine->env);
    rc = result && hasher ? seal_run(engine, result, hasher, path, err)
                          : sw__fail(err, SW_ENOMEM, NULL);
    sw__hasher_free(hasher);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    sw__engine_go(engine);
    return rc;
}
