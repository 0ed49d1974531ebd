/* Tests of steps: rows, lines, results and failures, on every store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "helper/store_rig.h"

static void assert_step_equal(store_rig *rig, const sw__step_hot *expected)
{
    sw__step_hot found = store_step(rig, expected->step_id);
    assert_int_equal(found.step_id, expected->step_id);
    assert_int_equal(found.state, expected->state);
    assert_int_equal(found.open_deps, expected->open_deps);
    assert_int_equal(found.attempt, expected->attempt);
    assert_int_equal(found.crashes, expected->crashes);
    assert_int_equal(found.epoch, expected->epoch);
    assert_int_equal(found.lane, expected->lane);
    assert_int_equal(found.rank, expected->rank);
    assert_int_equal(found.changed_us, expected->changed_us);
}

static sw__step_hot extreme_step(int64_t step_id, int64_t wide, int32_t narrow)
{
    return (sw__step_hot){
        .step_id = step_id,
        .state = narrow,
        .open_deps = narrow,
        .attempt = narrow,
        .crashes = narrow,
        .epoch = wide,
        .lane = wide,
        .rank = wide,
        .changed_us = wide,
    };
}

static void test_extreme_steps_come_back(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, NULL, 0);
    int64_t last = SW__STEP_ID(task_no, (1 << SW__STEP_BITS) - 1);
    sw__step_hot rows[] = {extreme_step(SW__STEP_ID(task_no, 0), INT64_MIN, INT32_MIN),
                           extreme_step(last, INT64_MAX, INT32_MAX)};
    assert_int_equal(ops->steps_insert(rig->store, rows, 2, &rig->err), SW_OK);
    assert_step_equal(rig, &rows[0]);
    assert_step_equal(rig, &rows[1]);
    rows[0] = extreme_step(rows[0].step_id, INT64_MAX, INT32_MAX);
    rows[1] = extreme_step(rows[1].step_id, INT64_MIN, INT32_MIN);
    assert_int_equal(ops->steps_update(rig->store, rows, 2, &rig->err), SW_OK);
    assert_step_equal(rig, &rows[0]);
    assert_step_equal(rig, &rows[1]);
    store_commit(rig);
}

static void test_missing_steps_are_told(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, NULL, 2);
    const int64_t ids[] = {SW__STEP_ID(task_no - 1, 0), SW__STEP_ID(task_no, 1),
                           SW__STEP_ID(task_no, 2), SW__STEP_ID(task_no + 1, 0)};
    sw__step_hot rows[4];
    sw__payload results[4];
    sw__failure failures[4];
    assert_int_equal(ops->steps_get(rig->store, ids, 4, rows, &rig->err), SW_OK);
    assert_int_equal(rows[0].step_id, -1);
    assert_int_equal(rows[1].step_id, ids[1]);
    assert_int_equal(rows[2].step_id, -1);
    assert_int_equal(rows[3].step_id, -1);
    assert_int_equal(ops->results_get(rig->store, ids, 4, rig->arena, results, &rig->err), SW_OK);
    assert_int_equal(ops->failures_get(rig->store, ids, 4, rig->arena, failures, &rig->err), SW_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(results[i].step_id, ids[i]);
        assert_null(results[i].body.ptr);
        assert_int_equal(failures[i].epoch, 0);
    }
    rows[0] = rows[1];
    assert_int_equal(ops->steps_update(rig->store, rows, 4, &rig->err), SW_ENOTFOUND);
    assert_int_equal(rig->err.row, 2);
    store_rollback(rig);
}

static void test_steps_may_come_later_and_leave_gaps(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, NULL, 3);
    const sw__step_hot later[] = {{.step_id = SW__STEP_ID(task_no, 3), .epoch = 3},
                                  {.step_id = SW__STEP_ID(task_no, 4), .epoch = 4},
                                  {.step_id = SW__STEP_ID(task_no, 9), .epoch = 9}};
    const sw__step_hot between = {.step_id = SW__STEP_ID(task_no, 6), .epoch = 6};
    const sw__step_hot known[] = {{.step_id = SW__STEP_ID(task_no, 5)},
                                  {.step_id = SW__STEP_ID(task_no, 6)}};
    assert_int_equal(ops->steps_insert(rig->store, later, 3, &rig->err), SW_OK);
    assert_int_equal(ops->steps_insert(rig->store, &between, 1, &rig->err), SW_OK);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 4)).epoch, 4);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 6)).epoch, 6);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 9)).epoch, 9);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 5)).step_id, -1);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 7)).step_id, -1);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 10)).step_id, -1);
    assert_int_equal(ops->steps_insert(rig->store, known, 2, &rig->err), SW_ECONFLICT);
    assert_int_equal(rig->err.row, 1);
    store_rollback(rig);
}

static int note_step(void *context, const sw__step_hot *row, sw_error *err)
{
    (void)err;
    sw__buf_printf(context, "%lld.%lld ", (long long)SW__STEP_TASK(row->step_id),
                   (long long)SW__STEP_INDEX(row->step_id));
    return 0;
}

static void assert_each(store_rig *rig, int64_t task_no, const char *expected)
{
    sw__buf seen;
    sw__buf_init(&seen, sw_env_system());
    assert_int_equal(rig->store->ops->steps_each(rig->store, task_no, note_step, &seen, &rig->err),
                     SW_OK);
    sw__buf_put_byte(&seen, 0);
    assert_string_equal((const char *)seen.ptr, expected);
    sw__buf_free(&seen);
}

static void test_steps_are_walked_in_order(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    assert_each(rig, 0, "");
    int64_t first = store_add_task(rig, NULL, 2);
    store_add_task(rig, NULL, 0);
    store_add_task(rig, NULL, 3);
    sw__step_hot last = {.step_id = SW__STEP_ID(first, (1 << SW__STEP_BITS) - 1)};
    assert_int_equal(rig->store->ops->steps_insert(rig->store, &last, 1, &rig->err), SW_OK);
    assert_each(rig, 0, "1.0 1.1 1.1048575 3.0 3.1 3.2 ");
    assert_each(rig, 1, "1.0 1.1 1.1048575 ");
    assert_each(rig, 2, "");
    assert_each(rig, 3, "3.0 3.1 3.2 ");
    assert_each(rig, 4, "");
    store_commit(rig);
}

typedef struct walk_end {
    store_rig *rig;
    int left;
    int answer;
} walk_end;

/* Reads inside a walk are allowed. */
static int walk_until(void *context, const sw__step_hot *row, sw_error *err)
{
    walk_end *end = context;
    (void)err;
    assert_step_equal(end->rig, row);
    return --end->left > 0 ? 0 : end->answer;
}

