/* Placing the vertices of ordered layers so that lines are straight and short.
 *
 * Brandes and Koepf (2001): join each vertex with the median of its neighbours above into blocks
 * that are drawn straight, preferring the inner pieces of long edges; do so from each of the four
 * corners; take the mean of the two middle results. An inner piece that crosses no other inner
 * piece comes out straight. Blocks are packed by longest paths, first to the left and then towards
 * their right neighbours, instead of by the shifted classes of the paper, which can overlap
 * (Brandes, Walter and Zink 2020).
 */
#include "graph/layered.h"

#include <stdbool.h>

#define CORNERS 4

/* Where the inner pieces beside a vertex start in the layer above: an edge to the vertex that
 * starts beyond one of them crosses it. */
typedef struct inner_bounds {
    int32_t left;
    int32_t right;
} inner_bounds;

typedef struct place_run {
    const sw__layered *layered;
    const sw__spacing *spacing;
    inner_bounds *bounds; /* of each vertex */
    int32_t *root;        /* first vertex of the block of each vertex */
    int32_t *align;       /* the next vertex of the block, round */
    int32_t *waits;       /* of each block: left neighbours that are not placed yet */
    int32_t *queue;       /* blocks, left neighbours before right ones */
    bool upward;          /* this corner: blocks grow from the last layer up */
    bool mirrored;        /* from right to left */
} place_run;

/* Whether the piece from the layer above that ends at vertex joins two bends. */
static bool piece_inner(const sw__layered *layered, int32_t vertex)
{
    return vertex >= layered->node_count &&
           layered->up[layered->up_start[vertex]] >= layered->node_count;
}

static int32_t inner_position(const sw__layered *layered, int32_t vertex)
{
    return layered->position[layered->up[layered->up_start[vertex]]];
}

static void bounds_fill(place_run *run, int32_t layer)
{
    const sw__layered *layered = run->layered;
    int32_t first = layered->layer_start[layer], end = layered->layer_start[layer + 1];
    int32_t left = -1, right = INT32_MAX;
    for (int32_t i = first; i < end; i++) {
        int32_t vertex = layered->order[i];
        run->bounds[vertex].left = left;
        if (piece_inner(layered, vertex) && inner_position(layered, vertex) > left)
            left = inner_position(layered, vertex);
    }
    for (int32_t i = end - 1; i >= first; i--) {
        int32_t vertex = layered->order[i];
        run->bounds[vertex].right = right;
        if (piece_inner(layered, vertex) && inner_position(layered, vertex) < right)
            right = inner_position(layered, vertex);
    }
}

static bool piece_crosses_inner(const place_run *run, int32_t above, int32_t below)
{
    const sw__layered *layered = run->layered;
    if (above >= layered->node_count && below >= layered->node_count)
        return false;
    int32_t at = layered->position[above];
    return at < run->bounds[below].left || at > run->bounds[below].right;
}

/* Position of a vertex as seen from this corner. */
static int32_t corner_position(const place_run *run, int32_t vertex)
{
    const sw__layered *layered = run->layered;
    int32_t layer = layered->layer[vertex], at = layered->position[vertex];
    if (!run->mirrored)
        return at;
    return layered->layer_start[layer + 1] - layered->layer_start[layer] - 1 - at;
}

/* Join vertex with a median of its neighbours unless that would cross what is joined already.
 * *joined is how far the neighbours of this layer are used up. */
static void vertex_align(place_run *run, int32_t vertex, int32_t *joined)
{
    const sw__layered *layered = run->layered;
    const int32_t *start = run->upward ? layered->down_start : layered->up_start;
    const int32_t *node = run->upward ? layered->down : layered->up;
    int32_t first = start[vertex], count = start[vertex + 1] - first;
    for (int32_t i = 0; i < 2 && count > 0 && run->align[vertex] == vertex; i++) {
        bool lower = (i == 0) != run->mirrored;
        int32_t other = node[first + (lower ? (count - 1) / 2 : count / 2)];
        int32_t at = corner_position(run, other);
        int32_t above = run->upward ? vertex : other, below = run->upward ? other : vertex;
        if (at <= *joined || piece_crosses_inner(run, above, below))
            continue;
        run->align[other] = vertex;
        run->root[vertex] = run->root[other];
        run->align[vertex] = run->root[vertex];
        *joined = at;
    }
}

