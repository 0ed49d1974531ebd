/* Memory of simulated processes: counted, failing on demand, given back whole at death.
 *
 * SQLite allocates here too, so that an actor killed inside SQLite leaves nothing behind.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

static world *const *heap_world;
static world_heap heap_shared; /* what SQLite keeps for the whole process */

void heap_init(world_heap *heap)
{
    memset(heap, 0, sizeof *heap);
    heap->first.next = heap->first.previous = &heap->first;
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

static void heap_unlink(world_block *block)
{
    block->previous->next = block->next;
    block->next->previous = block->previous;
    block->heap->blocks--;
}

static void heap_link(world_heap *heap, world_block *block, size_t size)
{
    block->heap = heap;
    block->size = size;
    block->previous = &heap->first;
    block->next = heap->first.next;
    heap->first.next->previous = block;
    heap->first.next = block;
    heap->blocks++;
}

/* A block stays with the heap it came from, whoever resizes or frees it. */
void *heap_resize(world_heap *heap, void *memory, size_t size)
{
    world_block *block = memory ? (world_block *)memory - 1 : NULL;
    if (size == 0) {
        if (block)
            heap_unlink(block);
        free(block);
        return NULL;
    }
    if (heap_fails(heap))
        return NULL;
    world_heap *owner = block ? block->heap : heap;
    if (block)
        heap_unlink(block);
    block = realloc(block, sizeof *block + size);
    if (!block)
        abort();
    heap_link(owner, block, size);
    return block + 1;
}

void heap_drop(world_heap *heap)
{
    while (heap->first.next != &heap->first) {
        world_block *block = heap->first.next;
        heap_unlink(block);
        free(block);
    }
    heap->fail_in = 0;
    heap->fail_for_ever = false;
}

static world_heap *heap_current(void)
{
    world *w = *heap_world;
    return w && w->current ? &w->current->heap : &heap_shared;
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
    return memory ? (int)((world_block *)memory - 1)->size : 0;
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
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    sqlite3_initialize();
}
