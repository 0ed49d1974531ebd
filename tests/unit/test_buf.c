/* The growing buffer: contents, growth, and staying failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

static void test_puts_append(void **state)
{
    (void)state;
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    sw__buf_put(&buf, "ab\0", 3);
    sw__buf_put(&buf, NULL, 0);
    sw__buf_put_byte(&buf, 'c');
    sw__buf_put_str(&buf, (sw_str){"de", 2});
    sw__buf_put_str(&buf, (sw_str){NULL, 0});
    sw__buf_put_text(&buf, "f");
    sw__buf_printf(&buf, "%d%s", 42, "!");
    assert_false(buf.failed);
    assert_int_equal(buf.len, 10);
    assert_memory_equal(sw__buf_str(&buf).ptr, "ab\0cdef42!", 10);
    sw__buf_free(&buf);
}

/* An empty buffer is an empty text and not an absent one. */
static void test_empty_text_is_present(void **state)
{
    (void)state;
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    assert_non_null(sw__buf_str(&buf).ptr);
    assert_int_equal(sw__buf_str(&buf).len, 0);
    sw__buf_free(&buf);
}

static void test_reserve_keeps_length(void **state)
{
    (void)state;
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    uint8_t *room = sw__buf_reserve(&buf, 1000);
    assert_non_null(room);
    memset(room, 'x', 1000);
    assert_int_equal(buf.len, 0);
    assert_true(buf.capacity >= 1000);
    buf.len = 1000;
    assert_ptr_equal(sw__buf_reserve(&buf, 0), buf.ptr + 1000);
    sw__buf_free(&buf);
    assert_null(buf.ptr);
}

static void test_growth_is_geometric(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__buf buf;
    sw__buf_init(&buf, &fault.env);
    for (int i = 0; i < 100000; i++)
        sw__buf_put_byte(&buf, (uint8_t)i);
    assert_true(fault.asked < 20);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf.ptr[i], (uint8_t)i);
    sw__buf_free(&buf);
    assert_int_equal(fault.live, 0);
}

static void test_failed_growth_keeps_content(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__buf buf;
    sw__buf_init(&buf, &fault.env);
    sw__buf_put_text(&buf, "kept");
    fault_env_arm(&fault, 1, false);
    sw__buf_put(&buf, (char[500]){0}, 500);
    assert_true(buf.failed);
    sw__buf_put_byte(&buf, 'x');
    sw__buf_put_text(&buf, "x");
    sw__buf_printf(&buf, "x");
    assert_null(sw__buf_reserve(&buf, 1));
    assert_true(sw__str_is(sw__buf_str(&buf), "kept"));
    sw__buf_clear(&buf);
    assert_false(buf.failed);
    sw__buf_put_text(&buf, "new");
    assert_true(sw__str_is(sw__buf_str(&buf), "new"));
    sw__buf_free(&buf);
    assert_int_equal(fault.live, 0);
}

static void test_sizes_that_overflow_fail(void **state)
{
    (void)state;
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    sw__buf_put_byte(&buf, 'x');
    assert_null(sw__buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    sw__buf_free(&buf);
}

static int buf_fill(const sw_env *env, void *context)
{
    (void)context;
    sw__buf buf;
    sw__buf_init(&buf, env);
    for (int i = 0; i < 500; i++)
        sw__buf_printf(&buf, "%d,", i);
    int rc = buf.failed ? SW_ENOMEM : SW_OK;
    sw__buf_free(&buf);
    return rc;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, buf_fill, NULL) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_puts_append),
        cmocka_unit_test(test_empty_text_is_present),
        cmocka_unit_test(test_reserve_keeps_length),
        cmocka_unit_test(test_growth_is_geometric),
        cmocka_unit_test(test_failed_growth_keeps_content),
        cmocka_unit_test(test_sizes_that_overflow_fail),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
