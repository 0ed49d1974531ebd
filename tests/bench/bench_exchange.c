/* How fast steps go through the engine: submit, claim, complete, through the public header.
 *
 * Two loads: many small tasks (chains of three steps) and one large task (layers, two dependencies
 * per step); on memory and on SQLite, relaxed and strict; with batches of 1 to 1,000. Beside each
 * run on SQLite a bare loop writes the same rows in the same commits to a file with the same schema
 * (trace.h): ratio is the engine's rate divided by the loop's, taken from neighbouring runs,
 * because the machine's speed changes from one second to the next.
 *
 * With --json each case is one line: an object with name, unit, median, min, max, floor, ratio.
 *
 *     bench_exchange [--quick] [--json] [--dir FOLDER] [--only TEXT]
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "trace.h"

#define BENCH_BATCH_MAX 1000

typedef enum bench_load { BENCH_SMALL, BENCH_LARGE } bench_load;

typedef struct bench_case {
    char name[64];
    bench_load load;
    int durability;
    size_t batch;
    size_t steps;
} bench_case;

typedef struct bench_options {
    bool quick;
    bool json;
    int rounds;
    const char *dir;
    const char *only;
} bench_options;

typedef struct bench_result {
    double rates[BENCH_ROUNDS_MAX]; /* steps per second */
    double floors[BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
    trace_counts counts;
} bench_result;

/* Definitions. */

static const char bench_small[] = "{\"stepwell\":1,\"name\":\"small\",\"steps\":["
                                  "{\"name\":\"a\",\"handler\":\"bench.step\"},"
                                  "{\"name\":\"b\",\"handler\":\"bench.step\",\"after\":[\"a\"]},"
                                  "{\"name\":\"c\",\"handler\":\"bench.step\",\"after\":[\"b\"]}]}";

#define BENCH_LAYER 500
#define BENCH_LARGE_MAX 10000 /* steps whose definition is within its limit of 1 MiB */

/* Layers of BENCH_LAYER steps, each after two of the layer before; freed by the caller. */
static char *bench_large(size_t steps)
{
    size_t size = 64 + steps * 96;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"large\",\"steps\":[");
    for (size_t i = 0; i < steps; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"s%zu\",\"handler\":\"bench.step\"", i ? "," : "", i);
        if (i >= BENCH_LAYER) {
            size_t layer = (i / BENCH_LAYER - 1) * BENCH_LAYER;
            size_t at = i % BENCH_LAYER;
            len += (size_t)snprintf(text + len, size - len, ",\"after\":[\"s%zu\",\"s%zu\"]",
                                    layer + at, layer + (at + 7) % BENCH_LAYER);
        }
        len += (size_t)snprintf(text + len, size - len, "}");
    }
    snprintf(text + len, size - len, "]}");
    return text;
}

/* One run. */

static void bench_submit(sw_engine *engine, const bench_case *c)
{
    sw_task_submit_row rows[BENCH_BATCH_MAX];
    size_t tasks = c->load == BENCH_LARGE ? 1 : c->steps / 3;
    sw_error err;
    for (size_t i = 0; i < BENCH_BATCH_MAX; i++)
        rows[i] = (sw_task_submit_row){
            .workflow = bench_str(c->load == BENCH_LARGE ? "large" : "small"),
            .input = bench_str("{\"order_id\":4711,\"total\":12.5}"),
        };
    while (tasks > 0) {
        sw_result *result = NULL;
        size_t count = tasks < c->batch ? tasks : c->batch;
        bench_check(sw_task_submit(engine, rows, count, &result, &err), "submit", &err);
        sw_result_free(result);
        tasks -= count;
    }
}

/* Claim and complete until nothing is left; the number of steps done. */
static size_t bench_work(sw_engine *engine, const bench_case *c)
{
    static sw_step_outcome outcomes[BENCH_BATCH_MAX];
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    sw_error err;
    size_t count = 0;
    size_t done = 0;
    do {
        sw_result *result = NULL;
        bench_check(sw_step_exchange(engine, &worker, outcomes, count, c->batch, 0, &result, &err),
                    "exchange", &err);
        done += count;
        count = bench_outcomes(result, outcomes);
        sw_result_free(result);
    } while (count > 0);
    return done;
}

static void bench_path(const bench_options *options, const char *name, char path[512])
{
    snprintf(path, 512, "%s/stepwell-bench-%ld-%s.db", options->dir, (long)getpid(), name);
}

static void bench_remove(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char file[600];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        unlink(file);
    }
}

/* The first task of a definition makes the engine read it; that is not what is measured. */
static void bench_warm(sw_engine *engine, const bench_case *c)
{
    sw_task_submit_row row = {.workflow = bench_str(c->load == BENCH_LARGE ? "large" : "small")};
    sw_cancel_row cancel = {.reason = bench_str("warm")};
    sw_result *result = NULL;
    size_t count = 0;
    sw_error err;
    bench_check(sw_task_submit(engine, &row, 1, &result, &err), "submit", &err);
    cancel.task_id = sw_task_submissions(result, &count)->task_id;
    sw_result_free(result);
    bench_check(sw_task_cancel(engine, &cancel, 1, &err), "cancel", &err);
}

