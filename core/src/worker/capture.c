/* Keeping the head and the tail of an output. Not here: reading it from the process. */
#include "worker/capture.h"

#include <string.h>

#include "base/env.h"
#include "base/utf8.h"
#include "stepwell/error.h"

int sw__capture_open(sw__capture *capture, const sw_env *env, size_t max)
{
    *capture = (sw__capture){.env = env, .head_max = max / 2, .tail_max = max - max / 2};
    capture->bytes = sw__resize(env, NULL, max ? max : 1);
    return capture->bytes ? SW_OK : SW_ENOMEM;
}

void sw__capture_close(sw__capture *capture)
{
    sw__free(capture->env, capture->bytes);
    capture->bytes = NULL;
}

static size_t capture_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void capture_put_tail(sw__capture *capture, const char *bytes, size_t size)
{
    char *tail = capture->bytes + capture->head_max;
    if (size > capture->tail_max) {
        bytes += size - capture->tail_max;
        size = capture->tail_max;
    }
    size_t first = capture_smaller(size, capture->tail_max - capture->tail_at);
    memcpy(tail + capture->tail_at, bytes, first);
    memcpy(tail, bytes + first, size - first);
    capture->tail_at = (capture->tail_at + size) % (capture->tail_max ? capture->tail_max : 1);
    capture->tail_len = capture_smaller(capture->tail_len + size, capture->tail_max);
}

void sw__capture_put(sw__capture *capture, const char *bytes, size_t size)
{
    size_t first = capture_smaller(size, capture->head_max - capture->head_len);
    memcpy(capture->bytes + capture->head_len, bytes, first);
    capture->head_len += first;
    capture->total += size;
    if (size > first)
        capture_put_tail(capture, bytes + first, size - first);
}

/* Length without a last character that is not complete. */
static size_t capture_cut_end(const char *bytes, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char byte = (unsigned char)bytes[len - back];
        if ((byte & 0xC0) == 0x80)
            continue;
        size_t need = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return need > back ? len - back : len;
    }
    return len;
}

/* Bytes at the start that belong to a character that began before. */
static size_t capture_cut_start(const char *bytes, size_t len)
{
    size_t skip = 0;
    while (skip < 3 && skip < len && ((unsigned char)bytes[skip] & 0xC0) == 0x80)
        skip++;
    return skip;
}

/* The kept bytes in one run, oldest first. */
static char *capture_join(const sw__capture *capture, sw__buf *out)
{
    char *room = (char *)sw__buf_reserve(out, capture->head_len + capture->tail_len);
    const char *tail = capture->bytes + capture->head_max;
    if (!room)
        return NULL;
    /* The ring starts at tail_at once it has gone round, at 0 before. */
    size_t old = capture->tail_len == capture->tail_max ? capture->tail_max - capture->tail_at : 0;
    memcpy(room, capture->bytes, capture->head_len);
    memcpy(room + capture->head_len, tail + capture->tail_at, old);
    memcpy(room + capture->head_len + old, tail, capture->tail_len - old);
    return room;
}

bool sw__capture_text(const sw__capture *capture, size_t limit, sw__buf *out)
{
    sw__buf joined;
    sw__buf_init(&joined, capture->env);
    size_t len = capture->head_len + capture->tail_len;
    const char *text = capture_join(capture, &joined);
    bool whole = capture->total <= limit && capture->total == len;
    if (!text) {
        out->failed = true;
    } else if (whole) {
        sw__buf_put(out, text, len);
    } else {
        size_t head = capture_cut_end(text, capture_smaller(capture->head_len, limit / 2));
        const char *tail = text + len - capture_smaller(len - head, limit - limit / 2);
        tail += capture_cut_start(tail, (size_t)(text + len - tail));
        size_t tail_len = (size_t)(text + len - tail);
        sw__buf_put(out, text, head);
        sw__buf_printf(out, "\n[... %llu bytes left out ...]\n",
                       (unsigned long long)(capture->total - head - tail_len));
        sw__buf_put(out, tail, tail_len);
    }
    sw__buf_free(&joined);
    return !whole;
}

static bool text_is_control(char byte)
{
    return ((unsigned char)byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F;
}

sw_str sw__text_clean(sw__arena *arena, sw_str bytes)
{
    static const char unknown[] = "\xEF\xBF\xBD";
    sw__buf text;
    sw__buf_init(&text, sw__arena_env(arena));
    while (bytes.len > 0) {
        size_t good = 0;
        size_t valid = sw__utf8_check(bytes);
        while (good < valid && !text_is_control(bytes.ptr[good]))
            good++;
        sw__buf_put(&text, bytes.ptr, good);
        bytes = (sw_str){bytes.ptr + good, bytes.len - good};
        if (bytes.len > 0) {
            sw__buf_put(&text, unknown, sizeof(unknown) - 1);
            bytes = (sw_str){bytes.ptr + 1, bytes.len - 1};
        }
    }
    sw_str clean = sw__arena_str(arena, sw__buf_str(&text));
    sw__buf_free(&text);
    return clean;
}
