/* Edges as Ruby gives them: an Array of pairs, a Hash from node to dependencies, or two packed
 * Strings of 32-bit integers ("l*").
 *
 * Nodes are Strings, Symbols or Integers, all of one kind. Strings and Symbols are numbered in the
 * order in which they come; Integers need not be consecutive and are numbered in ascending order.
 * In packed Strings they are the numbers themselves. Only exact types are taken, so no user code
 * runs in the middle. Not here: the graph itself (graph.c).
 */
#include "names.h"

#include <stdlib.h>
#include <string.h>

typedef enum node_kind { NODE_NONE, NODE_STRING, NODE_SYMBOL, NODE_INTEGER } node_kind;

typedef struct edge_reader {
    rsw_edges *out;
    node_kind kind;
    int64_t row; /* of the edge that is read, -1: none */
    /* Integers are taken for numbers of nodes first; when they turn out not to be 0, 1, 2, ... all
     * is read again by labels. */
    bool direct;
    bool again;
    VALUE seen_holder;
    char *seen; /* of seen_room Integers, whether each came */
    long seen_room;
    long seen_count;
    long mentions;
    long top;
    VALUE names_holder;
    rsw_names *names; /* of Strings and Symbols */
    /* Nodes wait until there are some, so that memory is waited for once. They lie on the stack,
     * where the collector finds them and leaves them in their place. */
    VALUE nodes[RSW_NAMES_AHEAD];
    uint32_t hashes[RSW_NAMES_AHEAD];
    int32_t to[RSW_NAMES_AHEAD]; /* beside mentions: who depends on them */
    size_t waiting;
    int64_t waiting_row; /* of the first that waits */
    void (*take)(struct edge_reader *reader);
    /* Keys of a Hash are numbered 0, 1, 2, ... if none of them was named before. */
    bool keys_ascend;
    int32_t keys;
    size_t mentioned; /* by keys */
} edge_reader;

/* Numbers far above how many there are leave gaps for sure. */
#define DIRECT_MAX 1000000
#define DIRECT_FACTOR 4

static node_kind node_kind_of(VALUE node)
{
    if (RB_TYPE_P(node, T_STRING))
        return NODE_STRING;
    if (RB_SYMBOL_P(node))
        return NODE_SYMBOL;
    return RB_INTEGER_TYPE_P(node) ? NODE_INTEGER : NODE_NONE;
}

static void seen_grow(edge_reader *reader, long number)
{
    long room = reader->seen_room ? reader->seen_room : 1024;
    VALUE holder;

    while (room <= number)
        room *= 2;
    holder = rb_str_new(NULL, room);
    memset(RSTRING_PTR(holder), 0, (size_t)room);
    if (reader->seen_room)
        memcpy(RSTRING_PTR(holder), reader->seen, (size_t)reader->seen_room);
    reader->seen_holder = holder;
    reader->seen = RSTRING_PTR(holder);
    reader->seen_room = room;
}

static int32_t direct_read(edge_reader *reader, VALUE node)
{
    long number = FIXNUM_P(node) ? FIX2LONG(node) : -1;

    reader->mentions++;
    if (number < 0 || number > DIRECT_MAX + DIRECT_FACTOR * reader->mentions) {
        reader->again = true;
        return 0;
    }
    if (number >= reader->seen_room)
        seen_grow(reader, number);
    reader->seen_count += !reader->seen[number];
    reader->seen[number] = 1;
    reader->top = number >= reader->top ? number + 1 : reader->top;
    return (int32_t)number;
}

/* Integers are numbered as they come, too, and sorted at the end. */
static int32_t integer_read(edge_reader *reader, VALUE node)
{
    VALUE number = rb_hash_lookup2(reader->out->index, node, Qundef);
    long count = RARRAY_LEN(reader->out->labels);

    if (number != Qundef)
        return FIX2INT(number);
    rsw_int64(node, reader->row, "a node");
    if (count >= INT32_MAX)
        rsw_error_fail(SW_ELIMIT, reader->row, "there are too many nodes");
    rb_ary_push(reader->out->labels, node);
    rb_hash_aset(reader->out->index, node, LONG2FIX(count));
    return (int32_t)count;
}

/* The number of a node, which is added when it is new. A name that is known by its object is of the
 * right kind. */
