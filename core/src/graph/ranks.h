/* Ranks: nodes sorted by a key, and a set of ranks with the least at hand. Pure. */
#ifndef SW_GRAPH_RANKS_H
#define SW_GRAPH_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define SW__RANKS_FLOORS 6 /* 64^6 ranks are more than there can be nodes */

/* A bitmap, over it a bitmap of its words that are not zero, and so on up to one word. */
typedef struct sw__ranks {
    uint64_t *floor[SW__RANKS_FLOORS];
    int floors;
    uint32_t least; /* the first word of floor 0 that is not zero; UINT32_MAX: all are */
} sw__ranks;

/* An empty set of ranks below count; false: no memory. */
bool sw__ranks_init(sw__ranks *ranks, sw__arena *scratch, size_t count);
/* A word of floor 0 is zero no more, or has become so: the floors above follow. */
void sw__ranks_word_filled(sw__ranks *ranks, uint32_t word);
void sw__ranks_word_emptied(sw__ranks *ranks, uint32_t word);

static inline bool sw__ranks_empty(const sw__ranks *ranks)
{
    return ranks->least == UINT32_MAX;
}

static inline void sw__ranks_put(sw__ranks *ranks, uint32_t rank)
{
    uint64_t *word = &ranks->floor[0][rank >> 6], before = *word;
    *word = before | UINT64_C(1) << (rank & 63);
    if (!before)
        sw__ranks_word_filled(ranks, rank >> 6);
}

/* The set must not be empty. */
static inline uint32_t sw__ranks_take_least(sw__ranks *ranks)
{
    uint32_t at = ranks->least;
    uint64_t *word = &ranks->floor[0][at];
    uint32_t rank = at << 6 | (uint32_t)__builtin_ctzll(*word);
    *word &= *word - 1;
    if (*word == 0)
        sw__ranks_word_emptied(ranks, at);
    return rank;
}

/* Nodes by rising key, those with the same key by number, and the place of each among them. keys
 * has node_count elements. False: no memory. */
bool sw__keys_rank(sw__arena *scratch, const uint64_t *keys, int32_t node_count,
                   int32_t **by_rank, int32_t **rank);

#endif
