/* Signing checkpoints of the audit log: with a key file, or with an application that has the
 * secret.
 *
 * The core asks for a signature on the thread that called it and without the GVL, which is taken
 * for that long only. What the application raises waits until the core has given everything back.
 */
#include "rsw.h"

#include <ruby/thread.h>
#include <string.h>

typedef struct signing_call signing_call;

/* Who signs. */
typedef struct signer {
    signing_call *call;
    VALUE sign; /* answers to call, or nil: the file holds the secret */
    VALUE path; /* pins the text */
    sw_str message;
    uint8_t *signature;
} signer;

struct signing_call {
    rsw_call call;
    signer signers[2]; /* the second takes over in a rotation; on the stack of the method */
    sw_audit_signing signing[2];
    int raised; /* how the application left, 0: with an answer */
};

/* ---- asking the application ---- */

static VALUE signer_ask(VALUE data)
{
    const signer *asked = (const signer *)data;
    VALUE message = rb_str_new(asked->message.ptr, (long)asked->message.len);
    VALUE answer = rb_funcall(asked->sign, rb_intern("call"), 1, message);

    if (!RB_TYPE_P(answer, T_STRING))
        rsw_error_type(answer, -1, "a signature", "a String");
    if (RSTRING_LEN(answer) != 64)
        rsw_error_fail(SW_EINVAL, -1, "a signature has 64 bytes, not %ld", RSTRING_LEN(answer));
    memcpy(asked->signature, RSTRING_PTR(answer), 64);
    RB_GC_GUARD(answer);
    return Qnil;
}

/* With the GVL. */
static void *signer_enter(void *data)
{
    signing_call *call = ((const signer *)data)->call;

    call->call.handle->signing++;
    rb_protect(signer_ask, (VALUE)data, &call->raised);
    call->call.handle->signing--;
    return NULL;
}

static int signer_sign(void *context, sw_str message, uint8_t signature[64])
{
    signer *asked = context;

    asked->message = message;
    asked->signature = signature;
    rb_thread_call_with_gvl(signer_enter, asked);
    return asked->call->raised ? SW_EAUDIT : SW_OK;
}

/* ---- seal, rotate ---- */

static void signer_read(signing_call *call, int which, VALUE path, VALUE sign, const char *what)
{
    signer *one = &call->signers[which];

    if (!NIL_P(sign) && !rb_obj_is_proc(sign))
        rsw_error_type(sign, -1, what, "a Proc or nil");
    *one = (signer){.call = call, .sign = sign, .path = path};
    call->signing[which] = (sw_audit_signing)SW_AUDIT_SIGNING_INIT;
    call->signing[which].path = rsw_text(&one->path, "path");
    call->signing[which].sign = NIL_P(sign) ? NULL : signer_sign;
    call->signing[which].context = one;
}

/* As rsw_call_finish; an exception of the application goes on, whatever the core made of it. */
static VALUE signing_finish(signing_call *signing, VALUE (*convert)(VALUE call))
{
    rsw_call *call = &signing->call;

    rsw_call_run(call);
    if (!signing->raised)
        return rsw_call_answer(call, convert);
    rsw_call_free((VALUE)call);
    rb_jump_tag(signing->raised);
}

static VALUE checkpoint_convert(VALUE data)
{
    const sw_audit_checkpoint *row = sw_audit_checkpoints(((rsw_call *)data)->result, NULL);

    return rsw_row_new(RSW_AUDIT_CHECKPOINT, 5,
                       (VALUE[]){rsw_str(row->origin), LL2NUM(row->entry_count),
                                 LL2NUM(row->entries_new), rsw_hex(row->root, sizeof(row->root)),
                                 rsw_str(row->note)});
}

static int seal_run(rsw_call *call)
{
    return sw_audit_seal_with(call->handle->engine, ((signing_call *)call)->signing, &call->result,
                              &call->error);
}

static VALUE engine_audit_seal(int argc, VALUE *argv, VALUE self)
{
    signing_call seal = {.call = {.handle = rsw_engine_get(self), .run = seal_run}};
    VALUE path, sign, answer;

    rb_scan_args(argc, argv, "11", &path, &sign);
    signer_read(&seal, 0, path, sign, "sign");
    answer = signing_finish(&seal, checkpoint_convert);
    RB_GC_GUARD(self);
    return answer;
}

static int rotate_run(rsw_call *call)
{
    const signing_call *rotate = (const signing_call *)call;

    return sw_audit_rotate(call->handle->engine, &rotate->signing[0], &rotate->signing[1],
                           &call->result, &call->error);
}

static VALUE rotate_convert(VALUE data)
{
    return rb_assoc_new(rsw_key_convert(data), checkpoint_convert(data));
}

static VALUE engine_audit_rotate(int argc, VALUE *argv, VALUE self)
{
    signing_call rotate = {.call = {.handle = rsw_engine_get(self), .run = rotate_run}};
    VALUE path, next_path, sign, next_sign, answer;

    rb_scan_args(argc, argv, "22", &path, &next_path, &sign, &next_sign);
    signer_read(&rotate, 0, path, sign, "sign");
    signer_read(&rotate, 1, next_path, next_sign, "next_sign");
    answer = signing_finish(&rotate, rotate_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- enrol ---- */

typedef struct enrol_call {
    rsw_call call;
    VALUE values[2];
    sw_str texts[2];
} enrol_call;

static int enrol_run(rsw_call *call)
{
    const sw_str *texts = ((enrol_call *)call)->texts;

    return sw_audit_enrol(texts[0], texts[1], &call->error);
}

static VALUE audit_enrol(VALUE class, VALUE verifier, VALUE path)
{
    enrol_call enrol = {.call = {.run = enrol_run}, .values = {verifier, path}};

    (void)class;
    enrol.texts[0] = rsw_text(&enrol.values[0], "vkey");
    enrol.texts[1] = rsw_text(&enrol.values[1], "path");
    return rsw_call_finish(&enrol.call, NULL);
}

void rsw_signing_init(void)
{
    rb_define_singleton_method(rsw_cEngine, "audit_enrol", audit_enrol, 2);
    rb_define_method(rsw_cEngine, "audit_seal", engine_audit_seal, -1);
    rb_define_method(rsw_cEngine, "audit_rotate", engine_audit_rotate, -1);
}
