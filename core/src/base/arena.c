/* A bump allocator in blocks that double in size.
 *
 * The arena's own record lies at the start of its first block, so that a small result costs one
 * allocation. Not here: freeing single pieces.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"

#define SW__ARENA_ALIGN ((size_t)16)
#define SW__ARENA_FIRST ((size_t)2048)
#define SW__ARENA_LARGEST ((size_t)256 * 1024)

typedef struct arena_block {
    struct arena_block *next;
    size_t size; /* of the room behind this record */
} arena_block;

struct sw__arena {
    const sw_env *env;
    arena_block *blocks; /* newest first; the last one holds this record */
    uint8_t *at;         /* free room of the newest block that is handed out piece by piece */
    size_t left;
    size_t block_size; /* of the next block */
    bool failed;
};

_Static_assert(sizeof(arena_block) % 16 == 0, "the room of a block must stay aligned");
_Static_assert(sizeof(struct sw__arena) % 16 == 0, "the room of a block must stay aligned");

static arena_block *arena_block_new(const sw_env *env, size_t size)
{
    size_t total;
    if (__builtin_add_overflow(size, sizeof(arena_block), &total))
        return NULL;
    arena_block *block = sw__resize(env, NULL, total);
    if (!block)
        return NULL;
    block->next = NULL;
    block->size = size;
    return block;
}

sw__arena *sw__arena_new(const sw_env *env)
{
    arena_block *block = arena_block_new(env, SW__ARENA_FIRST);
    if (!block)
        return NULL;
    sw__arena *arena = (sw__arena *)(block + 1);
    *arena = (sw__arena){
        .env = env,
        .blocks = block,
        .at = (uint8_t *)(arena + 1),
        .left = SW__ARENA_FIRST - sizeof(*arena),
        .block_size = SW__ARENA_FIRST * 2,
    };
    return arena;
}

void sw__arena_free(sw__arena *arena)
{
    if (!arena)
        return;
    const sw_env *env = arena->env;
    arena_block *block = arena->blocks;
    while (block) {
        arena_block *next = block->next;
        sw__free(env, block);
        block = next;
    }
}

/* The block that pieces are cut from, and the last one, which holds the arena. */
void sw__arena_clear(sw__arena *arena)
{
    arena_block *block = arena->blocks;
    arena_block *open = NULL;
    while (block->next) {
        arena_block *next = block->next;
        const uint8_t *room = (const uint8_t *)(block + 1);
        if (!open && arena->at > room && arena->at <= room + block->size)
            open = block;
        else
            sw__free(arena->env, block);
        block = next;
    }
    arena->failed = false;
    arena->blocks = open ? open : block;
    arena->at = open ? (uint8_t *)(open + 1) : (uint8_t *)(arena + 1);
    arena->left = open ? open->size : SW__ARENA_FIRST - sizeof(*arena);
    if (open)
        open->next = block;
}

/* A piece too large for the usual blocks gets one of its own, and the current block stays in use
 * behind it. */
static void *arena_alloc_slow(sw__arena *arena, size_t size)
{
    bool own = size > arena->block_size / 4;
    arena_block *block = arena_block_new(arena->env, own ? size : arena->block_size);
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    uint8_t *piece = (uint8_t *)(block + 1);
    if (!own) {
        arena->at = piece + size;
        arena->left = block->size - size;
        if (arena->block_size < SW__ARENA_LARGEST)
            arena->block_size *= 2;
    }
    return piece;
}

/* Room that is not zeroed; *taken gets its size. */
static void *arena_take(sw__arena *arena, size_t size, size_t *taken)
{
    size_t padded;
    if (arena->failed)
        return NULL;
    if (__builtin_add_overflow(size ? size : 1, SW__ARENA_ALIGN - 1, &padded)) {
        arena->failed = true;
        return NULL;
    }
    padded &= ~(SW__ARENA_ALIGN - 1);
    *taken = padded;
    if (padded > arena->left)
        return arena_alloc_slow(arena, padded);
    void *piece = arena->at;
    arena->at += padded;
    arena->left -= padded;
    return piece;
}

void *sw__arena_alloc(sw__arena *arena, size_t size)
{
    size_t taken = 0;
    void *piece = arena_take(arena, size, &taken);
    return piece ? memset(piece, 0, taken) : NULL;
}

void *sw__arena_array(sw__arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        arena->failed = true;
        return NULL;
    }
    return sw__arena_alloc(arena, total);
}

void *sw__arena_array_raw(sw__arena *arena, size_t count, size_t size)
{
    size_t total, taken;
    if (__builtin_mul_overflow(count, size, &total)) {
        arena->failed = true;
        return NULL;
    }
    return arena_take(arena, total, &taken);
}

sw_str sw__arena_str(sw__arena *arena, sw_str text)
{
    size_t total, taken;
    if (!text.ptr)
        return (sw_str){NULL, 0};
    if (__builtin_add_overflow(text.len, 1, &total)) {
        arena->failed = true;
        return (sw_str){NULL, 0};
    }
    char *copy = arena_take(arena, total, &taken);
    if (!copy)
        return (sw_str){NULL, 0};
    memcpy(copy, text.ptr, text.len);
    memset(copy + text.len, 0, taken - text.len);
    return (sw_str){copy, text.len};
}

sw_str sw__arena_format(sw__arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : sw__arena_alloc(arena, (size_t)len + 1);
    if (!text) {
        arena->failed = true;
        return (sw_str){NULL, 0};
    }
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (sw_str){text, (size_t)len};
}

bool sw__arena_failed(const sw__arena *arena)
{
    return arena->failed;
}

const sw_env *sw__arena_env(const sw__arena *arena)
{
    return arena->env;
}
