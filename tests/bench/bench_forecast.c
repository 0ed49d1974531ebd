/* What a forecast costs beside bare makespans of the same graph: tasks in layers, of 1,000 steps
 * with ten tasks of history and 200 draws, and of 100,000 steps with none, one and two, which is
 * where durations begin to differ from play to play; the last on disk, too. Reading the history and
 * hindsight are measured apart. Of 100,000 steps, so is the first question of a process, which
 * touches new memory and reads the histories, from the same one asked again: each round is a
 * process of its own. One line per measurement: name, microseconds of processor time, those of as
 * many calls of sw_graph_makespan, ratio; for first questions another one with the pages that were
 * new, beside those that the rows of the answer take.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define IN_MEMORY "memory:"
#define FORECAST_DEGREE 4
#define FORECAST_WORKERS 8
#define FORECAST_DRAWS 200
#define LARGE_STEPS 100000
#define LARGE_LAYER 1000
#define LARGE_MAKESPANS 10

static int rounds = 9;

/* Nothing here waits, and the machine has other work. */
static double forecast_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double forecast_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_minflt;
}

/* A task of so many steps that waits. */
typedef struct forecast_scene {
    sw_engine *engine;
    int steps;
    int makespans; /* of the floor: the plays of both cases */
    sw_uuid task;
} forecast_scene;

/* Each step after four of the layer before. */
static char *forecast_definition(int steps, int layer)
{
    size_t size = 64 + (size_t)steps * 128;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"deep\",\"steps\":[");
    for (int i = 0; i < steps; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"s%d\",\"handler\":\"bench.step\"", i ? "," : "", i);
        for (int j = 0; j < FORECAST_DEGREE && i >= layer; j++) {
            int before = (i / layer - 1) * layer;
            len += (size_t)snprintf(text + len, size - len, "%s\"s%d\"", j ? "," : ",\"after\":[",
                                    before + (i % layer * 7 + j * 11) % layer);
        }
        len += (size_t)snprintf(text + len, size - len, i >= layer ? "]}" : "}");
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

static double forecast_time(const forecast_scene *scene, int draws, int calibrate, bool changed)
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
    double started = forecast_seconds();
    bench_check(sw_task_forecast(scene->engine, &options, &scene->task, &result, &err), "forecast",
                &err);
    double took = forecast_seconds() - started;
    sw_result_free(result);
    return took;
}

/* The graph of the workflow with durations like those of the history. */
static sw_graph *makespan_graph(const forecast_scene *scene, int64_t *durations)
{
    sw_error err;
    sw_graph *graph = NULL;
    sw_workflow *workflow = NULL;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    bench_check(sw_workflow_get(scene->engine, bench_str("deep"), (sw_str){0}, &workflow, &err),
                "get", &err);
    bench_check(sw_graph_new_workflow(&options, workflow, &graph, &err), "graph", &err);
    sw_workflow_free(workflow);
    for (int i = 0; i < scene->steps; i++)
        durations[i] = 1000 + i * 7919 % 1000;
    return graph;
}

static double makespan_time(const sw_graph *graph, const int64_t *durations, int count)
{
    sw_error err;
    sw_makespan_options options = SW_MAKESPAN_OPTIONS_INIT;
    options.workers = FORECAST_WORKERS;
    options.duration_us = durations;
    double started = forecast_seconds();
    for (int i = 0; i < count; i++) {
        sw_result *result = NULL;
        bench_check(sw_graph_makespan(graph, &options, &result, &err), "makespan", &err);
        sw_result_free(result);
    }
    return forecast_seconds() - started;
}

typedef struct forecast_rounds {
    double took[BENCH_ROUNDS_MAX];
    double floor[BENCH_ROUNDS_MAX];
} forecast_rounds;

