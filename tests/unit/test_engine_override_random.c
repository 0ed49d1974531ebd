/* Operators and workers at random on random workflows: after every call each step waits for exactly
 * what its rule asks for, every task has ended exactly when nothing of it can go on, and the log
 * verifies.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define WORKFLOWS 150
#define CALLS 80
#define STEPS_MAX 7
#define TASKS 2
#define VERIFY_EVERY 16

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static void workflow_draw(char *text, size_t size)
{
    static const char *const policies[] = {"block", "continue", "fail_task", "skip_dependents"};
    static const char *const rules[] = {"\"all_succeeded\"", "\"all_succeeded\"", "\"all_done\"",
                                        "\"none_failed\""};
    int steps = 2 + (int)draw(STEPS_MAX - 1);
    size_t at = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < steps; i++) {
        const char *comma = "";
        at += (size_t)snprintf(text + at, size - at,
                               "%s{\"name\":\"%c\",\"on_failure\":\"%s\",\"retry\":"
                               "{\"max_attempts\":2,\"backoff\":\"none\"},\"after\":[",
                               i ? "," : "", 'a' + i, policies[draw(4)]);
        int after = 0;
        for (int k = 0; k < i; k++) {
            if (draw(3) > 0)
                continue;
            at += (size_t)snprintf(text + at, size - at, "%s\"%c\"", comma, 'a' + k);
            comma = ",";
            after++;
        }
        at += (size_t)snprintf(text + at, size - at, "],\"trigger\":");
        if (after > 0 && draw(2) > 0)
            at += (size_t)snprintf(text + at, size - at, "{\"quorum\":%u}}",
                                   1 + draw((uint32_t)after));
        else
            at += (size_t)snprintf(text + at, size - at, "%s}", rules[draw(after ? 4 : 1)]);
    }
    snprintf(text + at, size - at, "]}");
}

/* What must hold. */

static bool is_well(const sw_workflow_step *step, int state)
{
    return state == SW_STEP_SUCCEEDED || state == SW_STEP_RESOLVED || state == SW_STEP_SKIPPED ||
           (state == SW_STEP_FAILED && step->on_failure == SW_ON_FAILURE_CONTINUE);
}

/* Whether a dependency does what the rule asks for, in the words of the documentation. */
static bool is_counted(const sw_workflow_step *step, const sw_workflow_step *from, int state)
{
    bool succeeded = state == SW_STEP_SUCCEEDED || state == SW_STEP_RESOLVED;
    bool passed = state == SW_STEP_FAILED && from->on_failure == SW_ON_FAILURE_CONTINUE;
    switch (step->trigger) {
    case SW_TRIGGER_ALL_DONE:
        return sw_step_state_terminal(state);
    case SW_TRIGGER_NONE_FAILED:
        return succeeded || passed || state == SW_STEP_SKIPPED;
    case SW_TRIGGER_QUORUM:
        return succeeded;
    default:
        return succeeded || passed;
    }
}

/* Whether it never will, unless an operator takes it up again. */
static bool is_lost(const sw_workflow_step *step, const sw_workflow_step *from, int state)
{
    bool held = state == SW_STEP_FAILED && from->on_failure != SW_ON_FAILURE_SKIP_DEPENDENTS &&
                from->on_failure != SW_ON_FAILURE_CONTINUE;
    return sw_step_state_terminal(state) && !held && !is_counted(step, from, state);
}

typedef struct standing {
    int open; /* how many must still count */
    bool hopeless;
} standing;

static standing standing_of(const sw_workflow_step *steps, const sw_step_row *rows, size_t index)
{
    const sw_workflow_step *step = &steps[index];
    int all = (int)step->after_count;
    int needed = step->trigger == SW_TRIGGER_QUORUM ? step->quorum : all;
    int counted = 0;
    int lost = 0;
    for (int i = 0; i < all; i++) {
        int32_t from = step->after[i];
        counted += is_counted(step, &steps[from], rows[from].state);
        lost += is_lost(step, &steps[from], rows[from].state);
    }
    return (standing){needed - counted, lost > all - needed};
}

static void check_task(rig *r, const sw_uuid *task)
{
    size_t count = 0;
    size_t done = 0;
    size_t active = 0;
    sw_result *result = NULL;
    const sw_workflow_step *steps = sw_workflow_steps(r->workflow, &count);
    assert_int_equal(sw_task_get(r->engine, task, &result, &r->error), 0);
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++) {
        bool alive = rows[i].state == SW_STEP_READY || rows[i].state == SW_STEP_RUNNING;
        standing at = standing_of(steps, rows, i);
        if (rows[i].state == SW_STEP_PENDING)
            assert_int_equal(rows[i].open_deps, at.open);
        assert_false(alive && at.open > 0);
        assert_false(rows[i].state == SW_STEP_PENDING && (at.open <= 0 || at.hopeless));
        done += is_well(&steps[i], rows[i].state);
        active += alive;
    }
    const sw_task_row *row = sw_tasks(result, &count);
    bool ended = sw_task_state_terminal(row->state);
    assert_int_equal(ended, active == 0);
    assert_int_equal(row->state == SW_TASK_SUCCEEDED, done == (size_t)row->step_count);
    assert_true(row->started_us > 0 || row->state == SW_TASK_PENDING ||
                row->state == SW_TASK_CANCELLED);
    sw_result_free(result);
}

