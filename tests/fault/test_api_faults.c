/* Every public call without memory: allocation number n fails, for every n, once and for ever, ours
 * and SQLite's. The call answers SW_ENOMEM or succeeds, a failed one has written nothing, the same
 * call succeeds afterwards, nothing leaks, and the history verifies.
 *
 *     test_api_faults [N OF]      every scenario, or share N of OF, which run beside each other
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/calls.h"
#include "helper/live.h"
#include "helper/sqlite_heap.h"

#define VERIFY_EVERY 64 /* failures between two verifications of the whole history */

/* Sanitizers are slow: there, of many allocations some; elsewhere each. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTS_STEP 3
#else
#define FAULTS_STEP 1
#endif

/* Whether allocation number nth was one that the call makes. */
static bool fail_nth(calls_world *w, const calls_scenario *s, size_t nth, bool for_ever)
{
    sw_error error;
    s->prepare(w);
    calls_entries_added(w);
    fault_env_arm(&w->fault, nth, for_ever);
    int rc = s->act(w, &error);
    size_t failed = w->fault.failed;
    fault_env_arm(&w->fault, 0, false);
    if (failed == 0) {
        calls_must(rc, &error);
        return false;
    }
    /* A cache that cannot be filled is no reason to fail. */
    if (rc != SW_ENOMEM && rc != SW_OK)
        fail_msg("allocation %zu%s: %s: %s", nth, for_ever ? " and all after it" : "",
                 sw_code_name(rc), error.message);
    if (rc == SW_OK)
        return true;
    assert_int_equal(error.code, SW_ENOMEM);
    assert_true(error.message[0] != 0);
    assert_int_equal(calls_entries_added(w), 0);
    calls_must(s->act(w, &error), &error);
    if (nth % VERIFY_EVERY == 0)
        calls_verify(w);
    return true;
}

static void play(calls_world *w, const calls_scenario *s)
{
    size_t tried[2] = {0};
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        for (size_t nth = 1; fail_nth(w, s, nth, for_ever == 1); nth += FAULTS_STEP)
            tried[for_ever]++;
    }
    /* What was written in spite of failures is whole. */
    sw_error error;
    calls_verify(w);
    calls_must(calls_find("list workers")->act(w, &error), &error);
    calls_must(calls_find("list tasks")->act(w, &error), &error);
    /* A scenario in which nothing can fail would prove nothing. */
    print_message("%s: %zu and %zu failures\n", s->name, tried[0], tried[1]);
    assert_true(tried[0] > 0 && tried[1] > 0);
}

static calls_world shared;
static size_t share = 0;
static size_t share_count = 1;

/* Each scenario of the share in a store of its own; directory NULL: in memory. */
static void play_all(const char *directory)
{
    char store[128] = "memory:";
    calls_world *w = &shared;
    for (size_t i = share; i < calls_count(); i += share_count) {
        if (directory)
            snprintf(store, sizeof(store), "%s/%zu.db", directory, i);
        snprintf(w->fresh, sizeof(w->fresh), "%s%s", store, directory ? ".fresh" : "");
        calls_open(w, store);
        play(w, calls_at(i));
        calls_close(w);
        assert_int_equal(w->fault.live, sqlite_heap_live());
    }
}

static void test_faults_in_memory(void **state)
{
    (void)state;
    play_all(NULL);
}

static void test_faults_in_sqlite(void **state)
{
    char directory[64];
    char store[128];
    (void)state;
    live_directory_make_fast(directory);
    play_all(directory);
    /* What is left is what SQLite keeps for the process, however often it was opened. */
    size_t kept = sqlite_heap_live();
    snprintf(store, sizeof(store), "%s/0.db", directory);
    calls_open(&shared, store);
    calls_verify(&shared);
    calls_close(&shared);
    assert_int_equal(sqlite_heap_live(), kept);
    live_directory_remove(directory);
}

/* Random bytes that are refused: for identifiers, salts and jitter. */
static void test_faults_of_random(void **state)
{
    static const char *const needing[] = {"submit many", "report a failure", "append events"};
    calls_world *w = &shared;
    sw_error error;
    (void)state;
    calls_open(w, "memory:");
    for (size_t i = share; i < sizeof(needing) / sizeof(needing[0]); i += share_count) {
        const calls_scenario *s = calls_find(needing[i]);
        bool failed = false;
        for (int round = 0; round < 200; round++) {
            s->prepare(w);
            calls_entries_added(w);
            w->fault.random_fails = true;
            int rc = s->act(w, &error);
            w->fault.random_fails = false;
            if (rc < 0) {
                failed = true;
                assert_int_equal(rc, SW_EIO);
                assert_int_equal(calls_entries_added(w), 0);
                calls_must(s->act(w, &error), &error);
            }
        }
        assert_true(failed);
        calls_verify(w);
    }
    calls_close(w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_in_memory),
        cmocka_unit_test(test_faults_in_sqlite),
        cmocka_unit_test(test_faults_of_random),
    };
    if (argc == 3) {
        share = strtoul(argv[1], NULL, 10) - 1;
        share_count = strtoul(argv[2], NULL, 10);
    }
    if ((argc != 1 && argc != 3) || share >= share_count) {
        fprintf(stderr, "usage: test_api_faults [N OF]\n");
        return 2;
    }
    fault_env_init(&shared.fault);
    shared.durability = SW_DURABILITY_RELAXED;
    sqlite_heap_use(&shared.fault);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