static void test_step_walk_ends_early(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    store_add_task(rig, NULL, 2);
    store_add_task(rig, NULL, 2);
    walk_end stop = {.rig = rig, .left = 3, .answer = 1};
    assert_int_equal(ops->steps_each(rig->store, 0, walk_until, &stop, &rig->err), SW_OK);
    assert_int_equal(stop.left, 0);
    walk_end fail = {.rig = rig, .left = 1, .answer = SW_ECORRUPT};
    assert_int_equal(ops->steps_each(rig->store, 1, walk_until, &fail, &rig->err), SW_ECORRUPT);
    assert_int_equal(fail.left, 0);
    store_commit(rig);
}

static void test_lines_are_ordered_by_rank_then_number(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, NULL, 8);
    int64_t id = SW__STEP_ID(task_no, 0);
    store_queue(rig, id + 5, 2, 0);
    store_queue(rig, id + 1, 2, 0);
    store_queue(rig, id + 3, 2, -10);
    store_queue(rig, id + 7, 2, INT64_MAX);
    store_queue(rig, id + 2, 2, INT64_MIN);
    store_queue(rig, id + 0, 3, 0);
    store_queue(rig, id + 4, -7, INT64_MAX);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "2 3 1 5 7");
    assert_string_equal(store_line(rig, task_no, 2, 0, 64), "2 3 1 5");
    assert_string_equal(store_line(rig, task_no, 2, -1, 64), "2 3");
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 2), "2 3");
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 0), "");
    assert_string_equal(store_line(rig, task_no, 3, INT64_MAX, 64), "0");
    assert_string_equal(store_line(rig, task_no, -7, INT64_MAX, 64), "4");
    assert_string_equal(store_line(rig, task_no, 4, INT64_MAX, 64), "");
    assert_string_equal(store_line(rig, task_no, SW__LANE_NONE, INT64_MAX, 64), "");
    store_commit(rig);
}

