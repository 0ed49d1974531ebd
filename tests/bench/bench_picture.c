/* How long drawing takes: layout and whole SVG per step, beside building and ordering the graph,
 * which every question about it needs first.
 *
 *   bench_picture [--quick] [--json]
 *
 * Graphs are made of layers of 20 steps, each with two dependencies in the layer before; every
 * twentieth step has one far back, too, whose line has to pass the layers between.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "graph/layout.h"

#define LAYER 20
#define FAR_MOST 25 /* layers */

typedef struct bench_graph {
    int32_t nodes;
    size_t edges;
    int32_t *from;
    int32_t *to;
    int32_t *size; /* of nodes, across and along */
} bench_graph;

typedef struct bench_times {
    double took[BENCH_ROUNDS_MAX]; /* nanoseconds per step */
    double floors[BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
} bench_times;

static uint32_t bench_random(uint32_t limit)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % limit;
}

static void *bench_array(size_t count, size_t size)
{
    void *array = calloc(count, size);
    if (!array)
        exit(1);
    return array;
}

static void graph_edge(bench_graph *graph, int32_t from, int32_t to)
{
    graph->from[graph->edges] = from;
    graph->to[graph->edges++] = to;
}

static bench_graph graph_make(int32_t nodes)
{
    bench_graph graph = {.nodes = nodes};
    graph.from = bench_array((size_t)nodes * 3, sizeof(int32_t));
    graph.to = bench_array((size_t)nodes * 3, sizeof(int32_t));
    graph.size = bench_array((size_t)nodes, sizeof(int32_t));
    for (int32_t node = 0; node < nodes; node++) {
        int32_t layer = node / LAYER;
        graph.size[node] = 40 + (int32_t)bench_random(120);
        if (layer == 0)
            continue;
        int32_t first = (int32_t)bench_random(LAYER);
        int32_t second = (first + 1 + (int32_t)bench_random(LAYER - 1)) % LAYER;
        graph_edge(&graph, (layer - 1) * LAYER + first, node);
        graph_edge(&graph, (layer - 1) * LAYER + second, node);
        int32_t far = 2 + (int32_t)bench_random(FAR_MOST);
        if (node % LAYER == 0 && layer >= far)
            graph_edge(&graph, (layer - far) * LAYER + (int32_t)bench_random(LAYER), node);
    }
    return graph;
}

static void graph_free(bench_graph *graph)
{
    free(graph->from);
    free(graph->to);
    free(graph->size);
}

/* Seconds of the floor into *floor, of the layout as the answer. */
static double layout_once(const bench_graph *graph, double *floor)
{
    int32_t *cycle, cycle_count;
    sw__graph built;
    sw__layout layout;
    sw_error err = {0};
    sw__arena *arena = sw__arena_new(sw_env_system());
    double start = bench_seconds();
    bench_check(
        sw__graph_build(arena, graph->nodes, graph->from, graph->to, graph->edges, &built, &err),
        "build", &err);
    int32_t *order = sw__arena_array(arena, (size_t)graph->nodes, sizeof(int32_t));
    bench_check(sw__graph_order(arena, &built, NULL, order, &cycle, &cycle_count), "order", &err);
    double built_at = bench_seconds();
    const sw__layout_options options = {.width = graph->size,
                                        .height = graph->size,
                                        .node_gap = 28,
                                        .bend_gap = 16,
                                        .layer_gap = 44,
                                        .layer_gap_max = 120,
                                        .vertices_max = INT32_MAX};
    bench_check(sw__layout_make(arena, &built, order, &options, &layout), "layout", &err);
    double end = bench_seconds();
    sw__arena_free(arena);
    *floor = built_at - start;
    return end - built_at;
}

static double svg_once(const bench_graph *graph)
{
    sw_error err;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    sw_picture_node *nodes = bench_array((size_t)graph->nodes, sizeof(*nodes));
    sw_picture_edge *edges = bench_array(graph->edges, sizeof(*edges));
    for (int32_t i = 0; i < graph->nodes; i++)
        nodes[i] = (sw_picture_node){
            .name = bench_str("some_step"), .state = i % SW_STEP_STATE_COUNT, .duration_us = i};
    for (size_t i = 0; i < graph->edges; i++)
        edges[i] = (sw_picture_edge){.from = graph->from[i], .to = graph->to[i]};
    options.direction = SW_PICTURE_DOWN;
    double start = bench_seconds();
    bench_check(sw_picture_render(&options, nodes, (size_t)graph->nodes, edges, graph->edges,
                                  &result, &err),
                "render", &err);
    double took = bench_seconds() - start;
    sw_result_free(result);
    free(nodes);
    free(edges);
    return took;
}

static void times_print(const char *name, const bench_times *times, int rounds, bool json)
{
    double median = bench_median(times->took, rounds), least = bench_least(times->took, rounds);
    double most = bench_most(times->took, rounds), floor = bench_median(times->floors, rounds);
    double ratio = bench_median(times->ratios, rounds);
    if (json)
        printf("{\"name\":\"%s\",\"unit\":\"ns/step\",\"median\":%.0f,\"min\":%.0f,\"max\":%.0f,"
               "\"floor\":%.0f,\"ratio\":%.3f}\n",
               name, median, least, most, floor, ratio);
    else
        printf("%-28s %9.0f %9.0f %9.0f %8s %9.0f %6.2f  ns per step; floor is build and order\n",
               name, median, least, most, "", floor, ratio);
    fflush(stdout);
}

static void size_run(int32_t nodes, int rounds, bool json)
{
    char name[40];
    bench_times layout, svg;
    bench_graph graph = graph_make(nodes);
    for (int i = 0; i < rounds; i++) {
        double floor = 0;
        double per_step = 1e9 / (double)nodes;
        layout.took[i] = layout_once(&graph, &floor) * per_step;
        svg.took[i] = svg_once(&graph) * per_step;
        layout.floors[i] = svg.floors[i] = floor * per_step;
        layout.ratios[i] = layout.took[i] / layout.floors[i];
        svg.ratios[i] = svg.took[i] / svg.floors[i];
    }
    snprintf(name, sizeof(name), "layout/%d", nodes);
    times_print(name, &layout, rounds, json);
    snprintf(name, sizeof(name), "picture_svg/%d", nodes);
    times_print(name, &svg, rounds, json);
    graph_free(&graph);
}

int main(int argc, char **argv)
{
    bool json = false;
    int rounds = 15;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            rounds = 5;
        } else if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json]\n", argv[0]);
            return 2;
        }
    }
    for (int32_t nodes = 100; nodes <= 10000; nodes *= 10)
        size_run(nodes, rounds, json);
    return 0;
}
