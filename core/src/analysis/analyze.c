/* The analysis: one row with all that was asked for.
 *
 * Each part is a function that fills its fields. An order by level, which most of them need, is
 * made once. Not here: the algorithms (graph/).
 */
#include "analysis/analysis.h"
#include "base/error.h"
#include "graph/knots.h"
#include "graph/reach.h"
#include "graph/time.h"
#include "graph/width.h"

#define BOTTLENECKS_DEFAULT 10
#define WIDTH_EFFORT_DEFAULT 100000000 /* edges; about a second */
#define REDUNDANT_EFFORT_MAX 500000000 /* edges; about three seconds */

#define PARTS_OF_ANY (SW_ANALYSIS_ENDS | SW_ANALYSIS_COMPONENTS | SW_ANALYSIS_CYCLES)
#define PARTS_OF_TIME (SW_ANALYSIS_SPAN | SW_ANALYSIS_TIME | SW_ANALYSIS_BOTTLENECKS)

typedef struct analysis {
    const sw_graph *handle;
    const sw__graph *graph;
    const sw_analysis_options *options;
    sw__arena *arena;   /* of the answer */
    sw__arena *scratch; /* of the call */
    sw_error *err;
    int32_t *order; /* by level */
    int32_t *levels;
    sw_analysis *answer;
} analysis;

static int32_t *answer_nodes(const analysis *work, int32_t count)
{
    return sw__arena_array(work->arena, (size_t)count, sizeof(int32_t));
}

static int64_t *answer_times(const analysis *work)
{
    return sw__arena_array_raw(work->arena, (size_t)work->graph->node_count, sizeof(int64_t));
}

static int analysis_order(analysis *work)
{
    int32_t *order = answer_nodes(work, work->graph->node_count), *cycle, count;
    if (!order)
        return SW_ENOMEM;
    work->answer->order = order;
    return sw__graph_order(work->scratch, work->graph, work->options->priority, order, &cycle,
                           &count);
}

static int analysis_levels(analysis *work)
{
    sw_analysis *answer = work->answer;
    int32_t nodes = work->graph->node_count, *shortest = answer_nodes(work, nodes);
    int32_t last = nodes > 0 ? work->levels[work->order[nodes - 1]] : -1;
    int32_t *width = answer_nodes(work, last + 1);
    if (!shortest || !width)
        return SW_ENOMEM;
    sw__graph_shortest(work->graph, work->order, shortest);
    for (int32_t node = 0; node < nodes; node++)
        width[work->levels[node]]++;
    for (int32_t level = 1; level <= last; level++) {
        if (width[level] > width[answer->level_widest])
            answer->level_widest = level;
    }
    answer->level = work->levels;
    answer->shortest = shortest;
    answer->level_width = width;
    answer->level_count = last + 1;
    return SW_OK;
}

typedef enum node_end { END_ROOT, END_LEAF, END_ORPHAN } node_end;

static bool node_is(const sw__graph *graph, int32_t node, node_end end)
{
    bool root = graph->in_start[node] == graph->in_start[node + 1];
    bool leaf = graph->out_start[node] == graph->out_start[node + 1];
    return end == END_ROOT ? root : end == END_LEAF ? leaf : root && leaf;
}

/* The nodes of one kind, ascending; NULL: no memory. */
static const int32_t *ends_list(const analysis *work, node_end end, int32_t *count)
{
    int32_t found = 0, at = 0;
    for (int32_t node = 0; node < work->graph->node_count; node++)
        found += node_is(work->graph, node, end);
    int32_t *nodes = answer_nodes(work, found);
    for (int32_t node = 0; nodes && node < work->graph->node_count; node++) {
        if (node_is(work->graph, node, end))
            nodes[at++] = node;
    }
    *count = found;
    return nodes;
}

