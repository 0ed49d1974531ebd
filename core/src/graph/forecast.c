/* Plays: list scheduling of what is left of a run, again and again with other durations.
 *
 * One player is made per call and used for every play; a play costs O((V + E) log V) and asks for
 * no memory. A random number belongs to a play and a node and to nothing else, so that two plays
 * of the same number differ only in what the caller changed.
 * Not here: the best order of ready nodes; it is the caller's, as workers would take them.
 */
#include "graph/forecast.h"

#include <string.h>

#include "graph/ranks.h"
#include "stepwell/error.h"

#define PLAY_US_MAX (INT64_MAX / 4)

typedef struct play_run {
    int64_t end_us;
    int32_t node;
} play_run;

typedef struct play_player {
    const sw__play *play;
    int64_t *left_us; /* of each node, in this play */
    int64_t *ready_us;
    int32_t *open_at_first; /* dependencies that are not met, before the play */
    int32_t *open;
    int32_t *cause; /* whose end let it begin, -1: nobody's */
    int32_t *aside; /* ready nodes that found no seat */
    int32_t *idle;  /* ready nodes without work */
    int32_t idle_count;
    uint8_t *ran;
    play_run *runs; /* heap, the earliest end on top */
    int32_t run_count;
    sw__ranks ready;
    int32_t free_workers;
    int32_t free_seats[SW__PLAY_RESOURCES_MAX];
    int64_t now_us;
    int32_t last; /* the node that ended last, -1: none yet */
    bool stopped;
    bool lost;
} play_player;

/* Samples. */

static int32_t sample_place(int32_t count, double share)
{
    double exact = share * (double)count;
    int32_t place = (int32_t)exact;
    if (place > 0 && (double)place == exact)
        place--;
    return place < count ? place : count - 1;
}

int64_t sw__samples_at(const sw__samples *samples, double share)
{
    return samples->us[sample_place(samples->count, share)];
}

static int64_t sample_scaled(int64_t us, double factor)
{
    double scaled = (double)us * factor;
    return scaled < (double)PLAY_US_MAX ? (int64_t)scaled : PLAY_US_MAX;
}

