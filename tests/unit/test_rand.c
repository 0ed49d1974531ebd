/* Buffered random bytes and the order of UUIDs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/rand.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

#define TIME_US INT64_C(1700000000123456)

/* What the environment would give, byte for byte, in pieces of every size. */
static void test_bytes_are_those_of_the_environment(void **state)
{
    (void)state;
    fault_env fault;
    sw__rand source;
    uint8_t expected[2048];
    uint8_t got[2048];
    fault_env_init(&fault);
    fault.env.random(&fault, expected, sizeof(expected));
    fault_env_init(&fault);
    sw__rand_init(&source, &fault.env);
    size_t at = 0;
    for (size_t size = 1; at + size <= sizeof(got); at += size++)
        assert_int_equal(sw__rand_bytes(&source, got + at, size), SW_OK);
    assert_memory_equal(got, expected, at);
}

static void test_given_bytes_are_wiped(void **state)
{
    (void)state;
    sw__rand source;
    uint8_t got[100];
    sw__rand_init(&source, sw_env_system());
    assert_int_equal(sw__rand_bytes(&source, got, sizeof(got)), SW_OK);
    for (size_t i = 0; i < source.used; i++)
        assert_int_equal(source.buffer[i], 0);
}

/* Larger than the buffer, and the last byte of it: nothing given twice. */
static void test_requests_around_the_buffer(void **state)
{
    (void)state;
    const size_t sizes[] = {2047, 2048, 2049, 5000};
    for (size_t i = 0; i < 4; i++) {
        fault_env fault;
        sw__rand source;
        uint8_t a[5000] = {0};
        uint8_t b[5000] = {0};
        fault_env_init(&fault);
        sw__rand_init(&source, &fault.env);
        assert_int_equal(sw__rand_bytes(&source, a, sizes[i]), SW_OK);
        assert_int_equal(sw__rand_bytes(&source, b, sizes[i]), SW_OK);
        assert_memory_not_equal(a, b, sizes[i]);
        assert_memory_not_equal(a + sizes[i] - 8, (uint8_t[8]){0}, 8);
    }
}

static void test_unit_is_uniform(void **state)
{
    (void)state;
    fault_env fault;
    sw__rand source;
    int tenths[10] = {0};
    fault_env_init(&fault);
    sw__rand_init(&source, &fault.env);
    for (int i = 0; i < 100000; i++) {
        double unit = sw__rand_unit(&source);
        assert_true(unit >= 0 && unit < 1);
        tenths[(int)(unit * 10)]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], 9500, 10500);
}

static void test_failure_is_passed_on(void **state)
{
    (void)state;
    fault_env fault;
    sw__rand source;
    sw_uuid uuid;
    uint8_t bytes[4000];
    fault_env_init(&fault);
    fault.random_fails = true;
    sw__rand_init(&source, &fault.env);
    assert_int_equal(sw__rand_bytes(&source, bytes, 8), SW_EIO);
    assert_int_equal(sw__rand_bytes(&source, bytes, sizeof(bytes)), SW_EIO);
    assert_int_equal(sw__uuid7_new(&source, TIME_US, &uuid), SW_EIO);
    assert_true(sw__rand_unit(&source) == 0.5);
    fault.random_fails = false;
    assert_int_equal(sw__rand_bytes(&source, bytes, 8), SW_OK);
}

static uint64_t uuid_ms(const sw_uuid *uuid)
{
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid->bytes[i];
    return ms;
}

static void test_uuid_has_version_variant_and_time(void **state)
{
    (void)state;
    sw__rand source;
    sw_uuid uuid;
    sw__rand_init(&source, sw_env_system());
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sw__uuid7_new(&source, TIME_US + i * 1000, &uuid), SW_OK);
        assert_int_equal(uuid_ms(&uuid), TIME_US / 1000 + i);
        assert_int_equal(uuid.bytes[6] >> 4, 7);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
    }
}

/* A clock that stands, creeps, leaps and goes back; more UUIDs in one millisecond than the counter
 * can count. */
static void test_uuids_only_grow(void **state)
{
    (void)state;
    static const int64_t moves_us[] = {0, 0, 1, 999, 1000, -5000, 0, 100000000, -200000000};
    sw__rand source;
    sw_uuid last = {{0}};
    int64_t time_us = TIME_US;
    sw__rand_init(&source, sw_env_system());
    for (int i = 0; i < 50000; i++) {
        sw_uuid uuid;
        assert_int_equal(sw__uuid7_new(&source, time_us, &uuid), SW_OK);
        assert_true(memcmp(last.bytes, uuid.bytes, 16) < 0);
        assert_int_equal(uuid.bytes[6] >> 4, 7);
        last = uuid;
        if (i > 20000)
            time_us += moves_us[i % 9];
    }
}

static void test_uuid_of_a_time_before_1970(void **state)
{
    (void)state;
    sw__rand source;
    sw_uuid uuid;
    sw__rand_init(&source, sw_env_system());
    assert_int_equal(sw__uuid7_new(&source, -5, &uuid), SW_OK);
    assert_int_equal(uuid_ms(&uuid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_those_of_the_environment),
        cmocka_unit_test(test_given_bytes_are_wiped),
        cmocka_unit_test(test_requests_around_the_buffer),
        cmocka_unit_test(test_unit_is_uniform),
        cmocka_unit_test(test_failure_is_passed_on),
        cmocka_unit_test(test_uuid_has_version_variant_and_time),
        cmocka_unit_test(test_uuids_only_grow),
        cmocka_unit_test(test_uuid_of_a_time_before_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
