/* Signed notes as C2SP signed-note defines them: lines of text, an empty line, and one line for
 * each signature.
 *
 *     — NAME BASE64(key id || signature)
 *
 * A verifier key ("vkey") is written NAME+ID+BASE64(type || public key), the secret one
 * PRIVATE+KEY+NAME+ID+BASE64(type || seed), where ID is the beginning of SHA-256(NAME || 0x0A ||
 * type || public key) in hex. Logs sign with type 1, Ed25519 over the text. Witnesses sign with
 * type 4, the Ed25519 cosignature of C2SP tlog-cosignature: over when they saw the text, and the
 * text. Type 6, the same with ML-DSA-44, is known by name only.
 *
 * Not here: what a note says (checkpoint.h), and where keys are kept (signer.h). */
#ifndef SW_AUDIT_NOTE_H
#define SW_AUDIT_NOTE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/ed25519.h"
#include "base/hash.h"
#include "stepwell/error.h"

/* XX(NAME, number, words): the types of signatures that can be checked. */
#define SW__NOTE_TYPE_MAP(XX)                                                                      \
    XX(ED25519, 1, "Ed25519")                                                                      \
    XX(COSIGNATURE, 4, "Ed25519 cosignature")

enum sw__note_type {
#define SW__NOTE_TYPE(name, number, words) SW__NOTE_##name = number,
    SW__NOTE_TYPE_MAP(SW__NOTE_TYPE)
#undef SW__NOTE_TYPE
};

#define SW__NOTE_NAME_MAX 255 /* bytes of the name of a key */
#define SW__NOTE_ID_SIZE 4
#define SW__NOTE_MAX (1024 * 1024) /* bytes of a note: room for post-quantum signatures of others */
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

/* Who of the keys given has signed a note. */
typedef struct sw__note_signed {
    size_t key_index;      /* the first key of a log that has */
    size_t witness_count;  /* keys of witnesses that have */
    int64_t witnessed_us;  /* what the newest of them says when it saw the text, 0 for none */
} sw__note_signed;

/* Whether a new key may have this name: visible ASCII without "+". Keys of others may have any
 * name in UTF-8 without "+", blanks and control characters. */
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
/* Append the line of one signature; the empty line before the first is the caller's. */
void sw__note_put_signature(sw__buf *note, const sw__note_key *key, const uint8_t signature[64]);
/* Whether bytes are a key's signature of a text: 1 or 0, or SW_ENOMEM. seen_us is when the text was
 * seen, 0 where the type does not say. */
int sw__note_check(const sw__note_key *key, sw_str text, const uint8_t *bytes, size_t size,
                   int64_t *seen_us);
/* The signed text of a note, and which of the keys have signed it. Signatures by other keys are
 * passed over; a bad one by one of the keys makes the whole note bad.
 * SW_EINVAL: it is no note, or not signed by a key of a log (*why is a static phrase);
 * SW_ENOMEM. */
int sw__note_open(sw_str note, const sw__note_key *keys, size_t key_count, sw_str *text,
                  sw__note_signed *who, const char **why);

/* What a note says, whoever signed it. false: it is no note. */
bool sw__note_text(sw_str note, sw_str *text);

/* A number without sign or leading zeros, all of digits. false: it is none, or beyond an int64. */
bool sw__note_number(sw_str digits, int64_t *number);

/* The next line of *rest without its end, which every line must have. false: there is none. */
bool sw__note_line(sw_str *rest, sw_str *line);

#endif
