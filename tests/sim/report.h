/* What a person gets who meets a violation: the shrunk schedule, its story, how to play it again. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "sim/run.h"

typedef struct report_options {
    const char *directory; /* that keeps the schedule's file */
    double seconds;        /* for shrinking */
} report_options;

/* Shrink what a seed drew, write it to DIRECTORY/seed-N.schedule (seed-N-PLANT.schedule with a bug
 * planted), print its story. True when the file was written. */
bool report_violation(uint64_t seed, const run_result *result, const report_options *options);
/* Play a schedule's file, with the bug planted that it names; an exit status of the program: 0 when
 * it breaks nothing, 1 when it breaks a rule, 2 when it cannot be played. */
int report_replay(const char *path, bool trace);

#endif
