/* The parent of a task: its tag, what is refused, lists and counts by it on both stores, and what
 * is left when the parent is pruned or memory gives out. Not here: lists by other filters
 * (test_engine_submit.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "helper/live.h"
#include "helper/rig.h"

#define WORKFLOW "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}"
#define LIT(text) ((sw_str){(text), sizeof(text) - 1})
#define TAG_SIZE (sizeof(SW_PARENT_TAG) + 36)

static void on_both(void (*body)(rig *r))
{
    rig r;
    char path[64];
    char store[96];
    rig_open(&r, "memory:", WORKFLOW);
    body(&r);
    rig_verify(&r);
    rig_close(&r);
    live_directory_make_fast(path);
    snprintf(store, sizeof(store), "%s/p.db", path);
    rig_open(&r, store, WORKFLOW);
    body(&r);
    rig_verify(&r);
    rig_close(&r);
    live_directory_remove(path);
}

static int submit(rig *r, const sw_task_submit_row *rows, size_t count, sw_uuid *ids)
{
    size_t found = 0;
    sw_result *result = NULL;
    int rc = sw_task_submit(r->engine, rows, count, &result, &r->error);
    const sw_task_submitted *submitted = sw_task_submissions(result, &found);
    assert_int_equal(found, rc == 0 ? count : 0);
    for (size_t i = 0; i < found; i++)
        ids[i] = submitted[i].task_id;
    sw_result_free(result);
    return rc;
}

static sw_uuid child(rig *r, const sw_uuid *parent, const sw_str *tags, size_t count)
{
    sw_uuid id;
    sw_task_submit_row row = {
        .workflow = LIT("w"), .parent_id = *parent, .tags = tags, .tag_count = count};
    assert_int_equal(submit(r, &row, 1, &id), 0);
    return id;
}

static sw_str tag_of(const sw_uuid *id, char text[TAG_SIZE])
{
    memcpy(text, SW_PARENT_TAG, sizeof(SW_PARENT_TAG));
    sw_uuid_format(id, text + sizeof(SW_PARENT_TAG) - 1);
    return (sw_str){text, TAG_SIZE - 1};
}

static int64_t total(rig *r, const sw_task_filter *filter)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    int64_t sum = 0;
    assert_int_equal(sw_task_count(r->engine, filter, counts, &r->error), 0);
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
        sum += counts[state];
    return sum;
}

/* What a filter lists are these tasks, in this order, and each knows its parent; their count is
 * that of sw_task_count. */
static void assert_lists(rig *r, const sw_task_filter *filter, const sw_uuid *ids, size_t expected)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_task_list(r->engine, filter, &result, &r->error), 0);
    const sw_task_row *rows = sw_tasks(result, &count);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(&rows[i].task_id, &ids[i], sizeof(*ids));
        assert_memory_equal(&rows[i].parent_id, &filter->parent_id, sizeof(*ids));
    }
    sw_result_free(result);
    if (filter->limit == 0)
        assert_int_equal(total(r, filter), expected);
}

static void assert_children(rig *r, const sw_uuid *parent, const sw_uuid *ids, size_t expected)
{
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.parent_id = *parent;
    assert_lists(r, &filter, ids, expected);
}

/* Field and tag say the same; the tag stands behind the others, once. */
static void a_parent_is_a_tag(rig *r)
{
    char text[TAG_SIZE];
    size_t count = 0;
    sw_result *result = NULL;
    const sw_uuid parent = rig_submit(r), none = {{0}};
    const sw_str tags[] = {LIT("red"), tag_of(&parent, text)};
    const sw_uuid by_field = child(r, &parent, tags, 1);
    const sw_uuid by_tag = child(r, &none, tags, 2);
    const sw_uuid by_both = child(r, &parent, tags, 2);
    const sw_uuid ids[] = {by_both, by_tag, by_field};
    assert_children(r, &parent, ids, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sw_task_get(r->engine, &ids[i], &result, &r->error), 0);
        const sw_task_row *row = sw_tasks(result, &count);
        assert_int_equal(row->tag_count, 2);
        assert_memory_equal(row->tags[0].ptr, "red", 3);
        assert_int_equal(row->tags[1].len, TAG_SIZE - 1);
        assert_memory_equal(row->tags[1].ptr, text, TAG_SIZE - 1);
        assert_memory_equal(&row->parent_id, &parent, sizeof(parent));
        sw_result_free(result);
    }
    assert_int_equal(sw_task_get(r->engine, &parent, &result, &r->error), 0);
    assert_memory_equal(&sw_tasks(result, &count)->parent_id, &none, sizeof(none));
    sw_result_free(result);
}

static void test_a_parent_is_a_tag(void **state)
{
    (void)state;
    on_both(a_parent_is_a_tag);
}

