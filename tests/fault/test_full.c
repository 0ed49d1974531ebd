/* No space left: a call that cannot write says so, has written nothing, and succeeds once there is
 * space again. By a limit on the size of files, and, where mounting is allowed, on a disk that is
 * really full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/live.h"

#define SUBMITS_MAX 20000
#define CHILD_SKIPPED 77

static const char definition[] = "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},"
                                 "{\"name\":\"b\",\"after\":[\"a\"]}]}";

static const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3}};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Submit one task with a payload of a few pages. */
static int submit(sw_engine *engine, sw_error *err)
{
    static char input[20000];
    sw_result *result = NULL;
    memset(input, 'x', sizeof(input));
    input[0] = input[sizeof(input) - 1] = '"';
    sw_task_submit_row row = {.workflow = {"w", 1}, .input = {input, sizeof(input)}};
    int rc = sw_task_submit(engine, &row, 1, &result, err);
    sw_result_free(result);
    return rc;
}

static int64_t tasks_of(live *l)
{
    int64_t total = 0;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    CHECK(sw_task_count(l->engine, &filter, counts, &l->error) == 0);
    for (int i = 0; i < SW_TASK_STATE_COUNT; i++)
        total += counts[i];
    return total;
}

static void check_history(live *l)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    CHECK(sw_audit_verify(l->engine, &report, &l->error) == 0);
}

static bool is_full(int rc)
{
    return rc == SW_EFULL || rc == SW_EIO;
}

/* Submit until there is no space; returns how many were acknowledged. After a refusal the log is
 * moved into the file and starts again, so that some more may be: until two in a row are refused.
 */
static int64_t fill(live *l)
{
    int64_t count = 0;
    for (int refused = 0; count < SUBMITS_MAX && refused < 2;) {
        int rc = submit(l->engine, &l->error);
        refused = rc == SW_OK ? 0 : refused + 1;
        count += rc == SW_OK;
        CHECK(rc == SW_OK || (is_full(rc) && l->error.code == rc && l->error.message[0]));
    }
    CHECK(count < SUBMITS_MAX);
    return count;
}

/* Report and claim while nothing can be written; the rows say what was held. */
static void exchange_without_space(live *l, const sw_worker_ref *worker, sw_step_outcome *row)
{
    sw_result *result = NULL;
    int rc = SW_OK;
    /* A small transaction may still find room in what is allocated already. */
    for (int i = 0; i < 1000 && rc == SW_OK; i++) {
        size_t count = 0;
        rc = sw_step_exchange(l->engine, worker, row, row->step_id ? 1 : 0, 1, 0, &result,
                              &l->error);
        if (rc < 0)
            break;
        const sw_step_claim *claims = sw_step_claims(result, &count);
        CHECK(count == 1);
        *row = (sw_step_outcome){.step_id = claims[0].step_id, .epoch = claims[0].epoch};
        sw_result_free(result);
    }
    CHECK(is_full(rc));
}

static sw_worker_ref enter(live *l)
{
    sw_worker_ref worker;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    options.lease_ms = 600000;
    CHECK(sw_worker_open(l->engine, &options, &worker, &l->error) == 0);
    return worker;
}

/* On a full disk, what only changes rows in their places goes on: the log is moved into the file,
 * where each page has its room, and is written from its beginning again. */
static void renew_without_space(live *l, const sw_worker_ref *worker)
{
    for (int i = 0; i < 100; i++) {
        sw_result *result = NULL;
        CHECK(sw_worker_renew(l->engine, worker, NULL, 0, &result, &l->error) == SW_OK);
        sw_result_free(result);
        if (i % 10 == 0)
            CHECK(is_full(submit(l->engine, &l->error)));
    }
}

/* Run out of space, and go on when make_room has made some. With a limit on the size of files,
 * which looks like any write that failed, the log is not moved. */
static void run_out(const char *store, bool disk_full, void (*take_room)(void *context),
                    void (*make_room)(void *context), void *context)
{
    live l;
    sw_result *result = NULL;
    sw_step_outcome row = {0};
    live_open(&l, store, definition);
    sw_worker_ref worker = enter(&l);
    take_room(context);
    int64_t acknowledged = fill(&l);
    CHECK(acknowledged > 0);
    CHECK(tasks_of(&l) == acknowledged); /* nothing more, nothing less */
    CHECK(is_full(submit(l.engine, &l.error)));
    exchange_without_space(&l, &worker, &row);
    if (disk_full)
        renew_without_space(&l, &worker);
    CHECK(tasks_of(&l) == acknowledged);
    check_history(&l);

    make_room(context);
    CHECK(submit(l.engine, &l.error) == SW_OK);
    CHECK(sw_step_exchange(l.engine, &worker, &row, row.step_id ? 1 : 0, 10, 0, &result,
                           &l.error) == SW_OK);
    sw_result_free(result);
    CHECK(tasks_of(&l) == acknowledged + 1);
    check_history(&l);
    live_close(&l);

    /* And a process that comes later finds the same. */
    live_open(&l, store, NULL);
    CHECK(tasks_of(&l) == acknowledged + 1);
    check_history(&l);
    live_close(&l);
}

/* In a child each, because limits and mounts belong to a process. */
static void in_child(void (*body)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED)
        skip();
    assert_int_equal(status, 0);
}

static void limit_files(void *context)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    *(rlim_t *)context = limit.rlim_cur;
    limit.rlim_cur = 1000000;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void unlimit_files(void *context)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = *(rlim_t *)context;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void limited_main(void)
{
    char directory[64];
    char store[128];
    rlim_t before;
    signal(SIGXFSZ, SIG_IGN);
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/full.db", directory);
    run_out(store, false, limit_files, unlimit_files, &before);
    live_directory_remove(directory);
}

static void test_limit_of_file_size(void **state)
{
    (void)state;
    in_child(limited_main);
}

static void nothing(void *context)
{
    (void)context;
}

static void remove_ballast(void *context)
{
    CHECK(unlink(context) == 0);
}

static void full_main(void)
{
    char directory[64];
    char store[128];
    char ballast[128];
    live_directory_make(directory);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", directory, "tmpfs", 0, "size=4m") < 0) {
        fprintf(stderr, "skipped: no right to mount a small disk (%s)\n", strerror(errno));
        rmdir(directory);
        _exit(CHILD_SKIPPED);
    }
    snprintf(store, sizeof(store), "%s/full.db", directory);
    snprintf(ballast, sizeof(ballast), "%s/ballast", directory);
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && posix_fallocate(fd, 0, 2000000) == 0);
    close(fd);
    run_out(store, true, nothing, remove_ballast, ballast);
    umount(directory);
    rmdir(directory);
}

static void test_full_disk(void **state)
{
    (void)state;
    in_child(full_main);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_of_file_size),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
