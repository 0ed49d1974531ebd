/* Trigger rules: every rule over every way and order in which three dependencies can end, against
 * the rules in words of their own; and what explain says of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/rig.h"

#define STEPS(list) "{\"stepwell\":1,\"name\":\"w\",\"steps\":[" list "]}"
#define DEPS 3

/* How a dependency ends. */
typedef enum end { SUCCEEDS, PASSES, HOLDS, FAILS, IS_SKIPPED, END_COUNT } end;

static const char *const rules[] = {"\"all_succeeded\"", "\"all_done\"", "\"any_succeeded\"",
                                    "\"none_failed\"", "{\"quorum\":2}"};

#define RULES (sizeof rules / sizeof rules[0])

static const int orders[][DEPS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

#define ORDERS (sizeof orders / sizeof orders[0])

static const char *const policies[END_COUNT] = {
    [SUCCEEDS] = "block",        [PASSES] = "continue",  [HOLDS] = "block",
    [FAILS] = "skip_dependents", [IS_SKIPPED] = "block",
};

/* A gate in front of each dependency fails where that is to be skipped. */
static void definition_write(char *text, size_t size, const end *ends, const char *rule)
{
    size_t used = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < DEPS; i++)
        used +=
            (size_t)snprintf(text + used, size - used,
                             "{\"name\":\"g%d\",\"on_failure\":\"continue\"},"
                             "{\"name\":\"d%d\",\"after\":[\"g%d\"],\"trigger\":\"any_succeeded\","
                             "\"on_failure\":\"%s\"},",
                             i, i, i, policies[ends[i]]);
    snprintf(text + used, size - used,
             "{\"name\":\"join\",\"after\":[\"d0\",\"d1\",\"d2\"],\"trigger\":%s}]}", rule);
}

/* What the join is, once these have ended. */
static int rule_state(size_t rule, const end *ends, const int *order, int ended)
{
    int count[END_COUNT] = {0};
    for (int i = 0; i < ended; i++)
        count[ends[order[i]]]++;
    int open = DEPS - ended;
    int may_succeed = count[SUCCEEDS] + count[HOLDS] + open;
    bool lost = count[IS_SKIPPED] + count[FAILS] > 0;
    switch (rule) {
    case 0:
        if (lost)
            return SW_STEP_SKIPPED;
        return count[SUCCEEDS] + count[PASSES] == DEPS ? SW_STEP_READY : SW_STEP_PENDING;
    case 1:
        return open == 0 ? SW_STEP_READY : SW_STEP_PENDING;
    case 2:
        if (count[SUCCEEDS] > 0)
            return SW_STEP_READY;
        return may_succeed == 0 ? SW_STEP_SKIPPED : SW_STEP_PENDING;
    case 3:
        if (count[FAILS] > 0)
            return SW_STEP_SKIPPED;
        return open == 0 && count[HOLDS] == 0 ? SW_STEP_READY : SW_STEP_PENDING;
    default:
        if (count[SUCCEEDS] >= 2)
            return SW_STEP_READY;
        return may_succeed < 2 ? SW_STEP_SKIPPED : SW_STEP_PENDING;
    }
}

/* Outcomes of claims that r->last held. */
typedef struct handed {
    sw_step_outcome gates[DEPS];
    sw_step_outcome deps[DEPS];
} handed;

static void handed_take(const rig *r, const end *ends, handed *all, bool gates)
{
    char name[3] = "";
    for (int i = 0; i < DEPS; i++) {
        snprintf(name, sizeof name, "%c%d", gates ? 'g' : 'd', i);
        if (gates)
            all->gates[i] = rig_outcome(r, name, SW_OUTCOME_SUCCEEDED);
        else if (ends[i] != IS_SKIPPED)
            all->deps[i] = rig_outcome(r, name, SW_OUTCOME_SUCCEEDED);
    }
}

static sw_step_outcome handed_end(const handed *all, const end *ends, int i)
{
    sw_step_outcome row = ends[i] == IS_SKIPPED ? all->gates[i] : all->deps[i];
    row.outcome = ends[i] == SUCCEEDS ? SW_OUTCOME_SUCCEEDED : SW_OUTCOME_FAILED_FOR_GOOD;
    return row;
}