static void blocks_build(place_run *run)
{
    const sw__layered *layered = run->layered;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        run->root[vertex] = run->align[vertex] = vertex;
    for (int32_t i = 1; i < layered->layer_count; i++) {
        int32_t layer = run->upward ? layered->layer_count - 1 - i : i;
        int32_t first = layered->layer_start[layer], end = layered->layer_start[layer + 1];
        int32_t joined = -1;
        for (int32_t k = 0; k < end - first; k++)
            vertex_align(run, layered->order[run->mirrored ? end - 1 - k : first + k], &joined);
    }
}

/* The next vertex of the layer as seen from this corner, or -1. */
static int32_t vertex_beside(const place_run *run, int32_t vertex)
{
    const sw__layered *layered = run->layered;
    int32_t layer = layered->layer[vertex];
    int32_t at = layered->position[vertex] + (run->mirrored ? -1 : 1);
    if (at < 0 || at >= layered->layer_start[layer + 1] - layered->layer_start[layer])
        return -1;
    return layered->order[layered->layer_start[layer] + at];
}

/* Least distance between the middles of a vertex and the one beside it. */
static int32_t vertex_distance(const place_run *run, int32_t vertex, int32_t beside)
{
    const sw__layered *layered = run->layered;
    int32_t left = run->mirrored ? beside : vertex, right = run->mirrored ? vertex : beside;
    bool bend = left >= layered->node_count || right >= layered->node_count;
    return sw__layered_right(layered, run->spacing, left) +
           (bend ? run->spacing->bend_gap : run->spacing->node_gap) +
           sw__layered_left(layered, run->spacing, right);
}

/* Place every block as far to the left as its left neighbours allow. x counts for the root of a
 * block; queue gets the blocks in an order in which that can be done. */
static void blocks_pack(place_run *run, int32_t *x)
{
    const sw__layered *layered = run->layered;
    int32_t count = 0;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        run->waits[vertex] = x[vertex] = 0;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++) {
        int32_t beside = vertex_beside(run, vertex);
        if (beside >= 0)
            run->waits[run->root[beside]]++;
    }
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++) {
        if (run->root[vertex] == vertex && run->waits[vertex] == 0)
            run->queue[count++] = vertex;
    }
    for (int32_t i = 0; i < count; i++) {
        int32_t block = run->queue[i], vertex = block;
        do {
            int32_t beside = vertex_beside(run, vertex);
            if (beside >= 0) {
                int32_t other = run->root[beside];
                int32_t least = x[block] + vertex_distance(run, vertex, beside);
                x[other] = x[other] > least ? x[other] : least;
                if (--run->waits[other] == 0)
                    run->queue[count++] = other;
            }
            vertex = run->align[vertex];
        } while (vertex != block);
    }
}

/* Move blocks back to the right as far as their right neighbours allow, then give every vertex the
 * place of its block. */
static void blocks_relax(place_run *run, int32_t *x)
{
    const sw__layered *layered = run->layered;
    int32_t blocks = 0;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        blocks += run->root[vertex] == vertex;
    for (int32_t i = blocks - 1; i >= 0; i--) {
        int32_t block = run->queue[i], vertex = block, most = INT32_MAX;
        do {
            int32_t beside = vertex_beside(run, vertex);
            if (beside >= 0) {
                int32_t room = x[run->root[beside]] - vertex_distance(run, vertex, beside);
                most = most < room ? most : room;
            }
            vertex = run->align[vertex];
        } while (vertex != block);
        if (most != INT32_MAX && most > x[block])
            x[block] = most;
    }
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        x[vertex] = x[run->root[vertex]];
    for (int32_t vertex = 0; run->mirrored && vertex < layered->vertex_count; vertex++)
        x[vertex] = -x[vertex];
}

