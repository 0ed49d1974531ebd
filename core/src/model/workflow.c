/* The definition as an object: made once from a checked draft, never changed, shared by count.
 *
 * Not here: reading text (load.c) and the canonical form (canonical.c).
 */
#include "model/workflow.h"

#include "base/env.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/build.h"

/* Canonical JSON of a node; absent for NULL and for an empty map. False: no memory. */
static bool node_copy_json(sw__arena *arena, const sw__node *node, sw_str *out)
{
    if (!node || (node->kind == SW__NODE_MAP && node->count == 0))
        return true;
    sw__buf buf;
    sw__buf_init(&buf, sw__arena_env(arena));
    sw__node_put_json(&buf, node);
    if (!buf.failed)
        *out = sw__arena_str(arena, sw__buf_str(&buf));
    sw__buf_free(&buf);
    return out->ptr != NULL;
}

/* A text that is not there stays absent; a failure shows in the arena. */
bool sw__workflow_step_copy(sw__arena *arena, const sw__draft_step *draft, sw_workflow_step *step)
{
    *step = (sw_workflow_step){
        .name = sw__arena_str(arena, draft->name),
        .title = sw__arena_str(arena, draft->title),
        .handler = sw__arena_str(arena, draft->handler),
        .queue = sw__arena_str(arena, draft->queue),
        .breaker = sw__arena_str(arena, draft->breaker),
        .priority = (int32_t)draft->priority,
        .max_attempts = (int32_t)draft->max_attempts,
        .max_crashes = (int32_t)draft->max_crashes,
        .backoff = draft->backoff,
        .backoff_base_ms = draft->backoff_base_ms,
        .backoff_max_ms = draft->backoff_max_ms,
        .backoff_jitter = draft->backoff_jitter,
        .timeout_ms = draft->timeout_ms,
        .heartbeat_ms = draft->heartbeat_ms,
        .deadline_ms = draft->deadline_ms,
        .on_failure = draft->on_failure,
        .trigger = draft->trigger,
        .quorum = (int32_t)draft->quorum,
        .line = draft->node->line,
        .column = draft->node->column,
    };
    return node_copy_json(arena, draft->parameters, &step->parameters);
}

/* The draft's dependencies with the numbers of the order. The edges are listed by their first
 * step, so that every step's list of dependencies comes out in topological order. */
static int workflow_build_graph(sw_workflow *workflow, sw__arena *scratch, const int32_t *order,
                                const sw__graph *draft_graph, sw_error *err)
{
    size_t nodes = workflow->step_count, edges = (size_t)draft_graph->edge_count, count = 0;
    int32_t *number = sw__arena_array(scratch, nodes, sizeof(int32_t));
    int32_t *from = sw__arena_array(scratch, edges, sizeof(int32_t));
    int32_t *to = sw__arena_array(scratch, edges, sizeof(int32_t));
    if (!number || !from || !to)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < nodes; i++)
        number[order[i]] = (int32_t)i;
    for (size_t i = 0; i < nodes; i++) {
        int32_t node = order[i];
        for (int32_t k = draft_graph->out_start[node]; k < draft_graph->out_start[node + 1]; k++) {
            from[count] = (int32_t)i;
            to[count++] = number[draft_graph->out_node[k]];
        }
    }
    return sw__graph_build(workflow->arena, (int32_t)nodes, from, to, edges, &workflow->graph, err);
}

int sw__workflow_set_levels(sw_workflow *workflow, sw__arena *scratch, sw_error *err)
{
    size_t nodes = workflow->step_count;
    int32_t *order = sw__arena_array(scratch, nodes, sizeof(int32_t));
    int32_t *levels = sw__arena_array(scratch, nodes, sizeof(int32_t));
    if (!order || !levels)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < nodes; i++)
        order[i] = (int32_t)i;
    sw__graph_levels(&workflow->graph, order, levels);
    for (size_t i = 0; i < nodes; i++) {
        const int32_t *start = &workflow->graph.in_start[i];
        workflow->steps[i].level = levels[i];
        workflow->steps[i].after = workflow->graph.in_node + start[0];
        workflow->steps[i].after_count = (size_t)(start[1] - start[0]);
    }
    return SW_OK;
}

