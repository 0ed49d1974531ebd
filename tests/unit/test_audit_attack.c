/* An attacker who writes the stored log: everything a chain of hashes can show is shown.
 *
 * What level L1 cannot detect, and therefore is not tested here: somebody who changes entries,
 * recomputes every later hash and changes the state rows to match; and a rollback of the whole
 * database to an older, honest copy. That needs signatures (L2) and anchors outside of the
 * database (L3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "audit/segment.h"
#include "helper/audit_log.h"

#define SEGMENTS_LEAST 40

static audit_log attacked;

static int open_attacked(void **state)
{
    audit_log *log = &attacked;
    audit_log_open(log, AUDIT_LOG_DIAMOND);
    for (int i = 0; i < 3; i++)
        audit_log_run(log);
    audit_log_play(log, 4);
    audit_log_attack(log);
    assert_true(log->segment_count >= SEGMENTS_LEAST);
    *state = log;
    return 0;
}

static int close_attacked(void **state)
{
    audit_log_close(*state);
    return 0;
}

static void assert_honest(audit_log *log)
{
    sw_audit_report report;
    if (audit_log_verify(log, &report) != SW_OK)
        fail_msg("false alarm: %s", report.message);
}

/* Detected, with entry_no in the range that is not trusted. */
static void assert_detected_at(audit_log *log, int64_t entry_no)
{
    sw_audit_report report;
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    assert_true(report.first_bad_entry > 0);
    if (report.first_bad_entry > entry_no || report.last_bad_entry < entry_no)
        fail_msg("entry %lld is bad, but the report names %lld to %lld: %s", (long long)entry_no,
                 (long long)report.first_bad_entry, (long long)report.last_bad_entry,
                 report.message);
}

static void assert_detected(audit_log *log, const char *words)
{
    sw_audit_report report;
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    if (!strstr(report.message, words))
        fail_msg("expected \"%s\" in: %s", words, report.message);
}

static void test_the_log_is_honest_before(void **state)
{
    assert_honest(*state);
}

static void test_every_flipped_byte_of_every_body_is_detected(void **state)
{
    audit_log *log = *state;
    size_t flips = 0;
    for (size_t i = 0; i < log->segment_count; i++) {
        sw__segment *segment = &log->segments[i];
        uint8_t *body = (uint8_t *)(uintptr_t)segment->body.ptr;
        for (size_t at = 0; at < segment->body.len; at++, flips++) {
            body[at] ^= (uint8_t)(1u << (at % 8));
            assert_detected_at(log, segment->entry_first);
            body[at] ^= (uint8_t)(1u << (at % 8));
        }
    }
    assert_true(flips > 40 * SEGMENTS_LEAST);
    assert_honest(log);
}

static void test_every_flipped_byte_of_every_header_is_detected(void **state)
{
    audit_log *log = *state;
    for (size_t i = 0; i < log->segment_count; i++) {
        uint8_t *bytes = (uint8_t *)&log->segments[i];
        for (size_t at = 0; at < offsetof(sw__segment, body); at++) {
            for (int bit = 0; bit < 8; bit++) {
                bytes[at] ^= (uint8_t)(1u << bit);
                assert_detected(log, "segment");
                bytes[at] ^= (uint8_t)(1u << bit);
            }
        }
    }
    assert_honest(log);
}

static void test_every_removed_segment_is_detected(void **state)
{
    audit_log *log = *state;
    size_t count = log->segment_count;
    sw__segment *honest = sw__arena_array(log->arena, count, sizeof(*honest));
    memcpy(honest, log->segments, count * sizeof(*honest));
    for (size_t gone = 0; gone < count; gone++) {
        memmove(log->segments + gone, honest + gone + 1, (count - gone - 1) * sizeof(*honest));
        log->segment_count = count - 1;
        /* The newest segment leaves no gap in the chain, but rows that lead to it. */
        if (gone + 1 < count)
            assert_detected_at(log, honest[gone].entry_first);
        else
            assert_detected(log, "cut off");
        memcpy(log->segments, honest, count * sizeof(*honest));
        log->segment_count = count;
    }
    assert_honest(log);
}

static void test_every_cut_tail_is_detected(void **state)
{
    audit_log *log = *state;
    size_t count = log->segment_count;
    for (size_t left = 1; left < count; left++) {
        log->segment_count = left;
        assert_detected_at(log, log->segments[left].entry_first);
    }
    log->segment_count = 0;
    assert_detected(log, "cut off");
    log->segment_count = count;
    assert_honest(log);
}

