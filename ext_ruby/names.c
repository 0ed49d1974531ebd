/* Numbers for names: the two tables behind names.h, by object and by bytes.
 *
 * Both are open-addressed. The first one is there for speed alone; the second one decides. The
 * bytes of a String are hashed with the seed of the process, so that nobody who chooses names can
 * choose where they fall. Not here: reading of edges (graph_edges.c).
 */
#include "names.h"

#include <string.h>

#define NAMES_BITS_MIN 8

/* Words before the first object, so that others may lie on either side of it. */
#define BASE_DISTANCE ((uint64_t)1 << 34)

static size_t known_room(const rsw_names *names)
{
    return names->known ? (size_t)1 << names->known_bits : 0;
}

static void names_mark(void *data)
{
    rb_gc_mark(((rsw_names *)data)->labels);
}

static void names_compact(void *data)
{
    ((rsw_names *)data)->moved = true;
}

static void names_dfree(void *data)
{
    rsw_names_free(data);
    xfree(data);
}

static size_t names_dsize(const void *data)
{
    const rsw_names *names = data;

    return sizeof(*names) + known_room(names) * sizeof(*names->known) +
           names->text_room * sizeof(*names->texts);
}

static const rb_data_type_t names_type = {
    .wrap_struct_name = "Stepwell names",
    .function = {.dmark = names_mark,
                 .dfree = names_dfree,
                 .dsize = names_dsize,
                 .dcompact = names_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

void rsw_names_free(rsw_names *names)
{
    xfree(names->known);
    xfree(names->texts);
    names->known = NULL;
    names->texts = NULL;
    names->text_room = names->known_count = 0;
}

/* Full tables are slow, and large ones too: up to four fifths are taken. */
static bool is_full(size_t count, size_t room)
{
    return 5 * count > 4 * room;
}

static int bits_for(size_t count)
{
    int bits = NAMES_BITS_MIN;

    while (is_full(count, (size_t)1 << bits))
        bits++;
    return bits;
}

VALUE rsw_names_new(rsw_names **names, VALUE labels, size_t expected)
{
    VALUE holder = TypedData_Make_Struct(0, rsw_names, &names_type, *names);

    (*names)->labels = labels;
    (*names)->expected = expected;
    return holder;
}

/* ---- by object ---- */

static void known_grow(rsw_names *names)
{
    size_t old_room = known_room(names);
    int bits = old_room ? names->known_bits + 1 : bits_for(names->expected);
    rsw_known *old = names->known, *known = ZALLOC_N(rsw_known, (size_t)1 << bits);

    names->known = known;
    names->known_bits = bits;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].place != 0)
            *rsw_names_known(names, old[i].place) = old[i];
    }
    xfree(old);
}

static void known_add(rsw_names *names, VALUE object, int32_t number)
{
    uint32_t place;

    if (names->keys && !RB_SYMBOL_P(object))
        return;
    if (names->base == 0)
        names->base = (uint64_t)object - BASE_DISTANCE;
    place = rsw_names_place(names, object);
    if (place == 0)
        return;
    if (is_full(names->known_count + 1, known_room(names)))
        known_grow(names);
    *rsw_names_known(names, place) = (rsw_known){place, number};
    names->known_count++; /* it was not found, so it is new */
}

void rsw_names_forget(rsw_names *names)
{
    if (names->known)
        memset(names->known, 0, known_room(names) * sizeof(*names->known));
    names->known_count = 0;
    names->moved = false;
}

/* ---- by bytes ---- */

/* Symbols are equal when they are one, whatever their bytes; Strings that pass rsw_text_check are
 * UTF-8, so that equal bytes are equal names. */
static bool text_same(VALUE a, VALUE b)
{
    if (a == b || RB_SYMBOL_P(a))
        return a == b;
    return RSTRING_LEN(a) == RSTRING_LEN(b) &&
           memcmp(RSTRING_PTR(a), RSTRING_PTR(b), (size_t)RSTRING_LEN(a)) == 0;
}

/* Never 0, which is no hash. */
static uint32_t text_hash(VALUE name)
{
    VALUE text = RB_SYMBOL_P(name) ? rb_sym2str(name) : name;

    return (uint32_t)rb_memhash(RSTRING_PTR(text), RSTRING_LEN(text)) | 1u << 31;
}

