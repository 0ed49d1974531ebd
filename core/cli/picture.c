/* From definitions to rows of pictures, and from pictures to files. */
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "text.h"

void cli_picture_open(cli_picture *picture, const sw_workflow *workflow)
{
    size_t edges = 0;
    *picture = (cli_picture){0};
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &picture->node_count);
    for (size_t i = 0; i < picture->node_count; i++)
        edges += steps[i].after_count;
    picture->nodes = cli_alloc(picture->node_count * sizeof(*picture->nodes));
    picture->edges = cli_alloc(edges * sizeof(*picture->edges));
    for (size_t i = 0; i < picture->node_count; i++) {
        picture->nodes[i] =
            (sw_picture_node){.name = steps[i].name, .state = -1, .duration_us = -1};
        for (size_t k = 0; k < steps[i].after_count; k++)
            picture->edges[picture->edge_count++] =
                (sw_picture_edge){.from = steps[i].after[k], .to = (int32_t)i};
    }
}

void cli_picture_close(cli_picture *picture)
{
    free(picture->nodes);
    free(picture->edges);
    *picture = (cli_picture){0};
}

/* What each step weighs on the critical path. */
static void weights_fill(const cli_picture *picture, const sw_workflow_step *steps,
                         int64_t *weights)
{
    bool durations = false;
    bool timeouts = false;
    for (size_t i = 0; i < picture->node_count; i++) {
        durations = durations || picture->nodes[i].duration_us >= 0;
        timeouts = timeouts || steps[i].timeout_ms > 0;
    }
    for (size_t i = 0; i < picture->node_count; i++) {
        int64_t duration = picture->nodes[i].duration_us;
        if (durations)
            weights[i] = duration > 0 ? duration : 0;
        else
            weights[i] = timeouts ? steps[i].timeout_ms : 1;
    }
}

/* Longest weight of a path that ends with each step, and the step before it there, -1 for none.
 * Steps stand in topological order. Among equals the earlier dependency counts, but the later end:
 * what follows at no cost belongs to the path. */
static size_t paths_fill(const cli_picture *picture, const sw_workflow_step *steps,
                         int64_t *weights, int32_t *before)
{
    size_t last = 0;
    for (size_t i = 0; i < picture->node_count; i++) {
        before[i] = -1;
        for (size_t k = 0; k < steps[i].after_count; k++) {
            int32_t other = steps[i].after[k];
            if (before[i] < 0 || weights[other] > weights[before[i]])
                before[i] = other;
        }
        if (before[i] >= 0)
            weights[i] += weights[before[i]];
        last = weights[i] >= weights[last] ? i : last;
    }
    return last;
}

void cli_picture_mark_critical(cli_picture *picture, const sw_workflow *workflow)
{
    size_t count = 0;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    int64_t *weights = cli_alloc(count * sizeof(*weights));
    int32_t *before = cli_alloc(count * sizeof(*before));
    weights_fill(picture, steps, weights);
    int32_t node = count > 0 ? (int32_t)paths_fill(picture, steps, weights, before) : -1;
    for (; node >= 0; node = before[node])
        picture->nodes[node].flags |= SW_PICTURE_CRITICAL;
    for (size_t i = 0; i < picture->edge_count; i++) {
        sw_picture_edge *edge = &picture->edges[i];
        bool on_path = picture->nodes[edge->to].flags & SW_PICTURE_CRITICAL;
        if (on_path && before[edge->to] == edge->from)
            edge->flags |= SW_PICTURE_CRITICAL;
    }
    free(weights);
    free(before);
}

int cli_picture_format(const cli_call *call, int otherwise)
{
    static const struct {
        const char *ending;
        int format;
    } endings[] = {{".svg", SW_PICTURE_SVG},   {".mmd", SW_PICTURE_MERMAID},
                   {".dot", SW_PICTURE_DOT},   {".gv", SW_PICTURE_DOT},
                   {".json", SW_PICTURE_JSON}, {".txt", SW_PICTURE_TEXT}};
    const char *name = call->values[CLI_OPTION_OUTPUT].text;
    if (cli_given(call, CLI_OPTION_SVG))
        return SW_PICTURE_SVG;
    if (cli_given(call, CLI_OPTION_FORMAT))
        return sw_picture_format_find(cli_str(call->values[CLI_OPTION_FORMAT].text));
    if (cli_given(call, CLI_OPTION_JSON) && !name)
        return SW_PICTURE_JSON;
    const char *ending = name ? strrchr(name, '.') : NULL;
    if (!name)
        return otherwise;
    for (size_t i = 0; ending && i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (strcmp(ending, endings[i].ending) == 0)
            return endings[i].format;
    }
    return SW_PICTURE_FORMAT_COUNT;
}
