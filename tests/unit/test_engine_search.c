/* Searching the audit log: every filter against a look at every entry, pages, counts, the three
 * formats with hostile texts, arguments, and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/scan.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "helper/rig.h"

#define WORKFLOW                                                                                   \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]" \
    "}]}"
#define TASKS 12
#define SECOND_US 1000000

typedef struct searched {
    rig rig;
    sw_uuid tasks[TASKS];
    sw_result *all; /* every entry */
    const sw_audit_entry *rows;
    size_t count;
} searched;

static sw_uuid submit(rig *r, int i)
{
    static const char *const who[] = {"ann", "bob", NULL};
    static const char *const requests[] = {"r1", NULL, "r2", "r1"};
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = SW__LIT("w")};
    row.initiator = sw__str(who[i % 3]);
    row.correlation_id = sw__str(requests[i % 4]);
    assert_int_equal(sw_task_submit(r->engine, &row, 1, &result, &r->error), SW_OK);
    sw_uuid task = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
    return task;
}

/* Tasks at different times: some are done, one has failed, one is cancelled. */
static void play(searched *s)
{
    rig *r = &s->rig;
    sw_worker_ref worker = rig_worker(r, 60000);
    for (int i = 0; i < TASKS; i++) {
        fault_env_advance(&r->fault, SECOND_US);
        s->tasks[i] = submit(r, i);
        rig_claims(r, &worker, "a");
        if (i % 3 != 0)
            continue;
        int outcome = i % 2 ? SW_OUTCOME_FAILED : SW_OUTCOME_SUCCEEDED;
        rig_report(r, &worker, rig_outcome(r, "a", outcome), SW_ROW_APPLIED);
        if (outcome == SW_OUTCOME_FAILED)
            continue;
        sw_cancel_row cancel = {
            .task_id = s->tasks[i], .actor = SW__LIT("ann"), .reason = SW__LIT("why")};
        assert_int_equal(sw_task_cancel(r->engine, &cancel, 1, &r->error), SW_OK);
    }
}

static int searched_setup(void **state)
{
    searched *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    rig_open(&s->rig, "memory:", WORKFLOW);
    play(s);
    assert_int_equal(sw_audit_list(s->rig.engine, 1, 10000, &s->all, &s->rig.error), SW_OK);
    s->rows = sw_audit_entries(s->all, &s->count);
    assert_true(s->count > 40);
    *state = s;
    return 0;
}

static int searched_teardown(void **state)
{
    searched *s = *state;
    sw_result_free(s->all);
    rig_close(&s->rig);
    free(s);
    return 0;
}

/* Whether an entry is about a task with a correlation id. */
static bool is_correlated(const searched *s, const sw_audit_entry *row, sw_str id)
{
    for (int i = 0; i < TASKS; i++) {
        const char *given = i % 4 == 2 ? "r2" : i % 4 == 1 ? "" : "r1";
        if (memcmp(&row->task_id, &s->tasks[i], sizeof(row->task_id)) == 0)
            return sw__str_is(id, given);
    }
    return false;
}

static bool is_wanted(const searched *s, const sw_audit_filter *f, const sw_audit_entry *row)
{
    static const sw_uuid any = {{0}};
    const char *outcome = row->kind == SW_AUDIT_STEP_CHANGED   ? sw_step_state_name(row->to)
                          : row->kind == SW_AUDIT_TASK_CHANGED ? sw_task_state_name(row->to)
                                                               : "";
    return row->entry_no > f->after_entry_no && (!f->kind || f->kind == row->kind) &&
           (!f->actor.ptr || sw__str_equal(f->actor, row->actor)) &&
           (!f->step.ptr || sw__str_equal(f->step, row->step)) &&
           (!f->outcome.ptr || sw__str_is(f->outcome, outcome)) &&
           (!f->correlation_id.ptr || is_correlated(s, row, f->correlation_id)) &&
           (memcmp(&f->task_id, &any, sizeof(any)) == 0 ||
            memcmp(&f->task_id, &row->task_id, sizeof(any)) == 0) &&
           row->time_us >= f->after_us && (!f->before_us || row->time_us < f->before_us);
}

