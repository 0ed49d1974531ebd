/* The inside of a definition. Immutable after loading, shared by reference count. Pure. */
#ifndef SW_MODEL_WORKFLOW_H
#define SW_MODEL_WORKFLOW_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "graph/graph.h"
#include "stepwell/breaker.h"
#include "stepwell/error.h"
#include "stepwell/workflow.h"

struct sw_workflow {
    sw__arena *arena;
    atomic_int references;
    sw_str name;
    sw_str version;
    sw_str json;         /* canonical */
    sw_str input_schema; /* canonical JSON, absent when none */
    uint8_t digest[32];  /* SHA-256 of json */
    char digest_hex[65];
    int64_t max_parallel;
    const sw_breaker_settings *breakers; /* that it sets, by name */
    size_t breaker_count;
    int64_t deadline_ms; /* of tasks that are given none, 0: none */
    size_t step_count;
    sw_workflow_step *steps; /* topological order */
    sw__graph graph;         /* over step indices */
    sw__strmap names;        /* step name to index */
};

/* Read back what sw_workflow_json gave, from a store. The limits on size are those of canonical
 * text, not those of files. errors: SW_EDEFINITION, SW_ELIMIT, SW_ENOMEM. */
int sw__workflow_load_canonical(const sw_env *env, sw_str json, sw_workflow **out, sw_error *err);
/* Share a definition; release with sw_workflow_free. */
sw_workflow *sw__workflow_keep(sw_workflow *workflow);
/* Index of a step, or -1. */
int64_t sw__workflow_find(const sw_workflow *workflow, sw_str step);
/* Delay before the attempt that follows failed attempt number `attempt` (1 for the first), in
 * milliseconds; unit is uniform in [0, 1). Formula: base * {0, n, 2^(n-1), fib(n)}, capped at
 * backoff_max_ms, times 1 + jitter * (2 * unit - 1). */
int64_t sw__retry_delay_ms(const sw_workflow_step *step, int32_t attempt, double unit);

#endif
