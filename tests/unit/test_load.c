/* Loading Stepwell's own form: what comes out of a good definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "helper/definitions.h"
#include "helper/fault_env.h"
#include "model/workflow.h"

/* Steps out of order, every key once. */
static const char order_yaml[] = "stepwell: 1\n"
                                 "name: order\n"
                                 "title: An order\n"
                                 "version: 1.2.0\n"
                                 "description: |\n"
                                 "  Two lines,\n"
                                 "  with \"quotes\".\n"
                                 "input_schema: {type: object, required: [id]}\n"
                                 "metadata: {team: shop, b: 1, a: [true, null, 1.5]}\n"
                                 "max_parallel: 4\n"
                                 "deadline_ms: 7200000\n"
                                 "steps:\n"
                                 "  - name: ship\n"
                                 "    after: [charge, validate]\n"
                                 "  - name: charge\n"
                                 "    title: Charge the card\n"
                                 "    description: once\n"
                                 "    handler: shop.pay\n"
                                 "    queue: slow\n"
                                 "    priority: -3\n"
                                 "    after: [validate]\n"
                                 "    timeout_ms: 20000\n"
                                 "    heartbeat_ms: 5000\n"
                                 "    deadline_ms: 600000\n"
                                 "    on_failure: continue\n"
                                 "    parameters: {z: 1, a: {y: 2, x: \"\\u0001ü\"}}\n"
                                 "    metadata: {owner: ann}\n"
                                 "    retry: {max_attempts: 5, backoff: fibonacci, base_ms: 2000,\n"
                                 "            max_ms: 60001, jitter: 0.15}\n"
                                 "  - name: validate\n";

static const char order_json[] =
    "{\"deadline_ms\":7200000,\"description\":\"Two lines,\\nwith \\\"quotes\\\".\\n\","
    "\"input_schema\":{\"required\":[\"id\"],\"type\":\"object\"},\"max_parallel\":4,"
    "\"metadata\":{\"a\":[true,null,1.5],\"b\":1,\"team\":\"shop\"},\"name\":\"order\",\"steps\":["
    "{\"after\":[],\"handler\":\"order.validate\",\"name\":\"validate\",\"on_failure\":\"block\","
    "\"priority\":0,\"queue\":\"default\",\"retry\":{\"backoff\":\"exponential\",\"base_ms\":1000,"
    "\"jitter\":0.1,\"max_attempts\":1,\"max_ms\":60000},\"timeout_ms\":0},"
    "{\"after\":[\"validate\"],\"deadline_ms\":600000,\"description\":\"once\","
    "\"handler\":\"shop.pay\",\"heartbeat_ms\":5000,"
    "\"metadata\":{\"owner\":\"ann\"},\"name\":\"charge\",\"on_failure\":\"continue\","
    "\"parameters\":{\"a\":{\"x\":\"\\u0001ü\",\"y\":2},\"z\":1},\"priority\":-3,"
    "\"queue\":\"slow\",\"retry\":{\"backoff\":\"fibonacci\",\"base_ms\":2000,\"jitter\":0.15,"
    "\"max_attempts\":5,\"max_ms\":60001},\"timeout_ms\":20000,\"title\":\"Charge the card\"},"
    "{\"after\":[\"validate\",\"charge\"],\"handler\":\"order.ship\",\"name\":\"ship\","
    "\"on_failure\":\"block\",\"priority\":0,\"queue\":\"default\","
    "\"retry\":{\"backoff\":\"exponential\",\"base_ms\":1000,\"jitter\":0.1,\"max_attempts\":1,"
    "\"max_ms\":60000},\"timeout_ms\":0}],\"stepwell\":1,\"title\":\"An order\","
    "\"version\":\"1.2.0\"}";

