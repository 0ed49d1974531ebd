/* The keeper: a lease that a native thread renews, whatever the threads of the host do.
 *
 * On the real clock, with leases of a few hundred milliseconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "helper/live.h"

#define LEASE_MS 300
#define DEFINITION "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}"

static sw_worker_ref open_worker(live *l)
{
    sw_worker_ref worker;
    sw_str handler = {"w.a", 3};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    options.lease_ms = LEASE_MS;
    assert_int_equal(sw_worker_open(l->engine, &options, &worker, &l->error), 0);
    return worker;
}

static sw_worker_row row_of(live *l, const sw_worker_ref *worker)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_worker_row found = {0};
    assert_int_equal(sw_worker_list(l->engine, &result, &l->error), 0);
    const sw_worker_row *rows = sw_workers(result, &count);
    for (size_t i = 0; i < count; i++)
        found = rows[i].worker_id == worker->worker_id ? rows[i] : found;
    sw_result_free(result);
    return found;
}

/* How many steps one exchange claims. */
static size_t claims(live *l, const sw_worker_ref *worker)
{
    size_t count = 0;
    sw_result *result = NULL;
    assert_int_equal(sw_step_exchange(l->engine, worker, NULL, 0, 1, 0, &result, &l->error), 0);
    sw_step_claims(result, &count);
    sw_result_free(result);
    return count;
}

static int threads_of_process(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

/* The kernel takes a joined thread from its list a moment later. */
static void assert_threads(int count)
{
    for (int i = 0; i < 200 && threads_of_process() != count; i++)
        live_sleep_ms(10);
    assert_int_equal(threads_of_process(), count);
}

/* Another worker asks for work all the time, which is when leases are looked at. */
static size_t taken_over(live *l, bool keep)
{
    size_t taken = 0;
    live_submit(l);
    sw_worker_ref silent = open_worker(l);
    sw_worker_ref other = open_worker(l);
    assert_int_equal(claims(l, &silent), 1);
    if (keep)
        assert_int_equal(sw_worker_keep(l->engine, &silent, &l->error), 0);
    for (int64_t end = live_now_ms() + 4 * LEASE_MS; live_now_ms() < end; live_sleep_ms(20))
        taken += claims(l, &other);
    assert_int_equal(sw_worker_close(l->engine, &other, &l->error), 0);
    assert_int_equal(sw_worker_close(l->engine, &silent, &l->error), 0);
    return taken;
}

static void keep_holds_the_steps_of_a_silent_worker(void **state)
{
    (void)state;
    const char *stores[] = {"memory:", NULL};
    char folder[64];
    char file[80];
    live_directory_make_fast(folder);
    snprintf(file, sizeof file, "%s/keep.db", folder);
    stores[1] = file;
    for (int i = 0; i < 2; i++) {
        live l;
        live_open(&l, stores[i], DEFINITION);
        assert_int_equal(taken_over(&l, true), 0);
        live_close(&l);
    }
    live_directory_remove(folder);
}

static void keep_is_what_holds_them(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", DEFINITION);
    assert_int_equal(taken_over(&l, false), 1);
    live_close(&l);
}

static void keep_ends_with_the_worker(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", DEFINITION);
    int before = threads_of_process();
    sw_worker_ref worker = open_worker(&l);
    assert_threads(before);
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
    assert_threads(before + 1);
    assert_int_equal(sw_worker_close(l.engine, &worker, &l.error), 0);
    assert_threads(before);
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), SW_ENOTFOUND);
    live_close(&l);
}

static void keep_ends_with_the_engine(void **state)
{
    (void)state;
    int before = threads_of_process();
    for (int i = 0; i < 50; i++) {
        live l;
        live_open(&l, "memory:", DEFINITION);
        for (int n = 0; n < 4; n++) {
            sw_worker_ref worker = open_worker(&l);
            assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
        }
        live_sleep_ms(i % 3);
        live_close(&l);
        assert_threads(before);
    }
}

/* A renewal that fails is told to the log, and tried again. */

