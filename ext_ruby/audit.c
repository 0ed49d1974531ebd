/* The audit log: verify it, and read the entries of a task or of everything. Not here: signing it
 * (checkpoint.c) and proofs (proof.c).
 */
#include "rsw.h"

#include <string.h>

typedef struct audit_call {
    rsw_call call;
    sw_uuid task_id;
    int64_t entry_no;
    int64_t limit;
} audit_call;

/* ---- verify ---- */

static int verify_run(rsw_call *call)
{
    rsw_verify *verify = (rsw_verify *)call;
    sw_engine *engine = call->handle->engine;

    bool trusts =
        verify->trust.checkpoint_count + verify->trust.key_count + verify->trust.anchor_count > 0;

    return sw_audit_verify_by(engine, trusts ? &verify->trust : NULL, verify->jobs, &verify->report,
                              &call->error);
}

static VALUE report_new(const sw_audit_report *report)
{
    return rsw_row_new(
        RSW_AUDIT_REPORT, 18,
        (VALUE[]){
            report->ok ? Qtrue : Qfalse, LL2NUM(report->entry_count), LL2NUM(report->segment_count),
            LL2NUM(report->step_count), LL2NUM(report->commit_count), LL2NUM(report->fenced_count),
            LL2NUM(report->reclaim_count), rsw_number(report->first_bad_entry),
            rsw_number(report->last_bad_entry), rb_obj_freeze(rb_utf8_str_new_cstr(report->head)),
            rb_obj_freeze(rb_utf8_str_new_cstr(report->message)), rsw_audit_level(report->level),
            LL2NUM(report->signed_count),
            rsw_str((sw_str){report->root[0] ? report->root : NULL, strlen(report->root)}),
            LL2NUM(report->pruned_count), LL2NUM(report->erased_count),
            LL2NUM(report->anchored_count), rsw_number(report->anchored_us)});
}

VALUE rsw_verify_finish(rsw_verify *verify)
{
    rsw_call_run(&verify->call);
    if (verify->call.code < 0) {
        VALUE exception = rsw_error_new(&verify->call.error);

        if (verify->call.code == SW_EAUDIT)
            rb_ivar_set(exception, rb_intern("@report"), report_new(&verify->report));
        rb_exc_raise(exception);
    }
    return report_new(&verify->report);
}

static VALUE engine_audit_verify(int argc, VALUE *argv, VALUE self)
{
    rsw_verify verify = {.call = {.handle = rsw_engine_get(self), .run = verify_run},
                         .report = SW_AUDIT_REPORT_INIT};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE checkpoints, keys, anchors, jobs, answer;

    rb_scan_args(argc, argv, "04", &checkpoints, &keys, &anchors, &jobs);
    verify.jobs = NIL_P(jobs) ? 0 : rsw_int32(jobs, -1, "jobs");
    rsw_trust_read(arena, checkpoints, keys, anchors, &verify.trust);
    answer = rsw_verify_finish(&verify);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- entries ---- */

/* The states of an entry are those of the thing it is about. */
VALUE rsw_entry_state(int kind, int state)
{
    switch (kind) {
    case SW_AUDIT_STEP_CHANGED:
    case SW_AUDIT_STEP_FENCED:
        return rsw_step_state(state);
    case SW_AUDIT_TASK_CHANGED:
    case SW_AUDIT_TASK_PRUNED:
    case SW_AUDIT_TASK_ERASED:
        return rsw_task_state(state);
    case SW_AUDIT_BREAKER_CHANGED:
        return rsw_breaker_state(state);
    default:
        return Qnil;
    }
}

static VALUE entry_task(const sw_uuid *task_id)
{
    static const sw_uuid none;

    return memcmp(task_id, &none, sizeof(none)) == 0 ? Qnil : rsw_id(task_id);
}

VALUE rsw_entry_element(const void *rows, size_t index)
{
    const sw_audit_entry *entry = (const sw_audit_entry *)rows + index;

    return rsw_row_new(
        RSW_AUDIT_ENTRY, 15,
        (VALUE[]){LL2NUM(entry->entry_no), LL2NUM(entry->time_us), rsw_audit_kind(entry->kind),
                  rsw_entry_state(entry->kind, entry->from),
                  rsw_entry_state(entry->kind, entry->to), INT2NUM(entry->attempt),
                  LL2NUM(entry->epoch), rsw_number(entry->step_id), rsw_number(entry->worker_id),
                  entry_task(&entry->task_id), rsw_name(entry->step), rsw_name(entry->actor),
                  rsw_name(entry->reason), rsw_name(entry->subject),
                  rsw_hex(entry->digest.ptr, entry->digest.len)});
}

static VALUE entries_convert(VALUE data)
{
    size_t count;
    const sw_audit_entry *rows = sw_audit_entries(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, rsw_entry_element);
}

static int task_run(rsw_call *call)
{
    return sw_audit_task(call->handle->engine, &((audit_call *)call)->task_id, &call->result,
                         &call->error);
}

static VALUE engine_audit_task(VALUE self, VALUE task_id)
{
    audit_call audit = {.call = {.handle = rsw_engine_get(self), .run = task_run}};
    VALUE answer;

    audit.task_id = rsw_uuid(task_id, -1, "task_id");
    answer = rsw_call_finish(&audit.call, entries_convert);
    RB_GC_GUARD(self);
    return answer;
}

static int list_run(rsw_call *call)
{
    const audit_call *list = (const audit_call *)call;

    return sw_audit_list(call->handle->engine, list->entry_no, list->limit, &call->result,
                         &call->error);
}

static VALUE engine_audit_list(VALUE self, VALUE entry_no, VALUE limit)
{
    audit_call list = {.call = {.handle = rsw_engine_get(self), .run = list_run}};
    VALUE answer;

    list.entry_no = rsw_int64(entry_no, -1, "entry_no");
    list.limit = rsw_int64(limit, -1, "limit");
    answer = rsw_call_finish(&list.call, entries_convert);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_audit_init(void)
{
    rb_define_method(rsw_cEngine, "audit_verify", engine_audit_verify, -1);
    rb_define_method(rsw_cEngine, "audit_task", engine_audit_task, 1);
    rb_define_method(rsw_cEngine, "audit_list", engine_audit_list, 2);
}
