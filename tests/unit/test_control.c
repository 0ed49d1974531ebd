/* Controls: the list and its page, and what each kind of entry is evidence of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/control.h"
#include "base/file.h"
#include "base/str.h"
#include "helper/fault_env.h"

#define PAGE "docs/reference/controls.md"
#define DAY_US (INT64_C(86400) * 1000000)
#define START_US (INT64_C(1780000000) * 1000000)

/* The list. */

/* The word for what only auditors can say. */
static void assert_modest(const char *text)
{
    char lower[512];
    size_t length = 0;
    for (; text[length] && length + 1 < sizeof(lower); length++)
        lower[length] = (char)tolower((unsigned char)text[length]);
    lower[length] = '\0';
    if (strstr(lower, "complian"))
        fail_msg("\"%s\" says too much", text);
}

static void test_every_control_is_whole(void **state)
{
    size_t count = 0;
    const sw_control *rows = sw_control_list(&count);
    (void)state;
    assert_ptr_equal(sw_control_list(NULL), rows);
    assert_true(count >= 40);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(rows[i].standard, 0, SW_STANDARD_COUNT - 1);
        assert_true(rows[i].evidence >> SW_EVIDENCE_COUNT == 0);
        assert_true(rows[i].id.len > 0 && rows[i].title.len > 0 && rows[i].question.len > 0);
        assert_modest(rows[i].title.ptr);
        assert_modest(rows[i].question.ptr);
        assert_true(i == 0 || rows[i].standard >= rows[i - 1].standard);
        for (size_t k = 0; k < i; k++)
            assert_false(rows[k].standard == rows[i].standard &&
                         sw__str_equal(rows[k].id, rows[i].id));
    }
    assert_int_equal(rows[count - 1].standard, SW_STANDARD_COUNT - 1);
}

static void test_every_name_has_words(void **state)
{
    (void)state;
    for (int standard = 0; standard < SW_STANDARD_COUNT; standard++)
        assert_string_not_equal(sw_standard_title(standard), "unknown");
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++)
        assert_string_not_equal(sw_evidence_question(kind), "unknown");
    assert_string_equal(sw_standard_title(SW_STANDARD_COUNT), "unknown");
    assert_string_equal(sw_standard_title(-1), "unknown");
    assert_string_equal(sw_evidence_question(SW_EVIDENCE_COUNT), "unknown");
    assert_string_equal(sw_evidence_question(-1), "unknown");
}

/* The page. */

static void page_put_kinds(sw__buf *page)
{
    sw__buf_put_text(page, "## Evidence\n\n| evidence | question | when there is no such entry "
                           "|\n|---|---|---|\n");
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        sw__arena *arena = sw__arena_new(sw_env_system());
        const sw_control_options options = SW_CONTROL_OPTIONS_INIT;
        const sw__control_base base = {0};
        sw__evidence evidence;
        assert_non_null(arena);
        sw__evidence_init(&evidence, &options, &base, arena);
        sw__evidence_end(&evidence);
        sw__buf_printf(page, "| %s | %s | %s: %s |\n", sw_evidence_name(kind),
                       sw_evidence_question(kind), sw__control_words(evidence.rows[kind].answer),
                       sw__evidence_reason(&evidence.rows[kind]));
        sw__evidence_free(&evidence);
        sw__arena_free(arena);
    }
}

static void page_put_control(sw__buf *page, const sw_control *row)
{
    const char *between = "";
    sw__buf_printf(page, "| %.*s | %.*s | %.*s | ", SW__FMT(row->id), SW__FMT(row->title),
                   SW__FMT(row->question));
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        if (!(row->evidence >> kind & 1))
            continue;
        sw__buf_printf(page, "%s%s", between, sw_evidence_name(kind));
        between = ", ";
    }
    sw__buf_put_text(page, row->evidence ? " |\n" : "not applicable |\n");
}

static void page_put(sw__buf *page)
{
    size_t count = 0;
    int standard = -1;
    const sw_control *rows = sw_control_list(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].standard != standard) {
            standard = rows[i].standard;
            sw__buf_printf(page,
                           "## %s\n\n`--standard %s`\n\n| control | title | question | evidence "
                           "|\n|---|---|---|---|\n",
                           sw_standard_title(standard), sw_standard_name(standard));
        }
        page_put_control(page, &rows[i]);
        if (i + 1 == count || rows[i + 1].standard != standard)
            sw__buf_put_byte(page, '\n');
    }
    page_put_kinds(page);
}