typedef struct heard {
    int warnings;
} heard;

static void hear(void *context, int level, const char *event, const sw_log_field *fields,
                 size_t field_count)
{
    heard *h = context;
    assert_true(field_count > 0 && fields[0].key);
    h->warnings += level == SW_LOG_WARN && strcmp(event, "worker.not_renewed") == 0;
}

static void keep_survives_a_busy_store(void **state)
{
    (void)state;
    char folder[64];
    char file[80];
    live_directory_make_fast(folder);
    snprintf(file, sizeof file, "%s/keep.db", folder);
    heard h = {0};
    live l = {0};
    sqlite3 *other = NULL;
    sw_log log = {.size = sizeof log, .context = &h, .level = SW_LOG_WARN, .write = hear};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){file, strlen(file)};
    options.busy_timeout_ms = 1;
    options.log = &log;
    assert_int_equal(sw_engine_open(&options, &l.engine, &l.error), 0);
    sw_worker_ref worker = open_worker(&l);
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
    assert_int_equal(sqlite3_open(file, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 5000);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    live_sleep_ms(LEASE_MS * 3 / 4);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    live_sleep_ms(LEASE_MS);
    assert_int_equal(row_of(&l, &worker).alive, 1);
    sw_engine_close(l.engine);
    assert_in_range(h.warnings, 1, 12);
    live_directory_remove(folder);
}

static int memory_is_gone;

static void *resize_until_gone(void *context, void *block, size_t size)
{
    (void)context;
    const sw_env *system = sw_env_system();
    return memory_is_gone && size > 0 ? NULL : system->resize(system->context, block, size);
}

static void keep_needs_memory(void **state)
{
    (void)state;
    live l = {0};
    sw_env env = *sw_env_system();
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    env.resize = resize_until_gone;
    options.store = (sw_str){"memory:", 7};
    options.env = &env;
    assert_int_equal(sw_engine_open(&options, &l.engine, &l.error), 0);
    sw_worker_ref worker = open_worker(&l);
    memory_is_gone = 1;
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), SW_ENOMEM);
    memory_is_gone = 0;
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
    sw_engine_close(l.engine);
}

static void keep_refuses_nonsense(void **state)
{
    (void)state;
    live l;
    live_open(&l, "memory:", DEFINITION);
    sw_worker_ref nobody = {4711};
    assert_int_equal(sw_worker_keep(l.engine, NULL, &l.error), SW_EINVAL);
    assert_int_equal(sw_worker_keep(NULL, &nobody, &l.error), SW_EINVAL);
    assert_int_equal(sw_worker_keep(l.engine, &nobody, &l.error), SW_ENOTFOUND);
    assert_non_null(strstr(l.error.message, "worker 4711"));
    live_close(&l);
}

/* The child has no keeper, and does not wait for one; the parent's goes on. */
static void keep_stays_with_the_parent(void **state)
{
    (void)state;
    live l;
    int status = 0;
    live_open(&l, "memory:", DEFINITION);
    sw_worker_ref worker = open_worker(&l);
    assert_int_equal(sw_worker_keep(l.engine, &worker, &l.error), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        int rc = sw_worker_keep(l.engine, &worker, &l.error);
        sw_engine_close(l.engine);
        _exit(rc == SW_EFORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    live_sleep_ms(2 * LEASE_MS);
    assert_int_equal(row_of(&l, &worker).alive, 1);
    live_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_holds_the_steps_of_a_silent_worker),
        cmocka_unit_test(keep_is_what_holds_them),
        cmocka_unit_test(keep_ends_with_the_worker),
        cmocka_unit_test(keep_ends_with_the_engine),
        cmocka_unit_test(keep_survives_a_busy_store),
        cmocka_unit_test(keep_needs_memory),
        cmocka_unit_test(keep_refuses_nonsense),
        cmocka_unit_test(keep_stays_with_the_parent),
    };
    return cmocka_run_group_tests_name("worker_keep", tests, NULL, NULL);
}
