/* Names of enum values: every list there and back, and numbers that are in no list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "stepwell.h"

typedef struct named {
    const char *(*name)(int number);
    int (*find)(sw_str name); /* NULL where there is none */
    int first;
    int count;
} named;

static const named lists[] = {
    {sw_step_state_name, sw_step_state_find, 0, SW_STEP_STATE_COUNT},
    {sw_task_state_name, sw_task_state_find, 0, SW_TASK_STATE_COUNT},
    {sw_durability_name, sw_durability_find, 0, SW_DURABILITY_COUNT},
    {sw_outcome_name, sw_outcome_find, 0, SW_OUTCOME_COUNT},
    {sw_on_failure_name, NULL, 0, SW_ON_FAILURE_COUNT},
    {sw_trigger_name, NULL, 0, SW_TRIGGER_COUNT},
    {sw_backoff_name, NULL, 0, SW_BACKOFF_COUNT},
    {sw_row_status_name, NULL, 0, SW_ROW_STATUS_COUNT},
    {sw_reason_name, NULL, 0, SW_REASON_COUNT},
    {sw_execution_status_name, NULL, 0, SW_EXECUTION_STATUS_COUNT},
    {sw_recommended_action_name, NULL, 0, SW_RECOMMENDED_ACTION_COUNT},
    {sw_health_status_name, NULL, 0, SW_HEALTH_STATUS_COUNT},
    {sw_batch_mode_name, sw_batch_mode_find, 0, SW_BATCH_MODE_COUNT},
    {sw_tasker_state_name, sw_tasker_state_find, 0, SW_TASKER_STATE_COUNT},
    {sw_tasker_rule_name, sw_tasker_rule_find, 0, SW_TASKER_RULE_COUNT},
    {sw_audit_kind_name, sw_audit_kind_find, 1, SW_AUDIT_KIND_COUNT},
    {sw_audit_format_name, sw_audit_format_find, 0, SW_AUDIT_FORMAT_COUNT},
    {sw_standard_name, sw_standard_find, 0, SW_STANDARD_COUNT},
    {sw_evidence_name, NULL, 0, SW_EVIDENCE_COUNT},
    {sw_answer_name, NULL, 0, SW_ANSWER_COUNT},
    {sw_control_format_name, sw_control_format_find, 0, SW_CONTROL_FORMAT_COUNT},
    {sw_log_level_name, NULL, 0, SW_LOG_LEVEL_COUNT},
};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

static void test_every_number_has_its_own_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < LISTS; i++) {
        for (int a = lists[i].first; a < lists[i].first + lists[i].count; a++) {
            assert_string_not_equal(lists[i].name(a), "unknown");
            for (int b = lists[i].first; b < a; b++)
                assert_string_not_equal(lists[i].name(a), lists[i].name(b));
        }
    }
}

/* COUNT is the number of values, so the number behind the last one has no name. */
static void test_numbers_outside_have_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < LISTS; i++) {
        const int outside[] = {lists[i].first - 1, lists[i].first + lists[i].count, INT32_MIN,
                               INT32_MAX};
        for (size_t k = 0; k < 4; k++)
            assert_string_equal(lists[i].name(outside[k]), "unknown");
    }
}

static void test_names_are_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < LISTS; i++) {
        int end = lists[i].first + lists[i].count;
        for (int number = lists[i].first; lists[i].find && number < end; number++) {
            sw_str name = sw__str(lists[i].name(number));
            assert_int_equal(lists[i].find(name), number);
            assert_int_equal(lists[i].find((sw_str){name.ptr, name.len - 1}), SW_ENOTFOUND);
            assert_int_equal(lists[i].find((sw_str){name.ptr, name.len + 1}), SW_ENOTFOUND);
        }
        if (lists[i].find) {
            assert_int_equal(lists[i].find((sw_str){NULL, 0}), SW_ENOTFOUND);
            assert_int_equal(lists[i].find(sw__str("unknown")), SW_ENOTFOUND);
        }
    }
}

static void test_names_that_other_programs_read(void **state)
{
    (void)state;
    assert_string_equal(sw_step_state_name(SW_STEP_READY), "ready");
    assert_string_equal(sw_task_state_name(SW_TASK_RESOLVED), "resolved");
    assert_string_equal(sw_durability_name(SW_DURABILITY_STRICT), "strict");
    assert_string_equal(sw_on_failure_name(SW_ON_FAILURE_FAIL_TASK), "fail_task");
    assert_string_equal(sw_on_failure_name(SW_ON_FAILURE_SKIP_DEPENDENTS), "skip_dependents");
    assert_string_equal(sw_trigger_name(SW_TRIGGER_NONE_FAILED), "none_failed");
    assert_string_equal(sw_backoff_name(SW_BACKOFF_FIBONACCI), "fibonacci");
    assert_string_equal(sw_outcome_name(SW_OUTCOME_RELEASED), "released");
    assert_string_equal(sw_row_status_name(SW_ROW_FENCED), "fenced");
    assert_string_equal(sw_reason_name(SW_REASON_MISSING_HANDLER), "missing_handler");
    assert_string_equal(sw_audit_kind_name(SW_AUDIT_STEP_FENCED), "step_fenced");
    assert_string_equal(sw_log_level_name(SW_LOG_WARN), "warn");
}

static void test_version_is_that_of_the_header(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof(text), "%d.%d.%d", SW_VERSION_MAJOR, SW_VERSION_MINOR, SW_VERSION_PATCH);
    assert_string_equal(sw_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_has_its_own_name),
        cmocka_unit_test(test_numbers_outside_have_none),
        cmocka_unit_test(test_names_are_found_again),
        cmocka_unit_test(test_names_that_other_programs_read),
        cmocka_unit_test(test_version_is_that_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
