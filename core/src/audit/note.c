/* Keys and signatures of notes; see note.h. */
#include "audit/note.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/str.h"
#include "base/utf8.h"

#define NOTE_SECRET "PRIVATE+KEY+"
#define NOTE_DASH "\xe2\x80\x94 "
#define NOTE_ID_DIGITS ((size_t)SW__NOTE_ID_SIZE * 2)
#define NOTE_KEY_BYTES (1 + SW__ED25519_KEY_SIZE)
#define NOTE_SIGNATURE_BYTES (SW__NOTE_ID_SIZE + SW__ED25519_SIGNATURE_SIZE)
#define NOTE_BYTES_MAX 8192 /* of a signature of any type */
#define NOTE_TIME_SIZE 8
#define NOTE_COSIGNED_MAX 8192 /* bytes of a text that witnesses sign */

/* White space of Unicode beyond ASCII, as UTF-8. */
static const char *const note_blanks[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
};

/* U+2000 to U+200A, or one of the others. */
static bool note_blank_at(sw_str name, size_t at)
{
    const char *text = name.ptr + at;
    size_t left = name.len - at;
    if (left >= 3 && memcmp(text, "\xe2\x80", 2) == 0 && (uint8_t)text[2] <= 0x8a)
        return true;
    for (size_t i = 0; i < sizeof(note_blanks) / sizeof(note_blanks[0]); i++) {
        size_t length = strlen(note_blanks[i]);
        if (left >= length && memcmp(text, note_blanks[i], length) == 0)
            return true;
    }
    return false;
}

/* Whether a name can be that of anybody's key. */
static bool note_name_reads(sw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((uint8_t)name.ptr[i] <= ' ' || name.ptr[i] == '+' || note_blank_at(name, i))
            return false;
    }
    return name.len > 0 && sw__utf8_check(name) == name.len;
}

bool sw__note_name_fits(sw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '+')
            return false;
    }
    return name.len > 0 && name.len <= SW__NOTE_NAME_MAX;
}

/* Keys. */

static int note_key_id(sw__hasher *hasher, sw__note_key *key)
{
    uint8_t digest[32];
    const sw_str parts[] = {
        key->name,
        {"\n", 1},
        {(const char *)&key->type, 1},
        {(const char *)key->public_key, sizeof(key->public_key)},
    };
    if (sw__hash(hasher, parts, 4, digest) < 0)
        return SW_ENOMEM;
    memcpy(key->id, digest, sizeof(key->id));
    return SW_OK;
}

int sw__note_signer_make(sw__hasher *hasher, sw_str name, const uint8_t secret[32],
                         sw__note_signer *out)
{
    out->key = (sw__note_key){.name = name, .type = SW__NOTE_ED25519};
    memcpy(out->secret, secret, sizeof(out->secret));
    if (sw__ed25519_public(secret, out->key.public_key) < 0)
        return SW_ENOMEM;
    return note_key_id(hasher, &out->key);
}

static void note_put(sw__buf *buf, const sw__note_key *key, const uint8_t bytes[32])
{
    uint8_t all[NOTE_KEY_BYTES] = {key->type};
    memcpy(all + 1, bytes, SW__ED25519_KEY_SIZE);
    sw__buf_put_str(buf, key->name);
    sw__buf_put_byte(buf, '+');
    for (size_t i = 0; i < sizeof(key->id); i++) {
        char digits[2];
        sw__hex_put(key->id[i], digits);
        sw__buf_put(buf, digits, sizeof(digits));
    }
    sw__buf_put_byte(buf, '+');
    sw__base64_put(buf, all, sizeof(all));
}

void sw__note_put_signer(sw__buf *buf, const sw__note_signer *signer)
{
    sw__buf_put_text(buf, NOTE_SECRET);
    note_put(buf, &signer->key, signer->secret);
}

void sw__note_put_key(sw__buf *buf, const sw__note_key *key)
{
    note_put(buf, key, key->public_key);
}

