/* Steps that operators bring into other states: the whole transition table, what follows for
 * dependents and tasks, both modes, what is refused and what the log keeps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define WORKFLOW(steps) "{\"stepwell\":1,\"name\":\"w\",\"steps\":[" steps "]}"
#define CHAIN                                                                                      \
    WORKFLOW("{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]},{\"name\":\"c\",\"after\":"      \
             "[\"b\"]}")
#define LAX                                                                                        \
    WORKFLOW("{\"name\":\"a\",\"on_failure\":\"continue\"},{\"name\":\"x\"},{\"name\":\"b\","      \
             "\"after\":[\"a\",\"x\"]}")
#define STRICT                                                                                     \
    WORKFLOW("{\"name\":\"a\",\"on_failure\":\"fail_task\"},{\"name\":\"b\",\"after\":[\"a\"]},"   \
             "{\"name\":\"c\",\"handler\":\"other.c\"}")

static sw_step_override_row change(rig *r, const sw_uuid *task, const char *step, int state)
{
    return (sw_step_override_row){.step_id = rig_step(r, task, step).step_id,
                                  .state = state,
                                  .actor = {"ann", 3},
                                  .reason = {"by hand", 7}};
}

static int override_rows(rig *r, const sw_step_override_row *rows, size_t count, int mode)
{
    sw_result *result = NULL;
    int rc = sw_step_override(r->engine, rows, count, mode, &result, &r->error);
    assert_int_equal(result == NULL, rc < 0);
    if (rc == 0) {
        sw_result_free(r->last);
        r->last = result;
    }
    return rc;
}

/* One change that must go through. */
static void put(rig *r, const sw_uuid *task, const char *step, int state)
{
    size_t count = 0;
    sw_step_override_row row = change(r, task, step, state);
    int from = rig_step(r, task, step).state;
    if (override_rows(r, &row, 1, SW_BATCH_ALL_OR_NOTHING) < 0)
        fail_msg("%s", r->error.message);
    const sw_step_overridden *out = sw_step_overrides(r->last, &count);
    assert_int_equal(count, 1);
    assert_int_equal(out->step_id, row.step_id);
    assert_int_equal(out->status, SW_ROW_APPLIED);
    assert_int_equal(out->code, 0);
    assert_int_equal(out->from, from);
    assert_int_equal(out->state, state);
    assert_null(out->message.ptr);
    assert_int_equal(rig_step(r, task, step).state, state);
    rig_verify(r);
}

/* One change that must be refused with words of which these are some. */
static void refuse(rig *r, const sw_uuid *task, const char *step, int state, const char *why)
{
    sw_step_override_row row = change(r, task, step, state);
    int from = rig_step(r, task, step).state;
    assert_int_equal(override_rows(r, &row, 1, SW_BATCH_ALL_OR_NOTHING), SW_ESTATE);
    assert_int_equal(r->error.row, 0);
    if (!strstr(r->error.message, why))
        fail_msg("\"%s\" lacks \"%s\"", r->error.message, why);
    assert_int_equal(rig_step(r, task, step).state, from);
}

static void assert_states(rig *r, const sw_uuid *task, int task_state, const char *steps)
{
    char found[128] = "";
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_task_get(r->engine, task, &result, &r->error), 0);
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++) {
        strncat(found, i ? " " : "", sizeof found - strlen(found) - 1);
        strncat(found, sw_step_state_name(rows[i].state), sizeof found - strlen(found) - 1);
    }
    sw_result_free(result);
    assert_string_equal(found, steps);
    assert_string_equal(sw_task_state_name(rig_task_state(r, task)),
                        sw_task_state_name(task_state));
}

/* Claim everything and report one outcome; the rest is given back. */
static void finish(rig *r, const sw_worker_ref *worker, const char *step, int outcome)
{
    size_t count = 0;
    sw_step_outcome rows[8];
    rig_exchange(r, worker, NULL, 0, 8);
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    rig_claim(r, step);
    for (size_t i = 0; i < count; i++)
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id,
            .epoch = claims[i].epoch,
            .outcome = claims[i].name.ptr[0] == *step ? outcome : SW_OUTCOME_RELEASED};
    rig_exchange(r, worker, rows, count, 0);
}

