/* What is wrong with a definition in Stepwell's own form: every rule, with position and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "helper/definitions.h"
#include "model/workflow.h"

#define HEAD "stepwell: 1\nname: w\nsteps:\n"

/* One finding for the steps that follow HEAD, whose first line is line 4. */
static void assert_steps(const char *steps, const char *findings)
{
    char text[4096];
    snprintf(text, sizeof(text), HEAD "%s", steps);
    definition_expect(text, 0, SW_EDEFINITION, findings);
}

static void test_missing_keys(void **state)
{
    (void)state;
    definition_expect("stepwell: 1\n", 0, SW_EDEFINITION,
                      "1:1 : the key \"name\" is missing\n1:1 : the key \"steps\" is missing\n");
    assert_steps("- after: []\n", "4:3 steps[0]: the key \"name\" is missing\n");
    definition_expect("stepwell: 1\nname: w\nsteps: []\n", 0, SW_EDEFINITION,
                      "3:8 steps: there are no steps; a workflow has at least one\n");
}

/* Steps of a definition, and not of a mission: only the first line is missing. */
static void test_the_first_line_is_missing(void **state)
{
    (void)state;
    definition_expect("name: w\nsteps: [{name: a}, {name: b, after: [a]}]\n", 0, SW_EDEFINITION,
                      "1:1 : the key \"stepwell\" is missing\n");
    definition_expect("name: w\nsteps: [{name: a, id: b}]\n", 0, SW_EDEFINITION,
                      "2:9 steps[0]: the key \"step_type\" is missing\n");
}

static void test_a_later_form(void **state)
{
    (void)state;
    definition_expect("stepwell: 2\nname: w\nsteps: [{name: a}]\n", 0, SW_EDEFINITION,
                      "1:11 stepwell: 2 is out of range: 1 to 1\n");
}

static void test_steps_that_are_no_maps(void **state)
{
    (void)state;
    assert_steps("- a\n- [b]\n- name: c\n", "4:3 steps[0]: expected a map, found text\n"
                                            "5:3 steps[1]: expected a map, found a list\n");
}

static void test_unknown_keys(void **state)
{
    (void)state;
    const char *text = HEAD "- name: a\n  afer: []\n  retry: {tries: 3}\ncolour: red\n";
    const char *warnings = "5:3 steps[0].afer: warning: unknown key \"afer\"; did you mean "
                           "\"after\"?\n"
                           "6:11 steps[0].retry.tries: warning: unknown key \"tries\"\n"
                           "7:1 colour: warning: unknown key \"colour\"\n";
    definition_expect(text, 0, SW_OK, warnings);
    definition_expect(text, 1, SW_EDEFINITION,
                      "5:3 steps[0].afer: unknown key \"afer\"; did you mean \"after\"?\n"
                      "6:11 steps[0].retry.tries: unknown key \"tries\"\n"
                      "7:1 colour: unknown key \"colour\"\n");
}

static void test_duplicate_names(void **state)
{
    (void)state;
    assert_steps("- name: a\n- name: b\n- name: a\n- name: a\n",
                 "6:9 steps[2]: the step \"a\" is there already, in line 4\n"
                 "7:9 steps[3]: the step \"a\" is there already, in line 4\n");
}

static void test_dependencies(void **state)
{
    (void)state;
    assert_steps("- name: validate\n- name: ship\n"
                 "  after: [validat, ship, validate, nobody, validate, 5]\n",
                 "6:11 steps[1].after[0]: there is no step \"validat\"; did you mean "
                 "\"validate\"?\n"
                 "6:20 steps[1].after[1]: a step cannot wait for itself\n"
                 "6:36 steps[1].after[3]: there is no step \"nobody\"\n"
                 "6:44 steps[1].after[4]: \"validate\" is in this list already\n"
                 "6:54 steps[1].after[5]: expected text, found an integer; put it in quotes\n");
    assert_steps("- name: a\n  after: b\n- name: b\n",
                 "5:10 steps[0].after: expected a list, found text\n");
}

/* A step whose name is refused is still there for those that wait for it. */
static void test_one_mistake_gives_one_finding(void **state)
{
    (void)state;
    assert_steps("- name: \"a b\"\n- name: c\n  after: [\"a b\"]\n",
                 "4:9 steps[0].name: \"a b\" is not a name: 1 to 128 letters, digits, '_', '-' or "
                 "'.'\n");
    assert_steps("- name: a\n  handler: \"a b\"\n", "5:12 steps[0].handler: \"a b\" is not a name: "
                                                    "1 to 128 letters, digits, '_', '-' or '.'\n");
}

