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

int sw__trust_open(const sw__trust *trust, sw_str note, sw__checkpoint *out, const char **why)
{
    int rc = sw__checkpoint_open(note, trust->keys, trust->key_count, out, why);
    if (rc < 0 || out->size <= trust->retired[out->who.key_index])
        return rc;
    *why = "it is signed by a key that another one had replaced before";
    return SW_EINVAL;
}

/* A checkpoint that its own successor has signed, too, makes that key one of those trusted. */
static int trust_follow(sw__trust *trust, sw__hasher *hasher, sw_str note,
                        const sw__checkpoint *row, const char **why)
{
    sw_str text;
    sw__note_signed who;
    sw__note_key *next = &trust->keys[trust->key_count];
    if (!sw__note_read_key(hasher, row->successor, next, why))
        return *why ? SW_EINVAL : SW_ENOMEM;
    int rc = sw__note_open(note, next, 1, &text, &who, why);
    if (rc < 0 || !sw__str_equal(next->name, row->origin)) {
        *why = "it names a next key that has not signed it, or is of another log";
        return rc == SW_ENOMEM ? rc : SW_EINVAL;
    }
    if (row->size < trust->retired[row->who.key_index])
        trust->retired[row->who.key_index] = row->size;
    trust->retired[trust->key_count++] = INT64_MAX;
    return SW_OK;
}

/* Open what can be opened with the keys that are known so far; *opened grows. A bad successor is
 * the answer of its checkpoint. */
static int trust_round(sw__trust *trust, const sw_audit_trust *trusted, sw__hasher *hasher,
                       bool *done, size_t *opened, size_t *bad, const char **why)
{
    *bad = trusted->checkpoint_count;
    for (size_t i = 0; i < trusted->checkpoint_count; i++) {
        const char *reason = NULL;
        if (done[i])
            continue;
        int rc = sw__checkpoint_open(trusted->checkpoints[i], trust->keys, trust->key_count,
                                     &trust->rows[i], &reason);
        if (rc == SW_OK && trust->rows[i].successor.ptr)
            rc = trust_follow(trust, hasher, trusted->checkpoints[i], &trust->rows[i], &reason);
        if (rc == SW_ENOMEM)
            return rc;
        done[i] = rc == SW_OK;
        *opened += rc == SW_OK;
        if (rc < 0 && *bad == trusted->checkpoint_count) {
            *bad = i;
            *why = reason;
        }
    }
    return SW_OK;
}

/* Rounds, until no checkpoint makes another key known; then none may be signed by a key that was
 * replaced before. */
static int trust_open_all(sw__trust *trust, const sw_audit_trust *trusted, sw__hasher *hasher,
                          bool *done, size_t *bad, const char **why)
{
    size_t count = trusted->checkpoint_count;
    size_t opened = 0;
    size_t before;
    do {
        before = opened;
        if (trust_round(trust, trusted, hasher, done, &opened, bad, why) < 0)
            return SW_ENOMEM;
    } while (opened > before && opened < count);
    for (size_t i = 0; opened == count && i < count; i++) {
        if (sw__trust_open(trust, trusted->checkpoints[i], &trust->rows[i], why) == SW_OK)
            continue;
        *bad = i;
        return SW_EINVAL;
    }
    return opened == count ? SW_OK : SW_EINVAL;
}

int sw__trust_load(sw__trust *trust, const sw_audit_trust *trusted, sw__hasher *hasher,
                   sw__arena *arena, sw__doubt *doubt, sw_error *err)
{
    size_t bad = 0;
    const char *why = NULL;
    *trust = (sw__trust){.doubt = doubt};
    if (!trusted)
        return SW_OK;
    size_t room = trusted->key_count + trusted->checkpoint_count;
    bool *done = sw__arena_array(arena, trusted->checkpoint_count, sizeof(*done));
    trust->leaves = (sw__leaves){.tree = &trust->tree, .hasher = hasher, .visit = trust_visit};
    trust->keys = sw__arena_array(arena, room, sizeof(*trust->keys));
    trust->retired = sw__arena_array(arena, room, sizeof(*trust->retired));
    trust->rows = sw__arena_array(arena, trusted->checkpoint_count, sizeof(*trust->rows));
    if (!done || !trust->keys || !trust->retired || !trust->rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = trust_load_keys(trusted, hasher, trust->keys, err);
    if (rc < 0)
        return rc;
    trust->key_count = trusted->key_count;
    for (size_t i = 0; i < trust->key_count; i++)
        trust->retired[i] = INT64_MAX;
    rc = trust_open_all(trust, trusted, hasher, done, &bad, &why);
    if (rc == SW_EINVAL)
        return sw__doubt_raise(doubt, 0, 0, "checkpoint %zu of %zu cannot be trusted: %s", bad + 1,
                               trusted->checkpoint_count, why);
    if (rc < 0)
        return sw__fail(err, rc, NULL);
    trust->count = trusted->checkpoint_count;
    if (trust->count > 1)
        qsort(trust->rows, trust->count, sizeof(*trust->rows), trust_by_size);
    return SW_OK;
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
