/* Playing the rest of a run with durations that are known as samples only. Pure: arrays in, arrays
 * out, and the seed of the random numbers is the caller's. Not here: where samples come from, and
 * what the ends of nodes mean to each other. */
#ifndef SW_GRAPH_FORECAST_H
#define SW_GRAPH_FORECAST_H

#include <stdbool.h>

#include "graph/graph.h"

#define SW__PLAY_RESOURCES_MAX 8

/* OVER: has ended, or was left out. WAITS: has to begin yet. RUNS: has begun. */
typedef enum sw__play_state { SW__PLAY_OVER, SW__PLAY_WAITS, SW__PLAY_RUNS } sw__play_state;

/* How a node has ended or will end: a number below 8 that is the caller's, and what it means for
 * the whole. FAILS: the run has failed, and goes on. STOPS: nothing begins any more; what runs goes
 * on to its end. */
#define SW__END_MASK 7
#define SW__END_FAILS 8
#define SW__END_STOPS 16

/* What has become of a node that waited or ran. */
typedef enum sw__play_fate {
    SW__FATE_NEVER,  /* it waits for ever */
    SW__FATE_RAN,    /* to its end */
    SW__FATE_SKIPPED /* too many of its dependencies are lost to it */
} sw__play_fate;

/* Durations that were seen, ascending. */
typedef struct sw__samples {
    const int64_t *us;
    int32_t count; /* 1 or more for a node that waits or runs */
} sw__samples;

/* The same as a place in an array that many nodes share. */
typedef struct sw__span {
    uint32_t at;
    int32_t count;
} sw__span;

/* A node that takes `factor` times as long, above 0. */
typedef struct sw__factor {
    int32_t node;
    double factor;
} sw__factor;

/* The arrays have an element for each node but for us and factors. A node that waits begins when
 * `needed` of its dependencies have ended in a way that counts for it, and is skipped when more
 * than `spare` have ended in one that is lost to it; not both can come about. */
typedef struct sw__play {
    const sw__graph *graph;
    const int32_t *by_rank; /* the nodes in the order in which ready ones begin; NULL: by number */
    const int32_t *rank;    /* the place of each in by_rank; NULL likewise */
    const int64_t *us;
    const sw__span *spans; /* in us: what is known of the whole duration */
    uint8_t *state;        /* sw__play_state */
    uint8_t *end;          /* of those that wait and run, and of those that are over */
    const uint8_t *counts; /* a bit for each end of a dependency that counts for it */
    const uint8_t *loses;  /* a bit for each that is lost to it */
    const int32_t *needed;
    const int32_t *spare;      /* NULL: every end that there is counts for every node */
    const int64_t *elapsed_us; /* RUNS, not set for others: time since its begin */
    const int64_t *least_us;   /* RUNS, likewise: it does not end sooner than this from now */
    const sw__factor *factors; /* by node; all others take what they take */
    uint8_t *holds;            /* a bit for each resource of which it holds a seat; NULL: none */
    int32_t factor_count;
    int32_t seats[SW__PLAY_RESOURCES_MAX];
    int32_t workers; /* nodes that run at once, 1 or more; RUNS may be more */
    int32_t skipped; /* the end of a node that is skipped */
    uint64_t seed;
} sw__play;

/* The play in which every node takes the median of what it may take. */
typedef struct sw__play_course {
    int64_t left_us;
    bool failed;         /* a node ended so that it fails the run, or waits for ever */
    const uint8_t *fate; /* sw__play_fate */
    const int32_t *path; /* each begins when the one before it ends; the last one ends last */
    int32_t path_count;
} sw__play_course;

/* Plays of one case: the course, and many with durations drawn at random. left_us and work_us have
 * an element for each of these: the time to the end, and the running time of all nodes to come. */
typedef struct sw__play_answer {
    sw__play_course course;
    int64_t *left_us;
    double *work_us;
    int32_t *decides; /* of each node: the plays in which it was on the path to the end */
} sw__play_answer;

static inline sw__samples sw__spans_at(const sw__span *spans, const int64_t *us, size_t node)
{
    return (sw__samples){us + spans[node].at, spans[node].count};
}

/* The value at a share of ascending ones, by nearest rank: place ceil(share x count), at least
 * the first. */
int64_t sw__samples_at(const sw__samples *samples, double share);

/* The time a node still takes at a share of what it may take: for one that runs, of the durations
 * that are longer than it has been running; of as long again when none is. */
int64_t sw__play_left(const sw__play *play, int32_t node, double share);
/* The same at a share that belongs to the node and the number of a play. */
int64_t sw__play_draw(const sw__play *play, int32_t node, int32_t number);
/* The same of all nodes that are not over, and of all that may differ from play to play; the
 * others' elements are left alone. */
void sw__play_left_all(const sw__play *play, double share, int64_t *left_us);
void sw__play_draw_all(const sw__play *play, int32_t number, int64_t *left_us);
/* Whether it may differ from play to play. */
bool sw__play_varies(const sw__play *play, int32_t node);
double sw__play_factor(const sw__play *play, int32_t node);
/* Whether a running node has outlasted all its samples. */
bool sw__play_overdue(const sw__play *play, int32_t node);

/* The course of each of so many plays, and `count` plays with durations drawn at random. They are
 * of one graph and have the same samples, times and seed: plays of one number are given the same
 * random numbers. Those that share `state` have the same nodes that are over, with the same ends,
 * and the same `needed` and `counts`. out has an element for each; its arrays lie in arena.
 * errors: SW_ENOMEM. */
int sw__play_many(sw__arena *arena, const sw__play *plays, int32_t play_count, int32_t count,
                  sw__play_answer *out);

#endif
