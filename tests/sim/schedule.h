/* A schedule as a small text: what was drawn, where it comes from, and which rule it breaks. */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include <stdbool.h>

#include "sim/choice.h"

typedef struct schedule {
    uint64_t seed; /* that it was shrunk from */
    char plant[40]; /* the bug that has to be planted; empty: none */
    char rule[16];
    choice_list drawn;
} schedule;

/* False, with a word on stderr, when the file cannot be written. */
bool schedule_write(const schedule *s, const char *path);
/* False, with a word on stderr, when the file cannot be read or is not a schedule. */
bool schedule_read(schedule *s, const char *path);

#endif
