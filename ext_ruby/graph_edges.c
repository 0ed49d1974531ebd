/* Edges as Ruby gives them: an Array of pairs, a Hash from node to dependencies, or two packed
 * Strings of 32-bit integers ("l*").
 *
 * Nodes are Strings, Symbols or Integers, all of one kind. Strings and Symbols are numbered in the
 * order in which they come; Integers need not be consecutive and are numbered in ascending order.
 * In packed Strings they are the numbers themselves. Only exact types are taken, so no user code
 * runs in the middle. Not here: the graph itself (graph.c).
 */
#include "rsw.h"

#include <stdlib.h>
#include <string.h>

typedef enum node_kind { NODE_NONE, NODE_STRING, NODE_SYMBOL, NODE_INTEGER } node_kind;

/* A name that was seen, by its object: that is found without looking at the text. */
typedef struct known_name {
    VALUE object; /* 0: free */
    int32_t number;
    int32_t place; /* in known_objects */
} known_name;

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
    VALUE known_holder;
    VALUE known_objects; /* The collector may move an object, and then changes it here. */
    known_name *known;   /* of known_room places, at most half of them taken */
    long known_room;     /* a power of 2, or 0 */
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

/* ---- names by their objects ---- */

/* The place of an object in the table, or the free one where it belongs. */
static known_name *known_find(const edge_reader *reader, VALUE object)
{
    size_t mask = (size_t)reader->known_room - 1;
    size_t at = (size_t)(((uint64_t)object >> 3) * 0x9e3779b97f4a7c15u >> 20) & mask;

    while (reader->known[at].object != 0 && reader->known[at].object != object)
        at = (at + 1) & mask;
    return &reader->known[at];
}

static bool known_read(const edge_reader *reader, VALUE object, int32_t *number)
{
    const known_name *name = reader->known_room ? known_find(reader, object) : NULL;

    if (!name || name->object != object ||
        RARRAY_AREF(reader->known_objects, name->place) != object)
        return false;
    *number = name->number;
    return true;
}

static void known_grow(edge_reader *reader)
{
    const known_name *old = reader->known;
    long old_room = reader->known_room;
    long room = old_room ? old_room * 2 : 256;
    VALUE old_holder = reader->known_holder;
    VALUE holder = rb_str_new(NULL, room * (long)sizeof(known_name));

    memset(RSTRING_PTR(holder), 0, (size_t)RSTRING_LEN(holder));
    reader->known_holder = holder;
    reader->known = (known_name *)RSTRING_PTR(holder);
    reader->known_room = room;
    for (long i = 0; i < old_room; i++) {
        if (old[i].object != 0)
            *known_find(reader, old[i].object) = old[i];
    }
    RB_GC_GUARD(old_holder);
}

static void known_add(edge_reader *reader, VALUE object, int32_t number)
{
    long count = RARRAY_LEN(reader->known_objects);

    if (count >= INT32_MAX)
        return;
    if (count * 2 >= reader->known_room)
        known_grow(reader);
    rb_ary_push(reader->known_objects, object);
    *known_find(reader, object) = (known_name){object, number, (int32_t)count};
}

/* The number of a node, which is added when it is new. Integers are numbered as they come, too, and
 * sorted at the end. */
static int32_t node_read(edge_reader *reader, VALUE node)
{
    static const char *const expected[] = {
        "a String, a Symbol or an Integer", "a String like the first one",
        "a Symbol like the first one", "an Integer like the first one"};
    node_kind kind = node_kind_of(node);
    VALUE number, object = node;
    int32_t known;
    long count;

    if (kind == NODE_NONE || (reader->kind != NODE_NONE && reader->kind != kind))
        rsw_error_type(node, reader->row, "a node", expected[reader->kind]);
    reader->kind = kind;
    if (kind == NODE_INTEGER && reader->direct)
        return direct_read(reader, node);
    if (kind != NODE_INTEGER && known_read(reader, node, &known))
        return known;
    number = rb_hash_lookup2(reader->out->index, node, Qundef);
    if (number != Qundef) {
        if (kind != NODE_INTEGER)
            known_add(reader, node, FIX2INT(number));
        return FIX2INT(number);
    }
    if (kind == NODE_INTEGER)
        rsw_int64(node, reader->row, "a node");
    if (kind == NODE_STRING) {
        rsw_text(&node, "a node"); /* checks its encoding and freezes it */
        node = rb_str_new_frozen(node);
    }
    count = RARRAY_LEN(reader->out->labels);
    if (count >= INT32_MAX)
        rsw_error_fail(SW_ELIMIT, reader->row, "there are too many nodes");
    rb_ary_push(reader->out->labels, node);
    rb_hash_aset(reader->out->index, node, LONG2FIX(count));
    if (kind != NODE_INTEGER)
        known_add(reader, object, (int32_t)count);
    return (int32_t)count;
}

