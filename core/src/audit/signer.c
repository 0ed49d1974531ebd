/* The signer's two files, and what it refuses to sign; see signer.h. */
#include "audit/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/leaves.h"
#include "audit/segment.h"
#include "base/env.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/str.h"

#define SIGNER_KEY_MAX 1024
#define SIGNER_STATE_MAX 65536
#define SIGNER_MODE 0600
#define SIGNER_HEAD "stepwell signer state 1"
#define SIGNER_RETIRED "retired"

static bool signer_path(sw__buf *out, const char *path)
{
    sw__buf_printf(out, "%s.state", path);
    sw__buf_put_byte(out, '\0');
    return !out->failed;
}

/* The state as text. */

static void signer_put_hex(sw__buf *out, const char *word, const uint8_t hash[32])
{
    char text[65];
    sw__hash_hex(hash, text);
    sw__buf_printf(out, "%s %s\n", word, text);
}

static void signer_put_state(const sw__signer *signer, sw__buf *out)
{
    char word[32];
    snprintf(word, sizeof(word), "segment %lld", (long long)signer->segment_no);
    sw__buf_put_text(out, SIGNER_HEAD "\n");
    if (signer->is_retired)
        sw__buf_put_text(out, SIGNER_RETIRED "\n");
    signer_put_hex(out, word, signer->segment_hash);
    for (int level = 0; level <= SW__TREE_LEVELS; level++) {
        if (signer->tree.size >> level & 1)
            signer_put_hex(out, "node", signer->tree.nodes[level]);
    }
    sw__buf_put_byte(out, '\n');
    sw__buf_put_str(out, sw__buf_str(&signer->note));
}

/* "WORD HEX". Read by writing: there is one way to say it. */
static bool signer_take_hex(sw_str *rest, const char *word, uint8_t hash[32])
{
    sw_str line;
    char again[65];
    size_t length = strlen(word);
    if (!sw__note_line(rest, &line) || line.len != length + 65 ||
        memcmp(line.ptr, word, length) != 0 || line.ptr[length] != ' ')
        return false;
    const char *digits = line.ptr + length + 1;
    for (size_t i = 0; i < 32; i++)
        hash[i] = (uint8_t)(sw__hex_digit(digits[2 * i]) * 16 + sw__hex_digit(digits[2 * i + 1]));
    sw__hash_hex(hash, again);
    return memcmp(digits, again, 64) == 0;
}

/* "segment NUMBER HEX" */
static bool signer_take_segment(sw_str *rest, sw__signer *signer)
{
    char word[32];
    const char *digits = rest->ptr + 8;
    long long number = 0;
    if (rest->len < 10 || memcmp(rest->ptr, "segment ", 8) != 0)
        return false;
    for (size_t i = 0; i < 18 && 8 + i < rest->len && digits[i] >= '0' && digits[i] <= '9'; i++)
        number = number * 10 + (digits[i] - '0');
    signer->segment_no = number;
    snprintf(word, sizeof(word), "segment %lld", number);
    return signer_take_hex(rest, word, signer->segment_hash);
}

/* The checkpoint in the state is of this key and of the tree in the state. */
static bool signer_take_note(sw_str rest, sw__signer *signer, int64_t *size, uint8_t root[32])
{
    sw__checkpoint checkpoint;
    const char *why = NULL;
    *size = 0;
    if (rest.len == 0)
        return true;
    if (sw__checkpoint_open(rest, &signer->signer.key, 1, &checkpoint, &why) < 0)
        return false;
    *size = checkpoint.size;
    memcpy(root, checkpoint.root, sizeof(checkpoint.root));
    return *size <= SW__TREE_SIZE_MAX;
}

/* Whose place is known from the size, which the checkpoint behind them says. */
static bool signer_take_nodes(sw_str rest, sw__signer *signer)
{
    sw_str line;
    uint8_t signed_root[32] = {0};
    uint8_t root[32];
    sw_str note = rest;
    sw__tree *tree = &signer->tree;
    while (sw__note_line(&note, &line) && line.len > 0)
        ;
    if (!signer_take_note(note, signer, &tree->size, signed_root))
        return false;
    for (int level = 0; level <= SW__TREE_LEVELS; level++) {
        if ((tree->size >> level & 1) && !signer_take_hex(&rest, "node", tree->nodes[level]))
            return false;
    }
    sw__buf_put_str(&signer->note, note);
    if (!sw__note_line(&rest, &line) || line.len > 0 || rest.len != note.len)
        return false;
    if (note.len == 0)
        return signer->segment_no == 0;
    return sw__tree_root(tree, signer->hasher, root) == SW_OK &&
           memcmp(root, signed_root, sizeof(root)) == 0 &&
           (tree->size > 0) == (signer->segment_no > 0);
}