/* What stands behind the mark is written from the list: with STEPWELL_WRITE_CONTROLS=1 here. */
static void test_the_page_is_that_of_the_list(void **state)
{
    static const char mark[] = "<!-- written by tests/unit/test_control.c -->\n\n";
    sw__buf page, expected;
    (void)state;
    sw__buf_init(&page, sw_env_system());
    sw__buf_init(&expected, sw_env_system());
    assert_int_equal(sw__file_read(SW_SOURCE_DIR "/" PAGE, 1 << 20, &page, NULL), SW_OK);
    sw__buf_put_byte(&page, '\0');
    char *rest = strstr((char *)page.ptr, mark);
    assert_non_null(rest);
    rest += sizeof(mark) - 1;
    page_put(&expected);
    if (getenv("STEPWELL_WRITE_CONTROLS")) {
        page.len = (size_t)(rest - (char *)page.ptr);
        sw__buf_put_str(&page, sw__buf_str(&expected));
        assert_int_equal(sw__file_write(SW_SOURCE_DIR "/" PAGE, 0644, sw__buf_str(&page), NULL),
                         SW_OK);
    } else {
        sw__buf_put_byte(&expected, '\0');
        assert_string_equal(rest, (char *)expected.ptr);
    }
    sw__buf_free(&expected);
    sw__buf_free(&page);
}

/* Evidence. */

typedef struct judged {
    sw__arena *arena;
    sw_control_options options;
    sw__control_base base;
    sw__evidence evidence;
    int64_t entry_no;
} judged;

static void judged_open(judged *j)
{
    j->arena = sw__arena_new(sw_env_system());
    assert_non_null(j->arena);
    j->entry_no = 0;
    sw__evidence_init(&j->evidence, &j->options, &j->base, j->arena);
}

static int judged_setup(void **state)
{
    judged *j = calloc(1, sizeof(*j));
    assert_non_null(j);
    j->options = (sw_control_options)SW_CONTROL_OPTIONS_INIT;
    judged_open(j);
    *state = j;
    return 0;
}

static void judged_close(judged *j)
{
    sw__evidence_free(&j->evidence);
    sw__arena_free(j->arena);
}

static int judged_teardown(void **state)
{
    judged_close(*state);
    free(*state);
    return 0;
}

static void judge(judged *j, sw_audit_entry entry)
{
    entry.entry_no = ++j->entry_no;
    entry.time_us += START_US;
    assert_int_equal(sw__evidence_take(&j->evidence, &entry, NULL), SW_OK);
}

static void assert_answer(judged *j, int kind, int answer, int64_t good, int64_t against)
{
    sw__evidence_end(&j->evidence);
    const sw_evidence_row *row = &j->evidence.rows[kind];
    assert_int_equal(row->entry_count, good);
    assert_int_equal(row->against_count, against);
    assert_string_equal(sw_answer_name(row->answer), sw_answer_name(answer));
    assert_true((sw__evidence_reason(row) == NULL) == (answer == SW_ANSWER_FOUND));
}

/* An entry that is evidence, one that speaks against it or none, and what no entry means. */
typedef struct judgement {
    int kind;
    int absent;
    sw_audit_entry good;
    sw_audit_entry bad; /* kind 0: there is none */
} judgement;

#define ANN                                                                                        \
    {                                                                                              \
        "ann", 3                                                                                   \
    }
#define WHY                                                                                        \
    {                                                                                              \
        "why", 3                                                                                   \
    }
#define DIGEST                                                                                     \
    {                                                                                              \
        "01234567890123456789012345678901", 32                                                     \
    }
#define ABSENT SW_ANSWER_NOT_APPLICABLE
#define LACKING SW_ANSWER_NOT_FOUND