static void test_every_pair_put_in_another_order_is_detected(void **state)
{
    audit_log *log = *state;
    for (size_t a = 0; a < log->segment_count; a++) {
        for (size_t b = a + 1; b < log->segment_count; b++) {
            sw__segment kept = log->segments[a];
            log->segments[a] = log->segments[b];
            log->segments[b] = kept;
            assert_detected(log, "segment");
            /* With their numbers put right, the hashes give them away. */
            log->segments[b].segment_no = log->segments[a].segment_no;
            log->segments[a].segment_no = kept.segment_no;
            assert_detected(log, "segment");
            log->segments[a].segment_no = log->segments[b].segment_no;
            log->segments[b] = log->segments[a];
            log->segments[a] = kept;
        }
    }
    assert_honest(log);
}

static void test_every_doubled_segment_is_detected(void **state)
{
    audit_log *log = *state;
    size_t count = log->segment_count;
    for (size_t i = 0; i < count; i++) {
        log->segments[count] = log->segments[i];
        log->segment_count = count + 1;
        assert_detected(log, "segment");
        log->segments[count].segment_no = (int64_t)count + 1;
        assert_detected(log, "segment");
        log->segment_count = count;
    }
    assert_honest(log);
}

static void test_a_replaced_segment_with_its_own_hash_is_detected(void **state)
{
    audit_log *log = *state;
    for (size_t i = 0; i < log->segment_count; i++) {
        sw__segment kept = log->segments[i];
        log->segments[i].time_us++;
        assert_int_equal(sw__segment_hash(log->hasher, &log->segments[i], log->segments[i].hash),
                         SW_OK);
        /* The newest may be replaced by one with a later time: nothing follows that holds its
         * hash. Its entries, which carry their own time, contradict it. */
        assert_detected_at(log, kept.entry_first);
        log->segments[i] = kept;
    }
    assert_honest(log);
}

static void test_a_log_of_another_store_is_detected(void **state)
{
    audit_log *log = *state;
    sw_audit_report report;
    audit_log other;
    sw__segment *kept = log->segments;
    size_t kept_count = log->segment_count;
    audit_log_open(&other, AUDIT_LOG_DIAMOND);
    audit_log_run(&other);
    audit_log_attack(&other);
    audit_log_attack(log);
    log->segments = other.segments;
    log->segment_count = other.segment_count;
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    log->segments = kept;
    log->segment_count = kept_count;
    audit_log_close(&other);
}

/* Entries changed by somebody who recomputes every later hash: the state rows, the payloads and
 * the other entries contradict them. */

static bool edit_drop_last_success(sw_audit_entry *entry)
{
    return !(entry->kind == SW_AUDIT_STEP_CHANGED && entry->to == SW_STEP_SUCCEEDED);
}

static bool edit_success_to_failure(sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_STEP_CHANGED && entry->to == SW_STEP_SUCCEEDED)
        entry->to = SW_STEP_FAILED;
    return true;
}

static bool edit_epoch(sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_STEP_CHANGED && entry->to == SW_STEP_SUCCEEDED)
        entry->epoch++;
    return true;
}

static bool edit_digest(sw_audit_entry *entry)
{
    static const char other[32] = "another payload";
    if (entry->digest.ptr && entry->kind == SW_AUDIT_STEP_CHANGED)
        entry->digest.ptr = other;
    return true;
}

static bool edit_initiator(sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        entry->actor = (sw_str)SW__LIT("eve");
    return true;
}

static bool edit_task(sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        entry->task_id.bytes[3] ^= 1;
    return true;
}

static bool edit_number(sw_audit_entry *entry)
{
    entry->entry_no++;
    return true;
}

static bool edit_time(sw_audit_entry *entry)
{
    entry->time_us++;
    return true;
}

static bool edit_step_name(sw_audit_entry *entry)
{
    static char name[400];
    memset(name, 0xff, sizeof(name));
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        entry->step = (sw_str){name, sizeof(name)};
    return true;
}

