/* What a forecast says of a change is what happens when the change is made: random workflows with
 * all rules and policies, asked in the middle, then carried out step by step.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define WORKFLOWS 400
#define STEPS_MAX 7
#define SECOND INT64_C(1000000)
#define TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})

static uint64_t random_state = 3;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static size_t after_draw(char *text, size_t size, int step, int *after)
{
    size_t at = 0;
    *after = 0;
    for (int from = 0; from < step; from++) {
        if (draw(3) == 0)
            at += (size_t)snprintf(text + at, size - at, "%s\"%c\"", (*after)++ ? "," : "",
                                   'a' + from);
    }
    return at;
}

static void workflow_draw(char *text, size_t size)
{
    static const char *const policies[] = {"block", "continue", "fail_task", "skip_dependents"};
    static const char *const rules[] = {"\"all_succeeded\"", "\"all_done\"", "\"none_failed\"",
                                        "\"any_succeeded\""};
    int steps = 2 + (int)draw(STEPS_MAX - 1), after = 0;
    size_t at = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < steps; i++) {
        at += (size_t)snprintf(text + at, size - at,
                               "%s{\"name\":\"%c\",\"on_failure\":\"%s\",\"after\":[", i ? "," : "",
                               'a' + i, policies[draw(4)]);
        at += after_draw(text + at, size - at, i, &after);
        if (after > 0 && draw(4) == 0)
            at += (size_t)snprintf(text + at, size - at, "],\"trigger\":{\"quorum\":%u}}",
                                   1 + draw((uint32_t)after));
        else
            at += (size_t)snprintf(text + at, size - at, "],\"trigger\":%s}",
                                   rules[draw(after ? 4 : 1)]);
    }
    snprintf(text + at, size - at, "]}");
}

typedef struct scene {
    rig r;
    sw_worker_ref worker;
    sw_uuid task;
    sw_step_outcome outcomes[STEPS_MAX];
    char names[STEPS_MAX]; /* of their steps */
    size_t outcome_count;
    int64_t seconds; /* in which something ran */
    char fails;      /* the step that will fail, 0 for none */
} scene;

static void outcome_set(scene *s, size_t index, bool fails)
{
    fails |= s->names[index] == s->fails;
    s->outcomes[index].outcome = fails ? SW_OUTCOME_FAILED_FOR_GOOD : SW_OUTCOME_SUCCEEDED;
}

/* Report what was claimed, claim what is ready. Each claim takes a second. */
static void scene_tick(scene *s, uint32_t failures)
{
    if (s->outcome_count > 0) {
        fault_env_advance(&s->r.fault, SECOND);
        s->seconds++;
    }
    rig_exchange(&s->r, &s->worker, s->outcomes, s->outcome_count, STEPS_MAX);
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(s->r.last, &count);
    for (size_t i = 0; i < count; i++) {
        s->names[i] = claims[i].name.ptr[0];
        s->outcomes[i] = (sw_step_outcome){.step_id = claims[i].step_id, .epoch = claims[i].epoch};
        outcome_set(s, i, failures > 0 && draw(failures) == 0);
    }
    s->outcome_count = count;
}

static int states_read(scene *s, int states[STEPS_MAX])
{
    size_t count = 0;
    sw_workflow_steps(s->r.workflow, &count);
    for (size_t i = 0; i < count; i++) {
        const char name[] = {(char)('a' + i), 0};
        states[i] = rig_step(&s->r, &s->task, name).state;
    }
    return (int)count;
}

/* Make the change for real; false when an operator may not. */
static bool change_make(scene *s, const sw_forecast_change *change)
{
    char name[] = {change->step.ptr[0], 0};
    int state = change->kind == SW_FORECAST_SKIP ? SW_STEP_SKIPPED : SW_STEP_RESOLVED;
    sw_result *result = NULL;
    sw_step_override_row row = {.step_id = rig_step(&s->r, &s->task, name).step_id,
                                .state = state,
                                .actor = TEXT("ann"),
                                .reason = TEXT("why")};
    int rc = sw_step_override(s->r.engine, &row, 1, SW_BATCH_ALL_OR_NOTHING, &result, &s->r.error);
    sw_result_free(result);
    assert_true(rc == SW_OK || rc == SW_ESTATE);
    return rc == SW_OK;
}

static sw_result *change_ask(scene *s, const sw_forecast_change *change)
{
    sw_result *result = NULL;
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    options.default_us = SECOND;
    options.workers = STEPS_MAX;
    options.changes = change;
    options.change_count = 1;
    int rc = sw_task_forecast(s->r.engine, &options, &s->task, &result, &s->r.error);
    assert_true(rc == SW_OK || rc == SW_ESTATE);
    return result;
}

static void scene_compare(scene *s, const int before[STEPS_MAX], const sw_result *result)
{
    size_t count = 0;
    int64_t never = 0;
    int after[STEPS_MAX];
    const sw_forecast *forecast = sw_forecasts(result, NULL);
    const sw_forecast_step *steps = sw_forecast_steps(result, &count);
    states_read(s, after);
    assert_int_equal(forecast->what_if.left_us[1], s->seconds * SECOND);
    assert_int_equal(forecast->what_if.state, rig_task_state(&s->r, &s->task));
    for (size_t i = 0; i < count; i++) {
        int at = steps[i].name.ptr[0] - 'a';
        bool ended = sw_step_state_terminal(before[at]);
        bool ran = !ended && (after[at] == SW_STEP_SUCCEEDED || after[at] == SW_STEP_FAILED);
        assert_int_equal(steps[i].runs_what_if, ran);
        never += !ended && !ran;
    }
    assert_int_equal(forecast->what_if.never_count, never);
}

/* From here on everything succeeds but for what the change says. */
static void scene_carry_out(scene *s, const int before[STEPS_MAX], const sw_forecast_change *change,
                            bool answered)
{
    char name = change->step.ptr[0];
    bool over = sw_task_state_terminal(rig_task_state(&s->r, &s->task));
    bool may = !over && !sw_step_state_terminal(before[name - 'a']);
    if (change->kind == SW_FORECAST_FAIL)
        s->fails = name;
    else if (may)
        may = change_make(s, change);
    assert_int_equal(answered, may);
    for (size_t i = 0; i < s->outcome_count; i++)
        outcome_set(s, i, false);
    s->seconds = 0;
    do
        scene_tick(s, 0);
    while (s->outcome_count > 0);
}

static bool scene_play(const char *definition)
{
    scene s = {0};
    int before[STEPS_MAX];
    rig_open(&s.r, "memory:", definition);
    s.worker = rig_worker(&s.r, 600000);
    s.task = rig_submit(&s.r);
    for (uint32_t ticks = draw(4); ticks > 0; ticks--)
        scene_tick(&s, 4);
    char name = (char)('a' + draw((uint32_t)states_read(&s, before)));
    sw_forecast_change change = {.step = {&name, 1}, .kind = (int32_t)draw(3)};
    change.kind += change.kind >= SW_FORECAST_SLOWER;
    sw_result *result = change_ask(&s, &change);
    bool answered = result != NULL;
    scene_carry_out(&s, before, &change, answered);
    if (answered)
        scene_compare(&s, before, result);
    sw_result_free(result);
    rig_close(&s.r);
    return answered;
}

static void test_changes_are_what_the_engine_does(void **state)
{
    (void)state;
    char text[4096];
    int compared = 0;
    for (int i = 0; i < WORKFLOWS; i++) {
        workflow_draw(text, sizeof(text));
        compared += scene_play(text);
    }
    assert_true(compared > WORKFLOWS / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_are_what_the_engine_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
