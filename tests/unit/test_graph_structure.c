/* Handles and the structure of a graph: what went in, orders, levels, ends, components; against
 * brute force on every small graph and many random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "helper/graphs.h"

static void check_view(const graph_case *set)
{
    sw_graph *graph = graph_case_open(set, NULL);
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    size_t out = 0;
    assert_int_equal(sw_graph_view_get(graph, &view, NULL), SW_OK);
    assert_int_equal(view.node_count, set->nodes);
    assert_int_equal(view.edge_count, set->count);
    for (int32_t node = 0; node < set->nodes; node++) {
        int32_t in = view.in_start[node];
        for (size_t i = 0; i < set->count; i++) {
            if (set->to[i] == node)
                assert_int_equal(view.in_node[in++], set->from[i]);
            if (set->from[i] == node) {
                assert_int_equal(view.out_node[out], set->to[i]);
                assert_int_equal(view.out_row[out++], i);
            }
        }
        assert_int_equal(view.in_start[node + 1], in);
        assert_int_equal(view.out_start[node + 1], out);
    }
    sw_graph_free(graph);
}

/* Every edge a second time at a random later place: the first one counts. */
static void check_repeats(const graph_case *set)
{
    int32_t from[2 * GRAPH_NODES_MOST * GRAPH_NODES_MOST];
    int32_t to[2 * GRAPH_NODES_MOST * GRAPH_NODES_MOST];
    size_t first[GRAPH_NODES_MOST * GRAPH_NODES_MOST], count = 0;
    int64_t repeated = -1;
    for (size_t i = 0; i < set->count; i++) {
        first[i] = count;
        from[count] = set->from[i];
        to[count++] = set->to[i];
        size_t again = graph_random((uint32_t)i + 1);
        if (graph_random(2)) {
            repeated = repeated < 0 ? (int64_t)count : repeated;
            from[count] = set->from[again];
            to[count++] = set->to[again];
        }
    }
    sw_error err;
    sw_graph *graph = NULL;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    int code = sw_graph_new(&options, set->nodes, from, to, count, &graph, &err);
    assert_int_equal(code, repeated < 0 ? SW_OK : SW_EINVAL);
    assert_int_equal(err.row, repeated);
    sw_graph_free(graph);
    options.repeats = 1;
    assert_int_equal(sw_graph_new(&options, set->nodes, from, to, count, &graph, &err), SW_OK);
    sw_graph_view view = SW_GRAPH_VIEW_INIT, plain = SW_GRAPH_VIEW_INIT;
    sw_graph *once = graph_case_open(set, NULL);
    assert_int_equal(sw_graph_view_get(graph, &view, NULL), SW_OK);
    assert_int_equal(sw_graph_view_get(once, &plain, NULL), SW_OK);
    size_t starts = ((size_t)set->nodes + 1) * sizeof(int32_t), edges = set->count * 4;
    assert_int_equal(view.edge_count, set->count);
    assert_memory_equal(view.out_start, plain.out_start, starts);
    assert_memory_equal(view.in_start, plain.in_start, starts);
    assert_memory_equal(view.out_node, plain.out_node, edges);
    assert_memory_equal(view.in_node, plain.in_node, edges);
    for (int32_t i = 0; i < view.edge_count; i++)
        assert_int_equal(view.out_row[i], first[plain.out_row[i]]);
    sw_graph_free(once);
    sw_graph_free(graph);
}

static void assert_order(const graph_case *set, const int32_t *order)
{
    int32_t place[GRAPH_NODES_MOST];
    memset(place, -1, sizeof(place));
    for (int32_t i = 0; i < set->nodes; i++) {
        assert_int_equal(place[order[i]], -1);
        place[order[i]] = i;
    }
    for (size_t i = 0; i < set->count; i++)
        assert_true(place[set->from[i]] < place[set->to[i]]);
}

