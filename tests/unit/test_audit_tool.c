/* Commands that anchors need: what they say, how they end, and that they end; with what the system
 * may be missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/anchor.h"
#include "base/file.h"
#include "base/str.h"
#include "helper/fault_env.h"

/* The program's own functions come before those of the system. */
static bool memory_files = true;
static int files_left = 1000; /* that can be made in a folder */
static int files_made;
static bool collected; /* somebody else waits for our children */

int memfd_create(const char *name, unsigned flags)
{
    int (*real)(const char *, unsigned);
    *(void **)&real = dlsym(RTLD_NEXT, "memfd_create");
    errno = ENOSYS;
    return memory_files ? real(name, flags) : -1;
}

int mkostemp(char *path, int flags)
{
    int (*real)(char *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "mkostemp");
    files_made++;
    errno = EMFILE;
    return files_left-- > 0 ? real(path, flags) : -1;
}

int waitid(idtype_t kind, id_t id, siginfo_t *about, int options)
{
    int (*real)(idtype_t, id_t, siginfo_t *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "waitid");
    errno = ECHILD;
    return collected ? -1 : real(kind, id, about, options);
}

typedef struct tool_test {
    sw__buf said;
    char complaint[160];
    int status;
    sw_error err;
} tool_test;

static int tool_setup(void **state)
{
    tool_test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    sw__buf_init(&t->said, sw_env_system());
    memory_files = true;
    files_left = 1000;
    files_made = 0;
    *state = t;
    return 0;
}

static int tool_teardown(void **state)
{
    tool_test *t = *state;
    sw__buf_free(&t->said);
    free(t);
    return 0;
}

static int run_for(tool_test *t, const char *script, int64_t limit_ms)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return sw__tool_run(sw_env_system(), argv, limit_ms, &t->said, t->complaint, &t->status,
                        &t->err);
}

static int run(tool_test *t, const char *script)
{
    return run_for(t, script, 20000);
}

static int open_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void assert_it_speaks(tool_test *t)
{
    assert_int_equal(run(t, "echo out; echo bad >&2; echo worse >&2; exit 3"), SW_OK);
    assert_int_equal(t->status, 3);
    assert_true(sw__str_is(sw__buf_str(&t->said), "out\n"));
    assert_string_equal(t->complaint, "bad");
    assert_int_equal(run(t, "kill -9 $$"), SW_OK);
    assert_int_equal(t->status, 128 + SIGKILL);
    assert_int_equal(t->said.len, 0);
    assert_string_equal(t->complaint, "");
    assert_int_equal(run(t, "head -c 5000000 /dev/zero"), SW_ELIMIT);
}

static void test_what_it_says(void **state)
{
    int before = open_files();
    assert_it_speaks(*state);
    assert_int_equal(files_made, 0);
    assert_int_equal(open_files(), before);
}

static void test_a_command_that_is_not_there(void **state)
{
    tool_test *t = *state;
    const char *const argv[] = {"stepwell-no-such-command", NULL};
    assert_int_equal(
        sw__tool_run(sw_env_system(), argv, 1000, &t->said, t->complaint, &t->status, &t->err),
        SW_ENOTFOUND);
}