#define NOTE_TYPE_WORDS(name, number, words) " " #number " (" words ")"
#define NOTE_WRONG_TYPE                                                                            \
    "its type of signature is none of those that can be checked:" SW__NOTE_TYPE_MAP(NOTE_TYPE_WORDS)

static bool note_type_known(uint8_t type)
{
    switch (type) {
#define NOTE_CASE(name, number, words) case SW__NOTE_##name:
        SW__NOTE_TYPE_MAP(NOTE_CASE)
#undef NOTE_CASE
        return true;
    default:
        return false;
    }
}

/* NAME+ID+BASE64; the last part may hold "+" too. */
static bool note_take(sw_str text, sw__note_key *key, uint8_t bytes[32], const char **why)
{
    uint8_t all[NOTE_KEY_BYTES];
    size_t size = 0;
    const char *plus = text.len > 0 ? memchr(text.ptr, '+', text.len) : NULL;
    size_t name_len = plus ? (size_t)(plus - text.ptr) : 0;
    *why = "it is not NAME+ID+KEY";
    if (!plus || name_len + NOTE_ID_DIGITS + 2 > text.len || plus[1 + NOTE_ID_DIGITS] != '+')
        return false;
    key->name = (sw_str){text.ptr, name_len};
    for (size_t i = 0; i < sizeof(key->id); i++) {
        char again[2];
        int high = sw__hex_digit(plus[1 + 2 * i]);
        int low = sw__hex_digit(plus[2 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        key->id[i] = (uint8_t)(high << 4 | low);
        sw__hex_put(key->id[i], again);
        if (memcmp(again, plus + 1 + 2 * i, 2) != 0)
            return false;
    }
    size_t before = name_len + NOTE_ID_DIGITS + 2;
    sw_str encoded = {text.ptr + before, text.len - before};
    if (!note_name_reads(key->name) || key->name.len > SW__NOTE_NAME_MAX || encoded.len < 4 ||
        !sw__base64_read((sw_str){encoded.ptr, 4}, all, sizeof(all), &size))
        return false;
    key->type = all[0];
    *why = NOTE_WRONG_TYPE;
    if (!note_type_known(key->type))
        return false;
    *why = "its key has not as many bytes as its type takes, or is not base64";
    if (!sw__base64_read(encoded, all, sizeof(all), &size) || size != sizeof(all))
        return false;
    memcpy(bytes, all + 1, SW__ED25519_KEY_SIZE);
    return true;
}

/* The id in the text is the one that name and key give. */
static bool note_check_id(sw__hasher *hasher, const sw__note_key *read, sw__note_key *made, int rc,
                          const char **why)
{
    *why = NULL;
    if (rc == SW_OK)
        rc = note_key_id(hasher, made);
    if (rc < 0)
        return false;
    *why = "its id is not that of its name and key";
    return memcmp(read->id, made->id, sizeof(made->id)) == 0;
}

bool sw__note_read_key(sw__hasher *hasher, sw_str text, sw__note_key *out, const char **why)
{
    if (!note_take(text, out, out->public_key, why))
        return false;
    sw__note_key made = *out;
    return note_check_id(hasher, out, &made, SW_OK, why);
}

bool sw__note_read_signer(sw__hasher *hasher, sw_str text, sw__note_signer *out, const char **why)
{
    size_t length = sizeof(NOTE_SECRET) - 1;
    *why = "it does not begin with " NOTE_SECRET;
    if (text.len < length || memcmp(text.ptr, NOTE_SECRET, length) != 0)
        return false;
    sw_str rest = {text.ptr + length, text.len - length};
    if (!note_take(rest, &out->key, out->secret, why))
        return false;
    *why = "only keys of type 1 (Ed25519) sign here";
    if (out->key.type != SW__NOTE_ED25519)
        return false;
    sw__note_key made = out->key;
    int rc = sw__ed25519_public(out->secret, made.public_key);
    if (!note_check_id(hasher, &out->key, &made, rc, why))
        return false;
    out->key = made;
    return true;
}

/* Signatures. */

void sw__note_put_signature(sw__buf *note, const sw__note_key *key, const uint8_t signature[64])
{
    uint8_t bytes[NOTE_SIGNATURE_BYTES];
    memcpy(bytes, key->id, SW__NOTE_ID_SIZE);
    memcpy(bytes + SW__NOTE_ID_SIZE, signature, SW__ED25519_SIGNATURE_SIZE);
    sw__buf_put_text(note, NOTE_DASH);
    sw__buf_put_str(note, key->name);
    sw__buf_put_byte(note, ' ');
    sw__base64_put(note, bytes, sizeof(bytes));
    sw__buf_put_byte(note, '\n');
}

int sw__note_sign(sw__buf *note, const sw__note_signer *signer)
{
    uint8_t signature[SW__ED25519_SIGNATURE_SIZE];
    if (note->failed || sw__ed25519_sign(signer->secret, sw__buf_str(note), signature) < 0)
        return SW_ENOMEM;
    sw__buf_put_byte(note, '\n');
    sw__note_put_signature(note, &signer->key, signature);
    return note->failed ? SW_ENOMEM : SW_OK;
}

bool sw__note_line(sw_str *rest, sw_str *line)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!end)
        return false;
    *line = (sw_str){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = (sw_str){end + 1, rest->len - line->len - 1};
    return true;
}

bool sw__note_number(sw_str digits, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9' ||
            __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digits.ptr[i] - '0', number))
            return false;
    }
    return digits.len == 1 || (digits.len > 1 && digits.ptr[0] != '0');
}

