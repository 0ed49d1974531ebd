/* worker/guard: what a killed process leaves behind is killed, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/live.h"
#include "worker/guard.h"

static bool dies_soon(long pid)
{
    for (int i = 0; i < 1000 && live_process_runs(pid); i++)
        live_sleep_ms(10);
    return !live_process_runs(pid);
}

/* Start a shell that prints its number and that of a child which ignores TERM. */
static int start_family(const sw__guard *guard, int out_fd, int64_t *pid)
{
    static const char *const argv[] = {
        "sh", "-c", "(trap '' TERM HUP; exec sleep 300) & echo $$ $!; exec >&-; wait", NULL};
    const sw_env *env = sw_env_system();
    const sw_spawn_request request = {
        .size = sizeof(request),
        .stdout_fd = out_fd,
        .stderr_fd = 2,
        .cwd_fd = -1,
        .path = "sh",
        .argv = argv,
        .guard_fd = guard->fd,
    };
    return env->spawn(env->context, &request, pid);
}

static void read_family(int fd, long family[2])
{
    char text[64] = {0};
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    assert_int_equal(sscanf(text, "%ld %ld", &family[0], &family[1]), 2);
}

/* A runner in small: a guard and a command, then it waits to be killed. With hold another process,
 * which lives until that pipe is closed, has copies of all its descriptors. */
static pid_t fork_owner(int out_fd, const int hold[2], bool forget)
{
    pid_t owner = fork();
    if (owner != 0)
        return owner;
    sw__guard guard;
    int64_t pid = 0;
    char byte;
    sw__guard_init(&guard, sw_env_system());
    if (sw__guard_start(&guard, NULL) < 0 || start_family(&guard, out_fd, &pid) < 0)
        _exit(1);
    if (forget)
        sw__guard_forget(guard.fd, pid);
    if (hold && fork() == 0) {
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) != 0);
    }
    if (hold)
        close(hold[1]);
    for (;;)
        pause();
}

static void owner_is_killed(const int hold[2], bool forget, long family[2])
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t owner = fork_owner(ends[1], hold, forget);
    read_family(ends[0], family);
    assert_true(live_process_runs(family[0]));
    assert_true(live_process_runs(family[1]));
    live_sleep_ms(100);
    kill(owner, SIGKILL);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    close(ends[0]);
    close(ends[1]);
}

static void test_guard_kills_the_family(void **state)
{
    (void)state;
    long family[2];
    owner_is_killed(NULL, false, family);
    assert_true(dies_soon(family[0]));
    assert_true(dies_soon(family[1]));
}

static void test_guard_does_not_wait_for_forked_copies(void **state)
{
    (void)state;
    long family[2];
    int hold[2];
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    owner_is_killed(hold, false, family);
    assert_true(dies_soon(family[0]));
    assert_true(dies_soon(family[1]));
    close(hold[0]);
    close(hold[1]);
}

static void test_guard_spares_what_it_was_told_to_forget(void **state)
{
    (void)state;
    long family[2];
    owner_is_killed(NULL, true, family);
    live_sleep_ms(500);
    assert_true(live_process_runs(family[1]));
    kill((pid_t)-family[0], SIGKILL);
}

static void test_guard_ends_with_its_runner(void **state)
{
    (void)state;
    sw__guard guard;
    sw__guard_init(&guard, sw_env_system());
    sw__guard_close(&guard); /* never started */
    assert_int_equal(sw__guard_start(&guard, NULL), 0);
    long pid = (long)guard.pid;
    assert_true(live_process_runs(pid));
    assert_int_equal(sw__guard_start(&guard, NULL), 0);
    assert_int_equal(guard.pid, pid); /* one is enough */
    sw__guard_close(&guard);
    assert_false(live_process_runs(pid));
}

/* Also when a forked child holds a copy of the socket. */
static void test_guard_close_does_not_wait_for_forked_copies(void **state)
{
    (void)state;
    sw__guard guard;
    sw__guard_init(&guard, sw_env_system());
    assert_int_equal(sw__guard_start(&guard, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        sleep(20);
        _exit(0);
    }
    alarm(10);
    sw__guard_close(&guard);
    alarm(0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void test_guard_is_started_again(void **state)
{
    (void)state;
    sw__guard guard;
    sw__guard_init(&guard, sw_env_system());
    assert_int_equal(sw__guard_start(&guard, NULL), 0);
    int fd = guard.fd;
    long pid = (long)guard.pid;
    kill((pid_t)pid, SIGKILL);
    assert_true(dies_soon(pid));
    int64_t command = 0;
    assert_int_equal(start_family(&guard, 1, &command), -EPIPE); /* not unguarded */
    assert_int_equal(sw__guard_start(&guard, NULL), 0);
    assert_int_equal(guard.fd, fd);
    assert_int_not_equal(guard.pid, pid);
    int ends[2];
    long family[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(start_family(&guard, ends[1], &command), 0);
    read_family(ends[0], family);
    sw__guard_close(&guard); /* kills what was not forgotten */
    assert_true(dies_soon(family[1]));
    waitpid((pid_t)command, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_kills_the_family),
        cmocka_unit_test(test_guard_does_not_wait_for_forked_copies),
        cmocka_unit_test(test_guard_spares_what_it_was_told_to_forget),
        cmocka_unit_test(test_guard_ends_with_its_runner),
        cmocka_unit_test(test_guard_close_does_not_wait_for_forked_copies),
        cmocka_unit_test(test_guard_is_started_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
