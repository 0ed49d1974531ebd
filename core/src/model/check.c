/* Checking a draft: what concerns several values at once. Every rule is applied even when another
 * one has failed, so that one run shows all there is to mend.
 *
 * Not here: the keys and types of a form (definition.c, mission.c).
 */
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/str.h"
#include "graph/knots.h"
#include "model/draft.h"
#include "model/fields.h"
#include "model/kinds.h"
#include "model/nearest.h"

#define CHECK_CYCLES_MAX 10 /* cycles that are named */
#define CHECK_CYCLE_SHOWN 8 /* steps of a cycle that are named */
#define CHECK_CUTS_MAX 10   /* dependencies that could be taken out, likewise */
#define CHECK_RETRY_BASE_MS 1000
#define CHECK_RETRY_MAX_MS 60000

/* The work of one check. Edges lead from a dependency to the step that names it. */
typedef struct draft_check {
    sw__findings *findings;
    sw__arena *arena;
    const sw__draft *draft;
    sw__strmap numbers; /* name as written to the first step that has it */
    int32_t *from;
    int32_t *to;
    size_t edge_count;
} draft_check;

static const sw__path steps_path = {.key = SW__LIT("steps")};

static bool step_count_check(sw__findings *findings, const sw__node *list)
{
    if (list->count > 0 && list->count <= SW__STEPS_MAX)
        return true;
    if (list->count == 0)
        sw__finding_add(findings, SW_SEVERITY_ERROR, &steps_path, list->line, list->column,
                        "there are no steps; a workflow has at least one");
    else
        sw__finding_add(findings, SW_SEVERITY_ERROR, &steps_path, list->line, list->column,
                        "%zu steps, but a workflow may have %d at most", list->count,
                        SW__STEPS_MAX);
    return false;
}

void sw__draft_step_init(sw__draft_step *step, const sw__node *node)
{
    *step = (sw__draft_step){
        .node = node,
        .queue = SW__LIT("default"),
        .max_attempts = 1,
        .max_crashes = SW_CRASHES_DEFAULT,
        .backoff = SW_BACKOFF_EXPONENTIAL,
        .backoff_base_ms = CHECK_RETRY_BASE_MS,
        .backoff_max_ms = -1,
        .backoff_jitter = 0.1,
        .on_failure = SW_ON_FAILURE_BLOCK,
    };
}

bool sw__draft_steps(sw__findings *findings, sw__draft *draft, sw__arena *arena)
{
    const sw__node *list = draft->list;
    if (!list || !step_count_check(findings, list))
        return true;
    draft->step_count = list->count;
    draft->steps = sw__arena_array(arena, list->count, sizeof(*draft->steps));
    if (!draft->steps)
        return false;
    for (size_t i = 0; i < list->count; i++)
        sw__draft_step_init(&draft->steps[i], list->items[i]);
    return true;
}

/* Names. */

static int check_name(draft_check *check, size_t number)
{
    const sw__draft_step *step = &check->draft->steps[number];
    if (!step->name_node || step->name_node->kind != SW__NODE_STR)
        return SW_OK;
    const int64_t *first = sw__strmap_find(&check->numbers, step->name_node->text);
    if (!first)
        return sw__strmap_put(&check->numbers, step->name_node->text, (int64_t)number);
    sw__path at = {.up = &steps_path, .index = number};
    sw__finding_add(check->findings, SW_SEVERITY_ERROR, &at, step->name_node->line,
                    step->name_node->column, "the step %s is there already, in line %d",
                    sw__finding_quote(check->findings, step->name_node->text),
                    check->draft->steps[*first].name_node->line);
    return SW_OK;
}

/* Dependencies. */

static void dependency_unknown(draft_check *check, const sw__path *path, const sw__node *item)
{
    sw__nearest near = sw__nearest_start(item->text, &check->findings->search_left);
    for (size_t i = 0; i < check->draft->step_count && *near.left >= 0; i++)
        sw__nearest_try(&near, check->draft->steps[i].name);
    const char *quoted = sw__finding_quote(check->findings, item->text);
    if (near.best.ptr)
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, path, item->line, item->column,
                        "there is no step %s; did you mean \"%.*s\"?", quoted, SW__FMT(near.best));
    else
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, path, item->line, item->column,
                        "there is no step %s", quoted);
}

