/* Signed notes as C2SP signed-note defines them: lines of text, an empty line, and one line for
 * each signature.
 *
 *     — NAME BASE64(key id || signature)
 *
 * A verifier key ("vkey") is written NAME+ID+BASE64(type || public key), the secret one
 * PRIVATE+KEY+NAME+ID+BASE64(type || seed), where ID is the beginning of SHA-256(NAME || 0x0A ||
 * type || public key) in hex. Type 1 is Ed25519, the only one there is so far.
 *
 * Not here: what a note says (checkpoint.h), and where keys are kept (signer.h). */
#ifndef SW_AUDIT_NOTE_H
#define SW_AUDIT_NOTE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/ed25519.h"
#include "base/hash.h"
#include "stepwell/error.h"

#define SW__NOTE_ED25519 1
#define SW__NOTE_NAME_MAX 255 /* bytes of the name of a key */
#define SW__NOTE_ID_SIZE 4
#define SW__NOTE_MAX 65536 /* bytes of a note */
#define SW__NOTE_SIGNATURES_MAX 100

typedef struct sw__note_key {
    sw_str name; /* points into the text that was read */
    uint8_t type;
    uint8_t id[SW__NOTE_ID_SIZE];
    uint8_t public_key[SW__ED25519_KEY_SIZE];
} sw__note_key;

typedef struct sw__note_signer {
    sw__note_key key;
    uint8_t secret[SW__ED25519_KEY_SIZE];
} sw__note_signer;

/* Whether a key may have this name: visible ASCII without "+". */
bool sw__note_name_fits(sw_str name);
/* The signer of a secret; name is borrowed. 0 or SW_ENOMEM. */
int sw__note_signer_make(sw__hasher *hasher, sw_str name, const uint8_t secret[32],
                         sw__note_signer *out);
/* Appends, without an end of line. */
void sw__note_put_signer(sw__buf *buf, const sw__note_signer *signer);
void sw__note_put_key(sw__buf *buf, const sw__note_key *key);
/* Read a whole text. false: it is no key, *why is a static phrase. NULL: out of memory. */
bool sw__note_read_signer(sw__hasher *hasher, sw_str text, sw__note_signer *out, const char **why);
bool sw__note_read_key(sw__hasher *hasher, sw_str text, sw__note_key *out, const char **why);

/* Put the signature of a text, which ends with an end of line, behind it. 0 or SW_ENOMEM. */
int sw__note_sign(sw__buf *note, const sw__note_signer *signer);
/* The signed text of a note, and the first of the keys that has signed it. Signatures by other
 * keys are passed over; a bad one by one of the keys makes the whole note bad.
 * SW_EINVAL: it is no note, or not signed by one of the keys (*why is a static phrase);
 * SW_ENOMEM. */
int sw__note_open(sw_str note, const sw__note_key *keys, size_t key_count, sw_str *text,
                  size_t *key_index, const char **why);

/* What a note says, whoever signed it. false: it is no note. */
bool sw__note_text(sw_str note, sw_str *text);

/* The next line of *rest without its end, which every line must have. false: there is none. */
bool sw__note_line(sw_str *rest, sw_str *line);

#endif
