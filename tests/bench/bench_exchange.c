/* How fast steps go through the engine: submit, claim, complete, through the public header.
 *
 * Three loads: many small tasks (chains of three steps), one large task (layers, two dependencies
 * per step), and 10,000 steps of which none waits for another before one that waits for all; on
 * memory and on SQLite, relaxed and strict; with batches of 1 to 1,000 (--quick: 1 and 100). Beside
 * each run on SQLite a bare loop writes the same rows in the same commits to a file with the same
 * schema (trace.h): ratio is the engine's rate divided by the loop's, taken from neighbouring runs,
 * because the machine's speed changes from one second to the next.
 *
 * With --json each case is one line: an object with name, unit, median, min, max, floor, ratio, and
 * the rows written per step and the commits of one run.
 *
 *     bench_exchange [--quick] [--json] [--dir FOLDER] [--only TEXT]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "trace.h"

#define BENCH_BATCH_MAX 1000
#define BENCH_LAYER 500

typedef enum bench_load { BENCH_SMALL, BENCH_LARGE, BENCH_FAN } bench_load;

typedef struct bench_case {
    char name[64];
    bench_load load;
    int durability;
    size_t batch;
    size_t steps;
} bench_case;

typedef struct bench_result {
    double rates[BENCH_ROUNDS_MAX]; /* steps per second */
    double floors[BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
    trace_counts counts;
} bench_result;

/* Definitions, by load. */

static const char *const bench_workflows[] = {"small", "layered", "fan"};

static const char bench_small[] = "{\"stepwell\":1,\"name\":\"small\",\"steps\":["
                                  "{\"name\":\"a\",\"handler\":\"bench.step\"},"
                                  "{\"name\":\"b\",\"handler\":\"bench.step\",\"after\":[\"a\"]},"
                                  "{\"name\":\"c\",\"handler\":\"bench.step\",\"after\":[\"b\"]}]}";

/* One step after all others; freed by the caller. */
static char *bench_fan(size_t steps)
{
    size_t size = 128 + steps * 56;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"fan\",\"steps\":[");
    for (size_t i = 0; i + 1 < steps; i++)
        len += (size_t)snprintf(text + len, size - len,
                                "{\"name\":\"s%zu\",\"handler\":\"bench.step\"},", i);
    len += (size_t)snprintf(text + len, size - len,
                            "{\"name\":\"join\",\"handler\":\"bench.step\",\"after\":[");
    for (size_t i = 0; i + 1 < steps; i++)
        len += (size_t)snprintf(text + len, size - len, "%s\"s%zu\"", i ? "," : "", i);
    snprintf(text + len, size - len, "]}]}");
    return text;
}

static void bench_define(sw_engine *engine, const bench_case *c)
{
    char *text = c->load == BENCH_LARGE ? bench_layered(c->steps, BENCH_LAYER)
                 : c->load == BENCH_FAN ? bench_fan(c->steps)
                                        : NULL;
    bench_register(engine, text ? text : bench_small);
    free(text);
}

/* One run. */

