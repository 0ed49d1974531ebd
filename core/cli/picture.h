/* Pictures of a definition or a task: rows for sw_picture_render, and where the text goes.
 *
 * Used by `graph`, `plan` and `gantt`. Not here: how pictures look (stepwell/picture.h).
 */
#ifndef STEPWELL_CLI_PICTURE_H
#define STEPWELL_CLI_PICTURE_H

#include <stdbool.h>

#include <stepwell.h>

#include "command.h"

/* Steps as nodes, dependencies as edges. Durations are in the nodes, -1 where none is known; who
 * knows better ones may write them there before the critical path is marked. */
typedef struct cli_picture {
    sw_picture_node *nodes;
    sw_picture_edge *edges;
    size_t node_count;
    size_t edge_count;
} cli_picture;

/* Rows of all steps of a definition. */
void cli_picture_open(cli_picture *picture, const sw_workflow *workflow);
void cli_picture_close(cli_picture *picture);

/* Mark the path that takes longest. A step weighs its duration; where none of them is known, its
 * timeout; where there is none either, every step weighs the same. */
void cli_picture_mark_critical(cli_picture *picture, const sw_workflow *workflow);

/* The format of --svg, of --format, of the name of --output, or otherwise; SW_PICTURE_FORMAT_COUNT when
 * the name of the file tells none. */
int cli_picture_format(const cli_call *call, int otherwise);

#endif