static void assert_str(sw_str text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void test_every_key(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load(order_yaml);
    size_t count;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    assert_str(sw_workflow_name(workflow), "order");
    assert_str(sw_workflow_version(workflow), "1.2.0");
    assert_str(sw_workflow_input_schema(workflow), "{\"required\":[\"id\"],\"type\":\"object\"}");
    assert_int_equal(sw_workflow_max_parallel(workflow), 4);
    assert_int_equal(sw_workflow_deadline_ms(workflow), 7200000);
    assert_int_equal(count, 3);

    assert_str(steps[0].name, "validate");
    assert_str(steps[1].name, "charge");
    assert_str(steps[2].name, "ship");
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(steps[i].level, i);
        assert_int_equal(sw__workflow_find(workflow, steps[i].name), i);
    }
    assert_int_equal(sw__workflow_find(workflow, sw__str("nobody")), -1);

    const sw_workflow_step *charge = &steps[1];
    assert_str(charge->title, "Charge the card");
    assert_str(charge->handler, "shop.pay");
    assert_str(charge->queue, "slow");
    assert_str(charge->parameters, "{\"a\":{\"x\":\"\\u0001ü\",\"y\":2},\"z\":1}");
    assert_int_equal(charge->priority, -3);
    assert_int_equal(charge->timeout_ms, 20000);
    assert_int_equal(charge->heartbeat_ms, 5000);
    assert_int_equal(charge->deadline_ms, 600000);
    assert_int_equal(charge->on_failure, SW_ON_FAILURE_CONTINUE);
    assert_int_equal(charge->max_attempts, 5);
    assert_int_equal(charge->backoff, SW_BACKOFF_FIBONACCI);
    assert_int_equal(charge->backoff_base_ms, 2000);
    assert_int_equal(charge->backoff_max_ms, 60001);
    assert_true(charge->backoff_jitter > 0.149 && charge->backoff_jitter < 0.151);
    assert_int_equal(charge->line, 15);
    assert_int_equal(charge->column, 5);
    assert_int_equal(steps[2].after_count, 2);
    assert_int_equal(steps[2].after[0], 0);
    assert_int_equal(steps[2].after[1], 1);
    sw_workflow_free(workflow);
}

static void test_defaults(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load("{stepwell: 1, name: w, steps: [{name: a}]}");
    size_t count;
    const sw_workflow_step *step = sw_workflow_steps(workflow, &count);
    assert_str(sw_workflow_version(workflow), "");
    assert_non_null(sw_workflow_version(workflow).ptr);
    assert_null(sw_workflow_input_schema(workflow).ptr);
    assert_int_equal(sw_workflow_max_parallel(workflow), 0);
    assert_null(step->title.ptr);
    assert_str(step->handler, "w.a");
    assert_str(step->queue, "default");
    assert_null(step->parameters.ptr);
    assert_int_equal(step->after_count, 0);
    assert_int_equal(step->priority, 0);
    assert_int_equal(step->max_attempts, 1);
    assert_int_equal(step->backoff, SW_BACKOFF_EXPONENTIAL);
    assert_int_equal(step->backoff_base_ms, 1000);
    assert_int_equal(step->backoff_max_ms, 60000);
    assert_true(step->backoff_jitter > 0.099 && step->backoff_jitter < 0.101);
    assert_int_equal(step->timeout_ms, 0);
    assert_int_equal(step->on_failure, SW_ON_FAILURE_BLOCK);
    sw_workflow_free(workflow);
}

static void test_the_longest_delay_follows_the_first(void **state)
{
    (void)state;
    sw_workflow *workflow =
        definition_load("{stepwell: 1, name: w, steps: [{name: a, retry: {base_ms: 90000}}]}");
    size_t count;
    assert_int_equal(sw_workflow_steps(workflow, &count)->backoff_max_ms, 90000);
    sw_workflow_free(workflow);
}

static void test_the_canonical_text(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load(order_yaml);
    assert_str(sw_workflow_json(workflow), order_json);
    sw_workflow_free(workflow);
}

