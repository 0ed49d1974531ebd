/* One play: list scheduling of what is left of a run with durations that are given. Pure. Not here:
 * many of them, and their durations (forecast.h). */
#ifndef SW_GRAPH_PLAY_H
#define SW_GRAPH_PLAY_H

#include "graph/forecast.h"
#include "graph/ranks.h"

typedef struct sw__play_run {
    int64_t end_us;
    int32_t node;
} sw__play_run;

/* How a node became ready. */
typedef struct sw__play_cause {
    int32_t node;   /* whose end let it begin, -1: nobody's */
    int32_t moment; /* when it became ready */
} sw__play_cause;

/* One case. The arrays that are not const belong to all cases of a call. */
typedef struct sw__player {
    const sw__play *play;
    int64_t *left_us; /* of each node, in this play */
    int32_t *needed;  /* 0 and less: it waits no more */
    int32_t *spare;
    uint8_t *fate;
    sw__play_cause *causes;
    int32_t *aside;     /* ready nodes that found no seat */
    int32_t *gathered;  /* dependents of one node that are ready */
    int32_t *skipped;   /* nodes that are skipped, their dependents not told yet */
    sw__play_run *runs; /* heap, the earliest end on top */
    sw__ranks *ready;
    const int32_t *needed_at_first; /* what the nodes that are over have done is in these three */
    const int32_t *spare_at_first;
    const uint8_t *fate_at_first; /* NULL: all wait or run */
    const int32_t *begins;        /* those that run or are ready before the play */
    int32_t begin_count;
    const int32_t *others; /* all cases but the first: those that take another time than there */
    int32_t other_count;
    unsigned counts_for_all; /* a bit for each end that counts for every node */
    bool varies;             /* something is left to chance */
    int32_t skipped_count;
    int32_t run_count;
    int32_t free_workers;
    int32_t free_seats[SW__PLAY_RESOURCES_MAX];
    int64_t now_us;
    int32_t moment; /* goes up with now_us */
    int32_t last;   /* the node that ended last, -1: none yet */
    double work_us; /* of the nodes that have begun */
    bool stopped;
    bool failed;
} sw__player;

/* Play with the durations in left_us; now_us is the end afterwards. */
void sw__player_play(sw__player *player);
/* Tell the dependents of a node how it has ended; skips are passed on at once. */
void sw__player_tell_all(sw__player *player, int32_t node, int end);

#endif
