/* Longest paths, slack, bottlenecks and schedules, against brute force on every small graph and
 * many random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "helper/graphs.h"

/* What the critical path method says, by trying every edge as often as there are nodes. */
typedef struct reference {
    int64_t start[GRAPH_NODES_MOST];
    int64_t late[GRAPH_NODES_MOST]; /* latest start */
    int64_t span;
    int64_t work;
} reference;

static void reference_times(const graph_case *set, reference *times)
{
    memset(times, 0, sizeof(*times));
    for (int32_t round = 0; round < set->nodes; round++) {
        for (size_t i = 0; i < set->count; i++) {
            int64_t ends = times->start[set->from[i]] + set->duration[set->from[i]];
            if (times->start[set->to[i]] < ends)
                times->start[set->to[i]] = ends;
        }
    }
    for (int32_t node = 0; node < set->nodes; node++) {
        times->work += set->duration[node];
        if (times->start[node] + set->duration[node] > times->span)
            times->span = times->start[node] + set->duration[node];
    }
    for (int32_t node = 0; node < set->nodes; node++)
        times->late[node] = times->span - set->duration[node];
    for (int32_t round = 0; round < set->nodes; round++) {
        for (size_t i = 0; i < set->count; i++) {
            int64_t starts = times->late[set->to[i]] - set->duration[set->from[i]];
            if (times->late[set->from[i]] > starts)
                times->late[set->from[i]] = starts;
        }
    }
}

static int32_t dependents(const graph_case *set, int32_t node)
{
    int32_t count = 0;
    for (int32_t to = 0; to < set->nodes; to++)
        count += set->edge[node][to];
    return count;
}

static void assert_path(const graph_case *set, const sw_analysis *answer, const reference *times)
{
    int64_t sum = 0;
    const int32_t *path = answer->critical_path;
    assert_true(answer->critical_count > 0);
    for (int32_t i = 0; i < answer->critical_count; i++) {
        sum += set->duration[path[i]];
        assert_int_equal(answer->slack_us[path[i]], 0);
        if (i > 0)
            assert_true(set->edge[path[i - 1]][path[i]]);
    }
    assert_int_equal(sum, times->span);
    assert_int_equal(dependents(set, path[answer->critical_count - 1]), 0);
    for (int32_t node = 0; node < set->nodes; node++)
        assert_false(set->edge[node][path[0]]);
}

static void assert_floats(const graph_case *set, const sw_analysis *answer, const reference *times)
{
    for (int32_t node = 0; node < set->nodes; node++) {
        int64_t first = times->span;
        for (int32_t to = 0; to < set->nodes; to++) {
            if (set->edge[node][to] && times->start[to] < first)
                first = times->start[to];
        }
        assert_int_equal(answer->float_us[node], first - times->start[node] - set->duration[node]);
    }
}

static double reference_score(const graph_case *set, const reference *times, int32_t node)
{
    double span = (double)times->span;
    double slack = (double)(times->late[node] - times->start[node]);
    return (double)set->duration[node] / span * (1 - slack / span) *
           (1 + (double)dependents(set, node));
}

static void assert_bottlenecks(const graph_case *set, const sw_analysis *answer,
                               const reference *times, size_t most)
{
    bool listed[GRAPH_NODES_MOST] = {false};
    size_t with_time = 0;
    for (int32_t node = 0; node < set->nodes; node++)
        with_time += set->duration[node] > 0;
    assert_int_equal(answer->bottleneck_count, with_time < most ? with_time : most);
    for (size_t i = 0; i < answer->bottleneck_count; i++) {
        const sw_bottleneck *row = &answer->bottlenecks[i];
        assert_false(listed[row->node]);
        listed[row->node] = true;
        assert_int_equal(row->dependents, dependents(set, row->node));
        assert_int_equal(row->duration_us, set->duration[row->node]);
        assert_int_equal(row->slack_us, times->late[row->node] - times->start[row->node]);
        assert_true(fabs(row->score - reference_score(set, times, row->node)) < 1e-9);
        if (i > 0)
            assert_true(row[-1].score > row->score ||
                        (!(row[-1].score < row->score) && row[-1].node < row->node));
    }
    for (int32_t node = 0; node < set->nodes && answer->bottleneck_count > 0; node++) {
        if (!listed[node] && set->duration[node] > 0)
            assert_true(reference_score(set, times, node) <=
                        answer->bottlenecks[answer->bottleneck_count - 1].score + 1e-9);
    }
}