static const judgement judgements[] = {
    {SW_EVIDENCE_EVENTS, LACKING, {.kind = SW_AUDIT_TASK_CHANGED}, {0}},
    {SW_EVIDENCE_EVENTS, LACKING, {.kind = SW_AUDIT_STEP_CHANGED}, {0}},
    {SW_EVIDENCE_REQUESTS,
     ABSENT,
     {.kind = SW_AUDIT_TASK_SUBMITTED, .actor = ANN},
     {.kind = SW_AUDIT_TASK_SUBMITTED}},
    {SW_EVIDENCE_OPERATORS,
     ABSENT,
     {.kind = SW_AUDIT_STEP_CHANGED, .actor = ANN, .reason = WHY},
     {.kind = SW_AUDIT_STEP_CHANGED, .actor = ANN}},
    {SW_EVIDENCE_OPERATORS,
     ABSENT,
     {.kind = SW_AUDIT_TASK_CHANGED, .actor = ANN, .reason = WHY},
     {.kind = SW_AUDIT_TASK_PRUNED, .actor = ANN}},
    {SW_EVIDENCE_OPERATORS,
     ABSENT,
     {.kind = SW_AUDIT_BREAKER_CHANGED, .actor = ANN, .reason = WHY},
     {.kind = SW_AUDIT_BREAKER_CHANGED, .actor = ANN}},
    {SW_EVIDENCE_WORKERS,
     ABSENT,
     {.kind = SW_AUDIT_STEP_CHANGED, .to = SW_STEP_RUNNING, .worker_id = 1},
     {.kind = SW_AUDIT_STEP_CHANGED, .to = SW_STEP_RUNNING}},
    {SW_EVIDENCE_FAILURES, ABSENT, {.kind = SW_AUDIT_STEP_CHANGED, .to = SW_STEP_FAILED}, {0}},
    {SW_EVIDENCE_FAILURES, ABSENT, {.kind = SW_AUDIT_STEP_CHANGED, .subject = ANN}, {0}},
    {SW_EVIDENCE_FAILURES, ABSENT, {.kind = SW_AUDIT_TASK_CHANGED, .to = SW_TASK_FAILED}, {0}},
    {SW_EVIDENCE_ANOMALIES, ABSENT, {.kind = SW_AUDIT_WORKER_LOST, .actor = ANN}, {0}},
    {SW_EVIDENCE_ANOMALIES, ABSENT, {.kind = SW_AUDIT_STEP_FENCED}, {0}},
    {SW_EVIDENCE_ANOMALIES, ABSENT, {.kind = SW_AUDIT_BREAKER_CHANGED}, {0}},
    {SW_EVIDENCE_DEFINITIONS,
     ABSENT,
     {.kind = SW_AUDIT_WORKFLOW_REGISTERED, .digest = DIGEST},
     {.kind = SW_AUDIT_WORKFLOW_REGISTERED}},
    {SW_EVIDENCE_PAYLOADS, LACKING, {.kind = SW_AUDIT_STEP_CHANGED, .digest = DIGEST}, {0}},
    {SW_EVIDENCE_PAYLOADS, LACKING, {.kind = SW_AUDIT_TASK_SUBMITTED, .digest = DIGEST}, {0}},
    {SW_EVIDENCE_REMOVALS, LACKING, {.kind = SW_AUDIT_TASK_PRUNED}, {0}},
    {SW_EVIDENCE_REMOVALS, LACKING, {.kind = SW_AUDIT_TASK_ERASED}, {0}},
    {SW_EVIDENCE_ERASURES,
     ABSENT,
     {.kind = SW_AUDIT_TASK_ERASED, .actor = ANN, .reason = WHY},
     {.kind = SW_AUDIT_TASK_ERASED, .actor = ANN}},
};

static void test_what_entries_are_evidence_of(void **state)
{
    judged *j = *state;
    for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
        const judgement *of = &judgements[i];
        judged_close(j);
        judged_open(j);
        assert_answer(j, of->kind, of->absent, 0, 0);
        judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED});
        assert_answer(j, of->kind, of->absent, 0, 0);
        judge(j, of->good);
        assert_answer(j, of->kind, SW_ANSWER_FOUND, 1, 0);
        if (!of->bad.kind)
            continue;
        judge(j, of->bad);
        assert_answer(j, of->kind, SW_ANSWER_NOT_FOUND, 1, 1);
        assert_int_equal(j->evidence.rows[of->kind].against_nos[0], 3);
    }
}

