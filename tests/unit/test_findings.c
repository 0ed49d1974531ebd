/* Collecting findings: their order, their paths, and how many are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "helper/fault_env.h"
#include "model/findings.h"

static sw__findings findings;

static int arena_open(void **state)
{
    *state = sw__arena_new(sw_env_system());
    sw__findings_init(&findings, *state, false);
    return 0;
}

static int arena_close(void **state)
{
    sw__arena_free(*state);
    return 0;
}

static void assert_row(size_t index, int32_t line, int32_t column, const char *path,
                       const char *message)
{
    const sw_finding *row = &findings.rows[index];
    assert_true(index < findings.count);
    assert_int_equal(row->line, line);
    assert_int_equal(row->column, column);
    assert_string_equal(row->path.ptr, path);
    assert_string_equal(row->message.ptr, message);
}

static void test_rows_come_in_the_order_of_the_text(void **state)
{
    (void)state;
    sw__finding_add(&findings, SW_SEVERITY_ERROR, NULL, 9, 1, "d");
    sw__finding_add(&findings, SW_SEVERITY_ERROR, NULL, 2, 7, "b");
    sw__finding_add(&findings, SW_SEVERITY_WARNING, NULL, 2, 3, "a");
    sw__finding_add(&findings, SW_SEVERITY_ERROR, NULL, 2, 7, "c");
    sw__findings_finish(&findings);
    assert_int_equal(findings.count, 4);
    assert_int_equal(findings.error_count, 3);
    assert_row(0, 2, 3, "", "a");
    assert_row(1, 2, 7, "", "b");
    assert_row(2, 2, 7, "", "c");
    assert_row(3, 9, 1, "", "d");
}

static void test_paths(void **state)
{
    (void)state;
    sw__path steps = {.key = SW__LIT("steps")};
    sw__path step = {.up = &steps, .index = 12};
    sw__path env = {.up = &step, .key = SW__LIT("env")};
    sw__path strange = {.up = &env, .key = SW__LIT("A \"B\"\n")};
    sw__finding_add(&findings, SW_SEVERITY_ERROR, &env, 1, 1, "x");
    sw__finding_add(&findings, SW_SEVERITY_ERROR, &strange, 1, 2, "y");
    assert_row(0, 1, 1, "steps[12].env", "x");
    assert_row(1, 1, 2, "steps[12].env[\"A \\\"B\\\"\\n\"]", "y");
}

static void test_quotes(void **state)
{
    (void)state;
    assert_string_equal(sw__finding_quote(&findings, sw__str("a\x1b[2J\"b")),
                        "\"a\\u001b[2J\\\"b\"");
    char text[200];
    memset(text, 'x', sizeof(text));
    const char *quoted = sw__finding_quote(&findings, (sw_str){text, sizeof(text)});
    assert_int_equal(strlen(quoted), 60 + 2 + 3);
    assert_string_equal(quoted + 58, "xxx\"...");
}

static void test_strict_turns_warnings_into_errors(void **state)
{
    (void)state;
    findings.strict = true;
    sw__finding_add(&findings, SW_SEVERITY_WARNING, NULL, 1, 1, "unknown key");
    assert_int_equal(findings.rows[0].severity, SW_SEVERITY_ERROR);
    assert_int_equal(findings.error_count, 1);
}

/* However many there are, memory is bounded, and warnings leave room for errors. */
static void test_most_findings(void **state)
{
    (void)state;
    for (int i = 0; i < SW__FINDINGS_MAX; i++)
        sw__finding_add(&findings, SW_SEVERITY_WARNING, NULL, i + 1, 1, "w");
    assert_int_equal(findings.count, SW__FINDINGS_MAX / 2);
    for (int i = 0; i < SW__FINDINGS_MAX; i++)
        sw__finding_add(&findings, SW_SEVERITY_ERROR, NULL, i + 1, 1, "e");
    assert_int_equal(findings.count, SW__FINDINGS_MAX);
    assert_int_equal(findings.error_count, SW__FINDINGS_MAX);
    sw__findings_finish(&findings);
    assert_row(SW__FINDINGS_MAX - 1, 500, 1, "", "e (and 1000 more)");
}

static int findings_make(const sw_env *env, void *context)
{
    (void)context;
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    sw__findings list;
    sw__findings_init(&list, arena, false);
    sw__path path = {.key = SW__LIT("steps")};
    for (int i = 0; i < 60; i++)
        sw__finding_add(&list, SW_SEVERITY_ERROR, &path, 1, 1, "%s is wrong",
                        sw__finding_quote(&list, sw__str("value")));
    sw__findings_finish(&list);
    int code = list.failed ? SW_ENOMEM : SW_OK;
    sw__arena_free(arena);
    return code;
}

static void test_no_memory_is_noticed(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, findings_make, NULL) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_come_in_the_order_of_the_text, arena_open,
                                        arena_close),
        cmocka_unit_test_setup_teardown(test_paths, arena_open, arena_close),
        cmocka_unit_test_setup_teardown(test_quotes, arena_open, arena_close),
        cmocka_unit_test_setup_teardown(test_strict_turns_warnings_into_errors, arena_open,
                                        arena_close),
        cmocka_unit_test_setup_teardown(test_most_findings, arena_open, arena_close),
        cmocka_unit_test(test_no_memory_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
