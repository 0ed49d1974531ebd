/* Plays of the rest of a run, again and again with other durations.
 *
 * One set of arrays is made per call, and every play of every case takes its turn with it, because
 * memory that a process touches for the first time costs more than anything that is done with it;
 * what is not needed is not written to. A random number belongs to a play and a node and to nothing
 * else, so that two plays of the same number differ only in what the caller changed, and a case
 * that leaves nothing to chance is played once.
 * Not here: one play (play.c), how long nodes take (samples.c), the best order of ready nodes,
 * which is the caller's, as workers would take them.
 */
#include "graph/forecast.h"

#include <string.h>

#include "graph/play.h"
#include "stepwell/error.h"

#define PLAY_MEDIAN (-1) /* the number of the play in which every node takes its median */

/* Making a player. */

static bool player_alloc(sw__player *player, sw__arena *work, size_t nodes)
{
    player->left_us = sw__arena_array_raw(work, nodes, sizeof(int64_t));
    player->needed = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    player->spare = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    player->fate = sw__arena_array_raw(work, nodes, 1);
    player->causes = sw__arena_array_raw(work, nodes, sizeof(sw__play_cause));
    player->aside = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    player->gathered = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    player->skipped = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    player->runs = sw__arena_array_raw(work, nodes, sizeof(sw__play_run));
    player->ready = sw__arena_alloc(work, sizeof(*player->ready));
    return !sw__arena_failed(work) && sw__ranks_init(player->ready, work, nodes);
}

/* Whether every node waits. */
static bool play_is_fresh(const sw__play *play)
{
    int32_t node = 0;
    while (node < play->graph->node_count && play->state[node] == SW__PLAY_WAITS)
        node++;
    return node == play->graph->node_count;
}

/* What the nodes that are over have done, once for all plays. Nodes that are over or run wait for
 * nothing. */
static bool player_set_over(sw__player *player, sw__arena *work)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    int32_t *needed = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    int32_t *spare = sw__arena_array_raw(work, nodes, sizeof(int32_t));
    uint8_t *fate = sw__arena_array_raw(work, nodes, 1);
    if (!needed || !spare || !fate)
        return false;
    for (size_t node = 0; node < nodes; node++)
        player->needed[node] = play->state[node] == SW__PLAY_WAITS ? play->needed[node] : 0;
    if (play->spare)
        memcpy(player->spare, play->spare, nodes * sizeof(int32_t));
    memset(player->fate, SW__FATE_NEVER, nodes);
    for (size_t node = 0; node < nodes; node++) {
        if (play->state[node] == SW__PLAY_OVER)
            sw__player_tell_all(player, (int32_t)node, play->end[node] & SW__END_MASK);
    }
    memcpy(needed, player->needed, nodes * sizeof(int32_t));
    if (play->spare)
        memcpy(spare, player->spare, nodes * sizeof(int32_t));
    memcpy(fate, player->fate, nodes);
    player->needed_at_first = needed;
    player->spare_at_first = spare;
    player->fate_at_first = fate;
    return true;
}

static bool player_set_begins(sw__player *player, sw__arena *work)
{
    const sw__play *play = player->play;
    int32_t nodes = play->graph->node_count, count = 0;
    int32_t *begins = sw__arena_array_raw(work, (size_t)nodes, sizeof(*begins));
    for (int32_t node = 0; begins && node < nodes; node++) {
        bool skipped = player->fate_at_first && player->fate_at_first[node] != SW__FATE_NEVER;
        if (play->state[node] != SW__PLAY_OVER && player->needed_at_first[node] <= 0 && !skipped)
            begins[count++] = node;
    }
    player->begins = begins;
    player->begin_count = count;
    return begins != NULL;
}

/* How the plays of this case begin. */
static bool player_set_first(sw__player *player, sw__arena *work)
{
    player->needed_at_first = player->play->needed;
    player->spare_at_first = player->play->spare;
    player->fate_at_first = NULL;
    if (!play_is_fresh(player->play) && !player_set_over(player, work))
        return false;
    return player_set_begins(player, work);
}

/* The same for a case behind the first: nodes that are over there are so here, unless the states
 * differ. If nothing there needed to know what can be spared, nothing has been taken off it. */
static bool player_set_case(sw__player *player, const sw__play *first, sw__arena *work)
{
    if (player->play->state != first->state)
        return player_set_first(player, work);
    if (!first->spare)
        player->spare_at_first = player->play->spare;
    return true;
}

/* Those that differ from the first case; left_us has the times of that one. Where the states are
 * the same ones, only a factor makes a difference. */
static bool player_set_others(sw__player *player, sw__arena *work, const sw__play *first)
{
    const sw__play *play = player->play;
    bool any = play->state != first->state || first->factor_count > 0;
    int32_t most = any ? play->graph->node_count : play->factor_count, count = 0;
    int32_t *others = sw__arena_array_raw(work, (size_t)most, sizeof(*others));
    for (int32_t i = 0; others && i < most; i++) {
        int32_t node = any ? i : play->factors[i].node;
        bool same = play->state[node] == first->state[node] &&
                    sw__play_factor(play, node) == sw__play_factor(first, node);
        if (!same && play->state[node] != SW__PLAY_OVER)
            others[count++] = node;
    }
    player->others = others;
    player->other_count = count;
    return others != NULL;
}

