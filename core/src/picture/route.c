/* Channel routing: columns at both borders, rows in between.
 *
 * Rows are given by the left-edge algorithm (Hashimoto and Stevens 1971) under vertical
 * constraints: where one net comes down in a column in which another goes on down, the first has
 * to turn off above the second. Among rows that are allowed, those that cross less come first.
 * Sizes are bounded by the columns of a terminal, so that comparing all with all is fine.
 */
#include "picture/route.h"

#include <stddef.h>
#include <stdlib.h>

/* What all pairs of nets are to each other. */
typedef struct route_pairs {
    bool precedes[SW__ROUTE_NETS_MOST][SW__ROUTE_NETS_MOST];     /* must turn off above it */
    int32_t crossings[SW__ROUTE_NETS_MOST][SW__ROUTE_NETS_MOST]; /* when it runs above it */
} route_pairs;

static bool vertex_box(const sw__route *route, int32_t vertex)
{
    return vertex < route->node_count;
}

/* First and last column of a border where a line may meet it. */
static int32_t border_first(const sw__route *route, int32_t vertex)
{
    if (!vertex_box(route, vertex))
        return route->x[vertex];
    return route->x[vertex] - route->width[vertex] / 2 + 1;
}

static int32_t border_last(const sw__route *route, int32_t vertex)
{
    if (!vertex_box(route, vertex))
        return route->x[vertex];
    return border_first(route, vertex) + route->width[vertex] - 3;
}

static bool tops_equal(const sw__route *route, int32_t a, int32_t b)
{
    const sw__route_piece *pieces = route->pieces;
    int32_t a_bottom = pieces[a].bottom, b_bottom = pieces[b].bottom;
    for (;; a++, b++) {
        bool a_ends = a == route->piece_count || pieces[a].bottom != a_bottom;
        bool b_ends = b == route->piece_count || pieces[b].bottom != b_bottom;
        if (a_ends || b_ends)
            return a_ends && b_ends;
        if (pieces[a].top != pieces[b].top)
            return false;
    }
}

static void nets_find(sw__route *route)
{
    sw__route_piece *pieces = route->pieces;
    route->net_count = 0;
    for (int32_t i = 0; i < route->piece_count; i++) {
        if (i > 0 && pieces[i].bottom == pieces[i - 1].bottom) {
            pieces[i].net = pieces[i - 1].net;
            continue;
        }
        int32_t net = 0;
        while (net < route->net_count && !tops_equal(route, route->nets[net].piece, i))
            net++;
        if (net == route->net_count)
            route->nets[route->net_count++] = (sw__route_net){.piece = i, .track = -1};
        pieces[i].net = net;
    }
}

static void nets_aim(sw__route *route)
{
    for (int32_t net = 0; net < route->net_count; net++) {
        int32_t least = INT32_MAX, most = INT32_MIN;
        for (int32_t i = 0; i < route->piece_count; i++) {
            int32_t x = route->x[route->pieces[i].bottom];
            if (route->pieces[i].net != net)
                continue;
            least = x < least ? x : least;
            most = x > most ? x : most;
        }
        route->nets[net].aim = least + most;
    }
}

/* Nets that leave a vertex, by where they want to go; how many. */
static int32_t top_nets(const sw__route *route, int32_t vertex, int32_t nets[SW__ROUTE_NETS_MOST])
{
    int32_t count = 0;
    for (int32_t i = 0; i < route->piece_count; i++) {
        int32_t net = route->pieces[i].net, at = 0;
        if (route->pieces[i].top != vertex)
            continue;
        while (at < count && nets[at] != net)
            at++;
        if (at < count)
            continue;
        for (at = count++; at > 0 && route->nets[nets[at - 1]].aim > route->nets[net].aim; at--)
            nets[at] = nets[at - 1];
        nets[at] = net;
    }
    return count;
}

