/* Missions: what their keys become, which spellings are understood, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "helper/definitions.h"

static void assert_str(sw_str text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

/* The mission and the definition in Stepwell's own form are the same. */
static void assert_same(const char *mission, const char *own)
{
    sw_workflow *left = definition_load(mission), *right = definition_load(own);
    assert_str(sw_workflow_json(left), sw_workflow_json(right).ptr);
    sw_workflow_free(left);
    sw_workflow_free(right);
}

static void test_every_key(void **state)
{
    (void)state;
    assert_same("name: nightly\nversion: \"1.0\"\ndescription: Every night\n"
                "config: {max_parallel_steps: 3, timeout_seconds: 60, fail_fast: false,\n"
                "         deadline_seconds: 7200}\n"
                "steps:\n"
                "- id: list\n  name: List the files\n  step_type: command\n  timeout_seconds: 1.5\n"
                "  deadline_seconds: 90.5\n"
                "  parameters: {command: ls, args: [-l]}\n"
                "- id: keep\n  step_type: create_file\n  depends_on: [list]\n"
                "  continue_on_error: true\n  parameters: {path: a.txt, content: x}\n"
                "  retry: {attempts: 3, backoff: linear, wait_seconds: 2, max_wait_seconds: 7,\n"
                "          jitter: 0}\n"
                "- {id: tell, step_type: app.tell, depends_on: [keep], heartbeat_seconds: 2.5}\n",
                "stepwell: 1\nname: nightly\nversion: \"1.0\"\ndescription: Every night\n"
                "max_parallel: 3\ndeadline_ms: 7200000\n"
                "steps:\n"
                "- name: list\n  title: List the files\n  handler: command\n  timeout_ms: 1500\n"
                "  deadline_ms: 90500\n"
                "  parameters: {command: ls, args: [-l]}\n  on_failure: skip_dependents\n"
                "- name: keep\n  handler: create_file\n  after: [list]\n  timeout_ms: 60000\n"
                "  on_failure: continue\n  parameters: {path: a.txt, content: x}\n"
                "  retry: {max_attempts: 3, backoff: linear, base_ms: 2000, max_ms: 7000,\n"
                "          jitter: 0}\n"
                "- {name: tell, handler: app.tell, after: [keep], heartbeat_ms: 2500,\n"
                "   timeout_ms: 60000, on_failure: skip_dependents}\n");
}

static void test_defaults(void **state)
{
    (void)state;
    assert_same("name: m\nsteps: [{id: a, step_type: noop}]\n",
                "{stepwell: 1, name: m, steps: [{name: a, handler: noop, on_failure: fail_task}]}");
}

/* The other spellings of RustChain's own documents and examples. */
static void test_other_spellings(void **state)
{
    (void)state;
    assert_same("{\"id\":\"m1\",\"name\":\"A mission\",\"steps\":[{\"id\":\"a\","
                "\"step_type\":\"CreateFile\",\"config\":{\"path\":\"x\"},\"dependencies\":[],"
                "\"timeout\":30,\"retry_count\":2,\"on_failure\":\"continue\"},"
                "{\"id\":\"b\",\"type\":\"Command\",\"parameters\":{\"command\":\"ls\"},"
                "\"dependencies\":[\"a\"],\"on_failure\":\"abort\"}],"
                "\"config\":{\"parallel_limit\":2,\"fail_fast\":false}}",
                "{stepwell: 1, name: m1, title: A mission, max_parallel: 2, steps: ["
                "{name: a, handler: create_file, parameters: {path: x}, timeout_ms: 30000, "
                "on_failure: continue, retry: {max_attempts: 3}}, "
                "{name: b, handler: command, parameters: {command: ls}, after: [a], "
                "on_failure: fail_task}]}");
    assert_same("{name: m, config: {max_concurrent_steps: 2}, steps: [{id: a, step_type: noop}]}",
                "{stepwell: 1, name: m, max_parallel: 2, steps: [{name: a, handler: noop, "
                "on_failure: fail_task}]}");
    assert_same("{name: m, config: {max_parallel: 2}, steps: [{id: a, step_type: NoOp}]}",
                "{stepwell: 1, name: m, max_parallel: 2, steps: [{name: a, handler: noop, "
                "on_failure: fail_task}]}");
}