static void check_times(const graph_case *set)
{
    reference times;
    sw_result *result = NULL;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    options.parts = SW_ANALYSIS_SPAN | SW_ANALYSIS_TIME | SW_ANALYSIS_BOTTLENECKS;
    options.duration_us = set->duration;
    options.bottleneck_max = 4;
    sw_graph *graph = graph_case_open(set, NULL);
    assert_int_equal(sw_graph_analyze(graph, &options, &result, NULL), SW_OK);
    const sw_analysis *answer = sw_analyses(result, NULL);
    reference_times(set, &times);
    assert_int_equal(answer->parts, options.parts);
    assert_int_equal(answer->span_us, times.span);
    assert_int_equal(answer->work_us, times.work);
    for (int32_t node = 0; node < set->nodes; node++) {
        assert_int_equal(answer->earliest_us[node], times.start[node]);
        assert_int_equal(answer->latest_us[node], times.late[node]);
        assert_int_equal(answer->slack_us[node], times.late[node] - times.start[node]);
    }
    assert_path(set, answer, &times);
    assert_floats(set, answer, &times);
    assert_bottlenecks(set, answer, &times, 4);
    sw_result_free(result);
    sw_graph_free(graph);
}

/* Everything a schedule must keep to. */
static void assert_schedule(const graph_case *set, const sw_makespan_options *options,
                            const sw_graph_slot *slots, int64_t makespan)
{
    const sw_graph_slot *of[GRAPH_NODES_MOST] = {NULL};
    int64_t end = 0;
    for (int32_t i = 0; i < set->nodes; i++) {
        assert_null(of[slots[i].node]);
        of[slots[i].node] = &slots[i];
        assert_int_equal(slots[i].end_us - slots[i].start_us, set->duration[slots[i].node]);
        assert_true(i == 0 || slots[i - 1].start_us <= slots[i].start_us);
        assert_true(options->workers == 0 || slots[i].worker < options->workers);
        end = slots[i].end_us > end ? slots[i].end_us : end;
    }
    assert_int_equal(end, makespan);
    for (size_t i = 0; i < set->count; i++)
        assert_true(of[set->from[i]]->end_us <= of[set->to[i]]->start_us);
    for (int32_t i = 0; i < set->nodes; i++) {
        for (int32_t k = 0; k < i; k++)
            assert_true(slots[i].worker != slots[k].worker || slots[k].end_us <= slots[i].start_us);
    }
    for (size_t r = 0; r < options->resource_count; r++) {
        for (int32_t i = 0; i < set->nodes; i++) {
            int64_t taken = 0, now = slots[i].start_us;
            for (int32_t k = 0; k < set->nodes; k++) {
                if (slots[k].start_us <= now && now < slots[k].end_us)
                    taken += options->resources[r].demand[slots[k].node];
            }
            assert_true(taken <= options->resources[r].capacity);
        }
    }
}

/* The shortest of all schedules that never wait without need begins nodes at ends of others: try
 * every set of ready nodes at every event (bits of done and running nodes). */
static int64_t best_run(const graph_case *set, int32_t workers, uint32_t done, uint32_t running,
                        const int64_t *left, int64_t best)
{
    int32_t busy = __builtin_popcount(running);
    if (done == (UINT32_C(1) << set->nodes) - 1)
        return 0;
    int64_t found = best;
    for (int32_t node = 0; node < set->nodes && busy < workers; node++) {
        bool ready = !((done | running) >> node & 1);
        for (int32_t from = 0; from < set->nodes; from++)
            ready = ready && (!set->edge[from][node] || done >> from & 1);
        if (!ready)
            continue;
        int64_t with[GRAPH_NODES_MOST];
        memcpy(with, left, sizeof(with));
        with[node] = set->duration[node];
        int64_t took = best_run(set, workers, done, running | UINT32_C(1) << node, with, found);
        found = took < found ? took : found;
    }
    if (running) {
        int64_t step = INT64_MAX;
        for (int32_t node = 0; node < set->nodes; node++) {
            if (running >> node & 1 && left[node] < step)
                step = left[node];
        }
        int64_t after[GRAPH_NODES_MOST];
        memcpy(after, left, sizeof(after));
        for (int32_t node = 0; node < set->nodes; node++) {
            if (!(running >> node & 1))
                continue;
            after[node] -= step;
            if (after[node] == 0) {
                running &= ~(UINT32_C(1) << node);
                done |= UINT32_C(1) << node;
            }
        }
        int64_t took = step + best_run(set, workers, done, running, after, best);
        found = took < found ? took : found;
    }
    return found;
}

