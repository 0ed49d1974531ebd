/* Lists of texts: what was written is read again, and every other array as any reader of JSON
 * would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "stepwell.h"
#include "base/str.h"
#include "base/texts.h"

static void expect(const char *json, const sw_str *texts, size_t count)
{
    sw_error error;
    size_t found = 0;
    sw_str *read = NULL;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__texts_read(arena, sw__str(json), &read, &found, &error), SW_OK);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(sw__str_equal(read[i], texts[i]));
        assert_int_equal(read[i].ptr[read[i].len], '\0');
    }
    sw__arena_free(arena);
}

static void test_what_was_written_is_read_again(void **state)
{
    (void)state;
    static const sw_str texts[] = {SW__LIT("a"), SW__LIT(""),        SW__LIT("parent:1, 2] ["),
                                   SW__LIT("~"), SW__LIT("\"q\\\t"), SW__LIT("gr\xc3\xbc\xc3\x9f")};
    for (size_t count = 0; count <= sizeof texts / sizeof texts[0]; count++) {
        sw__arena *arena = sw__arena_new(sw_env_system());
        sw_str json = sw__texts_write(arena, texts, count);
        assert_non_null(json.ptr);
        expect(json.ptr, texts, count);
        sw__arena_free(arena);
    }
}

static void test_arrays_that_others_wrote(void **state)
{
    (void)state;
    static const sw_str ab[] = {SW__LIT("a"), SW__LIT("b")};
    expect("[\"a\",\"b\"]", ab, 2);
    expect(" [ \"a\" , \"\\u0062\" ] ", ab, 2);
    expect("[]", NULL, 0);
    expect("[ ]", NULL, 0);
}

static void test_what_is_damaged_is_said_to_be(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "",           "[",        "\"a\"",           "{\"a\":\"b\"}", "[\"a\"",      "[\"a\",",
        "[\"a\",]",   "[,\"a\"]", "[\"a\"\"b\"]",    "[\"a\";\"b\"]", "[\"a\",\"b]", "[\"a\n\"]",
        "[\"\xff\"]", "[\"a\"]]", "[\"a\"],[\"b\"]", "[\"a\",b\"]",
    };
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        sw_error error;
        size_t count = 0;
        sw_str *texts = NULL;
        sw__arena *arena = sw__arena_new(sw_env_system());
        int rc = sw__texts_read(arena, sw__str(damaged[i]), &texts, &count, &error);
        if (rc != SW_ECORRUPT)
            fail_msg("%s: %d", damaged[i], rc);
        sw__arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read_again),
        cmocka_unit_test(test_arrays_that_others_wrote),
        cmocka_unit_test(test_what_is_damaged_is_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
