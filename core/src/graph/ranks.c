/* Sets of ranks and sorting by key: both in time that does not grow with the logarithm of the
 * number of nodes.
 *
 * Not here: what the keys mean.
 */
#include "graph/ranks.h"

bool sw__ranks_init(sw__ranks *ranks, sw__arena *scratch, size_t count)
{
    *ranks = (sw__ranks){.least = UINT32_MAX};
    do {
        count = (count + 63) / 64;
        ranks->floor[ranks->floors] = sw__arena_array(scratch, count, sizeof(uint64_t));
        if (!ranks->floor[ranks->floors++])
            return false;
    } while (count > 1);
    return true;
}

void sw__ranks_word_filled(sw__ranks *ranks, uint32_t word)
{
    ranks->least = word < ranks->least ? word : ranks->least;
    for (int i = 1; i < ranks->floors; i++, word >>= 6) {
        uint64_t *above = &ranks->floor[i][word >> 6], before = *above;
        *above = before | UINT64_C(1) << (word & 63);
        if (before)
            return;
    }
}

/* It was the first that was not zero: up to a word that still is not, and down to its first. */
void sw__ranks_word_emptied(sw__ranks *ranks, uint32_t word)
{
    uint64_t above = 0;
    int i = 0;
    while (above == 0 && ++i < ranks->floors) {
        ranks->floor[i][word >> 6] &= ~(UINT64_C(1) << (word & 63));
        word >>= 6;
        above = ranks->floor[i][word];
    }
    for (; above != 0 && i > 0; i--)
        word = word << 6 | (uint32_t)__builtin_ctzll(ranks->floor[i][word]);
    ranks->least = above != 0 ? word : UINT32_MAX;
}

/* One pass of a radix sort, by one byte of the keys. False when all keys agree in it, and nothing
 * was moved. */
static bool keys_pass(const uint64_t *keys, int32_t node_count, int shift, const int32_t *from,
                      int32_t *to)
{
    int32_t start[257] = {0};
    for (int32_t i = 0; i < node_count; i++)
        start[(keys[i] >> shift & 255) + 1]++;
    if (start[(keys[0] >> shift & 255) + 1] == node_count)
        return false;
    for (int i = 0; i < 256; i++)
        start[i + 1] += start[i];
    for (int32_t i = 0; i < node_count; i++)
        to[start[keys[from[i]] >> shift & 255]++] = from[i];
    return true;
}

bool sw__keys_rank(sw__arena *scratch, const uint64_t *keys, int32_t node_count, int32_t **by_rank,
                   int32_t **rank)
{
    int32_t *sorted = sw__arena_array(scratch, (size_t)node_count, sizeof(int32_t));
    int32_t *other = sw__arena_array(scratch, (size_t)node_count, sizeof(int32_t));
    if (!sorted || !other)
        return false;
    for (int32_t i = 0; i < node_count; i++)
        sorted[i] = i;
    for (int shift = 0; shift < 64 && node_count > 0; shift += 8) {
        if (keys_pass(keys, node_count, shift, sorted, other)) {
            int32_t *swap = sorted;
            sorted = other;
            other = swap;
        }
    }
    for (int32_t i = 0; i < node_count; i++)
        other[sorted[i]] = i;
    *by_rank = sorted;
    *rank = other;
    return true;
}
