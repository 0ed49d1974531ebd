/* Graphs without memory, and graphs of a million nodes: every verb gives back what it took, and no
 * depth costs stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/resource.h>

#include "base/str.h"
#include "helper/definitions.h"
#include "helper/fault_env.h"
#include "helper/graphs.h"

#define MANY 1000000

/* Two diamonds, one behind the other, with an edge over both. */
static void diamonds(graph_case *set)
{
    static const int32_t ends[][2] = {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 4},
                                      {3, 5}, {4, 6}, {5, 6}, {0, 6}};
    graph_case_init(set, 7);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        graph_case_add(set, ends[i][0], ends[i][1]);
}

/* A knot of 3 nodes with a chord and its opposite, and one of 20. */
static void knots(graph_case *set)
{
    graph_case_init(set, 23);
    graph_case_add(set, 0, 1);
    graph_case_add(set, 1, 2);
    graph_case_add(set, 2, 0);
    graph_case_add(set, 1, 0);
    for (int32_t i = 0; i < 20; i++) {
        graph_case_add(set, 3 + i, 3 + (i + 1) % 20);
        graph_case_add(set, 3 + i, 3 + (i + 7) % 20);
        graph_case_add(set, 3 + i, 3 + (i + 13) % 20);
    }
}

typedef int (*verb)(const sw_graph *graph, sw_result **result, sw_error *err);

static int ask(const sw_env *env, const graph_case *set, verb question)
{
    sw_error err = {0};
    sw_result *result = NULL;
    sw_graph *graph = graph_case_open(set, env);
    int code = graph ? question(graph, &result, &err) : SW_ENOMEM;
    assert_true(code == SW_OK || !result);
    assert_true(!graph || err.code == code);
    sw_result_free(result);
    sw_graph_free(graph);
    return code;
}

static int ask_all(const sw_graph *graph, sw_result **result, sw_error *err)
{
    const int32_t root = 1;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    options.roots = &root;
    options.root_count = 1;
    return sw_graph_analyze(graph, &options, result, err);
}

static int ask_order(const sw_graph *graph, sw_result **result, sw_error *err)
{
    int32_t order[GRAPH_NODES_MOST];
    static const int32_t priority[GRAPH_NODES_MOST] = {0, 1, 2};
    (void)result;
    int code = sw_graph_order(graph, NULL, order, err);
    return code == SW_OK ? sw_graph_order(graph, priority, order, err) : code;
}

static int ask_reach(const sw_graph *graph, sw_result **result, sw_error *err)
{
    static const int32_t nodes[] = {0, 1, 2, 3, 4, 5, 6};
    int code = sw_graph_reach(graph, SW_REACH_DEPENDENTS, nodes, 2, result, err);
    if (code < 0)
        return code;
    sw_result_free(*result);
    return sw_graph_reach(graph, SW_REACH_DEPENDENTS, nodes, 7, result, err);
}

static int ask_common(const sw_graph *graph, sw_result **result, sw_error *err)
{
    static const int32_t nodes[] = {4, 5};
    return sw_graph_common(graph, SW_REACH_DEPENDENCIES, nodes, 2, result, err);
}

static int ask_makespan(const sw_graph *graph, sw_result **result, sw_error *err)
{
    static const int64_t demand[GRAPH_NODES_MOST] = {1, 0, 1, 2};
    const sw_graph_resource resource = {.capacity = 2, .demand = demand};
    sw_makespan_options options = SW_MAKESPAN_OPTIONS_INIT;
    options.workers = 2;
    options.resources = &resource;
    options.resource_count = 1;
    return sw_graph_makespan(graph, &options, result, err);
}

static int ask_edit(const sw_graph *graph, sw_result **result, sw_error *err)
{
    static const int32_t from[] = {6, 7, 2}, to[] = {7, 8, 1};
    const sw_str names[] = {sw__str("x"), sw__str("y")};
    sw_graph_edit *edit = NULL;
    sw_graph *grown = NULL;
    (void)result;
    int code = sw_graph_edit_new(graph, &edit, err);
    if (code == SW_OK)
        code = sw_graph_edit_insert(edit, 2, names, from, to, 3, err);
    if (code == SW_OK)
        code = sw_graph_edit_finish(edit, &grown, err);
    sw_graph_free(grown);
    sw_graph_edit_free(edit);
    return code;
}

/* A cycle is found, named, and an error unless memory runs out on the way. */
static int ask_cycle(const sw_graph *graph, sw_result **result, sw_error *err)
{
    int code = sw_graph_reduce(graph, result, err);
    if (code == SW_EDEFINITION)
        err->code = code = SW_OK;
    return code;
}

#define ASK_BODY(name, make, question)                                                             \
    static int name(const sw_env *env, void *context)                                              \
    {                                                                                              \
        graph_case set;                                                                            \
        (void)context;                                                                             \
        make(&set);                                                                                \
        return ask(env, &set, question);                                                           \
    }