/* How many samples are no longer than the node has been running. */
static int32_t samples_outlasted(const sw__play *play, int32_t node)
{
    const sw__samples *samples = &play->samples[node];
    int32_t low = 0, high = samples->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (sample_scaled(samples->us[middle], play->factor[node]) > play->elapsed_us[node])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool sw__play_overdue(const sw__play *play, int32_t node)
{
    return play->state[node] == SW__PLAY_RUNS && play->factor[node] > 0 &&
           samples_outlasted(play, node) == play->samples[node].count;
}

static int64_t play_left_running(const sw__play *play, int32_t node, double share)
{
    const sw__samples *samples = &play->samples[node];
    int32_t outlasted = samples_outlasted(play, node);
    sw__samples longer = {samples->us + outlasted, samples->count - outlasted};
    int64_t elapsed = play->elapsed_us[node];
    int64_t left = longer.count > 0
                       ? sample_scaled(sw__samples_at(&longer, share), play->factor[node]) - elapsed
                       : sample_scaled(elapsed, share);
    return left > play->least_us[node] ? left : play->least_us[node];
}

int64_t sw__play_left(const sw__play *play, int32_t node, double share)
{
    if (play->factor[node] <= 0)
        return 0;
    if (play->state[node] == SW__PLAY_RUNS)
        return play_left_running(play, node, share);
    return sample_scaled(sw__samples_at(&play->samples[node], share), play->factor[node]);
}

/* Uniform in [0, 1): the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over a counter. */
static double play_random(uint64_t seed, int32_t number, int32_t node)
{
    uint64_t z = seed + ((uint64_t)(uint32_t)number << 32 | (uint32_t)node) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

/* The heap of running nodes; of equal ends the lower number comes first. */

static bool play_run_before(play_run a, play_run b)
{
    return a.end_us < b.end_us || (a.end_us == b.end_us && a.node < b.node);
}

static void play_runs_push(play_player *player, play_run run)
{
    int32_t at = player->run_count++;
    while (at > 0 && play_run_before(run, player->runs[(at - 1) / 2])) {
        player->runs[at] = player->runs[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    player->runs[at] = run;
}

static play_run play_runs_pop(play_player *player)
{
    play_run top = player->runs[0], last = player->runs[--player->run_count];
    int32_t at = 0;
    for (int32_t child = 1; child < player->run_count; child = 2 * at + 1) {
        if (child + 1 < player->run_count &&
            play_run_before(player->runs[child + 1], player->runs[child]))
            child++;
        if (!play_run_before(player->runs[child], last))
            break;
        player->runs[at] = player->runs[child];
        at = child;
    }
    player->runs[at] = last;
    return top;
}

/* One play. */

static bool play_node_works(const sw__play *play, int32_t node)
{
    return play->factor[node] > 0;
}

static bool player_seats_free(const play_player *player, int32_t node)
{
    for (unsigned holds = player->play->holds[node]; holds; holds &= holds - 1) {
        if (player->free_seats[__builtin_ctz(holds)] <= 0)
            return false;
    }
    return true;
}

/* Take a worker and seats, or give them back with by = 1. */
static void player_node_take(play_player *player, int32_t node, int32_t by)
{
    if (!play_node_works(player->play, node))
        return;
    player->free_workers += by;
    for (unsigned holds = player->play->holds[node]; holds; holds &= holds - 1)
        player->free_seats[__builtin_ctz(holds)] += by;
}

static void player_node_start(play_player *player, int32_t node)
{
    int64_t left = player->left_us[node], end;
    if (__builtin_add_overflow(player->now_us, left, &end))
        end = INT64_MAX;
    player_node_take(player, node, -1);
    play_runs_push(player, (play_run){end, node});
}

/* A node has no open dependency any more. */
static void player_node_ready(play_player *player, int32_t node, int32_t cause)
{
    player->cause[node] = cause;
    player->ready_us[node] = player->now_us;
    if (play_node_works(player->play, node))
        sw__ranks_put(&player->ready, (uint32_t)player->play->rank[node]);
    else
        player->idle[player->idle_count++] = node;
}

/* Begin the nodes without work: they end now. */
static bool player_begin_idle(play_player *player)
{
    bool some = player->idle_count > 0 && !player->stopped;
    while (some && player->idle_count > 0)
        player_node_start(player, player->idle[--player->idle_count]);
    return some;
}

/* Begin what can begin now, in the order of the ranks. */
static void player_begin(play_player *player)
{
    int32_t aside = 0;
    while (player->free_workers > 0 && !player->stopped && !sw__ranks_empty(&player->ready)) {
        int32_t rank = (int32_t)sw__ranks_take_least(&player->ready);
        int32_t node = player->play->by_rank[rank];
        if (!player_seats_free(player, node)) {
            player->aside[aside++] = rank;
            continue;
        }
        if (player->now_us > player->ready_us[node])
            player->cause[node] = player->last;
        player_node_start(player, node);
    }
    while (aside > 0)
        sw__ranks_put(&player->ready, (uint32_t)player->aside[--aside]);
}

static void player_node_end(play_player *player, int32_t node)
{
    const sw__graph *graph = player->play->graph;
    player_node_take(player, node, 1);
    player->last = node;
    player->ran[node] = 1;
    if (player->play->end[node] != SW__END_MEETS) {
        player->lost = true;
        player->stopped |= player->play->end[node] == SW__END_STOPS;
        return;
    }
    for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
        int32_t to = graph->out_node[i];
        if (--player->open[to] == 0 && player->play->state[to] == SW__PLAY_WAITS)
            player_node_ready(player, to, node);
    }
}

static void player_reset(play_player *player)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    memcpy(player->open, player->open_at_first, nodes * sizeof(int32_t));
    memset(player->ran, 0, nodes);
    memcpy(player->free_seats, play->seats, sizeof(player->free_seats));
    while (!sw__ranks_empty(&player->ready))
        sw__ranks_take_least(&player->ready);
    player->free_workers = play->workers;
    player->idle_count = 0;
    player->now_us = 0;
    player->last = -1;
    player->stopped = false;
    player->lost = false;
}

/* Play with the durations in left_us; now_us is the end afterwards. */
static void player_play(play_player *player)
{
    const sw__play *play = player->play;
    player_reset(player);
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        if (play->state[node] == SW__PLAY_RUNS) {
            player->cause[node] = -1;
            player_node_start(player, node);
        } else if (play->state[node] == SW__PLAY_WAITS && player->open[node] == 0) {
            player_node_ready(player, node, -1);
        }
    }
    for (;;) {
        while (player->run_count > 0 && player->runs[0].end_us == player->now_us)
            player_node_end(player, play_runs_pop(player).node);
        if (player_begin_idle(player))
            continue;
        player_begin(player);
        if (player->run_count == 0)
            return;
        player->now_us = player->runs[0].end_us;
    }
}

/* Making a player. */

static void player_count_open(play_player *player)
{
    const sw__graph *graph = player->play->graph;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->in_start[node]; i < graph->in_start[node + 1]; i++)
            player->open_at_first[node] += player->play->state[graph->in_node[i]] != SW__PLAY_MET;
    }
}