/* The best node of which every dependency is placed, again and again. */
static void assert_best_order(const graph_case *set, const int32_t *priority, const int32_t *order)
{
    bool placed[GRAPH_NODES_MOST] = {false};
    for (int32_t i = 0; i < set->nodes; i++) {
        int32_t best = -1;
        for (int32_t node = 0; node < set->nodes; node++) {
            bool free = !placed[node];
            for (int32_t from = 0; from < set->nodes; from++)
                free = free && (!set->edge[from][node] || placed[from]);
            if (free && (best < 0 || (priority && priority[node] > priority[best])))
                best = node;
        }
        assert_int_equal(order[i], best);
        placed[best] = true;
    }
}

static void check_order(const graph_case *set)
{
    int32_t priority[GRAPH_NODES_MOST], order[GRAPH_NODES_MOST];
    sw_error err;
    sw_graph *graph = graph_case_open(set, NULL);
    for (int32_t node = 0; node < set->nodes; node++)
        priority[node] = graph_random(3) == 0 ? INT32_MIN : (int32_t)graph_random(3) - 1;
    int code = sw_graph_order(graph, NULL, order, &err);
    assert_int_equal(code, graph_case_cyclic(set) ? SW_EDEFINITION : SW_OK);
    assert_int_equal(sw_graph_order(graph, priority, order, &err), code);
    if (code == SW_OK) {
        assert_best_order(set, priority, order);
        assert_int_equal(sw_graph_order(graph, NULL, order, &err), SW_OK);
        assert_order(set, order);
    } else {
        assert_non_null(strstr(err.message, " -> "));
    }
    sw_graph_free(graph);
}

static void assert_levels(const graph_case *set, const sw_analysis *answer)
{
    int32_t widths[GRAPH_NODES_MOST] = {0}, depth = 0;
    for (int32_t node = 0; node < set->nodes; node++) {
        int32_t longest = 0, shortest = INT32_MAX;
        for (int32_t from = 0; from < set->nodes; from++) {
            if (!set->edge[from][node])
                continue;
            if (answer->level[from] >= longest)
                longest = answer->level[from] + 1;
            if (answer->shortest[from] < shortest)
                shortest = answer->shortest[from] + 1;
        }
        assert_int_equal(answer->level[node], longest);
        assert_int_equal(answer->shortest[node], shortest == INT32_MAX ? 0 : shortest);
        widths[longest]++;
        depth = longest >= depth ? longest + 1 : depth;
    }
    assert_int_equal(answer->level_count, depth);
    for (int32_t level = 0; level < depth; level++) {
        assert_int_equal(answer->level_width[level], widths[level]);
        assert_true(widths[level] <= widths[answer->level_widest]);
        assert_true(level >= answer->level_widest || widths[level] < widths[answer->level_widest]);
    }
}

static bool listed(const int32_t *nodes, int32_t count, int32_t node)
{
    bool found = false;
    for (int32_t i = 0; i < count; i++) {
        assert_true(i == 0 || nodes[i - 1] < nodes[i]);
        found = found || nodes[i] == node;
    }
    return found;
}

static void assert_ends(const graph_case *set, const sw_analysis *answer, const int32_t *roots,
                        size_t root_count)
{
    for (int32_t node = 0; node < set->nodes; node++) {
        bool root = true, leaf = true, reached = false;
        for (int32_t other = 0; other < set->nodes; other++) {
            root = root && !set->edge[other][node];
            leaf = leaf && !set->edge[node][other];
        }
        for (size_t i = 0; i < root_count; i++)
            reached = reached || roots[i] == node || set->reaches[roots[i]][node];
        assert_int_equal(listed(answer->roots, answer->root_count, node), root);
        assert_int_equal(listed(answer->leaves, answer->leaf_count, node), leaf);
        assert_int_equal(listed(answer->orphans, answer->orphan_count, node), root && leaf);
        assert_int_equal(listed(answer->unreachable, answer->unreachable_count, node), !reached);
    }
}

