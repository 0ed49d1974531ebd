/* Keeping an order while edges come in.
 *
 * A new edge that points forward in the order changes nothing. One that points backward, from a
 * node at a late place to one at an early place, concerns only nodes between these places: those
 * that the end leads to and those that lead to the start. The latter move before the former, on the
 * places that both together have now. If the search forward comes to the start, the edge would
 * close a cycle. Searches are breadth-first, so that the cycle is the shortest through that edge.
 */
#include "graph/edit.h"

/* One direction of a search: which lists of neighbours to follow, and up to which place. */
typedef struct edit_search {
    bool forward;
    int32_t limit; /* the last place to go to */
    int32_t goal;  /* where to stop; -1: nowhere */
    int32_t begin; /* the run of found nodes in edit->found */
    int32_t end;
} edit_search;

static sw__edit_node *edit_node(const sw__edit *edit, int32_t node)
{
    return (sw__edit_node *)(void *)edit->nodes.ptr + node;
}

static sw__edit_edge *edit_edge(const sw__edit *edit, int32_t edge)
{
    return (sw__edit_edge *)(void *)edit->edges.ptr + edge;
}

static int32_t *edit_ints(const sw__buf *buf)
{
    return (int32_t *)(void *)buf->ptr;
}

const sw__edit_edge *sw__edit_edges(const sw__edit *edit)
{
    return edit_edge(edit, 0);
}

const int32_t *sw__edit_order(const sw__edit *edit)
{
    return edit_ints(&edit->order);
}

const int32_t *sw__edit_cycle(const sw__edit *edit)
{
    return edit_ints(&edit->found);
}

/* Room for the whole buffer to hold count elements, whatever its length is now. */
static bool edit_room(sw__buf *buf, int32_t count, size_t size)
{
    size_t needed = (size_t)count * size;
    return sw__buf_reserve(buf, needed > buf->len ? needed - buf->len : 0) != NULL;
}

/* Room for everything a graph of so many nodes needs, so that nothing later can fail. */
static bool edit_room_for_nodes(sw__edit *edit, int32_t count)
{
    bool room = edit_room(&edit->nodes, count, sizeof(sw__edit_node)) &&
                edit_room(&edit->order, count, sizeof(int32_t)) &&
                edit_room(&edit->found, count, sizeof(int32_t)) &&
                edit_room(&edit->sorted, count, sizeof(int32_t));
    edit->nodes.failed = edit->order.failed = edit->found.failed = edit->sorted.failed = false;
    return room;
}

static void edit_node_put(sw__edit *edit, int32_t node, int32_t place)
{
    *edit_node(edit, node) = (sw__edit_node){.place = place, .out_newest = -1, .in_newest = -1};
    edit_ints(&edit->order)[place] = node;
}

static void edit_count_set(sw__edit *edit, int32_t count)
{
    edit->node_count = count;
    edit->nodes.len = (size_t)count * sizeof(sw__edit_node);
    edit->order.len = (size_t)count * sizeof(int32_t);
}

int sw__edit_init(sw__edit *edit, const sw_env *env, const sw__graph *base, const int32_t *order)
{
    *edit = (sw__edit){.env = env, .base = base};
    sw__buf *bufs[] = {&edit->nodes, &edit->edges,  &edit->order,
                       &edit->found, &edit->sorted, &edit->log};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        sw__buf_init(bufs[i], env);
    if (!edit_room_for_nodes(edit, base->node_count) || !sw__buf_reserve(&edit->edges, 0)) {
        sw__edit_free(edit);
        return SW_ENOMEM;
    }
    for (int32_t place = 0; place < base->node_count; place++)
        edit_node_put(edit, order[place], place);
    edit_count_set(edit, base->node_count);
    return SW_OK;
}

void sw__edit_free(sw__edit *edit)
{
    sw__buf_free(&edit->nodes);
    sw__buf_free(&edit->edges);
    sw__buf_free(&edit->order);
    sw__buf_free(&edit->found);
    sw__buf_free(&edit->sorted);
    sw__buf_free(&edit->log);
}

int sw__edit_add_nodes(sw__edit *edit, int32_t count)
{
    if (count >= INT32_MAX - edit->node_count)
        return SW_ELIMIT;
    if (!edit_room_for_nodes(edit, edit->node_count + count))
        return SW_ENOMEM;
    for (int32_t i = 0; i < count; i++)
        edit_node_put(edit, edit->node_count + i, edit->node_count + i);
    edit_count_set(edit, edit->node_count + count);
    return SW_OK;
}

