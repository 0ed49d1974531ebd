/* Proofs as text: what they look like, how they are made from a log, and how they are checked.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra BASE64(entry bytes)
 *     index NUMBER                 of the leaf, from 0
 *     BASE64(hash)                 for each hash
 *     (empty line)
 *     the checkpoint
 *
 * or, that a tree continues an older one,
 *
 *     old NUMBER                   entries of the older checkpoint
 *     BASE64(hash)                 for each hash
 *     (empty line)
 *     the checkpoint
 */
#ifndef SW_AUDIT_PROOF_H
#define SW_AUDIT_PROOF_H

#include "audit/checkpoint.h"
#include "audit/tiled.h"
#include "audit/tree.h"
#include "base/arena.h"
#include "store/store.h"
#include "stepwell/proof.h"

typedef struct sw__proof {
    bool is_consistency;
    int64_t number; /* index, or old */
    sw_str extra;   /* encoded; absent for a proof of consistency */
    sw__tree_proof hashes;
    sw_str checkpoint;
} sw__proof;

/* Append the text of a proof; entry is absent for a proof of consistency. */
void sw__proof_put(sw__buf *buf, int64_t number, sw_str entry, const sw__tree_proof *hashes,
                   sw_str checkpoint);
/* Strings point into the text. false: it is no proof. */
bool sw__proof_read(sw_str text, sw__proof *out);

/* Inside a read transaction: one row in the arena for each entry number. errors: as in
 * stepwell/proof.h. */
int sw__prove_inclusion(sw__store *store, sw__hasher *hasher, sw__arena *arena, sw_str checkpoint,
                        const int64_t *entry_nos, size_t count, sw_audit_proof **rows,
                        sw_error *err);
int sw__prove_consistency(sw__store *store, sw__hasher *hasher, sw__arena *arena, sw_str old,
                          sw_str checkpoint, sw_audit_proof **row, sw_error *err);

/* The same without the older checkpoint: what it says whoever checks the proof knows. */
int sw__prove_growth(sw__store *store, sw__hasher *hasher, sw__arena *arena, int64_t old,
                     sw_str checkpoint, sw_audit_proof **row, sw_error *err);

/* The same from an exported folder, whose own checkpoint is proved in when none is given; only the
 * files that the proofs need are read, and the proofs are checked. */
int sw__prove_tiled_inclusion(sw__tiled *tiled, sw__arena *arena, sw_str checkpoint,
                              const int64_t *entry_nos, size_t count, sw_audit_proof **rows,
                              sw_error *err);
int sw__prove_tiled_consistency(sw__tiled *tiled, sw__arena *arena, sw_str old, sw_str checkpoint,
                                sw_audit_proof **row, sw_error *err);

/* Texts of the row are copied into the arena. */
int sw__proof_check(const sw_audit_trust *trust, sw_str text, sw__hasher *hasher, sw__arena *arena,
                    sw_audit_shown *out, sw_error *err);

#endif
