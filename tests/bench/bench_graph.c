/* Dependency analysis beside bare loops over the same arrays (graph_bare.c), in nanoseconds per
 * edge. Both run in turn in one process; ratio is the time of the public call over that of the
 * loop, so that 1 is as fast as memory allows a plain loop to be and less is faster.
 *
 *     bench_graph [--quick] [--json] [--large] [--only TEXT]
 *
 * layered: each node depends on four random ones of the layer before it. permuted: the same under
 * random numbers. chain, fan (one, all others, one) and diamonds (one, two, one, two, ...) have one
 * to two edges per node. --large adds ten million nodes; --only runs the cases whose names have
 * TEXT in them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "graph_bare.h"

#define GRAPH_DEGREE 4
#define GRAPH_SMALL 1000 /* nodes of a graph that is one of many */
#define GRAPH_SMALL_COUNT 32
#define GRAPH_EDGES_TIMED 2000000 /* at least so many are looked at in one measurement */

typedef struct bench_options {
    bool quick;
    bool json;
    bool large;
    int rounds;
    const char *only; /* part of the name of a case */
} bench_options;

/* A graph with all that the measured calls need. */
typedef struct bench_graph {
    bare_graph bare;
    bare_graph sorted; /* room for the reduction */
    bare_room room;
    int32_t *from;
    int32_t *to;
    int64_t *duration;
    int32_t *order;
    sw_graph *graph;
    int32_t source; /* of the descendants */
} bench_graph;

/* What is measured: the bare loop and the public call; both return a number to compare. */
typedef struct bench_verb {
    const char *name;
    int64_t (*floor)(bench_graph *g);
    int64_t (*call)(bench_graph *g);
} bench_verb;

static void *bench_array(size_t count, size_t size)
{
    void *array = calloc(count ? count : 1, size);
    if (!array) {
        fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
    return array;
}

static uint64_t bench_random_state = 88172645463325252u;

static int32_t bench_random(int32_t limit)
{
    bench_random_state ^= bench_random_state << 13;
    bench_random_state ^= bench_random_state >> 7;
    bench_random_state ^= bench_random_state << 17;
    return (int32_t)((bench_random_state >> 33) % (uint32_t)limit);
}

static void edge_put(bench_graph *g, int32_t from, int32_t to)
{
    g->from[g->bare.edges] = from;
    g->to[g->bare.edges++] = to;
}

/* Layers of a hundredth of the nodes, but of ten at least. */
static void shape_layered(bench_graph *g)
{
    int32_t nodes = g->bare.nodes, width = nodes / 100 > 10 ? nodes / 100 : 10;
    for (int32_t node = width; node < nodes; node++) {
        int32_t before = (node / width - 1) * width;
        int32_t first = bench_random(width), step = 1 + bench_random(width / GRAPH_DEGREE);
        for (int32_t i = 0; i < GRAPH_DEGREE; i++)
            edge_put(g, before + (first + i * step) % width, node);
    }
}

/* Each node depends on four of those before it, near and far: what reduction has work with. */
static void shape_mixed(bench_graph *g)
{
    for (int32_t node = 1; node < g->bare.nodes; node++) {
        int32_t reach = node < 64 ? node : 64, far = bench_random(node);
        int32_t near[GRAPH_DEGREE - 1];
        for (int32_t i = 0; i < GRAPH_DEGREE - 1; i++) {
            near[i] = node - 1 - bench_random(reach);
            bool again = false;
            for (int32_t k = 0; k < i; k++)
                again = again || near[k] == near[i];
            if (!again)
                edge_put(g, near[i], node);
        }
        if (far != near[0] && far != near[1] && far != near[2])
            edge_put(g, far, node);
    }
}

static void shape_permuted(bench_graph *g)
{
    int32_t *label = g->order;
    shape_layered(g);
    for (int32_t i = 0; i < g->bare.nodes; i++) {
        int32_t other = bench_random(i + 1);
        label[i] = label[other];
        label[other] = i;
    }
    for (int32_t i = 0; i < g->bare.edges; i++) {
        g->from[i] = label[g->from[i]];
        g->to[i] = label[g->to[i]];
    }
    g->source = label[0];
}

static void shape_chain(bench_graph *g)
{
    for (int32_t node = 1; node < g->bare.nodes; node++)
        edge_put(g, node - 1, node);
}

static void shape_fan(bench_graph *g)
{
    for (int32_t node = 1; node < g->bare.nodes - 1; node++) {
        edge_put(g, 0, node);
        edge_put(g, node, g->bare.nodes - 1);
    }
}

static void shape_diamonds(bench_graph *g)
{
    for (int32_t node = 0; node + 3 < g->bare.nodes; node += 3) {
        edge_put(g, node, node + 1);
        edge_put(g, node, node + 2);
        edge_put(g, node + 1, node + 3);
        edge_put(g, node + 2, node + 3);
    }
}

static sw_graph *graph_build(const bench_graph *g)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    sw_error err;
    bench_check(
        sw_graph_new(&options, g->bare.nodes, g->from, g->to, (size_t)g->bare.edges, &graph, &err),
        "graph", &err);
    return graph;
}