/* Where the signatures begin: behind the last empty line. 0 when there is none. */
static size_t note_split(sw_str note)
{
    for (size_t at = note.len; at-- > 1;) {
        if (note.ptr[at] == '\n' && note.ptr[at - 1] == '\n')
            return at + 1;
    }
    return 0;
}

/* Only UTF-8, and of the control characters only ends of lines. */
static bool note_is_text(sw_str note)
{
    for (size_t i = 0; i < note.len; i++) {
        if ((uint8_t)note.ptr[i] < ' ' && note.ptr[i] != '\n')
            return false;
    }
    return note.len > 0 && note.len <= SW__NOTE_MAX && note.ptr[note.len - 1] == '\n' &&
           sw__utf8_check(note) == note.len;
}

bool sw__note_text(sw_str note, sw_str *text)
{
    size_t split = note_is_text(note) ? note_split(note) : 0;
    *text = (sw_str){note.ptr, split > 0 ? split - 1 : 0};
    return split > 0;
}

/* "— NAME BASE64": who, and what follows the id. */
static bool note_take_signature(sw_str line, sw_str *name, uint8_t *bytes, size_t *size)
{
    size_t dash = sizeof(NOTE_DASH) - 1;
    if (line.len < dash || memcmp(line.ptr, NOTE_DASH, dash) != 0)
        return false;
    const char *blank = memchr(line.ptr + dash, ' ', line.len - dash);
    if (!blank)
        return false;
    *name = (sw_str){line.ptr + dash, (size_t)(blank - line.ptr) - dash};
    sw_str encoded = {blank + 1, line.len - (size_t)(blank + 1 - line.ptr)};
    return note_name_reads(*name) && sw__base64_read(encoded, bytes, NOTE_BYTES_MAX, size) &&
           *size > SW__NOTE_ID_SIZE;
}

static bool note_is_by(const sw__note_key *key, sw_str name, const uint8_t *bytes)
{
    return sw__str_equal(key->name, name) && memcmp(key->id, bytes, sizeof(key->id)) == 0;
}

