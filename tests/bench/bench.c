/* Shared parts of the bench programs. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_check(int rc, const char *what, const sw_error *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, err->message);
    exit(1);
}

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
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
