/* A task as a file: written from an engine, verified and opened without one. */
#include "rsw.h"

typedef struct file_call {
    rsw_call call;
    VALUE values[2]; /* on the stack of the method: pins the strings */
    sw_uuid task_id;
    sw_str texts[2];
    sw_task_file_options options;
    sw_engine *made;
} file_call;

/* ---- export ---- */

static int export_run(rsw_call *call)
{
    file_call *export = (file_call *)call;

    return sw_task_export(call->handle->engine, &export->task_id, export->texts[0],
                          export->texts[1], &call->result, &call->error);
}

static VALUE export_convert(VALUE data)
{
    return rsw_str(sw_task_files(((rsw_call *)data)->result, NULL)->text);
}

static VALUE engine_task_export(int argc, VALUE *argv, VALUE self)
{
    file_call export = {.call = {.handle = rsw_engine_get(self), .run = export_run}};
    VALUE task_id, answer;

    rb_scan_args(argc, argv, "12", &task_id, &export.values[0], &export.values[1]);
    export.task_id = rsw_uuid(task_id, -1, "task_id");
    export.texts[0] = rsw_text(&export.values[0], "checkpoint");
    export.texts[1] = rsw_text(&export.values[1], "path");
    answer = rsw_call_finish(&export.call, export_convert);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- verify ---- */

typedef struct verify_call {
    rsw_verify verify;
    sw_str text;
} verify_call;

static int verify_run(rsw_call *call)
{
    verify_call *verify = (verify_call *)call;
    const sw_audit_trust *trust = &verify->verify.trust;
    bool trusts = trust->checkpoint_count + trust->key_count + trust->anchor_count > 0;

    return sw_task_file_verify(verify->verify.folder, verify->text, trusts ? trust : NULL,
                               &verify->verify.report, &call->error);
}

static VALUE task_file_verify(VALUE class, VALUE text, VALUE source, VALUE checkpoints, VALUE keys,
                              VALUE anchors)
{
    verify_call verify = {.verify = {.call = {.run = verify_run}, .report = SW_AUDIT_REPORT_INIT}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    (void)class;
    if (NIL_P(text))
        rsw_error_type(text, -1, "text", "a String");
    verify.text = rsw_text(&text, "text");
    verify.verify.folder = rsw_arena_text(arena, source, -1, "source");
    rsw_trust_read(arena, checkpoints, keys, anchors, &verify.verify.trust);
    answer = rsw_verify_finish(&verify.verify);
    rsw_arena_free(memory);
    RB_GC_GUARD(text);
    return answer;
}

/* ---- open ---- */

static int open_run(rsw_call *call)
{
    file_call *open = (file_call *)call;

    return sw_task_file_open(&open->options, open->texts[0], &open->made, &call->error);
}

/* The object is there before the engine, which is then lost to no exception. */
static VALUE task_file_open(int argc, VALUE *argv, VALUE class)
{
    file_call open = {.call = {.run = open_run}, .options = SW_TASK_FILE_OPTIONS_INIT};
    VALUE object = rb_obj_alloc(class);
    VALUE entry_no;

    rb_scan_args(argc, argv, "12", &open.values[0], &open.values[1], &entry_no);
    if (NIL_P(open.values[0]))
        rsw_error_type(open.values[0], -1, "text", "a String");
    open.texts[0] = rsw_text(&open.values[0], "text");
    open.options.source = rsw_text(&open.values[1], "source");
    if (!NIL_P(entry_no))
        open.options.entry_no = rsw_int64(entry_no, -1, "entry_no");
    rsw_call_run(&open.call);
    if (open.call.code < 0)
        rsw_error_raise(&open.call.error);
    rsw_engine_place(object, open.made);
    return object;
}

void rsw_task_file_init(void)
{
    rb_define_method(rsw_cEngine, "task_export", engine_task_export, -1);
    rb_define_singleton_method(rsw_cEngine, "task_file_verify", task_file_verify, 5);
    rb_define_singleton_method(rsw_cEngine, "task_file_open", task_file_open, -1);
}