static void test_cycles(void **state)
{
    (void)state;
    assert_steps("- {name: a, after: [c]}\n- {name: b, after: [a]}\n- {name: c, after: [b]}\n"
                 "- {name: d, after: [c]}\n",
                 "4:20 steps[0].after: these steps wait for each other in a circle: "
                 "a → b → c → a\n"
                 "4:21 steps[0].after[0]: warning: to break the circle, a could do without c: "
                 "every circle of these steps passes through it\n");
    assert_steps("- {name: \"a\\e[2J\", after: [b]}\n- {name: b, after: [\"a\\e[2J\"]}\n",
                 "4:10 steps[0].name: \"a\\u001b[2J\" is not a name: 1 to 128 letters, digits, "
                 "'_', '-' or '.'\n"
                 "4:27 steps[0].after: these steps wait for each other in a circle: "
                 "\"a\\u001b[2J\" → b → \"a\\u001b[2J\"\n"
                 "4:28 steps[0].after[0]: warning: to break the circle, \"a\\u001b[2J\" could do "
                 "without b: every circle of these steps passes through it\n");
    assert_steps("- {name: a, after: [b]}\n- {name: b, after: [a]}\n- {name: x}\n"
                 "- {name: c, after: [x, d]}\n- {name: d, after: [c]}\n",
                 "4:20 steps[0].after: these steps wait for each other in a circle: a → b → a\n"
                 "4:21 steps[0].after[0]: warning: to break the circle, a could do without b: "
                 "every circle of these steps passes through it\n"
                 "7:20 steps[3].after: these steps wait for each other in a circle: c → d → c\n"
                 "7:24 steps[3].after[1]: warning: to break the circle, c could do without d: "
                 "every circle of these steps passes through it\n");
    assert_steps("- {name: a, after: [c]}\n- {name: b, after: [a, d]}\n- {name: c, after: [b]}\n"
                 "- {name: d, after: [b]}\n",
                 "4:20 steps[0].after: these steps wait for each other in a circle: "
                 "a → b → c → a\n"
                 "4:21 steps[0].after[0]: warning: to break the circles, a could do without c: "
                 "these together are enough, and no fewer are\n"
                 "5:20 steps[1].after: these steps wait for each other in a circle: b → d → b\n"
                 "5:24 steps[1].after[1]: warning: to break the circles, b could do without d: "
                 "both depend on each other, and one of the two must go\n");
}

static void test_a_long_cycle_is_shortened(void **state)
{
    (void)state;
    char text[2048] = HEAD;
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "- {name: s%d, after: [s%d]}\n", i, (i + 19) % 20);
    definition_expect(text, 0, SW_EDEFINITION,
                      "4:21 steps[0].after: these steps wait for each other in a circle: s0 → s1 → "
                      "s2 → s3 → s4 → s5 → s6 → s7 → (12 more) → s0\n"
                      "4:22 steps[0].after[0]: warning: to break the circle, s0 could do without "
                      "s19: every circle of these steps passes through it\n");
}

/* However many circles there are, ten are named. */
static void test_many_cycles(void **state)
{
    (void)state;
    char text[4096] = HEAD, expected[8192] = "";
    for (int i = 0; i < 24; i += 2)
        sprintf(text + strlen(text), "- {name: s%d, after: [s%d]}\n- {name: s%d, after: [s%d]}\n",
                i, i + 1, i + 1, i);
    for (int i = 0; i < 20; i += 2)
        sprintf(expected + strlen(expected),
                "%d:%d steps[%d].after: these steps wait for each other in a circle: s%d → s%d → "
                "s%d\n"
                "%d:%d steps[%d].after[0]: warning: to break the circle, s%d could do without "
                "s%d: every circle of these steps passes through it\n",
                i + 4, i < 10 ? 21 : 22, i, i, i + 1, i, i + 4, i < 10 ? 22 : 23, i, i, i + 1);
    definition_expect(text, 0, SW_EDEFINITION, expected);
}

static void test_handlers(void **state)
{
    (void)state;
    assert_steps("- {name: a, handler: comand}\n- {name: b, handler: charge}\n"
                 "- {name: c, handler: order.charge}\n- {name: d, handler: noop}\n",
                 "4:22 steps[0].handler: \"comand\" is not built in; did you mean \"command\"?\n"
                 "5:22 steps[1].handler: \"charge\" is not built in; the built-in kinds are noop, "
                 "wait, command, create_file, read_file, delete_file, and a handler of an "
                 "application has a dot in its name, like \"order.charge\"\n");
}