static void test_steps_change_lines(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, NULL, 4);
    int64_t id = SW__STEP_ID(task_no, 0);
    for (int i = 0; i < 4; i++)
        store_queue(rig, id + i, 2, 4 - i);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "3 2 1 0");
    store_queue(rig, id + 3, 2, 9);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "2 1 0 3");
    store_queue(rig, id + 2, -1, 9);
    store_queue(rig, id + 1, SW__LANE_NONE, 9);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "0 3");
    assert_string_equal(store_line(rig, task_no, -1, INT64_MAX, 64), "2");
    store_queue(rig, id + 0, 2, 4);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "0 3");
    store_queue(rig, id + 1, SW__LANE_NONE, 3);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "0 3");
    store_commit(rig);
}

static void test_steps_enter_lines_when_inserted(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, NULL, 0);
    const sw__step_hot rows[] = {{.step_id = SW__STEP_ID(task_no, 0), .lane = 2, .rank = 1},
                                 {.step_id = SW__STEP_ID(task_no, 1)},
                                 {.step_id = SW__STEP_ID(task_no, 2), .lane = 2, .rank = 0}};
    assert_int_equal(rig->store->ops->steps_insert(rig->store, rows, 3, &rig->err), SW_OK);
    assert_string_equal(store_line(rig, task_no, 2, INT64_MAX, 64), "2 0");
    store_commit(rig);
}

static sw__payload put_result(store_rig *rig, int64_t step_id, sw_str body, int salt)
{
    sw__payload row = {.step_id = step_id, .body = body};
    sw__payload found;
    memset(row.salt, salt, sizeof(row.salt));
    assert_int_equal(rig->store->ops->results_put(rig->store, &row, 1, &rig->err), SW_OK);
    assert_int_equal(
        rig->store->ops->results_get(rig->store, &step_id, 1, rig->arena, &found, &rig->err),
        SW_OK);
    assert_int_equal(found.step_id, step_id);
    assert_memory_equal(found.salt, row.salt, sizeof(row.salt));
    return found;
}

static void test_results_come_back_and_are_replaced(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t id = SW__STEP_ID(store_add_task(rig, NULL, 1), 0);
    sw__payload found = put_result(rig, id, (sw_str)SW__LIT("\"a\0b\xfe\""), 1);
    assert_int_equal(found.body.len, 6);
    assert_memory_equal(found.body.ptr, "\"a\0b\xfe\"", 6);
    found = put_result(rig, id, (sw_str)SW__LIT(""), 2);
    assert_non_null(found.body.ptr);
    assert_int_equal(found.body.len, 0);
    found = put_result(rig, id, (sw_str){NULL, 0}, 3);
    assert_null(found.body.ptr);
    store_commit(rig);
}

static void test_large_payloads_come_back(void **state)
{
    store_rig *rig = *state;
    size_t size = 3 * 1024 * 1024 + 17;
    char *body = sw__arena_alloc(rig->arena, size);
    assert_non_null(body);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)(i * 2654435761u >> 7);
    store_begin(rig, true);
    int64_t id = SW__STEP_ID(store_add_task(rig, NULL, 1), 0);
    sw__payload found = put_result(rig, id, (sw_str){body, size}, 1);
    assert_int_equal(found.body.len, size);
    assert_memory_equal(found.body.ptr, body, size);
    store_commit(rig);
}

static sw__failure newest_failure(store_rig *rig, int64_t step_id)
{
    sw__failure found;
    assert_int_equal(
        rig->store->ops->failures_get(rig->store, &step_id, 1, rig->arena, &found, &rig->err),
        SW_OK);
    assert_int_equal(found.step_id, step_id);
    return found;
}

static void put_failure(store_rig *rig, int64_t step_id, int64_t epoch, const char *message)
{
    sw__failure row = {.step_id = step_id,
                       .epoch = epoch,
                       .error_class = SW__LIT("Net::Error"),
                       .message = sw__str(message)};
    memset(row.salt, (int)epoch, sizeof(row.salt));
    assert_int_equal(rig->store->ops->failures_put(rig->store, &row, 1, &rig->err), SW_OK);
}