static void override_resolves_a_failure(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_states(&r, &task, SW_TASK_FAILED, "failed pending pending");
    put(&r, &task, "a", SW_STEP_RESOLVED);
    assert_states(&r, &task, SW_TASK_RUNNING, "resolved ready pending");
    rig_claims(&r, &worker, "b");
    const sw_step_claim *b = rig_claim(&r, "b");
    assert_int_equal(b->input_count, 1);
    assert_int_equal(b->inputs[0].state, SW_STEP_RESOLVED);
    assert_null(b->inputs[0].result.ptr);
    rig_report(&r, &worker, rig_outcome(&r, "b", SW_OUTCOME_SUCCEEDED), SW_ROW_APPLIED);
    put(&r, &task, "c", SW_STEP_SKIPPED);
    assert_states(&r, &task, SW_TASK_SUCCEEDED, "resolved succeeded skipped");
    refuse(&r, &task, "c", SW_STEP_READY, "has ended: it is succeeded");
    rig_verify(&r);
    rig_close(&r);
}

/* Attempts that are used up are no obstacle; a second failure is final again. */
static void override_tries_a_failure_again(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED);
    put(&r, &task, "a", SW_STEP_READY);
    assert_states(&r, &task, SW_TASK_RUNNING, "ready pending pending");
    finish(&r, &worker, "a", SW_OUTCOME_FAILED);
    assert_states(&r, &task, SW_TASK_FAILED, "failed pending pending");
    assert_int_equal(rig_step(&r, &task, "a").attempt, 2);
    put(&r, &task, "a", SW_STEP_READY);
    finish(&r, &worker, "a", SW_OUTCOME_SUCCEEDED);
    assert_states(&r, &task, SW_TASK_RUNNING, "succeeded ready pending");
    refuse(&r, &task, "a", SW_STEP_READY, "step a is succeeded; an operator cannot make it ready");
    rig_verify(&r);
    rig_close(&r);
}

static void override_takes_a_cancelled_task_up(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    sw_cancel_row cancel = {.task_id = task, .actor = {"bob", 3}, .reason = {"oops", 4}};
    assert_int_equal(sw_task_cancel(r.engine, &cancel, 1, &r.error), 0);
    refuse(&r, &task, "b", SW_STEP_READY, "1 of its dependencies were skipped, cancelled");
    refuse(&r, &task, "b", SW_STEP_PENDING, "its rule is all_succeeded; take them up first");
    refuse(&r, &task, "a", SW_STEP_PENDING, "it waits for none of its dependencies");
    sw_step_override_row rows[] = {change(&r, &task, "a", SW_STEP_READY),
                                   change(&r, &task, "b", SW_STEP_PENDING),
                                   change(&r, &task, "c", SW_STEP_PENDING)};
    assert_int_equal(override_rows(&r, rows, 3, SW_BATCH_ALL_OR_NOTHING), 0);
    sw_step_overrides(r.last, &count);
    assert_int_equal(count, 3);
    assert_states(&r, &task, SW_TASK_RUNNING, "ready pending pending");
    sw_result *result = NULL;
    assert_int_equal(sw_task_get(r.engine, &task, &result, &r.error), 0);
    assert_true(sw_tasks(result, &count)->started_us > 0);
    sw_result_free(result);
    finish(&r, &worker, "a", SW_OUTCOME_SUCCEEDED);
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    finish(&r, &worker, "c", SW_OUTCOME_SUCCEEDED);
    assert_states(&r, &task, SW_TASK_SUCCEEDED, "succeeded succeeded succeeded");
    rig_verify(&r);
    rig_close(&r);
}

