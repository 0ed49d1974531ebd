/* Runners in tests; see running.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/running.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

char running_directory[64];

int running_setup(void **state)
{
    (void)state;
    live_directory_make(running_directory);
    return 0;
}

int running_teardown(void **state)
{
    (void)state;
    live_directory_remove(running_directory);
    return 0;
}

sw_runner *running_open(live *l, int threads, int64_t lease_ms)
{
    sw_runner *runner = NULL;
    sw_runner_options options = SW_RUNNER_OPTIONS_INIT;
    options.threads = threads;
    options.lease_ms = lease_ms;
    options.root = (sw_str){running_directory, strlen(running_directory)};
    if (sw_runner_open(l->engine, &options, &runner, &l->error) < 0)
        fail_msg("%s", l->error.message);
    return runner;
}

void running_until(live *l, sw_runner *runner, const sw_uuid *task)
{
    if (sw_runner_run(runner, task, &l->error) < 0)
        fail_msg("%s", l->error.message);
}

static void *background_main(void *argument)
{
    background *b = argument;
    b->rc = sw_runner_run(b->runner, b->until, &b->error);
    return NULL;
}

void background_start(background *b, sw_runner *runner, const sw_uuid *until)
{
    *b = (background){.runner = runner, .until = until};
    assert_int_equal(pthread_create(&b->thread, NULL, background_main, b), 0);
}

void background_join(background *b)
{
    pthread_join(b->thread, NULL);
    if (b->rc < 0)
        fail_msg("%s: %s", sw_code_name(b->rc), b->error.message);
}

void running_wait_for(live *l, const sw_uuid *task, const char *step, int state)
{
    for (int i = 0; i < 1000 && live_step(l, task, step)->state != state; i++)
        live_sleep_ms(10);
    assert_int_equal(live_step(l, task, step)->state, state);
}

long running_pid(const char *name)
{
    char path[128];
    long pid = 0;
    snprintf(path, sizeof(path), "%s/%s", running_directory, name);
    for (int i = 0; i < 1000 && pid == 0; i++) {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%ld", &pid) != 1)
            live_sleep_ms(10);
        if (file)
            fclose(file);
    }
    assert_true(pid > 1);
    return pid;
}

void running_forget_pids(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/pid", running_directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/child", running_directory);
    unlink(path);
}

void running_dies(long pid)
{
    for (int i = 0; i < 500 && live_process_runs(pid); i++)
        live_sleep_ms(10);
    assert_false(live_process_runs(pid));
}