ASK_BODY(all_body, diamonds, ask_all)
ASK_BODY(knots_body, knots, ask_all)
ASK_BODY(cycles_body, knots, sw_graph_cycles)
ASK_BODY(order_body, diamonds, ask_order)
ASK_BODY(reach_body, diamonds, ask_reach)
ASK_BODY(common_body, diamonds, ask_common)
ASK_BODY(reduce_body, diamonds, sw_graph_reduce)
ASK_BODY(makespan_body, diamonds, ask_makespan)
ASK_BODY(edit_body, diamonds, ask_edit)
ASK_BODY(cycle_body, knots, ask_cycle)

static int named_body(const sw_env *env, void *context)
{
    const sw_str from[] = {sw__str("a"), sw__str("b")}, to[] = {sw__str("b"), sw__str("c")};
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    (void)context;
    options.env = env;
    int code = sw_graph_new_named(&options, from, 1, from, to, 2, &graph, NULL);
    if (code == SW_OK)
        code = sw_graph_diff(graph, graph, &result, NULL);
    assert_true((code == SW_OK) == (result != NULL));
    sw_result_free(result);
    sw_graph_free(graph);
    return code;
}

static int workflow_body(const sw_env *env, void *context)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    options.env = env;
    int code = sw_graph_new_workflow(&options, context, &graph, NULL);
    sw_graph_free(graph);
    return code;
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    static int (*const bodies[])(const sw_env *env, void *context) = {
        all_body,    knots_body,    cycles_body, order_body, reach_body, common_body,
        reduce_body, makespan_body, edit_body,   cycle_body, named_body};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        fault_env fault;
        fault_env_init(&fault);
        assert_true(fault_env_each(&fault, bodies[i], NULL) > 4);
    }
    fault_env fault;
    fault_env_init(&fault);
    sw_workflow *workflow = definition_load("{\"stepwell\":1,\"name\":\"w\",\"steps\":["
                                            "{\"name\":\"a\",\"handler\":\"a.b\"}]}");
    assert_true(fault_env_each(&fault, workflow_body, workflow) > 4);
    sw_workflow_free(workflow);
}

static sw_graph *many(const int32_t *from, const int32_t *to, size_t count)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    assert_int_equal(sw_graph_new(&options, MANY, from, to, count, &graph, NULL), SW_OK);
    return graph;
}

static void analyze_many(const sw_graph *graph, int32_t depth, int32_t width)
{
    sw_result *result = NULL;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    sw_makespan_options run = SW_MAKESPAN_OPTIONS_INIT;
    const int32_t last = MANY - 1;
    assert_int_equal(sw_graph_analyze(graph, &options, &result, NULL), SW_OK);
    const sw_analysis *answer = sw_analyses(result, NULL);
    assert_int_equal(answer->parts, SW_ANALYSIS_ALL);
    assert_int_equal(answer->level_count, depth);
    assert_int_equal(answer->span_us, depth);
    assert_int_equal(answer->width_least, width);
    assert_int_equal(answer->width_exact, 1);
    assert_int_equal(answer->redundant_count, 0);
    sw_result_free(result);
    run.workers = 4;
    assert_int_equal(sw_graph_makespan(graph, &run, &result, NULL), SW_OK);
    assert_true(sw_makespans(result, NULL)->makespan_us >= depth);
    sw_result_free(result);
    assert_int_equal(sw_graph_reach(graph, SW_REACH_DEPENDENCIES, &last, 1, &result, NULL), SW_OK);
    assert_int_equal(sw_reaches(result, NULL)->count, depth - 1);
    sw_result_free(result);
}

/* Chain, ring and star, with a stack that no recursion over a million nodes would fit. */
static void test_a_million_nodes(void **state)
{
    (void)state;
    int32_t *from = malloc(MANY * sizeof(int32_t)), *to = malloc(MANY * sizeof(int32_t));
    assert_non_null(from);
    assert_non_null(to);
    for (int32_t i = 0; i < MANY; i++) {
        from[i] = i;
        to[i] = (i + 1) % MANY;
    }
    sw_graph *graph = many(from, to, MANY - 1);
    analyze_many(graph, MANY, 1);
    sw_graph_free(graph);

    size_t count;
    sw_result *result = NULL;
    graph = many(from, to, MANY);
    assert_int_equal(sw_graph_cycles(graph, &result, NULL), SW_OK);
    const sw_knot *ring = sw_knots(result, &count);
    assert_int_equal(count, 1);
    assert_int_equal(ring->cycle_count, MANY);
    assert_int_equal(ring->cut_count, 1);
    assert_int_equal(ring->cuts[0].row, MANY - 1);
    sw_result_free(result);
    sw_graph_free(graph);

    for (int32_t i = 0; i < MANY - 1; i++) {
        from[i] = 0;
        to[i] = i + 1;
    }
    graph = many(from, to, MANY - 1);
    analyze_many(graph, 2, MANY - 1);
    sw_graph_free(graph);
    free(from);
    free(to);
}

static int stack_small(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
    limit.rlim_cur = 512 * 1024;
    return setrlimit(RLIMIT_STACK, &limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_a_million_nodes),
    };
    return cmocka_run_group_tests(tests, stack_small, NULL);
}