static void assert_makespan(const graph_case *set, const sw_makespan_options *options,
                            const sw_makespan *row, const sw_graph_slot *slots)
{
    reference times;
    reference_times(set, &times);
    assert_schedule(set, options, slots, row->makespan_us);
    assert_int_equal(row->work_us, times.work);
    assert_int_equal(row->bound_span_us, times.span);
    assert_true(row->bound_us <= row->makespan_us);
    assert_true(row->bound_us >= row->bound_span_us && row->bound_us >= row->bound_workers_us &&
                row->bound_us >= row->bound_resource_us);
    if (options->workers > 0)
        assert_int_equal(row->bound_workers_us,
                         (times.work + options->workers - 1) / options->workers);
    if (options->workers == 0 && options->resource_count == 0)
        assert_int_equal(row->makespan_us, times.span);
    if (options->workers == 1 || row->workers == 1)
        assert_int_equal(row->makespan_us, times.work);
    assert_true(row->used >= 0 && row->used <= 1 + 1e-9);
}

static void check_schedule(const graph_case *set, int32_t workers, size_t resource_count,
                           bool compare)
{
    int64_t demand[2][GRAPH_NODES_MOST];
    sw_graph_resource resources[2];
    sw_makespan_options options = SW_MAKESPAN_OPTIONS_INIT;
    for (size_t r = 0; r < resource_count; r++) {
        resources[r] = (sw_graph_resource){.capacity = 1 + graph_random(4), .demand = demand[r]};
        for (int32_t node = 0; node < set->nodes; node++)
            demand[r][node] = graph_random((uint32_t)resources[r].capacity + 1);
    }
    options.workers = workers;
    options.duration_us = set->duration;
    options.resources = resources;
    options.resource_count = resource_count;
    sw_result *result = NULL;
    size_t count;
    sw_graph *graph = graph_case_open(set, NULL);
    assert_int_equal(sw_graph_makespan(graph, &options, &result, NULL), SW_OK);
    const sw_makespan *row = sw_makespans(result, NULL);
    const sw_graph_slot *slots = sw_graph_slots(result, &count);
    assert_int_equal(count, set->nodes);
    assert_makespan(set, &options, row, slots);
    if (compare) {
        int64_t none[GRAPH_NODES_MOST] = {0};
        int64_t best = best_run(set, workers, 0, 0, none, INT64_MAX / 2);
        assert_true(row->bound_us <= best && best <= row->makespan_us);
        assert_true((double)row->makespan_us <= (2 - 1.0 / workers) * (double)best + 1e-9);
    }
    sw_result_free(result);
    sw_graph_free(graph);
}

static void check_small_schedule(const graph_case *set)
{
    for (int32_t workers = 0; workers <= 3; workers++)
        check_schedule(set, workers, 0, workers > 0);
}

static void test_times_of_every_small_graph(void **state)
{
    (void)state;
    size_t cases = 0;
    for (int32_t nodes = 1; nodes <= 5; nodes++)
        cases += graph_case_each(nodes, true, check_times);
    assert_int_equal(cases, 1 + 3 + 25 + 543 + 29281);
}

static void test_times_of_random_graphs(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        graph_case set;
        graph_case_random(&set, GRAPH_NODES_MOST, true);
        check_times(&set);
    }
}

static void test_schedules_of_every_small_graph(void **state)
{
    (void)state;
    for (int32_t nodes = 1; nodes <= 4; nodes++)
        graph_case_each(nodes, true, check_small_schedule);
}

static void test_schedules_of_random_graphs(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        graph_case set;
        graph_case_random(&set, GRAPH_NODES_MOST, true);
        check_schedule(&set, (int32_t)graph_random(6), graph_random(3), false);
    }
}