/* A task in which every dependency runs, or the gate of one that is to be skipped. */
static sw_uuid handed_start(rig *r, const sw_worker_ref *worker, const end *ends, handed *all)
{
    size_t count = 0;
    sw_step_outcome rows[DEPS];
    sw_uuid task = rig_submit(r);
    rig_exchange(r, worker, NULL, 0, 10);
    handed_take(r, ends, all, true);
    for (int i = 0; i < DEPS; i++) {
        if (ends[i] != IS_SKIPPED)
            rows[count++] = all->gates[i];
    }
    rig_exchange(r, worker, rows, count, 10);
    handed_take(r, ends, all, false);
    return task;
}

static void assert_orders(rig *r, const sw_worker_ref *worker, size_t rule, const end *ends)
{
    for (size_t k = 0; k < ORDERS; k++) {
        handed all = {0};
        int expected = SW_STEP_PENDING;
        sw_uuid task = handed_start(r, worker, ends, &all);
        for (int i = 0; i < DEPS; i++) {
            sw_step_outcome row = handed_end(&all, ends, orders[k][i]);
            rig_exchange(r, worker, &row, 1, 0);
            if (expected == SW_STEP_PENDING)
                expected = rule_state(rule, ends, orders[k], i + 1);
            assert_int_equal(rig_step(r, &task, "join").state, expected);
        }
        rig_exchange(r, worker, NULL, 0, 10);
    }
}

/* All ends in one report: the order in which they are told decides nothing. */
static void assert_together(rig *r, const sw_worker_ref *worker, size_t rule, const end *ends)
{
    handed all = {0};
    sw_step_outcome rows[DEPS];
    sw_uuid task = handed_start(r, worker, ends, &all);
    for (int i = 0; i < DEPS; i++)
        rows[i] = handed_end(&all, ends, i);
    rig_exchange(r, worker, rows, DEPS, 0);
    assert_int_equal(rig_step(r, &task, "join").state, rule_state(rule, ends, orders[0], DEPS));
    rig_exchange(r, worker, NULL, 0, 10);
}

static void trigger_rules_over_every_order_of_ends(void **state)
{
    (void)state;
    for (size_t rule = 0; rule < RULES; rule++) {
        for (int mix = 0; mix < END_COUNT * END_COUNT * END_COUNT; mix++) {
            rig r;
            char text[1024];
            const end ends[DEPS] = {mix % END_COUNT, mix / END_COUNT % END_COUNT,
                                    mix / END_COUNT / END_COUNT};
            definition_write(text, sizeof text, ends, rules[rule]);
            rig_open(&r, "memory:", text);
            sw_worker_ref worker = rig_worker(&r, 60000);
            assert_orders(&r, &worker, rule, ends);
            assert_together(&r, &worker, rule, ends);
            rig_verify(&r);
            rig_close(&r);
        }
    }
}

/* What a step is given of dependencies that it did not wait for, and that nothing follows from
 * their ends. */
static void trigger_inputs_are_those_of_the_claim(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\",\"after\":[\"a\",\"b\"],"
                   "\"trigger\":\"any_succeeded\",\"retry\":{\"max_attempts\":2,"
                   "\"backoff\":\"none\"}}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "a b");
    sw_step_outcome late = rig_outcome(&r, "a", SW_OUTCOME_SUCCEEDED);
    sw_step_outcome early = rig_outcome(&r, "b", SW_OUTCOME_SUCCEEDED);
    early.result = (sw_str){"7", 1};
    late.result = (sw_str){"8", 1};
    rig_exchange(&r, &worker, &early, 1, 10);
    const sw_step_claim *claim = rig_claim(&r, "c");
    assert_int_equal(claim->input_count, 2);
    assert_int_equal(claim->inputs[0].state, SW_STEP_RUNNING);
    assert_null(claim->inputs[0].result.ptr);
    assert_int_equal(claim->inputs[1].state, SW_STEP_SUCCEEDED);
    assert_memory_equal(claim->inputs[1].result.ptr, "7", 1);
    sw_step_outcome again = rig_outcome(&r, "c", SW_OUTCOME_FAILED);
    rig_exchange(&r, &worker, &late, 1, 10);
    assert_int_equal(rig_step(&r, &task, "c").state, SW_STEP_RUNNING);
    rig_exchange(&r, &worker, &again, 1, 10);
    claim = rig_claim(&r, "c");
    assert_int_equal(claim->inputs[0].state, SW_STEP_SUCCEEDED);
    assert_memory_equal(claim->inputs[0].result.ptr, "8", 1);
    rig_verify(&r);
    rig_close(&r);
}

