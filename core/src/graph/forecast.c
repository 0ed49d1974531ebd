/* Plays: list scheduling of what is left of a run, again and again with other durations.
 *
 * One player is made per call and used for every play; a play costs O((V + E) log workers) and asks
 * for no memory. Large graphs are bound by memory: what is read for each edge is one counter, and
 * what is seldom needed lies apart. A random number belongs to a play and a node and to nothing
 * else, so that two plays of the same number differ only in what the caller changed.
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

/* How a node became ready. */
typedef struct play_cause {
    int32_t node;   /* whose end let it begin, -1: nobody's */
    int32_t moment; /* when it became ready */
} play_cause;

typedef struct play_player {
    const sw__play *play;
    int64_t *left_us;         /* of each node, in this play */
    int32_t *needed_at_first; /* what the nodes that are over have done is in these two */
    int32_t *spare_at_first;
    int32_t *needed; /* 0 and less: it waits no more */
    int32_t *spare;
    uint8_t *skipped_at_first;
    uint8_t *fate;
    play_cause *causes;
    unsigned counts_for_all; /* a bit for each end that counts for every node */
    bool spare_is_used;
    int32_t *begins; /* those that run or are ready before the play */
    int32_t begin_count;
    int32_t *draws; /* those whose durations are drawn */
    int32_t draw_count;
    int32_t *aside;   /* ready nodes that found no seat */
    int32_t *skipped; /* nodes that are skipped, their dependents not told yet */
    int32_t skipped_count;
    play_run *runs; /* heap, the earliest end on top */
    int32_t run_count;
    sw__ranks ready;
    int32_t free_workers;
    int32_t free_seats[SW__PLAY_RESOURCES_MAX];
    int64_t now_us;
    int32_t moment; /* goes up with now_us */
    int32_t last;   /* the node that ended last, -1: none yet */
    double work_us; /* of the nodes that have begun */
    bool stopped;
    bool failed;
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
    if (factor == 1)
        return us < PLAY_US_MAX ? us : PLAY_US_MAX;
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
    return play->state[node] == SW__PLAY_RUNS &&
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
    player->free_workers += by;
    for (unsigned holds = player->play->holds[node]; holds; holds &= holds - 1)
        player->free_seats[__builtin_ctz(holds)] += by;
}

static void player_node_start(play_player *player, int32_t node)
{
    int64_t left = player->left_us[node], end;
    if (__builtin_add_overflow(player->now_us, left, &end))
        end = INT64_MAX;
    player->work_us += (double)left;
    player_node_take(player, node, -1);
    play_runs_push(player, (play_run){end, node});
}

static uint32_t play_rank(const sw__play *play, int32_t node)
{
    return (uint32_t)(play->rank ? play->rank[node] : node);
}

/* A node needs none of its dependencies any more. */
static void player_node_ready(play_player *player, int32_t node, int32_t cause)
{
    player->causes[node] = (play_cause){cause, player->moment};
    sw__ranks_put(&player->ready, play_rank(player->play, node));
}

/* Begin what can begin now, in the order of the ranks. */
static void player_begin(play_player *player)
{
    int32_t aside = 0;
    const int32_t *by_rank = player->play->by_rank;
    while (player->free_workers > 0 && !player->stopped && !sw__ranks_empty(&player->ready)) {
        int32_t rank = (int32_t)sw__ranks_take_least(&player->ready);
        int32_t node = by_rank ? by_rank[rank] : rank;
        if (!player_seats_free(player, node)) {
            player->aside[aside++] = rank;
            continue;
        }
        if (player->moment > player->causes[node].moment)
            player->causes[node].node = player->last;
        player_node_start(player, node);
    }
    while (aside > 0)
        sw__ranks_put(&player->ready, (uint32_t)player->aside[--aside]);
}

/* An end that counts for everybody. */
static void player_tell_count(play_player *player, int32_t node, int32_t cause)
{
    const sw__graph *graph = player->play->graph;
    const int32_t *to = graph->out_node + graph->out_start[node];
    const int32_t *end = graph->out_node + graph->out_start[node + 1];
    for (; to < end; to++) {
        if (--player->needed[*to] == 0)
            player_node_ready(player, *to, cause);
    }
}

/* Tell the dependents of a node how it has ended. Those that are skipped by it come to the list;
 * cause is the node that really ended. */
