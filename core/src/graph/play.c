/* One play; see play.h.
 *
 * A play costs O((V + E) log workers) and asks for no memory. What is read for each edge is one
 * counter, and what is seldom needed lies apart. Which node ends first and whom it makes ready is
 * hard to guess for a processor: those choices are sums, not branches.
 */
#include "graph/play.h"

#include <string.h>

/* The heap of running nodes; of equal ends the lower number comes first. */

static bool run_before(sw__play_run a, sw__play_run b)
{
    return (uint64_t)a.end_us < (uint64_t)b.end_us + (a.node < b.node);
}

static void runs_push(sw__player *player, sw__play_run run)
{
    int32_t at = player->run_count++;
    while (at > 0 && run_before(run, player->runs[(at - 1) / 2])) {
        player->runs[at] = player->runs[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    player->runs[at] = run;
}

static sw__play_run runs_pop(sw__player *player)
{
    sw__play_run top = player->runs[0], last = player->runs[--player->run_count];
    int32_t at = 0;
    for (int32_t child = 1; child < player->run_count; child = 2 * at + 1) {
        if (child + 1 < player->run_count)
            child += run_before(player->runs[child + 1], player->runs[child]);
        if (!run_before(player->runs[child], last))
            break;
        player->runs[at] = player->runs[child];
        at = child;
    }
    player->runs[at] = last;
    return top;
}

/* One play. */

/* A bit for each resource. */
static unsigned play_holds(const sw__play *play, int32_t node)
{
    return play->holds ? play->holds[node] : 0;
}

static bool player_seats_free(const sw__player *player, int32_t node)
{
    for (unsigned holds = play_holds(player->play, node); holds; holds &= holds - 1) {
        if (player->free_seats[__builtin_ctz(holds)] <= 0)
            return false;
    }
    return true;
}

/* Take a worker and seats, or give them back with by = 1. */
static void player_node_take(sw__player *player, int32_t node, int32_t by)
{
    player->free_workers += by;
    for (unsigned holds = play_holds(player->play, node); holds; holds &= holds - 1)
        player->free_seats[__builtin_ctz(holds)] += by;
}

static inline void player_node_start(sw__player *player, int32_t node)
{
    int64_t left = player->left_us[node], end;
    if (__builtin_add_overflow(player->now_us, left, &end))
        end = INT64_MAX;
    player->work_us += (double)left;
    player_node_take(player, node, -1);
    runs_push(player, (sw__play_run){end, node});
}

static uint32_t play_rank(const sw__play *play, int32_t node)
{
    return (uint32_t)(play->rank ? play->rank[node] : node);
}

/* A node needs none of its dependencies any more. */
static void player_node_ready(sw__player *player, int32_t node, int32_t cause)
{
    player->causes[node] = (sw__play_cause){cause, player->moment};
    sw__ranks_put(player->ready, play_rank(player->play, node));
}

/* Begin what can begin now, in the order of the ranks. */
static void player_begin(sw__player *player)
{
    int32_t aside = 0;
    const int32_t *by_rank = player->play->by_rank;
    while (player->free_workers > 0 && !player->stopped && !sw__ranks_empty(player->ready)) {
        int32_t rank = (int32_t)sw__ranks_take_least(player->ready);
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
        sw__ranks_put(player->ready, (uint32_t)player->aside[--aside]);
}

/* An end that counts for everybody. */
static inline void player_tell_count(sw__player *player, int32_t node, int32_t cause)
{
    const sw__graph *graph = player->play->graph;
    const int32_t *to = graph->out_node + graph->out_start[node];
    const int32_t *end = graph->out_node + graph->out_start[node + 1];
    int32_t *needed = player->needed, *ready = player->gathered, count = 0;
    for (; to < end; to++) {
        ready[count] = *to;
        count += --needed[*to] == 0;
    }
    for (int32_t i = 0; i < count; i++)
        player_node_ready(player, ready[i], cause);
}

/* Tell the dependents of a node how it has ended. Those that are skipped by it come to the list;
 * cause is the node that really ended. */
static void player_tell(sw__player *player, int32_t node, int end, int32_t cause)
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
        if (player->spare[to] < 0) {
            player->needed[to] = 0;
            player->fate[to] = SW__FATE_SKIPPED;
            player->skipped[player->skipped_count++] = to;
        } else if (player->needed[to] == 0) {
            player_node_ready(player, to, cause);
        }
    }
}

void sw__player_tell_all(sw__player *player, int32_t node, int end)
{
    player_tell(player, node, end, node);
    while (player->skipped_count > 0)
        player_tell(player, player->skipped[--player->skipped_count], player->play->skipped, node);
}

static void player_node_end(sw__player *player, int32_t node)
{
    int end = player->play->end[node];
    player_node_take(player, node, 1);
    player->last = node;
    player->fate[node] = SW__FATE_RAN;
    player->failed |= (end & SW__END_FAILS) != 0;
    player->stopped |= (end & SW__END_STOPS) != 0;
    if (player->stopped)
        return;
    /* Mostly nobody is skipped by it, and nothing has to be passed on. */
    if (player->counts_for_all >> (end & SW__END_MASK) & 1)
        player_tell_count(player, node, node);
    else
        sw__player_tell_all(player, node, end & SW__END_MASK);
}

static void player_reset(sw__player *player)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    memcpy(player->needed, player->needed_at_first, nodes * sizeof(int32_t));
    if (play->spare)
        memcpy(player->spare, player->spare_at_first, nodes * sizeof(int32_t));
    if (player->fate_at_first)
        memcpy(player->fate, player->fate_at_first, nodes);
    else
        memset(player->fate, SW__FATE_NEVER, nodes);
    memcpy(player->free_seats, play->seats, sizeof(player->free_seats));
    while (!sw__ranks_empty(player->ready))
        sw__ranks_take_least(player->ready);
    player->free_workers = play->workers;
    player->now_us = 0;
    player->moment = 0;
    player->last = -1;
    player->work_us = 0;
    player->stopped = false;
    player->failed = false;
}

void sw__player_play(sw__player *player)
{
    player_reset(player);
    for (int32_t i = 0; i < player->begin_count; i++) {
        int32_t node = player->begins[i];
        player->causes[node] = (sw__play_cause){-1, 0};
        if (player->play->state[node] == SW__PLAY_RUNS)
            player_node_start(player, node);
        else
            sw__ranks_put(player->ready, play_rank(player->play, node));
    }
    for (;;) {
        while (player->run_count > 0 && player->runs[0].end_us == player->now_us)
            player_node_end(player, runs_pop(player).node);
        player_begin(player);
        if (player->run_count == 0)
            return;
        player->moment += player->runs[0].end_us > player->now_us;
        player->now_us = player->runs[0].end_us;
    }
}