static void player_look(sw__player *player)
{
    const sw__play *play = player->play;
    player->counts_for_all = ~0u;
    player->varies = false;
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        player->counts_for_all &= play->counts[node];
        player->varies |= sw__play_varies(play, node);
    }
}

/* first is the player of the first case, NULL: this is it. */
static bool player_init(sw__player *player, const sw__player *first, sw__arena *work,
                        const sw__play *play)
{
    *player = first ? *first : (sw__player){0};
    player->play = play;
    if (!first && !player_alloc(player, work, (size_t)play->graph->node_count))
        return false;
    if (!first || play->state != first->play->state)
        player_look(player);
    if (!first)
        return player_set_first(player, work);
    if (!player_set_case(player, first->play, work))
        return false;
    return player_set_others(player, work, first->play);
}

/* Durations. */

static void player_draw_node(sw__player *player, const sw__play *play, int32_t node, int32_t number)
{
    player->left_us[node] =
        number == PLAY_MEDIAN ? sw__play_left(play, node, 0.5) : sw__play_draw(play, node, number);
}

/* The durations of a play: behind the medians, only what is left to chance; behind those of the
 * first case, only what differs. */
static void player_draw(sw__player *player, int32_t number)
{
    const sw__play *play = player->play;
    for (int32_t i = 0; i < player->other_count; i++)
        player_draw_node(player, play, player->others[i], number);
    if (!player->others && number == PLAY_MEDIAN)
        sw__play_left_all(play, 0.5, player->left_us);
    else if (!player->others)
        sw__play_draw_all(play, number, player->left_us);
}

/* Leave the durations of the first case to the next one. */
static void player_undraw(sw__player *player, const sw__play *first, int32_t number)
{
    for (int32_t i = 0; i < player->other_count; i++) {
        if (first->state[player->others[i]] != SW__PLAY_OVER)
            player_draw_node(player, first, player->others[i], number);
    }
}

/* The course. */

/* The nodes before the last one, each the cause of the next, first one first. */
static int32_t player_path(const sw__player *player, int32_t *path)
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

static int player_course(sw__player *player, sw__arena *arena, sw__play_course *out)
{
    const sw__play *play = player->play;
    size_t nodes = (size_t)play->graph->node_count;
    int32_t *path = sw__arena_array_raw(arena, nodes, sizeof(*path));
    uint8_t *fate = sw__arena_array_raw(arena, nodes, 1);
    if (!path || !fate)
        return SW_ENOMEM;
    player_draw(player, PLAY_MEDIAN);
    sw__player_play(player);
    *out = (sw__play_course){.left_us = player->now_us, .failed = player->failed};
    memcpy(fate, player->fate, nodes);
    for (size_t node = 0; node < nodes; node++)
        out->failed |= play->state[node] != SW__PLAY_OVER && fate[node] == SW__FATE_NEVER;
    out->fate = fate;
    out->path = path;
    out->path_count = player_path(player, path);
    return SW_OK;
}

/* Many plays. */

/* Note so many plays from this number on that went as the last one did. */
static void play_note(const sw__player *player, int32_t number, int32_t count, sw__play_answer *out)
{
    for (int32_t node = player->last; node >= 0; node = player->causes[node].node)
        out->decides[node] += count;
    for (int32_t i = number; i < number + count; i++) {
        out->left_us[i] = player->now_us;
        out->work_us[i] = player->work_us;
    }
}

/* The player of a case and its course; of one that leaves nothing to chance, all plays. */
static int player_prepare(sw__player *player, const sw__player *first, sw__arena *arena,
                          sw__arena *work, const sw__play *play, int32_t count,
                          sw__play_answer *out)
{
    out->left_us = sw__arena_array_raw(arena, (size_t)count, sizeof(int64_t));
    out->work_us = sw__arena_array_raw(arena, (size_t)count, sizeof(double));
    out->decides = sw__arena_array(arena, (size_t)play->graph->node_count, sizeof(int32_t));
    if (!out->left_us || !out->work_us || !out->decides ||
        !player_init(player, first, work, play) || player_course(player, arena, &out->course) < 0)
        return SW_ENOMEM;
    if (!player->varies)
        play_note(player, 0, count, out);
    if (first)
        player_undraw(player, first->play, PLAY_MEDIAN);
    return SW_OK;
}

static int plays_run(sw__arena *arena, sw__arena *work, const sw__play *plays, int32_t play_count,
                     int32_t count, sw__play_answer *out)
{
    sw__player *players = sw__arena_array(work, (size_t)play_count, sizeof(*players));
    if (!players)
        return SW_ENOMEM;
    for (int32_t i = 0; i < play_count; i++) {
        if (player_prepare(&players[i], i > 0 ? players : NULL, arena, work, &plays[i], count,
                           &out[i]) < 0)
            return SW_ENOMEM;
    }
    for (int32_t number = 0; number < count; number++) {
        for (int32_t i = 0; i < play_count; i++) {
            if (!players[i].varies)
                continue;
            player_draw(&players[i], number);
            sw__player_play(&players[i]);
            play_note(&players[i], number, 1, &out[i]);
            player_undraw(&players[i], plays, number);
        }
    }
    return SW_OK;
}

int sw__play_many(sw__arena *arena, const sw__play *plays, int32_t play_count, int32_t count,
                  sw__play_answer *out)
{
    sw__arena *work = sw__arena_new(sw__arena_env(arena));
    if (!work)
        return SW_ENOMEM;
    int rc = plays_run(arena, work, plays, play_count, count, out);
    sw__arena_free(work);
    return rc;
}
