/* The cost of reporting 1,000 outcomes in one call, on the memory store: what the same call from
 * Ruby and Python is compared with (update_batch.rb, update_batch.py). Prints the median in
 * microseconds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define UPDATE_ROWS 1000
#define UPDATE_ROUNDS 21

/* One layer of UPDATE_ROWS steps; freed by the caller. */
static char *update_definition(void)
{
    size_t size = 64 + UPDATE_ROWS * 48;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"wide\",\"steps\":[");
    for (int i = 0; i < UPDATE_ROWS; i++)
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"s%d\",\"handler\":\"bench.step\"}", i ? "," : "", i);
    snprintf(text + len, size - len, "]}");
    return text;
}

static double update_round(sw_engine *engine, const sw_worker_ref *worker)
{
    static sw_step_outcome outcomes[UPDATE_ROWS];
    sw_task_submit_row row = {.workflow = bench_str("wide")};
    sw_result *result = NULL;
    sw_result *claimed = NULL;
    sw_error err;
    bench_check(sw_task_submit(engine, &row, 1, &result, &err), "submit", &err);
    sw_result_free(result);
    bench_check(sw_step_exchange(engine, worker, NULL, 0, UPDATE_ROWS, 0, &claimed, &err),
                "exchange", &err);
    size_t count = bench_outcomes(claimed, outcomes);
    double started = bench_seconds();
    bench_check(sw_step_update_batch(engine, outcomes, count, &result, &err), "update", &err);
    double took = bench_seconds() - started;
    sw_result_free(result);
    sw_result_free(claimed);
    return took;
}

int main(void)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    double took[UPDATE_ROUNDS];
    options.store = bench_str("memory:");
    bench_check(sw_engine_open(&options, &engine, &err), "open", &err);
    char *definition = update_definition();
    bench_register(engine, definition);
    free(definition);
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    for (int i = 0; i < UPDATE_ROUNDS; i++)
        took[i] = update_round(engine, &worker);
    printf("%.1f\n", bench_median(took, UPDATE_ROUNDS) * 1e6);
    sw_engine_close(engine);
    return 0;
}
