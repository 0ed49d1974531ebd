/* Memory of simulated processes; see heap.h.
 *
 * SQLite allocates here too, so that an actor killed inside SQLite leaves nothing behind. Small
 * blocks lie in chunks and are given back to lists by size, because a schedule is mostly starting
 * and killing processes; with a sanitizer, which would not see their ends, every block is large.
 */
#include "sim/heap.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

#define HEAP_CHUNK ((size_t)128 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_SMALL ((size_t)0)
#else
#define HEAP_SMALL ((size_t)65536)
#endif

typedef struct heap_chunk {
    struct heap_chunk *next;
    const heap_image *image; /* that it belongs to for ever; NULL: none */
    uint8_t bytes[HEAP_CHUNK];
} heap_chunk;

static world *const *heap_world;
static world_heap heap_shared; /* what SQLite keeps for the whole process */
static world_heap *heap_chosen = &heap_shared;
static heap_chunk *heap_unused; /* chunks of dead processes */

void heap_init(world_heap *heap)
{
    memset(heap, 0, sizeof *heap);
    heap->large.next = heap->large.previous = &heap->large;
}

static bool heap_fails(world_heap *heap)
{
    if (heap->fail_in == 0)
        return false;
    if (heap->fail_in > 1) {
        heap->fail_in--;
        return false;
    }
    if (!heap->fail_for_ever)
        heap->fail_in = 0;
    return true;
}

/* Sizes go in four steps from one power of two to the next; *room is that of the class. */
static int heap_class(size_t size, size_t *room)
{
    if (size <= 64) {
        *room = size <= 32 ? 32 : 64;
        return size <= 32 ? 0 : 1;
    }
    int power = 63 - __builtin_clzl(size - 1);
    size_t step = (size_t)1 << (power - 2);
    size_t steps = (size - 1 - ((size_t)1 << power)) / step;
    *room = ((size_t)1 << power) + (steps + 1) * step;
    return 2 + (power - 6) * 4 + (int)steps;
}

static void heap_chunk_add(world_heap *heap)
{
    heap_chunk *chunk = heap_unused;
    if (chunk)
        heap_unused = chunk->next;
    else
        chunk = malloc(sizeof *chunk);
    if (!chunk)
        abort();
    chunk->image = NULL;
    chunk->next = heap->chunks;
    heap->chunks = chunk;
    heap->used = 0;
}

static heap_block *heap_small_new(world_heap *heap, int class, size_t room)
{
    heap_block *block = heap->unused[class];
    if (block) {
        memcpy(&heap->unused[class], block + 1, sizeof block);
        return block;
    }
    if (!heap->chunks || heap->used + sizeof *block + room > HEAP_CHUNK)
        heap_chunk_add(heap);
    block = (heap_block *)(void *)(heap->chunks->bytes + heap->used);
    heap->used += sizeof *block + room;
    return block;
}

static heap_block *heap_large_new(world_heap *heap, size_t size)
{
    heap_large *large = malloc(sizeof *large + size);
    if (!large)
        abort();
    large->previous = &heap->large;
    large->next = heap->large.next;
    heap->large.next->previous = large;
    heap->large.next = large;
    return &large->block;
}

static void *heap_new(world_heap *heap, size_t size)
{
    size_t room = 0;
    int class = size <= HEAP_SMALL ? heap_class(size, &room) : HEAP_LARGE;
    heap_block *block =
        class == HEAP_LARGE ? heap_large_new(heap, size) : heap_small_new(heap, class, room);
    *block = (heap_block){(uint32_t)size, class, heap};
    heap->blocks++;
    return block + 1;
}

static void heap_large_free(heap_large *large)
{
    large->previous->next = large->next;
    large->next->previous = large->previous;
    free(large);
}

/* A block goes back to the heap it came from, whoever frees it. */
static void heap_free(heap_block *block)
{
    world_heap *heap = block->heap;
    heap->blocks--;
    if (block->class == HEAP_LARGE) {
        heap_large_free((heap_large *)(void *)((char *)block - offsetof(heap_large, block)));
        return;
    }
    memcpy(block + 1, &heap->unused[block->class], sizeof block);
    heap->unused[block->class] = block;
}

static bool heap_fits(const heap_block *block, size_t size)
{
    size_t room;
    return size <= HEAP_SMALL && block->class == heap_class(size, &room);
}