static void test_what_a_failure_means(void **state)
{
    (void)state;
    assert_same("{name: m, steps: [{id: a, step_type: noop, on_failure: skip_dependents}, "
                "{id: b, step_type: noop}]}",
                "{stepwell: 1, name: m, on_failure: fail_task, steps: [{name: a, handler: noop, "
                "on_failure: skip_dependents}, {name: b, handler: noop}]}");
    assert_same("{name: m, config: {fail_fast: false}, steps: [{id: a, step_type: noop}, "
                "{id: b, step_type: noop, on_failure: abort}]}",
                "{stepwell: 1, name: m, on_failure: skip_dependents, steps: [{name: a, "
                "handler: noop}, {name: b, handler: noop, on_failure: fail_task}]}");
}

static void test_a_failure_allowed_twice(void **state)
{
    (void)state;
    assert_same(
        "{name: m, steps: [{id: a, step_type: noop, continue_on_error: true, on_failure: null},"
        "{id: b, step_type: noop, continue_on_error: true, on_failure: continue}]}",
        "{stepwell: 1, name: m, on_failure: continue, steps: [{name: a, handler: noop}, "
        "{name: b, handler: noop}]}");
}

static void test_triggers(void **state)
{
    (void)state;
    assert_same("{name: m, steps: [{id: a, step_type: noop}, {id: b, step_type: noop, "
                "depends_on: [a], trigger: all_done}, {id: c, step_type: noop, "
                "depends_on: [a, b], trigger: {quorum: 1}}]}",
                "{stepwell: 1, name: m, steps: [{name: a, handler: noop, on_failure: fail_task}, "
                "{name: b, handler: noop, on_failure: fail_task, after: [a], trigger: all_done}, "
                "{name: c, handler: noop, on_failure: fail_task, after: [a, b], "
                "trigger: {quorum: 1}}]}");
}

static void test_handlers_of_applications(void **state)
{
    (void)state;
    assert_same("{name: m, steps: [{id: a, step_type: order.charge, parameters: {any: 1}}]}",
                "{stepwell: 1, name: m, steps: [{name: a, handler: order.charge, "
                "parameters: {any: 1}, on_failure: fail_task}]}");
}

static void assert_name(const char *name, const char *expected)
{
    char text[512];
    snprintf(text, sizeof(text), "{name: %s, steps: [{id: a, step_type: noop}]}", name);
    sw_workflow *workflow = definition_load(text);
    assert_str(sw_workflow_name(workflow), expected);
    sw_workflow_free(workflow);
}

static void test_names_from_titles(void **state)
{
    (void)state;
    assert_name("Nightly_Run-2.1", "Nightly_Run-2.1");
    assert_name("\"Hello World - Your First Mission!\"", "hello-world-your-first-mission");
    assert_name("\"  (a)  \"", "a");
    assert_name("\"Grüße, Ann\"", "gr-e-ann");
    char title[200], expected[129];
    memset(title, 'T', sizeof(title));
    title[199] = 0;
    memset(expected, 't', 128);
    expected[128] = 0;
    assert_name(title, expected);
    definition_expect("name: \"???\"\nsteps: [{id: a, step_type: noop}]\n", 0, SW_EDEFINITION,
                      "1:7 name: \"???\" has no letter or digit for a name; add an \"id\"\n");
    definition_expect("steps: [{id: a, step_type: noop}]\n", 0, SW_EDEFINITION,
                      "1:1 : the key \"name\" is missing\n");
    definition_expect("name: null\nsteps: [{id: a, step_type: noop}]\n", 0, SW_EDEFINITION,
                      "1:1 : the key \"name\" is missing\n");
}

static void assert_step(const char *step, const char *findings)
{
    char text[1024];
    snprintf(text, sizeof(text), "name: m\nsteps:\n- {id: a, %s}\n", step);
    definition_expect(text, 0, SW_EDEFINITION, findings);
}