static int32_t node_read(edge_reader *reader, VALUE node, uint32_t hash)
{
    static const char *const expected[] = {
        "a String, a Symbol or an Integer", "a String like the first one",
        "a Symbol like the first one", "an Integer like the first one"};
    node_kind kind;
    int32_t number;

    if (rsw_names_find(reader->names, node, &number))
        return number;
    kind = node_kind_of(node);
    if (kind == NODE_NONE || (reader->kind != NODE_NONE && reader->kind != kind))
        rsw_error_type(node, reader->row, "a node", expected[reader->kind]);
    reader->kind = kind;
    if (kind == NODE_INTEGER)
        return reader->direct ? direct_read(reader, node) : integer_read(reader, node);
    return rsw_names_add(reader->names, node, hash, reader->row);
}

static void edges_grow(rsw_edges *out, size_t room)
{
    REALLOC_N(out->from, int32_t, room);
    REALLOC_N(out->to, int32_t, room);
    out->room = room;
}

/* Room for all edges, since pages that are touched for the first time cost more than counting. */
static void edges_expect(rsw_edges *out, size_t count)
{
    if (count > out->room)
        edges_grow(out, count);
}

/* There is no room only where Integer#eql? was defined anew and gives more edges meanwhile. */
static void edge_push(edge_reader *reader, int32_t from, int32_t to)
{
    rsw_edges *out = reader->out;

    if (out->count == out->room)
        edges_grow(out, 2 * out->room + 1);
    out->from[out->count] = from;
    out->to[out->count++] = to;
}

/* ---- several at once ---- */

static int32_t waiting_read(edge_reader *reader, size_t i)
{
    return node_read(reader, reader->nodes[i], reader->hashes[i]);
}

/* Read all that wait. */
static void waiting_take(edge_reader *reader)
{
    rsw_names_expect(reader->names, reader->nodes, reader->waiting, reader->hashes);
    reader->take(reader);
    reader->waiting = 0;
}

static void wait_for(edge_reader *reader, VALUE node, int32_t to)
{
    if (reader->waiting == RSW_NAMES_AHEAD)
        waiting_take(reader);
    reader->nodes[reader->waiting] = node;
    reader->to[reader->waiting++] = to;
}

/* Each is a node and no more. */
static void keys_take(edge_reader *reader)
{
    for (size_t i = 0; i < reader->waiting; i++)
        reader->keys_ascend &= waiting_read(reader, i) == reader->keys++;
}

/* Each is what another depends on. */
static void mentions_take(edge_reader *reader)
{
    for (size_t i = 0; i < reader->waiting; i++)
        edge_push(reader, waiting_read(reader, i), reader->to[i]);
}

/* Two are an edge and a row. */
static void pairs_take(edge_reader *reader)
{
    for (size_t i = 0; i + 1 < reader->waiting; i += 2) {
        int32_t from;

        reader->row = reader->waiting_row++;
        from = waiting_read(reader, i);
        edge_push(reader, from, waiting_read(reader, i + 1));
    }
}

/* Each is a node that is named once, and a row. */
static void listed_take(edge_reader *reader)
{
    for (size_t i = 0; i < reader->waiting; i++) {
        reader->row = reader->waiting_row++;
        if (waiting_read(reader, i) != reader->row)
            rsw_error_fail(SW_EINVAL, reader->row, "node %lld of nodes is given twice",
                           (long long)reader->row);
    }
}

static void reading_begin(edge_reader *reader, void (*take)(edge_reader *reader))
{
    reader->take = take;
    reader->waiting_row = 0;
}

static void reading_end(edge_reader *reader)
{
    waiting_take(reader);
    reader->row = -1;
}

/* ---- forms ---- */

static void pairs_read(edge_reader *reader, VALUE pairs)
{
    reading_begin(reader, pairs_take);
    edges_expect(reader->out, (size_t)RARRAY_LEN(pairs));
    for (long i = 0; i < RARRAY_LEN(pairs); i++) {
        VALUE pair = RARRAY_AREF(pairs, i);

        if (!RB_TYPE_P(pair, T_ARRAY) || RARRAY_LEN(pair) != 2) {
            waiting_take(reader); /* what is wrong before it is said first */
            rsw_error_type(pair, i, "an edge", "a pair [from, to]");
        }
        wait_for(reader, RARRAY_AREF(pair, 0), 0);
        wait_for(reader, RARRAY_AREF(pair, 1), 0);
    }
    reading_end(reader);
}

