/* Layouts: what must hold of every picture, on many random graphs and on extreme ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "graph/layered.h"
#include "graph/layout.h"
#include "helper/fault_env.h"
#include "stepwell.h"

#define GRAPHS 1500
#define NODE_GAP 12
#define BEND_GAP 8

/* A graph with sizes for its nodes, in an arena of its own. */
typedef struct sketch {
    sw__arena *arena;
    sw__graph graph;
    int32_t *order;
    int32_t *width;
    int32_t *height;
    sw__layout_options options;
    sw__layout layout;
} sketch;

static uint64_t random_state = 20240821;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % limit;
}

/* from and to are the caller's; node numbers need not be a topological order. */
static void drawing_open(sketch *drawing, int32_t nodes, const int32_t *from, const int32_t *to,
                         size_t edges)
{
    int32_t *cycle, cycle_count;
    sw_error error;
    *drawing = (sketch){.arena = sw__arena_new(sw_env_system())};
    assert_int_equal(
        sw__graph_build(drawing->arena, nodes, from, to, edges, &drawing->graph, &error), SW_OK);
    size_t count = (size_t)nodes;
    drawing->order = sw__arena_array(drawing->arena, count, sizeof(int32_t));
    drawing->width = sw__arena_array(drawing->arena, count, sizeof(int32_t));
    drawing->height = sw__arena_array(drawing->arena, count, sizeof(int32_t));
    assert_int_equal(sw__graph_order(drawing->arena, &drawing->graph, NULL, drawing->order, &cycle,
                                     &cycle_count),
                     SW_OK);
    for (size_t i = 0; i < count; i++) {
        drawing->width[i] = 20 + (int32_t)(i * 37 % 101);
        drawing->height[i] = 20 + (int32_t)(i * 13 % 29);
    }
    drawing->options = (sw__layout_options){.width = drawing->width,
                                            .height = drawing->height,
                                            .bend_width = 1,
                                            .node_gap = NODE_GAP,
                                            .bend_gap = BEND_GAP,
                                            .layer_gap = 30,
                                            .layer_gap_max = 90,
                                            .vertices_max = 5000000};
}

static void drawing_make(sketch *drawing)
{
    assert_int_equal(sw__layout_make(drawing->arena, &drawing->graph, drawing->order,
                                     &drawing->options, &drawing->layout),
                     SW_OK);
}

/* A random acyclic graph: edges lead from lower ranks to higher ones, ranks are shuffled. */
static void drawing_random(sketch *drawing, int32_t nodes, uint32_t edges_wanted)
{
    int32_t rank[256];
    bool known[64 * 64] = {false};
    int32_t from[1024], to[1024];
    size_t edges = 0;
    for (int32_t i = 0; i < nodes; i++)
        rank[i] = i;
    for (int32_t i = nodes - 1; i > 0; i--) {
        uint32_t other = random_below((uint32_t)i + 1);
        int32_t swap = rank[i];
        rank[i] = rank[other];
        rank[other] = swap;
    }
    for (uint32_t i = 0; i < edges_wanted && nodes > 1; i++) {
        int32_t low = (int32_t)random_below((uint32_t)nodes - 1);
        int32_t high = low + 1 + (int32_t)random_below((uint32_t)(nodes - 1 - low));
        if (known[low * 64 + high])
            continue;
        known[low * 64 + high] = true;
        from[edges] = rank[low];
        to[edges++] = rank[high];
    }
    drawing_open(drawing, nodes, from, to, edges);
}

static int32_t vertex_width(const sketch *drawing, int32_t vertex)
{
    if (vertex >= drawing->graph.node_count)
        return drawing->options.bend_width;
    return drawing->options.rightward ? drawing->height[vertex] : drawing->width[vertex];
}

static const int32_t *across(const sketch *drawing)
{
    return drawing->options.rightward ? drawing->layout.y : drawing->layout.x;
}

/* Every edge leads down; its bends are in the layers between. */
static void assert_edges_lead_down(const sketch *drawing)
{
    const sw__graph *graph = &drawing->graph;
    const sw__layout *layout = &drawing->layout;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t layer = layout->layer[node];
            for (int32_t k = layout->chain_start[i]; k < layout->chain_start[i + 1]; k++)
                assert_int_equal(layout->layer[graph->node_count + k], ++layer);
            assert_int_equal(layout->layer[graph->out_node[i]], layer + 1);
        }
    }
}

/* Neighbours in a layer keep their distance, layers too, and everything is inside of the picture.
 */
