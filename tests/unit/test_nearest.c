/* Suggestions of similar names, against a plain edit distance without bands and budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/nearest.h"

static const char *nearest(const char *word, const char *const *candidates)
{
    int64_t left = 1000000;
    sw__nearest search = sw__nearest_start(sw__str(word), &left);
    for (; *candidates; candidates++)
        sw__nearest_try(&search, sw__str(*candidates));
    return search.best.ptr;
}

static void test_typing_errors(void **state)
{
    (void)state;
    static const char *const keys[] = {"name", "depends_on", "timeout_ms", "parameters", NULL};
    assert_string_equal(nearest("nmae", keys), "name");
    assert_string_equal(nearest("names", keys), "name");
    assert_string_equal(nearest("nam", keys), "name");
    assert_string_equal(nearest("depend_on", keys), "depends_on");
    assert_string_equal(nearest("Depends-On", keys), "depends_on");
    assert_string_equal(nearest("paramters", keys), "parameters");
    assert_string_equal(nearest("timeoutms", keys), "timeout_ms");
    assert_null(nearest("handler", keys));
    assert_null(nearest("", keys));
    assert_null(nearest("xy", keys));
}

static void test_a_missing_end(void **state)
{
    (void)state;
    static const char *const keys[] = {"timeout_ms", "timeouts", "param", "parameters", NULL};
    assert_string_equal(nearest("Time", keys), "timeout_ms");
    assert_string_equal(nearest("timeout", keys), "timeouts");
    assert_string_equal(nearest("paramet", keys), "param");
    assert_null(nearest("tim", keys));
    assert_string_equal(nearest("parameters_of", keys), "parameters");
}

static void test_the_first_of_equally_near_names_wins(void **state)
{
    (void)state;
    static const char *const names[] = {"charge_a", "charge_b", NULL};
    assert_string_equal(nearest("charge_c", names), "charge_a");
    assert_string_equal(nearest("charge_b", names), "charge_b");
}

static void test_no_search_beyond_the_budget(void **state)
{
    (void)state;
    int64_t left = 20;
    sw__nearest search = sw__nearest_start(sw__str("abcdef"), &left);
    sw__nearest_try(&search, sw__str("abcdeX"));
    assert_null(search.best.ptr);
    assert_true(left < 0);
}

static void test_names_that_are_too_long(void **state)
{
    (void)state;
    char word[SW__NAME_MAX + 2];
    memset(word, 'a', sizeof(word));
    int64_t left = 1000000;
    sw_str longest = {word, SW__NAME_MAX}, longer = {word, SW__NAME_MAX + 1};
    sw__nearest search = sw__nearest_start(longer, &left);
    sw__nearest_try(&search, longest);
    assert_null(search.best.ptr);
    search = sw__nearest_start(longest, &left);
    sw__nearest_try(&search, longer);
    assert_null(search.best.ptr);
    sw__nearest_try(&search, (sw_str){word, SW__NAME_MAX - 3});
    assert_int_equal(search.best.len, SW__NAME_MAX - 3);
    sw__nearest_try(&search, longest);
    assert_int_equal(search.best.len, SW__NAME_MAX);
}

/* The whole table, letter by letter. */
static size_t reference_distance(sw_str a, sw_str b)
{
    size_t table[16][16];
    for (size_t i = 0; i <= a.len; i++) {
        for (size_t k = 0; k <= b.len; k++) {
            if (i == 0 || k == 0) {
                table[i][k] = i + k;
                continue;
            }
            size_t best = table[i - 1][k - 1] + (a.ptr[i - 1] != b.ptr[k - 1]);
            if (table[i - 1][k] + 1 < best)
                best = table[i - 1][k] + 1;
            if (table[i][k - 1] + 1 < best)
                best = table[i][k - 1] + 1;
            if (i > 1 && k > 1 && a.ptr[i - 1] == b.ptr[k - 2] && a.ptr[i - 2] == b.ptr[k - 1] &&
                table[i - 2][k - 2] + 1 < best)
                best = table[i - 2][k - 2] + 1;
            table[i][k] = best;
        }
    }
    return table[a.len][b.len];
}

static void test_random_words_against_the_whole_table(void **state)
{
    (void)state;
    srandom(7);
    size_t near = 0;
    for (int round = 0; round < 20000; round++) {
        char words[2][15];
        size_t lens[2];
        for (int w = 0; w < 2; w++) {
            lens[w] = 1 + (size_t)random() % 14;
            for (size_t i = 0; i < lens[w]; i++)
                words[w][i] = (char)('a' + random() % (round % 2 ? 2 : 4));
        }
        sw_str word = {words[0], lens[0]}, candidate = {words[1], lens[1]};
        size_t most = word.len / 3 < 1 ? 1 : word.len / 3 > 3 ? 3 : word.len / 3;
        int64_t left = 1000000;
        sw__nearest search = sw__nearest_start(word, &left);
        sw__nearest_try(&search, candidate);
        size_t distance = reference_distance(word, candidate);
        assert_int_equal(search.distance <= most, distance <= most);
        if (search.best.ptr && search.distance <= most) {
            assert_int_equal(search.distance, distance);
            near++;
        }
    }
    assert_true(near > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typing_errors),
        cmocka_unit_test(test_a_missing_end),
        cmocka_unit_test(test_the_first_of_equally_near_names_wins),
        cmocka_unit_test(test_no_search_beyond_the_budget),
        cmocka_unit_test(test_names_that_are_too_long),
        cmocka_unit_test(test_random_words_against_the_whole_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
