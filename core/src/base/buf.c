/* A growing run of bytes, doubled when full. Not here: any encoding of what is put in. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/number.h"

#define SW__BUF_FIRST ((size_t)64)

void sw__buf_init(sw__buf *buf, const sw_env *env)
{
    *buf = (sw__buf){.env = env};
}

void sw__buf_free(sw__buf *buf)
{
    sw__free(buf->env, buf->ptr);
    sw__buf_init(buf, buf->env);
}

void sw__buf_clear(sw__buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* Doubling keeps appending linear; the exact need wins where doubling would not do. */
static bool buf_grow(sw__buf *buf, size_t size)
{
    size_t need;
    size_t wanted;
    if (__builtin_add_overflow(buf->len, size, &need))
        return false;
    if (__builtin_mul_overflow(buf->capacity, 2, &wanted) || wanted < need)
        wanted = need;
    if (wanted < SW__BUF_FIRST)
        wanted = SW__BUF_FIRST;
    uint8_t *grown = sw__resize(buf->env, buf->ptr, wanted);
    if (!grown)
        return false;
    buf->ptr = grown;
    buf->capacity = wanted;
    return true;
}

uint8_t *sw__buf_reserve(sw__buf *buf, size_t size)
{
    if (buf->failed)
        return NULL;
    if ((size > buf->capacity - buf->len || !buf->ptr) && !buf_grow(buf, size)) {
        buf->failed = true;
        return NULL;
    }
    return buf->ptr + buf->len;
}

void sw__buf_put(sw__buf *buf, const void *bytes, size_t size)
{
    uint8_t *room = sw__buf_reserve(buf, size);
    if (!room || size == 0)
        return;
    memcpy(room, bytes, size);
    buf->len += size;
}

void sw__buf_put_byte(sw__buf *buf, uint8_t byte)
{
    uint8_t *room = sw__buf_reserve(buf, 1);
    if (!room)
        return;
    *room = byte;
    buf->len++;
}

void sw__buf_put_str(sw__buf *buf, sw_str text)
{
    sw__buf_put(buf, text.ptr, text.len);
}

void sw__buf_put_text(sw__buf *buf, const char *text)
{
    sw__buf_put(buf, text, strlen(text));
}

void sw__buf_put_int(sw__buf *buf, int64_t number)
{
    char text[SW__NUMBER_TEXT];
    sw__buf_put(buf, text, sw__number_format_int(number, text));
}

void sw__buf_printf(sw__buf *buf, const char *format, ...)
{
    va_list args;
    size_t left = buf->capacity - buf->len;
    va_start(args, format);
    int len = vsnprintf(left > 0 ? (char *)buf->ptr + buf->len : NULL, left, format, args);
    va_end(args);
    /* One byte more for the terminating zero that vsnprintf insists on. */
    uint8_t *room = len < 0 ? NULL : sw__buf_reserve(buf, (size_t)len + 1);
    if (!room) {
        buf->failed = true;
        return;
    }
    if ((size_t)len >= left) {
        va_start(args, format);
        vsnprintf((char *)room, (size_t)len + 1, format, args);
        va_end(args);
    }
    buf->len += (size_t)len;
}

sw_str sw__buf_str(const sw__buf *buf)
{
    return (sw_str){buf->ptr ? (const char *)buf->ptr : "", buf->len};
}
