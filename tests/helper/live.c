/* An engine on the real clock; see live.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/live.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sw_str live_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

static void live_ok(const live *l, int rc)
{
    if (rc < 0)
        fail_msg("%s: %s", sw_code_name(rc), l->error.message);
}

void live_directory_make(char path[64])
{
    strcpy(path, "/tmp/stepwell-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

void live_directory_make_fast(char path[64])
{
    strcpy(path, "/dev/shm/stepwell-test-XXXXXX");
    if (!mkdtemp(path))
        live_directory_make(path);
}

static int live_remove(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

void live_directory_remove(const char *path)
{
    nftw(path, live_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void live_open(live *l, const char *store, const char *definition)
{
    *l = (live){0};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = live_str(store);
    live_ok(l, sw_engine_open(&options, &l->engine, &l->error));
    if (!definition)
        return;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    live_ok(l, sw_workflow_load(&load, live_str(definition), &l->workflow, NULL, &l->error));
    const sw_workflow *workflows[] = {l->workflow};
    live_ok(l, sw_workflow_register(l->engine, workflows, 1, &l->error));
}

void live_close(live *l)
{
    sw_result_free(l->last);
    sw_workflow_free(l->workflow);
    sw_engine_close(l->engine);
}

sw_uuid live_submit(live *l)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = sw_workflow_name(l->workflow)};
    live_ok(l, sw_task_submit(l->engine, &row, 1, &result, &l->error));
    sw_uuid id = sw_task_submissions(result, &count)[0].task_id;
    sw_result_free(result);
    return id;
}

static void live_get(live *l, const sw_uuid *task)
{
    sw_result_free(l->last);
    l->last = NULL;
    live_ok(l, sw_task_get(l->engine, task, &l->last, &l->error));
}

int live_state(live *l, const sw_uuid *task)
{
    size_t count = 0;
    live_get(l, task);
    return sw_tasks(l->last, &count)[0].state;
}

const sw_step_row *live_step(live *l, const sw_uuid *task, const char *step)
{
    size_t count = 0;
    live_get(l, task);
    const sw_step_row *rows = sw_steps(l->last, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].name.len == strlen(step) && memcmp(rows[i].name.ptr, step, strlen(step)) == 0)
            return &rows[i];
    }
    fail_msg("there is no step %s", step);
    return NULL;
}

void live_cancel(live *l, const sw_uuid *task)
{
    sw_cancel_row row = {.task_id = *task, .actor = live_str("ann"), .reason = live_str("test")};
    live_ok(l, sw_task_cancel(l->engine, &row, 1, &l->error));
}

sw_audit_report live_verify(live *l)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw_audit_verify(l->engine, &report, &l->error);
    if (rc < 0)
        fail_msg("%s: %s; %s", sw_code_name(rc), l->error.message, report.message);
    assert_int_equal(report.ok, 1);
    return report;
}

int64_t live_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void live_sleep_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

int live_process_runs(long pid)
{
    char path[64];
    char line[256] = {0};
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    int runs = fgets(line, sizeof(line), file) && !strstr(line, ") Z ");
    fclose(file);
    return runs;
}