static void test_newest_failure_is_the_one_of_the_highest_epoch(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t id = SW__STEP_ID(store_add_task(rig, NULL, 2), 0);
    put_failure(rig, id, 2, "second");
    put_failure(rig, id, 5, "fifth");
    put_failure(rig, id, 3, "third");
    put_failure(rig, id + 1, 9, "other");
    sw__failure found = newest_failure(rig, id);
    assert_int_equal(found.epoch, 5);
    assert_true(sw__str_is(found.message, "fifth"));
    assert_true(sw__str_is(found.error_class, "Net::Error"));
    assert_null(found.detail.ptr);
    assert_int_equal(found.salt[31], 5);
    put_failure(rig, id, 5, "again");
    assert_true(sw__str_is(newest_failure(rig, id).message, "again"));
    put_failure(rig, id, INT64_MAX, NULL);
    found = newest_failure(rig, id);
    assert_int_equal(found.epoch, INT64_MAX);
    assert_null(found.message.ptr);
    store_commit(rig);
}

/* The body of a result says whose it is; only steps whose number is not divisible by 3 have one. */
static void assert_results(store_rig *rig, const int64_t *ids, size_t count)
{
    char body[32];
    sw__payload found[200];
    assert_true(count <= 200);
    assert_int_equal(
        rig->store->ops->results_get(rig->store, ids, count, rig->arena, found, &rig->err), SW_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i].step_id, ids[i]);
        snprintf(body, sizeof(body), "\"%lld\"", (long long)ids[i]);
        if (SW__STEP_INDEX(ids[i]) % 3 == 0) {
            assert_null(found[i].body.ptr);
            continue;
        }
        assert_true(sw__str_equal(found[i].body, sw__str(body)));
        assert_int_equal(found[i].salt[7], (uint8_t)ids[i]);
    }
}

static void put_results(store_rig *rig, int64_t task_no, int count)
{
    char body[32];
    for (int i = 0; i < count; i++) {
        sw__payload row = {.step_id = SW__STEP_ID(task_no, i)};
        snprintf(body, sizeof(body), "\"%lld\"", (long long)row.step_id);
        row.body = sw__str(body);
        memset(row.salt, (uint8_t)row.step_id, sizeof(row.salt));
        if (i % 3 > 0)
            assert_int_equal(rig->store->ops->results_put(rig->store, &row, 1, &rig->err), SW_OK);
    }
}

/* Side by side, each so many after the one before, none at all between; falling, and twice each. */
static void test_results_are_found_whatever_lies_between(void **state)
{
    store_rig *rig = *state;
    int64_t ids[200];
    store_begin(rig, true);
    for (int64_t task_no = 1; task_no <= 10; task_no++)
        put_results(rig, store_add_task(rig, NULL, 40), 40);
    for (size_t apart = 1; apart < 12; apart++) {
        size_t count = 0;
        for (size_t at = 0; at < 400 && count < 200; at += apart)
            ids[count++] = SW__STEP_ID(1 + (int64_t)at / 40, (int64_t)at % 40);
        for (size_t asked = 1; asked <= count; asked += 7)
            assert_results(rig, ids, asked);
        for (size_t i = 1; i < count; i += 2)
            ids[i] = ids[i - 1];
        assert_results(rig, ids, count);
        for (size_t i = 0; i < count; i++)
            ids[i] = SW__STEP_ID(10 - (int64_t)i / 20, 39 - (int64_t)i % 20 * 2);
        assert_results(rig, ids, count);
    }
    const int64_t far[] = {INT64_MAX, INT64_MIN, -1, 0};
    sw__payload found[4];
    assert_int_equal(rig->store->ops->results_get(rig->store, far, 4, rig->arena, found, &rig->err),
                     SW_OK);
    for (int i = 0; i < 4; i++)
        assert_null(found[i].body.ptr);
    store_commit(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_extreme_steps_come_back),
        STORE_TEST(test_missing_steps_are_told),
        STORE_TEST(test_steps_may_come_later_and_leave_gaps),
        STORE_TEST(test_steps_are_walked_in_order),
        STORE_TEST(test_step_walk_ends_early),
        STORE_TEST(test_lines_are_ordered_by_rank_then_number),
        STORE_TEST(test_steps_change_lines),
        STORE_TEST(test_steps_enter_lines_when_inserted),
        STORE_TEST(test_results_come_back_and_are_replaced),
        STORE_TEST(test_results_are_found_whatever_lies_between),
        STORE_TEST(test_large_payloads_come_back),
        STORE_TEST(test_newest_failure_is_the_one_of_the_highest_epoch),
    };
    return cmocka_run_group_tests_name("store_steps", tests, NULL, NULL);
}