/* What one says in other words is the same definition. */
static void test_equal_definitions_have_one_digest(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{stepwell: 1, name: w, steps: [{name: a}, {name: b}, {name: c, after: [a, b]}]}",
        "{\"steps\":[{\"name\":\"a\",\"retry\":{\"max_attempts\":1}},{\"name\":\"b\"},"
        "{\"after\":[\"b\",\"a\"],\"name\":\"c\",\"queue\":\"default\",\"metadata\":{}}],"
        "\"name\":\"w\",\"version\":\"\",\"stepwell\":1}",
        "# a comment\nstepwell: 1\nname: \"w\"\nsteps:\n- name: a\n- {name: c, after: [a, b]}\n"
        "- name: b\n  handler: w.b\n",
    };
    char digest[65] = "";
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        sw_workflow *workflow = definition_load(same[i]);
        if (i == 0)
            memcpy(digest, sw_workflow_digest(workflow).ptr, 64);
        assert_str(sw_workflow_digest(workflow), digest);
        sw_workflow_free(workflow);
    }
    sw_workflow *other = definition_load("{stepwell: 1, name: w, steps: [{name: a}, {name: b}, "
                                         "{name: c, after: [a, b], priority: 1}]}");
    assert_int_not_equal(memcmp(sw_workflow_digest(other).ptr, digest, 64), 0);
    sw_workflow_free(other);
}

/* The expected digest comes from sha256sum. */
static void test_the_digest_is_sha256_of_the_text(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load("{stepwell: 1, name: w, steps: [{name: a}]}");
    assert_str(sw_workflow_json(workflow),
               "{\"max_parallel\":0,\"name\":\"w\",\"steps\":[{\"after\":[],\"handler\":\"w.a\","
               "\"name\":\"a\",\"on_failure\":\"block\",\"priority\":0,\"queue\":\"default\","
               "\"retry\":{\"backoff\":\"exponential\",\"base_ms\":1000,\"jitter\":0.1,"
               "\"max_attempts\":1,\"max_ms\":60000},\"timeout_ms\":0}],\"stepwell\":1,"
               "\"version\":\"\"}");
    assert_str(sw_workflow_digest(workflow),
               "dae962b459a32e1daaebf1d6616130333f71032c8e0442dc1228bdd212a30fe0");
    sw_workflow_free(workflow);
}

static void assert_reads_back(const sw_workflow *workflow)
{
    sw_workflow *again;
    sw_error err;
    sw_str json = sw_workflow_json(workflow);
    assert_int_equal(sw__workflow_load_canonical(sw_env_system(), json, &again, &err), SW_OK);
    assert_memory_equal(sw_workflow_digest(again).ptr, sw_workflow_digest(workflow).ptr, 64);
    assert_int_equal(again->step_count, workflow->step_count);
    for (size_t i = 0; i < again->step_count; i++)
        assert_true(sw__str_equal(again->steps[i].name, workflow->steps[i].name));
    sw_workflow_free(again);
    assert_int_equal(sw_workflow_load(NULL, json, &again, NULL, &err), SW_OK);
    assert_memory_equal(sw_workflow_digest(again).ptr, sw_workflow_digest(workflow).ptr, 64);
    sw_workflow_free(again);
}

/* A random definition as YAML: priorities, dependencies on steps before and behind. */
static void random_definition(char *text, size_t size)
{
    int steps = 1 + (int)(random() % 30), rank[30];
    for (int i = 0; i < steps; i++) {
        int other = (int)(random() % (i + 1));
        rank[i] = rank[other];
        rank[other] = i;
    }
    size_t used = (size_t)snprintf(text, size, "stepwell: 1\nname: w\nsteps:\n");
    for (int i = 0; i < steps; i++) {
        used += (size_t)snprintf(text + used, size - used, "- {name: s%d, priority: %ld, after: [",
                                 i, random() % 3);
        for (int k = 0; k < steps; k++) {
            if (rank[k] < rank[i] && random() % 4 == 0)
                used += (size_t)snprintf(text + used, size - used, "s%d, ", k);
        }
        used += (size_t)snprintf(text + used, size - used, "]}\n");
    }
}

static void test_reading_the_canonical_text_back(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load(order_yaml);
    assert_reads_back(workflow);
    sw_workflow_free(workflow);
    srandom(11);
    static char text[16384];
    for (int round = 0; round < 200; round++) {
        random_definition(text, sizeof(text));
        workflow = definition_load(text);
        assert_reads_back(workflow);
        sw_workflow_free(workflow);
    }
}

