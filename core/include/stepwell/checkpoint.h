/* Signed checkpoints of the audit log: a key outside of the database says how long the log is and
 * what its entries are, and later nobody can change, remove or put in front without being found.
 *
 *     sw_audit_keygen("example.com/orders", "orders.key", &result, &error);    once
 *     sw_audit_seal(engine, "orders.key", &result, &error);                    now and then
 *     sw_audit_verify_signed(engine, &trust, &report, &error);                 whoever doubts
 *
 * A checkpoint is a C2SP tlog-checkpoint, a few lines of text that are kept where the writers of
 * the database cannot reach them; docs/reference/audit-format.md has the bytes. Level proved: L2,
 * up to the newest checkpoint given; the entries behind it, the unsealed tail, have level L1.
 */
#ifndef STEPWELL_CHECKPOINT_H
#define STEPWELL_CHECKPOINT_H

#include "audit.h"

/* A pair of keys. The verifier key is public text that names log and key:
 * "example.com/orders+0d5cfb1c+Aa...". */
typedef struct sw_audit_key {
    sw_str name;
    sw_str verifier;
} sw_audit_key;

/* A signed checkpoint. */
typedef struct sw_audit_checkpoint {
    sw_str origin;       /* the name of the key that signed it */
    int64_t entry_count; /* it covers entries 1 to entry_count */
    int64_t entries_new; /* of them, those that no checkpoint of this key covered before */
    uint8_t root[32];    /* of the tree of all these entries */
    sw_str note;         /* the signed text */
} sw_audit_checkpoint;

/* Who signs: a key file, and for one without a secret (sw_audit_enrol) the application that has it.
 * sign gets a message and writes its Ed25519 signature (RFC 8032), 64 bytes; it answers 0 or a
 * negative sw_code. What it writes is checked. It is called on the calling thread, without a lock
 * of the engine, once for each checkpoint. */
typedef struct sw_audit_signing {
    uint32_t size;
    uint32_t reserved;
    sw_str path; /* of the key file; "path.state" lies beside it */
    int (*sign)(void *context, sw_str message, uint8_t signature[64]); /* or NULL */
    void *context;
} sw_audit_signing;

#define SW_AUDIT_SIGNING_INIT {.size = sizeof(sw_audit_signing)}

/* A checkpoint that lies outside, where neither the writers of the database nor the holder of the
 * key can change it (anchor.h). */
typedef struct sw_audit_anchor {
    sw_str place; /* "file:/mnt/far/anchors", "git:/srv/anchors", "https://witness.example/w1" */
    sw_str note;  /* the checkpoint, with what witnesses signed */
    int64_t entry_count;
    int64_t time_us; /* when it was set, as the place says */
} sw_audit_anchor;

/* What is trusted: checkpoints that were kept, and verifier keys that they must be signed by. A
 * checkpoint that a witness has cosigned whose key is among them is an anchor as well. */
typedef struct sw_audit_trust {
    uint32_t size;
    uint32_t reserved;
    const sw_str *checkpoints; /* the signed texts, in any order */
    size_t checkpoint_count;
    const sw_str *keys; /* verifier keys, of logs and of witnesses */
    size_t key_count;
    const sw_audit_anchor *anchors;
    size_t anchor_count;
} sw_audit_trust;

#define SW_AUDIT_TRUST_INIT {.size = sizeof(sw_audit_trust)}

SW_BEGIN_DECLS

/* Make a key to sign checkpoints with. path gets the secret and "path.state" what was signed last,
 * which is nothing; only their owner may read either. A file that is there stays as it is. The name
 * names the log too, and is best an address without scheme: "example.com/orders".
 *
 * owns:    name and path are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL (name), SW_ECONFLICT (a file is there), SW_ENOTFOUND (no such directory),
 *          SW_EACCESS, SW_EFULL, SW_EIO, SW_ENOMEM.
 */
SW_API int sw_audit_keygen(sw_str name, sw_str path, sw_result **out, sw_error *err);

