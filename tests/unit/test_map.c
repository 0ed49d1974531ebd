/* The hash maps against arrays that hold the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "stepwell/error.h"

#define KEYS 5000

/* Keys that differ only in high bits are what step numbers look like. */
static int64_t key_at(int i)
{
    return (int64_t)((uint64_t)i << 20) ^ (i % 3 ? 0 : INT64_MIN);
}

static void test_map_holds_what_was_put(void **state)
{
    (void)state;
    sw__map map;
    sw__map_init(&map, sw_env_system());
    assert_null(sw__map_find(&map, 0));
    for (int i = 0; i < KEYS; i++) {
        assert_null(sw__map_find(&map, key_at(i)));
        assert_int_equal(sw__map_put(&map, key_at(i), i), SW_OK);
    }
    assert_int_equal(map.count, KEYS);
    for (int i = 0; i < KEYS; i += 2)
        assert_int_equal(sw__map_put(&map, key_at(i), -i), SW_OK);
    assert_int_equal(map.count, KEYS);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(*sw__map_find(&map, key_at(i)), i % 2 ? i : -i);
    assert_null(sw__map_find(&map, 1));
    sw__map_free(&map);
}

static void test_map_value_can_be_changed_in_place(void **state)
{
    (void)state;
    sw__map map;
    sw__map_init(&map, sw_env_system());
    assert_int_equal(sw__map_put(&map, 7, 1), SW_OK);
    *sw__map_find(&map, 7) += 1;
    assert_int_equal(*sw__map_find(&map, 7), 2);
    sw__map_free(&map);
}

static void test_map_clear_keeps_memory(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    sw__map map;
    sw__map_init(&map, &fault.env);
    sw__map_clear(&map);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            assert_int_equal(sw__map_put(&map, i, i + round), SW_OK);
        assert_int_equal(*sw__map_find(&map, 99), 99 + round);
        sw__map_clear(&map);
        assert_null(sw__map_find(&map, 99));
        assert_int_equal(map.count, 0);
    }
    assert_int_equal(fault.live, 1);
    sw__map_free(&map);
    assert_int_equal(fault.live, 0);
}

static sw_str text_key(char *text, size_t size, int i)
{
    return (sw_str){text, (size_t)snprintf(text, size, "%*d", i % 23, i)};
}

static void test_strmap_holds_what_was_put(void **state)
{
    (void)state;
    static char keys[KEYS][32];
    sw__strmap map;
    sw__strmap_init(&map, sw_env_system());
    assert_null(sw__strmap_find(&map, (sw_str){NULL, 0}));
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(sw__strmap_put(&map, text_key(keys[i], sizeof(keys[i]), i), i), SW_OK);
    assert_int_equal(map.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        char other[32];
        assert_int_equal(*sw__strmap_find(&map, text_key(other, sizeof(other), i)), i);
    }
    assert_null(sw__strmap_find(&map, sw__str("nothing")));
    assert_int_equal(sw__strmap_put(&map, sw__str("0"), 77), SW_OK);
    assert_int_equal(*sw__strmap_find(&map, sw__str("0")), 77);
    assert_int_equal(map.count, KEYS);
    sw__strmap_free(&map);
}

/* Every length around the words the hash is fed with, and bytes that are zero. */
static void test_strmap_tells_lengths_apart(void **state)
{
    (void)state;
    static const char zeros[40] = {0};
    sw__strmap map;
    sw__strmap_init(&map, sw_env_system());
    for (size_t len = 0; len < sizeof(zeros); len++)
        assert_int_equal(sw__strmap_put(&map, (sw_str){zeros, len}, (int64_t)len), SW_OK);
    for (size_t len = 0; len < sizeof(zeros); len++)
        assert_int_equal(*sw__strmap_find(&map, (sw_str){zeros, len}), len);
    assert_int_equal(*sw__strmap_find(&map, (sw_str){NULL, 0}), 0);
    sw__strmap_free(&map);
}

static void test_strmap_hash_is_keyed(void **state)
{
    (void)state;
    sw__strmap a;
    sw__strmap b;
    sw__strmap_init(&a, sw_env_system());
    sw__strmap_init(&b, sw_env_system());
    assert_int_equal(sw__strmap_put(&a, sw__str("same"), 1), SW_OK);
    assert_int_equal(sw__strmap_put(&b, sw__str("same"), 1), SW_OK);
    assert_memory_not_equal(a.seed, b.seed, sizeof(a.seed));
    uint64_t hashes[2] = {0, 0};
    for (size_t i = 0; i < a.capacity; i++) {
        hashes[0] += a.slots[i].hash;
        hashes[1] += b.slots[i].hash;
    }
    assert_true(hashes[0] != hashes[1]);
    sw__strmap_free(&a);
    sw__strmap_free(&b);
}

static void test_strmap_works_without_random_bytes(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    fault.random_fails = true;
    sw__strmap map;
    sw__strmap_init(&map, &fault.env);
    assert_int_equal(sw__strmap_put(&map, sw__str("a"), 1), SW_OK);
    assert_int_equal(*sw__strmap_find(&map, sw__str("a")), 1);
    assert_true(map.seed[0] != 0 && map.seed[1] != 0);
    sw__strmap_free(&map);
}

/* A failed growth must leave every entry findable. */
static int maps_fill(const sw_env *env, void *context)
{
    (void)context;
    char keys[60][8];
    int rc = SW_OK;
    sw__map map;
    sw__strmap strmap;
    sw__map_init(&map, env);
    sw__strmap_init(&strmap, env);
    int put = 0;
    for (; put < 60 && rc == SW_OK; put++) {
        rc = sw__map_put(&map, put, put);
        if (rc == SW_OK)
            rc = sw__strmap_put(&strmap, text_key(keys[put], sizeof(keys[put]), put % 7), put);
    }
    for (int i = 0; i < put - (rc < 0); i++) {
        assert_non_null(sw__map_find(&map, i));
        assert_non_null(sw__strmap_find(&strmap, text_key(keys[i], sizeof(keys[i]), i % 7)));
    }
    sw__strmap_free(&strmap);
    sw__map_free(&map);
    return rc;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, maps_fill, NULL) >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_holds_what_was_put),
        cmocka_unit_test(test_map_value_can_be_changed_in_place),
        cmocka_unit_test(test_map_clear_keeps_memory),
        cmocka_unit_test(test_strmap_holds_what_was_put),
        cmocka_unit_test(test_strmap_tells_lengths_apart),
        cmocka_unit_test(test_strmap_hash_is_keyed),
        cmocka_unit_test(test_strmap_works_without_random_bytes),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
