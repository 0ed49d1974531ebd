/* Reading stored definitions a step at a time: it takes all that the library writes and nothing
 * else, and gives what reading them as a whole gives. */
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
#include "helper/mutate.h"
#include "model/build.h"

static const char order_yaml[] =
    "stepwell: 1\nname: order\ntitle: \"An \\\"order\\\"\"\nversion: 1.2.0\n"
    "description: |\n  Two lines,\n  with grüße.\n"
    "input_schema: {type: object, required: [id]}\n"
    "metadata: {team: shop, b: 1, a: [true, null, 1.5, 1e300, -7]}\n"
    "max_parallel: 4\ndeadline_ms: 7200000\nbreakers: {pay: {probes: 2}, mail: {}}\n"
    "steps:\n"
    "  - {name: ship, after: [charge, validate], trigger: {quorum: 1}, breaker: mail}\n"
    "  - name: charge\n    title: Grüße, ann\n    description: \"once\\tor \\u0001 twice\"\n"
    "    handler: shop.pay\n    queue: slow\n    breaker: pay\n    priority: -3\n"
    "    after: [validate]\n    timeout_ms: 20000\n    heartbeat_ms: 5000\n"
    "    deadline_ms: 600000\n    on_failure: continue\n"
    "    parameters: {z: 1, a: {y: 2, x: \"\\u0001ü\"}}\n    metadata: {owner: ann}\n"
    "    retry: {max_attempts: 5, backoff: fibonacci, base_ms: 2000, max_ms: 60001,\n"
    "            jitter: 0.15, max_crashes: 2}\n"
    "  - {name: validate, priority: 2}\n"
    "  - {name: idle, handler: wait, parameters: {seconds: 1.5}, trigger: all_done}\n"
    "  - {name: run, handler: command, parameters: {command: ls, args: [-l]}, after: [idle]}\n";

static void assert_text(sw_str a, sw_str b)
{
    assert_int_equal(a.ptr == NULL, b.ptr == NULL);
    assert_true(sw__str_equal(a, b));
}

static void assert_same_step(const sw_workflow_step *a, const sw_workflow_step *b)
{
    assert_text(a->name, b->name);
    assert_text(a->title, b->title);
    assert_text(a->handler, b->handler);
    assert_text(a->queue, b->queue);
    assert_text(a->parameters, b->parameters);
    assert_text(a->breaker, b->breaker);
    assert_int_equal(a->after_count, b->after_count);
    for (size_t i = 0; i < a->after_count; i++)
        assert_int_equal(a->after[i], b->after[i]);
    sw_workflow_step left = *a, right = *b;
    const sw_str none = {NULL, 0};
    left.name = left.title = left.handler = left.queue = left.parameters = left.breaker = none;
    right.name = right.title = right.handler = right.queue = right.parameters = none;
    right.breaker = none;
    left.after = right.after = NULL;
    assert_memory_equal(&left, &right, sizeof(left));
}

static void assert_same_numbers(const int32_t *a, const int32_t *b, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        assert_int_equal(a[i], b[i]);
}

static void assert_same(const sw_workflow *a, const sw_workflow *b)
{
    assert_text(a->json, b->json);
    assert_text(a->name, b->name);
    assert_text(a->version, b->version);
    assert_text(a->input_schema, b->input_schema);
    assert_memory_equal(a->digest_hex, b->digest_hex, sizeof(a->digest_hex));
    assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
    assert_int_equal(a->max_parallel, b->max_parallel);
    assert_int_equal(a->deadline_ms, b->deadline_ms);
    assert_int_equal(a->breaker_count, b->breaker_count);
    for (size_t i = 0; i < a->breaker_count; i++)
        assert_text(a->breakers[i].name, b->breakers[i].name);
    assert_int_equal(a->step_count, b->step_count);
    for (size_t i = 0; i < a->step_count; i++) {
        assert_same_step(&a->steps[i], &b->steps[i]);
        assert_int_equal(sw__workflow_find(a, b->steps[i].name), i);
    }
    const sw__graph *left = &a->graph, *right = &b->graph;
    assert_int_equal(left->node_count, right->node_count);
    assert_int_equal(left->edge_count, right->edge_count);
    assert_same_numbers(left->out_start, right->out_start, left->node_count + 1);
    assert_same_numbers(left->in_start, right->in_start, left->node_count + 1);
    assert_same_numbers(left->out_node, right->out_node, left->edge_count);
    assert_same_numbers(left->in_node, right->in_node, left->edge_count);
}

