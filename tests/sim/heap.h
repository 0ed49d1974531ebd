/* Memory of simulated processes: counted, failing on demand, given back whole at death. */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_CLASSES 42
#define HEAP_LARGE (-1)

struct world_heap;

/* Stands before every block. */
typedef struct heap_block {
    uint32_t size; /* asked for */
    int32_t class; /* of sizes, HEAP_LARGE for none */
    struct world_heap *heap;
} heap_block;

/* A block too large for a chunk, in a ring. */
typedef struct heap_large {
    struct heap_large *next;
    struct heap_large *previous;
    heap_block block;
} heap_large;

typedef struct world_heap {
    size_t blocks;
    uint32_t fail_in; /* 0: no failure planned; 1: the next allocation fails */
    bool fail_for_ever;
    heap_large large;                 /* head of the ring */
    struct heap_chunk *chunks;        /* newest first */
    size_t used;                      /* bytes of the newest chunk */
    heap_block *unused[HEAP_CLASSES]; /* given back, by size */
} world_heap;

void heap_init(world_heap *heap);
/* realloc of one process; a size of 0 frees. */
void *heap_resize(world_heap *heap, void *block, size_t size);
/* The process has died. */
void heap_drop(world_heap *heap);
/* The heap that SQLite allocates from while no actor runs. */
void heap_choose(world_heap *heap);

typedef struct heap_image heap_image;

/* What a heap holds now, to be put back at the same places as often as is wanted; the heap is empty
 * afterwards. NULL: it holds blocks that are in no chunk. */
heap_image *heap_image_take(world_heap *heap);
/* Whether blocks lie in chunks at all: not with a sanitizer. */
bool heap_has_chunks(void);
/* Begin with what the image holds; no block of the heap, which it was taken from, is in use. */
void heap_image_put(const heap_image *image, world_heap *heap);
void heap_image_free(heap_image *image);

#endif
