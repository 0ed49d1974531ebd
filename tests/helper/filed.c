/* See filed.h. */
#include "helper/filed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

sw_str filed_text(const sw_result *result)
{
    return sw_task_files(result, NULL)->text;
}

void filed_export(filed *f)
{
    sw_error *err = &f->rig.error;
    sw_str none = {NULL, 0};
    assert_true(f->count < FILED_MOMENTS);
    int rc = sw_task_export(f->rig.engine, &f->task, none, none, &f->moments[f->count++], err);
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), err->message);
}

/* No two commits at one moment: what stands between them could not be told apart. */
void filed_tick(filed *f)
{
    fault_env_advance(&f->rig.fault, 1);
}

void filed_report(filed *f, const char *step, int outcome, const char *result)
{
    sw_step_outcome row = rig_outcome(&f->rig, step, outcome);
    if (outcome == SW_OUTCOME_SUCCEEDED)
        row.result = sw__str(result);
    else
        row.error_class = sw__str("Boom"), row.error_message = sw__str(result);
    rig_report(&f->rig, &f->worker, row, SW_ROW_APPLIED);
    filed_export(f);
    filed_tick(f);
}

sw_uuid filed_submit(rig *r)
{
    sw_result *result = NULL;
    const sw_str tags[] = {SW__LIT("subject:ann"), SW__LIT("eu \"1\"")};
    sw_task_submit_row row = {.workflow = SW__LIT("order"),
                              .input = SW__LIT("{ \"order\" : 7, \"who\": \"\xc3\xa4nn\" }"),
                              .key = SW__LIT("k"),
                              .initiator = SW__LIT("shop"),
                              .reason = SW__LIT("sold"),
                              .correlation_id = SW__LIT("c-1"),
                              .tags = tags,
                              .tag_count = 2,
                              .priority = 5,
                              .deadline_ms = 7200000};
    assert_int_equal(sw_task_submit(r->engine, &row, 1, &result, &r->error), SW_OK);
    sw_uuid id = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
    return id;
}

static void filed_append(filed *f, const char *data)
{
    sw_result *result = NULL;
    sw_event_row row = {.task_id = f->task,
                        .type = SW__LIT("order.noted"),
                        .data = sw__str(data),
                        .key = SW__LIT("n1"),
                        .correlation_id = SW__LIT("c-2"),
                        .step = SW__LIT("left"),
                        .actor = SW__LIT("shop")};
    assert_int_equal(
        sw_event_append(f->rig.engine, &row, 1, SW_BATCH_ALL_OR_NOTHING, &result, &f->rig.error),
        SW_OK);
    sw_result_free(result);
    filed_export(f);
    filed_tick(f);
}

/* One attempt of left fails, right fails for good but may; each takes its time. */
void filed_play(filed *f)
{
    rig *r = &f->rig;
    filed_tick(f);
    f->task = filed_submit(r);
    filed_tick(f);
    rig_submit(r); /* another one, whose entries stand between */
    filed_export(f);
    f->worker = rig_worker(r, 3600000);
    fault_env_advance(&r->fault, 1000000);
    rig_claims(r, &f->worker, "top top");
    filed_export(f);
    fault_env_advance(&r->fault, 2000000);
    filed_report(f, "top", SW_OUTCOME_SUCCEEDED, "{\"a\": 1.50}");
    filed_append(f, "{ \"n\": 1 }");
    rig_claims(r, &f->worker, "left right");
    fault_env_advance(&r->fault, 3000000);
    filed_report(f, "left", SW_OUTCOME_FAILED, "first");
    fault_env_advance(&r->fault, 4000000);
    rig_claims(r, &f->worker, "left");
    fault_env_advance(&r->fault, 1000000);
    filed_report(f, "left", SW_OUTCOME_SUCCEEDED, "\"done\"");
}

void filed_finish(filed *f)
{
    rig *r = &f->rig;
    rig_exchange(r, &f->worker, NULL, 0, 1);
    fault_env_advance(&r->fault, 1000000);
    sw_result *right = NULL;
    assert_int_equal(sw_task_get(r->engine, &f->task, &right, &r->error), SW_OK);
    const sw_step_row *steps = sw_steps(right, NULL);
    sw_step_outcome row = {.step_id = steps[2].step_id,
                           .epoch = steps[2].epoch,
                           .outcome = SW_OUTCOME_FAILED_FOR_GOOD,
                           .error_class = SW__LIT("Lost"),
                           .error_message = SW__LIT("quote \" \xf0\x9f\x90\x9d\x01"),
                           .error_detail = SW__LIT("")};
    rig_report(r, &f->worker, row, SW_ROW_APPLIED);
    sw_result_free(right);
    filed_export(f);
    filed_tick(f);
    rig_claims(r, &f->worker, "bottom");
    fault_env_advance(&r->fault, 5000000);
    filed_report(f, "bottom", SW_OUTCOME_SUCCEEDED, "[]");
}