/* Seconds from the first submit to the last completion; recorded may be NULL. */
static double bench_run(const bench_case *c, const char *path, trace *recorded)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    options.store = bench_str(c->durability == SW_DURABILITY_MEMORY ? "memory:" : path);
    options.durability = c->durability;
    bench_check(sw_engine_open(&options, &engine, &err), "open", &err);
    char *large = c->load == BENCH_LARGE ? bench_large(c->steps) : NULL;
    bench_register(engine, large ? large : bench_small);
    free(large);
    bench_warm(engine, c);
    trace_start(recorded);
    double started = bench_seconds();
    bench_submit(engine, c);
    size_t done = bench_work(engine, c);
    double took = bench_seconds() - started;
    sw_engine_close(engine);
    if (done != c->steps) {
        fprintf(stderr, "bench: %zu of %zu steps were done\n", done, c->steps);
        exit(1);
    }
    return took;
}

/* Results. */

static void bench_print_json(const bench_case *c, const bench_result *r, int rounds)
{
    printf("{\"name\":\"%s\",\"unit\":\"steps/s\",\"median\":%.0f,\"min\":%.0f,\"max\":%.0f,",
           c->name, bench_median(r->rates, rounds), bench_least(r->rates, rounds),
           bench_most(r->rates, rounds));
    if (c->durability == SW_DURABILITY_MEMORY)
        printf("\"floor\":null,\"ratio\":null}\n");
    else
        printf("\"floor\":%.0f,\"ratio\":%.3f}\n", bench_median(r->floors, rounds),
               bench_median(r->ratios, rounds));
    fflush(stdout);
}

static void bench_print_row(const bench_case *c, const bench_result *r, int rounds)
{
    double rate = bench_median(r->rates, rounds);
    double steps = (double)c->steps;
    printf("%-28s %9.0f %9.0f %9.0f %8.2f", c->name, rate, bench_least(r->rates, rounds),
           bench_most(r->rates, rounds), 1e6 / rate);
    if (c->durability != SW_DURABILITY_MEMORY)
        printf(" %9.0f %6.2f  %.2f+%.2f rows, %.3f commits", bench_median(r->floors, rounds),
               bench_median(r->ratios, rounds), (double)r->counts.inserts / steps,
               (double)(r->counts.updates + r->counts.deletes) / steps,
               (double)r->counts.commits / steps);
    printf("\n");
    fflush(stdout);
}

static void bench_case_run(const bench_case *c, const bench_options *options)
{
    bench_result r = {0};
    char path[512];
    char floor_path[512];
    trace *recorded = NULL;
    bench_path(options, "engine", path);
    bench_path(options, "floor", floor_path);
    if (c->durability != SW_DURABILITY_MEMORY) {
        recorded = trace_new();
        bench_run(c, path, recorded);
        trace_stop(recorded, path);
        bench_remove(path);
        r.counts = trace_count(recorded);
    }
    for (int i = 0; i < options->rounds; i++) {
        r.rates[i] = (double)c->steps / bench_run(c, path, NULL);
        bench_remove(path);
        if (recorded) {
            r.floors[i] = (double)c->steps /
                          trace_replay(recorded, floor_path, c->durability == SW_DURABILITY_STRICT);
            bench_remove(floor_path);
            r.ratios[i] = r.rates[i] / r.floors[i];
        }
    }
    trace_free(recorded);
    if (options->json)
        bench_print_json(c, &r, options->rounds);
    else
        bench_print_row(c, &r, options->rounds);
}

/* Enough steps for a tenth of a second or more, fewer where each batch waits for the disk. */
static size_t bench_steps(bench_load load, int durability, size_t batch, bool quick)
{
    size_t batches = durability == SW_DURABILITY_STRICT ? 150 : 3000;
    size_t steps = batch * batches;
    if (steps > 30000)
        steps = 30000;
    if (quick)
        steps /= 3;
    if (load == BENCH_LARGE)
        return steps < 1000              ? 1000
               : steps < BENCH_LARGE_MAX ? steps / BENCH_LAYER * BENCH_LAYER
                                         : BENCH_LARGE_MAX;
    return steps / 3 * 3;
}

static void bench_all(const bench_options *options)
{
    static const char *const loads[] = {"small", "large"};
    static const int durabilities[] = {SW_DURABILITY_MEMORY, SW_DURABILITY_RELAXED,
                                       SW_DURABILITY_STRICT};
    for (int load = BENCH_SMALL; load <= BENCH_LARGE; load++) {
        for (size_t d = 0; d < sizeof(durabilities) / sizeof(durabilities[0]); d++) {
            for (size_t batch = 1; batch <= BENCH_BATCH_MAX; batch *= 10) {
                bench_case c = {
                    .load = (bench_load)load, .durability = durabilities[d], .batch = batch};
                c.steps = bench_steps(c.load, c.durability, batch, options->quick);
                snprintf(c.name, sizeof(c.name), "%s/%s/%zu", loads[load],
                         sw_durability_name(c.durability), batch);
                if (!options->only || strstr(c.name, options->only))
                    bench_case_run(&c, options);
            }
        }
    }
}

int main(int argc, char **argv)
{
    bench_options options = {.rounds = 5, .dir = "/tmp"};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            options.quick = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            options.json = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            options.dir = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            options.only = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json] [--dir FOLDER] [--only TEXT]\n", argv[0]);
            return 2;
        }
    }
    if (!options.json)
        printf("%-28s %9s %9s %9s %8s %9s %6s  %s\n", "load/durability/batch", "steps/s", "min",
               "max", "us/step", "floor", "ratio", "per step");
    bench_all(&options);
    return 0;
}
