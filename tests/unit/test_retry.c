/* Delays between attempts: the four rules, the cap, the jitter, and numbers that would overflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "model/workflow.h"

static int64_t delay(int backoff, int64_t base_ms, int64_t max_ms, int32_t attempt)
{
    sw_workflow_step step = {
        .backoff = backoff, .backoff_base_ms = base_ms, .backoff_max_ms = max_ms};
    return sw__retry_delay_ms(&step, attempt, 0.9);
}

static void test_the_four_rules(void **state)
{
    (void)state;
    static const struct {
        int backoff;
        int64_t expected[7]; /* for attempts 1..7, base 100, cap 1,500 */
    } rules[] = {
        {SW_BACKOFF_NONE, {0, 0, 0, 0, 0, 0, 0}},
        {SW_BACKOFF_LINEAR, {100, 200, 300, 400, 500, 600, 700}},
        {SW_BACKOFF_EXPONENTIAL, {100, 200, 400, 800, 1500, 1500, 1500}},
        {SW_BACKOFF_FIBONACCI, {100, 100, 200, 300, 500, 800, 1300}},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        for (int32_t attempt = 1; attempt <= 7; attempt++)
            assert_int_equal(delay(rules[i].backoff, 100, 1500, attempt),
                             rules[i].expected[attempt - 1]);
    }
    assert_int_equal(delay(SW_BACKOFF_LINEAR, 100, 1500, 0), 100);
}

static void test_the_cap_holds_for_every_attempt(void **state)
{
    (void)state;
    for (int backoff = SW_BACKOFF_LINEAR; backoff < SW_BACKOFF_COUNT; backoff++) {
        int64_t before = 0;
        for (int32_t attempt = 1; attempt <= SW__ATTEMPTS_MAX; attempt++) {
            int64_t now = delay(backoff, SW__DELAY_MAX_MS - 1, SW__DELAY_MAX_MS, attempt);
            assert_true(now >= before && now <= SW__DELAY_MAX_MS);
            before = now;
        }
        assert_int_equal(before, SW__DELAY_MAX_MS);
        assert_int_equal(delay(backoff, 1, SW__DELAY_MAX_MS, INT32_MAX),
                         backoff == SW_BACKOFF_LINEAR ? INT32_MAX : SW__DELAY_MAX_MS);
        assert_int_equal(delay(backoff, 0, SW__DELAY_MAX_MS, SW__ATTEMPTS_MAX), 0);
        assert_int_equal(delay(backoff, 500, 100, 1), 100);
    }
}

static void test_jitter_spreads_around_the_delay(void **state)
{
    (void)state;
    sw_workflow_step step = {.backoff = SW_BACKOFF_LINEAR,
                             .backoff_base_ms = 1000,
                             .backoff_max_ms = 1000,
                             .backoff_jitter = 0.25};
    assert_int_equal(sw__retry_delay_ms(&step, 1, 0.0), 750);
    assert_int_equal(sw__retry_delay_ms(&step, 1, 0.5), 1000);
    assert_int_equal(sw__retry_delay_ms(&step, 1, 0.75), 1125);
    assert_int_equal(sw__retry_delay_ms(&step, 1, 0.999999), 1250);
    step.backoff_jitter = 1;
    assert_int_equal(sw__retry_delay_ms(&step, 1, 0.0), 0);
    step.backoff_base_ms = step.backoff_max_ms = SW__DELAY_MAX_MS;
    assert_true(sw__retry_delay_ms(&step, 1, 0.999999) <= 2 * SW__DELAY_MAX_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_four_rules),
        cmocka_unit_test(test_the_cap_holds_for_every_attempt),
        cmocka_unit_test(test_jitter_spreads_around_the_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
