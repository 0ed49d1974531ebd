/* base/spawn: what a started process finds, and what is said when it cannot be started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/spawn.h"

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static sw_spawn_request request_make(const char *const *argv, int out_fd)
{
    return (sw_spawn_request){.size = sizeof(sw_spawn_request),
                              .stdout_fd = out_fd,
                              .stderr_fd = out_fd,
                              .cwd_fd = -1,
                              .path = argv[0],
                              .argv = argv,
                              .guard_fd = -1};
}

static int status_of(int64_t pid)
{
    int status = -1;
    assert_int_equal(waitpid((pid_t)pid, &status, 0), pid);
    return status;
}

/* Run argv and read what it prints. */
static void output_of(sw_spawn_request request, char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    request.stdout_fd = ends[1];
    request.stderr_fd = ends[1];
    int64_t pid = 0;
    assert_int_equal(sw__spawn_system(&request, &pid), 0);
    close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while (len < size - 1 && (got = read(ends[0], text + len, size - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = 0;
    close(ends[0]);
    status_of(pid);
}

static void test_spawn_isolates(void **state)
{
    (void)state;
    char text[512];
    int kept = dup2(2, 50); /* without O_CLOEXEC, as a careless host leaves it */
    assert_int_equal(kept, 50);
    output_of(request_make(ARGS("sh", "-c", "readlink /proc/$$/fd/0; echo /proc/$$/fd/5*"), -1),
              text, sizeof(text));
    close(kept);
    assert_int_equal(strncmp(text, "/dev/null\n", 10), 0);
    assert_non_null(strstr(text, "/fd/5*\n"));
}

static void test_spawn_makes_a_session(void **state)
{
    (void)state;
    char text[512];
    output_of(
        request_make(ARGS("sh", "-c", "read -r a b c d e f g </proc/$$/stat; echo $$ $e $f"), -1),
        text, sizeof(text));
    long pid = 0;
    long group = 0;
    long session = 0;
    assert_int_equal(sscanf(text, "%ld %ld %ld", &pid, &group, &session), 3);
    assert_int_equal(group, pid);
    assert_int_equal(session, pid);
}

static void test_spawn_resets_signals(void **state)
{
    (void)state;
    char text[512];
    sigset_t blocked;
    sigset_t before;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    output_of(request_make(ARGS("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"), -1), text,
              sizeof(text));
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, &before, &after);
    signal(SIGPIPE, SIG_DFL);
    assert_string_equal(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    assert_true(sigismember(&after, SIGTERM));
    assert_false(sigismember(&after, SIGINT));
}

static void test_spawn_directory_and_environment(void **state)
{
    (void)state;
    char text[512];
    sw_spawn_request request = request_make(ARGS("env"), -1);
    request.envp = ARGS("ONE=1", "PATH=/usr/bin:/bin");
    output_of(request, text, sizeof(text));
    assert_string_equal(text, "ONE=1\nPATH=/usr/bin:/bin\n");
    request = request_make(ARGS("/bin/pwd", "-P"), -1);
    request.cwd_fd = open("/usr", O_PATH | O_CLOEXEC);
    output_of(request, text, sizeof(text));
    close(request.cwd_fd);
    assert_string_equal(text, "/usr\n");
}

static int error_of(const char *const *argv, const char *const *envp)
{
    sw_spawn_request request = request_make(argv, 2);
    request.envp = envp;
    int64_t pid = 0;
    return sw__spawn_system(&request, &pid);
}

static void test_spawn_errors(void **state)
{
    (void)state;
    char directory[] = "/tmp/stepwell-spawn-XXXXXX";
    char file[64];
    char path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof(file), "%s/plain", directory);
    snprintf(path, sizeof(path), "PATH=%s", directory);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    close(fd);
    assert_int_equal(error_of(ARGS("no-such-program-1"), NULL), -ENOENT);
    assert_int_equal(error_of(ARGS("/no/such/program"), NULL), -ENOENT);
    assert_int_equal(error_of(ARGS(""), NULL), -EINVAL);
    assert_int_equal(error_of(ARGS(file), NULL), -EACCES);
    assert_int_equal(error_of(ARGS("plain"), ARGS(path)), -EACCES);
    chmod(file, 0755);
    assert_int_equal(error_of(ARGS("plain"), ARGS(path)), -ENOEXEC);
    /* Neither the empty nor a relative entry of PATH is searched. */
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(error_of(ARGS("plain"), ARGS("PATH=:.")), -ENOENT);
    assert_int_equal(chdir("/"), 0);
    unlink(file);
    rmdir(directory);
}

static void test_spawn_guard_is_told(void **state)
{
    (void)state;
    int ends[2];
    char text[64] = {0};
    char expected[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    sw_spawn_request request = request_make(ARGS("true"), 2);
    request.guard_fd = ends[1];
    int64_t pid = 0;
    assert_int_equal(sw__spawn_system(&request, &pid), 0);
    status_of(pid);
    assert_true(recv(ends[0], text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    snprintf(expected, sizeof(expected), "+ %lld\n", (long long)pid);
    assert_string_equal(text, expected);

    request.path = "/no/such/program";
    assert_int_equal(sw__spawn_system(&request, &pid), -ENOENT);
    memset(text, 0, sizeof(text));
    assert_true(recv(ends[0], text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    long started = 0;
    long ended = 0;
    assert_int_equal(sscanf(text, "+ %ld\n- %ld\n", &started, &ended), 2);
    assert_int_equal(started, ended);

    close(ends[0]);
    request.path = "true";
    assert_int_equal(sw__spawn_system(&request, &pid), -EPIPE);
    close(ends[1]);
}

static void *thread_spawn(void *argument)
{
    sw_spawn_request request = request_make(ARGS("sleep", "60"), 2);
    request.death_signal = SIGKILL;
    assert_int_equal(sw__spawn_system(&request, argument), 0);
    return NULL;
}

static void test_spawn_dies_with_its_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int64_t pid = 0;
    assert_int_equal(pthread_create(&thread, NULL, thread_spawn, &pid), 0);
    pthread_join(thread, NULL);
    int status = status_of(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_spawn_without_standard_descriptors(void **state)
{
    (void)state;
    int ends[2];
    char text[16] = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        /* Descriptors 0 to 2 are free, so the pipe itself comes to lie there. */
        close(0);
        close(1);
        close(2);
        int low = dup(ends[1]);
        sw_spawn_request request = request_make(ARGS("echo", "low"), low);
        int64_t pid = 0;
        int rc = sw__spawn_system(&request, &pid);
        _exit(rc == 0 && waitpid((pid_t)pid, NULL, 0) == pid ? 0 : 1);
    }
    assert_int_equal(status_of(child), 0);
    assert_int_equal(read(ends[0], text, sizeof(text) - 1), 4);
    assert_string_equal(text, "low\n");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spawn_isolates),
        cmocka_unit_test(test_spawn_makes_a_session),
        cmocka_unit_test(test_spawn_resets_signals),
        cmocka_unit_test(test_spawn_directory_and_environment),
        cmocka_unit_test(test_spawn_errors),
        cmocka_unit_test(test_spawn_guard_is_told),
        cmocka_unit_test(test_spawn_dies_with_its_thread),
        cmocka_unit_test(test_spawn_without_standard_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