static void bare_make(bare_graph *bare, const bench_graph *g)
{
    if (!bare_build(bare, g->from, g->to)) {
        fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
}

static void graph_open(bench_graph *g, int32_t node_count, void (*shape)(bench_graph *g),
                       bool reduces)
{
    size_t nodes = (size_t)node_count, most = nodes * GRAPH_DEGREE;
    size_t words = reduces ? (nodes + 63) / 64 : 0;
    *g = (bench_graph){.bare = {.nodes = node_count},
                       .room = {.open = bench_array(nodes, sizeof(int32_t)),
                                .order = bench_array(nodes, sizeof(int32_t)),
                                .finish = bench_array(nodes, sizeof(int64_t)),
                                .seen = bench_array(nodes, 1),
                                .bits = bench_array(nodes * words, sizeof(uint64_t))},
                       .from = bench_array(most, sizeof(int32_t)),
                       .to = bench_array(most, sizeof(int32_t)),
                       .duration = bench_array(nodes, sizeof(int64_t)),
                       .order = bench_array(nodes, sizeof(int32_t))};
    shape(g);
    for (size_t i = 0; i < nodes; i++)
        g->duration[i] = 1 + bench_random(1000);
    bare_make(&g->bare, g);
    g->sorted = g->bare;
    bare_make(&g->sorted, g);
    g->graph = graph_build(g);
}

static void graph_close(bench_graph *g)
{
    void *arrays[] = {g->room.open, g->room.order, g->room.finish, g->room.seen, g->room.bits,
                      g->from,      g->to,         g->duration,    g->order};
    bare_free(&g->bare);
    bare_free(&g->sorted);
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        free(arrays[i]);
    sw_graph_free(g->graph);
}

static int64_t floor_build(bench_graph *g)
{
    bare_graph made = g->bare;
    bare_make(&made, g);
    bare_free(&made);
    return made.edges;
}

static int64_t call_build(bench_graph *g)
{
    sw_graph *graph = graph_build(g);
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    sw_graph_view_get(graph, &view, NULL);
    int32_t edges = view.edge_count;
    sw_graph_free(graph);
    return edges;
}

static int64_t floor_order(bench_graph *g)
{
    return bare_order(&g->bare, &g->room);
}

static int64_t call_order(bench_graph *g)
{
    sw_error err;
    bench_check(sw_graph_order(g->graph, NULL, g->order, &err), "order", &err);
    return g->bare.nodes;
}

static int64_t floor_span(bench_graph *g)
{
    return bare_span(&g->bare, g->duration, &g->room);
}

static int64_t call_span(bench_graph *g)
{
    sw_error err;
    sw_result *result = NULL;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    options.parts = SW_ANALYSIS_SPAN;
    options.duration_us = g->duration;
    bench_check(sw_graph_analyze(g->graph, &options, &result, &err), "analyze", &err);
    int64_t span = sw_analyses(result, NULL)->span_us;
    sw_result_free(result);
    return span;
}

static int64_t floor_descendants(bench_graph *g)
{
    return bare_descendants(&g->bare, g->source, &g->room);
}

static int64_t call_descendants(bench_graph *g)
{
    sw_error err;
    sw_result *result = NULL;
    bench_check(sw_graph_reach(g->graph, SW_REACH_DEPENDENTS, &g->source, 1, &result, &err),
                "reach", &err);
    int64_t count = sw_reaches(result, NULL)->count;
    sw_result_free(result);
    return count;
}

static int64_t floor_reduce(bench_graph *g)
{
    return bare_reduce(&g->bare, &g->sorted, &g->room);
}

static int64_t call_reduce(bench_graph *g)
{
    sw_error err;
    sw_result *result = NULL;
    size_t count;
    bench_check(sw_graph_reduce(g->graph, &result, &err), "reduce", &err);
    sw_graph_edges(result, &count);
    sw_result_free(result);
    return (int64_t)count;
}

/* Nanoseconds per edge of one measurement; answer gets the sum of all. */
static double bench_time(bench_graph *graphs, int count, int64_t (*run)(bench_graph *g),
                         int64_t *answer)
{
    int repeat = GRAPH_EDGES_TIMED / (graphs->bare.edges + 1) / count + 1;
    int64_t edges = 0;
    *answer = 0;
    double started = bench_seconds();
    for (int i = 0; i < repeat; i++) {
        for (int k = 0; k < count; k++) {
            *answer += run(&graphs[k]);
            edges += graphs[k].bare.edges;
        }
    }
    return (bench_seconds() - started) * 1e9 / (double)edges;
}

static void bench_measure(bench_graph *graphs, int count, const bench_verb *verb, const char *shape,
                          const bench_options *options)
{
    double took[BENCH_ROUNDS_MAX], floors[BENCH_ROUNDS_MAX], ratios[BENCH_ROUNDS_MAX];
    char name[64];
    int rounds = options->rounds;
    snprintf(name, sizeof(name), "graph_%s/%s/%d", verb->name, shape, graphs->bare.nodes);
    if (options->only && !strstr(name, options->only))
        return;
    for (int i = -1; i < rounds; i++) { /* the first one warms up */
        int64_t expected, answer;
        double floor = bench_time(graphs, count, verb->floor, &expected);
        double call = bench_time(graphs, count, verb->call, &answer);
        if (expected != answer) {
            fprintf(stderr, "bench: %s: %lld, but the bare loop says %lld\n", verb->name,
                    (long long)answer, (long long)expected);
            exit(1);
        }
        if (i >= 0) {
            floors[i] = floor;
            took[i] = call;
            ratios[i] = call / floor;
        }
    }
    printf(options->json ? "{\"name\":\"%s\",\"unit\":\"ns/edge\",\"median\":%.2f,\"min\":%.2f,"
                           "\"max\":%.2f,\"floor\":%.2f,\"ratio\":%.3f}\n"
                         : "%-36s %9.2f %9.2f %9.2f %9.2f %6.2f\n",
           name, bench_median(took, rounds), bench_least(took, rounds), bench_most(took, rounds),
           bench_median(floors, rounds), bench_median(ratios, rounds));
    fflush(stdout);
}

/* Measure some questions to graphs of one shape. Small graphs are many, so that the processor
 * cannot learn the turns of one by heart, which no user's graph is asked often enough for. */
static void bench_set(const char *name, void (*shape)(bench_graph *g), int32_t nodes,
                      const bench_verb *verbs, size_t verb_count, const bench_options *options)
{
    static bench_graph graphs[GRAPH_SMALL_COUNT];
    int count = nodes <= GRAPH_SMALL ? GRAPH_SMALL_COUNT : 1;
    for (int i = 0; i < count; i++)
        graph_open(&graphs[i], nodes, shape, verbs->floor == floor_reduce);
    for (size_t i = 0; i < verb_count; i++)
        bench_measure(graphs, count, &verbs[i], name, options);
    for (int i = 0; i < count; i++)
        graph_close(&graphs[i]);
}

static void bench_shape(const char *name, void (*shape)(bench_graph *g), int32_t nodes,
                        const bench_options *options)
{
    static const bench_verb verbs[] = {
        {"build", floor_build, call_build},
        {"order", floor_order, call_order},
        {"span", floor_span, call_span},
        {"descendants", floor_descendants, call_descendants},
    };
    bench_set(name, shape, nodes, verbs, sizeof(verbs) / sizeof(verbs[0]), options);
}

static void bench_all(const bench_options *options)
{
    static const struct {
        const char *name;
        void (*shape)(bench_graph *g);
    } shapes[] = {{"layered", shape_layered},
                  {"permuted", shape_permuted},
                  {"chain", shape_chain},
                  {"fan", shape_fan},
                  {"diamonds", shape_diamonds}};
    static const int32_t sizes[] = {1000, 100000, 1000000, 10000000};
    static const bench_verb reduce = {"reduce", floor_reduce, call_reduce};
    size_t size_count = options->large ? 4 : options->quick ? 2 : 3;
    for (size_t size = 0; size < size_count; size++) {
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
            bench_shape(shapes[i].name, shapes[i].shape, sizes[size], options);
    }
    for (int32_t nodes = 1000; nodes <= 10000; nodes *= 10) {
        bench_set("layered", shape_layered, nodes, &reduce, 1, options);
        bench_set("mixed", shape_mixed, nodes, &reduce, 1, options);
    }
}

int main(int argc, char **argv)
{
    bench_options options = {.rounds = 7};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            options.quick = true;
            options.rounds = 3;
        } else if (strcmp(argv[i], "--json") == 0) {
            options.json = true;
        } else if (strcmp(argv[i], "--large") == 0) {
            options.large = true;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            options.only = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json] [--large] [--only TEXT]\n", argv[0]);
            return 2;
        }
    }
    if (!options.json)
        printf("%-36s %9s %9s %9s %9s %6s\n", "question/shape/nodes", "ns/edge", "min", "max",
               "floor", "ratio");
    bench_all(&options);
    return 0;
}
