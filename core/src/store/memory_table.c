/* Rows by number: a sorted array of pointers. */
#include <string.h>

#include "store/memory.h"

size_t sw__table_seek(const sw__table *table, int64_t key)
{
    size_t low = 0;
    size_t high = table->count;
    if (high == 0 || key > table->items[high - 1].key)
        return high;
    uint64_t distance = (uint64_t)key - (uint64_t)table->items[0].key;
    if (key >= table->items[0].key && distance < high && table->items[distance].key == key)
        return (size_t)distance;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->items[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *sw__table_find(const sw__table *table, int64_t key)
{
    size_t at = sw__table_seek(table, key);
    return at < table->count && table->items[at].key == key ? table->items[at].row : NULL;
}

int sw__table_reserve(sw__table *table, const sw_env *env)
{
    size_t bytes;
    if (table->count < table->capacity)
        return SW_OK;
    size_t capacity = table->capacity ? table->capacity * 2 : 1;
    if (__builtin_mul_overflow(capacity, sizeof(*table->items), &bytes))
        return SW_ENOMEM;
    sw__table_item *items = sw__resize(env, table->items, bytes);
    if (!items)
        return SW_ENOMEM;
    table->items = items;
    table->capacity = capacity;
    return SW_OK;
}

void sw__table_add(sw__table *table, int64_t key, void *row)
{
    size_t at = sw__table_seek(table, key);
    memmove(&table->items[at + 1], &table->items[at], (table->count - at) * sizeof(*table->items));
    table->items[at] = (sw__table_item){.key = key, .row = row};
    table->count++;
}

void *sw__table_take(sw__table *table, int64_t key)
{
    size_t at = sw__table_seek(table, key);
    void *row = table->items[at].row;
    table->count--;
    memmove(&table->items[at], &table->items[at + 1], (table->count - at) * sizeof(*table->items));
    return row;
}