/* Components by painting: the lower number wins until nothing changes. */
static void assert_components(const graph_case *set, const sw_analysis *answer)
{
    int32_t lowest[GRAPH_NODES_MOST], number[GRAPH_NODES_MOST], count = 0;
    for (int32_t node = 0; node < set->nodes; node++)
        lowest[node] = node;
    for (int32_t round = 0; round < set->nodes; round++) {
        for (size_t i = 0; i < set->count; i++) {
            int32_t *a = &lowest[set->from[i]], *b = &lowest[set->to[i]];
            *a = *b = *a < *b ? *a : *b;
        }
    }
    for (int32_t node = 0; node < set->nodes; node++) {
        number[node] = lowest[node] == node ? count++ : number[lowest[node]];
        assert_int_equal(answer->component[node], number[node]);
    }
    assert_int_equal(answer->component_count, count);
}

static void check_structure(const graph_case *set)
{
    int32_t roots[2];
    size_t root_count = graph_random(3);
    for (size_t i = 0; i < 2; i++)
        roots[i] = (int32_t)graph_random((uint32_t)set->nodes);
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    options.roots = roots;
    options.root_count = root_count;
    sw_result *result = NULL;
    size_t count;
    sw_graph *graph = graph_case_open(set, NULL);
    assert_int_equal(sw_graph_analyze(graph, &options, &result, NULL), SW_OK);
    const sw_analysis *answer = sw_analyses(result, &count);
    bool cyclic = graph_case_cyclic(set);
    int32_t of_any = SW_ANALYSIS_ENDS | SW_ANALYSIS_COMPONENTS | SW_ANALYSIS_CYCLES;
    assert_int_equal(count, 1);
    assert_int_equal(answer->acyclic, !cyclic);
    assert_int_equal(answer->parts, cyclic ? of_any : SW_ANALYSIS_ALL);
    assert_int_equal(answer->node_count, set->nodes);
    assert_int_equal(answer->edge_count, set->count);
    assert_int_equal(answer->knot_count > 0, cyclic);
    assert_ends(set, answer, roots, root_count);
    assert_components(set, answer);
    if (!cyclic) {
        assert_levels(set, answer);
        assert_best_order(set, NULL, answer->order);
    } else {
        assert_null(answer->order);
        assert_null(answer->critical_path);
    }
    sw_result_free(result);
    sw_graph_free(graph);
}

static void check_all(const graph_case *set)
{
    check_view(set);
    check_repeats(set);
    check_order(set);
    check_structure(set);
}

static void test_every_graph_of_up_to_four_nodes(void **state)
{
    (void)state;
    for (int32_t nodes = 1; nodes <= 4; nodes++)
        graph_case_each(nodes, false, check_all);
}

static void test_random_graphs(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        graph_case set;
        graph_case_random(&set, GRAPH_NODES_MOST, round % 2 == 0);
        check_all(&set);
    }
}

static void test_an_empty_graph(void **state)
{
    (void)state;
    graph_case set;
    sw_result *result = NULL;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    sw_makespan_options run = SW_MAKESPAN_OPTIONS_INIT;
    graph_case_init(&set, 0);
    sw_graph *graph = graph_case_open(&set, NULL);
    assert_int_equal(sw_graph_analyze(graph, &options, &result, NULL), SW_OK);
    const sw_analysis *answer = sw_analyses(result, NULL);
    assert_int_equal(answer->parts, SW_ANALYSIS_ALL);
    assert_int_equal(answer->acyclic, 1);
    assert_int_equal(answer->level_count, 0);
    assert_int_equal(answer->critical_count, 0);
    assert_int_equal(answer->width_most, 0);
    assert_int_equal(answer->width_exact, 1);
    sw_result_free(result);
    assert_int_equal(sw_graph_makespan(graph, &run, &result, NULL), SW_OK);
    assert_int_equal(sw_makespans(result, NULL)->makespan_us, 0);
    sw_result_free(result);
    assert_int_equal(sw_graph_reduce(graph, &result, NULL), SW_OK);
    sw_result_free(result);
    assert_int_equal(sw_graph_cycles(graph, &result, NULL), SW_OK);
    sw_result_free(result);
    assert_int_equal(sw_graph_reach(graph, 0, NULL, 0, &result, NULL), SW_OK);
    sw_result_free(result);
    assert_int_equal(sw_graph_common(graph, 0, NULL, 0, &result, NULL), SW_OK);
    assert_int_equal(sw_reaches(result, NULL)->count, 0);
    sw_result_free(result);
    sw_graph_free(graph);
    sw_graph_free(NULL);
}