static void test_parameters_of_built_in_kinds(void **state)
{
    (void)state;
    assert_steps("- {name: a, handler: read_file, parameters: {pth: x}}\n",
                 "4:45 steps[0].parameters: the key \"path\" is missing\n"
                 "4:46 steps[0].parameters.pth: warning: unknown key \"pth\"; did you mean "
                 "\"path\"?\n");
    assert_steps("- {name: a, handler: wait}\n",
                 "4:3 steps[0].parameters: the key \"seconds\" is missing\n");
}

static void test_retry(void **state)
{
    (void)state;
    assert_steps("- name: a\n  retry: {base_ms: 5000, max_ms: 4999}\n",
                 "5:34 steps[0].retry.max_ms: the longest delay is shorter than the first one, "
                 "5000 ms\n");
}

static void test_what_a_failure_means(void **state)
{
    (void)state;
    definition_expect(
        "{stepwell: 1, name: w, on_failure: stop,\nsteps: [{name: a, on_failure: 3}]}", 0,
        SW_EDEFINITION,
        "1:36 on_failure: \"stop\" is none of these: block, fail_task, continue, "
        "skip_dependents\n"
        "2:31 steps[0].on_failure: expected text, found an integer; put it in "
        "quotes\n");
}

static void test_breakers(void **state)
{
    (void)state;
    definition_expect("stepwell: 1\nname: w\nbreakers:\n  pay: {failure_threshold: 0, probe: 2}\n"
                      "  \"p y\": {}\n  mail: {open_ms: 500, max_open_ms: 400}\n  fax: 3\n"
                      "steps:\n- {name: a, breaker: pax}\n- {name: b, breaker: [x]}\n",
                      0, SW_EDEFINITION,
                      "4:28 breakers.pay.failure_threshold: 0 is out of range: 1 to 1000000\n"
                      "4:31 breakers.pay.probe: warning: unknown key \"probe\"; did you mean "
                      "\"probes\"?\n"
                      "5:3 breakers: \"p y\" is not a name: 1 to 128 letters, digits, '_', '-' or "
                      "'.'\n"
                      "6:37 breakers.mail.max_open_ms: it would be open for less than the first "
                      "time, 500 ms\n"
                      "7:8 breakers.fax: expected a map, found an integer\n"
                      "9:22 steps[0].breaker: warning: \"pax\" is not in \"breakers\"; did you "
                      "mean \"fax\"?\n"
                      "10:22 steps[1].breaker: expected a name, found a list\n");
    definition_expect("stepwell: 1\nname: w\nbreakers: [pay]\nsteps: [{name: a}]\n", 0,
                      SW_EDEFINITION, "3:11 breakers: expected a map, found a list\n");
    definition_expect("stepwell: 1\nname: w\nbreakers: {pay: }\nsteps: [{name: a, breaker: "
                      "other}]\n",
                      0, SW_OK, "");
}

static void test_triggers(void **state)
{
    (void)state;
    assert_steps(
        "- {name: a}\n- {name: b, after: [a], trigger: all_dne}\n"
        "- {name: c, after: [a], trigger: quorum}\n- {name: d, after: [a], trigger: [a]}\n",
        "5:34 steps[1].trigger: \"all_dne\" is none of these: all_succeeded, all_done, "
        "any_succeeded, none_failed\n"
        "6:34 steps[2].trigger: a quorum has a number; write {quorum: number}\n"
        "7:34 steps[3].trigger: expected the name of a rule or {quorum: number}, found a "
        "list\n");
    assert_steps("- {name: a}\n- {name: b, after: [a], trigger: {quorum: 2}}\n"
                 "- {name: c, after: [a], trigger: {quorum: 0}}\n"
                 "- {name: d, after: [a], trigger: {}}\n"
                 "- {name: e, after: [a], trigger: {quorum: 1, of: 2}}\n"
                 "- {name: f, trigger: {quorum: 1}}\n",
                 "5:43 steps[1].trigger.quorum: a quorum of 2 of 1 steps that it waits for\n"
                 "6:43 steps[2].trigger.quorum: 0 is out of range: 1 to 10000\n"
                 "7:34 steps[3].trigger: the key \"quorum\" is missing\n"
                 "8:46 steps[4].trigger.of: warning: unknown key \"of\"\n"
                 "9:31 steps[5].trigger.quorum: a quorum of 1 of 0 steps that it waits for\n");
}