static void test_definitions_are_known_from_their_entry_on(void **state)
{
    judged *j = *state;
    char hex[65];
    const sw_audit_entry registered = {.kind = SW_AUDIT_WORKFLOW_REGISTERED, .digest = DIGEST};
    sw_audit_entry submitted = {.kind = SW_AUDIT_TASK_SUBMITTED, .subject = {hex, 64}};
    for (size_t i = 0; i < 32; i++)
        snprintf(&hex[2 * i], 3, "%02x", (unsigned)registered.digest.ptr[i]);
    judge(j, registered);
    judge(j, registered);
    judge(j, submitted);
    assert_answer(j, SW_EVIDENCE_PINNED, SW_ANSWER_FOUND, 1, 0);
    hex[0] = 'f';
    judge(j, submitted);
    submitted.subject = (sw_str){NULL, 0};
    judge(j, submitted);
    assert_answer(j, SW_EVIDENCE_PINNED, SW_ANSWER_NOT_FOUND, 1, 2);
    judged_close(j);
    judged_open(j);
    hex[0] = '3';
    submitted.subject = (sw_str){hex, 64};
    judge(j, submitted);
    judge(j, registered);
    assert_answer(j, SW_EVIDENCE_PINNED, SW_ANSWER_NOT_FOUND, 0, 1);
}

static void assert_numbers(const int64_t *nos, int32_t count, const char *expected)
{
    char text[128] = "";
    for (int32_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%lld", i ? " " : "",
                 (long long)nos[i]);
    assert_string_equal(text, expected);
}

static void test_samples_are_the_first_and_the_last(void **state)
{
    judged *j = *state;
    const sw_evidence_row *row = &j->evidence.rows[SW_EVIDENCE_INTEGRITY];
    static const char *const expected[] = {"1",         "1 2",       "1 2 3",
                                           "1 2 3 4",   "1 2 3 4 5", "1 2 3 5 6",
                                           "1 2 3 6 7", "1 2 3 7 8", "1 2 3 8 9"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED});
        assert_numbers(row->entry_nos, row->entry_no_count, expected[i]);
    }
    assert_int_equal(row->entry_count, sizeof(expected) / sizeof(expected[0]));
}

static void test_only_the_window_is_judged(void **state)
{
    judged *j = *state;
    j->options.after_us = START_US + 10;
    j->options.before_us = START_US + 30;
    for (int64_t at = 0; at < 5; at++)
        judge(j, (sw_audit_entry){.kind = SW_AUDIT_TASK_CHANGED, .time_us = at * 10});
    assert_answer(j, SW_EVIDENCE_EVENTS, SW_ANSWER_FOUND, 2, 0);
    assert_answer(j, SW_EVIDENCE_INTEGRITY, SW_ANSWER_FOUND, 5, 0);
    assert_answer(j, SW_EVIDENCE_YEAR, SW_ANSWER_NOT_FOUND, 3, 0);
    assert_int_equal(j->evidence.window_count, 2);
    assert_int_equal(j->evidence.as_of_us, START_US + 40);
    assert_int_equal(j->evidence.until_us, START_US + 20);
    assert_int_equal(j->evidence.began_us, START_US);
}

static void test_how_long_the_log_has_been_kept(void **state)
{
    judged *j = *state;
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED});
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = 365 * DAY_US - 1});
    assert_answer(j, SW_EVIDENCE_YEAR, SW_ANSWER_NOT_FOUND, 2, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = 365 * DAY_US});
    assert_answer(j, SW_EVIDENCE_YEAR, SW_ANSWER_FOUND, 3, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = 2192 * DAY_US - 1});
    assert_answer(j, SW_EVIDENCE_SIX_YEARS, SW_ANSWER_NOT_FOUND, 4, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = 2192 * DAY_US});
    assert_answer(j, SW_EVIDENCE_SIX_YEARS, SW_ANSWER_FOUND, 5, 0);
}

