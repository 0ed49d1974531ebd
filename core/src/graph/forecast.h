/* Playing the rest of a run with durations that are known as samples only. Pure: arrays in, arrays
 * out, and the seed of the random numbers is the caller's. Not here: where samples come from. */
#ifndef SW_GRAPH_FORECAST_H
#define SW_GRAPH_FORECAST_H

#include <stdbool.h>

#include "graph/graph.h"

#define SW__PLAY_RESOURCES_MAX 8

/* MET: over, dependents go on. LOST: over, its dependents never begin. WAITS: has to begin yet.
 * RUNS: has begun. */
typedef enum sw__play_state {
    SW__PLAY_MET,
    SW__PLAY_LOST,
    SW__PLAY_WAITS,
    SW__PLAY_RUNS
} sw__play_state;

/* What the end of a node means. MEETS: its dependents have one dependency less. BLOCKS: they never
 * begin. STOPS: nothing begins any more; what runs goes on to its end. */
typedef enum sw__play_end { SW__END_MEETS, SW__END_BLOCKS, SW__END_STOPS } sw__play_end;

/* Durations that were seen, ascending. */
typedef struct sw__samples {
    const int64_t *us;
    int32_t count; /* 1 or more for a node that waits or runs */
} sw__samples;

/* All arrays have an element for each node. */
typedef struct sw__play {
    const sw__graph *graph;
    const int32_t *by_rank;     /* the nodes in the order in which ready ones begin */
    const int32_t *rank;        /* the place of each in by_rank */
    const sw__samples *samples; /* of the whole duration */
    uint8_t *state;             /* sw__play_state */
    uint8_t *end;               /* sw__play_end */
    int64_t *elapsed_us;        /* RUNS: time since its begin */
    int64_t *least_us;          /* RUNS: it does not end sooner than this from now */
    double *factor;             /* on the duration; 0: no time and no worker */
    uint8_t *holds;             /* a bit for each resource of which it holds a seat */
    int32_t seats[SW__PLAY_RESOURCES_MAX];
    int32_t workers; /* nodes that run at once, 1 or more; RUNS may be more */
    uint64_t seed;
} sw__play;

/* The play in which every node takes the median of what it may take. */
typedef struct sw__play_course {
    int64_t left_us;
    bool lost;         /* a node ended that does not meet its dependents */
    const uint8_t *ran; /* 1 for every node that ran to its end */
    const int32_t *path; /* each begins when the one before it ends; the last one ends last */
    int32_t path_count;
} sw__play_course;

/* Many plays. left_us and work_us have an element for each: the time to the end, and the running
 * time of all nodes to come. */
typedef struct sw__play_sample {
    int64_t *left_us;
    double *work_us;
    int32_t *decides; /* of each node: the plays in which it was on the path to the end */
} sw__play_sample;

/* The value at a share of ascending ones, by nearest rank: place ceil(share x count), at least
 * the first. */
int64_t sw__samples_at(const sw__samples *samples, double share);

/* The time a node still takes at a share of what it may take: for one that runs, of the durations
 * that are longer than it has been running; of as long again when none is. */
int64_t sw__play_left(const sw__play *play, int32_t node, double share);
/* Whether a running node has outlasted all its samples. */
bool sw__play_overdue(const sw__play *play, int32_t node);

/* errors: SW_ENOMEM. The arrays of out lie in arena. */
int sw__play_course_find(sw__arena *arena, const sw__play *play, sw__play_course *out);
/* errors: SW_ENOMEM. The arrays of out lie in arena. */
int sw__play_many(sw__arena *arena, const sw__play *play, int32_t count, sw__play_sample *out);

#endif
