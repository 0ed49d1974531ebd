/* Writing and reading checkpoints; see checkpoint.h. */
#include "audit/checkpoint.h"

#include "base/base64.h"
#include "base/str.h"

#define CHECKPOINT_DIGITS_MAX 18 /* every number of them is an int64 */

int sw__checkpoint_sign(sw__buf *note, const sw__note_signer *signer, int64_t size,
                        const uint8_t root[32])
{
    sw__buf_put_str(note, signer->key.name);
    sw__buf_printf(note, "\n%lld\n", (long long)size);
    sw__base64_put(note, root, 32);
    sw__buf_put_byte(note, '\n');
    return sw__note_sign(note, signer);
}

/* Decimal without a sign or leading zeros. */
static bool checkpoint_size(sw_str line, int64_t *size)
{
    *size = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] < '0' || line.ptr[i] > '9')
            return false;
        *size = *size * 10 + (line.ptr[i] - '0');
        if (i + 1 == CHECKPOINT_DIGITS_MAX && i + 1 < line.len)
            return false;
    }
    return line.len == 1 || (line.len > 1 && line.ptr[0] != '0');
}

static bool checkpoint_read(sw_str text, sw__checkpoint *out)
{
    sw_str line;
    size_t size = 0;
    return sw__note_line(&text, &out->origin) && out->origin.len > 0 &&
           sw__note_line(&text, &line) && checkpoint_size(line, &out->size) &&
           sw__note_line(&text, &line) &&
           sw__base64_read(line, out->root, sizeof(out->root), &size) && size == sizeof(out->root);
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
    int rc = sw__note_open(note, keys, key_count, &text, &out->key_index, why);
    if (rc < 0)
        return rc;
    *why = "it is signed, but no checkpoint";
    if (!checkpoint_read(text, out))
        return SW_EINVAL;
    *why = "it is of a log with another name than the key that has signed it";
    return sw__str_equal(out->origin, keys[out->key_index].name) ? SW_OK : SW_EINVAL;
}

#undef CHECKPOINT_DIGITS_MAX
