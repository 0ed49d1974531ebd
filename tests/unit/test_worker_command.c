/* worker/kind_command: exit codes, output, environment, limits, and that nothing of a command
 * lives on. And wait, which is interrupted in the same way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "helper/live.h"
#include "helper/trial.h"

#define SH(script) "{\"command\":\"sh\",\"args\":[\"-c\",\"" script "\"]}"

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

/* The result up to the duration, which differs from run to run. */
static void command_result(const trial *t, const char *expected)
{
    static const char rest[] = ",\"duration_ms\":";
    size_t len = strlen(expected);
    if (t->outcome.outcome != SW_OUTCOME_SUCCEEDED)
        fail_msg("%.*s: %.*s", SW__FMT(t->outcome.error_class), SW__FMT(t->outcome.error_message));
    assert_true(t->outcome.result.len > len + strlen(rest));
    assert_memory_equal(t->outcome.result.ptr, expected, len);
    assert_memory_equal(t->outcome.result.ptr + len, rest, strlen(rest));
}

static void test_command_succeeds(void **state)
{
    trial *t = *state;
    trial_run(t, "command", SH("echo out; echo err >&2"));
    command_result(
        t, "{\"exit_code\":0,\"stdout\":\"out\\n\",\"stderr\":\"err\\n\",\"truncated\":false");
    trial_run(t, "command", "{\"command\":\"true\"}");
    command_result(t, "{\"exit_code\":0,\"stdout\":\"\",\"stderr\":\"\",\"truncated\":false");
}

static void test_command_is_no_shell(void **state)
{
    trial *t = *state;
    trial_run(t, "command",
              "{\"command\":\"printf\",\"args\":[\"%s|\",\"$HOME\",\"; ls\",\"a b\",\"\","
              "\"`id`\"]}");
    command_result(t, "{\"exit_code\":0,\"stdout\":\"$HOME|; ls|a b||`id`|\",\"stderr\":\"\","
                      "\"truncated\":false");
}

static void test_command_fails(void **state)
{
    trial *t = *state;
    trial_run(t, "command", SH("echo first >&2; echo the reason >&2; echo '' >&2; exit 3"));
    trial_failed(t, SW_OUTCOME_FAILED, "CommandFailed", "exit status 3: the reason");
    assert_string_equal(t->outcome.error_message.ptr, "exit status 3: the reason");
    assert_string_equal(t->outcome.error_detail.ptr, "first\nthe reason\n\n");
    trial_run(t, "command", SH("echo said on stdout; exit 255"));
    assert_string_equal(t->outcome.error_message.ptr, "exit status 255: said on stdout");
    trial_run(t, "command", "{\"command\":\"false\"}");
    assert_string_equal(t->outcome.error_message.ptr, "exit status 1");
    assert_null(t->outcome.error_detail.ptr);
    trial_run(t, "command", SH("kill -SEGV $$"));
    trial_failed(t, SW_OUTCOME_FAILED, "CommandFailed", "killed by signal 11 (Segmentation fault)");
    trial_run(t, "command", SH("printf 'esc \\\\033[31m \\\\377' >&2; exit 1"));
    assert_string_equal(t->outcome.error_message.ptr,
                        "exit status 1: esc \xEF\xBF\xBD[31m \xEF\xBF\xBD");
}

static void test_command_is_not_found(void **state)
{
    trial *t = *state;
    trial_run(t, "command", "{\"command\":\"no-such-program-1\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "CommandNotFound",
                 "there is no program \"no-such-program-1\" in PATH");
    trial_run(t, "command", "{\"command\":\"/no/such/program\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "CommandNotFound",
                 "there is no program \"/no/such/program\"");
    trial_write(t, "plain", "no program");
    trial_run(t, "command", "{\"command\":\"./plain\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "CommandNotExecutable", "Permission denied");
    chmod(trial_path(t, "plain"), 0755);
    trial_run(t, "command", "{\"command\":\"./plain\"}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "CommandNotExecutable", "\"#!\"");
}

static void test_command_environment(void **state)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "HOME=/nowhere", "TZ=UTC",
                                              NULL};
    trial *t = *state;
    setenv("SECRET_OF_THE_HOST", "x", 1);
    t->place.environment = environment;
    trial_run(t, "command",
              "{\"command\":\"env\",\"env\":{\"HOME\":\"/declared\",\"EXTRA\":\"a=b c\"}}");
    unsetenv("SECRET_OF_THE_HOST");
    command_result(t, "{\"exit_code\":0,\"stdout\":\""
                      "STEPWELL_TASK_ID=00000000-0000-0000-0000-000000000000\\n"
                      "STEPWELL_STEP=the-step\\n"
                      "STEPWELL_ATTEMPT=2\\n"
                      "STEPWELL_IDEMPOTENCY_KEY=key-1\\n"
                      "STEPWELL_FENCING_TOKEN=3\\n"
                      "PATH=/usr/bin:/bin\\n"
                      "TZ=UTC\\n"
                      "HOME=/declared\\n"
                      "EXTRA=a=b c\\n"
                      "\",\"stderr\":\"\",\"truncated\":false");
    trial_run(t, "command", "{\"command\":\"env\",\"env\":{\"STEPWELL_ATTEMPT\":\"1\"}}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "ParameterError", "set by the worker");
}