/* The text is read a step at a time exactly when it is what the library makes of it. */
static int assert_agrees(sw_str text)
{
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    sw_workflow *whole = NULL, *stored = NULL;
    options.format = SW_FORMAT_JSON;
    int whole_code = sw_workflow_load(&options, text, &whole, NULL, NULL);
    int code = sw__workflow_load_stored(sw_env_system(), text, &stored);
    bool canonical = whole_code == SW_OK && sw__str_equal(whole->json, text);
    assert_int_equal(code, canonical ? SW_OK : SW_EDEFINITION);
    if (canonical)
        assert_same(stored, whole);
    else
        assert_null(stored);
    sw_workflow_free(stored);
    sw_workflow_free(whole);
    return code;
}

static sw_workflow *random_workflow(uint64_t *seed)
{
    static char text[16384];
    int steps = 1 + (int)draw(seed, 30);
    size_t used = (size_t)sprintf(text, "stepwell: 1\nname: w\nsteps:\n");
    for (int i = steps - 1; i >= 0; i--) {
        used += (size_t)sprintf(text + used, "- {name: s%d, priority: %d, after: [", i,
                                (int)draw(seed, 3));
        for (int k = 0; k < i; k++) {
            if (draw(seed, 4) == 0)
                used += (size_t)sprintf(text + used, "s%d, ", k);
        }
        used += (size_t)sprintf(text + used, "]}\n");
    }
    return definition_load(text);
}

static void test_what_the_library_writes(void **state)
{
    (void)state;
    uint64_t seed = 5;
    sw_workflow *workflow = definition_load(order_yaml);
    assert_int_equal(assert_agrees(workflow->json), SW_OK);
    sw_workflow_free(workflow);
    for (int round = 0; round < 200; round++) {
        workflow = random_workflow(&seed);
        assert_int_equal(assert_agrees(workflow->json), SW_OK);
        sw_workflow_free(workflow);
    }
}

/* Every end of the text, every byte of it replaced by one of the syntax, and random damage. */
static void test_damaged_texts(void **state)
{
    (void)state;
    static const char syntax[] = "{}[]\",:0a\\ ";
    static char text[8192];
    uint64_t seed = 7;
    sw_workflow *workflow = definition_load(order_yaml);
    const sw_str json = workflow->json;
    assert_true(json.len < sizeof(text) / 2);
    int passed = 0;
    for (size_t i = 0; i < json.len; i++)
        assert_int_equal(assert_agrees((sw_str){json.ptr, i}), SW_EDEFINITION);
    for (size_t i = 0; i < json.len; i++) {
        memcpy(text, json.ptr, json.len);
        text[i] = syntax[draw(&seed, sizeof(syntax) - 1)];
        passed += assert_agrees((sw_str){text, json.len}) == SW_OK;
    }
    for (int round = 0; round < 3000; round++) {
        memcpy(text, json.ptr, json.len);
        size_t len = mutate(&seed, syntax, text, json.len, sizeof(text));
        passed += assert_agrees((sw_str){text, len}) == SW_OK;
    }
    assert_true(passed > 0);
    sw_workflow_free(workflow);
}

#define PLAIN_STEP(after, name, more)                                                              \
    "{\"after\":[" after "],\"handler\":\"w.h\",\"name\":\"" name "\",\"on_failure\":\"block\","   \
    "\"priority\":" more ",\"queue\":\"default\",\"retry\":{\"backoff\":\"exponential\","          \
    "\"base_ms\":1000,\"jitter\":0.1,\"max_attempts\":1,\"max_ms\":60000},\"timeout_ms\":0}"
#define PLAIN(steps)                                                                               \
    "{\"max_parallel\":0,\"name\":\"w\",\"steps\":[" steps "],\"stepwell\":1,\"version\":\"\"}"