static int named(const sw_str *names, size_t name_count, const char *const (*edges)[2],
                 size_t count, sw_graph **graph, sw_error *err)
{
    sw_str from[8], to[8];
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    for (size_t i = 0; i < count; i++) {
        from[i] = sw__str(edges[i][0]);
        to[i] = sw__str(edges[i][1]);
    }
    return sw_graph_new_named(&options, names, name_count, from, to, count, graph, err);
}

static void test_names_become_numbers(void **state)
{
    (void)state;
    static const char *const edges[][2] = {{"b", "c"}, {"a", "d"}, {"c", "d"}};
    const sw_str names[] = {sw__str("lone"), sw__str("c")};
    sw_error err;
    sw_graph *graph = NULL;
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    assert_int_equal(named(names, 2, edges, 3, &graph, &err), SW_OK);
    static const char *const expected[] = {"lone", "c", "b", "a", "d"};
    for (int32_t i = 0; i < 5; i++) {
        assert_true(sw__str_is(sw_graph_name(graph, i), expected[i]));
        assert_int_equal(sw_graph_find(graph, sw__str(expected[i])), i);
    }
    assert_null(sw_graph_name(graph, 5).ptr);
    assert_null(sw_graph_name(graph, -1).ptr);
    assert_int_equal(sw_graph_find(graph, sw__str("e")), SW_ENOTFOUND);
    assert_int_equal(sw_graph_view_get(graph, &view, NULL), SW_OK);
    assert_memory_equal(view.in_start, ((int32_t[]){0, 0, 1, 1, 1, 3}), 6 * sizeof(int32_t));
    assert_memory_equal(view.in_node, ((int32_t[]){2, 3, 1}), 3 * sizeof(int32_t));
    view.size = 8;
    assert_int_equal(sw_graph_view_get(graph, &view, &err), SW_EINVAL);
    sw_graph_free(graph);
}

