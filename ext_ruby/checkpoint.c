/* Keys and checkpoints of the audit log, and the log as a folder.
 *
 * What needs no engine is defined on the class.
 */
#include "rsw.h"

typedef struct checkpoint_call {
    rsw_call call;
    VALUE values[2]; /* on the stack of the method: pins the strings */
    sw_str texts[2];
} checkpoint_call;

static void texts_read(checkpoint_call *call, VALUE first, const char *first_what, VALUE second,
                       const char *second_what)
{
    call->values[0] = first;
    call->values[1] = second;
    call->texts[0] = rsw_text(&call->values[0], first_what);
    call->texts[1] = rsw_text(&call->values[1], second_what);
}

void rsw_trust_read(rsw_arena *arena, VALUE checkpoints, VALUE keys, sw_audit_trust *trust)
{
    *trust = (sw_audit_trust)SW_AUDIT_TRUST_INIT;
    trust->checkpoints =
        rsw_arena_texts(arena, checkpoints, -1, "checkpoints", &trust->checkpoint_count);
    trust->keys = rsw_arena_texts(arena, keys, -1, "keys", &trust->key_count);
}

/* ---- keygen ---- */

static int keygen_run(rsw_call *call)
{
    const sw_str *texts = ((checkpoint_call *)call)->texts;

    return sw_audit_keygen(texts[0], texts[1], &call->result, &call->error);
}

static VALUE keygen_convert(VALUE data)
{
    const sw_audit_key *row = sw_audit_keys(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_AUDIT_KEY, 2, (VALUE[]){rsw_str(row->name), rsw_str(row->verifier)});
}

static VALUE audit_keygen(VALUE class, VALUE name, VALUE path)
{
    checkpoint_call keygen = {.call = {.run = keygen_run}};

    (void)class;
    texts_read(&keygen, name, "name", path, "path");
    return rsw_call_finish(&keygen.call, keygen_convert);
}

/* ---- seal ---- */

static int seal_run(rsw_call *call)
{
    return sw_audit_seal(call->handle->engine, ((checkpoint_call *)call)->texts[0], &call->result,
                         &call->error);
}

static VALUE seal_convert(VALUE data)
{
    const sw_audit_checkpoint *row = sw_audit_checkpoints(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_AUDIT_CHECKPOINT, 5,
                       (VALUE[]){rsw_str(row->origin), LL2NUM(row->entry_count),
                                 LL2NUM(row->entries_new), rsw_hex(row->root, sizeof(row->root)),
                                 rsw_str(row->note)});
}

static VALUE engine_audit_seal(VALUE self, VALUE path)
{
    checkpoint_call seal = {.call = {.handle = rsw_engine_get(self), .run = seal_run}};
    VALUE answer;

    texts_read(&seal, path, "path", Qnil, "nothing");
    answer = rsw_call_finish(&seal.call, seal_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- the log as a folder ---- */

static int export_run(rsw_call *call)
{
    const sw_str *texts = ((checkpoint_call *)call)->texts;

    return sw_audit_export(call->handle->engine, texts[0], texts[1], &call->error);
}

static VALUE engine_audit_export(VALUE self, VALUE folder, VALUE checkpoint)
{
    checkpoint_call export = {.call = {.handle = rsw_engine_get(self), .run = export_run}};

    texts_read(&export, folder, "folder", checkpoint, "checkpoint");
    rsw_call_finish(&export.call, NULL);
    RB_GC_GUARD(self);
    return Qnil;
}

static int verify_export_run(rsw_call *call)
{
    rsw_verify *verify = (rsw_verify *)call;

    return sw_audit_verify_export(verify->folder, &verify->trust, &verify->report, &call->error);
}

static VALUE audit_verify_export(VALUE class, VALUE folder, VALUE checkpoints, VALUE keys)
{
    rsw_verify verify = {.call = {.run = verify_export_run}, .report = SW_AUDIT_REPORT_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    verify.folder = rsw_arena_text(arena, folder, -1, "folder");
    rsw_trust_read(arena, checkpoints, keys, &verify.trust);
    answer = rsw_verify_finish(&verify);
    rsw_arena_free(memory);
    return answer;
}

void rsw_checkpoint_init(void)
{
    rb_define_singleton_method(rsw_cEngine, "audit_keygen", audit_keygen, 2);
    rb_define_singleton_method(rsw_cEngine, "audit_verify_export", audit_verify_export, 3);
    rb_define_method(rsw_cEngine, "audit_seal", engine_audit_seal, 1);
    rb_define_method(rsw_cEngine, "audit_export", engine_audit_export, 2);
}
