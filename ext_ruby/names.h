/* Numbers for names, which are Strings or Symbols, in the order in which they come.
 *
 * A name is found by its object first, without being looked at: where names are literals, Symbols or
 * taken from one list, that is nearly always enough, and nothing but a small table is read. Else its
 * bytes decide. What waits for memory on the way is asked for ahead, for some names at once. Not here: Integers, and which kinds may be mixed (graph_edges.c).
 */
#ifndef RSW_NAMES_H
#define RSW_NAMES_H

#include "rsw.h"

/* An object that was seen. Where it lies is counted in words from a base, because what waits for
 * memory here gets faster by taking less of it. */
typedef struct rsw_known {
    uint32_t place; /* 0: free */
    int32_t number;
} rsw_known;

/* The bytes of a label. */
typedef struct rsw_known_text {
    uint32_t hash;
    int32_t after; /* its number and 1; 0: free */
} rsw_known_text;

/* Known objects are not kept alive: whoever reads names holds what they are read from, and lets no
 * Ruby code run in the middle. The collector may move them, and then all are forgotten. */
typedef struct rsw_names {
    VALUE labels;    /* Array of the names by their numbers, frozen */
    size_t expected; /* how many names the first tables have room for */
    uint64_t base;   /* of the places */
    rsw_known *known;
    int known_bits; /* there are 2 to this power, if there are any */
    size_t known_count;
    rsw_known_text *texts;
    size_t text_room; /* a power of 2, or 0 */
    bool moved;       /* the objects are elsewhere by now */
    /* The names that come are keys of a Hash, each once: Strings among them are not added to known,
     * since a Hash has mostly copies for keys, which are not mentioned elsewhere. */
    bool keys;
} rsw_names;

/* So many names are worth being asked for at once: enough to wait for memory together, and few enough
 * to be at hand still when they are read. */
#define RSW_NAMES_AHEAD 64

/* Tables are made with the first name, for as many as are expected. The caller keeps the answer,
 * which owns *names. */
VALUE rsw_names_new(rsw_names **names, VALUE labels, size_t expected);

/* Give the tables back before the collector would. */
void rsw_names_free(rsw_names *names);

/* Forget all objects. */
void rsw_names_forget(rsw_names *names);

/* Have what is known of up to RSW_NAMES_AHEAD nodes on its way before they are read. hashes[i] gets
 * what rsw_names_add wants to know of nodes[i]: the hash of a String that was not seen yet, else 0.
 * Reads no more than that it needs and changes nothing; nodes may be of any kind. */
void rsw_names_expect(const rsw_names *names, const VALUE *nodes, size_t count, uint32_t *hashes);

/* The number of a name that rsw_names_find did not find: an earlier one of the same bytes (the same
 * Symbol), or a new one. hash is what rsw_names_expect gave, or 0. Raises what is wrong with the text
 * of a String; row -1 where there is none. */
int32_t rsw_names_add(rsw_names *names, VALUE name, uint32_t hash, int64_t row);

/* 0 for what is too far from the base (16 GiB, or no address at all): that is known by its bytes
 * only. The lowest bits, in which objects do not differ, come to stand highest. */
static inline uint32_t rsw_names_place(const rsw_names *names, VALUE object)
{
    uint64_t distance = (uint64_t)object - names->base;

    distance = distance >> 3 | distance << 61;
    return distance > UINT32_MAX ? 0 : (uint32_t)distance;
}

/* Where the search for a place begins. */
static inline size_t rsw_names_start(const rsw_names *names, uint32_t place)
{
    return (size_t)(place * 0x9e3779b97f4a7c15u >> (64 - names->known_bits));
}

/* What is known of a place, or the free one where it belongs. */
static inline rsw_known *rsw_names_known(const rsw_names *names, uint32_t place)
{
    size_t mask = ((size_t)1 << names->known_bits) - 1;
    size_t at = rsw_names_start(names, place);

    while (names->known[at].place != 0 && names->known[at].place != place)
        at = (at + 1) & mask;
    return &names->known[at];
}

/* The number of an object that was seen. */
static inline bool rsw_names_find(rsw_names *names, VALUE object, int32_t *number)
{
    const rsw_known *known;
    uint32_t place;

    if (names->moved)
        rsw_names_forget(names);
    place = rsw_names_place(names, object);
    if (!names->known || place == 0)
        return false;
    known = rsw_names_known(names, place);
    *number = known->number;
    return known->place != 0;
}

#endif