int filed_setup(void **state)
{
    filed *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    rig_open(&f->rig, "memory:", FILED_WORKFLOW);
    filed_play(f);
    filed_finish(f);
    *state = f;
    return 0;
}

int filed_teardown(void **state)
{
    filed *f = *state;
    for (size_t i = 0; i < f->count; i++)
        sw_result_free(f->moments[i]);
    rig_close(&f->rig);
    free(f);
    return 0;
}

sw_engine *filed_open_at(filed *f, sw_str text, int64_t entry_no)
{
    sw_engine *engine = NULL;
    sw_task_file_options options = SW_TASK_FILE_OPTIONS_INIT;
    options.entry_no = entry_no;
    options.env = &f->rig.fault.env;
    int rc = sw_task_file_open(&options, text, &engine, &f->rig.error);
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), f->rig.error.message);
    return engine;
}

void filed_assert_str(sw_str a, sw_str b)
{
    if (a.len != b.len || (a.len > 0 && memcmp(a.ptr, b.ptr, a.len) != 0))
        fail_msg("\"%.*s\" is not \"%.*s\"", SW__FMT(a), SW__FMT(b));
}

static void assert_same_step(const sw_step_row *a, const sw_step_row *b)
{
    assert_int_equal(a->step_id, b->step_id);
    filed_assert_str(a->name, b->name);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->attempt, b->attempt);
    assert_int_equal(a->open_deps, b->open_deps);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->changed_us, b->changed_us);
    assert_int_equal(a->not_before_us, b->not_before_us);
    assert_int_equal(a->deadline_us, b->deadline_us);
    assert_int_equal(a->worker_id, b->worker_id);
    assert_int_equal(a->fails_us, b->fails_us);
    filed_assert_str(a->result, b->result);
    filed_assert_str(a->error_class, b->error_class);
    filed_assert_str(a->error_message, b->error_message);
    filed_assert_str(a->error_detail, b->error_detail);
}

static void assert_same_task(const sw_task_row *a, const sw_task_row *b)
{
    assert_memory_equal(&a->task_id, &b->task_id, sizeof(a->task_id));
    filed_assert_str(a->digest, b->digest);
    filed_assert_str(a->input, b->input);
    filed_assert_str(a->key, b->key);
    filed_assert_str(a->initiator, b->initiator);
    filed_assert_str(a->reason, b->reason);
    filed_assert_str(a->correlation_id, b->correlation_id);
    assert_int_equal(a->tag_count, b->tag_count);
    for (size_t i = 0; i < a->tag_count; i++)
        filed_assert_str(a->tags[i], b->tags[i]);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->created_us, b->created_us);
    assert_int_equal(a->started_us, b->started_us);
    assert_int_equal(a->finished_us, b->finished_us);
    assert_int_equal(a->deadline_us, b->deadline_us);
    assert_memory_equal(a->step_counts, b->step_counts, sizeof(a->step_counts));
}

/* moment: the second stands at one that is past, of which no timers are known. */
void filed_assert_same(const sw_uuid *task, sw_engine *a, sw_engine *b, bool moment)
{
    size_t counts[2];
    sw_result *left = NULL, *right = NULL;
    sw_error err;
    assert_int_equal(sw_task_get(a, task, &left, &err), SW_OK);
    assert_int_equal(sw_task_get(b, task, &right, &err), SW_OK);
    assert_same_task(sw_tasks(left, NULL), sw_tasks(right, NULL));
    const sw_step_row *steps = sw_steps(left, &counts[0]);
    const sw_step_row *others = sw_steps(right, &counts[1]);
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++) {
        sw_step_row step = steps[i], other = others[i];
        if (moment) {
            step.not_before_us = step.fails_us = other.not_before_us = other.fails_us = 0;
            /* An error that a later one has taken the place of is not in the file. */
            if (other.error_class.len == 0)
                step.error_class = step.error_message = step.error_detail = (sw_str){NULL, 0};
        }
        assert_same_step(&step, &other);
    }
    sw_result_free(left);
    sw_result_free(right);
    assert_int_equal(sw_audit_task(a, task, &left, &err), SW_OK);
    assert_int_equal(sw_audit_task(b, task, &right, &err), SW_OK);
    const sw_audit_entry *entries = sw_audit_entries(left, &counts[0]);
    const sw_audit_entry *copies = sw_audit_entries(right, &counts[1]);
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++) {
        assert_int_equal(entries[i].entry_no, copies[i].entry_no);
        assert_int_equal(entries[i].time_us, copies[i].time_us);
        filed_assert_str(entries[i].reason, copies[i].reason);
        filed_assert_str(entries[i].digest, copies[i].digest);
    }
    sw_result_free(left);
    sw_result_free(right);
}
