/* Audit entries as bytes: one way to write each, nothing else can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "audit/entry.h"
#include "stepwell/breaker.h"
#include "audit/wire.h"
#include "base/limits.h"
#include "base/str.h"

static const char digest_bytes[32] = "0123456789abcdef0123456789abcde";

static char text_longest[SW__TEXT_MAX];

static sw_audit_entry entry_example(void)
{
    sw_audit_entry entry = {
        .entry_no = 17,
        .time_us = 1750000000000000,
        .kind = SW_AUDIT_STEP_CHANGED,
        .from = SW_STEP_RUNNING,
        .to = SW_STEP_FAILED,
        .attempt = 3,
        .epoch = 4,
        .step_id = (7LL << 20) | 2,
        .worker_id = 300,
        .step = SW__LIT("charge"),
        .reason = SW__LIT("attempts used up"),
        .subject = SW__LIT("CardError"),
        .digest = {digest_bytes, 32},
    };
    memset(entry.task_id.bytes, 0x5a, sizeof(entry.task_id.bytes));
    return entry;
}

static bool str_same(sw_str a, sw_str b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && sw__str_equal(a, b);
}

static bool entry_same(const sw_audit_entry *a, const sw_audit_entry *b)
{
    return a->entry_no == b->entry_no && a->time_us == b->time_us && a->kind == b->kind &&
           a->from == b->from && a->to == b->to && a->attempt == b->attempt &&
           a->epoch == b->epoch && a->step_id == b->step_id && a->worker_id == b->worker_id &&
           memcmp(&a->task_id, &b->task_id, sizeof(a->task_id)) == 0 &&
           str_same(a->step, b->step) && str_same(a->actor, b->actor) &&
           str_same(a->reason, b->reason) && str_same(a->subject, b->subject) &&
           str_same(a->digest, b->digest);
}

static void assert_round_trip(const sw_audit_entry *entry)
{
    sw__buf buf;
    sw__buf again;
    sw_audit_entry read;
    const char *why = NULL;
    sw__buf_init(&buf, sw_env_system());
    sw__buf_init(&again, sw_env_system());
    assert_int_equal(sw__entry_encode(&buf, entry, NULL), SW_OK);
    assert_true(sw__entry_decode(sw__buf_str(&buf), &read, &why));
    assert_true(entry_same(entry, &read));
    assert_int_equal(sw__entry_encode(&again, &read, NULL), SW_OK);
    assert_int_equal(buf.len, again.len);
    assert_memory_equal(buf.ptr, again.ptr, buf.len);
    sw__buf_free(&again);
    sw__buf_free(&buf);
}

static void test_numbers_at_their_extremes(void **state)
{
    (void)state;
    const int64_t wide[] = {0, 1, 127, 128, 16383, 16384, INT32_MAX, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        sw_audit_entry entry = entry_example();
        entry.time_us = entry.epoch = entry.step_id = entry.worker_id = wide[i];
        entry.entry_no = wide[i] > 0 ? wide[i] : 1;
        entry.attempt = wide[i] < INT32_MAX ? (int32_t)wide[i] : INT32_MAX;
        assert_round_trip(&entry);
    }
}

static void test_texts_at_their_extremes(void **state)
{
    (void)state;
    memset(text_longest, 'x', sizeof(text_longest));
    const sw_str texts[] = {
        {NULL, 0},
        {"", 0},
        {"a", 1},
        {"\0\xff", 2},
        {text_longest, 126},
        {text_longest, 127},
        {text_longest, 128},
        {text_longest, sizeof(text_longest)},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (int field = 0; field < 4; field++) {
            sw_audit_entry entry = entry_example();
            sw_str *const fields[] = {&entry.step, &entry.actor, &entry.reason, &entry.subject};
            *fields[field] = texts[i];
            assert_round_trip(&entry);
        }
    }
}

static void test_every_kind_and_state(void **state)
{
    (void)state;
    for (int32_t kind = 1; kind <= SW_AUDIT_KIND_COUNT; kind++) {
        bool of_step = kind == SW_AUDIT_STEP_CHANGED || kind == SW_AUDIT_STEP_FENCED;
        bool of_task = kind == SW_AUDIT_TASK_SUBMITTED || kind == SW_AUDIT_TASK_CHANGED ||
                       kind == SW_AUDIT_TASK_PRUNED || kind == SW_AUDIT_TASK_ERASED;
        int32_t states = of_step ? SW_STEP_STATE_COUNT : of_task ? SW_TASK_STATE_COUNT : 1;
        if (kind == SW_AUDIT_BREAKER_CHANGED)
            states = SW_BREAKER_STATE_COUNT;
        for (int32_t at = 0; at <= states; at++) {
            sw_audit_entry entry = entry_example();
            entry.kind = kind;
            entry.from = at;
            entry.to = 0;
            sw__buf buf;
            sw__buf_init(&buf, sw_env_system());
            int expected = at < states ? SW_OK : SW_EINVAL;
            assert_int_equal(sw__entry_encode(&buf, &entry, NULL), expected);
            sw__buf_free(&buf);
            if (at < states)
                assert_round_trip(&entry);
        }
    }
}

static void assert_not_encoded(const sw_audit_entry *entry, int code)
{
    sw__buf buf;
    sw_error err;
    sw__buf_init(&buf, sw_env_system());
    sw__buf_put_byte(&buf, 'x');
    assert_int_equal(sw__entry_encode(&buf, entry, &err), code);
    assert_int_equal(err.code, code);
    assert_int_equal(buf.len, 1);
    sw__buf_free(&buf);
}

static void test_fields_out_of_range_are_not_written(void **state)
{
    (void)state;
    sw_audit_entry entry = entry_example();
    int64_t *const wide[] = {&entry.entry_no, &entry.time_us, &entry.epoch, &entry.step_id,
                             &entry.worker_id};
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        entry = entry_example();
        *wide[i] = -1;
        assert_not_encoded(&entry, SW_EINVAL);
    }
    entry = entry_example();
    entry.entry_no = 0;
    assert_not_encoded(&entry, SW_EINVAL);
    entry = entry_example();
    entry.attempt = -1;
    assert_not_encoded(&entry, SW_EINVAL);
    entry = entry_example();
    entry.kind = SW_AUDIT_KIND_COUNT + 1;
    assert_not_encoded(&entry, SW_EINVAL);
    entry = entry_example();
    entry.digest.len = 31;
    assert_not_encoded(&entry, SW_EINVAL);
}

static void test_an_entry_has_a_longest_form(void **state)
{
    (void)state;
    static char huge[SW__ENTRY_MAX + 1];
    sw_audit_entry entry = entry_example();
    entry.actor = (sw_str){huge, sizeof(huge)};
    assert_not_encoded(&entry, SW_ELIMIT);
    entry.actor = entry.reason = (sw_str){huge, SW__ENTRY_MAX / 2};
    assert_not_encoded(&entry, SW_ELIMIT);
    /* The room that numbers take in the worst case is set aside, whatever they are. */
    entry = entry_example();
    entry.actor = (sw_str){huge, SW__ENTRY_MAX - 256};
    assert_round_trip(&entry);
}

