/* Edits of a graph: every insertion against brute force, batches that are all or nothing, and
 * what differs between two graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "helper/definitions.h"
#include "helper/graphs.h"

static void assert_order_kept(const graph_case *set, const sw_graph_edit *edit, int32_t *order)
{
    int32_t place[GRAPH_NODES_MOST];
    memset(place, -1, sizeof(place));
    assert_int_equal(sw_graph_edit_order(edit, order, NULL), SW_OK);
    for (int32_t i = 0; i < set->nodes; i++) {
        assert_int_equal(place[order[i]], -1);
        place[order[i]] = i;
    }
    for (size_t i = 0; i < set->count; i++)
        assert_true(place[set->from[i]] < place[set->to[i]]);
}

/* The same arrays as a graph made at once. */
static void assert_finished(const graph_case *set, const sw_graph_edit *edit)
{
    sw_graph *grown = NULL, *made = graph_case_open(set, NULL);
    sw_graph_view a = SW_GRAPH_VIEW_INIT, b = SW_GRAPH_VIEW_INIT;
    assert_int_equal(sw_graph_edit_finish(edit, &grown, NULL), SW_OK);
    assert_int_equal(sw_graph_view_get(grown, &a, NULL), SW_OK);
    assert_int_equal(sw_graph_view_get(made, &b, NULL), SW_OK);
    size_t starts = ((size_t)set->nodes + 1) * sizeof(int32_t), edges = set->count * 4;
    assert_int_equal(a.node_count, b.node_count);
    assert_int_equal(a.edge_count, b.edge_count);
    assert_memory_equal(a.out_start, b.out_start, starts);
    assert_memory_equal(a.out_node, b.out_node, edges);
    assert_memory_equal(a.out_row, b.out_row, edges);
    assert_memory_equal(a.in_node, b.in_node, edges);
    sw_graph_free(grown);
    sw_graph_free(made);
}

/* A cycle that the message spells out, edge by edge: "0 -> 3 -> 0". */
static void assert_cycle_named(const graph_case *set, const char *message, int32_t from, int32_t to)
{
    const char *at = strstr(message, "cycle: ");
    assert_non_null(at);
    at += strlen("cycle: ");
    int32_t first = (int32_t)strtol(at, (char **)(uintptr_t)&at, 10), last = first;
    assert_int_equal(first, to);
    while (strncmp(at, " -> ", 4) == 0) {
        int32_t next = (int32_t)strtol(at + 4, (char **)(uintptr_t)&at, 10);
        assert_true(set->edge[last][next] || (last == from && next == to));
        last = next;
    }
    assert_string_equal(at, "");
    assert_int_equal(last, first);
}

static void insert_one(graph_case *set, sw_graph_edit *edit, int32_t *order)
{
    sw_error err;
    int32_t from = (int32_t)graph_random((uint32_t)set->nodes), before[GRAPH_NODES_MOST];
    int32_t to = (int32_t)graph_random((uint32_t)set->nodes);
    memcpy(before, order, sizeof(before));
    int code = sw_graph_edit_insert(edit, 0, NULL, &from, &to, 1, &err);
    if (from == to || set->edge[from][to]) {
        assert_int_equal(code, SW_EINVAL);
    } else if (set->reaches[to][from]) {
        assert_int_equal(code, SW_EDEFINITION);
        assert_cycle_named(set, err.message, from, to);
    } else {
        assert_int_equal(code, SW_OK);
        graph_case_add(set, from, to);
    }
    assert_order_kept(set, edit, order);
    if (code < 0) {
        assert_int_equal(err.row, 0);
        assert_memory_equal(order, before, (size_t)set->nodes * sizeof(int32_t));
    }
}

static void test_random_insertions(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        graph_case set;
        int32_t order[GRAPH_NODES_MOST] = {0};
        sw_graph_edit *edit = NULL;
        graph_case_random(&set, GRAPH_NODES_MOST - 4, true);
        sw_graph *graph = graph_case_open(&set, NULL);
        assert_int_equal(sw_graph_edit_new(graph, &edit, NULL), SW_OK);
        sw_graph_free(graph); /* the edit holds it */
        assert_order_kept(&set, edit, order);
        for (int i = 0; i < 12; i++) {
            if (set.nodes < GRAPH_NODES_MOST && graph_random(4) == 0) {
                assert_int_equal(sw_graph_edit_insert(edit, 1, NULL, NULL, NULL, 0, NULL), SW_OK);
                set.nodes++;
                assert_order_kept(&set, edit, order);
            }
            insert_one(&set, edit, order);
        }
        assert_finished(&set, edit);
        sw_graph_edit_free(edit);
    }
}