/* A task with a cancelled step does not succeed, and one that ends by hand alone has begun. */
static void override_ends_tasks(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid first = rig_submit(&r);
    put(&r, &first, "a", SW_STEP_RESOLVED);
    assert_states(&r, &first, SW_TASK_PENDING, "resolved ready pending");
    put(&r, &first, "b", SW_STEP_SKIPPED);
    assert_states(&r, &first, SW_TASK_SUCCEEDED, "resolved skipped skipped");
    sw_uuid second = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    put(&r, &second, "c", SW_STEP_CANCELLED);
    finish(&r, &worker, "a", SW_OUTCOME_SUCCEEDED);
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    assert_states(&r, &second, SW_TASK_FAILED, "succeeded succeeded cancelled");
    put(&r, &second, "c", SW_STEP_READY);
    assert_states(&r, &second, SW_TASK_RUNNING, "succeeded succeeded ready");
    sw_uuid third = rig_submit(&r);
    put(&r, &third, "a", SW_STEP_CANCELLED);
    assert_states(&r, &third, SW_TASK_FAILED, "cancelled skipped skipped");
    sw_uuid fourth = rig_submit(&r);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    put(&r, &fourth, "b", SW_STEP_CANCELLED); /* nothing can go on by that: it ends again */
    assert_states(&r, &fourth, SW_TASK_FAILED, "failed cancelled skipped");
    rig_verify(&r);
    rig_close(&r);
}

/* What a failure does to steps of each rule, and what they make of the operator's word. */
#define RULES                                                                                      \
    WORKFLOW("{\"name\":\"a\",\"on_failure\":\"skip_dependents\"},{\"name\":\"x\"},"               \
             "{\"name\":\"all\",\"after\":[\"a\"]},"                                               \
             "{\"name\":\"any\",\"after\":[\"a\",\"x\"],\"trigger\":\"any_succeeded\"},"           \
             "{\"name\":\"done\",\"after\":[\"a\",\"x\"],\"trigger\":\"all_done\"},"               \
             "{\"name\":\"none\",\"after\":[\"a\"],\"trigger\":\"none_failed\"},"                  \
             "{\"name\":\"two\",\"after\":[\"a\",\"x\"],\"trigger\":{\"quorum\":2}}")

static void override_follows_trigger_rules(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", RULES);
    sw_worker_ref worker = rig_worker(&r, 60000);
    sw_uuid skipped = rig_submit(&r); /* a x all any done none two */
    put(&r, &skipped, "a", SW_STEP_SKIPPED);
    assert_states(&r, &skipped, SW_TASK_PENDING,
                  "skipped ready skipped pending pending ready skipped");
    refuse(&r, &skipped, "a", SW_STEP_READY, "none, which depends on it, is ready");
    refuse(&r, &skipped, "all", SW_STEP_PENDING, "its rule is all_succeeded");
    put(&r, &skipped, "x", SW_STEP_SKIPPED);
    assert_states(&r, &skipped, SW_TASK_PENDING,
                  "skipped skipped skipped skipped ready ready skipped");
    put(&r, &skipped, "done", SW_STEP_RESOLVED);
    put(&r, &skipped, "none", SW_STEP_SKIPPED);
    assert_states(&r, &skipped, SW_TASK_SUCCEEDED,
                  "skipped skipped skipped skipped resolved skipped skipped");
    sw_uuid failed = rig_submit(&r);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_states(&r, &failed, SW_TASK_RUNNING,
                  "failed ready skipped pending pending skipped skipped");
    put(&r, &failed, "a", SW_STEP_RESOLVED); /* what was skipped stays so */
    assert_states(&r, &failed, SW_TASK_RUNNING,
                  "resolved ready skipped ready pending skipped skipped");
    put(&r, &failed, "all", SW_STEP_READY);
    refuse(&r, &failed, "two", SW_STEP_READY, "1 of its dependencies are open");
    put(&r, &failed, "two", SW_STEP_PENDING);
    put(&r, &failed, "x", SW_STEP_RESOLVED);
    assert_states(&r, &failed, SW_TASK_RUNNING,
                  "resolved resolved ready ready ready skipped ready");
    rig_close(&r);
}