/* mark[n] is one more than the step that named dependency n last. */
static void check_dependency(draft_check *check, const sw__path *path, size_t number,
                             const sw__node *item, int32_t *mark)
{
    if (!sw__node_expect(check->findings, path, item, SW__NODE_STR))
        return;
    const int64_t *found = sw__strmap_find(&check->numbers, item->text);
    if (!found) {
        dependency_unknown(check, path, item);
    } else if (*found == (int64_t)number) {
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, path, item->line, item->column,
                        "a step cannot wait for itself");
    } else if (mark[*found] == (int32_t)number + 1) {
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, path, item->line, item->column,
                        "%s is in this list already",
                        sw__finding_quote(check->findings, item->text));
    } else {
        mark[*found] = (int32_t)number + 1;
        check->from[check->edge_count] = (int32_t)*found;
        check->to[check->edge_count++] = (int32_t)number;
    }
}

static void check_dependencies(draft_check *check, size_t number, int32_t *mark)
{
    const sw__node *after = check->draft->steps[number].after;
    sw__path step = {.up = &steps_path, .index = number};
    sw__path list = {.up = &step, .key = sw__str(check->draft->after_key)};
    if (!after)
        return;
    if (after->count > SW__STEP_DEPS_MAX) {
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, &list, after->line, after->column,
                        "%zu dependencies, but a step may have %d at most", after->count,
                        SW__STEP_DEPS_MAX);
        return;
    }
    for (size_t i = 0; i < after->count; i++) {
        sw__path at = {.up = &list, .index = i};
        check_dependency(check, &at, number, after->items[i], mark);
    }
}

static int check_edges(draft_check *check)
{
    const sw__draft *draft = check->draft;
    size_t most = 0;
    for (size_t i = 0; i < draft->step_count; i++)
        most += draft->steps[i].after ? draft->steps[i].after->count : 0;
    if (most > SW__EDGES_MAX) {
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, &steps_path, draft->steps[0].node->line,
                        draft->steps[0].node->column,
                        "%zu dependencies, but a workflow may have %d at most", most,
                        SW__EDGES_MAX);
        return SW_OK;
    }
    int32_t *mark = sw__arena_array(check->arena, draft->step_count, sizeof(int32_t));
    check->from = sw__arena_array(check->arena, most, sizeof(int32_t));
    check->to = sw__arena_array(check->arena, most, sizeof(int32_t));
    if (!mark || !check->from || !check->to)
        return SW_ENOMEM;
    for (size_t i = 0; i < draft->step_count; i++)
        check_dependencies(check, i, mark);
    return SW_OK;
}

/* Handlers, their parameters, and retry. */

static int check_handler(draft_check *check, sw__draft_step *step, const sw__path *path)
{
    sw__path at = {.up = path, .key = sw__str(check->draft->handler_key)};
    const sw_str workflow = check->draft->name;
    if (step->handler.ptr) {
        if (sw__kind_find(step->handler) < 0)
            sw__handler_check(check->findings, &at, step->handler_node);
        return SW_OK;
    }
    if (step->handler_node && step->handler_node->kind != SW__NODE_NULL)
        return SW_OK; /* there is a finding about it */
    if (!workflow.ptr || !step->name.ptr)
        return SW_OK;
    step->handler =
        sw__arena_format(check->arena, "%.*s.%.*s", SW__FMT(workflow), SW__FMT(step->name));
    if (step->handler.len > SW__NAME_MAX)
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, &at, step->node->line,
                        step->node->column,
                        "the handler's name \"<workflow>.<step>\" would have %zu bytes, %d are "
                        "allowed; give the step a \"%s\"",
                        step->handler.len, SW__NAME_MAX, check->draft->handler_key);
    return step->handler.ptr ? SW_OK : SW_ENOMEM;
}

static void check_parameters(draft_check *check, const sw__draft_step *step, const sw__path *path)
{
    int kind = sw__kind_find(step->handler);
    sw__kind_parameters read;
    sw__path at = {.up = path, .key = SW__LIT("parameters")};
    if (kind >= 0)
        sw__kind_check(check->findings, &at, kind, step->parameters, step->node->line,
                       step->node->column, &read);
}

static void check_retry(draft_check *check, sw__draft_step *step, const sw__path *path)
{
    sw__path retry = {.up = path, .key = SW__LIT("retry")};
    sw__path at = {.up = &retry, .key = sw__str(check->draft->retry_max_key)};
    if (step->backoff_max_ms < 0) {
        step->backoff_max_ms = CHECK_RETRY_MAX_MS;
        if (step->backoff_max_ms < step->backoff_base_ms)
            step->backoff_max_ms = step->backoff_base_ms;
    } else if (step->backoff_max_ms < step->backoff_base_ms) {
        const sw__node *node = sw__node_get(step->retry, check->draft->retry_max_key);
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "the longest delay is shorter than the first one, %lld ms",
                        (long long)step->backoff_base_ms);
    }
}