static bool signer_take_state(sw_str text, sw__signer *signer)
{
    sw_str line;
    sw_str rest;
    if (!sw__note_line(&text, &line) || !sw__str_is(line, SIGNER_HEAD))
        return false;
    rest = text;
    signer->is_retired = sw__note_line(&rest, &line) && sw__str_is(line, SIGNER_RETIRED);
    if (signer->is_retired)
        text = rest;
    return signer_take_segment(&text, signer) && signer_take_nodes(text, signer);
}

/* Making a key. */

/* The state of an empty tree, then the key: a key without a state signs nothing. */
static int signer_put_files(const sw_env *env, sw__hasher *hasher, const char *path, sw_str text,
                            sw_error *err)
{
    sw__signer fresh = {.env = env, .hasher = hasher};
    sw__buf state, state_path;
    sw__buf_init(&state, env);
    sw__buf_init(&state_path, env);
    sw__buf_init(&fresh.note, env);
    signer_put_state(&fresh, &state);
    int rc = SW_ENOMEM;
    if (state.failed || !signer_path(&state_path, path))
        sw__fail(err, rc, NULL);
    else
        rc = sw__file_create((const char *)state_path.ptr, SIGNER_MODE, sw__buf_str(&state), err);
    if (rc == SW_OK && (rc = sw__file_create(path, SIGNER_MODE, text, err)) < 0)
        unlink((const char *)state_path.ptr);
    sw__buf_free(&state_path);
    sw__buf_free(&state);
    return rc;
}

int sw__signer_create(const sw_env *env, sw__hasher *hasher, sw_str name, const char *path,
                      sw__buf *key, sw_error *err)
{
    uint8_t secret[SW__ED25519_KEY_SIZE];
    sw__note_signer signer;
    sw__buf text;
    sw__buf_init(&text, env);
    int rc = SW_OK;
    if (!sw__note_name_fits(name))
        rc = sw__fail(err, SW_EINVAL,
                      "the name of a key is 1 to %d visible ASCII characters without \"+\"",
                      SW__NOTE_NAME_MAX);
    else if (env->random(env->context, secret, sizeof(secret)) < 0)
        rc = sw__fail(err, SW_EIO, "the system gives no random bytes");
    if (rc < 0)
        goto done;
    rc = sw__note_signer_make(hasher, name, secret, &signer);
    if (rc == SW_OK) {
        sw__note_put_signer(&text, &signer);
        sw__buf_put_byte(&text, '\n');
        sw__note_put_key(key, &signer.key);
    }
    if (rc < 0 || text.failed || key->failed)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    else
        rc = signer_put_files(env, hasher, path, sw__buf_str(&text), err);
done:
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(&signer, sizeof(signer));
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    sw__buf_free(&text);
    return rc;
}

/* Only logs are signed, so the key is of the type that logs sign with. */
int sw__signer_enrol(const sw_env *env, sw__hasher *hasher, sw_str verifier, const char *path,
                     sw_error *err)
{
    sw__note_key key;
    const char *why = NULL;
    if (!sw__note_read_key(hasher, verifier, &key, &why))
        return why ? sw__fail(err, SW_EINVAL, "it is no verifier key: %s", why)
                   : sw__fail(err, SW_ENOMEM, NULL);
    if (key.type != SW__NOTE_ED25519 || !sw__note_name_fits(key.name))
        return sw__fail(err, SW_EINVAL, "it is no verifier key of a log: type 1, ASCII name");
    return signer_put_files(env, hasher, path, verifier, err);
}

/* Opening one. */