static void lists_by_parent(rig *r)
{
    const sw_str red = LIT("red"), blue = LIT("blue");
    const sw_uuid parent = rig_submit(r), other = rig_submit(r);
    const sw_uuid first = child(r, &parent, &red, 1);
    const sw_uuid strange = child(r, &other, &red, 1);
    const sw_uuid second = child(r, &parent, &blue, 1);
    const sw_uuid third = child(r, &parent, &red, 1);
    const sw_uuid grandchild = child(r, &first, &red, 1);
    const sw_uuid all[] = {third, second, first}, reds[] = {third, first};
    assert_children(r, &parent, all, 3);
    assert_children(r, &other, &strange, 1);
    assert_children(r, &first, &grandchild, 1);
    assert_children(r, &grandchild, NULL, 0);
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.parent_id = parent;
    filter.tag = red;
    assert_lists(r, &filter, reds, 2);
    filter.state = SW_TASK_RUNNING;
    assert_lists(r, &filter, NULL, 0);
    filter.state = SW_TASK_PENDING;
    filter.workflow = LIT("w");
    assert_lists(r, &filter, reds, 2);
    filter.workflow = LIT("v");
    assert_lists(r, &filter, NULL, 0);
}

static void test_lists_by_parent(void **state)
{
    (void)state;
    on_both(lists_by_parent);
}

static void lists_by_parent_and_correlation(rig *r)
{
    sw_uuid ids[3];
    char text[TAG_SIZE];
    const sw_uuid parent = rig_submit(r), other = rig_submit(r);
    const sw_str red = LIT("red"), also = tag_of(&other, text);
    sw_task_submit_row rows[3];
    for (size_t i = 0; i < 3; i++)
        rows[i] = (sw_task_submit_row){.workflow = LIT("w"),
                                       .correlation_id = LIT("c"),
                                       .tags = &red,
                                       .tag_count = 1,
                                       .parent_id = parent};
    rows[1].parent_id = other;
    rows[2].tag_count = 0;
    assert_int_equal(submit(r, rows, 3, ids), 0);
    const sw_uuid both[] = {ids[2], ids[0]};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.correlation_id = LIT("c");
    filter.parent_id = parent;
    assert_lists(r, &filter, both, 2);
    filter.tag = red;
    assert_lists(r, &filter, ids, 1);
    filter.tag = also; /* nobody has two parents */
    assert_lists(r, &filter, NULL, 0);
    filter.correlation_id = LIT("d");
    assert_lists(r, &filter, NULL, 0);
}

static void test_lists_by_parent_and_correlation(void **state)
{
    (void)state;
    on_both(lists_by_parent_and_correlation);
}

static void lists_in_pages(rig *r)
{
    sw_uuid ids[7];
    const sw_uuid parent = rig_submit(r);
    for (size_t i = 0; i < 7; i++) {
        ids[6 - i] = child(r, &parent, NULL, 0);
        rig_submit(r);
    }
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.parent_id = parent;
    filter.limit = 3;
    assert_lists(r, &filter, ids, 3);
    filter.before = ids[2];
    assert_lists(r, &filter, ids + 3, 3);
    filter.before = ids[5];
    assert_lists(r, &filter, ids + 6, 1);
    filter.before = ids[6];
    assert_lists(r, &filter, NULL, 0);
}

static void test_lists_in_pages(void **state)
{
    (void)state;
    on_both(lists_in_pages);
}

/* A batch with one bad row is refused whole, with the number of the row. */
static void assert_refused(rig *r, sw_task_submit_row bad, int code, const char *message)
{
    sw_uuid ids[2];
    sw_task_filter any = SW_TASK_FILTER_INIT;
    int64_t before = total(r, &any);
    bad.workflow = LIT("w");
    const sw_task_submit_row rows[] = {{.workflow = LIT("w")}, bad};
    assert_string_equal(sw_code_name(submit(r, rows, 2, ids)), sw_code_name(code));
    assert_int_equal(r->error.row, 1);
    if (!strstr(r->error.message, message))
        fail_msg("%s", r->error.message);
    assert_int_equal(total(r, &any), before);
}

