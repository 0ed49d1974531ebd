/* One schedule: faults, then healing, then everything must end. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim/ledger.h"

typedef struct run_result {
    char violation[1024]; /* empty: none */
    uint64_t unseed;
    uint64_t points;
    uint64_t lives; /* processes that were started */
    uint64_t faults[WORLD_FAULT_COUNT];
    uint64_t acknowledged;
    uint64_t fenced;
    uint64_t checks;
    choice_list drawn; /* the caller's to free */
} run_result;

/* Once per process. */
void run_install(void);
/* Run a seed, or what was recorded when it is not NULL. */
void run_schedule(uint64_t seed, const choice_list *recorded, bool trace, run_result *out);

#endif