/* A failure that has skipped its dependents is tried again, and they are taken up with it. */
static void override_takes_skipped_dependents_up(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", RULES);
    sw_worker_ref worker = rig_worker(&r, 60000);
    sw_uuid task = rig_submit(&r);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    finish(&r, &worker, "x", SW_OUTCOME_SUCCEEDED);
    assert_states(&r, &task, SW_TASK_RUNNING,
                  "failed succeeded skipped ready ready skipped skipped");
    refuse(&r, &task, "a", SW_STEP_READY, "done, which depends on it, is ready");
    sw_step_override_row rows[] = {
        change(&r, &task, "done", SW_STEP_CANCELLED), change(&r, &task, "any", SW_STEP_CANCELLED),
        change(&r, &task, "a", SW_STEP_READY),        change(&r, &task, "done", SW_STEP_PENDING),
        change(&r, &task, "all", SW_STEP_PENDING),    change(&r, &task, "two", SW_STEP_PENDING),
        change(&r, &task, "none", SW_STEP_PENDING)};
    assert_int_equal(override_rows(&r, rows, 7, SW_BATCH_ALL_OR_NOTHING), 0);
    assert_states(&r, &task, SW_TASK_RUNNING,
                  "ready succeeded pending cancelled pending pending pending");
    rig_verify(&r);
    put(&r, &task, "any", SW_STEP_READY);           /* x is enough */
    finish(&r, &worker, "a", SW_OUTCOME_SUCCEEDED); /* and any, which begins with a too */
    assert_states(&r, &task, SW_TASK_RUNNING,
                  "succeeded succeeded ready succeeded ready ready ready");
    rig_verify(&r);
    rig_close(&r);
}

static void override_fences_the_running_attempt(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "a");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    sw_step_hold hold = {late.step_id, late.epoch};
    refuse(&r, &task, "a", SW_STEP_RESOLVED, "step a is running; an operator cannot make it");
    put(&r, &task, "a", SW_STEP_CANCELLED);
    assert_int_equal(sw_worker_renew(r.engine, &worker, &hold, 1, &result, &r.error), 0);
    sw_step_holds(result, &count);
    assert_int_equal(count, 1);
    sw_result_free(result);
    rig_report(&r, &worker, late, SW_ROW_FENCED);
    put(&r, &task, "a", SW_STEP_READY);
    rig_claims(&r, &worker, "a");
    assert_int_equal(rig_claim(&r, "a")->epoch, late.epoch + 1);
    rig_report(&r, &worker, late, SW_ROW_FENCED);
    rig_verify(&r);
    rig_close(&r);
}

/* b has counted the allowed failure of a: taken back while b waits, not after it has begun. */
static void override_takes_a_satisfied_dependency_back(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:", LAX);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_int_equal(rig_step(&r, &task, "b").open_deps, 1);
    put(&r, &task, "a", SW_STEP_READY);
    assert_int_equal(rig_step(&r, &task, "b").open_deps, 2);
    finish(&r, &worker, "x", SW_OUTCOME_SUCCEEDED);
    assert_states(&r, &task, SW_TASK_RUNNING, "ready succeeded pending");
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_states(&r, &task, SW_TASK_RUNNING, "failed succeeded ready");
    refuse(&r, &task, "a", SW_STEP_READY, "b, which depends on it, is ready");
    put(&r, &task, "a", SW_STEP_RESOLVED); /* done before and after: b hears of it once */
    assert_int_equal(rig_step(&r, &task, "b").open_deps, 0);
    finish(&r, &worker, "b", SW_OUTCOME_SUCCEEDED);
    assert_states(&r, &task, SW_TASK_SUCCEEDED, "resolved succeeded succeeded");
    sw_uuid other = rig_submit(&r);
    put(&r, &other, "a", SW_STEP_SKIPPED);
    assert_states(&r, &other, SW_TASK_PENDING, "skipped ready skipped");
    put(&r, &other, "a", SW_STEP_READY);
    refuse(&r, &other, "b", SW_STEP_READY, "2 of its dependencies are open");
    put(&r, &other, "b", SW_STEP_PENDING);
    rig_verify(&r);
    rig_close(&r);
}