static void player_tell(play_player *player, int32_t node, int end, int32_t cause)
{
    const sw__play *play = player->play;
    const sw__graph *graph = play->graph;
    if (player->counts_for_all >> end & 1) {
        player_tell_count(player, node, cause);
        return;
    }
    for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
        int32_t to = graph->out_node[i];
        if (player->needed[to] <= 0)
            continue;
        player->needed[to] -= play->counts[to] >> end & 1;
        player->spare[to] -= play->loses[to] >> end & 1;
        player->spare_is_used = true;
        if (player->spare[to] < 0) {
            player->needed[to] = 0;
            player->fate[to] = SW__FATE_SKIPPED;
            player->skipped[player->skipped_count++] = to;
        } else if (player->needed[to] == 0) {
            player_node_ready(player, to, cause);
        }
    }
}

/* Skips are passed on at once. */
static void player_tell_all(play_player *player, int32_t node, int end)
{
    player_tell(player, node, end, node);
    while (player->skipped_count > 0)
        player_tell(player, player->skipped[--player->skipped_count], player->play->skipped, node);
}

static void player_node_end(play_player *player, int32_t node)
{
    int end = player->play->end[node];
    player_node_take(player, node, 1);
    player->last = node;
    player->fate[node] = SW__FATE_RAN;
    player->failed |= (end & SW__END_FAILS) != 0;
    player->stopped |= (end & SW__END_STOPS) != 0;
    if (!player->stopped)
        player_tell_all(player, node, end & SW__END_MASK);
}

static void player_reset(play_player *player)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    memcpy(player->needed, player->needed_at_first, nodes * sizeof(int32_t));
    memcpy(player->fate, player->skipped_at_first, nodes);
    if (player->spare_is_used)
        memcpy(player->spare, player->spare_at_first, nodes * sizeof(int32_t));
    player->spare_is_used = false;
    memcpy(player->free_seats, play->seats, sizeof(player->free_seats));
    while (!sw__ranks_empty(&player->ready))
        sw__ranks_take_least(&player->ready);
    player->free_workers = play->workers;
    player->now_us = 0;
    player->moment = 0;
    player->last = -1;
    player->work_us = 0;
    player->stopped = false;
    player->failed = false;
}

/* Play with the durations in left_us; now_us is the end afterwards. */
static void player_play(play_player *player)
{
    player_reset(player);
    for (int32_t i = 0; i < player->begin_count; i++) {
        int32_t node = player->begins[i];
        player->causes[node] = (play_cause){-1, 0};
        if (player->play->state[node] == SW__PLAY_RUNS)
            player_node_start(player, node);
        else
            sw__ranks_put(&player->ready, play_rank(player->play, node));
    }
    for (;;) {
        while (player->run_count > 0 && player->runs[0].end_us == player->now_us)
            player_node_end(player, play_runs_pop(player).node);
        player_begin(player);
        if (player->run_count == 0)
            return;
        player->moment += player->runs[0].end_us > player->now_us;
        player->now_us = player->runs[0].end_us;
    }
}

/* Making a player. */

/* Nodes that are over or run wait for nothing. */
static void player_set_nodes(play_player *player)
{
    const sw__play *play = player->play;
    player->counts_for_all = ~0u;
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        player->needed[node] = play->state[node] == SW__PLAY_WAITS ? play->needed[node] : 0;
        player->spare[node] = play->spare[node];
        player->counts_for_all &= play->counts[node];
        if (play->state[node] != SW__PLAY_OVER)
            player->draws[player->draw_count++] = node;
    }
}

/* What the nodes that are over have done, once for all plays. */
static void player_set_begin(play_player *player)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        if (play->state[node] == SW__PLAY_OVER)
            player_tell_all(player, node, play->end[node] & SW__END_MASK);
    }
    for (int32_t i = 0; i < player->draw_count; i++) {
        int32_t node = player->draws[i];
        if (player->needed[node] <= 0 && player->fate[node] == SW__FATE_NEVER)
            player->begins[player->begin_count++] = node;
    }
    player->spare_is_used = true;
    memcpy(player->needed_at_first, player->needed, nodes * sizeof(int32_t));
    memcpy(player->spare_at_first, player->spare, nodes * sizeof(int32_t));
    memcpy(player->skipped_at_first, player->fate, nodes);
}