/* What the workflow says holds for steps that do not say; the canonical text has it in the steps.
 */
static void test_what_a_failure_means(void **state)
{
    (void)state;
    size_t count;
    sw_workflow *workflow = definition_load(
        "{stepwell: 1, name: w, steps: [{name: a}, {name: b, on_failure: continue}], "
        "on_failure: skip_dependents}");
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    assert_int_equal(steps[0].on_failure, SW_ON_FAILURE_SKIP_DEPENDENTS);
    assert_int_equal(steps[1].on_failure, SW_ON_FAILURE_CONTINUE);
    assert_null(strstr(sw_workflow_json(workflow).ptr, "\"name\":\"w\",\"on_failure\""));
    assert_reads_back(workflow);
    sw_workflow_free(workflow);
}

/* A rule that all steps had before there were others is left out; the others are kept. */
/* In both forms; what is not said is spelled out, and left out where there are none. */
static void test_breakers(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load("{stepwell: 1, name: w, breakers: {pay: {probes: 2}, "
                                            "mail: {open_ms: 90, max_open_ms: 100}}, "
                                            "steps: [{name: a, breaker: pay}, {name: b}]}");
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &(size_t){0});
    assert_memory_equal(steps[0].breaker.ptr, "pay", 3);
    assert_null(steps[1].breaker.ptr);
    const char *json = sw_workflow_json(workflow).ptr;
    const char *expected =
        "{\"breakers\":{\"mail\":{\"failure_threshold\":5,\"max_open_ms\":100,\"open_ms\":90,"
        "\"probes\":1,\"success_threshold\":2},\"pay\":{\"failure_threshold\":5,"
        "\"max_open_ms\":30000,\"open_ms\":30000,\"probes\":2,\"success_threshold\":2}},"
        "\"max_parallel\":0,\"name\":\"w\",\"steps\":[{\"after\":[],\"breaker\":\"pay\",";
    assert_memory_equal(json, expected, strlen(expected));
    assert_null(strstr(strstr(json, "\"b\""), "breaker"));
    sw_workflow *again = NULL;
    sw_error error;
    assert_int_equal(
        sw__workflow_load_canonical(sw_env_system(), sw_workflow_json(workflow), &again, &error),
        SW_OK);
    assert_memory_equal(sw_workflow_digest(again).ptr, sw_workflow_digest(workflow).ptr, 64);
    sw_workflow_free(again);
    sw_workflow_free(workflow);
    workflow = definition_load("{name: m, breakers: {pay: {}}, steps: [{id: a, step_type: noop, "
                               "breaker: pay}]}");
    steps = sw_workflow_steps(workflow, &(size_t){0});
    assert_memory_equal(steps[0].breaker.ptr, "pay", 3);
    sw_workflow_free(workflow);
}

static void test_triggers(void **state)
{
    (void)state;
    size_t count;
    sw_workflow *workflow = definition_load(
        "{stepwell: 1, name: w, steps: [{name: a}, {name: b, after: [a], trigger: all_succeeded}, "
        "{name: c, title: C, after: [a, b], trigger: {quorum: 2}}, "
        "{name: d, after: [c], trigger: none_failed}]}");
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    assert_int_equal(steps[0].trigger, SW_TRIGGER_ALL_SUCCEEDED);
    assert_int_equal(steps[2].trigger, SW_TRIGGER_QUORUM);
    assert_int_equal(steps[2].quorum, 2);
    assert_int_equal(steps[3].trigger, SW_TRIGGER_NONE_FAILED);
    assert_int_equal(steps[3].quorum, 0);
    assert_null(strstr(sw_workflow_json(workflow).ptr, "all_succeeded"));
    assert_non_null(strstr(sw_workflow_json(workflow).ptr,
                           "\"timeout_ms\":0,\"title\":\"C\",\"trigger\":{\"quorum\":2}},{"));
    assert_non_null(
        strstr(sw_workflow_json(workflow).ptr, "\"timeout_ms\":0,\"trigger\":\"none_failed\"}]"));
    assert_reads_back(workflow);
    sw_workflow_free(workflow);
}