/* A skip runs through a whole chain in the transaction of the failure, and ends the task. */
static void trigger_skips_run_through_a_chain(void **state)
{
    (void)state;
    rig r;
    size_t count = 0;
    size_t used = 0;
    enum { LENGTH = 120 };
    static char text[LENGTH * 64];
    used += (size_t)sprintf(text, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"s0\","
                                  "\"on_failure\":\"continue\"}");
    for (int i = 1; i < LENGTH; i++)
        used += (size_t)sprintf(text + used, ",{\"name\":\"s%d\",\"after\":[\"s%d\"]%s}", i, i - 1,
                                i == 1 ? ",\"trigger\":\"any_succeeded\"" : "");
    sprintf(text + used, "]}");
    rig_open(&r, "memory:", text);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "s0");
    sw_step_outcome row = rig_outcome(&r, "s0", SW_OUTCOME_FAILED_FOR_GOOD);
    rig_exchange(&r, &worker, &row, 1, 10);
    sw_tasks_finished(r.last, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rig_step(&r, &task, "s119").state, SW_STEP_SKIPPED);
    assert_int_equal(rig_task_state(&r, &task), SW_TASK_SUCCEEDED);
    rig_verify(&r);
    rig_close(&r);
}

/* Explain. */

static void assert_explained(rig *r, const sw_uuid *task, const char *step, const char *expected)
{
    char said[1024] = "";
    size_t used = 0;
    size_t count = 0;
    sw_result *result = NULL;
    sw_str name = {step, strlen(step)};
    assert_int_equal(sw_step_explain(r->engine, task, name, &result, &r->error), 0);
    const sw_step_reason *reasons = sw_step_reasons(result, &count);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(said + used, sizeof said - used, "%.*s\n",
                                 (int)reasons[i].message.len, reasons[i].message.ptr);
    sw_result_free(result);
    assert_string_equal(said, expected);
}

static void trigger_explained(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, "memory:",
             STEPS("{\"name\":\"a\",\"on_failure\":\"continue\"},{\"name\":\"b\"},{\"name\":\"c\"},"
                   "{\"name\":\"two\",\"after\":[\"a\",\"b\",\"c\"],\"trigger\":{\"quorum\":2}},"
                   "{\"name\":\"all\",\"after\":[\"a\",\"b\",\"c\"],\"trigger\":{\"quorum\":3}},"
                   "{\"name\":\"done\",\"after\":[\"b\",\"c\"],\"trigger\":\"all_done\"},"
                   "{\"name\":\"next\",\"after\":[\"all\"]}"));
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = rig_worker(&r, 60000);
    rig_claims(&r, &worker, "a b c");
    sw_step_outcome rows[] = {rig_outcome(&r, "a", SW_OUTCOME_FAILED_FOR_GOOD),
                              rig_outcome(&r, "b", SW_OUTCOME_FAILED_FOR_GOOD)};
    rig_exchange(&r, &worker, rows, 2, 10);
    assert_explained(&r, &task, "two",
                     "two needs b, which has ended: failed (2 more must succeed)\n"
                     "two waits for c, which is running (2 more must succeed)\n");
    assert_explained(&r, &task, "done", "done waits for c, which is running\n");
    assert_explained(&r, &task, "all",
                     "all was skipped: its rule quorum cannot be met, 1 of 3 dependencies are lost "
                     "(a has ended: failed)\n");
    assert_explained(&r, &task, "next",
                     "next was skipped: its rule all_succeeded cannot be met, 1 of 1 dependencies "
                     "are lost (all has ended: skipped)\n");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trigger_rules_over_every_order_of_ends),
        cmocka_unit_test(trigger_inputs_are_those_of_the_claim),
        cmocka_unit_test(trigger_skips_run_through_a_chain),
        cmocka_unit_test(trigger_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
