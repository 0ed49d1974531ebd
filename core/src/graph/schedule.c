/* How long a run takes with limited workers and resources: list scheduling.
 *
 * Time goes from event to event. At each, while a worker is free, the ready node with the longest
 * way to the end that fits into what is left of the resources begins. Ready nodes wait in one heap
 * for each different demand, so that one look at each heap tells which fit. Not here: durations
 * that are not known (they are the caller's), and the best possible schedule, which is NP-hard.
 */
#include "graph/ranks.h"
#include "graph/time.h"

#include <string.h>

#include "base/error.h"
#include "base/map.h"

/* Ready nodes with the same demand, by rank: a heap in a part of schedule.waiting. */
typedef struct schedule_queue {
    int32_t *ranks;
    int32_t count;
    int32_t member; /* any node with this demand */
} schedule_queue;

typedef struct schedule_run {
    int64_t end;
    int32_t node;
    int32_t worker;
} schedule_run;

typedef struct schedule {
    const sw__graph *graph;
    const sw_makespan_options *options;
    int32_t *by_rank; /* nodes by falling tail */
    int32_t *rank;
    int32_t *open;
    int32_t *queue_of; /* of each node */
    schedule_queue *queues;
    int32_t queue_count;
    int32_t running_count;
    schedule_run *running; /* heap, the earliest end on top */
    sw__ranks workers;     /* free ones */
    int64_t *left;         /* of each resource */
    sw_graph_slot *slots;
    int32_t started;
    int32_t busiest;
} schedule;

