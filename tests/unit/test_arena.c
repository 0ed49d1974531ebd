/* The bump allocator: alignment, zeroing, growth, and staying failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

/* Pieces of every size around the usual blocks: aligned, zeroed, and not on top of each other. */
static void test_pieces_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    uint8_t *pieces[400];
    const size_t count = sizeof(pieces) / sizeof(pieces[0]);
    for (size_t i = 0; i < count; i++) {
        pieces[i] = sw__arena_alloc(arena, i * 7);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t k = 0; k < i * 7; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i & 0xff), i * 7);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i * 7; k++)
            assert_int_equal(pieces[i][k], i & 0xff);
    }
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
}

static void test_empty_pieces_are_unique(void **state)
{
    (void)state;
    sw__arena *arena = sw__arena_new(sw_env_system());
    void *first = sw__arena_alloc(arena, 0);
    assert_non_null(first);
    assert_ptr_not_equal(first, sw__arena_alloc(arena, 0));
    sw__arena_free(arena);
}

static void test_small_results_cost_one_allocation(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    for (int i = 0; i < 20; i++)
        assert_non_null(sw__arena_alloc(arena, 64));
    assert_int_equal(fault.asked, 1);
    sw__arena_free(arena);
}

/* A large piece must not waste the rest of the block before it. */
static void test_large_piece_keeps_the_current_block(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    char *before = sw__arena_alloc(arena, 16);
    assert_non_null(sw__arena_alloc(arena, 1 << 20));
    char *after = sw__arena_alloc(arena, 16);
    assert_ptr_equal(after, before + 16);
    assert_int_equal(fault.asked, 2);
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
}

/* Over and over the same pieces ask for no more memory; a large one does not stay. */
static void test_cleared_arena_keeps_a_block(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    assert_non_null(arena);
    sw__arena_clear(arena);
    assert_int_equal(fault.live, 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            assert_non_null(sw__arena_alloc(arena, 100));
        assert_non_null(sw__arena_alloc(arena, 1000000));
        sw__arena_clear(arena);
        assert_int_equal(fault.live, 2);
    }
    uint8_t *piece = sw__arena_alloc(arena, 4000);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(piece[i], 0);
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
}

static void test_cleared_arena_forgets_a_failure(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    fault_env_arm(&fault, 1, false);
    assert_null(sw__arena_alloc(arena, 100000));
    assert_true(sw__arena_failed(arena));
    sw__arena_clear(arena);
    assert_false(sw__arena_failed(arena));
    assert_non_null(sw__arena_alloc(arena, 100000));
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
}

static void test_sizes_that_overflow_fail(void **state)
{
    (void)state;
    const size_t sizes[][2] = {
        {SIZE_MAX, 1}, {SIZE_MAX - 20, 1}, {SIZE_MAX / 2, 3}, {2, SIZE_MAX / 2 + 1}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        sw__arena *arena = sw__arena_new(sw_env_system());
        assert_null(sw__arena_array(arena, sizes[i][0], sizes[i][1]));
        assert_true(sw__arena_failed(arena));
        sw__arena_free(arena);
    }
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_null(sw__arena_str(arena, (sw_str){"x", SIZE_MAX}).ptr);
    assert_true(sw__arena_failed(arena));
    sw__arena_free(arena);
}

static void test_strings_are_copied_and_terminated(void **state)
{
    (void)state;
    sw__arena *arena = sw__arena_new(sw_env_system());
    char text[] = "ab\0cd";
    sw_str copy = sw__arena_str(arena, (sw_str){text, 5});
    memset(text, 'x', 5);
    assert_int_equal(copy.len, 5);
    assert_memory_equal(copy.ptr, "ab\0cd", 6);
    sw_str absent = sw__arena_str(arena, (sw_str){NULL, 0});
    assert_null(absent.ptr);
    sw_str empty = sw__arena_str(arena, (sw_str){"", 0});
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    sw_str made = sw__arena_format(arena, "%s-%d", "step", 12);
    assert_int_equal(made.len, 7);
    assert_string_equal(made.ptr, "step-12");
    assert_false(sw__arena_failed(arena));
    assert_ptr_equal(sw__arena_env(arena), sw_env_system());
    sw__arena_free(arena);
}

/* A builder that checks once at its end must not see the pieces of a later success. */
static void test_arena_stays_failed(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    fault_env_arm(&fault, 1, false);
    assert_null(sw__arena_alloc(arena, 1 << 20));
    assert_null(sw__arena_alloc(arena, 1));
    assert_null(sw__arena_array(arena, 1, 1));
    assert_null(sw__arena_str(arena, (sw_str){"x", 1}).ptr);
    assert_null(sw__arena_format(arena, "x").ptr);
    assert_true(sw__arena_failed(arena));
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
}

static int arena_fill(const sw_env *env, void *context)
{
    (void)context;
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    for (size_t i = 0; i < 200; i++)
        sw__arena_format(arena, "%0*zu", (int)(i * 10), i);
    int rc = sw__arena_failed(arena) ? SW_ENOMEM : SW_OK;
    sw__arena_free(arena);
    return rc;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, arena_fill, NULL) > 4);
    sw__arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_aligned_zeroed_and_apart),
        cmocka_unit_test(test_empty_pieces_are_unique),
        cmocka_unit_test(test_small_results_cost_one_allocation),
        cmocka_unit_test(test_large_piece_keeps_the_current_block),
        cmocka_unit_test(test_cleared_arena_keeps_a_block),
        cmocka_unit_test(test_cleared_arena_forgets_a_failure),
        cmocka_unit_test(test_sizes_that_overflow_fail),
        cmocka_unit_test(test_strings_are_copied_and_terminated),
        cmocka_unit_test(test_arena_stays_failed),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