static int analysis_unreachable(analysis *work)
{
    const sw_analysis_options *options = work->options;
    size_t nodes = (size_t)work->graph->node_count;
    uint64_t *bits = sw__arena_array(work->scratch, sw__words((int32_t)nodes), sizeof(uint64_t));
    int32_t *queue = sw__arena_array(work->scratch, nodes + 1, sizeof(int32_t));
    if (!bits || !queue)
        return SW_ENOMEM;
    /* A root that an earlier one has reached brings nothing new. */
    int32_t reached = 0, at = 0;
    for (size_t i = 0; i < options->root_count; i++) {
        int32_t root = options->roots[i];
        if (bits[root / 64] >> (root % 64) & 1)
            continue;
        bits[root / 64] |= UINT64_C(1) << (root % 64);
        reached += 1 + sw__graph_search(work->graph, root, bits, queue);
    }
    int32_t count = work->graph->node_count - reached;
    int32_t *unreachable = answer_nodes(work, count);
    if (!unreachable)
        return SW_ENOMEM;
    for (int32_t node = 0; node < work->graph->node_count; node++) {
        if (!(bits[node / 64] >> (node % 64) & 1))
            unreachable[at++] = node;
    }
    work->answer->unreachable = unreachable;
    work->answer->unreachable_count = count;
    return SW_OK;
}

static int analysis_ends(analysis *work)
{
    sw_analysis *answer = work->answer;
    answer->roots = ends_list(work, END_ROOT, &answer->root_count);
    answer->leaves = ends_list(work, END_LEAF, &answer->leaf_count);
    answer->orphans = ends_list(work, END_ORPHAN, &answer->orphan_count);
    if (!answer->roots || !answer->leaves || !answer->orphans)
        return SW_ENOMEM;
    return work->options->roots ? analysis_unreachable(work) : SW_OK;
}

static int analysis_components(analysis *work)
{
    size_t nodes = (size_t)work->graph->node_count;
    int32_t *component = answer_nodes(work, work->graph->node_count);
    int32_t *queue = sw__arena_array(work->scratch, nodes, sizeof(int32_t));
    if (!component || !queue)
        return SW_ENOMEM;
    work->answer->component = component;
    work->answer->component_count = sw__graph_components(work->graph, component, queue);
    return SW_OK;
}

static int analysis_cycles(analysis *work)
{
    /* A graph with an order has none. */
    if (work->answer->acyclic)
        return SW_OK;
    return sw__graph_knots(work->arena, work->graph, &work->answer->knots,
                           &work->answer->knot_count);
}

static int time_span(analysis *work, const int64_t *finish, int64_t span)
{
    sw_analysis *answer = work->answer;
    size_t nodes = (size_t)work->graph->node_count;
    int32_t *path = sw__arena_array_raw(work->scratch, nodes, sizeof(int32_t));
    if (!path)
        return SW_ENOMEM;
    answer->critical_count = sw__graph_critical(work->graph, finish, path);
    int32_t *kept = answer_nodes(work, answer->critical_count);
    if (!kept)
        return SW_ENOMEM;
    for (int32_t i = 0; i < answer->critical_count; i++)
        kept[i] = path[i];
    answer->critical_path = kept;
    answer->span_us = span;
    answer->parallelism = span > 0 ? (double)answer->work_us / (double)span : 0;
    return SW_OK;
}

static int time_slack(analysis *work, const int64_t *finish, const int64_t *tail, int64_t span)
{
    const int64_t *duration = work->options->duration_us;
    int64_t *earliest = answer_times(work), *latest = answer_times(work);
    int64_t *slack = answer_times(work), *floats = answer_times(work);
    if (!earliest || !latest || !slack || !floats)
        return SW_ENOMEM;
    for (int32_t node = 0; node < work->graph->node_count; node++) {
        earliest[node] = finish[node] - sw__duration(duration, node);
        latest[node] = span - tail[node];
        slack[node] = latest[node] - earliest[node];
    }
    sw__graph_float(work->graph, duration, finish, span, floats);
    work->answer->earliest_us = earliest;
    work->answer->latest_us = latest;
    work->answer->slack_us = slack;
    work->answer->float_us = floats;
    return SW_OK;
}

