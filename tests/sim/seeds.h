/* Seeds that once broke a rule, and must not any more (seeds.txt). */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include "sim/report.h"

/* Run every seed of the file; how many break a rule, -1 when the file cannot be read. */
int seeds_run(const char *path, const report_options *report);

#endif
