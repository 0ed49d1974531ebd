/* Shrinking a schedule: the fewest events that still break the same rule. */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/choice.h"

typedef struct shrunk {
    choice_list drawn; /* the caller's to free */
    size_t events;     /* as choice.h counts them */
    size_t events_before;
    uint64_t runs;
    double seconds; /* of processor time */
    char violation[1024];
} shrunk;

/* Shrink what breaks the rule, for at most so many seconds of processor time. False when playing
 * it does not break the rule; then out holds nothing. */
bool shrink_schedule(const choice_list *drawn, const char *rule, double seconds, shrunk *out);
/* The name of the rule at the start of a violation. */
void shrink_rule(const char *violation, char rule[16]);

#endif
