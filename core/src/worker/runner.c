/* The public runner: opening, running, stopping, closing; and the keeper thread.
 *
 * Not here: exchanging (loop.c), running attempts (pool.c, kinds.c).
 */
#include "stepwell/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/env.h"
#include "base/error.h"
#include "base/str.h"
#include "base/thread.h"
#include "worker/loop.h"

#define SW__RUNNER_THREADS 4
#define SW__RUNNER_THREADS_MAX 1024
#define SW__RUNNER_LEASE_MS 15000
#define SW__RUNNER_OUTPUT (64 * 1024)
#define SW__RUNNER_OUTPUT_MAX (16 * 1024 * 1024)
#define SW__KEEPER_RENEW_MAX_MS 1000 /* a cancelled command is ended after about so long */
#define SW__KEEPER_POKE_MS 20        /* between two attempts to get the loop out of a wait */

/* What commands inherit; a step declares the rest. */
static const char *const runner_variables[] = {"PATH", "HOME", "LANG", "TZ", "TMPDIR"};
#define SW__RUNNER_VARIABLES (sizeof(runner_variables) / sizeof(runner_variables[0]))

static int runner_check(const sw_engine *engine, const sw_runner_options *options, sw_error *err)
{
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    if (!options || options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "options must start with SW_RUNNER_OPTIONS_INIT");
    if (options->threads < 0 || options->threads > SW__RUNNER_THREADS_MAX)
        return sw__fail(err, SW_EINVAL, "threads is %d, expected 1 to %d, or 0 for %d",
                        options->threads, SW__RUNNER_THREADS_MAX, SW__RUNNER_THREADS);
    if (options->output_max < 0 || options->output_max > SW__RUNNER_OUTPUT_MAX)
        return sw__fail(err, SW_EINVAL, "output_max is %lld, expected 1 to %d, or 0 for %d",
                        (long long)options->output_max, SW__RUNNER_OUTPUT_MAX, SW__RUNNER_OUTPUT);
    if (options->root.ptr && memchr(options->root.ptr, 0, options->root.len))
        return sw__fail(err, SW_EINVAL, "the root directory's name contains a zero byte");
    return SW_OK;
}