/* What happens. */

/* What a dependency is by its own row. */
static int state_of(rig *r, const sw_step_claim *claim, size_t input)
{
    size_t count = 0;
    int state = -1;
    sw_result *result = NULL;
    assert_int_equal(sw_task_get(r->engine, &claim->task_id, &result, &r->error), 0);
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].name.len == claim->inputs[input].name.len &&
            memcmp(rows[i].name.ptr, claim->inputs[input].name.ptr, rows[i].name.len) == 0)
            state = rows[i].state;
    }
    sw_result_free(result);
    return state;
}

static void play_worker(rig *r, const sw_worker_ref *worker)
{
    size_t count = 0;
    sw_step_outcome rows[STEPS_MAX * TASKS];
    rig_exchange(r, worker, NULL, 0, 1 + draw(4));
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < claims[i].input_count; k++)
            assert_int_equal(claims[i].inputs[k].state, state_of(r, &claims[i], k));
        if (draw(4) > 0) /* the others go on running */
            rows[kept++] = (sw_step_outcome){.step_id = claims[i].step_id,
                                             .epoch = claims[i].epoch,
                                             .outcome = (int32_t)draw(SW_OUTCOME_COUNT)};
    }
    rig_exchange(r, worker, rows, kept, 0);
}

/* Rows at random, most of which are refused; how many were applied. */
static size_t play_operator(rig *r, const sw_uuid *tasks)
{
    size_t count = 0;
    size_t applied = 0;
    sw_result *result = NULL;
    sw_step_override_row rows[6];
    size_t row_count = 1 + draw(6);
    int mode = (int)draw(2);
    for (size_t i = 0; i < row_count; i++) {
        assert_int_equal(sw_step_readiness(r->engine, &tasks[draw(TASKS)], &result, &r->error), 0);
        const sw_step_readiness_row *steps = sw_readiness_rows(result, &count);
        rows[i] = (sw_step_override_row){.step_id = steps[draw((uint32_t)count)].step_id,
                                         .state = (int32_t)draw(SW_STEP_STATE_COUNT),
                                         .actor = {"ann", 3},
                                         .reason = {"random", 6}};
        sw_result_free(result);
    }
    result = NULL;
    int rc = sw_step_override(r->engine, rows, row_count, mode, &result, &r->error);
    assert_true(rc == 0 || (rc == SW_ESTATE && mode == SW_BATCH_ALL_OR_NOTHING));
    const sw_step_overridden *out = sw_step_overrides(result, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        applied += out[i].status == SW_ROW_APPLIED;
    sw_result_free(result);
    return applied;
}

static void play_cancel(rig *r, const sw_uuid *task)
{
    sw_cancel_row row = {.task_id = *task, .actor = {"bob", 3}, .reason = {"random", 6}};
    int rc = sw_task_cancel(r->engine, &row, 1, &r->error);
    assert_true(rc == 0 || rc == SW_ESTATE);
}

static size_t play_workflow(void)
{
    rig r;
    char text[2048];
    size_t applied = 0;
    sw_uuid tasks[TASKS];
    workflow_draw(text, sizeof text);
    rig_open(&r, "memory:", text);
    sw_worker_ref worker = rig_worker(&r, 1000000);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = rig_submit(&r);
    for (int call = 0; call < CALLS; call++) {
        uint32_t what = draw(16);
        if (what == 0)
            play_cancel(&r, &tasks[draw(TASKS)]);
        else if (what < 8)
            play_worker(&r, &worker);
        else
            applied += play_operator(&r, tasks);
        for (int i = 0; i < TASKS; i++)
            check_task(&r, &tasks[i]);
        if (call % VERIFY_EVERY == 0)
            rig_verify(&r);
    }
    rig_verify(&r);
    rig_close(&r);
    return applied;
}

static void test_operators_and_workers_at_random(void **state)
{
    (void)state;
    size_t applied = 0;
    for (uint64_t seed = 1; seed <= WORKFLOWS; seed++) {
        random_state = seed;
        applied += play_workflow();
    }
    print_message("%zu changes by hand\n", applied);
    assert_true(applied > WORKFLOWS * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators_and_workers_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
