/* Attempts of built-in kinds. See trial.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/trial.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "stepwell/sys/env.h"

void trial_open(trial *t)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    *t = (trial){.root = "/tmp/stepwell-trial-XXXXXX"};
    assert_non_null(mkdtemp(t->root));
    t->place = (sw__workplace){.guard_fd = -1, .output_max = 65536, .environment = environment};
    t->place.root_fd = open(t->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(t->place.root_fd >= 0);
    assert_int_equal(sw__interrupt_open(&t->interrupt, NULL), 0);
    t->claim.step_id = 7;
    t->claim.epoch = 3;
    t->claim.attempt = 2;
    t->claim.name = sw__str("the-step");
    t->claim.idempotency_key = sw__str("key-1");
}

static int trial_remove(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

void trial_close(trial *t)
{
    sw__arena_free(t->arena);
    sw__interrupt_close(&t->interrupt);
    close(t->place.root_fd);
    nftw(t->root, trial_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void trial_run(trial *t, const char *handler, const char *parameters)
{
    const sw_env *env = sw_env_system();
    sw__arena_free(t->arena);
    t->arena = sw__arena_new(env);
    assert_non_null(t->arena);
    t->claim.handler = sw__str(handler);
    t->claim.parameters = sw__str(parameters);
    memset(&t->outcome, 0xA5, sizeof(t->outcome));
    sw__attempt attempt = {
        .env = env,
        .arena = t->arena,
        .place = &t->place,
        .claim = &t->claim,
        .interrupt = &t->interrupt,
        .outcome = &t->outcome,
    };
    int64_t before_us = env->clock_mono_us(env->context);
    sw__attempt_run(&attempt);
    t->took_ms = (env->clock_mono_us(env->context) - before_us) / 1000;
    assert_int_equal(t->outcome.step_id, t->claim.step_id);
    assert_int_equal(t->outcome.epoch, t->claim.epoch);
}

void trial_runf(trial *t, const char *handler, const char *format, ...)
{
    char *parameters = NULL;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&parameters, format, args) >= 0);
    va_end(args);
    trial_run(t, handler, parameters);
    free(parameters);
}

void trial_result(const trial *t, const char *expected)
{
    if (t->outcome.outcome != SW_OUTCOME_SUCCEEDED)
        fail_msg("%.*s: %.*s", SW__FMT(t->outcome.error_class), SW__FMT(t->outcome.error_message));
    assert_non_null(t->outcome.result.ptr);
    assert_string_equal(t->outcome.result.ptr, expected);
}

void trial_failed(const trial *t, int outcome, const char *error_class, const char *part)
{
    assert_int_equal(t->outcome.outcome, outcome);
    assert_string_equal(t->outcome.error_class.ptr, error_class);
    if (!strstr(t->outcome.error_message.ptr, part))
        fail_msg("\"%s\" is not in: %s", part, t->outcome.error_message.ptr);
}

const char *trial_path(trial *t, const char *name)
{
    snprintf(t->text, sizeof(t->text), "%s/%s", t->root, name);
    return t->text;
}

void trial_write(trial *t, const char *name, const char *content)
{
    FILE *file = fopen(trial_path(t, name), "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

void trial_holds(trial *t, const char *name, const char *content)
{
    char found[4096] = {0};
    FILE *file = fopen(trial_path(t, name), "r");
    assert_non_null(file);
    assert_true(fread(found, 1, sizeof(found) - 1, file) < sizeof(found) - 1);
    fclose(file);
    assert_string_equal(found, content);
}

void trial_lists(trial *t, const char *directory, const char *names)
{
    struct dirent **entries = NULL;
    char found[4096] = {0};
    int count = scandir(trial_path(t, directory), &entries, NULL, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s",
                     *found ? " " : "", name);
        free(entries[i]);
    }
    free(entries);
    assert_string_equal(found, names);
}