static int runner_open_root(sw_runner *runner, sw_str root, sw_error *err)
{
    sw_str copy = sw__arena_str(runner->arena, root.len ? root : sw__str("."));
    if (!copy.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    runner->place.root_fd = open(copy.ptr, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (runner->place.root_fd < 0)
        return sw__fail(err, SW_EACCESS, "cannot use \"%s\" as the root directory: %s", copy.ptr,
                        strerror(errno));
    return SW_OK;
}

/* Taken once, because the host may change its environment while commands start. */
static int runner_copy_environment(sw_runner *runner, sw_error *err)
{
    size_t count = 0;
    const char **environment =
        sw__arena_array(runner->arena, SW__RUNNER_VARIABLES + 1, sizeof(*environment));
    for (size_t i = 0; environment && i < SW__RUNNER_VARIABLES; i++) {
        const char *value = getenv(runner_variables[i]);
        if (value)
            environment[count++] =
                sw__arena_format(runner->arena, "%s=%s", runner_variables[i], value).ptr;
    }
    runner->place.environment = environment;
    return sw__arena_failed(runner->arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int runner_enter(sw_runner *runner, const sw_runner_options *options, sw_error *err)
{
    sw_worker_options worker = SW_WORKER_OPTIONS_INIT;
    worker.name = options->name;
    worker.handlers = sw_runner_kinds(&worker.handler_count);
    worker.queues = options->queues;
    worker.queue_count = options->queue_count;
    worker.lease_ms = runner->lease_ms;
    worker.task = options->task;
    int rc = sw_worker_open(runner->engine, &worker, &runner->worker, err);
    runner->entered = rc == SW_OK;
    return rc;
}

static int runner_fill(sw_runner *runner, const sw_runner_options *options, sw_error *err)
{
    runner->lease_ms = options->lease_ms ? options->lease_ms : SW__RUNNER_LEASE_MS;
    runner->thread_count = options->threads ? (size_t)options->threads : SW__RUNNER_THREADS;
    runner->place.output_max =
        options->output_max ? (size_t)options->output_max : SW__RUNNER_OUTPUT;
    runner->arena = sw__arena_new(runner->env);
    runner->holds = sw__calloc(runner->env, runner->thread_count, sizeof(*runner->holds));
    if (!runner->arena || !runner->holds)
        return sw__fail(err, SW_ENOMEM, NULL);
    runner->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (runner->bell_fd < 0)
        return sw__fail(err, SW_EIO, "cannot make an event descriptor: %s", strerror(errno));
    int rc = runner_open_root(runner, options->root, err);
    if (rc == SW_OK)
        rc = runner_copy_environment(runner, err);
    return rc == SW_OK ? runner_enter(runner, options, err) : rc;
}

int sw_runner_open(sw_engine *engine, const sw_runner_options *options, sw_runner **out,
                   sw_error *err)
{
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = runner_check(engine, options, err);
    if (rc < 0)
        return rc;
    const sw_env *env = sw_env_system();
    sw_runner *runner = sw__calloc(env, 1, sizeof(*runner));
    if (!runner)
        return sw__fail(err, SW_ENOMEM, NULL);
    runner->env = env;
    runner->engine = engine;
    runner->bell_fd = -1;
    runner->place.root_fd = -1;
    runner->place.guard_fd = -1;
    sw__guard_init(&runner->guard, env);
    rc = runner_fill(runner, options, err);
    if (rc < 0)
        sw_runner_close(runner);
    else
        *out = runner;
    return rc;
}

void sw_runner_close(sw_runner *runner)
{
    if (!runner)
        return;
    if (runner->entered)
        sw_worker_close(runner->engine, &runner->worker, NULL);
    if (runner->place.root_fd >= 0)
        close(runner->place.root_fd);
    if (runner->bell_fd >= 0)
        close(runner->bell_fd);
    sw__free(runner->env, runner->holds);
    sw__arena_free(runner->arena);
    sw__free(runner->env, runner);
}

void sw__runner_ring(sw_runner *runner)
{
    const uint64_t one = 1;
    int before = errno;
    while (write(runner->bell_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    errno = before;
}

void sw_runner_stop(sw_runner *runner)
{
    if (!runner)
        return;
    atomic_store(&runner->stop, true);
    sw__runner_ring(runner);
}

static void runner_still(sw_runner *runner)
{
    uint64_t count;
    while (read(runner->bell_fd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
}

/* Renew the lease while steps are held, and end those that are not held any more. An error is left
 * to the next time, and to the loop, which sees it as well. */
static void keeper_renew(sw_runner *runner)
{
    size_t lost_count = 0;
    sw_result *result = NULL;
    size_t count = sw__pool_holds(&runner->pool, runner->holds, runner->thread_count);
    if (count == 0)
        return;
    sw_worker_renew(runner->engine, &runner->worker, runner->holds, count, &result, NULL);
    const sw_step_hold *lost = sw_step_holds(result, &lost_count);
    for (size_t i = 0; i < lost_count; i++)
        sw__pool_cancel(&runner->pool, &lost[i]);
    sw_result_free(result);
}

/* The engine cannot be woken from a signal handler, and a wake that comes before the loop waits is
 * lost; so the keeper does it, until the loop has come out. */
static void keeper_stop(sw_runner *runner)
{
    sw__pool_stop(&runner->pool);
    if (sw__pool_is_outside(&runner->pool))
        sw_engine_wake(runner->engine);
}

static int keeper_wait_ms(const sw_runner *runner, int64_t renew_us, bool stopping)
{
    int64_t left_us = renew_us - runner->env->clock_mono_us(runner->env->context);
    if (stopping && left_us > SW__KEEPER_POKE_MS * 1000)
        return SW__KEEPER_POKE_MS;
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

static void *keeper_main(void *argument)
{
    sw_runner *runner = argument;
    int64_t period_us = runner->lease_ms * 1000 / 3;
    if (period_us > SW__KEEPER_RENEW_MAX_MS * 1000)
        period_us = SW__KEEPER_RENEW_MAX_MS * 1000;
    int64_t renew_us = 0;
    while (!atomic_load(&runner->over)) {
        bool stopping = atomic_load(&runner->stop) || atomic_load(&runner->complete);
        struct pollfd bell = {.fd = runner->bell_fd, .events = POLLIN};
        poll(&bell, 1, keeper_wait_ms(runner, renew_us, stopping));
        if (bell.revents)
            runner_still(runner);
        if (atomic_load(&runner->stop) || atomic_load(&runner->complete))
            keeper_stop(runner);
        int64_t now_us = runner->env->clock_mono_us(runner->env->context);
        if (now_us >= renew_us) {
            renew_us = now_us + period_us;
            keeper_renew(runner);
        }
    }
    return NULL;
}

static void runner_report(void *context)
{
    sw_runner *runner = context;
    /* What is given back while the loop still waits for work would be claimed again by it; the end
     * of the run reports it. */
    if (sw__pool_stopping(&runner->pool))
        return;
    /* The loop tries again, and gives up where this must be given up. */
    if (sw__loop_report(runner, NULL) < 0)
        sw_engine_wake(runner->engine);
}

/* Run the loop with its threads. The lease is renewed until the last attempt has ended. */
static int runner_run_threads(sw_runner *runner, sw_error *err)
{
    pthread_t keeper;
    int rc = sw__thread_start(&keeper, keeper_main, runner, err);
    if (rc == SW_OK) {
        rc = sw__loop_run(runner, err);
        sw__pool_stop(&runner->pool);
        sw__pool_drain(&runner->pool);
        atomic_store(&runner->over, true);
        sw__runner_ring(runner);
        pthread_join(keeper, NULL);
        int last = sw__loop_report(runner, rc < 0 ? NULL : err);
        if (rc == SW_OK)
            rc = last;
    }
    return rc;
}

static int runner_begin(sw_runner *runner, const sw_uuid *until, sw_error *err)
{
    atomic_store(&runner->complete, false);
    atomic_store(&runner->over, false);
    runner->has_until = until != NULL;
    if (!until)
        return SW_OK;
    runner->until = *until;
    return sw__loop_look(runner, err);
}

int sw_runner_run(sw_runner *runner, const sw_uuid *until, sw_error *err)
{
    sw__error_clear(err);
    if (!runner)
        return sw__fail(err, SW_EINVAL, "runner is NULL");
    int rc = runner_begin(runner, until, err);
    if (rc < 0 || atomic_load(&runner->complete))
        return rc;
    rc = sw__pool_open(&runner->pool, runner->env, &runner->place, runner->thread_count, err);
    if (rc < 0)
        return rc;
    runner->pool.report = runner_report;
    runner->pool.report_context = runner;
    rc = runner_run_threads(runner, err);
    sw__pool_close(&runner->pool);
    sw__guard_close(&runner->guard);
    runner->place.guard_fd = -1;
    runner_still(runner);
    atomic_store(&runner->stop, false);
    return rc;
}
