/* Which name was probably meant: the candidate with the fewest typing errors between. */
#ifndef SW_MODEL_NEAREST_H
#define SW_MODEL_NEAREST_H

#include <stddef.h>
#include <stdint.h>

#include "stepwell/types.h"

/* A search in progress. best is absent until a candidate is near enough. */
typedef struct sw__nearest {
    sw_str word;
    sw_str best;
    size_t distance; /* of best; before that, one more than is near enough */
    int64_t *left;   /* budget of character comparisons, shared by all searches of one load */
} sw__nearest;

sw__nearest sw__nearest_start(sw_str word, int64_t *left);
void sw__nearest_try(sw__nearest *search, sw_str candidate);

#endif
