/* Ordering layers for few crossings.
 *
 * Start from a depth-first walk, which draws trees without crossings; sweep up and down, placing
 * every vertex at the barycentre of its neighbours (Sugiyama, Tagawa and Toda 1981); keep the best
 * order seen; at last swap neighbours while that helps (Gansner, Koutsofios, North and Vo 1993).
 * Crossings are counted with an accumulator tree (Barth, Juenger and Mutzel 2002). Everything is
 * decided by counts and positions, so the same graph is drawn the same way every time.
 */
#include "graph/layered.h"

#include <stdbool.h>
#include <string.h>

/* Sweeps without gain before giving up, and how many at all; large graphs get fewer, so that the
 * time stays near linear. */
#define SWEEPS_IDLE 4
#define SWEEPS_MOST 24
#define SWEEPS_LEAST 4
#define SWEEPS_WORK 1500000
#define SWAP_ROUNDS 8

typedef struct arrange_run {
    sw__layered *layered;
    uint64_t *keys; /* barycentre above, vertex below */
    uint64_t *merged;
    int32_t *tree;
    int32_t *best; /* the best order so far */
} arrange_run;

/* Vertices in the order in which a walk down from the roots comes to them. */
static int walk_order(sw__arena *scratch, sw__layered *layered)
{
    size_t vertices = (size_t)layered->vertex_count;
    bool *seen = sw__arena_array(scratch, vertices, sizeof(bool));
    int32_t *stack = sw__arena_array(scratch, vertices, sizeof(int32_t));
    int32_t *next = sw__arena_array(scratch, vertices, sizeof(int32_t));
    if (!seen || !stack || !next)
        return SW_ENOMEM;
    for (int32_t root = 0; root < layered->node_count; root++) {
        int32_t depth = 0;
        if (layered->up_start[root + 1] > layered->up_start[root])
            continue;
        stack[depth++] = root;
        seen[root] = true;
        while (depth > 0) {
            int32_t vertex = stack[depth - 1];
            int32_t at = layered->down_start[vertex] + next[vertex];
            if (next[vertex]++ == 0) {
                int32_t layer = layered->layer[vertex];
                layered->position[vertex] = layered->fill[layer]++;
                layered->order[layered->layer_start[layer] + layered->position[vertex]] = vertex;
            }
            if (at == layered->down_start[vertex + 1])
                depth--;
            else if (!seen[layered->down[at]]) {
                seen[layered->down[at]] = true;
                stack[depth++] = layered->down[at];
            }
        }
    }
    memset(layered->fill, 0, vertices * sizeof(int32_t));
    return SW_OK;
}

static void positions_set(sw__layered *layered, int32_t layer)
{
    int32_t start = layered->layer_start[layer];
    for (int32_t i = start; i < layered->layer_start[layer + 1]; i++)
        layered->position[layered->order[i]] = i - start;
}

/* Crossings between a layer and the next: for each piece, how many of those before it end further
 * right. tree counts the ends so far, by the powers of two in their positions (Fenwick 1994). */
static int64_t layer_crossings(const sw__layered *layered, int32_t layer, int32_t *tree)
{
    int32_t width = layered->layer_start[layer + 2] - layered->layer_start[layer + 1];
    int64_t crossings = 0, ends = 0;
    memset(tree, 0, ((size_t)width + 1) * sizeof(int32_t));
    for (int32_t i = layered->layer_start[layer]; i < layered->layer_start[layer + 1]; i++) {
        int32_t vertex = layered->order[i];
        int32_t first = layered->down_start[vertex], last = layered->down_start[vertex + 1];
        for (int32_t k = first; k < last; k++) {
            int64_t left = 0;
            for (int32_t at = layered->position[layered->down[k]] + 1; at > 0; at -= at & -at)
                left += tree[at];
            crossings += ends - left;
        }
        for (int32_t k = first; k < last; k++) {
            for (int32_t at = layered->position[layered->down[k]] + 1; at <= width; at += at & -at)
                tree[at]++;
        }
        ends += last - first;
    }
    return crossings;
}

int64_t sw__layered_crossings(sw__layered *layered, int32_t *tree)
{
    int64_t crossings = 0;
    for (int32_t layer = 0; layer + 1 < layered->layer_count; layer++)
        crossings += layer_crossings(layered, layer, tree);
    return crossings;
}