static void assert_nothing_overlaps(const sketch *drawing)
{
    const sw__layout *layout = &drawing->layout;
    const int32_t *x = across(drawing);
    int32_t width = drawing->options.rightward ? layout->height : layout->width;
    int32_t seen = 0;
    for (int32_t layer = 0; layer < layout->layer_count; layer++) {
        int32_t border = -NODE_GAP;
        assert_true(layer == 0 || layout->layer_near[layer] - layout->layer_far[layer - 1] >= 30);
        for (int32_t i = layout->layer_start[layer]; i < layout->layer_start[layer + 1]; i++) {
            int32_t vertex = layout->order[i], own = vertex_width(drawing, vertex);
            bool bend = vertex >= drawing->graph.node_count ||
                        (i > layout->layer_start[layer] &&
                         layout->order[i - 1] >= drawing->graph.node_count);
            assert_int_equal(layout->layer[vertex], layer);
            assert_true(x[vertex] - own / 2 >= border + (bend ? BEND_GAP : NODE_GAP) ||
                        (i == layout->layer_start[layer] && x[vertex] - own / 2 >= 0));
            border = x[vertex] + own - own / 2;
            assert_true(border <= width);
            seen++;
        }
    }
    assert_int_equal(seen, layout->vertex_count);
}

/* Whether an inner piece of a long edge crosses another one, by comparing all of its layer. */
static bool inner_crosses(const sketch *drawing, const int32_t *above, const int32_t *position,
                          int32_t bend)
{
    const sw__layout *layout = &drawing->layout;
    int32_t nodes = drawing->graph.node_count, layer = layout->layer[bend];
    for (int32_t i = layout->layer_start[layer]; i < layout->layer_start[layer + 1]; i++) {
        int32_t other = layout->order[i];
        if (other < nodes || other == bend || above[other] < nodes)
            continue;
        if ((position[other] < position[bend]) != (position[above[other]] < position[above[bend]]))
            return true;
    }
    return false;
}

/* Inner pieces that cross no other inner piece are straight. */
static void assert_long_edges_straight(const sketch *drawing, int64_t *straight)
{
    const sw__graph *graph = &drawing->graph;
    const sw__layout *layout = &drawing->layout;
    size_t count = (size_t)layout->vertex_count;
    int32_t *above = sw__arena_array(drawing->arena, count, sizeof(int32_t));
    int32_t *position = sw__arena_array(drawing->arena, count, sizeof(int32_t));
    for (int32_t i = 0; i < layout->vertex_count; i++)
        position[layout->order[i]] = i;
    for (int32_t i = 0; i < graph->edge_count; i++) {
        int32_t last = 0;
        for (int32_t k = layout->chain_start[i]; k < layout->chain_start[i + 1]; k++) {
            above[graph->node_count + k] = last;
            last = graph->node_count + k;
        }
    }
    for (int32_t bend = graph->node_count; bend < layout->vertex_count; bend++) {
        if (above[bend] < graph->node_count || inner_crosses(drawing, above, position, bend))
            continue;
        assert_int_equal(across(drawing)[bend], across(drawing)[above[bend]]);
        *straight += 1;
    }
}

static void assert_same(const sketch *drawing, const sw__layout *again)
{
    const sw__layout *layout = &drawing->layout;
    size_t size = (size_t)layout->vertex_count * sizeof(int32_t);
    assert_int_equal(layout->vertex_count, again->vertex_count);
    assert_int_equal(layout->width, again->width);
    assert_int_equal(layout->height, again->height);
    assert_memory_equal(layout->x, again->x, size);
    assert_memory_equal(layout->y, again->y, size);
    assert_memory_equal(layout->order, again->order, size);
}

static void test_random(void **state)
{
    int64_t before = 0, after = 0, straight = 0;
    (void)state;
    for (uint32_t i = 0; i < GRAPHS; i++) {
        sketch drawing;
        int32_t nodes = 1 + (int32_t)random_below(i % 2 ? 12 : 60);
        drawing_random(&drawing, nodes, random_below((uint32_t)nodes * 3));
        drawing.options.rightward = i % 3 == 1;
        drawing.options.compact = i % 5 == 2;
        drawing_make(&drawing);
        assert_edges_lead_down(&drawing);
        assert_nothing_overlaps(&drawing);
        assert_long_edges_straight(&drawing, &straight);
        assert_true(drawing.layout.crossings <= drawing.layout.crossings_before);
        before += drawing.layout.crossings_before;
        after += drawing.layout.crossings;
        sw__layout first = drawing.layout;
        drawing_make(&drawing);
        assert_same(&drawing, &first);
        sw__arena_free(drawing.arena);
    }
    assert_true(straight > 10000);
    assert_true(after * 2 < before);
}

