/* Writing and reading checkpoints; see checkpoint.h. */
#include "audit/checkpoint.h"

#include <string.h>

#include "base/base64.h"
#include "base/str.h"

#define CHECKPOINT_SUCCESSOR "successor "

void sw__checkpoint_put(sw__buf *text, sw_str origin, int64_t size, const uint8_t root[32],
                        sw_str successor)
{
    sw__buf_put_str(text, origin);
    sw__buf_printf(text, "\n%lld\n", (long long)size);
    sw__base64_put(text, root, 32);
    sw__buf_put_byte(text, '\n');
    if (!successor.ptr)
        return;
    sw__buf_put_text(text, CHECKPOINT_SUCCESSOR);
    sw__buf_put_str(text, successor);
    sw__buf_put_byte(text, '\n');
}

int sw__checkpoint_sign(sw__buf *note, const sw__note_signer *signer, int64_t size,
                        const uint8_t root[32])
{
    sw__checkpoint_put(note, signer->key.name, size, root, (sw_str){NULL, 0});
    return sw__note_sign(note, signer);
}

static bool checkpoint_read(sw_str text, sw__checkpoint *out)
{
    sw_str line;
    size_t size = 0;
    bool good =
        sw__note_line(&text, &out->origin) && out->origin.len > 0 && sw__note_line(&text, &line) &&
        sw__note_number(line, &out->size) && sw__note_line(&text, &line) &&
        sw__base64_read(line, out->root, sizeof(out->root), &size) && size == sizeof(out->root);
    out->successor = (sw_str){NULL, 0};
    while (good && sw__note_line(&text, &line)) {
        size_t word = sizeof(CHECKPOINT_SUCCESSOR) - 1;
        good = line.len > 0;
        if (line.len > word && memcmp(line.ptr, CHECKPOINT_SUCCESSOR, word) == 0)
            out->successor = (sw_str){line.ptr + word, line.len - word};
    }
    return good;
}

bool sw__checkpoint_peek(sw_str note, sw__checkpoint *out)
{
    sw_str text;
    *out = (sw__checkpoint){0};
    return sw__note_text(note, &text) && checkpoint_read(text, out);
}

int sw__checkpoint_open(sw_str note, const sw__note_key *keys, size_t key_count,
                        sw__checkpoint *out, const char **why)
{
    sw_str text;
    int rc = sw__note_open(note, keys, key_count, &text, &out->who, why);
    if (rc < 0)
        return rc;
    *why = "it is signed, but no checkpoint";
    if (!checkpoint_read(text, out))
        return SW_EINVAL;
    *why = "it is of a log with another name than the key that has signed it";
    return sw__str_equal(out->origin, keys[out->who.key_index].name) ? SW_OK : SW_EINVAL;
}

#undef CHECKPOINT_SUCCESSOR
