/* What differs between two graphs or two definitions, as edits by name.
 *
 * Not here: whether a running task can take the edits.
 */
#include "analysis/analysis.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "model/workflow.h"

typedef struct diff {
    const sw_graph *before;
    const sw_graph *after;
    const sw_workflow_step *steps_before; /* NULL: nodes are names and no more */
    const sw_workflow_step *steps_after;
    sw__arena *arena;
    sw__buf rows; /* sw_change */
} diff;

static void change_put(diff *work, sw_change row)
{
    row.name = sw__arena_str(work->arena, row.name);
    row.name_from = sw__arena_str(work->arena, row.name_from);
    sw__buf_put(&work->rows, &row, sizeof(row));
}

static int32_t step_fields(const sw_workflow_step *a, const sw_workflow_step *b)
{
    int32_t fields = SW_CHANGE_IN_NOTHING;
    if (!sw__str_equal(a->title, b->title))
        fields |= SW_CHANGE_IN_TITLE;
    if (!sw__str_equal(a->handler, b->handler))
        fields |= SW_CHANGE_IN_HANDLER;
    if (!sw__str_equal(a->queue, b->queue))
        fields |= SW_CHANGE_IN_QUEUE;
    if (!sw__str_equal(a->breaker, b->breaker))
        fields |= SW_CHANGE_IN_BREAKER;
    if (!sw__str_equal(a->parameters, b->parameters))
        fields |= SW_CHANGE_IN_PARAMETERS;
    if (a->priority != b->priority)
        fields |= SW_CHANGE_IN_PRIORITY;
    if (a->max_attempts != b->max_attempts || a->max_crashes != b->max_crashes ||
        a->backoff != b->backoff || a->backoff_base_ms != b->backoff_base_ms ||
        a->backoff_max_ms != b->backoff_max_ms || a->backoff_jitter < b->backoff_jitter ||
        a->backoff_jitter > b->backoff_jitter)
        fields |= SW_CHANGE_IN_RETRY;
    if (a->timeout_ms != b->timeout_ms || a->heartbeat_ms != b->heartbeat_ms ||
        a->deadline_ms != b->deadline_ms)
        fields |= SW_CHANGE_IN_TIMEOUT;
    if (a->on_failure != b->on_failure)
        fields |= SW_CHANGE_IN_ON_FAILURE;
    if (a->trigger != b->trigger || a->quorum != b->quorum)
        fields |= SW_CHANGE_IN_TRIGGER;
    return fields;
}

/* Nodes of one graph that are not in the other. */
static void diff_missing(diff *work, const sw_graph *graph, const sw_graph *other, int32_t kind)
{
    for (int32_t node = 0; node < graph->graph.node_count; node++) {
        if (sw_graph_find(other, graph->names[node]) >= 0)
            continue;
        bool removed = kind == SW_CHANGE_NODE_REMOVED;
        change_put(work, (sw_change){.kind = kind,
                                     .before = removed ? node : -1,
                                     .after = removed ? -1 : node,
                                     .name = graph->names[node]});
    }
}

static void diff_changed(diff *work)
{
    for (int32_t node = 0; work->steps_before && node < work->before->graph.node_count; node++) {
        int32_t now = sw_graph_find(work->after, work->before->names[node]);
        if (now < 0)
            continue;
        int32_t fields = step_fields(&work->steps_before[node], &work->steps_after[now]);
        if (fields != SW_CHANGE_IN_NOTHING)
            change_put(work, (sw_change){.kind = SW_CHANGE_NODE_CHANGED,
                                         .fields = fields,
                                         .before = node,
                                         .after = now,
                                         .name = work->before->names[node]});
    }
}

/* Edges into the nodes of one graph that are not in the other. mark has an element for each node
 * of the other; it gets the node of this graph whose dependencies were marked last. */
static void diff_edges(diff *work, const sw_graph *graph, const sw_graph *other, int32_t kind,
                       const int32_t *twin, int32_t *mark)
{
    for (int32_t node = 0; node < other->graph.node_count; node++)
        mark[node] = -1;
    for (int32_t node = 0; node < graph->graph.node_count; node++) {
        int32_t same = twin[node];
        for (int32_t i = same < 0 ? 0 : other->graph.in_start[same];
             same >= 0 && i < other->graph.in_start[same + 1]; i++)
            mark[other->graph.in_node[i]] = node;
        for (int32_t i = graph->graph.in_start[node]; i < graph->graph.in_start[node + 1]; i++) {
            int32_t from = graph->graph.in_node[i];
            if (same >= 0 && twin[from] >= 0 && mark[twin[from]] == node)
                continue;
            bool removed = kind == SW_CHANGE_EDGE_REMOVED;
            change_put(work, (sw_change){.kind = kind,
                                         .before = removed ? node : same,
                                         .after = removed ? same : node,
                                         .name = graph->names[node],
                                         .name_from = graph->names[from]});
        }
    }
}

