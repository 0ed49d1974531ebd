/* Taking small bends out of a finished layout.
 *
 * The mean of four results leaves lines that are nearly straight. Vertices that stand straight
 * above each other are moved together, each such column once, onto the nearest line end beside it,
 * where the vertices around leave room: the order of every layer and all that is straight stay.
 */
#include "graph/layered.h"

#include <stdbool.h>

typedef struct straighten_run {
    const sw__layered *layered;
    const sw__spacing *spacing;
    int32_t *x;
    int32_t *below; /* of each vertex: the one it leads straight down to, -1 for none */
    int32_t *top;   /* of each vertex: the first of its column */
    bool *fixed;    /* of each first vertex: the column has its place */
} straighten_run;

/* How far a column may move, as least and most difference. */
typedef struct column_room {
    int32_t least;
    int32_t most;
} column_room;

static void columns_find(const straighten_run *run)
{
    const sw__layered *layered = run->layered;
    for (int32_t vertex = 0; vertex < layered->vertex_count; vertex++)
        run->below[vertex] = -1;
    for (int32_t i = 0; i < layered->vertex_count; i++) {
        int32_t vertex = layered->order[i];
        run->top[vertex] = vertex;
        for (int32_t k = layered->up_start[vertex]; k < layered->up_start[vertex + 1]; k++) {
            if (run->x[layered->up[k]] != run->x[vertex])
                continue;
            run->top[vertex] = run->top[layered->up[k]];
            run->below[layered->up[k]] = vertex;
        }
    }
}

/* Space between the facing sides of two neighbours beyond the gap they need. */
static int32_t neighbours_room(const straighten_run *run, int32_t left, int32_t right)
{
    const sw__layered *layered = run->layered;
    bool bend = left >= layered->node_count || right >= layered->node_count;
    return run->x[right] - sw__layered_left(layered, run->spacing, right) - run->x[left] -
           sw__layered_right(layered, run->spacing, left) -
           (bend ? run->spacing->bend_gap : run->spacing->node_gap);
}

static column_room column_measure(const straighten_run *run, int32_t top)
{
    const sw__layered *layered = run->layered;
    column_room room = {-run->spacing->node_gap, run->spacing->node_gap};
    for (int32_t vertex = top; vertex >= 0; vertex = run->below[vertex]) {
        int32_t layer = layered->layer[vertex];
        int32_t at = layered->layer_start[layer] + layered->position[vertex];
        if (at > layered->layer_start[layer]) {
            int32_t left = -neighbours_room(run, layered->order[at - 1], vertex);
            room.least = left > room.least ? left : room.least;
        }
        if (at + 1 < layered->layer_start[layer + 1]) {
            int32_t right = neighbours_room(run, vertex, layered->order[at + 1]);
            room.most = right < room.most ? right : room.most;
        }
    }
    return room;
}

/* The shortest way from vertex onto one of its neighbours, if it is shorter than *best; *onto is
 * the neighbour. */
static void neighbours_try(const straighten_run *run, int32_t vertex, const int32_t *start,
                           const int32_t *node, column_room room, int32_t *best, int32_t *onto)
{
    for (int32_t k = start[vertex]; k < start[vertex + 1]; k++) {
        int32_t by = run->x[node[k]] - run->x[vertex];
        int32_t distance = by < 0 ? -by : by;
        if (by == 0 || by < room.least || by > room.most ||
            (*onto >= 0 && distance >= (*best < 0 ? -*best : *best)))
            continue;
        *best = by;
        *onto = node[k];
    }
}

static void column_move(const straighten_run *run, int32_t top)
{
    const sw__layered *layered = run->layered;
    column_room room = column_measure(run, top);
    int32_t best = 0, onto = -1;
    for (int32_t vertex = top; vertex >= 0; vertex = run->below[vertex]) {
        neighbours_try(run, vertex, layered->up_start, layered->up, room, &best, &onto);
        neighbours_try(run, vertex, layered->down_start, layered->down, room, &best, &onto);
    }
    if (onto < 0)
        return;
    for (int32_t vertex = top; vertex >= 0; vertex = run->below[vertex])
        run->x[vertex] += best;
    run->fixed[top] = true;
    run->fixed[run->top[onto]] = true;
}

int sw__layered_straighten(sw__arena *scratch, const sw__layered *layered,
                           const sw__spacing *spacing, int32_t *x)
{
    size_t vertices = (size_t)layered->vertex_count;
    straighten_run run = {.layered = layered, .spacing = spacing, .x = x};
    run.below = sw__arena_array(scratch, vertices, sizeof(int32_t));
    run.top = sw__arena_array(scratch, vertices, sizeof(int32_t));
    run.fixed = sw__arena_array(scratch, vertices, sizeof(bool));
    if (sw__arena_failed(scratch))
        return SW_ENOMEM;
    columns_find(&run);
    for (int32_t i = 0; i < layered->vertex_count; i++) {
        int32_t vertex = layered->order[i];
        if (run.top[vertex] == vertex && !run.fixed[vertex])
            column_move(&run, vertex);
    }
    return SW_OK;
}
