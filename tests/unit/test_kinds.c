/* Built-in kinds: their names, and what their parameters may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "helper/documents.h"
#include "helper/fault_env.h"
#include "model/kinds.h"

static void test_names(void **state)
{
    (void)state;
    for (int kind = 0; kind < SW__KIND_COUNT; kind++) {
        assert_int_equal(sw__kind_find(sw__str(sw__kind_name(kind))), kind);
        assert_null(strchr(sw__kind_name(kind), '.'));
        assert_non_null(strstr(sw__kind_list(), sw__kind_name(kind)));
    }
    assert_int_equal(sw__kind_find(sw__str("Command")), SW_ENOTFOUND);
    assert_int_equal(sw__kind_find(sw__str("")), SW_ENOTFOUND);
    assert_string_equal(sw__kind_name(SW__KIND_COUNT), "unknown");
    assert_string_equal(sw__kind_list(),
                        "noop, wait, command, create_file, read_file, delete_file");
}

static void assert_found(int kind, const char *text, const char *findings)
{
    document doc;
    sw__kind_parameters read;
    document_open(&doc, text);
    sw__kind_check(&doc.findings, NULL, kind, doc.root, 3, 5, &read);
    assert_string_equal(document_findings(&doc), findings);
    document_close(&doc);
}

static void test_good_parameters_give_no_finding(void **state)
{
    (void)state;
    assert_found(SW__KIND_NOOP, "{anything: [1, {a: b}]}", "");
    assert_found(SW__KIND_WAIT, "{seconds: 0.25}", "");
    assert_found(SW__KIND_WAIT, "{duration_ms: 250}", "");
    assert_found(SW__KIND_COMMAND, "{command: ls}", "");
    assert_found(SW__KIND_COMMAND,
                 "{command: ls, args: [-l, \"a b\"], working_dir: sub, env: {LANG: C}}", "");
    assert_found(SW__KIND_COMMAND, "{command: /opt/my tools/run, args: []}", "");
    assert_found(SW__KIND_CREATE_FILE, "{path: a.txt}", "");
    assert_found(SW__KIND_CREATE_FILE, "{path: a.txt, content: \"\\0\\n\"}",
                 "1:24 content: the text has a zero byte\n");
    assert_found(SW__KIND_READ_FILE, "{path: a.txt}", "");
    assert_found(SW__KIND_DELETE_FILE, "{path: a.txt}", "");
}

static void test_missing_parameters(void **state)
{
    (void)state;
    static const char *const missed[SW__KIND_COUNT] = {
        [SW__KIND_WAIT] = "seconds",     [SW__KIND_COMMAND] = "command",
        [SW__KIND_CREATE_FILE] = "path", [SW__KIND_READ_FILE] = "path",
        [SW__KIND_DELETE_FILE] = "path",
    };
    for (int kind = 0; kind < SW__KIND_COUNT; kind++) {
        document doc;
        char expected[64] = "";
        sw__kind_parameters read;
        document_open(&doc, "{}");
        sw__kind_check(&doc.findings, NULL, kind, NULL, 3, 5, &read);
        if (missed[kind])
            snprintf(expected, sizeof(expected), "3:5 : the key \"%s\" is missing\n", missed[kind]);
        assert_string_equal(document_findings(&doc), expected);
        document_close(&doc);
    }
}

static void test_bad_parameters(void **state)
{
    (void)state;
    assert_found(SW__KIND_WAIT, "{seconds: 1, duration_ms: 1000}",
                 "1:14 duration_ms: \"duration_ms\" says again what \"seconds\" in line 1 says; "
                 "keep one\n");
    assert_found(SW__KIND_WAIT, "{seconds: -1}",
                 "1:11 seconds: -1 is out of range: 0 to 316224000\n");
    assert_found(SW__KIND_COMMAND, "{command: \"\"}",
                 "1:11 command: the command is empty; expected the name of a program\n");
    assert_found(SW__KIND_COMMAND, "{command: ls, args: -l}",
                 "1:21 args: expected a list, found text\n");
    assert_found(SW__KIND_COMMAND, "{command: ls, args: [a, 5, [b]]}",
                 "1:25 args[1]: expected text, found an integer; put it in quotes\n"
                 "1:28 args[2]: expected text, found a list\n");
    assert_found(SW__KIND_COMMAND, "{command: ls, args: [\"a\\0b\"]}",
                 "1:22 args[0]: the text has a zero byte\n");
    assert_found(SW__KIND_COMMAND, "{command: ls, env: {A: 1, \"B=\": x}}",
                 "1:24 env.A: expected text, found an integer; put it in quotes\n"
                 "1:27 env[\"B=\"]: \"B=\" cannot be the name of an environment variable\n");
    assert_found(SW__KIND_COMMAND, "{command: ls, arg: [a]}",
                 "1:15 arg: warning: unknown key \"arg\"; did you mean \"args\"?\n");
    assert_found(SW__KIND_READ_FILE, "{path: \"\"}", "1:8 path: the path is empty\n");
    assert_found(SW__KIND_CREATE_FILE, "{content: x}", "1:1 : the key \"path\" is missing\n");
}

static void test_a_command_line_is_refused(void **state)
{
    (void)state;
    assert_found(SW__KIND_COMMAND, "{command: chmod +x run.sh}",
                 "1:11 command: \"chmod +x run.sh\" is a command line, but commands run without a "
                 "shell; name the program in \"command\" and give \"args\" as a list (an empty one "
                 "when the program's name has spaces)\n");
}

static void test_paths_that_cannot_work(void **state)
{
    (void)state;
    assert_found(SW__KIND_READ_FILE, "{path: /etc/passwd}",
                 "1:8 path: warning: the path \"/etc/passwd\" will be refused when the step runs: "
                 "it is absolute; paths are relative to the root directory\n");
    assert_found(SW__KIND_CREATE_FILE, "{path: out/../../x}",
                 "1:8 path: warning: the path \"out/../../x\" will be refused when the step runs: "
                 "it contains \"..\"\n");
    assert_found(SW__KIND_DELETE_FILE, "{path: out..d/...}", "");
}

static void test_reading_for_the_worker(void **state)
{
    (void)state;
    sw_error err;
    sw__kind_parameters read;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__kind_read(arena, SW__KIND_WAIT, sw__str("{\"seconds\":1.5}"), &read, &err),
                     SW_OK);
    assert_int_equal(read.wait_ms, 1500);
    sw_str text = sw__str("{\"command\":\"ls\",\"args\":[\"-l\"],\"env\":{\"A\":\"b\"}}");
    assert_int_equal(sw__kind_read(arena, SW__KIND_COMMAND, text, &read, &err), SW_OK);
    assert_string_equal(read.command.ptr, "ls");
    assert_string_equal(read.args->items[0]->text.ptr, "-l");
    assert_string_equal(read.env->pairs[0].value->text.ptr, "b");
    assert_null(read.working_dir.ptr);
    text = sw__str("{\"path\":\"a\"}");
    assert_int_equal(sw__kind_read(arena, SW__KIND_CREATE_FILE, text, &read, &err), SW_OK);
    assert_string_equal(read.path.ptr, "a");
    assert_string_equal(read.content.ptr, "");
    assert_int_equal(sw__kind_read(arena, SW__KIND_NOOP, (sw_str){0}, &read, &err), SW_OK);
    sw__arena_free(arena);
}

static void assert_read_fails(int kind, const char *text, int code, const char *message)
{
    sw_error err;
    sw__kind_parameters read;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__kind_read(arena, kind, sw__str(text), &read, &err), code);
    assert_string_equal(err.message, message);
    sw__arena_free(arena);
}

static void test_reading_what_cannot_be_read(void **state)
{
    (void)state;
    assert_read_fails(SW__KIND_READ_FILE, NULL, SW_EINVAL,
                      "parameters: the key \"path\" is missing");
    assert_read_fails(SW__KIND_READ_FILE, "{\"path\":3}", SW_EINVAL,
                      "parameters path: expected text, found an integer; put it in quotes");
    assert_read_fails(SW__KIND_READ_FILE, "[]", SW_EINVAL,
                      "parameters: expected a map, found a list");
    sw_error err;
    sw__kind_parameters read;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__kind_read(arena, SW__KIND_READ_FILE, sw__str("{"), &read, &err),
                     SW_EDEFINITION);
    sw__arena_free(arena);
}

static int kind_read_once(const sw_env *env, void *context)
{
    (void)context;
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    sw__kind_parameters read;
    sw_str text = sw__str("{\"command\":\"ls\",\"args\":[\"-l\"],\"other\":1}");
    int code = sw__kind_read(arena, SW__KIND_COMMAND, text, &read, NULL);
    sw__arena_free(arena);
    return code;
}

static void test_no_memory_is_noticed(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, kind_read_once, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_good_parameters_give_no_finding),
        cmocka_unit_test(test_missing_parameters),
        cmocka_unit_test(test_bad_parameters),
        cmocka_unit_test(test_a_command_line_is_refused),
        cmocka_unit_test(test_paths_that_cannot_work),
        cmocka_unit_test(test_reading_for_the_worker),
        cmocka_unit_test(test_reading_what_cannot_be_read),
        cmocka_unit_test(test_no_memory_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