/* How many lost attempts a step may have is left out where it is the usual number. */
static void test_crash_budgets(void **state)
{
    (void)state;
    size_t count = 0;
    sw_workflow *workflow =
        definition_load("{stepwell: 1, name: w, steps: [{name: a, retry: {max_crashes: 5}},\n"
                        "{name: b, retry: {max_crashes: 0}}, {name: c}]}");
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    assert_int_equal(steps[0].max_crashes, SW_CRASHES_DEFAULT);
    assert_int_equal(steps[1].max_crashes, 0);
    assert_int_equal(steps[2].max_crashes, SW_CRASHES_DEFAULT);
    assert_null(strstr(sw_workflow_json(workflow).ptr, "\"max_crashes\":5"));
    assert_non_null(strstr(sw_workflow_json(workflow).ptr,
                           "\"max_attempts\":1,\"max_crashes\":0,\"max_ms\":60000}"));
    assert_reads_back(workflow);
    sw_workflow_free(workflow);
}

/* Every step stands behind its dependencies; of those that could come next, the one with the
 * higher priority, then the earlier one in the file. */
static void test_the_order_of_the_steps(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load("{stepwell: 1, name: w, steps: [\n"
                                            "{name: low, priority: -1}, {name: one}, {name: two},\n"
                                            "{name: first, priority: 2},\n"
                                            "{name: last, after: [low], priority: 9},\n"
                                            "{name: urgent, after: [first], priority: 9}]}");
    static const char *const expected[] = {"first", "urgent", "one", "two", "low", "last"};
    size_t count;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    for (size_t i = 0; i < count; i++)
        assert_str(steps[i].name, expected[i]);
    sw_workflow_free(workflow);
}

static void test_sharing(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load("{stepwell: 1, name: w, steps: [{name: a}]}");
    assert_ptr_equal(sw__workflow_keep(workflow), workflow);
    sw_workflow_free(workflow);
    assert_str(sw_workflow_name(workflow), "w");
    sw_workflow_free(workflow);
    sw_workflow_free(NULL);
}

/* As many steps as a workflow may have, and a canonical form larger than a text may be. */
static void test_a_large_definition(void **state)
{
    (void)state;
    char *text = malloc(SW__DEFINITION_MAX);
    size_t used = (size_t)sprintf(text, "stepwell: 1\nname: large\nsteps:\n- name: s0\n");
    for (int step = 1; step < SW__STEPS_MAX; step++)
        used += (size_t)sprintf(text + used, "- name: s%d\n  after: [s%d]\n", step, step / 2);
    assert_true(used < SW__DEFINITION_MAX);
    sw_workflow *workflow = definition_load(text), *again;
    assert_int_equal(workflow->step_count, SW__STEPS_MAX);
    assert_true(sw_workflow_json(workflow).len > SW__DEFINITION_MAX);
    sw_error err;
    assert_int_equal(
        sw__workflow_load_canonical(sw_env_system(), sw_workflow_json(workflow), &again, &err),
        SW_OK);
    assert_memory_equal(sw_workflow_digest(again).ptr, sw_workflow_digest(workflow).ptr, 64);
    sw_workflow_free(again);
    sw_workflow_free(workflow);
    free(text);
}

static void test_options(void **state)
{
    (void)state;
    sw_workflow *workflow;
    sw_error err;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    sw_str json = sw__str("{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}");
    sw_str yaml = sw__str("{stepwell: 1, name: w, steps: [{name: a}]}");
    options.format = SW_FORMAT_JSON;
    assert_int_equal(sw_workflow_load(&options, yaml, &workflow, NULL, &err), SW_EDEFINITION);
    assert_int_equal(sw_workflow_load(&options, json, &workflow, NULL, &err), SW_OK);
    sw_workflow_free(workflow);
    options.format = SW_FORMAT_YAML;
    assert_int_equal(sw_workflow_load(&options, json, &workflow, NULL, NULL), SW_OK);
    sw_workflow_free(workflow);
    options.format = 3;
    assert_int_equal(sw_workflow_load(&options, json, &workflow, NULL, &err), SW_EINVAL);
    options.format = SW_FORMAT_DETECT;
    options.size = 4;
    assert_int_equal(sw_workflow_load(&options, json, &workflow, NULL, &err), SW_EINVAL);
    assert_null(workflow);
}

