/* Signatures of control reports: a signed note that names the report by its digest.
 *
 *     stepwell control report
 *     sha256 HEX
 *
 * No key has the name of the first line, which has blanks in it: the note is never a checkpoint. */
#include <string.h>

#include "audit/control.h"
#include "audit/signer.h"
#include "base/error.h"
#include "base/str.h"

#define SIGN_HEAD "stepwell control report\nsha256 "

/* What is signed, and the digest in it. */
static int sign_put(sw__hasher *hasher, sw_str report, sw__buf *text, uint8_t digest[32],
                    sw_error *err)
{
    char hex[65];
    const sw_str parts[] = {report};
    if (sw__hash(hasher, parts, 1, digest) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__hash_hex(digest, hex);
    sw__buf_printf(text, SIGN_HEAD "%s\n", hex);
    return text->failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int sign_fill(sw_result *result, sw_str name, sw_str note, const uint8_t digest[32],
                     sw_error *err)
{
    sw_control_signature *row = sw__arena_alloc(result->arena, sizeof(*row));
    if (!row)
        return sw__fail(err, SW_ENOMEM, NULL);
    row->name = sw__arena_str(result->arena, name);
    row->note = sw__arena_str(result->arena, note);
    memcpy(row->digest, digest, sizeof(row->digest));
    sw__result_set(result, SW__CONTROL_SIGNATURES, row, 1);
    return SW_OK;
}

int sw__control_sign(const char *file, sw__hasher *hasher, const sw_audit_signing *signing,
                     sw_str report, sw_result *result, sw_error *err)
{
    sw__buf text;
    uint8_t digest[32];
    sw__signer signer;
    const sw__signer_call call = {signing->sign, signing->context};
    const sw_env *env = sw__arena_env(result->arena);
    sw__buf_init(&text, env);
    int rc = sw__signer_open(&signer, env, hasher, file, call, err);
    if (rc == SW_OK)
        rc = sign_put(hasher, report, &text, digest, err);
    if (rc == SW_OK)
        rc = sw__signer_note(&signer, &text, err);
    if (rc == SW_OK)
        rc = sign_fill(result, signer.signer.key.name, sw__buf_str(&text), digest, err);
    sw__signer_close(&signer);
    sw__buf_free(&text);
    return rc;
}

/* Checking. */

/* The signed text, and the name of the key that has signed it. */
static int sign_open(const sw_str *vkeys, size_t count, sw__hasher *hasher, sw__arena *arena,
                     sw_str note, sw_str *name, sw_str *text, sw_error *err)
{
    sw__note_signed who;
    const char *why = NULL;
    sw__note_key *keys = sw__arena_array(arena, count, sizeof(*keys));
    if (!keys)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        if (sw__note_read_key(hasher, vkeys[i], &keys[i], &why))
            continue;
        return why ? sw__fail_row(err, SW_EINVAL, i, "\"%.*s\" is no verifier key: %s",
                                  SW__FMT(vkeys[i]), why)
                   : sw__fail(err, SW_ENOMEM, NULL);
    }
    int rc = sw__note_open(note, keys, count, text, &who, &why);
    if (rc == SW_EINVAL)
        return sw__fail(err, SW_EAUDIT, "the signature cannot be trusted: %s", why);
    if (rc < 0)
        return sw__fail(err, rc, NULL);
    *name = keys[who.key_index].name;
    return SW_OK;
}

int sw__control_check(const sw_str *keys, size_t count, sw__hasher *hasher, sw_str report,
                      sw_str note, sw_result *result, sw_error *err)
{
    sw__buf expected;
    sw_str name, text;
    uint8_t digest[32];
    sw__buf_init(&expected, sw__arena_env(result->arena));
    int rc = sign_open(keys, count, hasher, result->arena, note, &name, &text, err);
    if (rc == SW_OK)
        rc = sign_put(hasher, report, &expected, digest, err);
    if (rc == SW_OK && !sw__str_equal(text, sw__buf_str(&expected)))
        rc = sw__fail(err, SW_EAUDIT, "the signature is of another text: the report was edited");
    if (rc == SW_OK)
        rc = sign_fill(result, name, note, digest, err);
    sw__buf_free(&expected);
    return rc;
}

#undef SIGN_HEAD