static int32_t column_clamp(int32_t value, int32_t least, int32_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* Columns for all nets of one box: near to where they go, in their order, apart if there is room.
 */
static bool ports_spread(const sw__route *route, int32_t vertex, const int32_t *nets, int32_t count,
                         int32_t columns[SW__ROUTE_NETS_MOST])
{
    int32_t first = border_first(route, vertex), last = border_last(route, vertex);
    int32_t room = last - first + 1;
    int32_t step = room >= 2 * count - 1 ? 2 : 1;
    if (room < count)
        return false;
    if (room >= 2 * count + 1) {
        first++;
        last--;
    }
    for (int32_t i = 0; i < count; i++) {
        int32_t least = i == 0 ? first : columns[i - 1] + step;
        columns[i] = column_clamp(route->nets[nets[i]].aim / 2, first, last);
        columns[i] = columns[i] < least ? least : columns[i];
    }
    for (int32_t i = count - 1; i >= 0; i--) {
        int32_t most = i == count - 1 ? last : columns[i + 1] - step;
        columns[i] = columns[i] > most ? most : columns[i];
    }
    return true;
}

/* The column nearest to the middle of a vertex in which a line of it could go on straight, among
 * those of its lines to the other side; its middle when there is none. */
static int32_t port_straight(const sw__route *route, int32_t vertex, bool below)
{
    int32_t middle = route->x[vertex], best = -1;
    for (int32_t i = 0; i < route->piece_count; i++) {
        const sw__route_piece *piece = &route->pieces[i];
        int32_t column = below ? route->x[piece->bottom] : piece->from;
        if ((below ? piece->top : piece->bottom) != vertex ||
            column < border_first(route, vertex) || column > border_last(route, vertex))
            continue;
        if (best < 0 || abs(column - middle) < abs(best - middle))
            best = column;
    }
    return best < 0 ? middle : best;
}

static bool ports_top(sw__route *route, int32_t vertex)
{
    int32_t nets[SW__ROUTE_NETS_MOST], columns[SW__ROUTE_NETS_MOST];
    int32_t count = top_nets(route, vertex, nets);
    if (count == 1)
        columns[0] = port_straight(route, vertex, true);
    else if (!ports_spread(route, vertex, nets, count, columns))
        return false;
    for (int32_t i = 0; i < route->piece_count; i++) {
        for (int32_t k = 0; k < count && route->pieces[i].top == vertex; k++) {
            if (route->pieces[i].net == nets[k])
                route->pieces[i].from = columns[k];
        }
    }
    return true;
}

static bool ports_assign(sw__route *route)
{
    for (int32_t i = 0; i < route->piece_count; i++) {
        bool done = false;
        for (int32_t k = 0; k < i && !done; k++)
            done = route->pieces[k].top == route->pieces[i].top;
        if (!done && !ports_top(route, route->pieces[i].top))
            return false;
    }
    for (int32_t i = 0; i < route->piece_count; i++)
        route->pieces[i].to = port_straight(route, route->pieces[i].bottom, false);
    return true;
}

static void nets_measure(sw__route *route)
{
    for (int32_t i = 0; i < route->net_count; i++) {
        route->nets[i].left = INT32_MAX;
        route->nets[i].right = INT32_MIN;
        route->nets[i].track = -1;
    }
    for (int32_t i = 0; i < route->piece_count; i++) {
        const sw__route_piece *piece = &route->pieces[i];
        sw__route_net *net = &route->nets[piece->net];
        int32_t least = piece->from < piece->to ? piece->from : piece->to;
        int32_t most = piece->from > piece->to ? piece->from : piece->to;
        net->left = least < net->left ? least : net->left;
        net->right = most > net->right ? most : net->right;
    }
}

/* Whether net above must turn off over net below. */
static bool net_must_precede(const sw__route *route, int32_t above, int32_t below)
{
    for (int32_t i = 0; i < route->piece_count; i++) {
        for (int32_t k = 0; k < route->piece_count && route->pieces[i].net == above; k++) {
            if (route->pieces[k].net == below && route->pieces[i].from == route->pieces[k].to)
                return true;
        }
    }
    return false;
}

/* Columns in which lines cross when one net runs above another. A column counts once for each
 * piece, which is fine for comparing. */
static int32_t nets_crossings(const sw__route *route, int32_t above, int32_t below)
{
    const sw__route_net *upper = &route->nets[above], *lower = &route->nets[below];
    int32_t crossings = 0;
    for (int32_t i = 0; i < route->piece_count; i++) {
        const sw__route_piece *piece = &route->pieces[i];
        if (piece->net == below)
            crossings += piece->from >= upper->left && piece->from <= upper->right;
        if (piece->net == above)
            crossings += piece->to >= lower->left && piece->to <= lower->right;
    }
    return crossings;
}

static void pairs_fill(const sw__route *route, route_pairs *pairs)
{
    for (int32_t above = 0; above < route->net_count; above++) {
        for (int32_t below = 0; below < route->net_count; below++) {
            pairs->precedes[above][below] = above != below && net_must_precede(route, above, below);
            pairs->crossings[above][below] =
                above != below ? nets_crossings(route, above, below) : 0;
        }
    }
}

static bool net_waits(const sw__route *route, const route_pairs *pairs, int32_t net, bool gently)
{
    for (int32_t other = 0; other < route->net_count; other++) {
        const sw__route_net *row = &route->nets[other];
        if (other == net || row->left == row->right || row->track >= 0)
            continue;
        if (pairs->precedes[other][net])
            return true;
        bool apart = row->right < route->nets[net].left || row->left > route->nets[net].right;
        if (gently && !apart && !pairs->precedes[net][other] &&
            pairs->crossings[other][net] < pairs->crossings[net][other])
            return true;
    }
    return false;
}

/* The leftmost net that may lie in the row behind column end; -1 for none. Nets of this row do not
 * count as placed above those that wait for them. */
static int32_t track_next(const sw__route *route, const bool *ready, int32_t end)
{
    int32_t best = -1;
    for (int32_t net = 0; net < route->net_count; net++) {
        if (ready[net] && route->nets[net].track < 0 && route->nets[net].left > end &&
            (best < 0 || route->nets[net].left < route->nets[best].left))
            best = net;
    }
    return best;
}

/* Fill one row; false when no net may lie in it. */
static bool track_fill(sw__route *route, const route_pairs *pairs, int32_t track, bool *ready)
{
    bool any = false;
    for (int pass = 0; pass < 2 && !any; pass++) {
        for (int32_t net = 0; net < route->net_count; net++) {
            bool open =
                route->nets[net].track < 0 && route->nets[net].left < route->nets[net].right;
            ready[net] = open && !net_waits(route, pairs, net, pass == 0);
            any = any || ready[net];
        }
    }
    int32_t end = INT32_MIN;
    for (int32_t net = track_next(route, ready, end); net >= 0;
         net = track_next(route, ready, end)) {
        route->nets[net].track = track;
        end = route->nets[net].right;
    }
    return any;
}

static bool tracks_assign(sw__route *route)
{
    route_pairs pairs;
    bool ready[SW__ROUTE_NETS_MOST];
    int32_t open = 0;
    nets_measure(route);
    pairs_fill(route, &pairs);
    route->track_count = 0;
    for (int32_t net = 0; net < route->net_count; net++)
        open += route->nets[net].left < route->nets[net].right;
    while (open > 0) {
        if (!track_fill(route, &pairs, route->track_count, ready))
            return false;
        for (int32_t net = 0; net < route->net_count; net++)
            open -= route->nets[net].track == route->track_count;
        route->track_count++;
    }
    return true;
}

/* Whether a line of another net comes down in this column. */
static bool column_taken(const sw__route *route, int32_t net, int32_t column)
{
    for (int32_t i = 0; i < route->piece_count; i++) {
        if (route->pieces[i].net != net && route->pieces[i].from == column)
            return true;
    }
    return false;
}

/* Nets that wait for each other: let lines meet the boxes below beside the columns in question. */
static void ports_shift(sw__route *route)
{
    for (int32_t i = 0; i < route->piece_count; i++) {
        sw__route_piece *piece = &route->pieces[i];
        if (i > 0 && route->pieces[i - 1].bottom == piece->bottom) {
            piece->to = route->pieces[i - 1].to;
            continue;
        }
        for (int32_t by = 1; column_taken(route, piece->net, piece->to) && by < 8; by++) {
            int32_t column = piece->to + (by % 2 ? by : -by);
            if (column < border_first(route, piece->bottom) ||
                column > border_last(route, piece->bottom))
                break;
            piece->to = column;
        }
    }
}

bool sw__route_solve(sw__route *route)
{
    if (route->piece_count > SW__ROUTE_PIECES_MOST)
        return false;
    nets_find(route);
    if (route->net_count > SW__ROUTE_NETS_MOST)
        return false;
    nets_aim(route);
    if (!ports_assign(route))
        return false;
    if (tracks_assign(route))
        return true;
    ports_shift(route);
    return tracks_assign(route);
}