static void test_command_searches_the_declared_path(void **state)
{
    trial *t = *state;
    mkdir(trial_path(t, "bin"), 0755);
    trial_write(t, "bin/tool", "#!/bin/sh\necho tool\n");
    chmod(trial_path(t, "bin/tool"), 0755);
    trial_runf(t, "command", "{\"command\":\"tool\",\"env\":{\"PATH\":\"/usr/bin:%s/bin\"}}",
               t->root);
    command_result(t,
                   "{\"exit_code\":0,\"stdout\":\"tool\\n\",\"stderr\":\"\",\"truncated\":false");
}

static void test_command_directory(void **state)
{
    trial *t = *state;
    char expected[256];
    mkdir(trial_path(t, "sub"), 0755);
    assert_int_equal(symlink("/usr", trial_path(t, "link")), 0);
    trial_run(t, "command", "{\"command\":\"pwd\",\"args\":[\"-P\"]}");
    snprintf(expected, sizeof(expected), "{\"exit_code\":0,\"stdout\":\"%s\\n\"", t->root);
    assert_memory_equal(t->outcome.result.ptr, expected, strlen(expected));
    trial_run(t, "command", "{\"command\":\"pwd\",\"args\":[\"-P\"],\"working_dir\":\"sub/\"}");
    snprintf(expected, sizeof(expected), "{\"exit_code\":0,\"stdout\":\"%s/sub\\n\"", t->root);
    assert_memory_equal(t->outcome.result.ptr, expected, strlen(expected));
    static const char *const refused[] = {"/usr", "/", "..", "sub/../..", "link", "link/bin"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        trial_runf(t, "command", "{\"command\":\"pwd\",\"working_dir\":\"%s\"}", refused[i]);
        trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "PathRefused", "working_dir");
    }
    trial_run(t, "command", "{\"command\":\"pwd\",\"working_dir\":\"gone\"}");
    trial_failed(t, SW_OUTCOME_FAILED, "FileNotFound", "cannot enter working_dir \"gone\"");
}

static void test_command_input_is_empty(void **state)
{
    trial *t = *state;
    trial_run(t, "command", "{\"command\":\"cat\"}");
    command_result(t, "{\"exit_code\":0,\"stdout\":\"\",\"stderr\":\"\",\"truncated\":false");
}

static void test_command_output_is_limited(void **state)
{
    trial *t = *state;
    t->place.output_max = 20;
    trial_run(t, "command",
              SH("printf 0123456789abcdefghij; head -c 5000000 /dev/zero | tr '\\\\0' x >&2;"
                 "printf 'the end' >&2"));
    command_result(t, "{\"exit_code\":0,\"stdout\":\"0123456789abcdefghij\","
                      "\"stderr\":\"xxxxxxxxxx\\n[... 4999987 bytes left out ...]\\nxxxthe end\","
                      "\"truncated\":true");
}

/* Bytes that take six characters in JSON still fit into a result. */
static void test_command_output_fits_the_store(void **state)
{
    trial *t = *state;
    t->place.output_max = 1024 * 1024;
    trial_run(t, "command", SH("head -c 1000000 /dev/zero"));
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_true(t->outcome.result.len <= 1024 * 1024);
    assert_true(t->outcome.result.len > 512 * 1024);
    assert_non_null(strstr(t->outcome.result.ptr, "\"truncated\":true"));
    assert_non_null(strstr(t->outcome.result.ptr, "bytes left out"));
}

static void test_command_timeout(void **state)
{
    trial *t = *state;
    t->claim.timeout_ms = 200;
    trial_run(t, "command", SH("echo working >&2; sleep 60"));
    trial_failed(t, SW_OUTCOME_FAILED, "Timeout", "after its timeout of 200 ms: working");
    assert_true(t->took_ms >= 200 && t->took_ms < 10000);
    /* One that prints without end does not keep its timeout from being seen. */
    trial_run(t, "command", "{\"command\":\"yes\"}");
    trial_failed(t, SW_OUTCOME_FAILED, "Timeout", "200 ms");
    assert_true(t->took_ms >= 200 && t->took_ms < 10000);
    trial_run(t, "command", SH("exit 0"));
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
}

static void test_command_ignores_term(void **state)
{
    trial *t = *state;
    t->claim.timeout_ms = 100;
    trial_run(t, "command", SH("trap '' TERM; while :; do sleep 1; done"));
    trial_failed(t, SW_OUTCOME_FAILED, "Timeout", "100 ms");
    assert_true(t->took_ms >= 2100 && t->took_ms < 20000);
}

