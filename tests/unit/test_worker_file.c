/* worker/kind_file and worker/confine: what the file kinds do, and that nothing leads them out of
 * their root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "helper/trial.h"
#include "model/paths.h"

#define SWAP_ATTEMPTS 20000

static int setup(void **state)
{
    trial *t = calloc(1, sizeof(*t));
    trial_open(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    trial_close(*state);
    free(*state);
    return 0;
}

static void test_create_file(void **state)
{
    trial *t = *state;
    trial_run(t, "create_file", "{\"path\":\"a.txt\",\"content\":\"hello\"}");
    trial_result(t, "{\"path\":\"a.txt\",\"size\":5,\"created\":true}");
    trial_holds(t, "a.txt", "hello");
    trial_lists(t, ".", "a.txt");
}

static void test_create_file_replaces(void **state)
{
    trial *t = *state;
    struct stat about;
    trial_write(t, "a.sh", "a longer content than the new one");
    chmod(trial_path(t, "a.sh"), 0751);
    trial_run(t, "create_file", "{\"path\":\"a.sh\",\"content\":\"new\"}");
    trial_result(t, "{\"path\":\"a.sh\",\"size\":3,\"created\":false}");
    trial_holds(t, "a.sh", "new");
    assert_int_equal(stat(trial_path(t, "a.sh"), &about), 0);
    assert_int_equal(about.st_mode & 07777, 0751);
}

static void test_create_file_without_content(void **state)
{
    trial *t = *state;
    trial_run(t, "create_file", "{\"path\":\"empty\"}");
    trial_result(t, "{\"path\":\"empty\",\"size\":0,\"created\":true}");
    trial_holds(t, "empty", "");
}

static void test_create_file_makes_parents(void **state)
{
    trial *t = *state;
    trial_run(t, "create_file", "{\"path\":\"a//b/./c/file\",\"content\":\"x\"}");
    trial_result(t, "{\"path\":\"a//b/./c/file\",\"size\":1,\"created\":true}");
    trial_holds(t, "a/b/c/file", "x");
    trial_write(t, "plain", "");
    trial_run(t, "create_file", "{\"path\":\"plain/file\"}");
    trial_failed(t, SW_OUTCOME_FAILED, "FileError", "Not a directory");
}

/* What an attempt that was killed has left is neither in the way nor left lying. */
static void test_create_file_after_a_crash(void **state)
{
    trial *t = *state;
    trial_write(t, ".stepwell-00000000-0000-0000-0000-000000000000-7", "half");
    trial_run(t, "create_file", "{\"path\":\"a\",\"content\":\"whole\"}");
    trial_result(t, "{\"path\":\"a\",\"size\":5,\"created\":true}");
    trial_lists(t, ".", "a");
}

static bool permission_is_denied(trial *t)
{
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
        return false;
    trial_run(t, "create_file", "{\"path\":\"closed/a\"}");
    return t->outcome.outcome == SW_OUTCOME_FAILED &&
           sw__str_is(t->outcome.error_class, "FileError") &&
           strstr(t->outcome.error_message.ptr, "Permission denied");
}