/* A batch with one bad edge somewhere leaves everything as it was. */
static void test_a_batch_is_all_or_nothing(void **state)
{
    (void)state;
    int refused = 0;
    for (int round = 0; round < 3000; round++) {
        graph_case set, grown;
        int32_t from[6], to[6], before[GRAPH_NODES_MOST], order[GRAPH_NODES_MOST];
        sw_graph_edit *edit = NULL;
        sw_error err;
        graph_case_random(&set, GRAPH_NODES_MOST - 4, true);
        sw_graph *graph = graph_case_open(&set, NULL);
        assert_int_equal(sw_graph_edit_new(graph, &edit, NULL), SW_OK);
        assert_order_kept(&set, edit, before);
        grown = set;
        grown.nodes += 2;
        int64_t bad = -1;
        for (int i = 0; i < 6; i++) {
            from[i] = (int32_t)graph_random((uint32_t)grown.nodes);
            to[i] = (int32_t)graph_random((uint32_t)grown.nodes);
            if (bad >= 0)
                continue;
            if (from[i] == to[i] || grown.edge[from[i]][to[i]] || grown.reaches[to[i]][from[i]])
                bad = i;
            else
                graph_case_add(&grown, from[i], to[i]);
        }
        int code = sw_graph_edit_insert(edit, 2, NULL, from, to, 6, &err);
        assert_int_equal(code == SW_OK, bad < 0);
        assert_int_equal(err.row, bad);
        refused += bad >= 0;
        if (bad >= 0) {
            assert_order_kept(&set, edit, order);
            assert_memory_equal(order, before, (size_t)set.nodes * sizeof(int32_t));
        }
        assert_finished(bad < 0 ? &grown : &set, edit);
        sw_graph_edit_free(edit);
        sw_graph_free(graph);
    }
    assert_in_range(refused, 500, 2990);
}

static sw_graph *two_names(void)
{
    const sw_str from = sw__str("a"), to = sw__str("b");
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    assert_int_equal(sw_graph_new_named(&options, NULL, 0, &from, &to, 1, &graph, NULL), SW_OK);
    return graph;
}