/* Each differs from what the library writes in one thing. */
static void test_texts_that_are_nearly_canonical(void **state)
{
    (void)state;
    assert_int_equal(assert_agrees(sw__str(PLAIN(PLAIN_STEP("", "a", "0")))), SW_OK);
    assert_int_equal(
        assert_agrees(sw__str(PLAIN(PLAIN_STEP("", "a", "1") "," PLAIN_STEP("\"a\"", "b", "9")))),
        SW_OK);
    static const char *const texts[] = {
        "",
        "{}",
        "[",
        "{\"steps\":[",
        "{\"steps\":[}",
        "{\"steps\":[]}",
        "{\"steps\":[}]",
        "\"steps\":[{},{}]",
        PLAIN(""),
        PLAIN(","),
        PLAIN("1"),
        PLAIN("\"a\""),
        " " PLAIN("{}"),
        PLAIN(PLAIN_STEP("", "a", "0")) " ",
        PLAIN(PLAIN_STEP("", "a", "0") ","),
        PLAIN(PLAIN_STEP("", "a", "-0")),
        PLAIN(PLAIN_STEP("", "a", "00")),
        PLAIN(PLAIN_STEP("", "\\u0061", "0")),
        PLAIN(PLAIN_STEP("", "a b", "0")),
        PLAIN(PLAIN_STEP("", "a", "40000")),
        PLAIN(PLAIN_STEP("\"a\"", "a", "0")), /* itself */
        PLAIN(PLAIN_STEP("\"b\"", "a", "0")), /* nobody */
        PLAIN(PLAIN_STEP("1", "a", "0")),
        PLAIN(PLAIN_STEP("", "a", "0") "," PLAIN_STEP("", "a", "0")),      /* twice */
        PLAIN(PLAIN_STEP("", "a", "0") "," PLAIN_STEP("", "b", "1")),      /* order */
        PLAIN(PLAIN_STEP("\"b\"", "a", "0") "," PLAIN_STEP("", "b", "0")), /* later */
        PLAIN(PLAIN_STEP("", "a", "0") "," PLAIN_STEP("\"a\",\"a\"", "b", "0")),
        PLAIN(PLAIN_STEP("", "a", "0") "," PLAIN_STEP("", "b", "0") "," PLAIN_STEP("\"b\",\"a\"",
                                                                                   "c", "0")),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(assert_agrees(sw__str(texts[i])), SW_EDEFINITION);
}

/* Parameters nested as deep as a text may be, and one deeper: no limit is gained by cutting. */
static void test_the_depth_is_that_of_the_whole(void **state)
{
    (void)state;
    for (int deep = SW__DEPTH_MAX - 4; deep < SW__DEPTH_MAX; deep++) {
        char nested[2 * SW__DEPTH_MAX + 1] = "", text[2048];
        memset(nested, '[', (size_t)deep);
        memset(nested + deep, ']', (size_t)deep);
        snprintf(text, sizeof(text),
                 "{\"max_parallel\":0,\"name\":\"w\",\"steps\":[{\"after\":[],\"handler\":\"w.h\","
                 "\"name\":\"a\",\"on_failure\":\"block\",\"parameters\":{\"p\":%s},\"priority\":0,"
                 "\"queue\":\"default\",\"retry\":{\"backoff\":\"exponential\",\"base_ms\":1000,"
                 "\"jitter\":0.1,\"max_attempts\":1,\"max_ms\":60000},\"timeout_ms\":0}],"
                 "\"stepwell\":1,\"version\":\"\"}",
                 nested);
        int code = deep + 4 <= SW__DEPTH_MAX ? SW_OK : SW_EDEFINITION;
        assert_int_equal(assert_agrees(sw__str(text)), code);
    }
}

static int load_once(const sw_env *env, void *context)
{
    sw_workflow *workflow = NULL;
    sw_str text = *(const sw_str *)context;
    int code = sw__workflow_load_stored(env, text, &workflow);
    sw_workflow_free(workflow);
    return code;
}

/* Of many definitions, because what finds no room depends on what came before. */
static void test_no_memory_is_noticed(void **state)
{
    (void)state;
    fault_env fault;
    uint64_t seed = 9;
    for (int i = 0; i < 60; i++) {
        sw_workflow *workflow = i == 0 ? definition_load(order_yaml) : random_workflow(&seed);
        fault_env_init(&fault);
        assert_true(fault_env_each(&fault, load_once, &workflow->json) > 10);
        sw_workflow_free(workflow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_library_writes),
        cmocka_unit_test(test_damaged_texts),
        cmocka_unit_test(test_texts_that_are_nearly_canonical),
        cmocka_unit_test(test_the_depth_is_that_of_the_whole),
        cmocka_unit_test(test_no_memory_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