/* Files in a folder instead, of which nothing is left. */
static void test_a_system_without_files_in_memory(void **state)
{
    char folder[] = "/tmp/stepwell-tool-test-XXXXXX";
    int before = open_files();
    memory_files = false;
    assert_non_null(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
    assert_it_speaks(*state);
    assert_int_equal(files_made, 6);
    assert_int_equal(open_files(), before);
    assert_int_equal(rmdir(folder), 0);
    unsetenv("TMPDIR");
    assert_int_equal(run(*state, "true"), SW_OK);
}

static void test_no_file_at_all(void **state)
{
    tool_test *t = *state;
    char folder[5000];
    int before = open_files();
    memory_files = false;
    for (files_left = 0; files_left < 2; files_left++) {
        int given = files_left;
        assert_int_equal(run(t, "true"), SW_EIO);
        assert_non_null(strstr(t->err.message, "cannot run \"sh\": no file for what it says: "));
        files_left = given;
    }
    files_left = 1000;
    memset(folder, 'x', sizeof(folder));
    folder[sizeof(folder) - 1] = '\0';
    setenv("TMPDIR", folder, 1);
    assert_int_equal(run(t, "true"), SW_EIO);
    assert_non_null(strstr(t->err.message, strerror(ENAMETOOLONG)));
    unsetenv("TMPDIR");
    assert_int_equal(open_files(), before);
}

/* The number that a script wrote into the file is that of a process which is gone. */
static void assert_gone(const char *path)
{
    sw__buf text;
    sw__buf_init(&text, sw_env_system());
    assert_int_equal(sw__file_read(path, 100, &text, NULL), SW_OK);
    sw__buf_put_byte(&text, '\0');
    pid_t pid = (pid_t)atoi((const char *)text.ptr);
    sw__buf_free(&text);
    assert_true(pid > 1);
    /* Init collects what is left of a group that was killed; it takes a moment. */
    for (int i = 0; i < 5000 && kill(pid, 0) == 0; i++) {
        char line[512] = "";
        char name[64];
        snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
        FILE *file = fopen(name, "r");
        bool dead = !file || !fgets(line, sizeof(line), file) || strstr(line, ") Z ");
        if (file)
            fclose(file);
        if (dead)
            return;
        usleep(1000);
    }
    assert_int_equal(kill(pid, 0), -1);
}

/* One that can be asked to end, and one that cannot; with what either has started. */
static void test_a_command_that_does_not_end(void **state)
{
    static const char *const scripts[] = {
        "echo $$ >own; sleep 100 & echo $! >other; wait",
        "trap '' TERM; echo $$ >own; (trap '' TERM; sleep 100) & echo $! >other; wait; wait",
    };
    tool_test *t = *state;
    char folder[] = "/tmp/stepwell-tool-test-XXXXXX";
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run_for(t, scripts[i], 300), SW_EIO);
        assert_string_equal(t->err.message,
                            "the command \"sh\" did not end within 0.3 s and was ended");
        assert_gone("own");
        assert_gone("other");
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it was collected */
    assert_int_equal(unlink("own"), 0);
    assert_int_equal(unlink("other"), 0);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* It may let go of what it holds, as git does with its lock. */
static void test_a_command_is_asked_first(void **state)
{
    tool_test *t = *state;
    char path[] = "/tmp/stepwell-tool-lock-XXXXXX";
    char script[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(script, sizeof(script), "trap 'rm %s; exit 0' TERM; sleep 100 & wait", path);
    assert_int_equal(run_for(t, script, 300), SW_EIO);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_a_command_that_somebody_else_waits_for(void **state)
{
    tool_test *t = *state;
    collected = true;
    assert_int_equal(run(t, "true"), SW_EIO);
    collected = false;
    assert_non_null(strstr(t->err.message, "cannot wait for \"sh\""));
    assert_true(waitpid(-1, NULL, 0) > 0);
}

static int spawn_fails(void *context, const sw_spawn_request *request, int64_t *pid)
{
    (void)context;
    (void)request;
    (void)pid;
    return -EAGAIN;
}

static void test_no_process(void **state)
{
    tool_test *t = *state;
    const char *const argv[] = {"sh", "-c", "true", NULL};
    sw_env env = *sw_env_system();
    env.spawn = spawn_fails;
    assert_int_equal(sw__tool_run(&env, argv, 1000, &t->said, t->complaint, &t->status, &t->err),
                     SW_EIO);
    assert_non_null(strstr(t->err.message, strerror(EAGAIN)));
}

#define TOOL_TEST(name) cmocka_unit_test_setup_teardown(name, tool_setup, tool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOOL_TEST(test_what_it_says),
        TOOL_TEST(test_a_command_that_is_not_there),
        TOOL_TEST(test_a_system_without_files_in_memory),
        TOOL_TEST(test_no_file_at_all),
        TOOL_TEST(test_a_command_that_does_not_end),
        TOOL_TEST(test_a_command_is_asked_first),
        TOOL_TEST(test_a_command_that_somebody_else_waits_for),
        TOOL_TEST(test_no_process),
    };
    return cmocka_run_group_tests_name("audit_tool", tests, NULL, NULL);
}