/* In a child, because nothing is forbidden to root. */
static void test_create_file_without_permission(void **state)
{
    trial *t = *state;
    int status = -1;
    mkdir(trial_path(t, "closed"), 0555);
    pid_t child = fork();
    if (child == 0)
        _exit(permission_is_denied(t) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_read_file(void **state)
{
    trial *t = *state;
    trial_write(t, "a", "line \"1\"\n\xC3\xBC\n");
    trial_run(t, "read_file", "{\"path\":\"a\"}");
    trial_result(t, "{\"path\":\"a\",\"size\":12,\"content\":\"line \\\"1\\\"\\n\xC3\xBC\\n\"}");
}

static void test_read_file_refuses_what_is_no_text(void **state)
{
    trial *t = *state;
    trial_write(t, "latin1", "\xFC");
    trial_run(t, "read_file", "{\"path\":\"latin1\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "NotText", "\"latin1\" is not UTF-8 text");
    assert_int_equal(truncate(trial_path(t, "latin1"), 0), 0);
    assert_int_equal(truncate(trial_path(t, "latin1"), 10), 0); /* zero bytes */
    trial_run(t, "read_file", "{\"path\":\"latin1\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "NotText", "");
}

static void write_times(trial *t, const char *name, char byte, size_t count)
{
    FILE *file = fopen(trial_path(t, name), "w");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++)
        fputc(byte, file);
    assert_int_equal(fclose(file), 0);
}

static void test_read_file_at_the_limit(void **state)
{
    trial *t = *state;
    const size_t around = strlen("{\"path\":\"a\",\"size\":1048541,\"content\":\"\"}");
    write_times(t, "a", 'x', 1048576 - around);
    trial_run(t, "read_file", "{\"path\":\"a\"}");
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_int_equal(t->outcome.result.len, 1048576);
    write_times(t, "a", 'x', 1048576 - around + 1);
    trial_run(t, "read_file", "{\"path\":\"a\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "FileTooLarge", "1048577 bytes as JSON");
    write_times(t, "a", 'x', 1048577);
    trial_run(t, "read_file", "{\"path\":\"a\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "FileTooLarge", "larger than 1048576 bytes");
    write_times(t, "a", '\n', 600000);
    trial_run(t, "read_file", "{\"path\":\"a\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "FileTooLarge", "as JSON");
}

static void test_read_file_missing(void **state)
{
    trial *t = *state;
    trial_run(t, "read_file", "{\"path\":\"gone/a\"}");
    trial_failed(t, SW_OUTCOME_FAILED, "FileNotFound", "cannot read \"gone/a\"");
}

static void test_delete_file(void **state)
{
    trial *t = *state;
    trial_write(t, "a", "x");
    trial_run(t, "delete_file", "{\"path\":\"a\"}");
    trial_result(t, "{\"path\":\"a\",\"existed\":true,\"deleted\":true}");
    trial_lists(t, ".", "");
    trial_run(t, "delete_file", "{\"path\":\"a\"}");
    trial_result(t, "{\"path\":\"a\",\"existed\":false,\"deleted\":false}");
    trial_run(t, "delete_file", "{\"path\":\"no/such/directory\"}");
    trial_result(t, "{\"path\":\"no/such/directory\",\"existed\":false,\"deleted\":false}");
}

/* Every kind refuses each of these for good, and nothing is made. */
static void refused_by_all(trial *t, const char *path, const char *why)
{
    static const char *const kinds[] = {"create_file", "read_file", "delete_file"};
    for (size_t i = 0; i < 3; i++) {
        trial_runf(t, kinds[i], "{\"path\":\"%s\"}", path);
        trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "PathRefused", why);
    }
}

static void test_paths_that_are_refused(void **state)
{
    static const char *const table[][2] = {
        {"/etc/passwd", "absolute"},  {"//etc/passwd", "absolute"},
        {"..", "\\\"..\\\""},         {"../a", "\\\"..\\\""},
        {"a/../../b", "\\\"..\\\""},  {"a/./..//", "\\\"..\\\""},
        {"a/..", "\\\"..\\\""},       {"a/", "names a directory"},
        {"a//", "names a directory"}, {".", "names a directory"},
        {"a/.", "names a directory"}, {"/proc/self/root/etc/passwd", "absolute"},
    };
    trial *t = *state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        refused_by_all(t, table[i][0], strcmp(table[i][1], "\\\"..\\\"") ? table[i][1] : "\"..\"");
    trial_lists(t, ".", "");
}

static void test_paths_that_look_odd_but_are_not(void **state)
{
    static const char *const paths[] = {"...", "..a",      "a..",   "-", "~",
                                        "a b", "\xC3\xBC", "$HOME", ";"};
    trial *t = *state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        trial_runf(t, "create_file", "{\"path\":\"%s\",\"content\":\"x\"}", paths[i]);
        assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
        trial_holds(t, paths[i], "x");
    }
}

static void test_paths_at_the_limit(void **state)
{
    trial *t = *state;
    char path[4100];
    memset(path, 'a', sizeof(path));
    for (size_t i = 200; i < sizeof(path); i += 201)
        path[i] = '/';
    assert_null(sw__path_refusal((sw_str){path, 4095}));
    assert_non_null(strstr(sw__path_refusal((sw_str){path, 4096}), "longer than 4,095"));
    assert_non_null(strstr(sw__path_refusal((sw_str){"a\0b", 3}), "zero byte"));
    assert_non_null(strstr(sw__path_refusal((sw_str){"a\xFF", 2}), "UTF-8"));
    assert_non_null(strstr(sw__path_refusal((sw_str){"", 0}), "empty"));
    trial_runf(t, "create_file", "{\"path\":\"%.4095s\",\"content\":\"deep\"}", path);
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    trial_runf(t, "delete_file", "{\"path\":\"%.4095s\"}", path);
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_non_null(strstr(t->outcome.result.ptr, "\"deleted\":true"));
}

static void test_symbolic_links_are_refused(void **state)
{
    trial *t = *state;
    trial_write(t, "inside", "secret");
    assert_int_equal(symlink("inside", trial_path(t, "link")), 0);
    assert_int_equal(symlink("/etc", trial_path(t, "etc")), 0);
    assert_int_equal(symlink("nowhere", trial_path(t, "dangling")), 0);
    assert_int_equal(symlink("/proc/self/root", trial_path(t, "magic")), 0);
    assert_int_equal(symlink("loop", trial_path(t, "loop")), 0);
    refused_by_all(t, "link", "symbolic link");
    refused_by_all(t, "dangling", "symbolic link");
    refused_by_all(t, "loop", "symbolic link");
    refused_by_all(t, "magic/etc/passwd", "");
    trial_holds(t, "inside", "secret");
    trial_run(t, "read_file", "{\"path\":\"etc/passwd\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "PathRefused", "symbolic link");
}

static void test_other_things_are_refused(void **state)
{
    trial *t = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_int_equal(mkfifo(trial_path(t, "fifo"), 0600), 0);
    assert_int_equal(mkdir(trial_path(t, "directory"), 0700), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", t->root);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    refused_by_all(t, "fifo", "not a regular file"); /* and does not wait for a writer */
    refused_by_all(t, "socket", "not a regular file");
    refused_by_all(t, "directory", "it is a directory");
    if (mknod(trial_path(t, "null"), S_IFCHR | 0600, 0x0103) == 0)
        refused_by_all(t, "null", "not a regular file");
    close(fd);
}

static void test_hard_links_are_not_written_through(void **state)
{
    trial *t = *state;
    char outside[] = "/tmp/stepwell-outside-XXXXXX";
    int fd = mkstemp(outside);
    assert_int_equal(write(fd, "keep", 4), 4);
    close(fd);
    assert_int_equal(link(outside, trial_path(t, "trap")), 0);
    trial_run(t, "create_file", "{\"path\":\"trap\",\"content\":\"overwritten\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "PathRefused", "hard link");
    trial_holds(t, "trap", "keep");
    trial_lists(t, ".", "trap");
    /* Removing the name harms nobody. */
    trial_run(t, "delete_file", "{\"path\":\"trap\"}");
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_int_equal(access(outside, F_OK), 0);
    unlink(outside);
}

/* A directory that turns into a symbolic link and back as fast as it can. */
typedef struct swapper {
    pthread_t thread;
    atomic_bool stop;
    char plain[128];
    char link[128];
    char name[128];
} swapper;

static void *swapper_main(void *argument)
{
    swapper *s = argument;
    while (!atomic_load(&s->stop)) {
        renameat2(AT_FDCWD, s->name, AT_FDCWD, s->link, RENAME_EXCHANGE);
    }
    return NULL;
}

static void swapper_start(swapper *s, trial *t, const char *outside)
{
    atomic_init(&s->stop, false);
    snprintf(s->name, sizeof(s->name), "%s/d", t->root);
    snprintf(s->link, sizeof(s->link), "%s/other", t->root);
    assert_int_equal(mkdir(s->name, 0700), 0);
    trial_write(t, "d/file", "inside");
    assert_int_equal(symlink(outside, s->link), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, swapper_main, s), 0);
}

static void test_swapping_does_not_lead_out(void **state)
{
    trial *t = *state;
    swapper s;
    char outside[] = "/tmp/stepwell-outside-XXXXXX";
    char file[64];
    int reached = 0;
    int refused = 0;
    assert_non_null(mkdtemp(outside));
    snprintf(file, sizeof(file), "%s/file", outside);
    FILE *secret = fopen(file, "w");
    fputs("secret", secret);
    fclose(secret);
    swapper_start(&s, t, outside);
    for (int i = 0; i < SWAP_ATTEMPTS; i++) {
        trial_run(t, i % 40 ? "read_file" : "create_file",
                  "{\"path\":\"d/file\",\"content\":\"inside\"}");
        if (t->outcome.outcome != SW_OUTCOME_SUCCEEDED) {
            refused++;
            continue;
        }
        reached++;
        if (strstr(t->outcome.result.ptr, "secret"))
            fail_msg("attempt %d read the file outside", i);
    }
    atomic_store(&s.stop, true);
    pthread_join(s.thread, NULL);
    char content[16] = {0};
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, content, sizeof(content)), 6);
    close(fd);
    assert_string_equal(content, "secret");
    /* Both sides of the race were met, or nothing was tested. */
    assert_true(reached > SWAP_ATTEMPTS / 100);
    assert_true(refused > SWAP_ATTEMPTS / 100);
    unlink(file);
    rmdir(outside);
}

static void test_parameters_are_checked(void **state)
{
    trial *t = *state;
    trial_run(t, "create_file", "{}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "ParameterError", "path");
    trial_run(t, "read_file", "{\"path\":[1]}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "ParameterError", "path");
    trial_run(t, "read_file", "[");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "ParameterError", "");
    trial_run(t, "no_such_kind", "{}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "UnknownKind", "no_such_kind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_file_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_file_without_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_file_makes_parents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_file_after_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_file_without_permission, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_file_refuses_what_is_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_file_at_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_file_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths_that_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths_that_look_odd_but_are_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths_at_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_symbolic_links_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_things_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hard_links_are_not_written_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swapping_does_not_lead_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parameters_are_checked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