static int workflow_build_steps(sw_workflow *workflow, const sw__draft *draft, const int32_t *order,
                                sw_error *err)
{
    workflow->step_count = draft->step_count;
    workflow->steps = sw__arena_array(workflow->arena, draft->step_count, sizeof(sw_workflow_step));
    if (!workflow->steps)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < draft->step_count; i++) {
        sw_workflow_step *step = &workflow->steps[i];
        if (!sw__workflow_step_copy(workflow->arena, &draft->steps[order[i]], step) ||
            sw__strmap_put(&workflow->names, step->name, (int64_t)i) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    return SW_OK;
}

int sw__workflow_set_digest(sw_workflow *workflow, sw_error *err)
{
    sw__hasher *hasher = sw__hasher_new(sw__arena_env(workflow->arena));
    int code = hasher ? sw__hash(hasher, &workflow->json, 1, workflow->digest) : SW_ENOMEM;
    sw__hash_hex(workflow->digest, workflow->digest_hex);
    sw__hasher_free(hasher);
    return code < 0 ? sw__fail(err, code, NULL) : SW_OK;
}

static int workflow_build_json(sw_workflow *workflow, const sw__draft *draft, const int32_t *order,
                               sw_error *err)
{
    sw__buf json;
    sw__buf_init(&json, sw__arena_env(workflow->arena));
    sw__workflow_put_json(&json, workflow, draft, order);
    if (!json.failed)
        workflow->json = sw__arena_str(workflow->arena, sw__buf_str(&json));
    sw__buf_free(&json);
    return workflow->json.ptr ? sw__workflow_set_digest(workflow, err)
                              : sw__fail(err, SW_ENOMEM, NULL);
}

static int workflow_build_breakers(sw_workflow *workflow, const sw__draft *draft, sw_error *err)
{
    size_t count = draft->breaker_count;
    sw_breaker_settings *breakers = sw__arena_array(workflow->arena, count, sizeof(*breakers));
    if (!breakers)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        breakers[i] = draft->breakers[i];
        breakers[i].name = sw__arena_str(workflow->arena, draft->breakers[i].name);
    }
    workflow->breakers = breakers;
    workflow->breaker_count = count;
    return SW_OK;
}

int sw__workflow_set_head(sw_workflow *workflow, const sw__draft *draft, sw_error *err)
{
    workflow->name = sw__arena_str(workflow->arena, draft->name);
    workflow->version = sw__arena_str(workflow->arena, draft->version);
    workflow->max_parallel = draft->max_parallel;
    workflow->deadline_ms = draft->deadline_ms;
    if (!node_copy_json(workflow->arena, draft->input_schema, &workflow->input_schema))
        return sw__fail(err, SW_ENOMEM, NULL);
    return workflow_build_breakers(workflow, draft, err);
}

static int workflow_fill(sw_workflow *workflow, sw__arena *scratch, const sw__draft *draft,
                         const int32_t *order, const sw__graph *graph, sw_error *err)
{
    int code = sw__workflow_set_head(workflow, draft, err);
    if (code == SW_OK)
        code = workflow_build_steps(workflow, draft, order, err);
    if (code == SW_OK)
        code = workflow_build_graph(workflow, scratch, order, graph, err);
    if (code == SW_OK)
        code = sw__workflow_set_levels(workflow, scratch, err);
    if (code == SW_OK)
        code = workflow_build_json(workflow, draft, order, err);
    if (code == SW_OK && sw__arena_failed(workflow->arena))
        code = sw__fail(err, SW_ENOMEM, NULL);
    return code;
}

sw_workflow *sw__workflow_new(const sw_env *env)
{
    sw__arena *arena = sw__arena_new(env);
    sw_workflow *workflow = arena ? sw__arena_alloc(arena, sizeof(*workflow)) : NULL;
    if (!workflow) {
        sw__arena_free(arena);
        return NULL;
    }
    workflow->arena = arena;
    atomic_init(&workflow->references, 1);
    sw__strmap_init(&workflow->names, env);
    return workflow;
}

int sw__workflow_build(const sw_env *env, const sw__draft *draft, const int32_t *order,
                       const sw__graph *graph, sw_workflow **out, sw_error *err)
{
    sw__arena *scratch = sw__arena_new(env);
    sw_workflow *workflow = sw__workflow_new(env);
    int code = scratch && workflow ? workflow_fill(workflow, scratch, draft, order, graph, err)
                                   : sw__fail(err, SW_ENOMEM, NULL);
    if (code == SW_OK)
        *out = workflow;
    else
        sw_workflow_free(workflow);
    sw__arena_free(scratch);
    return code;
}

sw_workflow *sw__workflow_keep(sw_workflow *workflow)
{
    atomic_fetch_add_explicit(&workflow->references, 1, memory_order_relaxed);
    return workflow;
}

void sw_workflow_free(sw_workflow *workflow)
{
    if (!workflow)
        return;
    /* The last holder must see all that the others did before they gave up. */
    if (atomic_fetch_sub_explicit(&workflow->references, 1, memory_order_acq_rel) > 1)
        return;
    sw__strmap_free(&workflow->names);
    sw__arena_free(workflow->arena);
}

int64_t sw__workflow_find(const sw_workflow *workflow, sw_str step)
{
    const int64_t *index = sw__strmap_find(&workflow->names, step);
    return index ? *index : -1;
}

sw_str sw_workflow_name(const sw_workflow *workflow)
{
    return workflow->name;
}

sw_str sw_workflow_version(const sw_workflow *workflow)
{
    return workflow->version;
}

sw_str sw_workflow_digest(const sw_workflow *workflow)
{
    return (sw_str){workflow->digest_hex, 64};
}

sw_str sw_workflow_json(const sw_workflow *workflow)
{
    return workflow->json;
}

sw_str sw_workflow_input_schema(const sw_workflow *workflow)
{
    return workflow->input_schema;
}

int64_t sw_workflow_max_parallel(const sw_workflow *workflow)
{
    return workflow->max_parallel;
}

int64_t sw_workflow_deadline_ms(const sw_workflow *workflow)
{
    return workflow->deadline_ms;
}

const sw_workflow_step *sw_workflow_steps(const sw_workflow *workflow, size_t *count)
{
    *count = workflow->step_count;
    return workflow->steps;
}
