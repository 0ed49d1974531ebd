/* Proofs as text, and checking them; prove.c makes them. Nothing here trusts a number or a length
 * of the text. */
#include "audit/proof.h"

#include <string.h>

#include "audit/entry.h"
#include "audit/trust.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/str.h"

#define PROOF_HEAD "c2sp.org/tlog-proof@v1"

void sw__proof_put(sw__buf *buf, int64_t number, sw_str entry, const sw__tree_proof *hashes,
                   sw_str checkpoint)
{
    if (entry.ptr) {
        sw__buf_put_text(buf, PROOF_HEAD "\nextra ");
        sw__base64_put(buf, entry.ptr, entry.len);
        sw__buf_put_byte(buf, '\n');
    }
    sw__buf_printf(buf, "%s %lld\n", entry.ptr ? "index" : "old", (long long)number);
    for (int32_t i = 0; i < hashes->count; i++) {
        sw__base64_put(buf, hashes->hashes[i], sizeof(hashes->hashes[i]));
        sw__buf_put_byte(buf, '\n');
    }
    sw__buf_put_byte(buf, '\n');
    sw__buf_put_str(buf, checkpoint);
}

/* "WORD REST" */
static bool proof_word(sw_str *text, const char *word, sw_str *rest)
{
    sw_str line;
    size_t length = strlen(word);
    if (!sw__note_line(text, &line) || line.len <= length || memcmp(line.ptr, word, length) != 0 ||
        line.ptr[length] != ' ')
        return false;
    *rest = (sw_str){line.ptr + length + 1, line.len - length - 1};
    return true;
}

/* Lines up to an empty one, which ends them. */
static bool proof_hashes(sw_str *text, sw__tree_proof *out)
{
    sw_str line;
    out->count = 0;
    while (sw__note_line(text, &line)) {
        size_t size = 0;
        if (line.len == 0)
            return true;
        if (out->count == SW__TREE_PROOF_MAX ||
            !sw__base64_read(line, out->hashes[out->count], 32, &size) || size != 32)
            return false;
        out->count++;
    }
    return false;
}

bool sw__proof_read(sw_str text, sw__proof *out)
{
    sw_str digits;
    sw_str line;
    sw_str head = text;
    *out = (sw__proof){0};
    out->is_consistency = !(sw__note_line(&head, &line) && sw__str_is(line, PROOF_HEAD));
    if (out->is_consistency) {
        if (!proof_word(&text, "old", &digits))
            return false;
    } else {
        text = head;
        /* Nothing stands where there is no extra line: the proof then carries no entry. */
        sw_str without = text;
        if (!proof_word(&text, "extra", &out->extra))
            text = without;
        if (!proof_word(&text, "index", &digits))
            return false;
    }
    if (!sw__note_number(digits, &out->number) || !proof_hashes(&text, &out->hashes))
        return false;
    out->checkpoint = text;
    return true;
}

/* Checking. */

static int proof_refuse(sw_error *err, const char *why)
{
    return sw__fail(err, SW_EAUDIT, "the proof does not hold: %s", why);
}

static int proof_decode(const sw__proof *proof, sw__arena *arena, sw_str *bytes,
                        sw_audit_entry *entry, sw_error *err)
{
    const char *why = NULL;
    if (!proof->extra.ptr)
        return proof_refuse(err, "it carries no entry");
    uint8_t *room = sw__arena_alloc(arena, SW__ENTRY_MAX);
    if (!room)
        return sw__fail(err, SW_ENOMEM, NULL);
    bytes->ptr = (const char *)room;
    if (!sw__base64_read(proof->extra, room, SW__ENTRY_MAX, &bytes->len))
        return proof_refuse(err, "its entry is not base64");
    if (!sw__entry_decode(*bytes, entry, &why))
        return sw__fail(err, SW_EAUDIT, "the proof does not hold: its entry cannot be read: %s",
                        why);
    if (entry->entry_no != proof->number + 1)
        return proof_refuse(err, "its entry has another number than its place");
    return SW_OK;
}

static int proof_check_inclusion(const sw__proof *proof, const sw__checkpoint *checkpoint,
                                 sw__hasher *hasher, sw__arena *arena, sw_audit_shown *out,
                                 sw_error *err)
{
    uint8_t leaf[32];
    sw_str bytes;
    int rc = proof_decode(proof, arena, &bytes, &out->entry, err);
    if (rc < 0)
        return rc;
    rc = sw__tree_leaf(hasher, bytes, leaf);
    if (rc == SW_OK)
        rc = sw__tree_check_inclusion(hasher, leaf, proof->number, checkpoint->size, &proof->hashes,
                                      checkpoint->root);
    if (rc < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return rc == 1 ? SW_OK : proof_refuse(err, "its hashes do not lead to the checkpoint");
}

/* The checkpoint of so many entries among those given. */
static const sw__checkpoint *proof_find_old(const sw__trust *trust, int64_t size)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (trust->rows[i].size == size)
            return &trust->rows[i];
    }
    return NULL;
}

static int proof_check_consistency(const sw__proof *proof, const sw__checkpoint *checkpoint,
                                   const sw__trust *trust, sw__hasher *hasher, sw_audit_shown *out,
                                   sw_error *err)
{
    const sw__checkpoint *old = proof_find_old(trust, proof->number);
    if (!old)
        return sw__fail(err, SW_EAUDIT,
                        "the proof does not hold: the checkpoint of %lld entries that it starts "
                        "from is not given",
                        (long long)proof->number);
    if (!sw__str_equal(old->origin, checkpoint->origin))
        return proof_refuse(err, "its checkpoints are of two logs");
    int rc = sw__tree_check_consistency(hasher, old->size, checkpoint->size, &proof->hashes,
                                        old->root, checkpoint->root);
    if (rc < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    out->old_count = old->size;
    return rc == 1 ? SW_OK
                   : proof_refuse(err, "its hashes do not lead from one checkpoint to the "
                                       "other");
}

int sw__proof_check(const sw_audit_trust *trusted, sw_str text, sw__hasher *hasher,
                    sw__arena *arena, sw_audit_shown *out, sw_error *err)
{
    sw__proof proof;
    sw__trust trust;
    sw__doubt doubt = {0};
    sw__checkpoint checkpoint;
    const char *why = NULL;
    *out = (sw_audit_shown){0};
    int rc = sw__trust_load(&trust, trusted, hasher, arena, &doubt, err);
    if (rc < 0)
        return doubt.raised ? proof_refuse(err, doubt.message) : rc;
    if (!sw__proof_read(text, &proof))
        return proof_refuse(err, "it is no proof");
    rc = sw__trust_open(&trust, proof.checkpoint, &checkpoint, &why);
    if (rc == SW_EINVAL)
        return sw__fail(err, SW_EAUDIT,
                        "the proof does not hold: its checkpoint cannot be trusted: %s", why);
    if (rc < 0)
        return sw__fail(err, rc, NULL);
    out->origin = sw__arena_str(arena, checkpoint.origin);
    out->entry_count = checkpoint.size;
    if (proof.is_consistency)
        return proof_check_consistency(&proof, &checkpoint, &trust, hasher, out, err);
    return proof_check_inclusion(&proof, &checkpoint, hasher, arena, out, err);
}

#undef PROOF_HEAD
