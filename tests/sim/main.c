/* The simulator's command; docs/guide/testing.md says how it is used.
 *
 *     sim [--from N] [--count N]     run seeds
 *     sim --seed N [--trace]         run one, tell its story
 *     sim --plants [--budget N]      plant each bug in turn
 *     sim --plant NAME ...           plant one bug, then as above
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/campaign.h"
#include "sim/plant.h"
#include "sim/run.h"

typedef struct command {
    uint64_t from;
    uint64_t count;
    uint64_t seed;
    uint64_t budget;
    double cap_seconds;
    bool trace;
    bool plants;
    bool probes;
} command;

static bool command_read(command *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'}, {"count", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'}, {"trace", no_argument, NULL, 't'},
        {"plants", no_argument, NULL, 'P'},     {"plant", required_argument, NULL, 'p'},
        {"probes", no_argument, NULL, 'r'},     {"budget", required_argument, NULL, 'b'},
        {"cap", required_argument, NULL, 'm'},  {0},
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'f')
            c->from = strtoull(optarg, NULL, 10);
        else if (option == 'c')
            c->count = strtoull(optarg, NULL, 10);
        else if (option == 's')
            c->seed = strtoull(optarg, NULL, 10);
        else if (option == 'b')
            c->budget = strtoull(optarg, NULL, 10);
        else if (option == 'm')
            c->cap_seconds = strtod(optarg, NULL);
        else if (option == 't')
            c->trace = true;
        else if (option == 'r')
            c->probes = true;
        else if (option == 'P')
            c->plants = true;
        else if (option == 'p' && plant_find(optarg))
            plant_choose(plant_find(optarg));
        else
            return false;
    }
    return true;
}

static int command_one(const command *c)
{
    run_result result;
    run_schedule(c->seed, NULL, 0, c->trace, &result);
    if (result.violation[0])
        printf("seed %llu: %s\n", (unsigned long long)c->seed, result.violation);
    free(result.draws);
    free(result.kinds);
    return result.violation[0] != '\0';
}

int main(int argc, char **argv)
{
    command c = {.from = 1, .count = 1000, .budget = 2000};
    if (!command_read(&c, argc, argv))
        return 2;
    run_install();
    if (c.plants)
        return campaign_plants(c.from, c.budget, c.cap_seconds) != 0;
    if (c.seed)
        return command_one(&c);
    int missed = 0;
    uint64_t violations = campaign_run(c.from, c.count, &missed);
    return violations > 0 || (c.probes && missed > 0);
}
