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
#define HEAP_RUN_GAP 256
#define HEAP_GRAIN 16 /* that the sizes of all classes are multiples of */

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_SMALL ((size_t)0)
#else
#define HEAP_SMALL ((size_t)65536)
#endif

typedef struct heap_chunk {
    struct heap_chunk *next;
    const heap_image *image; /* that it belongs to for ever; NULL: none */
    size_t used;             /* once it is not the newest any more */
    uint8_t bytes[HEAP_CHUNK];
} heap_chunk;

static world *const *heap_world;
static world_heap heap_shared; /* what SQLite keeps for the whole process */
static world_heap *heap_chosen = &heap_shared;
static heap_chunk *heap_unused; /* chunks of dead processes */

/* Classes of sizes go in four steps from one power of two to the next. */
static size_t heap_rooms[HEAP_CLASSES];
static uint8_t heap_classes[65536 / HEAP_GRAIN + 1]; /* by size */

static void heap_make_classes(void)
{
    for (int class = 0; class < HEAP_CLASSES; class ++) {
        size_t power = (size_t)64 << (class - 2) / 4;
        heap_rooms[class] =
            class < 2 ? (size_t)32 << class : power + power / 4 * (size_t)((class - 2) % 4 + 1);
    }
    for (size_t size = 0, class = 0; size <= 65536; size += HEAP_GRAIN) {
        class += size > heap_rooms[class];
        heap_classes[size / HEAP_GRAIN] = (uint8_t) class;
    }
}

static int heap_class(size_t size)
{
    return heap_classes[(size + HEAP_GRAIN - 1) / HEAP_GRAIN];
}

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

static void heap_chunk_add(world_heap *heap)
{
    heap_chunk *chunk = heap_unused;
    if (chunk)
        heap_unused = chunk->next;
    else
        chunk = malloc(sizeof *chunk);
    if (!chunk)
        abort();
    if (heap->chunks)
        heap->chunks->used = heap->used;
    chunk->image = NULL;
    chunk->next = heap->chunks;
    heap->chunks = chunk;
    heap->used = 0;
}

static heap_block *heap_small_new(world_heap *heap, int class)
{
    heap_block *block = heap->unused[class];
    if (block) {
        memcpy(&heap->unused[class], block + 1, sizeof block);
        return block;
    }
    size_t size = sizeof *block + heap_rooms[class];
    if (!heap->chunks || heap->used + size > HEAP_CHUNK)
        heap_chunk_add(heap);
    block = (heap_block *)(void *)(heap->chunks->bytes + heap->used);
    heap->used += size;
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
    int class = size <= HEAP_SMALL ? heap_class(size) : HEAP_LARGE;
    heap_block *block =
        class == HEAP_LARGE ? heap_large_new(heap, size) : heap_small_new(heap, class);
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
    block->heap = NULL;
    memcpy(block + 1, &heap->unused[block->class], sizeof block);
    heap->unused[block->class] = block;
}

static bool heap_fits(const heap_block *block, size_t size)
{
    return size <= HEAP_SMALL && block->class == heap_class(size);
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

/* Bytes that lie side by side in a chunk. */
typedef struct heap_run {
    uint8_t *at;
    size_t size;
} heap_run;

struct heap_image {
    world_heap heap;
    heap_run *runs; /* of blocks in use, and of what leads from one unused block to the next */
    size_t run_count;
    uint8_t *bytes; /* of all runs, one behind the other */
};

static size_t heap_chunk_used(const world_heap *heap, const heap_chunk *chunk)
{
    return chunk == heap->chunks ? heap->used : chunk->used;
}

bool heap_has_chunks(void)
{
    return HEAP_SMALL > 0;
}

/* Runs that nearly touch are one: copying what lies between costs less than beginning anew. */
static void heap_run_add(heap_image *image, uint8_t *at, size_t size)
{
    heap_run *last = image->run_count ? &image->runs[image->run_count - 1] : NULL;
    if (last && at >= last->at && at < last->at + last->size + HEAP_RUN_GAP)
        last->size = (size_t)(at - last->at) + size;
    else
        image->runs[image->run_count++] = (heap_run){at, size};
}

static void heap_chunk_take(heap_image *image, heap_chunk *chunk)
{
    for (size_t at = 0; at < heap_chunk_used(&image->heap, chunk);) {
        heap_block *block = (heap_block *)(void *)(chunk->bytes + at);
        size_t kept = block->heap ? block->size : sizeof block;
        heap_run_add(image, chunk->bytes + at, sizeof *block + kept);
        at += sizeof *block + heap_rooms[block->class];
    }
    chunk->image = image;
}

static size_t heap_image_copy(const heap_image *image, bool back)
{
    size_t at = 0;
    for (size_t i = 0; i < image->run_count; i++) {
        const heap_run *run = &image->runs[i];
        if (back)
            memcpy(run->at, image->bytes + at, run->size);
        else if (image->bytes)
            memcpy(image->bytes + at, run->at, run->size);
        at += run->size;
    }
    return at;
}

heap_image *heap_image_take(world_heap *heap)
{
    size_t blocks = 0;
    heap_image *image = calloc(1, sizeof *image);
    for (heap_chunk *chunk = heap->chunks; chunk; chunk = chunk->next)
        blocks += HEAP_CHUNK / (sizeof(heap_block) + heap_rooms[0]);
    if (!image || !(image->runs = malloc((blocks + 1) * sizeof *image->runs)))
        abort();
    image->heap = *heap;
    if (heap->large.next != &heap->large) {
        heap_image_free(image);
        return NULL;
    }
    for (heap_chunk *chunk = heap->chunks; chunk; chunk = chunk->next)
        heap_chunk_take(image, chunk);
    image->bytes = malloc(heap_image_copy(image, false));
    if (!image->bytes)
        abort();
    heap_image_copy(image, false);
    heap_init(heap);
    return image;
}

void heap_image_put(const heap_image *image, world_heap *heap)
{
    uint32_t fail_in = heap->fail_in;
    bool fail_for_ever = heap->fail_for_ever;
    heap_drop(heap);
    *heap = image->heap;
    heap->fail_in = fail_in;
    heap->fail_for_ever = fail_for_ever;
    heap_image_copy(image, true);
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
    free(image->runs);
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
    world_heap *heap = heap_current();
    return heap_fails(heap) ? NULL : heap_new(heap, (size_t)size);
}

static void sqlite_block_free(void *memory)
{
    if (memory)
        heap_free((heap_block *)memory - 1);
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
    heap_make_classes();
    heap_init(&heap_shared);
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_initialize();
}
