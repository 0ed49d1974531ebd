/* Reachability, common nodes, redundant edges and the width, against brute force on every small
 * graph and many random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "helper/graphs.h"

static bool leads(const graph_case *set, int direction, int32_t from, int32_t to)
{
    return direction == SW_REACH_DEPENDENTS ? set->reaches[from][to] : set->reaches[to][from];
}

static bool bit(const uint64_t *bits, int32_t node)
{
    return bits[node / 64] >> (node % 64) & 1;
}

static void check_reach(const graph_case *set)
{
    int32_t nodes[GRAPH_NODES_MOST + 1];
    sw_graph *graph = graph_case_open(set, NULL);
    for (int direction = 0; direction <= 1; direction++) {
        /* A few are searched one by one, many flow along an order; the last is given twice. */
        size_t asked = graph_random(2) ? (size_t)set->nodes + 1 : 1 + graph_random(2), count;
        for (size_t i = 0; i < asked; i++)
            nodes[i] = (int32_t)(i % (size_t)set->nodes);
        sw_result *result = NULL;
        assert_int_equal(sw_graph_reach(graph, direction, nodes, asked, &result, NULL), SW_OK);
        const sw_reach *rows = sw_reaches(result, &count);
        assert_int_equal(count, asked);
        for (size_t i = 0; i < count; i++) {
            int32_t expected = 0;
            assert_int_equal(rows[i].node, nodes[i]);
            for (int32_t node = 0; node < set->nodes; node++) {
                bool reached = leads(set, direction, nodes[i], node);
                assert_int_equal(bit(rows[i].bits, node), reached);
                expected += reached;
            }
            assert_int_equal(rows[i].count, expected);
        }
        sw_result_free(result);
    }
    sw_graph_free(graph);
}

static void check_common(const graph_case *set)
{
    int direction = (int)graph_random(2);
    int32_t nodes[3], all = 0, nearest = 0;
    size_t asked = 1 + graph_random(3), count;
    for (size_t i = 0; i < asked; i++)
        nodes[i] = (int32_t)graph_random((uint32_t)set->nodes);
    sw_result *result = NULL;
    sw_graph *graph = graph_case_open(set, NULL);
    assert_int_equal(sw_graph_common(graph, direction, nodes, asked, &result, NULL), SW_OK);
    const sw_reach *rows = sw_reaches(result, &count);
    assert_int_equal(count, 2);
    bool common[GRAPH_NODES_MOST];
    for (int32_t node = 0; node < set->nodes; node++) {
        common[node] = true;
        for (size_t i = 0; i < asked; i++)
            common[node] = common[node] && leads(set, direction, nodes[i], node);
        all += common[node];
    }
    for (int32_t node = 0; node < set->nodes; node++) {
        bool near = common[node];
        for (int32_t other = 0; other < set->nodes; other++)
            near = near && !(common[other] && leads(set, direction, other, node));
        nearest += near;
        assert_int_equal(bit(rows[0].bits, node), common[node]);
        assert_int_equal(bit(rows[1].bits, node), near);
    }
    assert_int_equal(rows[0].count, all);
    assert_int_equal(rows[1].count, nearest);
    sw_result_free(result);
    sw_graph_free(graph);
}

static void check_reduction(const graph_case *set)
{
    sw_result *result = NULL;
    size_t count, expected = 0;
    sw_graph *graph = graph_case_open(set, NULL);
    assert_int_equal(sw_graph_reduce(graph, &result, NULL), SW_OK);
    const sw_graph_edge *edges = sw_graph_edges(result, &count);
    for (size_t i = 0; i < set->count; i++) {
        bool redundant = false;
        for (int32_t node = 0; node < set->nodes; node++)
            redundant =
                redundant || (set->reaches[set->from[i]][node] && set->reaches[node][set->to[i]]);
        if (!redundant)
            continue;
        assert_int_equal(edges[expected].row, i);
        assert_int_equal(edges[expected].from, set->from[i]);
        assert_int_equal(edges[expected++].to, set->to[i]);
    }
    assert_int_equal(count, expected);
    sw_result_free(result);
    sw_graph_free(graph);
}