static void test_step_types(void **state)
{
    (void)state;
    assert_step("step_type: llm",
                "3:22 steps[0].step_type: \"llm\" is not built in; the built-in kinds are noop, "
                "wait, command, create_file, read_file, delete_file, and a handler of an "
                "application has a dot in its name, like \"order.charge\"\n");
    assert_step("step_type: creat_file", "3:22 steps[0].step_type: \"creat_file\" is not built in; "
                                         "did you mean \"create_file\"?\n");
    assert_step("step_type: Tool", "3:22 steps[0].step_type: the step type \"Tool\" is not built "
                                   "in; to run a program, write \"command\" with the parameters "
                                   "\"command\" and \"args\"\n");
    assert_step("step_type: sleep", "3:22 steps[0].step_type: the step type \"sleep\" is not built "
                                    "in; to wait, write \"wait\" with the parameter \"seconds\"\n");
    assert_step("step_type: {type: noop}", "3:22 steps[0].step_type: expected text, found a map\n");
    assert_step("op: noop", "3:3 steps[0]: the key \"step_type\" is missing\n"
                            "3:11 steps[0].op: \"op\" is not understood here: write \"step_type\" "
                            "and \"parameters\"\n");
    assert_step("step_type: wait, type: wait",
                "3:3 steps[0].parameters: the key \"seconds\" is missing\n"
                "3:28 steps[0].type: \"type\" says again what \"step_type\" in line 3 says; keep "
                "one\n");
}

static void test_contradictions(void **state)
{
    (void)state;
    assert_step(
        "step_type: noop, continue_on_error: true, on_failure: abort",
        "3:65 steps[0].on_failure: \"abort\" contradicts \"continue_on_error\"; keep one\n");
    assert_step("step_type: noop, continue_on_error: true, on_failure: skip_dependents",
                "3:65 steps[0].on_failure: \"skip_dependents\" contradicts "
                "\"continue_on_error\"; keep one\n");
    assert_step(
        "step_type: noop, retry_count: 1, retry: {attempts: 2}",
        "3:51 steps[0].retry: \"retry\" and \"retry_count\" both say how often; keep one\n");
    assert_step("step_type: noop, retry: {wait_seconds: 5, max_wait_seconds: 4}",
                "3:71 steps[0].retry.max_wait_seconds: the longest delay is shorter than the first "
                "one, 5000 ms\n");
}

/* What a mission asks for and Stepwell does not do is said, never dropped in silence. */
static void test_keys_of_other_tools(void **state)
{
    (void)state;
    definition_expect("name: m\nconfig: {retry_attempts: 3, colour: red}\n"
                      "steps: [{id: a, step_type: noop}]\noutputs: {}\n",
                      0, SW_OK,
                      "2:10 config.retry_attempts: warning: \"retry_attempts\" is ignored: write "
                      "\"retry\" in each step\n"
                      "2:29 config.colour: warning: unknown key \"colour\"\n"
                      "4:1 outputs: warning: unknown key \"outputs\"\n");
    definition_expect(
        "name: m\nsteps: [{id: a, step_type: noop}]\n"
        "dependencies: [{from: a, to: b}]\npolicies: []\n",
        0, SW_EDEFINITION,
        "3:1 dependencies: \"dependencies\" is not understood here: write "
        "\"depends_on\" in each step\n"
        "4:1 policies: \"policies\" is not understood here: a mission cannot restrict "
        "itself; remove the key\n");
}

static void test_paths_speak_the_words_of_the_mission(void **state)
{
    (void)state;
    definition_expect("name: m\nsteps:\n- {id: a, step_type: noop, depends_on: [b]}\n"
                      "- {id: b, step_type: noop, depends_on: [a]}\n",
                      0, SW_EDEFINITION,
                      "3:40 steps[0].depends_on: these steps wait for each other in a circle: "
                      "a → b → a\n"
                      "3:41 steps[0].depends_on[0]: warning: to break the circle, a could do "
                      "without b: every circle of these steps passes through it\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_what_a_failure_means),
        cmocka_unit_test(test_a_failure_allowed_twice),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_handlers_of_applications),
        cmocka_unit_test(test_names_from_titles),
        cmocka_unit_test(test_step_types),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_keys_of_other_tools),
        cmocka_unit_test(test_paths_speak_the_words_of_the_mission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
