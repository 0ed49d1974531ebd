/* Paths of files below a root directory, by their text alone. Not here: opening them, which the
 * kernel checks (worker/confine.h). */
#ifndef SW_MODEL_PATHS_H
#define SW_MODEL_PATHS_H

#include "stepwell/types.h"

#define SW__PATH_MAX 4095 /* bytes */

/* NULL, or why this can be no path of a file below the root ("it is absolute; ..."). */
const char *sw__path_refusal(sw_str path);

#endif