/* All pages of a filter are the entries that a look at each finds. Returns how many. */
static size_t expect(searched *s, sw_audit_filter filter)
{
    size_t found = 0;
    size_t page = (size_t)filter.limit;
    size_t count = page;
    for (size_t at = 0; count == page; found += count) {
        sw_result *result = NULL;
        assert_int_equal(sw_audit_search(s->rig.engine, &filter, &result, &s->rig.error), SW_OK);
        const sw_audit_entry *rows = sw_audit_entries(result, &count);
        for (size_t i = 0; i < count; i++) {
            while (at < s->count && !is_wanted(s, &filter, &s->rows[at]))
                at++;
            assert_true(at < s->count);
            assert_int_equal(rows[i].entry_no, s->rows[at++].entry_no);
            assert_true(sw__str_equal(rows[i].actor, s->rows[at - 1].actor));
        }
        if (count > 0)
            filter.after_entry_no = rows[count - 1].entry_no;
        if (count < page) {
            while (at < s->count && !is_wanted(s, &filter, &s->rows[at]))
                at++;
            assert_int_equal(at, s->count);
        }
        sw_result_free(result);
    }
    return found;
}

static void test_every_filter_finds_what_a_look_finds(void **state)
{
    static const char *const actors[] = {NULL, "ann", "bob", "nobody"};
    static const char *const requests[] = {NULL, "r1", "r2", "r3"};
    static const char *const outcomes[] = {NULL, "succeeded", "cancelled", "running"};
    searched *s = *state;
    size_t found = 0;
    for (unsigned i = 0; i < 4 * 4 * 4 * 8; i++) {
        sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
        filter.actor = sw__str(actors[i % 4]);
        filter.correlation_id = sw__str(requests[i / 4 % 4]);
        filter.outcome = sw__str(outcomes[i / 16 % 4]);
        unsigned more = i / 64;
        if (more & 1)
            filter.task_id = s->tasks[i % TASKS];
        if (more & 2)
            filter.after_us = s->rows[s->count / 3].time_us;
        if (more & 4)
            filter.before_us = s->rows[2 * s->count / 3].time_us;
        filter.limit = 1 + i % 7;
        found += expect(s, filter);
    }
    assert_true(found > 500);
}

static void test_kinds_and_steps(void **state)
{
    searched *s = *state;
    for (int kind = 0; kind <= SW_AUDIT_KIND_COUNT; kind++) {
        sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
        filter.kind = kind;
        filter.limit = 10;
        expect(s, filter);
        filter.step = (sw_str)SW__LIT("a");
        expect(s, filter);
    }
}

static void test_times_begin_where_they_should(void **state)
{
    searched *s = *state;
    for (size_t i = 0; i < s->count; i++) {
        sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
        filter.limit = 1000;
        for (int64_t off = -1; off <= 1; off++) {
            filter.after_us = s->rows[i].time_us + off;
            expect(s, filter);
        }
    }
}

static void test_counts_are_those_of_the_entries(void **state)
{
    searched *s = *state;
    size_t group_count = 0;
    size_t actor_count = 0;
    int64_t total = 0;
    sw_result *result = NULL;
    sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
    assert_int_equal(sw_audit_count(s->rig.engine, &filter, &result, &s->rig.error), SW_OK);
    const sw_audit_group *groups = sw_audit_groups(result, &group_count);
    const sw_audit_actor *actors = sw_audit_actors(result, &actor_count);
    for (size_t g = 0; g < group_count; g++) {
        int64_t count = 0;
        for (size_t i = 0; i < s->count; i++)
            count += s->rows[i].kind == groups[g].kind &&
                     (groups[g].to < 0 || s->rows[i].to == groups[g].to);
        assert_int_equal(groups[g].count, count);
        assert_true(g == 0 || groups[g - 1].count >= count);
        assert_true(groups[g].oldest_us <= groups[g].newest_us);
        total += count;
    }
    assert_int_equal(total, s->count);
    for (size_t a = 0; a < actor_count; a++) {
        int64_t count = 0;
        for (size_t i = 0; i < s->count; i++)
            count += sw__str_equal(s->rows[i].actor, actors[a].actor);
        assert_int_equal(actors[a].count, count);
        total -= count;
    }
    assert_int_equal(total, 0);
    assert_true(actor_count >= 3);
    sw_result_free(result);
}

