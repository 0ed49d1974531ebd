/* What a forecast costs beside bare makespans of the same graph: a task of 1,000 steps in layers,
 * ten tasks of history, 200 draws. Reading the history and hindsight are measured apart. One line
 * per measurement: name, microseconds, microseconds of 200 calls of sw_graph_makespan, ratio.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define FORECAST_STEPS 1000
#define FORECAST_LAYER 50
#define FORECAST_DEGREE 4
#define FORECAST_TASKS 10
#define FORECAST_WORKERS 8
#define FORECAST_DRAWS 200

static int rounds = 9;

/* Layers of 50, each step after four of the layer before. */
static char *forecast_definition(void)
{
    size_t size = 64 + FORECAST_STEPS * 128;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"deep\",\"steps\":[");
    for (int i = 0; i < FORECAST_STEPS; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"s%d\",\"handler\":\"bench.step\"", i ? "," : "", i);
        for (int j = 0; j < FORECAST_DEGREE && i >= FORECAST_LAYER; j++) {
            int before = (i / FORECAST_LAYER - 1) * FORECAST_LAYER;
            len += (size_t)snprintf(text + len, size - len, "%s\"s%d\"", j ? "," : ",\"after\":[",
                                    before + (i * 7 + j * 11) % FORECAST_LAYER);
        }
        len += (size_t)snprintf(text + len, size - len, i >= FORECAST_LAYER ? "]}" : "}");
    }
    snprintf(text + len, size - len, "]}");
    return text;
}

static sw_uuid forecast_submit(sw_engine *engine)
{
    sw_task_submit_row row = {.workflow = bench_str("deep")};
    sw_result *result = NULL;
    sw_error err;
    bench_check(sw_task_submit(engine, &row, 1, &result, &err), "submit", &err);
    sw_uuid task = sw_task_submissions(result, NULL)[0].task_id;
    sw_result_free(result);
    return task;
}

/* Do a whole task, FORECAST_WORKERS steps at a time. */
static void forecast_work(sw_engine *engine, const sw_worker_ref *worker)
{
    sw_step_outcome outcomes[FORECAST_WORKERS];
    size_t count = 0;
    forecast_submit(engine);
    do {
        sw_result *claimed = NULL;
        sw_error err;
        bench_check(
            sw_step_exchange(engine, worker, outcomes, count, FORECAST_WORKERS, 0, &claimed, &err),
            "exchange", &err);
        count = bench_outcomes(claimed, outcomes);
        sw_result_free(claimed);
    } while (count > 0);
}

static double forecast_time(sw_engine *engine, const sw_uuid *task, int draws, int calibrate,
                            bool changed)
{
    sw_result *result = NULL;
    sw_error err;
    sw_forecast_change change = {
        .step = bench_str("s500"), .kind = SW_FORECAST_SLOWER, .factor = 2};
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.draws = draws;
    options.calibrate = calibrate;
    options.changes = &change;
    options.change_count = changed;
    double started = bench_seconds();
    bench_check(sw_task_forecast(engine, &options, task, &result, &err), "forecast", &err);
    double took = bench_seconds() - started;
    sw_result_free(result);
    return took;
}

/* The graph of the workflow with durations like those of the history. */
static sw_graph *makespan_graph(sw_engine *engine, int64_t *durations)
{
    sw_error err;
    sw_graph *graph = NULL;
    sw_workflow *workflow = NULL;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    bench_check(sw_workflow_get(engine, bench_str("deep"), (sw_str){0}, &workflow, &err), "get",
                &err);
    bench_check(sw_graph_new_workflow(&options, workflow, &graph, &err), "graph", &err);
    sw_workflow_free(workflow);
    for (int i = 0; i < FORECAST_STEPS; i++)
        durations[i] = 1000 + i * 7919 % 1000;
    return graph;
}

static double makespan_time(const sw_graph *graph, const int64_t *durations)
{
    sw_error err;
    sw_makespan_options options = SW_MAKESPAN_OPTIONS_INIT;
    options.workers = FORECAST_WORKERS;
    options.duration_us = durations;
    double started = bench_seconds();
    for (int i = 0; i < FORECAST_DRAWS; i++) {
        sw_result *result = NULL;
        bench_check(sw_graph_makespan(graph, &options, &result, &err), "makespan", &err);
        sw_result_free(result);
    }
    return bench_seconds() - started;
}

/* Forecast and makespans in turn, because the machine changes. */
static void forecast_compare(sw_engine *engine, const sw_uuid *task, const char *name, int draws,
                             int calibrate, bool changed, bool json)
{
    static int64_t durations[FORECAST_STEPS];
    double took[BENCH_ROUNDS_MAX], floor[BENCH_ROUNDS_MAX], ratio[BENCH_ROUNDS_MAX];
    sw_graph *graph = makespan_graph(engine, durations);
    for (int i = 0; i < rounds; i++) {
        floor[i] = makespan_time(graph, durations) * 1e6;
        took[i] = forecast_time(engine, task, draws, calibrate, changed) * 1e6;
        ratio[i] = took[i] / floor[i];
    }
    sw_graph_free(graph);
    double row[] = {bench_median(took, rounds), bench_least(took, rounds), bench_most(took, rounds),
                    bench_median(floor, rounds), bench_median(ratio, rounds)};
    if (json)
        printf("{\"name\":\"forecast/%s\",\"unit\":\"us\",\"median\":%.1f,\"min\":%.1f,"
               "\"max\":%.1f,\"floor\":%.1f,\"ratio\":%.3f}\n",
               name, row[0], row[1], row[2], row[3], row[4]);
    else
        printf("forecast/%-19s %9.1f %9.1f %9.1f %8s %9.1f %6.2f  us; floor is 200 makespans\n",
               name, row[0], row[1], row[2], "", row[3], row[4]);
}

int main(int count, char **arguments)
{
    bool json = false;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    for (int i = 1; i < count; i++) {
        json |= strcmp(arguments[i], "--json") == 0;
        if (strcmp(arguments[i], "--quick") == 0)
            rounds = 3;
    }
    options.store = bench_str("memory:");
    bench_check(sw_engine_open(&options, &engine, &err), "open", &err);
    char *definition = forecast_definition();
    bench_register(engine, definition);
    free(definition);
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    for (int i = 0; i < FORECAST_TASKS; i++)
        forecast_work(engine, &worker);
    sw_uuid task = forecast_submit(engine);
    forecast_compare(engine, &task, "read the history", 1, -1, false, json);
    forecast_compare(engine, &task, "200 draws", FORECAST_DRAWS, -1, false, json);
    forecast_compare(engine, &task, "with a change", FORECAST_DRAWS, -1, true, json);
    forecast_compare(engine, &task, "and hindsight", FORECAST_DRAWS, 10, true, json);
    sw_engine_close(engine);
    return 0;
}
