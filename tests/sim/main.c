/* The simulator's command: run seeds, or one seed with its whole story.
 *
 *     sim [--from N] [--count N] [--seed N] [--trace]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/run.h"

typedef struct totals {
    uint64_t runs;
    uint64_t violations;
    uint64_t points;
    uint64_t acknowledged;
    uint64_t fenced;
    uint64_t checks;
    uint64_t faults[WORLD_FAULT_COUNT];
} totals;

static void totals_add(totals *t, const run_result *result)
{
    t->runs++;
    t->violations += result->violation[0] != '\0';
    t->points += result->points;
    t->acknowledged += result->acknowledged;
    t->fenced += result->fenced;
    t->checks += result->checks;
    for (int i = 0; i < WORLD_FAULT_COUNT; i++)
        t->faults[i] += result->faults[i];
}

static void totals_print(const totals *t, double seconds)
{
    printf("%llu schedules, %llu violations, %.0f schedules/s\n", (unsigned long long)t->runs,
           (unsigned long long)t->violations, (double)t->runs / seconds);
    printf("  %llu points, %llu acknowledged completions, %llu fenced reports, %llu checks\n",
           (unsigned long long)t->points, (unsigned long long)t->acknowledged,
           (unsigned long long)t->fenced, (unsigned long long)t->checks);
    for (int i = 0; i < WORLD_FAULT_COUNT; i++)
        printf("  %llu x %s\n", (unsigned long long)t->faults[i], world_fault_name(i));
}

static double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"trace", no_argument, NULL, 't'},
                                            {0}};
    uint64_t from = 1;
    uint64_t count = 1000;
    bool trace = false;
    totals t = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'f')
            from = strtoull(optarg, NULL, 10);
        else if (option == 'c')
            count = strtoull(optarg, NULL, 10);
        else if (option == 's')
            from = strtoull(optarg, NULL, 10), count = 1;
        else if (option == 't')
            trace = true;
        else
            return 2;
    }
    run_install();
    double start = clock_seconds();
    for (uint64_t seed = from; seed < from + count; seed++) {
        run_result result;
        run_schedule(seed, NULL, 0, trace, &result);
        totals_add(&t, &result);
        if (result.violation[0])
            printf("seed %llu: %s\n", (unsigned long long)seed, result.violation);
        free(result.draws);
        free(result.kinds);
    }
    totals_print(&t, clock_seconds() - start);
    return t.violations > 0;
}
