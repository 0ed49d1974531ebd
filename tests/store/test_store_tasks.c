/* Tests of tasks: rows, what is written once, idempotency keys, lists and counts, on every store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "helper/store_rig.h"

static void test_missing_tasks_are_told(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, "1", 0);
    const int64_t task_nos[] = {task_no - 1, task_no, task_no + 1};
    const sw_uuid ids[] = {store_uuid(task_no + 1), store_uuid(task_no)};
    sw__task_hot rows[3];
    sw__task_info infos[3];
    int64_t found[2] = {-1, -1};
    assert_int_equal(ops->tasks_get(rig->store, task_nos, 3, rows, &rig->err), SW_OK);
    assert_int_equal(rows[0].task_no, 0);
    assert_int_equal(rows[1].task_no, task_no);
    assert_int_equal(rows[2].task_no, 0);
    assert_int_equal(ops->tasks_info(rig->store, task_nos, 3, rig->arena, infos, &rig->err), SW_OK);
    assert_int_equal(infos[0].task_no, 0);
    assert_int_equal(infos[1].task_no, task_no);
    assert_int_equal(infos[2].task_no, 0);
    assert_int_equal(ops->tasks_find(rig->store, ids, 2, found, &rig->err), SW_OK);
    assert_int_equal(found[0], 0);
    assert_int_equal(found[1], task_no);
    assert_int_equal(ops->tasks_update(rig->store, rows, 1, &rig->err), SW_ENOTFOUND);
    assert_int_equal(rig->err.row, 0);
    rows[0] = rows[1];
    assert_int_equal(ops->tasks_update(rig->store, rows, 3, &rig->err), SW_ENOTFOUND);
    assert_int_equal(rig->err.row, 2);
    store_rollback(rig);
}

/* Side by side and apart, some of them not there; falling, and twice each. */
static void test_what_is_said_of_tasks_is_found_whatever_lies_between(void **state)
{
    store_rig *rig = *state;
    const int64_t known[] = {2, 3, 4, 6, 7, 10};
    const int64_t asked[] = {1,  2,  3,  4, 5, 6, 7, 8,         9,
                             10, 10, 10, 7, 6, 4, 2, INT64_MAX, INT64_MIN};
    const size_t count = sizeof(asked) / sizeof(asked[0]);
    sw__task_info found[sizeof(asked) / sizeof(asked[0])];
    store_begin(rig, true);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const sw__task_info info = {.task_no = known[i], .input = SW__LIT("7")};
        const sw__task_hot task = {.task_no = known[i], .task_id = store_uuid(known[i])};
        assert_int_equal(rig->store->ops->tasks_insert(rig->store, &task, &info, 1, &rig->err),
                         SW_OK);
    }
    memset(found, 0xff, sizeof(found));
    assert_int_equal(
        rig->store->ops->tasks_info(rig->store, asked, count, rig->arena, found, &rig->err), SW_OK);
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++)
            there = there || known[j] == asked[i];
        assert_int_equal(found[i].task_no, there ? asked[i] : 0);
        assert_int_equal(found[i].input.ptr != NULL, there);
    }
    store_commit(rig);
}

