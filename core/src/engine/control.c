/* The public face of control reports. */
#include "audit/control.h"

#include "base/limits.h"
#include "engine/query.h"

#define CONTROL_STANDARDS ((INT64_C(1) << SW_STANDARD_COUNT) - 1)

typedef struct control_ask {
    const sw_audit_trust *trust;
    const sw_control_options *options;
    sw_str folder;
} control_ask;

static int control_check(const sw_audit_trust *trust, const sw_control_options *options,
                         sw_error *err)
{
    if (!options || options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "options must start with SW_CONTROL_OPTIONS_INIT");
    if (options->format < 0 || options->format >= SW_CONTROL_FORMAT_COUNT)
        return sw__fail(err, SW_EINVAL, "%d is no format of a control report", options->format);
    if (options->standards < 0 || (options->standards & ~CONTROL_STANDARDS))
        return sw__fail(err, SW_EINVAL, "the set of standards holds one that there is not");
    if (options->after_us < 0 || options->before_us < 0)
        return sw__fail(err, SW_EINVAL, "a time is negative");
    return sw__trust_given(trust, err);
}

static int control_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const control_ask *ask = context;
    return sw__control_make(engine->store, engine->hasher, ask->trust, ask->options, result, err);
}

int sw_control_report(sw_engine *engine, const sw_audit_trust *trust,
                      const sw_control_options *options, sw_result **out, sw_error *err)
{
    control_ask ask = {.trust = trust, .options = options};
    int rc = control_check(trust, options, err);
    return rc == SW_OK ? sw__query(engine, control_fill, &ask, out, err) : rc;
}

static int control_fill_export(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    const char *path = NULL;
    const control_ask *ask = context;
    int rc = sw__query_folder(result->arena, ask->folder, &path, err);
    return rc == SW_OK
               ? sw__control_make_export(path, hasher, ask->trust, ask->options, result, err)
               : rc;
}

int sw_control_report_export(sw_str folder, const sw_audit_trust *trust,
                             const sw_control_options *options, sw_result **out, sw_error *err)
{
    control_ask ask = {.trust = trust, .options = options, .folder = folder};
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = control_check(trust, options, err);
    return rc == SW_OK ? sw__query_apart(sw_env_system(), control_fill_export, &ask, out, err) : rc;
}

/* Signatures. */

typedef struct sign_ask {
    const sw_audit_signing *signing;
    sw_str text;
} sign_ask;

static int control_sign(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    const char *file = NULL;
    const sign_ask *ask = context;
    int rc = sw__query_path(result->arena, ask->signing->path, "key", &file, err);
    return rc == SW_OK ? sw__control_sign(file, hasher, ask->signing, ask->text, result, err) : rc;
}

int sw_control_sign(const sw_audit_signing *signing, sw_str text, sw_result **out, sw_error *err)
{
    sign_ask ask = {signing, text};
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    if (!signing || signing->size < sizeof(*signing))
        return sw__fail(err, SW_EINVAL, "signing must start with SW_AUDIT_SIGNING_INIT");
    if (text.len == 0)
        return sw__fail(err, SW_EINVAL, "there is no report to sign");
    return sw__query_apart(sw_env_system(), control_sign, &ask, out, err);
}

typedef struct sign_doubt {
    const sw_str *keys;
    size_t key_count;
    sw_str text;
    sw_str note;
} sign_doubt;

static int control_check_signature(sw_result *result, sw__hasher *hasher, void *context,
                                   sw_error *err)
{
    const sign_doubt *doubt = context;
    return sw__control_check(doubt->keys, doubt->key_count, hasher, doubt->text, doubt->note,
                             result, err);
}

int sw_control_check(const sw_str *keys, size_t key_count, sw_str text, sw_str note,
                     sw_result **out, sw_error *err)
{
    sign_doubt doubt = {keys, key_count, text, note};
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    if (!keys || key_count == 0 || key_count > SW__BATCH_MAX)
        return sw__fail(err, SW_EINVAL, "1 to %d verifier keys are needed", SW__BATCH_MAX);
    return sw__query_apart(sw_env_system(), control_check_signature, &doubt, out, err);
}

#undef CONTROL_STANDARDS