/* Sign all entries of the log. Only entries that are new to the key are read. The signature leaves
 * when "path.state" is on disk, and a log that does not continue the one that was signed last is
 * refused: cut off, rewritten, rolled back, or of another database.
 *
 * owns:    path is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently; one process at a time signs with a key.
 * blocks:  disk; reads the entries that are new.
 * errors:  SW_EAUDIT (refused), SW_ENOTFOUND (no key, or no state), SW_EACCESS (others may read the
 *          key, too), SW_EINVAL (not a key), SW_ECONFLICT (another key has replaced it),
 *          SW_ECORRUPT (the state was changed), SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_seal(sw_engine *engine, sw_str path, sw_result **out, sw_error *err);

/* Let a key sign whose secret only the application has: path gets the verifier key and "path.state"
 * what was signed last, which is nothing. A file that is there stays as it is.
 *
 * owns:    verifier and path are borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL (no verifier key of type 1), and those of sw_audit_keygen.
 */
SW_API int sw_audit_enrol(sw_str verifier, sw_str path, sw_error *err);

/* sw_audit_seal by whoever is named.
 *
 * owns:    signing is borrowed until return; set signing->size first. *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently; one process at a time signs with a key.
 * blocks:  disk, and as long as sign does; reads the entries that are new.
 * errors:  those of sw_audit_seal, SW_ECONFLICT (another key has replaced it), SW_EINVAL (the file
 *          holds no secret and sign is NULL, or what sign wrote is not good), what sign answers.
 */
SW_API int sw_audit_seal_with(sw_engine *engine, const sw_audit_signing *signing, sw_result **out,
                              sw_error *err);

/* Hand the log over to another key of the same name, which is made when next->path is not there and
 * next->sign is NULL. Both sign one checkpoint of all entries that names the next key: whoever
 * trusts the old one and is given it trusts the new one from there on, and the old one no longer.
 * The old key signs nothing any more. The result has the next key and the checkpoint.
 *
 * owns:    signing and next are borrowed until return; set their size first. *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently; one process at a time signs with a key.
 * blocks:  disk, and as long as sign does; reads the entries that are new.
 * errors:  those of sw_audit_seal_with; SW_ECONFLICT (the next key has another name or has signed
 *          something, or the log is empty).
 */
SW_API int sw_audit_rotate(sw_engine *engine, const sw_audit_signing *signing,
                           const sw_audit_signing *next, sw_result **out, sw_error *err);

/* sw_audit_verify, and the log is the one that the checkpoints are of: each is signed by one of the
 * keys, and the tree of as many entries as it covers has its root.
 *
 * owns:    trust and its strings are borrowed until return; set trust->size and report->size first.
 * threads: any thread, concurrently.
 * blocks:  disk; reads the whole log.
 * errors:  SW_EAUDIT (report says where and what), SW_EINVAL (a key cannot be read; err->row says
 *          which), SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_verify_signed(sw_engine *engine, const sw_audit_trust *trust,
                                  sw_audit_report *report, sw_error *err);

/* Threads that verify one log. */
#define SW_AUDIT_JOBS_DEFAULT 8 /* at most, where none are asked for */
#define SW_AUDIT_JOBS_MAX 64

/* sw_audit_verify_signed, or sw_audit_verify where trust is NULL, by several threads: one reads and
 * replays, the others hash what it will come to next; where trust is NULL there is too little to
 * hash, so that one does it all. jobs is 1 to SW_AUDIT_JOBS_MAX, the caller's among them; 0 means as
 * many as there are processors, at most SW_AUDIT_JOBS_DEFAULT. For each, two batches of the log are
 * in memory, of 64 KB or of one segment. The answer is the same for any number of them. Those that
 * the machine does not give are done without.
 *
 * owns:    trust and its strings are borrowed until return; set trust->size and report->size first.
 * threads: any thread, concurrently. Its own have ended when it returns.
 * blocks:  disk; reads the whole log.
 * errors:  those of sw_audit_verify_signed; SW_EINVAL (jobs).
 */
SW_API int sw_audit_verify_by(sw_engine *engine, const sw_audit_trust *trust, int32_t jobs,
                              sw_audit_report *report, sw_error *err);

/* Rows of a result of sw_audit_keygen, sw_audit_seal and sw_audit_rotate; one each.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_audit_key *sw_audit_keys(const sw_result *result, size_t *count);
SW_API const sw_audit_checkpoint *sw_audit_checkpoints(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
