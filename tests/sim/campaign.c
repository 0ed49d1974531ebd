/* Many seeds; see campaign.h. */
#include "sim/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/canary.h"
#include "sim/plant.h"
#include "sim/probe.h"
#include "sim/run.h"
#include "sim/shrink.h"

#define CAMPAIGN_TWICE 20
#define CAMPAIGN_SHRUNK_MAX 3
#define CAMPAIGN_EVENTS_MEDIAN 25

typedef struct totals {
    uint64_t runs;
    uint64_t violations;
    uint64_t points;
    uint64_t acknowledged;
    uint64_t fenced;
    uint64_t checks;
    uint64_t lives;
    uint64_t faults[WORLD_FAULT_COUNT];
    uint64_t twice;
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
           (unsigned long long)t->runs, (unsigned long long)t->violations,
           (double)(t->runs + t->twice) / seconds);
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

static bool campaign_repeats(uint64_t seed, const run_result *first)
{
    run_result second;
    run_schedule(seed, NULL, false, &second);
    choice_list_free(&second.drawn);
    return second.unseed == first->unseed && second.points == first->points;
}

/* One seed of a campaign. */
static void campaign_step(uint64_t seed, totals *t, const report_options *report)
{
    run_result result;
    run_schedule(seed, NULL, false, &result);
    totals_add(t, &result);
    if (result.violation[0]) {
        printf("seed %llu: %s\n", (unsigned long long)seed, result.violation);
        fflush(stdout);
        if (t->violations <= CAMPAIGN_SHRUNK_MAX)
            report_violation(seed, &result, report);
    }
    if (seed % CAMPAIGN_TWICE == 0) {
        t->twice++;
        if (!campaign_repeats(seed, &result)) {
            printf("seed %llu: SAME: run a second time, it goes another way\n",
                   (unsigned long long)seed);
            t->violations++;
        }
    }
    choice_list_free(&result.drawn);
}

uint64_t campaign_run(uint64_t from, uint64_t count, const report_options *report, int *missed)
{
    totals t = {.violations = !canary_sings()};
    double start = campaign_seconds();
    for (uint64_t seed = from; seed < from + count; seed++)
        campaign_step(seed, &t, report);
    totals_print(&t, campaign_seconds() - start);
    printf("  %llu of them were run twice\n", (unsigned long long)t.twice);
    *missed = probe_print_missed();
    return t.violations;
}

/* Bugs. */

/* What became of the planted bugs. */
typedef struct harvest {
    int tried;
    int missed;
    int shrunk;
    uint64_t *seeds; /* until each was found */
    uint64_t *events;
} harvest;

/* The first seed from options->from on that finds something, 0 when the budget does not. */
static uint64_t campaign_find(const campaign_plants_options *options, run_result *result)
{
    for (uint64_t seed = options->from; seed < options->from + options->budget; seed++) {
        run_schedule(seed, NULL, false, result);
        if (result->violation[0])
            return seed;
        choice_list_free(&result->drawn);
    }
    return 0;
}

static int campaign_compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void campaign_shrink(const campaign_plants_options *options, const run_result *result,
                            harvest *h)
{
    char rule[16];
    shrunk small;
    shrink_rule(result->violation, rule);
    if (!shrink_schedule(&result->drawn, rule, options->shrink_seconds, &small)) {
        printf("  DOES NOT REPLAY");
        h->missed++;
        return;
    }
    printf("  %5zu > %3zu events, %4.1f s", small.events_before, small.events, small.seconds);
    h->events[h->shrunk++] = small.events;
    choice_list_free(&small.drawn);
}

static void campaign_plant(int plant, const campaign_plants_options *options, harvest *h)
{
    char rule[16] = "MISSED";
    run_result result = {0};
    plant_choose(plant);
    uint64_t seed = campaign_find(options, &result);
    uint64_t number = seed ? seed - options->from + 1 : options->budget;
    h->seeds[h->tried++] = seed ? number : options->budget + 1;
    h->missed += seed == 0;
    if (seed)
        shrink_rule(result.violation, rule);
    printf("%-20s %6llu  %-6s", plant_name(plant), (unsigned long long)number, rule);
    if (seed && options->shrink_every && (plant - 1) % options->shrink_every == 0)
        campaign_shrink(options, &result, h);
    printf("  %s\n", plant_describe(plant));
    fflush(stdout);
    choice_list_free(&result.drawn);
}

static uint64_t campaign_median(uint64_t *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, campaign_compare);
    return count ? values[count / 2] : 0;
}

static bool campaign_print_harvest(harvest *h, double seconds)
{
    uint64_t seeds = campaign_median(h->seeds, h->tried);
    uint64_t events = campaign_median(h->events, h->shrunk);
    printf("%d of %d bugs planted, %d missed, median %llu seeds, most %llu, %.0f s\n", h->tried,
           plant_count(), h->missed, (unsigned long long)seeds,
           (unsigned long long)(h->tried ? h->seeds[h->tried - 1] : 0), seconds);
    if (h->shrunk)
        printf("%d of them shrunk, median %llu events, most %llu\n", h->shrunk,
               (unsigned long long)events, (unsigned long long)h->events[h->shrunk - 1]);
    if (events > CAMPAIGN_EVENTS_MEDIAN)
        printf("TOO LARGE: the median has more than %d events\n", CAMPAIGN_EVENTS_MEDIAN);
    return h->missed == 0 && events <= CAMPAIGN_EVENTS_MEDIAN;
}

bool campaign_plants(const campaign_plants_options *options)
{
    double start = campaign_seconds();
    size_t count = (size_t)plant_count();
    harvest h = {.seeds = calloc(2 * count, sizeof *h.seeds)};
    if (!h.seeds)
        return false;
    h.events = h.seeds + count;
    printf("%-20s %6s  %-6s\n", "bug", "seeds", "rule");
    for (int plant = 1 + options->share; plant <= plant_count(); plant += options->of_shares) {
        if (options->cap_seconds > 0 && campaign_seconds() - start > options->cap_seconds)
            break;
        campaign_plant(plant, options, &h);
    }
    plant_choose(0);
    bool good = campaign_print_harvest(&h, campaign_seconds() - start);
    free(h.seeds);
    return good;
}
