/* The audit log as a folder of files, in the layout of C2SP tlog-tiles: whoever has it can verify
 * the log offline, and any host of static files can serve it as a transparency log.
 *
 *     checkpoint                the newest one that was exported
 *     tile/0/000, tile/1/...    256 hashes of the tree each, by level
 *     tile/entries/000          256 entries each, every one behind its length as two bytes
 *
 * Where there are fewer than 256, ".p/NUMBER" is appended to the name.
 */
#ifndef STEPWELL_EXPORT_H
#define STEPWELL_EXPORT_H

#include "checkpoint.h"

SW_BEGIN_DECLS

/* Write all entries that a checkpoint covers into folder, which is made when it is not there. Full
 * tiles that are there are taken to be right; the checkpoint is written last, so that a reader of
 * the folder never misses a tile.
 *
 * owns:    folder and checkpoint are borrowed until return.
 * threads: any thread, concurrently; one at a time into one folder.
 * blocks:  disk; reads the log up to the checkpoint.
 * errors:  SW_EINVAL (no checkpoint), SW_EAUDIT (the log is not the one of the checkpoint),
 *          SW_ENOTFOUND, SW_EACCESS, SW_EFULL, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_export(sw_engine *engine, sw_str folder, sw_str checkpoint, sw_error *err);

/* Verify a folder that sw_audit_export wrote: its checkpoint is signed by one of the keys, its
 * entries give its root and those of all checkpoints of trust, and its tiles are the tiles of these
 * entries. States are not replayed, because a folder has none: entry_count, signed_count, level,
 * root, message and the bad entries of the report are filled.
 *
 * jobs threads read and hash bundles of entries ahead, 1 to SW_AUDIT_JOBS_MAX, the caller's among
 * them; 0 means as many as there are processors, at most SW_AUDIT_JOBS_DEFAULT. Each holds two
 * bundles in memory, of 256 entries. The answer is the same for any number of them: what is found
 * first is what comes first in the log. Those that the machine does not give are done without.
 *
 * owns:    folder, trust and its strings are borrowed until return; set trust->size and
 *          report->size first.
 * threads: any thread, concurrently. Its own have ended when it returns.
 * blocks:  disk; reads the whole folder.
 * errors:  SW_EAUDIT (report says where and what), SW_ENOTFOUND (no checkpoint there), SW_EINVAL (a
 *          key cannot be read, err->row says which; or jobs), SW_EACCESS, SW_EIO, SW_ENOMEM.
 */
SW_API int sw_audit_verify_export(sw_str folder, const sw_audit_trust *trust, int32_t jobs,
                                  sw_audit_report *report, sw_error *err);

/* Prove from a folder that entries are in the tree of a checkpoint, or of the folder's own when
 * checkpoint is absent: the proofs of sw_audit_prove, without a database and without reading the
 * log. sw_audit_proofs reads them (proof.h).
 *
 * owns:    all inputs are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk; reads about one file for each eight levels of the tree and one of entries, for
 *          each proof.
 * errors:  SW_EINVAL (no checkpoint, or a newer one than the folder's; or err->row: the checkpoint
 *          does not cover this entry), SW_ELIMIT, SW_EAUDIT (the folder is not the one of the
 *          checkpoint), SW_ENOTFOUND, SW_EACCESS, SW_EIO, SW_ENOMEM.
 */
SW_API int sw_audit_prove_export(sw_str folder, sw_str checkpoint, const int64_t *entry_nos,
                                 size_t count, sw_result **out, sw_error *err);

/* Prove from a folder that the tree of a checkpoint, or of the folder's own when it is absent,
 * continues that of an older one.
 *
 * owns:    all inputs are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk; reads about two files for each eight levels of the tree.
 * errors:  SW_EINVAL (no checkpoint, or in a wrong order), SW_EAUDIT (the folder is not the one of
 *          the checkpoints), SW_ENOTFOUND, SW_EACCESS, SW_EIO, SW_ENOMEM.
 */
SW_API int sw_audit_prove_export_consistency(sw_str folder, sw_str old, sw_str checkpoint,
                                             sw_result **out, sw_error *err);

SW_END_DECLS

#endif