static void test_names_of_new_nodes(void **state)
{
    (void)state;
    const sw_str fresh[] = {sw__str("c"), sw__str("d")}, taken[] = {sw__str("e"), sw__str("b")};
    const sw_str twice[] = {sw__str("e"), sw__str("e")};
    const int32_t from[] = {1, 2, 3}, to[] = {2, 3, 0};
    sw_error err;
    sw_graph *graph = two_names(), *grown = NULL;
    sw_graph_edit *edit = NULL;
    assert_int_equal(sw_graph_edit_new(graph, &edit, &err), SW_OK);
    /* The third edge closes a cycle, which names old and new nodes; then the names are free. */
    assert_int_equal(sw_graph_edit_insert(edit, 2, fresh, from, to, 3, &err), SW_EDEFINITION);
    assert_int_equal(err.row, 2);
    assert_string_equal(err.message, "edge 2 closes a cycle: a -> b -> c -> d -> a");
    assert_int_equal(sw_graph_edit_insert(edit, 2, fresh, from, to, 2, &err), SW_OK);
    assert_int_equal(sw_graph_edit_insert(edit, 2, taken, NULL, NULL, 0, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    assert_int_equal(sw_graph_edit_insert(edit, 2, twice, NULL, NULL, 0, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    assert_int_equal(sw_graph_edit_insert(edit, 1, fresh, NULL, NULL, 0, &err), SW_EINVAL);
    assert_int_equal(err.row, 0);
    assert_int_equal(sw_graph_edit_insert(edit, 1, NULL, &from[0], &from[1], 1, &err), SW_EINVAL);
    assert_string_equal(err.message, "edge 0 from \"b\" to \"c\" is there already");
    assert_int_equal(sw_graph_edit_insert(edit, 1, NULL, NULL, NULL, 0, &err), SW_OK);
    assert_int_equal(sw_graph_edit_insert(edit, 0, NULL, from, (int32_t[]){5}, 1, &err), SW_EINVAL);
    assert_int_equal(sw_graph_edit_insert(edit, -1, NULL, NULL, NULL, 0, &err), SW_EINVAL);
    assert_int_equal(sw_graph_edit_insert(edit, INT32_MAX - 5, NULL, NULL, NULL, 0, &err),
                     SW_ELIMIT);
    assert_int_equal(sw_graph_edit_finish(edit, &grown, &err), SW_OK);
    assert_int_equal(sw_graph_find(grown, sw__str("d")), 3);
    assert_true(sw__str_is(sw_graph_name(grown, 1), "b"));
    assert_null(sw_graph_name(grown, 4).ptr);
    sw_graph_free(grown);
    sw_graph_edit_free(edit);
    sw_graph_edit_free(NULL);
    sw_graph_free(graph);
}

static void test_a_graph_with_a_cycle_is_not_edited(void **state)
{
    (void)state;
    graph_case set;
    sw_error err;
    sw_graph_edit *edit = NULL;
    graph_case_init(&set, 2);
    graph_case_add(&set, 0, 1);
    graph_case_add(&set, 1, 0);
    sw_graph *graph = graph_case_open(&set, NULL);
    assert_int_equal(sw_graph_edit_new(graph, &edit, &err), SW_EDEFINITION);
    assert_null(edit);
    sw_graph_free(graph);
}

/* Insert every edge of a random graph into one without edges: as many as the order allows. */
static void test_many_insertions(void **state)
{
    (void)state;
    enum { NODES = 3000 };
    graph_case none;
    sw_graph_edit *edit = NULL;
    static int32_t label[NODES], order[NODES], place[NODES];
    int32_t added = 0, from[4 * NODES], to[4 * NODES];
    graph_case_init(&none, 0);
    sw_graph *graph = graph_case_open(&none, NULL);
    assert_int_equal(sw_graph_edit_new(graph, &edit, NULL), SW_OK);
    assert_int_equal(sw_graph_edit_insert(edit, NODES, NULL, NULL, NULL, 0, NULL), SW_OK);
    for (int32_t i = 0; i < NODES; i++) {
        int32_t other = (int32_t)graph_random((uint32_t)i + 1);
        label[i] = label[other];
        label[other] = i;
    }
    for (int32_t i = 0; i < 4 * NODES; i++) {
        int32_t a = (int32_t)graph_random(NODES), b = (int32_t)graph_random(NODES);
        from[added] = label[a < b ? a : b];
        to[added] = label[a < b ? b : a];
        added += sw_graph_edit_insert(edit, 0, NULL, &from[added], &to[added], 1, NULL) == SW_OK;
    }
    assert_int_equal(sw_graph_edit_order(edit, order, NULL), SW_OK);
    for (int32_t i = 0; i < NODES; i++)
        place[order[i]] = i;
    for (int32_t i = 0; i < added; i++)
        assert_true(place[from[i]] < place[to[i]]);
    assert_in_range(added, 3 * NODES, 4 * NODES);
    sw_graph_edit_free(edit);
    sw_graph_free(graph);
}

/* A random named graph: some of 12 names, edges among them. */
static sw_graph *named_random(bool there[12], bool edge[12][12], int32_t number[12])
{
    static const char letters[] = "abcdefghijkl";
    sw_str names[12], from[144], to[144];
    size_t count = 0, edges = 0;
    for (int i = 0; i < 12; i++) {
        there[i] = graph_random(4) > 0;
        number[i] = there[i] ? (int32_t)count : -1;
        if (there[i])
            names[count++] = (sw_str){&letters[i], 1};
    }
    for (int a = 0; a < 12; a++) {
        for (int b = 0; b < 12; b++) {
            edge[a][b] = a < b && there[a] && there[b] && graph_random(3) == 0;
            if (!edge[a][b])
                continue;
            from[edges] = (sw_str){&letters[a], 1};
            to[edges++] = (sw_str){&letters[b], 1};
        }
    }
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    assert_int_equal(sw_graph_new_named(&options, names, count, from, to, edges, &graph, NULL),
                     SW_OK);
    return graph;
}

/* Making the edits to what was there before gives what is there after, and no edit is idle. */
static void test_differences_lead_from_one_to_the_other(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        bool there[2][12], edge[2][12][12];
        int32_t number[2][12], last = 0;
        sw_graph *before = named_random(there[0], edge[0], number[0]);
        sw_graph *after = named_random(there[1], edge[1], number[1]);
        sw_result *result = NULL;
        size_t count;
        assert_int_equal(sw_graph_diff(before, after, &result, NULL), SW_OK);
        const sw_change *changes = sw_changes(result, &count);
        for (size_t i = 0; i < count; i++) {
            const sw_change *row = &changes[i];
            int name = row->name.ptr[0] - 'a';
            int from = row->name_from.ptr ? row->name_from.ptr[0] - 'a' : -1;
            assert_int_equal(row->before, number[0][name]);
            assert_int_equal(row->after, number[1][name]);
            bool *thing = from < 0 ? &there[0][name] : &edge[0][from][name];
            bool adds = row->kind == SW_CHANGE_NODE_ADDED || row->kind == SW_CHANGE_EDGE_ADDED;
            assert_int_equal(*thing, !adds);
            *thing = adds;
            /* nodes first, removed before added */
            static const int32_t turn[] = {2, 0, 1, 4, 3};
            assert_true(turn[row->kind] >= last);
            last = turn[row->kind];
        }
        assert_memory_equal(there[0], there[1], sizeof(there[0]));
        assert_memory_equal(edge[0], edge[1], sizeof(edge[0]));
        sw_graph_free(before);
        sw_graph_free(after); /* the names in the result are copies */
        sw_result_free(result);
    }
}

static void test_workflows_as_graphs(void **state)
{
    (void)state;
    sw_workflow *before =
        definition_load("{\"stepwell\":1,\"name\":\"w\",\"steps\":["
                        "{\"name\":\"a\",\"handler\":\"a.b\"},"
                        "{\"name\":\"b\",\"handler\":\"a.b\",\"after\":[\"a\"]},"
                        "{\"name\":\"c\",\"handler\":\"a.b\",\"after\":[\"a\",\"b\"]}]}");
    sw_workflow *after =
        definition_load("{\"stepwell\":1,\"name\":\"w\",\"steps\":["
                        "{\"name\":\"a\",\"handler\":\"noop\",\"priority\":3},"
                        "{\"name\":\"c\",\"handler\":\"a.b\",\"after\":[\"a\"]},"
                        "{\"name\":\"d\",\"handler\":\"a.b\",\"after\":[\"c\"]}]}");
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    sw_graph_view view = SW_GRAPH_VIEW_INIT;
    size_t count;
    assert_int_equal(sw_graph_new_workflow(&options, before, &graph, NULL), SW_OK);
    assert_int_equal(sw_graph_view_get(graph, &view, NULL), SW_OK);
    assert_int_equal(view.edge_count, 3);
    assert_memory_equal(view.out_row, ((int32_t[]){0, 1, 2}), 3 * sizeof(int32_t));
    assert_int_equal(sw_graph_find(graph, sw__str("c")), 2);
    assert_int_equal(sw_graph_reduce(graph, &result, NULL), SW_OK);
    assert_int_equal(sw_graph_edges(result, &count)->row, 1);
    assert_int_equal(count, 1);
    sw_result_free(result);
    sw_graph_free(graph);

    assert_int_equal(sw_workflow_diff(before, after, &result, NULL), SW_OK);
    const sw_change *rows = sw_changes(result, &count);
    static const struct {
        int32_t kind;
        const char *name;
    } expected[] = {{SW_CHANGE_NODE_REMOVED, "b"}, {SW_CHANGE_NODE_CHANGED, "a"},
                    {SW_CHANGE_NODE_ADDED, "d"},   {SW_CHANGE_EDGE_REMOVED, "b"},
                    {SW_CHANGE_EDGE_REMOVED, "c"}, {SW_CHANGE_EDGE_ADDED, "d"}};
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].kind, expected[i].kind);
        assert_true(sw__str_is(rows[i].name, expected[i].name));
    }
    assert_int_equal(rows[1].fields, SW_CHANGE_IN_HANDLER | SW_CHANGE_IN_PRIORITY);
    sw_result_free(result);
    assert_int_equal(sw_workflow_diff(before, before, &result, NULL), SW_OK);
    sw_changes(result, &count);
    assert_int_equal(count, 0);
    sw_result_free(result);
    sw_workflow_free(before);
    sw_workflow_free(after);
}

