/* Anchors of the audit log: checkpoints given to places outside, and read back from there.
 *
 * An anchor is given as an Array, like every row: [place, note, entry_count, time_us].
 */
#include "rsw.h"

typedef struct anchor_call {
    rsw_call call;
    sw_audit_trust trust;
    sw_str place;
    sw_str text; /* the checkpoint that is given, or the origin that is looked for */
} anchor_call;

enum { ANCHOR_ROW_SIZE = 4 };

static void anchor_row_read(sw_audit_anchor *anchor, rsw_arena *arena, VALUE row, int64_t index)
{
    if (!RB_TYPE_P(row, T_ARRAY))
        rsw_error_type(row, index, "an anchor", "an Array");
    if (RARRAY_LEN(row) != ANCHOR_ROW_SIZE)
        rsw_error_fail(SW_EINVAL, index, "an anchor has %ld elements, expected %d", RARRAY_LEN(row),
                       ANCHOR_ROW_SIZE);
    anchor->place = rsw_arena_text(arena, RARRAY_AREF(row, 0), index, "place");
    anchor->note = rsw_arena_text(arena, RARRAY_AREF(row, 1), index, "note");
    anchor->entry_count = rsw_int64(RARRAY_AREF(row, 2), index, "entry_count");
    anchor->time_us = rsw_int64(RARRAY_AREF(row, 3), index, "time_us");
}

void rsw_anchors_read(rsw_arena *arena, VALUE anchors, sw_audit_trust *trust)
{
    sw_audit_anchor *rows;

    if (NIL_P(anchors))
        return;
    if (!RB_TYPE_P(anchors, T_ARRAY))
        rsw_error_type(anchors, -1, "anchors", "an Array of Arrays");
    trust->anchor_count = (size_t)RARRAY_LEN(anchors);
    rows = rsw_arena_rows(arena, trust->anchor_count, sizeof(*rows));
    for (size_t i = 0; i < trust->anchor_count; i++)
        anchor_row_read(&rows[i], arena, rb_ary_entry(anchors, (long)i), (int64_t)i);
    trust->anchors = rows;
}

static VALUE anchor_convert(VALUE data)
{
    const sw_audit_anchor *row = sw_audit_anchors(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_AUDIT_ANCHOR, 4,
                       (VALUE[]){rsw_str(row->place), rsw_str(row->note), LL2NUM(row->entry_count),
                                 LL2NUM(row->time_us)});
}

static int put_run(rsw_call *call)
{
    const anchor_call *put = (const anchor_call *)call;

    return sw_audit_anchor_put(call->handle->engine, put->place, &put->trust, put->text,
                               &call->result, &call->error);
}

static VALUE engine_audit_anchor_put(VALUE self, VALUE place, VALUE checkpoint, VALUE keys)
{
    anchor_call put = {.call = {.handle = rsw_engine_get(self), .run = put_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    put.place = rsw_arena_text(arena, place, -1, "place");
    put.text = rsw_arena_text(arena, checkpoint, -1, "checkpoint");
    rsw_trust_read(arena, Qnil, keys, Qnil, &put.trust);
    answer = rsw_call_finish(&put.call, anchor_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

static int get_run(rsw_call *call)
{
    const anchor_call *get = (const anchor_call *)call;

    return sw_audit_anchor_get(get->place, get->text, &call->result, &call->error);
}

static VALUE audit_anchor_get(VALUE class, VALUE place, VALUE origin)
{
    anchor_call get = {.call = {.run = get_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    get.place = rsw_arena_text(arena, place, -1, "place");
    get.text = rsw_arena_text(arena, origin, -1, "origin");
    answer = rsw_call_finish(&get.call, anchor_convert);
    rsw_arena_free(memory);
    return answer;
}

void rsw_anchor_init(void)
{
    rb_define_singleton_method(rsw_cEngine, "audit_anchor_get", audit_anchor_get, 2);
    rb_define_method(rsw_cEngine, "audit_anchor_put", engine_audit_anchor_put, 3);
}