/* Each row meets what the rows before it have brought about. */
static void override_applies_rows_in_their_order(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    rig_open(&r, "memory:", STRICT);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    finish(&r, &worker, "a", SW_OUTCOME_FAILED_FOR_GOOD);
    assert_states(&r, &task, SW_TASK_FAILED, "failed cancelled cancelled");
    sw_step_override_row rows[] = {
        change(&r, &task, "b", SW_STEP_READY),     change(&r, &task, "a", SW_STEP_RESOLVED),
        change(&r, &task, "b", SW_STEP_READY),     change(&r, &task, "c", SW_STEP_READY),
        change(&r, &task, "c", SW_STEP_CANCELLED), {.step_id = 12345, .state = SW_STEP_READY}};
    rows[5].actor = rows[5].reason = (sw_str){"x", 1};
    assert_int_equal(override_rows(&r, rows, 6, SW_BATCH_ALL_OR_NOTHING), SW_ESTATE);
    assert_int_equal(r.error.row, 0);
    assert_int_equal(override_rows(&r, rows + 1, 5, SW_BATCH_ALL_OR_NOTHING), SW_ENOTFOUND);
    assert_int_equal(r.error.row, 4);
    assert_states(&r, &task, SW_TASK_FAILED, "failed cancelled cancelled");
    assert_int_equal(override_rows(&r, rows, 6, SW_BATCH_PARTIAL), 0);
    const sw_step_overridden *out = sw_step_overrides(r.last, &count);
    assert_int_equal(count, 6);
    static const int codes[] = {SW_ESTATE, 0, 0, 0, 0, SW_ENOTFOUND};
    static const int states[] = {SW_STEP_READY,     SW_STEP_RESOLVED,  SW_STEP_READY,
                                 SW_STEP_CANCELLED, SW_STEP_CANCELLED, -1};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(out[i].code, codes[i]);
        assert_int_equal(out[i].status, codes[i] ? SW_ROW_REFUSED : SW_ROW_APPLIED);
        assert_int_equal(out[i].state, states[i]);
        assert_int_equal(out[i].message.len > 0, codes[i] != 0);
    }
    assert_int_equal(out[5].from, -1);
    assert_states(&r, &task, SW_TASK_RUNNING, "resolved ready cancelled");
    rig_verify(&r);
    rig_close(&r);
}

static void override_is_audited(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    put(&r, &task, "a", SW_STEP_RESOLVED);
    assert_int_equal(sw_audit_task(r.engine, &task, &result, &r.error), 0);
    const sw_audit_entry *entries = sw_audit_entries(result, &count);
    assert_int_equal(count, 3); /* submitted, a resolved, b ready */
    assert_int_equal(entries[1].from, SW_STEP_READY);
    assert_int_equal(entries[1].to, SW_STEP_RESOLVED);
    assert_memory_equal(entries[1].actor.ptr, "ann", 3);
    assert_memory_equal(entries[1].reason.ptr, "by hand", 7);
    assert_int_equal(entries[2].actor.len, 0);
    sw_result_free(result);
    rig_close(&r);
}

/* Explanations, readiness and contexts know what was resolved. */
static void override_is_seen_by_questions(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    sw_result *result = NULL;
    rig_open(&r, "memory:", LAX);
    sw_uuid task = rig_submit(&r);
    put(&r, &task, "x", SW_STEP_RESOLVED);
    assert_int_equal(sw_step_explain(r.engine, &task, (sw_str){"b", 1}, &result, &r.error), 0);
    const sw_step_reason *reasons = sw_step_reasons(result, &count);
    assert_int_equal(count, 1);
    assert_memory_equal(reasons[0].subject.ptr, "a", 1);
    sw_result_free(result);
    assert_int_equal(sw_step_readiness(r.engine, &task, &result, &r.error), 0);
    const sw_step_readiness_row *rows = sw_readiness_rows(result, &count);
    assert_int_equal(rows[2].completed_parents, 1);
    assert_int_equal(rows[1].reason, SW_REASON_ENDED);
    sw_result_free(result);
    assert_int_equal(sw_task_context(r.engine, &task, 1, &result, &r.error), 0);
    assert_float_equal(sw_task_contexts(result, &count)->completion_percentage, 33.33, 1e-9);
    sw_result_free(result);
    rig_close(&r);
}

