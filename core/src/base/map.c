/* Hash maps with open addressing and linear probing, at most three quarters full.
 *
 * Strings are hashed with SipHash-1-3 under a random key of the map, because names come from
 * files that strangers write and a known hash lets them make every lookup a scan. Integer keys are
 * numbers of our own. Not here: removal and iteration.
 */
#include "base/map.h"

#include <string.h>

#include "base/env.h"
#include "base/str.h"
#include "stepwell/error.h"

#define SW__MAP_FIRST ((size_t)16)

static bool map_is_full(size_t count, size_t capacity)
{
    return count + 1 > capacity - capacity / 4;
}

/* Cannot overflow: the slots of the present capacity, of more than two bytes each, are in memory.
 */
static size_t map_capacity_next(size_t capacity)
{
    return capacity ? capacity * 2 : SW__MAP_FIRST;
}

/* The finaliser of MurmurHash3: every bit of the key reaches the low bits. */
static uint64_t map_hash(int64_t key)
{
    uint64_t hash = (uint64_t)key;
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    hash ^= hash >> 33;
    return hash;
}

/* The slot that holds key, or the free one where it belongs. */
static sw__map_slot *map_slot(const sw__map *map, int64_t key)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)map_hash(key) & mask;
    while (map->slots[at].used && map->slots[at].key != key)
        at = (at + 1) & mask;
    return &map->slots[at];
}

static int map_grow(sw__map *map)
{
    sw__map grown = {.env = map->env, .count = map->count};
    grown.capacity = map_capacity_next(map->capacity);
    grown.slots = sw__calloc(map->env, grown.capacity, sizeof(*grown.slots));
    if (!grown.slots)
        return SW_ENOMEM;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].used)
            *map_slot(&grown, map->slots[i].key) = map->slots[i];
    }
    sw__free(map->env, map->slots);
    *map = grown;
    return SW_OK;
}

void sw__map_init(sw__map *map, const sw_env *env)
{
    *map = (sw__map){.env = env};
}

void sw__map_free(sw__map *map)
{
    sw__free(map->env, map->slots);
    sw__map_init(map, map->env);
}

void sw__map_clear(sw__map *map)
{
    if (map->count > 0)
        memset(map->slots, 0, map->capacity * sizeof(*map->slots));
    map->count = 0;
}

int64_t *sw__map_find(const sw__map *map, int64_t key)
{
    if (map->count == 0)
        return NULL;
    sw__map_slot *slot = map_slot(map, key);
    return slot->used ? &slot->value : NULL;
}

int sw__map_put(sw__map *map, int64_t key, int64_t value)
{
    sw__map_slot *slot = map->capacity ? map_slot(map, key) : NULL;
    bool known = slot && slot->used;
    if (!known && map_is_full(map->count, map->capacity)) {
        if (map_grow(map) < 0)
            return SW_ENOMEM;
        slot = map_slot(map, key);
    }
    *slot = (sw__map_slot){.key = key, .value = value, .used = true};
    map->count += !known;
    return SW_OK;
}

static uint64_t sip_rotate(uint64_t word, int bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = sip_rotate(v[1], 13) ^ v[0];
    v[3] = sip_rotate(v[3], 16) ^ v[2];
    v[0] = sip_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = sip_rotate(v[1], 17) ^ v[2];
    v[3] = sip_rotate(v[3], 21) ^ v[0];
    v[2] = sip_rotate(v[2], 32);
}

/* SipHash with one round per word and three at the end. Words are read in host order: a hash
 * never leaves its process. */
uint64_t sw__str_hash(const uint64_t seed[2], sw_str key)
{
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261),
                     seed[1] ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    uint64_t word;
    for (; key.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, key.ptr + at, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    if (key.len > at)
        memcpy(&word, key.ptr + at, key.len - at);
    word ^= (uint64_t)key.len << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Without random bytes the addresses of the process still make a key that a file cannot know. */
void sw__str_hash_seed(const sw_env *env, uint64_t seed[2])
{
    if (env->random(env->context, seed, 2 * sizeof(*seed)) < 0) {
        seed[0] = (uint64_t)(uintptr_t)seed;
        seed[1] = (uint64_t)(uintptr_t)&sw__str_hash_seed;
    }
}

static sw__strmap_slot *strmap_slot(const sw__strmap *map, sw_str key, uint64_t hash)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash & mask;
    while (map->slots[at].used &&
           (map->slots[at].hash != hash || !sw__str_equal(map->slots[at].key, key)))
        at = (at + 1) & mask;
    return &map->slots[at];
}

static int strmap_grow(sw__strmap *map, size_t capacity)
{
    sw__strmap grown = *map;
    grown.capacity = capacity;
    grown.slots = sw__calloc(map->env, grown.capacity, sizeof(*grown.slots));
    if (!grown.slots)
        return SW_ENOMEM;
    for (size_t i = 0; i < map->capacity; i++) {
        const sw__strmap_slot *slot = &map->slots[i];
        if (slot->used)
            *strmap_slot(&grown, slot->key, slot->hash) = *slot;
    }
    sw__free(map->env, map->slots);
    *map = grown;
    return SW_OK;
}

void sw__strmap_init(sw__strmap *map, const sw_env *env)
{
    *map = (sw__strmap){.env = env};
}

void sw__strmap_free(sw__strmap *map)
{
    sw__free(map->env, map->slots);
    sw__strmap_init(map, map->env);
}

int sw__strmap_reserve(sw__strmap *map, size_t count)
{
    size_t capacity = map->capacity;
    while (map_is_full(count, capacity))
        capacity = map_capacity_next(capacity);
    return capacity > map->capacity ? strmap_grow(map, capacity) : SW_OK;
}

int64_t *sw__strmap_find(const sw__strmap *map, sw_str key)
{
    if (map->count == 0)
        return NULL;
    sw__strmap_slot *slot = strmap_slot(map, key, sw__str_hash(map->seed, key));
    return slot->used ? &slot->value : NULL;
}

int sw__strmap_put(sw__strmap *map, sw_str key, int64_t value)
{
    if (map->count == 0)
        sw__str_hash_seed(map->env, map->seed);
    int64_t *found = sw__strmap_find(map, key);
    if (found) {
        *found = value;
        return SW_OK;
    }
    if (map_is_full(map->count, map->capacity) &&
        strmap_grow(map, map_capacity_next(map->capacity)) < 0)
        return SW_ENOMEM;
    uint64_t hash = sw__str_hash(map->seed, key);
    *strmap_slot(map, key, hash) =
        (sw__strmap_slot){.key = key, .hash = hash, .value = value, .used = true};
    map->count++;
    return SW_OK;
}
