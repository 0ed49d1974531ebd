/* A row and its texts in one block of memory, so that one call makes it and one frees it. */
#include <string.h>

#include "store/memory.h"

void sw__block_need(sw__block *block, sw_str text)
{
    if (__builtin_add_overflow(block->size, text.len, &block->size))
        block->overflow = true;
}

void *sw__block_make(sw__block *block, const sw_env *env, size_t size)
{
    size_t total;
    if (block->overflow || __builtin_add_overflow(block->size, size, &total))
        return NULL;
    block->start = sw__resize(env, NULL, total);
    if (!block->start)
        return NULL;
    block->used = size;
    return memset(block->start, 0, size);
}

sw_str sw__block_copy(sw__block *block, sw_str text)
{
    if (!text.ptr)
        return (sw_str){NULL, 0};
    char *copy = (char *)block->start + block->used;
    memcpy(copy, text.ptr, text.len);
    block->used += text.len;
    return (sw_str){copy, text.len};
}

sw_str sw__block_copy_name(sw__block *block, sw_str text)
{
    return sw__block_copy(block, text.ptr ? text : (sw_str){"", 0});
}