static size_t example_bytes(uint8_t *bytes, size_t size)
{
    sw__buf buf;
    sw_audit_entry entry = entry_example();
    sw__buf_init(&buf, sw_env_system());
    assert_int_equal(sw__entry_encode(&buf, &entry, NULL), SW_OK);
    assert_true(buf.len <= size);
    memcpy(bytes, buf.ptr, buf.len);
    size_t len = buf.len;
    sw__buf_free(&buf);
    return len;
}

/* Whatever can be read writes the very same bytes again: no two byte strings are one entry. */
static void assert_refused_or_canonical(const uint8_t *bytes, size_t len, const char **why)
{
    sw_audit_entry entry;
    sw__buf buf;
    *why = NULL;
    if (!sw__entry_decode((sw_str){(const char *)bytes, len}, &entry, why)) {
        assert_non_null(*why);
        return;
    }
    sw__buf_init(&buf, sw_env_system());
    assert_int_equal(sw__entry_encode(&buf, &entry, NULL), SW_OK);
    assert_int_equal(buf.len, len);
    assert_memory_equal(buf.ptr, bytes, len);
    sw__buf_free(&buf);
}

static void test_every_changed_byte_is_another_entry_or_none(void **state)
{
    (void)state;
    uint8_t bytes[512];
    const char *why = NULL;
    size_t len = example_bytes(bytes, sizeof(bytes));
    for (size_t at = 0; at < len; at++) {
        uint8_t honest = bytes[at];
        for (int value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            assert_refused_or_canonical(bytes, len, &why);
        }
        bytes[at] = honest;
    }
}

static void test_every_cut_and_every_tail_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[512];
    sw_audit_entry entry;
    const char *why = NULL;
    size_t len = example_bytes(bytes, sizeof(bytes) - 1);
    for (size_t cut = 0; cut < len; cut++) {
        assert_false(sw__entry_decode((sw_str){(const char *)bytes, cut}, &entry, &why));
        assert_non_null(why);
    }
    assert_false(sw__entry_decode((sw_str){NULL, 0}, &entry, &why));
    bytes[len] = 0;
    assert_false(sw__entry_decode((sw_str){(const char *)bytes, len + 1}, &entry, &why));
    assert_string_equal(why, "bytes follow its end");
}

