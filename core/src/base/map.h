/* Hash maps with open addressing: int64 to int64, and string to int64.
 *
 * Keys of a string map are borrowed. No removal: the maps live for one call or one definition.
 */
#ifndef SW_BASE_MAP_H
#define SW_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell/sys/env.h"
#include "stepwell/types.h"

typedef struct sw__map_slot {
    int64_t key;
    int64_t value;
    bool used;
} sw__map_slot;

typedef struct sw__map {
    const sw_env *env;
    sw__map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} sw__map;

typedef struct sw__strmap_slot {
    sw_str key;
    uint64_t hash;
    int64_t value;
    bool used;
} sw__strmap_slot;

typedef struct sw__strmap {
    const sw_env *env;
    sw__strmap_slot *slots;
    size_t capacity;
    size_t count;
    uint64_t seed[2]; /* of the hash; drawn at the first put */
} sw__strmap;

void sw__map_init(sw__map *map, const sw_env *env);
void sw__map_free(sw__map *map);
void sw__map_clear(sw__map *map); /* keeps the memory */
/* Where the value of key is, or NULL. Valid until the next put. */
int64_t *sw__map_find(const sw__map *map, int64_t key);
/* Insert or overwrite. 0 or SW_ENOMEM. */
int sw__map_put(sw__map *map, int64_t key, int64_t value);

/* The hash of a string map, for other tables whose keys come from strangers: SipHash-1-3 under a
 * seed of their own. */
uint64_t sw__str_hash(const uint64_t seed[2], sw_str key);
void sw__str_hash_seed(const sw_env *env, uint64_t seed[2]);

void sw__strmap_init(sw__strmap *map, const sw_env *env);
void sw__strmap_free(sw__strmap *map);
/* Room for count keys. 0 or SW_ENOMEM. */
int sw__strmap_reserve(sw__strmap *map, size_t count);
int64_t *sw__strmap_find(const sw__strmap *map, sw_str key);
int sw__strmap_put(sw__strmap *map, sw_str key, int64_t value);

#endif
