/* The transition tables against expectations drawn by hand: every (from, to, by) there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "model/states.h"

/* Rows: from; columns: to, both in the order of the states. e engine, w worker, o operator. */
static const char *const steps_expected[SW_STEP_STATE_COUNT][SW_STEP_STATE_COUNT] = {
    /*               pend  ready run  wait succ fail skip  canc  resolved */
    /* pending   */ {"", "e", "", "", "", "", "eo", "eo", "o"},
    /* ready     */ {"", "", "w", "", "", "e", "o", "eo", "o"},
    /* running   */ {"", "ew", "", "w", "w", "ew", "", "eo", ""},
    /* waiting   */ {"", "eo", "", "", "e", "e", "eo", "eo", "o"},
    /* succeeded */ {"", "", "", "", "", "", "", "", ""},
    /* failed    */ {"", "o", "", "", "", "", "", "", "o"},
    /* skipped   */ {"o", "o", "", "", "", "", "", "", "o"},
    /* cancelled */ {"o", "o", "", "", "", "", "", "", "o"},
    /* resolved  */ {"", "", "", "", "", "", "", "", ""},
};

static const char *const tasks_expected[SW_TASK_STATE_COUNT][SW_TASK_STATE_COUNT] = {
    /*               pend  run  paus succ fail canc resolved */
    /* pending   */ {"", "e", "o", "", "", "o", ""},
    /* running   */ {"", "", "o", "e", "e", "o", ""},
    /* paused    */ {"", "o", "", "e", "e", "o", ""},
    /* succeeded */ {"", "", "", "", "", "", ""},
    /* failed    */ {"", "o", "", "", "", "", "o"},
    /* cancelled */ {"", "o", "", "", "", "", "o"},
    /* resolved  */ {"", "", "", "", "", "", ""},
};

static const char by_letters[] = {
    [SW_BY_ENGINE] = 'e', [SW_BY_WORKER] = 'w', [SW_BY_OPERATOR] = 'o'};

static void test_every_move_of_a_step(void **state)
{
    (void)state;
    for (int from = 0; from < SW_STEP_STATE_COUNT; from++) {
        for (int to = 0; to < SW_STEP_STATE_COUNT; to++) {
            for (int by = 0; by < 3; by++) {
                bool expected = strchr(steps_expected[from][to], by_letters[by]) != NULL;
                if (sw__step_may(from, to, by) != expected)
                    fail_msg("%s > %s by %c", sw_step_state_name(from), sw_step_state_name(to),
                             by_letters[by]);
            }
        }
    }
}

static void test_every_move_of_a_task(void **state)
{
    (void)state;
    for (int from = 0; from < SW_TASK_STATE_COUNT; from++) {
        for (int to = 0; to < SW_TASK_STATE_COUNT; to++) {
            for (int by = 0; by < 3; by++) {
                bool expected = strchr(tasks_expected[from][to], by_letters[by]) != NULL;
                if (sw__task_may(from, to, by) != expected)
                    fail_msg("%s > %s by %c", sw_task_state_name(from), sw_task_state_name(to),
                             by_letters[by]);
            }
        }
    }
}

static void test_numbers_that_are_no_states(void **state)
{
    (void)state;
    static const int numbers[] = {-1, SW_STEP_STATE_COUNT, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        for (int by = -1; by < 4; by++) {
            assert_false(sw__step_may(numbers[i], SW_STEP_READY, by));
            assert_false(sw__step_may(SW_STEP_PENDING, numbers[i], by));
            assert_false(sw__task_may(numbers[i], SW_TASK_RUNNING, by));
            assert_false(sw__task_may(SW_TASK_PENDING, numbers[i], by));
        }
        assert_int_equal(sw_step_state_terminal(numbers[i]), 0);
        assert_int_equal(sw_task_state_terminal(numbers[i]), 0);
    }
    assert_false(sw__step_may(SW_STEP_PENDING, SW_STEP_READY, -1));
    assert_false(sw__step_may(SW_STEP_PENDING, SW_STEP_READY, 3));
}

/* The exported table says what the guard says, once each, in the promised order. */
static void test_the_exported_table(void **state)
{
    (void)state;
    size_t count = 0, allowed = 0;
    const sw_transition *rows = sw_step_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(sw__step_may(rows[i].from, rows[i].to, rows[i].by));
        if (i > 0) {
            int before = (rows[i - 1].from * 100 + rows[i - 1].to) * 10 + rows[i - 1].by;
            assert_true(before < (rows[i].from * 100 + rows[i].to) * 10 + rows[i].by);
        }
    }
    for (int from = 0; from < SW_STEP_STATE_COUNT; from++) {
        for (int to = 0; to < SW_STEP_STATE_COUNT; to++)
            allowed += strlen(steps_expected[from][to]);
    }
    assert_int_equal(count, allowed);
}

static void test_only_operators_leave_terminal_states(void **state)
{
    (void)state;
    static const char *const ended[] = {"succeeded", "failed", "skipped", "cancelled", "resolved"};
    for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
        int number = sw_step_state_find((sw_str){ended[i], strlen(ended[i])});
        assert_int_equal(sw_step_state_terminal(number), 1);
        for (int to = 0; to < SW_STEP_STATE_COUNT; to++) {
            assert_false(sw__step_may(number, to, SW_BY_ENGINE));
            assert_false(sw__step_may(number, to, SW_BY_WORKER));
        }
    }
    for (int number = SW_STEP_PENDING; number <= SW_STEP_WAITING; number++)
        assert_int_equal(sw_step_state_terminal(number), 0);
    for (int number = SW_TASK_PENDING; number <= SW_TASK_PAUSED; number++)
        assert_int_equal(sw_task_state_terminal(number), 0);
    for (int number = SW_TASK_SUCCEEDED; number <= SW_TASK_RESOLVED; number++)
        assert_int_equal(sw_task_state_terminal(number), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_move_of_a_step),
        cmocka_unit_test(test_every_move_of_a_task),
        cmocka_unit_test(test_numbers_that_are_no_states),
        cmocka_unit_test(test_the_exported_table),
        cmocka_unit_test(test_only_operators_leave_terminal_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