void sw__edit_mark(sw__edit *edit)
{
    sw__buf_clear(&edit->log);
}

static void edit_edge_drop(sw__edit *edit)
{
    const sw__edit_edge *edge = edit_edge(edit, --edit->edge_count);
    edit_node(edit, edge->from)->out_newest = edge->out_next;
    edit_node(edit, edge->to)->in_newest = edge->in_next;
    edit->edges.len -= sizeof(sw__edit_edge);
}

void sw__edit_undo(sw__edit *edit, int32_t node_count, int32_t edge_count)
{
    while (edit->edge_count > edge_count)
        edit_edge_drop(edit);
    const int32_t *log = edit_ints(&edit->log);
    for (size_t at = edit->log.len / sizeof(int32_t); at > 0; at -= 2) {
        int32_t place = log[at - 2], node = log[at - 1];
        edit_ints(&edit->order)[place] = node;
        edit_node(edit, node)->place = place;
    }
    sw__buf_clear(&edit->log);
    edit_count_set(edit, node_count);
}

/* Look at one neighbour of a found node. True when it is the goal. */
static bool edit_visit(sw__edit *edit, edit_search *search, int32_t node, int32_t neighbour)
{
    sw__edit_node *known = edit_node(edit, neighbour);
    edit->looked_at++;
    bool outside = search->forward ? known->place > search->limit : known->place < search->limit;
    if (outside || known->seen == edit->searches)
        return false;
    known->seen = edit->searches;
    known->parent = node;
    edit_ints(&edit->found)[search->end++] = neighbour;
    return neighbour == search->goal;
}

static bool edit_visit_neighbours(sw__edit *edit, edit_search *search, int32_t node)
{
    const sw__graph *base = edit->base;
    if (node < base->node_count) {
        const int32_t *start = search->forward ? base->out_start : base->in_start;
        const int32_t *neighbour = search->forward ? base->out_node : base->in_node;
        for (int32_t i = start[node]; i < start[node + 1]; i++) {
            if (edit_visit(edit, search, node, neighbour[i]))
                return true;
        }
    }
    const sw__edit_node *known = edit_node(edit, node);
    int32_t edge = search->forward ? known->out_newest : known->in_newest;
    while (edge >= 0) {
        const sw__edit_edge *added = edit_edge(edit, edge);
        if (edit_visit(edit, search, node, search->forward ? added->to : added->from))
            return true;
        edge = search->forward ? added->out_next : added->in_next;
    }
    return false;
}

/* All nodes from first on, inside the limit, behind those that are found already. True when the
 * goal was met. */
static bool edit_search_run(sw__edit *edit, edit_search *search, int32_t first)
{
    edit_node(edit, first)->seen = edit->searches;
    edit_ints(&edit->found)[search->end++] = first;
    for (int32_t head = search->begin; head < search->end; head++) {
        if (edit_visit_neighbours(edit, search, edit_ints(&edit->found)[head]))
            return true;
    }
    return false;
}

/* Write the way from `to` to `from` that the search found. */
static void edit_cycle_write(sw__edit *edit, int32_t from, int32_t to)
{
    int32_t *nodes = edit_ints(&edit->found), count = 1;
    for (int32_t node = from; node != to; node = edit_node(edit, node)->parent)
        count++;
    edit->cycle_count = count;
    for (int32_t node = from; count > 1; node = edit_node(edit, node)->parent)
        nodes[--count] = node;
    nodes[0] = to;
}

static void places_sift(int32_t *places, int32_t count, int32_t at)
{
    int32_t value = places[at];
    for (int32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && places[child + 1] > places[child])
            child++;
        if (places[child] <= value)
            break;
        places[at] = places[child];
        at = child;
    }
    places[at] = value;
}

/* Heap sort: no memory, no recursion. */
static void places_sort(int32_t *places, int32_t count)
{
    for (int32_t at = count / 2; at > 0; at--)
        places_sift(places, count, at - 1);
    for (int32_t last = count - 1; last > 0; last--) {
        int32_t largest = places[0];
        places[0] = places[last];
        places[last] = largest;
        places_sift(places, last, 0);
    }
}

