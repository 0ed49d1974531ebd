/* The canary; see canary.h. */
#include "sim/canary.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sim/plant.h"
#include "sim/run.h"

#define CANARY_SEEDS 60

/* One for the history, the rows and the answers, one each for what is lost with power, what never
 * ends, and what ends too late. */
static const char *const canary_bugs[] = {"AUDIT_FROM", "RESULT_LOST",     "LIST_FILTER",
                                          "SYNC_OFF",   "TASK_ENDS_NEVER", "TASK_WAIT_FOR_SELF"};

static bool canary_replays(const run_result *first)
{
    run_result again;
    run_schedule(0, &first->drawn, false, &again);
    choice_list_free(&again.drawn);
    return strcmp(first->violation, again.violation) == 0;
}

static bool canary_finds(const char *bug)
{
    plant_choose(plant_find(bug));
    for (uint64_t seed = 1; seed <= CANARY_SEEDS; seed++) {
        run_result result;
        run_schedule(seed, NULL, false, &result);
        bool found = result.violation[0];
        bool replays = found && canary_replays(&result);
        choice_list_free(&result.drawn);
        if (found && !replays)
            printf("CANARY: seed %llu breaks a rule with the bug %s, and not when it is replayed\n",
                   (unsigned long long)seed, bug);
        if (found)
            return replays;
    }
    printf("CANARY: %d seeds do not find the bug %s\n", CANARY_SEEDS, bug);
    return false;
}

bool canary_sings(void)
{
    bool sings = true;
    int before = plant_chosen();
    for (size_t i = 0; i < sizeof canary_bugs / sizeof *canary_bugs; i++)
        sings = canary_finds(canary_bugs[i]) && sings;
    plant_choose(before);
    return sings;
}