/* Merge sort of distinct-enough keys; runs of eight by insertion. */
static void keys_sort(uint64_t *keys, uint64_t *merged, int32_t count)
{
    for (int32_t start = 0; start < count; start += 8) {
        int32_t end = start + 8 < count ? start + 8 : count;
        for (int32_t i = start + 1; i < end; i++) {
            uint64_t key = keys[i];
            int32_t at = i;
            for (; at > start && keys[at - 1] > key; at--)
                keys[at] = keys[at - 1];
            keys[at] = key;
        }
    }
    for (int32_t run = 8; run < count; run *= 2) {
        for (int32_t start = 0; start + run < count; start += 2 * run) {
            int32_t middle = start + run;
            int32_t end = count - middle > run ? middle + run : count;
            int32_t left = 0, right = middle, at = start;
            memcpy(merged, keys + start, (size_t)run * sizeof(*keys));
            while (left < run && right < end)
                keys[at++] = keys[right] < merged[left] ? keys[right++] : merged[left++];
            memcpy(keys + at, merged + left, (size_t)(run - left) * sizeof(*keys));
        }
    }
}

/* Mean position of the neighbours in 16ths of a place, above the vertex's own position, so that
 * equals keep their order or, when turned, change it: what is stuck gets loose. */
static uint64_t barycentre_key(const sw__layered *layered, const int32_t *start,
                               const int32_t *node, int32_t vertex, bool turned)
{
    int64_t sum = 0;
    int64_t count = start[vertex + 1] - start[vertex];
    for (int32_t k = start[vertex]; k < start[vertex + 1]; k++)
        sum += layered->position[node[k]];
    uint32_t place = (uint32_t)layered->position[vertex];
    return (uint64_t)(sum * 16 / count) << 32 | (turned ? ~place : place);
}

/* Order one layer by the one above or below it. Vertices without neighbours there keep their
 * places; the others are sorted into the places that are left. */
static void layer_sort(arrange_run *run, int32_t layer, bool upward, bool turned)
{
    sw__layered *layered = run->layered;
    const int32_t *start = upward ? layered->down_start : layered->up_start;
    const int32_t *node = upward ? layered->down : layered->up;
    int32_t *order = layered->order + layered->layer_start[layer];
    int32_t width = layered->layer_start[layer + 1] - layered->layer_start[layer];
    int32_t count = 0;
    for (int32_t i = 0; i < width; i++) {
        if (start[order[i] + 1] > start[order[i]])
            run->keys[count++] = barycentre_key(layered, start, node, order[i], turned);
    }
    keys_sort(run->keys, run->merged, count);
    for (int32_t i = 0; i < count; i++) {
        uint32_t place = (uint32_t)run->keys[i];
        run->tree[i] = order[turned ? ~place : place];
    }
    int32_t next = 0;
    for (int32_t i = 0; i < width; i++) {
        if (start[order[i] + 1] > start[order[i]])
            order[i] = run->tree[next++];
    }
    positions_set(layered, layer);
}

static void layers_sweep(arrange_run *run, bool upward, bool turned)
{
    int32_t layers = run->layered->layer_count;
    for (int32_t i = 1; i < layers; i++)
        layer_sort(run, upward ? layers - 1 - i : i, upward, turned);
}

static void neighbours_sort(sw__layered *layered)
{
    for (int32_t layer = 0; layer < layered->layer_count; layer++) {
        sw__layered_sort_up(layered, layer);
        sw__layered_sort_down(layered, layer);
    }
}

static void order_save(const arrange_run *run)
{
    const sw__layered *layered = run->layered;
    memcpy(run->best, layered->order, (size_t)layered->vertex_count * sizeof(int32_t));
}

static void order_restore(arrange_run *run)
{
    sw__layered *layered = run->layered;
    memcpy(layered->order, run->best, (size_t)layered->vertex_count * sizeof(int32_t));
    for (int32_t layer = 0; layer < layered->layer_count; layer++)
        positions_set(layered, layer);
    neighbours_sort(layered);
}

/* Pieces of left that cross pieces of right while left stands left of right, less those that would
 * cross after a swap. Both have sorted neighbours. */
