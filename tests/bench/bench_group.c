/* Group commit: strict submissions of one task each from several threads, beside the same from one
 * thread. Prints a row per number of threads; the ratio is how much faster they are together.
 *
 *     bench_group [--quick] [--json] [--dir FOLDER]
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define GROUP_ROUNDS 5
#define GROUP_THREADS_MAX 16

typedef struct group_bench {
    sw_engine *engine;
    atomic_int left;
} group_bench;

static void *group_main(void *argument)
{
    group_bench *bench = argument;
    sw_error err;
    while (atomic_fetch_sub(&bench->left, 1) > 0) {
        sw_task_submit_row row = {.workflow = bench_str("one")};
        sw_result *result = NULL;
        bench_check(sw_task_submit(bench->engine, &row, 1, &result, &err), "submit", &err);
        sw_result_free(result);
    }
    return NULL;
}

/* Calls per second. */
static double group_rate(sw_engine *engine, int threads, int calls)
{
    pthread_t ids[GROUP_THREADS_MAX];
    group_bench bench = {.engine = engine};
    atomic_store(&bench.left, calls);
    double started = bench_seconds();
    for (int i = 0; i < threads; i++)
        bench_check(pthread_create(&ids[i], NULL, group_main, &bench) ? SW_EIO : SW_OK, "thread",
                    NULL);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    return calls / (bench_seconds() - started);
}

static void group_print(int threads, const double *rates, const double *floors, int json)
{
    double ratios[GROUP_ROUNDS];
    for (int i = 0; i < GROUP_ROUNDS; i++)
        ratios[i] = rates[i] / floors[i];
    const char *form = json ? "{\"name\":\"group/strict/%d\",\"unit\":\"submissions/s\","
                              "\"median\":%.0f,\"min\":%.0f,\"max\":%.0f,\"floor\":%.0f,"
                              "\"ratio\":%.3f}\n"
                            : "group/strict/%-15d %9.0f %9.0f %9.0f %17.0f %6.2f  "
                              "submissions per s; floor is one thread\n";
    printf(form, threads, bench_median(rates, GROUP_ROUNDS), bench_least(rates, GROUP_ROUNDS),
           bench_most(rates, GROUP_ROUNDS), bench_median(floors, GROUP_ROUNDS),
           bench_median(ratios, GROUP_ROUNDS));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {0}};
    static const int threads[] = {4, GROUP_THREADS_MAX};
    int calls = 2000;
    int json = 0;
    char store[300];
    const char *dir = "/tmp";
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'q')
            calls = 80;
        else if (option == 'j')
            json = 1;
        else if (option == 'd')
            dir = optarg;
        else
            return 2;
    }
    snprintf(store, sizeof store, "%s/stepwell-group-%d.db", dir, getpid());
    sw_engine_options open = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    open.store = bench_str(store);
    bench_check(sw_engine_open(&open, &engine, &err), "open", &err);
    bench_register(engine, "{\"stepwell\":1,\"name\":\"one\",\"steps\":[{\"name\":\"a\"}]}");
    for (int i = 0; i < 2; i++) {
        double rates[GROUP_ROUNDS];
        double floors[GROUP_ROUNDS];
        for (int round = 0; round < GROUP_ROUNDS; round++) {
            floors[round] = group_rate(engine, 1, calls);
            rates[round] = group_rate(engine, threads[i], calls);
        }
        group_print(threads[i], rates, floors, json);
    }
    sw_engine_close(engine);
    unlink(store);
    strcat(store, "-bell");
    unlink(store);
    return 0;
}