static void test_pages_of_text_make_one_document(void **state)
{
    searched *s = *state;
    static char whole[3][200000];
    static char parts[3][200000];
    for (int32_t format = 0; format < SW_AUDIT_FORMAT_COUNT; format++) {
        for (int64_t limit = 10000, left = 1; limit > 0; limit = limit == 10000 ? 7 : 0, left = 1) {
            sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
            char *at = limit == 7 ? parts[format] : whole[format];
            for (filter.limit = limit; left > 0;) {
                sw_result *result = NULL;
                assert_int_equal(sw_audit_dump(s->rig.engine, &filter, format,
                                               filter.after_entry_no == 0, &result, NULL),
                                 SW_OK);
                const sw_audit_text *page = sw_audit_texts(result, NULL);
                if (page->text.len > 0)
                    memcpy(at, page->text.ptr, page->text.len);
                at += page->text.len;
                left = page->entry_count;
                filter.after_entry_no = page->last_entry_no;
                sw_result_free(result);
            }
        }
        assert_true(strlen(whole[format]) > 100 * 40);
        assert_string_equal(whole[format], parts[format]);
    }
    assert_int_equal(strncmp(whole[SW_AUDIT_CSV], "entry_no,time,kind,", 19), 0);
}

/* One hostile text in one format. */
static void rendered(int32_t format, sw_str hostile, const char *expected)
{
    sw__buf buf;
    sw_audit_entry entry = {.entry_no = 7, .kind = SW_AUDIT_WORKER_CLOSED, .actor = hostile};
    sw__buf_init(&buf, sw_env_system());
    sw__render_entry(&buf, format, &entry);
    sw__buf_put_byte(&buf, 0);
    assert_false(buf.failed);
    assert_non_null(strstr((const char *)buf.ptr, expected));
    sw__buf_free(&buf);
}

static void test_hostile_texts(void **state)
{
    (void)state;
    static const char *const formulas[] = {"=1+1",
                                           "+1",
                                           "-1",
                                           "@SUM(A1)",
                                           "\t=1",
                                           "\r=1",
                                           "\xef\xbc\x9d"
                                           "1"};
    char expected[64];
    for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++) {
        snprintf(expected, sizeof(expected), ",\"'%s\",", formulas[i]);
        rendered(SW_AUDIT_CSV, sw__str(formulas[i]), expected);
    }
    rendered(SW_AUDIT_CSV, sw__str("a\"b,c\r\nd"), ",\"a\"\"b,c\r\nd\",");
    rendered(SW_AUDIT_CSV, sw__str("a=1"), ",\"a=1\",");
    rendered(SW_AUDIT_CSV, (sw_str){"", 0}, ",\"\",");
    rendered(SW_AUDIT_CSV, (sw_str){"a\xff", 2}, ",\"a\xef\xbf\xbd\",");
    for (int32_t format = SW_AUDIT_JSONL; format <= SW_AUDIT_YAML; format++) {
        rendered(format, sw__str("a\"b\\c\nd\x7f"), "\"a\\u0022b\\u005cc\\u000ad\\u007f\"");
        rendered(format, sw__str("\xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf \xef\xbf\xbf"),
                 "\"\\u0085 \\u2028 \\ufeff \\uffff\"");
        rendered(format, sw__str("\xc3\xa9 \xf0\x9f\x98\x80"), "\"\xc3\xa9 \xf0\x9f\x98\x80\"");
        rendered(format, (sw_str){"a\xc3", 2}, "\"a\\ufffd\"");
    }
    rendered(SW_AUDIT_JSONL, sw__str("ann"), "\"time\":\"1970-01-01T00:00:00.000000Z\"");
    rendered(SW_AUDIT_YAML, (sw_str){NULL, 0}, "\n  actor: null\n");
}

