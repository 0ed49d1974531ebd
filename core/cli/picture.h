/* Pictures of the command: which format, and which marks.
 *
 * Used by `graph`, `plan` and `gantt`. Not here: how pictures look (stepwell/picture.h).
 */
#ifndef STEPWELL_CLI_PICTURE_H
#define STEPWELL_CLI_PICTURE_H

#include <stdbool.h>

#include <stepwell.h>

#include "command.h"

/* The format of --svg, of --format, of the name of --output, or otherwise;
 * SW_PICTURE_FORMAT_COUNT when the name of the file tells none. */
int cli_picture_format(const cli_call *call, int otherwise);

/* What --critical, --redundant and --slack ask for. */
int32_t cli_picture_marks(const cli_call *call);

#endif