static int key_read(VALUE node, VALUE dependencies, VALUE data)
{
    edge_reader *reader = (edge_reader *)data;

    reader->mentioned += RB_TYPE_P(dependencies, T_ARRAY) ? (size_t)RARRAY_LEN(dependencies) : 1;
    wait_for(reader, node, 0);
    return ST_CONTINUE;
}

/* The number of a key when it comes again. */
static int32_t key_again(edge_reader *reader, VALUE node)
{
    return reader->keys_ascend ? reader->keys++ : node_read(reader, node, 0);
}

static int entry_read(VALUE node, VALUE dependencies, VALUE data)
{
    edge_reader *reader = (edge_reader *)data;
    int32_t to = key_again(reader, node);

    if (!RB_TYPE_P(dependencies, T_ARRAY)) {
        if (node_kind_of(dependencies) == NODE_NONE) {
            waiting_take(reader);
            rsw_error_type(dependencies, -1, "the dependencies of a node", "an Array");
        }
        wait_for(reader, dependencies, to); /* a single one, as in step after: */
        return ST_CONTINUE;
    }
    for (long i = 0; i < RARRAY_LEN(dependencies); i++)
        wait_for(reader, RARRAY_AREF(dependencies, i), to);
    return ST_CONTINUE;
}

static void hash_read(edge_reader *reader, VALUE hash)
{
    reading_begin(reader, keys_take);
    reader->keys_ascend = reader->names->keys = true;
    reader->keys = 0;
    reader->mentioned = 0;
    rb_hash_foreach(hash, key_read, (VALUE)reader);
    reading_end(reader);
    reader->names->keys = false;
    reading_begin(reader, mentions_take);
    edges_expect(reader->out, reader->mentioned);
    reader->keys = 0;
    rb_hash_foreach(hash, entry_read, (VALUE)reader);
    reading_end(reader);
}

static int32_t packed_top(const int32_t *items, size_t count, int32_t top)
{
    for (size_t i = 0; i < count; i++)
        top = items[i] > top ? items[i] : top;
    return top;
}

/* Copied, because a String may change, and may lie at any address. */
static int32_t *packed_read(VALUE text, const char *what, size_t *count)
{
    int32_t *items;

    if ((size_t)RSTRING_LEN(text) % sizeof(*items) != 0)
        rsw_error_fail(SW_EINVAL, -1, "%s has %ld bytes, which are no whole 32-bit integers", what,
                       RSTRING_LEN(text));
    *count = (size_t)RSTRING_LEN(text) / sizeof(*items);
    items = ALLOC_N(int32_t, *count + 1);
    memcpy(items, RSTRING_PTR(text), *count * sizeof(*items));
    return items;
}

static void packed_pair_read(VALUE edges, VALUE nodes, rsw_edges *out)
{
    size_t to_count;
    int32_t top;

    out->from = packed_read(rb_ary_entry(edges, 0), "from", &out->count);
    out->to = packed_read(rb_ary_entry(edges, 1), "to", &to_count);
    if (out->count != to_count)
        rsw_error_fail(SW_EINVAL, -1, "from has %zu items and to has %zu", out->count, to_count);
    out->packed = true;
    out->labels = out->index = Qnil;
    if (!NIL_P(nodes)) {
        out->node_count = rsw_int32(nodes, -1, "nodes");
        return;
    }
    top = packed_top(out->to, to_count, packed_top(out->from, out->count, -1));
    out->node_count = top == INT32_MAX ? top : top + 1;
}

/* ---- Integers ---- */