/* Eight bytes with the seconds, highest first, then the signature of them as text and the text. */
static int note_check_cosignature(const sw__note_key *key, sw_str text, const uint8_t *bytes,
                                  int64_t *seen_us)
{
    char message[NOTE_COSIGNED_MAX + 64];
    uint64_t seconds = 0;
    for (size_t i = 0; i < NOTE_TIME_SIZE; i++)
        seconds = seconds << 8 | bytes[i];
    if (text.len > NOTE_COSIGNED_MAX || seconds > INT64_MAX / 1000000)
        return 0;
    int head = snprintf(message, sizeof(message), "cosignature/v1\ntime %llu\n",
                        (unsigned long long)seconds);
    memcpy(message + head, text.ptr, text.len);
    *seen_us = (int64_t)seconds * 1000000;
    return sw__ed25519_check(key->public_key, (sw_str){message, (size_t)head + text.len},
                             bytes + NOTE_TIME_SIZE);
}

int sw__note_check(const sw__note_key *key, sw_str text, const uint8_t *bytes, size_t size,
                   int64_t *seen_us)
{
    *seen_us = 0;
    if (key->type == SW__NOTE_ED25519)
        return size == SW__ED25519_SIGNATURE_SIZE ? sw__ed25519_check(key->public_key, text, bytes)
                                                  : 0;
    return size == NOTE_TIME_SIZE + SW__ED25519_SIGNATURE_SIZE
               ? note_check_cosignature(key, text, bytes, seen_us)
               : 0;
}

/* Hold one signature against the keys. 1: goes on; 0: a bad signature by one of them. */
static int note_match(const sw__note_key *keys, size_t key_count, sw_str text, sw_str name,
                      const uint8_t *bytes, size_t size, sw__note_signed *who)
{
    for (size_t k = 0; k < key_count; k++) {
        int64_t seen_us = 0;
        if (!note_is_by(&keys[k], name, bytes))
            continue;
        int rc = sw__note_check(&keys[k], text, bytes + SW__NOTE_ID_SIZE, size - SW__NOTE_ID_SIZE,
                                &seen_us);
        if (rc <= 0)
            return rc;
        if (keys[k].type == SW__NOTE_ED25519 && who->key_index == key_count)
            who->key_index = k;
        who->witness_count += keys[k].type == SW__NOTE_COSIGNATURE;
        if (seen_us > who->witnessed_us)
            who->witnessed_us = seen_us;
    }
    return 1;
}

int sw__note_open(sw_str note, const sw__note_key *keys, size_t key_count, sw_str *text,
                  sw__note_signed *who, const char **why)
{
    uint8_t bytes[NOTE_BYTES_MAX];
    sw_str line;
    *who = (sw__note_signed){.key_index = key_count};
    *why = "it is no signed note";
    if (!sw__note_text(note, text))
        return SW_EINVAL;
    sw_str rest = {note.ptr + text->len + 1, note.len - text->len - 1};
    for (int i = 0; sw__note_line(&rest, &line); i++) {
        sw_str name;
        size_t size = 0;
        *why = "it has a line that is no signature";
        if (i == SW__NOTE_SIGNATURES_MAX || !note_take_signature(line, &name, bytes, &size))
            return SW_EINVAL;
        *why = "its signature is not good: it was edited, or signed with another key";
        int rc = note_match(keys, key_count, *text, name, bytes, size, who);
        if (rc <= 0)
            return rc < 0 ? rc : SW_EINVAL;
    }
    *why = who->witness_count > 0 ? "it is signed by witnesses, but by no key of a log"
                                  : "it is not signed by any of the keys given";
    return who->key_index < key_count ? SW_OK : SW_EINVAL;
}

#undef NOTE_SECRET
#undef NOTE_DASH
#undef NOTE_ID_DIGITS
#undef NOTE_KEY_BYTES
#undef NOTE_SIGNATURE_BYTES
#undef NOTE_BYTES_MAX
#undef NOTE_TIME_SIZE
#undef NOTE_COSIGNED_MAX
#undef NOTE_TYPE_WORDS
#undef NOTE_WRONG_TYPE