static void refuses(rig *r)
{
    char text[TAG_SIZE], other_text[TAG_SIZE], great[TAG_SIZE];
    const sw_uuid parent = rig_submit(r), other = rig_submit(r);
    const sw_uuid unknown = {{1, 2, 3}}, none = {{0}};
    const sw_str two[] = {tag_of(&parent, text), tag_of(&other, other_text)};
    const sw_str words = LIT("parent:"), no_id = LIT("parent:order-7");
    char zero_text[TAG_SIZE], lost_text[TAG_SIZE];
    const sw_str zero = tag_of(&none, zero_text), lost = tag_of(&unknown, lost_text);
    sw_str tags[64], shout = {great, TAG_SIZE - 1};
    memcpy(great, text, sizeof(great));
    great[TAG_SIZE - 2] = 'A';
    assert_refused(r, (sw_task_submit_row){.parent_id = unknown}, SW_ENOTFOUND,
                   "there is no task 01020300-0000-0000-0000-000000000000 to be the parent");
    const struct {
        sw_str tag;
        int code;
    } bad[] = {{words, SW_EINVAL},
               {no_id, SW_EINVAL},
               {zero, SW_EINVAL},
               {shout, SW_EINVAL},
               {lost, SW_ENOTFOUND}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(r, (sw_task_submit_row){.tags = &bad[i].tag, .tag_count = 1}, bad[i].code,
                       i < 4 ? "must name a task by its id" : "to be the parent");
    assert_refused(r, (sw_task_submit_row){.tags = two, .tag_count = 2}, SW_EINVAL, "two parents");
    assert_refused(r, (sw_task_submit_row){.tags = two, .tag_count = 1, .parent_id = other},
                   SW_EINVAL, "two parents");
    for (size_t i = 0; i < 64; i++)
        tags[i] = LIT("red");
    assert_refused(r, (sw_task_submit_row){.tags = tags, .tag_count = 64, .parent_id = parent},
                   SW_ELIMIT, "its parent is one of them");
    tags[7] = two[0];
    child(r, &parent, tags, 64);
    child(r, &other, tags + 8, 56);
}

static void test_refused(void **state)
{
    (void)state;
    on_both(refuses);
}

static int cancel(rig *r, const sw_uuid *task)
{
    sw_cancel_row row = {.task_id = *task};
    return sw_task_cancel(r->engine, &row, 1, &r->error);
}

/* A parent may have ended; a child goes its own way, and remembers a parent that was pruned. */
static void ends_apart_from_its_parent(rig *r)
{
    sw_uuid answer;
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    const sw_uuid parent = rig_submit(r);
    sw_task_submit_row row = {.workflow = LIT("w"), .key = LIT("k"), .parent_id = parent};
    const sw_uuid early = child(r, &parent, NULL, 0);
    assert_int_equal(cancel(r, &parent), 0);
    assert_int_equal(rig_task_state(r, &early), SW_TASK_PENDING);
    sw_uuid late;
    assert_int_equal(submit(r, &row, 1, &late), 0);
    const sw_uuid ids[] = {late, early};
    options.finished_before_us = INT64_MAX;
    assert_int_equal(sw_task_prune(r->engine, &options, &report, &r->error), 0);
    assert_int_equal(report.task_count, 1);
    assert_children(r, &parent, ids, 2);
    assert_refused(r, (sw_task_submit_row){.parent_id = parent}, SW_ENOTFOUND, "to be the parent");
    assert_int_equal(submit(r, &row, 1, &answer), 0); /* nothing is started: the key is known */
    assert_memory_equal(&answer, &late, sizeof(late));
}

static void test_ends_apart_from_its_parent(void **state)
{
    (void)state;
    on_both(ends_apart_from_its_parent);
}

/* Memory gives out in a submit with a parent, and in a list and a count by it. */
static void out_of_memory(rig *r)
{
    const sw_str red = LIT("red");
    const sw_uuid parent = rig_submit(r);
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_task_submit_row row = {
        .workflow = LIT("w"), .parent_id = parent, .tags = &red, .tag_count = 1};
    filter.parent_id = parent;
    filter.tag = red;
    int rc = SW_ENOMEM;
    sw_uuid id;
    for (size_t nth = 1; rc == SW_ENOMEM; nth++) {
        fault_env_arm(&r->fault, nth, false);
        rc = submit(r, &row, 1, &id);
        fault_env_arm(&r->fault, 0, false);
        assert_int_equal(total(r, &filter), rc == SW_OK);
    }
    assert_int_equal(rc, SW_OK);
    rc = SW_ENOMEM;
    for (size_t nth = 1; rc == SW_ENOMEM; nth++) {
        sw_result *result = NULL;
        int64_t counts[SW_TASK_STATE_COUNT];
        fault_env_arm(&r->fault, nth, false);
        rc = sw_task_list(r->engine, &filter, &result, &r->error);
        sw_result_free(result);
        if (rc == SW_OK)
            rc = sw_task_count(r->engine, &filter, counts, &r->error);
        fault_env_arm(&r->fault, 0, false);
    }
    assert_int_equal(rc, SW_OK);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    on_both(out_of_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_parent_is_a_tag),
        cmocka_unit_test(test_lists_by_parent),
        cmocka_unit_test(test_lists_by_parent_and_correlation),
        cmocka_unit_test(test_lists_in_pages),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ends_apart_from_its_parent),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
