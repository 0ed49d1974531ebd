/* Rows by text: a hash table with chains. Idempotency keys come from strangers, so the hash is
 * seeded. */
#include "base/map.h"
#include "base/str.h"
#include "store/memory.h"

void *sw__index_find(const sw__index *index, sw_str key)
{
    if (index->capacity == 0)
        return NULL;
    uint64_t hash = sw__str_hash(index->seed, key);
    sw__index_link *link = index->chains[hash & (index->capacity - 1)];
    while (link && (link->hash != hash || !sw__str_equal(link->key, key)))
        link = link->next;
    return link ? link->row : NULL;
}

static void index_move(sw__index *from, sw__index *to)
{
    for (size_t i = 0; i < from->capacity; i++) {
        sw__index_link *link = from->chains[i];
        while (link) {
            sw__index_link *next = link->next;
            sw__index_link **chain = &to->chains[link->hash & (to->capacity - 1)];
            link->next = *chain;
            *chain = link;
            link = next;
        }
    }
}

int sw__index_reserve(sw__index *index, const sw_env *env)
{
    if (index->count < index->capacity)
        return SW_OK;
    sw__index grown = *index;
    grown.capacity = index->capacity ? index->capacity * 2 : 64;
    grown.chains = sw__calloc(env, grown.capacity, sizeof(*grown.chains));
    if (!grown.chains)
        return SW_ENOMEM;
    if (index->capacity == 0)
        sw__str_hash_seed(env, grown.seed);
    index_move(index, &grown);
    sw__free(env, index->chains);
    *index = grown;
    return SW_OK;
}

void sw__index_add(sw__index *index, sw__index_link *link, sw_str key, void *row)
{
    uint64_t hash = sw__str_hash(index->seed, key);
    sw__index_link **chain = &index->chains[hash & (index->capacity - 1)];
    *link = (sw__index_link){.next = *chain, .hash = hash, .key = key, .row = row};
    *chain = link;
    index->count++;
}

void sw__index_remove(sw__index *index, sw__index_link *link)
{
    sw__index_link **at = &index->chains[link->hash & (index->capacity - 1)];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    index->count--;
}
