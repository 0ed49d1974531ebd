/* Graphs: every graph of up to four nodes and many random ones against slow, obvious references. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "graph/graph.h"

#define NODES_MOST 16

typedef struct edges {
    int32_t from[NODES_MOST * NODES_MOST];
    int32_t to[NODES_MOST * NODES_MOST];
    size_t count;
    int32_t nodes;
} edges;

static uint64_t random_state = 20240607;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % limit;
}

static bool edge_is(const edges *set, int32_t from, int32_t to)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->from[i] == from && set->to[i] == to)
            return true;
    }
    return false;
}

static void edge_add(edges *set, int32_t from, int32_t to)
{
    set->from[set->count] = from;
    set->to[set->count++] = to;
}

/* Place, again and again, the best node of which every predecessor is placed. Returns how many
 * were placed: fewer than there are means a cycle. */
static int32_t reference_order(const edges *set, const int32_t *priority, int32_t *order)
{
    bool placed[NODES_MOST] = {false};
    int32_t count = 0;
    for (;;) {
        int32_t best = -1;
        for (int32_t node = 0; node < set->nodes; node++) {
            bool free = !placed[node];
            for (size_t i = 0; i < set->count; i++) {
                if (set->to[i] == node && !placed[set->from[i]])
                    free = false;
            }
            if (free && (best < 0 || priority[node] > priority[best]))
                best = node;
        }
        if (best < 0)
            return count;
        placed[best] = true;
        order[count++] = best;
    }
}

/* Longest way from a root, by trying every edge as often as there are nodes. */
static void reference_levels(const edges *set, int32_t *levels)
{
    memset(levels, 0, sizeof(int32_t) * (size_t)set->nodes);
    for (int32_t round = 0; round < set->nodes; round++) {
        for (size_t i = 0; i < set->count; i++) {
            if (levels[set->to[i]] < levels[set->from[i]] + 1)
                levels[set->to[i]] = levels[set->from[i]] + 1;
        }
    }
}

/* Length of a shortest cycle through node, by matrix powers of reachability. */
static int32_t reference_girth(const edges *set, int32_t node)
{
    bool reached[NODES_MOST] = {false};
    reached[node] = true;
    for (int32_t length = 1; length <= set->nodes; length++) {
        bool next[NODES_MOST] = {false};
        for (size_t i = 0; i < set->count; i++) {
            if (reached[set->from[i]])
                next[set->to[i]] = true;
        }
        if (next[node])
            return length;
        memcpy(reached, next, sizeof(next));
    }
    return INT32_MAX;
}

static void assert_cycle(const edges *set, const int32_t *cycle, int32_t count)
{
    bool seen[NODES_MOST] = {false}, shortest = false;
    assert_true(count >= 2);
    for (int32_t i = 0; i < count; i++) {
        assert_false(seen[cycle[i]]);
        seen[cycle[i]] = true;
        assert_true(edge_is(set, cycle[i], cycle[(i + 1) % count]));
        assert_true(cycle[i] >= cycle[0]);
        shortest = shortest || reference_girth(set, cycle[i]) == count;
    }
    assert_true(shortest);
}

static void assert_graph(sw__arena *arena, const edges *set, const int32_t *priority)
{
    sw__graph graph;
    int32_t order[NODES_MOST], expected[NODES_MOST], levels[NODES_MOST], *cycle, cycle_count;
    assert_int_equal(
        sw__graph_build(arena, set->nodes, set->from, set->to, set->count, &graph, NULL), SW_OK);
    int code = sw__graph_order(arena, &graph, priority, order, &cycle, &cycle_count);
    if (reference_order(set, priority, expected) < set->nodes) {
        assert_int_equal(code, SW_EDEFINITION);
        assert_cycle(set, cycle, cycle_count);
        return;
    }
    assert_int_equal(code, SW_OK);
    assert_null(cycle);
    assert_memory_equal(order, expected, sizeof(int32_t) * (size_t)set->nodes);
    sw__graph_levels(&graph, order, levels);
    reference_levels(set, expected);
    assert_memory_equal(levels, expected, sizeof(int32_t) * (size_t)set->nodes);
}