static bool player_init(play_player *player, sw__arena *scratch, const sw__play *play)
{
    size_t nodes = (size_t)play->graph->node_count;
    *player = (play_player){.play = play};
    player->left_us = sw__arena_array(scratch, nodes, sizeof(int64_t));
    player->ready_us = sw__arena_array(scratch, nodes, sizeof(int64_t));
    player->open_at_first = sw__arena_array(scratch, nodes, sizeof(int32_t));
    player->open = sw__arena_array(scratch, nodes, sizeof(int32_t));
    player->cause = sw__arena_array(scratch, nodes, sizeof(int32_t));
    player->aside = sw__arena_array(scratch, nodes, sizeof(int32_t));
    player->idle = sw__arena_array(scratch, nodes, sizeof(int32_t));
    player->ran = sw__arena_array(scratch, nodes, 1);
    player->runs = sw__arena_array(scratch, nodes, sizeof(play_run));
    if (!sw__ranks_init(&player->ready, scratch, nodes) || sw__arena_failed(scratch))
        return false;
    player_count_open(player);
    return true;
}

static bool play_node_plays(const sw__play *play, int32_t node)
{
    return play->state[node] == SW__PLAY_WAITS || play->state[node] == SW__PLAY_RUNS;
}

/* The nodes before the last one, each the cause of the next, first one first. */
static int32_t player_path(const play_player *player, int32_t *path)
{
    int32_t count = 0;
    for (int32_t node = player->last; node >= 0; node = player->cause[node])
        path[count++] = node;
    for (int32_t i = 0; i < count / 2; i++) {
        int32_t swap = path[i];
        path[i] = path[count - 1 - i];
        path[count - 1 - i] = swap;
    }
    return count;
}

int sw__play_course_find(sw__arena *arena, const sw__play *play, sw__play_course *out)
{
    play_player player;
    int32_t *path = sw__arena_array(arena, (size_t)play->graph->node_count, sizeof(int32_t));
    *out = (sw__play_course){0};
    if (!path || !player_init(&player, arena, play))
        return SW_ENOMEM;
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        if (play_node_plays(play, node))
            player.left_us[node] = sw__play_left(play, node, 0.5);
    }
    player_play(&player);
    out->left_us = player.now_us;
    out->lost = player.lost;
    out->ran = player.ran;
    out->path = path;
    out->path_count = player_path(&player, path);
    return SW_OK;
}

static void play_note(const play_player *player, int32_t number, sw__play_sample *out)
{
    double work = 0;
    for (int32_t node = 0; node < player->play->graph->node_count; node++)
        work += player->ran[node] ? (double)player->left_us[node] : 0;
    for (int32_t node = player->last; node >= 0; node = player->cause[node])
        out->decides[node]++;
    out->left_us[number] = player->now_us;
    out->work_us[number] = work;
}

int sw__play_many(sw__arena *arena, const sw__play *play, int32_t count, sw__play_sample *out)
{
    play_player player;
    out->left_us = sw__arena_array(arena, (size_t)count, sizeof(int64_t));
    out->work_us = sw__arena_array(arena, (size_t)count, sizeof(double));
    out->decides = sw__arena_array(arena, (size_t)play->graph->node_count, sizeof(int32_t));
    if (!out->left_us || !out->work_us || !out->decides || !player_init(&player, arena, play))
        return SW_ENOMEM;
    for (int32_t number = 0; number < count; number++) {
        for (int32_t node = 0; node < play->graph->node_count; node++) {
            if (play_node_plays(play, node))
                player.left_us[node] =
                    sw__play_left(play, node, play_random(play->seed, number, node));
        }
        player_play(&player);
        play_note(&player, number, out);
    }
    return SW_OK;
}
