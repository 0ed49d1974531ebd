/* Memory of SQLite from an environment of tests; see sqlite_heap.h. */
#include "helper/sqlite_heap.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* In front of each block: its size, which SQLite asks for. */
typedef union heap_head {
    int size;
    max_align_t align;
} heap_head;

static fault_env *heap_fault;
static atomic_size_t heap_live;

static void *heap_resize(void *block, int size)
{
    heap_head *head = block ? (heap_head *)block - 1 : NULL;
    size_t total = (size_t)size + sizeof(heap_head);
    head = heap_fault->env.resize(heap_fault->env.context, head, total);
    if (!head)
        return NULL;
    heap_live += block == NULL;
    head->size = size;
    return head + 1;
}

static void *heap_malloc(int size)
{
    return heap_resize(NULL, size);
}

static void heap_free(void *block)
{
    if (!block)
        return;
    heap_live--;
    heap_fault->env.resize(heap_fault->env.context, (heap_head *)block - 1, 0);
}

static int heap_size(void *block)
{
    return block ? ((heap_head *)block - 1)->size : 0;
}

static int heap_roundup(int size)
{
    return (size + 7) & ~7;
}

static int heap_init(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void heap_shutdown(void *context)
{
    (void)context;
}

void sqlite_heap_use(fault_env *fault)
{
    static sqlite3_mem_methods methods = {
        .xMalloc = heap_malloc,
        .xFree = heap_free,
        .xRealloc = heap_resize,
        .xSize = heap_size,
        .xRoundup = heap_roundup,
        .xInit = heap_init,
        .xShutdown = heap_shutdown,
    };
    heap_fault = fault;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK ||
        sqlite3_initialize() != SQLITE_OK)
        abort();
}

size_t sqlite_heap_live(void)
{
    return heap_live;
}