static void queue_push(schedule_queue *queue, int32_t rank)
{
    int32_t at = queue->count++;
    while (at > 0 && queue->ranks[(at - 1) / 2] > rank) {
        queue->ranks[at] = queue->ranks[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->ranks[at] = rank;
}

static int32_t queue_pop(schedule_queue *queue)
{
    int32_t top = queue->ranks[0], last = queue->ranks[--queue->count], at = 0;
    for (int32_t child = 1; child < queue->count; child = 2 * at + 1) {
        if (child + 1 < queue->count && queue->ranks[child + 1] < queue->ranks[child])
            child++;
        if (queue->ranks[child] >= last)
            break;
        queue->ranks[at] = queue->ranks[child];
        at = child;
    }
    queue->ranks[at] = last;
    return top;
}

static void running_push(schedule *plan, schedule_run run)
{
    int32_t at = plan->running_count++;
    while (at > 0 && plan->running[(at - 1) / 2].end > run.end) {
        plan->running[at] = plan->running[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    plan->running[at] = run;
}

static schedule_run running_pop(schedule *plan)
{
    schedule_run top = plan->running[0], last = plan->running[--plan->running_count];
    int32_t at = 0;
    for (int32_t child = 1; child < plan->running_count; child = 2 * at + 1) {
        if (child + 1 < plan->running_count &&
            plan->running[child + 1].end < plan->running[child].end)
            child++;
        if (plan->running[child].end >= last.end)
            break;
        plan->running[at] = plan->running[child];
        at = child;
    }
    plan->running[at] = last;
    return top;
}

/* Rank the nodes by the longest way to the end, longest first. */
static bool schedule_rank(schedule *plan, sw__arena *scratch, const int32_t *order)
{
    int32_t count = plan->graph->node_count;
    int64_t *tail = sw__arena_array(scratch, (size_t)count, sizeof(int64_t));
    uint64_t *keys = sw__arena_array(scratch, (size_t)count, sizeof(uint64_t));
    if (!tail || !keys)
        return false;
    sw__graph_tail(plan->graph, order, plan->options->duration_us, tail);
    for (int32_t node = 0; node < count; node++)
        keys[node] = (uint64_t)INT64_MAX - (uint64_t)tail[node];
    return sw__keys_rank(scratch, keys, count, &plan->by_rank, &plan->rank);
}

/* The number of the queue for a demand, a new one if it is the first of its kind. Negative: no
 * memory. */
static int64_t demand_number(sw__strmap *numbers, sw__arena *scratch,
                             const sw_makespan_options *options, int32_t node, int64_t next)
{
    size_t size = options->resource_count * sizeof(int64_t);
    int64_t demand[64], *key = demand;
    if (options->resource_count > sizeof(demand) / sizeof(demand[0]))
        key = sw__arena_alloc(scratch, size);
    if (!key)
        return SW_ENOMEM;
    for (size_t i = 0; i < options->resource_count; i++)
        key[i] = options->resources[i].demand[node];
    const int64_t *known = sw__strmap_find(numbers, (sw_str){(const char *)key, size});
    if (known)
        return *known;
    sw_str kept = sw__arena_str(scratch, (sw_str){(const char *)key, size});
    return !kept.ptr || sw__strmap_put(numbers, kept, next) < 0 ? SW_ENOMEM : next;
}

/* Give every node the queue of its demand, and each queue its room in waiting. */
static bool queues_number(schedule *plan, sw__arena *scratch, sw__strmap *numbers)
{
    int32_t count = plan->graph->node_count;
    int32_t *waiting = sw__arena_array(scratch, (size_t)count, sizeof(int32_t));
    for (int32_t node = 0; node < count && plan->options->resource_count > 0; node++) {
        int64_t number = demand_number(numbers, scratch, plan->options, node, plan->queue_count);
        if (number < 0)
            return false;
        plan->queue_of[node] = (int32_t)number;
        if (number == plan->queue_count)
            plan->queue_count++;
    }
    if (plan->options->resource_count == 0)
        plan->queue_count = 1;
    plan->queues = sw__arena_array(scratch, (size_t)plan->queue_count, sizeof(schedule_queue));
    if (!waiting || !plan->queues)
        return false;
    for (int32_t node = 0; node < count; node++) {
        plan->queues[plan->queue_of[node]].count++;
        plan->queues[plan->queue_of[node]].member = node;
    }
    for (int32_t i = 0; i < plan->queue_count; i++) {
        plan->queues[i].ranks = waiting;
        waiting += plan->queues[i].count;
        plan->queues[i].count = 0;
    }
    return true;
}

static bool queues_init(schedule *plan, sw__arena *scratch)
{
    sw__strmap numbers;
    sw__strmap_init(&numbers, sw__arena_env(scratch));
    bool done = queues_number(plan, scratch, &numbers);
    sw__strmap_free(&numbers);
    return done;
}

static bool schedule_init(schedule *plan, sw__arena *scratch, const int32_t *order)
{
    size_t nodes = (size_t)plan->graph->node_count;
    size_t workers = plan->options->workers > 0 ? (size_t)plan->options->workers : nodes;
    if (workers > nodes)
        workers = nodes;
    plan->open = sw__arena_array(scratch, nodes, sizeof(int32_t));
    plan->queue_of = sw__arena_array(scratch, nodes, sizeof(int32_t));
    plan->running = sw__arena_array(scratch, workers, sizeof(schedule_run));
    plan->left = sw__arena_array(scratch, plan->options->resource_count, sizeof(int64_t));
    if (!plan->open || !plan->queue_of || !plan->running || !plan->left ||
        !sw__ranks_init(&plan->workers, scratch, workers) || !schedule_rank(plan, scratch, order) ||
        !queues_init(plan, scratch))
        return false;
    for (size_t i = 0; i < workers; i++)
        sw__ranks_put(&plan->workers, (uint32_t)i);
    for (size_t i = 0; i < plan->options->resource_count; i++)
        plan->left[i] = plan->options->resources[i].capacity;
    return true;
}

static void node_wait(schedule *plan, int32_t node)
{
    queue_push(&plan->queues[plan->queue_of[node]], plan->rank[node]);
}

static bool demand_fits(const schedule *plan, int32_t node)
{
    for (size_t i = 0; i < plan->options->resource_count; i++) {
        if (plan->options->resources[i].demand[node] > plan->left[i])
            return false;
    }
    return true;
}

static void demand_take(schedule *plan, int32_t node, int64_t times)
{
    for (size_t i = 0; i < plan->options->resource_count; i++)
        plan->left[i] -= times * plan->options->resources[i].demand[node];
}

/* Begin all that can begin now. */
static void schedule_begin(schedule *plan, int64_t now)
{
    while (!sw__ranks_empty(&plan->workers)) {
        schedule_queue *best = NULL;
        for (int32_t i = 0; i < plan->queue_count; i++) {
            schedule_queue *queue = &plan->queues[i];
            if (queue->count > 0 && (!best || queue->ranks[0] < best->ranks[0]) &&
                demand_fits(plan, queue->member))
                best = queue;
        }
        if (!best)
            break;
        int32_t node = plan->by_rank[queue_pop(best)];
        int32_t worker = (int32_t)sw__ranks_take_least(&plan->workers);
        int64_t end = now + sw__duration(plan->options->duration_us, node);
        demand_take(plan, node, 1);
        running_push(plan, (schedule_run){end, node, worker});
        plan->slots[plan->started++] = (sw_graph_slot){node, worker, now, end};
    }
    if (plan->running_count > plan->busiest)
        plan->busiest = plan->running_count;
}

static void schedule_end(schedule *plan)
{
    const sw__graph *graph = plan->graph;
    schedule_run run = running_pop(plan);
    demand_take(plan, run.node, -1);
    sw__ranks_put(&plan->workers, (uint32_t)run.worker);
    for (int32_t i = graph->out_start[run.node]; i < graph->out_start[run.node + 1]; i++) {
        if (--plan->open[graph->out_node[i]] == 0)
            node_wait(plan, graph->out_node[i]);
    }
}

/* Returns when the last node ends. */
static int64_t schedule_run_all(schedule *plan)
{
    const sw__graph *graph = plan->graph;
    int64_t now = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        plan->open[node] = graph->in_start[node + 1] - graph->in_start[node];
        if (plan->open[node] == 0)
            node_wait(plan, node);
    }
    for (;;) {
        schedule_begin(plan, now);
        if (plan->running_count == 0)
            return now;
        now = plan->running[0].end;
        while (plan->running_count > 0 && plan->running[0].end == now)
            schedule_end(plan);
    }
}

/* Time that a resource alone makes necessary: the sum of duration x demand over its capacity. */
static int resource_bound(const sw__graph *graph, const sw_makespan_options *options,
                          const sw_graph_resource *resource, int64_t *bound, sw_error *err)
{
    int64_t sum = 0;
    for (int32_t node = 0; node < graph->node_count; node++) {
        int64_t area;
        if (__builtin_mul_overflow(sw__duration(options->duration_us, node), resource->demand[node],
                                   &area) ||
            __builtin_add_overflow(sum, area, &sum))
            return sw__fail_row(err, SW_ELIMIT, (size_t)node,
                                "the sum of duration x demand passes 2^63 - 1 at node %d", node);
    }
    *bound = sum / resource->capacity + (sum % resource->capacity > 0);
    return SW_OK;
}

static int bounds_find(const sw__graph *graph, const sw_makespan_options *options, sw_makespan *out,
                       sw_error *err)
{
    out->resource = -1;
    if (options->workers > 0)
        out->bound_workers_us =
            out->work_us / options->workers + (out->work_us % options->workers > 0);
    for (size_t i = 0; i < options->resource_count; i++) {
        int64_t bound = 0;
        int code = resource_bound(graph, options, &options->resources[i], &bound, err);
        if (code < 0)
            return code;
        if (out->resource < 0 || bound > out->bound_resource_us) {
            out->bound_resource_us = bound;
            out->resource = (int32_t)i;
        }
    }
    out->bound_us = out->bound_span_us;
    if (out->bound_workers_us > out->bound_us)
        out->bound_us = out->bound_workers_us;
    if (out->bound_resource_us > out->bound_us)
        out->bound_us = out->bound_resource_us;
    return SW_OK;
}

int sw__graph_schedule(sw__arena *scratch, const sw__graph *graph, const int32_t *order,
                       const sw_makespan_options *options, sw_graph_slot *slots, sw_makespan *out,
                       sw_error *err)
{
    *out = (sw_makespan){0};
    int code = sw__graph_work(graph, options->duration_us, &out->work_us, err);
    if (code < 0)
        return code;
    schedule plan = {.graph = graph, .options = options, .slots = slots};
    int64_t *finish = sw__arena_array(scratch, (size_t)graph->node_count, sizeof(int64_t));
    if (!finish || !schedule_init(&plan, scratch, order))
        return sw__fail(err, SW_ENOMEM, NULL);
    out->bound_span_us = sw__graph_finish(graph, order, options->duration_us, finish);
    code = bounds_find(graph, options, out, err);
    if (code < 0)
        return code;
    out->makespan_us = schedule_run_all(&plan);
    out->workers = plan.busiest;
    double seats = (double)(options->workers > 0 ? options->workers : plan.busiest);
    if (out->makespan_us > 0)
        out->used = (double)out->work_us / ((double)out->makespan_us * seats);
    return SW_OK;
}