static void test_every_graph_of_up_to_four_nodes(void **state)
{
    (void)state;
    static const int32_t priority[] = {0, 1, 0, 1};
    size_t cases = 0;
    for (int32_t nodes = 1; nodes <= 4; nodes++) {
        for (uint32_t bits = 0; bits < 1u << (nodes * (nodes - 1)); bits++, cases++) {
            edges set = {.nodes = nodes};
            uint32_t bit = 0;
            for (int32_t from = 0; from < nodes; from++) {
                for (int32_t to = 0; to < nodes; to++) {
                    if (from != to && (bits >> bit++ & 1))
                        edge_add(&set, from, to);
                }
            }
            sw__arena *arena = sw__arena_new(sw_env_system());
            assert_graph(arena, &set, priority);
            sw__arena_free(arena);
        }
    }
    assert_int_equal(cases, 1 + 4 + 64 + 4096);
}

static void set_random(edges *set, uint32_t edge_percent, bool acyclic)
{
    *set = (edges){.nodes = (int32_t)random_below(NODES_MOST - 1) + 2};
    int32_t label[NODES_MOST];
    for (int32_t i = 0; i < set->nodes; i++) {
        int32_t other = (int32_t)random_below((uint32_t)i + 1);
        label[i] = label[other];
        label[other] = i;
    }
    for (int32_t i = 0; i < set->nodes; i++) {
        for (int32_t k = 0; k < set->nodes; k++) {
            if ((acyclic ? i < k : i != k) && random_below(100) < edge_percent)
                edge_add(set, label[i], label[k]);
        }
    }
}

static void test_random_graphs(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        edges set;
        int32_t priority[NODES_MOST];
        set_random(&set, 5 + random_below(40), round % 2 == 0);
        for (int32_t i = 0; i < set.nodes; i++)
            priority[i] = (int32_t)random_below(3) * 40000 - 40000;
        sw__arena *arena = sw__arena_new(sw_env_system());
        assert_graph(arena, &set, priority);
        sw__arena_free(arena);
    }
}

/* The order of the edge list decides nothing, and renaming the nodes renames the levels. */
static void test_edge_order_and_labels_do_not_matter(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        edges set;
        set_random(&set, 30, true);
        edges turned = {.nodes = set.nodes};
        for (size_t i = set.count; i > 0; i--)
            edge_add(&turned, set.from[i - 1], set.to[i - 1]);
        edges renamed = {.nodes = set.nodes};
        for (size_t i = 0; i < set.count; i++)
            edge_add(&renamed, set.nodes - 1 - set.from[i], set.nodes - 1 - set.to[i]);

        const edges *sets[] = {&set, &turned, &renamed};
        int32_t order[3][NODES_MOST], levels[3][NODES_MOST], *cycle, cycle_count;
        sw__arena *arena = sw__arena_new(sw_env_system());
        for (int i = 0; i < 3; i++) {
            sw__graph graph;
            assert_int_equal(sw__graph_build(arena, set.nodes, sets[i]->from, sets[i]->to,
                                             sets[i]->count, &graph, NULL),
                             SW_OK);
            assert_int_equal(sw__graph_order(arena, &graph, NULL, order[i], &cycle, &cycle_count),
                             SW_OK);
            sw__graph_levels(&graph, order[i], levels[i]);
        }
        assert_memory_equal(order[0], order[1], sizeof(int32_t) * (size_t)set.nodes);
        for (int32_t node = 0; node < set.nodes; node++)
            assert_int_equal(levels[0][node], levels[2][set.nodes - 1 - node]);
        sw__arena_free(arena);
    }
}

static void test_neighbours_keep_the_order_of_the_edges(void **state)
{
    (void)state;
    static const int32_t from[] = {2, 0, 1, 0, 2}, to[] = {3, 3, 3, 2, 1};
    sw__graph graph;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__graph_build(arena, 4, from, to, 5, &graph, NULL), SW_OK);
    static const int32_t out_start[] = {0, 2, 3, 5, 5}, out_node[] = {3, 2, 3, 3, 1};
    static const int32_t in_start[] = {0, 0, 1, 2, 5}, in_node[] = {2, 0, 2, 0, 1};
    assert_memory_equal(graph.out_start, out_start, sizeof(out_start));
    assert_memory_equal(graph.out_node, out_node, sizeof(out_node));
    assert_memory_equal(graph.in_start, in_start, sizeof(in_start));
    assert_memory_equal(graph.in_node, in_node, sizeof(in_node));
    sw__arena_free(arena);
}

static void assert_refused(int32_t nodes, const int32_t *from, const int32_t *to, size_t count,
                           int64_t row)
{
    sw__graph graph;
    sw_error err = {0};
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__graph_build(arena, nodes, from, to, count, &graph, &err), SW_EINVAL);
    assert_int_equal(err.row, row);
    assert_int_equal(graph.node_count, 0);
    sw__arena_free(arena);
}