static void test_refused(void **state)
{
    searched *s = *state;
    sw_result *result = NULL;
    sw_engine *engine = s->rig.engine;
    const sw_audit_filter good = SW_AUDIT_FILTER_INIT;
    sw_audit_filter bad[] = {{0}, good, good, good, good, good, good, good};
    bad[1].limit = -1;
    bad[2].limit = 10001;
    bad[3].after_us = -1;
    bad[4].before_us = -1;
    bad[5].after_entry_no = -1;
    bad[6].kind = SW_AUDIT_KIND_COUNT + 1;
    bad[7].outcome = (sw_str)SW__LIT("gone");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sw_audit_search(engine, &bad[i], &result, NULL), SW_EINVAL);
        assert_int_equal(sw_audit_count(engine, &bad[i], &result, NULL), SW_EINVAL);
        assert_int_equal(sw_audit_dump(engine, &bad[i], 0, 0, &result, NULL), SW_EINVAL);
        assert_null(result);
    }
    assert_int_equal(sw_audit_dump(engine, &good, SW_AUDIT_FORMAT_COUNT, 0, &result, NULL),
                     SW_EINVAL);
    assert_int_equal(sw_audit_dump(engine, &good, -1, 0, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_audit_search(engine, NULL, &result, NULL), SW_EINVAL);
    assert_int_equal(sw_audit_search(engine, &good, NULL, NULL), SW_EINVAL);
}

static void test_a_pruned_task_is_found_by_its_id(void **state)
{
    searched *s = *state;
    sw_error error;
    sw_prune_options prune = SW_PRUNE_OPTIONS_INIT;
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    prune.finished_before_us = INT64_MAX / 4;
    assert_int_equal(sw_task_prune(s->rig.engine, &prune, &report, &error), SW_OK);
    assert_true(report.task_count > 0);
    sw_result_free(s->all);
    assert_int_equal(sw_audit_list(s->rig.engine, 1, 10000, &s->all, &error), SW_OK);
    s->rows = sw_audit_entries(s->all, &s->count);
    sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
    filter.limit = 100;
    filter.task_id = s->tasks[0];
    assert_true(expect(s, filter) > 4);
    filter.kind = SW_AUDIT_TASK_PRUNED;
    assert_int_equal(expect(s, filter), 1);
}

/* Everything once, on an engine whose memory gives out. */
static int ask(const sw_env *env, void *context)
{
    fault_env *fault = context;
    sw_result *result = NULL;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_workflow *workflow = NULL;
    size_t fail_at = fault->fail_at;
    bool for_ever = fault->fail_for_ever;
    options.store = (sw_str)SW__LIT("memory:");
    options.env = env;
    fault_env_arm(fault, 0, false);
    assert_int_equal(sw_engine_open(&options, &engine, NULL), SW_OK);
    assert_int_equal(sw_workflow_load(&load, sw__str(WORKFLOW), &workflow, NULL, NULL), SW_OK);
    assert_int_equal(sw_workflow_register(engine, (const sw_workflow *const *)&workflow, 1, NULL),
                     SW_OK);
    sw_workflow_free(workflow);
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .correlation_id = SW__LIT("r")};
    assert_int_equal(sw_task_submit(engine, &row, 1, &result, NULL), SW_OK);
    sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
    filter.task_id = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
    fault_env_arm(fault, fail_at, for_ever);
    int rc = sw_audit_search(engine, &filter, &result, NULL);
    if (rc == SW_OK) {
        sw_result_free(result);
        filter.task_id = (sw_uuid){{0}};
        filter.after_us = 1;
        filter.correlation_id = (sw_str)SW__LIT("r");
        rc = sw_audit_count(engine, &filter, &result, NULL);
    }
    if (rc == SW_OK) {
        sw_result_free(result);
        rc = sw_audit_dump(engine, &filter, SW_AUDIT_CSV, 1, &result, NULL);
    }
    if (rc == SW_OK)
        sw_result_free(result);
    sw_engine_close(engine);
    return rc;
}

static void test_out_of_memory(void **state)
{
    fault_env fault;
    (void)state;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, ask, &fault) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_filter_finds_what_a_look_finds),
        cmocka_unit_test(test_kinds_and_steps),
        cmocka_unit_test(test_times_begin_where_they_should),
        cmocka_unit_test(test_counts_are_those_of_the_entries),
        cmocka_unit_test(test_pages_of_text_make_one_document),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_pruned_task_is_found_by_its_id),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, searched_setup, searched_teardown);
}