/* What is known of the bytes of a name, or the free one where they belong. */
static rsw_known_text *text_known(const rsw_names *names, VALUE name, uint32_t hash)
{
    size_t mask = names->text_room - 1, at = hash & mask;

    for (; names->texts[at].after != 0; at = (at + 1) & mask) {
        const rsw_known_text *known = &names->texts[at];

        if (known->hash == hash && text_same(RARRAY_AREF(names->labels, known->after - 1), name))
            break;
    }
    return &names->texts[at];
}

static void text_grow(rsw_names *names)
{
    size_t room = names->text_room ? 2 * names->text_room : (size_t)1 << bits_for(names->expected);
    rsw_known_text *old = names->texts, *texts = ZALLOC_N(rsw_known_text, room);

    for (size_t i = 0; i < names->text_room; i++) {
        size_t at = old[i].hash & (room - 1);

        if (old[i].after == 0)
            continue;
        while (texts[at].after != 0)
            at = (at + 1) & (room - 1);
        texts[at] = old[i];
    }
    xfree(old);
    names->texts = texts;
    names->text_room = room;
}

static int32_t label_push(rsw_names *names, VALUE name, int64_t row)
{
    long count = RARRAY_LEN(names->labels);

    if (count >= INT32_MAX)
        rsw_error_fail(SW_ELIMIT, row, "there are too many nodes");
    rb_ary_push(names->labels, RB_SYMBOL_P(name) ? name : rb_str_new_frozen(name));
    return (int32_t)count;
}

int32_t rsw_names_add(rsw_names *names, VALUE name, uint32_t hash, int64_t row)
{
    rsw_known_text *text;

    if (!RB_SYMBOL_P(name))
        rsw_text_check(name, row, "a node");
    if (is_full((size_t)RARRAY_LEN(names->labels) + 1, names->text_room))
        text_grow(names);
    if (hash == 0)
        hash = text_hash(name);
    text = text_known(names, name, hash);
    if (text->after == 0)
        *text = (rsw_known_text){hash, label_push(names, name, row) + 1};
    known_add(names, name, text->after - 1);
    return text->after - 1;
}

/* ---- ahead ---- */

/* Where known objects lie. */
static void expect_known(const rsw_names *names, const VALUE *nodes, size_t count)
{
    for (size_t i = 0; names->known && i < count; i++)
        __builtin_prefetch(&names->known[rsw_names_start(names, rsw_names_place(names, nodes[i]))]);
}

/* The objects that are not among them; hashes[i] becomes 1 for these, else 0. They may lie across
 * two lines of the cache. */
static void expect_objects(const rsw_names *names, const VALUE *nodes, size_t count,
                           uint32_t *hashes)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t place = rsw_names_place(names, nodes[i]);

        hashes[i] = !RB_SPECIAL_CONST_P(nodes[i]) &&
                    (!names->known || place == 0 || rsw_names_known(names, place)->place == 0);
        if (hashes[i]) {
            __builtin_prefetch((const char *)nodes[i]);
            __builtin_prefetch((const char *)nodes[i] + sizeof(struct RString) - 1);
        }
    }
}

/* Where the bytes of these Strings are known. */
static void expect_texts(const rsw_names *names, const VALUE *nodes, size_t count, uint32_t *hashes)
{
    for (size_t i = 0; i < count; i++) {
        if (hashes[i] == 0)
            continue;
        hashes[i] = RB_BUILTIN_TYPE(nodes[i]) == RUBY_T_STRING ? text_hash(nodes[i]) : 0;
        if (hashes[i] && names->text_room)
            __builtin_prefetch(&names->texts[hashes[i] & (names->text_room - 1)]);
    }
}

/* The labels that they will be compared with. */
static void expect_labels(const rsw_names *names, size_t count, const uint32_t *hashes)
{
    for (size_t i = 0; names->text_room && i < count; i++) {
        const rsw_known_text *text = &names->texts[hashes[i] & (names->text_room - 1)];

        if (hashes[i] && text->hash == hashes[i])
            __builtin_prefetch((const char *)RARRAY_AREF(names->labels, text->after - 1));
    }
}

void rsw_names_expect(const rsw_names *names, const VALUE *nodes, size_t count, uint32_t *hashes)
{
    expect_known(names, nodes, count);
    expect_objects(names, nodes, count, hashes);
    expect_texts(names, nodes, count, hashes);
    expect_labels(names, count, hashes);
}