static int time_bottlenecks(analysis *work, const int64_t *finish, const int64_t *tail,
                            int64_t span)
{
    int64_t most = work->options->bottleneck_max;
    if (most == 0)
        most = BOTTLENECKS_DEFAULT;
    if (most > work->graph->node_count)
        most = work->graph->node_count;
    sw_bottleneck *rows = sw__arena_array(work->arena, (size_t)most, sizeof(sw_bottleneck));
    if (!rows)
        return SW_ENOMEM;
    work->answer->bottlenecks = rows;
    work->answer->bottleneck_count = sw__graph_bottlenecks(work->graph, work->options->duration_us,
                                                           finish, tail, span, rows, (size_t)most);
    return SW_OK;
}

/* The three parts that have to do with durations. */
static int analysis_time(analysis *work, int32_t parts)
{
    size_t nodes = (size_t)work->graph->node_count;
    const int64_t *duration = work->options->duration_us;
    int code = sw__graph_work(work->graph, duration, &work->answer->work_us, work->err);
    if (code < 0)
        return code;
    int64_t *finish = sw__arena_array_raw(work->scratch, nodes, sizeof(int64_t)), *tail = NULL;
    if (!finish)
        return SW_ENOMEM;
    int64_t span = sw__graph_finish(work->graph, work->order, duration, finish);
    if (parts & (SW_ANALYSIS_TIME | SW_ANALYSIS_BOTTLENECKS)) {
        tail = sw__arena_array_raw(work->scratch, nodes, sizeof(int64_t));
        if (!tail)
            return SW_ENOMEM;
        sw__graph_tail(work->graph, work->order, duration, tail);
    }
    code = time_span(work, finish, span);
    if (code == SW_OK && parts & SW_ANALYSIS_TIME)
        code = time_slack(work, finish, tail, span);
    if (code == SW_OK && parts & SW_ANALYSIS_BOTTLENECKS)
        code = time_bottlenecks(work, finish, tail, span);
    return code;
}

static int analysis_width(analysis *work)
{
    sw__width width;
    int64_t effort = work->options->width_effort;
    if (effort == 0)
        effort = WIDTH_EFFORT_DEFAULT;
    else if (effort < 0)
        effort = INT64_MAX;
    int code = sw__graph_width(work->arena, work->graph, work->order, work->levels, effort, &width);
    if (code < 0)
        return code;
    work->answer->antichain = width.antichain;
    work->answer->width_least = width.least;
    work->answer->width_most = width.most;
    work->answer->width_exact = width.least == width.most;
    return SW_OK;
}

/* Left out, and its bit taken out of *parts, where it would take very long. */
static int analysis_redundant(analysis *work, int32_t *parts)
{
    size_t nodes = (size_t)work->graph->node_count;
    int32_t *place = sw__arena_array(work->scratch, nodes, sizeof(int32_t));
    int32_t *edges = sw__arena_array(work->scratch, nodes + 1, sizeof(int32_t));
    if (!place || !edges)
        return SW_ENOMEM;
    if (sw__graph_reduce_effort(work->graph, work->order, place, edges) > REDUNDANT_EFFORT_MAX) {
        *parts &= ~SW_ANALYSIS_REDUNDANT;
        return SW_OK;
    }
    return sw__redundant_find(work->arena, work->scratch, work->graph, work->order,
                              &work->answer->redundant, &work->answer->redundant_count);
}

