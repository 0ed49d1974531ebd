/* A bump allocator: many small allocations that die together.
 *
 * Not thread-safe; one arena belongs to one call or one result. After the first failed allocation
 * the arena stays failed, so that a builder may check once at its end.
 */
#ifndef SW_BASE_ARENA_H
#define SW_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "stepwell/sys/env.h"
#include "stepwell/types.h"

typedef struct sw__arena sw__arena;

/* NULL when there is no memory. */
sw__arena *sw__arena_new(const sw_env *env);
void sw__arena_free(sw__arena *arena);
/* All pieces are given back at once; some of their memory is kept for the next ones. An arena that has
 * failed works again. */
void sw__arena_clear(sw__arena *arena);

/* Zeroed, aligned to 16 bytes; NULL on failure. size 0 gives a unique valid pointer. */
void *sw__arena_alloc(sw__arena *arena, size_t size);
/* count elements of size bytes; the product is checked. */
void *sw__arena_array(sw__arena *arena, size_t count, size_t size);
/* The same, not zeroed: for large arrays that are filled at once. */
void *sw__arena_array_raw(sw__arena *arena, size_t count, size_t size);
/* A copy, zero-terminated behind its end. {NULL, 0} stays {NULL, 0}; a present empty string stays
 * present. */
sw_str sw__arena_str(sw__arena *arena, sw_str text);
sw_str sw__arena_format(sw__arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool sw__arena_failed(const sw__arena *arena);
const sw_env *sw__arena_env(const sw__arena *arena);

#endif