static int64_t pair_gain(const int32_t *position, const int32_t *left, int32_t left_count,
                         const int32_t *right, int32_t right_count)
{
    int64_t gain = 0;
    int32_t before = 0, through = 0;
    for (int32_t i = 0; i < left_count; i++) {
        int32_t at = position[left[i]];
        while (before < right_count && position[right[before]] < at)
            before++;
        through = through > before ? through : before;
        while (through < right_count && position[right[through]] <= at)
            through++;
        gain += before - (right_count - through);
    }
    return gain;
}

static int64_t swap_gain(const sw__layered *layered, int32_t left, int32_t right)
{
    const int32_t *up = layered->up_start, *down = layered->down_start;
    return pair_gain(layered->position, layered->up + up[left], up[left + 1] - up[left],
                     layered->up + up[right], up[right + 1] - up[right]) +
           pair_gain(layered->position, layered->down + down[left], down[left + 1] - down[left],
                     layered->down + down[right], down[right + 1] - down[right]);
}

/* Swap neighbours of one layer wherever that takes crossings away; how many. */
static int64_t layer_swap(sw__layered *layered, int32_t layer)
{
    int64_t gained = 0;
    for (int32_t i = layered->layer_start[layer]; i + 1 < layered->layer_start[layer + 1]; i++) {
        int32_t left = layered->order[i], right = layered->order[i + 1];
        int64_t gain = swap_gain(layered, left, right);
        if (gain <= 0)
            continue;
        layered->order[i] = right;
        layered->order[i + 1] = left;
        layered->position[right]--;
        layered->position[left]++;
        gained += gain;
    }
    if (gained > 0 && layer > 0)
        sw__layered_sort_down(layered, layer - 1);
    if (gained > 0 && layer + 1 < layered->layer_count)
        sw__layered_sort_up(layered, layer + 1);
    return gained;
}

static int64_t layers_swap(sw__layered *layered)
{
    int64_t gained = 0;
    for (int round = 0; round < SWAP_ROUNDS; round++) {
        int64_t gain = 0;
        for (int32_t layer = 0; layer < layered->layer_count; layer++)
            gain += layer_swap(layered, layer);
        if (gain == 0)
            break;
        gained += gain;
    }
    return gained;
}

static int32_t sweeps_most(const sw__layered *layered)
{
    int32_t sweeps = SWEEPS_WORK / (layered->piece_count + 1);
    if (sweeps > SWEEPS_MOST)
        return SWEEPS_MOST;
    return sweeps < SWEEPS_LEAST ? SWEEPS_LEAST : sweeps;
}

/* Sweep from the order there is; the least number of crossings, whose order is saved. */
static int64_t layers_arrange(arrange_run *run, int64_t least)
{
    int32_t most = sweeps_most(run->layered);
    int32_t idle = 0;
    order_save(run);
    for (int32_t sweep = 0; sweep < most && idle < SWEEPS_IDLE && least > 0; sweep++) {
        layers_sweep(run, sweep % 2 == 1, sweep % 4 >= 2);
        neighbours_sort(run->layered);
        int64_t crossings = sw__layered_crossings(run->layered, run->tree);
        idle++;
        if (crossings >= least)
            continue;
        least = crossings;
        idle = 0;
        order_save(run);
    }
    order_restore(run);
    return least;
}

int sw__layered_arrange(sw__arena *scratch, sw__layered *layered, int64_t *before, int64_t *after)
{
    size_t vertices = (size_t)layered->vertex_count;
    arrange_run run = {.layered = layered};
    run.keys = sw__arena_array(scratch, vertices, sizeof(uint64_t));
    run.merged = sw__arena_array(scratch, vertices, sizeof(uint64_t));
    run.tree = sw__arena_array(scratch, vertices + 1, sizeof(int32_t));
    run.best = sw__arena_array(scratch, vertices, sizeof(int32_t));
    if (sw__arena_failed(scratch) || walk_order(scratch, layered) < 0)
        return SW_ENOMEM;
    neighbours_sort(layered);
    *before = sw__layered_crossings(layered, run.tree);
    *after = layers_arrange(&run, *before);
    if (*after > 0)
        *after -= layers_swap(layered);
    return SW_OK;
}
