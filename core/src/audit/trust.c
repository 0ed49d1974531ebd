/* Holding checkpoints against the tree that grows while the log is read; see trust.h. */
#include "audit/trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"

int sw__trust_given(const sw_audit_trust *trusted, sw_error *err)
{
    if (!trusted || trusted->size < sizeof(*trusted))
        return sw__fail(err, SW_EINVAL, "trust must start with SW_AUDIT_TRUST_INIT");
    if (trusted->key_count == 0 || trusted->key_count > SW__BATCH_MAX)
        return sw__fail(err, SW_EINVAL, "1 to %d verifier keys are needed", SW__BATCH_MAX);
    if (trusted->checkpoint_count > SW__BATCH_MAX)
        return sw__fail(err, SW_EINVAL, "at most %d checkpoints can be trusted", SW__BATCH_MAX);
    return SW_OK;
}

bool sw__trust_wants(const sw__trust *trust, int64_t size)
{
    return trust->next < trust->count && trust->rows[trust->next].size == size;
}

/* All checkpoints of the tree as it is now. */
static int trust_compare(sw__trust *trust, sw_error *err)
{
    uint8_t root[32];
    for (; sw__trust_wants(trust, trust->tree.size); trust->next++) {
        const sw__checkpoint *row = &trust->rows[trust->next];
        if (sw__tree_root(&trust->tree, trust->leaves.hasher, root) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        if (memcmp(root, row->root, sizeof(root)) != 0)
            return sw__doubt_raise(trust->doubt, trust->proved < row->size ? trust->proved + 1 : 1,
                                   row->size,
                                   "the first %lld entries are not those that \"%.*s\" signed: "
                                   "they were rewritten, with every hash that follows, or the log "
                                   "was put in another one's place",
                                   (long long)row->size, SW__FMT(row->origin));
        trust->proved = row->size;
    }
    return SW_OK;
}

static int trust_visit(void *context, int64_t index, sw_str entry, sw_error *err)
{
    (void)index;
    (void)entry;
    return trust_compare(context, err);
}

static int trust_load_keys(const sw_audit_trust *trusted, sw__hasher *hasher, sw__note_key *keys,
                           sw_error *err)
{
    for (size_t i = 0; i < trusted->key_count; i++) {
        const char *why = NULL;
        if (sw__note_read_key(hasher, trusted->keys[i], &keys[i], &why))
            continue;
        return why ? sw__fail_row(err, SW_EINVAL, i, "\"%.*s\" is no verifier key: %s",
                                  SW__FMT(trusted->keys[i]), why)
                   : sw__fail(err, SW_ENOMEM, NULL);
    }
    return SW_OK;
}

static int trust_by_size(const void *a, const void *b)
{
    const sw__checkpoint *left = a;
    const sw__checkpoint *right = b;
    return (left->size > right->size) - (left->size < right->size);
}

int sw__trust_load(sw__trust *trust, const sw_audit_trust *trusted, sw__hasher *hasher,
                   sw__arena *arena, sw__doubt *doubt, sw_error *err)
{
    *trust = (sw__trust){.doubt = doubt};
    if (!trusted)
        return SW_OK;
    trust->leaves = (sw__leaves){.tree = &trust->tree, .hasher = hasher, .visit = trust_visit};
    trust->keys = sw__arena_array(arena, trusted->key_count, sizeof(*trust->keys));
    trust->rows = sw__arena_array(arena, trusted->checkpoint_count, sizeof(*trust->rows));
    if (!trust->keys || !trust->rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = trust_load_keys(trusted, hasher, trust->keys, err);
    for (size_t i = 0; rc == SW_OK && i < trusted->checkpoint_count; i++) {
        const char *why = NULL;
        rc = sw__checkpoint_open(trusted->checkpoints[i], trust->keys, trusted->key_count,
                                 &trust->rows[i], &why);
        if (rc == SW_EINVAL)
            return sw__doubt_raise(doubt, 0, 0, "checkpoint %zu of %zu cannot be trusted: %s",
                                   i + 1, trusted->checkpoint_count, why);
        if (rc < 0)
            return sw__fail(err, rc, NULL);
    }
    trust->count = trusted->checkpoint_count;
    if (rc == SW_OK && trust->count > 1)
        qsort(trust->rows, trust->count, sizeof(*trust->rows), trust_by_size);
    return rc;
}

int sw__trust_segment(sw__trust *trust, const sw__segment *segment, sw_error *err)
{
    if (!trust->rows)
        return SW_OK;
    trust->leaves.context = trust;
    int rc = sw__leaves_take(&trust->leaves, segment, err);
    if (rc == SW_EAUDIT && !trust->doubt->raised)
        rc = sw__doubt_raise(trust->doubt, segment->entry_first, segment->entry_first,
                             "segment %lld cannot be read", (long long)segment->segment_no);
    return rc;
}

int sw__trust_tree(sw__trust *trust, const sw__tree *tree, sw_error *err)
{
    trust->tree = *tree;
    return trust_compare(trust, err);
}

int sw__trust_end(sw__trust *trust, sw_error *err)
{
    if (!trust->rows)
        return SW_OK;
    int rc = trust_compare(trust, err);
    if (rc < 0 || trust->next == trust->count)
        return rc;
    const sw__checkpoint *row = &trust->rows[trust->count - 1];
    return sw__doubt_raise(trust->doubt, trust->tree.size + 1, row->size,
                           "the log holds %lld entries, and \"%.*s\" has signed %lld: its end was "
                           "cut off, or an older copy of the database put back",
                           (long long)trust->tree.size, SW__FMT(row->origin), (long long)row->size);
}
