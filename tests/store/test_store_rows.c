/* Tests of numbers, the anchor, definitions, lanes, workers and segments, on every store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "helper/store_rig.h"

static void test_anchor_is_absent_then_replaced(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    sw__anchor anchor = {.boot_us = INT64_MIN, .base_us = INT64_MAX};
    sw__anchor found = {0};
    memset(anchor.boot_id, 0xa5, sizeof(anchor.boot_id));
    store_begin(rig, true);
    assert_int_equal(ops->anchor_get(rig->store, &found, &rig->err), SW_ENOTFOUND);
    assert_int_equal(ops->anchor_put(rig->store, &anchor, &rig->err), SW_OK);
    anchor.base_us = 0;
    assert_int_equal(ops->anchor_put(rig->store, &anchor, &rig->err), SW_OK);
    assert_int_equal(ops->anchor_get(rig->store, &found, &rig->err), SW_OK);
    assert_memory_equal(&found, &anchor, sizeof(found));
    store_commit(rig);
}

static void test_sequences_start_and_never_repeat(void **state)
{
    store_rig *rig = *state;
    const int64_t start[SW__SEQUENCE_COUNT] = {
        [SW__SEQUENCE_TASK] = 1,
        [SW__SEQUENCE_WORKFLOW] = 1,
        [SW__SEQUENCE_LANE] = SW__LANE_FIRST,
        [SW__SEQUENCE_WORKER] = 1,
    };
    int64_t first = 0;
    store_begin(rig, true);
    for (int i = 0; i < SW__SEQUENCE_COUNT; i++) {
        assert_int_equal(
            rig->store->ops->sequence_take(rig->store, (sw__sequence)i, 1000, &first, &rig->err),
            SW_OK);
        assert_int_equal(first, start[i]);
        assert_int_equal(store_take(rig, (sw__sequence)i), start[i] + 1000);
    }
    store_commit(rig);
    store_begin(rig, true);
    for (int i = 0; i < SW__SEQUENCE_COUNT; i++)
        assert_int_equal(store_take(rig, (sw__sequence)i), start[i] + 1001);
    store_commit(rig);
}

static void test_sequences_end(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    int64_t first = 0;
    const int64_t last = INT64_MAX >> SW__STEP_BITS;
    store_begin(rig, true);
    assert_int_equal(ops->sequence_take(rig->store, SW__SEQUENCE_TASK, last - 1, &first, &rig->err),
                     SW_OK);
    assert_int_equal(ops->sequence_take(rig->store, SW__SEQUENCE_TASK, 1, &first, &rig->err),
                     SW_ELIMIT);
    assert_int_equal(ops->sequence_take(rig->store, SW__SEQUENCE_TASK, -1, &first, &rig->err),
                     SW_ELIMIT);
    store_rollback(rig);
}

static void assert_workflow(store_rig *rig, int64_t no, const char *name, const char *version,
                            int64_t expected)
{
    sw__workflow_rec found = {0};
    int rc = rig->store->ops->workflow_find(rig->store, no, sw__str(name), sw__str(version),
                                            rig->arena, &found, &rig->err);
    assert_int_equal(rc, expected ? SW_OK : SW_ENOTFOUND);
    assert_int_equal(found.workflow_no, expected);
}

static void test_newest_workflow_is_the_last_registered(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    int64_t first = store_add_workflow(rig, "order", "1", 100);
    int64_t second = store_add_workflow(rig, "order", "2", 200);
    int64_t other = store_add_workflow(rig, "other", "", 300);
    assert_workflow(rig, 0, "order", NULL, second);
    assert_workflow(rig, 0, "order", "1", first);
    assert_workflow(rig, 0, "order", "", 0);
    assert_workflow(rig, 0, "other", "", other);
    assert_workflow(rig, 0, "orde", NULL, 0);
    assert_workflow(rig, first, NULL, NULL, first);
    assert_workflow(rig, 99, NULL, NULL, 0);
    int64_t same_time = store_add_workflow(rig, "order", "3", 200);
    assert_workflow(rig, 0, "order", NULL, same_time);
    store_commit(rig);
}

static void test_known_digest_is_renewed(void **state)
{
    store_rig *rig = *state;
    sw__workflow_rec found = {0};
    store_begin(rig, true);
    int64_t first = store_add_workflow(rig, "order", "1", 100);
    store_add_workflow(rig, "order", "2", 200);
    store_add_workflow(rig, "order", "1", 300);
    assert_workflow(rig, 0, "order", NULL, first);
    assert_workflow(rig, 3, NULL, NULL, 0);
    uint8_t digest[32] = "order 1";
    assert_int_equal(
        rig->store->ops->workflow_digest_find(rig->store, digest, rig->arena, &found, &rig->err),
        SW_OK);
    assert_int_equal(found.workflow_no, first);
    assert_int_equal(found.registered_us, 300);
    assert_true(sw__str_is(found.json, "{\"stepwell\":1}"));
    digest[31] = 1;
    assert_int_equal(
        rig->store->ops->workflow_digest_find(rig->store, digest, rig->arena, &found, &rig->err),
        SW_ENOTFOUND);
    store_commit(rig);
}

static void test_workflow_numbers_are_unique(void **state)
{
    store_rig *rig = *state;
    sw__workflow_rec rows[2] = {
        {.workflow_no = 1, .digest = {1}},
        {.workflow_no = 1, .digest = {2}},
    };
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->workflows_put(rig->store, rows, 2, &rig->err), SW_ECONFLICT);
    assert_int_equal(rig->err.row, 1);
    store_rollback(rig);
}

static void test_lanes_are_listed_above_a_number(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const sw__lane_row rows[] = {
        {.lane = 5, .queue = SW__LIT("default"), .handler = SW__LIT("a.b")},
        {.lane = 2, .queue = SW__LIT("default"), .handler = SW__LIT("a.a")},
        {.lane = 3, .queue = SW__LIT(""), .handler = SW__LIT("a\0b")},
    };
    sw__lane_row *found = NULL;
    size_t count = 99;
    store_begin(rig, true);
    assert_int_equal(ops->lanes_list(rig->store, 0, rig->arena, &found, &count, &rig->err), SW_OK);
    assert_int_equal(count, 0);
    assert_int_equal(ops->lanes_put(rig->store, rows, 3, &rig->err), SW_OK);
    assert_int_equal(ops->lanes_list(rig->store, 2, rig->arena, &found, &count, &rig->err), SW_OK);
    assert_int_equal(count, 2);
    assert_int_equal(found[0].lane, 3);
    assert_int_equal(found[0].queue.len, 0);
    assert_non_null(found[0].queue.ptr);
    assert_int_equal(found[0].handler.len, 3);
    assert_memory_equal(found[0].handler.ptr, "a\0b", 3);
    assert_int_equal(found[1].lane, 5);
    assert_int_equal(ops->lanes_list(rig->store, INT64_MAX, rig->arena, &found, &count, &rig->err),
                     SW_OK);
    assert_int_equal(count, 0);
    store_commit(rig);
}

static void test_lanes_differ_by_their_breaker(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const sw__lane_row rows[] = {
        {.lane = 2, .queue = SW__LIT("q"), .handler = SW__LIT("h")},
        {.lane = 3, .queue = SW__LIT("q"), .handler = SW__LIT("h"), .breaker = SW__LIT("b")}};
    sw__lane_row *found = NULL;
    size_t count = 0;
    store_begin(rig, true);
    assert_int_equal(ops->lanes_put(rig->store, rows, 2, &rig->err), SW_OK);
    assert_int_equal(ops->lanes_list(rig->store, 0, rig->arena, &found, &count, &rig->err), SW_OK);
    assert_int_equal(count, 2);
    assert_int_equal(found[0].breaker.len, 0);
    assert_int_equal(found[1].breaker.len, 1);
    store_commit(rig);
}

static void assert_breakers(store_rig *rig, const sw__breaker_rec *expected, size_t expected_count)
{
    sw__breaker_rec *found = NULL;
    size_t count = 0;
    assert_int_equal(
        rig->store->ops->breakers_list(rig->store, rig->arena, &found, &count, &rig->err), SW_OK);
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < count; i++) {
        sw__breaker_rec row = found[i];
        assert_true(sw__str_equal(row.row.settings.name, expected[i].row.settings.name));
        assert_int_equal(!row.row.error_class.ptr, !expected[i].row.error_class.ptr);
        assert_true(sw__str_equal(row.row.error_class, expected[i].row.error_class));
        row.row.settings.name = expected[i].row.settings.name;
        row.row.error_class = expected[i].row.error_class;
        assert_memory_equal(&row, &expected[i], sizeof row);
    }
}

static void test_breakers_are_replaced_by_number(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const sw_breaker_row first = {
        .settings = {SW__LIT("pay"), 1, 2, 3, 0, 4, 5},
        .state = 1,
        .failures = 6,
        .successes = 7,
        .probing = 8,
        .openings = 9,
        .forced = 1,
        .until_us = 10,
        .changed_us = 11,
        .error_class = SW__LIT("Down"),
    };
    sw__breaker_rec rows[] = {{1, first}, {2, {.settings = {.name = SW__LIT("mail")}}}};
    store_begin(rig, true);
    assert_int_equal(ops->breakers_put(rig->store, rows, 2, &rig->err), SW_OK);
    assert_breakers(rig, rows, 2);
    store_commit(rig);
    store_begin(rig, true);
    rows[0].row.state = 2;
    rows[0].row.error_class = (sw_str){0};
    assert_int_equal(ops->breakers_put(rig->store, rows, 1, &rig->err), SW_OK);
    assert_breakers(rig, rows, 2);
    store_rollback(rig);
    rows[0].row = first;
    store_begin(rig, false);
    assert_breakers(rig, rows, 2);
    store_rollback(rig);
}

static void test_lanes_are_unique(void **state)
{
    store_rig *rig = *state;
    const sw__lane_row first = {.lane = 2, .queue = SW__LIT("q"), .handler = SW__LIT("h")};
    const sw__lane_row same_pair[] = {{.lane = 3, .queue = SW__LIT("q"), .handler = SW__LIT("i")},
                                      {.lane = 4, .queue = SW__LIT("q"), .handler = SW__LIT("h")}};
    const sw__lane_row same_number = {.lane = 2, .queue = SW__LIT("r"), .handler = SW__LIT("h")};
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->lanes_put(rig->store, &first, 1, &rig->err), SW_OK);
    store_commit(rig);
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->lanes_put(rig->store, same_pair, 2, &rig->err), SW_ECONFLICT);
    assert_int_equal(rig->err.row, 1);
    store_rollback(rig);
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->lanes_put(rig->store, &same_number, 1, &rig->err),
                     SW_ECONFLICT);
    store_rollback(rig);
}

static sw__worker_rec worker_row(int64_t worker_no)
{
    sw__worker_rec row = {
        .worker_no = worker_no,
        .name = SW__LIT("ann"),
        .host = SW__LIT("one"),
        .pid = 4711,
        .lease_ms = 15000,
        .lease_until_us = 1000,
        .watched = 1,
        .handlers = SW__LIT("[\"a.b\"]"),
        .queues = SW__LIT("[]"),
    };
    memset(row.boot_id, (int)worker_no, sizeof(row.boot_id));
    return row;
}

static sw__worker_rec *worker_rows(store_rig *rig, size_t expected)
{
    sw__worker_rec *rows = NULL;
    size_t count = 99;
    assert_int_equal(
        rig->store->ops->workers_list(rig->store, rig->arena, &rows, &count, &rig->err), SW_OK);
    assert_int_equal(count, expected);
    return rows;
}

static void test_workers_come_renew_and_go(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    sw__worker_rec late = worker_row(9);
    sw__worker_rec early = worker_row(3);
    early.name = (sw_str){NULL, 0};
    store_begin(rig, true);
    worker_rows(rig, 0);
    assert_int_equal(ops->worker_renew(rig->store, 9, 1, &rig->err), SW_ENOTFOUND);
    assert_int_equal(ops->worker_delete(rig->store, 9, &rig->err), SW_OK);
    assert_int_equal(ops->worker_put(rig->store, &late, &rig->err), SW_OK);
    assert_int_equal(ops->worker_put(rig->store, &early, &rig->err), SW_OK);
    assert_int_equal(ops->worker_renew(rig->store, 9, INT64_MAX, &rig->err), SW_OK);
    sw__worker_rec *rows = worker_rows(rig, 2);
    assert_int_equal(rows[0].worker_no, 3);
    assert_non_null(rows[0].name.ptr);
    assert_int_equal(rows[0].name.len, 0);
    assert_int_equal(rows[0].lease_until_us, 1000);
    assert_int_equal(rows[1].worker_no, 9);
    assert_int_equal(rows[1].lease_until_us, INT64_MAX);
    assert_int_equal(rows[1].lease_ms, 15000);
    assert_int_equal(rows[1].pid, 4711);
    assert_int_equal(rows[1].watched, 1);
    assert_memory_equal(rows[1].boot_id, late.boot_id, sizeof(late.boot_id));
    assert_true(sw__str_is(rows[1].name, "ann"));
    assert_true(sw__str_is(rows[1].host, "one"));
    assert_true(sw__str_is(rows[1].handlers, "[\"a.b\"]"));
    assert_true(sw__str_is(rows[1].queues, "[]"));
    assert_int_equal(ops->worker_delete(rig->store, 9, &rig->err), SW_OK);
    assert_int_equal(ops->worker_renew(rig->store, 9, 1, &rig->err), SW_ENOTFOUND);
    worker_rows(rig, 1);
    store_commit(rig);
}

static void test_worker_is_entered_again(void **state)
{
    store_rig *rig = *state;
    sw__worker_rec row = worker_row(1);
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->worker_put(rig->store, &row, &rig->err), SW_OK);
    row.host = (sw_str)SW__LIT("two");
    row.lease_until_us = 2000;
    assert_int_equal(rig->store->ops->worker_put(rig->store, &row, &rig->err), SW_OK);
    store_commit(rig);
    store_begin(rig, false);
    sw__worker_rec *rows = worker_rows(rig, 1);
    assert_true(sw__str_is(rows[0].host, "two"));
    assert_int_equal(rows[0].lease_until_us, 2000);
    store_commit(rig);
}

static void put_segment(store_rig *rig, int64_t no, int64_t first, int64_t count, sw_str body)
{
    sw__segment segment = {.segment_no = no,
                           .entry_first = first,
                           .entry_count = count,
                           .time_us = no % 1000 * 10,
                           .body = body};
    memset(segment.previous, (int)no - 1, sizeof(segment.previous));
    memset(segment.hash, (int)no, sizeof(segment.hash));
    assert_int_equal(rig->store->ops->segment_put(rig->store, &segment, &rig->err), SW_OK);
}

static int note_segment(void *context, const sw__segment *segment, sw_error *err)
{
    sw__buf *seen = context;
    (void)err;
    sw__buf_printf(seen, "%lld:%.*s ", (long long)segment->segment_no, SW__FMT(segment->body));
    return 0;
}

static void assert_segments(store_rig *rig, int64_t entry_no, const char *expected)
{
    sw__buf seen;
    sw__buf_init(&seen, sw_env_system());
    assert_int_equal(
        rig->store->ops->segments_each(rig->store, entry_no, note_segment, &seen, &rig->err),
        SW_OK);
    sw__buf_put_byte(&seen, 0);
    assert_string_equal((const char *)seen.ptr, expected);
    sw__buf_free(&seen);
}

static void test_segments_are_walked_from_an_entry(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    assert_segments(rig, 1, "");
    put_segment(rig, 1, 1, 3, (sw_str)SW__LIT("one"));
    put_segment(rig, 2, 4, 1, (sw_str)SW__LIT("two"));
    put_segment(rig, 3, 5, 10, (sw_str)SW__LIT("three"));
    put_segment(rig, 4, 15, 1, (sw_str)SW__LIT("four"));
    assert_segments(rig, 0, "1:one 2:two 3:three 4:four ");
    assert_segments(rig, 3, "1:one 2:two 3:three 4:four ");
    assert_segments(rig, 4, "2:two 3:three 4:four ");
    assert_segments(rig, 5, "3:three 4:four ");
    assert_segments(rig, 14, "3:three 4:four ");
    assert_segments(rig, 15, "4:four ");
    assert_segments(rig, 16, "");
    assert_segments(rig, INT64_MAX, "");
    store_commit(rig);
}

static void test_segment_walk_crosses_gaps(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    put_segment(rig, 2, 4, 1, (sw_str)SW__LIT("two"));
    put_segment(rig, 7, 9, 1, (sw_str)SW__LIT("seven"));
    put_segment(rig, INT64_MAX, 20, 1, (sw_str)SW__LIT("last"));
    assert_segments(rig, 4, "2:two 7:seven 9223372036854775807:last ");
    assert_segments(rig, 5, "7:seven 9223372036854775807:last ");
    assert_segments(rig, 10, "9223372036854775807:last ");
    store_commit(rig);
}

static void test_segments_keep_their_bytes(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    sw__segment found;
    store_begin(rig, true);
    assert_int_equal(ops->segment_last(rig->store, &found, &rig->err), SW_OK);
    assert_int_equal(found.segment_no, 0);
    assert_int_equal(ops->segment_get(rig->store, 1, rig->arena, &found, &rig->err), SW_ENOTFOUND);
    put_segment(rig, 1, 1, 2, (sw_str)SW__LIT("\0\xff\0"));
    put_segment(rig, 2, 3, 1, (sw_str){NULL, 0});
    assert_int_equal(ops->segment_last(rig->store, &found, &rig->err), SW_OK);
    assert_int_equal(found.segment_no, 2);
    assert_int_equal(found.entry_first, 3);
    assert_int_equal(found.entry_count, 1);
    assert_int_equal(found.time_us, 20);
    assert_int_equal(found.hash[31], 2);
    assert_int_equal(found.previous[0], 1);
    assert_null(found.body.ptr);
    assert_int_equal(ops->segment_get(rig->store, 1, rig->arena, &found, &rig->err), SW_OK);
    assert_int_equal(found.body.len, 3);
    assert_memory_equal(found.body.ptr, "\0\xff\0", 3);
    sw__segment again = found;
    assert_int_equal(ops->segment_put(rig->store, &again, &rig->err), SW_ECONFLICT);
    store_rollback(rig);
}

typedef struct early_end {
    int left;
    int answer;
} early_end;

static int end_early(void *context, const sw__segment *segment, sw_error *err)
{
    early_end *end = context;
    (void)segment;
    (void)err;
    return --end->left > 0 ? 0 : end->answer;
}

static void test_segment_walk_ends_early(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    for (int64_t no = 1; no <= 5; no++)
        put_segment(rig, no, no, 1, (sw_str)SW__LIT("x"));
    early_end stop = {.left = 3, .answer = 1};
    assert_int_equal(ops->segments_each(rig->store, 1, end_early, &stop, &rig->err), SW_OK);
    assert_int_equal(stop.left, 0);
    early_end fail = {.left = 2, .answer = SW_EAUDIT};
    assert_int_equal(ops->segments_each(rig->store, 1, end_early, &fail, &rig->err), SW_EAUDIT);
    assert_int_equal(fail.left, 0);
    store_commit(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_anchor_is_absent_then_replaced),
        STORE_TEST(test_sequences_start_and_never_repeat),
        STORE_TEST(test_sequences_end),
        STORE_TEST(test_newest_workflow_is_the_last_registered),
        STORE_TEST(test_known_digest_is_renewed),
        STORE_TEST(test_workflow_numbers_are_unique),
        STORE_TEST(test_lanes_are_listed_above_a_number),
        STORE_TEST(test_lanes_are_unique),
        STORE_TEST(test_lanes_differ_by_their_breaker),
        STORE_TEST(test_breakers_are_replaced_by_number),
        STORE_TEST(test_workers_come_renew_and_go),
        STORE_TEST(test_worker_is_entered_again),
        STORE_TEST(test_segments_are_walked_from_an_entry),
        STORE_TEST(test_segment_walk_crosses_gaps),
        STORE_TEST(test_segments_keep_their_bytes),
        STORE_TEST(test_segment_walk_ends_early),
    };
    return cmocka_run_group_tests_name("store_rows", tests, NULL, NULL);
}