/* Of the nodes below `node`, the most that are apart from each other and from those taken. */
static int32_t reference_width(const graph_case *set, int32_t node, uint32_t taken)
{
    if (node == set->nodes)
        return __builtin_popcount(taken);
    int32_t best = reference_width(set, node + 1, taken);
    for (int32_t other = 0; other < node; other++) {
        if (taken >> other & 1 && (set->reaches[node][other] || set->reaches[other][node]))
            return best;
    }
    int32_t with = reference_width(set, node + 1, taken | UINT32_C(1) << node);
    return with > best ? with : best;
}

static void assert_antichain(const graph_case *set, const sw_analysis *answer)
{
    for (int32_t i = 0; i < answer->width_least; i++) {
        for (int32_t k = 0; k < answer->width_least; k++)
            assert_false(set->reaches[answer->antichain[i]][answer->antichain[k]]);
        if (i > 0)
            assert_true(answer->antichain[i - 1] < answer->antichain[i]);
    }
}

static void check_width(const graph_case *set)
{
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    sw_graph *graph = graph_case_open(set, NULL);
    int32_t width = reference_width(set, 0, 0);
    options.parts = SW_ANALYSIS_WIDTH;
    for (options.width_effort = -1; options.width_effort <= 1; options.width_effort++) {
        sw_result *result = NULL;
        assert_int_equal(sw_graph_analyze(graph, &options, &result, NULL), SW_OK);
        const sw_analysis *answer = sw_analyses(result, NULL);
        assert_antichain(set, answer);
        assert_true(answer->width_least <= width && width <= answer->width_most);
        assert_int_equal(answer->width_exact, answer->width_least == answer->width_most);
        if (options.width_effort <= 0)
            assert_int_equal(answer->width_exact, 1);
        sw_result_free(result);
    }
    sw_graph_free(graph);
}

static void test_every_small_graph(void **state)
{
    (void)state;
    for (int32_t nodes = 1; nodes <= 5; nodes++) {
        graph_case_each(nodes, true, check_reduction);
        graph_case_each(nodes, true, check_width);
    }
    for (int32_t nodes = 1; nodes <= 4; nodes++) {
        graph_case_each(nodes, false, check_reach);
        graph_case_each(nodes, false, check_common);
    }
}

static void test_random_graphs(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        graph_case set;
        graph_case_random(&set, GRAPH_NODES_MOST, round % 2 == 0);
        check_reach(&set);
        if (!graph_case_cyclic(&set)) {
            check_common(&set);
            check_reduction(&set);
        }
        graph_case_random(&set, 14, true);
        check_width(&set);
    }
}

/* Sizes that no matrix holds: bits over many words, ends over many blocks. A braid: node i leads
 * to i + 1 and i + 2; the latter edges are redundant, and nodes are in one chain. */
static void test_a_long_braid(void **state)
{
    (void)state;
    enum { NODES = 3000 };
    static int32_t from[2 * NODES], to[2 * NODES], all[NODES];
    size_t count = 0, rows;
    for (int32_t step = 1; step <= 2; step++) {
        for (int32_t node = 0; node + step < NODES; node++) {
            from[count] = node;
            to[count++] = node + step;
        }
    }
    for (int32_t node = 0; node < NODES; node++)
        all[node] = node;
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_analysis_options what = SW_ANALYSIS_OPTIONS_INIT;
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    assert_int_equal(sw_graph_new(&options, NODES, from, to, count, &graph, NULL), SW_OK);
    assert_int_equal(sw_graph_analyze(graph, &what, &result, NULL), SW_OK);
    const sw_analysis *answer = sw_analyses(result, NULL);
    assert_int_equal(answer->parts, SW_ANALYSIS_ALL);
    assert_int_equal(answer->width_most, 1);
    assert_int_equal(answer->width_exact, 1);
    assert_int_equal(answer->redundant_count, NODES - 2);
    for (int32_t i = 0; i < answer->redundant_count; i++)
        assert_int_equal(answer->redundant[i].row, NODES - 1 + i);
    sw_result_free(result);
    assert_int_equal(sw_graph_reach(graph, SW_REACH_DEPENDENCIES, all, NODES, &result, NULL),
                     SW_OK);
    const sw_reach *reaches = sw_reaches(result, &rows);
    assert_int_equal(rows, NODES);
    for (int32_t node = 0; node < NODES; node++) {
        assert_int_equal(reaches[node].count, node);
        assert_false(bit(reaches[node].bits, node));
        assert_true(node == 0 || bit(reaches[node].bits, node - 1));
    }
    sw_result_free(result);
    sw_graph_free(graph);
}

