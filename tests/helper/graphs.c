/* Graphs for tests. */
#include "helper/graphs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t graph_random_state = 20240607;

uint32_t graph_random(uint32_t limit)
{
    graph_random_state ^= graph_random_state << 13;
    graph_random_state ^= graph_random_state >> 7;
    graph_random_state ^= graph_random_state << 17;
    return (uint32_t)(graph_random_state >> 33) % limit;
}

void graph_case_init(graph_case *set, int32_t nodes)
{
    memset(set, 0, sizeof(*set));
    set->nodes = nodes;
    for (int32_t node = 0; node < nodes; node++)
        set->duration[node] = 1;
}

void graph_case_add(graph_case *set, int32_t from, int32_t to)
{
    set->from[set->count] = from;
    set->to[set->count++] = to;
    set->edge[from][to] = true;
    for (int32_t a = 0; a < set->nodes; a++) {
        for (int32_t b = 0; b < set->nodes; b++) {
            bool before = a == from || set->reaches[a][from];
            bool behind = b == to || set->reaches[to][b];
            set->reaches[a][b] = set->reaches[a][b] || (before && behind);
        }
    }
}

bool graph_case_cyclic(const graph_case *set)
{
    for (int32_t node = 0; node < set->nodes; node++) {
        if (set->reaches[node][node])
            return true;
    }
    return false;
}

static void numbers_shuffle(int32_t *numbers, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        int32_t other = (int32_t)graph_random((uint32_t)i + 1);
        numbers[i] = numbers[other];
        numbers[other] = i;
    }
}

void graph_case_random(graph_case *set, int32_t most, bool acyclic)
{
    int32_t label[GRAPH_NODES_MOST], pair[GRAPH_NODES_MOST * GRAPH_NODES_MOST];
    graph_case_init(set, (int32_t)graph_random((uint32_t)most) + 1);
    uint32_t percent = 3 + graph_random(50);
    numbers_shuffle(label, set->nodes);
    numbers_shuffle(pair, set->nodes * set->nodes);
    for (int32_t i = 0; i < set->nodes * set->nodes; i++) {
        int32_t a = pair[i] / set->nodes, b = pair[i] % set->nodes;
        if ((acyclic ? a < b : a != b) && graph_random(100) < percent)
            graph_case_add(set, label[a], label[b]);
    }
    for (int32_t node = 0; node < set->nodes; node++)
        set->duration[node] = graph_random(10);
}

size_t graph_case_each(int32_t nodes, bool acyclic, void (*check)(const graph_case *set))
{
    size_t cases = 0;
    for (uint32_t bits = 0; bits < UINT32_C(1) << (nodes * (nodes - 1)); bits++) {
        graph_case set;
        uint32_t bit = 0;
        bool cyclic = false;
        graph_case_init(&set, nodes);
        for (int32_t pair = 0; pair < nodes * nodes && !(acyclic && cyclic); pair++) {
            int32_t from = pair / nodes, to = pair % nodes;
            if (from == to || !(bits >> bit++ & 1))
                continue;
            cyclic = cyclic || set.reaches[to][from];
            graph_case_add(&set, from, to);
        }
        if (acyclic && cyclic)
            continue;
        for (int32_t node = 0; node < nodes; node++)
            set.duration[node] = (int64_t)((bits >> node) % 4);
        check(&set);
        cases++;
    }
    return cases;
}

sw_graph *graph_case_open(const graph_case *set, const sw_env *env)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    sw_graph *graph = NULL;
    options.env = env;
    int code = sw_graph_new(&options, set->nodes, set->from, set->to, set->count, &graph, NULL);
    assert_true(code == SW_OK || (env && code == SW_ENOMEM));
    return graph;
}
