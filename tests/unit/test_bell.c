/* The doorbell of a database, as one process and several see it, and what others may do to its
 * file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/env.h"
#include "helper/live.h"

#define TONE_A UINT32_C(1)
#define TONE_B UINT32_C(2)
#define LONG_US INT64_C(20000000) /* longer than a test takes; nobody waits so long */
#define SHORT_US 20000

static char directory[64];
static char database[96];
static char file[112];

static int setup(void **state)
{
    (void)state;
    live_directory_make(directory);
    snprintf(database, sizeof database, "%s/a.db", directory);
    snprintf(file, sizeof file, "%s-bell", database);
    FILE *made = fopen(database, "w");
    return made ? fclose(made) : 1;
}

static int teardown(void **state)
{
    (void)state;
    live_directory_remove(directory);
    return 0;
}

static sw_bell *bell_open(void)
{
    sw_bell *bell = sw__bell_system_open(NULL, database);
    assert_non_null(bell);
    return bell;
}

static int64_t mono_us(void)
{
    return sw_env_system()->clock_mono_us(NULL);
}

/* Wait as a caller does, who comes back until a count has changed; microseconds that it took. */
static int64_t wait_for(sw_bell *bell, uint32_t tones, const uint32_t *counts, int64_t most_us)
{
    uint32_t now[SW_BELL_TONES];
    int64_t began_us = mono_us();
    while (mono_us() < began_us + most_us) {
        sw__bell_system_wait(NULL, bell, tones, counts, began_us + most_us);
        sw__bell_system_count(NULL, bell, now);
        for (int tone = 0; tone < SW_BELL_TONES; tone++) {
            if (tones >> tone & 1 && now[tone] != counts[tone])
                return mono_us() - began_us;
        }
    }
    return most_us;
}

/* A thread that waits for a tone. */
typedef struct waiter {
    pthread_t thread;
    sw_bell *bell;
    uint32_t tones;
    uint32_t counts[SW_BELL_TONES];
    atomic_bool heard;
} waiter;

static void *waiter_main(void *argument)
{
    waiter *self = argument;
    self->heard = wait_for(self->bell, self->tones, self->counts, LONG_US) < LONG_US;
    return NULL;
}

static void waiter_start(waiter *self, sw_bell *bell, uint32_t tones)
{
    *self = (waiter){.bell = bell, .tones = tones};
    sw__bell_system_count(NULL, bell, self->counts);
    assert_int_equal(pthread_create(&self->thread, NULL, waiter_main, self), 0);
}

static void waiter_hears(waiter *self)
{
    pthread_join(self->thread, NULL);
    assert_true(self->heard);
}

static void bell_wakes_who_listens_for_the_tone(void **state)
{
    (void)state;
    waiter one;
    waiter other;
    sw_bell *bell = bell_open();
    sw_bell *second = bell_open();
    waiter_start(&one, bell, TONE_A);
    waiter_start(&other, second, TONE_B);
    live_sleep_ms(20);
    sw__bell_system_ring(NULL, second, TONE_A);
    waiter_hears(&one);
    assert_false(other.heard);
    sw__bell_system_ring(NULL, bell, TONE_A | TONE_B);
    waiter_hears(&other);
    sw__bell_system_close(NULL, bell, 0);
    sw__bell_system_close(NULL, second, 0);
}

static void bell_counts_what_nobody_waited_for(void **state)
{
    (void)state;
    uint32_t counts[SW_BELL_TONES];
    sw_bell *bell = bell_open();
    sw__bell_system_count(NULL, bell, counts);
    assert_int_equal(wait_for(bell, TONE_A, counts, SHORT_US), SHORT_US);
    sw__bell_system_ring(NULL, bell, TONE_A);
    assert_int_equal(wait_for(bell, TONE_B, counts, SHORT_US), SHORT_US);
    assert_true(wait_for(bell, TONE_A, counts, LONG_US) < LONG_US);
    sw__bell_system_close(NULL, bell, 0);
}

static void bell_is_heard_in_other_processes(void **state)
{
    (void)state;
    waiter here;
    sw_bell *bell = bell_open();
    waiter_start(&here, bell, TONE_A);
    pid_t child = fork();
    if (child == 0) {
        sw_bell *theirs = sw__bell_system_open(NULL, database);
        if (theirs)
            sw__bell_system_ring(NULL, theirs, TONE_A);
        _exit(theirs ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    waiter_hears(&here);
    sw__bell_system_close(NULL, bell, 0);
}

/* Rings are raised by the kernel, so that none of two at one moment is lost. */
#define RINGERS 4
#define RINGS 500

static void *ringer_main(void *argument)
{
    for (int i = 0; i < RINGS; i++)
        sw__bell_system_ring(NULL, argument, TONE_A);
    return NULL;
}

static void bell_loses_no_ring_of_many_threads(void **state)
{
    (void)state;
    uint32_t before[SW_BELL_TONES];
    uint32_t after[SW_BELL_TONES];
    pthread_t threads[RINGERS];
    sw_bell *bell = bell_open();
    sw__bell_system_count(NULL, bell, before);
    for (int i = 0; i < RINGERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ringer_main, bell), 0);
    for (int i = 0; i < RINGERS; i++)
        pthread_join(threads[i], NULL);
    sw__bell_system_count(NULL, bell, after);
    assert_int_equal(after[0] - before[0], RINGERS * RINGS);
    sw__bell_system_close(NULL, bell, 0);
}

/* A file that is cut short under those who use it is SIGBUS for whoever touches its memory. */
static void bell_survives_a_file_that_is_cut_short(void **state)
{
    (void)state;
    static const off_t sizes[] = {0, 3, 70, 200};
    sw_bell *bell = bell_open();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        waiter one;
        waiter_start(&one, bell, TONE_A);
        live_sleep_ms(5);
        assert_int_equal(truncate(file, sizes[i]), 0);
        sw__bell_system_ring(NULL, bell, TONE_A);
        waiter_hears(&one);
        uint32_t counts[SW_BELL_TONES];
        assert_int_equal(truncate(file, sizes[i]), 0);
        sw__bell_system_count(NULL, bell, counts);
        sw_bell *second = bell_open();
        sw__bell_system_ring(NULL, second, TONE_A);
        assert_true(wait_for(bell, TONE_A, counts, LONG_US) < LONG_US);
        sw__bell_system_close(NULL, second, 0);
    }
    sw__bell_system_close(NULL, bell, 0);
}