/* Only what can say something while it works, and only where its time is not over before. */
static void test_heartbeats(void **state)
{
    (void)state;
    assert_steps("- {name: a, handler: noop, heartbeat_ms: 1}\n"
                 "- {name: b, heartbeat_ms: 1000, timeout_ms: 1001}\n"
                 "- {name: c, handler: wait, heartbeat_ms: 0, parameters: {seconds: 1}}\n",
                 "4:42 steps[0].heartbeat_ms: the built-in kind \"noop\" sends no heartbeats; only "
                 "the handler of an application can\n");
    definition_expect(
        HEAD "- {name: a, heartbeat_ms: 1000, timeout_ms: 1000}\n", 0, SW_OK,
        "4:27 steps[0].heartbeat_ms: warning: no heartbeat is ever missed: an attempt times "
        "out after 1000 ms\n");
    definition_expect("name: m\nsteps: [{id: a, step_type: noop, heartbeat_seconds: 2}]\n", 0,
                      SW_EDEFINITION,
                      "2:53 steps[0].heartbeat_seconds: the built-in kind \"noop\" sends no "
                      "heartbeats; only the handler of an application can\n");
}

/* Each number at its limit and one beyond. */
static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *good[2];
        const char *bad[2];
    } ranges[] = {
        {"priority: %s", {"-32768", "32767"}, {"-32769", "32768"}},
        {"timeout_ms: %s", {"0", "316224000000"}, {"-1", "316224000001"}},
        {"heartbeat_ms: %s", {"0", "316224000000"}, {"-1", "316224000001"}},
        {"deadline_ms: %s", {"0", "316224000000"}, {"-1", "316224000001"}},
        {"retry: {max_attempts: %s}", {"1", "1000"}, {"0", "1001"}},
        {"retry: {max_crashes: %s}", {"0", "1000"}, {"-1", "1001"}},
        {"retry: {base_ms: %s, max_ms: 316224000000}",
         {"0", "316224000000"},
         {"-1", "316224000001"}},
        {"retry: {base_ms: 0, max_ms: %s}", {"0", "316224000000"}, {"-1", "316224000001"}},
        {"retry: {jitter: %s}", {"0", "1"}, {"-0.01", "1.01"}},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        for (int side = 0; side < 2; side++) {
            char key[128], text[256];
            snprintf(key, sizeof(key), ranges[i].key, ranges[i].good[side]);
            snprintf(text, sizeof(text), HEAD "- {name: a, %s}\n", key);
            sw_workflow_free(definition_load(text));
            snprintf(key, sizeof(key), ranges[i].key, ranges[i].bad[side]);
            snprintf(text, sizeof(text), HEAD "- {name: a, %s}\n", key);
            sw_workflow *workflow;
            sw_error err;
            sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
            sw_str whole = {text, strlen(text)};
            assert_int_equal(sw_workflow_load(&options, whole, &workflow, NULL, &err),
                             SW_EDEFINITION);
            assert_non_null(strstr(err.message, "is out of range"));
        }
    }
}

static void test_names_at_the_limit(void **state)
{
    (void)state;
    char name[SW__NAME_MAX + 2], text[1024];
    memset(name, 'n', sizeof(name));
    name[SW__NAME_MAX] = 0;
    snprintf(text, sizeof(text), "{stepwell: 1, name: w, steps: [{name: %s, handler: noop}]}",
             name);
    sw_workflow_free(definition_load(text));
    snprintf(text, sizeof(text), HEAD "- name: %s\n", name);
    definition_expect(text, 0, SW_EDEFINITION,
                      "4:3 steps[0].handler: the handler's name \"<workflow>.<step>\" would have "
                      "130 bytes, 128 are allowed; give the step a \"handler\"\n");
    name[SW__NAME_MAX] = 'n';
    name[SW__NAME_MAX + 1] = 0;
    snprintf(text, sizeof(text), HEAD "- {name: %s, handler: noop}\n", name);
    definition_expect(
        text, 0, SW_EDEFINITION,
        "4:10 steps[0].name: \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
        "nnnn\"... is not a name: 1 to 128 letters, digits, '_', '-' or '.'\n");
}

/* A step with count dependencies, all of which exist. */
static char *wide_text(size_t count)
{
    char *text = malloc(64 + count * 32);
    size_t used = (size_t)sprintf(text, "stepwell: 1\nname: w\nsteps:\n- {name: join, after: [");
    for (size_t i = 0; i < count; i++)
        used += (size_t)sprintf(text + used, "s%zu,", i);
    used += (size_t)sprintf(text + used, "]}\n");
    for (size_t i = 0; i < count; i++)
        used += (size_t)sprintf(text + used, "- name: s%zu\n", i);
    return text;
}

