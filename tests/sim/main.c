/* The simulator's command; docs/guide/testing.md says how it is used.
 *
 *     sim [--from N] [--count N]        run seeds
 *     sim --seed N [--trace]            run one, tell its story
 *     sim --seed N --shrink             run one, and shrink what it finds
 *     sim --replay FILE [--trace]       play what was shrunk
 *     sim --seeds FILE                  run the seeds that once found something
 *     sim --plants [--budget N]         plant each bug in turn
 *     sim --plants --shrink [--every N] and shrink what finds it, or what finds each N-th
 *     sim --plants --share I/N          only every N-th bug, beginning with number I
 *     sim --plant NAME ...              plant one bug, then as above
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/campaign.h"
#include "sim/plant.h"
#include "sim/report.h"
#include "sim/run.h"
#include "sim/seeds.h"

typedef struct command {
    uint64_t from;
    uint64_t count;
    uint64_t seed;
    uint64_t budget;
    double cap_seconds;
    double shrink_seconds;
    int every;
    int share;
    int of_shares;
    const char *replay;
    const char *seeds;
    const char *keep;
    bool trace;
    bool shrink;
    bool plants;
    bool probes;
} command;

static const struct option command_options[] = {
    {"from", required_argument, NULL, 'f'},
    {"count", required_argument, NULL, 'c'},
    {"seed", required_argument, NULL, 's'},
    {"trace", no_argument, NULL, 't'},
    {"plants", no_argument, NULL, 'P'},
    {"plant", required_argument, NULL, 'p'},
    {"probes", no_argument, NULL, 'r'},
    {"budget", required_argument, NULL, 'b'},
    {"cap", required_argument, NULL, 'm'},
    {"shrink", no_argument, NULL, 'S'},
    {"replay", required_argument, NULL, 'R'},
    {"keep", required_argument, NULL, 'k'},
    {"seconds", required_argument, NULL, 'x'},
    {"every", required_argument, NULL, 'e'},
    {"seeds", required_argument, NULL, 'd'},
    {"share", required_argument, NULL, 'h'},
    {0},
};

static bool command_set_number(command *c, int option, const char *text)
{
    uint64_t number = strtoull(text, NULL, 10);
    switch (option) {
    case 'f':
        c->from = number;
        return true;
    case 'c':
        c->count = number;
        return true;
    case 's':
        c->seed = number;
        return true;
    case 'b':
        c->budget = number;
        return true;
    case 'm':
        c->cap_seconds = (double)number;
        return true;
    case 'x':
        c->shrink_seconds = (double)number;
        return true;
    case 'e':
        c->every = (int)number;
        return number > 0;
    default:
        return false;
    }
}

static bool command_set(command *c, int option, const char *text)
{
    switch (option) {
    case 't':
        c->trace = true;
        return true;
    case 'r':
        c->probes = true;
        return true;
    case 'P':
        c->plants = true;
        return true;
    case 'S':
        c->shrink = true;
        return true;
    case 'R':
        c->replay = text;
        return true;
    case 'd':
        c->seeds = text;
        return true;
    case 'k':
        c->keep = text;
        return true;
    case 'h':
        return sscanf(text, "%d/%d", &c->share, &c->of_shares) == 2 && c->share > 0 &&
               c->share <= c->of_shares;
    case 'p':
        plant_choose(plant_find(text));
        return plant_chosen() != 0;
    default:
        return option != '?' && command_set_number(c, option, text);
    }
}

static int command_one(const command *c, const report_options *report)
{
    run_result result;
    run_schedule(c->seed, NULL, c->trace, &result);
    bool violated = result.violation[0];
    if (violated)
        printf("seed %llu: %s\n", (unsigned long long)c->seed, result.violation);
    if (violated && c->shrink)
        report_violation(c->seed, &result, report);
    choice_list_free(&result.drawn);
    return violated;
}

static int command_plants(const command *c)
{
    campaign_plants_options options = {
        .from = c->from,
        .budget = c->budget,
        .cap_seconds = c->cap_seconds,
        .share = c->share - 1,
        .of_shares = c->of_shares,
        .shrink_every = c->shrink ? c->every : 0,
        .shrink_seconds = c->shrink_seconds,
    };
    return !campaign_plants(&options);
}

int main(int argc, char **argv)
{
    command c = {.from = 1, .count = 1000, .budget = 2000, .shrink_seconds = 60, .every = 1};
    c.share = c.of_shares = 1;
    c.keep = ".";
    for (int option; (option = getopt_long(argc, argv, "", command_options, NULL)) != -1;) {
        if (!command_set(&c, option, optarg))
            return 2;
    }
    report_options report = {c.keep, c.shrink_seconds};
    run_install();
    if (c.replay)
        return report_replay(c.replay, c.trace);
    if (c.seeds)
        return seeds_run(c.seeds, &report) != 0;
    if (c.plants)
        return command_plants(&c);
    if (c.seed)
        return command_one(&c, &report);
    int missed = 0;
    uint64_t violations = campaign_run(c.from, c.count, &report, &missed);
    return violations > 0 || (c.probes && missed > 0);
}