/* The number that a command has printed last, as a process. */
static pid_t printed_pid(const trial *t)
{
    const char *text = t->outcome.outcome == SW_OUTCOME_SUCCEEDED
                           ? strstr(t->outcome.result.ptr, "\"stdout\":\"") + 10
                           : t->outcome.error_detail.ptr;
    return (pid_t)strtol(text, NULL, 10);
}

static void assert_dies(pid_t pid)
{
    assert_true(pid > 1);
    for (int i = 0; i < 500 && live_process_runs(pid); i++)
        live_sleep_ms(10);
    assert_false(live_process_runs(pid));
}

static void test_command_leaves_no_child(void **state)
{
    trial *t = *state;
    /* A child that keeps the output open when its parent has ended. */
    trial_run(t, "command", SH("sleep 60 & echo $!"));
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_true(t->took_ms < 20000);
    assert_dies(printed_pid(t));
    /* One that ignores TERM, left by a parent that does not. */
    t->claim.timeout_ms = 300;
    trial_run(t, "command", SH("(trap '' TERM; sleep 60) & echo $! >&2; wait"));
    trial_failed(t, SW_OUTCOME_FAILED, "Timeout", "");
    assert_dies(printed_pid(t));
}

/* A process that leaves the group on purpose is out of reach, but holds nobody up. */
static void test_command_is_not_held_up_by_a_daemon(void **state)
{
    trial *t = *state;
    trial_run(t, "command", SH("setsid sh -c 'while :; do echo x; done' & sleep 0.2; echo $!"));
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_true(t->took_ms < 20000);
}

static void *interrupt_later(void *argument)
{
    trial *t = argument;
    live_sleep_ms(200);
    sw__interrupt_raise(&t->interrupt, SW__WHY_STOP);
    return NULL;
}

static void run_interrupted(trial *t, const char *kind, const char *parameters)
{
    pthread_t thread;
    sw__interrupt_reset(&t->interrupt);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_later, t), 0);
    trial_run(t, kind, parameters);
    pthread_join(thread, NULL);
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_RELEASED);
    assert_true(t->took_ms >= 150 && t->took_ms < 100000);
}

static void test_command_is_interrupted(void **state)
{
    trial *t = *state;
    run_interrupted(t, "command", SH("sleep 60"));
    /* Ending well after having been asked to end counts as interrupted, too. */
    run_interrupted(t, "command", SH("trap 'exit 0' TERM; while :; do sleep 0.1; done"));
    sw__interrupt_reset(&t->interrupt);
    trial_run(t, "command", "{\"command\":\"true\"}");
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
}

static void test_command_survives_a_host_that_collects_children(void **state)
{
    trial *t = *state;
    signal(SIGCHLD, SIG_IGN);
    trial_run(t, "command", "{\"command\":\"true\"}");
    signal(SIGCHLD, SIG_DFL);
    trial_failed(t, SW_OUTCOME_FAILED, "CommandLost", "exit status");
}

static void test_wait(void **state)
{
    trial *t = *state;
    trial_run(t, "wait", "{\"seconds\":0.15}");
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_null(t->outcome.result.ptr);
    assert_true(t->took_ms >= 150 && t->took_ms < 10000);
    trial_run(t, "wait", "{\"duration_ms\":0}");
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    trial_run(t, "wait", "{}");
    trial_failed(t, SW_OUTCOME_FAILED_FOR_GOOD, "ParameterError", "seconds");
    t->claim.timeout_ms = 100;
    trial_run(t, "wait", "{\"seconds\":30}");
    trial_failed(t, SW_OUTCOME_FAILED, "Timeout", "100 ms");
    t->claim.timeout_ms = 0;
    run_interrupted(t, "wait", "{\"seconds\":30}");
}

static void test_noop(void **state)
{
    trial *t = *state;
    trial_run(t, "noop", "{\"message\":\"anything\"}");
    assert_int_equal(t->outcome.outcome, SW_OUTCOME_SUCCEEDED);
    assert_null(t->outcome.result.ptr);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_command_succeeds),
        TEST(test_command_is_no_shell),
        TEST(test_command_fails),
        TEST(test_command_is_not_found),
        TEST(test_command_environment),
        TEST(test_command_searches_the_declared_path),
        TEST(test_command_directory),
        TEST(test_command_input_is_empty),
        TEST(test_command_output_is_limited),
        TEST(test_command_output_fits_the_store),
        TEST(test_command_timeout),
        TEST(test_command_ignores_term),
        TEST(test_command_leaves_no_child),
        TEST(test_command_is_not_held_up_by_a_daemon),
        TEST(test_command_is_interrupted),
        TEST(test_command_survives_a_host_that_collects_children),
        TEST(test_wait),
        TEST(test_noop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
