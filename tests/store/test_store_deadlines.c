/* Tests of deadlines: their order, their end with their task, and taking changes back, on every
 * store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "helper/store_rig.h"

static void put(store_rig *rig, int64_t subject, int64_t due_us)
{
    sw__deadline row = {.subject = subject, .due_us = due_us};
    assert_int_equal(rig->store->ops->deadlines_put(rig->store, &row, 1, &rig->err), SW_OK);
}

/* "subject:due subject:due" of the first that are due. */
static void assert_due(store_rig *rig, int64_t due_max, size_t limit, const char *expected)
{
    sw__deadline rows[16];
    size_t count = 99;
    sw_str found = {"", 0};
    assert_int_equal(
        rig->store->ops->deadlines_due(rig->store, due_max, rows, limit, &count, &rig->err), SW_OK);
    for (size_t i = 0; i < count; i++)
        found = sw__arena_format(rig->arena, "%.*s%s%lld:%lld", SW__FMT(found), i ? " " : "",
                                 (long long)rows[i].subject, (long long)rows[i].due_us);
    assert_string_equal(found.ptr, expected);
}

static void deadlines_come_by_time_then_subject(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    assert_due(rig, INT64_MAX, 16, "");
    put(rig, 7, 30);
    put(rig, 9, 10);
    put(rig, 8, 10);
    put(rig, 6, 20);
    assert_due(rig, INT64_MAX, 16, "8:10 9:10 6:20 7:30");
    assert_due(rig, 20, 16, "8:10 9:10 6:20");
    assert_due(rig, 9, 16, "");
    assert_due(rig, INT64_MAX, 2, "8:10 9:10");
    assert_due(rig, INT64_MAX, 0, "");
    store_commit(rig);
}

/* A second row of a subject takes the place of the first, also in one batch. */
static void deadlines_are_replaced_and_taken_out_in_order(void **state)
{
    store_rig *rig = *state;
    const sw__deadline rows[] = {{5, 10}, {5, 40}, {6, 20}, {6, 0}, {7, 0}, {8, 0}, {8, 30}};
    const int64_t subjects[] = {5, 6, 8};
    int64_t due_us[3] = {1, 1, 1};
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->deadlines_put(rig->store, rows, 7, &rig->err), SW_OK);
    assert_due(rig, INT64_MAX, 16, "8:30 5:40");
    assert_int_equal(rig->store->ops->deadlines_get(rig->store, subjects, 3, due_us, &rig->err),
                     SW_OK);
    assert_int_equal(due_us[0], 40);
    assert_int_equal(due_us[1], 0);
    assert_int_equal(due_us[2], 30);
    store_commit(rig);
}

static void deadlines_are_rolled_back(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    put(rig, 1, 10);
    put(rig, 2, 20);
    store_commit(rig);
    store_begin(rig, true);
    put(rig, 1, 0);
    put(rig, 2, 5);
    put(rig, 3, 1);
    put(rig, 3, 0);
    put(rig, 1, 7);
    assert_due(rig, INT64_MAX, 16, "2:5 1:7");
    store_rollback(rig);
    store_begin(rig, false);
    assert_due(rig, INT64_MAX, 16, "1:10 2:20");
    store_rollback(rig);
}

/* They stand in no line of steps, though they may have a number of one. */
static void deadlines_are_no_steps(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, "1", 2);
    put(rig, SW__STEP_ID(task_no, 0), 10);
    store_queue(rig, SW__STEP_ID(task_no, 1), 2, 5);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 8), "1");
    assert_string_equal(store_line(rig, task_no, -INT64_MAX, INT64_MAX, 8), "");
    store_commit(rig);
}

static void deadlines_go_with_their_task(void **state)
{
    store_rig *rig = *state;
    char expected[64];
    store_begin(rig, true);
    int64_t before = store_add_task(rig, "1", 2);
    int64_t task_no = store_add_task(rig, "1", 2);
    int64_t after = store_add_task(rig, "1", 2);
    put(rig, SW__DEADLINE_TASK(before), 1);
    put(rig, SW__STEP_ID(task_no, 0), 2);
    put(rig, SW__STEP_ID(task_no, 1), 3);
    put(rig, SW__DEADLINE_TASK(task_no), 4);
    put(rig, SW__STEP_ID(after, 0), 5);
    store_commit(rig);
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->tasks_delete(rig->store, &task_no, 1, &rig->err), SW_OK);
    store_rollback(rig);
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->tasks_delete(rig->store, &task_no, 1, &rig->err), SW_OK);
    snprintf(expected, sizeof expected, "%lld:1 %lld:5", (long long)SW__DEADLINE_TASK(before),
             (long long)SW__STEP_ID(after, 0));
    assert_due(rig, INT64_MAX, 16, expected);
    store_commit(rig);
}

static void deadlines_need_their_transaction(void **state)
{
    store_rig *rig = *state;
    size_t count = 0;
    int64_t subject = 1;
    int64_t due_us = 0;
    sw__deadline row = {1, 2};
    const sw__store_ops *ops = rig->store->ops;
    assert_int_equal(ops->deadlines_due(rig->store, 1, &row, 1, &count, &rig->err), SW_EPOISONED);
    assert_int_equal(ops->deadlines_get(rig->store, &subject, 1, &due_us, &rig->err), SW_EPOISONED);
    store_begin(rig, false);
    assert_int_equal(ops->deadlines_put(rig->store, &row, 1, &rig->err), SW_EPOISONED);
    store_rollback(rig);
}

/* Many in any order, against a plain reference. */
static void deadlines_are_a_queue(void **state)
{
    store_rig *rig = *state;
    int64_t due[50] = {0};
    uint32_t random = 7;
    store_begin(rig, true);
    for (int i = 0; i < 400; i++) {
        random = random * 1664525 + 1013904223;
        int64_t subject = random >> 8 & 31;
        due[subject] = random >> 16 & 7 ? (int64_t)(random >> 20) + 1 : 0;
        put(rig, subject, due[subject]);
        sw__deadline first = {-1, 0};
        size_t count = 0;
        int64_t best = -1;
        for (int64_t k = 49; k >= 0; k--)
            best = due[k] && (best < 0 || due[k] <= due[best]) ? k : best;
        assert_int_equal(
            rig->store->ops->deadlines_due(rig->store, INT64_MAX, &first, 1, &count, &rig->err),
            SW_OK);
        assert_int_equal(first.subject, best);
    }
    store_commit(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(deadlines_come_by_time_then_subject),
        STORE_TEST(deadlines_are_replaced_and_taken_out_in_order),
        STORE_TEST(deadlines_are_rolled_back),
        STORE_TEST(deadlines_are_no_steps),
        STORE_TEST(deadlines_go_with_their_task),
        STORE_TEST(deadlines_need_their_transaction),
        STORE_TEST(deadlines_are_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
