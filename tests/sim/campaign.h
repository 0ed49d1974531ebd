/* Many seeds: with the core as it is, or with a bug planted in it. */
#ifndef SIM_CAMPAIGN_H
#define SIM_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

/* Run seeds, print figures and violations; every twentieth seed is run twice and must do the same.
 * The number of violations; *missed becomes the number of rare branches that were not reached. */
uint64_t campaign_run(uint64_t from, uint64_t count, int *missed);
/* Plant each bug in turn and run seeds until it is found, at most `budget` each; print a table.
 * The number of bugs that were not found. cap_seconds ends it early, 0: never. */
int campaign_plants(uint64_t from, uint64_t budget, double cap_seconds);
/* The first seed from `from` on that finds something, 0 when `budget` seeds do not. */
uint64_t campaign_find(uint64_t from, uint64_t budget, char rule[16]);
/* The name of the rule at the start of a violation. */
void campaign_rule(const char *violation, char rule[16]);

#endif
