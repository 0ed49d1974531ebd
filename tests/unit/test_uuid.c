/* The text form of UUIDs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "stepwell/error.h"

static const char sample[] = "0190163d-8694-739b-aea5-966c26f8ad91";
static const uint8_t sample_bytes[16] = {0x01, 0x90, 0x16, 0x3d, 0x86, 0x94, 0x73, 0x9b,
                                         0xae, 0xa5, 0x96, 0x6c, 0x26, 0xf8, 0xad, 0x91};

static void test_format(void **state)
{
    (void)state;
    sw_uuid uuid;
    char text[37];
    memcpy(uuid.bytes, sample_bytes, 16);
    sw_uuid_format(&uuid, text);
    assert_string_equal(text, sample);
}

static void test_parse_both_cases(void **state)
{
    (void)state;
    sw_uuid uuid;
    assert_int_equal(sw_uuid_parse(sw__str(sample), &uuid), SW_OK);
    assert_memory_equal(uuid.bytes, sample_bytes, 16);
    memset(&uuid, 0, sizeof(uuid));
    assert_int_equal(sw_uuid_parse(sw__str("0190163D-8694-739B-AEA5-966C26F8AD91"), &uuid), SW_OK);
    assert_memory_equal(uuid.bytes, sample_bytes, 16);
}

/* Any byte of the text replaced by one that may not stand there, and any other length. */
static void test_parse_refuses_everything_else(void **state)
{
    (void)state;
    sw_uuid uuid = {{0}};
    for (size_t i = 0; i < 36; i++) {
        char text[37];
        memcpy(text, sample, sizeof(text));
        text[i] = sample[i] == '-' ? '0' : 'g';
        assert_int_equal(sw_uuid_parse(sw__str(text), &uuid), SW_EINVAL);
        assert_int_equal(sw_uuid_parse((sw_str){sample, i}, &uuid), SW_EINVAL);
    }
    assert_int_equal(sw_uuid_parse((sw_str){sample, 37}, &uuid), SW_EINVAL);
    assert_int_equal(sw_uuid_parse((sw_str){NULL, 0}, &uuid), SW_EINVAL);
    assert_memory_equal(uuid.bytes, (uint8_t[16]){0}, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse_both_cases),
        cmocka_unit_test(test_parse_refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