void *heap_resize(world_heap *heap, void *memory, size_t size)
{
    heap_block *block = memory ? (heap_block *)memory - 1 : NULL;
    if (size == 0) {
        if (block)
            heap_free(block);
        return NULL;
    }
    if (heap_fails(heap))
        return NULL;
    if (block && heap_fits(block, size)) {
        block->size = (uint32_t)size;
        return memory;
    }
    void *grown = heap_new(block ? block->heap : heap, size);
    if (block) {
        memcpy(grown, memory, block->size < size ? block->size : size);
        heap_free(block);
    }
    return grown;
}

void heap_drop(world_heap *heap)
{
    while (heap->large.next != &heap->large)
        heap_large_free(heap->large.next);
    while (heap->chunks) {
        heap_chunk *chunk = heap->chunks;
        heap->chunks = chunk->next;
        if (chunk->image)
            continue;
        chunk->next = heap_unused;
        heap_unused = chunk;
    }
    heap_init(heap);
}

void heap_choose(world_heap *heap)
{
    heap_chosen = heap;
}

/* Images. */

struct heap_image {
    world_heap heap;
    uint8_t *bytes; /* of its chunks, newest first; of the newest only those used */
};

static size_t heap_image_size(const heap_image *image, const heap_chunk *chunk)
{
    return chunk == image->heap.chunks ? image->heap.used : HEAP_CHUNK;
}

bool heap_has_chunks(void)
{
    return HEAP_SMALL > 0;
}

heap_image *heap_image_take(world_heap *heap)
{
    size_t at = 0;
    heap_image *image = calloc(1, sizeof *image);
    if (!image)
        abort();
    image->heap = *heap;
    for (heap_chunk *chunk = heap->chunks; chunk; chunk = chunk->next)
        at += heap_image_size(image, chunk);
    image->bytes = malloc(at);
    if (heap->large.next != &heap->large || !image->bytes) {
        heap_image_free(image);
        return NULL;
    }
    at = 0;
    for (heap_chunk *chunk = heap->chunks; chunk; chunk = chunk->next) {
        chunk->image = image;
        memcpy(image->bytes + at, chunk->bytes, heap_image_size(image, chunk));
        at += heap_image_size(image, chunk);
    }
    heap_init(heap);
    return image;
}

void heap_image_put(const heap_image *image, world_heap *heap)
{
    size_t at = 0;
    uint32_t fail_in = heap->fail_in;
    bool fail_for_ever = heap->fail_for_ever;
    heap_drop(heap);
    *heap = image->heap;
    heap->fail_in = fail_in;
    heap->fail_for_ever = fail_for_ever;
    for (heap_chunk *chunk = heap->chunks; chunk; chunk = chunk->next) {
        memcpy(chunk->bytes, image->bytes + at, heap_image_size(image, chunk));
        at += heap_image_size(image, chunk);
    }
}

void heap_image_free(heap_image *image)
{
    heap_chunk *next;
    if (!image)
        return;
    for (heap_chunk *chunk = image->heap.chunks; chunk; chunk = next) {
        next = chunk->next;
        if (chunk->image == image) {
            chunk->next = heap_unused;
            heap_unused = chunk;
        }
    }
    free(image->bytes);
    free(image);
}

static world_heap *heap_current(void)
{
    world *w = *heap_world;
    return w && w->current ? &w->current->process->heap : heap_chosen;
}

static void *sqlite_block_new(int size)
{
    return heap_resize(heap_current(), NULL, (size_t)size);
}

static void sqlite_block_free(void *memory)
{
    heap_resize(&heap_shared, memory, 0);
}

static void *sqlite_block_resize(void *memory, int size)
{
    return heap_resize(heap_current(), memory, (size_t)size);
}

static int sqlite_block_size(void *memory)
{
    return memory ? (int)((heap_block *)memory - 1)->size : 0;
}

static int sqlite_block_round(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_memory_start(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void sqlite_memory_stop(void *unused)
{
    (void)unused;
}

void heap_install(world *const *current_world)
{
    static const sqlite3_mem_methods methods = {
        sqlite_block_new,   sqlite_block_free,   sqlite_block_resize, sqlite_block_size,
        sqlite_block_round, sqlite_memory_start, sqlite_memory_stop,  NULL,
    };
    heap_world = current_world;
    heap_init(&heap_shared);
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_initialize();
}
