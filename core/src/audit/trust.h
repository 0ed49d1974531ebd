/* Checkpoints that somebody kept, against the log that is there now. */
#ifndef SW_AUDIT_TRUST_H
#define SW_AUDIT_TRUST_H

#include "audit/checkpoint.h"
#include "audit/doubt.h"
#include "audit/leaves.h"
#include "audit/relay.h"
#include "base/arena.h"
#include "stepwell/checkpoint.h"

typedef struct sw__trust {
    sw__note_key *keys; /* those given, and their successors */
    int64_t *retired;   /* by key: the entries that it signs at most, INT64_MAX for all */
    size_t key_count;
    sw__checkpoint *rows; /* by size; NULL when nothing is trusted */
    size_t count;
    size_t next;    /* the first one that has not been compared */
    int64_t proved; /* entries that the newest equal one covers */
    int64_t anchored;    /* entries that the newest anchor among them covers */
    int64_t anchored_us; /* the newest time of one */
    size_t anchor_count; /* of those that were equal */
    sw__tree tree;
    sw__leaves leaves;
    sw__doubt *doubt;
} sw__trust;

/* Whether what a caller gives can be read at all: its size, and 1 to SW__BATCH_MAX keys and at most
 * as many checkpoints. SW_EINVAL. */
int sw__trust_given(const sw_audit_trust *trusted, sw_error *err);
/* Read keys and checkpoints into the arena; trusted may be NULL. A checkpoint that is not to be
 * trusted raises a doubt. errors: SW_EINVAL (a key, err->row), SW_EAUDIT, SW_ENOMEM. */
int sw__trust_load(sw__trust *trust, const sw_audit_trust *trusted, sw__hasher *hasher,
                   sw__arena *arena, sw__doubt *doubt, sw_error *err);
/* Open a checkpoint, which no key has signed that was replaced before. *why is a static phrase.
 * errors: SW_EINVAL, SW_ENOMEM. */
int sw__trust_open(const sw__trust *trust, sw_str note, sw__checkpoint *out, const char **why);
/* The next segment, whose hash has been checked; hashed is what was made of it before, or NULL.
 * errors: SW_EAUDIT (a doubt is raised), SW_ENOMEM. */
int sw__trust_segment(sw__trust *trust, const sw__segment *segment, const sw__hashed *hashed,
                      sw_error *err);
/* Whether there is a checkpoint of a tree of this size that has not been compared, and the tree
 * itself; the same. */
bool sw__trust_wants(const sw__trust *trust, int64_t size);
int sw__trust_tree(sw__trust *trust, const sw__tree *tree, sw_error *err);
/* All entries have come by; the same. */
int sw__trust_end(sw__trust *trust, sw_error *err);

#endif