static void test_bad_names_are_refused_with_their_row(void **state)
{
    (void)state;
    static const char *const itself[][2] = {{"a", "b"}, {"b", "b"}};
    static const char *const twice[][2] = {{"a", "b"}, {"b", "c"}, {"a", "b"}};
    static const char *const absent[][2] = {{"a", NULL}};
    static const char *const circle[][2] = {{"a", "b"}, {"b", "c"}, {"c", "a"}};
    const sw_str names[] = {sw__str("a"), sw__str("b"), sw__str("a"), {NULL, 0}};
    sw_error err;
    sw_graph *graph = NULL;
    assert_int_equal(named(NULL, 0, itself, 2, &graph, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    assert_string_equal(err.message, "edge 1 leads from \"b\" to itself");
    assert_int_equal(named(NULL, 0, twice, 3, &graph, &err), SW_EINVAL);
    assert_int_equal(err.row, 2);
    assert_string_equal(err.message, "edge 2 from \"a\" to \"b\" is given twice");
    assert_int_equal(named(NULL, 0, absent, 1, &graph, &err), SW_EINVAL);
    assert_int_equal(err.row, 0);
    assert_int_equal(named(names, 3, NULL, 0, &graph, &err), SW_EINVAL);
    assert_int_equal(err.row, 2);
    assert_int_equal(named(names + 3, 1, NULL, 0, &graph, &err), SW_EINVAL);
    assert_int_equal(err.row, 0);
    assert_null(graph);
    int32_t order[3];
    assert_int_equal(named(NULL, 0, circle, 3, &graph, &err), SW_OK);
    assert_int_equal(sw_graph_order(graph, NULL, order, &err), SW_EDEFINITION);
    assert_string_equal(err.message, "the graph has a cycle: a -> b -> c -> a");
    sw_graph_free(graph);
}

static void test_bad_numbers_are_refused_with_their_row(void **state)
{
    (void)state;
    static const int32_t bad[] = {3, -1, INT32_MAX, INT32_MIN};
    sw_error err;
    sw_graph *graph = NULL;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const int32_t good[] = {0, 1}, ends[] = {1, bad[i]};
        assert_int_equal(sw_graph_new(&options, 3, good, ends, 2, &graph, &err), SW_EINVAL);
        assert_int_equal(err.row, 1);
        assert_int_equal(sw_graph_new(&options, 3, ends, good, 2, &graph, &err), SW_EINVAL);
        assert_int_equal(err.row, 1);
        assert_null(graph);
    }
}

static void test_bad_calls_are_refused(void **state)
{
    (void)state;
    sw_error err;
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    const int32_t node = 0;
    const sw_str name = sw__str("a");
    assert_int_equal(sw_graph_new(NULL, 1, NULL, NULL, 0, &graph, &err), SW_EINVAL);
    assert_int_equal(sw_graph_new(&options, 1, NULL, &node, 1, &graph, &err), SW_EINVAL);
    assert_int_equal(sw_graph_new(&options, -1, NULL, NULL, 0, &graph, &err), SW_EINVAL);
    assert_int_equal(sw_graph_new(&options, 1, NULL, NULL, 0, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_graph_new(&options, 2, &node, &node, INT32_MAX, &graph, &err), SW_ELIMIT);
    for (size_t count = (size_t)1 << 31; count != 0; count *= 2) {
        assert_int_equal(sw_graph_new(&options, 2, &node, &node, count, &graph, &err), SW_ELIMIT);
        assert_int_equal(sw_graph_new_named(&options, NULL, 0, &name, &name, count, &graph, &err),
                         SW_ELIMIT);
        assert_int_equal(sw_graph_new_named(&options, &name, count, NULL, NULL, 0, &graph, &err),
                         SW_ELIMIT);
    }
    assert_int_equal(sw_graph_new(&options, INT32_MAX, NULL, NULL, 0, &graph, &err), SW_ELIMIT);
    assert_int_equal(sw_graph_new_named(&options, NULL, 1, NULL, NULL, 0, &graph, &err), SW_EINVAL);
    assert_int_equal(sw_graph_new_named(&options, NULL, 0, &name, &name, INT32_MAX, &graph, &err),
                     SW_ELIMIT);
    assert_int_equal(sw_graph_new_workflow(&options, NULL, &graph, &err), SW_EINVAL);
    assert_int_equal(sw_graph_order(NULL, NULL, NULL, &err), SW_EINVAL);
    assert_int_equal(sw_graph_cycles(NULL, &result, &err), SW_EINVAL);
    assert_int_equal(sw_graph_analyze(NULL, NULL, &result, &err), SW_EINVAL);
    assert_null(graph);
    assert_null(result);
}

static void test_names_of_enums(void **state)
{
    (void)state;
    assert_string_equal(sw_analysis_part_name(SW_ANALYSIS_WIDTH), "width");
    assert_int_equal(sw_analysis_part_find(sw__str("redundant")), SW_ANALYSIS_REDUNDANT);
    assert_int_equal(sw_analysis_part_find(sw__str("all")), SW_ENOTFOUND);
    assert_string_equal(sw_cut_reason_name(SW_CUT_TWO_WAY), "two_way");
    assert_string_equal(sw_change_kind_name(SW_CHANGE_EDGE_ADDED), "edge_added");
    assert_string_equal(sw_change_field_name(SW_CHANGE_IN_RETRY), "retry");
    assert_string_equal(sw_change_field_name(3), "unknown");
    int32_t all = 0;
#define PART_ADD(name, value, text) all |= value;
    SW_ANALYSIS_PART_MAP(PART_ADD)
#undef PART_ADD
    assert_int_equal(all, SW_ANALYSIS_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_graph_of_up_to_four_nodes),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_an_empty_graph),
        cmocka_unit_test(test_names_become_numbers),
        cmocka_unit_test(test_bad_names_are_refused_with_their_row),
        cmocka_unit_test(test_bad_numbers_are_refused_with_their_row),
        cmocka_unit_test(test_bad_calls_are_refused),
        cmocka_unit_test(test_names_of_enums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