static void forecast_print(const char *name, const forecast_rounds *row, const char *unit,
                           const char *floor, bool json)
{
    double ratio[BENCH_ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        ratio[i] = row->took[i] / row->floor[i];
    double of[] = {bench_median(row->took, rounds), bench_least(row->took, rounds),
                   bench_most(row->took, rounds), bench_median(row->floor, rounds),
                   bench_median(ratio, rounds)};
    if (json)
        printf("{\"name\":\"forecast/%s\",\"unit\":\"%s\",\"median\":%.1f,\"min\":%.1f,"
               "\"max\":%.1f,\"floor\":%.1f,\"ratio\":%.3f}\n",
               name, unit, of[0], of[1], of[2], of[3], of[4]);
    else
        printf("forecast/%-19s %9.1f %9.1f %9.1f %8s %9.1f %6.2f  %s; floor is %s\n", name, of[0],
               of[1], of[2], "", of[3], of[4], unit, floor);
}

/* Forecast and makespans in turn, because the machine changes. */
static void forecast_compare(const forecast_scene *scene, const char *name, int draws,
                             int calibrate, bool changed, bool json)
{
    char floor[32];
    int64_t *durations = malloc((size_t)scene->steps * sizeof *durations);
    if (!durations)
        exit(1);
    forecast_rounds row;
    sw_graph *graph = makespan_graph(scene, durations);
    for (int i = 0; i < rounds; i++) {
        row.floor[i] = makespan_time(graph, durations, scene->makespans) * 1e6;
        row.took[i] = forecast_time(scene, draws, calibrate, changed) * 1e6;
    }
    sw_graph_free(graph);
    free(durations);
    snprintf(floor, sizeof floor, "%d makespans", scene->makespans);
    forecast_print(name, &row, "us", floor, json);
}

/* An engine with so many ended tasks and one that waits. */
static forecast_scene forecast_open(const char *store, int steps, int layer, int tasks,
                                    int makespans)
{
    forecast_scene scene = {.steps = steps, .makespans = makespans};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_error err;
    options.store = bench_str(store);
    bench_check(sw_engine_open(&options, &scene.engine, &err), "open", &err);
    char *definition = forecast_definition(steps, layer);
    bench_register(scene.engine, definition);
    free(definition);
    sw_worker_ref worker = bench_worker(scene.engine, "bench.step");
    for (int i = 0; i < tasks; i++)
        forecast_work(scene.engine, &worker);
    scene.task = forecast_submit(scene.engine);
    return scene;
}

/* A process that has a large task and asks about it. */
typedef struct large_process {
    double faults; /* of its first question */
    double first_us;
    double again_us;
    double floor_us;
} large_process;

static large_process large_ask(const char *store, int tasks)
{
    large_process process;
    forecast_scene scene = forecast_open(store, LARGE_STEPS, LARGE_LAYER, tasks, LARGE_MAKESPANS);
    process.faults = forecast_faults();
    process.first_us = forecast_time(&scene, 0, 0, true) * 1e6;
    process.faults = forecast_faults() - process.faults;
    process.again_us = forecast_time(&scene, 0, 0, true) * 1e6;
    int64_t *durations = malloc(LARGE_STEPS * sizeof *durations);
    if (!durations)
        exit(1);
    sw_graph *graph = makespan_graph(&scene, durations);
    process.floor_us = makespan_time(graph, durations, LARGE_MAKESPANS) * 1e6;
    sw_graph_free(graph);
    free(durations);
    sw_engine_close(scene.engine);
    return process;
}

/* Before this process has any memory of its own to hand on. */
static large_process large_fork(const char *store, int tasks)
{
    int ends[2];
    large_process process = {0};
    fflush(stdout);
    pid_t child = pipe(ends) < 0 ? -1 : fork();
    if (child == 0) {
        process = large_ask(store, tasks);
        _exit(write(ends[1], &process, sizeof process) != sizeof process);
    }
    close(ends[1]);
    bool read_all = child > 0 && read(ends[0], &process, sizeof process) == sizeof process;
    if (!read_all || waitpid(child, NULL, 0) != child) {
        fprintf(stderr, "a process could not be measured\n");
        exit(1);
    }
    close(ends[0]);
    return process;
}

static void large_compare(const char *store, int tasks, const char *what, bool json)
{
    char name[64];
    forecast_rounds first, again, faults;
    for (int i = 0; i < rounds; i++) {
        large_process process = large_fork(store, tasks);
        if (strcmp(store, IN_MEMORY) != 0)
            bench_remove(store);
        first.took[i] = process.first_us;
        again.took[i] = process.again_us;
        first.floor[i] = again.floor[i] = process.floor_us;
        faults.took[i] = process.faults;
        faults.floor[i] = LARGE_STEPS * (double)sizeof(sw_forecast_step) / 4096;
    }
    snprintf(name, sizeof name, "100,000%s, first", what);
    forecast_print(name, &first, "us", "10 makespans", json);
    forecast_print(name, &faults, "new pages", "the rows of the answer", json);
    snprintf(name, sizeof name, "100,000%s, again", what);
    forecast_print(name, &again, "us", "10 makespans", json);
}

int main(int argc, char **argv)
{
    char path[512];
    bench_arguments arguments = bench_arguments_read(argc, argv);
    rounds = arguments.quick ? 3 : rounds;
    large_compare(IN_MEMORY, 0, "", arguments.json);
    large_compare(IN_MEMORY, 1, ", of one", arguments.json);
    large_compare(IN_MEMORY, 2, ", of two", arguments.json);
    bench_path(&arguments, "forecast", path);
    large_compare(path, 2, ", on disk", arguments.json);
    forecast_scene scene = forecast_open(IN_MEMORY, 1000, 50, 10, FORECAST_DRAWS);
    forecast_compare(&scene, "read the history", 1, -1, false, arguments.json);
    forecast_compare(&scene, "200 draws", FORECAST_DRAWS, -1, false, arguments.json);
    forecast_compare(&scene, "with a change", FORECAST_DRAWS, -1, true, arguments.json);
    forecast_compare(&scene, "and hindsight", FORECAST_DRAWS, 10, true, arguments.json);
    sw_engine_close(scene.engine);
    return 0;
}
