/* Who signs checkpoints: a secret key in a file, and beside it, in FILE.state, what was signed
 * last. The file may hold a verifier key instead; then the application signs.
 *
 * The state lies outside of the database, so that somebody who can only write the database cannot
 * make the signer forget: it signs only trees that continue the one it signed last. It keeps the
 * tree itself (one hash per bit of its size) and the number and hash of the log's segment where it
 * ended, so that signing costs as much as the entries that are new. It is on disk before a
 * signature leaves. Without its state a signer signs nothing.
 *
 *     stepwell signer state 1
 *     retired                  only when another key has taken over
 *     segment NUMBER HASH      hex
 *     node HASH                for each bit of the size that is set, the lowest first
 *     (empty line)
 *     the checkpoint           absent in the state of a new key
 */
#ifndef SW_AUDIT_SIGNER_H
#define SW_AUDIT_SIGNER_H

#include "audit/checkpoint.h"
#include "audit/tree.h"
#include "store/store.h"

/* An application that has the secret: signs a message, and answers 0 or an sw_code. */
typedef struct sw__signer_call {
    int (*sign)(void *context, sw_str message, uint8_t signature[64]);
    void *context;
} sw__signer_call;

typedef struct sw__signer {
    const sw_env *env;
    sw__hasher *hasher;
    sw__buf key_text; /* the note_signer's name points into it */
    sw__buf state_path;
    sw__note_signer signer;
    bool has_secret;
    sw__signer_call call;
    bool is_retired;
    int fd; /* of the key file, locked; -1 when closed */
    sw__tree tree;
    int64_t segment_no;       /* where the tree ends, 0 for an empty tree */
    uint8_t segment_hash[32];
    sw__buf note; /* the newest checkpoint, empty when there is none */
} sw__signer;

/* Make a key: path gets the secret, path.state the state of an empty tree, both readable by their
 * owner only. Neither file may be there. key gets the text of the verifier key.
 * errors: SW_EINVAL (name), SW_ECONFLICT (a file is there), SW_EACCESS, SW_EIO, SW_EFULL,
 *         SW_ENOMEM. */
int sw__signer_create(const sw_env *env, sw__hasher *hasher, sw_str name, const char *path,
                      sw__buf *key, sw_error *err);

/* The same for a key whose secret the application has; verifier is the text of the verifier key. */
int sw__signer_enrol(const sw_env *env, sw__hasher *hasher, sw_str verifier, const char *path,
                     sw_error *err);

/* Open and lock. close in any case. call is looked at when the file holds no secret; its functions
 * are called without a lock of an engine.
 * errors: SW_ENOTFOUND, SW_EACCESS (others may read the key, too), SW_EBUSY (another process
 *         signs), SW_EINVAL (not a key, or no secret and no application), SW_ECONFLICT (it was
 *         replaced), SW_ECORRUPT (the state), SW_EIO, SW_ENOMEM. */
int sw__signer_open(sw__signer *signer, const sw_env *env, sw__hasher *hasher, const char *path,
                    sw__signer_call call, sw_error *err);
void sw__signer_close(sw__signer *signer);

/* Take in the entries that are new, inside a read transaction.
 * errors: SW_EAUDIT (the log does not continue what was signed), those of the store. */
int sw__signer_follow(sw__signer *signer, sw__store *store, sw_error *err);
/* Sign the tree and save the state; signer->note is the checkpoint. A tree that was signed is not
 * signed again. errors: SW_EIO, SW_EFULL, SW_EACCESS, SW_ENOMEM. */
int sw__signer_sign(sw__signer *signer, sw_error *err);
/* Sign another text, which is no checkpoint, and put the signature behind it; the state stays as it
 * is. errors: SW_EINVAL, SW_ENOMEM, what an application answers. */
int sw__signer_note(const sw__signer *signer, sw__buf *text, sw_error *err);
/* Hand a log over: both sign a checkpoint that names the next key, which has the same name and has
 * signed nothing; it goes on from there, and the old one signs nothing any more. next->note is the
 * checkpoint. errors: SW_ECONFLICT, those of sign. */
int sw__signer_rotate(sw__signer *signer, sw__signer *next, sw_error *err);

#endif