static bool player_init(play_player *player, sw__arena *scratch, const sw__play *play)
{
    size_t nodes = (size_t)play->graph->node_count;
    *player = (play_player){.play = play};
    player->left_us = sw__arena_array_raw(scratch, nodes, sizeof(int64_t));
    player->needed_at_first = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->spare_at_first = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->needed = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->spare = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->skipped_at_first = sw__arena_array_raw(scratch, nodes, 1);
    player->fate = sw__arena_array(scratch, nodes, 1);
    player->causes = sw__arena_array_raw(scratch, nodes, sizeof(play_cause));
    player->begins = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->draws = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->aside = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->skipped = sw__arena_array_raw(scratch, nodes, sizeof(int32_t));
    player->runs = sw__arena_array_raw(scratch, nodes, sizeof(play_run));
    if (!sw__ranks_init(&player->ready, scratch, nodes) || sw__arena_failed(scratch))
        return false;
    player_set_nodes(player);
    player_set_begin(player);
    return true;
}

/* The course. */

/* The nodes before the last one, each the cause of the next, first one first. */
static int32_t player_path(const play_player *player, int32_t *path)
{
    int32_t count = 0;
    for (int32_t node = player->last; node >= 0; node = player->causes[node].node)
        path[count++] = node;
    for (int32_t i = 0; i < count / 2; i++) {
        int32_t swap = path[i];
        path[i] = path[count - 1 - i];
        path[count - 1 - i] = swap;
    }
    return count;
}

static int player_course(play_player *player, sw__arena *arena, sw__play_course *out)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    int32_t *path = sw__arena_array_raw(arena, nodes, sizeof(*path));
    uint8_t *fate = sw__arena_array(arena, nodes, 1);
    if (!path || !fate)
        return SW_ENOMEM;
    for (int32_t i = 0; i < player->draw_count; i++)
        player->left_us[player->draws[i]] = sw__play_left(play, player->draws[i], 0.5);
    player_play(player);
    *out = (sw__play_course){.left_us = player->now_us, .failed = player->failed};
    for (int32_t i = 0; i < player->draw_count; i++) {
        int32_t node = player->draws[i];
        fate[node] = player->fate[node];
        out->failed |= fate[node] == SW__FATE_NEVER;
    }
    out->fate = fate;
    out->path = path;
    out->path_count = player_path(player, path);
    return SW_OK;
}

/* Many plays. */

static void player_draw(play_player *player, int32_t number)
{
    const sw__play *play = player->play;
    for (int32_t i = 0; i < player->draw_count; i++) {
        int32_t node = player->draws[i];
        player->left_us[node] = sw__play_left(play, node, play_random(play->seed, number, node));
    }
}

/* Only what differs from the first play is drawn for another one. */
static void player_draw_only_others(play_player *player, const sw__play *first)
{
    const sw__play *play = player->play;
    int32_t count = 0;
    for (int32_t i = 0; i < player->draw_count; i++) {
        int32_t node = player->draws[i];
        if (play->state[node] != first->state[node] || play->factor[node] != first->factor[node])
            player->draws[count++] = node;
    }
    player->draw_count = count;
}

static void play_note(const play_player *player, int32_t number, sw__play_answer *out)
{
    for (int32_t node = player->last; node >= 0; node = player->causes[node].node)
        out->decides[node]++;
    out->left_us[number] = player->now_us;
    out->work_us[number] = player->work_us;
}

static int player_prepare(play_player *player, sw__arena *arena, const sw__play *play,
                          int32_t count, sw__play_answer *out)
{
    out->left_us = sw__arena_array_raw(arena, (size_t)count, sizeof(int64_t));
    out->work_us = sw__arena_array_raw(arena, (size_t)count, sizeof(double));
    out->decides = sw__arena_array(arena, (size_t)play->graph->node_count, sizeof(int32_t));
    if (!out->left_us || !out->work_us || !out->decides || !player_init(player, arena, play))
        return SW_ENOMEM;
    return player_course(player, arena, &out->course);
}

int sw__play_many(sw__arena *arena, const sw__play *plays, int32_t play_count, int32_t count,
                  sw__play_answer *out)
{
    size_t nodes = (size_t)plays->graph->node_count;
    play_player *players = sw__arena_array(arena, (size_t)play_count, sizeof(*players));
    if (!players)
        return SW_ENOMEM;
    for (int32_t i = 0; i < play_count; i++) {
        if (player_prepare(&players[i], arena, &plays[i], count, &out[i]) < 0)
            return SW_ENOMEM;
        if (i > 0)
            player_draw_only_others(&players[i], plays);
    }
    for (int32_t number = 0; number < count; number++) {
        for (int32_t i = 0; i < play_count; i++) {
            if (i > 0)
                memcpy(players[i].left_us, players[0].left_us, nodes * sizeof(int64_t));
            player_draw(&players[i], number);
            player_play(&players[i]);
            play_note(&players[i], number, &out[i]);
        }
    }
    return SW_OK;
}