/* What there is only without a cycle. */
static int analysis_acyclic(analysis *work, int32_t *parts)
{
    int code = SW_OK;
    if (*parts & (SW_ANALYSIS_LEVELS | SW_ANALYSIS_WIDTH)) {
        work->levels = answer_nodes(work, work->graph->node_count);
        if (!work->levels)
            return SW_ENOMEM;
        sw__graph_levels(work->graph, work->order, work->levels);
    }
    if (*parts & SW_ANALYSIS_ORDER)
        code = analysis_order(work);
    if (code == SW_OK && *parts & SW_ANALYSIS_LEVELS)
        code = analysis_levels(work);
    if (code == SW_OK && *parts & PARTS_OF_TIME)
        code = analysis_time(work, *parts);
    if (code == SW_OK && *parts & SW_ANALYSIS_WIDTH)
        code = analysis_width(work);
    if (code == SW_OK && *parts & SW_ANALYSIS_REDUNDANT)
        code = analysis_redundant(work, parts);
    return code;
}

static int analysis_fill(analysis *work, int32_t parts)
{
    sw_analysis *answer = work->answer;
    size_t nodes = (size_t)work->graph->node_count;
    int32_t *open = sw__arena_array_raw(work->scratch, nodes, sizeof(int32_t));
    work->order = sw__arena_array_raw(work->scratch, nodes, sizeof(int32_t));
    if (!open || !work->order)
        return SW_ENOMEM;
    answer->node_count = work->graph->node_count;
    answer->edge_count = work->graph->edge_count;
    answer->acyclic =
        sw__graph_order_levels(work->graph, open, work->order) == work->graph->node_count;
    if (!answer->acyclic)
        parts &= PARTS_OF_ANY;
    int code = SW_OK;
    if (parts & SW_ANALYSIS_ENDS)
        code = analysis_ends(work);
    if (code == SW_OK && parts & SW_ANALYSIS_COMPONENTS)
        code = analysis_components(work);
    if (code == SW_OK && parts & SW_ANALYSIS_CYCLES)
        code = analysis_cycles(work);
    if (code == SW_OK && answer->acyclic)
        code = analysis_acyclic(work, &parts);
    answer->parts = parts;
    return code;
}

static int analysis_check(const sw_graph *graph, const sw_analysis_options *options,
                          sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    if (!graph || !out)
        return sw__fail(err, SW_EINVAL, "the graph or out is missing");
    *out = NULL;
    if (!options || options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "analysis options without their size");
    if (options->parts & ~SW_ANALYSIS_ALL)
        return sw__fail(err, SW_EINVAL, "there are no parts %#x",
                        (unsigned)(options->parts & ~SW_ANALYSIS_ALL));
    if (options->bottleneck_max < 0)
        return sw__fail(err, SW_EINVAL, "there cannot be %lld bottlenecks",
                        (long long)options->bottleneck_max);
    for (size_t i = 0; options->roots && i < options->root_count; i++) {
        if (options->roots[i] < 0 || options->roots[i] >= graph->graph.node_count)
            return sw__fail_row(err, SW_EINVAL, i, "root %d is none of the %d nodes",
                                options->roots[i], graph->graph.node_count);
    }
    return SW_OK;
}

int sw_graph_analyze(const sw_graph *graph, const sw_analysis_options *options, sw_result **out,
                     sw_error *err)
{
    sw_result *result;
    sw__arena *scratch;
    int code = analysis_check(graph, options, out, err);
    if (code < 0)
        return code;
    if (!sw__answer_begin(graph, &result, &scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    analysis work = {
        .handle = graph,
        .graph = &graph->graph,
        .options = options,
        .arena = result->arena,
        .scratch = scratch,
        .err = err,
        .answer = sw__arena_alloc(result->arena, sizeof(sw_analysis)),
    };
    code = work.answer ? analysis_fill(&work, options->parts ? options->parts : SW_ANALYSIS_ALL)
                       : SW_ENOMEM;
    if (code == SW_ENOMEM)
        sw__fail(err, SW_ENOMEM, NULL);
    sw__result_set(result, SW__ANALYSES, work.answer, 1);
    return sw__answer_end(code, result, scratch, out);
}
