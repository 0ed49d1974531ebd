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
    if (trusted->checkpoint_count > SW__BATCH_MAX || trusted->anchor_count > SW__BATCH_MAX)
        return sw__fail(err, SW_EINVAL, "at most %d checkpoints and anchors can be trusted",
                        SW__BATCH_MAX);
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
        if (row->anchored_us == 0)
            continue;
        trust->anchored = row->size;
        trust->anchor_count++;
        if (row->anchored_us > trust->anchored_us)
            trust->anchored_us = row->anchored_us;
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

/* The checkpoints of a load, those of anchors behind the others. */
typedef struct trust_notes {
    const sw_audit_trust *given;
    sw_str *texts;
    bool *done;
    size_t count;
    size_t opened;
    size_t bad; /* the first one that could not be opened, and why */
    const char *why;
} trust_notes;

/* Open what can be opened with the keys that are known so far. A bad successor is the answer of its
 * checkpoint. */
static int trust_round(sw__trust *trust, trust_notes *notes, sw__hasher *hasher)
{
    notes->bad = notes->count;
    for (size_t i = 0; i < notes->count; i++) {
        const char *reason = NULL;
        if (notes->done[i])
            continue;
        int rc = sw__checkpoint_open(notes->texts[i], trust->keys, trust->key_count,
                                     &trust->rows[i], &reason);
        if (rc == SW_OK && trust->rows[i].successor.ptr)
            rc = trust_follow(trust, hasher, notes->texts[i], &trust->rows[i], &reason);
        if (rc == SW_ENOMEM)
            return rc;
        notes->done[i] = rc == SW_OK;
        notes->opened += rc == SW_OK;
        if (rc < 0 && notes->bad == notes->count) {
            notes->bad = i;
            notes->why = reason;
        }
    }
    return SW_OK;
}

/* A time that is not known is the beginning of time: an anchor all the same. */
static void trust_anchor(sw__checkpoint *row, const trust_notes *notes, size_t at)
{
    size_t before = notes->given->checkpoint_count;
    row->anchored_us = row->who.witness_count > 0 ? row->who.witnessed_us : 0;
    if (at >= before && notes->given->anchors[at - before].time_us > row->anchored_us)
        row->anchored_us = notes->given->anchors[at - before].time_us;
    if (row->anchored_us <= 0 && (at >= before || row->who.witness_count > 0))
        row->anchored_us = 1;
}

/* Rounds, until no checkpoint makes another key known; then none may be signed by a key that was
 * replaced before. */
static int trust_open_all(sw__trust *trust, trust_notes *notes, sw__hasher *hasher)
{
    size_t before;
    do {
        before = notes->opened;
        if (trust_round(trust, notes, hasher) < 0)
            return SW_ENOMEM;
    } while (notes->opened > before && notes->opened < notes->count);
    for (size_t i = 0; notes->opened == notes->count && i < notes->count; i++) {
        int rc = sw__trust_open(trust, notes->texts[i], &trust->rows[i], &notes->why);
        trust_anchor(&trust->rows[i], notes, i);
        notes->bad = i;
        if (rc < 0)
            return rc;
    }
    return notes->opened == notes->count ? SW_OK : SW_EINVAL;
}

static int trust_doubt(const sw__trust *trust, const trust_notes *notes)
{
    size_t before = notes->given->checkpoint_count;
    if (notes->bad < before)
        return sw__doubt_raise(trust->doubt, 0, 0, "checkpoint %zu of %zu cannot be trusted: %s",
                               notes->bad + 1, before, notes->why);
    return sw__doubt_raise(trust->doubt, 0, 0, "the anchor \"%.*s\" cannot be trusted: %s",
                           SW__FMT(notes->given->anchors[notes->bad - before].place), notes->why);
}

static int trust_alloc(sw__trust *trust, trust_notes *notes, sw__arena *arena, sw_error *err)
{
    const sw_audit_trust *given = notes->given;
    size_t room = given->key_count + notes->count;
    notes->done = sw__arena_array(arena, notes->count, sizeof(*notes->done));
    notes->texts = sw__arena_array(arena, notes->count, sizeof(*notes->texts));
    trust->keys = sw__arena_array(arena, room, sizeof(*trust->keys));
    trust->retired = sw__arena_array(arena, room, sizeof(*trust->retired));
    trust->rows = sw__arena_array(arena, notes->count, sizeof(*trust->rows));
    if (!notes->done || !notes->texts || !trust->keys || !trust->retired || !trust->rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < given->checkpoint_count; i++)
        notes->texts[i] = given->checkpoints[i];
    for (size_t i = 0; i < given->anchor_count; i++)
        notes->texts[given->checkpoint_count + i] = given->anchors[i].note;
    for (size_t i = 0; i < room; i++)
        trust->retired[i] = INT64_MAX;
    return SW_OK;
}

int sw__trust_load(sw__trust *trust, const sw_audit_trust *trusted, sw__hasher *hasher,
                   sw__arena *arena, sw__doubt *doubt, sw_error *err)
{
    *trust = (sw__trust){.doubt = doubt};
    if (!trusted)
        return SW_OK;
    trust_notes notes = {.given = trusted,
                         .count = trusted->checkpoint_count + trusted->anchor_count};
    trust->leaves = (sw__leaves){.tree = &trust->tree, .hasher = hasher, .visit = trust_visit};
    int rc = trust_alloc(trust, &notes, arena, err);
    if (rc == SW_OK)
        rc = trust_load_keys(trusted, hasher, trust->keys, err);
    if (rc < 0)
        return rc;
    trust->key_count = trusted->key_count;
    rc = trust_open_all(trust, &notes, hasher);
    if (rc == SW_EINVAL)
        return trust_doubt(trust, &notes);
    if (rc < 0)
        return sw__fail(err, rc, NULL);
    trust->count = notes.count;
    if (trust->count > 1)
        qsort(trust->rows, trust->count, sizeof(*trust->rows), trust_by_size);
    return SW_OK;
}

/* Whether the tree is compared with no checkpoint between the entries of a segment, so that it may
 * grow by more than one of them at a time. */
static bool trust_skips(const sw__trust *trust, const sw__segment *segment)
{
    return trust->next == trust->count ||
           trust->rows[trust->next].size >= trust->tree.size + segment->entry_count;
}

static int trust_graft(sw__trust *trust, const sw__hashed *hashed, sw_error *err)
{
    for (int32_t i = 0; i < hashed->node_count; i++) {
        const sw__hashed_node *node = &hashed->nodes[i];
        if (sw__tree_graft(&trust->tree, trust->leaves.hasher, node->level, node->hash) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    return SW_OK;
}

int sw__trust_segment(sw__trust *trust, const sw__segment *segment, const sw__hashed *hashed,
                      sw_error *err)
{
    if (!trust->rows)
        return SW_OK;
    if (hashed && hashed->whole) {
        int compared = trust_compare(trust, err);
        if (compared < 0 || trust_skips(trust, segment))
            return compared < 0 ? compared : trust_graft(trust, hashed, err);
    }
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
