/* Work that goes round: taken back in order, done once, by no thread more than was asked for;
 * threads and memory that the machine does not give; an end before the last piece. Not here: what
 * verifications do with it (test_audit_relay.c, test_audit_ahead.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "audit/ring.h"
#include "helper/fault_env.h"

#define JOBS_MAX 8
#define PIECES 500

/* The program's own functions come before those of the system. */
static int threads_left; /* that the machine gives */
static int threads_begun;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (threads_left-- <= 0)
        return EAGAIN;
    threads_begun++;
    return real(thread, attributes, body, argument);
}

/* What lies in a slot; threads and the caller touch it without a lock, so that TSan sees whether it
 * is ever two at a time that have it. */
typedef struct piece {
    int number;
    int outcome; /* of the work; below 0: it failed */
    int times;   /* done */
} piece;

typedef struct ring_test {
    sw__ring *ring;
    sw__hasher *hasher;
    piece pieces[SW__RING_SLOTS(JOBS_MAX)];
    int fails_at; /* number of a piece whose work fails; -1: none */
    atomic_int done;
    int put;
    int taken;
} ring_test;

/* Numbers do not take equally long, so that later ones are done before earlier ones. */
static void work(void *context, int slot, sw__hasher *hasher)
{
    ring_test *t = context;
    piece *own = &t->pieces[slot];
    const sw_str part = {(const char *)&own->number, sizeof(own->number)};
    uint8_t hash[32];
    for (int i = own->number % 7 * 20; i >= 0; i--)
        assert_int_equal(sw__hash(hasher, &part, 1, hash), 0);
    own->outcome = own->number == t->fails_at ? -1 : own->number + 1000;
    own->times++;
    atomic_fetch_add(&t->done, 1);
}

static void begin(ring_test *t, int jobs, int threads)
{
    *t = (ring_test){.fails_at = -1, .hasher = sw__hasher_new(sw_env_system())};
    assert_non_null(t->hasher);
    threads_left = threads;
    threads_begun = 0;
    assert_int_equal(sw__ring_open(&t->ring, sw_env_system(), t->hasher, jobs, work, t), 0);
}

static void end(ring_test *t)
{
    sw__ring_close(t->ring);
    sw__hasher_free(t->hasher);
}

static void put(ring_test *t)
{
    int slot = sw__ring_room(t->ring);
    assert_true(slot >= 0);
    t->pieces[slot] = (piece){.number = t->put++};
    sw__ring_put(t->ring);
}

/* The next one in order; what its work has left there. */
static int take(ring_test *t)
{
    int slot = sw__ring_take(t->ring);
    assert_true(slot >= 0);
    assert_int_equal(sw__ring_take(t->ring), slot); /* until it is released */
    const piece *own = &t->pieces[slot];
    assert_int_equal(own->number, t->taken++);
    assert_int_equal(own->times, 1);
    int outcome = own->outcome;
    sw__ring_release(t->ring);
    return outcome;
}

/* As full as it becomes, and then one in, one out. */
static void go_round(ring_test *t, int count)
{
    while (t->taken < count) {
        while (t->put < count && sw__ring_room(t->ring) >= 0)
            put(t);
        int number = t->taken;
        assert_int_equal(take(t), number + 1000);
    }
    assert_int_equal(sw__ring_take(t->ring), -1);
    assert_int_equal(t->done, count);
}

static void test_pieces_come_back_in_order(void **state)
{
    ring_test t;
    (void)state;
    for (int jobs = 1; jobs <= JOBS_MAX; jobs++) {
        begin(&t, jobs, 1000);
        go_round(&t, PIECES);
        assert_int_equal(threads_begun, jobs - 1);
        end(&t);
    }
}

/* Each taken back as soon as it was put: nobody has to wait for a second one. */
static void test_one_piece_at_a_time(void **state)
{
    ring_test t;
    (void)state;
    begin(&t, 3, 1000);
    for (int i = 0; i < 20; i++) {
        put(&t);
        assert_int_equal(take(&t), i + 1000);
        assert_int_equal(sw__ring_take(t.ring), -1);
    }
    end(&t);
}

static void test_no_more_pieces_than_slots(void **state)
{
    ring_test t;
    (void)state;
    begin(&t, 2, 1000);
    for (int i = 0; i < SW__RING_SLOTS(2); i++)
        put(&t);
    assert_int_equal(sw__ring_room(t.ring), -1);
    assert_int_equal(take(&t), 1000);
    put(&t);
    assert_int_equal(sw__ring_room(t.ring), -1);
    end(&t);
}

static void test_no_more_threads_than_pieces(void **state)
{
    ring_test t;
    (void)state;
    for (int count = 1; count < 6; count++) {
        begin(&t, JOBS_MAX, 1000);
        go_round(&t, count);
        assert_int_equal(threads_begun, count - 1);
        end(&t);
    }
}

/* From the first on, and later; nobody asks again. */
static void test_threads_that_cannot_be_started(void **state)
{
    ring_test t;
    (void)state;
    for (int threads = 0; threads < JOBS_MAX; threads++) {
        begin(&t, JOBS_MAX, threads);
        go_round(&t, PIECES);
        assert_int_equal(threads_begun, threads);
        assert_true(threads_left == (threads < JOBS_MAX - 1 ? -1 : 0));
        end(&t);
    }
}

/* The slot says so, and the others are done. */
static void test_work_that_fails(void **state)
{
    ring_test t;
    (void)state;
    for (int jobs = 1; jobs <= 3; jobs++) {
        begin(&t, jobs, 1000);
        t.fails_at = 3;
        for (int i = 0; i < 10; i++) {
            if (i < SW__RING_SLOTS(jobs))
                put(&t);
        }
        for (int i = 0; t.taken < t.put; i++)
            assert_int_equal(take(&t), i == 3 ? -1 : i + 1000);
        end(&t);
    }
}

static int thread_count(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* While pieces wait, are worked on, or were never put; at once, so that threads have not begun. */
static void test_an_early_end(void **state)
{
    ring_test t;
    (void)state;
    int before = thread_count();
    for (int count = 0; count < 60; count++) {
        begin(&t, 4, 1000);
        for (int i = 0; i < count % 9; i++)
            put(&t);
        for (int i = 0; i < count % 5 && t.taken < t.put; i++)
            take(&t);
        end(&t);
        assert_true(t.done <= t.put);
    }
    sw__ring_close(NULL);
    for (int i = 0; i < 1000 && thread_count() > before; i++)
        usleep(1000); /* one that was joined is in the list for a moment longer */
    assert_int_equal(thread_count(), before);
}

static int go_round_with(const sw_env *env, void *context)
{
    ring_test t = {.fails_at = -1, .hasher = context};
    threads_left = 1000;
    int rc = sw__ring_open(&t.ring, env, t.hasher, 3, work, &t);
    if (rc == 0)
        go_round(&t, 20);
    sw__ring_close(t.ring);
    return rc;
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    (void)state;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, go_round_with, hasher) >= 5);
    assert_int_equal(fault.live, 0);
    sw__hasher_free(hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_come_back_in_order),
        cmocka_unit_test(test_one_piece_at_a_time),
        cmocka_unit_test(test_no_more_pieces_than_slots),
        cmocka_unit_test(test_no_more_threads_than_pieces),
        cmocka_unit_test(test_threads_that_cannot_be_started),
        cmocka_unit_test(test_work_that_fails),
        cmocka_unit_test(test_an_early_end),
        cmocka_unit_test(test_memory_fails),
    };
    return cmocka_run_group_tests_name("audit_ring", tests, NULL, NULL);
}