static void bench_start(sw_engine *engine, const bench_case *c)
{
    sw_task_submit_row rows[BENCH_BATCH_MAX];
    size_t tasks = c->load == BENCH_SMALL ? c->steps / 3 : 1;
    sw_error err;
    for (size_t i = 0; i < BENCH_BATCH_MAX; i++)
        rows[i] = (sw_task_submit_row){
            .workflow = bench_str(bench_workflows[c->load]),
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

/* The first task of a definition makes the engine read it; that is not what is measured. */
static void bench_warm(sw_engine *engine, const bench_case *c)
{
    sw_cancel_row cancel = {.reason = bench_str("warm")};
    sw_error err;
    cancel.task_id = bench_submit(engine, bench_workflows[c->load], 1);
    bench_check(sw_task_cancel(engine, &cancel, 1, &err), "cancel", &err);
}

/* Seconds from the first submit to the last completion; recorded may be NULL. */
static double bench_run(const bench_case *c, const char *path, trace *recorded)
{
    sw_engine *engine =
        bench_open(c->durability == SW_DURABILITY_MEMORY ? "memory:" : path, c->durability);
    bench_define(engine, c);
    bench_warm(engine, c);
    trace_start(recorded);
    double started = bench_seconds();
    bench_start(engine, c);
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    size_t done = bench_work(engine, &worker, c->batch, c->steps);
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
    const trace_counts *counts = &r->counts;
    printf("{\"name\":\"%s\",\"unit\":\"steps/s\",\"median\":%.0f,\"min\":%.0f,\"max\":%.0f,",
           c->name, bench_median(r->rates, rounds), bench_least(r->rates, rounds),
           bench_most(r->rates, rounds));
    if (c->durability == SW_DURABILITY_MEMORY)
        printf("\"floor\":null,\"ratio\":null}\n");
    else
        printf("\"floor\":%.0f,\"ratio\":%.3f,\"rows_per_step\":%.3f,\"commits\":%zu}\n",
               bench_median(r->floors, rounds), bench_median(r->ratios, rounds),
               (double)(counts->inserts + counts->updates + counts->deletes) / (double)c->steps,
               counts->commits);
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

static void bench_case_run(const bench_case *c, const bench_arguments *arguments)
{
    bench_result r = {0};
    char path[512];
    char floor_path[512];
    trace *recorded = NULL;
    int rounds = arguments->quick ? 2 : 5;
    bench_path(arguments, "engine", path);
    bench_path(arguments, "floor", floor_path);
    if (c->durability != SW_DURABILITY_MEMORY) {
        recorded = trace_new();
        bench_run(c, path, recorded);
        trace_stop(recorded, path);
        bench_remove(path);
        r.counts = trace_count(recorded);
    }
    for (int i = 0; i < rounds; i++) {
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
    if (arguments->json)
        bench_print_json(c, &r, rounds);
    else
        bench_print_row(c, &r, rounds);
}

/* Enough steps for a tenth of a second or more, fewer where each batch waits for the disk. */
static size_t bench_steps(bench_load load, int durability, size_t batch, bool quick)
{
    size_t batches = durability == SW_DURABILITY_STRICT ? 150 : 3000;
    size_t least = quick ? 100 : 1000; /* of a large task */
    size_t most = quick ? 3000 : 30000;
    size_t steps = batch * (quick ? batches / 5 : batches);
    if (load == BENCH_FAN)
        return (quick ? most : BENCH_LAYERED_MAX) + 1;
    if (steps > most)
        steps = most;
    if (load == BENCH_SMALL)
        return steps / 3 * 3;
    return steps < least ? least : steps < BENCH_LAYERED_MAX ? steps : BENCH_LAYERED_MAX;
}

static void bench_load_run(bench_load load, const char *name, const bench_arguments *arguments)
{
    static const int durabilities[] = {SW_DURABILITY_MEMORY, SW_DURABILITY_RELAXED,
                                       SW_DURABILITY_STRICT};
    size_t least = load == BENCH_FAN ? BENCH_BATCH_MAX : 1;
    size_t times = arguments->quick ? 100 : 10;
    for (size_t d = 0; d < sizeof(durabilities) / sizeof(durabilities[0]); d++) {
        for (size_t batch = least; batch <= BENCH_BATCH_MAX; batch *= times) {
            bench_case c = {.load = load, .durability = durabilities[d], .batch = batch};
            c.steps = bench_steps(load, c.durability, batch, arguments->quick);
            snprintf(c.name, sizeof(c.name), "%s/%s/%zu", name, sw_durability_name(c.durability),
                     batch);
            if (bench_wants(arguments, c.name))
                bench_case_run(&c, arguments);
        }
    }
}

int main(int argc, char **argv)
{
    bench_arguments arguments = bench_arguments_read(argc, argv);
    if (!arguments.json)
        printf("%-28s %9s %9s %9s %8s %9s %6s  %s\n", "load/durability/batch", "steps/s", "min",
               "max", "us/step", "floor", "ratio", "per step");
    bench_load_run(BENCH_SMALL, "small", &arguments);
    bench_load_run(BENCH_LARGE, "large", &arguments);
    bench_load_run(BENCH_FAN, "fan", &arguments);
    return 0;
}