/* Every pair of states that an operator may not make, for the states that can be reached. */
static void override_keeps_to_the_table(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    rig_open(&r, "memory:", LAX);
    const sw_transition *table = sw_step_transitions(&count);
    static const int reached[] = {SW_STEP_READY, SW_STEP_SKIPPED, SW_STEP_CANCELLED,
                                  SW_STEP_RESOLVED};
    for (size_t k = 0; k < sizeof reached / sizeof reached[0]; k++) {
        for (int to = 0; to < SW_STEP_STATE_COUNT; to++) {
            bool listed = false;
            for (size_t i = 0; i < count; i++)
                listed = listed || (table[i].from == reached[k] && table[i].to == to &&
                                    table[i].by == SW_BY_OPERATOR);
            sw_uuid task = rig_submit(&r);
            if (reached[k] != SW_STEP_READY)
                put(&r, &task, "a", reached[k]);
            if (!listed)
                refuse(&r, &task, "a", to, "an operator cannot make it");
            else if (to == SW_STEP_PENDING)
                refuse(&r, &task, "a", to, "it waits for none of its dependencies");
            else
                put(&r, &task, "a", to);
        }
    }
    rig_close(&r);
}

static void override_refuses_bad_rows(void **state)
{
    (void)state;
    rig r;
    sw_result *result = NULL;
    rig_open(&r, "memory:", CHAIN);
    sw_uuid task = rig_submit(&r);
    sw_step_override_row good = change(&r, &task, "a", SW_STEP_SKIPPED);
    sw_step_override_row rows[2] = {good, good};
    rows[1].actor = (sw_str){0};
    assert_int_equal(override_rows(&r, rows, 2, SW_BATCH_PARTIAL), SW_EINVAL);
    assert_int_equal(r.error.row, 1);
    assert_non_null(strstr(r.error.message, "actor is missing"));
    rows[1] = good;
    rows[1].reason.len = 0;
    assert_int_equal(override_rows(&r, rows, 2, SW_BATCH_PARTIAL), SW_EINVAL);
    assert_non_null(strstr(r.error.message, "reason is missing"));
    rows[1] = good;
    rows[1].reason = (sw_str){"a\nb", 3};
    assert_int_equal(override_rows(&r, rows, 2, SW_BATCH_PARTIAL), SW_EINVAL);
    rows[1] = good;
    rows[1].state = SW_STEP_STATE_COUNT;
    assert_int_equal(override_rows(&r, rows, 2, SW_BATCH_PARTIAL), SW_EINVAL);
    rows[1].state = -1;
    assert_int_equal(override_rows(&r, rows, 2, SW_BATCH_PARTIAL), SW_EINVAL);
    assert_int_equal(override_rows(&r, &good, 1, 2), SW_EINVAL);
    assert_int_equal(override_rows(&r, NULL, 1, SW_BATCH_PARTIAL), SW_EINVAL);
    assert_int_equal(override_rows(&r, &good, 100001, SW_BATCH_PARTIAL), SW_ELIMIT);
    assert_int_equal(sw_step_override(NULL, &good, 1, 0, &result, &r.error), SW_EINVAL);
    assert_int_equal(sw_step_override(r.engine, &good, 1, 0, NULL, &r.error), SW_EINVAL);
    assert_int_equal(override_rows(&r, NULL, 0, SW_BATCH_ALL_OR_NOTHING), 0);
    assert_states(&r, &task, SW_TASK_PENDING, "ready pending pending");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(override_resolves_a_failure),
        cmocka_unit_test(override_tries_a_failure_again),
        cmocka_unit_test(override_takes_a_cancelled_task_up),
        cmocka_unit_test(override_ends_tasks),
        cmocka_unit_test(override_follows_trigger_rules),
        cmocka_unit_test(override_takes_skipped_dependents_up),
        cmocka_unit_test(override_fences_the_running_attempt),
        cmocka_unit_test(override_takes_a_satisfied_dependency_back),
        cmocka_unit_test(override_applies_rows_in_their_order),
        cmocka_unit_test(override_is_audited),
        cmocka_unit_test(override_is_seen_by_questions),
        cmocka_unit_test(override_keeps_to_the_table),
        cmocka_unit_test(override_refuses_bad_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