/* Crossings as counted by comparing every pair of pieces. */
static int64_t crossings_reference(const sketch *drawing)
{
    const sw__graph *graph = &drawing->graph;
    const sw__layout *layout = &drawing->layout;
    int32_t tops[4096], bottoms[4096];
    int32_t position[4096];
    int32_t count = 0;
    int64_t crossings = 0;
    for (int32_t i = 0; i < layout->vertex_count; i++)
        position[layout->order[i]] = i;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t last = node;
            for (int32_t k = layout->chain_start[i]; k < layout->chain_start[i + 1]; k++) {
                tops[count] = last;
                last = bottoms[count++] = graph->node_count + k;
            }
            tops[count] = last;
            bottoms[count++] = graph->out_node[i];
        }
    }
    for (int32_t i = 0; i < count; i++) {
        for (int32_t k = 0; k < i; k++) {
            if (layout->layer[tops[i]] != layout->layer[tops[k]])
                continue;
            int32_t top = position[tops[i]] - position[tops[k]];
            int32_t bottom = position[bottoms[i]] - position[bottoms[k]];
            crossings += (top < 0 && bottom > 0) || (top > 0 && bottom < 0);
        }
    }
    return crossings;
}

static void test_crossings_are_counted(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        sketch drawing;
        int32_t nodes = 2 + (int32_t)random_below(14);
        drawing_random(&drawing, nodes, random_below((uint32_t)nodes * 4));
        drawing_make(&drawing);
        assert_int_equal(drawing.layout.crossings, crossings_reference(&drawing));
        sw__arena_free(drawing.arena);
    }
}

/* A tree can be drawn without crossings, and is. */
static void test_trees_have_no_crossings(void **state)
{
    int32_t from[60], to[60];
    (void)state;
    for (int round = 0; round < 200; round++) {
        sketch drawing;
        for (int32_t i = 0; i < 60; i++) {
            from[i] = (int32_t)random_below((uint32_t)i + 1);
            to[i] = i + 1;
        }
        drawing_open(&drawing, 61, from, to, 60);
        drawing_make(&drawing);
        assert_int_equal(drawing.layout.crossings, 0);
        sw__arena_free(drawing.arena);
    }
}

static void test_tiny(void **state)
{
    sketch drawing;
    (void)state;
    drawing_open(&drawing, 0, NULL, NULL, 0);
    drawing_make(&drawing);
    assert_int_equal(drawing.layout.vertex_count, 0);
    assert_int_equal(drawing.layout.width, 0);
    assert_int_equal(drawing.layout.height, 0);
    sw__arena_free(drawing.arena);

    drawing_open(&drawing, 1, NULL, NULL, 0);
    drawing_make(&drawing);
    assert_int_equal(drawing.layout.width, drawing.width[0]);
    assert_int_equal(drawing.layout.height, drawing.height[0]);
    assert_int_equal(drawing.layout.x[0], drawing.width[0] / 2);
    sw__arena_free(drawing.arena);
}

/* Both middle nodes of a diamond stand level, the ends between them. */
static void test_diamond(void **state)
{
    const int32_t from[] = {0, 0, 1, 2}, to[] = {1, 2, 3, 3};
    sketch drawing;
    (void)state;
    drawing_open(&drawing, 4, from, to, 4);
    for (int i = 0; i < 4; i++)
        drawing.width[i] = drawing.height[i] = 40;
    drawing_make(&drawing);
    const sw__layout *layout = &drawing.layout;
    assert_int_equal(layout->crossings, 0);
    assert_int_equal(layout->y[1], layout->y[2]);
    assert_int_equal(layout->x[0], layout->x[3]);
    assert_int_equal(layout->x[0] * 2, layout->x[1] + layout->x[2]);
    sw__arena_free(drawing.arena);
}

/* compact brings a root down to the node that needs it. */
static void test_compact(void **state)
{
    const int32_t from[] = {0, 1, 3}, to[] = {1, 2, 2};
    sketch drawing;
    (void)state;
    drawing_open(&drawing, 4, from, to, 3);
    drawing_make(&drawing);
    assert_int_equal(drawing.layout.layer[3], 0);
    assert_int_equal(drawing.layout.vertex_count, 5);
    drawing.options.compact = true;
    drawing_make(&drawing);
    assert_int_equal(drawing.layout.layer[3], 1);
    assert_int_equal(drawing.layout.vertex_count, 4);
    sw__arena_free(drawing.arena);
}