static void test_bad_edges_are_refused_with_their_row(void **state)
{
    (void)state;
    assert_refused(3, (int32_t[]){0, 1}, (int32_t[]){1, 1}, 2, 1);
    assert_refused(3, (int32_t[]){0, 3}, (int32_t[]){1, 1}, 2, 1);
    assert_refused(3, (int32_t[]){0, -1}, (int32_t[]){1, 1}, 2, 1);
    assert_refused(3, (int32_t[]){0, 1}, (int32_t[]){1, 3}, 2, 1);
    assert_refused(3, (int32_t[]){0, 1}, (int32_t[]){1, -1}, 2, 1);
    /* Two pairs are repeated; the first repetition in the list is named. */
    assert_refused(3, (int32_t[]){0, 1, 1, 0}, (int32_t[]){1, 2, 2, 1}, 4, 2);
    assert_refused(-1, NULL, NULL, 0, -1);
}

static void test_more_edges_than_fit_are_refused(void **state)
{
    (void)state;
    sw__graph graph;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__graph_build(arena, 2, NULL, NULL, (size_t)INT32_MAX, &graph, NULL),
                     SW_ELIMIT);
    assert_int_equal(sw__graph_build(arena, INT32_MAX, NULL, NULL, 0, &graph, NULL), SW_ELIMIT);
    sw__arena_free(arena);
}

static void test_no_nodes_and_no_edges(void **state)
{
    (void)state;
    sw__graph graph;
    int32_t order[3], levels[3], *cycle, cycle_count;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__graph_build(arena, 0, NULL, NULL, 0, &graph, NULL), SW_OK);
    assert_int_equal(sw__graph_order(arena, &graph, NULL, order, &cycle, &cycle_count), SW_OK);
    assert_int_equal(sw__graph_build(arena, 3, NULL, NULL, 0, &graph, NULL), SW_OK);
    assert_int_equal(sw__graph_order(arena, &graph, (int32_t[]){INT32_MIN, 0, INT32_MAX}, order,
                                     &cycle, &cycle_count),
                     SW_OK);
    assert_memory_equal(order, ((int32_t[]){2, 1, 0}), sizeof(order));
    sw__graph_levels(&graph, order, levels);
    assert_memory_equal(levels, ((int32_t[]){0, 0, 0}), sizeof(levels));
    sw__arena_free(arena);
}

/* A chain as long as a workflow may be, closed into a ring: no recursion, linear time. */
static void test_the_longest_chain(void **state)
{
    (void)state;
    sw__arena *arena = sw__arena_new(sw_env_system());
    int32_t *from = sw__arena_array(arena, SW__STEPS_MAX, sizeof(int32_t));
    int32_t *to = sw__arena_array(arena, SW__STEPS_MAX, sizeof(int32_t));
    int32_t *order = sw__arena_array(arena, SW__STEPS_MAX, sizeof(int32_t));
    for (int32_t i = 0; i < SW__STEPS_MAX; i++) {
        from[i] = i;
        to[i] = (i + 1) % SW__STEPS_MAX;
    }
    sw__graph graph;
    int32_t *cycle, cycle_count;
    assert_int_equal(
        sw__graph_build(arena, SW__STEPS_MAX, from, to, SW__STEPS_MAX - 1, &graph, NULL), SW_OK);
    assert_int_equal(sw__graph_order(arena, &graph, NULL, order, &cycle, &cycle_count), SW_OK);
    sw__graph_levels(&graph, order, from);
    assert_int_equal(from[SW__STEPS_MAX - 1], SW__STEPS_MAX - 1);

    for (int32_t i = 0; i < SW__STEPS_MAX; i++)
        from[i] = i;
    assert_int_equal(sw__graph_build(arena, SW__STEPS_MAX, from, to, SW__STEPS_MAX, &graph, NULL),
                     SW_OK);
    assert_int_equal(sw__graph_order(arena, &graph, NULL, order, &cycle, &cycle_count),
                     SW_EDEFINITION);
    assert_int_equal(cycle_count, SW__STEPS_MAX);
    assert_int_equal(cycle[0], 0);
    sw__arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_graph_of_up_to_four_nodes),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_edge_order_and_labels_do_not_matter),
        cmocka_unit_test(test_neighbours_keep_the_order_of_the_edges),
        cmocka_unit_test(test_bad_edges_are_refused_with_their_row),
        cmocka_unit_test(test_more_edges_than_fit_are_refused),
        cmocka_unit_test(test_no_nodes_and_no_edges),
        cmocka_unit_test(test_the_longest_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