/* Turn a run of found nodes into its places, ascending. */
static void found_sort(sw__edit *edit, int32_t begin, int32_t end)
{
    int32_t *found = edit_ints(&edit->found);
    for (int32_t i = begin; i < end; i++)
        found[i] = edit_node(edit, found[i])->place;
    places_sort(found + begin, end - begin);
}

/* Both runs as one ascending list of places. */
static void found_merge(const int32_t *found, int32_t middle, int32_t end, int32_t *merged)
{
    int32_t a = 0, b = middle;
    for (int32_t i = 0; i < end; i++)
        merged[i] = b == end || (a < middle && found[a] < found[b]) ? found[a++] : found[b++];
}

/* Hand the places of all found nodes out anew: first to those of the second run, which lead to the
 * start of the new edge, then to those of the first, each run in its old order. */
static void edit_reorder(sw__edit *edit, int32_t middle, int32_t end)
{
    int32_t *found = edit_ints(&edit->found), *sorted = edit_ints(&edit->sorted);
    int32_t *order = edit_ints(&edit->order);
    found_sort(edit, 0, middle);
    found_sort(edit, middle, end);
    found_merge(found, middle, end, sorted);
    int32_t *log = (int32_t *)(void *)(edit->log.ptr + edit->log.len);
    for (int32_t i = 0; i < end; i++) {
        log[2 * i] = sorted[i];
        log[2 * i + 1] = order[sorted[i]];
        found[i] = order[found[i]];
    }
    edit->log.len += (size_t)end * 2 * sizeof(int32_t);
    for (int32_t i = 0; i < end; i++) {
        int32_t node = found[i < end - middle ? middle + i : i - (end - middle)];
        order[sorted[i]] = node;
        edit_node(edit, node)->place = sorted[i];
    }
}

/* Make the order agree with an edge that points backward in it. */
static int edit_turn(sw__edit *edit, int32_t from, int32_t to)
{
    edit_search ahead = {.forward = true, .limit = edit_node(edit, from)->place, .goal = from};
    edit->searches++;
    if (edit_search_run(edit, &ahead, to)) {
        edit_cycle_write(edit, from, to);
        return SW_EDEFINITION;
    }
    edit_search back = {
        .limit = edit_node(edit, to)->place, .goal = -1, .begin = ahead.end, .end = ahead.end};
    edit->searches++;
    edit_search_run(edit, &back, from);
    if (!sw__buf_reserve(&edit->log, (size_t)back.end * 2 * sizeof(int32_t))) {
        edit->log.failed = false;
        return SW_ENOMEM;
    }
    edit_reorder(edit, ahead.end, back.end);
    return SW_OK;
}

static bool edit_has_edge(const sw__edit *edit, int32_t from, int32_t to)
{
    const sw__graph *base = edit->base;
    if (from < base->node_count) {
        for (int32_t i = base->out_start[from]; i < base->out_start[from + 1]; i++) {
            if (base->out_node[i] == to)
                return true;
        }
    }
    for (int32_t i = edit_node(edit, from)->out_newest; i >= 0; i = edit_edge(edit, i)->out_next) {
        if (edit_edge(edit, i)->to == to)
            return true;
    }
    return false;
}

int sw__edit_add_edge(sw__edit *edit, int32_t from, int32_t to)
{
    if (edit_has_edge(edit, from, to))
        return SW_ECONFLICT;
    if (edit->edge_count >= INT32_MAX - 1 - edit->base->edge_count)
        return SW_ELIMIT;
    sw__edit_edge *edge = (sw__edit_edge *)(void *)sw__buf_reserve(&edit->edges, sizeof(*edge));
    if (!edge) {
        edit->edges.failed = false;
        return SW_ENOMEM;
    }
    if (edit_node(edit, from)->place > edit_node(edit, to)->place) {
        int code = edit_turn(edit, from, to);
        if (code < 0)
            return code;
    }
    *edge = (sw__edit_edge){.from = from,
                            .to = to,
                            .out_next = edit_node(edit, from)->out_newest,
                            .in_next = edit_node(edit, to)->in_newest};
    edit->edges.len += sizeof(*edge);
    edit_node(edit, from)->out_newest = edit->edge_count;
    edit_node(edit, to)->in_newest = edit->edge_count;
    edit->edge_count++;
    return SW_OK;
}
