/* The real world behind sw_env: clocks, boot id, random bytes, memory, forks.
 *
 * Not here: processes (test_spawn.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "stepwell/error.h"

/* How the program's own getrandom behaves; it comes before that of the C library. */
enum { RANDOM_REAL, RANDOM_INTERRUPTED, RANDOM_SHORT, RANDOM_BROKEN };
static int random_mode = RANDOM_REAL;
static int random_calls;

ssize_t getrandom(void *out, size_t size, unsigned int flags)
{
    ssize_t (*real)(void *, size_t, unsigned int);
    *(void **)&real = dlsym(RTLD_NEXT, "getrandom");
    random_calls++;
    if (random_mode == RANDOM_BROKEN || (random_mode == RANDOM_INTERRUPTED && random_calls == 1)) {
        errno = random_mode == RANDOM_BROKEN ? ENOSYS : EINTR;
        return -1;
    }
    return real(out, random_mode == RANDOM_SHORT && size > 3 ? 3 : size, flags);
}

static bool boot_id_hidden;

/* Likewise; hides the boot id of the kernel, as a container without /proc does. */
int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...);
    *(void **)&real = dlsym(RTLD_NEXT, "open");
    va_list rest;
    va_start(rest, flags);
    int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
    va_end(rest);
    if (boot_id_hidden && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
        errno = ENOENT;
        return -1;
    }
    return real(path, flags, mode);
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void test_clocks_are_those_of_the_system(void **state)
{
    (void)state;
    const sw_env *env = sw_env_system();
    const struct {
        int64_t (*read)(void *context);
        clockid_t clock;
    } clocks[] = {{env->clock_mono_us, CLOCK_MONOTONIC},
                  {env->clock_boot_us, CLOCK_BOOTTIME},
                  {env->clock_wall_us, CLOCK_REALTIME}};
    for (size_t i = 0; i < 3; i++) {
        int64_t before = clock_us(clocks[i].clock);
        int64_t now = clocks[i].read(env->context);
        assert_true(before <= now && now <= clock_us(clocks[i].clock));
    }
}

static void test_boot_id_is_that_of_the_kernel(void **state)
{
    (void)state;
    const sw_env *env = sw_env_system();
    uint8_t id[16];
    uint8_t expected[16];
    assert_true(sw__boot_id_read("/proc/sys/kernel/random/boot_id", expected));
    env->boot_id(env->context, id);
    assert_memory_equal(id, expected, 16);
}

/* The guess may fall on either side of its grain, so there are two that are right. */
static void test_boot_id_without_proc_is_a_guess(void **state)
{
    (void)state;
    const sw_env *env = sw_env_system();
    uint8_t before[16];
    uint8_t id[16];
    uint8_t after[16];
    boot_id_hidden = true;
    sw__boot_id_guess(clock_us(CLOCK_REALTIME) - 2000000, clock_us(CLOCK_BOOTTIME), before);
    env->boot_id(env->context, id);
    sw__boot_id_guess(clock_us(CLOCK_REALTIME) + 2000000, clock_us(CLOCK_BOOTTIME), after);
    boot_id_hidden = false;
    assert_true(memcmp(id, before, 16) == 0 || memcmp(id, after, 16) == 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_boot_id_reads_only_a_uuid(void **state)
{
    (void)state;
    char path[] = "/tmp/stepwell-boot-XXXXXX";
    uint8_t id[16];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "0190163d-8694-739b-aea5-966c26f8ad91\n");
    assert_true(sw__boot_id_read(path, id));
    assert_int_equal(id[0], 0x01);
    assert_int_equal(id[15], 0x91);
    write_file(path, "0190163d-8694-739b-aea5");
    assert_false(sw__boot_id_read(path, id));
    write_file(path, "0190163d+8694+739b+aea5+966c26f8ad91\n");
    assert_false(sw__boot_id_read(path, id));
    unlink(path);
    assert_false(sw__boot_id_read(path, id));
}

/* The guess stays the same while the machine is up, whatever the two clocks drift, and changes
 * with a boot that is an hour later. */
static void test_boot_id_guess(void **state)
{
    (void)state;
    const int64_t grain_us = INT64_C(1024) * 1000000;
    const int64_t booted_us = 1700000 * grain_us / 1000 + grain_us / 2;
    uint8_t first[16];
    uint8_t later[16];
    sw__boot_id_guess(booted_us + 5, 5, first);
    sw__boot_id_guess(booted_us + INT64_C(86400) * 30 * 1000000 + 3000000,
                      INT64_C(86400) * 30 * 1000000, later);
    assert_memory_equal(first, later, 16);
    sw__boot_id_guess(booted_us + INT64_C(3600) * 1000000, 0, later);
    assert_memory_not_equal(first, later, 16);
}

static void test_random_bytes(void **state)
{
    (void)state;
    const sw_env *env = sw_env_system();
    for (int mode = RANDOM_REAL; mode <= RANDOM_SHORT; mode++) {
        uint8_t a[300] = {0};
        uint8_t b[300] = {0};
        random_mode = mode;
        random_calls = 0;
        assert_int_equal(env->random(env->context, a, sizeof(a)), SW_OK);
        assert_int_equal(env->random(env->context, b, sizeof(b)), SW_OK);
        assert_memory_not_equal(a, b, sizeof(a));
        assert_memory_not_equal(a + 280, (uint8_t[20]){0}, 20);
    }
    assert_true(random_calls > 100);
    random_mode = RANDOM_BROKEN;
    assert_int_equal(env->random(env->context, (uint8_t[8]){0}, 8), SW_EIO);
    random_mode = RANDOM_REAL;
}

static void test_resize_and_calloc(void **state)
{
    (void)state;
    const sw_env *env = sw_env_system();
    char *block = sw__resize(env, NULL, 3);
    memcpy(block, "abc", 3);
    block = sw__resize(env, block, 100000);
    assert_memory_equal(block, "abc", 3);
    sw__free(env, block);
    sw__free(env, NULL);
    uint8_t *zeros = sw__calloc(env, 100, 10);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(zeros[i], 0);
    sw__free(env, zeros);
    void *empty = sw__calloc(env, 0, 10);
    assert_non_null(empty);
    sw__free(env, empty);
    assert_null(sw__calloc(env, SIZE_MAX / 2, 3));
}

static const char *yielded;

static void remember_place(void *context, const char *place)
{
    *(const char **)context = place;
}

static void test_yield_is_optional(void **state)
{
    (void)state;
    sw_env env = *sw_env_system();
    sw__yield(&env, "nowhere");
    env.context = &yielded;
    env.yield = remember_place;
    sw__yield(&env, "here");
    assert_string_equal(yielded, "here");
}

/* Exit status of a child: 1 when it sees the generation of its parent. */
static int child_sees(uint32_t parent)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(sw__fork_generation() == parent);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_fork_changes_the_generation_of_the_child(void **state)
{
    (void)state;
    uint32_t generation = sw__fork_generation();
    assert_int_equal(sw__process_id(), getpid());
    assert_int_equal(child_sees(generation), 0);
    assert_int_equal(sw__fork_generation(), generation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_are_those_of_the_system),
        cmocka_unit_test(test_boot_id_is_that_of_the_kernel),
        cmocka_unit_test(test_boot_id_without_proc_is_a_guess),
        cmocka_unit_test(test_boot_id_reads_only_a_uuid),
        cmocka_unit_test(test_boot_id_guess),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_resize_and_calloc),
        cmocka_unit_test(test_yield_is_optional),
        cmocka_unit_test(test_fork_changes_the_generation_of_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