/* Rules, and how many lost attempts a step may have, are part of what a step says. */
static void test_changes_of_rules_are_told(void **state)
{
    (void)state;
    size_t count;
    sw_result *result = NULL;
    sw_workflow *before = definition_load(
        "{stepwell: 1, name: w, steps: [{name: a, handler: x.a}, "
        "{name: b, handler: x.b, after: [a]}, {name: c, handler: x.c, after: [a]}]}");
    sw_workflow *after = definition_load(
        "{stepwell: 1, name: w, steps: [{name: a, handler: x.a, retry: {max_crashes: 0}}, "
        "{name: b, handler: x.b, after: [a], trigger: all_done}, "
        "{name: c, handler: x.c, after: [a], trigger: {quorum: 1}}]}");
    assert_int_equal(sw_workflow_diff(before, after, &result, NULL), SW_OK);
    const sw_change *rows = sw_changes(result, &count);
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].fields, SW_CHANGE_IN_RETRY);
    assert_int_equal(rows[1].fields, SW_CHANGE_IN_TRIGGER);
    assert_int_equal(rows[2].fields, SW_CHANGE_IN_TRIGGER);
    sw_result_free(result);
    sw_workflow_free(before);
    sw_workflow_free(after);
}

static void test_graphs_without_names_are_not_compared(void **state)
{
    (void)state;
    graph_case set;
    sw_error err;
    sw_result *result = NULL;
    graph_case_init(&set, 2);
    sw_graph *numbered = graph_case_open(&set, NULL), *named = two_names();
    assert_int_equal(sw_graph_diff(named, numbered, &result, &err), SW_EINVAL);
    assert_int_equal(sw_graph_diff(numbered, named, &result, &err), SW_EINVAL);
    assert_int_equal(sw_graph_diff(NULL, named, &result, &err), SW_EINVAL);
    assert_null(result);
    sw_graph_free(numbered);
    sw_graph_free(named);
}

