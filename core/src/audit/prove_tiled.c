/* Making proofs from an exported folder: a few files each. What the files say is checked by
 * checking the proof, so that a folder that was edited gives no proof and never a wrong one. */
#include <string.h>

#include "audit/entry.h"
#include "audit/proof.h"
#include "base/error.h"

typedef struct prove_tiled {
    sw__tiled *tiled;
    sw_str note;
    sw__checkpoint checkpoint;
    sw__tree_wish wish;
    sw__arena *arena;
} prove_tiled;

static int tiled_begin(prove_tiled *prove, sw__tiled *tiled, sw__arena *arena, sw_str checkpoint,
                       sw_error *err)
{
    *prove = (prove_tiled){.tiled = tiled, .arena = arena, .note = checkpoint};
    sw__tree_wish_init(&prove->wish, sw__arena_env(arena));
    if (!checkpoint.ptr)
        prove->note = sw__buf_str(&tiled->note);
    if (!sw__checkpoint_peek(prove->note, &prove->checkpoint))
        return sw__fail(err, SW_EINVAL, "the text is no checkpoint");
    if (prove->checkpoint.size > tiled->size)
        return sw__fail(err, SW_EINVAL,
                        "the folder holds %lld entries, the checkpoint is of %lld: export again",
                        (long long)tiled->size, (long long)prove->checkpoint.size);
    return SW_OK;
}

static int tiled_fetch(void *context, int32_t level, int64_t index, uint8_t hash[32], sw_error *err)
{
    return sw__tiled_hash(context, level, index, hash, err);
}

/* The answer of a check: the folder is the one of the checkpoint, or it is not. */
static int tiled_believe(int checked, sw_error *err)
{
    if (checked < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return checked == 1 ? SW_OK
                        : sw__fail(err, SW_EAUDIT,
                                   "the folder is not the one that the checkpoint "
                                   "is of, or was edited");
}

static int tiled_put(prove_tiled *prove, int64_t number, sw_str entry, const sw__tree_proof *hashes,
                     sw_audit_proof *row, sw_error *err)
{
    sw__buf text;
    const char *why = NULL;
    int rc = SW_OK;
    sw__buf_init(&text, sw__arena_env(prove->arena));
    sw__proof_put(&text, number, entry, hashes, prove->note);
    row->text = sw__arena_str(prove->arena, sw__buf_str(&text));
    if (text.failed || !row->text.ptr)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    else if (entry.ptr && !sw__entry_decode(entry, &row->entry, &why))
        rc = sw__fail(err, SW_EAUDIT, "entry %lld cannot be read: %s", (long long)number + 1, why);
    sw__buf_free(&text);
    return rc;
}

static int tiled_prove(prove_tiled *prove, int32_t proof, int64_t index, sw_audit_proof *row,
                       sw_error *err)
{
    uint8_t leaf[32];
    sw_str entry;
    sw__tree_proof hashes;
    sw__hasher *hasher = prove->tiled->hasher;
    int rc = sw__tiled_entry(prove->tiled, index, &entry, err);
    if (rc < 0)
        return rc;
    entry = sw__arena_str(prove->arena, entry);
    if (!entry.ptr || sw__tree_leaf(hasher, entry, leaf) < 0 ||
        sw__tree_wish_proof(&prove->wish, hasher, proof, &hashes) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    rc = tiled_believe(sw__tree_check_inclusion(hasher, leaf, index, prove->checkpoint.size,
                                                &hashes, prove->checkpoint.root),
                       err);
    return rc == SW_OK ? tiled_put(prove, index, entry, &hashes, row, err) : rc;
}

static int tiled_want(prove_tiled *prove, const int64_t *entry_nos, size_t count, sw_error *err)
{
    int64_t size = prove->checkpoint.size;
    for (size_t i = 0; i < count; i++) {
        if (entry_nos[i] < 1 || entry_nos[i] > size)
            return sw__fail_row(err, SW_EINVAL, i,
                                "entry %lld is none of the %lld that the checkpoint covers",
                                (long long)entry_nos[i], (long long)size);
        if (sw__tree_wish_inclusion(&prove->wish, (int32_t)i, entry_nos[i] - 1, size) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    return SW_OK;
}

int sw__prove_tiled_inclusion(sw__tiled *tiled, sw__arena *arena, sw_str checkpoint,
                              const int64_t *entry_nos, size_t count, sw_audit_proof **rows,
                              sw_error *err)
{
    prove_tiled prove;
    int rc = tiled_begin(&prove, tiled, arena, checkpoint, err);
    if (rc == SW_OK)
        rc = tiled_want(&prove, entry_nos, count, err);
    if (rc == SW_OK)
        rc = sw__tree_wish_fill(&prove.wish, tiled_fetch, tiled, err);
    *rows = sw__arena_array(arena, count, sizeof(**rows));
    if (rc == SW_OK && !*rows)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = tiled_prove(&prove, (int32_t)i, entry_nos[i] - 1, &(*rows)[i], err);
    sw__tree_wish_free(&prove.wish);
    return rc;
}

int sw__prove_tiled_consistency(sw__tiled *tiled, sw__arena *arena, sw_str old, sw_str checkpoint,
                                sw_audit_proof **row, sw_error *err)
{
    prove_tiled prove;
    sw__checkpoint before;
    sw__tree_proof hashes;
    int rc = tiled_begin(&prove, tiled, arena, checkpoint, err);
    int64_t size = prove.checkpoint.size;
    if (rc == SW_OK && !sw__checkpoint_peek(old, &before))
        rc = sw__fail(err, SW_EINVAL, "the older text is no checkpoint");
    else if (rc == SW_OK && (before.size < 1 || before.size > size))
        rc =
            sw__fail(err, SW_EINVAL, "a checkpoint of %lld entries is not continued by one of %lld",
                     (long long)before.size, (long long)size);
    else if (rc == SW_OK && sw__tree_wish_consistency(&prove.wish, 0, before.size, size) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = sw__tree_wish_fill(&prove.wish, tiled_fetch, tiled, err);
    *row = sw__arena_alloc(arena, sizeof(**row));
    if (rc == SW_OK && (!*row || sw__tree_wish_proof(&prove.wish, tiled->hasher, 0, &hashes) < 0))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = tiled_believe(sw__tree_check_consistency(tiled->hasher, before.size, size, &hashes,
                                                      before.root, prove.checkpoint.root),
                           err);
    if (rc == SW_OK)
        rc = tiled_put(&prove, before.size, (sw_str){NULL, 0}, &hashes, *row, err);
    sw__tree_wish_free(&prove.wish);
    return rc;
}
