/* Shared parts of the bench programs. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void bench_check(int rc, const char *what, const sw_error *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, err->message);
    exit(1);
}

static clockid_t bench_clock = CLOCK_MONOTONIC;

void bench_by_processor(void)
{
    bench_clock = CLOCK_PROCESS_CPUTIME_ID;
}

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(bench_clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

sw_str bench_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

static int bench_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double bench_rank(const double *values, int count, int rank)
{
    double sorted[BENCH_ROUNDS_MAX];
    memcpy(sorted, values, (size_t)count * sizeof(sorted[0]));
    qsort(sorted, (size_t)count, sizeof(sorted[0]), bench_compare);
    return sorted[rank];
}

double bench_median(const double *values, int count)
{
    return bench_rank(values, count, count / 2);
}

double bench_least(const double *values, int count)
{
    return bench_rank(values, count, 0);
}

double bench_most(const double *values, int count)
{
    return bench_rank(values, count, count - 1);
}

bench_arguments bench_arguments_read(int argc, char **argv)
{
    bench_arguments arguments = {.dir = "/tmp"};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            arguments.quick = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            arguments.json = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            arguments.dir = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            arguments.only = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json] [--dir FOLDER] [--only TEXT]\n", argv[0]);
            exit(2);
        }
    }
    return arguments;
}

bool bench_wants(const bench_arguments *arguments, const char *name)
{
    return !arguments->only || strstr(name, arguments->only);
}

void bench_add(bench_rounds *rounds, double took, double floor)
{
    rounds->took[rounds->count] = took;
    rounds->floors[rounds->count] = floor;
    rounds->ratios[rounds->count++] = took / floor;
}

void bench_print(const bench_rounds *rounds, const char *name, const char *unit, const char *note,
                 bool json)
{
    double median = bench_median(rounds->took, rounds->count);
    double least = bench_least(rounds->took, rounds->count);
    double most = bench_most(rounds->took, rounds->count);
    double floor = bench_median(rounds->floors, rounds->count);
    double ratio = bench_median(rounds->ratios, rounds->count);
    if (json)
        printf("{\"name\":\"%s\",\"unit\":\"%s\",\"median\":%.1f,\"min\":%.1f,\"max\":%.1f,"
               "\"floor\":%.1f,\"ratio\":%.3f}\n",
               name, unit, median, least, most, floor, ratio);
    else
        printf("%-28s %9.1f %9.1f %9.1f %8s %9.1f %6.2f  %s\n", name, median, least, most, "",
               floor, ratio, note);
    fflush(stdout);
}

void bench_path(const bench_arguments *arguments, const char *name, char path[512])
{
    snprintf(path, 512, "%s/stepwell-bench-%ld-%s.db", arguments->dir, (long)getpid(), name);
}

void bench_remove(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-life", "-bell"};
    char file[600];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        unlink(file);
    }
}

sw_engine *bench_open(const char *store, int durability)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    options.store = bench_str(store);
    options.durability = durability;
    options.busy_timeout_ms = 60000; /* processes of a bench get in each other's way */
    bench_check(sw_engine_open(&options, &engine, &err), "open", &err);
    return engine;
}

char *bench_layered(size_t steps, size_t layer)
{
    size_t size = 64 + steps * 96;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"layered\",\"steps\":[");
    for (size_t i = 0; i < steps; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"s%zu\",\"handler\":\"bench.step\"", i ? "," : "", i);
        if (i >= layer) {
            size_t before = (i / layer - 1) * layer;
            len += (size_t)snprintf(text + len, size - len, ",\"after\":[\"s%zu\",\"s%zu\"]",
                                    before + i % layer, before + (i + 7) % layer);
        }
        len += (size_t)snprintf(text + len, size - len, "}");
    }
    snprintf(text + len, size - len, "]}");
    return text;
}

sw_uuid bench_submit(sw_engine *engine, const char *workflow, size_t tasks)
{
    sw_task_submit_row *rows = calloc(tasks, sizeof(*rows));
    sw_result *result = NULL;
    size_t count = 0;
    sw_error err;
    if (!rows)
        exit(1);
    for (size_t i = 0; i < tasks; i++)
        rows[i].workflow = bench_str(workflow);
    bench_check(sw_task_submit(engine, rows, tasks, &result, &err), "submit", &err);
    sw_uuid last = sw_task_submissions(result, &count)[tasks - 1].task_id;
    sw_result_free(result);
    free(rows);
    return last;
}

size_t bench_work(sw_engine *engine, const sw_worker_ref *worker, size_t batch, size_t most)
{
    sw_step_outcome *outcomes = calloc(batch, sizeof(*outcomes));
    sw_result *result = NULL;
    size_t count = 0;
    size_t done = 0;
    sw_error err;
    if (!outcomes)
        exit(1);
    do {
        size_t room = most - done - count < batch ? most - done - count : batch;
        sw_result *next = NULL;
        bench_check(sw_step_exchange(engine, worker, outcomes, count, room, 0, &next, &err),
                    "exchange", &err);
        done += count;
        sw_result_free(result);
        result = next;
        count = bench_outcomes(result, outcomes);
    } while (count > 0);
    sw_result_free(result);
    free(outcomes);
    return done;
}

void bench_register(sw_engine *engine, const char *definition)
{
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    sw_workflow *workflow = NULL;
    sw_error err;
    bench_check(sw_workflow_load(&options, bench_str(definition), &workflow, NULL, &err), "load",
                &err);
    bench_check(sw_workflow_register(engine, (const sw_workflow *const *)&workflow, 1, &err),
                "register", &err);
    sw_workflow_free(workflow);
}

sw_worker_ref bench_worker(sw_engine *engine, const char *handler)
{
    const sw_str name = bench_str(handler);
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    sw_worker_ref worker;
    sw_error err;
    options.handlers = &name;
    options.handler_count = 1;
    bench_check(sw_worker_open(engine, &options, &worker, &err), "worker", &err);
    return worker;
}

size_t bench_outcomes(const sw_result *result, sw_step_outcome *outcomes)
{
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < count; i++)
        outcomes[i] = (sw_step_outcome){.step_id = claims[i].step_id,
                                        .epoch = claims[i].epoch,
                                        .outcome = SW_OUTCOME_SUCCEEDED,
                                        .result = bench_str("{\"ok\":true,\"n\":12345}")};
    return count;
}
