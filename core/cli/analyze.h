/* A definition with the answers about it, and the two ways to tell them.
 *
 * Not here: the questions (analyze.c).
 */
#ifndef STEPWELL_CLI_ANALYZE_H
#define STEPWELL_CLI_ANALYZE_H

#include <stepwell.h>

#include "command.h"
#include "durations.h"

typedef struct cli_analysis {
    const cli_call *call;
    const sw_workflow *workflow;
    sw_engine *engine; /* where the workflow is stored; NULL: it is in a file */
    size_t step_count;
    sw_graph *graph;
    cli_durations durations;
    sw_result *analysis;
    sw_result *makespan; /* NULL, like the next three, when it was not asked for */
    sw_result *impact;
    sw_result *common;
    sw_result *changes;
    const sw_analysis *found;
} cli_analysis;

/* For people, and for programs. */
void cli_analysis_print(const cli_analysis *view);
void cli_analysis_print_json(const cli_analysis *view);

sw_str cli_analysis_name(const cli_analysis *view, int32_t step);
/* Steps of a set of bits, ascending; the array is from malloc. */
int32_t *cli_reach_steps(const sw_reach *reach);

#endif
