/* How a public call answers: enter, one transaction around a function that fills the result, leave.
 * Not here: what is asked for.
 */
#include "engine/flow.h"
#include "engine/query.h"

/* Reading. */

int sw__query_entered(sw_engine *engine, sw__query_fill fill, const void *context, sw_result **out,
                      sw_error *err)
{
    sw__store *store = engine->store;
    sw_result *result = sw__result_new(engine->env);
    if (!result)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->begin(store, false, err);
    if (rc == SW_OK) {
        rc = sw__catalog_check(&engine->catalog, store, err);
        if (rc == SW_OK)
            rc = fill(engine, result, context, err);
        store->ops->rollback(store);
    }
    if (rc == SW_OK && sw__arena_failed(result->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    return rc;
}

int sw__query(sw_engine *engine, sw__query_fill fill, const void *context, sw_result **out,
              sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = sw__query_entered(engine, fill, context, out, err);
    sw__engine_leave(engine);
    return rc;
}

int sw__query_read(sw_engine *engine, sw__query_look look, void *context, sw_error *err)
{
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    sw__store *store = engine->store;
    rc = store->ops->begin(store, false, err);
    if (rc == SW_OK) {
        rc = look(engine, context, err);
        store->ops->rollback(store);
    }
    sw__engine_leave(engine);
    return rc;
}

int sw__query_apart(const sw_env *env, sw__query_make make, void *context, sw_result **out,
                    sw_error *err)
{
    *out = NULL;
    sw_result *result = sw__result_new(env);
    sw__hasher *hasher = sw__hasher_new(env);
    int rc = result && hasher ? make(result, hasher, context, err) : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK && sw__arena_failed(result->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__hasher_free(hasher);
    if (rc < 0)
        sw_result_free(result);
    else
        *out = result;
    return rc;
}

/* Writing. */

static int answer_written(sw_engine *engine, sw__work_fill fill, const void *context,
                          sw_result **out, sw_error *err)
{
    sw__work work;
    sw_result *result = sw__result_new(engine->env);
    if (!result)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__work_begin(&work, engine, err);
    if (rc == SW_OK)
        rc = sw__work_end(&work, fill(&work, result, context, err), err);
    if (rc == SW_OK)
        *out = result;
    else
        sw_result_free(result);
    return rc;
}

int sw__work_answer(sw_engine *engine, sw__work_fill fill, const void *context, sw_result **out,
                    sw_error *err)
{
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = answer_written(engine, fill, context, out, err);
    sw__engine_leave(engine);
    return rc;
}
