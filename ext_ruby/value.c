/* Ruby values to C: integers, texts, identifiers, and the memory that the rows of a call live in.
 *
 * Only exact types are taken, no to_str or to_int is called: no user code runs in the middle of a
 * conversion. A wrong type is a TypeError, a number that does not fit a RangeError, a wrong content
 * an InvalidArgumentError that knows its row.
 */
#include "rsw.h"

#include <string.h>

/* ---- numbers ---- */

int64_t rsw_int64(VALUE value, int64_t row, const char *what)
{
    if (FIXNUM_P(value))
        return FIX2LONG(value);
    if (!RB_TYPE_P(value, T_BIGNUM))
        rsw_error_type(value, row, what, "an Integer");
    if (rb_absint_size(value, NULL) > sizeof(int64_t))
        rb_raise(rb_eRangeError, "%s does not fit 64 bits", what);
    return NUM2LL(value);
}

int32_t rsw_int32(VALUE value, int64_t row, const char *what)
{
    int64_t number = rsw_int64(value, row, what);

    if (number < INT32_MIN || number > INT32_MAX)
        rb_raise(rb_eRangeError, "%s does not fit 32 bits", what);
    return (int32_t)number;
}

size_t rsw_size(VALUE value, const char *what)
{
    int64_t number = rsw_int64(value, -1, what);

    if (number < 0)
        rsw_error_fail(SW_EINVAL, -1, "%s must not be negative", what);
    return (size_t)number;
}

bool rsw_bool(VALUE value, const char *what)
{
    if (value != Qtrue && value != Qfalse && value != Qnil)
        rsw_error_type(value, -1, what, "true or false");
    return RTEST(value);
}

/* ---- texts ---- */

static void text_check(VALUE value, int64_t row, const char *what)
{
    int range;

    if (!RB_TYPE_P(value, T_STRING))
        rsw_error_type(value, row, what, "a String or nil");
    range = rb_enc_str_coderange(value);
    if (range == ENC_CODERANGE_7BIT)
        return;
    if (range == ENC_CODERANGE_BROKEN)
        rsw_error_fail(SW_EINVAL, row, "%s is not valid %s", what, rb_enc_name(rb_enc_get(value)));
    if (rb_enc_get_index(value) != rb_utf8_encindex())
        rsw_error_fail(SW_EINVAL, row, "%s is %s, expected UTF-8; call encode(\"UTF-8\") first",
                       what, rb_enc_name(rb_enc_get(value)));
}

void rsw_text_check(VALUE value, int64_t row, const char *what)
{
    text_check(value, row, what);
}

sw_str rsw_text(VALUE *value, const char *what)
{
    if (NIL_P(*value))
        return (sw_str){NULL, 0};
    text_check(*value, -1, what);
    /* Frozen, because another thread may change the original while the GVL is released. */
    *value = rb_str_new_frozen(*value);
    return (sw_str){RSTRING_PTR(*value), (size_t)RSTRING_LEN(*value)};
}

sw_uuid rsw_uuid(VALUE value, int64_t row, const char *what)
{
    sw_uuid uuid;
    sw_str text;

    if (!RB_TYPE_P(value, T_STRING))
        rsw_error_type(value, row, what, "a String");
    text = (sw_str){RSTRING_PTR(value), (size_t)RSTRING_LEN(value)};
    if (sw_uuid_parse(text, &uuid) < 0)
        rsw_error_fail(SW_EINVAL, row, "%s is not a UUID of 36 characters", what);
    return uuid;
}

/* ---- arena ---- */

#define ARENA_BLOCK_SIZE 16384
#define ARENA_ALIGN 16

typedef struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(ARENA_ALIGN) char data[];
} arena_block;

struct rsw_arena {
    arena_block *blocks; /* newest first; only it has room */
    size_t used;         /* of the newest */
    size_t total;
};

static void arena_release(rsw_arena *arena)
{
    while (arena->blocks) {
        arena_block *block = arena->blocks;
        arena->blocks = block->next;
        xfree(block);
    }
    arena->used = arena->total = 0;
}

static void arena_dfree(void *data)
{
    arena_release(data);
    xfree(data);
}

static size_t arena_dsize(const void *data)
{
    const rsw_arena *arena = data;

    return sizeof(*arena) + arena->total;
}

/* No VALUE inside, so there is nothing to mark and no write barrier to miss. */
static const rb_data_type_t arena_type = {
    .wrap_struct_name = "Stepwell::Arena",
    .function = {.dmark = NULL, .dfree = arena_dfree, .dsize = arena_dsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

VALUE rsw_arena_new(rsw_arena **arena)
{
    return TypedData_Make_Struct(0, rsw_arena, &arena_type, *arena);
}

void rsw_arena_free(VALUE object)
{
    arena_release(RTYPEDDATA_DATA(object));
}

static void *arena_take(rsw_arena *arena, size_t size)
{
    void *memory;

    if (!arena->blocks || arena->blocks->size - arena->used < size) {
        size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
        arena_block *block;

        if (room > SIZE_MAX - sizeof(*block) - ARENA_ALIGN)
            rb_memerror();
        block = xmalloc(sizeof(*block) + room);
        block->next = arena->blocks;
        block->size = room;
        arena->blocks = block;
        arena->used = 0;
        arena->total += sizeof(*block) + room;
    }
    memory = arena->blocks->data + arena->used;
    arena->used += size;
    return memory;
}

static void arena_align(rsw_arena *arena)
{
    size_t used = (arena->used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

    if (arena->blocks)
        arena->used = used < arena->blocks->size ? used : arena->blocks->size;
}

void *rsw_arena_rows(rsw_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    void *rows;

    if (__builtin_mul_overflow(count, size, &bytes))
        rb_memerror();
    arena_align(arena);
    rows = arena_take(arena, bytes);
    memset(rows, 0, bytes);
    return rows;
}

sw_str rsw_arena_text(rsw_arena *arena, VALUE value, int64_t row, const char *what)
{
    sw_str text = {NULL, 0};

    if (NIL_P(value))
        return text;
    text_check(value, row, what);
    text.len = (size_t)RSTRING_LEN(value);
    text.ptr = arena_take(arena, text.len);
    memcpy((char *)text.ptr, RSTRING_PTR(value), text.len);
    return text;
}

const sw_str *rsw_arena_texts(rsw_arena *arena, VALUE values, int64_t row, const char *what,
                              size_t *count)
{
    sw_str *texts;
    long length;

    *count = 0;
    if (NIL_P(values))
        return NULL;
    if (!RB_TYPE_P(values, T_ARRAY))
        rsw_error_type(values, row, what, "an Array of Strings");
    length = RARRAY_LEN(values);
    texts = rsw_arena_rows(arena, (size_t)length, sizeof(*texts));
    for (long i = 0; i < length; i++) {
        VALUE value = rb_ary_entry(values, i);

        if (!RB_TYPE_P(value, T_STRING))
            rsw_error_type(value, row, what, "an Array of Strings");
        texts[i] = rsw_arena_text(arena, value, row, what);
    }
    *count = (size_t)length;
    return texts;
}
