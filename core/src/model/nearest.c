/* Edit distance (insert, delete, replace, swap of neighbours) within a narrow band around the
 * diagonal. Upper and lower case, '-' and '_' count as equal, because these are what people mix
 * up. A name that only lacks its end ("timeout" for "timeout_ms") is taken when nothing is nearer.
 * Not here: which names are candidates.
 */
#include "model/nearest.h"

#include <stdbool.h>

#include "base/limits.h"

/* A third of the word may be wrong, three characters at most. */
#define NEAREST_MOST ((size_t)3)
/* Fewer characters than these say too little to be taken for the beginning of a name. */
#define NEAREST_PREFIX ((size_t)4)

sw__nearest sw__nearest_start(sw_str word, int64_t *left)
{
    size_t most = word.len / 3;
    if (most < 1)
        most = 1;
    if (most > NEAREST_MOST)
        most = NEAREST_MOST;
    return (sw__nearest){.word = word, .distance = most + 1, .left = left};
}

static char letter_fold(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return (char)(letter - 'A' + 'a');
    return letter == '-' ? '_' : letter;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One row of the distance table, for the first i letters of a; above and above2 are the two rows
 * before it. Only the columns from first to last are filled. */
static void distance_row(sw_str a, sw_str b, size_t i, size_t first, size_t last,
                         const size_t *above2, const size_t *above, size_t *row)
{
    char letter = letter_fold(a.ptr[i - 1]);
    for (size_t k = first; k <= last; k++) {
        char other = letter_fold(b.ptr[k - 1]);
        row[k] = least(above[k - 1] + (letter != other), least(above[k], row[k - 1]) + 1);
        bool swapped = i > 1 && k > 1 && letter == letter_fold(b.ptr[k - 2]) &&
                       other == letter_fold(a.ptr[i - 2]);
        if (swapped)
            row[k] = least(row[k], above2[k - 2] + 1);
    }
}

/* Distance of two names, or a number not below limit when it is at least that. */
static size_t name_distance(sw_str a, sw_str b, size_t limit)
{
    size_t rows[3][SW__NAME_MAX + 2] = {{0}};
    for (size_t k = 0; k <= b.len; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        size_t first = i > limit ? i - limit : 1;
        size_t last = least(i + limit, b.len);
        row[first - 1] = first == 1 ? i : limit;
        distance_row(a, b, i, first, last, rows[(i + 1) % 3], rows[(i + 2) % 3], row);
        row[last + 1] = limit; /* read by the next row, outside of the band */
    }
    return rows[a.len % 3][b.len];
}

static bool name_begins(sw_str name, sw_str start)
{
    if (start.len < NEAREST_PREFIX || start.len >= name.len)
        return false;
    for (size_t i = 0; i < start.len; i++) {
        if (letter_fold(name.ptr[i]) != letter_fold(start.ptr[i]))
            return false;
    }
    return true;
}

void sw__nearest_try(sw__nearest *search, sw_str candidate)
{
    sw_str word = search->word;
    size_t apart = word.len > candidate.len ? word.len - candidate.len : candidate.len - word.len;
    --*search->left;
    if (word.len == 0 || candidate.len == 0)
        return;
    if (word.len > SW__NAME_MAX || candidate.len > SW__NAME_MAX)
        return;
    if (!search->best.ptr && name_begins(candidate, word))
        search->best = candidate;
    if (apart >= search->distance)
        return;
    *search->left -= (int64_t)(word.len * (2 * search->distance + 1));
    if (*search->left < 0)
        return;
    size_t distance = name_distance(word, candidate, search->distance);
    if (distance < search->distance) {
        search->distance = distance;
        search->best = candidate;
    }
}
