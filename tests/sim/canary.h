/* Bugs that are found at once: a campaign that does not find them sees nothing. */
#ifndef SIM_CANARY_H
#define SIM_CANARY_H

#include <stdbool.h>

/* Plant one bug for each part of the oracle, and see that each breaks a rule, again when what was
 * drawn is replayed. What was planted before is planted again afterwards. False, with a word on
 * stdout, when a bug stays hidden. */
bool canary_sings(void);

#endif
