/* Making proofs from the log: one walk up to the checkpoint, for all of them together. */
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/leaves.h"
#include "audit/proof.h"
#include "base/error.h"

/* An entry whose proof is wanted; they are sorted to be met in order. */
typedef struct prove_want {
    int64_t entry_no;
    size_t row;
} prove_want;

typedef struct prove_walk {
    sw__checkpoint checkpoint;
    int64_t old; /* entries of an older checkpoint, 0 for none */
    uint8_t old_root[32];
    sw__tree tree;
    sw__tree_wish wish;
    sw__leaves leaves;
    sw__arena *arena;
    prove_want *wants;
    size_t want_count;
    size_t next;
    sw_str *entries; /* by row */
} prove_walk;

/* Keep what is wanted; stop where the checkpoint ends. */
static int prove_visit(void *context, int64_t index, sw_str entry, sw_error *err)
{
    prove_walk *walk = context;
    if (index == walk->old && sw__tree_root(&walk->tree, walk->leaves.hasher, walk->old_root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (index == walk->checkpoint.size)
        return 1;
    for (; walk->next < walk->want_count && walk->wants[walk->next].entry_no == index + 1;
         walk->next++)
        walk->entries[walk->wants[walk->next].row] = sw__arena_str(walk->arena, entry);
    return SW_OK;
}

static int prove_open(prove_walk *walk, sw__hasher *hasher, sw__arena *arena, sw_str checkpoint,
                      sw_error *err)
{
    *walk = (prove_walk){.arena = arena};
    walk->leaves = (sw__leaves){.tree = &walk->tree,
                                .hasher = hasher,
                                .wish = &walk->wish,
                                .visit = prove_visit,
                                .context = walk};
    sw__tree_wish_init(&walk->wish, sw__arena_env(arena));
    return sw__checkpoint_peek(checkpoint, &walk->checkpoint)
               ? SW_OK
               : sw__fail(err, SW_EINVAL, "the text is no checkpoint");
}

/* The log up to the checkpoint has its root. */
static int prove_read(prove_walk *walk, sw__store *store, sw_error *err)
{
    uint8_t root[32];
    int rc = sw__leaves_walk(&walk->leaves, store, err);
    if (rc < 0)
        return rc;
    if (walk->tree.size < walk->checkpoint.size)
        return sw__fail(err, SW_EAUDIT, "the log holds %lld entries, the checkpoint is of %lld",
                        (long long)walk->tree.size, (long long)walk->checkpoint.size);
    if (sw__tree_root(&walk->tree, walk->leaves.hasher, root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (memcmp(root, walk->checkpoint.root, sizeof(root)) != 0)
        return sw__fail(err, SW_EAUDIT, "the log is not the one that the checkpoint is of");
    return SW_OK;
}

static int prove_write(prove_walk *walk, int32_t number, int64_t at, sw_str entry,
                       sw_str checkpoint, sw_audit_proof *row, sw_error *err)
{
    sw__buf text;
    sw__tree_proof hashes;
    const char *why = NULL;
    sw__buf_init(&text, sw__arena_env(walk->arena));
    int rc = sw__tree_wish_proof(&walk->wish, walk->leaves.hasher, number, &hashes);
    sw__proof_put(&text, at, entry, &hashes, checkpoint);
    row->text = sw__arena_str(walk->arena, sw__buf_str(&text));
    if (rc < 0 || text.failed || !row->text.ptr)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    else if (entry.ptr && !sw__entry_decode(entry, &row->entry, &why))
        rc = sw__fail(err, SW_EAUDIT, "entry %lld cannot be read: %s", (long long)at + 1, why);
    sw__buf_free(&text);
    return rc;
}

static int prove_by_entry(const void *a, const void *b)
{
    const prove_want *left = a;
    const prove_want *right = b;
    return (left->entry_no > right->entry_no) - (left->entry_no < right->entry_no);
}

static int prove_want_all(prove_walk *walk, const int64_t *entry_nos, size_t count, sw_error *err)
{
    walk->wants = sw__arena_array(walk->arena, count, sizeof(*walk->wants));
    walk->entries = sw__arena_array(walk->arena, count, sizeof(*walk->entries));
    if (!walk->wants || !walk->entries)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        if (entry_nos[i] < 1 || entry_nos[i] > walk->checkpoint.size)
            return sw__fail_row(err, SW_EINVAL, i,
                                "entry %lld is none of the %lld that the checkpoint covers",
                                (long long)entry_nos[i], (long long)walk->checkpoint.size);
        walk->wants[i] = (prove_want){entry_nos[i], i};
        if (sw__tree_wish_inclusion(&walk->wish, (int32_t)i, entry_nos[i] - 1,
                                    walk->checkpoint.size) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    walk->want_count = count;
    if (count > 1)
        qsort(walk->wants, count, sizeof(*walk->wants), prove_by_entry);
    return SW_OK;
}

int sw__prove_inclusion(sw__store *store, sw__hasher *hasher, sw__arena *arena, sw_str checkpoint,
                        const int64_t *entry_nos, size_t count, sw_audit_proof **rows,
                        sw_error *err)
{
    prove_walk walk;
    int rc = prove_open(&walk, hasher, arena, checkpoint, err);
    if (rc == SW_OK)
        rc = prove_want_all(&walk, entry_nos, count, err);
    if (rc == SW_OK)
        rc = prove_read(&walk, store, err);
    *rows = sw__arena_array(arena, count, sizeof(**rows));
    if (rc == SW_OK && (!*rows || sw__arena_failed(arena)))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = prove_write(&walk, (int32_t)i, entry_nos[i] - 1, walk.entries[i], checkpoint,
                         &(*rows)[i], err);
    sw__tree_wish_free(&walk.wish);
    return rc;
}

static int prove_want_old(prove_walk *walk, sw_str old, sw__checkpoint *before, sw_error *err)
{
    if (!sw__checkpoint_peek(old, before))
        return sw__fail(err, SW_EINVAL, "the older text is no checkpoint");
    if (before->size < 1 || before->size > walk->checkpoint.size)
        return sw__fail(err, SW_EINVAL,
                        "a checkpoint of %lld entries is not continued by one of %lld",
                        (long long)before->size, (long long)walk->checkpoint.size);
    walk->old = before->size;
    if (sw__tree_wish_consistency(&walk->wish, 0, before->size, walk->checkpoint.size) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

int sw__prove_consistency(sw__store *store, sw__hasher *hasher, sw__arena *arena, sw_str old,
                          sw_str checkpoint, sw_audit_proof **row, sw_error *err)
{
    prove_walk walk;
    sw__checkpoint before;
    int rc = prove_open(&walk, hasher, arena, checkpoint, err);
    if (rc == SW_OK)
        rc = prove_want_old(&walk, old, &before, err);
    if (rc == SW_OK)
        rc = prove_read(&walk, store, err);
    if (rc == SW_OK && walk.old == walk.tree.size)
        memcpy(walk.old_root, walk.checkpoint.root, sizeof(walk.old_root));
    if (rc == SW_OK && memcmp(walk.old_root, before.root, sizeof(before.root)) != 0)
        rc = sw__fail(err, SW_EAUDIT, "the log is not the one that the older checkpoint is of");
    *row = sw__arena_alloc(arena, sizeof(**row));
    if (rc == SW_OK && !*row)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = prove_write(&walk, 0, before.size, (sw_str){NULL, 0}, checkpoint, *row, err);
    sw__tree_wish_free(&walk.wish);
    return rc;
}

int sw__prove_growth(sw__store *store, sw__hasher *hasher, sw__arena *arena, int64_t old,
                     sw_str checkpoint, sw_audit_proof **row, sw_error *err)
{
    prove_walk walk;
    int rc = prove_open(&walk, hasher, arena, checkpoint, err);
    if (rc == SW_OK && sw__tree_wish_consistency(&walk.wish, 0, old, walk.checkpoint.size) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = prove_read(&walk, store, err);
    *row = sw__arena_alloc(arena, sizeof(**row));
    if (rc == SW_OK && !*row)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK)
        rc = prove_write(&walk, 0, old, (sw_str){NULL, 0}, checkpoint, *row, err);
    sw__tree_wish_free(&walk.wish);
    return rc;
}