/* For each node of a graph the one of the same name in the other, or -1. */
static int32_t *twins_find(sw__arena *scratch, const sw_graph *graph, const sw_graph *other)
{
    size_t nodes = (size_t)graph->graph.node_count;
    int32_t *twin = sw__arena_array(scratch, nodes, sizeof(int32_t));
    for (int32_t node = 0; twin && node < graph->graph.node_count; node++) {
        int32_t found = sw_graph_find(other, graph->names[node]);
        twin[node] = found < 0 ? -1 : found;
    }
    return twin;
}

static int diff_run(diff *work, sw__arena *scratch, sw_result *result)
{
    int32_t most = work->before->graph.node_count > work->after->graph.node_count
                       ? work->before->graph.node_count
                       : work->after->graph.node_count;
    int32_t *before_twin = twins_find(scratch, work->before, work->after);
    int32_t *after_twin = twins_find(scratch, work->after, work->before);
    int32_t *mark = sw__arena_array(scratch, (size_t)most, sizeof(int32_t));
    if (!before_twin || !after_twin || !mark)
        return SW_ENOMEM;
    diff_missing(work, work->before, work->after, SW_CHANGE_NODE_REMOVED);
    diff_changed(work);
    diff_missing(work, work->after, work->before, SW_CHANGE_NODE_ADDED);
    diff_edges(work, work->before, work->after, SW_CHANGE_EDGE_REMOVED, before_twin, mark);
    diff_edges(work, work->after, work->before, SW_CHANGE_EDGE_ADDED, after_twin, mark);
    size_t count = work->rows.len / sizeof(sw_change);
    sw_change *rows = sw__arena_array(work->arena, count, sizeof(sw_change));
    if (!rows || work->rows.failed)
        return SW_ENOMEM;
    const sw_change *found = (const sw_change *)(void *)work->rows.ptr;
    for (size_t i = 0; i < count; i++)
        rows[i] = found[i];
    sw__result_set(result, SW__CHANGES, rows, count);
    return SW_OK;
}

static int diff_answer(diff *work, sw_result **out, sw_error *err)
{
    sw_result *result;
    sw__arena *scratch;
    if (!sw__answer_begin(work->before, &result, &scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    work->arena = result->arena;
    sw__buf_init(&work->rows, sw__graph_env(work->before));
    int code = diff_run(work, scratch, result);
    sw__buf_free(&work->rows);
    if (code < 0)
        sw__fail(err, code, NULL);
    return sw__answer_end(code, result, scratch, out);
}

static bool graph_is_named(const sw_graph *graph)
{
    bool named = graph->names != NULL || graph->graph.node_count == 0;
    for (int32_t node = 0; named && node < graph->graph.node_count; node++)
        named = graph->names[node].ptr != NULL;
    return named;
}

int sw_graph_diff(const sw_graph *before, const sw_graph *after, sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    if (!before || !after || !out)
        return sw__fail(err, SW_EINVAL, "a graph or out is missing");
    *out = NULL;
    if (!graph_is_named(before) || !graph_is_named(after))
        return sw__fail(err, SW_EINVAL, "a node of the graphs to compare has no name");
    diff work = {.before = before, .after = after};
    return diff_answer(&work, out, err);
}

int sw_workflow_diff(const sw_workflow *before, const sw_workflow *after, sw_result **out,
                     sw_error *err)
{
    sw__error_clear(err);
    if (!before || !after || !out)
        return sw__fail(err, SW_EINVAL, "a workflow or out is missing");
    *out = NULL;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    options.env = sw__arena_env(before->arena);
    sw_graph *old = NULL, *new = NULL;
    size_t count;
    int code = sw_graph_new_workflow(&options, before, &old, err);
    if (code == SW_OK)
        code = sw_graph_new_workflow(&options, after, &new, err);
    if (code == SW_OK) {
        diff work = {
            .before = old,
            .after = new,
            .steps_before = sw_workflow_steps(before, &count),
            .steps_after = sw_workflow_steps(after, &count),
        };
        code = diff_answer(&work, out, err);
    }
    sw_graph_free(new);
    sw_graph_free(old);
    return code;
}
