/* The C side of the language boundary: sw_step_update_batch with 1,000 rows, through the public
 * header. tests/bench/update_batch.rb and its like in other languages make the same call on the
 * same store; the quotient is what a binding costs.
 *
 *     bench_update_batch [STORE [DURABILITY]]
 *
 * Prints one line of JSON: rows per second, median of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stepwell.h"

#define BATCH_ROWS 1000
#define BATCH_ROUNDS 40

typedef struct batch_bench {
    sw_engine *engine;
    sw_worker_ref worker;
    sw_step_outcome rows[BATCH_ROWS];
    double rates[BATCH_ROUNDS];
} batch_bench;

static double batch_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* End the program when a call failed: a bench has nobody to report to. */
static void batch_check(int code, const char *what, const sw_error *err)
{
    if (code < 0) {
        fprintf(stderr, "bench_update_batch: %s: %s\n", what, err->message);
        exit(1);
    }
}

static sw_str batch_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

static void batch_open(batch_bench *bench, const char *store, const char *durability)
{
    sw_error err;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_worker_options worker = SW_WORKER_OPTIONS_INIT;
    sw_str text = batch_str("{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}");
    sw_str handler = batch_str("w.a");
    sw_workflow *workflow = NULL;
    const sw_workflow *workflows[1];

    options.store = batch_str(store);
    options.durability = durability ? sw_durability_find(batch_str(durability)) : 0;
    worker.handlers = &handler;
    worker.handler_count = 1;
    batch_check(sw_engine_open(&options, &bench->engine, &err), "open", &err);
    batch_check(sw_workflow_load(&load, text, &workflow, NULL, &err), "load", &err);
    workflows[0] = workflow;
    batch_check(sw_workflow_register(bench->engine, workflows, 1, &err), "register", &err);
    batch_check(sw_worker_open(bench->engine, &worker, &bench->worker, &err), "worker", &err);
    sw_workflow_free(workflow);
}

/* 1,000 new tasks of one step, claimed, as rows to report. */
static void batch_prepare(batch_bench *bench)
{
    static sw_task_submit_row tasks[BATCH_ROWS];
    sw_error err;
    sw_result *result = NULL;
    const sw_step_claim *claims;
    size_t count;

    for (size_t i = 0; i < BATCH_ROWS; i++)
        tasks[i].workflow = batch_str("w");
    batch_check(sw_task_submit(bench->engine, tasks, BATCH_ROWS, &result, &err), "submit", &err);
    sw_result_free(result);
    batch_check(
        sw_step_exchange(bench->engine, &bench->worker, NULL, 0, BATCH_ROWS, 0, &result, &err),
        "exchange", &err);
    claims = sw_step_claims(result, &count);
    for (size_t i = 0; i < count; i++) {
        bench->rows[i] = (sw_step_outcome){.step_id = claims[i].step_id,
                                           .epoch = claims[i].epoch,
                                           .result = batch_str("{\"n\":1}")};
    }
    sw_result_free(result);
}

static double batch_measure(batch_bench *bench)
{
    sw_error err;
    sw_result *result = NULL;
    size_t count;
    double start = batch_clock();

    batch_check(sw_step_update_batch(bench->engine, bench->rows, BATCH_ROWS, &result, &err),
                "update_batch", &err);
    sw_step_applications(result, &count);
    sw_result_free(result);
    return (double)count / (batch_clock() - start);
}

static int batch_compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

int main(int argc, char **argv)
{
    static batch_bench bench;
    const char *store = argc > 1 ? argv[1] : "memory:";

    batch_open(&bench, store, argc > 2 ? argv[2] : NULL);
    for (int i = 0; i < BATCH_ROUNDS; i++) {
        batch_prepare(&bench);
        bench.rates[i] = batch_measure(&bench);
    }
    qsort(bench.rates, BATCH_ROUNDS, sizeof(*bench.rates), batch_compare);
    printf("{\"name\":\"update_batch/c/%d\",\"unit\":\"rows/s\",\"median\":%.0f}\n", BATCH_ROWS,
           bench.rates[BATCH_ROUNDS / 2]);
    sw_engine_close(bench.engine);
    return 0;
}