static void edge_push(edge_reader *reader, int32_t from, int32_t to)
{
    rsw_edges *out = reader->out;

    if (out->count == out->room) {
        out->room = out->room ? out->room * 2 : 256;
        REALLOC_N(out->from, int32_t, out->room);
        REALLOC_N(out->to, int32_t, out->room);
    }
    out->from[out->count] = from;
    out->to[out->count++] = to;
}

/* ---- forms ---- */

static void pairs_read(edge_reader *reader, VALUE pairs)
{
    for (long i = 0; i < RARRAY_LEN(pairs); i++) {
        VALUE pair = rb_ary_entry(pairs, i);
        int32_t from;

        reader->row = i;
        if (!RB_TYPE_P(pair, T_ARRAY) || RARRAY_LEN(pair) != 2)
            rsw_error_type(pair, i, "an edge", "a pair [from, to]");
        from = node_read(reader, rb_ary_entry(pair, 0));
        edge_push(reader, from, node_read(reader, rb_ary_entry(pair, 1)));
    }
    reader->row = -1;
}

static int key_read(VALUE node, VALUE dependencies, VALUE data)
{
    (void)dependencies;
    node_read((edge_reader *)data, node);
    return ST_CONTINUE;
}

static int entry_read(VALUE node, VALUE dependencies, VALUE data)
{
    edge_reader *reader = (edge_reader *)data;
    int32_t to = node_read(reader, node);

    if (!RB_TYPE_P(dependencies, T_ARRAY)) {
        if (node_kind_of(dependencies) == NODE_NONE)
            rsw_error_type(dependencies, -1, "the dependencies of a node", "an Array");
        edge_push(reader, node_read(reader, dependencies),
                  to); /* a single one, as in step after: */
        return ST_CONTINUE;
    }
    for (long i = 0; i < RARRAY_LEN(dependencies); i++)
        edge_push(reader, node_read(reader, rb_ary_entry(dependencies, i)), to);
    return ST_CONTINUE;
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
    for (long i = 0; i < RARRAY_LEN(nodes); i++) {
        reader->row = i;
        if (node_read(reader, rb_ary_entry(nodes, i)) != i)
            rsw_error_fail(SW_EINVAL, i, "node %ld of nodes is given twice", i);
    }
    reader->row = -1;
}

static void edges_read(edge_reader *reader, VALUE edges)
{
    if (RB_TYPE_P(edges, T_HASH)) {
        rb_hash_foreach(edges, key_read, (VALUE)reader);
        rb_hash_foreach(edges, entry_read, (VALUE)reader);
    } else if (RB_TYPE_P(edges, T_ARRAY)) {
        pairs_read(reader, edges);
    } else {
        rsw_error_type(edges, -1, "edges", "an Array of pairs, a Hash or two packed Strings");
    }
}

void rsw_edges_read(VALUE edges, VALUE nodes, rsw_edges *out)
{
    edge_reader reader = {.out = out, .row = -1};

    out->labels = rb_ary_new();
    out->index = rb_hash_new();
    reader.known_objects = rb_ary_new();
    if (RB_TYPE_P(edges, T_ARRAY) && RARRAY_LEN(edges) == 2 &&
        RB_TYPE_P(rb_ary_entry(edges, 0), T_STRING) &&
        RB_TYPE_P(rb_ary_entry(edges, 1), T_STRING)) {
        packed_pair_read(edges, nodes, out);
        return;
    }
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
    RB_GC_GUARD(reader.known_holder);
    RB_GC_GUARD(reader.known_objects);
    out->node_count = (int32_t)RARRAY_LEN(out->labels);
    if (reader.kind == NODE_INTEGER || reader.kind == NODE_NONE)
        integers_rank(out);
}

void rsw_edges_free(rsw_edges *edges)
{
    xfree(edges->from);
    xfree(edges->to);
    edges->from = edges->to = NULL;
}