/* Edges that leap over many blocks of ends: against a row of bits for each node. */
static void test_long_leaps(void **state)
{
    (void)state;
    enum { NODES = 2000, WORDS = (NODES + 63) / 64 };
    static uint64_t reached[NODES][WORDS];
    static int32_t from[3 * NODES], to[3 * NODES];
    static bool redundant[3 * NODES];
    size_t count = 0, found, expected = 0;
    /* From the last node back; the ends of each node ascend, so that a later edge is redundant if
     * an earlier one leads to its end. */
    for (int32_t node = NODES - 2; node >= 0; node--) {
        int32_t room = NODES - 1 - node, end = node;
        for (int i = 0; i < 3 && end < NODES - 1; i++) {
            end += 1 + (int32_t)graph_random((uint32_t)(i == 1 ? room : 1 + room / 50));
            if (end >= NODES)
                break;
            from[count] = node;
            to[count] = end;
            redundant[count] = bit(reached[node], end);
            expected += redundant[count++];
            for (size_t k = 0; k < WORDS; k++)
                reached[node][k] |= reached[end][k];
            reached[node][end / 64] |= UINT64_C(1) << (end % 64);
        }
    }
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    assert_int_equal(sw_graph_new(&options, NODES, from, to, count, &graph, NULL), SW_OK);
    assert_int_equal(sw_graph_reduce(graph, &result, NULL), SW_OK);
    const sw_graph_edge *edges = sw_graph_edges(result, &found);
    assert_int_equal(found, expected);
    assert_in_range(expected, NODES / 10, 2 * NODES);
    for (size_t i = 0; i < found; i++)
        assert_true(redundant[edges[i].row]);
    sw_result_free(result);
    sw_graph_free(graph);
}

static void test_bad_questions_are_refused(void **state)
{
    (void)state;
    graph_case set;
    sw_error err;
    sw_result *result = NULL;
    graph_case_init(&set, 3);
    graph_case_add(&set, 0, 1);
    graph_case_add(&set, 1, 2);
    graph_case_add(&set, 2, 0);
    sw_graph *graph = graph_case_open(&set, NULL);
    const int32_t nodes[] = {0, 3, -1};
    assert_int_equal(sw_graph_reach(graph, 0, nodes, 3, &result, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    assert_int_equal(sw_graph_common(graph, 1, nodes + 2, 1, &result, &err), SW_EINVAL);
    assert_int_equal(err.row, 0);
    assert_int_equal(sw_graph_reach(graph, 2, nodes, 1, &result, &err), SW_EINVAL);
    assert_int_equal(err.row, -1);
    assert_int_equal(sw_graph_reach(graph, 0, NULL, 1, &result, &err), SW_EINVAL);
    assert_int_equal(sw_graph_reduce(graph, &result, &err), SW_EDEFINITION);
    assert_non_null(strstr(err.message, "0 -> 1 -> 2 -> 0"));
    assert_null(result);
    sw_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_small_graph),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_a_long_braid),
        cmocka_unit_test(test_long_leaps),
        cmocka_unit_test(test_bad_questions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