static void test_most_dependencies_of_a_step(void **state)
{
    (void)state;
    char *text = wide_text(SW__STEP_DEPS_MAX);
    sw_workflow *workflow = definition_load(text);
    size_t count;
    assert_int_equal(sw_workflow_steps(workflow, &count)[SW__STEP_DEPS_MAX].after_count,
                     SW__STEP_DEPS_MAX);
    sw_workflow_free(workflow);
    free(text);
    text = wide_text(SW__STEP_DEPS_MAX + 1);
    definition_expect(
        text, 0, SW_EDEFINITION,
        "4:23 steps[0].after: 10001 dependencies, but a step may have 10000 at most\n");
    free(text);
}

static void test_most_steps(void **state)
{
    (void)state;
    char *text = malloc(64 + 2 * (SW__STEPS_MAX + 1));
    size_t used = (size_t)sprintf(text, "{stepwell: 1, name: w, steps: [");
    for (int i = 0; i <= SW__STEPS_MAX; i++)
        used += (size_t)sprintf(text + used, "~,");
    strcpy(text + used, "]}");
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.format = SW_FORMAT_YAML;
    sw_workflow *workflow;
    sw_result *findings;
    sw_str whole = {text, strlen(text)};
    assert_int_equal(sw_workflow_load(&options, whole, &workflow, &findings, NULL), SW_EDEFINITION);
    size_t count;
    assert_string_equal(sw_findings(findings, &count)->message.ptr,
                        "100001 steps, but a workflow may have 100000 at most");
    sw_result_free(findings);
    free(text);
}

/* More dependencies than a file has room for can only come from a database. */
static void test_most_dependencies_of_a_workflow(void **state)
{
    (void)state;
    const int sources = SW__STEP_DEPS_MAX, joins = SW__EDGES_MAX / SW__STEP_DEPS_MAX + 1;
    char *text = malloc((size_t)sources * 20 + (size_t)joins * ((size_t)sources * 8 + 64) + 64);
    size_t used = (size_t)sprintf(text, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < sources; i++)
        used += (size_t)sprintf(text + used, "{\"name\":\"s%d\"},", i);
    for (int join = 0; join < joins; join++) {
        used +=
            (size_t)sprintf(text + used, "%s{\"name\":\"j%d\",\"after\":[", join ? "," : "", join);
        for (int i = 0; i < sources; i++)
            used += (size_t)sprintf(text + used, "%s\"s%d\"", i ? "," : "", i);
        used += (size_t)sprintf(text + used, "]}");
    }
    strcpy(text + used, "]}");
    sw_workflow *workflow;
    sw_error err;
    sw_str whole = {text, strlen(text)};
    assert_int_equal(sw__workflow_load_canonical(sw_env_system(), whole, &workflow, &err),
                     SW_EDEFINITION);
    assert_non_null(
        strstr(err.message, "1010000 dependencies, but a workflow may have 1000000 at most"));
    free(text);
}

/* A text of megabytes in which every value is wrong is answered at once and in bounded memory. */
static void test_a_text_full_of_mistakes(void **state)
{
    (void)state;
    char *text = malloc(SW__DEFINITION_MAX);
    size_t used = (size_t)sprintf(text, HEAD);
    for (int i = 0; i < SW__STEPS_MAX; i++)
        used += (size_t)sprintf(text + used, "- {nam: step%d, after: [stepp%d]}\n", i, i);
    text[used] = 0;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    sw_workflow *workflow;
    sw_result *findings;
    sw_str whole = {text, used};
    assert_int_equal(sw_workflow_load(&options, whole, &workflow, &findings, NULL), SW_EDEFINITION);
    size_t count;
    const sw_finding *rows = sw_findings(findings, &count);
    assert_int_equal(count, 1000);
    assert_non_null(strstr(rows[count - 1].message.ptr, " more)"));
    sw_result_free(findings);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_keys),
        cmocka_unit_test(test_the_first_line_is_missing),
        cmocka_unit_test(test_a_later_form),
        cmocka_unit_test(test_steps_that_are_no_maps),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_duplicate_names),
        cmocka_unit_test(test_dependencies),
        cmocka_unit_test(test_one_mistake_gives_one_finding),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_a_long_cycle_is_shortened),
        cmocka_unit_test(test_many_cycles),
        cmocka_unit_test(test_handlers),
        cmocka_unit_test(test_parameters_of_built_in_kinds),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_what_a_failure_means),
        cmocka_unit_test(test_breakers),
        cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_heartbeats),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_names_at_the_limit),
        cmocka_unit_test(test_most_dependencies_of_a_step),
        cmocka_unit_test(test_most_steps),
        cmocka_unit_test(test_most_dependencies_of_a_workflow),
        cmocka_unit_test(test_a_text_full_of_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