static int signer_read_key(sw__signer *signer, const char *path, sw_error *err)
{
    struct stat about;
    const char *why = NULL;
    signer->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (signer->fd < 0 || fstat(signer->fd, &about) < 0)
        return sw__file_fail(err, "open", path, errno);
    if (about.st_mode & (S_IRWXG | S_IRWXO))
        return sw__fail(err, SW_EACCESS,
                        "the key \"%s\" can be read by others than its owner: chmod 600 it", path);
    if (flock(signer->fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? sw__fail(err, SW_EBUSY, "another process signs with \"%s\"", path)
                   : sw__file_fail(err, "lock", path, errno);
    int rc = sw__file_read_fd(signer->fd, path, SIGNER_KEY_MAX, &signer->key_text, err);
    if (rc < 0)
        return rc;
    sw_str text = sw__buf_str(&signer->key_text);
    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    signer->has_secret = sw__note_read_signer(signer->hasher, text, &signer->signer, &why);
    if (signer->has_secret)
        return SW_OK;
    const char *other = NULL;
    if (why && sw__note_read_key(signer->hasher, text, &signer->signer.key, &other))
        return signer->call.sign
                   ? SW_OK
                   : sw__fail(err, SW_EINVAL,
                              "\"%s\" holds no secret: the application that has it must sign",
                              path);
    return why ? sw__fail(err, SW_EINVAL, "\"%s\" holds no key to sign with: %s", path, why)
               : sw__fail(err, SW_ENOMEM, NULL);
}

static int signer_read_state(sw__signer *signer, sw_error *err)
{
    sw__buf text;
    const char *path = (const char *)signer->state_path.ptr;
    sw__buf_init(&text, signer->env);
    int rc = sw__file_read(path, SIGNER_STATE_MAX, &text, err);
    if (rc == SW_ENOTFOUND)
        rc = sw__fail(err, SW_ENOTFOUND,
                      "what this key has signed last, \"%s\", is missing: it cannot sign without",
                      path);
    else if (rc == SW_OK && !signer_take_state(sw__buf_str(&text), signer))
        rc = sw__fail(err, SW_ECORRUPT, "what this key has signed last, \"%s\", was changed", path);
    else if (rc == SW_OK && signer->is_retired)
        rc = sw__fail(err, SW_ECONFLICT, "another key has replaced \"%s\"", path);
    if (signer->note.failed)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__buf_free(&text);
    return rc;
}

int sw__signer_open(sw__signer *signer, const sw_env *env, sw__hasher *hasher, const char *path,
                    sw__signer_call call, sw_error *err)
{
    *signer = (sw__signer){.env = env, .hasher = hasher, .call = call, .fd = -1};
    sw__buf_init(&signer->key_text, env);
    sw__buf_init(&signer->state_path, env);
    sw__buf_init(&signer->note, env);
    if (!signer_path(&signer->state_path, path))
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = signer_read_key(signer, path, err);
    return rc == SW_OK ? signer_read_state(signer, err) : rc;
}

void sw__signer_close(sw__signer *signer)
{
    if (signer->fd >= 0)
        close(signer->fd);
    explicit_bzero(&signer->signer, sizeof(signer->signer));
    if (signer->key_text.ptr)
        explicit_bzero(signer->key_text.ptr, signer->key_text.len);
    sw__buf_free(&signer->note);
    sw__buf_free(&signer->state_path);
    sw__buf_free(&signer->key_text);
}

/* Following the log. */

/* The segment where the signed tree ends is there and still the same; all segments before it are
 * bound by its hash. */
static int signer_check_past(const sw__signer *signer, sw__store *store, sw_error *err)
{
    sw__segment segment;
    uint8_t hash[32];
    if (signer->segment_no == 0)
        return SW_OK;
    sw__arena *arena = sw__arena_new(signer->env);
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->segment_get(store, signer->segment_no, arena, &segment, err);
    if (rc == SW_ENOTFOUND)
        rc = sw__fail(err, SW_EAUDIT,
                      "refused to sign: %lld entries are signed and the log holds fewer: its end "
                      "was cut off, or an older copy or another database put in its place",
                      (long long)signer->tree.size);
    else if (rc == SW_OK && sw__segment_hash(signer->hasher, &segment, hash) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    else if (rc == SW_OK && (memcmp(hash, signer->segment_hash, sizeof(hash)) != 0 ||
                             memcmp(segment.hash, hash, sizeof(hash)) != 0))
        rc = sw__fail(err, SW_EAUDIT,
                      "refused to sign: the log is not the one whose first %lld entries are "
                      "signed: entries were rewritten, or it is another database",
                      (long long)signer->tree.size);
    sw__arena_free(arena);
    return rc;
}

int sw__signer_follow(sw__signer *signer, sw__store *store, sw_error *err)
{
    sw__leaves leaves = {
        .tree = &signer->tree, .hasher = signer->hasher, .segment_no = signer->segment_no};
    memcpy(leaves.segment_hash, signer->segment_hash, sizeof(leaves.segment_hash));
    int rc = signer_check_past(signer, store, err);
    if (rc == SW_OK)
        rc = sw__leaves_walk(&leaves, store, err);
    if (rc < 0)
        return rc;
    signer->segment_no = leaves.segment_no;
    memcpy(signer->segment_hash, leaves.segment_hash, sizeof(leaves.segment_hash));
    return SW_OK;
}

/* Whether the note in the state is already of this tree. */
static bool signer_is_current(const sw__signer *signer)
{
    sw__checkpoint checkpoint;
    const char *why = NULL;
    return signer->note.len > 0 &&
           sw__checkpoint_open(sw__buf_str(&signer->note), &signer->signer.key, 1, &checkpoint,
                               &why) == SW_OK &&
           checkpoint.size == signer->tree.size;
}

/* An application may err, so what it answers is checked before anybody sees it. */
static int signer_make(const sw__signer *signer, sw_str text, uint8_t signature[64], sw_error *err)
{
    int64_t seen_us = 0;
    const sw__note_key *key = &signer->signer.key;
    if (signer->has_secret)
        return sw__ed25519_sign(signer->signer.secret, text, signature) < 0
                   ? sw__fail(err, SW_ENOMEM, NULL)
                   : SW_OK;
    int rc = signer->call.sign(signer->call.context, text, signature);
    if (rc < 0)
        return sw__fail(err, rc, "the application that has the secret did not sign");
    rc = sw__note_check(key, text, signature, SW__ED25519_SIGNATURE_SIZE, &seen_us);
    if (rc < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return rc == 1 ? SW_OK
                   : sw__fail(err, SW_EINVAL,
                              "what the application signed is not good by the key \"%.*s\"",
                              SW__FMT(key->name));
}

static int signer_save(sw__signer *signer, sw_error *err)
{
    sw__buf state;
    sw__buf_init(&state, signer->env);
    signer_put_state(signer, &state);
    int rc = state.failed || signer->note.failed
                 ? sw__fail(err, SW_ENOMEM, NULL)
                 : sw__file_replace(signer->env, (const char *)signer->state_path.ptr, SIGNER_MODE,
                                    sw__buf_str(&state), err);
    sw__buf_free(&state);
    return rc;
}

/* The text of the tree as it is now; successor may be absent. */
static int signer_put_text(sw__signer *signer, sw_str successor, sw_error *err)
{
    uint8_t root[32];
    if (sw__tree_root(&signer->tree, signer->hasher, root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__buf_clear(&signer->note);
    sw__checkpoint_put(&signer->note, signer->signer.key.name, signer->tree.size, root, successor);
    return signer->note.failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__signer_sign(sw__signer *signer, sw_error *err)
{
    uint8_t signature[SW__ED25519_SIGNATURE_SIZE];
    if (signer_is_current(signer))
        return SW_OK;
    int rc = signer_put_text(signer, (sw_str){NULL, 0}, err);
    if (rc == SW_OK)
        rc = signer_make(signer, sw__buf_str(&signer->note), signature, err);
    if (rc < 0)
        return rc;
    sw__buf_put_byte(&signer->note, '\n');
    sw__note_put_signature(&signer->note, &signer->signer.key, signature);
    return signer_save(signer, err);
}

int sw__signer_note(const sw__signer *signer, sw__buf *text, sw_error *err)
{
    uint8_t signature[SW__ED25519_SIGNATURE_SIZE];
    int rc = signer_make(signer, sw__buf_str(text), signature, err);
    if (rc < 0)
        return rc;
    sw__buf_put_byte(text, '\n');
    sw__note_put_signature(text, &signer->signer.key, signature);
    return text->failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

/* The next key takes over before the old one stops: whatever fails between, one of them signs. */
static int signer_hand_over(sw__signer *signer, sw__signer *next, sw_error *err)
{
    next->tree = signer->tree;
    next->segment_no = signer->segment_no;
    memcpy(next->segment_hash, signer->segment_hash, sizeof(next->segment_hash));
    sw__buf_clear(&next->note);
    sw__buf_put_str(&next->note, sw__buf_str(&signer->note));
    int rc = signer_save(next, err);
    if (rc < 0)
        return rc;
    signer->is_retired = true;
    return signer_save(signer, err);
}

int sw__signer_rotate(sw__signer *signer, sw__signer *next, sw_error *err)
{
    sw__buf successor;
    uint8_t signatures[2][SW__ED25519_SIGNATURE_SIZE];
    if (!sw__str_equal(signer->signer.key.name, next->signer.key.name) || next->note.len > 0)
        return sw__fail(err, SW_ECONFLICT,
                        "the next key has another name, or has signed something already");
    if (signer->tree.size == 0)
        return sw__fail(err, SW_ECONFLICT, "the log is empty: there is nothing to hand over");
    sw__buf_init(&successor, signer->env);
    sw__note_put_key(&successor, &next->signer.key);
    int rc = successor.failed ? sw__fail(err, SW_ENOMEM, NULL)
                              : signer_put_text(signer, sw__buf_str(&successor), err);
    if (rc == SW_OK)
        rc = signer_make(signer, sw__buf_str(&signer->note), signatures[0], err);
    if (rc == SW_OK)
        rc = signer_make(next, sw__buf_str(&signer->note), signatures[1], err);
    if (rc == SW_OK) {
        sw__buf_put_byte(&signer->note, '\n');
        sw__note_put_signature(&signer->note, &signer->signer.key, signatures[0]);
        sw__note_put_signature(&signer->note, &next->signer.key, signatures[1]);
        rc = signer_hand_over(signer, next, err);
    }
    sw__buf_free(&successor);
    return rc;
}

#undef SIGNER_KEY_MAX
#undef SIGNER_STATE_MAX
#undef SIGNER_MODE
#undef SIGNER_HEAD
#undef SIGNER_RETIRED
