/* Proofs about the audit log: made with an engine or out of an export, checked without either.
 */
#include "rsw.h"

typedef struct proof_call {
    rsw_call call;
    sw_str old;
    sw_str folder;
    sw_str checkpoint;
    int64_t *entry_nos;
    size_t count;
    sw_audit_trust trust;
    sw_str proof;
} proof_call;

/* The entry that a proof is about, nil when it is about none. */
static VALUE proof_entry(const sw_audit_entry *entry)
{
    return entry->entry_no > 0 ? rsw_entry_element(entry, 0) : Qnil;
}

static VALUE proof_element(const void *rows, size_t index)
{
    const sw_audit_proof *row = (const sw_audit_proof *)rows + index;

    return rsw_row_new(RSW_AUDIT_PROOF, 2, (VALUE[]){proof_entry(&row->entry), rsw_str(row->text)});
}

/* ---- prove ---- */

static int prove_run(rsw_call *call)
{
    const proof_call *prove = (const proof_call *)call;

    return sw_audit_prove(call->handle->engine, prove->checkpoint, prove->entry_nos, prove->count,
                          &call->result, &call->error);
}

static VALUE proofs_convert(VALUE data)
{
    size_t count;
    const sw_audit_proof *rows = sw_audit_proofs(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, proof_element);
}

static void entry_nos_read(proof_call *prove, rsw_arena *arena, VALUE entry_nos)
{
    if (!RB_TYPE_P(entry_nos, T_ARRAY))
        rsw_error_type(entry_nos, -1, "entry_nos", "an Array of Integers");
    prove->count = (size_t)RARRAY_LEN(entry_nos);
    prove->entry_nos = rsw_arena_rows(arena, prove->count, sizeof(*prove->entry_nos));
    for (size_t i = 0; i < prove->count; i++)
        prove->entry_nos[i] =
            rsw_int64(rb_ary_entry(entry_nos, (long)i), (int64_t)i, "an entry number");
}

static VALUE engine_audit_prove(VALUE self, VALUE checkpoint, VALUE entry_nos)
{
    proof_call prove = {.call = {.handle = rsw_engine_get(self), .run = prove_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    prove.checkpoint = rsw_arena_text(arena, checkpoint, -1, "checkpoint");
    entry_nos_read(&prove, arena, entry_nos);
    answer = rsw_call_finish(&prove.call, proofs_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

static int consistency_run(rsw_call *call)
{
    const proof_call *prove = (const proof_call *)call;

    return sw_audit_prove_consistency(call->handle->engine, prove->old, prove->checkpoint,
                                      &call->result, &call->error);
}

static VALUE consistency_convert(VALUE data)
{
    return proof_element(sw_audit_proofs(((rsw_call *)data)->result, NULL), 0);
}

static VALUE engine_audit_prove_consistency(VALUE self, VALUE old, VALUE checkpoint)
{
    proof_call prove = {.call = {.handle = rsw_engine_get(self), .run = consistency_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    prove.old = rsw_arena_text(arena, old, -1, "old");
    prove.checkpoint = rsw_arena_text(arena, checkpoint, -1, "checkpoint");
    answer = rsw_call_finish(&prove.call, consistency_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- prove out of an export ---- */

static int prove_export_run(rsw_call *call)
{
    const proof_call *prove = (const proof_call *)call;

    return sw_audit_prove_export(prove->folder, prove->checkpoint, prove->entry_nos, prove->count,
                                 &call->result, &call->error);
}

static VALUE audit_prove_export(VALUE class, VALUE folder, VALUE checkpoint, VALUE entry_nos)
{
    proof_call prove = {.call = {.run = prove_export_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    prove.folder = rsw_arena_text(arena, folder, -1, "folder");
    prove.checkpoint = rsw_arena_text(arena, checkpoint, -1, "checkpoint");
    entry_nos_read(&prove, arena, entry_nos);
    answer = rsw_call_finish(&prove.call, proofs_convert);
    rsw_arena_free(memory);
    return answer;
}

static int export_consistency_run(rsw_call *call)
{
    const proof_call *prove = (const proof_call *)call;

    return sw_audit_prove_export_consistency(prove->folder, prove->old, prove->checkpoint,
                                             &call->result, &call->error);
}

static VALUE audit_prove_export_consistency(VALUE class, VALUE folder, VALUE old, VALUE checkpoint)
{
    proof_call prove = {.call = {.run = export_consistency_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    prove.folder = rsw_arena_text(arena, folder, -1, "folder");
    prove.old = rsw_arena_text(arena, old, -1, "old");
    prove.checkpoint = rsw_arena_text(arena, checkpoint, -1, "checkpoint");
    answer = rsw_call_finish(&prove.call, consistency_convert);
    rsw_arena_free(memory);
    return answer;
}

/* ---- check ---- */

static int check_run(rsw_call *call)
{
    const proof_call *check = (const proof_call *)call;

    return sw_audit_check(&check->trust, check->proof, &call->result, &call->error);
}

static VALUE check_convert(VALUE data)
{
    const sw_audit_shown *row = sw_audit_shown_rows(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_AUDIT_SHOWN, 4,
                       (VALUE[]){rsw_str(row->origin), LL2NUM(row->entry_count),
                                 LL2NUM(row->old_count), proof_entry(&row->entry)});
}

static VALUE audit_check(VALUE class, VALUE proof, VALUE checkpoints, VALUE keys)
{
    proof_call check = {.call = {.run = check_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    check.proof = rsw_arena_text(arena, proof, -1, "proof");
    rsw_trust_read(arena, checkpoints, keys, Qnil, &check.trust);
    answer = rsw_call_finish(&check.call, check_convert);
    rsw_arena_free(memory);
    return answer;
}

void rsw_proof_init(void)
{
    rb_define_singleton_method(rsw_cEngine, "audit_check", audit_check, 3);
    rb_define_singleton_method(rsw_cEngine, "audit_prove_export", audit_prove_export, 3);
    rb_define_singleton_method(rsw_cEngine, "audit_prove_export_consistency",
                               audit_prove_export_consistency, 3);
    rb_define_method(rsw_cEngine, "audit_prove", engine_audit_prove, 2);
    rb_define_method(rsw_cEngine, "audit_prove_consistency", engine_audit_prove_consistency, 2);
}
