/* Base64 against RFC 4648, and everything that is close to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base64.h"
#include "base/str.h"

static void assert_pair(sw_str bytes, const char *text)
{
    sw__buf buf;
    uint8_t read[64];
    size_t size = 0;
    sw__buf_init(&buf, sw_env_system());
    sw__base64_put(&buf, bytes.ptr, bytes.len);
    assert_int_equal(buf.len, SW__BASE64_LENGTH(bytes.len));
    assert_int_equal(buf.len, strlen(text));
    if (buf.len > 0)
        assert_memory_equal(buf.ptr, text, buf.len);
    assert_true(sw__base64_read(sw__str(text), read, bytes.len, &size));
    assert_int_equal(size, bytes.len);
    assert_memory_equal(read, bytes.ptr, size);
    if (bytes.len > 0)
        assert_false(sw__base64_read(sw__str(text), read, bytes.len - 1, &size));
    sw__buf_free(&buf);
}

static void test_published_examples(void **state)
{
    (void)state;
    assert_pair((sw_str)SW__LIT(""), "");
    assert_pair((sw_str)SW__LIT("f"), "Zg==");
    assert_pair((sw_str)SW__LIT("fo"), "Zm8=");
    assert_pair((sw_str)SW__LIT("foo"), "Zm9v");
    assert_pair((sw_str)SW__LIT("foob"), "Zm9vYg==");
    assert_pair((sw_str)SW__LIT("fooba"), "Zm9vYmE=");
    assert_pair((sw_str)SW__LIT("foobar"), "Zm9vYmFy");
    assert_pair((sw_str)SW__LIT("\xff\xef\xfe\x00"), "/+/+AA==");
}

/* Of all texts of four characters that begin with "AA", 1 + 16 + 4,096 can be read, no two as the
 * same bytes: "AA==", "AAx=" with two bits 0, and "AAxy". */
static void test_one_text_for_each_run_of_bytes(void **state)
{
    int readable = 0;
    (void)state;
    for (int third = 0; third < 256; third++) {
        for (int fourth = 0; fourth < 256; fourth++) {
            char text[4] = {'A', 'A', (char)third, (char)fourth};
            char again[5] = {0};
            uint8_t bytes[3];
            size_t size = 0;
            sw__buf buf;
            if (!sw__base64_read((sw_str){text, 4}, bytes, 3, &size))
                continue;
            sw__buf_init(&buf, sw_env_system());
            sw__base64_put(&buf, bytes, size);
            memcpy(again, buf.ptr, 4);
            assert_memory_equal(again, text, 4);
            sw__buf_free(&buf);
            readable++;
        }
    }
    assert_int_equal(readable, 1 + 16 + 4096);
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const texts[] = {
        "A",        "AA",   "AAA",  "A===", "====",   "AA=A", "AA==AAAA",
        "AAA=AAAA", "AB==", "AAB=", "AA A", "AAAA\n", "AA-_", "AAAAAAA\n"};
    uint8_t bytes[16];
    size_t size = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(sw__base64_read(sw__str(texts[i]), bytes, sizeof(bytes), &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_examples),
        cmocka_unit_test(test_one_text_for_each_run_of_bytes),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