static void test_random_bytes_are_refused_or_canonical(void **state)
{
    (void)state;
    uint8_t bytes[96];
    const char *why = NULL;
    uint64_t seed = 88172645463325252;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            bytes[i] = (uint8_t)(seed >> 40) & (round % 2 ? 0xff : 0x0f);
        }
        bytes[0] = SW__ENTRY_VERSION;
        bytes[1] = (uint8_t)(1 + round % SW_AUDIT_KIND_COUNT);
        assert_refused_or_canonical(bytes, (size_t)(round % 97), &why);
    }
}

static void assert_number_refused(const uint8_t *bytes, size_t len, const char *expected)
{
    int64_t number = 0;
    sw__wire wire = {.at = bytes, .end = bytes + len};
    assert_false(sw__wire_take(&wire, &number));
    assert_string_equal(wire.why, expected);
    /* After the first fault nothing can be taken, and the first reason stays. */
    assert_false(sw__wire_take(&wire, &number));
    assert_string_equal(wire.why, expected);
}

static void test_numbers_have_one_form(void **state)
{
    (void)state;
    const uint8_t padded[] = {0x81, 0x00};
    const uint8_t zero[] = {0x80, 0x00};
    const uint8_t open[] = {0x81};
    uint8_t wide[10];
    memset(wide, 0xff, sizeof(wide));
    wide[9] = 0x01;
    assert_number_refused(padded, sizeof(padded), "a number is longer than it needs to be");
    assert_number_refused(zero, sizeof(zero), "a number is longer than it needs to be");
    assert_number_refused(open, sizeof(open), "it ends inside a number");
    assert_number_refused(wide, sizeof(wide), "a number is out of range");
}

/* With bytes behind it and at the end of everything, a number of every length is read the same, and
 * refused the same when it is longer than it needs to be. */
static void test_numbers_are_read_alike_anywhere(void **state)
{
    (void)state;
    for (int shift = 0; shift < 63; shift++) {
        for (int64_t off = -1; off < 2; off++) {
            uint8_t bytes[32];
            int64_t expected = (INT64_C(1) << shift) + off;
            memset(bytes, 0x81, sizeof(bytes));
            size_t len = (size_t)(sw__wire_put(bytes, (uint64_t)expected) - bytes);
            for (size_t behind = 0; behind < 10; behind++) {
                int64_t number = 0;
                sw__wire wire = {.at = bytes, .end = bytes + len + behind};
                assert_true(sw__wire_take(&wire, &number));
                assert_int_equal(number, expected);
                assert_ptr_equal(wire.at, bytes + len);
            }
            bytes[len - 1] |= 0x80;
            bytes[len] = 0;
            if (len < 9)
                assert_number_refused(bytes, len + 10, "a number is longer than it needs to be");
        }
    }
}

static void test_each_refusal_says_why(void **state)
{
    (void)state;
    uint8_t bytes[512];
    sw_audit_entry entry;
    const char *why = NULL;
    size_t len = example_bytes(bytes, sizeof(bytes));
    sw_str text = {(const char *)bytes, len};
    bytes[0] = SW__ENTRY_VERSION + 1;
    assert_false(sw__entry_decode(text, &entry, &why));
    assert_string_equal(why, "its format version is unknown");
    bytes[0] = SW__ENTRY_VERSION;
    bytes[1] = SW_AUDIT_KIND_COUNT + 1;
    assert_false(sw__entry_decode(text, &entry, &why));
    assert_string_equal(why, "its kind is unknown");
    bytes[1] = SW_AUDIT_STEP_CHANGED;
    bytes[2] = 0;
    assert_false(sw__entry_decode(text, &entry, &why));
    assert_string_equal(why, "its number is 0");
    bytes[2] = 17;
    bytes[11] = SW_STEP_STATE_COUNT; /* from, behind a time of eight bytes */
    assert_false(sw__entry_decode(text, &entry, &why));
    assert_string_equal(why, "a number is out of range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_at_their_extremes),
        cmocka_unit_test(test_texts_at_their_extremes),
        cmocka_unit_test(test_every_kind_and_state),
        cmocka_unit_test(test_fields_out_of_range_are_not_written),
        cmocka_unit_test(test_an_entry_has_a_longest_form),
        cmocka_unit_test(test_every_changed_byte_is_another_entry_or_none),
        cmocka_unit_test(test_every_cut_and_every_tail_is_refused),
        cmocka_unit_test(test_random_bytes_are_refused_or_canonical),
        cmocka_unit_test(test_numbers_have_one_form),
        cmocka_unit_test(test_numbers_are_read_alike_anywhere),
        cmocka_unit_test(test_each_refusal_says_why),
    };
    return cmocka_run_group_tests_name("audit_entry", tests, NULL, NULL);
}