static void test_checkpoints_and_anchors(void **state)
{
    judged *j = *state;
    sw__control_note notes[] = {
        {.entry_count = 1, .time_us = START_US + 400000}, /* places tell seconds */
        {.entry_count = 2, .successor = true},
        {.entry_count = 3, .time_us = 1}, /* nobody says when */
        {.entry_count = 4, .time_us = START_US},
        {.entry_count = 4, .time_us = START_US + 10 * DAY_US},
    };
    j->base = (sw__control_base){.notes = notes, .count = 5, .anchored = 4};
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = 900000});
    assert_answer(j, SW_EVIDENCE_CLOCK, SW_ANSWER_FOUND, 1, 0);
    assert_answer(j, SW_EVIDENCE_KEYS, SW_ANSWER_NOT_APPLICABLE, 0, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = DAY_US});
    assert_answer(j, SW_EVIDENCE_KEYS, SW_ANSWER_FOUND, 1, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = DAY_US});
    assert_answer(j, SW_EVIDENCE_CLOCK, SW_ANSWER_FOUND, 1, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = DAY_US});
    assert_answer(j, SW_EVIDENCE_CLOCK, SW_ANSWER_NOT_FOUND, 1, 1);
    assert_answer(j, SW_EVIDENCE_ANCHORED, SW_ANSWER_FOUND, 4, 0);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_WORKER_OPENED, .time_us = DAY_US});
    assert_answer(j, SW_EVIDENCE_ANCHORED, SW_ANSWER_NOT_FOUND, 4, 1);
}

/* Answers. */

static int answer_of(const judged *j, int standard, const char *id, int64_t *entries)
{
    size_t count = 0;
    sw_control_row *rows = NULL;
    sw_control_summary summary = {0};
    assert_int_equal(sw__control_answer(&j->evidence, &rows, &count, &summary, NULL), SW_OK);
    assert_int_equal(summary.found + summary.not_found + summary.not_applicable, count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].control->standard != standard || !sw__str_is(rows[i].control->id, id))
            continue;
        *entries = (int64_t)rows[i].entry_no_count;
        return rows[i].answer;
    }
    return -1;
}

/* C1.2 asks for removals, which are lacking without an entry, and erasures, which are not. */
static void test_answers_of_controls(void **state)
{
    int64_t entries = 0;
    judged *j = *state;
    sw__evidence_end(&j->evidence);
    assert_int_equal(answer_of(j, SW_STANDARD_SOC2, "C1.2", &entries), SW_ANSWER_NOT_FOUND);
    assert_int_equal(answer_of(j, SW_STANDARD_SOC2, "CC8.1", &entries), SW_ANSWER_NOT_APPLICABLE);
    assert_int_equal(answer_of(j, SW_STANDARD_PCI, "10.3.1", &entries), SW_ANSWER_NOT_APPLICABLE);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_TASK_PRUNED});
    sw__evidence_end(&j->evidence);
    assert_int_equal(answer_of(j, SW_STANDARD_SOC2, "C1.2", &entries), SW_ANSWER_FOUND);
    assert_int_equal(entries, 1);
    judge(j, (sw_audit_entry){.kind = SW_AUDIT_TASK_ERASED});
    sw__evidence_end(&j->evidence);
    assert_int_equal(answer_of(j, SW_STANDARD_SOC2, "C1.2", &entries), SW_ANSWER_NOT_FOUND);
    assert_int_equal(entries, 2);
    j->options.standards = INT64_C(1) << SW_STANDARD_GDPR;
    assert_int_equal(answer_of(j, SW_STANDARD_SOC2, "C1.2", &entries), -1);
    assert_int_equal(answer_of(j, SW_STANDARD_GDPR, "17", &entries), SW_ANSWER_NOT_FOUND);
    assert_int_equal(entries, 1);
}

#define JUDGED(name) cmocka_unit_test_setup_teardown(name, judged_setup, judged_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_control_is_whole),
        cmocka_unit_test(test_every_name_has_words),
        cmocka_unit_test(test_the_page_is_that_of_the_list),
        JUDGED(test_what_entries_are_evidence_of),
        JUDGED(test_definitions_are_known_from_their_entry_on),
        JUDGED(test_samples_are_the_first_and_the_last),
        JUDGED(test_only_the_window_is_judged),
        JUDGED(test_how_long_the_log_has_been_kept),
        JUDGED(test_checkpoints_and_anchors),
        JUDGED(test_answers_of_controls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