/* Number Integer nodes in ascending order; 0, 1, 2, ... need no labels. */
static void integers_rank(rsw_edges *out)
{
    long count = RARRAY_LEN(out->labels);
    VALUE sorted = rb_ary_sort(out->labels);
    VALUE index = rb_hash_new();
    bool consecutive = true;
    VALUE buffer;
    int32_t *rank = ALLOCV_N(int32_t, buffer, count + 1);

    for (long i = 0; i < count; i++) {
        VALUE label = rb_ary_entry(sorted, i);

        consecutive = consecutive && label == LONG2FIX(i);
        rank[FIX2LONG(rb_hash_lookup(out->index, label))] = (int32_t)i;
        rb_hash_aset(index, label, LONG2FIX(i));
    }
    for (size_t i = 0; i < out->count; i++) {
        out->from[i] = rank[out->from[i]];
        out->to[i] = rank[out->to[i]];
    }
    ALLOCV_END(buffer);
    out->labels = consecutive ? Qnil : sorted;
    out->index = consecutive ? Qnil : index;
}

/* With a number of nodes the Integers are the numbers of 0 up to it. */
static void integers_count(rsw_edges *out, int32_t node_count, node_kind kind)
{
    if (kind != NODE_INTEGER && kind != NODE_NONE)
        rb_raise(rb_eTypeError, "nodes must be an Array of names, not their number");
    for (size_t i = 0; i < 2 * out->count; i++) {
        int32_t *end = i % 2 ? &out->to[i / 2] : &out->from[i / 2];

        *end = rsw_int32(rb_ary_entry(out->labels, *end), (int64_t)(i / 2), "a node");
    }
    out->node_count = node_count;
    out->labels = out->index = Qnil;
}

static void nodes_read(edge_reader *reader, VALUE nodes)
{
    if (NIL_P(nodes) || RB_INTEGER_TYPE_P(nodes))
        return;
    if (!RB_TYPE_P(nodes, T_ARRAY))
        rsw_error_type(nodes, -1, "nodes", "an Array of nodes or their number");
    reading_begin(reader, listed_take);
    for (long i = 0; i < RARRAY_LEN(nodes); i++)
        wait_for(reader, RARRAY_AREF(nodes, i), 0);
    reading_end(reader);
}

static void edges_read(edge_reader *reader, VALUE edges)
{
    if (RB_TYPE_P(edges, T_HASH)) {
        hash_read(reader, edges);
    } else if (RB_TYPE_P(edges, T_ARRAY)) {
        pairs_read(reader, edges);
    } else {
        rsw_error_type(edges, -1, "edges", "an Array of pairs, a Hash or two packed Strings");
    }
}

void rsw_edges_read(VALUE edges, VALUE nodes, rsw_edges *out)
{
    edge_reader reader = {.out = out, .row = -1};

    out->labels = rb_ary_new_capa(RB_TYPE_P(edges, T_HASH) ? (long)RHASH_SIZE(edges) : 0);
    out->index = rb_hash_new();
    if (RB_TYPE_P(edges, T_ARRAY) && RARRAY_LEN(edges) == 2 &&
        RB_TYPE_P(rb_ary_entry(edges, 0), T_STRING) &&
        RB_TYPE_P(rb_ary_entry(edges, 1), T_STRING)) {
        packed_pair_read(edges, nodes, out);
        return;
    }
    reader.names_holder =
        rsw_names_new(&reader.names, out->labels, RB_TYPE_P(edges, T_HASH) ? RHASH_SIZE(edges) : 0);
    if (NIL_P(nodes)) {
        reader.direct = true;
        edges_read(&reader, edges);
        if (reader.kind == NODE_INTEGER && !reader.again && reader.seen_count == reader.top) {
            out->node_count = (int32_t)reader.top;
            out->labels = out->index = Qnil;
            RB_GC_GUARD(reader.seen_holder);
            return;
        }
        reader.direct = false;
    }
    if (reader.kind == NODE_INTEGER || !NIL_P(nodes)) {
        out->count = 0;
        nodes_read(&reader, nodes);
        edges_read(&reader, edges);
    }
    if (RB_INTEGER_TYPE_P(nodes)) {
        integers_count(out, rsw_int32(nodes, -1, "nodes"), reader.kind);
        return;
    }
    rsw_names_free(reader.names);
    RB_GC_GUARD(reader.names_holder);
    out->node_count = (int32_t)RARRAY_LEN(out->labels);
    if (reader.kind == NODE_INTEGER || reader.kind == NODE_NONE)
        integers_rank(out);
    else
        out->index = Qnil; /* made when somebody asks by name */
}

void rsw_edges_free(rsw_edges *edges)
{
    xfree(edges->from);
    xfree(edges->to);
    edges->from = edges->to = NULL;
}
