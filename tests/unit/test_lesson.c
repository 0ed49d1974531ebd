/* What an engine remembers of ended tasks: what is found again, what makes room, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/lesson.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

static sw__task_hot task_of(int64_t number)
{
    sw__task_hot task = {.task_no = number, .audit_segment = 7};
    memcpy(task.task_id.bytes, &number, sizeof number);
    return task;
}

static void test_found_as_it_was(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__lessons lessons = {0};
    const int64_t took[] = {5, -1, 6};
    sw__task_hot task = task_of(1), other = task_of(1 + SW__LESSONS);
    assert_null(sw__lessons_find(&lessons, &task, 3));
    assert_int_equal(sw__lessons_keep(&lessons, &fault.env, &task, took, 3, 2), SW_OK);
    const sw__lesson *lesson = sw__lessons_find(&lessons, &task, 3);
    assert_non_null(lesson);
    assert_int_equal(lesson->peak, 2);
    assert_memory_equal(lesson->took_us, took, sizeof took);
    assert_null(sw__lessons_find(&lessons, &task, 2));
    assert_null(sw__lessons_find(&lessons, &other, 3)); /* the same place */
    task.audit_segment = 8;
    assert_null(sw__lessons_find(&lessons, &task, 3));

    assert_int_equal(sw__lessons_keep(&lessons, &fault.env, &other, took, 3, 2), SW_OK);
    task.audit_segment = 7;
    assert_null(sw__lessons_find(&lessons, &task, 3));
    assert_non_null(sw__lessons_find(&lessons, &other, 3));
    sw__lessons_free(&lessons, &fault.env);
    assert_int_equal(fault.live, 0);
}

static void test_room(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__lessons lessons = {0};
    int64_t *took = calloc(SW__LESSONS_STEPS, sizeof *took);
    assert_non_null(took);
    sw__task_hot first = task_of(1), second = task_of(2), third = task_of(3);
    size_t half = SW__LESSONS_STEPS / 2;
    assert_int_equal(sw__lessons_keep(&lessons, &fault.env, &first, took, half, 1), SW_OK);
    assert_int_equal(sw__lessons_keep(&lessons, &fault.env, &second, took, half, 1), SW_OK);
    assert_non_null(sw__lessons_find(&lessons, &first, half));
    assert_int_equal(sw__lessons_keep(&lessons, &fault.env, &third, took, 1, 1), SW_OK);
    assert_null(sw__lessons_find(&lessons, &first, half));
    assert_null(sw__lessons_find(&lessons, &second, half));
    assert_int_equal(lessons.steps, 1);
    size_t over = SW__LESSONS_STEPS + 1;
    assert_int_equal(sw__lessons_keep(&lessons, &fault.env, &first, took, over, 1), SW_OK);
    assert_null(sw__lessons_find(&lessons, &first, over));
    assert_non_null(sw__lessons_find(&lessons, &third, 1));
    sw__lessons_free(&lessons, &fault.env);
    free(took);
    assert_int_equal(fault.live, 0);
}

static int keep_some(const sw_env *env, void *context)
{
    (void)context;
    sw__lessons lessons = {0};
    const int64_t took[] = {1};
    int rc = SW_OK;
    for (int64_t number = 1; rc == SW_OK && number <= 3; number++) {
        sw__task_hot task = task_of(number);
        rc = sw__lessons_keep(&lessons, env, &task, took, 1, 1);
    }
    sw__lessons_free(&lessons, env);
    return rc;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, keep_some, NULL) > 4);
    assert_int_equal(fault.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_as_it_was),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
