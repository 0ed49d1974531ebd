/* Many seeds; see campaign.h. */
#include "sim/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/plant.h"
#include "sim/probe.h"
#include "sim/run.h"

#define CAMPAIGN_TWICE 20

typedef struct totals {
    uint64_t runs;
    uint64_t violations;
    uint64_t points;
    uint64_t acknowledged;
    uint64_t fenced;
    uint64_t checks;
    uint64_t lives;
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
    t->lives += result->lives;
    for (int i = 0; i < WORLD_FAULT_COUNT; i++)
        t->faults[i] += result->faults[i];
}

static void totals_print(const totals *t, double seconds)
{
    double runs = t->runs ? (double)t->runs : 1;
    printf("%llu schedules, %llu violations, %.0f schedules/s of processor time\n",
           (unsigned long long)t->runs, (unsigned long long)t->violations, runs / seconds);
    printf("  per schedule: %.0f points, %.1f processes, %.1f acknowledged completions, "
           "%.1f fenced reports, %.1f checks\n",
           (double)t->points / runs, (double)t->lives / runs, (double)t->acknowledged / runs,
           (double)t->fenced / runs, (double)t->checks / runs);
    for (int i = 0; i < WORLD_FAULT_COUNT; i++)
        printf("%s%.2f %s", i ? ", " : "  faults per schedule: ", (double)t->faults[i] / runs,
               world_fault_name(i));
    printf("\n");
}

/* Of this process: others may be at work on the same machine. */
static double campaign_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void campaign_once(uint64_t seed, run_result *result)
{
    run_schedule(seed, NULL, 0, false, result);
    free(result->draws);
    free(result->kinds);
}

static bool campaign_repeats(uint64_t seed, const run_result *first)
{
    run_result second;
    campaign_once(seed, &second);
    return second.unseed == first->unseed && second.points == first->points;
}

uint64_t campaign_run(uint64_t from, uint64_t count, int *missed)
{
    totals t = {0};
    uint64_t twice = 0;
    double start = campaign_seconds();
    for (uint64_t seed = from; seed < from + count; seed++) {
        run_result result;
        campaign_once(seed, &result);
        totals_add(&t, &result);
        if (result.violation[0])
            printf("seed %llu: %s\n", (unsigned long long)seed, result.violation);
        if (seed % CAMPAIGN_TWICE != 0)
            continue;
        twice++;
        if (!campaign_repeats(seed, &result)) {
            printf("seed %llu: SAME: run a second time, it goes another way\n",
                   (unsigned long long)seed);
            t.violations++;
        }
    }
    totals_print(&t, campaign_seconds() - start);
    printf("  %llu of them were run twice\n", (unsigned long long)twice);
    *missed = probe_print_missed();
    return t.violations;
}

/* Bugs. */

void campaign_rule(const char *violation, char rule[16])
{
    size_t size = strcspn(violation, ":");
    snprintf(rule, 16, "%.*s", (int)(size < 15 ? size : 15), violation);
}

uint64_t campaign_find(uint64_t from, uint64_t budget, char rule[16])
{
    for (uint64_t seed = from; seed < from + budget; seed++) {
        run_result result;
        campaign_once(seed, &result);
        if (result.violation[0]) {
            campaign_rule(result.violation, rule);
            return seed;
        }
    }
    return 0;
}

static int campaign_compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

int campaign_plants(uint64_t from, uint64_t budget, double cap_seconds)
{
    int missed = 0;
    int tried = 0;
    double start = campaign_seconds();
    uint64_t *seeds = calloc((size_t)plant_count(), sizeof *seeds);
    if (!seeds)
        return -1;
    printf("%-20s %6s  %-6s %s\n", "bug", "seeds", "rule", "what is wrong");
    for (int plant = 1; plant <= plant_count(); plant++) {
        char rule[16] = "-";
        if (cap_seconds > 0 && campaign_seconds() - start > cap_seconds)
            break;
        plant_choose(plant);
        uint64_t seed = campaign_find(from, budget, rule);
        seeds[tried++] = seed ? seed - from + 1 : budget + 1;
        missed += seed == 0;
        printf("%-20s %6llu  %-6s %s\n", plant_name(plant),
               (unsigned long long)(seed ? seed - from + 1 : budget), seed ? rule : "MISSED",
               plant_describe(plant));
        fflush(stdout);
    }
    plant_choose(0);
    qsort(seeds, (size_t)tried, sizeof *seeds, campaign_compare);
    printf("%d of %d bugs planted, %d missed, median %llu seeds, most %llu, %.0f s\n", tried,
           plant_count(), missed, (unsigned long long)(tried ? seeds[tried / 2] : 0),
           (unsigned long long)(tried ? seeds[tried - 1] : 0), campaign_seconds() - start);
    free(seeds);
    return missed;
}
