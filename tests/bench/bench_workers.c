/* Worker processes on one file: steps per second of 2 and 4 of them together (--quick: 4), many
 * small tasks and one large one, strict and relaxed. Beside it the rate of one process alone in the
 * same round; the ratio says what is left of it when they get in each other's way.
 *
 * The first process starts the tasks, all of them claim and complete. What is measured ends with
 * the last report of any.
 *
 *     bench_workers [--quick] [--json] [--dir FOLDER] [--only TEXT]
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define WORKERS_MAX 4
#define WORKERS_BATCH 100
#define WORKERS_LAYER 500
#define WORKERS_WAIT_MS 5

typedef struct workers_case {
    const char *load;
    int durability;
    size_t tasks;
    size_t steps; /* of one task */
} workers_case;

/* What the processes share. */
typedef struct workers_shared {
    atomic_int ready;   /* have opened the file */
    atomic_int go;      /* may begin */
    atomic_size_t left; /* steps not reported yet */
} workers_shared;

static const char workers_small[] =
    "{\"stepwell\":1,\"name\":\"small\",\"steps\":[{\"name\":\"a\",\"handler\":\"bench.step\"},"
    "{\"name\":\"b\",\"handler\":\"bench.step\",\"after\":[\"a\"]},"
    "{\"name\":\"c\",\"handler\":\"bench.step\",\"after\":[\"b\"]}]}";

static void workers_define(sw_engine *engine, const workers_case *c)
{
    char *layered = strcmp(c->load, "large") == 0 ? bench_layered(c->steps, WORKERS_LAYER) : NULL;
    bench_register(engine, layered ? layered : workers_small);
    free(layered);
}

/* One process: claim and complete until nothing is left. */
static void workers_main(const workers_case *c, const char *path, workers_shared *shared,
                         bool first)
{
    static sw_step_outcome outcomes[WORKERS_BATCH];
    sw_engine *engine = bench_open(path, c->durability);
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    sw_result *result = NULL;
    size_t count = 0;
    sw_error err;
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->go))
        usleep(100);
    if (first)
        bench_submit(engine, c->tasks > 1 ? "small" : "layered", c->tasks);
    while (count > 0 || atomic_load(&shared->left) > 0) {
        sw_result *next = NULL;
        bench_check(sw_step_exchange(engine, &worker, outcomes, count, WORKERS_BATCH,
                                     WORKERS_WAIT_MS, &next, &err),
                    "exchange", &err);
        atomic_fetch_sub(&shared->left, count);
        sw_result_free(result);
        result = next;
        count = bench_outcomes(result, outcomes);
    }
    sw_result_free(result);
    sw_engine_close(engine);
}

static void workers_fork(const workers_case *c, const char *path, workers_shared *shared, int index)
{
    pid_t child = fork();
    if (child < 0)
        exit(1);
    if (child > 0)
        return;
    workers_main(c, path, shared, index == 0);
    _exit(0);
}

/* Steps per second of so many processes. */
static double workers_rate(const bench_arguments *arguments, const workers_case *c, int processes)
{
    char path[512];
    workers_shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        exit(1);
    bench_path(arguments, "workers", path);
    sw_engine *engine = bench_open(path, c->durability);
    workers_define(engine, c);
    sw_engine_close(engine);
    atomic_store(&shared->left, c->tasks * c->steps);
    for (int i = 0; i < processes; i++)
        workers_fork(c, path, shared, i);
    while (atomic_load(&shared->ready) < processes)
        usleep(100);
    double started = bench_seconds();
    atomic_store(&shared->go, 1);
    while (atomic_load(&shared->left) > 0)
        usleep(100);
    double took = bench_seconds() - started;
    for (int status = 0; wait(&status) > 0;) {
        if (status != 0)
            exit(1);
    }
    munmap(shared, sizeof(*shared));
    bench_remove(path);
    return (double)(c->tasks * c->steps) / took;
}

static void workers_run(const bench_arguments *arguments, const workers_case *c, int processes)
{
    char name[64];
    bench_rounds measured = {0};
    snprintf(name, sizeof(name), "workers/%s/%s/%d", c->load, sw_durability_name(c->durability),
             processes);
    if (!bench_wants(arguments, name))
        return;
    for (int i = 0; i < (arguments->quick ? 2 : 5); i++) {
        double alone = workers_rate(arguments, c, 1);
        bench_add(&measured, workers_rate(arguments, c, processes), alone);
    }
    bench_print(&measured, name, "steps/s", "steps per s; floor is one process", arguments->json);
}

int main(int argc, char **argv)
{
    bench_arguments arguments = bench_arguments_read(argc, argv);
    const workers_case cases[] = {
        {"small", SW_DURABILITY_STRICT, arguments.quick ? 400 : 5000, 3},
        {"small", SW_DURABILITY_RELAXED, arguments.quick ? 400 : 5000, 3},
        {"large", SW_DURABILITY_STRICT, 1, arguments.quick ? 1500 : BENCH_LAYERED_MAX},
        {"large", SW_DURABILITY_RELAXED, 1, arguments.quick ? 1500 : BENCH_LAYERED_MAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int processes = arguments.quick ? 4 : 2; processes <= WORKERS_MAX; processes *= 2)
            workers_run(&arguments, &cases[i], processes);
    }
    return 0;
}