/* The first task's segments are: 2 submission, 3 top runs, 4 top succeeded, ... */
static void assert_edit_detected(audit_log *log, size_t at, bool (*edit)(sw_audit_entry *entry))
{
    sw_audit_report report;
    sw__segment kept[128];
    assert_true(log->segment_count <= sizeof(kept) / sizeof(kept[0]));
    memcpy(kept, log->segments, log->segment_count * sizeof(kept[0]));
    audit_log_edit(log, at, edit);
    audit_log_rehash(log, at);
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    assert_null(strstr(report.message, "hash"));
    memcpy(log->segments, kept, log->segment_count * sizeof(kept[0]));
    assert_honest(log);
}

static void test_edits_with_recomputed_hashes_contradict_the_rest(void **state)
{
    audit_log *log = *state;
    assert_edit_detected(log, 1, edit_initiator);
    assert_edit_detected(log, 1, edit_task);
    assert_edit_detected(log, 3, edit_drop_last_success);
    assert_edit_detected(log, 3, edit_success_to_failure);
    assert_edit_detected(log, 3, edit_epoch);
    assert_edit_detected(log, 3, edit_digest);
    assert_edit_detected(log, 5, edit_number);
    assert_edit_detected(log, 5, edit_time);
}

/* A text of the log may hold anything; a report is UTF-8 all the same, however long the text. */
static void test_reports_are_text_whatever_the_log_holds(void **state)
{
    audit_log *log = *state;
    sw_audit_report report;
    sw__segment kept = log->segments[2];
    assert_int_equal(log->segments[2].entry_count, 2);
    audit_log_edit(log, 2, edit_step_name);
    audit_log_rehash(log, 2);
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    sw_str message = sw__str(report.message);
    assert_true(message.len > 100);
    assert_int_equal(sw__utf8_check(message), message.len);
    log->segments[2] = kept;
    audit_log_rehash(log, 2);
    assert_honest(log);
}

/* Whatever a recomputing attacker leaves in the body, reading it ends in a report. */
static void test_garbage_with_right_hashes_is_reported(void **state)
{
    audit_log *log = *state;
    for (size_t i = 0; i < log->segment_count; i += 3) {
        sw__segment *segment = &log->segments[i];
        uint8_t *body = (uint8_t *)(uintptr_t)segment->body.ptr;
        for (size_t at = 0; at < segment->body.len; at++) {
            sw_audit_report report;
            uint8_t honest = body[at];
            body[at] = (uint8_t)(honest * 31 + 17);
            audit_log_rehash(log, i);
            /* Words that nothing else holds may go unnoticed at this level; a crash may not. */
            audit_log_verify(log, &report);
            body[at] = honest;
        }
        audit_log_rehash(log, i);
    }
    assert_honest(log);
}

static void test_the_report_names_the_whole_range(void **state)
{
    audit_log *log = *state;
    sw_audit_report report;
    uint8_t *first = (uint8_t *)(uintptr_t)log->segments[5].body.ptr;
    uint8_t *last = (uint8_t *)(uintptr_t)log->segments[30].body.ptr;
    first[0] ^= 1;
    last[0] ^= 1;
    assert_int_equal(audit_log_verify(log, &report), SW_EAUDIT);
    assert_int_equal(report.first_bad_entry, log->segments[5].entry_first);
    assert_int_equal(report.last_bad_entry,
                     log->segments[30].entry_first + log->segments[30].entry_count - 1);
    assert_non_null(strstr(report.message, "segment 6"));
    assert_int_equal(report.segment_count, (int64_t)log->segment_count);
    first[0] ^= 1;
    last[0] ^= 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_log_is_honest_before),
        cmocka_unit_test(test_every_flipped_byte_of_every_body_is_detected),
        cmocka_unit_test(test_every_flipped_byte_of_every_header_is_detected),
        cmocka_unit_test(test_every_removed_segment_is_detected),
        cmocka_unit_test(test_every_cut_tail_is_detected),
        cmocka_unit_test(test_every_pair_put_in_another_order_is_detected),
        cmocka_unit_test(test_every_doubled_segment_is_detected),
        cmocka_unit_test(test_a_replaced_segment_with_its_own_hash_is_detected),
        cmocka_unit_test(test_edits_with_recomputed_hashes_contradict_the_rest),
        cmocka_unit_test(test_reports_are_text_whatever_the_log_holds),
        cmocka_unit_test(test_garbage_with_right_hashes_is_reported),
        cmocka_unit_test(test_the_report_names_the_whole_range),
        cmocka_unit_test(test_a_log_of_another_store_is_detected),
    };
    return cmocka_run_group_tests_name("audit_attack", tests, open_attacked, close_attacked);
}
