/* Checkpoints as C2SP tlog-checkpoint defines them: a note that says how large the tree is and what
 * its root is.
 *
 *     ORIGIN       which log
 *     SIZE         decimal
 *     BASE64(root)
 *
 *     successor VKEY   only where the key of the log changes: the next one
 *
 * The name of the key that signs is the origin. Other lines that follow the third are signed but
 * mean nothing here; none of them is empty. Witnesses may sign it too. A successor has the same
 * name and signs this checkpoint as well; the key that was followed signs nothing longer. */
#ifndef SW_AUDIT_CHECKPOINT_H
#define SW_AUDIT_CHECKPOINT_H

#include "audit/note.h"

typedef struct sw__checkpoint {
    sw_str origin; /* points into the note */
    int64_t size;
    uint8_t root[32];
    sw_str successor; /* the next verifier key, absent in all others */
    sw__note_signed who; /* of the keys given */
    int64_t anchored_us; /* 0, or when somebody outside got it; filled by trust.h */
} sw__checkpoint;

/* Append the text that is signed; no successor when it is absent. */
void sw__checkpoint_put(sw__buf *text, sw_str origin, int64_t size, const uint8_t root[32],
                        sw_str successor);
/* Append a signed checkpoint; its origin is the signer's name. 0 or SW_ENOMEM. */
int sw__checkpoint_sign(sw__buf *note, const sw__note_signer *signer, int64_t size,
                        const uint8_t root[32]);
/* Read and check one. SW_EINVAL: *why is a static phrase; SW_ENOMEM. */
int sw__checkpoint_open(sw_str note, const sw__note_key *keys, size_t key_count,
                        sw__checkpoint *out, const char **why);

/* Read one without looking at its signatures; who means nothing. false: it is none. */
bool sw__checkpoint_peek(sw_str note, sw__checkpoint *out);

#endif