/* While nobody can make the file whole, because another one has its name or the disk is full, a
 * wait is a short pause and a ring is lost; nothing else happens. */
static void bell_survives_a_file_that_is_overwritten(void **state)
{
    (void)state;
    uint32_t counts[SW_BELL_TONES];
    sw_bell *bell = bell_open();
    int fd = open(file, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "not a bell", 10), 10);
    close(fd);
    sw__bell_system_ring(NULL, bell, TONE_A);
    sw__bell_system_count(NULL, bell, counts);
    assert_int_equal(counts[0], 0);
    int64_t began_us = mono_us();
    sw__bell_system_wait(NULL, bell, TONE_A, counts, began_us + LONG_US);
    assert_true(mono_us() - began_us < LONG_US);
    assert_null(sw__bell_system_open(NULL, database));
    sw__bell_system_close(NULL, bell, 0);
}

static void bell_follows_a_file_that_is_replaced(void **state)
{
    (void)state;
    waiter one;
    sw_bell *bell = bell_open();
    waiter_start(&one, bell, TONE_A);
    assert_int_equal(unlink(file), 0);
    sw_bell *fresh = bell_open();
    live_sleep_ms(505);
    uint32_t counts[SW_BELL_TONES];
    sw__bell_system_count(NULL, bell, counts); /* moves, and so does who waits */
    live_sleep_ms(5);
    sw__bell_system_ring(NULL, fresh, TONE_A);
    waiter_hears(&one);
    sw__bell_system_close(NULL, bell, 0);
    sw__bell_system_close(NULL, fresh, 0);
}

/* Two links to one database have one bell, and it is found again after a chdir. */
static void bell_belongs_to_the_file_behind_links(void **state)
{
    (void)state;
    char link[96];
    uint32_t counts[SW_BELL_TONES];
    snprintf(link, sizeof link, "%s/link.db", directory);
    assert_int_equal(symlink(database, link), 0);
    sw_bell *bell = bell_open();
    sw_bell *linked = sw__bell_system_open(NULL, link);
    assert_non_null(linked);
    sw__bell_system_count(NULL, bell, counts);
    sw__bell_system_ring(NULL, linked, TONE_B);
    assert_true(wait_for(bell, TONE_B, counts, LONG_US) < LONG_US);
    sw__bell_system_close(NULL, bell, 0);
    sw__bell_system_close(NULL, linked, 0);
}

static void bell_is_not_opened_where_it_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(mkdir(file, 0700), 0);
    assert_null(sw__bell_system_open(NULL, database));
    rmdir(file);
    assert_int_equal(symlink("elsewhere", file), 0);
    assert_null(sw__bell_system_open(NULL, database));
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_null(sw__bell_system_open(NULL, database));
    unlink(file);
    assert_null(sw__bell_system_open(NULL, "/nowhere/at.db"));
}

/* Who may write the database may ring. */
static void bell_has_the_rights_of_the_database(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(chmod(database, 0664), 0);
    mode_t before = umask(077);
    sw_bell *bell = bell_open();
    umask(before);
    assert_int_equal(stat(file, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0664);
    sw__bell_system_close(NULL, bell, 0);
}

static void bell_is_given_up_in_a_child(void **state)
{
    (void)state;
    sw_bell *bell = bell_open();
    pid_t child = fork();
    if (child == 0) {
        sw__bell_system_close(NULL, bell, 1);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    sw__bell_system_ring(NULL, bell, TONE_A);
    sw__bell_system_close(NULL, bell, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(bell_wakes_who_listens_for_the_tone),
        TEST(bell_counts_what_nobody_waited_for),
        TEST(bell_is_heard_in_other_processes),
        TEST(bell_loses_no_ring_of_many_threads),
        TEST(bell_survives_a_file_that_is_cut_short),
        TEST(bell_survives_a_file_that_is_overwritten),
        TEST(bell_follows_a_file_that_is_replaced),
        TEST(bell_belongs_to_the_file_behind_links),
        TEST(bell_is_not_opened_where_it_cannot_be),
        TEST(bell_has_the_rights_of_the_database),
        TEST(bell_is_given_up_in_a_child),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
