/* The fork generation where no handler can be registered: a program of its own, because the
 * registration is tried once per process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"

static int refused;

/* Comes before that of the C library. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare;
    (void)parent;
    (void)child;
    refused++;
    return ENOMEM;
}

static void test_child_is_told_apart_without_a_handler(void **state)
{
    (void)state;
    uint32_t generation = sw__fork_generation();
    int status = -1;
    assert_int_equal(refused, 1);
    pid_t child = fork();
    if (child == 0)
        _exit(sw__fork_generation() == generation);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(sw__fork_generation(), generation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_child_is_told_apart_without_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
