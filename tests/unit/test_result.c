/* Results: each accessor reads its own section and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/result.h"
#include "helper/fault_env.h"

static void test_each_accessor_reads_its_section(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw_result *result = sw__result_new(&fault.env);
    assert_non_null(result);
    static const char marks[SW__SECTION_COUNT];
    for (int i = 0; i < SW__SECTION_COUNT; i++)
        sw__result_set(result, (sw__section)i, &marks[i], (size_t)i + 1);
#define CHECK_SECTION(name, type, accessor)                                                        \
    {                                                                                              \
        size_t count = 999;                                                                        \
        assert_ptr_equal(accessor(result, &count), &marks[SW__##name]);                            \
        assert_int_equal(count, SW__##name + 1);                                                   \
        assert_ptr_equal(accessor(result, NULL), &marks[SW__##name]);                              \
    }
    SW__SECTION_MAP(CHECK_SECTION)
#undef CHECK_SECTION
    sw_result_free(result);
    assert_int_equal(fault.live, 0);
}

static void test_sections_are_empty_until_set(void **state)
{
    (void)state;
    sw_result *result = sw__result_new(sw_env_system());
#define CHECK_EMPTY(name, type, accessor)                                                          \
    {                                                                                              \
        size_t count = 999;                                                                        \
        assert_null(accessor(result, &count));                                                     \
        assert_int_equal(count, 0);                                                                \
        count = 999;                                                                               \
        assert_null(accessor(NULL, &count));                                                       \
        assert_int_equal(count, 0);                                                                \
    }
    SW__SECTION_MAP(CHECK_EMPTY)
#undef CHECK_EMPTY
    sw_result_free(result);
    sw_result_free(NULL);
}

static int result_make(const sw_env *env, void *context)
{
    (void)context;
    sw_result *result = sw__result_new(env);
    sw_result_free(result);
    return result ? SW_OK : SW_ENOMEM;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, result_make, NULL) >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_accessor_reads_its_section),
        cmocka_unit_test(test_sections_are_empty_until_set),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