static int analyze(const graph_case *set, sw_analysis_options options, sw_error *err)
{
    sw_result *result = NULL;
    sw_graph *graph = graph_case_open(set, NULL);
    int code = sw_graph_analyze(graph, &options, &result, err);
    assert_true((code == SW_OK) == (result != NULL));
    sw_result_free(result);
    sw_graph_free(graph);
    return code;
}

static void test_bad_durations_are_refused_with_their_row(void **state)
{
    (void)state;
    graph_case set;
    sw_error err;
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    graph_case_init(&set, 3);
    options.duration_us = (int64_t[]){5, 0, -1};
    assert_int_equal(analyze(&set, options, &err), SW_EINVAL);
    assert_int_equal(err.row, 2);
    options.duration_us = (int64_t[]){INT64_MAX, 0, 1};
    assert_int_equal(analyze(&set, options, &err), SW_ELIMIT);
    assert_int_equal(err.row, 2);
    options.duration_us = (int64_t[]){INT64_MAX - 1, 0, 1};
    assert_int_equal(analyze(&set, options, &err), SW_OK);
    options.bottleneck_max = -1;
    assert_int_equal(analyze(&set, options, &err), SW_EINVAL);
    options.bottleneck_max = 0;
    options.parts = 1 << 20;
    assert_int_equal(analyze(&set, options, &err), SW_EINVAL);
    options.parts = 0;
    options.size = 4;
    assert_int_equal(analyze(&set, options, &err), SW_EINVAL);
}

static int makespan(const graph_case *set, sw_makespan_options options, sw_error *err)
{
    sw_result *result = NULL;
    sw_graph *graph = graph_case_open(set, NULL);
    int code = sw_graph_makespan(graph, &options, &result, err);
    assert_true((code == SW_OK) == (result != NULL));
    sw_result_free(result);
    sw_graph_free(graph);
    return code;
}

static void test_bad_resources_are_refused_with_their_row(void **state)
{
    (void)state;
    graph_case set;
    sw_error err;
    sw_makespan_options options = SW_MAKESPAN_OPTIONS_INIT;
    sw_graph_resource resources[] = {
        {.capacity = 2, .demand = (int64_t[]){0, 1, 2}},
        {.capacity = 1, .demand = (int64_t[]){0, 1, 2}},
    };
    graph_case_init(&set, 3);
    options.resources = resources;
    options.resource_count = 2;
    assert_int_equal(makespan(&set, options, &err), SW_EINVAL);
    assert_int_equal(err.row, 2);
    resources[1].demand = NULL;
    assert_int_equal(makespan(&set, options, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    resources[1] = (sw_graph_resource){.capacity = 0, .demand = (int64_t[]){0, 0, 0}};
    assert_int_equal(makespan(&set, options, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    resources[1] =
        (sw_graph_resource){.capacity = INT64_MAX, .demand = (int64_t[]){1, INT64_MAX, 1}};
    assert_int_equal(makespan(&set, options, &err), SW_ELIMIT);
    assert_int_equal(err.row, 1);
    options.resource_count = 1;
    assert_int_equal(makespan(&set, options, &err), SW_OK);
    options.workers = -1;
    assert_int_equal(makespan(&set, options, &err), SW_EINVAL);
    options.workers = 0;
    options.resources = NULL;
    assert_int_equal(makespan(&set, options, &err), SW_EINVAL);
    options.resource_count = 0;
    options.duration_us = (int64_t[]){1, -1, 1};
    assert_int_equal(makespan(&set, options, &err), SW_EINVAL);
    assert_int_equal(err.row, 1);
    options.duration_us = (int64_t[]){1, INT64_MAX, 1};
    assert_int_equal(makespan(&set, options, &err), SW_ELIMIT);
    assert_int_equal(err.row, 1);
    options.duration_us = NULL;
    graph_case_add(&set, 0, 1);
    graph_case_add(&set, 1, 0);
    assert_int_equal(makespan(&set, options, &err), SW_EDEFINITION);
    assert_non_null(strstr(err.message, "0 -> 1 -> 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_every_small_graph),
        cmocka_unit_test(test_times_of_random_graphs),
        cmocka_unit_test(test_schedules_of_every_small_graph),
        cmocka_unit_test(test_schedules_of_random_graphs),
        cmocka_unit_test(test_bad_durations_are_refused_with_their_row),
        cmocka_unit_test(test_bad_resources_are_refused_with_their_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
