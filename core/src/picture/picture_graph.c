/* Pictures of graphs: rows of nodes and edges, with what an analysis finds marked on them.
 *
 * Not here: the analysis (analysis/), how rows are drawn (picture.c).
 */
#include "analysis/analysis.h"
#include "base/error.h"
#include "picture/picture.h"
#include "picture/rows.h"

#define PICTURE_MARKS_ALL                                                                          \
    (SW_PICTURE_CRITICAL | SW_PICTURE_REDUNDANT | SW_PICTURE_SLACK | SW_PICTURE_DURATION)

int sw__picture_rows_make(sw__arena *arena, const sw_graph *graph, sw__picture_rows *rows,
                          sw_error *err)
{
    const sw__graph *inside = &graph->graph;
    *rows = (sw__picture_rows){.node_count = (size_t)inside->node_count,
                               .edge_count = (size_t)inside->edge_count};
    int code = sw__picture_size_check(rows->node_count, rows->edge_count, err);
    if (code < 0)
        return code;
    rows->nodes = sw__arena_array(arena, rows->node_count, sizeof(*rows->nodes));
    rows->edges = sw__arena_array(arena, rows->edge_count, sizeof(*rows->edges));
    for (int32_t i = 0; rows->nodes && i < inside->node_count; i++)
        rows->nodes[i] = (sw_picture_node){
            .name = graph->names ? graph->names[i] : sw__arena_format(arena, "%d", i),
            .state = -1,
            .duration_us = -1,
        };
    if (sw__arena_failed(arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    for (int32_t node = 0; node < inside->node_count; node++) {
        for (int32_t i = inside->out_start[node]; i < inside->out_start[node + 1]; i++)
            rows->edges[i] = (sw_picture_edge){.from = node, .to = inside->out_node[i]};
    }
    return SW_OK;
}

static void edge_mark(const sw__graph *graph, sw__picture_rows *rows, int32_t from, int32_t to,
                      int32_t flag)
{
    for (int32_t i = graph->out_start[from]; i < graph->out_start[from + 1]; i++) {
        if (graph->out_node[i] == to)
            rows->edges[i].flags |= flag;
    }
}

static void critical_mark(const sw__graph *graph, const sw_analysis *found, sw__picture_rows *rows)
{
    for (int32_t i = 0; i < found->critical_count; i++) {
        rows->nodes[found->critical_path[i]].flags |= SW_PICTURE_CRITICAL;
        if (i > 0)
            edge_mark(graph, rows, found->critical_path[i - 1], found->critical_path[i],
                      SW_PICTURE_CRITICAL);
    }
}

static void slack_mark(const sw_analysis *found, sw__picture_rows *rows)
{
    for (size_t i = 0; i < rows->node_count; i++) {
        rows->nodes[i].flags |= SW_PICTURE_SLACK;
        rows->nodes[i].slack_us = found->slack_us[i];
    }
}

static int redundant_mark(const sw_graph *graph, sw__picture_rows *rows, sw_error *err)
{
    sw_result *result = NULL;
    size_t count = 0;
    int code = sw_graph_reduce(graph, &result, err);
    if (code < 0)
        return code;
    const sw_graph_edge *edges = sw_graph_edges(result, &count);
    for (size_t i = 0; i < count; i++)
        edge_mark(&graph->graph, rows, edges[i].from, edges[i].to, SW_PICTURE_REDUNDANT);
    sw_result_free(result);
    return SW_OK;
}

int sw__picture_rows_mark(const sw_graph *graph, int32_t marks, const int64_t *duration_us,
                          sw__picture_rows *rows, sw_error *err)
{
    sw_result *result = NULL;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    if (marks & ~PICTURE_MARKS_ALL)
        return sw__fail(err, SW_EINVAL, "there are no marks %#x", (unsigned)marks);
    options.parts = SW_ANALYSIS_SPAN | SW_ANALYSIS_TIME;
    options.duration_us = duration_us;
    int code = sw_graph_analyze(graph, &options, &result, err);
    if (code < 0)
        return code;
    const sw_analysis *found = sw_analyses(result, NULL);
    if (marks & SW_PICTURE_CRITICAL && found->acyclic)
        critical_mark(&graph->graph, found, rows);
    if (marks & SW_PICTURE_SLACK && found->acyclic && duration_us)
        slack_mark(found, rows);
    if (marks & SW_PICTURE_REDUNDANT && found->acyclic)
        code = redundant_mark(graph, rows, err);
    for (size_t i = 0; marks & SW_PICTURE_DURATION && duration_us && i < rows->node_count; i++)
        rows->nodes[i].duration_us = duration_us[i];
    sw_result_free(result);
    return code;
}

int sw_graph_picture(const sw_graph *graph, const sw_picture_options *options,
                     const int64_t *duration_us, sw_result **out, sw_error *err)
{
    sw__picture_rows rows;
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int code = sw__picture_options_check(options, err);
    if (code == SW_OK && !graph)
        code = sw__fail(err, SW_EINVAL, "graph is NULL");
    if (code < 0)
        return code;
    sw__arena *arena = sw__arena_new(options->env ? options->env : sw_env_system());
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    code = sw__picture_rows_make(arena, graph, &rows, err);
    if (code == SW_OK)
        code = sw__picture_rows_mark(graph, options->marks, duration_us, &rows, err);
    if (code == SW_OK)
        code = sw_picture_render(options, rows.nodes, rows.node_count, rows.edges, rows.edge_count,
                                 out, err);
    sw__arena_free(arena);
    return code;
}
