/* The cost per step of 100,000 steps in layers, on the memory store, through the public header in
 * batches: submit, claim, complete. Beside it a bare queue of ready steps, which does nothing but
 * count dependencies (graph_bare.c), over a graph of the same shape.
 *
 * Ten tasks of 10,000 steps each, because the text of a definition is limited.
 *
 *     bench_ready [--quick] [--json] [--only TEXT]
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "graph_bare.h"

#define READY_LAYER 500
#define READY_BATCH_LEAST 100
#define READY_BATCH_MOST 10000

/* The graph of so many tasks side by side, and room for the loop; all freed by ready_free. */
typedef struct ready_graph {
    bare_graph bare;
    bare_room room;
    int32_t *from;
    int32_t *to;
} ready_graph;

static void *ready_array(size_t count)
{
    void *array = calloc(count, sizeof(int32_t));
    if (!array)
        exit(1);
    return array;
}

/* The dependencies of bench_layered. */
static ready_graph ready_make(int32_t tasks)
{
    size_t nodes = (size_t)tasks * BENCH_LAYERED_MAX;
    ready_graph graph = {.bare = {.nodes = (int32_t)nodes},
                         .room = {.open = ready_array(nodes), .order = ready_array(nodes)},
                         .from = ready_array(2 * nodes),
                         .to = ready_array(2 * nodes)};
    for (int32_t node = 0; node < (int32_t)nodes; node++) {
        int32_t at = node % BENCH_LAYERED_MAX;
        int32_t before = node - at + (at / READY_LAYER - 1) * READY_LAYER;
        for (int32_t skip = 0; at >= READY_LAYER && skip <= 7; skip += 7) {
            graph.from[graph.bare.edges] = before + (at + skip) % READY_LAYER;
            graph.to[graph.bare.edges++] = node;
        }
    }
    if (!bare_build(&graph.bare, graph.from, graph.to))
        exit(1);
    return graph;
}

static void ready_free(ready_graph *graph)
{
    bare_free(&graph->bare);
    free(graph->room.open);
    free(graph->room.order);
    free(graph->from);
    free(graph->to);
}

/* Seconds of all steps, through the engine. */
static double ready_engine(const char *definition, size_t tasks, size_t batch)
{
    sw_engine *engine = bench_open("memory:", SW_DURABILITY_MEMORY);
    bench_register(engine, definition);
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    double started = bench_seconds();
    bench_submit(engine, "layered", tasks);
    size_t done = bench_work(engine, &worker, batch, tasks * BENCH_LAYERED_MAX);
    double took = bench_seconds() - started;
    sw_engine_close(engine);
    if (done != tasks * BENCH_LAYERED_MAX)
        exit(1);
    return took;
}

/* Seconds of all steps, without one. */
static double ready_bare(ready_graph *graph)
{
    double started = bench_seconds();
    if (bare_order(&graph->bare, &graph->room) != graph->bare.nodes)
        exit(1);
    return bench_seconds() - started;
}

int main(int argc, char **argv)
{
    bench_arguments arguments = bench_arguments_read(argc, argv);
    int rounds = arguments.quick ? 3 : 7;
    int32_t tasks = arguments.quick ? 2 : 10;
    double scale = 1e9 / (double)tasks / BENCH_LAYERED_MAX;
    char *definition = bench_layered(BENCH_LAYERED_MAX, READY_LAYER);
    ready_graph graph = ready_make(tasks);
    for (size_t batch = READY_BATCH_LEAST; batch <= READY_BATCH_MOST; batch *= 10) {
        char name[64];
        bench_rounds measured = {0};
        snprintf(name, sizeof(name), "ready/memory/%zu", batch);
        if (!bench_wants(&arguments, name))
            continue;
        for (int i = 0; i < rounds; i++) {
            double took = ready_engine(definition, (size_t)tasks, batch);
            bench_add(&measured, took * scale, ready_bare(&graph) * scale);
        }
        bench_print(&measured, name, "ns/step", "ns per step; floor is a bare ready queue",
                    arguments.json);
    }
    ready_free(&graph);
    free(definition);
    return 0;
}
