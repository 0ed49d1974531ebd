/* Keys of the audit log, what is trusted, and the log as a folder. Not here: signing (signing.c).
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

void rsw_trust_read(rsw_arena *arena, VALUE checkpoints, VALUE keys, VALUE anchors,
                    sw_audit_trust *trust)
{
    *trust = (sw_audit_trust)SW_AUDIT_TRUST_INIT;
    trust->checkpoints =
        rsw_arena_texts(arena, checkpoints, -1, "checkpoints", &trust->checkpoint_count);
    trust->keys = rsw_arena_texts(arena, keys, -1, "keys", &trust->key_count);
    rsw_anchors_read(arena, anchors, trust);
}

/* ---- keygen ---- */

static int keygen_run(rsw_call *call)
{
    const sw_str *texts = ((checkpoint_call *)call)->texts;

    return sw_audit_keygen(texts[0], texts[1], &call->result, &call->error);
}

VALUE rsw_key_convert(VALUE data)
{
    const sw_audit_key *row = sw_audit_keys(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_AUDIT_KEY, 2, (VALUE[]){rsw_str(row->name), rsw_str(row->verifier)});
}

static VALUE audit_keygen(VALUE class, VALUE name, VALUE path)
{
    checkpoint_call keygen = {.call = {.run = keygen_run}};

    (void)class;
    texts_read(&keygen, name, "name", path, "path");
    return rsw_call_finish(&keygen.call, rsw_key_convert);
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

    return sw_audit_verify_export(verify->folder, &verify->trust, verify->jobs, &verify->report,
                                  &call->error);
}

static VALUE audit_verify_export(int argc, VALUE *argv, VALUE class)
{
    rsw_verify verify = {.call = {.run = verify_export_run}, .report = SW_AUDIT_REPORT_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE folder, checkpoints, keys, anchors, jobs, answer;

    (void)class;
    rb_scan_args(argc, argv, "32", &folder, &checkpoints, &keys, &anchors, &jobs);
    verify.jobs = NIL_P(jobs) ? 0 : rsw_int32(jobs, -1, "jobs");
    verify.folder = rsw_arena_text(arena, folder, -1, "folder");
    rsw_trust_read(arena, checkpoints, keys, anchors, &verify.trust);
    answer = rsw_verify_finish(&verify);
    rsw_arena_free(memory);
    return answer;
}

void rsw_checkpoint_init(void)
{
    rb_define_singleton_method(rsw_cEngine, "audit_keygen", audit_keygen, 2);
    rb_define_singleton_method(rsw_cEngine, "audit_verify_export", audit_verify_export, -1);
    rb_define_method(rsw_cEngine, "audit_export", engine_audit_export, 2);
}
