/* A growing run of bytes. A failed growth leaves the content, and the buffer stays failed. */
#ifndef SW_BASE_BUF_H
#define SW_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell/sys/env.h"
#include "stepwell/types.h"

typedef struct sw__buf {
    const sw_env *env;
    uint8_t *ptr;
    size_t len;
    size_t capacity;
    bool failed;
} sw__buf;

void sw__buf_init(sw__buf *buf, const sw_env *env);
void sw__buf_free(sw__buf *buf);
void sw__buf_clear(sw__buf *buf); /* keeps the memory, forgets content and failure */
/* Room for size more bytes; returns where they go, NULL on failure. Does not change len. */
uint8_t *sw__buf_reserve(sw__buf *buf, size_t size);
void sw__buf_put(sw__buf *buf, const void *bytes, size_t size);
void sw__buf_put_byte(sw__buf *buf, uint8_t byte);
void sw__buf_put_str(sw__buf *buf, sw_str text);
void sw__buf_put_text(sw__buf *buf, const char *text);
void sw__buf_put_int(sw__buf *buf, int64_t number);
void sw__buf_printf(sw__buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
sw_str sw__buf_str(const sw__buf *buf);

#endif