/* A kind has nothing to say while it works, and a timeout that comes first leaves no silence to
 * notice. */
static void check_heartbeat(draft_check *check, const sw__draft_step *step, const sw__path *path)
{
    sw__path at = {.up = path, .key = sw__str(check->draft->heartbeat_key)};
    const sw__node *node = sw__node_get(step->node, check->draft->heartbeat_key);
    if (step->heartbeat_ms == 0)
        return;
    if (sw__kind_find(step->handler) >= 0)
        sw__finding_add(check->findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "the built-in kind \"%.*s\" sends no heartbeats; only the handler of an "
                        "application can",
                        SW__FMT(step->handler));
    else if (step->timeout_ms > 0 && step->timeout_ms <= step->heartbeat_ms)
        sw__finding_add(check->findings, SW_SEVERITY_WARNING, &at, node->line, node->column,
                        "no heartbeat is ever missed: an attempt times out after %lld ms",
                        (long long)step->timeout_ms);
}

/* A rule that could never be met. The finding stands where the number does. */
static void check_trigger(draft_check *check, const sw__draft_step *step, const sw__path *path)
{
    size_t count = step->after ? step->after->count : 0;
    if (step->trigger != SW_TRIGGER_QUORUM || step->quorum <= (int64_t)count)
        return;
    sw__path trigger = {.up = path, .key = SW__LIT("trigger")};
    sw__path at = {.up = &trigger, .key = SW__LIT("quorum")};
    const sw__node *node = sw__node_get(step->trigger_node, "quorum");
    sw__finding_add(check->findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                    "a quorum of %lld of %zu steps that it waits for", (long long)step->quorum,
                    count);
}

/* Order. */

/* A name that was refused is quoted: it may hold anything. */
static sw_str cycle_name(draft_check *check, int32_t number)
{
    const sw__draft_step *step = &check->draft->steps[number];
    return step->name.ptr ? step->name
                          : sw__str(sw__finding_quote(check->findings, step->name_node->text));
}

static sw_str cycle_text(draft_check *check, const int32_t *cycle, int32_t count)
{
    sw_str text = cycle_name(check, cycle[0]);
    for (int32_t i = 1; i < count && i < CHECK_CYCLE_SHOWN; i++)
        text = sw__arena_format(check->arena, "%.*s → %.*s", SW__FMT(text),
                                SW__FMT(cycle_name(check, cycle[i])));
    if (count > CHECK_CYCLE_SHOWN)
        text = sw__arena_format(check->arena, "%.*s → (%d more)", SW__FMT(text),
                                count - CHECK_CYCLE_SHOWN);
    return sw__arena_format(check->arena, "%.*s → %.*s", SW__FMT(text),
                            SW__FMT(cycle_name(check, cycle[0])));
}

static void cycle_report(draft_check *check, const int32_t *cycle, int32_t count)
{
    const sw__node *node = check->draft->steps[cycle[0]].after;
    sw__path step = {.up = &steps_path, .index = (size_t)cycle[0]};
    sw__path at = {.up = &step, .key = sw__str(check->draft->after_key)};
    sw_str text = cycle_text(check, cycle, count);
    sw__finding_add(check->findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                    "these steps wait for each other in a circle: %.*s", SW__FMT(text));
}

/* The place of a dependency in the list of the step that names it. */
static size_t cut_find(const draft_check *check, const sw_cut *cut)
{
    const sw__node *after = check->draft->steps[cut->to].after;
    size_t i = 0;
    for (; i + 1 < after->count; i++) {
        const int64_t *number = sw__strmap_find(&check->numbers, after->items[i]->text);
        if (number && *number == cut->from)
            break;
    }
    return i;
}

static void cut_report(draft_check *check, const sw_knot *knot, const sw_cut *cut)
{
    static const char *const reasons[SW_CUT_REASON_COUNT] = {
        [SW_CUT_EVERY_CYCLE] = "every circle of these steps passes through it",
        [SW_CUT_SMALLEST] = "these together are enough, and no fewer are",
        [SW_CUT_TWO_WAY] = "both depend on each other, and one of the two must go",
        [SW_CUT_BACKWARD] = "it points backward in an order in which most point forward",
    };
    size_t item = cut_find(check, cut);
    const sw__node *node = check->draft->steps[cut->to].after->items[item];
    sw__path step = {.up = &steps_path, .index = (size_t)cut->to};
    sw__path list = {.up = &step, .key = sw__str(check->draft->after_key)};
    sw__path at = {.up = &list, .index = item};
    sw_str from = cycle_name(check, cut->from), to = cycle_name(check, cut->to);
    sw__finding_add(check->findings, SW_SEVERITY_WARNING, &at, node->line, node->column,
                    "to break the circle%s, %.*s could do without %.*s: %s",
                    knot->cut_count > 1 ? "s" : "", SW__FMT(to), SW__FMT(from),
                    reasons[cut->reason]);
}