static void test_empty_batches_change_nothing(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    assert_int_equal(ops->workflows_put(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->lanes_put(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->tasks_insert(rig->store, NULL, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->tasks_get(rig->store, NULL, 0, NULL, &rig->err), SW_OK);
    assert_int_equal(ops->tasks_update(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->tasks_info(rig->store, NULL, 0, rig->arena, NULL, &rig->err), SW_OK);
    assert_int_equal(ops->tasks_find(rig->store, NULL, 0, NULL, &rig->err), SW_OK);
    assert_int_equal(ops->task_keys_put(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->task_keys_find(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->steps_insert(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->steps_get(rig->store, NULL, 0, NULL, &rig->err), SW_OK);
    assert_int_equal(ops->steps_update(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->results_put(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->results_get(rig->store, NULL, 0, rig->arena, NULL, &rig->err), SW_OK);
    assert_int_equal(ops->failures_put(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->failures_get(rig->store, NULL, 0, rig->arena, NULL, &rig->err), SW_OK);
    assert_int_equal(ops->deadlines_put(rig->store, NULL, 0, &rig->err), SW_OK);
    assert_int_equal(ops->deadlines_get(rig->store, NULL, 0, NULL, &rig->err), SW_OK);
    store_commit(rig);
    sw__buf after = store_dump(rig);
    assert_string_equal((char *)before.ptr, (char *)after.ptr);
    sw__buf_free(&before);
    sw__buf_free(&after);
}

static sw__task_hot extreme_task(int64_t task_no, int64_t wide, int32_t narrow)
{
    sw__task_hot row = {
        .task_no = task_no,
        .workflow_no = wide,
        .task_id = store_uuid(task_no),
        .state = narrow,
        .priority = narrow,
        .fatal = narrow,
        .audit_segment = wide,
        .created_us = wide,
        .started_us = wide,
        .changed_us = wide,
        .deadline_us = wide,
    };
    for (int i = 0; i < SW_STEP_STATE_COUNT; i++)
        row.counts[i] = i % 2 ? narrow : ~narrow;
    return row;
}

static void assert_task_equal(store_rig *rig, const sw__task_hot *expected)
{
    sw__task_hot found = store_task(rig, expected->task_no);
    assert_int_equal(found.task_no, expected->task_no);
    assert_int_equal(found.workflow_no, expected->workflow_no);
    assert_memory_equal(&found.task_id, &expected->task_id, sizeof(found.task_id));
    assert_int_equal(found.state, expected->state);
    assert_int_equal(found.priority, expected->priority);
    assert_int_equal(found.fatal, expected->fatal);
    assert_memory_equal(found.counts, expected->counts, sizeof(found.counts));
    assert_int_equal(found.audit_segment, expected->audit_segment);
    assert_int_equal(found.created_us, expected->created_us);
    assert_int_equal(found.started_us, expected->started_us);
    assert_int_equal(found.changed_us, expected->changed_us);
}

static void test_extreme_numbers_come_back(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const sw__task_info infos[] = {{.task_no = 1}, {.task_no = INT64_MAX >> SW__STEP_BITS}};
    sw__task_hot rows[] = {extreme_task(1, INT64_MIN, INT32_MIN),
                           extreme_task(infos[1].task_no, INT64_MAX, INT32_MAX)};
    store_begin(rig, true);
    assert_int_equal(ops->tasks_insert(rig->store, rows, infos, 2, &rig->err), SW_OK);
    assert_task_equal(rig, &rows[0]);
    assert_task_equal(rig, &rows[1]);
    sw__task_hot changed = extreme_task(1, INT64_MAX, INT32_MAX);
    changed.task_id = store_uuid(77);
    assert_int_equal(ops->tasks_update(rig->store, &changed, 1, &rig->err), SW_OK);
    changed.task_id = rows[0].task_id;
    changed.created_us = rows[0].created_us;
    assert_task_equal(rig, &changed);
    store_commit(rig);
}

static void assert_text(sw_str found, sw_str expected)
{
    assert_int_equal(found.len, expected.len);
    assert_int_equal(!found.ptr, !expected.ptr);
    if (expected.len > 0)
        assert_memory_equal(found.ptr, expected.ptr, expected.len);
}

static void test_texts_come_back_byte_for_byte(void **state)
{
    store_rig *rig = *state;
    sw__task_hot hot = {.task_no = 1, .task_id = store_uuid(1)};
    sw__task_info info = {
        .task_no = 1,
        .input = SW__LIT("\0{\"\xff\"}\0"),
        .key = SW__LIT(""),
        .initiator = {NULL, 0},
        .reason = SW__LIT("it's \"so\"; -- \\"),
        .correlation_id = SW__LIT("\xc3\xa9\xf0\x9f\x90\x98"),
        .tags = SW__LIT("[\"a\"]"),
    };
    sw__task_info found;
    memset(info.input_salt, 0xee, sizeof(info.input_salt));
    store_begin(rig, true);
    assert_int_equal(rig->store->ops->tasks_insert(rig->store, &hot, &info, 1, &rig->err), SW_OK);
    assert_int_equal(
        rig->store->ops->tasks_info(rig->store, &info.task_no, 1, rig->arena, &found, &rig->err),
        SW_OK);
    assert_text(found.input, info.input);
    assert_text(found.key, info.key);
    assert_text(found.initiator, info.initiator);
    assert_text(found.reason, info.reason);
    assert_text(found.correlation_id, info.correlation_id);
    assert_text(found.tags, info.tags);
    assert_memory_equal(found.input_salt, info.input_salt, sizeof(info.input_salt));
    store_commit(rig);
}

static void test_task_numbers_and_identifiers_are_unique(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, "1", 0);
    store_commit(rig);
    const sw__task_info infos[] = {{.task_no = 50}, {.task_no = 51}};
    sw__task_hot rows[] = {{.task_no = 50, .task_id = store_uuid(50)},
                           {.task_no = 51, .task_id = store_uuid(task_no)}};
    store_begin(rig, true);
    assert_int_equal(ops->tasks_insert(rig->store, rows, infos, 2, &rig->err), SW_ECONFLICT);
    assert_int_equal(rig->err.row, 1);
    store_rollback(rig);
    rows[0].task_no = task_no;
    store_begin(rig, true);
    assert_int_equal(ops->tasks_insert(rig->store, rows, infos, 1, &rig->err), SW_ECONFLICT);
    store_rollback(rig);
}

static void test_keys_name_their_newest_task(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const sw__task_key puts[] = {
        {.scope = SW__LIT("order\0a"), .task_no = 1, .input_digest = {1}},
        {.scope = SW__LIT("order\0b"), .task_no = 2, .input_digest = {2}},
        {.scope = SW__LIT("order\0a"), .task_no = 3, .input_digest = {3}},
    };
    sw__task_key finds[] = {
        {.scope = SW__LIT("order\0a"), .task_no = 9},
        {.scope = SW__LIT("order"), .task_no = 9, .input_digest = {9}},
        {.scope = SW__LIT("order\0b"), .task_no = 9},
        {.scope = SW__LIT("order\0A"), .task_no = 9},
    };
    store_begin(rig, true);
    assert_int_equal(ops->task_keys_put(rig->store, puts, 3, &rig->err), SW_OK);
    assert_int_equal(ops->task_keys_find(rig->store, finds, 4, &rig->err), SW_OK);
    assert_int_equal(finds[0].task_no, 3);
    assert_int_equal(finds[0].input_digest[0], 3);
    assert_int_equal(finds[0].scope.len, 7);
    assert_int_equal(finds[1].task_no, 0);
    assert_int_equal(finds[1].input_digest[0], 0);
    assert_int_equal(finds[2].task_no, 2);
    assert_int_equal(finds[3].task_no, 0);
    store_commit(rig);
}

/* Tasks 1 to 6 of two workflows in several states, some tagged, some correlated. */
static void add_mixed_tasks(store_rig *rig)
{
    static const struct {
        int64_t workflow_no;
        int32_t state;
        sw_str tags;
        sw_str correlation_id;
    } mixed[] = {
        {1, SW_TASK_PENDING, {NULL, 0}, {NULL, 0}},
        {1, SW_TASK_RUNNING, SW__LIT("[\"red\"]"), SW__LIT("r-1")},
        {2, SW_TASK_RUNNING, SW__LIT("[\"blue\",\"red\"]"), SW__LIT("r-1")},
        {2, SW_TASK_FAILED, SW__LIT("[\"a\\\"\",\"b,\",\",c\",\"%\"]"), SW__LIT("r-2")},
        {1, SW_TASK_RUNNING, SW__LIT("[\"redder\",\"re_\"]"), SW__LIT("")},
        {2, SW_TASK_SUCCEEDED, SW__LIT("[\"\"]"), SW__LIT("r-1")},
    };
    store_add_workflow(rig, "order", "", 1);
    store_add_workflow(rig, "refund", "", 2);
    for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++) {
        int64_t task_no = store_take(rig, SW__SEQUENCE_TASK);
        sw__task_hot hot = {.task_no = task_no,
                            .task_id = store_uuid(task_no),
                            .workflow_no = mixed[i].workflow_no,
                            .state = mixed[i].state};
        sw__task_info info = {
            .task_no = task_no, .tags = mixed[i].tags, .correlation_id = mixed[i].correlation_id};
        assert_int_equal(rig->store->ops->tasks_insert(rig->store, &hot, &info, 1, &rig->err),
                         SW_OK);
    }
}

/* Both the list and the counts of a filter. */
static void assert_listed_between(store_rig *rig, const sw_task_filter *filter,
                                  sw__task_range range, const char *expected)
{
    const sw__store_ops *ops = rig->store->ops;
    sw__task_hot *rows = NULL;
    size_t count = 0;
    int64_t counts[SW_TASK_STATE_COUNT];
    int64_t sum = 0;
    assert_int_equal(
        ops->tasks_list(rig->store, filter, range, rig->arena, &rows, &count, &rig->err), SW_OK);
    sw_str line = {"", 0};
    for (size_t i = 0; i < count; i++)
        line = sw__arena_format(rig->arena, "%.*s%lld ", SW__FMT(line), (long long)rows[i].task_no);
    assert_string_equal(line.ptr, expected);
    if (filter->limit > 0)
        return;
    assert_int_equal(ops->tasks_count(rig->store, filter, range, counts, &rig->err), SW_OK);
    for (int i = 0; i < SW_TASK_STATE_COUNT; i++) {
        sum += counts[i];
        if (filter->state >= 0 && filter->state != i)
            assert_int_equal(counts[i], 0);
    }
    assert_int_equal(sum, count);
}

static void assert_listed(store_rig *rig, const sw_task_filter *filter, int64_t below,
                          const char *expected)
{
    assert_listed_between(rig, filter, (sw__task_range){.below = below}, expected);
}

static void test_lists_obey_every_filter(void **state)
{
    store_rig *rig = *state;
    const sw_task_filter any = SW_TASK_FILTER_INIT;
    sw_task_filter filter = any;
    store_begin(rig, true);
    assert_listed(rig, &any, 0, "");
    add_mixed_tasks(rig);
    assert_listed(rig, &any, 0, "6 5 4 3 2 1 ");
    filter.state = SW_TASK_RUNNING;
    assert_listed(rig, &filter, 0, "5 3 2 ");
    assert_listed_between(rig, &filter, (sw__task_range){.above = 2, .below = 5}, "3 ");
    assert_listed_between(rig, &any, (sw__task_range){.above = 2, .below = 5}, "4 3 ");
    assert_listed_between(rig, &any, (sw__task_range){.above = 5, .below = 0}, "6 ");
    assert_listed_between(rig, &any, (sw__task_range){.above = 3, .below = 4}, "");
    assert_listed_between(rig, &any, (sw__task_range){.above = 4, .below = 2}, "");
    assert_listed_between(rig, &any, (sw__task_range){.above = 99, .below = 0}, "");
    filter.workflow = (sw_str)SW__LIT("refund");
    assert_listed(rig, &filter, 0, "3 ");
    filter = any;
    filter.workflow = (sw_str)SW__LIT("unknown");
    assert_listed(rig, &filter, 0, "");
    filter.workflow = (sw_str)SW__LIT("");
    assert_listed(rig, &filter, 0, "");
    filter = any;
    filter.correlation_id = (sw_str)SW__LIT("r-1");
    assert_listed(rig, &filter, 0, "6 3 2 ");
    assert_listed_between(rig, &filter, (sw__task_range){.above = 2, .below = 6}, "3 ");
    filter.state = SW_TASK_RUNNING;
    assert_listed(rig, &filter, 0, "3 2 ");
    filter.tag = (sw_str)SW__LIT("blue");
    filter.workflow = (sw_str)SW__LIT("refund");
    assert_listed(rig, &filter, 0, "3 ");
    filter = any;
    filter.correlation_id = (sw_str)SW__LIT("");
    assert_listed(rig, &filter, 0, "5 ");
    store_commit(rig);
}

static void test_tags_match_whole_and_nothing_else(void **state)
{
    static const struct {
        sw_str tag;
        const char *expected;
    } cases[] = {
        {SW__LIT("red"), "3 2 "}, {SW__LIT("re"), ""},    {SW__LIT("re_"), "5 "},
        {SW__LIT("re%"), ""},     {SW__LIT("%"), "4 "},   {SW__LIT("a\""), "4 "},
        {SW__LIT(","), ""},       {SW__LIT(",c"), "4 "},  {SW__LIT("a"), ""},
        {SW__LIT(""), "6 "},      {SW__LIT("a\\\""), ""}, {SW__LIT("\",\""), ""},
    };
    store_rig *rig = *state;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    store_begin(rig, true);
    add_mixed_tasks(rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        filter.tag = cases[i].tag;
        assert_listed(rig, &filter, 0, cases[i].expected);
    }
    store_commit(rig);
}

static void test_lists_come_in_pages(void **state)
{
    store_rig *rig = *state;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    store_begin(rig, true);
    add_mixed_tasks(rig);
    filter.limit = 2;
    assert_listed(rig, &filter, 0, "6 5 ");
    assert_listed(rig, &filter, 5, "4 3 ");
    assert_listed(rig, &filter, 2, "1 ");
    assert_listed(rig, &filter, 1, "");
    assert_listed(rig, &filter, INT64_MAX, "6 5 ");
    filter.correlation_id = (sw_str)SW__LIT("r-1");
    assert_listed(rig, &filter, 0, "6 3 ");
    assert_listed(rig, &filter, 3, "2 ");
    store_commit(rig);
}

static void test_lists_are_limited(void **state)
{
    store_rig *rig = *state;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_hot *rows = NULL;
    size_t count = 0;
    store_begin(rig, true);
    for (int i = 0; i < 10001; i++)
        store_add_task(rig, NULL, 0);
    static const int64_t limits[][2] = {{0, 100},          {-1, 100},      {1, 1},
                                        {9999, 9999},      {10000, 10000}, {10001, 10000},
                                        {INT64_MAX, 10000}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        filter.limit = limits[i][0];
        assert_int_equal(rig->store->ops->tasks_list(rig->store, &filter, (sw__task_range){0},
                                                     rig->arena, &rows, &count, &rig->err),
                         SW_OK);
        assert_int_equal(count, limits[i][1]);
    }
    store_rollback(rig);
}

/* A task that is taken out takes its key with it, unless the key names another one by now. */
static void test_deleted_tasks_take_their_keys(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const sw_str scope = SW__LIT("w\0k");
    sw__task_key key = {.scope = scope};
    store_begin(rig, true);
    int64_t workflow_no = store_add_workflow(rig, "w", "1", 1);
    for (int64_t task_no = 101; task_no <= 103; task_no++) {
        sw__task_info info = {
            .task_no = task_no, .key = SW__LIT("k"), .tags = SW__LIT("[\"t\",\"t\",\"u\"]")};
        sw__task_hot hot = {
            .task_no = task_no, .task_id = store_uuid(task_no), .workflow_no = workflow_no};
        key.task_no = task_no;
        assert_int_equal(ops->tasks_insert(rig->store, &hot, &info, 1, &rig->err), SW_OK);
        if (task_no < 103)
            assert_int_equal(ops->task_keys_put(rig->store, &key, 1, &rig->err), SW_OK);
    }
    const int64_t others[] = {101, 103};
    assert_int_equal(ops->tasks_delete(rig->store, others, 2, &rig->err), SW_OK);
    assert_int_equal(ops->task_keys_find(rig->store, &key, 1, &rig->err), SW_OK);
    assert_int_equal(key.task_no, 102);
    assert_int_equal(ops->tasks_delete(rig->store, &key.task_no, 1, &rig->err), SW_OK);
    assert_int_equal(ops->task_keys_find(rig->store, &key, 1, &rig->err), SW_OK);
    assert_int_equal(key.task_no, 0);
    assert_int_equal(ops->tasks_delete(rig->store, others, 1, &rig->err), SW_ENOTFOUND);
    assert_int_equal(rig->err.row, 0);
    store_rollback(rig);
}

/* Everything of a deleted task is back after a rollback, its steps in their lines. */
static void test_deleting_is_undone(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    bool left = true;
    bool found = false;
    store_begin(rig, true);
    int64_t task_no = store_add_task(rig, "1", 5);
    store_queue(rig, SW__STEP_ID(task_no, 2), 3, 7);
    store_commit(rig);
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    assert_int_equal(ops->tasks_delete(rig->store, &task_no, 1, &rig->err), SW_OK);
    assert_int_equal(store_task(rig, task_no).task_no, 0);
    while (left)
        assert_int_equal(ops->rests_delete(rig->store, 2, &left, &rig->err), SW_OK);
    assert_int_equal(ops->rest_find(rig->store, task_no, &found, &rig->err), SW_OK);
    assert_false(found);
    assert_int_equal(store_step(rig, SW__STEP_ID(task_no, 2)).step_id, -1);
    store_rollback(rig);
    sw__buf after = store_dump(rig);
    assert_string_equal((char *)before.ptr, (char *)after.ptr);
    sw__buf_free(&before);
    sw__buf_free(&after);
}

/* Pages in both directions, over several workflows and states, are the list in one piece. */
static void test_lists_page_in_both_directions(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    store_begin(rig, true);
    for (int64_t i = 1; i <= 3; i++)
        store_add_workflow(rig, i == 3 ? "other" : "w", i == 1 ? "1" : "2", i);
    for (int64_t task_no = 1; task_no <= 60; task_no++) {
        sw__task_info info = {.task_no = task_no};
        sw__task_hot hot = {.task_no = task_no,
                            .task_id = store_uuid(task_no),
                            .workflow_no = 1 + task_no % 3,
                            .state = (int32_t)(task_no % 5)};
        assert_int_equal(ops->tasks_insert(rig->store, &hot, &info, 1, &rig->err), SW_OK);
    }
    filter.workflow = (sw_str)SW__LIT("w");
    filter.limit = 7;
    for (int rising = 0; rising <= 1; rising++) {
        sw__task_range range = {.rising = rising};
        size_t count = 0;
        int64_t expected = rising ? 1 : 60;
        do {
            sw__task_hot *rows = NULL;
            assert_int_equal(
                ops->tasks_list(rig->store, &filter, range, rig->arena, &rows, &count, &rig->err),
                SW_OK);
            for (size_t i = 0; i < count; i++, expected += rising ? 1 : -1) {
                expected += expected % 3 == 2 ? (rising ? 1 : -1) : 0;
                assert_int_equal(rows[i].task_no, expected);
            }
            int64_t *end = rising ? &range.above : &range.below;
            *end = count ? rows[count - 1].task_no : 0;
        } while (count > 0);
        assert_int_equal(expected, rising ? 61 : 0);
    }
    store_rollback(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_missing_tasks_are_told),
        STORE_TEST(test_what_is_said_of_tasks_is_found_whatever_lies_between),
        STORE_TEST(test_empty_batches_change_nothing),
        STORE_TEST(test_extreme_numbers_come_back),
        STORE_TEST(test_texts_come_back_byte_for_byte),
        STORE_TEST(test_task_numbers_and_identifiers_are_unique),
        STORE_TEST(test_keys_name_their_newest_task),
        STORE_TEST(test_lists_obey_every_filter),
        STORE_TEST(test_tags_match_whole_and_nothing_else),
        STORE_TEST(test_lists_come_in_pages),
        STORE_TEST(test_lists_are_limited),
        STORE_TEST(test_deleted_tasks_take_their_keys),
        STORE_TEST(test_deleting_is_undone),
        STORE_TEST(test_lists_page_in_both_directions),
    };
    return cmocka_run_group_tests_name("store_tasks", tests, NULL, NULL);
}
