/* Many seeds: with the core as it is, or with a bug planted in it. */
#ifndef SIM_CAMPAIGN_H
#define SIM_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/report.h"

/* Hear the canary, run seeds, print figures and violations; every twentieth seed is run twice and must do the same.
 * The first violations are shrunk. The number of violations; *missed becomes the number of rare
 * branches that were not reached. */
uint64_t campaign_run(uint64_t from, uint64_t count, const report_options *report, int *missed);

typedef struct campaign_plants_options {
    uint64_t from;
    uint64_t budget;    /* seeds for each bug */
    double cap_seconds; /* end early; 0: never */
    int share; /* only every of_shares-th bug, beginning with this one, from 0 */
    int of_shares;
    int shrink_every; /* shrink what finds the first of so many bugs; 0: none */
    double shrink_seconds;
} campaign_plants_options;

/* Plant each bug in turn and run seeds until it is found; print a table. True when each was found,
 * and the median of the shrunk schedules has at most 25 events. */
bool campaign_plants(const campaign_plants_options *options);

#endif
