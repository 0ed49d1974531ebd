/* The public face of the signer: keys, and checkpoints of an engine's log. */
#include "audit/signer.h"
#include "engine/query.h"
#include "stepwell/checkpoint.h"

/* The path with a zero behind it, in the arena. */
static int seal_path(sw__arena *arena, sw_str path, const char **out, sw_error *err)
{
    if (path.len == 0 || memchr(path.ptr, '\0', path.len))
        return sw__fail(err, SW_EINVAL, "the path of the key is empty or holds a zero byte");
    *out = sw__arena_str(arena, path).ptr;
    return *out ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

typedef struct seal_ask {
    sw_engine *engine; /* NULL to make a key */
    sw_str name;
    sw_str path;
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

static int seal_sign(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    sw__signer signer;
    const char *file = NULL;
    const seal_ask *ask = context;
    int rc = seal_path(result->arena, ask->path, &file, err);
    if (rc < 0)
        return rc;
    rc = sw__signer_open(&signer, ask->engine->env, hasher, file, err);
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

int sw_audit_seal(sw_engine *engine, sw_str path, sw_result **out, sw_error *err)
{
    seal_ask ask = {.engine = engine, .path = path};
    if (!out || !engine)
        return sw__fail(err, SW_EINVAL, "engine and out are needed");
    *out = NULL;
    int rc = sw__engine_come(engine, err); /* before any file is touched */
    if (rc < 0)
        return rc;
    rc = sw__query_apart(engine->env, seal_sign, &ask, out, err);
    sw__engine_go(engine);
    return rc;
}
