/* Sets of ranks and sorting by key: both in time that does not grow with the logarithm of the
 * number of nodes.
 *
 * Not here: what the keys mean.
 */
#include "graph/ranks.h"

bool sw__ranks_init(sw__ranks *ranks, sw__arena *scratch, size_t count)
{
    *ranks = (sw__ranks){0};
    do {
        count = (count + 63) / 64;
        ranks->floor[ranks->floors] = sw__arena_array(scratch, count, sizeof(uint64_t));
        if (!ranks->floor[ranks->floors++])
            return false;
    } while (count > 1);
    return true;
}

void sw__ranks_put(sw__ranks *ranks, uint32_t rank)
{
    for (int i = 0; i < ranks->floors; i++, rank >>= 6) {
        uint64_t *word = &ranks->floor[i][rank >> 6];
        uint64_t before = *word;
        *word |= UINT64_C(1) << (rank & 63);
        if (before)
            return;
    }
}

bool sw__ranks_empty(const sw__ranks *ranks)
{
    return ranks->floor[ranks->floors - 1][0] == 0;
}

uint32_t sw__ranks_take_least(sw__ranks *ranks)
{
    uint32_t rank = 0;
    for (int i = ranks->floors - 1; i >= 0; i--)
        rank = rank << 6 | (uint32_t)__builtin_ctzll(ranks->floor[i][rank]);
    uint32_t at = rank;
    for (int i = 0; i < ranks->floors; i++, at >>= 6) {
        uint64_t *word = &ranks->floor[i][at >> 6];
        *word &= ~(UINT64_C(1) << (at & 63));
        if (*word)
            break;
    }
    return rank;
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