/* Leftmost and rightmost border of all vertices. */
static inner_bounds places_bounds(const place_run *run, const int32_t *x)
{
    const sw__layered *layered = run->layered;
    inner_bounds bounds = {INT32_MAX, INT32_MIN};
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++) {
        int32_t left = x[vertex] - sw__layered_left(layered, run->spacing, vertex);
        int32_t right = x[vertex] + sw__layered_right(layered, run->spacing, vertex);
        bounds.left = left < bounds.left ? left : bounds.left;
        bounds.right = right > bounds.right ? right : bounds.right;
    }
    return bounds;
}

/* Move the results of the corners over the narrowest: those packed to the left by their left
 * border, the others by their right one. */
static void corners_align(const place_run *run, int32_t *const corners[CORNERS])
{
    inner_bounds bounds[CORNERS];
    int narrowest = 0;
    for (int i = 0; i < CORNERS; i++) {
        bounds[i] = places_bounds(run, corners[i]);
        if (bounds[i].right - bounds[i].left < bounds[narrowest].right - bounds[narrowest].left)
            narrowest = i;
    }
    for (int i = 0; i < CORNERS; i++) {
        int32_t shift = i % 2 == 0 ? bounds[narrowest].left - bounds[i].left
                                   : bounds[narrowest].right - bounds[i].right;
        for (int32_t vertex = 0; vertex < run->layered->vertex_count; vertex++)
            corners[i][vertex] += shift;
    }
}

/* Mean of the two middle ones of four, rounded down: distances between vertices stay what they
 * are at least. */
static int32_t middle_mean(int32_t *const corners[CORNERS], int32_t vertex)
{
    int64_t sum = 0;
    int32_t least = INT32_MAX, most = INT32_MIN;
    for (int i = 0; i < CORNERS; i++) {
        int32_t x = corners[i][vertex];
        sum += x;
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    sum -= (int64_t)least + most;
    return (int32_t)(sum >= 0 ? sum / 2 : -((1 - sum) / 2));
}

static int placer_alloc(sw__arena *scratch, place_run *run, int32_t *corners[CORNERS])
{
    size_t vertices = (size_t)run->layered->vertex_count;
    run->bounds = sw__arena_array(scratch, vertices, sizeof(inner_bounds));
    run->root = sw__arena_array(scratch, vertices, sizeof(int32_t));
    run->align = sw__arena_array(scratch, vertices, sizeof(int32_t));
    run->waits = sw__arena_array(scratch, vertices, sizeof(int32_t));
    run->queue = sw__arena_array(scratch, vertices, sizeof(int32_t));
    for (int i = 0; i < CORNERS; i++)
        corners[i] = sw__arena_array(scratch, vertices, sizeof(int32_t));
    return sw__arena_failed(scratch) ? SW_ENOMEM : SW_OK;
}

int sw__layered_place(sw__arena *scratch, const sw__layered *layered, const sw__spacing *spacing,
                      int32_t *x)
{
    int32_t *corners[CORNERS];
    place_run run = {.layered = layered, .spacing = spacing};
    if (layered->vertex_count == 0)
        return SW_OK;
    if (placer_alloc(scratch, &run, corners) < 0)
        return SW_ENOMEM;
    for (int32_t layer = 1; layer < layered->layer_count; layer++)
        bounds_fill(&run, layer);
    for (int i = 0; i < CORNERS; i++) {
        run.mirrored = i % 2 == 1;
        run.upward = i / 2 == 1;
        blocks_build(&run);
        blocks_pack(&run, corners[i]);
        blocks_relax(&run, corners[i]);
    }
    corners_align(&run, corners);
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        x[vertex] = middle_mean(corners, vertex);
    return SW_OK;
}
