/* Proofs about the audit log that stand alone: who has a proof, a verifier key and any verifier of
 * this format needs neither the database nor this library.
 *
 * A proof of inclusion is a C2SP tlog-proof: the bytes of one entry, where it stands, hashes, and
 * the checkpoint that it leads to. A proof of consistency has the form of a C2SP tlog-witness
 * request: the size of an old checkpoint, hashes, and the new checkpoint.
 * docs/reference/audit-format.md has the bytes, docs/examples/audit two other verifiers.
 *
 * A proof shows that an entry is in the log and unchanged. That there are no others about the same
 * step is shown by the whole log only (sw_audit_verify_signed).
 */
#ifndef STEPWELL_PROOF_H
#define STEPWELL_PROOF_H

#include "checkpoint.h"

/* A proof as text. The entry is that of a proof of inclusion, entry_no 0 for a proof of
 * consistency. */
typedef struct sw_audit_proof {
    sw_audit_entry entry;
    sw_str text;
} sw_audit_proof;

/* What a proof that holds has shown: that entry is in the log of origin as it was when it had
 * entry_count entries; or, when old_count is not 0, that the first old_count of these entries are
 * those of the older checkpoint. */
typedef struct sw_audit_shown {
    sw_str origin;
    int64_t entry_count;
    int64_t old_count;
    sw_audit_entry entry;
} sw_audit_shown;

SW_BEGIN_DECLS

/* Prove that entries are in the tree of a checkpoint; its signatures are not looked at, its root
 * is. Reads the log up to there once, for any number of entries.
 *
 * owns:    all inputs are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk; reads the log up to the checkpoint.
 * errors:  SW_EINVAL (no checkpoint; or err->row: the checkpoint does not cover this entry),
 *          SW_ELIMIT, SW_EAUDIT (the log is not the one of the checkpoint), SW_EBUSY, SW_EIO,
 *          SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_prove(sw_engine *engine, sw_str checkpoint, const int64_t *entry_nos,
                          size_t count, sw_result **out, sw_error *err);

/* Prove that the tree of a checkpoint continues that of an older one.
 *
 * owns:    all inputs are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk; reads the log up to the newer checkpoint.
 * errors:  SW_EINVAL (no checkpoint, or old is empty or the newer one), SW_EAUDIT (the log is not
 *          the one of the checkpoints), SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_prove_consistency(sw_engine *engine, sw_str old, sw_str checkpoint,
                                      sw_result **out, sw_error *err);

/* Check a proof of either kind. Its checkpoint must be signed by one of the keys of trust; the
 * older checkpoint of a proof of consistency is looked for in trust->checkpoints, and must be
 * signed, too.
 *
 * owns:    trust, its strings and proof are borrowed until return; *out is the caller's
 *          (sw_result_free). Set trust->size first.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EAUDIT (it proves nothing; the message says why), SW_EINVAL (a key cannot be read),
 *          SW_ENOMEM.
 */
SW_API int sw_audit_check(const sw_audit_trust *trust, sw_str proof, sw_result **out,
                          sw_error *err);

/* Rows of a result of sw_audit_prove or sw_audit_prove_consistency, and of sw_audit_check.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_audit_proof *sw_audit_proofs(const sw_result *result, size_t *count);
SW_API const sw_audit_shown *sw_audit_shown_rows(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