static void test_texts_that_are_no_documents(void **state)
{
    (void)state;
    definition_expect("", 0, SW_EDEFINITION, "1:1 : the text is empty\n");
    definition_expect("- a", 0, SW_EDEFINITION,
                      "1:1 : expected a map with the keys of a workflow, found a list\n");
    definition_expect("hello", 0, SW_EDEFINITION,
                      "1:1 : expected a map with the keys of a workflow, found text\n");
    definition_expect("a: 1\na: 2", 0, SW_EDEFINITION, "2:1 : the key \"a\" appears twice\n");
    definition_expect("{\"stepwell\": 1,}", 0, SW_EDEFINITION,
                      "1:16 : expected a key in quotes, found '}'\n");
    char *deep = malloc(200001);
    memset(deep, '[', 200000);
    deep[200000] = 0;
    definition_expect(deep, 0, SW_ELIMIT, "1:65 : nested more than 64 deep\n");
    free(deep);
}

static void test_the_error_names_the_file(void **state)
{
    (void)state;
    sw_workflow *workflow;
    sw_error err;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.source = sw__str("dir/order.yaml");
    sw_str text = sw__str("stepwell: 1\nname: w\ncolour: red\nsteps:\n- name: 5\n");
    assert_int_equal(sw_workflow_load(&options, text, &workflow, NULL, &err), SW_EDEFINITION);
    assert_string_equal(err.message,
                        "dir/order.yaml:5:9: expected a name, found an integer; put it in quotes");
    assert_int_equal(err.row, 5);
    options.source = (sw_str){NULL, 0};
    assert_int_equal(sw_workflow_load(&options, text, &workflow, NULL, &err), SW_EDEFINITION);
    assert_int_equal(strncmp(err.message, "<text>:5:9: ", 12), 0);
}

static int load_once(const sw_env *env, void *context)
{
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.env = env;
    sw_workflow *workflow;
    sw_result *findings;
    sw_error err = {0};
    int code = sw_workflow_load(&options, sw__str(context), &workflow, &findings, &err);
    if (code == SW_OK) {
        sw_workflow *again;
        code = sw__workflow_load_canonical(env, sw_workflow_json(workflow), &again, &err);
        sw_workflow_free(again);
    }
    if (code == SW_ENOMEM)
        assert_int_equal(err.code, SW_ENOMEM);
    sw_workflow_free(workflow);
    sw_result_free(findings);
    return code == SW_EDEFINITION ? SW_OK : code;
}

static void test_no_memory_is_noticed(void **state)
{
    (void)state;
    static char text[16384];
    fault_env fault;
    srandom(3);
    random_definition(text, sizeof(text));
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, load_once, (void *)(uintptr_t)order_yaml) > 50);
    assert_true(fault_env_each(&fault, load_once, text) > 50);
    strcat(text, "- {name: a, after: [b, a, s0, nobody], colour: red}\n- {name: b, after: [a]}\n");
    assert_true(fault_env_each(&fault, load_once, text) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_the_longest_delay_follows_the_first),
        cmocka_unit_test(test_the_canonical_text),
        cmocka_unit_test(test_equal_definitions_have_one_digest),
        cmocka_unit_test(test_the_digest_is_sha256_of_the_text),
        cmocka_unit_test(test_reading_the_canonical_text_back),
        cmocka_unit_test(test_what_a_failure_means),
        cmocka_unit_test(test_breakers),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_crash_budgets),
        cmocka_unit_test(test_the_order_of_the_steps),
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_a_large_definition),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_texts_that_are_no_documents),
        cmocka_unit_test(test_the_error_names_the_file),
        cmocka_unit_test(test_no_memory_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