static void test_chain(void **state)
{
    enum { NODES = 10000 };
    static int32_t from[NODES], to[NODES];
    sketch drawing;
    (void)state;
    for (int32_t i = 0; i + 1 < NODES; i++) {
        from[i] = i;
        to[i] = i + 1;
    }
    drawing_open(&drawing, NODES, from, to, NODES - 1);
    drawing_make(&drawing);
    assert_nothing_overlaps(&drawing);
    assert_int_equal(drawing.layout.layer_count, NODES);
    for (int32_t i = 1; i < NODES; i++)
        assert_int_equal(drawing.layout.x[i], drawing.layout.x[0]);
    sw__arena_free(drawing.arena);
}

static void test_star(void **state)
{
    enum { NODES = 10000 };
    static int32_t from[NODES], to[NODES];
    sketch drawing;
    (void)state;
    for (int32_t i = 1; i < NODES; i++) {
        from[i - 1] = i % 2 ? 0 : i;
        to[i - 1] = i % 2 ? i : 0;
    }
    drawing_open(&drawing, NODES, from, to, NODES - 1);
    drawing_make(&drawing);
    assert_nothing_overlaps(&drawing);
    assert_int_equal(drawing.layout.layer_count, 3);
    assert_int_equal(drawing.layout.crossings, 0);
    sw__arena_free(drawing.arena);
}

/* The crossings of a complete bipartite graph do not depend on the order. */
static void test_complete_bipartite(void **state)
{
    enum { SIDE = 300 };
    static int32_t from[SIDE * SIDE], to[SIDE * SIDE];
    sketch drawing;
    (void)state;
    for (int32_t i = 0; i < SIDE * SIDE; i++) {
        from[i] = i / SIDE;
        to[i] = SIDE + i % SIDE;
    }
    drawing_open(&drawing, 2 * SIDE, from, to, SIDE * SIDE);
    drawing_make(&drawing);
    assert_nothing_overlaps(&drawing);
    int64_t pairs = SIDE * (SIDE - 1) / 2;
    assert_true(drawing.layout.crossings == pairs * pairs);
    sw__arena_free(drawing.arena);
}

/* Each end of a chain depends on every node before it: bends grow with the square. */
static void test_too_many_bends(void **state)
{
    enum { NODES = 60 };
    static int32_t from[NODES * NODES], to[NODES * NODES];
    sketch drawing;
    size_t edges = 0;
    (void)state;
    for (int32_t i = 0; i < NODES; i++) {
        for (int32_t k = i + 1; k < NODES; k++) {
            from[edges] = i;
            to[edges++] = k;
        }
    }
    drawing_open(&drawing, NODES, from, to, edges);
    drawing_make(&drawing);
    assert_nothing_overlaps(&drawing);
    int32_t needed = drawing.layout.vertex_count;
    drawing.options.vertices_max = needed - 1;
    assert_int_equal(sw__layout_make(drawing.arena, &drawing.graph, drawing.order, &drawing.options,
                                     &drawing.layout),
                     SW_ELIMIT);
    drawing.options.vertices_max = needed;
    drawing_make(&drawing);
    drawing.options.vertices_max = NODES - 1;
    assert_int_equal(sw__layout_make(drawing.arena, &drawing.graph, drawing.order, &drawing.options,
                                     &drawing.layout),
                     SW_ELIMIT);
    sw__arena_free(drawing.arena);
}

static int layout_under_fault(const sw_env *env, void *context)
{
    const sketch *drawing = context;
    sw__layout layout;
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    int code = sw__layout_make(arena, &drawing->graph, drawing->order, &drawing->options, &layout);
    sw__arena_free(arena);
    return code;
}

static void test_out_of_memory(void **state)
{
    fault_env fault;
    sketch drawing;
    (void)state;
    fault_env_init(&fault);
    drawing_random(&drawing, 60, 170);
    assert_true(fault_env_each(&fault, layout_under_fault, &drawing) > 20);
    sw__arena_free(drawing.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_crossings_are_counted),
        cmocka_unit_test(test_trees_have_no_crossings),
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_diamond),
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_star),
        cmocka_unit_test(test_complete_bipartite),
        cmocka_unit_test(test_too_many_bends),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