static void test_a_graph_of_nothing_is_compared(void **state)
{
    (void)state;
    size_t count;
    graph_case set;
    sw_result *result = NULL;
    graph_case_init(&set, 0);
    sw_graph *empty = graph_case_open(&set, NULL), *named = two_names();
    assert_int_equal(sw_graph_diff(empty, empty, &result, NULL), SW_OK);
    sw_changes(result, &count);
    assert_int_equal(count, 0);
    sw_result_free(result);
    assert_int_equal(sw_graph_diff(empty, named, &result, NULL), SW_OK);
    const sw_change *rows = sw_changes(result, &count);
    assert_true(count >= 2);
    assert_int_equal(rows[0].kind, SW_CHANGE_NODE_ADDED);
    sw_result_free(result);
    assert_int_equal(sw_graph_diff(named, empty, &result, NULL), SW_OK);
    rows = sw_changes(result, &count);
    assert_int_equal(rows[0].kind, SW_CHANGE_NODE_REMOVED);
    sw_result_free(result);
    sw_graph_free(empty);
    sw_graph_free(named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_insertions),
        cmocka_unit_test(test_a_batch_is_all_or_nothing),
        cmocka_unit_test(test_names_of_new_nodes),
        cmocka_unit_test(test_a_graph_with_a_cycle_is_not_edited),
        cmocka_unit_test(test_many_insertions),
        cmocka_unit_test(test_differences_lead_from_one_to_the_other),
        cmocka_unit_test(test_workflows_as_graphs),
        cmocka_unit_test(test_changes_of_rules_are_told),
        cmocka_unit_test(test_graphs_without_names_are_not_compared),
        cmocka_unit_test(test_a_graph_of_nothing_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