/* Which dependencies to take out, and why: a few for all circles that there are. */
static int cuts_report(draft_check *check, const sw__graph *graph)
{
    const sw_knot *knots;
    int32_t count, shown = 0;
    sw__graph inside;
    int code = sw__graph_build_rows(check->arena, graph->node_count, check->from, check->to,
                                    check->edge_count, false, &inside, NULL);
    if (code == SW_OK)
        code = sw__graph_knots(check->arena, &inside, &knots, &count);
    for (int32_t i = 0; code == SW_OK && i < count; i++) {
        for (size_t k = 0; k < knots[i].cut_count && shown < CHECK_CUTS_MAX; k++, shown++)
            cut_report(check, &knots[i], &knots[i].cuts[k]);
    }
    return code;
}

/* Take the edge that closes a cycle out of the list, to look for further cycles without it. */
static void cycle_open(draft_check *check, int32_t from, int32_t to)
{
    size_t kept = 0;
    for (size_t i = 0; i < check->edge_count; i++) {
        if (check->from[i] == from && check->to[i] == to)
            continue;
        check->from[kept] = check->from[i];
        check->to[kept++] = check->to[i];
    }
    check->edge_count = kept;
}

static int check_order(draft_check *check, int32_t *order, sw__graph *graph)
{
    int32_t nodes = (int32_t)check->draft->step_count;
    int32_t *priority = sw__arena_array(check->arena, (size_t)nodes, sizeof(int32_t));
    if (!order || !priority)
        return SW_ENOMEM;
    for (int32_t i = 0; i < nodes; i++)
        priority[i] = (int32_t)check->draft->steps[i].priority;
    for (int round = 0; round < CHECK_CYCLES_MAX; round++) {
        int32_t *cycle, count;
        int code = sw__graph_build(check->arena, nodes, check->from, check->to, check->edge_count,
                                   graph, NULL);
        if (code == SW_OK)
            code = sw__graph_order(check->arena, graph, priority, order, &cycle, &count);
        if (code != SW_EDEFINITION)
            return code;
        if (round == 0 && cuts_report(check, graph) < 0)
            return SW_ENOMEM;
        cycle_report(check, cycle, count);
        cycle_open(check, cycle[count - 1], cycle[0]);
    }
    return SW_OK;
}

static int check_step(draft_check *check, sw__draft_step *step, size_t number)
{
    sw__path at = {.up = &steps_path, .index = number};
    int code = check_handler(check, step, &at);
    check_parameters(check, step, &at);
    check_retry(check, step, &at);
    check_heartbeat(check, step, &at);
    check_trigger(check, step, &at);
    return code;
}

int sw__draft_check_step(sw__findings *findings, sw__arena *arena, const sw__draft *draft,
                         sw__draft_step *step, size_t number)
{
    draft_check check = {.findings = findings, .arena = arena, .draft = draft};
    return check_step(&check, step, number);
}

static int check_steps(draft_check *check)
{
    const sw__draft *draft = check->draft;
    int code = SW_OK;
    for (size_t i = 0; code == SW_OK && i < draft->step_count; i++)
        code = check_name(check, i);
    for (size_t i = 0; code == SW_OK && i < draft->step_count; i++)
        code = check_step(check, &draft->steps[i], i);
    return code == SW_OK ? check_edges(check) : code;
}

int sw__draft_check(sw__findings *findings, sw__arena *arena, sw__draft *draft, int32_t **order,
                    sw__graph *graph)
{
    draft_check check = {.findings = findings, .arena = arena, .draft = draft};
    if (!sw__breakers_read(findings, arena, draft))
        return SW_ENOMEM;
    if (draft->step_count == 0)
        return SW_OK;
    sw__strmap_init(&check.numbers, sw__arena_env(arena));
    *order = sw__arena_array(arena, draft->step_count, sizeof(int32_t));
    int code = check_steps(&check);
    if (code == SW_OK)
        code = check_order(&check, *order, graph);
    sw__strmap_free(&check.numbers);
    return code;
}
